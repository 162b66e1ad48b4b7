"""The worklist of an audit: order, workbook, and verdicts read back."""

import os
import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import fastexcel
import polars as pl
import pytest
import xlsxwriter

from subq_toolkit.audit import sheet_cells
from subq_toolkit.audit.extrapolation import extrapolate
from subq_toolkit.audit.review_sample import draw_sample
from subq_toolkit.audit.verdicts import read_verdicts
from subq_toolkit.audit.worklist import worklist
from subq_toolkit.audit.worklist_file import SHEET_COLUMNS, write_worklist
from subq_toolkit.errors import InputError

DAY, ON = date(2026, 3, 2), date(2026, 11, 25)
SCHEMA = {
    "encounter_id": pl.String,
    "service_date": pl.Date,
    "code": pl.String,
    "billed_units": pl.Int64,
    "supported_units": pl.Int64,
    "class": pl.String,
    "direction": pl.String,
    "difference_usd": pl.Decimal(14, 2),
    "risk": pl.String,
    "days_left": pl.Int64,
}
#: encounter, code, billed, supported, class, direction, difference, risk, days left
ROWS = [
    ("E1", "96370", 3, 2, "over", "over", "20.00", "high", 30),
    ("E1", "96369", 1, 1, "agrees", "even", "0.00", "none", 30),
    ("E2", "96369", 0, 1, "chart_without_charge", "under", "-144.96", "medium", None),
    ("E3", "96371", 2, 1, "setup_more_than_once", "over", "20.00", "medium", -5),
    ("E4", "96372", 1, 0, "charge_without_chart", "over", None, "high", 5),
    ("E5", "96369", 1, None, "coder_decides", "not judged", None, "medium", 90),
    ("E6", "96370", 1, 2, "under", "under", "-3.00", "low", -90),
]
MONEY = ("billed_usd", "supported_usd")
TEXTS = ("payer", "department", "coder", "claim_ids", "reason", "what_to_do", "cite")


def lines(rows: list[tuple] = ROWS, **texts: str | None) -> pl.DataFrame:
    made = [
        (one, DAY, code, billed, held, name, way, None if usd is None else Decimal(usd), risk, left)
        for one, code, billed, held, name, way, usd, risk, left in rows
    ]
    frame = pl.DataFrame(made, schema=SCHEMA, orient="row")
    worth = {
        name: pl.lit(Decimal("1.00"), pl.Decimal(14, 2)) for name in ("billed_usd", "supported_usd")
    }
    return frame.with_columns(
        difference_units=pl.col("billed_units") - pl.col("supported_units"),
        file_by=pl.lit(ON, pl.Date),
        **worth,
        **{name: pl.lit(texts.get(name, f"some {name}"), pl.String) for name in TEXTS},
    )


def listed(**options: object) -> list[str]:
    return worklist(lines(), **options)["encounter_id"].to_list()


def test_orders_by_hand() -> None:
    # Money: 144.96, then 20 of high risk before 20 of medium, 3, and no price last.
    assert listed() == ["E2", "E1", "E3", "E6", "E4"]
    assert listed(order="risk") == ["E1", "E4", "E2", "E3", "E6"]
    # Days: 5 and 30 left, none stated, then what ran out 5 and 90 days ago.
    assert listed(order="deadline") == ["E4", "E1", "E2", "E3", "E6"]
    assert worklist(lines())["rank"].to_list() == [1, 2, 3, 4, 5]
    assert worklist(lines())["finding"].to_list()[0] == "Charted, never charged"


def test_of_equal_money_the_higher_risk_comes_first() -> None:
    rows = lines([("E1", *ROWS[3][1:]), ("E9", *ROWS[0][1:])])  # 20 each, medium and high
    assert worklist(rows)["encounter_id"].to_list() == ["E9", "E1"]


