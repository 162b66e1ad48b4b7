"""Where our charge stands in the market: its table, and the specification."""

from datetime import date
from functools import cache
from math import floor, log10

import altair as alt
import polars as pl

from subq_toolkit.charts.layers import MOST_TICKS, TIP, haloed, lanes_y, of, scale_x
from subq_toolkit.charts.look import BLUE, INK, QUIET, VERMILLION, chart_table, filled, template
from subq_toolkit.charts.money_words import (
    caption_of,
    cents,
    fee,
    headed,
    money_axis,
    moved,
    nothing_yet,
    plain,
    sentences,
)
from subq_toolkit.charts.wording import count, shortened, text_px

_WIDTH_PX, _HEIGHT_PX, _LEAST_PX = 460, 260, 90
_LANE_PX, _NAME_PX, _GAP_PX = 66, 120, 10
#: From this ratio of the largest to the smallest amount on, an even axis hides the small ones.
_LOG_FROM = 8
_QUANTILES = ("p10", "p25", "median", "p75", "p90")
_ROWS = {
    "kind": pl.String,
    "code": pl.String,
    **dict.fromkeys(_QUANTILES, pl.Float64),
    "hospitals": pl.Int64,
    "amount_usd": pl.Float64,
    "says": pl.String,
}


def market_strip_table(
    market: pl.DataFrame | None, *, kind: str, state: str, on: date | str
) -> pl.DataFrame:
    """What the chart of the market draws.

    Parameters
    ----------
    market
        ``code``, ``p10, p25, median, p75, p90`` (over hospitals) [USD], ``hospitals`` [1],
        ``amount_usd`` (ours; null if there is none) [USD].
    kind, state, on
        What the prices are (``gross``, ``cash``, …), where, and of which day.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``code``, ``about``: the caption), the columns of ``market``, ``says``.
    """
    if market is None or market.is_empty():
        return pl.DataFrame(schema=_ROWS)
    given = chart_table(market).select("code", *_QUANTILES, "hospitals", "amount_usd").rows()
    where = "all US states" if state == "US" else plain(state)
    n = max((row[6] or 0 for row in given), default=0)
    parts = [f"Up to {count(n, 'hospital')}"] * bool(n)
    says = " · ".join([*parts, f"{plain(kind)} prices", where, plain(on)])
    rows = [("code", *row, None) for row in given]
    rows.append(("about", *(None,) * 8, says))
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def market_strip_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``market_strip_table`` as a specification; cheap to make again."""
    rows = table.filter(pl.col("kind") == "code").rows(named=True)
    if not rows:
        empty = nothing_yet("No market price to draw yet", "State a code, a kind and a state")
        return filled(_template(), [], empty)
    names = [_name(row) for row in rows]
    left_px = max(map(text_px, [*names, *map(_hospitals, rows)])) + _GAP_PX
    low, high, kind = _view(rows)
    scale = "logarithmic axis" if kind == "log" else "axis from zero"
    key = "Thin bar: p10 to p90, thick: p25 to p75, line: median, diamond: ours"
    qualifier = sentences(key, scale, "a listed price is not a payment")
    height = max(_LANE_PX * len(rows), _LEAST_PX)
    spoken = "; ".join(map(_tip, rows))
    changes = headed(_title(rows), qualifier, caption_of(table), spoken) | {
        "height": height,
        "encoding/x/scale": {"type": kind, "domain": [low, high], "nice": False},
        "encoding/x/axis/labelExpr": money_axis(low, high),
        "encoding/y/scale/domain": [height, 0],
    }
    if all(row[name] is None for row in rows for name in (*_QUANTILES, "amount_usd")):
        changes |= {f"encoding/x/axis/{part}": False for part in ("labels", "ticks", "grid")}
    if kind == "log":
        changes["encoding/x/axis/values"] = _ticks(low, high)
        changes["encoding/x/axis/tickCount"] = MOST_TICKS
        changes["encoding/x/axis/title"] = "Price of one unit [USD], logarithmic"
    drawn = [
        part
        for lane, (name, row) in enumerate(zip(names, rows, strict=True))
        for part in _drawn(name, row, lane, (low, high, kind), _WIDTH_PX - 12 - left_px)
    ]
    return filled(_template(), drawn, changes)


def _name(row: dict) -> str:
    return shortened(plain(row["code"]), width_px=_NAME_PX)


def _hospitals(row: dict) -> str:
    return count(row["hospitals"], "hospital") if row["hospitals"] is not None else ""


def _view(rows: list[dict]) -> tuple[float, float, str]:
    """Ends of the axis, and whether it is even or logarithmic."""
    usd = [row[name] for row in rows for name in (*_QUANTILES, "amount_usd")]
    known = [one for one in usd if one is not None] or [0.0]
    low, high = min(known), max(known)
    if low > 0 and high / low >= _LOG_FROM:
        return low / 1.2, high * 1.2, "log"
    low = min(low, 0.0)
    return low, high + 0.06 * (high - low) if high > low else low + 1.0, "linear"


def _ticks(low: float, high: float) -> list[float]:
    """Round amounts from ``low`` to ``high``, as many as an axis has room for."""
    decades = range(floor(log10(low)), floor(log10(high)) + 1)
    steps = (1, 2, 5) if len(decades) < 4 else (1,)
    return [one for d in decades for step in steps if low <= (one := step * 10**d) <= high]


def _stands(row: dict) -> str:
    """Where our amount stands among the quantiles."""
    usd = row["amount_usd"]
    marks = [(name, row[name]) for name in _QUANTILES if row[name] is not None]
    if equal := next((name for name, at in marks if at == usd), None):
        return f"at the {equal}" if equal == "median" else f"at {equal}"
    under = [name for name, at in marks if at < usd]
    over = [name for name, at in marks if at > usd]
    if under and over:
        return f"between {under[-1]} and {over[0]}"
    return f"above {under[-1]}" if under else f"below {over[0]}"


def _title(rows: list[dict]) -> str:
    ours = [row for row in rows if None not in (row["amount_usd"], row["median"])]
    if not ours:
        known = next((row for row in rows if row["median"] is not None), None)
        told = f"; median of {_name(known)} {fee(known['median'])}" if known else ""
        return f"No price of ours to compare{told}"
    far = max(ours, key=_distance)
    stands = f"{fee(far['amount_usd'])} for {_name(far)} stands {_stands(far)}"
    if len(ours) == 1:
        return f"Our {stands} of {_hospitals(far)}"
    above = sum(row["amount_usd"] > row["median"] for row in ours)
    return f"Ours is above the median for {above} of {len(ours)} codes; farthest: {stands}"


def _distance(row: dict) -> float:
    """How far our amount is from the median, in times of it."""
    ratio = row["amount_usd"] / row["median"] if row["median"] else 1.0
    return max(ratio, 1 / ratio) if ratio > 0 else 0.0


def _tip(row: dict) -> str:
    quantiles = ", ".join(f"{n} {cents(row[n])}" for n in _QUANTILES if row[n] is not None)
    told = f"{plain(row['code'])}, {_hospitals(row)}: {quantiles or 'no price'}"
    if row["amount_usd"] is None:
        return f"{told}; ours not stated"
    off = ""
    if row["median"]:
        off = f", {moved(row['amount_usd'] / row['median'] - 1)} to the median"
    return f"{told}; ours {cents(row['amount_usd'])}{off}"


def _drawn(
    name: str, row: dict, lane: int, view: tuple[float, float, str], plot_px: float
) -> list[dict]:
    """One code: its name, the bars of the market, our diamond, and both labels."""
    low, high, kind = view
    y = _LANE_PX * (lane + 0.5) + 2
    drawn = [{"kind": "name", "x": low, "y": y, "label": name, "n": _hospitals(row)}]
    tip = _tip(row)
    for bar, first, last in (("thin", "p10", "p90"), ("thick", "p25", "p75")):
        if None not in (row[first], row[last]):
            drawn.append({"kind": bar, "x": row[first], "x2": row[last], "y": y, "tip": tip})
    marks = {"median": ("", row["median"]), "ours": ("ours ", row["amount_usd"])}
    for mark, (word, usd) in marks.items():
        if usd is None:
            continue
        label = f"{word}{fee(usd)}"
        at_px, wide = _share(usd, low, high, kind) * plot_px, text_px(label)
        side = "center"
        if at_px < wide / 2 or plot_px - at_px < wide / 2:
            side = "left" if at_px < wide / 2 else "right"
        drawn.append({"kind": mark, "x": usd, "y": y, "label": label, "side": side, "tip": tip})
    return drawn


def _share(usd: float, low: float, high: float, kind: str) -> float:
    """How far along the axis an amount stands. [1]"""
    if kind == "log":
        return log10(usd / low) / log10(high / low)
    return (usd - low) / (high - low)


@cache
def _template() -> dict:
    thin = of("thin").mark_rule(stroke=BLUE, strokeWidth=3, opacity=0.5)
    thick = of("thick").mark_rule(stroke=BLUE, strokeWidth=14)
    median = of("median").mark_tick(orient="vertical", thickness=3, size=26, color=INK, opacity=1)
    ours = of("ours").mark_point(
        shape="diamond", size=200, fill=VERMILLION, stroke="#ffffff", strokeWidth=1.5, opacity=1
    )
    side = {"align": alt.ExprRef("datum.side")}
    left = {"align": "right", "baseline": "middle", "dx": -_GAP_PX}
    chart = alt.layer(
        thin.encode(x2="x2", tooltip=TIP),
        thick.encode(x2="x2", tooltip=TIP),
        median.encode(tooltip=TIP),
        ours.encode(tooltip=TIP),
        *haloed(of("median"), baseline="top", dy=15, **side),
        *haloed(of("ours"), baseline="bottom", dy=-14, fontWeight=600, **side),
        *haloed(of("name"), dy=-8, fontWeight=600, **left),
        *haloed(of("name"), label="n", dy=8, color=QUIET, **left),
    ).encode(x=scale_x("Price of one unit [USD]"), y=lanes_y())
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
