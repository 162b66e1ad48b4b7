"""Files that try to be misread: line ends, encodings, headers, workbooks, paths. All invented."""

import io
import os
import random
import struct
import tempfile
import time
import tracemalloc
import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

import subq_toolkit as sq
from subq_toolkit.charges import accept_charges, read_charges
from subq_toolkit.errors import InputError
from subq_toolkit.facility_time import _BELIEVED
from subq_toolkit.readers import Reading, check_counts, read_administrations, suggest_columns
from subq_toolkit.readers import workbook_extent as extent
from subq_toolkit.time_formats import END_OF_TIMES, FIRST_MOMENT

NEEDED = "encounter_id,start_at,stop_at,route"
RUN = "E1,2026-03-02 09:00,2026-03-02 10:00,SC"
CHARGE = "encounter_id,service_date,code,units"
LINE = "E1,2026-03-02,96369,1"
READERS = (read_administrations, read_charges, suggest_columns)


@pytest.fixture
def file(tmp_path: Path):
    """Write a file and hand back its path."""

    def _file(content: str | bytes, name: str = "export.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return _file


def ids(reading: Reading) -> list:
    return reading.administrations.collect()["encounter_id"].to_list()


# --- line ends ----------------------------------------------------------------------------

BODY = [RUN, RUN.replace("E1", "E2"), RUN.replace("E1", "E3")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_a_title_above_the_header_costs_no_row_whatever_ends_a_line(file, end: str) -> None:
    path = file(end.join(["Report of March", NEEDED, *BODY, ""]))
    suggested = suggest_columns(path).column_map
    assert suggested.header_row == 2
    for reading in (
        read_administrations(path, header_row=2),
        read_administrations(path, columns=suggested),
    ):
        assert ids(reading) == ["E1", "E2", "E3"]
        assert reading.report["note"][0] == ""


def test_a_title_that_ends_otherwise_than_the_rest(file) -> None:
    path = file(f"Report of March\r{NEEDED}\n" + "\n".join(BODY))
    assert suggest_columns(path).column_map.header_row == 2
    assert ids(read_administrations(path, header_row=2)) == ["E1", "E2", "E3"]


@pytest.mark.parametrize(
    ("name", "read_as"),
    [('"Note\rtext"', "Note text"), ('"a\rb\rc\nd"', "a b c d"), ('"a\r\nb"', "a b")],
)
def test_a_line_end_inside_of_a_name_costs_no_row(file, name: str, read_as: str) -> None:
    path = file(f"{NEEDED},{name}\n" + "".join(f"{row},x\n" for row in BODY))
    reading = read_administrations(path)
    assert ids(reading) == ["E1", "E2", "E3"]
    assert reading.administrations.collect_schema().names()[4] == read_as


def test_a_carriage_return_inside_of_a_field_is_part_of_it(file) -> None:
    late = "E2,2026-03-02 09:00\r,2026-03-02 10:00,SC"
    got = read_administrations(file(f"{NEEDED}\n{RUN}\n{late}\n{RUN}\n")).administrations.collect()
    assert got["start_at"].to_list() == [datetime(2026, 3, 2, 9)] * 3
    assert got["unreadable"].null_count() == 3


def test_old_line_ends_with_a_line_feed_inside_of_quotes(file) -> None:
    text = "\r".join([f"{NEEDED},note", *(f'{row},"two\nlines"' for row in BODY), ""])
    assert ids(read_administrations(file(text))) == ["E1", "E2", "E3"]


def test_a_quote_left_open_in_the_header_takes_no_row_and_shows_none(file) -> None:
    path = file(f'{NEEDED},"note\n' + "".join(f"{row},x\n" for row in BODY))
    assert ids(read_administrations(path)) == ["E1", "E2", "E3"]
    with pytest.raises(InputError) as failed:
        read_administrations(file('encounter_id,start_at,"stop\n' + f"{RUN}\n" * 3))
    assert "2026" not in str(failed.value)


TEXT = st.text(st.sampled_from("ab \r\n"), max_size=40)


@settings(max_examples=30, deadline=None)
@given(title=TEXT, body=TEXT, end=st.sampled_from(["\n", "\r\n", "\r", "\r\r\n"]))
def test_rows_are_the_lines_below_the_header(title: str, body: str, end: str) -> None:
    """A slow count of lines: without quotes, what ends the first line of the file ends any."""
    above = title.split("\n")[0].split("\r")[0]
    text = f"{above}{end}{NEEDED}{end}{body}"
    lines = text.replace("\r\r\n", "\n").replace("\r\n", "\n")
    while "\r\n" in lines:
        lines = lines.replace("\r\n", "\n")
    if end == "\r":
        lines = lines.replace("\r", "\n")
    below = [line for line in lines.split("\n")[2:] if line.strip("\r")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.csv"
        path.write_bytes(text.encode())
        report = read_administrations(path, header_row=2).report
    assert report["rows"][0] == len(below)


# --- encodings ----------------------------------------------------------------------------

WIDE = ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]


@pytest.mark.parametrize("encoding", WIDE)
def test_wide_text_without_a_mark_is_named_and_read(file, encoding: str) -> None:
    path = file("\n".join([NEEDED, *BODY, ""]).encode(encoding))
    for stated in ("utf-8", "cp1252", *(one for one in WIDE if one != encoding)):
        with pytest.raises(InputError, match=f'encoding="{encoding}"'):
            read_administrations(path, encoding=stated)
    suggested = suggest_columns(path).column_map
    assert suggested.encoding == encoding
    assert ids(read_administrations(path, columns=suggested)) == ["E1", "E2", "E3"]


@pytest.mark.parametrize("mark", [b"\xff\xfe\0\0", b"\0\0\xfe\xff"])
def test_text_of_four_bytes_with_a_mark(file, mark: bytes) -> None:
    order = "utf-32-le" if mark[0] else "utf-32-be"
    path = file(mark + "\n".join([NEEDED, *BODY]).encode(order))
    assert ids(read_administrations(path)) == ["E1", "E2", "E3"]


@pytest.mark.parametrize(("encoding", "cut"), [("utf-16", 1), ("utf-32", 3), ("utf-8", 1)])
def test_text_that_ends_inside_of_a_character_is_cut_short(file, encoding: str, cut: int) -> None:
    data = f"{NEEDED}\n{RUN}É".encode(encoding)[:-cut]
    with pytest.raises(InputError, match=r"is cut short: as utf-.* ends inside of a character"):
        read_administrations(file(data))


@pytest.mark.parametrize("encoding", ["utf\0", "", "rot13", "hex", "undefined", "\ud800", 5])
def test_what_is_no_encoding(file, encoding: object) -> None:
    path = file(f"{CHARGE}\n{LINE}\n")
    if encoding == "":
        encoding = "x" * 5000
    with pytest.raises(InputError, match=r"is not known. Common: utf-8"):
        read_charges(path, encoding=encoding)


def test_an_encoding_that_the_file_is_not_in(file) -> None:
    path = file(f"{NEEDED}\n{RUN}\n")
    with pytest.raises(InputError, match='likely utf-8: read it with encoding="utf-8"'):
        read_administrations(path, encoding="utf-32")


# --- headers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    [
        "JANE ROE,2026-03-02 09:00,Start,Pump",
        "JANE ROE,3/2/26 9:00,start,pump",
        "JANE ROE,4711,start",
        "JANE ROE,20.5,route",
        "JANE ROE,02-Mar-2026,stop,rate,route",
        "JANE ROE,start,start,09:15",
        "_JANE ROE,start,09:15",
    ],
)
def test_a_row_of_data_with_known_words_is_not_shown(file, row: str) -> None:
    path = file(f"{row}\n{row}\n")
    for stated in ({}, {"columns": {"JANE RO": "encounter_id"}}):
        for reader in (read_administrations, read_charges):
            with pytest.raises(InputError) as failed:
                reader(path, **stated)
            assert not any(word in str(failed.value) for word in ("ROE", "4711", "09:", "Mar"))


