"""NCCI edits between lines: published pairs and limits, and a slow count in plain Python."""

import csv
from collections import defaultdict
from datetime import date
from itertools import product
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import subq_toolkit as sq
from subq_toolkit.catalog import dataset
from subq_toolkit.fees import bundled_tables
from subq_toolkit.fees.claim_edits import SETTINGS, edit_claims

DAY = date(2024, 8, 1)
SCHEMA = {
    "encounter_id": pl.String,
    "service_date": pl.Date,
    "code": pl.String,
    "units": pl.Int64,
}
COLUMNS = ["encounter_id", "service_date", "edit", "code", "other_code", "detail", "what_to_do"]
COLUMNS += ["modifier_allowed", "release", "cite"]


def claim(*lines: str, day: date | None = DAY, encounter: str | None = "1") -> pl.DataFrame:
    """``96369 x2`` is a line of two units; without a number it is one."""
    parts = (line.partition(" x") for line in lines)
    rows = [(encounter, day, code, int(units or 1)) for code, _, units in parts]
    return pl.DataFrame(rows, SCHEMA, orient="row")


def findings(*lines: str, setting: str = "practitioner", **where: object) -> list[dict]:
    return edit_claims(claim(*lines, **where), setting=setting).collect().rows(named=True)


def edits(*lines: str, setting: str = "practitioner") -> list[tuple]:
    return [
        (one["edit"], one["code"], one["other_code"]) for one in findings(*lines, setting=setting)
    ]


def published(name: str) -> list[dict]:
    path = Path(dataset("fees")) / f"{name}.csv"
    with path.open(newline="", encoding="utf-8") as rows:
        return list(csv.DictReader(rows))


# --- pairs -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "practitioner", "hospital"),
    [
        ("96369", "96372", True, True),
        ("96369", "96377", True, True),
        ("96369", "96401", True, True),
        ("96369", "99213", True, True),
        ("96369", "99211", False, True),
        ("96369", "36591", False, None),
        ("96370", "36591", False, None),
        ("96371", "E0781", True, True),
        ("96365", "96360", True, True),
        ("96365", "96374", True, True),
        ("99231", "96369", False, None),
        ("99284", "96369", True, None),
        ("96369", "99231", None, True),
        ("96405", "96369", True, True),
    ],
)
def test_a_pair_denies_column_2(
    first: str, second: str, practitioner: bool | None, hospital: bool | None
) -> None:
    for setting, allowed in zip(SETTINGS, (practitioner, hospital), strict=True):
        found = findings("96369", first, second, setting=setting)
        pair = [one for one in found if {one["code"], one["other_code"]} == {first, second}]
        if allowed is None:
            assert not [one for one in pair if one["code"] == second]
            continue
        (one,) = pair
        assert (one["edit"], one["code"], one["other_code"]) == ("pair", second, first)
        assert one["modifier_allowed"] is allowed
        assert one["release"] == date(2024, 7, 1)
        assert "procedure-to-procedure" in one["cite"]
        remedy = "unless the record shows" if allowed else "no modifier lets both stand"
        assert remedy in one["what_to_do"]


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("other", ["96365", "96360", "96366", "96361", "96374", "96413", "C8957"])
def test_a_first_hour_under_the_skin_meets_no_edit_beside_one_into_a_vein(
    other: str, setting: str
) -> None:
    """There is no edit between 96369 and 96365 or 96360, in either direction."""
    assert not [one for one in edits("96369", other, setting=setting) if one[0] == "pair"]
    assert edits("96369", "96365", setting=setting) == []
    assert edits("96369", "96360", setting=setting) == []


def test_codes_of_other_days_or_encounters_are_no_pair() -> None:
    apart = pl.concat(
        [claim("96369"), claim("96372", day=date(2024, 8, 2)), claim("96372", encounter="2")]
    )
    assert edit_claims(apart).collect().is_empty()


