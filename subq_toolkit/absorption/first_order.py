"""First-order depot: a constant share of what lies under the skin is absorbed per hour.

Depot A1 with input F*q, body A2 (only where ``ke_per_h`` is given):

    dA1/dt = F*q - ka*A1          dA2/dt = ka*A1 - ke*A2

While the rate q is constant, from A1(0) and A2(0), with E(k, t) = (1 - exp(-k*t)) / k:

    A1(t) = A1(0)*exp(-ka*t) + F*q*E(ka, t)
    A2(t) = A2(0)*exp(-ke*t) + ka*(A1(0)*B(t) + F*q*G(t))
    B(t) = exp(-low*t) * E(high - low, t)          low, high: the smaller, larger of ka and ke
    G(t) = (E(low, t) - B(t)) / high

which is the usual closed form, e.g. (exp(-ke*t) - exp(-ka*t)) / (ka - ke) for B, written so
that nothing large cancels where ka and ke are equal or nearly so.

Source: standard linear compartment result (PFIM library of models; R package wnl, Comp1).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from subq_toolkit.absorption.course import course
from subq_toolkit.absorption.given import Hours, Numbers, positive
from subq_toolkit.absorption.inputs import Inflow, moments
from subq_toolkit.absorption.stretches import Moments, Stretches, levels

#: Below this many lifetimes the closed form of an infusion loses digits and a series is exact.
_SHORT = 1e-3


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstOrder:
    """A constant share of the depot is absorbed per hour.

    The number of sites does not matter: sites that share the input add up to one depot.

    Attributes
    ----------
    ka_per_h
        Share absorbed per hour. [1/h] More than 0; ln 2 / half-life.
    ke_per_h
        Share of the body's amount eliminated per hour. [1/h] More than 0; None leaves out the
        body.
    bioavailability
        Share of the delivered amount that enters the depot. [1] More than 0; the loss is
        thought to happen before, so the depot holds only what will be absorbed.
    """

    ka_per_h: float
    ke_per_h: float | None = None
    bioavailability: float = 1.0

    def __post_init__(self) -> None:
        for name in ("ka_per_h", "ke_per_h", "bioavailability"):
            if name != "ke_per_h" or self.ke_per_h is not None:
                object.__setattr__(self, name, positive(name, getattr(self, name)))

    def depot(self, inflow: Inflow, time_h: Hours) -> pl.DataFrame:
        """Depot, and body where ``ke_per_h`` is known, at each time; see ``first_order``."""
        asked = moments(inflow, time_h)
        starts = self._starts(inflow.stretches)
        level = self._after(starts[asked.stretch], asked.ml_per_h, asked.since_h)
        depot_ml = self.bioavailability * level
        table = course(
            asked,
            depot_ml=depot_ml,
            absorption_ml_per_h=self.ka_per_h * depot_ml,
            available=self.bioavailability,
        )
        if self.ke_per_h is None:
            return table
        body = self._body(asked, inflow.stretches, starts)
        return table.with_columns(body_ml=self.bioavailability * body)

    def _starts(self, parts: Stretches) -> Numbers:
        """Depot as each stretch begins, its bolus included. [mL]"""
        added = parts.ml_per_h[:-1] * _filled(self.ka_per_h, parts.hours) + parts.bolus_ml[1:]
        return _running(np.exp(-self.ka_per_h * parts.hours), added)

    def _after(self, level: Numbers, ml_per_h: Numbers, hours: Numbers) -> Numbers:
        """Depot after ``hours`` of a constant rate, from ``level``. [mL]"""
        return level * np.exp(-self.ka_per_h * hours) + ml_per_h * _filled(self.ka_per_h, hours)

    def _body(self, asked: Moments, parts: Stretches, depots: Numbers) -> Numbers:
        """Body at each time; ``depots`` are the depots as each stretch begins. [mL]"""
        gained = self._gained(depots[:-1], parts.ml_per_h[:-1], parts.hours)
        begun = _running(np.exp(-self.ke_per_h * parts.hours), gained)[asked.stretch]
        since = self._gained(depots[asked.stretch], asked.ml_per_h, asked.since_h)
        return begun * np.exp(-self.ke_per_h * asked.since_h) + since

    def _gained(self, depot_ml: Numbers, ml_per_h: Numbers, hours: Numbers) -> Numbers:
        """Body after ``hours`` of a constant rate, from this depot and an empty body. [mL]"""
        low, high = sorted((self.ka_per_h, self.ke_per_h))
        of_depot = np.exp(-low * hours) * _filled(high - low, hours)
        of_input = _filled_twice(low, high, hours, of_depot)
        return self.ka_per_h * (depot_ml * of_depot + ml_per_h * of_input)


def first_order(
    inflow: Inflow,
    time_h: Hours,
    *,
    ka_per_h: float,
    ke_per_h: float | None = None,
    bioavailability: float = 1.0,
) -> pl.DataFrame:
    """How a first-order depot fills and empties.

    Parameters
    ----------
    inflow
        What goes in, in mL or any other unit of amount.
    time_h
        Times to evaluate, in any order. [h] Before 0 everything is 0.
    ka_per_h
        Share of the depot absorbed per hour. [1/h]
    ke_per_h
        Share of the body's amount eliminated per hour. [1/h] None leaves out the body.
    bioavailability
        Share of the delivered amount that enters the depot. [1]

    Returns
    -------
    pl.DataFrame
        ``time_h``, ``delivered_ml``, ``depot_ml``, ``absorbed_ml``, ``absorption_ml_per_h``,
        and ``body_ml`` where ``ke_per_h`` is given. Bioavailability x delivered = depot +
        absorbed.

    Raises
    ------
    InputError
        If a number is missing, endless, or not more than 0.
    """
    model = FirstOrder(ka_per_h=ka_per_h, ke_per_h=ke_per_h, bioavailability=bioavailability)
    return model.depot(inflow, time_h)


def _running(kept: Numbers, added: Numbers) -> Numbers:
    """Level as each stretch begins: what is kept of the one before, and what was added."""
    each = zip(kept.tolist(), added.tolist(), strict=True)
    return levels(_kept_and_added, each)


def _kept_and_added(level: float, stretch: Sequence[float]) -> float:
    return level * stretch[0] + stretch[1]


def _filled(rate_per_h: float, hours: Numbers) -> Numbers:
    """E of the head: depot after ``hours`` of 1 mL/h. [mL]"""
    return -np.expm1(-rate_per_h * hours) / rate_per_h if rate_per_h else hours


def _filled_twice(low: float, high: float, hours: Numbers, of_depot: Numbers) -> Numbers:
    """G of the head: integral of ``of_depot`` over ``hours``; its series where they are few."""
    closed = (_filled(low, hours) - of_depot) / high
    x, r = np.minimum(high * hours, _SHORT), low / high
    series = 1 - x * (1 + r) / 3 + x**2 * (1 + r + r**2) / 12 - x**3 * (1 + r + r**2 + r**3) / 60
    return np.where(x < _SHORT, hours**2 / 2 * series, closed)
