"""Encounters counted by whole minutes: a lossless summary for units and money.

Durations are charted in whole minutes, so a count per (minute, set-up, period of prices,
group) says all that units and amounts depend on. It is made once; then a change of terms
costs the same for a hundred encounters and for fifty million.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, lru_cache

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.policy import Policy

#: The columns of every summary, in the order in which its rows are sorted.
COUNTED = {
    "period": pl.Date,
    "minutes": pl.Int64,
    "setup": pl.Boolean,
    "outcome": pl.String,
    "place": pl.String,
}


@dataclass(frozen=True, eq=False, repr=False)
class MinuteSummary:
    """Encounters counted by what their units and money depend on.

    Summaries of parts of the work add up: ``spring + summer``, or ``combined`` for many. Two
    are equal when they count the same encounters in the same way. ``write_minute_summary``
    keeps one in a file.

    Attributes
    ----------
    counts
        ``period`` (first day of a span in which no price changes), ``minutes`` (as compared
        with the steps of units; null while a start or stop is missing, and where no run counts)
        [min], ``setup`` (a further set-up),
        ``outcome`` (``coded``, ``query``, ``refer``), ``place`` (``hospital``, ``office``,
        ``home``, ``not_stated``), the columns of ``by``, ``encounters`` [1]. Sorted; one row a
        combination.
    by
        Columns of the encounters that were kept apart, e.g. ``payer``.
    policy
        The choices under which they were coded.
    zones
        Zones of local dates of the work, sorted; none where none is known.
    first_days
        The days on which prices change, by which periods were told apart; none if not known.
    until
        Last day of the last month in which a service was counted; null if not known.
    """

    counts: pl.DataFrame
    by: tuple[str, ...] = ()
    policy: Policy = field(default_factory=Policy)
    zones: tuple[str, ...] = ()
    first_days: tuple[date, ...] = ()
    until: date | None = None

    def __post_init__(self) -> None:
        columns = [*COUNTED, *self.by, "encounters"]
        missing = [name for name in columns if name not in self.counts.columns]
        if missing:
            raise InputError(
                f"A minute summary has no column {', '.join(map(repr, missing))}. Make one with "
                f"minute_summary(coded, by=[...])."
            )
        object.__setattr__(self, "counts", self.counts.select(columns))

    @cached_property
    def encounters(self) -> int:
        """Encounters in all. [1]"""
        return int(self.counts["encounters"].sum())

    @cached_property
    def coded(self) -> int:
        """Coded encounters in which an infusion ran. [1]"""
        return int(self.counts.filter(infused())["encounters"].sum())

    @cached_property
    def places(self) -> tuple[str, ...]:
        """Places that occur, sorted."""
        return tuple(self.counts["place"].unique().sort())

    @cached_property
    def coded_periods(self) -> tuple[date, ...]:
        """First days of the periods of coded encounters, sorted."""
        return tuple(self.counts.filter(outcome="coded")["period"].unique().sort())

    @cached_property
    def last_infused(self) -> date | None:
        """First day of the last period in which an infusion of a coded encounter ran."""
        return self.counts.filter(infused())["period"].max()

    def span(self, column: str) -> tuple[date | None, date | None]:
        """The first and the last day of ``period``, ``month`` or ``week``; null for none."""
        return _span(self, column)

    def only(self, *by: str) -> "MinuteSummary":
        """The same encounters with fewer columns kept apart; made once for each choice.

        Raises
        ------
        InputError
            If the summary does not keep one of them apart.
        """
        return _only(self, by)

    def without_split(self, days: Iterable[date]) -> list[date]:
        """Those of the days on which prices change that fall inside one of its periods."""
        begins = self.counts["period"].min()
        if not self.first_days or self.until is None or begins is None:
            return []
        return sorted(day for day in {*days} - {*self.first_days} if begins < day <= self.until)

    def __add__(self, other: object) -> "MinuteSummary":
        if not isinstance(other, MinuteSummary):
            return NotImplemented
        return combined([self, other])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MinuteSummary):
            return NotImplemented
        return self is other or (
            self._told == other._told
            and self.counts.schema == other.counts.schema
            and self.counts.equals(other.counts)
        )

    def __hash__(self) -> int:
        return hash((*self._told, self.counts.height, self.encounters))

    @property
    def _told(self) -> tuple:
        """All but the rows."""
        return (self.by, self.policy, self.zones, self.first_days, self.until)

    def __repr__(self) -> str:
        by = f" by {', '.join(self.by)}" if self.by else ""
        return f"<MinuteSummary: {self.encounters:,} encounters in {self.counts.height:,} rows{by}>"


def infused() -> pl.Expr:
    """Whether rows of a summary are of coded encounters in which an infusion ran."""
    return (pl.col("outcome") == "coded") & pl.col("minutes").is_not_null()


@lru_cache(maxsize=64)
def _span(summary: MinuteSummary, column: str) -> tuple[date | None, date | None]:
    return summary.counts[column].min(), summary.counts[column].max()


@lru_cache(maxsize=64)
def _only(summary: MinuteSummary, by: tuple[str, ...]) -> MinuteSummary:
    if unknown := [name for name in by if name not in summary.by]:
        raise InputError(
            f"The summary keeps no column {', '.join(map(repr, unknown))} apart. Make it with "
            f"minute_summary(coded, by={unknown!r})."
        )
    return replace(summary, counts=added_up(summary.counts, by), by=by)


def added_up(counts: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Sorted counts with one row for each combination."""
    keys = [*COUNTED, *by]
    return counts.group_by(keys).agg(pl.col("encounters").sum()).sort(keys)


