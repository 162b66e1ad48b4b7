"""How much of each limit a plan uses: 1.0 is at the limit."""

from collections.abc import Mapping, Sequence

import polars as pl

from subq_toolkit.dosing import Stretch
from subq_toolkit.formulas import unit_of
from subq_toolkit.planning.prescription import Amounts
from subq_toolkit.products import LIMITS

_NOISE, _DAY_MIN = 1e-9, 24 * 60
_NANOGRAMS_PER_MG = 1_000_000


def checks_of(
    limits: pl.DataFrame,
    *,
    own: Mapping[str, float],
    amounts: Amounts,
    sites: int,
    runs: Sequence[Sequence[Stretch]],
    weight_kg: float | None,
) -> pl.DataFrame:
    """Hold a plan, as the pumps are set, against every limit that binds.

    A limit of one's own stands before the published one and does not silence it. What is a
    day's is held against the 24 hours that take the most.

    Returns
    -------
    pl.DataFrame
        ``limit, label, value, unit`` (the limit), ``planned`` (in the same unit), ``use`` [1],
        ``within``, ``standing, tier, note, cite``. A limit that the plan says nothing about,
        such as one by weight where none is stated, has no row.
    """
    planned = _planned(amounts, sites, runs, weight_kg)
    rows = [_stated(limit, value) for limit, value in own.items()]
    published = limits.filter("binds").iter_rows(named=True)
    rows += [row for row in published if row["limit"] in planned]
    order = list(LIMITS)
    rows.sort(key=lambda row: order.index(row["limit"]))
    return pl.DataFrame(
        [_check(row, planned[row["limit"]]) for row in rows],
        schema={
            "limit": pl.String,
            "label": pl.String,
            "value": pl.Float64,
            "unit": pl.String,
            "planned": pl.Float64,
            "use": pl.Float64,
            "within": pl.Boolean,
            "standing": pl.String,
            "tier": pl.String,
            "note": pl.String,
            "cite": pl.String,
        },
    )


def _check(row: Mapping, planned: float) -> dict:
    least = row["limit"].startswith("min_")
    use = row["value"] / planned if least else planned / row["value"]
    shown = {name: row[name] for name in ("limit", "label", "value", "unit")}
    kept = {name: row[name] for name in ("standing", "tier", "note", "cite")}
    return {**shown, "planned": planned, "use": use, "within": use <= 1 + _NOISE, **kept}


def _stated(limit: str, value: float) -> dict:
    return {
        "limit": limit,
        "label": LIMITS[limit],
        "value": value,
        "unit": unit_of(limit),
        "standing": "stated",
        "tier": "",
        "note": "stated by the user; the published value is held against the plan as well",
        "cite": "stated by the user",
    }


def _planned(
    amounts: Amounts,
    sites: int,
    runs: Sequence[Sequence[Stretch]],
    weight_kg: float | None,
) -> dict[str, float]:
    """What the plan comes to, under the name of the limit it is held against."""
    rates = [stretch.ml_per_h for run in runs for stretch in run]
    hours = max(run[-1].to_min for run in runs) / 60
    day_ml = min(max(_fullest_day_ml(run) for run in runs) * sites, amounts.volume_ml)
    found = {
        "max_ml_per_h_per_site": max(rates),
        "min_ml_per_h_per_site": min(rates),
        "max_ml_per_site": amounts.volume_ml / sites,
        "max_ml_per_run": amounts.volume_ml,
        "max_sites": sites,
        "max_ml_per_h": max(rates) * sites,
        "max_ml_per_day": day_ml,
        "max_h_per_day": min(hours, 24),
        "max_run_h": hours,
    }
    strength = amounts.concentration_mg_per_ml
    if strength is not None:
        mg_per_h = max(rates) * sites * strength
        found |= {"max_mg_per_h": mg_per_h, "max_mg_per_day": day_ml * strength}
        if weight_kg is not None:
            found["max_mg_per_kg_per_day"] = day_ml * strength / weight_kg
            found["max_ng_per_kg_per_min"] = mg_per_h * _NANOGRAMS_PER_MG / 60 / weight_kg
    return {name: float(value) for name, value in found.items()}


def _fullest_day_ml(run: Sequence[Stretch]) -> float:
    """Most that one site gets in any 24 hours; they begin or end where a rate changes. [mL]"""
    ends = [0.0, *(stretch.to_min for stretch in run)]
    begins = {max(0.0, end - shift) for end in ends for shift in (0, _DAY_MIN)}
    return max(_given_ml(run, begin + _DAY_MIN) - _given_ml(run, begin) for begin in begins)


def _given_ml(run: Sequence[Stretch], until_min: float) -> float:
    return sum(
        stretch.ml_per_h * (min(until_min, stretch.to_min) - stretch.from_min) / 60
        for stretch in run
        if until_min > stretch.from_min
    )
