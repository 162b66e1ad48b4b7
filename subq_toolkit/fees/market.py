"""Where a charge or a contract rate stands among the prices that hospitals list.

The quantiles are those of ``datasets/hospital_prices``, over hospitals, January 2026. A listed
price is not a payment. Between two quantiles the percentile is interpolated; outside of the
outer ones none is given, for the summary does not say it.
"""

import difflib
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise

import polars as pl

from subq_toolkit.cited_tables import cited_table
from subq_toolkit.conditions import says
from subq_toolkit.effective import sources
from subq_toolkit.errors import InputError
from subq_toolkit.fees.money import USD
from subq_toolkit.fees.rules import FACTOR

#: The day on which the prices were collected.
COLLECTED = date(2026, 1, 28)
KINDS = ("gross", "cash")
#: Each quantile and the percentile it is. [%]
QUANTILES = {"p10": 10, "p25": 25, "median": 50, "p75": 75, "p90": 90}
_CELL = ("code", "state", "kind")
_ADDED = ("hospitals", *QUANTILES, "position", "percentile", "share_of_median")
_ADDED += ("basis", "cite", "collected")
#: States in the collection of which every cell was left out, and the one it does not have.
_ALL_LEFT_OUT, _NOT_COLLECTED = ["DE", "RI"], ["DC"]
_AMOUNT = pl.col("_amount")


def market_quantiles(
    code: str | None = None, state: str | None = None, kind: str | None = None
) -> pl.DataFrame:
    """The published summary: ``code, state, kind, hospitals`` [1], the quantiles [USD], source.

    Parameters
    ----------
    code, state, kind
        Keep only these rows; None for all. ``US`` is every hospital; ``gross`` or ``cash``. A
        cell of fewer than 11 hospitals was left out, so that no row may be left.

    Raises
    ------
    InputError
        For a code, state or kind of which there is no row at all, with the nearest.
    """
    rows, asked = _table(), {"code": code, "state": state, "kind": kind}
    stated = {name: wanted for name, wanted in asked.items() if wanted is not None}
    for name, wanted in stated.items():
        _check(name, wanted, rows[name].unique().sort().to_list())
    kept = [pl.col(name) == wanted for name, wanted in stated.items()]
    return rows.filter(*kept).with_columns(_source())


def market_position(
    charges: pl.DataFrame | pl.LazyFrame,
    *,
    code: str | None = None,
    state: str = "US",
    kind: str = "gross",
) -> pl.LazyFrame:
    """Hold charges or contract rates of one unit against the prices that hospitals list.

    Parameters
    ----------
    charges
        ``amount_usd`` [USD per unit] and ``code``; ``state`` and ``kind`` if they differ by row.
    code
        Of every row, for charges without the column ``code``.
    state, kind
        Of every row, for charges without these columns: two letters or ``US``; ``gross`` (list
        charge) or ``cash`` (discounted price).

    Returns
    -------
    pl.LazyFrame
        ``charges`` in their order with ``state, kind, hospitals`` [1], ``p10, p25, median, p75,
        p90`` [USD]; ``position`` (``below p10``, ``p10 to p25``, ... ``above p90``; the lower end
        belongs to it, and ``p90`` itself to the last but one); ``percentile`` (linear between
        the quantiles; null outside of them, and where several are this very amount) [%];
        ``share_of_median`` [1]; ``basis``, which says why there is no answer; ``cite``;
        ``collected``, the day of the prices.

    Raises
    ------
    InputError
        If ``amount_usd`` is missing or no number, ``code`` is stated twice or not at all, or
        ``kind`` is unknown.
    """
    _check("kind", kind, KINDS)
    rows = _prepared(charges, {"code": code, "state": state, "kind": kind})
    kept = [name for name in rows.collect_schema() if not name.startswith("_")]
    answers = {
        "position": _position(),
        "percentile": _percentile().round(1, mode="half_away_from_zero"),
        "share_of_median": _share(_AMOUNT, pl.col("median")).round(4, mode="half_away_from_zero"),
    }
    answers = {name: pl.when(_AMOUNT > 0).then(answer) for name, answer in answers.items()}
    found = rows.join(_table().lazy(), on=_CELL, how="left")
    answered = found.with_columns(**answers, basis=_basis()).with_columns(_source())
    return answered.sort("_line").select(*kept, *_ADDED)


def _table() -> pl.DataFrame:
    rows = cited_table("hospital_prices", "hospital_prices")
    return rows.select(*_CELL, "hospitals", pl.col(list(QUANTILES)).cast(USD))


