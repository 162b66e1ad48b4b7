"""From charted runs to what may be reported: encounters, lines, findings, refused rows.

The rules are Polars expressions on lazy tables: the same ones code a single encounter,
a file and a warehouse, and nothing is computed until a result is collected.
"""

from dataclasses import dataclass

import polars as pl

from subq_toolkit.administrations import accepted_rows, readable_rows, refused_rows, unread_runs
from subq_toolkit.encounter_facts import RESERVED, carried, counted_runs, encounter_facts
from subq_toolkit.errors import InputError, ReconciliationError
from subq_toolkit.findings import findings_table
from subq_toolkit.intake import Intake, take_in
from subq_toolkit.lines import claim_lines
from subq_toolkit.policy import Policy, differences
from subq_toolkit.units import UNITS, with_units

OUTCOMES = ("coded", "query", "refer", "refused")


@dataclass(frozen=True, repr=False)
class Coded:
    """What a table of charted runs may be reported as, and what became of every row.

    Attributes
    ----------
    encounters
        ``encounter_id, service_date, infusion_min, pumps, units_96369 ... units_96372,
        outcome, min_to_next_unit`` and carried columns; units are null unless coded.
    lines
        ``encounter_id, service_date, code, units, revenue_code, rule, why, cite``.
    findings
        ``encounter_id`` (null: the whole file), ``finding, severity, detail, what_to_do, cite``.
    refused
        ``row`` (1 is the first), ``encounter_id``, ``failed`` (every check it failed),
        ``unreadable`` (names of entries that a reader could not read).
    accepted
        The rows that could be read, typed, otherwise as handed in.
    policy
        The choices in force.
    facts
        One row per encounter with all that the rules looked at; for ``explain``.
    intake
        The table as it was taken in.
    """

    encounters: pl.LazyFrame
    lines: pl.LazyFrame
    findings: pl.LazyFrame
    refused: pl.LazyFrame
    accepted: pl.LazyFrame
    policy: Policy
    facts: pl.LazyFrame
    intake: Intake

    def __repr__(self) -> str:
        chosen = ", ".join(
            f"{name}={answer!r}" for name, answer in differences(self.policy).items()
        )
        return (
            f"<Coded under {f'Policy({chosen})' if chosen else 'the default policy'}: lazy tables "
            f".encounters, .lines, .findings, .refused, .accepted; .reconcile() counts rows>"
        )

    def reconcile(self) -> dict[str, int]:
        """Count rows in, and where each ended: coded, query, refer or refused.

        Raises
        ------
        ReconciliationError
            If they do not add up.
        """
        outcomes = self.facts.select("encounter_id", "outcome")
        ended = self.accepted.group_by("encounter_id").len().join(outcomes, on="encounter_id")
        rows_in, by_outcome, refused = pl.collect_all(
            [
                self.intake.rows.select(pl.len()),
                ended.group_by("outcome").agg(pl.col("len").sum()),
                self.refused.select(pl.len()),
            ]
        )
        counts = dict.fromkeys(OUTCOMES, 0) | dict(by_outcome.rows())
        counts["refused"] = refused.item()
        if sum(counts.values()) != rows_in.item():
            raise ReconciliationError(rows_in.item(), sum(counts.values()))
        return {"rows_in": rows_in.item(), **counts}


def code_administrations(
    administrations: pl.DataFrame | pl.LazyFrame,
    *,
    policy: Policy | None = None,
    facility_zone: str | None = None,
) -> Coded:
    """Code a table of charted runs; nothing is computed until a result is collected.

    Parameters
    ----------
    administrations
        One row per charted run; see ``administrations.COLUMNS``.
    policy
        The choices on which sources disagree; the default is made for an audit.
    facility_zone
        Zone of times that carry none, e.g. ``"America/New_York"``.

    Raises
    ------
    InputError
        If the table cannot be used at all; see ``accept``. Single rows never raise: they
        are in ``refused``.
    """
    policy = checked(policy)
    intake = take_in(administrations, facility_zone=facility_zone)
    return assemble(intake, facts_of(intake, policy), policy)


def checked(policy: Policy | None) -> Policy:
    """The policy to use; the default if none is given."""
    if policy is not None and not isinstance(policy, Policy):
        raise InputError(
            f"policy is a Policy, not a {type(policy).__name__}: "
            f"write Policy(...) or policy_preset('audit_ready')."
        )
    return policy or Policy()


def facts_of(intake: Intake, policy: Policy) -> pl.LazyFrame:
    """One row per encounter with its facts, units and outcome."""
    facts = encounter_facts(intake, readable_rows(intake), policy)
    return with_units(facts, intake.zone, policy)


def assemble(intake: Intake, facts: pl.LazyFrame, policy: Policy) -> Coded:
    """Put the results together from the facts of the encounters, computed or not."""
    runs = counted_runs(readable_rows(intake), policy)
    shared = facts.cache()
    return Coded(
        encounters=_encounters(shared, intake),
        lines=claim_lines(shared, runs, intake.zone, policy),
        findings=findings_table(shared, runs, unread_runs(intake), intake, policy),
        refused=refused_rows(intake),
        accepted=accepted_rows(intake),
        policy=policy,
        facts=facts,
        intake=intake,
    )


def _encounters(facts: pl.LazyFrame, intake: Intake) -> pl.LazyFrame:
    known, coded = pl.col("outcome") != "query", pl.col("outcome") == "coded"
    columns = {
        "service_date": pl.col("service_date"),
        "infusion_min": pl.when(known).then(pl.col("_minutes")),
        "pumps": pl.col("_pumps").cast(pl.Int64),
        **{name: pl.when(coded).then(pl.col(fact)) for name, fact in UNITS.items()},
        "outcome": pl.col("outcome"),
        "min_to_next_unit": pl.when(known & (pl.col("_runs") > 0)).then(pl.col("_to_next")),
    }
    kept = (columns[name].alias(name) for name in RESERVED)
    return facts.select("encounter_id", *kept, *carried(intake)).sort("encounter_id")
