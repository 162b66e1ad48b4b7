"""What is billed above and below the chart, by class of error: table and specification."""

import polars as pl

from subq_toolkit.audit.audited_tables import AGREEING, CLASSES, Audited, table_of
from subq_toolkit.audit.error_rates import error_rates, errors_by_class
from subq_toolkit.audit.intervals import RATE_CONFIDENCE
from subq_toolkit.charts.audit_class_bars import (
    KEY_PX,
    LANE_PX,
    bar_marks,
    bars_template,
    keys,
    lane_told,
    stake,
    view,
)
from subq_toolkit.charts.audit_counts import encounters_of, fewest_of
from subq_toolkit.charts.audit_words import (
    caption_for,
    interval_told,
    net_told,
    noun_of,
    rate_told,
    without_price,
)
from subq_toolkit.charts.figure import CountedCells
from subq_toolkit.charts.look import chart_table, filled
from subq_toolkit.charts.money_words import (
    caption_of,
    headed,
    money_axis,
    nothing_yet,
    sentences,
    signed,
)
from subq_toolkit.charts.withheld import withheld_note
from subq_toolkit.charts.wording import NO_SCALES, count

_LEAST_PX = 60
_USD = ("over_usd", "under_usd", "net_usd")
_UNPRICED = ("no_price", "priced", "unpriced")
_ERROR = {"kind": "class", "judgment": "judged", "finding": "error"}
_AGREES = {"kind": "agrees", "judgment": "judged", "finding": "agrees"}
_NOT_JUDGED = {"kind": "not_judged", "judgment": "not judged", "finding": "not judged"}
#: Each side of all would tell of the only class on it that is withheld.
_BOTH_SIDES = {"over_usd": None, "under_usd": None}
_ONLY_IN_ALL = dict.fromkeys(("judged", "rate", "rate_low", "rate_high"))
_SHARE = ("rate", "rate_low", "rate_high")
_TOLD = ("found", *_USD, *_UNPRICED)
#: Encounters of a class (those judged, and among them those with an error, are told in all); those
#: whose error has a price, or none; the same of all errors.
CELLS = (
    CountedCells("fewest", also=(*_TOLD, *_SHARE), kinds=("all",)),
    CountedCells("encounters", within=("judgment", "finding"), also=_TOLD,
                 kinds=("class", "agrees", "not_judged")),
    CountedCells("unpriced", also=("no_price", "priced"), kinds=("class",)),
    CountedCells("unpriced", also=("no_price", "priced"), kinds=("all",)),
    CountedCells("priced", also=(*_USD, *_UNPRICED), kinds=("class",)),
    CountedCells("priced", also=(*_USD, *_UNPRICED), kinds=("all",)),
)  # fmt: skip
_ROWS = {
    "kind": pl.String,
    "of": pl.String,
    "class": pl.String,
    "label": pl.String,
    "judgment": pl.String,
    "finding": pl.String,
    "judged": pl.Int64,
    "found": pl.Int64,
    "encounters": pl.Int64,
    **dict.fromkeys(_SHARE, pl.Float64),
    "confidence": pl.Float64,
    **dict.fromkeys(_USD, pl.Float64),
    "no_price": pl.Int64,
    "priced": pl.Int64,
    "unpriced": pl.Int64,
    "fewest": pl.Int64,
    "says": pl.String,
}


def audit_by_class_table(
    audited: Audited | pl.DataFrame | pl.LazyFrame | None,
    *,
    of: str = "encounters",
    confidence: float = RATE_CONFIDENCE,
    caption: str | None = None,
) -> pl.DataFrame:
    """What the chart of errors by class draws.

    Parameters
    ----------
    audited
        What ``audit`` returned, or the table of it that ``of`` names.
    of
        ``encounters`` (each under its gravest class, with the sum of its lines) or ``lines``.
    confidence
        Of the interval of the rate of all, between 0 and 1.
    caption
        Where the numbers are from; by default what ``audit_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``class``: an error; ``agrees``; ``not_judged``: a class that is in no rate;
        ``all``; ``about``: the caption), ``of``, ``class, label``, ``judgment`` and ``finding``
        (in whose values encounters add up to known totals), ``judged`` (of ``all``), ``found``
        (encounters or lines; of ``all`` the errors), ``encounters`` [1], ``rate, rate_low,
        rate_high`` (of ``all``), ``confidence`` [1], ``over_usd, under_usd`` (of classes),
        ``net_usd`` (null: no price known) [USD], ``no_price`` (errors without a price),
        ``priced, unpriced`` (encounters with an error of a known price, or none), ``fewest``
        (the smaller of the encounters with an error and those that agree) [1], ``says``. Most
        dollars first.

    Raises
    ------
    InputError
        As ``error_rates`` does.
    """
    if audited is None:
        return pl.DataFrame(schema=_ROWS)
    noun_of(of)
    rates = chart_table(error_rates(audited, of=of, confidence=confidence)).row(0, named=True)
    behind = encounters_of(audited, of, pl.col("class"))
    counts = table_of(audited, of).group_by("class").agg(pl.len()).collect()
    found = dict(counts.rows())
    rows = [
        row | behind[row["class"]] | {"found": row["errors"]} | _ERROR | _ONLY_IN_ALL
        for row in chart_table(errors_by_class(audited, of=of)).rows(named=True)
    ]
    for name in CLASSES:
        if found.get(name) and not CLASSES[name]["error"]:
            kind = _AGREES if name in AGREEING else _NOT_JUDGED
            row = {"class": name, "label": CLASSES[name]["label"], "found": found[name]}
            rows.append(row | {"encounters": behind[name]["seen"]} | kind)
    total = rates | behind[None] | {"kind": "all", "found": rates["errors"]} | _BOTH_SIDES
    total["fewest"] = fewest_of(total["with_error"], total["agreeing"])
    rows = [_priced(row) for row in [*rows, total]]
    rows.append({"kind": "about", "says": caption_for(audited, of, caption)})
    same = {"of": of, "confidence": confidence}
    return pl.DataFrame([row | same for row in rows], schema=_ROWS, orient="row")


