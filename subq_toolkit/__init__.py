"""From charted subcutaneous infusions to what may be reported, and why.

The names below are the whole everyday surface. Charts and panels are imported from
their own modules, so that ``import subq_toolkit`` stays quick and needs no notebook.
"""

from subq_toolkit.administrations import accept
from subq_toolkit.audit import Audit, audit
from subq_toolkit.catalog import dataset, datasets, sample_administrations, sample_charges
from subq_toolkit.charges import accept_charges, read_charges
from subq_toolkit.charted_run import Administration
from subq_toolkit.coded_files import CodedFiles, code_files, read_coded_files
from subq_toolkit.coding import Coded, code_administrations
from subq_toolkit.conversion import convert_iv_to_sc, iv_to_sc_presets
from subq_toolkit.deidentification import deidentify
from subq_toolkit.documentation import checklist
from subq_toolkit.dosing import max_dose_rate_mg_per_h
from subq_toolkit.encounter import EncounterResult, code_encounter
from subq_toolkit.errors import InputError, NotInEffectError, StaleValueWarning, SubqError
from subq_toolkit.event_log import fold_events
from subq_toolkit.explain import explain
from subq_toolkit.fees import price
from subq_toolkit.limit_use import limit_use
from subq_toolkit.planning import Plan, plan_infusion, plan_variations
from subq_toolkit.policy import Policy, policy_choices, policy_preset, policy_presets
from subq_toolkit.product_tables import products
from subq_toolkit.products import Circumstances, published_limits
from subq_toolkit.readers import ColumnMap, read_administrations, suggest_columns
from subq_toolkit.readers.omop import read_omop
from subq_toolkit.units import additional_hour_units, first_hour_units

__all__ = [
    "Administration",
    "Audit",
    "Circumstances",
    "Coded",
    "CodedFiles",
    "ColumnMap",
    "EncounterResult",
    "InputError",
    "NotInEffectError",
    "Plan",
    "Policy",
    "StaleValueWarning",
    "SubqError",
    "accept",
    "accept_charges",
    "additional_hour_units",
    "audit",
    "checklist",
    "code_administrations",
    "code_encounter",
    "code_files",
    "convert_iv_to_sc",
    "dataset",
    "datasets",
    "deidentify",
    "explain",
    "first_hour_units",
    "fold_events",
    "iv_to_sc_presets",
    "limit_use",
    "max_dose_rate_mg_per_h",
    "plan_infusion",
    "plan_variations",
    "policy_choices",
    "policy_preset",
    "policy_presets",
    "price",
    "products",
    "published_limits",
    "read_administrations",
    "read_charges",
    "read_coded_files",
    "read_omop",
    "sample_administrations",
    "sample_charges",
    "suggest_columns",
]
