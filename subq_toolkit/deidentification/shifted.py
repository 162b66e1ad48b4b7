"""Dates moved back: whose shift a row has, and what becomes of its times."""

import polars as pl


def whose(rows: pl.DataFrame) -> pl.Series:
    """By what a row is shifted: the patient that any row of its encounter names, or itself."""
    patient, encounter = pl.col("patient_id"), pl.col("encounter_id")
    of_all = patient.min().over(encounter)
    of_all = pl.when(encounter.is_not_null()).then(of_all).otherwise(patient)
    return rows.select(pl.coalesce("patient " + of_all, "encounter " + encounter)).to_series()


def shifted(rows: pl.DataFrame, zone: str | None, days: pl.Series) -> pl.DataFrame:
    """Times moved back: by the wall clock, a stop by its start and the time that elapsed."""

    def moved(name: str) -> pl.Expr:
        wall = pl.col(f"_{name}_wall") - pl.duration(days="_days")
        if zone is None:
            return wall
        # An hour that the clocks skip on the new date is the one after it.
        return pl.coalesce(
            at.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
            for at in (wall, wall + pl.duration(hours=1))
        )

    stop = moved("stop")
    kept = moved("start") + pl.duration(microseconds=pl.col("_stop_us") - pl.col("_start_us"))
    late = kept - stop
    last, first = (getattr(late, end)().over("encounter_id") for end in ("max", "min"))
    # With the stops of its encounter, so that none comes to lie on the other side of it.
    beside = pl.when(last > pl.duration()).then(last).otherwise(first).fill_null(pl.duration())
    return rows.with_columns(_days=days).with_columns(
        start_at=moved("start"),
        stop_at=pl.coalesce(kept, stop),
        discharge_at=moved("discharge") + beside,
    )
