"""The first day a published file holds, read from its name and the words above its table.

A year alone is not a day: CMS publishes most of these files each quarter.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from subq_toolkit.errors import InputError

_MONTHS = {"jan": 1, "apr": 4, "jul": 7, "oct": 10}
_MONTH = r"(jan|apr|jul|oct)(?:uary|il|y|ober)?"
_YEAR = r"(20\d\d)(?!\d)"
_GAP = r"[ ._-]*"
#: NCCI counts its versions from 1995, when version 1 began; 32.1 is the second quarter of 2026.
_NCCI_ZERO = 1994


class FirstDay(NamedTuple):
    """A first day and the words that say so."""

    start: date
    said: str


def _of_month(year: str, month: str) -> date:
    return date(int(year) % 100 + 2000, _MONTHS[month], 1)


def _of_quarter(year: str, quarter: str) -> date:
    return date(int(year) % 100 + 2000, 3 * int(quarter) - 2, 1)


#: Ways a first day is written, and how its parts make a day.
_WAYS: tuple[tuple[str, Callable[..., date]], ...] = (
    (rf"rvu(\d\d){_GAP}{_MONTH}(?![a-z])", _of_month),
    (rf"{_YEAR}{_GAP}{_MONTH}(?![a-z])", _of_month),
    (rf"(?<![a-z]){_MONTH}{_GAP}{_YEAR}", lambda month, year: _of_month(year, month)),
    (rf"{_YEAR}\b[^|]*\b{_MONTH} release", _of_month),
    (r"(?<![a-z])rvu(\d\d)([abcd])(?![a-z0-9])", lambda y, q: _of_quarter(y, "abcd".index(q) + 1)),
    (rf"{_YEAR}{_GAP}q([1-4])", _of_quarter),
    (r"cci(?:pra|oph)-?v(\d\d)([0-3])r", lambda v, q: date(_NCCI_ZERO + int(v), 3 * int(q) + 1, 1)),
    (r"eff(?:ective)?[ _-]*(\d\d)-(\d\d)-(20\d\d)", lambda m, d, y: date(int(y), int(m), int(d))),
)


def first_day(names: Sequence[str], above: str, *, stated: date | None) -> FirstDay:
    """Tell the first day of a file, or ask for it.

    Parameters
    ----------
    names
        Of the archive and the file.
    above
        What stands above the table.
    stated
        By the reader of the file; it wins over what the file says.

    Raises
    ------
    InputError
        If the file does not say and none is stated, it says different days, or what is stated
        is no date.
    """
    if stated is not None and not isinstance(stated, date):
        raise InputError(f"start is a date, e.g. date(2026, 1, 1), not {stated!r}.")
    found: dict[date, str] = {}
    for text in (*names, above):
        for day, words in _days(text.lower()):
            found.setdefault(day, words)
    if stated is not None:
        says = ", ".join(f"{day} ('{words}')" for day, words in sorted(found.items()))
        return FirstDay(stated, "stated" + (f"; the file says {says}" if says else ""))
    if len(found) == 1:
        return FirstDay(*next(iter(found.items())))
    raise InputError(_ask(names[-1], f"{' '.join(names)} {above}", found))


def _days(text: str) -> Iterator[tuple[date, str]]:
    for pattern, day in _WAYS:
        for hit in re.finditer(pattern, text):
            try:
                yield day(*hit.groups()), _short(hit[0])
            except ValueError:
                continue


def _short(words: str) -> str:
    return words if len(words) <= 40 else f"{words[:12]} ... {words[-20:]}"


def _ask(file: str, text: str, found: dict[date, str]) -> str:
    years = sorted(set(re.findall(r"(?<!\d)20[0-4]\d(?!\d)", text)))
    year = int(years[0]) if years else date.today().year
    if found:
        says = " and ".join(f"{day} ('{words}')" for day, words in sorted(found.items()))
        return f"'{file}' says two first days: {says}. State which, e.g. start={min(found)!r}."
    known = f"names the year {' and '.join(years)} but not the month" if years else "does not say"
    return (
        f"The first day that '{file}' holds is not known: it {known}. State it, e.g. "
        f"start=date({year}, 1, 1) for the January release."
    )
