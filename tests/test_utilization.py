"""Where units come from and where they are lost: hand counts, slow oracles, the sample."""

from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from functools import cache
from itertools import permutations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import subq_toolkit as sq
from subq_toolkit import units as unit_rules
from subq_toolkit.effective import Parameter, sources
from subq_toolkit.policy import CHOICES
from subq_toolkit.scenarios import MinuteSummary, Scenario, expected, minute_summary
from subq_toolkit.utilization import (
    CODES,
    FACTORS,
    STAGES,
    answers_to_try,
    documentation_funnel,
    further_hour_ladder,
    moved_steps,
    policy_effects,
    steps_in_effect,
    unit_changes,
    units_per_encounter,
)

SPRING = date(2026, 3, 2)
#: The rules as an auditor would read them: one first hour from 16 min, further hours at 91, 151
#: and so on, the unlikely edit of 3.
FIRST_MIN, PAST_MIN, EDIT = 16, 30, 3
CODE_NAMES = ("96369", "96370", "96371", "96372")


def summary(*rows: tuple, by: tuple[str, ...] = (), policy: sq.Policy | None = None):
    """Rows of (minutes, encounters) or (minutes, encounters, changes), coded, in an office."""
    usual = {"period": SPRING, "setup": False, "outcome": "coded", "place": "office"}
    counts = [
        usual | {"minutes": minutes, "encounters": n} | (more[0] if more else {})
        for minutes, n, *more in rows
    ]
    schema = {"minutes": pl.Int64, "encounters": pl.Int64}
    frame = pl.DataFrame(counts, schema_overrides=schema, infer_schema_length=None)
    return MinuteSummary(frame, by, policy or sq.Policy())


def empty_summary(*by: str) -> MinuteSummary:
    return MinuteSummary(summary((60, 1, dict.fromkeys(by, "x")), by=by).counts.clear(), by)


@cache
def sample(policy: sq.Policy | None = None) -> sq.Coded:
    return sq.code_administrations(sq.sample_administrations(), policy=policy)


@cache
def sample_summary() -> MinuteSummary:
    return minute_summary(sample(), by=["month", "payer", "department"])


