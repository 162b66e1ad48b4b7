"""The toolkit beside pandas, DuckDB, Polars windows, plain Python, and the least there is to do.

Run with ``pytest tests/benchmarks/bench_comparison.py``, or ``python
tests/benchmarks/make_table.py`` for the table in the README; it is not part of the test suite.
``SUBQ_BENCHMARK_ROWS`` (1,000,000) and ``SUBQ_BENCHMARK_ROUNDS`` (5) say how much and how often.
Every way must give the toolkit's answer before it is timed. Compare the rows of one run with
each other, not with those of another machine.
"""

import os
from collections.abc import Callable
from functools import cache

import pytest
from rivals import TOOLKIT, WORK
from rivals.answers import assert_same
from rivals.given import DRAWS, SAMPLE, Given, make_given, sample_of

ROWS = int(float(os.environ.get("SUBQ_BENCHMARK_ROWS", "1e6")))
ROUNDS = int(os.environ.get("SUBQ_BENCHMARK_ROUNDS", "5"))
WAYS = [(work, way) for work, ways in WORK.items() for way in ways]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Given:
    return make_given(tmp_path_factory.mktemp("comparison"), ROWS)


@pytest.fixture(scope="module")
def sample(given: Given, tmp_path_factory: pytest.TempPathFactory) -> Given:
    return sample_of(given, tmp_path_factory.mktemp("sample"), SAMPLE)


@pytest.fixture(scope="module")
def expected(given: Given, sample: Given) -> Callable:
    """The toolkit's answer to a piece of work, worked out once."""
    return cache(lambda work, on_sample: WORK[work][TOOLKIT].run(sample if on_sample else given))


@pytest.mark.parametrize(("work", "way"), WAYS)
def test_way(
    benchmark: Callable, given: Given, sample: Given, expected: Callable, work: str, way: str
) -> None:
    asked = WORK[work][way]
    held = sample if asked.on_sample else given
    # This first run is also the one that warms up.
    result = asked.run(held)
    if asked.answers:
        assert_same(work, result, expected(work, asked.on_sample), held)
    del result
    benchmark.extra_info |= {
        "work": work,
        "way": way,
        "times": given.encounters.height / held.encounters.height * DRAWS / asked.draws,
        "rows": given.rows,
        "encounters": given.encounters.height,
        "charges": given.charge_rows,
        "sample": sample.encounters.height,
    }
    benchmark.pedantic(lambda: asked.run(held), rounds=ROUNDS, warmup_rounds=0)
