"""How sure a scenario's total is: resampled encounters, uncertain rates, a stated seed.

Each draw resamples the encounters with replacement (a bootstrap, drawn as counts, so that it
costs the same for any number of encounters) and, where a rate was seen on few cases, draws
the rate from its beta distribution (Jeffreys prior). Deviations from the mean are widened for
small numbers, sqrt(n / (n - 1)) × (1 + (z² + 1) / (4 (n - 1))), the first terms by which
Student's quantiles leave the normal ones; so an interval from 20 encounters is as honest as
one from a million.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np
import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.fees import FeeTables
from subq_toolkit.scenarios.comparison import total_usd
from subq_toolkit.scenarios.counted_lines import expected_encounters
from subq_toolkit.scenarios.minute_summary import MinuteSummary
from subq_toolkit.scenarios.scenario import Scenario

#: Percentiles that are told, and the normal quantile of each.
PERCENTILES = {2.5: 1.96, 5: 1.645, 25: 0.674, 50: 0.0, 75: 0.674, 95: 1.645, 97.5: 1.96}
_MOST_DRAWS = 100_000


@dataclass(frozen=True, eq=False)
class Simulation:
    """The total of a scenario, many times over.

    Attributes
    ----------
    totals_usd
        One total a draw, widened for small numbers. [USD]
    exact_usd
        The expectation without simulation. [USD]
    encounters
        Coded encounters that were resampled. [1]
    seed
        Of the random numbers; the same seed gives the same bytes.
    """

    totals_usd: np.ndarray
    exact_usd: float
    encounters: int
    seed: int

    @property
    def mean_usd(self) -> float:
        """Mean of the draws. [USD]"""
        return float(self.totals_usd.mean())

    @property
    def standard_error_usd(self) -> float:
        """By how much the mean of so many draws may miss the expectation. [USD]"""
        return float(self.totals_usd.std(ddof=1) / np.sqrt(len(self.totals_usd)))

    def percentiles(self) -> pl.DataFrame:
        """The distribution: ``percentile`` [%], ``total_usd`` [USD] rounded to the cent."""
        values = np.percentile(self.totals_usd, list(PERCENTILES))
        return pl.DataFrame(
            {"percentile": list(PERCENTILES), "total_usd": [round(float(one), 2) for one in values]}
        )


def simulate(
    summary: MinuteSummary,
    scenario: Scenario,
    *,
    seed: int,
    draws: int = 2_000,
    denials_seen: tuple[int, int] | None = None,
    recoveries_seen: tuple[int, int] | None = None,
    tables: FeeTables | None = None,
) -> Simulation:
    """Simulate the total of a scenario.

    Parameters
    ----------
    summary, scenario
        The work and the terms.
    seed
        Of the random numbers.
    draws
        How many totals to draw. [1]
    denials_seen, recoveries_seen
        On how many cases the scenario's rate was seen: pairs of (events, cases). The rate is then
        drawn from the beta distribution of Jeffreys, whose mean lies a little nearer to one half
        than events / cases, so that the mean of the draws is not ``exact_usd``. None: the rate
        is taken as certain.
    tables
        The dated figures; the bundled ones by default.

    Raises
    ------
    InputError
        If there is nothing to resample, or a number is out of range.
    """
    if not _whole(draws) or not 1 <= draws <= _MOST_DRAWS:
        raise InputError(f"'draws' is a whole number from 1 to {_MOST_DRAWS:,}.")
    if not _whole(seed) or seed < 0:
        raise InputError("'seed' is a whole number, zero or more, so that it can be repeated.")
    _check_seen("denials_seen", denials_seen)
    _check_seen("recoveries_seen", recoveries_seen)
    summary = scenario.work or summary
    charged = replace(scenario, work=None, denial_rate=0.0)
    sums, n, state = _charged(summary, charged, seed, draws, recoveries_seen, tables)
    random = np.random.default_rng()
    random.bit_generator.state = state
    paid = 1 - _rate(denials_seen, scenario.denial_rate, draws, random)
    exact = float(total_usd(summary, scenario, tables=tables))
    return Simulation(_widened(sums * paid / 100, n), exact, n, seed)


@lru_cache(maxsize=16)
def _charged(
    summary: MinuteSummary,
    scenario: Scenario,
    seed: int,
    draws: int,
    recoveries_seen: tuple[int, int] | None,
    tables: FeeTables | None,
) -> tuple[np.ndarray, int, dict]:
    """Totals before denials [cents], how many encounters, and where the random numbers are."""
    coded, sums, n, state = _coded(
        summary, replace(scenario, recovered_share=0.0), seed, draws, tables
    )
    random = np.random.default_rng()
    random.bit_generator.state = state
    found = _rate(recoveries_seen, scenario.recovered_share, draws, random)
    sums = sums + _recovered(summary, scenario, coded, found, random)
    return sums, n, random.bit_generator.state


@lru_cache(maxsize=16)
def _coded(
    summary: MinuteSummary, scenario: Scenario, seed: int, draws: int, tables: FeeTables | None
) -> tuple[pl.DataFrame, np.ndarray, int, dict]:
    """What coded encounters earn, their totals [cents], how many, and the random numbers."""
    random = np.random.default_rng(seed)
    coded = _amounts(summary, scenario, tables)
    n = int(coded["encounters"].sum())
    if not n:
        raise InputError("There is no coded encounter to resample. Look at coded.reconcile().")
    return coded, _resampled(coded, n, draws, random), n, random.bit_generator.state


def _amounts(summary: MinuteSummary, scenario: Scenario, tables: FeeTables | None) -> pl.DataFrame:
    """What an encounter earns and how many earn it, by place: ``place, cents, encounters``."""
    rows = expected_encounters(summary, scenario, tables=tables)
    merged = rows.group_by("place", pl.col("cents").round(4)).agg(pl.col("encounters").sum())
    return merged.sort("place", "cents")


def _resampled(
    amounts: pl.DataFrame, n: int | np.ndarray, draws: int, random: np.random.Generator
) -> np.ndarray:
    """Sums of ``n`` encounters, or of so many in each draw, drawn with replacement. [cents]"""
    shares = amounts["encounters"].to_numpy() / amounts["encounters"].sum()
    return random.multinomial(n, shares, size=draws) @ amounts["cents"].to_numpy()


def _recovered(
    summary: MinuteSummary,
    scenario: Scenario,
    coded: pl.DataFrame,
    rates: np.ndarray,
    random: np.random.Generator,
) -> np.ndarray:
    """What found stops earn in each draw: encounters of the same place, drawn anew. [cents]"""
    draws = len(rates)
    sums = np.zeros(draws)
    if not rates.any():
        return sums
    moved = pl.col("place") if scenario.setting == "as_charted" else pl.lit(scenario.setting)
    query = summary.only().counts.filter(pl.col("outcome") == "query")
    waiting = query.group_by(place=moved).agg(pl.col("encounters").sum())
    for place, count in waiting.sort("place").rows():
        here = coded.filter(pl.col("place") == place)
        if not here.is_empty():
            sums += _resampled(here, random.binomial(count, rates), draws, random)
    return sums


def _check_seen(name: str, seen: object) -> None:
    """Refuse what is no pair of events and cases."""
    if seen is None:
        return
    if not isinstance(seen, tuple) or len(seen) != 2 or not all(map(_whole, seen)):
        raise InputError(f"'{name}' is a pair of whole numbers, e.g. (6, 100) for 6 of 100.")
    events, cases = seen
    if not 0 <= events <= cases or cases < 1:
        raise InputError(f"'{name}' is a pair of events and cases, events being at most cases.")


def _rate(
    seen: tuple[int, int] | None, rate: float, draws: int, random: np.random.Generator
) -> np.ndarray:
    """A rate for each draw: as stated, or from the beta distribution of what was seen. [1]"""
    if seen is None:
        return np.full(draws, rate)
    events, cases = seen
    return random.beta(events + 0.5, cases - events + 0.5, size=draws)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _widened(totals: np.ndarray, n: int) -> np.ndarray:
    """Totals whose distance from their mean is that of Student's distribution, to first order."""
    if n < 2:
        return totals
    centre, spread = totals.mean(), totals.std()
    if not spread:
        return totals
    z = (totals - centre) / spread
    widen = np.sqrt(n / (n - 1)) * (1 + (z**2 + 1) / (4 * (n - 1)))
    return centre + (totals - centre) * widen


