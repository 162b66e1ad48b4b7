"""The charts of money: a table goes in, an Altair chart comes out."""

import altair as alt
import polars as pl

from subq_toolkit.charts.break_even_volume import break_even_volume_spec, break_even_volume_table
from subq_toolkit.charts.charting_error_curve import (
    charting_error_curve_spec,
    charting_error_curve_table,
)
from subq_toolkit.charts.localities_ranked import localities_ranked_spec, localities_ranked_table
from subq_toolkit.charts.market_strip import market_strip_spec, market_strip_table
from subq_toolkit.charts.payment_bridge import payment_bridge_spec, payment_bridge_table
from subq_toolkit.charts.payment_distribution import (
    payment_distribution_spec,
    payment_distribution_table,
)
from subq_toolkit.charts.rates_over_years import rates_over_years_spec, rates_over_years_table
from subq_toolkit.charts.scenario_totals import scenario_totals_spec, scenario_totals_table
from subq_toolkit.charts.steps_nearly_reached import (
    steps_nearly_reached_spec,
    steps_nearly_reached_table,
)
from subq_toolkit.charts.term_words import terms_caption
from subq_toolkit.charts.tornado import tornado_spec, tornado_table

__all__ = [
    "break_even_volume",
    "break_even_volume_table",
    "charting_error_curve",
    "charting_error_curve_table",
    "localities_ranked",
    "localities_ranked_table",
    "market_strip",
    "market_strip_table",
    "payment_bridge",
    "payment_bridge_table",
    "payment_distribution",
    "payment_distribution_table",
    "rates_over_years",
    "rates_over_years_table",
    "scenario_totals",
    "scenario_totals_table",
    "steps_nearly_reached",
    "steps_nearly_reached_table",
    "terms_caption",
    "tornado",
    "tornado_table",
]


def scenario_totals(table: pl.DataFrame) -> alt.LayerChart:
    """What each scenario pays, by code, with differences to the first.

    ``table`` is what ``scenario_totals_table(compare(...))`` returns.
    """
    return alt.LayerChart.from_dict(scenario_totals_spec(table))


def payment_bridge(table: pl.DataFrame) -> alt.LayerChart:
    """From one scenario's payment to another's, one changed term at a time.

    ``table`` is what ``payment_bridge_table(bridge(...))`` returns.
    """
    return alt.LayerChart.from_dict(payment_bridge_spec(table))


def tornado(table: pl.DataFrame) -> alt.LayerChart:
    """What each term moves the total by between the ends of its range, widest first.

    ``table`` is what ``tornado_table(tornado(...))`` returns.
    """
    return alt.LayerChart.from_dict(tornado_spec(table))


def payment_distribution(table: pl.DataFrame) -> alt.LayerChart:
    """How sure a scenario's total is: its draws, percentiles and exact expectation.

    ``table`` is what ``payment_distribution_table(simulate(...))`` returns.
    """
    return alt.LayerChart.from_dict(payment_distribution_spec(table))


def localities_ranked(table: pl.DataFrame) -> alt.LayerChart:
    """A code's amount in every locality, ours marked.

    ``table`` is what ``localities_ranked_table(ranked_localities(...), ...)`` returns.
    """
    return alt.LayerChart.from_dict(localities_ranked_spec(table))


def rates_over_years(table: pl.DataFrame) -> alt.LayerChart:
    """Medicare's rates of the three codes by year, office beside outpatient.

    ``table`` is what ``rates_over_years_table()`` returns.
    """
    return alt.LayerChart.from_dict(rates_over_years_spec(table))


def market_strip(table: pl.DataFrame) -> alt.LayerChart:
    """Where our charge stands among those of hospitals.

    ``table`` is what ``market_strip_table(prices, ...)`` returns.
    """
    return alt.LayerChart.from_dict(market_strip_spec(table))


def break_even_volume(table: pl.DataFrame) -> alt.LayerChart:
    """How many encounters carry the fixed cost, or that no number does.

    ``table`` is what ``break_even_volume_table(break_even(...), ...)`` returns.
    """
    return alt.LayerChart.from_dict(break_even_volume_spec(table))


def charting_error_curve(table: pl.DataFrame) -> alt.LayerChart:
    """What minutes of charting error would gain or lose.

    ``table`` is what ``charting_error_curve_table(charting_error(...))`` returns.
    """
    return alt.LayerChart.from_dict(charting_error_curve_spec(table))


def steps_nearly_reached(table: pl.DataFrame) -> alt.LayerChart:
    """Encounters just short of a step of units, and just past it.

    ``table`` is what ``steps_nearly_reached_table(near_steps(...))`` returns.
    """
    return alt.LayerChart.from_dict(steps_nearly_reached_spec(table))
