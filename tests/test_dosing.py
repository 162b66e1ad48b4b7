"""Formulas of the dose: a table that a pharmacist can sign, as numbers and as columns."""

import math
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import subq_toolkit as sq
from subq_toolkit import dosing
from subq_toolkit.formulas import Amount, Count, formula

CASES = pl.read_csv(Path(__file__).parent / "cases" / "dosing.csv", infer_schema=False).rows(
    named=True
)


def value(text: str) -> object:
    """A number, a way of counting, or steps such as ``10x30,restx60`` (minutes × mL/h)."""
    if "x" in text and text[0] in "0123456789r":
        pairs = [pair.split("x") for pair in text.split(",")]
        return [(None if m == "rest" else float(m), float(rate)) for m, rate in pairs]
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def arguments(case: dict) -> dict:
    pairs = (pair.split("=") for pair in case["arguments"].split("; "))
    return {name: value(text) for name, text in pairs}


def name_of(case: dict) -> str:
    return f"{case['function']}({case['arguments']})"


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_worked_case(case: dict) -> None:
    got = getattr(dosing, case["function"])(**arguments(case))
    assert got == pytest.approx(float(case["expected"]), rel=1e-6), case["why"]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_the_same_case_as_columns(case: dict) -> None:
    given = arguments(case)
    numbers = {name: one for name, one in given.items() if isinstance(one, int | float)}
    frame = pl.DataFrame({name: [one, None] for name, one in numbers.items()})
    columns = {name: pl.col(name) for name in numbers}
    got = frame.select(getattr(dosing, case["function"])(**given | columns))
    assert got.columns == [case["function"]]
    assert got.item(0, 0) == pytest.approx(float(case["expected"]), rel=1e-6), case["why"]
    assert got.item(1, 0) is None


def test_every_formula_has_worked_cases() -> None:
    formulas = {name for name in dosing.__all__ if hasattr(getattr(dosing, name), "__wrapped__")}
    assert formulas == {case["function"] for case in CASES}


def test_a_series_gives_a_series() -> None:
    doses = pl.Series("dose", [180.0, None, -1.0])
    got = dosing.volume_ml(dose_mg=doses, concentration_mg_per_ml=20)
    assert got.to_list() == [9.0, None, None]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"concentration_mg_per_ml": 0}, r"'concentration_mg_per_ml' is a number above zero "
         r"\[mg/mL\]; it is zero\. Correct it, or convert it to mg/mL"),
        ({"dose_mg": -1}, r"'dose_mg' is a number, zero or more \[mg\]; it is negative"),
        ({"dose_mg": math.nan}, "it is not a finite number"),
        ({"dose_mg": math.inf}, "it is not a finite number"),
        ({"dose_mg": "180 mg"}, r"\[mg\], not a str\. Give the bare number in that unit"),
        ({"dose_mg": True}, "not a bool"),
        ({"dose_mcg": 5}, r"has no argument 'dose_mcg'\. Did you mean 'dose_mg' \[mg\]\? It takes "
         r"dose_mg \[mg\], concentration_mg_per_ml \[mg/mL\]"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_with_its_unit(given: dict, message: str) -> None:
    usual = {"dose_mg": 180, "concentration_mg_per_ml": 20}
    with pytest.raises(sq.InputError, match=message):
        dosing.volume_ml(**usual | given)


def test_no_message_shows_what_was_typed() -> None:
    with pytest.raises(sq.InputError) as refused:
        dosing.weight_based_rate_ml_per_h(
            dose_ng_per_kg_per_min=5, weight_kg=-61.7, concentration_mg_per_ml=5
        )
    assert "61.7" not in str(refused.value)


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt32, pl.Float32, pl.Decimal(10, 2)])
def test_narrow_columns_do_not_overflow(dtype: pl.DataType) -> None:
    frame = pl.DataFrame({"n": pl.Series([100], dtype=dtype), "m": pl.Series([120], dtype=dtype)})
    got = frame.select(
        dosing.shortest_duration_min(volume_ml=pl.col("n"), sites=1, limit_ml_per_h_per_site=3),
        dosing.delivered_ml(fill_ml=pl.col("n"), priming_ml=pl.col("m")),
        dosing.max_dose_rate_mg_per_h(
            concentration_mg_per_ml=pl.col("n"), limit_ml_per_h_per_site=pl.col("m"), sites=2
        ),
        dosing.sites_for_rate(rate_ml_per_h=270, limit_ml_per_h_per_site=pl.col("n")),
    )
    assert got.row(0) == (pytest.approx(2000), 0, 24000, 3)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: dosing.boluses_per_window(lockout_min=1e-308, window_h=1, boluses="floor"),
         "counts to more than can be meant"),
        (lambda: dosing.volume_ml(dose_mg=1e300, concentration_mg_per_ml=1e-200),
         "volume_ml: the answer is too large or too small"),
        (lambda: dosing.volume_ml(dose_mg=10**400, concentration_mg_per_ml=1), "not a finite"),
        (lambda: dosing.volume_ml(dose_mg=None, concentration_mg_per_ml=1), "not a NoneType"),
        (lambda: dosing.stepped_duration_min(volume_ml=1, steps="abc"), "'steps' are pairs"),
        (lambda: dosing.walk(-5, [(None, 5)]), "'volume_ml' is a number, zero or more"),
        (lambda: dosing.rotation_calendar(days=10**9, dwell_days=3, exclusion_days=12),
         "more than 5,000 sets"),
        (lambda: dosing.rotation_calendar(days=30, dwell_days=1e-9, exclusion_days=12),
         "more than 5,000 sets"),
    ],
)  # fmt: skip
def test_extremes_are_refused_at_once(ask: object, message: str) -> None:
    with pytest.raises(sq.InputError, match=message):
        ask()


