"""Read an export of charted runs: CSV, Parquet or Excel, with names and times as they are there.

Every row comes through, in the order of the file. What cannot be read is null and named in
``unreadable``; ``accept`` refuses such rows, so nothing is guessed and nothing lost.
"""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from subq_toolkit.administrations import CHOICES, COLUMNS, TIMES
from subq_toolkit.errors import InputError
from subq_toolkit.facility_time import agreed_zone
from subq_toolkit.readers.charted_fields import charted_text, field
from subq_toolkit.readers.column_maps import proposal
from subq_toolkit.readers.delimited_files import BROKEN
from subq_toolkit.readers.export_files import (
    Export,
    broken_mark,
    kind_of,
    open_delimited,
    open_excel,
    open_parquet,
)
from subq_toolkit.readers.file_times import TimeFields, time_fields
from subq_toolkit.readers.reading import Reading

__all__ = ["Reading", "read_administrations"]

_TYPES = {pl.String: "text", pl.Float64: "number", pl.Int64: "whole number", pl.Boolean: "yes/no"}


def read_administrations(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    time_format: str | None = None,
    facility_zone: str | None = None,
    encoding: str = "utf-8",
    separator: str | None = None,
    sheet: str | int | None = None,
    header_row: int = 1,
) -> Reading:
    """Read charted runs from a CSV, Parquet or Excel file.

    Parameters
    ----------
    path
        The file; its suffix says what it is.
    columns
        Name in the file to name here, e.g. ``{"Start Time": "start_at"}``. Names that are
        right already need no entry. Nothing is mapped that is not stated.
    time_format
        Needed only if the values leave it open: ``"month_first"``, ``"day_first"``, or one
        strptime format for all time columns, e.g. ``"%d/%m/%Y %H:%M"``.
    facility_zone
        Zone of the facility, e.g. ``"America/New_York"``. Times with an offset are converted
        to it. Times without one stay as charted; state the zone again when coding them.
    encoding, separator
        Of a delimited file. A byte order mark goes before ``encoding``; the separator
        (comma, semicolon, tab or bar) is found in the header.
    sheet
        Name or place (1 is the first) of the sheet of a workbook with several.
    header_row
        Line or row that holds the column names, counted from 1.

    Notes
    -----
    A Parquet file stays lazy; it is scanned once to count. Delimited files and workbooks are
    held in memory. 24:00 is read as the first moment of the next day.

    Raises
    ------
    InputError
        If the file as a whole cannot be read: see the message for what to state or change.
    """
    agreed_zone(pl.Schema(), (), facility_zone)
    if header_row < 1:
        raise InputError("header_row counts from 1: 1 is the first row of the file.")
    path = Path(path)
    kind = kind_of(path)
    if kind == "parquet":
        table = open_parquet(path, columns)
    elif kind == "excel":
        table = open_excel(path, columns, sheet=sheet, header_row=header_row)
    else:
        text = {"encoding": encoding, "separator": separator}
        table = open_delimited(path, columns, header_row=header_row, **text)
    return _read(table, path.name, time_format, facility_zone)


def _read(table: Export, file: str, time_format: str | None, facility_zone: str | None) -> Reading:
    rows = table.rows.rename(table.names)
    schema = rows.collect_schema()
    read_from = {to: name for name, to in table.names.items()}
    times = time_fields(rows, read_from, time_format=time_format, facility_zone=facility_zone)
    known = [name for name in read_from if name in COLUMNS and name != "unreadable"]
    texts = {f"__text {name}": charted_text(name, schema[name]) for name in known}
    fields = {
        f"__{name}": times.expr(name, pl.col(f"__text {name}"))
        if name in TIMES
        else field(name, schema[name], pl.col(f"__text {name}"))
        for name in known
    }
    missed = {
        f"__missed {name}": pl.col(f"__text {name}").is_not_null() & pl.col(f"__{name}").is_null()
        for name in known
        if COLUMNS[name] != pl.String
    }
    marks = [*missed, *broken_mark(schema)]
    result = [name for name in read_from if name != "unreadable"]
    read = (
        rows.with_columns(**texts)
        .with_columns(**fields)
        .with_columns(**missed)
        .with_columns(_listed([*missed], schema).alias("__unreadable"))
        .select(
            *[pl.col(f"__{name}" if name in known else name).alias(name) for name in result],
            *[pl.col("__unreadable").alias("unreadable"), *marks],
        )
    )
    if table.kind != "parquet":
        read = read.collect().lazy()
    counts = read.select(
        pl.len().alias("(rows)"),
        pl.col("unreadable").count().alias("(unreadable)"),
        *[pl.col(name).count() for name in known],
        *[pl.col(mark).sum() for mark in marks],
    )
    report = _report(table, file, times, counts.collect().row(0, named=True))
    return Reading(read.drop(marks), report)


def _listed(missed: list[str], schema: pl.Schema) -> pl.Expr:
    """Names of the fields that could not be read, as text; null if all could."""
    named = [pl.when(mark).then(pl.lit(mark.removeprefix("__missed "))) for mark in missed]
    if BROKEN in schema:
        named.append(pl.when(BROKEN).then(pl.lit("line")))
    if "unreadable" in schema:
        named.append(charted_text("unreadable", schema["unreadable"]))
    listed = pl.concat_str(named, separator=", ", ignore_nulls=True)
    return pl.when(listed != "").then(listed)


def _report(table: Export, file: str, times: TimeFields, counts: dict[str, int]) -> pl.DataFrame:
    total, unreadable, broken = counts["(rows)"], counts["(unreadable)"], counts.get(BROKEN, 0)
    notes = {
        f"{broken:,} lines do not have the {len(table.names)} fields of the header": broken,
        f"{table.left_out:,} rows without any entry were left out": table.left_out,
        "a header and no rows": total == 0,
    }
    said = "; ".join(note for note, holds in notes.items() if holds)
    whole = ("(rows)", file, table.kind, table.layout, total, total - unreadable, unreadable, said)
    lines = [
        (
            to,
            name,
            _type(to),
            times.formats.get(to, ""),
            total,
            counts.get(to),
            counts.get(f"__missed {to}", 0 if to in counts else None),
            times.notes.get(to, "") if to in COLUMNS else proposal(name, table.names),
        )
        for name, to in table.names.items()
    ]
    text, count = pl.String(), pl.Int64()
    schema = {"column": text, "read_from": text, "type": text, "format": text}
    schema |= {"rows": count, "filled": count, "unreadable": count, "note": text}
    return pl.DataFrame([whole, *lines], schema=schema, orient="row")


def _type(column: str) -> str:
    if column in CHOICES:
        return f"one of {', '.join(CHOICES[column])}"
    if column in TIMES:
        return "date and time"
    return _TYPES[COLUMNS[column].base_type()] if column in COLUMNS else "as in the file"
