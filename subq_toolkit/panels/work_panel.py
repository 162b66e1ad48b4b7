"""What panels of charted work have in common: the work, its groups, and the one that is shown."""

from dataclasses import replace
from typing import Any

import ipywidgets as w
import polars as pl

from subq_toolkit.coding import Coded
from subq_toolkit.panels.asked_work import AskedWork
from subq_toolkit.panels.loaded_work import LoadedWork
from subq_toolkit.panels.section import choice_entry
from subq_toolkit.panels.tabbed_panel import TabbedPanel
from subq_toolkit.panels.view_tab import View
from subq_toolkit.scenarios import MinuteSummary


class WorkPanel(TabbedPanel):
    """A panel of charted work, divided by groups of which one can be shown alone.

    Parameters
    ----------
    given
        What ``code_administrations`` returned, a table of charted runs, or a ``MinuteSummary``
        that keeps ``month`` and the groups apart: tabs that look at single encounters then say
        so; the bundled invented export by default.
    source
        What the work is, for the line under each chart.
    facility_zone
        Zone of times that carry none, for a table of charted runs.
    state
        What another panel's ``state`` held.

    Raises
    ------
    InputError
        If the work cannot be used, or the state holds what its entries do not offer.
    """

    #: The tabs, and how a saved file is called; each panel has its own.
    VIEWS: dict[str, View]
    NAME: str

    def __init__(
        self,
        given: Coded | MinuteSummary | pl.DataFrame | pl.LazyFrame | None = None,
        *,
        source: str = "",
        facility_zone: str | None = None,
        state: Any = None,
    ) -> None:
        self.work = LoadedWork(given, source=source, facility_zone=facility_zone)
        opening = self.opening(state)
        opening = replace(opening, by=opening.by or next(iter(self.work.groups)))
        groups = [(words, name) for name, words in self.work.groups.items()]
        entries = {
            "by": choice_entry("Groups", 220, groups),
            "only": choice_entry("Show only", 260, [("all", "")]),
        }
        views, top = self.VIEWS, tuple(entries)
        super().__init__(opening, entries | self.own_entries(), views, top=top, name=self.NAME)

    def opening(self, state: Any) -> Any:
        """The state to begin with, from the one that was handed in, or None."""
        raise NotImplementedError

    def own_entries(self) -> dict[str, w.ValueWidget]:
        """The controls of the tabs, by field of the state."""
        raise NotImplementedError

    def asked(self) -> AskedWork:
        """The work and the entries."""
        return AskedWork(self.work, self.state, self.tell_progress)

    def adapt(self, name: str) -> None:
        """Offer the groups of another column."""
        if name == "by":
            self.entries["only"].options = self.work.offered(self.entries["by"].value)
