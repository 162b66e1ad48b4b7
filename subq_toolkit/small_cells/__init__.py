"""Withhold counts so small that they could identify a patient, and those that give them away.

The rule is the CMS cell size suppression policy (``parameters/publication.toml``): no count of
1 to 10 is shown, nor one from which such a count can be derived; zero may be shown.

Who is kept from knowing
------------------------
A reader who knows every count that is shown and every total that is not small itself. For each
count of 1 to 10 that reader's range, from what adds up to what, reaches 11 or more. A reader
who knows further tables of the same work, or the same one without a group, may know more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from subq_toolkit.effective import read_parameters
from subq_toolkit.errors import InputError
from subq_toolkit.small_cells.grid import Grid
from subq_toolkit.small_cells.weighted import hide_for_weights

__all__ = ["LEAST", "CountedCells", "withheld_counts", "withhold_small_cells"]

#: Smallest count above zero that is shown. [1]
LEAST = int(read_parameters("publication")["smallest_count"].values[-1].value)
_MOST_MARGINS = 2


@dataclass(frozen=True)
class CountedCells:
    """Which column of a chart's table counts encounters, and what else would tell of them.

    Attributes
    ----------
    column
        The counts, e.g. ``"encounters"``.
    within
        Columns in whose values cells add up to a total that is shown or known, e.g.
        ``("group",)``; two for rows and columns of a table; empty: all cells together.
    also
        Columns of the same row that are told only with the count: shares, means, units.
    kinds
        Rows of these kinds are cells; empty: every row with a count.
    after
        Columns that are withheld of the row after a withheld one, too: changes against the row
        before.
    weight
        Whole numbers by which the counts are multiplied to a sum that is known as well, e.g.
        ``"units"``; empty: no such sum is known.
    """

    column: str
    within: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    weight: str = ""


def withhold_small_cells(
    table: pl.DataFrame,
    cells: CountedCells | Sequence[CountedCells] | None,
    *,
    least: int | None = None,
) -> pl.DataFrame:
    """Replace small counts, and those that would give them away, by null.

    Counts from 1 to ``least - 1`` are withheld, together with what stands in ``also``. Then,
    within every known total and in all cells together, further counts are withheld, the smallest
    first, until at least two are and they add up to ``least`` or more, and until no small count
    can be told from what is shown, and from the weighted sum where there is one. A total that is
    small itself counts as hidden, and with it the next smallest total: see to it that captions do
    not state them.

    Parameters
    ----------
    table
        One row a cell; other rows are left as they are. Counts are never negative. [1]
    cells
        Where the counts stand; several where a table has several columns of counts; None: none.
    least
        Smallest count that is shown; by default that of ``parameters/publication.toml``. [1]

    Raises
    ------
    InputError
        If a column is missing, no number, negative, or more than two columns have totals.

    Notes
    -----
    Threshold: CMS cell size suppression policy, as described by ResDAC. The choice of what else
    is withheld is the toolkit's own; on ties the upper row goes first.
    """
    for one in _as_tuple(cells):
        table = _withheld(table, one, LEAST if least is None else least)
    return table


def withheld_counts(before: pl.DataFrame, after: pl.DataFrame, cells: object) -> pl.Series:
    """Which rows of a table lost a count when small cells were withheld."""
    lost = pl.repeat(False, before.height, dtype=pl.Boolean, eager=True)
    for one in _as_tuple(cells):
        for name in (one.column, *one.after):
            lost |= before[name].is_not_null() & after[name].is_null()
    return lost.alias("withheld")


def _as_tuple(cells: object) -> tuple[CountedCells, ...]:
    if cells is None:
        return ()
    return tuple(cells) if isinstance(cells, Sequence) else (cells,)


def _withheld(table: pl.DataFrame, cells: CountedCells, least: int) -> pl.DataFrame:
    _check(table, cells)
    counted = pl.col(cells.column).is_not_null()
    if cells.kinds:
        counted &= pl.col("kind").is_in(cells.kinds)
    rows = table.with_row_index("_row").filter(counted)
    if any(count < 0 for count in rows[cells.column]):
        raise InputError(
            f"'{cells.column}' counts encounters, but holds a number below zero. Hand in counts."
        )
    ways = [_numbered(rows[name].to_list()) for name in cells.within]
    ways += [[0] * rows.height] * (_MOST_MARGINS - len(ways))
    grid = Grid(rows[cells.column].to_list(), list(zip(*ways, strict=True)), least)
    grid.withhold()
    if cells.weight:
        hide_for_weights(grid.counts, rows[cells.weight].to_list(), grid.hidden, least)
    hidden = {row for row, gone in zip(rows["_row"], grid.hidden, strict=True) if gone}
    lost = dict.fromkeys((cells.column, *cells.also), hidden)
    following = hidden | {row + 1 for row in hidden}
    lost |= {name: following if name in lost else following - hidden for name in cells.after}
    return table.with_columns(
        pl.when(pl.Series([row not in rows_lost for row in range(table.height)], dtype=pl.Boolean))
        .then(pl.col(name))
        .alias(name)
        for name, rows_lost in lost.items()
    )


def _numbered(values: list) -> list[int]:
    """Equal values as equal numbers."""
    seen: dict[object, int] = {}
    return [seen.setdefault(value, len(seen)) for value in values]


def _check(table: pl.DataFrame, cells: CountedCells) -> None:
    named = [cells.column, *cells.within, *cells.also, *cells.after]
    named += [cells.weight] * bool(cells.weight) + ["kind"] * bool(cells.kinds)
    if missing := [name for name in named if name not in table.columns]:
        raise InputError(
            f"The table has no column {', '.join(map(repr, missing))}, in which small counts "
            f"were to be looked for. It has {', '.join(table.columns)}."
        )
    if not table.schema[cells.column].is_numeric() and table.schema[cells.column] != pl.Null:
        raise InputError(f"'{cells.column}' is to hold counts of encounters, but is no number.")
    if len(cells.within) > _MOST_MARGINS:
        raise InputError(
            f"Totals are known in at most {_MOST_MARGINS} columns, rows and columns of a table; "
            f"'within' names {len(cells.within)}. Publish one table for each value of the third."
        )
