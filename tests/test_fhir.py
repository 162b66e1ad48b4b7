"""FHIR in: every status, every release, odd JSON, and what comes back of what was written."""

import gzip
import json
import os
import subprocess
import sys
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import subq_toolkit as sq
from subq_toolkit.catalog import dataset
from subq_toolkit.effective import STANDINGS, read_table, sources
from subq_toolkit.readers import fhir_json, fhir_shape
from subq_toolkit.readers.fhir import read_fhir
from subq_toolkit.synthetic import administrations
from subq_toolkit.synthetic.clinical_exports import (
    CARRIED,
    fhir_bundle,
    fhir_resources,
    write_samples,
)

ZONE = "America/New_York"
SCT = "http://snomed.info/sct"
RELEASES = ("R4", "R5")


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, 2, hour, minute, tzinfo=ZoneInfo(ZONE))


def coded(code: str, system: str = SCT, **more: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, **more}]}


def r4(**changes: Any) -> dict[str, Any]:
    """One hour under the skin, 9 to 10 in New York; ``None`` takes an entry out."""
    sound = {
        "resourceType": "MedicationAdministration",
        "id": "a1",
        "status": "completed",
        "medicationCodeableConcept": {"text": "drug A"},
        "subject": {"reference": "Patient/p1"},
        "context": {"reference": "Encounter/e1"},
        "effectivePeriod": {"start": "2026-03-02T09:00:00-05:00", "end": "2026-03-02T15:00:00Z"},
        "dosage": {"route": coded("34206005")},
    }
    return {key: value for key, value in (sound | changes).items() if value is not None}


def r5(**changes: Any) -> dict[str, Any]:
    sound = r4() | {
        "encounter": {"reference": "Encounter/e1"},
        "medication": {"concept": {"text": "drug A"}},
        "occurencePeriod": r4()["effectivePeriod"],
    }
    for name in ("context", "effectivePeriod", "medicationCodeableConcept"):
        del sound[name]
    return {key: value for key, value in (sound | changes).items() if value is not None}


def ndjson(*resources: Any) -> str:
    """One line each; text is a line as it stands."""
    lines = (one if isinstance(one, str) else json.dumps(one) for one in resources)
    return "".join(f"{line}\n" for line in lines)


@pytest.fixture
def read(tmp_path):
    def reading(content: str | bytes, name: str = "export.ndjson", **options: Any):
        data = content.encode("utf-8") if isinstance(content, str) else content
        (tmp_path / name).write_bytes(data)
        return read_fhir(tmp_path / name, facility_zone=ZONE, **options)

    return reading


@pytest.fixture
def only(read):
    """Read one resource, beside a sound one so that the file has lines."""
    return lambda resource: (
        read(ndjson(resource, r4(id="z"))).administrations.collect().row(0, named=True)
    )


def report_of(reading, column: str) -> dict[str, Any]:
    return reading.report.filter(pl.col("column") == column).row(0, named=True)


@pytest.mark.parametrize("make", [r4, r5], ids=RELEASES)
def test_a_sound_resource_is_a_row(only, make):
    row = only(make())
    wanted = {
        "encounter_id": "e1",
        "patient_id": "p1",
        "start_at": at(9),
        "stop_at": at(10),
        "route": "subcutaneous",
        "drug": "drug A",
        "administration_id": "a1",
        "status": "completed",
        "not_given": None,
        "unreadable": None,
    }
    assert {name: row[name] for name in wanted} == wanted


#: status: its stop, why nothing was given, what is unreadable, the outcome
STATUSES = {
    "completed": (at(10), None, None, "coded"),
    "stopped": (at(10), None, None, "coded"),
    "on-hold": (at(10), None, None, "coded"),
    "in-progress": (None, None, None, "query"),
    "not-done": (at(10), "not done", "status (not done)", "refused"),
    "entered-in-error": (at(10), "entered in error", "status (entered in error)", "refused"),
    "unknown": (at(10), None, "status", "refused"),
    "finished": (at(10), None, "status", "refused"),
    None: (at(10), None, "status", "refused"),
}


@pytest.mark.parametrize("make", [r4, r5], ids=RELEASES)
@pytest.mark.parametrize("status", STATUSES, ids=str)
def test_every_status(read, status, make):
    reading = read(json.dumps(make(status=status)), "one.json")
    stop, why, unreadable, outcome = STATUSES[status]
    row = reading.administrations.collect().row(0, named=True)
    assert (row["stop_at"], row["not_given"], row["unreadable"]) == (stop, why, unreadable)
    counts = sq.code_administrations(reading.administrations).reconcile()
    assert counts == dict.fromkeys(counts, 0) | {"rows_in": 1, outcome: 1}


def test_on_hold_without_an_end_leads_to_a_query(read):
    held = r4(status="on-hold", effectivePeriod={"start": "2026-03-02T09:00:00-05:00"})
    coded_rows = sq.code_administrations(read(json.dumps(held), "one.json").administrations)
    assert coded_rows.reconcile()["query"] == 1


def test_the_report_says_what_was_not_given_and_what_else_there_was(read):
    reading = read(
        ndjson(
            r4(),
            r4(id="b", status="not-done"),
            r4(id="c", status="not-done"),
            r4(id="d", status="entered-in-error"),
            r4(id="e", status="in-progress"),
            r4(id="f", status="gone fishing"),
            {"resourceType": "Observation", "id": "o"},
            {"resourceType": "Patient", "id": "p"},
            {"resourceType": "Observation", "id": "q"},
            "{broken",
        )
    )
    whole = report_of(reading, "(rows)")
    assert (whole["rows"], whole["filled"], whole["unreadable"]) == (7, 2, 5)
    assert whole["note"] == (
        "1 lines or entries are no resource that can be read; "
        "not given, kept and refused: not done (2), entered in error (1); "
        "other resources, not read as runs: Observation (2), Patient (1)"
    )
    assert "1 are in progress" in report_of(reading, "stop_at")["note"]
    status = report_of(reading, "status")
    assert status["unreadable"] == 1
    assert status["note"] == "cannot tell whether it was given: (text not shown) (1)"


