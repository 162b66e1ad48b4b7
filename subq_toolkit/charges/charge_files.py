"""Read an extract of charges: CSV, Parquet or Excel, with names and dates as they are there.

Every line comes through, in the order of the file. What cannot be read is null and named in
``unreadable``; ``accept_charges`` refuses such lines, so nothing is guessed and nothing lost.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import polars as pl

from subq_toolkit.charges.acceptance import require_local_dates
from subq_toolkit.charges.charge_fields import entry, field, is_text
from subq_toolkit.charges.columns import COLUMNS, STATUSES, WANTED
from subq_toolkit.charges.reading import REPORT, ChargeReading
from subq_toolkit.charges.service_dates import DateReading, find_dates
from subq_toolkit.effective import read_table
from subq_toolkit.errors import InputError
from subq_toolkit.readers.charted_fields import charted_text
from subq_toolkit.readers.column_maps import header_names, map_columns, proposal
from subq_toolkit.readers.delimited_files import BROKEN, look_at, read_rows
from subq_toolkit.readers.export_files import kind_of
from subq_toolkit.readers.faults import tells_faults
from subq_toolkit.readers.workbooks import read_sheet

_LIMITS = read_table("charge_words")["limits"]
_TYPES = {pl.String: "text", pl.Float64: "amount", pl.Int64: "whole number", pl.Date: "date"}


class _Extract(NamedTuple):
    """The rows of a file, and for each of its columns the name in the result."""

    rows: pl.LazyFrame
    names: dict[str, str]
    kind: str
    layout: str


@tells_faults
def read_charges(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    date_format: str | None = None,
    encoding: str = "utf-8",
    separator: str | None = None,
    sheet: str | int | None = None,
    header_row: int = 1,
    max_bytes: int = _LIMITS["most_bytes"],
    max_rows: int = _LIMITS["most_rows"],
) -> ChargeReading:
    """Read charge or claim lines from a CSV, Parquet or Excel file.

    Parameters
    ----------
    path
        The file; its suffix says what it is.
    columns
        Name in the file to name here, e.g. ``{"CPT": "code"}``. Several columns may be
        ``modifiers``. Nothing is mapped that is not stated.
    date_format
        Needed only if the values leave it open: ``"month_first"``, ``"day_first"``,
        ``"excel_serial"``, or one strptime format, e.g. ``"%d/%m/%Y"``.
    encoding, separator
        Of a delimited file; the separator is found in the header.
    sheet
        Name or place (1 is the first) of the sheet of a workbook with several.
    header_row
        Line or row that holds the column names, counted from 1.
    max_bytes, max_rows
        A larger file is refused before it is read [bytes], or when it is counted [rows].

    Notes
    -----
    A Parquet file stays lazy; it is scanned to count. Others are held in memory. Amounts may
    be written ``$1,234.50`` and, if negative, ``-12``, ``12-`` or ``(12.00)``.

    Raises
    ------
    InputError
        If the file as a whole cannot be read: see the message for what to state or change.
    """
    if header_row < 1:
        raise InputError("header_row counts from 1: 1 is the first row of the file.")
    path = Path(path)
    kind = kind_of(path)
    if path.stat().st_size > max_bytes:
        raise InputError(
            f"'{path.name}' has {path.stat().st_size:,} bytes, more than max_bytes={max_bytes:,}. "
            f"Split it by month, save it as Parquet, or state a larger max_bytes."
        )
    if kind == "parquet":
        extract = _from_parquet(path, columns)
    elif kind == "excel":
        extract = _from_excel(path, columns, sheet, header_row)
    else:
        extract = _from_text(path, columns, encoding, separator, header_row)
    return _read(extract, path.name, date_format, max_rows)


def _from_text(
    path: Path,
    columns: Mapping[str, str] | None,
    encoding: str,
    separator: str | None,
    header_row: int,
) -> _Extract:
    seen = look_at(path, encoding=encoding, separator=separator, header_row=header_row)
    names = header_names(seen.header, path.name, wanted=WANTED)
    result = map_columns(
        names, columns, file=path.name, wanted=WANTED, head=seen.head, header_row=header_row
    )
    rows = read_rows(path, names, seen, header_row=header_row).lazy()
    return _Extract(rows, result, "delimited", f"{seen.separator!r} {seen.encoding}")


def _from_excel(
    path: Path, columns: Mapping[str, str] | None, sheet: str | int | None, header_row: int
) -> _Extract:
    read = read_sheet(path, sheet=sheet, header_row=header_row)
    names = header_names(read.header, path.name, wanted=WANTED)
    result = map_columns(
        names, columns, file=path.name, wanted=WANTED, head=read.head, header_row=header_row
    )
    rows = read.rows.rename(dict(zip(read.rows.columns, names, strict=True))).lazy()
    return _Extract(rows, result, "excel", f"sheet '{read.name}'")


def _from_parquet(path: Path, columns: Mapping[str, str] | None) -> _Extract:
    try:
        rows = pl.scan_parquet(path, glob=False)
        names = rows.collect_schema().names()
    except (pl.exceptions.PolarsError, OSError):
        raise InputError(
            f"'{path.name}' is not a Parquet file, or it is damaged. Export it again."
        ) from None
    return _Extract(rows, map_columns(names, columns, file=path.name, wanted=WANTED), "parquet", "")


def _read(extract: _Extract, file: str, date_format: str | None, max_rows: int) -> ChargeReading:
    rows, names = _joined(extract)
    total = rows.select(pl.len()).collect().item()
    if total > max_rows:
        raise InputError(
            f"'{file}' has {total:,} rows, more than max_rows={max_rows:,}. Split it by month, or "
            f"state a larger max_rows."
        )
    if extract.kind != "parquet":
        rows = rows.filter(
            pl.any_horizontal(pl.col(*names.values()).is_not_null(), *_marks(rows.collect_schema()))
        )
    schema = rows.collect_schema()
    dates = _dates(rows, schema, names, date_format)
    known = [name for name in schema if name in COLUMNS and name != "unreadable"]
    typed = {name: field(name, schema[name]) for name in known}
    if dates is not None:
        typed["service_date"] = dates.expr(charted_text("service_date", schema["service_date"]))
    missed = {
        name: entry(name, schema[name]).is_not_null() & typed[name].is_null()
        for name in known
        if COLUMNS[name] != pl.String
    }
    named = [pl.when(mark).then(pl.lit(name)) for name, mark in missed.items()]
    if BROKEN in schema:
        named.append(pl.when(BROKEN).then(pl.lit("line")))
    if "unreadable" in schema:
        named.append(charted_text("unreadable", schema["unreadable"]))
    listed = pl.concat_str(named, separator=", ", ignore_nulls=True)
    marked = {f"__missed {name}": mark for name, mark in missed.items()}
    read = rows.with_columns(**typed, **marked, unreadable=pl.when(listed != "").then(listed))
    if extract.kind != "parquet":
        read = read.collect().lazy()
    counts = read.select(
        pl.len().alias("(rows)"),
        pl.col("unreadable").count().alias("(unreadable)"),
        *[pl.col(name).count() for name in known],
        *[pl.col(mark).sum() for mark in [*marked, *_marks(schema)]],
    )
    counted = counts.collect().row(0, named=True)
    left_out = total - counted["(rows)"]
    report = _report(extract, file, names, dates, counted, left_out)
    result = [name for name in names.values() if name != "unreadable"]
    return ChargeReading(read.select(*dict.fromkeys(result), "unreadable"), report)


def _joined(extract: _Extract) -> tuple[pl.LazyFrame, dict[str, str]]:
    """Rows under their new names; several columns of modifiers become one."""
    schema = extract.rows.collect_schema()
    several = [name for name, to in extract.names.items() if to == "modifiers"]
    if len(several) < 2:
        return extract.rows.rename(extract.names), extract.names
    both = pl.concat_str(
        [charted_text(name, schema[name]) for name in several], separator=" ", ignore_nulls=True
    )
    first, *others = several
    names = {name: to for name, to in extract.names.items() if name not in others}
    rows = extract.rows.with_columns(pl.when(both != "").then(both).alias(first)).drop(others)
    return rows.rename(names), names


def _marks(schema: pl.Schema) -> list[str]:
    return [BROKEN] if BROKEN in schema else []


def _dates(
    rows: pl.LazyFrame, schema: pl.Schema, names: dict[str, str], date_format: str | None
) -> DateReading | None:
    """How text or whole numbers are read as dates; None for dates that have a type."""
    held = schema["service_date"]
    require_local_dates(schema)
    if not is_text(held) and not held.is_integer():
        return None
    source = next(name for name, to in names.items() if to == "service_date")
    text = rows.select(charted_text("service_date", held).drop_nulls()).collect().to_series()
    return find_dates(source, text, date_format)


def _report(
    extract: _Extract,
    file: str,
    names: dict[str, str],
    dates: DateReading | None,
    counts: dict[str, int],
    left_out: int,
) -> pl.DataFrame:
    total, broken = counts["(rows)"], counts.get(BROKEN, 0)
    notes = {
        f"{broken:,} lines do not have the {len(extract.names)} fields of the header": broken,
        f"{left_out:,} rows without any entry were left out": left_out,
        "a header and no rows": total == 0,
    }
    said = "; ".join(note for note, holds in notes.items() if holds)
    bad = counts["(unreadable)"]
    lines = [("(rows)", file, extract.kind, extract.layout, total, total - bad, bad, said)]
    for name, to in names.items():
        sources = [one for one, other in extract.names.items() if other == to]
        dated = dates if to == "service_date" else None
        note = (
            dated.note if dated else "" if to in COLUMNS else proposal(name, extract.names, WANTED)
        )
        unread = counts.get(f"__missed {to}", 0 if to in counts else None)
        shown = dated.name if dated else "typed" if to == "service_date" else ""
        lines.append(
            (to, " + ".join(sources), _type(to), shown, total, counts.get(to), unread, note)
        )
    return pl.DataFrame(lines, schema=REPORT, orient="row")


def _type(column: str) -> str:
    if column == "status":
        return f"one of {', '.join(STATUSES)}"
    return _TYPES[COLUMNS[column].base_type()] if column in COLUMNS else "as in the file"
