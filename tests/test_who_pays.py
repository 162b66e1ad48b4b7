"""Who pays what of an allowed amount: worked examples, and a slow count by hand."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import table

import subq_toolkit as sq
from subq_toolkit.fees import Outpatient, Physician, bundled_tables, price, who_pays

DAY = date(2026, 3, 2)
SHARES = ["deductible_usd", "coinsurance_usd", "beneficiary_usd", "medicare_usd",
          "sequestered_usd", "medicare_paid_usd", "received_usd"]  # fmt: skip
SCHEDULES = {"mpfs": "mpfs national", "opps": "opps (wage index 1)"}


def line(**changes: object) -> dict:
    """One ordinary priced line, with only what the test is about changed."""
    usual = {"encounter_id": "1", "service_date": DAY, "allowed_usd": "144.96"}
    return usual | {"schedule": SCHEDULES["mpfs"]} | changes


def lines(*rows: dict) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(
        pl.col("allowed_usd").cast(pl.Decimal(14, 2))
    )


def divided(*rows: dict, **options: object) -> list[dict]:
    return who_pays(lines(*rows), **options).collect().rows(named=True)


def usd(text: str) -> Decimal | None:
    return None if text == "?" else Decimal(text)


# --- worked examples -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case",
    table("who_pays"),
    ids=lambda case: f"{case['date']} {case['allowed']} less {case['to_meet']}",
)
def test_who_pays_what(case: dict) -> None:
    day, schedule = date.fromisoformat(case["date"]), SCHEDULES[case["schedule"]]
    allowed = case["allowed"].split()
    rows = [line(service_date=day, schedule=schedule, allowed_usd=usd(one)) for one in allowed]
    got = divided(*rows, deductible_usd=float(case["to_meet"]))
    columns = {"deductible": "deductible_usd", "coinsurance": "coinsurance_usd",
               "medicare": "medicare_usd", "sequestered": "sequestered_usd",
               "received": "received_usd"}  # fmt: skip
    for name, column in columns.items():
        assert [row[column] for row in got] == [usd(one) for one in case[name].split()], (
            column, case["why"],
        )  # fmt: skip


CHAIN = [case for case in table("fees") if case["what"] == "chain"]
STEPS = {"allowed": "allowed_usd", "beneficiary": "beneficiary_usd", "medicare": "medicare_usd",
         "after_sequestration": "medicare_paid_usd"}  # fmt: skip


@pytest.mark.parametrize("case", CHAIN, ids=lambda case: f"{case['place']} {case['step']}")
def test_the_worked_examples_from_price_to_payment(case: dict) -> None:
    row = {"encounter_id": "1", "service_date": date.fromisoformat(case["date"]),
           "code": case["hcpcs"], "units": 1}  # fmt: skip
    terms = Outpatient(case["place"]) if case["place"] else Physician(apm=case["apm"] == "yes")
    got = who_pays(price(pl.DataFrame([row]), schedule=terms)).collect().row(0, named=True)
    assert got[STEPS[case["step"]]] == Decimal(case["expected_usd"]), case["why"]


def test_both_examples_have_all_their_steps() -> None:
    assert len(CHAIN) == 2 * len(STEPS)
    assert {case["step"] for case in CHAIN} == set(STEPS)


# --- its steps -------------------------------------------------------------------------------


def test_each_step_may_be_left_out() -> None:
    whole = Decimal("144.96")
    (bare,) = divided(line(), coinsurance=False, sequestration=False)
    assert [bare[name] for name in SHARES] == [0, 0, 0, whole, 0, whole, whole]
    (shared,) = divided(line(), sequestration=False)
    assert (shared["coinsurance_usd"], shared["received_usd"]) == (Decimal("28.99"), whole)
    (cut,) = divided(line(), coinsurance=False)
    assert (cut["sequestered_usd"], cut["received_usd"]) == (Decimal("2.90"), Decimal("142.06"))


def test_a_deductible_is_that_of_each_encounter_in_the_order_of_its_lines() -> None:
    got = divided(
        line(encounter_id="2", allowed_usd="50"),
        line(encounter_id="1", allowed_usd="30"),
        line(encounter_id="2", allowed_usd="70"),
        line(encounter_id="1", allowed_usd="90"),
        line(encounter_id="2", allowed_usd="10"),
        deductible_usd=100,
    )
    assert [row["deductible_usd"] for row in got] == [50, 30, 50, 70, 0]


@pytest.mark.parametrize(
    ("cap", "coinsurance"),
    [(100, "44.88"), (44.88, "44.88"), (44.87, "44.87"), (10, "10.00"), (0, "0.00")],
)
def test_coinsurance_is_capped_by_the_line(cap: float, coinsurance: str) -> None:
    row = line(schedule=SCHEDULES["opps"], allowed_usd="224.38")
    for got in divided(row, row, coinsurance_cap_usd=cap):
        assert got["coinsurance_usd"] == Decimal(coinsurance)
        assert got["medicare_usd"] == Decimal("224.38") - Decimal(coinsurance)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"deductible_usd": 50},
        {"coinsurance_cap_usd": 5},
        {"coinsurance": False, "sequestration": False},
    ],
    ids=["usual", "deductible", "cap", "no steps"],
)
def test_nothing_is_known_of_a_line_without_an_amount(options: dict) -> None:
    unknown, known = divided(line(allowed_usd=None), line(), **options)
    assert {unknown[name] for name in SHARES} == {None}
    assert None not in {known[name] for name in SHARES}


def test_a_share_that_is_not_in_force_yet_leaves_the_shares_unknown() -> None:
    (early,) = divided(line(service_date=date(2008, 12, 31)))
    assert (early["coinsurance_usd"], early["medicare_usd"], early["received_usd"]) == (None,) * 3
    (free,) = divided(line(service_date=date(2008, 12, 31)), coinsurance=False)
    assert free["received_usd"] == Decimal("144.96")


def test_another_rate_of_sequestration_may_stand_in() -> None:
    rows = bundled_tables()["sequestration"].with_columns(
        rate=pl.lit("0.04").cast(pl.Decimal(18, 4))
    )
    tables = bundled_tables().replaced("sequestration", rows)
    (got,) = divided(line(), tables=tables)
    assert got["sequestered_usd"] == Decimal("4.64")  # 115.97 x 0.04 = 4.6388


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"deductible_usd": -0.01}, "'deductible_usd' is a number, zero or more.* it is negative"),
        ({"deductible_usd": float("nan")}, "'deductible_usd' .* it is not a finite number"),
        ({"deductible_usd": float("inf")}, "'deductible_usd' .* it is not a finite number"),
        ({"deductible_usd": "226"}, "'deductible_usd' is a number, zero or more.*not a str"),
        ({"deductible_usd": True}, "not a bool"),
        ({"deductible_usd": None}, "not a NoneType"),
        ({"coinsurance_cap_usd": -1}, "'coinsurance_cap_usd' is a number, zero or more"),
        ({"coinsurance_cap_usd": "1736"}, "'coinsurance_cap_usd' .* not a str"),
    ],
)
def test_amounts_that_cannot_be_meant_are_refused(options: dict, message: str) -> None:
    with pytest.raises(sq.InputError, match=message):
        who_pays(lines(line()), **options)


@pytest.mark.parametrize("column", ["allowed_usd", "encounter_id", "service_date", "schedule"])
def test_lines_that_were_not_priced_are_refused(column: str) -> None:
    with pytest.raises(sq.InputError, match=f"'{column}'.*price"):
        who_pays(lines(line()).drop(column))


@pytest.mark.parametrize("priced", [[line()], None, "priced.csv"])
def test_lines_that_are_no_table_are_refused(priced: object) -> None:
    with pytest.raises(sq.InputError, match="price"):
        who_pays(priced)


# --- a second opinion ------------------------------------------------------------------------


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def sequestration_on(day: date) -> Decimal:
    """The calendar read aloud."""
    if day < date(2013, 4, 1):
        return Decimal(0)
    if date(2020, 5, 1) <= day <= date(2022, 3, 31):
        return Decimal(0)
    if date(2022, 4, 1) <= day <= date(2022, 6, 30):
        return Decimal("0.01")
    return Decimal("0.02")


def slowly(rows: list[dict], to_meet: Decimal, cap: Decimal | None) -> list[tuple]:
    left: dict[str, Decimal] = {}
    answers = []
    for row in rows:
        allowed = row["allowed_usd"]
        if allowed is None:
            answers.append((None,) * len(SHARES))
            continue
        still = left.get(row["encounter_id"], to_meet)
        deductible = min(still, allowed)
        left[row["encounter_id"]] = still - deductible
        coinsurance = cents((allowed - deductible) * Decimal("0.20"))
        if cap is not None:
            coinsurance = min(coinsurance, cap)
        medicare = allowed - deductible - coinsurance
        taken = cents(medicare * sequestration_on(row["service_date"]))
        answers.append((deductible, coinsurance, deductible + coinsurance, medicare, taken,
                        medicare - taken, allowed - taken))  # fmt: skip
    return answers


_EDGES = [date(2013, 3, 31), date(2013, 4, 1), date(2020, 4, 30), date(2020, 5, 1),
          date(2022, 3, 31), date(2022, 4, 1), date(2022, 6, 30), date(2022, 7, 1)]  # fmt: skip
_ROWS = st.lists(
    st.fixed_dictionaries({
        "encounter_id": st.sampled_from("ABC"),
        "service_date": st.one_of(
            st.sampled_from(_EDGES), st.dates(date(2019, 1, 1), date(2030, 1, 1))
        ),
        "allowed_usd": st.one_of(
            st.none(), st.just(Decimal("0.00")), st.decimals("0", "0.99", places=2),
            st.decimals("0", "99999", places=2),
        ),
        "schedule": st.sampled_from(list(SCHEDULES.values())),
    }),
    min_size=1, max_size=60,
)  # fmt: skip
_AMOUNTS = st.one_of(st.just(Decimal(0)), st.decimals("0", "3000", places=2))


@given(_ROWS, _AMOUNTS, st.one_of(st.none(), _AMOUNTS))
def test_shares_agree_with_a_slow_count_and_add_up(
    rows: list[dict], to_meet: Decimal, cap: Decimal | None
) -> None:
    # Opps shares begin in 2019, so earlier lines are the office's.
    rows = [row | {"schedule": SCHEDULES["mpfs"]} if row["service_date"].year < 2019 else row
            for row in rows]  # fmt: skip
    options = {} if cap is None else {"coinsurance_cap_usd": float(cap)}
    got = divided(*rows, deductible_usd=float(to_meet), **options)
    for row, expected in zip(got, slowly(rows, to_meet, cap), strict=True):
        assert tuple(row[name] for name in SHARES) == expected, row
        if row["allowed_usd"] is not None:
            assert row["beneficiary_usd"] + row["medicare_usd"] == row["allowed_usd"]
            assert row["received_usd"] + row["sequestered_usd"] == row["allowed_usd"]
            assert min(row[name] for name in SHARES) >= 0


@given(_ROWS, _AMOUNTS)
def test_an_encounter_never_bears_more_than_its_deductible(rows: list, to_meet: Decimal) -> None:
    got = who_pays(lines(*rows), deductible_usd=float(to_meet)).collect()
    for (_,), visit in got.group_by("encounter_id"):
        borne, allowed = visit["deductible_usd"].sum(), visit["allowed_usd"].sum()
        assert borne == min(to_meet, allowed)


# --- tables go through unharmed --------------------------------------------------------------


def many(count: int = 5000) -> pl.DataFrame:
    """Many lines in no order, several to an encounter, with a column of their own."""
    rows = [
        line(
            encounter_id=str(n * 7919 % (count // 5)),
            service_date=_EDGES[n % len(_EDGES)],
            allowed_usd=None if n % 11 == 0 else str(Decimal(n * 37 % 50_000) / 100),
            row=n,
        )
        for n in range(count)
    ]
    return lines(*rows)


def test_rows_keep_their_order_and_their_columns() -> None:
    got = who_pays(many().lazy(), deductible_usd=100)
    assert isinstance(got, pl.LazyFrame)
    got = got.collect()
    assert got.columns == [*many().columns, *SHARES]
    assert got.select(many().columns).equals(many())
    assert {got.schema[name].scale for name in SHARES} == {2}


@pytest.mark.parametrize("name", ["start", "until", "rate", "_note", "_line", "_rest", "_rate"])
def test_a_column_of_any_name_goes_through(name: str) -> None:
    (got,) = divided(line(**{name: date(2020, 1, 1)}))
    assert got[name] == date(2020, 1, 1)
    assert set(got) == {*line(), name, *SHARES}
    assert got["sequestered_usd"] == Decimal("2.32")


def test_dividing_twice_is_dividing_once() -> None:
    once = who_pays(many(), deductible_usd=100).collect()
    assert who_pays(once, deductible_usd=100).collect().equals(once)


def test_dividing_encounters_apart_gives_the_same() -> None:
    whole = who_pays(many(), deductible_usd=100).collect()
    first = pl.col("encounter_id").cast(pl.Int64) < 300
    parts = [
        who_pays(many().filter(part), deductible_usd=100).collect() for part in (first, ~first)
    ]
    assert pl.concat(parts).sort("row").equals(whole)


@pytest.mark.parametrize("by", ["service_date", "encounter_id"])
@pytest.mark.parametrize("share", SHARES)
def test_shares_add_up_over_any_group(by: str, share: str) -> None:
    got = who_pays(many(), deductible_usd=100).collect()
    of_groups = got.group_by(by).agg(pl.col(share).sum())[share]
    assert sum(of_groups) == sum(amount for amount in got[share] if amount is not None) > 0


def test_nothing_is_read_until_it_is_asked_for() -> None:
    read = []

    def reading(chunk: pl.DataFrame) -> pl.DataFrame:
        read.append(1)
        return chunk

    frame = lines(line())
    got = who_pays(frame.lazy().map_batches(reading, schema=frame.schema), deductible_usd=10)
    assert got.collect_schema().names() == [*line(), *SHARES]
    assert not read
    assert got.collect().height == 1


def test_the_order_in_which_a_stream_arrives_mixes_up_no_lines() -> None:
    # A lazy join or group_by hands its rows on in another order each time it is run.
    keys = ("encounter_id", "service_date", "schedule", "row")
    stream = many(20_000).lazy().group_by(keys).agg(pl.col("allowed_usd").first())
    got = who_pays(stream, deductible_usd=100).collect()
    assert who_pays(got.drop(SHARES), deductible_usd=100).collect().equals(got)


def test_no_lines_give_no_lines() -> None:
    got = who_pays(lines(line()).clear()).collect()
    assert (got.height, got.columns) == (0, [*line(), *SHARES])


def test_a_deductible_of_any_size_and_kind_of_number() -> None:
    for given_usd in (100, 100.0, 99.99 + 0.01, 1e2):
        (got,) = divided(line(), deductible_usd=given_usd)
        assert got["deductible_usd"] == 100
    (got,) = divided(line(), deductible_usd=1e9)
    assert got["deductible_usd"] == Decimal("144.96")
    (got,) = divided(line(), deductible_usd=1e-7)
    assert got["deductible_usd"] == 0
