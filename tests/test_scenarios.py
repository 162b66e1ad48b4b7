"""The same work under other terms: to the cent, adding up, and honest about its spread."""

from dataclasses import replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import subq_toolkit as sq
from subq_toolkit.fees import Outpatient, Physician, contract, price
from subq_toolkit.scenarios import (
    MinuteSummary,
    Scenario,
    break_even,
    bridge,
    charting_error,
    compare,
    expected,
    minute_summary,
    missing_stop_value,
    near_steps,
    rate_card,
    simulate,
    tornado,
    total_usd,
)

SPRING = date(2026, 3, 2)
BASE = Scenario("base", on=SPRING)
# National amounts of 2026: office 144.96, 17.03, 56.45 and 15.36; hospital 217.31, 47.84 and
# 73.56 for a short one, a further set-up packaged.


def summary(*rows: tuple, by: tuple[str, ...] = ()) -> MinuteSummary:
    """Rows of (minutes, encounters) or (minutes, encounters, changes) in an office."""
    usual = {"period": SPRING, "setup": False, "outcome": "coded", "place": "office"}
    counts = [
        usual | {"minutes": minutes, "encounters": n} | (more[0] if more else {})
        for minutes, n, *more in rows
    ]
    return MinuteSummary(pl.DataFrame(counts, schema_overrides={"minutes": pl.Int64}), by)


def money(cells: pl.DataFrame) -> dict[str, Decimal]:
    return dict(cells.select("code", "expected_usd").rows())


@pytest.fixture(scope="module")
def coded() -> sq.Coded:
    return sq.code_administrations(sq.sample_administrations())


@pytest.fixture(scope="module")
def sample(coded: sq.Coded) -> MinuteSummary:
    return minute_summary(coded, by=["payer"])


def test_amounts_by_hand() -> None:
    work = summary((60, 3), (91, 2), (15, 1), (91, 1, {"setup": True}))
    # 6 first hours, 3 further hours, 1 set-up, 1 short one
    assert money(expected(work, BASE)) == {
        "96369": Decimal("869.76"),
        "96370": Decimal("51.09"),
        "96371": Decimal("56.45"),
        "96372": Decimal("15.36"),
    }
    assert total_usd(work, BASE) == Decimal("992.66")
    hospital = expected(work, replace(BASE, setting="hospital"))
    assert money(hospital) == {
        "96369": Decimal("1303.86"),
        "96370": Decimal("143.52"),
        "96371": Decimal("0.00"),
        "96372": Decimal("73.56"),
    }


def test_home_without_terms_has_no_price_and_never_zero() -> None:
    cells = expected(summary((60, 3)), replace(BASE, setting="home"))
    assert cells.select("expected_usd", "units", "units_without_price").row(0) == (None, 3, 3)
    visits = contract(
        pl.DataFrame({"code": ["96369"], "method": ["per_diem"], "value": ["210"],
                      "start": ["2026-01-01"]}),
        name="home visits",
    )  # fmt: skip
    paid = expected(summary((60, 3)), replace(BASE, setting="home", home=visits))
    assert money(paid) == {"96369": Decimal("630.00")}


def test_the_baseline_is_the_sum_of_the_priced_lines(
    coded: sq.Coded, sample: MinuteSummary
) -> None:
    places = coded.facts.select("encounter_id", setting=pl.col("setting").cast(pl.String))
    lines = coded.lines.join(places, on="encounter_id").collect()
    hospital = pl.col("setting").is_in(["emergency", "clinic", "treatment_room"]).fill_null(False)
    home = (pl.col("setting") == "home").fill_null(False)
    terms = {"opps": hospital, Physician(place="office"): ~hospital & ~home}
    priced = pl.concat(
        price(lines.filter(here), schedule=schedule).select("code", "allowed_usd").collect()
        for schedule, here in terms.items()
    )
    by_line = dict(priced.group_by("code").agg(pl.col("allowed_usd").sum()).rows())
    assert money(expected(sample, Scenario("as charted"))) == by_line
    reported = dict(lines.group_by("code").agg(pl.col("units").sum()).rows())
    assert dict(expected(sample, Scenario("x")).select("code", "units").rows()) == reported


