"""The tabs of the audit panel: from what is asked to figures and a page."""

from typing import Any, NamedTuple

import polars as pl

from subq_toolkit import charts
from subq_toolkit.audit import CLASSES, draw_sample, error_rates, extrapolate, sample_size
from subq_toolkit.audit.review_sample import ReviewSample
from subq_toolkit.charts.figure import Figure, figure
from subq_toolkit.effective import read_parameters
from subq_toolkit.errors import InputError
from subq_toolkit.explain import explain
from subq_toolkit.panels import audit_pages as pages
from subq_toolkit.panels.audit_case import Case, case_of
from subq_toolkit.panels.audit_case_pages import case_page, steps_page
from subq_toolkit.panels.audit_number_pages import counts_page, encounters_page, numbers_page
from subq_toolkit.panels.audit_review_pages import design_page
from subq_toolkit.panels.audited_work import AuditedWork
from subq_toolkit.panels.figure_sources import cites
from subq_toolkit.panels.view_tab import View

MOST_ROWS = 200
_LEAST = int(read_parameters("review_sampling")["least_sampled"].values[-1].value)


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

    def cases(self) -> list[str]:
        """The encounters of the worklist in its order, each once."""
        return self.worklist()["encounter_id"].unique(maintain_order=True).to_list()

    @property
    def first_case(self) -> str:
        """The encounter that is shown while none is typed; empty if there is none to work."""
        found = self.cases() or self.work.listed(self.state.schedule, "money")["encounter_id"]
        return found[0] if len(found) else ""

    def case(self) -> Case:
        """The encounter that is typed; the first of the worklist if none is.

        Raises
        ------
        InputError
            If there is no such encounter.
        """
        wanted = self.state.encounter.strip() or self.first_case
        if not wanted:
            raise InputError("There is nothing to work. Type the number of an encounter.")
        return case_of(self.audit, self.lines, wanted)

    def population(self) -> pl.DataFrame:
        """The encounters that a sample is drawn from."""
        return self.work.to_sample(self.state.schedule)

    def sample(self) -> ReviewSample:
        """The sample that is asked for: as large as the precision needs, and some of each stratum.

        Raises
        ------
        InputError
            If there is no encounter to draw from.
        """
        state, population = self.state, self.population()
        if population.is_empty():
            raise InputError("No encounter was judged and has a price: there is none to draw from.")
        strata = [name for name in state.strata.split(",") if name]
        needed = sample_size(population.height, precision=state.precision / 100)
        sizes = population.group_by(strata).len()["len"] if strata else pl.Series([0])
        some = sizes.clip(upper_bound=_LEAST).sum()
        return draw_sample(population, size=max(needed, some), seed=state.seed, strata=strata)


def _finding(asked: AskedAudit) -> tuple[list[Figure], str]:
    schedule = asked.state.schedule
    table = charts.audit_by_class_table(asked.audit, caption=asked.caption)
    rates = error_rates(asked.encounters).row(0, named=True)
    classes = dict(asked.encounters["class"].value_counts().rows())
    page = numbers_page(rates) + encounters_page(classes)
    page += counts_page(asked.work.ends(schedule), asked.work.reasons(schedule))
    return [asked.drawn("audit_by_class", table)], page


def _classes(asked: AskedAudit) -> tuple[list[Figure], str]:
    return [], pages.classes_page(asked.lines)


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
    drawn = asked.sample()
    totals = extrapolate(drawn, "difference_usd")
    said = f"{asked.caption} · rehearsal: amounts of the audit stand for the review"
    table = charts.audit_estimate_table(totals, caption=said)
    reviewed = int(drawn.design["sampled"].sum())
    shown = figure("audit_estimate", table, encounters=reviewed, sources=charts.audit_sources())
    return [shown], design_page(drawn, totals, asked.state.precision)


VIEWS: dict[str, View] = {
    "Finding": View(1, (), _finding),
    "By class": View(0, (), _classes),
    "By group": View(1, ("by",), _groups),
    "Over time": View(1, (), _months),
    "Worklist": View(0, ("order", "found", "risk", "search"), _worklist),
    "One case": View(1, ("encounter",), _case),
    "Sample": View(1, ("precision", "strata", "seed"), _sample),
}
