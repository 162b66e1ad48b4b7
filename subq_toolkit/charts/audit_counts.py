"""Encounters and dollars behind the groups of an audit, as its charts count and withhold them."""

import polars as pl

from subq_toolkit.audit.audited_tables import AGREEING, ERRORS, JUDGED, require, table_of

_KEY = ("encounter_id", "service_date")
_USD = pl.col("difference_usd")
_IS_ERROR, _AGREES = pl.col("class").is_in(ERRORS), pl.col("class").is_in(AGREEING)
_IS_JUDGED = pl.col("class").is_in(JUDGED)


def encounters_of(
    audited: object, of: str, group: pl.Expr | None = None
) -> dict[str | None, dict[str, int]]:
    """Count encounters behind encounters or lines, by group and, under None, in all.

    Returns
    -------
    dict
        By group: ``seen`` (judged or not), ``encounters`` (judged), ``with_error``,
        ``agreeing`` (with one that agrees), ``priced`` (with an error of a known price),
        ``unpriced`` (with one of none) [1].
    """
    rows = table_of(audited, of)
    if of == "lines":
        require(_KEY, rows.collect_schema().names())
    wanted = {
        "seen": pl.col("class").is_not_null(),
        "encounters": _IS_JUDGED,
        "with_error": _IS_ERROR,
        "agreeing": _AGREES,
        "priced": _IS_ERROR & _USD.is_not_null(),
        "unpriced": _IS_ERROR & _USD.is_null(),
    }
    counts = [_number(test, of).alias(name) for name, test in wanted.items()]
    total = rows.select(counts).collect().row(0, named=True)
    if group is None:
        return {None: total}
    found = rows.group_by(group.alias("_group")).agg(counts).collect().rows(named=True)
    return {row.pop("_group"): row for row in found} | {None: total}


def _number(test: pl.Expr, of: str) -> pl.Expr:
    """How many encounters pass: rows of encounters, or the encounters that lines are of."""
    if of == "encounters":
        return pl.col("class").filter(test.fill_null(False)).len().cast(pl.Int64)
    return pl.struct(_KEY).filter(test.fill_null(False)).n_unique().cast(pl.Int64)


def fewest_of(*numbers: int) -> int:
    """The smallest of numbers above zero."""
    return min((one for one in numbers if one), default=0)
