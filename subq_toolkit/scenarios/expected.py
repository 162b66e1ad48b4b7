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
from subq_toolkit.policy import Policy
from subq_toolkit.scenarios.minute_summary import MinuteSummary
from subq_toolkit.scenarios.rate_cards import ROLES, rate_card
from subq_toolkit.scenarios.scenario import Scenario
from subq_toolkit.units import unit_columns

_KEYS = ["day", "place", "role", "units"]
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
    lines = expected_lines(summary, scenario, tables=tables)
    missing = pl.when(pl.col("cents").is_null()).then(pl.col("units") * pl.col("encounters"))
    cells = lines.group_by(*by, "code", "role", "weight", "paid_share").agg(
        units=(pl.col("units") * pl.col("encounters")).sum(),
        cents=(pl.col("cents") * pl.col("encounters")).sum(),
        without=missing.sum(),
    )
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


def expected_lines(
    summary: MinuteSummary, scenario: Scenario, *, tables: FeeTables | None = None
) -> pl.DataFrame:
    """The work of a scenario line by line, counted: what ``expected`` adds up.

    Returns
    -------
    pl.DataFrame
        The summary's ``period, place`` and groups, ``minutes`` [min] (as the scenario has
        them; null for what is recovered), ``code, role, units`` [1], ``cents`` of one such
        line, ``encounters`` [1], ``weight``: the share by which it counts [1],
        ``paid_share``: what its payer pays of the amount [1], and ``row`` of the summary. [1]
    """
    summary = scenario.work or summary
    lines = _lines(_coded(summary, scenario), scenario, summary.policy)
    days = tuple(lines["day"].unique().sort())
    most = int(lines.filter(pl.col("role") == "further_hour")["units"].max() or 0)
    card = rate_card(scenario, days, most, tables).select(*_KEYS, "code", "cents")
    priced = lines.join(card, on=_KEYS, how="left")
    return pl.concat([priced, *_recovered(priced, summary, scenario)], how="diagonal")


def expected_encounters(
    summary: MinuteSummary, scenario: Scenario, *, tables: FeeTables | None = None
) -> pl.DataFrame:
    """The coded encounters of a scenario, counted, with what one of them earns.

    Returns
    -------
    pl.DataFrame
        ``row`` of the summary, ``place, minutes`` [min] and ``setup`` as the scenario has them,
        ``encounters`` and ``counted`` (times the weight of their payer) [1], ``cents`` (before
        denials; of all lines with a price, times the weight) and ``priced``: whether every line
        has a price. Without what is recovered.
    """
    check_kinds(summary, scenario)
    summary = scenario.work or summary
    charted = replace(scenario, recovered_share=0.0)
    share = pl.col("weight") * pl.col("paid_share")
    lines = expected_lines(summary, charted, tables=tables)
    sums = lines.group_by("row").agg(
        cents=(pl.col("cents").fill_null(0) * share).sum(),
        priced=pl.col("cents").is_not_null().all(),
    )
    rows = _coded(summary, charted).join(sums, on="row", how="left", maintain_order="left")
    return rows.select(
        "row", "place", "minutes", "setup", "encounters",
        pl.col("cents").fill_null(0.0), pl.col("priced").fill_null(True),
        counted=pl.col("encounters") * pl.col("weight"),
    )  # fmt: skip


def check_kinds(summary: object, *scenarios: object) -> None:
    """Refuse what is no summary or no scenario.

    Raises
    ------
    InputError
        The message says what to hand in.
    """
    if not isinstance(summary, MinuteSummary):
        raise InputError(
            f"Hand in what minute_summary(coded) returned; this is a {type(summary).__name__}."
        )
    for one in scenarios:
        if not isinstance(one, Scenario):
            raise InputError(f"Terms are a Scenario(name, ...); this is a {type(one).__name__}.")


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


