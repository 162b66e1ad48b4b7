"""Marks of the chart of cumulative durations: lines, their names at the ends, steps of units."""

from functools import cache

import altair as alt

from subq_toolkit.charts.layers import MOST_TICKS, TIP, haloed, of, scale_x, scale_y
from subq_toolkit.charts.look import BLUE, GREEN, INK, PURPLE, QUIET, VERMILLION, template
from subq_toolkit.charts.withheld import stars
from subq_toolkit.charts.wording import count, shortened, text_px

#: Width of the plot itself, and height of the whole axis in shares.
PLOT_PX, TOP = 395, 1.12
_WIDTH_PX, _HEIGHT_PX, _NAME_PX = 460, 300, 128
_GAP_PX, _LABEL_PX, _LEADER_PX, _BEND_PX, _ALONE_PX = 6, 38, 44, 24, 14
_RULE_TOP, _UNITS = 1.03, 1.07
_LOOKS = (
    (BLUE, [1, 0]),
    (VERMILLION, [8, 3]),
    (GREEN, [2, 2]),
    (PURPLE, [10, 3, 2, 3]),
    (QUIET, [5, 5]),
)


#: Where the label of a median stands: beneath the curve, to its right.
_BESIDE = {"side": "left", "dx": 10, "dy": 9}


def pieces(steps: list[dict]) -> list[list[tuple[int, float]]]:
    """What is known of a curve: from the bottom up, and from the top down where steps are gone."""
    gone = [at for at, step in enumerate(steps) if step["share"] is None]
    level, points = 0.0, [(0, 0.0)]
    for step in steps[: gone[0]] if gone else steps:
        level += step["share"]
        points.append((step["minutes"], level))
    if not gone:
        return [points]
    points.append((steps[gone[0]]["from_min"], level))
    high = steps[gone[-1] + 1 :]
    level = 1 - sum(step["share"] for step in high)
    upper = [(steps[gone[-1]]["to_min"], level)]
    for step in high:
        level += step["share"]
        upper.append((step["minutes"], level))
    return [points, upper] if high else [points]


def room_px(labels: list[dict]) -> float:
    """How much room the names at the ends of lines take. [px]"""
    wide = max((text_px(one[part]) for one in labels for part in ("label", "told")), default=0)
    return wide + _LEADER_PX + 6 if labels else _ALONE_PX


def end_label(name: str, line: dict) -> dict:
    """What stands at the end of a line: its name, its median and n."""
    told = [] if line["median"] is None else [f"{line['median']:,} min"]
    told.append("n withheld" if line["n"] is None else f"n = {line['n']:,}")
    return {"label": shortened(name, width_px=_NAME_PX), "told": ", ".join(told)}


def curve_marks(line: dict, end: int, tip: str, *, alone: bool) -> list[dict]:
    """The pieces of a line up to the end of the axis, its median, and what is withheld."""
    drawn = []
    for at, points in enumerate(pieces(line["steps"])):
        shown = [point for point in points if point[0] <= end]
        whole = at > 0 or len(shown) < len(points) or line["n"] is not None
        shown += [(end, shown[-1][1])] if shown and whole else []
        look = {"kind": "curve", "line": line["line"], "piece": f"{line['line']}.{at}", "tip": tip}
        drawn += [look | {"x": x, "y": y} for x, y in shown]
    if line["median"] is not None and line["median"] <= end:
        place = {"x": line["median"], "y": 0.5, "tip": tip}
        drawn.append({"kind": "median", "line": line["line"]} | place)
        if alone:
            label = f"half within {line['median']:,} min"
            wide = text_px(label) + _BEND_PX
            left = wide > (max(end, 1) - line["median"]) * PLOT_PX / max(end, 1)
            side = {"side": "right", "dx": -10, "dy": -9} if left else _BESIDE
            drawn.append({"kind": "middle", "label": label} | side | place)
    gone = [step for step in line["steps"] if step["share"] is None and step["from_min"] <= end]
    if gone:
        middle = (gone[0]["from_min"] + min(gone[-1]["to_min"], end)) / 2
        drawn.append({"kind": "withheld", "x": middle, "y": 0.025, "tip": tip})
    return drawn


