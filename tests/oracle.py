"""A slow count by hand: the second opinion that the coding tests compare with.

Plain Python, no Polars, nothing imported from the package. Every second of an
encounter is a cell on a strip of paper; a running pump colours its cells; the
coloured cells are counted. Units are counted by a loop that reads the rule aloud.

Also the notation of the case tables: ``A 09:00-11:31 abdomen; B 09:10-? left thigh``
is pump, start and stop, site; ``key=value`` gives any other column; ``-`` is no
pump, ``?`` not charted, ``+1`` the next day, ``*`` the second time that the clock
shows this hour (the night summer time ends).
"""

import csv
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain, permutations, product
from pathlib import Path
from zoneinfo import ZoneInfo

CASES = Path(__file__).parent / "cases"
ORDINARY_DAY = date(2026, 3, 2)
NUMBERS = {"volume_ml", "rate_ml_per_h", "concentration_mg_per_ml", "dose_mg"}
DEFAULT_POLICY = {
    "missing_stop": "query",
    "midnight": "start_date",
    "bridge_pauses_min": 0,
    "seconds": "drop",
    "unit_cap": "none",
    "intravenous": "report",
    "running_at_discharge": "refer",
    "home": "report",
}
Run = dict[str, object]


# --- the notation of the tables ------------------------------------------------------


def table(name: str) -> list[dict[str, str]]:
    """Rows of tests/cases/<name>.csv; an empty cell is an empty text."""
    with (CASES / f"{name}.csv").open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def clock(text: str, day: date, zone: str | None) -> datetime | None:
    """Turn ``23:00``, ``02:00+1``, ``01:30*`` or ``?`` into a date and time."""
    if text == "?":
        return None
    hhmm, second, days = re.fullmatch(r"([\d:]+)(\*?)(?:\+(\d+))?", text).groups()
    wall = datetime.combine(day + timedelta(days=int(days or 0)), time.fromisoformat(hhmm))
    return wall.replace(fold=bool(second), tzinfo=ZoneInfo(zone) if zone else None)


def value(key: str, text: str, day: date, zone: str | None) -> object:
    if text == "?":
        return None
    if key in NUMBERS:
        return float(text)
    if key == "needles":
        return int(text)
    if key == "setup_charted":
        return {"yes": True, "no": False}[text]
    return clock(text, day, zone) if key == "discharge_at" else text


def read_runs(cell: str, day: str = "", zone: str = "") -> list[Run]:
    """Read one cell of a table into one dict per run."""
    on = date.fromisoformat(day) if day else ORDINARY_DAY
    runs = []
    for part in cell.split(";"):
        pump, times, *words = part.split()
        start, stop = times.split("-")
        run: Run = {
            "encounter_id": "1",
            "start_at": clock(start, on, zone or None),
            "stop_at": clock(stop, on, zone or None),
            "route": "subcutaneous",
            "pump_id": None if pump == "-" else pump,
            "site": " ".join(w for w in words if "=" not in w) or None,
        }
        for key, text in (w.split("=") for w in words if "=" in w):
            run[key] = value(key, text, on, zone or None)
        runs.append(run)
    return runs


def read_policy(cell: str) -> dict[str, object]:
    """Read ``missing_stop=short bridge_pauses_min=10`` into a dict."""
    pairs = (word.split("=") for word in cell.split())
    return {key: int(text) if text.isdigit() else text for key, text in pairs}


def read_units(cell: str) -> dict[str, int]:
    """Read ``96369 x1 + 96370 x2`` into a dict."""
    pairs = (part.split(" x") for part in cell.split(" + ") if part)
    return {code.strip(): int(n) for code, n in pairs}


# --- the count -----------------------------------------------------------------------


@dataclass
class Answer:
    """What a careful coder with a ruler would report."""

    outcome: str
    minutes: int | None = None
    pumps: int | None = None
    units: dict[str, int] = field(default_factory=dict)
    to_next: int | None = None
    #: for each unit of 96370: the days on which its hour begins and ends
    hour_days: list[tuple[date, date]] = field(default_factory=list)


