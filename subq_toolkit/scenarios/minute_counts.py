"""Coded encounters counted by minutes: from charted work, held or in files, to its summary."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from subq_toolkit.coded_files import CodedFiles
from subq_toolkit.coding import Coded
from subq_toolkit.errors import InputError
from subq_toolkit.fees import FeeTables, bundled_tables
from subq_toolkit.scenarios.minute_summary import COUNTED, MinuteSummary, period_of

#: Tables whose first days begin a period of prices.
_PRICED_BY = ("relative_values", "conversion_factors", "gpcis", "opps_rates", "wage_indexes")
_OWN = ("encounter_id", "encounters", "code", "role", "units")


def _on_clock(minutes: int) -> pl.Expr:
    """Whether first start and last stop both lie on full steps of the clock; never if unknown.

    Holds in every zone that is a multiple of the step off UTC, as all of the US are.
    """
    step_us = minutes * 60_000_000
    begins, ends = pl.col("_first_us") % step_us == 0, pl.col("_last_us") % step_us == 0
    return (begins & ends).fill_null(False)


#: Groups that are made from the date of service, beside columns that an encounter carries.
_MADE_OF_DATE = {
    "month": pl.col("service_date").dt.truncate("1mo"),
    "week": pl.col("service_date").dt.truncate("1w"),
}
#: The same and those that are made from facts.
_MADE = _MADE_OF_DATE | {
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


def minute_summary(
    coded: Coded | CodedFiles, *, by: Sequence[str] = (), tables: FeeTables | None = None
) -> MinuteSummary:
    """Count coded encounters by minutes, set-up, period of prices and groups.

    Parameters
    ----------
    coded
        What ``code_administrations`` returned; or what ``code_files`` did, whose files are read
        as a stream, so that years of work need little more memory than their summary.
    by
        What else to keep apart: columns of ``coded.encounters``, e.g. ``["payer", "pumps"]``;
        ``month`` or ``week`` of service (their first day); ``rounding``: the step of the clock
        on which both the first start and the last stop lie (``15 min``, ``5 min``, ``1 min``),
        which coded files do not tell.
    tables
        The fee tables whose changes begin a period; the bundled ones by default.

    Raises
    ------
    InputError
        If the encounters have no such column; of coded files also if their policy counts
        seconds, which they do not tell.

    Notes
    -----
    Coded files tell a further set-up by its unit. It is taken as none where an encounter earns
    no first hour: too short, or not coded. Units and amounts as coded are the same; a what-if
    that makes a short encounter longer misses its further set-up.
    """
    if not isinstance(coded, Coded | CodedFiles):
        raise InputError(
            f"Hand in what code_administrations returned, or code_files; this is a "
            f"{type(coded).__name__}."
        )
    by = [by] if isinstance(by, str) else list(by)
    taken = [name for name in by if by.count(name) > 1 or name in (*COUNTED, *_OWN)]
    if taken:
        raise InputError(
            f"{taken[0]!r} cannot be kept apart: the summary has it already, or it is named "
            f"twice. Name a column of yours, e.g. 'payer', once."
        )
    of_files = isinstance(coded, CodedFiles)
    carried, made = coded.encounters.collect_schema(), _MADE_OF_DATE if of_files else _MADE
    unknown = [name for name in by if name not in (*carried, *made)]
    if unknown:
        raise InputError(
            f"The encounters have no column {', '.join(map(repr, unknown))}. They have "
            f"{', '.join(carried)}; there are also {', '.join(made)}."
        )
    days = price_days(tables or bundled_tables())
    own = {name: made[name] for name in by if name not in carried}
    kept = [name for name in by if name in carried and name != "service_date"]
    rows = (_rows_of_files if of_files else _rows_of_coded)(coded, kept, own)
    keys = [*COUNTED, *by]
    counts = (
        rows.with_columns(period=period_of(pl.col("service_date"), pl.Series(days)))
        .group_by(keys)
        .agg(encounters=pl.len().cast(pl.Int64), _last=pl.col("service_date").max())
        .sort(keys)
        .collect()
    )
    zone = coded.facility_zone if of_files else coded.intake.zone
    return MinuteSummary(
        counts.drop("_last"),
        tuple(by),
        coded.policy,
        zones=(zone,) if zone else (),
        first_days=tuple(days),
        until=counts["_last"].dt.month_end().max(),
    )


def _rows_of_coded(coded: Coded, kept: list[str], own: dict[str, pl.Expr]) -> pl.LazyFrame:
    """One row an encounter, from the facts that its units rest on."""
    setting = "setting" in coded.facts.collect_schema()
    known = (pl.col("outcome") != "query") & (pl.col("_runs") > 0)
    compared = "_begun" if coded.policy.seconds == "count" else "_minutes"
    rows = coded.facts.select(
        "encounter_id",
        "service_date",
        minutes=pl.when(known).then(compared).cast(pl.Int64),
        setup=pl.col("_new_setup").fill_null(False),
        outcome=pl.col("outcome").cast(pl.String),
        place=_place(setting),
        **own,
    )
    if not kept:
        return rows
    groups = coded.encounters.select("encounter_id", *map(pl.col, kept))
    return rows.join(groups, on="encounter_id", how="left")


def _rows_of_files(coded: CodedFiles, kept: list[str], own: dict[str, pl.Expr]) -> pl.LazyFrame:
    """One row an encounter, from what its files say of it."""
    if coded.policy.seconds == "count":
        raise InputError(
            "Coded files keep whole minutes, and their policy counts seconds: which units a "
            "minute earns cannot be told from them. Summarise what code_administrations returns, "
            "part by part, and add the summaries up with combined."
        )
    ran = (pl.col("infusion_min") > 0) | pl.col("min_to_next_unit").is_not_null()
    known = (pl.col("outcome") != "query") & ran
    return coded.encounters.select(
        "service_date",
        *map(pl.col, kept),
        minutes=pl.when(known).then("infusion_min"),
        setup=(pl.col("units_96371") > 0).fill_null(False),
        outcome=pl.col("outcome").cast(pl.String),
        place=_place("setting" in coded.encounters.collect_schema()),
        **own,
    )


def _place(stated: bool) -> pl.Expr:
    setting = pl.col("setting") if stated else pl.lit(None, pl.String)
    return setting.cast(pl.String).replace_strict(_PLACES, default="not_stated")


def price_days(tables: FeeTables) -> list[date]:
    """The days on which a price of the tables begins or ends, sorted."""
    days = {day for name in _PRICED_BY for day in tables[name]["start"]}
    ended = {day for name in _PRICED_BY for day in tables[name]["until"].drop_nulls()}
    return sorted(days | {date.fromordinal(day.toordinal() + 1) for day in ended})
