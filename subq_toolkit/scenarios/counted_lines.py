"""The work of a scenario as claim lines, counted: what its units and money are summed from."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache

import polars as pl

from subq_toolkit.effective import Dated
from subq_toolkit.errors import InputError
from subq_toolkit.fees import FeeTables
from subq_toolkit.policy import Policy
from subq_toolkit.scenarios.minute_summary import MinuteSummary, added_up, infused, period_of
from subq_toolkit.scenarios.rate_cards import rate_card
from subq_toolkit.scenarios.scenario import Scenario, check_kinds
from subq_toolkit.units import EDITS, TIME, unit_columns

_KEYS = ["day", "place", "role", "units"]
#: Further hours are priced in steps of so many, so that longer minutes seldom need more prices. [1]
_AT_ONCE = 32


def kept_apart(summary: MinuteSummary, scenario: Scenario, by: Sequence[str] = ()) -> MinuteSummary:
    """The summary with no more kept apart than a scenario asks for: its payers, its days.

    Where all prices are of one day, periods are those in which no rule about units changes.
    """
    payers = ["payer"] if "payer" in summary.by and tells_payers(scenario) else []
    columns = tuple(name for name in dict.fromkeys([*by, *payers]) if name in summary.by)
    if scenario.on is None or "period" in by:
        return summary.only(*columns)
    return _by_rules(summary, columns)


@lru_cache(maxsize=64)
def _by_rules(summary: MinuteSummary, by: tuple[str, ...]) -> MinuteSummary:
    rules = (TIME["initial_hour_at_least"], TIME["additional_hour_more_than"])
    held = [one for rule in (*rules, EDITS["further_hour"]) for one in rule.values]
    days = pl.Series(sorted({day for one in held for day in _ends(one)}))
    counts = summary.only(*by).counts.with_columns(period=period_of(pl.col("period"), days))
    return replace(summary, counts=added_up(counts, by), by=by)


def _ends(one: Dated) -> list[date]:
    """The first day of a value, and the first after it."""
    return [one.start] + ([one.until + timedelta(days=1)] if one.until else [])


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
    priced = _priced(_coded(summary, scenario), summary, scenario, tables)
    found = [
        one.with_columns(minutes=pl.lit(None, pl.Int64))
        for one in recovered(priced, summary, scenario)
    ]
    return pl.concat([priced, *found], how="diagonal")


def lines_alike(
    summary: MinuteSummary, scenario: Scenario, tables: FeeTables | None = None
) -> pl.DataFrame:
    """The same lines, those of encounters with equal units together; without what is recovered."""
    rows = _coded(summary, scenario)
    units = unit_columns(summary.policy, unit_cap=scenario.unit_cap)
    keys = dict.fromkeys(["period", "day", "place", "setup", "weight", "paid_share", *summary.by])
    alike = rows.group_by(*keys, **{f"_{role}": one for role, one in units.items()}, _ran=_ran())
    counted = alike.agg(pl.col("minutes", "charted_min").min(), pl.col("encounters").sum())
    return _priced(counted.select(*keys, "minutes", "charted_min", "encounters"), summary, scenario,
                   tables)  # fmt: skip


def _priced(
    rows: pl.DataFrame, summary: MinuteSummary, scenario: Scenario, tables: FeeTables | None
) -> pl.DataFrame:
    lines = _lines(rows, scenario, summary.policy)
    days = tuple(lines["day"].unique().sort())
    most = int(lines.filter(pl.col("role") == "further_hour")["units"].max() or 1)
    most = -(-most // _AT_ONCE) * _AT_ONCE
    card = rate_card(scenario, days, most, tables).select(*_KEYS, "code", "cents")
    return lines.join(card, on=_KEYS, how="left")


def expected_encounters(
    summary: MinuteSummary, scenario: Scenario, *, tables: FeeTables | None = None
) -> pl.DataFrame:
    """The coded encounters of a scenario, counted, with what one of them earns.

    Returns
    -------
    pl.DataFrame
        ``place, minutes`` [min] and ``setup`` as the scenario has them,
        ``encounters`` and ``counted`` (times the weight of their payer) [1], ``cents`` (before
        denials; of all lines with a price, times the weight) and ``priced``: whether every line
        has a price. Without what is recovered.
    """
    check_kinds(summary, scenario)
    charted = replace(scenario, work=None, denial_rate=0.0, recovered_share=0.0)
    return _encounters(scenario.work or summary, charted, tables)


@lru_cache(maxsize=64)
def _encounters(
    summary: MinuteSummary, charted: Scenario, tables: FeeTables | None
) -> pl.DataFrame:
    summary = kept_apart(summary, charted)
    share = pl.col("weight") * pl.col("paid_share")
    lines = expected_lines(summary, charted, tables=tables)
    sums = lines.group_by("row").agg(
        cents=(pl.col("cents").fill_null(0) * share).sum(),
        priced=pl.col("cents").is_not_null().all(),
    )
    rows = _coded(summary, charted).join(sums, on="row", how="left", maintain_order="left")
    return rows.select(
        "place", "minutes", "setup", "encounters",
        pl.col("cents").fill_null(0.0), pl.col("priced").fill_null(True),
        counted=pl.col("encounters") * pl.col("weight"),
    )  # fmt: skip


def _coded(summary: MinuteSummary, scenario: Scenario) -> pl.DataFrame:
    """Coded encounters with the minutes, day, place and weight that the scenario gives them."""
    rows = summary.counts.filter(infused()).with_row_index("row")
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
    if not tells_payers(scenario):
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


def tells_payers(scenario: Scenario) -> bool:
    """Whether a scenario says that payers pay or weigh differently."""
    return bool(scenario.payer_rates or scenario.payer_mix)


def _ran() -> pl.Expr:
    """Whether anything is left of an infusion that a scenario makes shorter."""
    return (pl.col("minutes") > 0) | (pl.col("charted_min") == 0)


def _lines(rows: pl.DataFrame, scenario: Scenario, policy: Policy) -> pl.DataFrame:
    """One row for each role with units, by the rules in effect on the day of service."""
    units = unit_columns(policy, unit_cap=scenario.unit_cap)
    units["short_infusion"] = pl.when(_ran()).then(units["short_infusion"])
    lines = (
        rows.with_columns(**units)
        .unpivot(list(units), index=rows.columns, variable_name="role", value_name="units")
        .filter(pl.col("units") > 0)
    )
    if not scenario.further_setup_share:
        return lines
    more = rows.filter(~pl.col("setup")).with_columns(
        role=pl.lit("further_setup"), units=units["first_hour"],
        weight=pl.col("weight") * scenario.further_setup_share,
    )  # fmt: skip
    return pl.concat([lines, more.filter(pl.col("units") > 0)])


def recovered(
    counted: pl.DataFrame, summary: MinuteSummary, scenario: Scenario
) -> list[pl.DataFrame]:
    """What found stops would earn: the coded encounters of their place once more, in proportion."""
    if not scenario.recovered_share:
        return []
    more = counted.join(_waiting(summary, scenario.setting), on="place", how="left")
    weight = pl.col("weight") * pl.col("_more") * scenario.recovered_share
    return [more.with_columns(weight=weight).drop("_more").filter(pl.col("weight") > 0)]


@lru_cache(maxsize=64)
def _waiting(summary: MinuteSummary, setting: str) -> pl.DataFrame:
    """How many encounters of each place lack a time, for each that is coded: ``_more``. [1]"""
    moved = pl.col("place") if setting == "as_charted" else pl.lit(setting)
    outcomes = (
        summary.counts.with_columns(place=moved)
        .group_by("place")
        .agg(
            waiting=pl.col("encounters").filter(pl.col("outcome") == "query").sum(),
            coded=pl.col("encounters").filter(infused()).sum(),
        )
    )
    share = pl.when(pl.col("coded") > 0).then(pl.col("waiting") / pl.col("coded")).otherwise(0.0)
    return outcomes.select("place", _more=share)
