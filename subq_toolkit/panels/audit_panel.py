"""The panel of an audit: who is over, who is under, why, what to do, and what to review."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import ipywidgets as w
import polars as pl

from subq_toolkit.audit import Audit, read_verdicts, write_worklist
from subq_toolkit.audit.amounts import BY_SETTING, Schedule
from subq_toolkit.charges import ChargeReading
from subq_toolkit.coding import Coded
from subq_toolkit.errors import InputError, SubqError
from subq_toolkit.panels.audit_pages import verdicts_page
from subq_toolkit.panels.audit_views import VIEWS, AskedAudit
from subq_toolkit.panels.audited_work import AuditedWork
from subq_toolkit.panels.html_parts import note, text
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


@dataclass(frozen=True)
class AuditState:
    """All that is chosen in the audit panel.

    Attributes
    ----------
    schedule
        What billed and supported are valued at; empty: as the panel was opened.
    by
        The column whose values are the groups; empty: the first that is charted.
    order, found, risk, search
        Of the worklist: what comes first, the class (empty: all errors), the risk (empty: all),
        and words of an encounter or claim number.
    encounter
        The case that is shown; empty: the first of the worklist.
    precision
        To within how many percent a rate of errors is to be told. [%]
    strata, seed
        Of the sample: columns that make the strata, comma separated, and the seed.
    """

    schedule: str = ""
    by: str = ""
    order: str = "money"
    found: str = ""
    risk: str = ""
    search: str = ""
    encounter: str = ""
    precision: int = 5
    strata: str = "class"
    seed: int = 2026


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
        super().__init__(opening, self._own_entries(), VIEWS, top=("schedule",), name="audit")
        self.list_name = text_entry("Save the list as", 220, "worklist.xlsx", "A file name")
        self.list_name.value = "worklist.xlsx"
        self.list_button = w.Button(description="Save the list (Excel)")
        self.list_button.tooltip = "All rows that are listed, with a column for the verdict"
        self.list_said = w.HTML()
        self.list_button.on_click(lambda _button: self.save_worklist())
        self.verdicts_name = text_entry("Reviewed list", 220, "worklist.xlsx", "A file name")
        self.verdicts_button = w.Button(description="Read the verdicts")
        self.verdicts_button.tooltip = "Compare what reviewers decided with the audit"
        self.verdicts_button.on_click(lambda _button: self.read_verdicts())
        self.verdicts = None
        row = w.HBox([self.list_name, self.list_button, self.verdicts_name, self.verdicts_button])
        row.add_class("sq-fields")
        listed = self.parts["Worklist"]
        own, *rest = listed.children
        listed.children = [own, row, self.list_said, *rest]

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
        try:
            name = self.list_name.value.strip()
            if not re.fullmatch(r"[^/\\:*?\"<>|]+\.xlsx", name, re.IGNORECASE):
                raise InputError("Type a plain file name that ends in .xlsx, without a folder.")
            asked = self.asked()
            rows = asked.lines.join(
                asked.worklist().select(_KEY), on=_KEY, how="semi", nulls_equal=True
            )
            written = write_worklist(rows, Path(name), order=self.state.order, which="open")
        except SubqError as refused:
            self.list_said.value = note(str(refused))
            return
        where = text(Path(written or name).resolve())
        said = f"Saved: {where}. It names encounters: keep it where such lists belong."
        self.list_said.value = f'<p class="sq-quiet" role="status">{said}</p>'

    def read_verdicts(self) -> None:
        """Read a reviewed list back and hold it against the audit; says what it holds."""
        try:
            self.verdicts = read_verdicts(
                self.verdicts_name.value.strip(), self.asked().lines, which="open"
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
            "schedule": choice_entry("Valued at", 300, work.schedules),
            "by": choice_entry("Groups", 200, groups),
            "order": choice_entry("First comes", 140, _ORDERS),
            "found": choice_entry("Class", 300, work.classes),
            "risk": choice_entry("Risk", 120, _RISKS),
            "search": text_entry("Search", 220, "encounter or claim", "Parts of a number"),
            "encounter": text_entry("Encounter", 220, "from the worklist", "Its number"),
            "precision": slider_entry("Rate to within ± [%]", 1, 20),
            "strata": choice_entry("Strata", 190, _STRATA),
            "seed": _seed_entry(),
        }


def _seed_entry() -> w.BoundedIntText:
    entry = w.BoundedIntText(min=0, max=2**31 - 1, description="Seed")
    entry.tooltip = "The same seed draws the same encounters"
    entry.layout.width, entry.style.description_width = "130px", "auto"
    entry.add_class("sq-field")
    return entry
