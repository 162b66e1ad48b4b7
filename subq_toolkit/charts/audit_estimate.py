"""What a reviewed sample says of all encounters, in dollars: table and specification."""

import polars as pl

from subq_toolkit.audit.intervals import TOTAL_CONFIDENCE
from subq_toolkit.charts.audit_total_lanes import (
    HEAD_PX,
    LANE_PX,
    PART_PX,
    lane_marks,
    lanes_template,
    part_marks,
    total_told,
    view,
)
from subq_toolkit.charts.figure import CountedCells
from subq_toolkit.charts.look import chart_table, filled
from subq_toolkit.charts.money_words import (
    caption_of,
    headed,
    money,
    money_axis,
    nothing_yet,
    sentences,
)
from subq_toolkit.charts.withheld import withheld_note
from subq_toolkit.charts.wording import NO_SCALES, count
from subq_toolkit.errors import InputError

_SIDES = ("over", "under", "net")
_MOST_STRATA, _LEAST_PX = 20, 60
_USD = ("found_usd", "total_usd", "low_usd", "high_usd")
_TOLD = (*_USD, "note")
#: Encounters reviewed in a stratum and in all, and encounters of a stratum.
CELLS = (
    CountedCells("reviewed", also=_TOLD, kinds=("stratum",)),
    CountedCells("stratum_size", also=("reviewed", *_TOLD), kinds=("stratum",)),
    CountedCells("reviewed", also=_TOLD, kinds=("over",)),
    CountedCells("reviewed", also=_TOLD, kinds=("under",)),
    CountedCells("reviewed", also=_TOLD, kinds=("net",)),
)
_ROWS = {
    "kind": pl.String,
    "side": pl.String,
    "stratum": pl.String,
    "stratum_size": pl.Int64,
    "reviewed": pl.Int64,
    **dict.fromkeys(_USD, pl.Float64),
    "confidence": pl.Float64,
    "note": pl.String,
    "says": pl.String,
}


def audit_estimate_table(
    estimate: pl.DataFrame | None,
    *,
    side: str = "over",
    confidence: float = TOTAL_CONFIDENCE,
    caption: str = "",
) -> pl.DataFrame:
    """What the chart of carried-over totals draws: all three totals, and one of them by stratum.

    Parameters
    ----------
    estimate
        What ``extrapolate`` returns.
    side
        Which total is told by stratum: ``over``, ``under`` or ``net``.
    confidence
        As given to ``extrapolate``.
    caption
        Where the numbers are from, e.g. what ``audit_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``over, under, net``: of all strata; ``stratum``; ``cut``: how many strata are
        left out; ``about``: the caption), ``side``, ``stratum``, ``stratum_size, reviewed``
        [1], ``found_usd, total_usd, low_usd, high_usd`` [USD], ``confidence`` [1], ``note`` (of
        ``extrapolate``), ``says``. The twenty largest strata, largest first; none where there
        is only one, or ``extrapolate`` tells of none.

    Raises
    ------
    InputError
        If there is no such side.
    """
    if side not in _SIDES:
        raise InputError(f"side= is one of {', '.join(_SIDES)}, not {side!r}.")
    if estimate is None or estimate.is_empty():
        return pl.DataFrame(schema=_ROWS)
    given = chart_table(estimate).rows(named=True)
    rows = [row | {"kind": row["side"]} for row in given if row["scope"] == "all"]
    strata = [row for row in given if row["scope"] == "stratum" and row["side"] == side]
    strata.sort(key=lambda row: (-row["stratum_size"], row["stratum"] or ""))
    drawn = strata[:_MOST_STRATA] if len(strata) > 1 else []
    rows += [row | {"kind": "stratum"} for row in drawn]
    if len(strata) > _MOST_STRATA:
        told = f"{count(len(strata) - _MOST_STRATA, 'smaller stratum')} not shown"
        rows.append({"kind": "cut", "says": told.replace("stratums", "strata")})
    rows.append({"kind": "about", "says": caption})
    level = {"confidence": confidence}
    return pl.DataFrame([row | level for row in rows], schema=_ROWS, orient="row")


