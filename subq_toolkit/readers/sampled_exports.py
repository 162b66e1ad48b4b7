"""The first rows of an export as text, opened without being told how: for a suggestion.

Encoding, separator, sheet and header row are found by trying; each is only proposed.
"""

from pathlib import Path
from typing import NamedTuple

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.readers.charted_fields import looks_known
from subq_toolkit.readers.column_maps import header_names, likely_header
from subq_toolkit.readers.delimited_files import BROKEN, Delimited, look_at, read_rows
from subq_toolkit.readers.export_files import kind_of
from subq_toolkit.readers.limits import MOST_BYTES, require_size
from subq_toolkit.readers.workbooks import read_sheet, sheet_names

#: How many rows are looked at.
MOST_SAMPLED = 2_000
_MOST_READ = 4 * 1024**2
_ENCODINGS = ("utf-8", "cp1252", "utf-16-le", "utf-16-be")
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
    path = Path(source)
    kind = kind_of(path)
    require_size(path, MOST_BYTES)
    if kind == "parquet":
        try:
            return Sampled(pl.scan_parquet(path, glob=False).head(MOST_SAMPLED).collect(), {}, [])
        except (pl.exceptions.PolarsError, OSError):
            raise InputError(f"'{path.name}' is not a Parquet file, or it is damaged.") from None
    if kind == "excel":
        return _of_workbook(path, sheet, header_row)
    return _of_text(path, header_row)


def _of_text(path: Path, header_row: int | None) -> Sampled:
    refused: list[InputError] = []
    for encoding in _ENCODINGS:
        try:
            return _decoded_as(path, encoding, header_row)
        except InputError as error:
            refused.append(error)
            if "encoding=" not in str(error) and "not utf" not in str(error):
                break
    raise refused[0]


def _decoded_as(path: Path, encoding: str, header_row: int | None) -> Sampled:
    """Sample text of one encoding; the header may stand below a title."""
    row, notes = header_row or _header_row_of(path, encoding), []
    if row != header_row and row != 1:
        notes.append(f"row {row} looks like the header")
    seen, by_rows = _looked_at(path, encoding, row)
    names = header_names(seen.header, path.name)
    rows = read_rows(path, names, seen, header_row=row, most_bytes=_MOST_READ)
    broken = int(rows[BROKEN].sum())
    settings: dict[str, str | int] = {"header_row": row}
    if by_rows:
        settings["separator"] = seen.separator
        notes.append(f"the separator is {seen.separator!r}, as in the rows below the header")
    if encoding != "utf-8" and seen.encoding == encoding:
        settings["encoding"] = encoding
        notes.append(f"the file is not UTF-8; {encoding} reads it")
    kept = rows.filter(~pl.col(BROKEN)).drop(BROKEN).head(MOST_SAMPLED)
    return Sampled(kept, settings, notes, broken)


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
