"""Random encounters against the slow count by hand, under random policies."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from oracle import DEFAULT_POLICY, Answer, Run, count
from polars.testing import assert_frame_equal
from test_cases import CODES, frame, units_in

import subq_toolkit as sq

MONDAY = datetime(2026, 1, 12)
PUMPS = [None, "A", "B", "C"]
SITES = [None, "abdomen", "left thigh", "right thigh"]
#: lengths on both sides of every step, and any other
LENGTHS = st.one_of(
    st.sampled_from([0, 1, 14, 15, 16, 60, 89, 90, 91, 150, 151, 211, 270, 271]),
    st.integers(0, 400),
)
policies = st.fixed_dictionaries(
    {
        "missing_stop": st.sampled_from(["query", "short", "computed"]),
        "midnight": st.sampled_from(["start_date", "split"]),
        "bridge_pauses_min": st.sampled_from([0, 1, 5, 30]),
        "seconds": st.sampled_from(["drop", "count"]),
        "unit_cap": st.sampled_from(["none", "unlikely_edit"]),
        "intravenous": st.sampled_from(["report", "refer"]),
        "home": st.sampled_from(["report", "refer"]),
    }
)


@st.composite
def counted_run(draw: st.DrawFn, pumps: tuple = ("A", "B", "C"), second: bool = True) -> Run:
    """One subcutaneous run, wholly charted, some time on Monday or Tuesday."""
    seconds = st.sampled_from([0, 0, 0, 1, 20, 40]) if second else st.just(0)
    start = MONDAY + timedelta(minutes=draw(st.integers(0, 1500)), seconds=draw(seconds))
    length = timedelta(minutes=draw(LENGTHS), seconds=draw(seconds))
    return {
        "start_at": start,
        "stop_at": start + length,
        "route": "subcutaneous",
        "pump_id": draw(st.sampled_from(pumps)),
        "site": draw(st.sampled_from(SITES)),
    }


@st.composite
def any_run(draw: st.DrawFn, pumps: tuple) -> Run:
    """One run of any kind, now and then with something missing."""
    run = draw(counted_run(pumps=pumps)) | {
        "route": draw(st.sampled_from(["subcutaneous"] * 8 + ["intravenous", "injection"])),
        "mode": draw(st.sampled_from([None, None, "continuous", "patient_controlled", "bolus"])),
        "setup_charted": draw(st.sampled_from([None, None, True, False])),
        "delivery": draw(st.sampled_from([None] * 12 + ["pump", "gravity"])),
        "volume_ml": draw(st.sampled_from([None, 5.0, 20.0, 45.5])),
        "rate_ml_per_h": draw(st.sampled_from([None, 20.0, 30.0, 40.0])),
    }
    lost = draw(st.integers(0, 24))
    missing = {0: "start_at", 1: "stop_at", 2: "stop_at", 3: "route"}.get(lost)
    return run | {missing: None} if missing else run


@st.composite
def encounter(draw: st.DrawFn, runs: int | None = None) -> list[Run]:
    """One encounter; with a number of runs: plain ones, else of any kind."""
    pumps = draw(st.sampled_from([(None,), ("A",), ("A", "B"), ("A", "B", "C")]))
    if runs:
        return [draw(counted_run(pumps=pumps)) for _ in range(runs)]
    more = draw(st.lists(any_run(pumps=pumps), max_size=5))
    setting = draw(st.sampled_from([None, None, "clinic", "home"]))
    return [run | {"setting": setting} for run in (draw(counted_run(pumps=pumps)), *more)]


def as_batch(encounters: list[list[Run]]) -> list[Run]:
    """Name the encounters, and number the rows so that none is a copy of another."""
    return [
        run | {"encounter_id": f"E{k:03}", "dose_mg": float(n)}
        for k, runs in enumerate(encounters)
        for n, run in enumerate(runs)
    ]


def code(encounters: list[list[Run]], policy: dict | None = None, **more: object):
    return sq.code_administrations(
        frame(as_batch(encounters)), policy=sq.Policy(**(policy or {})), **more
    )


def in_order(lazy: pl.LazyFrame) -> pl.DataFrame:
    every = lazy.collect()
    return every.sort(every.columns)


def agree(row: dict, expected: Answer, policy: dict) -> None:
    """One row of encounters against the slow count."""
    assert row["outcome"] == expected.outcome
    if expected.outcome == "query":
        assert row["infusion_min"] is None
    if expected.outcome != "coded":
        assert all(row[f"units_{one}"] is None for one in CODES)
        return
    assert row["infusion_min"] == expected.minutes
    assert units_in(row) == expected.units
    assert row["pumps"] == expected.pumps
    if policy["seconds"] == "drop" and policy["unit_cap"] == "none":
        assert row["min_to_next_unit"] == expected.to_next


def lines_agree(lines: pl.DataFrame, row: dict, expected: Answer, policy: dict) -> None:
    """Lines add up to the units; each further hour is dated within that hour."""
    got = dict(lines.group_by("code").agg(pl.col("units").sum()).rows())
    assert got == units_in(row)
    assert (lines["units"] > 0).all()
    hours = lines.filter(pl.col("code") == "96370").sort("service_date")
    days = hours.select(pl.col("service_date").repeat_by("units").explode())["service_date"]
    if policy["midnight"] == "start_date":
        assert set(lines["service_date"]) <= {row["service_date"]}
    else:
        assert all(a <= day <= b for day, (a, b) in zip(days, expected.hour_days, strict=False)), (
            days,
            expected.hour_days,
        )


def check_all(encounters: list[list[Run]], policy: dict, zone: str | None = None, **more) -> None:
    coded = sq.code_administrations(
        frame(as_batch(encounters), zone), policy=sq.Policy(**policy), **more
    )
    rows = coded.encounters.collect().sort("encounter_id").rows(named=True)
    lines = coded.lines.collect().partition_by("encounter_id", as_dict=True)
    policy = DEFAULT_POLICY | policy
    assert [row["encounter_id"] for row in rows] == [f"E{k:03}" for k in range(len(encounters))]
    for row, runs in zip(rows, encounters, strict=True):
        expected = count(runs, policy, more.get("facility_zone"))
        agree(row, expected, policy)
        if expected.outcome == "coded":
            lines_agree(lines[(row["encounter_id"],)], row, expected, policy)


@given(st.lists(encounter(), min_size=1, max_size=20), policies)
def test_any_encounter_is_coded_as_counted_by_hand(encounters, policy):
    check_all(encounters, policy)


@settings(max_examples=12)
@pytest.mark.parametrize("runs", [1, 2, 3, 4, 5, 9])
@given(data=st.data(), bridge=st.sampled_from([0, 5, 30]))
def test_any_number_of_runs_is_counted_alike(runs, data, bridge):
    encounters = data.draw(st.lists(encounter(runs=runs), min_size=1, max_size=12))
    check_all(encounters, {"bridge_pauses_min": bridge})


@given(st.lists(st.integers(1, 9).flatmap(lambda n: encounter(runs=n)), min_size=2, max_size=12))
def test_encounters_of_few_and_many_runs_do_not_mix(encounters):
    check_all(encounters, {})


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 600), LENGTHS), min_size=1, max_size=5), max_size=9),
    st.sampled_from([datetime(2026, 3, 8, 3, tzinfo=UTC), datetime(2026, 11, 1, 2, tzinfo=UTC)]),
    st.sampled_from(["America/New_York", "America/Phoenix", "UTC", "Australia/Lord_Howe"]),
)
@example([[(0, 600)]], datetime(2026, 11, 1, 2, tzinfo=UTC), "America/New_York")
def test_zoned_times_count_real_minutes(charts, evening, zone):
    encounters = [
        [
            {
                "start_at": (evening + timedelta(minutes=a)).astimezone(ZoneInfo(zone)),
                "stop_at": (evening + timedelta(minutes=a + b)).astimezone(ZoneInfo(zone)),
                "route": "subcutaneous",
                "pump_id": "A",
                "site": "abdomen",
            }
            for a, b in chart
        ]
        for chart in charts
    ]
    if encounters:
        check_all(encounters, {"midnight": "split"}, zone)


def exists(wall: datetime, zone: str) -> bool:
    local = wall.replace(tzinfo=ZoneInfo(zone))
    return local.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 420), LENGTHS), min_size=1, max_size=4), max_size=9),
    st.sampled_from([datetime(2026, 3, 7, 22), datetime(2026, 10, 31, 22)]),
    st.sampled_from(["America/New_York", "America/Phoenix"]),
)
def test_facility_times_count_real_minutes_or_ask(charts, evening, zone):
    encounters = [
        [
            {
                "start_at": evening + timedelta(minutes=a),
                "stop_at": evening + timedelta(minutes=a + b),
                "route": "subcutaneous",
            }
            | {"pump_id": "A", "site": "abdomen"}
            for a, b in chart
            if all(exists(evening + timedelta(minutes=m), zone) for m in (a, a + b))
        ]
        for chart in charts
    ]
    encounters = [runs for runs in encounters if runs]
    if encounters:
        check_all(encounters, {}, facility_zone=zone)


@given(st.lists(encounter(), min_size=1, max_size=5), policies)
def test_a_batch_answers_as_one_by_one(encounters, policy):
    rows = in_order(code(encounters, policy).encounters).rows(named=True)
    for row, runs in zip(rows, encounters, strict=True):
        one = sq.code_encounter(
            [sq.Administration(**run) for run in as_batch([runs])], policy=sq.Policy(**policy)
        )
        assert one.outcome == row["outcome"]
        assert one.infusion_min == row["infusion_min"]
        assert one.units == units_in(row)


@settings(max_examples=6)
@given(st.lists(encounter(), min_size=1, max_size=15), policies, st.randoms())
def test_the_order_of_rows_changes_nothing(encounters, policy, random):
    rows = as_batch(encounters)
    shuffled = rows.copy()
    random.shuffle(shuffled)
    first, second = (
        sq.code_administrations(frame(some), policy=sq.Policy(**policy))
        for some in (rows, shuffled)
    )
    assert_frame_equal(
        in_order(first.encounters), in_order(second.encounters), check_column_order=False
    )
    keys = ["encounter_id", "service_date", "code", "units"]
    assert_frame_equal(in_order(first.lines.select(keys)), in_order(second.lines.select(keys)))
    keys = ["encounter_id", "finding"]
    assert_frame_equal(
        in_order(first.findings.select(keys)), in_order(second.findings.select(keys))
    )


def minutes_and_units(encounters: list[list[Run]], policy: dict) -> list[tuple]:
    rows = in_order(code(encounters, policy).encounters).rows(named=True)
    return [(row["outcome"], row["infusion_min"], units_in(row)) for row in rows]


@given(st.lists(encounter(), min_size=1, max_size=15), policies, st.integers(1, 99))
def test_a_run_charted_in_two_touching_pieces_changes_nothing(encounters, policy, percent):
    def in_pieces(run: Run) -> list[Run]:
        if None in (run["start_at"], run["stop_at"]):
            return [run]
        length = (run["stop_at"] - run["start_at"]).total_seconds()
        cut = run["start_at"] + timedelta(seconds=length * percent // 100)
        return [run | {"stop_at": cut}, run | {"start_at": cut, "setup_charted": False}]

    split = [[piece for run in runs for piece in in_pieces(run)] for runs in encounters]
    assert minutes_and_units(split, policy) == minutes_and_units(encounters, policy)


@given(
    st.lists(encounter(), min_size=1, max_size=15), policies, st.integers(0, 50), st.integers(0, 50)
)
def test_a_run_inside_another_changes_nothing(encounters, policy, after, before):
    def inside(run: Run) -> Run:
        """A second row of the same pump, begun later and ended earlier."""
        hundredth = (run["stop_at"] - run["start_at"]) / 100
        seconds = [
            (run["start_at"] + hundredth * after).replace(microsecond=0),
            (run["stop_at"] - hundredth * before).replace(microsecond=0),
        ]
        start = max(run["start_at"], min(seconds))
        return run | {"start_at": start, "stop_at": max(seconds), "setup_charted": False}

    fuller = [[*runs, inside(runs[0])] for runs in encounters]
    assert minutes_and_units(fuller, policy) == minutes_and_units(encounters, policy)


@given(st.lists(encounter(), min_size=1, max_size=15), policies, st.integers(1, 200))
def test_more_time_never_lowers_the_units(encounters, policy, minutes):
    later = timedelta(minutes=minutes)
    longer = [[runs[0] | {"stop_at": runs[0]["stop_at"] + later}, *runs[1:]] for runs in encounters]
    for less, more in zip(
        minutes_and_units(encounters, policy), minutes_and_units(longer, policy), strict=True
    ):
        if less[0] == more[0] == "coded":
            assert less[1] <= more[1]
            for one in ("96369", "96370", "96371"):
                assert less[2].get(one, 0) <= more[2].get(one, 0)


@settings(max_examples=6)
@given(st.lists(encounter(), min_size=1, max_size=15), policies)
def test_a_week_later_only_the_dates_change(encounters, policy):
    week = timedelta(days=7)
    moved = [
        [r | {k: r[k] and r[k] + week for k in ("start_at", "stop_at")} for r in runs]
        for runs in encounters
    ]
    first, second = code(encounters, policy), code(moved, policy)
    back = pl.col("service_date").dt.offset_by("-7d")
    assert_frame_equal(in_order(first.encounters), in_order(second.encounters.with_columns(back)))
    keys = ["encounter_id", "service_date", "code", "units", "revenue_code", "rule"]
    assert_frame_equal(
        in_order(first.lines.select(keys)), in_order(second.lines.with_columns(back).select(keys))
    )
    keys = ["encounter_id", "finding", "severity"]
    assert_frame_equal(
        in_order(first.findings.select(keys)), in_order(second.findings.select(keys))
    )


dirty_times = st.one_of(
    st.none(),
    st.sampled_from(
        [datetime(2007, 12, 31, 23), datetime(2008, 1, 1), datetime(2026, 3, 8, 2, 30)]
    ),
    st.integers(0, 9000).map(lambda m: MONDAY + timedelta(minutes=m)),
)
dirty_rows = st.fixed_dictionaries(
    {
        "encounter_id": st.sampled_from([None, "", "a", "b", "c", "d"]),
        "start_at": dirty_times,
        "stop_at": dirty_times,
        "route": st.sampled_from(["subcutaneous"] * 4 + ["intravenous", "subq", "", None]),
        "mode": st.sampled_from([None, None, "bolus", "quick"]),
        "pump_id": st.sampled_from(PUMPS),
        "setting": st.sampled_from([None, "clinic", "home", "ward"]),
        "delivery": st.sampled_from([None, None, "pump", "gravity"]),
        "unreadable": st.sampled_from([None, None, None, "stop_at"]),
        "patient_id": st.sampled_from([None, "P"]),
        "shoe_size": st.sampled_from(["41", "42"]),
    }
)


NOBODY = {"encounter_id": "x", "start_at": MONDAY, "stop_at": MONDAY}


@given(
    st.lists(dirty_rows, max_size=40),
    policies,
    st.sampled_from([None, "America/New_York", "America/Phoenix"]),
)
def test_nothing_is_lost(rows, policy, zone):
    chart = frame(rows or [NOBODY]).head(len(rows))
    coded = sq.code_administrations(chart, policy=sq.Policy(**policy), facility_zone=zone)
    sums = coded.reconcile()
    assert set(sums) == {"rows_in", "coded", "query", "refer", "refused"}
    assert sums["rows_in"] == len(rows)
    assert sums["rows_in"] == sums["coded"] + sums["query"] + sums["refer"] + sums["refused"]
    refused = coded.refused.collect()
    assert refused["row"].n_unique() == refused.height == sums["refused"]
    assert refused["failed"].list.len().min() != 0
    kept = [row for k, row in enumerate(rows, start=1) if k not in set(refused["row"])]
    outcome = dict(coded.encounters.collect()["encounter_id", "outcome"].rows())
    assert all(row["encounter_id"] for row in kept)
    for name in ("coded", "query", "refer"):
        assert sums[name] == sum(outcome[row["encounter_id"]] == name for row in kept)


@settings(max_examples=6)
@given(st.lists(encounter(), min_size=1, max_size=15), policies)
def test_lazy_and_eager_streaming_and_in_memory_agree(encounters, policy):
    chart = frame(as_batch(encounters))
    chosen = sq.Policy(**policy)
    eager = sq.code_administrations(chart, policy=chosen)
    lazy = sq.code_administrations(chart.lazy(), policy=chosen)
    for name in ("encounters", "lines", "findings", "refused"):
        from_lazy = getattr(lazy, name)
        assert isinstance(from_lazy, pl.LazyFrame)
        streamed, in_memory = (
            from_lazy.collect(engine=engine) for engine in ("streaming", "in-memory")
        )
        by = [c for c in streamed.columns if streamed.schema[c] != pl.List(pl.String)]
        expected = getattr(eager, name).collect().sort(by)
        assert_frame_equal(streamed.sort(by), expected)
        assert_frame_equal(in_memory.sort(by), expected)


@given(st.lists(encounter(), min_size=1, max_size=15))
def test_unknown_columns_ride_along(encounters):
    chart = frame(as_batch(encounters)).with_columns(ward=pl.col("encounter_id") + "!")
    rows = sq.code_administrations(chart).encounters.collect()
    assert rows["ward"].to_list() == (rows["encounter_id"] + "!").to_list()
