"""Amounts of the Medicare hospital outpatient system (OPPS).

    line = rate × units × (labour share × wage index + rest)

by date of service, exact to the cent and rounded once a line, halves up. Status Q1 pays
nothing beside a line of status S, T or V of the same claim (encounter and day): it is
packaged, which is a zero that says so, and not a missing price.
"""

import difflib
from decimal import Decimal

import polars as pl

from subq_toolkit.conditions import says
from subq_toolkit.errors import InputError
from subq_toolkit.fees.money import exact, to_cents
from subq_toolkit.fees.rules import constant, rule, rule_cite
from subq_toolkit.fees.schedules import Outpatient
from subq_toolkit.fees.tables import FeeTables, on_the_day

_SI, _UNITS = pl.col("si"), pl.col("units")
_SEPARATE = ("S", "T", "V")
_DRUGS = ("K", "K1", "G")
_PAID = (*_SEPARATE, *_DRUGS, "J1")
_Q1 = "Q1"
#: Paid under another schedule, or by nobody under Medicare.
_NOT_PAID = ("A", "B", "C", "D", "E1", "E2", "M", "Y")
#: Codes whose payment in an excepted off-campus department changed: those of this family.
_ADMINISTRATION = pl.col("apc").is_in(["5691", "5692", "5693", "5694"])


def outpatient_lines(lines: pl.LazyFrame, terms: Outpatient, tables: FeeTables) -> pl.LazyFrame:
    """Price claim lines under OPPS.

    Parameters
    ----------
    lines
        ``encounter_id, service_date, code, units``.
    terms, tables
        The terms, and the tables to look up.

    Returns
    -------
    pl.LazyFrame
        ``lines`` with ``rate_usd`` (one unit, wage-adjusted; null where nothing is known),
        ``allowed_usd``, ``status`` (``paid, packaged, not_paid, missing``), ``basis``, ``cite``.
    """
    codes = lines.select("code", "service_date").unique()
    priced = lines.join(_rates(codes, terms, tables), on=["code", "service_date"], how="left")
    claim = ["encounter_id", "service_date"]
    separate = priced.filter(_SI.is_in(_SEPARATE), _UNITS > 0).select(claim).unique()
    priced = priced.join(separate.with_columns(_beside=True), on=claim, how="left")
    packaged = (_SI == _Q1) & pl.col("_beside").fill_null(False)
    status = pl.when(packaged).then(pl.lit("packaged")).otherwise("status")
    nothing = pl.when(status.is_in(["packaged", "not_paid"])).then(exact(constant(0)))
    paid = status == "paid"
    return priced.with_columns(
        status=status,
        rate_usd=to_cents(pl.when(paid).then("_exact").otherwise(nothing)),
        allowed_usd=to_cents(
            pl.when(paid).then(pl.col("_exact") * exact(_UNITS)).otherwise(nothing)
        ),
        basis=pl.when(packaged)
        .then(pl.lit("packaged: status Q1 beside a line of status S, T or V"))
        .otherwise("basis"),
    ).drop("si", "_exact", "_beside")


def _rates(codes: pl.LazyFrame, terms: Outpatient, tables: FeeTables) -> pl.LazyFrame:
    """What one unit of a code comes to on a day, standing alone on its claim."""
    found = on_the_day(
        codes,
        _with_latest_apc(tables["opps_rates"]).rename({"hcpcs": "code", "rate_usd": "published"}),
        by=["code"],
        keep=["si", "apc", "published", "cite"],
    )
    found = found.with_columns(
        _sole=_sole_community(terms, tables),
        _share=_department_share(terms, tables),
        _wage=_wage_index(terms, tables),
        _labour=rule(tables, "opps_labor_share"),
    )
    found = found.with_columns(_base=to_cents(exact(pl.col("published")) * exact(pl.col("_sole"))))
    found = found.with_columns(_exact=_adjusted()).with_columns(status=_status())
    return found.select(
        "code", "service_date", "si", "status", "_exact",
        basis=_basis(terms), cite=_cite(terms, tables),
    )  # fmt: skip


def _with_latest_apc(rates: pl.DataFrame) -> pl.DataFrame:
    """Rates with the APC last published for their code, where later files leave it out."""
    return rates.sort("hcpcs", "start").with_columns(
        pl.col("apc").fill_null(strategy="forward").over("hcpcs")
    )


def _adjusted() -> pl.Expr:
    """One unit, exact and, but for drugs, wage-adjusted; null where a factor is not known."""
    adjusts = exact(pl.col("_labour")) * exact(pl.col("_wage")) + constant(1) - pl.col("_labour")
    drug = exact(pl.col("published")) * exact(pl.col("_share"))
    for_area = exact(pl.col("_base")) * exact(pl.col("_share")) * exact(adjusts)
    return pl.when(_SI.is_in(_DRUGS)).then(drug).otherwise(for_area)


