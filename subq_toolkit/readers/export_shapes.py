"""The shapes in which charting is exported, and how each becomes start and stop.

A shape says what one row is: a run with start and stop, a run with a start and a length, a
run with a start, a volume and a rate, or one event of a log. Date and clock may stand in two
columns. What is not charted stays missing.
"""

from collections.abc import Collection, Mapping, Sequence

import polars as pl
from polars.selectors import by_name

from subq_toolkit.administrations import COLUMNS, TIMES
from subq_toolkit.time_formats import believed_day, believed_typed

#: Each shape with what a row of it must have, in the words of this toolkit.
SHAPES: dict[str, tuple[str, ...]] = {
    "start_stop": ("encounter_id", "start_at", "stop_at"),
    "start_duration": ("encounter_id", "start_at", "duration"),
    "start_volume_rate": ("encounter_id", "start_at", "volume_ml", "rate_ml_per_h"),
    "event_log": ("encounter_id", "event_at", "event"),
}
#: Units in which a length of time may be charted.
DURATION_UNITS = ("min", "h", "h:mm")
#: What only some shapes have, beside ``administrations.COLUMNS``.
SHAPE_COLUMNS = (
    *("event", "event_at", "event_date", "event_clock", "order_id"),
    *("start_date", "start_clock", "stop_date", "stop_clock", "duration"),
)
_MINUTE_US, _HOUR_US = 60_000_000, 3_600_000_000
_NO_CLOCK = r"[ T](0?0:00(:00(\.0+)?)?|12:00(:00)? ?[Aa][Mm])$"
_NO_DATE = r"^(1899-12-3[01]|1900-01-0[01])[ T]"
_LENGTH = r"^(\d+(?:\.\d+)?|\.\d+) ?([A-Za-z]+\.?)?$"
_H_MM = r"^(\d{1,4}):([0-5]\d)(?::([0-5]\d))?$"
_UNIT_WORDS = {
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), _MINUTE_US),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), _HOUR_US),
}
_LONGEST_US = 10_000 * _HOUR_US


def known_types(shape: str) -> dict[str, pl.DataType]:
    """The columns that are read in a file of this shape, with their types."""
    if shape != "event_log":
        return COLUMNS
    of_run = ("start_at", "stop_at")
    kept = {name: dtype for name, dtype in COLUMNS.items() if name not in of_run}
    extra = {"event_at": pl.Datetime("us"), "event": pl.String(), "order_id": pl.String()}
    return kept | extra


def times_of(shape: str) -> tuple[str, ...]:
    """The columns of date and clock in a file of this shape."""
    return ("event_at", "discharge_at") if shape == "event_log" else TIMES


def in_two_columns(targets: Collection[str], shape: str) -> dict[str, tuple[str, str]]:
    """Times that stand in two columns: the time, and its columns of date and of clock.

    A stop with a clock only has the date of the start.
    """
    found = {}
    for time in ("event",) if shape == "event_log" else ("start", "stop"):
        day, clock = f"{time}_date", f"{time}_clock"
        day = "start_date" if time == "stop" and day not in targets else day
        if f"{time}_at" not in targets and day in targets and clock in targets:
            found[f"{time}_at"] = (day, clock)
    return found


def lacking(shape: str, targets: Collection[str]) -> list[str]:
    """What a row of this shape must have and ``targets`` does not hold."""
    held = {*targets, *in_two_columns(targets, shape)}
    return [name for name in SHAPES[shape] if name not in held]


def joined(day: pl.Expr, clock: pl.Expr) -> pl.Expr:
    """Date and clock as one text; null if either is not charted.

    A date may carry the midnight, and a clock the day 0, that spreadsheets add.
    """
    clock = clock.str.replace(_NO_DATE, "").str.replace(r"^(\d)(\d\d)$", "0$1:$2")
    return pl.concat_str(day.str.replace(_NO_CLOCK, ""), clock, separator=" ")


def as_text(name: str, dtype: pl.DataType) -> pl.Expr | None:
    """A typed date, clock or length as text; None if it is to be read as any other column.

    A date outside the years that are believed is written as the number it is stored as.
    """
    column = by_name(name).as_expr()
    if dtype == pl.Duration:
        return pl.concat_str(column.dt.total_minutes(), pl.lit(" min"))
    if dtype == pl.Time:
        return column.dt.strftime("%H:%M:%S")
    if dtype == pl.Date:
        text = believed_day(column).dt.strftime("%Y-%m-%d")
    elif isinstance(dtype, pl.Datetime):
        text = believed_typed(column, dtype).dt.strftime("%Y-%m-%d %H:%M:%S")
    else:
        return None
    return pl.coalesce(text, column.to_physical().cast(pl.String))


def length_us(text: pl.Expr, unit: str) -> pl.Expr:
    """A charted length [µs]; null if it cannot be read.

    ``90 min`` and ``1.5 h`` say their own unit, as does ``1:30``; a bare number has ``unit``.
    """
    number = text.str.extract(_LENGTH, 1).cast(pl.Float64, strict=False)
    word = text.str.extract(_LENGTH, 2).str.to_lowercase().str.strip_chars_end(".")
    bare = {"min": _MINUTE_US, "h": _HOUR_US}.get(unit)
    factor = pl.when(word.is_null()).then(pl.lit(bare, pl.Int64))
    factor = factor.otherwise(word.replace_strict(_UNIT_WORDS, default=None, return_dtype=pl.Int64))
    parts = [text.str.extract(_H_MM, i).cast(pl.Int64).fill_null(0) for i in (1, 2, 3)]
    hours, minutes, seconds = parts
    clock = hours * _HOUR_US + minutes * _MINUTE_US + seconds * 1_000_000
    length = pl.when(text.str.contains(_H_MM)).then(clock).otherwise((number * factor).round(0))
    return pl.when(length <= _LONGEST_US).then(length.cast(pl.Int64, strict=False))


def stop_after(start: pl.Expr, length: pl.Expr, zone: str | None) -> pl.Expr:
    """The moment that is ``length`` [µs] after a start.

    ``zone`` is that of the facility if the start carries none: the length is elapsed time, so
    over a clock change the clock shows another difference.
    """
    span = pl.duration(microseconds=length)
    if zone is None:
        return start + span
    local = start.dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
    return pl.coalesce((local + span).dt.replace_time_zone(None), start + span)


def next_day(start: pl.Expr, stop: pl.Expr) -> pl.Expr:
    """A stop clock before the start clock, a day later."""
    return pl.when(stop < start).then(stop.dt.offset_by("1d")).otherwise(stop)


def note_of_shape(shape: str, unit: str | None) -> str:
    """What the report says of how the stop came about."""
    if shape == "start_duration":
        return f"start plus the charted length (bare numbers in {unit})"
    if shape == "start_volume_rate":
        return (
            "no stop is charted, so runs lead to a query; Policy(missing_stop='computed') "
            "takes start + volume / rate"
        )
    return ""


def read_from_of(name: str, read_from: Mapping[str, str], parts: Sequence[str]) -> str:
    """Where a time was read from, as the report names it."""
    return read_from.get(name) or " + ".join(read_from.get(part, part) for part in parts)
