"""Rows of a delimited file of any size that name a wanted code; the file is never held.

A line is looked through for the codes before it is split, so most lines cost next to
nothing. Text in quotes may run over several lines. One stray quote costs its own line only:
if what follows it does not make a row of the right length, each line stands for itself.
"""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from subq_toolkit.errors import InputError

#: The longest line that is read. [bytes]
LONGEST = 32 * 1024**2
#: Over how many lines one row may run.
_MOST_LINES = 30
#: Above so many codes it is quicker to split every line.
_MOST_SOUGHT = 60

_Line = tuple[int, bytes]


class Record(NamedTuple):
    """A row: the line it begins in, counted from 1, and its fields; None if it has no sense."""

    line: int
    fields: list[str] | None


def code_pattern(codes: Iterable[str]) -> re.Pattern[bytes]:
    """Find any of the codes in a line; with very many of them every line is a hit."""
    spellings = sorted({one.encode() for code in codes for one in (code.upper(), code.lower())})
    sought = spellings if len(spellings) <= _MOST_SOUGHT else [b""]
    return re.compile(b"|".join(map(re.escape, sought)))


def records(
    path: Path, *, after: int, width: int, separator: str, pattern: re.Pattern[bytes]
) -> Iterator[Record]:
    """Rows of ``width`` fields below line ``after`` in which ``pattern`` is found.

    Raises
    ------
    InputError
        If a line is longer than any row can be.
    """
    below = ((number, line) for number, line in lines_of(path) if number > after)
    for number, row in _rows(below, width, separator):
        if pattern.search(row):
            yield Record(number, split(row, width, separator))


def split(row: bytes, width: int, separator: str) -> list[str] | None:
    """Fields of a row; None if its quotes do not close or it has another number of them."""
    try:
        fields = next(csv.reader([decoded(row)], delimiter=separator, strict=True), [])
    except csv.Error:
        return None
    return fields if len(fields) == width else None


def decoded(row: bytes) -> str:
    """Text of a line: UTF-8, or Latin-1 where it is not that."""
    try:
        return row.decode("utf-8")
    except UnicodeDecodeError:
        return row.decode("latin-1")


def lines_of(path: Path) -> Iterator[_Line]:
    """Every line with its number, counted from 1.

    Raises
    ------
    InputError
        If a line is longer than any row can be.
    """
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST + 1):
            number += 1
            if len(line) > LONGEST:
                raise InputError(
                    f"'{path.name}': line {number:,} is longer than {LONGEST // 1024**2} MB, which "
                    f"no row of prices is. Check that the file is what its suffix says."
                )
            yield number, line


def _rows(lines: Iterator[_Line], width: int, separator: str) -> Iterator[_Line]:
    waiting: deque[_Line] = deque()
    while waiting or (following := next(lines, None)):
        number, line = waiting.popleft() if waiting else following
        if line.count(b'"') % 2:
            joined = _joined(line, lines, waiting)
            whole = b"".join([line, *(text for _, text in joined)])
            if joined and split(whole, width, separator):
                line = whole
            else:
                waiting.extendleft(reversed(joined))
        yield number, line


def _joined(line: bytes, lines: Iterator[_Line], waiting: deque[_Line]) -> list[_Line]:
    """The lines that follow an open quote, to the one that closes it."""
    joined: list[_Line] = []
    while len(joined) < _MOST_LINES:
        following = waiting.popleft() if waiting else next(lines, None)
        if following is None:
            return joined
        joined.append(following)
        if following[1].count(b'"') % 2:
            return joined
    return joined
