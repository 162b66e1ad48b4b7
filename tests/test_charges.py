"""Charge lines: what makes a line usable, and files read into the table. Every row is invented."""

import random
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from subq_toolkit.charges import (
    CHECKS,
    COLUMNS,
    ChargeReading,
    accept_charges,
    read_charges,
)
from subq_toolkit.charges.columns import name_meant
from subq_toolkit.effective import read_table
from subq_toolkit.errors import InputError
from subq_toolkit.readers.charted_fields import plain

DAY = date(2026, 3, 2)
NEEDED = "encounter_id,service_date,code,units"
LINE = "E1,2026-03-02,96369,1"


def line(**changed: object) -> pl.DataFrame:
    return pl.DataFrame(
        {"encounter_id": "E1", "service_date": DAY, "code": "96369", "units": 1} | changed
    )


def accepted(frame: pl.DataFrame) -> dict:
    return accept_charges(frame).accepted.collect().row(0, named=True)


def refused(frame: pl.DataFrame) -> list[tuple]:
    return accept_charges(frame).refused.collect().rows()


@pytest.fixture
def read(tmp_path: Path):
    """Write text or bytes as a file and read it."""

    def _read(content: str | bytes, name: str = "charges.csv", **stated: object) -> ChargeReading:
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
        return read_charges(tmp_path / name, **stated)

    return _read


# --- the table ----------------------------------------------------------------------------


def test_every_known_column_comes_out_typed_and_others_ride_along() -> None:
    out = accept_charges(line(shift="night")).accepted.collect()
    assert dict(out.schema) == {**COLUMNS, "shift": pl.String(), "_row": pl.UInt32()}
    assert out.row(0, named=True)["status"] == "final"
    assert out["paid_usd"].to_list() == [None]


@pytest.mark.parametrize(
    ("column", "given", "expected"),
    [
        ("encounter_id", 126179.0, "126179"),
        ("encounter_id", 7, "7"),
        ("encounter_id", " E1 ", "E1"),
        ("service_date", datetime(2026, 3, 2, 23, 59), DAY),
        ("service_date", "2026-03-02", DAY),
        ("service_date", "2026-03-02T08:00:00", DAY),
        ("service_date", "20260302", DAY),
        ("service_date", 20260302, DAY),
        ("code", "j1559", "J1559"),
        ("code", 96369, "96369"),
        ("code", "96369.0", "96369"),
        ("code", "0001A", "0001A"),
        ("units", "1", 1),
        ("units", "2.0", 2),
        ("units", 1.0, 1),
        ("units", "-1", -1),
        ("units", "(1)", -1),
        ("units", "1,200", 1200),
        ("units", 0, 0),
        ("units", "99999999", 99_999_999),
        ("modifiers", "59,jz", "59 JZ"),
        ("modifiers", "59JZ", "59 JZ"),
        ("modifiers", 59, "59"),
        ("modifiers", "59 59", "59"),
        ("modifiers", " ", None),
        ("revenue_code", "0510", "510"),
        ("revenue_code", "510.0", "510"),
        ("revenue_code", 510, "510"),
        ("revenue_code", "0000", "0"),
        ("charge_usd", "$1,234.50", 1234.5),
        ("charge_usd", "(12.00)", -12.0),
        ("charge_usd", "$(12.00)", -12.0),
        ("charge_usd", "($12)", -12.0),
        ("charge_usd", "12.00-", -12.0),
        ("charge_usd", "-$3", -3.0),
        ("charge_usd", ".5", 0.5),
        ("charge_usd", float("nan"), None),
        ("paid_usd", "N/A", None),
        ("line_number", "3", 3),
        ("status", "Final Billed", "final"),
        ("status", "ON-HOLD", "pending"),
        ("status", None, "final"),
        ("frequency", 7, "7"),
        ("frequency", "Replacement", "7"),
        ("payer", "=1+1", "=1+1"),
        ("department", "<b>4</b>", "<b>4</b>"),
    ],
)
def test_entries_are_read(column: str, given: object, expected: object) -> None:
    assert accepted(line(**{column: given}))[column] == expected


@pytest.mark.parametrize(
    ("code", "modifiers", "expected"),
    [
        ("96369-59", None, ("96369", "59")),
        ("96369 25", None, ("96369", "25")),
        ("96369-59-jz", None, ("96369", "59 JZ")),
        ("96369:59", "JZ", ("96369", "JZ 59")),
        ("96369-59", "59", ("96369", "59")),
        ("J1559JZ", None, None),
        ("9636959", None, None),
    ],
)
def test_modifiers_glued_to_a_code(code: str, modifiers: str | None, expected: tuple) -> None:
    frame = line(code=code, modifiers=modifiers)
    if expected is None:
        assert refused(frame)[0][2] == ["code looks like a HCPCS code"]
    else:
        got = accepted(frame)
        assert (got["code"], got["modifiers"]) == expected