def test_one_known_name_and_no_number_is_a_header(file) -> None:
    with pytest.raises(InputError, match="Columns in the file: 'encounter_id', 'From', 'To'"):
        read_administrations(file("encounter_id,From,To\nE1,a,b\n"))


def test_a_file_without_header_is_not_suggested_from(file) -> None:
    path = file(f"{RUN}\n{RUN}\n")
    with pytest.raises(InputError, match="none of its first rows looks like a header") as failed:
        suggest_columns(path)
    assert "E1" not in str(failed.value)
    assert suggest_columns(path, header_row=1).rows == 1


# --- names that Polars takes for patterns -------------------------------------------------

PATTERNS = ["*", "^.*$", "^pay.*$", "^encounter_id$"]


def with_patterns() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "encounter_id": ["E1", "E2"],
            "start_at": [datetime(2026, 3, 2, 9)] * 2,
            "stop_at": [datetime(2026, 3, 2, 10)] * 2,
            "payer": ["A", "A"],
            **{name: [f"{name} 1", f"{name} 2"] for name in PATTERNS},
        }
    )


@pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx"])
def test_patterns_are_names_in_files(tmp_path: Path, kind: str) -> None:
    path, table = tmp_path / f"export.{kind}", with_patterns()
    if kind == "parquet":
        table.write_parquet(path)
    elif kind == "csv":
        table.write_csv(path)
    else:
        table.write_excel(path)
    got = read_administrations(path).administrations.collect()
    assert got.columns == [*table.columns, "unreadable"]
    assert got.select(pl.nth(range(4, 8))).rows() == table.select(pl.nth(range(4, 8))).rows()
    assert suggest_columns(path).columns["read_from"].to_list() == table.columns
    assert check_counts(path, suggest_columns(path).column_map)["count"][0] == 2
    mapped = read_administrations(path, columns={"*": "site", "^.*$": "drug"})
    assert mapped.administrations.collect()["site"].to_list() == ["* 1", "* 2"]


