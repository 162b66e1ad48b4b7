"""The toolkit as its users call it.

It judges every row and column, tells copies and set-ups apart, and gives each encounter its
outcome; the other ways do none of this.
"""

from datetime import date
from itertools import count

import polars as pl

import subq_toolkit as sq
from subq_toolkit import scenarios
from subq_toolkit.infusion_time import counted_time, whole_minutes
from subq_toolkit.units import TIME, additional_hour_units, first_hour_units

from .given import DENIED, DRAWS, PRODUCTS, SOONER, Given, terms

ON = date(2026, 11, 25)
CONTRACT = terms()
_TERMS = {"hospital": CONTRACT, "office": CONTRACT, "home": CONTRACT}
#: No two calls have the same terms: what was answered before is kept.
_ASKED = count()


def coding(given: Given) -> pl.DataFrame:
    """Every encounter with minutes, units, outcome and what is carried."""
    return sq.code_administrations(pl.scan_parquet(given.administrations)).encounters.collect()


def minutes_and_units(given: Given) -> pl.DataFrame:
    """The toolkit's union and units alone: no row is judged, and there is no outcome."""
    rows = pl.scan_parquet(given.administrations)
    counts = (pl.col("route") == "subcutaneous") & pl.col("mode").ne_missing("bolus")
    counts &= pl.col("stop_at") >= pl.col("start_at")
    runs = rows.filter(counts).select(
        "encounter_id",
        _from_us=pl.col("start_at").dt.timestamp("us"),
        _to_us=pl.col("stop_at").dt.timestamp("us"),
    )
    at_least, more_than = (
        pl.lit(int(TIME[name].on(ON).value))
        for name in ("initial_hour_at_least", "additional_hour_more_than")
    )
    minutes = pl.col("infusion_min")
    first = first_hour_units(minutes, at_least=at_least)
    return (
        counted_time(runs, ["encounter_id"])
        .select("encounter_id", infusion_min=whole_minutes(pl.col("_counted_us")))
        .with_columns(
            units_96369=first,
            units_96370=additional_hour_units(minutes, more_than=more_than),
            units_96372=1 - first,
        )
        .collect()
    )


def audit(given: Given) -> pl.DataFrame:
    """Every encounter and code: billed, supported, class, dollars, reason, deadline."""
    return sq.audit(given.coded, pl.scan_parquet(given.charges), on=ON).lines.collect()


def summary(given: Given) -> pl.DataFrame:
    """Encounters counted by minutes, month and payer, and by what prices depend on."""
    coded = sq.code_administrations(pl.scan_parquet(given.administrations))
    return scenarios.minute_summary(coded, by=["month", "payer"]).counts


def scenario(given: Given) -> pl.DataFrame:
    """Units and amounts of every code under both steps, from the summary."""
    asked = next(_ASKED)
    both = [
        scenarios.Scenario(f"{name} ({asked})", shift_min=sooner, **_TERMS)
        for name, sooner in SOONER.items()
    ]
    return scenarios.compare(given.minute_summary, both)


def limits(given: Given) -> pl.DataFrame:
    """The largest share of the flow limit at a site, by encounter."""
    used = sq.limit_use(pl.scan_parquet(given.administrations), products=PRODUCTS)
    return used.group_by("encounter_id").agg(pl.col("site_rate_use").max()).collect()


def draws(given: Given) -> object:
    """The total of a scenario, drawn anew from the summary."""
    asked = scenarios.Scenario(f"draws ({next(_ASKED)})", denial_rate=DENIED, **_TERMS)
    return scenarios.simulate(given.minute_summary, asked, seed=1, draws=DRAWS)
