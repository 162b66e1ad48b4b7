"""Which column of a file is which column of the toolkit: stated by the user, never guessed.

A column that merely looks like a known one is proposed in a message and rides along
untouched. Names of columns are shown only if the row they stand in looks like a header.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from subq_toolkit.administrations import COLUMNS
from subq_toolkit.errors import InputError
from subq_toolkit.readers.charted_fields import name_meant
from subq_toolkit.readers.export_shapes import SHAPE_COLUMNS, SHAPES, lacking


def header_names(cells: Sequence[str | None], file: str) -> list[str]:
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
        shown = f" ({_listed(sorted(twice))})" if _is_header(names, {}) else ""
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
    head: Sequence[Sequence[str | None]] = (),
    header_row: int = 1,
    shape: str = "start_stop",
) -> dict[str, str]:
    """For each column of the file, its name in the result, in the file's order.

    Parameters
    ----------
    names
        Columns of the file.
    columns
        What the user stated: name in the file to name in the result.
    file, head, header_row
        For the messages: name of the file, its first rows, and the row taken for the header.
    shape
        What a row of the file is; says which columns are required.

    Raises
    ------
    InputError
        If ``columns`` names a column that is not there, two columns get one name, or a
        required column is missing; the last proposes the ``columns`` to type.
    """
    stated = dict(columns or {})
    elsewhere = _header_elsewhere(head, stated, header_row)
    for name in stated:
        if name not in names:
            others = f"Columns in the file: {_listed(names)}." if _is_header(names, {}) else ""
            alike = get_close_matches(name, names, n=3, cutoff=0.6)
            raise InputError(
                f"'{file}' has no column '{name}', which columns= names. "
                + (
                    elsewhere
                    or (f"Look-alikes: {_listed(alike)}." if alike else f"None is alike. {others}")
                )
            )
    result = {name: stated.get(name, name) for name in names}
    for target, count in Counter(result.values()).items():
        if count > 1:
            sources = [name for name, to in result.items() if to == target]
            raise InputError(
                f"'{file}': columns {_listed(sources)} would all be '{target}'. "
                f"Map one of them to another name in columns=."
            )
    missing = lacking(shape, set(result.values()))
    if missing:
        raise InputError(_missing(missing, names, stated, file, elsewhere, shape))
    return result


def proposal(name: str, taken: Mapping[str, str], shape: str = "start_stop") -> str:
    """Word a hint for a column that rides along but looks like a known one; else nothing."""
    meant = name_meant(name, shape=shape)
    if meant is None or meant in taken.values():
        return ""
    return f"rides along; if it is {meant}, read with columns={{'{name}': '{meant}'}}"


def _missing(
    missing: list[str],
    names: list[str],
    stated: dict[str, str],
    file: str,
    elsewhere: str,
    shape: str,
) -> str:
    lacking = f"'{file}' has no column {' and no column '.join(map(repr, missing))}. "
    if elsewhere:
        return lacking + elsewhere
    alike = {
        wanted: [
            name for name in names if name not in stated and name_meant(name, shape=shape) == wanted
        ]
        for wanted in missing
    }
    found = {candidates[0]: wanted for wanted, candidates in alike.items() if candidates}
    if not found and not _is_header(names, stated):
        return lacking + (
            "Its header row does not look like one (no name is known; the row is not shown, it may "
            "hold data). State where the header is, e.g. header_row=3, or add one to the file."
        )
    looks = "; ".join(
        f"{wanted} may be {' or '.join(map(repr, candidates))}"
        for wanted, candidates in alike.items()
        if candidates
    )
    unknown = {f"<column that holds {name}>": name for name in missing if not alike[name]}
    typed = stated | found | unknown
    asked = f"By their names {looks}. If so, read it with" if looks else "Name the column with"
    return f"{lacking}{asked} columns={typed}. Columns in the file: {_listed(names)}."


def _known(names: Sequence[str | None], stated: Mapping[str, str]) -> set[str]:
    meant = [
        stated.get(name) or name_meant(name, exact=True) or _of_shape(name)
        for name in names
        if name
    ]
    return {name for name in meant if name in COLUMNS or name in SHAPE_COLUMNS}


def _of_shape(name: str) -> str | None:
    """What a name means in some other shape of export than runs with start and stop."""
    return next(filter(None, (name_meant(name, exact=True, shape=one) for one in SHAPES)), None)


def likely_header(head: Sequence[Sequence[str | None]]) -> int:
    """The row, counted from 1, that holds the most known names; the first if none holds two."""
    known = {row: len(_known(cells, {})) for row, cells in enumerate(head, 1)}
    best = max(known, key=lambda row: known[row], default=1)
    return best if known.get(best, 0) >= 2 else 1


def _is_header(names: Sequence[str], stated: Mapping[str, str]) -> bool:
    return bool(_known(names, stated))


def _header_elsewhere(
    head: Sequence[Sequence[str | None]], stated: Mapping[str, str], header_row: int
) -> str:
    known = {row: len(_known(cells, stated)) for row, cells in enumerate(head, 1)}
    best = max(known, key=lambda row: known[row], default=header_row)
    if known.get(best, 0) < 2 or known[best] <= known.get(header_row, 0):
        return ""
    return f"Row {best} looks like the header, not row {header_row}: state header_row={best}."


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:30])
    return shown + (f" and {len(names) - 30} more" if len(names) > 30 else "")
