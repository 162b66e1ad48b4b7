"""DuckDB as one writes it: windows over the runs of an encounter, in one query each.

Answers the narrow question only; rows that cannot be right are left out without a word.
"""

import duckdb
import pyarrow as pa

from .given import SITE_LIMITS, SOONER, USD, Given

_MINUTES = """
    runs AS (
        SELECT encounter_id, start_at, payer, epoch_us(start_at) AS s, epoch_us(stop_at) AS e
        FROM read_parquet('{file}')
        WHERE route = 'subcutaneous' AND mode IS DISTINCT FROM 'bolus' AND stop_at >= start_at
    ), marked AS (
        SELECT *, max(e) OVER (
            PARTITION BY encounter_id ORDER BY s, e
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS ended
        FROM runs
    ), counted AS (
        SELECT encounter_id, min(start_at) AS start_at, min(payer) AS payer,
            CAST(sum(greatest(e - greatest(s, coalesce(ended, s)), 0)) AS BIGINT) // 60000000
                AS minutes
        FROM marked GROUP BY encounter_id
    )
"""
_UNITS = """
    CAST({minutes} >= 16 AS BIGINT) AS units_96369,
    greatest(({minutes} - 31) // 60, 0) * CAST({minutes} >= 31 AS BIGINT) AS units_96370,
    CAST({minutes} < 16 AS BIGINT) AS units_96372
"""


def coding(given: Given) -> pa.Table:
    """Minutes and units of every encounter."""
    units = _UNITS.format(minutes="minutes")
    return _asked(given, f"SELECT encounter_id, minutes, {units} FROM counted")


def summary(given: Given) -> pa.Table:
    """Encounters counted by minutes, month and payer."""
    month = "CAST(date_trunc('month', start_at AT TIME ZONE 'America/New_York') AS DATE)"
    return _asked(
        given,
        f"SELECT minutes, {month} AS month, payer, count(*) AS encounters "
        "FROM counted GROUP BY ALL",
    )


def scenario(given: Given) -> pa.Table:
    """Minutes from the file, then units and amounts under both steps."""
    steps = ", ".join(f"('{name}', {sooner})" for name, sooner in SOONER.items())
    usd = ", ".join(f"('{code}', {amount})" for code, amount in USD.items())
    units = _UNITS.format(minutes="(minutes + sooner)")
    return _asked(
        given,
        f"""
        , steps(scenario, sooner) AS (VALUES {steps}), prices(code, price) AS (VALUES {usd})
        , units AS (SELECT scenario, {units} FROM counted, steps)
        , sums AS (
            SELECT scenario, sum(units_96369) AS "96369", sum(units_96370) AS "96370",
                sum(units_96372) AS "96372"
            FROM units GROUP BY scenario
        ), long AS (UNPIVOT sums ON "96369", "96370", "96372" INTO NAME code VALUE units)
        SELECT scenario, code, CAST(units AS BIGINT) AS units,
            CAST(units * price AS BIGINT) AS usd
        FROM long JOIN prices USING (code)
        """,
    )


def audit(given: Given) -> pa.Table:
    """Units billed and supported by encounter and code."""
    query = f"""
        WITH billed AS (
            SELECT encounter_id, code, CAST(sum(units) AS BIGINT) AS billed
            FROM read_parquet('{given.charges}') GROUP BY ALL
        ), long AS (
            UNPIVOT chart ON COLUMNS('units_.*') INTO NAME code VALUE supported
        ), supported AS (
            SELECT encounter_id, replace(code, 'units_', '') AS code, supported
            FROM long WHERE supported > 0
        )
        SELECT encounter_id, code, coalesce(billed, 0) AS billed,
            coalesce(supported, 0) AS supported
        FROM billed FULL JOIN supported USING (encounter_id, code)
    """
    return given.chart_in_duckdb.sql(query).to_arrow_table()


def limits(given: Given) -> pa.Table:
    """The largest share of the flow limit at a site, by encounter."""
    table = ", ".join(f"('{drug}', {limit})" for drug, limit in SITE_LIMITS.items())
    query = f"""
        WITH known(drug, site_limit) AS (VALUES {table}), runs AS (
            SELECT *, (epoch_us(stop_at) - epoch_us(start_at)) / 3.6e9 AS hours
            FROM read_parquet('{given.administrations}') WHERE route = 'subcutaneous'
        )
        SELECT encounter_id, max(coalesce(
            rate_ml_per_h,
            CASE WHEN hours > 0 AND mode IS DISTINCT FROM 'bolus' THEN volume_ml / hours END
        ) / needles / site_limit) AS site_rate_use
        FROM runs LEFT JOIN known USING (drug) GROUP BY encounter_id
    """
    with duckdb.connect() as connection:
        return connection.sql(query).to_arrow_table()


def _asked(given: Given, query: str) -> pa.Table:
    with duckdb.connect() as connection:
        minutes = _MINUTES.format(file=given.administrations)
        return connection.sql(f"WITH {minutes} {query}").to_arrow_table()