def test_the_summary_is_lossless_under_every_policy(coded: sq.Coded) -> None:
    for policy in (sq.Policy(seconds="count"), sq.Policy(unit_cap="unlikely_edit"),
                   sq.Policy(bridge_pauses_min=5)):  # fmt: skip
        other = sq.code_administrations(sq.sample_administrations(), policy=policy)
        reported = other.lines.group_by("code").agg(pl.col("units").sum()).collect()
        counted = expected(minute_summary(other), Scenario("x")).select("code", "units")
        assert dict(counted.rows()) == dict(reported.rows())


@pytest.mark.parametrize(
    ("change", "usd"),
    [
        ({}, "1449.60"),
        ({"denial_rate": 0.05}, "1377.12"),
        ({"denial_rate": 1.0}, "0.00"),
        ({"recovered_share": 0.5}, "1739.52"),  # 2 of 4 found: 12 × 144.96
        ({"recovered_share": 1.0, "denial_rate": 0.25}, "1522.08"),  # 14 × 144.96 × 0.75
        ({"shift_min": 30}, "1449.60"),  # 90 min: one short of a further hour
        ({"shift_min": 31}, "1619.90"),  # 91 min: 10 × 17.03 more
        ({"stretch": 1.5}, "1449.60"),
        ({"stretch": 1.52}, "1619.90"),  # 91.2 min
        ({"shift_min": -45}, "153.60"),  # 15 min: 10 × 15.36
        ({"shift_min": -59}, "153.60"),  # a minute is left
        ({"shift_min": -60}, "0.00"),  # nothing is left: no infusion, no unit
        ({"unit_cap": "unlikely_edit", "shift_min": 300}, "1960.50"),  # 3 of 5 further hours
        ({"unit_cap": "none", "shift_min": 300}, "2301.10"),
        ({"further_setup_share": 0.2}, "1562.50"),  # 2 × 56.45 more
        ({"setting": "hospital"}, "2173.10"),
        ({"on": date(2024, 3, 8)}, "1388.40"),
        ({"on": date(2024, 3, 9)}, "1411.40"),
        ({"office": Physician(place="office", apm=True)}, "1456.80"),
    ],
)
def test_one_changed_term(change: dict, usd: str) -> None:
    work = summary((60, 10), (None, 4, {"outcome": "query"}), (70, 9, {"outcome": "refer"}))
    assert total_usd(work, replace(BASE, **change)) == Decimal(usd)


def test_payers_pay_their_share_and_the_mix_can_move() -> None:
    work = summary((60, 6, {"payer": "A"}), (60, 4, {"payer": "B"}), by=("payer",))
    rates = replace(BASE, payer_rates=(("B", 0.5),))
    assert total_usd(work, rates) == Decimal("1159.68")  # (6 + 4 / 2) × 144.96
    moved = replace(rates, payer_mix=(("A", 0.2), ("B", 0.8)))
    assert total_usd(work, moved) == Decimal("869.76")  # (2 + 8 / 2) × 144.96
    apart = expected(work, rates, by=["payer"])
    assert dict(apart.select("payer", "expected_usd").rows()) == {
        "A": Decimal("869.76"),
        "B": Decimal("289.92"),
    }
    assert apart["units"].to_list() == [6.0, 4.0]  # what a payer pays takes no unit away
    assert total_usd(work, replace(BASE, payer_rates={"B": 0.5})) == Decimal("1159.68")
    only_mixed = replace(BASE, payer_mix=(("A", 0.2), ("B", 0.8)))
    assert expected(work, only_mixed, by=["payer"])["units"].to_list() == [2.0, 8.0]