def version(day: int, **changes: Any) -> dict[str, Any]:
    return r4(meta={"lastUpdated": f"2026-03-{day:02d}T12:00:00Z"}, **changes)


def test_only_the_latest_version_of_a_resource_counts(read):
    rows = read(
        ndjson(version(2, status="in-progress"), version(3), r4(id="b"), r4(id=None), r4(id=None))
    ).administrations.collect()
    assert rows["not_given"].to_list() == ["older version", None, None, None, None]


#: dosage.route: route, whether the row is unreadable
V3 = "http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration"
ROUTES = {
    "SNOMED subcutaneous": (coded("34206005"), "subcutaneous", False),
    "SNOMED intravenous": (coded("47625008"), "intravenous", False),
    "SNOMED intramuscular": (coded("78421000"), "injection", False),
    "SNOMED oral": (coded("26643006"), "other", False),
    "HL7 infusion": (coded("SQINFUS", V3), "subcutaneous", False),
    "HL7 SQ": (coded("SQ", V3), "subcutaneous", False),
    "code of another system": (coded("34206005", "http://loinc.org"), None, True),
    "unknown code": (coded("1"), None, True),
    "unknown code with known text": ({**coded("1"), "text": "SubQ"}, "subcutaneous", False),
    "unknown code with known display": (coded("1", display="IV piggyback"), "intravenous", False),
    "text alone": ({"text": " sub-q "}, "subcutaneous", False),
    "unknown text": ({"text": "by mail"}, None, True),
    "blank text": ({"text": " "}, None, False),
    "nothing in it": ({}, None, False),
    "unknown first": (
        {"coding": [{"system": "urn:oid:1.2", "code": "SC7"}, *coded("34206005")["coding"]]},
        "subcutaneous",
        False,
    ),
    "coding without a code": (
        {"coding": [{"system": SCT}, *coded("34206005")["coding"]]},
        "subcutaneous",
        False,
    ),
    "two that disagree": (
        {"coding": [*coded("34206005")["coding"], *coded("47625008")["coding"]]},
        None,
        True,
    ),
    "code and text that disagree": ({**coded("34206005"), "text": "IV"}, None, True),
    "text says injection": (
        {**coded("34206005"), "text": "subcutaneous injection"},
        "injection",
        False,
    ),
}


@pytest.mark.parametrize("name", ROUTES)
def test_routes(only, name):
    charted, route, unreadable = ROUTES[name]
    row = only(r4(dosage={"route": charted}))
    assert (row["route"], row["unreadable"]) == (route, "route" if unreadable else None)


def test_without_dosage_the_route_is_not_assumed(only):
    row = only(r4(dosage=None))
    assert (row["route"], row["unreadable"]) == (None, None)


@pytest.mark.parametrize("method", [coded("740685003"), {"text": "SC injection"}])
def test_a_subcutaneous_injection_is_no_infusion(only, method):
    assert only(r4(dosage={"route": coded("34206005"), "method": method}))["route"] == "injection"


def test_codes_not_known_are_counted_but_no_text(read):
    odd = [r4(dosage={"route": coded(code, "urn:oid:1.2")}) for code in ("7", "7", "8", "J. Doe")]
    reading = read(ndjson(*odd))
    assert report_of(reading, "route")["note"] == (
        "not known: urn:oid:1.2|7 (2), (text not shown) (1), urn:oid:1.2|8 (1)"
    )
    assert "Doe" not in str(reading.report.rows())


#: dosage: volume, dose, rate, mass rate
QUANTITIES = {
    "mL": ({"dose": {"value": 20, "unit": "mL", "code": "mL"}}, (20, None, None, None)),
    "litre": ({"dose": {"value": 0.5, "code": "L"}}, (500, None, None, None)),
    "mg": ({"dose": {"value": 3, "unit": "mg"}}, (None, 3, None, None)),
    "gram": ({"dose": {"value": 2.5, "unit": "g"}}, (None, 2500, None, None)),
    "microgram": ({"dose": {"value": 250, "code": "ug"}}, (None, 0.25, None, None)),
    "units": ({"dose": {"value": 5, "code": "[iU]"}}, (None, None, None, None)),
    "code unknown, unit known": (
        {"dose": {"value": 1, "code": "X", "unit": "ML"}},
        (1, None, None, None),
    ),
    "mL/h": ({"rateQuantity": {"value": 40, "code": "mL/h"}}, (None, None, 40, None)),
    "mL/min": ({"rateQuantity": {"value": 0.5, "code": "mL/min"}}, (None, None, 30, None)),
    "mL per hour": ({"rateQuantity": {"value": 4, "unit": "mL per hr"}}, (None, None, 4, None)),
    "mg/h": ({"rateQuantity": {"value": 6, "code": "mg/h"}}, (None, None, None, 6)),
    "ug/min": ({"rateQuantity": {"value": 50, "code": "ug/min"}}, (None, None, None, 3)),
    "by weight": ({"rateQuantity": {"value": 6, "code": "mg/kg/h"}}, (None, None, None, None)),
    "1000 mL in 8 h": (
        {
            "rateRatio": {
                "numerator": {"value": 1000, "code": "mL"},
                "denominator": {"value": 8, "code": "h"},
            }
        },
        (None, None, 125, None),
    ),
    "30 mg in 15 min": (
        {
            "rateRatio": {
                "numerator": {"value": 30, "unit": "mg"},
                "denominator": {"value": 15, "unit": "min"},
            }
        },
        (None, None, None, 120),
    ),
    "in no time": (
        {
            "rateRatio": {
                "numerator": {"value": 30, "unit": "mL"},
                "denominator": {"value": 0, "unit": "h"},
            }
        },
        (None, None, None, None),
    ),
}


