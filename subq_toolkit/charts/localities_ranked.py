"""A code's amount in every locality, ours marked: its table, and the specification."""

from datetime import date
from functools import cache
from statistics import median

import altair as alt
import polars as pl

from subq_toolkit.charts.layers import TIP, haloed, of, scale_x, scale_y
from subq_toolkit.charts.look import BLUE, INK, VERMILLION, chart_table, filled, template
from subq_toolkit.charts.money_words import (
    fee,
    headed,
    money_axis,
    nothing_yet,
    percent,
    plain,
    sentences,
)
from subq_toolkit.charts.wording import shortened, text_px

_WIDTH_PX, _HEIGHT_PX, _PLOT_PX = 460, 260, 400
_NAME_PX, _CODE_PX, _LABEL_PX, _GAP_PX, _PAD_PX = 210, 90, 17, 12, 12
_FEW, _SAME = 30, 5e-4
_ROWS = {
    "kind": pl.String,
    "rank": pl.Int64,
    "locality": pl.String,
    "name": pl.String,
    "rate_usd": pl.Float64,
    "standing": pl.String,
    "says": pl.String,
}


def localities_ranked_table(
    ranked: pl.DataFrame | None,
    *,
    code: str,
    on: date,
    ours: str | None = None,
    schedule: str = "MPFS, not APM",
) -> pl.DataFrame:
    """What the chart of localities draws.

    Parameters
    ----------
    ranked
        What ``ranked_localities(code, on)`` returns.
    code, on
        The code and the day that were asked for.
    ours
        MAC and locality to mark, e.g. ``15202-00``.
    schedule
        The schedule and its kind, for the caption.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``other``, ``ours``, ``not known``: ours has no amount, ``about``: the
        caption), ``rank`` (among these; 1 is the highest) [1], ``locality``, ``name`` (with its
        state; of ``about`` the code), ``rate_usd`` (of one unit) [USD], ``standing`` (of the
        indices), ``says``.
    """
    if ranked is None or ranked.is_empty():
        return pl.DataFrame(schema=_ROWS)
    given = chart_table(ranked).filter(pl.col("rate_usd").is_not_null())
    known = given.sort("rate_usd", "locality", descending=[True, False]).rows(named=True)
    rows = [
        (
            "ours" if row["locality"] == ours else "other",
            *(rank, row["locality"], _place(row), row["rate_usd"], row["standing"], None),
        )
        for rank, row in enumerate(known, 1)
    ]
    if ours is not None and ours not in [row["locality"] for row in known]:
        rows.append(("not known", None, plain(ours), plain(ours), None, None, None))
    standings = ", ".join(dict.fromkeys(row["standing"] for row in known if row["standing"]))
    without = ranked.height - len(known)
    parts = [f"{len(known):,} localit{'y' if len(known) == 1 else 'ies'}", f"prices of {on}"]
    parts += [plain(schedule)]
    parts += [f"{without:,} without an amount"] * bool(without)
    parts += [f"indices: {standings}"] * bool(standings)
    rows.append(("about", None, None, plain(code), None, None, " · ".join(parts)))
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def _place(row: dict) -> str:
    name, state = plain(row["name"] or row["locality"]).title(), plain(row["state"] or "")
    return f"{name}, {state}" if state else name


