"""An export as a table: opened by what its suffix says, its columns named as stated.

What each kind of file is good for: Parquet stays lazy and typed; delimited text and
workbooks come as text, whole.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.readers.column_maps import charted, header_names, map_columns
from subq_toolkit.readers.delimited_files import BROKEN, look_at, read_rows
from subq_toolkit.readers.workbooks import read_sheet

_SUFFIXES = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".txt", ".psv"), "delimited"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls"), "excel"),
}


class Export(NamedTuple):
    """The rows of a file, and for each column of the file its name in the result."""

    rows: pl.LazyFrame
    names: dict[str, str]
    kind: str
    layout: str
    left_out: int = 0


def kind_of(path: Path) -> str:
    """Tell ``delimited``, ``parquet`` or ``excel`` by the suffix, or say what is wrong."""
    if path.is_dir():
        raise InputError(f"'{path.name}' is a folder. Name one file in it.")
    if not path.exists():
        near = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        alike = get_close_matches(path.name, near, n=3, cutoff=0.5)
        raise InputError(
            f"There is no file '{path.name}' in that folder. "
            + (f"Look-alikes there: {', '.join(map(repr, alike))}." if alike else "Check the path.")
        )
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(
            f"'{path.name}': the suffix '{path.suffix}' is not known. Readable are "
            f"{', '.join(_SUFFIXES)} and, as FHIR, .json, .ndjson and .jsonl; rename the file "
            f"if it is one of these, or export it anew."
        )
    return _SUFFIXES[path.suffix.lower()]


def open_delimited(
    path: Path,
    columns: Mapping[str, str] | None,
    *,
    encoding: str,
    separator: str | None,
    header_row: int,
    shape: str = "start_stop",
) -> Export:
    """Read delimited text; its header is judged before the rest is read."""
    seen = look_at(path, encoding=encoding, separator=separator, header_row=header_row)
    names = header_names(seen.header, path.name)
    at = {"head": seen.head, "header_row": header_row}
    result = map_columns(names, columns, file=path.name, wanted=charted(shape), **at)
    rows = read_rows(path, names, seen, header_row=header_row)
    return _held(rows, result, "delimited", f"{seen.separator!r} {seen.encoding}")


def open_excel(
    path: Path,
    columns: Mapping[str, str] | None,
    *,
    sheet: str | int | None,
    header_row: int,
    shape: str = "start_stop",
) -> Export:
    """Read one sheet of a workbook as text."""
    read = read_sheet(path, sheet=sheet, header_row=header_row)
    names = header_names(read.header, path.name)
    at = {"head": read.head, "header_row": header_row}
    result = map_columns(names, columns, file=path.name, wanted=charted(shape), **at)
    rows = read.rows.rename(dict(zip(read.rows.columns, names, strict=True)))
    return _held(rows, result, "excel", f"sheet '{read.name}'")


def _held(rows: pl.DataFrame, names: dict[str, str], kind: str, layout: str) -> Export:
    """Leave out rows without a single entry, as spreadsheets append them, and count them."""
    some = rows.filter(pl.any_horizontal(pl.col(*names).is_not_null(), *broken_mark(rows.columns)))
    return Export(some.lazy(), names, kind, layout, rows.height - some.height)


def broken_mark(names: Iterable[str]) -> list[str]:
    """List the column that marks broken lines, if it is there."""
    return [BROKEN] if BROKEN in names else []


def open_parquet(
    path: Path, columns: Mapping[str, str] | None, *, shape: str = "start_stop"
) -> Export:
    """Scan a Parquet file; nothing is read but its schema."""
    try:
        rows = pl.scan_parquet(path, glob=False)
        names = rows.collect_schema().names()
    except (pl.exceptions.PolarsError, OSError):
        raise InputError(
            f"'{path.name}' is not a Parquet file, or it is damaged. Export it again."
        ) from None
    result = map_columns(names, columns, file=path.name, wanted=charted(shape))
    return Export(rows, result, "parquet", "")


def open_frame(
    frame: pl.DataFrame | pl.LazyFrame, columns: Mapping[str, str] | None, *, shape: str
) -> Export:
    """Take a frame whose columns have the names of an export."""
    rows = frame.lazy()
    names = rows.collect_schema().names()
    return Export(
        rows, map_columns(names, columns, file="frame", wanted=charted(shape)), "frame", ""
    )
