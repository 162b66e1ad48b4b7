"""Reading exports. Every row in these files is invented."""

import csv
import io
import sys
import tempfile
import time
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from subq_toolkit.administrations import COLUMNS, REQUIRED, accept
from subq_toolkit.catalog import dataset
from subq_toolkit.effective import read_table
from subq_toolkit.errors import InputError
from subq_toolkit.readers import Reading, read_administrations
from subq_toolkit.readers.charted_fields import name_meant
from subq_toolkit.readers.fhir import read_fhir

NINE, TEN = datetime(2026, 3, 2, 9), datetime(2026, 3, 2, 10)
NEEDED = "encounter_id,start_at,stop_at"
RUN = "E1,2026-03-02 09:00,2026-03-02 10:00"


@pytest.fixture
def read(tmp_path: Path):
    """Write text or bytes as a file and read it."""

    def _read(content: str | bytes, name: str = "export.csv", **stated: object) -> Reading:
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
        return read_administrations(tmp_path / name, **stated)

    return _read


@pytest.fixture
def parquet(tmp_path: Path):
    def _read(frame: pl.DataFrame, **stated: object) -> Reading:
        frame.write_parquet(tmp_path / "export.parquet")
        return read_administrations(tmp_path / "export.parquet", **stated)

    return _read


def rows(reading: Reading) -> list[dict]:
    return reading.administrations.collect().rows(named=True)


def note(reading: Reading, column: str) -> str:
    return reading.report.filter(column=column)["note"].item()


def one_field(read, column: str, *values: str) -> tuple[list, list]:
    lines = [f"{RUN},{value}" for value in values]
    got = read("\n".join([f"{NEEDED},{column}", *lines])).administrations.collect()
    return got[column].to_list(), got["unreadable"].to_list()


# --- a whole file -------------------------------------------------------------------------


def test_a_file_with_the_right_names(read) -> None:
    reading = read(f"{NEEDED},ward note\n{RUN}, kept as it is \n")
    assert rows(reading) == [
        {
            "encounter_id": "E1",
            "start_at": NINE,
            "stop_at": TEN,
            "ward note": " kept as it is ",
            "unreadable": None,
        }
    ]
    schema = reading.administrations.collect_schema()
    assert {n: t for n, t in schema.items() if n in COLUMNS} == {
        n: COLUMNS[n] for n in [*NEEDED.split(","), "unreadable"]
    }


def test_what_was_read_goes_through_accept(read) -> None:
    reading = read(f"{NEEDED},volume_ml\n{RUN},20\n{RUN},twenty\n")
    accepted, refused = (frame.collect() for frame in accept(reading.administrations))
    assert accepted.height == 1
    assert refused.rows() == [(2, "E1", ["every entry could be read"], "volume_ml")]


def test_the_report_and_its_short_form(read) -> None:
    reading = read(
        f"Enc,Start,stop_at,x\n{RUN},1\nE2,soon,,2\n",
        columns={"Enc": "encounter_id", "Start": "start_at"},
    )
    assert reading.report.select("column", "read_from", "rows", "filled", "unreadable").rows() == [
        ("(rows)", "export.csv", 2, 1, 1),
        ("encounter_id", "Enc", 2, 2, 0),
        ("start_at", "Start", 2, 1, 1),
        ("stop_at", "stop_at", 2, 1, 0),
        ("x", "x", 2, None, None),
    ]
    assert repr(reading).splitlines() == [
        "Reading of 'export.csv': 2 rows, 1 with something unreadable; "
        "3 known columns, 1 ride along",
        "  encounter_id <- Enc: text",
        "  start_at <- Start: year-month-day hour:minute, 1 unreadable",
        "  stop_at <- stop_at: year-month-day hour:minute",
    ]
    assert "soon" not in repr(reading) + str(reading.report)


def test_order_of_the_file_is_kept(read) -> None:
    lines = [f"E{i},2026-03-02 09:00,2026-03-02 10:00" for i in range(5000)]
    lines[2500] += ",too,many"
    got = read("\n".join([NEEDED, *lines])).administrations.collect()
    expected = [f"E{i}" if i != 2500 else None for i in range(5000)]
    assert got["encounter_id"].to_list() == expected
    assert got.row(2500, named=True)["unreadable"] == "line"


