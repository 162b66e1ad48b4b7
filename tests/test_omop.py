"""OMOP in: ends that nobody charted, records that are no runs, routes, and what comes back."""

from datetime import date, datetime
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import subq_toolkit as sq
from subq_toolkit.catalog import dataset
from subq_toolkit.readers.omop import read_omop
from subq_toolkit.synthetic import administrations
from subq_toolkit.synthetic.clinical_exports import drug_exposure

ZONE = "America/New_York"
NINE, TEN = datetime(2026, 3, 2, 9), datetime(2026, 3, 2, 10)
MIDNIGHT, NEXT = datetime(2026, 3, 2), datetime(2026, 3, 3)


def row(**changes: Any) -> dict[str, Any]:
    return {
        "drug_exposure_id": 1,
        "person_id": 5,
        "visit_occurrence_id": 7,
        "drug_exposure_start_datetime": NINE,
        "drug_exposure_end_datetime": TEN,
        "drug_type_concept_id": 32818,
        "route_concept_id": 4142048,
        "route_source_value": None,
        "drug_source_value": "drug A",
        "quantity": 20.0,
        "dose_unit_source_value": "mL",
    } | changes


def table(*rows: dict[str, Any]) -> pl.DataFrame:
    moments = dict.fromkeys(
        ("drug_exposure_start_datetime", "drug_exposure_end_datetime"), pl.Datetime("us")
    )
    texts = dict.fromkeys(("route_source_value", "dose_unit_source_value"), pl.String)
    return pl.DataFrame(list(rows), schema_overrides=moments | texts)


def first(*rows: dict[str, Any], **options: Any) -> dict[str, Any]:
    return read_omop(table(*rows), **options).administrations.collect().row(0, named=True)


def note(reading, column: str) -> str:
    return reading.report.filter(pl.col("column") == column)["note"].item()


def test_an_administration_is_a_row():
    assert first(row()) == {
        "encounter_id": "7",
        "patient_id": "5",
        "start_at": NINE,
        "stop_at": TEN,
        "route": "subcutaneous",
        "drug": "drug A",
        "volume_ml": 20.0,
        "dose_mg": None,
        "administration_id": "1",
        "not_given": None,
        "unreadable": None,
    }


#: start, end: the stop that is read
ENDS = {
    "a stop": (NINE, TEN, TEN),
    "none": (NINE, None, None),
    "the start again": (NINE, NINE, None),
    "midnight of the day of the start": (NINE, MIDNIGHT, None),
    "dates only": (MIDNIGHT, MIDNIGHT, None),
    "dates only, the next day": (MIDNIGHT, NEXT, None),
    "a run until midnight": (NINE, NEXT, NEXT),
    "a start at midnight with a stop": (MIDNIGHT, TEN, TEN),
    "before the start": (TEN, NINE, NINE),
}


@pytest.mark.parametrize("name", ENDS)
def test_an_end_that_nobody_charted_is_no_stop(name):
    start, end, stop = ENDS[name]
    changes = {"drug_exposure_start_datetime": start, "drug_exposure_end_datetime": end}
    reading = read_omop(table(row(**changes), row(drug_exposure_id=2)))
    rows = reading.administrations.collect()
    assert (rows["start_at"][0], rows["stop_at"][0]) == (start, stop)
    assert rows["unreadable"].to_list() == [None, None]
    unused = end is not None and stop is None
    assert note(reading, "stop_at").startswith("1 ends are the start again") is unused


def test_where_every_end_is_midnight_only_dates_are_known():
    until_midnight = {"drug_exposure_end_datetime": NEXT}
    rows = read_omop(table(row(**until_midnight), row(**until_midnight))).administrations.collect()
    assert rows["stop_at"].to_list() == [None, None]


def test_a_single_run_until_midnight_keeps_its_stop():
    assert first(row(drug_exposure_end_datetime=NEXT))["stop_at"] == NEXT


def test_a_missing_stop_leads_to_a_query():
    reading = read_omop(table(row(drug_exposure_end_datetime=MIDNIGHT)))
    coded = sq.code_administrations(reading.administrations, facility_zone=ZONE)
    assert coded.reconcile() == {"rows_in": 1, "coded": 0, "query": 1, "refer": 0, "refused": 0}


#: drug_type_concept_id: why it is no run, what is unreadable
TYPES = {
    32818: (None, None),
    38000180: (None, None),
    32838: ("prescription", "record (prescription)"),
    32825: ("dispensing", "record (dispensing)"),
    32869: ("pharmacy claim", "record (pharmacy claim)"),
    32817: (None, "drug_type_concept_id"),
    0: (None, "drug_type_concept_id"),
    None: (None, "drug_type_concept_id"),
}


