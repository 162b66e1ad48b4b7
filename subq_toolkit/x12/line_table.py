"""Service lines of an X12 file as a table of charges, with the report every reader writes."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from math import inf, isfinite

import polars as pl

from subq_toolkit.charges.columns import COLUMNS, STATUSES
from subq_toolkit.charges.reading import REPORT, ChargeReading
from subq_toolkit.effective import read_table
from subq_toolkit.errors import InputError
from subq_toolkit.x12.segments import Segment, X12File

#: Columns beside those of charges, and where in a file they stand.
BESIDE = {
    "service_until": pl.Date(),
    "facility_code": pl.String(),
    "claim_in_file": pl.Int64(),
    "code_paid": pl.String(),
    "units_paid": pl.Int64(),
    "adjustments": pl.String(),
    "claim_adjustments": pl.String(),
    "remarks": pl.String(),
}
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)", re.ASCII)
_VERSION = re.compile(r"00\d{4}(X\d{3}([AE]\d){0,2})?", re.ASCII)
_MODIFIERS = slice(2, 6)
_MOST_SHOWN = 5


class Line(dict):
    """One line being read: values by column, and the names of those that could not be read."""

    def __init__(self, **values: object) -> None:
        super().__init__(values)
        self.missed: list[str] = []

    def put(self, name: str, text: str, read: object) -> None:
        """Keep what was read; text that gave nothing is named as unreadable."""
        self[name] = read
        if text and read is None and name not in self.missed:
            self.missed.append(name)

    def row(self) -> dict:
        """The values with ``unreadable``."""
        return {**self, "unreadable": ", ".join(self.missed) or None}


def number(text: str) -> float | None:
    """A decimal number of X12, nothing if it is none or beyond what can be kept."""
    read = float(text) if _NUMBER.fullmatch(text) else inf
    return read if isfinite(read) else None


#: Beyond this a whole number is no count of anything, and a column cannot hold it.
_LARGEST = 2**53


def whole(text: str) -> int | None:
    """A whole number of X12; ``2`` and ``2.0`` are, ``1.5`` is none."""
    read = number(text)
    held = read is not None and read.is_integer() and abs(read) < _LARGEST
    return int(read) if held else None


@lru_cache(maxsize=4096)
def day(text: str) -> date | None:
    """A day written as CCYYMMDD."""
    try:
        return datetime.strptime(text, "%Y%m%d").date() if len(text) == 8 else None
    except ValueError:
        return None


def days(kind: str, text: str) -> tuple[date | None, date | None]:
    """First and last day of a date (D8) or a span of dates (RD8)."""
    first, _, last = text.partition("-") if kind == "RD8" else (text, "", text)
    return day(first), day(last)


def procedure(text: str, within: str) -> tuple[str | None, str | None]:
    """Code and modifiers of a composite such as HC:96369:59; no code of another code set."""
    parts = [part.strip() for part in text.split(within)]
    if parts[0] not in read_table("charge_words")["qualifiers"]["procedures"]:
        return None, None
    modifiers = " ".join(part.upper() for part in parts[_MODIFIERS] if part)
    return (parts[1].upper() or None) if len(parts) > 1 else None, modifiers or None


def without_zeros(revenue_code: str) -> str | None:
    """A revenue code as in the table of charges: 0510 is 510."""
    return revenue_code.lstrip("0") or None


def guide_of(group: Segment) -> str | None:
    """Tell ``institutional``, ``professional`` or ``remittance`` by the version of a group."""
    guides = read_table("charge_words")["guides"]
    return next((kind for kind, known in guides.items() if group[8] in known), None)


def guided(opened: X12File, file: str, kinds: tuple[str, ...]) -> list[tuple[str, Segment]]:
    """The segments of groups of those kinds, each with its kind.

    Raises
    ------
    InputError
        If there is none.
    """
    kind, found = None, []
    others: dict[str, None] = {}
    for segment in opened.segments:
        if segment.name == "GS":
            kind = guide_of(segment)
            if kind not in kinds:
                others[_version(segment)] = None
        if kind in kinds:
            found.append((kind, segment))
    if not found:
        known = read_table("charge_words")["guides"]
        wanted = ", ".join(version for kind in kinds for version in known[kind])
        some = ", ".join([*others][:_MOST_SHOWN])
        held = f"It holds {some}." if others else "It holds no group (GS)."
        reader = "read_claims" if "remittance" in kinds else "read_remittances"
        raise InputError(
            f"'{file}' holds nothing of {wanted}. {held} Files of the other kind are read by "
            f"{reader}."
        )
    return found


def _version(group: Segment) -> str:
    """The version of a group, if it looks like one."""
    return group[8] if _VERSION.fullmatch(group[8]) else "an odd version"


def require_sound(opened: X12File, file: str, *, strict: bool) -> str:
    """Refuse a file whose envelopes or counts are wrong; without ``strict`` only say it."""
    said = [f"segment {line:,}: {words}" for line, words in opened.findings]
    more = len(said) - _MOST_SHOWN
    shown = "; ".join(said[:_MOST_SHOWN]) + (f"; and {more:,} more" if more > 0 else "")
    if said and strict:
        raise InputError(
            f"'{file}' is not whole: {shown}. Lines may be missing: get the file anew, or state "
            f"strict=False to read what is there."
        )
    return f"not whole: {shown}" if said else ""


def reading_of(
    lines: Iterable[Line],
    sources: dict[str, str],
    file: str,
    kind: str,
    notes: Iterable[str],
) -> ChargeReading:
    """Lines as a reading; ``sources`` says of each column in which element it stands."""
    schema = {name: {**COLUMNS, **BESIDE}[name] for name in sources} | {"unreadable": pl.String()}
    table = pl.DataFrame([line.row() for line in lines], schema=schema)
    bad = table["unreadable"].count()
    note = "; ".join(one for one in notes if one)
    report = [("(rows)", file, "x12", kind, table.height, table.height - bad, bad, note)]
    for name, source in sources.items():
        missed = table["unreadable"].str.split(", ").list.contains(name).sum()
        filled = table[name].count() if name in COLUMNS else None
        unread = missed if name in COLUMNS else None
        report.append((name, source, _type(name), "", table.height, filled, unread, ""))
    return ChargeReading(table.lazy(), pl.DataFrame(report, schema=REPORT, orient="row"))


def _type(name: str) -> str:
    if name == "status":
        return f"one of {', '.join(STATUSES)}"
    words = {pl.String: "text", pl.Float64: "amount", pl.Int64: "whole number", pl.Date: "date"}
    return words[{**COLUMNS, **BESIDE}[name].base_type()]
