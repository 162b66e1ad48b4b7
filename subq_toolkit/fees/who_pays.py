"""Who pays what of an allowed amount: beneficiary, Medicare, and what sequestration takes.

    beneficiary = deductible + coinsurance of the rest
    Medicare    = the rest, less sequestration on its own share, by date of service

Every step is rounded to the cent, halves up, and the shares add up to what was allowed.
"""

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.fees.money import USD, exact, to_cents
from subq_toolkit.fees.rules import constant, rule
from subq_toolkit.fees.tables import FeeTables, bundled_tables, on_the_day
from subq_toolkit.formulas import Bound, number

_ZERO = pl.lit(0, USD)
_AMOUNT = Bound("a number, zero or more", 0)


def who_pays(
    priced: pl.DataFrame | pl.LazyFrame,
    *,
    deductible_usd: float = 0,
    coinsurance: bool = True,
    sequestration: bool = True,
    coinsurance_cap_usd: float | None = None,
    tables: FeeTables | None = None,
) -> pl.LazyFrame:
    """Divide the allowed amount of each line.

    Parameters
    ----------
    priced
        What ``price`` returned under a Medicare schedule.
    deductible_usd
        What of the yearly deductible each encounter has still to meet; it falls on its lines in
        their order. [USD]
    coinsurance, sequestration
        Whether these steps are taken.
    coinsurance_cap_usd
        Most that coinsurance may come to for a line: in a hospital the inpatient deductible of
        the year, which is not among the bundled figures. [USD] None for no cap.
    tables
        The dated shares; the bundled ones by default.

    Returns
    -------
    pl.LazyFrame
        ``priced`` with ``deductible_usd, coinsurance_usd, beneficiary_usd`` (both together),
        ``medicare_usd`` (before sequestration), ``sequestered_usd``, ``medicare_paid_usd`` and
        ``received_usd`` (from both). [USD] All null where no allowed amount is known.

    Raises
    ------
    InputError
        If ``allowed_usd`` is missing or an amount is out of range.
    """
    number("deductible_usd", deductible_usd, _AMOUNT)
    if coinsurance_cap_usd is not None:
        number("coinsurance_cap_usd", coinsurance_cap_usd, _AMOUNT)
    rows, tables = priced.lazy(), tables or bundled_tables()
    if "allowed_usd" not in rows.collect_schema():
        raise InputError(
            "who_pays needs lines with 'allowed_usd'; hand in what price(...) returned."
        )
    rows = rows.with_row_index("_line").with_columns(
        deductible_usd=_deductible(pl.lit(str(deductible_usd)).cast(USD))
    )
    rows = on_the_day(
        rows, tables["sequestration"].rename({"rate": "_rate"}), keep=["_rate"]
    )  # fmt: skip
    rest = pl.col("allowed_usd") - pl.col("deductible_usd")
    share = _coinsurance_share(tables) if coinsurance else constant(0)
    of_rest = to_cents(exact(rest) * exact(share))
    if coinsurance_cap_usd is not None:
        of_rest = pl.min_horizontal(of_rest, pl.lit(str(coinsurance_cap_usd)).cast(USD))
    rows = rows.with_columns(coinsurance_usd=of_rest, _rest=rest)
    rows = rows.with_columns(
        beneficiary_usd=pl.col("deductible_usd") + pl.col("coinsurance_usd"),
        medicare_usd=pl.col("_rest") - pl.col("coinsurance_usd"),
    )
    rate = pl.col("_rate").fill_null(0) if sequestration else constant(0)
    rows = rows.with_columns(
        sequestered_usd=to_cents(exact(pl.col("medicare_usd")) * exact(rate))
    ).with_columns(medicare_paid_usd=pl.col("medicare_usd") - pl.col("sequestered_usd"))
    received = pl.col("beneficiary_usd") + pl.col("medicare_paid_usd")
    return rows.with_columns(received_usd=received).sort("_line").drop("_line", "_rest", "_rate")


def _deductible(left: pl.Expr) -> pl.Expr:
    """What of the deductible falls on each line: the rest of it, at most the line. [USD]"""
    known = pl.col("allowed_usd").fill_null(0)
    before = known.cum_sum().over("encounter_id") - known
    still = pl.max_horizontal(left - before.cast(USD), _ZERO)
    met = pl.min_horizontal(still, pl.col("allowed_usd"))
    return pl.when(pl.col("allowed_usd").is_not_null()).then(met).cast(USD)


def _coinsurance_share(tables: FeeTables) -> pl.Expr:
    """The share of the schedule that priced the line. [1]"""
    hospital = pl.col("schedule").str.starts_with("opps")
    return (
        pl.when(hospital)
        .then(rule(tables, "opps_coinsurance"))
        .otherwise(rule(tables, "medicare_coinsurance"))
    )
