"""Billed against supported: what an audit finds, what it leaves alone, and what it is worth."""

import csv
import itertools
import random
from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

import subq_toolkit as sq
from subq_toolkit.audit import Audit, audit, worklist
from subq_toolkit.audit.classes import CLASSES
from subq_toolkit.errors import InputError
from subq_toolkit.synthetic import administrations
from subq_toolkit.synthetic.charges import planted_charges

CASES = list(csv.DictReader((Path(__file__).parent / "cases" / "audit.csv").open(encoding="utf-8")))
DAY, TODAY = date(2026, 3, 2), date(2026, 6, 1)
NINE = datetime(2026, 3, 2, 9)
ERRORS = [name for name, one in CLASSES.items() if one["error"]]
CLINIC = {"setting": "clinic", "payer": "Medicare", "department": "North"}


def run(encounter="E1", minutes=60, *, start=NINE, **other) -> dict:
    stop = None if minutes is None else start + timedelta(minutes=minutes)
    run = {"encounter_id": encounter, "start_at": start, "stop_at": stop}
    return run | {"route": "subcutaneous", "pump_id": "A", "site": "abdomen"} | CLINIC | other


def charge(code, units=1, encounter="E1", **other) -> dict:
    return {"encounter_id": encounter, "service_date": DAY, "code": code, "units": units} | other


def audited(runs: list[dict], charges: list[dict], **terms) -> Audit:
    chart = pl.DataFrame(runs, infer_schema_length=None)
    schema = {"encounter_id": pl.String, "service_date": pl.Date, "code": pl.String}
    given = pl.DataFrame(
        charges, infer_schema_length=None, schema=None if charges else schema | {"units": pl.Int64}
    )
    return audit(
        sq.code_administrations(chart), given, **({"on": TODAY, "schedule": "mpfs"} | terms)
    )


def classes(found: Audit) -> dict[str, str]:
    return dict(found.lines.select("code", "class").collect().rows())


def line(found: Audit, code: str) -> dict:
    return found.lines.filter(pl.col("code") == code).collect().row(0, named=True)


# ---------------------------------------------------------------- the case table


def charted(case: dict) -> list[dict]:
    minutes = int(case["minutes"]) if case["minutes"] else None
    there = {"setting": case["setting"]}
    runs = [run(minutes=minutes, **there)]
    if case["pumps"] == "2":
        runs.append(run(minutes=minutes, pump_id="B", site="thigh", **there))
    if case["beside"] == "gravity":
        runs[0]["delivery"] = "gravity"
    elif case["beside"]:
        runs.append(run(minutes=5, pump_id=None, site=None, **there) | {"route": case["beside"]})
    return runs


def billed(case: dict) -> list[dict]:
    charges = []
    for text in case["charges"].split():
        sold, _, revenue = text.partition("/")
        code, units = sold.split("*")
        own = {"clinic": "510", "emergency": "450", "treatment_room": "760"}.get(case["setting"])
        own = {"": own, "none": None}.get(revenue, revenue)
        charges.append(charge(code, int(units), revenue_code=own))
    return charges


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_cases(case):
    found = classes(audited(charted(case), billed(case)))
    assert found == dict(pair.split() for pair in case["found"].split(";"))


def test_every_class_but_those_of_whole_tables_has_a_case():
    in_cases = {pair.split()[1] for case in CASES for pair in case["found"].split(";")}
    elsewhere = {"charge_without_chart", "chart_unreadable", "charge_unreadable", "wrong_date"}
    elsewhere |= {"denied_supported", "denied_unsupported"}
    assert in_cases == set(CLASSES) - elsewhere


# ---------------------------------------------------------------- a year with planted errors


@pytest.fixture(scope="module")
def year():
    rows = administrations(4_000, seed=11, start=date(2025, 7, 1), days=365)
    coded = sq.code_administrations(rows)
    return coded, *planted_charges(coded, seed=11)


def test_a_year_every_planted_error_is_found_and_no_other(year):
    coded, charges, planted = year
    found = audit(coded, charges, on=TODAY)
    wrong = found.lines.filter(pl.col("class").is_in(ERRORS)).collect()
    got = set(wrong.select("encounter_id", "code", "class").rows())
    assert got == set(planted.rows())
    assert set(planted["class"]) == set(ERRORS)


def test_a_year_in_figures(year):
    """Counted once from the generator; moved by hand if its draws move."""
    coded, charges, planted = year
    counts = Counter(planted["class"])
    assert planted.height == sum(counts.values())
    found = audit(coded, charges, on=TODAY)
    assert found.reconcile()["rows_in"] == charges.height
    assert min(counts.values()) >= 5


def test_the_bundled_charges_hold_what_is_written_beside_them():
    found = audit(sq.code_administrations(sq.sample_administrations()), sq.sample_charges())
    planted = pl.read_csv(
        sq.dataset("charges") / "planted_errors.csv", schema_overrides={"code": pl.String}
    )
    wrong = found.lines.filter(pl.col("class").is_in(ERRORS))
    got = set(wrong.select("encounter_id", "code", "class").collect().rows())
    assert got == set(planted.rows())


def test_the_order_of_the_rows_does_not_matter(year):
    coded, charges, _ = year
    straight = audit(coded, charges, on=TODAY)
    # Of two replacements the later row stands, so only whole encounters are put in another order.
    key = pl.col("encounter_id").str.strip_chars().str.to_uppercase().hash(7)
    mixed = audit(coded, charges.sort(key, maintain_order=True), on=TODAY)
    assert straight.lines.collect().equals(mixed.lines.collect())
    assert straight.encounters.collect().equals(mixed.encounters.collect())


def test_nothing_is_lost(year):
    coded, charges, _ = year
    found = audit(coded, charges, on=TODAY)
    counts = found.reconcile()
    assert counts["rows_in"] == charges.height == sum(counts.values()) - counts["rows_in"]
    for table in (found.compared, found.set_aside, found.superseded):
        assert "row" in table.collect_schema()
    rows = pl.concat(
        [one.select(pl.col("row").cast(pl.Int64)) for one in
         (found.compared, found.set_aside, found.superseded, found.refused)]
    ).collect()["row"].sort()  # fmt: skip
    assert rows.to_list() == list(range(1, charges.height + 1))


def test_every_infusion_of_the_chart_appears(year):
    coded, charges, _ = year
    inside = set(audit(coded, charges, on=TODAY).encounters.collect()["encounter_id"])
    lines = set(coded.lines.collect()["encounter_id"])
    waiting = coded.encounters.filter(pl.col("outcome").is_in(["query", "refer"])).collect()
    infused = coded.accepted.filter(
        (pl.col("route") == "subcutaneous") | pl.col("route").is_null()
    ).collect()["encounter_id"]
    assert lines <= inside
    assert set(waiting["encounter_id"]) & set(infused) <= inside


# ---------------------------------------------------------------- matching


@pytest.mark.parametrize(
    ("charted_as", "charged_as"),
    [
        ("E1", " e1 "),
        ("00012345", "12345"),
        ("12345", "0012345"),
        ("0", "000"),
        ("A-7", "a-7"),
    ],
)
def test_one_number_in_several_spellings(charted_as, charged_as):
    found = audited([run(charted_as)], [charge("96369", encounter=charged_as)])
    assert classes(found) == {"96369": "agrees"}
    assert line(found, "96369")["encounter_id"] == charted_as


