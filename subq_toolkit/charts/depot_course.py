"""What waits under the skin during and after a plan, by three models: table, specification."""

from functools import cache

import altair as alt
import numpy as np
import polars as pl

from subq_toolkit.absorption import Capped, FirstOrder, Hybrid, Inflow, full_absorption_h, steps
from subq_toolkit.absorption.full_absorption import NEARLY_ALL
from subq_toolkit.charts.look import BLUE, INK, PURPLE, QUIET, VERMILLION, filled, template
from subq_toolkit.charts.wording import NO_SCALES, amount, headline
from subq_toolkit.planning import Plan

_WIDTH_PX, _HEIGHT_PX = 460, 260
_POINTS, _LONGEST, _SHORTEST = 150, 5.0, 1.05
_LIMIT, _ASSUMED, _NOISE = "max_ml_per_h_per_site", "assumed", 1e-9
#: Share of the height for the curves; above them stand the key and the mark of the pump.
_CURVES = 0.68
_KEY_AT = (0.97, 0.90, 0.83)
#: Colour, dashes and width of each model; where two are the same, both can be seen.
_STROKES = {
    "first_order": (BLUE, [1, 0], 4),
    "capped": (VERMILLION, [2, 3], 2.5),
    "hybrid": (PURPLE, [7, 7], 2.5),
}
_ROWS = {
    "kind": pl.String,
    "model": pl.String,
    "time_h": pl.Float64,
    "depot_ml": pl.Float64,
    "ka_per_h": pl.Float64,
    "limit_ml_per_h_per_site": pl.Float64,
    "says": pl.String,
}


def depot_course_table(
    plan: Plan | None, *, ka_per_h: float | None, limit_ml_per_h_per_site: float | None = None
) -> pl.DataFrame:
    """What waits under the skin over time, at all sites together.

    Parameters
    ----------
    plan
        The planned run.
    ka_per_h
        Share of the depot absorbed per hour, an assumption or from a fit of the drug; None where
        none is known: then there is only the capped model. [1/h]
    limit_ml_per_h_per_site
        Most that a site is thought to absorb; None for the limit of the rate that is in force
        for the plan. Without any there is only the first-order model. [mL/h/site]

    Returns
    -------
    pl.DataFrame
        ``kind`` (``course``: a point of a model's curve; ``peak``: its highest; ``absorbed``:
        all of it is absorbed, or 99 % by models that never end; ``stop``: the pump stops),
        ``model`` (``first_order``, ``capped``, ``hybrid``), ``time_h`` [h], ``depot_ml`` [mL],
        ``ka_per_h`` [1/h], ``limit_ml_per_h_per_site`` [mL/h/site], ``says`` (standing
        of the limit of the rate that is taken for the cap, or ``assumed``).

    Raises
    ------
    InputError
        If a rate or limit is not above 0.
    """
    if plan is None:
        return pl.DataFrame(schema=_ROWS)
    limit, origin = _limit(plan, limit_ml_per_h_per_site)
    models = _models(ka_per_h, limit, plan.sites)
    if not models:
        return pl.DataFrame(schema=_ROWS)
    inflow = _inflow(plan)
    stop = inflow.stretches.end_h
    done = {name: full_absorption_h(inflow, model) for name, model in models.items()}
    times = _times(inflow, done["capped"] if limit is not None else stop, max(done.values()))
    stated = (ka_per_h, limit, origin)
    rows = [("stop", None, stop, None, *stated)]
    for name, model in models.items():
        course = model.depot(inflow, times).select("time_h", "depot_ml").rows()
        rows += [("course", name, *point, *stated) for point in course]
        rows.append(("peak", name, *max(course, key=lambda point: point[1]), *stated))
        rows.append(("absorbed", name, done[name], None, *stated))
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def _models(ka_per_h: float | None, limit: float | None, sites: int) -> dict:
    """The models of which all that they need is known."""
    cap = {"limit_ml_per_h_per_site": limit, "sites": sites}
    models = {} if ka_per_h is None else {"first_order": FirstOrder(ka_per_h=ka_per_h)}
    models |= {} if limit is None else {"capped": Capped(**cap)}
    both = ka_per_h is not None and limit is not None
    return models | ({"hybrid": Hybrid(ka_per_h=ka_per_h, **cap)} if both else {})