def _priced(row: dict) -> dict:
    """A row without dollars where no error of it has a known price."""
    unknown = bool(row.get("unpriced")) and not row["priced"]
    return row | dict.fromkeys(_USD) if unknown else row


def audit_by_class_spec(table: pl.DataFrame) -> dict:
    """The chart of an ``audit_by_class_table`` as a specification; cheap to make again."""
    rows = table.rows(named=True)
    total = next((row for row in rows if row["kind"] == "all"), None)
    if total is None or not (total["judged"] or any(row["kind"] == "not_judged" for row in rows)):
        empty = nothing_yet("No charge is held against a chart yet", "Hand in what audit returns")
        return filled(bars_template(), [], empty)
    lanes = [row for row in rows if row["kind"] == "class"]
    lanes.sort(key=lambda row: (row["found"] is None, -stake(row)))
    low, high = view(lanes)
    height = max(KEY_PX + LANE_PX * len(lanes) + 4, _LEAST_PX)
    spoken = "; ".join(map(lane_told, [*lanes, *_others(rows)]))
    changes = headed(
        _title(total, lanes), _qualifier(total, rows, lanes), caption_of(table), spoken
    ) | {
        "height": height,
        "encoding/x/scale/domain": [low, high],
        "encoding/x/axis/labelExpr": money_axis(low, high),
        "encoding/y/scale/domain": [height, 0],
    }
    if not any(stake(row) > 0 for row in lanes):
        changes |= NO_SCALES
    drawn = [mark for at, row in enumerate(lanes) for mark in bar_marks(row, at, (low, high))]
    return filled(bars_template(), [*keys(low), *drawn] if lanes else [], changes)


def _others(rows: list[dict]) -> list[dict]:
    return [row for row in rows if row["kind"] in ("agrees", "not_judged")]


def _title(total: dict, lanes: list[dict]) -> str:
    noun = noun_of(total["of"])
    if not total["judged"]:
        return f"No {noun} could be judged"
    if total["found"] is None:
        return f"How many judged {noun}s have an error is withheld"
    told = interval_told(total, total["confidence"])
    if not total["found"]:
        return f"No error in {count(total['judged'], f'judged {noun}')} ({told})"
    rate = f"{rate_told(total['rate'])} of judged {noun}s have an error ({told})"
    if total["net_usd"] is None:
        withheld = total["priced"] is None or total["priced"] > 0
        return f"{rate}; {'dollars are withheld' if withheld else 'no price is known'}"
    known = [row for row in lanes if stake(row) > 0]
    most = f"; largest: “{known[0]['label']}” ({_most(known[0])})" if known else ""
    hidden = any(row["net_usd"] is None and row["found"] is None for row in lanes)
    most = most.replace("; largest:", "; largest told:") if hidden else most
    return f"{rate}, {net_told(total['net_usd'])}{most}"


def _most(row: dict) -> str:
    """The larger side of a class, with its sign."""
    over, under = row["over_usd"], row["under_usd"]
    return signed(over) if over >= under else signed(-under)


def _qualifier(total: dict, rows: list[dict], lanes: list[dict]) -> str:
    one = "Each encounter counts once, by its gravest error" if total["of"] == "encounters" else (
        "Dollars over and under of lines, not of encounters"
    )  # fmt: skip
    unjudged = [row["found"] for row in rows if row["kind"] == "not_judged"]
    if None in unjudged:
        judged = "some not judged, in no rate"
    else:
        judged = f"{sum(unjudged):,} not judged, in no rate" if unjudged else ""
    hidden = any(None in (row["found"], row["no_price"]) for row in [*lanes, total])
    hidden |= None in unjudged or any(row["found"] is None for row in _others(rows))
    return sentences(
        one if lanes else "",
        without_price(total["no_price"]),
        judged,
        withheld_note() if hidden else "",
    )
