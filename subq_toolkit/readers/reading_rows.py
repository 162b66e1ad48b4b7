"""The rows of an export, of any shape, read as typed charted runs."""

from typing import NamedTuple

import polars as pl
from polars.selectors import by_name

from subq_toolkit.administrations import CHOICES
from subq_toolkit.errors import InputError
from subq_toolkit.event_log import event_counts, fold_events, judged_events
from subq_toolkit.readers.charted_fields import charted_text, field
from subq_toolkit.readers.delimited_files import BROKEN
from subq_toolkit.readers.export_files import Export, broken_mark
from subq_toolkit.readers.export_shapes import (
    as_text,
    in_two_columns,
    joined,
    known_types,
    length_us,
    next_day,
    note_of_shape,
    stop_after,
    times_of,
)
from subq_toolkit.readers.file_reports import event_notes, report_of
from subq_toolkit.readers.file_times import TimeFields, time_fields
from subq_toolkit.readers.reading import Reading
from subq_toolkit.readers.saved_maps import ColumnMap

_BARE_NUMBER = r"^\d*\.?\d+$"
_BEFORE = "__before"


class _Renamed(NamedTuple):
    """Rows under the names of this toolkit; where each came from; times made of two columns."""

    rows: pl.LazyFrame
    read_from: dict[str, str]
    made: dict[str, tuple[str, str]]


def read_rows_of(table: Export, file: str, column_map: ColumnMap) -> Reading:
    """Read the rows of an opened export as its map says."""
    renamed = _renamed(table, column_map)
    rows, read_from = renamed.rows, renamed.read_from
    schema, types = rows.collect_schema(), known_types(column_map.shape)
    times = time_fields(
        rows,
        read_from,
        time_format=column_map.time_format,
        facility_zone=column_map.facility_zone,
        names=times_of(column_map.shape),
    )
    known = [name for name in read_from if name in types and name != "unreadable"]
    read = rows.with_columns(
        charted_text(name, schema[name]).alias(f"__text {name}") for name in known
    ).with_columns(_field(name, schema, times, column_map).alias(f"__{name}") for name in known)
    read, stop_made = _with_stop(read, renamed, column_map, times)
    missed = [name for name in known if types[name] != pl.String]
    lengths = ["duration"] if column_map.shape == "start_duration" else []
    lost = {
        f"__missed {name}": pl.col(f"__text {name}").is_not_null() & pl.col(f"__{name}").is_null()
        for name in [*missed, *lengths]
    }
    marks = [*lost, _BEFORE, *broken_mark(schema)]
    result = [name for name in read_from if name != "unreadable"]
    out = (
        read.with_columns(**lost)
        .with_columns(_listed([*lost], schema).alias("__unreadable"))
        .select(
            *[by_name(f"__{name}" if name in known else name).alias(name) for name in result],
            *[pl.col("__stop_at").alias("stop_at") for _ in range(stop_made)],
            *[pl.col("__unreadable").alias("unreadable"), *marks],
        )
    )
    if table.kind != "parquet":
        out = out.collect().lazy()
    counts = out.select(
        pl.len().alias("(rows)"),
        pl.col("unreadable").count().alias("(unreadable)"),
        *[pl.col(name).count() for name in [*known, *lengths]],
        *[pl.col(mark).sum() for mark in marks],
    )
    counted = counts.collect().row(0, named=True)
    notes = dict(times.notes) | _stop_notes(counted, column_map)
    rows_read = out.drop(marks)
    if column_map.shape == "event_log":
        return _folded(rows_read, table, file, renamed, times, counted, column_map)
    report = report_of(table, file, read_from, times.formats, notes, counted, column_map.shape)
    return Reading(rows_read, report)


def _renamed(table: Export, column_map: ColumnMap) -> _Renamed:
    """Rename the columns, and join dates with the clocks that stand beside them."""
    rows = table.rows.rename(table.names)
    schema = rows.collect_schema()
    read_from = {to: name for name, to in table.names.items()}
    made = in_two_columns([*read_from], column_map.shape)
    if not made:
        return _Renamed(rows, read_from, made)
    parts = {part for pair in made.values() for part in pair}
    texts = {
        name: typed
        if (typed := as_text(name, schema[name])) is not None
        else charted_text(name, schema[name])
        for name in parts
    }
    rows = rows.with_columns(
        joined(texts[day], texts[clock]).alias(time) for time, (day, clock) in made.items()
    )
    sources = {time: " + ".join(read_from[part] for part in pair) for time, pair in made.items()}
    of_clock = {clock: time for time, (_, clock) in made.items()}
    kept: dict[str, str] = {}
    for to, name in read_from.items():
        if to in of_clock:
            kept[of_clock[to]] = sources[of_clock[to]]
        elif to not in parts:
            kept[to] = name
    return _Renamed(rows, kept, made)


def _field(name: str, schema: pl.Schema, times: TimeFields, column_map: ColumnMap) -> pl.Expr:
    """Read one known column as its type."""
    text = pl.col(f"__text {name}")
    if name in times.dtypes:
        return times.expr(name, text)
    wanted = known_types(column_map.shape)[name]
    answers = column_map.answers.get(name) if name in (*CHOICES, "setup_charted") else None
    return field(name, schema[name], text, answers=answers, wanted=wanted)


