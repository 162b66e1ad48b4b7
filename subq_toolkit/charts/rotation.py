"""Where each set goes and how long a used position rests: its table, and the specification."""

from functools import cache

import altair as alt
import polars as pl

from subq_toolkit.charts.look import BLUE, INK, QUIET, VERMILLION, chart_table, filled, template
from subq_toolkit.charts.wording import NO_SCALES, amount, count, headline, listed, text_px

_WIDTH_PX, _HEIGHT_PX, _PLOT_PX = 460, 260, 400
_LANE_PX, _LEAST_LANE_PX, _MOST_PX = 16, 6, 700
_MOST_SPOKEN, _SOON = 60, "too soon"
_ROWS = {
    "set": pl.Int64,
    "position": pl.Int64,
    "from_day": pl.Float64,
    "to_day": pl.Float64,
    "barred_to_day": pl.Float64,
    "rested_days": pl.Float64,
    "exclusion_days": pl.Float64,
    "too_soon": pl.Boolean,
}


def rotation_table(calendar: pl.DataFrame | None, *, exclusion_days: float) -> pl.DataFrame:
    """What the chart of a rotation draws, one row per set.

    Parameters
    ----------
    calendar
        What ``dosing.rotation_calendar`` returns.
    exclusion_days
        How long a used position is barred. [d]

    Returns
    -------
    pl.DataFrame
        ``set, position`` [1], ``from_day, to_day`` (in place), ``barred_to_day`` (the position
        is barred until then), ``rested_days`` (null the first time), ``exclusion_days`` [d],
        ``too_soon`` (rested less than asked).

    Raises
    ------
    InputError
        If there are more than 5,000 sets.
    """
    if calendar is None:
        return pl.DataFrame(schema=_ROWS)
    barred = float(exclusion_days)
    return (
        chart_table(calendar)
        .with_columns(barred_to_day=pl.col("to_day") + barred, exclusion_days=pl.lit(barred))
        .select(pl.col(name).cast(dtype) for name, dtype in _ROWS.items())
    )


