"""What basal rate and boluses can give in an hour and in four, against what the sites take."""

from functools import cache

import altair as alt
import polars as pl

from subq_toolkit.charts.look import BLUE, GREEN, INK, QUIET, VERMILLION, filled, template
from subq_toolkit.charts.wording import NO_SCALES, amount, count, headline, text_px
from subq_toolkit.dosing.patient_controlled import COUNTING

_WIDTH_PX, _HEIGHT_PX, _PLOT_PX, _NOISE = 460, 260, 400, 1e-9
#: A programmed limit beyond this multiple of all else is told and not drawn to scale.
_FAR, _MARGIN = 1.6, 1.12
#: The parts of a bar, from the axis on.
_STACK = ("basal", "boluses", "held back")
#: What binds, in a reader's words.
_BINDING = {
    "lockout": "the lockout",
    "limit_1h_mg": "the programmed 1 h limit",
    "limit_4h_mg": "the programmed 4 h limit",
}
_ROWS = {
    "kind": pl.String,
    "window_h": pl.Int64,
    "from_ml_per_h": pl.Float64,
    "to_ml_per_h": pl.Float64,
    "boluses": pl.Float64,
    "says": pl.String,
}


def boluses_against_limit_table(
    counted: pl.DataFrame | None,
    *,
    limit_ml_per_h_per_site: float | None = None,
    sites: int = 1,
) -> pl.DataFrame:
    """What the bars of a patient-controlled setting draw.

    Parameters
    ----------
    counted
        What ``dosing.patient_controlled`` returns.
    limit_ml_per_h_per_site, sites
        What a site takes, and how many there are; None where no limit is known. [mL/h/site], [1]

    Returns
    -------
    pl.DataFrame
        ``kind`` (``basal``, ``boluses``: what can be given; ``held back``: by a programmed
        limit; ``programmed``: that limit; ``limit``: of the sites), ``window_h`` [h],
        ``from_ml_per_h`` and ``to_ml_per_h`` (volume in the window / its hours) [mL/h],
        ``boluses`` that the lockout allows in the window [1], ``says`` (what binds; how
        boluses are counted; what the limit is made of).
    """
    rows = []
    for row in [] if counted is None else counted.iter_rows(named=True):
        rows += _bars(row)
    if rows and limit_ml_per_h_per_site is not None:
        takes = float(limit_ml_per_h_per_site * sites)
        each = f": {amount(limit_ml_per_h_per_site)} at each of " if sites > 1 else " at "
        says = f"limit {amount(takes)} mL/h{each}{count(sites, 'site')}"
        rows.append(("limit", None, 0.0, takes, None, says))
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def _bars(row: dict) -> list[tuple]:
    """The stacked bars of one window, from the axis on."""
    window, mg = row["window_h"], row["computed_mg"]
    per_mg = row["computed_ml"] / mg / window if mg else 0.0
    given, most = row["effective_mg"] * per_mg, mg * per_mg
    basal = min(row["basal_mg"] * per_mg, given)
    number = row["boluses"]
    bars = [
        ("basal", window, 0.0, basal, number, row["binding"]),
        ("boluses", window, basal, given, number, row["counted"]),
        ("held back", window, given, most, number, row["binding"]),
    ]
    if row["programmed_mg"] is not None:
        bars.append(
            ("programmed", window, 0.0, row["programmed_mg"] * per_mg, None, row["binding"])
        )
    return bars


