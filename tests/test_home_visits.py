"""Home infusion visits of Medicare: who counts, under which code, at what amount."""

from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest

import subq_toolkit as sq
from subq_toolkit.fees import home_visits

DAY = date(2026, 3, 2)
# National amounts of 2026: 144.96 + 4 × 17.03
AMOUNT = Decimal("213.08")


def visit(after_days: int = 0, **change: object) -> dict:
    usual = {"patient_id": "P", "infusion_min": 60, "professional_present": True}
    return usual | {"service_date": DAY + timedelta(after_days)} | change


def told(*rows: dict) -> list[tuple]:
    frame = pl.DataFrame(rows, infer_schema_length=None)
    if frame.schema["professional_present"] == pl.Null:
        frame = frame.with_columns(pl.col("professional_present").cast(pl.Boolean))
    return home_visits(frame).select("code", "status", "allowed_usd").collect().rows()


def test_a_first_visit_has_no_price_and_a_later_one_pays_the_day() -> None:
    assert told(visit(), visit(7)) == [("G0089", "missing", None), ("G0069", "paid", AMOUNT)]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"infusion_min": 15}, "paid"),
        ({"infusion_min": 14}, "not_paid"),
        ({"infusion_min": None}, "missing"),
        ({"professional_present": False}, "not_paid"),
        ({"professional_present": None}, "missing"),
        ({"service_date": date(2020, 12, 31)}, "missing"),
    ],
)
def test_what_makes_an_infusion_day(change: dict, status: str) -> None:
    code, became, usd = told(visit(-7), visit(**change))[1]
    assert became == status
    assert usd == {"paid": AMOUNT, "not_paid": 0, "missing": None}[status]
    assert code == ("G0069" if status == "paid" else None)


def test_one_payment_a_patient_and_day() -> None:
    rows = told(visit(-7), visit(infusion_min=5), visit(), visit(), visit(patient_id="Q"))
    assert [row[1] for row in rows] == ["missing", "not_paid", "paid", "packaged", "missing"]
    assert rows[3][2] == 0


@pytest.mark.parametrize(
    ("days", "discharged", "code"),
    [(60, True, "G0069"), (61, True, "G0089"), (61, False, "G0069"), (61, None, "G0069")],
)
def test_a_first_visit_again(days: int, discharged: bool | None, code: str) -> None:
    rows = told(visit(discharged=False), visit(days, discharged=discharged))
    assert rows[1][0] == code


def test_the_order_of_the_rows_is_kept_and_does_not_matter() -> None:
    assert told(visit(7), visit()) == [("G0069", "paid", AMOUNT), ("G0089", "missing", None)]


def test_the_reason_and_its_source_are_said() -> None:
    rows = home_visits(pl.DataFrame([visit(), visit(1)])).collect()
    assert "what a first visit pays is not on record" in rows["basis"][0]
    assert rows["basis"][1].startswith("96369 144.96 + 4")
    assert "[unverified]" in rows["cite"][1]
    assert "414.1550" in rows["cite"][1]


def test_what_is_no_table_of_visits_is_refused() -> None:
    with pytest.raises(sq.InputError, match="not a list"):
        home_visits([visit()])
    with pytest.raises(sq.InputError, match="column 'infusion_min' is missing"):
        home_visits(pl.DataFrame([visit()]).drop("infusion_min"))
    with pytest.raises(sq.InputError, match="column 'service_date' holds String values"):
        home_visits(pl.DataFrame([visit(service_date="2026-03-02")]))
