"""Rate, volume, sites and shortest duration of an infusion at a constant rate."""

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.formulas import Amount, Count, Positive, Value, formula, larger, smaller, up


@formula
def rate_ml_per_h(*, dose_rate_mg_per_h: Amount, concentration_mg_per_ml: Positive) -> Value:
    """Pump rate that delivers a dose rate: dose rate / concentration. [mL/h]"""
    return dose_rate_mg_per_h / concentration_mg_per_ml


@formula
def volume_ml(*, dose_mg: Amount, concentration_mg_per_ml: Positive) -> Value:
    """Volume that holds a dose: dose / concentration. [mL]"""
    return dose_mg / concentration_mg_per_ml


@formula
def weight_based_rate_ml_per_h(
    *, dose_ng_per_kg_per_min: Amount, weight_kg: Positive, concentration_mg_per_ml: Positive
) -> Value:
    """Pump rate of a dose by weight and minute, as for treprostinil. [mL/h]

    dose [ng/kg/min] × weight [kg] × 0.00006 / concentration [mg/mL]; the factor turns
    nanograms a minute into milligrams an hour. Source: ``dose-trepsky``.
    """
    return dose_ng_per_kg_per_min * weight_kg * 60 / 1_000_000 / concentration_mg_per_ml


@formula
def max_dose_rate_mg_per_h(
    *, concentration_mg_per_ml: Positive, limit_ml_per_h_per_site: Positive, sites: Count
) -> Value:
    """Highest dose rate at the limit: concentration × limit × sites. [mg/h]

    20 mg/mL at 3 mL/h and one site are at most 60 mg/h. Source: ``dose-stan``.
    """
    return concentration_mg_per_ml * limit_ml_per_h_per_site * sites


@formula
def min_concentration_mg_per_ml(
    *, dose_rate_mg_per_h: Amount, limit_ml_per_h_per_site: Positive, sites: Count
) -> Value:
    """Lowest concentration that keeps a dose rate within the limit. [mg/mL]"""
    return dose_rate_mg_per_h / (limit_ml_per_h_per_site * sites)


@formula
def sites_for_rate(*, rate_ml_per_h: Amount, limit_ml_per_h_per_site: Positive) -> Value:
    """Sites that a rate over all sites asks for. [1]"""
    return up(rate_ml_per_h / limit_ml_per_h_per_site)


@formula
def sites_for_volume(*, volume_ml: Amount, limit_ml_per_site: Positive) -> Value:
    """Sites that a volume asks for. [1] Source: ``dose-viva``, ``dose-cuvhcp``."""
    return up(volume_ml / limit_ml_per_site)


@formula
def sites_needed(
    *,
    rate_ml_per_h: Amount,
    volume_ml: Amount,
    limit_ml_per_h_per_site: Positive,
    limit_ml_per_site: Positive,
    max_sites: Count | None = None,
) -> Value:
    """Sites that both rate and volume ask for: the larger of the two. [1]

    Raises
    ------
    InputError
        If a plain number comes out above ``max_sites``; in a column that gives null.
    """
    needed = larger(
        sites_for_rate(
            rate_ml_per_h=rate_ml_per_h, limit_ml_per_h_per_site=limit_ml_per_h_per_site
        ),
        sites_for_volume(volume_ml=volume_ml, limit_ml_per_site=limit_ml_per_site),
    )
    return needed if max_sites is None else _within(needed, max_sites)


def _within(needed: Value, max_sites: Value) -> Value:
    few_enough = needed <= max_sites
    if isinstance(few_enough, pl.Expr):
        return pl.when(few_enough).then(needed)
    if not few_enough:
        raise InputError(
            f"This needs {needed} sites, and at most {max_sites} are published for use at once. "
            f"Check the entries; how to go on is for the pharmacist."
        )
    return needed


@formula
def shortest_duration_min(
    *,
    volume_ml: Amount,
    sites: Count,
    limit_ml_per_h_per_site: Positive,
    limit_ml_per_h: Positive | None = None,
) -> Value:
    """Shortest time for a volume: 60 × volume / (sites × limit). [min]

    ``limit_ml_per_h`` caps the rate over all sites where the product has such a limit.
    """
    fastest = sites * limit_ml_per_h_per_site
    if limit_ml_per_h is not None:
        fastest = smaller(fastest, limit_ml_per_h)
    return 60 * volume_ml / fastest
