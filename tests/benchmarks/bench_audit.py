"""How long an audit takes beside the bare join of charges and encounters.

Run with ``pytest tests/benchmarks/bench_audit.py``; it is not part of the test suite.
Compare the rows of one run with each other, not with those of another machine.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from rivals.given import as_charged

import subq_toolkit as sq
from subq_toolkit.coding import Coded
from subq_toolkit.synthetic import administrations

ENCOUNTERS = 1_000_000
CHARGES = 1_000_000
ROUNDS = 5
ON = date(2026, 11, 25)


@pytest.fixture(scope="module")
def chart() -> Coded:
    """A chart whose facts are worked out, so that coding is not timed."""
    coded = sq.code_administrations(administrations(ENCOUNTERS, seed=7))
    return replace(coded, facts=coded.facts.collect().lazy())


@pytest.fixture(scope="module")
def charges(chart: Coded) -> pl.DataFrame:
    """Lines as supported, shuffled, one in a hundred with a unit too many."""
    return as_charged(chart.lines.collect().sample(CHARGES, shuffle=True, seed=7))


def bare_join(chart: Coded, charges: pl.DataFrame) -> pl.DataFrame:
    encounters = chart.facts.select("encounter_id", "outcome", "_minutes")
    return charges.lazy().join(encounters, on="encounter_id", how="left").collect()


WORK: dict[str, Callable[[Coded, pl.DataFrame], pl.DataFrame]] = {
    "bare join": bare_join,
    "audit, lines": lambda chart, charges: sq.audit(chart, charges, on=ON).lines.collect(),
    "audit, encounters": lambda chart, charges: sq.audit(
        chart, charges, on=ON
    ).encounters.collect(),
    "audit at outpatient rates": lambda chart, charges: sq.audit(
        chart, charges, schedule="opps", on=ON
    ).lines.collect(),
}


@pytest.mark.parametrize("work", WORK)
def test_a_million_charges(
    benchmark: Callable, chart: Coded, charges: pl.DataFrame, work: str
) -> None:
    result = benchmark.pedantic(lambda: WORK[work](chart, charges), rounds=ROUNDS, warmup_rounds=1)
    assert result.height > 0


def test_the_bundled_charges(benchmark: Callable) -> None:
    coded = sq.code_administrations(sq.sample_administrations())
    charges = sq.sample_charges().collect()
    result = benchmark(lambda: sq.audit(coded, charges, on=ON).encounters.collect())
    assert result.height > 0
