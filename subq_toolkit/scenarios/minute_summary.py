"""Encounters counted by whole minutes: a lossless summary for units and money.

Durations are charted in whole minutes, so a count per (minute, set-up, period of prices,
group) says all that units and amounts depend on. It is made once; then a change of terms
costs the same for a hundred encounters and for fifty million.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

import polars as pl

from subq_toolkit.coding import Coded
from subq_toolkit.errors import InputError
from subq_toolkit.fees import FeeTables, bundled_tables
from subq_toolkit.policy import Policy

#: Tables whose first days begin a period of prices.
_PRICED_BY = ("relative_values", "conversion_factors", "gpcis", "opps_rates", "wage_indexes")
_COUNTED = {
    "period": pl.Date,
    "minutes": pl.Int64,
    "setup": pl.Boolean,
    "outcome": pl.String,
    "place": pl.String,
}
_OWN = ("encounter_id", "encounters", "code", "role", "units")


def _on_clock(minutes: int) -> pl.Expr:
    """Whether first start and last stop both lie on full steps of the clock; never if unknown.

    Holds in every zone that is a multiple of the step off UTC, as all of the US are.
    """
    step_us = minutes * 60_000_000
    begins, ends = pl.col("_first_us") % step_us == 0, pl.col("_last_us") % step_us == 0
    return (begins & ends).fill_null(False)


#: Groups that are made from the facts of an encounter, beside columns that it carries.
_MADE = {
    "month": pl.col("service_date").dt.truncate("1mo"),
    "week": pl.col("service_date").dt.truncate("1w"),
    "rounding": (
        pl.when(_on_clock(15)).then(pl.lit("15 min"))
        .when(_on_clock(5)).then(pl.lit("5 min"))
        .otherwise(pl.lit("1 min"))
    ),
}  # fmt: skip
#: Where the service was given, by the setting of the encounter.
_PLACES = {
    "emergency": "hospital",
    "clinic": "hospital",
    "treatment_room": "hospital",
    "physician_office": "office",
    "home": "home",
}


@dataclass(frozen=True, eq=False, repr=False)
class MinuteSummary:
    """Encounters counted by what their units and money depend on.

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
    """

    counts: pl.DataFrame
    by: tuple[str, ...] = ()
    policy: Policy = field(default_factory=Policy)

    def __post_init__(self) -> None:
        missing = [name for name in (*_COUNTED, *self.by) if name not in self.counts.columns]
        if missing:
            raise InputError(
                f"A minute summary has no column {', '.join(map(repr, missing))}. Make one with "
                f"minute_summary(coded, by=[...])."
            )

    @property
    def encounters(self) -> int:
        """Encounters in all. [1]"""
        return int(self.counts["encounters"].sum())

    def only(self, *by: str) -> "MinuteSummary":
        """The same encounters with fewer columns kept apart; made once for each choice.

        Raises
        ------
        InputError
            If the summary does not keep one of them apart.
        """
        return _only(self, by)

    def __repr__(self) -> str:
        by = f" by {', '.join(self.by)}" if self.by else ""
        return f"<MinuteSummary: {self.encounters:,} encounters in {self.counts.height:,} rows{by}>"


@lru_cache(maxsize=64)
def _only(summary: MinuteSummary, by: tuple[str, ...]) -> MinuteSummary:
    if unknown := [name for name in by if name not in summary.by]:
        raise InputError(
            f"The summary keeps no column {', '.join(map(repr, unknown))} apart. Make it with "
            f"minute_summary(coded, by={unknown!r})."
        )
    keys = [*_COUNTED, *by]
    counts = summary.counts.group_by(keys).agg(pl.col("encounters").sum()).sort(keys)
    return MinuteSummary(counts, by, summary.policy)


def minute_summary(
    coded: Coded, *, by: Sequence[str] = (), tables: FeeTables | None = None
) -> MinuteSummary:
    """Count coded encounters by minutes, set-up, period of prices and groups.

    Parameters
    ----------
    coded
        What ``code_administrations`` returned.
    by
        What else to keep apart: columns of ``coded.encounters``, e.g. ``["payer", "pumps"]``;
        ``month`` or ``week`` of service (their first day); ``rounding``: the step of the clock
        on which both the first start and the last stop lie (``15 min``, ``5 min``, ``1 min``).
    tables
        The fee tables whose changes begin a period; the bundled ones by default.

    Raises
    ------
    InputError
        If the encounters have no such column.
    """
    if not isinstance(coded, Coded):
        raise InputError(
            f"Hand in what code_administrations returned; this is a {type(coded).__name__}."
        )
    by = [by] if isinstance(by, str) else list(by)
    taken = [name for name in by if by.count(name) > 1 or name in (*_COUNTED, *_OWN)]
    if taken:
        raise InputError(
            f"{taken[0]!r} cannot be kept apart: the summary has it already, or it is named "
            f"twice. Name a column of yours, e.g. 'payer', once."
        )
    schema = coded.facts.collect_schema()
    carried = coded.encounters.collect_schema()
    unknown = [name for name in by if name not in (*carried, *_MADE)]
    if unknown:
        raise InputError(
            f"The encounters have no column {', '.join(map(repr, unknown))}. They have "
            f"{', '.join(carried)}; there are also {', '.join(_MADE)}."
        )
    setting = pl.col("setting") if "setting" in schema else pl.lit(None, pl.String)
    place = setting.cast(pl.String).replace_strict(_PLACES, default="not_stated")
    days = pl.Series(_first_days(tables or bundled_tables())).sort()
    known = (pl.col("outcome") != "query") & (pl.col("_runs") > 0)
    compared = "_begun" if coded.policy.seconds == "count" else "_minutes"
    rows = coded.facts.select(
        "encounter_id",
        period=_period(pl.col("service_date"), days),
        minutes=pl.when(known).then(compared).cast(pl.Int64),
        setup=pl.col("_new_setup").fill_null(False),
        outcome=pl.col("outcome").cast(pl.String),
        place=place,
        **{name: made for name, made in _MADE.items() if name in by and name not in carried},
    )
    if from_columns := [name for name in by if name in carried]:
        groups = coded.encounters.select("encounter_id", *map(pl.col, from_columns))
        rows = rows.join(groups, on="encounter_id", how="left")
    keys = [*_COUNTED, *by]
    counts = rows.group_by(keys).agg(encounters=pl.len().cast(pl.Int64)).sort(keys).collect()
    return MinuteSummary(counts, tuple(by), coded.policy)


def _first_days(tables: FeeTables) -> list[date]:
    days = {day for name in _PRICED_BY for day in tables[name]["start"]}
    ended = {day for name in _PRICED_BY for day in tables[name]["until"].drop_nulls()}
    return [*days, *(date.fromordinal(day.toordinal() + 1) for day in ended)]


def _period(day: pl.Expr, first_days: pl.Series) -> pl.Expr:
    """The last day on which a price changed, up to ``day``; ``day`` itself before all of them."""
    place = pl.lit(first_days).search_sorted(day, side="right").cast(pl.Int64) - 1
    begun = pl.lit(first_days).gather(pl.when(place >= 0).then(place))
    return pl.coalesce(begun, day)
