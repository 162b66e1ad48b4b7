"""The rate at each site over a planned run, against its limit: table and specification."""

from functools import cache

import altair as alt
import polars as pl

from subq_toolkit.charts.look import BLUE, VERMILLION, filled, template
from subq_toolkit.charts.wording import NO_SCALES, amount, count, headline, lasting, text_px
from subq_toolkit.planning import Plan

_WIDTH_PX, _HEIGHT_PX, _PLOT_PX = 460, 260, 390
_LIMIT, _NOISE = "max_ml_per_h_per_site", 1e-9
_MOST_LABELLED, _LABEL_PX = 8, 22
_BASELINES = "{above: 'bottom', below: 'top', left: 'middle'}"
_NOTHING = (None,) * 5
_ROWS = {
    "kind": pl.String,
    "from_min": pl.Float64,
    "to_min": pl.Float64,
    "ml_per_h_per_site": pl.Float64,
    "ml_per_site": pl.Float64,
    "sites": pl.Int64,
    "says": pl.String,
}


def rate_profile_table(plan: Plan | None) -> pl.DataFrame:
    """What the rate profile draws.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``step``: a stretch of one rate; ``limit``: of the rate at a site;
        ``no limit``; ``exceeded``: another limit that is broken; ``about``: what is planned),
        ``from_min`` and ``to_min`` [min], ``ml_per_h_per_site`` (of the step or limit, before
        the pump rounds it) [mL/h/site], ``ml_per_site`` (given in the step) [mL/site],
        ``sites`` [1], ``says`` (standing, or what is meant).
    """
    if plan is None:
        return pl.DataFrame(schema=_ROWS)
    end, sites = plan.duration_min, plan.sites
    rows = [("step", a, b, rate, ml, sites, None) for a, b, rate, ml in plan.stretches]
    for check in plan.checks.iter_rows(named=True):
        if check["limit"] == _LIMIT:
            rows.append(("limit", 0.0, end, check["value"], None, sites, check["standing"]))
        elif not check["within"]:
            rows.append(("exceeded", None, None, None, None, sites, check["label"].lower()))
    if _LIMIT not in plan.checks["limit"]:
        rows.append(("no limit", *_NOTHING, "no limit of the rate at a site is known"))
    about = f"{plan.product['name']}, {amount(plan.volume_ml)} mL"
    if plan.prescription.pump_step_ml_per_h is not None:
        about += " · before the pump rounds down"
    return pl.DataFrame([*rows, ("about", *_NOTHING, about)], schema=_ROWS, orient="row")


