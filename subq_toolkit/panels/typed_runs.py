"""Runs as a person types them, before anything is known to be a time or a number.

``read_run`` turns one typed row into an ``Administration``, or says beside which entry
what to type instead. Nothing is guessed: a stop that lies before the start on the clock
needs the day stated on which the pump stopped.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from subq_toolkit.charted_run import Administration
from subq_toolkit.charted_times import charted_date, clock_time
from subq_toolkit.errors import InputError

#: Typed columns whose entry goes to the ``Administration`` as text, or as a number.
_TEXTS = ("pump_id", "site", "drug", "mode", "delivery", "device")
_AMOUNTS = {"volume_ml": "mL", "rate_ml_per_h": "mL/h"}
_SETUP = {"": None, "yes": True, "no": False}


@dataclass(frozen=True)
class TypedRun:
    """One row of the calculator: every entry as it was typed.

    Attributes
    ----------
    day, start, stop
        Date of the start and clock times, e.g. ``2026-03-02``, ``0915``, ``11:31 am``.
    stop_day
        Days after ``day`` on which the run stopped. [d]
    route, pump_id, site, drug, mode, delivery, device
        As in ``administrations.COLUMNS``; empty if not charted.
    volume_ml, rate_ml_per_h
        Numbers as typed. [mL], [mL/h]
    setup_charted
        ``yes``, ``no`` or empty.
    carried
        A run handed in from code: what has no entry of its own is kept from it.
    """

    day: str = ""
    start: str = ""
    stop: str = ""
    stop_day: int = 0
    pump_id: str = ""
    site: str = ""
    route: str = "subcutaneous"
    drug: str = ""
    volume_ml: str = ""
    rate_ml_per_h: str = ""
    mode: str = ""
    delivery: str = ""
    device: str = ""
    setup_charted: str = ""
    carried: Administration | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed but a date; such a row is ignored."""
        typed = (self.start, self.stop, self.drug, self.volume_ml, self.rate_ml_per_h)
        return not any(text.strip() for text in (*typed, self.pump_id, self.site))


@dataclass(frozen=True)
class ReadRun:
    """What became of one typed row: a run, or what to type instead, entry by entry.

    A row may be both: a stop before the start is handed on, so that the checks refuse it.
    """

    run: Administration | None
    problems: dict[str, str]


def read_run(typed: TypedRun, **encounter: object) -> ReadRun:
    """Read one typed row; ``encounter`` holds what all its rows share, e.g. ``setting``."""
    problems: dict[str, str] = {}
    day = _read(problems, "day", typed.day, charted_date)
    start = _read(problems, "start", typed.start, clock_time)
    stop = _read(problems, "stop", typed.stop, clock_time)
    amounts = {name: _read(problems, name, getattr(typed, name), _amount) for name in _AMOUNTS}
    if day is None and "day" not in problems and (start or stop):
        problems["day"] = "Type the date of the start, like 2026-03-02 or 3/2/2026."
    if start and stop and not typed.stop_day and stop < start:
        problems["stop"] = (
            "The stop is before the start on the clock. If the pump ran past midnight, "
            "choose the day of the stop; otherwise correct a time."
        )
    read = set(problems) - {"stop"} if start and stop else set(problems)
    if read:
        return ReadRun(None, problems)
    texts = {name: getattr(typed, name).strip() or None for name in _TEXTS}
    run = replace(
        typed.carried or Administration(None),
        start_at=_moment(day, start),
        stop_at=_moment(day, stop, typed.stop_day),
        route=typed.route or None,
        setup_charted=_SETUP[typed.setup_charted],
        encounter_id="1",
        **texts,
        **amounts,
        **encounter,
    )
    return ReadRun(run, problems)


def typed_from(run: Administration, zone: str | None) -> TypedRun:
    """The row that says what ``run`` says; zoned times are written in ``zone``.

    Raises
    ------
    InputError
        If its times carry an offset and no zone is stated.
    """
    start, stop = (local_time(time, zone) for time in (run.start_at, run.stop_at))
    first = start or stop
    return TypedRun(
        day=f"{first:%Y-%m-%d}" if first else "",
        start=_clock(start),
        stop=_clock(stop),
        stop_day=(stop.date() - start.date()).days if start and stop else 0,
        route=run.route or "",
        setup_charted={None: "", True: "yes", False: "no"}[run.setup_charted],
        carried=run,
        **{name: getattr(run, name) or "" for name in _TEXTS},
        **{name: _number(getattr(run, name)) for name in _AMOUNTS},
    )


def read_discharge(text: str) -> datetime | None:
    """Read a discharge typed as date and clock time; None if nothing was typed.

    Raises
    ------
    InputError
        If either part cannot be read; the message says what to type.
    """
    if not text.strip():
        return None
    day, _, clock = text.strip().partition(" ")
    if not clock:
        raise InputError("Type date and clock time, like 2026-03-02 12:00.")
    return datetime.combine(charted_date(day), clock_time(clock))


def _read(problems: dict[str, str], name: str, text: str, reader: object) -> object:
    if not text.strip():
        return None
    try:
        return reader(text)
    except InputError as error:
        problems[name] = str(error)
        return None


def _amount(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise InputError("This is not a number. Type it like 80 or 12.5, without the unit.")
    return number


def _moment(day: date | None, clock: time | None, later_days: int = 0) -> datetime | None:
    if day is None or clock is None:
        return None
    return datetime.combine(day, clock) + timedelta(days=later_days)


def local_time(moment: datetime | None, zone: str | None) -> datetime | None:
    """The clock in ``zone`` at ``moment``, without a zone of its own.

    Raises
    ------
    InputError
        If the moment carries an offset and no zone is stated.
    """
    if moment is None or moment.tzinfo is None:
        return moment
    if zone is None:
        raise InputError(
            "These runs carry an offset from UTC. State where the clock hangs, "
            "e.g. facility_zone='America/New_York'."
        )
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _clock(moment: datetime | None) -> str:
    if moment is None:
        return ""
    return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.12g}"
