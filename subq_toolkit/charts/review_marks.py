"""How the calendar of reviews is drawn: its axis of months, the bars, the day, and the marks."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from functools import cache

import altair as alt

from subq_toolkit.charts.layers import MOST_TICKS, TIP, haloed, of, scale_x, scale_y
from subq_toolkit.charts.look import BLUE, INK, VERMILLION, template
from subq_toolkit.charts.money_words import plain, tally
from subq_toolkit.charts.wording import text_px

_WIDTH_PX, _HEIGHT_PX, _PLOT_PX = 460, 260, 400
_LEAST_MONTHS, _GAP_PX = 6, 8
#: Height of the axis, and of the line of the day, over the highest bar.
TOP, _LINE = 1.45, 1.28
#: How a bar is drawn in the key: sign, colour, words.
_LOOKS = {
    "overdue": ("□", VERMILLION, "overdue"),
    "due": ("■", BLUE, "due"),
}
#: A month of the axis in words.
_MONTHS = "['Jan','Feb','Mar','Apr','May','Jun','Jul','Aug','Sep','Oct','Nov','Dec']"
_NAMED = f"{_MONTHS}[floor(datum.value) % 12] + ' ' + floor(datum.value / 12)"


def _month(day: date) -> int:
    """A month as a number on the axis."""
    return 12 * day.year + day.month - 1


def span(bars: list[dict], day: date | None) -> tuple[int, int]:
    """First and last month of the axis, a month of room on either side."""
    months = [_month(row["month"]) for row in bars] + ([_month(day)] if day else [])
    first, last = min(months) - 1, max(months) + 2
    return first, max(last, first + _LEAST_MONTHS)


def ticks(first: int, last: int) -> list[float]:
    """Months to be named: as many as have room, quarters and years before others."""
    room = (last - first) * 64 / _PLOT_PX
    step = next((one for one in (1, 2, 3, 6, 12, 24, 60, 120, 240) if one >= room), 600)
    return [month + 0.5 for month in range(first, last) if month % step == 0]


def by_month(bars: list[dict]) -> dict[date, int]:
    """How many of a month, overdue or not."""
    whole: dict[date, int] = {}
    for row in bars:
        whole[row["month"]] = whole.get(row["month"], 0) + row["numbers"]
    return whole


def tip(row: dict) -> str:
    """The bar of a month in words."""
    state = "overdue" if row["kind"] == "overdue" else "due"
    return f"{row['month']:%B %Y}: {row['numbers']:,} {state} ({plain(row['subjects'])})"


def marks(bars: list[dict], day: date | None, months: tuple[int, int]) -> Iterator[dict]:
    """All that is drawn of the bars of a calendar between two months of its axis."""
    stacked, top = by_month(bars), max(by_month(bars).values())
    px_per_month = _PLOT_PX / (months[1] - months[0])
    yield from _bars(bars, px_per_month)
    yield from _counts(stacked, px_per_month)
    if any(row["kind"] == "overdue" for row in bars):
        yield from _key(bars, months[0], top)
    if day:
        yield _day(day, months, top)


def _bars(bars: list[dict], px_per_month: float) -> Iterator[dict]:
    """A bar for each month, what is overdue beneath what is not."""
    floor: dict[date, int] = {}
    half = max(0.4, 2.5 / px_per_month)
    for row in bars:
        low, middle = floor.get(row["month"], 0), _month(row["month"]) + 0.5
        floor[row["month"]] = low + row["numbers"]
        place = {"x": middle - half, "x2": middle + half, "y": low, "y2": low + row["numbers"]}
        yield {"kind": row["kind"], "tip": tip(row)} | place


def _counts(months: dict[date, int], px_per_month: float) -> Iterator[dict]:
    """How many above each bar; of labels that would touch only the larger ones."""
    wide = max(text_px(tally(number)) for number in months.values()) + _GAP_PX
    placed: list[int] = []
    for month, number in sorted(months.items(), key=lambda one: (-one[1], one[0])):
        at = _month(month)
        if all(abs(at - other) * px_per_month >= wide for other in placed):
            placed.append(at)
            yield {"kind": "count", "x": at + 0.5, "y": number, "label": tally(number)}


def _key(bars: list[dict], first: int, top: int) -> Iterator[dict]:
    """What the looks of the bars mean."""
    px = 4.0
    for kind in (one for one in _LOOKS if any(row["kind"] == one for row in bars)):
        sign, ink, label = _LOOKS[kind]
        place = {"x": first, "y": (TOP - 0.07) * top, "px": px}
        yield {"kind": "key", "sign": sign, "ink": ink, "label": label} | place
        px += text_px(label) + 40


def _day(day: date, months: tuple[int, int], top: int) -> dict:
    """The day that was asked, as a line over all months."""
    x = _month(day) + (day.day - 1) / monthrange(day.year, day.month)[1]
    side = "left" if x < sum(months) / 2 else "right"
    return {"kind": "day", "x": x, "y": 0, "y2": _LINE * top, "label": str(day), "side": side}


@cache
def calendar_template() -> dict:
    """The chart with neither data nor words."""
    ends = {"x2": "x2:Q", "y2": "y2:Q"}
    due = of("due").mark_rect(fill=BLUE)
    overdue = of("overdue").mark_rect(fill="#ffffff", stroke=VERMILLION, strokeWidth=2)
    line = of("day").mark_rule(stroke=INK, strokeWidth=1.5, strokeDash=[5, 4])
    px = {"align": "left", "baseline": "middle"}
    sign = of("key").mark_text(dx=alt.ExprRef("datum.px"), fontSize=16, **px)
    words = of("key").mark_text(dx=alt.ExprRef("datum.px + 16"), **px)
    beside = {
        "align": alt.ExprRef("datum.side"),
        "dx": alt.ExprRef("datum.side == 'left' ? 6 : -6"),
        "baseline": "top",
        "fontWeight": 600,
    }
    chart = alt.layer(
        due.encode(tooltip=TIP, **ends),
        overdue.encode(tooltip=TIP, **ends),
        line.encode(y2="y2:Q"),
        *haloed(of("count"), baseline="bottom", dy=-4, fontWeight=600),
        *(text.encode(y="y2:Q") for text in haloed(of("day"), **beside)),
        sign.encode(text="sign:N", color=alt.Color("ink:N", scale=None)),
        words.encode(text="label:N"),
    ).encode(
        x=scale_x("Month in which the source is to be read again", grid=False, labelExpr=_NAMED),
        y=scale_y("Numbers due for review [1]", tickCount=MOST_TICKS),
    )
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
