"""What an export leaves open after its columns were suggested: one sentence each."""

import re
from collections.abc import Mapping

import polars as pl

from subq_toolkit.charted_times import find_reading
from subq_toolkit.errors import InputError
from subq_toolkit.event_log import event_counts
from subq_toolkit.readers.charted_fields import charted_text
from subq_toolkit.readers.export_shapes import (
    in_two_columns,
    joined,
    lacking,
    note_of_shape,
    times_of,
)
from subq_toolkit.readers.sampled_exports import Sampled
from subq_toolkit.readers.saved_maps import ColumnMap
from subq_toolkit.readers.suggestion_tables import PROPOSED_FROM
from subq_toolkit.readers.value_kinds import Values, text_of

_NEAR = 0.15
#: Offsets from UTC are a matter of reading, not of what the columns are.
_ANY_ZONE = "America/New_York"
_HOURS = r"\b(h|hr|hrs|hour|hours)\b"
_MINUTES = r"\b(min|mins|minute|minutes)\b"


def duration_unit_of(proposed: Mapping[str, str], values: Mapping[str, Values]) -> str | None:
    """Unit that the name of the column of lengths says, or ``h:mm`` if all values are so."""
    name = next((name for name, to in proposed.items() if to == "duration"), None)
    if name is None:
        return None
    words = re.sub(r"[^a-z]+", " ", name.lower())
    if values[name].filled and values[name].counts["h_mm"] == values[name].filled:
        return "h:mm"
    hours, minutes = re.search(_HOURS, words), re.search(_MINUTES, words)
    if bool(hours) == bool(minutes):
        return None
    return "h" if hours else "min"


def questions_of(
    sample: Sampled, column_map: ColumnMap, listed: pl.DataFrame, values: Mapping[str, Values]
) -> list[str]:
    """What whoever knows the export has to say or to look at."""
    named = {to: name for name, to in column_map.columns.items()}
    asked = [f"Check that {note}." for note in sample.notes]
    if sample.broken:
        asked.append(f"{sample.broken:,} of the first lines do not have the fields of the header.")
    asked += [
        f"Which column is {name}? None was found with enough confidence."
        for name in lacking(column_map.shape, named)
    ]
    asked += [
        f"'{row['read_from']}' may be {row['column']} ({row['confidence']:.0%}) or "
        f"{row['runner_up']} ({row['runner_up_confidence']:.0%})."
        for row in listed.drop_nulls(["column", "runner_up"]).rows(named=True)
        if row["confidence"] - row["runner_up_confidence"] < _NEAR and row["runner_up"] not in named
    ]
    asked += [
        f"'{row['read_from']}' may be {row['runner_up']} as well as '{named[row['runner_up']]}'."
        for row in listed.filter(pl.col("column").is_null())
        .drop_nulls("runner_up")
        .rows(named=True)
        if row["runner_up"] in named and row["runner_up_confidence"] >= PROPOSED_FROM
    ]
    if "duration" in named and column_map.duration_unit is None:
        bare = values[named["duration"]].counts.get("number", 0)
        asked += [f"Is '{named['duration']}' in minutes or hours? State duration_unit."] * bool(
            bare
        )
    if column_map.shape == "start_volume_rate":
        asked.append(f"This shape has no stop: {note_of_shape('start_volume_rate', None)}.")
    return [*asked, *_of_times(sample.rows, column_map, named), *_of_words(sample.rows, named)]


def _of_times(rows: pl.DataFrame, column_map: ColumnMap, named: Mapping[str, str]) -> list[str]:
    """What the times leave open: day or month first, zone, stops before starts on the clock."""
    made = in_two_columns(named, column_map.shape)
    texts = {}
    for day, clock in made.values():
        both = joined(_text(rows, named[day]), _text(rows, named[clock]))
        texts[f"{named[day]} + {named[clock]}"] = rows.select(both.alias("text"))[
            "text"
        ].drop_nulls()
    for time in times_of(column_map.shape):
        if time in named and rows.schema[named[time]] == pl.String:
            text = rows.select(_text(rows, named[time]).alias("text"))["text"]
            texts[named[time]] = text.drop_nulls()
    try:
        reading = find_reading(texts, facility_zone=_ANY_ZONE)
    except InputError as error:
        return [str(error)]
    if made.get("stop_at", ("",))[0] != "start_date" or "start_at" not in made:
        return []
    pairs = [
        joined(*(text_of(named[one], rows.schema[named[one]]) for one in made[time]))
        for time in made
    ]
    start, stop = (reading.expr(pair).alias(time) for time, pair in zip(made, pairs, strict=True))
    before = rows.select(start, stop).select(pl.col("stop_at") < pl.col("start_at"))
    count = before.to_series().sum()
    return [
        f"{count:,} stop clocks are before the start clock. If they are of the next day, state "
        f"stop_after_midnight='next_day' in the map; unless it is stated they are not read."
    ] * bool(count)


def _text(rows: pl.DataFrame, name: str) -> pl.Expr:
    text = text_of(name, rows.schema[name])
    return charted_text(name, rows.schema[name]) if text is None else text


def _of_words(rows: pl.DataFrame, named: Mapping[str, str]) -> list[str]:
    if "event" not in named:
        return []
    counts = event_counts(rows, column=named["event"])
    unknown = counts.filter(pl.col("read_as").is_null())
    shown = ", ".join(f"'{word}'" for word in unknown["word"].drop_nulls())
    hidden = unknown.filter(pl.col("word").is_null())["rows"].sum()
    asked = [f"What do these events mean: {shown}? State events= in the map."] if shown else []
    asked += [f"{hidden:,} events have other words, not shown."] if hidden else []
    return asked