def end_marks(lines: list[dict], labels: list[dict], end: int, per_px: float) -> list[dict]:
    """The names of lines at their right, in their order from the top, led to from each end."""
    if not labels:
        return []
    per_y = TOP / _HEIGHT_PX
    places = []
    for line, label in zip(lines, labels, strict=True):
        known = [point for point in pieces(line["steps"])[-1] if point[0] <= end]
        whole = line["steps"][-1]["share"] is not None
        level = known[-1][1] if known and whole else None
        after = [*(x for x, _ in known[1:]), end]
        area = sum(y * (x2 - x) for (x, y), x2 in zip(known, after, strict=False))
        places.append((-(level or 0.0) // 0.03, -area, level, line, label))
    places.sort(key=lambda one: one[:2])
    drawn, least = [], _LABEL_PX * per_y
    at = TOP
    for below, (_, _, level, line, label) in zip(range(len(places))[::-1], places, strict=True):
        at = max(min(level or 0.0, at - least), (below + 0.5) * least)
        text = {"kind": "end", "x": end + _LEADER_PX * per_px, "y": at}
        drawn.append(text | label)
        if level is not None:
            bend = (end + _BEND_PX * per_px, at)
            led = {
                "leader": ((end, level), bend),
                "key": (bend, (end + (_LEADER_PX - 4) * per_px, at)),
            }
            drawn += [
                {"kind": kind, "line": line["line"], "x": x, "y": y}
                for kind, points in led.items()
                for x, y in points
            ]
    return drawn


def apart(steps: list[dict], per_px: float) -> list[dict]:
    """The steps whose labels have room beside each other."""
    kept: list[dict] = []
    for row in steps:
        wide = [text_px(f"{one['minutes']:,}") for one in (row, *kept[-1:])]
        if not kept or (row["minutes"] - kept[-1]["minutes"]) / per_px >= sum(wide) / 2 + _GAP_PX:
            kept.append(row)
    return kept


def step_marks(row: dict, *, labelled: bool) -> list[dict]:
    """A rule where units rise, and how many there are from it on."""
    tip = f"from {row['minutes']:,} min: {count(row['units'], 'timed unit')}"
    rule = {"kind": "step", "x": row["minutes"], "y": 0, "y2": _RULE_TOP, "tip": tip}
    units = {"kind": "units", "x": row["minutes"], "y": _UNITS, "label": str(row["units"])}
    return [rule, units] if labelled else [rule]


@cache
def curves_template() -> dict:
    """The specification of the chart without data."""
    lines = [str(at) for at in range(len(_LOOKS))]
    inks, dashes = map(list, zip(*_LOOKS, strict=True))
    stroke = alt.Stroke("line:N", scale=alt.Scale(domain=lines, range=inks), legend=None)
    dash = alt.StrokeDash("line:N", scale=alt.Scale(domain=lines, range=dashes), legend=None)
    curves = of("curve").mark_line(interpolate="step-after", strokeWidth=2.2, clip=True)
    leaders = of("leader").mark_line(stroke=QUIET, strokeWidth=0.8, strokeJoin="round")
    keys = of("key").mark_line(strokeWidth=2.2)
    dot = of("median").mark_point(shape="circle", size=70, fill="#ffffff", strokeWidth=2, opacity=1)
    rule = of("step").mark_rule(stroke=INK, strokeDash=[4, 3], strokeWidth=1, opacity=0.6)
    left = {"align": "left", "baseline": "middle"}
    places = {"align": "side", "dx": "dx", "dy": "dy"}
    places = {name: alt.ExprRef(f"datum.{field}") for name, field in places.items()}
    texts = [
        *haloed(of("end"), dy=-8, **left),
        *haloed(of("end"), label="told", dy=8, color=QUIET, **left),
        *haloed(of("middle"), baseline="middle", **places),
        of("units").mark_text(baseline="middle").encode(text="label:N"),
    ]
    chart = alt.layer(
        rule.encode(y2="y2", tooltip=TIP),
        curves.encode(stroke=stroke, strokeDash=dash, detail="piece:N", tooltip=TIP),
        leaders.encode(detail="line:N"),
        keys.encode(stroke=stroke, strokeDash=dash, detail="line:N"),
        dot.encode(stroke=stroke, tooltip=TIP),
        *texts,
        stars(),
    ).encode(
        x=scale_x("Counted minutes [min]", grid=False, tickCount=MOST_TICKS, labelOverlap=False),
        y=scale_y(
            "Infusions that last no longer [%]",
            values=[0, 0.25, 0.5, 0.75, 1],
            labelExpr="format(100 * datum.value, 'd')",
        ),
    )
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