def test_indicator_9_is_no_edit() -> None:
    table = bundled_tables()["procedure_pairs"].with_columns(modifier_indicator=pl.lit("9"))
    tables = bundled_tables().replaced("procedure_pairs", table)
    assert edit_claims(claim("96369", "96372"), tables=tables).collect().is_empty()
    assert edits("96369", "96372") == [("pair", "96372", "96369")]


# --- add-on codes, unlikely units, first hours ---------------------------------------------


@pytest.mark.parametrize(
    ("lines", "lonely", "primaries"),
    [
        (["96370"], ["96370"], "96369"),
        (["96371"], ["96371"], "96369"),
        (["96370", "96371"], ["96370", "96371"], "96369"),
        (["96369", "96370", "96371"], [], None),
        (["96365", "96370"], ["96370"], "96369"),
        (["96366"], ["96366"], "96360, 96365, 96367, 96413"),
        (["96369", "96366"], ["96366"], "96360, 96365, 96367, 96413"),
        (["96413", "96366"], [], None),
        (["99602"], ["99602"], "99601"),
        (["96369", "96370 x0"], [], None),
    ],
)
def test_an_add_on_code_needs_a_primary_of_its_own(
    lines: list[str], lonely: list[str], primaries: str | None
) -> None:
    found = [one for one in findings(*lines) if one["edit"] == "add_on"]
    assert [one["code"] for one in found] == lonely
    for one in found:
        assert one["other_code"] == primaries
        assert one["release"] == date(2024, 6, 3)
        assert one["modifier_allowed"] is False
        assert "add-on code edits" in one["cite"]


def test_a_primary_of_another_day_does_not_carry_the_add_on() -> None:
    split = pl.concat([claim("96369"), claim("96370", day=date(2024, 8, 2))])
    (one,) = edit_claims(split).collect().rows(named=True)
    assert (one["edit"], one["service_date"]) == ("add_on", date(2024, 8, 2))


def test_an_open_list_of_primaries_stops_nothing() -> None:
    table = bundled_tables()["add_on_primaries"].with_columns(type=pl.lit("3"))
    tables = bundled_tables().replaced("add_on_primaries", table)
    assert edit_claims(claim("96370"), tables=tables).collect().is_empty()


@pytest.mark.parametrize(
    ("lines", "practitioner", "hospital", "remedy"),
    [
        (["96369", "96370 x3"], None, None, ""),
        (["96369", "96370 x4"], "4 units on one day, 3 at most (indicator 3: by clinical",
         "4 units on one day, 3 at most", "appeal with it"),
        (["96369", "96370 x2", "96370 x2"], "4 units on one day", "4 units on one day", "appeal"),
        (["96369 x2"], "2 units on one day, 1 at most (indicator 2: absolute)",
         "2 units on one day, 1 at most", "no modifier lifts an absolute edit"),
        (["96369", "96371 x2"], "2 units on one day, 1 at most (indicator 3", "2 units", "appeal"),
        (["96365 x2"], "2 units on one day, 1 at most", None, "appeal"),
        (["96372 x5"], "5 units on one day, 4 at most", None, "appeal"),
        (["99601"], "1 units on one day, 0 at most", "1 units on one day, 0 at most", "appeal"),
    ],
)  # fmt: skip
def test_units_above_the_edit_of_a_day(
    lines: list[str], practitioner: str | None, hospital: str | None, remedy: str
) -> None:
    for setting, detail in zip(SETTINGS, (practitioner, hospital), strict=True):
        found = [one for one in findings(*lines, setting=setting) if one["edit"] == "unlikely"]
        assert len(found) == (detail is not None)
        for one in found:
            assert one["detail"].startswith(detail)
            assert remedy in one["what_to_do"]
            assert one["modifier_allowed"] is False
            assert "medically unlikely edits" in one["cite"]


@pytest.mark.parametrize(
    ("lines", "allowed"),
    [
        (["96369"], None), (["96369 x2"], False), (["96369", "96369"], False),
        (["96365"], None), (["96365", "96365"], True), (["96360 x2"], True),
        (["96370 x2"], None), (["96369", "96365", "96360"], None),
    ],
)  # fmt: skip
def test_a_first_hour_counts_once(lines: list[str], allowed: bool | None) -> None:
    found = [one for one in findings(*lines) if one["edit"] == "first_hour_twice"]
    assert [one["modifier_allowed"] for one in found] == ([] if allowed is None else [allowed])
    for one in found:
        assert "here are 2 units" in one["detail"]
        assert one["release"] is None
        assert one["cite"]


