"""What minutes of charting error are worth: table and specification of the chart."""

from functools import cache

import altair as alt
import polars as pl

from subq_toolkit.charts.layers import TIP, haloed, of, scale_x, scale_y
from subq_toolkit.charts.look import BLUE, INK, QUIET, VERMILLION, chart_table, filled, template
from subq_toolkit.charts.money_words import (
    caption_of,
    cents,
    headed,
    money,
    money_axis,
    no_price,
    nothing_yet,
    percent,
    sentences,
    signed,
    unit_count,
    unpriced,
)
from subq_toolkit.charts.wording import text_px

_WIDTH_PX, _HEIGHT_PX, _PLOT_PX = 460, 260, 375
_NEAR_PX, _FAR_PX, _LEVEL_PX = 12, 28, 34
_MOST_SPOKEN = 41
_LABELLED, _CAUTION = (5, 10), "Values charting accuracy; no reason to re-time an infusion"
_ROWS = {
    "kind": pl.String,
    "error_min": pl.Int64,
    "units": pl.Float64,
    "expected_usd": pl.Float64,
    "units_difference": pl.Float64,
    "difference_usd": pl.Float64,
    "units_without_price": pl.Float64,
    "says": pl.String,
}


def charting_error_curve_table(
    errors: pl.DataFrame | None, *, units_without_price: float = 0.0, caption: str = ""
) -> pl.DataFrame:
    """What the curve of charting errors draws.

    Parameters
    ----------
    errors
        What ``charting_error`` returns.
    units_without_price
        How many units are in none of the amounts, for want of a price. [1]
    caption
        Where the numbers are from, e.g. what ``terms_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``error``, ``about``: the caption), ``error_min`` [min], ``units`` [1],
        ``expected_usd`` [USD], ``units_difference`` [1], ``difference_usd`` [USD] (both to no
        error), ``units_without_price`` (of ``about``) [1], ``says``.
    """
    if errors is None or errors.is_empty():
        return pl.DataFrame(schema=_ROWS)
    columns = list(_ROWS)[1:6]
    rows = [("error", *row, None, None) for row in chart_table(errors).select(columns).rows()]
    rows.append(("about", *(None,) * 5, float(units_without_price), caption))
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def charting_error_curve_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``charting_error_curve_table`` as a specification; cheap to make again."""
    rows = table.filter(pl.col("kind") == "error").sort("error_min").rows(named=True)
    if not rows:
        empty = nothing_yet("No charting error to draw yet", _CAUTION)
        return filled(_template(), [], empty)
    without, caption = table.row(-1, named=True)["units_without_price"] or 0.0, caption_of(table)
    if without and not any(row["expected_usd"] for row in rows):
        return filled(_template(), [], no_price(without, caption))
    usd = [0.0, *(row["difference_usd"] for row in rows)]
    low, high = _padded(min(usd), max(usd))
    first, last = rows[0]["error_min"], rows[-1]["error_min"]
    every = 1 if len(rows) <= _MOST_SPOKEN else 5
    spoken = "; ".join(
        _tip(row) for row in rows if row["error_min"] and not row["error_min"] % every
    )
    qualifier = sentences(_CAUTION, unpriced(without))
    changes = headed(_title(rows), qualifier, caption, spoken) | {
        "encoding/x/scale/domain": [first - 0.6, last + 0.6],
        "encoding/y/scale/domain": [low, high],
        "encoding/y/axis/labelExpr": money_axis(low, high),
    }
    zero = {"kind": "zero", "x": first - 0.6, "x2": last + 0.6, "y": 0}
    return filled(_template(), [zero, *_drawn(rows, _PLOT_PX / (last - first + 1.2))], changes)


def _padded(low: float, high: float) -> tuple[float, float]:
    pad = 0.2 * (high - low) or 1.0
    return low - pad, high + pad


def _labelled(rows: list[dict]) -> set[int]:
    """Minutes with a label: ±5 and ±10, or the ends where these are not shown."""
    there = {row["error_min"] for row in rows}
    wanted = {sign * minutes for minutes in _LABELLED for sign in (-1, 1)} & there
    return wanted or {rows[0]["error_min"], rows[-1]["error_min"]} - {0}


def _title(rows: list[dict]) -> str:
    by = {row["error_min"]: row for row in rows}
    minutes = min((abs(one) for one in _labelled(rows)), default=0)
    base = by[0]["expected_usd"] if 0 in by else 0.0
    told = [
        f"{minutes} min too {way} {_worth(by[error]['difference_usd'], base)}"
        for error, way in ((-minutes, "short"), (minutes, "long"))
        if minutes and error in by
    ]
    return f"Charted {', '.join(told)}" if told else "Without an error nothing is gained or lost"


def _worth(usd: float, base: float) -> str:
    if not usd:
        return "changes nothing"
    share = f" ({percent(usd / base)})" if base else ""
    return f"{'claims' if usd > 0 else 'loses'} {money(abs(usd))}{share}{' too much' * (usd > 0)}"


def _minutes(error: int) -> str:
    return f"{'+' if error > 0 else '−' if error < 0 else ''}{abs(error)} min"


def _tip(row: dict) -> str:
    """An error in words, with units and money."""
    units, usd = row["units_difference"], row["difference_usd"]
    sign = {True: "+", False: "−"}[units >= 0] if units else "±"
    exact = f"{'+' if usd > 0 else ''}{cents(usd)}" if usd else "±$0"
    return f"{_minutes(row['error_min'])}: {sign}{unit_count(abs(units))} units, {exact}"


def _drawn(rows: list[dict], px_per_min: float) -> list[dict]:
    """A bar for each minute of error; at some of them a label across the zero line."""
    labelled, drawn = _labelled(rows), []
    labels = [signed(row["difference_usd"]) for row in rows if row["error_min"] in labelled]
    wide = max(map(text_px, labels), default=0.0) + 6
    for row in rows:
        usd, error = row["difference_usd"], row["error_min"]
        told = error in labelled
        bar = {"kind": "bar", "x": error - 0.42, "x2": error + 0.42, "y": 0, "y2": usd}
        drawn.append(bar | {"ink": BLUE if usd > 0 else VERMILLION, "told": told, "tip": _tip(row)})
        if told:
            step = _LEVEL_PX * (abs(error) == max(labelled) and wide > px_per_min * _LABELLED[0])
            words = {"label": signed(usd), "minutes": _minutes(error)}
            way = {"down": usd >= 0, "step": step}
            drawn.append({"kind": "label", "x": error, "y": 0} | words | way)
    return drawn


@cache
def _template() -> dict:
    bars = of("bar").mark_rect().encode(
        x2="x2",
        y2="y2",
        fill=alt.Fill("ink:N", scale=None),
        opacity=alt.condition("datum.told", alt.value(1), alt.value(0.55)),
        tooltip=TIP,
    )  # fmt: skip
    zero = of("zero").mark_rule(stroke=INK, strokeWidth=1.5).encode(x2="x2")
    away = "(datum.down ? 1 : -1) * ({} + datum.step)"
    chart = alt.layer(
        bars,
        zero,
        *haloed(of("label"), baseline="middle", dy=alt.ExprRef(away.format(_NEAR_PX)),
                label="minutes", color=QUIET),
        *haloed(of("label"), baseline="middle", dy=alt.ExprRef(away.format(_FAR_PX)),
                fontWeight=600),
    ).encode(
        x=scale_x("Minutes by which every infusion is charted too long [min]", grid=False),
        y=scale_y("Change of payment [USD]"),
    )  # fmt: skip
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