def test_where_two_encounters_would_be_the_same_only_the_spelling_counts():
    runs = [run("0012"), run("12", minutes=100)]
    found = audited(runs, [charge("96369", encounter="12"), charge("96370", encounter="12"),
                           charge("96369", encounter="012")])  # fmt: skip
    got = found.lines.select("encounter_id", "code", "class").collect().rows()
    assert got == [
        ("0012", "96369", "chart_without_charge"),
        ("12", "96369", "agrees"),
        ("12", "96370", "agrees"),
        ("012", "96369", "charge_without_chart"),
    ]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (-2, "charge_without_chart"),
        (-1, "wrong_date"),
        (0, "agrees"),
        (1, "wrong_date"),
        (2, "charge_without_chart"),
    ],
)
def test_dates_around_the_charted_day(days, expected):
    found = audited([run()], [charge("96369", service_date=DAY + timedelta(days=days))])
    billed_line = found.lines.filter(pl.col("billed_units") > 0).collect().row(0, named=True)
    assert billed_line["class"] == expected
    if expected == "charge_without_chart":
        assert billed_line["reason"] == "1 billed; the encounter is charted on another date."


@pytest.mark.parametrize(
    ("days", "expected"),
    [(0, "agrees"), (1, "agrees"), (2, "wrong_date"), (3, "charge_without_chart")],
)
def test_after_midnight_both_days_are_charted_days(days, expected):
    late = run(minutes=151, start=datetime(2026, 3, 2, 23, 0))
    further = charge("96370", 2, service_date=DAY + timedelta(days=days))
    found = audited([late], [charge("96369"), further])
    got = found.lines.filter((pl.col("code") == "96370") & (pl.col("billed_units") > 0))
    assert got.collect()["class"].to_list() == [expected]


def test_a_charge_that_is_nowhere_in_the_chart():
    found = audited([run()], [charge("96369"), charge("96370", 2, encounter="E9")])
    got = line(found, "96370")
    assert (got["class"], got["billed_units"], got["supported_units"]) == (
        "charge_without_chart",
        2,
        0,
    )
    assert got["outcome"] is None
    assert got["reason"] == "2 billed; the chart has no such encounter."
    # two further hours at 17.03, CMS relative values of July 2026 carried to March
    assert got["difference_usd"] == 2 * Decimal("17.03")


def test_codes_that_are_not_compared_are_set_aside_with_the_reason():
    charges = [charge("96369"), charge("J1559", 40), charge("96372", encounter="E8")]
    found = audited([run()], charges)
    aside = found.set_aside.collect()
    assert aside.select("row", "code").rows() == [(2, "J1559"), (3, "96372")]
    assert aside["set_aside_because"].to_list() == [
        "no code of a subcutaneous infusion, nor one that stands in its place",
        "nothing in the chart says that it was a subcutaneous infusion",
    ]


def test_codes_of_2008_are_compared_by_their_date():
    old = datetime(2008, 5, 5, 9)
    found = audited(
        [run(minutes=100, start=old)],
        [charge("90769", service_date=old.date()), charge("96369", service_date=old.date())],
    )
    assert classes(found) == {"90769": "agrees", "90770": "under"}
    assert found.set_aside.collect()["code"].to_list() == ["96369"]


# ---------------------------------------------------------------- which charges stand


def test_a_replaced_claim_does_not_count():
    charges = [
        charge("96369", claim_id="C1", frequency="1"),
        charge("96370", 3, claim_id="C1", frequency="1"),
        charge("96369", claim_id="C2", frequency="7", replaces_claim_id="C1"),
    ]
    found = audited([run()], charges)
    assert classes(found) == {"96369": "agrees"}
    gone = found.superseded.collect()
    assert gone.select("row", "superseded_by").rows() == [
        (1, "replaced by a later claim"),
        (2, "replaced by a later claim"),
    ]


def test_of_two_replacements_of_one_claim_the_later_row_stands():
    charges = [
        charge("96369", claim_id="C1", frequency="1"),
        charge("96370", 3, claim_id="C2", frequency="7", replaces_claim_id="C1"),
        charge("96369", claim_id="C3", frequency="7", replaces_claim_id="C1"),
    ]
    found = audited([run()], charges)
    assert classes(found) == {"96369": "agrees"}
    assert found.superseded.collect()["row"].to_list() == [1, 2]


def test_a_replacement_of_a_replacement():
    charges = [
        charge("96370", 3, claim_id="C1", frequency="1"),
        charge("96370", 2, claim_id="C2", frequency="7", replaces_claim_id="C1"),
        charge("96369", claim_id="C3", frequency="7", replaces_claim_id="C2"),
    ]
    found = audited([run()], charges)
    assert classes(found) == {"96369": "agrees"}


def test_a_replacement_under_the_number_of_its_original():
    charges = [
        charge("96370", 3, claim_id="C1", frequency="1"),
        charge("96369", claim_id="C1", frequency="7", replaces_claim_id="C1"),
    ]
    assert classes(audited([run()], charges)) == {"96369": "agrees"}


def test_a_void_takes_both_away():
    charges = [
        charge("96369", claim_id="C1", frequency="1"),
        charge("96369", claim_id="C2", frequency="8", replaces_claim_id="C1"),
    ]
    found = audited([run()], charges)
    assert classes(found) == {"96369": "chart_without_charge"}
    assert found.superseded.collect()["superseded_by"].to_list() == [
        "voided by a later claim",
        "voids another claim",
    ]


def test_a_replacement_that_names_an_unknown_claim_means_the_only_original():
    charges = [
        charge("96370", 3, claim_id="C1", frequency="1"),
        charge("96369", claim_id="C2", frequency="7", replaces_claim_id="ICN-77"),
    ]
    found = audited([run()], charges)
    assert classes(found) == {"96369": "agrees"}
    assert found.superseded.collect()["superseded_by"].item() == (
        "replaced by a later claim that names none of the extract; it is the only other claim "
        "of that day"
    )


def test_claims_without_numbers_are_told_apart_by_their_frequency():
    charges = [charge("96370", 3, frequency="1"), charge("96369", frequency="7")]
    assert classes(audited([run()], charges)) == {"96369": "agrees"}


def test_with_two_originals_an_unknown_claim_undoes_neither():
    charges = [
        charge("96369", claim_id="C1", frequency="1"),
        charge("96370", claim_id="C2", frequency="1"),
        charge("96370", claim_id="C3", frequency="7", replaces_claim_id="ICN-77"),
    ]
    found = audited([run(minutes=151)], charges)
    assert classes(found) == {"96369": "agrees", "96370": "agrees"}
    assert found.superseded.collect().is_empty()


def test_a_claim_is_followed_to_another_encounter_only_by_a_number_of_its_own():
    moved = charge("96369", encounter="E2", claim_id="C2", frequency="7", replaces_claim_id="C1")
    first = charge("96369", claim_id="C1", frequency="1")
    found = audited([run(), run("E2")], [first, moved])
    assert found.lines.collect()["class"].to_list() == ["chart_without_charge", "agrees"]
    assert found.superseded.collect()["superseded_by"].item() == (
        "replaced by a later claim that stands under another encounter"
    )
    alike = charge("96369", encounter="E3", claim_id="C1", frequency="1")
    found = audited([run(), run("E2"), run("E3")], [first, alike, moved])
    assert found.lines.collect()["class"].to_list() == ["agrees", "agrees", "agrees"]