# --- the release -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "says"),
    [
        (date(2024, 6, 30), "Release of 2024-07-01, after the day of the line; first days"),
        (date(2024, 7, 1), "Release of 2024-07-01; first days of edits are not in the source."),
        (date(2024, 9, 30), "Release of 2024-07-01; first days"),
        (date(2024, 10, 1), "Release of 2024-07-01, three months or more before the line;"),
        (date(2009, 1, 1), "after the day of the line"),
        (date(2026, 11, 1), "three months or more before the line"),
    ],
)
def test_the_release_used_is_told(day: date, says: str) -> None:
    (one,) = findings("96369", "96372", day=day)
    assert says in one["detail"]
    assert one["release"] == date(2024, 7, 1)


@pytest.mark.parametrize(
    ("day", "most", "release"),
    [
        (date(2024, 6, 1), 3, date(2024, 7, 1)),
        (date(2024, 9, 30), 3, date(2024, 7, 1)),
        (date(2024, 10, 1), 2, date(2024, 10, 1)),
        (date(2025, 6, 1), 2, date(2024, 10, 1)),
    ],
)
def test_a_later_release_holds_from_its_day(day: date, most: int, release: date) -> None:
    table = bundled_tables()["unlikely_edits"]
    older = table.with_columns(until=date(2024, 9, 30))
    newer = table.with_columns(
        start=date(2024, 10, 1),
        until=date(2024, 12, 31),
        units=pl.when(hcpcs="96370").then(2).otherwise("units").cast(pl.Int64),
    )
    tables = bundled_tables().replaced("unlikely_edits", pl.concat([older, newer]))
    at = edit_claims(claim("96369", f"96370 x{most}", day=day), tables=tables).collect()
    above = edit_claims(claim("96369", f"96370 x{most + 1}", day=day), tables=tables).collect()
    assert at.is_empty()
    assert above["release"].to_list() == [release]


# --- a second opinion --------------------------------------------------------------------

PAIRS = {
    (row["setting"], row["column_1"], row["column_2"]): row["modifier_indicator"]
    for row in published("procedure_pairs")
}
LIMITS = {(row["setting"], row["hcpcs"]): int(row["units"]) for row in published("unlikely_edits")}
PRIMARIES = defaultdict(set)
for row in published("add_on_primaries"):
    PRIMARIES[row["add_on"]].add(row["primary"])
CODES = ["96360", "96365", "96366", "96369", "96370", "96371", "96372", "96377", "99211"]
CODES += ["99231", "36591", "J1559"]


def by_hand(lines: list[tuple], setting: str) -> set[tuple]:
    """The edits read aloud, encounter by encounter and code by code."""
    claims = defaultdict(list)
    for encounter, code, units in lines:
        if units:
            claims[encounter].append((code, units))
    found = set()
    for encounter, billed in claims.items():
        codes = {code for code, _ in billed}
        for first, second in product(codes, codes):
            if (setting, first, second) in PAIRS:
                found.add((encounter, "pair", second, first))
        for code in codes:
            units = [many for one, many in billed if one == code]
            if code in PRIMARIES and not PRIMARIES[code] & codes:
                found.add((encounter, "add_on", code, ", ".join(sorted(PRIMARIES[code]))))
            if sum(units) > LIMITS.get((setting, code), 10**9):
                found.add((encounter, "unlikely", code, None))
            if code in ("96360", "96365", "96369") and (len(units) > 1 or units[0] > 1):
                found.add((encounter, "first_hour_twice", code, None))
    return found


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(CODES), st.integers(0, 5))),
    st.sampled_from(SETTINGS),
)
def test_edits_match_a_count_by_hand(lines: list[tuple], setting: str) -> None:
    rows = [(encounter, DAY, code, units) for encounter, code, units in lines]
    table = pl.DataFrame(rows, SCHEMA, orient="row")
    found = edit_claims(table, setting=setting).collect()
    got = found.select("encounter_id", "edit", "code", "other_code").rows()
    assert len(got) == len(set(got))
    assert set(got) == by_hand(lines, setting)


