"""Amounts of the Medicare schedules: worked figures, and a second opinion in plain Python."""

import csv
import re
import tomllib
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import table

import subq_toolkit as sq
from subq_toolkit.fees import (
    FeeTables,
    Outpatient,
    Physician,
    bundled_tables,
    limiting_charge_usd,
    localities,
    price,
    ranked_localities,
)

ROOT = Path(__file__).parents[1]
DAY = date(2026, 3, 2)
CENT, ONE = Decimal("0.01"), Decimal(1)
FEE, RATE = Decimal("144.96"), Decimal("217.31")
ADDED = ("rate_usd", "allowed_usd", "status", "schedule", "basis", "cite")


def line(**changes: object) -> dict:
    """One ordinary line, with only what the test is about changed."""
    return {"encounter_id": "1", "service_date": DAY, "code": "96369", "units": 1} | changes


def claim(*rows: dict, **types: pl.DataType) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None, schema_overrides=types)


def priced(*rows: dict, **options: object) -> list[dict]:
    return price(claim(*rows), **options).collect().rows(named=True)


def only(*rows: dict, **options: object) -> dict:
    return priced(*rows, **options)[0]


# --- a second opinion: plain Python, no Polars, nothing of the package --------------------


@cache
def figures(name: str, key: tuple[str, ...]) -> dict[tuple, list[dict]]:
    """Rows of datasets/fees/<name>.csv by the values of ``key``."""
    found: dict[tuple, list[dict]] = {}
    with (ROOT / "datasets" / "fees" / f"{name}.csv").open(newline="", encoding="utf-8") as text:
        for row in csv.DictReader(text):
            row["first"] = date.fromisoformat(row["start"])
            row["last"] = date.fromisoformat(row["until"]) if row["until"] else date.max
            found.setdefault(tuple(row[column] for column in key), []).append(row)
    return found


@cache
def on_record(name: str, day: date, /, **key: str) -> dict | None:
    rows = figures(name, tuple(key)).get(tuple(key.values()), [])
    holding = [row for row in rows if row["first"] <= day <= row["last"]]
    assert len(holding) <= 1, (name, day, key)
    return holding[0] if holding else None


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def by_the_physician_schedule(row: dict, terms: Physician) -> tuple:
    """Status, rate and allowed amount of one line."""
    day, place = row["service_date"], terms.locality
    if place == "as_charted":
        place = row["locality"]
    values = on_record("relative_values", day, hcpcs=row["code"])
    if values is None:
        return "missing", None, None
    facility = terms.place == "facility"
    if terms.place == "as_charted":
        facility = row.get("revenue_code") is not None
    if values["status"] in "IX" or (facility and values["pctc"] == "5"):
        return "not_paid", Decimal(0), Decimal(0)
    factor = on_record("conversion_factors", day, apm="all") or on_record(
        "conversion_factors", day, apm="yes" if terms.apm else "no"
    )
    indexes = {"gpci_work": "1", "gpci_pe": "1", "gpci_mp": "1"}
    if place is not None:
        indexes = on_record("gpcis", day, locality=place)
    if values["status"] != "A" or factor is None or indexes is None:
        return "missing", None, None
    fee = (
        Decimal(values["work_rvu"]) * Decimal(indexes["gpci_work"])
        + Decimal(values["nonfac_pe_rvu"]) * Decimal(indexes["gpci_pe"])
        + Decimal(values["mp_rvu"]) * Decimal(indexes["gpci_mp"])
    ) * Decimal(factor["conversion_factor"])
    rate = cents(fee)
    if not terms.participating:
        rate = cents(rate * Decimal("0.95"))  # of the published amount, which is in cents
    allowed = rate * row["units"]
    if row.get("charge_usd") is not None:
        allowed = min(allowed, cents(row["charge_usd"]))
    return "paid", rate, allowed


def by_the_outpatient_system(row: dict, of_claim: list[dict], terms: Outpatient) -> tuple:
    """Status, rate and allowed amount of one line among those of its encounter and day."""
    day = row["service_date"]
    found = on_record("opps_rates", day, hcpcs=row["code"])
    if found is None:
        return "missing", None, None
    beside = [on_record("opps_rates", day, hcpcs=other["code"]) for other in of_claim]
    separate = any(other and other["si"] in ("S", "T", "V") for other in beside)
    if found["si"] == "N" or (found["si"] == "Q1" and separate):
        return "packaged", Decimal(0), Decimal(0)
    if found["si"] not in ("S", "Q1"):
        return "not_paid", Decimal(0), Decimal(0)
    wage = terms.wage_index
    if isinstance(wage, str):
        area = on_record("wage_indexes", day, area=wage)
        wage = area and area["wage_index"]
    if not found["rate_usd"] or wage is None:
        return "missing", None, None
    rate = Decimal(found["rate_usd"])
    if terms.department == "off_campus":
        rate *= Decimal("0.40")
    elif terms.rural_sole_community:
        rate = cents(rate * Decimal("1.071"))
    elif terms.department == "excepted_off_campus" and day >= date(2026, 1, 1):
        rate *= Decimal("0.40")
    unit = rate * Decimal("0.60") * Decimal(str(wage)) + rate * Decimal("0.40")
    return "paid", cents(unit), cents(unit * row["units"])


def second_opinion(rows: list[dict], terms: Physician | Outpatient) -> list[tuple]:
    if isinstance(terms, Physician):
        return [by_the_physician_schedule(row, terms) for row in rows]
    claims: dict[tuple, list[dict]] = {}
    for row in rows:
        claims.setdefault((row["encounter_id"], row["service_date"]), []).append(row)
    return [
        by_the_outpatient_system(row, claims[row["encounter_id"], row["service_date"]], terms)
        for row in rows
    ]


def agree(rows: list[dict], terms: Physician | Outpatient) -> None:
    frame = claim(*rows, revenue_code=pl.String, locality=pl.String, charge_usd=pl.Decimal(12, 3))
    got = price(frame, schedule=terms).select("status", "rate_usd", "allowed_usd").collect()
    for row, answer, expected in zip(rows, got.rows(), second_opinion(rows, terms), strict=True):
        assert answer == expected, (row, terms)