@pytest.mark.parametrize("name", QUANTITIES)
def test_amounts(only, name):
    dosage, wanted = QUANTITIES[name]
    row = only(r4(dosage=dosage))
    names = ("volume_ml", "dose_mg", "rate_ml_per_h", "rate_mg_per_h")
    assert tuple(row[one] for one in names) == pytest.approx(wanted)
    assert row["unreadable"] is None


def test_units_not_known_are_in_the_report(read):
    dosage = {
        "dose": {"value": 5, "system": "http://unitsofmeasure.org", "code": "[iU]"},
        "rateQuantity": {"value": 6, "unit": "mg/kg/h"},
    }
    reading = read(ndjson(r4(dosage=dosage), r4(id="b")))
    note = report_of(reading, "dose_mg")["note"]
    assert note == "unit not known: http://unitsofmeasure.org|[iU] (1)"
    assert report_of(reading, "rate_ml_per_h")["note"] == "unit not known: mg/kg/h (1)"


#: reference of the encounter: its id, whether it is unreadable
REFERENCES = {
    "Encounter/123": ("123", False),
    "Encounter/123/_history/4": ("123", False),
    "https://ehr.example/fhir/r4/Encounter/123": ("123", False),
    "https://ehr.example/Encounter/123/_history/1": ("123", False),
    "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0": (
        "0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0",
        False,
    ),
    "123": ("123", False),
    "EpisodeOfCare/55": (None, True),
    "#inside": (None, True),
    "": (None, True),
}


@pytest.mark.parametrize("reference", REFERENCES)
def test_references_to_the_encounter(only, reference):
    visit, unreadable = REFERENCES[reference]
    row = only(r4(context={"reference": reference}))
    assert row["encounter_id"] == visit
    assert row["unreadable"] == ("encounter_id" if unreadable else None)


def test_an_encounter_may_be_an_identifier_or_contained(only):
    by_number = {"identifier": {"system": "urn:csn", "value": "777"}}
    assert only(r4(context=by_number))["encounter_id"] == "777"
    inside = {"resourceType": "Encounter", "id": "e", "identifier": [{"value": "778"}]}
    row = only(r4(context={"reference": "#e"}, contained=[inside]))
    assert (row["encounter_id"], row["unreadable"]) == ("778", None)


def test_without_an_encounter_the_row_is_refused(read):
    reading = read(ndjson(r4(context=None), r4(id="b")))
    refused = sq.accept(reading.administrations).refused.collect()
    assert refused["failed"].to_list() == [["encounter is named"]]


DRUGS = {
    "text": ({"medicationCodeableConcept": {"text": "one", **coded("9", display="two")}}, "one"),
    "display": ({"medicationCodeableConcept": coded("9", display="two")}, "two"),
    "code": ({"medicationCodeableConcept": coded("9")}, "9"),
    "reference": ({"medicationReference": {"reference": "Medication/m1"}}, "three"),
    "display of a reference": (
        {"medicationReference": {"reference": "Medication/gone", "display": "four"}},
        "four",
    ),
    "contained": (
        {
            "medicationReference": {"reference": "#m"},
            "contained": [
                {"resourceType": "Medication", "id": "n", "code": {"text": "not this"}},
                {"resourceType": "Medication", "id": "m", "code": {"text": "five"}},
            ],
        },
        "five",
    ),
    "nothing": ({}, None),
}


@pytest.mark.parametrize("name", DRUGS)
def test_drugs(read, name):
    entries, drug = DRUGS[name]
    beside = {"resourceType": "Medication", "id": "m1", "code": {"text": "three"}}
    bare = r4(medicationCodeableConcept=None)
    rows = read(ndjson(bare | entries, beside, r4(id="b"))).administrations.collect()
    assert rows["drug"][0] == drug


@pytest.mark.parametrize(
    ("make", "device"),
    [
        (r4, {"reference": "Device/P7"}),
        (r4, {"display": "P7"}),
        (r4, {"identifier": {"value": "P7"}}),
        (r5, {"reference": {"reference": "Device/P7"}}),
        (r5, {"concept": {"text": "P7"}}),
    ],
)
def test_the_pump_is_the_device(read, make, device):
    rows = read(ndjson(make(device=[device]), make(id="b", device=[]))).administrations.collect()
    assert rows["pump_id"].to_list() == ["P7", None]


def test_the_first_of_several_devices_is_taken_and_said(read):
    reading = read(ndjson(r4(device=[{"reference": "Device/1"}, {"reference": "Device/2"}]), r4()))
    assert reading.administrations.collect()["pump_id"][0] == "1"
    assert report_of(reading, "pump_id")["note"] == "1 have several devices: the first is taken"


TIMES = {
    "2026-03-02T09:00:00-05:00": (at(9), False),
    "2026-03-02T14:00:00Z": (at(9), False),
    "2026-03-02T14:00:00.000+00:00": (at(9), False),
    "2026-03-02T09:00-05:00": (at(9), False),
    "2026-03-02T09:00:00": (at(9), False),
    "2026-03-02": (None, True),
    "2026-03": (None, True),
    "2026": (None, True),
    "2026-02-30T09:00:00Z": (None, True),
    "2026-03-02T24:00:00Z": (None, True),
    "2026-03-02T09:00:60Z": (None, True),
    "2026-03-08T02:30:00": (None, True),
    "0001-01-01T00:00:00Z": (None, True),
    "yesterday": (None, True),
}


@pytest.mark.parametrize("text", TIMES)
def test_times(only, text):
    start, unreadable = TIMES[text]
    row = only(r4(effectivePeriod={"start": text}))
    assert (row["start_at"], row["stop_at"]) == (start, None)
    assert row["unreadable"] == ("start_at" if unreadable else None)


