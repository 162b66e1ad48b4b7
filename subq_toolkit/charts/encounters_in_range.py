"""Whose the encounters of a range of minutes are: table and specification.

What is withheld here is guarded by this chart alone. Its counts add up to those of the range, and
a histogram of the same work published beside it, from which a single bin of the range is withheld,
can be completed from them: publish one of the two, or a range whose bins are all shown.
"""

from functools import cache

import altair as alt
import polars as pl

from subq_toolkit.charts.figure import CountedCells
from subq_toolkit.charts.layers import TIP, haloed, lanes_y, of
from subq_toolkit.charts.look import BLUE, INK, chart_table, filled, template
from subq_toolkit.charts.money_words import (
    caption_of,
    headed,
    named,
    nothing_yet,
    percent,
    plain,
    sentences,
)
from subq_toolkit.charts.withheld import STAR, withheld_note
from subq_toolkit.charts.wording import count, range_words, shortened

_WIDTH_PX, _HEIGHT_PX, _LANE_PX, _PAD_PX = 460, 260, 26, 12
_MOST_GROUPS, _MOST_ORDERED, _NAME_PX, _BAR_PX, _ALL_PX = 12, 24, 148, 190, 440
_GROUPS = ("group", "others")
CELLS = (
    CountedCells("encounters", also=("share", "of", "outside"), kinds=_GROUPS),
    CountedCells("outside", also=("encounters", "share", "of"), kinds=_GROUPS),
)
_ROWS = {
    "kind": pl.String,
    "group": pl.String,
    "encounters": pl.Int64,
    "of": pl.Int64,
    "outside": pl.Int64,
    "share": pl.Float64,
    "from_min": pl.Int64,
    "to_min": pl.Int64,
    "says": pl.String,
}


def encounters_in_range_table(
    groups: pl.DataFrame | None,
    *,
    from_min: int = 0,
    to_min: int | None = 0,
    by: str = "",
    ordered: bool = False,
    caption: str = "",
) -> pl.DataFrame:
    """What the chart of a range of minutes draws: the twelve groups with the most of them.

    Parameters
    ----------
    groups
        What ``range_by_group`` returns.
    from_min, to_min
        The range, both ends included; without ``to_min`` that long or longer. [min]
    by
        What the groups are, in words: ``department``.
    ordered
        Whether groups have an order of their own, as months have: then the last 24, by name,
        those without such an encounter too.
    caption
        Where the numbers are from, e.g. what ``work_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``group``; ``others``: those not drawn, together; ``by``; ``about``: the range
        and the caption), ``group, encounters`` [1], ``of`` (all of the group) [1],
        ``outside`` (those of other lengths) [1], ``share`` [1],
        ``from_min, to_min`` [min], ``says``.
    """
    if groups is None or groups.is_empty():
        return pl.DataFrame(schema=_ROWS)
    columns = ["group", "encounters", "of", "share"]
    given = [
        {"kind": "group"} | one for one in chart_table(groups).select(columns).rows(named=True)
    ]
    found = [row for row in given if row["encounters"] != 0]
    rows, others = found[:_MOST_GROUPS], found[_MOST_GROUPS:]
    if ordered and found:
        by_name = sorted(given, key=lambda row: (row["group"] is None, row["group"]))
        rows, others = by_name[-_MOST_ORDERED:], by_name[:-_MOST_ORDERED]
    if others:
        n, of_all = (sum(row[name] or 0 for row in others) for name in ("encounters", "of"))
        rows.append({"kind": "others", "group": f"{len(others)} others", "encounters": n}
                    | {"of": of_all, "share": n / of_all if of_all else None})  # fmt: skip
    rows = [row | {"outside": row["of"] - row["encounters"]} for row in rows]
    about = {"kind": "about", "from_min": from_min, "to_min": to_min, "says": caption}
    return pl.DataFrame([*rows, {"kind": "by", "says": by}, about], schema=_ROWS, orient="row")


