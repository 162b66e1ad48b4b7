"""One intravenous dose by every published ratio, and the one chosen: table, specification."""

from functools import cache

import altair as alt
import polars as pl

from subq_toolkit.charts.look import BLUE, INK, QUIET, VERMILLION, filled, template
from subq_toolkit.charts.wording import NO_SCALES, amount, headline, shortened, text_px
from subq_toolkit.conversion import Conversion

_WIDTH_PX, _ROW_PX, _LEAST_PX, _PLOT_PX = 460, 22, 110, 280
_NAME_PX, _UNIT_PX, _CHOSEN_PX = 165, 90, 190
_ROWS = {
    "kind": pl.String,
    "name": pl.String,
    "ratio": pl.Float64,
    "iv_dose": pl.Float64,
    "sc_dose": pl.Float64,
    "sc_dose_low": pl.Float64,
    "sc_dose_high": pl.Float64,
    "unit": pl.String,
    "in_range": pl.Boolean,
    "says": pl.String,
}


def conversion_spread_table(conversion: Conversion | None) -> pl.DataFrame:
    """What the spread of a conversion draws.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``preset``: a published ratio, lowest first; ``chosen``; ``range``: of all
        presets that count), ``name`` (of the preset, ``stated``, or the drug), ``ratio`` [1],
        ``iv_dose``, ``sc_dose``, ``sc_dose_low``, ``sc_dose_high`` (all in ``unit``),
        ``in_range`` (the preset counts, see ``Conversion``), ``says`` (kind of ratio,
        standing and tier of a preset).
    """
    if conversion is None:
        return pl.DataFrame(schema=_ROWS)
    of, unit = conversion.iv_dose, conversion.unit
    doses = ("sc_dose", "sc_dose_low", "sc_dose_high")
    rows = [
        ("preset", row["preset"], row["ratio"], of, *map(row.get, doses), unit, *_of_preset(row))
        for row in conversion.presets.sort("ratio", "preset").iter_rows(named=True)
    ]
    chosen, dose = (conversion.chosen, conversion.ratio, of), conversion.sc_dose
    rows.append(("chosen", *chosen, dose, None, None, unit, None, None))
    if conversion.lowest is not None:
        ends = conversion.lowest, conversion.highest
        rows.append(("range", conversion.drug, None, of, None, *ends, unit, None, None))
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def _of_preset(row: dict) -> tuple[bool, str]:
    """Whether a preset counts for the range, and what stands behind it."""
    tier = [f"tier {row['tier']}"] if row["tier"] else []
    return row["in_range"], ", ".join([row["kind"].replace("_", " "), row["standing"], *tier])


