"""The panel of units: where they come from, where they are lost, what other rules would give."""

from dataclasses import dataclass, replace

import ipywidgets as w

from subq_toolkit.panels.section import choice_entry, slider_entry
from subq_toolkit.panels.unit_views import VIEWS
from subq_toolkit.panels.work_panel import WorkPanel
from subq_toolkit.utilization import CODES, steps_in_effect

_STEPS = ("at_least_min", "more_than_min")
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
        The what-if: minutes of the first step, and those past an hour to exceed; None: those of
        the rules in effect. [min]
    unit_cap
        The what-if: a cap on further hours; empty: as coded.
    code
        Whose changes are shown by month; empty: of all codes.
    """

    by: str = ""
    only: str = ""
    at_least_min: int | None = None
    more_than_min: int | None = None
    unit_cap: str = ""
    code: str = ""


class UnitPanel(WorkPanel):
    """See units by code and group, under other policies and steps, and where rows are lost.

    Opened as every ``WorkPanel``; ``state`` is a ``UnitState``.
    """

    VIEWS, NAME = VIEWS, "infusion_units"

    def opening(self, state: UnitState | None) -> UnitState:
        """The state that was handed in, or the usual one; with the steps that it leaves open."""
        given, steps = state or UnitState(), steps_in_effect(self.work.summary("month"))
        left = [name for name in _STEPS if getattr(given, name) is None]
        return replace(given, **{name: steps[name] for name in left})

    def own_entries(self) -> dict[str, w.ValueWidget]:
        """The controls of the tabs."""
        codes = [("all", ""), *((code, code) for code in CODES)]
        return {
            "at_least_min": slider_entry("First step at [min]", 1, 120),
            "more_than_min": slider_entry("Minutes past the hour [min]", 0, 59),
            "unit_cap": choice_entry("Further hours", 200, _CAPS),
            "code": choice_entry("Code", 130, codes),
        }
