"""What charting is worth: minutes of error, steps nearly reached, stops that are missing."""

from dataclasses import replace
from functools import lru_cache

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.fees import FeeTables
from subq_toolkit.fees.money import USD
from subq_toolkit.scenarios.counted_lines import expected_encounters, kept_apart
from subq_toolkit.scenarios.expected import all_usd, expected
from subq_toolkit.scenarios.minute_summary import MinuteSummary, infused
from subq_toolkit.scenarios.scenario import Scenario, check_kinds
from subq_toolkit.units import EDITS, TIME, additional_hour_units, last_step, next_step

_MOST_MIN = 120


def charting_error(
    summary: MinuteSummary,
    scenario: Scenario,
    *,
    within_min: int = 15,
    tables: FeeTables | None = None,
) -> pl.DataFrame:
    """Units and money gained or lost if every infusion had been charted some minutes off.

    Parameters
    ----------
    summary, scenario
        The work and the terms.
    within_min
        Errors from this many minutes less to this many more. [min]
    tables
        The dated figures; the bundled ones by default.

    Returns
    -------
    pl.DataFrame
        ``error_min`` [min], ``units`` of all codes [1], ``expected_usd`` [USD], and their
        differences to no error, ``units_difference, difference_usd``.

    Raises
    ------
    InputError
        If ``within_min`` is not from 1 to 120, or there is no coded encounter.
    """
    _check_within(within_min)
    check_kinds(summary, scenario)
    summary, scenario = scenario.work or summary, replace(scenario, work=None)
    shifted = _shifted(kept_apart(summary, scenario), within_min)
    cells = expected(shifted, scenario, by=["error_min"], tables=tables)
    found = cells.group_by("error_min").agg(pl.col("units").sum(), all_usd("expected_usd"))
    if found.is_empty():
        raise InputError("There is no coded encounter to shift. Look at coded.reconcile().")
    base = found.filter(pl.col("error_min") == 0).row(0, named=True)
    return found.sort("error_min").with_columns(
        pl.col("expected_usd").cast(USD),
        units_difference=(pl.col("units") - base["units"]).round(9),
        difference_usd=(pl.col("expected_usd") - base["expected_usd"]).cast(USD),
    )


@lru_cache(maxsize=8)
def _shifted(summary: MinuteSummary, within_min: int) -> MinuteSummary:
    """The work once for each error, every infusion that much longer or shorter."""
    errors = pl.DataFrame({"error_min": range(-within_min, within_min + 1)})
    minutes = pl.col("minutes") + pl.col("error_min")
    off = summary.counts.join(errors, how="cross").with_columns(
        minutes=pl.when((minutes > 0) | (pl.col("error_min") == 0)).then(minutes)
    )
    return replace(summary, counts=off, by=(*summary.by, "error_min"))


def near_steps(summary: MinuteSummary, *, within_min: int = 5) -> pl.DataFrame:
    """Coded encounters within some minutes of a step of units, on either side.

    Parameters
    ----------
    summary
        What ``minute_summary`` made.
    within_min
        How near is near. [min]

    Returns
    -------
    pl.DataFrame
        ``step_min`` [min], ``below`` (that many minutes short, at most) and ``above`` (past it
        by fewer than that) [1]. Below a step is a reason to check the charting, never to extend
        an infusion.
    """
    _check_within(within_min)
    check_kinds(summary)
    return _near_steps(summary.only(), within_min)


@lru_cache(maxsize=32)
def _near_steps(summary: MinuteSummary, within_min: int) -> pl.DataFrame:
    rows = summary.counts.filter(infused())
    day, minutes, count = pl.col("period"), pl.col("minutes"), pl.col("encounters")
    rules = {
        "at_least": TIME["initial_hour_at_least"].expr(day),
        "more_than": TIME["additional_hour_more_than"].expr(day),
    }
    sides = {
        "below": (next_step(minutes, **rules), pl.col("step_min") - minutes <= within_min),
        "above": (
            last_step(minutes, **rules),
            (minutes >= pl.col("step_min")) & (minutes - pl.col("step_min") < within_min),
        ),
    }
    edit, further = EDITS["further_hour"].expr(day), additional_hour_units(
        pl.col("step_min"), more_than=rules["more_than"]
    )  # fmt: skip
    capped = summary.policy.unit_cap == "unlikely_edit"
    within_edit = (further <= edit) if capped else pl.lit(True)
    found = [
        rows.with_columns(step_min=step.cast(pl.Int64))
        .filter(near, within_edit)
        .group_by("step_min")
        .agg(count.sum().alias(side))
        for side, (step, near) in sides.items()
    ]
    both = found[0].join(found[1], on="step_min", how="full", coalesce=True)
    return both.with_columns(pl.col("below", "above").fill_null(0)).sort("step_min")


def missing_stop_value(
    summary: MinuteSummary, scenario: Scenario, *, tables: FeeTables | None = None
) -> pl.DataFrame:
    """What each missing start or stop is worth: the mean of the coded encounters of its place.

    An encounter of which a code has no price says nothing and is not in the mean.

    Returns
    -------
    pl.DataFrame
        ``place``, ``waiting`` (encounters without a time) [1], ``each_usd`` and ``all_usd``
        [USD]; null where no coded encounter of that place has a price.
    """
    check_kinds(summary, scenario)
    summary = scenario.work or summary
    moved = pl.col("place") if scenario.setting == "as_charted" else pl.lit(scenario.setting)
    waiting = (
        summary.only()
        .counts.filter(pl.col("outcome") == "query")
        .group_by(place=moved)
        .agg(waiting=pl.col("encounters").sum())
    )
    coded = expected_encounters(summary, scenario, tables=tables).filter("priced")
    paid = (1 - scenario.denial_rate) / 100
    means = coded.group_by("place").agg(
        mean=(pl.col("cents") * pl.col("encounters")).sum() / pl.col("encounters").sum() * paid
    )
    of_all = pl.col("mean") * pl.col("waiting")
    return waiting.join(means, on="place", how="left").select(
        "place",
        "waiting",
        each_usd=pl.col("mean").round(2, mode="half_away_from_zero").cast(USD),
        all_usd=of_all.round(2, mode="half_away_from_zero").cast(USD),
    ).sort("place")  # fmt: skip


def _check_within(within_min: int) -> None:
    if (
        isinstance(within_min, bool)
        or not isinstance(within_min, int)
        or not (1 <= within_min <= _MOST_MIN)
    ):
        raise InputError(f"'within_min' is a whole number of minutes from 1 to {_MOST_MIN}.")
