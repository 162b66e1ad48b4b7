"""What the benchmark compares gives the same answers, and those of hand arithmetic."""

from datetime import datetime, timedelta

import polars as pl
import pytest

pytest.importorskip("pandas", reason="pandas is not installed")
pytest.importorskip("duckdb", reason="DuckDB is not installed")

from benchmarks.rivals import TOOLKIT, WORK
from benchmarks.rivals.answers import as_table, assert_same
from benchmarks.rivals.given import Given, make_given, write_given

ANSWERING = [(work, way) for work, ways in WORK.items() for way, one in ways.items() if one.answers]
CODING = [way for work, way in ANSWERING if work == "coding"]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Given:
    return make_given(tmp_path_factory.mktemp("rivals"), 6_000)


@pytest.mark.parametrize(("work", "way"), ANSWERING)
def test_every_way_gives_the_same_answer(given: Given, work: str, way: str) -> None:
    expected = WORK[work][TOOLKIT].run(given)
    assert_same(work, WORK[work][way].run(given), expected, given)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Given:
    """Runs inside each other, with a pause, one second short of a step, and of no length."""
    nine = datetime(2026, 3, 2, 9)
    runs = [
        ("inside", 0, 151, "continuous"),
        ("inside", 10, 110, "continuous"),
        ("inside", 120, 140, "continuous"),
        ("paused", 0, 40, "intermittent"),
        ("paused", 60, 110, "intermittent"),
        ("paused", 105, 110, "intermittent"),
        ("seconds", 0, 91 - 1 / 60, "continuous"),
        ("short", 0, 15, "continuous"),
        ("first", 0, 16, "continuous"),
        ("bolus", 0, 90, "continuous"),
        ("bolus", 200, 300, "bolus"),
        ("touching", 0, 31, "continuous"),
        ("touching", 31, 91, "continuous"),
        ("touching", 91, 91, "continuous"),
    ]
    rows = [
        {
            "encounter_id": number,
            "start_at": nine + timedelta(minutes=start),
            "stop_at": nine + timedelta(minutes=stop),
            "route": "subcutaneous",
            "mode": mode,
            "payer": None,
        }
        for number, start, stop, mode in runs
    ]
    frame = pl.DataFrame(rows, schema_overrides={"payer": pl.String}).with_columns(
        pl.col("start_at", "stop_at").dt.replace_time_zone("America/New_York")
    )
    return write_given(tmp_path_factory.mktemp("few"), frame, 7)


@pytest.mark.parametrize("way", CODING)
def test_every_way_counts_minutes_as_by_hand(few: Given, way: str) -> None:
    assert as_table("coding", WORK["coding"][way].run(few)).rows() == [
        ("bolus", 90, 1, 0, 0),
        ("first", 16, 1, 0, 0),
        ("inside", 151, 1, 2, 0),
        ("paused", 90, 1, 0, 0),
        ("seconds", 90, 1, 0, 0),
        ("short", 15, 0, 0, 1),
        ("touching", 91, 1, 1, 0),
    ]
