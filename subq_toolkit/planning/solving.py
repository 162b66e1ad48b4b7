"""How a prescription becomes a plan: fewest sites, fastest rate, the steps, the duration."""

from dataclasses import replace

from subq_toolkit.dosing import Step, sites_needed, walk
from subq_toolkit.errors import InputError
from subq_toolkit.planning.plans import Plan
from subq_toolkit.planning.prescription import LONGEST_H, Amounts, Prescription, amounts_of
from subq_toolkit.product_tables import product_named
from subq_toolkit.products import published_limits, rate_steps

_ASKED, _RAMP = "rate asked for", "published ramp"
_NANOGRAMS_PER_MG, _MIN_PER_H, _MOST_SITES = 1_000_000, 60, 100


def plan(ordered: Prescription) -> Plan:
    """Plan a prescription; see ``plan_infusion``."""
    given = ordered.given
    if given.on is None:
        given = replace(given, on=ordered.start_at.date())
    limits = published_limits(ordered.product, given)
    binding = dict(limits.filter("binds").select("limit", "value").rows())
    amounts = amounts_of(ordered, binding.get("concentration_mg_per_ml"))
    binding |= ordered.own_limits
    sites = ordered.sites or _fewest_sites(amounts, binding, ordered.pumps)
    caps = _caps(ordered, amounts, binding, sites)
    slowest = min(caps, key=caps.get)
    fastest = caps[slowest] / sites
    ramp = rate_steps(ordered.product, given)
    steps = [
        Step(minutes, min(rate, fastest))
        for minutes, rate in ramp.select("minutes", "value").rows()
    ] or [Step(None, fastest)]
    stretches = tuple(walk(amounts.volume_ml / sites, steps))
    made = Plan(
        prescription=ordered,
        amounts=amounts,
        sites=sites,
        stretches=stretches,
        duration_min=stretches[-1].to_min,
        binding_limit=_RAMP if any(step.ml_per_h < fastest for step in steps) else slowest,
        limits=limits,
        ramp=ramp,
    )
    if max(made.programmed_min.values()) > LONGEST_H * _MIN_PER_H:
        raise InputError(
            f"This would run for more than {LONGEST_H // 24} days. Check the units of amount, rate "
            f"and duration."
        )
    return made


def _fewest_sites(amounts: Amounts, binding: dict[str, float], pumps: int) -> int:
    """Sites that volume and rate ask for, at least one a pump; unknown limits ask for none."""
    rate = amounts.asked_ml_per_h or 0.0
    needed = sites_needed(
        rate_ml_per_h=rate,
        volume_ml=amounts.volume_ml,
        limit_ml_per_h_per_site=binding.get("max_ml_per_h_per_site", max(rate, 1)),
        limit_ml_per_site=binding.get("max_ml_per_site", amounts.volume_ml),
    )
    if needed > _MOST_SITES:
        raise InputError(
            f"This would need more than {_MOST_SITES} sites. Check the units of amount and limit, "
            f"or state 'sites' [1]."
        )
    return max(needed, pumps)


def _caps(
    ordered: Prescription, amounts: Amounts, binding: dict[str, float], sites: int
) -> dict[str, float]:
    """What the rate over all sites may be, by limit; a rate asked for stands alone. [mL/h]

    Raises
    ------
    InputError
        If no limit says how fast it may run.
    """
    if amounts.asked_ml_per_h is not None:
        return {_ASKED: amounts.asked_ml_per_h}
    per_mg = 1 / amounts.concentration_mg_per_ml if amounts.concentration_mg_per_ml else None
    weight = ordered.given.weight_kg
    ml_per_h = {
        "max_ml_per_h_per_site": sites,
        "max_ml_per_h": 1,
        "max_mg_per_h": per_mg,
        "max_ng_per_kg_per_min": per_mg
        and weight
        and per_mg * weight * _MIN_PER_H / _NANOGRAMS_PER_MG,
    }
    known = {
        name: binding[name] * each for name, each in ml_per_h.items() if each and name in binding
    }
    if not known:
        raise InputError(
            f"No rate limit is published for {product_named(ordered.product)['product']}, and the "
            f"general one is not its truth. State a rate, 'duration_h' [h], or "
            f"'limit_ml_per_h_per_site' [mL/h/site]."
        )
    return known
