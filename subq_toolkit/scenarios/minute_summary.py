"""Encounters counted by whole minutes: a lossless summary for units and money.

Durations are charted in whole minutes, so a count per (minute, set-up, period of prices,
group) says all that units and amounts depend on. It is made once; then a change of terms
costs the same for a hundred encounters and for fifty million.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

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

    def __repr__(self) -> str:
        by = f" by {', '.join(self.by)}" if self.by else ""
        return f"<MinuteSummary: {self.encounters:,} encounters in {self.counts.height:,} rows{by}>"


def minute_summary(
    coded: Coded, *, by: Sequence[str] = (), tables: FeeTables | None = None
) -> MinuteSummary:
    """Count coded encounters by minutes, set-up, period of prices and groups.

    Parameters
    ----------
    coded
        What ``code_administrations`` returned.
    by
        Further columns of ``coded.encounters`` to keep apart, e.g. ``["payer"]``.
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
    unknown = [name for name in by if name not in carried]
    if unknown:
        raise InputError(
            f"The encounters have no column {', '.join(map(repr, unknown))}. They have "
            f"{', '.join(carried)}."
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
    )
    if by:
        groups = coded.encounters.select("encounter_id", *(pl.col(name) for name in by))
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
