"""Invented visits from a seed: who comes when, for what, and how the department charts it.

Only whole numbers are drawn, from raw bits, so that the same seed gives the same visits
on any machine. Shapes and shares stand in ``datasets/administrations/shapes.toml``.
"""

import tomllib
from datetime import date, datetime, timedelta
from functools import cache

import numpy as np
import polars as pl

from subq_toolkit.catalog import dataset

#: Zone of the invented facility.
ZONE = "America/New_York"


class Draws:
    """Whole numbers from a seed. NumPy promises the raw bits of PCG64 never to change."""

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)

    def below(self, ends: np.ndarray | int, size: int) -> np.ndarray:
        """Numbers from 0 up to, and without, ``ends``."""
        raw = self._bits.random_raw(size) >> np.uint64(32)
        return (raw * np.asarray(ends, np.uint64) >> np.uint64(32)).astype(np.int64)

    def hits(self, per_mille: np.ndarray | int, size: int) -> np.ndarray:
        """Whether something happens that happens ``per_mille`` times in a thousand."""
        return self.below(1000, size) < per_mille

    def pick(self, weights: np.ndarray, groups: np.ndarray) -> np.ndarray:
        """One column of ``weights`` for each row number in ``groups``."""
        share, column_no = self.below(1000, len(groups)), np.zeros(len(groups), np.int64)
        for edge in weights.cumsum(axis=1)[:, :-1].T:
            column_no += share >= edge[groups]
        return column_no

    def shaped(self, values: np.ndarray, groups: np.ndarray) -> np.ndarray:
        """A value of the distribution in row ``groups`` of ``values``."""
        levels = np.array(shapes()["levels"])
        share = self.below(1000, len(groups))
        step = levels.searchsorted(share, side="right") - 1
        low, high = values[groups, step], values[groups, step + 1]
        return low + (high - low) * (share - levels[step]) // (levels[step + 1] - levels[step])


@cache
def shapes() -> dict:
    """The invented figures, as they stand in the file."""
    return tomllib.loads((dataset("administrations") / "shapes.toml").read_text("utf-8"))


def column(subject: str, name: str) -> np.ndarray:
    """One figure of every therapy, department or planted thing, in the order of the file."""
    return np.array([entry[name] for entry in shapes()[subject].values()])


def shares(name: str) -> np.ndarray:
    """Weights from ``[shares]``, as the only row of a table."""
    return np.array([shapes()["shares"][name]])


def asked_for() -> np.ndarray:
    """Which therapies are patient-controlled."""
    return column("therapies", "mode") == "patient_controlled"


def code_of(planted: str) -> int:
    """Number of something planted; 0 is nothing."""
    return 1 + list(shapes()["planted"]).index(planted)


