"""One encounter, typed in by hand: the same rules as for a table, computed at once."""

import html
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from subq_toolkit.administrations import judged
from subq_toolkit.charted_run import Administration, as_frame, runs_given
from subq_toolkit.coding import Coded, assemble, checked, facts_of
from subq_toolkit.documentation import checklist
from subq_toolkit.effective import read_parameters
from subq_toolkit.errors import InputError
from subq_toolkit.explain import explain, paragraph, refused_steps
from subq_toolkit.intake import take_in
from subq_toolkit.policy import Policy

#: For a handful of rows the streaming engine takes twice as long to start.
_ENGINE = "in-memory"


@dataclass(frozen=True)
class EncounterResult:
    """What one encounter may be reported as, and why.

    Attributes
    ----------
    encounter
        The row of the encounters table, as a frame.
    lines, findings, refused
        Frames; the columns are those of ``coding.Coded``.
    policy
        The choices in force.
    """

    encounter: pl.DataFrame
    lines: pl.DataFrame
    findings: pl.DataFrame
    refused: pl.DataFrame
    policy: Policy
    coded: Coded

    @property
    def units(self) -> dict[str, int]:
        """Code to units, for codes with at least one unit."""
        totals = self.lines.group_by("code", maintain_order=True).agg(pl.col("units").sum())
        return dict(totals.sort("code").rows())

    @property
    def infusion_min(self) -> int | None:
        """Counted minutes, or None while a start or stop is missing. [min]"""
        return self._value("infusion_min")

    @property
    def outcome(self) -> str:
        """``coded``, ``query``, ``refer``, or ``refused`` if no row could be read."""
        return self._value("outcome") or "refused"

    @property
    def min_to_next_unit(self) -> int | None:
        """Minutes missing to the next unit. [min]"""
        return self._value("min_to_next_unit")

    def _value(self, name: str) -> object:
        return None if self.encounter.is_empty() else self.encounter.item(0, name)

    @property
    def encounter_id(self) -> str | None:
        """The encounter's name, or None if no row could be read."""
        return self._value("encounter_id")

    def explain(self) -> pl.DataFrame:
        """Every step from charted times to units; columns as ``explain.explain`` gives them."""
        if self.encounter.is_empty():
            return refused_steps(self.refused)
        return explain(self.coded, self.encounter_id)

    @property
    def explanation(self) -> str:
        """The same in one paragraph, fit for a note."""
        return paragraph(self.explain(), self.lines, self.findings, self.outcome)

    def checklist(self) -> pl.DataFrame:
        """What the chart must hold, what is there, and what each gap costs."""
        return checklist(self.coded, self.encounter_id or "")

    def __repr__(self) -> str:
        units = ", ".join(f"{code} x{count}" for code, count in self.units.items()) or "no units"
        minutes = "minutes unknown" if self.infusion_min is None else f"{self.infusion_min} min"
        return f"<EncounterResult: {self.outcome}, {minutes}, {units}, findings: {self._found()}>"

    def _found(self) -> str:
        return ", ".join(self.findings["finding"]) or "none"

    def _repr_html_(self) -> str:
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(str(cell or ''))}</td>" for cell in row) + "</tr>"
            for row in self.lines.select("code", "units", "revenue_code", "why").rows()
        )
        return (
            f"<p>{html.escape(self.explanation)}</p>"
            f"<table><thead><tr><th>code</th><th>units</th><th>revenue code</th><th>why</th></tr>"
            f"</thead><tbody>{rows}</tbody></table>"
        )


def code_encounter(
    administrations: Iterable[Administration],
    *,
    policy: Policy | None = None,
    facility_zone: str | None = None,
) -> EncounterResult:
    """Code the charted runs of one encounter.

    Parameters
    ----------
    administrations
        The runs; all of one encounter.
    policy, facility_zone
        As for ``code_administrations``.

    Raises
    ------
    InputError
        If there is no run, there are several encounters, or some times carry a zone and
        others do not.
    """
    policy = checked(policy)
    administrations = runs_given(administrations)
    if not administrations:
        raise InputError("code_encounter needs at least one Administration; none was given.")
    if len({one.encounter_id for one in administrations}) > 1:
        raise InputError(
            "code_encounter takes the runs of one encounter; several encounter_id were given. "
            "Use code_administrations(frame) for many."
        )
    frame, zone = as_frame(administrations, facility_zone)
    intake = judged(take_in(frame, facility_zone=zone))
    facts = facts_of(intake, policy).collect(engine=_ENGINE)
    _warn_if_due(facts)
    coded = assemble(intake, facts.lazy(), policy)
    tables = (coded.encounters, coded.lines, coded.findings, coded.refused)
    encounter, lines, findings, refused = pl.collect_all(tables, engine=_ENGINE)
    return EncounterResult(encounter, lines, findings, refused, policy, coded)


def _warn_if_due(facts: pl.DataFrame) -> None:
    time_rules = read_parameters("infusion_time")
    for day in facts["service_date"].drop_nulls().unique():
        for name in ("initial_hour_at_least", "additional_hour_more_than"):
            time_rules[name].on(day)
