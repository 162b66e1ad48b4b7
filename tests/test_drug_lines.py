"""Drug lines: billed units, JW and JZ, limits by quarter, worked by hand from published figures."""

import csv
import math
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import subq_toolkit as sq
from subq_toolkit.catalog import dataset
from subq_toolkit.fees import bundled_tables
from subq_toolkit.fees.drug_lines import drug_line_of_plan, drug_lines, hcpcs_units

SPRING = date(2026, 5, 15)
COLUMNS = ["encounter_id", "service_date", "code", "modifier", "units", "rate_usd"]
COLUMNS += ["copay_per_unit_usd", "allowed_usd", "status", "basis", "cite"]


def dose(**changes: object) -> dict:
    """A whole 16 g of Hizentra from single-dose vials, with only what the test is about changed."""
    usual = {"encounter_id": "1", "service_date": SPRING, "hcpcs": "J1559", "dose_mg": 16000}
    return usual | {"discarded_amount": 0, "single_dose": True} | changes


def lines_of(*doses: dict, **terms: object) -> list[dict]:
    return drug_lines(pl.DataFrame(list(doses)), **terms).collect().rows(named=True)


def line_of(**changes: object) -> dict:
    (line,) = lines_of(dose(**changes))
    return line


def published() -> list[dict]:
    path = Path(dataset("fees")) / "drug_limits.csv"
    with path.open(newline="", encoding="utf-8") as rows:
        return list(csv.DictReader(rows))


# --- units ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "size", "units"),
    [(0, 100, 0), (1, 100, 1), (100, 100, 1), (101, 100, 2), (16000, 100, 160), (16001, 100, 161),
     (0.3, 0.1, 3), (80, 20, 4), (81, 20, 5), (500, 500, 1)],
)  # fmt: skip
def test_units_are_rounded_up(amount: float, size: float, units: int) -> None:
    assert hcpcs_units(amount=amount, unit_size=size) == units
    column = hcpcs_units(amount=pl.Series([float(amount), None, -1.0]), unit_size=size)
    assert column.to_list() == [units, None, None]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"amount": -1}, "'amount' is a number, zero or more .*it is negative"),
     ({"unit_size": 0}, "'unit_size' is a number above zero .*it is zero"),
     ({"amount": math.nan}, "not a finite number"), ({"amount": "16 g"}, "not a str")],
)  # fmt: skip
def test_a_number_that_is_no_amount_is_refused(wrong: dict, says: str) -> None:
    with pytest.raises(sq.InputError, match=says):
        hcpcs_units(**{"amount": 1, "unit_size": 100} | wrong)


@given(st.integers(0, 5000), st.integers(1, 700))
def test_units_match_vials_set_out_one_by_one(amount: int, size: int) -> None:
    units, left = 0, amount
    while left > 0:
        units, left = units + 1, left - size
    assert hcpcs_units(amount=amount, unit_size=size) == units


# --- payment by quarter --------------------------------------------------------------


def test_sixteen_grams_of_hizentra() -> None:
    line = line_of()
    assert list(line) == COLUMNS
    assert (line["code"], line["modifier"], line["units"]) == ("J1559", "JZ", 160)
    assert line["rate_usd"] == Decimal("14.515")
    assert line["allowed_usd"] == Decimal("2322.40")  # 160 × 14.515
    assert line["copay_per_unit_usd"] == Decimal("2.78")
    assert line["status"] == "paid"
    assert line["basis"].startswith(
        "16000 mg in units of 100 mg (single source), rounded up; × 14.515 USD, status K"
    )
    assert "Addendum B" in line["cite"]
    assert "HCPCS level II list of July 2024" in line["cite"]
    assert "(units are rounded up)" in line["cite"]


