"""The tabs of the audit panel: from what is asked to figures and a page."""

from typing import Any, NamedTuple

import polars as pl

from subq_toolkit import charts
from subq_toolkit.audit import CLASSES, draw_sample, error_rates, extrapolate, sample_size
from subq_toolkit.charts.figure import Figure, figure
from subq_toolkit.errors import InputError
from subq_toolkit.explain import explain
from subq_toolkit.panels import audit_pages as pages
from subq_toolkit.panels.audit_case import Case, case_of
from subq_toolkit.panels.audit_case_pages import case_page, steps_page
from subq_toolkit.panels.audited_work import AuditedWork
from subq_toolkit.panels.figure_sources import cites
from subq_toolkit.panels.view_tab import View

MOST_ROWS = 100


class AskedAudit(NamedTuple):
    """What a tab answers: the audited work and the entries."""

    work: AuditedWork
    state: Any

    @property
    def audit(self) -> Any:
        """The audit at the schedule that is chosen."""
        return self.work.audit(self.state.schedule)

    @property
    def lines(self) -> pl.DataFrame:
        """Its lines."""
        return self.work.lines(self.state.schedule)

    @property
    def encounters(self) -> pl.DataFrame:
        """Its encounters."""
        return self.work.encounters(self.state.schedule)

    @property
    def caption(self) -> str:
        """Where the numbers are from."""
        return charts.audit_caption(self.audit, self.work.source)

    def drawn(self, name: str, table: pl.DataFrame) -> Figure:
        """A figure of the audit with its sources."""
        found = self.lines["class"].unique().to_list()
        sources = charts.audit_sources([one for one in CLASSES if one in found])
        return figure(name, table, encounters=self.encounters.height, sources=sources)

    def worklist(self) -> pl.DataFrame:
        """The rows of the worklist that the entries ask for."""
        state = self.state
        return self.work.chosen(state.schedule, state.order, state.found, state.risk, state.search)

    def case(self) -> Case:
        """The encounter that is typed; the first of the worklist if none is.

        Raises
        ------
        InputError
            If there is no such encounter.
        """
        wanted = self.state.encounter.strip()
        if not wanted:
            first = self.work.listed(self.state.schedule, "money")
            if first.is_empty():
                raise InputError("There is nothing to work. Type the number of an encounter.")
            wanted = first["encounter_id"][0]
        return case_of(self.audit, self.lines, wanted)


def _finding(asked: AskedAudit) -> tuple[list[Figure], str]:
    table = charts.audit_by_class_table(asked.audit, caption=asked.caption)
    page = pages.classes_page(asked.lines) + pages.counts_page(
        asked.work.ends(asked.state.schedule)
    )
    return [asked.drawn("audit_by_class", table)], page


def _groups(asked: AskedAudit) -> tuple[list[Figure], str]:
    by = asked.state.by
    name = asked.work.groups[by]
    table = charts.audit_by_group_table(asked.audit, by, name=name, caption=asked.caption)
    rates = error_rates(asked.encounters, by)
    return [asked.drawn("audit_by_group", table)], pages.groups_page(rates, name)


def _months(asked: AskedAudit) -> tuple[list[Figure], str]:
    table = charts.audit_over_time_table(asked.audit, caption=asked.caption)
    rates = error_rates(asked.encounters, "month")
    return [asked.drawn("audit_over_time", table)], pages.groups_page(rates, "month")


def _worklist(asked: AskedAudit) -> tuple[list[Figure], str]:
    return [], pages.worklist_page(asked.worklist(), MOST_ROWS)


def _case(asked: AskedAudit) -> tuple[list[Figure], str]:
    case = asked.case()
    table = charts.timeline_table(case.charted)
    told = cites(case.charted.lines, case.charted.findings) if case.charted else ()
    steps = None
    if case.charted is not None and case.charted.outcome != "refused":
        steps = explain(case.charted.coded, case.encounter_id)
    page = case_page(case) + steps_page(steps)
    return [figure("timeline", table, encounters=1, sources=told)], page


def _sample(asked: AskedAudit) -> tuple[list[Figure], str]:
    state = asked.state
    population = asked.work.to_sample(state.schedule)
    precision = state.precision / 100
    needed = sample_size(population.height, precision=precision)
    strata = [name for name in state.strata.split(",") if name]
    drawn = draw_sample(population, size=needed, seed=state.seed, strata=strata)
    totals = extrapolate(drawn, "difference_usd")
    said = f"{asked.caption} · rehearsal: amounts of the audit stand for the review"
    table = charts.audit_estimate_table(totals, caption=said)
    reviewed = int(drawn.design["sampled"].sum())
    shown = figure("audit_estimate", table, encounters=reviewed, sources=charts.audit_sources())
    return [shown], pages.design_page(drawn.design, needed, precision)


VIEWS: dict[str, View] = {
    "Finding": View(1, (), _finding),
    "By group": View(1, ("by",), _groups),
    "Over time": View(1, (), _months),
    "Worklist": View(0, ("order", "found", "risk", "search"), _worklist),
    "One case": View(1, ("encounter",), _case),
    "Sample": View(1, ("precision", "strata", "seed"), _sample),
}
