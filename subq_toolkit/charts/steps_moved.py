"""Units by the rules beside units with the steps elsewhere: table and specification."""

from collections.abc import Mapping
from functools import cache

import altair as alt
import polars as pl

from subq_toolkit.charts.figure import CountedCells
from subq_toolkit.charts.layers import MOST_TICKS, TIP, haloed, lanes_y, of, scale_x, whole_ticks
from subq_toolkit.charts.look import BLUE, INK, QUIET, VERMILLION, chart_table, filled, template
from subq_toolkit.charts.money_words import (
    caption_of,
    headed,
    moved,
    nothing_yet,
    sentences,
    tally,
    tally_axis,
)
from subq_toolkit.charts.withheld import stars, withheld_note
from subq_toolkit.charts.wording import count, text_px
from subq_toolkit.utilization import CODES, TOTAL

_WIDTH_PX, _HEIGHT_PX, _LANE_PX, _BAR_PX, _KEY_PX = 460, 260, 46, 13, 26
_NAME_PX, _PLOT_PX = 92, 440
_SHORT = next(code for code, role in CODES.items() if role == "short_infusion")
_WHAT_IF = "A what-if: no payer is known to use these steps"
_STEPS = {"at_least_min": "first hour from", "more_than_min": "further hours past"}
_MOVED = ("units_moved", "difference", "changed")
#: Encounters whose units change; the total is told only where every code is.
CELLS = CountedCells("fewest", also=_MOVED, kinds=("code", "total"))
_WORDS = {
    "first_hour": "first hour",
    "further_hour": "further hours",
    "further_setup": "set-ups",
    "short_infusion": "short",
}
_ROWS = {
    "kind": pl.String,
    "code": pl.String,
    "units_by_rule": pl.Int64,
    "units_moved": pl.Int64,
    "difference": pl.Int64,
    "encounters": pl.Int64,
    "changed": pl.Int64,
    "fewest": pl.Int64,
    "says": pl.String,
}


def steps_moved_table(
    steps: pl.DataFrame | None,
    *,
    at_least_min: int | None = None,
    more_than_min: int | None = None,
    unit_cap: str | int | None = None,
    in_effect: Mapping[str, int | str] | None = None,
    caption: str = "",
) -> pl.DataFrame:
    """What the chart of moved steps draws.

    Parameters
    ----------
    steps
        What ``moved_steps`` returns.
    at_least_min, more_than_min, unit_cap
        The steps and the cap as given to ``moved_steps``. [min], [min], [1]
    in_effect
        What ``steps_in_effect`` returns; None: the rules are not told beside them.
    caption
        Where the numbers are from, e.g. what ``work_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``code``; ``mirror``: the code for short infusions, which gains what the first
        hour loses and is told by it alone; ``total``: all codes; ``steps``: what is moved, in
        words; ``cap``: the cap where that alone is moved; ``about``: the caption), ``code``,
        ``units_by_rule, units_moved, difference`` [1], ``encounters`` (coded) [1], ``changed``
        (of these, whose units change) [1], ``fewest`` (the same; of the total the smallest of
        any code and its own, above zero) [1], ``says``.
    """
    if steps is None or steps.is_empty():
        return pl.DataFrame(schema=_ROWS)
    rows = [row | _kind(row) for row in chart_table(steps).rows(named=True)]
    sizes = [row["changed"] for row in rows if row["changed"]]
    rows[-1]["fewest"] = min(sizes, default=0)
    rule = dict(in_effect or {})
    asked = {"at_least_min": at_least_min, "more_than_min": more_than_min, "unit_cap": unit_cap}
    moves = {name: value for name, value in asked.items() if value not in (None, rule.get(name))}
    told = _told_steps(moves, rule)
    kind = "cap" if list(moves) == ["unit_cap"] else "steps"
    return pl.DataFrame(
        [*rows, {"kind": kind, "says": told}, {"kind": "about", "says": caption}],
        schema=_ROWS,
        orient="row",
    )


