"""When the pumps of one encounter ran: its table, and the specification of its chart."""

from functools import cache
from itertools import pairwise

import altair as alt
import polars as pl

from subq_toolkit.administrations import readable_rows
from subq_toolkit.charts.local_clock import LocalClock
from subq_toolkit.charts.look import BLUE, GREEN, QUIET, VERMILLION, filled, template
from subq_toolkit.encounter import EncounterResult
from subq_toolkit.encounter_facts import counted_runs
from subq_toolkit.infusion_time import MINUTE_US, segments

_COUNTED = "counted"
_LANE_PX, _CROWDED_LANE_PX, _MOST_LABELLED_LANES = 48, 22, 16
_WIDTH_PX, _CHAR_PX, _LANE_NAME_PX = 860, 6.8, 150
_BARS = {
    "lane": pl.String,
    "kind": pl.String,
    "from_ms": pl.Int64,
    "to_ms": pl.Int64,
    "length_us": pl.Int64,
    "says": pl.String,
}
#: Fill, outline and dashes of each kind of bar.
_MARKS = {
    "run": (BLUE, BLUE, [1, 0]),
    "not counted": ("#ffffff", VERMILLION, [4, 3]),
    "counted": (GREEN, GREEN, [1, 0]),
    "known so far": ("#ffffff", GREEN, [4, 3]),
}


def timeline_table(result: EncounterResult | None) -> pl.DataFrame:
    """What the timeline draws: one row per run, counted stretch and pause.

    Returns
    -------
    pl.DataFrame
        ``lane`` (a pump, or ``counted``), ``kind`` (``run``, ``not counted``, ``open``: a time is
        missing, ``counted``, ``known so far``, ``pause``), ``from_ms`` and ``to_ms`` (local clock)
        [ms since 1970], ``length_us`` (elapsed) [µs], ``says`` (written beside the bar).
    """
    if result is None:
        return pl.DataFrame(schema=_BARS)
    intake, policy = result.coded.intake, result.policy
    runs = counted_runs(readable_rows(intake), policy).collect()
    runs = runs.sort("_start_us", "_ends_us", "_row", nulls_last=True)
    clock = LocalClock(intake.zone, result.encounter["service_date"].first())
    bars = [_run_bar(row, clock) for row in runs.iter_rows(named=True)]
    stretches = segments(runs, bridge_min=policy.bridge_pauses_min).rows()
    bars += _counted_bars(stretches, clock, known=result.outcome != "query")
    return pl.DataFrame([bar for bar in bars if bar], schema=_BARS, orient="row")


def _run_bar(row: dict, clock: LocalClock) -> tuple | None:
    start, stop = row["_start_us"], row["_ends_us"]
    known = [moment for moment in (start, stop) if moment is not None]
    if not known:
        return None
    kind, remark = "run", f"{(known[-1] - known[0]) // MINUTE_US} min"
    if not row["_counts"]:
        what = "bolus" if row["mode"] == "bolus" else row["route"] or "route not charted"
        kind, remark = "not counted", f"{what}, not counted"
    elif len(known) == 1:
        missing = "start" if start is None else "stop"
        twice = row["_start_twice"] or row["_stop_twice"]
        kind, remark = "open", f"{missing} {'unsure' if twice else 'not charted'}"
    remark += ", computed stop" * row["_computed"] + ", taken as short" * row["_short"]
    lane = row["route"] if not row["_counts"] and row["route"] else "pump not charted"
    return (
        f"pump {row['pump_id']}" if row["pump_id"] else lane,
        kind,
        clock.ms(known[0]),
        clock.ms(known[-1]),
        known[-1] - known[0],
        " · ".join(part for part in (clock.span(start, stop), remark, row["site"]) if part),
    )


def _counted_bars(stretches: list[tuple], clock: LocalClock, *, known: bool) -> list[tuple]:
    kind = _COUNTED if known else "known so far"
    bars = [(first, last, kind, f"{clock.span(first, last)} · ") for first, last in stretches]
    bars += [(last, first, "pause", "pause ") for (_, last), (first, _) in pairwise(stretches)]
    return [
        (_COUNTED, kind, clock.ms(a), clock.ms(b), b - a, f"{says}{(b - a) // MINUTE_US} min")
        for a, b, kind, says in sorted(bars)
    ]


def timeline_spec(table: pl.DataFrame) -> dict:
    """The timeline of a ``timeline_table`` as a Vega-Lite specification; cheap to make again."""
    rows = table.rows(named=True)
    lanes = list(dict.fromkeys(row["lane"] for row in rows if row["lane"] != _COUNTED))
    lanes += [_COUNTED] if rows else []
    crowded = len(lanes) > _MOST_LABELLED_LANES
    first = min((row["from_ms"] for row in rows), default=0)
    last = max((row["to_ms"] for row in rows), default=0)
    pad = max((last - first) * 0.02, 300_000)
    first, last = int(first - pad), int(last + pad)
    title, subtitle = _finding(table)
    spoken = "; ".join(f"{row['lane']}: {row['says']}" for row in rows)
    changes = {
        "title/text": title,
        "title/subtitle": subtitle,
        "description": f"{title}. {subtitle}. {spoken}." if rows else f"{title}. {subtitle}.",
        "height": (_CROWDED_LANE_PX if crowded else _LANE_PX) * max(len(lanes), 1),
        "encoding/y/scale/domain": lanes or [""],
    }
    labelled = rows if crowded else _labelled(rows, first, last)
    spec = filled(_template(), labelled, changes)
    for layer in spec["layer"]:
        layer["mark"]["yOffset"] = 0 if crowded else layer["mark"]["yOffset"]
        layer["encoding"]["x"]["scale"]["domain"] = [first, last]
        layer["encoding"]["x"]["axis"] |= {"labels": bool(rows), "grid": bool(rows)}
    return spec


