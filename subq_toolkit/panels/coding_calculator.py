"""The calculator of one encounter: type its runs and see units, reasons and what is missing."""

import warnings
from collections.abc import Sequence

import ipywidgets as w

from subq_toolkit.administrations import CHOICES
from subq_toolkit.charted_run import Administration
from subq_toolkit.charts import LiveChart, stacked, still
from subq_toolkit.charts.figure import Figure, figure
from subq_toolkit.charts.staircase import staircase_spec, staircase_table
from subq_toolkit.charts.timeline import timeline_spec, timeline_table
from subq_toolkit.encounter import EncounterResult
from subq_toolkit.errors import StaleValueWarning
from subq_toolkit.panels import answer_pages as pages
from subq_toolkit.panels.calculator import Answer, CalculatorState, answer, state_of
from subq_toolkit.panels.figure_sources import cites
from subq_toolkit.panels.html_parts import entry_marks
from subq_toolkit.panels.panel_look import busy, panel_style
from subq_toolkit.panels.policy_controls import PolicyControls
from subq_toolkit.panels.run_rows import RunRow, choice_options
from subq_toolkit.panels.save_row import SaveRow
from subq_toolkit.panels.typed_runs import TypedRun
from subq_toolkit.policy import Policy

_ZONES = [
    ("not stated", ""),
    ("Eastern", "America/New_York"),
    ("Central", "America/Chicago"),
    ("Mountain", "America/Denver"),
    ("Arizona", "America/Phoenix"),
    ("Pacific", "America/Los_Angeles"),
    ("Alaska", "America/Anchorage"),
    ("Hawaii", "Pacific/Honolulu"),
    ("Puerto Rico", "America/Puerto_Rico"),
]


