"""Minutes at which units rise, and how far from them infusions end."""

import polars as pl

from subq_toolkit.durations.timed_encounters import check_whole, timed
from subq_toolkit.effective import Parameter
from subq_toolkit.scenarios import MinuteSummary
from subq_toolkit.scenarios.scenario import check_kinds
from subq_toolkit.units import TIME, additional_hour_units, last_step, next_step

_MOST_WITHIN_MIN = 30


def first_and_more(summary: MinuteSummary | None = None) -> tuple[int, int]:
    """Minutes that earn the first hour, and those past an hour to exceed for another. [min]

    Those in effect in the last period of the summary; the newest without one.
    """
    if summary is not None:
        check_kinds(summary)
    day = None if summary is None else summary.span("period")[1]

    def value(parameter: Parameter) -> int:
        return (parameter.values[-1] if day is None else parameter.on(day)).value

    return value(TIME["initial_hour_at_least"]), value(TIME["additional_hour_more_than"])


def unit_steps(up_to_min: int, summary: MinuteSummary | None = None) -> list[tuple[int, int]]:
    """Minutes at which timed units (96369 and 96370) rise, and how many there are from there on.

    Parameters
    ----------
    up_to_min
        Steps up to here. [min]
    summary
        The work whose last period says which rules are in effect; the newest rules without.
    """
    at_least, more_than = first_and_more(summary)
    found = [(at_least, 1)] if at_least <= up_to_min else []
    further = 60 + more_than + 1
    while further <= up_to_min:
        units = 1 + additional_hour_units(further, more_than=more_than)
        found.append((further, units))
        further += 60
    return found


def step_distances(summary: MinuteSummary, within_min: int = 15) -> pl.DataFrame:
    """Coded encounters by their distance from the nearest step of units.

    Parameters
    ----------
    summary
        What ``minute_summary`` made.
    within_min
        How far to look to either side. [min] At most 30, half of the way between two steps.

    Returns
    -------
    pl.DataFrame
        ``step_min`` [min], ``distance_min`` (from ``-within_min``, short of the step, to
        ``within_min - 1``; 0 has just reached it) [min], ``encounters`` [1]. Every distance is
        there for each step that has any encounter.

    Raises
    ------
    InputError
        If ``within_min`` is not a whole number from 1 to 30.
    """
    check_whole("within_min", within_min, 1, _MOST_WITHIN_MIN)
    day, minutes = pl.col("period"), pl.col("minutes")
    rules = {
        "at_least": TIME["initial_hour_at_least"].expr(day),
        "more_than": TIME["additional_hour_more_than"].expr(day),
    }
    ahead, behind = next_step(minutes, **rules), last_step(minutes, **rules)
    rows = timed(summary).select(
        step_min=pl.concat_list(behind, ahead), minutes="minutes", encounters="encounters"
    )
    distance = pl.col("minutes") - pl.col("step_min")
    near = (
        rows.explode("step_min")
        .unique()
        .with_columns(distance_min=distance)
        .filter(pl.col("distance_min").is_between(-within_min, within_min - 1))
        .group_by("step_min", "distance_min")
        .agg(pl.col("encounters").sum())
    )
    distances = pl.DataFrame({"distance_min": range(-within_min, within_min)})
    every = near.select("step_min").unique().join(distances, how="cross")
    found = every.join(near, on=["step_min", "distance_min"], how="left")
    return found.with_columns(pl.col("encounters").fill_null(0)).sort("step_min", "distance_min")