def units_of(
    minutes: int,
    setup: bool,
    *,
    first_min: int = FIRST_MIN,
    past_min: int = PAST_MIN,
    cap: int | None = None,
) -> dict[str, int]:
    """Units of one encounter, minute by minute: an oracle that shares nothing with the code."""
    if minutes < first_min:
        return dict(zip(CODE_NAMES, (0, 0, 0, 1), strict=True))
    further = sum(minutes > 60 * hour + past_min for hour in range(1, minutes // 60 + 2))
    further = further if cap is None else min(further, cap)
    return dict(zip(CODE_NAMES, (1, further, int(setup), 0), strict=True))


# Units of an encounter


def test_units_on_both_sides_of_every_step_by_hand() -> None:
    work = summary(
        (0, 1), (15, 2), (16, 3), (90, 4), (91, 5), (150, 6), (151, 7), (211, 8, {"setup": True})
    )
    # first hours 3+4+5+6+7+8 = 33; further 5+6 + 2*7 + 3*8 = 49; set-ups 8; short 1+2 = 3
    table = units_per_encounter(work)
    assert table.columns == [
        "group", "code", "encounters", "units", "mean_units", "with_units", "share_with"
    ]  # fmt: skip
    assert table["group"].unique().to_list() == ["all"]
    assert table.select("code", "encounters", "units", "with_units").rows() == [
        ("96369", 36, 33, 33),
        ("96370", 36, 49, 26),
        ("96371", 36, 8, 8),
        ("96372", 36, 3, 3),
    ]
    further = table.row(1, named=True)
    assert further["mean_units"] == pytest.approx(49 / 36, abs=1e-9)
    assert further["share_with"] == pytest.approx(26 / 36, abs=1e-9)


def test_a_short_infusion_has_no_set_up_and_what_waits_has_no_unit() -> None:
    work = summary(
        (10, 2, {"setup": True}),
        (200, 5, {"outcome": "refer"}),
        (None, 7, {"outcome": "query"}),
        (None, 3),
    )
    assert units_per_encounter(work).select("encounters", "units").rows() == [
        (2, 0), (2, 0), (2, 0), (2, 2)
    ]  # fmt: skip


def test_groups_are_sorted_those_without_a_name_last_and_those_without_coded_work_shown() -> None:
    work = summary(
        (60, 1, {"payer": None}),
        (91, 2, {"payer": "b"}),
        (60, 2, {"payer": "b"}),
        (None, 4, {"payer": "a", "outcome": "query"}),
        by=("payer",),
    )
    table = units_per_encounter(work, "payer")
    assert table["group"].to_list() == ["a"] * 4 + ["b"] * 4 + [None] * 4
    waiting, coded = (table.filter(group=name).row(1, named=True) for name in "ab")
    assert (waiting["encounters"], waiting["units"]) == (0, 0)
    assert waiting["mean_units"] is waiting["share_with"] is None
    assert (coded["units"], coded["mean_units"], coded["share_with"]) == (2, 0.5, 0.5)
    by_place = units_per_encounter(work, "place")
    assert by_place["group"].unique().to_list() == ["office"]


def test_nothing_counted_gives_no_rows() -> None:
    assert units_per_encounter(empty_summary()).is_empty()
    assert units_per_encounter(empty_summary("payer"), "payer").is_empty()
    assert further_hour_ladder(empty_summary()).is_empty()
    assert unit_changes(
        MinuteSummary(months((SPRING, 60, 1)).counts.clear(), ("month",))
    ).is_empty()
    assert moved_steps(empty_summary())["units_by_rule"].to_list() == [0] * 5


POLICIES = [
    sq.Policy(),
    *(
        sq.Policy(**{name: answer})
        for name, choice in CHOICES.items()
        for answer in choice["answers"]
        if answer != choice["default"]
    ),
    sq.Policy(bridge_pauses_min=15),
    sq.Policy(seconds="count", missing_stop="short", unit_cap="unlikely_edit"),
]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda one: str(sq.policy.differences(one)))
def test_units_agree_with_the_coded_encounters_under_every_policy(policy: sq.Policy) -> None:
    coded = sample(policy)
    names = [f"units_{code}" for code in CODE_NAMES]
    encounters = coded.encounters.select("payer", "outcome", *names).collect()
    table = units_per_encounter(minute_summary(coded, by=["payer"]), "payer")
    for payer, reported in encounters.group_by("payer"):
        own = table.filter(pl.col("group").eq_missing(pl.lit(payer[0], pl.String)))
        assert own["units"].to_list() == [reported[name].sum() for name in names]
        above = [int((reported[name] > 0).sum()) for name in names]
        assert own["with_units"].to_list() == above
    ladder = further_hour_ladder(minute_summary(coded))
    of_coded = encounters.filter(outcome="coded")["units_96370"].to_list()
    none = coded.facts.filter(pl.col("outcome") == "coded", pl.col("_runs") == 0).collect().height
    counted = {units: of_coded.count(units) for units in set(of_coded)}
    counted[0] -= none
    assert dict(ladder.select("units", "encounters").rows()) == counted


def test_expected_units_of_scenarios_are_these() -> None:
    cells = expected(sample_summary(), Scenario("x")).select("code", "units").rows()
    table = units_per_encounter(sample_summary())
    assert {code: round(units) for code, units in cells} == dict(table["code", "units"].rows())


# The ladder


def test_the_ladder_by_hand() -> None:
    work = summary((60, 5), (91, 3), (211, 2), (270, 1), (271, 4), (391, 1))
    # 211 and 270 min earn 3 further hours, 271 earn 4, 391 earn 6
    table = further_hour_ladder(work)
    assert table.select("units", "encounters", "above_edit").rows() == [
        (0, 5, 0), (1, 3, 0), (3, 3, 0), (4, 4, 4), (6, 1, 1)
    ]  # fmt: skip
    assert table["share"].to_list() == [0.3125, 0.1875, 0.1875, 0.25, 0.0625]
    assert table["unlikely_edit"].unique().to_list() == [3]
    assert table["edit_standing"].unique().to_list() == ["inferred"]
    capped = further_hour_ladder(replace(work, policy=sq.Policy(unit_cap="unlikely_edit")))
    assert capped.select("units", "encounters", "above_edit").rows() == [
        (0, 5, 0), (1, 3, 0), (3, 8, 0)
    ]  # fmt: skip


def test_the_edit_is_that_of_the_day_and_its_standings_are_told() -> None:
    days = [date(2024, 1, 1), date(2024, 7, 1), date(2026, 1, 1)]
    told = {
        1: "unverified",
        2: "sourced, unverified",
        3: "sourced, inferred, unverified",
    }
    for n, standing in told.items():
        work = summary(*((271, 1, {"period": day}) for day in days[:n]))
        table = further_hour_ladder(work)
        assert table["edit_standing"].to_list() == [standing]


def test_above_the_edit_is_judged_on_each_day(monkeypatch: pytest.MonkeyPatch) -> None:
    edit = unit_rules.EDITS["further_hour"]
    late = replace(edit.values[-1], start=date(2026, 1, 1), value=4)
    early = replace(edit.values[-1], start=date(2020, 1, 1), until=date(2025, 12, 31))
    both = Parameter(edit.name, edit.label, edit.unit, (early, late))
    monkeypatch.setitem(unit_rules.EDITS, "further_hour", both)
    work = summary((271, 2, {"period": date(2025, 1, 1)}), (271, 5, {"period": date(2026, 1, 1)}))
    assert further_hour_ladder(work).select("units", "encounters", "unlikely_edit", "above_edit"
                                            ).rows() == [(4, 7, 4, 2)]  # fmt: skip
    assert early.source in sources().values()


# What if the steps were elsewhere


def test_moved_steps_by_hand() -> None:
    work = summary((15, 1), (16, 2), (20, 4), (80, 8), (91, 16, {"setup": True}), (271, 32))
    # By rule: first 62, further 16 + 4*32 = 144, set-up 16, short 1.
    moved = moved_steps(work, at_least_min=21, more_than_min=15)
    # First hour from 21 min: 16 and 20 min become short. Past 15 min: 80 min earn 1, 91 earn 1,
    # 271 min earn 4 (the fifth from 316).
    assert moved.columns == [
        "code", "units_by_rule", "units_moved", "difference", "encounters", "changed"
    ]  # fmt: skip
    assert moved.rows() == [
        ("96369", 62, 56, -6, 63, 6),
        ("96370", 144, 152, 8, 63, 8),
        ("96371", 16, 16, 0, 63, 0),
        ("96372", 1, 7, 6, 63, 6),
        ("total", 223, 231, 8, 63, 14),
    ]
    capped = moved_steps(work, unit_cap=2)
    assert capped.row(1) == ("96370", 144, 80, -64, 63, 32)
    edit = moved_steps(work, unit_cap="unlikely_edit")
    assert edit.row(1) == ("96370", 144, 112, -32, 63, 32)
    none = moved_steps(replace(work, policy=sq.Policy(unit_cap="unlikely_edit")), unit_cap="none")
    assert none.row(1) == ("96370", 112, 144, 32, 63, 32)


def test_a_further_hour_never_stands_without_a_first() -> None:
    moved = moved_steps(summary((100, 1, {"setup": True})), at_least_min=120, more_than_min=0)
    assert moved["units_moved"].to_list() == [0, 0, 0, 1, 1]


def test_the_rules_in_effect_move_nothing() -> None:
    steps = steps_in_effect(sample_summary())
    assert steps == {
        "at_least_min": 16, "more_than_min": 30, "unlikely_edit": 3, "unit_cap": "none"
    }  # fmt: skip
    del steps["unlikely_edit"]
    same = moved_steps(sample_summary(), **steps)
    assert same["difference"].to_list() == [0] * 5
    assert same["changed"].to_list() == [0] * 5
    assert steps_in_effect(empty_summary())["at_least_min"] == 16


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"at_least_min": 0}, r"'at_least_min' is a whole number from 1 to 120, not 0\."),
        ({"at_least_min": 121}, "'at_least_min' is a whole number from 1 to 120, not 121"),
        ({"at_least_min": 16.0}, "'at_least_min' is a whole number"),
        ({"at_least_min": True}, "'at_least_min' is a whole number"),
        ({"more_than_min": -1}, "'more_than_min' is a whole number from 0 to 59, not -1"),
        ({"more_than_min": 60}, "'more_than_min' is a whole number from 0 to 59, not 60"),
        ({"unit_cap": "edit"}, "'unit_cap' is 'none' or 'unlikely_edit', or the most further"),
        ({"unit_cap": -1}, "'unit_cap' is a whole number from 0"),
    ],
)
def test_steps_out_of_bounds_are_refused(wrong: dict, message: str) -> None:
    with pytest.raises(sq.InputError, match=message):
        moved_steps(summary((60, 1)), **wrong)