@pytest.mark.parametrize(("number", "named"), [("C1", " c1"), ("0071", "71"), ("71", "0071")])
def test_a_claim_s_number_in_several_spellings(number, named):
    sent = [claim(number, units=2), claim("C9", "7", named)]
    assert classes(audited([run()], sent)) == {"96369": "agrees"}


def test_an_extract_that_begins_with_the_newest():
    """Links that name claims of the extract tell its order, also for a void that names none."""
    links = [
        charge(
            "96369",
            1,
            f"E{number}",
            claim_id=f"{one}{number}",
            frequency=sent,
            replaces_claim_id=names,
        )
        for number in range(5)
        for one, sent, names in (("B", "7", f"A{number}"), ("A", "1", None))
    ]
    void = claim("V", "8", "ICN-77") | {"encounter_id": "E9"}
    original = claim("W") | {"encounter_id": "E9"}
    chart = [run(f"E{number}") for number in (*range(5), 9)]
    found = audited(chart, [*links, void, original])
    assert found.encounters.collect()["class"].to_list()[-1] == "chart_without_charge"
    oldest_first = audited(chart, [*reversed(links), void, original])
    assert oldest_first.encounters.collect()["class"].to_list()[-1] == "agrees"


@pytest.mark.parametrize("status", ["voided", "replaced"])
def test_a_line_that_is_marked_does_not_count(status):
    charges = [charge("96369"), charge("96370", 1, status=status)]
    found = audited([run()], charges)
    assert classes(found) == {"96369": "agrees"}
    assert found.superseded.collect()["superseded_by"].item() == f"marked as {status}"


@pytest.mark.parametrize("status", ["final", "pending", None])
def test_other_lines_count(status):
    assert classes(audited([run()], [charge("96369", status=status)])) == {"96369": "agrees"}


# ---------------------------------------------------------------- the chart


def test_rows_that_cannot_be_read_keep_a_difference_from_being_judged():
    runs = [run(minutes=60), run(minutes=-10, start=NINE + timedelta(hours=3))]
    found = audited(runs, [charge("96369"), charge("96370", 1)])
    assert classes(found) == {"96369": "agrees", "96370": "chart_unreadable"}
    got = line(found, "96370")
    assert (got["direction"], got["supported_units"], got["supported_usd"]) == (
        "not judged",
        None,
        None,
    )


def test_an_encounter_of_which_nothing_could_be_read():
    found = audited(
        [run(), run("E2", minutes=-10)], [charge("96369"), charge("96369", encounter="E2")]
    )
    got = found.lines.filter(pl.col("encounter_id") == "E2").collect().row(0, named=True)
    assert (got["class"], got["outcome"]) == ("chart_unreadable", "refused")


def test_a_copy_in_the_chart_is_no_reason_to_doubt_it():
    assert classes(audited([run(), run()], [charge("96369"), charge("96370", 1)])) == {
        "96369": "agrees",
        "96370": "over",
    }


def test_intravenous_encounters_without_a_charge_are_not_listed():
    found = audited([run(), run("E2") | {"route": "intravenous"}], [charge("96369")])
    assert found.encounters.collect()["encounter_id"].to_list() == ["E1"]


def test_the_policy_decides_what_is_supported():
    runs = pl.DataFrame([run(minutes=None)])
    charges = pl.DataFrame([charge("96372")])
    asked = audit(sq.code_administrations(runs), charges, on=TODAY)
    short = audit(
        sq.code_administrations(runs, policy=sq.Policy(missing_stop="short")), charges, on=TODAY
    )
    assert classes(asked) == {"96372": "documentation_missing"}
    assert classes(short) == {"96372": "agrees"}
    assert line(asked, "96372")["reason"] == (
        "1 billed, 0 supported so far; open in the chart: missing stop."
    )


# ---------------------------------------------------------------- money


def test_money_of_a_line_and_of_its_encounter():
    """National office amounts of 2026: 4.34 and 0.51 RVU times 33.4009, to the cent."""
    found = audited(
        [run(minutes=100, setting="physician_office")],
        [charge("96369", charge_usd=640.0), charge("96370", 3, charge_usd=465.0, paid_usd=20.0)],
    )
    got = line(found, "96370")
    assert got["billed_usd"] == Decimal("51.09")
    assert got["supported_usd"] == Decimal("17.03")
    assert got["difference_usd"] == Decimal("34.06")
    assert (got["charge_usd"], got["paid_usd"]) == (465.0, 20.0)
    whole = found.encounters.collect().row(0, named=True)
    assert whole["billed_usd"] == Decimal("144.96") + Decimal("51.09")
    assert whole["difference_usd"] == Decimal("34.06")
    assert (whole["class"], whole["classes"], whole["direction"]) == (
        "over",
        "over, agrees",
        "over",
    )


def test_what_stands_beside_a_line_decides_what_it_is_worth():
    """Outpatient: the injection code is packaged beside 96369 and paid alone."""
    runs = [run(minutes=60), run("E2", minutes=10)]
    charges = [charge("96369"), charge("96372", 1), charge("96372", encounter="E2")]
    found = audited(runs, charges, schedule="opps")
    over, short = found.lines.filter(pl.col("code") == "96372").collect().rows(named=True)
    assert (over["class"], over["billed_usd"]) == ("over", Decimal("0.00"))
    assert (short["class"], short["billed_usd"] > 0) == ("agrees", True)


def test_a_day_without_a_price_has_no_amounts():
    found = audited(
        [run(start=datetime(2015, 3, 2, 9))], [charge("96369", 2, service_date=date(2015, 3, 2))]
    )
    got = line(found, "96369")
    assert (got["billed_usd"], got["supported_usd"], got["difference_usd"]) == (None, None, None)
    whole = found.encounters.collect().row(0, named=True)
    assert (whole["difference_usd"], whole["direction"]) == (None, "over")


def test_by_default_each_setting_is_valued_at_its_own_schedule():
    runs = [run(setting="clinic"), run("E2", setting="physician_office")]
    charges = [charge("96369", encounter=name) for name in ("E1", "E2")]
    values = {
        schedule: audited(runs, charges, schedule=schedule).lines.collect()["billed_usd"].to_list()
        for schedule in ("by_setting", "opps", "mpfs")
    }
    assert values["by_setting"] == [values["opps"][0], values["mpfs"][1]]
    assert values["mpfs"] == [Decimal("0.00"), Decimal("144.96")]
    assert values["opps"][0] > 0


def test_locality_and_schedule_are_handed_on():
    chart = [run(setting="physician_office")]
    national = line(audited(chart, [charge("96369")]), "96369")["billed_usd"]
    local = line(audited(chart, [charge("96369")], locality="15202-00"), "96369")["billed_usd"]
    assert national == Decimal("144.96") != local
    with pytest.raises(InputError, match="'schedule' is 'mpfs', 'opps'"):
        audited(chart, [charge("96369")], schedule="mpf")


# ---------------------------------------------------------------- deadlines


