"""One charted run, typed in by hand, and how several become a table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.intake import CHOICES, COLUMNS, TIMES


@dataclass(frozen=True)
class Administration:
    """One charted run of one drug, as written on paper.

    Attributes
    ----------
    start_at, stop_at
        Time as ISO text (``"2026-03-02 09:15"``, an offset such as ``-05:00`` allowed), a
        ``datetime``, or None where the chart is silent.
    route, pump_id, site, drug, ...
        As in ``administrations.COLUMNS``; volumes in mL, rates in mL/h, doses in mg.

    Raises
    ------
    InputError
        If a time cannot be read or an answer is not one of the list.
    """

    start_at: str | datetime | None
    stop_at: str | datetime | None = None
    encounter_id: str = "1"
    route: str | None = "subcutaneous"
    pump_id: str | None = None
    site: str | None = None
    drug: str | None = None
    mode: str | None = None
    device: str | None = None
    delivery: str | None = None
    needles: int | None = None
    indication: str | None = None
    setting: str | None = None
    volume_ml: float | None = None
    rate_ml_per_h: float | None = None
    concentration_mg_per_ml: float | None = None
    dose_mg: float | None = None
    setup_charted: bool | None = None
    discharge_at: str | datetime | None = None
    em_code: str | None = None
    patient_id: str | None = None
    payer: str | None = None
    locality: str | None = None
    department: str | None = None

    def __post_init__(self) -> None:
        for name in TIMES:
            object.__setattr__(self, name, charted_time(name, getattr(self, name)))
        for name, wanted in COLUMNS.items():
            given = getattr(self, name, None)
            if given is None or name in TIMES or name == "unreadable":
                continue
            if name in CHOICES and given not in CHOICES[name]:
                raise InputError(
                    f"Administration: {name} is one of {', '.join(map(repr, CHOICES[name]))}; "
                    f"something else was given."
                )
            if not _fits(given, wanted):
                raise InputError(
                    f"Administration: {name} must be {_KINDS[wanted.base_type()]}, "
                    f"not a {type(given).__name__}, or it is out of range."
                )


_KINDS = {pl.String: "text", pl.Enum: "text", pl.Boolean: "True or False"}
_KINDS |= {pl.Float64: "a finite number", pl.Int64: "a whole number"}


def _fits(given: object, wanted: pl.DataType) -> bool:
    if wanted == pl.Boolean or isinstance(given, bool):
        return wanted == pl.Boolean and isinstance(given, bool)
    if wanted == pl.Int64:
        return isinstance(given, int) and abs(given) < 2**63
    if wanted == pl.Float64:
        return isinstance(given, int | float) and abs(given) < 1e300
    return isinstance(given, str)


def charted_time(name: str, given: str | datetime | None) -> datetime | None:
    """A time as typed in code: a ``datetime``, ISO text, or None where nothing is charted.

    Raises
    ------
    InputError
        If it cannot be read as a date with a clock time.
    """
    if given is None or isinstance(given, datetime):
        return given
    try:
        time = datetime.fromisoformat(given.strip())
    except (AttributeError, TypeError, ValueError):
        time = None
    if time is None or not {"T", " ", ":"} & set(given.strip()):
        raise InputError(
            f"{name} is not a date with a clock time. "
            f"Write it as '2026-03-02 09:15', hand in a datetime, or None if it is not charted."
        )
    return time


def runs_given(given: object) -> list[Administration]:
    """Take one run or any collection of them as a list.

    Raises
    ------
    InputError
        If something else is among them.
    """
    runs = list(given) if isinstance(given, Iterable) else [given]
    if not all(isinstance(run, Administration) for run in runs):
        raise InputError(
            "code_encounter takes a list of Administration; for a table use code_administrations."
        )
    return runs


def as_frame(
    administrations: Sequence[Administration], facility_zone: str | None = None
) -> tuple[pl.DataFrame, str | None]:
    """The runs as a table, and the zone in which their dates are read.

    Columns that no run fills are left out. A fixed offset serves as the zone where times
    carry one and no ``facility_zone`` is named.
    """
    times = [getattr(one, name) for one in administrations for name in TIMES]
    zoned = [time for time in times if time is not None and time.tzinfo is not None]
    if zoned and len(zoned) < sum(time is not None for time in times):
        raise InputError(
            "Some times carry a time zone and others do not. Give every time the same form."
        )
    zone = facility_zone or (_zone_of(zoned[0]) if zoned else None)
    rows = [
        {field.name: getattr(one, field.name) for field in fields(one)} for one in administrations
    ]
    if zoned:
        for row in rows:
            row |= {name: row[name] and _in_utc(row[name]) for name in TIMES}
    stamp = pl.Datetime("us", "UTC") if zoned else pl.Datetime("us")
    schema = {field.name: COLUMNS[field.name] for field in fields(Administration)}
    frame = pl.DataFrame(rows, schema=schema | dict.fromkeys(TIMES, stamp), strict=False)
    always = ("encounter_id", "start_at", "stop_at", "route")
    filled = [name for name in frame.columns if name in always or frame[name].count()]
    return frame.select(filled), zone


def _in_utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise InputError("A time lies outside the calendar; correct its year.") from None


def _zone_of(time: datetime) -> str:
    named = getattr(time.tzinfo, "key", None)
    offset = time.utcoffset() or timedelta(0)
    hours, rest = divmod(offset, timedelta(hours=1))
    if named is None and rest:
        raise InputError("A time carries an offset that is no whole hour; name facility_zone.")
    return named or f"Etc/GMT{-hours:+d}"
