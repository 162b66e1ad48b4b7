"""Which column of a file is which column of the toolkit: stated by the user, never guessed.

A column that merely looks like a known one is proposed in a message and rides along
untouched. Names of columns are shown only if the row they stand in looks like a header.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from difflib import get_close_matches
from functools import cache, partial
from typing import NamedTuple

from subq_toolkit.administrations import COLUMNS
from subq_toolkit.errors import InputError
from subq_toolkit.readers.charted_fields import name_meant
from subq_toolkit.readers.export_shapes import SHAPE_COLUMNS, SHAPES, lacking

_MOST_SHOWN = 30
_DATED = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}[- ][A-Za-z]{3,9}[- ,]+\d{2,4}|"
    r"[A-Za-z]{3,9} \d{1,2},? \d{4}|\b\d{8}|\b\d{1,2}:\d{2}"
)
_NUMBERED = re.compile(r"\s*[-+$(]?[\d.,]+[%)]?\s*|.*\d{4}.*", re.DOTALL)


class Wanted(NamedTuple):
    """The columns that a kind of table has.

    ``meant(name)`` tells which of them a name looks like, ``header(name)`` which it is for certain,
    in any shape of such a table, ``lacking(names)`` which required ones are not there; ``joined``
    may be filled from several columns of a file.
    """

    meant: Callable[[str], str | None]
    header: Callable[[str], str | None]
    lacking: Callable[[Set[str]], Sequence[str]]
    joined: tuple[str, ...] = ()


@cache
def charted(shape: str = "start_stop") -> Wanted:
    """The columns of a chart export of a shape."""
    return Wanted(partial(name_meant, shape=shape), _is_charted, partial(lacking, shape))


def _is_charted(name: str) -> str | None:
    if name in COLUMNS or name in SHAPE_COLUMNS:
        return name
    return next(filter(None, (name_meant(name, exact=True, shape=one) for one in SHAPES)), None)


def header_names(
    cells: Sequence[str | None], file: str, *, wanted: Wanted | None = None
) -> list[str]:
    """Names of the columns; a line break in a name becomes a blank, a blank name a number.

    Raises
    ------
    InputError
        If two columns have the same name.
    """
    names = [
        " ".join((cell or "").split()) or f"unnamed_{place}" for place, cell in enumerate(cells, 1)
    ]
    twice = {name for name, count in Counter(names).items() if count > 1}
    if twice:
        places = [str(place) for place, name in enumerate(names, 1) if name in twice]
        shown = f" ({listed(sorted(twice))})" if is_header(names, wanted or charted()) else ""
        raise InputError(
            f"'{file}': columns {', '.join(places)} share a name with another column{shown}. "
            f"Give each column its own name in the file."
        )
    return names


def map_columns(
    names: list[str],
    columns: Mapping[str, str] | None,
    *,
    file: str,
    wanted: Wanted,
    head: Sequence[Sequence[str | None]] = (),
    header_row: int = 1,
) -> dict[str, str]:
    """For each column of the file, its name in the result, in the file's order.

    Parameters
    ----------
    names
        Columns of the file.
    columns
        What the user stated: name in the file to name in the result.
    wanted
        The columns that such a table has.
    file, head, header_row
        For the messages: name of the file, its first rows, and the row taken for the header.

    Raises
    ------
    InputError
        If ``columns`` names a column that is not there, two columns get one name, or a
        required column is missing (the message proposes the ``columns`` to type), or a name
        begins with an underscore.
    """
    stated = dict(columns or {})
    elsewhere = _header_elsewhere(head, stated, header_row, wanted)
    header = is_header(names, wanted, stated)
    for name in stated:
        if name not in names:
            others = f"Columns in the file: {listed(names)}." if header else ""
            alike = get_close_matches(name, names, n=3, cutoff=0.6) if header else []
            raise InputError(
                f"'{file}' has no column '{name}', which columns= names. "
                + (
                    elsewhere
                    or (f"Look-alikes: {listed(alike)}." if alike else f"None is alike. {others}")
                )
            )
    result = {name: stated.get(name, name) for name in names}
    for target, count in Counter(result.values()).items():
        if count > 1 and target not in wanted.joined:
            sources = [name for name, to in result.items() if to == target]
            raise InputError(
                f"'{file}': columns {listed(sources)} would all be '{target}'. "
                f"Map one of them to another name in columns=."
            )
    ours = [name for name in result.values() if name.startswith("_")]
    if ours:
        shown = f" ({listed(ours)})" if header else ""
        raise InputError(
            f"'{file}': names that begin with an underscore are kept for the toolkit{shown}. Give "
            f"them other names, e.g. columns={{'{ours[0] if header else '_name'}': 'x'}}."
        )
    missing = wanted.lacking(set(result.values()))
    if missing:
        raise InputError(_missing(missing, names, stated, file, elsewhere, wanted))
    return result


def proposal(name: str, taken: Mapping[str, str], wanted: Wanted) -> str:
    """Word a hint for a column that rides along but looks like a known one; else nothing."""
    meant = wanted.meant(name)
    if meant is None or (meant in taken.values() and meant not in wanted.joined):
        return ""
    return f"rides along; if it is {meant}, read with columns={{'{name}': '{meant}'}}"


def _missing(
    missing: Sequence[str],
    names: list[str],
    stated: dict[str, str],
    file: str,
    elsewhere: str,
    wanted: Wanted,
) -> str:
    absent = f"'{file}' has no column {' and no column '.join(map(repr, missing))}. "
    if elsewhere:
        return absent + elsewhere
    alike = {
        column: [name for name in names if name not in stated and wanted.meant(name) == column]
        for column in missing
    }
    found = {candidates[0]: column for column, candidates in alike.items() if candidates}
    if not is_header(names, wanted, stated):
        return absent + (
            "Its header row does not look like one (too few names are known; the row is not shown, "
            "it may hold data). State where the header is, e.g. header_row=3, or add one to the "
            "file."
        )
    looks = "; ".join(
        f"{column} may be {' or '.join(map(repr, candidates))}"
        for column, candidates in alike.items()
        if candidates
    )
    unknown = {f"<column that holds {name}>": name for name in missing if not alike[name]}
    typed = stated | found | unknown
    asked = f"By their names {looks}. If so, read it with" if looks else "Name the column with"
    return f"{absent}{asked} columns={typed}. Columns in the file: {listed(names)}."


def _known(names: Sequence[str | None], stated: Mapping[str, str], wanted: Wanted) -> set[str]:
    """Columns that the names are for certain; a word of a row of data may look like one."""
    found = {wanted.header(stated.get(name, name)) for name in names if name}
    return {name for name in found if name}


def is_header(
    cells: Sequence[str | None], wanted: Wanted, stated: Mapping[str, str] | None = None
) -> bool:
    """Whether cells are names for certain, so that a message may show them.

    Two of them are known names and none holds a date or a clock, or one is and none holds a
    number either.
    """
    known = len(_known(cells, stated or {}, wanted))
    return known > 0 and not holds_dates(cells) and (known > 1 or not _holds_numbers(cells))


def holds_dates(cells: Sequence[str | None]) -> bool:
    """Whether a cell holds a date or a clock, as a row of data does."""
    return any(_DATED.search(cell) for cell in cells if cell)


def _holds_numbers(cells: Sequence[str | None]) -> bool:
    return any(_NUMBERED.fullmatch(cell) for cell in cells if cell)


def likely_header(head: Sequence[Sequence[str | None]]) -> int:
    """The row, counted from 1, that holds the most known names; the first if none holds two."""
    known = {row: _names_in(cells, {}, charted()) for row, cells in enumerate(head, 1)}
    best = max(known, key=lambda row: known[row], default=1)
    return best if known.get(best, 0) >= 2 else 1


def _names_in(cells: Sequence[str | None], stated: Mapping[str, str], wanted: Wanted) -> int:
    """How many known names a row holds; none if it is a row of data."""
    return 0 if holds_dates(cells) else len(_known(cells, stated, wanted))


def _header_elsewhere(
    head: Sequence[Sequence[str | None]],
    stated: Mapping[str, str],
    header_row: int,
    wanted: Wanted,
) -> str:
    known = {row: _names_in(cells, stated, wanted) for row, cells in enumerate(head, 1)}
    best = max(known, key=lambda row: known[row], default=header_row)
    if known.get(best, 0) < 2 or known[best] <= known.get(header_row, 0):
        return ""
    return f"Row {best} looks like the header, not row {header_row}: state header_row={best}."


def listed(names: Sequence[str]) -> str:
    """Quote names for a message; many are cut short."""
    shown = ", ".join(f"'{name}'" for name in names[:_MOST_SHOWN])
    return shown + (f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else "")