@pytest.mark.parametrize("right", [{"at_least_min": 1}, {"at_least_min": 120},
                                   {"more_than_min": 0}, {"more_than_min": 59}])  # fmt: skip
def test_steps_at_their_bounds_are_taken(right: dict) -> None:
    moved = moved_steps(summary((119, 1), (120, 1)), **right)
    by_hand = {
        ("at_least_min", 1): [2, 2, 0, 0],
        ("at_least_min", 120): [1, 1, 0, 1],
        ("more_than_min", 0): [2, 2, 0, 0],  # both earn the hour that 61 min begin
        ("more_than_min", 59): [2, 1, 0, 0],  # more than 119 min
    }
    assert moved["units_moved"].to_list()[:4] == by_hand[next(iter(right.items()))]


# From month to month


def months(*rows: tuple) -> MinuteSummary:
    """Rows of (month, minutes, encounters) or with an outcome."""
    return summary(
        *(
            (minutes, n, {"month": month, "outcome": outcome[0] if outcome else "coded"})
            for month, minutes, n, *outcome in rows
        ),
        by=("month",),
    )


JAN, FEB, MAR = (date(2026, month, 1) for month in (1, 2, 3))


def test_the_three_parts_by_hand() -> None:
    work = months(
        (JAN, 91, 8), (JAN, None, 2, "query"), (FEB, 151, 6), (FEB, 60, 6, "refer"), (JAN, None, 3)
    )
    # January: 10 encounters (the three without a run are none), 8 coded, 16 units: share 0.8,
    # 2 each. February: 12, 6 coded, 18 units: share 0.5, 3 each. Averaged over the six orders:
    # volume 2 * ((1.6 + 1.5)/3 + (2.4 + 1.0)/6) = 3.2,
    # documentation -0.3 * ((20 + 36)/3 + (30 + 24)/6) = -8.3,
    # duration 1 * ((8 + 6)/3 + (5 + 9.6)/6) = 7.1
    table = unit_changes(work)
    assert table.rows() == [
        (JAN, 10, 8, 16, None, None, None, None),
        (FEB, 12, 6, 18, 2, 3.2, -8.3, 7.1),
    ]
    first = unit_changes(work, code="96369")
    assert first.row(1)[3:5] == (6, -2)
    assert first.row(1)[7] == 0