@pytest.mark.parametrize(
    ("payer", "filing", "on", "days_left"),
    [
        ("Medicare", None, date(2027, 3, 2), 0),
        ("Medicare", None, date(2027, 3, 3), -1),
        (" medicare ", None, date(2027, 3, 1), 1),
        ("Medicaid", None, date(2027, 3, 1), 1),
        ("Commercial A", None, date(2026, 3, 3), None),
        ("Commercial A", {"Commercial A": 90}, date(2026, 3, 3), 89),
        ("Commercial B", {"Commercial A": 90}, date(2026, 3, 3), None),
        ("Commercial B", {"Commercial A": 90, "*": 180}, date(2026, 3, 3), 179),
        ("Medicare", {"*": 180}, date(2027, 3, 1), 1),
        ("Medicare", {"Medicare": 30}, date(2026, 3, 3), 29),
        (None, {"*": 30}, date(2026, 3, 3), 29),
        (None, None, date(2026, 3, 3), None),
    ],
)
def test_days_left(payer, filing, on, days_left):
    found = audited([run(payer=payer)], [charge("96369", payer=payer)], filing=filing, on=on)
    assert line(found, "96369")["days_left"] == days_left


def test_a_leap_day_is_filed_by_the_last_of_february():
    leap = datetime(2024, 2, 29, 9)
    found = audited([run(start=leap)], [charge("96369", service_date=leap.date())])
    assert line(found, "96369")["file_by"] == date(2025, 2, 28)


@pytest.mark.parametrize("days", [0, -5, 1.5, True, "90"])
def test_a_limit_is_a_number_of_days(days):
    with pytest.raises(InputError, match="days after the date of service by payer"):
        audited([run()], [charge("96369")], filing={"Commercial A": days})


# ---------------------------------------------------------------- an independent auditor


def by_hand(minutes, setup, shots, veins, stop, charges) -> dict[str, str]:
    """The same judgement, encounter by encounter, in plain Python and another order."""
    units: dict[str, list[int]] = {}
    for code, count in charges:
        units.setdefault(code, []).append(count)
    billed = {code: sum(counts) for code, counts in units.items()}
    if veins:
        billed.pop("96365", None)
    infused = any(billed.get(code) for code in ("96369", "96370", "96371"))
    infused = infused or billed.get("96372", 0) > shots
    charged = infused or bool(billed.get("96365"))
    if stop is None:
        allowed = {"96372": min(billed.get("96372", 0), shots)}
        waiting = {} if infused else {"96369": "chart_incomplete"}
        answers = waiting | {
            code: "documentation_missing" if count > allowed.get(code, 0) else "agrees"
            for code, count in billed.items()
        }
        once = {"96369": "above_unlikely_edit", "96371": "setup_more_than_once"}
        answers |= {code: kind for code, kind in once.items() if billed.get(code, 0) > 1}
        return answers | ({"96365": "wrong_family"} if "96365" in billed else {})
    due = {"96372": 1} if minutes < 16 else {"96369": 1}
    if minutes > 90:
        due["96370"] = (minutes - 31) // 60
    if setup and minutes >= 16:
        due["96371"] = 1
    short = due.get("96372", 0)
    if "96372" in billed:
        due["96372"] = max(short, min(billed["96372"], short + shots))
    alone = billed.get("96369", 0) == 0
    as_shot = alone and minutes >= 16 and billed.get("96372", 0) > shots
    vein = billed.get("96365", 0) > 0
    answer = {}
    for code in sorted(set(due) | set(billed)):
        have, should = billed.get(code, 0), due.get(code, 0)
        copies = len(units.get(code, [])) - len(set(units.get(code, [])))
        once = sum(set(units.get(code, [])))
        most = {"96369": 1, "96370": 3, "96371": 1}.get(code, 99)
        if not charged and have < should:
            answer[code] = "chart_without_charge"
        elif have == 0 and should == 0:
            answer[code] = "agrees"
        elif (
            code == "96365"
            or (code == "96372" and as_shot)
            or (have < should and alone and (vein or as_shot))
        ):
            answer[code] = "wrong_family"
        elif have > should and copies and once == should:
            answer[code] = "duplicate"
        elif code in ("96370", "96371") and 0 < have <= should and alone and "96369" in due:
            answer[code] = "add_on_without_primary"
        elif code == "96371" and have > 1:
            answer[code] = "setup_more_than_once"
        elif have > most and have > should:
            answer[code] = "above_unlikely_edit"
        elif have == should and have > most:
            answer[code] = "denial_expected"
        else:
            answer[code] = "over" if have > should else "under" if have < should else "agrees"
    return answer


def test_an_independent_auditor_agrees():
    rng = random.Random(20_260_302)
    runs, charges, expected = [], [], {}
    for number in range(3_000):
        name = f"P{number:05}"
        minutes = rng.choice([5, 15, 16, 60, 90, 91, 150, 151, 211, 271, rng.randrange(1, 400)])
        stop = None if rng.random() < 0.1 else minutes
        setup, shots, veins = rng.random() < 0.3, rng.randrange(2), rng.random() < 0.1
        runs.append(run(name, stop))
        if setup:
            runs.append(run(name, stop, pump_id="B", site="thigh"))
        for nth in range(shots):
            runs.append(run(name, 1, pump_id=None, site=f"arm {nth}") | {"route": "injection"})
        if veins:
            runs.append(run(name, 30, pump_id=None, site=None) | {"route": "intravenous"})
        codes = rng.choices(["96369", "96370", "96371", "96372", "96365"], [5, 4, 2, 1, 1], k=4)
        sold = [(code, rng.choice([1, 1, 1, 2, 3, 5])) for code in codes[: rng.randrange(5)]]
        charges += [charge(code, units, name) for code, units in sold]
        expected[name] = by_hand(minutes, setup, shots, veins, stop, sold)
    found = audited(runs, charges).lines.select("encounter_id", "code", "class").collect()
    got: dict[str, dict[str, str]] = {}
    for name, code, kind in found.rows():
        got.setdefault(name, {})[code] = kind
    different = {
        name: (expected[name], got.get(name))
        for name in expected
        if expected[name] != got.get(name, {})
    }
    assert not different, dict(list(different.items())[:3])


# ---------------------------------------------------------------- what is handed in


def test_no_charges_at_all():
    found = audited([run()], [])
    assert classes(found) == {"96369": "chart_without_charge"}
    assert found.reconcile() == {
        "rows_in": 0,
        "compared": 0,
        "set_aside": 0,
        "superseded": 0,
        "refused": 0,
    }


def test_a_bad_row_costs_no_good_one():
    charges = [charge("96369"), charge("96370", "two"), charge("??"), charge("96370", None)]
    charges = [one | {"units": str(one["units"])} for one in charges]
    found = audited([run()], charges)
    assert classes(found) == {"96369": "agrees", "96370": "charge_unreadable"}
    assert found.refused.collect()["row"].to_list() == [2, 3, 4]


def test_the_chart_comes_first():
    with pytest.raises(InputError, match="Hand in the coded chart first"):
        audit(pl.DataFrame([charge("96369")]), pl.DataFrame([run()]))


def test_its_repr_names_no_patient():
    assert "E1" not in repr(audited([run()], [charge("96369")]))
    assert "at mpfs, days counted from 2026-06-01" in repr(audited([run()], [charge("96369")]))


# ---------------------------------------------------------------- found by a coder's review


