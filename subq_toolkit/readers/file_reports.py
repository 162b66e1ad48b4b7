"""What a reading says of the file and of each of its columns."""

from collections.abc import Mapping

import polars as pl

from subq_toolkit.readers.column_maps import charted, proposal
from subq_toolkit.readers.delimited_files import BROKEN
from subq_toolkit.readers.export_files import Export
from subq_toolkit.readers.export_shapes import known_types
from subq_toolkit.readers.reading_report import Column, Whole, column_type, report_table


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
    known = [name for name in read_from if name in counts]
    taken = {name: to for to, name in read_from.items()}
    columns = [
        Column(
            to,
            name,
            _type(to, shape),
            formats.get(to, ""),
            counts.get(to),
            counts.get(f"__missed {to}", 0 if to in known else None),
            notes.get(to, "") if to in known else proposal(name, taken, charted(shape)),
        )
        for to, name in read_from.items()
    ]
    if "stop_at" not in read_from and notes.get("stop_at"):
        stop = Column("stop_at", "", _type("stop_at", shape), "", None, None, notes["stop_at"])
        columns.append(stop)
    whole = whole_of(table, file, counts, notes.get("(rows)", ""))
    total, unreadable = counts["(rows)"], counts["(unreadable)"]
    return report_table(whole, columns, rows=total, unreadable=unreadable)


def whole_of(table: Export, file: str, counts: Mapping[str, int], note: str = "") -> Whole:
    """What is said of a file whose rows and broken lines were counted."""
    broken = counts.get(BROKEN, 0)
    said = {
        f"{broken:,} lines do not have the {len(table.names)} fields of the header": broken,
        f"{table.left_out:,} rows without any entry were left out": table.left_out,
        "a header and no rows": counts["(rows)"] == 0,
        note: bool(note),
    }
    return Whole(file, table.kind, table.layout, [one for one, holds in said.items() if holds])


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
    if column == "duration" and shape == "start_duration":
        return "length of time"
    return column_type(known_types(shape).get(column))