def test_comparison_and_bridge_add_up_to_the_cent(sample: MinuteSummary) -> None:
    changed = replace(
        BASE, name="what if", denial_rate=0.037, recovered_share=0.33, shift_min=3,
        stretch=1.01, further_setup_share=0.07, hospital=Outpatient(0.8187),
        payer_rates=(("Medicaid", 0.61),),
    )  # fmt: skip
    table = compare(sample, [BASE, changed])
    for name, cells in table.group_by("scenario"):
        total = cells.filter(pl.col("code") == "total")
        for column in ("expected_usd", "difference_usd"):
            parts = cells.filter(pl.col("code") != "total")[column].sum()
            assert parts == total[column].item(), (name, column)
    steps = bridge(sample, BASE, changed)
    assert steps["step"].to_list()[0] == "base"
    assert steps["step"].to_list()[-1] == "what if"
    assert steps["total_usd"][0] + steps["change_usd"].sum() == steps["total_usd"][-1]
    difference = table.filter(pl.col("code") == "total")["difference_usd"].to_list()[1]
    assert steps["change_usd"].sum() == difference
    assert set(steps["step"][1:-1]) == set(BASE.differences(changed))


def test_no_change_is_the_baseline_to_the_cent(sample: MinuteSummary) -> None:
    table = compare(sample, [BASE, replace(BASE, name="same")])
    assert table["difference_usd"].abs().max() == 0
    assert bridge(sample, BASE, replace(BASE, name="same")).height == 2


def test_groups_add_up(sample: MinuteSummary) -> None:
    whole = money(expected(sample, BASE))
    apart = expected(sample, BASE, by=["payer", "place"])
    assert dict(apart.group_by("code").agg(pl.col("expected_usd").sum()).rows()) == whole


