"""How long a plan takes over other numbers of sites: its table, and the specification."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from math import ceil

import altair as alt
import polars as pl

from subq_toolkit.charts.look import BLUE, INK, QUIET, RULE, VERMILLION, filled, template
from subq_toolkit.charts.wording import NO_SCALES, amount, count, headline, lasting, listed
from subq_toolkit.effective import read_parameters
from subq_toolkit.errors import InputError
from subq_toolkit.planning import Plan, plan
from subq_toolkit.units import EDITS, TIME, additional_hour_units

_CODES = read_parameters("codes")
_WIDTH_PX, _HEIGHT_PX = 460, 260
_FEWEST_SHOWN, _MOST_SHOWN, _MOST_STEPS, _MOST_RULES, _MOST_LABELS = 8, 12, 400, 40, 12
_HEADROOM, _SAME_MIN = 1.15, 1e-6
_CAUTION = "Units follow the clinical plan and are no reason to re-time it"
_ROWS = {
    "kind": pl.String,
    "sites": pl.Int64,
    "duration_min": pl.Float64,
    "feasible": pl.Boolean,
    "set_by": pl.String,
    "says": pl.String,
}


def duration_by_sites_table(made: Plan | None) -> pl.DataFrame:
    """What the chart of durations draws.

    The thresholds are those in effect on the plan's date; of more than 400 only some are kept.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``own``: the plan; ``other``: the same over another number of sites;
        ``threshold``: units rise here), ``sites`` [1], ``duration_min`` (of the slowest pump,
        at the rates it can be set to) [min], ``feasible`` (every known limit is kept; null: no
        limit of the rate is known), ``set_by`` (what sets the rate), ``says`` (what is earned
        from a threshold on). A number of sites that cannot be planned has no row.
    """
    if made is None:
        return pl.DataFrame(schema=_ROWS)
    last = max(_FEWEST_SHOWN, made.sites)
    tried = range(max(1, made.pumps, last - _MOST_SHOWN + 1), last + 1)
    rows = [row for sites in tried if (row := _planned(made, sites))]
    longest = max((row[2] for row in rows), default=0.0)
    ordered = made.prescription
    steps = _thresholds(
        ordered.start_at.date(),
        ceil(longest * _HEADROOM),
        capped=ordered.policy.unit_cap == "unlikely_edit",
        begun=ordered.policy.seconds == "count",
    )
    return pl.DataFrame([*rows, *steps], schema=_ROWS, orient="row")


def _planned(made: Plan, sites: int) -> tuple | None:
    own = sites == made.sites
    try:
        one = made if own else plan(replace(made.prescription, sites=sites))
        longest = max(one.programmed_min.values())
    except InputError:
        return None
    return ("own" if own else "other", sites, longest, one.feasible, one.set_by, None)


def _thresholds(day: date, end_min: int, *, capped: bool, begun: bool) -> Iterator[tuple]:
    """Minutes at which units rise, up to ``end_min``, and what they come to."""
    first, further = (_CODES[role].on(day).value for role in ("first_hour", "further_hour"))
    at_least = TIME["initial_hour_at_least"].on(day).value
    more_than = TIME["additional_hour_more_than"].on(day).value
    cap = EDITS["further_hour"].on(day).value if capped else None
    most = additional_hour_units(end_min, more_than=more_than)
    every = ceil(most / _MOST_STEPS) or 1
    minutes = range(end_min + 1)
    steps = [(at_least, f"{first} ×1")]
    steps += [
        (
            bisect_left(
                minutes, units, key=lambda m: additional_hour_units(m, more_than=more_than)
            ),
            f"{first} + {further} ×{units:,}",
        )
        for units in range(1, (most if cap is None else min(most, cap)) + 1, every)
    ]
    for at, earned in steps:
        if at <= end_min:
            says = f"above {at - 1:,} min: {earned}" if begun else f"from {at:,} min: {earned}"
            yield ("threshold", None, float(at - begun), None, None, says)


def duration_by_sites_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``duration_by_sites_table`` as a specification; cheap to make again."""
    rows = table.rows(named=True)
    planned = [row for row in rows if row["kind"] != "threshold"]
    if not planned:
        empty = headline("No duration to draw yet", "A plan says how long it takes at its sites")
        return filled(_template(), [], empty | NO_SCALES)
    top = max(row["duration_min"] for row in planned) * _HEADROOM
    ends = [planned[0]["sites"] - 0.5, planned[-1]["sites"] + 0.5]
    subtitle = f"{'Crossed: exceeds a limit. ' * _any_exceeds(planned)}{_CAUTION}"
    rules = _drawn_rules([row for row in rows if row["kind"] == "threshold"], top, ends)
    changes = headline(_title(planned), subtitle, _spoken(planned, rules)) | {
        "encoding/x/scale/domain": ends,
        "encoding/x/axis/values": [row["sites"] for row in planned],
        "encoding/y/scale/domain": [0, top],
    }
    return filled(_template(), [*rules, *_drawn_points(planned)], changes)


def _any_exceeds(planned: list[dict]) -> bool:
    return any(row["feasible"] is False for row in planned)


