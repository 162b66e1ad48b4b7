"""The columns of an administration from a row of OMOP ``drug_exposure``, as expressions.

What is charted but cannot be read is null and marked; see ``omop``.
"""

from datetime import time

import polars as pl

from subq_toolkit.readers.codings import factors, in_unit, meanings, worded
from subq_toolkit.readers.delimited_files import BROKEN
from subq_toolkit.readers.file_times import TimeFields

#: Column to the mark of its entries that could not be read.
MISSED = {
    "start_at": "_start_missed",
    "stop_at": "_stop_missed",
    "route": "_route_missed",
    "not_given": "_type_missed",
    "volume_ml": "_quantity_missed",
}
_NAMES = {"not_given": "drug_type_concept_id", "volume_ml": "quantity"}
_MIDNIGHT = time(0, 0)


def time_columns(times: TimeFields) -> dict[str, pl.Expr]:
    """``start_at`` and the end as it stands in the table, with marks."""
    start, stop = (times.expr(f"{one}_at", pl.col(f"_{one}_text")) for one in ("start", "stop"))
    return {
        "start_at": start,
        "_end": stop,
        "_start_missed": pl.col("_start_text").is_not_null() & start.is_null(),
        "_stop_missed": pl.col("_stop_text").is_not_null() & stop.is_null(),
    }


def ends() -> dict[str, pl.Expr]:
    """``stop_at``: the end, if it can be a stop somebody charted; else null and marked."""
    start, end = pl.col("start_at"), pl.col("_end")
    at_midnight = end.dt.time() == _MIDNIGHT
    only_dates = at_midnight.all(ignore_nulls=True) & (end.count() > 1)
    start_too = start.dt.time() == _MIDNIGHT
    no_stop = (end == start) | (at_midnight & ((end < start) | start_too | only_dates))
    no_stop = no_stop.fill_null(False)
    return {
        "stop_at": pl.when(~no_stop).then(end),
        "_end_unused": no_stop,
        "_start_of_day": start_too.fill_null(False),
    }


def answers(types: dict[str, str]) -> dict[str, pl.Expr]:
    """All other columns; ``types`` says what each kind of record is."""
    kind = pl.col("drug_type_concept_id").replace_strict(
        types, default=None, return_dtype=pl.String
    )
    concept = pl.col("route_concept_id")
    stated = concept.is_not_null() & (concept != "0")
    coded = pl.concat_str(pl.lit("omop|"), concept).replace_strict(
        meanings("routes"), default=None, return_dtype=pl.String
    )
    text = pl.col("route_source_value")
    route = pl.coalesce(coded, worded("route", text))
    amount = pl.col("quantity").cast(pl.Float64, strict=False)
    amount = pl.when(amount.is_finite()).then(amount)
    unit = pl.col("dose_unit_source_value")
    volume, mass = (
        (amount * in_unit(unit, factors(name))).round_sig_figs(12)
        for name in ("volume_ml", "dose_mg")
    )
    return {
        "encounter_id": pl.when(pl.col("visit_occurrence_id") != "0").then("visit_occurrence_id"),
        "patient_id": pl.col("person_id"),
        "administration_id": pl.col("drug_exposure_id"),
        "drug": pl.col("drug_source_value"),
        "route": route,
        "volume_ml": volume,
        "dose_mg": mass,
        "not_given": pl.when(kind != "given").then(kind),
        "_route_missed": (stated | text.is_not_null()) & route.is_null(),
        "_type_missed": kind.is_null() & ~pl.col(BROKEN),
        "_quantity_missed": pl.col("quantity").is_not_null() & amount.is_null(),
        "_unit_key": pl.when(volume.is_null() & mass.is_null() & amount.is_not_null()).then(
            unit.fill_null("(none)")
        ),
    }


def unreadable() -> pl.Expr:
    """Names of what could not be read, and why a row is no run; see ``Reading``."""
    named = [pl.when(mark).then(pl.lit(_NAMES.get(name, name))) for name, mark in MISSED.items()]
    reasons = (pl.when(BROKEN).then(pl.lit("line")), pl.format("record ({})", "not_given"))
    text = pl.concat_str(*reasons, *named, separator=", ", ignore_nulls=True)
    return pl.when(text != "").then(text)
