"""The scenario panel is driven by setting values, as a browser does."""

import json
from dataclasses import replace
from decimal import Decimal

import polars as pl
import pytest

import subq_toolkit as sq

panels = pytest.importorskip("subq_toolkit.panels", reason="the notebook extra is not installed")

from subq_toolkit.panels.scenario_states import PRESETS, ScenarioState, TermsState  # noqa: E402
from subq_toolkit.panels.scenario_views import VIEWS  # noqa: E402
from subq_toolkit.scenarios import MinuteSummary, compare  # noqa: E402


@pytest.fixture(scope="module")
def coded():
    return sq.code_administrations(sq.sample_administrations())


@pytest.fixture
def panel(coded):
    return panels.ScenarioPanel(coded)


def work(*rows, by=()):
    """Rows of (minutes, encounters, changes) in an office."""
    usual = {"setup": False, "outcome": "coded", "place": "office", "payer": "A"}
    counts = [
        {"period": date, "minutes": minutes, "encounters": n} | usual | change
        for date, minutes, n, change in rows
    ]
    return MinuteSummary(pl.DataFrame(counts), by)


@pytest.fixture
def small():
    """Ten hours in an office on a day of 2026, and four more that wait for a stop."""
    day = pl.Series(["2026-03-02"]).str.to_date().item()
    rows = ((day, 60, 10, {}), (day, None, 4, {"outcome": "query"}))
    return panels.ScenarioPanel(work(*rows, by=("payer",)))


def total(panel, place):
    row = panel.data().filter(pl.col("code") == "total").row(place, named=True)
    return row["expected_usd"]


def put(panel, place, **entries):
    for name, value in entries.items():
        panel.rows[place].entries[name].value = value


def test_opens_on_a_baseline_and_a_what_if(small):
    assert [row.state.name for row in small.rows] == ["as charted", "half of the missing stops"]
    assert total(small, 0) == Decimal("1449.60")  # 10 × 144.96
    assert total(small, 1) == Decimal("1739.52")  # and half of 4 more
    page = small.parts["Totals"].page.value
    assert "$1,449.60" in page
    assert "+$289.92" in page
    assert "stops found" in page  # the step of the bridge, in words
    assert page.count("$144.96") == 4  # of an encounter: each code and total, both scenarios


@pytest.mark.parametrize(
    ("entries", "usd"),
    [
        ({"recovered_percent": 0.0, "denial_percent": 10.0}, "1304.64"),  # 1449.60 × 0.9
        ({"recovered_percent": 0.0, "setting": "hospital"}, "2173.10"),  # 10 × 217.31
        ({"recovered_percent": 0.0, "payers": "A=50"}, "724.80"),
        (
            {"recovered_percent": 0.0, "shift_min": 30, "stretch_percent": 102.0},
            "1619.90",  # 91 min: and 10 × 17.03
        ),
        ({"recovered_percent": 0.0, "stretch_percent": 150.0}, "1449.60"),  # 90 min: no more
        ({"recovered_percent": 0.0, "further_setup_percent": 20.0}, "1562.50"),  # 2 × 56.45
        ({"recovered_percent": 0.0, "apm": True}, "1456.80"),  # 10 × 145.68
        ({"recovered_percent": 0.0, "setting": "hospital", "department": "off_campus"}, "869.20"),
        ({"recovered_percent": 100.0}, "2029.44"),  # 14 × 144.96
        ({"recovered_percent": 0.0, "unit_cap": "unlikely_edit"}, "1449.60"),
    ],
)
def test_each_entry_changes_the_money(small, entries, usd):
    put(small, 1, **entries)
    assert total(small, 1) == Decimal(usd)
    assert f"${Decimal(usd):,}" in small.parts["Totals"].page.value


def test_what_is_shown_is_what_the_library_says(panel):
    assert panel.data().equals(compare(panel.summary, panel.scenarios))


@pytest.mark.parametrize("name", VIEWS)
def test_each_view_draws_when_it_is_opened(panel, name):
    panel.tabs.selected_index = list(VIEWS).index(name)
    assert all(chart.spec is not None for chart in panel.parts[name].charts)
    assert "Look:" not in panel.parts[name].page.value
    assert "fault" not in panel.parts[name].page.value
    unseen = set(VIEWS) - {name, "Totals"}
    assert not any(panel.parts[one].page.value for one in unseen)


