"""What the chart must hold for each code, what is there, and what each gap costs in units."""

from dataclasses import replace
from typing import overload

import polars as pl

from subq_toolkit.administrations import readable_rows
from subq_toolkit.coding import Coded, facts_of
from subq_toolkit.effective import read_parameters, read_table, sources
from subq_toolkit.encounter_facts import counted_runs
from subq_toolkit.units import UNITS

_ITEMS = read_table("checklist")
_CODES = read_parameters("codes")

#: What must be charted in every counted run of an encounter, item by item.
_CHARTED: dict[str, pl.Expr] = {
    "start": pl.col("_start_us").is_not_null() | pl.col("_start_twice"),
    "stop": pl.col("_stop_us").is_not_null() | pl.col("_stop_twice"),
    "drug": pl.col("drug").is_not_null(),
    "dose": pl.col("dose_mg").is_not_null() | pl.col("volume_ml").is_not_null(),
    "site": pl.col("site").is_not_null(),
    "device": pl.col("device").is_not_null(),
    "pump_setup": pl.col("pump_id").is_not_null() | pl.col("setup_charted").fill_null(False),
    "indication": pl.col("indication").is_not_null(),
}


@overload
def checklist(coded: Coded) -> pl.LazyFrame: ...
@overload
def checklist(coded: Coded, encounter_id: str) -> pl.DataFrame: ...
def checklist(coded: Coded, encounter_id: str | None = None) -> pl.LazyFrame | pl.DataFrame:
    """Check the documentation of every encounter, or list that of one.

    Parameters
    ----------
    coded
        What ``code_administrations`` returned.
    encounter_id
        The encounter to list; None for a table of all.

    Returns
    -------
    pl.LazyFrame
        Without ``encounter_id``: one row per encounter with a counted run: ``has_start``,
        ``has_stop``, ``has_drug``, ``has_dose``, ``has_site``, ``has_device``,
        ``has_pump_setup``, ``has_new_site`` (null with one pump), ``has_indication``, ``gaps``
        and ``units_at_stake`` (units that the gaps in times and new sites hold back; null
        where a missing time cannot be calculated from volume and rate, so nobody can say).
    pl.DataFrame
        With ``encounter_id``: one row per item: ``item, charted, needed_for, units_at_stake,
        what_to_do, cite``.
    """
    charted = _charted(coded)
    if encounter_id is not None:
        charted = charted.filter(pl.col("encounter_id") == str(encounter_id)).collect().lazy()
    waiting = charted.filter(~(pl.col("has_start") & pl.col("has_stop")))
    calculated = _NOTHING_CALCULATED
    if encounter_id is None or not waiting.collect().is_empty():
        calculated = _units_with_calculated_stops(coded, waiting)
    table = _with_units_at_stake(charted, calculated).sort("encounter_id")
    if encounter_id is None:
        return table
    found = table.collect()
    known = coded.facts.filter(pl.col("encounter_id") == str(encounter_id)).collect()
    nothing_infused = found.is_empty() and not known.is_empty()
    return _one_encounter(found).clear() if nothing_infused else _one_encounter(found)


def _charted(coded: Coded) -> pl.LazyFrame:
    """What is charted in every counted run of each encounter, item by item."""
    runs = counted_runs(readable_rows(coded.intake), coded.policy).filter("_counts")
    charted = runs.group_by("encounter_id").agg(
        expr.all().alias(f"has_{item}") for item, expr in _CHARTED.items()
    )
    facts = coded.facts.select(
        "encounter_id",
        "service_date",
        has_new_site=pl.when(pl.col("_pumps") > 1).then(pl.col("_new_setup")),
    )
    return charted.join(facts, on="encounter_id", how="left")


def _with_units_at_stake(charted: pl.LazyFrame, calculated: pl.LazyFrame) -> pl.LazyFrame:
    has = [pl.col(f"has_{item}") for item in _ITEMS]
    no_new_site = (~pl.col("has_new_site")).fill_null(False)
    times_held = pl.when(pl.col("has_start") & pl.col("has_stop")).then(0).otherwise("_calculated")
    return charted.join(calculated, on="encounter_id", how="left").select(
        "encounter_id",
        "service_date",
        *has,
        gaps=pl.sum_horizontal((~one).fill_null(False).cast(pl.Int64) for one in has),
        units_at_stake=times_held + no_new_site.cast(pl.Int64),
    )


_NOTHING_CALCULATED = pl.LazyFrame(schema={"encounter_id": pl.String, "_calculated": pl.Int64})


def _units_with_calculated_stops(coded: Coded, waiting: pl.LazyFrame) -> pl.LazyFrame:
    """Units of the encounters that wait for a time, if volume and rate give it."""
    policy = replace(coded.policy, missing_stop="computed")
    rows = coded.intake.rows.join(waiting, on="encounter_id", how="semi")
    facts = facts_of(coded.intake._replace(rows=rows), policy).filter(pl.col("outcome") == "coded")
    return facts.select("encounter_id", _calculated=pl.sum_horizontal(UNITS.values()))


def _one_encounter(found: pl.DataFrame) -> pl.DataFrame:
    rows = []
    row = found.row(0, named=True) if found.height else {}
    day = row.get("service_date")
    codes = {
        role: (parameter.on(day) if day else parameter.values[-1]).value
        for role, parameter in _CODES.items()
    }
    for item, entry in _ITEMS.items():
        charted = row.get(f"has_{item}")
        if row and item == "new_site" and charted is None:
            continue
        held = 0
        if item in ("start", "stop"):
            held = row.get("units_at_stake") if row else None
            held = held - int(row["has_new_site"] is False) if held is not None else None
        elif item == "new_site":
            held = 1
        rows.append(
            {
                "item": entry["label"],
                "charted": bool(charted),
                "needed_for": [codes[role] for role in entry["needed_for"]],
                "units_at_stake": 0 if charted else held,
                "what_to_do": None if charted else entry["what_to_do"],
                "cite": sources()[entry["source"]].cite(entry["standing"]),
            }
        )
    return pl.DataFrame(
        rows,
        schema={
            "item": pl.String,
            "charted": pl.Boolean,
            "needed_for": pl.List(pl.String),
            "units_at_stake": pl.Int64,
            "what_to_do": pl.String,
            "cite": pl.String,
        },
    )
