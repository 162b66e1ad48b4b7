"""The views of the scenario panel: each from what is asked to charts and a page.

A view is computed when it is opened, so that a moved slider costs only what is seen.
"""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import polars as pl

from subq_toolkit import charts
from subq_toolkit.charts.figure import Figure, figure
from subq_toolkit.errors import InputError
from subq_toolkit.fees import check_locality, market_position, ranked_localities
from subq_toolkit.fees.market import COLLECTED
from subq_toolkit.fees.tables import bundled_tables
from subq_toolkit.panels import scenario_pages as pages
from subq_toolkit.panels.figure_sources import cites
from subq_toolkit.panels.html_parts import note
from subq_toolkit.panels.scenario_states import ScenarioState, pairs
from subq_toolkit.panels.view_tab import View
from subq_toolkit.scenarios import (
    MinuteSummary,
    Scenario,
    break_even,
    bridge,
    charting_error,
    compare,
    missing_stop_value,
    near_steps,
    rate_card,
    simulate,
    tornado,
)

#: The last day for which every locality has figures, for the ranking.
_RANKED_ON = date(2025, 12, 31)
_SEED, _WITHIN_MIN = 20260302, 10
_YEARS = (2020, 2027)


class Asked(NamedTuple):
    """What a view answers: the work, the scenarios, and all that stands in the panel."""

    summary: MinuteSummary
    scenarios: tuple[Scenario, ...]
    state: ScenarioState

    @property
    def base(self) -> Scenario:
        """The baseline."""
        return self.scenarios[0]

    @property
    def shown(self) -> Scenario:
        """The what-if that bridge and spread are of; the baseline if there is none."""
        return self.scenarios[min(self.state.shown, len(self.scenarios) - 1)]

    def caption(self, scenario: Scenario) -> str:
        """Where the numbers of a scenario are from."""
        return charts.terms_caption(self.summary, scenario)

    def days(self, scenario: Scenario) -> tuple[date, ...]:
        """First days of the periods whose prices a scenario uses."""
        return self.summary.coded_periods if scenario.on is None else (scenario.on,)

    def told(self, *scenarios: Scenario) -> dict[str, object]:
        """What every picture of charted work says: how many encounters, and its sources."""
        here = pl.col("place").is_in(self.summary.places)
        moved = [one for one in scenarios if one.setting != "as_charted"]
        cards = [rate_card(one, self.days(one), 1) for one in scenarios]
        used = [card if moved else card.filter(here) for card in cards]
        of = self.summary.coded or self.summary.encounters
        return {"encounters": of, "sources": cites(*used)}


def totals(summary: MinuteSummary, scenarios: Sequence[Scenario]) -> pl.DataFrame:
    """What ``compare`` says of the scenarios."""
    return compare(summary, scenarios)


def _without_price(asked: Asked, scenario: Scenario) -> float:
    table = compare(asked.summary, [scenario])
    return float(table.filter(pl.col("code") == "total")["units_without_price"].sum())


def _totals(asked: Asked) -> tuple[list[Figure], str]:
    table = totals(asked.summary, asked.scenarios)
    if table.is_empty():
        raise InputError("There is no coded encounter to count. Look at coded.reconcile().")
    try:
        steps, refused = bridge(asked.summary, asked.base, asked.shown), ""
    except InputError as error:
        steps, refused = None, note(f"No bridge. {error}")
    missing = table.filter(pl.col("code") == "total", pl.col("scenario") == asked.shown.name)
    stacked = charts.scenario_totals_table(table, caption=asked.caption(asked.base))
    bridged = charts.payment_bridge_table(
        steps,
        units_without_price=float(missing["units_without_price"].sum()),
        caption=asked.caption(asked.shown),
    )
    both = asked.told(asked.base, asked.shown)
    figures = [
        figure("scenario_totals", stacked, **asked.told(*asked.scenarios)),
        figure("payment_bridge", bridged, **both),
    ]
    bridged = refused if steps is None else pages.bridge_page(steps)
    return figures, pages.totals_page(table, asked.summary) + bridged


