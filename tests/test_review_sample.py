"""Samples for review: sizes, draws that can be repeated, and what they say of all encounters."""

import builtins
import random
import statistics
from datetime import date
from decimal import Decimal
from math import sqrt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from subq_toolkit.audit.allocation import allocated
from subq_toolkit.audit.extrapolation import extrapolate
from subq_toolkit.audit.review_sample import (
    ReviewSample,
    draw_sample,
    sample_size,
    sample_size_money,
)
from subq_toolkit.errors import InputError

DAY = date(2026, 3, 2)


def encounters(amounts: dict[str, list[float | None]], billed: float = 100) -> pl.DataFrame:
    """Encounters of strata, each with the difference that the audit found."""
    rows = [
        (f"{payer}{at:04}", DAY, payer, "over", usd, billed + at)
        for payer, usds in amounts.items()
        for at, usd in enumerate(usds)
    ]
    names = ["encounter_id", "service_date", "payer", "class", "difference_usd", "billed_usd"]
    types = [pl.String, pl.Date, pl.String, pl.String, pl.Float64, pl.Float64]
    frame = pl.DataFrame(rows, schema=dict(zip(names, types, strict=True)), orient="row")
    return frame.with_columns(pl.col("difference_usd", "billed_usd").cast(pl.Decimal(14, 2)))


TWO = encounters({"A": [0.0] * 6, "B": [1.0] * 4})


def drawn(sample: ReviewSample) -> set[str]:
    return set(sample.sampled["encounter_id"])


