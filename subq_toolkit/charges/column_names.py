"""Which column of a file is which column of a charge line: stated by the user, never guessed.

A column that merely looks like a known one is proposed in a message and rides along
untouched. Several columns of modifiers may be named together; they are joined in order.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from subq_toolkit.charges.columns import COLUMNS, REQUIRED, name_meant
from subq_toolkit.errors import InputError

#: Columns that may be filled from several columns of a file.
JOINED = ("modifiers",)
_MOST_SHOWN = 30


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
        shown = f" ({listed(sorted(twice))})" if _known(names, {}) else ""
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
) -> dict[str, str]:
    """For each column of the file, its name in the result, in the file's order.

    Parameters
    ----------
    names
        Columns of the file.
    columns
        What the user stated: name in the file to name in the result. Several may be
        ``modifiers``.
    file, head, header_row
        For the messages: name of the file, its first rows, and the row taken for the header.

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
            raise InputError(
                f"'{file}' has no column '{name}', which columns= names. "
                + (elsewhere or _alike(name, names))
            )
    result = {name: stated.get(name, name) for name in names}
    for target, count in Counter(result.values()).items():
        if count > 1 and target not in JOINED:
            sources = [name for name, to in result.items() if to == target]
            raise InputError(
                f"'{file}': columns {listed(sources)} would all be '{target}'. "
                f"Map one of them to another name in columns=."
            )
    ours = [name for name in result.values() if name.startswith("_")]
    if ours:
        raise InputError(
            f"'{file}': names that begin with an underscore are kept for the toolkit "
            f"({listed(ours)}). Give them other names, e.g. columns={{'{ours[0]}': 'x'}}."
        )
    missing = [name for name in REQUIRED if name not in result.values()]
    if missing:
        raise InputError(_missing(missing, names, stated, file, elsewhere))
    return result


def proposal(name: str, taken: Mapping[str, str]) -> str:
    """Word a hint for a column that rides along but looks like a known one; else nothing."""
    meant = name_meant(name)
    if meant is None or (meant in taken.values() and meant not in JOINED):
        return ""
    return f"rides along; if it is {meant}, read with columns={{'{name}': '{meant}'}}"


def _alike(name: str, names: list[str]) -> str:
    alike = get_close_matches(name, names, n=3, cutoff=0.6)
    if alike:
        return f"Look-alikes: {listed(alike)}."
    others = f" Columns in the file: {listed(names)}." if _known(names, {}) else ""
    return f"None is alike.{others}"


def _missing(
    missing: list[str], names: list[str], stated: dict[str, str], file: str, elsewhere: str
) -> str:
    lacking = f"'{file}' has no column {' and no column '.join(map(repr, missing))}. "
    if elsewhere:
        return lacking + elsewhere
    alike = {
        wanted: [name for name in names if name not in stated and name_meant(name) == wanted]
        for wanted in missing
    }
    found = {candidates[0]: wanted for wanted, candidates in alike.items() if candidates}
    if not found and not _known(names, stated):
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
    asked = f"By their names {looks}. If so, read it with" if looks else "Name the column with"
    return (
        f"{lacking}{asked} columns={stated | found | unknown}. "
        f"Columns in the file: {listed(names)}."
    )


def _known(names: Sequence[str | None], stated: Mapping[str, str]) -> set[str]:
    meant = [stated.get(name) or name_meant(name, exact=True) for name in names if name]
    return {name for name in meant if name in COLUMNS}


def _header_elsewhere(
    head: Sequence[Sequence[str | None]], stated: Mapping[str, str], header_row: int
) -> str:
    known = {row: len(_known(cells, stated)) for row, cells in enumerate(head, 1)}
    best = max(known, key=lambda row: known[row], default=header_row)
    if known.get(best, 0) < 2 or known[best] <= known.get(header_row, 0):
        return ""
    return f"Row {best} looks like the header, not row {header_row}: state header_row={best}."


def listed(names: Sequence[str]) -> str:
    """Quote names for a message; many are cut short."""
    shown = ", ".join(f"'{name}'" for name in names[:_MOST_SHOWN])
    return shown + (f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else "")