def _kind(row: dict) -> dict:
    """The kind of a row, and of the mirrored code nothing but its units by the rules."""
    if row["code"] == _SHORT:
        return {"kind": "mirror"} | dict.fromkeys(_MOVED)
    return {"kind": "total" if row["code"] == TOTAL else "code", "fewest": row["changed"]}


def _mirrored(row: dict, first: dict) -> dict:
    """The short infusions: what first hours lose, they gain, in the same encounters."""
    if row["kind"] != "mirror" or first["difference"] is None:
        return row
    gained = -first["difference"]
    moved_to = {"units_moved": row["units_by_rule"] + gained, "difference": gained}
    return row | moved_to | {"changed": first["changed"]}


def _told_steps(moves: dict, rule: dict) -> str:
    """What is moved, and from where: first hour from 31 min (16 by rule)."""
    told = [
        f"{words} {moves[name]} min" + (f" ({rule[name]} by rule)" if name in rule else "")
        for name, words in _STEPS.items()
        if name in moves
    ]
    return ", ".join([*told, *([_cap(moves["unit_cap"], rule)] if "unit_cap" in moves else [])])


def _cap(cap: str | int, rule: dict) -> str:
    if cap == "none":
        return "no cap on further hours"
    most = rule.get("unlikely_edit") if cap == "unlikely_edit" else cap
    edit = " (the unlikely edit)" if cap == "unlikely_edit" else ""
    return f"at most {'the edit’s' if most is None else most} further hours{edit}"


