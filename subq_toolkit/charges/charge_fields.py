"""The fields of a charge line as typed values: units, money, dates, codes with modifiers.

Each field is read by one expression over a whole column. What is there but cannot be read
becomes null; a missing entry stays a missing entry.
"""

import polars as pl

from subq_toolkit.charges.columns import AMOUNTS, COLUMNS, answer
from subq_toolkit.effective import read_table
from subq_toolkit.readers.charted_fields import charted_text
from subq_toolkit.time_formats import believed_day, believed_typed

_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+"
#: An amount: dollar sign and thousands as people write them, negative as -1, 1- or (1).
_AMOUNT = (
    rf"^(?:[-+−]? ?\$? ?(?:{_DIGITS})|\$ ?[-−](?:{_DIGITS})|\$? ?(?:{_DIGITS}) ?[-−]"
    rf"|\(\$? ?(?:{_DIGITS})\)|\$ ?\((?:{_DIGITS})\))$"
)
_NEGATIVE = r"[-−(]"
_ISO = r"^\d{4}-\d{2}-\d{2}(?:[T ].*)?$"
_RUN_TOGETHER = r"^\d{8}$"
#: Category I is five digits; II, III and others end in a letter; level II begins with one.
HCPCS = r"^(?:\d{4}[\dAFMTU]|[A-Z]\d{4})$"
_GLUED = r"^([0-9A-Z]{5})[^0-9A-Z]+([0-9A-Z]{2}(?:[^0-9A-Z]*[0-9A-Z]{2})*)[^0-9A-Z]*$"
_TWO_EACH = r"^[0-9A-Z]{2}(?: [0-9A-Z]{2})*$"
_TEXT = (pl.String, pl.Categorical, pl.Enum)
_UNIT_LIMIT = 10 ** read_table("charge_words")["limits"]["unit_digits"]


def is_text(dtype: pl.DataType) -> bool:
    """Whether a column holds text, spelt out or numbered."""
    return dtype in _TEXT


def entry(name: str, dtype: pl.DataType) -> pl.Expr:
    """What stands in a column, null where nothing does: blank text, NaN, ``N/A``."""
    if is_text(dtype):
        return charted_text(name, dtype)
    return pl.col(name).fill_nan(None) if dtype.is_float() else pl.col(name)


def field(name: str, dtype: pl.DataType) -> pl.Expr:
    """Read the known column ``name`` of type ``dtype`` as its type in ``COLUMNS``.

    Text of a date counts only as year-month-day here; ``read_charges`` knows other orders.
    """
    wanted, held = COLUMNS[name], entry(name, dtype)
    if dtype == pl.Null:
        return pl.lit(None, dtype=wanted)
    if name == "service_date":
        return _day(held, dtype)
    if name == "status":
        return pl.col(name) if dtype == wanted else answer("status", held).cast(wanted)
    if name in (*AMOUNTS, "units", "line_number"):
        number = _number(name, held) if is_text(dtype) else held.cast(pl.Float64)
        number = pl.when(number.is_finite()).then(number)
        return number if name in AMOUNTS else _whole(number)
    text = charted_text(name, dtype)
    if name == "frequency":
        return pl.coalesce(answer("frequency", text), text.str.to_uppercase())
    if name == "revenue_code":
        return text.str.replace(r"\.0+$", "").str.replace(r"^0+(\d)", "${1}")
    return text.str.replace(r"^(\d{5})\.0+$", "${1}").str.to_uppercase() if name == "code" else text


def _number(name: str, text: pl.Expr) -> pl.Expr:
    read = amount(text)
    return read if name in AMOUNTS else pl.when(~text.str.contains("$", literal=True)).then(read)


def amount(text: pl.Expr) -> pl.Expr:
    """Read amounts such as ``$1,234.50``, ``-12``, ``12.00-`` and ``(12.00)``."""
    size = text.str.replace_all(r"[^\d.]", "").cast(pl.Float64, strict=False)
    signed = pl.when(text.str.contains(_NEGATIVE)).then(-size).otherwise(size)
    return pl.when(text.str.contains(_AMOUNT) & size.is_finite()).then(signed)


def _whole(number: pl.Expr) -> pl.Expr:
    whole = (number == number.floor()) & (number.abs() < _UNIT_LIMIT)
    return pl.when(whole).then(number).cast(pl.Int64, strict=False)


def _day(held: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Datetime):
        return believed_typed(held, dtype).dt.date()
    if dtype == pl.Date:
        return believed_day(held)
    text = held.cast(pl.String)
    iso = text.str.head(10).str.to_date("%Y-%m-%d", strict=False)
    run = text.str.to_date("%Y%m%d", strict=False)
    day = pl.when(text.str.contains(_ISO)).then(iso)
    return believed_day(day.when(text.str.contains(_RUN_TOGETHER)).then(run))


def code_alone(code: pl.Expr) -> pl.Expr:
    """The code without modifiers glued to it: ``96369-59`` and ``96369 25`` are 96369."""
    glued = code.str.extract(_GLUED, 1)
    return pl.coalesce(glued, code)


def modifiers_of(modifiers: pl.Expr, code: pl.Expr) -> pl.Expr:
    """Modifiers of the column and those glued to the code, each once, with a blank between.

    Text that is no run of two-character modifiers stays as it is, for a check to find.
    """
    both = pl.concat_str(
        modifiers.str.to_uppercase(), code.str.extract(_GLUED, 2), separator=" ", ignore_nulls=True
    )
    bare = both.str.replace_all(r"[^0-9A-Z]+", "")
    paired = bare.str.len_chars() % 2 == 0
    each = bare.str.extract_all("..").list.unique(maintain_order=True).list.join(" ")
    return pl.when(bare != "").then(pl.when(paired).then(each).otherwise(both))


def two_characters_each(modifiers: pl.Expr) -> pl.Expr:
    """Whether modifiers are written as ``59 JZ``; true if there are none."""
    return modifiers.is_null() | modifiers.str.contains(_TWO_EACH)
