"""Suggestions of columns: what is proposed, what is asked, and that no value is shown."""

from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from subq_toolkit.catalog import dataset, sample_administrations
from subq_toolkit.coding import code_administrations
from subq_toolkit.errors import InputError
from subq_toolkit.readers import ColumnMap, read_administrations, suggest_columns
from subq_toolkit.readers.column_scores import TARGETS, name_score
from subq_toolkit.synthetic.event_logs import COLUMNS as LOG_COLUMNS
from subq_toolkit.synthetic.event_logs import event_log

FOLDER = dataset("chart_exports")
DIRTY = dataset("administrations") / "dirty_export.csv"
NAMES = ("event_log", "date_and_clock", "start_duration", "start_volume_rate")
STARTS = ["2026-03-02 09:00", "2026-03-13 09:30", "2026-03-14 10:00"]
STOPS = ["2026-03-02 10:00", "2026-03-13 10:30", "2026-03-14 11:00"]


def row(suggestion, name: str) -> dict:
    return suggestion.columns.filter(read_from=name).row(0, named=True)


@pytest.mark.parametrize("name", NAMES)
def test_the_samples_are_proposed_as_their_maps_say(name: str) -> None:
    suggestion = suggest_columns(FOLDER / f"{name}.csv")
    saved = ColumnMap.load(FOLDER / f"{name}.json")
    assert suggestion.shape == saved.shape
    assert suggestion.column_map.columns == saved.columns
    assert suggestion.column_map.duration_unit == saved.duration_unit


def test_the_dirty_export_is_proposed_as_its_readme_says() -> None:
    suggestion = suggest_columns(DIRTY)
    assert suggestion.shape == "start_stop"
    assert row(suggestion, "Nursing Unit")["column"] == "department"
    assert row(suggestion, "Note")["column"] is None
    starts = row(suggestion, "Start Time")
    assert (starts["readable"], starts["unreadable"], starts["why"]) == (35, 1, "name and values")
    coded = code_administrations(
        read_administrations(DIRTY, columns=suggestion.column_map).administrations,
        facility_zone="America/New_York",
    )
    assert coded.reconcile()["rows_in"] == 39


def test_the_invented_export_means_itself() -> None:
    suggestion = suggest_columns(sample_administrations())
    assert {n: t for n, t in suggestion.column_map.columns.items() if n != t} == {}
    assert suggestion.confidence >= 0.8
    assert suggestion.rows == 2000


def test_an_invented_log_is_proposed_whole() -> None:
    log = event_log(sample_administrations().head(500))
    suggestion = suggest_columns(log)
    assert suggestion.column_map.columns == LOG_COLUMNS
    assert suggestion.shapes.row(0)[0] == suggestion.shape == "event_log"


def test_values_go_against_a_name() -> None:
    frame = pl.DataFrame(
        {"Enc": ["1", "2", "3"], "Start": STARTS, "Stop": STOPS, "Route": ["7", "8", "9"]}
    )
    suggestion = suggest_columns(frame)
    assert row(suggestion, "Route")["proposed"] is False
    assert "Route" not in suggestion.column_map.columns


def test_values_tell_what_names_do_not() -> None:
    frame = pl.DataFrame(
        {"Enc": ["1", "2", "3"], "q2": STOPS, "q1": STARTS, "q3": ["SQ", "IV", "SC"]}
    )
    suggestion = suggest_columns(frame)
    assert suggestion.column_map.columns == {
        "Enc": "encounter_id",
        "q2": "stop_at",
        "q1": "start_at",
        "q3": "route",
    }
    assert row(suggestion, "q1")["why"] == row(suggestion, "q3")["why"] == "values"
    assert row(suggestion, "q1")["confidence"] == 0.5


def test_a_clock_is_a_clock_whatever_its_name() -> None:
    frame = pl.DataFrame(
        {
            "Enc": ["1"],
            "Service Date": ["2026-03-13"],
            "Start Time": ["09:00"],
            "End Time": ["0930"],
        }
    )
    assert suggest_columns(frame).column_map.columns == {
        "Enc": "encounter_id",
        "Service Date": "start_date",
        "Start Time": "start_clock",
        "End Time": "stop_clock",
    }


def test_a_status_does_not_make_an_event_log() -> None:
    frame = pl.DataFrame(
        {"Enc": ["1", "2", "3"], "Start": STARTS, "End": STOPS, "Status": ["Completed"] * 3}
    )
    suggestion = suggest_columns(frame)
    assert suggestion.shape == "start_stop"
    assert "Status" not in suggestion.column_map.columns


@pytest.mark.parametrize(
    ("name", "values", "unit"),
    [
        ("Duration (min)", ["60", "90", "100"], "min"),
        ("Duration Hours", ["1", "1.5", "2"], "h"),
        ("Infusion Duration", ["1:00", "1:30", "0:45"], "h:mm"),
        ("Duration", ["60", "90", "100"], None),
    ],
)
def test_the_unit_of_a_length(name: str, values: list[str], unit: str | None) -> None:
    suggestion = suggest_columns(
        pl.DataFrame({"Enc": ["1", "2", "3"], "Start": STARTS, name: values})
    )
    assert (suggestion.shape, suggestion.column_map.duration_unit) == ("start_duration", unit)
    asked = any("in minutes or hours" in question for question in suggestion.questions)
    assert asked == (unit is None)


def test_what_is_missing_is_asked() -> None:
    suggestion = suggest_columns(pl.DataFrame({"zzz": ["1"], "Start": STARTS[:1]}))
    assert suggestion.confidence == 0
    asked = [question for question in suggestion.questions if question.startswith("Which column")]
    assert any("encounter_id" in question for question in asked)


