"""The distribution of infusion minutes: counted in bins, by quantiles, and as a curve."""

from math import gcd

import polars as pl

from subq_toolkit.coding import Coded
from subq_toolkit.durations.steps import first_and_more
from subq_toolkit.durations.timed_encounters import by_minutes, check_whole
from subq_toolkit.errors import InputError
from subq_toolkit.scenarios import MinuteSummary

_HOUR_MIN, _LONGEST_MIN = 60, 100_000
#: Beyond this share of the encounters the last bin is open.
_SHOWN = 0.98
QUANTILES = {"p5_min": 0.05, "p25_min": 0.25, "median_min": 0.5, "p75_min": 0.75, "p95_min": 0.95}


def bin_widths(summary: MinuteSummary | None = None) -> list[int]:
    """Widths of bins that no step of units cuts through, narrowest first. [min]"""
    at_least, more_than = first_and_more(summary)
    common = gcd(_HOUR_MIN + more_than + 1 - at_least, _HOUR_MIN)
    return [width for width in range(1, common + 1) if common % width == 0]


def duration_bins(
    summary: MinuteSummary,
    by: str | None = None,
    *,
    width_min: int = 15,
    up_to_min: int | None = None,
) -> pl.DataFrame:
    """Count coded encounters by minutes in bins that begin and end at the steps of units.

    Parameters
    ----------
    summary
        What ``minute_summary`` made.
    by
        A column that it keeps apart; all encounters together by default.
    width_min
        One of ``bin_widths()``: 1, 3, 5 or 15 under the rules of today. [min]
    up_to_min
        From about here on one open bin; where 98 % of the encounters end by default. [min]

    Returns
    -------
    pl.DataFrame
        ``group`` (``all`` without ``by``; null: not stated), ``from_min``, ``to_min`` (the first
        minute of the next bin; null: open) [min], ``encounters`` [1], ``share`` of the group [1].
        Empty bins are there, up to the open one.

    Raises
    ------
    InputError
        If a step would cut through bins of that width, or the summary lacks ``by``.
    """
    widths = bin_widths(summary)
    if width_min not in widths:
        raise InputError(
            f"'width_min' is one of {', '.join(map(str, widths))}, so that no step of units cuts "
            f"through a bin; it is {width_min!r}."
        )
    rows = by_minutes(summary, by)
    if rows.is_empty():
        return pl.DataFrame(schema=_BINS)
    offset = first_and_more(summary)[0] % width_min
    if up_to_min is None:
        up_to_min = int(_quantile(rows.group_by("minutes").agg(pl.col("encounters").sum()), _SHOWN))
    check_whole("up_to_min", up_to_min, 0, _LONGEST_MIN)
    last = max((up_to_min - offset) // width_min, 0) + 1
    place = ((pl.col("minutes") - offset) // width_min).clip(0, last)
    counted = rows.group_by("group", bin=place).agg(pl.col("encounters").sum())
    last = min(last, int(counted["bin"].max()))
    bins = pl.DataFrame({"bin": range(last + 1)}, schema={"bin": pl.Int64})
    every = rows.select("group").unique().join(bins, how="cross")
    found = every.join(counted, on=["group", "bin"], how="left", nulls_equal=True)
    begins = offset + width_min * pl.col("bin")
    open_end = (pl.col("bin") == last) & (pl.lit(rows["minutes"].max()) >= begins + width_min)
    count = pl.col("encounters").fill_null(0)
    return found.sort("group", "bin").select(
        "group",
        from_min=pl.when(pl.col("bin") > 0).then(begins).otherwise(0),
        to_min=pl.when(~open_end).then(begins + width_min),
        encounters=count,
        share=count / count.sum().over("group"),
    )


_BINS = {
    "group": pl.String,
    "from_min": pl.Int64,
    "to_min": pl.Int64,
    "encounters": pl.Int64,
    "share": pl.Float64,
}


def duration_quantiles(summary: MinuteSummary, by: str | None = None) -> pl.DataFrame:
    """Quantiles of the minutes of coded encounters, by group.

    A quantile is the least charted number of minutes that at least that share of the encounters
    does not exceed: always a duration that occurred.

    Returns
    -------
    pl.DataFrame
        ``group, encounters`` [1], ``p5_min, p25_min, median_min, p75_min, p95_min`` [min],
        ``mean_min`` [min]; the most encounters first.
    """
    rows = by_minutes(summary, by).with_columns(
        share=pl.col("encounters").cum_sum().over("group", order_by="minutes")
        / pl.col("encounters").sum().over("group")
    )
    mean = (pl.col("minutes") * pl.col("encounters")).sum() / pl.col("encounters").sum()
    reached = {
        name: pl.col("minutes").filter(pl.col("share") >= share - 1e-12).min()
        for name, share in QUANTILES.items()
    }
    return (
        rows.group_by("group")
        .agg(pl.col("encounters").sum(), **reached, mean_min=mean.round(6))
        .sort(["encounters", "group"], descending=[True, False], nulls_last=True)
    )


def duration_curve(summary: MinuteSummary, by: str | None = None) -> pl.DataFrame:
    """The empirical cumulative distribution of the minutes of coded encounters.

    Returns
    -------
    pl.DataFrame
        ``group, minutes`` (those that occur) [min], ``at_most`` (encounters that last no longer)
        [1], ``share`` of the group [1]; sorted.
    """
    at_most = pl.col("encounters").cum_sum().over("group", order_by="minutes")
    return by_minutes(summary, by).select(
        "group",
        "minutes",
        at_most=at_most,
        share=at_most / pl.col("encounters").sum().over("group"),
    )


def range_by_group(
    summary: MinuteSummary, by: str, from_min: int, to_min: int | None
) -> pl.DataFrame:
    """Whose the coded encounters of so many minutes are, both ends included.

    Parameters
    ----------
    summary
        What ``minute_summary`` made.
    by
        A column that it keeps apart.
    from_min, to_min
        The range; without ``to_min`` that long or longer. [min]

    Returns
    -------
    pl.DataFrame
        ``group, encounters`` (of that length) [1], ``of`` (all coded ones of the group) [1],
        ``share`` of these [1]; the most encounters first.
    """
    _check_range(from_min, to_min)
    inside = pl.col("encounters").filter(_within(pl.col("minutes"), from_min, to_min)).sum()
    found = by_minutes(summary, by).group_by("group").agg(
        encounters=inside, of=pl.col("encounters").sum()
    )  # fmt: skip
    return found.with_columns(share=pl.col("encounters") / pl.col("of")).sort(
        ["encounters", "group"], descending=[True, False], nulls_last=True
    )


def encounters_lasting(coded: Coded, from_min: int, to_min: int | None) -> pl.LazyFrame:
    """Coded encounters of so many minutes, both ends included, with all their columns; lazy.

    Parameters
    ----------
    coded
        What ``code_administrations`` returned.
    from_min, to_min
        Minutes as they are compared with the steps of units; without ``to_min`` that long or
        longer. [min]

    Raises
    ------
    InputError
        If the two are no whole numbers, or the second is below the first.
    """
    if not isinstance(coded, Coded):
        raise InputError(
            f"Hand in what code_administrations returned; this is a {type(coded).__name__}."
        )
    _check_range(from_min, to_min)
    compared = pl.col("_begun" if coded.policy.seconds == "count" else "_minutes")
    there = coded.facts.filter(
        pl.col("outcome") == "coded", pl.col("_runs") > 0, _within(compared, from_min, to_min)
    )
    found = coded.encounters.join(there.select("encounter_id"), on="encounter_id", how="semi")
    return found.sort("encounter_id")


def _check_range(from_min: int, to_min: int | None) -> None:
    check_whole("from_min", from_min, 0, _LONGEST_MIN)
    if to_min is not None:
        check_whole("to_min", to_min, from_min, _LONGEST_MIN)


def _within(minutes: pl.Expr, from_min: int, to_min: int | None) -> pl.Expr:
    return minutes >= from_min if to_min is None else minutes.is_between(from_min, to_min)


def _quantile(counts: pl.DataFrame, share: float) -> int:
    ordered = counts.sort("minutes")
    reached = ordered["encounters"].cum_sum() >= share * ordered["encounters"].sum() - 1e-9
    return ordered.filter(reached)["minutes"].first()
