"""What a person must look at: when a finding fires, and what it says of the encounter.

Urgency, remedy and source of each stand in ``parameters/findings.toml``; here is only
the condition on the facts of an encounter and the sentence with its numbers.
"""

from typing import NamedTuple

import polars as pl

from subq_toolkit.effective import read_parameters, read_table, sources
from subq_toolkit.infusion_time import HOUR_US, MINUTE_US
from subq_toolkit.policy import Policy

_TIME = read_parameters("infusion_time")
_EDITS = read_parameters("unlikely_edits")
_TABLE = read_table("findings")
_DAY = pl.col("service_date")
COLUMNS = ("encounter_id", "finding", "severity", "detail", "what_to_do", "cite")


class Finding(NamedTuple):
    """When a finding fires, and its sentence about the encounter."""

    when: pl.Expr
    detail: pl.Expr


def _any(fact: str) -> pl.Expr:
    return pl.col(fact) > 0


def _says(text: str, *values: pl.Expr) -> pl.Expr:
    return pl.format(text, *values) if values else pl.lit(text)


def _hours(length_us: pl.Expr) -> pl.Expr:
    return length_us // HOUR_US


def encounter_findings(policy: Policy) -> dict[str, Finding]:
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


def _what_is_missing() -> dict[str, Finding]:
    missing = {
        "missing_start": ("_no_start", "{} run(s) without a start time."),
        "missing_stop": ("_no_stop", "{} run(s) without a stop time."),
        "missing_route": ("_no_route", "{} row(s) without a route."),
        "ambiguous_clock": ("_clock_unsure", "{} run(s) in a night on which clocks changed."),
        "stop_assumed_short": (
            "_stops_short",
            "{} run(s) without a stop, taken as 15 min or less.",
        ),
        "stop_computed": ("_stops_computed", "{} stop(s) calculated from volume and rate."),
    }
    return {
        name: Finding(_any(fact), _says(text, pl.col(fact)))
        for name, (fact, text) in missing.items()
    }


def _what_a_coder_decides() -> dict[str, Finding]:
    pause = pl.col("_longest_pause_us")
    return {
        "running_at_discharge": Finding(
            _any("_past_discharges") | _any("_open_at_discharge"),
            _says(
                "{} run(s) stop after the charted discharge, {} had no stop when the patient left.",
                pl.col("_past_discharges"),
                pl.col("_open_at_discharge"),
            ),
        ),
        "no_pump": Finding(
            _any("_without_pump"),
            _says("{} run(s) by gravity or manual push.", pl.col("_without_pump")),
        ),
        "second_encounter_same_day": Finding(
            pl.col("_later_encounter"),
            _says("The patient has an earlier subcutaneous infusion on {}.", _DAY),
        ),
        "long_pause": Finding(
            pause > _TIME["visit_pause"].expr(_DAY) * HOUR_US,
            _says("{} h without a running pump between two runs.", _hours(pause)),
        ),
        "bolus_only": Finding(
            _any("_boluses") & (pl.col("_counted_rows") == 0),
            _says("{} bolus(es), no running infusion.", pl.col("_boluses")),
        ),
    }