@pytest.mark.parametrize("kind", TYPES)
def test_only_administrations_are_runs(kind):
    reading = read_omop(table(row(drug_type_concept_id=kind), row(drug_exposure_id=2)))
    why, unreadable = TYPES[kind]
    rows = reading.administrations.collect()
    assert (rows["not_given"][0], rows["unreadable"][0]) == (why, unreadable)
    refused = sq.accept(reading.administrations).refused.collect()
    assert refused["unreadable"].to_list() == ([unreadable] if unreadable else [])
    if why:
        assert f"no runs, kept and refused: {why} (1)" in note(reading, "(rows)")
    elif unreadable:
        assert "see administration_types" in note(reading, "not_given")


def test_the_user_says_which_other_types_are_administrations():
    general = row(drug_type_concept_id=32817)
    assert first(general, administration_types=(32817,))["unreadable"] is None
    assert first(general, administration_types=[32818])["unreadable"] == "drug_type_concept_id"


#: concept, text: route, whether it is unreadable
ROUTES = [
    (4142048, None, "subcutaneous", False),
    (4171047, "SC", "intravenous", False),
    (4302612, None, "injection", False),
    (4132161, None, "other", False),
    (0, "SubQ", "subcutaneous", False),
    (None, "s.c. infusion", "subcutaneous", False),
    (999, "sq", "subcutaneous", False),
    (0, None, None, False),
    (None, None, None, False),
    (999, None, None, True),
    (0, "by mail", None, True),
]


@pytest.mark.parametrize(("concept", "text", "route", "unreadable"), ROUTES)
def test_routes(concept, text, route, unreadable):
    found = first(row(route_concept_id=concept, route_source_value=text))
    assert (found["route"], found["unreadable"]) == (route, "route" if unreadable else None)


#: quantity, unit: volume, dose, whether it is unreadable
AMOUNTS = [
    (20.0, "mL", 20.0, None, False),
    (2.0, "g", None, 2000.0, False),
    (250.0, "mcg", None, 0.25, False),
    (3.0, "vial", None, None, False),
    (3.0, None, None, None, False),
    (None, "mL", None, None, False),
    (float("inf"), "mL", None, None, True),
]


@pytest.mark.parametrize(("quantity", "unit", "volume", "dose", "unreadable"), AMOUNTS)
def test_amounts(quantity, unit, volume, dose, unreadable):
    found = first(row(quantity=quantity, dose_unit_source_value=unit))
    assert (found["volume_ml"], found["dose_mg"]) == (volume, dose)
    assert found["unreadable"] == ("quantity" if unreadable else None)


def test_units_and_routes_not_known_are_counted():
    reading = read_omop(table(row(dose_unit_source_value="vial", route_concept_id=999), row()))
    assert note(reading, "dose_mg") == "unit not known: vial (1)"
    assert note(reading, "route") == "not known: 999 (1)"


@pytest.mark.parametrize("visit", [None, 0])
def test_rows_without_a_visit_are_not_thrown_together(visit):
    assert first(row(visit_occurrence_id=visit), row())["encounter_id"] is None


def test_files_in_capitals_read_as_the_table(tmp_path):
    rows = table(row(), row(drug_exposure_id=2, drug_type_concept_id=32838))
    wanted = read_omop(rows).administrations.collect()
    capitals = rows.rename(str.upper)
    capitals.write_csv(tmp_path / "de.csv", datetime_format="%Y-%m-%d %H:%M:%S")
    capitals.write_parquet(tmp_path / "de.parquet")
    for name in ("de.csv", "de.parquet"):
        assert_frame_equal(read_omop(tmp_path / name).administrations.collect(), wanted)
    assert_frame_equal(read_omop(capitals.lazy()).administrations.collect(), wanted)


def test_a_broken_line_costs_only_itself(tmp_path):
    path = tmp_path / "de.csv"
    table(row(), row(drug_exposure_id=2)).write_csv(path, datetime_format="%Y-%m-%d %H:%M:%S")
    path.write_text(path.read_text() + "3,5,7\n")
    rows = read_omop(path).administrations.collect()
    assert rows["unreadable"].to_list() == [None, None, "line"]


def test_times_with_a_zone_are_local_times():
    utc = pl.col("^.*datetime$").dt.replace_time_zone("UTC")
    found = read_omop(table(row()).with_columns(utc), facility_zone=ZONE).administrations.collect()
    assert found["start_at"].dt.to_string("%H:%M %Z").to_list() == ["04:00 EST"]


