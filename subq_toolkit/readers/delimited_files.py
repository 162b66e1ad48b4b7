"""Delimited text files as tables of text: nothing typed, nothing cut, nothing merged.

A line with more or fewer fields than the header is not repaired: it comes through as an
empty row, marked. Sound files go through Polars' own reader, the others line by line.
"""

import csv
import io
import re
from pathlib import Path
from typing import NamedTuple

import polars as pl

from subq_toolkit.errors import InputError

#: How much of a file is looked at before it is read whole. [bytes]
HEAD = 256 * 1024
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
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f"))
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


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
    with path.open("rb") as file:
        start = file.read(HEAD)
    if not start.strip():
        raise InputError(f"'{path.name}' is empty: not even a header row.")
    kind = next((kind for mark, kind in _KINDS.items() if start.startswith(mark)), None)
    if kind:
        raise InputError(f"'{path.name}' is not delimited text: it is {kind}. Unpack or rename it.")
    encoding = next((name for mark, name in _MARKS.items() if start.startswith(mark)), encoding)
    if b"\n" not in start and b"\r" not in start and path.stat().st_size > HEAD:
        raise InputError(
            f"'{path.name}' has no end of line in its first {HEAD // 1024} kB: this is not a "
            f"table of delimited text."
        )
    text = _decoded(start, encoding, path.name, cut=path.stat().st_size > HEAD)
    lines = io.StringIO(text, newline=None).readlines()[: header_row + 20]
    if len(lines) < header_row:
        raise InputError(f"'{path.name}' has {len(lines)} lines; header_row={header_row} is none.")
    separator = separator or _separator_of(lines[header_row - 1], path.name)
    if len(separator) != 1 or not separator.isascii() or separator in '"\r\n':
        raise InputError("separator must be one character, such as ',' or ';' or '\\t'.")
    head = [next(csv.reader([line], delimiter=separator), []) for line in lines]
    header = next(csv.reader(lines[header_row - 1 :], delimiter=separator))
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
    if seen.encoding.lower().replace("_", "-") not in ("utf-8", "utf8") or not data.isascii():
        data = _decoded(data, seen.encoding, path.name).encode("utf-8")
    data = data.replace(b"\r\n", b"\n")
    data = data if b"\n" in data[:HEAD] else data.replace(b"\r", b"\n")
    body = _below_header(data, header_row, seen.separator)
    if not body.strip(b"\n"):
        return pl.DataFrame(schema={**dict.fromkeys(names, pl.String), BROKEN: pl.Boolean})
    body = body if body.endswith(b"\n") else body + b"\n"
    table = _by_polars(body, names, seen.separator)
    return _by_line(body, names, seen.separator) if table is None else table


def _start_of(path: Path, most_bytes: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(most_bytes)
    if len(data) < most_bytes:
        return data
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:100]
    return data[: most_bytes // 4 * 4] if wide else data[: data.rfind(b"\n") + 1] or data


def _decoded(data: bytes, encoding: str, file: str, *, cut: bool = False) -> str:
    start = data[:HEAD]
    if not re.match(r"utf[-_]?(16|32)", encoding.lower()):
        odd, even = start[1::2].count(0), start[::2].count(0)
        if max(odd, even) > len(start) // 3 and min(odd, even) * 10 <= max(odd, even):
            raise InputError(
                f"'{file}' is not {encoding}: every other byte is zero, as in UTF-16. Read it "
                f'with encoding="utf-16-{"le" if odd > even else "be"}".'
            )
        if len(start) - len(start.translate(None, _CONTROLS)) > 4 + len(start) // 100:
            raise InputError(
                f"'{file}' is not text: it holds control or NUL bytes. Export it as CSV again."
            )
    try:
        return data.decode(encoding)
    except LookupError:
        raise InputError(
            f"encoding='{encoding}' is not known. Common: utf-8, cp1252, utf-16."
        ) from None
    except UnicodeDecodeError as error:
        if cut and error.start >= len(data) - 4:
            return data[: error.start].decode(encoding)
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"'{file}' is not {encoding}: line {line:,} holds other bytes. It is likely a file "
            f'saved by Windows: read it with encoding="cp1252".'
        ) from None


def _separator_of(header: str, file: str) -> str:
    counts = {mark: len(next(csv.reader([header], delimiter=mark), [])) for mark in _SEPARATORS}
    best = max(counts, key=lambda mark: counts[mark])
    ties = [name for mark, name in _SEPARATORS.items() if counts[mark] == counts[best]]
    if counts[best] > 1 and len(ties) > 1:
        raise InputError(
            f"'{file}': the header can be split by {' or by '.join(ties)}. "
            f"State which, e.g. separator=','."
        )
    return best


def _below_header(data: bytes, header_row: int, separator: str) -> bytes:
    at = 0
    for _ in range(header_row - 1):
        at = data.index(b"\n", at) + 1
    lines = io.StringIO(data[at : at + HEAD].decode("utf-8", "ignore"), newline="")
    reader = csv.reader(lines, delimiter=separator)
    next(reader)
    for _ in range(reader.line_num):
        at = data.find(b"\n", at) + 1 or len(data)
    return data[at:]


def _by_polars(body: bytes, names: list[str], separator: str) -> pl.DataFrame | None:
    """Read with Polars; None if the quoting is not sound enough to tell the rows apart.

    Every line gets one more field, a mark that the file does not use. In a row of the
    right length the mark stands in the last column, in every other row it does not.
    """
    mark = next((m for m in (b"\x01", b"\x02", b"\x1e", b"\x1f") if m not in body), None)
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
                fields = next(csv.reader([line], delimiter=separator))
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