def test_patterns_are_names_when_runs_are_coded() -> None:
    coded = sq.code_administrations(with_patterns())
    assert coded.accepted.collect().columns == with_patterns().columns
    encounters = coded.encounters.sort("encounter_id").collect()
    assert encounters["*_given"].to_list() == ["* 1", "* 2"]
    assert encounters["^.*$_given"].to_list() == ["^.*$ 1", "^.*$ 2"]
    assert coded.reconcile()["coded"] == 2


def test_patterns_are_names_in_charges(file) -> None:
    held = ",".join(PATTERNS)
    path = file(f"{CHARGE},payer,{held}\n{LINE},A,1,2,3,4\n")
    got = read_charges(path).charges.collect()
    assert got.row(0)[4:9] == ("A", "1", "2", "3", "4")
    assert accept_charges(got).accepted.collect().columns[-5:] == [*PATTERNS, "_row"]
    joined = read_charges(path, columns={"*": "modifiers", "^.*$": "modifiers"}).charges.collect()
    assert joined["modifiers"].to_list() == ["1 2"]


# --- times and numbers beyond what is believed --------------------------------------------


def test_the_believed_years_are_those_that_coding_believes() -> None:
    assert [one.replace(tzinfo=None) for one in _BELIEVED] == [FIRST_MOMENT, END_OF_TIMES]


@pytest.mark.parametrize(
    ("written", "readable"),
    [
        ("1899-12-31 23:59", False),
        ("1900-01-01 00:00", True),
        ("2399-12-31 23:59", True),
        ("2399-12-31 24:00", False),
        ("2400-01-01 00:00", False),
        ("9999-12-31 24:00", False),
    ],
)
def test_years_in_text(file, written: str, readable: bool) -> None:
    text = f"{NEEDED}\n{RUN}\nE2,2026-03-02 09:00,{written},SC\n"
    for stated in ({}, {"time_format": "%Y-%m-%d %H:%M"}):
        if stated and "24:00" in written:
            continue
        got = read_administrations(file(text), **stated).administrations.collect()
        assert got["unreadable"].to_list() == [None, None if readable else "stop_at"]
        assert got["stop_at"].to_list()[0] == datetime(2026, 3, 2, 10)


def test_a_stated_format_reads_no_year_of_five_figures(file) -> None:
    text = f"{NEEDED}\n{RUN}\nE2,2026-03-02 09:00,+12026-03-02 10:00,SC\n"
    got = read_administrations(file(text), time_format="%Y-%m-%d %H:%M").administrations.collect()
    assert got["unreadable"].to_list() == [None, "stop_at"]
    assert got.rows()


TICKS = {"ms": 10**3, "us": 10**6, "ns": 10**9}


