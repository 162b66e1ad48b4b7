"""The panels of an audit over time: rates with their band, and beneath them dollars."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from math import ceil

import altair as alt

from subq_toolkit.charts.audit_words import interval_told, noun_of, rate_told
from subq_toolkit.charts.layers import MOST_TICKS, TIP, haloed, lanes_y, of, scale_x
from subq_toolkit.charts.look import BLUE, GREEN, INK, QUIET, VERMILLION, template
from subq_toolkit.charts.money_words import cents, money
from subq_toolkit.charts.withheld import stars
from subq_toolkit.charts.wording import count, text_px

_WIDTH_PX, _PLOT_PX, _LEFT_PX, _RIGHT_PX = 460, 440, 56, 52
_RATE_TOP, _RATE_PX, _USD_TOP, _USD_PX = 30, 150, 232, 100
HEIGHT_PX = _USD_TOP + _USD_PX + 8
_TICK_PX, _MOST_BAR_PX, _LEAST_DAYS = 76, 14, 180
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)
#: The day from which a browser counts, as ``date.toordinal`` does.
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class View:
    """Ends of the axis of days, what a pixel is of it, and the tops of both panels."""

    left: float
    right: float
    per_px: float
    ticks: list[int]
    rate_top: float
    rate_step: float
    over_top: float
    under_top: float
    priced: bool

    def rate_y(self, rate: float) -> float:
        """Where a rate stands. [px]"""
        return _RATE_TOP + _RATE_PX * (1 - rate / self.rate_top)

    def usd_y(self, usd: float) -> float:
        """Where an amount stands, over above zero and under below. [px]"""
        return _USD_TOP + _USD_PX * (self.over_top - usd) / (self.over_top + self.under_top)


def name_of(day: date) -> str:
    """A month in words: Mar 2026."""
    return f"{day:%b %Y}"


def view_of(months: list[dict]) -> View:
    """What both panels show of these months."""
    first, last = (months[at]["month"].toordinal() for at in (0, -1))
    span = max(last - first, _LEAST_DAYS)
    per_px = span / (_PLOT_PX - _LEFT_PX - _RIGHT_PX - 20)
    beside = (span - (last - first)) / 2
    most = max(int((last - first) / per_px / _TICK_PX), 1)
    days = [row["month"].toordinal() for row in months]
    top = max((row["rate_high"] or 0.0 for row in months), default=0.0) or 0.01
    step = next((one for one in _STEPS if top / one <= 4), _STEPS[-1])
    over, under = (max(row[name] or 0.0 for row in months) for name in ("over_usd", "under_usd"))
    priced = over + under > 0
    return View(
        first - beside - (_LEFT_PX + 10) * per_px,
        last + beside + (_RIGHT_PX + 10) * per_px,
        per_px,
        days[:: max(-(-(len(days) - 1) // most), 1)],
        min(ceil(top / step - 1e-9) * step, 1.0),
        step,
        over if priced else 1.0,
        under,
        priced,
    )


def panel_marks(view: View, mean: float | None, title: str) -> list[dict]:
    """What both panels have without months: titles, grid lines with numbers, the rate of all."""
    x, x2 = view.left + _LEFT_PX * view.per_px, view.right - _RIGHT_PX * view.per_px
    drawn = [
        {"kind": "head", "x": view.left, "y": _RATE_TOP - 18, "label": title},
        {"kind": "head", "x": view.left, "y": _USD_TOP - 26, "label": "Over and under [USD]"},
        {"kind": "zero", "x": x, "x2": x2, "y": view.usd_y(0)},
        {"kind": "level", "x": x, "y": view.usd_y(0), "label": "$0"},
    ]
    for at in range(round(view.rate_top / view.rate_step) + 1):
        rate = at * view.rate_step
        place = {"x": x, "y": view.rate_y(rate), "label": f"{100 * rate:.4g}"}
        drawn += [place | {"kind": "grid", "x2": x2}, place | {"kind": "level"}]
    for usd in (view.over_top, -view.under_top):
        place = {"x": x, "y": view.usd_y(usd), "label": money(abs(usd))}
        if view.priced and abs(place["y"] - view.usd_y(0)) >= 12:
            drawn += [place | {"kind": "grid", "x2": x2}, place | {"kind": "level"}]
    signs = ((150, "■", VERMILLION, "over"), (210, "□", BLUE, "under"))
    for px, sign, ink, word in signs:
        at = {"kind": "key", "x": view.left, "y": _USD_TOP - 26, "label": word}
        drawn.append(at | {"px": px, "sign": sign, "ink": ink})
    if mean is None:
        return drawn
    line = {"x": x, "x2": x2, "y": view.rate_y(min(mean, view.rate_top))}
    return [*drawn, line | {"kind": "mean", "label": rate_told(mean)}]


def month_told(row: dict) -> str:
    """A month in words."""
    name = name_of(row["month"])
    if row["judged"] is None:
        return f"{name}: withheld"
    if not row["judged"]:
        return f"{name}: none judged"
    judged = f"judged {noun_of(row['of'])}"
    told = f"{name}: {count(row['judged'], judged)}"
    if row["errors"] is None:
        return f"{told}, errors withheld"
    told += f", {row['errors']:,} with an error, {rate_told(row['rate'])}"
    told += f" ({interval_told(row, row['confidence'])})"
    told += f", wholly {row['apart']} all" if row["apart"] else ""
    told += ", incomplete month" if row["incomplete"] else ""
    if row["over_usd"] is None:
        return f"{told}, {'no price known' if row['priced'] == 0 else 'dollars withheld'}"
    return f"{told}, {cents(row['over_usd'])} over, {cents(row['under_usd'])} under"


def month_marks(months: list[dict], view: View) -> list[dict]:
    """The rate of each month with its band, and its dollars over and under."""
    half = min(_MOST_BAR_PX / 2, 0.35 * 30 / view.per_px) * view.per_px
    drawn, run = [], 0
    rates = [None, *(row["rate"] for row in months), None]
    for row, before, after in zip(months, rates, rates[2:], strict=False):
        x, tip = row["month"].toordinal(), month_told(row)
        run += before is None
        place = {"x": x, "tip": tip, "run": run}
        if row["rate"] is not None:
            low, high = (view.rate_y(row[name]) for name in ("rate_low", "rate_high"))
            drawn.append(place | {"kind": "band", "y": low, "y2": high})
            alone = before is None and after is None
            drawn += [place | {"kind": "span", "y": low, "y2": high}] * alone
            middle = place | {"y": view.rate_y(row["rate"])}
            drawn.append(middle | {"kind": "line"})
            hollow = "incomplete" if row["incomplete"] else "plain"
            drawn.append(middle | {"kind": row["apart"] or hollow})
        elif row["judged"] != 0:
            drawn.append(place | {"kind": "withheld", "y": _RATE_TOP + _RATE_PX - 7})
        drawn += _money_marks(row, place, view, half)
    return drawn + _names(months, view)


def _money_marks(row: dict, place: dict, view: View, half: float) -> list[dict]:
    if row["over_usd"] is None:
        y = view.usd_y(0) - 8
        if row["priced"] == 0:
            return [place | {"kind": "unknown", "y": y, "label": "?"}]
        return [place | {"kind": "withheld", "y": y}]
    x, zero, ends = place["x"], view.usd_y(0), place | {"x": place["x"] - half}
    sides = {"over": row["over_usd"], "under": -row["under_usd"]}
    return [
        ends | {"kind": kind, "x2": x + half, "y": zero, "y2": view.usd_y(usd)}
        for kind, usd in sides.items()
        if usd
    ]


def _names(months: list[dict], view: View) -> list[dict]:
    """The names of months that lie apart, the surest first, where they have room."""
    drawn: list[dict] = []
    apart = [row for row in months if row["apart"] and row["rate"] is not None]
    for row in sorted(apart, key=lambda row: row["rate_high"] - row["rate_low"]):
        way, label = (-1 if row["apart"] == "above" else 1), name_of(row["month"])
        half = text_px(label) / 2 * view.per_px
        x = row["month"].toordinal()
        x = min(max(x, view.left + _LEFT_PX * view.per_px + half), view.right - half)
        y = view.rate_y(row["rate"]) + 14 * way
        near = (abs(x - one["x"]) < 2.2 * half and abs(y - one["y"]) < 16 for one in drawn)
        if not any(near) and len(drawn) < 4:
            drawn.append({"kind": "name", "x": x, "y": y, "label": label})
    return drawn


@cache
def months_template() -> dict:
    """The chart with neither data nor words."""
    band = of("band").mark_area(fill=BLUE, opacity=0.16, line=False).encode(y2="y2", detail="run:N")
    span = of("span").mark_rule(stroke=BLUE, opacity=0.35, strokeWidth=5).encode(y2="y2")
    line = of("line").mark_line(stroke=BLUE, strokeWidth=1.5).encode(detail="run:N")
    grid = of("grid").mark_rule(stroke="#eaeef2").encode(x2="x2")
    zero = of("zero").mark_rule(stroke=QUIET).encode(x2="x2")
    mean = of("mean").mark_rule(stroke=INK, strokeWidth=1.2, strokeDash=[4, 3]).encode(x2="x2")
    over = of("over").mark_rect(fill=VERMILLION, stroke=VERMILLION, strokeWidth=1)
    under = of("under").mark_rect(fill="#ffffff", stroke=BLUE, strokeWidth=1.5)
    shapes = {
        "plain": {"shape": "circle", "fill": BLUE, "stroke": "#ffffff", "size": 50},
        "incomplete": {"shape": "circle", "fill": "#ffffff", "stroke": BLUE, "size": 50},
        "above": {"shape": "diamond", "fill": VERMILLION, "stroke": "#ffffff", "size": 110},
        "below": {"shape": "triangle-down", "fill": GREEN, "stroke": "#ffffff", "size": 90},
    }
    points = [
        of(kind).mark_point(**look, strokeWidth=1.2, opacity=1).encode(tooltip=TIP)
        for kind, look in shapes.items()
    ]
    left = {"align": "left", "baseline": "middle"}
    sign = of("key").mark_text(dx=alt.ExprRef("datum.px"), fontSize=15, **left)
    words = of("key").mark_text(dx=alt.ExprRef("datum.px + 16"), **left, fontSize=12)
    level = of("level").mark_text(align="right", baseline="middle", dx=-5, fontSize=12, color=INK)
    unknown = of("unknown").mark_text(baseline="middle", color=INK, fontWeight=600)
    end = {"align": "left", "baseline": "middle", "dx": 5, "fontSize": 12}
    means = [
        of("mean").mark_text(text="all", dy=-7, color=QUIET, **end).encode(x="x2:Q"),
        of("mean").mark_text(dy=7, color=INK, **end).encode(x="x2:Q", text="label:N"),
    ]
    chart = alt.layer(
        grid,
        zero,
        band,
        span,
        mean,
        line,
        over.encode(x2="x2", y2="y2", tooltip=TIP),
        under.encode(x2="x2", y2="y2", tooltip=TIP),
        *points,
        of("head").mark_text(**left, color=QUIET).encode(text="label:N"),
        sign.encode(text="sign:N", color=alt.Color("ink:N", scale=None)),
        words.encode(text="label:N"),
        level.encode(text="label:N"),
        unknown.encode(text="label:N", tooltip=TIP),
        *means,
        *haloed(of("name"), baseline="middle", fontSize=12, fontWeight=600),
        stars(),
    ).encode(
        x=scale_x(
            "Month of service",
            grid=False,
            tickCount=MOST_TICKS,
            labelExpr=f"utcFormat((datum.value - {_EPOCH}) * 86400000, '%b %Y')",
        ),
        y=lanes_y(),
    )
    return template(chart, width_px=_WIDTH_PX, height_px=HEIGHT_PX)