def localities_ranked_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``localities_ranked_table`` as a specification; cheap to make again."""
    rows = table.rows(named=True)
    known = [row for row in rows if row["rate_usd"] is not None]
    about = next((row for row in rows if row["kind"] == "about"), None)
    if not known or about is None:
        empty = nothing_yet("No locality has an amount to draw", "State a code and a day")
        return filled(_template(), [], empty)
    code = shortened(about["name"], width_px=_CODE_PX)
    unknown = next((row["name"] for row in rows if row["kind"] == "not known"), None)
    middle = median(row["rate_usd"] for row in known)
    marked, n = _marked(known, middle), len(known)
    few = "only localities with figures on that day are ranked" * (unknown is not None)
    qualifier = sentences("Each dot is a locality, the highest at the top", few)
    spoken = "; ".join(mark["tip"] for mark in marked)
    low, high = _view(known)
    changes = headed(_title(known, middle, unknown, code), qualifier, about["says"], spoken) | {
        "encoding/x/scale/domain": [low, high],
        "encoding/x/axis/labelExpr": money_axis(low, high),
        "encoding/x/axis/title": f"Amount of one unit of {code} [USD]",
        "encoding/y/scale/domain": [n + _PAD_PX * _ranks_per_px(n), 1 - _PAD_PX * _ranks_per_px(n)],
        "encoding/y/axis/values": [1, n],
    }
    size = 18 if n > _FEW else 60
    dots = [
        {"kind": row["kind"], "x": row["rate_usd"], "y": row["rank"], "size": size}
        | {"tip": _tip(row)}
        for row in known
    ]
    return filled(_template(), [*dots, *_labels(marked, (low, high), n)], changes)


def _view(known: list[dict]) -> tuple[float, float]:
    low, high = known[-1]["rate_usd"], known[0]["rate_usd"]
    pad = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    return low - pad, high + pad


def _tip(row: dict) -> str:
    return f"{row['name']} ({row['locality']}): {fee(row['rate_usd'])}, rank {row['rank']}"


def _marked(known: list[dict], middle: float) -> list[dict]:
    """What gets a label: both ends, the median, and ours; by rank."""
    ends = {known[0]["rank"]: "highest", known[-1]["rank"]: "lowest"} if len(known) > 1 else {}
    marks = []
    for row in known:
        what = [ends[row["rank"]]] if row["rank"] in ends else []
        what += ["ours"] * (row["kind"] == "ours")
        if what:
            mark = {"kind": "label", "what": ", ".join(what), "name": row["name"]}
            place = {"x": row["rate_usd"], "y": row["rank"], "bold": row["kind"] == "ours"}
            marks.append(mark | place | {"tip": f"{mark['what']}: {_tip(row)}"})
    if len(known) > 2:
        mark = {"kind": "median", "what": "median", "name": "", "x": middle, "bold": False}
        place = {"y": (len(known) + 1) / 2, "tip": f"median: {fee(middle)}"}
        marks.append(mark | place)
    return sorted(marks, key=lambda mark: mark["y"])


def _ranks_per_px(n: int) -> float:
    """Ranks in a pixel of height, with some room above the first and below the last."""
    return max(n - 1, 1) / (_HEIGHT_PX - 2 * _PAD_PX)


def _labels(marks: list[dict], view: tuple[float, float], n: int) -> list[dict]:
    """The labels beside their dots, on the side with room, none upon another."""
    apart, drawn, before = _LABEL_PX * _ranks_per_px(n), [], 0.0
    for mark in marks:
        left_px = (mark["x"] - view[0]) / (view[1] - view[0]) * _PLOT_PX - _GAP_PX
        right_px = _PLOT_PX - 2 * _GAP_PX - left_px
        usd = fee(mark["x"])
        wide = max(left_px, right_px) - text_px(f"{mark['what']}:  {usd}")
        name = shortened(mark["name"], width_px=min(wide, _NAME_PX)) if mark["name"] else ""
        label = " ".join(filter(None, [f"{mark['what']}:", name, usd]))
        right = right_px > text_px(label) or right_px > left_px
        before = max(mark["y"], before + apart) if drawn else mark["y"]
        drawn.append(mark | {"label": label, "at": before, "side": "left" if right else "right"})
    after = n + _PAD_PX * _ranks_per_px(n) + apart / 2
    for label in reversed(drawn):
        after = label["at"] = min(label["at"], after - apart)
    return drawn


def _title(known: list[dict], middle: float, unknown: str | None, code: str) -> str:
    own = next((row for row in known if row["kind"] == "ours"), None)
    high, low = known[0], known[-1]
    spread = f"{code} pays {fee(low['rate_usd'])} to {fee(high['rate_usd'])}"
    if unknown is not None:
        return f"{shortened(unknown, width_px=_NAME_PX)} has no figure on that day; {spread}"
    if own is None or len(known) == 1:
        return f"{spread} by locality" if len(known) > 1 else f"{_tip(known[0])}, the only one"
    off = own["rate_usd"] / middle - 1 if middle else 0.0
    beside = f"{percent(off)} {'above' if off > 0 else 'below'} the median"
    beside = beside if abs(off) >= _SAME else "at the median"
    name = shortened(own["name"], width_px=_NAME_PX)
    paid = fee(own["rate_usd"])
    return f"{name} pays {paid} for {code}, rank {own['rank']} of {len(known)}: {beside}"


@cache
def _template() -> dict:
    dots = of("other").mark_point(shape="circle", fill=BLUE, stroke=None, opacity=0.8)
    own = of("ours").mark_point(
        shape="diamond", size=190, fill=VERMILLION, stroke="#ffffff", strokeWidth=1.5, opacity=1
    )
    median_tick = of("median").mark_tick(
        orient="vertical", thickness=3, size=22, color=INK, opacity=1
    )
    texts = haloed(
        of("label", "median"),
        align=alt.ExprRef("datum.side"),
        baseline="middle",
        dx=alt.ExprRef(f"datum.side == 'left' ? {_GAP_PX} : -{_GAP_PX}"),
        fontWeight=alt.ExprRef("datum.bold ? 600 : 400"),
    )
    chart = alt.layer(
        *(text.encode(y="at:Q") for text in texts),
        dots.encode(size=alt.Size("size:Q", scale=None), tooltip=TIP),
        median_tick.encode(tooltip=TIP),
        own.encode(tooltip=TIP),
    ).encode(x=scale_x("Amount [USD]"), y=scale_y("Rank [1]", grid=False, format=",d"))
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