@pytest.mark.parametrize("unit", TICKS)
@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_typed_times_far_out_cost_their_row_only(tmp_path: Path, unit: str, zone) -> None:
    good = int((datetime(2026, 3, 2, 14) - datetime(1970, 1, 1)).total_seconds()) * TICKS[unit]
    far = -(2**62) if unit == "ns" else 2**62
    ticks = [good, far, -(2**62), None]
    odd = pl.Series(ticks, dtype=pl.Int64).cast(pl.Datetime(unit, zone))
    table = pl.DataFrame({"encounter_id": list("abcd"), "start_at": odd, "stop_at": odd})
    table.write_parquet(tmp_path / "far.parquet")
    reading = read_administrations(tmp_path / "far.parquet")
    got = reading.administrations.collect()
    assert got["unreadable"].to_list() == [None, *["start_at, stop_at"] * 2, None]
    assert got["start_at"].null_count() == 3
    assert got.rows()
    assert reading.report["unreadable"].to_list()[:3] == [2, 0, 2]
    assert suggest_columns(tmp_path / "far.parquet").columns["filled"].to_list() == [1, 0.75, 0.75]


def test_dates_in_two_columns_far_out_are_unreadable(tmp_path: Path) -> None:
    days = pl.Series([20_000, 2**31 - 1, -(2**31)], dtype=pl.Int32).cast(pl.Date)
    clocks = {"start_clock": ["09:00"] * 3, "stop_clock": ["10:00"] * 3}
    table = pl.DataFrame({"encounter_id": list("abc"), "start_date": days, **clocks})
    table.write_parquet(tmp_path / "two.parquet")
    got = read_administrations(tmp_path / "two.parquet").administrations.collect()
    assert got["unreadable"].to_list() == [None, *["start_at, stop_at"] * 2]


@pytest.mark.parametrize("kind", [pl.Date, pl.Datetime("ms"), pl.Datetime("us"), pl.String])
def test_dates_of_service_far_out_cost_their_line_only(tmp_path: Path, kind) -> None:
    if kind == pl.String:
        days = pl.Series(["2026-03-02", "2400-01-01", "1899-12-31"])
    elif kind == pl.Date:
        days = pl.Series([20_514, 2**31 - 1, -(2**31)], dtype=pl.Int32).cast(pl.Date)
    else:
        day = 86_400 * TICKS[kind.time_unit]
        days = pl.Series([20_514 * day, 2**62, -(2**62)], dtype=pl.Int64).cast(kind)
    columns = {"code": "96369", "units": 1}
    table = pl.DataFrame({"encounter_id": list("abc"), "service_date": days}).with_columns(
        **{name: pl.lit(value) for name, value in columns.items()}
    )
    table.write_parquet(tmp_path / "far.parquet")
    got = read_charges(tmp_path / "far.parquet").charges.collect()
    assert got["service_date"].to_list() == [date(2026, 3, 2), None, None]
    assert got["unreadable"].to_list() == [None, "service_date", "service_date"]


def test_an_amount_of_400_figures_is_none(file) -> None:
    path = file(f"{CHARGE},charge_usd\n{LINE},{'9' * 400}\n{LINE},12.5\n")
    got = read_charges(path).charges.collect()
    assert got["charge_usd"].to_list() == [None, 12.5]
    assert got["unreadable"].to_list() == ["charge_usd", None]


ODD = {
    "list": [["a"]],
    "struct": [{"a": 1}],
    "bytes": [b"\xff"],
    "length": [timedelta(minutes=90)],
}


@pytest.mark.parametrize("held", ODD.values(), ids=ODD)
@pytest.mark.parametrize("name", ["encounter_id", "service_date", "units", "charge_usd", "status"])
def test_columns_of_a_kind_that_no_charge_has(tmp_path: Path, name: str, held: list) -> None:
    line = {"encounter_id": "E1", "service_date": date(2026, 3, 2), "code": "96369", "units": 1}
    table = pl.DataFrame([line]).with_columns(pl.Series(name, held))
    table.write_parquet(tmp_path / "odd.parquet")
    with pytest.raises(InputError, match=f"Column '{name}' holds"):
        read_charges(tmp_path / "odd.parquet")
    with pytest.raises(InputError, match=f"Column '{name}' holds"):
        accept_charges(table)


@pytest.mark.parametrize("held", ODD.values(), ids=ODD)
def test_suggestions_from_columns_of_any_kind(tmp_path: Path, held: list) -> None:
    run = {"encounter_id": "E1", "start_at": datetime(2026, 3, 2, 9), "route": "SC"}
    table = pl.DataFrame([run]).with_columns(pl.Series("odd", held))
    table.write_parquet(tmp_path / "odd.parquet")
    for source in (table, tmp_path / "odd.parquet"):
        assert suggest_columns(source).columns["read_from"].to_list() == [*run, "odd"]


