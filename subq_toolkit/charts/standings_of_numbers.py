"""How well the numbers in use are supported, by subject: its table, and the specification."""

from collections.abc import Iterator
from functools import cache
from itertools import groupby

import altair as alt
import polars as pl

from subq_toolkit.charts.layers import TIP, haloed, lanes_y, of, scale_x
from subq_toolkit.charts.look import (
    BLUE,
    GREEN,
    INK,
    PURPLE,
    QUIET,
    VERMILLION,
    chart_table,
    filled,
    template,
)
from subq_toolkit.charts.money_words import (
    caption_of,
    headed,
    nothing_yet,
    percent,
    plain,
    tally,
)
from subq_toolkit.charts.wording import shortened, text_px

_WIDTH_PX, _PLOT_PX, _HEIGHT_PX = 460, 450, 300
_LANE_PX, _BAR_PX, _HEAD_PX, _KEY_PX = 22, 15, 46, 13
#: Where names end, bars begin and end, and the two columns of counts end. [px]
_NAME_PX, _FROM_PX, _TO_PX, _ALL_PX, _UNREAD_PX = 138, 146, 330, 378, _PLOT_PX
_HATCH_PX, _MOST_LANES = 6, 24
_NOT_STATED = "not stated"
#: Colour of each standing, and how its hatching leans: 1 to the right, -1 to the left, 0 upright.
_LOOKS: dict[str, tuple[str, int | None]] = {
    "sourced": (BLUE, None),
    "inferred": (GREEN, 1),
    "house": (PURPLE, 0),
    "unverified": (VERMILLION, -1),
    _NOT_STATED: (QUIET, None),
}
_MEANT = (
    "Inferred: follows from what was read; house: our own convention; "
    "unverified: remembered or carried over"
)
_ROWS = {
    "kind": pl.String,
    "subject": pl.String,
    "standing": pl.String,
    "numbers": pl.Int64,
    "share": pl.Float64,
    "says": pl.String,
}


def standings_of_numbers_table(summary: pl.DataFrame | None, *, caption: str = "") -> pl.DataFrame:
    """What the chart of standings draws: the subjects with most unverified numbers first.

    Parameters
    ----------
    summary
        What ``number_summary`` returns.
    caption
        Where the numbers are from, e.g. what ``numbers_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``part``; ``about``: the caption), ``subject`` (of more than 24 the last ones
        together), ``standing``, ``numbers`` [1], ``share`` (of the subject's) [1], ``says``.
    """
    if summary is None or summary.is_empty():
        return pl.DataFrame(schema=_ROWS)
    given = chart_table(summary.select("subject", "standing", "numbers"))
    known = pl.col("standing").is_in(list(_LOOKS))
    counted = (
        given.with_columns(
            subject=pl.when(pl.col("subject").str.strip_chars() != "")
            .then("subject")
            .otherwise(pl.lit(_NOT_STATED)),
            standing=pl.when(known).then("standing").otherwise(pl.lit(_NOT_STATED)),
        )
        .group_by("subject", "standing", maintain_order=True)
        .agg(pl.col("numbers").sum())
        .filter(pl.col("numbers") > 0)
    )
    lanes = _ranked(counted.rows(named=True))
    rows = [
        ("part", subject, standing, number, number / sum(parts.values()), None)
        for subject, parts in lanes
        for standing, number in parts.items()
    ]
    rows.append(("about", *(None,) * 4, caption))
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def _ranked(rows: list[dict]) -> list[tuple[str, dict[str, int]]]:
    """Numbers of each subject by standing, the least supported subject first."""
    lanes: dict[str, dict[str, int]] = {}
    for row in rows:
        lanes.setdefault(row["subject"], {})[row["standing"]] = row["numbers"]
    ranked = sorted(lanes.items(), key=_support)
    if len(ranked) > _MOST_LANES:
        rest: dict[str, int] = {}
        for _, parts in ranked[_MOST_LANES - 1 :]:
            for standing, number in parts.items():
                rest[standing] = rest.get(standing, 0) + number
        name = f"{len(ranked) - _MOST_LANES + 1} other subjects"
        ranked[_MOST_LANES - 1 :] = [(name, rest)]
    return [(name, {one: parts[one] for one in _LOOKS if one in parts}) for name, parts in ranked]


def _support(lane: tuple[str, dict[str, int]]) -> tuple[float, float, str]:
    name, parts = lane
    whole = sum(parts.values())
    return -parts.get("unverified", 0) / whole, parts.get("sourced", 0) / whole, name


