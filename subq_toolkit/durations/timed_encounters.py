"""Coded encounters whose minutes are known, counted by minutes and group."""

from functools import lru_cache

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.policy import Policy
from subq_toolkit.scenarios import MinuteSummary
from subq_toolkit.scenarios.minute_summary import infused
from subq_toolkit.scenarios.scenario import check_kinds
from subq_toolkit.units import unit_columns

#: The one group of a table that is not divided.
ALL = "all"


def timed(summary: MinuteSummary, by: str | None = None) -> pl.DataFrame:
    """Count coded encounters: ``group`` (null: not stated), ``period, minutes`` [min].

    Raises
    ------
    InputError
        If this is no summary, or it does not keep ``by`` apart.
    """
    check_kinds(summary)
    return _timed(summary.only(*([by] if by else [])), by)


@lru_cache(maxsize=64)
def _timed(kept: MinuteSummary, by: str | None) -> pl.DataFrame:
    rows = kept.counts.filter(infused())
    group = group_names(by, rows.schema[by]) if by else pl.lit(ALL)
    return (
        rows.group_by(group.alias("group"), "period", "minutes")
        .agg(pl.col("encounters").sum())
        .sort("group", "period", "minutes")
    )


def by_minutes(summary: MinuteSummary, by: str | None = None) -> pl.DataFrame:
    """The same without the period: ``group, minutes, encounters``, sorted."""
    check_kinds(summary)
    return _by_minutes(summary.only(*([by] if by else [])), by)


@lru_cache(maxsize=64)
def _by_minutes(kept: MinuteSummary, by: str | None) -> pl.DataFrame:
    rows = _timed(kept, by).group_by("group", "minutes").agg(pl.col("encounters").sum())
    return rows.sort("group", "minutes")


def timed_units(policy: Policy) -> pl.Expr:
    """Units of 96369 and 96370 of rows that count encounters by ``period`` and ``minutes``. [1]"""
    units = unit_columns(policy)
    return units["first_hour"] + units["further_hour"]


def group_names(column: str, dtype: pl.DataType) -> pl.Expr:
    """The values of a column as names of groups: months as 2026-03; null where nothing is said."""
    values = pl.col(column)
    if dtype == pl.Date:
        return values.dt.to_string("%Y-%m" if column == "month" else "%Y-%m-%d")
    if column == "pumps":
        plural = pl.when(values == 1).then(pl.lit("")).otherwise(pl.lit("s"))
        return pl.concat_str(values.cast(pl.String), pl.lit(" pump"), plural)
    if isinstance(dtype, pl.Enum):
        return values.cast(pl.String).str.replace_all("_", " ")
    named = values.cast(pl.String)
    return pl.when(named.str.strip_chars() != "").then(named)


def check_whole(name: str, value: object, least: int, most: int) -> None:
    """Refuse what is no whole number within bounds.

    Raises
    ------
    InputError
        The message names the argument and its bounds.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InputError(f"'{name}' is a whole number from {least} to {most:,}, not {value!r}.")
