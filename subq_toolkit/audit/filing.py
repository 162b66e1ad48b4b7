"""How long a claim may still be corrected: the payer's timely-filing limit, as stated."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from subq_toolkit.effective import read_parameters
from subq_toolkit.errors import InputError

_LIMITS = read_parameters("timely_filing")
_ANY = "*"
#: What stands beside the name of a public payer without making it another one.
_BESIDE = r"\b(part [ab]|ffs|fee for service|traditional|original)\b"


def checked_limits(filing: Mapping[str, int] | None) -> dict[str, int]:
    """The limits that the user states, by payer in lower case. [d]

    Raises
    ------
    InputError
        If a limit is no whole number of days above zero.
    """
    stated = {}
    for payer, days in (filing or {}).items():
        if not isinstance(days, int) or isinstance(days, bool) or days < 1:
            raise InputError(
                "filing= holds days after the date of service by payer, each a whole number of 1 "
                'or more, e.g. filing={"Commercial A": 180, "*": 365}.'
            )
        stated[str(payer).strip().lower()] = days
    return stated


def same_payer(payer: pl.Expr) -> pl.Expr:
    """A payer's name as it is compared: without case, marks, and words that tell no other."""
    plain = payer.str.to_lowercase().str.replace_all(r"[.'’]", "")
    plain = plain.str.replace_all(r"[^\p{L}\p{N}]+", " ")
    plain = plain.str.replace_all(_BESIDE, " ").str.replace_all(" +", " ").str.strip_chars()
    plain = plain.str.replace(r"^medicare [ab]$", "medicare")
    return pl.when(plain != "").then(plain)


def with_deadlines(rows: pl.LazyFrame, *, filing: Mapping[str, int], on: date) -> pl.LazyFrame:
    """Add ``file_by`` and ``days_left`` [d]: null where no limit of the payer is stated.

    Parameters
    ----------
    rows
        With ``payer`` and ``service_date``.
    filing
        Days by payer in lower case; ``*`` stands for payers without a limit of their own.
    on
        The day from which days are counted.

    Notes
    -----
    Limits of Medicare and Medicaid stand in ``parameters/timely_filing.toml``, by months.
    """
    payer, day = pl.col("payer").str.strip_chars().str.to_lowercase(), pl.col("service_date")
    public = same_payer(pl.col("payer"))
    until = day + pl.duration(days=filing[_ANY]) if _ANY in filing else pl.lit(None, pl.Date)
    for name, limit in _LIMITS.items():
        for dated in limit.values:
            held = (public == name) & day.is_between(dated.start, dated.until or date.max)
            until = pl.when(held).then(day.dt.offset_by(f"{dated.value}mo")).otherwise(until)
    told = {name: days for name, days in filing.items() if name != _ANY}
    alike = pl.DataFrame({"named": list(told)}, schema={"named": pl.String})
    spelled = alike.select(same_payer(pl.col("named"))).to_series().to_list()
    # What is written exactly so goes before what is only spelled otherwise.
    for compared, names in ((public, spelled), (payer, list(told))):
        for name, days in zip(names, told.values(), strict=True):
            stated = day + pl.duration(days=days)
            until = pl.when(compared == name).then(stated).otherwise(until)
    return rows.with_columns(file_by=until.cast(pl.Date)).with_columns(
        days_left=(pl.col("file_by") - pl.lit(on)).dt.total_days()
    )