def test_a_month_without_rows_is_a_matter_of_volume() -> None:
    table = unit_changes(months((JAN, 91, 4), (JAN, None, 1, "query"), (MAR, 60, 2)))
    assert table["month"].to_list() == [JAN, FEB, MAR]
    assert table.row(1) == (FEB, 0, 0, 0, -8, -8, 0, 0)
    assert table.row(2) == (MAR, 2, 2, 2, 2, 2, 0, 0)


def test_a_month_of_which_nothing_is_coded_is_volume_and_documentation() -> None:
    table = unit_changes(months((JAN, 91, 4), (FEB, None, 6, "query"), (MAR, None, 9, "query")))
    # From 4 encounters, all coded with 2 units, to 6 and none: each of the two factors first
    # in half of the orders: volume 2*2*(1 + 0)/2 = 2, documentation -1*2*(4 + 6)/2 = -10.
    assert table.row(1) == (FEB, 6, 0, 0, -8, 2, -10, 0)
    assert table.row(2) == (MAR, 9, 0, 0, 0, 0, 0, 0)


def test_encounters_without_a_date_are_in_no_month() -> None:
    work = months((JAN, 91, 4), (None, None, 5, "query"))
    assert unit_changes(work).rows() == [(JAN, 4, 4, 8, None, None, None, None)]


