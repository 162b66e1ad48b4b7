"""A figure followed over time, with the limits of an XmR chart; table and specification."""

from datetime import date
from functools import cache

import altair as alt
import polars as pl

from subq_toolkit.charts.control_chart_words import (
    STATISTICS,
    Statistic,
    hidden,
    qualifier,
    spans,
    statistic_of,
    tip,
    title,
    told,
)
from subq_toolkit.charts.figure import CountedCells
from subq_toolkit.charts.layers import MOST_TICKS, TIP, haloed, of, scale_x, scale_y
from subq_toolkit.charts.look import BLUE, INK, QUIET, VERMILLION, chart_table, filled, template
from subq_toolkit.charts.money_words import caption_of, headed, nothing_yet
from subq_toolkit.charts.withheld import stars
from subq_toolkit.charts.wording import text_px
from subq_toolkit.errors import InputError

_WIDTH_PX, _HEIGHT_PX, _PLOT_PX = 460, 280, 395
_MOST_LABELS, _MOST_TICKS, _TICK_PX, _CROWDED = 6, 6, 76, 60
_LINE_PX, _BETWEEN_PX = 18, 6
#: The day from which a browser counts, as ``date.toordinal`` does.
_EPOCH = date(1970, 1, 1).toordinal()
_EVERY = ("month", "week")
#: Places to which limits of a share are told: exact ones would give the withheld shares away.
_SHARE_DIGITS = 3
#: Encounters of a period; and where a share of them is told, those with or without what it is of.
CELLS = (
    CountedCells("encounters", also=("value", "signal"), kinds=("period",)),
    CountedCells("fewest", also=("encounters", "value", "signal"), kinds=("period",)),
)
_ROWS = {
    "kind": pl.String,
    "statistic": pl.String,
    "every": pl.String,
    "period": pl.Date,
    "encounters": pl.Int64,
    "value": pl.Float64,
    "centre": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "signal": pl.String,
    "fewest": pl.Int64,
    "says": pl.String,
}


def control_chart_table(
    limits: pl.DataFrame | None,
    *,
    statistic: str = "median_min",
    every: str = "month",
    caption: str = "",
) -> pl.DataFrame:
    """What the control chart draws.

    Parameters
    ----------
    limits
        What ``control_limits`` returns.
    statistic
        As given to ``control_limits``: ``median_min``, ``mean_units`` or ``coded_share``.
    every
        ``month`` or ``week``, as given there.
    caption
        Where the numbers are from, e.g. what ``work_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``period``; ``about``: the caption), ``statistic, every``, ``period`` (first
        day), ``encounters`` [1], ``value, centre, low, high`` (of ``median_min`` [min], of the
        others [1]; limits of ``coded_share`` to a tenth of a percent), ``signal`` (``beyond`` a
        limit, ``run`` on one side of the centre, or null), ``fewest`` (of
        ``coded_share``: the smaller number of encounters coded and not coded; else null) [1],
        ``says``.

    Raises
    ------
    InputError
        If there is no such statistic, or ``every`` is neither month nor week.
    """
    for name, value, known in (("statistic", statistic, STATISTICS), ("every", every, _EVERY)):
        if value not in known:
            raise InputError(f"'{name}' is one of {', '.join(known)}, not {value!r}.")
    if limits is None or limits.is_empty():
        return pl.DataFrame(schema=_ROWS)
    same = {"statistic": statistic, "every": every}
    given = chart_table(limits).sort("period")
    if statistic == "coded_share":
        given = given.with_columns(pl.col("centre", "low", "high").round(_SHARE_DIGITS))
    rows = [
        {"kind": "period", "fewest": _fewest(row, statistic)} | same | row
        for row in given.rows(named=True)
    ]
    rows.append({"kind": "about", "says": caption} | same)
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def _fewest(row: dict, statistic: str) -> int | None:
    """The smaller of the numbers of encounters that a share divides."""
    if statistic != "coded_share" or row["value"] is None:
        return None
    coded = round(row["value"] * row["encounters"])
    return min(coded, row["encounters"] - coded)