def visits(count: int, draws: Draws, start: date, days: int) -> pl.DataFrame:
    """One row an encounter, in order of time; times and lengths in minutes."""
    who = _patients(count, draws)
    patient, ward, therapy = who["patient"], who["ward"], who["therapy"]
    day = _days(patient, ward, draws, start, days)
    minute = draws.shaped(_starts(), ward * len(shapes()["therapies"]) + therapy)
    planted = _plant(ward, therapy, patient, draws)
    plan = shapes()["planted"]
    second = np.flatnonzero(planted == code_of("second_encounter"))
    day[second] = day[second - 1]
    minute[second - 1], minute[second] = plan["second_encounter"]["starts"]
    nights, turned = _clock_changes(start, days), planted == code_of("over_clock_change")
    if len(nights):
        day = np.where(turned, nights[draws.below(len(nights), count)], day)
        minute = np.where(turned, plan["over_clock_change"]["starts"], minute)
    total = draws.shaped(column("therapies", "minutes"), therapy)
    short = (total >= 76) & (total % 60 >= 16) & (total % 60 <= 30)
    nudged = short & draws.hits(column("departments", "nudged")[ward], count)
    total = np.where(nudged, total - total % 60 + 31 + draws.below(4, count), total)
    for name in ("one_to_three_days", "site_over_three_days", "boluses_only"):
        least, most = plan[name]["minutes"]
        length = least + draws.below(most - least + 1, count)
        total = np.where(planted == code_of(name), length, total)
    table = pl.DataFrame(
        who
        | {"day": day, "minute": minute, "total": total, "nudged": nudged, "planted": planted}
        | {"later": day >= days // 2}
        | _habits(ward, therapy, draws)
    )
    on_a_pump = pl.col("planted") > 0
    return (
        table.with_columns(
            delivery=pl.when(~on_a_pump).then("delivery").otherwise(0),
            pump_charted=pl.col("pump_charted") | on_a_pump,
            site_charted=pl.col("site_charted") | on_a_pump,
        )
        .sort("day", "minute", maintain_order=True)
        .with_row_index("encounter")
        .with_columns(pl.col("encounter").cast(pl.Int64))
    )


def _patients(count: int, draws: Draws) -> dict[str, np.ndarray]:
    """Who comes: one to eight visits each, always for the same and to the same department."""
    nobody = np.zeros(count, np.int64)
    mix = [
        [ward["therapies"].get(name, 0) for name in shapes()["therapies"]]
        for ward in shapes()["departments"].values()
    ]
    ward = draws.pick(column("departments", "share")[None, :], nobody)
    therapy = draws.pick(np.array(mix), ward)
    payer = draws.pick(shares("payers"), nobody)
    indication = draws.pick(column("therapies", "indications"), therapy)
    patient = np.repeat(np.arange(count), 1 + draws.below(8, count))[:count]
    table = {"ward": ward, "therapy": therapy, "payer": payer, "indication": indication}
    return {"patient": patient} | {name: values[patient] for name, values in table.items()}


def _days(
    patient: np.ndarray, ward: np.ndarray, draws: Draws, start: date, days: int
) -> np.ndarray:
    """Day of each visit, 0 = ``start``: spaced over the period, weekdays where doors are shut."""
    often = np.bincount(patient)[patient]
    first = patient.searchsorted(patient)
    spacing = days // often
    late = draws.below(days - spacing * often + 5, len(patient))[first]
    day = (
        spacing * (np.arange(len(patient)) - first)
        + late
        + draws.below(np.maximum(spacing - 4, 1), len(patient))
    )
    weekday = (start.weekday() + day) % 7
    shut = (weekday >= 5) & ~column("departments", "weekends")[ward]
    return np.clip(day + shut * np.where(weekday == 5, -1, 1), 0, days - 1)


def _clock_changes(start: date, days: int) -> np.ndarray:
    """Days, 0 = ``start``, on whose night the clocks change."""
    noon = pl.datetime_range(
        datetime(start.year, start.month, start.day, 12),
        datetime(start.year, start.month, start.day, 12) + timedelta(days=days),
        interval="1d",
        time_zone=ZONE,
        eager=True,
    )
    return np.flatnonzero(np.diff(noon.dt.dst_offset().dt.total_minutes().to_numpy()))


def _starts() -> np.ndarray:
    """Start of the day's visits by department and therapy, flattened. [min]"""
    wards, therapies = shapes()["departments"].values(), shapes()["therapies"].values()
    return np.array([one.get("starts", ward["starts"]) for ward in wards for one in therapies])


def _habits(ward: np.ndarray, therapy: np.ndarray, draws: Draws) -> dict[str, np.ndarray]:
    """What a department charts of a visit, and how the visit is set up."""
    size = len(ward)
    charted = [name for name in next(iter(shapes()["departments"].values())) if "charted" in name]
    yes = [*charted, "heaped", "seconds", "evaluation", "intravenous", "injection"]
    codes = [len(one["evaluation_codes"]) or 1 for one in shapes()["departments"].values()]
    return {name: draws.hits(column("departments", name)[ward], size) for name in yes} | {
        "evaluation_code": draws.below(np.array(codes)[ward], size),
        "delivery": draws.pick(column("therapies", "delivery"), therapy),
        "rate": column("therapies", "rates")[therapy, draws.below(4, size)],
        "needles": column("therapies", "needles")[therapy, draws.below(4, size)],
        "first_site": draws.below(len(shapes()["labels"]["sites"]), size),
        "first_pump": draws.below(40, size),
        "discharge_delay": 600 + 60 * draws.below(50, size),
    }


def _plant(ward: np.ndarray, therapy: np.ndarray, patient: np.ndarray, draws: Draws) -> np.ndarray:
    """Number of what is planted in each encounter, 0 = nothing; one thing at most."""
    planted = np.zeros(len(therapy), np.int64)
    order = np.argsort(draws.below(1 << 32, len(therapy)), kind="stable")
    longest = column("therapies", "minutes")[:, -1]
    fits = {"day": (longest <= 420)[therapy], "long": (longest == 1430)[therapy]}
    fits["night"] = (longest == 840)[therapy] & column("departments", "weekends")[ward]
    again = np.concatenate([[False], patient[1:] == patient[:-1]]) & (np.arange(len(order)) % 2 > 0)
    for name, plan in shapes()["planted"].items():
        may = fits[plan["among"]] & (planted == 0)
        if name == "second_encounter":
            may &= again
        free = order[may[order]]
        planted[free[: len(order) * plan["per_10_000"] // 10_000]] = code_of(name)
    return planted
