"""How long charts, panels and published files take, for ten thousand encounters and ten million.

Run with ``pytest tests/benchmarks/bench_charts.py``; it is not part of the test suite.
Compare the rows of one run with each other, not with those of another machine. The millions are
the bundled export counted many times over: a minute summary has as many rows as there are
combinations, however many encounters these stand for.
"""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import subq_toolkit as sq
from subq_toolkit import charts, durations, scenarios, utilization
from subq_toolkit.charts.figure import figure
from subq_toolkit.panels import DurationPanel
from subq_toolkit.publish import publish
from subq_toolkit.scenarios import MinuteSummary

SIZES = [10_000, 10_000_000]
DAYS, WARDS = 730, 12


def invented(n: int) -> MinuteSummary:
    """So many invented encounters, counted by minutes, month and ward."""
    made = np.random.default_rng(20260302)
    first = date(2024, 1, 1)
    months = pl.date_range(first, first + timedelta(days=DAYS), "1mo", eager=True)
    frame = pl.DataFrame(
        {
            "month": months.gather(made.integers(0, len(months), n)),
            "minutes": np.minimum(made.gamma(2.2, 60, n), 900).astype(np.int64),
            "ward": made.integers(0, WARDS, n),
        }
    )
    counts = frame.group_by("month", "minutes", "ward").agg(encounters=pl.len().cast(pl.Int64))
    usual = {"outcome": pl.lit("coded"), "place": pl.lit("hospital"), "setup": pl.lit(False)}
    ward = pl.format("ward {}", "ward")
    return MinuteSummary(
        counts.with_columns(**usual, period="month", ward=ward).sort("month", "minutes", "ward"),
        ("month", "ward"),
    )


@pytest.fixture(scope="module", params=SIZES, ids=lambda n: f"{n:,}")
def work(request: pytest.FixtureRequest) -> MinuteSummary:
    return invented(request.param)


def fresh(work: MinuteSummary) -> MinuteSummary:
    """The same work as if never asked before: answers of a summary are kept."""
    return MinuteSummary(work.counts, work.by, work.policy)


def test_histogram(benchmark: Callable, work: MinuteSummary) -> None:
    def draw() -> dict:
        bins = durations.duration_bins(fresh(work))
        table = charts.infusion_durations_table(bins, durations.unit_steps(900))
        return figure("infusion_durations", table).spec

    assert benchmark(draw)["data"]["values"]


def test_curves_by_group(benchmark: Callable, work: MinuteSummary) -> None:
    def draw() -> dict:
        curve = durations.duration_curve(fresh(work), "ward")
        table = charts.duration_curves_table(curve, durations.unit_steps(900))
        return figure("duration_curves", table).spec

    assert len(benchmark(draw)["data"]["values"]) <= 5_000


def test_units_by_group(benchmark: Callable, work: MinuteSummary) -> None:
    def draw() -> dict:
        units = utilization.units_per_encounter(fresh(work), "ward")
        return figure("units_by_group", charts.units_by_group_table(units, by="ward")).spec

    assert benchmark(draw)["data"]["values"]


def test_a_picture_of_the_histogram(benchmark: Callable, work: MinuteSummary) -> None:
    bins = durations.duration_bins(work)
    table = charts.infusion_durations_table(bins, durations.unit_steps(900))
    spec = figure("infusion_durations", table).spec
    assert benchmark(lambda: charts.picture(spec, scale=2)).startswith(b"\x89PNG")


@pytest.fixture(scope="module")
def coded() -> sq.Coded:
    return sq.code_administrations(sq.sample_administrations())


def test_opening_the_panel(benchmark: Callable, coded: sq.Coded) -> None:
    assert benchmark(lambda: DurationPanel(coded)).figures()


def test_moving_the_range(benchmark: Callable, coded: sq.Coded) -> None:
    panel, slider = DurationPanel(coded), iter(range(10**9))

    def move() -> None:
        at = next(slider) % 300
        panel.entries["range_min"].value = (at, at + 30)

    benchmark(move)


def test_policy_effects(benchmark: Callable, coded: sq.Coded) -> None:
    assert benchmark(lambda: utilization.policy_effects(coded)).height


@pytest.mark.parametrize("suffix", ["pptx", "xlsx", "png", "svg", "pdf", "html"])
def test_publishing(benchmark: Callable, coded: sq.Coded, tmp_path: Path, suffix: str) -> None:
    figures = DurationPanel(coded).figures()
    assert benchmark(lambda: publish(figures[:1], tmp_path / f"chart.{suffix}"))


def test_counting_the_export(benchmark: Callable, coded: sq.Coded) -> None:
    by = ["month", "therapy"]
    assert benchmark(lambda: scenarios.minute_summary(coded, by=by)).encounters
