"""The dose planner is driven by setting values, as a browser does."""

import pytest

import subq_toolkit as sq

panels = pytest.importorskip("subq_toolkit.panels", reason="the notebook extra is not installed")

from subq_toolkit.panels import dose_sections  # noqa: E402
from subq_toolkit.planning import NOTICE  # noqa: E402


@pytest.fixture
def planner():
    return panels.DosePlanner()


def put(planner, part, **entries):
    for name, value in entries.items():
        planner.sections[part].entries[name].value = value


def headline(planner):
    return planner.sections["plan"].headline.value


def test_opens_with_the_general_limit_and_the_notice(planner):
    # 9 mL at 3 mL/h: 180 min, past 91 and 151
    assert planner.plan.duration_min == 180
    assert "180 min · 1 site × 9 mL" in headline(planner)
    assert "96369 ×1, 96370 ×2" in headline(planner)
    assert "No product was named" in planner.sections["plan"].cautions.value
    assert any(NOTICE in getattr(child, "value", "") for child in planner.children)


def test_a_product_brings_its_own_limits_and_uses(planner):
    put(planner, "plan", product="hizentra", value="80", sites="4", infusion_number="6")
    assert planner.plan.duration_min == 48
    assert planner.plan.prescription.product == "hizentra"
    uses = [value for _, value in planner.sections["plan"].entries["use"].options]
    assert uses == ["", "primary_immunodeficiency", "cidp"]
    put(planner, "plan", use="cidp")
    assert planner.plan.duration_min == 24  # 20 mL at 50 mL/h
    put(planner, "plan", product="cuvitru")
    assert planner.sections["plan"].entries["use"].value == ""
    assert [value for _, value in planner.sections["plan"].entries["use"].options] == [""]


def test_a_moved_slider_is_a_limit_of_ones_own_until_it_is_switched_off(planner):
    put(planner, "plan", limit_ml_per_h_per_site=6.0)
    assert planner.state.plan.own_limit
    assert planner.plan.duration_min == 90
    assert "stated by the user" in planner.sections["plan"].limits.value
    put(planner, "plan", own_limit=False)
    assert planner.plan.duration_min == 180


@pytest.mark.parametrize(
    ("amount", "value", "more", "minutes"),
    [
        ("dose_mg", "180", {}, 180),
        ("dose_rate_mg_per_h", "60", {"duration_h": "4"}, 240),
        ("rate_ml_per_h", "2", {"duration_h": "1.5"}, 90),
        ("volume_ml", "9", {"duration_h": "5"}, 300),
    ],
)
def test_an_amount_is_typed_as_it_was_ordered(planner, amount, value, more, minutes):
    put(planner, "plan", **more)
    put(planner, "plan", amount=amount, value=value)
    assert planner.plan.duration_min == pytest.approx(minutes)


def test_an_entry_is_marked_where_it_stands(planner):
    put(planner, "plan", weight_kg="heavy")
    part = planner.sections["plan"]
    assert "sq-invalid" in part.entries["weight_kg"]._dom_classes
    assert "Weight [kg]:</b> This is not a number" in part._marks.value
    assert planner.plan is None
    assert "No plan yet" in headline(planner)
    put(planner, "plan", weight_kg="0")
    assert "‘Weight [kg]’ is a number above zero [kg]; it is zero" in part._marks.value
    put(planner, "plan", weight_kg="")
    assert "sq-invalid" not in part.entries["weight_kg"]._dom_classes
    assert planner.plan.duration_min == 180


def test_what_cannot_be_planned_says_what_to_type(planner):
    put(planner, "plan", product="deferoxamine")
    assert planner.plan is None
    assert "No rate limit is published for deferoxamine" in headline(planner)
    assert "‘Over [h]’" in headline(planner)
    put(planner, "plan", duration_h="8")
    assert planner.plan.duration_min == 480
    assert "no limit of the rate is published" in headline(planner)


def test_a_plan_over_a_limit_is_seen_without_colour(planner):
    put(planner, "plan", amount="rate_ml_per_h", value="4", duration_h="2", sites="1")
    assert "over a limit" in headline(planner)
    assert "▲ 133%" in planner.sections["plan"].limits.value


def test_every_limit_shows_its_source_and_the_other_values(planner):
    put(planner, "plan", product="hizentra", value="40", infusion_number="6")
    page = planner.sections["plan"].limits.value
    assert page.count("<summary>source</summary>") == 3
    assert "1 other published value" in page
    assert "source tier B" in page


def test_a_ratio_is_chosen_and_never_taken_silently(planner):
    assert planner.conversion.chosen == "fast_fact"
    put(planner, "conversion", drug="insulin")
    assert planner.conversion is None
    assert "none is taken silently" in planner.sections["conversion"].page.value
    put(planner, "conversion", ratio="0.8", iv_dose="40", unit="u")
    assert planner.conversion.sc_dose == 32
    put(planner, "conversion", preset="web_page_full")
    assert planner.conversion.sc_dose == 40


def test_a_regimen_of_immunoglobulin(planner):
    put(planner, "conversion", drug="immunoglobulin", iv_dose="30", unit="g")
    put(planner, "conversion", preset="hizentra_us", iv_interval_weeks="4", split="2")
    # 30 / 4 × 1.37 / 2
    assert "one subcutaneous dose is <b>5.1375 g</b>" in planner.sections["conversion"].page.value


