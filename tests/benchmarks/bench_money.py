"""How long prices, the minute summary and comparisons take for a million encounters.

Run with ``pytest tests/benchmarks/bench_money.py``; it is not part of the test suite. What a
moved slider takes is measured in ``bench_charts.py``.
Compare the rows of one run with each other, not with those of another machine.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import count

import polars as pl
import pytest

import subq_toolkit as sq
from subq_toolkit import scenarios
from subq_toolkit.fees import who_pays

LINES = ENCOUNTERS = 1_000_000
BASE = scenarios.Scenario("as charted", on=date(2026, 3, 2))
FOUND = scenarios.Scenario("found", on=date(2026, 3, 2), recovered_share=0.5, denial_rate=0.05)
#: Never the same terms twice: what was answered before is kept.
OTHERS = (replace(FOUND, denial_rate=share / 100_000) for share in count(1))


@pytest.fixture(scope="module")
def coded() -> sq.Coded:
    """The bundled export again and again, under other names, until a million encounters."""
    sample = sq.sample_administrations().collect()
    times = ENCOUNTERS // sample["encounter_id"].n_unique() + 1
    names = ("encounter_id", "patient_id")
    many = [
        sample.with_columns(pl.format("{}-{}", name, pl.lit(n)).alias(name) for name in names)
        for n in range(times)
    ]
    return sq.code_administrations(pl.concat(many))


@pytest.fixture(scope="module")
def lines(coded: sq.Coded) -> pl.DataFrame:
    return coded.lines.head(LINES).collect()


@pytest.fixture(scope="module")
def summary(coded: sq.Coded) -> scenarios.MinuteSummary:
    return scenarios.minute_summary(coded, by=["payer"])


def test_the_floor_of_a_million_lines(benchmark: Callable, lines: pl.DataFrame) -> None:
    rates = pl.DataFrame({"code": ["96369", "96370"], "usd": [144.96, 17.03]})
    priced = lines.lazy().join(rates.lazy(), on="code", how="left")
    assert benchmark(priced.with_columns(pl.col("usd") * pl.col("units")).collect).height == LINES


@pytest.mark.parametrize("schedule", ["mpfs", "opps"])
def test_price_of_a_million_lines(benchmark: Callable, lines: pl.DataFrame, schedule: str) -> None:
    assert benchmark(sq.price(lines, schedule=schedule).collect).height == LINES


def test_who_pays_a_million_lines(benchmark: Callable, lines: pl.DataFrame) -> None:
    assert benchmark(who_pays(sq.price(lines, schedule="opps")).collect).height == LINES


def test_the_minute_summary_of_a_million_encounters(benchmark: Callable, coded: sq.Coded) -> None:
    made = benchmark.pedantic(
        lambda: scenarios.minute_summary(coded, by=["payer"]), rounds=3, warmup_rounds=0
    )
    assert made.encounters >= ENCOUNTERS


def test_a_comparison(benchmark: Callable, summary: scenarios.MinuteSummary) -> None:
    assert benchmark(lambda: scenarios.compare(summary, [BASE, next(OTHERS)])).height == 10


def test_a_bridge(benchmark: Callable, summary: scenarios.MinuteSummary) -> None:
    assert benchmark(lambda: scenarios.bridge(summary, BASE, next(OTHERS))).height == 4


def test_two_thousand_draws(benchmark: Callable, summary: scenarios.MinuteSummary) -> None:
    assert benchmark(lambda: scenarios.simulate(summary, FOUND, seed=1)).encounters > 0