def test_sizes_by_hand() -> None:
    # 1.959964² × 0.25 / 0.05² = 384.146; / (1 + 383.146 / 1000) = 277.74.
    assert sample_size(1000) == 278
    assert sample_size(10**9) == 385
    # 96.0365 for ± 10 %; / (1 + 95.0365 / 100) = 49.24.
    assert sample_size(100, precision=0.1) == 50
    # 3.841459 × 0.09 / 0.0009 = 384.146 for 10 % ± 3 %; / (1 + 383.146 / 500) = 217.50.
    assert sample_size(500, expected_rate=0.1, precision=0.03) == 218
    assert (sample_size(1), sample_size(2), sample_size(3)) == (1, 2, 3)
    # (1.644854 × 50 / 10)² = 67.638; / (1 + 67.638 / 1000) = 63.35.
    assert sample_size_money(1000, spread_usd=50, precision_usd=10) == 64
    assert sample_size_money(1000, spread_usd=0.01, precision_usd=10) == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sample_size(0), "population is a whole number"),
        (lambda: sample_size(10.5), "population is a whole number"),
        (lambda: sample_size(100, expected_rate=0), "neither 0 nor 1"),
        (lambda: sample_size(100, expected_rate=1), "neither 0 nor 1"),
        (lambda: sample_size(100, precision=0), "precision is a share above 0"),
        (lambda: sample_size(100, precision=0.51), "at most 0.5"),
        (lambda: sample_size(100, confidence=1), "between 0 and 1"),
        (lambda: sample_size_money(9, spread_usd=0, precision_usd=1), "spread_usd is an amount"),
        (lambda: sample_size_money(9, spread_usd=1, precision_usd=-1), "precision_usd is an amo"),
    ],
)
def test_nonsense_sizes_are_refused(call: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_a_draw_is_the_same_everywhere() -> None:
    # Written down once: BLAKE2b is the same on every machine, so a change here is a change of
    # every sample that was ever drawn.
    sample = draw_sample(TWO, size=5, seed=7, strata="payer")
    assert drawn(sample) == {"A0001", "A0003", "A0005", "B0000", "B0002"}
    assert sample.design.select("stratum", "stratum_size", "sampled", "weight").rows() == [
        ("A", 6, 3, 2.0),
        ("B", 4, 2, 2.0),
    ]
    assert "5 of 10 encounters, seed 7" in repr(sample)


def test_a_draw_does_not_depend_on_the_order_of_rows() -> None:
    mixed = TWO.sample(fraction=1, shuffle=True, seed=1)
    one, two = (draw_sample(rows.lazy(), size=5, seed=7, strata="payer") for rows in (TWO, mixed))
    assert one.encounters.equals(two.encounters)
    assert one.mark == two.mark
    assert one.mark != draw_sample(TWO.head(9), size=5, seed=7, strata="payer").mark
    assert drawn(one) != drawn(draw_sample(TWO, size=5, seed=8, strata="payer"))


def test_a_larger_sample_holds_the_smaller_one() -> None:
    rows = encounters({"A": [0.0] * 50})
    small, large = (draw_sample(rows, size=n, seed=3) for n in (10, 25))
    assert drawn(small) < drawn(large)


def test_every_encounter_is_drawn_equally_often() -> None:
    counts = dict.fromkeys(TWO["encounter_id"], 0)
    draws = 400
    for seed in range(draws):
        for one in drawn(draw_sample(TWO, size={"A": 3, "B": 2}, seed=seed, strata="payer")):
            counts[one] += 1
    # Each is drawn with chance one half: 200 ± 10, so within five of these always.
    assert all(abs(count - draws / 2) < 50 for count in counts.values())


def test_weights_add_up_to_the_population() -> None:
    rows = encounters({"A": [0.0] * 17, "B": [1.0] * 5, "C": [2.0]})
    sample = draw_sample(rows, size=9, seed=1, strata=["payer"])
    assert sample.sampled["weight"].sum() == pytest.approx(23)
    assert sample.encounters.filter(~pl.col("sampled"))["weight"].null_count() == 14
    assert sample.design["taken_whole"].to_list() == [False, False, True]


def test_missing_values_are_a_stratum() -> None:
    rows = TWO.with_columns(payer=pl.when(pl.col("payer") == "B").then("payer"))
    sample = draw_sample(rows, size=4, seed=1, strata=["payer", "class"])
    assert sample.design["stratum"].to_list() == ["B | over", "not stated | over"]
    assert draw_sample(TWO, size=4, seed=1).design["stratum"].to_list() == ["all encounters"]


@pytest.mark.parametrize(
    ("sizes", "weights", "size", "expected"),
    [
        ({"A": 100, "B": 50}, {"A": 100, "B": 50}, 30, {"A": 20, "B": 10}),
        # 33.3 each: the one left over goes to the first by name.
        ({"A": 50, "B": 50, "C": 50}, {"A": 1, "B": 1, "C": 1}, 100, {"A": 34, "B": 33, "C": 33}),
        # B has but 3, the rest is shared by the others.
        ({"A": 50, "B": 3, "C": 50}, {"A": 1, "B": 1, "C": 1}, 33, {"A": 15, "B": 3, "C": 15}),
        # B would get 0.2 and gets two.
        ({"A": 990, "B": 10}, {"A": 990, "B": 10}, 20, {"A": 18, "B": 2}),
        # Neyman: 100 × 3 against 300 × 1.
        ({"A": 100, "B": 300}, {"A": 300.0, "B": 300.0}, 40, {"A": 20, "B": 20}),
        # What has no weight takes over where the others are drawn whole.
        ({"A": 10, "B": 100}, {"A": 5.0, "B": 0.0}, 50, {"A": 10, "B": 40}),
    ],
)
def test_shares_by_hand(sizes: dict, weights: dict, size: int, expected: dict) -> None:
    assert allocated(sizes, weights, size=size, least=2) == expected


@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 50)), min_size=1, max_size=8), st.data())
def test_shares_add_up_within_bounds_and_nothing_can_be_traded(
    strata: list, data: st.DataObject
) -> None:
    sizes = {f"S{at}": of for at, (of, _) in enumerate(strata)}
    weights = {f"S{at}": weight for at, (_, weight) in enumerate(strata)}
    low = {name: min(2, of) for name, of in sizes.items()}
    size = data.draw(st.integers(sum(low.values()), sum(sizes.values())))
    got = allocated(sizes, weights, size=size, least=2)
    assert sum(got.values()) == size
    assert all(low[name] <= got[name] <= sizes[name] for name in sizes)
    # Between two strata that both have room, shares stand as their weights, to within one.
    free = [name for name in sizes if low[name] < got[name] < sizes[name] and weights[name] > 1e-6]
    for a in free:
        for b in free:
            assert (got[a] - 1) * weights[b] <= (got[b] + 1) * weights[a] + 1e-6


