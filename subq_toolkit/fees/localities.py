"""The localities of the physician fee schedule, and a code's amount in each of them."""

from datetime import date

import polars as pl

from subq_toolkit.fees.physician import physician_rates
from subq_toolkit.fees.schedules import Physician
from subq_toolkit.fees.tables import FeeTables, bundled_tables
from subq_toolkit.formulas import check_day


def localities(on: date, *, tables: FeeTables | None = None) -> pl.DataFrame:
    """Localities with figures on a day: ``locality, state, name, gpci_work, gpci_pe, gpci_mp``."""
    check_day(on)
    rows = _in_force((tables or bundled_tables())["gpcis"], on)
    columns = ("locality", "state", "name", "gpci_work", "gpci_pe", "gpci_mp", "standing", "cite")
    return rows.select(columns).sort("locality")


def ranked_localities(
    code: str, on: date, *, apm: bool = False, tables: FeeTables | None = None
) -> pl.DataFrame:
    """A code's amount in every locality with figures on a day, highest first.

    Returns
    -------
    pl.DataFrame
        ``rank, locality, state, name, rate_usd`` [USD], ``standing, cite``.
    """
    tables = tables or bundled_tables()
    asked = (
        localities(on, tables=tables)
        .lazy()
        .select(
            "locality",
            code=pl.lit(code),
            service_date=pl.lit(on),
            facility=pl.lit(False),
        )
    )
    rates = physician_rates(asked, Physician(apm=apm), tables).select("locality", "rate_usd")
    known = localities(on, tables=tables).select("locality", "state", "name", "standing", "cite")
    ranked = known.join(rates.collect(), on="locality", how="left", maintain_order="left")
    ranked = ranked.sort("rate_usd", "locality", descending=[True, False], nulls_last=True)
    return ranked.select(
        pl.int_range(1, pl.len() + 1).alias("rank"), "locality", "state", "name", "rate_usd",
        "standing", "cite",
    )  # fmt: skip


def _in_force(rows: pl.DataFrame, on: date) -> pl.DataFrame:
    ended = (pl.col("until") < on).fill_null(False)
    return rows.filter(pl.col("start") <= on, ~ended)
