"""Amounts of the Medicare physician fee schedule.

    fee = (work × GPCI + practice expense × GPCI + malpractice × GPCI) × conversion factor

by locality and date of service, exact to the cent: the products are kept whole and rounded
once, halves up. Codes of PC/TC status 5 are not paid to a practitioner in a facility, though
the published file prints a facility total; that total is not kept.
"""

import polars as pl

from subq_toolkit.conditions import says
from subq_toolkit.fees.money import exact, to_cents
from subq_toolkit.fees.rules import constant, rule, rule_cite
from subq_toolkit.fees.schedules import Physician
from subq_toolkit.fees.tables import FeeTables, on_the_day

_VALUES = ("work_rvu", "nonfac_pe_rvu", "mp_rvu")
_INDEXES = ("gpci_work", "gpci_pe", "gpci_mp")
_FACTOR = "conversion_factor"
_TWO = pl.Decimal(18, 2)
_CITED = ("cite_values", "cite_factor", "cite_place", "cite_less")
#: Status of a code in the published file, and what it means for payment.
_NOT_PAID = {
    "I": "not valid for Medicare (status I)",
    "N": "not covered (status N)",
    "X": "excluded from the physician schedule by law (status X)",
    "B": "bundled into other services (status B)",
    "E": "excluded by regulation (status E)",
}


def physician_rates(codes: pl.LazyFrame, terms: Physician, tables: FeeTables) -> pl.LazyFrame:
    """Price one unit of each code on each day under the physician fee schedule.

    Parameters
    ----------
    codes
        ``code``, ``service_date``, ``facility`` (whether the place of service is one) and
        ``locality`` (null: the national amount).
    terms, tables
        The terms but for place and locality, and the tables to look up.

    Returns
    -------
    pl.LazyFrame
        ``codes`` with ``rate_usd`` (null unless paid), ``status``, ``basis`` and ``cite``.
    """
    found = on_the_day(
        codes,
        tables["relative_values"].rename(
            {"hcpcs": "code", "status": "code_status", "cite": "cite_values"}
        ),
        by=["code"],
        keep=["code_status", "pctc", *_VALUES, "cite_values"],
    )
    found = on_the_day(
        found,
        _factors(tables, apm=terms.apm).rename({"cite": "cite_factor"}),
        keep=[_FACTOR, "cite_factor"],
    )
    found = _with_gpcis(found, tables)
    fee = sum(exact(pl.col(v)) * exact(pl.col(g)) for v, g in zip(_VALUES, _INDEXES, strict=True))
    found = found.with_columns(fee_usd=to_cents(fee * exact(pl.col(_FACTOR))))
    less, cite_less = constant(1), pl.lit(None, pl.String)
    if not terms.participating:
        less = rule(tables, "nonparticipating_factor")
        cite_less = pl.lit(rule_cite(tables, "nonparticipating_factor"))
    rate = to_cents(exact(pl.col("fee_usd")) * exact(less))
    found = found.with_columns(rate_usd=rate, _less=less, cite_less=cite_less)
    return found.with_columns(status=_status()).select(
        *("code", "service_date", "facility", "locality", "status"),
        pl.when(pl.col("status") == "paid").then(pl.col("rate_usd")).alias("rate_usd"),
        _basis(terms).alias("basis"),
        pl.concat_str(_CITED, separator="; ", ignore_nulls=True).alias("cite"),
    )


def limiting_charge_usd(amount: pl.Expr, tables: FeeTables) -> pl.Expr:
    """Most that a practitioner who does not participate may charge for an amount. [USD]"""
    return to_cents(exact(amount) * exact(rule(tables, "limiting_charge_factor")))


def _factors(tables: FeeTables, *, apm: bool) -> pl.DataFrame:
    kinds = ["all", "yes" if apm else "no"]
    return tables["conversion_factors"].filter(pl.col("apm").is_in(kinds))


def _with_gpcis(rows: pl.LazyFrame, tables: FeeTables) -> pl.LazyFrame:
    """The indices of each row's locality; all 1 for the national amount, where it has none."""
    places = tables["gpcis"].rename({"cite": "cite_place"})
    rows = on_the_day(rows, places, by=["locality"], keep=[*_INDEXES, "name", "cite_place"])
    national, one = pl.col("locality").is_null(), constant(1)
    return rows.with_columns(
        **{name: pl.when(national).then(one).otherwise(name) for name in _INDEXES},
        name=pl.when(national).then(pl.lit("all GPCIs 1")).otherwise("name"),
    )


_STATUS = pl.col("code_status")
_AT_FACILITY = pl.col("facility") & (pl.col("pctc") == "5")


def _status() -> pl.Expr:
    """``paid``, ``not_paid`` or ``missing``; a missing figure is never a payment of zero."""
    known = pl.col("rate_usd").is_not_null()
    return (
        pl.when(_STATUS.is_in(list(_NOT_PAID)) | _AT_FACILITY)
        .then(pl.lit("not_paid"))
        .when((_STATUS == "A") & known)
        .then(pl.lit("paid"))
        .otherwise(pl.lit("missing"))
    )


def _basis(terms: Physician) -> pl.Expr:
    """The arithmetic of an amount in words, or why there is none."""
    values = [pl.col(one).cast(_TWO) for one in _VALUES]
    indexes = [pl.col(one).cast(pl.Decimal(18, 3)) for one in _INDEXES]
    factors = [one for pair in zip(values, indexes, strict=True) for one in pair]
    less = says(" = {} × {} (not participating)", pl.col("fee_usd"), pl.col("_less").cast(_TWO))
    sums = says(
        "({} × {} + {} × {} + {} × {}) × {}{}, {}",
        *factors,
        pl.col(_FACTOR),
        pl.lit("") if terms.participating else less,
        pl.col("name"),
    )
    return (
        pl.when(_AT_FACILITY)
        .then(pl.lit("facility place of service: not paid to a practitioner (PC/TC 5)"))
        .when(_STATUS.is_in(list(_NOT_PAID)))
        .then(_STATUS.replace_strict(_NOT_PAID, default=None, return_dtype=pl.String))
        .when(_STATUS.is_null())
        .then(pl.lit("no relative value is on record for this code and day"))
        .when(_STATUS != "A")
        .then(pl.lit("priced by the contractor (no amount in the schedule)"))
        .when(pl.col(_FACTOR).is_null())
        .then(pl.lit("no conversion factor is on record for this day"))
        .when(pl.col("gpci_work").is_null())
        .then(pl.lit("no GPCI is on record for this locality and day"))
        .when(pl.col("_less").is_null())
        .then(pl.lit("no share of those who do not participate is on record for this day"))
        .otherwise(sums)
    )
