"""How long a plan, a planner's change and the limit use of a million runs take.

Run with ``pytest tests/benchmarks/bench_dosing.py``; it is not part of the test suite.
Compare the rows of one run with each other, not with those of another machine.
"""

from collections.abc import Callable
from itertools import count

import polars as pl
import pytest

import subq_toolkit as sq
from subq_toolkit import absorption
from subq_toolkit.panels import DosePlanner

RUNS = 1_000_000
START = "2026-03-02 09:00"


@pytest.fixture(scope="module")
def charted() -> pl.DataFrame:
    sample = sq.sample_administrations().collect()
    return pl.concat([sample] * (RUNS // sample.height + 1)).head(RUNS)


def test_the_floor_of_a_million_runs(benchmark: Callable, charted: pl.DataFrame) -> None:
    share = charted.lazy().with_columns(share=pl.col("rate_ml_per_h") / pl.col("needles") / 3)
    assert benchmark(share.collect).height == RUNS


def test_limit_use_of_a_million_runs(benchmark: Callable, charted: pl.DataFrame) -> None:
    used = sq.limit_use(charted, products={"immune globulin 20 %": "hizentra"})
    assert benchmark(used.collect).height == RUNS


def test_a_plan(benchmark: Callable) -> None:
    made = benchmark(lambda: sq.plan_infusion("hizentra", volume_ml=80, start_at=START))
    assert made.sites == 6


def test_a_plan_with_units_and_warnings(benchmark: Callable) -> None:
    def whole() -> int:
        made = sq.plan_infusion("hizentra", volume_ml=80, start_at=START)
        return len(made.warnings) + len(made.units)

    assert benchmark(whole) > 0


def test_three_models_at_three_hundred_times(benchmark: Callable) -> None:
    inflow = absorption.steps([(1 / 6, 10), (1 / 6, 30), (1 / 6, 120), (1 / 6, 240), (0.5, 300)])
    times = [one / 100 for one in range(300)]
    models = (
        absorption.FirstOrder(ka_per_h=8.66),
        absorption.Capped(limit_ml_per_h_per_site=60),
        absorption.Hybrid(ka_per_h=8.66, limit_ml_per_h_per_site=60),
    )
    frames = benchmark(lambda: [model.depot(inflow, times) for model in models])
    assert all(frame.height == 300 for frame in frames)


def test_a_change_in_the_planner(benchmark: Callable) -> None:
    entries, typed = DosePlanner().sections["plan"].entries, count(10)

    def change() -> None:
        entries["value"].value = str(next(typed))

    benchmark.pedantic(change, rounds=30, warmup_rounds=3)
