"""Timed units as charted and without rounded clock times; table and specification."""

from functools import cache

import altair as alt
import polars as pl

from subq_toolkit.charts.figure import CountedCells
from subq_toolkit.charts.layers import TIP, haloed, lanes_y, of, scale_x
from subq_toolkit.charts.look import BLUE, INK, QUIET, VERMILLION, chart_table, filled, template
from subq_toolkit.charts.money_words import (
    caption_of,
    headed,
    named,
    nothing_yet,
    sentences,
    tally,
)
from subq_toolkit.charts.withheld import stars, withheld_note
from subq_toolkit.charts.wording import amount, count, text_px

_WIDTH_PX, _PLOT_PX, _LANE_PX, _KEY_PX = 460, 440, 74, 30
_LEAST_REACH, _LEAST_UNITS = 0.01, 0.5
_FINEST = "1 min"
_CLASSES = {
    "15 min": "on the quarter hour",
    "5 min": "on full five minutes",
    _FINEST: "on other minutes",
}
_ASSUMED = (
    "Expected: had the true times lain anywhere within half a step of the clock; "
    "an upper bound of what rounding did"
)
CELLS = CountedCells(
    "encounters", also=("units_charted", "units_expected", "difference"), kinds=("rounding",)
)
_ROWS = {
    "kind": pl.String,
    "rounding": pl.String,
    "encounters": pl.Int64,
    "units_charted": pl.Float64,
    "units_expected": pl.Float64,
    "difference": pl.Float64,
    "says": pl.String,
}


