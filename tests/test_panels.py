"""The calculator is driven by setting values, as a browser does."""

import json
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

import subq_toolkit as sq

panels = pytest.importorskip("subq_toolkit.panels", reason="the notebook extra is not installed")

from subq_toolkit.panels import coding_calculator  # noqa: E402

EXAMPLE_UNITS = {"96369": 1, "96370": 2, "96371": 1}
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


@pytest.fixture
def panel():
    return panels.CodingCalculator()


def put(panel, row, **entries):
    for name, value in entries.items():
        panel.rows[row].entries[name].value = value


def test_opens_with_an_example(panel):
    assert panel.result.units == EXAMPLE_UNITS
    assert "96369 ×1 · 96370 ×2 · 96371 ×1" in panel._headline.value
    assert "151 min counted, 60 min to the next unit" in panel._headline.value


@pytest.mark.parametrize("typed", ["1130", "11:30", "11:30 am", "11:30a", "11:30:00"])
def test_a_time_is_typed_freely(panel, typed):
    put(panel, 0, stop=typed)
    assert panel.result.infusion_min == 150
    assert panel.result.units["96370"] == 1
    assert "150 min with at least one pump" in panel._timeline.spec["title"]["text"]
    assert panel._explanation.value == panel.result.explanation


def test_an_entry_is_marked_where_it_stands_and_the_rest_is_computed(panel):
    put(panel, 0, start="half nine")
    row = panel.rows[0]
    assert "sq-invalid" in row.entries["start"]._dom_classes
    assert "sq-invalid" not in row.entries["stop"]._dom_classes
    assert "Start:" in row.marks
    assert "Type it like" in row.marks
    assert panel.result.infusion_min == 110
    assert "1 of 2 rows is not in this answer" in panel._headline.value
    assert "without the entries marked below" in panel._headline.value
    put(panel, 0, start="0900")
    assert row.marks == ""
    assert "sq-invalid" not in row.entries["start"]._dom_classes
    assert panel.result.units == EXAMPLE_UNITS


@pytest.mark.parametrize(
    ("entry", "typed"),
    [
        ("day", "yesterday"),
        ("day", ""),
        ("stop", "2561"),
        ("volume_ml", "1,5"),
        ("rate_ml_per_h", "-3"),
        ("volume_ml", "nan"),
    ],
)
def test_every_free_entry_can_be_marked(panel, entry, typed):
    put(panel, 0, **{entry: typed})
    assert "sq-invalid" in panel.rows[0].entries[entry]._dom_classes
    assert panel.result.infusion_min == 110


def test_a_stop_after_midnight_needs_its_day(panel):
    put(panel, 0, start="2300", stop="0031")
    assert "choose the day of the stop" in panel.rows[0].marks
    assert "failed ‘stop is not before start’" in panel._headline.value
    put(panel, 0, stop_day=1)
    put(panel, 1, start="", stop="", pump_id="", site="")
    assert panel.rows[0].marks == ""
    assert panel.result.infusion_min == 91


def test_a_missing_stop_is_a_query(panel):
    put(panel, 0, stop="")
    assert panel.result.outcome == "query"
    assert "Not reported yet" in panel._headline.value
    assert "Missing stop" in panel._findings.value


def test_rows_are_added_and_removed_and_an_empty_one_is_ignored(panel):
    panel.add_button.click()
    assert len(panel.rows) == 3
    assert panel.rows[2].typed.day == "2026-03-02"
    assert panel.result.units == EXAMPLE_UNITS
    put(panel, 2, start="1131", stop="1231", pump_id="A")
    assert panel.result.infusion_min == 211
    panel.rows[2].remove.click()
    assert panel.result.units == EXAMPLE_UNITS
    panel.rows[0].remove.click()
    panel.rows[0].remove.click()
    assert panel.result is None
    assert "Type a start and a stop" in panel._headline.value
    panel.add_run()
    assert panel.result is None


def test_reset_goes_back_to_the_start(panel):
    opened = panel.state
    put(panel, 0, stop="1200", site="flank")
    panel._policy.preset.value = "cautious"
    panel._encounter["setting"].value = "home"
    panel.add_run()
    panel.reset_button.click()
    assert panel.state == opened
    assert panel.result.units == EXAMPLE_UNITS


def test_state_goes_round(panel):
    put(panel, 0, stop="no idea", drug="<i>x</i>", volume_ml="80", mode="continuous")
    panel._encounter["discharge"].value = "2026-03-02 1300"
    panel._encounter["facility_zone"].value = "America/Denver"
    panel._policy.choices["seconds"].value = "count"
    again = panels.CodingCalculator(state=panel.state)
    assert again.state == panel.state
    assert hash(again.state) == hash(panel.state)
    assert again.result.units == panel.result.units


