"""Units and money that the same work is expected to earn under a scenario.

Amounts are added up as whole cents over encounters, so that the baseline is exact; shares
(denials, recovered stops, payer rates) then scale the sums, and each cell of the result is
rounded to the cent once. Totals are sums of those cells, so they add up.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.fees import FeeTables
from subq_toolkit.fees.money import USD
from subq_toolkit.scenarios.counted_lines import kept_apart, lines_alike, recovered
from subq_toolkit.scenarios.minute_summary import MinuteSummary
from subq_toolkit.scenarios.rate_cards import ROLES
from subq_toolkit.scenarios.scenario import Scenario, check_kinds

_RESULT = ("code", "role", "units", "expected_usd", "units_without_price")


def expected(
    summary: MinuteSummary,
    scenario: Scenario,
    *,
    by: Sequence[str] = (),
    tables: FeeTables | None = None,
) -> pl.DataFrame:
    """Expected units and payment of each code under one scenario.

    Parameters
    ----------
    summary
        What ``minute_summary`` made.
    scenario
        The terms.
    by
        Columns of the summary to keep apart in the result.
    tables
        The dated figures; the bundled ones by default.

    Returns
    -------
    pl.DataFrame
        ``scenario``, ``by``, ``code``, ``role``, ``units`` [1], ``expected_usd`` [USD] (null
        where no unit has a known price), ``units_without_price`` (units for which no price is
        known; they are not in the amount) [1].
    """
    check_kinds(summary, scenario)
    return _cells(scenario.work or summary, scenario, tuple(by), tables)


@lru_cache(maxsize=64)
def _cells(
    summary: MinuteSummary, scenario: Scenario, by: tuple[str, ...], tables: FeeTables | None
) -> pl.DataFrame:
    """What ``expected`` returns; kept, since panels and bridges ask again."""
    _check_by(summary, by)
    unshared = replace(scenario, work=None, denial_rate=0.0, recovered_share=0.0)
    if scenario.further_setup_share:
        unshared = replace(unshared, further_setup_share=1.0)
    cells = _weighed(_unshared(summary, unshared, by, tables), summary, scenario)
    scaled = cells.group_by(*by, "code", "role").agg(
        units=(pl.col("units") * pl.col("weight")).sum().round(9),
        cents=(pl.col("cents") * pl.col("weight") * pl.col("paid_share")).sum().round(4),
        units_without_price=(pl.col("without") * pl.col("weight")).sum().round(9),
    )
    usd = (pl.col("cents") * (1 - scenario.denial_rate)).round(0, mode="half_away_from_zero")
    priced = pl.col("units") > pl.col("units_without_price")
    order = pl.col("role").cast(pl.Enum(ROLES))
    return (
        scaled.with_columns(
            expected_usd=pl.when(priced).then(
                (usd.cast(pl.Int64).cast(pl.Decimal(18, 2)) / 100).cast(USD)
            ),
        )
        .sort(*by, order, "code")
        .select(pl.lit(scenario.name).alias("scenario"), *by, *_RESULT)
    )


@lru_cache(maxsize=64)
def _unshared(
    summary: MinuteSummary, scenario: Scenario, by: tuple[str, ...], tables: FeeTables | None
) -> pl.DataFrame:
    """Sums of lines by place, code and weight; no share of the scenario counts them yet.

    ``added``: what the scenario's share of further set-ups would add, whole.
    """
    lines = lines_alike(kept_apart(summary, scenario, by), scenario, tables)
    missing = pl.when(pl.col("cents").is_null()).then(pl.col("units") * pl.col("encounters"))
    added = ~pl.col("setup") & (pl.col("role") == "further_setup")
    keys = dict.fromkeys([*by, "place", "code", "role", "weight", "paid_share"])
    return lines.group_by(*keys, added=added).agg(
        units=(pl.col("units") * pl.col("encounters")).sum(),
        cents=(pl.col("cents") * pl.col("encounters")).sum(),
        without=missing.sum(),
    )


def _weighed(cells: pl.DataFrame, summary: MinuteSummary, scenario: Scenario) -> pl.DataFrame:
    """The same with the weight that the shares of the scenario give, and what is recovered."""
    share = pl.when("added").then(scenario.further_setup_share).otherwise(1.0)
    charted = cells.with_columns(weight=pl.col("weight") * share)
    return pl.concat([charted, *recovered(charted, summary, scenario)])


def all_usd(column: str) -> pl.Expr:
    """The sum of amounts; null if there are some and none is known: no sum is a zero by lack."""
    amounts = pl.col(column)
    return pl.when(amounts.is_null().all() & (amounts.len() > 0)).then(None).otherwise(
        amounts.sum()
    ).alias(column)  # fmt: skip


def _check_by(summary: MinuteSummary, by: Sequence[str]) -> None:
    unknown = [name for name in by if name not in (*summary.by, "place", "period")]
    if unknown:
        raise InputError(
            f"The summary keeps no column {', '.join(map(repr, unknown))} apart. Make it with "
            f"minute_summary(coded, by={unknown!r})."
        )