@given(
    st.lists(
        st.tuples(st.integers(0, 900), st.integers(1, 50), st.booleans(),
                  st.sampled_from(["office", "hospital", "not_stated"])),
        min_size=1, max_size=8,
    ),
    st.sampled_from([0.0, 0.1, 0.33]),
    st.integers(-30, 30),
)  # fmt: skip
def test_against_counting_claim_by_claim(rows: list, denial: float, shift: int) -> None:
    """Every encounter as a claim of its own, priced by ``price``, summed in plain Python."""
    work = summary(*((m, n, {"setup": s, "place": p}) for m, n, s, p in rows))
    scenario = replace(BASE, denial_rate=denial, shift_min=shift)
    cents: dict[str, int] = {}
    for minutes, n, setup, place in rows:
        ran = max(minutes + shift, 0)
        if not ran and minutes:
            continue
        hours = max(0, (ran - 31) // 60)
        units = {"96372": 1} if ran < 16 else {"96369": 1, "96370": hours, "96371": int(setup)}
        claim = [(code, count) for code, count in units.items() if count]
        frame = pl.DataFrame(claim, schema=["code", "units"], orient="row").with_columns(
            encounter_id=pl.lit("1"), service_date=pl.lit(SPRING)
        )
        schedule = "opps" if place == "hospital" else "mpfs"
        for row in price(frame, schedule=schedule).collect().iter_rows(named=True):
            cents[row["code"]] = cents.get(row["code"], 0) + int(row["allowed_usd"] * 100) * n
    paid = Decimal(str(1 - denial))
    wanted = {
        code: (sum_ * paid / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
        for code, sum_ in cents.items()
    }
    assert money(expected(work, scenario)) == wanted


def test_a_rate_card_names_arithmetic_and_source() -> None:
    card = rate_card(BASE, (SPRING,), 2)
    row = card.filter(place="office", role="further_hour", units=2).row(0, named=True)
    assert (row["cents"], row["code"], row["status"]) == (3406, "96370", "paid")
    assert "× 33.4009" in row["basis"]
    assert "http" in row["cite"]


# ---------------------------------------------------------------- how sure


def test_a_simulation_is_right_on_average_and_repeatable(sample: MinuteSummary) -> None:
    scenario = replace(BASE, denial_rate=0.1, recovered_share=0.4)
    one = simulate(sample, scenario, seed=7)
    assert abs(one.mean_usd - one.exact_usd) < 4 * one.standard_error_usd
    assert one.totals_usd.tobytes() == simulate(sample, scenario, seed=7).totals_usd.tobytes()
    assert one.totals_usd.tobytes() != simulate(sample, scenario, seed=8).totals_usd.tobytes()
    percentiles = one.percentiles()
    assert percentiles["total_usd"].is_sorted()
    assert percentiles["total_usd"][0] < one.exact_usd < percentiles["total_usd"][-1]


def test_a_rate_seen_on_few_cases_widens_the_interval(sample: MinuteSummary) -> None:
    scenario = replace(BASE, denial_rate=0.1)
    widths = []
    for seen in (None, (100, 1000), (1, 10)):
        table = simulate(sample, scenario, seed=3, denials_seen=seen).percentiles()
        widths.append(table["total_usd"][-1] - table["total_usd"][0])
    assert widths[0] < widths[1] < widths[2]


def test_intervals_from_twenty_encounters_are_honest() -> None:
    """Twenty encounters of a known population: 95 % intervals hold its mean about that often."""
    random, minutes = np.random.default_rng(11), [10, 60, 60, 95, 95, 150, 160, 220, 300, 480]
    truth = float(total_usd(summary(*((m, 1) for m in minutes)), BASE)) / len(minutes) * 20
    held, trials = 0, 150
    for trial in range(trials):
        drawn = random.choice(minutes, 20)
        work = summary(*((int(m), 1) for m in drawn))
        totals = simulate(work, BASE, seed=trial, draws=600).totals_usd
        low, high = np.percentile(totals, [2.5, 97.5])
        held += low <= truth <= high
    assert held / trials > 0.9


def test_one_encounter_or_none() -> None:
    alone = simulate(summary((60, 1)), BASE, seed=1, draws=50)
    assert set(alone.totals_usd) == {144.96}
    with pytest.raises(sq.InputError, match="There is no coded encounter to resample"):
        simulate(summary((None, 4, {"outcome": "query"})), BASE, seed=1)


def test_a_tornado_is_sorted_by_spread() -> None:
    table = tornado(summary((60, 10)), BASE, {"denial_rate": (0.0, 0.1), "shift_min": (0, 31)})
    assert table.select("term", "low_usd", "high_usd", "spread_usd").rows() == [
        ("shift_min", 1449.6, 1619.9, pytest.approx(170.3)),
        ("denial_rate", 1449.6, 1304.64, pytest.approx(144.96)),
    ]


# ---------------------------------------------------------------- what charting is worth


def test_charting_error_by_hand() -> None:
    table = charting_error(summary((88, 2), (150, 1), (60, 5)), BASE, within_min=3)
    # +1: the 150 gains an hour; +3: both 88 as well; nothing is lost down to -3
    assert table["error_min"].to_list() == [-3, -2, -1, 0, 1, 2, 3]
    assert table["units_difference"].to_list() == [0, 0, 0, 0, 1, 1, 3]
    usd = [Decimal("0.00")] * 4 + [Decimal("17.03"), Decimal("17.03"), Decimal("51.09")]
    assert table["difference_usd"].to_list() == usd


def test_charting_error_starts_at_the_total_of_the_comparison(sample: MinuteSummary) -> None:
    assert sample.counts.filter(pl.col("outcome") == "coded", pl.col("minutes").is_null()).height
    table = charting_error(sample, BASE, within_min=2)
    at_none = table.filter(pl.col("error_min") == 0).row(0, named=True)
    assert at_none["expected_usd"] == total_usd(sample, BASE)


def test_encounters_near_a_step() -> None:
    work = summary((85, 1), (86, 2), (90, 4), (91, 8), (95, 16), (96, 32), (15, 3), (16, 5))
    table = near_steps(work, within_min=5)
    assert table.rows() == [(16, 3, 5), (91, 6, 24)]


def test_the_value_of_a_missing_stop() -> None:
    work = summary(
        (60, 4), (91, 4), (None, 2, {"outcome": "query"}),
        (None, 3, {"outcome": "query", "place": "home"}),
    )  # fmt: skip
    table = missing_stop_value(work, BASE)
    assert table.rows() == [
        ("home", 3, None, None),
        ("office", 2, Decimal("153.48"), Decimal("306.95")),  # 144.96 + 17.03 / 2
    ]


def test_break_even_by_hand() -> None:
    costs = {"chair_usd_per_h": 30, "nurse_usd_per_h": 50, "setup_usd": 14.96, "fixed_usd": 1000}
    row = break_even(summary((60, 10)), BASE, **costs).row(0, named=True)
    # 144.96 - 1 h × 80 - 14.96 = 50; 1000 / 50
    assert (row["margin_usd"], row["break_even_encounters"]) == (50.0, 20)
    work = summary((60, 10), (None, 10, {"outcome": "query"}))
    assert break_even(work, replace(BASE, recovered_share=1), **costs).row(0, named=True) == row
    dear = break_even(summary((60, 10)), BASE, **costs | {"nurse_usd_per_h": 500})
    assert dear["break_even_encounters"].item() is None


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"denial_rate": 5}, r"denial_rate is a share from 0 to 1\. For 5 percent write 0\.05"),
        ({"denial_rate": 150}, r"denial_rate is a share from 0 to 1\.$"),
        ({"recovered_share": -0.1}, "recovered_share is a share from 0 to 1"),
        ({"setting": "hospitl"}, "Did you mean 'hospital'"),
        ({"payer_mix": (("A", 0.5), ("B", 0.4))}, "'payer_mix' must add up to 1"),
        ({"payer_rates": (("A", 80),)}, r"payer 'A' is a share .* For 80 percent write 0\.8"),
        ({"stretch": 0}, "'stretch' is a factor above 0"),
        ({"shift_min": 2000}, "'shift_min' is at most a day"),
    ],
)
def test_terms_that_cannot_be_meant(change: dict, message: str) -> None:
    with pytest.raises(sq.InputError, match=rf"Scenario 'x': .*{message}"):
        Scenario("x", **change)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda s: compare(s, []), "at least one scenario"),
        (lambda s: compare(s, [BASE, BASE]), "each with a name of its own"),
        (lambda s: expected(s, BASE, by=["payer"]), r"keeps no column 'payer' apart\. Make it"),
        (lambda s: total_usd(s, replace(BASE, payer_rates=(("A", 1),))), "not keep them apart"),
        (lambda s: tornado(s, BASE, {"denials": (0, 1)}), "has no term 'denials'"),
        (lambda s: total_usd(s, replace(BASE, setting="home")), "no price is known for any of its"),
        (lambda s: bridge(s, BASE, replace(BASE, setting="home")), "no price is known for any of"),
        (lambda s: simulate(s, replace(BASE, setting="home"), seed=1), "State the terms"),
        (lambda s: charting_error(s, BASE, within_min=0), "whole number of minutes from 1 to 120"),
        (lambda s: near_steps(s, within_min=200), "whole number of minutes from 1 to 120"),
        (lambda s: simulate(s, BASE, seed=1, draws=0), "'draws' is a whole number from 1 to"),
        (lambda s: simulate(s, BASE, seed=1, denials_seen=(5, 3)), "pair of events and cases"),
        (lambda s: break_even(s, BASE, chair_usd_per_h=-1, nurse_usd_per_h=0, setup_usd=0,
                              fixed_usd=0), "'chair_usd_per_h' is a number, zero or more"),
        (lambda _s: MinuteSummary(pl.DataFrame({"minutes": [1]})), "has no column 'period'"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused(ask: object, message: str) -> None:
    with pytest.raises(sq.InputError, match=message):
        ask(summary((60, 1)))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"setting": "hospital"},
        {"setting": "office"},
        {"stretch": 0.5},
        {"shift_min": -30},
        {"shift_min": 20, "recovered_share": 0.7, "payer_rates": {"Medicaid": 0.6}},
    ],
)
def test_simulation_is_about_the_exact_value_of_all_encounters(
    sample: MinuteSummary, change: dict
) -> None:
    made = simulate(sample, replace(BASE, **change), seed=7, draws=4_000)
    coded = pl.col("outcome") == "coded"
    timed = sample.counts.filter(coded, pl.col("minutes").is_not_null())
    assert made.encounters == timed["encounters"].sum()
    assert abs(made.mean_usd - made.exact_usd) < 4 * made.standard_error_usd