def standings_of_numbers_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``standings_of_numbers_table`` as a specification; cheap to make again."""
    rows = table.filter(pl.col("kind") == "part").rows(named=True)
    if not rows:
        empty = nothing_yet("No number to tell of", "Read the numbers in use, or widen the choice")
        return filled(_template(), [], empty)
    lanes = [list(lane) for _, lane in groupby(rows, key=lambda row: row["subject"])]
    height = _HEAD_PX + _LANE_PX * len(lanes) + 4
    told = headed(_title(rows), _MEANT, caption_of(table), _spoken(lanes))
    drawn = [*_key(rows), *_columns()]
    for at, lane in enumerate(lanes):
        drawn += _lane(lane, _HEAD_PX + _LANE_PX * (at + 0.5))
    changes = {"height": height, "encoding/y/scale/domain": [height, 0]}
    return filled(_template(), drawn, told | changes)


def _count(rows: list[dict], standing: str | None = None) -> int:
    return sum(row["numbers"] for row in rows if standing in (None, row["standing"]))


def _title(rows: list[dict]) -> str:
    read, whole = _count(rows, "sourced"), _count(rows)
    lacking = [
        f"{tally(number)} {'is' if number == 1 else 'are'} {standing}"
        for standing in ("unverified", _NOT_STATED)
        if (number := _count(rows, standing))
    ]
    told = ", ".join(lacking) or "none is unverified"
    return f"{tally(read)} of {tally(whole)} numbers could be read in a source; {told}"


def _spoken(lanes: list[list[dict]]) -> str:
    return "; ".join(
        f"{plain(lane[0]['subject'])}, {_count(lane):,}: {', '.join(map(_part, lane))}"
        for lane in lanes
    )


def _part(row: dict) -> str:
    return f"{row['numbers']:,} {row['standing']}"


def _key(rows: list[dict]) -> Iterator[dict]:
    """A swatch and words for each standing there is, side by side."""
    px = 0.0
    for standing in (one for one in _LOOKS if _count(rows, one)):
        label = f"{standing} {tally(_count(rows, standing))}"
        yield from _segment(standing, px, px + _KEY_PX, _KEY_PX / 2 + 2, _KEY_PX, "")
        yield {"kind": "key", "x": px + _KEY_PX + 5, "y": _KEY_PX / 2 + 2, "label": label}
        px += _KEY_PX + 5 + text_px(label, font_px=12) + 14


def _columns() -> list[dict]:
    heads = ((_ALL_PX, "numbers"), (_UNREAD_PX, "unverified"))
    return [{"kind": "head", "x": x, "y": _HEAD_PX - 8, "label": label} for x, label in heads]


def _lane(lane: list[dict], y: float) -> Iterator[dict]:
    """One subject: its name, a bar of shares, all its numbers and those unverified."""
    name, unverified = plain(lane[0]["subject"]), _count(lane, "unverified")
    label = shortened(name, width_px=_NAME_PX)
    yield {"kind": "name", "x": _NAME_PX, "y": y, "label": label, "tip": name}
    px = float(_FROM_PX)
    for row in lane:
        past = px + row["share"] * (_TO_PX - _FROM_PX)
        tip = f"{name}: {_part(row)} ({percent(row['share'])})"
        yield from _segment(row["standing"], px, past, y, _BAR_PX, tip)
        label = tally(row["numbers"])
        if text_px(label, font_px=12) + 6 < past - px:
            kind = "count" if _LOOKS[row["standing"]][1] is None else "rimmed"
            yield {"kind": kind, "x": (px + past) / 2, "y": y, "label": label}
        px = past
    yield {"kind": "all", "x": _ALL_PX, "y": y, "label": tally(_count(lane))}
    if unverified:
        yield {"kind": "unread", "x": _UNREAD_PX, "y": y, "label": tally(unverified)}


def _segment(
    standing: str, low: float, high: float, y: float, thick: float, tip: str
) -> Iterator[dict]:
    """A stretch of a bar, hatched so that it is told apart without its colour."""
    ink, lean = _LOOKS[standing]
    top, floor = y - thick / 2, y + thick / 2
    yield {"kind": "bar", "x": low, "x2": high, "y": top, "y2": floor, "ink": ink, "tip": tip}
    if lean is None:
        return
    at = low - thick * abs(lean) + _HATCH_PX / 2
    while at < high:
        ends = _clipped(at, thick * abs(lean), low, high)
        if ends:
            x, x2 = ends
            rise = [(one - at) / thick if lean else end for end, one in enumerate(ends)]
            ys = [floor - thick * one if lean >= 0 else top + thick * one for one in rise]
            yield {"kind": "hatch", "x": x, "x2": x2, "y": ys[0], "y2": ys[1]}
        at += _HATCH_PX


def _clipped(at: float, run: float, low: float, high: float) -> tuple[float, float] | None:
    """A line of hatching that begins at ``at``, as far as it lies within its stretch."""
    x, x2 = max(at, low), min(at + run, high)
    return (x, x2) if x <= x2 else None


@cache
def _template() -> dict:
    ink = alt.Fill("ink:N", scale=None)
    bar = of("bar").mark_rect(stroke="#ffffff", strokeWidth=1)
    hatch = of("hatch").mark_rule(stroke="#ffffff", strokeWidth=1.3)
    ends = {"x2": "x2:Q", "y2": "y2:Q"}
    middle = {"baseline": "middle", "fontSize": 12}
    right = middle | {"align": "right"}
    texts = [
        of("name").mark_text(**(right | {"fontSize": 13})).encode(tooltip=TIP),
        of("all").mark_text(**right),
        of("unread").mark_text(**right, fontWeight=600),
        of("head").mark_text(**right, color=QUIET),
        of("key").mark_text(**middle, align="left"),
    ]
    steps = [_FROM_PX, (_FROM_PX + _TO_PX) / 2, _TO_PX]
    share = f"round(100 * (datum.value - {_FROM_PX}) / {_TO_PX - _FROM_PX}) + ' %'"
    title = "Share of a subject's numbers [%]"
    axis = {"values": steps, "labelExpr": share, "grid": False}
    x = scale_x(title, **axis)
    x.scale = alt.Scale(domain=[0, _PLOT_PX], nice=False)
    chart = alt.layer(
        bar.encode(fill=ink, tooltip=TIP, **ends),
        hatch.encode(**ends),
        of("count").mark_text(**middle, color="#ffffff").encode(text="label:N"),
        *haloed(of("rimmed"), **middle, color=INK),
        *(text.encode(text="label:N") for text in texts),
    ).encode(x=x, y=lanes_y())
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
