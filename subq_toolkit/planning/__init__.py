"""From a prescription to sites, steps, hours and, through the coding rules, units.

The clinical plan comes first: nothing here suggests to slow, stretch or split an infusion
for the sake of units. A plan that ends just above a step of units is marked, because that
unit hangs on a few minutes of charting. Not dosing advice: a pharmacist decides.
"""

from datetime import date, datetime, time

from subq_toolkit.planning.plans import NOTICE, Plan
from subq_toolkit.planning.prescription import Amounts, Prescription
from subq_toolkit.planning.solving import plan
from subq_toolkit.planning.variations import plan_variations
from subq_toolkit.policy import Policy
from subq_toolkit.products import Circumstances

__all__ = [
    "NOTICE",
    "Amounts",
    "Plan",
    "Prescription",
    "plan",
    "plan_infusion",
    "plan_variations",
]


def plan_infusion(
    product: str | None = None,
    *,
    volume_ml: float | None = None,
    dose_mg: float | None = None,
    rate_ml_per_h: float | None = None,
    dose_rate_mg_per_h: float | None = None,
    dose_ng_per_kg_per_min: float | None = None,
    duration_h: float | None = None,
    concentration_mg_per_ml: float | None = None,
    sites: int | None = None,
    pumps: int = 1,
    limit_ml_per_h_per_site: float | None = None,
    limit_ml_per_site: float | None = None,
    pump_step_ml_per_h: float | None = None,
    infusion_number: int | None = None,
    weight_kg: float | None = None,
    age_y: float | None = None,
    market: str = "US",
    use: str | None = None,
    start_at: str | datetime | None = None,
    setting: str | None = None,
    policy: Policy | None = None,
    facility_zone: str | None = None,
) -> Plan:
    """Plan an infusion: sites, steps, duration, what binds, and the units it would earn.

    Parameters
    ----------
    product
        As ``products()`` lists it; None for the general 3 mL/h at a site, which is a
        convention for small continuous infusions.
    volume_ml, dose_mg
        The amount, one of them. [mL], [mg]
    rate_ml_per_h, dose_rate_mg_per_h, dose_ng_per_kg_per_min
        A rate that was asked for, at most one; without it the fastest that is allowed is
        planned. With ``duration_h`` and no amount it gives the volume. [mL/h], [mg/h]
    duration_h
        Hours over which to give the amount, or for which to keep the rate. [h]
    concentration_mg_per_ml
        Of the drug as drawn up; without it that of the product, if it has just one. [mg/mL]
    sites
        Needles or catheters; None for the fewest that do. [1]
    pumps
        Pumps that share the sites and run side by side. [1]
    limit_ml_per_h_per_site, limit_ml_per_site
        Limits of your own in place of the published ones. [mL/h/site], [mL/site]
    pump_step_ml_per_h
        Increment of the pump; rates are rounded down to it, last of all. [mL/h]
    infusion_number, weight_kg, age_y, market, use
        What decides which published values hold; see ``products.Circumstances``.
    start_at
        Planned start; by default nine o'clock today.
    setting, policy, facility_zone
        As for ``code_encounter``.

    Returns
    -------
    Plan
        Infeasible plans are returned as well; ``feasible``, ``checks`` and ``warnings`` say why.

    Raises
    ------
    InputError
        If the amount is not stated, or twice; if no rate can be found; for an unknown product
        (with the nearest names) and a weight or age outside every published band.
    """
    start = start_at or datetime.combine(date.today(), time(9))
    given = {"infusion_number": infusion_number, "weight_kg": weight_kg, "age_y": age_y}
    ordered = Prescription(
        product=product,
        volume_ml=volume_ml,
        dose_mg=dose_mg,
        rate_ml_per_h=rate_ml_per_h,
        dose_rate_mg_per_h=dose_rate_mg_per_h,
        dose_ng_per_kg_per_min=dose_ng_per_kg_per_min,
        duration_h=duration_h,
        concentration_mg_per_ml=concentration_mg_per_ml,
        sites=sites,
        pumps=pumps,
        limit_ml_per_h_per_site=limit_ml_per_h_per_site,
        limit_ml_per_site=limit_ml_per_site,
        pump_step_ml_per_h=pump_step_ml_per_h,
        given=Circumstances(market=market, use=use, **given),
        start_at=start,
        setting=setting,
        policy=policy or Policy(),
        facility_zone=facility_zone,
    )
    return plan(ordered)
