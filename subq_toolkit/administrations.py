"""The input table judged row by row: what must be true, and what happens to the others.

One row is one charted run of one drug. ``accept`` splits a table into rows that
can be coded and rows that cannot be read, with every reason. A start or a stop
that was not charted is no such reason: it leads to a query further on.
"""

from functools import cache
from typing import NamedTuple

import polars as pl
from polars.selectors import by_name

from subq_toolkit.effective import read_parameters
from subq_toolkit.intake import AMOUNTS, CHOICES, COLUMNS, REQUIRED, TIMES, Intake, take_in

__all__ = ["CHECKS", "CHOICES", "COLUMNS", "REQUIRED", "TIMES", "Acceptance", "accept"]

_LONGEST_RUN = read_parameters("infusion_time")["longest_run"]
_FIRST_HOUR = read_parameters("codes")["first_hour"]
_HOUR_US = 3_600_000_000
_RUN_US = pl.col("_stop_us") - pl.col("_start_us")


class Acceptance(NamedTuple):
    """Rows that can be coded, and the others with every check they failed.

    ``refused`` holds ``row`` (1 is the first row of data, line 2 of a file with a header),
    ``encounter_id``, ``failed`` (list of checks) and ``unreadable`` (names of the entries that
    a reader could not read), and nothing clinical.
    """

    accepted: pl.LazyFrame
    refused: pl.LazyFrame


def _amount(name: str) -> pl.Expr:
    return pl.col(name).is_null() | (pl.col(name).is_finite() & (pl.col(name) >= 0))


#: What must be true of a row, in the words that the reader of ``refused`` is shown.
CHECKS: dict[str, pl.Expr] = {
    "encounter is named": pl.col("encounter_id").str.len_bytes() > 0,
    "every entry could be read": pl.col("unreadable").is_null() & ~pl.col("_unread"),
    **{f"{name} is known": ~pl.col(f"_{name}_unknown") for name in CHOICES},
    **{f"{name} is a number, zero or more": _amount(name) for name in AMOUNTS},
    "start time exists on that date": ~pl.col("_start_skipped"),
    "stop time exists on that date": ~pl.col("_stop_skipped"),
    "discharge time exists on that date": ~pl.col("_discharge_skipped"),
    "stop is not before start": (_RUN_US >= 0).fill_null(True),
    f"run is at most {_LONGEST_RUN.values[-1].value} hours": (
        _LONGEST_RUN.expr(pl.col("_service_day")) * _HOUR_US >= _RUN_US
    ).fill_null(True),
    "date of service has rules in effect": (
        pl.col("_service_day").is_null() | _FIRST_HOUR.expr(pl.col("_service_day")).is_not_null()
    ),
}
COPY_CHECK = "row is not a copy of an earlier row"


@cache
def passes() -> pl.Expr:
    """Whether a row of an ``Intake`` passes every one of ``CHECKS``.

    A check that cannot be answered fails: silence is not evidence.
    """
    return pl.all_horizontal(check.fill_null(False) for check in CHECKS.values())


def accept(
    administrations: pl.DataFrame | pl.LazyFrame, *, facility_zone: str | None = None
) -> Acceptance:
    """Split charted runs into those that can be coded and those that cannot be read.

    Parameters
    ----------
    administrations
        ``encounter_id``, ``start_at`` and ``stop_at`` at least; see ``COLUMNS`` for the
        others. Absent columns are fine, unknown ones ride along.
    facility_zone
        Zone of times that carry none, e.g. ``"America/New_York"``. Zoned times are
        converted to it, so that dates of service are local dates.

    Raises
    ------
    InputError
        If a required column is missing, a time column holds something else, one time
        column has a zone and another has none, or the zone is unknown.
    """
    intake = take_in(administrations, facility_zone=facility_zone)
    return Acceptance(accepted_rows(intake), refused_rows(intake))


def judged(intake: Intake) -> Intake:
    """An intake whose rows carry their judgement, so that it is not made again."""
    return intake._replace(rows=_judged(intake).collect(engine="in-memory").lazy())


def readable_rows(intake: Intake) -> pl.LazyFrame:
    """The rows of an intake that pass every check and are no copy."""
    return _judged(intake).filter(pl.col("_ok") & ~pl.col("_copy"))


def accepted_rows(intake: Intake) -> pl.LazyFrame:
    """The same rows with the columns that were given; bare times stay as they were charted."""
    return readable_rows(intake).select(as_charted(intake))


def as_charted(intake: Intake) -> list[pl.Expr]:
    """The columns that were given, typed; bare times as they stand in the chart."""
    charted = {name: f"_{name.removesuffix('_at')}_wall" for name in intake.bare}
    return [by_name(charted.get(name, name)).alias(name) for name in intake.given]


def unread_runs(intake: Intake) -> pl.LazyFrame:
    """``encounter_id`` of refused rows that may be runs of it.

    A copy is none, nor is a row of which ``not_given`` says why nothing was given: readers of
    clinical records fill that column.
    """
    rows = intake.rows.filter(~passes())
    if "not_given" in intake.given:
        rows = rows.filter(pl.col("not_given").is_null())
    return rows.select("encounter_id")


def refused_rows(intake: Intake) -> pl.LazyFrame:
    """The other rows: ``row, encounter_id, failed, unreadable``; see ``Acceptance``."""
    failed = [
        pl.when(~check.fill_null(False)).then(pl.lit(name)) for name, check in CHECKS.items()
    ] + [pl.when("_copy").then(pl.lit(COPY_CHECK))]
    return (
        _judged(intake)
        .filter(~pl.col("_ok") | pl.col("_copy"))
        .select(
            pl.col("_row").alias("row"),
            "encounter_id",
            failed=pl.concat_list(failed).list.drop_nulls(),
            unreadable=pl.col("unreadable"),
        )
        .sort("row")
    )


def _judged(intake: Intake) -> pl.LazyFrame:
    """Mark each row: does it pass, and does an earlier row of its encounter say the same."""
    schema = intake.rows.collect_schema()
    if "_copy" in schema:
        return intake.rows
    told = [
        f"_{name.removesuffix('_at')}_wall" if name in intake.bare else name
        for name in intake.given
        if not schema[name].is_nested() and schema[name] != pl.Object
    ]
    # One whole number of 127 bits in place of all that a row says.
    by_column = (by_name(name).as_expr().hash(seed) for seed, name in enumerate(told))
    of_encounter = pl.col("encounter_id").hash(len(told)).cast(pl.UInt128)
    said = pl.sum_horizontal(by_column).cast(pl.UInt128) * 2**63 + of_encounter
    # A row that fails says other than what is left of it.
    said = pl.when("_ok").then(said)
    return intake.rows.with_columns(_ok=passes()).with_columns(
        _copy=pl.col("_ok") & ~said.is_first_distinct()
    )
