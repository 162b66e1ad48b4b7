"""Arithmetic of a dose under the skin: rate, volume, sites, duration, boluses, sets.

Every formula takes named arguments that carry their unit, as plain numbers, as Polars
expressions or as columns. A plain number out of range is an ``InputError``; in a column it
gives null. Nothing here is dosing advice: a pharmacist decides.
"""

from subq_toolkit.dosing.patient_controlled import (
    boluses_per_window,
    patient_controlled,
    patient_controlled_mg,
    patient_controlled_ml,
)
from subq_toolkit.dosing.pumps_and_sets import (
    delivered_ml,
    fill_volume_ml,
    first_run_h,
    pump_setting,
    rotation_calendar,
    rotation_positions,
    sets_needed,
    wasted_share,
)
from subq_toolkit.dosing.rates_and_sites import (
    max_dose_rate_mg_per_h,
    min_concentration_mg_per_ml,
    rate_ml_per_h,
    shortest_duration_min,
    sites_for_rate,
    sites_for_volume,
    sites_needed,
    volume_ml,
    weight_based_rate_ml_per_h,
)
from subq_toolkit.dosing.regimens import (
    foslevodopa_ml_per_h,
    immunoglobulin_dose_g,
    insulin_basal_u_per_h,
)
from subq_toolkit.dosing.steps import Step, Stretch, stepped_duration_min, walk

__all__ = [
    "Step",
    "Stretch",
    "boluses_per_window",
    "delivered_ml",
    "fill_volume_ml",
    "first_run_h",
    "foslevodopa_ml_per_h",
    "immunoglobulin_dose_g",
    "insulin_basal_u_per_h",
    "max_dose_rate_mg_per_h",
    "min_concentration_mg_per_ml",
    "patient_controlled",
    "patient_controlled_mg",
    "patient_controlled_ml",
    "pump_setting",
    "rate_ml_per_h",
    "rotation_calendar",
    "rotation_positions",
    "sets_needed",
    "shortest_duration_min",
    "sites_for_rate",
    "sites_for_volume",
    "sites_needed",
    "stepped_duration_min",
    "volume_ml",
    "walk",
    "wasted_share",
    "weight_based_rate_ml_per_h",
]
