"""Every finding has a case that calls it and one that just does not."""

from datetime import timedelta

import polars as pl
import pytest
from oracle import Run, read_policy, read_runs, table
from test_cases import frame

import subq_toolkit as sq

NAMES = """
missing_start missing_stop missing_route ambiguous_clock running_at_discharge
run_after_discharge several_patients no_pump
second_encounter_same_day long_pause bolus_only intravenous_same_encounter above_unlikely_edit
additional_pump_without_new_site setup_after_site_change near_threshold overlapping_charting
heaped_times short_infusion zero_minutes no_subcutaneous injection_beside_infusion
evaluation_same_day long_infusion site_over_three_days seconds_dropped stop_assumed_short
stop_computed refused_rows home_setting conflicting_values patient_controlled several_drugs
crosses_midnight pause_bridged rules_due_for_review
"""
FINDINGS = NAMES.split()
OF_THE_WHOLE_FILE = {"heaped_times", "rules_due_for_review"}


def repeated(runs: list[Run], repeat: str) -> list[Run]:
    """``300x7``: 300 encounters like this one, each 7 minutes after the one before."""
    times, apart = (int(n) for n in (repeat or "1x0").split("x"))
    return [
        run
        | {
            "encounter_id": run["encounter_id"] if times == 1 else str(k),
            "start_at": run["start_at"] and run["start_at"] + timedelta(minutes=k * apart),
            "stop_at": run["stop_at"] and run["stop_at"] + timedelta(minutes=k * apart),
        }
        for k in range(times)
        for run in runs
    ]


def case_id(case: dict[str, str]) -> str:
    return f"{case['finding']}-{case['fires']}: {case['runs']} {case['policy']}"


@pytest.mark.parametrize("case", table("findings"), ids=case_id)
def test_finding_in_a_batch(case):
    runs = repeated(read_runs(case["runs"], case["date"]), case["repeat"])
    coded = sq.code_administrations(
        frame(runs),
        policy=sq.Policy(**read_policy(case["policy"])),
        facility_zone=case["facility_zone"] or None,
    )
    findings = coded.findings.collect()
    mine = findings.filter(pl.col("finding") == case["finding"])
    assert mine.is_empty() == (case["fires"] == "no"), case["why"]
    if case["finding"] in OF_THE_WHOLE_FILE:
        assert set(mine["encounter_id"]) <= {None}
    outcomes = dict(coded.encounters.collect()["encounter_id", "outcome"].rows())
    if case["outcome"] and case["fires"] == "yes":
        assert {outcomes[one] for one in mine["encounter_id"]} == {case["outcome"]}
    elif case["outcome"]:
        assert set(outcomes.values()) == {case["outcome"]}


@pytest.mark.parametrize(
    "case",
    [c for c in table("findings") if not c["repeat"] and "encounter_id=" not in c["runs"]],
    ids=case_id,
)
def test_finding_of_one_encounter(case):
    one = sq.code_encounter(
        [sq.Administration(**run) for run in read_runs(case["runs"], case["date"])],
        policy=sq.Policy(**read_policy(case["policy"])),
        facility_zone=case["facility_zone"] or None,
    )
    assert (case["finding"] in set(one.findings["finding"])) == (case["fires"] == "yes"), case[
        "why"
    ]


def test_every_finding_has_a_case_on_both_sides():
    # dates_in_utc and route_assumed are about columns: test_hostile_tables holds both sides.
    cases = {(case["finding"], case["fires"]) for case in table("findings")}
    assert cases == {(name, fires) for name in FINDINGS for fires in ("yes", "no")}


def test_every_finding_can_be_acted_on():
    runs = [
        run | {"encounter_id": str(number)}
        for number, case in enumerate(table("findings"))
        if not case["date"] and not case["repeat"] and not case["policy"]
        for run in read_runs(case["runs"])
    ]
    findings = sq.code_administrations(frame(runs)).findings.collect()
    assert findings["finding"].n_unique() > len(FINDINGS) / 2
    assert set(findings["finding"]) <= set(FINDINGS)
    assert set(findings["severity"]) <= {"high", "medium", "low"}
    for name in ("detail", "what_to_do", "cite"):
        assert findings[name].null_count() == 0
        assert findings[name].str.len_chars().min() > 0
