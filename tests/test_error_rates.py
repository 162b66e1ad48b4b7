"""Error rates of an audit: counts, money and the interval of a share."""

from datetime import date
from decimal import Decimal
from math import comb, sqrt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from subq_toolkit.audit.error_rates import error_rates, errors_by_class, wilson_interval
from subq_toolkit.errors import InputError

SCHEMA = {
    "encounter_id": pl.String,
    "service_date": pl.Date,
    "class": pl.String,
    "direction": pl.String,
    "difference_usd": pl.Decimal(14, 2),
    "payer": pl.String,
    "department": pl.String,
}
MARCH, APRIL = date(2026, 3, 2), date(2026, 4, 1)
#: class, direction, difference, payer, department, day
ROWS = [
    ("over", "over", "10.50", "A", "North", MARCH),
    ("duplicate", "over", None, "A", "South", MARCH),
    ("under", "under", "-4.25", "A", "North", APRIL),
    ("agrees", "even", "0.00", "A", "North", APRIL),
    ("wrong_revenue_code", "even", "0.00", "A", " ", MARCH),
    ("chart_unreadable", "not judged", "99.00", "A", None, MARCH),
    ("agrees", "even", "0.00", "b", "North", None),
    ("coder_decides", "not judged", None, None, "North", MARCH),
    ("over", "over", "1.00", None, "North", MARCH),
]


def table(rows: list[tuple] = ROWS) -> pl.DataFrame:
    made = [
        (f"E{at}", day, name, way, None if usd is None else Decimal(usd), payer, place)
        for at, (name, way, usd, payer, place, day) in enumerate(rows)
    ]
    return pl.DataFrame(made, schema=SCHEMA, orient="row")


class Held:
    """What an audit looks like from here."""

    def __init__(self, encounters: pl.DataFrame, lines: pl.DataFrame) -> None:
        self.encounters, self.lines = encounters.lazy(), lines.lazy()


def test_rates_of_payers_by_hand() -> None:
    found = error_rates(table(), "payer")
    assert found["payer"].to_list() == ["A", "b", "not stated", None]
    assert found["scope"].to_list() == ["group", "group", "group", "all"]
    counted = found.select("judged", "errors", "over", "under", "no_price", "not_judged").rows()
    assert counted == [
        (5, 4, 2, 1, 1, 1),
        (1, 0, 0, 0, 0, 0),
        (1, 1, 1, 0, 0, 1),
        (7, 5, 3, 1, 1, 2),
    ]
    money = found.select("over_usd", "under_usd", "net_usd").rows()
    assert money[0] == (Decimal("10.50"), Decimal("4.25"), Decimal("6.25"))
    assert money[1] == (Decimal("0.00"), Decimal("0.00"), Decimal("0.00"))
    assert money[3] == (Decimal("11.50"), Decimal("4.25"), Decimal("7.25"))
    assert found["rate"].to_list() == pytest.approx([0.8, 0, 1, 5 / 7])


def test_rates_of_two_columns_and_of_months() -> None:
    places = error_rates(table(), ["payer", "department"])
    assert places.select("payer", "department", "judged", "errors").rows() == [
        ("A", "North", 3, 2),
        ("A", "South", 1, 1),
        ("A", "not stated", 1, 1),
        ("b", "North", 1, 0),
        ("not stated", "North", 1, 1),
        (None, None, 7, 5),
    ]
    months = error_rates(table(), by="month").select("month", "judged", "errors").rows()
    assert months == [
        ("2026-03", 4, 4),
        ("2026-04", 2, 1),
        ("not stated", 1, 0),
        (None, 7, 5),
    ]


def test_a_group_of_which_nothing_was_judged_has_no_rate() -> None:
    found = error_rates(table([("coder_decides", "not judged", None, "A", "N", MARCH)]), "payer")
    assert found.select("judged", "rate", "rate_low", "rate_high", "not_judged").rows() == [
        (0, None, None, None, 1),
        (0, None, None, None, 1),
    ]
    assert error_rates(table([])).select("judged", "rate").rows() == [(0, None)]


def test_lines_and_encounters_are_counted_apart() -> None:
    held = Held(table(), table(ROWS[:3]))
    assert error_rates(held)["judged"].to_list() == [7]
    assert error_rates(held, of="lines")["judged"].to_list() == [3]


