"""A figure made ready for any file: small cells withheld, its words apart, its numbers in order."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from subq_toolkit.charts.figure import Figure
from subq_toolkit.charts.money_words import caption_of, plain
from subq_toolkit.charts.wording import count
from subq_toolkit.errors import InputError
from subq_toolkit.plain_text import one_line
from subq_toolkit.publish.chart_specs import check_spec, data_of, said_by, with_notes
from subq_toolkit.publish.columns import NOTHING, head_of, presentable, told
from subq_toolkit.publish.files import file_stem
from subq_toolkit.small_cells import LEAST, withheld_counts, withhold_small_cells

WITHHELD = f"Counts below {LEAST}, and those that would give them away, are withheld."
_UNSTATED = "What this counts, and from which source, is not stated; small counts were not sought."
_COUNTED = ("encounter", "patient")
_NO_SOURCE = "No source is stated for these numbers."


@dataclass(frozen=True, eq=False)
class Page:
    """What a picture, a slide or a sheet is made from.

    Attributes
    ----------
    name
        As part of a file name.
    title, qualifier, caption
        The finding; what qualifies it; where the numbers are from.
    notes
        What was withheld, and other remarks that every reader has to see.
    sources
        Where the numbers come from, a line each.
    alt
        The same in words, with the numbers.
    spec
        The picture with all its words, as a Vega-Lite specification; None for a table alone.
    table
        The numbers as they may be shown.
    withheld
        Which rows of ``table`` lack a count that was withheld.
    """

    name: str
    title: str
    qualifier: str
    caption: str
    notes: tuple[str, ...]
    sources: tuple[str, ...]
    alt: str
    spec: dict | None
    table: pl.DataFrame
    withheld: tuple[bool, ...]

    @property
    def bare(self) -> dict:
        """The picture without title and subtitle, for a page that says them itself."""
        return {key: value for key, value in self.spec.items() if key != "title"}

    @property
    def under(self) -> tuple[str, ...]:
        """The lines that belong under the title wherever the picture goes."""
        return tuple(filter(None, (self.qualifier, self.caption, *self.notes)))

    def number_lines(self, most: int) -> list[str]:
        """The numbers, a line for each row, and how many rows were left out."""
        heads = {name: head_of(name) for name in self.table.columns} | {"": "Remark"}
        said = [
            "; ".join(f"{heads[name]}: {cell}" for name, cell in self.cells(row) if cell != NOTHING)
            for row in range(min(self.table.height, most))
        ]
        left = self.table.height - len(said)
        return [*said, f"{left:,} more rows are not listed here."] if left else said

    def cells(self, row: int) -> list[tuple[str, str]]:
        """The cells of a row in words; what was withheld says so."""
        values = self.table.row(row, named=True).items()
        cells = [(name, told(value, name)) for name, value in values]
        return [*cells, ("", "count withheld")] if self.withheld[row] else cells


def pages_of(what: object, *, withhold: bool, remarks: Sequence[str] = ()) -> list[Page]:
    """Every picture in what was handed in: a figure, a chart, a panel, or several of them.

    Raises
    ------
    InputError
        If it holds no picture, or one that tells of too few encounters.
    """
    if isinstance(what, list | tuple):
        return [page for one in what for page in pages_of(one, withhold=withhold, remarks=remarks)]
    if isinstance(what, Figure):
        return [_figure_page(what, withhold, remarks)]
    if isinstance(what, dict):
        return [_chart_page(what, withhold, remarks)]
    if callable(getattr(what, "figures", None)):
        return pages_of(list(what.figures()), withhold=withhold, remarks=remarks)
    if isinstance(getattr(what, "spec", None), dict):
        return [_chart_page(what.spec, withhold, remarks)]
    if callable(getattr(what, "to_dict", None)) and not isinstance(what, pl.DataFrame):
        return [_chart_page(what.to_dict(), withhold, remarks)]
    raise InputError(
        f"A {type(what).__name__} is nothing that can be published. Hand in a Figure, a list of "
        f"them, an Altair chart, a Vega-Lite specification, or a panel such as ScenarioPanel; "
        f"for a table use publish_table(frame, path, title=...)."
    )


def wants_withholding(small_cells: str) -> bool:
    """Whether small counts are to be withheld.

    Raises
    ------
    InputError
        If the choice is another than ``withhold`` or ``show``.
    """
    if small_cells not in ("withhold", "show"):
        raise InputError(f"small_cells is {small_cells!r}; it can be 'withhold' or 'show'.")
    return small_cells == "withhold"


def table_page(
    frame: pl.DataFrame,
    said: tuple[str, str, str],
    sources: Sequence[str],
    cells: object,
    withhold: bool,
    remarks: Sequence[str],
) -> Page:
    """A table without a picture; ``said`` is its title, what qualifies it, and its caption.

    Raises
    ------
    InputError
        If it is no table, has no title, or counts few encounters in a column not named by
        ``cells``.
    """
    if not isinstance(frame, pl.DataFrame) or not str(said[0]).strip():
        raise InputError("A table to publish is a polars DataFrame, and has a title.")
    table, cited = frame, tuple(map(one_line, sources))
    if withhold and cells is None:
        _refuse_small(frame, "say cells=CountedCells(column, also=...)")
    elif withhold:
        table = withhold_small_cells(frame, cells)
    lost = withheld_counts(frame, table, cells)
    title, qualifier, caption = map(one_line, said)
    notes = [WITHHELD] * lost.any() + [_NO_SOURCE] * (not cited and not caption)
    alt = " ".join(f"{part.removesuffix('.')}." for part in (title, qualifier, caption) if part)
    return Page(
        file_stem(title), title, qualifier, caption, (*notes, *remarks), cited,
        f"Table. {alt}", None, presentable(table), tuple(lost),
    )  # fmt: skip


def _refuse_small(frame: pl.DataFrame, remedy: str) -> None:
    """Refuse counts of encounters that are small where nobody said which cells they are."""
    for name, dtype in frame.schema.items():
        counts = any(word in name.lower() for word in _COUNTED) and dtype.is_numeric()
        if counts and frame[name].is_between(0, LEAST, closed="none").any():
            raise InputError(
                f"'{one_line(name)}' holds counts below {LEAST}, which could identify a patient. "
                f"To withhold them {remedy}; or, for what stays where the chart is kept, say "
                f'small_cells="show".'
            )


def _figure_page(figure: Figure, withhold: bool, remarks: Sequence[str]) -> Page:
    table, lost = figure.table, pl.repeat(False, figure.table.height, eager=True)
    if withhold:
        if figure.encounters is not None and 0 < figure.encounters < LEAST:
            raise InputError(
                f"'{figure.name}' tells of fewer than {LEAST} encounters, which could identify a "
                f"patient. Publish more encounters together; or, for a picture that stays where "
                f'the chart is kept, say small_cells="show".'
            )
        table = withhold_small_cells(table, figure.cells)
        lost = withheld_counts(figure.table, table, figure.cells)
    notes, caption, rows = [WITHHELD] if lost.any() else [], "", table.with_columns(_lost=lost)
    if {"kind", "says"} <= set(table.columns):
        caption = plain(caption_of(table))
        rows = rows.filter(~_only_words(figure.table))
    sources = tuple(map(one_line, figure.sources))
    if not sources and not caption:
        notes.append(_NO_SOURCE)
    counted = "" if figure.encounters is None else count(figure.encounters, "encounter")
    if counted and "encounter" not in caption:
        caption = " · ".join(filter(None, (caption, counted)))
    spec = figure.draw(table)
    said = said_by(spec, caption, figure.name)
    numbers = rows.drop("_lost"), tuple(rows["_lost"])
    return _page(figure.name, spec, said, (*notes, *remarks), sources, numbers)


def _only_words(table: pl.DataFrame) -> pl.Series:
    """Rows that hold no numbers but what the picture says above them: caption, names, notes."""
    others = [pl.col(name).is_null() for name in table.columns if name not in ("kind", "says")]
    bare = pl.all_horizontal(pl.col("says").is_not_null(), *others)
    return table.select(words=pl.col("kind").eq_missing("about") | bare)["words"]


def _chart_page(spec: dict, withhold: bool, remarks: Sequence[str]) -> Page:
    check_spec(spec)
    said, frame = said_by(spec, "", "Chart"), data_of(spec)
    if withhold:
        _refuse_small(frame, "publish a Figure with its cells")
    numbers = frame, (False,) * frame.height
    return _page(file_stem(said[0]), spec, said, (_UNSTATED, *remarks), (), numbers)


def _page(
    name: str,
    spec: dict,
    said: tuple[str, str, str],
    notes: tuple[str, ...],
    sources: tuple[str, ...],
    numbers: tuple[pl.DataFrame, tuple[bool, ...]],
) -> Page:
    spoken = one_line(spec.get("description") or " ".join(f"{one}." for one in said if one))
    alt, whole, (frame, lost) = " ".join((spoken, *notes)), with_notes(spec, notes), numbers
    return Page(file_stem(name), *said, notes, sources, alt, whole, presentable(frame), lost)