def test_runs_from_code_are_kept_whole():
    runs = [
        sq.Administration(
            "2026-03-02 22:00:30",
            "2026-03-03 00:31:15",
            pump_id="A",
            dose_mg=12.5,
            needles=2,
            em_code="99213",
            setting="clinic",
            volume_ml=1234567.25,
            setup_charted=True,
            discharge_at="2026-03-03 02:00",
        )
    ]
    policy = sq.Policy(bridge_pauses_min=5)
    panel = panels.CodingCalculator(runs, policy=policy)
    expected = sq.code_encounter(runs, policy=policy)
    assert panel.result.lines.equals(expected.lines)
    assert panel.result.findings.equals(expected.findings)
    assert panel.result.explanation == expected.explanation


def test_runs_with_an_offset_need_a_zone():
    runs = [sq.Administration("2026-03-02 09:00-05:00", "2026-03-02 10:31-05:00")]
    with pytest.raises(sq.InputError, match="State where the clock hangs"):
        panels.CodingCalculator(runs)
    panel = panels.CodingCalculator(runs, facility_zone="America/New_York")
    assert panel.rows[0].typed.start == "09:00"
    assert panel.result.infusion_min == 91


def test_runs_that_disagree_on_the_setting_are_refused():
    run = sq.Administration("2026-03-02 09:00", "2026-03-02 10:00", setting="home")
    with pytest.raises(sq.InputError, match="disagree on setting"):
        panels.CodingCalculator([run, replace(run, setting="clinic")])


def test_a_preset_moves_the_choices_and_a_choice_leaves_the_preset(panel):
    put(panel, 0, stop="")
    panel._policy.preset.value = "short_without_stop"
    assert panel.state.policy == sq.policy_preset("short_without_stop")
    assert panel.result.infusion_min == 110
    panel._policy.choices["midnight"].value = "split"
    assert panel._policy.preset.value == "own choices"
    assert panel.state.policy.missing_stop == "short"


def test_every_choice_shows_its_answers_and_sources(panel):
    for row in sq.policy_choices().iter_rows(named=True):
        page = panel._policy._pages[row["choice"]].value
        assert row["question"].replace("'", "&#x27;") in page
        assert row["means"].replace("'", "&#x27;") in page


def test_what_is_typed_is_never_markup(panel):
    evil = "<img src=x onerror=alert(1)>"
    put(panel, 0, site=evil, pump_id=evil, drug=evil, start=evil)
    put(panel, 1, site=evil, pump_id=evil)
    panel._encounter["discharge"].value = evil
    pages = [panel._headline, panel._lines, panel._findings, panel._checklist]
    pages += [panel._discharge_mark, *(row._marks for row in panel.rows)]
    assert not any("<img" in page.value for page in pages)
    assert "Discharge" in panel._discharge_mark.value


def test_rules_due_for_review_are_said_and_not_warned(panel):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for row in (0, 1):
            put(panel, row, day="2031-03-02")
    assert "Rules due for review" in panel._findings.value


def test_a_fault_is_seen_and_raised(panel, monkeypatch):
    def fails(_state):
        raise ZeroDivisionError

    monkeypatch.setattr(coding_calculator, "answer", fails)
    with pytest.raises(ZeroDivisionError):
        put(panel, 0, stop="1132")
    assert "please report" in panel._headline.value


def test_every_entry_has_a_label(panel):
    entries = [*panel.rows[0].entries.values(), *panel._encounter.values(), panel._policy.preset]
    assert all(entry.description for entry in entries)


def test_without_a_kernel_there_is_a_picture_and_its_words(panel):
    bundle = panel._repr_mimebundle_()
    assert bundle["text/plain"].startswith("CodingCalculator: coded. 96369 ×1 · 96370 ×2")
    assert "pump B: 09:10–11:00" in bundle["text/plain"]
    assert len(bundle["image/png"]) < 93_000  # 70 kB in base64


def test_notebooks_are_saved_with_pictures_and_without_widgets():
    """A widget view saved in a trusted notebook shows an error where no kernel has the widget."""
    paths = list(NOTEBOOKS.glob("*.ipynb"))
    assert paths
    for path in paths:
        notebook = json.loads(path.read_text("utf-8"))
        assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
        for cell in notebook["cells"]:
            for output in cell.get("outputs", []):
                assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})


@pytest.mark.parametrize(
    ("run", "headline"),
    [
        (sq.Administration("2026-03-02 09:00", "2026-03-02 00:45"), "refused"),
        (sq.Administration("2026-03-02 09:00", "2026-03-02 10:00", route="intravenous"), "coded"),
        (sq.Administration(None, None), "query"),
    ],
    ids=["refused", "intravenous only", "no times"],
)
def test_a_run_without_a_unit_is_answered_on_every_page(
    run: sq.Administration, headline: str
) -> None:
    panel = panels.CodingCalculator([run])
    assert panel.result is None or panel.result.outcome == headline
    assert "fault" not in panel._headline.value
    assert "96370" not in panel._lines.value
