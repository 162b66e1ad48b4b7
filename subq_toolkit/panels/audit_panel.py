"""The panel of an audit: who is over, who is under, why, what to do, and what to review."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import ipywidgets as w
import polars as pl

from subq_toolkit.audit import Audit, read_verdicts, write_worklist
from subq_toolkit.audit.amounts import BY_SETTING, Schedule
from subq_toolkit.charges import ChargeReading
from subq_toolkit.coding import Coded
from subq_toolkit.errors import SubqError
from subq_toolkit.panels.audit_lists import WrittenList
from subq_toolkit.panels.audit_review_pages import verdicts_page
from subq_toolkit.panels.audit_state import AuditState
from subq_toolkit.panels.audit_views import MOST_ROWS, VIEWS, AskedAudit
from subq_toolkit.panels.audited_work import AuditedWork
from subq_toolkit.panels.html_parts import note, text
from subq_toolkit.panels.panel_look import busy
from subq_toolkit.panels.section import choice_entry, slider_entry, text_entry
from subq_toolkit.panels.tabbed_panel import TabbedPanel

_KEY = ["encounter_id", "service_date", "code"]
_ORDERS = [("money", "money"), ("risk", "risk"), ("days left", "deadline")]
_RISKS = [("all", ""), ("high", "high"), ("medium", "medium"), ("low", "low")]
_STRATA = [
    ("class", "class"),
    ("class and payer", "class,payer"),
    ("payer", "payer"),
    ("department", "department"),
    ("none", ""),
]


class AuditPanel(TabbedPanel):
    """Hold what was billed against what the chart supports, and work what is found.

    Parameters
    ----------
    given
        What ``code_administrations`` returned, or a table of charted runs; the bundled invented
        export, with its charges, by default.
    charges
        Charge or claim lines, or what ``read_charges`` returned.
    schedule, locality, filing, on
        As for ``audit``.
    source
        What the work is, for the line under each chart.
    facility_zone
        Zone of times that carry none, for a table of charted runs.
    state
        What another panel's ``state`` held.

    Raises
    ------
    InputError
        If chart or charges cannot be used, or the state holds what its entries do not offer.
    """

    def __init__(
        self,
        given: Coded | pl.DataFrame | pl.LazyFrame | None = None,
        charges: pl.DataFrame | pl.LazyFrame | ChargeReading | None = None,
        *,
        schedule: Schedule = BY_SETTING,
        locality: str | None = None,
        filing: Mapping[str, int] | None = None,
        on: date | None = None,
        source: str = "",
        facility_zone: str | None = None,
        state: AuditState | None = None,
    ) -> None:
        self.work = AuditedWork(
            given,
            charges,
            schedule=schedule,
            locality=locality,
            filing=filing,
            on=on,
            source=source,
            facility_zone=facility_zone,
        )
        opening = state or AuditState()
        opening = replace(
            opening,
            schedule=opening.schedule or self.work.opening,
            by=opening.by or next(iter(self.work.groups)),
        )
        self.terms = w.HTML()
        super().__init__(opening, self._own_entries(), VIEWS, top=("schedule",), name="audit")
        self._add_lists()
        self._add_steps()
        self.parts["Finding"].add_class("sq-beside")
        style, above, *rest = self.children
        self.children = [style, above, self.terms, *rest]

    def _add_lists(self) -> None:
        """Put the rows by which lists go out and come back into their tabs."""
        self.verdicts = None
        self.verdicts_name = text_entry("Reviewed list", 220, "worklist.xlsx", "A file name")
        self.verdicts_button = w.Button(description="Read the verdicts")
        self.verdicts_button.tooltip = "Compare what reviewers decided with the audit"
        self.verdicts_button.on_click(lambda _button: self.read_verdicts())
        self.written = WrittenList(
            "worklist.xlsx",
            button="Save the worklist (Excel)",
            tip="All rows that are listed, with a column for the verdict",
            write=self._write_listed,
            beside=[self.verdicts_name, self.verdicts_button],
        )
        self.sample_written = WrittenList(
            "sample.xlsx",
            button="Save the sample (Excel)",
            tip="Every code of the encounters drawn, also those that agree, for review",
            write=self._write_sample,
        )
        self.list_name, self.list_said = self.written.name, self.written.said
        for tab, row in (("Worklist", self.written), ("Sample", self.sample_written)):
            own, *rest = self.parts[tab].children
            self.parts[tab].children = [own, row, *rest]

    def _add_steps(self) -> None:
        """Put buttons that go through the worklist beside the encounter."""
        self.step_buttons = {}
        for name, by in (("Previous", -1), ("Next", 1)):
            button = w.Button(description=name, tooltip=f"The {name.lower()} one of the worklist")
            button.on_click(lambda _button, by=by: self.step(by))
            self.step_buttons[name] = button
        own = self.parts["One case"].children[0]
        own.children = [*own.children, *self.step_buttons.values()]

    @property
    def audit(self) -> Audit:
        """The audit at the schedule that is chosen."""
        return self.asked().audit

    def worklist(self) -> pl.DataFrame:
        """All rows of the worklist that the entries ask for."""
        return self.asked().worklist()

    def data(self) -> dict[str, pl.DataFrame]:
        """The numbers under the charts of the open tab; of the worklist its rows."""
        held = super().data()
        return held | {"worklist": self.worklist()} if self.opened == "Worklist" else held

    def save_worklist(self) -> None:
        """Write the rows that are listed; says where, or why not."""
        self.written.save()

    def _write_listed(self, path: Path) -> Path:
        asked = self.asked()
        keys = asked.worklist().select(_KEY)
        rows = asked.lines.join(keys, on=_KEY, how="semi", nulls_equal=True)
        listed = replace(asked.audit, lines=rows.lazy())
        return write_worklist(listed, path, order=self.state.order, which="open", on=self.work.on)

    def _write_sample(self, path: Path) -> Path:
        drawn = self.asked().sample()
        return write_worklist(self.audit, path, which="all", only=drawn, on=self.work.on)

    def step(self, by: int) -> None:
        """Go so many encounters on along the worklist; at either end stay there."""
        asked = self.asked()
        cases, shown = asked.cases(), self.state.encounter.strip() or asked.first_case
        if cases:
            at = cases.index(shown) + by if shown in cases else 0
            self.entries["encounter"].value = cases[min(max(at, 0), len(cases) - 1)]

    def adapt(self, name: str) -> None:
        """Say the terms anew; offer the encounters of the worklist as it is listed now."""
        if name == "schedule":
            said = text(self.work.terms(self.entries["schedule"].value))
            self.terms.value = f'<p class="sq-quiet">{said}</p>'
        if name not in ("schedule", "order", "found", "risk", "search"):
            return
        self._answered.discard("One case")
        with busy(self):
            try:
                cases, first = self.asked().cases()[:MOST_ROWS], self.asked().first_case
            except SubqError:  # the tab that is open says why
                cases, first = [], ""
        self.entries["encounter"].options = cases
        self.entries["encounter"].placeholder = first

    def read_verdicts(self) -> None:
        """Read a reviewed list back and hold it against the audit; says what it holds."""
        try:
            self.verdicts = read_verdicts(
                self.verdicts_name.value.strip(), self.asked().lines, which="all"
            )
        except SubqError as refused:
            self.list_said.value = note(str(refused))
            return
        self.list_said.value = verdicts_page(self.verdicts)

    def asked(self) -> AskedAudit:
        """The audited work and the entries."""
        return AskedAudit(self.work, self.state)

    def _own_entries(self) -> dict[str, w.ValueWidget]:
        work = self.work
        groups = [(words, name) for name, words in work.groups.items()]
        return {
            "schedule": choice_entry("Valued at", 300, work.schedules, "What both sides are worth"),
            "by": choice_entry("Groups", 200, groups, "Whose errors are told apart"),
            "order": choice_entry("First comes", 140, _ORDERS, "What is listed first"),
            "found": choice_entry("Class", 300, work.classes, "What was found"),
            "risk": choice_entry("Risk", 120, _RISKS, "How urgent a class is"),
            "search": text_entry("Search", 220, "encounter or claim", "Parts of a number"),
            "encounter": _encounter_entry(),
            "precision": slider_entry("Rate to within ± [percentage points]", 1, 20, 420),
            "strata": choice_entry("Strata", 190, _STRATA, "What is drawn from separately"),
            "seed": _seed_entry(),
        }


def _encounter_entry() -> w.Combobox:
    entry = w.Combobox(description="Encounter", continuous_update=False)
    entry.tooltip = "A number, typed or chosen; empty: the first of the worklist"
    entry.layout.width, entry.style.description_width = "220px", "auto"
    entry.add_class("sq-field")
    return entry


def _seed_entry() -> w.BoundedIntText:
    entry = w.BoundedIntText(min=0, max=2**31 - 1, description="Seed")
    entry.tooltip = "The same seed draws the same encounters"
    entry.layout.width, entry.style.description_width = "130px", "auto"
    entry.add_class("sq-field")
    return entry