def _title(planned: list[dict]) -> str:
    own = next((row for row in planned if row["kind"] == "own"), None)
    if own is None:
        return f"The plan cannot be set on its pump as it stands; {_kept(planned)}"
    takes, sites = lasting(own["duration_min"]), count(own["sites"], "site")
    lengths = [row["duration_min"] for row in planned]
    if len(planned) > 1 and max(lengths) - min(lengths) < _SAME_MIN:
        fixed = own["set_by"] == "rate asked for"
        why = "the rate is fixed by the order" if fixed else f"set by {own['set_by']}"
        return f"{takes} at any number of sites, {why}; {_kept(planned)}"
    exceeds = f", which exceed{'s' * (own['sites'] == 1)} a limit" * (own["feasible"] is False)
    return f"{takes} at {sites}{exceeds}; {_kept(planned)}"


def _kept(planned: list[dict]) -> str:
    kept = [row["sites"] for row in planned if row["feasible"]]
    if not kept:
        known = _any_exceeds(planned)
        return f"no {'number shown keeps every limit' if known else 'limit of the rate is known'}"
    if len(kept) == len(planned):
        return "every known limit is kept"
    one = kept == [1]
    return f"only {listed(kept)} site{'s' * (not one)} keep{'s' * one} every known limit"


def _spoken(planned: list[dict], rules: list[dict]) -> str:
    told = {True: "within every known limit", False: "exceeds a limit", None: "no limit known"}
    points = [
        f"{count(row['sites'], 'site')}: {amount(row['duration_min'])} min, {told[row['feasible']]}"
        for row in planned
    ]
    return "; ".join([*points, *(row["label"] for row in rules if row["label"])])


def _drawn_rules(steps: list[dict], top: float, ends: list[float]) -> list[dict]:
    """Some of the thresholds as rules, and of these some with a label, so that none meet."""
    every = ceil(len(steps) / _MOST_RULES) or 1
    shown = steps[::every]
    apart = top / _MOST_LABELS
    drawn, labelled_at = [], -apart
    for row in shown:
        at = row["duration_min"]
        label = row["says"] if at - labelled_at >= apart else ""
        labelled_at = at if label else labelled_at
        place = {"sites": ends[0], "to": ends[1], "min": at, "label": label, "tip": row["says"]}
        drawn.append({"kind": "rule" if label else "quiet"} | place)
    return drawn


def _drawn_points(planned: list[dict]) -> list[dict]:
    middle = (planned[0]["sites"] + planned[-1]["sites"]) / 2
    points = []
    for row in planned:
        own, at = row["kind"] == "own", row["duration_min"]
        label = f"{amount(at)} min" if own else ""
        points.append(
            {
                "kind": row["kind"],
                "sites": row["sites"],
                "min": at,
                "kept": bool(row["feasible"]),
                "crossed": row["feasible"] is False,
                "label": label,
                "left": own and row["sites"] > middle,
                "tip": f"{count(row['sites'], 'site')}: {amount(at)} min, set by {row['set_by']}",
            }
        )
    return points


@cache
def _template() -> dict:
    x = alt.X(
        "sites:Q",
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(title="Number of sites [1]", format="d", grid=False, values=[]),
    )
    y = alt.Y(
        "min:Q",
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(title="Duration [min]", grid=False, tickCount=6),
    )
    base = alt.Chart(alt.Data(values=[]))
    tip = alt.Tooltip("tip:N", title=" ")
    rules = base.transform_filter("datum.kind == 'rule'")
    rule = rules.mark_rule(stroke=QUIET, strokeDash=[4, 3]).encode(x2="to", tooltip=tip)
    quiet = base.transform_filter("datum.kind == 'quiet'")
    quiet_rule = quiet.mark_rule(stroke=RULE, strokeDash=[2, 4]).encode(x2="to", tooltip=tip)
    rule_label = rules.mark_text(align="left", baseline="middle", dx=6, fontSize=12).encode(
        x="to:Q", text="label:N"
    )
    points = base.transform_filter("isValid(datum.kept)")
    line = points.mark_line(stroke=BLUE, strokeWidth=1, opacity=0.6)
    others = points.transform_filter("datum.kind == 'other'")
    own = points.transform_filter("datum.kind == 'own'")
    fill = alt.condition("datum.kept", alt.value(BLUE), alt.value("#ffffff"))
    dots = others.mark_point(shape="circle", size=90, stroke=BLUE, strokeWidth=1.5, opacity=1)
    own_fill = alt.condition("datum.kept", alt.value(VERMILLION), alt.value("#ffffff"))
    diamond = own.mark_point(shape="diamond", size=220, stroke=VERMILLION, strokeWidth=2, opacity=1)
    cross = points.transform_filter("datum.crossed").mark_point(
        shape="M-.6,-.6L.6,.6M-.6,.6L.6,-.6", size=60, stroke=INK, strokeWidth=1.5, opacity=1
    )
    texts = [
        own.mark_text(
            align=alt.ExprRef("datum.left ? 'right' : 'left'"),
            baseline="bottom",
            dx=alt.ExprRef("datum.left ? 4 : 6"),
            dy=-9,
            fontWeight=600,
            **halo,
        ).encode(text="label:N")
        for halo in ({"stroke": "#ffffff", "strokeWidth": 4, "opacity": 0.9}, {"color": INK})
    ]
    chart = alt.layer(
        quiet_rule,
        rule,
        rule_label,
        line,
        dots.encode(fill=fill, tooltip=tip),
        diamond.encode(fill=own_fill, tooltip=tip),
        cross,
        *texts,
    )
    return template(chart.encode(x=x, y=y), width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
