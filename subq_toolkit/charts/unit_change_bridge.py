"""What moved the units of each month, in three parts: table and specification of the chart."""

from functools import cache

import altair as alt
import polars as pl

from subq_toolkit.charts.figure import CountedCells
from subq_toolkit.charts.layers import TIP, of, scale_x, scale_y
from subq_toolkit.charts.look import BLUE, GREEN, INK, QUIET, VERMILLION, filled, template
from subq_toolkit.charts.money_words import (
    caption_of,
    headed,
    nothing_yet,
    plain,
    sentences,
    tally,
    tally_axis,
)
from subq_toolkit.charts.withheld import stars, withheld_note
from subq_toolkit.charts.wording import count, text_px
from subq_toolkit.utilization import FACTORS

_WIDTH_PX, _HEIGHT_PX, _PLOT_PX, _MOST_MONTHS, _LEAST_MONTHS = 460, 290, 395, 24, 4
_LEAST_LABEL_PX = 26
_MONTHS = ("before", "month")
#: Encounters not coded, which the parts tell of, then coded ones, which units tell of as well;
#: a change and its parts also tell of the month before.
CELLS = (
    CountedCells("uncoded", also=FACTORS, kinds=_MONTHS, after=FACTORS),
    CountedCells(
        "coded",
        also=("uncoded", "units", "change", *FACTORS),
        kinds=_MONTHS,
        after=("change", *FACTORS),
    ),
)
#: Each part: sign of its key, colour of it, words, and what it does when it rises or falls.
_PARTS = {
    "volume": ("■", BLUE, "encounters", ("more encounters", "fewer encounters")),
    "documentation": (
        "□", GREEN, "share coded", ("a larger share coded", "a smaller share coded"),
    ),
    "duration": (
        "▨", VERMILLION, "units per encounter",
        ("more units per coded encounter", "fewer units per coded encounter"),
    ),
}  # fmt: skip
_ROWS = {
    "kind": pl.String,
    "month": pl.Date,
    "coded": pl.Int64,
    "uncoded": pl.Int64,
    "units": pl.Int64,
    "change": pl.Int64,
    **dict.fromkeys(FACTORS, pl.Float64),
    "says": pl.String,
}


