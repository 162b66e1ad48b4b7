"""The charts of an audit: a table goes in, an Altair chart comes out."""

import altair as alt
import polars as pl

from subq_toolkit.charts.audit_by_class import audit_by_class_spec, audit_by_class_table
from subq_toolkit.charts.audit_by_group import audit_by_group_spec, audit_by_group_table
from subq_toolkit.charts.audit_estimate import audit_estimate_spec, audit_estimate_table
from subq_toolkit.charts.audit_over_time import audit_over_time_spec, audit_over_time_table
from subq_toolkit.charts.audit_words import audit_caption, audit_sources

__all__ = [
    "audit_by_class",
    "audit_by_class_table",
    "audit_by_group",
    "audit_by_group_table",
    "audit_caption",
    "audit_estimate",
    "audit_estimate_table",
    "audit_over_time",
    "audit_over_time_table",
    "audit_sources",
]


def audit_by_class(table: pl.DataFrame) -> alt.LayerChart:
    """Dollars billed above and below the chart, by class of error.

    ``table`` is what ``audit_by_class_table(audit(...))`` returns.
    """
    return alt.LayerChart.from_dict(audit_by_class_spec(table))


def audit_by_group(table: pl.DataFrame) -> alt.LayerChart:
    """Error rates with their intervals and net dollars, by coder, department or payer.

    ``table`` is what ``audit_by_group_table(audit(...), by)`` returns.
    """
    return alt.LayerChart.from_dict(audit_by_group_spec(table))


def audit_over_time(table: pl.DataFrame) -> alt.LayerChart:
    """Error rate with its interval, and dollars over and under, by month of service.

    ``table`` is what ``audit_over_time_table(audit(...))`` returns.
    """
    return alt.LayerChart.from_dict(audit_over_time_spec(table))


def audit_estimate(table: pl.DataFrame) -> alt.LayerChart:
    """Totals carried over from a reviewed sample, with their intervals and lower limits.

    ``table`` is what ``audit_estimate_table(extrapolate(...))`` returns.
    """
    return alt.LayerChart.from_dict(audit_estimate_spec(table))
