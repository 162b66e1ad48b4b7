"""From one scenario's payment to another's, term by term: its table, and the specification."""

from functools import cache

import altair as alt
import polars as pl

from subq_toolkit.charts.layers import TIP, haloed, lanes_y, of, scale_x
from subq_toolkit.charts.look import BLUE, INK, QUIET, VERMILLION, chart_table, filled, template
from subq_toolkit.charts.money_words import (
    caption_of,
    cents,
    change,
    headed,
    money,
    money_axis,
    named,
    no_price,
    nothing_yet,
    plain,
    sentences,
    signed,
    unpriced,
)
from subq_toolkit.charts.term_words import term_name
from subq_toolkit.charts.wording import shortened, text_px

_WIDTH_PX, _HEIGHT_PX, _LEAST_PX = 460, 260, 70
_LANE_PX, _BAR_PX, _NAME_PX, _GAP_PX = 32, 20, 160, 8
#: The axis leaves zero out where the steps would take less than this share of it.
_SMALL = 0.4
_ROWS = {
    "kind": pl.String,
    "step": pl.String,
    "label": pl.String,
    "change_usd": pl.Float64,
    "from_usd": pl.Float64,
    "to_usd": pl.Float64,
    "units_without_price": pl.Float64,
    "says": pl.String,
}