def _edges() -> list[date]:
    """The days on which something changes, and their neighbours on the other side."""
    names = ("relative_values", "conversion_factors", "gpcis", "opps_rates", "wage_indexes")
    rows = [row for name in names for (row,) in ([r] for r in figures(name, ())[()])]
    step = timedelta(days=1)
    days = {day for row in rows for day in (row["first"] - step, row["first"], row["last"])}
    days |= {row["last"] + step for row in rows}
    return sorted(day for day in days if day >= date(2018, 12, 1))


EDGES = _edges()
CODES = sorted({code for (code,) in figures("relative_values", ("hcpcs",))})
CODES += ["C8957", "J1559", "99999"]
PLACES = sorted(place for (place,) in figures("gpcis", ("locality",)))


# --- published amounts ---------------------------------------------------------------------

WORKED = [case for case in table("fees") if case["what"] != "chain"]


def _terms_of(case: dict) -> dict:
    if case["what"].startswith("mpfs"):
        return {"locality": case["place"] or None, "apm": case["apm"] == "yes"}
    return {"schedule": "opps", "wage_index": case["place"] or None}


@cache
def worked() -> dict[int, dict]:
    """Every row of the table by its number, those under the same terms priced together."""
    groups: dict[str, list[int]] = {}
    for number, case in enumerate(WORKED):
        groups.setdefault(repr(_terms_of(case)), []).append(number)
    found: dict[int, dict] = {}
    for numbers in groups.values():
        rows = [
            line(
                encounter_id=str(number),
                code=WORKED[number]["hcpcs"],
                service_date=date.fromisoformat(WORKED[number]["date"]),
            )
            for number in numbers
        ]
        found |= dict(zip(numbers, priced(*rows, **_terms_of(WORKED[numbers[0]])), strict=True))
    return found


@pytest.mark.parametrize(
    ("number", "case"),
    list(enumerate(WORKED)),
    ids=[f"{case['what']} {case['hcpcs']} {case['date']} {case['apm']}" for case in WORKED],
)
def test_published_amounts(number: int, case: dict) -> None:
    got = worked()[number]
    assert (got["status"], got["allowed_usd"]) == ("paid", Decimal(case["expected_usd"])), case[
        "why"
    ]
    assert got["rate_usd"] == got["allowed_usd"]


def test_the_table_holds_every_kind_of_amount() -> None:
    kinds = {"mpfs_national", "mpfs_locality", "opps_rate", "opps_wage", "chain"}
    assert {case["what"] for case in table("fees")} == kinds


@pytest.mark.parametrize(
    "case",
    table("outpatient_places"),
    ids=lambda case: " ".join(case[name] for name in list(case)[:6]),
)
def test_wage_index_and_department(case: dict) -> None:
    named = re.match("[a-z]", case["wage_index"])
    terms = Outpatient(
        wage_index=case["wage_index"] if named else float(case["wage_index"]),
        department=case["department"],
        rural_sole_community=case["rural_sole_community"] == "yes",
    )
    day = date.fromisoformat(case["date"])
    got = only(line(code=case["hcpcs"], service_date=day, units=int(case["units"])), schedule=terms)
    assert (got["status"], got["allowed_usd"]) == ("paid", Decimal(case["expected_usd"])), case[
        "why"
    ]


@pytest.mark.parametrize("case", table("packaging"), ids=lambda case: case["claim"])
def test_packaging_by_claim(case: dict) -> None:
    rows = []
    for part in case["claim"].split(" + "):
        (encounter, day), code, *units = part.split()
        when = DAY + timedelta(days="ab".index(day))
        count = int(units[0].removeprefix("x")) if units else 1
        rows.append(line(encounter_id=encounter, service_date=when, code=code, units=count))
    nothing = {"packaged": Decimal(0), "not_paid": Decimal(0), "missing": None}
    for got, expected in zip(
        priced(*rows, schedule="opps"), case["expected"].split(" + "), strict=True
    ):
        paid = expected not in nothing
        assert got["status"] == ("paid" if paid else expected), case["why"]
        assert got["allowed_usd"] == (Decimal(expected) if paid else nothing[expected])
        assert paid or got["rate_usd"] == nothing[expected]


# --- every code, place and day ---------------------------------------------------------------


@pytest.mark.parametrize("apm", [False, True], ids=["usual", "apm"])
def test_every_code_on_every_day_of_change(apm: bool) -> None:
    rows = [line(code=code, service_date=day, units=2) for code in CODES for day in EDGES]
    agree(rows, Physician(apm=apm))


def test_every_locality_on_every_day_of_change() -> None:
    codes = ("96369", "96370", "96371", "96379")
    rows = [
        line(code=code, service_date=day, locality=place)
        for code in codes
        for day in EDGES
        for place in PLACES
    ]
    agree(rows, Physician(locality="as_charted"))


@pytest.mark.parametrize("department", ["on_campus", "off_campus", "excepted_off_campus"])
@pytest.mark.parametrize("rural", [False, True], ids=["usual", "rural"])
@pytest.mark.parametrize("wage", [1, 0.8187, 1.3697, "denver_co"])
def test_every_outpatient_code_on_every_day_of_change(
    department: str, rural: bool, wage: float | str
) -> None:
    rows = [
        line(code=code, service_date=day, encounter_id=code, units=3)
        for code in CODES
        for day in EDGES
    ]
    agree(rows, Outpatient(wage, department, rural))


_DAYS = st.one_of(st.sampled_from(EDGES), st.dates(date(2018, 12, 1), date(2027, 2, 1)))
_ROWS = st.lists(_DAYS, min_size=1, max_size=3).flatmap(
    lambda days: st.lists(
        st.fixed_dictionaries({
            "encounter_id": st.sampled_from("ABC"),
            "service_date": st.sampled_from(days),
            "code": st.sampled_from(CODES),
            "units": st.integers(1, 40),
            "revenue_code": st.sampled_from([None, None, "510"]),
            "locality": st.sampled_from(PLACES),
            "charge_usd": st.one_of(st.none(), st.decimals("0", "999", places=3)),
        }),
        min_size=1, max_size=40,
    )
)  # fmt: skip