def audit_estimate_spec(table: pl.DataFrame) -> dict:
    """The chart of an ``audit_estimate_table`` as a specification; cheap to make again."""
    rows = table.rows(named=True)
    totals = [row for row in rows if row["kind"] in _SIDES]
    if not totals:
        empty = nothing_yet("Nothing is carried over yet", "Review a sample, then extrapolate it")
        return filled(lanes_template(), [], empty)
    strata = [row for row in rows if row["kind"] == "stratum"]
    lanes = totals + strata
    low, high = view(lanes)
    top = HEAD_PX + LANE_PX * len(totals)
    height = max(top + (PART_PX + LANE_PX * len(strata)) * bool(strata) + 4, _LEAST_PX)
    spoken = "; ".join(map(total_told, lanes))
    changes = headed(
        _title(totals), _qualifier(rows, totals, strata), caption_of(table), spoken
    ) | {
        "height": height,
        "encoding/x/scale/domain": [low, high],
        "encoding/x/axis/labelExpr": _drawn_only(low, high, lanes),
        "encoding/y/scale/domain": [height, 0],
    }
    if all(row["total_usd"] is None for row in lanes):
        changes |= NO_SCALES
    drawn = part_marks(strata, top, (low, high), height)
    for at, row in enumerate(lanes):
        y = HEAD_PX + LANE_PX * (at + 0.5) + PART_PX * (row["kind"] == "stratum")
        drawn += lane_marks(row, y, (low, high))
    return filled(lanes_template(), drawn, changes)


def _drawn_only(low: float, high: float, lanes: list[dict]) -> str:
    """The axis without numbers beneath names and amounts, where nothing is drawn."""
    names = ("total_usd", "low_usd", "high_usd")
    ends = [0.0, *(row[name] for row in lanes for name in names if row[name] is not None)]
    beyond = f"datum.value < {min(ends)} || datum.value > {max(*ends, 1e-9) * 1.1}"
    return f"{beyond} ? '' : {money_axis(low, high)}"


def _title(totals: list[dict]) -> str:
    by_side = {row["kind"]: row for row in totals}
    over, net = by_side["over"], by_side["net"]
    if over["reviewed"] is None:
        return "Totals carried over are withheld: too few encounters reviewed"
    if over["total_usd"] is None:
        return (
            f"No total yet: {count(over['reviewed'], 'encounter')} reviewed, not in every stratum"
        )
    told = f"About {money(over['total_usd'])} over in all"
    if over["low_usd"] is not None and over["low_usd"] < over["high_usd"]:
        told = f"{told} (lower limit {money(over['low_usd'])})"
    under = by_side["under"]["total_usd"]
    if under is None or net["total_usd"] is None:
        return told
    side = "over" if net["total_usd"] > 0 else "under"
    balance = f"{money(abs(net['total_usd']))} net {side}" if net["total_usd"] else "$0 net"
    return f"{told}; {money(under)} under, {balance}"


def _qualifier(rows: list[dict], totals: list[dict], strata: list[dict]) -> str:
    row = totals[0]
    level = 100 * row["confidence"]
    told = ""
    if row["reviewed"] is not None:
        told = f"{row['reviewed']:,} of {count(row['stratum_size'], 'encounter')} reviewed"
    known = any(one["low_usd"] is not None for one in totals + strata)
    cut = next((one["says"] for one in rows if one["kind"] == "cut"), "")
    hidden = any(one["reviewed"] is None for one in totals + strata)
    note = (row["note"] or "").removesuffix(" No total.").rstrip(".")
    return sentences(
        told,
        f"bars: two-sided {level:.4g} % intervals" if known else "",
        cut,
        withheld_note() if hidden else "",
        note[:1].lower() + note[1:],
    )
