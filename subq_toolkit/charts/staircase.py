"""Where counted minutes stand on the steps of units: its table, and the specification."""

from datetime import date
from functools import cache

import altair as alt
import polars as pl

from subq_toolkit.charts.look import BLUE, INK, VERMILLION, filled, template
from subq_toolkit.effective import Parameter, read_parameters
from subq_toolkit.encounter import EncounterResult
from subq_toolkit.infusion_time import minutes_begun, whole_minutes
from subq_toolkit.units import EDITS, TIME, additional_hour_units, first_hour_units

_CODES = read_parameters("codes")
_HOUR, _LONG_MIN = 60, 480
_WIDTH_PX, _HEIGHT_PX = 460, 260
_STEPS = {
    "kind": pl.String,
    "minutes": pl.Int64,
    "to_minutes": pl.Int64,
    "units": pl.Int64,
    "code": pl.String,
}


def staircase_table(result: EncounterResult | None) -> pl.DataFrame:
    """What the staircase draws, with the thresholds in effect on the date of service.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``begin`` and ``end`` of the view; ``step``: units rise here; ``now``: the
        encounter; ``next``: the way to its next step; ``short``: the code below the first step),
        ``minutes`` and ``to_minutes`` [min], ``units`` of the timed codes, ``code`` that rises.
    """
    capped = result is not None and result.policy.unit_cap == "unlikely_edit"
    day = None if result is None else result.encounter["service_date"].first()
    now = None if result is None else _compared_minutes(result)
    at_least = _in_effect(TIME["initial_hour_at_least"], day)
    more_than = _in_effect(TIME["additional_hour_more_than"], day)
    cap = _in_effect(EDITS["further_hour"], day) if capped else None
    begin = now - 5 * _HOUR if now is not None and now > _LONG_MIN else 0
    end = max(now or 0, 3 * _HOUR) + _HOUR + more_than + 15
    first = _in_effect(_CODES["first_hour"], day)
    further = _in_effect(_CODES["further_hour"], day)

    def units_at(minutes: int) -> int:
        more = additional_hour_units(minutes, more_than=more_than)
        return first_hour_units(minutes, at_least=at_least) + min(
            more, more if cap is None else cap
        )

    last = units_at(begin)
    rows = [("begin", begin, None, last, None)]
    for minutes in range(begin, end + 1):
        if units_at(minutes) > last:
            last = units_at(minutes)
            rows.append(("step", minutes, None, last, first if last == 1 else further))
    rows.append(("end", end, None, last, None))
    rows.append(("short", 0, at_least, 0, _in_effect(_CODES["short_infusion"], day)))
    if now is not None:
        rows.append(("now", now, None, units_at(now), None))
        ahead = next((row for row in rows if row[0] == "step" and row[1] > now), None)
        rows += [("next", now, ahead[1], units_at(now), ahead[4])] if ahead else []
    return pl.DataFrame(rows, schema=_STEPS, orient="row")


def _compared_minutes(result: EncounterResult) -> int | None:
    """Minutes as the policy compares them with a step; None while they are not known. [min]"""
    counted_us = result.coded.facts.select("_counted_us").collect().to_series().first()
    if result.infusion_min is None or counted_us is None:
        return None
    length = minutes_begun if result.policy.seconds == "count" else whole_minutes
    return length(counted_us)


def _in_effect(parameter: Parameter, day: date | None) -> int | str:
    return (parameter.values[-1] if day is None else parameter.on(day)).value