@pytest.mark.parametrize(
    ("code", "day", "mg", "units", "status", "allowed"),
    [
        ("J1559", date(2026, 5, 15), 16001, 161, "paid", "2336.92"),  # 161 × 14.515 = 2336.915
        ("J1559", date(2024, 1, 1), 100, 1, "paid", "12.95"),  # 12.945: half goes up
        ("J1551", date(2024, 12, 31), 1000, 10, "paid", "144.98"),
        ("J1551", date(2025, 1, 1), 1000, 10, "packaged", "0.00"),
        ("J1551", date(2025, 12, 31), 1000, 10, "packaged", "0.00"),
        ("J1551", date(2026, 1, 1), 1000, 10, "paid", "148.23"),
        ("J1551", date(2026, 3, 31), 1000, 10, "paid", "148.23"),
        ("J1551", date(2026, 4, 1), 1000, 10, "paid", "139.27"),
        ("J1551", date(2026, 6, 30), 1000, 10, "paid", "139.27"),
        ("J1551", date(2026, 7, 1), 1000, 10, "missing", None),
        ("J1551", date(2022, 6, 30), 1000, 10, "missing", None),
        ("J1559", date(2021, 6, 30), 1000, 10, "paid", "112.27"),
        ("J1559", date(2021, 7, 1), 1000, 10, "missing", None),
        ("J1559", date(2021, 9, 30), 1000, 10, "missing", None),
        ("J1559", date(2021, 10, 1), 1000, 10, "paid", "115.82"),
        ("J0895", SPRING, 2000, 4, "packaged", "0.00"),
        ("J1941", SPRING, 80, 4, "not_paid", "0.00"),
        ("J1562", date(2025, 12, 31), 1000, 10, "not_paid", "0.00"),  # status E2
        ("J1885", date(2024, 12, 31), 30, 2, "packaged", "0.00"),
        ("J1885", date(2025, 1, 1), 30, 2, "paid", "1.50"),  # status K1, 2 × 0.751 = 1.502
        ("J1561", SPRING, 500, 1, "paid", "49.73"),
        ("J9999", SPRING, 500, None, "missing", None),
        ("J1559", date(2018, 12, 31), 500, 5, "missing", None),
    ],
)
def test_the_limit_is_that_of_the_quarter(
    code: str, day: date, mg: int, units: int | None, status: str, allowed: str | None
) -> None:
    line = line_of(hcpcs=code, service_date=day, dose_mg=mg)
    assert (line["units"], line["status"]) == (units, status)
    assert line["allowed_usd"] == (Decimal(allowed) if allowed else None)
    assert (line["rate_usd"] is None) == (status == "missing")


def test_every_published_limit_holds_from_its_first_day_to_its_last() -> None:
    rows = published()
    starts = {(row["hcpcs"], date.fromisoformat(row["start"])) for row in rows}
    doses, expected = [], []
    for row in rows:
        first, last = (date.fromisoformat(row[end]) for end in ("start", "until"))
        mg = 7 * int(row["unit_amount"])
        amount = {"hcpcs": row["hcpcs"], "dose_amount": mg, "dose_unit": row["unit"]}
        days = {first: row, last: row}
        if (row["hcpcs"], last + timedelta(days=1)) not in starts:
            days[last + timedelta(days=1)] = None
        for day, held in days.items():
            doses.append({"encounter_id": "1", "service_date": day} | amount)
            expected.append(allowed_by_hand(held))
    assert [(one["units"], one["status"], one["allowed_usd"]) for one in lines_of(*doses)] == [
        (7, *one) for one in expected
    ]


def allowed_by_hand(row: dict | None) -> tuple[str, Decimal | None]:
    if row is None:
        return "missing", None
    if row["si"] in ("K", "K1"):
        sevenfold = sum([Decimal(row["limit_usd"])] * 7)
        return "paid", sevenfold.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return {"N": "packaged", "E1": "not_paid", "E2": "not_paid"}[row["si"]], Decimal("0.00")


