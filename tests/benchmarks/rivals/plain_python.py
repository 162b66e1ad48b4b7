"""Plain Python: rows as tuples, a dict of lists, a loop over each encounter's sorted runs.

Answers the narrow question only. Polars reads the Parquet file into rows and turns instants
into whole microseconds; everything else is Python.
"""

import random
from collections import Counter, defaultdict

import polars as pl

from .given import CODES, DENIED, SITE_LIMITS, SOONER, USD, Given

#: Draws that are made; the seconds are counted up to those of the others.
DRAWS = 4
_START, _STOP = (pl.col(name).dt.timestamp("us") for name in ("start_at", "stop_at"))


def coding(given: Given) -> list[dict]:
    """Minutes and units of every encounter."""
    return [
        {"encounter_id": number, "minutes": minutes, **_units(minutes)}
        for number, minutes in _minutes(_runs(given)).items()
    ]


def summary(given: Given) -> list[dict]:
    """Encounters counted by minutes, month and payer."""
    rows = _rows(given, "payer", day=pl.col("start_at").dt.date())
    first: dict[str, tuple] = {}
    runs = defaultdict(list)
    for number, route, mode, start, stop, payer, day in rows:
        if (
            route == "subcutaneous"
            and mode != "bolus"
            and None not in (start, stop)
            and stop >= start
        ):
            runs[number].append((start, stop))
            if number not in first or start < first[number][0]:
                first[number] = (start, day, payer)
    counts: Counter = Counter()
    for number, minutes in _minutes(runs).items():
        _, day, payer = first[number]
        counts[minutes, day.replace(day=1), payer] += 1
    names = ("minutes", "month", "payer")
    return [dict(zip(names, key, strict=True)) | {"encounters": n} for key, n in counts.items()]


def scenario(given: Given) -> list[dict]:
    """Minutes from the file, then units and amounts under both steps."""
    every = _minutes(_runs(given)).values()
    rows = []
    for name, sooner in SOONER.items():
        sums: Counter = Counter()
        for minutes in every:
            sums.update(_units(minutes + sooner))
        for column, units in sums.items():
            code = column.removeprefix("units_")
            rows.append({"scenario": name, "code": code, "units": units, "usd": units * USD[code]})
    return rows


def audit(given: Given) -> list[dict]:
    """Units billed and supported by encounter and code."""
    charges = pl.read_parquet(given.charges, columns=["encounter_id", "code", "units"])
    billed: Counter = Counter()
    for number, code, units in charges.rows():
        billed[number, code] += units
    supported = {
        (number, code): units
        for number, all_units in given.chart_in_dict.items()
        for code, units in zip(CODES, all_units, strict=True)
        if units
    }
    return [
        {
            "encounter_id": key[0],
            "code": key[1],
            "billed": billed.get(key, 0),
            "supported": supported.get(key, 0),
        }
        for key in billed.keys() | supported.keys()
    ]


def limits(given: Given) -> list[dict]:
    """The largest share of the flow limit at a site, by encounter."""
    most: dict[str, float] = {}
    for number, route, mode, start, stop, drug, rate, volume, needles in _rows(
        given, "drug", "rate_ml_per_h", "volume_ml", "needles"
    ):
        limit = SITE_LIMITS.get(drug)
        if route != "subcutaneous" or limit is None or not needles:
            continue
        if rate is None and mode != "bolus" and None not in (start, stop, volume) and stop > start:
            rate = volume / ((stop - start) / 3_600_000_000)
        if rate is not None:
            most[number] = max(rate / needles / limit, most.get(number, 0.0))
    return [{"encounter_id": number, "site_rate_use": use} for number, use in most.items()]


def draws(given: Given) -> list[float]:
    """Encounters drawn with replacement and added up, one draw after the other."""
    usd, chance = given.usd.tolist(), random.Random(1)
    return [sum(chance.choices(usd, k=len(usd))) * (1 - DENIED) for _ in range(DRAWS)]


def _rows(given: Given, *more: str, **made: pl.Expr) -> list[tuple]:
    rows = pl.scan_parquet(given.administrations)
    return rows.select(
        "encounter_id", "route", "mode", _START, _STOP, *more, **made
    ).collect().rows()  # fmt: skip


def _runs(given: Given) -> dict[str, list[tuple[int, int]]]:
    runs = defaultdict(list)
    for number, route, mode, start, stop in _rows(given):
        if (
            route == "subcutaneous"
            and mode != "bolus"
            and None not in (start, stop)
            and stop >= start
        ):
            runs[number].append((start, stop))
    return runs


def _minutes(runs: dict[str, list[tuple[int, int]]]) -> dict[str, int]:
    minutes = {}
    for number, own in runs.items():
        own.sort()
        counted, ended = 0, own[0][0]
        for start, stop in own:
            if stop > ended:
                counted += stop - max(start, ended)
                ended = stop
        minutes[number] = counted // 60_000_000
    return minutes


def _units(minutes: int) -> dict[str, int]:
    first = int(minutes >= 16)
    further = max((minutes - 31) // 60, 0)
    return {"units_96369": first, "units_96370": further, "units_96372": 1 - first}
