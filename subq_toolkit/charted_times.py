"""Times as people type and export them: clock times, dates, and date-times in text columns.

A date-time format is chosen only if the values leave no doubt. Where month/day and
day/month both read a file, the reader must be told; nothing is guessed.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from itertools import product

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.time_formats import (
    CLOCK_ONLY,
    DATE_ONLY,
    FORMATS,
    MIDNIGHT,
    OFFSET,
    ORDERS,
    UNTIDY,
    TimeFormat,
    TimeReading,
    moments,
    stated_format,
    tidy,
)

_CLOCK = re.compile(
    r"(?:(?P<h>\d{1,2}):(?P<m>\d\d)(?::(?P<s>\d\d))?|(?P<run>\d{3,4})|(?P<bare>\d{1,2}))"
    r" ?(?P<half>[ap]m?)?",
    re.ASCII,
)
_CLOCK_FORMS = "0915, 915, 9:15, 21:15:30, 9:15 pm, 9:15p, 9 am or noon"
_END_OF_DAY = re.compile(r"(midnight|24:?00(:00)?)")


def clock_time(text: str) -> time:
    """Read a clock time as a person types it: ``0915``, ``915``, ``9:15 pm``, ``9 am``, ``noon``.

    Without am or pm the 24-hour clock is meant. ``2400`` and ``midnight`` are refused: a clock
    time alone cannot say which day they end, so 0000 is typed with the day that begins.

    Raises
    ------
    InputError
        If the text is none of the accepted forms, or no time of day.
    """
    typed = re.sub(r"([ap])\.m\.?$", r"\1m", " ".join(text.lower().split()))
    if _END_OF_DAY.fullmatch(typed):
        raise InputError(
            "Midnight belongs to two days: type 0000 with the date of the day that begins."
        )
    read = _CLOCK.fullmatch("12:00" if typed == "noon" else typed)
    if read is None or (read["bare"] and not read["half"]):
        raise InputError(f"This is not a clock time. Type it like {_CLOCK_FORMS}.")
    digits = read["run"] or ""
    hour = int(read["h"] or read["bare"] or digits[:-2])
    minute, second = int(read["m"] or digits[-2:] or 0), int(read["s"] or 0)
    if read["half"]:
        if not 1 <= hour <= 12:
            raise InputError("With am or pm the hour is 1 to 12; leave am or pm out for 13 to 23.")
        hour = hour % 12 + (12 if read["half"].startswith("p") else 0)
    if hour > 23 or minute > 59 or second > 59:
        raise InputError("A clock time ends at 23:59:59; minutes and seconds end at 59.")
    return time(hour, minute, second)


def charted_date(text: str) -> date:
    """Read a date as a person types it: ``2026-03-02``, ``3/2/2026`` or ``3/2/26``.

    With slashes the month comes first, as in the US. Years 00 to 68 are 2000 to 2068.

    Raises
    ------
    InputError
        If the text is none of these forms, or no day of the calendar.
    """
    for form in ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y"):
        try:
            return datetime.strptime(text.strip(), form).date()
        except ValueError:
            continue
    raise InputError("This is not a date. Type it like 2026-03-02, 3/2/2026 or 3/2/26 (month/day).")


def find_reading(
    texts: Mapping[str, pl.Series],
    *,
    time_format: str | None = None,
    facility_zone: str | None = None,
    zoned: bool = False,
) -> TimeReading:
    """Find how the text columns ``texts`` are to be read, from all their values together.

    Parameters
    ----------
    texts
        Columns of text, by the name they have in the file; no nulls.
    time_format
        ``"month_first"``, ``"day_first"`` or one strptime format such as ``"%d.%m.%Y %H:%M"``.
    facility_zone
        Zone of the facility; needed when values carry an offset from UTC.
    zoned
        True to give the times a zone even if no value carries an offset.

    Raises
    ------
    InputError
        If month/day and day/month both fit, a column holds no clock times or no dates,
        values carry an offset and ``facility_zone`` is not stated, or ``time_format`` is wrong.
    """
    untidy = any(text.str.contains(UNTIDY).any() for text in texts.values())
    texts = {name: tidied(text) if untidy else text for name, text in texts.items()}
    _require_date_and_clock(texts)
    offset = {name: _carries_offset(text) for name, text in texts.items()}
    bare = {
        name: text.str.replace(OFFSET, "${1}") if offset[name].any() else text
        for name, text in texts.items()
    }
    midnights = any(_any_at_midnight(text) for text in bare.values())
    if time_format is None or time_format in ORDERS:
        clocks = {name: text.str.replace(MIDNIGHT, "${1}00${2}${3}") for name, text in bare.items()}
        bare = clocks if midnights else bare
        found = [form for text in bare.values() for form in _shapes_in(text)]
        chosen = _in_one_order(bare, tuple(dict.fromkeys(found)), time_format)
    else:
        chosen = (stated_format(time_format),)
    offsets = {
        name: pl.select(moments(pl.lit(text.filter(offset[name])), chosen)).to_series().count()
        for name, text in bare.items()
        if offset[name].any()
    }
    if any(offsets.values()) and facility_zone is None:
        name, count = next((n, c) for n, c in offsets.items() if c)
        raise InputError(
            f"Column '{name}': {count:,} times carry an offset from UTC, so the local date of "
            f"service cannot be told. State the zone, e.g. facility_zone='America/New_York'."
        )
    zone = facility_zone if zoned or any(offsets.values()) else None
    return TimeReading(chosen, zone, untidy=untidy, midnights=midnights)


def tidied(text: pl.Series) -> pl.Series:
    """Tidy a whole column."""
    return pl.select(tidy(pl.lit(text))).to_series()


def _any_at_midnight(text: pl.Series) -> bool:
    likely = text.filter(text.str.contains("24", literal=True))
    return likely.str.contains(MIDNIGHT).any()


def _carries_offset(text: pl.Series) -> pl.Series:
    ends = text.str.contains(r"(?:[Zz]|[+-]\d\d:?(?:\d\d)?)$")
    return text.str.contains(OFFSET) if ends.any() else ends


def _require_date_and_clock(texts: Mapping[str, pl.Series]) -> None:
    alone = {"dates without a clock time": DATE_ONLY, "clock times without a date": CLOCK_ONLY}
    for (name, text), (held, shape) in product(texts.items(), alone.items()):
        if len(text) and text.head(1).str.contains(shape).all() and text.str.contains(shape).all():
            raise InputError(
                f"Column '{name}' holds {held} ({len(text):,} values). Minutes need both: join "
                f"date and clock into one column, e.g. 2026-03-02 09:15."
            )


def _shapes_in(text: pl.Series) -> list[TimeFormat]:
    """List formats whose shape occurs; the commonest of the first values is tried first."""
    head = text.head(200)
    uses = pl.select(
        pl.lit(head).str.contains(form.shape).sum().alias(f"{i}") for i, form in enumerate(FORMATS)
    )
    by_use = [
        form for _, form in sorted(zip(uses.row(0), FORMATS, strict=True), key=lambda use: -use[0])
    ]
    found: list[TimeFormat] = []
    for form in by_use:
        twin = any(form.shape == other.shape for other in found)
        fits = text.str.contains(form.shape) if len(text) and not twin else None
        if twin or (fits is not None and fits.any()):
            found.append(form)
        text = text.filter(~fits) if fits is not None else text
    return found


def _in_one_order(
    texts: Mapping[str, pl.Series], found: tuple[TimeFormat, ...], stated: str | None
) -> tuple[TimeFormat, ...]:
    """Drop the formats of the other order of day and month; refuse if the values leave it open."""
    sides = {order: [form for form in found if form.order == order] for order in ORDERS}
    if stated is None and any(sides.values()):
        stated = _order_of(texts, sides)
    return tuple(form for form in found if form.order in (None, stated))


def _order_of(texts: Mapping[str, pl.Series], sides: Mapping[str, list[TimeFormat]]) -> str:
    month, day = (moments(pl.col("text"), sides[order]) for order in ORDERS)
    both = pl.LazyFrame({"text": pl.concat(list(texts.values()))}).select(month=month, day=day)
    only_month, only_day, differ = (
        both.select(
            (pl.col("month").is_not_null() & pl.col("day").is_null()).sum().alias("only_month"),
            (pl.col("day").is_not_null() & pl.col("month").is_null()).sum().alias("only_day"),
            (pl.col("month") != pl.col("day")).sum().alias("differ"),
        )
        .collect()
        .row(0)
    )
    columns = " and ".join(f"'{name}'" for name in texts)
    remedy = 'State which it is: time_format="month_first" or time_format="day_first".'
    if only_month and only_day:
        raise InputError(
            f"Column {columns}: {only_month:,} values read only as month/day and {only_day:,} only "
            f"as day/month. {remedy} The others will be unreadable."
        )
    if differ and not only_month and not only_day:
        raise InputError(
            f"Column {columns}: its dates read both as month/day and as day/month, and "
            f"{differ:,} would fall on other days. {remedy}"
        )
    return "day_first" if only_day else "month_first"
