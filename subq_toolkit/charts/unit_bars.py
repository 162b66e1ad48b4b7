"""How groups are drawn beneath each other, each as a bar of units by code."""

from functools import cache

import altair as alt

from subq_toolkit.charts.layers import MOST_TICKS, TIP, haloed, lanes_y, of, scale_x
from subq_toolkit.charts.look import INK, QUIET, template
from subq_toolkit.charts.money_words import named, plain, tally
from subq_toolkit.charts.scenario_bars import KEY_PX, inks
from subq_toolkit.charts.withheld import STAR, stars
from subq_toolkit.charts.wording import amount, count, shortened, text_px
from subq_toolkit.utilization import CODES

NAME_PX, PLOT_PX, LANE_PX = 150, 446, 36
_WIDTH_PX, _HEIGHT_PX, _BAR_PX = 460, 260, 22


#: The codes of which every infused encounter has one: together they tell of neither.
_EITHER = tuple(code for code, role in CODES.items() if role in ("first_hour", "short_infusion"))
PAIR, PAIR_INKS = " or ".join(_EITHER), {"ink": "#b8bec6", "upon": INK}


def one_each(lane: list[dict]) -> bool:
    """Whether every encounter of a group has one unit of either of two codes, never of both."""
    either = [row for row in lane if row["code"] in _EITHER]
    once = all(row["units"] == row["with_units"] for row in either)
    return once and sum(row["units"] for row in either) == lane[0]["encounters"]


def pair_hidden(lane: list[dict]) -> bool:
    """Whether nothing is withheld of a group but which of two codes its encounters have."""
    gone = tuple(row["code"] for row in lane if row["mean_units"] is None)
    return gone == _EITHER and bool(lane[0]["encounters"]) and all(row["one_each"] for row in lane)


def segments(lane: list[dict]) -> list[dict] | None:
    """The parts of a group's bar; None where one of them is not known."""
    if pair_hidden(lane):
        either = lane[0] | {"code": PAIR, "mean_units": 1.0, "units": lane[0]["encounters"]}
        return [either, *(row for row in lane if row["code"] not in _EITHER)]
    return None if any(row["mean_units"] is None for row in lane) else lane


def total_units(lane: list[dict]) -> float | None:
    """Units of all codes for each encounter; None where they are not known."""
    known = segments(lane)
    return None if known is None else sum(row["mean_units"] for row in known)


def hidden(lane: list[dict]) -> bool:
    """Whether a number of a group was withheld; where nothing is coded, there is none."""
    return any(row["encounters"] is None or row["fewest"] is None for row in lane)


def group_name(lane: list[dict]) -> str:
    """What a group is called in a sentence."""
    if lane[0]["kind"] == "others":
        return count(lane[0]["groups"], "other group")
    return "not stated" if lane[0]["group"] is None else named(lane[0]["group"])


def _tip(row: dict) -> str:
    """A code of a group in words."""
    if row["mean_units"] is None:
        return f"{row['code']} withheld"
    return f"{row['code']} {amount(row['mean_units'], digits=3)} ({tally(row['units'])} units)"


def lane_told(lane: list[dict]) -> str:
    """A group in words, code by code."""
    first = lane[0]
    if first["encounters"] is None:
        return f"{group_name(lane)}: withheld"
    if not first["encounters"]:
        return f"{group_name(lane)}: nothing coded"
    codes = ", ".join(map(_tip, segments(lane) or lane))
    return f"{group_name(lane)}: {codes}, {count(first['encounters'], 'encounter')}"


def lane_marks(lane: list[dict], head: float, at: int, left: float, end: float) -> list[dict]:
    """One group: its name and number of encounters, a bar of codes, and what they come to."""
    first, tip = lane[0], lane_told(lane)
    base = {"y": head + LANE_PX * (at + 0.5), "tip": tip}
    told = group_name(lane) if first["kind"] == "others" or first["group"] is None else plain(
        first["group"]
    )  # fmt: skip
    n = first["encounters"]
    size = STAR if n is None else count(n, "encounter")
    name = {"kind": "name", "x": left, "size": size}
    marks = [base | name | {"label": shortened(told, width_px=NAME_PX - 10)}]
    x, px = 0.0, (PLOT_PX - NAME_PX) / end
    for row in segments(lane) or ():
        mean = row["mean_units"]
        if not mean:
            continue
        label = f"{mean:.2f}"
        pair = row["code"] == PAIR
        fits = not pair and text_px(label, font_px=12) + 6 < mean * px
        bar = {"kind": "bar", "x": x, "x2": x + mean, "label": label if fits else ""}
        look = PAIR_INKS if pair else inks(CODES.get(row["code"]))
        marks.append(base | bar | look | {"tip": _tip(row)})
        marks += [base | {"kind": "withheld", "x": x + mean / 2, "tip": _tip(row)}] * pair
        x += mean
    if hidden(lane) and not x:
        marks.append(base | {"kind": "withheld", "x": 9 / px})
    else:
        marks.append(base | {"kind": "total", "x": x, "label": f"{x:.2f}" if n else "none coded"})
    return marks


@cache
def bars_template() -> dict:
    """The chart with neither data nor words."""
    ink, left = alt.Color("ink:N", scale=None), alt.value(0)
    key, px = of("key"), {"align": "left", "baseline": "middle", "fontSize": 12}
    row_px = alt.ExprRef(f"datum.row * {KEY_PX} + {KEY_PX // 2}")
    swatch = key.mark_text(text="■", dx=alt.ExprRef("datum.px"), dy=row_px, **px)
    words = key.mark_text(dx=alt.ExprRef("datum.px + 13"), dy=row_px, **px)
    side = {"align": "left", "baseline": "middle"}
    bars, name = of("bar"), of("name")
    bar = bars.mark_bar(height=_BAR_PX, stroke="#ffffff", strokeWidth=1)
    inside = bars.transform_calculate(middle="(datum.x + datum.x2) / 2").mark_text(
        fontSize=12, baseline="middle"
    )
    mean = of("mean").mark_rule(stroke=INK, strokeWidth=1.5, strokeDash=[4, 3])
    chart = alt.layer(
        swatch.encode(x=left, color=ink),
        words.encode(x=left, text="label:N"),
        mean.encode(y2="y2"),
        bar.encode(x2="x2", fill=alt.Fill("ink:N", scale=None), tooltip=TIP),
        inside.encode(x="middle:Q", text="label:N", color=alt.Color("upon:N", scale=None)),
        name.mark_text(**side, dy=-7, color=INK).encode(text="label:N", tooltip=TIP),
        name.mark_text(**side, dy=8, color=QUIET, fontSize=11).encode(text="size:N"),
        *haloed(of("mean"), align="center", baseline="bottom", dy=-2, fontSize=12, color=QUIET),
        *haloed(of("total"), **side, dx=6, fontWeight=600),
        stars(),
    ).encode(
        x=scale_x("Units per coded encounter [1]", grid=False, format="~g", tickCount=MOST_TICKS),
        y=lanes_y(),
    )
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
