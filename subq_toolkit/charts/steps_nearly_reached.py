"""Encounters just short of a step of units, and just past it: table and specification."""

from functools import cache

import altair as alt
import polars as pl

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
from subq_toolkit.small_cells import CountedCells

_WIDTH_PX, _HEIGHT_PX = 460, 260
_MOST_STEPS, _LEAST_STEPS = 6, 3
_CAUTION = "Below a step is a reason to check the charting, never to extend an infusion"
#: Encounters on either side of a step; each column has a total of its own.
CELLS = tuple(CountedCells(side, kinds=("step", "later")) for side in ("below", "above"))
_ROWS = {
    "kind": pl.String,
    "step_min": pl.Int64,
    "below": pl.Int64,
    "above": pl.Int64,
    "within_min": pl.Int64,
    "says": pl.String,
}


def steps_nearly_reached_table(
    near: pl.DataFrame | None, *, within_min: int = 5, caption: str = ""
) -> pl.DataFrame:
    """What the chart of near steps draws.

    Parameters
    ----------
    near
        What ``near_steps`` returns.
    within_min
        How near is near, as given to ``near_steps``. [min]
    caption
        Where the numbers are from, e.g. what ``terms_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``step``: the first six; ``later``: the rest together; ``about``: the
        caption), ``step_min`` (of ``later`` the first) [min], ``below, above`` (encounters)
        [1], ``within_min`` [min], ``says``.
    """
    if near is None or near.is_empty():
        return pl.DataFrame(schema=_ROWS)
    columns = ["step_min", "below", "above"]
    given = chart_table(near).sort("step_min").select(columns).rows()
    rows = [("step", *row, within_min, None) for row in given[:_MOST_STEPS]]
    if later := given[_MOST_STEPS:]:
        below, above = (sum(row[side] for row in later) for side in (1, 2))
        rows.append(("later", later[0][0], below, above, within_min, None))
    rows.append(("about", None, None, None, within_min, caption))
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def steps_nearly_reached_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``steps_nearly_reached_table`` as a specification; cheap to make again."""
    rows = table.filter(pl.col("kind") != "about").rows(named=True)
    steps = [row for row in rows if row["kind"] == "step"]
    if not steps:
        empty = nothing_yet("No encounter is near a step", _CAUTION)
        return filled(_template(), [], empty)
    later = next((row for row in rows if row["kind"] == "later"), None)
    top = max(1, *(row[side] or 0 for row in steps for side in ("below", "above")))
    spoken = "; ".join(map(_tip, rows))
    hidden = any(row[side] is None for row in rows for side in ("below", "above"))
    qualifier = _qualifier(later, withheld_note() * hidden)
    changes = headed(_title(steps), qualifier, caption_of(table), spoken) | {
        "encoding/x/scale/domain": [-0.6, max(len(steps), _LEAST_STEPS) - 0.4],
        "encoding/y/scale/domain": [0, 1.36 * top],
        "encoding/y/axis/labelExpr": tally_axis(top),
        "encoding/y/axis/values": whole_ticks(1.1 * top, about=4),
    }
    return filled(_template(), _drawn(steps, top), changes)


def _title(steps: list[dict]) -> str:
    most = max(steps, key=lambda row: row["below"] or 0)
    if not most["below"]:
        near = f"within {most['within_min']} min below a step"
        hidden = any(row["below"] is None for row in steps)
        return (
            f"How many encounters end {near} is withheld" if hidden else f"No encounter ends {near}"
        )
    told = "1 encounter ends" if most["below"] == 1 else f"{tally(most['below'])} encounters end"
    told += f" within {most['within_min']} min below the step at {most['step_min']:,} min"
    return told if most["above"] is None else f"{told}, {tally(most['above'])} above it"


def _qualifier(later: dict | None, hidden: str) -> str:
    told = f"{_both(later)} at steps from {later['step_min']:,} min not shown" if later else ""
    return sentences(_CAUTION, told, hidden)


def _both(row: dict) -> str:
    return f"{_number(row['below'])} below and {_number(row['above'])} above"


def _number(known: int | None) -> str:
    return "a withheld number" if known is None else f"{known:,}"


def _tip(row: dict) -> str:
    steps = "steps from" if row["kind"] == "later" else "step at"
    return f"{steps} {row['step_min']:,} min: {_both(row)}"


def _drawn(steps: list[dict], top: int) -> list[dict]:
    """Beside each other what is below and above each step, their key, and the steps' minutes."""
    drawn = []
    for at, row in enumerate(steps):
        for side, x, x2 in (("below", at - 0.38, at), ("above", at, at + 0.38)):
            if row[side] is None:
                middle = {"x": (x + x2) / 2, "y": 0.03 * top, "tip": _tip(row)}
                drawn.append({"kind": "withheld"} | middle)
                continue
            place = {"x": x, "x2": x2, "y": 0, "y2": row[side], "tip": _tip(row)}
            drawn += [{"kind": side} | place] * bool(row[side])
            middle = {"x": (x + x2) / 2, "y": row[side]}
            drawn.append({"kind": "label", "label": tally(row[side])} | middle)
        drawn.append({"kind": "name", "x": at, "y": 0, "label": f"{row['step_min']:,}"})
    within = steps[0]["within_min"]
    words = (
        ("□", VERMILLION, f"at most {within} min below"),
        ("■", BLUE, f"less than {within} min above"),
    )
    for at, (sign, ink, label) in enumerate(words):
        place = {"x": -0.6, "y": 1.3 * top, "px": 4 + 200 * at}
        drawn.append({"kind": "key", "sign": sign, "ink": ink, "label": label} | place)
    return drawn


@cache
def _template() -> dict:
    below = of("below").mark_rect(fill="#ffffff", stroke=VERMILLION, strokeWidth=2)
    above = of("above").mark_rect(fill=BLUE, stroke=BLUE, strokeWidth=2)
    ends = {"x2": "x2", "y2": "y2", "tooltip": TIP}
    label = haloed(of("label"), baseline="bottom", dy=-5, color=INK)
    name = of("name").mark_text(baseline="top", dy=7).encode(text="label:N")
    px = {"align": "left", "baseline": "middle"}
    sign = of("key").mark_text(dx=alt.ExprRef("datum.px"), fontSize=16, **px)
    words = of("key").mark_text(dx=alt.ExprRef("datum.px + 16"), **px)
    key = [
        sign.encode(text="sign:N", color=alt.Color("ink:N", scale=None)),
        words.encode(text="label:N"),
    ]
    bars = (below.encode(**ends), above.encode(**ends))
    chart = alt.layer(*bars, *label, name, *key, stars()).encode(
        x=scale_x("Step of units [min]", labels=False, ticks=False, grid=False, titlePadding=22),
        y=scale_y("Encounters [1]", tickCount=MOST_TICKS),
    )
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