def claim(number: str, frequency: str = "1", names: str | None = None, units: int = 1) -> dict:
    sent = {"claim_id": number, "frequency": frequency, "replaces_claim_id": names}
    return charge("96369", units, **sent)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_link_between_claims_decides_in_any_order(order):
    voided = [claim("C1"), claim("C2", "7", "C1"), claim("C3", "8", "C2")]
    replaced = [claim("C1", units=2), claim("C2", "7", "C1", 3), claim("C3", "7", "C2")]
    assert classes(audited([run()], [voided[place] for place in order])) == {
        "96369": "chart_without_charge"
    }
    assert classes(audited([run()], [replaced[place] for place in order])) == {"96369": "agrees"}


@pytest.mark.parametrize("number", ["C1", None])
def test_a_claim_sent_anew_after_its_void_stands(number):
    sent = [claim(number, one, number if one == "8" else None) for one in ("1", "8", "1")]
    found = audited([run()], sent)
    assert classes(found) == {"96369": "agrees"}
    assert found.superseded.collect()["row"].to_list() == [1, 2]


def test_an_unnamed_claim_of_another_day_or_after_the_void_is_not_meant():
    later = claim("C9", "7", "ICN-77") | {"service_date": DAY + timedelta(14)}
    assert line(audited([run()], [claim("C1"), later]), "96369")["class"] == "agrees"
    anew = [claim("C2", "8", "ICN-77"), claim("C3")]
    assert classes(audited([run()], anew)) == {"96369": "agrees"}


def test_a_denied_replacement_undoes_nothing():
    sent = [claim("C1"), claim("C2", "7", "C1", 3) | {"status": "denied"}]
    found = audited([run()], sent)
    assert classes(found) == {"96369": "agrees"}
    assert line(found, "96369")["reason"] == (
        "1 billed, 1 supported by 60 min. Denied by the payer: 3, of which 0 count."
    )


def test_a_denied_line_alone_is_an_appeal():
    found = audited([run()], [charge("96369", status="denied")])
    got = line(found, "96369")
    assert (got["class"], got["direction"]) == ("denied_supported", "even")
    assert got["reason"] == "1 billed, 1 supported by 60 min; denied by the payer: 1."
    assert got["what_to_do"].startswith("Appeal with the record")
    listed = worklist(found, which="open")
    assert listed["class"].to_list() == ["denied_supported"]


def test_what_was_denied_above_the_chart_is_not_to_be_returned():
    denied = [charge("96369"), charge("96370", 3, status="denied")]
    none = line(audited([run()], denied), "96370")
    assert (none["class"], none["billed_units"], none["difference_usd"]) == (
        "denied_unsupported",
        0,
        Decimal("0.00"),
    )
    assert none["reason"] == "3 denied, none supported."
    some = line(audited([run(minutes=151)], denied), "96370")
    assert (some["class"], some["billed_units"]) == ("denied_supported", 2)


@pytest.mark.parametrize(
    ("stands", "expected", "billed"),
    [
        (1, "denied_supported", 2),  # of the three denied one more is supported
        (2, "agrees", 2),
        (3, "over", 3),
    ],
)
def test_denied_units_count_only_where_the_chart_supports_more(stands, expected, billed):
    sent = [charge("96369"), charge("96370", stands), charge("96370", 4, status="denied")]
    got = line(audited([run(minutes=151)], sent), "96370")
    assert (got["class"], got["billed_units"]) == (expected, billed)


def test_a_denied_line_is_sent_again_only_by_one_like_it():
    alike = [charge("96370", 2, status="denied"), charge("96370", 2)]
    found = audited([run(minutes=151)], [charge("96369"), *alike])
    assert found.superseded.collect()["superseded_by"].to_list() == [
        "denied; a line like it stands on another claim"
    ]
    assert classes(found) == {"96369": "agrees", "96370": "agrees"}
    other_day = charge("96370", 2, status="denied", service_date=DAY + timedelta(days=1))
    found = audited([run(minutes=151)], [charge("96369"), other_day, charge("96370", 2)])
    assert found.superseded.collect().is_empty()


def test_of_several_payers_the_one_asked_for_most_counts():
    both = [charge("96369", payer="Medicare"), charge("96369", payer="Medicaid")]
    assert classes(audited([run()], both)) == {"96369": "agrees"}
    more = [charge("96370", 2, payer="Medicare"), charge("96370", 1, payer="Medicaid")]
    got = line(audited([run(minutes=100)], [charge("96369"), *more]), "96370")
    assert (got["class"], got["billed_units"], got["payer"]) == ("over", 2, "Medicare")


def test_a_charge_that_cannot_be_read_may_only_seem_to_be_missing():
    unread = charge("96370", "1.5")
    found = audited([run(minutes=151)], [charge("96369", "1"), unread])
    assert classes(found) == {"96369": "agrees", "96370": "charge_unreadable"}
    assert line(found, "96370")["direction"] == "not judged"
    found = audited([run(minutes=151)], [charge("96369", "1.5"), charge("96370", "2")])
    assert classes(found) == {"96369": "charge_unreadable", "96370": "charge_unreadable"}
    over = audited([run()], [charge("96369", "2"), charge("96370", "x")])
    assert classes(over) == {"96369": "above_unlikely_edit", "96370": "charge_unreadable"}


def test_a_readable_code_of_a_refused_row_is_not_said_to_agree():
    found = audited([run()], [charge("96369", "1"), charge("96369", "one more")])
    assert classes(found) == {"96369": "charge_unreadable"}
    other = audited([run()], [charge("96369", "1"), charge("J1559", "some")])
    assert classes(other) == {"96369": "agrees"}
    nothing = audited([run()], [charge("J1559", "some")])
    assert classes(nothing) == {"96369": "chart_without_charge"}


def test_a_refused_row_of_a_claim_that_undoes_another_leaves_all_in_doubt():
    sent = [claim("C1"), claim("C2", "8", "C1")]
    rows = [one | {"units": str(one["units"])} for one in sent]
    rows[1]["units"] = "one"
    assert classes(audited([run()], rows)) == {"96369": "charge_unreadable"}


def test_the_runs_that_are_complete_support_their_units_in_a_query():
    runs = [run(minutes=151), run(minutes=None, start=NINE + timedelta(hours=4))]
    found = audited(runs, [charge("96369"), charge("96370", 2)])
    assert classes(found) == {"96369": "chart_incomplete", "96370": "chart_incomplete"}
    found = audited(runs, [charge("96369"), charge("96370", 3)])
    assert classes(found) == {"96369": "chart_incomplete", "96370": "documentation_missing"}
    got = line(found, "96370")
    assert (got["supported_units"], got["difference_units"]) == (2, 1)


@pytest.mark.parametrize(
    ("charges", "expected"),
    [
        ([1, -1], "chart_incomplete"),
        ([], "chart_incomplete"),
    ],
)
def test_a_credited_charge_leaves_a_query_waiting(charges, expected):
    found = audited([run(minutes=None)], [charge("96369", units) for units in charges])
    assert classes(found) == {"96369": expected}


def test_what_a_credit_took_back_is_no_error_any_more():
    nxt = DAY + timedelta(days=1)
    wrong = [charge("96369", 1, revenue_code="260"), charge("96369", -1, revenue_code="260")]
    assert classes(audited([run()], [*wrong, charge("96369", revenue_code="510")])) == {
        "96369": "agrees"
    }
    late = [charge("96369", 1, service_date=nxt), charge("96369", -1, service_date=nxt)]
    assert classes(audited([run()], [*late, charge("96369")])) == {"96369": "agrees"}
    nowhere = [charge("96369", 1, "E9"), charge("96369", -1, "E9"), charge("96369")]
    found = audited([run()], nowhere)
    assert found.lines.collect()["encounter_id"].to_list() == ["E1"]
    assert found.reconcile()["compared"] == 1
    assert set(found.set_aside.collect()["set_aside_because"]) == {
        "taken back, or a credit, and nothing is charted on that day"
    }