def test_an_encounter_without_a_price_is_in_no_mean() -> None:
    waits = (None, 2, {"outcome": "query"})
    work = summary(
        (60, 10), (60, 30, {"place": "home"}), waits, (None, 1, waits[2] | {"place": "home"})
    )
    costs = {"chair_usd_per_h": 30, "nurse_usd_per_h": 50, "setup_usd": 14.96, "fixed_usd": 1000}
    row = break_even(work, BASE, **costs).row(0, named=True)
    assert (row["encounters"], row["encounters_without_price"]) == (10, 30)
    assert (row["payment_usd"], row["break_even_encounters"]) == (144.96, 20)
    assert missing_stop_value(work, BASE).rows() == [
        ("home", 1, None, None),
        ("office", 2, Decimal("144.96"), Decimal("289.92")),
    ]
    with pytest.raises(sq.InputError, match="no encounter has a price for each of its codes"):
        break_even(work, replace(BASE, setting="home"), **costs)


def test_costs_are_those_of_the_payers_that_are_counted() -> None:
    work = summary((60, 10, {"payer": "A"}), (120, 10, {"payer": "B"}), by=("payer",))
    costs = {"chair_usd_per_h": 30, "nurse_usd_per_h": 50, "setup_usd": 0, "fixed_usd": 0}
    only = break_even(work, replace(BASE, payer_mix={"B": 1.0}), **costs).row(0, named=True)
    assert only["hours_per_encounter"] == pytest.approx(2.0)
    assert only["payment_usd"] == 161.99  # 144.96 + 17.03


