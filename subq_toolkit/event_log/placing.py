"""Each event of a log given its place: which infusion, which moment, which kind of event."""

import re
from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.event_log.event_words import EVENTS, NO_EVENT, read_events
from subq_toolkit.facility_time import agreed_zone, charted, zone_of
from subq_toolkit.intake import COLUMNS
from subq_toolkit.plain_text import shown

_NEEDED = ("encounter_id", "event_at", "event")
_MADE = ("start_at", "stop_at", "began_by", "ended_by", "events")
_MOST_SHOWN = 10
_AMOUNTS = ("rate_ml_per_h", "volume_ml")
_TEXTUAL = (pl.String, pl.Categorical, pl.Enum)
#: Columns that are read as text here; numbers will do for those that name a thing.
_WORDS = ("event", "mode", "unreadable")
_NAMES = ("encounter_id", "order_id", "pump_id", "drug", "site")
#: What a column that is known later on cannot hold in any case.
_UNFIT = (pl.Binary, pl.Object, pl.Duration, pl.Time)


class Placed(NamedTuple):
    """Events with their place.

    ``rows`` has, beyond the columns handed in, ``_row``, ``_event``, ``_sound`` (can be
    folded), ``_ignored`` and one ``_lane ...`` for each of ``lanes``: what tells infusions apart.
    """

    rows: pl.LazyFrame
    lanes: list[str]
    given: list[str]
    zone: str | None


def place_events(
    events: pl.DataFrame | pl.LazyFrame, words: Mapping[str, str], facility_zone: str | None
) -> Placed:
    """Read words and times of a log, and tell its infusions apart; nothing is judged or lost."""
    if not isinstance(events, pl.DataFrame | pl.LazyFrame):
        raise InputError(
            "Hand in a Polars DataFrame or LazyFrame of events; "
            f"this is a {type(events).__name__}. For pandas: polars.from_pandas(frame)."
        )
    if not isinstance(facility_zone, str | None):
        raise InputError("facility_zone is the name of a zone, e.g. 'America/New_York'.")
    table = events.lazy()
    schema = table.collect_schema()
    _require(schema)
    agreed_zone(schema, ("event_at",), facility_zone)
    moment = charted("event_at", schema["event_at"])
    if facility_zone and zone_of(schema["event_at"]):
        moment = moment.dt.convert_time_zone(facility_zone)
    named = pl.col("encounter_id").cast(pl.String).str.strip_chars()
    typed = {
        "encounter_id": pl.when(named != "").then(named),
        "event_at": moment,
        **{name: pl.col(name).cast(pl.Float64) for name in _AMOUNTS if name in schema},
    }
    if "unreadable" not in schema:
        typed["unreadable"] = pl.lit(None, pl.String)
    rows = (
        table.with_row_index("_row")
        .with_columns(_event=read_events(pl.col("event"), words), **typed)
        .with_columns(_ignored=(pl.col("_event") == NO_EVENT).fill_null(False))
        .with_columns(
            _sound=~pl.col("_ignored")
            & pl.all_horizontal(pl.col("_event", "encounter_id", "event_at").is_not_null()),
            _event=pl.col("_event").replace(NO_EVENT, None).cast(pl.Enum(EVENTS)),
        )
    )
    lanes = [name for name in ("order_id", "pump_id") if name in schema]
    lanes = lanes or [name for name in ("drug",) if name in schema]
    return Placed(_apart(rows, lanes), lanes, schema.names(), zone_of(schema["event_at"]))


def _require(schema: pl.Schema) -> None:
    missing = [name for name in _NEEDED if name not in schema]
    if missing:
        raise InputError(
            f"The event log has no column {' and no column '.join(map(repr, missing))}. Rename the "
            f"columns that hold them, or read the file with a ColumnMap of shape 'event_log'."
        )
    ours = [name for name in schema if name.startswith("_") or name in _MADE]
    if ours:
        some = ", ".join(f"'{shown(name)}'" for name in ours[:_MOST_SHOWN])
        raise InputError(
            f"Runs get columns of these names, or names that begin with an underscore: {some}. "
            f"Rename them in the event log."
        )
    patterns = [name for name in schema if name == "*" or re.fullmatch(r"\^.*\$", name, re.DOTALL)]
    if patterns:
        raise InputError(
            f"Column '{shown(patterns[0])}' has a name that stands for several columns. Rename it."
        )
    for name, held in schema.items():
        holds = _must_hold(name, held)
        if holds:
            raise InputError(
                f"Column '{name}' holds {shown(held)} values; it must hold {holds}. Convert it, or "
                f"leave it out."
            )


def _must_hold(name: str, held: pl.DataType) -> str | None:
    """What a column must hold instead of what it does; None if it may."""
    if held == pl.Null:
        return None
    if name in _AMOUNTS:
        return None if held.is_numeric() else "numbers"
    if name in _WORDS:
        return None if held in _TEXTUAL else "text"
    if name in _NAMES:
        return None if held in _TEXTUAL or held.is_numeric() else "text or numbers"
    unfit = held.is_nested() or held in _UNFIT
    return "one plain value in each row" if unfit and name in COLUMNS else None


def _apart(rows: pl.LazyFrame, lanes: list[str]) -> pl.LazyFrame:
    """Add ``_lane ...``: an empty entry is the only one of its encounter (and order), if so."""
    by = ["encounter_id"]
    for name in lanes:
        lane = f"_lane {name}"
        rows = rows.with_columns(pl.col(name).cast(pl.String).str.strip_chars().alias(lane))
        rows = rows.with_columns(pl.when(pl.col(lane) != "").then(lane).alias(lane))
        only = (
            rows.filter("_sound")
            .group_by(by)
            .agg(_least=pl.col(lane).min(), _most=pl.col(lane).max())
            .filter(pl.col("_least") == pl.col("_most"))
            .drop("_most")
        )
        rows = rows.join(only, on=by, how="left", nulls_equal=True)
        rows = rows.with_columns(pl.coalesce(lane, "_least").alias(lane)).drop("_least")
        by = [*by, lane]
    return rows
