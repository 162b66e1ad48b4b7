"""Published limits that contradict each other, in the stretches in which they do.

A limit holds for a use and for bands of the number of the infusion, the weight and the age. The
ends of all bands cut these three into stretches; within one the same values hold throughout.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product as combined

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.formulas import unit_of
from subq_toolkit.numbers_in_use.published_numbers import bands_in_words
from subq_toolkit.product_tables import products, table
from subq_toolkit.products import LIMITS, Circumstances, may_bind, published_limits, uses_of


@dataclass(frozen=True)
class _Axis:
    """What a band is of: the circumstance, the columns of its ends, and the lowest value.

    ``past`` is added to a last value to get the first one beyond: 0 where it is excluded.
    """

    given: str
    first: str
    last: str
    lowest: int
    past: int


_AXES = (
    _Axis("infusion_number", "infusion_from", "infusion_to", lowest=1, past=1),
    _Axis("weight_kg", "weight_from_kg", "weight_below_kg", lowest=0, past=0),
    _Axis("age_y", "age_from_y", "age_below_y", lowest=0, past=0),
)
#: From the first value on to the one that no longer belongs to it; None: without end.
Stretch = tuple[float, float | None]
#: A stretch of each axis.
Cell = tuple[Stretch, ...]


@cache
def limit_disagreements() -> tuple[tuple, ...]:
    """Rows of ``contradictions`` for published limits, by product and limit."""
    rows = table("limits").with_columns(may_bind().alias("may_bind"))
    names = dict(products().select("product", "name").rows())
    return tuple(
        answer
        for product, name in names.items()
        for limit in LIMITS
        for answer in _of_limit(name, rows.filter(product=product, limit=limit).rows(named=True))
    )


def _of_limit(name: str, rows: list[dict]) -> Iterator[tuple]:
    uses = uses_of(rows[0]["product"]) if any(row["use"] for row in rows) else (None,)
    for use in uses:
        of_use = [row for row in rows if row["use"] in (None, use)]
        cells = {cell: _held(of_use, cell) for cell in _cells(of_use)}
        apart = {cell: held for cell, held in cells.items() if _disagree(held)}
        for cell, held in _joined(apart).items():
            yield from _answers(name, use, cell, held)


def _cells(rows: list[dict]) -> Iterator[Cell]:
    return combined(*(_stretches(rows, axis) for axis in _AXES))


def _stretches(rows: list[dict], axis: _Axis) -> list[Stretch]:
    begins = {row[axis.first] for row in rows} - {None}
    begins |= {row[axis.last] + axis.past for row in rows if row[axis.last] is not None}
    cuts = sorted({axis.lowest, *begins})
    return list(zip(cuts, [*cuts[1:], None], strict=True))


def _held(rows: list[dict], cell: Cell) -> list[dict]:
    """The values that hold throughout a cell."""
    return [
        row
        for row in rows
        if all(_covers(row, axis, low) for axis, (low, _) in zip(_AXES, cell, strict=True))
    ]


def _covers(row: dict, axis: _Axis, low: float) -> bool:
    first, last = row[axis.first], row[axis.last]
    return (first is None or first <= low) and (last is None or low < last + axis.past)


def _disagree(held: list[dict]) -> bool:
    """Whether two sources give different values; one page may well list several strengths."""
    return any(
        one["value"] != other["value"] and one["source"] != other["source"]
        for one in held
        for other in held
    )


def _joined(cells: dict[Cell, list[dict]]) -> dict[Cell, list[dict]]:
    """Cells that follow each other, and in which the same values hold, as one."""
    for at in range(len(_AXES)):
        wider: dict[Cell, list[dict]] = {}
        for cell in sorted(cells, key=lambda cell: [low for low, _ in cell]):
            held = cells[cell]
            before = next((one for one in wider if _follows(cell, one, at)), None)
            if before and wider[before] == held:
                del wider[before]
                cell = (*cell[:at], (before[at][0], cell[at][1]), *cell[at + 1 :])
            wider[cell] = held
        cells = wider
    return cells


def _follows(cell: Cell, before: Cell, at: int) -> bool:
    elsewhere = (*cell[:at], *cell[at + 1 :]) == (*before[:at], *before[at + 1 :])
    return elsewhere and before[at][1] == cell[at][0]


def _answers(name: str, use: str | None, cell: Cell, held: list[dict]) -> Iterator[tuple]:
    limit, market = held[0]["limit"], Circumstances().market
    binding = _binding(held[0]["product"], limit, use, cell)
    about = [name.partition(" (")[0], (use or "").replace("_", " "), *bands_in_words(_ends(cell))]
    question = f"{', '.join(filter(None, about))}: {LIMITS[limit].lower()}?"
    for row in sorted(held, key=lambda row: (row["value"], row["market"] or "", row["source"])):
        here = row["may_bind"] and row["market"] in (None, market)
        answer = f"{row['value']:g} {unit_of(limit)}".removesuffix(" 1")
        said = (question, answer, _says(row), row["standing"], row["cite"])
        yield ("product limits", None, *said, here and row["value"] == binding)


def _ends(cell: Cell) -> dict[str, float | None]:
    """A cell as the columns of a published value would have it."""
    ends = {}
    for axis, (low, beyond) in zip(_AXES, cell, strict=True):
        ends[axis.first] = None if low == axis.lowest and beyond != low + 1 else low
        ends[axis.last] = None if beyond is None else beyond - axis.past
    return ends


def _binding(product: str, limit: str, use: str | None, cell: Cell) -> float | None:
    """The value that binds within a cell; None where none does."""
    stated = {
        axis.given: _within(axis, stretch)
        for axis, stretch in zip(_AXES, cell, strict=True)
        if stretch != (axis.lowest, None)
    }
    try:
        found = published_limits(product, Circumstances(use=use, **stated))
    except InputError:
        return None
    return found.filter(pl.col("limit") == limit, "binds")["value"].first()


def _within(axis: _Axis, stretch: Stretch) -> float:
    """A value that lies in a stretch, and is above zero."""
    low, beyond = stretch
    return low if axis.past or beyond is None else (low + beyond) / 2


def _says(row: dict) -> str:
    told = [
        row["market"] or "no market named",
        "tried or measured, no limit" * (row["kind"] == "reported"),
        "a source of tier C never binds" * (row["tier"] == "C"),
        row["note"] or "",
    ]
    return "; ".join(filter(None, told))
