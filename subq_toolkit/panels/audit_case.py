"""One encounter of an audit: what was billed beside what its chart supports, and why."""

from dataclasses import dataclass

import polars as pl

from subq_toolkit.administrations import judged
from subq_toolkit.audit import Audit
from subq_toolkit.audit.matching import comparable
from subq_toolkit.coding import Coded, assemble, facts_of
from subq_toolkit.encounter import EncounterResult
from subq_toolkit.errors import InputError

_ENGINE = "in-memory"
#: Tables of charge rows by what became of them, with the column that says why.
_ENDS = {"compared": None, "superseded": "superseded_by", "set_aside": "set_aside_because"}
_BILLED = (
    "service_date", "code", "units", "modifiers", "revenue_code", "charge_usd", "claim_id", "coder",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One encounter as billed, as charted, and as compared.

    Attributes
    ----------
    encounter_id
        Its number.
    lines
        Its rows of the audit.
    billed
        Its charge rows, as ``charges.COLUMNS`` has them, with ``counts`` (false: superseded or
        set aside) and ``because``.
    charted
        What its chart may be reported as; None where the chart has no such encounter.
    """

    encounter_id: str
    lines: pl.DataFrame
    billed: pl.DataFrame
    charted: EncounterResult | None


def case_of(audited: Audit, lines: pl.DataFrame, encounter_id: str) -> Case:
    """Put together what is known of one encounter.

    Parameters
    ----------
    audited
        What ``audit`` returned.
    lines
        Its lines, held in memory.
    encounter_id
        The number; blanks, case and leading zeros do not matter unless another has it too.

    Raises
    ------
    InputError
        If neither chart nor charges have such an encounter.
    """
    wanted = encounter_id.strip()
    found = lines.filter(pl.col("encounter_id") == wanted)
    alike = comparable(pl.col("encounter_id")) == comparable(pl.lit(wanted))
    found = lines.filter(alike) if found.is_empty() else found
    billed = _billed(audited, alike)
    if found.is_empty() and billed.is_empty():
        raise InputError(
            "Neither the chart nor the charges have an encounter of that number. Look for it on "
            "the worklist, or compare the spelling with your export."
        )
    named = found["encounter_id"] if found.height else billed["encounter_id"]
    number = named[0]
    others = set(named.unique()) - {number}
    if others:
        raise InputError(
            f"{len(others) + 1} encounters have that number but for blanks, case or leading "
            f"zeros. Type it exactly as the chart has it."
        )
    exact = lines.filter(alike)["encounter_id"].n_unique() > 1
    if exact:
        billed = billed.filter(pl.col("encounter_id") == number)
    return Case(number, found, billed.drop("encounter_id"), one_encounter(audited.coded, number))


def one_encounter(coded: Coded, encounter_id: str) -> EncounterResult | None:
    """One encounter of a coded chart as ``code_encounter`` returns it; None if it is not there."""
    rows = coded.intake.rows.filter(pl.col("encounter_id") == encounter_id).collect(engine=_ENGINE)
    if rows.is_empty():
        return None
    intake = judged(coded.intake._replace(rows=rows.lazy()))
    facts = facts_of(intake, coded.policy).collect(engine=_ENGINE)
    alone = assemble(intake, facts.lazy(), coded.policy)
    tables = (alone.encounters, alone.lines, alone.findings, alone.refused)
    return EncounterResult(*pl.collect_all(tables, engine=_ENGINE), coded.policy, alone)


def _billed(audited: Audit, alike: pl.Expr) -> pl.DataFrame:
    parts = []
    for end, why in _ENDS.items():
        because = pl.col(why) if why else pl.lit(None, pl.String)
        table = getattr(audited, end)
        held = table.collect_schema().names()
        columns = [name if name in held else pl.lit(None).alias(name) for name in _BILLED]
        parts.append(
            table.filter(alike).select(
                "row", "encounter_id", *columns, counts=pl.lit(why is None), because=because
            )
        )
    return pl.concat(parts, how="vertical_relaxed").sort("row").collect(engine=_ENGINE)