def test_a_moment_is_a_start_without_a_stop(read):
    reading = read(
        ndjson(
            r4(effectivePeriod=None, effectiveDateTime="2026-03-02T14:00:00Z"),
            r5(id="b", occurencePeriod=None, occurenceDateTime="2026-03-02T14:00:00Z"),
            r5(id="c", occurencePeriod=None, occurenceTiming={"event": ["2026-03-02T14:00:00Z"]}),
        )
    )
    rows = reading.administrations.collect()
    assert rows["start_at"].to_list() == [at(9), at(9), None]
    assert rows["unreadable"].to_list() == [None, None, "start_at"]
    assert "2 have one moment and no period" in report_of(reading, "start_at")["note"]
    assert report_of(reading, "(rows)")["type"] == "FHIR R4 and R5"


def test_a_modifier_may_mean_the_opposite(only):
    modifier = [{"url": "http://example.org/not-really", "valueBoolean": True}]
    assert only(r4(modifierExtension=modifier))["unreadable"] == "modifierExtension"
    dosage = {"route": coded("34206005"), "modifierExtension": modifier}
    assert only(r4(dosage=dosage))["unreadable"] == "modifierExtension"


#: entries of another type than FHIR has: what is named as unreadable
ODD = {
    "context": ({"context": "Encounter/1"}, "context"),
    "status": ({"status": {"code": "completed"}}, "status"),
    "dosage is a list": ({"dosage": [{"route": coded("34206005")}]}, "dosage"),
    "period is text": ({"effectivePeriod": "2026-03-02"}, "effectivePeriod"),
    "coding is no list": ({"dosage": {"route": {"coding": {"code": "1"}}}}, "dosage.route.coding"),
    "words for an amount": (
        {"dosage": {"dose": {"value": "lots", "unit": "mL"}}},
        "dosage.dose.value",
    ),
    "an amount beyond all": (
        {"dosage": {"dose": {"value": 10**400, "unit": "mL"}}},
        "dosage.dose.value",
    ),
    "meta and contained decide nothing": ({"meta": [], "contained": 3}, None),
}


@pytest.mark.parametrize("name", ODD)
def test_entries_of_another_type(only, name):
    changes, unreadable = ODD[name]
    assert only(r4(**changes))["unreadable"] == unreadable


def test_a_number_written_as_text_is_a_number(only):
    assert only(r4(dosage={"dose": {"value": "12.5", "unit": "mL"}}))["volume_ml"] == 12.5


BROKEN_LINES = {
    "cut short": '{"resourceType":"MedicationAdministration","id":"x"',
    "no JSON": "hello",
    "null": "null",
    "a list": "[1,2]",
    "not a resource": '{"id":"x"}',
    "NaN": '{"resourceType":"MedicationAdministration","x":NaN}',
    "infinite": '{"resourceType":"MedicationAdministration","dosage":{"dose":{"value":1e999}}',
    "two on one line": f"{json.dumps(r4())},{json.dumps(r4())}",
    "deep": '{"resourceType":"MedicationAdministration","x":' + "[" * 60_000 + "]" * 60_000 + "}",
}


@pytest.mark.parametrize("name", BROKEN_LINES)
def test_a_broken_line_costs_only_itself(read, name):
    reading = read(ndjson(r4(), r4(id="b"), BROKEN_LINES[name], r5(id="c")))
    rows = reading.administrations.collect()
    assert rows["unreadable"].to_list() == [None, None, "line", None]
    assert rows["administration_id"].to_list() == ["a1", "b", None, "c"]
    refused = sq.accept(reading.administrations).refused.collect()
    assert refused.select("row", "unreadable").rows() == [(3, "line")]


def test_a_line_that_is_not_utf8_costs_only_itself(read):
    good = json.dumps(r4()).encode()
    rows = read(good + b'\n{"id":"\xff"}\n' + good + b"\n").administrations.collect()
    assert rows["unreadable"].to_list() == [None, "line", None]


