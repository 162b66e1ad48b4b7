"""Invented charges for a coded chart, with errors planted and written down.

Every error that an audit may find is planted in encounters of its own, beside habits that look
like errors and are none. How often stands in ``datasets/charges/shapes.toml``, all invented.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from subq_toolkit.coding import Coded, code_administrations
from subq_toolkit.synthetic import administrations
from subq_toolkit.synthetic.charge_shapes import charge_shapes
from subq_toolkit.synthetic.claim_slips import HABITS, SLIPS, Kind
from subq_toolkit.synthetic.invented_claim import FIRST, FURTHER, SETUP, SHORT, Claim
from subq_toolkit.synthetic.visits import Draws

SCHEMA = {
    "encounter_id": pl.String,
    "service_date": pl.Date,
    "code": pl.String,
    "units": pl.Int64,
    "modifiers": pl.String,
    "revenue_code": pl.String,
    "charge_usd": pl.Float64,
    "payer": pl.String,
    "department": pl.String,
    "coder": pl.String,
    "claim_id": pl.String,
    "replaces_claim_id": pl.String,
    "frequency": pl.String,
    "status": pl.String,
}


class PlantedCharges(NamedTuple):
    """Charges, and the errors in them: ``encounter_id, code, class``, sorted."""

    charges: pl.DataFrame
    planted: pl.DataFrame


def planted_charges(coded: Coded, *, seed: int = 2026) -> PlantedCharges:
    """Invent the charges of a chart and plant errors of every class in them.

    Parameters
    ----------
    coded
        The chart, coded under the default policy.
    seed
        Another seed, other errors.

    Returns
    -------
    PlantedCharges
        ``charges`` with the columns of ``charges.COLUMNS``, sorted as posted; ``planted`` names
        each encounter and code that an audit must find, and no other is wrong.
    """
    encounters = _encounters(coded)
    draws, size, often = Draws(seed), len(encounters), charge_shapes()
    coders = often["coders"]
    edges = [sum(one["share"] for one in coders[: place + 1]) for place in range(len(coders))]
    chance = {name: draws.below(10_000, size) for name in ("coder", "slip", "habit", "visit")}
    rows: list[dict] = []
    planted: list[tuple] = []
    for place, one in enumerate(encounters.rows(named=True)):
        drawn = int(chance["coder"][place]) // 10
        coder = coders[next(n for n, edge in enumerate(edges) if drawn < edge)]
        slip = _chosen(SLIPS, often["slips"], chance["slip"][place], one, coder["slips"])
        habit = None if slip else _chosen(HABITS, often["habits"], chance["habit"][place], one)
        claim = Claim(one, coder["name"], place)
        claim.charge_as_supported()
        if slip:
            planted += SLIPS[slip].act(claim)
        elif habit:
            HABITS[habit].act(claim)
        if chance["visit"][place] < often["habits"]["visit_code"] and claim.lines:
            claim.add("99213", 1, modifiers="25")
        rows += claim.lines
    found = pl.DataFrame(
        planted, schema={"encounter_id": pl.String, "code": pl.String, "class": pl.String},
        orient="row",
    )  # fmt: skip
    return PlantedCharges(pl.DataFrame(rows, schema=SCHEMA), found.sort(found.columns))


def write_charges(folder: Path | str) -> Path:
    """Write the bundled ``charges.parquet`` and ``planted_errors.csv`` into ``folder``."""
    made = planted_charges(code_administrations(administrations()))
    made.planted.write_csv(Path(folder) / "planted_errors.csv")
    path = Path(folder) / "charges.parquet"
    made.charges.write_parquet(path, compression="zstd", compression_level=19)
    return path


def _encounters(coded: Coded) -> pl.DataFrame:
    """What the chart supports and what stands beside, one row per encounter in order."""
    routes = coded.accepted.group_by("encounter_id").agg(
        veins=(pl.col("route") == "intravenous").sum(),
        injections=(pl.col("route") == "injection").sum(),
        complete=(
            pl.col("start_at").is_not_null()
            & pl.col("stop_at").is_not_null()
            & ~pl.col("route").is_in(["intravenous", "injection"])
        ).sum(),
        under_skin=((pl.col("route") == "subcutaneous") | pl.col("route").is_null()).sum(),
    )
    crossed = coded.findings.filter(pl.col("finding") == "crosses_midnight")
    unread = coded.refused.select("encounter_id").drop_nulls().unique()
    units = {"first": FIRST, "further": FURTHER, "setup": SETUP, "short": SHORT}
    return (
        coded.encounters.join(routes, on="encounter_id", how="left")
        .join(crossed.select("encounter_id", crosses=True), on="encounter_id", how="left")
        .join(unread.with_columns(unread=True), on="encounter_id", how="left")
        .with_columns(
            pl.col("crosses", "unread").fill_null(False),
            **{name: pl.col(f"units_{code}").fill_null(0) for name, code in units.items()},
        )
        .sort("encounter_id")
        .collect()
    )


def _chosen(
    kinds: dict[str, Kind], shares: dict[str, int], drawn: int, one: dict, times: int = 1
) -> str | None:
    """The kind on which the draw falls among those that may happen to the encounter."""
    edge = 0
    for name in _possible(kinds, one):
        edge += shares[name] * times
        if drawn < edge:
            return name
    return None


def _possible(kinds: dict[str, Kind], one: dict) -> Iterator[str]:
    return (name for name, kind in kinds.items() if kind.may(one))
