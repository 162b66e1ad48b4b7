"""Charted runs to one row per encounter: everything that the rules and findings look at.

Facts begin with an underscore, to keep them apart from columns that ride along.
"""

import polars as pl
from polars.selectors import by_name

from subq_toolkit.effective import read_parameters
from subq_toolkit.infusion_time import HOUR_US, counted_time
from subq_toolkit.intake import COLUMNS, Intake
from subq_toolkit.policy import Policy
from subq_toolkit.pump_setups import setups_and_sites

#: Known columns that an encounter keeps when all of its rows agree.
CARRIED = ("setting", "payer", "locality", "department")
_TIME = read_parameters("infusion_time")
_SHORTEST_DWELL_H = min(dated.value for dated in _TIME["site_dwell"].values)
_MARKS = ("_site_changed", "_reset_charted", "_pump_overlap", "_later_encounter")
_RUN = ["encounter_id", "_pump", "_site", "setup_charted", "_from_us", "_to_us"]


def counted_runs(rows: pl.LazyFrame, policy: Policy) -> pl.LazyFrame:
    """Mark the rows whose time counts and give each the start and stop that are counted.

    Adds ``_counts`` (subcutaneous and no bolus), ``_from_us`` and ``_to_us`` [µs] (both null
    unless the row counts, both are known and time passed between them; a run of no length
    neither adds time nor ends a pause), ``_momentary``, what the policy did to a missing stop, and
    ``_pump`` and ``_site`` as they are compared, without regard to case.
    """
    counts = _counts()
    start, stop = pl.col("_start_us"), pl.col("_stop_us")
    missing = counts & stop.is_null() & ~pl.col("_stop_twice") & start.is_not_null()
    length_us = _calculated_length_us()
    computed = missing & length_us.is_not_null() & (policy.missing_stop == "computed")
    short = missing & (policy.missing_stop == "short")
    uncut = pl.when(computed).then(start + length_us).when(short).then(start).otherwise(stop)
    ends = uncut
    if policy.running_at_discharge == "stop_at_discharge":
        discharge = pl.col("_discharge_us").min().over("encounter_id")
        within = pl.max_horizontal(start, pl.min_horizontal(ends, discharge))
        ends = pl.when(start.is_not_null() & (ends > discharge)).then(within).otherwise(ends)
    rows = rows.with_columns(
        _counts=counts,
        _ends_us=ends,
        _computed=computed,
        _short=short,
        _pump=_as_compared("pump_id"),
        _site=_as_compared("site"),
        _uncut_us=uncut,
    )
    lasted = counts & (pl.col("_ends_us") > start)
    return rows.with_columns(
        _from_us=pl.when(lasted).then(start),
        _to_us=pl.when(lasted).then(pl.col("_ends_us")),
        _momentary=counts & (pl.col("_ends_us") == start),
    )


def _counts() -> pl.Expr:
    bolus = pl.lit("bolus", dtype=COLUMNS["mode"])
    return (pl.col("route") == "subcutaneous").fill_null(False) & pl.col("mode").ne_missing(bolus)


def whose_and_when() -> dict[str, pl.Expr]:
    """Per readable row whose its encounter is and of which date; the least of each counts.

    The date is the least ``_counted_day``, else the least ``_any_day``. Encounters that differ
    in patient or date are never compared with each other.
    """
    patient = pl.when(pl.col("patient_id").is_not_null()).then(pl.col("patient_id").hash())
    day = pl.col("_service_day")
    return {"_patient": patient, "_counted_day": pl.when(_counts()).then(day), "_any_day": day}


def _as_compared(name: str) -> pl.Expr:
    return pl.col(name).str.strip_chars().str.to_lowercase()


def _calculated_length_us() -> pl.Expr:
    """Volume over rate, if both are charted and the run would be one that is believed. [µs]"""
    volume, rate = pl.col("volume_ml"), pl.col("rate_ml_per_h")
    # To the nearest microsecond, so that a binary fraction cannot cost a whole minute.
    length_us = (volume / rate * HOUR_US).round(mode="half_away_from_zero")
    longest_us = _TIME["longest_run"].expr(pl.col("_service_day")) * HOUR_US
    believed = (volume > 0) & (rate > 0) & (length_us <= longest_us)
    return pl.when(believed).then(length_us).cast(pl.Int64, strict=False)