def test_text_that_is_no_time_is_unreadable(tmp_path):
    path = tmp_path / "de.csv"
    text = pl.col("^.*datetime$").dt.to_string("%Y-%m-%d %H:%M")
    bad = {"drug_exposure_start_datetime": "soon"}
    rows = table(row(), row()).with_columns(text)
    rows = pl.concat([rows, rows.head(1).with_columns(**{k: pl.lit(v) for k, v in bad.items()})])
    rows.write_csv(path)
    assert read_omop(path).administrations.collect()["unreadable"][2] == "start_at"


WRONG = {
    "no clock times": (
        pl.DataFrame({"visit_occurrence_id": [1], "drug_type_concept_id": [32818]}),
        {},
        "no column 'drug_exposure_start_datetime'",
    ),
    "dates only": (
        table(row()).with_columns(pl.col("^.*datetime$").dt.date()),
        {},
        "holds dates without a clock time",
    ),
    "a column twice": (
        table(row()).with_columns(QUANTITY=pl.lit(1)),
        {},
        "has column 'quantity' more than once",
    ),
    "too many rows": (table(row(), row()), {"max_rows": 1}, r"more than 1 rows \(max_rows\)"),
    "UTC without a zone": (
        table(row()).with_columns(pl.col("^.*datetime$").dt.replace_time_zone("UTC")),
        {},
        "universal time",
    ),
    "a zone nobody knows": (table(row()), {"facility_zone": "Eastern"}, "not a known time zone"),
    "no table": ([row()], {}, "Hand in drug_exposure as a Polars frame"),
    "a file that is not there": ("gone.csv", {}, "There is no file 'gone.csv'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said(name):
    source, options, message = WRONG[name]
    with pytest.raises(sq.InputError, match=message):
        read_omop(source, **options)


def test_a_file_that_is_too_large(tmp_path):
    table(row()).write_parquet(tmp_path / "de.parquet")
    with pytest.raises(sq.InputError, match=r"'de.parquet' has .* or state a larger limit"):
        read_omop(tmp_path / "de.parquet", max_bytes=100)


def test_a_damaged_parquet_file(tmp_path):
    (tmp_path / "de.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(sq.InputError, match=r"'de.parquet' is not a Parquet file"):
        read_omop(tmp_path / "de.parquet")


def test_what_is_written_comes_back_and_is_coded_alike():
    charted = administrations(400, seed=12).unique(maintain_order=True)
    start, stop = pl.col("start_at"), pl.col("stop_at")
    charted = charted.filter(start.is_not_null(), (start != stop).fill_null(True))
    back = read_omop(drug_exposure(charted)).administrations.collect()
    assert back["not_given"].value_counts().filter(pl.col("not_given").is_not_null()).rows() == [
        ("prescription", charted["encounter_id"].n_unique())
    ]
    bare = pl.col("start_at", "stop_at").dt.replace_time_zone(None)
    number = pl.col("encounter_id").str.extract(r"0*(\d+)$")
    wanted = charted.select("start_at", "stop_at", "route", encounter_id=number).with_columns(bare)
    got = back.filter(pl.col("not_given").is_null()).select(wanted.columns)
    order = ["encounter_id", "start_at", "stop_at", "route"]
    assert_frame_equal(got.sort(order), wanted.sort(order))
    coded = [
        sq.code_administrations(rows, facility_zone=ZONE).encounters.collect().drop("pumps")
        for rows in (wanted, back.select(wanted.columns).filter(back["not_given"].is_null()))
    ]
    assert_frame_equal(*coded)
    assert coded[0]["units_96369"].sum() > 100


def test_the_bundled_sample():
    reading = read_omop(dataset("clinical_exports") / "drug_exposure.csv")
    rows = reading.administrations.collect()
    assert note(reading, "(rows)") == "no runs, kept and refused: prescription (40)"
    assert rows.height == 125
    assert note(reading, "stop_at").startswith("48 ends are the start again or midnight")
    assert rows["encounter_id"].n_unique() == 40
    assert rows["start_at"].dt.date().min() >= date(2024, 11, 1)


@pytest.mark.parametrize(
    ("stated", "says"),
    [
        ({"administration_types": 32817}, "administration_types are concept numbers"),
        ({"administration_types": ("32817",)}, "administration_types are concept numbers"),
        ({"administration_types": "32817"}, "administration_types are concept numbers"),
        ({"facility_zone": []}, "facility_zone is the name of a zone"),
        ({"max_rows": "5"}, "max_bytes and max_rows are whole numbers"),
        ({"max_bytes": None}, "max_bytes and max_rows are whole numbers"),
    ],
)
def test_arguments_of_another_kind(stated: dict, says: str) -> None:
    with pytest.raises(sq.InputError, match=says):
        sq.read_omop(pl.DataFrame(), **stated)
