"""Coded encounters by their further hours, and those above the unlikely edit; table and chart."""

from functools import cache

import altair as alt
import polars as pl

from subq_toolkit.charts.figure import CountedCells
from subq_toolkit.charts.layers import MOST_TICKS, TIP, haloed, of, scale_x, scale_y, whole_ticks
from subq_toolkit.charts.look import BLUE, INK, QUIET, VERMILLION, chart_table, filled, template
from subq_toolkit.charts.money_words import (
    caption_of,
    headed,
    named,
    nothing_yet,
    percent,
    sentences,
    tally,
    tally_axis,
)
from subq_toolkit.charts.withheld import stars, withheld_note
from subq_toolkit.charts.wording import count
from subq_toolkit.utilization import CODES

_WIDTH_PX, _HEIGHT_PX, _PLOT_PX, _TOP = 460, 270, 395, 1.36
_LAST_COLUMN, _LEAST_COLUMNS = 10, 5
_FURTHER = next(code for code, role in CODES.items() if role == "further_hour")
#: All encounters, all units and the encounters without any are told by the units of each group.
CELLS = CountedCells(
    "encounters", also=("share", "above_edit"), kinds=("step", "more"), weight="units"
)
_ROWS = {
    "kind": pl.String,
    "units": pl.Int64,
    "encounters": pl.Int64,
    "share": pl.Float64,
    "unlikely_edit": pl.Int64,
    "edit_standing": pl.String,
    "above_edit": pl.Int64,
    "says": pl.String,
}


