"""What every way is given: the same files, and the same tables held in memory.

The narrow question of the rivals is defined only where nothing is in doubt. So the file holds
the encounters that the toolkit codes, in which time ran, of which no row is refused, and that were
not at home, where an audit leaves the codes to a coder, nor short beside an injection, which has
the same code; of these every row and column as exported, boluses, intravenous drips and injections
among them.
"""

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

import subq_toolkit as sq
from subq_toolkit import scenarios
from subq_toolkit.fees import Contract, contract
from subq_toolkit.synthetic import administrations

AT_ONCE = 500_000
SAMPLE = 50_000
DRAWS = 2_000
UNITS = ["units_96369", "units_96370", "units_96371", "units_96372"]
CODES = [name.removeprefix("units_") for name in UNITS]
#: Invented amounts of a contract, by code. [USD]
USD = {"96369": 145, "96370": 17, "96371": 56, "96372": 15}
#: Two sets of steps: as they are, and reached so much sooner. [min]
SOONER = {"as charted": 0, "14 minutes sooner": 14}
DENIED = 0.05
#: Flow limits by drug as charted, the strictest of datasets/products/limits.csv. [mL/h a site]
SITE_LIMITS = {
    "morphine 20 mg/mL": 3.0,
    "hydromorphone 10 mg/mL": 3.0,
    "pegcetacoplan 54 mg/mL": 20.0,
    "immune globulin 20 %": 15.0,
}
#: Which product a drug is that is charted without a name of its own.
PRODUCTS = {"immune globulin 20 %": "hizentra"}


@dataclass(frozen=True)
class Given:
    """Files, and what is held in memory before the clock starts."""

    administrations: Path
    charges: Path
    encounters: pl.DataFrame
    rows: int
    charge_rows: int

    @cached_property
    def coded(self) -> sq.Coded:
        """The chart, its facts worked out."""
        coded = sq.code_administrations(pl.read_parquet(self.administrations))
        return replace(coded, facts=coded.facts.collect().lazy())

    @cached_property
    def minute_summary(self) -> scenarios.MinuteSummary:
        """The encounters counted by minutes."""
        return scenarios.minute_summary(self.coded)

    @cached_property
    def chart_in_duckdb(self) -> duckdb.DuckDBPyConnection:
        """The units of each encounter as a table of a database in memory."""
        connection = duckdb.connect()
        encounters = self.encounters.to_arrow()  # noqa: F841 - named in the query
        connection.execute("CREATE TABLE chart AS SELECT * FROM encounters")
        return connection

    @cached_property
    def chart_in_pandas(self) -> object:
        """The units of each encounter as a pandas frame."""
        return self.encounters.to_pandas()

    @cached_property
    def chart_in_dict(self) -> dict[str, tuple[int, ...]]:
        """The units of each encounter by its number."""
        return {number: tuple(units) for number, *units in self.encounters.rows()}

    @cached_property
    def usd(self) -> np.ndarray:
        """What each encounter earns under the contract. [USD]"""
        earned = (pl.col(f"units_{code}") * usd for code, usd in USD.items())
        return self.encounters.select(pl.sum_horizontal(earned)).to_series().to_numpy()


def terms() -> Contract:
    """The invented contract."""
    rows = {"code": list(USD), "method": "amount", "value": list(USD.values())}
    return contract(
        pl.DataFrame(rows).with_columns(start=pl.lit(date(2020, 1, 1))), name="invented"
    )


def make_given(folder: Path, rows: int, *, seed: int = 7) -> Given:
    """Invent about so many rows and their charges, and write both as Parquet, shuffled."""
    folder.mkdir(parents=True, exist_ok=True)
    parts, kept = [], 0
    while kept < rows:
        missing = min(AT_ONCE, (rows - kept) // 2 + 2_000)
        part = _in_no_doubt(missing, seed + len(parts), len(parts))
        parts.append(part)
        kept += part.height
    together = pl.concat(parts).head(rows)
    cut = together["encounter_id"][-1]
    return write_given(folder, together.filter(pl.col("encounter_id") != cut), seed)


def sample_of(given: Given, folder: Path, encounters: int, *, seed: int = 7) -> Given:
    """So many encounters of what is given, in files of their own."""
    drawn = given.encounters.head(encounters).select("encounter_id")
    rows = pl.read_parquet(given.administrations).join(drawn, on="encounter_id", how="semi")
    folder.mkdir(parents=True, exist_ok=True)
    return write_given(folder, rows, seed)


def _in_no_doubt(encounters: int, seed: int, number: int) -> pl.DataFrame:
    """Invented rows of encounters that every way can answer for; see the head of the module."""
    named = [
        pl.format("{}-{}", name, pl.lit(number)).alias(name)
        for name in ("encounter_id", "patient_id")
    ]
    rows = administrations(encounters, seed=seed).with_columns(named)
    coded = sq.code_administrations(rows)
    sure = coded.encounters.filter(pl.col("outcome") == "coded", pl.col("infusion_min") > 0)
    sure = sure.filter(pl.col("setting").cast(pl.String).ne_missing("home"))
    short = sure.filter(pl.col("units_96372") > 0)
    injected = rows.lazy().filter(pl.col("route") == "injection")
    doubtful = short.join(injected, on="encounter_id", how="semi").select("encounter_id")
    doubtful = pl.concat([doubtful, coded.refused.select("encounter_id")])
    sure = sure.join(doubtful, on="encounter_id", how="anti").select("encounter_id")
    return rows.join(sure.collect(), on="encounter_id", how="semi", maintain_order="left")


def as_charged(lines: pl.DataFrame) -> pl.DataFrame:
    """Supported lines as charges of one payer, one in a hundred with a unit too many."""
    number = pl.int_range(pl.len())
    lines = lines.select("encounter_id", "service_date", "code", "units", "revenue_code")
    return lines.with_columns(
        units=pl.col("units") + (number % 100 == 0).cast(pl.Int64),
        charge_usd=number % 900 * 1.0,
        payer=pl.lit("Medicare"),
        coder=pl.format("CODER-{}", number % 12),
        claim_id=pl.format("CLM{}", number),
        frequency=pl.lit("1"),
    )


def write_given(folder: Path, rows: pl.DataFrame, seed: int) -> Given:
    """Both files and the encounters; nine in ten lines are charged, one in a hundred wrongly."""
    files = [folder / f"{name}.parquet" for name in ("administrations", "charges")]
    rows.sample(fraction=1, shuffle=True, seed=seed).write_parquet(files[0])
    coded = sq.code_administrations(rows)
    encounters, lines = pl.collect_all([coded.encounters, coded.lines])
    charges = as_charged(lines.sample(fraction=0.9, shuffle=True, seed=seed))
    charges.write_parquet(files[1])
    encounters = encounters.select("encounter_id", *UNITS)
    return Given(*files, encounters, rows.height, charges.height)
