"""Error rates with their intervals, one group of an audit beneath the other."""

from functools import cache
from math import ceil

import altair as alt

from subq_toolkit.audit.audited_tables import NOT_STATED
from subq_toolkit.charts.audit_words import interval_told, net_told, noun_of, rate_told
from subq_toolkit.charts.layers import MOST_TICKS, TIP, haloed, lanes_y, of, scale_x
from subq_toolkit.charts.look import BLUE, GREEN, INK, QUIET, VERMILLION, template
from subq_toolkit.charts.money_words import plain, signed
from subq_toolkit.charts.withheld import STAR
from subq_toolkit.charts.wording import count, shortened

LANE_PX, HEAD_PX = 36, 30
_WIDTH_PX, _HEIGHT_PX, _PLOT_PX = 460, 260, 440
_NAME_PX, _MONEY_PX = 160, 76
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)


def view(lanes: list[dict]) -> tuple[float, float, list[float]]:
    """Ends of the axis, with room for names and dollars on either side, and its ticks."""
    top = max([row["rate_high"] or 0.0 for row in lanes], default=0.0) or 0.01
    step = next((one for one in _STEPS if top / one <= 4), _STEPS[-1])
    top = min(ceil(top / step - 1e-9) * step, 1.0)
    per_px = top / (_PLOT_PX - _NAME_PX - _MONEY_PX)
    ticks = [round(step * at, 6) for at in range(int(top / step + 1e-9) + 1)]
    return -_NAME_PX * per_px, top + _MONEY_PX * per_px, ticks


def group_name(row: dict) -> str:
    """What a group is called."""
    if row["kind"] == "others":
        return count(row["groups"], "other group")
    return plain(row["group"] or NOT_STATED)


def group_told(row: dict) -> str:
    """A group in words."""
    name = group_name(row)
    if row["judged"] is None:
        return f"{name}: withheld"
    if not row["judged"]:
        return f"{name}: none judged"
    n = count(row["judged"], f"judged {noun_of(row['of'])}")
    if row["errors"] is None:
        return f"{name}: {n}, errors withheld"
    told = f"{name}: {row['errors']:,} of {n} with an error, {rate_told(row['rate'])}"
    told += f" ({interval_told(row, row['confidence'])})"
    side = f", wholly {row['apart']} all" if row["apart"] else ""
    unknown = row["net_usd"] is None and (row["priced"] is None or row["priced"] > 0)
    net = "dollars withheld" if unknown else net_told(row["net_usd"])
    return f"{told}{side}, {net}"


def _sub(row: dict) -> str:
    """What stands beneath the name of a group."""
    if row["judged"] is None:
        return STAR
    if not row["judged"]:
        return "none judged"
    if row["errors"] is None:
        return f"{STAR} of {row['judged']:,}"
    return f"{row['errors']:,} of {row['judged']:,} ({rate_told(row['rate'])})"


def _net(row: dict) -> str:
    if not row["judged"]:
        return ""
    if row["net_usd"] is not None:
        return signed(row["net_usd"]) if row["errors"] else "no error"
    return "no price" if row["priced"] == 0 else STAR


def lane_marks(row: dict, at: int, ends: tuple[float, float]) -> list[dict]:
    """One group: name and counts, its rate with the interval, and its net dollars."""
    base = {"y": HEAD_PX + LANE_PX * (at + 0.5), "tip": group_told(row)}
    name = shortened(group_name(row), width_px=_NAME_PX - 14)
    drawn = [
        base | {"kind": "name", "x": ends[0], "label": name, "sub": _sub(row)},
        base | {"kind": "net", "x": ends[1], "label": _net(row), "sub": row["apart"] or ""},
    ]
    if row["rate"] is None:
        return [*drawn, base | {"kind": "withheld", "x": 0}] if row["judged"] != 0 else drawn
    drawn.append(base | {"kind": "span", "x": row["rate_low"], "x2": row["rate_high"]})
    return [*drawn, base | {"kind": row["apart"] or "plain", "x": row["rate"]}]


def mean_marks(total: dict, height: float, right: float) -> list[dict]:
    """The rate of all as a line from top to bottom, and what the right column is."""
    head = {"kind": "head", "x": right, "y": HEAD_PX / 2 - 2, "label": "net [USD]"}
    if total["rate"] is None:
        return [head]
    rule = {"kind": "mean", "x": total["rate"], "y": HEAD_PX - 6, "y2": height}
    return [head, rule | {"label": f"all {rate_told(total['rate'])}"}]


@cache
def lanes_template() -> dict:
    """The chart with neither data nor words."""
    left = {"align": "left", "baseline": "middle"}
    right = {"align": "right", "baseline": "middle"}
    name, net = of("name"), of("net")
    mean = of("mean").mark_rule(stroke=INK, strokeWidth=1.2, strokeDash=[4, 3]).encode(y2="y2")
    span = of("span").mark_rule(stroke=QUIET, strokeWidth=2).encode(x2="x2", tooltip=TIP)
    caps = [
        of("span").mark_tick(orient="vertical", size=9, thickness=2, color=QUIET).encode(x=end)
        for end in ("x:Q", "x2:Q")
    ]
    shapes = {
        "plain": {"shape": "circle", "fill": BLUE, "size": 60},
        "above": {"shape": "diamond", "fill": VERMILLION, "size": 95},
        "below": {"shape": "triangle-down", "fill": GREEN, "size": 75},
    }
    points = [
        of(kind).mark_point(**look, stroke="#ffffff", strokeWidth=1, opacity=1).encode(tooltip=TIP)
        for kind, look in shapes.items()
    ]
    star = of("withheld").mark_text(text=STAR, fontSize=15, color=INK, dx=9, baseline="middle")
    chart = alt.layer(
        mean,
        span,
        *caps,
        *points,
        name.mark_text(**left, dy=-7, color=INK).encode(text="label:N", tooltip=TIP),
        name.mark_text(**left, dy=8, color=QUIET, fontSize=11).encode(text="sub:N"),
        net.mark_text(**right, dy=-7, color=INK, fontWeight=600).encode(text="label:N"),
        net.mark_text(**right, dy=8, color=QUIET, fontSize=11).encode(text="sub:N"),
        of("head").mark_text(**right, color=QUIET, fontSize=12).encode(text="label:N"),
        *haloed(of("mean"), align="center", baseline="bottom", dy=-3, fontSize=12, color=QUIET),
        star.encode(tooltip=TIP),
    ).encode(
        x=scale_x(
            "Judged encounters with an error [%]",
            grid=False,
            tickCount=MOST_TICKS,
            labelExpr="format(datum.value * 100, '.4~f')",
        ),
        y=lanes_y(),
    )
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
