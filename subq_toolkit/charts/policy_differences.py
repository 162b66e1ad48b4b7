"""What other answers to disputed questions would change in units: table and specification."""

from functools import cache

import altair as alt
import polars as pl

from subq_toolkit.charts.figure import CountedCells
from subq_toolkit.charts.layers import TIP, haloed, lanes_y, of, scale_x
from subq_toolkit.charts.look import BLUE, INK, QUIET, VERMILLION, chart_table, filled, template
from subq_toolkit.charts.money_words import (
    caption_of,
    headed,
    nothing_yet,
    percent,
    plain,
    sentences,
    tally,
    tally_axis,
)
from subq_toolkit.charts.withheld import stars, withheld_note
from subq_toolkit.charts.wording import NO_SCALES, count, shortened, text_px
from subq_toolkit.policy import CHOICES

_WIDTH_PX, _HEIGHT_PX, _LEAST_PX, _PLOT_PX = 460, 260, 120, 440
_LANE_PX, _BAR_PX, _PAD_PX = 54, 18, 4
_OUTCOMES = ("coded_difference", "query_difference", "refer_difference")
_TOLD = ("units", "difference", "changed", *_OUTCOMES)
#: Encounters that an answer touches, and the fewest of any number that is told of them.
CELLS = (
    CountedCells("changed", also=(*_TOLD, "fewest"), kinds=("answer",)),
    CountedCells("fewest", also=_TOLD, kinds=("answer",)),
)
_ROWS = {
    "kind": pl.String,
    "choice": pl.String,
    "answer": pl.String,
    "in_force": pl.String,
    "label": pl.String,
    "units": pl.Int64,
    "units_in_force": pl.Int64,
    "difference": pl.Int64,
    **dict.fromkeys(_OUTCOMES, pl.Int64),
    "changed": pl.Int64,
    "fewest": pl.Int64,
    "says": pl.String,
}


def policy_differences_table(effects: pl.DataFrame | None, *, caption: str = "") -> pl.DataFrame:
    """What the chart of policies draws.

    Parameters
    ----------
    effects
        What ``policy_effects`` returns.
    caption
        Where the numbers are from, e.g. what ``work_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``answer``; ``policy``: what is in force, in words; ``about``: the caption),
        ``choice, answer, in_force``, ``label`` (the answer in words), ``units, units_in_force,
        difference`` (of all codes) [1], ``coded_difference, query_difference,
        refer_difference, changed`` (encounters) [1], ``fewest`` (the smallest of these four
        numbers above zero, whatever its sign) [1], ``says``. Largest gain first.
    """
    if effects is None or effects.is_empty():
        return pl.DataFrame(schema=_ROWS)
    sums, kept = ("units", "units_in_force", "difference"), ("in_force", "changed", *_OUTCOMES)
    answers = chart_table(effects).group_by("choice", "answer", maintain_order=True)
    rows: list[dict] = []
    for row in answers.agg(pl.col(sums).sum(), pl.col(kept).first()).rows(named=True):
        sizes = [abs(row[name]) for name in ("changed", *_OUTCOMES) if row[name]]
        told = {"kind": "answer", "fewest": min(sizes, default=0), "label": _label(row)}
        rows.append(row | told)
    rows.sort(key=lambda row: (-row["difference"], -row["changed"]))
    rows += [{"kind": "policy", "says": _policy(rows)}, {"kind": "about", "says": caption}]
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def _label(row: dict) -> str:
    """The answer in words: missing stop: computed."""
    if row["choice"] not in CHOICES:
        return _pauses(row["answer"])
    return f"{row['choice']}: {row['answer']}".replace("_", " ")


def _pauses(minutes: str) -> str:
    return "no pause counted" if minutes == "0" else f"pauses up to {minutes} min counted"


def _in_force(row: dict) -> str:
    told = row["in_force"]
    return told.replace("_", " ") if row["choice"] in CHOICES else _pauses(told)


def _policy(rows: list[dict]) -> str:
    """The policy in force as far as the chart tells of it: where it leaves the default."""
    told = []
    for choice, in_force in dict.fromkeys((row["choice"], row["in_force"]) for row in rows):
        usual = CHOICES[choice]["default"] if choice in CHOICES else "0"
        if in_force != usual:
            told.append(_label({"choice": choice, "answer": in_force}))
    return ", ".join(told) or "the default answers"


