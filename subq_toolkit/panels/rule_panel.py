"""The panel of rules and sources: every number, when to read it again, who says otherwise."""

from dataclasses import dataclass, replace
from datetime import date

import ipywidgets as w
import polars as pl

from subq_toolkit.coding import Coded
from subq_toolkit.effective import STANDINGS
from subq_toolkit.numbers_in_use import numbers_in_use
from subq_toolkit.panels.loaded_work import LoadedWork
from subq_toolkit.panels.rule_views import VIEWS, AskedRules
from subq_toolkit.panels.section import choice_entry, text_entry
from subq_toolkit.panels.tabbed_panel import TabbedPanel
from subq_toolkit.scenarios import MinuteSummary

_ONLY = ("all", "in effect", "due for review")


@dataclass(frozen=True)
class RuleState:
    """All that is chosen in the panel of rules and sources.

    Attributes
    ----------
    on
        The day on which values are looked at, as ``2026-03-02``.
    subject, standing
        What is shown of the numbers; empty: all.
    only
        ``all``, ``in effect`` or ``due for review`` on that day.
    search
        Words that must all stand in a number's name, value, source or note.
    """

    on: str = ""
    subject: str = ""
    standing: str = ""
    only: str = "all"
    search: str = ""


class RulePanel(TabbedPanel):
    """Look up every number in use, its source and standing, and where sources disagree.

    Parameters
    ----------
    given
        The work on which the effect of each answer is shown: what ``code_administrations``
        returned, a table of charted runs, or a ``MinuteSummary``, which shows no effect; the
        bundled invented export by default.
    source
        What the work is, for the line under each chart.
    facility_zone
        Zone of times that carry none, for a table of charted runs.
    state
        What another panel's ``state`` held; the day is today by default.

    Raises
    ------
    InputError
        If the work cannot be used, or the state holds what its entries do not offer.
    """

    def __init__(
        self,
        given: Coded | MinuteSummary | pl.DataFrame | pl.LazyFrame | None = None,
        *,
        source: str = "",
        facility_zone: str | None = None,
        state: RuleState | None = None,
    ) -> None:
        self.work = LoadedWork(given, source=source, facility_zone=facility_zone)
        opening = state or RuleState()
        opening = replace(opening, on=opening.on or str(date.today()))
        top = ("search", "subject", "standing", "only", "on")
        super().__init__(opening, _entries(), VIEWS, top=top, name="rules_and_sources")

    def numbers(self) -> pl.DataFrame:
        """The numbers that the entries ask for, as ``numbers_in_use`` returns them."""
        return self.asked().numbers()

    def asked(self) -> AskedRules:
        """The work and the entries."""
        return AskedRules(self.work, self.state, self.tell_progress)


def _entries() -> dict[str, w.ValueWidget]:
    subjects = numbers_in_use()["subject"].unique().sort()
    return {
        "search": text_entry("Search", 230, "96370, Hizentra, locality …", "Words, in any order"),
        "subject": choice_entry("Subject", 220, [("all", ""), *((one, one) for one in subjects)]),
        "standing": choice_entry("Standing", 160, [("all", ""), *((s, s) for s in STANDINGS)]),
        "only": choice_entry("Show", 170, [(one, one) for one in _ONLY]),
        "on": text_entry("On", 120, "2026-03-02", "The day on which values are looked at"),
    }