@pytest.mark.parametrize(
    ("column", "given", "failed", "unreadable"),
    [
        ("encounter_id", None, ["encounter is named"], None),
        ("encounter_id", " ", ["encounter is named"], None),
        ("service_date", None, ["date of service is known"], None),
        ("service_date", "3/2/2026", ["date of service is known"], "service_date"),
        ("service_date", "2026-02-30", ["date of service is known"], "service_date"),
        ("service_date", date(1899, 12, 31), ["date of service is known"], "service_date"),
        ("code", None, ["code is stated"], None),
        ("code", "9636", ["code looks like a HCPCS code"], None),
        ("code", "9636Z", ["code looks like a HCPCS code"], None),
        ("units", None, ["units are a whole number"], None),
        ("units", 1.5, ["units are a whole number"], "units"),
        ("units", "$1", ["units are a whole number"], "units"),
        ("units", "100000000", ["units are a whole number"], "units"),
        ("units", float("inf"), ["units are a whole number"], "units"),
        ("modifiers", "5", ["modifiers have two characters each"], None),
        ("revenue_code", "ER", ["revenue code is a number of up to four digits"], None),
        ("revenue_code", "12345", ["revenue code is a number of up to four digits"], None),
        ("charge_usd", "12,34", ["charge_usd is an amount"], "charge_usd"),
        ("charge_usd", "--5", ["charge_usd is an amount"], "charge_usd"),
        ("paid_usd", float("inf"), ["paid_usd is an amount"], "paid_usd"),
        ("line_number", "one", ["every entry could be read"], "line_number"),
        ("status", "perhaps", ["status is known"], "status"),
        ("frequency", "77", ["claim frequency is one character"], None),
        ("unreadable", "line", ["every entry could be read"], "line"),
    ],
)
def test_each_check_refuses_in_words(column, given, failed, unreadable) -> None:
    got = refused(line(**{column: given}))
    assert [row[2:4] for row in got] == [(failed, unreadable)]
    assert set(failed) <= set(CHECKS)


