"""Invented administrations written as clinical systems export them: FHIR R4 and R5, and OMOP.

The same rows in other clothes, so that what is read back can be held against them. FHIR and OMOP
have no place for every column: a charted set-up, needles and the indication stay behind.
"""

import json
import uuid
from datetime import UTC
from pathlib import Path
from typing import Any

import polars as pl

from subq_toolkit.effective import read_table
from subq_toolkit.errors import InputError
from subq_toolkit.synthetic import administrations

#: Columns that come back from FHIR as they went in.
CARRIED = (
    *("encounter_id", "patient_id", "start_at", "stop_at", "route", "mode", "pump_id", "site"),
    *("drug", "volume_ml", "rate_ml_per_h", "dose_mg"),
)
_RELEASES = ("R4", "R5")
_UCUM = "http://unitsofmeasure.org"
_SPACE = uuid.UUID("6f1b4d0a-0000-4000-8000-737562710000")
#: What is planted in the bundled samples: every 40th row from the one named gets that status.
_PLANTED = {7: "not-done", 19: "entered-in-error", 29: "stopped", 33: "in-progress"}
_CLASSES = {"emergency": "EMER", "home": "HH"}


def _coding(kind: str, table: str, meaning: str) -> dict[str, str]:
    """The first coding of a table in ``codings.toml`` that has this meaning."""
    entry = read_table("codings")[kind][table]
    return {"system": entry["system"], "code": entry[meaning][0]}


def fhir_resources(rows: pl.DataFrame, *, release: str = "R4") -> list[dict[str, Any]]:
    """One ``MedicationAdministration`` per row; exact copies are one resource twice.

    Parameters
    ----------
    rows
        As ``synthetic.administrations()`` makes them, times with a zone. A column ``status``
        is used if it is there; otherwise every row is ``completed``.
    release
        ``"R4"`` writes local times with their offset, ``"R5"`` the same moments in UTC.

    Raises
    ------
    InputError
        If the release is neither.
    """
    if release not in _RELEASES:
        raise InputError(f"release is 'R4' or 'R5', not {release!r}.")
    numbers = rows.select(pl.struct(pl.all()).rank("dense").alias("n"))["n"].to_list()
    return [
        _resource(row, number, r5=release == "R5")
        for number, row in zip(numbers, rows.rows(named=True), strict=True)
    ]


def _resource(row: dict[str, Any], number: int, *, r5: bool) -> dict[str, Any]:
    visit = {"reference": f"Encounter/{row['encounter_id']}"}
    drug = {"text": row["drug"]}
    pump = {"reference": f"Device/{row['pump_id']}"}
    when = "occurence" if r5 else "effective"
    found: dict[str, Any] = {
        "resourceType": "MedicationAdministration",
        "id": f"SYN-MA-{number:06d}",
        "status": row.get("status") or "completed",
        **({"medication": {"concept": drug}} if r5 else {"medicationCodeableConcept": drug}),
        "subject": {"reference": f"Patient/{row['patient_id']}"},
        "encounter" if r5 else "context": visit,
    }
    start, stop = (_instant(row[name], utc=r5) for name in ("start_at", "stop_at"))
    if start and not stop and row["route"] in ("injection", "intravenous"):
        found[f"{when}DateTime"] = start
    else:
        period = {"start": start, "end": stop}
        found[f"{when}Period"] = {key: at for key, at in period.items() if at}
    if row["pump_id"]:
        found["device"] = [{"reference": pump} if r5 else pump]
    dosage = _dosage(row, r5=r5)
    return found | ({"dosage": dosage} if dosage else {})


def _instant(moment: Any, *, utc: bool) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if utc else moment.isoformat()


def _dosage(row: dict[str, Any], *, r5: bool) -> dict[str, Any]:
    route = row["route"]
    found: dict[str, Any] = {}
    if route:
        under_skin = route in ("subcutaneous", "injection")
        coded = "subcutaneous" if under_skin else route
        table = "snomed" if under_skin else "snomed_by_dicom"
        found["route"] = {"coding": [_coding("routes", table, coded)]}
    if route == "injection":
        found["method"] = {"coding": [_coding("methods", "snomed", "injection")]}
    elif row["mode"]:
        found["method"] = {"text": row["mode"].replace("_", " ")}
    if row["site"]:
        found["site"] = {"text": row["site"]}
    dose = ("mg", row["dose_mg"]) if row["dose_mg"] is not None else ("mL", row["volume_ml"])
    if dose[1] is not None:
        found["dose"] = _quantity(dose[1], dose[0])
    rate = row["rate_ml_per_h"]
    if rate is not None and r5:
        found["rateRatio"] = {"numerator": _quantity(rate, "mL"), "denominator": _quantity(1, "h")}
    elif rate is not None:
        found["rateQuantity"] = _quantity(rate, "mL/h")
    return found


def _quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": _UCUM, "code": unit}