def rounded_units_table(effect: pl.DataFrame | None, *, caption: str = "") -> pl.DataFrame:
    """What the chart of units under rounded clock times draws.

    Parameters
    ----------
    effect
        What ``heaping_effect`` returns.
    caption
        Where the numbers are from, e.g. what ``work_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``rounding``; ``about``: the caption), ``rounding`` (step of the clock on which
        first start and last stop lie), ``encounters`` [1], ``units_charted, units_expected``
        (timed ones, the latter without rounding) and their ``difference`` [1], ``says``.
    """
    if effect is None or not effect["encounters"].sum():
        return pl.DataFrame(schema=_ROWS)
    rows = [{"kind": "rounding"} | row for row in chart_table(effect).rows(named=True)]
    rows.append({"kind": "about", "says": caption})
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def rounded_units_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``rounded_units_table`` as a specification; cheap to make again."""
    rows = table.filter(pl.col("kind") == "rounding").rows(named=True)
    if not rows:
        remedy = "Code administrations whose starts and stops are charted"
        return filled(_template(), [], nothing_yet("No coded encounter has minutes yet", remedy))
    height = _KEY_PX + _LANE_PX * len(rows)
    low, high = _view(rows)
    spoken = "; ".join(map(_tip, rows))
    changes = headed(_title(rows), _qualifier(rows), caption_of(table), spoken) | {
        "height": height,
        "encoding/x/scale/domain": [low, high],
        "encoding/y/scale/domain": [height, 0],
    }
    drawn: list[dict] = [{"kind": "none", "x": 0.0, "y": _KEY_PX, "y2": height}]
    for at, (kind, label) in enumerate((("expected", "expected"), ("charted", "charted"))):
        place = {"x": low, "y": _KEY_PX / 2, "px": 8 + 110 * at, "label": label}
        drawn.append({"kind": f"key {kind}"} | place)
    for at, row in enumerate(rows):
        drawn += _lane(row, _KEY_PX + at * _LANE_PX, low, (high - low) / _PLOT_PX)
    return filled(_template(), drawn, changes)


def _relative(row: dict) -> float | None:
    """The difference as a share of the expected units; None where there are none."""
    expected = row["units_expected"]
    return row["difference"] / expected if expected else None


def _view(rows: list[dict]) -> tuple[float, float]:
    """An axis on which zero and all marks lie, with room for a label beyond each mark."""
    shares = [_relative(row) or 0.0 for row in rows]
    low, high = min(0.0, *shares), max(0.0, *shares)
    reach = max(high - low, _LEAST_REACH)
    room = max(text_px(_change(row)) for row in rows) + 24
    per_px = reach / max(_PLOT_PX - 2 * room, _PLOT_PX / 4)
    return low - room * per_px, high + room * per_px


def _name(row: dict) -> str:
    known = _CLASSES.get(row["rounding"])
    return known or ("not stated" if row["rounding"] is None else named(row["rounding"]))


def _title(rows: list[dict]) -> str:
    known = [row for row in rows if row["encounters"] is not None]
    if not known:
        return "What rounding does to units is withheld"
    rounded = [row for row in known if row["rounding"] != _FINEST and row["encounters"]]
    if not rounded and len(known) == len(rows):
        return "No encounter is charted on full steps of the clock; no unit is won or lost"
    if not rounded:
        return "What rounding does to units is withheld"
    most = max(rounded, key=lambda row: abs(row["difference"]))
    if len(known) < len(rows):
        return f"Rounding {_name(most)} {_does(most['difference'], most['units_expected'])}"
    total = sum(row["difference"] for row in known)
    whole = _does(total, sum(row["units_expected"] for row in known))
    if abs(most["difference"]) < _LEAST_UNITS or len(rounded) == 1:
        return f"Rounding {whole} in all"
    part = _signed(most["difference"])
    if abs(total) >= _LEAST_UNITS and 0 < most["difference"] / total < 1:
        return f"Rounding {whole} in all, {part[1:]} of them {_name(most)}"
    return f"Rounding {whole} in all: {part} {_name(most)}"


def _does(difference: float, expected: float) -> str:
    size = abs(difference)
    if size < _LEAST_UNITS:
        return "changes timed units by less than one"
    verb = "adds" if difference > 0 else "loses"
    units = "1 timed unit" if round(size) == 1 else f"{tally(round(size))} timed units"
    return f"{verb} about {units}" + (f" ({_percent(size / expected)})" if expected else "")


def _percent(share: float) -> str:
    return f"{amount(100 * abs(share), digits=2)} %"


def _signed(difference: float) -> str:
    size = abs(difference)
    if size < 0.05:
        return "±0"
    told = tally(round(size)) if size >= 10 else amount(round(size, 1))
    return f"{'+' if difference > 0 else '−'}{told}"


def _change(row: dict) -> str:
    if row["encounters"] is None:
        return "withheld"
    share = _relative(row)
    told = f"{_signed(row['difference'])} units"
    return told if share is None or told[0] == "±" else f"{told} ({_percent(share)})"


def _qualifier(rows: list[dict]) -> str:
    hidden = any(row["encounters"] is None for row in rows)
    return sentences(_ASSUMED, withheld_note() * hidden)


def _units(row: dict) -> str:
    charted, expected = row["units_charted"], row["units_expected"]
    return f"{tally(round(charted))} timed units charted, {tally(round(expected))} expected"


def _tip(row: dict) -> str:
    if row["encounters"] is None:
        return f"{_name(row)}: withheld"
    told = f"{_units(row)}, {_change(row)}" if row["encounters"] else "none"
    return f"{_name(row)}: {count(row['encounters'], 'encounter')}, {told}"


def _lane(row: dict, top: float, low: float, per_px: float) -> list[dict]:
    """A class: its name and numbers in words, beneath them the two marks and their difference."""
    name, tip, y = _name(row), _tip(row), top + 56
    hidden = row["encounters"] is None
    told = "" if hidden else f" · {count(row['encounters'], 'encounter')}"
    words = f"{name[:1].upper()}{name[1:]}{told}"
    drawn: list[dict] = [{"kind": "name", "x": low, "y": top + 14, "label": words}]
    if hidden:
        return [*drawn, {"kind": "withheld", "x": 0.0, "y": y, "tip": tip}]
    if not row["encounters"]:
        return drawn
    drawn.append({"kind": "numbers", "x": low, "y": top + 32, "label": _units(row)})
    share = _relative(row)
    if share is None:
        return drawn
    drawn.append({"kind": "apart", "x": 0.0, "x2": share, "y": y, "tip": tip})
    drawn.append({"kind": "expected", "x": 0.0, "y": y, "tip": tip})
    drawn.append({"kind": "charted", "x": share, "y": y, "tip": tip})
    side = "right" if share < 0 else "left"
    place = {"x": share, "y": y, "side": side, "label": _change(row)}
    return [*drawn, {"kind": "label"} | place]


@cache
def _template() -> dict:
    shapes = {
        "expected": {"shape": "diamond", "size": 190, "fill": "#ffffff", "stroke": VERMILLION},
        "charted": {"shape": "circle", "size": 60, "fill": BLUE, "stroke": BLUE},
    }
    marks = [
        of(kind).mark_point(**look, strokeWidth=2, opacity=1).encode(tooltip=TIP)
        for kind, look in shapes.items()
    ]
    px = alt.ExprRef("datum.px")
    keys = [
        of(f"key {kind}").mark_point(**look, strokeWidth=2, opacity=1, xOffset=px)
        for kind, look in shapes.items()
    ]
    words = of(*(f"key {kind}" for kind in shapes)).mark_text(
        align="left", baseline="middle", dx=alt.ExprRef("datum.px + 14")
    )
    none = of("none").mark_rule(stroke=INK, strokeDash=[5, 4], strokeWidth=1).encode(y2="y2")
    apart = of("apart").mark_rule(stroke=BLUE, strokeWidth=3).encode(x2="x2", tooltip=TIP)
    side = {
        "align": alt.ExprRef("datum.side"),
        "dx": alt.ExprRef("datum.side == 'left' ? 12 : -12"),
    }
    left = {"align": "left", "baseline": "middle"}
    chart = alt.layer(
        none,
        apart,
        *marks,
        *haloed(of("label"), baseline="middle", fontWeight=600, **side),
        *haloed(of("name"), fontWeight=600, **left),
        *haloed(of("numbers"), color=QUIET, **left),
        *keys,
        words.encode(text="label:N"),
        stars(),
    ).encode(
        x=scale_x(
            "Timed units charted against expected [%]",
            labelExpr="(datum.value > 0 ? '+' : datum.value < 0 ? '−' : '')"
            " + format(abs(datum.value) * 100, '~g')",
        ),
        y=lanes_y(),
    )
    return template(chart, width_px=_WIDTH_PX, height_px=_LANE_PX)
