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

_NEEDED = ("encounter_id", "service_date", "schedule", "allowed_usd")
_ADDED = ["deductible_usd", "coinsurance_usd", "beneficiary_usd", "medicare_usd"]
_ADDED += ["sequestered_usd", "medicare_paid_usd", "received_usd"]
#: How the schedules of Medicare are named in results.
_OF_MEDICARE = r"^(mpfs |opps \()"
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
        ``received_usd`` (from both). [USD] All null where no allowed amount is known, and for
        a schedule that is not Medicare's: what is left to the patient stands in the contract.

    Raises
    ------
    InputError
        If ``allowed_usd`` is missing or an amount is out of range.
    """
    number("deductible_usd", deductible_usd, _AMOUNT)
    if coinsurance_cap_usd is not None:
        number("coinsurance_cap_usd", coinsurance_cap_usd, _AMOUNT)
    tables = tables or bundled_tables()
    given, line = _checked(priced)
    rows = given.select(
        pl.col(line).alias("_line"),
        *("encounter_id", "service_date", "schedule"),
        pl.when(pl.col("schedule").str.contains(_OF_MEDICARE)).then("allowed_usd").cast(USD),
    ).sort("_line")
    rows = rows.with_columns(deductible_usd=_deductible(_usd(deductible_usd)))
    rows = on_the_day(rows, tables["sequestration"].rename({"rate": "_rate"}), keep=["_rate"])
    rest = pl.col("allowed_usd") - pl.col("deductible_usd")
    share = _coinsurance_share(tables) if coinsurance else constant(0)
    of_rest = to_cents(exact(rest) * exact(share))
    if coinsurance_cap_usd is not None:
        cap = _usd(coinsurance_cap_usd)
        of_rest = pl.when(of_rest > cap).then(cap).otherwise(of_rest)
    beneficiary = pl.col("deductible_usd") + pl.col("coinsurance_usd")
    rate = pl.col("_rate").fill_null(0) if sequestration else constant(0)
    taken = to_cents(exact(pl.col("medicare_usd")) * exact(rate))
    paid = pl.col("medicare_usd") - pl.col("sequestered_usd")
    rows = (
        rows.with_columns(coinsurance_usd=of_rest)
        .with_columns(beneficiary_usd=beneficiary, medicare_usd=rest - pl.col("coinsurance_usd"))
        .with_columns(sequestered_usd=taken)
        .with_columns(medicare_paid_usd=paid)
        .with_columns(received_usd=pl.col("beneficiary_usd") + pl.col("medicare_paid_usd"))
        .select("_line", pl.col(_ADDED).cast(USD))
    )
    return given.join(rows, left_on=line, right_on="_line", how="left").sort(line).drop(line)


def _checked(priced: pl.DataFrame | pl.LazyFrame) -> tuple[pl.LazyFrame, str]:
    """The lines with a number of their own, and its name; older shares are left out."""
    if not isinstance(priced, pl.DataFrame | pl.LazyFrame):
        raise InputError(
            f"who_pays takes the lines that price(...) returned; this is a {type(priced).__name__}."
        )
    schema = priced.lazy().collect_schema()
    missing = [name for name in _NEEDED if name not in schema]
    if missing:
        raise InputError(
            f"who_pays needs lines with {', '.join(map(repr, missing))}; hand in what price(...) "
            f"returned."
        )
    name = "line"
    while name in schema:
        name = f"{name}_"
    return priced.lazy().drop(_ADDED, strict=False).with_row_index(name).cache(), name


def _usd(amount: float) -> pl.Expr:
    return pl.lit(f"{amount:.2f}").cast(USD)


def _deductible(left: pl.Expr) -> pl.Expr:
    """What of the deductible falls on each line: the rest of it, at most the line. [USD]"""
    known = pl.col("allowed_usd").fill_null(0)
    before = known.cum_sum().over("encounter_id") - known
    still = pl.max_horizontal(left - before.cast(USD), pl.lit(0, USD))
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
