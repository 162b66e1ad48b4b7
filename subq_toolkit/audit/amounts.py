"""What billed and supported units are worth at one schedule."""

import polars as pl

from subq_toolkit.fees import price
from subq_toolkit.fees.contracts import Contract
from subq_toolkit.fees.schedules import Outpatient, Physician

Schedule = str | Physician | Outpatient | Contract
USD = pl.Decimal(14, 2)


#: A hospital's lines at the outpatient system, all others at the physician schedule.
BY_SETTING = "by_setting"


def with_amounts(rows: pl.LazyFrame, *, schedule: Schedule, locality: str | None) -> pl.LazyFrame:
    """Add ``billed_usd, supported_usd, difference_usd`` [USD] to classified rows.

    Both sides are priced as claims of their own, under the setting of the chart (a revenue code
    that was billed counts only where no setting is charted), since what stands beside a line may
    decide what it is paid. Zero units are worth nothing; a price that is not known is null.
    """
    narrow = rows.select(
        "_n", "service_date", "code", "billed_units", "supported", "setting", "locality",
        revenue_code=pl.when(pl.col("setting").is_null())
        .then("billed_revenue")
        .otherwise("revenue_code"),
        _claim=pl.when(pl.col("_n").is_null()).then(
            pl.struct("encounter_id", "service_date").rank("dense")
        ),
    )  # fmt: skip
    numbered = narrow.with_row_index("_row_no").collect()
    sides = {"billed_usd": "billed_units", "supported_usd": "supported"}
    worth = [_worth(numbered, units, schedule, locality).alias(usd) for usd, units in sides.items()]
    difference = (pl.col("billed_usd") - pl.col("supported_usd")).cast(USD)
    return rows.collect().with_columns(worth).lazy().with_columns(difference_usd=difference)


def _worth(rows: pl.DataFrame, units: str, schedule: Schedule, locality: str | None) -> pl.Series:
    """What one side is allowed, row by row; null where the units or the price are not known."""
    # Charges that belong to no encounter of the chart are claims by number and day.
    number = pl.coalesce(pl.col("_n").cast(pl.Int64), -1 - pl.col("_claim").cast(pl.Int64))
    claims = rows.lazy().filter(pl.col(units) > 0).with_columns(encounter_id=number, units=units)
    priced = _priced(claims, schedule, locality)
    every = (
        rows.lazy()
        .select("_row_no", units)
        .join(priced, on="_row_no", how="left", maintain_order="left")
    )
    nothing = pl.when(pl.col(units) <= 0).then(pl.lit(0, USD))
    return every.select(nothing.otherwise("allowed_usd").cast(USD)).collect().to_series()


def _priced(claims: pl.LazyFrame, schedule: Schedule, locality: str | None) -> pl.LazyFrame:
    """``_row_no`` and ``allowed_usd`` of the claims."""
    if schedule != BY_SETTING:
        priced = price(claims, schedule=schedule, locality=locality)
    else:
        hospital = pl.col("revenue_code").is_not_null()
        priced = pl.concat(
            [
                price(claims.filter(hospital), schedule="opps"),
                price(claims.filter(~hospital), schedule="mpfs", locality=locality),
            ]
        )
    return priced.select("_row_no", "allowed_usd")
