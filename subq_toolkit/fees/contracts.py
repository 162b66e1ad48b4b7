"""Contracts: a table of code and terms, read, checked and applied to claim lines.

A contract says for each code and span of days how it is paid:

``amount``             so much a unit [USD]
``share_of_medicare``  so much of the Medicare amount of the line [1]
``share_of_charges``   so much of what was charged [1]; ``floor_usd`` and ``cap_usd`` hold it in
``per_diem``           so much once a day, however many lines and units [USD]
``case_rate``          so much once an encounter; every other line of it is in that rate [USD]
"""

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.fees.money import USD, exact, to_cents
from subq_toolkit.fees.schedules import Outpatient, Physician
from subq_toolkit.fees.tables import on_the_day

METHODS = ("amount", "share_of_medicare", "share_of_charges", "per_diem", "case_rate")
_SHARES = ("share_of_medicare", "share_of_charges")
_SCHEMA = {
    "code": pl.String,
    "method": pl.String,
    "value": pl.Decimal(18, 4),
    "floor_usd": pl.Decimal(18, 4),
    "cap_usd": pl.Decimal(18, 4),
    "start": pl.Date,
    "until": pl.Date,
}
_OPTIONAL = ("floor_usd", "cap_usd", "until")
_LARGEST_SHARE = Decimal(10)


@dataclass(frozen=True, eq=False)
class Contract:
    """One payer's terms; made by ``read_contract`` or ``contract``.

    Attributes
    ----------
    name
        How the contract is named in results.
    terms
        ``code, method, value, floor_usd, cap_usd, start, until``, checked.
    medicare
        Whose amount ``share_of_medicare`` is a share of.
    """

    name: str
    terms: pl.DataFrame
    medicare: Physician | Outpatient


def read_contract(
    path: str | Path, *, name: str | None = None, medicare: Physician | Outpatient | None = None
) -> Contract:
    """Read a contract from a CSV file; see ``contract`` for its columns.

    Raises
    ------
    InputError
        If the file cannot be read, or says something that cannot be meant.
    """
    path = Path(path)
    try:
        rows = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as fault:
        raise InputError(
            f"{path.name} cannot be read as a contract ({type(fault).__name__}). Save it as CSV "
            f"with the columns {', '.join(_SCHEMA)}."
        ) from None
    return contract(rows, name=name or path.stem, medicare=medicare)


def contract(
    rows: pl.DataFrame, *, name: str, medicare: Physician | Outpatient | None = None
) -> Contract:
    """Make a contract from a table.

    Parameters
    ----------
    rows
        ``code``; ``method`` (one of ``METHODS``); ``value`` [USD] or a share [1];
        ``floor_usd`` and ``cap_usd`` for a line [USD], empty for none; ``start`` and ``until``
        (both included, empty for no end). ``floor_usd``, ``cap_usd``, ``until`` may be absent.
    name
        How the contract is named in results.
    medicare
        Whose amount a share of Medicare is a share of; the national physician schedule by default.

    Raises
    ------
    InputError
        If a column is missing, an entry cannot be read, a percentage stands where a share is
        meant, or the spans of a code overlap or leave a gap.
    """
    missing = [column for column in _SCHEMA if column not in rows.columns + list(_OPTIONAL)]
    if missing:
        raise InputError(
            f"Contract {name!r} has no column {', '.join(map(repr, missing))}. It needs "
            f"{', '.join(_SCHEMA)}; {', '.join(_OPTIONAL)} may be left out."
        )
    terms = _typed(rows, name)
    _check_methods(terms, name)
    _check_values(terms, name)
    for (code,), spans in terms.sort("code", "start").group_by("code", maintain_order=True):
        _check_spans(spans.select("start", "until").rows(), code, name)
    return Contract(name, terms, medicare or Physician())


