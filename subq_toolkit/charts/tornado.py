"""What each term moves the total by, widest first: its table, and the specification."""

from functools import cache

import altair as alt
import polars as pl

from subq_toolkit.charts.layers import TIP, haloed, lanes_y, of, scale_x
from subq_toolkit.charts.look import BLUE, INK, QUIET, VERMILLION, chart_table, filled, template
from subq_toolkit.charts.money_words import (
    caption_of,
    cents,
    headed,
    money,
    money_axis,
    no_price,
    nothing_yet,
    sentences,
    unpriced,
)
from subq_toolkit.charts.term_words import term_name, value_name
from subq_toolkit.charts.wording import shortened, text_px

_WIDTH_PX, _HEIGHT_PX, _LEAST_PX, _PLOT_PX = 460, 260, 130, 425
_LANE_PX, _BAR_PX, _TOP_PX, _VALUE_PX, _SAME_USD = 64, 26, 24, 118, 0.005
_ROWS = {
    "kind": pl.String,
    "term": pl.String,
    "label": pl.String,
    "low": pl.String,
    "high": pl.String,
    "low_usd": pl.Float64,
    "high_usd": pl.Float64,
    "base_usd": pl.Float64,
    "units_without_price": pl.Float64,
    "says": pl.String,
}


def tornado_table(
    moved: pl.DataFrame | None, *, units_without_price: float = 0.0, caption: str = ""
) -> pl.DataFrame:
    """What the tornado draws.

    Parameters
    ----------
    moved
        What ``tornado`` of ``scenarios`` returns.
    units_without_price
        How many units are in none of the amounts, for want of a price. [1]
    caption
        Where the numbers are from, e.g. what ``terms_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``term``, ``about``: the caption), ``term``, ``label`` (the term in words),
        ``low, high`` (values of the term, in words), ``low_usd, high_usd, base_usd`` [USD],
        ``units_without_price`` (of ``about``) [1], ``says``. Widest first.
    """
    if moved is None or moved.is_empty():
        return pl.DataFrame(schema=_ROWS)
    rows = [
        ("term", row["term"], term_name(row["term"]), *_values(row), row["low_usd"],
         row["high_usd"], row["base_usd"], None, None)
        for row in chart_table(moved).rows(named=True)
    ]  # fmt: skip
    rows.append(("about", *(None,) * 7, float(units_without_price), caption))
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def _values(row: dict) -> tuple[str, str]:
    return value_name(row["term"], row["low"]), value_name(row["term"], row["high"])


def tornado_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``tornado_table`` as a specification; cheap to make again."""
    rows = table.filter(pl.col("kind") != "about").rows(named=True)
    if not rows:
        empty = nothing_yet("No term to move yet", "Give a term the ends of its range")
        return filled(_template(), [], empty)
    without, caption = table.row(-1, named=True)["units_without_price"], caption_of(table)
    base = rows[0]["base_usd"]
    if without and not any(row[end] for row in rows for end in ("low_usd", "high_usd")):
        return filled(_template(), [], no_price(without, caption))
    low, high = _view(rows, base)
    height = max(_TOP_PX + _LANE_PX * len(rows), _LEAST_PX)
    qualifier = sentences(
        "One term at a time between the ends of its range, all else as in the base",
        unpriced(without),
    )
    spoken = "; ".join([f"base {cents(base)}", *map(_tip, rows)])
    changes = headed(_title(rows, base), qualifier, caption, spoken) | {
        "height": height,
        "encoding/x/scale/domain": [low, high],
        "encoding/x/axis/labelExpr": money_axis(low, high),
        "encoding/y/scale/domain": [height, 0],
    }
    drawn = [part for lane, row in enumerate(rows) for part in _drawn(lane, row, (low, high))]
    apart = min((_spread(row) for row in rows if not _same(row)), default=0.0)
    rule = {"kind": "base", "label": f"base {money(base, apart=apart)}"}
    place = {"x": base, "y": _TOP_PX - 4, "y2": height}
    return filled(_template(), [rule | place, *drawn], changes)


def _ends(row: dict) -> list[tuple[float, str]]:
    """Both ends of a term's range, the smaller amount first: amount and value."""
    both = [(row["low_usd"], row["low"]), (row["high_usd"], row["high"])]
    return sorted(both, key=lambda end: end[0])


def _spread(row: dict) -> float:
    return abs(row["high_usd"] - row["low_usd"])


def _same(row: dict) -> bool:
    return _spread(row) < _SAME_USD