def encounter_facts(intake: Intake, rows: pl.LazyFrame, policy: Policy) -> pl.LazyFrame:
    """One row per encounter with all facts; ``rows`` are the intake's readable rows.

    Returns
    -------
    pl.LazyFrame
        ``encounter_id``, ``service_date``, the carried columns and the facts.
    """
    runs = counted_runs(rows, policy).cache()
    # Numbers for the few names of places and payers: least and greatest of text are slow.
    names = [name for name in CARRIED if name in intake.given and COLUMNS[name] == pl.String]
    facts = counted_time(
        runs.with_columns(pl.col(names).cast(pl.Categorical)),
        ["encounter_id"],
        bridge_min=policy.bridge_pauses_min,
        also=_also(intake),
    ).with_columns(pl.col(names).cast(pl.String))
    times = ("_counted_us", "_charted_us", "_paused_us", "_bridged_us", "_longest_pause_us")
    facts = facts.with_columns(
        pl.col(times).fill_null(0),
        _runs=pl.col("_runs") + pl.col("_momentary_runs"),
        service_date=pl.coalesce("_counted_day", "_any_day"),
    ).cache()
    several = (
        (pl.col("_pump_first") != pl.col("_pump_last"))
        | (pl.col("_site_first") != pl.col("_site_last"))
        | (pl.col("_charted_us") > pl.col("_counted_us") - pl.col("_bridged_us"))
        | (pl.col("_last_us") - pl.col("_first_us") > _SHORTEST_DWELL_H * HOUR_US)
    )
    # A set-up counts whether or not its run lasted.
    begun = runs.filter(pl.col("_counts") & (pl.col("_ends_us") >= pl.col("_start_us")))
    closer = begun.with_columns(_from_us="_start_us", _to_us="_ends_us").select(_RUN)
    closer = closer.join(facts.filter(several), on="encounter_id", how="semi")
    setups = setups_and_sites(closer)
    if "patient_id" in intake.given:
        later = later_of_two(facts).with_columns(_later_encounter=pl.lit(True))
        found = setups.join(later, on="encounter_id", how="full", coalesce=True)
    else:
        found = setups.with_columns(_later_encounter=pl.lit(False))
    return facts.join(found, on="encounter_id", how="left").with_columns(
        pl.col("_pumps").fill_null(pl.when(pl.col("_counted_rows") > 0).then(1).otherwise(0)),
        pl.col(_MARKS).fill_null(False),
        _new_setup=pl.col("_new_setup_us").is_not_null(),
    )