def _coded(summary: MinuteSummary, scenario: Scenario) -> pl.DataFrame:
    """Coded encounters with the minutes, day, place and weight that the scenario gives them."""
    timed = pl.col("minutes").is_not_null()
    rows = summary.counts.filter(pl.col("outcome") == "coded", timed).with_row_index("row")
    minutes = (pl.col("minutes") * scenario.stretch + scenario.shift_min + 1e-9).floor()
    day = pl.col("period") if scenario.on is None else pl.lit(scenario.on)
    place = pl.col("place") if scenario.setting == "as_charted" else pl.lit(scenario.setting)
    return rows.with_columns(
        minutes=pl.max_horizontal(minutes.cast(pl.Int64), 0),
        charted_min="minutes",
        day=day,
        place=place,
        **_by_payer(scenario, rows, summary),
    )


def _by_payer(scenario: Scenario, rows: pl.DataFrame, summary: MinuteSummary) -> dict[str, pl.Expr]:
    """How much an encounter of each payer counts when the mix is moved, and what it pays. [1]"""
    if not (scenario.payer_rates or scenario.payer_mix):
        return {"weight": pl.lit(1.0), "paid_share": pl.lit(1.0)}
    if "payer" not in summary.by:
        raise InputError(
            f"Scenario {scenario.name!r} speaks of payers, and the summary does not keep them "
            f"apart. Make it with minute_summary(coded, by=['payer'])."
        )
    known = dict(rows.group_by("payer").agg(pl.col("encounters").sum()).rows())
    named = {payer for payer, _ in (*scenario.payer_rates, *scenario.payer_mix)}
    if unknown := sorted(named - set(known)):
        listed = ", ".join(sorted(filter(None, known)))
        raise InputError(
            f"Scenario {scenario.name!r}: no encounter has the payer {unknown[0]!r}. There are: "
            f"{listed}."
        )
    weights = dict.fromkeys(known, 0.0 if scenario.payer_mix else 1.0)
    total = sum(known.values())
    weights |= {payer: share * total / known[payer] for payer, share in scenario.payer_mix}
    shares = {"weight": weights, "paid_share": dict(scenario.payer_rates)}
    return {
        name: pl.col("payer").replace_strict(one, default=1.0, return_dtype=pl.Float64)
        for name, one in shares.items()
    }


def _lines(rows: pl.DataFrame, scenario: Scenario, policy: Policy) -> pl.DataFrame:
    """One row for each role with units, by the rules in effect on the day of service."""
    units = unit_columns(policy, unit_cap=scenario.unit_cap)
    ran = (pl.col("minutes") > 0) | (pl.col("charted_min") == 0)
    units["short_infusion"] = pl.when(ran).then(units["short_infusion"])
    parts = [
        rows.with_columns(role=pl.lit(role), units=one).filter(pl.col("units") > 0)
        for role, one in units.items()
    ]
    if scenario.further_setup_share:
        more = rows.filter(~pl.col("setup")).with_columns(
            role=pl.lit("further_setup"), units=units["first_hour"],
            weight=pl.col("weight") * scenario.further_setup_share,
        )  # fmt: skip
        parts.append(more.filter(pl.col("units") > 0))
    return pl.concat(parts)


def _recovered(
    priced: pl.DataFrame, summary: MinuteSummary, scenario: Scenario
) -> list[pl.DataFrame]:
    """What found stops would earn: the coded encounters of their place once more, in proportion."""
    if not scenario.recovered_share:
        return []
    moved = pl.col("place") if scenario.setting == "as_charted" else pl.lit(scenario.setting)
    timed = (pl.col("outcome") == "coded") & pl.col("minutes").is_not_null()
    outcomes = (
        summary.counts.with_columns(place=moved)
        .group_by("place")
        .agg(
            waiting=pl.col("encounters").filter(pl.col("outcome") == "query").sum(),
            coded=pl.col("encounters").filter(timed).sum(),
        )
    )
    share = pl.when(pl.col("coded") > 0).then(pl.col("waiting") / pl.col("coded")).otherwise(0.0)
    more = priced.join(outcomes.select("place", _more=share), on="place", how="left")
    weight = pl.col("weight") * pl.col("_more") * scenario.recovered_share
    found = more.with_columns(weight=weight, minutes=pl.lit(None, pl.Int64))
    return [found.drop("_more").filter(pl.col("weight") > 0)]
