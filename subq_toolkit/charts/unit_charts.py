"""The charts of units: a table goes in, an Altair chart comes out."""

import altair as alt
import polars as pl

from subq_toolkit.charts.documentation_funnel import (
    documentation_funnel_spec,
    documentation_funnel_table,
)
from subq_toolkit.charts.further_hour_steps import (
    further_hour_steps_spec,
    further_hour_steps_table,
)
from subq_toolkit.charts.policy_differences import (
    policy_differences_spec,
    policy_differences_table,
)
from subq_toolkit.charts.steps_moved import steps_moved_spec, steps_moved_table
from subq_toolkit.charts.unit_change_bridge import (
    unit_change_bridge_spec,
    unit_change_bridge_table,
)
from subq_toolkit.charts.units_by_group import units_by_group_spec, units_by_group_table

__all__ = [
    "documentation_funnel",
    "documentation_funnel_table",
    "further_hour_steps",
    "further_hour_steps_table",
    "policy_differences",
    "policy_differences_table",
    "steps_moved",
    "steps_moved_table",
    "unit_change_bridge",
    "unit_change_bridge_table",
    "units_by_group",
    "units_by_group_table",
]


def units_by_group(table: pl.DataFrame) -> alt.LayerChart:
    """Units for each coded encounter, by code and group.

    ``table`` is what ``units_by_group_table(units_per_encounter(...))`` returns.
    """
    return alt.LayerChart.from_dict(units_by_group_spec(table))


def further_hour_steps(table: pl.DataFrame) -> alt.LayerChart:
    """Coded encounters by their further hours, and those above the unlikely edit.

    ``table`` is what ``further_hour_steps_table(further_hour_ladder(...))`` returns.
    """
    return alt.LayerChart.from_dict(further_hour_steps_spec(table))


def policy_differences(table: pl.DataFrame) -> alt.LayerChart:
    """What other answers to disputed questions would change in units.

    ``table`` is what ``policy_differences_table(policy_effects(...))`` returns.
    """
    return alt.LayerChart.from_dict(policy_differences_spec(table))


def documentation_funnel(table: pl.DataFrame) -> alt.LayerChart:
    """Where charted rows end, and why.

    ``table`` is what ``documentation_funnel_table(utilization.documentation_funnel(...))``
    returns.
    """
    return alt.LayerChart.from_dict(documentation_funnel_spec(table))


def steps_moved(table: pl.DataFrame) -> alt.LayerChart:
    """Units by the rules beside units with the steps elsewhere.

    ``table`` is what ``steps_moved_table(moved_steps(...), ...)`` returns.
    """
    return alt.LayerChart.from_dict(steps_moved_spec(table))


def unit_change_bridge(table: pl.DataFrame) -> alt.LayerChart:
    """What moved the units of each month: encounters, share coded, units per encounter.

    ``table`` is what ``unit_change_bridge_table(unit_changes(...))`` returns.
    """
    return alt.LayerChart.from_dict(unit_change_bridge_spec(table))
