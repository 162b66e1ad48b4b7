"""What the columns of a table of lines must hold before it is listed or written."""

from collections.abc import Mapping

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.plain_text import shown

TEXT, NAME, WHOLE, NUMBER, DAY = (
    "text",
    "text or whole numbers",
    "whole numbers",
    "numbers",
    "days (Date)",
)
_TEXTUAL = (pl.String, pl.Categorical, pl.Enum)
_TOO_WIDE = (pl.UInt64, pl.Int128, pl.UInt128)


def require_kinds(schema: pl.Schema, kinds: Mapping[str, str]) -> None:
    """Refuse a column that holds something else than it should.

    Raises
    ------
    InputError
        If one does.
    """
    for name, kind in kinds.items():
        if not _is_kind(schema[name], kind):
            raise InputError(
                f"Column '{name}' holds {shown(schema[name])} values; it must hold {kind}. Convert "
                f"it, or hand in the table as it was made."
            )


def _is_kind(held: pl.DataType, kind: str) -> bool:
    whole = held.is_integer() and held not in _TOO_WIDE
    fits = {
        TEXT: held in _TEXTUAL,
        NAME: held in _TEXTUAL or whole,
        WHOLE: whole,
        NUMBER: held.is_numeric(),
        DAY: held == pl.Date,
    }
    return held == pl.Null or fits[kind]
