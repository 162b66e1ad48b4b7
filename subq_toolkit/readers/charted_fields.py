"""The fields of a charted row as typed values: numbers, answers from a list, yes and no, text.

Each field is read by one expression. What is charted but cannot be read becomes null, and
the reader names the field in ``unreadable``; a missing entry stays a missing entry.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache

import polars as pl
from polars.selectors import by_name

from subq_toolkit.administrations import CHOICES, COLUMNS
from subq_toolkit.effective import read_table
from subq_toolkit.errors import InputError
from subq_toolkit.time_formats import believed_typed

_FILLERS = r"[\s._/\-]+"
_ALIKE = 0.85
_OF_SHAPE = {
    "event_log": ("event", "event_at", "event_date", "order_id"),
    "start_duration": ("duration",),
    "two_columns": ("start_date", "start_clock", "stop_date", "stop_clock", "event_clock"),
}


def plain(name: str) -> str:
    """Lower case without blanks and punctuation, as names and answers are compared."""
    return re.sub(r"[^a-z0-9]+", "", name.lower())


@cache
def _answers(name: str) -> dict[str, str]:
    return {
        re.sub(_FILLERS, "", word.lower()): answer
        for answer, words in read_table("vocabulary")["answers"][name].items()
        for word in [answer, *words]
    }


@cache
def column_words(shape: str = "start_stop") -> dict[str, str]:
    """Names that columns of exports have, plain, with the column each means in this shape."""
    vocabulary = read_table("vocabulary")
    words = {plain(column): column for column in COLUMNS if column != "unreadable"}
    for column, synonyms in vocabulary["columns"].items():
        words |= {plain(word): column for word in synonyms}
    of_shape = _OF_SHAPE.get(shape, ())
    for column in of_shape:
        listed = vocabulary["shape_columns"][column]
        words |= {plain(word): column for word in [column, *listed]}
    return words


def name_meant(name: str, *, exact: bool = False, shape: str = "start_stop") -> str | None:
    """Tell which known column a column called ``name`` looks like; None if it looks like none.

    With ``exact`` only a listed synonym counts, not a spelling close to one. ``shape`` is that
    of the export: an event log has other columns than runs.
    """
    words = column_words(shape)
    alike = get_close_matches(plain(name), words, n=1, cutoff=1.0 if exact else _ALIKE)
    return words[alike[0]] if alike else None


def looks_known(name: str) -> bool:
    """Whether ``name`` is a listed name of a column in any shape of export."""
    return any(plain(name) in column_words(shape) for shape in ("start_stop", *_OF_SHAPE))


def charted_text(name: str, dtype: pl.DataType) -> pl.Expr:
    """Render a column as text without blanks at its ends; null where nothing is charted.

    A whole number stored as a float (``126179.0``) is written as a whole number, a time outside
    the years that are believed as the number it is stored as.

    Raises
    ------
    InputError
        If the column holds lists, structs, bytes or lengths of time.
    """
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Duration):
        raise InputError(
            f"Column '{name}' holds {dtype.base_type().__name__} values; it must hold one plain "
            f"value in each row. Unpack it before reading, or leave it out of columns."
        )
    column = by_name(name).as_expr()
    if isinstance(dtype, pl.Datetime):
        written = believed_typed(column, dtype).cast(pl.String)
        beyond = column.to_physical().cast(pl.String)
        return pl.coalesce(written, beyond)
    text = column.cast(pl.String).str.strip_chars()
    if dtype.is_float():
        text = text.str.replace(r"\.0$", "")
    return pl.when(~text.is_in(["", *read_table("vocabulary")["missing"]])).then(text)


def field(
    name: str,
    dtype: pl.DataType,
    text: pl.Expr,
    *,
    answers: Mapping[str, str] | None = None,
    wanted: pl.DataType | None = None,
) -> pl.Expr:
    """Read the known column ``name``, not a time, as its type in ``COLUMNS``; null if unreadable.

    ``dtype`` is its type in the file, ``text`` its ``charted_text``, ``wanted`` its type if it
    is none of ``COLUMNS``. Numbers are finite and written with a point, without units; answers
    and yes/no may be any word listed in ``parameters/vocabulary.toml`` or in ``answers``.
    """
    wanted = COLUMNS[name] if wanted is None else wanted
    if wanted == pl.String or dtype == wanted == pl.Boolean:
        return text if wanted == pl.String else pl.col(name)
    if name in CHOICES or wanted == pl.Boolean:
        words = text.str.to_lowercase().str.replace_all(_FILLERS, "")
        listed = _answers(name if name in CHOICES else "truth")
        further = {
            re.sub(_FILLERS, "", word.lower()): answer for word, answer in (answers or {}).items()
        }
        known = words.replace_strict(listed | further, default=None, return_dtype=pl.String)
        return known.cast(wanted) if name in CHOICES else known == "true"
    number = (pl.col(name) if dtype.is_numeric() else text).cast(pl.Float64, strict=False)
    number = pl.when(number.is_finite()).then(number)
    if wanted.is_integer():
        return pl.when(number == number.floor()).then(number).cast(wanted, strict=False)
    return number.cast(wanted)