def conversion_spread_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``conversion_spread_table`` as a specification; cheap to make again."""
    rows = table.rows(named=True)
    presets = [row for row in rows if row["kind"] == "preset"]
    chosen = next((row for row in rows if row["kind"] == "chosen"), None)
    band = next((row for row in rows if row["kind"] == "range"), None)
    if chosen is None:
        empty = headline("No conversion to draw yet", "State a dose and a ratio")
        return filled(_template(), [], empty | NO_SCALES)
    unit = shortened(chosen["unit"], width_px=_UNIT_PX)
    title, subtitle = _finding(presets, chosen, band, unit)
    spoken = "; ".join(_spoken(row) for row in presets)
    ends = _view(presets, chosen)
    changes = headline(title, subtitle, spoken) | {
        "height": max(_ROW_PX * (len(presets) + 1), _LEAST_PX),
        "encoding/x/scale/domain": ends,
        "encoding/x/axis/title": f"Subcutaneous dose [{unit}]",
        "encoding/y/scale/domain": [len(presets) - 0.5, -1.5],
    }
    return filled(_template(), _drawn(presets, chosen, band, ends), changes)


def _view(presets: list[dict], chosen: dict) -> list[float]:
    """Ends of the axis of doses, with some room around all of them."""
    ends = ("sc_dose_low", "sc_dose", "sc_dose_high")
    doses = [chosen["sc_dose"], *(row[end] for row in presets for end in ends)]
    low, high = min(doses), max(doses)
    pad = max((high - low) * 0.12, high * 0.02) or 1.0
    return [max(low - pad, 0.0), high + 2 * pad]


def _finding(presets: list[dict], chosen: dict, band: dict | None, unit: str) -> tuple[str, str]:
    of, dose = amount(chosen["iv_dose"]), amount(chosen["sc_dose"])
    taken = f"chosen {dose} {unit} (×{amount(chosen['ratio'])})"
    if band is None:
        why = "hollow: tier C, or remembered without a source" if presets else ""
        return f"No ratio with a source of authority; {taken}", why or "A pharmacist decides"
    low, high = amount(band["sc_dose_low"]), amount(band["sc_dose_high"])
    to = f"{low} to {high}" if low != high else low
    number = len(presets)
    left_out = sum(not row["in_range"] for row in presets)
    makes = "Published ratios make" if number - left_out > 1 else "The one published ratio makes"
    if left_out:
        remark = f"hollow: tier C or remembered, not in the range ({left_out} of {number})"
    else:
        remark = f"{number} source{'s' * (number > 1)}, none of tier C"
    shown = "; band: the range of published ratios" * (low != high)
    about = f"{band['name']}{shown}; {remark}"
    return f"{makes} {of} {unit} into {to} {unit}; {taken}", about


def _spoken(row: dict) -> str:
    ends = [amount(row[end]) for end in ("sc_dose_low", "sc_dose_high")]
    spread = f" ({ends[0]} to {ends[1]})" if ends[0] != ends[1] else ""
    dose = f"{amount(row['sc_dose'])}{spread} {row['unit']}"
    outside = "" if row["in_range"] else ", not in the range"
    return f"{row['name']}: ×{amount(row['ratio'])}, {dose}, {row['says']}{outside}"


def _drawn(presets: list[dict], chosen: dict, band: dict | None, ends: list[float]) -> list[dict]:
    below = len(presets) - 0.5
    drawn = []
    if band:
        span = {"x": band["sc_dose_low"], "x2": band["sc_dose_high"]}
        drawn.append({"kind": "band", "lane": -0.5, "to": below} | span)
    for lane, row in enumerate(presets):
        place = {"lane": lane, "x": row["sc_dose_low"], "x2": row["sc_dose_high"]}
        words = {
            "name": shortened(row["name"], width_px=_NAME_PX),
            "ratio": f"×{amount(row['ratio'])}",
            "tip": _spoken(row),
        }
        marked = {"dose": row["sc_dose"], "start": ends[0], "counts": row["in_range"]}
        drawn.append({"kind": "preset"} | place | words | marked)
    name = shortened(chosen["name"], width_px=_CHOSEN_PX)
    label = f"chosen: ratio {amount(chosen['ratio'])} ({name})"
    share = (chosen["sc_dose"] - ends[0]) / (ends[1] - ends[0])
    before, wide = share * _PLOT_PX, text_px(label)
    side = "left" if before + wide < _PLOT_PX else "right" if before > wide else "center"
    place = {"lane": -0.6, "to": below, "x": chosen["sc_dose"], "side": side}
    return [*drawn, {"kind": "chosen", "label": label} | place]


@cache
def _template() -> dict:
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(title="Subcutaneous dose", grid=True, tickCount=6),
    )
    y = alt.Y(
        "lane:Q",
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(title=None, labels=False, ticks=False, grid=False),
    )
    base = alt.Chart(alt.Data(values=[]))
    band = (
        base.transform_filter("datum.kind == 'band'")
        .mark_rect(fill=BLUE, opacity=0.1)
        .encode(x2="x2", y2="to")
    )
    presets = base.transform_filter("datum.kind == 'preset'")
    ink = alt.condition("datum.counts", alt.value(BLUE), alt.value(QUIET))
    tip = alt.Tooltip("tip:N", title=" ")
    bars = presets.mark_rule(strokeWidth=3, opacity=0.55, strokeCap="round").encode(
        x2="x2", stroke=ink, tooltip=tip
    )
    dots = presets.mark_point(shape="circle", size=80, strokeWidth=2, opacity=1).encode(
        x="dose:Q",
        stroke=ink,
        fill=alt.condition("datum.counts", alt.value(BLUE), alt.value("#ffffff")),
        tooltip=tip,
    )
    column = presets.mark_text(align="right", baseline="middle", dx=-8, fontSize=12)
    words = [
        column.encode(x="start:Q", text="ratio:N"),
        presets.mark_text(align="right", baseline="middle", dx=-52, fontSize=12).encode(
            x="start:Q", text="name:N"
        ),
    ]
    chosen = base.transform_filter("datum.kind == 'chosen'")
    rule = chosen.mark_rule(stroke=VERMILLION, strokeWidth=2.5).encode(y2="to")
    label = chosen.mark_text(
        align=alt.ExprRef("datum.side"),
        baseline="bottom",
        dx=alt.ExprRef("datum.side == 'left' ? -2 : datum.side == 'right' ? 2 : 0"),
        dy=-4,
        fontWeight=600,
        color=INK,
    ).encode(text="label:N")
    chart = alt.layer(band, rule, bars, dots, *words, label).encode(x=x, y=y)
    return template(chart, width_px=_WIDTH_PX, height_px=_LEAST_PX)
