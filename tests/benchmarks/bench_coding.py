"""How long coding takes beside the floor: reading the file and adding up run lengths.

Run with ``pytest tests/benchmarks/bench_coding.py``; it is not part of the test suite.
Compare the rows of one run with each other, not with those of another machine.
"""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import subq_toolkit as sq
from subq_toolkit.synthetic import administrations

ENCOUNTERS = 1_000_000
ROUNDS = 5


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "administrations.parquet"
    administrations(ENCOUNTERS, seed=7).sample(fraction=1, shuffle=True, seed=7).write_parquet(path)
    return path


def floor(rows: pl.LazyFrame) -> pl.LazyFrame:
    length = pl.col("stop_at") - pl.col("start_at")
    return rows.group_by("encounter_id").agg(length.sum())


WORK: dict[str, Callable[[pl.LazyFrame], pl.LazyFrame]] = {
    "floor: read, group, add": floor,
    "encounters": lambda rows: sq.code_administrations(rows).encounters,
    "lines": lambda rows: sq.code_administrations(rows).lines,
    "findings": lambda rows: sq.code_administrations(rows).findings,
    "refused": lambda rows: sq.code_administrations(rows).refused,
}


@pytest.mark.parametrize("work", WORK)
def test_a_million_encounters(benchmark: Callable, export: Path, work: str) -> None:
    result = benchmark.pedantic(
        lambda: WORK[work](pl.scan_parquet(export)).collect(), rounds=ROUNDS, warmup_rounds=1
    )
    assert result.height > 0


def test_the_bundled_export(benchmark: Callable) -> None:
    rows = sq.sample_administrations().collect()
    result = benchmark(lambda: sq.code_administrations(rows).encounters.collect())
    assert result.height > 0


def test_one_encounter(benchmark: Callable) -> None:
    runs = [sq.Administration("2026-03-02 09:00", "2026-03-02 11:31", pump_id="A")]
    result = benchmark(lambda: sq.code_encounter(runs))
    assert result.units == {"96369": 1, "96370": 2}
