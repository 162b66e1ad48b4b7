"""How much of each limit a plan uses: 1.0 is at the limit."""

from collections.abc import Mapping, Sequence

import polars as pl

from subq_toolkit.dosing import Stretch
from subq_toolkit.formulas import unit_of
from subq_toolkit.planning.prescription import Amounts
from subq_toolkit.products import LIMITS

_NOISE = 1e-9
_NANOGRAMS_PER_MG = 1_000_000


def checks_of(
    limits: pl.DataFrame,
    *,
    own: Mapping[str, float],
    amounts: Amounts,
    sites: int,
    stretches: Sequence[Stretch],
    weight_kg: float | None,
) -> pl.DataFrame:
    """Hold a plan against every limit that binds.

    Returns
    -------
    pl.DataFrame
        ``limit, label, value, unit`` (the limit), ``planned`` (in the same unit), ``use`` [1],
        ``within``, ``standing, tier, note, cite``. A limit that the plan says nothing about,
        such as one by weight where none is stated, has no row.
    """
    planned = _planned(amounts, sites, stretches, weight_kg)
    published = limits.filter("binds", ~pl.col("limit").is_in(list(own)))
    rows = [row for row in published.iter_rows(named=True) if row["limit"] in planned]
    rows += [_stated(limit, value) for limit, value in own.items()]
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
        "note": "stated by the user in place of the published value",
        "cite": "stated by the user",
    }


def _planned(
    amounts: Amounts, sites: int, stretches: Sequence[Stretch], weight_kg: float | None
) -> dict[str, float]:
    """What the plan comes to, under the name of the limit it is held against."""
    rates = [stretch.ml_per_h for stretch in stretches]
    found = {
        "max_ml_per_h_per_site": max(rates),
        "min_ml_per_h_per_site": min(rates),
        "max_ml_per_site": amounts.volume_ml / sites,
        "max_sites": sites,
        "max_ml_per_h": max(rates) * sites,
        "max_ml_per_day": amounts.volume_ml,
        "max_h_per_day": stretches[-1].to_min / 60,
    }
    if amounts.dose_mg is not None:
        mg_per_h = max(rates) * sites * amounts.concentration_mg_per_ml
        found |= {"max_mg_per_h": mg_per_h, "max_mg_per_day": amounts.dose_mg}
        if weight_kg is not None:
            found["max_mg_per_kg_per_day"] = amounts.dose_mg / weight_kg
            found["max_ng_per_kg_per_min"] = mg_per_h * _NANOGRAMS_PER_MG / 60 / weight_kg
    return {name: float(value) for name, value in found.items()}
