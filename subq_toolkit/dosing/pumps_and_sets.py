"""What a pump can be set to, what a line holds back, and how often a set is changed."""

from typing import Literal

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.formulas import (
    Amount,
    Bound,
    Count,
    Positive,
    Value,
    down,
    formula,
    larger,
    number,
    up,
)

_NEAREST = 0.5
_MOST_SETS = 5_000
_COUNT = Bound("a whole number from 1 on", 1, whole=True)


@formula
def pump_setting(
    *, value: Amount, step: Positive, direction: Literal["down", "nearest", "up"]
) -> Value:
    """What a pump with such increments can be set to; keep the unrounded value beside it.

    Rounding is the last step of a plan, never one in between. ``value`` and ``step`` are in
    the same unit. Half a step is rounded up by ``nearest``.
    """
    if direction not in ("down", "nearest", "up"):
        raise InputError("'direction' is 'down', 'nearest' or 'up'; something else was given.")
    steps = value / step
    whole = {
        "down": lambda: down(steps),
        "up": lambda: up(steps),
        "nearest": lambda: down(steps + _NEAREST),
    }[direction]()
    return whole * step


@formula
def fill_volume_ml(
    *, volume_ml: Amount, priming_ml: Amount, residual_ml: Amount, legs: Count = 1
) -> Value:
    """Volume to draw up: dose, priming, and what stays in each leg of the line. [mL]"""
    return volume_ml + priming_ml + legs * residual_ml


@formula
def delivered_ml(*, fill_ml: Amount, priming_ml: Amount) -> Value:
    """What reaches the patient's line once it is primed; never below zero. [mL]"""
    return larger(fill_ml - priming_ml, 0)


@formula
def first_run_h(*, fill_ml: Amount, priming_ml: Amount, rate_ml_per_h: Positive) -> Value:
    """How long the first syringe or bag lasts after priming. [h]"""
    return larger(fill_ml - priming_ml, 0) / rate_ml_per_h


@formula
def wasted_share(*, volume_ml: Positive, residual_ml: Amount) -> Value:
    """Share of the volume that stays in the line. [1]"""
    return residual_ml / volume_ml


@formula
def sets_needed(*, days: Positive, dwell_days: Positive) -> Value:
    """Needle or catheter sets for a period, each kept for its dwell time. [1]"""
    return up(days / dwell_days)


@formula
def rotation_positions(*, exclusion_days: Amount, dwell_days: Positive) -> Value:
    """Distinct positions where a used one is barred for some days. [1]

    The whole number from exclusion / dwell up, and the one in use: 12 days barred and 3 days'
    dwell are 5 positions. Source: ``dose-vyaint``.
    """
    return up(exclusion_days / dwell_days) + 1


def rotation_calendar(
    *, days: int, dwell_days: float, exclusion_days: float, positions: int | None = None
) -> pl.DataFrame:
    """Where each set goes over a period: the position that has rested longest.

    Parameters
    ----------
    days, dwell_days, exclusion_days
        The period, how long a set stays, and how long a used position is barred. [d]
    positions
        Positions in turn; None for as many as the exclusion asks for. [1]

    Returns
    -------
    pl.DataFrame
        ``set, position`` [1], ``from_day, to_day`` [d] from 0 on, ``rested_days`` (since the
        position was left; null the first time) and ``too_soon`` (rested less than asked).

    Raises
    ------
    InputError
        If a number is out of range.
    """
    asked = rotation_positions(exclusion_days=exclusion_days, dwell_days=dwell_days)
    turns = asked if positions is None else int(number("positions", positions, _COUNT))
    sets = sets_needed(days=days, dwell_days=dwell_days)
    if sets > _MOST_SETS or turns > _MOST_SETS:
        raise InputError(
            f"'days' over 'dwell_days' come to more than {_MOST_SETS:,} sets or positions. Check "
            f"the units: all are in days."
        )
    rests = (turns - 1) * dwell_days
    rows = [
        {
            "set": one + 1,
            "position": one % turns + 1,
            "from_day": float(one * dwell_days),
            "to_day": float(min((one + 1) * dwell_days, days)),
            "rested_days": float(rests) if one >= turns else None,
            "too_soon": one >= turns and rests < exclusion_days,
        }
        for one in range(sets)
    ]
    return pl.DataFrame(rows, schema_overrides={"rested_days": pl.Float64})
