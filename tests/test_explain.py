"""Explanations, the documentation checklist, and the result of one encounter."""

import polars as pl
import pytest

import subq_toolkit as sq

TWO_PUMPS = [
    sq.Administration("2026-03-02 09:00", "2026-03-02 11:31", pump_id="A", site="abdomen"),
    sq.Administration("2026-03-02 09:10", "2026-03-02 11:00", pump_id="B", site="left thigh"),
]


def steps_of(runs: list[sq.Administration], policy: sq.Policy | None = None) -> dict[str, dict]:
    table = sq.code_encounter(runs, policy=policy).explain()
    return {row["step"]: row for row in table.rows(named=True)}


def test_the_everyday_example() -> None:
    one = sq.code_encounter(TWO_PUMPS)
    assert one.units == {"96369": 1, "96370": 2, "96371": 1}
    assert (one.infusion_min, one.outcome, one.min_to_next_unit) == (151, "coded", 60)
    assert repr(one) == (
        "<EncounterResult: coded, 151 min, 96369 x1, 96370 x2, 96371 x1, findings: near_threshold>"
    )


def test_every_step_says_rule_value_and_source() -> None:
    steps = steps_of(TWO_PUMPS)
    assert list(steps) == [
        "outcome",
        "charted",
        "overlap",
        "counted",
        "96369",
        "96370",
        "next unit",
        "96371",
    ]
    # 151 min on A and 110 on B; B lies inside A.
    assert [steps[name]["value"] for name in ("charted", "overlap", "counted")] == [261, 110, 151]
    assert steps["96370"]["rule"] == "additional_hour_more_than"
    assert steps["96370"]["rule_value"] == "30 min"
    assert steps["96370"]["cite"].startswith("CMS Pub 100-04 chapter 12")
    assert steps["96370"]["cite"].endswith("[inferred]")
    assert steps["next unit"]["why"] == ("Not earned: one more 96370 needs 211 min, 60 more.")


@pytest.mark.parametrize(
    ("runs", "step", "why"),
    [
        (
            [("09:00", "09:10", "A", "abdomen"), ("09:30", "09:35", "A", "abdomen")],
            "pauses",
            "20 min without a running pump are deducted.",
        ),
        (
            [("09:00", "09:15", "A", "abdomen")],
            "96372",
            "96372: 15 min are fewer than the 16 of a first hour.",
        ),
        (
            [("09:00", "09:15", "A", "abdomen")],
            "next unit",
            "Not earned: one more 96369 needs 16 min, 1 more.",
        ),
        (
            [("09:00", "10:30", "A", "abdomen")],
            "next unit",
            "Not earned: one more 96370 needs 91 min, 1 more.",
        ),
        (
            [("09:00", "10:00", "A", "abdomen"), ("09:00", "10:00", "B", "abdomen")],
            "96371",
            "No 96371: 2 pumps, but no new site of a further one is charted.",
        ),
        (
            [("09:00", "10:00", "A", "abdomen"), ("10:10", "11:00", "A", "thigh")],
            "96371",
            "No 96371: the pump moved to a new site, but no set-up is charted there.",
        ),
        (
            [("09:00", "10:00", "A", "abdomen")],
            "96371",
            "No 96371: one pump set-up, which the first hour includes.",
        ),
        (
            [("09:00:00", "09:20:40", "A", "abdomen")],
            "counted",
            "20 min count: clock time with at least one pump running; 40 s beyond the last "
            "whole minute are dropped.",
        ),
    ],
)
def test_what_a_step_says(runs: list[tuple], step: str, why: str) -> None:
    charted = [
        sq.Administration(f"2026-03-02 {start}", f"2026-03-02 {stop}", pump_id=pump, site=site)
        for start, stop, pump, site in runs
    ]
    assert steps_of(charted)[step]["why"] == why


def test_a_cap_and_counted_seconds_are_told() -> None:
    long = [sq.Administration("2026-03-02 08:00", "2026-03-02 13:31")]
    capped = steps_of(long, sq.policy_preset("capped"))
    assert capped["96370"]["why"] == (
        "96370: 331 min; 5 further hours from 331 min on; 3 reported, the limit of the policy."
    )
    seconds = [sq.Administration("2026-03-02 09:00:00", "2026-03-02 10:30:01")]
    counted = steps_of(seconds, sq.Policy(seconds="count"))
    assert counted["counted"]["why"].endswith(
        "1 s beyond the last whole minute count toward a threshold."
    )
    assert counted["96370"]["value"] == 1


def test_bridged_pauses_are_told() -> None:
    runs = [
        sq.Administration("2026-03-02 09:00", "2026-03-02 10:00"),
        sq.Administration("2026-03-02 10:04", "2026-03-02 10:30"),
        sq.Administration("2026-03-02 10:40", "2026-03-02 11:00"),
    ]
    steps = steps_of(runs, sq.policy_preset("bag_changes_count"))
    # 60 + 4 bridged + 26 + 20 = 110; the pause of 10 min is deducted.
    assert steps["counted"]["value"] == 110
    assert steps["pauses"]["why"] == (
        "10 min without a running pump are deducted (pauses of up to 5 min would count)."
    )
    assert "Coding Ahead" in steps["pauses"]["cite"]