def second_of(when: datetime, facility_zone: str | None) -> int:
    """Seconds since 1970; a time without any zone is taken as it stands on the wall."""
    if when.tzinfo is None:
        fold = when.fold
        when = when.replace(tzinfo=ZoneInfo(facility_zone or "UTC"), fold=fold)
    return int(when.timestamp())


def happened_twice(when: datetime, zone: str) -> bool:
    first, second = (when.replace(tzinfo=ZoneInfo(zone), fold=f).utcoffset() for f in (0, 1))
    return first > second


def clock_is_ambiguous(run: Run, facility_zone: str | None) -> bool:
    """Could the chart of this run mean more than one length?"""
    start, stop = run["start_at"], run["stop_at"]
    if start.tzinfo is not None:
        return False
    if facility_zone:
        return any(happened_twice(when, facility_zone) for when in (start, stop))
    new_york = [
        second_of(stop.replace(fold=later), "America/New_York")
        - second_of(start.replace(fold=earlier), "America/New_York")
        for earlier in (0, 1)
        for later in (0, 1)
    ]
    return set(new_york) != {int((stop - start).total_seconds())}


def is_counted(run: Run) -> bool:
    return run["route"] == "subcutaneous" and run.get("mode") != "bolus"


def with_stop(run: Run, policy: dict[str, object]) -> Run:
    """Fill a stop time that a policy lets us fill; end the run when the patient leaves."""
    start, stop = run["start_at"], run["stop_at"]
    volume, rate = run.get("volume_ml"), run.get("rate_ml_per_h")
    if start is not None and stop is None and policy["missing_stop"] == "short":
        stop = start
    elif start is not None and stop is None and policy["missing_stop"] == "computed":
        known = volume and rate and volume / rate <= 72
        stop = start + timedelta(seconds=volume * 3600 / rate) if known else None
    return run | {"stop_at": stop}


def patient_leaves(runs: list[Run]) -> datetime | None:
    """One discharge ends the visit, on whichever row it stands; the earliest if several do."""
    return min((run["discharge_at"] for run in runs if run.get("discharge_at")), default=None)


def until_discharge(run: Run, leaves: datetime | None, policy: dict[str, object]) -> Run:
    stop = run["stop_at"]
    if stop and leaves and stop > leaves and policy["running_at_discharge"] != "refer":
        return run | {"stop_at": leaves}
    return run


def strip_of_seconds(spans: list[tuple[int, int]], bridge_min: int) -> tuple[bytearray, int]:
    """Colour every second in which a pump runs; also the longest pause [s]."""
    first, last = min(a for a, _ in spans), max(b for _, b in spans)
    strip = bytearray(last - first)
    for a, b in spans:
        strip[a - first : b - first] = b"\1" * (b - a)
    longest = 0
    for blank in list(re.finditer(rb"\0+", strip)):
        a, b = blank.span()
        longest = max(longest, b - a)
        if b - a <= bridge_min * 60:
            strip[a:b] = b"\1" * (b - a)
    return strip, longest


def units_of(seconds: int) -> dict[str, int]:
    """Read the time rule aloud."""
    if seconds <= 15 * 60:
        return {"96372": 1}
    hours, left_over = 0, seconds - 60 * 60
    while left_over > 30 * 60:  # while more than 30 minutes are left over, another hour
        hours, left_over = hours + 1, left_over - 60 * 60
    return {"96369": 1, "96370": hours} if hours else {"96369": 1}


def brings_a_new_site(events: list[tuple[bool, set[str]]]) -> bool:
    """Walk through the events in order, remembering every site at which a pump has run."""
    used: set[str] = set()
    setups = 0
    for is_setup, sites in events:
        setups += is_setup
        if is_setup and setups > 1 and used and sites - used:
            return True
        used |= sites
    return False


def compared(name: str | None) -> str | None:
    return name and name.strip().lower()