@given(
    _ROWS,
    st.builds(
        Physician,
        locality=st.one_of(st.none(), st.just("as_charted"), st.sampled_from(PLACES)),
        apm=st.booleans(),
        participating=st.booleans(),
        place=st.sampled_from(["as_charted", "office", "facility"]),
    ),
)
def test_the_physician_schedule_agrees_with_a_slow_count(rows: list, terms: Physician) -> None:
    agree(rows, terms)


@given(
    _ROWS,
    st.builds(
        Outpatient,
        wage_index=st.one_of(
            st.decimals("0.2", "3", places=4), st.sampled_from(["denver_co", "arkansas"])
        ),
        department=st.sampled_from(["on_campus", "off_campus", "excepted_off_campus"]),
        rural_sole_community=st.booleans(),
    ),
)
def test_the_outpatient_system_agrees_with_a_slow_count(rows: list, terms: Outpatient) -> None:
    agree(rows, terms)


@pytest.mark.parametrize("schedule", ["mpfs", "opps"])
@given(rows=_ROWS)
def test_an_amount_is_missing_exactly_where_the_status_says_so(schedule: str, rows: list) -> None:
    for row in priced(*rows, schedule=schedule):
        assert (row["allowed_usd"] is None) == (row["status"] == "missing") == (
            row["rate_usd"] is None
        )  # fmt: skip
        assert row["status"] != "packaged" or row["allowed_usd"] == 0
        assert row["status"] != "not_paid" or row["allowed_usd"] == 0


# --- paid, not paid, missing -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "day", "status", "basis"),
    [
        ("96369", date(2019, 12, 31), "missing", "no relative value is on record for this code"),
        ("96369", date(2020, 1, 1), "paid", "(0.21 × 1.000 + 4.26"),
        ("96369", date(2026, 12, 31), "paid", "(0.21 × 1.000 + 4.10"),
        ("96369", date(2027, 1, 1), "missing", "no relative value is on record for this code"),
        ("96376", DAY, "not_paid", "excluded from the physician schedule by law (status X)"),
        ("G0088", DAY, "not_paid", "excluded from the physician schedule by law (status X)"),
        ("99601", date(2025, 12, 31), "not_paid", "not valid for Medicare (status I)"),
        ("99601", date(2026, 1, 1), "missing", "no relative value is on record for this code"),
        ("G0088", date(2020, 12, 31), "missing", "no relative value is on record for this code"),
        ("96379", DAY, "missing", "priced by the contractor (no amount in the schedule)"),
        ("J1559", DAY, "missing", "no relative value is on record for this code"),
        ("c8957", DAY, "missing", "no relative value is on record for this code"),
    ],
)
def test_what_the_physician_schedule_says(code: str, day: date, status: str, basis: str) -> None:
    got = only(line(code=code, service_date=day))
    assert got["status"] == status
    assert got["basis"].startswith(basis)
    assert (got["allowed_usd"] is None) == (status == "missing")
    assert status != "not_paid" or got["allowed_usd"] == 0


@pytest.mark.parametrize(
    ("code", "day", "status", "basis"),
    [
        ("96369", date(2018, 12, 31), "missing", "no outpatient rate is on record"),
        ("96369", date(2019, 1, 1), "paid", "status S: 187.18"),
        ("96369", date(2027, 1, 1), "missing", "no outpatient rate is on record"),
        ("96368", DAY, "packaged", "packaged into other services (status N)"),
        ("99601", DAY, "not_paid", "not paid under this system (status E1)"),
        ("G0069", date(2021, 1, 1), "not_paid", "not paid under this system (status A)"),
        ("J1559", DAY, "missing", "no outpatient rate is on record"),
    ],
)
def test_what_the_outpatient_system_says(code: str, day: date, status: str, basis: str) -> None:
    got = only(line(code=code, service_date=day), schedule="opps")
    assert (got["status"], got["allowed_usd"] is None) == (status, status == "missing")
    assert got["basis"].startswith(basis)


def test_a_packaged_line_says_beside_what() -> None:
    got = priced(line(), line(code="96371"), schedule="opps")[1]
    assert got["basis"] == "packaged: status Q1 beside a line of status S, T or V"


def test_an_area_without_an_index_on_the_day_leaves_the_line_missing() -> None:
    before = line(service_date=date(2025, 12, 31))
    got = priced(before, line(), before | {"code": "96371"}, schedule="opps", wage_index="arkansas")
    assert [row["status"] for row in got] == ["missing", "paid", "packaged"]
    assert got[0]["allowed_usd"] is None
    assert got[0]["basis"] == "no wage index is on record for this area and day"


def test_an_index_holds_for_its_own_days_only() -> None:
    spans = {2024: ("1.1", 2024), 2026: ("1.2", 2026)}
    rows = pl.DataFrame(
        [{"area": "here", "wage_index": wage, "start": date(first, 1, 1),
          "until": date(last, 12, 31), "cite": "mine [house]"}
         for first, (wage, last) in spans.items()]
    ).with_columns(pl.col("wage_index").cast(pl.Decimal(18, 4)))  # fmt: skip
    tables = bundled_tables().replaced("wage_indexes", rows)
    days = [date(2023, 12, 31), date(2024, 12, 31), date(2025, 1, 1), date(2026, 1, 1)]
    got = priced(
        *(line(service_date=day) for day in days),
        schedule="opps", wage_index="here", tables=tables,
    )  # fmt: skip
    # 204.22 x (0.60 x 1.1 + 0.40) = 216.4732; 217.31 x (0.60 x 1.2 + 0.40) = 243.3872
    paid = [Decimal("216.47"), Decimal("243.39")]
    assert [row["allowed_usd"] for row in got] == [None, paid[0], None, paid[1]]


