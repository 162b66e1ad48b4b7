"""The report of a reading whose columns are made from the parts of a record.

The same columns as in the report of a file that is a table, so both read alike.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from subq_toolkit.administrations import CHOICES, COLUMNS, TIMES

_TYPES = {pl.String: "text", pl.Float64: "number", pl.Int64: "whole number", pl.Boolean: "yes/no"}


class Whole(NamedTuple):
    """What is said of a file as a whole: its name, kind, layout and notes."""

    name: str
    kind: str
    layout: str
    notes: Sequence[str]


def reading_report(
    rows: pl.DataFrame,
    whole: Whole,
    read_from: Mapping[str, str],
    missed: Mapping[str, str],
    formats: Mapping[str, str],
    notes: Mapping[str, Sequence[str]],
) -> pl.DataFrame:
    """One row for the whole, then one per column of ``read_from``.

    ``rows`` holds the columns, ``unreadable``, and the Boolean columns named in ``missed``,
    which mark what could not be read of a column.
    """
    unreadable = rows["unreadable"].count()
    said = "; ".join(note for note in whole.notes if note)
    first = ("(rows)", whole.name, whole.kind, whole.layout, rows.height)
    lines = [
        (*first, rows.height - unreadable, unreadable, said),
        *[
            (
                name,
                source,
                column_type(name),
                formats.get(name, ""),
                rows.height,
                rows[name].count(),
                int(rows[missed[name]].sum()) if name in missed else 0,
                "; ".join(note for note in notes.get(name, ()) if note),
            )
            for name, source in read_from.items()
        ],
    ]
    text, count = pl.String(), pl.Int64()
    schema = {"column": text, "read_from": text, "type": text, "format": text}
    schema |= {"rows": count, "filled": count, "unreadable": count, "note": text}
    return pl.DataFrame(lines, schema=schema, orient="row")


def column_type(column: str) -> str:
    """The type of a column in words; one the toolkit does not know is ``not used``."""
    if column in CHOICES:
        return f"one of {', '.join(CHOICES[column])}"
    if column in TIMES:
        return "date and time"
    return _TYPES[COLUMNS[column].base_type()] if column in COLUMNS else "rides along"
