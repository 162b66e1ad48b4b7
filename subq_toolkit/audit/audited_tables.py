"""The tables of an audit as the statistics and the worklist take them."""

from collections.abc import Sequence
from typing import Protocol

import polars as pl

from subq_toolkit.effective import read_table
from subq_toolkit.errors import InputError

CLASSES = read_table("audit_classes")
ERRORS = tuple(name for name, one in CLASSES.items() if one["error"])
#: Classes that say whether billed and supported agree; the others stand in no rate.
JUDGED = tuple(name for name, one in CLASSES.items() if one["judged"])
#: Classes in which they do, whatever a payer made of it.
AGREEING = tuple(name for name in JUDGED if name not in ERRORS)
NOT_STATED = "not stated"
USD = pl.Decimal(14, 2)


class Audited(Protocol):
    """What ``audit`` returns: a table of lines and one of encounters."""

    lines: pl.LazyFrame
    encounters: pl.LazyFrame


def table_of(audited: object, table: str) -> pl.LazyFrame:
    """A table of an audit, or the frame that was handed in.

    Raises
    ------
    InputError
        If it is neither.
    """
    held = audited if isinstance(audited, pl.DataFrame | pl.LazyFrame) else None
    if held is None:
        held = getattr(audited, table, None)
    if not isinstance(held, pl.DataFrame | pl.LazyFrame):
        raise InputError(
            f"Hand in what audit(...) returned, or its table of {table}; this is a "
            f"{type(audited).__name__}."
        )
    return held.lazy()


def require(columns: Sequence[str], held: Sequence[str]) -> None:
    """Refuse a table without columns that are needed.

    Raises
    ------
    InputError
        If one is missing.
    """
    missing = [name for name in columns if name not in held]
    if missing:
        raise InputError(
            f"The table has no column {' and no column '.join(map(repr, missing))}; it has "
            f"{', '.join(map(repr, held)) or 'none'}."
        )


def stated(column: str) -> pl.Expr:
    """A column as text to group by; ``not stated`` where it is null or blank."""
    text = pl.col(column).cast(pl.String).str.strip_chars()
    return pl.when(text != "").then(text).otherwise(pl.lit(NOT_STATED)).alias(column)
