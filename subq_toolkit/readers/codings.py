"""What coded entries of chart exports mean: routes, methods, statuses, units.

The meanings stand in ``parameters/codings.toml`` with their sources. What is not listed there
is not guessed at: it stays unread, and the report of a reading names the coding.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import polars as pl

from subq_toolkit.administrations import CHOICES
from subq_toolkit.effective import read_table
from subq_toolkit.readers.charted_fields import field

#: How a coding is written in reports and looked up: its system, a bar, its code.
_JOINT = "|"
#: What a code, a unit or the address of a code system is made of; anything else may be a name.
_SHOWN = r"[A-Za-z0-9.:/_\-\[\]{}%*^'#|()]{1,90}"
_MOST_SHOWN = 8


def _listed(table: dict[str, Any]) -> dict[str, str]:
    """The codes or units of one table, each with the key it stands under."""
    lists = {key: codes for key, codes in table.items() if isinstance(codes, list)}
    return {code: key for key, codes in lists.items() for code in codes}


@cache
def meanings(kind: str) -> dict[str, str]:
    """For ``routes``, ``methods``, ``statuses`` or ``record_types``: ``system|code`` to meaning."""
    return {
        f"{table['system']}{_JOINT}{code}": meaning
        for table in read_table("codings")[kind].values()
        for code, meaning in _listed(table).items()
    }


def codes_of(kind: str) -> dict[str, str]:
    """The same by code alone, for entries that have one code system."""
    return {key.rpartition(_JOINT)[2]: meaning for key, meaning in meanings(kind).items()}


def coding_key(coding: pl.Expr) -> pl.Expr:
    """``system|code`` of a coding struct; null if it has no code."""
    system = coding.struct.field("system").fill_null("")
    return pl.concat_str(system, pl.lit(_JOINT), coding.struct.field("code").str.strip_chars())


def coded_answers(codings: pl.Expr, kind: str) -> pl.Expr:
    """What each coding of a list means; null for one that is not known."""
    return codings.list.eval(
        coding_key(pl.element()).replace_strict(
            meanings(kind), default=None, return_dtype=pl.String
        )
    )


def worded(name: str, text: pl.Expr) -> pl.Expr:
    """Read free text as an answer of column ``name`` by the vocabulary; null if not known."""
    return field(name, pl.String(), text.str.strip_chars()).cast(pl.String)


def route_of(lists: Sequence[pl.Expr], text: pl.Expr) -> pl.Expr:
    """The one route that several answers agree on; null if they do not, or there is none.

    An injection under the skin may be called both: the more exact word holds.
    """
    says = {
        route: pl.any_horizontal(
            *(answers.list.contains(route).fill_null(False) for answers in lists),
            (text == route).fill_null(False),
        )
        for route in CHOICES["route"]
    }
    both = says["subcutaneous"] & says["injection"]
    says["subcutaneous"] = says["subcutaneous"] & ~both
    several = pl.sum_horizontal(said.cast(pl.UInt8) for said in says.values()) > 1
    chosen = pl.coalesce(pl.when(said).then(pl.lit(route)) for route, said in says.items())
    return pl.when(~several).then(chosen)


@cache
def factors(kind: str) -> dict[str, float]:
    """Unit in lower case to factor, of ``volume_ml``, ``dose_mg`` or ``hours``."""
    if kind == "hours":
        return {unit: minutes / 60 for unit, minutes in factors("minutes").items()}
    return {unit: float(key) for unit, key in _listed(read_table("codings")["units"][kind]).items()}


@cache
def rate_factors(kind: str) -> dict[str, float]:
    """Unit of a rate, such as ``ml/min``, to the factor that makes it one per hour."""
    return {
        f"{unit}/{time}": factor / hours
        for unit, factor in factors(kind).items()
        for time, hours in factors("hours").items()
    }


def in_unit(unit: pl.Expr, known: dict[str, float]) -> pl.Expr:
    """The factor of a unit as written; null if it is not one of ``known``."""
    plain = unit.str.to_lowercase().str.replace_all(r"\s+per\s+", "/").str.replace_all(r"\s+", "")
    return plain.replace_strict(known, default=None, return_dtype=pl.Float64)


def tally(keys: pl.Series) -> dict[str, int]:
    """Count each key, commonest first."""
    counts = keys.drop_nulls().alias("key").value_counts(name="n")
    return dict(counts.sort("n", "key", descending=[True, False]).rows())


def in_words(keys: pl.Series) -> str:
    """Word a tally of our own words: ``not done (3), entered in error (1)``."""
    return ", ".join(f"{key} ({count:,})" for key, count in tally(keys).items())


def counted(counts: Mapping[str, int]) -> str:
    """Word how often each coding occurs, commonest first; what looks like no code is hidden."""
    shown: Counter[str] = Counter()
    for key, count in counts.items():
        shown[key if re.fullmatch(_SHOWN, key) else "(text not shown)"] += count
    there = sorted(((-n, key) for key, n in shown.items() if n > 0))
    named = [f"{key} ({-n:,})" for n, key in there[:_MOST_SHOWN]]
    more = len(there) - len(named)
    return ", ".join(named) + (f" and {more:,} others" if more > 0 else "")


def listed(says: str, keys: pl.Series) -> str:
    """A note that names codings and how often they occur; empty if there is none."""
    named = counted(tally(keys))
    return f"{says}: {named}" if named else ""