# --- workbooks ----------------------------------------------------------------------------

HEADER = ["encounter_id", "start_at", "stop_at"]
CELLS = [HEADER, ["E1", "2026-03-02 09:00", "2026-03-02 10:00"]]
SHEET, TEXTS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
FAR = "reaches to row 1,048,576 and column 16,384, more than the 12,582,912"


@pytest.fixture
def book(tmp_path: Path):
    """Write a sound workbook, with its parts changed by name."""

    def _book(change=lambda name, data: data, *, rename: dict | None = None) -> Path:
        held = io.BytesIO()
        with xlsxwriter.Workbook(held) as written:
            sheet = written.add_worksheet("Runs")
            for place, row in enumerate(CELLS):
                sheet.write_row(place, 0, row)
        path = tmp_path / "export.xlsx"
        with zipfile.ZipFile(held) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
            for name in old.namelist():
                new.writestr((rename or {}).get(name, name), change(name, old.read(name)))
        return path

    return _book


def replaced(old: bytes, new: bytes, part: str = SHEET):
    return lambda name, data: data.replace(old, new) if name == part else data


@pytest.mark.parametrize(
    "spelt",
    [
        b"r='XFD1048576'",
        b'r = "XFD1048576"',
        b'r="xfd1048576"',
        b"s='0' r='XFD1048576'",
        b"r" + b" " * 2_000_000 + b"= 'XFD1048576'",
    ],
    ids=["single quotes", "blanks", "lower case", "after another", "many blanks"],
)
def test_a_stray_cell_is_found_however_it_is_spelt(book, spelt: bytes) -> None:
    with pytest.raises(InputError, match=FAR):
        read_administrations(book(replaced(b'r="C2"', spelt)))


def test_a_stray_cell_in_a_sheet_that_stands_elsewhere(book) -> None:
    def change(name: str, data: bytes) -> bytes:
        if name.endswith(".rels"):
            return data.replace(b"worksheets/sheet1.xml", b"tables/s.xml")
        return data.replace(b'r="C2"', b'r="XFD1048576"') if name == SHEET else data

    with pytest.raises(InputError, match=FAR):
        read_administrations(book(change, rename={SHEET: "xl/tables/s.xml"}))


def test_a_stray_cell_behind_a_prefix(book) -> None:
    def prefixed(name: str, data: bytes) -> bytes:
        if name == SHEET:
            for tag in (b"worksheet", b"sheetData", b"row", b"c", b"v"):
                for end in (b" ", b">"):
                    data = data.replace(b"<" + tag + end, b"<x:" + tag + end)
                    data = data.replace(b"</" + tag + end, b"</x:" + tag + end)
            data = data.replace(b"xmlns=", b"xmlns:x=")
        return data

    def far(name: str, data: bytes) -> bytes:
        return prefixed(name, data).replace(b'r="C2"', b'r="XFD1048576"')

    with pytest.raises(InputError, match=FAR):
        read_administrations(book(far))


def test_a_far_row_of_cells_without_places(book) -> None:
    def change(name: str, data: bytes) -> bytes:
        if name == SHEET:
            data = data.replace(b'<row r="2"', b'<row r="1048577"')
            for place in (b"A2", b"B2", b"C2"):
                data = data.replace(b' r="' + place + b'"', b"")
        return data

    with pytest.raises(InputError, match="reaches to row 1,048,577 and column 3"):
        read_administrations(book(change))


def test_cells_that_only_have_a_format_reach_nowhere(book) -> None:
    blank = b'<row r="1048576"><c r="XFD1048576" s="0"/></row></sheetData>'
    assert ids(read_administrations(book(replaced(b"</sheetData>", blank)))) == ["E1"]


def test_the_largest_sheet_that_is_read(book, monkeypatch) -> None:
    monkeypatch.setattr(extent, "MOST_CELLS", 6)
    assert ids(read_administrations(book())) == ["E1"]
    monkeypatch.setattr(extent, "MOST_CELLS", 5)
    with pytest.raises(InputError, match="reaches to row 2 and column 3, more than the 5 cells"):
        read_administrations(book(replaced(b"<sheetData>", b"<sheetData><!-- -->")))


