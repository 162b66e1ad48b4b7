"""What the values of a column look like: counted by kind, none of them kept."""

from typing import NamedTuple

import polars as pl

from subq_toolkit.administrations import CHOICES
from subq_toolkit.event_log.event_words import agreed_words, read_events
from subq_toolkit.readers.charted_fields import charted_text, field
from subq_toolkit.readers.export_shapes import as_text
from subq_toolkit.time_formats import DATE_ONLY, FORMATS, OFFSET, tidy

_DATETIME = "|".join(sorted({form.shape for form in FORMATS if form.shape != r"^\d{8}\d{4}$"}))
_CLOCK = r"^(\d{1,2}:\d{2}(:\d{2})?( ?[AaPp]\.?[Mm]\.?)?|([01]\d|2[0-3])[0-5]\d)$"
_DAY_ONLY = r"^.*\d[ T](0?0:00(:00(\.0+)?)?|12:00(:00)? ?[Aa][Mm])$"
_NUMBER = r"^[+]?(\d+(\.\d+)?|\.\d+)$"
_LENGTH = r"^(\d+(\.\d+)? ?(min|mins|minutes?|h|hrs?|hours?)|\d{1,3}:[0-5]\d)$"
_H_MM = r"^\d{1,3}:[0-5]\d$"
_SHAPES = {
    "number": _NUMBER,
    "length": _LENGTH,
    "h_mm": _H_MM,
    "clock": _CLOCK,
    "day": DATE_ONLY,
    "visit_code": r"^9(92\d\d|9[34]\d\d)$",
    "locality": r"^\d{5}-\d{2}$",
}
_BEGINS, _ENDS = ("start", "new_bag", "restart"), ("stop", "pause")


class Values(NamedTuple):
    """How many values of a column are of each kind; shares are of the filled ones."""

    filled: int
    distinct: int
    counts: dict[str, int]
    middle: float | None
    span: tuple[str, str] | None = None

    def share(self, kind: str) -> float | None:
        """Share of the filled values that are of this kind; None if nothing is filled."""
        return self.counts.get(kind, 0) / self.filled if self.filled else None


def text_of(name: str, dtype: pl.DataType) -> pl.Expr | None:
    """The values of a column as text; None if a row may hold more than one plain value."""
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        return None
    typed = as_text(name, dtype)
    return charted_text(name, dtype) if typed is None else typed


def values_of(rows: pl.DataFrame, name: str) -> Values:
    """Count the values of one column by kind."""
    text = text_of(name, rows.schema[name])
    if text is None:
        return Values(0, 0, {}, None)
    texts = rows.select(text.alias("text")).drop_nulls()
    if texts.is_empty():
        return Values(0, 0, {}, None)
    value, tidied = pl.col("text"), tidy(pl.col("text"))
    bare = tidied.str.replace(OFFSET, "${1}")
    day_only = bare.str.contains(_DAY_ONLY)
    counts = {
        **{kind: value.str.contains(shape) for kind, shape in _SHAPES.items()},
        "moment": bare.str.contains(_DATETIME),
        "midnight": bare.str.contains(_DATETIME) & day_only,
        **{
            choice: field(choice, pl.String(), value).is_not_null()
            for choice in (*CHOICES, "setup_charted")
        },
        **_events(value),
    }
    number = value.cast(pl.Float64, strict=False)
    found = texts.select(
        *[one.fill_null(False).sum().alias(kind) for kind, one in counts.items()],
        number.median().alias("(middle)"),
        value.n_unique().alias("(distinct)"),
    ).row(0, named=True)
    middle, distinct = found.pop("(middle)"), found.pop("(distinct)")
    return Values(texts.height, distinct, found, middle)


def _events(value: pl.Expr) -> dict[str, pl.Expr]:
    read = read_events(value, agreed_words(None))
    return {
        "event": read.is_not_null(),
        "event_begins": read.is_in(_BEGINS),
        "event_ends": read.is_in(_ENDS),
    }