class CodingCalculator(w.VBox):
    """Type the runs of one encounter and see units, reasons and what is missing.

    Parameters
    ----------
    runs
        Runs to begin with; an invented example if neither runs nor a state are given.
    policy, facility_zone
        As for ``code_encounter``.
    state
        What another calculator's ``state`` held, instead of the rest.

    Attributes
    ----------
    state
        All that was typed and chosen, as a frozen value.
    result
        The ``EncounterResult`` of it; None while no row can be read.
    """

    def __init__(
        self,
        runs: Sequence[Administration] | None = None,
        *,
        policy: Policy | None = None,
        facility_zone: str | None = None,
        state: CalculatorState | None = None,
    ) -> None:
        policy = policy or Policy()
        if state is None and runs is None:
            state = CalculatorState(policy=policy, facility_zone=facility_zone or "")
        self._opening = state or state_of(runs, policy=policy, facility_zone=facility_zone)
        self._answer: Answer | None = None
        self._held = True
        self._headline, self._discharge_mark = w.HTML(), w.HTML()
        self._lines, self._findings, self._checklist = w.HTML(), w.HTML(), w.HTML()
        self._timeline, self._staircase = LiveChart(None), LiveChart(None)
        self._explanation = w.Textarea(description="Explanation to copy into a note", rows=8)
        self._rows = w.VBox()
        self._policy = PolicyControls(self._opening.policy, changed=self._show)
        self._encounter = _encounter_controls(self._opening)
        for control in self._encounter.values():
            control.observe(self._show, names="value")
        self.add_button = w.Button(description="Add a run")
        self.reset_button = w.Button(description="Reset", tooltip="Back to the runs of the start")
        self.add_button.on_click(lambda _button: self.add_run())
        self.reset_button.on_click(lambda _button: self.reset())
        super().__init__(self._laid_out())
        self.add_class("sq-panel")
        self.reset()

    @property
    def state(self) -> CalculatorState:
        """All that was typed and chosen; hand it to another calculator to go on there."""
        chosen = {name: control.value for name, control in self._encounter.items()}
        runs = tuple(row.typed for row in self.rows)
        return CalculatorState(runs=runs, policy=self._policy.policy, **chosen)

    @property
    def result(self) -> EncounterResult | None:
        """The coded encounter, as ``code_encounter`` returns it."""
        return self._answer.result

    def figures(self) -> list[Figure]:
        """The pictures of this one encounter, to be published; none while there is no result."""
        result = self.result
        if result is None:
            return []
        told = {"encounters": 1, "sources": cites(result.lines)}
        return [
            figure("timeline", timeline_table(result), **told),
            figure("staircase", staircase_table(result), **told),
        ]

    @property
    def rows(self) -> tuple[RunRow, ...]:
        """The rows of entries, from top to bottom."""
        return self._rows.children

    def add_run(self) -> None:
        """Add a row on the day of the last one; it is ignored while it is empty."""
        day = self.rows[-1].typed.day if self.rows else ""
        self._rows.children = (*self.rows, self._row(TypedRun(day)))

    def reset(self) -> None:
        """Go back to what the calculator was opened with."""
        self._held = True
        try:
            self._rows.children = tuple(self._row(typed) for typed in self._opening.runs)
            for name, control in self._encounter.items():
                control.value = getattr(self._opening, name)
            self._policy.set(self._opening.policy)
        finally:
            self._held = False
        self._show()

    def _row(self, typed: TypedRun) -> RunRow:
        return RunRow(typed, changed=self._show, remove=self._remove)

    def _remove(self, gone: RunRow) -> None:
        self._rows.children = tuple(row for row in self.rows if row is not gone)
        self._show()

    def _show(self, _change: object = None) -> None:
        """Answer the state as it stands; a fault is shown where the user looks, then raised."""
        if self._held:
            return
        try:
            with busy(self), warnings.catch_warnings():  # the findings say it: rules due for review
                warnings.simplefilter("ignore", StaleValueWarning)
                self._answer = answer(self.state)
                self._write(self._answer)
        except Exception as fault:
            note = f"A fault of the toolkit ({type(fault).__name__}); please report what was typed."
            self._headline.value = pages.headline_page(None, [note], whole=False)
            self._write_result(None)
            raise

    def _write(self, found: Answer) -> None:
        result = found.result
        self._headline.value = pages.headline_page(result, found.notes, whole=found.whole)
        for row, problems in zip(self.rows, found.marks, strict=True):
            row.mark(problems)
        self._discharge_mark.value = entry_marks(
            {"": found.discharge_mark} if found.discharge_mark else {}, {"": "Discharge"}
        )
        self._write_result(result)

    def _write_result(self, result: EncounterResult | None) -> None:
        self._lines.value = pages.lines_page(result)
        self._findings.value = pages.findings_page(result)
        self._checklist.value = pages.checklist_page(result and result.checklist())
        self._explanation.value = result.explanation if result else ""
        self._timeline.spec = timeline_spec(timeline_table(result))
        self._staircase.spec = staircase_spec(staircase_table(result))

    def _laid_out(self) -> list[w.Widget]:
        self.save_row = SaveRow(self, name="one_encounter")
        buttons = w.HBox([self.add_button, self.reset_button])
        encounter = w.HBox([*self._encounter.values(), self._policy.preset])
        columns = w.Box([self._staircase, self._lines, self._findings, self._checklist])
        for box, name in {
            buttons: "sq-buttons",
            encounter: "sq-fields",
            columns: "sq-columns",
            self._rows: "sq-runs",
            self._explanation: "sq-explanation",
            self._timeline: "sq-chart",
            self._staircase: "sq-chart",
        }.items():
            box.add_class(name)
        return [
            panel_style(),
            self._headline,
            self._rows,
            buttons,
            encounter,
            self._discharge_mark,
            self._policy,
            self._timeline,
            columns,
            self._explanation,
            self.save_row,
        ]

    def __repr__(self) -> str:
        result = self.result
        outcome = "no runs" if result is None else result.outcome
        drawn = (self._timeline.spec["description"], self._staircase.spec["description"])
        said = f"{pages.headline(result)}. {pages.measure(result)}."
        return "\n".join((f"CodingCalculator: {outcome}. {said}", *drawn))

    def _repr_mimebundle_(self, **kwargs: object) -> dict:
        title = f"{pages.headline(self.result)} — {pages.measure(self.result)}"
        drawn = stacked([self._timeline.spec, self._staircase.spec], title)
        return super()._repr_mimebundle_(**kwargs) | still(drawn, repr(self))


def _encounter_controls(state: CalculatorState) -> dict[str, w.ValueWidget]:
    zones = [*_ZONES]
    if state.facility_zone not in dict(zones).values():
        zones.append((state.facility_zone, state.facility_zone))
    controls = {
        "setting": w.Dropdown(
            options=choice_options(CHOICES["setting"], "not stated"), description="Setting"
        ),
        "indication": w.Dropdown(
            options=choice_options(CHOICES["indication"]), description="Why under the skin"
        ),
        "discharge": w.Text(
            placeholder="2026-03-02 12:00", description="Discharge", continuous_update=False
        ),
        "facility_zone": w.Dropdown(options=zones, description="Facility's time zone"),
    }
    for name, width in (("setting", 140), ("indication", 150), ("discharge", 150)):
        controls[name].layout.width = f"{width}px"
    controls["facility_zone"].layout.width = "150px"
    for control in controls.values():
        control.add_class("sq-field")
    return controls
