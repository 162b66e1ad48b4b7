"""The same prescription with other sites, limits or pump counts, side by side."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product

import polars as pl

from subq_toolkit.charted_run import as_frame
from subq_toolkit.coding import code_administrations
from subq_toolkit.errors import InputError
from subq_toolkit.planning.plans import Plan
from subq_toolkit.planning.prescription import Prescription
from subq_toolkit.planning.solving import plan

_SCHEMA = {
    "sites": pl.Int64,
    "pumps": pl.Int64,
    "limit_ml_per_h_per_site": pl.Float64,
    "feasible": pl.Boolean,
    "binding_limit": pl.String,
    "duration_min": pl.Float64,
}


def plan_variations(
    made: Plan,
    *,
    sites: Iterable[int] | None = None,
    limit_ml_per_h_per_site: Iterable[float] | None = None,
    pumps: Iterable[int] | None = None,
) -> pl.DataFrame:
    """What another site count, limit or pump count does to minutes and units.

    Parameters
    ----------
    made
        The plan to vary.
    sites, limit_ml_per_h_per_site, pumps
        What to try, in every combination; what is left out stays. [1], [mL/h/site], [1]

    Returns
    -------
    pl.DataFrame
        ``sites, pumps, limit_ml_per_h_per_site`` (null: as published), ``feasible,
        binding_limit, duration_min`` [min], ``infusion_min`` [min], ``units_96369``,
        ``units_96370``, ``units_96371``, ``units_96372``. Combinations with fewer sites than
        pumps are left out.
    """
    ordered = made.prescription
    tried = product(
        _tried(sites, ordered.sites),
        _tried(limit_ml_per_h_per_site, ordered.limit_ml_per_h_per_site),
        _tried(pumps, ordered.pumps),
    )
    plans = [
        plan(replace(ordered, sites=n, limit_ml_per_h_per_site=limit, pumps=of_pumps))
        for n, limit, of_pumps in tried
        if n is None or n < 1 or n >= of_pumps
    ]
    if not plans:
        raise InputError(
            "Nothing is left to vary: every combination has fewer 'sites' than 'pumps'. Try more "
            "sites or fewer pumps."
        )
    return _side_by_side(plans, ordered)


def _tried(values: Iterable | float | None, as_ordered: float | None) -> list:
    if values is None:
        return [as_ordered]
    return list(values) if isinstance(values, Iterable) else [values]


def _side_by_side(plans: Sequence[Plan], ordered: Prescription) -> pl.DataFrame:
    """Several plans as a table, coded in one go."""
    runs = [
        replace(run, encounter_id=f"{number:06d}")
        for number, one in enumerate(plans)
        for run in one.administrations
    ]
    frame, zone = as_frame(runs, ordered.facility_zone)
    coded = code_administrations(frame, policy=ordered.policy, facility_zone=zone)
    units = coded.encounters.select("encounter_id", "infusion_min", "^units_.*$")
    rows = pl.DataFrame([_row(one) for one in plans], schema=_SCHEMA).with_columns(
        encounter_id=pl.Series([f"{number:06d}" for number in range(len(plans))])
    )
    found = units.collect(engine="in-memory")
    return rows.join(found, on="encounter_id", how="left", maintain_order="left").drop(
        "encounter_id"
    )


def _row(one: Plan) -> dict:
    return {
        "sites": one.sites,
        "pumps": one.pumps,
        "limit_ml_per_h_per_site": one.prescription.limit_ml_per_h_per_site,
        "feasible": one.feasible,
        "binding_limit": one.binding_limit,
        "duration_min": one.duration_min,
    }