def unit_change_bridge_table(
    changes: pl.DataFrame | None, *, code: str = "", caption: str = ""
) -> pl.DataFrame:
    """What the chart of monthly changes draws: the last 24 months that have one before them.

    Parameters
    ----------
    changes
        What ``unit_changes`` returns.
    code
        The code whose units they are; empty: all codes.
    caption
        Where the numbers are from, e.g. what ``work_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``before``: the month before those drawn, whose change is not told; ``month``;
        ``earlier``: how many months are not drawn, in ``units``; ``code``; ``about``: the
        caption), ``month`` (its first day), ``coded, uncoded`` (encounters that are, or are
        not) [1], ``units``, ``change`` [1] and its parts ``volume, documentation, duration``
        to a tenth of a unit [1], ``says``.
    """
    if changes is None or changes.is_empty():
        return pl.DataFrame(schema=_ROWS)
    given = (
        changes.sort("month")
        .with_columns(uncoded=pl.col("encounters") - pl.col("coded"))
        .select([name for name in _ROWS if name not in ("kind", "says")])
        .with_columns(pl.col(FACTORS).round(1, mode="half_away_from_zero"))
    )
    drawn = given.tail(_MOST_MONTHS + 1).rows(named=True)
    rows = [{"kind": "month" if at else "before"} | row for at, row in enumerate(drawn)]
    rows[0] |= dict.fromkeys(("change", *FACTORS))
    if (earlier := given.height - len(rows)) > 0:
        rows.append({"kind": "earlier", "units": earlier})
    rows += [{"kind": "code", "says": code}, {"kind": "about", "says": caption}]
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def unit_change_bridge_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``unit_change_bridge_table`` as a specification; cheap to make again."""
    rows = table.rows(named=True)
    months = [row for row in rows if row["kind"] == "month"]
    if not months:
        told = "No month to compare yet" if table.is_empty() else "One month alone has no change"
        empty = nothing_yet(told, "Hand in what unit_changes returns for two months or more")
        return filled(_template(), [], empty)
    code = next((plain(row["says"]) for row in rows if row["kind"] == "code"), "")
    low, high = _view(months)
    wide = max(len(months), _LEAST_MONTHS)
    spoken = "; ".join(map(_tip, months))
    changes = headed(_title(months, code), _qualifier(rows), caption_of(table), spoken) | {
        "encoding/x/scale/domain": [-0.6, wide - 0.4],
        "encoding/y/scale/domain": [low, high + 0.16 * (high - low)],
        "encoding/y/axis/labelExpr": f"(datum.value > 0 ? '+' : '') + ({tally_axis(high)})",
        "encoding/y/title": f"Change of units{f' of {code}' if code else ''} [1]",
    }
    if all(row["change"] is None for row in months):
        changes |= {f"encoding/y/axis/{part}": False for part in ("labels", "ticks", "grid")}
    drawn = [mark for at, row in enumerate(months) for mark in _column(row, at)]
    zero = {"kind": "zero", "x": -0.6, "x2": wide - 0.4, "y": 0}
    names = _names(months, low, _PLOT_PX / (wide + 0.2))
    return filled(_template(), [zero, *drawn, *names, *_key(high + 0.1 * (high - low))], changes)


def _divided(row: dict) -> bool:
    """Whether the parts of a change are known."""
    return row[FACTORS[0]] is not None


def _view(months: list[dict]) -> tuple[float, float]:
    """Ends of the axis: every stack of parts, to both sides of zero."""
    ends = [0.0]
    for row in months:
        parts = [row[name] for name in FACTORS] if _divided(row) else [row["change"] or 0.0]
        ends += [sum(part for part in parts if part > 0), sum(part for part in parts if part < 0)]
    low, high = min(ends), max(ends)
    pad = 0.06 * (high - low) or 1.0
    return low - pad, high + pad


def _title(months: list[dict], code: str) -> str:
    known = [row for row in months if row["change"] is not None]
    what = f"units{f' of {code}' if code else ''}"
    if not known:
        return f"What moved {what}, month by month; every number is withheld"
    most = max(known, key=lambda row: abs(row["change"]))
    if not most["change"]:
        return f"The number of {what} did not change in any month"
    largest = "Largest change" if len(known) > 1 else "Change"
    told = f"{largest}: {most['month']:%b %Y}, {_signed(most['change'])} {what}"
    if not _divided(most):
        return f"{told}; of what parts is withheld"
    up = most["change"] > 0
    name = max(FACTORS, key=lambda one: most[one] if up else -most[one])
    cause = _PARTS[name][3][0 if up else 1]
    part = _signed(round(most[name]))
    mainly = "" if sum(bool(most[one]) for one in FACTORS) < 2 else "mainly "
    return f"{told}, {mainly}by {cause} ({part})"


def _qualifier(rows: list[dict]) -> str:
    earlier = next((row["units"] for row in rows if row["kind"] == "earlier"), 0)
    hidden = any(not _divided(row) for row in rows if row["kind"] == "month")
    return sentences(
        "Against the month before; the parts add up to the change (dot)",
        f"{count(earlier, 'earlier month')} not shown" if earlier else "",
        withheld_note() if hidden else "",
    )


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{tally(value)}" if value else "±0"


def _tip(row: dict) -> str:
    """A month in words."""
    name = f"{row['month']:%b %Y}"
    if row["change"] is None:
        return f"{name}: withheld"
    told = f"{name}: {_signed(row['change'])}"
    if row["units"] is not None:
        told += f" to {count(row['units'], 'unit')}"
    if not _divided(row):
        return f"{told} (parts withheld)"
    parts = ", ".join(f"{_PARTS[one][2]} {_signed(round(row[one]))}" for one in FACTORS)
    return f"{told} ({parts})"


def _column(row: dict, at: int) -> list[dict]:
    """One month: its parts stacked from zero to either side, and the change as a dot."""
    tip = _tip(row)
    if row["change"] is None:
        return [{"kind": "withheld", "x": at, "y": 0, "tip": tip}]
    dot = {"kind": "dot", "x": at, "y": row["change"], "tip": tip}
    if not _divided(row):
        return [{"kind": "withheld", "x": at, "y": 0, "tip": tip}, dot]
    ends, drawn = {True: 0.0, False: 0.0}, []
    for name in FACTORS:
        part = row[name]
        begin = ends[part > 0]
        ends[part > 0] += part
        place = {"x": at - 0.36, "x2": at + 0.36, "y": begin, "y2": begin + part, "tip": tip}
        drawn += [{"kind": name} | place] * bool(part)
        if name == "duration" and part:
            drawn += _hatch(place)
    return [*drawn, dot]


def _hatch(place: dict) -> list[dict]:
    """Lines across a part, so that it is told apart without its colour."""
    low, high = sorted((place["y"], place["y2"]))
    ends = {"x": place["x"], "x2": place["x2"], "tip": place["tip"]}
    return [{"kind": "hatch", "y": low + (high - low) * share / 4} | ends for share in (1, 2, 3)]


def _names(months: list[dict], low: float, px: float) -> list[dict]:
    """Months beneath the axis, as many letters as fit, and their years."""
    letters = 3 if px >= _LEAST_LABEL_PX else 1
    january = next((at for at, row in enumerate(months) if at and row["month"].month == 1), None)
    alone = january is None or january * px >= text_px("2000") + 8
    return [
        {"kind": "name", "x": at, "y": low, "label": f"{row['month']:%b}"[:letters]}
        | {"year": f"{row['month']:%Y}" if row["month"].month == 1 or (alone and not at) else ""}
        for at, row in enumerate(months)
    ]


def _key(y: float) -> list[dict]:
    drawn, px = [], 0.0
    words = [(sign, ink, label) for sign, ink, label, _ in _PARTS.values()]
    for sign, ink, label in [*words, ("◆", INK, "change")]:
        drawn.append({"kind": "key", "x": -0.6, "y": y, "px": px, "sign": sign, "ink": ink}
                     | {"label": label})  # fmt: skip
        px += text_px(label, font_px=12) + 28
    return drawn


@cache
def _template() -> dict:
    looks = {
        "volume": {"fill": BLUE, "stroke": BLUE},
        "documentation": {"fill": "#ffffff", "stroke": GREEN},
        "duration": {"fill": "#f7d9c4", "stroke": VERMILLION},
    }
    ends = {"x2": "x2", "y2": "y2", "tooltip": TIP}
    bars = [
        of(name).mark_rect(strokeWidth=1.5, **look).encode(**ends) for name, look in looks.items()
    ]
    hatch = of("hatch").mark_rule(stroke=VERMILLION, strokeWidth=1).encode(x2="x2", tooltip=TIP)
    zero = of("zero").mark_rule(stroke=INK, strokeWidth=1.5).encode(x2="x2")
    dot = of("dot").mark_point(
        shape="diamond", size=60, fill=INK, stroke="#ffffff", strokeWidth=1.5, opacity=1
    )
    side = {"align": "left", "baseline": "middle"}
    sign = of("key").mark_text(dx=alt.ExprRef("datum.px + 4"), fontSize=14, **side)
    words = of("key").mark_text(dx=alt.ExprRef("datum.px + 20"), fontSize=12, **side)
    name = of("name")
    chart = alt.layer(
        *bars,
        hatch,
        zero,
        dot.encode(tooltip=TIP),
        sign.encode(text="sign:N", color=alt.Color("ink:N", scale=None)),
        words.encode(text="label:N"),
        name.mark_text(baseline="top", dy=6, color=INK).encode(text="label:N"),
        name.mark_text(baseline="top", dy=22, color=QUIET).encode(text="year:N"),
        stars(),
    ).encode(
        x=scale_x("Month", labels=False, ticks=False, grid=False, titlePadding=38),
        y=scale_y(""),
    )
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