def without(name: str, /, **key: str) -> FeeTables:
    tables = bundled_tables()
    gone = pl.all_horizontal(pl.col(column) == one for column, one in key.items())
    return tables.replaced(name, tables[name].filter(~gone))


@pytest.mark.parametrize(
    ("tables", "terms", "basis"),
    [
        (without("relative_values", hcpcs="96369"), Physician(), "no relative value is on record"),
        (without("conversion_factors", apm="no"), Physician(), "no conversion factor is on record"),
        (
            without("gpcis", state="AR"),
            Physician(locality="as_charted"),
            "no GPCI is on record for this locality and day",
        ),
        (
            without("payment_rules", name="nonparticipating_factor"),
            Physician(participating=False),
            None,
        ),
        (without("opps_rates", hcpcs="96369"), Outpatient(), "no outpatient rate is on record"),
        (without("payment_rules", name="opps_labor_share"), Outpatient(), None),
        (
            without("payment_rules", name="opps_rural_sole_community_factor"),
            Outpatient(rural_sole_community=True),
            None,
        ),
        (
            without("payment_rules", name="section_603_share"),
            Outpatient(department="off_campus"),
            None,
        ),
    ],
    ids=["values", "factor", "indices", "0.95", "rates", "labour share", "1.071", "section 603"],
)
def test_a_gap_in_the_tables_is_missing_and_never_a_guess(
    tables: FeeTables, terms: object, basis: str | None
) -> None:
    got = only(line(locality="07102-13"), schedule=terms, tables=tables)
    assert (got["status"], got["rate_usd"], got["allowed_usd"]) == ("missing", None, None)
    assert basis is None or got["basis"].startswith(basis)


def test_replacing_a_table_leaves_the_bundled_one_as_it_is() -> None:
    _ = without("relative_values", hcpcs="96369")
    assert only(line())["allowed_usd"] == FEE


@pytest.mark.parametrize("schedule", ["mpfs", "opps"])
@pytest.mark.parametrize("column", ["service_date", "code", "units"])
def test_a_line_without_day_code_or_units_is_missing(schedule: str, column: str) -> None:
    types = {"service_date": pl.Date, "code": pl.String, "units": pl.Int64}
    frame = claim(line(**{column: None}), line(encounter_id="2"), **types)
    got = price(frame, schedule=schedule).collect().rows(named=True)
    assert [row["status"] for row in got] == ["missing", "paid"]
    assert got[0]["allowed_usd"] is None
    assert got[0]["basis"]


@pytest.mark.parametrize("schedule", ["mpfs", "opps"])
def test_units_below_zero_are_no_payment(schedule: str) -> None:
    got = only(line(units=-1), schedule=schedule)
    assert (got["status"], got["allowed_usd"]) == ("missing", None)


def rates_with(**changes: object) -> FeeTables:
    """Tables with one more outpatient rate, that of a drug."""
    rates = bundled_tables()["opps_rates"]
    usual = {"hcpcs": "J1559", "si": "K", "rate_usd": Decimal("14.515"), "start": DAY,
             "source": "me", "standing": "house", "cite": "mine [house]"}  # fmt: skip
    added = pl.DataFrame([usual | changes], schema_overrides={"rate_usd": pl.Decimal(18, 4)})
    return bundled_tables().replaced("opps_rates", pl.concat([rates, added], how="diagonal"))


def test_a_drug_is_paid_by_the_unit_and_not_adjusted_by_wages() -> None:
    terms = {"schedule": "opps", "wage_index": "denver_co", "tables": rates_with()}
    drug, setup = priced(line(code="J1559", units=160), line(code="96371"), **terms)
    assert (drug["status"], drug["allowed_usd"]) == ("paid", Decimal("2322.40"))
    assert setup["status"] == "paid", "a drug packages nothing"


def test_the_basis_of_a_drug_gives_its_amount() -> None:
    terms = {"schedule": "opps", "wage_index": "denver_co", "tables": rates_with()}
    basis = only(line(code="J1559", units=160), **terms)["basis"]
    assert "wage index" not in basis
    assert worth(re.search(r"[\d.]+(?: × [\d.]+)*", basis)[0]) == Decimal("14.515")


def test_a_drug_of_status_k1_is_paid_too() -> None:
    got = only(line(code="J1559", units=160), schedule="opps", tables=rates_with(si="K1"))
    assert (got["status"], got["allowed_usd"]) == ("paid", Decimal("2322.40"))


@pytest.mark.parametrize("si", ["Q3", "Q4", "R", "U", "??"])
def test_a_status_that_is_not_known_here_is_missing_and_not_zero(si: str) -> None:
    got = only(line(code="J1559"), schedule="opps", tables=rates_with(si=si))
    assert (got["status"], got["allowed_usd"]) == ("missing", None)


# --- place of service, charges, participation ------------------------------------------------


def test_a_line_with_a_revenue_code_is_not_paid_to_a_practitioner() -> None:
    rows = [line(revenue_code="510"), line(revenue_code=None)]
    charted, blank = priced(*rows)
    assert (charted["status"], charted["allowed_usd"]) == ("not_paid", Decimal("0.00"))
    assert charted["basis"].startswith("facility place of service")
    assert (blank["status"], blank["allowed_usd"]) == ("paid", FEE)
    office = priced(*rows, schedule=Physician(place="office"))
    assert [row["allowed_usd"] for row in office] == [FEE, FEE]
    facility = priced(*rows, schedule=Physician(place="facility"))
    assert [row["status"] for row in facility] == ["not_paid", "not_paid"]
    assert all("facility place of service" in row["basis"] for row in facility)


def test_work_at_home_is_no_office_work() -> None:
    home, office = priced(line(setting="home"), line(setting="physician_office"))
    assert (home["status"], home["allowed_usd"]) == ("missing", None)
    assert "given at home" in home["basis"]
    assert office["allowed_usd"] == FEE
    said = only(line(setting="home"), schedule=Physician(place="office"))
    assert said["allowed_usd"] == FEE


