"""Read administrations from ``drug_exposure`` of the OMOP common data model, 5.3 and 5.4.

Only records of an administration are runs. Prescriptions, dispensings and claims are kept and
marked, so that ``accept`` refuses them with that reason. An end that is only a date is no stop.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from subq_toolkit.administrations import COLUMNS
from subq_toolkit.errors import InputError
from subq_toolkit.facility_time import agreed_zone
from subq_toolkit.readers.charted_fields import charted_text
from subq_toolkit.readers.codings import codes_of, in_words, listed
from subq_toolkit.readers.column_maps import header_names
from subq_toolkit.readers.delimited_files import BROKEN, look_at, read_rows
from subq_toolkit.readers.export_files import kind_of
from subq_toolkit.readers.faults import tells_faults
from subq_toolkit.readers.file_times import TimeFields, time_fields
from subq_toolkit.readers.limits import MOST_BYTES, MOST_ROWS, require_size
from subq_toolkit.readers.omop_fields import MISSED, answers, ends, time_columns, unreadable
from subq_toolkit.readers.reading import Reading
from subq_toolkit.readers.reading_report import Whole, reading_report

_REQUIRED = ("visit_occurrence_id", "drug_exposure_start_datetime", "drug_type_concept_id")
_USED = (
    *_REQUIRED,
    "person_id",
    "drug_exposure_end_datetime",
    "route_concept_id",
    "route_source_value",
    "drug_source_value",
    "quantity",
    "dose_unit_source_value",
    "drug_exposure_id",
)
_READ_FROM = {
    "encounter_id": "visit_occurrence_id",
    "patient_id": "person_id",
    "start_at": "drug_exposure_start_datetime",
    "stop_at": "drug_exposure_end_datetime",
    "route": "route_concept_id, route_source_value",
    "drug": "drug_source_value",
    "volume_ml": "quantity, dose_unit_source_value",
    "dose_mg": "quantity, dose_unit_source_value",
    "administration_id": "drug_exposure_id",
    "not_given": "drug_type_concept_id",
}


@tells_faults
def read_omop(
    source: str | Path | pl.DataFrame | pl.LazyFrame,
    *,
    facility_zone: str | None = None,
    administration_types: Sequence[int] = (),
    max_bytes: int = MOST_BYTES,
    max_rows: int = MOST_ROWS,
) -> Reading:
    """Read administrations from the table ``drug_exposure``.

    Parameters
    ----------
    source
        The table, or a CSV or Parquet file of it. Names of columns may be in capitals. Read from
        a database only the drugs and days that are looked at.
    facility_zone
        Zone of the facility. Times with a zone or an offset are converted to it; bare ones stay
        as they are, so state the zone again when coding them.
    administration_types
        Further ``drug_type_concept_id`` that mean an administration in this database, e.g.
        ``(32817,)`` where every record of the EHR is one.
    max_bytes, max_rows
        A larger file is refused before it is read, a longer table before it is judged; 2 GB and
        20,000,000 rows if not stated.

    Returns
    -------
    Reading
        One row per row of the table. Beside the columns of the toolkit: ``administration_id``
        and ``not_given`` (why a row is no run: prescription, dispensing, claim ...).

    Notes
    -----
    OMOP asks for an end, so a table holds one even where nobody charted it: the start again (a
    Themis convention for administrations), or midnight of a date. Such an end is read as not
    charted, and the report counts it. Sources stand in ``parameters/codings.toml``.

    Raises
    ------
    InputError
        If this is no such table, it has no clock times, or it has too many rows.
    """
    _require_arguments(facility_zone, administration_types, max_bytes, max_rows)
    agreed_zone(pl.Schema(), (), facility_zone)
    rows, name, kind = _opened(source, max_bytes)
    rows = _checked(rows, name, max_rows)
    return _read(rows, Whole(name, kind, "", ()), facility_zone, administration_types)


def _require_arguments(
    zone: object, administration_types: object, max_bytes: object, max_rows: object
) -> None:
    if not isinstance(zone, str | None):
        raise InputError("facility_zone is the name of a zone, e.g. 'America/New_York'.")
    kinds = administration_types
    if not isinstance(kinds, list | tuple | set) or not all(isinstance(one, int) for one in kinds):
        raise InputError("administration_types are concept numbers, e.g. (32817,).")
    if not all(isinstance(most, int) for most in (max_bytes, max_rows)):
        raise InputError("max_bytes and max_rows are whole numbers.")


def _opened(
    source: str | Path | pl.DataFrame | pl.LazyFrame, max_bytes: int
) -> tuple[pl.LazyFrame, str, str]:
    if isinstance(source, pl.DataFrame | pl.LazyFrame):
        return source.lazy(), "drug_exposure", "OMOP table"
    if not isinstance(source, str | Path):
        raise InputError(
            f"Hand in drug_exposure as a Polars frame or as the path of a file, not as "
            f"{type(source).__name__}. For pandas: polars.from_pandas(frame)."
        )
    path = Path(source)
    kind = kind_of(path)
    require_size(path, max_bytes)
    if kind == "parquet":
        return pl.scan_parquet(path, glob=False), path.name, "OMOP parquet"
    if kind == "excel":
        raise InputError(f"'{path.name}' is a workbook. Save drug_exposure as CSV or Parquet.")
    seen = look_at(path, encoding="utf-8", separator=None, header_row=1)
    names = header_names(seen.header, path.name)
    return read_rows(path, names, seen, header_row=1).lazy(), path.name, "OMOP delimited"


def _checked(rows: pl.LazyFrame, name: str, max_rows: int) -> pl.LazyFrame:
    """Columns in lower case, those that are used; refuse what is no ``drug_exposure``."""
    try:
        names = rows.collect_schema().names()
    except (pl.exceptions.PolarsError, OSError):
        raise InputError(
            f"'{name}' is not a Parquet file, or it is damaged. Export it again."
        ) from None
    lower = {one: one.lower() for one in names}
    missing = [one for one in _REQUIRED if one not in lower.values()]
    if missing:
        raise InputError(
            f"'{name}' is not drug_exposure of OMOP CDM 5.3 or 5.4 with clock times: it has no "
            f"column {' and no column '.join(map(repr, missing))}. Minutes need "
            f"drug_exposure_start_datetime and drug_exposure_end_datetime, not the dates alone."
        )
    twice = [one for one in _USED if list(lower.values()).count(one) > 1]
    if twice:
        raise InputError(f"'{name}' has column {', '.join(map(repr, twice))} more than once.")
    kept = {one: to for one, to in lower.items() if to in _USED or one == BROKEN}
    absent = [pl.lit(None, pl.String).alias(one) for one in _USED if one not in lower.values()]
    table = rows.select([pl.col(one).alias(to) for one, to in kept.items()]).with_columns(absent)
    if BROKEN not in kept:
        table = table.with_columns(pl.lit(False).alias(BROKEN))
    held = table.head(max_rows + 1).collect()
    if held.height > max_rows:
        raise InputError(
            f"'{name}' has more than {max_rows:,} rows (max_rows). Read fewer days or drugs at a "
            f"time, or state a higher max_rows."
        )
    return held.lazy()


def _read(
    rows: pl.LazyFrame, whole: Whole, zone: str | None, administration_types: Sequence[int]
) -> Reading:
    moments = {
        "drug_exposure_start_datetime": "start_at",
        "drug_exposure_end_datetime": "stop_at",
    }
    schema = rows.collect_schema()
    texts = {name: charted_text(name, schema[name]) for name in _USED if name not in moments}
    rows = rows.rename(moments).with_columns(
        **texts,
        _start_text=charted_text("start_at", schema["drug_exposure_start_datetime"]),
        _stop_text=charted_text("stop_at", schema["drug_exposure_end_datetime"]),
    )
    back = {to: name for name, to in moments.items()}
    times = time_fields(rows, back, time_format=None, facility_zone=zone)
    table = rows.with_columns(**time_columns(times)).with_columns(**ends()).collect()
    given = {str(one): "given" for one in administration_types}
    table = table.with_columns(**answers(codes_of("record_types") | given))
    table = table.with_columns(unreadable=unreadable())
    columns = [
        pl.col(name).cast(COLUMNS.get(name, pl.String()))
        for name in _READ_FROM
        if name not in ("start_at", "stop_at")
    ]
    table = table.with_columns(columns)
    report = _report(table, whole, times)
    return Reading(table.select(*_READ_FROM, "unreadable").lazy(), report)


def _report(table: pl.DataFrame, whole: Whole, times: TimeFields) -> pl.DataFrame:
    count = table.select(pl.col("_end_unused", "_start_of_day", BROKEN).sum()).row(0, named=True)
    said = {
        f"{count[BROKEN]:,} lines do not have the fields of the header": count[BROKEN],
        f"no runs, kept and refused: {in_words(table['not_given'])}": table["not_given"].count(),
    }
    unsure = table.filter("_type_missed")["drug_type_concept_id"].fill_null("(none)")
    routes = table.filter("_route_missed")["route_concept_id"].fill_null("(text)")
    unused_ends = count["_end_unused"]
    unused = "ends are the start again or midnight of a date: read as not charted"
    starts = count["_start_of_day"]
    notes = {
        "start_at": [
            times.notes.get("start_at", ""),
            f"{starts:,} starts are at 00:00: perhaps only the date is known" if starts else "",
        ],
        "stop_at": [
            times.notes.get("stop_at", ""),
            f"{unused_ends:,} {unused}" if unused_ends else "",
        ],
        "route": [listed("not known", routes)],
        "not_given": [
            listed("not known to be an administration, see administration_types", unsure)
        ],
        "dose_mg": [listed("unit not known", table["_unit_key"])],
    }
    whole = whole._replace(notes=[note for note, holds in said.items() if holds])
    return reading_report(table, whole, _READ_FROM, MISSED, times.formats, notes)