def further_hour_steps_table(
    ladder: pl.DataFrame | None, *, group: str = "", caption: str = ""
) -> pl.DataFrame:
    """What the columns of further hours draw: each number up to ten, the rest together.

    Parameters
    ----------
    ladder
        What ``further_hour_ladder`` returns; groups are added up.
    group
        Whose encounters they are, in words; empty: all.
    caption
        Where the numbers are from, e.g. what ``work_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``step``: encounters with so many units, none left out; ``more``: those with
        ``units`` or more; ``edit``: the unlikely edit; ``group``; ``about``: the caption),
        ``units`` (of 96370) [1], ``encounters`` [1], ``share`` [1], ``unlikely_edit`` [1],
        ``edit_standing``, ``above_edit`` (encounters above it) [1], ``says``.
    """
    if ladder is None or ladder.is_empty():
        return pl.DataFrame(schema=_ROWS)
    given = chart_table(ladder)
    counted: dict[int, list[int]] = {}
    for row in given.rows(named=True):
        here = counted.setdefault(min(row["units"], _LAST_COLUMN + 1), [0, 0])
        here[0] += row["encounters"]
        here[1] += row["above_edit"]
    n = sum(encounters for encounters, _ in counted.values())
    edit = given["unlikely_edit"].max()
    last = max([*counted, min(edit or 0, _LAST_COLUMN)])
    rows: list[dict] = []
    for units in range(last + 1):
        encounters, above = counted.get(units, (0, 0))
        kind = "step" if units <= _LAST_COLUMN else "more"
        told = {"encounters": encounters, "share": encounters / n if n else None}
        rows.append({"kind": kind, "units": units, "above_edit": above} | told)
    standing = given["edit_standing"].drop_nulls().first()
    rows.append({"kind": "edit", "unlikely_edit": edit, "edit_standing": standing})
    rows += [{"kind": "group", "says": group}, {"kind": "about", "says": caption}]
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def further_hour_steps_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``further_hour_steps_table`` as a specification; cheap to make again."""
    rows = table.rows(named=True)
    steps = [row for row in rows if row["kind"] in ("step", "more")]
    if not steps:
        remedy = "Look at coded.reconcile() to see what became of the rows"
        return filled(_template(), [], nothing_yet("No encounter is coded yet", remedy))
    edit = next((row for row in rows if row["kind"] == "edit"), {"unlikely_edit": None})
    top = max((row["encounters"] or 0 for row in steps), default=0) or 1
    spoken = "; ".join(_tip(row) for row in steps if row["encounters"] != 0)
    right = max(len(steps), _LEAST_COLUMNS) - 0.5
    changes = headed(_title(steps, edit), _qualifier(rows, edit), caption_of(table), spoken) | {
        "encoding/x/scale/domain": [-0.6, right],
        "encoding/y/scale/domain": [0, _TOP * top],
        "encoding/y/axis/labelExpr": tally_axis(top),
        "encoding/y/axis/values": whole_ticks(1.05 * top, about=4),
    }
    marks = [mark for row in steps for mark in _column(row, edit["unlikely_edit"])]
    return filled(_template(), [*marks, *_edit(edit["unlikely_edit"], right, top)], changes)


def _title(steps: list[dict], edit: dict) -> str:
    n = [row["encounters"] for row in steps]
    limit = edit["unlikely_edit"]
    if None in n:
        return f"Coded encounters by their units of {_FURTHER}; some counts are withheld"
    if limit is None:
        return f"{percent(steps[0]['share'])} of coded encounters have no unit of {_FURTHER}"
    above, units = sum(row["above_edit"] for row in steps), count(limit, "further hour")
    if not above:
        return f"No coded encounter is above the unlikely edit of {units}"
    verb = "is" if above == 1 else "are"
    return (
        f"{above:,} of {count(sum(n), 'coded encounter')} ({percent(above / sum(n))}) {verb} "
        f"above the unlikely edit of {units}"
    )


def _qualifier(rows: list[dict], edit: dict) -> str:
    group = next((row["says"] for row in rows if row["kind"] == "group"), "")
    hidden = any(row["encounters"] is None for row in rows if row["kind"] in ("step", "more"))
    standing = edit.get("edit_standing")
    return sentences(
        f"Only {named(group)}" if group else "",
        f"Medicare's and Medicaid's edit ({standing}): above it expect a denial, have the "
        f"records ready" * (standing is not None),
        withheld_note() if hidden else "",
    )


def _units(row: dict) -> str:
    return f"{row['units']} or more" if row["kind"] == "more" else f"{row['units']}"


def _tip(row: dict) -> str:
    what = f"{_units(row)} unit{'s' * (row['kind'] == 'more' or row['units'] != 1)}"
    if row["encounters"] is None:
        return f"{what}: withheld"
    told = f"{what}: {count(row['encounters'], 'encounter')}"
    return told if row["share"] is None else f"{told}, {percent(row['share'])}"


def _column(row: dict, limit: int | None) -> list[dict]:
    """The column of one number of units: its count, its share, and what stands beneath it."""
    at, n = row["units"], row["encounters"]
    name = {"kind": "name", "x": at, "y": 0, "label": _short(row)}
    if n is None:
        return [name, {"kind": "withheld", "x": at, "y": 0, "tip": _tip(row)}]
    kind = "above" if limit is not None and at > limit else "within"
    place = {"x": at - 0.38, "x2": at + 0.38, "y": 0, "y2": n, "tip": _tip(row)}
    share = _rounded(row["share"]) if n and row["share"] is not None else ""
    told = {"kind": "told", "x": at, "y": n, "label": tally(n), "share": share}
    return [*[{"kind": kind} | place] * bool(n), told | {"tip": _tip(row)}, name]


def _short(row: dict) -> str:
    return f"{row['units']}+" if row["kind"] == "more" else f"{row['units']}"


def _rounded(share: float) -> str:
    told = round(100 * share)
    return f"{told} %" if told else "<1 %"


def _edit(limit: int | None, right: float, top: int) -> list[dict]:
    """The edit as a line between two columns, its label on the side with more room."""
    if limit is None or limit + 0.5 > right:
        return []
    line = {"kind": "edit", "x": limit + 0.5, "y": 0, "y2": 1.28 * top}
    room = (right - limit - 0.5) / (right + 0.5) * _PLOT_PX
    side = "left" if room > _PLOT_PX / 2 else "right"
    return [line | {"at": 1.24 * top, "side": side, "label": f"unlikely edit: {limit}"}]


@cache
def _template() -> dict:
    within = of("within").mark_rect(fill=BLUE, stroke=BLUE, strokeWidth=2)
    above = of("above").mark_rect(fill="#ffffff", stroke=VERMILLION, strokeWidth=2)
    line = of("edit").mark_rule(stroke=INK, strokeWidth=1.5, strokeDash=[5, 4])
    ends = {"x2": "x2", "y2": "y2", "tooltip": TIP}
    side = {"align": alt.ExprRef("datum.side"), "baseline": "middle"}
    aside = alt.ExprRef("datum.side == 'left' ? 7 : -7")
    name = of("name").mark_text(baseline="top", dy=7, color=INK).encode(text="label:N")
    labels = haloed(of("edit"), **side, dx=aside, fontWeight=600)
    chart = alt.layer(
        within.encode(**ends),
        above.encode(**ends),
        line.encode(y2="y2"),
        *haloed(of("told"), baseline="bottom", dy=-17, fontWeight=600),
        *haloed(of("told"), label="share", baseline="bottom", dy=-4, fontSize=11, color=QUIET),
        *(text.encode(y="at:Q") for text in labels),
        name,
        stars(),
    ).encode(
        x=scale_x(
            f"Units of {_FURTHER} (further hours) of an encounter [1]",
            labels=False, ticks=False, grid=False, titlePadding=22,
        ),
        y=scale_y("Coded encounters [1]", tickCount=MOST_TICKS),
    )  # fmt: skip
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
