"""Capped depot: each site absorbs up to a limit; what comes faster waits under the skin.

A modelling device without a published fit: no published cap on the subcutaneous absorption
of volume was found. With n sites that share the input equally and a limit L each:

    while the depot holds something, or more comes in than n*L:   dV/dt = q - n*L
    otherwise                                                     V = 0, absorbed as it comes

so V is piecewise linear: V_next = max(0, V + (q - n*L)*dt) over a stretch of constant rate.
At the limit a faster pump never shortens absorption: n*L decides when all is absorbed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from subq_toolkit.absorption.course import course
from subq_toolkit.absorption.given import Hours, Numbers, positive, whole
from subq_toolkit.absorption.inputs import Inflow, moments
from subq_toolkit.absorption.stretches import Stretches, levels

#: A depot below this share of what was delivered is a rounding residue, not a volume.
_EMPTY = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True)
class Capped:
    """Each site absorbs up to a limit. A modelling device without a published fit.

    Attributes
    ----------
    limit_ml_per_h_per_site
        Most that one site absorbs. [mL/h/site] More than 0.
    sites
        Sites that share the input equally. [1] 1 or more.
    """

    limit_ml_per_h_per_site: float
    sites: int = 1

    def __post_init__(self) -> None:
        limit = positive("limit_ml_per_h_per_site", self.limit_ml_per_h_per_site)
        object.__setattr__(self, "limit_ml_per_h_per_site", limit)
        object.__setattr__(self, "sites", whole("sites", self.sites))

    @property
    def limit_ml_per_h(self) -> float:
        """Most that all sites absorb together. [mL/h]"""
        return self.limit_ml_per_h_per_site * self.sites

    def depot(self, inflow: Inflow, time_h: Hours) -> pl.DataFrame:
        """Depot at each time; see ``capped``."""
        asked, limit = moments(inflow, time_h), self.limit_ml_per_h
        level = self._starts(inflow.stretches)[asked.stretch]
        level = level + (asked.ml_per_h - limit) * asked.since_h
        holds = level > _EMPTY * asked.delivered_ml
        return course(
            asked,
            depot_ml=np.where(holds, level, 0.0),
            absorption_ml_per_h=np.where(holds, limit, np.minimum(asked.ml_per_h, limit)),
        )

    def empty_h(self, inflow: Inflow) -> float:
        """When all that goes in is absorbed, exactly. [h]"""
        parts = inflow.stretches
        return parts.end_h + float(self._starts(parts)[-1]) / self.limit_ml_per_h

    def _starts(self, parts: Stretches) -> Numbers:
        """Depot as each stretch begins, its bolus included. [mL]"""
        gained = (parts.ml_per_h[:-1] - self.limit_ml_per_h) * parts.hours
        return levels(_never_below_empty, zip(gained.tolist(), parts.bolus_ml[1:], strict=True))


def capped(
    inflow: Inflow, time_h: Hours, *, limit_ml_per_h_per_site: float, sites: int = 1
) -> pl.DataFrame:
    """How a capped depot fills and empties, at all sites together.

    A modelling device without a published fit.

    Parameters
    ----------
    inflow
        What goes in at all sites together.
    time_h
        Times to evaluate, in any order. [h] Before 0 everything is 0.
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

    Notes
    -----
    6 mL/h for 2 h at one site with a limit of 3 mL/h: 6 mL wait at 2 h, none at 4 h.
    """
    model = Capped(limit_ml_per_h_per_site=limit_ml_per_h_per_site, sites=sites)
    return model.depot(inflow, time_h)


def _never_below_empty(level: float, stretch: Sequence[float]) -> float:
    gained, bolus_ml = stretch
    return max(level + gained, 0.0) + bolus_ml