def _what_stands_beside(policy: Policy) -> dict[str, Finding]:
    infused = _any("_counted_rows")
    return {
        "intravenous_same_encounter": Finding(
            _any("_intravenous") & infused,
            _says(
                "{} intravenous row(s) beside the subcutaneous infusion.", pl.col("_intravenous")
            ),
        ),
        "injection_beside_infusion": Finding(
            _any("_injections") & (pl.col("_units_first") == 1),
            _says("{} injection(s) (96372) beside the first hour.", pl.col("_injections")),
        ),
        "evaluation_same_day": Finding(
            pl.col("_em_code").is_not_null() & infused,
            _says("A visit code is charted the same day: {}.", pl.col("_em_code")),
        ),
        "home_setting": Finding(
            (pl.col("setting") == "home").fill_null(False) & infused,
            _says("The infusion took place at home; there is no revenue code 450, 510 or 760."),
        ),
        "conflicting_values": Finding(
            pl.col("_conflict"), _says("Rows of one encounter hold different values.")
        ),
        "no_subcutaneous": Finding(
            (pl.col("_counted_rows") == 0) & (pl.col("_boluses") == 0) & (pl.col("_no_route") == 0),
            _says("{} row(s), none of them a subcutaneous run.", pl.col("_rows")),
        ),
        "several_drugs": Finding(
            (pl.col("_drug_first") != pl.col("_drug_last")).fill_null(False),
            _says("More than one drug ran under the skin."),
        ),
        "patient_controlled": Finding(
            _any("_patient_controlled"),
            _says("{} patient-controlled run(s).", pl.col("_patient_controlled")),
        ),
        "pause_bridged": Finding(
            _any("_bridged_us"),
            _says(
                "{} min of pauses up to {} min were counted.",
                pl.col("_bridged_us") // MINUTE_US,
                pl.lit(policy.bridge_pauses_min),
            ),
        ),
        "crosses_midnight": Finding(
            pl.col("_last_day") > _DAY,
            _says("Began on {}, ended on {}.", _DAY, pl.col("_last_day")),
        ),
    }


def _pumps_and_sites() -> dict[str, Finding]:
    dwell = pl.col("_dwell_us")
    return {
        "additional_pump_without_new_site": Finding(
            (pl.col("_pumps") > 1) & ~pl.col("_new_setup"),
            _says("{} pumps, and no further pump with a new site charted.", pl.col("_pumps")),
        ),
        "setup_after_site_change": Finding(
            pl.col("_site_changed") | pl.col("_reset_charted"),
            pl.when("_site_changed")
            .then(pl.lit("A pump went on at a new site; no set-up is charted there."))
            .otherwise(pl.lit("A new set-up is charted for a pump that had run before.")),
        ),
        "overlapping_charting": Finding(
            pl.col("_pump_overlap"),
            _says(
                "Runs of one pump overlap; charted {} min in all runs, counted {} min.",
                pl.col("_charted_us") // MINUTE_US,
                pl.col("_minutes"),
            ),
        ),
        "site_over_three_days": Finding(
            dwell > _TIME["site_dwell"].expr(_DAY) * HOUR_US,
            _says("One site was in use for {} h.", _hours(dwell)),
        ),
    }


def _lengths_and_thresholds() -> dict[str, Finding]:
    minutes, longest = pl.col("_minutes"), pl.col("_longest_run_us")
    edit = _EDITS["further_hour"].expr(_DAY)
    at_least = _TIME["initial_hour_at_least"].expr(_DAY)
    counted = _any("_runs")
    return {
        "above_unlikely_edit": Finding(
            pl.col("_further_documented") > edit,
            _says(
                "{} further hours documented, the edit stops at {}.",
                pl.col("_further_documented"),
                edit,
            ),
        ),
        "long_infusion": Finding(
            longest > _TIME["long_run"].expr(_DAY) * HOUR_US,
            _says("One run lasts {} h.", _hours(longest)),
        ),
        "near_threshold": Finding(
            counted
            & ((minutes - pl.col("_nearest_step")).abs() <= _TIME["near_threshold"].expr(_DAY)),
            _says("{} min counted; units change at {} min.", minutes, pl.col("_nearest_step")),
        ),
        "seconds_dropped": Finding(
            counted & pl.col("_seconds_matter"),
            _says("Counting the seconds beyond {} min would change the units.", minutes),
        ),
        "short_infusion": Finding(
            counted & (minutes < at_least), _says("{} min counted.", minutes)
        ),
        "zero_minutes": Finding(counted & (minutes == 0), _says("0 min counted.")),
    }


def outcome(policy: Policy) -> pl.Expr:
    """``query`` if a fact is missing, ``refer`` if a coder decides, else ``coded``."""
    fired, leads_to = encounter_findings(policy), _leads_to(policy)

    def any_of(kind: str) -> pl.Expr:
        return pl.any_horizontal(
            finding.when.fill_null(False)
            for name, finding in fired.items()
            if leads_to.get(name) == kind
        )

    decided = pl.when(any_of("query")).then(pl.lit("query"))
    return decided.when(any_of("refer")).then(pl.lit("refer")).otherwise(pl.lit("coded"))


