"""Sheets of Excel workbooks as tables of text, the way they were saved.

Formulas and macros are never run: a cell counts with the value saved in it, a cell with a
formula error counts as empty. Date cells come out as 2026-03-02 09:15:00.
"""

import re
import zipfile
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import polars as pl

from subq_toolkit.errors import InputError

#: Workbooks that unpack to more than this are refused; a full sheet of charting stays far below.
MOST_BYTES = 2 * 1024**3


#: Cells of one sheet that are read; the table is made in full, empty cells too.
_MOST_CELLS = 200_000_000
_CHUNK = 1 << 20
_SHEET = re.compile(r"xl/worksheets/.*\.xml$")
_CELL = re.compile(rb'r="([A-Z]+)(\d+)"')
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
        If the workbook cannot be opened or unpacks to more than 2 GB, fastexcel is not
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
    if start == b"PK\x03\x04" and zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as packed:
                size = sum(part.file_size for part in packed.infolist())
        except (zipfile.BadZipFile, NotImplementedError, ValueError):
            raise InputError(
                f"'{path.name}' is a damaged workbook: its parts cannot be listed. Open it in "
                f"Excel and save it again, or as CSV."
            ) from None
        _require_extent(path)
        if size > MOST_BYTES:
            raise InputError(
                f"'{path.name}' unpacks to {size / 1024**3:.1f} GB, more than the "
                f"{MOST_BYTES / 1024**3:.0f} GB read from a workbook. Save the sheet as CSV."
            )
    elif start != b"\xd0\xcf\x11\xe0":
        raise InputError(
            f"'{path.name}' is not an Excel workbook, whatever its suffix says. "
            f"If it is text, rename it to .csv."
        )


def _require_extent(path: Path) -> None:
    """Refuse sheets with a cell so far out that the table would not fit, before it is made."""
    with zipfile.ZipFile(path) as packed:
        sheets = [one for one in packed.namelist() if _SHEET.match(one)]
        for sheet in sheets:
            rows, columns, rest = 0, 0, b""
            with packed.open(sheet) as part:
                while read := part.read(_CHUNK):
                    for letters, row in _CELL.findall(rest + read):
                        rows, columns = max(rows, int(row[:12])), max(columns, _place(letters))
                    rest = read[-64:]
            if rows * columns > _MOST_CELLS:
                raise InputError(
                    f"'{path.name}': a sheet reaches to row {rows:,} and column {columns:,}, more "
                    f"than the {_MOST_CELLS:,} cells read from one. A stray cell far out does "
                    f"that: delete the empty rows and columns, or save the sheet as CSV."
                )


def _place(letters: bytes) -> int:
    """The number of a column: A is 1, Z 26, AA 27."""
    place = 0
    for letter in letters[:8]:
        place = place * 26 + letter - 64
    return place


def _chosen(names: list[str], sheet: str | int | None, file: str) -> str:
    listed = ", ".join(f"'{name}'" for name in names)
    if not names:
        raise InputError(_NOT_OPENED.format(file))
    if sheet is None and len(names) > 1:
        raise InputError(f"'{file}' has {len(names)} sheets: {listed}. State one with sheet=.")
    if sheet is None:
        return names[0]
    if isinstance(sheet, int) and 1 <= sheet <= len(names):
        return names[sheet - 1]
    if sheet not in names:
        raise InputError(f"'{file}' has no sheet {sheet!r}. It has {listed}.")
    return str(sheet)
