"""When everything that goes in, or a share of it, is absorbed."""

from typing import TypeAlias

import numpy as np

from subq_toolkit.absorption.capped import Capped
from subq_toolkit.absorption.first_order import FirstOrder
from subq_toolkit.absorption.given import Hours, Numbers, positive
from subq_toolkit.absorption.hybrid import Hybrid
from subq_toolkit.absorption.inputs import Inflow
from subq_toolkit.errors import InputError

#: A depot that can be asked how it fills and empties.
Model: TypeAlias = FirstOrder | Capped | Hybrid

#: Share asked for where a depot empties for ever and never wholly. [1]
NEARLY_ALL = 0.99

#: Each round narrows the answer this much; eight rounds leave nothing of a 64-bit number.
_CUTS, _ROUNDS = 256, 8

#: Later than any depot. [h]
_AT_LAST = 1e99


def full_absorption_h(inflow: Inflow, model: Model, *, share: float | None = None) -> float:
    """When a share of what goes in is absorbed.

    Parameters
    ----------
    inflow
        What goes in at all sites together.
    model
        ``FirstOrder(...)``, ``Capped(...)`` or ``Hybrid(...)``.
    share
        Share of what enters the depot in all. [1] More than 0. Only a capped depot empties
        wholly: its default is 1, that of the others 0.99.

    Returns
    -------
    float
        Time since 0, not since the pump stops. [h]

    Raises
    ------
    InputError
        If nothing goes in, ``share`` is not a share, or the whole is asked of a depot that
        never empties wholly.

    Notes
    -----
    Exact for a capped depot and ``share`` 1. Otherwise the closed form of the model is searched
    in ever narrower brackets until they are as narrow as numbers allow.
    """
    part = _share(model, share)
    wanted = part * _absorbed(model, inflow, _AT_LAST)[0]
    if not wanted:
        raise InputError("inflow delivers nothing. Give it a rate or a volume above 0.")
    if part == 1:
        return model.empty_h(inflow)
    early, late = 0.0, max(inflow.stretches.end_h, 1.0)
    while _absorbed(model, inflow, late)[0] < wanted:
        early, late = late, 2 * late
    for _ in range(_ROUNDS):
        between = np.linspace(early, late, _CUTS)
        reached = _absorbed(model, inflow, between[1:-1]) >= wanted
        first = int(np.argmax([*reached, True]))
        early, late = between[first], between[first + 1]
    return float(late)


def _share(model: Model, share: float | None) -> float:
    """The share asked for, or what is usual for the model. [1]"""
    if not isinstance(model, Model):
        raise InputError(
            "model must be FirstOrder(...), Capped(...) or Hybrid(...). Write e.g. "
            "Capped(limit_ml_per_h_per_site=3)."
        )
    if share is None:
        return 1.0 if isinstance(model, Capped) else NEARLY_ALL
    if positive("share", share) > 1:
        raise InputError("share must be at most 1. For 99 percent write share=0.99.")
    if share == 1 and not isinstance(model, Capped):
        raise InputError(
            f"share must be below 1: a {type(model).__name__} depot never empties wholly. "
            f"Write e.g. share={NEARLY_ALL}."
        )
    return float(share)


def _absorbed(model: Model, inflow: Inflow, time_h: Hours) -> Numbers:
    return model.depot(inflow, time_h)["absorbed_ml"].to_numpy()
