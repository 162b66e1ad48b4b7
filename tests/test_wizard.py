"""The wizard: from a file to a coded result without code, and a map that is kept."""

import json
from datetime import UTC, datetime

import pytest

import subq_toolkit as sq
from subq_toolkit.errors import InputError

panels = pytest.importorskip("subq_toolkit.panels", reason="the notebook extra is not installed")

from subq_toolkit.panels.wizard_file import MOST_UPLOADED, opened, uploaded  # noqa: E402

ZONE = "America/New_York"
ROWS = "Visit,Start,Stop,Note\n1,2026-03-02 09:00,2026-03-02 10:31,{}\n"
MARKUP = "<script>alert(1)</script>"


@pytest.fixture
def wizard():
    return panels.ColumnMapWizard()


def upload(wizard, name: str, content: bytes) -> None:
    """What the browser does when a file is chosen."""
    at = datetime(2026, 11, 25, tzinfo=UTC)
    sent = {"name": name, "type": "", "size": len(content), "content": content}
    wizard.upload.value = (sent | {"last_modified": at},)


def pages(wizard) -> str:
    return "".join(
        page.value for page in (wizard.said, wizard.file_page, wizard.result_page, wizard.code_page)
    )


def test_the_sample_from_file_to_outcomes(wizard):
    wizard.sample_button.click()
    assert "an invented export" in wizard.file_page.value
    assert wizard.coded is None
    wizard.entries["facility_zone"].value = ZONE
    wizard.use_button.click()
    # as its README tells: 23 + 4 + 1 + 11 of 39
    assert "39 rows in = 23 + 4 + 1 + 11" in wizard.result_page.value
    assert wizard.data()["encounters"].height == 24


def test_nothing_is_read_before_it_is_asked_for(wizard):
    upload(wizard, "export.csv", ROWS.format("").encode())
    assert wizard.suggestion is not None
    assert wizard.reading is None
    assert wizard.result_page.value == ""


def test_a_column_can_be_left_or_changed(wizard):
    upload(wizard, "export.csv", ROWS.format("A").encode())
    assert wizard.column_map.columns["Visit"] == "encounter_id"
    wizard.columns.entries["Note"].value = "pump_id"
    wizard.use_button.click()
    assert wizard.coded.accepted.collect()["pump_id"].to_list() == ["A"]
    wizard.columns.entries["Stop"].value = ""
    wizard.use_button.click()
    assert "stop_at" in wizard.said.value
    assert wizard.coded is None


def test_an_event_log_asks_for_order_of_dates_and_for_its_words(wizard):
    wizard.path.value = str(sq.dataset("chart_exports") / "event_log.csv")
    wizard.open_button.click()
    assert [*wizard.words.entries] == ["Assess"]
    wizard.use_button.click()
    assert "choose it under ‘Dates’" in wizard.said.value
    wizard.entries["time_format"].value = "month_first"
    wizard.entries["facility_zone"].value = ZONE
    wizard.words.entries["Assess"].value = "rate_verify"
    wizard.use_button.click()
    assert wizard.said.value == ""
    assert wizard.column_map == sq.ColumnMap.load(sq.dataset("chart_exports") / "event_log.json")
    assert wizard.coded.reconcile()["refused"] == 0


def test_another_shape_is_proposed_anew(wizard):
    wizard.path.value = str(sq.dataset("chart_exports") / "start_duration.csv")
    wizard.open_button.click()
    assert wizard.column_map.shape == "start_duration"
    wizard.entries["shape"].value = "start_stop"
    assert wizard.column_map.shape == "start_stop"
    assert "duration" not in wizard.column_map.columns.values()


def test_a_map_is_kept_and_used_again(wizard, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wizard.sample_button.click()
    wizard.entries["facility_zone"].value = ZONE
    wizard.use_button.click()
    wizard.save_button.click()
    held = json.loads((tmp_path / "our_ehr.json").read_text("utf-8"))
    assert held["columns"]["Visit"] == "encounter_id"
    assert "SYN-" not in (tmp_path / "our_ehr.json").read_text("utf-8")
    again = panels.ColumnMapWizard()
    again.sample_button.click()
    again.load_button.click()
    assert again.column_map == wizard.column_map
    assert again.coded.reconcile() == wizard.coded.reconcile()


@pytest.mark.parametrize("name", ["", "../map", "a/b.json", "C:\\map"])
def test_a_map_is_saved_under_a_plain_name(wizard, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    wizard.sample_button.click()
    wizard.map_name.value = name
    wizard.save_button.click()
    assert "plain file name" in wizard.said.value
    assert not list(tmp_path.iterdir())


def test_the_map_of_another_export_is_said_to_be_one(wizard):
    wizard.sample_button.click()
    wizard.load_name.value = str(sq.dataset("chart_exports") / "event_log.json")
    wizard.load_button.click()
    assert "It is the map of another export" in wizard.said.value


def test_uploaded_text_is_never_markup_nor_a_path(wizard, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = ROWS.replace("Note", f"<img src=x onerror=alert(1)>{MARKUP}").format(MARKUP)
    upload(wizard, f"../../{MARKUP}.csv", rows.encode())
    wizard.use_button.click()
    assert wizard.coded is not None
    assert "<script" not in pages(wizard)
    assert "<img" not in pages(wizard)
    assert wizard.file.path.name == "export.csv"
    assert wizard.file.path.parent != tmp_path
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("export.exe", b"1", "The suffix '.exe' is not read here"),
        ("export", b"1", "The suffix '' is not read here"),
        ("export.csv", b"", "The file is empty"),
        ("export.csv", b"1" * (MOST_UPLOADED + 1), "a browser hands over 10 MB at most"),
    ],
)
def test_what_cannot_be_uploaded(wizard, name, content, message):
    with pytest.raises(InputError, match=message.replace(".", r"\.")):
        uploaded(name, content)
    upload(wizard, name, content)
    assert wizard.file is None
    assert "sq-note" in wizard.said.value


def test_what_cannot_be_opened(wizard, tmp_path):
    with pytest.raises(InputError, match="Type the path of a file"):
        opened("  ")
    wizard.path.value = str(tmp_path / "nowhere.csv")
    wizard.open_button.click()
    assert "There is no file" in wizard.said.value
    wizard.use_button.click()
    assert "Open a file first" in wizard.said.value


def test_a_file_that_is_no_table_is_said_and_the_panel_goes_on(wizard):
    upload(wizard, "export.xlsx", b"not a workbook")
    assert "sq-note" in wizard.said.value
    upload(wizard, "export.csv", ROWS.format("").encode())
    assert wizard.said.value == ""
    assert wizard.suggestion.rows == 1


def test_many_columns_are_read_and_not_all_shown(wizard):
    names = ["Visit", "Start", "Stop", *(f"c{number}" for number in range(300))]
    values = ["1", "2026-03-02 09:00", "2026-03-02 10:31", *["x"] * 300]
    upload(wizard, "export.csv", f"{','.join(names)}\n{','.join(values)}\n".encode())
    assert "243 more columns" in wizard.columns.children[-1].value
    wizard.use_button.click()
    assert wizard.coded.reconcile()["coded"] == 1


def test_reset_begins_again(wizard):
    wizard.sample_button.click()
    wizard.use_button.click()
    wizard.reset_button.click()
    assert (wizard.file, wizard.coded, pages(wizard)) == (None, None, "")
    assert repr(wizard) == "ColumnMapWizard: no file yet"
    assert wizard.state.column_map is None
