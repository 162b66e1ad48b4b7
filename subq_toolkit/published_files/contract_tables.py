"""Published prices as the terms of a contract, in the columns that ``read_contract`` reads."""

import warnings
from datetime import date
from difflib import get_close_matches

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.published_files.price_files import PriceFile
from subq_toolkit.published_files.price_rows import USD

_KINDS = ("negotiated", "gross", "cash")
_METHODS = {"per diem": "per_diem", "case rate": "case_rate"}
_OF_CHARGES = "percent of total billed charges"
_COLUMNS = ("code", "method", "value", "floor_usd", "cap_usd", "start", "until")
_TOLD_APART = ("payer", "plan", "setting", "billing_class")


def contract_table(
    file: PriceFile,
    *,
    payer: str | None = None,
    plan: str | None = None,
    kind: str = "negotiated",
    setting: str | None = None,
    start: date | None = None,
) -> pl.DataFrame:
    """Turn prices into a contract table: one row a code.

    Parameters
    ----------
    file
        Prices of a hospital.
    payer, plan, setting
        Keep only these; capitals do not count. A price for ``both`` settings counts for each.
    kind
        ``negotiated``, ``gross`` or ``cash``.
    start
        First day of the terms; the day the file was updated by default.

    Returns
    -------
    pl.DataFrame
        ``code, method, value, floor_usd, cap_usd, start, until``. ``method`` is ``amount``
        [USD], ``per_diem`` or ``case_rate`` where the hospital says so [USD], or
        ``share_of_charges`` [1]. Write it with ``write_csv``.

    Raises
    ------
    InputError
        If nothing is left, the first day is not known, or a code has several prices; the message
        says what tells them apart.

    Warns
    -----
    UserWarning
        If prices were left out: those with modifiers, and percentages of anything but charges.
    """
    if kind not in _KINDS:
        raise InputError(f"kind is one of {', '.join(_KINDS)}, not {kind!r}.")
    first = start or file.updated_on
    if first is None:
        raise InputError(
            f"'{file.file}' does not say when it was updated. State the first day of the terms, "
            f"e.g. start=date(2026, 1, 1)."
        )
    rows = file.prices.filter(pl.col("kind") == kind)
    for name, value in {"payer": payer, "plan": plan, "setting": setting}.items():
        rows = _only(rows, name, value, file.file)
    terms = _terms(rows)
    usable = terms.filter(pl.col("method").is_not_null(), pl.col("modifiers").is_null())
    _tell_left_out(terms.height - usable.height, file.file)
    if usable.is_empty():
        raise InputError(
            f"'{file.file}' has no {kind} price that can stand in a contract table. Look at its "
            f"prices and set_aside."
        )
    _require_one_each(usable)
    blank = pl.lit(None, dtype=USD)
    return (
        usable.unique(["code", "method", "value"])
        .with_columns(
            floor_usd=blank, cap_usd=blank, start=first, until=pl.lit(None, dtype=pl.Date)
        )
        .select(_COLUMNS)
        .sort("code")
    )


def _only(rows: pl.DataFrame, name: str, value: str | None, file: str) -> pl.DataFrame:
    if value is None:
        return rows
    text = pl.col(name).str.to_lowercase()
    kept = rows.filter((text == value.lower()) | ((text == "both") & (name == "setting")))
    if kept.is_empty():
        known = sorted(rows[name].drop_nulls().unique())
        near = get_close_matches(value, known, n=5, cutoff=0.3) or known[:5]
        raise InputError(
            f"'{file}' has no such price with {name}={value!r}. "
            + (f"Nearest there: {', '.join(map(repr, near))}." if near else f"It names no {name}.")
        )
    return kept


def _terms(rows: pl.DataFrame) -> pl.DataFrame:
    """Add ``method`` and ``value``; null where a percentage is not one of charges."""
    amount, share = pl.col("amount_usd"), pl.col("percent") / 100
    said = pl.col("method")
    of_charges = amount.is_null() & (said == _OF_CHARGES)
    method = (
        pl.when(amount.is_not_null())
        .then(said.replace_strict(_METHODS, default="amount"))
        .when(of_charges)
        .then(pl.lit("share_of_charges"))
    )
    value = pl.when(amount.is_not_null()).then(amount).when(of_charges).then(share.cast(USD))
    return rows.with_columns(method=method, value=value)


def _tell_left_out(count: int, file: str) -> None:
    if count:
        warnings.warn(
            f"'{file}': {count:,} price(s) left out of the contract table: for a modifier, or a "
            f"percentage of something else than charges.",
            UserWarning,
            stacklevel=3,
        )


def _require_one_each(rows: pl.DataFrame) -> None:
    kinds = rows.group_by("code").agg(pl.struct("method", "value").n_unique().alias("n"))
    several = kinds.filter(pl.col("n") > 1).sort("code")
    if several.is_empty():
        return
    code, count = several.select("code", "n").row(0)
    of_code = rows.filter(pl.col("code") == code)
    apart = [
        f"{name} ({', '.join(values[:5])}{' ...' if len(values) > 5 else ''})"
        for name in _TOLD_APART
        if len(values := sorted(of_code[name].fill_null("none").unique())) > 1
    ]
    raise InputError(
        f"{code} has {count} different prices"
        + (f" and {several.height - 1} other codes have several" if several.height > 1 else "")
        + ", and a contract has one. "
        + (
            f"They differ by {'; '.join(apart)}: state one of each."
            if apart
            else "Nothing in the file tells them apart: choose from its prices by hand."
        )
    )
