"""How long infusions last, how that lies to the steps of units, and how it was charted."""

from subq_toolkit.durations.clock_rounding import clock_minutes, heaping_effect
from subq_toolkit.durations.control_limits import STATISTICS, control_limits
from subq_toolkit.durations.distribution import (
    bin_widths,
    duration_bins,
    duration_curve,
    duration_quantiles,
    encounters_lasting,
    range_by_group,
)
from subq_toolkit.durations.steps import step_distances, unit_steps
from subq_toolkit.durations.timed_encounters import group_names

__all__ = [
    "STATISTICS",
    "bin_widths",
    "clock_minutes",
    "control_limits",
    "duration_bins",
    "duration_curve",
    "duration_quantiles",
    "encounters_lasting",
    "group_names",
    "heaping_effect",
    "range_by_group",
    "step_distances",
    "unit_steps",
]
