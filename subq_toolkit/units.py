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


def unit_columns(
    policy: Policy,
    *,
    at_least: int | None = None,
    more_than: int | None = None,
    unit_cap: str | int | None = None,
) -> dict[str, pl.Expr]:
    """Units by role for rows that count encounters by minutes, by the rules in effect there.

    Parameters
    ----------
    policy
        The choices in force; ``unit_cap`` is the one that matters here, for ``minutes`` are
        already compared as ``seconds`` says.
    at_least, more_than
        Other steps than those in effect, for a what-if. [min]
    unit_cap
        Another answer than the policy's: ``none``, ``unlikely_edit``, or the most further
        hours of an encounter. [1]

    Returns
    -------
    dict
        ``first_hour, further_hour, further_setup, short_infusion``, each an expression of
        ``period`` (a day), ``minutes`` [min] and ``setup`` (a further one, true or false). [1]
        Null where the minutes are. An add-on is never without a first hour.
    """
    day, minutes = pl.col("period"), pl.col("minutes")
    enough = TIME["initial_hour_at_least"].expr(day) if at_least is None else pl.lit(at_least)
    past = TIME["additional_hour_more_than"].expr(day) if more_than is None else pl.lit(more_than)
    first = first_hour_units(minutes, at_least=enough)
    further = first * additional_hour_units(minutes, more_than=past)
    cap = policy.unit_cap if unit_cap is None else unit_cap
    if cap != "none":
        most = EDITS["further_hour"].expr(day) if cap == "unlikely_edit" else pl.lit(cap)
        further = pl.when(further > most).then(most).otherwise(further)
    setup = first * pl.col("setup").cast(pl.Int64)
    roles = {"first_hour": first, "further_hour": further, "further_setup": setup}
    roles |= {"short_infusion": 1 - first}
    return {role: units.cast(pl.Int64) for role, units in roles.items()}


def next_step(minutes: pl.Expr, *, at_least: pl.Expr, more_than: pl.Expr) -> pl.Expr:
    """Minutes at which the next unit is earned: 16, 91, 151, 211 and so on. [min]"""
    further = additional_hour_units(minutes, more_than=more_than)
    return pl.when(minutes < at_least).then(at_least).otherwise(60 * (further + 1) + more_than + 1)


def last_step(minutes: pl.Expr, *, at_least: pl.Expr, more_than: pl.Expr) -> pl.Expr:
    """Minutes at which the last unit was earned; 16 where none was. [min]"""
    further = additional_hour_units(minutes, more_than=more_than)
    return pl.when(further > 0).then(60 * further + more_than + 1).otherwise(at_least)


def with_units(facts: pl.LazyFrame, zone: str | None, policy: Policy) -> pl.LazyFrame:
    """Add minutes, units, the steps around them and the outcome to the facts of encounters."""
    rules = {
        "at_least": TIME["initial_hour_at_least"].expr(_DAY),
        "more_than": TIME["additional_hour_more_than"].expr(_DAY),
    }
    ran, exact = pl.col("_runs") > 0, pl.col("_counted_us")
    measured = {
        "_minutes": pl.when(ran).then(whole_minutes(exact)).otherwise(0),
        "_begun": pl.when(ran).then(minutes_begun(exact)).otherwise(0),
        "_last_day": pl.coalesce(_local_day(pl.col("_last_us") - 1, zone), _DAY),
        "_setup_day": _local_day(pl.col("_new_setup_us"), zone),
    }
    compared = pl.col("_begun" if policy.seconds == "count" else "_minutes")
    timed = {
        "_units_first": first_hour_units(compared, at_least=rules["at_least"]),
        "_further_documented": additional_hour_units(compared, more_than=rules["more_than"]),
        "_next_step": next_step(compared, **rules),
        "_last_step": last_step(compared, **rules),
        "_seconds_matter": next_step(pl.col("_begun"), **rules) > next_step(compared, **rules),
    }
    documented, first = pl.col("_further_documented"), pl.col("_units_first") == 1
    edit = EDITS["further_hour"].expr(_DAY)
    to_next = pl.col("_next_step") - compared
    capped = documented >= edit if policy.unit_cap == "unlikely_edit" else pl.lit(False)
    nearer_next = to_next < (compared - pl.col("_last_step")).abs()
    decided = {
        "_units_further": pl.when(capped).then(edit).otherwise(documented),
        "_units_short": (ran & ~first).cast(pl.Int64),
        "_units_setup": (first & pl.col("_new_setup")).cast(pl.Int64),
        "_to_next": pl.when(~capped).then(to_next),
        "_nearest_step": pl.when(nearer_next).then("_next_step").otherwise("_last_step"),
    }
    facts = facts.with_columns(**measured).with_columns(**timed).with_columns(**decided)
    return facts.with_columns(outcome=outcome(policy))


def _local_day(instant_us: pl.Expr, zone: str | None) -> pl.Expr:
    instant = pl.from_epoch(instant_us, time_unit="us")
    if zone is not None:
        instant = instant.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    return instant.dt.date()
