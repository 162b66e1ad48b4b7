"""The tables a coder can sign, coded one encounter at a time and as batches."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cache

import polars as pl
import pytest
from oracle import NUMBERS, Run, count, read_policy, read_runs, read_units, table

import subq_toolkit as sq

CODES = ("96369", "96370", "96371", "96372")
TYPES = dict.fromkeys(NUMBERS, pl.Float64) | {"needles": pl.Int64, "setup_charted": pl.Boolean}
MAY_BE_ABSENT = ("pump_id", "site")


def column(name: str, values: list, zone: str | None) -> pl.Series:
    """One column of a chart; times with a zone become a zoned column."""
    if not name.endswith("_at"):
        return pl.Series(name, values, dtype=TYPES.get(name, pl.String))
    if not zone:
        return pl.Series(name, values, dtype=pl.Datetime("us"))
    in_utc = [v and v.astimezone(UTC).replace(tzinfo=None) for v in values]
    series = pl.Series(name, in_utc, dtype=pl.Datetime("us"))
    return series.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)


def frame(runs: Iterable[Run], zone: str | None = None) -> pl.DataFrame:
    """Rows of a chart; a column nobody charted is left out altogether."""
    runs = list(runs)
    names = dict.fromkeys(name for run in runs for name in run)
    charted = {name: [run.get(name) for run in runs] for name in names}
    for name in MAY_BE_ABSENT:
        if not any(charted.get(name, [])):
            charted.pop(name, None)
    if set(charted.get("route", [])) == {"subcutaneous"}:
        del charted["route"]
    return pl.DataFrame([column(name, values, zone) for name, values in charted.items()])


def units_in(row: Mapping) -> dict[str, int]:
    return {code: row[f"units_{code}"] for code in CODES if row[f"units_{code}"]}


def lines_in(lines: pl.DataFrame) -> set[tuple[str, str, int]]:
    return {(str(day), code, n) for day, code, n in lines["service_date", "code", "units"].rows()}


def facts_of(row: Mapping, lines: pl.DataFrame, findings: pl.DataFrame) -> dict:
    """What the tables speak of, from one row of encounters."""
    return {
        "outcome": row["outcome"],
        "minutes": row["infusion_min"],
        "pumps": row["pumps"],
        "units": units_in(row),
        "to_next": row["min_to_next_unit"],
        "service_date": str(row["service_date"]),
        "lines": lines_in(lines),
        "revenue_codes": set(lines["revenue_code"]),
        "findings": set(findings["finding"]),
    }


def as_one_encounter(name: str, number: int) -> dict:
    case = table(name)[number]
    one = sq.code_encounter(
        [sq.Administration(**run) for run in runs_of(case)],
        policy=sq.Policy(**read_policy(case.get("policy", ""))),
        facility_zone=case.get("facility_zone") or None,
    )
    facts = facts_of(one.encounter.row(0, named=True), one.lines, one.findings)
    assert one.outcome == facts["outcome"]
    assert one.infusion_min == facts["minutes"]
    assert one.units == facts["units"]
    return facts


@cache
def whole_table(name: str) -> dict[int, dict]:
    """Every case of a table in as few batches as its policies and zones allow."""
    groups = defaultdict(list)
    for number, case in enumerate(table(name)):
        key = (case.get("policy", ""), case.get("zone", ""), case.get("facility_zone", ""))
        groups[key].append((number, case))
    facts = {}
    for (policy, zone, facility_zone), cases in groups.items():
        runs = [r | {"encounter_id": f"case {n}"} for n, case in cases for r in runs_of(case)]
        coded = sq.code_administrations(
            frame(runs, zone),
            policy=sq.Policy(**read_policy(policy)),
            facility_zone=facility_zone or None,
        )
        of = {table: getattr(coded, table).collect() for table in ("lines", "findings")}
        for row in coded.encounters.collect().rows(named=True):
            mine = pl.col("encounter_id") == row["encounter_id"]
            number = int(row["encounter_id"].removeprefix("case "))
            facts[number] = facts_of(row, of["lines"].filter(mine), of["findings"].filter(mine))
    return facts


def in_a_batch(name: str, number: int) -> dict:
    return whole_table(name)[number]


def runs_of(case: Mapping[str, str]) -> list[Run]:
    """The runs of a case; a table of minutes or settings needs no more than its number."""
    if "minutes" in case and "runs" not in case:
        hours, minutes = divmod(int(case["minutes"]), 60)
        days, hours = divmod(8 + hours, 24)
        return read_runs(f"A 08:00-{hours:02}:{minutes:02}+{days} abdomen")
    if "setting" in case:
        return read_runs(f"A 09:00-11:00 setting={case['setting'] or '?'}")
    return read_runs(case["runs"], case.get("date", ""), case.get("zone", ""))


def every(*names: str) -> pytest.MarkDecorator:
    """Each case of the tables, both ways of coding it."""
    return pytest.mark.parametrize(
        ("way", "name", "number", "case"),
        [
            pytest.param(way, name, number, case, id=f"{name}:{number + 2}-{way.__name__}")
            for name in names
            for number, case in enumerate(table(name))
            for way in (as_one_encounter, in_a_batch)
        ],
    )


def is_as_signed(got: dict, case: Mapping[str, str]) -> None:
    assert got["outcome"] == (case.get("outcome") or "coded"), case["why"]
    assert got["units"] == read_units(case["units"]), case["why"]
    if case["minutes"]:
        assert got["minutes"] == int(case["minutes"]), case["why"]


@every("infusion_minutes")
def test_units_by_minutes(way, name, number, case):
    got = way(name, number)
    units = {code: int(case[f"units_{code}"]) for code in ("96369", "96370", "96372")}
    assert got["units"] == {code: n for code, n in units.items() if n}, case["why"]
    assert got["minutes"] == int(case["minutes"])
    assert got["to_next"] == int(case["min_to_next_unit"])
    assert got["outcome"] == "coded"


@every("pumps_and_sites")
def test_pumps_and_sites(way, name, number, case):
    got = way(name, number)
    is_as_signed(got, case)
    assert got["pumps"] == int(case["pumps"])


@every("pauses", "seconds", "policies")
def test_time_counted(way, name, number, case):
    is_as_signed(way(name, number), case)


@every("missing_times")
def test_missing_times(way, name, number, case):
    got = way(name, number)
    is_as_signed(got, case)
    expected = set(case["findings"].split())
    about_times = {f for f in got["findings"] if f.startswith(("missing_", "stop_"))}
    assert expected <= got["findings"]
    assert about_times == {f for f in expected if f.startswith(("missing_", "stop_"))}
    if case["outcome"] == "query":
        assert got["minutes"] is None
        assert not got["lines"]


@every("midnight")
def test_midnight(way, name, number, case):
    got = way(name, number)
    assert got["minutes"] == int(case["minutes"])
    expected = {
        (line.split()[0], line.split()[1], int(line.split(" x")[1]))
        for line in case["lines"].split("; ")
    }
    assert got["lines"] == expected, case["why"]
    assert got["service_date"] == case["date"]


@every("clock_changes")
def test_clock_changes(way, name, number, case):
    got = way(name, number)
    is_as_signed(got, case)
    if case["service_date"]:
        assert got["service_date"] == case["service_date"]
    assert ("ambiguous_clock" in got["findings"]) == (case["outcome"] == "query")


@every("revenue_codes")
def test_revenue_codes(way, name, number, case):
    assert way(name, number)["revenue_codes"] == {case["revenue_code"] or None}


@pytest.mark.parametrize("case", table("codes_by_date"), ids=lambda c: f"{c['date']} {c['runs']}")
@pytest.mark.parametrize("one", [True, False], ids=["as_one_encounter", "in_a_batch"])
def test_codes_by_date(one, case):
    runs = runs_of(case)
    if one:
        coded = sq.code_encounter([sq.Administration(**run) for run in runs])
        lines, refused = coded.lines, coded.refused
    else:
        coded = sq.code_administrations(frame(runs))
        lines, refused = coded.lines.collect(), coded.refused.collect()
    expected = read_units(case["lines"])
    assert dict(lines["code", "units"].rows()) == expected, case["why"]
    assert set(lines["service_date"]) == ({date.fromisoformat(case["date"])} if expected else set())
    assert (refused.height == len(runs)) == (case["refused"] == "yes")


@pytest.mark.parametrize(
    "case", table("refused"), ids=lambda c: f"{c['check']}: {c['runs']} {c['date']}"
)
def test_refused(case):
    runs, zone = runs_of(case), case["facility_zone"] or None
    rows = [int(n) for n in case["refused"].split()]
    accepted = sq.accept(frame(runs), facility_zone=zone)
    refused = accepted.refused.collect()
    failing = refused.filter(pl.col("failed").list.contains(case["check"]))
    assert sorted(failing["row"]) == rows, case["why"]
    assert refused.height == len(rows)
    assert accepted.accepted.collect().height == len(runs) - len(rows)
    coded = sq.code_administrations(frame(runs), facility_zone=zone)
    assert coded.refused.collect()["row"].sort().to_list() == rows
    assert coded.reconcile()["refused"] == len(rows)


def test_every_check_is_broken_by_a_case_and_kept_by_another():
    broken = {case["check"] for case in table("refused") if case["refused"]}
    kept = {case["check"] for case in table("refused") if not case["refused"]}
    assert broken == kept


def test_the_slow_count_agrees_with_every_signed_case():
    for name in ("pumps_and_sites", "pauses", "seconds", "policies", "missing_times"):
        for case in table(name):
            got = count(runs_of(case), read_policy(case.get("policy", "")))
            assert got.outcome == (case.get("outcome") or "coded"), case
            assert got.units == read_units(case["units"]), case
            assert str(got.minutes or 0) == (case["minutes"] or "0"), case
    for case in table("clock_changes"):
        got = count(runs_of(case), facility_zone=case["facility_zone"])
        assert (got.outcome, got.units) == (case["outcome"], read_units(case["units"])), case
    for case in table("infusion_minutes"):
        got = count(runs_of(case))
        assert got.to_next == int(case["min_to_next_unit"]), case
        assert all(got.units.get(c, 0) == int(case[f"units_{c}"]) for c in ("96369", "96370")), case


def test_three_columns_are_enough():
    chart = frame(read_runs("- 09:00-10:31"))
    assert chart.columns == ["encounter_id", "start_at", "stop_at"]
    row = sq.code_administrations(chart).encounters.collect().row(0, named=True)
    assert units_in(row) == {"96369": 1, "96370": 1}


@pytest.mark.parametrize("facility_zone", [None, "America/New_York"])
def test_times_typed_with_their_offset(facility_zone):
    one = sq.code_encounter(
        [sq.Administration("2026-03-08T01:00-05:00", "2026-03-08T04:00-04:00")],
        facility_zone=facility_zone,
    )
    assert (one.infusion_min, one.units) == (120, {"96369": 1, "96370": 1})


def test_one_column_zoned_and_the_other_not_is_an_error():
    chart = frame(read_runs("A 09:00-10:00")).with_columns(
        pl.col("start_at").dt.replace_time_zone("America/New_York")
    )
    with pytest.raises(sq.SubqError if hasattr(sq, "SubqError") else ValueError, match="zone"):
        sq.code_administrations(chart).encounters.collect()


@pytest.mark.parametrize(
    ("policy", "outcomes"), [("refer", ["coded", "refer"]), ("report", ["coded"] * 2)]
)
def test_second_encounter_of_the_day(policy, outcomes):
    runs = read_runs(
        "A 14:00-15:00 patient_id=P encounter_id=a; A 09:00-10:00 patient_id=P encounter_id=z"
    )
    coded = sq.code_administrations(frame(runs), policy=sq.Policy(second_encounter=policy))
    by_time = coded.encounters.collect().sort("encounter_id", descending=True)
    assert by_time["outcome"].to_list() == outcomes, "the later one, whatever it is called"


def test_conflicting_settings_give_no_revenue_code():
    runs = read_runs("A 09:00-10:00 setting=clinic; A 10:00-11:00 setting=emergency")
    coded = sq.code_administrations(frame(runs))
    assert coded.encounters.collect()["setting"].to_list() == [None]
    assert set(coded.lines.collect()["revenue_code"]) == {None}


def test_every_line_says_why():
    lines = sq.code_administrations(
        frame(read_runs(table("pumps_and_sites")[0]["runs"]))
    ).lines.collect()
    assert lines.height == 3
    for name in ("rule", "why", "cite"):
        assert lines[name].null_count() == 0
        assert lines[name].str.len_chars().min() > 0


def test_microseconds_and_milliseconds_agree():
    start, stop = datetime(2026, 3, 2, 9), datetime(2026, 3, 2, 10, 31)
    for unit in ("ms", "us", "ns"):
        chart = pl.DataFrame({"encounter_id": ["1"], "start_at": [start], "stop_at": [stop]}).cast(
            {"start_at": pl.Datetime(unit), "stop_at": pl.Datetime(unit)}
        )
        row = sq.code_administrations(chart).encounters.collect().row(0, named=True)
        assert (row["infusion_min"], units_in(row)) == (91, {"96369": 1, "96370": 1})
