"""The charts of infusion durations: a table goes in, an Altair chart comes out."""

import altair as alt
import polars as pl

from subq_toolkit.charts.captions import work_caption
from subq_toolkit.charts.durations_by_group import (
    durations_by_group_spec,
    durations_by_group_table,
)
from subq_toolkit.charts.encounters_in_range import (
    encounters_in_range_spec,
    encounters_in_range_table,
)
from subq_toolkit.charts.infusion_durations import (
    infusion_durations_spec,
    infusion_durations_table,
)

__all__ = [
    "durations_by_group",
    "durations_by_group_table",
    "encounters_in_range",
    "encounters_in_range_table",
    "infusion_durations",
    "infusion_durations_table",
    "work_caption",
]


def infusion_durations(table: pl.DataFrame) -> alt.LayerChart:
    """How long infusions last, with the steps of units.

    ``table`` is what ``infusion_durations_table(duration_bins(...), unit_steps(...))`` returns.
    """
    return alt.LayerChart.from_dict(infusion_durations_spec(table))


def durations_by_group(table: pl.DataFrame) -> alt.LayerChart:
    """The spread of infusion minutes of each group.

    ``table`` is what ``durations_by_group_table(duration_quantiles(...), ...)`` returns.
    """
    return alt.LayerChart.from_dict(durations_by_group_spec(table))


def encounters_in_range(table: pl.DataFrame) -> alt.LayerChart:
    """Whose the encounters of a range of minutes are.

    ``table`` is what ``encounters_in_range_table(range_by_group(...), ...)`` returns.
    """
    return alt.LayerChart.from_dict(encounters_in_range_spec(table))