def _sole_community(terms: Outpatient, tables: FeeTables) -> pl.Expr:
    """The factor of rural sole community hospitals; not for section 603 departments. [1]"""
    if terms.rural_sole_community and terms.department != "off_campus":
        return rule(tables, "opps_rural_sole_community_factor")
    return constant(1)


def _department_share(terms: Outpatient, tables: FeeTables) -> pl.Expr:
    """Share of the rate that a department of this kind is paid. [1]"""
    one = constant(1)
    if terms.department == "off_campus":
        return pl.when(_SI.is_in(_DRUGS)).then(one).otherwise(rule(tables, "section_603_share"))
    if terms.department == "excepted_off_campus" and not terms.rural_sole_community:
        share = rule(tables, "excepted_off_campus_administration_share")
        return pl.when(_ADMINISTRATION & share.is_not_null()).then(share).otherwise(one)
    return one


def _wage_index(terms: Outpatient, tables: FeeTables) -> pl.Expr:
    """The wage index on each day; null where the area has none on record then. [1]

    Raises
    ------
    InputError
        If the area is unknown; the message lists the nearest.
    """
    if not isinstance(terms.wage_index, str):
        return constant(Decimal(str(terms.wage_index)))
    rows = tables["wage_indexes"].filter(pl.col("area") == terms.wage_index)
    if rows.is_empty():
        known = tables["wage_indexes"]["area"].unique().sort().to_list()
        near = difflib.get_close_matches(terms.wage_index, known, n=2, cutoff=0.4)
        meant = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
        raise InputError(
            f"There is no area of that name. {meant}Known: {', '.join(known)}. State the "
            f"hospital's own wage index as a number [1]."
        )
    chosen = pl.lit(None, dtype=pl.Decimal(18, 4))
    for start, until, value in rows.select("start", "until", "wage_index").rows():
        holds = (pl.col("service_date") >= start) & (
            pl.lit(True) if until is None else pl.col("service_date") <= until
        )
        chosen = pl.when(holds).then(constant(value)).otherwise(chosen)
    return chosen


def _status() -> pl.Expr:
    paid = _SI.is_in(_PAID) | (_SI == _Q1)
    known = pl.col("_exact").is_not_null()
    return (
        pl.when(_SI.is_null())
        .then(pl.lit("missing"))
        .when(_SI == "N")
        .then(pl.lit("packaged"))
        .when(paid & known)
        .then(pl.lit("paid"))
        .when(_SI.is_in(_NOT_PAID))
        .then(pl.lit("not_paid"))
        .otherwise(pl.lit("missing"))
    )


def _basis(terms: Outpatient) -> pl.Expr:
    """The arithmetic of an amount in words, or why there is none."""
    two, three = pl.Decimal(18, 2), pl.Decimal(18, 3)
    sole = says(" × {} (rural sole community) = {}", pl.col("_sole").cast(three), pl.col("_base"))
    applied = terms.rural_sole_community and terms.department != "off_campus"
    sums = says(
        "status {}: {}{} × {}, wage index {} on the labour share",
        _SI, pl.col("published").cast(two), sole if applied else pl.lit(""),
        pl.col("_share").cast(two), pl.col("_wage"),
    )  # fmt: skip
    return (
        pl.when(_SI.is_null() | ((pl.col("status") == "missing") & pl.col("published").is_null()))
        .then(pl.lit("no outpatient rate is on record for this code and day"))
        .when(_SI == "N")
        .then(pl.lit("packaged into other services (status N)"))
        .when(pl.col("status") == "not_paid")
        .then(says("not paid under this system (status {})", _SI))
        .when(~_SI.is_in([*_PAID, _Q1]))
        .then(says("how status {} is paid is not on record here", _SI))
        .when(_SI.is_in(_DRUGS))
        .then(says("status {}: {} a unit, the same in every area", _SI, pl.col("published")))
        .when(pl.col("_wage").is_null())
        .then(pl.lit("no wage index is on record for this area and day"))
        .when(pl.col("_exact").is_null())
        .then(pl.lit("a share or factor of the system is not on record for this day"))
        .otherwise(sums)
    )


def _cite(terms: Outpatient, tables: FeeTables) -> pl.Expr:
    names = ["opps_labor_share"]
    sole = terms.rural_sole_community and terms.department != "off_campus"
    names += ["opps_rural_sole_community_factor"] if sole else []
    names += {
        "off_campus": ["section_603_share"],
        "excepted_off_campus": ["excepted_off_campus_administration_share"],
        "on_campus": [],
    }[terms.department]
    places = []
    if isinstance(terms.wage_index, str):
        areas = tables["wage_indexes"].filter(pl.col("area") == terms.wage_index)
        places = [*dict.fromkeys(areas["cite"])]
    further = "; ".join([rule_cite(tables, name) for name in names] + places)
    return pl.concat_str("cite", pl.lit(further), separator="; ", ignore_nulls=True)
