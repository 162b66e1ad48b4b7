"""Charted times that pile up on full steps of the clock, and what that does to units."""

import polars as pl

from subq_toolkit.administrations import readable_rows
from subq_toolkit.coding import Coded
from subq_toolkit.durations.timed_encounters import timed_units
from subq_toolkit.encounter_facts import counted_runs
from subq_toolkit.errors import InputError
from subq_toolkit.scenarios import MinuteSummary
from subq_toolkit.scenarios.scenario import check_kinds

#: Steps of the clock by the names that ``minute_summary`` gives them. [min]
STEPS_MIN = {"15 min": 15, "5 min": 5, "1 min": 1}
_WALLS = {"start": "_start_wall", "stop": "_stop_wall"}


def clock_minutes(coded: Coded) -> pl.DataFrame:
    """Count charted starts and stops of counted runs by the minute of the hour.

    Returns
    -------
    pl.DataFrame
        ``event`` (``start``, ``stop``), ``minute`` (0 to 59, as the clock on the facility's wall
        shows it) [min], ``times`` [1], ``share`` of the times of that event [1], ``expected``:
        the share if they were spread evenly [1].

    Raises
    ------
    InputError
        If this is not what ``code_administrations`` returned.
    """
    if not isinstance(coded, Coded):
        raise InputError(
            f"Hand in what code_administrations returned; this is a {type(coded).__name__}."
        )
    runs = counted_runs(readable_rows(coded.intake), coded.policy).filter("_counts")
    counted = pl.concat(
        runs.select(event=pl.lit(event), minute=pl.col(wall).dt.minute().cast(pl.Int64))
        for event, wall in _WALLS.items()
    )
    counted = counted.drop_nulls().group_by("event", "minute").agg(times=pl.len().cast(pl.Int64))
    minutes = pl.DataFrame({"minute": range(60)}, schema={"minute": pl.Int64})
    every = pl.DataFrame({"event": list(_WALLS)}).join(minutes, how="cross")
    found = every.join(counted.collect(), on=["event", "minute"], how="left")
    times = pl.col("times")
    return found.with_columns(times.fill_null(0)).sort("event", "minute").with_columns(
        share=pl.when(times.sum().over("event") > 0).then(times / times.sum().over("event")),
        expected=pl.lit(1 / 60),
    )  # fmt: skip


def heaping_effect(summary: MinuteSummary) -> pl.DataFrame:
    """Timed units as charted, and as they would be on average without rounded clock times.

    An encounter whose first start and last stop both lie on a quarter hour (or on five minutes)
    may have begun and ended at any minute nearer to these than to the next ones. Its minutes
    would then be off by the difference of two such errors, ``d`` from ``1 - step`` to ``step - 1``
    with a weight of ``step - |d|``. Encounters that lie on the step by chance are among them, so
    the difference is an upper bound of what rounding did.

    Parameters
    ----------
    summary
        What ``minute_summary(coded, by=["rounding"])`` made.

    Returns
    -------
    pl.DataFrame
        ``rounding`` (``15 min``, ``5 min``, ``1 min``), ``encounters`` (coded) [1],
        ``units_charted`` and ``units_expected`` (96369 and 96370) [1], ``difference`` [1].

    Raises
    ------
    InputError
        If the summary does not keep ``rounding`` apart.

    Notes
    -----
    Arithmetic of ours, of no payer: a measure of how much hangs on the habit.
    """
    check_kinds(summary)
    kept = summary.only("rounding").counts
    coded = kept.filter(pl.col("outcome") == "coded", pl.col("minutes").is_not_null())
    errors = pl.DataFrame(
        [
            {"rounding": name, "error_min": error, "weight": (step - abs(error)) / step**2}
            for name, step in STEPS_MIN.items()
            for error in range(1 - step, step)
        ]
    )
    units, moved = timed_units(summary.policy), pl.col("minutes") + pl.col("error_min")
    rows = (
        coded.with_columns(charted=units)
        .join(errors, on="rounding")
        .with_columns(minutes=moved.clip(0))
        .with_columns(moved=units)
    )
    weighted = pl.col("encounters") * pl.col("weight")
    found = rows.group_by("rounding").agg(
        encounters=pl.col("encounters").filter(pl.col("error_min") == 0).sum(),
        units_charted=(pl.col("charted") * pl.col("encounters"))
        .filter(pl.col("error_min") == 0)
        .sum(),
        units_expected=(pl.col("moved") * weighted).sum().round(6),
    )
    names = pl.DataFrame({"rounding": list(STEPS_MIN)})
    every = names.join(found, on="rounding", how="left", maintain_order="left").fill_null(0)
    difference = (pl.col("units_charted") - pl.col("units_expected")).round(6)
    return every.with_columns(difference=difference)
