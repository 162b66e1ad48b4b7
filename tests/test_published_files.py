"""Files as CMS and hospitals publish them. The figures are public, the files are built here."""

import csv
import io
import json
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from subq_toolkit.errors import InputError
from subq_toolkit.fees import price, read_contract
from subq_toolkit.fees.tables import KEYS, FeeTables, bundled_tables
from subq_toolkit.published_files import (
    CmsFile,
    PriceFile,
    contract_table,
    packed_files,
    price_lines,
    read_cms_file,
    read_price_file,
    with_cms_file,
)
from subq_toolkit.published_files.first_days import first_day
from subq_toolkit.published_files.price_rows import RawPrice, sorted_prices

CASES = Path(__file__).parent / "cases"
TODAY = date(2026, 11, 25)
Grid = list[list[str]]


def cases(name: str) -> list[dict[str, str]]:
    with (CASES / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def as_text(grid: Grid, separator: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\r\n").writerows(grid)
    return text.getvalue()


def grid_of(text: str, separator: str = ",") -> Grid:
    return [line.split(separator) for line in text.strip("\n").split("\n")]


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    """Write a table under a name: csv, tab-separated txt, xlsx or a zip with the csv."""

    def _save(content: Grid | str | bytes, name: str) -> Path:
        path = tmp_path / name
        if path.suffix == ".xlsx":
            book(path, {"Sheet1": content})
        elif path.suffix == ".zip":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
                packed.writestr(f"{path.stem}.csv", as_text(content))
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            separator = "\t" if path.suffix.lower() == ".txt" else ","
            text = content if isinstance(content, str) else as_text(content, separator)
            path.write_bytes(text.encode())
        return path

    return _save


def book(path: Path, sheets: dict[str, Grid]) -> None:
    """A workbook in which figures are numbers and codes are text, as CMS has them."""
    with xlsxwriter.Workbook(path) as workbook:
        for name, grid in sheets.items():
            sheet = workbook.add_worksheet(name)
            for row, cells in enumerate(grid):
                for column, cell in enumerate(cells):
                    write = sheet.write_number if "." in cell and _is_number(cell) else sheet.write
                    write(row, column, float(cell) if write == sheet.write_number else cell)


def _is_number(cell: str) -> bool:
    return cell.replace(".", "", 1).isdigit()


def figures(file: CmsFile, *columns: str) -> list[tuple]:
    values = [[_plain(value) for value in row] for row in file.rows.select(columns).rows()]
    return [tuple(row) for row in values]


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, str | int | date) else float(value)


def left_out(file: CmsFile | PriceFile) -> dict[str, int]:
    rest = file.recognised.filter(pl.col("what").is_in(["left out", "set aside"]))
    return dict(rest.select("in_file", "rows").rows())


# --- the layouts ------------------------------------------------------------------------------

RVU = grid_of("""\
,,2026 National Physician Fee Schedule Relative Value File July Release,,,,,,,,,,,,,,,,,,,,,,,
,,CPT codes only are copyright 2026 American Medical Association.,,,,,,,,,,,,,,,,,,,,,,,
,,RELEASED 06/30/2026,,,,,,,,,,,,,,,,,,,,,,,
,,,,,,,,,,,,,,,,,,,,,,,,,
,,,,NOT USED,,,,,,,,,,,,,,,,,,,,,
,,,,FOR,,,NON-FAC,,FACILITY,,,,,,,,,,,,,,,,
,,,STATUS,MEDICARE ,WORK,NON-FAC,NA,FACILITY,NA,MP,NON-FACILITY,FACILITY,PCTC,GLOB,PRE,INTRA,\
POST,MULT,BILAT,ASST,CO-,TEAM,PRIC,ENDO,CONV
HCPCS,MOD,DESCRIPTION,CODE,PAYMENT,RVU,PE RVU,INDICATOR,PE RVU,INDICATOR,RVU,TOTAL,TOTAL,IND,DAYS,\
OP,OP,OP,PROC,SURG,SURG,SURG,SURG,IND,BASE,FACTOR
96369,,x,A,,0.21,4.10,,4.10,NA,0.03,4.34,4.34,5,XXX,0.00,0.00,0.00,0,0,0,0,0,0,,33.4009
96370,,x,A,,0.18,0.32,,0.32,NA,0.01,0.51,0.51,5,ZZZ,0.00,0.00,0.00,0,0,0,0,0,0,,33.4009
0075T,,x,C,,0.00,0.00,,0.00,NA,0.00,0.00,0.00,1,XXX,0.00,0.00,0.00,0,0,0,0,0,9,,33.4009
0075T,26,x,C,,0.00,0.00,,0.00,,0.00,0.00,0.00,1,XXX,0.00,0.00,0.00,0,0,0,0,0,9,,33.4009
00100,,x,J,,0.00,0.00,,0.00,,0.00,0.00,0.00,9,XXX,0.00,0.00,0.00,9,9,9,9,9,9,,33.4009
""")
RVU_ROWS = [
    ("96369", "A", 0.21, 4.10, 0.03, "5", "XXX", "0"),
    ("96370", "A", 0.18, 0.32, 0.01, "5", "ZZZ", "0"),
    ("0075T", "C", 0.0, 0.0, 0.0, "1", "XXX", "0"),
    ("00100", "J", 0.0, 0.0, 0.0, "9", "XXX", "9"),
]
RVU_COLUMNS = ("hcpcs", "status", "work_rvu", "nonfac_pe_rvu", "mp_rvu", "pctc", "global_days")
RVU_COLUMNS += ("mult_proc",)
TRANSITION = grid_of("""\
HCPCS,MOD,DESCRIPTION,STATUS CODE,WORK RVU,TRANSITIONED NON-FAC PE RVU,\
FULLY IMPLEMENTED NON-FAC PE RVU,\
MP RVU,TRANSITIONED NON-FACILITY TOTAL,PCTC IND,GLOB DAYS,MULT PROC,CONV FACTOR
96369,,x,A,0.21,4.10,9.99,0.03,4.34,5,XXX,0,36.0791
""")
GPCI = grid_of(
    """\
ADDENDUM E. FINAL CY 2020 GPCIs BY STATE AND MEDICARE LOCALITY;;;;;;
;;;;;;
Medicare Administrative Contractor (MAC);State;Locality Number;Locality Name;\
2020 PW GPCI (with 1.0 Floor)***;2020 PE GPCI;2020 MP GPCI
02102;AK;01;ALASKA**;1.500;1.118;0.661
15202;OH;00;OHIO;1.000;0.917;0.973
;;;;;;
** the floor for Alaska;;;;;;
""",
    ";",
)
GPCI_ROWS = [("02102-01", "ALASKA", 1.5, 1.118, 0.661), ("15202-00", "OHIO", 1.0, 0.917, 0.973)]
GPCI_COLUMNS = ("locality", "name", "gpci_work", "gpci_pe", "gpci_mp")
OPPS = grid_of(
    """\
Addendum B.-Final OPPS Payment by HCPCS Code for CY 2023;;;;;;;;
CPT codes only are copyright 2022 American Medical Association.;;;;;;;;
HCPCS Code;Short Descriptor;SI;APC;Relative Weight;Payment Rate ;National Unadjusted Copayment;\
Minimum Unadjusted Copayment;* Indicates a Change
96368;x;N;;;;;;
96369;x;S;5693;2.4136;$206.57 ;.;$41.32 ;
96370;x;S;5691;0.4951;$42.37;.;$8.48;
C8957;x;S;5694;3.8864;"$1,332.62";.;$66.53;*
""".replace('"', ""),
    ";",
)
OPPS_ROWS = [
    ("96368", "N", None, None, None, None),
    ("96369", "S", "5693", 2.4136, 206.57, 41.32),
    ("96370", "S", "5691", 0.4951, 42.37, 8.48),
    ("C8957", "S", "5694", 3.8864, 1332.62, 66.53),
]
OPPS_COLUMNS = ("hcpcs", "si", "apc", "relative_weight", "rate_usd", "min_copay_usd")
MUE = grid_of(
    """\
CPT codes only are copyright the American|Medical Association.|All rights reserved.;;;
HCPCS/|CPT Code;Practitioner Services MUE Values;MUE Adjudication Indicator;MUE Rationale
96369;1;2 Date of Service Edit: Policy;CMS Policy
96370;3;3 Date of Service Edit: Clinical;Clinical: Data
""",
    ";",
)
MUE = [[cell.replace("|", "\r\n") for cell in row] for row in MUE]
MUE_ROWS = [("practitioner", "96369", 1, "2"), ("practitioner", "96370", 3, "3")]
PTP = grid_of(
    """\
CPT only copyright 2025 American Medical Association.  All rights reserved.;;;;;;
Column1/Column2 Edits;;;;;;
Column 1;Column 2;*=in existence;Effective;Deletion;Modifier;PTP Edit Rationale
;;prior to 1996;Date;Date;0=not allowed;
;;;;*=no data;1=allowed;
;;;;;9=not applicable;
96369;96372;;20090101;*;1;x
96369;36591;;20090101;*;0;x
96369;96401;;20090101;20261231;1;x
96369;96402;;20261115;*;1;x
96370;E0781;;20090101;20240930;1;x
0001A;90473;;20220101;20220101;9;x
""",
    ";",
)
PTP_ROWS = [
    ("96369", "96372", "1", date(2026, 10, 1), None),
    ("96369", "36591", "0", date(2026, 10, 1), None),
    ("96369", "96401", "1", date(2026, 10, 1), date(2026, 12, 31)),
    ("96369", "96402", "1", date(2026, 11, 15), None),
]
PTP_COLUMNS = ("column_1", "column_2", "modifier_indicator", "start", "until")
ADD_ON = grid_of("""\
CPT codes only are copyright 2025 American Medical Association.,,,,,,,
AOC_Edit_Type,Add-On_Code,AOC_DelDT,Primary_Code,Primary_Code_DelDT,AOC_Edit_EffDT,AOC_Edit_DelDT,\
Special_Instruction_Notes
1,96370,,96369,,2013001,,
1,96371,,96369,,2013001,,
2,99292,,CCCCC,,2013001,,x
1,96361,,90760,2008366,2007001,,
1,96366,,96365,,2013001,2026181,
""")
ADD_ON_ROWS = [
    ("96370", "96369", "1", None),
    ("96371", "96369", "1", None),
    ("96366", "96365", "1", date(2026, 6, 30)),
]
MUE_COLUMNS = ("setting", "hcpcs", "units", "mai")
MUE_NAME = "MCR_MUE_PractitionerServices_Eff_10-01-2026"
ADD_ON_COLUMNS = ("add_on", "primary", "type", "until")
LAYOUTS = {
    "RVU": (RVU, "PPRRVU2026_Jul_nonQPP", RVU_COLUMNS, RVU_ROWS, "relative_values"),
    "GPCI": (GPCI, "GPCI2020_rvu20a", GPCI_COLUMNS, GPCI_ROWS, "gpcis"),
    "Addendum B": (OPPS, "January 2023 Web Addendum B", OPPS_COLUMNS, OPPS_ROWS, "opps_rates"),
    "MUE": (MUE, MUE_NAME, MUE_COLUMNS, MUE_ROWS, "unlikely_edits"),
    "PTP": (PTP, "ccipra-v323r0-f1", PTP_COLUMNS, PTP_ROWS, "procedure_pairs"),
    "add-on": (ADD_ON, "AOC_V2026Q2-MCR", ADD_ON_COLUMNS, ADD_ON_ROWS, "add_on_primaries"),
}


@pytest.mark.parametrize("suffix", [".csv", ".txt", ".xlsx", ".zip"])
@pytest.mark.parametrize("kind", LAYOUTS)
def test_every_layout_in_every_format(save, kind: str, suffix: str) -> None:
    grid, name, columns, rows, table = LAYOUTS[kind]
    file = read_cms_file(save(grid, name + suffix), read_on=TODAY)
    assert (file.kind, file.table) == (kind, table)
    assert figures(file, *columns) == rows
    assert file.rows.schema == bundled_tables()[table].schema
    assert file.rows["source"].unique().to_list() == ["user-file"]
    assert file.rows["standing"].unique().to_list() == ["single source"]
    assert f"{name}.csv" in file.rows["cite"][0] or f"{name}{suffix}" in file.rows["cite"][0]
    assert file.rows["cite"][0].endswith("read 2026-11-25 [single source]")


@pytest.mark.parametrize("kind", ["RVU", "Addendum B"])
def test_descriptors_are_not_kept(save, kind: str) -> None:
    grid, name, *_ = LAYOUTS[kind]
    file = read_cms_file(save(grid, name + ".csv"))
    assert "x" not in [cell for row in file.rows.rows() for cell in row]
    read = file.recognised.filter(pl.col("in_file").str.contains("DESCRIPTION|Descriptor"))
    assert read["note"].to_list() == ["not read"]


def test_what_is_said_of_a_file(save) -> None:
    file = read_cms_file(save(RVU, "PPRRVU2026_Jul_nonQPP.csv"))
    said = file.recognised
    assert said.filter(what="file").row(0)[1:] == (
        "PPRRVU2026_Jul_nonQPP.csv", "relative_values", 5,
        "relative value file (PPRRVU); comma utf-8, header in line 8",
    )  # fmt: skip
    assert said.filter(what="start").row(0)[1:3] == ("2026_jul", "2026-07-01")
    names = dict(said.filter(what="column").select("in_file", "became").rows())
    assert names["WORK RVU"] == "work_rvu"
    assert names["FACILITY PE RVU"] is None
    assert said.filter(what="kept").row(0)[3:] == (4, "held to the end of 2026, or to a later file")
    assert left_out(file) == {"a row for a modifier, such as 26 or TC": 1}
    assert repr(file).splitlines() == [
        "RVU file for 'relative_values' from 2026-07-01: 4 rows kept",
        "  left out: a row for a modifier, such as 26 or TC, 1",
    ]


def test_figures_of_a_year_end_with_it_and_edits_do_not(save) -> None:
    rvu = read_cms_file(save(RVU, "PPRRVU2026_Jul_nonQPP.csv"))
    assert rvu.rows["until"].unique().to_list() == [date(2026, 12, 31)]
    mue = read_cms_file(save(MUE, "MCR_MUE_PractitionerServices_Eff_10-01-2026.csv"))
    assert mue.rows["until"].to_list() == [None, None]


@pytest.mark.parametrize(
    ("name", "apm", "start", "factors"),
    [
        ("PPRRVU2026_Jul_nonQPP.csv", None, None, [("no", 33.4009)]),
        ("PPRRVU2026_Jul_QPP.csv", None, None, [("yes", 33.4009)]),
        ("PPRRVU2026_Jul.csv", None, None, []),
        ("PPRRVU2026_Jul.csv", "no", None, [("no", 33.4009)]),
        ("old.csv", None, date(2025, 10, 1), [("all", 33.4009)]),
    ],
)
def test_whose_conversion_factor_it_is(save, name, apm, start, factors) -> None:
    file = read_cms_file(save(RVU, name), apm=apm, start=start)
    found = file.conversion_factors.select("apm", "conversion_factor").rows()
    assert [(whom, float(factor)) for whom, factor in found] == factors
    assert file.conversion_factors.schema == bundled_tables()["conversion_factors"].schema
    if factors:
        assert file.conversion_factors["until"].item() == date(file.start.year, 12, 31)
    note = file.recognised.filter(became="conversion_factor")["note"].item()
    assert note.startswith("apm" if factors else "not read: the name says neither QPP nor nonQPP")


def test_a_header_over_four_rows(save) -> None:
    words = {
        "HCPCS": 0, "MOD": 1, "STATUS": 3, "WORK RVU": 5, "TRANSITIONED NON-FAC PE RVU": 6,
        "TRANSITIONED FACILITY PE RVU": 8, "MP RVU": 10, "PCTC": 13, "GLOB DAYS": 14,
        "MULT PROC": 18,
    }  # fmt: skip
    rows = [[""] * 26 for _ in range(4)]
    for name, place in words.items():
        for row, word in zip(reversed(rows), reversed(name.split()), strict=False):
            row[place] = word
    file = read_cms_file(save([*rows, *RVU[8:]], "PPRRVU2026_Jul_nonQPP.csv"))
    assert figures(file, *RVU_COLUMNS) == RVU_ROWS


def test_the_years_with_two_practice_expenses(save) -> None:
    file = read_cms_file(save(TRANSITION, "rvu.csv"), start=date(2010, 1, 1))
    assert figures(file, "hcpcs", "nonfac_pe_rvu") == [("96369", 4.10)]
    assert figures(file, "until") == [(date(2010, 12, 31),)]


WITHOUT, WITH = "2026 PW GPCI (without 1.0 Floor)", "2026 PW GPCI (with 1.0 Floor)"
PLACE = "State;Locality Number;Locality Name"


@pytest.mark.parametrize(
    ("header", "cells", "work"),
    [
        ("Locality;Locality Name;2020 PW GPCI", "10112;00;ALABAMA;1.000", 1.0),
        (f"{PLACE};{WITHOUT};{WITH}", "10112;AL;00;ALABAMA;0.982;1.000", 1.0),
        (f"{PLACE};{WITHOUT}", "10112;AL;00;ALABAMA;0.982", 0.982),
        (f"{PLACE};{WITH}***", "10112;AL;0;ALABAMA*;1", 1.0),
    ],
)
def test_layouts_of_geographic_indices(save, header: str, cells: str, work: float) -> None:
    first = "Medicare Administrative Contractor (MAC)" if "State" in header else "MAC"
    text = f"{first};{header};2020 PE GPCI;2020 MP GPCI\n{cells};0.869;0.575\n"
    file = read_cms_file(save(grid_of(text, ";"), "gpci.csv"), start=date(2026, 1, 1))
    assert figures(file, *GPCI_COLUMNS) == [("10112-00", "ALABAMA", work, 0.869, 0.575)]
    assert file.rows["state"].to_list() == (["AL"] if "State" in header else [None])


def test_leading_zeros_of_a_contractor_come_back(save) -> None:
    grid = [*GPCI[:3], ["9202", "PR", "20", "PUERTO RICO", "1", "1.000", "1.000"]]
    file = read_cms_file(save(grid, "gpci.csv"), start=date(2023, 1, 1))
    assert file.rows["locality"].to_list() == ["09202-20"]


def test_the_days_of_edits(save) -> None:
    file = read_cms_file(save(PTP, "ccipra-v323r0-f1.txt"))
    assert file.ended.rows() == [("practitioner", "96370", "E0781", date(2024, 9, 30))]
    assert left_out(file) == {
        "a heading, a note or an empty line": 3,
        "ended before the first day of the file": 1,
        "modifier indicator 9: taken back from its first day": 1,
    }
    add_on = read_cms_file(save(ADD_ON, "AOC_V2026Q2-MCR.csv"))
    assert add_on.ended.rows() == [("96361", "90760", date(2008, 12, 31))]
    assert left_out(add_on)["primaries are left to the contractor (CCCCC)"] == 1


@pytest.mark.parametrize(
    ("effective", "deletion", "indicator", "kept"),
    [
        ("20090101", "20260930", "1", None),
        ("20090101", "20261001", "1", (date(2026, 10, 1), date(2026, 10, 1))),
        ("20261001", "20261001", "0", (date(2026, 10, 1), date(2026, 10, 1))),
        ("20261002", "*", "0", (date(2026, 10, 2), None)),
        ("20261002", "20261001", "1", None),
        ("20090101", "*", "2", None),
        ("20090101", "*", "9", None),
        ("2009-01-01", "", "1", (date(2026, 10, 1), None)),
        ("soon", "*", "1", None),
    ],
)
def test_first_and_last_days_of_a_pair(save, effective, deletion, indicator, kept) -> None:
    pair = ["96369", "96377", "", effective, deletion, indicator, "x"]
    file = read_cms_file(save([*PTP[:7], pair], "ccipra-v323r0-f1.csv"))
    found = file.rows.filter(column_2="96377").select("start", "until").rows()
    assert found == ([kept] if kept else [])


def test_an_edit_that_came_back_has_not_ended(save) -> None:
    again = [*PTP[:7], ["96369", "96372", "", "20000101", "20051231", "0", "x"]]
    file = read_cms_file(save(again, "ccioph-v323r0-f1.csv"))
    assert figures(file, "setting", "modifier_indicator") == [("outpatient_hospital", "1")]
    assert file.ended.is_empty()


@pytest.mark.parametrize(
    ("name", "column", "stated", "setting"),
    [
        ("mue.csv", "Outpatient Hospital Services MUE Values", None, "outpatient_hospital"),
        ("mue.csv", "MUE Values", "practitioner", "practitioner"),
        (
            "mue.csv",
            "MUE Values",
            None,
            "Neither the name nor the header .* setting='practitioner'",
        ),
        ("mue.csv", "DME Supplier Services MUE Values", None, "for suppliers of equipment"),
        ("mue.csv", "MUE Values", "home", "setting is one of"),
    ],
)
def test_for_whom_edits_are(save, name, column, stated, setting) -> None:
    path = save(
        [["HCPCS/CPT Code", column, "MUE Adjudication Indicator"], ["96369", "1", "2"]], name
    )
    if setting in ("practitioner", "outpatient_hospital"):
        file = read_cms_file(path, start=TODAY, setting=stated)
        assert file.rows["setting"].to_list() == [setting]
    else:
        with pytest.raises(InputError, match=setting):
            read_cms_file(path, start=TODAY, setting=stated)


def test_only_the_codes_asked_for(save) -> None:
    file = read_cms_file(save(RVU, "PPRRVU2026_Jul_nonQPP.csv"), codes=[" 96369 ", "00100"])
    assert file.rows["hcpcs"].to_list() == ["96369", "00100"]
    assert left_out(file) == {"none of the codes asked for": 3}
    pairs = read_cms_file(save(PTP, "ccipra-v323r0-f1.csv"), codes=["96372"])
    assert figures(pairs, "column_1", "column_2") == [("96369", "96372")]
    assert pairs.ended.is_empty()
    with pytest.raises(InputError, match="codes= cannot be used here: the rows of 'gpcis'"):
        read_cms_file(save(GPCI, "rvu20a.csv"), codes=["96369"])


# --- the first day ----------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("published_first_days"), ids=lambda case: case["file"])
def test_first_days(case: dict[str, str]) -> None:
    names = [name for name in (case["archive"], case["file"]) if name]
    if case["start"]:
        assert str(first_day(names, case["title"], stated=None).start) == case["start"]
    else:
        with pytest.raises(InputError, match=r"first day.* start="):
            first_day(names, case["title"], stated=None)


def test_a_stated_first_day_wins_and_the_other_is_named(save) -> None:
    file = read_cms_file(save(RVU, "PPRRVU2026_Jul_nonQPP.csv"), start=date(2026, 1, 1))
    assert file.rows["start"].unique().to_list() == [date(2026, 1, 1)]
    assert file.recognised.filter(what="start")["in_file"].item() == (
        "stated; the file says 2026-07-01 ('2026_jul')"
    )


def test_a_first_day_is_a_date(save) -> None:
    with pytest.raises(InputError, match=r"start is a date, e.g. date\(2026, 1, 1\), not '2026"):
        read_cms_file(save(GPCI, "GPCI2020.csv"), start="2026-01-01")


def test_a_first_day_is_asked_for(save) -> None:
    with pytest.raises(InputError) as error:
        read_cms_file(save(GPCI, "GPCI2020.csv"))
    assert str(error.value) == (
        "The first day that 'GPCI2020.csv' holds is not known: it names the year 2020 but not the "
        "month. State it, e.g. start=date(2020, 1, 1) for the January release."
    )


# --- rows that cannot be used -----------------------------------------------------------------


def rvu_row(**changes: str) -> list[str]:
    names = {"hcpcs": 0, "mod": 1, "status": 3, "work": 5, "pe": 6, "mp": 10, "total": 11}
    row = list(RVU[8])
    for name, value in changes.items():
        row[names[name]] = value
    return row


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (rvu_row(hcpcs="9636"), "'hcpcs' is not five letters or digits"),
        (rvu_row(hcpcs=""), "a heading, a note or an empty line"),
        (rvu_row(work="abc"), "'work_rvu' cannot be read"),
        (rvu_row(work="=0.1+0.11"), "'work_rvu' cannot be read"),
        (rvu_row(work=""), "'work_rvu' is empty"),
        (rvu_row(work="-0.21"), "'work_rvu' is below 0"),
        (rvu_row(status=""), "'status' is empty"),
        (
            rvu_row(total="4.36"),
            "work, practice expense and malpractice do not add up to the total",
        ),
        (rvu_row(mod="TC"), "a row for a modifier, such as 26 or TC"),
        (["Note: x", *[""] * 25], "a heading, a note or an empty line"),
        (["96371", "", "x"], "another number of fields than the header (a note, or cut off)"),
        (rvu_row(status="A\0"), "another number of fields than the header (a note, or cut off)"),
        (list(RVU[9]), "the same row again"),
    ],
)
def test_the_good_rows_are_served_and_the_bad_ones_counted(save, row: list[str], why: str) -> None:
    file = read_cms_file(save([*RVU[:8], RVU[9], row], "PPRRVU2026_Jul_nonQPP.csv"))
    assert file.rows["hcpcs"].to_list() == ["96370"]
    assert left_out(file) == {why: 1}