# --- names of columns ---------------------------------------------------------------------


def test_a_missing_column_is_named_with_the_map_to_type(read) -> None:
    with pytest.raises(InputError) as failed:
        read("CSN,Start Time,End Time,Rate\n1,2026-03-02 09:00,2026-03-02 10:00,5\n")
    message = str(failed.value)
    assert "'export.csv' has no column 'encounter_id' and no column 'start_at'" in message
    assert "start_at may be 'Start Time'" in message
    assert (
        "columns={'CSN': 'encounter_id', 'Start Time': 'start_at', 'End Time': 'stop_at'}"
        in message
    )
    assert "2026-03-02" not in message


def test_the_map_to_type_works(read) -> None:
    mapping = {"CSN": "encounter_id", "Start Time": "start_at", "End Time": "stop_at"}
    reading = read("CSN,Start Time,End Time\n" + RUN, columns=mapping)
    assert rows(reading)[0]["start_at"] == NINE


def test_nothing_alike_asks_for_the_name(read) -> None:
    with pytest.raises(InputError, match=r"Name the column with columns=.'<column that holds stop"):
        read("encounter_id,start_at,zzz\n" + RUN)


def test_capitals_are_not_mapped_silently(read) -> None:
    with pytest.raises(InputError, match=r"stop_at may be 'Stop_At'"):
        read("encounter_id,start_at,Stop_At\n" + RUN)


def test_an_optional_look_alike_rides_along_with_a_note(read) -> None:
    reading = read(f"{NEEDED},Pump ID,ward\n{RUN},A,7\n")
    assert note(reading, "Pump ID") == (
        "rides along; if it is pump_id, read with columns={'Pump ID': 'pump_id'}"
    )
    assert rows(reading)[0]["Pump ID"] == "A"
    assert note(read(f"{NEEDED},zzz\n{RUN},A\n"), "zzz") == ""


def test_a_map_that_names_an_absent_column(read) -> None:
    with pytest.raises(InputError, match=r"no column 'Pmp', which columns= names. Look-alikes: 'P"):
        read(f"{NEEDED},Pump\n{RUN},A", columns={"Pmp": "pump_id"})
    with pytest.raises(InputError, match=r"None is alike. Columns in the file: 'encounter_id'"):
        read(f"{NEEDED},Pump\n{RUN},A", columns={"Qqqq": "pump_id"})


def test_a_map_onto_an_unknown_name_renames(read) -> None:
    assert rows(read(f"{NEEDED},a\n{RUN},x", columns={"a": "shift"}))[0]["shift"] == "x"


@pytest.mark.parametrize("columns", [{"a": "pump_id", "b": "pump_id"}, {"a": "site"}])
def test_two_columns_onto_one_name(read, columns: dict) -> None:
    with pytest.raises(InputError, match=r"would all be '(pump_id|site)'"):
        read(f"{NEEDED},a,b,site\n{RUN},1,2,3", columns=columns)


def test_two_columns_with_one_name(read) -> None:
    with pytest.raises(InputError, match=r"columns 4, 5 share a name with another column \('x'\)"):
        read(f"{NEEDED},x,x\n{RUN},1,2")


def test_blank_names_are_numbered_and_line_breaks_are_blanks(read) -> None:
    reading = read(f'{NEEDED},,"shift\nname"\n{RUN},1,2\n')
    assert reading.administrations.collect_schema().names()[3:5] == ["unnamed_4", "shift name"]


def test_a_header_below_a_title_is_found_and_named(read) -> None:
    text = f"Infusions,,\n\n{NEEDED}\n{RUN}\n"
    with pytest.raises(InputError, match="Row 3 looks like the header, not row 1: state header_ro"):
        read(text)
    assert len(rows(read(text, header_row=3))) == 1


def test_a_file_without_header_shows_none_of_its_values(read) -> None:
    with pytest.raises(InputError, match="Its header row does not look like one") as failed:
        read(f"{RUN}\n{RUN}\n")
    assert "E1" not in str(failed.value)


