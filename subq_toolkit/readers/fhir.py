"""Read administrations from FHIR: Bundles and bulk exports (NDJSON), R4 and R5.

One ``MedicationAdministration`` is one row, in the order of the files. What was not done or
entered in error is kept and marked, so that ``accept`` refuses it with that reason.
"""

from pathlib import Path

import polars as pl

from subq_toolkit.administrations import CHOICES, COLUMNS
from subq_toolkit.errors import InputError
from subq_toolkit.facility_time import agreed_zone
from subq_toolkit.plain_text import shown
from subq_toolkit.readers.codings import counted, in_words, listed
from subq_toolkit.readers.faults import tells_faults
from subq_toolkit.readers.fhir_fields import MISSED, resolved
from subq_toolkit.readers.fhir_files import Lines, Unpacked, content_of, files_of
from subq_toolkit.readers.fhir_json import TWICE
from subq_toolkit.readers.fhir_resources import Collected
from subq_toolkit.readers.fhir_shape import BROKEN, ODD
from subq_toolkit.readers.limits import MOST_BYTES
from subq_toolkit.readers.reading import Reading
from subq_toolkit.readers.reading_report import Whole, reading_report

#: Most administrations that are read if nothing else is stated.
MOST_FHIR_ROWS = 5_000_000
_SUFFIXES = (".json", ".ndjson", ".jsonl")
#: Column of the result to entry of the resource, R4 name first where R5 has another.
_READ_FROM = {
    "encounter_id": "context / encounter",
    "patient_id": "subject",
    "start_at": "effective[x] / occurence[x]",
    "stop_at": "effectivePeriod.end / occurencePeriod.end",
    "discharge_at": "Encounter.period.end",
    "route": "dosage.route",
    "mode": "dosage.method",
    "delivery": "dosage.method",
    "indication": "reasonCode / reason",
    "setting": "Encounter.class",
    "pump_id": "device",
    "site": "dosage.site",
    "drug": "medication[x] / medication",
    "volume_ml": "dosage.dose",
    "rate_ml_per_h": "dosage.rate[x]",
    "dose_mg": "dosage.dose",
    "administration_id": "id",
    "status": "status",
    "not_given": "status, meta.lastUpdated",
    "rate_mg_per_h": "dosage.rate[x]",
    "reason": "reasonCode / reason",
}


def is_fhir(path: Path) -> bool:
    """Whether a file is read as FHIR, by its suffix."""
    return Path(path.name.removesuffix(".gz")).suffix.lower() in _SUFFIXES