SHAPES = {
    "byte order mark": "\ufeff" + ndjson(r4(), r4(id="b")),
    "blank lines": "\n\n" + ndjson(r4(), "", " ", r4(id="b")) + "\r\n",
    "ends of lines from Windows": ndjson(r4(), r4(id="b")).replace("\n", "\r\n"),
    "list of resources": json.dumps([r4(), r4(id="b")]),
    "list, one on each line": f"[\n{json.dumps(r4())},\n{json.dumps(r4(id='b'))}\n]",
    "indented": json.dumps([r4(), r4(id="b")], indent=1),
    "Bundle": json.dumps(
        {
            "resourceType": "Bundle",
            "entry": [{"resource": r4()}, {}, {"resource": r4(id="b")}],
        }
    ),
    "Bundle in a Bundle": json.dumps(
        {
            "resourceType": "Bundle",
            "entry": [
                {"resource": {"resourceType": "Bundle", "entry": [{"resource": r4()}]}},
                {"resource": r4(id="b")},
            ],
        }
    ),
    "Bundles as lines": ndjson(
        {"resourceType": "Bundle", "entry": [{"resource": r4()}]},
        {"resourceType": "Bundle", "entry": [{"resource": r4(id="b")}]},
    ),
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("packed", [False, True])
def test_shapes_of_a_file(read, name, packed):
    data = SHAPES[name].encode()
    reading = read(gzip.compress(data) if packed else data, "x.json.gz" if packed else "x.json")
    rows = reading.administrations.collect()
    assert rows["administration_id"].to_list() == ["a1", "b"]
    assert rows["unreadable"].to_list() == [None, None]


def test_a_folder_and_a_list_are_read_in_order_with_what_they_refer_to(tmp_path):
    lines = {
        "1.MedicationAdministration.ndjson": [r4(), r4(id="b")],
        "2.MedicationAdministration.jsonl": [
            r4(
                id="c",
                medicationCodeableConcept=None,
                medicationReference={"reference": "Medication/m1"},
            ),
            r4(id="d"),
        ],
        "3.Encounter.ndjson": [
            {
                "resourceType": "Encounter",
                "id": "e1",
                "class": {"code": "EMER"},
                "period": {"end": "2026-03-02T16:00:00Z"},
            },
            {"resourceType": "Encounter", "id": "e2", "class": [coded("HH")]},
        ],
        "4.Medication.ndjson": [
            {"resourceType": "Medication", "id": "m1", "code": {"text": "three"}},
            {"resourceType": "Medication", "id": "m2"},
        ],
    }
    for name, resources in lines.items():
        (tmp_path / name).write_text(ndjson(*resources))
    (tmp_path / "readme.txt").write_text("not read")
    rows = read_fhir(tmp_path, facility_zone=ZONE).administrations.collect()
    assert rows["administration_id"].to_list() == ["a1", "b", "c", "d"]
    assert rows["drug"].to_list() == ["drug A", "drug A", "three", "drug A"]
    assert rows["discharge_at"].to_list() == [at(11)] * 4
    assert rows["setting"].to_list() == ["emergency"] * 4
    listed = [tmp_path / name for name in reversed(lines)]
    turned = read_fhir(listed, facility_zone=ZONE).administrations.collect()
    assert turned["administration_id"].to_list() == ["c", "d", "a1", "b"]


WRONG = {
    "empty": ("", {}, "is empty: it holds no resource"),
    "blank": ("\n \n", {}, "is empty: it holds no resource"),
    "UTF-16": (json.dumps(r4()).encode("utf-16"), {}, "must be UTF-8. Save it again"),
    "no JSON": ("hello\n", {}, "is not JSON: it breaks off or goes wrong at line 1"),
    "not UTF-8": (b'{"id": "\xff"}', {}, "is not UTF-8, as JSON must be"),
    "a number": ("3", {}, "is JSON, but no FHIR"),
    "no FHIR": ('{"patient": "J. Doe"}', {}, "it has no resourceType"),
    "deep": ("[" * 100_000, {}, "nested too deeply"),
    "no administrations": (
        ndjson({"resourceType": "Patient"}, {"resourceType": "Patient"}),
        {},
        r"holds no MedicationAdministration. It holds: Patient \(2\). Export that",
    ),
    "an empty Bundle": ('{"resourceType": "Bundle"}', {}, "It holds: nothing"),
    "too many rows": (ndjson(*[r4()] * 3), {"max_rows": 2}, r"more than 2 administrations \(max_"),
    "too many bytes": (ndjson(r4()), {"max_bytes": 100}, r"more than 100 bytes \(max_bytes\)"),
    "a packed bomb": (
        gzip.compress(b" " * 5_000_000),
        {"max_bytes": 1_000_000},
        "unpacks to more than 1,000,000 bytes .* state a higher max_bytes",
    ),
    "cut gzip": (gzip.compress(ndjson(r4(), r4()).encode())[:-9], {}, "damaged or cut short"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_with_the_file_and_no_value(read, name):
    content, options, message = WRONG[name]
    with pytest.raises(sq.InputError, match=message) as error:
        read(content, "export.json", **options)
    assert "'export.json'" in str(error.value)
    assert "Doe" not in str(error.value)


def test_limits_hold_on_both_sides(read):
    content = ndjson(*[r4()] * 3)
    assert read(content, max_rows=3, max_bytes=len(content)).report["rows"][0] == 3
    with pytest.raises(sq.InputError, match="max_bytes"):
        read(content, max_bytes=len(content) - 1)


def test_paths_and_zones_that_are_wrong(tmp_path):
    for path, message in (
        (tmp_path / "gone.json", "There is no file 'gone.json'"),
        (tmp_path, "holds no file ending in .ndjson, .jsonl, .json"),
        ([], "list of files is empty"),
    ):
        with pytest.raises(sq.InputError, match=message):
            read_fhir(path, facility_zone=ZONE)
    with pytest.raises(sq.InputError, match="State the zone"):
        read_fhir(tmp_path, facility_zone=None)
    with pytest.raises(sq.InputError, match="is not a known time zone"):
        read_fhir(tmp_path, facility_zone="Eastern")


def test_the_slow_way_reads_as_the_quick_one(monkeypatch, tmp_path):
    for release in RELEASES:
        lines = fhir_resources(administrations(60, seed=5), release=release)
        (tmp_path / "export.ndjson").write_text(ndjson(*lines))
        quick = read_fhir(tmp_path / "export.ndjson", facility_zone=ZONE)
        with monkeypatch.context() as patch:
            patch.setattr("subq_toolkit.readers.fhir_resources.by_polars", lambda lines: None)
            slow = read_fhir(tmp_path / "export.ndjson", facility_zone=ZONE)
        assert fhir_shape.by_polars(pl.Series([json.dumps(one) for one in lines])) is not None
        assert_frame_equal(quick.administrations.collect(), slow.administrations.collect())
        assert_frame_equal(quick.report, slow.report)


UNITS = [f"units_{code}" for code in (96369, 96370, 96371, 96372)]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("bundle", [False, True])
def test_what_is_written_comes_back_and_is_coded_alike(tmp_path, release, bundle):
    charted = administrations(400, seed=11).unique(maintain_order=True)
    if bundle:
        content = json.dumps(fhir_bundle(charted, release=release))
    else:
        content = ndjson(*fhir_resources(charted, release=release))
    (tmp_path / "export.json").write_text(content)
    back = read_fhir(tmp_path / "export.json", facility_zone=ZONE).administrations.collect()
    one_amount = pl.when(pl.col("dose_mg").is_null()).then("volume_ml").alias("volume_ml")
    sent = charted.select(CARRIED).with_columns(one_amount)
    assert_frame_equal(back.select(CARRIED), sent)
    assert back["unreadable"].null_count() == back.height
    wanted, got = (
        sq.code_administrations(rows.select(CARRIED)).encounters.collect()
        for rows in (charted, back)
    )
    columns = ["encounter_id", "outcome", "infusion_min", *UNITS]
    assert_frame_equal(got.select(columns), wanted.select(columns))
    assert wanted["units_96369"].sum() > 100


@pytest.mark.parametrize("release", RELEASES)
def test_samples_are_valid_fhir(release):
    if release == "R5":
        from fhir.resources.bundle import Bundle
        from fhir.resources.medicationadministration import MedicationAdministration
    else:
        from fhir.resources.R4B.bundle import Bundle
        from fhir.resources.R4B.medicationadministration import MedicationAdministration
    folder = dataset("clinical_exports")
    lines = (folder / f"fhir_{release.lower()}.ndjson").read_text("utf-8").splitlines()
    for line in lines:
        MedicationAdministration.model_validate_json(line)
    assert len(lines) > 40
    bundle = (folder / f"fhir_{release.lower()}_bundle.json").read_text("utf-8")
    assert len(Bundle.model_validate_json(bundle).entry) > 20


def test_the_bundled_samples_are_what_is_written(tmp_path):
    for written in write_samples(tmp_path):
        assert written.read_bytes() == (dataset("clinical_exports") / written.name).read_bytes()


def test_every_coding_has_a_source_a_standing_and_one_meaning():
    seen = []
    for kind, tables in read_table("codings").items():
        for name, entry in tables.items():
            assert entry["source"] in sources(), (kind, name)
            assert entry["standing"] in STANDINGS, (kind, name)
            codes = [code for codes in entry.values() if isinstance(codes, list) for code in codes]
            assert codes or "read_as" in entry, (kind, name)
            seen += [(kind, entry.get("system", name), code) for code in codes]
    assert len(seen) == len(set(seen))


def test_reading_fhir_imports_no_validator():
    for path in Path(sq.__file__).parent.rglob("*.py"):
        assert "fhir.resources" not in path.read_text("utf-8"), path.name


def test_the_readme_counts_what_is_planted():
    text = (dataset("clinical_exports") / "README.md").read_text("utf-8")
    cells = [[cell.strip(" `") for cell in line.split("|")] for line in text.splitlines()]
    said = {row[1]: int(row[3]) for row in cells if len(row) == 6 and row[3].isdigit()}
    files = {row[1]: int(row[3]) for row in cells if len(row) == 6 and "." in row[1]}
    statuses = ("not-done", "entered-in-error", "stopped", "in-progress")
    for name in ("fhir_r4.ndjson", "fhir_r5.ndjson"):
        reading = read_fhir(dataset("clinical_exports") / name, facility_zone=ZONE)
        rows = reading.administrations.collect()
        counts = dict(rows["status"].value_counts().rows())
        assert {one: counts[one] for one in statuses} == {one: said[one] for one in statuses}
        moments = report_of(reading, "start_at")["note"].split()[0]
        assert int(moments) == said["one moment, no period"]
    for name, count in files.items():
        if name.startswith("fhir"):
            reading = read_fhir(dataset("clinical_exports") / name, facility_zone=ZONE)
            assert reading.report["rows"][0] == count, name


def test_lines_that_only_together_are_json_are_not_read_together():
    whole = json.dumps(r4())
    assert fhir_shape.by_polars(pl.Series([whole, whole])).height == 2
    assert fhir_shape.by_polars(pl.Series([f"{whole},{whole}", whole])) is None
    assert fhir_shape.by_polars(pl.Series([whole, json.dumps(r5())])) is None
    assert fhir_shape.by_polars(pl.Series([whole, '{"resourceType":"Patient"}'])) is None


def twice(name: str, first: str, **changes: Any) -> str:
    """A resource as text that has an entry of this name once more, before all others."""
    return f'{{"{name}": {first}, {json.dumps(r4(**changes))[1:]}'


DOUBLE = {
    "status": twice("status", '"entered-in-error"'),
    "spelled otherwise": twice("st\\u0061tus", '"entered-in-error"'),
    "inside": json.dumps(r4()).replace('"start"', '"end": "2026-03-02T14:30:00Z", "start"'),
    "not taken": twice("note", "[]", note=[]),
    "the type": twice("resourceType", '"MedicationAdministration"'),
    "the type, another first": twice("resourceType", '"Observation"'),
}


def bundle_of(*resources: str) -> str:
    entries = ", ".join(f'{{"resource": {one}}}' for one in resources)
    return f'{{"resourceType": "Bundle", "entry": [{entries}]}}'


def in_every_shape(*resources: str) -> dict[str, str]:
    """The same resources as lines, as a Bundle, as a list, in small and in large files."""
    blank = " " * 100
    return {
        "lines": "\n".join(resources),
        "lines with others": "\n".join([*resources, '{"resourceType": "Patient"}']),
        "list": f"[{', '.join(resources)}]",
        "Bundle": bundle_of(*resources),
        "indented": f"{{{blank}\n{bundle_of(*resources)[1:]}\n{blank}",
        "Bundle in a Bundle": bundle_of(*(bundle_of(one) for one in resources)),
    }


@pytest.mark.parametrize("name", DOUBLE)
def test_an_entry_that_stands_twice_costs_the_resource_in_every_shape(read, name):
    sound = [json.dumps(r4(id=one)) for one in "bc"]
    shapes = in_every_shape(sound[0], DOUBLE[name], sound[1])
    packed = {f"{shape}, packed": gzip.compress(shapes[shape].encode()) for shape in (*shapes,)[:1]}
    for shape, content in (shapes | packed).items():
        reading = read(content)
        rows = reading.administrations.collect()
        assert rows["administration_id"].to_list() == ["b", None, "c"], shape
        assert rows["unreadable"].to_list() == [None, "line, entry twice", None], shape
        note = report_of(reading, "(rows)")["note"]
        assert "1 lines or entries are no resource" in note, shape
        assert "1 of them have two entries of one name" in note, shape
        accepted, refused = sq.accept(reading.administrations)[:2]
        counts = [one.select(pl.len()).collect().item() for one in (accepted, refused)]
        assert counts == [2, 1], shape


def test_another_resource_with_an_entry_twice_is_counted_as_what_it_is(read):
    other = '{"resourceType": "Patient", "id": "p", "id": "q"}'
    for shape, text in in_every_shape(json.dumps(r4()), other).items():
        if shape == "Bundle in a Bundle":
            continue
        reading = read(text)
        assert reading.report["rows"][0] == 1, shape
        assert "Patient (" in report_of(reading, "(rows)")["note"], shape


def test_a_single_resource_with_an_entry_twice_is_one_refused_row(read):
    rows = read(twice("status", '"stopped"')).administrations.collect()
    assert rows["unreadable"].to_list() == ["line, entry twice"]


def test_entries_that_are_no_resource_are_refused_rows(read):
    odd = ["null", "5", '"text"', "[1]", "[]", "true", '{"id": "x"}', '{"resourceType": 5}']
    text = bundle_of(json.dumps(r4()), *odd)
    bare = f"[{json.dumps(r4())}, {', '.join(odd)}]"
    held = [f'{{"resource": {json.dumps(r4())}}}', *odd[:6], json.dumps(r4()), "{}"]
    entries = f'{{"resourceType": "Bundle", "entry": [{", ".join(held)}]}}'
    for content, refused in ((text, len(odd)), (bare, len(odd)), (entries, 7)):
        reading = read(content)
        rows = reading.administrations.collect()
        assert rows["unreadable"].to_list() == [None, *["line"] * refused]
        assert f"{refused} lines or entries are no" in report_of(reading, "(rows)")["note"]
    assert "(empty) (1)" in report_of(reading, "(rows)")["note"]
    for entry in ('"x"', "5"):
        assert read(f'{{"resourceType": "Bundle", "entry": {entry}}}').report["rows"][0] == 1


def test_a_broken_bundle_on_a_line_is_a_refused_row(read):
    rows = read(ndjson(r4(), '{"resourceType": "Bundle", "entry": ['))
    assert rows.administrations.collect()["unreadable"].to_list() == [None, "line"]


def test_the_type_may_stand_anywhere(read):
    odd = {key: r4()[key] for key in sorted(r4(), reverse=True)}
    held = {"contained": [{"resourceType": "Organization"}], **odd}
    rows = read(ndjson(r4(), held, {"id": "x", "resourceType": "Patient"}))
    assert rows.administrations.collect()["administration_id"].to_list() == ["a1", "a1"]
    assert "Patient (1)" in report_of(rows, "(rows)")["note"]
    late = json.dumps({"entry": [{"resource": r4()}], "resourceType": "Bundle"})
    assert read(late).report["rows"][0] == 1


def test_a_number_of_many_digits_costs_at_most_its_entry(read):
    line = json.dumps(r4(x=0)).replace('"x": 0', f'"x": {"9" * 5_000}')
    dose = json.dumps(r4(dosage={"dose": {"value": 0, "unit": "mL"}}))
    dose = dose.replace('"value": 0', f'"value": {"9" * 5_000}')
    for content in (f"{line}\n{dose}\n{line}", f"[{line}, {dose}, {line}]"):
        rows = read(content).administrations.collect()
        assert rows["unreadable"].to_list() == [None, "dosage.dose.value", None]


def test_half_a_character_is_no_text(read):
    half = json.dumps(r4(id="x")).replace('"x"', '"x\\ud800"')
    visit = json.dumps({"resourceType": "Encounter", "id": "e\ud800", "class": {"code": "\ud800"}})
    address = {"fullUrl": "urn:uuid:\ud800", "resource": r4(id="c")}
    line = json.dumps({"resourceType": "Bundle", "entry": [address]})
    rows = read(ndjson(r4(), half, visit, line)).administrations.collect()
    assert rows["unreadable"].to_list() == [None, "id", None]
    quick = read(ndjson(r4(), half)).administrations.collect()
    assert quick["unreadable"].to_list() == [None, "id"]
    whole = json.dumps(r4(id="\U0001f489"))
    rows = read(f"{whole}\n{half}").administrations.collect()
    assert rows["administration_id"].to_list() == ["\U0001f489", None]


NO_TEXT = {
    "id": (r4, lambda odd: {"id": odd}),
    "context.reference": (r4, lambda odd: {"context": {"reference": odd}}),
    "context.identifier.value": (r4, lambda odd: {"context": {"identifier": {"value": odd}}}),
    "device.reference.reference": (r4, lambda odd: {"device": [{"reference": odd}]}),
    "effectivePeriod.end": (r4, lambda odd: {"effectivePeriod": {"start": None, "end": odd}}),
    "encounter.reference": (r5, lambda odd: {"encounter": {"reference": odd}}),
    "dosage.route.coding.code": (r4, lambda odd: {"dosage": {"route": coded(odd)}}),
}


@pytest.mark.parametrize("entry", NO_TEXT)
def test_a_number_is_no_text_in_any_shape(read, entry):
    make, changes = NO_TEXT[entry]
    odd = [json.dumps(make(**changes(one))) for one in (5, 1e308, True)]
    for one, shape in product(odd, ("lines", "list")):
        text = in_every_shape(one, json.dumps(make(id="b")))[shape]
        rows = read(text).administrations.collect()
        named = [one for one in rows["unreadable"].to_list() if one]
        assert len(named) == 1, shape
        assert entry in named[0].split(", "), shape


@pytest.mark.parametrize("dose", [True, "1_0", "٣", "0x10", "nan", "", [1]])
def test_what_is_no_number_is_no_dose_in_any_shape(read, dose):
    resource = json.dumps(r4(dosage={"dose": {"value": dose, "unit": "mL"}}))
    shapes = in_every_shape(resource, json.dumps(r4(id="b")))
    for shape in ("lines", "list"):
        rows = read(shapes[shape]).administrations.collect()
        assert rows["unreadable"].to_list() == ["dosage.dose.value", None], shape
        assert rows["volume_ml"].to_list() == [None, None], shape


def test_a_time_beyond_every_calendar_is_unreadable(read):
    for end in ("9999-12-31T23:59:59-14:00", "9999-12-31T24:00:00", "9999-12-31T12:00:00Z"):
        period = {"start": "2026-03-02T09:00:00-05:00", "end": end}
        rows = read(ndjson(r4(effectivePeriod=period))).administrations.collect()
        assert rows.rows(named=True)[0]["unreadable"] == "stop_at"


def test_a_document_is_read_in_pieces(read, monkeypatch):
    monkeypatch.setattr("subq_toolkit.readers.fhir_files.BLOCK", 100)
    monkeypatch.setattr(fhir_json, "_TOGETHER", 2)
    names = [f"é患-{at}" for at in range(9)]
    whole = [json.dumps(r4(id=one), ensure_ascii=False) for one in names]
    for shape, text in in_every_shape(*whole).items():
        rows = read(text).administrations.collect()
        assert rows["administration_id"].to_list() == names, shape
    with pytest.raises(sq.InputError, match="goes wrong at line 4"):
        read("[\n" + ",\n".join([*whole[:2], "{]", *whole]) + "]")
    with pytest.raises(sq.InputError, match="goes wrong at line 3"):
        read("[\n" + ",\n".join(whole[:2]))
    with pytest.raises(sq.InputError, match="goes wrong at line 2"):
        read(f"[{whole[0]}]\n[{whole[0]}]")
    with pytest.raises(sq.InputError, match="is not UTF-8"):
        read(bundle_of(*whole).encode()[:-4] + b"\xff}]}")


def test_limits_of_one_resource_hold_on_both_sides(read, monkeypatch):
    monkeypatch.setattr("subq_toolkit.readers.fhir_files.BLOCK", 1_000)
    monkeypatch.setattr("subq_toolkit.readers.fhir_files.MOST_RESOURCE", 5_000)
    monkeypatch.setattr(fhir_json, "MOST_RESOURCE", 5_000)
    fits, large, vast = (json.dumps(r4(id="x", x="y" * size)) for size in (4_000, 7_000, 70_000))
    sound = json.dumps(r4())
    for one, unreadable in ((fits, None), (large, "line"), (vast, "line")):
        rows = read(f"{sound}\n{one}\n{sound}").administrations.collect()
        assert rows["unreadable"].to_list() == [None, unreadable, None]
    assert read(bundle_of(sound, fits, sound)).report["rows"][0] == 3
    for one in (large, vast):
        with pytest.raises(sq.InputError, match=r"an entry of more than .* Export it as NDJSON"):
            read(bundle_of(sound, one))
        with pytest.raises(sq.InputError, match="an entry of more than"):
            read(one)
    other = json.dumps({"resourceType": "Binary", "data": "A" * 70_000})
    reading = read(f"{sound}\n{other}\n{sound}")
    assert reading.report["rows"][0] == 2
    assert "Binary (1)" in report_of(reading, "(rows)")["note"]


def test_a_file_of_which_most_is_no_resource_is_no_export(read, monkeypatch):
    monkeypatch.setattr("subq_toolkit.readers.fhir_resources._MANY", 10)
    few = ndjson(*[r4()] * 11, *["{}"] * 11)
    assert read(few).report["rows"][0] == 22
    with pytest.raises(sq.InputError, match="more than half of what the export holds, 12 lines"):
        read(few + "{}\n")
    with pytest.raises(sq.InputError, match="is no FHIR export, or damaged"):
        read(f"[{'[],' * 5_000}[]]")


def test_a_large_document_is_not_held(tmp_path):
    """10 MB of lists, of which Python would make 0.6 GB at once."""
    (tmp_path / "x.json").write_text(
        '{"resourceType":"Bundle","entry":['
        + ('{"resource":{"resourceType":"Patient","x":[' + "[]," * 700_000 + "[]]}},") * 5
        + f'{{"resource":{json.dumps(r4())}}}]}}'
    )
    code = (
        "import resource, sys; from subq_toolkit.readers.fhir import read_fhir; "
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; "
        f"read = read_fhir({str(tmp_path / 'x.json')!r}, facility_zone='UTC'); "
        "after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; "
        "print(read.administrations.collect().height, (after - before) // 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    rows, more = map(int, done.stdout.split())
    assert rows == 1
    assert more < 350


def test_paths_that_are_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    for path, message in (
        (None, "is a NoneType"),
        (5, "is a int"),
        (b"x.json", "is a bytes"),
        (tmp_path / "pipe.json", "pipe or a device"),
        ("/dev/zero", "pipe or a device"),
        (tmp_path / "\0.json", "NUL character|There is no file"),
        (tmp_path / ("x" * 300 + ".json"), "cannot be opened"),
        ([None], "is a NoneType"),
    ):
        with pytest.raises(sq.InputError, match=message):
            read_fhir(path, facility_zone=ZONE)
    for option in ({"facility_zone": []}, {"max_bytes": "x"}, {"max_rows": None}):
        with pytest.raises(sq.InputError, match=next(iter(option))):
            read_fhir(dataset("clinical_exports"), **({"facility_zone": ZONE} | option))


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    (tmp_path / "x.json").write_text(ndjson(r4()))

    as_it_is = Path.open

    def refused(self: Path, *how: object, **more: object) -> object:
        if self in (tmp_path, tmp_path / "x.json"):
            raise PermissionError(13, "Permission denied")
        return as_it_is(self, *how, **more)

    monkeypatch.setattr(Path, "open", refused)
    for path in (tmp_path / "x.json", tmp_path):
        with pytest.raises(sq.InputError, match="may not be read: permission is denied"):
            read_fhir(path, facility_zone=ZONE)
    monkeypatch.setattr(Path, "iterdir", refused)
    with pytest.raises(sq.InputError, match="cannot be listed"):
        read_fhir(tmp_path, facility_zone=ZONE)


def test_names_of_files_are_shown_without_what_is_not_seen(tmp_path):
    path = tmp_path / ("a\n\x1b\u202eb" + "c" * 100 + ".json")
    path.write_text("5")
    with pytest.raises(sq.InputError, match=r"^'a bc{76}…' is JSON, but no FHIR"):
        read_fhir(path, facility_zone=ZONE)
