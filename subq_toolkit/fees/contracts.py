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
from subq_toolkit.fees.schedules import Outpatient, Physician

METHODS = ("amount", "share_of_medicare", "share_of_charges", "per_diem", "case_rate")
_SHARES = ("share_of_medicare", "share_of_charges")
_SCHEMA = {
    "code": pl.String,
    "method": pl.String,
    "value": pl.Decimal(18, 9),
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
    if not isinstance(rows, pl.DataFrame):
        raise InputError(
            f"Contract {name!r}: hand in its terms as a Polars DataFrame; for a file use "
            f"read_contract(path)."
        )
    if medicare is not None and not isinstance(medicare, Physician | Outpatient):
        raise InputError(
            f"Contract {name!r}: 'medicare' is a Physician(...) or an Outpatient(...)."
        )
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
            text.str.to_date("%Y-%m-%d", strict=False)
            if dtype == pl.Date
            else text.cast(dtype, strict=False)
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
            raise InputError(
                f"Contract {name!r}, {code}: a span ends {until}, before {start}. Correct its "
                f"'start' or its 'until'."
            )
    for (start, until), (following, _) in pairwise(spans):
        if start == following:
            raise InputError(
                f"Contract {name!r}, {code}: two rows begin {start} and overlap. Keep one of them."
            )
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