def period_of(day: pl.Expr, first_days: pl.Series) -> pl.Expr:
    """The last of the first days up to ``day``; ``day`` itself before all of them."""
    place = pl.lit(first_days).search_sorted(day, side="right").cast(pl.Int64) - 1
    begun = pl.lit(first_days).gather(pl.when(place >= 0).then(place))
    return pl.coalesce(begun, day)


def combined(summaries: Iterable[MinuteSummary]) -> MinuteSummary:
    """Add up summaries of parts of the work: files, months or hospitals.

    Parameters
    ----------
    summaries
        One or more of the same policy and ``by``. No encounter may be in two of them: that
        cannot be seen in a summary.

    Raises
    ------
    InputError
        If there is none, one is something else, or policy, columns, the kinds of the columns or
        the days on which prices change differ.
    """
    parts = list(summaries)
    others = [one for one in parts if not isinstance(one, MinuteSummary)]
    if others or not parts:
        found = f"one is a {type(others[0]).__name__}" if others else "there is none"
        raise InputError(f"Hand in summaries that minute_summary(coded) returned; {found}.")
    first = parts[0]
    for one in parts[1:]:
        _check_alike(first, one)
    days = tuple(sorted({day for one in parts for day in one.first_days}))
    for one in parts:
        if split := one.without_split(days):
            raise InputError(
                f"Summaries of other prices cannot be added up: in one of them {split[0]} begins a "
                f"period, in another it does not. Make both with the same tables."
            )
    counts = added_up(pl.concat([one.counts for one in parts]), first.by)
    return MinuteSummary(
        counts,
        first.by,
        first.policy,
        zones=tuple(sorted({zone for one in parts for zone in one.zones})),
        first_days=days,
        until=max((one.until for one in parts if one.until), default=None),
    )


def _check_alike(first: MinuteSummary, other: MinuteSummary) -> None:
    if other.by != first.by:
        raise InputError(
            f"Summaries by {list(first.by)!r} and by {list(other.by)!r} cannot be added up. "
            f"summary.only(...) leaves columns out, so that both keep the same ones apart."
        )
    if other.policy != first.policy:
        raise InputError(
            f"Summaries of work coded under {first.policy} and under {other.policy} cannot be "
            f"added up. Code both under one policy."
        )
    held, given = first.counts.schema, other.counts.schema
    if unlike := [name for name in (*COUNTED, *first.by) if held[name] != given[name]]:
        raise InputError(
            f"Column {unlike[0]!r} is {held[unlike[0]]} in one summary and {given[unlike[0]]} in "
            f"another. Give it one kind before the work is coded."
        )