def test_boluses_are_held_against_the_sites(planner):
    page = planner.sections["boluses"].page
    assert "6 + 3 boluses = 12" in page.value
    put(planner, "boluses", limit_1h_mg="10")
    assert "limit 1h mg" in page.value
    put(planner, "boluses", lockout_min="25", boluses="average")
    assert "6 + 2.4 boluses" in page.value
    put(planner, "boluses", limit_ml_per_h_per_site="")
    assert "not known" in page.value
    put(planner, "boluses", lockout_min="0")
    assert "it is zero" in page.value


@pytest.mark.parametrize(
    ("part", "entry", "typed"),
    [
        ("plan", "value", ""),
        ("plan", "pumps", "0"),
        ("plan", "ka_per_h", "-1"),
        ("plan", "pump_step_ml_per_h", "10"),
        ("plan", "value", "1e9"),
        ("conversion", "iv_dose", ""),
        ("boluses", "bolus_mg", ""),
        ("boluses", "sites", "0.5"),
        ("boluses", "lockout_min", "1e-308"),
        ("rotation", "exclusion_days", ""),
        ("rotation", "days", "1e9"),
    ],
)
def test_nothing_is_filled_in_silently_and_nothing_old_stays(planner, part, entry, typed):
    put(planner, part, **{entry: typed})
    section = planner.sections[part]
    assert section.answered.value is None
    pages = section.headline.value if part == "plan" else section.page.value
    assert "No plan yet" in pages or "sq-note" in pages


def test_the_absorption_rate_is_that_of_the_product_and_says_so(planner):
    assert "of morphine" in planner.sections["plan"].kinetics.value
    put(planner, "plan", product="hizentra", value="80", infusion_number="6")
    assert planner.state.plan.ka_per_h == "0.01175"
    assert "typical monoclonal antibody" in planner.sections["plan"].kinetics.value
    put(planner, "plan", product="furoscix", value="10")
    assert planner.state.plan.ka_per_h == ""
    assert "only the capped model is drawn" in planner.sections["plan"].kinetics.value


def test_the_regimen_counts_for_immunoglobulin_alone(planner):
    put(planner, "conversion", iv_interval_weeks="3")
    assert "By the regimen" not in planner.sections["conversion"].page.value
    put(planner, "conversion", drug="immunoglobulin", unit="g", preset="hizentra_us", split="1.5")
    assert "it has a fraction" in planner.sections["conversion"]._marks.value


def test_a_state_that_is_not_offered_is_named():
    plan = dose_sections.PlanState(limit_ml_per_h_per_site=7.0, own_limit=True)
    opened = panels.DosePlanner(state=panels.dose_planner.DoseState(plan=plan))
    assert opened.plan.duration_min == pytest.approx(540 / 7)
    strange = dose_sections.PlanState(use="cidp")
    with pytest.raises(sq.InputError, match="under 'use' that ‘Use’ does not offer"):
        panels.DosePlanner(state=panels.dose_planner.DoseState(plan=strange))


def test_sets_and_sites(planner):
    assert "10 sets over 5 positions. None goes back too soon" in (
        planner.sections["rotation"].page.value
    )
    put(planner, "rotation", positions="4")
    assert "6 go back to a position too soon" in planner.sections["rotation"].page.value
    assert planner.data()["rotation"]["too_soon"].sum() == 6


def test_state_goes_round_and_reset_goes_back(planner):
    opened = planner.state
    put(planner, "plan", product="hyqvia", value="200", weight_kg="70", infusion_number="4")
    put(planner, "conversion", drug="fentanyl", preset="table_implied")
    put(planner, "rotation", days="14")
    again = panels.DosePlanner(state=planner.state)
    assert again.state == planner.state
    assert hash(again.state) == hash(planner.state)
    assert str(again.plan) == str(planner.plan)
    planner.reset_button.click()
    assert planner.state == opened
    assert planner.plan.duration_min == 180


def test_data_are_the_numbers_on_the_page(planner):
    assert set(planner.data()) == {"limits", "steps", "ratios", "boluses", "rotation"}
    assert planner.data()["limits"].equals(planner.plan.checks)
    put(planner, "plan", value="")
    assert set(planner.data()) == {"ratios", "boluses", "rotation"}


def test_what_is_typed_is_never_markup(planner):
    evil = "<img src=x onerror=alert(1)>"
    put(planner, "plan", value=evil, start_at=evil)
    put(planner, "conversion", unit=evil)
    parts = planner.sections
    pages = [parts["plan"].headline, parts["plan"]._marks, parts["conversion"].page]
    assert not any("<img" in page.value for page in pages)


def test_a_fault_is_seen_and_raised(planner, monkeypatch):
    def fails(*_given, **_more):
        raise ZeroDivisionError

    monkeypatch.setattr(dose_sections, "figure", fails)
    with pytest.raises(ZeroDivisionError):
        put(planner, "plan", value="12")
    assert "please report" in planner.sections["plan"]._marks.value
    assert headline(planner) == ""
    assert planner.plan is None


def test_every_entry_has_a_label(planner):
    for part in planner.sections.values():
        assert all(entry.description for entry in part.entries.values())


def test_without_a_kernel_there_is_a_picture_and_its_words(planner):
    bundle = planner._repr_mimebundle_()
    assert bundle["text/plain"].startswith("DosePlanner\nGeneral: continuous small-volume")
    assert "Runs 180 min at 3 mL/h at 1 site: at the limit" in bundle["text/plain"]
    assert len(bundle["image/png"]) < 160_000


def test_a_product_opens_from_code():
    state = panels.dose_planner.DoseState()
    assert panels.DosePlanner(state=state).plan.units == sq.plan_infusion(volume_ml=9).units
