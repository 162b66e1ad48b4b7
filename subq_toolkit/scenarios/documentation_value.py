"""What charting is worth: minutes of error, steps nearly reached, stops that are missing."""

from dataclasses import replace

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.fees import FeeTables
from subq_toolkit.fees.money import USD
from subq_toolkit.scenarios.expected import all_usd, expected
from subq_toolkit.scenarios.minute_summary import MinuteSummary
from subq_toolkit.scenarios.scenario import Scenario
from subq_toolkit.units import TIME, last_step, next_step

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
        If ``within_min`` is not from 1 to 120.
    """
    _check_within(within_min)
    keys = ["period", "minutes", "setup", "outcome", "place"]
    by = [name for name in summary.by if name == "payer"]
    counts = summary.counts.group_by(*keys, *by).agg(pl.col("encounters").sum())
    errors = pl.DataFrame({"error_min": range(-within_min, within_min + 1)})
    minutes = pl.max_horizontal(pl.col("minutes") + pl.col("error_min"), 0)
    off = counts.join(errors, how="cross").with_columns(
        minutes=pl.when(pl.col("minutes").is_not_null()).then(minutes)
    )
    shifted = MinuteSummary(off, (*by, "error_min"), summary.policy)
    mix = replace(scenario, payer_mix=()) if not by else scenario
    cells = expected(shifted, mix, by=["error_min"], tables=tables)
    found = cells.group_by("error_min").agg(pl.col("units").sum(), all_usd("expected_usd"))
    base = found.filter(pl.col("error_min") == 0).row(0, named=True)
    return found.sort("error_min").with_columns(
        pl.col("expected_usd").cast(USD),
        units_difference=(pl.col("units") - base["units"]).round(9),
        difference_usd=(pl.col("expected_usd") - base["expected_usd"]).cast(USD),
    )


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
    rows = summary.counts.filter(pl.col("outcome") == "coded", pl.col("minutes").is_not_null())
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
    found = [
        rows.with_columns(step_min=step.cast(pl.Int64))
        .filter(near)
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

    Returns
    -------
    pl.DataFrame
        ``place``, ``waiting`` (encounters without a time) [1], ``each_usd`` and ``all_usd``
        [USD]; null where no coded encounter of that place tells.
    """
    moved = pl.col("place") if scenario.setting == "as_charted" else pl.lit(scenario.setting)
    waiting = (
        summary.counts.filter(pl.col("outcome") == "query")
        .group_by(place=moved)
        .agg(waiting=pl.col("encounters").sum())
    )
    known = pl.col("expected_usd").is_not_null().any()
    found, without = (
        expected(summary, replace(scenario, recovered_share=share), by=["place"], tables=tables)
        .group_by("place")
        .agg(pl.when(known).then(pl.col("expected_usd").sum()))
        for share in (1.0, 0.0)
    )
    both = waiting.join(found, on="place", how="left").join(without, on="place", how="left")
    gained = pl.col("expected_usd") - pl.col("expected_usd_right")
    each = (gained.cast(pl.Float64) / pl.col("waiting")).round(2, mode="half_away_from_zero")
    return both.select(
        "place", "waiting", each_usd=each.cast(USD), all_usd=gained.cast(USD)
    ).sort("place")  # fmt: skip


def _check_within(within_min: int) -> None:
    if (
        isinstance(within_min, bool)
        or not isinstance(within_min, int)
        or not (1 <= within_min <= _MOST_MIN)
    ):
        raise InputError(f"'within_min' is a whole number of minutes from 1 to {_MOST_MIN}.")
