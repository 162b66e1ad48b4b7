"""Totals carried over from a sample with their intervals, one beneath the other."""

from functools import cache

import altair as alt

from subq_toolkit.audit.audited_tables import NOT_STATED
from subq_toolkit.charts.layers import TIP, lanes_y, of, scale_x
from subq_toolkit.charts.look import BLUE, INK, PURPLE, QUIET, VERMILLION, template
from subq_toolkit.charts.money_words import cents, money, plain
from subq_toolkit.charts.withheld import STAR
from subq_toolkit.charts.wording import count, shortened

LANE_PX, HEAD_PX, PART_PX = 38, 26, 28
_WIDTH_PX, _HEIGHT_PX, _PLOT_PX = 460, 260, 440
_NAME_PX, _MONEY_PX = 150, 96
_NAMES = {"over": "over", "under": "under", "net": "net: over less under"}


def view(lanes: list[dict]) -> tuple[float, float]:
    """Ends of the axis: every interval, with room for names and amounts on either side."""
    names = ("total_usd", "low_usd", "high_usd")
    ends = [row[name] for row in lanes for name in names if row[name] is not None]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    if low == high:
        high = 1.0
    per_px = (high - low) / (_PLOT_PX - _NAME_PX - _MONEY_PX - 16)
    return low - (_NAME_PX + 8) * per_px, high + (_MONEY_PX + 8) * per_px


def _name(row: dict) -> str:
    return plain(row["stratum"] or NOT_STATED) if row["kind"] == "stratum" else _NAMES[row["kind"]]


def _sub(row: dict) -> str:
    if row["stratum_size"] is None:
        return STAR
    if row["reviewed"] is None:
        return f"{STAR} of {row['stratum_size']:,}"
    return f"{row['reviewed']:,} of {row['stratum_size']:,} reviewed"


def _limit(row: dict) -> str:
    if row["total_usd"] is None:
        return ""
    if row["low_usd"] is None:
        return "no interval"
    return "exact" if row["low_usd"] == row["high_usd"] and _whole(row) else (
        f"from {money(row['low_usd'])}"
    )  # fmt: skip


def _whole(row: dict) -> bool:
    return row["reviewed"] == row["stratum_size"]


def total_told(row: dict) -> str:
    """A total in words, to the cent."""
    name = f"{_name(row)} in all" if row["kind"] != "stratum" else f"{_name(row)}, {row['side']}"
    if row["reviewed"] is None:
        return f"{name}: withheld"
    told = f"{name}: {row['reviewed']:,} of {count(row['stratum_size'], 'encounter')} reviewed"
    if row["total_usd"] is None:
        return f"{told}, no total"
    told += f", {cents(row['found_usd'])} found, {cents(row['total_usd'])} carried over"
    if row["low_usd"] is None:
        return f"{told}, no interval"
    level = f"{100 * row['confidence']:.4g} % interval"
    return f"{told} ({level} {cents(row['low_usd'])} to {cents(row['high_usd'])})"


def lane_marks(row: dict, y: float, ends: tuple[float, float]) -> list[dict]:
    """One total: its name, its interval, and in words the total and its lower limit."""
    base = {"y": y, "tip": total_told(row)}
    hidden = row["reviewed"] is None
    name = shortened(_name(row), width_px=_NAME_PX - 8)
    total = row["total_usd"]
    told = STAR if hidden else "no total" if total is None else money(total)
    drawn = [
        base | {"kind": "name", "x": ends[0], "label": name, "sub": _sub(row)},
        base | {"kind": "told", "x": ends[1], "label": told, "sub": _limit(row)},
    ]
    if total is None:
        return [*drawn, base | {"kind": "withheld", "x": 0}] if hidden else drawn
    if row["low_usd"] is not None:
        drawn.append(base | {"kind": "span", "x": row["low_usd"], "x2": row["high_usd"]})
    side = row["side"] if row["side"] in _NAMES else row["kind"]
    return [*drawn, base | {"kind": side, "x": total}]


def part_marks(
    strata: list[dict], top: float, ends: tuple[float, float], height: float
) -> list[dict]:
    """The line at zero, and what stands above the totals and above the strata."""
    heads = [
        {"kind": "head", "x": ends[0], "y": HEAD_PX / 2 - 1, "label": "All encounters"},
        {"kind": "right", "x": ends[1], "y": HEAD_PX / 2 - 1, "label": "total, lower limit"},
        {"kind": "zero", "x": 0, "y": HEAD_PX, "y2": height},
    ]
    if strata:
        words = f"{strata[0]['side'].capitalize()}, by stratum"
        heads.append({"kind": "head", "x": ends[0], "y": top + PART_PX / 2 + 2, "label": words})
    return heads


@cache
def lanes_template() -> dict:
    """The chart with neither data nor words."""
    left = {"align": "left", "baseline": "middle"}
    right = {"align": "right", "baseline": "middle"}
    name, told = of("name"), of("told")
    zero = of("zero").mark_rule(stroke=QUIET, strokeWidth=1).encode(y2="y2")
    span = of("span").mark_rule(stroke=INK, strokeWidth=2).encode(x2="x2", tooltip=TIP)
    caps = [
        of("span").mark_tick(orient="vertical", size=11, thickness=2, color=INK).encode(x=end)
        for end in ("x:Q", "x2:Q")
    ]
    shapes = {
        "over": {"shape": "diamond", "fill": VERMILLION, "size": 110},
        "under": {"shape": "square", "fill": BLUE, "size": 80},
        "net": {"shape": "circle", "fill": PURPLE, "size": 80},
    }
    points = [
        of(kind).mark_point(**look, stroke="#ffffff", strokeWidth=1, opacity=1).encode(tooltip=TIP)
        for kind, look in shapes.items()
    ]
    star = of("withheld").mark_text(text=STAR, fontSize=15, color=INK, dx=9, baseline="middle")
    chart = alt.layer(
        zero,
        span,
        *caps,
        *points,
        name.mark_text(**left, dy=-7, color=INK).encode(text="label:N", tooltip=TIP),
        name.mark_text(**left, dy=8, color=QUIET, fontSize=11).encode(text="sub:N"),
        told.mark_text(**right, dy=-7, color=INK, fontWeight=600).encode(text="label:N"),
        told.mark_text(**right, dy=8, color=QUIET, fontSize=11).encode(text="sub:N"),
        of("head").mark_text(**left, color=QUIET, fontWeight=600).encode(text="label:N"),
        of("right").mark_text(**right, color=QUIET, fontSize=12).encode(text="label:N"),
        star.encode(tooltip=TIP),
    ).encode(x=scale_x("Carried over to all encounters [USD]", grid=False), y=lanes_y())
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
