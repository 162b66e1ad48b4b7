"""Units of a coded encounter: how many of each code, and how many further hours."""

from collections.abc import Iterable
from datetime import date

import polars as pl

from subq_toolkit.effective import STANDINGS
from subq_toolkit.scenarios import MinuteSummary
from subq_toolkit.units import EDITS
from subq_toolkit.utilization.coded_units import CODES, coded_units, grouped_counts

_FURTHER = next(code for code, role in CODES.items() if role == "further_hour")


def units_per_encounter(summary: MinuteSummary, by: str | None = None) -> pl.DataFrame:
    """Units of each code, in all and for each coded encounter, by group.

    Parameters
    ----------
    summary
        What ``minute_summary`` made.
    by
        The column by which to divide: one that the summary keeps apart, or ``place``; None for
        all encounters together.

    Returns
    -------
    pl.DataFrame
        ``group`` (null: not stated; ``all`` without ``by``), ``code``, ``encounters`` (coded,
        with an infusion that ran; the same for each code of a group) [1], ``units`` [1],
        ``mean_units`` (units over encounters) [1 per encounter], ``with_units`` (encounters with
        at least one unit) [1], ``share_with`` (these over encounters) [1]. Means and shares
        are null in a group of which nothing is coded. Sorted, groups that are not stated last.

    Raises
    ------
    InputError
        If this is no summary, or it does not keep ``by`` apart.

    Notes
    -----
    Units follow from minutes, set-up and date by the rules and the policy of the summary, and
    add up to those of ``coded.encounters``. Encounters that were coded without any
    subcutaneous run have no units and are not among ``encounters``.
    """
    groups = grouped_counts(summary, by).select("group").unique()
    count, units = pl.col("encounters"), pl.col("units")
    found = (
        coded_units(summary, by)
        .unpivot(CODES, index=["group", "encounters"], variable_name="code", value_name="units")
        .group_by("group", "code")
        .agg(
            count.sum(),
            units=(units * count).sum(),
            with_units=count.filter(units > 0).sum(),
        )
    )
    every = groups.join(pl.DataFrame({"code": list(CODES)}), how="cross")
    table = every.join(found, on=["group", "code"], how="left", nulls_equal=True)
    some = pl.col("encounters") > 0
    return (
        table.with_columns(pl.col("encounters", "units", "with_units").fill_null(0))
        .select(
            "group",
            "code",
            "encounters",
            "units",
            mean_units=pl.when(some).then(units / count).round(9),
            with_units="with_units",
            share_with=pl.when(some).then(pl.col("with_units") / count).round(9),
        )
        .sort("group", "code", nulls_last=True)
    )


def further_hour_ladder(summary: MinuteSummary, by: str | None = None) -> pl.DataFrame:
    """Coded encounters by their number of further hours, and those above the unlikely edit.

    Parameters
    ----------
    summary
        What ``minute_summary`` made.
    by
        The column by which to divide; None for all encounters together.

    Returns
    -------
    pl.DataFrame
        ``group``, ``units`` (of 96370; numbers that no encounter has are left out) [1],
        ``encounters`` [1], ``share`` (of the coded encounters of the group) [1],
        ``unlikely_edit`` (the value in effect in the last period of the summary) [1],
        ``edit_standing`` (how well sources support the values in effect in its periods, e.g.
        ``sourced, inferred``), ``above_edit`` (encounters whose units exceed the value in
        effect in their own period) [1]. Sorted.

    Raises
    ------
    InputError
        If this is no summary, or it does not keep ``by`` apart.

    Notes
    -----
    Units are those that are reported: under the policy ``unit_cap = "unlikely_edit"`` none is
    above the edit. The edit is a Medicare and Medicaid one; other payers may have none.
    """
    rows, count = coded_units(summary, by), pl.col("encounters")
    above = pl.col(_FURTHER) > EDITS["further_hour"].expr(pl.col("period"))
    value, standing = _edit_in_effect(rows["period"].unique())
    steps = rows.group_by("group", units=_FURTHER).agg(
        count.sum(), above_edit=count.filter(above.fill_null(False)).sum()
    )
    return steps.select(
        "group",
        "units",
        "encounters",
        share=(count / count.sum().over("group")).round(9),
        unlikely_edit=pl.lit(value, pl.Int64),
        edit_standing=pl.lit(standing, pl.String),
        above_edit="above_edit",
    ).sort("group", "units", nulls_last=True)


def _edit_in_effect(days: Iterable[date]) -> tuple[int | None, str | None]:
    """The edit on the last of these days, and the standings of all versions that held."""
    versions = EDITS["further_hour"].values
    held = {day: one for day in sorted(days) for one in versions if one.covers(day)}
    if not held:
        return None, None
    standings = {one.standing for one in held.values()}
    return held[max(held)].value, ", ".join(one for one in STANDINGS if one in standings)
