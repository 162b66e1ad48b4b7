"""Charge lines for a router: what stands in them, and what files make of their text."""

import csv
import zipfile
from datetime import date
from pathlib import Path

import fastexcel
import polars as pl
import pytest

import subq_toolkit as sq
from subq_toolkit.audit import sheet_cells
from subq_toolkit.audit.charge_lines import charge_lines, write_charge_lines
from subq_toolkit.errors import InputError

DAY = date(2026, 3, 2)


def lines(*names: str, why: str = "151 min counted.") -> pl.DataFrame:
    same = {"service_date": DAY, "code": "96369", "units": 1, "revenue_code": "510", "why": why}
    return pl.DataFrame([{"encounter_id": name} | same for name in names])


def test_a_chart_becomes_charge_lines() -> None:
    runs = pl.DataFrame(
        {
            "encounter_id": ["E1", "E1", "E2"],
            "start_at": ["2026-03-02 09:00", "2026-03-02 09:10", "2026-03-02 09:00"],
            "stop_at": ["2026-03-02 11:31", "2026-03-02 11:00", None],
            "pump_id": ["A", "B", "A"],
            "site": ["abdomen", "left thigh", "abdomen"],
            "setting": "clinic",
        }
    ).with_columns(pl.col("start_at", "stop_at").str.to_datetime("%Y-%m-%d %H:%M"))
    coded = sq.code_administrations(runs)
    found = charge_lines(coded)
    assert isinstance(found, pl.LazyFrame)
    rows = found.collect()
    assert rows.columns == [
        "encounter_id", "service_date", "revenue_code", "hcpcs", "modifiers", "units", "reason",
    ]  # fmt: skip
    # 151 min: a first hour, two further ones, and the second pump at a site of its own.
    assert rows.drop("reason").rows() == [
        ("E1", DAY, "510", "96369", None, 1),
        ("E1", DAY, "510", "96370", None, 2),
        ("E1", DAY, "510", "96371", None, 1),
    ]
    assert rows["reason"].to_list()[0].startswith("151 min counted")
    assert charge_lines(coded.lines.filter(code="96370")).collect().height == 1


@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx"])
def test_files_hold_what_the_table_holds(tmp_path: Path, ending: str) -> None:
    path = write_charge_lines(lines("E2", "E1"), tmp_path / f"lines.{ending}")
    if ending == "csv":
        assert path.read_text("utf-8").splitlines() == [
            '"encounter_id","service_date","revenue_code","hcpcs","modifiers","units","reason"',
            '"E1","2026-03-02","510","96369","","1","151 min counted."',
            '"E2","2026-03-02","510","96369","","1","151 min counted."',
        ]
    elif ending == "parquet":
        assert pl.read_parquet(path).equals(charge_lines(lines("E1", "E2")).collect())
    else:
        sheet = fastexcel.read_excel(path).load_sheet(0, dtypes="string").to_polars()
        assert sheet["encounter_id"].to_list() == ["E1", "E2"]
        assert sheet["hcpcs"].to_list() == ["96369", "96369"]
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


HOSTILE = ["=1+1", "+1", "-17", "@A1", "\t=1", "\r=1", "\n=1", "＝1"]


@pytest.mark.parametrize("text", HOSTILE)
def test_csv_text_never_begins_like_a_formula(tmp_path: Path, text: str) -> None:
    path = write_charge_lines(lines(text, why=text), tmp_path / "lines.csv")
    with path.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    for name in ("encounter_id", "reason"):
        assert row[name].startswith("'")
        assert row[name].replace("'", "") == text


DIVIDED = ["E1;=1+1", "E1\t=1+1", "E1|=1+1", "E1\n=1+1", 'E1";=1+1', "E1,=1+1", ";-1;;+1", "E;\t@A"]


@pytest.mark.parametrize("text", DIVIDED)
def test_csv_text_begins_no_formula_where_fields_are_divided_otherwise(
    tmp_path: Path, text: str
) -> None:
    path = write_charge_lines(lines(text, why=text), tmp_path / "lines.csv")
    for separator in ",;\t|":
        with path.open(encoding="utf-8", newline="") as file:
            cells = [cell for row in csv.reader(file, delimiter=separator) for cell in row]
        assert not [cell for cell in cells if cell.startswith(tuple("=+-@"))], separator
    with path.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["encounter_id"].replace("'", "") == row["reason"].replace("'", "") == text


