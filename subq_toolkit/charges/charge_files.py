"""Read an extract of charges: CSV, Parquet or Excel, with names and dates as they are there.

Every line comes through, in the order of the file. What cannot be read is null and named in
``unreadable``; ``accept_charges`` refuses such lines, so nothing is guessed and nothing lost.
"""

from collections.abc import Mapping
from pathlib import Path

import polars as pl
from polars.selectors import by_name

from subq_toolkit.charges.acceptance import require_types
from subq_toolkit.charges.charge_fields import entry, field, is_text
from subq_toolkit.charges.columns import AMOUNTS, COLUMNS, WANTED
from subq_toolkit.charges.reading import ChargeReading
from subq_toolkit.charges.service_dates import DateReading, find_dates
from subq_toolkit.effective import read_table
from subq_toolkit.readers.charted_fields import charted_text
from subq_toolkit.readers.column_maps import proposal
from subq_toolkit.readers.delimited_files import BROKEN
from subq_toolkit.readers.export_files import Export, Layout, broken_mark, open_export
from subq_toolkit.readers.faults import tells_faults
from subq_toolkit.readers.file_reports import whole_of
from subq_toolkit.readers.limits import file_at
from subq_toolkit.readers.reading_report import Column, column_type, report_table

_LIMITS = read_table("charge_words")["limits"]


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
    path = file_at(path)
    table = open_export(
        path,
        columns,
        wanted=WANTED,
        layout=Layout(encoding, separator, sheet, header_row),
        max_bytes=max_bytes,
        max_rows=max_rows,
    )
    return _read(table, path.name, date_format)


def _read(table: Export, file: str, date_format: str | None) -> ChargeReading:
    rows, names = _joined(table)
    schema = rows.collect_schema()
    require_types(schema)
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
    if table.kind != "parquet":
        read = read.collect().lazy()
    counts = read.select(
        pl.len().alias("(rows)"),
        pl.col("unreadable").count().alias("(unreadable)"),
        *[pl.col(name).count() for name in known],
        *[pl.col(mark).sum() for mark in [*marked, *broken_mark(schema)]],
    )
    counted = counts.collect().row(0, named=True)
    report = _report(table, file, names, dates, counted)
    result = [name for name in names.values() if name != "unreadable"]
    return ChargeReading(read.select(by_name(*dict.fromkeys(result)), "unreadable"), report)


def _joined(table: Export) -> tuple[pl.LazyFrame, dict[str, str]]:
    """Rows under their new names; several columns of modifiers become one."""
    schema = table.rows.collect_schema()
    several = [name for name, to in table.names.items() if to == "modifiers"]
    if len(several) < 2:
        return table.rows.rename(table.names), table.names
    both = pl.concat_str(
        [charted_text(name, schema[name]) for name in several], separator=" ", ignore_nulls=True
    )
    first, *others = several
    names = {name: to for name, to in table.names.items() if name not in others}
    rows = table.rows.with_columns(pl.when(both != "").then(both).alias(first))
    rows = rows.drop(by_name(*others))
    return rows.rename(names), names


def _dates(
    rows: pl.LazyFrame, schema: pl.Schema, names: dict[str, str], date_format: str | None
) -> DateReading | None:
    """How text or whole numbers are read as dates; None for dates that have a type."""
    held = schema["service_date"]
    if not is_text(held) and not held.is_integer():
        return None
    source = next(name for name, to in names.items() if to == "service_date")
    text = rows.select(charted_text("service_date", held).drop_nulls()).collect().to_series()
    return find_dates(source, text, date_format)


def _report(
    table: Export,
    file: str,
    names: dict[str, str],
    dates: DateReading | None,
    counts: dict[str, int],
) -> pl.DataFrame:
    columns = []
    for name, to in names.items():
        sources = [one for one, other in table.names.items() if other == to]
        dated = dates if to == "service_date" else None
        shown = dated.name if dated else "typed" if to == "service_date" else ""
        hint = "" if to in COLUMNS else proposal(name, table.names, WANTED)
        columns.append(
            Column(
                to,
                " + ".join(sources),
                "amount" if to in AMOUNTS else column_type(COLUMNS.get(to)),
                shown,
                counts.get(to),
                counts.get(f"__missed {to}", 0 if to in counts else None),
                dated.note if dated else hint,
            )
        )
    total, unreadable = counts["(rows)"], counts["(unreadable)"]
    return report_table(whole_of(table, file, counts), columns, rows=total, unreadable=unreadable)