def _also(intake: Intake) -> list[pl.Expr]:
    counts, sub = pl.col("_counts"), pl.col("route") == "subcutaneous"
    # Hashes are enough to see whether names differ, and far quicker to compare.
    hashes = {
        name: pl.when(counts & pl.col(name).is_not_null()).then(pl.col(name).hash())
        for name in ("_pump", "_site", "drug")
    }
    where = {
        "_no_start": counts & pl.col("_start_us").is_null() & ~pl.col("_start_twice"),
        "_no_stop": counts & pl.col("_ends_us").is_null() & ~pl.col("_stop_twice"),
        "_clock_unsure": counts
        & (pl.col("_start_twice") | pl.col("_stop_twice") | pl.col("_discharge_twice")),
        "_no_route": pl.col("route").is_null(),
        "_intravenous": pl.col("route") == "intravenous",
        "_injections": pl.col("route") == "injection",
        "_boluses": sub & (pl.col("mode") == "bolus"),
        "_patient_controlled": counts & (pl.col("mode") == "patient_controlled"),
        "_without_pump": counts & pl.col("delivery").is_in(["gravity", "manual_push"]),
        "_momentary_runs": pl.col("_momentary"),
        "_stops_computed": pl.col("_computed"),
        "_stops_short": pl.col("_short"),
    }
    least = whose_and_when()
    patient = least["_patient"]
    return [
        pl.len().alias("_rows"),
        counts.sum().alias("_counted_rows"),
        pl.when("_counts").then(pl.coalesce("_start_us", "_stop_us")).min().alias("_begins_us"),
        *(expr.sum().alias(name) for name, expr in where.items()),
        (pl.col("_to_us") - pl.col("_from_us")).max().alias("_longest_run_us"),
        *(
            getattr(expr, pick)().alias(f"_{name.removeprefix('_')}_{end}")
            for name, expr in hashes.items()
            for pick, end in (("min", "first"), ("max", "last"))
        ),
        pl.col("_discharge_us").min().alias("_left_us"),
        pl.when("_counts").then(pl.col("_start_us")).max().alias("_last_start_us"),
        pl.when("_counts").then(pl.col("_uncut_us")).max().alias("_last_end_us"),
        (counts & (pl.col("setting") == "home")).any().alias("_home"),
        *(expr.min().alias(name) for name, expr in least.items()),
        pl.col("_service_day").max().alias("_final_day"),
        pl.col("em_code").min().alias("_em_code"),
        (patient.min() != patient.max()).fill_null(False).alias("_patients_differ"),
        pl.any_horizontal(
            pl.col(name).min() != pl.col(name).max() for name in CARRIED if name in intake.given
        )
        .fill_null(False)
        .alias("_conflict")
        if any(name in intake.given for name in CARRIED)
        else pl.lit(False).alias("_conflict"),
        *(agreed.alias(name) for name, agreed in carried(intake).items()),
    ]


#: Columns of the encounters table; a user's column of the same name is carried as
#: ``<name>_given``, as is one whose name Polars takes for a pattern, ``*`` or ``^...$``.
RESERVED = (
    "service_date",
    "infusion_min",
    "pumps",
    "units_96369",
    "units_96370",
    "units_96371",
    "units_96372",
    "outcome",
    "min_to_next_unit",
)


def carried(intake: Intake) -> dict[str, pl.Expr]:
    """What each encounter keeps: the value on which all rows that have one agree, else null.

    Columns of lists, structs and Python objects are left out.
    """
    schema = intake.rows.collect_schema()
    own = [
        name
        for name in intake.given
        if name not in COLUMNS and not schema[name].is_nested() and schema[name] != pl.Object
    ]
    kept = {name: name for name in CARRIED} | {
        f"{name}_given" if name in RESERVED or _is_pattern(name) else name: name for name in own
    }
    return {
        as_name: pl.when(held.min() == held.max()).then(held.min())
        for as_name, name in kept.items()
        for held in (by_name(name).as_expr(),)
    }


def _is_pattern(name: str) -> bool:
    return name == "*" or (name.startswith("^") and name.endswith("$"))


def later_of_two(facts: pl.LazyFrame) -> pl.LazyFrame:
    """Names of encounters whose patient began an earlier one on the same date.

    Parameters
    ----------
    facts
        ``encounter_id, service_date, _patient, _counted_rows, _begins_us`` of encounters.

    Returns
    -------
    pl.LazyFrame
        ``encounter_id`` of each encounter but the first of its patient and date; of those that
        begin in the same moment one is taken for the first.
    """
    day, begins = ["_patient", "service_date"], pl.col("_begins_us")
    infused = facts.filter(pl.col("_patient").is_not_null() & (pl.col("_counted_rows") > 0))
    infused = infused.select("encounter_id", "_begins_us", *day)
    # Few patients are seen twice on a date: only those are compared.
    several = infused.group_by(day).agg(_first=begins.min(), _seen=pl.len())
    several = several.filter(pl.col("_seen") > 1).drop("_seen")
    at_once, tie = begins.eq_missing(pl.col("_first")), pl.col("encounter_id").hash()
    first = tie.filter(at_once).min().over(day)
    return (
        infused.join(several, on=day, nulls_equal=True)
        .filter(~(at_once & (tie == first)))
        .select("encounter_id")
    )
