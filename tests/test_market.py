"""Charges against listed hospital prices: published quantiles, and a walk in plain Python."""

import csv
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import subq_toolkit as sq
from subq_toolkit.catalog import dataset
from subq_toolkit.fees.market import KINDS, QUANTILES, market_position, market_quantiles


def charges(*amounts: object, **columns: object) -> pl.DataFrame:
    given = {"code": "96369"} | columns
    return pl.DataFrame({"amount_usd": list(amounts)}, strict=False).with_columns(
        **{name: pl.lit(one) for name, one in given.items()}
    )


def standing(amount: object, **terms: object) -> dict:
    (row,) = market_position(charges(amount), **terms).collect().rows(named=True)
    return row


def published() -> dict[tuple, dict]:
    path = Path(dataset("hospital_prices")) / "hospital_prices.csv"
    with path.open(newline="", encoding="utf-8") as rows:
        return {(row["code"], row["state"], row["kind"]): row for row in csv.DictReader(rows)}


# --- where a charge stands -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "position", "percentile"),
    [
        (183.21, "below p10", None),
        (183.22, "p10 to p25", 10.0),
        (256.12, "p10 to p25", 17.5),  # halfway: (183.22 + 329.02) / 2
        (329.01, "p10 to p25", 25.0),  # 24.999, shown to one decimal
        (329.02, "p25 to median", 25.0),
        (540.85, "p25 to median", 50.0),
        (540.86, "median to p75", 50.0),
        (694.43, "median to p75", 62.5),  # halfway: (540.86 + 848.00) / 2
        (848, "p75 to p90", 75.0),
        (1104, "p75 to p90", 82.5),  # halfway: (848.00 + 1360.00) / 2
        (1360, "p75 to p90", 90.0),
        (1360.01, "above p90", None),
        (0.01, "below p10", None),
        (999999999, "above p90", None),
    ],
)
def test_a_gross_charge_for_a_first_hour_in_the_united_states(
    amount: float, position: str, percentile: float | None
) -> None:
    row = standing(float(amount))
    assert (row["position"], row["percentile"]) == (position, percentile)
    assert row["basis"] == "held against 1541 hospitals"
    assert [row[name] for name in QUANTILES] == [
        Decimal(one) for one in ("183.22", "329.02", "540.86", "848.00", "1360.00")
    ]


def test_every_answer_has_its_source_and_its_day() -> None:
    row = standing(541)
    assert (row["state"], row["kind"], row["hospitals"]) == ("US", "gross", 1541)
    assert row["share_of_median"] == 1.0003  # 541 / 540.86
    assert row["collected"] == date(2026, 1, 28)
    assert row["cite"].startswith(
        "Price files of US hospitals, collected in data/, 28 January 2026"
    )
    assert "[single source]" in row["cite"]


@pytest.mark.parametrize("amount", [541, 541.0, Decimal("541.00")])
def test_any_number_may_be_a_charge(amount: object) -> None:
    assert standing(amount)["position"] == "median to p75"


def test_state_and_kind_are_stated_once_or_by_row() -> None:
    cash = standing(328.08, kind="cash")
    assert (cash["position"], cash["percentile"], cash["hospitals"]) == ("median to p75", 50, 1253)
    by_row = charges(541.0, 541.0).with_columns(
        state=pl.Series([" ca", "us"]), kind=pl.Series(["gross", "CASH "])
    )
    found = market_position(by_row, state="TX").collect()
    assert found.select("state", "kind").rows() == [("CA", "gross"), ("US", "cash")]
    assert found["median"].to_list()[1] == Decimal("328.08")
    assert market_position(charges(541.0), state=" ca").collect()["state"].item() == "CA"


def test_a_code_for_every_row() -> None:
    found = market_position(charges(541.0).drop("code"), code="96369").collect()
    assert found["position"].item() == "median to p75"


def test_several_equal_quantiles_have_no_one_percentile() -> None:
    """In Wisconsin a quarter to nine tenths of the hospitals list the same cash price of 96371."""
    cell = {"code": "96371", "state": "WI", "kind": "cash"}
    same, less, more = market_position(charges(209.3, 209.29, 209.31, **cell)).collect().rows(
        named=True
    )  # fmt: skip
    assert (same["p25"], same["p90"]) == (Decimal("209.30"), Decimal("209.30"))
    assert (same["position"], same["percentile"]) == ("p75 to p90", None)
    assert same["basis"] == (
        "held against 15 hospitals; several quantiles are this amount: no percentile"
    )
    assert (more["position"], more["percentile"]) == ("above p90", None)
    assert less["position"] == "p10 to p25"
    indiana = standing(30.66, state="IN")
    assert (indiana["position"], indiana["percentile"]) == ("p25 to median", None)
    assert indiana["p10"] == indiana["p25"]


# --- no answer, and why ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ({"code": "99999"}, "prices of this code were not collected"),
        ({"code": None}, "prices of this code were not collected"),
        ({"state": "WY"}, "left out: fewer than 11 hospitals have this price there"),
        ({"state": "DE"}, "left out: fewer than 11 hospitals have this price there"),
        ({"state": "NE", "kind": "cash"}, "left out: fewer than 11 hospitals have this price"),
        ({"state": "DC"}, "the collection does not have the District of Columbia"),
        ({"state": "PR"}, "the collection has no such state"),
        ({"state": None}, "the collection has no such state"),
        ({"kind": "negotiated"}, "there is no such kind of price: it is gross or cash"),
    ],
)
def test_a_cell_that_is_not_known_says_why(cell: dict, why: str) -> None:
    table = charges(541.0, **{"state": "US", "kind": "gross"} | cell)
    (row,) = market_position(table).collect().rows(named=True)
    assert row["basis"].startswith(why)
    assert {row[name] for name in ("position", "percentile", "share_of_median", "median")} == {None}
    assert row["cite"]