def _limit(plan: Plan, stated: float | None) -> tuple[float | None, str]:
    if stated is not None:
        return float(stated), _ASSUMED
    held = plan.checks.filter(pl.col("limit") == _LIMIT).select("value", "standing").rows()
    return held[0] if held else (None, "no limit of the rate at a site is known")


def _inflow(plan: Plan) -> Inflow:
    return steps(
        [((end - begin) / 60, rate * plan.sites) for begin, end, rate, _ in plan.stretches]
    )


def _times(inflow: Inflow, emptied: float, last: float) -> np.ndarray:
    """Times of the curves: even ones, every change of the rate, and where a curve has a bend."""
    stop = inflow.stretches.end_h
    end = min(max(last, stop * _SHORTEST), stop * _LONGEST)
    even = np.linspace(0.0, end, _POINTS - len(inflow.segments))
    return np.unique([*even, *inflow.stretches.from_h, min(emptied, end)])


def depot_course_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``depot_course_table`` as a Vega-Lite specification; cheap to make again."""
    rows = table.select("kind", "model", "time_h", "depot_ml").rows()
    if not rows:
        empty = headline("No depot to draw yet", "A plan says what goes in under the skin")
        return filled(_template(), [], empty | NO_SCALES)
    stop = next(time for kind, _, time, _ in rows if kind == "stop")
    peaks = {model: depot for kind, model, _, depot in rows if kind == "peak"}
    done = {model: time for kind, model, time, _ in rows if kind == "absorbed"}
    courses = [
        {"kind": "course", "model": model, "h": time, "ml": depot}
        for kind, model, time, depot in rows
        if kind == "course"
    ]
    end, top = courses[-1]["h"], max(peaks.values()) / _CURVES or 1.0
    key = {name: _told(name, peaks, done, courses) for name in peaks}
    says = f"pump stops at {amount(stop, digits=3)} h"
    spoken = "; ".join([says, *key.values()])
    changes = headline(_title(peaks, done, stop), _subtitle(table), spoken) | {
        "encoding/x/scale/domain": [0, end],
        "encoding/y/scale/domain": [0, top],
        "encoding/y/axis/values": _ticks(top * _CURVES),
    }
    mark = {"kind": "stop", "h": stop, "ml": 0, "top": (_CURVES + 0.03) * top}
    mark |= {"label": says, "right": stop > end / 2}
    return filled(_template(), [*courses, *_key(key, end, top), mark], changes)


def _key(key: dict[str, str], end: float, top: float) -> list[dict]:
    """The models in words, above all curves, each with a piece of its line."""
    place = {"kind": "key", "h": 0.02 * end, "to": 0.10 * end, "text_h": 0.115 * end}
    return [
        place | {"model": name, "ml": at * top, "label": label}
        for (name, label), at in zip(key.items(), _KEY_AT, strict=False)
    ]


def _title(peaks: dict, done: dict, stop: float) -> str:
    first = amount(peaks.get("first_order", 0.0), digits=3)
    if "capped" not in peaks:
        when = _after(done["first_order"] - stop)
        return f"{first} mL wait under the skin at most; 99 % absorbed {when}"
    if _nothing(peaks["capped"], peaks):
        if "first_order" not in peaks:
            return "Under the cap nothing waits under the skin"
        return f"Under the cap nothing waits; by first order {first} mL at most under the skin"
    waits = f"{amount(peaks['capped'], digits=3)} mL wait under the skin at most"
    return f"Under the cap all is absorbed {_after(done['capped'] - stop)}; {waits}"


def _nothing(ml: float, peaks: dict) -> bool:
    return ml <= _NOISE * max(1.0, *peaks.values())


def _after(hours: float) -> str:
    minutes = round(hours * 60)
    if minutes < 1:
        return "as the pump stops"
    late = f"{minutes} min" if minutes < 120 else f"{amount(hours, digits=3)} h"
    return f"{late} after the pump stops"


def _told(model: str, peaks: dict, done: dict, courses: list[dict]) -> str:
    """A model in the key: its highest depot, and when all of it is absorbed."""
    name = model.replace("_", " ")
    if _nothing(peaks[model], peaks):
        return f"{name}: nothing waits"
    if model == "hybrid" and _same(courses):
        return f"{name}: the same as first order"
    share = "all" if model == "capped" else f"{NEARLY_ALL * 100:g} %"
    most, late = (amount(one, digits=3) for one in (peaks[model], done[model]))
    return f"{name}: {most} mL at most, {share} absorbed at {late} h"


def _same(courses: list[dict]) -> bool:
    """Whether the hybrid model, never at its cap, is the first-order one."""
    depots = {name: [] for name in _STROKES}
    for point in courses:
        depots[point["model"]].append(point["ml"])
    both = zip(depots["first_order"], depots["hybrid"], strict=True)
    most = max(depots["first_order"])
    return all(abs(one - other) <= 1e-6 * most for one, other in both)


def _subtitle(table: pl.DataFrame) -> str:
    ka, limit, origin = table.select("ka_per_h", "limit_ml_per_h_per_site", "says").row(0)
    if limit is None:
        return f"Assumed: ka {amount(ka)} /h; {origin}, so there is no capped model"
    most, known = amount(limit), f"ka {amount(ka)} /h; " if ka is not None else ""
    takes = f"{most} mL/h at most" if origin == _ASSUMED else f"at most its rate limit, {most} mL/h"
    return (
        f"Assumed: {known}a site absorbs {takes}. "
        f"{'Capped and hybrid: modelling devices' if known else 'A modelling device'} without a "
        f"published fit"
    )


def _ticks(highest: float) -> list[float]:
    """Three to six round numbers from 0 up to the highest curve. [mL]"""
    rough = highest / 4
    scale = 10.0 ** np.floor(np.log10(rough))
    step = float(min((one * scale for one in (1, 2, 5, 10)), key=lambda one: abs(one - rough)))
    return [round(number * step, 12) for number in range(int(highest / step + 1e-9) + 1)]


@cache
def _template() -> dict:
    x = alt.X(
        "h:Q",
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(title="Time since start [h]", grid=False, tickCount=6),
    )
    y = alt.Y(
        "ml:Q",
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(title="Under the skin, all sites [mL]", values=[]),
    )
    colour, dash, width = zip(*_STROKES.values(), strict=True)
    look = {
        channel: kind("model:N", legend=None, scale=alt.Scale(domain=list(_STROKES), range=values))
        for channel, kind, values in (
            ("stroke", alt.Stroke, colour),
            ("strokeDash", alt.StrokeDash, dash),
            ("strokeWidth", alt.StrokeWidth, width),
        )
    }
    base = alt.Chart(alt.Data(values=[]))
    courses = base.transform_filter("datum.kind == 'course'").mark_line()
    keys = base.transform_filter("datum.kind == 'key'")
    swatch = keys.mark_rule().encode(x2="to", **look)
    words = keys.mark_text(align="left", baseline="middle").encode(x="text_h:Q", text="label:N")
    stops = base.transform_filter("datum.kind == 'stop'")
    stop = stops.mark_rule(stroke=QUIET, strokeDash=[4, 3]).encode(y2="top")
    stop_label = stops.mark_text(
        align=alt.ExprRef("datum.right ? 'right' : 'left'"),
        baseline="middle",
        dx=alt.ExprRef("datum.right ? -5 : 5"),
        dy=-5,
        color=INK,
    ).encode(y="top:Q", text="label:N")
    chart = alt.layer(stop, courses.encode(**look), swatch, words, stop_label)
    return template(chart.encode(x=x, y=y), width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
