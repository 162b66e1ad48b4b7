"""Totals of strata from some of their encounters, each with its variance."""

from collections.abc import Callable, Sequence
from math import fsum
from typing import NamedTuple

from subq_toolkit.errors import InputError

#: The part of a difference that is totalled.
Part = Callable[[float], float]


class Stratum(NamedTuple):
    """Reviewed differences of a stratum, and what was billed for them. [USD]"""

    name: str
    size: int
    sampled: int
    differences: list[float]
    billed: list[float]
    billed_in_all: float


class Estimate(NamedTuple):
    """A total, its variance (null where one reviewed tells none) and what it rests on."""

    found: float
    total: float | None
    variance: float | None
    reviewed: int
    size: int


def mean_total(stratum: Stratum, part: Part) -> Estimate:
    """The total of a stratum from the mean of those reviewed."""
    values = [part(one) for one in stratum.differences]
    n, size = len(values), stratum.size
    total = size * fsum(values) / n if n else None
    return Estimate(fsum(values), total, _variance(values, size), n, size)


def _variance(values: Sequence[float], size: int) -> float | None:
    """Variance of a total from n of N values: N² (1 - n/N) s² / n. [USD²]"""
    n = len(values)
    if n == size:
        return 0.0
    if n < 2:
        return None
    if min(values) == max(values):
        return 0.0
    mean = fsum(values) / n
    spread = fsum((one - mean) ** 2 for one in values) / (n - 1)
    return size * (size - n) * spread / n


def ratio_totals(strata: Sequence[Stratum], part: Part) -> list[Estimate]:
    """The combined ratio, as one estimate a stratum, so that their sum is that of all."""
    values = [[part(one) for one in stratum.differences] for stratum in strata]
    weights = [stratum.size / len(stratum.billed) if stratum.billed else 0.0 for stratum in strata]
    below = fsum(w * fsum(one.billed) for w, one in zip(weights, strata, strict=True))
    if not below:
        raise InputError("Nothing was billed in the sample, so that no ratio to it is defined.")
    ratio = fsum(w * fsum(one) for w, one in zip(weights, values, strict=True)) / below
    estimates = []
    for stratum, ys in zip(strata, values, strict=True):
        rest = [y - ratio * x for y, x in zip(ys, stratum.billed, strict=True)]
        total = ratio * stratum.billed_in_all if ys else None
        variance = _variance(rest, stratum.size)
        estimates.append(Estimate(fsum(ys), total, variance, len(ys), stratum.size))
    return estimates


def satterthwaite(estimates: Sequence[Estimate]) -> float | None:
    """Satterthwaite's degrees of freedom [1]; of a single stratum n - 1. None: no variance."""
    spread = [one for one in estimates if one.variance]
    if not spread:
        return None
    if len(spread) == 1:
        return float(spread[0].reviewed - 1)
    largest = max(one.variance for one in spread)
    shares = [one.variance / largest for one in spread]
    below = fsum(v * v / (one.reviewed - 1) for v, one in zip(shares, spread, strict=True))
    return fsum(shares) ** 2 / below