@pytest.mark.parametrize("total", ["4.33", "4.35", "4.34", ""])
def test_a_total_may_be_off_by_a_rounding(save, total: str) -> None:
    file = read_cms_file(save([*RVU[:8], rvu_row(total=total)], "PPRRVU2026_Jul_nonQPP.csv"))
    assert file.rows.height == 1


def test_rows_that_contradict_each_other_are_both_left_out(save) -> None:
    other = rvu_row(work="0.22", total="4.35")
    file = read_cms_file(save([*RVU[:10], other], "PPRRVU2026_Jul_nonQPP.csv"))
    assert file.rows["hcpcs"].to_list() == ["96370"]
    assert left_out(file) == {"listed more than once with different figures": 2}


@pytest.mark.parametrize("code", ["g0069", " G0069 ", '="G0069"'])
def test_codes_however_they_are_written(save, code: str) -> None:
    file = read_cms_file(save([*RVU[:8], rvu_row(hcpcs=code)], "PPRRVU2026_Jul_nonQPP.csv"))
    assert file.rows["hcpcs"].to_list() == ["G0069"]


def test_other_encodings(save) -> None:
    text = as_text(GPCI).replace("OHIO", "CAÑON")
    for encoding in ("latin-1", "utf-8", "utf-8-sig", "utf-16"):
        path = save(text.encode(encoding), f"rvu20a_{encoding}.csv")
        file = read_cms_file(path, start=date(2020, 1, 1))
        assert file.rows["name"].to_list() == ["ALASKA", "CAÑON"], encoding