def test_rows_keep_their_numbers_and_copies_are_kept() -> None:
    three = pl.concat([line(), line(units=None).cast({"units": pl.Int64}), line()])
    got, bad = (frame.collect() for frame in accept_charges(three))
    assert got["_row"].to_list() == [1, 3]
    assert bad["row"].to_list() == [2]
    again = accept_charges(got).accepted.collect()
    assert again["_row"].to_list() == [1, 3]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ([1], r"this is a list. For pandas: polars.from_pandas"),
        (line().drop("units", "code"), r"no column 'code' and no column 'units'; it has 'encount"),
        (pl.DataFrame({"a": [1]}), r"it has 1 others. Rename .* read_charges\(path, columns="),
        (line(_x=1), r"an underscore are kept for the toolkit; the charges have '_x'"),
        (line(_row="a"), r"the charges have '_row'"),
        (line(units=True), r"'units' holds Boolean values; it must hold whole numbers"),
        (line(code=[["96369"]]), r"'code' holds List\(String\) values; it must hold text or whole"),
        (line(service_date=1.5), r"'service_date' holds Float64 values; it must hold dates"),
        (
            line().with_columns(
                service_date=pl.lit(datetime(2026, 3, 2)).dt.replace_time_zone("UTC")
            ),
            r"universal time \(UTC\), so the local date of service cannot be told",
        ),
    ],
)
def test_tables_that_cannot_be_used(frame: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        accept_charges(frame)


def test_a_zoned_time_counts_at_its_own_day() -> None:
    late = pl.lit(datetime(2026, 3, 2, 23)).dt.replace_time_zone("America/New_York")
    assert accepted(line().with_columns(service_date=late))["service_date"] == DAY


def test_an_empty_table_is_no_error() -> None:
    assert [frame.collect().height for frame in accept_charges(line().clear())] == [0, 0]


# --- files --------------------------------------------------------------------------------


def test_a_file_under_other_names_with_several_modifiers(read) -> None:
    names = {"Acct": "encounter_id", "DOS": "service_date", "CPT": "code", "Qty": "units"}
    names |= {"Mod 1": "modifiers", "Mod 2": "modifiers", "Amt": "charge_usd"}
    reading = read(
        "Acct,DOS,CPT,Mod 1,Mod 2,Qty,Amt,note\n"
        '1001,3/14/2026,96369,59,JZ,1,"$1,234.50",=1+1\n'
        "1001,3/14/2026 8:15,96370,,,2,(12.00),<b>x</b>\n"
        "1002,soon,96371,,,1.5,abc,\n",
        columns=names,
    )
    assert reading.charges.collect().rows() == [
        ("1001", date(2026, 3, 14), "96369", "59 JZ", 1, 1234.5, "=1+1", None),
        ("1001", date(2026, 3, 14), "96370", None, 2, -12.0, "<b>x</b>", None),
        ("1002", None, "96371", None, None, None, None, "service_date, units, charge_usd"),
    ]
    report = reading.report.select("column", "read_from", "format", "filled", "unreadable").rows()
    assert report[0] == ("(rows)", "charges.csv", "',' utf-8", 2, 1)
    assert report[2] == ("service_date", "DOS", "month/day/year", 2, 1)
    assert report[4] == ("modifiers", "Mod 1 + Mod 2", "", 1, 0)
    assert repr(reading).splitlines()[:2] == [
        "Charges of 'charges.csv': 3 lines, 1 with something unreadable; "
        "6 known columns, 1 ride along",
        "  encounter_id <- Acct: text",
    ]
    assert "soon" not in repr(reading) + str(reading.report)
    bad = accept_charges(reading.charges).refused.collect()
    assert bad.select("row", "unreadable").rows() == [(3, "service_date, units, charge_usd")]


def test_missing_columns_come_with_the_map_to_type(read) -> None:
    with pytest.raises(InputError) as failed:
        read("Account,DOS,HCPCS,Qty\n1,3/2/2026,96369,1\n")
    assert (
        "columns={'Account': 'encounter_id', 'DOS': 'service_date', 'HCPCS': 'code', "
        "'Qty': 'units'}" in str(failed.value)
    )
    assert "3/2/2026" not in str(failed.value)


@pytest.mark.parametrize(
    ("text", "stated", "message"),
    [
        (f"{LINE}\n{LINE}\n", {}, "Its header row does not look like one"),
        (f"Charges of May,,,\n{NEEDED}\n{LINE}\n", {}, "Row 2 looks like the header, not row 1"),
        (f"{NEEDED},Qty\n{LINE},2\n", {"columns": {"Qty": "units"}}, "would all be 'units'"),
        (f"{NEEDED}\n{LINE}\n", {"columns": {"code ": "x"}}, "no column 'code '.*Look-alikes"),
        (f"{NEEDED}\n{LINE}\n", {"columns": {"Zz": "x"}}, "None is alike. Columns in the file"),
        (f"{NEEDED},x,x\n{LINE},1,2\n", {}, r"columns 5, 6 share a name .*\('x'\)"),
        (f"{NEEDED},_x\n{LINE},1\n", {}, "begin with an underscore are kept"),
        (f"{NEEDED}\n{LINE}\n", {"header_row": 0}, "header_row counts from 1"),
        (
            f"{NEEDED}\n{LINE}\n",
            {"max_bytes": 10},
            r"has 59 bytes, more than the limit of 10 bytes\. Export fewer columns",
        ),
        (f"{NEEDED}\n{LINE}\n{LINE}\n", {"max_rows": 1}, "2 rows, more than the limit of 1"),
        ("encounter_id\n1\n", {}, r"Name the column with columns=.'<column that holds service_"),
    ],
)
def test_files_that_cannot_be_read(read, text: str, stated: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(text, **stated)


def test_look_alikes_ride_along_with_a_note(read) -> None:
    report = read(f"{NEEDED},Rev Code,Mod 1\n{LINE},510,59\n").report
    notes = dict(report.select("column", "note").rows())
    assert notes["Rev Code"].startswith("rides along; if it is revenue_code, read with columns=")
    assert "'Mod 1': 'modifiers'" in notes["Mod 1"]


def test_broken_lines_and_empty_rows_are_counted(read) -> None:
    reading = read(f"{NEEDED}\n{LINE}\n{LINE},9\n,,,\n{LINE}\n")
    assert reading.charges.collect()["unreadable"].to_list() == [None, "line", None]
    assert reading.report["note"][0] == (
        "1 lines do not have the 4 fields of the header; 1 rows without any entry were left out"
    )
    assert read(f"{NEEDED}\n").report["note"][0] == "a header and no rows"


def dates(read, values: list[str], **stated: object) -> tuple[list, str]:
    rows = "\n".join(f'E1,"{value}",96369,1' for value in values)
    reading = read(f"{NEEDED}\n{rows}\n", **stated)
    shown = reading.report.filter(column="service_date")["format"].item()
    return reading.charges.collect()["service_date"].to_list(), shown


@pytest.mark.parametrize(
    ("values", "stated", "expected", "shown"),
    [
        (["2026-03-02", "2026-03-02 00:00:00"], {}, [DAY, DAY], "year-month-day"),
        (["3/13/2026", "3/2/2026"], {}, [date(2026, 3, 13), DAY], "month/day/year"),
        (["13/3/2026", "2/3/2026"], {}, [date(2026, 3, 13), DAY], "day/month/year"),
        (["3/3/2026"], {}, [date(2026, 3, 3)], "month/day/year"),
        (["3/2/26"], {"date_format": "month_first"}, [DAY], "month/day/yy"),
        (["2/3/2026", "3/13/2026"], {"date_format": "day_first"}, [DAY, None], "day/month/year"),
        (["2-Mar-2026"], {}, [DAY], "day-MON-year"),
        (["March 2, 2026"], {}, [DAY], "MON day year"),
        (["20260302"], {}, [DAY], "yearmonthday"),
        (["46083", "46083.5"], {"date_format": "excel_serial"}, [DAY, DAY], "excel_serial"),
        (["2.3.2026"], {"date_format": "%d.%m.%Y"}, [DAY], "%d.%m.%Y"),
        (["2026-03-02T05:00:00Z", "2026-03-02"], {}, [None, DAY], "year-month-day"),
        (["0026-03-02", "2026-03-02"], {}, [None, DAY], "year-month-day"),
        (["46083", "2026-03-02"], {}, [None, DAY], "year-month-day"),
    ],
)
def test_dates_as_extracts_write_them(read, values, stated, expected, shown) -> None:
    assert dates(read, values, **stated) == (expected, shown)


@pytest.mark.parametrize(
    ("values", "stated", "message"),
    [
        (["3/2/2026"], {}, r"'service_date': its dates read both .* 1 different ones would fall"),
        (["3/13/2026", "13/3/2026"], {}, r"1 different dates read only as month/day and 1 only as"),
        (["46083"], {}, r'numbers such as Excel counts days .* date_format="excel_serial"'),
        (["3/2/2026"], {"date_format": "%m/%Y"}, r"date_format must hold year, month and day"),
    ],
)
def test_dates_that_leave_a_question(read, values, stated, message) -> None:
    with pytest.raises(InputError, match=message):
        dates(read, values, **stated)


def test_parquet_keeps_types_and_excel_its_dates(tmp_path: Path) -> None:
    line(shift=1).write_parquet(tmp_path / "a.parquet")
    reading = read_charges(tmp_path / "a.parquet")
    assert reading.charges.collect().rows() == [("E1", DAY, "96369", 1, 1, None)]
    book = xlsxwriter.Workbook(tmp_path / "a.xlsx")
    sheet = book.add_worksheet("May")
    sheet.write_row(0, 0, NEEDED.split(","))
    sheet.write(1, 0, 126179)
    sheet.write_datetime(1, 1, datetime(2026, 3, 2), book.add_format({"num_format": "m/d/yy"}))
    sheet.write(1, 2, 96369)
    sheet.write(1, 3, 1)
    book.close()
    got = read_charges(tmp_path / "a.xlsx").charges.collect()
    assert got.rows() == [("126179", DAY, "96369", 1, None)]
    (tmp_path / "b.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(InputError, match=r"'b.parquet' is not a Parquet file, or it is damaged"):
        read_charges(tmp_path / "b.parquet")
    with pytest.raises(InputError, match=r"There is no file 'c.csv'"):
        read_charges(tmp_path / "c.csv")


def test_ten_thousand_dirty_cells_lose_no_row(read) -> None:
    draw = random.Random(7)
    cells = ["", " ", "NULL", "=1+1", "<i>", "1", "1.5", "-1", "(2)", "$1,0", "96369", "96369-59"]
    cells += ["2026-03-02", "3/2/2026", "99/99/9999", "é漢", "1e9", "'", "#N/A", "NaN", "inf", "07"]
    columns = [name for name in COLUMNS if name != "unreadable"][:10]
    rows = [",".join(draw.choice(cells).join('""') for _ in columns) for _ in range(1000)]
    reading = read("\n".join([",".join(columns), *rows]), date_format="month_first")
    charges = reading.charges.collect()
    good, bad = (frame.collect() for frame in accept_charges(charges))
    assert charges.height == 1000
    assert good.height + bad.height == 1000
    assert sorted([*good["_row"], *bad["row"]]) == list(range(1, 1001))
    assert bad["failed"].list.len().min() > 0


def test_no_word_means_two_columns() -> None:
    listed = read_table("charge_words")["columns"]
    words = [plain(word) for column, synonyms in listed.items() for word in [column, *synonyms]]
    assert len(words) == len(set(words))
    assert set(listed) == set(COLUMNS) - {"unreadable"}
    assert name_meant("Units Billed") == "units"
    assert name_meant("CPT/HCPCS") == "code"
    assert name_meant("shift") is None
