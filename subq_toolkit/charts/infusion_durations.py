"""How long infusions last: a histogram with the steps of units; table and specification."""

from functools import cache

import altair as alt
import polars as pl

from subq_toolkit.charts.figure import CountedCells
from subq_toolkit.charts.layers import MOST_TICKS, TIP, haloed, of, scale_x, scale_y, whole_ticks
from subq_toolkit.charts.look import BLUE, INK, QUIET, chart_table, filled, template
from subq_toolkit.charts.money_words import (
    caption_of,
    headed,
    named,
    nothing_yet,
    percent,
    sentences,
    tally_axis,
)
from subq_toolkit.charts.withheld import STAR, withheld_note
from subq_toolkit.charts.wording import count, range_words

_WIDTH_PX, _HEIGHT_PX, _PLOT_PX = 460, 280, 395
_OPEN_BINS, _OPEN_PX, _LEAST_LABEL_PX, _LEAST_RIM_PX = 1.6, 6, 30, 4
_FAINT = "#b9d3e6"
#: The brush by which a range of minutes is chosen; a panel reads it by this name.
BRUSH = "minutes"
CELLS = CountedCells("encounters", also=("share",), kinds=("bin",))
_ROWS = {
    "kind": pl.String,
    "from_min": pl.Int64,
    "to_min": pl.Int64,
    "encounters": pl.Int64,
    "share": pl.Float64,
    "units": pl.Int64,
    "says": pl.String,
}


def infusion_durations_table(
    bins: pl.DataFrame | None,
    steps: list[tuple[int, int]],
    *,
    chosen: tuple[int, int | None] | None = None,
    group: str = "",
    caption: str = "",
) -> pl.DataFrame:
    """What the histogram of infusion minutes draws.

    Parameters
    ----------
    bins
        What ``duration_bins`` returns, of one group.
    steps
        What ``unit_steps`` returns. [(min, units)]
    chosen
        A range of minutes to point out, both ends included; without the second one, all longer
        ones too. [min]
    group
        Whose infusions they are, in words; empty: all.
    caption
        Where the numbers are from, e.g. what ``work_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``bin``; ``step``: units rise here; ``chosen``; ``group``; ``about``: the
        caption), ``from_min``, ``to_min`` (null: open) [min], ``encounters`` [1], ``share`` [1],
        ``units`` (timed ones from a step on) [1], ``says``.
    """
    if bins is None or bins.is_empty():
        return pl.DataFrame(schema=_ROWS)
    shown = chart_table(bins).select("from_min", "to_min", "encounters", "share")
    rows = [{"kind": "bin"} | row for row in shown.rows(named=True)]
    end = rows[-1]["from_min"]
    rows += [
        {"kind": "step", "from_min": minutes, "units": units}
        for minutes, units in steps
        if minutes <= end
    ]
    if chosen is not None:
        rows.append({"kind": "chosen", "from_min": chosen[0], "to_min": chosen[1]})
    if group:
        rows.append({"kind": "group", "says": group})
    rows.append({"kind": "about", "says": caption})
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def infusion_durations_spec(table: pl.DataFrame) -> dict:
    """The chart of an ``infusion_durations_table`` as a specification; cheap to make again."""
    rows = table.rows(named=True)
    bins = [row for row in rows if row["kind"] == "bin"]
    if not bins:
        return filled(_template(), [], nothing_yet("No coded encounter has minutes yet", _REMEDY))
    steps = [row for row in rows if row["kind"] == "step"]
    chosen = next((row for row in rows if row["kind"] == "chosen"), None)
    width = bins[0]["to_min"] or 0
    width = max(width, bins[-1]["from_min"] - (bins[-2]["from_min"] if len(bins) > 1 else 0), 1)
    last = bins[-1]["from_min"]
    least = last * _OPEN_PX / (_PLOT_PX - _OPEN_PX)
    end = bins[-1]["to_min"] or last + max(_OPEN_BINS * width, least)
    top = max((row["encounters"] or 0 for row in bins), default=0) or 1
    spoken = "; ".join(_tip(row) for row in bins if row["encounters"] != 0)
    labelled = _apart(steps, end)
    changes = headed(_title(bins, steps), _qualifier(rows), caption_of(table), spoken) | {
        "encoding/x/scale/domain": [0, end],
        "encoding/x/axis/values": [row["from_min"] for row in labelled],
        "encoding/y/scale/domain": [0, 1.16 * top],
        "encoding/y/axis/values": whole_ticks(top, about=4),
        "encoding/y/axis/labelExpr": tally_axis(top),
    }
    rim = 1 if width / end * _PLOT_PX >= _LEAST_RIM_PX else 0
    shown = [row for row in bins if row["encounters"] is not None]
    marks = [_bar(row, end, chosen) | {"rim": rim} for row in shown]
    marks += [_step(row, top, label=row in labelled) for row in steps]
    marks += [_withheld(row, end) for row in bins if row["encounters"] is None]
    return filled(_template(), marks, changes)


_REMEDY = "Look at coded.reconcile() to see what became of the rows"


