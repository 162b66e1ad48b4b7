"""How many encounters a review needs for an interval of a stated width."""

from math import ceil
from numbers import Real

from subq_toolkit.audit.intervals import (
    RATE_CONFIDENCE,
    TOTAL_CONFIDENCE,
    is_whole,
    normal_quantile,
)
from subq_toolkit.effective import read_parameters
from subq_toolkit.errors import InputError

_LEAST = int(read_parameters("review_sampling")["least_sampled"].values[-1].value)


def sample_size(
    population: int,
    *,
    expected_rate: float = 0.5,
    precision: float = 0.05,
    confidence: float = RATE_CONFIDENCE,
) -> int:
    """How many encounters to review for an error rate that is known to within ``precision``.

    Normal approximation, corrected for the population, rounded up; n₀ = z² p (1 - p) / e²::

        n = n₀ / (1 + (n₀ - 1) / N)

    Parameters
    ----------
    population
        Encounters to draw from. [1]
    expected_rate
        The error rate that is expected; 0.5 asks for the most. [1]
    precision
        Half the width of the interval. [1]
    confidence
        Level of the interval. [1]

    Raises
    ------
    InputError
        If an entry makes no sense.

    Notes
    -----
    ``finite_population`` in ``parameters/review_sampling.toml``. Too small for rates near 0 or 1:
    there the interval of what was found (``wilson_interval``) decides.
    """
    z = normal_quantile(confidence)
    _check_population(population)
    if not isinstance(expected_rate, Real) or not 0 < expected_rate < 1:
        raise InputError("expected_rate is a share between 0 and 1, neither 0 nor 1 itself.")
    if not isinstance(precision, Real) or not 0 < precision <= 0.5:
        raise InputError("precision is a share above 0 and at most 0.5, e.g. 0.05 for ± 5 %.")
    large = z * z * expected_rate * (1 - expected_rate) / precision**2
    return _rounded_up(large / (1 + (large - 1) / population), population)


def sample_size_money(
    population: int,
    *,
    spread_usd: float,
    precision_usd: float,
    confidence: float = TOTAL_CONFIDENCE,
) -> int:
    """How many encounters to review for a mean amount that is known to within ``precision_usd``.

    Normal approximation, corrected for the population, rounded up; n₀ = (z s / e)²::

        n = n₀ / (1 + n₀ / N)

    Parameters
    ----------
    population
        Encounters to draw from. [1]
    spread_usd
        Standard deviation of the amounts of a pilot. [USD]
    precision_usd
        Half the width of the interval of the mean of an encounter; for a total, divide its
        half width by the population. [USD]
    confidence
        Level of the interval. [1]

    Raises
    ------
    InputError
        If an entry makes no sense.
    """
    z = normal_quantile(confidence)
    _check_population(population)
    for name, value in (("spread_usd", spread_usd), ("precision_usd", precision_usd)):
        if not isinstance(value, Real) or not 0 < value < float("inf"):
            raise InputError(f"{name} is an amount above zero.")
    large = (z * float(spread_usd) / float(precision_usd)) ** 2
    return _rounded_up(large / (1 + large / population), population)


def _check_population(population: int) -> None:
    if not is_whole(population) or population < 1:
        raise InputError("population is a whole number of encounters, 1 or more.")


def _rounded_up(size: float, population: int) -> int:
    """Up to a whole encounter, at least two where there are two, never more than there are."""
    return min(max(ceil(size - 1e-9), _LEAST), population)
