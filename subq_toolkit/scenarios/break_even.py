"""At what volume the work pays for its chair, its nurse and its set-up."""

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.fees import FeeTables
from subq_toolkit.formulas import Bound, number, up
from subq_toolkit.scenarios.counted_lines import expected_encounters
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
        One row: ``encounters`` (coded ones with a price for each code; only these are meant
        below) and ``encounters_without_price`` [1], ``hours_per_encounter`` [h],
        ``setups_per_encounter`` [1], ``payment_usd, cost_usd, margin_usd`` (of an encounter)
        [USD], ``break_even_encounters`` [1] (null: no volume is enough).

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
    coded = expected_encounters(summary, scenario, tables=tables)
    if not coded["encounters"].sum():
        raise InputError("There is no coded encounter to count. Look at coded.reconcile().")
    priced = coded.filter("priced")
    n = priced["counted"].sum()
    if not n:
        raise InputError(
            f"Scenario {scenario.name!r}: no encounter has a price for each of its codes. State "
            f"the terms of the place, or another day with 'on'."
        )
    further = pl.when("setup").then(1.0).otherwise(scenario.further_setup_share)
    count = pl.col("counted")
    hours, setups, cents = priced.select(
        (pl.col("minutes") * count).sum() / n / 60,
        ((1 + further) * count).sum() / n,
        (pl.col("cents") * pl.col("encounters")).sum() / n,
    ).row(0)
    payment = cents / 100 * (1 - scenario.denial_rate)
    cost = hours * (chair_usd_per_h + nurse_usd_per_h) + setups * setup_usd
    margin = payment - cost
    return pl.DataFrame(
        {
            "encounters": [round(n)],
            "encounters_without_price": [int(coded.filter(~pl.col("priced"))["encounters"].sum())],
            "hours_per_encounter": [hours],
            "setups_per_encounter": [setups],
            "payment_usd": [round(payment, 2)],
            "cost_usd": [round(cost, 2)],
            "margin_usd": [round(margin, 2)],
            "break_even_encounters": [up(fixed_usd / margin) if margin > 0 else None],
        },
        schema_overrides={"break_even_encounters": pl.Int64},
    )
