"""On which of the days of an encounter a code belongs, and which charges stand on another."""

import polars as pl

from subq_toolkit.audit.charted import ROLES
from subq_toolkit.audit.credits import with_payer
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
    elsewhere ``later_day`` says that they stand on a later charted day. Beside charted injections
    a short infusion's code may stand on any day of the chart.

    Parameters
    ----------
    charges
        As ``linked`` returns them, with ``role``.
    chart
        With ``_n``, ``service_date, last_date, last_row_date, first_row_date, injections``.
    due
        As ``due_days`` returns it.
    """
    over_days = (
        chart.filter(pl.col("last_row_date") > pl.col("first_row_date"))
        .select("_n", "injections", _first_day="service_date", _last_day="last_date")
        .collect()
    )
    plain = charges.with_columns(misplaced=pl.lit(False), later_day=pl.lit(False))
    if over_days.is_empty():
        return plain
    ours = _N.is_in(over_days["_n"].implode()).fill_null(False) & pl.col("role").is_in(list(ROLES))
    day, first = pl.col("service_date"), pl.col("_first_day")
    rows = plain.filter(ours).join(over_days.lazy(), on="_n", maintain_order="left")
    further = pl.col("role") == "further_hour"
    shot = (pl.col("role") == "short_infusion") & (pl.col("injections") > 0)
    past = (day - pl.col("_last_day")).dt.total_days()
    from_first = (day - first).dt.total_days()
    rows = rows.with_columns(
        days_off=pl.when(further)
        .then(pl.max_horizontal(-from_first, past, 0))
        .when(~shot)
        .then(from_first.abs())
        .otherwise("days_off"),
        later_day=further & (day > first) & pl.lit(due is None),
    )
    if due is not None:
        rows = _held_against(rows, due, shot)
    return pl.concat([plain.filter(~ours), rows.select(plain.collect_schema().names())])


def _held_against(rows: pl.LazyFrame, due: pl.LazyFrame, shot: pl.Expr) -> pl.LazyFrame:
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
    rows = with_payer(rows, ["_n", "code"])
    asked = pl.col("net_units").clip(0).sum().over("_n", "code", "service_date", "_payer", "denied")
    return (
        rows.join(nearest, on="_row", how="left", maintain_order="left")
        .with_columns(
            days_off=pl.when(~shot).then(pl.coalesce("_nearest", "days_off")).otherwise("days_off")
        )
        .with_columns(
            misplaced=(pl.col("days_off") == 0) & (asked > pl.col("_due")).fill_null(False)
        )
    )
