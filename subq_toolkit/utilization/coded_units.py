"""Coded encounters of a minute summary, with the units of each code."""

import polars as pl

from subq_toolkit.coding import Coded
from subq_toolkit.durations import group_names
from subq_toolkit.durations.timed_encounters import ALL
from subq_toolkit.errors import InputError
from subq_toolkit.scenarios import MinuteSummary
from subq_toolkit.scenarios.minute_summary import infused
from subq_toolkit.scenarios.rate_cards import ROLES
from subq_toolkit.scenarios.scenario import check_kinds
from subq_toolkit.units import UNITS, unit_columns

#: The codes as columns of ``coded.encounters`` name them, and the role of each; those of 2008
#: had other numbers.
CODES = dict(zip((name.removeprefix("units_") for name in UNITS), ROLES, strict=True))
_PLACE = "place"


def grouped_counts(summary: MinuteSummary, by: str | None) -> pl.DataFrame:
    """The counts of a summary with ``group``: the names of ``by`` (null: not stated), or all.

    Raises
    ------
    InputError
        If this is no summary, or it does not keep ``by`` apart.
    """
    check_kinds(summary)
    if by is None:
        return summary.only().counts.with_columns(group=pl.lit(ALL))
    if not isinstance(by, str) or by not in (*summary.by, _PLACE):
        known = ", ".join(map(repr, (*summary.by, _PLACE)))
        raise InputError(
            f"'by' is one column that the summary keeps apart ({known}), not {by!r}. Make it with "
            f"minute_summary(coded, by=[...])."
        )
    counts = summary.only(*([] if by == _PLACE else [by])).counts
    names = group_names(by, counts.schema[by])
    return counts.with_columns(group=names.str.replace_all("_", " ") if by == _PLACE else names)


def coded_units(summary: MinuteSummary, by: str | None = None) -> pl.DataFrame:
    """Count coded encounters: ``group, period, minutes, setup, encounters`` and units by code."""
    rows = grouped_counts(summary, by).filter(infused())
    units = unit_columns(summary.policy)
    return rows.select(
        "group", "period", "minutes", "setup", "encounters",
        **{code: units[role] for code, role in CODES.items()},
    )  # fmt: skip


def check_coded(coded: object) -> None:
    """Refuse what ``code_administrations`` did not return.

    Raises
    ------
    InputError
        The message says what to hand in.
    """
    if not isinstance(coded, Coded):
        raise InputError(
            f"Hand in what code_administrations returned; this is a {type(coded).__name__}."
        )


def check_code(code: object) -> None:
    """Refuse what is none of the four codes.

    Raises
    ------
    InputError
        The message lists them.
    """
    if code not in CODES:
        raise InputError(f"'code' is one of {', '.join(map(repr, CODES))}, not {code!r}.")
