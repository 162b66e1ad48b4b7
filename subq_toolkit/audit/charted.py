"""What the chart supports, one row per encounter: the side a claim is held against."""

import polars as pl

from subq_toolkit.administrations import unread_runs
from subq_toolkit.coding import Coded
from subq_toolkit.conditions import conditions
from subq_toolkit.findings import outcomes_of_findings
from subq_toolkit.lines import revenue_code

#: Roles of the subcutaneous infusion codes, and the fact that holds their units.
ROLES = {
    "first_hour": "_units_first",
    "further_hour": "_units_further",
    "further_setup": "_units_setup",
    "short_infusion": "_units_short",
}
#: Columns by which errors are grouped, where the chart has them.
PLACES = ("payer", "department", "setting", "locality")


def charted(coded: Coded) -> pl.LazyFrame:
    """One row per encounter of a chart.

    Returns
    -------
    pl.LazyFrame
        ``encounter_id, service_date, last_date, first_row_date, last_row_date`` (of any row of
        it), ``outcome`` (``refused`` if no row could be read),
        ``infusion_min`` [min], ``charted_<role>`` units [1] (of a query those that its complete
        runs support by themselves), ``documented_further`` (further hours without a cap) [1],
        ``injections`` and ``intravenous`` rows [1], ``infused`` (something subcutaneous, or of no
        known route, is charted), ``subcutaneous`` (it is, or may be, an infusion),
        ``rows_refused`` (true if some row could not be read), ``open_points`` (findings that
        keep it from being coded), ``revenue_code`` of its setting, and ``payer, department,
        setting, locality``.
    """
    # A run of no length asks for its stop; what policy took for a short one is decided.
    nothing_ran = (pl.col("_minutes") == 0) & (pl.col("_stops_short") == 0)
    nothing_ran &= (pl.col("outcome") == "coded") & (pl.col("_units_short") == 1)
    facts = coded.facts.with_columns(
        _open=_open_points(coded, nothing_ran),
        outcome=pl.when(nothing_ran).then(pl.lit("query")).otherwise("outcome"),
    )
    has = facts.collect_schema()
    known = pl.col("outcome") != "query"
    floor = pl.when(known | (pl.col("_units_first") == 1))
    readable = facts.select(
        "encounter_id",
        "service_date",
        pl.max_horizontal("_last_day", "service_date").alias("last_date"),
        pl.min_horizontal("_any_day", "service_date").alias("first_row_date"),
        pl.max_horizontal("_final_day", "_last_day", "service_date").alias("last_row_date"),
        "outcome",
        pl.when(known).then(pl.col("_minutes")).cast(pl.Int64).alias("infusion_min"),
        *(
            floor.then(pl.col(fact)).otherwise(0).cast(pl.Int64).alias(f"charted_{role}")
            for role, fact in ROLES.items()
        ),
        floor.then(pl.col("_units_first") * pl.col("_further_documented"))
        .otherwise(0)
        .cast(pl.Int64)
        .alias("documented_further"),
        (pl.sum_horizontal("_counted_rows", "_boluses", "_no_route") > 0).alias("infused"),
        pl.col("_injections").cast(pl.Int64).alias("injections"),
        pl.col("_intravenous").cast(pl.Int64).alias("intravenous"),
        pl.col("_open").alias("open_points"),
        revenue_code(pl.col("setting"), pl.col("service_date")).alias("revenue_code"),
        *(
            (pl.col(name) if name in has else pl.lit(None)).cast(pl.String).alias(name)
            for name in PLACES
        ),
    )
    unreadable = (
        unread_runs(coded.intake)
        .with_columns(rows_refused=True)
        .filter(pl.col("encounter_id").is_not_null())
        .unique()
    )
    return readable.join(unreadable, on="encounter_id", how="full", coalesce=True).with_columns(
        pl.col("rows_refused").fill_null(False),
        pl.col("outcome").fill_null("refused"),
        pl.col("infused").fill_null(True),
        subcutaneous=pl.when(pl.col("outcome") == "coded")
        .then(pl.sum_horizontal("charted_first_hour", "charted_short_infusion") > 0)
        .otherwise(pl.col("infused").fill_null(True)),
    )


def _open_points(coded: Coded, nothing_ran: pl.Expr) -> pl.Expr:
    """Names of the findings that make an encounter a query or refer it, as text."""
    stops = outcomes_of_findings(coded.policy)
    named = [
        pl.when(condition.when).then(pl.lit(name.replace("_", " ")))
        for name, condition in conditions(coded.policy).items()
        if stops.get(name) in ("query", "refer")
    ]
    named.append(pl.when(nothing_ran).then(pl.lit("zero minutes")))
    listed = pl.concat_str(named, separator=", ", ignore_nulls=True)
    return pl.when((pl.col("outcome") != "coded") | nothing_ran).then(listed)