def _typed(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """The columns with their types; an entry that is there and cannot be read is refused."""
    columns = []
    for column, dtype in _SCHEMA.items():
        if column not in rows.columns:
            columns.append(pl.lit(None, dtype=dtype).alias(column))
            continue
        text = pl.col(column).cast(pl.String).str.strip_chars().replace("", None)
        read = (
            text.str.to_date(strict=False) if dtype == pl.Date else text.cast(dtype, strict=False)
        )
        lost = rows.select((text.is_not_null() & read.is_null()).sum()).item()
        if lost:
            raise InputError(
                f"Contract {name!r}: {lost} entr{'y' if lost == 1 else 'ies'} of '{column}' cannot "
                f"be read. Write {'days as 2026-01-31' if dtype == pl.Date else 'plain numbers'}."
            )
        columns.append(read.alias(column))
    typed = rows.select(columns)
    for column in ("code", "method", "value", "start"):
        if gaps := typed[column].null_count():
            raise InputError(
                f"Contract {name!r}: '{column}' is empty in {gaps} row(s). Fill it in."
            )
    return typed


def _check_methods(terms: pl.DataFrame, name: str) -> None:
    unknown = terms.filter(~pl.col("method").is_in(list(METHODS))).height
    if unknown:
        raise InputError(
            f"Contract {name!r}: 'method' is unknown in {unknown} row(s). It is one of "
            f"{', '.join(METHODS)}."
        )


def _check_values(terms: pl.DataFrame, name: str) -> None:
    shares = terms.filter(pl.col("method").is_in(list(_SHARES)), pl.col("value") > _LARGEST_SHARE)
    if not shares.is_empty():
        first = shares["value"][0]
        raise InputError(
            f"Contract {name!r}: 'value' is a share for {', '.join(_SHARES)}, and {shares.height} "
            f"row(s) hold a percentage. For {first.normalize():f} percent write "
            f"{(first / 100).normalize():f}."
        )
    amounts = ("value", "floor_usd", "cap_usd")
    negative = terms.filter(pl.any_horizontal(pl.col(one) < 0 for one in amounts)).height
    if negative:
        raise InputError(
            f"Contract {name!r}: {negative} row(s) hold a negative amount. Correct it."
        )
    crossed = terms.filter(pl.col("floor_usd") > pl.col("cap_usd")).height
    if crossed:
        raise InputError(
            f"Contract {name!r}: 'floor_usd' is above 'cap_usd' in {crossed} row(s). Swap them."
        )


def _check_spans(spans: list[tuple], code: str, name: str) -> None:
    for start, until in spans:
        if until is not None and until < start:
            raise InputError(f"Contract {name!r}, {code}: a span ends {until}, before {start}.")
    for (start, until), (following, _) in pairwise(spans):
        if until is None or until >= following:
            raise InputError(
                f"Contract {name!r}, {code}: the spans from {start} and from {following} overlap. "
                f"Give the older one an 'until' before {following}."
            )
        if (following - until).days > 1:
            raise InputError(
                f"Contract {name!r}, {code}: nothing holds between {until} and {following}. Close "
                f"the gap, or add a row for those days."
            )


def contract_lines(lines: pl.LazyFrame, terms: Contract) -> pl.LazyFrame:
    """Price claim lines under a contract.

    Parameters
    ----------
    lines
        ``encounter_id, service_date, code, units``, ``_charge`` (of the line, null if not
        known) and ``_medicare_usd`` (its Medicare amount, null if not known).
    terms
        The contract.

    Returns
    -------
    pl.LazyFrame
        ``lines`` with ``rate_usd, allowed_usd, status, basis, cite``; a line in a case rate is
        ``packaged``, one whose base is not known is ``missing``.
    """
    keep = ["method", "value", "floor_usd", "cap_usd"]
    codes = lines.select("code", "service_date").unique()
    found = on_the_day(codes, terms.terms, by=["code"], keep=keep)
    rows = lines.join(found, on=["code", "service_date"], how="left").sort(
        "encounter_id", "service_date", "code"
    )
    method = pl.col("method")
    once = {"per_diem": ["encounter_id", "service_date", "code"], "case_rate": ["encounter_id"]}
    first = pl.lit(True)
    for kind, by in once.items():
        of_kind = pl.when(method == kind).then(pl.struct(by))
        first = first & (of_kind.is_first_distinct() | (method != kind).fill_null(True))
    cased = (method == "case_rate").any().over("encounter_id").fill_null(False)
    rows = rows.with_columns(_first=first, _cased=cased & (method != "case_rate").fill_null(True))
    amount = _amount(method)
    packaged = pl.col("_cased") | ~pl.col("_first")
    status = (
        pl.when(packaged).then(pl.lit("packaged"))
        .when(amount.is_null()).then(pl.lit("missing"))
        .otherwise(pl.lit("paid"))
    )  # fmt: skip
    allowed = pl.when(status == "packaged").then(pl.lit(0, USD)).otherwise(to_cents(amount))
    return rows.with_columns(
        rate_usd=to_cents(exact(allowed) / pl.col("units")),
        allowed_usd=allowed,
        status=status,
        basis=_basis(method),
        cite=pl.lit(f"contract '{terms.name}'"),
    ).drop(*keep, "_first", "_cased")


def _amount(method: pl.Expr) -> pl.Expr:
    """The amount of a line, exact, before it is known to be packaged."""
    value = exact(pl.col("value"))
    of_line = (
        pl.when(method == "amount")
        .then(value * exact(pl.col("units")))
        .when(method == "share_of_medicare")
        .then(value * exact(pl.col("_medicare_usd")))
        .when(method == "share_of_charges")
        .then(value * exact(pl.col("_charge")))
        .when(method.is_in(["per_diem", "case_rate"]))
        .then(value)
    )
    least = pl.max_horizontal(of_line, exact(pl.col("floor_usd")))
    held = pl.min_horizontal(least, exact(pl.col("cap_usd")))
    return pl.when(of_line.is_not_null()).then(held)


def _basis(method: pl.Expr) -> pl.Expr:
    words = {
        "amount": "amount a unit",
        "share_of_medicare": "share of the Medicare amount",
        "share_of_charges": "share of the charge",
        "per_diem": "once a day",
        "case_rate": "once an encounter",
    }
    told = pl.concat_str(
        method.replace_strict(words, default=None), pl.lit(": "), pl.col("value").cast(pl.String)
    )
    return (
        pl.when("_cased").then(pl.lit("in the case rate of the encounter"))
        .when(~pl.col("_first")).then(pl.lit("paid once: on another line"))
        .when(method.is_null()).then(pl.lit("the contract has no terms for this code and day"))
        .when((method == "share_of_charges") & pl.col("_charge").is_null())
        .then(pl.lit("a share of the charge, and the charge is not known"))
        .when((method == "share_of_medicare") & pl.col("_medicare_usd").is_null())
        .then(pl.lit("a share of the Medicare amount, and that is not known"))
        .otherwise(told)
    )  # fmt: skip