def test_a_large_table_is_no_cross_join() -> None:
    many = pl.DataFrame(
        {"encounter_id": [str(n // 4) for n in range(200_000)], "code": CODES[:4] * 50_000}
    ).with_columns(service_date=DAY, units=pl.lit(1, pl.Int64))
    assert edit_claims(many).collect().height == 50_000  # 96360 beside 96365, once an encounter
    one_day = edit_claims(many.with_columns(encounter_id=pl.lit("1"))).collect()
    assert one_day["edit"].value_counts().sort("edit").rows() == [
        ("first_hour_twice", 3),
        ("pair", 1),
        ("unlikely", 4),
    ]


# --- the frame ---------------------------------------------------------------------------


def test_findings_are_lazy_sorted_and_in_long_form() -> None:
    lazy = edit_claims(claim("96371 x2", "96372", "96369").lazy())
    assert isinstance(lazy, pl.LazyFrame)
    found = lazy.collect()
    assert found.columns == COLUMNS
    assert found["edit"].to_list() == ["pair", "unlikely"]
    assert edit_claims(claim()).collect().columns == COLUMNS


def test_codes_are_read_as_typed() -> None:
    assert edits(" 96369", "96372 ") == [("pair", "96372", "96369")]
    assert edits("96370", "e0781 ") == [
        ("add_on", "96370", "96369"),
        ("pair", "E0781", "96370"),
    ]


@pytest.mark.parametrize("absent", ["day", "encounter"])
def test_lines_without_day_or_encounter_are_told_and_not_passed(absent: str) -> None:
    (one,) = findings("96369 x2", "96372", **{absent: None})
    assert (one["edit"], one["code"]) == ("not_edited", None)
    assert one["detail"] == "Lines without encounter or day: 2."
    assert one["what_to_do"].startswith("Fill in encounter and day")


def test_units_that_are_not_known_still_make_a_pair() -> None:
    unknown = claim("96369", "96372").with_columns(units=pl.lit(None, pl.Int64))
    assert edit_claims(unknown).collect()["edit"].to_list() == ["pair"]
    twice = claim("96369", "96369").with_columns(units=pl.lit(None, pl.Int64))
    assert edit_claims(twice).collect()["edit"].to_list() == ["first_hour_twice"]


@pytest.mark.parametrize("column", list(SCHEMA))
def test_a_column_that_is_missing_is_named(column: str) -> None:
    with pytest.raises(sq.InputError, match=rf"no column '{column}'\. Edit coded\.lines, or a tab"):
        edit_claims(claim("96369").drop(column))


def test_what_cannot_be_edited_is_refused() -> None:
    with pytest.raises(sq.InputError, match=r"Did you mean 'outpatient_hospital'\?"):
        edit_claims(claim("96369"), setting="outpatient")
    with pytest.raises(sq.InputError, match="'setting' is one of 'practitioner', 'outpatient_hosp"):
        edit_claims(claim("96369"), setting="")
    with pytest.raises(sq.InputError, match=r"e\.g\. coded\.lines; this is a list"):
        edit_claims(["96369"])
    with pytest.raises(sq.InputError, match=r"'service_date' is a date, not String\. Convert"):
        edit_claims(claim("96369").with_columns(service_date=pl.lit("2024-08-01")))
    with pytest.raises(sq.InputError, match=r"'units' is a whole number, not Float64\. Convert"):
        edit_claims(claim("96369").with_columns(units=pl.lit(1.5)))


def test_the_lines_of_a_coded_table_can_be_edited() -> None:
    made = sq.plan_infusion("hizentra", volume_ml=80, sites=4, infusion_number=6, pumps=2)
    assert edit_claims(made.coded.lines).collect().is_empty()
