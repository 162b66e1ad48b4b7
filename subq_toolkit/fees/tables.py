"""The dated tables of ``datasets/fees``, and the row of each that holds on a day.

A ``FeeTables`` is a value: pricing takes it as an argument and never loads its own, so that
figures of a year that came later can stand in place of the bundled ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import polars as pl

from subq_toolkit.cited_tables import cited_table

#: Each table and the columns that, with the days, tell its rows apart.
KEYS: dict[str, tuple[str, ...]] = {
    "relative_values": ("hcpcs",),
    "conversion_factors": ("apm",),
    "gpcis": ("locality",),
    "opps_rates": ("hcpcs",),
    "opps_conversion_factors": (),
    "wage_indexes": ("area",),
    "sequestration": (),
    "drug_limits": ("hcpcs",),
    "unlikely_edits": ("setting", "hcpcs"),
    "procedure_pairs": ("setting", "column_1", "column_2"),
    "add_on_primaries": ("add_on", "primary"),
    "payment_rules": ("name",),
}


@dataclass(frozen=True, eq=False)
class FeeTables:
    """The dated tables that pricing looks up, by the names in ``KEYS``.

    Every table has ``start`` and ``until`` (both included; null: no end), its key columns,
    its figures, ``source``, ``standing`` and ``cite``.
    """

    tables: Mapping[str, pl.DataFrame]

    def __getitem__(self, name: str) -> pl.DataFrame:
        return self.tables[name]

    def replaced(self, name: str, rows: pl.DataFrame) -> "FeeTables":
        """The same tables with other rows in one of them."""
        return FeeTables({**self.tables, name: rows})


@cache
def bundled_tables() -> FeeTables:
    """The tables that come with the toolkit."""
    return FeeTables({name: cited_table("fees", name) for name in KEYS})


def on_the_day(
    rows: pl.LazyFrame, table: pl.DataFrame, *, by: Sequence[str] = (), keep: Sequence[str]
) -> pl.LazyFrame:
    """Add to each row what ``table`` says on its ``service_date``; null where nothing holds.

    Parameters
    ----------
    rows
        ``service_date`` and the columns of ``by``.
    table
        ``start, until`` (null: no end), the columns of ``by`` and ``keep``; spans of one key do
        not overlap.
    """
    spans = table.select(*by, "start", "until", *keep).sort("start").lazy()
    dated = rows.sort("service_date").join_asof(
        spans,
        left_on="service_date",
        right_on="start",
        by=list(by) or None,
        check_sortedness=False,
    )
    over = (pl.col("until") < pl.col("service_date")).fill_null(False)
    held = [pl.when(~over).then(pl.col(column)).alias(column) for column in keep]
    return dated.with_columns(held).drop("start", "until")