def _leads_to(policy: Policy) -> dict[str, str]:
    leads_to = {name: entry["outcome"] for name, entry in _TABLE.items() if "outcome" in entry}
    by_choice = {
        "intravenous_same_encounter": policy.intravenous,
        "home_setting": policy.home,
        "second_encounter_same_day": policy.second_encounter,
        "running_at_discharge": policy.running_at_discharge,
    }
    return leads_to | by_choice


def findings_table(
    facts: pl.LazyFrame, rows: pl.LazyFrame, refused: pl.LazyFrame, policy: Policy
) -> pl.LazyFrame:
    """All findings in long form, those about the whole file first (``encounter_id`` null).

    Parameters
    ----------
    facts
        One row per encounter, with units.
    rows
        Readable rows, with ``_start_wall`` and ``_stop_wall``.
    refused
        ``encounter_id`` of every refused row that is no copy.
    policy
        The choices in force.
    """
    fired = [
        facts.filter(finding.when).select(
            "encounter_id", finding=pl.lit(name), detail=finding.detail.cast(pl.String)
        )
        for name, finding in encounter_findings(policy).items()
    ]
    of_refused = (
        refused.group_by("encounter_id")
        .len()
        .join(facts.select("encounter_id"), on="encounter_id", how="semi")
        .select(
            "encounter_id",
            finding=pl.lit("refused_rows"),
            detail=_says("{} row(s) of this encounter were refused.", pl.col("len")),
        )
    )
    table = pl.concat([_heaped_times(rows), _due_for_review(facts), of_refused, *fired])
    return (
        table.join(_remedies(), on="finding", how="left")
        .select(COLUMNS)
        .sort("encounter_id", "finding", nulls_last=False)
    )


def _remedies() -> pl.LazyFrame:
    return pl.LazyFrame(
        [
            {
                "finding": name,
                "severity": entry["severity"],
                "what_to_do": entry["what_to_do"],
                "cite": sources()[entry["source"]].cite(entry["standing"]),
            }
            for name, entry in _TABLE.items()
        ]
    )


def _whole_file(table: pl.LazyFrame, name: str, detail: pl.Expr) -> pl.LazyFrame:
    return table.select(encounter_id=pl.lit(None, pl.String), finding=pl.lit(name), detail=detail)


def _heaped_times(rows: pl.LazyFrame) -> pl.LazyFrame:
    quarter = [pl.col(name).dt.minute() % 15 == 0 for name in ("_start_wall", "_stop_wall")]
    times = rows.filter("_counts").select(
        n=pl.sum_horizontal(pl.col(name).count() for name in ("_start_wall", "_stop_wall")),
        heaped=pl.sum_horizontal(on_quarter.sum() for on_quarter in quarter),
    )
    limit, least = (_TIME[name].values[-1].value for name in ("heaped_share", "heaped_at_least"))
    share = pl.col("heaped") * 100 / pl.col("n")
    return _whole_file(
        times.filter((pl.col("n") >= least) & (share > limit)),
        "heaped_times",
        _says(
            "{} % of {} charted times fall on :00, :15, :30 or :45; by chance it would be 7 %.",
            share.round(0, mode="half_away_from_zero").cast(pl.Int64),
            pl.col("n"),
        ),
    )


def _due_for_review(facts: pl.LazyFrame) -> pl.LazyFrame:
    stale = pl.any_horizontal(
        _TIME[name].stale_expr(_DAY).fill_null(False)
        for name in ("initial_hour_at_least", "additional_hour_more_than")
    )
    late = facts.filter(stale).select(n=pl.len(), last=_DAY.max()).filter(pl.col("n") > 0)
    return _whole_file(
        late,
        "rules_due_for_review",
        _says(
            "{} encounter(s), the last on {}, lie after the day on which the time rules were due "
            "to be read again.",
            pl.col("n"),
            pl.col("last"),
        ),
    )
