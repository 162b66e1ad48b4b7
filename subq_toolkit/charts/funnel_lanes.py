"""How charted rows are drawn on their way: a bar for each stage, its number and its reasons."""

from functools import cache

import altair as alt

from subq_toolkit.charts.layers import MOST_TICKS, TIP, haloed, lanes_y, of, scale_x
from subq_toolkit.charts.look import BLUE, INK, QUIET, VERMILLION, template
from subq_toolkit.charts.money_words import percent, plain, tally
from subq_toolkit.charts.withheld import STAR, stars
from subq_toolkit.charts.wording import count, shortened, text_px

LOSSES = ("refused", "query", "refer")
NAME_PX, PLOT_PX, LANE_PX, PAD_PX = 76, 440, 56, 4
_WIDTH_PX, _HEIGHT_PX, _BAR_PX = 460, 260, 26
_NOTE_PX, _MOST_REASONS, _NOTE_LINES = 11, 3, 2
_MEANS = {
    "refused": "unreadable, or a copy",
    "query": "a fact is missing",
    "refer": "a coder decides",
}


def spans_of(rows: dict[str, int | None]) -> dict[str, tuple[float, float]]:
    """Where the bar of each stage lies: losses one after the other, from all rows to the coded.

    Where a loss is not known, those before it are placed from the top and those after it from
    the coded ones, so that no place tells of it.
    """
    known = {name: float(number) for name, number in rows.items() if number is not None}
    losses = sum(known.get(name, 0.0) for name in LOSSES)
    coded = known.get("coded", max(known.get("charted", 0.0) - losses, 0.0))
    top = known.get("charted", coded + losses)
    spans, ends = {"charted": (0.0, top), "coded": (0.0, coded)}, {"top": top, "coded": coded}
    unknown = [name for name in LOSSES if name not in known]
    before = LOSSES[: LOSSES.index(unknown[0])] if unknown else LOSSES
    for name in before:
        spans[name] = (ends["top"] - known[name], ends["top"])
        ends["top"] -= known[name]
    for name in reversed(LOSSES[len(before) :]):
        wide = known.get(name, 0.0)
        spans[name] = (ends["coded"], ends["coded"] + wide)
        ends["coded"] += wide
    return spans


def stage_told(row: dict, reasons: list[dict]) -> str:
    """A stage in words, with its reasons."""
    if row["rows"] is None:
        return f"{row['label']}: withheld"
    share = f" ({percent(row['share'])})" if row["share"] is not None else ""
    whole = f"{row['label']}: {count(row['rows'], 'row')}{share} of "
    whole += _encounters(row)
    own = [
        f"{_number(one)} {plain(one['label'])}" for one in reasons if one["stage"] == row["stage"]
    ]
    return f"{whole}: {', '.join(own)}" if own else whole


def _encounters(row: dict) -> str:
    n = row["encounters"]
    return f"{STAR} encounters" if n is None else count(n, "encounter")


def _number(row: dict) -> str:
    return STAR if row["rows"] is None else tally(row["rows"])


def _note(row: dict, reasons: list[dict]) -> list[str]:
    """The commonest reasons of a stage, as parts of a line."""
    if row["stage"] == "charted":
        return [f"of {_encounters(row)}"]
    parts = [f"{_number(one)} {plain(one['label'])}" for one in reasons[:_MOST_REASONS]]
    more = len(reasons) - _MOST_REASONS
    return [*parts, *[f"{more} more reason{'s' * (more > 1)}"] * (more > 0)]