def test_the_paragraph_reads_from_answer_to_sources() -> None:
    said = sq.code_encounter(TWO_PUMPS).explanation
    assert said.startswith("96369 x1, 96370 x2, 96371 x1 for 2026-03-02. 261 min are charted")
    assert "Not earned: one more 96370 needs 211 min, 60 more." in said
    assert "\nSources: Revenue Cycle Advisor" in said
    assert said.endswith("[inferred].")


@pytest.mark.parametrize(
    ("run", "opening"),
    [
        (sq.Administration("2026-03-02 09:00"), "Not reported yet: a fact is missing"),
        (
            sq.Administration("2026-03-02 09:00", "2026-03-02 10:00", delivery="gravity"),
            "Not reported yet: a coder decides.",
        ),
        (
            sq.Administration("2026-03-02 09:00", "2026-03-02 08:00"),
            "Not coded: no row could be read. Failed: stop is not before start.",
        ),
        (
            sq.Administration("2026-03-02 09:00", "2026-03-02 10:00", route="intravenous"),
            "Nothing to report in this family.",
        ),
    ],
    ids=["query", "refer", "refused", "nothing"],
)
def test_the_paragraph_where_nothing_is_reported(run: sq.Administration, opening: str) -> None:
    one = sq.code_encounter([run])
    assert one.explanation.startswith(opening)
    assert one.units == {}


def test_an_encounter_in_a_batch_is_explained_alike() -> None:
    frame = pl.DataFrame(
        {
            "encounter_id": ["x", "x", "y"],
            "start_at": ["2026-03-02 09:00", "2026-03-02 09:10", "2026-03-02 09:00"],
            "stop_at": ["2026-03-02 11:31", "2026-03-02 11:00", "2026-03-02 09:10"],
            "pump_id": ["A", "B", "A"],
            "site": ["abdomen", "left thigh", "abdomen"],
        }
    )
    coded = sq.code_administrations(frame)
    assert sq.explain(coded, "x").equals(sq.code_encounter(TWO_PUMPS).explain())


def test_an_unknown_encounter_is_an_error_without_its_name() -> None:
    frame = pl.DataFrame(
        {"encounter_id": ["x"], "start_at": ["2026-03-02 09:00"], "stop_at": ["2026-03-02 10:00"]}
    )
    with pytest.raises(sq.InputError, match="no encounter of that name") as error:
        sq.explain(sq.code_administrations(frame), "PATIENT-77")
    assert "PATIENT-77" not in str(error.value)


def gaps(runs: list[sq.Administration]) -> dict[str, int | None]:
    listed = sq.code_encounter(runs).checklist().filter(~pl.col("charted"))
    return dict(listed.select("item", "units_at_stake").rows())


def test_a_complete_chart_has_no_gap() -> None:
    run = sq.Administration(
        "2026-03-02 09:00",
        "2026-03-02 10:00",
        pump_id="A",
        site="abdomen",
        drug="J1559",
        dose_mg=4000,
        device="needle",
        indication="frequency",
    )
    assert gaps([run]) == {}


def test_gaps_are_named_and_priced_in_units() -> None:
    # 100 mL at 50 mL/h are 120 min: a first hour and one further hour wait for the stop.
    waiting = sq.Administration("2026-03-02 09:00", volume_ml=100, rate_ml_per_h=50, pump_id="A")
    assert gaps([waiting]) == {
        "Stop time of every run": 2,
        "Drug": 0,
        "Infusion site": 0,
        "Needle or soft catheter": 0,
        "Why this route (frequency, dose adjustment, fragile veins)": 0,
    }
    unknown = sq.Administration("2026-03-02 09:00", pump_id="A")
    assert gaps([unknown])["Stop time of every run"] is None
    second = [
        sq.Administration("2026-03-02 09:00", "2026-03-02 10:00", pump_id=pump, site="abdomen")
        for pump in "AB"
    ]
    assert gaps(second)["New site of a further pump set-up"] == 1


def test_the_checklist_of_a_batch_has_a_column_per_item() -> None:
    frame = pl.DataFrame(
        {
            "encounter_id": ["full", "gap", "gap"],
            "start_at": ["2026-03-02 09:00"] * 3,
            "stop_at": ["2026-03-02 10:00", "2026-03-02 10:00", None],
            "drug": ["J1559", "J1559", None],
        }
    )
    table = sq.checklist(sq.code_administrations(frame)).collect()
    # Never charted in this table: dose, site, device, pump, indication.
    assert table.select("encounter_id", "has_stop", "has_drug", "has_new_site", "gaps").rows() == [
        ("full", True, True, None, 5),
        ("gap", False, False, None, 7),
    ]
    assert table["units_at_stake"].to_list() == [0, None]