def policy_differences_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``policy_differences_table`` as a specification; cheap to make again."""
    rows = table.rows(named=True)
    answers = [row for row in rows if row["kind"] == "answer"]
    if not answers:
        empty = nothing_yet("No other answer to compare yet", "Hand in what policy_effects returns")
        return filled(_template(), [], empty)
    lanes = [row for row in answers if row["changed"] != 0]
    lanes.sort(key=lambda row: row["difference"] is None)
    same = [row for row in answers if row["changed"] == 0]
    low, high = _view(lanes)
    number = tally_axis(max(abs(low), abs(high)))
    height = max(_PAD_PX + _LANE_PX * len(lanes) + 6, _LEAST_PX)
    changes = headed(
        _title(answers), _qualifier(rows, lanes, same), caption_of(table),
        "; ".join(map(_tip, answers)),
    ) | {
        "height": height,
        "encoding/x/scale/domain": [low, high],
        "encoding/x/axis/labelExpr": f"(datum.value > 0 ? '+' : '') + ({number})",
        "encoding/y/scale/domain": [height, 0],
    }  # fmt: skip
    drawn = [mark for at, row in enumerate(lanes) for mark in _lane(row, at, low)]
    if not lanes:
        changes |= NO_SCALES
    return filled(_template(), drawn, changes)


def _view(lanes: list[dict]) -> tuple[float, float]:
    """Ends of the axis: every difference, with room beside it for its labels."""
    known = [row for row in lanes if row["difference"] is not None]
    ends = [row["difference"] for row in known]
    low, high = min([0, *ends]), max([0, *ends])
    if low == high:
        return -1.0, 1.0
    sides = [
        max((_room_px(row) for row in known if (row["difference"] < 0) == left), default=24.0)
        for left in (True, False)
    ]
    per_px = (high - low) / max(_PLOT_PX - sum(sides), _PLOT_PX / 4)
    return low - sides[0] * per_px, high + sides[1] * per_px


def _room_px(row: dict) -> float:
    return max(text_px(_signed(row["difference"])), text_px(_touched(row), font_px=11)) + 14


def _signed(value: int) -> str:
    return f"{'+' if value > 0 else ''}{tally(value)}" if value else "±0"


def _touched(row: dict) -> str:
    return f"{count(row['changed'], 'encounter')} change{'s' * (row['changed'] == 1)}"


def _title(answers: list[dict]) -> str:
    known = [row for row in answers if row["difference"] is not None]
    moving = [row for row in known if row["difference"]]
    left = "; some numbers are withheld" if len(known) < len(answers) else ""
    if not moving:
        return f"No other answer {'is known to' if left else 'would'} change the units{left}"
    most, least = moving[0], moving[-1]
    if len(moving) == 1:
        return f"“{most['label']}” would change units by {_share(most)}{left}"
    ends = " to ".join(f"{_signed(row['difference'])} ({row['label']})" for row in (least, most))
    return f"Another answer would change units by {ends}{left}"


def _share(row: dict) -> str:
    base = row["units_in_force"]
    share = f" ({percent(row['difference'] / base)})" if base else ""
    return f"{_signed(row['difference'])}{share}"


def _qualifier(rows: list[dict], lanes: list[dict], same: list[dict]) -> str:
    policy = next((row["says"] for row in rows if row["kind"] == "policy"), "")
    told = ", ".join(row["label"] for row in same)
    return sentences(
        f"One answer at a time against the policy in force ({policy})",
        f"units and outcomes stay: {told}" if told else "",
        withheld_note() if any(row["difference"] is None for row in lanes) else "",
    )


def _tip(row: dict) -> str:
    """An answer in words, with the outcomes that it changes."""
    name = f"{row['label']} (in force: {_in_force(row)})"
    if row["difference"] is None:
        return f"{name}: withheld"
    if not row["changed"]:
        return f"{name}: no effect"
    moved = ", ".join(
        f"{outcome.removesuffix('_difference')} {_signed(row[outcome])}"
        for outcome in _OUTCOMES
        if row[outcome]
    )
    told = f"{name}: {_signed(row['difference'])} units, {_touched(row)}"
    return f"{told} ({moved})" if moved else told


def _lane(row: dict, at: int, low: float) -> list[dict]:
    """One answer: its words, beneath them its bar from zero, and beside that what it changes."""
    y = _PAD_PX + _LANE_PX * (at + 1) - _BAR_PX / 2 - 8
    base = {"y": y, "tip": _tip(row)}
    told = f"{row['label']}, instead of {_in_force(row)}"
    label = shortened(plain(told), width_px=_PLOT_PX)
    edge = _BAR_PX / 2 + 4
    drawn = [
        base | {"kind": "name", "y": y - _BAR_PX / 2 - 7, "x": low, "label": label},
        {"kind": "zero", "x": 0, "y": y - edge, "y2": y + edge},
    ]
    difference = row["difference"]
    if difference is None:
        return [*drawn, base | {"kind": "withheld", "x": 0}]
    bar = {"kind": "gain" if difference > 0 else "loss"} | dict(
        zip(("x", "x2"), sorted((0, difference)), strict=True)
    )
    side = {"kind": "end", "x": difference, "side": "left" if difference >= 0 else "right"}
    told = {"label": _signed(difference), "touched": _touched(row)}
    return [*drawn, *[base | bar] * bool(difference), base | side | told]


@cache
def _template() -> dict:
    gain = of("gain").mark_bar(height=_BAR_PX, fill=BLUE, stroke=BLUE, strokeWidth=2)
    loss = of("loss").mark_bar(height=_BAR_PX, fill="#ffffff", stroke=VERMILLION, strokeWidth=2)
    zero = of("zero").mark_rule(stroke=INK, strokeWidth=1.5).encode(y2="y2")
    words = {"align": "left", "baseline": "bottom"}
    end = {
        "align": alt.ExprRef("datum.side"),
        "baseline": "middle",
        "dx": alt.ExprRef("datum.side == 'left' ? 7 : -7"),
    }
    chart = alt.layer(
        zero,
        gain.encode(x2="x2", tooltip=TIP),
        loss.encode(x2="x2", tooltip=TIP),
        *haloed(of("name"), **words),
        *haloed(of("end"), dy=-6, **end, fontWeight=600),
        *haloed(of("end"), label="touched", dy=8, **end, fontSize=11, color=QUIET),
        stars(),
    ).encode(x=scale_x("Difference in units of all codes [1]"), y=lanes_y())
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
