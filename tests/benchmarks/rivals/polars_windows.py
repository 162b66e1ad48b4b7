"""Polars as one writes it from a textbook: each run after the latest stop before it, by windows.

Answers the narrow question only; rows that cannot be right are left out without a word.
"""

import polars as pl

from .given import SOONER, USD, Given


def coding(given: Given) -> pl.DataFrame:
    """Minutes and units of every encounter."""
    return _minutes(given).with_columns(**_units(pl.col("minutes"))).collect()


def summary(given: Given) -> pl.DataFrame:
    """Encounters counted by minutes, month and payer."""
    return _minutes(given).group_by("minutes", "month", "payer").len("encounters").collect()


def scenario(given: Given) -> pl.DataFrame:
    """Minutes from the file, then units and amounts under both steps."""
    minutes = _minutes(given).select("minutes").collect()
    rows = []
    for name, sooner in SOONER.items():
        units = minutes.select(**_units(pl.col("minutes") + sooner)).sum().row(0, named=True)
        for column, count in units.items():
            code = column.removeprefix("units_")
            rows.append({"scenario": name, "code": code, "units": count, "usd": count * USD[code]})
    return pl.DataFrame(rows)


def _minutes(given: Given) -> pl.LazyFrame:
    start, stop = pl.col("start_at"), pl.col("stop_at")
    ended = stop.cum_max().shift(1).over("encounter_id", order_by=["start_at", "stop_at"])
    begins = pl.max_horizontal(start, ended)
    return (
        pl.scan_parquet(given.administrations)
        .filter(
            pl.col("route") == "subcutaneous", pl.col("mode").ne_missing("bolus"), stop >= start
        )
        .select(
            "encounter_id",
            "payer",
            "start_at",
            "stop_at",
            ran=pl.max_horizontal(stop, begins) - begins,
        )
        .group_by("encounter_id")
        .agg(
            minutes=pl.col("ran").sum().dt.total_minutes(),
            month=start.min().dt.date().dt.truncate("1mo"),
            payer=pl.col("payer").min(),
        )
    )


def _units(minutes: pl.Expr) -> dict[str, pl.Expr]:
    first = (minutes >= 16).cast(pl.Int64)
    further = ((minutes - 31) // 60).clip(0)
    return {"units_96369": first, "units_96370": further, "units_96372": 1 - first}
