"""Error rates of coders, departments or payers beside that of all: table and specification."""

import polars as pl

from subq_toolkit.audit.audited_tables import NOT_STATED, Audited, stated, table_of
from subq_toolkit.audit.error_rates import error_rates
from subq_toolkit.audit.intervals import RATE_CONFIDENCE, wilson_interval
from subq_toolkit.charts.audit_counts import encounters_of, fewest_of
from subq_toolkit.charts.audit_rate_lanes import (
    HEAD_PX,
    LANE_PX,
    group_told,
    lane_marks,
    lanes_template,
    mean_marks,
    view,
)
from subq_toolkit.charts.audit_words import (
    by_chance,
    caption_for,
    interval_told,
    noun_of,
    rate_told,
    without_price,
)
from subq_toolkit.charts.figure import CountedCells
from subq_toolkit.charts.look import chart_table, filled
from subq_toolkit.charts.money_words import (
    caption_of,
    headed,
    named,
    nothing_yet,
    plain,
    sentences,
)
from subq_toolkit.charts.withheld import withheld_note
from subq_toolkit.charts.wording import NO_SCALES, count
from subq_toolkit.errors import InputError

_MOST_GROUPS, _LEAST_PX = 20, 60
_RATES = ("rate", "rate_low", "rate_high")
_COUNTS = ("judged", "errors", "no_price")
_TOLD = ("errors", *_RATES, "apart", "no_price", "priced", "unpriced", "net_usd")
_CELLS = ("group", "others", "all")
#: Of a group's encounters those with an error, or without; all of them; and those whose error has
#: a price, or none.
CELLS = (
    CountedCells("fewest", also=_TOLD, kinds=_CELLS),
    CountedCells("encounters", also=("judged", "fewest", *_TOLD), kinds=_CELLS),
    CountedCells("unpriced", also=("no_price", "priced"), kinds=_CELLS),
    CountedCells("priced", also=("no_price", "unpriced", "net_usd"), kinds=_CELLS),
)
_ROWS = {
    "kind": pl.String,
    "of": pl.String,
    "group": pl.String,
    "groups": pl.Int64,
    "judged": pl.Int64,
    "errors": pl.Int64,
    "encounters": pl.Int64,
    "fewest": pl.Int64,
    **dict.fromkeys(_RATES, pl.Float64),
    "confidence": pl.Float64,
    "apart": pl.String,
    "net_usd": pl.Float64,
    "no_price": pl.Int64,
    "priced": pl.Int64,
    "unpriced": pl.Int64,
    "says": pl.String,
}


def audit_by_group_table(
    audited: Audited | pl.DataFrame | pl.LazyFrame | None,
    by: str,
    *,
    of: str = "encounters",
    confidence: float = RATE_CONFIDENCE,
    name: str = "",
    caption: str | None = None,
) -> pl.DataFrame:
    """What the chart of error rates by group draws: the twenty with most judged, the rest pooled.

    Parameters
    ----------
    audited
        What ``audit`` returned, or the table of it that ``of`` names.
    by
        One column to keep apart: ``"coder"``, ``"department"``, ``"payer"``.
    of
        ``encounters`` (each judged on its gravest line) or ``lines``.
    confidence
        Of the intervals, between 0 and 1.
    name
        What the groups are, in words; by default the column.
    caption
        Where the numbers are from; by default what ``audit_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``group``; ``others``: those not drawn, together; ``all``; ``by``: what the
        groups are; ``about``: the caption), ``of``, ``group``, ``groups`` (how many are
        together), ``judged, errors`` (encounters or lines), ``encounters`` (judged), ``fewest``
        (the smaller of the encounters with an error and those that agree) [1], ``rate, rate_low,
        rate_high`` (Wilson, see ``error_rates``), ``confidence`` [1], ``apart`` (``above`` or
        ``below``: the interval lies wholly so of the rate of all; else null), ``net_usd``
        (null: no price known) [USD], ``no_price`` (errors without a price), ``priced, unpriced``
        (encounters with an error of a known price, or none) [1], ``says``. Most judged first.

    Raises
    ------
    InputError
        As ``error_rates`` does, or if ``by`` is not one column.
    """
    if audited is None:
        return pl.DataFrame(schema=_ROWS)
    noun_of(of)
    if not isinstance(by, str):
        raise InputError("by= is one column, e.g. 'coder'; draw a chart for each of several.")
    found = chart_table(error_rates(audited, by, of=of, confidence=confidence))
    *groups, total = found.drop("over", "under").rename({by: "group"}).rows(named=True)
    if not groups:
        return pl.DataFrame(schema=_ROWS)
    groups.sort(key=lambda row: (-row["judged"], row["group"] == NOT_STATED, row["group"]))
    kept, rest = groups[:_MOST_GROUPS], [row["group"] for row in groups[_MOST_GROUPS:]]
    other = pl.lit(None, pl.String)
    key = stated(by) if by != "month" else pl.col("service_date").dt.strftime("%Y-%m")
    pooled = pl.when(key.is_in(rest)).then(other).otherwise(key.fill_null(NOT_STATED))
    behind = encounters_of(table_of(audited, of), of, pooled.fill_null(_POOL))
    rows = [row | behind[row["group"]] | {"kind": "group", "groups": 1} for row in kept]
    if rest:
        row = _together(groups[_MOST_GROUPS:], confidence) | behind[_POOL]
        rows.append(row | {"kind": "others", "groups": len(rest)})
    rows.append(total | behind[None] | {"kind": "all", "groups": len(groups)})
    rows = [_finished(row, total) for row in rows]
    rows.append({"kind": "by", "says": plain(name or by)})
    rows.append({"kind": "about", "says": caption_for(audited, of, caption)})
    same = {"of": of, "confidence": confidence}
    return pl.DataFrame([row | same for row in rows], schema=_ROWS, orient="row")


