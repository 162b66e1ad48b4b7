"""The charts of one encounter and of a plan: a table goes in, an Altair chart comes out."""

import altair as alt
import polars as pl

from subq_toolkit.charts.boluses_against_limit import (
    boluses_against_limit_spec,
    boluses_against_limit_table,
)
from subq_toolkit.charts.conversion_spread import conversion_spread_spec, conversion_spread_table
from subq_toolkit.charts.depot_course import depot_course_spec, depot_course_table
from subq_toolkit.charts.duration_by_sites import duration_by_sites_spec, duration_by_sites_table
from subq_toolkit.charts.rate_profile import rate_profile_spec, rate_profile_table
from subq_toolkit.charts.rotation import rotation_spec, rotation_table
from subq_toolkit.charts.staircase import staircase_spec, staircase_table
from subq_toolkit.charts.timeline import timeline_spec, timeline_table

__all__ = [
    "boluses_against_limit",
    "boluses_against_limit_table",
    "conversion_spread",
    "conversion_spread_table",
    "depot_course",
    "depot_course_table",
    "duration_by_sites",
    "duration_by_sites_table",
    "rate_profile",
    "rate_profile_table",
    "rotation",
    "rotation_table",
    "staircase",
    "staircase_table",
    "timeline",
    "timeline_table",
]


def timeline(table: pl.DataFrame) -> alt.LayerChart:
    """When each pump of one encounter ran, and beneath it the time that counts.

    ``table`` is what ``timeline_table(result)`` returns.
    """
    return alt.LayerChart.from_dict(timeline_spec(table))


def staircase(table: pl.DataFrame) -> alt.LayerChart:
    """Timed units over counted minutes, where one encounter stands, and its next step.

    ``table`` is what ``staircase_table(result)`` returns.
    """
    return alt.LayerChart.from_dict(staircase_spec(table))


def rate_profile(table: pl.DataFrame) -> alt.LayerChart:
    """The planned rate at each site over time, against its limit.

    ``table`` is what ``rate_profile_table(plan)`` returns.
    """
    return alt.LayerChart.from_dict(rate_profile_spec(table))


def duration_by_sites(table: pl.DataFrame) -> alt.LayerChart:
    """How long a plan takes over each number of sites, and where units would rise.

    ``table`` is what ``duration_by_sites_table(plan)`` returns.
    """
    return alt.LayerChart.from_dict(duration_by_sites_spec(table))


def depot_course(table: pl.DataFrame) -> alt.LayerChart:
    """What waits under the skin during and after a plan, by three models.

    ``table`` is what ``depot_course_table(plan, ka_per_h=...)`` returns.
    """
    return alt.LayerChart.from_dict(depot_course_spec(table))


def conversion_spread(table: pl.DataFrame) -> alt.LayerChart:
    """One intravenous dose by every published ratio, and by the one chosen.

    ``table`` is what ``conversion_spread_table(conversion)`` returns.
    """
    return alt.LayerChart.from_dict(conversion_spread_spec(table))


def boluses_against_limit(table: pl.DataFrame) -> alt.LayerChart:
    """What basal rate and boluses can give in an hour and in four, against the sites' limit.

    ``table`` is what ``boluses_against_limit_table(patient_controlled(...))`` returns.
    """
    return alt.LayerChart.from_dict(boluses_against_limit_spec(table))


def rotation(table: pl.DataFrame) -> alt.LayerChart:
    """Where each set goes, and how long a used position is barred.

    ``table`` is what ``rotation_table(rotation_calendar(...), exclusion_days=...)`` returns.
    """
    return alt.LayerChart.from_dict(rotation_spec(table))