def fhir_bundle(rows: pl.DataFrame, *, release: str = "R4") -> dict[str, Any]:
    """A Bundle with the visits and drugs of the rows beside them, all referred to by address."""
    r5 = release == "R5"
    beside = [_encounter(visit, r5=r5) for visit in _visits(rows)]
    drugs = sorted(rows["drug"].drop_nulls().unique())
    beside += [
        {"resourceType": "Medication", "id": f"SYN-M-{n}", "code": {"text": drug}}
        for n, drug in enumerate(drugs, 1)
    ]
    address = {f"{one['resourceType']}/{one['id']}": _address(one) for one in beside}
    named = {one["code"]["text"]: _address(one) for one in beside if "code" in one}
    given = fhir_resources(rows, release=release)
    for resource in given:
        visit = resource["encounter" if r5 else "context"]
        visit["reference"] = address[visit["reference"]]
        if r5 and resource["medication"]["concept"]["text"] in named:
            drug = resource["medication"]["concept"]["text"]
            resource["medication"] = {"reference": {"reference": named[drug]}}
        elif not r5 and resource["medicationCodeableConcept"]["text"] in named:
            drug = resource.pop("medicationCodeableConcept")["text"]
            resource["medicationReference"] = {"reference": named[drug]}
    entries = [{"fullUrl": _address(one), "resource": one} for one in [*beside, *given]]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _visits(rows: pl.DataFrame) -> list[dict[str, Any]]:
    first = rows.group_by("encounter_id").agg(
        pl.col("setting").first(), pl.col("discharge_at").max()
    )
    return first.sort("encounter_id").rows(named=True)


def _encounter(visit: dict[str, Any], *, r5: bool) -> dict[str, Any]:
    code = {
        "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
        "code": _CLASSES.get(visit["setting"], "AMB"),
    }
    found = {
        "resourceType": "Encounter",
        "id": visit["encounter_id"],
        "status": "completed" if r5 else "finished",
        "class": [{"coding": [code]}] if r5 else code,
    }
    ended = _instant(visit["discharge_at"], utc=r5)
    span = {"actualPeriod" if r5 else "period": {"end": ended}}
    return found | (span if ended else {})


def _address(resource: dict[str, Any]) -> str:
    return f"urn:uuid:{uuid.uuid5(_SPACE, resource['resourceType'] + resource['id'])}"


def drug_exposure(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows as ``drug_exposure`` of OMOP CDM 5.4, local times without a zone.

    An end that was not charted is the start again, as OMOP asks for an end. Each visit has a
    prescription beside its administrations, known by its date only.
    """
    start = pl.coalesce("start_at", "stop_at").dt.replace_time_zone(None)
    end = pl.coalesce("stop_at", "start_at").dt.replace_time_zone(None)
    routes = {
        meaning: int(_coding("routes", "omop", meaning)["code"])
        for meaning in ("subcutaneous", "intravenous", "injection", "other")
    }
    amount = pl.coalesce("dose_mg", "volume_ml")
    unit = pl.when(pl.col("dose_mg").is_not_null()).then(pl.lit("mg")).otherwise(pl.lit("mL"))
    route = pl.col("route").cast(pl.String)
    number = r"(\d+)$"
    given = rows.select(
        person_id=pl.col("patient_id").str.extract(number).cast(pl.Int64),
        drug_concept_id=pl.lit(0),
        drug_exposure_start_datetime=start,
        drug_exposure_end_datetime=end,
        drug_type_concept_id=int(_coding("record_types", "omop", "given")["code"]),
        quantity=amount,
        route_concept_id=route.replace_strict(routes, default=0, return_dtype=pl.Int64),
        visit_occurrence_id=pl.col("encounter_id").str.extract(number).cast(pl.Int64),
        drug_source_value="drug",
        route_source_value=route,
        dose_unit_source_value=pl.when(amount.is_not_null()).then(unit),
    )
    ordered = given.unique("visit_occurrence_id", keep="first", maintain_order=True)
    midnight = pl.col("^drug_exposure_.*_datetime$").dt.truncate("1d")
    ordered = ordered.with_columns(
        midnight,
        drug_type_concept_id=int(_coding("record_types", "omop", "prescription")["code"]),
    )
    both = pl.concat([given, ordered]).sort("visit_occurrence_id", maintain_order=True)
    dates = {
        f"drug_exposure_{side}_date": pl.col(f"drug_exposure_{side}_datetime").dt.date()
        for side in ("start", "end")
    }
    return both.with_columns(**dates).with_row_index("drug_exposure_id", offset=1)


def write_samples(folder: Path | str) -> list[Path]:
    """Write the bundled samples of ``datasets/clinical_exports`` into ``folder``."""
    rows = administrations(40, seed=40)
    planted = pl.int_range(pl.len()) % 40
    status = planted.replace_strict(_PLANTED, default="completed", return_dtype=pl.String)
    marked = rows.with_columns(status=status)
    few = marked.filter(pl.col("encounter_id").rank("dense") <= 10)
    folder, files = Path(folder), []
    for release in _RELEASES:
        lines = [_text(one) + "\n" for one in fhir_resources(marked, release=release)]
        files += [folder / f"fhir_{release.lower()}.ndjson"]
        files[-1].write_text("".join(lines), "utf-8")
        files += [folder / f"fhir_{release.lower()}_bundle.json"]
        files[-1].write_text(_text(fhir_bundle(few, release=release), indent=1) + "\n", "utf-8")
    files += [folder / "drug_exposure.csv"]
    drug_exposure(rows).write_csv(files[-1], datetime_format="%Y-%m-%d %H:%M:%S")
    return files


def _text(found: Any, indent: int | None = None) -> str:
    gaps = (",", ":") if indent is None else (",", ": ")
    return json.dumps(found, ensure_ascii=False, separators=gaps, indent=indent)