def test_a_credit_belongs_to_its_encounter_on_any_day():
    later = charge("96370", -1, service_date=DAY + timedelta(days=5))
    found = audited([run()], [charge("96369"), charge("96370"), later])
    assert classes(found) == {"96369": "agrees", "96370": "agrees"}
    assert line(found, "96370")["billed_units"] == 0


def test_a_charge_on_another_date_is_named_where_one_seems_to_be_missing():
    found = audited([run()], [charge("96369", service_date=DAY + timedelta(days=4))])
    missing = found.lines.filter(pl.col("class") == "chart_without_charge").collect()
    assert missing["reason"].item() == (
        "1 supported by 60 min; no charge stands, but its number is charged on another date: "
        "look there first."
    )


@pytest.mark.parametrize("payer", ["MEDICARE PART B", "Medicare FFS", "Traditional Medicare"])
def test_a_public_payer_under_another_name(payer):
    found = audited([run(payer=payer)], [charge("96369", payer=payer)], filing={"*": 90})
    assert line(found, "96369")["file_by"] == date(2027, 3, 2)


def test_medicare_advantage_is_another_payer():
    payer = "Medicare Advantage"
    found = audited([run(payer=payer)], [charge("96369", payer=payer)])
    assert line(found, "96369")["file_by"] is None


def test_the_wrong_one_of_two_revenue_codes_is_named():
    charges = [charge("96370", revenue_code="510"), charge("96370", revenue_code="760")]
    found = audited([run(minutes=151)], [charge("96369", revenue_code="510"), *charges])
    assert line(found, "96370")["reason"] == "Revenue code 760 billed; clinic has 510."


def test_without_a_charted_setting_the_billed_revenue_code_says_where():
    chart = [{name: one for name, one in run().items() if name != "setting"}]
    hospital = audited(chart, [charge("96369", revenue_code="510")], schedule="by_setting")
    office = audited(chart, [charge("96369")], schedule="by_setting")
    assert line(office, "96369")["billed_usd"] == Decimal("144.96")
    assert line(hospital, "96369")["billed_usd"] > Decimal("200")


def test_charges_without_a_chart_are_one_claim():
    """96371 is packaged beside 96369 in a hospital, and paid alone."""
    charges = [charge(code, 1, "E9", revenue_code="510") for code in ("96369", "96371")]
    found = audited([run()], charges, schedule="opps")
    setup = found.lines.filter(pl.col("code") == "96371").collect().row(0, named=True)
    assert setup["billed_usd"] == Decimal("0.00")


def test_an_intravenous_code_without_a_subcutaneous_infusion_is_set_aside():
    shot = run(minutes=1, pump_id=None, site=None) | {"route": "injection"}
    found = audited([shot], [charge("96365")])
    assert found.lines.collect().is_empty()
    assert found.set_aside.collect().height == 1


@pytest.mark.parametrize("name", ["row", "role", "superseded_by", "intravenous", "last_date"])
def test_columns_of_the_extract_may_have_any_name(name):
    found = audited([run()], [charge("96369") | {name: "x"}])
    assert classes(found) == {"96369": "agrees"}


@pytest.mark.parametrize("name", ["setting", "route", "drug", "needles", "payer"])
def test_a_column_of_the_chart_without_any_entry(name):
    found = audited([run() | {name: None}], [charge("96369")])
    assert found.lines.collect().height == 1


def test_every_claim_and_coder_of_a_code_is_named():
    charges = [
        charge("96370", claim_id=f"C{number}", coder=coder)
        for number, coder in ((3, "Bob"), (1, "Anna"), (2, None))
    ]
    got = line(audited([run(minutes=211)], [charge("96369", coder="Bob"), *charges]), "96370")
    assert (got["claim_ids"], got["coder"]) == ("C1, C2, C3", "Anna, Bob")
    assert line(audited([run()], [charge("96369")]), "96369")["claim_ids"] is None


@pytest.mark.parametrize("other", ["Medicare Part B", "medicare ", None, "MEDICARE - B"])
def test_a_duplicate_to_one_payer_under_two_names(other):
    twice = [charge("96369", claim_id="A", payer="Medicare"), charge("96369", payer=other)]
    got = line(audited([run()], twice), "96369")
    assert (got["class"], got["billed_units"]) == ("duplicate", 2)


def test_at_home_more_than_charted_is_still_more_than_charted():
    at_home = [run(setting="home")]
    found = audited(at_home, [charge("96369"), charge("96370", 3)])
    assert classes(found) == {"96369": "coder_decides", "96370": "over"}


def test_two_commercial_payers_are_two():
    both = [charge("96369", payer=f"Commercial {letter}") for letter in "AB"]
    assert classes(audited([run()], both)) == {"96369": "agrees"}


# ---------------------------------------------------------------- found by a second coder's review


def test_a_credit_takes_from_its_own_payer():
    """Two payers asked for two hours each where one is charted; one of them took one back."""
    sent = [charge("96370", 2, payer="Medicare"), charge("96370", 2, payer="Medigap"),
            charge("96370", -1, payer="MEDIGAP")]  # fmt: skip
    got = line(audited([run(minutes=100)], [charge("96369"), *sent]), "96370")
    assert (got["class"], got["billed_units"], got["payer"]) == ("over", 2, "Medicare")
    assert got["reason"] == (
        "2 billed, 1 supported by 100 min. Asked of another payer, not added up: 1."
    )


def test_of_two_payers_asked_for_as_much_the_first_counts():
    sent = [charge("96369", payer="Medicare", charge_usd=640.0, paid_usd=300.0),
            charge("96369", payer="Aetna", charge_usd=640.0, paid_usd=60.0)]  # fmt: skip
    got = line(audited([run()], sent), "96369")
    assert (got["payer"], got["charge_usd"], got["paid_usd"]) == ("Medicare", 640.0, 360.0)


def test_a_credit_above_the_charge_is_named():
    got = line(audited([run()], [charge("96369"), charge("96369", -2)]), "96369")
    assert (got["class"], got["billed_units"]) == ("chart_without_charge", 0)
    assert got["reason"].endswith(
        "no charge stands. Credits that find no charge of their payer: 1."
    )


LATE = {"minutes": 211, "start": datetime(2026, 3, 2, 22, 0)}  # 120 min before midnight
NEXT = DAY + timedelta(days=1)
SPLIT = {"midnight": "split"}


def policed(runs: list[dict], charges: list[dict], **answers) -> Audit:
    chart = sq.code_administrations(pl.DataFrame(runs), policy=sq.Policy(**answers))
    return audit(chart, pl.DataFrame(charges, infer_schema_length=None), on=TODAY, schedule="mpfs")


