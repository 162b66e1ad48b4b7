"""Marks and axes that charts of money have in common."""

from math import floor, log10

import altair as alt

from subq_toolkit.charts.look import INK

#: What a mark says when it is pointed at.
TIP = alt.Tooltip("tip:N", title=" ")
_TICKS = {"tickCount": 5, "labelOverlap": "parity", "labelSeparation": 8}
#: Of ticks that are stated only so many are drawn.
MOST_TICKS = 20
_BASE = alt.Chart(alt.Data(values=[]))


def of(*kinds: str) -> alt.Chart:
    """The rows of these kinds, for a mark."""
    test = " || ".join(f"datum.kind == '{kind}'" for kind in kinds)
    return _BASE.transform_filter(test)


def haloed(rows: alt.Chart, *, label: str = "label", **look: object) -> list[alt.Chart]:
    """A text that stays readable on lines and bars: with a white rim beneath it."""
    inks = {"color": look.pop("color", INK)}
    rims = ({"stroke": "#ffffff", "strokeWidth": 4, "strokeJoin": "round"}, inks)
    return [rows.mark_text(**(look | rim)).encode(text=f"{label}:N") for rim in rims]


def scale_x(title: str, **axis: object) -> alt.X:
    """The horizontal axis, for the field ``x``; its ends are filled in."""
    scale = alt.Scale(domain=[0, 1], nice=False)
    return alt.X("x:Q", scale=scale, axis=alt.Axis(title=title, **(_TICKS | axis)))


def scale_y(title: str, **axis: object) -> alt.Y:
    """The vertical axis, for the field ``y``; its ends are filled in."""
    scale = alt.Scale(domain=[0, 1], nice=False)
    return alt.Y("y:Q", scale=scale, axis=alt.Axis(title=title, **({"tickCount": 5} | axis)))


def whole_ticks(top: float, *, about: int) -> list[int]:
    """Whole numbers from zero to ``top`` that are round, and about as many as asked for."""
    aim = max(top / about, 1)
    power = 10 ** floor(log10(aim))
    step = min((one * power for one in (1, 2, 5, 10)), key=lambda one: abs(one - aim))
    return list(range(0, int(top) + 1, int(step)))


def lanes_y(title: str | None = None) -> alt.Y:
    """Rows beneath each other: the field ``y`` is in pixels from the top."""
    axis = alt.Axis(title=title, labels=False, ticks=False, grid=False, domain=False)
    return alt.Y("y:Q", scale=alt.Scale(domain=[1, 0], nice=False), axis=axis)
