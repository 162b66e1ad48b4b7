"""The columns of a charge line: names, types, and the words that exports use for them."""

import re
from collections.abc import Set
from difflib import get_close_matches
from functools import cache, partial

import polars as pl

from subq_toolkit.effective import read_table
from subq_toolkit.readers.charted_fields import plain
from subq_toolkit.readers.column_maps import Wanted

STATUSES = ["final", "pending", "denied", "replaced", "voided"]
REQUIRED = ("encounter_id", "service_date", "code", "units")
AMOUNTS = ("charge_usd", "paid_usd")

#: Every column of a charge line that the toolkit knows; any other rides along untouched.
COLUMNS: dict[str, pl.DataType] = {
    "encounter_id": pl.String(),
    "service_date": pl.Date(),
    "code": pl.String(),
    "units": pl.Int64(),
    "modifiers": pl.String(),
    "revenue_code": pl.String(),
    **{name: pl.Float64() for name in AMOUNTS},
    "payer": pl.String(),
    "department": pl.String(),
    "coder": pl.String(),
    "claim_id": pl.String(),
    "replaces_claim_id": pl.String(),
    "line_number": pl.Int64(),
    "status": pl.Enum(STATUSES),
    "frequency": pl.String(),
    "unreadable": pl.String(),
}
_FILLERS = r"[\s._/\-]+"
_ALIKE = 0.85


@cache
def words_for(subject: str) -> dict[str, str]:
    """For each listed word, in lower case and without fillers, the answer that it means."""
    return {
        re.sub(_FILLERS, "", word.lower()): answer
        for answer, words in read_table("charge_words")[subject].items()
        for word in [answer, *words]
    }


def answer(subject: str, text: pl.Expr) -> pl.Expr:
    """Read text as one of the answers of a subject; null if it is none of the listed words."""
    bare = text.str.to_lowercase().str.replace_all(_FILLERS, "")
    return bare.replace_strict(words_for(subject), default=None, return_dtype=pl.String)


@cache
def _names() -> dict[str, str]:
    words = {plain(column): column for column in COLUMNS if column != "unreadable"}
    for column, synonyms in read_table("charge_words")["columns"].items():
        words |= {plain(word): column for word in synonyms}
    return words


def name_meant(name: str, *, exact: bool = False) -> str | None:
    """Tell which known column a column called ``name`` looks like; None if it looks like none.

    With ``exact`` only a listed synonym counts, not a spelling close to one.
    """
    alike = get_close_matches(plain(name), _names(), n=1, cutoff=1.0 if exact else _ALIKE)
    return _names()[alike[0]] if alike else None


def _lacking(names: Set[str]) -> list[str]:
    return [name for name in REQUIRED if name not in names]


#: The columns of an extract of charges, as ``column_maps`` asks for them.
WANTED = Wanted(name_meant, partial(name_meant, exact=True), _lacking, joined=("modifiers",))
