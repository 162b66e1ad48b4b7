"""Curves of durations, thinned so that they can be drawn: lines, and the minutes they end at."""

from collections.abc import Iterable
from itertools import accumulate, groupby

import polars as pl

#: A step of a curve of so many parts of its encounters is less than a dot on a screen.
_PARTS = 500
_ROUNDING = 1e-9


def lines_of(curve: pl.DataFrame, *, most: int, at_least: int) -> tuple[pl.DataFrame, int]:
    """Encounters by minutes of each line, the largest groups first, and how many are pooled.

    Parameters
    ----------
    curve
        What ``duration_curve`` returns.
    most
        Groups that get a line of their own; one more if it would be alone among the others.
    at_least
        Encounters that a line stands for, at least, where there are so many. [1]

    Returns
    -------
    tuple
        ``line`` (0, 1, ...), ``group`` (null: not stated, and of the pooled one), ``pooled``,
        ``minutes`` [min], ``encounters`` (exactly so long) [1]; and the number of pooled groups.
    """
    rows = (
        curve.sort("group", "minutes", nulls_last=True)
        .with_columns(
            encounters=pl.col("at_most") - pl.col("at_most").shift(1, fill_value=0).over("group")
        )
        .filter(pl.col("encounters") > 0)
    )
    sizes = rows.group_by("group").agg(n=pl.col("encounters").sum())
    sizes = sizes.sort(["n", "group"], descending=[True, False], nulls_last=True)
    enough = sizes["n"].ge(at_least).sum()
    kept = most + 1 if sizes.height == most + 1 else most
    kept = min(kept, enough)
    while kept and 0 < sizes["n"][kept:].sum() < at_least:
        kept -= 1
    kept = max(kept, int(sizes.height == 1))
    places = sizes.with_row_index("line").with_columns(
        pl.col("line").cast(pl.Int64).clip(upper_bound=kept), pooled=pl.col("line") >= kept
    )
    found = rows.join(places, on="group", nulls_equal=True).with_columns(
        group=pl.when(~pl.col("pooled")).then("group")
    )
    keys = ["line", "group", "pooled", "minutes"]
    lines = found.group_by(keys).agg(pl.col("encounters").sum()).sort("line", "minutes")
    return lines, sizes.height - kept


def reached_by(rows: pl.DataFrame, share: float) -> int:
    """The least number of minutes that at least so many of the encounters do not exceed. [min]"""
    total = rows.group_by("minutes").agg(pl.col("encounters").sum()).sort("minutes")
    so_far = total["encounters"].cum_sum()
    return total["minutes"].filter(so_far >= share * so_far[-1] - _ROUNDING)[0]


def thinned(rows: pl.DataFrame, ends: Iterable[int], *, at_least: int) -> list[dict]:
    """Steps of one line that together look like all of them.

    Parameters
    ----------
    rows
        ``minutes, encounters`` of one line, sorted.
    ends
        Minutes after which a step ends, where enough encounters are left on both sides.
    at_least
        Encounters that a step stands for, at least, where there are so many. [1]

    Returns
    -------
    list of dict
        ``from_min, to_min`` (first and last minutes of a step), ``minutes`` (the median of its
        encounters, where the curve is drawn to rise) [min], ``encounters`` [1].
    """
    total = int(rows["encounters"].sum())
    before = pl.col("encounters").cum_sum() - pl.col("encounters")
    parts = pl.Series(sorted(ends), dtype=rows.schema["minutes"])
    minutes = pl.col("minutes")
    merged = (
        rows.with_columns(
            part=parts.search_sorted(rows["minutes"], side="left"),
            level=before * _PARTS // total if total > _PARTS else minutes,
        )
        .group_by("part", "level")
        .agg(
            pl.struct("minutes", "encounters").sort_by("minutes").alias("lengths"),
            from_min=minutes.min(),
        )
        .sort("from_min")
    )
    found: list[list[list[tuple[int, int]]]] = []
    for _, own in groupby(merged.rows(named=True), key=lambda row: row["part"]):
        lengths = [[tuple(one.values()) for one in row["lengths"]] for row in own]
        found.append(_of_at_least(lengths, at_least))
    return list(map(_step, _of_at_least([step for own in found for step in own], at_least)))


def _of_at_least(steps: list[list], least: int) -> list[list]:
    """Each step with fewer encounters joined to the next one, the last to the one before."""
    done: list[list] = []
    for step in steps:
        if done and _size(done[-1]) < least:
            done[-1] = done[-1] + step
        else:
            done.append(step)
    if len(done) > 1 and _size(done[-1]) < least:
        done[-2:] = [done[-2] + done[-1]]
    return done


def _size(step: list[tuple[int, int]]) -> int:
    return sum(encounters for _, encounters in step)


def _step(lengths: list[tuple[int, int]]) -> dict:
    """A step from the minutes in it, each with its encounters."""
    size, so_far = _size(lengths), accumulate(encounters for _, encounters in lengths)
    half = next(at for at, passed in enumerate(so_far) if 2 * passed > size)
    ends = {"from_min": lengths[0][0], "to_min": lengths[-1][0]}
    return ends | {"minutes": lengths[half][0], "encounters": size}
