"""Delimited text files as tables of text: nothing typed, nothing cut, nothing merged.

A line with more or fewer fields than the header is not repaired: it comes through as an
empty row, marked. Sound files go through Polars' own reader, the others line by line.

A line ends with a line feed, carriage returns before it belong to it. A carriage return alone
ends a line only in a file whose first line ends so; elsewhere it is part of a field.
"""

import csv
import re
from pathlib import Path
from typing import NamedTuple

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.readers.text_encodings import HEAD, decoded, marked_encoding, require_encoding

#: Column that marks a line which is not a row of the table.
BROKEN = "__line"
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_KINDS = {
    b"PK\x03\x04": "a zip archive or an Excel workbook (.xlsx)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"PAR1": "a Parquet file (.parquet)",
    b"\x1f\x8b": "packed with gzip",
    b"%PDF": "a PDF document",
}
#: Rows that are looked at below the header; more lines than these no header has.
_SEEN = 20
#: As much of a line is looked at as a field may have. [characters]
_LONGEST_SEEN = 100_000
_FIRST_END = re.compile(rb'[^"\r\n]*+(?:"[^"]*+"[^"\r\n]*+)*+(\r*\n|\r)')
_ANY_END = re.compile(rb"(\r*\n|\r)")


class Delimited(NamedTuple):
    """What the start of a delimited file says: its first rows, and how to read the rest."""

    head: list[list[str]]
    header: list[str]
    separator: str
    encoding: str


def look_at(path: Path, *, encoding: str, separator: str | None, header_row: int) -> Delimited:
    """Read the first rows of a delimited file, and no more than its first 256 kB.

    Raises
    ------
    InputError
        If the file is empty, is no text, is in another encoding, has no line of its own
        near its start, or its separator cannot be told.
    """
    require_encoding(encoding)
    with path.open("rb") as file:
        start = file.read(HEAD)
    if not start.strip():
        raise InputError(f"'{path.name}' is empty: not even a header row.")
    kind = next((kind for mark, kind in _KINDS.items() if start.startswith(mark)), None)
    if kind:
        raise InputError(f"'{path.name}' is not delimited text: it is {kind}. Unpack or rename it.")
    encoding = marked_encoding(start) or encoding
    cut = path.stat().st_size > HEAD
    lines = _first_lines(start, encoding, path.name, cut=cut)
    if not lines and cut:
        raise InputError(
            f"'{path.name}' has no end of line in its first {HEAD // 1024} kB: this is not a "
            f"table of delimited text."
        )
    if len(lines) < header_row:
        where = f" in its first {HEAD // 1024} kB" if cut else ""
        raise InputError(
            f"'{path.name}' has {len(lines)} lines{where}; header_row={header_row} is none."
        )
    separator = separator or _separator_of(lines[header_row - 1], path.name)
    if not isinstance(separator, str) or not _may_separate(separator):
        raise InputError("separator must be one character, such as ',' or ';' or '\\t'.")
    head = [_fields(line, separator) for line in lines[: header_row + _SEEN]]
    header, _ = _header_of(lines[header_row - 1 :], separator, path.name)
    return Delimited(head, header, separator, encoding)


def read_rows(
    path: Path,
    names: list[str],
    seen: Delimited,
    *,
    header_row: int,
    most_bytes: int | None = None,
) -> pl.DataFrame:
    """Read every row below the header as text; broken lines are empty rows marked ``BROKEN``.

    With ``most_bytes`` only the rows that begin so near the start of the file.
    """
    data = path.read_bytes() if most_bytes is None else _start_of(path, most_bytes)
    cut = most_bytes is not None and len(data) == most_bytes
    lines = _first_lines(data[:HEAD], seen.encoding, path.name, cut=len(data) > HEAD or cut)
    _, tall = _header_of(lines[header_row - 1 :], seen.separator, path.name)
    if seen.encoding.lower().replace("_", "-") not in ("utf-8", "utf8") or not data.isascii():
        data = decoded(data, seen.encoding, path.name, cut=cut).encode("utf-8")
    data = _with_line_feeds(data)
    data = data[: data.rfind(b"\n") + 1] or data if cut else data
    body = _below(data, header_row - 1 + tall)
    if not body.strip(b"\n"):
        return pl.DataFrame(schema={**dict.fromkeys(names, pl.String), BROKEN: pl.Boolean})
    body = body if body.endswith(b"\n") else body + b"\n"
    table = _by_polars(body, names, seen.separator)
    return _by_line(body, names, seen.separator) if table is None else table


def _start_of(path: Path, most_bytes: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most_bytes)


def _first_lines(start: bytes, encoding: str, file: str, *, cut: bool) -> list[str]:
    """The whole lines of the start of a file, without their ends."""
    text = decoded(start, encoding, file, cut=cut)
    lines = _with_line_feeds(text.encode("utf-8")).decode("utf-8").split("\n")
    return lines[:-1] if cut or not lines[-1] else lines


def _with_line_feeds(data: bytes) -> bytes:
    """Have every line end with a line feed alone; see the module for what ends one."""
    if b"\r" not in data:
        return data
    first = _FIRST_END.match(data, 0, HEAD) or _ANY_END.search(data, 0, HEAD)
    data = re.sub(rb"\r+\n", b"\n", data)
    return data.replace(b"\r", b"\n") if first and first[1] == b"\r" else data


