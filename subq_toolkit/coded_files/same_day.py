"""Encounters that follow an earlier one of their patient on the same date, in all parts.

Everything else is decided within an encounter. This is decided across encounters, which may
lie in different parts, and an encounter may name two patients or none: so each part first
tells whose its encounters are and when they begin, by the rules that code them, and the
encounters of all parts are compared before any is coded.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from subq_toolkit.administrations import passes
from subq_toolkit.encounter_facts import counted_runs, later_of_two, whose_and_when
from subq_toolkit.intake import Intake
from subq_toolkit.policy import Policy

#: Encounters compared at a time.
_AT_ONCE = 4_000_000


def told_of(intake: Intake, policy: Policy) -> pl.LazyFrame:
    """Whose each infused encounter of a part is, its date, and when it begins.

    Copies are not looked for: a copy names the same patient and times as its original.
    """
    runs = counted_runs(intake.rows.filter(passes()), policy)
    begins = pl.when("_counts").then(pl.coalesce("_start_us", "_stop_us"))
    return (
        runs.group_by("encounter_id")
        .agg(
            *(expr.min().alias(name) for name, expr in whose_and_when().items()),
            _counted_rows=pl.col("_counts").sum(),
            _begins_us=begins.min(),
        )
        .filter(pl.col("_patient").is_not_null() & (pl.col("_counted_rows") > 0))
        .select(
            "encounter_id",
            "_patient",
            "_counted_rows",
            "_begins_us",
            service_date=pl.coalesce("_counted_day", "_any_day"),
        )
    )


def later_encounters(files: Sequence[Path]) -> pl.Series:
    """Names of the encounters that follow another, from what the parts tell in ``files``."""
    told = pl.scan_ipc(files)
    shares = told.select(pl.len()).collect().item() // _AT_ONCE + 1
    found: list[str] = []
    for share in range(shares):
        some = told.filter(pl.col("_patient") % shares == share)
        later = later_of_two(some).collect(engine="streaming")
        # As plain text: a column of some names would keep the text of all files.
        found += later["encounter_id"].to_list()
    return pl.Series("encounter_id", found, dtype=pl.String).sort()