def test_an_open_view_follows_the_terms_and_a_closed_one_does_when_opened(panel):
    panel.tabs.selected_index = list(VIEWS).index("Charting")
    before = panel.parts["Charting"].charts[0].spec
    put(panel, 1, denial_percent=50.0)
    assert panel.parts["Charting"].charts[0].spec != before
    old = panel.parts["Totals"].charts[0].spec
    panel.tabs.selected_index = 0
    assert panel.parts["Totals"].charts[0].spec != old


@pytest.mark.parametrize(
    ("entry", "typed", "remedy"),
    [
        ("locality", "nowhere", "localities() lists them"),
        ("locality", "15202-0", "15202-00"),
        ("prices", "tomorrow", "a day such as 2026-03-02"),
        ("prices", "3/2/2026", "a day such as 2026-03-02"),
        ("wage_index", "Nowhere", "as a number [1]"),
        ("wage_index", "-1", "wage_index"),
        ("payers", "A", "name=number"),
        ("payers", "A=150", "from 0 to 100 %"),
        ("payers", "A=0.6", "type 60 for 60 %"),
        ("payers", "A=60; A=10", "names one thing twice"),
        ("payers", "A=nan", "from 0 to 100 %"),
        ("payers", "Nobody=50", "no encounter has the payer"),
    ],
)
def test_a_bad_entry_is_marked_and_nothing_stale_is_left(small, entry, typed, remedy):
    put(small, 1, **{entry: typed})
    row = small.rows[1]
    assert remedy in row._marks.value.replace("&#x27;", "'")
    marked = [name for name, one in row.entries.items() if "sq-invalid" in one._dom_classes]
    assert marked == [entry]
    assert "Nothing below is an answer" in small._note.value
    assert not any(part.page.value for part in small.parts.values())
    assert all(chart.spec is None for part in small.parts.values() for chart in part.charts)
    put(small, 1, **{entry: getattr(TermsState(), entry)})
    assert not row._marks.value
    assert not small._note.value
    assert "sq-invalid" not in row.entries[entry]._dom_classes
    assert "$1,739.52" in small.parts["Totals"].page.value


def test_two_scenarios_of_one_name_are_asked_to_differ(small):
    put(small, 1, name="as charted")
    assert "Another scenario has this name already" in small.rows[1]._marks.value
    assert "sq-invalid" in small.rows[1].entries["name"]._dom_classes
    assert all(chart.spec is None for chart in small.parts["Totals"].charts)
    put(small, 1, name="other")
    assert small.shown.options == (("other", 1),)
    assert not small._note.value


def test_what_ifs_are_added_up_to_three_and_removed(small):
    for name in ("one claim in ten denied", "one claim in ten denied", "all work in a hospital"):
        small.preset.value = name
        assert small.preset.value == ""
    names = [row.state.name for row in small.rows]
    assert names == [
        "as charted",
        "half of the missing stops",
        "one claim in ten denied",
        "one claim in ten denied (2)",
    ]
    assert total(small, 2) == Decimal("1304.64")
    assert [value for _, value in small.shown.options] == [1, 2, 3]
    small.shown.value = 2
    assert "−$144.96" in small.parts["Totals"].page.value
    small.rows[1].remove_button.click()
    assert [row.state.name for row in small.rows][1:] == [*names[2:]]
    assert small.shown.value == 2


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_answered(small, name):
    small.preset.value = name
    assert not small._note.value
    assert small.rows[-1].state == replace(small.rows[0].state, name=name, **PRESETS[name])


def test_reset_goes_back_to_the_opening(panel):
    put(panel, 0, denial_percent=20.0)
    panel.preset.value = "prices of 2024"
    panel.asked["charges"].value = "96369=1"
    panel.reset_button.click()
    assert panel.state == ScenarioState()


def test_a_missing_price_is_no_zero(small):
    put(small, 1, setting="home", recovered_percent=0.0)
    assert total(small, 1) is None
    page = small.parts["Totals"].page.value
    assert "no price known" in page
    assert "−$1,449.60" not in page
    assert "No bridge." in page
    small.tabs.selected_index = list(VIEWS).index("Sources")
    assert "no terms are stated for this place" in small.parts["Sources"].page.value


@pytest.mark.parametrize(
    ("view", "entry", "typed", "remedy"),
    [
        ("Places and years", "ours", "nowhere", "localities() lists them"),
        ("Market", "charges", "", "Type our charges"),
        ("Market", "charges", "a lot", "name=number"),
        ("Market", "charges", "96369=inf", "from 0 to 1 M USD"),
        ("Break-even", "chair_usd_per_h", "", "Type every cost as a number"),
        ("Break-even", "nurse_usd_per_h", "-5", "zero or more"),
    ],
)
def test_a_view_that_cannot_answer_says_why(panel, view, entry, typed, remedy):
    panel.tabs.selected_index = list(VIEWS).index(view)
    panel.asked[entry].value = typed
    assert remedy in panel.parts[view].page.value.replace("&#x27;", "'")
    assert all(chart.spec is None for chart in panel.parts[view].charts)
    panel.asked[entry].value = getattr(ScenarioState(), entry)
    assert "Look:" not in panel.parts[view].page.value