@pytest.mark.parametrize(
    ("header_row", "says"), [(0, "header_row counts from 1"), (9, "has 2 lines; header_row=9")]
)
def test_header_rows_that_do_not_exist(read, header_row: int, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read(f"{NEEDED}\n{RUN}", header_row=header_row)


def test_every_synonym_of_a_column_means_that_column() -> None:
    vocabulary = read_table("vocabulary")["columns"]
    assert vocabulary.keys() <= COLUMNS.keys()
    for column, words in vocabulary.items():
        assert {name_meant(word, exact=True) for word in [column, *words]} == {column}


# --- fields -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "written", "means"),
    [
        ("route", "SC;SQ;SubQ;sub-q;subcut;S.C.;Subcutaneous", "subcutaneous"),
        ("route", "IV;i.v.;Intravenous", "intravenous"),
        ("setting", "ED;ER;emergency;Emergency Department", "emergency"),
        ("setting", "treatment room;Treatment_Room", "treatment_room"),
        ("mode", "PCA;patient-controlled", "patient_controlled"),
        ("setup_charted", "yes;Y;TRUE;1", True),
        ("setup_charted", "no;N;false;0", False),
        ("volume_ml", "20;20.0; 20 ;2e1;+20", 20.0),
        ("needles", "3;3.0", 3),
        ("pump_id", "A; A ", "A"),
        ("pump_id", "NULL;N/A;;  ", None),
        ("volume_ml", "NULL;\\N;", None),
        ("route", "(null);", None),
    ],
)
def test_fields_as_they_are_written(read, column: str, written: str, means: object) -> None:
    values = written.split(";")
    assert one_field(read, column, *values) == ([means] * len(values), [None] * len(values))


@pytest.mark.parametrize(
    ("column", "written"),
    [
        ("route", "SX;intra"),
        ("setting", "somewhere"),
        ("setup_charted", "maybe;2"),
        ("volume_ml", "20 mL;inf;-inf;nan;1e999;0x10;1_000"),
        ("needles", "2.5;two"),
        ("discharge_at", "soon;2026-03-02"),
    ],
)
def test_what_cannot_be_read_is_null_and_named(read, column: str, written: str) -> None:
    values = written.split(";")
    assert one_field(read, column, *values) == ([None] * len(values), [column] * len(values))


def test_every_unreadable_field_is_named(read) -> None:
    got = rows(read(f"{NEEDED},route,dose_mg\nE1,later,2026-03-02 10:00,SX,much\n"))[0]
    assert got["unreadable"] == "start_at, route, dose_mg"


def test_an_unreadable_column_of_the_file_is_kept(read) -> None:
    got = read(f"{NEEDED},unreadable,dose_mg\n{RUN},stop_at,x\n{RUN},,1\n")
    assert [row["unreadable"] for row in rows(got)] == ["dose_mg, stop_at", None]


def test_the_answers_of_the_vocabulary_are_the_choices() -> None:
    from subq_toolkit.administrations import CHOICES

    answers = read_table("vocabulary")["answers"]
    assert {name: sorted(words) for name, words in answers.items() if name != "truth"} == {
        name: sorted(choices) for name, choices in CHOICES.items()
    }


# --- times --------------------------------------------------------------------------------


def test_times_that_leave_doubt_name_both_columns(read) -> None:
    text = "encounter_id,From,To\nE1,3/2/2026 9:00,3/2/2026 10:00\n"
    mapping = {"From": "start_at", "To": "stop_at"}
    with pytest.raises(InputError, match=r"'From' and 'To'.*time_format=\"month_first\" or") as bad:
        read(text, columns=mapping)
    assert "3/2/2026" not in str(bad.value)
    assert rows(read(text, columns=mapping, time_format="month_first"))[0]["start_at"] == NINE


def test_offsets_give_both_time_columns_the_zone(read) -> None:
    text = f"{NEEDED}\nE1,2026-03-02T15:00Z,2026-03-02 10:00\n"
    with pytest.raises(InputError, match="'start_at': 1 times carry an offset from UTC"):
        read(text)
    got = rows(read(text, facility_zone="America/Chicago"))[0]
    assert (got["start_at"].isoformat(), got["stop_at"].isoformat()) == (
        "2026-03-02T09:00:00-06:00",
        "2026-03-02T10:00:00-06:00",
    )


