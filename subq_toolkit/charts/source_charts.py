"""The charts of rules and sources: a table goes in, an Altair chart comes out."""

from datetime import date

import altair as alt
import polars as pl

from subq_toolkit.charts.review_calendar import review_calendar_spec, review_calendar_table
from subq_toolkit.charts.standings_of_numbers import (
    standings_of_numbers_spec,
    standings_of_numbers_table,
)

__all__ = [
    "numbers_caption",
    "review_calendar",
    "review_calendar_table",
    "standings_of_numbers",
    "standings_of_numbers_table",
]


def standings_of_numbers(table: pl.DataFrame) -> alt.LayerChart:
    """How many numbers of each subject could be read in a source, and how many could not.

    ``table`` is what ``standings_of_numbers_table(number_summary(...))`` returns.
    """
    return alt.LayerChart.from_dict(standings_of_numbers_spec(table))


def review_calendar(table: pl.DataFrame) -> alt.LayerChart:
    """In which months the sources of the numbers are to be read again, and what is overdue.

    ``table`` is what ``review_calendar_table(numbers_in_use(...), on=...)`` returns.
    """
    return alt.LayerChart.from_dict(review_calendar_spec(table))


def numbers_caption(numbers: pl.DataFrame, *, on: date | None = None) -> str:
    """Say of how many files the numbers of a chart are, and when their sources were read.

    Parameters
    ----------
    numbers
        What ``numbers_in_use`` returns, or some of its rows.
    on
        The day that was asked, if one was.
    """
    files = numbers["file"].n_unique()
    parts = [f"Numbers of {files} file{'s' * (files != 1)}"]
    read = numbers["read_on"].drop_nulls()
    if len(read):
        days = sorted({read.min(), read.max()})
        parts.append(f"sources read {' to '.join(map(str, days))}")
    if on is not None:
        parts.append(f"as of {on}")
    return " · ".join(parts)