def _finding(table: pl.DataFrame) -> tuple[str, str]:
    kinds = table["kind"].to_list()
    if not kinds:
        return "No run to draw yet", "A run needs a date and a start or stop time"
    lengths = dict(table.group_by("kind").agg(pl.col("length_us").sum()).rows())
    counted, paused = lengths.get("counted", 0), lengths.get("pause", 0)
    charted = lengths.get("run", 0)
    pumps = table.filter(pl.col("kind").is_in(["run", "open"]))["lane"].n_unique()
    parts = [f"{charted // MINUTE_US} min charted on {pumps} pump{'s' * (pumps != 1)}"]
    if open_runs := kinds.count("open"):
        title = (
            f"Minutes are not known: {open_runs} run{'s' * (open_runs > 1)} without start or stop"
        )
    elif "known so far" in kinds:
        title = "Minutes are not known before the query is answered"
    elif "counted" not in kinds:
        return "No time counts", "Only subcutaneous runs that are no bolus count"
    else:
        title = f"{counted // MINUTE_US} min with at least one pump running"
        overlap = (charted - counted) // MINUTE_US
        parts += [f"{overlap} min of overlap counted once"] * (overlap > 0)
    parts += [f"{paused // MINUTE_US} min of pauses deducted"] * (paused > 0)
    return title, " · ".join(parts)


def _labelled(rows: list[dict], first: int, last: int) -> list[dict]:
    """The rows with the label that fits beside each bar; the whole text is in the tooltip."""
    lane_px = _CHAR_PX * max((len(row["lane"]) for row in rows), default=0)
    plot_px = _WIDTH_PX - min(lane_px, _LANE_NAME_PX) - 20
    chars = plot_px / _CHAR_PX / (last - first)
    labelled = []
    for lane in dict.fromkeys(row["lane"] for row in rows):
        bars = sorted((row for row in rows if row["lane"] == lane), key=lambda row: row["from_ms"])
        taken = first
        for bar, following in zip(bars, [*bars[1:], None], strict=True):
            at = max(bar["from_ms"], taken)
            until = following["from_ms"] if following else last
            room = int((until - at) * chars)
            if following is None and room < len(bar["says"]):
                at = max(taken, int(last - len(bar["says"]) / chars))
                room = int((last - at) * chars)
            label = _shortened(bar["says"], room)
            taken = at + (len(label) + 1) / chars if label else taken
            labelled.append(bar | {"label": label, "label_ms": at})
    return labelled


def _shortened(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    return f"{text[: room - 1]}…" if room > 4 else ""


@cache
def _template() -> dict:
    clock = (
        "utchours(datum.value) == 0 && utcminutes(datum.value) == 0"
        " ? utcFormat(datum.value, '%b %d') : utcFormat(datum.value, '%H:%M')"
    )
    axis = alt.Axis(title="Local clock [h:min]", labelExpr=clock, tickCount=8, labelFlush=False)
    scale = alt.Scale(type="utc", nice=False, domain=[0, 1])
    when = alt.X("from_ms:T", axis=axis, scale=scale)
    lane = alt.Y(
        "lane:N",
        title=None,
        scale=alt.Scale(domain=[""]),
        axis=alt.Axis(domain=False, ticks=False, labelLimit=150, labelPadding=8),
    )
    kinds = list(_MARKS)
    fill, stroke, dash = ([mark[i] for mark in _MARKS.values()] for i in range(3))
    base = alt.Chart(alt.Data(values=[])).encode(x=when)
    bars = (
        base.transform_filter(alt.FieldOneOfPredicate("kind", kinds))
        .mark_bar(height=15, yOffset=9, strokeWidth=1.5)
        .encode(
            x2="to_ms",
            fill=alt.Fill("kind:N", scale=alt.Scale(domain=kinds, range=fill), legend=None),
            stroke=alt.Stroke("kind:N", scale=alt.Scale(domain=kinds, range=stroke), legend=None),
            strokeDash=alt.StrokeDash(
                "kind:N", scale=alt.Scale(domain=kinds, range=dash), legend=None
            ),
        )
    )
    pauses = (
        base.transform_filter("datum.kind == 'pause'")
        .mark_rule(yOffset=9, strokeDash=[2, 3], stroke=QUIET)
        .encode(x2="to_ms")
    )
    missing = base.transform_filter("datum.kind == 'open'").mark_point(
        yOffset=9,
        shape="triangle-right",
        size=130,
        fill="#ffffff",
        stroke=VERMILLION,
        strokeWidth=2,
        opacity=1,
    )
    labels = base.mark_text(yOffset=-9, align="left", baseline="middle").encode(
        x=alt.X("label_ms:T", axis=axis, scale=scale), text="label:N"
    )
    chart = alt.layer(pauses, bars, missing, labels).encode(
        y=lane, tooltip=alt.Tooltip("says:N", title=" ")
    )
    return template(chart, width_px=_WIDTH_PX, height_px=_LANE_PX)
