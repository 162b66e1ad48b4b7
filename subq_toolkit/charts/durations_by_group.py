"""The spread of infusion minutes of each group, and the steps of units; table and specification."""

from functools import cache

import altair as alt
import polars as pl

from subq_toolkit.charts.figure import CountedCells
from subq_toolkit.charts.layers import MOST_TICKS, TIP, haloed, lanes_y, of, scale_x
from subq_toolkit.charts.look import BLUE, INK, QUIET, chart_table, filled, template
from subq_toolkit.charts.money_words import (
    caption_of,
    headed,
    named,
    nothing_yet,
    plain,
    sentences,
)
from subq_toolkit.charts.withheld import STAR, withheld_note
from subq_toolkit.charts.wording import count, shortened, text_px

_WIDTH_PX, _HEIGHT_PX, _LANE_PX, _PAD_PX = 460, 260, 30, 24
_MOST_GROUPS, _MOST_ORDERED, _NAME_PX, _PLOT_PX, _STEP_PX = 12, 24, 148, 440, 30
_BEYOND = 1.1
_QUANTILES = ("p5_min", "p25_min", "median_min", "p75_min", "p95_min")
CELLS = CountedCells("encounters", also=(*_QUANTILES, "mean_min"), kinds=("group",))
_ROWS = {
    "kind": pl.String,
    "group": pl.String,
    "encounters": pl.Int64,
    **dict.fromkeys(_QUANTILES, pl.Int64),
    "mean_min": pl.Float64,
    "from_min": pl.Int64,
    "units": pl.Int64,
    "says": pl.String,
}