def test_a_long_text_that_many_cells_share(book, monkeypatch) -> None:
    def change(name: str, data: bytes) -> bytes:
        if name == TEXTS:
            return data.replace(b"</sst>", b"<si><t>" + b"x" * 30_000 + b"</t></si></sst>")
        cell = b'<row r="%d"><c r="A%d" t="s"><v>6</v></c></row>'
        rows = b"".join(cell % (row, row) for row in range(3, 1003))
        return data.replace(b"</sheetData>", rows + b"</sheetData>") if name == SHEET else data

    monkeypatch.setattr(extent, "MOST_TEXT", 40_000_000)
    assert read_administrations(book(change)).report["rows"][0] == 1001
    monkeypatch.setattr(extent, "MOST_TEXT", 20_000_000)
    path = book(change)
    os.utime(path, ns=(1, 1))
    with pytest.raises(InputError, match="holds more than the 19 MB of text"):
        read_administrations(path)


def test_a_part_that_unpacks_to_more_than_it_says(book) -> None:
    path = book(replaced(b"</sheetData>", b"</sheetData>" + b" " * 20_000_000))
    data = bytearray(path.read_bytes())
    entry = data.rfind(b"PK\x01\x02", 0, data.rfind(SHEET.encode()))
    data[entry + 24 : entry + 28] = struct.pack("<I", 2000)
    path.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(InputError, match="is a damaged workbook"):
        read_administrations(path)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_workbooks_that_are_damaged_cut_or_packed_otherwise(book) -> None:
    sound = book().read_bytes()
    with zipfile.ZipFile(io.BytesIO(sound)) as packed:
        at = packed.getinfo(SHEET).header_offset + 30 + len(SHEET) + 20
    flipped, method = bytearray(sound), bytearray(sound)
    flipped[at] ^= 255
    for mark, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        found = sound.find(mark)
        while found >= 0:
            method[found + place] = 9
            found = sound.find(mark, found + 1)
    for data in (flipped, method, sound[:-30], sound[:200]):
        path = book()
        path.write_bytes(data)
        for reader in READERS:
            with pytest.raises(InputError, match=r"is a damaged workbook.*Copy it again"):
                reader(path)