def test_an_impossible_count_in_a_column_is_null() -> None:
    frame = pl.DataFrame({"rate": [1e30, 6.0]})
    got = frame.select(
        dosing.sites_for_rate(rate_ml_per_h=pl.col("rate"), limit_ml_per_h_per_site=3)
    )
    assert got["sites_for_rate"].to_list() == [None, 2]


def test_arguments_are_named() -> None:
    with pytest.raises(sq.InputError, match=r"volume_ml: name every argument; it takes dose_mg"):
        dosing.volume_ml(180, 20)
    with pytest.raises(sq.InputError, match=r"volume_ml also needs 'concentration_mg_per_ml'"):
        dosing.volume_ml(dose_mg=180)


@pytest.mark.parametrize(("sites", "says"), [(0, "it is zero"), (1.5, "it has a fraction")])
def test_sites_are_counted(sites: float, says: str) -> None:
    with pytest.raises(sq.InputError, match=rf"'sites' is a whole number from 1 on \[1\]; {says}"):
        dosing.max_dose_rate_mg_per_h(
            concentration_mg_per_ml=20, limit_ml_per_h_per_site=3, sites=sites
        )


def test_more_sites_than_allowed_are_refused_and_null_in_a_column() -> None:
    asked = {"rate_ml_per_h": 20, "volume_ml": 10}
    limits = {"limit_ml_per_h_per_site": 5, "limit_ml_per_site": 25}
    assert dosing.sites_needed(**asked, **limits, max_sites=4) == 4
    with pytest.raises(sq.InputError, match=r"needs 4 sites, and at most 3 are published"):
        dosing.sites_needed(**asked, **limits, max_sites=3)
    column = dosing.sites_needed(
        rate_ml_per_h=pl.Series([15.0, 20.0]), volume_ml=10, **limits, max_sites=3
    )
    assert column.to_list() == [3, None]


@pytest.mark.parametrize(
    "steps",
    [[], [(10, 5)], [(None, 5), (None, 6)], [(10, 0), (None, 5)], [(-1, 5), (None, 5)]],
    ids=["none", "no end", "two ends", "no rate", "no minutes"],
)
def test_steps_that_cannot_be_walked_are_refused(steps: list) -> None:
    with pytest.raises(sq.InputError, match="'steps"):
        dosing.stepped_duration_min(volume_ml=10, steps=steps)


@given(
    st.floats(0.01, 500),
    st.lists(st.tuples(st.integers(1, 30), st.integers(1, 300)), max_size=5),
    st.integers(1, 300),
)
def test_a_ramp_agrees_with_a_walk_by_the_minute(volume: float, ramp: list, rest: int) -> None:
    """Minute by minute on a clock, the way a nurse would count, against the closed formula."""
    given, minute, plan = 0.0, 0, [rate for minutes, rate in ramp for _ in range(minutes)]
    while True:
        rate = plan[minute] if minute < len(plan) else rest
        if given + rate / 60 >= volume:
            took = minute + (volume - given) / (rate / 60)
            break
        given, minute = given + rate / 60, minute + 1
    steps = [*ramp, (None, rest)]
    assert dosing.stepped_duration_min(volume_ml=volume, steps=steps) == pytest.approx(took)
    stretches = dosing.walk(volume, steps)
    assert sum(stretch.ml for stretch in stretches) == pytest.approx(volume)
    assert stretches[-1].to_min == pytest.approx(took)