def test_another_policy_is_a_term_like_any_other() -> None:
    """Seconds counted: 90 min and a second are more than 90, and earn a further hour."""
    runs = pl.DataFrame(
        {
            "encounter_id": ["1"],
            "start_at": [datetime(2026, 3, 2, 9, 0, 0)],
            "stop_at": [datetime(2026, 3, 2, 10, 30, 1)],
            "route": ["subcutaneous"],
            "setting": ["physician_office"],
        }
    )
    usual, counted = (
        minute_summary(sq.code_administrations(runs, policy=sq.Policy(seconds=answer)))
        for answer in ("drop", "count")
    )
    other = replace(BASE, name="seconds count", work=counted)
    assert total_usd(usual, BASE) == Decimal("144.96")
    assert total_usd(usual, other) == Decimal("161.99")  # + 17.03
    assert bridge(usual, BASE, other)["step"].to_list() == ["base", "work", "seconds count"]
    assert compare(usual, [BASE, other])["expected_usd"][-1] == Decimal("161.99")
    assert simulate(usual, other, seed=1).exact_usd == 161.99
    errors = charting_error(usual, other, within_min=1)
    assert errors.filter(error_min=0)["expected_usd"].item() == Decimal("161.99")
    with pytest.raises(sq.InputError, match="'work' is MinuteSummary or left out"):
        Scenario("x", work=usual.counts)