def test_a_coded_table_brings_its_settings() -> None:
    coded = sq.code_administrations(sq.sample_administrations())
    homes = price(coded).filter(pl.col("setting") == "home").collect()
    assert homes.height > 0
    assert homes["status"].unique().to_list() == ["missing"]


def test_a_line_of_no_units_packages_nothing() -> None:
    first, setup = priced(line(units=0), line(code="96371"), schedule="opps")
    assert (first["status"], first["allowed_usd"]) == ("paid", Decimal("0.00"))
    assert setup["status"] == "paid"


def test_what_stands_beside_a_line_of_no_encounter_is_not_known() -> None:
    got = only(line(encounter_id=None), schedule="opps")
    assert (got["status"], got["allowed_usd"]) == ("missing", None)
    assert "the encounter is not known" in got["basis"]


def test_a_code_with_blanks_and_a_revenue_code_without_text() -> None:
    assert only(line(code=" 96369 ", revenue_code=" "))["allowed_usd"] == FEE


def test_a_word_is_no_switch() -> None:
    with pytest.raises(sq.InputError, match="'apm' is True or False"):
        price(claim(line()), apm="no")


def test_a_facility_is_paid_its_own_way() -> None:
    assert only(line(revenue_code="510"), schedule="opps")["allowed_usd"] == RATE


@pytest.mark.parametrize(
    ("charge", "allowed"),
    [(None, "289.92"), ("289.93", "289.92"), ("289.92", "289.92"), ("289.91", "289.91"),
     ("0.005", "0.01"), ("0", "0.00")],
)  # fmt: skip
def test_the_lesser_of_fee_and_charge(charge: str | None, allowed: str) -> None:
    row = line(units=2, charge_usd=charge and Decimal(charge))
    frame = claim(row, charge_usd=pl.Decimal(12, 3))
    got = price(frame).collect().row(0, named=True)
    assert (got["rate_usd"], got["allowed_usd"]) == (FEE, Decimal(allowed))


def test_a_charge_makes_no_unknown_fee_known_and_leaves_the_hospital_alone() -> None:
    rows = [line(code="J1559", charge_usd=10.0), line(charge_usd=10.0)]
    assert [row["allowed_usd"] for row in priced(*rows)] == [None, Decimal("10.00")]
    assert priced(*rows, schedule="opps")[1]["allowed_usd"] == RATE


@pytest.mark.parametrize("schedule", ["mpfs", "opps"])
def test_a_charge_below_zero_is_no_payment_below_zero(schedule: str) -> None:
    got = only(line(charge_usd=-100.0), schedule=schedule)
    assert got["allowed_usd"] is None or got["allowed_usd"] >= 0


def test_the_basis_says_when_the_charge_was_the_lesser() -> None:
    assert "charge" in only(line(charge_usd=100.0))["basis"]
    assert "charge" not in only(line(charge_usd=144.96))["basis"]


def test_a_practitioner_who_does_not_participate() -> None:
    got = only(line(units=2), schedule=Physician(participating=False))
    # 144.96 x 0.95 = 137.712; 144.96 x 1.0925 = 158.3688
    assert (got["rate_usd"], got["allowed_usd"]) == (Decimal("137.71"), Decimal("275.42"))
    most = claim(got).select(limiting_charge_usd(pl.lit(FEE), bundled_tables())).item()
    assert most == Decimal("158.37")
    before = claim(line(service_date=date(2008, 12, 31)))
    assert before.select(limiting_charge_usd(pl.lit(FEE), bundled_tables())).item() is None


def test_schedules_are_named_in_the_results() -> None:
    assert only(line())["schedule"] == "mpfs national"
    assert only(line(), locality="15202-00", apm=True)["schedule"] == "mpfs 15202-00 (APM)"
    terms = Outpatient("denver_co", "excepted_off_campus", rural_sole_community=True)
    name = "opps (wage index denver_co, excepted off campus, rural sole community)"
    assert only(line(), schedule=terms)["schedule"] == name


# --- exact to the cent -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("factor", "fee"),
    [("33.4050", "33.41"), ("33.4049", "33.40"), ("33.4150", "33.42"), ("33.4149", "33.41"),
     ("0.0050", "0.01"), ("0.0049", "0.00")],
)  # fmt: skip
def test_half_a_cent_goes_up(factor: str, fee: str) -> None:
    # 96360 has 1.00 relative value units in 2026
    other = bundled_tables()["conversion_factors"].with_columns(
        conversion_factor=pl.lit(factor).cast(pl.Decimal(18, 4))
    )
    tables = bundled_tables().replaced("conversion_factors", other)
    assert only(line(code="96360"), tables=tables)["allowed_usd"] == Decimal(fee)


@pytest.mark.parametrize(
    ("value", "index", "factor", "fee"),
    [
        ("0.01", "0.967", "33.6091", "0.32"),  # 0.324999997
        ("0.01", "1.359", "33.4805", "0.45"),  # 0.454999995
        ("0.05", "0.973", "33.1963", "1.61"),  # 1.614999995
    ],
)
def test_no_decimal_of_a_product_is_lost(value: str, index: str, factor: str, fee: str) -> None:
    def stated(name: str, **columns: str) -> pl.DataFrame:
        exact = {column: pl.lit(text).cast(pl.Decimal(18, 4)) for column, text in columns.items()}
        return bundled_tables()[name].with_columns(**exact)

    tables = (
        bundled_tables()
        .replaced(
            "relative_values",
            stated("relative_values", work_rvu="0", nonfac_pe_rvu=value, mp_rvu="0"),
        )
        .replaced("gpcis", stated("gpcis", gpci_pe=index))
        .replaced("conversion_factors", stated("conversion_factors", conversion_factor=factor))
    )
    assert only(line(), locality="07102-13", tables=tables)["rate_usd"] == Decimal(fee)


# --- basis and cite --------------------------------------------------------------------------