def test_neyman_draws_most_where_amounts_differ_most() -> None:
    # Spreads 10 and 0 of 40 each: what is left beyond two goes to A.
    rows = encounters({"A": [0.0, 20.0] * 20, "B": [5.0] * 40})
    sample = draw_sample(rows, size=20, seed=1, strata="payer", allocation="neyman")
    assert sample.design["sampled"].to_list() == [18, 2]
    # 40 values, 10 from their mean each: √(40 × 100 / 39).
    assert sample.design["spread_usd"].to_list() == [10.13, 0.0]


def test_neyman_takes_the_spread_of_all_where_amounts_are_not_known() -> None:
    rows = encounters({"A": [0.0, 20.0] * 20, "B": [None] * 40})
    sample = draw_sample(rows, size=20, seed=1, strata="payer", allocation="neyman")
    assert sample.design["sampled"].to_list() == [10, 10]


def test_strata_can_be_taken_whole_or_stated() -> None:
    sample = draw_sample(TWO, size=7, seed=1, strata="payer", take_all=["B"])
    assert sample.design["sampled"].to_list() == [3, 4]
    stated = draw_sample(TWO, size={"B": 2, "A": 6}, seed=1, strata="payer")
    assert stated.design["sampled"].to_list() == [6, 2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 3}, "2 of each of 2 strata, .* are 4"),
        ({"size": 11}, "there are only 10 encounters"),
        ({"size": 0}, "size is a whole number"),
        ({"size": 2.5}, "size is a whole number"),
        ({"size": {"A": 2}}, "says nothing of 1 of 2 strata, first of 'B'"),
        ({"size": {"A": 2, "B": 5}}, "size of 'B' is a whole number from 2 to 4"),
        ({"size": {"A": 1, "B": 2}}, "size of 'A' is a whole number from 2 to 6"),
        ({"size": {"A": 2, "B": 2, "C": 2}}, "names 'C', which is no stratum. There are 'A', 'B'"),
        ({"size": 5, "take_all": ["Z"]}, "take_all= names 'Z'"),
        ({"size": 5, "seed": -1}, "seed is a whole number"),
        ({"size": 5, "seed": "x"}, "seed is a whole number"),
        ({"size": 5, "allocation": "even"}, "allocation is one of proportional, equal, neyman"),
        ({"size": 5, "strata": ["clinic"]}, "no column 'clinic'"),
        ({"size": 5, "allocation": "neyman"}, "do not differ within any stratum"),
    ],
)
def test_what_cannot_be_drawn_is_named(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        draw_sample(TWO, **({"seed": 1, "strata": "payer"} | options))


def test_rows_that_cannot_be_drawn_once_are_named() -> None:
    with pytest.raises(InputError, match="1 rows repeat an encounter and date"):
        draw_sample(pl.concat([TWO, TWO.head(1)]), size=5, seed=1)
    nameless = TWO.with_columns(pl.when(pl.col("encounter_id") != "A0000").then("encounter_id"))
    with pytest.raises(InputError, match="1 rows have no encounter_id"):
        draw_sample(nameless, size=5, seed=1)
    with pytest.raises(InputError, match="no encounter to draw from"):
        draw_sample(TWO.head(0), size=5, seed=1)


def review(sample: ReviewSample, by_payer: dict[str, list[float | None]]) -> pl.DataFrame:
    """Amounts for the drawn encounters of each payer, in the order of their numbers."""
    parts = []
    for (payer,), part in sample.sampled.sort("encounter_id").group_by(
        "payer", maintain_order=True
    ):
        usd = pl.Series("difference_usd", by_payer[payer], dtype=pl.Float64)
        parts.append(part.select("encounter_id").with_columns(usd))
    return pl.concat(parts)


def one_of(found: pl.DataFrame, side: str, stratum: str) -> dict:
    return found.filter(side=side, stratum=stratum).row(0, named=True)


@pytest.fixture(scope="module")
def hundred() -> ReviewSample:
    rows = encounters({"A": [0.0] * 100, "B": [0.0] * 50})
    return draw_sample(rows, size={"A": 4, "B": 3}, seed=1, strata="payer")


def test_two_strata_by_hand(hundred: ReviewSample) -> None:
    found = extrapolate(hundred, review(hundred, {"A": [10, 20, 30, 40], "B": [0, 6, -3]}))
    a, b, both = (one_of(found, "net", name) for name in ("A", "B", "all"))
    # A: mean 25, s² = 500 / 3; 100² × 0.96 × 166.667 / 4 = 400,000.
    assert (a["total_usd"], a["standard_error_usd"]) == (2500.0, round(sqrt(400_000), 2))
    # B: mean 1, s² = (1 + 25 + 16) / 2 = 21; 50² × 0.94 × 21 / 3 = 16,450.
    assert (b["total_usd"], b["standard_error_usd"]) == (50.0, round(sqrt(16_450), 2))
    assert (a["degrees_of_freedom"], b["degrees_of_freedom"]) == (3, 2)
    assert both["total_usd"] == 2550.0
    assert both["standard_error_usd"] == round(sqrt(416_450), 2)
    # 416,450² / (400,000² / 3 + 16,450² / 2) = 3.2436.
    assert both["degrees_of_freedom"] == pytest.approx(3.2436, abs=1e-3)
    # Student's at 95 % one-sided: 2.3534 for 3, read from a table.
    assert a["low_usd"] == pytest.approx(2500 - 2.3534 * 632.456, abs=0.05)
    assert a["high_usd"] == pytest.approx(2500 + 2.3534 * 632.456, abs=0.05)
    reach = student.ppf(0.95, 3.243618) * sqrt(416_450)
    assert both["high_usd"] == pytest.approx(2550 + reach, abs=0.1)


def test_over_and_under_apart(hundred: ReviewSample) -> None:
    found = extrapolate(hundred, review(hundred, {"A": [10, -20, 0, 0], "B": [0, 0, 0]}))
    over, under = (one_of(found, side, "A") for side in ("over", "under"))
    assert (over["found_usd"], over["total_usd"]) == (10.0, 250.0)
    assert (under["found_usd"], under["total_usd"]) == (20.0, 500.0)
    assert one_of(found, "net", "A")["total_usd"] == -250.0
    # s² = 25: 250 - 2.3534 √(100 × 96 × 25 / 4) lies below zero; what was found stands.
    assert over["low_usd"] == 10.0
    assert one_of(found, "net", "A")["low_usd"] < -250.0
    alike = one_of(found, "over", "B")
    assert (alike["low_usd"], alike["high_usd"]) == (0.0, 0.0)
    assert "All reviewed alike in: B" in alike["note"]


def test_a_stratum_reviewed_whole_is_exact() -> None:
    rows = encounters({"A": [0.0] * 3})
    sample = draw_sample(rows, size=3, seed=1, strata="payer")
    found = one_of(extrapolate(sample, review(sample, {"A": [5, 7, 9]})), "net", "all")
    assert (found["total_usd"], found["low_usd"], found["high_usd"]) == (21.0, 21.0, 21.0)
    assert "exact" in found["note"]


def test_one_reviewed_has_no_variance_and_none_no_total(hundred: ReviewSample) -> None:
    seen = review(hundred, {"A": [10, None, None, None], "B": [1, 2, 3]})
    found = extrapolate(hundred, seen, unreviewed="leave_out")
    a, both = one_of(found, "net", "A"), one_of(found, "net", "all")
    assert (a["total_usd"], a["standard_error_usd"], a["low_usd"]) == (1000.0, None, None)
    assert (both["total_usd"], both["high_usd"], both["reviewed"]) == (1100.0, None, 4)
    assert both["note"] == "One encounter reviewed in: A. No variance, so no interval."
    seen = review(hundred, {"A": [None] * 4, "B": [1, 2, 3]})
    found = extrapolate(hundred, seen, unreviewed="leave_out")
    assert one_of(found, "net", "all")["total_usd"] is None
    assert one_of(found, "net", "all")["note"] == "No encounter reviewed in: A. No total."


def test_verdicts_stand_for_amounts() -> None:
    rows = encounters({"A": [10.0, 20.0, 30.0, None]})
    sample = draw_sample(rows, size=4, seed=1)
    seen = sample.sampled.sort("encounter_id").select(
        "encounter_id", verdict=pl.Series(["agree", "Disagree ", "agree", "agree"]),
        difference_usd=pl.Series([None, None, 25.0, 8.0]),
    )  # fmt: skip
    # 10 as the audit says, nothing, 25 and 8 as the reviewer says.
    assert one_of(extrapolate(sample, seen), "net", "all")["total_usd"] == 43.0
    unclear = seen.with_columns(verdict=pl.lit("unclear"))
    with pytest.raises(InputError, match="4 of 4 drawn encounters have no amount"):
        extrapolate(sample, unclear)


def test_a_ratio_by_hand() -> None:
    # Billed 100, 101, ... 109 in all ten (1,045); the amounts are a tenth of it throughout.
    rows = encounters({"A": [10 + at / 10 for at in range(10)]})
    sample = draw_sample(rows, size=4, seed=1, strata="payer")
    found = extrapolate(sample, "difference_usd", method="ratio")
    assert found["stratum"].unique().to_list() == ["all"]
    net = one_of(found, "net", "all")
    assert net["total_usd"] == pytest.approx(104.5)
    assert net["standard_error_usd"] == 0.0
    mean = one_of(extrapolate(sample, "difference_usd"), "net", "all")
    assert mean["standard_error_usd"] > 0


@pytest.mark.parametrize(
    ("reviewed", "options", "message"),
    [
        ("difference_usd", {"method": "guess"}, "method is one of mean, ratio"),
        ("difference_usd", {"unreviewed": "skip"}, "unreviewed is one of refuse, leave_out"),
        ("difference_usd", {"confidence": 90}, "between 0 and 1"),
        ("payer", {}, "Column 'payer' holds String, no amounts"),
        ("found", {}, "no column 'found'"),
        (17, {}, "this is a int"),
        (pl.DataFrame({"encounter_id": ["A0000"]}), {}, "no column 'difference_usd'"),
        (pl.DataFrame({"difference_usd": [1.0]}), {}, "no column 'encounter_id'"),
        (
            pl.DataFrame({"encounter_id": ["A0000"] * 2, "difference_usd": [1.0, 2.0]}),
            {},
            "1 rows of the review repeat an encounter",
        ),
        (
            pl.DataFrame({"encounter_id": ["Z"], "difference_usd": [1.0]}),
            {},
            "1 reviewed encounters were not drawn",
        ),
        (
            pl.DataFrame({"encounter_id": ["A0000"], "verdict": ["yes"]}),
            {},
            "1 verdicts are none of agree, disagree, unclear",
        ),
        (
            pl.DataFrame({"encounter_id": ["A0000"], "difference_usd": [float("nan")]}),
            {},
            "no finite amount",
        ),
        (
            pl.DataFrame({"encounter_id": ["A0000"], "difference_usd": ["1"]}),
            {},
            "holds String, no amounts",
        ),
        (
            pl.DataFrame(schema={"encounter_id": pl.String, "difference_usd": pl.Float64}),
            {},
            "7 of 7 drawn encounters have no amount",
        ),
    ],
)
def test_a_review_that_does_not_fit_is_named(
    hundred: ReviewSample, reviewed: object, options: dict, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        extrapolate(hundred, reviewed, **options)


def test_a_ratio_needs_what_was_billed(hundred: ReviewSample) -> None:
    unpriced = TWO.with_columns(billed_usd=pl.lit(None, pl.Decimal(14, 2)))
    sample = draw_sample(unpriced, size=4, seed=1)
    with pytest.raises(InputError, match="needs billed_usd of every encounter"):
        extrapolate(sample, "difference_usd", method="ratio")
    free = draw_sample(TWO.with_columns(billed_usd=Decimal(0)), size=4, seed=1)
    with pytest.raises(InputError, match="Nothing was billed in the sample"):
        extrapolate(free, "difference_usd", method="ratio")
    with pytest.raises(InputError, match=r"draw_sample\(...\) returned, no DataFrame"):
        extrapolate(TWO, "difference_usd")


def test_without_scipy_the_extra_is_named(
    hundred: ReviewSample, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: object, **more: object) -> object:
        if name.startswith("scipy"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"subq_toolkit\[audit\]"):
        extrapolate(hundred, review(hundred, {"A": [1, 2, 3, 4], "B": [0, 1, 2]}))


def slow_total(strata: list[tuple[int, list[float]]]) -> tuple[float, float]:
    """Total and standard error from N and the reviewed amounts of each stratum, term by term."""
    total = variance = 0.0
    for size, values in strata:
        total += size * statistics.mean(values)
        if len(values) < size:
            s2 = statistics.variance(values)
            variance += size**2 * (1 - len(values) / size) * s2 / len(values)
    return total, sqrt(variance)


@given(st.integers(0, 10**6))
def test_totals_agree_with_a_slow_reckoning(seed: int) -> None:
    chance = random.Random(seed)
    amounts = {
        name: [round(chance.gauss(5, 30), 2) for _ in range(chance.randint(2, 25))]
        for name in "ABC"
    }
    rows = encounters(amounts)
    sizes = {name: chance.randint(2, len(one)) for name, one in amounts.items()}
    sample = draw_sample(rows, size=sizes, seed=seed, strata="payer")
    found = one_of(extrapolate(sample, "difference_usd"), "net", "all")
    seen = [
        (len(amounts[name]), sample.sampled.filter(payer=name)["difference_usd"].to_list())
        for name in "ABC"
    ]
    total, error = slow_total([(size, [float(one) for one in seen_]) for size, seen_ in seen])
    assert found["total_usd"] == pytest.approx(total, abs=0.006)
    assert found["standard_error_usd"] == pytest.approx(error, abs=0.006)


@pytest.mark.parametrize("method", ["mean", "ratio"])
def test_intervals_cover_the_true_total_as_often_as_they_say(method: str) -> None:
    chance = random.Random(4)
    amounts = {
        "A": [round(chance.gauss(20, 15), 2) for _ in range(200)],
        "B": [round(chance.choice([0, 0, 40, 55]), 2) for _ in range(90)],
        "C": [round(chance.uniform(-10, 90), 2) for _ in range(30)],
    }
    rows, draws = encounters(amounts), 300
    truth = sum(map(sum, amounts.values()))
    totals, hits, below = [], 0, 0
    for seed in range(draws):
        sample = draw_sample(rows, size={"A": 15, "B": 10, "C": 6}, seed=seed, strata="payer")
        found = one_of(extrapolate(sample, "difference_usd", method=method), "net", "all")
        totals.append(found["total_usd"])
        hits += found["low_usd"] <= truth <= found["high_usd"]
        below += found["low_usd"] <= truth
    # 90 % ± 1.7 % of 300 draws, and 95 % ± 1.3 % on one side: four of these to either side.
    assert 0.83 < hits / draws < 0.97
    assert below / draws > 0.90
    error = statistics.stdev(totals)
    assert abs(statistics.mean(totals) - truth) < 4 * error / sqrt(draws)