@given(st.floats(0.1, 1000), st.floats(0.1, 300), st.integers(1, 12))
def test_more_sites_never_lengthen(volume: float, limit: float, sites: int) -> None:
    fewer, more = (
        dosing.shortest_duration_min(volume_ml=volume, sites=n, limit_ml_per_h_per_site=limit)
        for n in (sites, sites + 1)
    )
    assert more < fewer


@given(st.floats(0.001, 1000), st.sampled_from([0.01, 0.05, 0.1, 0.5, 1.0]))
def test_rounding_stays_within_one_step(value: float, step: float) -> None:
    low, near, high = (
        dosing.pump_setting(value=value, step=step, direction=way)
        for way in ("down", "nearest", "up")
    )
    assert low <= value * (1 + 1e-9)
    assert high >= value * (1 - 1e-9)
    assert high - low <= step * (1 + 1e-9)
    assert abs(near - value) <= step / 2 * (1 + 1e-9)


@given(st.integers(1, 400), st.integers(1, 8))
def test_ways_of_counting_boluses_are_in_order(lockout: int, hours: int) -> None:
    low, average, high = (
        dosing.boluses_per_window(lockout_min=lockout, window_h=hours, boluses=way)
        for way in ("floor", "average", "worst_window")
    )
    taken = len(range(0, 60 * hours, lockout))  # pressed at 0, then whenever the lockout ends
    assert low <= average <= high
    assert high == taken


def test_a_lockout_must_say_how_it_is_counted() -> None:
    with pytest.raises(sq.InputError, match="'floor', 'average', 'worst_window'"):
        dosing.boluses_per_window(lockout_min=25, window_h=1, boluses="ceil")
    with pytest.raises(sq.InputError, match="'direction' is 'down', 'nearest' or 'up'"):
        dosing.pump_setting(value=1, step=0.1, direction="sideways")


def test_which_programmed_limit_binds() -> None:
    setting = {
        "basal_mg_per_h": 6,
        "bolus_mg": 2,
        "lockout_min": 20,
        "concentration_mg_per_ml": 10,
        "limit_ml_per_h_per_site": 3,
    }
    free = dosing.patient_controlled(**setting)
    # 6 + 3 × 2 = 12 mg in an hour, 48 in four; 1.2 mL of 3, 4.8 of 12
    assert free["computed_mg"].to_list() == [12, 48]
    assert free["effective_ml"].to_list() == [1.2, 4.8]
    assert free["site_use"].to_list() == pytest.approx([0.4, 0.4])
    assert free["binding"].to_list() == ["lockout", "lockout"]
    hour = dosing.patient_controlled(**setting, limit_1h_mg=10, limit_4h_mg=41)
    assert hour["effective_mg"].to_list() == [10, 40]
    assert hour["binding"].to_list() == ["limit_1h_mg", "limit_1h_mg"]
    four = dosing.patient_controlled(**setting, limit_1h_mg=11, limit_4h_mg=40)
    assert four["effective_mg"].to_list() == [11, 40]
    assert four["binding"].to_list() == ["limit_1h_mg", "limit_4h_mg"]
    unknown = dosing.patient_controlled(**setting | {"limit_ml_per_h_per_site": None})
    assert unknown["site_use"].to_list() == [None, None]


def test_a_rotation_rests_as_long_as_it_must() -> None:
    vyalev = dosing.rotation_calendar(days=30, dwell_days=3, exclusion_days=12)
    assert vyalev["set"].max() == 10
    assert vyalev["position"].to_list() == [1, 2, 3, 4, 5] * 2
    assert vyalev["rested_days"].to_list() == [None] * 5 + [12] * 5
    assert not vyalev["too_soon"].any()
    hurried = dosing.rotation_calendar(days=30, dwell_days=3, exclusion_days=12, positions=4)
    assert hurried["rested_days"].drop_nulls().unique().to_list() == [9]
    assert hurried["too_soon"].sum() == 6
    short = dosing.rotation_calendar(days=7, dwell_days=3, exclusion_days=0)
    assert short.select("from_day", "to_day").rows() == [(0, 3), (3, 6), (6, 7)]


def test_a_new_formula_needs_only_its_types() -> None:
    @formula
    def drops_per_min(*, rate_ml_per_h: Amount, drops_per_ml: Count = 20) -> float:
        """Drops a minute."""
        return rate_ml_per_h * drops_per_ml / 60

    assert drops_per_min(rate_ml_per_h=60) == 20
    with pytest.raises(sq.InputError, match="'rate_ml_per_h' is a number, zero or more"):
        drops_per_min(rate_ml_per_h=-1)