def _apart(steps: list[dict], end: float) -> list[dict]:
    """The steps whose labels have room beside each other."""
    kept: list[dict] = []
    for row in steps:
        gap = (row["from_min"] - kept[-1]["from_min"]) / end * _PLOT_PX if kept else _PLOT_PX
        if gap >= _LEAST_LABEL_PX:
            kept.append(row)
    return kept


def _title(bins: list[dict], steps: list[dict]) -> str:
    further = next((row["from_min"] for row in steps if row["units"] == 2), None)
    known = [row for row in bins if row["encounters"] is not None]
    if not known:
        return "How long infusions last; every count is withheld"
    most = max(known, key=lambda row: row["encounters"])
    usual = f"the most usual length is {_minutes(most)}"
    share = None if further is None else _share_from(bins, further)
    if share is None:
        return f"{usual[0].upper()}{usual[1:]}"
    return f"{percent(share)} of infusions reach a further hour ({further} min); {usual}"


def _share_from(bins: list[dict], further: int) -> float | None:
    """The share from a step on; None where a bin holds both, or both sides have withheld ones."""
    if any(row["from_min"] < further < (row["to_min"] or further + 1) for row in bins):
        return None
    below = [row["share"] for row in bins if row["from_min"] < further]
    above = [row["share"] for row in bins if row["from_min"] >= further]
    if None not in above:
        return sum(above)
    return None if None in below else 1 - sum(below)


def _qualifier(rows: list[dict]) -> str:
    group = next((row["says"] for row in rows if row["kind"] == "group"), "")
    chosen = next((row for row in rows if row["kind"] == "chosen"), None)
    told = f"{range_words(chosen)} chosen" if chosen else ""
    hidden = any(row["kind"] == "bin" and row["encounters"] is None for row in rows)
    return sentences(
        f"Only {named(group)}" if group else "",
        "dashed: timed units rise",
        told,
        withheld_note() * hidden,
    )


def _minutes(row: dict) -> str:
    """The minutes of a bin in words."""
    if row["to_min"] is None:
        return f"{row['from_min']} min or more"
    last = row["to_min"] - 1
    return f"{row['from_min']} min" if last == row["from_min"] else f"{row['from_min']}–{last} min"


def _tip(row: dict) -> str:
    if row["encounters"] is None:
        return f"{_minutes(row)}: withheld"
    told = f"{_minutes(row)}: {count(row['encounters'], 'encounter')}"
    return told if row["share"] is None else f"{told}, {percent(row['share'])}"


def _bar(row: dict, end: float, chosen: dict | None) -> dict:
    inside = chosen is None or (
        (row["to_min"] is None or row["to_min"] > chosen["from_min"])
        and (chosen["to_min"] is None or row["from_min"] <= chosen["to_min"])
    )
    place = {
        "x": row["from_min"],
        "x2": row["to_min"] or end,
        "y": row["encounters"],
        "tip": _tip(row),
    }
    kind = ("open" if row["to_min"] is None else "bin") if inside else "outside"
    return place | {"kind": kind}


def _withheld(row: dict, end: float) -> dict:
    middle = (row["from_min"] + (row["to_min"] or end)) / 2
    return {"kind": "withheld", "x": middle, "y": 0, "label": STAR, "tip": _tip(row)}


def _step(row: dict, top: int, *, label: bool) -> dict:
    units = f"{row['units']}" if row["units"] > 1 else "1 unit"
    tip = f"from {row['from_min']} min: {count(row['units'], 'timed unit')}"
    shown = units if label else ""
    place = {"x": row["from_min"], "y": 1.1 * top, "y2": 0}
    return place | {"kind": "step", "label": shown, "tip": tip}


@cache
def _template() -> dict:
    brush = alt.selection_interval(
        name=BRUSH, encodings=["x"], mark=alt.BrushConfig(fill=INK, fillOpacity=0.08)
    )
    bars = of("bin", "open", "outside").mark_rect(
        stroke="#ffffff", strokeWidth=alt.ExprRef("datum.rim"), tooltip=True
    )
    fill = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=["bin", "open", "outside"], range=[BLUE, BLUE, _FAINT]),
        legend=None,
    )
    faint = alt.condition("datum.kind == 'open'", alt.value(0.6), alt.value(1))
    drawn = bars.encode(x2="x2", y2=alt.datum(0), color=fill, opacity=faint, tooltip=TIP)
    rule = (
        of("step")
        .mark_rule(stroke=INK, strokeDash=[4, 3], strokeWidth=1)
        .encode(tooltip=TIP, y2="y2")
    )
    label = haloed(of("step"), align="left", baseline="middle", dx=4, fontSize=12, color=QUIET)
    star = of("withheld").mark_text(baseline="bottom", dy=2, fontSize=13, color=INK)
    chart = alt.layer(
        drawn.add_params(brush),
        rule,
        *label,
        star.encode(text="label:N", tooltip=TIP),
    ).encode(
        x=scale_x("Counted minutes [min]", grid=False, tickCount=MOST_TICKS),
        y=scale_y("Encounters [1]", tickCount=MOST_TICKS),
    )
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