def test_the_sample_month_by_month() -> None:
    table = unit_changes(sample_summary())
    lines = sample().encounters.with_columns(month=pl.col("service_date").dt.truncate("1mo"))
    names = [f"units_{code}" for code in CODE_NAMES]
    reported = lines.group_by("month").agg(pl.sum_horizontal(names).sum()).collect()
    assert dict(table["month", "units"].rows()) == dict(reported.rows())
    rest = table.slice(1).with_columns(total=pl.sum_horizontal(FACTORS) - pl.col("change"))
    assert rest["total"].abs().max() < 1e-9


def test_months_are_needed_and_the_code_is_known() -> None:
    with pytest.raises(sq.InputError, match="keeps no 'month' of service"):
        unit_changes(summary((60, 1)))
    with pytest.raises(sq.InputError, match="rename a column of yours"):
        unit_changes(summary((60, 1, {"month": "January"}), by=("month",)))
    with pytest.raises(sq.InputError, match=r"'code' is one of '96369', .*, not '96365'"):
        unit_changes(sample_summary(), code="96365")


# Random summaries against a plain count

ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(0, 700), st.sampled_from([15, 16, 90, 91, 270, 271])),
        st.integers(1, 30),
        st.booleans(),
        st.sampled_from(["coded", "coded", "query", "refer"]),
        st.sampled_from(["a", "b", None]),
        st.integers(1, 5),
    ),
    min_size=1,
    max_size=12,
)


def random_summary(rows: list[tuple], cap: str) -> MinuteSummary:
    made = [
        (None if outcome == "query" else minutes, n,
         {"setup": setup, "outcome": outcome, "payer": payer, "month": date(2026, month, 1)})
        for minutes, n, setup, outcome, payer, month in rows
    ]  # fmt: skip
    return summary(*made, by=("payer", "month"), policy=sq.Policy(unit_cap=cap))


@given(rows=ROWS, cap=st.sampled_from(["none", "unlikely_edit"]))
def test_units_and_ladder_against_a_plain_count(rows: list[tuple], cap: str) -> None:
    work, most = random_summary(rows, cap), EDIT if cap == "unlikely_edit" else None
    units, ladder = units_per_encounter(work, "payer"), further_hour_ladder(work, "payer")
    for payer in ("a", "b", None):
        own = pl.col("group").eq_missing(pl.lit(payer, pl.String))
        coded = [
            (units_of(minutes, setup, cap=most), n)
            for minutes, n, setup, outcome, group, _ in rows
            if outcome == "coded" and minutes is not None and group == payer
        ]
        if not any(group == payer for *_, group, _ in rows):
            assert units.filter(own).is_empty()
            continue
        for code in CODE_NAMES:
            row = units.filter(own, code=code).row(0, named=True)
            assert row["encounters"] == sum(n for _, n in coded)
            assert row["units"] == sum(one[code] * n for one, n in coded)
            assert row["with_units"] == sum(n for one, n in coded if one[code])
        counted: dict[int, int] = {}
        for one, n in coded:
            counted[one["96370"]] = counted.get(one["96370"], 0) + n
        found = ladder.filter(own)
        assert found.select("units", "encounters").rows() == sorted(counted.items())
        above = {units: n for units, n in counted.items() if units > EDIT}
        assert found["above_edit"].sum() == sum(above.values())