def test_an_unknown_zone(read) -> None:
    with pytest.raises(InputError, match="facility_zone 'Mars' is not a known time zone"):
        read(f"{NEEDED}\n{RUN}", facility_zone="Mars")


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("2026-03-02 24:00", "1 at 24:00, read as 00:00 of the next day"),
        ("46083.385", "1 look like serial numbers of Excel"),
        ("2026-03-02", "1 have a date but no clock time"),
        ("2026-03-02 09:00", ""),
    ],
)
def test_notes_on_times(read, written: str, says: str) -> None:
    reading = read(f"{NEEDED}\n{RUN}\nE2,{written},\n")
    assert note(reading, "start_at").startswith(says)
    assert bool(note(reading, "start_at")) == bool(says)


def test_a_column_of_midnights_is_remarked_on(read) -> None:
    reading = read(f"{NEEDED}\n" + "E1,2026-03-02 00:00,2026-03-02 10:00\n" * 2)
    assert "every time is 00:00" in note(reading, "start_at")
    assert note(reading, "stop_at") == ""


def test_bare_times_with_a_stated_zone_are_remarked_on(read) -> None:
    reading = read(f"{NEEDED}\n{RUN}", facility_zone="America/Chicago")
    assert rows(reading)[0]["start_at"] == NINE
    assert "state facility_zone again when coding" in note(reading, "start_at")


# --- delimited text -----------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(read, separator: str, end: str) -> None:
    text = end.join([NEEDED, RUN, RUN, ""]).replace(",", separator)
    assert [row["stop_at"] for row in rows(read(text))] == [TEN, TEN]


def test_a_separator_that_cannot_be_told(read) -> None:
    text = "encounter_id,start_at;stop_at\n"
    with pytest.raises(InputError, match="can be split by comma or by semicolon"):
        read(text)
    with pytest.raises(InputError, match="separator must be one character"):
        read(text, separator="::")
    stated = read("encounter_id^start_at^stop_at\n" + RUN.replace(",", "^"), separator="^")
    assert len(rows(stated)) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_that_say_what_they_are(read, encoding: str) -> None:
    got = rows(read(f"{NEEDED},drug\n{RUN},Île\n".encode(encoding)))
    assert got[0]["drug"] == "Île"


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le", "utf-16-be"])
def test_other_encodings_are_named_and_can_be_stated(read, encoding: str) -> None:
    data = f"{NEEDED},drug\n{RUN},Île\n".encode(encoding)
    with pytest.raises(InputError, match=f'encoding="{encoding}"'):
        read(data)
    assert rows(read(data, encoding=encoding))[0]["drug"] == "Île"


def test_another_encoding_far_below_the_start(read) -> None:
    data = f"{NEEDED}\n{RUN}\n".encode() + f"{RUN}\n".encode() * 20_000 + b"\xce\n"
    with pytest.raises(InputError, match=r"not utf-8: line 20,003 holds other bytes"):
        read(data)


def test_an_encoding_nobody_knows(read) -> None:
    with pytest.raises(InputError, match="encoding='utf-9' is not known"):
        read(f"{NEEDED}\n{RUN}", encoding="utf-9")


@pytest.mark.parametrize("odd", [f"{RUN},x,y", f"{RUN},", "E1,2026-03-02 09:00", "E\0,,", "\x1a"])
def test_a_broken_line_is_an_unreadable_row_and_the_rest_is_fine(read, odd: str) -> None:
    reading = read(f"{NEEDED}\n" + f"{RUN}\n" * 40 + f"{odd}\n{RUN}\n")
    got = rows(reading)
    assert [row["unreadable"] for row in got] == [None] * 40 + ["line", None]
    assert got[40]["encounter_id"] is None
    assert note(reading, "(rows)") == "1 lines do not have the 3 fields of the header"