def test_what_is_listed() -> None:
    assert sorted(listed(which="open")) == ["E1", "E2", "E3", "E4", "E5", "E6"]
    assert len(listed(which="all")) == len(ROWS)
    assert listed(only=pl.DataFrame({"encounter_id": ["E1", "E3", "E9"]})) == ["E1", "E3"]
    other_day = pl.DataFrame({"encounter_id": ["E1"], "service_date": [ON]})
    assert listed(only=other_day) == []
    assert worklist(lines().lazy()).equals(worklist(lines().reverse()))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: worklist(lines(), order="name"), "order is one of money, risk, deadline"),
        (lambda: worklist(lines(), which="some"), "which is one of errors, open, all"),
        (lambda: worklist(lines(), only=["E1"]), "this is a list"),
        (lambda: worklist(lines(), only=pl.DataFrame({"x": [1]})), "no column 'encounter_id'"),
        (lambda: worklist(lines().drop("risk")), "no column 'risk'"),
        (lambda: worklist("audit"), "this is a str"),
    ],
)
def test_what_cannot_be_listed_is_named(call: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def cells(path: Path, sheet: str = "Worklist") -> list[tuple]:
    book = fastexcel.read_excel(path)
    return book.load_sheet(sheet, header_row=None, dtypes="string").to_polars().rows()


def filled(path: Path, entries: dict[int, dict[str, str]], rows: list[int] | None = None) -> Path:
    """The list of a file written anew with entries, some of its rows, or some of them twice."""
    head, *held = cells(path)
    place = {column.head: at for at, column in enumerate(SHEET_COLUMNS.values())}
    changed = [list(row) for row in held]
    for row, entry in entries.items():
        for name, value in entry.items():
            changed[row][place[SHEET_COLUMNS[name].head]] = value
    made = path.with_name("filled.xlsx")
    with xlsxwriter.Workbook(made, {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("Worklist")
        for at, row in enumerate([head, *(changed[one] for one in rows or range(len(held)))]):
            sheet.write_row(at, 0, [one if one is not None else "" for one in row])
    return made


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return write_worklist(lines(), tmp_path / "list.xlsx", on=ON)


def test_the_sheet_says_what_the_list_says(written: Path) -> None:
    head, first, *rest = cells(written)
    assert head == tuple(column.head for column in SHEET_COLUMNS.values())
    by_head = dict(zip(head, first, strict=True))
    assert by_head["Encounter"] == "E2"
    assert by_head["Date of service"].startswith("2026-03-02")
    assert float(by_head["Difference [USD]"]) == -144.96
    assert by_head["Verdict"] is None
    assert len(rest) == 4
    about = cells(written, "About")
    assert ("Dated", "2026-11-25") in about
    assert ("Source", "some cite") in about
    assert {column.head for column in SHEET_COLUMNS.values()} <= {row[0] for row in about}


def test_the_sheet_can_be_worked_with(written: Path) -> None:
    sheet = zipfile.ZipFile(written).read("xl/worksheets/sheet1.xml").decode()
    assert '<pane xSplit="4" ySplit="1"' in sheet
    assert '<autoFilter ref="A1:X6"/>' in sheet
    assert '"agree,disagree,unclear"' in sheet
    assert 'sqref="E2:E6"' in sheet
    again = write_worklist(lines(), written.with_name("again.xlsx"), on=ON)
    assert again.read_bytes() == written.read_bytes()


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        '=HYPERLINK("http://x.invalid")',
        "http://x.invalid",
        "a\x00\x07b",
        "1e5",
        "007",
        "患者 <b>",
        "x" * 40_000,
    ],
)
def test_text_stays_text(tmp_path: Path, text: str) -> None:
    rows = lines([(text, *ROWS[0][1:])], payer=text, claim_ids=text, what_to_do=text)
    path = write_worklist(rows, tmp_path / "list.xlsx", on=ON)
    packed = zipfile.ZipFile(path)
    assert "<f>" not in packed.read("xl/worksheets/sheet1.xml").decode()
    assert not [name for name in packed.namelist() if "externalLink" in name]
    assert "hyperlink" not in packed.read("xl/worksheets/sheet1.xml").decode().lower()
    kept = text.replace("\x00", "").replace("\x07", "")[:32_767]
    assert cells(path)[1][1] == kept
    assert read_verdicts(path, rows).report.filter(what="matched")["rows"].item() == 1


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("list.csv", r"'list.csv' has no ending .* It can end in .xlsx"),
        ("none/list.xlsx", "There is no folder"),
        ("folder.xlsx", "is a folder. Give the file a name"),
        (7, "path is the name of a file; this is a int"),
    ],
)
def test_a_place_that_cannot_be_written_is_named(
    tmp_path: Path, path: object, message: str
) -> None:
    (tmp_path / "folder.xlsx").mkdir()
    with pytest.raises(InputError, match=message):
        write_worklist(lines(), tmp_path / path if isinstance(path, str) else path)
    assert [one.name for one in tmp_path.iterdir()] == ["folder.xlsx"]


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(self: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", locked)
    with pytest.raises(InputError, match=r"cannot be written \(Permission denied\). Close it"):
        write_worklist(lines(), tmp_path / "list.xlsx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda path: write_worklist(lines(), path, on="2026-03-02"), r"on is a day, .* is a str"),
        (lambda path: write_worklist(lines(), path, on=datetime(2026, 3, 2)), "this is a datetime"),
        (lambda path: write_worklist(lines(), path, order=[]), "order is one of money"),
        (lambda path: write_worklist(lines(), path, which=None), "which is one of errors"),
        (lambda path: write_worklist(lines(), path, only=5), "this is a int"),
        (lambda path: write_worklist(5, path), "this is a int"),
        (lambda _path: write_worklist(lines(), None), "path is the name of a file"),
        (
            lambda path: write_worklist(lines().with_columns(service_date=pl.lit("x")), path),
            "Column 'service_date' holds String values; it must hold days",
        ),
        (
            lambda path: write_worklist(lines().with_columns(payer=pl.concat_list("payer")), path),
            "Column 'payer' holds .* it must hold text",
        ),
        (
            lambda path: write_worklist(lines().with_columns(billed_units=pl.lit(1.5)), path),
            "Column 'billed_units' holds Float64 values; it must hold whole numbers",
        ),
        (
            lambda path: write_worklist(lines().with_columns(billed_usd=pl.lit("x")), path),
            "Column 'billed_usd' holds String values; it must hold numbers",
        ),
    ],
)
def test_arguments_of_another_kind_are_named(tmp_path: Path, call: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call(tmp_path / "list.xlsx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("on", [date(1, 1, 1), date(1899, 12, 31), date(9999, 12, 31)])
def test_any_day_can_be_written(tmp_path: Path, on: date) -> None:
    rows = lines().with_columns(service_date=pl.lit(on), billed_usd=pl.lit(float("nan")))
    path = write_worklist(rows, tmp_path / "list.xlsx", on=on)
    assert ("Dated", on.isoformat()) in cells(path, "About")
    assert cells(path)[1][2].startswith(on.isoformat())


def test_too_many_rows_for_a_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_cells, "MOST_ROWS", 5)
    write_worklist(lines(), tmp_path / "list.xlsx")
    monkeypatch.setattr(sheet_cells, "MOST_ROWS", 4)
    with pytest.raises(InputError, match=r"holds 4 rows; these are 5\. List some"):
        write_worklist(lines(), tmp_path / "list.xlsx")


def report(verdicts: object) -> dict[str, int]:
    return {what: rows for what, rows, _ in verdicts.report.rows() if rows}


def test_verdicts_come_back(written: Path) -> None:
    # In order of money: E2, E1, E3, E6, E4.
    path = filled(
        written,
        {
            0: {"verdict": "agree", "reviewer": "R1"},
            1: {"verdict": " Disagree ", "note": "=2 pumps"},
            2: {"verdict": "UNCLEAR"},
            3: {"verdict": "perhaps"},
        },
    )
    read = read_verdicts(path, lines())
    assert report(read) == {"matched": 5, "unknown_verdict": 1, "not_reviewed": 1}
    assert read.rows["verdict"].to_list() == ["agree", "disagree", "unclear", None, None]
    assert read.rows["reviewer"].to_list()[0] == "R1"
    assert read.disagreements.select("encounter_id", "note").rows() == [("E1", "=2 pumps")]
    total = read.agreement.row(-1, named=True)
    assert (total["class"], total["agree"], total["disagree"], total["unclear"]) == (None, 1, 1, 1)
    assert total["rate"] == 0.5
    # Of one in two at 95 %: centre 1/2, to either side 0.405469 (z² = 3.841459).
    assert (total["rate_low"], total["rate_high"]) == pytest.approx((0.094531, 0.905469), abs=1e-6)
    by_class = {row["class"]: row["rate"] for row in read.agreement.iter_rows(named=True)}
    assert by_class["chart_without_charge"] == 1.0
    assert by_class["over"] == 0.0
    assert by_class["setup_more_than_once"] is None
    assert "1 agree, 1 disagree, 1 unclear of 5 rows" in repr(read)


def test_rows_that_do_not_count_are_told(written: Path) -> None:
    said = {at: {"verdict": "agree"} for at in range(5)}
    said[3] |= {"encounter_id": "E1"}
    path = filled(written, said, rows=[0, 1, 1, 3])
    read = read_verdicts(path, lines())
    assert report(read) == {"matched": 1, "double": 2, "mixed_up": 1, "missing": 2}
    assert read.rows.select("encounter_id", "state", "verdict").rows() == [
        ("E2", "matched", "agree"),
        ("E1", "double", None),
        ("E3", "missing", None),
        ("E6", "mixed_up", None),
        ("E4", "missing", None),
    ]


def test_a_stale_list_is_noticed(written: Path) -> None:
    now = [list(row) for row in ROWS]
    now[0][2] = 4  # E1 was billed 3
    now[6] = ("E7", *ROWS[6][1:])
    path = filled(written, {at: {"verdict": "agree"} for at in range(5)})
    read = read_verdicts(path, lines([tuple(row) for row in now]))
    assert report(read) == {"matched": 3, "changed": 1, "not_in_audit": 1, "missing": 1}
    assert read.rows.filter(encounter_id="E1")["verdict"].item() is None


def test_a_verdict_without_a_key_is_told(written: Path) -> None:
    read = read_verdicts(filled(written, {0: {"verdict": "agree", "key": ""}}), lines())
    assert report(read) == {"matched": 4, "no_key": 1, "not_reviewed": 4, "missing": 1}


def test_numbers_that_excel_made_of_texts_are_still_found(tmp_path: Path) -> None:
    rows = lines([("1234", *ROWS[0][1:])])
    path = write_worklist(rows, tmp_path / "list.xlsx")
    path = filled(path, {0: {"encounter_id": "1234.0", "code": "96370.0", "verdict": "agree"}})
    assert report(read_verdicts(path, rows)) == {"matched": 1}


def book_of(path: Path, sheet: str, rows: list[list[str]]) -> Path:
    with xlsxwriter.Workbook(path) as book:
        made = book.add_worksheet(sheet)
        for at, row in enumerate(rows):
            made.write_row(at, 0, row)
    return path


def test_files_that_are_no_worklist_are_named(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("Key\n")
    (tmp_path / "list.xlsx").write_text("Key\n")
    other = book_of(tmp_path / "other.xlsx", "Sheet1", [["Key"]])
    bare = book_of(tmp_path / "bare.xlsx", "Worklist", [["Key", "Verdict"], ["k", "agree"]])
    empty = book_of(tmp_path / "empty.xlsx", "Worklist", [])
    pipe = tmp_path / "pipe.xlsx"
    os.mkfifo(pipe)
    for path, message in (
        (tmp_path / "nothing.xlsx", "There is no file 'nothing.xlsx'"),
        (tmp_path, "is a folder"),
        (tmp_path / "list.csv", "is no workbook. Save the reviewed list as .xlsx"),
        (tmp_path / "list.xlsx", "not an Excel workbook"),
        (other, "no sheet 'Worklist'"),
        (bare, "no column 'Reviewer', 'Note', 'Encounter', 'Code' in its first row"),
        (empty, "'empty.xlsx'"),
        (None, "this is a NoneType"),
        (pipe, "pipe or a device"),
        (tmp_path / ("x" * 300 + ".xlsx"), "cannot be opened|cannot be read"),
    ):
        with pytest.raises(InputError, match=message):
            read_verdicts(path, lines())


def test_from_sample_to_total(tmp_path: Path) -> None:
    rows = [(f"E{at:02}", "96370", 3, 2, "over", "over", f"{at}.00", "high", 5) for at in range(10)]
    rows += [(f"E{at:02}", "96369", 1, 1, "agrees", "even", "0.00", "none", 5) for at in range(10)]
    audited = lines(rows)
    encounters = audited.filter(code="96370").drop("code")
    sample = draw_sample(encounters, size=10, seed=1)
    path = write_worklist(audited, tmp_path / "list.xlsx", which="all", only=sample)
    assert len(cells(path)) == 21
    # By money: 9 first. Reviewers disagree with that one and agree with all others.
    said = {at: {"verdict": "agree" if at else "disagree"} for at in range(20)}
    read = read_verdicts(filled(path, said), audited, which="all", only=sample)
    found = extrapolate(sample, read).filter(side="over", scope="all").row(0, named=True)
    assert found["total_usd"] == 36.0  # 0 + 1 + ... + 8, all ten being reviewed
    said[4] = {"verdict": "unclear"}
    read = read_verdicts(filled(path, said), audited, which="all", only=sample)
    with pytest.raises(InputError, match="1 of 10 drawn encounters have no amount"):
        extrapolate(sample, read)
