"""Figures in the README are those of the benchmark's file, and goals are judged by arithmetic."""

import json

import pytest
from benchmarks.make_table import (
    BEGIN,
    END,
    README,
    REASONS,
    RESULTS,
    WORK,
    block_of,
    kept,
    rewritten,
    table,
    trimmed,
    verdict,
)


def test_the_readme_shows_the_kept_figures() -> None:
    assert block_of(README.read_text("utf-8")) == table(*kept())


def test_kept_figures_name_no_machine() -> None:
    text = RESULTS.read_text("utf-8")
    assert set(json.loads(text)["machine"]) == {"cores", "memory_gb", "busy"}
    assert "/" not in text
    assert "\\" not in text


MACHINE = {"cores": 2, "memory_gb": 11.4, "busy": False, "versions": {"python": "3.12.1"}}


def report() -> dict:
    """A report as pytest-benchmark writes it: half of the work by plain Python."""
    sizes = {"rows": 10, "encounters": 4, "charges": 6, "sample": 2}
    ways = [("coding", "subq_toolkit", 0.5, 1.0), ("coding", "plain Python", 60.0, 2.0)]
    return {
        "machine_info": {"node": "somebody's machine"},
        "datetime": "2026-03-02T09:00:00+00:00",
        "benchmarks": [
            {
                "stats": {"median": median, "rounds": 5},
                "extra_info": {"work": work, "way": way, "times": times, **sizes},
            }
            for work, way, median, times in ways
        ],
    }


def test_seconds_of_a_part_are_counted_up() -> None:
    kept_of_it = trimmed(report(), **MACHINE)
    assert kept_of_it["work"]["coding"] == {
        "subq_toolkit": {"median_s": 0.5, "rounds": 5, "part": 1.0},
        "plain Python": {"median_s": 120.0, "rounds": 5, "part": 0.5},
    }
    assert kept_of_it["machine"] == {"cores": 2, "memory_gb": 16, "busy": False}
    assert kept_of_it["date"] == "2026-03-02"
    assert "somebody" not in json.dumps(kept_of_it)


@pytest.mark.parametrize(
    ("work", "way", "ratio", "told"),
    [
        ("coding", "DuckDB", 2.0, "met"),
        ("coding", "DuckDB", 1.99, "missed"),
        ("coding", "pandas", 9.99, "missed"),
        ("coding", "plain Python", 200.0, "met"),
        ("coding", "floor", 0.5, "met"),
        ("coding", "floor", 0.49, "missed"),
        ("audit", "floor", 0.66, "missed"),
        ("audit", "floor", 0.67, "met"),
        ("draws", "numpy loop", 0.1, ""),
    ],
)
def test_goals_are_judged(work: str, way: str, ratio: float, told: str) -> None:
    assert verdict(work, way, ratio) == told


def all_work(duckdb_s: float) -> dict:
    results = trimmed(report(), **MACHINE)
    one = {"median_s": 1.0, "rounds": 5, "part": 1.0}
    ways = {"subq_toolkit": one, "rules alone": one, "DuckDB": one | {"median_s": duckdb_s}}
    return results | {"work": dict.fromkeys(WORK, ways)}


def test_a_reason_is_told_where_a_goal_is_missed() -> None:
    missed, met = table(all_work(1.5), None), table(all_work(2.5), None)
    assert missed.count("1.5 s (1.5×) missed") == met.count("2.5 s (2.5×) met") == len(WORK) + 1
    told_missed, told_met = " ".join(missed.split()), " ".join(met.split())
    assert all(reason in told_missed and reason not in told_met for reason in REASONS.values())
    assert set(REASONS) == {*WORK, "rules alone"}


def test_the_curve_of_sizes() -> None:
    sizes = [
        {"rows": 3_000_000, "seconds": 9.0, "peak_mb": 2_500, "cores": 2},
        {"rows": 1_000_000, "seconds": 4.0, "peak_mb": 900, "cores": 2},
    ]
    assert table(all_work(2.5), sizes).endswith(
        "| 1,000,000 | 4 s | 4.00 | 0.9 GB |\n| 3,000,000 | 9 s | 3.00 | 2.5 GB |"
    )


def test_only_the_block_changes() -> None:
    readme = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert rewritten(readme, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    assert block_of(rewritten(readme, "new")) == "new"
