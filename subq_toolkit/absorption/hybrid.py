"""Hybrid depot: first-order while little lies under the skin, capped when much does.

A modelling device without a published fit: no published cap on the subcutaneous absorption
of volume was found. Each of n sites absorbs min(ka*V, L), so together min(ka*V, n*L) of the
whole depot V. The two laws meet at the bend V* = n*L/ka:

    above the bend   V(t) = V(0) + (q - n*L)*t
    below the bend   V(t) = V(0)*exp(-ka*t) + q*(1 - exp(-ka*t))/ka

While the rate q is constant, V moves one way only, so the bend is passed at most once:

    falling, q < n*L   after (V(0) - V*) / (n*L - q)
    rising,  q > n*L   after ln(1 + ka*(V* - V(0)) / (q - n*L)) / ka

From empty the latter is -ln(1 - n*L/q)/ka.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, expm1, inf, log1p

import numpy as np
import polars as pl

from subq_toolkit.absorption.course import course
from subq_toolkit.absorption.given import Hours, Numbers, positive, whole
from subq_toolkit.absorption.inputs import Inflow, moments
from subq_toolkit.absorption.stretches import Stretches, levels


@dataclass(frozen=True, kw_only=True, slots=True)
class Hybrid:
    """First-order absorption up to a limit. A modelling device without a published fit.

    Attributes
    ----------
    ka_per_h
        Share of a small depot absorbed per hour. [1/h] More than 0.
    limit_ml_per_h_per_site
        Most that one site absorbs. [mL/h/site] More than 0.
    sites
        Sites that share the input equally. [1] 1 or more.
    """

    ka_per_h: float
    limit_ml_per_h_per_site: float
    sites: int = 1

    def __post_init__(self) -> None:
        for name in ("ka_per_h", "limit_ml_per_h_per_site"):
            object.__setattr__(self, name, positive(name, getattr(self, name)))
        object.__setattr__(self, "sites", whole("sites", self.sites))

    @property
    def limit_ml_per_h(self) -> float:
        """Most that all sites absorb together. [mL/h]"""
        return self.limit_ml_per_h_per_site * self.sites

    @property
    def bend_ml(self) -> float:
        """Depot at all sites together above which the limit holds. [mL]"""
        return self.limit_ml_per_h / self.ka_per_h

    def depot(self, inflow: Inflow, time_h: Hours) -> pl.DataFrame:
        """Depot at each time; see ``hybrid``."""
        asked = moments(inflow, time_h)
        begun = self._starts(inflow.stretches)[asked.stretch].tolist()
        each = zip(begun, asked.ml_per_h.tolist(), asked.since_h.tolist(), strict=True)
        depot_ml = np.array([self._after(*one) for one in each], dtype=float)
        rate = np.minimum(self.ka_per_h * depot_ml, self.limit_ml_per_h)
        return course(asked, depot_ml=depot_ml, absorption_ml_per_h=rate)

    def _starts(self, parts: Stretches) -> Numbers:
        """Depot as each stretch begins, its bolus included. [mL]"""
        columns = (parts.ml_per_h[:-1], parts.hours, parts.bolus_ml[1:])
        return levels(self._next, zip(*(column.tolist() for column in columns), strict=True))

    def _next(self, level: float, stretch: Sequence[float]) -> float:
        ml_per_h, hours, bolus_ml = stretch
        return self._after(level, ml_per_h, hours) + bolus_ml

    def _after(self, level: float, ml_per_h: float, hours: float) -> float:
        """Depot after ``hours`` of a constant rate, from ``level``. [mL]"""
        above = level >= self.bend_ml
        law, other = (self._linear, self._fading) if above else (self._fading, self._linear)
        until_bend = self._until_bend(level, ml_per_h, above)
        if hours <= until_bend:
            return law(level, ml_per_h, hours)
        return other(self.bend_ml, ml_per_h, hours - until_bend)

    def _until_bend(self, level: float, ml_per_h: float, above: bool) -> float:
        """Hours until the bend is passed; endless where it never is. [h]"""
        surplus = ml_per_h - self.limit_ml_per_h
        if above:
            return (level - self.bend_ml) / -surplus if surplus < 0 else inf
        below = self.ka_per_h * (self.bend_ml - level)
        return log1p(below / surplus) / self.ka_per_h if surplus > 0 else inf

    def _linear(self, level: float, ml_per_h: float, hours: float) -> float:
        return level + (ml_per_h - self.limit_ml_per_h) * hours

    def _fading(self, level: float, ml_per_h: float, hours: float) -> float:
        turnover = self.ka_per_h * hours
        return level * exp(-turnover) - ml_per_h * expm1(-turnover) / self.ka_per_h


def hybrid(
    inflow: Inflow,
    time_h: Hours,
    *,
    ka_per_h: float,
    limit_ml_per_h_per_site: float,
    sites: int = 1,
) -> pl.DataFrame:
    """How a hybrid depot fills and empties, at all sites together.

    A modelling device without a published fit.

    Parameters
    ----------
    inflow
        What goes in at all sites together.
    time_h
        Times to evaluate, in any order. [h] Before 0 everything is 0.
    ka_per_h
        Share of a small depot absorbed per hour. [1/h]
    limit_ml_per_h_per_site
        Most that one site absorbs. [mL/h/site]
    sites
        Sites that share the input equally. [1]

    Returns
    -------
    pl.DataFrame
        ``time_h``, ``delivered_ml``, ``depot_ml``, ``absorbed_ml``, ``absorption_ml_per_h``.
        Delivered = depot + absorbed.

    Raises
    ------
    InputError
        If a number is missing, endless, or not more than 0.
    """
    model = Hybrid(ka_per_h=ka_per_h, limit_ml_per_h_per_site=limit_ml_per_h_per_site, sites=sites)
    return model.depot(inflow, time_h)
