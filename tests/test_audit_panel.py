"""The panel of an audit: what each tab says, the list that goes out and comes back."""

from datetime import date, datetime

import polars as pl
import pytest

from subq_toolkit.errors import InputError
from subq_toolkit.fees.schedules import Physician

panels = pytest.importorskip("subq_toolkit.panels", reason="the notebook extra is not installed")

ON = date(2026, 11, 25)
MARKUP = "<script>alert(1)</script>"
NOT_JUDGED = ["charge_unreadable", "chart_unreadable", "chart_incomplete", "coder_decides"]


@pytest.fixture(scope="module")
def panel():
    return panels.AuditPanel(on=ON)


def small(encounter: str = "E1", **other) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One infusion of an hour, and a charge of two first hours."""
    run = {"encounter_id": encounter, "start_at": datetime(2026, 3, 2, 9), "setting": "clinic"}
    charge = {"encounter_id": encounter, "service_date": date(2026, 3, 2), "code": "96369"}
    runs = pl.DataFrame([run | {"stop_at": datetime(2026, 3, 2, 10), "pump_id": "A"} | other])
    return runs, pl.DataFrame([charge | {"units": 2, "payer": other.get("payer", "Medicare")}])


def test_every_tab_answers(panel):
    panel.reset()
    for name in panel.parts:
        panel.show_tab(name)
        assert panel.parts[name].page.value
        assert "sq-note" not in panel.parts[name].page.value
        assert [*panel.data()] == [one.name for one in panel.figures()] or name == "Worklist"


def test_the_counts_of_charge_rows_are_shown_and_add_up(panel):
    panel.reset()
    panel.show_tab("Finding")
    counts = panel.audit.reconcile()
    page = panel.parts["Finding"].page.value
    assert f"{counts['rows_in']:,} in all" in page
    for end in ("compared", "set_aside", "superseded"):
        assert f">{counts[end]:,}<" in page


def test_the_worklist_is_narrowed_and_sorted(panel):
    panel.reset()
    panel.show_tab("Worklist")
    every = panel.worklist()
    assert every["difference_usd"].abs().drop_nulls().is_sorted(descending=True)
    panel.entries["risk"].value = "medium"
    assert set(panel.worklist()["risk"]) == {"medium"}
    panel.entries["found"].value = "under"
    assert set(panel.worklist()["class"]) == {"under"}
    panel.entries["found"].value, panel.entries["risk"].value = "open", ""
    assert panel.worklist().height > every.height
    panel.entries["search"].value = "syn-x"
    assert panel.worklist()["encounter_id"].str.starts_with("SYN-X").all()
    panel.reset()


def test_the_list_goes_out_and_comes_back(panel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel.reset()
    panel.entries["found"].value = "duplicate"
    listed = panel.worklist()
    panel.save_worklist()
    assert "Saved" in panel.list_said.value
    panel.verdicts_name.value = "worklist.xlsx"
    panel.read_verdicts()
    states = dict(panel.verdicts.rows["state"].value_counts().rows())
    assert states["matched"] == listed.height
    assert "Reviewers and the audit" in panel.list_said.value
    panel.reset()


@pytest.mark.parametrize("name", ["", "../list.xlsx", "list.csv", "a/b.xlsx", "C:\\list.xlsx"])
def test_a_list_is_saved_under_a_plain_name(panel, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    panel.list_name.value = name
    panel.save_worklist()
    assert "plain file name that ends in .xlsx" in panel.list_said.value
    assert not list(tmp_path.iterdir())
    panel.list_name.value = "worklist.xlsx"


def test_a_list_that_is_not_there_is_said(panel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel.verdicts_name.value = "nowhere.xlsx"
    panel.read_verdicts()
    assert "sq-note" in panel.list_said.value
    assert "nowhere.xlsx" in panel.list_said.value


def test_one_case_side_by_side():
    panel = panels.AuditPanel(*small(), on=ON)
    panel.show_tab("One case")
    page = panel.parts["One case"].page.value
    for part in ("Billed", "Supported by the chart", "Judgement", "From minutes to units"):
        assert part in page
    assert "2 billed, 1 supported by 60 min; the edit of a day stops at 1." in page


def test_a_case_is_found_in_any_spelling_or_said_to_be_missing():
    panel = panels.AuditPanel(*small("00E1"), on=ON)
    panel.show_tab("One case")
    panel.entries["encounter"].value = " e1 "
    assert "00E1" not in panel.parts["One case"].page.value  # the page names no encounter
    assert "Judgement" in panel.parts["One case"].page.value
    panel.entries["encounter"].value = "E2"
    assert "have an encounter of that number" in panel.parts["One case"].page.value


def test_text_from_files_is_never_markup():
    runs, charges = small(MARKUP, payer=MARKUP, department=MARKUP, site=MARKUP)
    charges = charges.with_columns(coder=pl.lit(MARKUP), claim_id=pl.lit(MARKUP))
    panel = panels.AuditPanel(runs, charges, on=ON)
    for name in panel.parts:
        panel.show_tab(name)
        assert "<script" not in panel.parts[name].page.value


def test_the_sample_is_the_same_for_everyone_who_draws_with_that_seed():
    pages = []
    for _ in range(2):
        panel = panels.AuditPanel(on=ON)
        panel.show_tab("Sample")
        pages.append((panel.parts["Sample"].page.value, panel.figures()[0].spec["description"]))
    assert pages[0] == pages[1]
    panel.entries["seed"].value = 5
    assert panel.figures()[0].spec["description"] != pages[0][1]


def test_state_opens_another_panel_there(panel):
    panel.reset()
    panel.entries["by"].value = "payer"
    panel.entries["order"].value = "risk"
    other = panels.AuditPanel(on=ON, state=panel.state)
    assert other.state == panel.state
    panel.reset()


def test_chart_and_charges_belong_together():
    runs, charges = small()
    with pytest.raises(InputError, match="the charges are missing"):
        panels.AuditPanel(runs)
    with pytest.raises(InputError, match="the chart is missing"):
        panels.AuditPanel(None, charges)
    with pytest.raises(InputError, match="Charges are a table"):
        panels.AuditPanel(runs, "charges.csv")


def test_terms_of_ones_own_can_be_chosen():
    runs, charges = small()
    terms = Physician(locality="15202-00")
    panel = panels.AuditPanel(runs, charges, schedule=terms, on=ON)
    assert "terms as handed in" in panel.entries["schedule"].options[0][0]
    panel.show_tab("One case")
    assert "Judgement" in panel.parts["One case"].page.value


def test_the_finding_is_told_in_three_numbers_that_the_audit_gives(panel):
    panel.reset()
    panel.show_tab("Finding")
    page = panel.parts["Finding"].page.value
    held = panel.audit.encounters.collect()
    judged = held.filter(~pl.col("class").is_in(NOT_JUDGED))
    agree = ["agrees", "denial_expected", "denied_supported", "denied_unsupported"]
    errors = judged.filter(~pl.col("class").is_in(agree))
    net = errors["difference_usd"].sum()
    assert f"{judged.height:,} of {held.height:,} encounters judged" in page
    assert f"{errors.height:,} have an error: {100 * errors.height / judged.height:.1f} %" in page
    assert f"${abs(net):,.2f}</span> net {'over' if net > 0 else 'under'}" in page
    assert f"{held.height:,} in all" in page


def test_a_finding_of_nothing_judged_claims_no_rate():
    runs, charges = small()
    runs = runs.with_columns(stop_at=pl.lit(None, pl.Datetime))
    panel = panels.AuditPanel(runs, charges.clear(), on=ON)
    page = panel.parts["Finding"].page.value
    assert "0 of 1 encounters judged" in page
    assert "have an error" not in page


def test_the_terms_say_at_what_and_from_when(panel):
    panel.reset()
    assert "hospital lines at OPPS, all others at MPFS (national)" in panel.terms.value
    assert "from 2026-11-25" in panel.terms.value
    panel.entries["schedule"].value = "opps"
    assert "at OPPS, wherever" in panel.terms.value
    panel.reset()


def test_one_goes_through_the_worklist_case_by_case(panel):
    panel.reset()
    panel.show_tab("One case")
    panel.entries["found"].value = "duplicate"
    cases = panel.worklist()["encounter_id"].unique(maintain_order=True).to_list()
    assert panel.entries["encounter"].placeholder == cases[0]
    assert list(panel.entries["encounter"].options) == cases[:200]
    first = panel.parts["One case"].page.value
    assert "Charged twice" in first
    panel.step_buttons["Next"].click()
    assert panel.state.encounter == cases[1]
    assert panel.parts["One case"].page.value != first
    panel.step_buttons["Previous"].click()
    panel.step_buttons["Previous"].click()
    assert panel.state.encounter == cases[0]
    panel.entries["encounter"].value = cases[-1]
    panel.step_buttons["Next"].click()
    assert panel.state.encounter == cases[-1]
    panel.reset()


def test_disagreements_are_shown_as_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel = panels.AuditPanel(*small(), on=ON)
    panel.save_worklist()
    sheet = pl.read_excel("worklist.xlsx", sheet_name="Worklist")
    sheet = sheet.with_columns(Verdict=pl.lit("disagree"), Note=pl.lit(MARKUP))
    sheet.write_excel("reviewed.xlsx", worksheet="Worklist")
    panel.verdicts_name.value = "reviewed.xlsx"
    panel.verdicts_button.click()
    said = panel.list_said.value
    assert "1 disagreement" in said
    assert "0.0 %" in said
    assert "&lt;script&gt;" in said
    assert MARKUP not in said


def test_the_list_says_at_what_it_is_valued(panel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel.reset()
    panel.save_worklist()
    about = pl.read_excel("worklist.xlsx", sheet_name="About", has_header=False)
    told = dict(about.select(pl.nth(0, 1)).rows())
    assert told["Audit"] == panel.audit.terms
    assert told["Dated"] == "2026-11-25"


def test_the_sample_goes_out_with_what_agrees_and_comes_back(panel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel.reset()
    panel.show_tab("Sample")
    panel.entries["precision"].value = 20  # so few that each stratum has its least
    panel.sample_written.button.click()
    listed = pl.read_excel("sample.xlsx", sheet_name="Worklist")
    drawn = panel.asked().sample()
    assert listed["Encounter"].n_unique() == drawn.sampled.height
    assert "Agrees" in listed["Finding"].to_list()
    panel.verdicts_name.value = "sample.xlsx"
    panel.read_verdicts()
    states = dict(panel.verdicts.rows["state"].value_counts().rows())
    assert states["matched"] == listed.height
    panel.reset()


def test_a_rehearsal_says_whether_its_intervals_hold_what_is_known(panel):
    panel.reset()
    panel.show_tab("Sample")
    population = panel.asked().population()["difference_usd"]
    over = population.filter(population > 0).sum()
    table = panel.figures()[0].table
    low, high = table.filter(kind="over").select("low_usd", "high_usd").row(0)
    says = "within its interval" if low <= float(over) <= high else "outside its interval"
    page = panel.parts["Sample"].page.value
    assert f"${over:,.2f}</span> over ({'' if 'within' in says else '▲ '}{says})" in page
