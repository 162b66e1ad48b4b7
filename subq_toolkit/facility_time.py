"""Charted times of a facility as instants: zones, clock changes, and what cannot be told.

Times with a zone count real elapsed minutes. Times without one are facility time:
name ``facility_zone`` and they count real elapsed minutes too. In the hour that a
spring clock change skips no time exists: the row is refused. In the hour that an
autumn change repeats, a charted time is two moments: the chart has to say which, so
the row leads to a query. With no zone known, minutes are differences on the wall
clock, and a run over a night on which US clocks change leads to a query.
"""

import zoneinfo
from datetime import UTC, datetime

import polars as pl

from subq_toolkit.errors import InputError

#: Every US zone that changes its clocks does so at 02:00 local time; this one stands for all.
_US_CLOCK = "America/Chicago"
#: A charted time outside these years is a slip of typing or of a conversion; shifted dates of
#: de-identified data reach into the 2200s.
_BELIEVED = (datetime(1900, 1, 1, tzinfo=UTC), datetime(2400, 1, 1, tzinfo=UTC))
_TICKS = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_ISO = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M")


def agreed_zone(schema: pl.Schema, names: tuple[str, ...], facility_zone: str | None) -> str | None:
    """The zone in which dates of service are read; None for bare wall-clock times.

    Raises
    ------
    InputError
        If ``facility_zone`` is not a known zone, or some time columns carry a zone and
        others do not while no ``facility_zone`` says how to read the latter.
    """
    if facility_zone is not None and not _is_zone(facility_zone):
        raise InputError(
            f"facility_zone {facility_zone!r} is not a known time zone. Use a name such as "
            f"'America/New_York', 'America/Chicago', 'America/Denver' or 'America/Los_Angeles'."
        )
    if facility_zone is not None:
        return facility_zone
    zones = {name: zone_of(schema[name]) for name in names if _holds_times(schema.get(name))}
    if None in zones.values() and len(set(zones.values())) > 1:
        zoned = ", ".join(f"'{name}'" for name, zone in zones.items() if zone)
        naive = ", ".join(f"'{name}'" for name, zone in zones.items() if not zone)
        raise InputError(
            f"Column {zoned} carries a time zone and {naive} does not. State the zone of the bare "
            f"times, e.g. facility_zone='America/New_York'."
        )
    return next(iter(zones.values()), None)


def _is_zone(name: object) -> bool:
    machine_dependent = ("localtime", "Factory", "posixrules")
    return name in zoneinfo.available_timezones() and name not in machine_dependent


def zone_of(dtype: pl.DataType | None) -> str | None:
    """The zone that a column of this type carries."""
    return dtype.time_zone if isinstance(dtype, pl.Datetime) else None


def _holds_times(dtype: pl.DataType | None) -> bool:
    return dtype is not None and dtype != pl.Null


def charted(name: str, dtype: pl.DataType | None) -> pl.Expr:
    """The charted time as it stands, without judging it. Text must be ISO, else null.

    Raises
    ------
    InputError
        If the column holds neither times nor text.
    """
    if not _holds_times(dtype):
        return pl.lit(None, pl.Datetime("us"))
    if isinstance(dtype, pl.Datetime):
        ticks = pl.col(name).to_physical()
        first, last = (int(year.timestamp()) * _TICKS[dtype.time_unit] for year in _BELIEVED)
        time = pl.when(ticks.is_between(first, last, closed="left")).then(pl.col(name))
        return time.cast(pl.Datetime("us", dtype.time_zone))
    if dtype == pl.String:
        text = pl.col(name).str.strip_chars().str.replace(" ", "T", literal=True)
        return pl.coalesce(
            text.str.to_datetime(form, strict=False, time_unit="us") for form in _ISO
        )
    raise InputError(
        f"Column '{name}' is {dtype}, not a date with a clock time. Hand in a Datetime column, "
        f"text such as '2026-03-02 09:15', or read the file with read_administrations()."
    )


def time_columns(
    name: str, dtype: pl.DataType | None, facility_zone: str | None
) -> dict[str, pl.Expr]:
    """All that is asked of one time column, as expressions on the table as handed in.

    Returns
    -------
    dict of str to pl.Expr
        For ``start_at``: ``start_at`` (local, zoned if a zone is known), ``_start_us`` (instant,
        µs since 1970), ``_start_wall`` (local time without zone), ``_start_skipped`` (no such
        time on that date), ``_start_twice`` (two such times), ``_start_unread`` (text that is
        no time, or a time outside the years 1900 to 2399).
    """
    kind, time = name.removesuffix("_at"), charted(name, dtype)
    skipped = twice = pl.lit(False)
    if zone_of(dtype) is not None:
        instant = time.dt.convert_time_zone(facility_zone or zone_of(dtype))
        wall = instant.dt.replace_time_zone(None)
    elif facility_zone is not None:
        wall, instant = time, _localised(time, facility_zone)
        skipped = time.is_not_null() & _localised(time, facility_zone, "earliest").is_null()
        twice = time.is_not_null() & instant.is_null() & ~skipped
    else:
        wall = instant = time
    unread = pl.lit(False)
    if dtype == pl.String:
        unread = time.is_null() & (pl.col(name).str.strip_chars().str.len_bytes() > 0)
    elif _holds_times(dtype):
        unread = time.is_null() & pl.col(name).is_not_null()
    return {
        name: instant,
        f"_{kind}_us": instant.dt.epoch("us"),
        f"_{kind}_wall": wall,
        f"_{kind}_skipped": skipped,
        f"_{kind}_twice": twice,
        f"_{kind}_unread": unread.fill_null(False),
    }


def _localised(time: pl.Expr, zone: str, ambiguous: str = "null") -> pl.Expr:
    return time.dt.replace_time_zone(zone, ambiguous=ambiguous, non_existent="null")


def clocks_may_change(start: pl.Expr, stop: pl.Expr) -> pl.Expr:
    """Whether US clocks change between two wall-clock times, so that minutes are unsure.

    ``start`` and ``stop`` are Datetime columns without a zone; null gives False.
    """
    elapsed = _localised(stop, _US_CLOCK) - _localised(start, _US_CLOCK)
    return ((stop - start) != elapsed).fill_null(start.is_not_null() & stop.is_not_null())
