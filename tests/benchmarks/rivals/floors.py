"""The least that any way must do with the file: read it, group it, join it; no rule at all."""

import numpy as np
import polars as pl

from .given import DENIED, DRAWS, SOONER, USD, Given


def coding(given: Given) -> pl.DataFrame:
    """The lengths of an encounter's runs added up, overlaps and all."""
    length = pl.col("stop_at") - pl.col("start_at")
    return (
        pl.scan_parquet(given.administrations).group_by("encounter_id").agg(length.sum()).collect()
    )


def audit(given: Given) -> pl.DataFrame:
    """The bare join of charges and encounters."""
    charges = pl.scan_parquet(given.charges)
    return charges.join(given.encounters.lazy(), on="encounter_id", how="left").collect()


def summary(given: Given) -> pl.DataFrame:
    """Lengths added up by encounter, then counted by minutes, month and payer."""
    rows = pl.scan_parquet(given.administrations)
    length = (pl.col("stop_at") - pl.col("start_at")).sum()
    month = pl.col("start_at").min().dt.date().dt.truncate("1mo")
    by = rows.group_by("encounter_id").agg(
        minutes=length.dt.total_minutes(), month=month, payer=pl.col("payer").min()
    )
    return by.group_by("minutes", "month", "payer").len().collect()


def scenario(given: Given) -> pl.DataFrame:
    """Units and amounts written out for this one contract, from the same summary."""
    counts = given.minute_summary.counts.lazy()
    times = pl.col("encounters")
    parts = []
    for name, sooner in SOONER.items():
        minutes = pl.col("minutes") + sooner
        first = (minutes >= 16).cast(pl.Int64)
        further = first * ((minutes - 31) // 60).clip(0)
        units = {"96369": first, "96370": further, "96372": 1 - first}
        parts += [
            counts.select(code=pl.lit(code), units=(one * times).sum()).with_columns(
                scenario=pl.lit(name), usd=pl.col("units") * USD[code]
            )
            for code, one in units.items()
        ]
    return pl.concat(pl.collect_all(parts))


def limits(given: Given) -> pl.DataFrame:
    """The largest charted rate by encounter, of no product in particular."""
    rows = pl.scan_parquet(given.administrations)
    rate = pl.col("rate_ml_per_h") / pl.col("needles")
    return rows.group_by("encounter_id").agg(rate.max()).collect()


def draws(given: Given) -> np.ndarray:
    """Counts of equal encounters drawn at once."""
    usd, times = np.unique(given.usd, return_counts=True)
    random, n = np.random.default_rng(1), int(times.sum())
    return random.multinomial(n, times / n, size=DRAWS) @ usd * (1 - DENIED)
