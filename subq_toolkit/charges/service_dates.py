"""Dates of service as extracts write them, one order of day and month for a whole column.

A clock after the date is dropped. Where month/day and day/month both read a column, or it
holds serial numbers of Excel, the reader must be told; nothing is guessed.
"""

from datetime import date, datetime
from typing import NamedTuple

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.time_formats import FORMATS, ORDERS, TimeFormat, believed_day, tidy

_CLOCK = " hour:minute"
_CLOCK_SHAPE = r" \d{1,2}:\d{2}$"
_DATES = (
    *(
        TimeFormat(
            form.name.removesuffix(_CLOCK),
            form.shape.removesuffix(_CLOCK_SHAPE) + "$",
            form.pattern.removesuffix(" %H:%M"),
            form.order,
        )
        for form in FORMATS
        if form.name.endswith(_CLOCK) and form.shape.endswith(_CLOCK_SHAPE)
        if form.pattern.endswith(" %H:%M")
    ),
    TimeFormat("MON day year", r"^[A-Za-z]{3,9} \d{1,2} \d{4}$", "%B %d %Y"),
)
_AFTER_DATE = r" (?:[01]?\d|2[0-3]):\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[AaPp][Mm])?$"
_OFFSET = r"\d(?: ?[Zz]| ?[+-]\d\d:?\d\d)$"
_SERIAL = r"^\d{5}(?:\.\d+)?$"
#: Day 0 of Excel's calendar, which counts a 29 February 1900 that never was.
_DAY_ZERO = date(1899, 12, 30)
SERIALS = "excel_serial"


class DateReading(NamedTuple):
    """The formats in which the dates of a column are read, first fit first; serials if stated."""

    formats: tuple[TimeFormat, ...]
    serials: bool = False
    note: str = ""

    @property
    def name(self) -> str:
        """The formats in words."""
        return SERIALS if self.serials else "; ".join(form.name for form in self.formats)

    def expr(self, text: pl.Expr) -> pl.Expr:
        """Dates of a text column; null where the text does not fit."""
        text = _bare(text)
        if self.serials:
            days = text.str.extract(r"^(\d{5})(?:\.\d+)?$", 1).cast(pl.Int64, strict=False)
            return believed_day(pl.lit(_DAY_ZERO) + pl.duration(days=days))
        return _first_fit(text, self.formats)


def find_dates(name: str, text: pl.Series, date_format: str | None = None) -> DateReading:
    """Find how a text column is to be read as dates, from all its values together.

    Parameters
    ----------
    name
        Name of the column in the file, for the messages.
    text
        The values, without nulls.
    date_format
        ``"month_first"``, ``"day_first"``, ``"excel_serial"`` or one strptime format such as
        ``"%d.%m.%Y"``.

    Raises
    ------
    InputError
        If month/day and day/month both fit, every value is a serial number, or
        ``date_format`` is wrong.
    """
    if date_format == SERIALS:
        return DateReading((), serials=True)
    if date_format is not None and date_format not in ORDERS:
        return DateReading((_stated(date_format),))
    bare = pl.select(_bare(pl.lit(text.unique()))).to_series()
    serials = bare.str.contains(_SERIAL)
    if len(bare) and serials.all():
        raise InputError(
            f"Column '{name}' holds numbers such as Excel counts days with, not dates. If they are "
            f'that, state date_format="{SERIALS}"; else export it with dates.'
        )
    found = [form for form in _DATES if len(bare) and bare.str.contains(form.shape).any()]
    if date_format is None and any(form.order for form in found):
        date_format = _order(name, bare, found)
    formats = tuple(form for form in found if form.order in (None, date_format))
    offsets = bare.str.contains(_OFFSET).sum()
    said = {
        f"{serials.sum():,} different values look like serial numbers of Excel": serials.any(),
        f"{offsets:,} different values carry an offset from UTC, so that the local date cannot be "
        f"told": offsets,
    }
    return DateReading(formats, note="; ".join(note for note, holds in said.items() if holds))


def _bare(text: pl.Expr) -> pl.Expr:
    """Tidied text without a clock time at its end."""
    return tidy(text).str.replace(_AFTER_DATE, "")


def _first_fit(text: pl.Expr, formats: tuple[TimeFormat, ...] | list[TimeFormat]) -> pl.Expr:
    nothing = pl.when(text.is_null()).then(pl.lit(None, dtype=pl.Date))
    return pl.coalesce([_day(text, form) for form in formats]) if formats else nothing


def _day(text: pl.Expr, form: TimeFormat) -> pl.Expr:
    day = believed_day(text.str.to_date(form.pattern, strict=False))
    return pl.when(text.str.contains(form.shape)).then(day) if form.shape else day


def _order(name: str, bare: pl.Series, found: list[TimeFormat]) -> str:
    month, day = (_first_fit(pl.lit(bare), _of_order(found, order)) for order in ORDERS)
    read = pl.select(month=month, day=day)
    only_month, only_day, differ = read.select(
        (pl.col("month").is_not_null() & pl.col("day").is_null()).sum().alias("only_month"),
        (pl.col("day").is_not_null() & pl.col("month").is_null()).sum().alias("only_day"),
        (pl.col("month") != pl.col("day")).sum().alias("differ"),
    ).row(0)
    remedy = 'State which it is: date_format="month_first" or date_format="day_first".'
    if only_month and only_day:
        raise InputError(
            f"Column '{name}': {only_month:,} different dates read only as month/day and "
            f"{only_day:,} only as day/month. {remedy} The others will be unreadable."
        )
    if differ and not only_month and not only_day:
        raise InputError(
            f"Column '{name}': its dates read both as month/day and as day/month, and {differ:,} "
            f"different ones would fall on other days. {remedy}"
        )
    return "day_first" if only_day else "month_first"


def _of_order(found: list[TimeFormat], order: str) -> list[TimeFormat]:
    return [form for form in found if form.order == order]


def _stated(date_format: str) -> TimeFormat:
    """Turn a strptime format of a date into one that Polars reads; it must keep the day."""
    sample = datetime(2031, 12, 25)
    pattern = " ".join(date_format.replace(",", " ").split())
    try:
        written = pl.Series([sample]).dt.strftime(pattern)
        kept = written.str.to_date(pattern, strict=False).item() == sample.date()
    except pl.exceptions.PolarsError:
        kept = False
    if not kept:
        raise InputError(
            'date_format must hold year, month and day in strptime codes, e.g. "%m/%d/%Y" or '
            f'"%d-%b-%Y"; or be "month_first", "day_first" or "{SERIALS}".'
        )
    return TimeFormat(date_format, "", pattern)