def payment_bridge_table(
    steps: pl.DataFrame | None, *, units_without_price: float = 0.0, caption: str = ""
) -> pl.DataFrame:
    """What the bridge between two scenarios draws.

    Parameters
    ----------
    steps
        What ``bridge`` returns.
    units_without_price
        How many units are not in the amounts, for want of a price; the larger of both ends. [1]
    caption
        Where the numbers are from, e.g. what ``terms_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``start``, ``step``, ``end``, ``about``: the caption), ``step`` (a scenario's
        name, or the term that changes), ``label`` (the same in words), ``change_usd`` (null at
        both ends), ``from_usd, to_usd`` (before and after the step; null and the total at both
        ends) [USD], ``units_without_price`` (of ``about``) [1], ``says``.
    """
    if steps is None or steps.is_empty():
        return pl.DataFrame(schema=_ROWS)
    rows, before = [], None
    given = chart_table(steps).select("step", "change_usd", "total_usd").rows()
    for at, (step, apart, total) in enumerate(given):
        end = at in (0, len(given) - 1)
        kind = "step" if not end else "start" if at == 0 else "end"
        label = plain(step) if end else term_name(step)
        rows.append((kind, step, label, apart, None if end else before, total, None, None))
        before = total
    rows.append(("about", *(None,) * 5, float(units_without_price), caption))
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def payment_bridge_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``payment_bridge_table`` as a specification; cheap to make again."""
    rows = table.filter(pl.col("kind") != "about").rows(named=True)
    if not rows:
        empty = nothing_yet("No bridge to draw yet", "State two scenarios that differ")
        return filled(_template(), [], empty)
    without, caption = table.row(-1, named=True)["units_without_price"], caption_of(table)
    if without and not any(row["to_usd"] for row in rows):
        return filled(_template(), [], no_price(without, caption))
    names = [shortened(row["label"], width_px=_NAME_PX) for row in rows]
    plot_px = _WIDTH_PX - 12 - max(map(text_px, names)) - _GAP_PX
    low, high, zero = _view(rows, plot_px)
    height = max(_LANE_PX * len(rows), _LEAST_PX)
    cut = f"the axis starts at {money(zero, apart=high - low)}, not at zero" * bool(zero)
    several = "What a step is worth depends on the steps before it"
    qualifier = sentences(
        several if len(rows) > 3 else "Expected payment of both scenarios",
        cut,
        unpriced(without),
    )
    changes = headed(_title(rows), qualifier, caption, _spoken(rows)) | {
        "height": height,
        "encoding/x/scale/domain": [low, high],
        "encoding/x/axis/labelExpr": money_axis(low, high),
        "encoding/y/scale/domain": [height, 0],
    }
    px_per_usd = plot_px / (high - low)
    drawn = [
        part
        for lane, (name, row) in enumerate(zip(names, rows, strict=True))
        for part in _drawn(row, (name, _label(row, rows)), lane, (low, high, zero), px_per_usd)
    ]
    return filled(_template(), [*drawn, *_joints(rows)], changes)


def _view(rows: list[dict], plot_px: float) -> tuple[float, float, float]:
    """Ends of the axis, and where bars of a total begin: at zero, or at the end nearest to it."""
    levels = [row["to_usd"] for row in rows]
    least, most = min(levels), max(levels)
    spread = most - least
    near, far = sorted((least, most), key=abs)
    cut = least * most > 0 and 0 < spread < _SMALL * abs(far)
    zero = near - 0.3 * spread * (1 if near > 0 else -1) if cut else 0.0
    low, high = min(zero, least), max(zero, most)
    if low == high:
        return 0.0, 1.0, 0.0
    room = max(text_px(_label(row, rows)) for row in rows) + 16
    sides = (room * (least < 0), room * (most >= 0 or 0 < len(rows) - 2))
    usd_per_px = (high - low) / (plot_px - sum(sides))
    return low - sides[0] * usd_per_px, high + sides[1] * usd_per_px, zero


def _label(row: dict, rows: list[dict]) -> str:
    """A signed change, or the total at an end, to as many digits as tell the ends apart."""
    if row["kind"] == "step":
        return signed(row["change_usd"])
    return money(row["to_usd"], apart=abs(rows[-1]["to_usd"] - rows[0]["to_usd"]))


def _title(rows: list[dict]) -> str:
    first, last = rows[0], rows[-1]
    apart = round(last["to_usd"] - first["to_usd"], 2)
    ends = f"{named(first['label'])} to {named(last['label'])}"
    steps = [row for row in rows if row["kind"] == "step"]
    if not steps:
        return f"{ends}: no term differs, {money(first['to_usd'])}"
    most = max(steps, key=lambda row: abs(row["change_usd"]))
    most_told = f"{most['label']} {signed(most['change_usd'])}"
    if not apart:
        moved = f"; steps cancel out, most: {most_told}" * bool(most["change_usd"])
        return f"{ends}: no difference, {money(first['to_usd'])}{moved}"
    whole = f"{ends}: {change(apart, first['to_usd'])}"
    return f"{whole}; the largest of {len(steps)} steps: {most_told}" if len(steps) > 1 else whole


def _spoken(rows: list[dict]) -> str:
    return "; ".join(_tip(row) for row in rows)


def _tip(row: dict) -> str:
    """A step or an end in words, to the cent."""
    if row["kind"] != "step":
        return f"{row['label']}: {cents(row['to_usd'])}"
    sign = "+" if row["change_usd"] > 0 else ""
    return f"{row['label']}: {sign}{cents(row['change_usd'])}, makes {cents(row['to_usd'])}"


def _drawn(
    row: dict, words: tuple[str, str], lane: int, ends: tuple[float, ...], px_per_usd: float
) -> list[dict]:
    """The bar of one row, its name on the left, and its label where there is room."""
    (low, high, zero), (name, label) = ends, words
    left, right = sorted((zero if row["from_usd"] is None else row["from_usd"], row["to_usd"]))
    whole = row["kind"] != "step"
    ink = QUIET if whole else BLUE if row["change_usd"] > 0 else VERMILLION
    y = _LANE_PX * (lane + 0.5)
    bar = {"kind": "bar", "y": y, "x": left, "x2": right, "ink": ink, "tip": _tip(row)}
    before = left < 0 and right <= 0 and whole
    fits = (high - right) * px_per_usd > text_px(label) + 10 and not before
    at = {"x": right if fits else left, "side": "left" if fits else "right"}
    drawn = [
        bar,
        {"kind": "name", "y": y, "x": low, "label": name},
        {"kind": "label", "y": y, "label": label} | at,
    ]
    if whole and zero:
        drawn.append({"kind": "broken", "y": y, "x": zero, "way": 1 if zero > 0 else -1})
    return drawn


def _joints(rows: list[dict]) -> list[dict]:
    """Lines that carry a total on to the next row."""
    half = _BAR_PX / 2
    return [
        {
            "kind": "joint",
            "x": row["to_usd"],
            "y": _LANE_PX * (lane + 0.5) + half,
            "y2": _LANE_PX * (lane + 1.5) - half,
        }
        for lane, row in enumerate(rows[:-1])
    ]


@cache
def _template() -> dict:
    bar = of("bar").mark_bar(height=_BAR_PX, strokeWidth=1.5)
    broken = of("broken").mark_text(
        text="//",
        color="#ffffff",
        fontSize=20,
        fontWeight=600,
        baseline="middle",
        dx=alt.ExprRef("14 * datum.way"),
    )
    joint = of("joint").mark_rule(stroke=QUIET, strokeWidth=1)
    name = of("name").mark_text(align="right", baseline="middle", dx=-_GAP_PX, color=INK)
    labels = haloed(
        of("label"),
        align=alt.ExprRef("datum.side"),
        baseline="middle",
        dx=alt.ExprRef("datum.side == 'left' ? 6 : -6"),
        fontWeight=600,
    )
    inks = {"fill": alt.Fill("ink:N", scale=None), "stroke": alt.Stroke("ink:N", scale=None)}
    chart = alt.layer(
        joint.encode(y2="y2"),
        bar.encode(x2="x2", tooltip=TIP, **inks),
        broken,
        name.encode(text="label:N"),
        *labels,
    ).encode(x=scale_x("Expected payment [USD]", tickCount=4), y=lanes_y())
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