def _with_stop(
    read: pl.LazyFrame, renamed: _Renamed, column_map: ColumnMap, times: TimeFields
) -> tuple[pl.LazyFrame, bool]:
    """Add or correct the stop as the shape has it; and whether the shape made it."""
    before = pl.lit(False)
    start, stop = pl.col("__start_at"), pl.col("__stop_at")
    day = renamed.made.get("stop_at", ("", ""))[0]
    if day == "start_date":
        before = (stop < start).fill_null(False)
        later = column_map.stop_after_midnight == "next_day"
        kept = next_day(start, stop) if later else pl.when(~before).then(stop)
        return read.with_columns(before.alias(_BEFORE)).with_columns(kept.alias("__stop_at")), False
    read = read.with_columns(before.alias(_BEFORE))
    has_stop = "stop_at" in renamed.read_from
    if column_map.shape == "start_duration":
        if has_stop:
            raise InputError(
                f"Column '{renamed.read_from['stop_at']}' is read as stop_at, and the shape is "
                f"'start_duration', which makes the stop of the length. Read the file as "
                f"'start_stop', or give that column another name in columns=."
            )
        return _with_stop_of_length(read, renamed, column_map, times), True
    if column_map.shape == "event_log" or has_stop:
        return read, False
    return read.with_columns(
        pl.lit(None, read.collect_schema()["__start_at"]).alias("__stop_at")
    ), True


def _with_stop_of_length(
    read: pl.LazyFrame, renamed: _Renamed, column_map: ColumnMap, times: TimeFields
) -> pl.LazyFrame:
    schema = renamed.rows.collect_schema()
    dtype, unit = schema["duration"], column_map.duration_unit
    if isinstance(dtype, pl.Duration):
        text, length = (
            pl.col("duration").dt.total_microseconds().cast(pl.String),
            pl.col("duration").dt.total_microseconds(),
        )
        length = pl.when(length >= 0).then(length)
    else:
        text = charted_text("duration", dtype)
        if (
            unit is None
            and renamed.rows.select(text.str.contains(_BARE_NUMBER).any()).collect().item()
        ):
            raise InputError(
                f"Column '{renamed.read_from['duration']}' holds bare numbers. State their unit in "
                f"the ColumnMap: duration_unit='min' or 'h'."
            )
        length = length_us(text, unit or "h:mm")
    zoned = times.zone is not None or getattr(times.dtypes["start_at"], "time_zone", None)
    zone = None if zoned else column_map.facility_zone
    read = read.with_columns(text.alias("__text duration"), length.alias("__duration"))
    stop = stop_after(pl.col("__start_at"), pl.col("__duration"), zone)
    return read.with_columns(stop.alias("__stop_at"))


def _stop_notes(counted: dict[str, int], column_map: ColumnMap) -> dict[str, str]:
    made = note_of_shape(column_map.shape, column_map.duration_unit)
    before = counted[_BEFORE]
    if before and column_map.stop_after_midnight == "next_day":
        made = f"{before:,} stop clocks before the start clock, read as of the next day"
    elif before:
        made = (
            f"{before:,} stop clocks are before the start clock and not read; if they are of the "
            f"next day, state stop_after_midnight='next_day' in the ColumnMap"
        )
    return {"stop_at": made} if made else {}


def _listed(missed: list[str], schema: pl.Schema) -> pl.Expr:
    """Names of the fields that could not be read, as text; null if all could."""
    named = [pl.when(mark).then(pl.lit(mark.removeprefix("__missed "))) for mark in missed]
    if BROKEN in schema:
        named.append(pl.when(BROKEN).then(pl.lit("line")))
    if "unreadable" in schema:
        named.append(charted_text("unreadable", schema["unreadable"]))
    listed = pl.concat_str(named, separator=", ", ignore_nulls=True)
    return pl.when(listed != "").then(listed)


def _folded(
    events: pl.LazyFrame,
    table: Export,
    file: str,
    renamed: _Renamed,
    times: TimeFields,
    counted: dict[str, int],
    column_map: ColumnMap,
) -> Reading:
    """Fold the events that were read into runs, and say in the report what became of them."""
    words, zone = column_map.events, column_map.facility_zone
    runs = fold_events(events, words=words, new_bag=column_map.new_bag, facility_zone=zone)
    if table.kind != "parquet":
        runs = runs.collect().lazy()
    judged = judged_events(events, words=words, facility_zone=zone)
    found = event_counts(events, events=words)
    counted["(unreadable)"] = judged["unreadable"]
    counted["__missed event"] = int(found.filter(pl.col("read_as").is_null())["rows"].sum())
    rows = int(runs.select(pl.len()).collect().item())
    notes = dict(times.notes) | event_notes(judged, found, rows)
    report = report_of(table, file, renamed.read_from, times.formats, notes, counted, "event_log")
    return Reading(runs, report)
