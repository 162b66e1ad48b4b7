"""How rates over the years are drawn: one panel for each code, a line for each setting."""

from datetime import date, timedelta
from functools import cache

import altair as alt

from subq_toolkit.charts.layers import TIP, haloed, lanes_y, of, scale_x
from subq_toolkit.charts.look import BLUE, RULE, VERMILLION, template
from subq_toolkit.charts.money_words import fee, plain
from subq_toolkit.charts.wording import text_px

PLOT_PX, NAME_PX, BAND_PX, GAP_PX = 415, 22, 72, 16
_WIDTH_PX, _HEIGHT_PX, _LABEL_PX = 460, 330, 16
#: Colour and dashes of the line of each setting.
LINES = {"office": (BLUE, [1, 0]), "outpatient": (VERMILLION, [5, 3])}


def _year(day: date) -> float:
    """A day as a point on an axis of years."""
    begin = date(day.year, 1, 1)
    return day.year + (day - begin).days / (date(day.year + 1, 1, 1) - begin).days


def paid(row: dict) -> str:
    """The amount of a row in words, and its status where that is not plain payment."""
    told = "no figure" if row["rate_usd"] is None else fee(row["rate_usd"])
    said = row["status"] in ("paid", "missing")
    return told if said else f"{told}, {row['status'].replace('_', ' ')}"


def _tip(row: dict) -> str:
    days = f"{row['start']} to {row['until']}"
    return f"{plain(row['code'])} {row['kind']}, {days}: {paid(row)}"


def panel_parts(
    panel: list[dict], ends: list[dict], top_px: float, years: tuple[int, int], px_per_year: float
) -> list[dict]:
    """One code: its name, both lines as steps, and labels at their ends."""
    floor_px = top_px + NAME_PX + BAND_PX
    most = max([row["rate_usd"] or 0.0 for row in panel]) or 1.0
    for row in panel:
        row["y"] = floor_px - (row["rate_usd"] or 0.0) / most * (BAND_PX - 14)
    name = f"{plain(panel[-1]['code'])} {panel[-1]['name']}"
    drawn = [
        {"kind": "floor", "x": years[0], "x2": years[1], "y": floor_px},
        {"kind": "name", "x": years[0], "y": top_px + 6, "label": name},
        *_steps(panel),
        *_first_labels(panel, floor_px, px_per_year),
    ]
    at = floor_px + _LABEL_PX
    for end in sorted(ends, key=lambda end: -end["row"]["y"]):
        at = min(end["row"]["y"], at - _LABEL_PX)
        drawn.append({"kind": "end", "x": years[1], "y": at, "label": end["label"]})
    return drawn


def _steps(panel: list[dict]) -> list[dict]:
    """A level stretch for each span, and what joins it to the one before."""
    drawn: list[dict] = []
    before: dict = {}
    for row in panel:
        if row["rate_usd"] is not None:
            x, x2 = _year(row["start"]), _year(row["until"] + timedelta(days=1))
            level = {"kind": row["kind"], "y": row["y"], "y2": row["y"], "tip": _tip(row)}
            drawn.append(level | {"x": x, "x2": x2})
            if before and before["kind"] == row["kind"] and before["rate_usd"] is not None:
                drawn.append(level | {"x": x, "x2": x, "y2": before["y"]})
        before = row
    return drawn


def _first_labels(panel: list[dict], floor_px: float, px_per_year: float) -> list[dict]:
    """The first amount of each line: of the upper one above it, of the lower one beneath it."""
    lines = [[row for row in panel if row["kind"] == kind and row["rate_usd"]] for kind in LINES]
    drawn = []
    for line in sorted(filter(None, lines), key=lambda line: line[0]["y"]):
        label, x = fee(line[0]["rate_usd"]), _year(line[0]["start"])
        until = x + (text_px(label, font_px=12) + 4) / px_per_year
        levels = [row["y"] for row in line if _year(row["start"]) < until]
        below = bool(drawn) and floor_px - max(levels) > _LABEL_PX
        place = {"x": x, "y": max(levels) if below else min(levels)}
        drawn.append(
            {"kind": "first", "label": label, "side": "top" if below else "bottom"} | place
        )
    return drawn


@cache
def panels_template() -> dict:
    """The chart with neither data nor words."""
    floor = of("floor").mark_rule(stroke=RULE, strokeWidth=1)
    steps = [
        of(kind).mark_rule(stroke=ink, strokeWidth=2.5, strokeDash=dash).encode(
            x2="x2", y2="y2", tooltip=TIP
        )
        for kind, (ink, dash) in LINES.items()
    ]  # fmt: skip
    first = {"align": "left", "baseline": alt.ExprRef("datum.side"), "fontSize": 12}
    offset = alt.ExprRef("datum.side == 'top' ? 4 : -3")
    chart = alt.layer(
        floor.encode(x2="x2"),
        *steps,
        *haloed(of("name"), align="left", baseline="middle", fontWeight=600),
        *haloed(of("first"), dx=2, dy=offset, **first),
        *haloed(of("end"), align="left", baseline="middle", dx=5),
    ).encode(
        x=scale_x("Year [1]", format="d", labelSeparation=2),
        y=lanes_y("National rate of one unit [USD]"),
    )
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
