"""An export as a table: opened by what its suffix says, its columns named as stated.

What each kind of file is good for: Parquet stays lazy and typed; delimited text and
workbooks come as text, whole.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl
from polars.selectors import by_name

from subq_toolkit.errors import InputError
from subq_toolkit.readers.column_maps import Wanted, header_names, map_columns
from subq_toolkit.readers.delimited_files import BROKEN, look_at, read_rows
from subq_toolkit.readers.limits import file_at, require_row, require_rows, require_size
from subq_toolkit.readers.workbooks import read_sheet

_SUFFIXES = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".txt", ".psv"), "delimited"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls"), "excel"),
}


class Layout(NamedTuple):
    """Where in a file the table stands; what does not apply to its kind is not looked at."""

    encoding: str | None = None
    separator: str | None = None
    sheet: str | int | None = None
    header_row: int = 1


class Export(NamedTuple):
    """The rows of a file, and for each column of the file its name in the result."""

    rows: pl.LazyFrame
    names: dict[str, str]
    kind: str
    layout: str
    left_out: int = 0


def kind_of(path: Path) -> str:
    """Tell ``delimited``, ``parquet`` or ``excel`` by the suffix, or say what is wrong."""
    path = file_at(path)
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(
            f"'{path.name}': the suffix '{path.suffix}' is not known. Readable are "
            f"{', '.join(_SUFFIXES)} and, as FHIR, .json, .ndjson and .jsonl; rename the file "
            f"if it is one of these, or export it anew."
        )
    return _SUFFIXES[path.suffix.lower()]


def open_export(
    path: Path,
    columns: Mapping[str, str] | None,
    *,
    wanted: Wanted,
    layout: Layout,
    max_bytes: int,
    max_rows: int,
) -> Export:
    """Open a file of any kind within its limits; its columns are judged, its rows are not."""
    require_row(layout.header_row)
    kind = kind_of(path)
    require_size(path, max_bytes)
    if kind == "parquet":
        table = _of_scan(scan_parquet(path), columns, path.name, kind, wanted)
        require_rows(path, table.rows.select(pl.len()).collect().item(), max_rows)
        return table
    opened = _open_excel if kind == "excel" else _open_delimited
    table = opened(path, columns, wanted, layout)
    require_rows(path, table.rows.collect().height, max_rows)
    return table


def open_frame(
    frame: pl.DataFrame | pl.LazyFrame, columns: Mapping[str, str] | None, *, wanted: Wanted
) -> Export:
    """Take a frame whose columns have the names of an export."""
    return _of_scan(frame.lazy(), columns, "frame", "frame", wanted)


def scan_parquet(path: Path) -> pl.LazyFrame:
    """Scan a Parquet file; nothing is read but its schema."""
    try:
        rows = pl.scan_parquet(path, glob=False)
        rows.collect_schema()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        raise InputError(
            f"'{path.name}' is not a Parquet file, or it is damaged. Export it again."
        ) from None
    return rows


def _of_scan(
    rows: pl.LazyFrame, columns: Mapping[str, str] | None, file: str, kind: str, wanted: Wanted
) -> Export:
    names = rows.collect_schema().names()
    return Export(rows, map_columns(names, columns, file=file, wanted=wanted), kind, "")


def _open_delimited(
    path: Path, columns: Mapping[str, str] | None, wanted: Wanted, layout: Layout
) -> Export:
    """Read delimited text; its header is judged before the rest is read."""
    at = {"separator": layout.separator, "header_row": layout.header_row}
    seen = look_at(path, encoding=layout.encoding or "utf-8", **at)
    names, result = _named(seen.header, seen.head, path.name, columns, wanted, layout)
    rows = read_rows(path, names, seen, header_row=layout.header_row)
    return _held(rows, result, "delimited", f"{seen.separator!r} {seen.encoding}")


def _open_excel(
    path: Path, columns: Mapping[str, str] | None, wanted: Wanted, layout: Layout
) -> Export:
    """Read one sheet of a workbook as text."""
    read = read_sheet(path, sheet=layout.sheet, header_row=layout.header_row)
    names, result = _named(read.header, read.head, path.name, columns, wanted, layout)
    rows = read.rows.rename(dict(zip(read.rows.columns, names, strict=True)))
    return _held(rows, result, "excel", f"sheet '{read.name}'")


def _named(
    header: Sequence[str | None],
    head: Sequence[Sequence[str | None]],
    file: str,
    columns: Mapping[str, str] | None,
    wanted: Wanted,
    layout: Layout,
) -> tuple[list[str], dict[str, str]]:
    """Names of the columns in the file, and for each its name in the result."""
    names = header_names(header, file, wanted=wanted)
    at = {"head": head, "header_row": layout.header_row}
    return names, map_columns(names, columns, file=file, wanted=wanted, **at)


def _held(rows: pl.DataFrame, names: dict[str, str], kind: str, layout: str) -> Export:
    """Leave out rows without a single entry, as spreadsheets append them, and count them."""
    marks = broken_mark(rows.columns)
    some = rows.filter(pl.any_horizontal(by_name(*names).is_not_null(), *marks))
    return Export(some.lazy(), names, kind, layout, rows.height - some.height)


def broken_mark(names: Iterable[str]) -> list[str]:
    """List the column that marks broken lines, if it is there."""
    return [BROKEN] if BROKEN in names else []
