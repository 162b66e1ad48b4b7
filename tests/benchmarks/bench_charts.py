"""How long charts, panels and published files take, for ten thousand encounters and ten million.

Run with ``pytest tests/benchmarks/bench_charts.py``; it is not part of the test suite.
Compare the rows of one run with each other, not with those of another machine. The millions are
the bundled export counted many times over: a minute summary has as many rows as there are
combinations, however many encounters these stand for.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import subq_toolkit as sq
from subq_toolkit import charts, durations, scenarios, utilization
from subq_toolkit.charts.figure import figure
from subq_toolkit.panels import DurationPanel, ScenarioPanel, UnitPanel
from subq_toolkit.publish import publish
from subq_toolkit.scenarios import MinuteSummary

SIZES = [10_000, 10_000_000]
_FRESH = count()
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
    """The same work as if never asked before: answers are kept for summaries that are equal."""
    return replace(work, zones=(f"zone {next(_FRESH)}",))


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


def years() -> MinuteSummary:
    """50 million encounters: every minute up to 1,500 in 24 months of 12 groups; 432,000 rows."""
    first, n = date(2024, 11, 1), 50_000_000
    months = pl.DataFrame({"month": pl.date_range(first, date(2026, 10, 1), "1mo", eager=True)})
    minutes = pl.DataFrame({"minutes": pl.Series(range(1, 1_501), dtype=pl.Int64)})
    groups = pl.DataFrame({"payer": [f"payer {number}" for number in range(WARDS)]})
    weight = pl.col("minutes") ** 1.2 * (-pl.col("minutes") / 60).exp()
    hospital = (pl.col("minutes") + pl.col("month").dt.month()) % 3 > 0
    changes = pl.Series([date(2024, 10, 1), date(2025, 1, 1), date(2025, 10, 1), date(2026, 1, 1),
                         date(2026, 4, 1), date(2026, 7, 1), date(2026, 10, 1)])  # fmt: skip
    place = pl.lit(changes).search_sorted(pl.col("month"), side="right").cast(pl.Int64) - 1
    ran = months.join(minutes, how="cross").join(groups, how="cross").with_columns(
        encounters=(weight / weight.sum() * n).round().cast(pl.Int64).clip(1),
        period=pl.lit(changes).gather(place),
        setup=pl.col("minutes") % 7 == 0,
        outcome=pl.lit("coded"),
        place=pl.when(hospital).then(pl.lit("hospital")).otherwise(pl.lit("office")),
    )  # fmt: skip
    keys = ["period", "month", "place", "payer"]
    waiting = ran.group_by(keys).agg(pl.col("encounters").sum() // 20).with_columns(
        minutes=pl.lit(None, pl.Int64), setup=pl.lit(False), outcome=pl.lit("query")
    )  # fmt: skip
    rows = pl.concat([ran, waiting.select(ran.columns)]).sort("period", "minutes", "payer")
    return MinuteSummary(rows, ("month", "payer"))


@pytest.fixture(scope="module", params=["the bundled export", "50 million encounters"])
def of_panels(request: pytest.FixtureRequest, coded: sq.Coded) -> object:
    return coded if request.param == "the bundled export" else years()


#: Panel, tab, slider, and its n-th value, never the same twice in 30 moves.
MOVES = {
    "duration range": (DurationPanel, "Distribution", "range_min", lambda n: (n, n + 30)),
    "near a step": (DurationPanel, "Near a step", "within_min", lambda n: 1 + 7 * n % 30),
    "first step": (UnitPanel, "Other steps", "at_least_min", lambda n: 1 + n % 120),
    "past the hour": (UnitPanel, "Other steps", "more_than_min", lambda n: n % 60),
    **{
        f"{tab}, {name}": (ScenarioPanel, tab, name, value)
        for tab in ("Totals", "How sure", "Charting", "Break-even")
        for name, value in {
            "denial_percent": lambda n: 0.5 * (1 + n % 99),
            "recovered_percent": lambda n: 1.0 + n % 99,
            "further_setup_percent": lambda n: 1.0 + n % 99,
            "stretch_percent": lambda n: 51.0 + n % 99,
            "shift_min": lambda n: 7 * n % 61 - 30,
        }.items()
    },
}


@pytest.mark.parametrize("move", MOVES)
def test_a_slider_moves(benchmark: Callable, of_panels: object, move: str) -> None:
    """From a slider's new value to the new specifications: in the median below 20 ms."""
    kind, tab, name, value = MOVES[move]
    panel, places = kind(of_panels), count()
    panel.tabs.selected_index = list(panel.parts).index(tab)
    entry = (panel.rows[1].entries if kind is ScenarioPanel else panel.entries)[name]

    def moved() -> None:
        entry.value = value(next(places))

    benchmark.pedantic(moved, rounds=25, warmup_rounds=3)
    assert panel.parts[tab].figures


def test_policy_effects(benchmark: Callable, coded: sq.Coded) -> None:
    assert benchmark(lambda: utilization.policy_effects(coded)).height


@pytest.mark.parametrize("suffix", ["pptx", "xlsx", "png", "svg", "pdf", "html"])
def test_publishing(benchmark: Callable, coded: sq.Coded, tmp_path: Path, suffix: str) -> None:
    figures = DurationPanel(coded).figures()
    assert benchmark(lambda: publish(figures[:1], tmp_path / f"chart.{suffix}"))


def test_counting_the_export(benchmark: Callable, coded: sq.Coded) -> None:
    by = ["month", "therapy"]
    assert benchmark(lambda: scenarios.minute_summary(coded, by=by)).encounters
