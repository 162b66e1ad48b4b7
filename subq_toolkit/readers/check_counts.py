"""Rows of a reading counted by what they pass and fail: numbers only."""

import polars as pl

from subq_toolkit.administrations import accept
from subq_toolkit.readers.reading import Reading
from subq_toolkit.readers.saved_maps import ColumnMap

_MAY_MISS = ("start_at", "stop_at", "route", "pump_id", "site")
_EVENTS = r"^([\d,]+) events: ([\d,]+) folded, ([\d,]+) of no infusion ignored, ([\d,]+) unreadable"


def counted_checks(reading: Reading, column_map: ColumnMap) -> pl.DataFrame:
    """Count the rows of a reading; see ``readers.check_counts``."""
    rows = reading.administrations
    accepted, refused = accept(rows, facility_zone=column_map.facility_zone)
    held = accepted.collect_schema().names()
    missing = [pl.col(name).is_null().sum().alias(name) for name in _MAY_MISS if name in held]
    total, passed, failed, why, unreadable = pl.collect_all(
        [
            rows.select(pl.len()),
            accepted.select(
                pl.len().alias("(rows)"), pl.col("encounter_id").n_unique().alias("(e)"), *missing
            ),
            refused.select(pl.len()),
            _tally(refused.select(pl.col("failed").explode())),
            _tally(refused.select(pl.col("unreadable").str.split(", ").explode())),
        ]
    )
    found = passed.row(0, named=True)
    lines = [
        *_events_of(reading),
        ("rows", "rows of runs", total.item()),
        ("rows", "readable", found["(rows)"]),
        ("rows", "refused", failed.item()),
        *[("refused", name, count) for name, count in why.rows()],
        *[("unreadable", name, count) for name, count in unreadable.rows()],
        *[("missing", name, found.get(name, found["(rows)"])) for name in _MAY_MISS],
        ("encounters", "encounters with a readable row", found["(e)"]),
    ]
    schema = {"kind": pl.String, "check": pl.String, "count": pl.Int64}
    return pl.DataFrame(lines, schema=schema, orient="row")


def _tally(names: pl.LazyFrame) -> pl.LazyFrame:
    """The commonest first."""
    name = names.collect_schema().names()[0]
    counted = names.drop_nulls().group_by(name).agg(pl.len())
    return counted.sort(["len", name], descending=[True, False])


def _events_of(reading: Reading) -> list[tuple[str, str, int]]:
    note = reading.report["note"][0] or ""
    found = pl.Series([note]).str.extract_groups(_EVENTS).struct.unnest().row(0)
    if found[0] is None:
        return []
    names = ("events in the file", "folded into runs", "of no infusion, ignored", "unreadable")
    counts = (int(one.replace(",", "")) for one in found)
    return [("events", name, count) for name, count in zip(names, counts, strict=True)]
