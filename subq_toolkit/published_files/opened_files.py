"""A published table wherever it stands: delimited text, a sheet of a workbook, an archive.

Everything is read as text; nothing is typed here.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.published_files.headers import MOST_ROWS, Cells, Header, find_header
from subq_toolkit.published_files.layouts import LAYOUTS
from subq_toolkit.published_files.packed_files import require_modest, unpacked_tables
from subq_toolkit.readers.delimited_files import BROKEN, HEAD, Delimited, look_at, read_rows
from subq_toolkit.readers.export_files import kind_of
from subq_toolkit.readers.workbooks import read_sheet

_SEPARATORS = {",": "comma", "\t": "tab", "|": "bar", ";": "semicolon"}


class Opened(NamedTuple):
    """A recognised table: the names it goes by, the words above it, its header and its rows.

    ``rows`` has a text column for each column of the file, named by its place from ``0``, and
    ``BROKEN`` for lines with another number of fields.
    """

    names: tuple[str, ...]
    layout: str
    above: str
    header: Header
    rows: pl.DataFrame

    @property
    def file(self) -> str:
        """The file as messages name it, with the archive it came in."""
        return ": ".join(self.names)


class _Seen(NamedTuple):
    """A recognised table that has not been read yet."""

    names: tuple[str, ...]
    part: str
    layout: str
    above: str
    header: Header
    read: Callable[[], pl.DataFrame]


def open_table(path: Path, *, part: str | None) -> Opened:
    """Open the one table of CMS in a file; ``part`` names it if there are several.

    Raises
    ------
    InputError
        If the file is none of CMS's, cannot be read, or holds several and none is named.
    """
    if path.suffix.lower() == ".zip" and path.is_file():
        with TemporaryDirectory() as folder:
            return _read(_in_archive(path, Path(folder), part), path.name, part)
    return _read(_in_file(path, (path.name,)), path.name, part)


def _read(seen: list[_Seen], file: str, part: str | None) -> Opened:
    wanted = [one for one in seen if part in (None, one.part)]
    if not wanted:
        raise InputError(_unknown(file, seen, part))
    if len(wanted) > 1:
        raise InputError(
            f"'{file}' holds {len(wanted)} tables: "
            f"{', '.join(f'{one.part!r} ({one.header.layout.kind})' for one in wanted)}. "
            f"State one, e.g. part={wanted[0].part!r}."
        )
    one = wanted[0]
    return Opened(one.names, one.layout, one.above, one.header, one.read())


def _unknown(file: str, seen: list[_Seen], part: str | None) -> str:
    if seen:
        there = ", ".join(repr(one.part) for one in seen)
        return f"'{file}' has no part {part!r} that was recognised. It has {there}."
    titles = [one.title for one in LAYOUTS]
    return (
        f"'{file}' was not recognised as a file CMS publishes: none of its first {MOST_ROWS} rows "
        f"is the header of a {', a '.join(titles[:-1])} or a {titles[-1]}. Take the csv or xlsx "
        f"as CMS publishes it, with its header; text of fixed width is not read."
    )


def _in_archive(path: Path, folder: Path, part: str | None) -> list[_Seen]:
    seen, refused = [], []
    for member in unpacked_tables(path, folder):
        if part in (None, member.name):
            try:
                seen += [
                    one._replace(part=member.name)
                    for one in _in_file(member, (path.name, member.name))
                ]
            except InputError as error:
                refused.append(str(error))
    if not seen and refused:
        raise InputError(f"'{path.name}': {refused[0]}")
    return seen


def _in_file(path: Path, names: tuple[str, ...]) -> list[_Seen]:
    kind = kind_of(path)
    if kind == "parquet":
        raise InputError(f"'{path.name}' is a Parquet file; CMS publishes csv, txt, xlsx or zip.")
    return _in_workbook(path, names) if kind == "excel" else _in_text(path, names)


def _in_text(path: Path, names: tuple[str, ...]) -> list[_Seen]:
    seen = look_at(path, encoding=_encoding_of(path), separator=",", header_row=1)
    encoding = seen.encoding
    with path.open("rb") as file:
        head = file.read(HEAD).decode(encoding, "ignore").replace("\r\n", "\n")
    found = [one for one in (_with_separator(head, s) for s in _SEPARATORS) if one]
    if not found:
        return []
    separator, line, records, header = max(found, key=lambda one: len(one[3].places))
    width = len(records[header.row])
    layout = Delimited([], [], separator, encoding)
    return [
        _Seen(
            names,
            names[-1],
            f"{_SEPARATORS[separator]} {encoding}, header in line {line}",
            _words(records[: header.row + 1]),
            header,
            lambda: _rows_of_text(path, width, layout, line),
        )
    ]


def _rows_of_text(path: Path, width: int, layout: Delimited, line: int) -> pl.DataFrame:
    try:
        return read_rows(path, [str(i) for i in range(width)], layout, header_row=line)
    except csv.Error:
        raise InputError(
            f"'{path.name}': its quotes and line ends do not fit together, so its rows cannot be "
            f"told apart. Download it again, or save it as csv from a spreadsheet."
        ) from None


def _encoding_of(path: Path) -> str:
    data = path.read_bytes()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _with_separator(head: str, separator: str) -> tuple[str, int, list[list[str]], Header] | None:
    """The separator, the line its header begins in, the first rows, and the header; or None."""
    text = head if "\n" in head else head.replace("\r", "\n")
    lines, records = [], []
    for line, record in _records(text, separator):
        lines.append(line)
        records.append(record)
    header = find_header(records)
    return header and (separator, lines[header.row], records, header)


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The first rows with the line each begins in, counted from 1, up to what is no CSV."""
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=separator)
    for _ in range(MOST_ROWS):
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except (StopIteration, csv.Error):
            return


def _in_workbook(path: Path, names: tuple[str, ...]) -> list[_Seen]:
    require_modest(path)
    return [one for sheet in _sheets(path) for one in _in_sheet(path, names, sheet)]


def _sheets(path: Path) -> Sequence[str | int]:
    """Names of the sheets; a workbook that cannot be opened is left to ``read_sheet``."""
    try:
        read_sheet(path, sheet=1, header_row=1)
    except InputError as error:
        if "rows, none is" not in str(error):
            raise
    import fastexcel

    return fastexcel.read_excel(path).sheet_names


def _in_sheet(path: Path, names: tuple[str, ...], sheet: str | int) -> list[_Seen]:
    try:
        read = read_sheet(path, sheet=sheet, header_row=1)
    except InputError:
        return []
    grid = read.rows.rename({name: str(i) for i, name in enumerate(read.rows.columns)})
    records = [read.header, *(list(row) for row in grid.head(MOST_ROWS).rows())]
    header = find_header(records)
    if header is None:
        return []
    rows = grid.slice(header.row).with_columns(pl.lit(False).alias(BROKEN))
    layout = f"sheet '{read.name}', header in row {header.row + 1}"
    words = _words(records[: header.row + 1])
    return [_Seen(names, read.name, layout, words, header, lambda: rows)]


def _words(rows: Sequence[Cells]) -> str:
    """What stands above the table and in its header, as one text."""
    return " | ".join(" ".join(filter(None, row)) for row in rows)