# --- files that cannot be used ----------------------------------------------------------------

HOSTILE = {
    "empty": (b"", "is empty"),
    "blank": (b"\n\n\n", "is empty"),
    "binary": (bytes(range(256)) * 40, "is not text: it holds control or NUL bytes"),
    "a workbook by another name": (b"PK\x03\x04" + b"\0" * 100, "a zip archive or an Excel"),
    "nuls": (b"HCPCS,MOD\n" + b"\0" * 5000, "holds control or NUL bytes"),
    "another table": (b"HCPCS,MOD,PROCSTAT,CARRIER,LOCALITY\n96369,,A,1,2\n", "was not recognised"),
    "someone's export": (b"patient,start,stop\nJANE ROE,1,2\n", "was not recognised"),
    "header only": (as_text(RVU[:8]).encode(), "no row of it can be used: it has no rows"),
    "cut in its header": (as_text(RVU[:7]).encode()[:-30], "was not recognised"),
    "no malpractice": (as_text(RVU).replace("MP,", "XX,").encode(),
                       "was recognised as a relative value file .* no column 'MP RVU'"),
    "no indicator": (b"HCPCS/CPT Code,Practitioner Services MUE Values\n96369,1\n",
                     "has no column 'MUE Adjudication Indicator'"),
    "10,000 columns": (b",".join(b"c%d" % i for i in range(10_000)) + b"\n", "was not recognised"),
    "one endless line": (b"x" * 400_000, "no end of line"),
    "fixed width": (b"HDR 2026 NATIONAL\n96369     A 000.21\n", "fixed width is not read"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(save, tmp_path: Path, name: str) -> None:
    data, message = HOSTILE[name]
    with pytest.raises(InputError, match=message) as error:
        read_cms_file(save(data, "PPRRVU2026_Jul_nonQPP.csv"))
    assert "'PPRRVU2026_Jul_nonQPP.csv'" in str(error.value)
    assert str(tmp_path) not in str(error.value)
    assert "JANE" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [("nowhere.csv", "There is no file"), ("nowhere.zip", "There is no file"), ("a.pdf", "suffix")],
)
def test_files_that_are_not_there_or_of_another_kind(save, tmp_path, name, message) -> None:
    save(b"%PDF", "a.pdf")
    with pytest.raises(InputError, match=message):
        read_cms_file(tmp_path / name)


def test_all_rows_bad_says_why(save) -> None:
    grid = [*RVU[:8], rvu_row(work="abc"), rvu_row(mod="26")]
    with pytest.raises(InputError, match="cannot be read; 1 row\\(s\\): a row for a m"):
        read_cms_file(save(grid, "PPRRVU2026_Jul_nonQPP.csv"))


def test_a_wide_first_row_does_not_hide_the_table(save) -> None:
    wide = [[f"c{i}" for i in range(10_000)], *RVU]
    assert read_cms_file(save(wide, "PPRRVU2026_Jul_nonQPP.csv")).rows.height == 4


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in members.items():
            packed.writestr(name, data)
    return path


def test_an_archive_as_cms_packs_it(tmp_path: Path) -> None:
    members = {
        "PPRRVU2026_Jul_nonQPP.csv": as_text(RVU).encode(),
        "PPRRVU2026_Jul_nonQPP.txt": b"HDR x\n",
        "RVU26C.pdf": b"%PDF",
        "in/GPCI2026.csv": as_text(GPCI).replace("2020", "2026").encode(),
        "OPPSCAP.csv": b"HCPCS,MOD\n96369,\n",
    }
    path = archive(tmp_path / "rvu26c-updated-06-30-2026.zip", members)
    with pytest.raises(InputError, match=r"holds 2 tables: .*\(RVU\).*\(GPCI\).* part='PPRRVU2026"):
        read_cms_file(path)
    file = read_cms_file(path, part="GPCI2026.csv", read_on=TODAY)
    assert (file.kind, file.start) == ("GPCI", date(2026, 7, 1))
    assert file.rows["cite"][0].startswith("rvu26c-updated-06-30-2026.zip: GPCI2026.csv, read")
    assert read_cms_file(path, part="PPRRVU2026_Jul_nonQPP.csv").rows.height == 4
    with pytest.raises(InputError, match="was not recognised"):
        read_cms_file(path, part="OPPSCAP.csv")


def test_archives_that_are_refused(save, tmp_path: Path, monkeypatch) -> None:
    zeros = archive(tmp_path / "bomb.zip", {"a.csv": b"0" * 2**22})
    for name, value in {"MOST_TIMES": 2, "MOST_BYTES": 2**20}.items():
        with monkeypatch.context() as patch:
            patch.setattr(packed_files, name, value)
            with pytest.raises(InputError, match=r"unpacks to more than .* times its packed size"):
                read_cms_file(zeros)
    with pytest.raises(InputError, match="holds no table"):
        read_cms_file(archive(tmp_path / "pdf.zip", {"a.pdf": b"%PDF"}))
    whole = archive(tmp_path / "whole.zip", {"a.csv": as_text(RVU).encode()}).read_bytes()
    with pytest.raises(InputError, match=r"damaged, cut off, or not what its suffix says"):
        read_cms_file(save(whole[:200], "cut.csv").rename(tmp_path / "cut.zip"))
    with pytest.raises(InputError, match=r"'none.zip' was not recognised"):
        read_cms_file(archive(tmp_path / "none.zip", {"a.csv": b"a,b\n1,2\n"}))
    with pytest.raises(InputError, match=r"'bad.zip': 'a.csv' is empty"):
        read_cms_file(archive(tmp_path / "bad.zip", {"a.csv": b""}))


def test_a_name_that_climbs_out_of_the_archive_stays_inside(tmp_path: Path) -> None:
    members = {"../../PPRRVU2026_Jul_nonQPP.csv": as_text(RVU).encode()}
    path = archive(tmp_path / "rvu26c.zip", members)
    assert read_cms_file(path).rows.height == 4
    assert not list(tmp_path.parent.glob("PPRRVU*"))


def test_the_default_limits_refuse_a_bomb(tmp_path: Path) -> None:
    bomb = archive(tmp_path / "bomb.zip", {"a.csv": b"0" * (packed_files.MOST_TIMES + 1) * 2**20})
    with pytest.raises(InputError, match=r"more than 2 GB, or a part of it to more than 200 times"):
        read_cms_file(bomb)


def test_two_sheets(tmp_path: Path) -> None:
    path = tmp_path / "PPRRVU2026_Jul_nonQPP.xlsx"
    book(path, {"Empty": [], "Notes": [["a note"]], "July": RVU})
    file = read_cms_file(path)
    assert "sheet 'July', header in row 8" in file.recognised.filter(what="file")["note"].item()
    book(path, {"A": RVU, "B": RVU})
    with pytest.raises(InputError, match=r"holds 2 tables: 'A' \(RVU\), 'B' \(RVU\). State one"):
        read_cms_file(path)
    assert read_cms_file(path, part="B").rows.height == 4
    with pytest.raises(InputError, match=r"no part 'C' that was recognised. It has 'A', 'B'"):
        read_cms_file(path, part="C")


def test_a_workbook_that_swells(tmp_path: Path, monkeypatch) -> None:
    book(tmp_path / "a.xlsx", {"A": RVU})
    monkeypatch.setattr(packed_files, "MOST_BYTES", 1000)
    with pytest.raises(InputError, match=r"'a.xlsx' unpacks to more than"):
        read_cms_file(tmp_path / "a.xlsx")


def test_excel_needs_its_extra(save, monkeypatch) -> None:
    path = save(RVU, "PPRRVU2026_Jul_nonQPP.xlsx")
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    with pytest.raises(InputError, match=r"pip install 'subq_toolkit\[excel\]'"):
        read_cms_file(path)


# --- tables with a file in them ---------------------------------------------------------------


def test_a_new_year_in_the_bundled_tables(save) -> None:
    grid = [*RVU[:8], rvu_row(work="0.22", total="4.35"), RVU[9], RVU[12]]
    file = read_cms_file(save(grid, "PPRRVU2027_Jan_nonQPP.csv"), start=date(2027, 1, 1))
    old = bundled_tables()
    new, report = with_cms_file(old, file)
    assert report.filter(pl.col("change").is_in(["added", "changed"])).rows() == [
        ("relative_values", "00100", None, None, None, "added"),
        ("relative_values", "96369", None, None, None, "added"),
        ("relative_values", "96370", None, None, None, "added"),
        ("conversion_factors", "no", None, None, None, "added"),
    ]
    spans = new["relative_values"].filter(hcpcs="96369").select("start", "until", "work_rvu")
    assert [_plain(v) for v in spans.row(-1)] == [date(2027, 1, 1), date(2027, 12, 31), 0.22]
    assert spans.head(-1).equals(
        old["relative_values"].filter(hcpcs="96369").sort("start").select(spans.columns)
    )
    assert new["opps_rates"] is old["opps_rates"]


def test_a_year_without_a_schedule_is_priced_from_the_file(save) -> None:
    text = as_text(RVU[4:]).replace("33.4009", "40.0000")
    file = read_cms_file(save(text, "PPRRVU2027_Jan_nonQPP.csv"))
    tables, _ = with_cms_file(bundled_tables(), file)
    claim = {"encounter_id": "E", "service_date": date(2027, 3, 1), "code": "96369", "units": 1}
    lines = pl.DataFrame([claim])
    assert price(lines).collect()["status"].to_list() == ["missing"]
    priced = price(lines, tables=tables).collect()
    assert [float(usd) for usd in priced["allowed_usd"]] == [173.60]  # 4.34 x 40
    assert "PPRRVU2027_Jan_nonQPP.csv" in priced["cite"].item()


def test_a_release_within_a_year_reports_what_changed(save) -> None:
    grid = [*RVU[:8], rvu_row(work="0.22", total="4.35"), RVU[9]]
    file = read_cms_file(save(grid, "PPRRVU2026_Jul_nonQPP.csv"))
    new, report = with_cms_file(bundled_tables(), file)
    rvus = report.filter(table="relative_values")
    assert rvus.filter(change="changed").rows() == [
        ("relative_values", "96369", "work_rvu", "0.21", "0.22", "changed")
    ]
    assert rvus.filter(change="unchanged")["key"].to_list() == ["96370"]
    assert rvus.filter(change="cut short").is_empty()  # what was inferred of October gives way
    held = bundled_tables()["relative_values"].filter(
        pl.col("start") <= date(2026, 7, 1), pl.col("until") >= date(2026, 7, 1)
    )
    assert rvus.filter(change="missing").height == held.height - 2
    spans = new["relative_values"].filter(hcpcs="96369", source="user-file")
    assert spans.select("start", "until").rows() == [(date(2026, 7, 1), date(2026, 12, 31))]


def test_a_release_read_after_a_later_one_ends_before_it(save) -> None:
    path = save(RVU, "PPRRVU2026_nonQPP.csv")
    october = read_cms_file(path, start=date(2026, 10, 1))
    tables, _ = with_cms_file(bundled_tables(), october)
    july = read_cms_file(path, start=date(2026, 7, 1))
    new, report = with_cms_file(tables, july)
    cut = report.filter(table="relative_values", change="cut short", key="96369")
    assert cut.rows()[0][1:] == ("96369", "until", "2026-12-31", "2026-09-30", "cut short")
    spans = new["relative_values"].filter(hcpcs="96369", source="user-file")
    assert spans.select("start", "until").rows() == [
        (date(2026, 7, 1), date(2026, 9, 30)),
        (date(2026, 10, 1), date(2026, 12, 31)),
    ]


def test_only_what_the_file_could_have_held_is_missing(save) -> None:
    file = read_cms_file(save(MUE, "MCR_MUE_PractitionerServices_Eff_10-01-2026.csv"))
    _, report = with_cms_file(bundled_tables(), file)
    missing = report.filter(change="missing")["key"]
    assert missing.str.starts_with("practitioner ").all()
    assert "practitioner 96371" in missing
    path = save(MUE, "MCR_MUE_PractitionerServices_Eff_10-01-2026.csv")
    asked = read_cms_file(path, codes=["96369", "96371"])
    _, report = with_cms_file(bundled_tables(), asked)
    assert report.filter(change="missing")["key"].to_list() == ["practitioner 96371"]
    assert report.filter(change="unchanged")["key"].to_list() == ["practitioner 96369"]


def test_edits_that_the_file_says_have_ended(save) -> None:
    file = read_cms_file(save(PTP, "ccipra-v323r0-f1.txt"))
    new, report = with_cms_file(bundled_tables(), file)
    assert report.filter(change="ended").rows() == [
        ("procedure_pairs", "practitioner 96370 E0781", "until", None, "2024-09-30", "ended")
    ]
    pair = new["procedure_pairs"].filter(setting="practitioner", column_1="96370", column_2="E0781")
    assert pair["until"].to_list() == [date(2024, 9, 30)]
    assert "practitioner 96370 E0781" not in report.filter(change="missing")["key"]


def test_what_held_on_the_first_day_is_what_was_before(save) -> None:
    file = read_cms_file(save(RVU, "PPRRVU2026_Jul_nonQPP.csv"), codes=["96369"])
    old = file.rows.with_columns(start=date(2026, 6, 1), until=date(2026, 7, 1), work_rvu=0)
    tables = bundled_tables().replaced("relative_values", old.cast(dict(file.rows.schema)))
    _, report = with_cms_file(tables, file)
    assert report.filter(table="relative_values")["change"].to_list() == ["changed"]


DAY = date(2026, 1, 1)
offsets = st.integers(0, 40)


@st.composite
def spans(draw: st.DrawFn) -> list[tuple[int, int | None]]:
    """Spans of one key that do not overlap, as days from DAY; the last may have no end."""
    ends = sorted(draw(st.lists(offsets, min_size=2, max_size=6, unique=True)))
    found = [(a, b - 1) for a, b in pairwise(ends) if draw(st.booleans())]
    if found and draw(st.booleans()):
        found[-1] = (found[-1][0], None)
    return found


def table_of(rows: list[tuple]) -> pl.DataFrame:
    schema = bundled_tables()["add_on_primaries"].schema
    lines = [
        {
            "start": DAY + timedelta(start),
            "until": None if until is None else DAY + timedelta(until),
            "add_on": key,
            "primary": "P",
            "type": value,
        }
        for key, start, until, value in rows
    ]
    return pl.DataFrame(lines, schema=schema)


def held_on(rows: list[tuple], key: str, day: int) -> list[str]:
    return [v for k, a, b, v in rows if k == key and a <= day and (b is None or day <= b)]


def by_hand(old: list[tuple], new: tuple, day: int) -> list[str]:
    """What holds on a day: slowly, span by span."""
    key, start, until, value = new
    if day < start:
        return held_on(old, key, day)
    later = [row for row in old if row[0] == key and row[1] > start]
    if day >= min((row[1] for row in later), default=1000):
        return held_on(later, key, day)
    return [value] if until is None or day <= until else []


@given(
    old=st.dictionaries(st.sampled_from("ABC"), spans()),
    new=st.dictionaries(
        st.sampled_from("ABC"), st.tuples(offsets, st.none() | st.integers(0, 20)), min_size=1
    ),
)
def test_spans_never_overlap_and_every_day_is_as_by_hand(old: dict, new: dict) -> None:
    before = [(k, a, b, f"old {a}") for k, found in old.items() for a, b in found]
    rows = [(k, a, None if n is None else a + n, "new") for k, (a, n) in new.items()]
    tables = FeeTables({"add_on_primaries": table_of(before)})
    file = CmsFile(
        "add-on", "add_on_primaries", DAY, table_of(rows),
        bundled_tables()["conversion_factors"].clear(),
        pl.DataFrame(schema={"add_on": pl.String, "primary": pl.String, "until": pl.Date}),
        None, pl.DataFrame(),
    )  # fmt: skip
    after, report = with_cms_file(tables, file)
    found = [
        (key, (start - DAY).days, None if until is None else (until - DAY).days, value)
        for key, start, until, value in after["add_on_primaries"]
        .select("add_on", "start", "until", "type")
        .rows()
    ]
    for key in "ABC":
        mine = [row for row in rows if row[0] == key]
        for day in range(70):
            wanted = by_hand(before, mine[0], day) if mine else held_on(before, key, day)
            assert held_on(found, key, day) == wanted
            assert len(wanted) <= 1
    counted = report.filter(pl.col("change").is_in(["added", "changed", "unchanged"]))
    assert counted["key"].n_unique() == len(rows)
    assert after["add_on_primaries"].schema == tables["add_on_primaries"].schema


def test_all_keys_are_known() -> None:
    assert {table for *_, table in LAYOUTS.values()} <= set(KEYS)


# --- standard charges -------------------------------------------------------------------------

CODES = ["96369", "96370"]
ABOVE = [
    ["hospital_name", "last_updated_on", "version", "license_number|CA", "To the best\nof its"],
    ["West Hospital", "4/1/2026", "3.0.0", "1", "TRUE"],
]
TALL = [
    *ABOVE,
    *grid_of("""\
description,code|1,code|1|type,code|2,code|2|type,modifiers,setting,standard_charge|gross,\
standard_charge|discounted_cash,payer_name,plan_name,standard_charge|negotiated_dollar,\
standard_charge|negotiated_percentage,standard_charge|negotiated_algorithm,\
standard_charge|methodology,standard_charge|min,standard_charge|max
x,762,RC,96369,CPT,,outpatient,541,329,Plat,PPO,250.50,,,fee schedule,250.5,250.5
x,762,RC,96369,CPT,,outpatient,541,329,Region,HMO,,62.5,,percent of total billed charges,,
x,7,CDM,96370,CPT,,outpatient,147,94,Plat,PPO,47.84,,,fee schedule,,
x,7,CDM,80048,CPT,,outpatient,20,10,Plat,PPO,5,,,fee schedule,,
"""),
]
WIDE = [
    *ABOVE,
    *grid_of("""\
description,code | 1,code | 1 | type,Setting,standard_charge | gross,\
standard_charge|discounted_cash,standard_charge | Plat | PPO | negotiated_dollar,\
standard_charge|Plat|PPO|methodology,estimated_amount|Plat|PPO,\
standard_charge|Region|HMO|negotiated_dollar,standard_charge|Region|HMO|negotiated_percentage,\
standard_charge|Region|HMO|methodology,standard_charge|min
x,96369,CPT,Outpatient,541,329,250.50,fee schedule,999999999,,62.5,\
percent of total billed charges,1
x,96370,CPT,Outpatient,147,94,47.84,fee schedule,,,,,
x,80048,CPT,Outpatient,20,10,5,fee schedule,,,,,
"""),
]


def charge(code: str, gross: float, cash: float, *payers: tuple) -> dict:
    rates = ("standard_charge_dollar", "standard_charge_percentage")
    names = ("payer_name", "plan_name", *rates, "methodology")
    told = [{n: v for n, v in zip(names, one, strict=True) if v is not None} for one in payers]
    priced = {"gross_charge": gross, "discounted_cash": cash, "payers_information": told}
    codes = [{"code": "7", "type": "CDM"}, {"code": code, "type": "CPT"}]
    return {
        "description": "x",
        "code_information": codes,
        "standard_charges": [{"setting": "outpatient", **priced}],
    }


DOCUMENT = {
    "hospital_name": "West Hospital",
    "last_updated_on": "2026-04-01",
    "version": "3.0.0",
    "standard_charge_information": [
        charge("96369", 541, 329, ("Plat", "PPO", 250.50, None, "fee schedule"),
               ("Region", "HMO", None, 62.5, "percent of total billed charges")),
        charge("96370", 147, 94, ("Plat", "PPO", 47.84, None, "fee schedule")),
        charge("80048", 20, 10, ("Plat", "PPO", 5, None, "fee schedule")),
    ],
}  # fmt: skip
FOUND = [
    ("96369", "cash", None, None, None, 329.0, None),
    ("96369", "gross", None, None, None, 541.0, None),
    ("96369", "negotiated", "Plat", "PPO", "fee schedule", 250.5, None),
    ("96369", "negotiated", "Region", "HMO", "percent of total billed charges", None, 62.5),
    ("96370", "cash", None, None, None, 94.0, None),
    ("96370", "gross", None, None, None, 147.0, None),
    ("96370", "negotiated", "Plat", "PPO", "fee schedule", 47.84, None),
]
SHOWN = ("code", "kind", "payer", "plan", "method", "amount_usd", "percent")


def shown(file: PriceFile) -> list[tuple]:
    rows = file.prices.select(SHOWN).sort("code", "kind", "payer")
    return [tuple(_plain(value) for value in row) for row in rows.rows()]


@pytest.mark.parametrize(
    ("content", "name", "layout"),
    [(TALL, "a.csv", "CSV tall"), (WIDE, "a.csv", "CSV wide"), (DOCUMENT, "a.json", "JSON")],
    ids=["tall", "wide", "json"],
)
def test_the_three_layouts_say_the_same(save, content, name: str, layout: str) -> None:
    if layout == "JSON":
        pytest.importorskip("ijson")
        content = json.dumps(content)
    file = read_price_file(save(content, name), codes=CODES)
    assert shown(file) == FOUND
    assert (file.layout, file.hospital, file.updated_on) == (
        layout,
        "West Hospital",
        date(2026, 4, 1),
    )
    assert file.prices["setting"].unique().to_list() == ["outpatient"]
    assert file.set_aside.is_empty()
    assert file.recognised.filter(what="kept")["rows"].item() == 7
    assert repr(file) == (
        f"{layout} of West Hospital, updated on 2026-04-01: 2 cash, 2 gross, 3 negotiated"
    )


def test_repeats_are_kept_once_with_their_first_line(save) -> None:
    file = read_price_file(save(TALL, "a.csv"), codes=CODES)
    gross = file.prices.filter(code="96369", kind="gross")
    assert gross["source_row"].to_list() == [5]  # the row above the header runs over two lines
    assert file.recognised.filter(what="kept")["note"].item() == "2 repeats kept once"


def test_what_is_said_of_a_price_file(save) -> None:
    said = read_price_file(save(WIDE, "a.csv"), codes=CODES).recognised
    assert said.filter(what="file").rows() == [
        ("file", "a.csv", "CSV wide", 2, "lines that name a code; template 3.0.0")
    ]
    dollar = said.filter(in_file="standard_charge|...|negotiated_dollar")
    assert dollar["note"].item() == "2 payers and plans"
    assert said.filter(in_file="modifiers").is_empty()


@pytest.mark.parametrize("case", cases("published_prices"), ids=lambda c: "|".join(c.values())[:60])
def test_what_is_a_price(case: dict[str, str]) -> None:
    given = {name: case[name].strip() for name in ("amount", "percent", "algorithm")}
    found = sorted_prices(
        [RawPrice("96369", case["code_type"], "negotiated", **given)],
        smallest_usd=1,
        largest_usd=50_000,
    )
    if case["reason"]:
        assert found.set_aside["reason"].to_list() == [case["reason"]]
        assert found.set_aside["entry"].item() == (given["amount"] + given["percent"] or None)
        assert found.prices.is_empty()
    else:
        amount, percent = found.prices.select("amount_usd", "percent").row(0)
        kept = f"{amount.normalize():f}" if amount else f"{percent.normalize():f} %"
        assert kept == case["kept_as"]


def test_the_limits_by_default(save) -> None:
    lines = [[f"{96360 + i}", "CPT", usd] for i, usd in enumerate(["1", "0.99", "50000", "50001"])]
    grid = [["code|1", "code|1|type", "standard_charge|gross"], *lines]
    file = read_price_file(save(grid, "a.csv"), codes=[line[0] for line in lines])
    assert file.prices["amount_usd"].to_list() == [1, 50000]
    assert file.set_aside["entry"].to_list() == ["0.99", "50001"]


def test_the_limits_are_the_readers(save) -> None:
    file = read_price_file(save(TALL, "a.csv"), codes=CODES, smallest_usd=100, largest_usd=500)
    assert left_out(file) == {"an amount below 100 USD": 2, "an amount above 500 USD": 1}
    assert sorted(map(float, file.set_aside["amount_usd"])) == [47.84, 94, 541]


@pytest.mark.parametrize(
    ("line", "prices", "odd"),
    [
        ('5" tube,96369,CPT,outpatient,10,', 1, 0),
        ('"multi\nline\nname",96369,CPT,outpatient,10,', 1, 0),
        ('"two ""inch""",96369,CPT,outpatient,10,', 1, 0),
        ('"never closed,96369,CPT,outpatient,10,', 0, 1),
        ('"a"b,96369,CPT,outpatient,10,', 0, 1),
        ("a,b,96369,CPT,outpatient,10,", 0, 1),
        ("x,96369,CPT,outpa", 0, 1),
        ("x,96369,CPT,outpatient,10,,,,", 0, 1),
        ('x,"=""96369""",CPT,outpatient,10,', 1, 0),
        ("x, 96369 ,cpt,outpatient,$10.00,", 1, 0),
        ("x,80048,CPT,outpatient,96369,", 0, 0),
        ("caf\xe9,96369,CPT,outpatient,10,", 1, 0),
        ("x\0,96369,CPT,outpatient,10,", 1, 0),
    ],
)
def test_one_odd_line_costs_only_itself(save, line: str, prices: int, odd: int) -> None:
    header = "description,code|1,code|1|type,setting,standard_charge|gross,estimated_amount"
    text = f"a,b\n{header}\n{line}\nx,96370,CPT,outpatient,20,\n"
    file = read_price_file(save(text.encode("latin-1"), "a.csv"), codes=CODES)
    assert file.prices.filter(code="96369").height == prices
    assert file.prices.filter(code="96370")["amount_usd"].to_list() == [20]
    assert file.prices.filter(code="96369")["source_row"].to_list() == [3] * prices
    why = "a line that names a code but does not split into 6 fields"
    assert left_out(file) == ({why: odd} if odd else {})


def test_a_payer_for_each_of_ten_thousand_columns(save) -> None:
    payers = [f"standard_charge|Payer {i}|PPO|negotiated_dollar" for i in range(10_000)]
    amounts = [str(10 + i) for i in range(10_000)]
    grid = [["code|1", "code|1|type", *payers], ["96369", "CPT", *amounts]]
    file = read_price_file(save(grid, "a.csv"), codes=["96369"])
    assert file.prices.height == 10_000
    assert file.prices["payer"][-1] == "Payer 9999"
    assert file.recognised.height < 20


def test_many_codes_and_one_that_is_not_there(save) -> None:
    codes = [f"{number:05d}" for number in range(96300, 96400)]
    file = read_price_file(save(TALL, "a.csv"), codes=codes)
    assert shown(file) == FOUND
    none = read_price_file(save(TALL, "a.csv"), codes=["99999"])
    assert none.prices.is_empty()
    assert repr(none).endswith("no prices")
    lower = read_price_file(save(as_text(TALL).replace("96369", "J1559"), "a.csv"), codes=["j1559"])
    assert lower.prices["code"].unique().to_list() == ["J1559"]


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"", "a.csv", "'a.csv' is empty"),
        (b"a,b\n1,2\n", "a.csv", "'a.csv' was not recognised as a file of standard charges"),
        (bytes(range(256)) * 40, "a.csv", "not text"),
        (as_text(TALL).encode("utf-16"), "a.csv", "'a.csv' is UTF-16 text"),
        (b"code|1,description\n96369,x\n", "a.csv", "was not recognised"),
        (b"PK\x03\x04", "a.zip", "'a.zip' is packed"),
        (b"x", "a.csv.gz", "is packed"),
        (b"PK\x03\x04", "a.xlsx", "published as CSV or JSON"),
        (b"{}", "a.json", "no items in 'standard_charge_information'"),
        (b"nothing", "a.json", "or is no JSON"),
    ],
)
def test_price_files_that_are_refused(tmp_path: Path, data: bytes, name: str, message: str) -> None:
    if name.endswith("json"):
        pytest.importorskip("ijson")
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=message) as error:
        read_price_file(tmp_path / name, codes=CODES)
    assert str(tmp_path) not in str(error.value)


