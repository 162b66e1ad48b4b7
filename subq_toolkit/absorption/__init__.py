"""How the depot under the skin fills and empties, and when everything is absorbed.

Say what goes in (``constant``, ``steps``, ``pulses``, ``bolus``, ``patient_controlled``; add
with ``+``), then ask one of three models:

``first_order``  a constant share of the depot per hour; the usual structure of published fits
``capped``       up to a limit per site; a modelling device without a published fit
``hybrid``       the smaller of the two; a modelling device without a published fit

No published cap on the subcutaneous absorption of volume was found, so the limits of
``capped`` and ``hybrid`` are assumptions: label what is drawn from them accordingly. Nothing
here is dosing advice; a pharmacist decides.
"""

from subq_toolkit.absorption.about_models import models
from subq_toolkit.absorption.capped import Capped, capped
from subq_toolkit.absorption.first_order import FirstOrder, first_order
from subq_toolkit.absorption.full_absorption import full_absorption_h
from subq_toolkit.absorption.hybrid import Hybrid, hybrid
from subq_toolkit.absorption.inputs import (
    Inflow,
    bolus,
    constant,
    delivered_ml,
    patient_controlled,
    pulses,
    steps,
)

__all__ = [
    "Capped",
    "FirstOrder",
    "Hybrid",
    "Inflow",
    "bolus",
    "capped",
    "constant",
    "delivered_ml",
    "first_order",
    "full_absorption_h",
    "hybrid",
    "models",
    "patient_controlled",
    "pulses",
    "steps",
]
