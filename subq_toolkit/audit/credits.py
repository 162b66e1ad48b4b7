"""Charges after credits: which line a credit takes back, so that what is left can be compared.

A credit takes from lines of its own claim first, on its own day and revenue code before others,
then from a line of that claim that was denied, then from what its payer was charged otherwise.
What it finds nothing for is left below zero.
"""

import polars as pl

from subq_toolkit.audit.filing import same_payer

_NET, _ROW = pl.col("net_units"), pl.col("_row")
_CODE = ["_key", "code"]
_CLAIM, _PAYER = [*_CODE, "_claim"], [*_CODE, "_payer"]
_DAY, _REVENUE = "service_date", "revenue_code"
#: Within what a credit looks for a line, nearest first, and whether a denied one is meant.
_NEAREST_FIRST = (
    ([*_CLAIM, _DAY, _REVENUE], False),
    ([*_CLAIM, _DAY], False),
    (_CLAIM, False),
    (_CLAIM, True),
    ([*_PAYER, _DAY, _REVENUE], False),
    ([*_PAYER, _DAY], False),
    (_PAYER, False),
)


def netted(charges: pl.LazyFrame) -> pl.LazyFrame:
    """Add to standing charges what is left of them after credits.

    Parameters
    ----------
    charges
        Standing charges with ``_key`` (of the encounter) and ``_row``.

    Returns
    -------
    pl.LazyFrame
        The same rows with ``net_units`` [1] (below zero: what a credit found nothing to take
        from), ``denied`` (and not paid all the same) and ``denied_yet_paid``.
    """
    marked = pl.col("status") == "denied"
    paid = (pl.col("paid_usd") > 0).fill_null(False)
    charges = charges.with_columns(
        net_units=pl.col("units"), denied=marked & ~paid, denied_yet_paid=marked & paid
    )
    # Most extracts have few credits, so only codes with one are looked at.
    credited = charges.filter(pl.col("units") < 0).select(_CODE).unique().collect().lazy()
    rows = charges.join(credited, on=_CODE, how="semi").with_columns(
        _claim=pl.col("claim_id").str.strip_chars().str.to_uppercase()
    )
    held = with_payer(rows, _CODE).sort("_row").collect()
    if held.is_empty():
        return charges
    for group, of_denied in _NEAREST_FIRST:
        held = _taken(held, group, of_denied=of_denied)
    rest = charges.join(credited, on=_CODE, how="anti")
    return pl.concat([rest, held.lazy().select(charges.collect_schema().names())])


def with_payer(rows: pl.LazyFrame, of: list[str]) -> pl.LazyFrame:
    """Add ``_payer`` as compared: who names none means that of the claim, or the first named."""
    named = pl.col("_payer").sort_by("_row").drop_nulls().first()
    of_claim = pl.when(pl.col("claim_id").is_not_null()).then(named.over([*of, "claim_id"]))
    return rows.with_columns(_payer=same_payer(pl.col("payer"))).with_columns(
        _payer=pl.coalesce("_payer", of_claim, named.over(of))
    )


def _taken(rows: pl.DataFrame, group: list[str], *, of_denied: bool) -> pl.DataFrame:
    """Let credits take from lines of their group, in the order of the rows."""
    known = pl.col("_claim").is_not_null() if "_claim" in group else pl.lit(True)
    line = known & (_NET > 0) & (pl.col("denied") if of_denied else ~pl.col("denied"))
    credit = known & (_NET < 0)
    given, owed = _NET.filter(line).sum(), -_NET.filter(credit).sum()
    moved = pl.min_horizontal(given.over(group), owed.over(group))
    units = pl.when(line | credit).then(_NET.abs()).otherwise(0)
    side = [*group, "_side"]
    return (
        rows.with_columns(_side=line, _moved=moved, _units=units)
        .with_columns(_before=pl.col("_units").cum_sum().over(side) - pl.col("_units"))
        .with_columns(_take=(pl.col("_moved") - pl.col("_before")).clip(0, pl.col("_units")))
        .with_columns(
            net_units=pl.when(_NET > 0)
            .then(_NET - pl.col("_take"))
            .otherwise(_NET + pl.col("_take"))
        )
        .drop("_side", "_moved", "_units", "_before", "_take")
    )
