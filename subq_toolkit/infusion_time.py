"""Minutes of an infusion: the clock time during which at least one pump ran.

The union of runs needs no sweep over them. Sort the starts and the stops of an
encounter independently, s1 <= s2 <= ... and e1 <= e2 <= ...; then

    union = (e_n - s_1) - sum of max(0, s_{k+1} - e_k)

because exactly where the k-th stop comes before the (k+1)-th start, every run begun so
far has ended: each positive term is one pause, with its true length. For up to three
runs all terms follow from minimum, maximum and sum, so one hash aggregate is exact;
only encounters with more runs are sorted.

Everything is counted in whole microseconds and floored to minutes once, at the end.
"""

from collections.abc import Sequence

import polars as pl

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US

_START, _STOP = pl.col("_from_us"), pl.col("_to_us")


def counted_time(
    runs: pl.LazyFrame, by: Sequence[str], *, bridge_min: int = 0, also: Sequence[pl.Expr] = ()
) -> pl.LazyFrame:
    """Counted time and pauses of each group of runs.

    Parameters
    ----------
    runs
        ``_from_us`` and ``_to_us``: start and stop of each run [µs], both null in a row that
        is not counted; stop is not before start.
    by
        Columns that make a group, e.g. ``["encounter_id"]``.
    bridge_min
        Pauses up to this long are counted as infusion time. [min]
    also
        Further aggregates to take in the same pass.

    Returns
    -------
    pl.LazyFrame
        ``by``, ``_runs`` (counted), ``_first_us``, ``_last_us``, ``_charted_us`` (sum of all
        runs), ``_counted_us``, ``_paused_us`` (deducted), ``_bridged_us`` (pauses counted as
        time), ``_longest_pause_us``, and ``also``. Times are null in a group without runs.
    """
    grouped = (
        runs.group_by(by)
        .agg(
            _runs=_START.count(),
            _first_us=_START.min(),
            _start_max=_START.max(),
            _start_sum=_START.sum(),
            _stop_min=_STOP.min(),
            _last_us=_STOP.max(),
            _stop_sum=_STOP.sum(),
            *also,
        )
        .cache()
    )
    bridge_us = bridge_min * MINUTE_US
    several = grouped.filter(pl.col("_runs") > 3).select(by)
    by_sorting = _pauses_by_sorting(
        runs.filter(_START.is_not_null()).join(several, on=by, how="semi"), by, bridge_us
    )
    few = {
        name: pl.when(pl.col("_runs") <= 3).then(pauses).otherwise(f"{name}_sorted")
        for name, pauses in _pauses_of_up_to_three(bridge_us).items()
    }
    counted = pl.col("_last_us") - pl.col("_first_us") - pl.col("_paused_us")
    return (
        grouped.join(by_sorting, on=by, how="left", nulls_equal=True)
        .with_columns(**few)
        .drop(f"{name}_sorted" for name in few)
        .with_columns(
            _counted_us=counted,
            _charted_us=pl.col("_stop_sum") - pl.col("_start_sum"),
        )
        .drop("_start_max", "_start_sum", "_stop_min", "_stop_sum")
    )


def _pauses_of_up_to_three(bridge_us: int) -> dict[str, pl.Expr]:
    runs = pl.col("_runs")
    start_mid = pl.col("_start_sum") - pl.col("_first_us") - pl.col("_start_max")
    stop_mid = pl.col("_stop_sum") - pl.col("_stop_min") - pl.col("_last_us")
    second_start = pl.when(runs == 3).then(start_mid).otherwise(pl.col("_start_max"))
    first_gap = pl.when(runs >= 2).then(second_start - pl.col("_stop_min")).otherwise(0)
    second_gap = pl.when(runs == 3).then(pl.col("_start_max") - stop_mid).otherwise(0)
    gaps = (first_gap, second_gap)
    return {
        "_paused_us": pl.sum_horizontal(_if(gap > bridge_us, gap) for gap in gaps),
        "_bridged_us": pl.sum_horizontal(_if(gap.is_between(0, bridge_us), gap) for gap in gaps),
        "_longest_pause_us": pl.max_horizontal(*gaps, 0),
    }


def _if(holds: pl.Expr, value: pl.Expr) -> pl.Expr:
    return pl.when(holds).then(value).otherwise(0)


def _pauses_by_sorting(runs: pl.LazyFrame, by: Sequence[str], bridge_us: int) -> pl.LazyFrame:
    """Pauses of groups with any number of runs: starts and stops sorted side by side."""
    gap = _START.sort().slice(1) - _STOP.sort().slice(0, pl.len() - 1)
    return (
        runs.group_by(by)
        .agg(_gap=gap)
        .with_columns(
            _paused_us_sorted=_list_sum(pl.element() > max(bridge_us, 0)),
            _bridged_us_sorted=_list_sum((pl.element() > 0) & (pl.element() <= bridge_us)),
            _longest_pause_us_sorted=pl.max_horizontal(pl.col("_gap").list.max(), 0),
        )
        .drop("_gap")
    )


def _list_sum(where: pl.Expr) -> pl.Expr:
    return pl.col("_gap").list.eval(pl.element().filter(where)).list.sum()


def segments(runs: pl.DataFrame, *, bridge_min: int = 0) -> pl.DataFrame:
    """The stretches of counted time of one encounter, in order.

    Parameters
    ----------
    runs
        ``_from_us`` and ``_to_us`` of one encounter's runs. [µs]
    bridge_min
        Pauses up to this long do not end a stretch. [min]

    Returns
    -------
    pl.DataFrame
        ``from_us``, ``to_us`` [µs], sorted, apart from each other.
    """
    ordered = runs.drop_nulls(["_from_us", "_to_us"]).sort("_from_us", "_to_us")
    ended = _STOP.cum_max().shift(1)
    starts_new = (ended + bridge_min * MINUTE_US < _START).fill_null(True)
    return (
        ordered.with_columns(_stretch=starts_new.cum_sum())
        .group_by("_stretch", maintain_order=True)
        .agg(from_us=_START.min(), to_us=_STOP.max())
        .drop("_stretch")
    )


def whole_minutes(counted_us: pl.Expr) -> pl.Expr:
    """Whole minutes of a length, never rounded up. [min]"""
    return counted_us // MINUTE_US


def minutes_begun(counted_us: pl.Expr) -> pl.Expr:
    """Minutes of a length with a begun minute counted as one. [min]

    Only for comparing an exact length with "more than" a number of minutes: a length is
    more than 15:00 exactly when its begun minutes are at least 16.
    """
    return -(-counted_us // MINUTE_US)
