"""Encounters by their distance from a step of units, all steps together; its specification."""

from functools import cache

import altair as alt
import polars as pl

from subq_toolkit.charts.figure import CountedCells
from subq_toolkit.charts.layers import MOST_TICKS, TIP, haloed, of, scale_x, scale_y, whole_ticks
from subq_toolkit.charts.look import BLUE, INK, VERMILLION, chart_table, filled, template
from subq_toolkit.charts.money_words import (
    caption_of,
    headed,
    nothing_yet,
    sentences,
    tally,
    tally_axis,
)
from subq_toolkit.charts.withheld import stars, withheld_note
from subq_toolkit.charts.wording import count, listed, text_px
from subq_toolkit.effective import read_parameters

_WIDTH_PX, _HEIGHT_PX, _PLOT_PX = 460, 280, 395
_QUARTER_MIN = 15
_CAUTION = (
    "An excess just past a step invites an audit; one below it is a reason to check the "
    "charting, never to extend an infusion"
)
#: Heights above the columns, in columns' heights: of the bracket, of the words, of the plot.
_BRACKET, _WORDS, _TOP = 1.18, 1.27, 1.36
#: What lies near a step on either side is told as a sum, here and beside each step.
CELLS = CountedCells("encounters", within=("side",), kinds=("distance",))
_ROWS = {
    "kind": pl.String,
    "distance_min": pl.Int64,
    "encounters": pl.Int64,
    "near_min": pl.Int64,
    "side": pl.String,
    "on_quarter": pl.Boolean,
    "says": pl.String,
}


def distance_to_steps_table(
    distances: pl.DataFrame | None, *, near_min: int | None = None, caption: str = ""
) -> pl.DataFrame:
    """What the chart of distances from steps draws: all steps together.

    Parameters
    ----------
    distances
        What ``step_distances`` returns.
    near_min
        How near is near; by default ``near_threshold`` of ``parameters/infusion_time.toml``;
        no more than ``distances`` tell of. [min]
    caption
        Where the numbers are from, e.g. what ``work_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``distance``; ``about``: the caption), ``distance_min`` (minutes past the step;
        negative: short of it) [min], ``encounters`` [1], ``near_min`` [min], ``side`` of a step
        (``near before``, ``near past``, ``far before``, ``far past``), ``on_quarter`` (whether an
        infusion so far from any of the steps lasts whole quarter hours), ``says``.
    """
    if distances is None or not distances["encounters"].sum():
        return pl.DataFrame(schema=_ROWS)
    if near_min is None:
        near_min = int(read_parameters("infusion_time")["near_threshold"].values[-1].value)
    near_min = min(near_min, max(1, distances["distance_min"].max() + 1))
    lasting = pl.col("step_min") + pl.col("distance_min")
    pooled = chart_table(distances).group_by("distance_min").agg(
        pl.col("encounters").sum(), on_quarter=(lasting % _QUARTER_MIN == 0).all()
    )  # fmt: skip
    rows = [
        {"kind": "distance", "near_min": near_min, "side": _side(row["distance_min"], near_min)}
        | row
        for row in pooled.sort("distance_min").rows(named=True)
    ]
    rows.append({"kind": "about", "near_min": near_min, "says": caption})
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def _side(distance_min: int, near_min: int) -> str:
    """On which side of a step a distance is, and whether near it."""
    near = "near" if -near_min <= distance_min < near_min else "far"
    return f"{near} {'before' if distance_min < 0 else 'past'}"


