"""How far chance alone would move a share or a total: Wilson's interval, quantiles."""

from numbers import Real
from statistics import NormalDist

import polars as pl

from subq_toolkit.effective import read_parameters
from subq_toolkit.errors import InputError

_RULES = read_parameters("review_sampling")
RATE_CONFIDENCE = float(_RULES["rate_confidence"].values[-1].value)
TOTAL_CONFIDENCE = float(_RULES["total_confidence"].values[-1].value)


def wilson_interval(
    events: int, cases: int, *, confidence: float = RATE_CONFIDENCE
) -> tuple[float, float] | tuple[None, None]:
    """The Wilson score interval of events among cases; none where there is no case.

    For 3 of 10 at 95 % it is 0.108 to 0.603. See ``error_rates``.

    Raises
    ------
    InputError
        If there are more events than cases, or the level is no share.
    """
    z = normal_quantile(confidence)
    if not (is_whole(events) and is_whole(cases) and 0 <= events <= cases):
        raise InputError("events and cases are whole numbers, events being at most cases.")
    row = pl.DataFrame({"events": [events], "cases": [cases]})
    return row.select(**with_interval("events", "cases", z)).row(0)


def normal_quantile(confidence: float) -> float:
    """How many standard deviations to either side hold a share of the normal distribution.

    Raises
    ------
    InputError
        If the level is no share between 0 and 1.
    """
    if not isinstance(confidence, Real) or not 0 < confidence < 1:
        raise InputError("confidence is a share between 0 and 1, e.g. 0.95 for 95 %.")
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def student_quantile(confidence: float, free: float) -> float:
    """How many standard errors to either side hold a share of Student's distribution.

    Raises
    ------
    InputError
        If scipy is not installed.
    """
    try:
        from scipy.special import stdtrit
    except ImportError:
        raise InputError(
            "Intervals of totals need scipy, which is not installed. Install it with: "
            'pip install "subq_toolkit[audit]"'
        ) from None
    return float(stdtrit(free, 0.5 + confidence / 2))


def with_interval(events: str, cases: str, z: float) -> dict[str, pl.Expr]:
    """``rate_low`` and ``rate_high``, exact at either end, null without a case."""
    k, n = pl.col(events).cast(pl.Float64), pl.col(cases).cast(pl.Float64)
    p, z2 = k / n, z * z
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = z * (p * (1 - p) / n + z2 / (4 * n * n)).sqrt() / (1 + z2 / n)
    low = pl.when(n == 0).then(None).when(k == 0).then(0.0).otherwise(centre - half)
    high = pl.when(n == 0).then(None).when(k == n).then(1.0).otherwise(centre + half)
    return {"rate_low": low, "rate_high": high}


def is_whole(value: object) -> bool:
    """Whether a value is a whole number, and no truth."""
    return isinstance(value, int) and not isinstance(value, bool)