def control_chart_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``control_chart_table`` as a specification; cheap to make again."""
    rows = table.filter(pl.col("kind") == "period").rows(named=True)
    if not rows:
        empty = nothing_yet("Nothing to follow over time yet", "Keep months or weeks apart")
        return filled(_template(), [], empty)
    low, high = _view(rows)
    first, last = (rows[at]["period"].toordinal() for at in (0, -1))
    ends = _line_ends(rows, (high - low) / _HEIGHT_PX)
    room = max((text_px(one[part]) for one in ends for part in ("label", "level")), default=0)
    per_px = max(last - first, 1) / (_PLOT_PX - room - 36)
    spoken = "; ".join(map(tip, rows))
    changes = headed(title(rows), qualifier(rows), caption_of(table), spoken) | {
        "encoding/x/scale/domain": [first - 12 * per_px, last + (room + 24) * per_px],
        "encoding/x/axis/values": _ticks(rows, per_px),
        "encoding/x/axis/title": f"First day of the {rows[0]['every']} [date]",
        "encoding/x/axis/labelExpr": _day_labels(rows[0]["every"]),
        "encoding/y/scale/domain": [low, high],
        "encoding/y/axis/title": statistic_of(rows).axis,
        "encoding/y/axis/labelExpr": _level_labels(statistic_of(rows)),
    }
    if all(row["value"] is None for row in rows):
        changes |= {f"encoding/y/axis/{part}": False for part in ("labels", "ticks")}
    bottom, size = low + 0.04 * (high - low), 45 if len(rows) < _CROWDED else 22
    drawn = _lines(rows, first - 6 * per_px, last + 10 * per_px)
    drawn += [one | {"x": last + 16 * per_px} for one in ends]
    drawn += [_point(row, bottom, size) for row in rows if row["value"] is not None or hidden(row)]
    drawn += _labels(rows, per_px, (high - low) / _HEIGHT_PX)
    return filled(_template(), drawn, changes)


def _view(rows: list[dict]) -> tuple[float, float]:
    """The values and limits, with room for labels above and below."""
    names = ("value", "centre", "low", "high")
    known = [row[name] for row in rows for name in names if row[name] is not None] or [0.0, 1.0]
    spread = max(known) - min(known) or max(abs(known[0]) * 0.2, 0.1)
    return min(known) - 0.18 * spread, max(known) + 0.18 * spread


def _level_labels(statistic: Statistic) -> str:
    """The expression that labels the axis of values: nothing below zero, or above all."""
    beyond = "datum.value < 0" + " || datum.value > 1" * (statistic.suffix == " %")
    return f"{beyond} ? '' : format(datum.value * {statistic.factor}, ',.6~r')"


def _day_labels(every: str) -> str:
    form = "%b %Y" if every == "month" else "%-d %b %y"
    return f"utcFormat((datum.value - {_EPOCH}) * 86400000, '{form}')"


def _ticks(rows: list[dict], per_px: float) -> list[int]:
    """The first days of so many periods as have room for their labels, evenly apart."""
    days = [row["period"].toordinal() for row in rows]
    most = min(max(int((days[-1] - days[0]) / per_px / _TICK_PX), 1), _MOST_TICKS)
    return days[:: max(-(-(len(days) - 1) // most), 1)]


def _limits(rows: list[dict]) -> dict[str, float]:
    """The level of each dashed line, by its name."""
    found = next((row for row in rows if row["low"] is not None), None)
    names = {"high": "upper limit", "centre": "mean", "low": "lower limit"}
    levels = {label: found[name] for name, label in names.items()} if found else {}
    return {label: level for label, level in levels.items() if level is not None}


def _line_ends(rows: list[dict], per_px: float) -> list[dict]:
    """What stands at the right end of each dashed line; no limit that is too near the mean."""
    levels = _limits(rows)
    return [
        {"kind": "end", "y": level, "label": label, "level": told(level, statistic_of(rows))}
        for label, level in levels.items()
        if label == "mean" or abs(level - levels["mean"]) >= 2 * _LINE_PX * per_px
    ]


def _lines(rows: list[dict], x: float, x2: float) -> list[dict]:
    """The dashed lines, and the values, joined where they follow each other."""
    drawn = [
        {"kind": "mean" if label == "mean" else "limit", "x": x, "x2": x2, "y": level}
        for label, level in _limits(rows).items()
    ]
    joined = [{"kind": "value", "x": row["period"].toordinal(), "y": row["value"]} for row in rows]
    return drawn + joined


def _point(row: dict, bottom: float, size: int) -> dict:
    place = {"x": row["period"].toordinal(), "y": row["value"], "size": size, "tip": tip(row)}
    if hidden(row):
        return {"kind": "withheld"} | place | {"y": bottom}
    return {"kind": row["signal"] or "plain"} | place


def _labels(rows: list[dict], x_per_px: float, y_per_px: float) -> list[dict]:
    """The names of periods with a signal, those farthest from the centre first, if they fit."""
    found = []
    for own, label in spans(rows):
        far = max(own, key=lambda row: abs(row["value"] - row["centre"]))
        middle = (own[0]["period"].toordinal() + own[-1]["period"].toordinal()) / 2
        found.append((abs(far["value"] - far["centre"]), far, middle, label))
    first, last = (rows[at]["period"].toordinal() for at in (0, -1))
    drawn: list[dict] = []
    for _, row, middle, label in sorted(found, key=lambda one: -one[0])[:_MOST_LABELS]:
        shift = 14 if row["value"] >= row["centre"] else -14
        half = (text_px(label) / 2 - _BETWEEN_PX) * x_per_px
        x = max(min(middle, last - half), first + half) if 2 * half < last - first else middle
        place = {"x": x, "y": row["value"], "dy": -shift, "label": label}
        place["at"] = row["value"] + shift * y_per_px
        if not any(_meet(place, other, x_per_px, y_per_px) for other in drawn):
            drawn.append({"kind": "label"} | place)
    return drawn


def _meet(one: dict, other: dict, x_per_px: float, y_per_px: float) -> bool:
    wide = (text_px(one["label"]) + text_px(other["label"])) / 2 + _BETWEEN_PX
    near_x = abs(one["x"] - other["x"]) < wide * x_per_px
    return near_x and abs(one["at"] - other["at"]) < _LINE_PX * y_per_px


@cache
def _template() -> dict:
    line = of("value").mark_line(stroke=BLUE, strokeWidth=1.5, strokeJoin="round")
    rules = [
        of(kind).mark_rule(stroke=INK, strokeDash=dash, strokeWidth=1.2).encode(x2="x2")
        for kind, dash in (("mean", [8, 4]), ("limit", [3, 3]))
    ]
    shapes = {
        "plain": {"shape": "circle", "fill": BLUE, "stroke": "#ffffff"},
        "beyond": {"shape": "diamond", "size": 170, "fill": VERMILLION, "stroke": "#ffffff"},
        "run": {"shape": "triangle-up", "size": 110, "fill": "#ffffff", "stroke": VERMILLION},
    }
    shapes["plain"]["size"] = alt.ExprRef("datum.size")
    points = [
        of(kind).mark_point(**look, strokeWidth=1.5, opacity=1).encode(tooltip=TIP)
        for kind, look in shapes.items()
    ]
    end = {"align": "left", "baseline": "middle"}
    ends = [
        of("end").mark_text(dy=-8, color=QUIET, **end).encode(text="label:N"),
        of("end").mark_text(dy=8, **end).encode(text="level:N"),
    ]
    dy = alt.ExprRef("datum.dy")
    labels = haloed(of("label"), baseline="middle", fontWeight=600, dy=dy)
    chart = alt.layer(*rules, line, *points, *ends, *labels, stars()).encode(
        x=scale_x("Month", grid=False, tickCount=MOST_TICKS),
        y=scale_y("Value", grid=False),
    )
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
