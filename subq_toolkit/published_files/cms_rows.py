"""The rows of a published table with their types, and for each row left out the reason.

Amounts may carry ``$`` and thousands commas; ``.``, ``*`` and ``NA`` are empty. Figures are
kept to four decimals.
"""

from typing import NamedTuple

import polars as pl

from subq_toolkit.published_files.headers import Header
from subq_toolkit.published_files.layouts import Field
from subq_toolkit.readers.delimited_files import BROKEN

FIGURE = pl.Decimal(18, 4)
#: Why a row is left out; null if it is kept.
WHY = "__why"
_CODE = r"^[0-9A-Z]{5}$"
_EMPTY = (".", "*", "-", "NA", "N/A", "")


class Reason(NamedTuple):
    """A rule, and what is said of the rows that break it."""

    breaks: pl.Expr
    words: str


def typed_rows(rows: pl.DataFrame, header: Header) -> pl.DataFrame:
    """Columns of the layout with their types, absent ones null, and ``WHY``."""
    fields = header.layout.fields
    texts = {field.name: _text(field, header) for field in fields}
    read = {f"__{field.name}": _typed(field) for field in fields}
    reasons = [
        Reason(pl.col(BROKEN), "another number of fields than the header (a note, or cut off)"),
        _heading(fields),
        *(reason for field in fields for reason in _faults(field)),
    ]
    return (
        rows.select(BROKEN, **texts)
        .with_columns(**read)
        .with_columns(why(reasons))
        .select(WHY, *(pl.col(f"__{field.name}").alias(field.name) for field in fields))
    )


def why(reasons: list[Reason]) -> pl.Expr:
    """Name the first rule that a row breaks; null if none. A rule left open is not broken."""
    return pl.coalesce(
        *(pl.when(one.breaks.fill_null(False)).then(pl.lit(one.words)) for one in reasons),
        pl.lit(None, dtype=pl.String),
    ).alias(WHY)


def also(rows: pl.DataFrame, reasons: list[Reason]) -> pl.DataFrame:
    """Add reasons to rows that have none yet."""
    return rows.with_columns(pl.coalesce(WHY, why(reasons)).alias(WHY))


def without_repeats(rows: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Keep one row a key: of equal rows the first, of rows that contradict each other none."""
    kept = pl.col(WHY).is_null()
    others = [name for name in rows.columns if name not in (WHY, *key)]
    marked = rows.with_columns(
        __first=pl.struct(WHY, *key, *others).is_first_distinct(),
        __kinds=pl.struct(others).filter(kept).n_unique().over(key),
    )
    repeated = [
        Reason(pl.col("__kinds") > 1, "listed more than once with different figures"),
        Reason(~pl.col("__first"), "the same row again"),
    ]
    return also(marked, repeated).drop("__first", "__kinds")


def counted_reasons(rows: pl.DataFrame) -> list[tuple[str, int]]:
    """Each reason with the number of rows left out for it, the most frequent first."""
    left = rows.filter(pl.col(WHY).is_not_null()).group_by(WHY).len()
    return left.sort("len", WHY, descending=[True, False]).rows()


def _text(field: Field, header: Header) -> pl.Expr:
    if field.name not in header.places:
        return pl.lit(None, dtype=pl.String)
    text = pl.col(str(header.places[field.name])).str.strip_chars()
    text = text.str.replace(r'^="(.*)"$', "$1")
    text = text.str.to_uppercase() if field.holds == "code" else text
    return pl.when(~text.str.to_uppercase().is_in(list(_EMPTY))).then(text)


def _typed(field: Field) -> pl.Expr:
    text = pl.col(field.name)
    plain = text.str.replace_all(r"[$,\s]", "")
    if field.holds == "number":
        return plain.cast(FIGURE, strict=False)
    if field.holds == "whole":
        return plain.str.replace(r"\.0+$", "").cast(pl.Int64, strict=False)
    if field.holds == "day":
        digits = plain.str.replace_all("-", "").str.slice(0, 8)
        long = digits.str.to_date("%Y%m%d", strict=False)
        return pl.coalesce(long, digits.str.to_date("%Y%j", strict=False))
    return text


def _heading(fields: tuple[Field, ...]) -> Reason:
    """Headings and notes have no code, or nothing beside the text in its place."""
    key, *others = [pl.col(field.name) for field in fields if field.filled]
    blank = key.is_null() | pl.all_horizontal(other.is_null() for other in others)
    return Reason(blank, "a heading, a note or an empty line")


def _faults(field: Field) -> list[Reason]:
    text, value = pl.col(field.name), pl.col(f"__{field.name}")
    faults = [Reason(text.is_not_null() & value.is_null(), f"'{field.name}' cannot be read")]
    if field.holds == "code":
        faults.append(
            Reason(~text.str.contains(_CODE), f"'{field.name}' is not five letters or digits")
        )
    if field.holds in ("number", "whole"):
        faults.append(Reason(value < 0, f"'{field.name}' is below 0"))
    if field.filled:
        faults.append(Reason(text.is_null(), f"'{field.name}' is empty"))
    return faults