def earns_another_setup(counted: list[Run], facility_zone: str | None) -> bool:
    """96371: a set-up other than the first brings a site at which no pump has run before.

    Rows of one pump with one start are one event. Where pumps start in the same
    minute, only what holds whichever came first.
    """
    named = any(run["pump_id"] for run in counted)
    begun: dict[object, int] = {}
    moments: dict[int, dict[object, tuple[bool, set[str]]]] = {}
    for run in sorted(counted, key=lambda r: second_of(r["start_at"], facility_zone)):
        start, pump = second_of(run["start_at"], facility_zone), run["pump_id"]
        begins = begun.setdefault(pump, start) == start
        charted = run.get("setup_charted")
        begins = begins and (run["pump_id"] is not None or not named)
        is_setup = bool(charted or (begins and charted is not False))
        before, sites = moments.setdefault(start, {}).get(pump, (False, set()))
        moments[start][pump] = (before or is_setup, sites | {compared(run["site"])} - {None})
    orders = product(*(permutations(moments[start].values()) for start in sorted(moments)))
    return all(brings_a_new_site(list(chain(*order))) for order in orders)


def outcome_of(runs: list[Run], counted: list[Run], policy: dict, zone: str | None) -> str:
    if any(run["route"] is None for run in runs):
        return "query"
    if any(run["start_at"] is None or run["stop_at"] is None for run in counted):
        return "query"
    if any(clock_is_ambiguous(run, zone) for run in counted):
        return "query"
    leaves = patient_leaves(runs)
    left_running = any(leaves and max(r["stop_at"], r["start_at"]) > leaves for r in counted)
    begun_later = any(leaves and r["start_at"] >= leaves for r in counted)
    refer = (
        not counted,
        left_running,
        begun_later,
        any(run.get("delivery") in ("gravity", "manual_push") for run in counted),
        policy["intravenous"] == "refer" and any(r["route"] == "intravenous" for r in runs),
        policy["home"] == "refer" and any(r.get("setting") == "home" for r in runs),
    )
    return "refer" if any(refer) else "coded"


def hour_days(strip: bytearray, first: int, hours: int, zone: str | None) -> list:
    """Days on which the hour of each unit of 96370 begins and ends."""
    coloured = [i for i, on in enumerate(strip) if on]
    local = ZoneInfo(zone or "UTC")

    def day(k: int) -> date:
        return datetime.fromtimestamp(first + coloured[k], UTC).astimezone(local).date()

    last = len(coloured) - 1
    return [(day(3600 * k), day(min(3600 * (k + 1) - 1, last))) for k in range(1, hours + 1)]


def count(runs: list[Run], policy: dict | None = None, facility_zone: str | None = None) -> Answer:
    """Code one encounter by hand (refused rows and second encounters are left to the tables)."""
    chosen = DEFAULT_POLICY | (policy or {})
    facility_zone = facility_zone or None
    counted = [with_stop(run, chosen) for run in runs if is_counted(run)]
    leaves = patient_leaves(runs)
    counted = [until_discharge(run, leaves, chosen) for run in counted]
    outcome = outcome_of(runs, counted, chosen, facility_zone)
    if outcome != "coded":
        return Answer(outcome)
    spans = [
        (second_of(r["start_at"], facility_zone), second_of(r["stop_at"], facility_zone))
        for r in counted
    ]
    # A run of no length adds no time and ends no pause.
    spans = [(a, b) for a, b in spans if b > a]
    strip, longest_pause = strip_of_seconds(spans or [(0, 0)], chosen["bridge_pauses_min"])
    if longest_pause > 12 * 60 * 60:
        return Answer("refer")
    exact = sum(strip)
    minutes = exact // 60
    units = units_of(exact if chosen["seconds"] == "count" else minutes * 60)
    zone = next((str(r["start_at"].tzinfo) for r in counted if r["start_at"].tzinfo), facility_zone)
    days = hour_days(strip, min((a for a, _ in spans), default=0), units.get("96370", 0), zone)
    to_next = next(
        k for k in range(1, 99) if units_of((minutes + k) * 60) != units_of(minutes * 60)
    )
    if chosen["unit_cap"] == "unlikely_edit" and "96370" in units:
        to_next = None if units["96370"] >= 3 else to_next
        units["96370"] = min(units["96370"], 3)
    if "96369" in units and earns_another_setup(counted, facility_zone):
        units["96371"] = 1
    pumps = len({r["pump_id"] for r in counted} - {None})
    return Answer("coded", minutes, max(pumps, 1), units, to_next, days)
