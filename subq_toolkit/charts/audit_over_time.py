"""Error rate and dollars over and under by month of service: table and specification."""

from datetime import date, timedelta
from itertools import pairwise

import polars as pl

from subq_toolkit.audit.audited_tables import Audited, table_of
from subq_toolkit.audit.error_rates import error_rates
from subq_toolkit.audit.intervals import RATE_CONFIDENCE
from subq_toolkit.charts.audit_counts import encounters_of, fewest_of
from subq_toolkit.charts.audit_month_panels import (
    HEIGHT_PX,
    month_marks,
    month_told,
    months_template,
    name_of,
    panel_marks,
    view_of,
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
from subq_toolkit.charts.money_words import caption_of, headed, nothing_yet, sentences
from subq_toolkit.charts.withheld import withheld_note
from subq_toolkit.charts.wording import count

_MOST_MONTHS, _MOST_NAMED = 36, 3
_RATES, _USD = ("rate", "rate_low", "rate_high"), ("over_usd", "under_usd")
_TOLD = ("errors", *_RATES, "apart", *_USD, "no_price", "priced", "unpriced")
_CELLS = ("month", "all")
#: Of a month's encounters those with an error, or without; all of them; and those whose error has
#: a price, or none.
CELLS = (
    CountedCells("fewest", also=_TOLD, kinds=_CELLS),
    CountedCells("encounters", also=("judged", "fewest", *_TOLD), kinds=_CELLS),
    CountedCells("unpriced", also=("no_price", "priced"), kinds=_CELLS),
    CountedCells("priced", also=("no_price", "unpriced", *_USD), kinds=_CELLS),
)
_ROWS = {
    "kind": pl.String,
    "of": pl.String,
    "month": pl.Date,
    "judged": pl.Int64,
    "errors": pl.Int64,
    "encounters": pl.Int64,
    "fewest": pl.Int64,
    **dict.fromkeys(_RATES, pl.Float64),
    "confidence": pl.Float64,
    "apart": pl.String,
    "incomplete": pl.Boolean,
    **dict.fromkeys(_USD, pl.Float64),
    "no_price": pl.Int64,
    "priced": pl.Int64,
    "unpriced": pl.Int64,
    "says": pl.String,
}


def audit_over_time_table(
    audited: Audited | pl.DataFrame | pl.LazyFrame | None,
    *,
    of: str = "encounters",
    confidence: float = RATE_CONFIDENCE,
    caption: str | None = None,
) -> pl.DataFrame:
    """What the chart of errors over time draws: the last 36 months of service.

    Parameters
    ----------
    audited
        What ``audit`` returned, or the table of it that ``of`` names.
    of
        ``encounters`` (each judged on its gravest line) or ``lines``.
    confidence
        Of the intervals, between 0 and 1.
    caption
        Where the numbers are from; by default what ``audit_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``month``; ``all``; ``cut``: how many earlier months are left out; ``edge``:
        which months are incomplete, in words; ``about``: the caption), ``of``, ``month`` (first
        day), ``judged, errors`` (encounters or lines), ``encounters`` (judged), ``fewest`` (the
        smaller of the encounters with an error and those that agree) [1], ``rate, rate_low,
        rate_high`` (Wilson, see ``error_rates``), ``confidence`` [1], ``apart`` (``above`` or
        ``below``: the interval lies wholly so of the rate of all; else null), ``incomplete``,
        ``over_usd, under_usd`` (of months; null: no price known) [USD], ``no_price`` (errors
        without a price), ``priced, unpriced`` (encounters with an error of a known price, or
        none) [1], ``says``. By month; months between without service have nothing judged.

    Raises
    ------
    InputError
        As ``error_rates`` does.

    Notes
    -----
    The first and last month are taken as incomplete if more days pass between their edge and
    the nearest day of service than between any two days of service. A convention of ours.
    """
    if audited is None:
        return pl.DataFrame(schema=_ROWS)
    noun_of(of)
    frame = table_of(audited, of)
    found = chart_table(error_rates(audited, "month", of=of, confidence=confidence))
    *months, total = found.rows(named=True)
    first = pl.col("service_date").dt.truncate("1mo")
    behind = encounters_of(frame, of, first)
    days = frame.select(pl.col("service_date").drop_nulls().unique()).collect().to_series().sort()
    if days.is_empty():
        return pl.DataFrame(schema=_ROWS)
    named = {_first_day(row["month"]): row for row in months if row["month"][:1].isdigit()}
    edges = _incomplete(days.to_list())
    every = pl.date_range(min(named), max(named), "1mo", eager=True).to_list()
    rows = []
    for day in every:
        row = named.get(day, _NOTHING) | behind.get(day, dict.fromkeys(behind[None], 0))
        rows.append(row | {"kind": "month", "month": day, "incomplete": day in edges})
    rows = [_finished(row, total) for row in rows]
    last = rows[-_MOST_MONTHS:]
    rows = [*last, _finished(total | behind[None] | {"kind": "all", "month": None}, total)]
    told = [words for day, words in edges.items() if day >= last[0]["month"]]
    cut = count(len(every) - len(last), "earlier month") if len(every) > len(last) else ""
    says = {"cut": cut, "edge": ", ".join(told), "about": caption_for(audited, of, caption)}
    rows += [{"kind": kind, "says": words} for kind, words in says.items()]
    same = {"of": of, "confidence": confidence}
    return pl.DataFrame([row | same for row in rows], schema=_ROWS, orient="row")


_NOTHING = {"judged": 0, "errors": 0, "over_usd": 0.0, "under_usd": 0.0, "no_price": 0}


def _first_day(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def _incomplete(days: list[date]) -> dict[date, str]:
    """The first and last month, in words, if service begins late in them, or ends early."""
    longest = max((b - a for a, b in pairwise(days)), default=timedelta(1))
    first, last = days[0], days[-1]
    after = (last.replace(day=28) + timedelta(4)).replace(day=1)
    found = {}
    if first - (first.replace(day=1) - timedelta(1)) > longest:
        found[first.replace(day=1)] = f"{name_of(first)} from day {first.day} on"
    if after - last > longest:
        begun = found.get(last.replace(day=1), name_of(last)).removesuffix(" on")
        found[last.replace(day=1)] = f"{begun} to day {last.day}"
    return found


def _finished(row: dict, total: dict) -> dict:
    """A row with its side of the rate of all; without dollars where none are known."""
    told = {"fewest": fewest_of(row["with_error"], row["agreeing"])}
    if row["kind"] == "all":
        return row | told | dict.fromkeys(_USD)
    if row["judged"]:
        above, below = row["rate_low"] > total["rate"], row["rate_high"] < total["rate"]
        told["apart"] = "above" if above else "below" if below else None
    unknown = row["unpriced"] and not row["priced"]
    return row | told | (dict.fromkeys(_USD) if unknown else {})


def audit_over_time_spec(table: pl.DataFrame) -> dict:
    """The chart of an ``audit_over_time_table`` as a specification; cheap to make again."""
    rows = table.rows(named=True)
    months = [row for row in rows if row["kind"] == "month"]
    if not months:
        empty = nothing_yet("No month of service is audited yet", "Hand in what audit returns")
        return filled(months_template(), [], empty)
    total = next(row for row in rows if row["kind"] == "all")
    view = view_of(months)
    spoken = "; ".join(map(month_told, months))
    changes = headed(
        _title(months, total), _qualifier(rows, months, total), caption_of(table), spoken
    ) | {
        "height": HEIGHT_PX,
        "encoding/x/scale/domain": [view.left, view.right],
        "encoding/x/axis/values": view.ticks,
        "encoding/y/scale/domain": [HEIGHT_PX, 0],
    }
    noun = noun_of(total["of"])
    drawn = panel_marks(view, total["rate"], f"Judged {noun}s with an error [%]")
    return filled(months_template(), [*drawn, *month_marks(months, view)], changes)


def _title(months: list[dict], total: dict) -> str:
    noun = noun_of(total["of"])
    if total["judged"] == 0:
        return f"No {noun} could be judged"
    if total["rate"] is None:
        return f"Error rates of judged {noun}s are withheld"
    all_told = rate_told(total["rate"])
    known = [row for row in months if row["rate"] is not None]
    if len(known) == 1 and len(months) == 1:
        told = interval_told(known[0], total["confidence"])
        return (
            f"{all_told} of judged {noun}s have an error in {name_of(known[0]['month'])} ({told})"
        )
    hidden = len(known) < sum(row["judged"] != 0 for row in months)
    where = " known" if hidden else ""
    apart = [row for row in known if row["apart"]]
    if not apart:
        return f"Error rate {all_told}; none of {len(known)}{where} months lies apart from it"
    apart.sort(key=lambda row: -abs(row["rate"] - total["rate"]))
    names = [f"{name_of(row['month'])} {rate_told(row['rate'])}" for row in apart[:_MOST_NAMED]]
    more = len(apart) - len(names)
    listed = ", ".join(names) + f" and {more} more" * (more > 0)
    lie = "lies" if len(apart) == 1 else "lie"
    return (
        f"Error rate {all_told}; {len(apart)} of {len(known)}{where} months {lie} apart: {listed}"
    )


def _qualifier(rows: list[dict], months: list[dict], total: dict) -> str:
    says = {row["kind"]: row["says"] for row in rows if row["kind"] in ("cut", "edge")}
    sides = {row["apart"] for row in months}
    marks = [f"{mark}: wholly {side}" for side, mark in _MARKS.items() if side in sides]
    level = f"{100 * total['confidence']:.4g} %"
    hidden = any(row["errors"] is None for row in months)
    hidden |= any(row["over_usd"] is None and row["priced"] != 0 for row in months)
    return sentences(
        f"Band: {level} interval",
        ", ".join(marks) + f" ({by_chance(total['confidence'])})" if marks else "",
        f"incomplete: {says['edge']}" if says.get("edge") else "",
        f"{says['cut']} not shown" if says.get("cut") else "",
        without_price(total["no_price"]),
        "? no price known" if any(row["priced"] == 0 and row["unpriced"] for row in months) else "",
        withheld_note() if hidden else "",
    )


_MARKS = {"above": "diamond", "below": "triangle"}
