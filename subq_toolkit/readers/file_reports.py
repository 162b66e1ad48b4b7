"""What a reading says of the file and of each of its columns."""

from collections.abc import Mapping

import polars as pl

from subq_toolkit.administrations import CHOICES
from subq_toolkit.readers.column_maps import charted, proposal
from subq_toolkit.readers.delimited_files import BROKEN
from subq_toolkit.readers.export_files import Export
from subq_toolkit.readers.export_shapes import known_types, times_of

_TYPES = {pl.String: "text", pl.Float64: "number", pl.Int64: "whole number", pl.Boolean: "yes/no"}
_SCHEMA = {
    **dict.fromkeys(("column", "read_from", "type", "format"), pl.String()),
    **dict.fromkeys(("rows", "filled", "unreadable"), pl.Int64()),
    "note": pl.String(),
}


def report_of(
    table: Export,
    file: str,
    read_from: Mapping[str, str],
    formats: Mapping[str, str],
    notes: Mapping[str, str],
    counts: Mapping[str, int],
    shape: str,
) -> pl.DataFrame:
    """One row for the file, then one for each column of the result; see ``Reading``."""
    total, unreadable, broken = counts["(rows)"], counts["(unreadable)"], counts.get(BROKEN, 0)
    said = {
        f"{broken:,} lines do not have the {len(table.names)} fields of the header": broken,
        f"{table.left_out:,} rows without any entry were left out": table.left_out,
        "a header and no rows": total == 0,
        notes.get("(rows)", ""): bool(notes.get("(rows)")),
    }
    whole = "; ".join(note for note, holds in said.items() if holds)
    first = ("(rows)", file, table.kind, table.layout, total, total - unreadable, unreadable, whole)
    known = [name for name in read_from if name in counts]
    taken = {name: to for to, name in read_from.items()}
    lines = [
        (
            to,
            name,
            _type(to, shape),
            formats.get(to, ""),
            total,
            counts.get(to),
            counts.get(f"__missed {to}", 0 if to in known else None),
            notes.get(to, "") if to in known else proposal(name, taken, charted(shape)),
        )
        for to, name in read_from.items()
    ]
    made = []
    if "stop_at" not in read_from and notes.get("stop_at"):
        made = [("stop_at", "", _type("stop_at", shape), "", total, None, None, notes["stop_at"])]
    return pl.DataFrame([first, *lines, *made], schema=_SCHEMA, orient="row")


def event_notes(judged: Mapping[str, int], found: pl.DataFrame, runs: int) -> dict[str, str]:
    """Word what became of the events of a log, and which words are not known."""
    whole = (
        f"{judged['events_in']:,} events: {judged['folded']:,} folded, {judged['ignored']:,} of no "
        f"infusion ignored, {judged['unreadable']:,} unreadable; {runs:,} rows of runs"
    )
    unknown = found.filter(pl.col("read_as").is_null())
    shown = unknown.drop_nulls("word").rows(named=True)
    hidden = unknown.filter(pl.col("word").is_null())["rows"].sum()
    words = ", ".join(f"'{row['word']}' {row['rows']:,}" for row in shown)
    parts = [f"not known: {words}"] if words else []
    parts += [f"{hidden:,} others that are not shown"] if hidden else []
    parts += ["say what they mean in events= of the ColumnMap"] if parts else []
    return {"(rows)": whole, "event": "; ".join(parts)}


def _type(column: str, shape: str) -> str:
    types = known_types(shape)
    if column in CHOICES:
        return f"one of {', '.join(CHOICES[column])}"
    if column in times_of(shape):
        return "date and time"
    if column == "duration" and shape == "start_duration":
        return "length of time"
    return _TYPES[types[column].base_type()] if column in types else "as in the file"
