"""A contract applied to claim lines: per unit, shares, once a day, once an encounter."""

import polars as pl

from subq_toolkit.fees.contracts import Contract
from subq_toolkit.fees.money import USD, exact, to_cents
from subq_toolkit.fees.tables import on_the_day


def contract_lines(lines: pl.LazyFrame, terms: Contract) -> pl.LazyFrame:
    """Price claim lines under a contract.

    Parameters
    ----------
    lines
        ``_line`` (their order), ``encounter_id, service_date, code, units``, ``_charge`` (of the
        line, null if not known) and what Medicare says: ``_medicare_usd, _medicare_status,
        _medicare_basis``.
    terms
        The contract.

    Returns
    -------
    pl.LazyFrame
        ``lines`` with ``rate_usd, allowed_usd, status, basis, cite``; a line in a case rate is
        ``packaged``, one whose base is not known is ``missing``, and a share of what Medicare
        does not pay is not paid either.
    """
    keep = ["method", "value", "floor_usd", "cap_usd"]
    codes = lines.select("code", "service_date").unique()
    found = on_the_day(codes, terms.terms, by=["code"], keep=keep)
    rows = lines.join(found, on=["code", "service_date"], how="left").sort("_line")
    method = pl.col("method")
    case = (method == "case_rate").fill_null(False)
    rows = rows.with_columns(
        _first=_is_first(method, "per_diem", ["encounter_id", "service_date", "code"])
        & _is_first(method, "case_rate", ["encounter_id"]),
        _cased=case.any().over("encounter_id") & ~case,
    )
    share = (method == "share_of_medicare").fill_null(False)
    free = share & pl.col("_medicare_status").is_in(["packaged", "not_paid"])
    amount = _held(method)
    status = (
        pl.when(pl.col("_cased") | ~pl.col("_first")).then(pl.lit("packaged"))
        .when(free).then("_medicare_status")
        .when(amount.is_null()).then(pl.lit("missing"))
        .otherwise(pl.lit("paid"))
    )  # fmt: skip
    nothing = status.is_in(["packaged", "not_paid"])
    allowed = pl.when(nothing).then(pl.lit(0, USD)).otherwise(to_cents(amount))
    units = pl.when(pl.col("units") > 0).then(pl.col("units"))
    return rows.with_columns(
        rate_usd=to_cents(exact(allowed) / units),
        allowed_usd=allowed,
        status=status,
        basis=_basis(method, free),
        cite=pl.lit(f"contract '{terms.name}'"),
    )


def _is_first(method: pl.Expr, kind: str, by: list[str]) -> pl.Expr:
    """Whether a line is the first of those that are paid once; true for every other."""
    of_kind = pl.when(method == kind).then(pl.struct(by))
    return of_kind.is_first_distinct() | (method != kind).fill_null(True)


def _held(method: pl.Expr) -> pl.Expr:
    """The amount of a line between floor and cap, exact, before it is known to be packaged."""
    of_line = _unheld(method)
    least = pl.max_horizontal(of_line, exact(pl.col("floor_usd")))
    held = pl.min_horizontal(least, exact(pl.col("cap_usd")))
    return pl.when(of_line.is_not_null()).then(held)


def _unheld(method: pl.Expr) -> pl.Expr:
    value = exact(pl.col("value"))
    return (
        pl.when(method == "amount")
        .then(value * exact(pl.col("units")))
        .when(method == "share_of_medicare")
        .then(value * exact(pl.col("_medicare_usd")))
        .when(method == "share_of_charges")
        .then(value * exact(pl.col("_charge")))
        .when(method.is_in(["per_diem", "case_rate"]))
        .then(value)
    )


_WORDS = {
    "amount": "amount a unit",
    "share_of_medicare": "share of the Medicare amount",
    "share_of_charges": "share of the charge",
    "per_diem": "once a day",
    "case_rate": "once an encounter",
}


def _basis(method: pl.Expr, free: pl.Expr) -> pl.Expr:
    value = pl.col("value").cast(pl.String).str.replace(r"\.?0+$", "")
    unheld = _unheld(method)
    held = (
        pl.when(unheld < exact(pl.col("floor_usd"))).then(pl.lit(", held up by the floor"))
        .when(unheld > exact(pl.col("cap_usd"))).then(pl.lit(", held down by the cap"))
        .otherwise(pl.lit(""))
    )  # fmt: skip
    word = method.replace_strict(_WORDS, default=None, return_dtype=pl.String)
    told = pl.concat_str(word, pl.lit(": "), value, held)
    return (
        pl.when("_cased").then(pl.lit("in the case rate of the encounter"))
        .when(~pl.col("_first")).then(pl.lit("paid once: on another line"))
        .when(method.is_null()).then(pl.lit("the contract has no terms for this code and day"))
        .when(free).then(pl.concat_str(pl.lit("a share of nothing: "), "_medicare_basis"))
        .when((method == "share_of_charges") & pl.col("_charge").is_null())
        .then(pl.lit("a share of the charge, and the charge is not known"))
        .when((method == "share_of_medicare") & pl.col("_medicare_usd").is_null())
        .then(pl.lit("a share of the Medicare amount, and that is not known"))
        .otherwise(told)
    )  # fmt: skip