def worth(text: str) -> Decimal:
    """Do a written sum; where a result is stated (=), it is the cents of what stands before."""
    text = re.sub(r" \([a-z ]+\)", "", text).replace(",", "").replace("×", "*")
    *steps, last = text.split("=")
    found = None
    for step in [*steps, last]:
        stated = re.match(r"\s*([\d.]+)", step)
        assert found is None or (stated and Decimal(stated[1]) == cents(found)), text
        found = eval(re.sub(r"[\d.]+", r"Decimal('\g<0>')", step), {"Decimal": Decimal})
    return found


def rate_by_basis(basis: str) -> Decimal:
    """The rate that the words of a paid line come to."""
    if not basis.startswith("status"):
        return cents(worth(re.match(r"(?:\(not participating\)|[\d\s.()×+=,])+", basis)[0]))
    rate, _, wage = basis.partition(": ")[2].partition(", wage index ")
    share = Decimal("0.60") * Decimal(wage.split()[0]) + Decimal("0.40") if wage else ONE
    return cents(worth(rate) * share)


@pytest.mark.parametrize(
    "terms",
    [
        Physician(),
        Physician(apm=True),
        Physician(locality="as_charted"),
        Physician(locality="as_charted", participating=False),
        Outpatient(),
        Outpatient(Decimal("1.0542")),
        Outpatient(1.3697, "off_campus"),
        Outpatient(0.7, "excepted_off_campus"),
        Outpatient(0.703, "on_campus", rural_sole_community=True),
        Outpatient(0.703, "excepted_off_campus", rural_sole_community=True),
        Outpatient(0.703, "off_campus", rural_sole_community=True),
    ],
    ids=repr,
)
def test_the_arithmetic_of_the_basis_gives_the_rate(terms: Physician | Outpatient) -> None:
    rows = [
        line(code=code, service_date=day, encounter_id=code, locality=PLACES[n % len(PLACES)])
        for n, day in enumerate(EDGES)
        for code in CODES
    ]
    paid = [row for row in priced(*rows, schedule=terms) if row["status"] == "paid"]
    assert len(paid) > 100
    for row in paid:
        assert rate_by_basis(row["basis"]) == row["rate_usd"] == row["allowed_usd"], row["basis"]


def title_of(row: dict) -> str:
    text = (ROOT / "subq_toolkit" / "parameters" / "payment_sources.toml").read_text("utf-8")
    return tomllib.loads(text)[row["source"]]["title"]


@pytest.mark.parametrize(
    ("terms", "tables"),
    [
        (
            Physician(locality="04112-01"),
            [("relative_values", {"hcpcs": "96369"}), ("conversion_factors", {"apm": "no"}),
             ("gpcis", {"locality": "04112-01"})],
        ),
        (Physician(participating=False), [("payment_rules", {"name": "nonparticipating_factor"})]),
        (
            Outpatient("denver_co"),
            [("opps_rates", {"hcpcs": "96369"}), ("wage_indexes", {"area": "denver_co"}),
             ("payment_rules", {"name": "opps_labor_share"})],
        ),
        (
            Outpatient(1, "off_campus"),
            [("opps_rates", {"hcpcs": "96369"}), ("payment_rules", {"name": "section_603_share"})],
        ),
        (
            Outpatient(1, "excepted_off_campus"),
            [("payment_rules", {"name": "excepted_off_campus_administration_share"})],
        ),
        (
            Outpatient(rural_sole_community=True),
            [("payment_rules", {"name": "opps_rural_sole_community_factor"})],
        ),
    ],
    ids=["locality", "not participating", "wage index", "off campus", "excepted", "rural"],
)  # fmt: skip
def test_every_figure_of_an_amount_is_cited_with_its_standing(
    terms: object, tables: list[tuple]
) -> None:
    cite = only(line(), schedule=terms)["cite"]
    for name, key in tables:
        row = on_record(name, DAY, **key)
        assert title_of(row) in cite, name
        assert f"[{row['standing']}" in cite[cite.index(title_of(row)) :], name


@pytest.mark.parametrize("schedule", ["mpfs", "opps"])
def test_every_line_says_why_and_where_it_can_be_read(schedule: str) -> None:
    rows = [line(code=code, service_date=day) for code in CODES for day in EDGES]
    for row in priced(*rows, schedule=schedule):
        assert row["basis"], row
        if row["status"] != "missing":
            assert re.search(r"\[(verified|single source|inferred|unverified)\b", row["cite"]), row


# --- localities ------------------------------------------------------------------------------


def test_localities_are_ranked_by_amount() -> None:
    ranked = ranked_localities("96369", date(2025, 10, 1))
    assert ranked.select("rank", "locality", "rate_usd").rows()[0] == (
        1, "01112-65", Decimal("189.51"),
    )  # fmt: skip
    assert ranked.row(-1, named=True)["locality"] == "07302-00"
    assert ranked["rank"].to_list() == list(range(1, 110))
    assert ranked["rate_usd"].is_sorted(descending=True)
    for place, rate in ranked.select("locality", "rate_usd").rows():
        row = line(service_date=date(2025, 10, 1))
        expected = by_the_physician_schedule(row, Physician(locality=place))
        assert ("paid", rate) == expected[:2]


def test_a_ranking_goes_by_day_and_by_apm() -> None:
    assert dict(ranked_localities("96369", DAY).select("locality", "rate_usd").rows()) == {
        "13202-01": Decimal("168.18"), "04112-01": Decimal("153.59"), "07102-13": Decimal("125.16"),
    }  # fmt: skip
    # (0.21 x 1.000 + 4.10 x 0.859 + 0.03 x 0.515) x 33.5675 = 125.7899
    assert ranked_localities("96369", DAY, apm=True)["rate_usd"][-1] == Decimal("125.79")
    assert ranked_localities("96369", date(2027, 1, 1)).is_empty()
    unknown = ranked_localities("99999", DAY)
    assert (unknown.height, unknown["rate_usd"].null_count()) == (3, 3)