def tornado(
    summary: MinuteSummary,
    scenario: Scenario,
    ranges: Mapping[str, tuple[object, object]],
    *,
    tables: FeeTables | None = None,
) -> pl.DataFrame:
    """Move one term at a time to either end of its range, widest first.

    Parameters
    ----------
    summary, scenario
        The work, and the terms to start from.
    ranges
        Field of ``Scenario`` to its low and high value, e.g. ``{"denial_rate": (0.02, 0.10)}``.
    tables
        The dated figures; the bundled ones by default.

    Returns
    -------
    pl.DataFrame
        ``term``, ``low, high`` (as text), ``low_usd, high_usd, base_usd, spread_usd`` [USD].

    Raises
    ------
    InputError
        If a scenario has no such term.
    """
    base = float(total_usd(summary, scenario, tables=tables))
    rows = []
    for term, ends in ranges.items():
        if term == "name" or term not in {field.name for field in fields(Scenario)}:
            raise InputError(f"A scenario has no term '{term}' to move.")
        if not isinstance(ends, tuple | list) or len(ends) != 2:
            raise InputError(f"The range of '{term}' is a pair, e.g. (0.02, 0.10).")
        low, high = (
            float(total_usd(summary, replace(scenario, **{term: end}), tables=tables))
            for end in ends
        )
        rows.append((term, str(ends[0]), str(ends[1]), low, high, base, abs(high - low)))
    schema = ["term", "low", "high", "low_usd", "high_usd", "base_usd", "spread_usd"]
    types = dict.fromkeys(schema[:3], pl.String) | dict.fromkeys(schema[3:], pl.Float64)
    table = pl.DataFrame(rows, schema=types, orient="row")
    return table.sort("spread_usd", "term", descending=[True, False])