@pytest.mark.parametrize(
    ("column", "held", "says"),
    [
        ("units", pl.lit("JANE DOE"), "holds String values; it must hold whole numbers"),
        ("units", pl.lit(1.5), "holds Float64 values; it must hold whole numbers"),
        ("units", pl.lit(2**64 - 1, pl.UInt64), "must hold whole numbers"),
        ("encounter_id", pl.lit(b"\xff"), "holds Binary values; it must hold text or whole"),
        ("encounter_id", pl.concat_list("encounter_id"), "must hold text or whole numbers"),
        ("code", pl.lit(True), "holds Boolean values"),
        ("revenue_code", pl.lit(1.5), "must hold text or whole numbers"),
        ("why", pl.struct("code"), "must hold text"),
        ("service_date", pl.lit("2026-03-02"), r"must hold days \(Date\)"),
    ],
)
@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx"])
def test_columns_of_another_kind_are_named(
    tmp_path: Path, column: str, held: pl.Expr, says: str, ending: str
) -> None:
    table = lines("E1", "E2").with_columns(held.alias(column))
    with pytest.raises(InputError, match=f"Column '{column}' .*{says}") as error:
        write_charge_lines(table, tmp_path / f"lines.{ending}")
    assert "DOE" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_numbers_and_empty_columns_are_taken(tmp_path: Path) -> None:
    table = lines("E1").with_columns(
        encounter_id=pl.lit(5, pl.Int32), revenue_code=None, why=pl.lit("a").cast(pl.Categorical)
    )
    for ending in ("csv", "parquet", "xlsx"):
        assert write_charge_lines(table, tmp_path / f"lines.{ending}").exists()
    first = table.with_columns(service_date=pl.date(1, 1, 1))
    sheet = write_charge_lines(first, tmp_path / "first.xlsx")
    read = fastexcel.read_excel(sheet).load_sheet(0, dtypes="string").to_polars()
    assert read["service_date"].to_list() == ["0001-01-01"]


@pytest.mark.parametrize("text", ["E-17", "a=1", "'=1", "1,2", 'say "x"', "患者"])
def test_other_text_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = write_charge_lines(lines(text), tmp_path / "lines.csv")
    with path.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["encounter_id"] == text


@pytest.mark.parametrize("text", [*HOSTILE[:4], "http://x.invalid", "007", "a\x00b"])
def test_sheets_and_parquet_keep_text_as_text(tmp_path: Path, text: str) -> None:
    sheet = write_charge_lines(lines(text), tmp_path / "lines.xlsx")
    xml = zipfile.ZipFile(sheet).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in xml
    assert "hyperlink" not in xml.lower()
    read = fastexcel.read_excel(sheet).load_sheet(0, dtypes="string").to_polars()
    assert read["encounter_id"].item() == text.replace("\x00", "")
    whole = write_charge_lines(lines(text), tmp_path / "lines.parquet")
    assert pl.read_parquet(whole)["encounter_id"].item() == text


def test_nothing_to_bill_is_an_empty_file(tmp_path: Path) -> None:
    path = write_charge_lines(lines("E1").head(0), tmp_path / "lines.csv")
    assert path.read_text().count("\n") == 1
    assert write_charge_lines(lines("E1").head(0), tmp_path / "lines.xlsx").exists()


def test_equal_work_makes_equal_sheets(tmp_path: Path) -> None:
    one, two = (
        write_charge_lines(lines("E1"), tmp_path / name) for name in ("one.xlsx", "two.xlsx")
    )
    assert one.read_bytes() == two.read_bytes()


def test_what_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for call, message in (
        (lambda: charge_lines("chart"), r"code_administrations\(...\) returned, .* is a str"),
        (lambda: charge_lines(lines("E1").drop("why")), "no column 'why'"),
        (
            lambda: write_charge_lines(lines("E1"), tmp_path / "lines.txt"),
            "'lines.txt' has no ending .* can end in .csv, .parquet, .xlsx",
        ),
        (lambda: write_charge_lines(lines("E1"), tmp_path / "no" / "x.csv"), "There is no folder"),
        (lambda: write_charge_lines(lines("E1"), None), "this is a NoneType"),
        (lambda: write_charge_lines(lines("E1"), tmp_path / "\0.csv"), "cannot be written"),
        (
            lambda: write_charge_lines(lines("E1"), tmp_path / f"{'x' * 300}.csv"),
            "cannot be written",
        ),
        (lambda: write_charge_lines({}, tmp_path / "x.csv"), "this is a dict"),
    ):
        with pytest.raises(InputError, match=message):
            call()
    monkeypatch.setattr(sheet_cells, "MOST_ROWS", 1)
    with pytest.raises(InputError, match=r"holds 1 rows; these are 2\. Write \.csv or"):
        write_charge_lines(lines("E1", "E2"), tmp_path / "lines.xlsx")
    assert not list(tmp_path.iterdir())
