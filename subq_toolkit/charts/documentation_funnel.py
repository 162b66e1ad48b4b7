"""Where charted rows end and why, as a waterfall: table and specification of the chart."""

import polars as pl

from subq_toolkit.administrations import COPY_CHECK
from subq_toolkit.charts.figure import CountedCells
from subq_toolkit.charts.funnel_lanes import (
    LANE_PX,
    LOSSES,
    NAME_PX,
    PAD_PX,
    PLOT_PX,
    funnel_template,
    joints,
    spans_of,
    stage_marks,
    stage_told,
)
from subq_toolkit.charts.layers import whole_ticks
from subq_toolkit.charts.look import chart_table, filled
from subq_toolkit.charts.money_words import (
    caption_of,
    headed,
    nothing_yet,
    percent,
    sentences,
    tally_axis,
)
from subq_toolkit.charts.withheld import withheld_note
from subq_toolkit.charts.wording import count
from subq_toolkit.utilization import BESIDE, NOTHING_INFUSED, STAGES

_FOOT_PX = 16
#: Encounters of a stage, and of each reason; both tell of rows as well. Captions state the coded
#: encounters with an infusion, and all that were not refused whole: what is known beside them
#: would give away the few others.
CELLS = (
    CountedCells("encounters", also=("rows", "share"), kinds=("stage",)),
    CountedCells("encounters", within=("stage",), also=("rows", "share"), kinds=("reason",)),
    CountedCells("without_infusion", also=("encounters",)),
    CountedCells("all_refused", also=("encounters",)),
)
_WORDS = {
    COPY_CHECK: "copy of an earlier row",
    BESIDE: "beside an infusion (other route, bolus)",
    NOTHING_INFUSED: "of encounters without an infusion",
}
_ROWS = {
    "kind": pl.String,
    "stage": pl.String,
    "reason": pl.String,
    "label": pl.String,
    "rows": pl.Int64,
    "encounters": pl.Int64,
    "share": pl.Float64,
    "without_infusion": pl.Int64,
    "all_refused": pl.Int64,
    "says": pl.String,
}


def documentation_funnel_table(funnel: pl.DataFrame | None, *, caption: str = "") -> pl.DataFrame:
    """What the waterfall of charted rows draws.

    Parameters
    ----------
    funnel
        What ``documentation_funnel`` of ``utilization`` returns.
    caption
        Where the numbers are from, e.g. what ``work_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``stage``, ``reason``, ``about``: the caption), ``stage`` (``charted, refused,
        query, refer, coded``), ``reason``, ``label`` (stage or reason in words), ``rows``,
        ``encounters`` [1], ``share`` (rows over charted rows) [1], ``without_infusion``
        (encounters coded without any; beside all that is not refused) [1], ``all_refused``
        (encounters of which every row is refused; beside the charted ones) [1], ``says``.
    """
    if funnel is None or funnel.is_empty():
        return pl.DataFrame(schema=_ROWS)
    rows: list[dict] = []
    given = chart_table(funnel).rows(named=True)
    charted = next(row["rows"] for row in given if row["stage"] == "charted")
    nothing, refused = _unsaid(given)
    for row in given:
        reason, words = row["reason"], _label(row["stage"], row["reason"])
        share = row["rows"] / charted if charted else None
        kind = {"kind": "stage" if reason is None else "reason", "label": words, "share": share}
        if row["stage"] == "charted":
            kind["all_refused"] = refused
        elif row["stage"] != "refused":
            kind["without_infusion"] = nothing
        rows.append(row | kind)
    rows.append({"kind": "about", "says": caption})
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def _unsaid(given: list[dict]) -> tuple[int, int]:
    """Encounters coded without an infusion, and those of which every row is refused."""
    known = {row["stage"]: row["encounters"] or 0 for row in given if row["reason"] is None}
    nothing = sum(row["encounters"] or 0 for row in given if row["reason"] == NOTHING_INFUSED)
    kept = sum(known.get(stage, 0) for stage in ("query", "refer", "coded"))
    return nothing, max(known["charted"] - kept, 0)


def _label(stage: str, reason: str | None) -> str:
    """A stage or a reason in words; a check as what a row fails."""
    if reason is None:
        return stage
    told = _WORDS.get(reason, reason.replace("_", " "))
    return f"failing “{told}”" if stage == "refused" and reason not in _WORDS else told


def documentation_funnel_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``documentation_funnel_table`` as a specification; cheap to make again."""
    rows = table.rows(named=True)
    stages = {row["stage"]: row for row in rows if row["kind"] == "stage"}
    if not stages or stages["charted"]["rows"] == 0:
        empty = nothing_yet("No row is charted yet", "Hand in a table of charted runs")
        return filled(funnel_template(), [], empty)
    spans = spans_of({name: stages[name]["rows"] for name in STAGES})
    top = max(high for _, high in spans.values()) or 1
    left = -NAME_PX / (PLOT_PX - NAME_PX) * top
    height = LANE_PX * len(STAGES) + PAD_PX + _FOOT_PX
    reasons = [row for row in rows if row["kind"] == "reason"]
    spoken = "; ".join(stage_told(row, reasons) for row in stages.values())
    changes = headed(_title(stages, reasons), _qualifier(rows), caption_of(table), spoken) | {
        "height": height,
        "encoding/x/scale/domain": [left, top],
        "encoding/x/axis/labelExpr": tally_axis(top),
        "encoding/x/axis/values": whole_ticks(top, about=4),
        "encoding/y/scale/domain": [height, 0],
    }
    drawn: list[dict] = []
    for at, name in enumerate(STAGES):
        known = stages[name]["rows"] is not None
        own = [row for row in reasons if row["stage"] == name and known]
        drawn += stage_marks(
            stages[name], own, PAD_PX + LANE_PX * (at + 0.5), spans[name], left, top
        )
    return filled(funnel_template(), [*drawn, *joints(stages, spans)], changes)


def _title(stages: dict[str, dict], reasons: list[dict]) -> str:
    coded, charted = stages["coded"], stages["charted"]
    if coded["rows"] is None or charted["rows"] is None:
        return "Where charted rows end; some counts are withheld"
    whole = f"{percent(coded['rows'] / charted['rows'])} of {count(charted['rows'], 'charted row')}"
    told = f"{whole} {'is' if charted['rows'] == 1 else 'are'} coded"
    lost = [row for row in reasons if row["stage"] in LOSSES and row["rows"]]
    if not lost or any(stages[name]["rows"] is None for name in LOSSES):
        return told
    most = max(lost, key=lambda row: row["rows"])
    return f"{told}; what stops most of the others: {most['label']} ({count(most['rows'], 'row')})"


def _qualifier(rows: list[dict]) -> str:
    hidden = any(row["encounters"] is None for row in rows if row["kind"] in ("stage", "reason"))
    return sentences(
        "Rows of charted runs, not encounters; an encounter that waits or is referred does so "
        "with all its rows, and reasons overlap",
        withheld_note() if hidden else "",
    )