@tells_faults
def read_fhir(
    path: str | Path | list[str | Path],
    *,
    facility_zone: str,
    max_bytes: int = MOST_BYTES,
    max_rows: int = MOST_FHIR_ROWS,
) -> Reading:
    """Read administrations from a FHIR export, R4 or R5.

    Parameters
    ----------
    path
        A Bundle, a bulk export with one resource on each line (NDJSON), a list of such files or
        a folder of them; each may be packed with gzip. ``Medication`` and ``Encounter`` resources
        in them give names of drugs, ends of visits and settings.
    facility_zone
        Zone of the facility, e.g. ``"America/New_York"``. FHIR times carry an offset from
        UTC; they are converted, so that dates of service are local dates.
    max_bytes
        Most that the files may hold together, unpacked; 2 GB if not stated. [bytes]
        A single resource may have 8 MB; a longer line is refused, a document with a larger
        entry as a whole. Files are read piece by piece, not held.
    max_rows
        Most administrations that are read; 5,000,000 if not stated.

    Returns
    -------
    Reading
        One row per ``MedicationAdministration`` and per line that is none. Beside the columns
        of the toolkit: ``administration_id``, ``status``, ``not_given`` (why nothing counts: not
        done, entered in error, older version of the same resource), ``rate_mg_per_h`` [mg/h]
        (a mass rate, of no use without a strength) and ``reason``.

    Notes
    -----
    ``in-progress`` has no stop, whatever end is planned; ``stopped`` and ``on-hold`` count up to
    the end that is charted. A date without a clock time is unreadable. A resource with a
    ``modifierExtension`` may mean the opposite of what it says, so it is unreadable.
    Sources of the codings stand in ``parameters/codings.toml``.

    Raises
    ------
    InputError
        If a file as a whole cannot be read, is too large, or holds no administration.
    """
    if facility_zone is None:
        raise InputError(
            "FHIR times carry an offset from UTC, so the local date of service cannot be told. "
            "State the zone, e.g. facility_zone='America/New_York'."
        )
    if not isinstance(facility_zone, str):
        raise InputError("facility_zone is the name of a zone, e.g. 'America/New_York'.")
    agreed_zone(pl.Schema(), (), facility_zone)
    if not isinstance(max_rows, int):
        raise InputError("max_rows is a whole number of rows.")
    files = files_of(path)
    found, unpacked, kinds = Collected(max_rows, facility_zone), Unpacked(max_bytes), set()
    for file in files:
        for content in content_of(file, unpacked):
            kinds.add("NDJSON" if isinstance(content, Lines) else "JSON")
            found.add(content, shown(file.name))
    name = shown(files[0].name) + (f" and {len(files) - 1} more" if len(files) > 1 else "")
    if not found.rows:
        raise InputError(
            f"'{name}' holds no MedicationAdministration. It holds: "
            f"{counted(found.others) or 'nothing'}. Export that resource type too."
        )
    rows = resolved(found, facility_zone)
    report = _report(rows, found, name, " and ".join(sorted(kinds)), facility_zone)
    typed = [pl.col(one).cast(COLUMNS[one]) for one in _READ_FROM if one in CHOICES]
    rows = rows.select(*_READ_FROM, "unreadable").with_columns(typed)
    return Reading(rows.lazy(), report)


def _report(
    rows: pl.DataFrame, found: Collected, name: str, layout: str, zone: str
) -> pl.DataFrame:
    r4, r5 = rows["_r4"].sum(), rows["_r5"].sum()
    kind = "FHIR R4 and R5" if r4 and r5 else "FHIR R5" if r5 else "FHIR R4" if r4 else "FHIR"
    others, reasons = counted(found.others), in_words(rows["not_given"])
    marks = ("_end_unused", "_moment_only", "_without_offset", "_several_devices", BROKEN)
    count = rows.select(pl.col(*marks).sum()).row(0, named=True)
    twice = rows.filter(pl.col(BROKEN) & (pl.col(ODD) == TWICE)).height
    whole = [
        _note(count[BROKEN], "lines or entries are no resource that can be read"),
        _note(twice, "of them have two entries of one name, so none of them is taken"),
        f"not given, kept and refused: {reasons}" if reasons else "",
        f"other resources, not read as runs: {others}" if others else "",
    ]
    missed = rows.filter("_route_missed")["_route_keys"].explode()
    unsure = rows.filter("_status_missed")["status"].fill_null("(none)")
    notes = {
        "start_at": [
            _note(count["_moment_only"], "have one moment and no period, so no stop"),
            _note(count["_without_offset"], "have a time without an offset, read as local"),
        ],
        "stop_at": [_note(count["_end_unused"], "are in progress: their planned end is not used")],
        "route": [listed("not known", missed)],
        "status": [listed("cannot tell whether it was given", unsure)],
        "pump_id": [_note(count["_several_devices"], "have several devices: the first is taken")],
        "dose_mg": [listed("unit not known", rows["_dose_key"])],
        "rate_ml_per_h": [listed("unit not known", rows["_rate_key"])],
    }
    formats = dict.fromkeys(("start_at", "stop_at", "discharge_at"), f"FHIR dateTime, {zone}")
    return reading_report(
        rows, Whole(name, kind, layout, whole), _READ_FROM, MISSED, formats, notes
    )


def _note(count: int, says: str) -> str:
    return f"{count:,} {says}" if count else ""