@given(
    st.sampled_from([row for row in published() if row["si"] == "K"]),
    st.integers(1, 400_000),
    st.integers(0, 5_000),
)
def test_dose_and_waste_are_priced_as_by_hand(row: dict, mg: int, waste: int) -> None:
    size, day = int(row["unit_amount"]), date.fromisoformat(row["until"])
    found = lines_of(dose(hcpcs=row["hcpcs"], service_date=day, dose_mg=mg, discarded_amount=waste))
    whole = [-(-mg // size)] + ([waste // size] if waste >= size else [])
    assert [line["units"] for line in found] == whole
    assert [line["allowed_usd"] for line in found] == [
        (Decimal(row["limit_usd"]) * units).quantize(Decimal("0.01"), ROUND_HALF_UP)
        for units in whole
    ]
    marks = [line["modifier"] for line in found]
    assert marks[1:] == ["JW"] * (len(whole) - 1)
    assert not {"JW", "JZ"} <= set(marks)


def test_a_quarter_that_is_dropped_in_pays_and_the_unit_may_change_with_it() -> None:
    later = bundled_tables()["drug_limits"].filter(hcpcs="J1559").tail(1)
    later = later.with_columns(
        start=date(2026, 7, 1), until=date(2026, 9, 30), unit_amount=pl.lit(50, pl.Int64)
    )
    table = pl.concat([bundled_tables()["drug_limits"], later])
    tables = bundled_tables().replaced("drug_limits", table)
    days = (SPRING, date(2026, 7, 1), date(2026, 10, 1))
    spring, summer, autumn = lines_of(*(dose(service_date=day) for day in days), tables=tables)
    assert (spring["units"], spring["allowed_usd"]) == (160, Decimal("2322.40"))
    assert (summer["units"], summer["allowed_usd"]) == (320, Decimal("4644.80"))
    assert (autumn["units"], autumn["allowed_usd"]) == (320, None)


# --- doses as they are stated ----------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "amount", "unit", "units"),
    [("J1559", 16, "g", 160), ("J1559", 16000, " MG ", 160), ("J3285", 1500, "mcg", 2),
     ("J1817", 50, "units", 1), ("J1817", 51, "units", 2), ("J1817", 5, "mg", None),
     ("J1559", 80, "mL", None), ("J1559", 16, None, None), ("j1559 ", 16, "g", 160)],
)  # fmt: skip
def test_a_dose_is_converted_only_between_masses(
    code: str, amount: float, unit: str | None, units: int | None
) -> None:
    stated = {"dose_amount": float(amount), "dose_unit": unit, "hcpcs": code}
    usual = {name: one for name, one in dose().items() if name != "dose_mg"}
    (line,) = drug_lines(
        pl.DataFrame([usual | stated], schema_overrides={"dose_unit": pl.String})
    ).collect().rows(named=True)  # fmt: skip
    assert line["units"] == units
    if units is None:
        assert line["status"] == "missing"
        assert line["allowed_usd"] is None
        assert line["basis"] == "the dose is not in the unit of this code"


def test_what_was_discarded_is_in_the_unit_of_the_dose() -> None:
    stated = {"dose_amount": 16.0, "dose_unit": "g", "discarded_amount": 4.0}
    usual = {name: one for name, one in dose().items() if name != "dose_mg"}
    assert [line["units"] for line in lines_of(usual | stated)] == [160, 40]


@pytest.mark.parametrize("mg", [None, -5, math.nan, math.inf])
def test_a_dose_that_is_no_amount_is_missing_and_not_zero(mg: float | None) -> None:
    line = line_of(dose_mg=None if mg is None else float(mg))
    assert (line["units"], line["allowed_usd"], line["status"]) == (None, None, "missing")
    assert line["modifier"] is None
    assert line["basis"] == "the dose is not stated, or is no amount"


def test_nothing_given_pays_nothing_even_if_a_vial_was_discarded() -> None:
    line = line_of(dose_mg=0, discarded_amount=1000)
    assert (line["units"], line["allowed_usd"], line["status"]) == (0, Decimal("0.00"), "not_paid")
    assert (line["modifier"], line["basis"]) == (None, "nothing was given")


def test_a_day_that_is_not_charted_is_missing() -> None:
    undated, dated = lines_of(dose(service_date=None), dose())
    assert (undated["units"], undated["status"]) == (160, "missing")
    assert dated["status"] == "paid"


# --- JW and JZ -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "marks", "units", "why"),
    [
        ({}, ["JZ"], [160], "JZ: nothing was discarded beyond the last unit"),
        ({"discarded_amount": 4000}, [None, "JW"], [160, 40], "on the line with JW"),
        ({"discarded_amount": 100}, [None, "JW"], [160, 1], "on the line with JW"),
        ({"discarded_amount": 99}, [None], [160], "JW or JZ is open: part of a unit"),
        ({"dose_mg": 15901, "discarded_amount": 99}, ["JZ"], [160], "beyond the last unit"),
        ({"dose_mg": 7700, "discarded_amount": 2350}, [None, "JW"], [77, 23], "with JW"),
        ({"discarded_amount": None}, [None], [160], "is open: 'single_dose' or 'discarded_amount'"),
        ({"single_dose": None}, [None], [160], "is open: 'single_dose' or 'discarded_amount'"),
        ({"single_dose": None, "discarded_amount": 4000}, [None], [160], "is open"),
        ({"single_dose": False, "discarded_amount": 4000}, [None], [160], "no single-dose vial"),
        ({"discarded_amount": -1}, [None], [160], "is open"),
        ({"hcpcs": "J0895", "discarded_amount": 4000}, [None], [32], "not paid apart"),
        ({"hcpcs": "J1941", "discarded_amount": 40}, [None], [800], "not paid apart"),
        ({"service_date": date(2023, 6, 30)}, [None], [160], "JZ was not required yet"),
        ({"service_date": date(2023, 7, 1)}, ["JZ"], [160], "beyond the last unit"),
        ({"service_date": date(2023, 6, 30), "discarded_amount": 4000}, [None, "JW"], [160, 40],
         "on the line with JW"),
        ({"service_date": date(2026, 7, 1)}, ["JZ"], [160], "no payment limit is on record"),
    ],
)  # fmt: skip
def test_waste_is_marked_once(given: dict, marks: list, units: list, why: str) -> None:
    found = lines_of(dose(**given))
    assert [line["modifier"] for line in found] == marks
    assert [line["units"] for line in found] == units
    assert why in found[0]["basis"]


