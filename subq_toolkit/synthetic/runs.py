"""Invented runs of invented visits: pumps, pauses, failed sites, and what went beside them.

Times are seconds after midnight of the day a visit began; ``true_start`` and ``minutes``
are what happened, ``start`` and ``stop`` what was written down.
"""

import numpy as np
import polars as pl

from subq_toolkit.synthetic.visits import Draws, asked_for, code_of, column, shapes, shares

#: What a row is.
RUN, BOLUS, INTRAVENOUS, INJECTION = range(4)
_MOST_RUNS = 4
_SITE_FAILURE = 2
_TWO_RUNS = ("overlapping_charting", "long_pause", "site_over_three_days")


def runs_of(visit: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    """Runs of every pump: pauses, failed sites, and times as they were written down."""
    pumps = _pumps(visit, draws)
    row, run = np.nonzero(np.arange(_MOST_RUNS) < pumps["runs"].to_numpy()[:, None])
    own = {name: pumps[name].to_numpy()[row] for name in pumps.columns}
    kind, pause = _pauses(pumps["planted"].to_numpy(), draws)
    failed = np.pad(kind == _SITE_FAILURE, ((0, 0), (1, 0)))
    cut = _cuts(pumps, draws)
    begin = own["begin"] + np.pad(pause.cumsum(axis=1), ((0, 0), (1, 0)))[row, run]
    start, stop = begin + cut[row, run], begin + cut[row, run + 1]
    to_the_second = visit["seconds"].to_numpy()[own["encounter"]] & (stop - start >= 2)
    seconds = [draws.below(60, len(row)) * to_the_second for _ in range(2)]
    new_site = own["site"] + 3 * failed.cumsum(axis=1)[row, run]
    again = draws.pick(shares("setup_after_failure"), np.zeros(len(row), np.int64))
    return pl.DataFrame(
        {
            "encounter": own["encounter"],
            "pump": own["pump"],
            "run": run,
            "kind": np.full(len(row), RUN),
            "true_start": start * 60,
            "start": np.where(run == 0, _nearest(start, own["grid"]), start) * 60 + seconds[0],
            "stop": np.where(run == own["runs"] - 1, _nearest(stop, own["grid"]), stop) * 60
            + seconds[1],
            "minutes": stop - start,
            "site": np.where(own["site"] < 0, -1, new_site % len(shapes()["labels"]["sites"])),
            "setup": np.where(run == 0, own["setup"], np.where(failed[row, run], again, 1)),
            "other_drug": own["other_drug"],
        }
    )


def _cuts(pumps: pl.DataFrame, draws: Draws) -> np.ndarray:
    """Minutes a pump had run at the start and after each of its runs, about evenly shared."""
    total, count = pumps["total"].to_numpy()[:, None], pumps["runs"].to_numpy()[:, None]
    nth = np.arange(_MOST_RUNS + 1)
    shift = draws.below((total // (4 * count) + 1)[:, 0], len(pumps))[:, None]
    return np.where(nth < count, total * nth // count + shift * (nth > 0), total)


def _pumps(visit: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    """One row a pump: when it begins, how long it runs, in how many runs, at which site."""
    therapy, planted = visit["therapy"].to_numpy(), visit["planted"].to_numpy()
    count = 1 + draws.pick(column("therapies", "pumps"), therapy)
    count = np.where((visit["delivery"].to_numpy() > 0) | (planted > 0), 1, count)
    count = np.where(planted == code_of("conflicting_setting"), 2, count)
    of = np.repeat(np.arange(len(visit)), count)
    size, pump = len(of), np.arange(len(of)) - of.searchsorted(of)
    planted, therapy = planted[of], therapy[of]
    own = {name: visit[name].to_numpy()[of] for name in ("total", "minute", "first_site", "heaped")}
    part = np.where(pump > 0, 600 + draws.below(401, size), 1000)
    total = np.maximum(own["total"] * part // 1000, np.minimum(own["total"], 5))
    total = np.where(planted == code_of("overlapping_charting"), np.maximum(total, 60), total)
    runs = 1 + draws.pick(column("therapies", "runs"), therapy)
    steady = (total < 40) | ~visit["pauses_charted"].to_numpy()[of] | (planted > 0)
    runs = np.where(steady, 1, runs)
    runs = np.where(np.isin(planted, [code_of(name) for name in _TWO_RUNS]), 2, runs)
    grid = np.where(own["heaped"], 15, np.where(draws.hits(200, size), 5, 1))
    exact = (total < 40) | visit["nudged"].to_numpy()[of] | (planted > 0)
    where = draws.pick(shares("further_site"), np.zeros(size, np.int64))
    charted = visit["site_charted"].to_numpy()[of] & ((pump == 0) | (where < 2))
    setup = np.where(visit["setup_charted"].to_numpy()[of], 0, 1)
    other = draws.hits(shapes()["shares"]["other_drug"], size)
    return pl.DataFrame(
        {
            "encounter": of,
            "pump": pump,
            "planted": planted,
            "begin": own["minute"] + pump * (5 + draws.below(16, size)),
            "total": total,
            "runs": runs,
            "grid": np.where(exact, 1, grid),
            "site": np.where(charted, own["first_site"] + np.where(where == 1, 0, pump), -1),
            "setup": np.where(draws.hits(10, size), 2, setup),
            "other_drug": (pump > 0) & asked_for()[therapy] & other,
        }
    )


def _pauses(planted: np.ndarray, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """Kind and length of the pauses after each run of a pump. [min]"""
    shape = (len(planted), _MOST_RUNS - 1)
    size = shape[0] * shape[1]
    kind = draws.pick(shares("pauses"), np.zeros(size, np.int64))
    lengths = [1 + draws.below(5, size), 10 + draws.below(80, size), 15 + draws.below(45, size)]
    length = np.choose(kind, lengths).reshape(shape)
    kind = np.where(planted[:, None] > 0, 0, kind.reshape(shape))
    hours = 780 + draws.below(400, len(planted))
    for name, minutes in (("overlapping_charting", -10), ("long_pause", hours)):
        length[:, 0] = np.where(planted == code_of(name), minutes, length[:, 0])
    return kind, length


def _nearest(minute: np.ndarray, grid: np.ndarray) -> np.ndarray:
    return (minute + grid // 2) // grid * grid


def beside(visit: pl.DataFrame, runs: pl.DataFrame, draws: Draws) -> list[pl.DataFrame]:
    """Boluses inside a first run, and what went another way on the same visit."""
    plain = (visit["planted"] == 0).to_numpy()
    count = draws.pick(shares("boluses"), np.zeros(len(visit), np.int64))
    count = np.where(plain & asked_for()[visit["therapy"].to_numpy()], count, 0)
    first = runs.filter(pump=0, run=0)
    of = np.repeat(np.arange(len(visit)), count)
    start, stop = (first[name].to_numpy()[of] for name in ("start", "stop"))
    part = np.maximum(((stop - start) // 60 - 3) // 3, 1)
    nth = np.arange(len(of)) - of.searchsorted(of)
    start = start + (nth * part + draws.below(part, len(of))) * 60
    boluses = (of, start, start + 60 + 60 * draws.below(3, len(of)), BOLUS)
    of = np.flatnonzero(visit["intravenous"].to_numpy() & plain)
    start = 60 * np.maximum(visit["minute"].to_numpy()[of] - draws.below(40, len(of)), 0)
    veins = (of, start, start + 1800 + 60 * draws.below(45, len(of)), INTRAVENOUS)
    of = np.flatnonzero(visit["injection"].to_numpy() & plain)
    start = visit["minute"].to_numpy()[of] * 60 + 60 * draws.below(30, len(of))
    shots = (of, start, None, INJECTION)
    return [
        pl.DataFrame({"encounter": of, "true_start": start, "start": start}).with_columns(
            stop=pl.lit(None, pl.Int64) if stop is None else pl.Series(stop),
            kind=pl.lit(kind, pl.Int64),
            pump=pl.lit(0, pl.Int64),
            run=pl.lit(0, pl.Int64),
        )
        for of, start, stop, kind in (boluses, veins, shots)
    ]