@pytest.mark.parametrize("amount", [None, 0.0, -541.0, float("nan"), float("inf")])
def test_what_is_no_charge_has_no_position(amount: float | None) -> None:
    (row,) = market_position(
        pl.DataFrame({"code": ["96369"], "amount_usd": pl.Series([amount], dtype=pl.Float64)})
    ).collect().rows(named=True)  # fmt: skip
    assert (row["position"], row["percentile"], row["share_of_median"]) == (None, None, None)
    assert row["basis"] == "no amount above zero is stated"


@pytest.mark.parametrize(
    ("table", "terms", "says"),
    [
        (charges(541.0).drop("amount_usd"), {}, r"need 'amount_usd', a column of plain numbers"),
        (charges("541"), {}, r"plain numbers \[USD per unit\]"),
        (charges(541.0).drop("code"), {}, "State the code once"),
        (charges(541.0), {"code": "96369"}, "State the code once"),
        (charges(541.0), {"kind": "cahs"}, r"for that 'kind'\. Did you mean 'cash'\? Known: gross"),
        ([541], {}, "Hand in the charges as a Polars table .*this is a list"),
    ],
)
def test_what_cannot_be_held_against_the_market_is_refused(
    table: object, terms: dict, says: str
) -> None:
    with pytest.raises(sq.InputError, match=says):
        market_position(table, **terms)


# --- a second opinion ------------------------------------------------------------------------


def walk(amount: Decimal, cell: dict) -> tuple[str, float | None]:
    """From quantile to quantile in plain Python, with a ruler between two of them."""
    marks = [(Decimal(cell[name]), at, name) for name, at in QUANTILES.items()]
    if amount < marks[0][0]:
        return "below p10", None
    if amount > marks[-1][0]:
        return "above p90", None
    if len([1 for mark, _, _ in marks if mark == amount]) > 1:
        return f"{next(n for m, _, n in marks if m == amount)} or more", None
    for (low, at, name), (high, until, following) in pairwise(marks):
        if low <= amount < high or (amount == high and following == "p90"):
            share = (amount - low) / (high - low)
            return f"{name} to {following}", float(at + share * (until - at))
    raise AssertionError


@given(
    st.sampled_from(sorted(published())),
    st.decimals("0.01", "3000", places=2),
    st.sampled_from([None, *QUANTILES]),
)
def test_positions_match_a_walk_by_hand(
    cell: tuple, amount: Decimal, at_quantile: str | None
) -> None:
    row = published()[cell]
    amount = Decimal(row[at_quantile]) if at_quantile else amount
    place = dict(zip(("code", "state", "kind"), cell, strict=True))
    (got,) = market_position(charges(amount, **place)).collect().rows(named=True)
    position, percentile = walk(amount, row)
    if not position.endswith("or more"):
        assert got["position"] == position
    assert (got["percentile"] is None) == (percentile is None)
    if percentile is not None:
        assert got["percentile"] == pytest.approx(percentile, abs=0.051)
    assert got["share_of_median"] == pytest.approx(float(amount / Decimal(row["median"])), abs=1e-4)
    assert got["hospitals"] == int(row["hospitals"])


@given(st.lists(st.floats(1, 3000), min_size=2, max_size=20))
def test_a_higher_charge_never_stands_lower(amounts: list[float]) -> None:
    found = market_position(charges(*sorted(amounts))).collect()
    inside = found["percentile"].drop_nulls()
    assert inside.is_sorted()
    assert found["share_of_median"].is_sorted()


# --- the tables ------------------------------------------------------------------------------


def test_charges_keep_their_order_and_their_columns() -> None:
    table = charges(2000.0, 100.0, 541.0, payer="A").lazy()
    lazy = market_position(table)
    assert isinstance(lazy, pl.LazyFrame)
    found = lazy.collect()
    assert found["amount_usd"].to_list() == [2000.0, 100.0, 541.0]
    assert found.columns[:5] == ["amount_usd", "code", "payer", "state", "kind"]
    again = market_position(found).collect()
    assert again.equals(found)


def test_the_summary_itself() -> None:
    everything = market_quantiles()
    assert everything.height == len(published()) == 788
    assert everything["hospitals"].min() >= 11
    one = market_quantiles("96369", "US", "gross")
    assert one.select("hospitals", "median").rows() == [(1541, Decimal("540.86"))]
    assert one["collected"].to_list() == [date(2026, 1, 28)]
    assert set(market_quantiles(state="US")["kind"]) == set(KINDS)
    assert market_quantiles("96369", "WY").is_empty()


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"code": "96396"}, r"for that 'code'\. Did you mean .*'96369'.*Known: 96360"),
        ({"state": "DC"}, r"for that 'state'\..* Known: AK, AL"),
        ({"kind": "net"}, r"for that 'kind'\. Known: cash, gross\."),
    ],
)
def test_a_summary_of_nothing_is_refused(asked: dict, says: str) -> None:
    with pytest.raises(sq.InputError, match=says):
        market_quantiles(**asked)