def _spread(asked: Asked) -> tuple[list[Figure], str]:
    shown = asked.shown
    caption = {
        "caption": asked.caption(shown),
        "units_without_price": _without_price(asked, shown),
    }
    low, high = max(shown.denial_rate - 0.05, 0.0), min(shown.denial_rate + 0.05, 1.0)
    ranges = {
        "denial_rate": (low, high),
        "recovered_share": (0.0, 1.0),
        "shift_min": (shown.shift_min - 5, shown.shift_min + 5),
    }
    moved = tornado(asked.summary, shown, ranges)
    simulated = simulate(asked.summary, shown, seed=_SEED)
    spread, told = charts.payment_distribution_table(simulated, **caption), asked.told(shown)
    return [
        figure("tornado", charts.tornado_table(moved, **caption), **told),
        figure("payment_distribution", spread, **told),
    ], ""


def _charting(asked: Asked) -> tuple[list[Figure], str]:
    errors = charting_error(asked.summary, asked.shown, within_min=_WITHIN_MIN)
    caption = asked.caption(asked.shown)
    missing = _without_price(asked, asked.shown)
    curve = charts.charting_error_curve_table(errors, units_without_price=missing, caption=caption)
    near = charts.steps_nearly_reached_table(near_steps(asked.summary), caption=caption)
    told = asked.told(asked.shown)
    figures = [
        figure("charting_error_curve", curve, **told),
        figure("steps_nearly_reached", near, **told),
    ]
    return figures, pages.missing_stops_page(missing_stop_value(asked.summary, asked.shown))


def _places(asked: Asked) -> tuple[list[Figure], str]:
    return _place_figures(asked.state.code, asked.state.ours.strip() or None), ""


@lru_cache(maxsize=8)
def _place_figures(code: str, ours: str | None) -> list[Figure]:
    """What no scenario moves: the localities of a code, and the national rates of every year."""
    check_locality(ours, bundled_tables())
    ranked = ranked_localities(code, _RANKED_ON)
    table = charts.localities_ranked_table(ranked, code=code, on=_RANKED_ON, ours=ours)
    return [
        figure("localities_ranked", table, sources=cites(ranked)),
        figure("rates_over_years", charts.rates_over_years_table(), sources=_national_sources()),
    ]


def _national_sources() -> tuple[str, ...]:
    """Where the national rates of every year are from."""
    days = tuple(date(year, 7, 1) for year in range(*_YEARS))
    return cites(rate_card(Scenario("national"), days, 1))


def _sources(asked: Asked) -> tuple[list[Figure], str]:
    counts = asked.summary.counts
    nowhere = counts.filter(outcome="coded", place="not_stated")["encounters"].sum()
    card = rate_card(asked.shown, asked.days(asked.shown), 1)
    return [], pages.rates_page(card, asked.shown.name, nowhere)


def _market(asked: Asked) -> tuple[list[Figure], str]:
    charges = pairs(asked.state.charges, "'charges'")
    if not charges:
        raise InputError("Type our charges as 96369=500; 96370=150 to see where they stand.")
    frame = pl.DataFrame({"code": list(charges), "amount_usd": list(charges.values())})
    state = asked.state.state.strip() or "US"
    found = market_position(frame, state=state).collect()
    table = charts.market_strip_table(found, kind="gross", state=state, on=COLLECTED)
    shown = figure("market_strip", table, sources=cites(found))
    return [shown], pages.market_page(found)


def _break_even(asked: Asked) -> tuple[list[Figure], str]:
    names = ("chair_usd_per_h", "nurse_usd_per_h", "setup_usd", "fixed_usd")
    try:
        costs = {name: float(getattr(asked.state, name)) for name in names}
    except ValueError:
        raise InputError("Type every cost as a number, like 30 or 12.5, without a sign.") from None
    found = break_even(asked.summary, asked.shown, **costs)
    table = charts.break_even_volume_table(
        found,
        **costs,
        units_without_price=_without_price(asked, asked.shown),
        caption=asked.caption(asked.shown),
    )
    told = asked.told(asked.shown)
    return [figure("break_even_volume", table, **told)], pages.break_even_page(found)


_COSTS = ("chair_usd_per_h", "nurse_usd_per_h", "setup_usd", "fixed_usd")
VIEWS: dict[str, View] = {
    "Totals": View(2, (), _totals),
    "How sure": View(2, (), _spread),
    "Charting": View(2, (), _charting),
    "Places and years": View(2, ("code", "ours"), _places),
    "Market": View(1, ("charges", "state"), _market),
    "Break-even": View(1, _COSTS, _break_even),
    "Sources": View(0, (), _sources),
}
