"""How break-even is drawn: the line, the fixed cost, what lies between them, and the points."""

from functools import cache

import altair as alt

from subq_toolkit.charts.layers import MOST_TICKS, TIP, haloed, of, scale_x, scale_y
from subq_toolkit.charts.look import BLUE, INK, QUIET, VERMILLION, template
from subq_toolkit.charts.money_words import cents, money, tally
from subq_toolkit.charts.wording import count, text_px

_WIDTH_PX, _HEIGHT_PX, _PLOT_PX = 460, 260, 375
BEYOND, _OWN_PX, _LOW_PX = 1.02, 110, 30
#: Share of the axis before the break-even from which on its areas have room for words.
_WORDS_FROM = 0.35


def marks(one: dict[str, dict]) -> list[dict]:
    """All that is drawn of a volume's table, whose rows are given by their kinds."""
    last, fixed = one["end"]["encounters"], one["each"]["fixed_usd"]
    level = {"kind": "zero", "x": 0, "x2": last * BEYOND, "y": 0}
    drawn = [level, *_line(one), *_areas(one), *_points(one)]
    if fixed:
        drawn.append(level | _fixed(fixed, _turn(one), last, _low(one)))
    return drawn


def _turn(one: dict[str, dict]) -> float | None:
    """Where the line meets the fixed cost, before it is rounded up. [encounters]"""
    fixed, margin = one["each"]["fixed_usd"], one["each"]["margin_usd"]
    return fixed / margin if "break even" in one and margin else None


def _low(one: dict[str, dict]) -> bool:
    """Whether the fixed cost lies so low that nothing can be written beneath it."""
    top = max(one["each"]["fixed_usd"], one["end"]["margin_usd"])
    return one["each"]["fixed_usd"] * _HEIGHT_PX < _LOW_PX * top


def _fixed(usd: float, turn: float | None, last: int, low: bool) -> dict:
    """The fixed cost, its label above it before the line, or else beneath it at the end."""
    label = f"fixed cost {money(usd)}"
    before = turn is None or turn / last * _PLOT_PX > text_px(label) + 20
    side = {"side": "left" if before else "right", "dx": 5 if before else -5}
    side |= {"dy": -13 if before or low else 13}
    place = {"y": usd, "at": 0 if before else last * BEYOND}
    return {"kind": "fixed", "label": label} | place | side


def _line(one: dict[str, dict]) -> list[dict]:
    return [
        {"kind": "line", "x": one[end]["encounters"], "y": one[end]["margin_usd"]}
        for end in ("start", "end")
    ]


def _areas(one: dict[str, dict]) -> list[dict]:
    """Between the line and the fixed cost: what is not covered, and what is left over."""
    fixed, end, turn = one["each"]["fixed_usd"], one["end"], _turn(one)
    last = end["encounters"], end["margin_usd"]
    at, level = last if turn is None else (turn, fixed)
    places = [("short", 0, 0.0), ("short", at, level)]
    if turn is not None:
        places += [("over", at, fixed), ("over", *last)]
    drawn: list[dict] = [{"kind": kind, "x": x, "y": y, "y2": fixed} for kind, x, y in places]
    if turn is None or not fixed or turn / last[0] < _WORDS_FROM:
        return drawn
    for label, x in (("not covered", turn / 4), ("left over", (turn + 3 * last[0]) / 4)):
        y = fixed + 0.4 * (one["each"]["margin_usd"] * x - fixed)
        drawn.append({"kind": "area", "label": label, "x": x, "y": y})
    return drawn


def _points(one: dict[str, dict]) -> list[dict]:
    """The break-even and our own volume, their labels where neither line nor other is."""
    own, last = one["own"], one["end"]["encounters"]
    at = one.get("break even", {"encounters": 0})["encounters"]
    drawn = []
    if at:
        label = f"break-even: {tally(at)}"
        point = _point("break even", one["break even"], label, ("left", 12, 2 if _low(one) else 13))
        drawn.append(point | {"x": _turn(one), "y": one["each"]["fixed_usd"]})
    own_px = own["encounters"] / last * _PLOT_PX
    if own_px <= _PLOT_PX:
        near = at and abs(own_px - at / last * _PLOT_PX) < _OWN_PX
        place = ("left", 14, 0) if own_px < _OWN_PX else ("right", -10, -28 if near else -13)
        place = ("right", -10, 14) if own["margin_usd"] < 0 else place
        drawn.append(_point("own", own, f"ours: {tally(own['encounters'])}", place))
    return drawn


def _point(kind: str, row: dict, label: str, place: tuple[str, int, int]) -> dict:
    n, usd = row["encounters"], row["margin_usd"]
    tip = f"{count(n, 'encounter')}: margin {cents(usd)}, fixed cost {cents(row['fixed_usd'])}"
    point = {"kind": kind, "x": n, "y": usd, "label": label, "tip": tip}
    return point | dict(zip(("side", "dx", "dy"), place, strict=True))


@cache
def break_even_template() -> dict:
    """The chart with neither data nor words."""
    areas = [
        of(kind).mark_area(color=ink, opacity=0.13).encode(y2="y2")
        for kind, ink in (("short", VERMILLION), ("over", BLUE))
    ]
    line = of("line").mark_line(stroke=BLUE, strokeWidth=2.5)
    zero = of("zero").mark_rule(stroke=QUIET, strokeWidth=1).encode(x2="x2")
    fixed = of("fixed").mark_rule(stroke=VERMILLION, strokeWidth=2, strokeDash=[6, 4])
    dots = [
        of(kind).mark_point(shape=shape, size=size, fill=ink, stroke="#ffffff", opacity=1)
        for kind, shape, size, ink in (
            ("break even", "circle", 130, INK),
            ("own", "diamond", 200, VERMILLION),
        )
    ]
    beside = {
        "align": alt.ExprRef("datum.side"),
        "baseline": "middle",
        "dx": alt.ExprRef("datum.dx"),
        "dy": alt.ExprRef("datum.dy"),
        "fontWeight": 600,
    }
    chart = alt.layer(
        *areas,
        zero,
        fixed.encode(x2="x2"),
        line,
        *(dot.encode(tooltip=TIP) for dot in dots),
        *(text.encode(x="at:Q") for text in haloed(of("fixed"), **beside)),
        *haloed(of("area"), baseline="middle", color=QUIET),
        *haloed(of("break even", "own"), **beside),
    ).encode(
        x=scale_x("Encounters [1]", grid=False, tickCount=MOST_TICKS),
        y=scale_y("Margin of all encounters [USD]"),
    )
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