#: Stands for the groups that are not drawn; no text of a group is like it.
_POOL = "\x00others"


def _together(rows: list[dict], confidence: float) -> dict:
    """Groups as one."""
    row = {name: sum(one[name] for one in rows) for name in (*_COUNTS, "net_usd")}
    low, high = wilson_interval(row["errors"], row["judged"], confidence=confidence)
    rate = row["errors"] / row["judged"] if row["judged"] else None
    return row | {"rate": rate, "rate_low": low, "rate_high": high}


def _finished(row: dict, total: dict) -> dict:
    """A row with its side of the rate of all; without dollars where none are known."""
    told = {"fewest": fewest_of(row["with_error"], row["agreeing"])}
    if row["kind"] != "all" and row["rate"] is not None:
        above, below = row["rate_low"] > total["rate"], row["rate_high"] < total["rate"]
        told["apart"] = "above" if above else "below" if below else None
    if row["unpriced"] and not row["priced"]:
        told["net_usd"] = None
    return row | told


def audit_by_group_spec(table: pl.DataFrame) -> dict:
    """The chart of an ``audit_by_group_table`` as a specification; cheap to make again."""
    rows = table.rows(named=True)
    groups = [row for row in rows if row["kind"] == "group"]
    if not groups:
        empty = nothing_yet("No charge is held against a chart yet", "Hand in what audit returns")
        return filled(lanes_template(), [], empty)
    total = next(row for row in rows if row["kind"] == "all")
    groups.sort(key=_place)
    lanes = groups + [row for row in rows if row["kind"] == "others"]
    low, high, ticks = view(lanes)
    height = max(HEAD_PX + LANE_PX * len(lanes) + 4, _LEAST_PX)
    spoken = "; ".join(map(group_told, lanes))
    changes = headed(
        _title(groups, total), _qualifier(rows, groups, total), caption_of(table), spoken
    ) | {
        "height": height,
        "encoding/x/scale/domain": [low, high],
        "encoding/x/axis/values": ticks,
        "encoding/x/axis/title": f"Judged {noun_of(total['of'])}s with an error [%]",
        "encoding/y/scale/domain": [height, 0],
    }
    if all(row["rate"] is None for row in lanes):
        changes |= NO_SCALES
    drawn = [mark for at, row in enumerate(lanes) for mark in lane_marks(row, at, (low, high))]
    return filled(lanes_template(), [*mean_marks(total, height, high), *drawn], changes)


def _place(row: dict) -> tuple[bool, bool, float]:
    """Highest rates first; what is not stated after the others, what is not known last."""
    return row["rate"] is None, row["group"] == NOT_STATED, -(row["rate"] or 0.0)


def _by(rows: list[dict]) -> str:
    return next((row["says"] for row in rows if row["kind"] == "by"), "") or "group"


def _title(groups: list[dict], total: dict) -> str:
    noun = noun_of(total["of"])
    if total["judged"] == 0:
        return f"No {noun} could be judged"
    hidden = any(row["rate"] is None and row["judged"] != 0 for row in groups)
    known = [row for row in groups if row["rate"] is not None]
    if hidden or not known:
        told = "Error rates" if total["rate"] is None else f"{rate_told(total['rate'])} error rate"
        return f"{told} of judged {noun}s; some groups are withheld"
    known = [row for row in known if row["group"] != NOT_STATED] or known
    most, least = known[0], known[-1]
    if len(known) == 1:
        told = interval_told(most, total["confidence"])
        return f"{named(most['group'])}: {rate_told(most['rate'])} with an error ({told})"
    if rate_told(least["rate"]) == rate_told(most["rate"]):
        return f"{rate_told(most['rate'])} of judged {noun}s have an error in every group"
    ends = [f"{rate_told(row['rate'])} ({named(row['group'])})" for row in (least, most)]
    apart = sum(row["apart"] is not None for row in known)
    told = f"{apart} of {len(known)} lie apart from all" if apart else "none lies apart from all"
    return f"Error rates from {' to '.join(ends)}; {told}"


def _qualifier(rows: list[dict], groups: list[dict], total: dict) -> str:
    sides = {row["apart"] for row in groups}
    marks = [f"{mark}: wholly {side}" for side, mark in _MARKS.items() if side in sides]
    others = next((row["groups"] for row in rows if row["kind"] == "others"), 0)
    hidden = any(_withheld(row) for row in rows if row["kind"] in _CELLS)
    level = f"{100 * total['confidence']:.4g} %"
    return sentences(
        f"By {_by(rows)}; bars: {level} intervals",
        ", ".join(marks) + f" ({by_chance(total['confidence'])})" if marks else "",
        f"{count(others, 'group')} with fewer judged drawn together" if others else "",
        without_price(total["no_price"]),
        withheld_note() if hidden else "",
    )


_MARKS = {"above": "diamond", "below": "triangle"}


def _withheld(row: dict) -> bool:
    """Whether a star stands for a number of a group."""
    return row["errors"] is None or (row["net_usd"] is None and row["priced"] != 0)
