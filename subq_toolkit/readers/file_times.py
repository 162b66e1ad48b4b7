"""The time columns of one file together: which are text, which have a type, how each is read."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from subq_toolkit.administrations import TIMES
from subq_toolkit.charted_times import find_reading, tidied
from subq_toolkit.errors import InputError
from subq_toolkit.readers.charted_fields import charted_text
from subq_toolkit.time_formats import DATE_ONLY, MIDNIGHT, TimeReading, believed_typed

_SERIAL = r"^\d{4,5}(\.\d+)?$"
_DAY_BEGINS = r"(^| )(0?0:00(:00(\.0+)?)?|12:00(:00)? ?[Aa][Mm])$"
_LONGEST_ODD = 15
_NO_PLACE = ("UTC", "Etc/UTC", "GMT", "Zulu")


class TimeFields(NamedTuple):
    """For each time column its type, its format in words, and a note; and how text is read."""

    dtypes: dict[str, pl.DataType]
    reading: TimeReading
    zone: str | None
    formats: dict[str, str]
    notes: dict[str, str]

    def expr(self, name: str, text: pl.Expr) -> pl.Expr:
        """Read the time column ``name``; ``text`` is its ``charted_text``."""
        dtype = self.dtypes[name]
        if _is_text(dtype):
            return self.reading.expr(text)
        if not isinstance(dtype, pl.Datetime):
            return pl.lit(None, dtype=pl.Datetime("us", self.zone))
        moment = believed_typed(pl.col(name), dtype)
        if self.zone is None:
            return moment
        if dtype.time_zone is not None:
            return moment.dt.convert_time_zone(self.zone)
        return moment.dt.replace_time_zone(self.zone, ambiguous="null", non_existent="null")


def time_fields(
    rows: pl.LazyFrame,
    read_from: Mapping[str, str],
    *,
    time_format: str | None,
    facility_zone: str | None,
    names: Sequence[str] = TIMES,
) -> TimeFields:
    """Find how the known time columns of ``rows`` are read; text columns are looked through.

    ``read_from`` gives the names of the columns in the file, for the messages; ``names`` are
    those that hold times.

    Raises
    ------
    InputError
        If a column holds dates or clock times alone, or universal time while no
        ``facility_zone`` is stated; and as ``find_reading`` does.
    """
    schema = rows.collect_schema()
    dtypes = {name: schema[name] for name in names if name in schema}
    for name, dtype in dtypes.items():
        _require_moments(read_from[name], dtype, facility_zone)
    texts = {
        name: rows.select(charted_text(name, dtype).drop_nulls()).collect().to_series()
        for name, dtype in dtypes.items()
        if _is_text(dtype)
    }
    typed_zone = facility_zone is not None and any(_zone(dtype) for dtype in dtypes.values())
    reading = find_reading(
        {read_from[name]: text for name, text in texts.items()},
        time_format=time_format,
        facility_zone=facility_zone,
        zoned=typed_zone,
    )
    zone = reading.zone or (facility_zone if typed_zone else None)
    formats = {name: f"typed, {_zone(dtype) or 'no zone'}" for name, dtype in dtypes.items()}
    notes = {name: _unlike_times(dtype) for name, dtype in dtypes.items()}
    for name, charted in texts.items():
        text = tidied(charted) if reading.untidy else charted
        formats[name] = "; ".join(reading.names_in(text))
        notes[name] = _notes(text, reading, naive=zone is None and facility_zone is not None)
    return TimeFields(dtypes, reading, zone, formats, notes)


def _require_moments(name: str, dtype: pl.DataType, facility_zone: str | None) -> None:
    if dtype in (pl.Date, pl.Time, pl.Duration):
        held = {pl.Date: "dates without a clock time", pl.Time: "clock times without a date"}
        raise InputError(
            f"Column '{name}' holds {held.get(dtype.base_type(), 'lengths of time')}. Minutes need "
            f"a date with a clock time in one column, e.g. 2026-03-02 09:15."
        )
    if _zone(dtype) in _NO_PLACE and facility_zone is None:
        raise InputError(
            f"Column '{name}' holds universal time (UTC), so the local date of service cannot be "
            f"told. State the zone, e.g. facility_zone='America/New_York'."
        )


def _is_text(dtype: pl.DataType) -> bool:
    return dtype == pl.String or dtype.base_type() in (pl.Categorical, pl.Enum)


def _zone(dtype: pl.DataType) -> str | None:
    return dtype.time_zone if isinstance(dtype, pl.Datetime) else None


def _unlike_times(dtype: pl.DataType) -> str:
    return "numbers are not read as times" if dtype.is_numeric() else ""


def _notes(text: pl.Series, reading: TimeReading, *, naive: bool) -> str:
    short = text.filter(text.str.len_bytes() <= _LONGEST_ODD)
    dates = short.str.contains(DATE_ONLY).sum()
    serials = short.str.contains(_SERIAL).sum()
    midnights = text.str.contains(MIDNIGHT).sum() if reading.midnights else 0
    begins = (
        len(text) > 1
        and text.head(1).str.contains(_DAY_BEGINS).all()
        and text.str.contains(_DAY_BEGINS).all()
    )
    said = {
        f"{dates:,} have a date but no clock time": dates,
        f"{serials:,} look like serial numbers of Excel: give the cells a date and time format "
        f"and export again": serials,
        f"{midnights:,} at 24:00, read as 00:00 of the next day": midnights,
        "every time is 00:00: is the clock time in another column?": begins,
        "as charted, without a zone: state facility_zone again when coding": naive,
    }
    return "; ".join(note for note, holds in said.items() if holds)
