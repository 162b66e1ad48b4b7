"""A chart together with what it is drawn from: all that publishing it needs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module

import polars as pl

from subq_toolkit.small_cells import CountedCells

__all__ = ["CountedCells", "Figure", "figure"]


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
        The counts of encounters in ``table``, several where more columns hold some; None if
        it has none.
    encounters
        Of how many encounters the picture tells; None if of none (a plan, a fee schedule). [1]
    sources
        Where its numbers come from, a line each.
    """

    name: str
    table: pl.DataFrame
    draw: Callable[[pl.DataFrame], dict]
    cells: CountedCells | tuple[CountedCells, ...] | None = None
    encounters: int | None = None
    sources: tuple[str, ...] = ()

    @property
    def spec(self) -> dict:
        """The chart as a Vega-Lite specification."""
        return self.draw(self.table)

    def of(self, table: pl.DataFrame) -> "Figure":
        """The same chart of another table."""
        return replace(self, table=table)


def figure(
    chart: str,
    table: pl.DataFrame,
    *,
    encounters: int | None = None,
    sources: tuple[str, ...] = (),
) -> Figure:
    """One of the charts of this package with its table, ready to publish.

    Parameters
    ----------
    chart
        The name of its module: ``infusion_durations``.
    table
        What its ``X_table`` returned.
    encounters
        Of how many encounters it tells; None if of none. [1]
    sources
        Where its numbers come from, a line each.
    """
    module = import_module(f"subq_toolkit.charts.{chart}")
    draw, cells = getattr(module, f"{chart}_spec"), getattr(module, "CELLS", None)
    return Figure(chart, table, draw, cells, encounters, sources)
