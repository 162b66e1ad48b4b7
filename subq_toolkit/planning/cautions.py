"""What whoever uses a plan has to know, in sentences, most urgent first."""

from collections.abc import Iterator

import polars as pl

from subq_toolkit.dosing import sets_needed
from subq_toolkit.encounter import EncounterResult
from subq_toolkit.planning.prescription import Prescription
from subq_toolkit.product_tables import GENERAL, dose_ramp, product_named
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
    asked_min: float | None,
    unrounded_min: float,
    programmed_min: float,
) -> tuple[str, ...]:
    """Everything to be said of a plan: limits broken, what was assumed, what is unsure."""
    in_use = limits.filter(pl.col("limit").is_in(checks["limit"].to_list()))
    return (
        *_broken(checks),
        *_no_rate_limit(checks),
        *_other_times(asked_min, unrounded_min, programmed_min),
        *_sets(limits, programmed_min),
        *_first_doses(ordered),
        *_exclusive(checks),
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
        value = f"{row['value']:.4g} {row['unit'].replace('1', '')}".strip()
        yield f"{row['label']}: {row['planned']:.4g} planned, {bound} {value} [{row['standing']}]."


def _no_rate_limit(checks: pl.DataFrame) -> Iterator[str]:
    if not checks["limit"].str.contains("_per_h|_per_min").any():
        yield "No limit of the rate is known here: that is not the same as fine."


def _other_times(asked: float | None, unrounded: float, programmed: float) -> Iterator[str]:
    if asked is not None and unrounded > asked * (1 + _NOISE):
        yield (
            f"{asked:.4g} min follow from what was asked for; by the published ramp it takes "
            f"{unrounded:.4g}."
        )
    if programmed > unrounded * (1 + _NOISE):
        yield (
            f"Rounded to what the pump can be set to it takes {programmed:.4g} min, not "
            f"{unrounded:.4g}."
        )


def _sets(limits: pl.DataFrame, programmed_min: float) -> Iterator[str]:
    """How often a set is changed on the way, where its stay is published."""
    stay = limits.filter("binds", pl.col("limit") == "max_dwell_h")
    for row in stay.iter_rows(named=True):
        if programmed_min > row["value"] * 60:
            sets = sets_needed(days=programmed_min / 1440, dwell_days=row["value"] / 24)
            yield (
                f"A set stays at most {row['value']:g} h [{row['standing']}]: {sets} sets are "
                f"needed on the way."
            )


def _first_doses(ordered: Prescription) -> Iterator[str]:
    ramp = dose_ramp(product_named(ordered.product)["product"])
    number = ordered.given.infusion_number
    begun = ramp.filter(pl.col("infusion") == pl.lit(number, pl.Int64), pl.col("percent") < 100)
    if not begun.is_empty():
        shares = " or ".join(
            f"{row['percent']:g} % (every {row['interval_weeks']:g} weeks)"
            for row in begun.iter_rows(named=True)
        )
        yield f"First doses are published as a share of the whole: infusion {number} is {shares}."


def _exclusive(checks: pl.DataFrame) -> Iterator[str]:
    """Where the source says less than, the limit itself is too much."""
    at = checks.filter(pl.col("use") > 1 - _NOISE, pl.col("note").str.contains("less than"))
    for row in at.iter_rows(named=True):
        yield f"{row['label']}: the source says less than {row['value']:g} {row['unit']}."


_NOISE = 1e-9


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
        used = "your own limits stand beside" if ordered.own_limits else "these are"
        yield (
            f"No product was named; {used} the limits of '{GENERAL}': a convention for small "
            f"continuous infusions, not a truth for immunoglobulin or any other product."
        )
    if given.use is None and (uses := uses_of(record["product"])):
        taken = f"'{record['default_use']}'" if record["default_use"] else "the strictest"
        yield f"The use was not stated; {taken} of {', '.join(uses)} is taken."
    for name, conditions in _ASKED_ABOUT.items():
        asks = in_use.filter(pl.any_horizontal(pl.col(one).is_not_null() for one in conditions))
        if getattr(given, name) is None and not asks.is_empty():
            yield f"'{name}' was not stated; limits depend on it, and the strictest are used."


def _unverified(in_use: pl.DataFrame, ramp: pl.DataFrame) -> Iterator[str]:
    labels = in_use.filter("binds", pl.col("standing") == "unverified")["label"].to_list()
    labels += ["Published ramp"] * (ramp["standing"] == "unverified").any()
    if labels:
        yield f"Unverified (remembered, or its headings were lost): {', '.join(labels)}."


def _disagreements(in_use: pl.DataFrame) -> Iterator[str]:
    """Values that hold in the same circumstances and differ."""
    binding = in_use.filter(pl.col("limit").is_in(in_use.filter("binds")["limit"].to_list()))
    for (label,), rows in binding.group_by("label", maintain_order=True):
        values = rows["value"].unique(maintain_order=True).to_list()
        if len(values) > 1:
            others = ", ".join(f"{value:g}" for value in values[1:])
            unit = rows["unit"][0].replace("1", "")
            binds = f"{values[0]:g} {unit}".strip()
            yield f"{label}: published values differ; {binds} binds, others give {others}."
