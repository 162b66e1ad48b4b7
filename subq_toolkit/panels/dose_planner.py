"""The planner of an infusion: prescription, conversion, boluses and sites on one page."""

import ipywidgets as w
import polars as pl

from subq_toolkit.charts import stacked, still
from subq_toolkit.charts.figure import Figure
from subq_toolkit.conversion import Conversion
from subq_toolkit.panels.dose_pages import notice_page
from subq_toolkit.panels.dose_sections import (
    BolusSection,
    ConversionSection,
    PlanSection,
    RotationSection,
)
from subq_toolkit.panels.panel_look import panel_style
from subq_toolkit.panels.save_row import SaveRow
from subq_toolkit.panels.typed_doses import DoseState
from subq_toolkit.planning import Plan


class DosePlanner(w.VBox):
    """Plan an infusion and see sites, steps, minutes, units and where each number comes from.

    Parameters
    ----------
    state
        What another planner's ``state`` held; an invented example by default.

    Attributes
    ----------
    state
        All that was typed and chosen, as a frozen value.
    plan
        The ``Plan`` of it; None while an entry stands in its way.
    conversion
        The ``Conversion`` of the intravenous dose; None before a ratio is chosen.
    """

    def __init__(self, *, state: DoseState | None = None) -> None:
        opening = state or DoseState()
        self._plan = PlanSection(opening.plan)
        self._conversion = ConversionSection(opening.conversion)
        self._boluses = BolusSection(opening.boluses)
        self._rotation = RotationSection(opening.rotation)
        self.reset_button = w.Button(
            description="Reset", tooltip="Back to the entries of the start"
        )
        self.reset_button.on_click(lambda _button: self.reset())
        buttons = w.HBox([self.reset_button])
        buttons.add_class("sq-buttons")
        self.save_row = SaveRow(self, name="infusion_plan")
        notice, parts = w.HTML(notice_page()), self.sections.values()
        super().__init__([panel_style(), notice, buttons, *parts, self.save_row])
        self.add_class("sq-panel")

    @property
    def sections(self) -> dict[str, w.VBox]:
        """The parts of the planner by name, each with ``entries``, ``state`` and ``answered``."""
        return {
            "plan": self._plan,
            "conversion": self._conversion,
            "boluses": self._boluses,
            "rotation": self._rotation,
        }

    @property
    def state(self) -> DoseState:
        """All that was typed and chosen; hand it to another planner to go on there."""
        return DoseState(**{name: part.state for name, part in self.sections.items()})

    @property
    def plan(self) -> Plan | None:
        """The plan, as ``plan_infusion`` returns it."""
        return self._plan.answered.value

    @property
    def conversion(self) -> Conversion | None:
        """The converted dose, as ``convert_iv_to_sc`` returns it."""
        found = self._conversion.answered.value
        return None if found is None else found.conversion

    def data(self) -> dict[str, pl.DataFrame]:
        """The numbers on the page: ``limits``, ``steps``, ``ratios``, ``boluses``, ``rotation``.

        A part that has no answer is left out.
        """
        found = {"boluses": self._boluses.answered.value, "rotation": self._rotation.answered.value}
        if self.plan is not None:
            found |= {"limits": self.plan.checks, "steps": self.plan.steps}
        if self.conversion is not None:
            found["ratios"] = self.conversion.presets
        return {name: frame for name, frame in found.items() if frame is not None}

    def figures(self) -> list[Figure]:
        """The pictures of every part that has an answer, to be published; they show no patient."""
        return [one for part in self.sections.values() for one in part.figures()]

    def reset(self) -> None:
        """Go back to what the planner was opened with."""
        for part in self.sections.values():
            part.reset()

    def __repr__(self) -> str:
        said = [str(one) for one in (self.plan, self.conversion) if one is not None]
        return "\n".join(("DosePlanner", *said, *(one["description"] for one in self._drawn())))

    def _drawn(self) -> list[dict]:
        others = (self._conversion.chart, self._boluses.chart, self._rotation.chart)
        return [chart.spec for chart in (*self._plan.charts.values(), *others)]

    def _repr_mimebundle_(self, **kwargs: object) -> dict:
        drawn = stacked(self._drawn()[:4], str(self.plan or "No plan yet"), columns=2)
        return super()._repr_mimebundle_(**kwargs) | still(drawn, repr(self))
