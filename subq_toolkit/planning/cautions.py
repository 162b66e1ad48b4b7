"""What whoever uses a plan has to know, in sentences, most urgent first."""

from collections.abc import Iterator

import polars as pl

from subq_toolkit.encounter import EncounterResult
from subq_toolkit.planning.prescription import Prescription
from subq_toolkit.product_tables import GENERAL, product_named
from subq_toolkit.products import LIMITS, unpublished, uses_of
from subq_toolkit.units import TIME, last_step

_ASKED_ABOUT = {
    "infusion_number": ("infusion_from", "infusion_to"),
    "weight_kg": ("weight_from_kg", "weight_below_kg"),
    "age_y": ("age_from_y", "age_below_y"),
}


def cautions(
    ordered: Prescription,
    *,
    checks: pl.DataFrame,
    limits: pl.DataFrame,
    ramp: pl.DataFrame,
    coded: EncounterResult,
) -> tuple[str, ...]:
    """Everything to be said of a plan: limits broken, what was assumed, what is unsure."""
    own = list(ordered.own_limits)
    in_use = limits.filter(
        pl.col("limit").is_in(checks["limit"].to_list()), ~pl.col("limit").is_in(own)
    )
    return (
        *_broken(checks),
        *_no_rate_limit(checks),
        *_not_checked(checks, limits),
        *_outside_bands(ordered),
        *_just_above_a_step(coded),
        *_assumed(ordered, in_use),
        *_unverified(in_use, ramp),
        *_disagreements(in_use),
    )


def _broken(checks: pl.DataFrame) -> Iterator[str]:
    for row in checks.filter(~pl.col("within")).iter_rows(named=True):
        bound = "at least" if row["limit"].startswith("min_") else "at most"
        yield (
            f"{row['label']}: {row['planned']:.4g} planned, {bound} {row['value']:.4g} "
            f"{row['unit'].replace('1', '')} [{row['standing']}]."
        )


def _no_rate_limit(checks: pl.DataFrame) -> Iterator[str]:
    if not checks["limit"].str.contains("_per_h|_per_min").any():
        yield "No limit of the rate is known here: that is not the same as fine."


def _not_checked(checks: pl.DataFrame, limits: pl.DataFrame) -> Iterator[str]:
    """Limits that need something the prescription does not say."""
    held = limits.filter("binds", ~pl.col("limit").is_in(checks["limit"].to_list()))
    for row in held.filter(pl.col("limit").is_in(list(_NEEDS))).iter_rows(named=True):
        yield (
            f"{row['label']}: at most {row['value']:g} {row['unit']}, not checked; it needs "
            f"{_NEEDS[row['limit']]}."
        )


def _outside_bands(ordered: Prescription) -> Iterator[str]:
    for name, limits in unpublished(ordered.product, ordered.given).items():
        labels = ", ".join(LIMITS[limit].lower() for limit in limits)
        yield f"Nothing is published for this '{name}' on: {labels}. Not checked."


_NEEDS = {
    "max_mg_per_h": "the concentration",
    "max_mg_per_day": "the concentration",
    "max_mg_per_kg_per_day": "the concentration and 'weight_kg'",
    "max_ng_per_kg_per_min": "the concentration and 'weight_kg'",
}


def _just_above_a_step(coded: EncounterResult) -> Iterator[str]:
    """Say when the last unit hangs on a few minutes. Below a step nothing is ever suggested."""
    minutes = coded.infusion_min
    if minutes is None:
        return
    day = coded.encounter["service_date"].item()
    rules = {
        "at_least": pl.lit(TIME["initial_hour_at_least"].on(day).value),
        "more_than": pl.lit(TIME["additional_hour_more_than"].on(day).value),
    }
    step = pl.select(last_step(pl.lit(minutes), **rules)).item()
    if 0 <= minutes - step < TIME["near_threshold"].on(day).value:
        yield (
            f"{minutes} min are planned and a unit begins at {step}: it hangs on "
            f"{minutes - step + 1} min. Chart exact times; never re-time an infusion for it."
        )


def _assumed(ordered: Prescription, in_use: pl.DataFrame) -> Iterator[str]:
    record, given = product_named(ordered.product), ordered.given
    if ordered.product is None:
        yield (
            f"No product was named, so the limits of '{GENERAL}' are used: a convention for small "
            f"continuous infusions, not a truth for immunoglobulin or any other product."
        )
    if given.use is None and (uses := uses_of(record["product"])):
        yield f"The use was not stated; '{record['default_use']}' of {', '.join(uses)} is taken."
    for name, conditions in _ASKED_ABOUT.items():
        asks = in_use.filter(pl.any_horizontal(pl.col(one).is_not_null() for one in conditions))
        if getattr(given, name) is None and not asks.is_empty():
            yield f"'{name}' was not stated; limits depend on it, and the strictest are used."


def _unverified(in_use: pl.DataFrame, ramp: pl.DataFrame) -> Iterator[str]:
    labels = in_use.filter("binds", pl.col("standing") == "unverified")["label"].to_list()
    labels += ["Published ramp"] * (ramp["standing"] == "unverified").any()
    if labels:
        yield f"Unverified, no source could be read: {', '.join(labels)}."


def _disagreements(in_use: pl.DataFrame) -> Iterator[str]:
    """Values that hold in the same circumstances and differ."""
    for (label,), rows in in_use.group_by("label", maintain_order=True):
        values = rows["value"].unique(maintain_order=True).to_list()
        if len(values) > 1:
            others = ", ".join(f"{value:g}" for value in values[1:])
            unit = rows["unit"][0].replace("1", "")
            binds = f"{values[0]:g} {unit}".strip()
            yield f"{label}: published values differ; {binds} binds, others give {others}."
