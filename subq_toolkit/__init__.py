"""From charted subcutaneous infusions to what may be reported, and why.

The names below are the whole everyday surface. Charts and panels are imported from
their own modules, so that ``import subq_toolkit`` stays quick and needs no notebook.
"""

from subq_toolkit.administrations import accept
from subq_toolkit.catalog import dataset, datasets, sample_administrations
from subq_toolkit.charted_run import Administration
from subq_toolkit.coding import Coded, code_administrations
from subq_toolkit.documentation import checklist
from subq_toolkit.encounter import EncounterResult, code_encounter
from subq_toolkit.errors import InputError, NotInEffectError, StaleValueWarning, SubqError
from subq_toolkit.explain import explain
from subq_toolkit.policy import Policy, policy_choices, policy_preset, policy_presets
from subq_toolkit.readers import read_administrations
from subq_toolkit.units import additional_hour_units, first_hour_units

__all__ = [
    "Administration",
    "Coded",
    "EncounterResult",
    "InputError",
    "NotInEffectError",
    "Policy",
    "StaleValueWarning",
    "SubqError",
    "accept",
    "additional_hour_units",
    "checklist",
    "code_administrations",
    "code_encounter",
    "dataset",
    "datasets",
    "explain",
    "first_hour_units",
    "policy_choices",
    "policy_preset",
    "policy_presets",
    "read_administrations",
    "sample_administrations",
]
