"""One part coded as the whole file would be: its tables to files, and what it adds to the whole."""

from contextlib import ExitStack
from pathlib import Path

import polars as pl

from subq_toolkit.administrations import judged, readable_rows
from subq_toolkit.coded_files.places import settled
from subq_toolkit.coded_files.work_parts import NUMBER
from subq_toolkit.coding import OUTCOMES, Coded, assemble
from subq_toolkit.encounter_facts import counted_runs, encounter_facts
from subq_toolkit.findings import file_tally
from subq_toolkit.intake import Intake, take_in
from subq_toolkit.policy import Policy
from subq_toolkit.units import with_units


def part_intake(rows: pl.DataFrame, facility_zone: str | None) -> Intake:
    """The rows of a part as the coding takes them in."""
    return take_in(rows.drop(NUMBER), facility_zone=facility_zone)


def code_part(
    rows: pl.DataFrame,
    later: pl.Series | None,
    places: dict[str, Path],
    *,
    policy: Policy,
    facility_zone: str | None,
) -> dict[str, object]:
    """Code a part and write the tables of ``places``.

    Parameters
    ----------
    rows
        The rows of the part, with their numbers in the whole source.
    later
        Names of the encounters that follow another of their patient on the same date, in
        whatever part; None if the part is all there is.
    places
        The file of each table that is wanted.
    policy, facility_zone
        As in ``code_administrations``.

    Returns
    -------
    dict
        ``rows_in``, its rows by outcome, and ``findings.file_tally``, dates as ISO text.
    """
    intake = judged(part_intake(rows, facility_zone))
    readable = readable_rows(intake)
    facts = encounter_facts(intake, readable, policy)
    if later is not None:
        facts = facts.with_columns(_later_encounter=pl.col("encounter_id").is_in(later.implode()))
    facts = with_units(facts, intake.zone, policy).cache()
    coded = assemble(intake, facts, policy)
    tables = _tables(coded, rows[NUMBER])
    ended = facts.group_by("outcome").agg(pl.col("_rows").sum())
    refused = coded.refused.select(pl.len())
    tally = file_tally(facts, counted_runs(readable, policy))
    tally = tally.with_columns(pl.col("last_overdue").dt.to_string("iso"))
    written = {name: (place, tables[name]) for name, place in places.items()}
    counts = _write_all(written, [ended, refused, tally])
    outcomes = dict.fromkeys(OUTCOMES, 0) | dict(counts[0].rows())
    outcomes["refused"] = counts[1].item()
    return {"rows_in": rows.height, **outcomes, **counts[2].row(0, named=True)}


def _tables(coded: Coded, numbers: pl.Series) -> dict[str, pl.LazyFrame]:
    """The four tables; findings about the part as if it were a file are left out."""
    number = pl.lit(numbers).gather(pl.col("row") - 1)
    return {
        "encounters": coded.encounters,
        "lines": coded.lines,
        "findings": coded.findings.filter(pl.col("encounter_id").is_not_null()),
        "refused": coded.refused.with_columns(row=number),
    }


def _write_all(
    written: dict[str, tuple[Path, pl.LazyFrame]], counted: list[pl.LazyFrame]
) -> list[pl.DataFrame]:
    """Write every table and count, working out once what they share."""
    with ExitStack() as places:
        sinks = [
            table.sink_parquet(places.enter_context(settled(place)), lazy=True)
            for place, table in written.values()
        ]
        return pl.collect_all([*counted, *sinks])[: len(counted)]
