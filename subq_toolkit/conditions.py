"""When a finding fires, and the sentence that says so with the encounter's numbers.

Urgency, remedy and source of each finding stand in ``parameters/findings.toml``.
"""

from functools import cache
from typing import NamedTuple

import polars as pl

from subq_toolkit.effective import read_parameters
from subq_toolkit.infusion_time import HOUR_US, MINUTE_US
from subq_toolkit.policy import Policy

_TIME = read_parameters("infusion_time")
_EDITS = read_parameters("unlikely_edits")
_DAY = pl.col("service_date")


class Condition(NamedTuple):
    """When a finding fires, and its sentence about the encounter."""

    when: pl.Expr
    detail: pl.Expr


def _any(fact: str) -> pl.Expr:
    return pl.col(fact) > 0


def says(text: str, *values: pl.Expr) -> pl.Expr:
    """Build a sentence whose ``{}`` are filled with each row's values.

    A missing value leaves a blank, never a missing sentence. (``polars.format`` fails on
    empty pieces of a filtered stream.)
    """
    first, *others = text.split("{}")
    parts = [
        part
        for value, words in zip(values, others, strict=True)
        for part in (value.cast(pl.String), pl.lit(words))
    ]
    return pl.concat_str(pl.lit(first), *parts, ignore_nulls=True)


def _hours(length_us: pl.Expr) -> pl.Expr:
    return length_us // HOUR_US


@cache
def conditions(policy: Policy) -> dict[str, Condition]:
    """Every finding that looks at one encounter, under ``policy``.

    The conditions read the facts of ``encounter_facts`` with the units of ``coding``.
    """
    return (
        _what_is_missing()
        | _what_a_coder_decides()
        | _what_stands_beside(policy)
        | _pumps_and_sites()
        | _lengths_and_thresholds()
    )


def _what_is_missing() -> dict[str, Condition]:
    missing = {
        "missing_start": ("_no_start", "Runs without a start time: {}."),
        "missing_stop": ("_no_stop", "Runs without a stop time: {}."),
        "missing_route": ("_no_route", "Rows without a route: {}."),
        "ambiguous_clock": ("_clock_unsure", "Runs in a night on which clocks changed: {}."),
        "stop_assumed_short": (
            "_stops_short",
            "Runs without a stop, taken as a short infusion that adds no time: {}.",
        ),
        "stop_computed": ("_stops_computed", "Stops calculated from volume and rate: {}."),
    }
    return {
        name: Condition(_any(fact), says(text, pl.col(fact)))
        for name, (fact, text) in missing.items()
    }


def _what_a_coder_decides() -> dict[str, Condition]:
    pause, left = pl.col("_longest_pause_us"), pl.col("_left_us")
    return {
        "running_at_discharge": Condition(
            (pl.col("_last_end_us") > pl.col("_left_us")) | (_any("_no_stop") & left.is_not_null()),
            says("The pump was running, or had no charted stop, when the patient left."),
        ),
        "run_after_discharge": Condition(
            pl.col("_last_start_us") >= left,
            says("A run begins at or after the charted discharge."),
        ),
        "several_patients": Condition(
            pl.col("_patients_differ"), says("Rows of this encounter name different patients.")
        ),
        "no_pump": Condition(
            _any("_without_pump"),
            says("Runs by gravity or manual push: {}.", pl.col("_without_pump")),
        ),
        "second_encounter_same_day": Condition(
            pl.col("_later_encounter"),
            says("The patient has an earlier subcutaneous infusion on {}.", _DAY),
        ),
        "long_pause": Condition(
            pause > _TIME["visit_pause"].expr(_DAY) * HOUR_US,
            says("{} h without a running pump between two runs.", _hours(pause)),
        ),
        "bolus_only": Condition(
            _any("_boluses") & (pl.col("_counted_rows") == 0),
            says("Boluses without a running infusion: {}.", pl.col("_boluses")),
        ),
    }