def test_codes_must_be_a_list(save) -> None:
    for codes in ("96369", [], [" "]):
        with pytest.raises(InputError, match="codes is a list of codes"):
            read_price_file(save(TALL, "a.csv"), codes=codes)


def test_a_line_without_end_is_refused(save, monkeypatch) -> None:
    monkeypatch.setattr(price_lines, "LONGEST", 1000)
    with pytest.raises(InputError, match="line 9 is longer than"):
        read_price_file(save(as_text(TALL) + "x" * 2000, "a.csv"), codes=CODES)


def test_json_that_is_cut_off_or_odd(save) -> None:
    pytest.importorskip("ijson")
    items = [*DOCUMENT["standard_charge_information"], {"code_information": "96369"}, 5]
    text = json.dumps({**DOCUMENT, "standard_charge_information": items})
    odd = read_price_file(save("\ufeff" + text, "a.json"), codes=CODES)
    assert shown(odd) == FOUND
    assert left_out(odd) == {"an item that is not built like the template": 2}
    whole = json.dumps(DOCUMENT)
    cut = read_price_file(save(whole[: whole.index("80048")], "b.json"), codes=CODES)
    assert shown(cut) == FOUND
    assert left_out(cut) == {"everything after item 2: the JSON breaks off there": None}


def test_modifiers_of_both_formats(save) -> None:
    grid = [*TALL[:3], [*TALL[3][:5], "50|62", *TALL[3][6:]]]
    assert (
        read_price_file(save(grid, "a.csv"), codes=CODES).prices["modifiers"].to_list()
        == ["50|62"] * 3
    )
    pytest.importorskip("ijson")
    item = charge("96369", 541, 329)
    item["standard_charges"][0]["modifier_code"] = ["50", "62"]
    document = json.dumps({"standard_charge_information": [item]})
    file = read_price_file(save(document, "a.json"), codes=CODES)
    assert file.prices["modifiers"].to_list() == ["50|62"] * 2
    assert (file.hospital, file.updated_on) == (None, None)