def stage_marks(
    row: dict, reasons: list[dict], y: float, span: tuple[float, float], left: float, top: float
) -> list[dict]:
    """One stage: its name, its bar, its number, and its commonest reasons."""
    base, px = {"y": y, "tip": stage_told(row, reasons)}, (PLOT_PX - NAME_PX) / top
    loss, known = row["stage"] in LOSSES, row["rows"] is not None
    drawn = [base | {"kind": "name", "x": left, "label": row["label"]}]
    if known and span[1] > span[0]:
        bar = {"kind": "loss" if loss else row["stage"], "x": span[0], "x2": span[1]}
        drawn.append(base | bar)
    if not known:
        drawn.append(base | {"kind": "withheld", "x": sum(span) / 2})
    told, notes = _words(row), _note(row, reasons)
    if not loss:
        inside = text_px(told) + 20 < span[1] * px
        at = {"x": 0 if inside else span[1], "side": "left", "label": told}
        drawn.append(base | at | {"kind": "inside" if inside else "told", "dy": 0})
        under = _two_lines(notes, PLOT_PX - NAME_PX - 8)
        place = {"kind": "note", "x": 0, "side": "left"}
        levels = (_BAR_PX / 2 + 9, _BAR_PX / 2 + 22)
    else:
        # Beside the bar on its left, on its right, or upon it: where there is most room.
        rooms = {"right": span[0], "left": top - span[1], "upon": span[1] - span[0]}
        where = max(rooms, key=rooms.get)
        at = {"x": span[1] if where == "left" else span[0]}
        at |= {"side": "right" if where == "right" else "left"}
        under = _two_lines(notes, rooms[where] * px - 16)
        place = {"kind": "note"} | at
        levels = (1.0, 14.0) if len(under) > 1 else (8.0,)
        lift = -15 if len(under) > 1 else -8 * len(under)
        drawn.append(base | at | {"kind": "told", "label": told, "dy": lift})
    for note, level in zip(under, levels, strict=False):
        drawn.append(base | place | {"label": note, "dy": level})
    return drawn


def _words(row: dict) -> str:
    """The number of a stage, its share, and what it means to be lost there."""
    loss = row["stage"] in LOSSES
    if row["rows"] is None:
        return _MEANS.get(row["stage"], "")
    told = ("−" if loss and row["rows"] else "") + tally(row["rows"])
    if row["stage"] == "charted" or row["share"] is None:
        return f"{told} rows"
    return f"{told} ({percent(row['share'])})" + (f": {_MEANS[row['stage']]}" if loss else "")


def _two_lines(parts: list[str], width_px: float) -> list[str]:
    """Parts of a note on at most two lines, the last one cut where it does not fit."""
    told: list[str] = []
    for part in parts:
        longer = f"{told[-1]}  ·  {part}" if told else part
        if told and text_px(longer, font_px=_NOTE_PX) > width_px and len(told) < _NOTE_LINES:
            told.append(part)
        else:
            told[-1:] = [longer]
    return [shortened(line, width_px=max(width_px, 120), font_px=_NOTE_PX) for line in told]


def joints(stages: dict[str, dict], spans: dict[str, tuple[float, float]]) -> list[dict]:
    """Lines that carry the rows that are left on to the next stage."""
    if any(row["rows"] is None for row in stages.values()):
        return []
    levels = [spans["charted"][1], *(spans[name][0] for name in LOSSES)]
    half = _BAR_PX / 2
    return [
        {"kind": "joint", "x": level, "y": PAD_PX + LANE_PX * (at + 0.5) + half}
        | {"y2": PAD_PX + LANE_PX * (at + 1.5) - half}
        for at, level in enumerate(levels)
    ]


@cache
def funnel_template() -> dict:
    """The chart with neither data nor words."""
    looks = {
        "charted": {"fill": QUIET, "stroke": QUIET},
        "loss": {"fill": "#ffffff", "stroke": VERMILLION},
        "coded": {"fill": BLUE, "stroke": BLUE},
    }
    bars = [
        of(kind).mark_bar(height=_BAR_PX, strokeWidth=2, **look).encode(x2="x2", tooltip=TIP)
        for kind, look in looks.items()
    ]
    joint = of("joint").mark_rule(stroke=QUIET, strokeWidth=1).encode(y2="y2")
    name = of("name").mark_text(align="left", baseline="middle", color=INK, fontWeight=600)
    side = {
        "align": alt.ExprRef("datum.side"),
        "baseline": "middle",
        "dx": alt.ExprRef("datum.side == 'left' ? 8 : -8"),
    }
    lift = alt.ExprRef("datum.dy")
    chart = alt.layer(
        joint,
        *bars,
        name.encode(text="label:N"),
        of("inside").mark_text(**side, color="#ffffff", fontWeight=600).encode(text="label:N"),
        *haloed(of("told"), **side, dy=lift, fontWeight=600),
        *haloed(of("note"), **side, dy=lift, fontSize=_NOTE_PX, color=QUIET),
        stars(),
    ).encode(x=scale_x("Charted rows [1]", tickCount=MOST_TICKS), y=lanes_y())
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