def test_localities_are_those_of_the_day() -> None:
    counts = {2019: 0, 2020: 113, 2021: 112, 2022: 112, 2023: 112, 2024: 109, 2025: 109, 2026: 3}
    rows = figures("gpcis", ())[()]
    for year in counts:
        day = date(year, 7, 1)
        known = sorted(row["locality"] for row in rows if row["first"] <= day <= row["last"])
        assert localities(day)["locality"].to_list() == known
    autumn = {day: localities(day) for day in (date(2023, 9, 30), date(2023, 10, 1))}
    islands = [
        places.filter(state="PR").select("gpci_pe", "gpci_mp").row(0) for places in autumn.values()
    ]
    assert islands == [(ONE, ONE), (Decimal("1.008"), Decimal("0.984"))]


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"schedule": "mpf"}, "Did you mean 'mpfs'"),
        ({"schedule": "OPPS"}, "'schedule' is 'mpfs', 'opps', or a Physician, Outpatient or Contr"),
        ({"schedule": None}, "'schedule' is 'mpfs', 'opps', or a Physician, Outpatient or Contr"),
        ({"schedule": Physician}, "'schedule' is 'mpfs', 'opps', or a Physician, Outpatient"),
        ({"wage_index": 1.1}, "'wage_index' to schedule='opps'"),
        ({"schedule": "opps", "locality": "15202-00"}, "'locality' and 'apm' belong to"),
        ({"schedule": "opps", "apm": True}, "'locality' and 'apm' belong to schedule='mpfs'"),
        ({"schedule": Physician(), "locality": "15202-00"}, r"state them in the Physician\(\.\.\."),
        ({"schedule": Physician(), "apm": True}, "handed in as 'schedule'"),
        ({"schedule": Outpatient(), "wage_index": 1.1}, "handed in as 'schedule'"),
        ({"locality": "15202-01"}, r"Nearest: .*'15202-00' \(Ohio\)"),
        ({"locality": "15202"}, r"Nearest: '15202-00' \(Ohio\)"),
        ({"locality": "ohio"}, r"Nearest: '15202-00' \(Ohio\).* Write MAC and locality number"),
        ({"locality": "Manhattan"}, r"Nearest: '13202-01' \(Manhattan\)"),
        ({"locality": "Manhatan"}, r"Nearest: .*'13202-01' \(Manhattan\)"),
        ({"locality": "Misisipi"}, r"Nearest: .*'07302-00' \(Mississippi\)"),
        ({"locality": "?"}, r"no locality of that name\. Write MAC .*localities\(\) lists them"),
        ({"schedule": "opps", "wage_index": "denver"}, "Did you mean 'denver_co'"),
        ({"schedule": "opps", "wage_index": "new york"}, "Did you mean 'new_york_ny'"),
        ({"schedule": "opps", "wage_index": "x"}, r"Known: arkansas, denver_co, new_york_ny\. St"),
    ],
)  # fmt: skip
def test_terms_that_cannot_be_meant_are_refused(options: dict, message: str) -> None:
    with pytest.raises(sq.InputError, match=message):
        price(claim(line()), **options)


@pytest.mark.parametrize(
    ("terms", "given", "message"),
    [
        (Physician, {"place": "offce"}, r"'place' is one of .*Did you mean 'office'"),
        (Outpatient, {"department": "off campus"}, "Did you mean 'off_campus'"),
        (Outpatient, {"wage_index": 105.42}, r"'wage_index' is a number from 0\.2 to 3"),
        (Outpatient, {"wage_index": Decimal("105.42")}, r"'wage_index' is a number from 0\.2 to 3"),
        (Outpatient, {"wage_index": Decimal("NaN")}, r"'wage_index' is a number from 0\.2 to 3"),
        (Outpatient, {"wage_index": 0}, r"'wage_index' is a number from 0\.2 to 3"),
        (Outpatient, {"wage_index": float("nan")}, "not a finite number"),
        (Outpatient, {"wage_index": True}, "not a bool"),
        (Outpatient, {"wage_index": None}, "not a NoneType"),
    ],
)
def test_terms_are_checked_when_they_are_stated(terms: type, given: dict, message: str) -> None:
    with pytest.raises(sq.InputError, match=message):
        terms(**given)


@pytest.mark.parametrize("column", ["encounter_id", "service_date", "code", "units"])
def test_a_missing_column_is_named(column: str) -> None:
    with pytest.raises(sq.InputError, match=rf"The lines have no column '{column}'\. Price coded"):
        price(claim(line()).drop(column))


def test_a_locality_as_charted_needs_its_column() -> None:
    terms = Physician(locality="as_charted")
    with pytest.raises(sq.InputError, match=r"no column 'locality'\. Join it from the encoun"):
        price(claim(line()), schedule=terms)
    got = only(line(locality="00000-00"), schedule=terms)
    assert (got["status"], got["allowed_usd"]) == ("missing", None)


@pytest.mark.parametrize("lines", [[line()], None, "lines.csv", 3])
def test_lines_that_are_no_table_are_refused(lines: object) -> None:
    with pytest.raises(sq.InputError, match="Hand in the lines as a Polars DataFrame or LazyFrame"):
        price(lines)


@pytest.mark.parametrize("schedule", ["mpfs", "opps"])
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("code", 96369),
        ("service_date", "2026-03-02"),
        ("service_date", datetime(2026, 3, 2, 9)),
        ("units", "one"),
        ("charge_usd", "$541"),
    ],
)
def test_a_column_of_a_wrong_type_is_named(schedule: str, column: str, value: object) -> None:
    with pytest.raises(sq.InputError, match=f"'{column}'"):
        price(claim(line(**{column: value})), schedule=schedule)


# --- tables go through unharmed --------------------------------------------------------------