def distance_to_steps_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``distance_to_steps_table`` as a specification; cheap to make again."""
    rows = table.filter(pl.col("kind") == "distance").rows(named=True)
    if not rows:
        empty = nothing_yet("No encounter ends near a step of units", _CAUTION)
        return filled(_template(), [], empty)
    known = [row["encounters"] or 0 for row in rows]
    top = max(1, *known)
    low, high = (end(row["distance_min"] for row in rows) for end in (min, max))
    low, high = min(low, 0) - 0.3, max(high + 1, 0) + 0.3
    spoken = "; ".join(_tip(row) for row in rows if row["encounters"] != 0)
    changes = headed(_title(rows), _qualifier(rows), caption_of(table), spoken) | {
        "encoding/x/scale/domain": [low, high],
        "encoding/x/axis/values": _ticks(low, high),
        "encoding/y/scale/domain": [0, _TOP * top],
        "encoding/y/axis/labelExpr": tally_axis(top),
        "encoding/y/axis/values": whole_ticks(1.1 * top, about=4) if any(known) else [0],
    }
    per_px = (high - low) / _PLOT_PX
    drawn: list[dict] = [{"kind": "step", "x": 0, "y": 0, "y2": _TOP * top}]
    drawn += [part for row in rows for part in _column(row, top)]
    drawn += [part for near in (True, False) for part in _bracket(rows, near, top, per_px)]
    return filled(_template(), drawn + _labels(rows, per_px), changes)


def _ticks(low: float, high: float) -> list[int]:
    return [at for at in range(-60, 61, 5 if high - low <= 45 else 10) if low <= at <= high]


def _sides(rows: list[dict]) -> tuple[list[dict], list[dict]]:
    """The rows near the step, short of it and past it."""
    near = rows[0]["near_min"]
    below = [row for row in rows if -near <= row["distance_min"] < 0]
    return below, [row for row in rows if 0 <= row["distance_min"] < near]


def _sum(rows: list[dict]) -> int | None:
    """Encounters of these rows; None where one of them is withheld."""
    counts = [row["encounters"] for row in rows]
    return None if None in counts else sum(counts)


def _title(rows: list[dict]) -> str:
    below, past = map(_sum, _sides(rows))
    near = rows[0]["near_min"]
    if past is None and below is None:
        return f"How many encounters end within {near} min of a step of units is withheld"
    if past is None:
        return f"{_end(below)} within {near} min before a step of units"
    told = f"{_end(past)} within {near} min past a step of units"
    return told if below is None else f"{told}, {tally(below)} within {near} min before it"


def _end(number: int) -> str:
    return "1 encounter ends" if number == 1 else f"{tally(number)} encounters end"


def _qualifier(rows: list[dict]) -> str:
    quarters = [row["distance_min"] for row in rows if row["on_quarter"]]
    short = listed(-at for at in quarters if at < 0)
    past = listed(at for at in quarters if at >= 0)
    places = " and ".join([f"{short} min before"] * bool(short) + [f"{past} min past"] * bool(past))
    told = f"infusions of whole quarter hours end {places} a step" if places else ""
    hidden = any(row["encounters"] is None for row in rows)
    return sentences(_CAUTION, withheld_note() if hidden else told)


def _tip(row: dict) -> str:
    at = row["distance_min"]
    told = f"{-at} min before a step" if at < 0 else f"{at} min past a step" if at else "at a step"
    number = row["encounters"]
    return f"{told}: {'withheld' if number is None else count(number, 'encounter')}"


def _column(row: dict, top: int) -> list[dict]:
    at, tip = row["distance_min"], _tip(row)
    if row["encounters"] is None:
        return [{"kind": "withheld", "x": at + 0.5, "y": 0.03 * top, "tip": tip}]
    kind = "below" if at < 0 else "past"
    place = {"x": at + 0.12, "x2": at + 0.88, "y": 0, "y2": row["encounters"], "tip": tip}
    return [{"kind": kind} | place] * bool(row["encounters"])


def _bracket(rows: list[dict], below: bool, top: int, per_px: float) -> list[dict]:
    """Over the columns near the step on one side: how far they reach, and how many they are."""
    side = _sides(rows)[0 if below else 1]
    if not side:
        return []
    near, number = rows[0]["near_min"], _sum(side)
    first, last = side[0]["distance_min"], side[-1]["distance_min"] + 1
    ends = (first, -0.12) if below else (0.12, last)
    label = f"within {near} min {'before' if below else 'past'}"
    label = f"{label}: withheld" if number is None else f"{tally(number)} {label}"
    at = -6 * per_px if below else 6 * per_px
    drawn = [{"kind": "bracket", "x": ends[0], "x2": ends[1], "y": _BRACKET * top}]
    place = {"x": at, "y": _WORDS * top, "side": "right" if below else "left"}
    return [*drawn, {"kind": "words", "label": label} | place]


def _labels(rows: list[dict], per_px: float) -> list[dict]:
    """The numbers of columns that stand above all within reach of their label, highest first."""
    counts = {row["distance_min"]: row["encounters"] or 0 for row in rows}
    drawn: list[dict] = []
    for at, number in sorted(counts.items(), key=lambda one: (-one[1], one[0])):
        label = tally(number)
        reach = (text_px(label) / 2 + 4) * per_px + 0.5
        near = [other for other in counts if other != at and abs(other - at) < reach]
        if not number or any(counts[other] >= number for other in near):
            continue
        side, x = {-1: ("right", -0.1), 0: ("left", 0.1)}.get(at, ("center", at + 0.5))
        drawn.append({"kind": "label", "x": x, "y": number, "side": side, "label": label})
    return drawn


@cache
def _template() -> dict:
    looks = {
        "below": {"fill": "#ffffff", "stroke": VERMILLION, "strokeWidth": 2},
        "past": {"fill": BLUE, "stroke": BLUE, "strokeWidth": 2},
    }
    columns = [
        of(kind).mark_rect(**look).encode(x2="x2", y2="y2", tooltip=TIP)
        for kind, look in looks.items()
    ]
    step = of("step").mark_rule(stroke=INK, strokeDash=[5, 4], strokeWidth=1.5).encode(y2="y2")
    bracket = of("bracket").mark_rule(stroke=INK, strokeWidth=1.5).encode(x2="x2")
    side = {"align": alt.ExprRef("datum.side"), "baseline": "middle", "fontWeight": 600}
    chart = alt.layer(
        *columns,
        step,
        bracket,
        *haloed(of("label"), baseline="bottom", dy=-4, align=alt.ExprRef("datum.side")),
        *haloed(of("words"), **side),
        stars(),
    ).encode(
        x=scale_x(
            "Minutes short of a step (−) or past it [min]",
            labelExpr="(datum.value < 0 ? '−' : '') + abs(datum.value)",
            tickCount=MOST_TICKS,
            grid=False,
        ),
        y=scale_y("Encounters [1]", tickCount=MOST_TICKS),
    )
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
