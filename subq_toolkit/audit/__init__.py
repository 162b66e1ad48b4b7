"""Billed against supported: who is over, who is under, by how much, why, and what to do.

``audit`` holds charges against a coded chart. Nothing is lost on the way: every charge row is
compared, set aside, superseded or refused, and every encounter of the chart appears.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from subq_toolkit.audit.amounts import BY_SETTING, Schedule, with_amounts
from subq_toolkit.audit.billed import set_aside
from subq_toolkit.audit.charge_lines import charge_lines, write_charge_lines
from subq_toolkit.audit.charted import charted
from subq_toolkit.audit.classes import CLASSES, classified
from subq_toolkit.audit.comparison import compared
from subq_toolkit.audit.credits import netted
from subq_toolkit.audit.error_rates import error_rates, errors_by_class
from subq_toolkit.audit.extrapolation import extrapolate
from subq_toolkit.audit.filing import checked_limits, with_deadlines
from subq_toolkit.audit.lost_charges import with_lost_charges
from subq_toolkit.audit.matching import keyed, linked, with_key
from subq_toolkit.audit.outcome import audited_encounters, audited_lines
from subq_toolkit.audit.review_sample import draw_sample, sample_size, sample_size_money
from subq_toolkit.audit.service_days import due_days, with_days
from subq_toolkit.audit.standing_charges import sent_again, standing_charges, with_guesses
from subq_toolkit.audit.verdicts import read_verdicts
from subq_toolkit.audit.worklist import worklist
from subq_toolkit.audit.worklist_file import write_worklist
from subq_toolkit.charges import COLUMNS, ChargeReading, accept_charges
from subq_toolkit.coding import Coded
from subq_toolkit.errors import InputError, ReconciliationError

__all__ = [
    "CLASSES",
    "Audit",
    "audit",
    "charge_lines",
    "draw_sample",
    "error_rates",
    "errors_by_class",
    "extrapolate",
    "read_verdicts",
    "sample_size",
    "sample_size_money",
    "worklist",
    "write_charge_lines",
    "write_worklist",
]


@dataclass(frozen=True, repr=False)
class Audit:
    """What was billed held against what the chart supports.

    The tables are LazyFrames; ``lines`` and what it was made from are held in memory.

    Attributes
    ----------
    lines
        One row per encounter and code that was billed or is supported: ``encounter_id,
        service_date, code, billed_units, supported_units`` (null: not judged),
        ``difference_units`` [1], ``class, direction`` (``over, under, even, not judged``),
        ``billed_usd, supported_usd, difference_usd`` (at the schedule; null: no price known),
        ``charge_usd, paid_usd`` (as in the extract) [USD], ``reason, what_to_do, cite, risk,
        file_by, days_left`` [d] (null: no limit of the payer is stated), ``payer, department,
        setting, coder, claim_ids, outcome`` (of the chart; null: not in it),
        ``infusion_min`` [min].
    encounters
        One row per encounter with a line, by its gravest: ``encounter_id, service_date, class,
        classes, direction, billed_usd, supported_usd, difference_usd, risk, days_left, payer,
        department, setting, coder, outcome, infusion_min``.
    superseded
        Charge rows that a later claim undid, with ``superseded_by``. Of these tables of charge
        rows, ``row`` finds a row again in the extract with all its columns.
    set_aside
        Charge rows of codes that are not compared, with ``set_aside_because``.
    refused
        Charge rows that could not be read: ``row, encounter_id, failed, unreadable, code,
        frequency``.
    compared
        Charge rows that are in ``lines``.
    coded
        The chart as it was coded.
    terms
        In words: at which schedule, counted from which day.
    """

    lines: pl.LazyFrame
    encounters: pl.LazyFrame
    superseded: pl.LazyFrame
    set_aside: pl.LazyFrame
    refused: pl.LazyFrame
    compared: pl.LazyFrame
    charges: pl.LazyFrame
    coded: Coded
    terms: str

    def __repr__(self) -> str:
        return (
            f"<Audit, {self.terms}: lazy tables .lines, .encounters, .superseded, .set_aside, "
            f".refused, .compared; .reconcile() counts charge rows>"
        )

    def reconcile(self) -> dict[str, int]:
        """Count charge rows in, and where each ended.

        Raises
        ------
        ReconciliationError
            If they do not add up.
        """
        ends = ("compared", "set_aside", "superseded", "refused")
        counted = pl.collect_all(
            [self.charges.select(pl.len()), *(getattr(self, end).select(pl.len()) for end in ends)]
        )
        rows_in, *ended = (one.item() for one in counted)
        if sum(ended) != rows_in:
            raise ReconciliationError(rows_in, sum(ended))
        return {"rows_in": rows_in, **dict(zip(ends, ended, strict=True))}


def audit(
    coded: Coded,
    charges: pl.DataFrame | pl.LazyFrame | ChargeReading,
    *,
    schedule: Schedule = BY_SETTING,
    locality: str | None = None,
    filing: Mapping[str, int] | None = None,
    on: date | None = None,
) -> Audit:
    """Hold what was billed against what the chart supports.

    Parameters
    ----------
    coded
        The chart, as ``code_administrations`` returns it; its policy decides what is supported.
    charges
        Charge or claim lines; see ``charges.COLUMNS``, or what ``read_charges`` returns.
    schedule, locality
        What both sides are valued at: ``by_setting`` (work with a revenue code at the outpatient
        system, all other at the physician schedule), or one of those that ``price`` takes.
    filing
        Days after the date of service in which a claim may be corrected, by payer; ``"*"``
        for payers without a limit of their own. Limits of Medicare and Medicaid are known.
    on
        The day from which days left are counted; today by default.

    Notes
    -----
    Encounters are matched by number (blanks, case and leading zeros do not matter unless two
    encounters of the chart would then be the same) and by date, one day off at most. Charges
    that were voided, replaced or credited do not count; of denied units those count that the
    chart supports and no other line holds. Units of a code are added up over the claims of an
    encounter; of several payers the one that was asked for most counts, and the reason says so.
    A credit takes from its own payer. ``parameters/audit_classes.toml`` says what a class means.

    Raises
    ------
    InputError
        If the charges cannot be used at all, a limit is no number of days, or the schedule is
        unknown. Single rows never raise: they are in ``refused``.
    """
    if not isinstance(coded, Coded):
        raise InputError(
            f"Hand in the coded chart first, e.g. audit(code_administrations(rows), charges); "
            f"this is a {type(coded).__name__}."
        )
    limits, on = checked_limits(filing), on or date.today()
    given = charges.charges if isinstance(charges, ChargeReading) else charges
    accepted, refused = accept_charges(given)
    own = [*COLUMNS, "_row"]
    accepted, refused = accepted.select(own), _held(refused)
    chart = _held(keyed(charted(coded)).with_row_index("_n"))
    chart, lost = with_lost_charges(chart, refused)
    chart = _held(chart)
    standing, superseded = standing_charges(_held(with_key(accepted, chart)))
    chart = _held(with_guesses(chart, superseded))
    standing, again = sent_again(_held(netted(standing)))
    superseded = pl.concat([superseded, again.select(superseded.collect_schema().names())])
    comparable, aside = set_aside(_held(linked(standing, chart)))
    comparable = _held(with_days(comparable, chart, due_days(coded, chart)))
    rows = _held(classified(_held(compared(comparable, chart, lost, aside))))
    priced = with_amounts(rows, schedule=schedule, locality=locality)
    rows = _held(with_deadlines(priced, filing=limits, on=on))
    return Audit(
        lines=audited_lines(rows),
        encounters=audited_encounters(rows),
        superseded=_traced(superseded, *own, "superseded_by"),
        set_aside=_traced(aside, *own, "set_aside_because"),
        refused=refused,
        compared=_traced(comparable, *own),
        charges=given.lazy(),
        coded=coded,
        terms=_terms(schedule, locality, on),
    )


def _held(table: pl.LazyFrame) -> pl.LazyFrame:
    """Work a table out and hold it in memory.

    One plan of the whole audit is more than the optimiser of Polars 2.1 takes (it panics).
    """
    return table.collect().lazy()


def _traced(charges: pl.LazyFrame, *columns: str) -> pl.LazyFrame:
    """Charge rows in their order, with their number in the extract as ``row``."""
    return charges.select(columns).sort("_row").rename({"_row": "row"})


def _terms(schedule: Schedule, locality: str | None, on: date) -> str:
    """At which schedule, in words, and from which day days are counted."""
    if schedule == BY_SETTING:
        said = "hospital lines at opps, all others at mpfs"
    else:
        said = f"at {getattr(schedule, 'name', schedule)}"
    return f"{said}{f', locality {locality}' if locality else ''}, days counted from {on}"