def test_quoted_fields(read) -> None:
    text = f'{NEEDED},site\n{RUN},"left,\nthigh"\n{RUN},"say ""ah"""\n{RUN},""\n"E2","","",x\n'
    assert [row["site"] for row in rows(read(text))] == ["left,\nthigh", 'say "ah"', None, "x"]


@pytest.mark.parametrize("stray", ['5" needle', '"open', 'a "b" c', '"a" b'])
def test_a_stray_quote_swallows_no_line(read, stray: str) -> None:
    got = rows(read(f'{NEEDED},device_note\n{RUN},{stray}\nE2,,,"x"\nE3,,,{stray}\n'))
    assert [row["encounter_id"] for row in got] == ["E1", "E2", "E3"]


def test_a_lone_carriage_return_spoils_only_its_line(read) -> None:
    reading = read(f'{NEEDED},device_note\n{RUN},a\rb "c\nE2,,,"x\n{RUN},"open\n')
    assert [row["encounter_id"] for row in rows(reading)] == [None, "E2", "E1"]


def test_blank_lines_and_rows_without_entries(read) -> None:
    reading = read(f"{NEEDED}\n\n{RUN}\n,,\n\n{RUN}\n,,\n")
    assert len(rows(reading)) == 2
    assert note(reading, "(rows)") == "2 rows without any entry were left out"


@pytest.mark.parametrize("text", [f"{NEEDED}\n", NEEDED])
def test_a_header_alone_is_an_empty_table(read, text: str) -> None:
    reading = read(text)
    assert rows(reading) == []
    assert note(reading, "(rows)") == "a header and no rows"
    assert reading.administrations.collect_schema()["start_at"] == pl.Datetime("us")


@pytest.mark.parametrize("data", [b"", b" \n \n"])
def test_an_empty_file(read, data: bytes) -> None:
    with pytest.raises(InputError, match=r"'export.csv' is empty"):
        read(data)