@pytest.mark.parametrize("policy", [{}, SPLIT], ids=["start", "split"])
@pytest.mark.parametrize("code", ["96369", "96371"])
def test_a_first_hour_and_a_set_up_on_the_second_charted_day_are_on_the_wrong_date(code, policy):
    runs = [run(**LATE), run(**LATE, pump_id="B", site="thigh")]
    sent = {"96369": 1, "96370": 3, "96371": 1}
    days = {code: NEXT}
    rows = [charge(one, units, service_date=days.get(one, DAY)) for one, units in sent.items()]
    if policy:
        rows[1]["units"] = 1
        rows.append(charge("96370", 2, service_date=NEXT))
    found = classes(policed(runs, rows, **policy))
    expected = dict.fromkeys(sent, "agrees") | {code: "wrong_date"}
    assert found == expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        # 120 min by midnight earn one further hour, the rest of 211 min two more
        (1, 2, "agrees"),
        (2, 1, "wrong_date"),
        (3, 0, "wrong_date"),
        (0, 3, "wrong_date"),
        (1, 1, "under"),
        (2, 2, "above_unlikely_edit_or_over"),
    ],
)
def test_split_at_midnight_the_units_of_each_date_are_held_against_the_chart(
    first, second, expected
):
    rows = [charge("96369")]
    rows += [charge("96370", units, service_date=day)
             for units, day in ((first, DAY), (second, NEXT)) if units]  # fmt: skip
    got = classes(policed([run(**LATE)], rows, **SPLIT))["96370"]
    assert got in expected.split("_or_")


def test_further_hours_on_the_second_day_agree_where_policy_does_not_split_and_say_so():
    rows = [charge("96369"), charge("96370", 3, service_date=NEXT)]
    got = line(policed([run(**LATE)], rows), "96370")
    assert got["class"] == "agrees"
    assert got["reason"].endswith(
        " Dated on a later charted day; the policy dates them on the first."
    )


@pytest.mark.parametrize(
    ("units", "expected"),
    [(2, "under"), (3, "agrees"), (4, "denial_expected"), (5, "above_unlikely_edit")],
)
def test_a_cap_never_makes_a_charted_unit_an_overpayment(units, expected):
    rows = [charge("96369"), charge("96370", units)]
    got = line(policed([run(minutes=271)], rows, unit_cap="unlikely_edit"), "96370")
    assert got["class"] == expected
    assert " 4 are documented; the policy stops at 3." in got["reason"]


def test_split_at_midnight_units_above_a_cap_have_no_date():
    late = run(minutes=300, start=datetime(2026, 3, 2, 21, 30))
    rows = [charge("96369"), charge("96370", 2), charge("96370", 2, service_date=NEXT)]
    found = classes(policed([late], rows, midnight="split", unit_cap="unlikely_edit"))
    assert found == {"96369": "agrees", "96370": "agrees"}


def test_complete_runs_of_an_open_chart_that_were_not_billed_have_a_line():
    runs = [run(minutes=151), run(minutes=None, start=NINE + timedelta(hours=4))]
    found = audited(runs, [charge("96369")])
    assert classes(found) == {"96369": "chart_incomplete", "96370": "chart_incomplete"}
    assert line(found, "96370")["reason"].startswith("0 billed, 2 supported so far")


def test_a_charted_injection_without_a_code_is_named():
    shot = run(minutes=1, pump_id=None, site=None) | {"route": "injection"}
    got = line(audited([run(), shot], [charge("96369")]), "96369")
    assert got["class"] == "agrees"
    assert got["reason"].endswith(" Charted injections without a code: 1 (not judged).")
    both = line(audited([run(), shot], [charge("96369"), charge("96372")]), "96369")
    assert "injections" not in both["reason"]


@pytest.mark.parametrize(("modifier", "named"), [("25", True), ("59", False), ("XU JZ", False)])
def test_an_injection_beside_the_first_hour_asks_for_a_modifier(modifier, named):
    shot = run(minutes=1, pump_id=None, site=None) | {"route": "injection"}
    rows = [charge("96369"), charge("96372", modifiers=modifier)]
    assert ("modifier such as 59" in line(audited([run(), shot], rows), "96372")["reason"]) == named
    bare = line(audited([run(), shot], [charge("96369"), charge("96372")]), "96372")
    assert "modifier" not in bare["reason"]


def test_codes_into_a_vein_beside_charted_intravenous_rows_are_named_where_an_hour_is_missing():
    vein = run(pump_id=None, site=None) | {"route": "intravenous"}
    got = line(audited([run(), vein], [charge("96365")]), "96369")
    assert got["class"] == "chart_without_charge"
    assert got["reason"].endswith(
        " Codes into a vein are billed for the intravenous rows and set aside."
    )


@pytest.mark.parametrize("payer", ["MEDICARE B", "Medicare, Part B", "medicare"])
def test_a_stated_limit_holds_for_other_spellings_of_the_payer(payer):
    found = audited([run(payer=payer)], [charge("96369", payer=payer)],
                    filing={"Medicare": 30}, on=date(2026, 3, 3))  # fmt: skip
    assert line(found, "96369")["days_left"] == 29


# ---------------------------------------------------------------- found by a third review


def in_both_orders(chart: list[dict], rows: list[dict], code: str, **terms) -> dict:
    """The line of a code, the same whichever way the rows stand."""
    payers = ("payer", "claim_ids", "file_by", "days_left")
    lines = [line(audited(chart, order, **terms), code) for order in (rows, rows[::-1])]
    told = [{name: one[name] for name in one if name not in payers} for one in lines]
    assert told[0] == told[1]
    return lines[0]


def of_claim(number: str, code: str, units: int = 1, **other) -> dict:
    return charge(code, units, claim_id=number, **other)


def test_a_credit_takes_from_the_lines_that_stand_not_from_denied_ones():
    """Three billed and one taken back leave two, whatever was denied beside them."""
    denied = of_claim("D", "96370", status="denied")
    rows = [charge("96369"), denied, of_claim("B", "96370", 3), of_claim("B", "96370", -1)]
    got = in_both_orders([run(setting="physician_office")], rows, "96370")
    assert (got["class"], got["billed_units"]) == ("over", 2)
    assert got["difference_usd"] == 2 * Decimal("17.03")


def test_a_denied_line_that_was_reversed_and_sent_right_agrees():
    for status in ("final", "denied"):
        rows = [charge("96369"), of_claim("A", "96370", 2, status="denied"),
                of_claim("A", "96370", -2, status=status), of_claim("B", "96370", 2)]  # fmt: skip
        got = in_both_orders([run(minutes=151)], rows, "96370")
        assert (got["class"], got["billed_units"]) == ("agrees", 2)


def test_a_line_taken_back_explains_no_denied_one():
    rows = [charge("96369"), of_claim("A", "96370", 2), of_claim("A", "96370", -2),
            of_claim("C", "96370", 2, status="denied")]  # fmt: skip
    assert in_both_orders([run(minutes=151)], rows, "96370")["class"] == "denied_supported"


def test_split_at_midnight_each_payer_s_claim_is_held_against_the_dates_by_itself():
    late = run(minutes=180, start=datetime(2026, 3, 2, 23, 0))
    rows = [one | {"payer": payer} for payer in ("Medicare", "Medigap")
            for one in (charge("96369"), charge("96370", 2, service_date=NEXT))]  # fmt: skip
    assert classes(policed([late], rows, **SPLIT)) == {"96369": "agrees", "96370": "agrees"}
    again = [charge("96369"), charge("96370", 3, service_date=NEXT, status="denied"),
             charge("96370", 2, service_date=NEXT)]  # fmt: skip
    assert classes(policed([late], again, **SPLIT))["96370"] == "agrees"


