"""The charts of durations and the clock: a table goes in, an Altair chart comes out."""

import altair as alt
import polars as pl

from subq_toolkit.charts.clock_heaping import clock_heaping_spec, clock_heaping_table
from subq_toolkit.charts.control_chart import control_chart_spec, control_chart_table
from subq_toolkit.charts.distance_to_steps import distance_to_steps_spec, distance_to_steps_table
from subq_toolkit.charts.duration_curves import duration_curves_spec, duration_curves_table
from subq_toolkit.charts.rounded_units import rounded_units_spec, rounded_units_table

__all__ = [
    "clock_heaping",
    "clock_heaping_table",
    "control_chart",
    "control_chart_table",
    "distance_to_steps",
    "distance_to_steps_table",
    "duration_curves",
    "duration_curves_table",
    "rounded_units",
    "rounded_units_table",
]


def duration_curves(table: pl.DataFrame) -> alt.LayerChart:
    """Which share of infusions lasts at most how long, and where units rise.

    ``table`` is what ``duration_curves_table(duration_curve(...), unit_steps(...))`` returns.
    """
    return alt.LayerChart.from_dict(duration_curves_spec(table))


def clock_heaping(table: pl.DataFrame) -> alt.LayerChart:
    """At which minutes of the hour starts and stops are charted.

    ``table`` is what ``clock_heaping_table(clock_minutes(...))`` returns.
    """
    return alt.LayerChart.from_dict(clock_heaping_spec(table))


def rounded_units(table: pl.DataFrame) -> alt.LayerChart:
    """Timed units as charted against those without rounded clock times.

    ``table`` is what ``rounded_units_table(heaping_effect(...))`` returns.
    """
    return alt.LayerChart.from_dict(rounded_units_spec(table))


def distance_to_steps(table: pl.DataFrame) -> alt.LayerChart:
    """How many minutes short of a step of units encounters end, or past it.

    ``table`` is what ``distance_to_steps_table(step_distances(...))`` returns.
    """
    return alt.LayerChart.from_dict(distance_to_steps_spec(table))


def control_chart(table: pl.DataFrame) -> alt.LayerChart:
    """A figure of each month or week, with the limits within which it usually varies.

    ``table`` is what ``control_chart_table(control_limits(...), ...)`` returns.
    """
    return alt.LayerChart.from_dict(control_chart_spec(table))