def many(count: int = 3000) -> pl.DataFrame:
    """Many lines in no order, several to an encounter, with columns of their own."""
    rows = [
        line(
            encounter_id=str(n * 7919 % (count // 4)),
            service_date=EDGES[n * 31 % len(EDGES)],
            code=CODES[n * 17 % len(CODES)],
            units=1 + n % 5,
            row=n,
            ward=f"ward {n % 3}",
        )
        for n in range(count)
    ]
    return claim(*rows)


@pytest.mark.parametrize("schedule", ["mpfs", "opps"])
def test_rows_keep_their_order_and_their_columns(schedule: str) -> None:
    lines = many()
    got = price(lines.lazy(), schedule=schedule).collect()
    assert got.columns == [*lines.columns, *ADDED]
    assert got.select(lines.columns).equals(lines)
    assert (got.schema["rate_usd"], got.schema["allowed_usd"]) == (pl.Decimal(14, 2),) * 2


@pytest.mark.parametrize("schedule", ["mpfs", "opps"])
@pytest.mark.parametrize(
    "name",
    ["locality", "facility", "name", "start", "until", "si", "apc", "published", "pctc", "value",
     "method", "cite_place", "conversion_factor", "code_status", "_note", "_line", "_facility"],
)  # fmt: skip
def test_a_column_of_any_name_goes_through(schedule: str, name: str) -> None:
    got = only(line(**{name: "mine"}), schedule=schedule)
    assert got[name] == "mine"
    assert got["allowed_usd"] == (FEE if schedule == "mpfs" else RATE)


@pytest.mark.parametrize("schedule", ["mpfs", "opps"])
def test_encounters_may_be_numbered(schedule: str) -> None:
    lines = claim(line(encounter_id=7), line(encounter_id=7, code="96371"))
    got = price(lines, schedule=schedule).collect()
    assert got.select(lines.columns).equals(lines)
    assert (got["allowed_usd"][1] == 0) == (schedule == "opps")


@pytest.mark.parametrize("schedule", ["mpfs", "opps"])
@pytest.mark.parametrize("cited", [{}, {"cite": "the rule of the code"}], ids=["bare", "cited"])
def test_pricing_twice_is_pricing_once(schedule: str, cited: dict) -> None:
    once = price(claim(line(**cited), line(code="96371", **cited)), schedule=schedule)
    assert price(once, schedule=schedule).collect().equals(once.collect())
    other = "opps" if schedule == "mpfs" else "mpfs"
    assert price(price(once, schedule=other), schedule=schedule).collect().equals(once.collect())


def test_the_source_of_the_code_is_kept_beside_that_of_the_amount() -> None:
    got = only(line(cite="the rule of the code"))
    assert got["cite_code"] == "the rule of the code"
    assert got["cite"].startswith("CMS relative value file")


@pytest.mark.parametrize("schedule", ["mpfs", "opps"])
def test_nothing_is_read_until_it_is_asked_for(schedule: str) -> None:
    read = []
    frame = claim(line())

    def reading(chunk: pl.DataFrame) -> pl.DataFrame:
        read.append(1)
        return chunk

    lazy = frame.lazy().map_batches(reading, schema=frame.schema)
    got = price(lazy, schedule=schedule)
    assert isinstance(got, pl.LazyFrame)
    assert got.collect_schema().names() == [*frame.columns, *ADDED]
    assert not read
    assert got.collect()["status"].to_list() == ["paid"]


@pytest.mark.parametrize("schedule", ["mpfs", "opps"])
def test_the_order_in_which_a_stream_arrives_mixes_up_no_lines(schedule: str) -> None:
    # A lazy join or group_by hands its rows on in another order each time it is run.
    keys = ("encounter_id", "service_date", "code")
    stream = many(20_000).lazy().group_by(keys).agg(pl.col("units").sum(), pl.len().alias("row"))
    got = price(stream, schedule=schedule).collect()
    assert price(got.drop(ADDED), schedule=schedule).collect().equals(got)


@pytest.mark.parametrize("schedule", ["mpfs", "opps"])
def test_no_lines_give_no_lines(schedule: str) -> None:
    got = price(claim(line()).clear(), schedule=schedule).collect()
    assert (got.height, got.columns) == (0, [*line(), *ADDED])


@pytest.mark.parametrize("schedule", ["mpfs", "opps"])
def test_pricing_encounters_apart_gives_the_same(schedule: str) -> None:
    lines = many()
    whole = price(lines, schedule=schedule).collect()
    first = pl.col("encounter_id").cast(pl.Int64) < 300
    parts = [price(lines.filter(part), schedule=schedule).collect() for part in (first, ~first)]
    assert pl.concat(parts).sort("row").equals(whole.sort("row"))


@pytest.mark.parametrize("schedule", ["mpfs", "opps"])
@pytest.mark.parametrize("by", ["code", "ward", "service_date", "encounter_id", "status"])
def test_payments_add_up_over_any_group(schedule: str, by: str) -> None:
    got = price(many(), schedule=schedule).collect()
    of_groups = got.group_by(by).agg(pl.col("allowed_usd").sum())["allowed_usd"]
    one_by_one = sum(amount for amount in got["allowed_usd"] if amount is not None)
    assert sum(of_groups) == one_by_one > 0


def test_text_of_any_kind_goes_through() -> None:
    rows = [line(encounter_id=text, code=text) for text in ("{}", "'; --", "<b>", "é\n,", "")]
    for schedule in ("mpfs", "opps"):
        got = priced(*rows, schedule=schedule)
        assert [row["encounter_id"] for row in got] == [row["encounter_id"] for row in rows]
        assert {row["status"] for row in got} == {"missing"}


def test_lines_of_a_coded_encounter_are_priced() -> None:
    plan = sq.plan_infusion(
        product="hizentra", volume_ml=80, sites=4, infusion_number=6, pumps=2,
        setting="clinic", start_at="2026-03-02 09:00",
    )  # fmt: skip
    lines = sq.code_encounter(plan.administrations).lines
    charted, office, clinic = (
        price(lines, schedule=terms).collect()["allowed_usd"].to_list()
        for terms in (Physician(), Physician(place="office"), Outpatient())
    )
    assert charted == [Decimal(0), Decimal(0)]
    assert office == [FEE, Decimal("56.45")]
    assert clinic == [RATE, Decimal(0)]