def test_the_vial_of_the_manual_is_one_unit_and_not_two() -> None:
    """70 of 100 mg given, one unit being 100 mg: JZ, and no second unit for the 30 mg."""
    line = line_of(dose_mg=70, discarded_amount=30)
    assert (line["units"], line["modifier"], line["allowed_usd"]) == (1, "JZ", Decimal("14.52"))
    assert "Noridian" in line["cite"]


def test_waste_is_paid_at_the_same_limit() -> None:
    given, waste = lines_of(dose(discarded_amount=4000))
    assert (given["allowed_usd"], waste["allowed_usd"]) == (Decimal("2322.40"), Decimal("580.60"))
    assert waste["basis"].startswith("4000 mg in units of 100 mg (single source), discarded")
    assert "(waste is rounded down)" in waste["cite"]


# --- the office ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "status"),
    [("J1559", "paid"), ("J0895", "missing"), ("J1941", "missing"), ("J1885", "missing")],
)
def test_an_office_has_the_limits_of_status_k_and_no_other(code: str, status: str) -> None:
    (line,) = lines_of(dose(hcpcs=code, dose_mg=1000), setting="office")
    assert line["status"] == status
    assert line["modifier"] == "JZ"  # nothing is packaged in an office
    if status == "paid":
        assert line["allowed_usd"] == Decimal("145.15")
        assert "[inferred]" in line["basis"]
        assert "(for an office: inferred)" in line["cite"]
    else:
        assert line["allowed_usd"] is None
        assert "no payment limit of an office is on record" in line["basis"]
        assert "Addendum B" not in line["cite"]


# --- the frame ---------------------------------------------------------------------------


