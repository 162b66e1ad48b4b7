"""The wizard: from a file to a coded result without code, and a map that is kept."""

import base64
import io
import json
import re
from datetime import UTC, datetime

import polars as pl
import pytest

import subq_toolkit as sq
from subq_toolkit.errors import InputError

ipywidgets = pytest.importorskip("ipywidgets", reason="the notebook extra is not installed")
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
    upload_to(wizard.opening.upload, name, content)


def upload_to(button, name: str, content: bytes) -> None:
    """The same with any button for uploads."""
    at = datetime(2026, 11, 25, tzinfo=UTC)
    sent = {"name": name, "type": "", "size": len(content), "content": content}
    button.value = (sent | {"last_modified": at},)


def within(part):
    """Every widget of a part."""
    for one in getattr(part, "children", ()):
        yield one
        yield from within(one)


def pages(wizard) -> str:
    """All HTML that stands on the page."""
    return "".join(one.value for one in within(wizard) if isinstance(one, ipywidgets.HTML))


def test_the_sample_from_file_to_outcomes(wizard):
    wizard.opening.sample_button.click()
    assert "an invented export" in wizard.file_page.value
    assert wizard.coded is None
    wizard.mapping.entries["facility_zone"].value = ZONE
    wizard.mapping.use_button.click()
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
    wizard.mapping.columns.entries["Note"].value = "pump_id"
    wizard.mapping.use_button.click()
    assert wizard.coded.accepted.collect()["pump_id"].to_list() == ["A"]
    wizard.mapping.columns.entries["Stop"].value = ""
    wizard.mapping.use_button.click()
    assert "stop_at" in wizard.said
    assert wizard.coded is None


def test_an_event_log_asks_for_order_of_dates_and_for_its_words(wizard):
    wizard.opening.path.value = str(sq.dataset("chart_exports") / "event_log.csv")
    wizard.opening.open_button.click()
    assert [*wizard.mapping.words.entries] == ["Assess"]
    wizard.mapping.use_button.click()
    assert "Choose it under ‘Dates’" in wizard.said
    wizard.mapping.entries["time_format"].value = "month_first"
    wizard.mapping.entries["facility_zone"].value = ZONE
    wizard.mapping.words.entries["Assess"].value = "rate_verify"
    wizard.mapping.use_button.click()
    assert wizard.said == ""
    assert wizard.column_map == sq.ColumnMap.load(sq.dataset("chart_exports") / "event_log.json")
    assert wizard.coded.reconcile()["refused"] == 0


def test_another_shape_is_proposed_anew(wizard):
    wizard.opening.path.value = str(sq.dataset("chart_exports") / "start_duration.csv")
    wizard.opening.open_button.click()
    assert wizard.column_map.shape == "start_duration"
    wizard.mapping.entries["shape"].value = "start_stop"
    assert wizard.column_map.shape == "start_stop"
    assert "duration" not in wizard.column_map.columns.values()


