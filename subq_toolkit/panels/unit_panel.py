"""The panel of units: where they come from, where they are lost, what other rules would give."""

from dataclasses import dataclass, replace

import ipywidgets as w
import polars as pl

from subq_toolkit.coding import Coded
from subq_toolkit.panels.asked_work import AskedWork
from subq_toolkit.panels.loaded_work import LoadedWork
from subq_toolkit.panels.section import choice_entry, slider_entry
from subq_toolkit.panels.tabbed_panel import TabbedPanel
from subq_toolkit.panels.unit_views import VIEWS
from subq_toolkit.utilization import CODES, steps_in_effect

_CAPS = [("as coded", ""), ("none", "none"), ("at the unlikely edit", "unlikely_edit")]


@dataclass(frozen=True)
class UnitState:
    """All that is chosen in the unit panel.

    Attributes
    ----------
    by
        The column whose values are the groups.
    only
        The name of the one group that is shown; empty: all.
    at_least_min, more_than_min
        The what-if: minutes of the first step, and those past an hour to exceed. [min]
    unit_cap
        The what-if: a cap on further hours; empty: as coded.
    code
        Whose changes are shown by month; empty: of all codes.
    """

    by: str = ""
    only: str = ""
    at_least_min: int = 0
    more_than_min: int = 0
    unit_cap: str = ""
    code: str = ""


class UnitPanel(TabbedPanel):
    """See units by code and group, under other policies and steps, and where rows are lost.

    Parameters
    ----------
    given
        What ``code_administrations`` returned, or a table of charted runs; the bundled invented
        export by default.
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

    def __init__(
        self,
        given: Coded | pl.DataFrame | pl.LazyFrame | None = None,
        *,
        source: str = "",
        facility_zone: str | None = None,
        state: UnitState | None = None,
    ) -> None:
        self.work = LoadedWork(given, source=source, facility_zone=facility_zone)
        steps = steps_in_effect(self.work.summary("month"))
        usual = UnitState(
            by=next(iter(self.work.groups)),
            at_least_min=steps["at_least_min"],
            more_than_min=steps["more_than_min"],
        )
        opening = usual if state is None else replace(state, by=state.by or usual.by)
        super().__init__(opening, self._entries(), VIEWS, top=("by", "only"), name="infusion_units")

    def asked(self) -> AskedWork:
        """The work and the entries."""
        return AskedWork(self.work, self.state, self.tell_progress)

    def adapt(self, name: str) -> None:
        """Offer the groups of another column."""
        if name == "by":
            self.entries["only"].options = self.work.offered(self.entries["by"].value)

    def _entries(self) -> dict[str, w.ValueWidget]:
        groups = [(words, name) for name, words in self.work.groups.items()]
        return {
            "by": choice_entry("Groups", 220, groups),
            "only": choice_entry("Show only", 260, [("all", "")]),
            "at_least_min": slider_entry("First step at [min]", 1, 120),
            "more_than_min": slider_entry("Minutes past the hour [min]", 0, 59),
            "unit_cap": choice_entry("Further hours", 200, _CAPS),
            "code": choice_entry("Code", 130, [("all", ""), *((code, code) for code in CODES)]),
        }