def test_json_needs_its_extra(save, monkeypatch) -> None:
    path = save(json.dumps(DOCUMENT), "a.json")
    monkeypatch.setitem(sys.modules, "ijson", None)
    with pytest.raises(InputError, match=r"pip install 'subq_toolkit\[prices\]'"):
        read_price_file(path, codes=CODES)


def many_rows(path: Path, rows: int) -> Path:
    """A tall file of so many rows, of which always seven name a wanted code."""
    filler = as_text([["x", "7", "CDM", "80048", *TALL[-1][4:]]])
    with path.open("w", newline="") as file:
        file.write(as_text(TALL))
        for _ in range(rows // 1000):
            file.write(filler * 1000)
    return path


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for rows in (2_000, 200_000):
        path = many_rows(tmp_path / f"{rows}.csv", rows)
        tracemalloc.start()
        try:
            assert shown(read_price_file(path, codes=CODES)) == FOUND
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert path.stat().st_size > 10_000_000
    assert peaks[1] < peaks[0] + 4_500_000  # the header is sought in the first 4 MB


# --- as a contract ----------------------------------------------------------------------------


def prices_of(save, grid: Grid = TALL) -> PriceFile:
    return read_price_file(save(grid, "a.csv"), codes=CODES)


def test_a_contract_table(save, tmp_path: Path) -> None:
    table = contract_table(prices_of(save), payer="plat")
    assert table.columns == ["code", "method", "value", "floor_usd", "cap_usd", "start", "until"]
    assert [tuple(map(_plain, row)) for row in table.rows()] == [
        ("96369", "amount", 250.5, None, None, date(2026, 4, 1), None),
        ("96370", "amount", 47.84, None, None, date(2026, 4, 1), None),
    ]
    table.write_csv(tmp_path / "contract.csv")
    contract = read_contract(tmp_path / "contract.csv")
    assert contract.terms.equals(table)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"payer": "Region"}, [("96369", "share_of_charges", 0.625)]),
        ({"plan": "hmo"}, [("96369", "share_of_charges", 0.625)]),
        ({"kind": "gross"}, [("96369", "amount", 541.0), ("96370", "amount", 147.0)]),
        (
            {"kind": "cash", "setting": "Outpatient"},
            [("96369", "amount", 329.0), ("96370", "amount", 94.0)],
        ),
    ],
)  # fmt: skip
def test_the_terms_of_a_contract_table(save, options: dict, expected: list[tuple]) -> None:
    table = contract_table(prices_of(save), **options).select("code", "method", "value")
    assert [tuple(map(_plain, row)) for row in table.rows()] == expected


