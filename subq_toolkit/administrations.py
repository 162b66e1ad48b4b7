"""The input table: charted runs, what must be true of a row, and what happens to the others.

One row is one charted run of one drug. ``accept`` splits a table into rows that
can be coded and rows that cannot be read, with every reason. A start or a stop
that was not charted is no such reason: it leads to a query further on.
"""

from functools import cache
from typing import NamedTuple

import polars as pl

from subq_toolkit.effective import read_parameters
from subq_toolkit.errors import InputError
from subq_toolkit.facility_time import agreed_zone, clocks_may_change, time_columns

#: Columns with a fixed list of answers.
CHOICES: dict[str, list[str]] = {
    "route": ["subcutaneous", "intravenous", "injection", "other"],
    "mode": ["continuous", "intermittent", "bolus", "patient_controlled"],
    "device": ["needle", "soft_catheter"],
    "delivery": ["pump", "gravity", "manual_push"],
    "indication": ["frequency", "dose_adjustment", "fragile_veins", "other"],
    "setting": ["emergency", "clinic", "treatment_room", "physician_office", "home"],
}
REQUIRED = ("encounter_id", "start_at", "stop_at")
TIMES = ("start_at", "stop_at", "discharge_at")
AMOUNTS = ("volume_ml", "rate_ml_per_h", "concentration_mg_per_ml", "dose_mg")

#: Every column the toolkit knows, with its type; any other rides along untouched.
COLUMNS: dict[str, pl.DataType] = {
    "encounter_id": pl.String(),
    "patient_id": pl.String(),
    **{name: pl.Datetime("us") for name in TIMES},
    **{name: pl.Enum(answers) for name, answers in CHOICES.items()},
    "pump_id": pl.String(),
    "site": pl.String(),
    "drug": pl.String(),
    **{name: pl.Float64() for name in AMOUNTS},
    "needles": pl.Int64(),
    "setup_charted": pl.Boolean(),
    "em_code": pl.String(),
    "payer": pl.String(),
    "locality": pl.String(),
    "department": pl.String(),
    "unreadable": pl.String(),
}

_PLAIN = [name for name in COLUMNS if name not in TIMES]
_LONGEST_RUN = read_parameters("infusion_time")["longest_run"]
_FIRST_HOUR = read_parameters("codes")["first_hour"]
_HOUR_US = 3_600_000_000
_RUN_US = pl.col("_stop_us") - pl.col("_start_us")


class Acceptance(NamedTuple):
    """Rows that can be coded, and the others with every check they failed.

    ``refused`` holds ``row`` (1 is the first row of data), ``encounter_id`` and
    ``failed`` (list of checks), and nothing clinical.
    """

    accepted: pl.LazyFrame
    refused: pl.LazyFrame


class Intake(NamedTuple):
    """A table in one shape: every known column there, times as instants, rows unjudged.

    ``given`` names the columns that were handed in, ``zone`` the zone of local dates.
    """

    rows: pl.LazyFrame
    given: list[str]
    zone: str | None


def _amount(name: str) -> pl.Expr:
    return pl.col(name).is_null() | (pl.col(name).is_finite() & (pl.col(name) >= 0))


#: What must be true of a row, in the words that the reader of ``refused`` is shown.
CHECKS: dict[str, pl.Expr] = {
    "encounter is named": pl.col("encounter_id").str.strip_chars().str.len_bytes() > 0,
    "every entry could be read": pl.col("unreadable").is_null() & ~pl.col("_unread"),
    **{f"{name} is known": ~pl.col(f"_{name}_unknown") for name in CHOICES},
    **{f"{name} is a number, zero or more": _amount(name) for name in AMOUNTS},
    "start time exists on that date": ~pl.col("_start_skipped"),
    "stop time exists on that date": ~pl.col("_stop_skipped"),
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


def accepted_rows(intake: Intake) -> pl.LazyFrame:
    """The rows that pass every check and are no copy, with the columns that were given."""
    return _judged(intake).filter(pl.col("_ok") & ~pl.col("_copy")).select(intake.given)


def refused_rows(intake: Intake) -> pl.LazyFrame:
    """The other rows: ``row``, ``encounter_id`` and every check that ``failed``."""
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
        )
        .sort("row")
    )


def _judged(intake: Intake) -> pl.LazyFrame:
    copy = ~pl.struct(intake.given).is_first_distinct()
    return intake.rows.with_columns(_ok=passes(), _copy=copy & passes())


def take_in(
    administrations: pl.DataFrame | pl.LazyFrame, *, facility_zone: str | None = None
) -> Intake:
    """Bring a table into one shape without judging its rows; see ``Intake``.

    Adds ``_row``, ``_service_day``, the marks ``_unread`` and ``_<choice>_unknown``, and for
    each time what ``facility_time.time_columns`` says; the underscore keeps them apart from
    columns of the user's.
    """
    table = administrations.lazy()
    schema = table.collect_schema()
    _require(schema)
    zone = agreed_zone(schema, TIMES, facility_zone)
    times = {
        key: expr
        for name in TIMES
        for key, expr in time_columns(name, schema.get(name), facility_zone).items()
    }
    typed = {name: _typed(name, schema) for name in _PLAIN}
    unread = [times.pop(f"_{name.removesuffix('_at')}_unread") for name in TIMES] + [
        _entry(name, schema).is_not_null() & typed[name].is_null()
        for name in _PLAIN
        if name in schema and name not in CHOICES and COLUMNS[name] != pl.String
    ]
    unknown = {
        f"_{name}_unknown": (
            _entry(name, schema).is_not_null() & typed[name].is_null()
            if name in schema
            else pl.lit(False)
        )
        for name in CHOICES
    }
    if zone is None:
        times["_stop_twice"] = clocks_may_change(times["start_at"], times["stop_at"])
    rows = table.with_row_index("_row", offset=1).with_columns(
        **typed, **times, **unknown, _unread=pl.any_horizontal(unread)
    )
    day = pl.coalesce("_start_wall", "_stop_wall").dt.date()
    return Intake(rows.with_columns(_service_day=day), schema.names(), zone)


def _require(schema: pl.Schema) -> None:
    missing = [name for name in REQUIRED if name not in schema]
    if missing:
        raise InputError(
            f"The table has no column {' and no column '.join(map(repr, missing))}; "
            f"it has {', '.join(map(repr, schema.names()))}. Rename the columns that hold "
            f"them, or read the file with read_administrations(path, columns={{...}})."
        )


def _entry(name: str, schema: pl.Schema) -> pl.Expr:
    """The entry as it stands; blank text is no entry, except in the name of an encounter."""
    entry = pl.col(name)
    if schema[name] not in (pl.String, pl.Categorical) or name == "encounter_id":
        return entry
    return pl.when(entry.cast(pl.String).str.strip_chars() != "").then(entry)


def _typed(name: str, schema: pl.Schema) -> pl.Expr:
    if name not in schema:
        absent = "subcutaneous" if name == "route" else None
        return pl.lit(absent, dtype=COLUMNS[name])
    entry = _entry(name, schema)
    if name in CHOICES and schema[name] != COLUMNS[name]:
        entry = entry.cast(pl.String).str.strip_chars().str.to_lowercase()
    return entry.cast(COLUMNS[name], strict=False).alias(name)
