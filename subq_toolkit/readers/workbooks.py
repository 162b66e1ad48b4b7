"""Sheets of Excel workbooks as tables of text, the way they were saved.

Formulas and macros are never run: a cell counts with the value saved in it, a cell with a
formula error counts as empty. Date cells come out as 2026-03-02 09:15:00.
"""

from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.readers.workbook_extent import protected, require_extent

#: Name of the stream in which a workbook with a password stands.
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_NOT_OPENED = (
    "'{}' could not be opened as a workbook: it is damaged, protected by a "
    "password, or no Excel file. Open it in Excel and save it again, or as CSV."
)


class Sheet(NamedTuple):
    """One sheet: its name, its first rows with the header among them, and the rows below."""

    name: str
    head: list[list[str | None]]
    header: list[str | None]
    rows: pl.DataFrame


def read_sheet(path: Path, *, sheet: str | int | None, header_row: int) -> Sheet:
    """Read one sheet as text; ``sheet`` is its name, or its place counted from 1.

    Raises
    ------
    InputError
        If the workbook cannot be opened or is larger than is read, fastexcel is not
        installed, the sheet is not stated while there are several, or it has no such row.
    """
    fastexcel = _reader()
    _require_sound(path)
    try:
        book = fastexcel.read_excel(path)
    except fastexcel.FastExcelError:
        raise InputError(_NOT_OPENED.format(path.name)) from None
    name = _chosen(book.sheet_names, sheet, path.name)
    try:
        grid = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_polars()
    except fastexcel.FastExcelError:
        raise InputError(
            f"'{path.name}': sheet '{name}' could not be read as a table. Save it as CSV."
        ) from None
    if grid.height < header_row:
        raise InputError(
            f"'{path.name}': sheet '{name}' has {grid.height} rows, none is "
            f"header_row={header_row}."
        )
    head = [list(row) for row in grid.head(header_row + 20).rows()]
    return Sheet(name, head, head[header_row - 1], grid.slice(header_row))


def sheet_names(path: Path) -> list[str]:
    """Names of the sheets, in their order; as ``read_sheet`` refuses what is no workbook."""
    fastexcel = _reader()
    _require_sound(path)
    try:
        return list(fastexcel.read_excel(path).sheet_names)
    except fastexcel.FastExcelError:
        raise InputError(_NOT_OPENED.format(path.name)) from None


def _reader() -> ModuleType:
    try:
        import fastexcel
    except ImportError:
        raise InputError(
            "Reading Excel needs fastexcel: pip install 'subq_toolkit[excel]', or save the "
            "sheet as CSV."
        ) from None
    return fastexcel


def _require_sound(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PK\x03\x04":
        found = path.stat()
        _require_extent(path, found.st_size, found.st_mtime_ns)
    elif start != b"\xd0\xcf\x11\xe0":
        raise InputError(
            f"'{path.name}' is not an Excel workbook, whatever its suffix says. "
            f"If it is text, rename it to .csv."
        )
    elif _ENCRYPTED in path.read_bytes():
        raise protected(path.name)


@lru_cache(8)
def _require_extent(path: Path, _size: int, _changed_ns: int) -> None:
    """Look through a workbook once, and again only if the file has changed."""
    require_extent(path)


def _chosen(names: list[str], sheet: str | int | None, file: str) -> str:
    if not isinstance(sheet, str | int | None):
        raise InputError("sheet must be the name of a sheet, or its place counted from 1.")
    listed = ", ".join(f"'{name}'" for name in names)
    if not names:
        raise InputError(_NOT_OPENED.format(file))
    if sheet is None and len(names) > 1:
        raise InputError(f"'{file}' has {len(names)} sheets: {listed}. State one with sheet=.")
    if sheet is None:
        return names[0]
    if isinstance(sheet, int) and not isinstance(sheet, bool) and 1 <= sheet <= len(names):
        return names[sheet - 1]
    if sheet not in names:
        raise InputError(f"'{file}' has no sheet {sheet!r}. It has {listed}.")
    return str(sheet)