def durations_by_group_table(
    quantiles: pl.DataFrame | None,
    steps: list[tuple[int, int]],
    *,
    by: str = "",
    ordered: bool = False,
    caption: str = "",
) -> pl.DataFrame:
    """What the chart of durations by group draws: at most twelve groups, the largest ones.

    Parameters
    ----------
    quantiles
        What ``duration_quantiles`` returns.
    steps
        What ``unit_steps`` returns. [(min, units)]
    by
        What the groups are, in words: ``therapy``.
    ordered
        Whether groups have an order of their own, as months have: then the last 24, by name.
    caption
        Where the numbers are from, e.g. what ``work_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``group``; ``step``: units rise here; ``by``; ``others``: how many groups are
        not drawn, in ``units``; ``about``: the caption), ``group, encounters`` [1], ``p5_min``,
        ``p25_min``, ``median_min``, ``p75_min``, ``p95_min``, ``mean_min`` [min], ``from_min`` (of
        a step) [min], ``units`` (timed ones from a step on) [1], ``says``.
    """
    if quantiles is None or quantiles.is_empty():
        return pl.DataFrame(schema=_ROWS)
    given = chart_table(quantiles).sort(
        ["encounters", "group"], descending=[True, False], nulls_last=True
    )
    columns = ["group", "encounters", *_QUANTILES, "mean_min"]
    rows = [{"kind": "group"} | row for row in given.select(columns).rows(named=True)]
    most = _MOST_ORDERED if ordered else _MOST_GROUPS
    others = len(rows) - most
    if ordered:
        rows = sorted(rows, key=lambda row: (row["group"] is None, row["group"]))[-most:]
    rows = rows[:most]
    rows += [{"kind": "step", "from_min": at, "units": units} for at, units in steps]
    rows += [{"kind": "others", "units": others}] * (others > 0)
    rows += [{"kind": "by", "says": by}, {"kind": "about", "says": caption}]
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def durations_by_group_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``durations_by_group_table`` as a specification; cheap to make again."""
    rows = table.rows(named=True)
    groups = [row for row in rows if row["kind"] == "group"]
    if not groups:
        remedy = "Look at coded.reconcile() to see what became of the rows"
        return filled(_template(), [], nothing_yet("No coded encounter has minutes yet", remedy))
    known = [row for row in groups if row["median_min"] is not None]
    end = _end(known)
    steps = [row for row in rows if row["kind"] == "step" and row["from_min"] < end]
    spoken = "; ".join(map(_tip, groups))
    height = _LANE_PX * len(groups) + _PAD_PX
    changes = headed(_title(known, rows), _qualifier(rows), caption_of(table), spoken) | {
        "height": height,
        "encoding/x/scale/domain": [-(_NAME_PX / (_PLOT_PX - _NAME_PX)) * end, end],
        "encoding/x/axis/values": [row["from_min"] for row in _apart(steps, end)],
        "encoding/y/scale/domain": [height, 0],
    }
    drawn = [mark for at, row in enumerate(groups) for mark in _lane(row, at, end)]
    low, high = _PAD_PX / 2, height
    drawn += [{"kind": "step", "x": row["from_min"], "y": low, "y2": high, "tip": _step_tip(row)}
              for row in steps]  # fmt: skip
    return filled(_template(), drawn, changes)


def _end(known: list[dict]) -> float:
    """Where the axis ends: past all boxes, and past the tails that do not squeeze them."""
    if not known:
        return 100.0
    boxes = max(row["p75_min"] for row in known)
    tails = sorted(row["p95_min"] for row in known)
    fitting = [tail for tail in tails if tail <= 1.6 * max(boxes, 1)]
    return _BEYOND * max(boxes, *fitting, 30)


def _apart(steps: list[dict], end: float) -> list[dict]:
    kept: list[dict] = []
    for row in steps:
        gap = (row["from_min"] - kept[-1]["from_min"]) / end if kept else 1.0
        if gap * (_PLOT_PX - _NAME_PX) >= _STEP_PX:
            kept.append(row)
    return kept


def _by(rows: list[dict]) -> str:
    return next((plain(row["says"]) for row in rows if row["kind"] == "by"), "") or "group"


def _title(known: list[dict], rows: list[dict]) -> str:
    if not known:
        return "How long infusions last, by group; every count is withheld"
    longest = max(known, key=lambda row: row["median_min"])
    shortest = min(known, key=lambda row: row["median_min"])
    if len(known) == 1:
        return (
            f"Half of the infusions of {_named(longest)} last {longest['median_min']:,} min or less"
        )
    return (
        f"Median from {shortest['median_min']:,} min ({_named(shortest)}) to "
        f"{longest['median_min']:,} min ({_named(longest)})"
    )


def _named(row: dict) -> str:
    return named(row["group"]) if row["group"] is not None else "not stated"


def _qualifier(rows: list[dict]) -> str:
    others = next((row["units"] for row in rows if row["kind"] == "others"), 0)
    hidden = any(row["kind"] == "group" and row["encounters"] is None for row in rows)
    return sentences(
        f"By {_by(rows)}: median, middle half (bar), 5 to 95 % (line)",
        "dashed: timed units rise",
        f"{count(others, 'other group')} not shown" if others else "",
        withheld_note() * hidden,
    )


def _tip(row: dict) -> str:
    if row["median_min"] is None:
        return f"{_named(row)}: withheld"
    return (
        f"{_named(row)}: median {row['median_min']:,} min, half within {row['p25_min']:,} to "
        f"{row['p75_min']:,}, 9 of 10 within {row['p5_min']:,} to {row['p95_min']:,}, "
        f"{count(row['encounters'], 'encounter')}"
    )


def _step_tip(row: dict) -> str:
    return f"from {row['from_min']} min: {count(row['units'], 'timed unit')}"


def _lane(row: dict, at: int, end: float) -> list[dict]:
    """One group: its name and number of encounters, line, bar, median and what is beyond."""
    y = _PAD_PX / 2 + _LANE_PX * (at + 0.5)
    base = {"y": y, "tip": _tip(row)}
    left = -(_NAME_PX / (_PLOT_PX - _NAME_PX)) * end
    name = plain(row["group"]) if row["group"] is not None else "not stated"
    marks = [
        base | {"kind": "name", "x": left, "y": y - 6,
                "label": shortened(name, width_px=_NAME_PX - 8)},
        base | {"kind": "size", "x": left, "y": y + 8, "label":
                STAR if row["encounters"] is None else count(row["encounters"], "encounter")},
    ]  # fmt: skip
    if row["median_min"] is None:
        return marks
    tail = min(row["p95_min"], end)
    marks.append(base | {"kind": "line", "x": row["p5_min"], "x2": tail})
    box = {"y": y - 7, "y2": y + 7}
    marks.append(base | box | {"kind": "box", "x": row["p25_min"], "x2": row["p75_min"]})
    tick = {"y": y - 10, "y2": y + 10}
    marks.append(base | tick | {"kind": "median", "x": row["median_min"]})
    told, beyond = f"{row['median_min']:,}", f"to {row['p95_min']:,}" * (row["p95_min"] > end)
    room = (end - row["p75_min"]) / end * (_PLOT_PX - _NAME_PX)
    above = {"y": y - 3}
    if room > text_px(told) + text_px(beyond) + 12:
        marks.append(base | above | {"kind": "told", "x": row["p75_min"], "label": told})
    if beyond:
        marks.append(base | above | {"kind": "beyond", "x": end, "label": beyond})
    return marks


@cache
def _template() -> dict:
    left = {"align": "left", "baseline": "middle"}
    name = of("name").mark_text(**left, color=INK)
    size = of("size").mark_text(**left, color=QUIET, fontSize=11)
    line = of("line").mark_rule(color=BLUE, strokeWidth=2).encode(x2="x2")
    box = of("box").mark_rect(fill=BLUE, opacity=1, stroke=BLUE).encode(x2="x2", y2="y2")
    median = of("median").mark_rule(color=INK, strokeWidth=3).encode(y2="y2")
    dashed = of("step").mark_rule(color=INK, strokeDash=[4, 3], strokeWidth=1, opacity=0.7)
    told = haloed(of("told"), align="left", baseline="bottom", dx=4, fontWeight=600)
    beyond = haloed(of("beyond"), align="right", baseline="bottom", fontSize=12, color=QUIET)
    chart = alt.layer(
        dashed.encode(y2="y2"),
        line.encode(tooltip=TIP),
        box.encode(tooltip=TIP),
        median.encode(tooltip=TIP),
        name.encode(text="label:N", tooltip=TIP),
        size.encode(text="label:N"),
        *told,
        *beyond,
    ).encode(
        x=scale_x("Counted minutes [min]", grid=False, tickCount=MOST_TICKS),
        y=lanes_y(),
    )
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