def _what_stands_beside(policy: Policy) -> dict[str, Condition]:
    infused = _any("_counted_rows")
    return {
        "intravenous_same_encounter": Condition(
            _any("_intravenous") & infused,
            says("Intravenous rows beside the subcutaneous infusion: {}.", pl.col("_intravenous")),
        ),
        "injection_beside_infusion": Condition(
            _any("_injections") & (pl.col("_units_first") == 1),
            says("Injections beside the first hour: {}.", pl.col("_injections")),
        ),
        "evaluation_same_day": Condition(
            pl.col("_em_code").is_not_null() & infused,
            says("A visit code is charted the same day: {}.", pl.col("_em_code")),
        ),
        "home_setting": Condition(
            pl.col("_home"),
            says("The infusion took place at home; there is no revenue code 450, 510 or 760."),
        ),
        "conflicting_values": Condition(
            pl.col("_conflict"), says("Rows of one encounter hold different values.")
        ),
        "no_subcutaneous": Condition(
            (pl.col("_counted_rows") == 0) & (pl.col("_boluses") == 0) & (pl.col("_no_route") == 0),
            says("Rows, none of them a subcutaneous run: {}.", pl.col("_rows")),
        ),
        "several_drugs": Condition(
            (pl.col("_drug_first") != pl.col("_drug_last")).fill_null(False),
            says("More than one drug ran under the skin."),
        ),
        "patient_controlled": Condition(
            _any("_patient_controlled"),
            says("Patient-controlled runs: {}.", pl.col("_patient_controlled")),
        ),
        "pause_bridged": Condition(
            _any("_bridged_us"),
            says(
                "{} min of pauses up to {} min were counted.",
                pl.col("_bridged_us") // MINUTE_US,
                pl.lit(policy.bridge_pauses_min),
            ),
        ),
        "crosses_midnight": Condition(
            pl.col("_last_day") > _DAY,
            says("Began on {}, ended on {}.", _DAY, pl.col("_last_day")),
        ),
    }


def _pumps_and_sites() -> dict[str, Condition]:
    dwell = pl.col("_dwell_us")
    return {
        "additional_pump_without_new_site": Condition(
            (pl.col("_pumps") > 1) & ~pl.col("_new_setup"),
            says("{} pumps, and no further pump with a new site charted.", pl.col("_pumps")),
        ),
        "setup_after_site_change": Condition(
            pl.col("_site_changed") | pl.col("_reset_charted"),
            pl.when("_site_changed")
            .then(pl.lit("A pump went on at a new site; no set-up is charted there."))
            .otherwise(
                pl.lit("A new set-up with a new site is charted for a pump that had run before.")
            ),
        ),
        "overlapping_charting": Condition(
            pl.col("_pump_overlap"),
            says(
                "Runs of one pump, or of none charted, overlap: {} min in all, {} min counted.",
                pl.col("_charted_us") // MINUTE_US,
                pl.col("_minutes"),
            ),
        ),
        "site_over_three_days": Condition(
            dwell > _TIME["site_dwell"].expr(_DAY) * HOUR_US,
            says("One site was in use for {} h.", _hours(dwell)),
        ),
    }


def _lengths_and_thresholds() -> dict[str, Condition]:
    minutes, longest = pl.col("_minutes"), pl.col("_longest_run_us")
    edit = _EDITS["further_hour"].expr(_DAY)
    at_least = _TIME["initial_hour_at_least"].expr(_DAY)
    missing = _any("_no_start") | _any("_no_stop") | _any("_clock_unsure")
    counted = _any("_runs") & ~missing
    return {
        "above_unlikely_edit": Condition(
            counted & (pl.col("_further_documented") > edit),
            says(
                "{} further hours documented, the edit stops at {}.",
                pl.col("_further_documented"),
                edit,
            ),
        ),
        "long_infusion": Condition(
            longest > _TIME["long_run"].expr(_DAY) * HOUR_US,
            says("One run lasts {} h.", _hours(longest)),
        ),
        "near_threshold": Condition(
            counted
            & ((minutes - pl.col("_nearest_step")).abs() <= _TIME["near_threshold"].expr(_DAY)),
            says("{} min counted; units change at {} min.", minutes, pl.col("_nearest_step")),
        ),
        "seconds_dropped": Condition(
            counted & pl.col("_seconds_matter"),
            says("Counting the seconds beyond {} min would change the units.", minutes),
        ),
        "short_infusion": Condition(
            counted & (minutes < at_least), says("{} min counted.", minutes)
        ),
        "zero_minutes": Condition(
            counted & (minutes == 0) & ~_any("_stops_short"), says("0 min counted.")
        ),
    }
