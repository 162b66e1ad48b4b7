"""The report of a reading: a row for the file as a whole, then one for every column."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import polars as pl

from subq_toolkit.administrations import COLUMNS
from subq_toolkit.readers.reading import REPORT

_TYPES = {
    pl.String: "text",
    pl.Float64: "number",
    pl.Int64: "whole number",
    pl.Boolean: "yes/no",
    pl.Date: "date",
    pl.Datetime: "date and time",
}


class Whole(NamedTuple):
    """What is said of a file as a whole: its name, kind, layout and notes."""

    name: str
    kind: str
    layout: str
    notes: Sequence[str]


class Column(NamedTuple):
    """What is said of one column; ``filled`` and ``unreadable`` of known ones only."""

    column: str
    read_from: str
    type: str
    format: str
    filled: int | None
    unreadable: int | None
    note: str


def report_table(
    whole: Whole, columns: Iterable[Column], *, rows: int, unreadable: int
) -> pl.DataFrame:
    """One row for the whole of ``rows`` rows, ``unreadable`` of them in part, and the columns."""
    first = Column(
        "(rows)", whole.name, whole.kind, whole.layout, rows - unreadable, unreadable, ""
    )._replace(note="; ".join(note for note in whole.notes if note))
    lines = [(*one[:4], rows, *one[4:]) for one in (first, *columns)]
    return pl.DataFrame(lines, schema=REPORT, orient="row")


def reading_report(
    rows: pl.DataFrame,
    whole: Whole,
    read_from: Mapping[str, str],
    missed: Mapping[str, str],
    formats: Mapping[str, str],
    notes: Mapping[str, Sequence[str]],
) -> pl.DataFrame:
    """The report of a reading whose columns are made from the parts of a record.

    ``rows`` holds the columns of ``read_from``, ``unreadable``, and the Boolean columns named in
    ``missed``, which mark what could not be read of a column.
    """
    columns = [
        Column(
            name,
            source,
            column_type(COLUMNS.get(name), "rides along"),
            formats.get(name, ""),
            rows[name].count(),
            int(rows[missed[name]].sum()) if name in missed else 0,
            "; ".join(note for note in notes.get(name, ()) if note),
        )
        for name, source in read_from.items()
    ]
    return report_table(whole, columns, rows=rows.height, unreadable=rows["unreadable"].count())


def column_type(dtype: pl.DataType | None, unknown: str = "as in the file") -> str:
    """The type of a known column in words; ``unknown`` if it is none."""
    if dtype is None:
        return unknown
    if isinstance(dtype, pl.Enum):
        return f"one of {', '.join(dtype.categories)}"
    return _TYPES[dtype.base_type()]