def test_day_and_month_are_asked() -> None:
    frame = pl.DataFrame({"Enc": ["1"], "Start": ["3/2/2026 9:00"], "Stop": ["3/2/2026 10:00"]})
    assert any('time_format="month_first"' in q for q in suggest_columns(frame).questions)


def test_two_columns_for_one_are_asked() -> None:
    frame = pl.DataFrame(
        {"Encounter": ["1"], "Visit Number": ["2"], "Start": STARTS[:1], "Stop": STOPS[:1]}
    )
    suggestion = suggest_columns(frame)
    assert suggestion.column_map.columns["Encounter"] == "encounter_id"
    assert row(suggestion, "Visit Number")["column"] is None
    assert row(suggestion, "Visit Number")["runner_up"] == "encounter_id"
    assert any("'Visit Number' may be encounter_id as well" in q for q in suggestion.questions)


def test_stop_clocks_before_start_clocks_are_asked() -> None:
    question = [q for q in suggest_columns(FOLDER / "date_and_clock.csv").questions if "clock" in q]
    assert question[0].startswith("1 stop clocks are before the start clock")


def test_words_of_events_are_asked() -> None:
    asked = suggest_columns(FOLDER / "event_log.csv").questions
    assert "What do these events mean: 'Assess'? State events= in the map." in asked


def test_no_value_is_shown() -> None:
    suggestion = suggest_columns(DIRTY)
    said = repr(suggestion) + str(suggestion.columns.rows()) + str(suggestion.shapes.rows())
    said += repr(suggestion.column_map) + " ".join(suggestion.questions)
    for value in ("SYN-D01", "PUMP-901", "left abdomen", "immune globulin", "Medicare", "2026"):
        assert value not in said


def test_the_preview_is_text_of_the_first_rows() -> None:
    preview = suggest_columns(DIRTY).preview
    assert preview.height == 5
    assert set(preview.dtypes) == {pl.String}
    assert preview["Visit"][0] == "SYN-D01"


def test_what_is_known_is_kept() -> None:
    suggestion = suggest_columns(DIRTY, known={"Note": "drug"})
    assert suggestion.column_map.columns["Note"] == "drug"
    assert row(suggestion, "Note")["why"] == "stated"
    assert row(suggestion, "Medication")["column"] is None


def test_a_stated_shape_is_kept() -> None:
    suggestion = suggest_columns(DIRTY, shape="start_volume_rate")
    assert suggestion.column_map.shape == "start_volume_rate"
    with pytest.raises(InputError, match="shape='rows' is not known"):
        suggest_columns(DIRTY, shape="rows")


# --- files that are opened without being told how -----------------------------------------

TABLE = "CSN;Start Time;Stop Time;Med\nE1;2026-03-13 09:00;2026-03-13 10:00;Île\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_and_titles_are_found(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "e.csv"
    path.write_bytes(("Infusions of March\n\n" + TABLE).encode(encoding))
    suggestion = suggest_columns(path)
    assert suggestion.column_map.header_row == 3
    assert suggestion.preview["Med"].to_list() == ["Île"]
    got = read_administrations(path, columns=suggestion.column_map).administrations.collect()
    assert got["drug"].to_list() == ["Île"]


def test_a_separator_that_the_header_leaves_open(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text(TABLE.replace("Med", "Med, name, or, label"), "utf-8")
    suggestion = suggest_columns(path)
    assert suggestion.column_map.separator == ";"
    assert read_administrations(path, columns=suggestion.column_map).report.height == 5


def test_the_sheet_that_looks_like_charting_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "e.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Cover").write_row(0, 0, ["About"])
        sheet = book.add_worksheet("Runs")
        for place, cells in enumerate(
            ["Infusions", *[line.split(";") for line in TABLE.splitlines()]]
        ):
            sheet.write_row(place, 0, [cells] if isinstance(cells, str) else cells)
    suggestion = suggest_columns(path)
    assert (suggestion.column_map.sheet, suggestion.column_map.header_row) == ("Runs", 2)
    assert suggestion.questions[0] == "Check that of 2 sheets 'Runs' looks most like charting."
    reading = read_administrations(path, columns=suggestion.column_map)
    assert reading.administrations.collect().height == 1


def test_a_large_file_is_only_begun(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text(TABLE + "E1;2026-03-13 09:00;2026-03-13 10:00;x\n" * 200_000, "utf-8")
    assert suggest_columns(path).rows == 2000


def test_parquet_and_typed_frames(tmp_path: Path) -> None:
    frame = pl.DataFrame({"Enc": [1, 2, 3], "Start": STARTS, "Stop": STOPS, "w": [[1], [2], [3]]})
    typed = frame.with_columns(pl.col("Start", "Stop").str.to_datetime())
    typed.write_parquet(tmp_path / "e.parquet")
    for source in (tmp_path / "e.parquet", typed, typed.lazy()):
        suggestion = suggest_columns(source)
        assert suggestion.column_map.columns == {
            "Enc": "encounter_id",
            "Start": "start_at",
            "Stop": "stop_at",
        }


@pytest.mark.parametrize("source", [5, pl.Series([1])])
def test_what_is_no_export(source: object) -> None:
    with pytest.raises(InputError, match="takes a path to a file, or a Polars frame"):
        suggest_columns(source)


def test_an_empty_table_is_only_asked_about() -> None:
    suggestion = suggest_columns(pl.DataFrame(schema={"Enc": pl.String, "Start": pl.String}))
    assert suggestion.rows == 0
    assert row(suggestion, "Enc")["filled"] == 0


def test_every_known_name_means_itself() -> None:
    for target in TARGETS:
        assert name_score(target, target) == 1.0
        assert name_score(target.upper().replace("_", " "), target) == 1.0
    assert name_score("zzz", "site") == 0.0
