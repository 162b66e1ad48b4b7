"""The tabs of the duration panel: from what is asked to figures and a page."""

import polars as pl

from subq_toolkit import charts
from subq_toolkit.charts.figure import Figure
from subq_toolkit.charts.wording import count
from subq_toolkit.durations import (
    clock_minutes,
    control_limits,
    duration_bins,
    duration_curve,
    duration_quantiles,
    heaping_effect,
    range_by_group,
    step_distances,
    unit_steps,
)
from subq_toolkit.panels.asked_work import AskedWork
from subq_toolkit.panels.html_parts import section, signed, table, text
from subq_toolkit.panels.loaded_work import ORDERED
from subq_toolkit.panels.view_tab import View
from subq_toolkit.scenarios import near_steps

_ALL_STEPS_MIN = 2_000


def _distribution(asked: AskedWork) -> tuple[list[Figure], str]:
    state, summary = asked.state, asked.summary(asked.state.by)
    caption, (low, high) = asked.caption(summary), asked.work.minutes_of(state.range_min)
    drawn = charts.infusion_durations_table(
        duration_bins(summary, width_min=state.width_min),
        unit_steps(_ALL_STEPS_MIN, summary),
        chosen=(low, high),
        group=state.only or "",
        caption=caption,
    )
    whose = charts.encounters_in_range_table(
        range_by_group(summary, state.by, low, high),
        from_min=low,
        to_min=high,
        by=asked.by_name,
        ordered=state.by in ORDERED,
        caption=caption,
    )
    figures = [
        asked.figure("infusion_durations", drawn, summary),
        asked.figure("encounters_in_range", whose, summary),
    ]
    return figures, chosen_page(low, high)


def chosen_page(low: int, high: int | None) -> str:
    """How to go on with the chosen encounters in code."""
    ends = f"{low:,} min or more" if high is None else f"{low:,} to {high:,} min"
    said = (
        f"Drag over the histogram, or move the range above; its last minute stands for all longer "
        f"ones. The encounters of {ends} in code: <code>panel.selected()</code>, a lazy table."
    )
    return f'<p class="sq-quiet">{said}</p>'


def _groups(asked: AskedWork) -> tuple[list[Figure], str]:
    by, summary = asked.state.by, asked.summary(asked.state.by)
    caption, steps = asked.caption(summary), unit_steps(_ALL_STEPS_MIN, summary)
    quantiles = duration_quantiles(summary, by)
    spread = charts.durations_by_group_table(
        quantiles, steps, by=asked.by_name, ordered=by in ORDERED, caption=caption
    )
    curve = charts.duration_curves_table(duration_curve(summary, by), steps, caption=caption)
    figures = [
        asked.figure("durations_by_group", spread, summary),
        asked.figure("duration_curves", curve, summary),
    ]
    return figures, _quantile_page(quantiles, asked.by_name)


def _quantile_page(quantiles: pl.DataFrame, by: str) -> str:
    heads = [by, "encounters", "5 %", "25 %", "median", "75 %", "95 %", "mean [min]"]
    rows = [
        [
            text("not stated" if name is None else name),
            *(f"{one:,}" for one in counts),
            f"{mean:,.1f}",
        ]
        for name, *counts, mean in quantiles.rows()
    ]
    shown = table(heads, rows, name="Minutes by group", numeric=4, figures=range(1, 8))
    return section("Minutes by group", shown, "coded encounters; quantiles are charted durations")


def _charted_times(asked: AskedWork) -> tuple[list[Figure], str]:
    summary = asked.work.summary("month", "rounding")
    caption = asked.caption(summary, whole=True)
    times = charts.clock_heaping_table(asked.work.told(clock_minutes), caption=caption)
    effect = heaping_effect(summary)
    units = charts.rounded_units_table(effect, caption=caption)
    figures = [
        asked.figure("clock_heaping", times, summary),
        asked.figure("rounded_units", units, summary),
    ]
    return figures, _heaping_page(effect, bool(asked.state.only))


def _heaping_page(effect: pl.DataFrame, only: bool) -> str:
    heads = ["start and stop lie on", "encounters", "timed units charted", "expected", "difference"]
    rows = [
        [
            text(f"full {row['rounding']}"),
            f"{row['encounters']:,}",
            f"{row['units_charted']:,}",
            f"{row['units_expected']:,.1f}",
            signed(row["difference"], 1),
        ]
        for row in effect.rows(named=True)
    ]
    shown = table(heads, rows, name="What rounding does", numeric=4, figures=range(1, 5))
    remark = "expected: if true times lay anywhere within half a step; arithmetic of ours"
    remark += "; of all groups together" * only
    return section("What rounding does to units", shown, remark)


def _near_steps(asked: AskedWork) -> tuple[list[Figure], str]:
    summary, within = asked.summary(), asked.state.within_min
    caption = asked.caption(summary)
    far = charts.distance_to_steps_table(step_distances(summary, within), caption=caption)
    close = charts.steps_nearly_reached_table(
        near_steps(summary, within_min=within), within_min=within, caption=caption
    )
    figures = [
        asked.figure("distance_to_steps", far, summary),
        asked.figure("steps_nearly_reached", close, summary),
    ]
    return figures, ""


def _over_time(asked: AskedWork) -> tuple[list[Figure], str]:
    state = asked.state
    summary = asked.summary(state.every)
    limits = control_limits(summary, state.statistic, every=state.every)
    drawn = charts.control_chart_table(
        limits, statistic=state.statistic, every=state.every, caption=asked.caption(summary)
    )
    signals = limits.filter(pl.col("signal").is_not_null())
    words = {"beyond": "beyond a limit", "run": "one of a long run on one side"}
    items = "".join(
        f"<li>{row['period']}: {words[row['signal']]}, of {count(row['encounters'], 'encounter')}"
        "</li>"
        for row in signals.rows(named=True)
    )
    said = f"<ul>{items}</ul>" if items else '<p class="sq-quiet">No signal.</p>'
    page = section("Signals", said, "something changed; not that it is wrong")
    return [asked.figure("control_chart", drawn, summary)], page


VIEWS: dict[str, View] = {
    "Distribution": View(2, ("width_min", "range_min"), _distribution),
    "By group": View(2, (), _groups),
    "Charted times": View(2, (), _charted_times),
    "Near a step": View(2, ("within_min",), _near_steps),
    "Over time": View(1, ("statistic", "every"), _over_time),
}
