"""How scenarios are drawn beside each other: codes with their colours, and the marks."""

from functools import cache

import altair as alt

from subq_toolkit.charts.layers import TIP, haloed, lanes_y, of, scale_x
from subq_toolkit.charts.look import BLUE, GREEN, INK, PURPLE, QUIET, VERMILLION, template
from subq_toolkit.charts.money_words import plain
from subq_toolkit.charts.wording import shortened, text_px

WIDTH_PX, PLOT_PX, BAR_PX, KEY_PX = 460, 425, 28, 20
_HEIGHT_PX, _NAME_PX, _SWATCH_PX, _GAP_PX = 260, 250, 13, 6
#: Colour of each role, of a label upon it, and its words; the last for any other line.
_ROLES = {
    "first_hour": (BLUE, "#ffffff", "first hour"),
    "further_hour": (GREEN, INK, "further hours"),
    "further_setup": (PURPLE, INK, "set-ups"),
    "short_infusion": (VERMILLION, INK, "short"),
    None: (QUIET, "#ffffff", ""),
}


def inks(role: str | None) -> dict[str, str]:
    """Colours of a bar and of the label upon it."""
    ink, upon, _ = _ROLES.get(role, _ROLES[None])
    return {"ink": ink, "upon": upon}


def key_rows(codes: list[dict]) -> list[dict]:
    """A swatch and words for each code, in rows that fit."""
    parts, px, line = [], 0.0, 0
    for code, role in dict.fromkeys((row["code"], row["role"]) for row in codes):
        words = _ROLES.get(role, _ROLES[None])[2]
        label = shortened(f"{plain(code)} {words}".strip(), width_px=_NAME_PX)
        wide = _SWATCH_PX + text_px(label, font_px=12) + _GAP_PX
        if px and px + wide > WIDTH_PX:
            px, line = 0.0, line + 1
        place = {"kind": "key", "y": 0, "px": px, "row": line}
        parts.append(place | inks(role) | {"label": label})
        px += wide
    return parts


@cache
def bars_template() -> dict:
    """The chart with neither data nor words."""
    ink = alt.Color("ink:N", scale=None)
    key = of("key")
    px = {"align": "left", "baseline": "middle", "fontSize": 12}
    row_px = f"datum.row * {KEY_PX} + {KEY_PX // 2}"
    swatch = key.mark_text(text="■", dx=alt.ExprRef("datum.px"), dy=alt.ExprRef(row_px), **px)
    words = key.mark_text(
        dx=alt.ExprRef(f"datum.px + {_SWATCH_PX}"), dy=alt.ExprRef(row_px), **px
    ).encode(text="label:N")
    bars = of("bar")
    bar = bars.mark_bar(height=BAR_PX, stroke="#ffffff", strokeWidth=1)
    inside = bars.transform_calculate(middle="(datum.x + datum.x2) / 2").mark_text(
        fontWeight=600, baseline="middle"
    )
    left = alt.value(0)
    end = {"align": "left", "baseline": "middle", "dx": 7}
    alone = alt.ExprRef("datum.alone ? 0 : -8")
    chart = alt.layer(
        swatch.encode(x=left, color=ink),
        words.encode(x=left),
        bar.encode(x2="x2", fill=alt.Fill("ink:N", scale=None), tooltip=TIP),
        inside.encode(x="middle:Q", text="label:N", color=alt.Color("upon:N", scale=None)),
        *(one.encode(x=left) for one in haloed(of("name"), align="left", baseline="bottom")),
        *(one.encode(tooltip=TIP) for one in haloed(of("end"), dy=alone, fontWeight=600, **end)),
        *haloed(of("end"), label="apart", dy=9, color=QUIET, **end),
    ).encode(x=scale_x("Expected payment [USD]"), y=lanes_y())
    return template(chart, width_px=WIDTH_PX, height_px=_HEIGHT_PX)