@given(
    rows=ROWS,
    first=st.one_of(st.none(), st.integers(1, 120)),
    past=st.one_of(st.none(), st.integers(0, 59)),
    cap=st.one_of(st.none(), st.integers(0, 6)),
)
def test_moved_steps_against_a_plain_count(
    rows: list[tuple], first: int | None, past: int | None, cap: int | None
) -> None:
    moved = moved_steps(
        random_summary(rows, "none"), at_least_min=first, more_than_min=past, unit_cap=cap
    )
    coded = [
        (units_of(minutes, setup), n,
         units_of(minutes, setup, first_min=first or FIRST_MIN,
                  past_min=PAST_MIN if past is None else past, cap=cap))
        for minutes, n, setup, outcome, *_ in rows
        if outcome == "coded" and minutes is not None
    ]  # fmt: skip
    for code in CODE_NAMES:
        row = moved.filter(code=code).row(0, named=True)
        assert row["units_by_rule"] == sum(rule[code] * n for rule, n, _ in coded)
        assert row["units_moved"] == sum(other[code] * n for _, n, other in coded)
        assert row["difference"] == row["units_moved"] - row["units_by_rule"]
        assert row["changed"] == sum(n for rule, n, other in coded if rule[code] != other[code])
    assert moved["changed"][-1] == sum(n for rule, n, other in coded if rule != other)
    assert moved["difference"][-1] == moved["difference"][:4].sum()


def averaged(before: tuple[Fraction, ...], now: tuple[Fraction, ...]) -> list[Fraction]:
    """What each factor of a product does when it changes, averaged over all orders."""
    parts = [Fraction(0)] * 3
    for order in permutations(range(3)):
        held = list(before)
        for at in order:
            was = held[0] * held[1] * held[2]
            held[at] = now[at]
            parts[at] += held[0] * held[1] * held[2] - was
    return [part / 6 for part in parts]


@given(rows=ROWS)
def test_parts_of_a_change_against_the_six_orders(rows: list[tuple]) -> None:
    table = unit_changes(random_summary(rows, "none"))
    kept = [row for row in rows if row[3] != "coded" or row[0] is not None]
    if not kept:
        assert table.is_empty()
        return
    there = [row[5] for row in kept]
    found = []
    for month in range(min(there), max(there) + 1):
        own = [row for row in kept if row[5] == month]
        coded = [row for row in own if row[3] == "coded"]
        units = sum(n * sum(units_of(minutes, setup).values()) for minutes, n, setup, *_ in coded)
        found.append((sum(row[1] for row in own), sum(row[1] for row in coded), units))
    assert table.select("encounters", "coded", "units").rows() == found
    for at in range(1, len(found)):
        pair = found[at - 1], found[at]
        shares = [Fraction(c, n) if n else None for n, c, _ in pair]
        each = [Fraction(u, c) if c else None for _, c, u in pair]
        for both in (shares, each):
            both[0] = both[0] if both[0] is not None else both[1] or Fraction(0)
            both[1] = both[1] if both[1] is not None else both[0]
        before, now = ((Fraction(pair[k][0]), shares[k], each[k]) for k in (0, 1))
        row = table.row(at, named=True)
        told = [row[name] for name in FACTORS]
        assert told == pytest.approx([float(part) for part in averaged(before, now)], abs=2e-6)
        assert sum(told) == pytest.approx(row["change"], abs=1e-9)
        assert row["change"] == found[at][2] - found[at - 1][2]


# Where charted rows end


def administrations(*rows: dict) -> pl.DataFrame:
    start, stop = datetime(2026, 3, 2, 9), datetime(2026, 3, 2, 11)
    usual = {"start_at": start, "stop_at": stop, "route": "subcutaneous", "setting": "clinic"}
    return pl.DataFrame([usual | row for row in rows], infer_schema_length=None)