def test_a_charge_on_a_far_date_is_taken_back_there():
    far = DAY + timedelta(days=3)
    wrong = [of_claim("A", "96369", units, service_date=far) for units in (1, -1)]
    found = audited([run()], [*wrong, of_claim("B", "96369")])
    assert found.lines.select("class", "billed_units").collect().rows() == [("agrees", 1)]
    assert found.reconcile()["set_aside"] == 2
    assert classes(audited([run()], wrong)) == {"96369": "chart_without_charge"}


@pytest.mark.parametrize(
    ("field", "wrong", "right"),
    [("service_date", NEXT, DAY), ("revenue_code", "260", "510")],
)
def test_what_was_denied_and_sent_again_says_nothing_of_the_line_that_stands(field, wrong, right):
    rows = [of_claim("A", "96369", status="denied", **{field: wrong}),
            of_claim("B", "96369", **{field: right})]  # fmt: skip
    assert in_both_orders([run()], rows, "96369")["class"] == "agrees"


@pytest.mark.parametrize("days", [0, 1, 2])
def test_an_injection_on_another_day_of_the_encounter_is_dated_rightly(days):
    """CMS: the date of a line is the day on which it was provided."""
    given = NINE + timedelta(days=days)
    shot = run(minutes=1, start=given, pump_id=None, site=None) | {"route": "injection"}
    rows = [charge("96369"), charge("96372", service_date=given.date())]
    assert classes(audited([run(), shot], rows)) == {"96369": "agrees", "96372": "agrees"}


def test_an_unnamed_claim_undoes_none_of_another_payer_or_of_another_drug():
    def unnamed(frequency, code, **other):
        return of_claim("B", code, frequency=frequency, replaces_claim_id="ICN-9", **other)

    other_payer = [of_claim("A", "96369", 3, frequency="1", payer="Medicare"),
                   unnamed("7", "96369", payer="Aetna")]  # fmt: skip
    assert classes(audited([run()], other_payer)) == {"96369": "above_unlikely_edit"}
    drug = [of_claim("A", "96369", frequency="1"), unnamed("7", "J1559", units=40)]
    assert classes(audited([run()], drug)) == {"96369": "agrees"}
    same = [of_claim("A", "96369", 2, frequency="1"), unnamed("7", "96369")]
    got = line(audited([run()], same), "96369")
    assert got["class"] == "agrees"
    assert "taken to be undone by one that names none of the extract" in got["reason"]


def test_a_credit_of_another_payer_takes_nothing_and_is_named():
    rows = [charge("96369"), charge("96370", -1, payer="Medicare"),
            charge("96370", 2, payer="Aetna")]  # fmt: skip
    got = in_both_orders([run(minutes=100)], rows, "96370")
    assert (got["class"], got["billed_units"]) == ("over", 2)
    assert "Credits that find no charge of their payer: 1." in got["reason"]


def test_what_was_paid_was_not_denied():
    rows = [charge("96369"), charge("96370", 2, status="denied", paid_usd=34.06)]
    got = line(audited([run()], rows), "96370")
    assert (got["class"], got["billed_units"]) == ("over", 2)
    assert got["reason"].endswith(" Marked as denied, yet paid: counted as standing.")


def test_a_denied_line_of_the_claim_that_stands_was_not_sent_again():
    rows = [charge("96369"), of_claim("A", "96370"), of_claim("A", "96370", status="denied")]
    got = in_both_orders([run(minutes=151)], rows, "96370")
    assert (got["class"], got["billed_units"]) == ("denied_supported", 2)


def test_what_another_payer_denied_is_named():
    rows = [charge("96369", payer="Medicare", status="denied"), charge("96369", payer="Aetna")]
    got = in_both_orders([run()], rows, "96369")
    assert got["class"] == "agrees"
    assert got["reason"].endswith(" Denied by another payer: 1.")


def test_of_two_versions_of_a_line_under_one_number_the_later_stands():
    first = of_claim("A", "96369", 3, frequency="1")
    versions = [of_claim("A", "96369", units, frequency="7", replaces_claim_id="A", line_number=1)
                for units in (2, 1)]  # fmt: skip
    assert classes(audited([run()], [first, *versions])) == {"96369": "agrees"}


def test_a_credit_on_another_day_lowers_what_a_day_holds():
    back = of_claim("B", "96369", -1, service_date=NEXT)
    rows = [of_claim("A", "96369"), of_claim("B", "96369"), back]
    assert in_both_orders([run()], rows, "96369")["class"] == "agrees"


def test_a_credit_without_a_payer_takes_from_its_claim():
    rows = [charge("96369"), of_claim("B", "96370", payer="Medicare"),
            of_claim("C", "96370", 2, payer="Aetna"), of_claim("C", "96370", -1)]  # fmt: skip
    got = in_both_orders([run(minutes=100)], rows, "96370")
    assert (got["class"], got["billed_units"]) == ("agrees", 1)


def test_one_link_does_not_turn_an_extract_round():
    backward = [of_claim("B", "96369", frequency="7", replaces_claim_id="A"),
                of_claim("A", "96369", 3, frequency="1")]  # fmt: skip
    other = [of_claim("X", "96369", 3, frequency="1"),
             of_claim("Y", "96369", frequency="7", replaces_claim_id="ICN-7")]  # fmt: skip
    other = [one | {"encounter_id": "E2"} for one in other]
    found = audited([run(), run("E2")], [*backward, *other])
    assert found.lines.collect()["class"].to_list() == ["agrees", "agrees"]


def test_a_denied_injection_leaves_an_open_infusion_waiting():
    found = audited([run(minutes=None)], [charge("96372", status="denied")])
    assert classes(found)["96369"] == "chart_incomplete"


def test_a_first_hour_that_cannot_be_read_is_not_said_to_be_billed_as_an_injection():
    found = audited([run()], [charge("96369", "x"), charge("96372", "1")])
    assert classes(found) == {"96369": "charge_unreadable", "96372": "over"}


def test_a_credit_for_what_was_never_charged_asks_for_nothing():
    got = line(audited([run()], [charge("96369"), charge("96371", -1)]), "96371")
    assert (got["class"], got["billed_units"]) == ("agrees", 0)
    nowhere = audited([run()], [charge("96369"), charge("96369", -1, "E9")])
    assert nowhere.lines.collect()["encounter_id"].to_list() == ["E1"]


def test_an_open_chart_hides_no_second_first_hour_or_set_up():
    runs = [run(minutes=151), run(minutes=None, start=NINE + timedelta(hours=4))]
    rows = [charge("96369"), charge("96369"), charge("96371", 2)]
    found = audited(runs, rows)
    assert classes(found) == {
        "96369": "duplicate",
        "96370": "chart_incomplete",
        "96371": "setup_more_than_once",
    }
    assert line(found, "96369")["reason"].endswith(" Open in the chart: missing stop.")


def test_a_payer_written_with_dots_is_the_same():
    twice = [charge("96369", payer="BCBS"), charge("96369", payer="B.C.B.S.")]
    assert classes(audited([run()], twice)) == {"96369": "duplicate"}


def test_a_cap_that_was_kept_after_a_denial_agrees():
    rows = [charge("96369"), of_claim("A", "96370", 4, status="denied"), of_claim("B", "96370", 3)]
    found = policed([run(minutes=271)], rows, unit_cap="unlikely_edit")
    assert line(found, "96370")["class"] == "agrees"
