"""Whether durations, units or charting change over time more than they always did."""

from math import pi, sqrt

import polars as pl

from subq_toolkit.durations.distribution import duration_quantiles
from subq_toolkit.durations.timed_encounters import timed, timed_units
from subq_toolkit.effective import read_parameters
from subq_toolkit.errors import InputError
from subq_toolkit.scenarios import MinuteSummary
from subq_toolkit.scenarios.scenario import check_kinds

_RULES = read_parameters("control_chart")
#: What is followed over time, with its unit.
STATISTICS = {
    "median_min": "Median infusion time [min]",
    "mean_units": "Timed units per coded encounter [1]",
    "coded_share": "Encounters that could be coded [%]",
}
_EVERY = ("month", "week")
#: Mean range of two independent normal values of unit standard deviation: 2 / sqrt(pi) = 1.128.
_RANGE_OF_TWO = 2 / sqrt(pi)


def control_limits(
    summary: MinuteSummary, statistic: str = "median_min", *, every: str = "month"
) -> pl.DataFrame:
    """Follow a figure over time, with the limits of an individuals (XmR) control chart.

    Centre and limits are those of the values themselves: their mean, and to either side three
    times their spread as the mean moving range tells it, ``mean(|x_k - x_(k-1)|) / 1.128``.

    Parameters
    ----------
    summary
        What ``minute_summary`` made; it keeps ``every`` apart.
    statistic
        ``median_min`` [min], ``mean_units`` (96369 and 96370 per coded encounter) [1] or
        ``coded_share`` (of all encounters) [1].
    every
        ``month`` or ``week``.

    Returns
    -------
    pl.DataFrame
        ``period`` (first day), ``encounters`` (that the value is of) [1], ``value, centre, low,
        high`` (in the unit of the statistic; limits null with fewer than two values), ``signal``:
        ``beyond`` a limit, ``run`` of eight or more on one side of the centre, null otherwise.
        Periods with fewer than ten encounters are there, without a value.

    Raises
    ------
    InputError
        If there is no such statistic, or the summary does not keep ``every`` apart.

    Notes
    -----
    Method and numbers: ``sigma_multiplier``, ``run_length`` and ``least_encounters`` in
    ``parameters/control_chart.toml``. A signal says that something changed, not that it is wrong.
    """
    check_kinds(summary)
    if statistic not in STATISTICS:
        raise InputError(f"'statistic' is one of {', '.join(STATISTICS)}, not {statistic!r}.")
    if every not in _EVERY:
        raise InputError(f"'every' is one of {', '.join(_EVERY)}, not {every!r}.")
    found = _ROWS[statistic](summary, every).filter(pl.col("period").is_not_null())
    if found.is_empty():
        return pl.DataFrame(schema=_SCHEMA)
    step = "1mo" if every == "month" else "1w"
    days = pl.date_range(found["period"].min(), found["period"].max(), step, eager=True)
    every_one = days.alias("period").to_frame().join(found, on="period", how="left")
    every_one = every_one.with_columns(pl.col("encounters").fill_null(0)).sort("period")
    enough = pl.col("encounters") >= _rule("least_encounters")
    every_one = every_one.with_columns(value=pl.when(enough).then("value"))
    return _with_signals(every_one, share=statistic == "coded_share").select(list(_SCHEMA))


def _rule(name: str) -> int:
    return _RULES[name].values[-1].value


_SCHEMA = {
    "period": pl.Date,
    "encounters": pl.Int64,
    "value": pl.Float64,
    "centre": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "signal": pl.String,
}


def _medians(summary: MinuteSummary, every: str) -> pl.DataFrame:
    rows = duration_quantiles(summary, every)
    return rows.select(_day(every), "encounters", value=pl.col("median_min").cast(pl.Float64))


def _mean_units(summary: MinuteSummary, every: str) -> pl.DataFrame:
    units = timed_units(summary.policy)
    found = timed(summary, every).group_by("group").agg(
        pl.col("encounters").sum(), units=(units * pl.col("encounters")).sum()
    )  # fmt: skip
    return found.select(_day(every), "encounters", value=pl.col("units") / pl.col("encounters"))


def _coded_shares(summary: MinuteSummary, every: str) -> pl.DataFrame:
    counts = summary.only(every).counts
    coded = pl.col("encounters").filter(pl.col("outcome") == "coded").sum()
    found = counts.group_by(every).agg(pl.col("encounters").sum(), coded=coded)
    return found.select(
        pl.col(every).alias("period"), "encounters", value=pl.col("coded") / pl.col("encounters")
    )


_ROWS = {"median_min": _medians, "mean_units": _mean_units, "coded_share": _coded_shares}


def _day(every: str) -> pl.Expr:
    """The first day of the period from the name of its group."""
    text = pl.col("group") + "-01" if every == "month" else pl.col("group")
    return text.str.to_date("%Y-%m-%d").alias("period")


def _with_signals(rows: pl.DataFrame, *, share: bool) -> pl.DataFrame:
    known = rows["value"].drop_nulls()
    centre = low = high = None
    if len(known):
        centre = known.mean()
    if len(known) > 1:
        spread = known.diff().abs().mean() / _RANGE_OF_TWO
        reach = _rule("sigma_multiplier") * spread
        low = max(centre - reach, 0.0)
        high = min(centre + reach, 1.0) if share else centre + reach
    value = pl.col("value")
    side = (value - pl.lit(centre, pl.Float64)).sign()
    limits = {"centre": centre, "low": low, "high": high}
    rows = rows.with_columns(
        **{name: pl.lit(one, pl.Float64) for name, one in limits.items()}, _side=side
    )
    runs = rows.filter(value.is_not_null()).with_columns(_run=pl.col("_side").rle_id())
    length = pl.len().over("_run")
    long = length >= _rule("run_length")
    runs = runs.select("period", _long=long & (pl.col("_side") != 0))
    tiny = 1e-9
    beyond = (value < pl.col("low") - tiny) | (value > pl.col("high") + tiny)
    return (
        rows.join(runs, on="period", how="left")
        .sort("period")
        .with_columns(
            signal=pl.when(beyond).then(pl.lit("beyond")).when("_long").then(pl.lit("run"))
        )
    )