def _view(rows: list[dict], base: float) -> tuple[float, float]:
    """Ends of the axis: every end of a range, with room for its labels beside it."""
    usd = [base, *(end for row in rows for end, _ in _ends(row))]
    rooms = [max(_room_px(row, side) for row in rows) for side in (0, 1)]
    low, high = min(usd), max(usd)
    if low == high:
        pad = max(abs(base), 1.0)
        return base - pad, base + pad
    usd_per_px = (high - low) / (_PLOT_PX - sum(rooms))
    return low - rooms[0] * usd_per_px, high + rooms[1] * usd_per_px


def _room_px(row: dict, side: int) -> float:
    usd, value = _ends(row)[side]
    value = _both(row) if _same(row) else value
    return max(text_px(shortened(value, width_px=_VALUE_PX)), text_px(_usd(row, usd))) + 14


def _usd(row: dict, value: float) -> str:
    """An amount at an end, to as many digits as tell the ends apart."""
    return money(value, apart=_spread(row))


def _title(rows: list[dict], base: float) -> str:
    widest = rows[0]
    if _same(widest):
        return f"No term in its range moves the total of {money(base)}"
    (least, at_least), (most, at_most) = _ends(widest)
    told = f"{money(least, apart=most - least)} ({at_least}) to "
    told += f"{money(most, apart=most - least)} ({at_most})"
    return f"The total moves{' most' * (len(rows) > 1)} with {widest['label']}: {told}"


def _both(row: dict) -> str:
    return f"{row['low']} to {row['high']}"


def _tip(row: dict) -> str:
    """A term in words, to the cent."""
    if _same(row):
        return f"{row['label']} {row['low']} to {row['high']}: {cents(row['low_usd'])}, no change"
    return (
        f"{row['label']} {row['low']}: {cents(row['low_usd'])}, "
        f"{row['high']}: {cents(row['high_usd'])}"
    )


def _drawn(lane: int, row: dict, view: tuple[float, float]) -> list[dict]:
    """One term: its name, beneath it the bar in two colours, and what stands at its ends."""
    y = _TOP_PX + _LANE_PX * (lane + 1) - _BAR_PX / 2 - 8
    base, tip = row["base_usd"], _tip(row)
    (least, at_least), (most, at_most) = _ends(row)
    name = shortened(row["label"], width_px=_PLOT_PX)
    drawn = [{"kind": "name", "y": y - _BAR_PX / 2 - 8, "x": view[0], "label": name}]
    spans = [
        ("loss", least, min(most, base), VERMILLION),
        ("gain", max(least, base), most, BLUE),
    ]
    for kind, x, x2, ink in spans:
        if x < x2:
            bar = {"kind": "bar", "side": kind, "y": y, "x": x, "x2": x2}
            drawn.append(bar | {"ink": ink, "tip": tip})
    if _same(row):
        drawn.append({"kind": "none", "y": y, "x": least, "tip": tip})
        ends = [("left", most, _both(row), "no change" if abs(most - base) < _SAME_USD else "")]
    else:
        ends = [("right", least, at_least, ""), ("left", most, at_most, "")]
    for side, x, value, money_told in ends:
        label = {"label": shortened(value, width_px=_VALUE_PX), "usd": money_told or _usd(row, x)}
        drawn.append({"kind": "end", "y": y, "x": x, "side": side} | label)
    return drawn


@cache
def _template() -> dict:
    bar = of("bar").mark_bar(height=_BAR_PX).encode(
        x2="x2", fill=alt.Fill("ink:N", scale=None), tooltip=TIP
    )  # fmt: skip
    none = of("none").mark_tick(orient="vertical", thickness=3, size=_BAR_PX, color=INK, opacity=1)
    rule = of("base").mark_rule(stroke=INK, strokeWidth=1.5).encode(y2="y2")
    end = {
        "align": alt.ExprRef("datum.side"),
        "baseline": "middle",
        "dx": alt.ExprRef("datum.side == 'left' ? 6 : -6"),
    }
    chart = alt.layer(
        bar,
        none.encode(tooltip=TIP),
        rule,
        *haloed(of("base"), baseline="bottom", dy=-3, fontWeight=600),
        *haloed(of("name"), align="left", baseline="bottom", fontWeight=600),
        *haloed(of("end"), dy=-7, **end),
        *haloed(of("end"), label="usd", dy=8, color=QUIET, **end),
    ).encode(x=scale_x("Expected payment [USD]"), y=lanes_y())
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
