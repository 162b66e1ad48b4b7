"""Each event of a log given its place: which infusion, which moment, which kind of event."""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.event_log.event_words import EVENTS, NO_EVENT, read_events
from subq_toolkit.facility_time import agreed_zone, charted, zone_of

_NEEDED = ("encounter_id", "event_at", "event")
_MADE = ("start_at", "stop_at", "began_by", "ended_by", "events")
_AMOUNTS = ("rate_ml_per_h", "volume_ml")


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
        raise InputError(
            f"Runs get columns of these names, or names that begin with an underscore: "
            f"{', '.join(map(repr, ours))}. Rename them in the event log."
        )
    for name in _AMOUNTS:
        if name in schema and not (schema[name].is_numeric() or schema[name] == pl.Null):
            raise InputError(f"Column '{name}' holds {schema[name]} values; it must hold numbers.")


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