def test_classes_by_hand_gravest_first() -> None:
    found = errors_by_class(table())
    assert found.select("class", "judged", "errors").rows() == [
        ("duplicate", 7, 1),
        ("over", 7, 2),
        ("under", 7, 1),
        ("wrong_revenue_code", 7, 1),
    ]
    assert found["label"].to_list()[1] == "More than charted"
    assert found["rate"].to_list() == pytest.approx([1 / 7, 2 / 7, 1 / 7, 1 / 7])
    assert found["over_usd"].to_list()[1] == Decimal("11.50")
    assert found["no_price"].to_list() == [1, 0, 0, 0]
    by_month = errors_by_class(table(), "month").select("month", "class", "judged", "errors")
    assert by_month.rows()[0] == ("2026-03", "duplicate", 4, 1)
    assert by_month.rows()[-1] == ("2026-04", "under", 2, 1)


def test_rows_in_another_order_give_the_same_table() -> None:
    mixed = table().sample(fraction=1, shuffle=True, seed=3)
    assert error_rates(mixed, ["payer", "month"]).equals(error_rates(table(), ["payer", "month"]))
    assert errors_by_class(mixed, "payer").equals(errors_by_class(table(), "payer"))


def test_the_interval_of_three_in_ten_by_hand() -> None:
    # z = 1.959964, z² = 3.841459: centre (0.3 + 0.192073) / 1.384146 = 0.355507, and
    # 1.959964 √(0.021 + 0.0096036) / 1.384146 = 0.247715 to either side.
    assert wilson_interval(3, 10) == pytest.approx((0.107791, 0.603222), abs=1e-6)


def test_the_interval_at_its_ends_is_exact() -> None:
    # Of none in n the upper end is z² / (n + z²): 3.841459 / 13.841459.
    assert wilson_interval(0, 10)[0] == 0.0
    assert wilson_interval(0, 10)[1] == pytest.approx(0.277533, abs=1e-6)
    assert wilson_interval(10, 10)[1] == 1.0
    assert wilson_interval(10, 10)[0] == pytest.approx(0.722467, abs=1e-6)
    assert wilson_interval(0, 0) == (None, None)


@given(st.integers(1, 300), st.data())
def test_each_end_is_where_the_score_test_would_refuse(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    z = 1.6448536269514722
    low, high = wilson_interval(k, n, confidence=0.9)
    for end in (low, high):
        if 0 < end < 1:
            assert abs(k / n - end) == pytest.approx(z * sqrt(end * (1 - end) / n), abs=1e-9)


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5])
def test_the_interval_covers_the_rate_as_often_as_it_says(rate: float) -> None:
    n = 60
    chance = [comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(n + 1)]
    covered = 0.0
    for k, one in enumerate(chance):
        low, high = wilson_interval(k, n)
        covered += one * (low <= rate <= high)
    assert 0.925 < covered < 0.98


def test_a_higher_level_is_wider() -> None:
    narrow = error_rates(table(), confidence=0.5).row(0, named=True)
    wide = error_rates(table(), confidence=0.99).row(0, named=True)
    assert wide["rate_low"] < narrow["rate_low"] < 5 / 7 < narrow["rate_high"] < wide["rate_high"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: error_rates(table(), of="claims"), "of= is one of encounters, lines"),
        (lambda: error_rates(table(), "doctor"), "no column 'doctor'; it has"),
        (lambda: error_rates(table(), "class"), "errors_by_class"),
        (lambda: error_rates(table(), confidence=95), "between 0 and 1"),
        (lambda: error_rates(table(), confidence="95"), "between 0 and 1"),
        (lambda: error_rates([1, 2]), r"audit\(...\) returned, .* this is a list"),
        (lambda: error_rates(table().drop("class")), "no column 'class'"),
        (lambda: error_rates(table().drop("service_date"), "month"), "no column 'service_date'"),
        (lambda: wilson_interval(4, 3), "events being at most cases"),
        (lambda: wilson_interval(True, 3), "whole numbers"),
    ],
)
def test_what_cannot_be_used_is_named(call: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