def test_the_funnel_by_hand() -> None:
    late = datetime(2026, 3, 2, 13)
    rows = administrations(
        {"encounter_id": "A"},
        {"encounter_id": "A", "route": "injection"},
        {"encounter_id": "B", "stop_at": None},
        {"encounter_id": "B", "start_at": None},
        {"encounter_id": "B", "start_at": late, "stop_at": datetime(2026, 3, 2, 14)},
        {"encounter_id": "C", "route": "intravenous"},
        {"encounter_id": "D", "start_at": late},
        {"encounter_id": "D", "start_at": late, "route": "by mouth"},
        {"encounter_id": "E", "setting": "home"},
        {"encounter_id": "E", "setting": "home"},
        {"encounter_id": None},
        {"encounter_id": "F", "stop_at": None, "setting": "home"},
    )
    coded = sq.code_administrations(rows, policy=sq.Policy(home="refer"))
    assert coded.reconcile() == {"rows_in": 12, "coded": 3, "query": 4, "refer": 1, "refused": 4}
    assert documentation_funnel(coded).rows() == [
        ("charted", None, 12, 6),
        ("refused", None, 4, 2),  # D twice, a copy of E, one without a name
        ("refused", "stop is not before start", 2, 1),
        ("refused", "encounter is named", 1, 0),
        ("refused", "route is known", 1, 1),  # the same row of D: a row may fail several
        ("refused", "row is not a copy of an earlier row", 1, 1),
        ("query", None, 4, 2),
        ("query", "missing_stop", 4, 2),  # B waits with all three of its rows
        ("query", "missing_start", 3, 1),
        ("refer", None, 1, 1),  # F would be referred as well, but waits
        ("refer", "home_setting", 1, 1),
        ("coded", None, 3, 2),
        ("coded", "beside_infusion", 1, 1),
        ("coded", "no_subcutaneous", 1, 1),
    ]


def test_which_findings_lead_away_follows_the_policy() -> None:
    rows = administrations({"encounter_id": "E", "setting": "home"})
    funnel = documentation_funnel(sq.code_administrations(rows))
    assert funnel.filter(pl.col("rows") > 0)["stage"].to_list() == ["charted", "coded"]


def test_the_funnel_of_the_sample_is_the_reconciliation() -> None:
    ended, funnel = sample().reconcile(), documentation_funnel(sample())
    stages = funnel.filter(pl.col("reason").is_null())
    assert stages["stage"].to_list() == list(STAGES)
    told = dict(stages["stage", "rows"].rows())
    assert told.pop("charted") == ended["rows_in"] == sum(told.values())
    assert told == {name: ended[name] for name in told}
    outcomes = sample().encounters.group_by("outcome").len().collect().rows()
    encounters = dict(stages["stage", "encounters"].rows())
    assert {name: encounters[name] for name, _ in outcomes} == dict(outcomes)
    failed = sample().refused.explode("failed").collect()["failed"].value_counts()
    refused = funnel.filter(pl.col("reason").is_not_null(), stage="refused")
    assert dict(refused["reason", "rows"].rows()) == dict(failed.rows())
    asked = sample().encounters.filter(pl.col("outcome") == "query").collect()["encounter_id"]
    listed = sample().findings.filter(pl.col("encounter_id").is_in(asked.implode())).collect()
    for reason, n in funnel.filter(pl.col("reason").is_not_null(), stage="query")[
        "reason", "encounters"
    ].rows():
        assert listed.filter(finding=reason).height == n


def test_the_funnel_of_no_rows() -> None:
    none = sq.code_administrations(administrations({"encounter_id": "A"}).clear())
    assert documentation_funnel(none)["rows"].to_list() == [0] * 5


# Other policies


