"""The ways in which date-times are written in text, as one table.

A format is a date part with a clock part, told apart by its shape. Day and month in
figures have one shape and two readings; ``order`` says which of them comes first.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product

import polars as pl

from subq_toolkit.errors import InputError


@dataclass(frozen=True)
class TimeFormat:
    """One way in which date-times are written; ``order`` says which of day and month is first."""

    name: str
    shape: str
    pattern: str
    order: str | None = None


#: date part: name, shape, pattern, what stands before the clock, order of day and month
_DATES = (
    ("year-month-day", r"\d{4}-\d{1,2}-\d{1,2}", "%Y-%m-%d", " ", None),
    ("year/month/day", r"\d{4}/\d{1,2}/\d{1,2}", "%Y/%m/%d", " ", None),
    ("month/day/year", r"\d{1,2}/\d{1,2}/\d{4}", "%m/%d/%Y", " ", "month_first"),
    ("day/month/year", r"\d{1,2}/\d{1,2}/\d{4}", "%d/%m/%Y", " ", "day_first"),
    ("month/day/yy", r"\d{1,2}/\d{1,2}/\d{2}", "%m/%d/%y", " ", "month_first"),
    ("day/month/yy", r"\d{1,2}/\d{1,2}/\d{2}", "%d/%m/%y", " ", "day_first"),
    ("month-day-year", r"\d{1,2}-\d{1,2}-\d{4}", "%m-%d-%Y", " ", "month_first"),
    ("day-month-year", r"\d{1,2}-\d{1,2}-\d{4}", "%d-%m-%Y", " ", "day_first"),
    ("month.day.year", r"\d{1,2}\.\d{1,2}\.\d{4}", "%m.%d.%Y", " ", "month_first"),
    ("day.month.year", r"\d{1,2}\.\d{1,2}\.\d{4}", "%d.%m.%Y", " ", "day_first"),
    ("day-MON-year", r"\d{1,2}-[A-Za-z]{3}-\d{4}", "%d-%b-%Y", " ", None),
    ("day-MON-yy", r"\d{1,2}-[A-Za-z]{3}-\d{2}", "%d-%b-%y", " ", None),
    ("day MON year", r"\d{1,2} [A-Za-z]{3} \d{4}", "%d %b %Y", " ", None),
    ("yearmonthday", r"\d{8}", "%Y%m%d", " ", None),
    ("yearmonthday", r"\d{8}", "%Y%m%d", "", None),
)
_CLOCKS = (
    ("hour:minute", r"\d{1,2}:\d{2}", "%H:%M"),
    ("hour:minute:second", r"\d{1,2}:\d{2}:[0-5]\d(\.\d{1,9})?", "%H:%M:%S%.f"),
    ("hour:minute AM/PM", r"\d{1,2}:\d{2} ?[AaPp][Mm]", "%I:%M %p"),
    ("hour:minute:second AM/PM", r"\d{1,2}:\d{2}:[0-5]\d ?[AaPp][Mm]", "%I:%M:%S %p"),
    ("hourminute", r"\d{4}", "%H%M"),
    ("hourminutesecond", r"\d{4}[0-5]\d", "%H%M%S"),
)
#: Every format that is recognised: each date part with each clock part.
FORMATS = tuple(
    TimeFormat(f"{day}{gap}{clock}", f"^{a}{gap}{b}$", f"{day_as}{gap}{clock_as}", order)
    for (day, a, day_as, gap, order), (clock, b, clock_as) in product(_DATES, _CLOCKS)
)
DATE_ONLY = "^(" + "|".join(sorted({shape for _, shape, *_ in _DATES})) + ")$"
CLOCK_ONLY = r"^\d{1,2}:\d{2}(:\d{2})?( ?[AaPp][Mm])?$"
UNTIDY = r"^\s|\s$|[^\S ]|,|  |\d[Tt]\d"
_DAY, _NO_TIME = timedelta(days=1), timedelta()
ORDERS = ("month_first", "day_first")
OFFSET = r"^(.+ .*\d) ?([Zz]|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)$"
MIDNIGHT = r"^(.+ )24(:?00)(:?00)?$"
#: Times outside these years are slips of typing or of a conversion, and unreadable: the years
#: that ``facility_time`` believes. Shifted dates of de-identified data reach into the 2200s.
FIRST_MOMENT, END_OF_TIMES = datetime(1900, 1, 1), datetime(2400, 1, 1)


def tidy(text: pl.Expr) -> pl.Expr:
    """Text with single blanks between its parts: no T, no comma, nothing at the ends."""
    blanks = text.str.replace_all(r"[\s,]+", " ").str.strip_chars()
    return blanks.str.replace(r"(\d)[Tt](\d)", "${1} ${2}")


@dataclass(frozen=True)
class TimeReading:
    """How the time columns of one file are read.

    ``zone`` is set if the times come out with a zone. A format reads only values of its shape.
    ``untidy`` and ``midnights`` say that some value needs tidying, or is at 24:00.
    """

    formats: tuple[TimeFormat, ...]
    zone: str | None = None
    untidy: bool = True
    midnights: bool = True

    def expr(self, text: pl.Expr) -> pl.Expr:
        """Date-times of a text column; null where the text does not fit.

        24:00 is the first moment of the next day. With a zone, values without an offset are
        local; a local time that a clock change skips or repeats has no place and is null.
        """
        text = tidy(text) if self.untidy else text
        if self.zone is None:
            return self._wall_clock(text)
        wall = self._wall_clock(text.str.replace(OFFSET, "${1}"))
        offset = text.str.extract(OFFSET, 2)
        local = wall.dt.replace_time_zone(self.zone, ambiguous="null", non_existent="null")
        exact = (wall - _ahead_of_utc(offset)).dt.replace_time_zone("UTC")
        return (
            pl.when(offset.is_null()).then(local).otherwise(exact.dt.convert_time_zone(self.zone))
        )

    def names_in(self, text: pl.Series) -> list[str]:
        """Names of the formats that occur in a column of tidied text."""
        if len(self.formats) == 1:
            return [self.formats[0].name] if len(text) else []
        bare = text.str.replace(OFFSET, "${1}").str.replace(MIDNIGHT, "${1}00${2}${3}")
        return [form.name for form in self.formats if bare.str.contains(form.shape).any()]

    def _wall_clock(self, text: pl.Expr) -> pl.Expr:
        at_end = text.str.contains(MIDNIGHT)
        text = text.str.replace(MIDNIGHT, "${1}00${2}${3}") if self.midnights else text
        moment = believed(moments(text, self.formats))
        later = moment + pl.when(at_end).then(_DAY).otherwise(_NO_TIME)
        return believed(later) if self.midnights else moment


def believed(moment: pl.Expr) -> pl.Expr:
    """Date-times in microseconds that are of a year which is believed; others are null."""
    return pl.when(moment.is_between(FIRST_MOMENT, END_OF_TIMES, closed="left")).then(moment)


def believed_typed(moment: pl.Expr, dtype: pl.Datetime) -> pl.Expr:
    """Typed date-times of any unit and zone as microseconds; others than believed are null."""
    ticks, per_second = moment.to_physical(), {"ms": 10**3, "us": 10**6, "ns": 10**9}
    first, end = (
        int(one.replace(tzinfo=UTC).timestamp()) * per_second[dtype.time_unit]
        for one in (FIRST_MOMENT, END_OF_TIMES)
    )
    believed_ones = pl.when(ticks.is_between(first, end, closed="left")).then(moment)
    return believed_ones.cast(pl.Datetime("us", dtype.time_zone))


def believed_day(day: pl.Expr) -> pl.Expr:
    """Dates of a year that is believed; others, which Polars may not even show, are null."""
    first, end = ((one - datetime(1970, 1, 1)).days for one in (FIRST_MOMENT, END_OF_TIMES))
    return pl.when(day.to_physical().is_between(first, end, closed="left")).then(day)


def moments(text: pl.Expr, formats: Sequence[TimeFormat]) -> pl.Expr:
    """Date-times without a zone of tidied text, by the first of ``formats`` that fits."""
    read = [_as_time(text, form) for form in formats]
    nothing = pl.when(text.is_null()).then(pl.lit(None, dtype=pl.Datetime("us")))
    return pl.coalesce(read) if read else nothing


def _as_time(text: pl.Expr, form: TimeFormat) -> pl.Expr:
    read = text.str.to_datetime(form.pattern, strict=False, time_unit="us")
    return pl.when(text.str.contains(form.shape)).then(read) if form.shape else read


def _ahead_of_utc(offset: pl.Expr) -> pl.Expr:
    hours = offset.str.slice(0, 3).cast(pl.Int64, strict=False).fill_null(0)
    minutes = offset.str.extract(r"\d{2}:?(\d{2})$").cast(pl.Int64, strict=False).fill_null(0)
    sign = pl.when(offset.str.starts_with("-")).then(-1).otherwise(1)
    return pl.duration(minutes=hours * 60 + sign * minutes)


def stated_format(time_format: str) -> TimeFormat:
    """Turn a strptime format into one that Polars reads; it must keep date, hour and minute."""
    pattern = re.sub(r"\.%f", "%.f", re.sub(r" ?%[:#]?z$", "", time_format))
    pattern = re.sub(r"(%[A-Za-z])T(%[HI])", r"\1 \2", " ".join(pattern.replace(",", " ").split()))
    sample = datetime(2031, 12, 25, 22, 47)
    try:
        written = pl.Series([sample]).dt.strftime(pattern)
        kept = written.str.to_datetime(pattern, strict=False, time_unit="us").item() == sample
    except pl.exceptions.PolarsError:
        kept = False
    if not kept:
        raise InputError(
            "time_format must hold year, month, day, hour and minute in strptime codes, e.g. "
            '"%m/%d/%Y %H:%M" or "%d/%m/%y %I:%M %p"; or be "month_first" or "day_first".'
        )
    return TimeFormat(time_format, "", pattern)