def test_a_bridge_says_where_prices_are_lost() -> None:
    contracts = contract(
        pl.DataFrame(
            {"code": ["96369"], "method": ["amount"], "value": [100.0], "start": [SPRING]}
        ),
        name="first hours only",
    )
    end = replace(BASE, name="contract", office=contracts)
    steps = bridge(summary((91, 10)), BASE, end)
    # 10 × (144.96 + 17.03); under the contract 10 × 100 and ten further hours without a price
    assert steps.rows() == [
        ("base", None, Decimal("1619.90"), 0.0),
        ("office", Decimal("-619.90"), Decimal("1000.00"), 10.0),
        ("contract", None, Decimal("1000.00"), 10.0),
    ]


def test_differences_add_up_where_a_code_goes_and_are_null_where_none_is_known() -> None:
    work = summary((10, 5), (60, 10))
    table = compare(work, [BASE, replace(BASE, name="longer", shift_min=10)])
    longer = table.filter(scenario="longer")
    assert longer.select("code", "units", "difference_usd").rows() == [
        ("96369", 15.0, Decimal("724.80")),
        ("96372", 0.0, Decimal("-76.80")),
        ("total", 15.0, Decimal("648.00")),
    ]
    home = replace(BASE, name="home", setting="home")
    against = compare(work, [home, BASE]).filter(scenario="base")
    assert against["difference_usd"].to_list() == [None] * 3


def test_a_hospital_contract_is_no_share_of_what_pays_a_hospital_nothing() -> None:
    rows = {"code": ["96369"], "method": ["share_of_medicare"], "value": [1.3], "start": [SPRING]}
    with pytest.raises(sq.InputError, match=r"Make it with contract\(\.\.\., medicare=Outpatient"):
        replace(BASE, hospital=contract(pl.DataFrame(rows), name="x"))
    fits = contract(pl.DataFrame(rows), name="x", medicare=Outpatient())
    work = summary((60, 1, {"place": "hospital"}))
    assert total_usd(work, replace(BASE, hospital=fits)) == Decimal("282.50")  # 1.3 × 217.31


def test_a_case_rate_must_be_on_a_code_that_every_encounter_has() -> None:
    rows = {"code": ["96370"], "method": ["case_rate"], "value": [400.0], "start": [SPRING]}
    with pytest.raises(sq.InputError, match="cannot count a case rate on 96370"):
        total_usd(summary((91, 1)), replace(BASE, office=contract(pl.DataFrame(rows), name="x")))


def test_steps_beyond_the_edit_are_no_steps_under_a_cap() -> None:
    work = summary((90, 1), (270, 1), (330, 1))
    capped = MinuteSummary(work.counts, (), sq.Policy(unit_cap="unlikely_edit"))
    assert near_steps(work)["step_min"].to_list() == [91, 271, 331]
    assert near_steps(capped)["step_min"].to_list() == [91]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda s: compare(s.counts, [BASE]), "Hand in what minute_summary"),
        (lambda s: near_steps(s.counts), "Hand in what minute_summary"),
        (lambda s: compare(s, ["base"]), r"Terms are a Scenario\(name, \.\.\.\)"),
        (lambda s: minute_summary(s), "Hand in what code_administrations returned"),
        (lambda s: simulate(s, BASE, seed="a"), "'seed' is a whole number, zero or more"),
        (lambda s: simulate(s, BASE, seed=1, draws=1.5), "'draws' is a whole number"),
        (lambda s: simulate(s, BASE, seed=1, denials_seen=0.1), "pair of whole numbers"),
        (lambda s: tornado(s, BASE, {"denial_rate": 0.1}), "'denial_rate' is a pair"),
        (lambda s: tornado(s, BASE, {"differences": (0, 1)}), "no term 'differences'"),
        (lambda _s: Scenario("x", stretch="1.1"), "'stretch' is a plain number"),
        (lambda _s: Scenario("x", shift_min=None), "'shift_min' is a plain number"),
        (lambda _s: Scenario("x", on=datetime(2026, 3, 2)), "'on' is a date"),
        (lambda _s: Scenario("x", on="2026-03-02"), "'on' is a date"),
        (lambda _s: Scenario("x", unit_cap="three"), "'unit_cap' is one of"),
        (lambda _s: Scenario("x", hospital=Physician()), "'hospital' is Outpatient or Contract"),
        (lambda _s: Scenario("x", payer_mix=(("M", 0.5), ("M", 0.5))), "names a payer twice"),
        (lambda _s: Scenario("x", payer_rates="M"), "'payer_rates' is a mapping"),
    ],
)
def test_what_is_handed_in_by_mistake(ask: object, message: str) -> None:
    with pytest.raises(sq.InputError, match=message):
        ask(summary((60, 1)))


