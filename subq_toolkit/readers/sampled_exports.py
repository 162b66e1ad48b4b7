"""The first rows of an export as text, opened without being told how: for a suggestion.

Encoding, separator, sheet and header row are found by trying; each is only proposed.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.readers.charted_fields import looks_known
from subq_toolkit.readers.column_maps import header_names, holds_dates, likely_header
from subq_toolkit.readers.delimited_files import BROKEN, Delimited, look_at, read_rows
from subq_toolkit.readers.export_files import kind_of, scan_parquet
from subq_toolkit.readers.limits import MOST_BYTES, file_at, require_row, require_size
from subq_toolkit.readers.text_encodings import likely_encoding, marked_encoding
from subq_toolkit.readers.workbooks import read_sheet, sheet_names

#: How many rows are looked at.
MOST_SAMPLED = 2_000
_MOST_READ = 4 * 1024**2
_SEPARATORS = ",;\t|"


class Sampled(NamedTuple):
    """The first rows, broken lines left out; settings found; and what to say of them."""

    rows: pl.DataFrame
    settings: dict[str, str | int]
    notes: list[str]
    broken: int = 0


def sampled(
    source: str | Path | pl.DataFrame | pl.LazyFrame,
    *,
    sheet: str | int | None,
    header_row: int | None,
) -> Sampled:
    """The first rows of a file or a frame; see ``suggest_columns`` for the errors."""
    if isinstance(source, pl.DataFrame | pl.LazyFrame):
        return Sampled(source.lazy().head(MOST_SAMPLED).collect(), {}, [])
    if not isinstance(source, str | Path):
        raise InputError("suggest_columns() takes a path to a file, or a Polars frame.")
    require_row(1 if header_row is None else header_row)
    path = file_at(source)
    kind = kind_of(path)
    require_size(path, MOST_BYTES)
    if kind == "parquet":
        return Sampled(scan_parquet(path).head(MOST_SAMPLED).collect(), {}, [])
    if kind == "excel":
        return _of_workbook(path, sheet, header_row)
    return _of_text(path, header_row)


def _of_text(path: Path, header_row: int | None) -> Sampled:
    """Sample text; the header may stand below a title."""
    with path.open("rb") as file:
        start = file.read(_MOST_READ)
    encoding = likely_encoding(start)
    row, notes = header_row or _header_row_of(path, encoding), []
    if row != header_row and row != 1:
        notes.append(f"row {row} looks like the header")
    seen, by_rows = _looked_at(path, encoding, row)
    _require_header(seen.header, path.name, header_row)
    names = header_names(seen.header, path.name)
    rows = read_rows(path, names, seen, header_row=row, most_bytes=_MOST_READ)
    broken = int(rows[BROKEN].sum())
    settings: dict[str, str | int] = {"header_row": row}
    if by_rows:
        settings["separator"] = seen.separator
        notes.append(f"the separator is {seen.separator!r}, as in the rows below the header")
    if encoding != "utf-8" and not marked_encoding(start):
        settings["encoding"] = encoding
        notes.append(f"the file is not UTF-8; {encoding} reads it")
    kept = rows.filter(~pl.col(BROKEN)).drop(BROKEN).head(MOST_SAMPLED)
    return Sampled(kept, settings, notes, broken)


def _require_header(cells: Sequence[str | None], file: str, stated: int | None) -> None:
    """Refuse a row of data where nobody has said that it is the header."""
    if stated is None and holds_dates(cells):
        raise InputError(
            f"'{file}': none of its first rows looks like a header, and the first holds dates. "
            f"State where the header is, e.g. header_row=3, or add one to the file."
        )


def _header_row_of(path: Path, encoding: str) -> int:
    """The row with the most known names, by whatever mark its cells are separated."""
    found = []
    for mark in _SEPARATORS:
        head = look_at(path, encoding=encoding, separator=mark, header_row=1).head
        row = likely_header(head)
        found.append((sum(looks_known(cell) for cell in head[row - 1]), row))
    return max(found, key=lambda one: one[0])[1]


def _looked_at(path: Path, encoding: str, row: int) -> tuple[Delimited, bool]:
    """Look at the head; and whether its separator had to be told by the rows below it."""
    try:
        return look_at(path, encoding=encoding, separator=None, header_row=row), False
    except InputError as error:
        if "can be split" not in str(error):
            raise
    tries = {}
    for mark in _SEPARATORS:
        seen = look_at(path, encoding=encoding, separator=mark, header_row=row)
        tries[mark] = (sum(len(cells) == len(seen.header) for cells in seen.head), seen)
    return max(tries.values(), key=lambda one: (one[0], len(one[1].header)))[1], True


def _of_workbook(path: Path, sheet: str | int | None, header_row: int | None) -> Sampled:
    names, notes = sheet_names(path), []
    chosen = sheet
    if sheet is None and len(names) > 1:
        known = {name: _known_in(path, name) for name in names}
        chosen = max(names, key=lambda name: known[name])
        notes.append(f"of {len(names)} sheets '{chosen}' looks most like charting")
    read = read_sheet(path, sheet=chosen, header_row=header_row or 1)
    row = header_row or likely_header(read.head)
    if row != 1 and header_row is None:
        notes.append(f"row {row} looks like the header")
        read = read_sheet(path, sheet=chosen, header_row=row)
    _require_header(read.header, path.name, header_row)
    columns = header_names(read.header, path.name)
    rows = read.rows.rename(dict(zip(read.rows.columns, columns, strict=True)))
    some = rows.filter(pl.any_horizontal(pl.all().is_not_null())).head(MOST_SAMPLED)
    settings: dict[str, str | int] = {"header_row": row}
    if len(names) > 1:
        settings["sheet"] = str(read.name)
    return Sampled(some, settings, notes)


def _known_in(path: Path, sheet: str) -> int:
    try:
        head = read_sheet(path, sheet=sheet, header_row=1).head
    except InputError:
        return 0
    return max((sum(looks_known(cell) for cell in cells if cell) for cells in head), default=0)
