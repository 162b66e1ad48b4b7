"""Shares and factors of payment in effect on a day, from the table ``payment_rules``."""

from decimal import Decimal

import polars as pl

from subq_toolkit.fees.tables import FeeTables

FACTOR = pl.Decimal(18, 4)


def rule(tables: FeeTables, name: str) -> pl.Expr:
    """The value of a rule on each row's ``service_date``; null before its first day. [1]"""
    chosen = pl.lit(None, dtype=FACTOR)
    for start, until, value in _versions(tables, name):
        holds = pl.col("service_date") >= start
        holds = holds if until is None else holds & (pl.col("service_date") <= until)
        chosen = pl.when(holds).then(constant(value)).otherwise(chosen)
    return chosen


def rule_cite(tables: FeeTables, name: str) -> str:
    """The sources of a rule, the latest first."""
    rows = tables["payment_rules"].filter(pl.col("name") == name).sort("start", descending=True)
    return "; ".join(dict.fromkeys(rows["cite"]))


def constant(value: float | Decimal | str) -> pl.Expr:
    """A factor as an exact decimal."""
    return pl.lit(str(value)).cast(FACTOR)


def _versions(tables: FeeTables, name: str) -> list[tuple]:
    rows = tables["payment_rules"].filter(pl.col("name") == name).sort("start")
    return rows.select("start", "until", "value").rows()