def test_a_state_without_hospital_prices_is_said(panel):
    panel.tabs.selected_index = list(VIEWS).index("Market")
    panel.asked["state"].value = "Atlantis"
    assert "the collection has no such state" in panel.parts["Market"].page.value


def test_state_goes_through_a_file_without_any_encounter(panel, tmp_path):
    put(panel, 1, name="étude <b>", denial_percent=7.5, locality="15202-00")
    panel.asked["fixed_usd"].value = "1"
    path = panel.save(tmp_path / "terms.json")
    assert set(json.loads(path.read_text("utf-8"))) == {*vars(ScenarioState())}
    again = panels.ScenarioPanel(panel.summary, state=path)
    assert again.state == panel.state
    assert "<b>" not in again.parts["Totals"].page.value.split("étude")[1][:8]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"terms": [{"name": 3}]}',
        '{"terms": [{"colour": "red"}]}',
        '{"terms": 5}',
        '{"terms": [], "shown": "1"}',
        "[" * 100_000,
    ],
)
def test_a_file_that_is_no_state_is_refused(tmp_path, text):
    path = tmp_path / "terms.json"
    path.write_text(text)
    with pytest.raises(sq.InputError, match=r"terms\.json is no saved state of the scenario"):
        panels.ScenarioPanel(state=path)


@pytest.mark.parametrize(
    "change",
    [
        {"setting": "moon"},
        {"denial_percent": 90.0},
        {"stretch_percent": 300.0},
        {"shift_min": 999},
    ],
)
def test_a_state_beyond_the_entries_is_refused_not_changed(small, tmp_path, change):
    state = replace(small.state, terms=(TermsState(**change), TermsState(name="b")))
    with pytest.raises(sq.InputError, match="holds a choice or a number that no entry has"):
        panels.ScenarioPanel(small.summary, state=state)


def test_more_scenarios_than_stand_in_the_panel_are_refused(small):
    terms = tuple(TermsState(name=str(one)) for one in range(5))
    with pytest.raises(sq.InputError, match="more than a baseline and three what-ifs"):
        panels.ScenarioPanel(small.summary, state=replace(small.state, terms=terms))
    for nothing in (replace(small.state, terms=()), {}):
        with pytest.raises(sq.InputError, match="'state' is what another panel's state held"):
            panels.ScenarioPanel(small.summary, state=nothing)


def test_another_table_is_no_work(coded):
    with pytest.raises(sq.InputError, match="The table has no column 'start_at'"):
        panels.ScenarioPanel(coded.encounters.collect())
    with pytest.raises(sq.InputError, match="what code_administrations returned; this is a dict"):
        panels.ScenarioPanel({})


def test_a_table_of_charted_runs_is_coded_and_counted(coded):
    panel = panels.ScenarioPanel(sq.sample_administrations())
    assert panel.data().equals(panels.ScenarioPanel(coded).data())


def test_work_without_a_coded_encounter_is_said():
    day = pl.Series(["2026-03-02"]).str.to_date().item()
    waits = panels.ScenarioPanel(work((day, None, 3, {"outcome": "query"})))
    for place, name in enumerate(VIEWS):
        waits.tabs.selected_index = place
        assert "fault" not in waits.parts[name].page.value
        if name in ("Totals", "How sure", "Charting", "Break-even"):
            assert "no coded encounter" in waits.parts[name].page.value


def test_scenarios_that_are_not_alike_are_said_to_be_so(panel):
    assert "not like for like" not in panel.parts["Totals"].page.value
    put(panel, 1, locality="15202-00")  # no figures of 2026 are bundled for it
    assert "not like for like" in panel.parts["Totals"].page.value


def test_a_state_file_that_is_not_there(tmp_path):
    with pytest.raises(sq.InputError, match=r"nothing\.json is no saved state"):
        panels.ScenarioPanel(state=tmp_path / "nothing.json")


def test_a_saved_picture_and_its_words(panel):
    bundle = panel._repr_mimebundle_()
    assert bundle["image/png"]
    assert "half of the missing stops" in bundle["text/plain"]