def steps_moved_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``steps_moved_table`` as a specification; cheap to make again."""
    rows = table.rows(named=True)
    codes = [row for row in rows if row["kind"] in ("code", "mirror")]
    codes = [_mirrored(row, codes[0]) for row in codes]
    total = next((row for row in rows if row["kind"] == "total"), None)
    if not codes or total is None or not total["encounters"]:
        empty = nothing_yet("No encounter is coded yet", _WHAT_IF)
        return filled(_template(), [], empty)
    words = next((row for row in rows if row["kind"] in ("steps", "cap")), None)
    top = max(max(row["units_by_rule"], row["units_moved"] or 0) for row in codes) or 1
    room = max(text_px(_end(row)) for row in codes) + 14
    end = top * (_PLOT_PX - _NAME_PX) / (_PLOT_PX - _NAME_PX - room)
    height = _KEY_PX + _LANE_PX * len(codes) + 4
    left = -_NAME_PX / (_PLOT_PX - _NAME_PX) * end
    spoken = "; ".join(map(_tip, [*codes, total]))
    qualifier = _qualifier(words, total, codes)
    changes = headed(_title(words, total), qualifier, caption_of(table), spoken) | {
        "height": height,
        "encoding/x/scale/domain": [left, end],
        "encoding/x/axis/labelExpr": tally_axis(top),
        "encoding/x/axis/values": whole_ticks(end, about=4),
        "encoding/y/scale/domain": [height, 0],
    }
    drawn = [mark for at, row in enumerate(codes) for mark in _lane(row, at, left)]
    other = "under that cap" if words and words["kind"] == "cap" else "with the steps moved"
    signs = ((0, "■", BLUE, "by the rules"), (130, "□", VERMILLION, other))
    at_top = {"kind": "key", "x": 0, "y": _KEY_PX / 2 - 3}
    key = [at_top | dict(zip(("px", "sign", "ink", "label"), one, strict=True)) for one in signs]
    return filled(_template(), [*key, *drawn], changes)


def _signed(value: int) -> str:
    return f"{'+' if value > 0 else ''}{tally(value)}" if value else "±0"


def _title(words: dict | None, total: dict) -> str:
    told = (words or {}).get("says") or ""
    if not told:
        return f"No step is moved: {count(total['units_by_rule'], 'unit')} by the rules"
    told = f"{told[:1].upper()}{told[1:]}"
    if total["difference"] is None:
        return f"{told}: what changes in all is withheld"
    if not total["difference"]:
        shifted = "units move between codes, their sum stays" if total["changed"] else "no change"
        return f"{told}: {shifted}"
    base = total["units_by_rule"]
    share = f" ({moved(total['difference'] / base)})" if base else ""
    return f"{told}: {_signed(total['difference'])} units{share}"


def _qualifier(words: dict | None, total: dict, codes: list[dict]) -> str:
    n = total["encounters"]
    changed = "" if total["changed"] is None else (
        f"{total['changed']:,} of {count(n, 'coded encounter')} would change"
    )  # fmt: skip
    hidden = any(row["changed"] is None for row in [*codes, total])
    return sentences(
        _WHAT_IF if words and words["kind"] == "steps" and words["says"] else "",
        changed,
        withheld_note() if hidden else "",
    )


def _tip(row: dict) -> str:
    """A code in words."""
    name = "all codes" if row["kind"] == "total" else row["code"]
    if row["units_moved"] is None:
        return f"{name}: {count(row['units_by_rule'], 'unit')} by rule, moved: withheld"
    return (
        f"{name}: {count(row['units_by_rule'], 'unit')} by rule, {row['units_moved']:,} moved "
        f"({_signed(row['difference'])}), {count(row['changed'], 'encounter')} "
        f"change{'s' * (row['changed'] == 1)}"
    )


def _end(row: dict) -> str:
    if row["units_moved"] is None:
        return tally(row["units_by_rule"])
    return f"{tally(row['units_moved'])} ({_signed(row['difference'])})"


def _lane(row: dict, at: int, left: float) -> list[dict]:
    """One code: its name, its units by the rules, and beneath them with the steps moved."""
    middle, tip = _KEY_PX + _LANE_PX * (at + 0.5), _tip(row)
    upper, lower = ({"y": middle + way * (_BAR_PX / 2 + 1.5), "tip": tip} for way in (-1, 1))
    role = CODES.get(row["code"])
    name = {"kind": "name", "x": left, "y": middle, "label": row["code"]}
    drawn = [name | {"about": _WORDS.get(role, ""), "tip": tip}]
    units, other = row["units_by_rule"], row["units_moved"]
    drawn += [upper | {"kind": "rule", "x": 0, "x2": units}] * bool(units)
    drawn.append(upper | {"kind": "told", "x": units, "label": tally(units)})
    if other is None:
        return [*drawn, lower | {"kind": "withheld", "x": 0}]
    drawn += [lower | {"kind": "moved", "x": 0, "x2": other}] * bool(other)
    apart = {"kind": "apart" if row["difference"] else "told", "x": other, "label": _end(row)}
    return [*drawn, lower | apart]


@cache
def _template() -> dict:
    rule = of("rule").mark_bar(height=_BAR_PX, fill=BLUE, stroke=BLUE, strokeWidth=2)
    other = of("moved").mark_bar(height=_BAR_PX, fill="#ffffff", stroke=VERMILLION, strokeWidth=2)
    side = {"align": "left", "baseline": "middle"}
    name = of("name")
    sign = of("key").mark_text(dx=alt.ExprRef("datum.px"), fontSize=16, **side)
    words = of("key").mark_text(dx=alt.ExprRef("datum.px + 17"), **side)
    chart = alt.layer(
        sign.encode(text="sign:N", color=alt.Color("ink:N", scale=None)),
        words.encode(text="label:N"),
        rule.encode(x2="x2", tooltip=TIP),
        other.encode(x2="x2", tooltip=TIP),
        name.mark_text(**side, dy=-7, color=INK, fontWeight=600).encode(text="label:N"),
        name.mark_text(**side, dy=8, color=QUIET, fontSize=11).encode(text="about:N"),
        *haloed(of("told"), **side, dx=6),
        *haloed(of("apart"), **side, dx=6, fontWeight=600),
        stars(),
    ).encode(x=scale_x("Units [1]", tickCount=MOST_TICKS, grid=False), y=lanes_y())
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
