"""Invented event logs: the runs of ``administrations`` as a MAR would export their events."""

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.synthetic.visits import Draws

#: Names under which such an export has its columns, with the columns they hold.
COLUMNS = {
    "CSN": "encounter_id",
    "Patient": "patient_id",
    "Order ID": "order_id",
    "Pump #": "pump_id",
    "MAR Action": "event",
    "Action Time": "event_at",
    "Route": "route",
    "Site": "site",
    "Medication": "drug",
    "Rate (mL/hr)": "rate_ml_per_h",
    "Volume (mL)": "volume_ml",
    "Mode": "mode",
    "Device": "device",
    "Delivery": "delivery",
    "Indication": "indication",
    "Setting": "setting",
    "Payer": "payer",
    "Locality": "locality",
    "Department": "department",
    "Pump Setup": "setup_charted",
    "Discharge Time": "discharge_at",
}
_CLOCK = "%m/%d/%Y %H:%M:%S"
_VERIFIED_FROM_MIN = 60
_HELD_PER_MILLE = 30


def event_log(administrations: pl.DataFrame | pl.LazyFrame, *, seed: int = 2026) -> pl.DataFrame:
    """Turn charted runs into the event log that a MAR would export, under its names.

    A run becomes a new bag, or a restart after a pause of the same infusion, and a stop, or a
    pause if the infusion goes on. Long runs have a rate verify, some a rate change; here and
    there a dose is charted as held. A start or stop that is not charted has no event.

    Parameters
    ----------
    administrations
        Charted runs, e.g. of ``synthetic.administrations``.
    seed
        Another seed, other rate changes and other held doses.

    Returns
    -------
    pl.DataFrame
        One row per event, columns ``event_logs.COLUMNS``; times as text, month first, local,
        without a zone. Sorted by time, then encounter.

    Raises
    ------
    InputError
        If a column that makes an infusion is missing.
    """
    runs = administrations.lazy().collect()
    needed = ("encounter_id", "start_at", "stop_at", "pump_id", "drug", "route", "mode")
    missing = [name for name in needed if name not in runs.columns]
    if missing:
        raise InputError(f"event_log() needs the column '{missing[0]}' of charted runs.")
    draws = Draws(seed)
    infusion = ["encounter_id", "pump_id", "drug", "route"]
    absent = [name for name in COLUMNS.values() if name not in (*runs.columns, "event", "event_at")]
    runs = (
        runs.with_columns(
            pl.lit(None, pl.Datetime("us") if name == "discharge_at" else pl.String).alias(name)
            for name in absent
        )
        .with_columns(
            pl.col("start_at", "stop_at").dt.replace_time_zone(None),
            pl.col("discharge_at").dt.replace_time_zone(None).dt.strftime(_CLOCK),
        )
        .with_columns(
            pl.col("mode", "route").cast(pl.String),
            _bolus=pl.col("mode").cast(pl.String).eq("bolus").fill_null(False),
            _change=pl.Series(draws.hits(250, len(runs)), dtype=pl.Boolean),
        )
        .sort(*infusion, "_bolus", pl.coalesce("start_at", "stop_at"), maintain_order=True)
        .with_columns(_beside=_beside(infusion))
        .with_columns(
            order_id=pl.format("SYN-O{}", pl.struct([*infusion, "_beside"]).rank("dense"))
        )
        .sort("order_id", maintain_order=True)
    )
    flowing = runs.filter(~pl.col("_bolus"))
    events = pl.concat(
        [
            *_begun_and_ended(flowing),
            *_between(flowing),
            _at(runs.filter("_bolus"), "start_at", pl.lit("Bolus")),
            _held(flowing, draws),
        ],
        how="vertical_relaxed",
    )
    return (
        events.drop_nulls("event_at")
        .sort("event_at", "encounter_id", "event", "order_id")
        .with_columns(pl.col("event_at").dt.strftime(_CLOCK))
        .select(pl.col(column).alias(name) for name, column in COLUMNS.items())
    )


def _beside(infusion: list[str]) -> pl.Expr:
    """Runs of no charted pump that overlap an earlier one: infusions of their own, numbered."""
    until = pl.coalesce("stop_at", pl.col("start_at") + pl.duration(seconds=1)).cum_max()
    overlaps = (pl.col("start_at") < until.shift(1)).over(infusion).fill_null(False)
    apart = overlaps & pl.col("pump_id").is_null() & ~pl.col("_bolus")
    return pl.when(apart).then(pl.int_range(pl.len()) + 1).otherwise(0)


def _at(
    runs: pl.DataFrame, time: str | pl.Expr, event: pl.Expr, *, amounts: str = "both"
) -> pl.DataFrame:
    """One event of each run, with what is charted at it."""
    kept = {"both": ("rate_ml_per_h", "volume_ml"), "rate": ("rate_ml_per_h",)}
    kept |= {"volume": ("volume_ml",), "none": ()}
    dropped = [name for name in ("rate_ml_per_h", "volume_ml") if name not in kept[amounts]]
    at = pl.col(time) if isinstance(time, str) else time
    placed = runs.with_columns(event_at=at, event=event)
    emptied = [pl.lit(None, placed.schema[name]).alias(name) for name in dropped]
    return placed.with_columns(emptied).select(*COLUMNS.values())


def _begun_and_ended(runs: pl.DataFrame) -> list[pl.DataFrame]:
    following = pl.col("start_at").shift(-1).over("order_id")
    goes_on = following.is_not_null() & (pl.col("stop_at") <= following)
    again = pl.int_range(pl.len()).over("order_id") > 0
    begun = pl.when(again).then(pl.lit("Restarted")).otherwise(pl.lit("New Bag"))
    ended = pl.when(goes_on).then(pl.lit("Paused")).otherwise(pl.lit("Stopped"))
    return [
        _at(runs, "start_at", begun, amounts="rate"),
        _at(runs, "stop_at", ended, amounts="volume"),
    ]


def _between(runs: pl.DataFrame) -> list[pl.DataFrame]:
    half = (pl.col("stop_at") - pl.col("start_at")) / 2
    middle = (pl.col("start_at") + half).dt.truncate("1m")
    long = runs.filter(
        (pl.col("stop_at") - pl.col("start_at")).dt.total_minutes() >= _VERIFIED_FROM_MIN
    )
    changed = long.filter("_change").with_columns(pl.col("rate_ml_per_h") + 5)
    verified = long.filter(~pl.col("_change"))
    return [
        _at(changed, middle, pl.lit("Rate Change"), amounts="rate"),
        _at(verified, middle, pl.lit("Rate Verify"), amounts="rate"),
    ]


def _held(runs: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    held = runs.filter(pl.Series(draws.hits(_HELD_PER_MILLE, len(runs)), dtype=pl.Boolean))
    return _at(held, "start_at", pl.lit("Held"), amounts="none")
