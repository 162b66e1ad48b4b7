"""Which encounter of the chart a charge belongs to: by number, then by date.

Extracts write one number in several ways: with blanks, in another case, with leading zeros that
a spreadsheet drops. Numbers are compared without these; where two encounters of the chart would
then be the same, only the exact spelling counts.
"""

import polars as pl

#: Days by which a charge may miss the charted days and still belong to the encounter.
DAYS_OFF = 1


def comparable(encounter_id: pl.Expr) -> pl.Expr:
    """An encounter's number as it is compared: no blanks, upper case, no leading zeros."""
    plain = encounter_id.str.strip_chars().str.to_uppercase().str.strip_chars_start("0")
    return pl.when(plain == "").then(pl.lit("0")).otherwise(plain)


def keyed(chart: pl.LazyFrame) -> pl.LazyFrame:
    """The chart with ``_key``: its number as compared, or as written where that is not unique."""
    chart = chart.with_columns(_alike=comparable(pl.col("encounter_id")))
    twice = chart.group_by("_alike").len().filter(pl.col("len") > 1)
    exact = pl.lit("=") + pl.col("encounter_id")
    return (
        chart.join(twice.select("_alike", _twice=True), on="_alike", how="left")
        .with_columns(_key=pl.when("_twice").then(exact).otherwise("_alike"))
        .drop("_alike", "_twice")
        .sort("encounter_id")
    )


def with_key(charges: pl.LazyFrame, chart: pl.LazyFrame) -> pl.LazyFrame:
    """Charges with the ``_key`` of the encounter that they would belong to."""
    spelled = chart.select(_exact="_key").filter(pl.col("_exact").str.starts_with("="))
    return (
        charges.with_columns(_exact=pl.lit("=") + pl.col("encounter_id"))
        .join(spelled.with_columns(_spelled=True), on="_exact", how="left")
        .with_columns(
            _key=pl.when("_spelled").then("_exact").otherwise(comparable(pl.col("encounter_id")))
        )
        .drop("_exact", "_spelled")
    )


def linked(charges: pl.LazyFrame, chart: pl.LazyFrame) -> pl.LazyFrame:
    """Charges with the number of the encounter they belong to.

    Parameters
    ----------
    charges
        With ``_key`` and ``service_date``.
    chart
        With ``_key``, ``_n`` (number of the encounter), ``first_row_date, last_row_date``,
        ``intravenous`` and ``subcutaneous``.

    Returns
    -------
    pl.LazyFrame
        ``charges`` with ``_n`` (null: not in the chart on that day), ``_near`` (the encounter of
        that number, whatever the day), ``intravenous, subcutaneous``, ``days_off`` [d] (by how
        much the date of service misses the charted days, 0 within them) and ``elsewhere`` (the
        number is charted, on another date). A charge up to one day off still belongs to its
        encounter, and a credit does on any day.
    """
    days = chart.select(
        "_key", "_n", "intravenous", "subcutaneous", "first_row_date", "last_row_date"
    )
    day = pl.col("service_date")
    early = (pl.col("first_row_date") - day).dt.total_days()
    late = (day - pl.col("last_row_date")).dt.total_days()
    found = pl.col("_n").is_not_null()
    off = pl.max_horizontal(pl.lit(0), early, late)
    return (
        charges.join(days, on="_key", how="left")
        .with_columns(days_off=off)
        .with_columns(
            elsewhere=found & (pl.col("days_off") > DAYS_OFF) & (pl.col("net_units") >= 0)
        )
        .with_columns(_near="_n", _n=pl.when(~pl.col("elsewhere")).then("_n"))
        .drop("first_row_date", "last_row_date")
    )