def test_each_answer_is_as_if_coded_under_it() -> None:
    seen: list[tuple[int, int]] = []
    effects = policy_effects(sample(), progress=lambda done, of: seen.append((done, of)))
    assert seen == [(done, 10) for done in range(1, 11)]
    assert effects.height == 40
    names = [f"units_{code}" for code in CODE_NAMES]
    base = sample().encounters.collect()
    for (choice, answer), rows in effects.group_by("choice", "answer", maintain_order=True):
        kind = type(getattr(sq.Policy(), choice))
        other = sq.code_administrations(
            sq.sample_administrations(), policy=replace(sq.Policy(), **{choice: kind(answer)})
        ).encounters.collect()
        assert rows["code"].to_list() == list(CODE_NAMES)
        assert rows["in_force"].unique().to_list() == [str(getattr(sq.Policy(), choice))]
        assert rows["units"].to_list() == [other[name].sum() for name in names]
        assert rows["units_in_force"].to_list() == [base[name].sum() for name in names]
        assert (rows["units"] - rows["units_in_force"]).equals(rows["difference"])
        for outcome in ("coded", "query", "refer"):
            now, was = ((one["outcome"] == outcome).sum() for one in (other, base))
            assert rows[outcome].unique().to_list() == [now]
            assert rows[f"{outcome}_difference"].unique().to_list() == [now - was]
        both = zip(*(one.sort("encounter_id").select("outcome", *names).rows()
                     for one in (base, other)), strict=True)  # fmt: skip
        assert rows["changed"].unique().to_list() == [sum(one != two for one, two in both)]
    assert effects.filter("example")["answer"].unique().to_list() == ["5"]


def test_the_file_is_read_once() -> None:
    reads = []

    def counted(rows: pl.DataFrame) -> pl.DataFrame:
        reads.append(rows.height)
        return rows

    frame = sq.sample_administrations().head(50)
    watched = frame.lazy().map_batches(counted, schema=frame.lazy().collect_schema())
    policy_effects(sq.code_administrations(watched), choices=["home", "seconds", "unit_cap"])
    assert len(reads) == 1


def test_choices_may_be_named_or_given_answers() -> None:
    named = policy_effects(sample(), choices=["unit_cap", "home"])
    assert named["choice"].unique(maintain_order=True).to_list() == ["unit_cap", "home"]
    given_answers = {"bridge_pauses_min": [0, 5, 15], "unit_cap": "none"}
    tried = policy_effects(sample(), choices=given_answers)
    assert tried["answer"].unique(maintain_order=True).to_list() == ["5", "15"]
    assert tried["example"].all()
    assert policy_effects(sample(), choices=[]).is_empty()


def test_every_answer_that_is_not_in_force_is_tried() -> None:
    tried = answers_to_try(sq.Policy(missing_stop="short", bridge_pauses_min=10))
    assert tried["missing_stop"] == ["query", "computed"]
    assert tried["bridge_pauses_min"] == [0]
    assert list(tried) == sq.policy_choices()["choice"].unique(maintain_order=True).to_list()


def test_unknown_choices_and_answers_are_refused() -> None:
    with pytest.raises(sq.InputError, match=r"no choice 'unit_caps'; .*Did you mean 'unit_cap'"):
        policy_effects(sample(), choices=["unit_caps"])
    with pytest.raises(sq.InputError, match="unit_cap is one of 'none', 'unlikely_edit', not 'x'"):
        policy_effects(sample(), choices={"unit_cap": ["x"]})
    with pytest.raises(sq.InputError, match="bridge_pauses_min is a whole number"):
        policy_effects(sample(), choices={"bridge_pauses_min": [61]})


# What is handed in


@pytest.mark.parametrize(
    "table",
    [units_per_encounter, further_hour_ladder, moved_steps, steps_in_effect, unit_changes],
)
def test_what_is_no_summary_is_refused(table) -> None:
    with pytest.raises(sq.InputError, match=r"minute_summary\(coded\) returned; this is a str"):
        table("summary")


@pytest.mark.parametrize("table", [policy_effects, documentation_funnel])
def test_what_is_not_coded_is_refused(table) -> None:
    with pytest.raises(sq.InputError, match="code_administrations returned; this is a DataFrame"):
        table(pl.DataFrame())


@pytest.mark.parametrize("table", [units_per_encounter, further_hour_ladder])
@pytest.mark.parametrize("by", ["therapy", ["payer"], 3])
def test_columns_that_are_not_kept_apart_are_refused(table, by) -> None:
    with pytest.raises(sq.InputError, match="'by' is one column that the summary keeps apart"):
        table(sample_summary(), by)


def test_codes_are_those_of_the_encounters_table() -> None:
    assert tuple(CODES) == CODE_NAMES