def test_lines_are_lazy_and_keep_the_order_of_the_doses() -> None:
    days = [date(2026, 5, 3), date(2026, 1, 2), date(2026, 4, 1)]
    doses = [dose(encounter_id=str(n), service_date=day) for n, day in enumerate(days)]
    doses[1] |= {"discarded_amount": 1000}
    lazy = drug_lines(pl.LazyFrame(doses))
    assert isinstance(lazy, pl.LazyFrame)
    found = lazy.collect()
    assert found["encounter_id"].to_list() == ["0", "1", "1", "2"]
    assert found["modifier"].to_list() == ["JZ", None, "JW", "JZ"]
    assert found.schema["allowed_usd"] == pl.Decimal(14, 2)
    assert found.schema["units"] == pl.Int64


def test_columns_that_may_be_absent() -> None:
    (line,) = lines_of({name: dose()[name] for name in list(dose())[:4]})
    assert (line["units"], line["modifier"]) == (160, None)
    empty = pl.DataFrame([dose()]).clear()
    assert drug_lines(empty).collect().columns == COLUMNS


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"dose_mg": "16000"}, r"'dose_mg' is a number, not String\. Convert the column first"),
        ({"service_date": "2026-05-15"}, r"'service_date' is Date, not String"),
        ({"single_dose": "yes"}, r"'single_dose' is Boolean, not String"),
        ({"discarded_amount": "none"}, r"'discarded_amount' is a number, not String"),
        ({"hcpcs": 1559}, r"'hcpcs' is String, not Int64"),
        ({"dose_amount": 16}, r"The doses state the dose twice\. They need encounter_id"),
    ],
)
def test_a_column_that_cannot_be_used_is_named(given: dict, says: str) -> None:
    with pytest.raises(sq.InputError, match=says):
        drug_lines(pl.DataFrame([dose(**given)]))


@pytest.mark.parametrize("column", ["encounter_id", "service_date", "hcpcs"])
def test_a_column_that_is_missing_is_named(column: str) -> None:
    with pytest.raises(sq.InputError, match=f"have no column {column}. They need"):
        drug_lines(pl.DataFrame([dose()]).drop(column))


def test_the_dose_is_asked_for_and_the_setting_is_known() -> None:
    with pytest.raises(sq.InputError, match="have no column dose_amount, dose_unit"):
        drug_lines(pl.DataFrame([dose()]).drop("dose_mg"))
    with pytest.raises(sq.InputError, match="'setting' is one of 'opps', 'office'"):
        drug_lines(pl.DataFrame([dose()]), setting="home")
    with pytest.raises(sq.InputError, match="Hand in the doses as a Polars table; this is a list"):
        drug_lines([dose()])


# --- plans -------------------------------------------------------------------------------


def plan(**given: object) -> sq.Plan:
    return sq.plan_infusion(start_at="2026-05-15 09:00", **given)


def test_the_drug_of_a_plan() -> None:
    made = plan(product="hizentra", volume_ml=80, sites=4, infusion_number=6)
    (line,) = drug_line_of_plan(made).collect().rows(named=True)
    assert (line["encounter_id"], line["service_date"], line["code"]) == ("plan", SPRING, "J1559")
    assert (line["units"], line["allowed_usd"]) == (160, Decimal("2322.40"))
    assert line["modifier"] is None
    (office,) = drug_line_of_plan(made, setting="office").collect().rows(named=True)
    assert "[inferred]" in office["basis"]


def test_a_plan_without_a_code_or_a_dose() -> None:
    general = plan(volume_ml=10, concentration_mg_per_ml=2)
    with pytest.raises(sq.InputError, match=r"not exactly one HCPCS code of its own\. State 'hcpc"):
        drug_line_of_plan(general)
    (line,) = drug_line_of_plan(general, "J2270").collect().rows(named=True)
    assert (line["units"], line["status"]) == (2, "packaged")
    with pytest.raises(sq.InputError, match=r"no dose\. Plan with 'concentration_mg_per_ml'"):
        drug_line_of_plan(plan(volume_ml=10), "J2270")
