"""Money: exact to the last decimal of a product, rounded once, half up."""

import polars as pl

#: Room for every decimal of relative value (2) × locality factor (3) × conversion factor (4).
#: A product of decimals keeps only the wider scale of the two, so all are widened first.
EXACT = pl.Decimal(38, 9)
USD = pl.Decimal(14, 2)


def exact(amount: pl.Expr) -> pl.Expr:
    """Widen a decimal so that a product loses nothing."""
    return amount.cast(EXACT)


def to_cents(amount: pl.Expr) -> pl.Expr:
    """Round to cents once, halves up. [USD]"""
    return amount.round(2, mode="half_away_from_zero").cast(USD)