def _header_of(lines: list[str], separator: str, file: str) -> tuple[list[str], int]:
    """The cells of the header and how many lines it takes.

    Quoted names may hold line ends; a quote that is not closed ends with its line.
    """
    lines = [line.replace("\r", " ") for line in lines[:_SEEN]]
    for some, strict in ((lines, True), (lines[:1], False)):
        reader = csv.reader((f"{line}\n" for line in some), delimiter=separator, strict=strict)
        try:
            return next(reader, []), reader.line_num
        except csv.Error:
            continue
    raise InputError(
        f"'{file}': its header holds a name that is longer than any. Is header_row the line that "
        f"holds the names of the columns?"
    )


def _fields(line: str, separator: str) -> list[str]:
    """The fields of one line that is only looked at."""
    line = line[:_LONGEST_SEEN].replace("\r", " ")
    return next(csv.reader([line], delimiter=separator), [])


def _may_separate(separator: str) -> bool:
    return len(separator) == 1 and separator.isascii() and separator not in '"\r\n\0'


def _separator_of(header: str, file: str) -> str:
    counts = {mark: len(_fields(header, mark)) for mark in _SEPARATORS}
    best = max(counts, key=lambda mark: counts[mark])
    ties = [name for mark, name in _SEPARATORS.items() if counts[mark] == counts[best]]
    if counts[best] > 1 and len(ties) > 1:
        raise InputError(
            f"'{file}': the header can be split by {' or by '.join(ties)}. "
            f"State which, e.g. separator=','."
        )
    return best


def _below(data: bytes, lines: int) -> bytes:
    at = 0
    for _ in range(lines):
        at = data.find(b"\n", at) + 1 or len(data)
    return data[at:]


def _by_polars(body: bytes, names: list[str], separator: str) -> pl.DataFrame | None:
    """Read with Polars; None if the quoting is not sound enough to tell the rows apart.

    Every line gets one more field, a mark that the file does not use. In a row of the
    right length the mark stands in the last column, in every other row it does not.
    """
    marks = (m for m in (b"\x01", b"\x02", b"\x1e", b"\x1f") if m != separator.encode())
    mark = next((m for m in marks if m not in body), None)
    if mark is None:
        return None
    cut = separator.encode() + mark + b"\n"
    columns = [f"c{i}" for i in range(len(names) + 1)]
    header = separator.join(columns).encode() + b"\n"
    try:
        table = pl.read_csv(
            header + body.replace(b"\n", cut),
            separator=separator,
            infer_schema=False,
            empty_string_is_null=False,
            truncate_ragged_lines=True,
        )
    except pl.exceptions.PolarsError:
        return None
    if table.height != body.count(b"\n"):
        if not _quoting_is_sound(body, separator):
            return None
        whole = pl.all().str.replace_all(cut.decode(), "\n", literal=True)
        table = table.with_columns(whole)
    broken = pl.col(columns[-1]) != mark.decode()
    if b"\0" in body:
        broken |= pl.any_horizontal(pl.all().str.contains("\0", literal=True))
    blank = pl.col("c1") == mark.decode() if len(names) > 1 else pl.lit(False)
    blank &= pl.col("c0") == ""
    return _marked(table.with_columns(broken.alias(BROKEN)).filter(~blank), names)


def _quoting_is_sound(body: bytes, separator: str) -> bool:
    """Whether each quote opens or closes a whole field, as RFC 4180 has it."""
    import numpy as np  # needed for odd files only; importing it takes a while

    marks = np.frombuffer(b"\n" + body, np.uint8)
    quotes = np.flatnonzero(marks == ord('"'))
    edges = [ord(separator), ord("\n"), ord('"')]
    return bool(
        quotes.size % 2 == 0
        and np.isin(marks[quotes[0::2] - 1], edges).all()
        and np.isin(marks[quotes[1::2] + 1], edges).all()
    )


def _by_line(body: bytes, names: list[str], separator: str) -> pl.DataFrame:
    """Read each line by itself, so that one stray quote cannot swallow the lines after it."""
    rows = []
    for line in body.decode("utf-8").split("\n")[:-1]:
        if line:
            try:
                quoted = '"' in line or "\r" in line
                fields = next(csv.reader([line], delimiter=separator)) if quoted else None
                fields = line.split(separator) if fields is None else fields
            except csv.Error:
                fields = []
            sound = len(fields) == len(names) and "\0" not in line
            rows.append([*fields, False] if sound else [None] * len(names) + [True])
    columns = [f"c{i}" for i in range(len(names))]
    schema = {**dict.fromkeys(columns, pl.String), BROKEN: pl.Boolean}
    return _marked(pl.DataFrame(rows, schema=schema, orient="row"), names)


def _marked(table: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    columns = [pl.col(f"c{i}").alias(name) for i, name in enumerate(names)]
    emptied = [pl.when(~pl.col(BROKEN) & (column != "")).then(column) for column in columns]
    return table.select(*[e.alias(n) for e, n in zip(emptied, names, strict=True)], BROKEN)
