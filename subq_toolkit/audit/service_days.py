"""On which of the days of an encounter a code belongs, and which charges stand on another."""

import polars as pl

from subq_toolkit.audit.charted import ROLES
from subq_toolkit.coding import Coded

_N = pl.col("_n")


def due_days(coded: Coded, chart: pl.LazyFrame) -> pl.LazyFrame | None:
    """The dates of the lines of encounters over several days, where policy splits at midnight.

    Returns
    -------
    pl.LazyFrame or None
        ``_n, code, service_date, due_units`` [1]; None where every line stands on the first day.
    """
    if coded.policy.midnight != "split":
        return None
    over_midnight = chart.filter(pl.col("last_date") > pl.col("service_date"))
    numbers = over_midnight.select("encounter_id", "_n")
    lines = coded.lines.select("encounter_id", "code", "service_date", due_units="units")
    return lines.join(numbers, on="encounter_id").drop("encounter_id")


def with_days(charges: pl.LazyFrame, chart: pl.LazyFrame, due: pl.LazyFrame | None) -> pl.LazyFrame:
    """Add ``misplaced`` and ``later_day`` to charges to be compared, and correct ``days_off``.

    A first hour, a set-up and a short infusion belong on the day that the chart gives them, the
    first unless policy splits at midnight. Sources do not agree on the day of further hours: only
    where policy splits, the units of each date are held against the chart (``misplaced``);
    elsewhere ``later_day`` says that they stand on a later charted day.

    Parameters
    ----------
    charges
        As ``linked`` returns them, with ``role``.
    chart
        With ``_n``, ``service_date`` and ``last_date``.
    due
        As ``due_days`` returns it.
    """
    over_midnight = (
        chart.filter(pl.col("last_date") > pl.col("service_date"))
        .select("_n", _first_day="service_date")
        .collect()
    )
    plain = charges.with_columns(misplaced=pl.lit(False), later_day=pl.lit(False))
    if over_midnight.is_empty():
        return plain
    ours = _N.is_in(over_midnight["_n"].implode()).fill_null(False) & pl.col("role").is_in(
        list(ROLES)
    )
    day, first = pl.col("service_date"), pl.col("_first_day")
    rows = plain.filter(ours).join(over_midnight.lazy(), on="_n", maintain_order="left")
    further = pl.col("role") == "further_hour"
    from_first = (day - first).dt.total_days().abs()
    if due is None:
        rows = rows.with_columns(
            days_off=pl.when(further).then("days_off").otherwise(from_first),
            later_day=further & (day > first),
        )
    else:
        rows = _held_against(rows, due, further, from_first)
    return pl.concat([plain.filter(~ours), rows.select(plain.collect_schema().names())])


def _held_against(
    rows: pl.LazyFrame, due: pl.LazyFrame, further: pl.Expr, from_first: pl.Expr
) -> pl.LazyFrame:
    """Days off the dates of the lines, and units that stand on another of them."""
    days = due.rename({"service_date": "_due_day"})
    off = (pl.col("service_date") - pl.col("_due_day")).dt.total_days().abs()
    nearest = (
        rows.join(days, on=["_n", "code"])
        .group_by("_row")
        .agg(
            off.min().alias("_nearest"), (pl.col("due_units").filter(off == 0)).sum().alias("_due")
        )
    )
    alone = pl.when(further).then("days_off").otherwise(from_first)
    by_day = ["_n", "code", "service_date"]
    asked = pl.col("units").sum().over(by_day)
    return (
        rows.join(nearest, on="_row", how="left", maintain_order="left")
        .with_columns(days_off=pl.coalesce("_nearest", alone))
        .with_columns(
            misplaced=(pl.col("days_off") == 0) & (asked > pl.col("_due")).fill_null(False)
        )
    )
