"""Bars of dollars over and under, one class of an audit beneath the other."""

from functools import cache

import altair as alt

from subq_toolkit.charts.audit_words import noun_of
from subq_toolkit.charts.layers import TIP, haloed, lanes_y, of, scale_x
from subq_toolkit.charts.look import BLUE, INK, QUIET, VERMILLION, template
from subq_toolkit.charts.money_words import cents, money
from subq_toolkit.charts.withheld import STAR
from subq_toolkit.charts.wording import count, text_px

LANE_PX, KEY_PX = 40, 28
_WIDTH_PX, _HEIGHT_PX, _PLOT_PX, _BAR_PX = 460, 260, 440, 14
_KEY = ((0, "■", VERMILLION, "over: billed above the chart"), (210, "□", BLUE, "under: below it"))


def stake(row: dict) -> float:
    """Dollars over or under of a class, whichever are more; −1 where they are not known. [USD]"""
    sides = [row[name] for name in ("over_usd", "under_usd") if row[name] is not None]
    return max(sides, default=-1.0)


def view(lanes: list[dict]) -> tuple[float, float]:
    """Ends of the axis: every amount, with room beside it for its label."""
    over = max([row["over_usd"] or 0.0 for row in lanes], default=0.0)
    under = max([row["under_usd"] or 0.0 for row in lanes], default=0.0)
    if not over + under:
        return (-0.1, 1.0)
    sides = [_room_px(lanes, "under_usd"), max(_room_px(lanes, "over_usd"), 24.0)]
    per_px = (over + under) / max(_PLOT_PX - sum(sides), _PLOT_PX / 4)
    return -under - sides[0] * per_px, over + sides[1] * per_px


def _room_px(lanes: list[dict], side: str) -> float:
    told = [text_px(money(row[side])) + 14 for row in lanes if row[side]]
    return max(told, default=6.0)


def keys(low: float) -> list[dict]:
    """What the bars mean, in one line at the top."""
    at = {"kind": "key", "x": low, "y": KEY_PX / 2 - 3}
    names = ("px", "sign", "ink", "label")
    return [at | dict(zip(names, one, strict=True)) for one in _KEY]


def lane_told(row: dict) -> str:
    """A class in words, to the cent."""
    if row["found"] is None:
        return f"{row['label']}: withheld"
    told = f"{row['label']}: {count(row['found'], noun_of(row['of']))}"
    if row["kind"] != "class":
        return told
    if row["no_price"]:
        told += f", {row['no_price']:,} without a known price"
    sides = [(row["over_usd"], "over"), (row["under_usd"], "under")]
    amounts = ", ".join(f"{cents(usd)} {word}" for usd, word in sides if usd)
    return f"{told}, {amounts or _no_bar(row).split('; ')[0]}"


def _no_bar(row: dict) -> str:
    """What stands at zero where there is no bar."""
    if row["net_usd"] is not None:
        return f"$0; {row['no_price']:,} without a price" if row["no_price"] else "$0"
    return "no known price" if row["priced"] == 0 else f"dollars withheld {STAR}"


def bar_marks(row: dict, at: int, ends: tuple[float, float]) -> list[dict]:
    """One class: its name and how many, and beneath them its dollars to either side of zero."""
    y = KEY_PX + LANE_PX * (at + 1) - _BAR_PX / 2 - 6
    base = {"y": y, "tip": lane_told(row)}
    number = "" if row["found"] is None else count(row["found"], noun_of(row["of"]))
    above = {"y": y - _BAR_PX / 2 - 10}
    drawn = [
        {"kind": "zero", "x": 0, "y": y - _BAR_PX / 2 - 3, "y2": y + _BAR_PX / 2 + 3},
        base | above | {"kind": "name", "x": ends[0], "label": row["label"]},
        base | above | {"kind": "size", "x": ends[1], "label": number},
    ]
    sides = (("over", row["over_usd"], 1), ("under", row["under_usd"], -1))
    told = [(kind, usd, way) for kind, usd, way in sides if usd]
    for kind, usd, way in told:
        x, x2 = sorted((0.0, way * usd))
        drawn.append(base | {"kind": kind, "x": x, "x2": x2})
        drawn.append(base | {"kind": "end", "x": way * usd, "way": way, "label": money(usd)})
    if row["found"] is None and not told:
        return [*drawn, base | {"kind": "withheld", "x": 0}]
    if not told:
        drawn.append(base | {"kind": "none", "x": 0, "way": 1, "label": _no_bar(row)})
    return drawn


@cache
def bars_template() -> dict:
    """The chart with neither data nor words."""
    over = of("over").mark_bar(height=_BAR_PX, fill=VERMILLION, stroke=VERMILLION, strokeWidth=2)
    under = of("under").mark_bar(height=_BAR_PX, fill="#ffffff", stroke=BLUE, strokeWidth=2)
    zero = of("zero").mark_rule(stroke=INK, strokeWidth=1.5).encode(y2="y2")
    side = {"align": "left", "baseline": "middle"}
    sign = of("key").mark_text(dx=alt.ExprRef("datum.px"), fontSize=16, **side)
    words = of("key").mark_text(dx=alt.ExprRef("datum.px + 17"), fontSize=12, **side)
    end = {
        "align": alt.ExprRef("datum.way > 0 ? 'left' : 'right'"),
        "baseline": "middle",
        "dx": alt.ExprRef("7 * datum.way"),
    }
    star = of("withheld").mark_text(text=STAR, fontSize=15, color=INK, dx=9, baseline="middle")
    chart = alt.layer(
        sign.encode(text="sign:N", color=alt.Color("ink:N", scale=None)),
        words.encode(text="label:N"),
        zero,
        over.encode(x2="x2", tooltip=TIP),
        under.encode(x2="x2", tooltip=TIP),
        of("name").mark_text(**side, color=INK).encode(text="label:N"),
        of("size")
        .mark_text(align="right", baseline="middle", color=QUIET, fontSize=12)
        .encode(text="label:N"),
        *haloed(of("end"), **end, fontWeight=600),
        *haloed(of("none"), **end, color=QUIET, fontSize=12),
        star.encode(tooltip=TIP),
    ).encode(x=scale_x("Billed less supported by the chart [USD]", grid=False), y=lanes_y())
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