def staircase_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``staircase_table`` as a Vega-Lite specification; cheap to make again."""
    rows = table.rows(named=True)
    kinds = {row["kind"]: row for row in rows}
    steps = [row for row in rows if row["kind"] == "step"]
    now, ahead, begin, end = (kinds.get(kind) for kind in ("now", "next", "begin", "end"))
    title, subtitle = _finding(steps, now, ahead, kinds["short"])
    codes = _timed_codes(steps[-1]["code"])
    changes = {
        "title/text": title,
        "title/subtitle": subtitle,
        "description": f"{title}. {subtitle}.",
    }
    spec = filled(_template(), _labelled([begin, *steps, end], now, ahead), changes)
    for layer in spec["layer"]:
        x, y = layer["encoding"]["x"], layer["encoding"].get("y")
        x["scale"]["domain"] = [begin["minutes"], end["minutes"]]
        x["axis"]["values"] = [row["minutes"] for row in steps]
        if y and "axis" in y:
            y["title"] = f"Timed units ({codes}) [1]"
            y["scale"]["domain"] = [begin["units"], end["units"] + 0.7]
    return spec


def _timed_codes(code: str) -> str:
    """First and further hour as they are numbered where ``code`` is."""
    roles = [read_parameters("codes")[role] for role in ("first_hour", "further_hour")]
    day = next(dated.start for role in roles for dated in role.values if dated.value == code)
    return " + ".join(role.on(day).value for role in roles)


def _finding(
    steps: list[dict], now: dict | None, ahead: dict | None, short: dict
) -> tuple[str, str]:
    at = ", ".join(str(row["minutes"]) for row in steps[:4])
    below = f"below {short['to_minutes']} min: {short['code']} ×1"
    subtitle = f"Units rise at {at} … min; {below}"
    if now is None:
        return "Where units rise; no counted minutes yet", subtitle
    units = now["units"]
    earned = f"{units} timed unit{'s' * (units != 1)}" if units else f"{short['code']} ×1"
    title = f"{now['minutes']} min reach {earned}"
    if ahead:
        title += f"; {ahead['to_minutes'] - now['minutes']} min to the next"
    return title, subtitle


def _labelled(stairs: list[dict], now: dict | None, ahead: dict | None) -> list[dict]:
    drawn = [{"kind": "stair", "minutes": row["minutes"], "units": row["units"]} for row in stairs]
    for row in stairs[1:-1]:
        tip = f"from {row['minutes']} min: {row['units']} timed units ({row['code']})"
        drawn.append(drawn[0] | row | {"kind": "step", "tip": tip})
    if now:
        minutes, left = now["minutes"], stairs[0]["minutes"]
        near = minutes - left < (stairs[-1]["minutes"] - left) / 5
        tip = f"this encounter: {minutes} min, {now['units']} timed units"
        drawn.append(now | {"label": f"{minutes} min", "tip": tip, "near": near})
    if ahead:
        missing = ahead["to_minutes"] - ahead["minutes"]
        drawn.append(ahead | {"label": f"{missing} min to {ahead['to_minutes']}"})
    return drawn


@cache
def _template() -> dict:
    x = alt.X(
        "minutes:Q",
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(title="Counted minutes [min]", grid=True, gridDash=[2, 3], values=[0]),
    )
    y = alt.Y(
        "units:Q",
        title="",
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(tickMinStep=1, format="d", grid=False),
    )
    base = alt.Chart(alt.Data(values=[])).encode(x=x, y=y)
    stair = base.transform_filter("datum.kind == 'stair'").mark_line(
        interpolate="step-after", stroke=BLUE, strokeWidth=2.5
    )
    steps = (
        base.transform_filter("datum.kind == 'step'")
        .mark_point(shape="circle", size=40, fill="#ffffff", stroke=BLUE, strokeWidth=2, opacity=1)
        .encode(tooltip=alt.Tooltip("tip:N", title=" "))
    )
    way = (
        base.transform_filter("datum.kind == 'next'")
        .mark_rule(stroke=VERMILLION, strokeWidth=2.5, strokeDash=[5, 3])
        .encode(x2="to_minutes")
    )
    way_label = (
        base.transform_filter("datum.kind == 'next'")
        .mark_text(align="left", baseline="top", dx=4, dy=9, color=INK)
        .encode(text="label:N")
    )
    dot = (
        base.transform_filter("datum.kind == 'now'")
        .mark_point(shape="diamond", size=190, fill=VERMILLION, stroke="#ffffff", opacity=1)
        .encode(tooltip=alt.Tooltip("tip:N", title=" "))
    )
    dot_label = (
        base.transform_filter("datum.kind == 'now'")
        .mark_text(
            align=alt.ExprRef("datum.near ? 'left' : 'right'"),
            baseline="bottom",
            dx=alt.ExprRef("datum.near ? 4 : -6"),
            dy=-9,
            fontWeight=600,
            color=INK,
        )
        .encode(text="label:N")
    )
    chart = alt.layer(stair, steps, way, way_label, dot, dot_label)
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