def test_workbooks_with_a_password(book, file) -> None:
    data = bytearray(book().read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        found = data.find(mark)
        while found >= 0:
            data[found + place] |= 1
            found = data.find(mark, found + 1)
    locked = b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(99)
    for content in (bytes(data), locked):
        path = file(content, "locked.xlsx")
        for reader in READERS:
            with pytest.raises(InputError, match=r"is protected by a password\. Open it in Excel"):
                reader(path)


def test_changed_workbooks_give_a_reading_or_say_why_not(book) -> None:
    sound, chance = book().read_bytes(), random.Random(4)
    for _ in range(60):
        data = bytearray(sound)
        for _ in range(chance.choice([1, 3, 20])):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path = book()
        path.write_bytes(data[: chance.randrange(9, len(data))] if chance.random() < 0.2 else data)
        for reader in READERS:
            try:
                reader(path)
            except InputError:
                continue


def record(kind: int, data: bytes = b"") -> bytes:
    """A record of a binary workbook."""
    head = bytes([kind]) if kind < 128 else bytes([kind & 127 | 128, kind >> 7])
    return head + bytes([len(data)]) + data


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def binary_book(path: Path, cells: list[tuple[int, int, str]]) -> Path:
    """A binary workbook of one sheet, as [MS-XLSB] has it."""
    sheet = record(129) + record(148, bytes(16)) + record(145)
    for row, column, text in cells:
        sheet += record(0, struct.pack("<II", row, 0) + bytes(13))
        sheet += record(6, struct.pack("<II", column, 0) + wide(text))
    named = record(156, struct.pack("<II", 0, 1) + wide("rId1") + wide("Runs"))
    of = "http://schemas.openxmlformats.org"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", f'<Types xmlns="{of}/package/2006/content-types"/>')
        packed.writestr(
            "xl/workbook.bin",
            record(131) + record(143) + named + record(144) + record(157, bytes(26)) + record(132),
        )
        packed.writestr("xl/worksheets/sheet1.bin", sheet + record(146) + record(130))
        packed.writestr(
            "xl/_rels/workbook.bin.rels",
            f'<Relationships xmlns="{of}/package/2006/relationships"><Relationship Id="rId1" '
            f'Type="{of}/officeDocument/2006/relationships/worksheet" '
            f'Target="worksheets/sheet1.bin"/></Relationships>',
        )
    return path


def test_a_stray_cell_in_a_binary_workbook(tmp_path: Path) -> None:
    cells = [(row, at, text) for row, line in enumerate(CELLS) for at, text in enumerate(line)]
    path = tmp_path / "export.xlsb"
    assert ids(read_administrations(binary_book(path, cells))) == ["E1"]
    with pytest.raises(InputError, match=FAR):
        read_administrations(binary_book(path, [*cells, (1_048_575, 16_383, "x")]))


@pytest.mark.parametrize("sheet", [True, 1.0, ["Runs"], 0, -1, "runs\0"])
def test_a_sheet_that_is_none(book, sheet: object) -> None:
    with pytest.raises(InputError, match=r"has no sheet|sheet must be"):
        read_charges(book(), sheet=sheet)


@pytest.mark.parametrize("row", [0, -1, True, 1.5, "1", None])
def test_a_header_row_that_is_none(file, row: object) -> None:
    with pytest.raises(InputError, match="header_row counts from 1"):
        read_charges(file(f"{CHARGE}\n{LINE}\n"), header_row=row)


# --- paths --------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["csv", "parquet", "xlsx", "ndjson"])
def test_pipes_and_devices_are_refused_at_once(tmp_path: Path, suffix: str) -> None:
    pipe, device = tmp_path / f"pipe.{suffix}", tmp_path / f"device.{suffix}"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    began = time.perf_counter()
    for path in (pipe, device):
        for reader in READERS:
            with pytest.raises(InputError, match="is no regular file but a pipe or a device"):
                reader(path)
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("suffix", ["csv", "parquet", "xlsx"])
def test_a_file_without_permission(file, monkeypatch, suffix: str) -> None:
    path = file(b"x", f"export.{suffix}")

    def refused(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "open", refused)
    for reader in READERS:
        with pytest.raises(InputError, match="may not be read: permission is denied"):
            reader(path)


@pytest.mark.parametrize("path", [None, 5, b"export.csv", ["export.csv"]])
def test_what_is_no_path(path: object) -> None:
    for reader in (read_administrations, read_charges):
        with pytest.raises(InputError, match="Hand in the path of a file as text or Path"):
            reader(path)


# --- files changed at random --------------------------------------------------------------

PARTS = ['"', "\r", "\n", "\r\n", ",", ";", "\0", "9" * 400, "10000-01-01", "_", "*", "start", "é"]


def test_changed_files_give_a_reading_that_adds_up_or_say_why_not(file) -> None:
    chance, told, read = random.Random(7), [], 0
    header = f"{NEEDED},{CHARGE.partition(',')[2]},note"
    row = RUN.replace("03-02", "04-07") + f',{LINE.partition(",")[2]},"a ""b"" c"'
    for _ in range(100):
        text = "\n".join([header, *[row] * chance.choice([0, 1, 5])]) + "\n"
        for _ in range(chance.choice([0, 1, 2, 6])):
            at = chance.randrange(len(text))
            cut = chance.choice([0, 0, 1, 12])
            text = text[:at] + chance.choice(PARTS) + text[at + cut :]
        path = file(text.encode(chance.choice(["utf-8"] * 4 + ["utf-16", "utf-16-be", "cp1252"])))
        for reader, accepting in (
            (read_administrations, sq.accept),
            (read_charges, accept_charges),
        ):
            try:
                reading = reader(path)
            except InputError as error:
                told.append(str(error))
                continue
            rows = getattr(reading, "charges", None)
            rows = reading.administrations if rows is None else rows
            accepted, refused = (frame.collect().height for frame in accepting(rows))
            assert accepted + refused == rows.collect().height == reading.report["rows"][0]
            read += 1
    assert read > 20
    assert len(told) > 20
    assert not [message for message in told if "2026-04-07" in message]


def test_a_cell_that_says_twice_where_it_is(tmp_path):
    """Which of the two a reader believes differs; the second asks for half a terabyte."""
    path = tmp_path / "twice.xlsx"
    pl.DataFrame({"encounter_id": ["E1"], "start_at": ["x"], "stop_at": ["y"]}).write_excel(path)
    parts = {}
    with zipfile.ZipFile(path) as packed:
        for name in packed.namelist():
            parts[name] = packed.read(name)
    sheet = parts["xl/worksheets/sheet1.xml"]
    assert sheet.count(b'<c r="A2"') == 1
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(b'<c r="A2"', b'<c r="A2" r="XFD1048576"')
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    with pytest.raises(InputError, match="is a damaged workbook"):
        sq.read_administrations(path)
