"""Contracts: every way to be paid, and what cannot be meant is refused with the remedy."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import table

import subq_toolkit as sq
from subq_toolkit.fees import Contract, Outpatient, Physician, contract, price, read_contract

DAY = date(2026, 3, 2)
ADDED = ["rate_usd", "allowed_usd", "status", "schedule", "basis", "cite"]
MEDICARE = {"": None, "mpfs": Physician(), "opps": Outpatient()}


def term(**changes: object) -> dict:
    """One ordinary row of a contract, with only what the test is about changed."""
    usual = {"code": "96369", "method": "amount", "value": "100", "start": "2020-01-01"}
    return usual | changes


def agreed(*rows: dict, name: str = "payer", **options: object) -> Contract:
    return contract(pl.DataFrame(rows, infer_schema_length=None), name=name, **options)


def line(**changes: object) -> dict:
    return {"encounter_id": "1", "service_date": DAY, "code": "96369", "units": 1} | changes


def paid(terms: Contract, *rows: dict) -> list[dict]:
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return price(frame, schedule=terms).collect().rows(named=True)


def amounts(terms: Contract, *rows: dict) -> list[tuple]:
    return [(row["status"], row["allowed_usd"]) for row in paid(terms, *rows)]


PACKAGED = ("packaged", Decimal(0))
MISSING = ("missing", None)


def paid_usd(amount: str) -> tuple:
    return ("paid", Decimal(amount))


# --- how a line is paid ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "case",
    table("contracts"),
    ids=lambda case: f"{case['method']} {case['value']} of {case['hcpcs']}: {case['why']}",
)
def test_every_way_to_be_paid(case: dict) -> None:
    stated = {name: case[name] or None for name in ("method", "value", "floor_usd", "cap_usd")}
    terms = agreed(term(code=case["hcpcs"], **stated), medicare=MEDICARE[case["medicare"]])
    charge = Decimal(case["charge_usd"]) if case["charge_usd"] else None
    lines = pl.DataFrame(
        [line(code=case["hcpcs"], units=int(case["units"]), charge_usd=charge)],
        schema_overrides={"charge_usd": pl.Decimal(12, 2)},
    )
    got = price(lines, schedule=terms).collect().row(0, named=True)
    expected = Decimal(case["expected_usd"]) if case["expected_usd"] else None
    assert (got["status"], got["allowed_usd"]) == (case["status"], expected), case["why"]


def test_the_table_holds_every_method() -> None:
    methods = {"amount", "share_of_medicare", "share_of_charges", "per_diem", "case_rate"}
    assert {case["method"] for case in table("contracts")} == methods


def test_a_per_diem_is_paid_once_a_day_of_an_encounter() -> None:
    terms = agreed(term(code="S9338", method="per_diem", value="180"))
    day = DAY + timedelta(days=1)
    got = amounts(
        terms,
        line(code="S9338"),
        line(code="S9338", units=4),
        line(code="S9338", service_date=day),
        line(code="S9338", encounter_id="2"),
        line(code="S9338", service_date=day),
    )
    each = paid_usd("180")
    assert got == [each, PACKAGED, each, each, PACKAGED]


def test_per_diems_of_two_codes_stand_beside_each_other() -> None:
    terms = agreed(
        term(code="S9338", method="per_diem", value="180"),
        term(code="S9490", method="per_diem", value="90"),
    )
    got = amounts(terms, line(code="S9490"), line(code="S9338"))
    assert got == [paid_usd("90"), paid_usd("180")]


def test_a_case_rate_is_paid_once_an_encounter_and_holds_all_the_rest() -> None:
    terms = agreed(
        term(method="case_rate", value="950"), term(code="96370", value="20"),
        term(code="S9338", method="per_diem", value="180"),
    )  # fmt: skip
    day = DAY + timedelta(days=1)
    rows = [
        line(code="96370", units=3),
        line(),
        line(code="J1559", units=160),
        line(code="S9338"),
        line(service_date=day),
        line(encounter_id="2", code="96370", units=3),
        line(encounter_id="2", code="S9338"),
    ]
    got = amounts(terms, *rows)
    assert got == [PACKAGED, paid_usd("950"), PACKAGED, PACKAGED, PACKAGED, paid_usd("60"),
                   paid_usd("180")]  # fmt: skip
    words = [row["basis"] for row in paid(terms, *rows)]
    assert words[0] == words[2] == "in the case rate of the encounter"
    assert words[1].startswith("once an encounter: 950")
    assert words[4] == "paid once: on another line"


def test_of_two_case_rates_one_is_paid() -> None:
    terms = agreed(term(method="case_rate", value="950"),
                   term(code="96365", method="case_rate", value="800"))  # fmt: skip
    got = amounts(terms, line(), line(code="96365"))
    assert sorted(status for status, _ in got) == ["packaged", "paid"]


@pytest.mark.parametrize("method", ["per_diem", "case_rate"])
def test_what_is_paid_once_is_paid_on_the_first_line(method: str) -> None:
    terms = agreed(term(method=method, value="180"))
    rows = [line(encounter_id=str(n % 40), row=n) for n in range(4000)]
    frame = pl.DataFrame(rows)
    first = [n < 40 for n in range(4000)]
    for _ in range(3):
        got = price(frame.lazy(), schedule=terms).collect()
        assert (got["allowed_usd"] > 0).to_list() == first


@pytest.mark.parametrize(
    ("day", "amount"),
    [
        (date(2019, 12, 31), None),
        (date(2020, 1, 1), "100"),
        (date(2020, 12, 31), "100"),
        (date(2021, 1, 1), "110"),
        (date(2021, 12, 31), "110"),
        (date(2022, 1, 1), None),
    ],
)
def test_terms_hold_on_their_first_and_last_day_and_not_outside(
    day: date, amount: str | None
) -> None:
    terms = agreed(
        term(start="2021-01-01", until="2021-12-31", value="110"), term(until="2020-12-31")
    )
    got = paid(terms, line(service_date=day))[0]
    assert (got["status"], got["allowed_usd"]) == (paid_usd(amount) if amount else MISSING)
    assert amount or got["basis"] == "the contract has no terms for this code and day"


def test_a_code_without_terms_is_missing_and_not_zero() -> None:
    assert amounts(agreed(term()), line(code="96370"), line()) == [MISSING, paid_usd("100")]


def test_a_share_of_medicare_follows_its_schedule_place_and_day() -> None:
    share = term(method="share_of_medicare", value="1.2")
    ohio = Physician(locality="15202-00")
    assert amounts(agreed(share, medicare=ohio), line()) == [MISSING]
    autumn = line(service_date=date(2025, 10, 1))
    mississippi = agreed(share, medicare=Physician(locality="07302-00"))
    # 115.29 x 1.2
    assert amounts(mississippi, autumn) == [paid_usd("138.35")]
    denver = agreed(share, medicare=Outpatient("denver_co"))
    # 224.38 x 1.2
    assert amounts(denver, line(), autumn) == [paid_usd("269.26"), MISSING]


def test_a_share_of_medicare_says_of_what() -> None:
    terms = agreed(term(method="share_of_medicare", value="1.5"), medicare=Outpatient())
    unknown = line(service_date=date(2018, 1, 1))
    terms_then = agreed(term(method="share_of_medicare", value="1.5", start="2015-01-01"))
    got = paid(terms_then, unknown)[0]
    assert got["basis"] == "a share of the Medicare amount, and that is not known"
    assert paid(terms, line())[0]["basis"].startswith("share of the Medicare amount: 1.5")
    charges = paid(agreed(term(method="share_of_charges", value="0.5")), line())[0]
    assert charges["basis"] == "a share of the charge, and the charge is not known"


def test_a_share_of_nothing_says_why_it_is_nothing() -> None:
    shares = [term(code=code, method="share_of_medicare", value="1.5")
              for code in ("96369", "96371")]  # fmt: skip
    hospital = agreed(*shares, medicare=Outpatient())
    assert amounts(hospital, line(), line(code="96371")) == [paid_usd("325.97"), PACKAGED]
    office = agreed(*shares, medicare=Physician())
    at_hospital = line(revenue_code="510")
    assert amounts(office, at_hospital) == [("not_paid", Decimal(0))]
    assert "facility place of service" in paid(office, at_hospital)[0]["basis"]


def test_the_basis_says_when_a_floor_or_cap_held_the_amount() -> None:
    def basis(**stated: str) -> str:
        terms = agreed(term(method="share_of_charges", value="0.5", **stated))
        return paid(terms, line(charge_usd=541.0))[0]["basis"]

    assert basis().startswith("share of the charge: 0.5")
    assert not {"floor", "cap"} & set(basis(floor_usd="200", cap_usd="400").split())
    assert "floor" in basis(floor_usd="300")
    assert "cap" in basis(cap_usd="200")


@pytest.mark.parametrize("method", ["amount", "per_diem", "case_rate", "share_of_charges"])
@pytest.mark.parametrize("units", [0, None])
def test_a_line_of_no_units_is_no_fault_of_the_others(method: str, units: int | None) -> None:
    terms = agreed(term(method=method, value="1"), term(code="96370", value="20"))
    rows = [line(units=units, charge_usd=10.0, encounter_id="2"), line(code="96370")]
    got = paid(terms, *rows)
    assert (got[1]["status"], got[1]["allowed_usd"]) == paid_usd("20")
    assert (got[0]["allowed_usd"] is None) == (got[0]["status"] == "missing")


def test_results_name_the_contract() -> None:
    got = paid(agreed(term(), name="Blue plan 2026"), line())[0]
    assert (got["schedule"], got["cite"]) == ("Blue plan 2026", "contract 'Blue plan 2026'")


@pytest.mark.parametrize("name", ["{}", "o'x {0}", "<b>b</b>\n", "opps", "%s", "'; drop --", "é"])
def test_a_name_of_any_kind_goes_through(name: str) -> None:
    got = paid(agreed(term(), name=name), line())[0]
    assert got["schedule"] == name
    assert name in got["cite"]
    with pytest.raises(sq.InputError, match="is unknown in 1 row"):
        agreed(term(method=name), name=name)


def test_options_of_medicare_do_not_go_with_a_contract() -> None:
    with pytest.raises(sq.InputError, match="belong to 'mpfs' and 'opps'"):
        price(pl.DataFrame([line()]), schedule=agreed(term()), locality="15202-00")


# --- what cannot be meant --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"method": "share_of_medicare", "value": "150"}], "For 150 percent write 1.5"),
        ([{"method": "share_of_charges", "value": "62.5"}], r"For 62\.5 percent write 0\.625"),
        ([{"method": "share_of_charges", "value": "10.01"}], "1 row.s. hold a percentage"),
        ([{"value": "-1"}], r"1 row\(s\) hold a negative amount"),
        ([{"floor_usd": "-1"}], "negative amount"),
        ([{"cap_usd": "-0.01"}], "negative amount"),
        ([{"floor_usd": "5.01", "cap_usd": "5"}], "'floor_usd' is above 'cap_usd' in 1 row"),
        ([{"method": "flat"}], "'method' is unknown in 1 row.* It is one of amount, share_of_medi"),
        ([{"method": "Amount"}], "'method' is unknown"),
        ([{"value": "150%"}], r"1 entry of 'value' cannot be read\. Write plain numbers"),
        ([{"value": "$5"}, {"code": "96370", "value": "1,250"}], "2 entries of 'value' cannot"),
        ([{"value": "NaN"}], "1 entry of 'value' cannot be read"),
        ([{"value": "inf"}], "1 entry of 'value' cannot be read"),
        ([{"floor_usd": "none"}], "1 entry of 'floor_usd' cannot be read"),
        ([{"start": "soon"}], r"1 entry of 'start' cannot be read\. Write days as 2026-01-31"),
        ([{"start": "2026-02-30"}], "1 entry of 'start' cannot be read"),
        ([{"until": "01/31/2026"}], "1 entry of 'until' cannot be read"),
        ([{"start": "03/02/2026"}], "1 entry of 'start' cannot be read"),
        ([{"start": "03-02-2026"}], "1 entry of 'start' cannot be read"),
        ([{"code": ""}], r"'code' is empty in 1 row\(s\)\. Fill it in"),
        ([{"code": "  "}], "'code' is empty in 1 row"),
        ([{"method": None}], "'method' is empty in 1 row"),
        ([{"value": ""}, {"value": None}], "'value' is empty in 2 row"),
        ([{"start": ""}], "'start' is empty in 1 row"),
        ([{"until": "2019-12-31"}], "96369: a span ends 2019-12-31, before 2020-01-01"),
        (
            [{"until": "2020-12-31"}, {"start": "2020-12-31"}],
            "96369: the spans from 2020-01-01 and from 2020-12-31 overlap.* before 2020-12-31",
        ),
        ([{}, {"start": "2021-01-01"}], "from 2020-01-01 and from 2021-01-01 overlap"),
        ([{"start": "2021-01-01"}, {}], "from 2020-01-01 and from 2021-01-01 overlap"),
        (
            [{"until": "2025-12-31"}, {"start": "2021-01-01", "until": "2021-12-31"}],
            "from 2020-01-01 and from 2021-01-01 overlap",
        ),
        ([{}, {}], "overlap"),
        (
            [{"until": "2020-12-31"}, {"start": "2021-01-02"}],
            "96369: nothing holds between 2020-12-31 and 2021-01-02. Close the gap",
        ),
    ],
)
def test_rows_that_cannot_be_meant_are_refused(rows: list[dict], message: str) -> None:
    empty = {"floor_usd": None, "cap_usd": None, "until": None}
    with pytest.raises(sq.InputError, match=message):
        agreed(*(term(**empty | row) for row in rows), name="plan")
    with pytest.raises(sq.InputError, match="Contract 'plan'"):
        agreed(*(term(**empty | row) for row in rows), name="plan")


def test_spans_that_meet_are_neither_gap_nor_overlap() -> None:
    rows = [term(until="2020-12-31"), term(start="2021-01-01", until="2021-01-01"),
            term(start="2021-01-02"), term(code="96370", start="2023-05-01")]  # fmt: skip
    assert agreed(*rows).terms.height == 4


@pytest.mark.parametrize("column", ["code", "method", "value", "start"])
def test_a_missing_column_is_named(column: str) -> None:
    row = {name: text for name, text in term().items() if name != column}
    message = f"no column '{column}'.* It needs code, .*; floor_usd, cap_usd, until may be left"
    with pytest.raises(sq.InputError, match=message):
        agreed(row)


@pytest.mark.parametrize("rows", [[term()], term(), None, "payer.csv"])
def test_rows_that_are_no_table_are_refused(rows: object) -> None:
    with pytest.raises(sq.InputError, match="Polars"):
        contract(rows, name="payer")


@pytest.mark.parametrize("medicare", ["mpfs", "opps", Physician])
def test_the_base_is_a_schedule_and_not_its_name(medicare: object) -> None:
    with pytest.raises(sq.InputError, match="'medicare'"):
        agreed(term(method="share_of_medicare", value="1.5"), medicare=medicare)


def test_a_share_of_more_decimals_loses_none_of_them() -> None:
    # two thirds of 10,000.00: 6,666.70, not 6,667.00
    terms = agreed(term(method="share_of_charges", value="0.66667"))
    assert amounts(terms, line(charge_usd=10_000.0)) == [paid_usd("6666.70")]


def test_numbers_and_days_may_be_typed() -> None:
    row = term(value=1.1, start=date(2020, 1, 1), until=date(2026, 12, 31), floor_usd=2, cap_usd=3)
    terms = agreed(row | {"method": "share_of_charges"})
    assert amounts(terms, line(charge_usd=2.5)) == [paid_usd("2.75")]
    assert terms.terms.row(0) == ("96369", "share_of_charges", Decimal("1.1"), Decimal(2),
                                  Decimal(3), date(2020, 1, 1), date(2026, 12, 31))  # fmt: skip


def test_a_code_typed_as_a_number_is_that_code() -> None:
    assert amounts(agreed(term(code=96369)), line()) == [paid_usd("100")]


# --- files -----------------------------------------------------------------------------------

GOOD = "code,method,value,floor_usd,cap_usd,start,until\n 96369 , amount,100,,,2020-01-01,\n"


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "blue_plan.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.removesuffix("\n"),
        GOOD.replace("100", '"100"'),
        "code,method,value,start\n96369,amount,100.0,2020-01-01\n",
        "note,start,code,value,method\nx,2020-01-01,96369,100,amount\n",
    ],
    ids=["plain", "BOM", "CRLF", "no last line end", "quoted", "short", "another order"],
)
def test_a_file_is_read(tmp_path: Path, text: str) -> None:
    terms = read_contract(written(tmp_path, text))
    assert terms.name == "blue_plan"
    assert amounts(terms, line()) == [paid_usd("100")]
    named = read_contract(str(written(tmp_path, text)), name="Blue", medicare=Outpatient())
    assert (named.name, named.medicare) == ("Blue", Outpatient())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace(",", ";"), "Contract 'blue_plan' has no column 'code'"),
        (GOOD.encode("utf-16"), "Contract 'blue_plan' has no column 'code'|cannot be read"),
        (GOOD.replace("96369", "é").encode("latin-1"), r"blue_plan\.csv cannot be read as a contr"),
        ("", r"blue_plan\.csv cannot be read as a contract .* Save it as CSV with the columns cod"),
        (GOOD + "1,2,3,4,5,6,7,8,9\n", r"blue_plan\.csv cannot be read as a contract"),
        (GOOD.replace("code", "Code"), "has no column 'code'"),
        (GOOD.replace("100", "1OO"), "1 entry of 'value' cannot be read"),
        (GOOD + "96370,amount,,,,2020-01-01,\n", "'value' is empty in 1 row"),
        (GOOD + ",,,,,,\n", "'code' is empty in 1 row"),
    ],
    ids=["semicolons", "UTF-16", "Latin-1", "empty", "ragged", "capital", "letters", "empty cell",
         "blank row"],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_what_to_do(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    with pytest.raises(sq.InputError, match=message):
        read_contract(written(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(sq.InputError, match=r"^gone\.csv cannot be read as a contract") as refused:
        read_contract(tmp_path / "gone.csv")
    assert str(tmp_path) not in str(refused.value)
    with pytest.raises(sq.InputError, match="cannot be read as a contract"):
        read_contract(tmp_path)


# --- a second opinion ------------------------------------------------------------------------

_SHARES = st.decimals("0", "10", places=4)
_USD = st.decimals("0", "2000", places=2)


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


@st.composite
def _terms(draw: st.DrawFn, code: str) -> dict:
    method = draw(st.sampled_from(["amount", "share_of_charges", "share_of_medicare", "per_diem"]))
    bounds = sorted(draw(st.lists(_USD, min_size=2, max_size=2)))
    return {
        "code": code,
        "method": method,
        "value": draw(_SHARES if method.startswith("share") else _USD),
        "floor_usd": draw(st.sampled_from([None, bounds[0]])),
        "cap_usd": draw(st.sampled_from([None, bounds[1]])),
        "start": date(2026, 1, 1),
        "until": draw(st.sampled_from([None, DAY])),
    }


_LINES = st.lists(
    st.fixed_dictionaries({
        "encounter_id": st.sampled_from("ABC"),
        "service_date": st.sampled_from([date(2025, 12, 31), DAY, DAY + timedelta(days=1)]),
        "code": st.sampled_from(["96369", "96370", "J1559", "99999"]),
        "units": st.integers(1, 30),
        "charge_usd": st.one_of(st.none(), _USD),
    }),
    min_size=1, max_size=30,
)  # fmt: skip
_NATIONAL = {"96369": Decimal("144.96"), "96370": Decimal("17.03")}


def slowly(terms: dict[str, dict], rows: list[dict]) -> list[tuple]:
    """Every line by hand, in the order in which the lines stand."""
    seen, answers = set(), []
    for row in rows:
        held = terms.get(row["code"])
        if not held or not held["start"] <= row["service_date"] <= (held["until"] or date.max):
            answers.append(MISSING)
            continue
        fee = _NATIONAL.get(row["code"])
        fee = None if fee is None else fee * row["units"]
        if fee is not None and row["charge_usd"] is not None:
            fee = min(fee, row["charge_usd"])
        base = {
            "amount": Decimal(row["units"]),
            "share_of_charges": row["charge_usd"],
            "share_of_medicare": fee,
            "per_diem": Decimal(1),
        }[held["method"]]
        visit = (row["encounter_id"], row["service_date"], row["code"])
        if held["method"] == "per_diem" and visit in seen:
            answers.append(PACKAGED)
            continue
        seen.add(visit)
        if base is None:
            answers.append(MISSING)
            continue
        amount = held["value"] * base
        amount = amount if held["floor_usd"] is None else max(amount, held["floor_usd"])
        amount = amount if held["cap_usd"] is None else min(amount, held["cap_usd"])
        answers.append(("paid", cents(amount)))
    return answers


@given(_terms("96369"), _terms("96370"), _terms("J1559"), _LINES)
def test_a_contract_agrees_with_a_slow_count(
    first: dict, second: dict, third: dict, rows: list[dict]
) -> None:
    stated = {one["code"]: one for one in (first, second, third)}
    terms = contract(pl.DataFrame(list(stated.values()), infer_schema_length=None), name="payer")
    lines = pl.DataFrame(rows, schema_overrides={"charge_usd": pl.Decimal(12, 2)})
    got = price(lines, schedule=terms).select("status", "allowed_usd").collect()
    assert got.rows() == slowly(stated, rows)


# --- tables go through unharmed --------------------------------------------------------------

MIXED = agreed(
    term(value="125.50"),
    term(code="96370", method="share_of_medicare", value="1.5"),
    term(code="96371", method="share_of_charges", value="0.5", floor_usd="20"),
    term(code="S9338", method="per_diem", value="180"),
    term(code="S9490", method="case_rate", value="950"),
)


def many(count: int = 3000) -> pl.DataFrame:
    """Many lines in no order, several to an encounter, with a column of their own."""
    codes = ("96369", "96370", "96371", "S9338", "96369", "96370", "99999")
    rows = [
        line(
            encounter_id=str(n * 7919 % (count // 4)),
            service_date=DAY - timedelta(days=n % 3),
            code="S9490" if n % 97 == 0 else codes[n * 17 % len(codes)],
            units=1 + n % 5,
            charge_usd=round(n * 0.37, 2),
            row=n,
        )
        for n in range(count)
    ]
    return pl.DataFrame(rows)


def test_rows_keep_their_order_and_their_columns() -> None:
    lines = many()
    got = price(lines.lazy(), schedule=MIXED).collect()
    assert got.columns == [*lines.columns, *ADDED]
    assert got.select(lines.columns).equals(lines)
    assert set(got["status"]) == {"paid", "packaged", "missing"}


@pytest.mark.parametrize(
    "name",
    ["method", "value", "floor_usd", "cap_usd", "start", "until", "si", "_first", "_cased",
     "_medicare_usd"],
)  # fmt: skip
def test_a_column_of_any_name_goes_through(name: str) -> None:
    got = paid(MIXED, line(**{name: 7}))[0]
    assert (got[name], got["allowed_usd"]) == (7, Decimal("125.50"))


def test_pricing_twice_is_pricing_once() -> None:
    once = price(many(), schedule=MIXED).collect()
    assert price(once, schedule=MIXED).collect().equals(once)


def test_the_order_in_which_a_stream_arrives_mixes_up_no_lines() -> None:
    # A lazy join or group_by hands its rows on in another order each time it is run.
    keys = ("encounter_id", "service_date", "code")
    stream = many(20_000).lazy().group_by(keys).agg(pl.col("units").sum(), pl.len().alias("row"))
    codes = ("96369", "96370", "96371")
    same = agreed(*(term(code=code, method="share_of_medicare", value="1") for code in codes))
    got = price(stream, schedule=same).collect()
    medicare = price(got.drop(ADDED), schedule="mpfs").collect()
    known = got["code"].is_in(codes)
    assert got.filter(known)["allowed_usd"].equals(medicare.filter(known)["allowed_usd"])


def test_nothing_is_read_until_it_is_asked_for() -> None:
    read = []
    frame = pl.DataFrame([line()])

    def reading(chunk: pl.DataFrame) -> pl.DataFrame:
        read.append(1)
        return chunk

    got = price(frame.lazy().map_batches(reading, schema=frame.schema), schedule=MIXED)
    assert got.collect_schema().names() == [*frame.columns, *ADDED]
    assert not read
    assert got.collect()["status"].to_list() == ["paid"]


def test_pricing_encounters_apart_gives_the_same() -> None:
    lines = many()
    whole = price(lines, schedule=MIXED).collect()
    first = pl.col("encounter_id").cast(pl.Int64) < 300
    parts = [price(lines.filter(part), schedule=MIXED).collect() for part in (first, ~first)]
    assert pl.concat(parts).sort("row").equals(whole)


@pytest.mark.parametrize("by", ["code", "service_date", "encounter_id", "status"])
def test_payments_add_up_over_any_group(by: str) -> None:
    got = price(many(), schedule=MIXED).collect()
    of_groups = got.group_by(by).agg(pl.col("allowed_usd").sum())["allowed_usd"]
    one_by_one = sum(amount for amount in got["allowed_usd"] if amount is not None)
    assert sum(of_groups) == one_by_one > 0


def test_a_contract_of_no_rows_knows_nothing() -> None:
    nothing = contract(pl.DataFrame(schema=dict.fromkeys(term(), pl.String)), name="empty")
    assert amounts(nothing, line()) == [MISSING]
