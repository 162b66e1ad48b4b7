"""Prices as found, with types; those that are no price are set aside, each with the reason."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import polars as pl

USD = pl.Decimal(18, 4)
#: Types of code that are looked for; the same digits under another type are another thing.
_TYPES = ("CPT", "HCPCS")
#: Percentages outside are set aside: 0.7 may be a share, and no contract pays tenfold charges.
_PERCENT = (1, 1000)
_AT_ONCE = 50_000
#: What stands in the file where a figure is expected.
_ENTRY = pl.concat_str("amount", "percent", separator=" ", ignore_nulls=True).replace("", None)


class RawPrice(NamedTuple):
    """One price as it stands in a file, everything text; empty if it is not there."""

    code: str
    code_type: str
    kind: str
    payer: str = ""
    plan: str = ""
    setting: str = ""
    method: str = ""
    amount: str = ""
    percent: str = ""
    algorithm: str = ""
    modifiers: str = ""
    billing_class: str = ""
    source_row: int = 0


_TEXTS = [name for name in RawPrice._fields if name != "source_row"]
_RENAMED = {"amount": "amount_usd"}
PRICES = {
    **{_RENAMED.get(name, name): pl.String for name in _TEXTS},
    "amount_usd": USD,
    "percent": USD,
    "source_row": pl.Int64,
}


class Sorted(NamedTuple):
    """Prices, those set aside with ``reason`` and ``entry``, and how many repeats there were."""

    prices: pl.DataFrame
    set_aside: pl.DataFrame
    repeats: int


def sorted_prices(raw: Iterable[RawPrice], *, smallest_usd: float, largest_usd: float) -> Sorted:
    """Give prices their types and set aside what is none.

    Set aside are: codes that are not of type CPT or HCPCS; entries that are no number; rows of
    nines; amounts below ``smallest_usd`` or above ``largest_usd``; percentages below 1 or above
    1,000; rates that are an algorithm alone. Equal prices of several rows are kept once.
    """
    present = (one for one in raw if one.amount or one.percent or one.algorithm)
    frames = [_typed(rows, smallest_usd, largest_usd) for rows in _batches(present)]
    empty = pl.DataFrame(schema={**PRICES, "reason": pl.String, "entry": pl.String})
    every = pl.concat([empty, *frames])
    same = [name for name in every.columns if name != "source_row"]
    unique = every.unique(subset=same, keep="first", maintain_order=True)
    good = pl.col("reason").is_null()
    return Sorted(
        unique.filter(good).drop("reason", "entry"),
        unique.filter(~good),
        every.height - unique.height,
    )


def _batches(raw: Iterable[RawPrice]) -> Iterator[list[RawPrice]]:
    rows = iter(raw)
    while batch := list(islice(rows, _AT_ONCE)):
        yield batch


def _typed(rows: list[RawPrice], smallest_usd: float, largest_usd: float) -> pl.DataFrame:
    schema = {**dict.fromkeys(_TEXTS, pl.String), "source_row": pl.Int64}
    table = pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        pl.col(_TEXTS).replace("", None)
    )
    read = table.with_columns(
        pl.col("method").str.to_lowercase(),
        pl.col("setting").str.to_lowercase(),
        pl.col("code_type").str.to_uppercase(),
        amount_usd=_number("amount"),
        percent=_number("percent"),
        reason=_reason(smallest_usd, largest_usd),
        entry=_ENTRY,
    )
    return read.select(*PRICES, "reason", "entry")


def _number(name: str) -> pl.Expr:
    return pl.col(name).str.replace_all(r"[$,%\s]", "").cast(USD, strict=False)


def _reason(smallest_usd: float, largest_usd: float) -> pl.Expr:
    amount, percent = _number("amount"), _number("percent")
    unread = [pl.col(n).is_not_null() & _number(n).is_null() for n in ("amount", "percent")]
    rules = {
        "the code is not of type CPT or HCPCS": ~pl.col("code_type")
        .str.to_uppercase()
        .is_in(list(_TYPES)),
        "not a number": pl.any_horizontal(unread),
        "a row of nines, which is a placeholder": _ENTRY.str.contains(
            r"(^|\s)9{6,}(\.[09]*)?(\s|$)"
        ),
        f"an amount below {smallest_usd:,} USD": amount < smallest_usd,
        f"an amount above {largest_usd:,} USD": amount > largest_usd,
        f"a percentage outside {_PERCENT[0]} to {_PERCENT[1]:,}": ~percent.is_between(*_PERCENT),
        "an algorithm and no figure": amount.is_null() & percent.is_null(),
    }
    return pl.coalesce(
        *(pl.when(rule.fill_null(False)).then(pl.lit(words)) for words, rule in rules.items()),
        pl.lit(None, dtype=pl.String),
    )
