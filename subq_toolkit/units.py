"""Units of the subcutaneous infusion codes, from counted minutes and pump set-ups.

Codes (paraphrased; the official descriptors belong to the AMA and are not kept here)
-------------------------------------------------------------------------------------
96369  first hour, with pump set-up and placing of the site(s)
96370  each further hour
96371  a further pump set-up with new site(s), once an encounter
96372  instead of these for 15 minutes or less
"""

from typing import overload

import polars as pl

from subq_toolkit.effective import read_parameters
from subq_toolkit.findings import outcome
from subq_toolkit.infusion_time import minutes_begun, whole_minutes
from subq_toolkit.policy import Policy

TIME = read_parameters("infusion_time")
EDITS = read_parameters("unlikely_edits")

#: Units in the encounters table, and the fact each is taken from.
UNITS = {
    "units_96369": "_units_first",
    "units_96370": "_units_further",
    "units_96371": "_units_setup",
    "units_96372": "_units_short",
}

_DAY = pl.col("service_date")


@overload
def first_hour_units(minutes: pl.Expr, *, at_least: pl.Expr) -> pl.Expr: ...
@overload
def first_hour_units(minutes: int, *, at_least: int) -> int: ...
def first_hour_units(minutes: pl.Expr | int, *, at_least: pl.Expr | int) -> pl.Expr | int:
    """Units of 96369: one when the infusion ran ``at_least`` minutes, else none. [unit]"""
    enough = minutes >= at_least
    return enough.cast(pl.Int64) if isinstance(enough, pl.Expr) else int(enough)


@overload
def additional_hour_units(minutes: pl.Expr, *, more_than: pl.Expr) -> pl.Expr: ...
@overload
def additional_hour_units(minutes: int, *, more_than: int) -> int: ...
def additional_hour_units(minutes: pl.Expr | int, *, more_than: pl.Expr | int) -> pl.Expr | int:
    """Units of 96370 for an infusion of ``minutes``.

    Parameters
    ----------
    minutes
        Counted length of the infusion. [min] Whole, not negative.
    more_than
        Minutes past a whole hour that must be *exceeded* to earn that hour. [min]

    Returns
    -------
    pl.Expr or int
        Never negative. [unit] Null in, null out.

    Notes
    -----
    With ``more_than = 30``: 90 min earn 0, 91 earn 1, 150 earn 1, 151 earn 2.
    Source: ``additional_hour_more_than`` in ``parameters/infusion_time.toml``.
    """
    units = (minutes - more_than - 1) // 60
    return units.clip(lower_bound=0) if isinstance(units, pl.Expr) else max(units, 0)


def minutes_to_next_unit(minutes: pl.Expr, *, at_least: pl.Expr, more_than: pl.Expr) -> pl.Expr:
    """Minutes missing to the next unit: to 16, 91, 151, 211 and so on. [min]"""
    return _next_step(minutes, at_least, more_than) - minutes


def _next_step(minutes: pl.Expr, at_least: pl.Expr, more_than: pl.Expr) -> pl.Expr:
    further = additional_hour_units(minutes, more_than=more_than)
    return pl.when(minutes < at_least).then(at_least).otherwise(60 * (further + 1) + more_than + 1)


def _last_step(minutes: pl.Expr, at_least: pl.Expr, more_than: pl.Expr) -> pl.Expr:
    further = additional_hour_units(minutes, more_than=more_than)
    return pl.when(further > 0).then(60 * further + more_than + 1).otherwise(at_least)


def with_units(facts: pl.LazyFrame, zone: str | None, policy: Policy) -> pl.LazyFrame:
    """Add minutes, units, the nearest step and the outcome to the facts of encounters."""
    at_least, more_than = (
        TIME[name].expr(_DAY) for name in ("initial_hour_at_least", "additional_hour_more_than")
    )
    exact = pl.col("_counted_us")
    minutes, begun = whole_minutes(exact), minutes_begun(exact)
    compared = begun if policy.seconds == "count" else minutes
    ran = pl.col("_runs") > 0
    further = additional_hour_units(pl.col("_compared"), more_than=more_than)
    if policy.unit_cap == "unlikely_edit":
        further = pl.min_horizontal(further, EDITS["further_hour"].expr(_DAY))
    first = first_hour_units(pl.col("_compared"), at_least=at_least)
    steps = _next_step(pl.col("_compared"), at_least, more_than)
    last = _last_step(pl.col("_compared"), at_least, more_than)
    nearer = (steps - pl.col("_compared")) < (pl.col("_compared") - last).abs()
    facts = facts.with_columns(
        _minutes=pl.when(ran).then(minutes).otherwise(0),
        _compared=pl.when(ran).then(compared).otherwise(0),
        _last_day=_local_day(pl.col("_last_us") - 1, zone),
    ).with_columns(
        _units_first=first,
        _units_further=further,
        _further_documented=additional_hour_units(pl.col("_compared"), more_than=more_than),
        _units_short=(ran & (first == 0)).cast(pl.Int64),
        _units_setup=((first == 1) & pl.col("_new_setup")).cast(pl.Int64),
        _next_step=steps,
        _last_step=last,
        _nearest_step=pl.when(nearer).then(steps).otherwise(last),
        _to_next=minutes_to_next_unit(pl.col("_compared"), at_least=at_least, more_than=more_than),
        _seconds_matter=(
            first_hour_units(begun, at_least=at_least)
            + additional_hour_units(begun, more_than=more_than)
            > first + additional_hour_units(pl.col("_compared"), more_than=more_than)
        ),
    )
    return facts.with_columns(outcome=outcome(policy))


def _local_day(instant_us: pl.Expr, zone: str | None) -> pl.Expr:
    instant = pl.from_epoch(instant_us, time_unit="us")
    if zone is not None:
        instant = instant.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    return instant.dt.date()
