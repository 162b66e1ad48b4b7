"""Which share of infusions lasts at most how long, by group; table and specification."""

from itertools import groupby

import polars as pl

from subq_toolkit.charts.duration_curve_marks import (
    PLOT_PX,
    TOP,
    apart,
    curve_marks,
    curves_template,
    end_label,
    end_marks,
    room_px,
    step_marks,
)
from subq_toolkit.charts.figure import CountedCells
from subq_toolkit.charts.look import filled
from subq_toolkit.charts.money_words import (
    caption_of,
    headed,
    named,
    nothing_yet,
    plain,
    sentences,
)
from subq_toolkit.charts.thinned_curves import lines_of, reached_by, thinned
from subq_toolkit.charts.withheld import withheld_note
from subq_toolkit.charts.wording import count
from subq_toolkit.small_cells import LEAST

_MOST_LINES, _SHOWN, _NEARLY_ALL = 4, 0.98, 1.25
_DIGITS, _MOST_TOLD = 9, 5
CELLS = CountedCells(
    "encounters", within=("group",), also=("share", "median_min"), kinds=("curve", "others")
)
_ROWS = {
    "kind": pl.String,
    "group": pl.String,
    "from_min": pl.Int64,
    "minutes": pl.Int64,
    "to_min": pl.Int64,
    "encounters": pl.Int64,
    "share": pl.Float64,
    "median_min": pl.Int64,
    "units": pl.Int64,
    "says": pl.String,
}


def duration_curves_table(
    curve: pl.DataFrame | None,
    steps: list[tuple[int, int]],
    *,
    at_least: int = LEAST,
    caption: str = "",
) -> pl.DataFrame:
    """What the chart of cumulative durations draws: four groups, and the others together.

    Parameters
    ----------
    curve
        What ``duration_curve`` returns.
    steps
        What ``unit_steps`` returns. [(min, units)]
    at_least
        Encounters that each step of a curve stands for, so that it can be published; by default
        ``smallest_count`` of ``parameters/publication.toml``; 1: every encounter is a step.
        Smaller groups are drawn with the others. [1]
    caption
        Where the numbers are from, e.g. what ``work_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``curve``; ``others``: groups drawn together; ``step``: units rise here;
        ``end``: of the axis; ``note``; ``about``: the caption), ``group`` (null: not stated),
        ``from_min, to_min`` (of a step of the curve, both included), ``minutes`` (where it is
        drawn) [min], ``encounters`` so long and their ``share`` of the group, not summed up [1],
        ``median_min`` of the group [min], ``units`` (timed ones from a step on) [1], ``says``.
    """
    if curve is None or curve.is_empty():
        return pl.DataFrame(schema=_ROWS)
    lines, pooled = lines_of(curve, most=_MOST_LINES, at_least=at_least)
    end, longest = reached_by(lines, _SHOWN), lines["minutes"].max()
    end = longest if longest <= _NEARLY_ALL * end else end
    steps = [(at, units) for at, units in steps if at <= end]
    rows: list[dict] = []
    for line in lines.partition_by("line", maintain_order=True):
        median = reached_by(line, 0.5)
        ends = {end, median, *(at - 1 for at, _ in steps)}
        one = {"kind": "curve", "group": line["group"][0], "median_min": median}
        if line["pooled"][0]:
            everyone = not line["line"][0]
            one |= {"kind": "others", "group": _others(pooled, everyone=everyone)}
        n = line["encounters"].sum()
        for step in thinned(line, ends, at_least=at_least):
            rows.append(one | step | {"share": step["encounters"] / n})
    rows += [{"kind": "step", "minutes": at, "units": units} for at, units in steps]
    rows.append({"kind": "end", "minutes": end})
    if at_least > 1:
        note = f"curves in steps of {at_least} encounters or more"
        rows.append({"kind": "note", "says": note})
    rows.append({"kind": "about", "says": caption})
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def _others(pooled: int, *, everyone: bool) -> str:
    if everyone:
        return f"all {pooled:,} groups"
    return "1 other group" if pooled == 1 else f"{pooled:,} other groups"