def test_columns_that_the_summary_has_already_are_refused(coded: sq.Coded) -> None:
    for by in (["outcome"], ["encounter_id"], ["payer", "payer"]):
        with pytest.raises(sq.InputError, match="cannot be kept apart"):
            minute_summary(coded, by=by)
    assert minute_summary(coded, by="payer").by == ("payer",)


def test_work_without_a_coded_encounter() -> None:
    waits = summary((None, 3, {"outcome": "query"}))
    with pytest.raises(sq.InputError, match="no coded encounter to shift"):
        charting_error(waits, BASE)


def test_a_missing_price_is_no_zero() -> None:
    work = summary((60, 10), (60, 5, {"place": "home"}))
    table = compare(work, [BASE, replace(BASE, name="home", setting="home")])
    total = table.filter(pl.col("code") == "total").select("expected_usd", "difference_usd")
    assert total.rows() == [(Decimal("1449.60"), Decimal("0.00")), (None, None)]
    errors = charting_error(work, replace(BASE, setting="home"), within_min=1)
    assert errors["expected_usd"].to_list() == [None] * 3
    assert total_usd(summary((None, 3, {"outcome": "query"})), BASE) == 0


def test_an_unknown_group_or_payer_is_named(coded: sq.Coded, sample: MinuteSummary) -> None:
    with pytest.raises(sq.InputError, match=r"no column 'ward'\. They have encounter_id"):
        minute_summary(coded, by=["ward"])
    with pytest.raises(sq.InputError, match="no encounter has the payer 'Nobody'"):
        total_usd(sample, replace(BASE, payer_rates=(("Nobody", 0.5),)))


def test_groups_made_of_days_and_clock_times() -> None:
    runs = pl.DataFrame(
        {
            "encounter_id": ["quarter", "five", "minute", "no stop"],
            "start_at": [datetime(2026, 3, 1, 9, 15), datetime(2026, 3, 2, 9, 5),
                         datetime(2026, 3, 31, 9, 1), datetime(2026, 4, 1, 9)],
            "stop_at": [datetime(2026, 3, 1, 10, 45), datetime(2026, 3, 2, 10, 0),
                        datetime(2026, 3, 31, 10, 15), None],
        }
    )  # fmt: skip
    work = minute_summary(sq.code_administrations(runs), by=["month", "week", "rounding", "pumps"])
    seen = {row["rounding"]: row for row in work.counts.rows(named=True) if row["minutes"]}
    assert {name: row["minutes"] for name, row in seen.items()} == {
        "15 min": 90, "5 min": 55, "1 min": 74,
    }  # fmt: skip
    assert {row["month"] for row in seen.values()} == {date(2026, 3, 1)}
    # Weeks begin on Monday: March 1, 2026 is a Sunday.
    assert seen["15 min"]["week"] == date(2026, 2, 23)
    assert seen["5 min"]["week"] == date(2026, 3, 2)
    query = work.counts.filter(pl.col("outcome") == "query").row(0, named=True)
    assert (query["month"], query["rounding"]) == (date(2026, 4, 1), "1 min")


def test_fewer_groups_are_the_same_encounters(coded: sq.Coded) -> None:
    many = minute_summary(coded, by=["payer", "department", "units_96370"])
    few = many.only("payer")
    assert few.counts.equals(minute_summary(coded, by=["payer"]).counts)
    assert few is many.only("payer")
    with pytest.raises(sq.InputError, match="keeps no column 'therapy' apart"):
        few.only("therapy")