def rate_profile_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``rate_profile_table`` as a Vega-Lite specification; cheap to make again."""
    rows = table.rows(named=True)
    steps = [row for row in rows if row["kind"] == "step"]
    limit = next((row for row in rows if row["kind"] == "limit"), None)
    if not steps:
        empty = headline("No rate to draw yet", "A plan says how fast it runs at each site")
        return filled(_template(), [], empty | NO_SCALES)
    end = steps[-1]["to_min"]
    top = 1.25 * max(row["ml_per_h_per_site"] for row in [*steps, limit or steps[0]])
    spoken = "; ".join(
        f"{amount(row['from_min'])} to {amount(row['to_min'])} min: "
        f"{amount(row['ml_per_h_per_site'])} mL/h/site, {amount(row['ml_per_site'])} mL"
        for row in steps
    )
    spoken += f"; {_limit_label(limit)}" if limit else ""
    changes = headline(_title(steps, limit, rows), _subtitle(rows), spoken) | {
        "encoding/x/scale/domain": [0, end * 1.02],
        "encoding/y/scale/domain": [0, top],
    }
    return filled(_template(), _drawn(steps, limit, end, top), changes)


def _title(steps: list[dict], limit: dict | None, rows: list[dict]) -> str:
    fastest = max(row["ml_per_h_per_site"] for row in steps)
    sites = steps[0]["sites"]
    rate = f"{amount(fastest)} mL/h at {'each of ' * (sites > 1)}{count(sites, 'site')}"
    up_to = "at" if len(steps) == 1 else "up to"
    runs = f"Runs {lasting(steps[-1]['to_min'])}{',' * (len(steps) > 1)} {up_to} {rate}"
    if limit is None:
        return f"{runs}: {next(row['says'] for row in rows if row['kind'] == 'no limit')}"
    use = fastest / limit["ml_per_h_per_site"]
    if use > 1 + _NOISE:
        return f"{runs}: above the limit"
    return f"{runs}: {'at' if use >= 1 - _NOISE else 'within'} the limit"


def _subtitle(rows: list[dict]) -> str:
    parts = [row["says"] for row in rows if row["kind"] == "about"]
    exceeded = [row["says"] for row in rows if row["kind"] == "exceeded"]
    return " · ".join([*parts, *([f"exceeded: {', '.join(exceeded)}"] if exceeded else [])])


def _limit_label(limit: dict) -> str:
    return f"limit {amount(limit['ml_per_h_per_site'])} mL/h/site ({limit['says']})"


def _drawn(steps: list[dict], limit: dict | None, end: float, top: float) -> list[dict]:
    """Corners of the profile, labels of steps that have room for one, and the limit."""
    corners = [(row["from_min"], row["ml_per_h_per_site"]) for row in steps]
    drawn = [{"kind": "corner", "at": at, "rate": rate} for at, rate in [*corners, (end, 0.0)]]
    highest = limit["ml_per_h_per_site"] * (1 + _NOISE) if limit else top
    if len(steps) <= _MOST_LABELLED:
        drawn += _step_labels(steps, highest, _PLOT_PX / end, _HEIGHT_PX / top)
    if limit:
        at_limit = {"kind": "limit", "at": 0, "to": end * 1.02, "end": end}
        place = "below" if steps[-1]["ml_per_h_per_site"] > highest else "above"
        rate, label = limit["ml_per_h_per_site"], _limit_label(limit)
        drawn.append(at_limit | {"rate": rate, "label": label, "place": place})
        drawn += [
            {"kind": "over", "at": row["from_min"], "to": row["to_min"], "rate": rate, "top": high}
            for row in steps
            if (high := row["ml_per_h_per_site"]) > highest
        ]
    return drawn


def _step_labels(
    steps: list[dict], highest: float, px_per_min: float, px_per_rate: float
) -> list[dict]:
    """The rate of each step: within it, above it, or left of its corner where it is short."""
    labels, before = [], 0.0
    for row in steps:
        rate, begin, end = row["ml_per_h_per_site"], row["from_min"], row["to_min"]
        text = f"{amount(rate)} mL/h" if len(steps) <= 3 else amount(rate)
        label = {"kind": "label", "rate": rate, "label": text}
        if text_px(text) + 8 < (end - begin) * px_per_min:
            above = rate > highest or rate * px_per_rate < _LABEL_PX
            labels.append(label | {"at": (begin + end) / 2, "place": "above" if above else "below"})
        elif before and (rate - before) * px_per_rate > _LABEL_PX / 2:
            if labels and labels[-1]["place"] == "above":
                labels.pop()
            labels.append(label | {"at": begin, "place": "left"})
        before = rate
    return labels


@cache
def _template() -> dict:
    x = alt.X(
        "at:Q",
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(title="Time since start [min]", grid=False, tickCount=6),
    )
    y = alt.Y(
        "rate:Q",
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(title="Rate at each site [mL/h/site]", tickCount=5),
    )
    base = alt.Chart(alt.Data(values=[]))
    corners = base.transform_filter("datum.kind == 'corner'")
    area = corners.mark_area(fill=BLUE, opacity=0.12, interpolate="step-after")
    line = corners.mark_line(stroke=BLUE, strokeWidth=2.5, interpolate="step-after")
    over = (
        base.transform_filter("datum.kind == 'over'")
        .mark_rect(fill=VERMILLION, opacity=0.2)
        .encode(x2="to", y2="top")
    )
    labels = base.transform_filter("datum.kind == 'label'").mark_text(
        align=alt.ExprRef("datum.place == 'left' ? 'right' : 'center'"),
        baseline=alt.ExprRef(f"({_BASELINES})[datum.place]"),
        dx=alt.ExprRef("datum.place == 'left' ? -5 : 0"),
        dy=alt.ExprRef("({above: -5, below: 7, left: 0})[datum.place]"),
        fontWeight=600,
    )
    limit = base.transform_filter("datum.kind == 'limit'")
    rule = limit.mark_rule(stroke=VERMILLION, strokeWidth=2, strokeDash=[6, 4]).encode(x2="to")
    limit_label = limit.mark_text(
        align="right",
        baseline=alt.ExprRef(f"({_BASELINES})[datum.place]"),
        dx=-5,
        dy=alt.ExprRef("datum.place == 'above' ? -5 : 7"),
    ).encode(x="end:Q")
    texts = [one.encode(text="label:N") for one in (labels, limit_label)]
    chart = alt.layer(area, over, line, rule, *texts).encode(x=x, y=y)
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