def duration_curves_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``duration_curves_table`` as a specification; cheap to make again."""
    rows = table.rows(named=True)
    lines = _lines(rows)
    if not lines:
        remedy = "Look at coded.reconcile() to see what became of the rows"
        return filled(
            curves_template(), [], nothing_yet("No coded encounter has minutes yet", remedy)
        )
    steps = [row for row in rows if row["kind"] == "step"]
    end = next(row["minutes"] for row in rows if row["kind"] == "end")
    alone = len(lines) == 1 and lines[0]["kind"] == "curve" and lines[0]["group"] == "all"
    labels = [] if alone else [end_label(_name(line), line) for line in lines]
    room = room_px(labels)
    per_px = max(end, 1) / (PLOT_PX - room)
    labelled = apart(steps, per_px)
    spoken = "; ".join(_told(line, steps) for line in lines)
    qualifier = _qualifier(rows, lines, end)
    changes = headed(_title(lines, steps, alone), qualifier, caption_of(table), spoken) | {
        "encoding/x/scale/domain": [0, max(end, 1) + room * per_px],
        "encoding/x/axis/values": [row["minutes"] for row in labelled],
        "encoding/x/axis/titleX": (PLOT_PX - room) / 2,
        "encoding/y/scale/domain": [0, TOP],
    }
    drawn = [part for row in steps for part in step_marks(row, labelled=row in labelled)]
    drawn += [part for line in lines for part in curve_marks(line, end, _tip(line), alone=alone)]
    return filled(curves_template(), drawn + end_marks(lines, labels, end, per_px), changes)


def _lines(rows: list[dict]) -> list[dict]:
    """Each line with its steps, median and n; None where they are withheld."""
    curves = [row for row in rows if row["kind"] in ("curve", "others")]
    found = []
    groups = groupby(curves, key=lambda row: (row["kind"], row["group"]))
    for at, ((kind, group), own) in enumerate(groups):
        steps = list(own)
        counts = [step["encounters"] for step in steps]
        medians = (step["median_min"] for step in steps)
        found.append(
            {"line": str(at), "kind": kind, "group": group, "steps": steps,
             "n": None if None in counts else sum(counts),
             "median": next((one for one in medians if one is not None), None)}
        )  # fmt: skip
    return found


def _level(line: dict, minutes: int) -> float | None:
    """The share that lasts at most so long; None if a step goes past it or is withheld."""
    steps = line["steps"]
    if any(step["from_min"] <= minutes < step["to_min"] for step in steps):
        return None
    below = [step["share"] for step in steps if step["to_min"] <= minutes]
    above = [step["share"] for step in steps if step["from_min"] > minutes]
    if None not in below:
        return round(sum(below), _DIGITS)
    return None if None in above else round(1 - sum(above), _DIGITS)


def _name(line: dict) -> str:
    return "not stated" if line["group"] is None else plain(line["group"])


def _title(lines: list[dict], steps: list[dict], alone: bool) -> str:
    known = [line for line in lines if line["median"] is not None]
    known = [line for line in known if line["kind"] == "curve"] or known
    if not known:
        return "How long infusions last is withheld"
    if len(known) > 1:
        low, high = (end(known, key=lambda line: line["median"]) for end in (min, max))
        pooled = any(line["kind"] == "others" for line in lines)
        drawn = sum(line["kind"] == "curve" for line in lines)
        of = "the" if drawn == len(known) else f"{len(known)} of the"
        among = f"{of} {drawn} largest groups" if pooled else f"{len(known)} groups"
        if low["median"] == high["median"]:
            return f"Median infusion time is {low['median']:,} min in each of {among}"
        ends = [f"{one['median']:,} min ({named(_name(one))})" for one in (low, high)]
        return f"Median infusion time{f' of {among}' * pooled} runs from {ends[0]} to {ends[1]}"
    line = known[0]
    whose = f" of {named(_name(line))}" if line["kind"] == "curve" and not alone else ""
    if line["n"] == 1:
        return f"The one infusion{whose} lasts {line['median']:,} min"
    told = f"Half of the infusions{whose} last {line['median']:,} min or less"
    second = next((row["minutes"] for row in steps if row["units"] == 2), None)
    level = None if second is None else _level(line, second - 1)
    if level is None:
        return told
    return f"{told}; {_whole(1 - level)} reach a second timed unit ({second} min)"


def _whole(share: float) -> str:
    if 0.995 < share < 1:
        return "over 99 %"
    return "under 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def _qualifier(rows: list[dict], lines: list[dict], end: int) -> str:
    levels, sizes = [_level(line, end) for line in lines], [line["n"] for line in lines]
    past = any(step["to_min"] > end for line in lines for step in line["steps"])
    beyond = f"longer ones than {end:,} min are not drawn" * past
    if past and None not in levels and None not in sizes:
        over = sum(n * (1 - level) for n, level in zip(sizes, levels, strict=True)) / sum(sizes)
        beyond = f"{100 * over:.1f} % last longer than {end:,} min"
    shown = len([line for line in lines if line["kind"] == "curve"])
    pooled = any(line["kind"] == "others" for line in lines)
    steps = any(row["kind"] == "step" for row in rows)
    notes = [row["says"] for row in rows if row["kind"] == "note"]
    known = any(line["median"] is not None for line in lines)
    return sentences(
        "Dashed: 1, 2, 3 … timed units are earned" * steps,
        ("circles: medians" if len(lines) > 1 else "circle: median") * known,
        beyond,
        _apart(shown) if pooled else "",
        *([withheld_note()] if any(line["n"] is None for line in lines) else notes),
    )


def _apart(shown: int) -> str:
    """Which groups have a line of their own, where others have not."""
    if not shown:
        return "groups too small to be drawn apart"
    largest = "the largest group" if shown == 1 else f"the {shown} largest groups"
    return f"{largest}, the others together"


def _tip(line: dict) -> str:
    median = "" if line["median"] is None else f", median {line['median']:,} min"
    n = "withheld" if line["n"] is None else count(line["n"], "encounter")
    return f"{_name(line)}: {n}{median}"


def _told(line: dict, steps: list[dict]) -> str:
    levels = [(row["minutes"], _level(line, row["minutes"] - 1)) for row in steps[:_MOST_TOLD]]
    known = [f"{_whole(1 - level)} {at:,} min" for at, level in levels if level is not None]
    return f"{_tip(line)}" + (f"; reach {', '.join(known)}" if known else "")
