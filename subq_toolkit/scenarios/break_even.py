"""At what volume the work pays for its chair, its nurse and its set-up."""

from dataclasses import replace

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.fees import FeeTables
from subq_toolkit.formulas import Bound, number, up
from subq_toolkit.scenarios.comparison import total_usd
from subq_toolkit.scenarios.minute_summary import MinuteSummary
from subq_toolkit.scenarios.scenario import Scenario

_COST = Bound("a number, zero or more", 0)


def break_even(
    summary: MinuteSummary,
    scenario: Scenario,
    *,
    chair_usd_per_h: float,
    nurse_usd_per_h: float,
    setup_usd: float,
    fixed_usd: float,
    tables: FeeTables | None = None,
) -> pl.DataFrame:
    """Margin of an encounter, and how many of them carry the fixed cost.

    Parameters
    ----------
    summary, scenario
        The work and the terms.
    chair_usd_per_h, nurse_usd_per_h
        What an hour of the chair and of the nurse costs. [USD/h]
    setup_usd
        What a pump set-up costs: lines, needles, time. [USD]
    fixed_usd
        What has to be earned before anything is left. [USD]
    tables
        The dated figures; the bundled ones by default.

    Returns
    -------
    pl.DataFrame
        One row: ``encounters`` [1], ``hours_per_encounter`` [h], ``setups_per_encounter`` [1],
        ``payment_usd, cost_usd, margin_usd`` (of an encounter) [USD], ``break_even_encounters``
        [1] (null: no volume is enough).

    Notes
    -----
    margin = payment - hours × (chair + nurse) - set-ups × set-up; volume = fixed / margin,
    rounded up. Arithmetic; no source. All of an encounter that was coded: stops that are found
    bring more such encounters and do not change the margin of one.

    Raises
    ------
    InputError
        If a cost is no number, zero or more, or there is no coded encounter.
    """
    costs = {
        "chair_usd_per_h": chair_usd_per_h,
        "nurse_usd_per_h": nurse_usd_per_h,
        "setup_usd": setup_usd,
        "fixed_usd": fixed_usd,
    }
    for name, cost in costs.items():
        number(name, cost, _COST)
    coded = summary.counts.filter(pl.col("outcome") == "coded", pl.col("minutes").is_not_null())
    n = coded["encounters"].sum()
    if not n:
        raise InputError("There is no coded encounter to count. Look at coded.reconcile().")
    minutes = pl.max_horizontal(pl.col("minutes") * scenario.stretch + scenario.shift_min, 0)
    further = pl.when("setup").then(1.0).otherwise(scenario.further_setup_share)
    count = pl.col("encounters")
    hours, setups = coded.select(
        (minutes * count).sum() / n / 60, ((1 + further) * count).sum() / n
    ).row(0)
    charted = replace(scenario, recovered_share=0.0)
    payment = float(total_usd(summary, charted, tables=tables)) / n
    cost = hours * (chair_usd_per_h + nurse_usd_per_h) + setups * setup_usd
    margin = payment - cost
    return pl.DataFrame(
        {
            "encounters": [int(n)],
            "hours_per_encounter": [hours],
            "setups_per_encounter": [setups],
            "payment_usd": [round(payment, 2)],
            "cost_usd": [round(cost, 2)],
            "margin_usd": [round(margin, 2)],
            "break_even_encounters": [up(fixed_usd / margin) if margin > 0 else None],
        },
        schema_overrides={"break_even_encounters": pl.Int64},
    )