def test_a_map_is_kept_and_used_again(wizard, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wizard.opening.sample_button.click()
    wizard.mapping.entries["facility_zone"].value = ZONE
    wizard.mapping.use_button.click()
    wizard.keeping.button.click()
    held = json.loads((tmp_path / "our_ehr.json").read_text("utf-8"))
    assert held["columns"]["Visit"] == "encounter_id"
    assert "SYN-" not in (tmp_path / "our_ehr.json").read_text("utf-8")
    again = panels.ColumnMapWizard()
    again.opening.sample_button.click()
    again.mapping.loading.button.click()
    assert again.column_map == wizard.column_map
    assert again.coded.reconcile() == wizard.coded.reconcile()


@pytest.mark.parametrize("name", ["", "../map", "a/b.json", "C:\\map"])
def test_a_map_is_saved_under_a_plain_name(wizard, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    wizard.opening.sample_button.click()
    wizard.keeping.name.value = name
    wizard.keeping.button.click()
    assert "plain file name" in wizard.said
    assert not list(tmp_path.iterdir())


def test_the_map_of_another_export_is_said_to_be_one(wizard):
    wizard.opening.sample_button.click()
    wizard.mapping.loading.path.value = str(sq.dataset("chart_exports") / "event_log.json")
    wizard.mapping.loading.button.click()
    assert "It is the map of another export" in wizard.said


def test_uploaded_text_is_never_markup_nor_a_path(wizard, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = ROWS.replace("Note", f"<img src=x onerror=alert(1)>{MARKUP}").format(MARKUP)
    upload(wizard, f"../../{MARKUP}.csv", rows.encode())
    wizard.mapping.use_button.click()
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
        ("export.csv", b"1" * (MOST_UPLOADED + 1), "a browser hands over 8 MB at most"),
    ],
)
def test_what_cannot_be_uploaded(wizard, name, content, message):
    with pytest.raises(InputError, match=message.replace(".", r"\.")):
        uploaded(name, content)
    upload(wizard, name, content)
    assert wizard.file is None
    assert "sq-note" in wizard.said


def test_what_cannot_be_opened(wizard, tmp_path):
    with pytest.raises(InputError, match="Type the path of a file"):
        opened("  ")
    wizard.opening.path.value = str(tmp_path / "nowhere.csv")
    wizard.opening.open_button.click()
    assert "There is no file" in wizard.said
    wizard.mapping.use_button.click()
    assert "Open a file first" in wizard.said


def test_a_file_that_is_no_table_is_said_and_the_panel_goes_on(wizard):
    upload(wizard, "export.xlsx", b"not a workbook")
    assert "sq-note" in wizard.said
    upload(wizard, "export.csv", ROWS.format("").encode())
    assert wizard.said == ""
    assert wizard.suggestion.rows == 1


def test_many_columns_are_read_and_not_all_shown(wizard):
    names = ["Visit", "Start", "Stop", *(f"c{number}" for number in range(300))]
    values = ["1", "2026-03-02 09:00", "2026-03-02 10:31", *["x"] * 300]
    upload(wizard, "export.csv", f"{','.join(names)}\n{','.join(values)}\n".encode())
    assert "243 more columns" in wizard.mapping.columns.children[-1].value
    wizard.mapping.use_button.click()
    assert wizard.coded.reconcile()["coded"] == 1


def test_the_sample_is_what_its_button_opens(wizard):
    wizard.use_sample()
    assert wizard.file.label == "dirty_export.csv"
    assert "delimited text, 5.9 kB" in wizard.file_page.value
    wizard.mapping.entries["facility_zone"].value = ZONE
    wizard.use()
    assert set(wizard.data()) == {"columns", "report", "checks", "encounters"}
    lines = wizard.data()["checks"].select("kind", "check", "count").rows()
    assert ("rows", "rows of runs", 39) in lines
    assert ("rows", "refused", 11) in lines


def test_the_same_file_can_be_uploaded_again(wizard):
    upload(wizard, "export.csv", ROWS.format("").encode())
    wizard.opening.reset_button.click()
    assert wizard.file is None
    upload(wizard, "export.csv", ROWS.format("").encode())
    assert wizard.suggestion.rows == 1


def test_what_was_read_outlives_the_upload_which_is_deleted(wizard):
    held = io.BytesIO()
    pl.read_csv(ROWS.format("A").encode()).write_parquet(held)
    upload(wizard, "export.parquet", held.getvalue())
    folder = wizard.file.path.parent
    assert folder.stat().st_mode & 0o077 == 0
    wizard.use()
    reading, coded = wizard.reading, wizard.coded
    wizard.use_sample()
    assert not folder.exists()
    assert reading.administrations.collect().height == 1
    # 91 minutes: the first hour, and a further one begun with its 31st minute
    assert coded.encounters.select("units_96369", "units_96370").collect().row(0) == (1, 1)


def test_a_file_that_cannot_be_read_is_deleted_and_named_as_the_user_knows_it(wizard):
    upload(wizard, "march.xlsx", b"not a workbook")
    assert "march.xlsx" in wizard.said
    assert "export.xlsx" not in wizard.said
    assert wizard.file is None


def test_an_answer_goes_when_a_choice_is_changed(wizard):
    upload(wizard, "export.csv", ROWS.format("A").encode())
    wizard.use()
    assert "Where every row ended" in pages(wizard)
    wizard.mapping.columns.entries["Note"].value = "site"
    assert (wizard.reading, wizard.checks, wizard.coded) == (None, None, None)
    assert "Where every row ended" not in pages(wizard)
    assert "A choice was changed" in wizard.said
    wizard.mapping.use_button.click()
    assert wizard.said == ""
    wizard.mapping.entries["facility_zone"].value = ZONE
    assert wizard.coded is None


def test_dates_and_zone_outlive_another_shape(wizard):
    wizard.use_sample()
    wizard.mapping.entries["time_format"].value = "month_first"
    wizard.mapping.entries["facility_zone"].value = ZONE
    wizard.mapping.entries["shape"].value = "start_volume_rate"
    assert wizard.column_map.shape == "start_volume_rate"
    assert (wizard.column_map.time_format, wizard.column_map.facility_zone) == ("month_first", ZONE)


def test_another_header_and_another_sheet_are_proposed_anew(wizard, tmp_path):
    xlsxwriter = pytest.importorskip("xlsxwriter")
    path = tmp_path / "export.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for sheet, names in (("A", ["Visit", "Start", "Stop"]), ("B", ["FIN", "Begin", "End"])):
            page = book.add_worksheet(sheet)
            page.write_row(0, 0, ["Export of March"])
            page.write_row(2, 0, names)
            page.write_row(3, 0, ["1", "2026-03-02 09:00", "2026-03-02 10:31"])
    wizard.open_file(opened(str(path)))
    assert (wizard.column_map.sheet, wizard.column_map.header_row) == ("A", 3)
    wizard.mapping.entries["sheet"].value = "B"
    assert [*wizard.mapping.columns.entries] == ["FIN", "Begin", "End"]
    wizard.use()
    assert wizard.coded.reconcile()["coded"] == 1
    wizard.mapping.entries["header_row"].value = 4
    assert "Begin" not in wizard.mapping.columns.entries
    assert wizard.coded is None


def test_a_setting_can_be_taken_back(wizard):
    wizard.open_file(opened(str(sq.dataset("chart_exports") / "start_duration.csv")))
    for name, value in (("time_format", "day_first"), ("duration_unit", "h")):
        entry = wizard.mapping.entries[name]
        before = getattr(wizard.column_map, name)
        entry.value = value
        assert getattr(wizard.column_map, name) == value
        entry.value = before or ""
        assert getattr(wizard.column_map, name) == before
        assert entry.index is not None
    # None as a value would leave the list without a choice on the screen
    fixed = [one for one in wizard.mapping.entries.values() if hasattr(one, "index")]
    assert all(one.index is not None for one in fixed)


def test_the_zone_is_asked_for_until_it_is_stated(wizard):
    wizard.use_sample()
    assert "In which zone is the facility?" in wizard.file_page.value
    wizard.mapping.entries["facility_zone"].value = ZONE
    assert "In which zone is the facility?" not in wizard.file_page.value
    wizard.mapping.entries["header_row"].value = 2
    wizard.mapping.entries["header_row"].value = 1
    assert "In which zone is the facility?" not in wizard.file_page.value


def test_the_words_of_another_column_are_asked_for(wizard):
    wizard.open_file(opened(str(sq.dataset("chart_exports") / "event_log.csv")))
    name = next(a for a, to in wizard.column_map.columns.items() if to == "event")
    wizard.mapping.columns.entries[name].value = ""
    assert not wizard.mapping.words.entries
    wizard.mapping.columns.entries[name].value = "event"
    assert [*wizard.mapping.words.entries] == ["Assess"]


def test_a_formula_stays_the_text_it_is(wizard):
    rows = "Visit,Start,Stop,=1+1\n1,2026-03-02 09:00,2026-03-02 10:31,=2+2\n"
    upload(wizard, "=1+1.csv", rows.encode())
    wizard.use()
    for said in ("<b>=1+1.csv</b>", ">=1+1</th>", "<td>=2+2</td>"):
        assert said in wizard.file_page.value
    assert "=2+2" not in wizard.keeping.link.value
    assert wizard.reading.administrations.collect()["=1+1"].to_list() == ["=2+2"]


def test_a_map_is_downloaded_and_uploaded(wizard):
    wizard.use_sample()
    wizard.mapping.entries["facility_zone"].value = ZONE
    wizard.use()
    wizard.keeping.name.value = "north"
    found = re.search(r'download="(.*?)" href="data:.*?;base64,(.*?)"', wizard.keeping.link.value)
    content = base64.b64decode(found[2])
    assert found[1] == "north.json"
    assert json.loads(content)["columns"] == wizard.column_map.columns
    assert b"SYN-" not in content
    again = panels.ColumnMapWizard()
    again.use_sample()
    upload_to(again.mapping.loading.upload, "../../<b>.json", content)
    assert again.column_map == wizard.column_map
    assert again.coded.reconcile() == wizard.coded.reconcile()
    upload_to(again.mapping.loading.upload, "map.json", b"[1]")
    assert "is no column map" in again.mapping.loading.said.value
    assert again.coded is not None


def test_a_map_never_replaces_another_file(wizard, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "our_ehr.json").write_text("mine")
    wizard.use_sample()
    wizard.use()
    wizard.keeping.button.click()
    assert "is there already and is no column map" in wizard.keeping.said.value
    assert (tmp_path / "our_ehr.json").read_text() == "mine"
    (tmp_path / "our_ehr.json").unlink()
    wizard.keeping.button.click()
    assert "Saved: " in wizard.keeping.said.value
    wizard.keeping.button.click()
    assert "Saved over the map that was there: " in wizard.keeping.said.value


def test_code_names_the_file_as_it_was_opened(wizard, monkeypatch):
    monkeypatch.chdir(sq.dataset("chart_exports"))
    wizard.open_file(opened("./date_and_clock.csv"))
    wizard.mapping.entries["time_format"].value = "month_first"
    wizard.use()
    assert "read_administrations(&#x27;./date_and_clock.csv&#x27;, columns" in pages(wizard)
    assert "facility_zone" not in wizard.code_page.value
    wizard.use_sample()
    wizard.use()
    said = "sq.dataset(&quot;administrations&quot;) / &quot;dirty_export.csv&quot;"
    assert said in wizard.code_page.value


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("~nobody_of_that_name/a.csv", "This is no usable path"),
        ("a" * 5000 + ".csv", "This is no usable path"),
        ("export.ndjson", "they are read in code"),
        ("a\x00b.csv", "There is no file|This is no usable path"),
    ],
)
def test_what_is_no_path(wizard, typed, message):
    wizard.opening.path.value = typed
    wizard.opening.open_button.click()
    assert re.search(message, wizard.said)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            "Visit,Start\n1,2026-03-02 09:00\n",
            "no column &#x27;stop_at&#x27;. Choose it in the lists.",
        ),
        ("Visit,Colour}. Columns in the file\n1,red\n", "Choose it in the lists."),
        ("a,b\n1,2\n", "Choose it under ‘Header is in row’"),
    ],
)
def test_a_message_says_what_to_choose_and_not_what_to_type_in_code(wizard, rows, message):
    upload(wizard, "export.csv", rows.encode())
    wizard.mapping.use_button.click()
    assert message in wizard.said
    assert "columns=" not in wizard.said
    assert "header_row" not in wizard.said


def test_reset_begins_again(wizard):
    wizard.opening.sample_button.click()
    wizard.mapping.use_button.click()
    wizard.opening.reset_button.click()
    assert (wizard.file, wizard.reading, wizard.coded) == (None, None, None)
    assert pages(wizard) == pages(panels.ColumnMapWizard())
    assert repr(wizard) == "ColumnMapWizard: no file yet"
    assert wizard.state.column_map is None