def test_one_column_only(read) -> None:
    with pytest.raises(InputError, match="no column 'start_at' and no column 'stop_at'"):
        read("encounter_id\nE1\n")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PK\x03\x04rest", "a zip archive or an Excel workbook"),
        (b"PAR1rest", "a Parquet file"),
        (bytes(range(256)) * 40, "holds control or NUL bytes"),
        (b"{" * 300_000, "no end of line in its first 256 kB"),
    ],
)
def test_what_is_no_delimited_text(read, data: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read(data)


@pytest.mark.parametrize("filling", [b"x", b"lorem ipsum, dolor\n", b"\0\1\2\xff"])
def test_a_large_file_that_is_no_table_is_answered_at_once(tmp_path: Path, filling) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.write(filling * (1_000_000 // len(filling)))
        file.truncate(100_000_000)
    began = time.perf_counter()
    with pytest.raises(InputError):
        read_administrations(path)
    assert time.perf_counter() - began < 1


CELLS = st.text(st.sampled_from('ab1 ,;|\t"\nÎ/:-'), max_size=8)


@given(st.lists(CELLS, min_size=1, max_size=8))
def test_any_sound_file_comes_back_as_it_was_written(cells: list[str]) -> None:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(
        [[*NEEDED.split(","), "remark"], *([*RUN.split(","), cell] for cell in cells)]
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.csv"
        path.write_text(written.getvalue(), "utf-8")
        got = read_administrations(path).administrations.collect()
    assert got["remark"].to_list() == [cell or None for cell in cells]
    assert got["unreadable"].null_count() == len(cells)


# --- files --------------------------------------------------------------------------------


def test_a_missing_file_names_the_nearest(read, tmp_path: Path) -> None:
    read(f"{NEEDED}\n{RUN}")
    with pytest.raises(
        InputError, match=r"no file 'exprot.csv' in that folder. Look-alikes there:"
    ):
        read_administrations(tmp_path / "exprot.csv")
    with pytest.raises(InputError, match="Check the path"):
        read_administrations(tmp_path / "nowhere" / "q.csv")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is a folder. Name one file in it"):
        read_administrations(tmp_path)


def test_an_unknown_suffix(read) -> None:
    with pytest.raises(InputError, match=r"suffix '\.doc' is not known. Readable are \.csv"):
        read("x", name="export.doc")


# --- Parquet ------------------------------------------------------------------------------


def test_typed_parquet_stays_as_it_is_and_lazy(parquet) -> None:
    frame = pl.DataFrame(
        {
            "encounter_id": [7, 8],
            "start_at": pl.Series([NINE, None], dtype=pl.Datetime("ns")),
            "stop_at": [TEN, TEN],
            "volume_ml": [20, 30],
            "weights": [[1], [2]],
        }
    )
    reading = parquet(frame)
    assert "PARQUET SCAN" in reading.administrations.explain().upper()
    got = reading.administrations.collect()
    assert got.drop("unreadable").rows() == [
        ("7", NINE, TEN, 20.0, [1]),
        ("8", None, TEN, 30.0, [2]),
    ]
    assert got["unreadable"].null_count() == 2
    assert got.schema["start_at"] == pl.Datetime("us")


def test_text_in_parquet_is_read(parquet) -> None:
    frame = pl.DataFrame(
        {
            "encounter_id": [1.0, 2.0],
            "start_at": ["3/22/2026 9:00", "soon"],
            "stop_at": [TEN, TEN],
            "route": pl.Series(["SC", "SX"], dtype=pl.Categorical),
            "volume_ml": [float("nan"), 3.0],
            "setup_charted": [1, 0],
            "needles": pl.Series([2, 3], dtype=pl.Int8),
        }
    )
    got = parquet(frame).administrations.collect()
    assert got["encounter_id"].to_list() == ["1", "2"]
    assert got["start_at"].to_list() == [datetime(2026, 3, 22, 9), None]
    assert got["setup_charted"].to_list() == [True, False]
    assert got["unreadable"].to_list() == ["volume_ml", "start_at, route"]


def test_zones_of_typed_times(parquet) -> None:
    frame = pl.DataFrame({"encounter_id": ["1"], "start_at": [NINE], "stop_at": [TEN]})
    zoned = frame.with_columns(pl.col("start_at", "stop_at").dt.replace_time_zone("UTC"))
    with pytest.raises(InputError, match=r"'start_at' holds universal time \(UTC\)"):
        parquet(zoned)
    got = rows(parquet(zoned, facility_zone="America/Chicago"))[0]
    assert got["start_at"].isoformat() == "2026-03-02T03:00:00-06:00"
    local = zoned.with_columns(pl.col("start_at", "stop_at").dt.convert_time_zone("Asia/Tokyo"))
    assert parquet(local).administrations.collect_schema()["start_at"].time_zone == "Asia/Tokyo"


def test_typed_and_written_times_side_by_side(parquet) -> None:
    frame = pl.DataFrame(
        {"encounter_id": ["1"], "start_at": [NINE], "stop_at": ["2026-03-02 10:00"]}
    ).with_columns(pl.col("start_at").dt.replace_time_zone("America/Chicago"))
    got = rows(parquet(frame, facility_zone="America/Chicago"))[0]
    assert (got["stop_at"] - got["start_at"]).total_seconds() == 3600


@pytest.mark.parametrize(
    ("start", "says"),
    [
        (date(2026, 3, 2), "'start_at' holds dates without a clock time"),
        (TEN.time(), "'start_at' holds clock times without a date"),
        (TEN - NINE, "'start_at' holds lengths of time"),
        ([NINE], None),
    ],
)
def test_columns_that_hold_no_date_and_time(parquet, start: object, says: str | None) -> None:
    frame = pl.DataFrame({"encounter_id": ["1"], "start_at": [start], "stop_at": [TEN]})
    with pytest.raises(InputError, match=says or "'start_at' holds List values"):
        parquet(frame)


def test_numbers_are_no_times(parquet) -> None:
    frame = pl.DataFrame({"encounter_id": ["1"], "start_at": [46083.385], "stop_at": [None]})
    reading = parquet(frame)
    assert rows(reading)[0]["unreadable"] == "start_at"
    assert note(reading, "start_at") == "numbers are not read as times"


def test_a_damaged_parquet_file(read) -> None:
    with pytest.raises(InputError, match="is not a Parquet file, or it is damaged"):
        read(b"PAR1 nothing", name="export.parquet")


# --- Excel --------------------------------------------------------------------------------


@pytest.fixture
def workbook(tmp_path: Path):
    """Write cells to sheets of a workbook and read one."""

    def _read(sheets: dict[str, list[list]], **stated: object) -> Reading:
        path = tmp_path / "export.xlsx"
        with xlsxwriter.Workbook(path, {"default_date_format": "m/d/yyyy h:mm"}) as book:
            for name, cells in sheets.items():
                sheet = book.add_worksheet(name)
                for place, row in enumerate(cells):
                    sheet.write_row(place, 0, row)
        return read_administrations(path, **stated)

    return _read


HEADER = NEEDED.split(",")


def test_a_damaged_workbook(workbook, tmp_path: Path) -> None:
    workbook({"Runs": [HEADER, ["E1", NINE, TEN]]})
    path = tmp_path / "export.xlsx"
    path.write_bytes(path.read_bytes().replace(b"PK\x01\x02", b"PK\x00\x00"))
    with pytest.raises(InputError, match="is a damaged workbook: its parts cannot"):
        read_administrations(path)


def test_date_cells_and_text_cells_side_by_side(workbook) -> None:
    cells = [[*HEADER, "volume_ml"], ["E1", NINE, "2026-03-02 10:00", 20.5], [2, TEN, None, 3]]
    assert rows(workbook({"Runs": cells})) == [
        dict(zip([*HEADER, "volume_ml", "unreadable"], row, strict=True))
        for row in [("E1", NINE, TEN, 20.5, None), ("2", TEN, None, 3.0, None)]
    ]


def test_formulas_are_not_run_and_their_errors_are_empty(workbook) -> None:
    cells = [HEADER, ["E1", NINE, "=1/0"], ["E2", NINE, TEN]]
    assert rows(workbook({"Runs": cells}))[0]["start_at"] == NINE


def test_a_sheet_must_be_stated_if_there_are_several(workbook) -> None:
    sheets = {"Cover": [["x"]], "Runs": [HEADER, ["E1", NINE, TEN]]}
    with pytest.raises(InputError, match=r"has 2 sheets: 'Cover', 'Runs'. State one with sheet="):
        workbook(sheets)
    assert len(rows(workbook(sheets, sheet="Runs"))) == len(rows(workbook(sheets, sheet=2))) == 1
    with pytest.raises(InputError, match=r"has no sheet 'Rnus'. It has 'Cover', 'Runs'"):
        workbook(sheets, sheet="Rnus")
    with pytest.raises(InputError, match="has no sheet 3"):
        workbook(sheets, sheet=3)


def test_title_and_group_rows_above_the_header(workbook) -> None:
    cells = [["Infusions of March"], [], ["Who", "When"], HEADER, ["E1", NINE, TEN], [], [None]]
    with pytest.raises(InputError, match="Row 4 looks like the header, not row 1: state header_ro"):
        workbook({"Runs": cells})
    assert len(rows(workbook({"Runs": cells}, header_row=4))) == 1


def test_a_sheet_without_the_header_row(workbook) -> None:
    with pytest.raises(InputError, match="'Empty' has 0 rows, none is header_row=1"):
        workbook({"Empty": []})


def test_excel_alone_does_not_settle_day_and_month(workbook) -> None:
    cells = [HEADER, ["E1", NINE, "3/2/2026 10:00"]]
    with pytest.raises(InputError, match="both as month/day and as day/month"):
        workbook({"Runs": cells})


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"text", "is not an Excel workbook, whatever its suffix says"),
        (b"PK\x03\x04", "is a damaged workbook: its parts cannot be unpacked"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "could not be opened as a workbook"),
    ],
)
def test_what_is_no_workbook(read, data: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read(data, name="export.xlsx")


def test_a_workbook_that_unpacks_to_too_much(workbook, monkeypatch) -> None:
    monkeypatch.setattr("subq_toolkit.readers.workbook_extent.MOST_BYTES", 1000)
    with pytest.raises(InputError, match=r"unpacks to .* GB, more than the"):
        workbook({"Runs": [HEADER]})


def test_without_fastexcel_the_message_says_how_to_install_it(workbook, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    with pytest.raises(InputError, match=r"pip install 'subq_toolkit\[excel\]'"):
        workbook({"Runs": [HEADER]})


# ---------------------------------------------------------------- FHIR by its suffix


@pytest.mark.parametrize("name", ["fhir_r4.ndjson", "fhir_r5_bundle.json"])
def test_a_fhir_export_is_known_by_its_suffix(name):
    path = dataset("clinical_exports") / name
    by_suffix = read_administrations(path, facility_zone="America/New_York")
    by_name = read_fhir(path, facility_zone="America/New_York")
    assert_frame_equal(by_suffix.administrations.collect(), by_name.administrations.collect())


def test_a_fhir_export_takes_no_columns():
    path = dataset("clinical_exports") / "fhir_r4.ndjson"
    with pytest.raises(InputError, match=r"names its own entries\. Leave out columns, separator"):
        read_administrations(
            path, columns={"a": "b"}, separator=";", facility_zone="America/New_York"
        )


def test_a_fhir_export_needs_the_zone():
    with pytest.raises(InputError, match="State the zone"):
        read_administrations(dataset("clinical_exports") / "fhir_r4.ndjson")


# ---------------------------------------------------------------- faults below a reader


def test_a_stray_cell_far_out_is_refused_before_the_table_is_made(tmp_path):
    path = tmp_path / "far.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["encounter_id", "start_at", "stop_at"])
    sheet.write_string(1_048_575, 16_383, "x")
    book.close()
    with pytest.raises(InputError, match="reaches to row 1,048,576 and column 16,384"):
        read_administrations(path)


def test_a_time_beyond_what_can_be_kept_costs_its_row_only(tmp_path):
    path = tmp_path / "far.parquet"
    far = pl.Series([1_772_442_000_000, 2**62], dtype=pl.Int64).cast(pl.Datetime("ms"))
    times = {"start_at": far, "stop_at": [datetime(2026, 3, 2, 10)] * 2}
    pl.DataFrame({"encounter_id": ["E1", "E2"], **times}).write_parquet(path)
    got = read_administrations(path).administrations.collect()
    assert got["start_at"].to_list() == [datetime(2026, 3, 2, 9), None]
    assert got["unreadable"].to_list() == [None, "start_at"]


def test_a_damaged_page_is_said(tmp_path):
    path = tmp_path / "damaged.parquet"
    rows = {name: [f"{name} {number}" for number in range(500)] for name in REQUIRED}
    pl.DataFrame(rows).write_parquet(path)
    held = bytearray(path.read_bytes())
    held[40:400] = bytes(360)
    path.write_bytes(bytes(held))
    with pytest.raises(InputError, match=r"'damaged\.parquet'"):
        read_administrations(path)


@pytest.mark.parametrize("before", [0, 18, 19, 40])
def test_a_long_field_costs_nothing_wherever_it_stands(read, before):
    lines = [f"{RUN},ok"] * before + [f'{RUN},"{"x" * 140_000}"', f"{RUN},ok"]
    got = read("\n".join([f"{NEEDED},note", *lines])).administrations.collect()
    assert got["note"].str.len_chars().to_list() == [2] * before + [140_000, 2]
    assert got["unreadable"].null_count() == before + 2


def test_a_long_field_without_quotes_among_stray_quotes(read):
    text = f'{NEEDED},note\n{RUN},{"x" * 140_000}\n{RUN},5" tube\n{RUN},"open\n'
    got = read(text).administrations.collect()
    assert got["unreadable"].to_list() == [None] * 3


def test_a_header_that_is_longer_than_any_name(read):
    with pytest.raises(InputError, match="its header holds a name that is longer than any"):
        read(f'{NEEDED},"{"x" * 140_000}"\n{RUN},1\n')
    with pytest.raises(InputError, match="no end of line in its first 256 kB"):
        read(f"{NEEDED},{'x,' * 140_000}\n{RUN},1\n")


def test_a_name_longer_than_any_file_is_said():
    with pytest.raises(InputError, match="cannot be opened as a file"):
        read_administrations("x" * 300 + ".csv")