def rotation_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``rotation_table`` as a Vega-Lite specification; cheap to make again."""
    rows = table.rows(named=True)
    if not rows:
        empty = headline("No set to draw yet", "State the days, and how long a set stays")
        return filled(_template(), [], empty | NO_SCALES)
    days = max(row["to_day"] for row in rows)
    positions = max(row["position"] for row in rows)
    height = min(max(_HEIGHT_PX, _LANE_PX * positions), _MOST_PX)
    lane_px = height / positions
    title, subtitle = _finding(rows, days)
    drawn = [part for row in rows for part in _drawn(row, days, min(lane_px * 0.3, 16))]
    if any(part.get("mark") == "!" for part in drawn):
        subtitle = subtitle.replace("outlined", "outlined, !")
    changes = headline(title, subtitle, _spoken(rows)) | {
        "height": height if lane_px >= _LEAST_LANE_PX else _LEAST_LANE_PX * positions,
        "encoding/x/scale/domain": [0, days],
        "encoding/y/scale/domain": [positions + 0.5, 0.5],
        "encoding/y/axis/values": list(range(1, positions + 1)),
    }
    return filled(_template(), drawn, changes)


def _finding(rows: list[dict], days: float) -> tuple[str, str]:
    positions = len({row["position"] for row in rows})
    made = f"{count(len(rows), 'set')} in {_days(days)} over {count(positions, 'position')}"
    rests = [row["rested_days"] for row in rows if row["rested_days"] is not None]
    soon = [row["set"] for row in rows if row["too_soon"]]
    asked = rows[0]["exclusion_days"]
    if soon:
        which = f"{count(len(soon), 'set')} too soon"
        title = f"{made}: {which}, after {_days(min(rests))} of rest instead of {amount(asked)}"
    elif rests:
        title = f"{made}; each rests {_days(min(rests))}"
    else:
        title = f"{made}; none is used twice"
    number = f"; set {listed(soon)}" if 0 < len(soon) <= 3 else ""
    subtitle = f"Thin line: a used position is barred for {_days(asked)}"
    subtitle = subtitle if asked else "No used position is barred"
    return title, subtitle + ("; outlined: used too soon" + number if soon else "")


def _days(number: float) -> str:
    return f"{amount(number)} day{'s' * (number != 1)}"


def _spoken(rows: list[dict]) -> str:
    told = [
        f"set {row['set']}: position {row['position']}, day {amount(row['from_day'])} to "
        f"{amount(row['to_day'])}{', too soon' * row['too_soon']}"
        for row in rows[:_MOST_SPOKEN]
    ]
    more = len(rows) - len(told)
    return "; ".join([*told, *([f"{count(more, 'set')} more in the same turn"] if more else [])])


def _drawn(row: dict, days: float, half_px: float) -> list[dict]:
    wide = (row["to_day"] - row["from_day"]) / days * _PLOT_PX
    number = str(row["set"])
    fits = text_px(number) + 2 < wide and half_px >= 6
    soon = bool(row["too_soon"])
    bar = {
        "kind": "set",
        "lane": row["position"],
        "day": row["from_day"],
        "to": row["to_day"],
        "half": half_px,
        "soon": soon,
        "label": number if fits else "",
        "mark": _mark(row, wide, days) if soon else "",
        "edge": 2.5 if soon else 1.0 if wide > 5 else 0.0,
        "tip": _spoken([row]),
    }
    barred = min(row["barred_to_day"], days)
    rest = {"kind": "barred", "lane": row["position"], "day": row["to_day"], "to": barred}
    return [bar, rest] if barred > row["to_day"] else [bar]


def _mark(row: dict, wide_px: float, days: float) -> str:
    """What stands above a set that is used too soon, by the room there is."""
    room = wide_px + 0.9 * (row["rested_days"] or 0.0) / days * _PLOT_PX
    return _SOON if text_px(_SOON) < room else "!"


@cache
def _template() -> dict:
    x = alt.X(
        "day:Q",
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(title="Day [d]", tickCount=8, tickMinStep=1),
    )
    y = alt.Y(
        "lane:Q",
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(
            title="Position [1]", format="d", values=[], grid=False, labelOverlap=True, ticks=False
        ),
    )
    base = alt.Chart(alt.Data(values=[]))
    barred = base.transform_filter("datum.kind == 'barred'")
    rests = barred.mark_rule(stroke=QUIET, strokeWidth=1.5, opacity=0.7).encode(x2="to")
    ends = barred.mark_tick(orient="vertical", size=8, thickness=1.5, color=QUIET).encode(x="to:Q")
    sets = base.transform_filter("datum.kind == 'set'")
    bars = sets.mark_rect(
        yOffset=alt.ExprRef("-datum.half"),
        y2Offset=alt.ExprRef("datum.half"),
        cornerRadius=2,
    ).encode(
        x2="to",
        y2="lane",
        fill=alt.condition("datum.soon", alt.value("#ffffff"), alt.value(BLUE)),
        stroke=alt.condition("datum.soon", alt.value(VERMILLION), alt.value("#ffffff")),
        strokeWidth=alt.StrokeWidth("edge:Q", scale=None),
        tooltip=alt.Tooltip("tip:N", title=" "),
    )
    return template(
        alt.layer(rests, ends, bars, *_words(sets)).encode(x=x, y=y),
        width_px=_WIDTH_PX,
        height_px=_HEIGHT_PX,
    )


def _words(sets: alt.Chart) -> list[alt.Chart]:
    """The number in each bar, and a mark above those that are used too soon."""
    middle = sets.transform_calculate(middle="(datum.day + datum.to) / 2").encode(x="middle:Q")
    number = middle.mark_text(baseline="middle", fontWeight=600).encode(
        text="label:N", color=alt.condition("datum.soon", alt.value(INK), alt.value("#ffffff"))
    )
    mark = middle.mark_text(
        baseline="bottom", dy=alt.ExprRef("-datum.half - 2"), fontSize=12, color=INK
    ).encode(text="mark:N")
    return [number, mark]
