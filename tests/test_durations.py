"""Infusion minutes counted in bins, by quantiles, around the steps and over time."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from math import floor, pi, sqrt
from statistics import mean

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import subq_toolkit as sq
from subq_toolkit import durations as d
from subq_toolkit.scenarios import MinuteSummary, minute_summary

SPRING = date(2026, 3, 1)


def work(*rows: tuple, by: tuple[str, ...] = ()) -> MinuteSummary:
    """Rows of (minutes, encounters) or (minutes, encounters, changes) in an office."""
    usual = {"period": SPRING, "setup": False, "outcome": "coded", "place": "office"}
    counts = [
        usual | {"minutes": minutes, "encounters": n} | (more[0] if more else {})
        for minutes, n, *more in rows
    ]
    types = {"minutes": pl.Int64, "encounters": pl.Int64}
    return MinuteSummary(pl.DataFrame(counts, schema_overrides=types), by)


def grouped(*rows: tuple) -> MinuteSummary:
    return work(*((m, n, {"ward": ward}) for ward, m, n in rows), by=("ward",))


@pytest.fixture(scope="module")
def coded() -> sq.Coded:
    return sq.code_administrations(sq.sample_administrations())


@pytest.fixture(scope="module")
def sample(coded: sq.Coded) -> MinuteSummary:
    by = ["month", "week", "rounding", "therapy", "payer"]
    return minute_summary(coded, by=by)


def test_bins_by_hand() -> None:
    table = d.duration_bins(work((15, 2), (16, 3), (30, 1), (31, 4), (90, 5), (91, 6)))
    rows = table.select("from_min", "to_min", "encounters").rows()
    assert rows[:3] == [(0, 16, 2), (16, 31, 4), (31, 46, 4)]
    assert rows[-2:] == [(76, 91, 5), (91, 106, 6)]
    assert table["encounters"].sum() == 21
    assert table["share"].to_list()[0] == pytest.approx(2 / 21)


def test_the_last_bin_is_open_where_a_few_last_long() -> None:
    table = d.duration_bins(work((60, 990), (700, 10)), up_to_min=60)
    assert table.select("from_min", "to_min", "encounters").rows()[-2:] == [
        (46, 61, 990),
        (61, None, 10),
    ]


def test_no_step_cuts_through_a_bin() -> None:
    assert d.bin_widths() == [1, 3, 5, 15]
    steps = {minutes for minutes, _ in d.unit_steps(400)}
    for width in d.bin_widths():
        begins = set(d.duration_bins(work((400, 1), (1, 1)), width_min=width)["from_min"])
        assert steps <= begins
    with pytest.raises(sq.InputError, match=r"'width_min' is one of 1, 3, 5, 15.*it is 10"):
        d.duration_bins(work((60, 1)), width_min=10)


def test_steps_and_their_units() -> None:
    assert d.unit_steps(211) == [(16, 1), (91, 2), (151, 3), (211, 4)]
    assert d.unit_steps(15) == []
    assert d.unit_steps(90) == [(16, 1)]


def test_quantiles_by_hand() -> None:
    # 20 encounters of 1 to 20 min: 5 % is the first, half the tenth, 95 % the nineteenth.
    row = d.duration_quantiles(work(*((m, 1) for m in range(1, 21)))).row(0, named=True)
    assert [row[name] for name in ("p5_min", "p25_min", "median_min", "p75_min", "p95_min")] == [
        1, 5, 10, 15, 19,
    ]  # fmt: skip
    assert (row["mean_min"], row["encounters"]) == (10.5, 20)


def test_groups_with_the_most_encounters_come_first() -> None:
    table = d.duration_quantiles(grouped(("a", 10, 1), (None, 20, 3), ("b", 30, 2)), "ward")
    assert table["group"].to_list() == [None, "b", "a"]


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", None]), st.integers(0, 400), st.integers(1, 9)),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from([1, 3, 5, 15]),
)
def test_counted_one_by_one(rows: list, width: int) -> None:
    summary = grouped(*rows)
    single = [(ward, minutes) for ward, minutes, n in rows for _ in range(n)]
    bins = d.duration_bins(summary, "ward", width_min=width)
    for group, low, high, n, share in bins.rows():
        mine = [m for ward, m in single if ward == group]
        inside = [m for m in mine if m >= low and (high is None or m < high)]
        assert n == len(inside)
        assert share == pytest.approx(len(inside) / len(mine))
    assert bins["encounters"].sum() == len(single)
    for group, minutes, at_most, share in d.duration_curve(summary, "ward").rows():
        mine = [m for ward, m in single if ward == group]
        assert at_most == sum(m <= minutes for m in mine)
        assert share == pytest.approx(at_most / len(mine))
    for row in d.duration_quantiles(summary, "ward").rows(named=True):
        mine = sorted(m for ward, m in single if ward == row["group"])
        for name, share in (("p5_min", 0.05), ("median_min", 0.5), ("p95_min", 0.95)):
            least = next(m for m in mine if sum(x <= m for x in mine) >= share * len(mine) - 1e-9)
            assert row[name] == least
    low, high = 60, 90
    for group, n, of, _ in d.range_by_group(summary, "ward", low, high).rows():
        mine = [m for ward, m in single if ward == group]
        assert (n, of) == (sum(low <= m <= high for m in mine), len(mine))
    found = {
        (step, off): n
        for step, off, n in d.step_distances(summary, 5).rows()
        if n
    }  # fmt: skip
    steps = [16, *range(91, 500, 60)]
    expected: dict = {}
    for _, minutes in single:
        for step in steps:
            if -5 <= minutes - step <= 4:
                key = (step, minutes - step)
                expected[key] = expected.get(key, 0) + 1
    assert found == expected


def test_distances_are_complete_and_bounded() -> None:
    table = d.step_distances(work((90, 3), (91, 4), (95, 1), (96, 9)), within_min=5)
    assert table.filter(pl.col("encounters") > 0).rows() == [(91, -1, 3), (91, 0, 4), (91, 4, 1)]
    assert table.height == 10
    for wrong in (0, 31, 2.5, True):
        with pytest.raises(sq.InputError, match="'within_min' is a whole number from 1 to 30"):
            d.step_distances(work((90, 1)), within_min=wrong)


def test_the_range_in_code_is_the_range_of_the_count(coded: sq.Coded, sample) -> None:
    found = d.encounters_lasting(coded, 86, 90).collect()
    assert found["infusion_min"].is_between(86, 90).all()
    assert set(found["outcome"]) == {"coded"}
    assert found.height == d.range_by_group(sample, "payer", 86, 90)["encounters"].sum()
    assert found["encounter_id"].is_sorted()


def test_a_range_without_an_end_is_that_long_or_longer(coded: sq.Coded, sample) -> None:
    found = d.encounters_lasting(coded, 691, None).collect()
    assert found["infusion_min"].min() >= 691
    assert found.height == d.range_by_group(sample, "payer", 691, None)["encounters"].sum() == 84


def test_a_range_is_whole_minutes_in_order(coded: sq.Coded) -> None:
    with pytest.raises(sq.InputError, match="'to_min' is a whole number from 90"):
        d.encounters_lasting(coded, 90, 89)
    with pytest.raises(sq.InputError, match="'from_min' is a whole number from 0"):
        d.encounters_lasting(coded, -1, 89)
    with pytest.raises(sq.InputError, match="Hand in what code_administrations returned"):
        d.encounters_lasting(coded.encounters, 1, 2)
    assert d.encounters_lasting(coded, 90, 90).collect().height > 0


def test_minutes_of_the_clock() -> None:
    runs = pl.DataFrame(
        {
            "encounter_id": ["a", "b", "c", "d"],
            "start_at": [datetime(2026, 3, 2, 9, minute) for minute in (0, 0, 7, 15)],
            "stop_at": [datetime(2026, 3, 2, 10, 30), None, datetime(2026, 3, 2, 11, 59),
                        datetime(2026, 3, 2, 10, 30)],
            "route": ["subcutaneous", "subcutaneous", "subcutaneous", "intravenous"],
        }
    )  # fmt: skip
    table = d.clock_minutes(sq.code_administrations(runs))
    assert table.height == 120
    seen = table.filter(pl.col("times") > 0).select("event", "minute", "times").rows()
    assert seen == [("start", 0, 2), ("start", 7, 1), ("stop", 30, 1), ("stop", 59, 1)]
    assert table.filter(pl.col("event") == "start")["share"].sum() == pytest.approx(1)
    assert table["expected"].unique().to_list() == [1 / 60]


def test_no_time_at_all_has_no_share() -> None:
    none = pl.DataFrame(
        schema={"encounter_id": pl.String, "start_at": pl.Datetime, "stop_at": pl.Datetime}
    )
    table = d.clock_minutes(sq.code_administrations(none))
    assert table["share"].null_count() == 120
    with pytest.raises(sq.InputError, match="Hand in what code_administrations returned"):
        d.clock_minutes(none)


def test_rounding_by_hand() -> None:
    # 90 min on quarter hours: a true length of 91 to 104 in half of what is not exactly 90:
    # weights (15 - d) / 225 for d = 1..14 add up to 105 / 225.
    kept = {"rounding": "15 min"}
    row = d.heaping_effect(work((90, 225, kept), by=("rounding",))).row(0, named=True)
    assert row == {
        "rounding": "15 min", "encounters": 225, "units_charted": 225,
        "units_expected": 330.0, "difference": -105.0,
    }  # fmt: skip
    # On five minutes: d = 1..4 weigh (5 - d) / 25, 10 / 25 in all.
    five = work((90, 25, {"rounding": "5 min"}), by=("rounding",))
    assert d.heaping_effect(five).row(1, named=True)["units_expected"] == 35.0
    assert d.heaping_effect(five).row(0, named=True)["encounters"] == 0
    exact = work((90, 25, {"rounding": "1 min"}), by=("rounding",))
    assert d.heaping_effect(exact)["difference"].to_list() == [0, 0, 0]
    with pytest.raises(sq.InputError, match=r"by=\['rounding'\]"):
        d.heaping_effect(work((90, 1)))


@given(st.integers(1, 300), st.sampled_from([("15 min", 15), ("5 min", 5)]))
def test_rounding_against_every_pair_of_true_times(minutes: int, step: tuple) -> None:
    name, width = step
    # Each end lies anywhere in a span of one step around the charted time.
    units = 0
    for begin in range(width):
        for end in range(width):
            true = max(minutes + end - begin, 0)
            units += (true >= 16) + max((true - 31) // 60, 0)
    kept = work((minutes, width**2, {"rounding": name}), by=("rounding",))
    row = d.heaping_effect(kept).filter(pl.col("rounding") == name)
    assert row["units_expected"].item() == pytest.approx(units)


def monthly(*values: tuple[int, int]) -> MinuteSummary:
    """So many encounters of so many minutes in each month of 2025, in order."""
    rows = [
        (minutes, n, {"month": date(2025 + at // 12, 1 + at % 12, 1)})
        for at, (minutes, n) in enumerate(values)
    ]
    return work(*rows, by=("month",))


def test_control_limits_by_hand() -> None:
    table = d.control_limits(monthly((100, 10), (110, 10), (90, 10), (100, 10)))
    # Mean 100; moving ranges 10, 20, 10: 13.33 / 1.1284 = 11.816; three times that is 35.449.
    assert table["centre"].to_list() == [100] * 4
    assert table["high"].to_list() == pytest.approx([135.449] * 4, abs=0.001)
    assert table["low"].to_list() == pytest.approx([64.551] * 4, abs=0.001)
    assert table["signal"].to_list() == [None] * 4
    assert table["period"].to_list() == [date(2025, m, 1) for m in range(1, 5)]


def test_a_value_beyond_a_limit_and_a_long_run_are_signals() -> None:
    steady = [(100, 10), (102, 10)] * 6
    table = d.control_limits(monthly(*steady, (150, 10)))
    assert table["signal"].to_list()[-1] == "beyond"

    def half_and_half(n: int) -> list[str | None]:
        below, above = ([(low + 2 * (at % 2), 10) for at in range(n)] for low in (100, 104))
        return d.control_limits(monthly(*below, *above))["signal"].to_list()

    assert half_and_half(7) == [None] * 14
    assert half_and_half(8) == ["run"] * 16


def test_a_period_with_few_encounters_has_no_value() -> None:
    table = d.control_limits(monthly((100, 10), (500, 9), (100, 10)))
    assert table["value"].to_list() == [100, None, 100]
    assert table["encounters"].to_list() == [10, 9, 10]
    gap = work((60, 10, {"month": date(2025, 1, 1)}), (60, 10, {"month": date(2025, 3, 1)}),
               by=("month",))  # fmt: skip
    assert d.control_limits(gap)["encounters"].to_list() == [10, 0, 10]


def test_units_and_coded_share_over_time() -> None:
    month = {"month": SPRING}
    rows = work((90, 10, month), (91, 10, month), (None, 20, month | {"outcome": "query"}),
                by=("month",))  # fmt: skip
    assert d.control_limits(rows, "mean_units")["value"].item() == 1.5
    assert d.control_limits(rows, "coded_share")["value"].item() == 0.5
    assert d.control_limits(rows)["high"].item() is None
    with pytest.raises(sq.InputError, match="'statistic' is one of median_min"):
        d.control_limits(rows, "mode_min")
    with pytest.raises(sq.InputError, match="'every' is one of month, week"):
        d.control_limits(rows, every="year")
    with pytest.raises(sq.InputError, match=r"by=\['week'\]"):
        d.control_limits(rows, every="week")


@given(st.lists(st.integers(0, 500), min_size=2, max_size=24))
def test_limits_against_the_textbook(values: list[int]) -> None:
    table = d.control_limits(monthly(*((value, 10) for value in values)))
    moving = mean(abs(b - a) for a, b in pairwise(values))
    reach = 3 * moving * sqrt(pi) / 2
    assert table["high"][0] == pytest.approx(mean(values) + reach)
    assert table["low"][0] == pytest.approx(max(mean(values) - reach, 0))


def test_the_sample_is_all_there(coded: sq.Coded, sample: MinuteSummary) -> None:
    found = coded.encounters.filter(pl.col("outcome") == "coded").collect()
    # Five encounters are coded without a counted run.
    timed = found.filter(pl.col("pumps") > 0)["infusion_min"]
    assert d.duration_bins(sample)["encounters"].sum() == len(timed)
    assert d.duration_quantiles(sample)["median_min"].item() == timed.sort()[
        floor((len(timed) - 1) / 2)
    ]  # fmt: skip
    weeks = d.control_limits(sample, every="week")["period"]
    assert all(day.weekday() == 0 for day in weeks)
    assert weeks.diff().drop_nulls().unique().to_list() == [timedelta(days=7)]


def test_nothing_coded_gives_empty_tables() -> None:
    empty = work((None, 3, {"outcome": "query", "month": SPRING}), by=("month",))
    assert d.duration_bins(empty).is_empty()
    assert d.duration_quantiles(empty).is_empty()
    assert d.step_distances(empty).is_empty()
    assert d.control_limits(empty).is_empty()
    for ask in (d.duration_bins, d.duration_quantiles, d.duration_curve, d.step_distances,
                d.control_limits, d.heaping_effect):  # fmt: skip
        with pytest.raises(sq.InputError, match="Hand in what minute_summary"):
            ask(empty.counts)