def _source() -> list[pl.Expr]:
    cite = sources()["pay-hospital-prices"].cite("single source")
    return [pl.lit(cite).alias("cite"), pl.lit(COLLECTED).alias("collected")]


def _check(name: str, wanted: str, known: Sequence[str]) -> None:
    if wanted not in known:
        near = difflib.get_close_matches(str(wanted), known, n=2, cutoff=0.4)
        meant = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
        raise InputError(
            f"No hospital price is on record for that '{name}'. {meant}Known: {', '.join(known)}."
        )


def _prepared(charges: pl.DataFrame | pl.LazyFrame, asked: dict[str, str | None]) -> pl.LazyFrame:
    if not isinstance(charges, pl.DataFrame | pl.LazyFrame):
        raise InputError(
            f"Hand in the charges as a Polars table with 'code' and 'amount_usd'; this is a "
            f"{type(charges).__name__}."
        )
    rows = charges.lazy()
    schema = rows.collect_schema()
    if "amount_usd" not in schema or not schema["amount_usd"].is_numeric():
        raise InputError("The charges need 'amount_usd', a column of plain numbers [USD per unit].")
    if ("code" in schema) == (asked["code"] is not None):
        raise InputError("State the code once: as a column 'code' of the charges, or as code=...")
    cell = {
        name: (pl.col(name) if name in schema else pl.lit(one)).cast(pl.String).str.strip_chars()
        for name, one in asked.items()
    }
    return (
        rows.drop(_ADDED, strict=False)
        .with_row_index("_line")
        .with_columns(
            code=cell["code"],
            state=cell["state"].str.to_uppercase(),
            kind=cell["kind"].str.to_lowercase(),
            _amount=pl.col("amount_usd").cast(FACTOR, strict=False),
        )
    )


def _share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return part.cast(pl.Float64) / whole.cast(pl.Float64)


def _position() -> pl.Expr:
    """Between which two quantiles an amount lies, in words."""
    told = pl.when(_AMOUNT < pl.col("p10")).then(pl.lit("below p10"))
    for low, high in pairwise(QUANTILES):
        told = told.when(_within(low, high)).then(pl.lit(f"{low} to {high}"))
    return told.when(_AMOUNT > pl.col("p90")).then(pl.lit("above p90"))


def _percentile() -> pl.Expr:
    """Linear between two quantiles; null below the first and above the last. [%]"""
    at = pl.when(_tied()).then(None).when(_AMOUNT == pl.col("p90")).then(pl.lit(90.0))
    for low, high in pairwise(QUANTILES):
        part = _share(_AMOUNT - pl.col(low), pl.col(high) - pl.col(low))
        here = QUANTILES[low] + part * (QUANTILES[high] - QUANTILES[low])
        at = at.when(_within(low, high)).then(here)
    return at


def _tied() -> pl.Expr:
    """Whether several quantiles are this very amount, so that it has no one percentile."""
    return pl.sum_horizontal(_AMOUNT == pl.col(name) for name in QUANTILES) > 1


def _within(low: str, high: str) -> pl.Expr:
    below = _AMOUNT <= pl.col(high) if high == "p90" else _AMOUNT < pl.col(high)
    return (_AMOUNT >= pl.col(low)) & below


def _basis() -> pl.Expr:
    """How many hospitals an amount was held against, or why there is no answer."""
    table = _table()
    states = [*table["state"].unique(), *_ALL_LEFT_OUT]
    why = {
        "no amount above zero is stated": ~(_AMOUNT > 0).fill_null(False),
        "prices of this code were not collected": ~_one_of("code", table["code"].unique()),
        "there is no such kind of price: it is gross or cash": ~_one_of("kind", KINDS),
        "the collection does not have the District of Columbia": _one_of("state", _NOT_COLLECTED),
        "the collection has no such state": ~_one_of("state", states),
        "left out: fewer than 11 hospitals have this price there": pl.col("median").is_null(),
    }
    reasons = [pl.when(when).then(pl.lit(text)) for text, when in why.items()]
    tied = pl.when(_tied()).then(pl.lit("; several quantiles are this amount: no percentile"))
    return pl.coalesce(*reasons, says("held against {} hospitals{}", pl.col("hospitals"), tied))


def _one_of(name: str, known: Iterable[str]) -> pl.Expr:
    return pl.col(name).is_in(list(known)).fill_null(False)