def encounters_in_range_spec(table: pl.DataFrame) -> dict:
    """The chart of an ``encounters_in_range_table`` as a specification; cheap to make again."""
    rows = table.rows(named=True)
    groups = [row for row in rows if row["kind"] in _GROUPS]
    about = next((row for row in rows if row["kind"] == "about"), None)
    if not groups or about is None:
        told = "No coded encounter lasts that long" if about else "No range is chosen yet"
        return filled(_template(), [], nothing_yet(told, "Choose a range of minutes"))
    by = next((plain(row["says"]) for row in rows if row["kind"] == "by"), "")
    top = max((row["encounters"] or 0 for row in groups if row["kind"] == "group"), default=0) or 1
    height = _LANE_PX * len(groups) + _PAD_PX
    spoken = "; ".join(map(_tip, groups))
    changes = headed(_title(groups, about), _qualifier(groups, by), caption_of(table), spoken) | {
        "height": height,
        "encoding/y/scale/domain": [height, 0],
    }
    drawn = [mark for at, row in enumerate(groups) for mark in _lane(row, at, top)]
    return filled(_template(), drawn, changes)


def _title(groups: list[dict], about: dict) -> str:
    ends = range_words(about)
    if any(row["encounters"] is None for row in groups):
        return f"Whose the encounters of {ends} are"
    n = sum(row["encounters"] for row in groups)
    most = max((row for row in groups if row["kind"] == "group"), key=lambda row: row["encounters"])
    told = f"{count(n, 'encounter')} last{'s' * (n == 1)} {ends}"
    if len(groups) == 1:
        return f"{told}, all of {_named(most)}"
    return f"{told}; the most, {percent(most['encounters'] / n)}, are of {_named(most)}"


def _named(row: dict) -> str:
    return "not stated" if row["group"] is None else named(row["group"])


def _qualifier(groups: list[dict], by: str) -> str:
    hidden = any(row["encounters"] is None for row in groups)
    return sentences(
        f"By {by or 'group'}; in brackets how much of the group that is",
        "the others only as a number" * any(row["kind"] == "others" for row in groups),
        withheld_note() * hidden,
    )


def _tip(row: dict) -> str:
    if row["encounters"] is None:
        return f"{_named(row)}: withheld"
    return f"{_named(row)}: {row['encounters']:,} of {count(row['of'], 'encounter')}" + (
        f", {percent(row['share'])}" if row["share"] is not None else ""
    )


def _lane(row: dict, at: int, top: int) -> list[dict]:
    y = _PAD_PX / 2 + _LANE_PX * (at + 0.5)
    base = {"y": y, "tip": _tip(row)}
    name = "not stated" if row["group"] is None else plain(row["group"])
    marks = [base | {"kind": "name", "x": 0, "label": shortened(name, width_px=_NAME_PX - 8)}]
    if row["encounters"] is None:
        return [*marks, base | {"kind": "told", "x": _NAME_PX, "label": STAR}]
    share = f" ({percent(row['share'])})" if row["share"] is not None else ""
    told = f"{row['encounters']:,}{share}"
    if row["kind"] == "others":
        return [*marks, base | {"kind": "told", "x": _NAME_PX, "label": told}]
    end = _NAME_PX + _BAR_PX * row["encounters"] / top
    box = {"kind": "bar", "x": _NAME_PX, "x2": end, "y": y - 8, "y2": y + 8}
    return [*marks, base | box, base | {"kind": "told", "x": end, "label": told}]


@cache
def _template() -> dict:
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[0, _ALL_PX], nice=False),
        axis=alt.Axis(title="Encounters in the range [1]", labels=False, ticks=False,
                      grid=False, domain=False, titleAnchor="start", titleX=_NAME_PX),
    )  # fmt: skip
    name = of("name").mark_text(align="left", baseline="middle", color=INK)
    bar = of("bar").mark_rect(fill=BLUE, opacity=1).encode(x2="x2", y2="y2", tooltip=TIP)
    told = haloed(of("told"), align="left", baseline="middle", dx=6)
    chart = alt.layer(bar, name.encode(text="label:N", tooltip=TIP), *told).encode(x=x, y=lanes_y())
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
