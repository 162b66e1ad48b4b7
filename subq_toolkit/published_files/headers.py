"""Find the header of a published table among its first rows, also one written over several."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from subq_toolkit.errors import InputError
from subq_toolkit.published_files.layouts import LAYOUTS, Layout

#: How many rows may stand above the header, and how many columns a table of CMS may have.
MOST_ROWS, MOST_COLUMNS = 60, 200
#: Over how many rows a header may be written.
_DEEPEST = 4

Cells = Sequence[str | None]


class Header(NamedTuple):
    """A recognised header: its layout, for each of our columns its place, and its last row."""

    layout: Layout
    places: dict[str, int]
    names: list[str]
    row: int


def plain_words(text: str | None) -> str:
    """Lower case, with one blank for whatever is no letter or digit."""
    return re.sub(r"[^a-z0-9]+", " ", (text or "").lower()).strip()


def find_header(rows: Sequence[Cells]) -> Header | None:
    """Return the header that answers to most columns of a layout; None if none does."""
    best, most = None, 0.0
    for row, names in _headers(rows):
        words = [plain_words(name) for name in names]
        for layout in LAYOUTS:
            places = _places(layout, words)
            share = len(places) / len(layout.fields)
            if share > 0.5 and share > most:
                best, most = Header(layout, places, names, row), share
    return best


def require_columns(header: Header, file: str) -> None:
    """Refuse a header that lacks a column its table cannot do without.

    Raises
    ------
    InputError
        If one is missing; the message names the columns as CMS writes them.
    """
    fields = header.layout.fields
    missing = [one.example for one in fields if one.needed and one.name not in header.places]
    if missing:
        raise InputError(
            f"'{file}' was recognised as a {header.layout.title}, but its header has no column "
            f"{' and no column '.join(map(repr, missing))}. Take the file as CMS publishes it, or "
            f"give the column that name."
        )


def _headers(rows: Sequence[Cells]) -> Iterator[tuple[int, list[str]]]:
    """Each row as the last row of a header of one to four rows, the names put together."""
    short = [[*row[:MOST_COLUMNS]] for row in rows[:MOST_ROWS]]
    for last, row in enumerate(short):
        for first in range(last, max(-1, last - _DEEPEST), -1):
            if sum(bool(plain_words(cell)) for cell in short[first]) < 2:
                break
            stacked = [_names_in(one, len(row)) for one in short[first : last + 1]]
            yield last, [" ".join(" ".join(cells).split()) for cells in zip(*stacked, strict=True)]


def _names_in(row: Cells, width: int) -> list[str]:
    return [cell or "" for cell in [*row, *[""] * width][:width]]


def _places(layout: Layout, words: list[str]) -> dict[str, int]:
    found = {}
    for field in layout.fields:
        hits = (
            place
            for pattern in field.headers
            for place, word in enumerate(words)
            if word and re.fullmatch(pattern, word)
        )
        place = next(hits, None)
        if place is not None:
            found[field.name] = place
    return found
