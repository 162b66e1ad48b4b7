"""A chart together with what it is drawn from: all that publishing it needs."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl


@dataclass(frozen=True)
class CountedCells:
    """Which column of a chart's table counts encounters, and what else would tell of them.

    Attributes
    ----------
    column
        The counts, e.g. ``"encounters"``.
    within
        Columns in whose values cells add up to a total that is shown or known, e.g.
        ``("group",)``; empty: all cells together.
    also
        Columns of the same row that are told only with the count: shares, means, units.
    kinds
        Rows of these kinds are cells; empty: every row with a count.
    """

    column: str
    within: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Figure:
    """A chart to be shown and published.

    Attributes
    ----------
    name
        What it is of, as part of a file name: ``infusion_durations``.
    table
        What the chart's ``X_table`` returned.
    draw
        The chart's ``X_spec``: from a table to a Vega-Lite specification.
    cells
        The counts of encounters in ``table``; None if it has none.
    encounters
        Of how many encounters the picture tells; None if of none (a plan, a fee schedule). [1]
    sources
        Where its numbers come from, a line each.
    """

    name: str
    table: pl.DataFrame
    draw: Callable[[pl.DataFrame], dict]
    cells: CountedCells | None = None
    encounters: int | None = None
    sources: tuple[str, ...] = ()

    @property
    def spec(self) -> dict:
        """The chart as a Vega-Lite specification."""
        return self.draw(self.table)

    def of(self, table: pl.DataFrame) -> "Figure":
        """The same chart of another table."""
        return replace(self, table=table)