def boluses_against_limit_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``boluses_against_limit_table`` as a specification; cheap to make again."""
    rows = table.rows(named=True)
    if not rows:
        empty = headline("No setting to draw yet", "State basal rate, bolus and lockout")
        return filled(_template(), [], empty | NO_SCALES)
    windows: dict[int | None, dict[str, dict]] = {}
    for row in rows:
        windows.setdefault(row["window_h"], {})[row["kind"]] = row
    limit = windows.pop(None, {}).get("limit")
    top = _end(rows)
    drawn = [
        part
        for lane, (window, kinds) in enumerate(windows.items())
        for part in _drawn(lane, window, kinds, top)
    ]
    drawn += [_drawn_limit(limit, len(windows), top)] if limit else []
    spoken = [_spoken(window, kinds) for window, kinds in windows.items()]
    spoken += [limit["says"]] if limit else []
    changes = headline(*_finding(windows, limit), "; ".join(spoken)) | {
        "encoding/x/scale/domain": [0, top],
        "encoding/y/scale/domain": [len(windows) - 0.5, -0.5],
    }
    return filled(_template(), drawn, changes)


def _end(rows: list[dict]) -> float:
    """End of the axis: all that is drawn, and no programmed limit far beyond it. [mL/h]"""
    shown = max(row["to_ml_per_h"] for row in rows if row["kind"] != "programmed")
    near = [row["to_ml_per_h"] for row in rows if row["to_ml_per_h"] <= _FAR * shown]
    return _MARGIN * max(near) or 1.0


def _drawn_limit(limit: dict, lanes: int, top: float) -> dict:
    at, label = limit["to_ml_per_h"], limit["says"]
    side = "right" if at / top * _PLOT_PX > text_px(label) else "left"
    place = {"lane": -0.5, "to_lane": lanes - 0.5, "x": at, "side": side}
    return {"kind": "limit", "label": label} | place


def _finding(windows: dict, limit: dict | None) -> tuple[str, str]:
    given = {window: kinds["boluses"]["to_ml_per_h"] for window, kinds in windows.items()}
    most = max(given.values())
    said = {window: kinds["basal"]["says"] for window, kinds in windows.items()}
    binds = {window: _BINDING.get(name, name) for window, name in said.items()}
    if len(set(binds.values())) == 1:
        told = f"{next(iter(binds.values()))} binds"
    elif "lockout" not in said.values():
        told = "the programmed limits bind"
    else:
        told = ", ".join(f"in {window} h {what} binds" for window, what in binds.items())
    counted = next(iter(windows.values()))["boluses"]["says"]
    how = f"Boluses counted as {counted.replace('_', ' ')}: {COUNTING.get(counted, counted)}"
    if limit is None:
        return f"Up to {amount(most)} mL/h; no limit of the sites is stated; {told}", how
    use = most / limit["to_ml_per_h"]
    share = f"{amount(100 * use, digits=3)} %"
    place = f"{share} of the sites' limit"
    if use >= 1 - _NOISE:
        place = f"above the sites' limit ({share})" if use > 1 + _NOISE else "at the sites' limit"
    return f"Up to {amount(most)} mL/h, {place}; {told}", how


def _spoken(window: int, kinds: dict) -> str:
    basal, boluses, held = (kinds[kind] for kind in _STACK)
    programmed = kinds.get("programmed")
    parts = [
        f"in {window} h: basal {amount(basal['to_ml_per_h'])} mL/h",
        _boluses(boluses, held),
    ]
    parts += [f"programmed limit {amount(programmed['to_ml_per_h'])} mL/h"] if programmed else []
    return ", ".join(parts)


def _boluses(row: dict, held: dict) -> str:
    """Boluses in words, with what a programmed limit leaves of them."""
    number, given, back = row["boluses"], _length(row), _length(held)
    told = f"{amount(number)} bolus{'es' * (number != 1)}"
    if back <= _NOISE:
        return f"{told} {amount(given)} mL/h"
    return f"{told}: {amount(given)} mL/h of {amount(given + back)}"


def _length(row: dict) -> float:
    return row["to_ml_per_h"] - row["from_ml_per_h"]


def _drawn(lane: int, window: int, kinds: dict, top: float) -> list[dict]:
    """Bars of one window with their words: basal above, boluses beneath, the programmed mark."""
    drawn = [{"kind": "window", "lane": lane, "x": 0, "label": f"in {window} h"}]
    for kind in _STACK:
        row = kinds[kind]
        begin, length = row["from_ml_per_h"], _length(row)
        bar = {"lane": lane, "x": begin, "x2": row["to_ml_per_h"]}
        if length > _NOISE:
            drawn.append({"kind": kind} | bar)
        if kind != "held back":
            label = f"basal {amount(length)} mL/h"
            label = label if kind == "basal" else _boluses(row, kinds["held back"])
            fits = begin / top * _PLOT_PX + text_px(label) < _PLOT_PX
            begins = {
                "x": begin if fits else row["to_ml_per_h"],
                "side": "left" if fits else "right",
            }
            drawn.append({"kind": f"{kind} label", "lane": lane, "label": label} | begins)
    if programmed := kinds.get("programmed"):
        at = programmed["to_ml_per_h"]
        label, far = f"programmed {amount(at)} mL/h", at > top
        side = "left" if at / top * _PLOT_PX + text_px(label) < _PLOT_PX else "right"
        place = {"lane": lane, "x": min(at, top), "label": label + " →" * far, "side": side}
        drawn.append({"kind": "programmed", "far": far} | place)
    return drawn


@cache
def _template() -> dict:
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(title="Volume / hours of the window [mL/h]", tickCount=6),
    )
    y = alt.Y(
        "lane:Q",
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(title=None, labels=False, ticks=False, grid=False),
    )
    base = alt.Chart(alt.Data(values=[]))

    def of(kind: str) -> alt.Chart:
        return base.transform_filter(f"datum.kind == '{kind}'")

    def bar(kind: str, **look: object) -> alt.Chart:
        return of(kind).mark_bar(height=26, **look).encode(x2="x2")

    def words(kind: str, **look: object) -> list[alt.Chart]:
        haloes = ({"stroke": "#ffffff", "strokeWidth": 4}, {"color": INK})
        placed = {"align": alt.ExprRef("datum.side"), **look}
        return [of(kind).mark_text(**placed, **halo).encode(text="label:N") for halo in haloes]

    ends = {"dx": alt.ExprRef("datum.side == 'left' ? 2 : -2")}
    lane_name = of("window").mark_text(align="right", baseline="middle", dx=-8)
    tick = (
        of("programmed")
        .transform_filter("!datum.far")
        .mark_tick(orient="vertical", thickness=4, size=32, color=INK, opacity=1)
    )
    casing = of("limit").mark_rule(stroke="#ffffff", strokeWidth=5).encode(y2="to_lane")
    limit = of("limit").mark_rule(stroke=VERMILLION, strokeWidth=2, strokeDash=[6, 4])
    chart = alt.layer(
        bar("basal", fill=BLUE),
        bar("boluses", fill=GREEN, stroke="#ffffff", strokeWidth=1),
        bar("held back", fill="#ffffff", stroke=QUIET, strokeDash=[3, 3]),
        casing,
        limit.encode(y2="to_lane"),
        tick,
        lane_name.encode(text="label:N"),
        *words("basal label", baseline="bottom", dy=-16, **ends),
        *words("boluses label", baseline="top", dy=17, **ends),
        *words("programmed", baseline="bottom", dy=-33, **ends),
        *words("limit", baseline="bottom", dy=-4, fontWeight=600, **ends),
    ).encode(x=x, y=y)
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