@pytest.mark.parametrize(
    ("method", "named"),
    [("per diem", "per_diem"), ("Case Rate", "case_rate"), ("other", "amount"), ("", "amount")],
)
def test_rates_that_are_not_for_a_unit_say_so(save, method: str, named: str) -> None:
    grid = [*TALL[:3], [*TALL[3][:14], method, *TALL[3][15:]]]
    assert contract_table(prices_of(save, grid))["method"].to_list() == [named]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {},
            r"96369 has 2 different prices.* payer \(Plat, Region\); plan \(HMO, PPO\): state",
        ),
        ({"payer": "Platt"}, "no such price with payer='Platt'. Nearest there: 'Plat'"),
        ({"plan": "EPO"}, "no such price with plan='EPO'. Nearest there: '"),
        ({"setting": "inpatient"}, "no such price with setting='inpatient'"),
        ({"kind": "list"}, "kind is one of negotiated, gross, cash, not 'list'"),
    ],
)
def test_contract_tables_that_are_refused(save, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        contract_table(prices_of(save), **options)


def test_nothing_tells_two_prices_apart(save) -> None:
    grid = [*TALL[:4], [*TALL[3][:11], "300", *TALL[3][12:]]]
    with pytest.raises(InputError, match="Nothing in the file tells them apart"):
        contract_table(prices_of(save, grid))


def test_what_cannot_stand_in_a_contract_is_told(save) -> None:
    share = [*TALL[3][:11], "", "110", "", "fee schedule", "", ""]
    modified = [*TALL[5][:5], "59", *TALL[5][6:]]
    grid = [*TALL[:4], share, modified]
    with pytest.warns(UserWarning, match=r"'a.csv': 2 price\(s\) left out of the contract"):
        table = contract_table(prices_of(save, grid))
    assert table["code"].to_list() == ["96369"]
    with (
        pytest.warns(UserWarning, match=r"1 price\(s\) left out"),
        pytest.raises(InputError, match="has no negotiated price that can stand"),
    ):
        contract_table(prices_of(save, [*TALL[:3], share]))


def test_a_file_without_a_day_needs_one(save) -> None:
    file = prices_of(save, TALL[2:])
    with pytest.raises(InputError, match="does not say when it was updated"):
        contract_table(file, kind="gross")
    table = contract_table(file, kind="gross", start=date(2026, 1, 1))
    assert table["start"].unique().to_list() == [date(2026, 1, 1)]
