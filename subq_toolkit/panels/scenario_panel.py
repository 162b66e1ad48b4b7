"""The scenario panel: a baseline beside what-ifs, and one view of them at a time."""

from dataclasses import fields, replace
from pathlib import Path

import ipywidgets as w
import polars as pl
from traitlets import TraitError

from subq_toolkit.charts import stacked, still
from subq_toolkit.charts.figure import Figure
from subq_toolkit.coding import Coded
from subq_toolkit.errors import InputError, SubqError
from subq_toolkit.panels.html_parts import note
from subq_toolkit.panels.loaded_work import LoadedWork
from subq_toolkit.panels.panel_look import busy, panel_style
from subq_toolkit.panels.save_row import SaveRow
from subq_toolkit.panels.scenario_rows import TermsRow, asked_entries
from subq_toolkit.panels.scenario_states import (
    PRESETS,
    ScenarioState,
    TermsState,
    opened,
    save_state,
    scenario_of,
)
from subq_toolkit.panels.scenario_views import VIEWS, Asked, View, totals
from subq_toolkit.panels.section import choice_entry
from subq_toolkit.panels.view_tab import ViewTab
from subq_toolkit.scenarios import MinuteSummary, Scenario, expected

_MOST_WHAT_IFS = 3
_BEYOND = (
    "it holds a choice or a number that no entry has, or more than a baseline and three what-ifs. "
    "Correct it, or give the terms to compare() as Scenario values."
)
_TWICE = "Another scenario has this name already. Give each a name of its own."
_ASKED = ("code", "ours", "charges", "state", "chair_usd_per_h", "nurse_usd_per_h", "setup_usd")
_ASKED += ("fixed_usd",)


class ScenarioPanel(w.VBox):
    """Look at coded work under other terms: totals, bridge, spread, places, market, costs.

    Parameters
    ----------
    coded
        What ``code_administrations`` returned, a ``MinuteSummary``, or a table of charted runs;
        the bundled invented export by default.
    state
        What another panel's ``state`` held, or the name of a file that ``save`` wrote.

    Attributes
    ----------
    state
        All that was typed and chosen, as a frozen value.
    summary
        The work, counted by minutes.
    """

    def __init__(
        self,
        coded: Coded | MinuteSummary | pl.DataFrame | pl.LazyFrame | None = None,
        *,
        state: ScenarioState | str | Path | None = None,
    ) -> None:
        if isinstance(coded, MinuteSummary):
            self.summary = coded.only(*[name for name in ("payer",) if name in coded.by])
        else:
            work = LoadedWork(coded)
            self.summary = work.summary(*[name for name in ("payer",) if name in work.groups])
        self._opening = opened(state)
        self._held, self._seen = True, {}
        self._rows, self._note = w.VBox(), w.HTML()
        self.asked = asked_entries()
        self.parts = {
            name: ViewTab(view, [self.asked[one] for one in view.entries])
            for name, view in VIEWS.items()
        }
        self.tabs = w.Tab(list(self.parts.values()), titles=list(VIEWS))
        self.shown = choice_entry("Bridge and spread of", 190, [("the first what-if", 1)])
        self.preset = choice_entry(
            "Add a what-if", 250, [("choose one", ""), *((name, name) for name in PRESETS)]
        )
        self.save_row = SaveRow(self, name="infusion_scenarios")
        self.reset_button = w.Button(description="Reset", tooltip="Back to how it was opened")
        super().__init__(self._laid_out())
        self.add_class("sq-panel")
        self.reset_button.on_click(lambda _button: self.reset())
        self.preset.observe(self._add, names="value")
        for control in (*self.asked.values(), self.shown):
            control.observe(self._show, names="value")
        self.tabs.observe(self._show_view, names="selected_index")
        try:
            self.reset()
        except TraitError:
            raise InputError(f"The state cannot be shown: {_BEYOND}") from None
        if self.state != self._opening:
            raise InputError(f"The state cannot be shown as it is: {_BEYOND}")

    @property
    def rows(self) -> tuple[TermsRow, ...]:
        """The baseline and the what-ifs, from top to bottom."""
        return self._rows.children

    @property
    def state(self) -> ScenarioState:
        """All that was typed and chosen; ``save`` writes it, another panel opens it."""
        asked = {name: entry.value for name, entry in self.asked.items()}
        terms = tuple(row.state for row in self.rows)
        return ScenarioState(terms=terms, shown=self.shown.value, **asked)

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The baseline and the what-ifs as ``Scenario`` values; refuses as they do."""
        return tuple(scenario_of(row.state) for row in self.rows)

    def data(self) -> pl.DataFrame:
        """The numbers under the totals: what ``compare`` returns."""
        return totals(self.summary, self.scenarios)

    def figures(self) -> list[Figure]:
        """The pictures of the open view, to be published; none where it cannot answer."""
        return list(self.parts[self._open_view].figures)

    @property
    def _open_view(self) -> str:
        return list(VIEWS)[self.tabs.selected_index or 0]

    def save(self, path: str | Path) -> Path:
        """Write the state to a small JSON file, without any encounter."""
        return save_state(self.state, path)

    def reset(self) -> None:
        """Go back to what the panel was opened with."""
        self._held = True
        try:
            self._put_rows(self._opening.terms)
            self.shown.value = min(self._opening.shown, max(len(self.rows) - 1, 1))
            for name, entry in self.asked.items():
                entry.value = getattr(self._opening, name)
        finally:
            self._held = False
        self._show()

    def add(self, terms: TermsState) -> None:
        """Add a what-if; at most three stand beside the baseline."""
        if len(self.rows) <= _MOST_WHAT_IFS:
            self._put_rows((*self.state.terms, terms))
            self._show()

    def _put_rows(self, terms: tuple[TermsState, ...]) -> None:
        self._rows.children = tuple(
            TermsRow(one, changed=self._show, remove=self._remove if place else None)
            for place, one in enumerate(terms[: _MOST_WHAT_IFS + 1])
        )
        self._name_choices([one.name.strip() or "unnamed" for one in terms])

    def _name_choices(self, names: list[str]) -> None:
        """Offer the what-ifs by the names they have now."""
        named = [(name, place) for place, name in enumerate(names) if place]
        offered = tuple(named or [("no what-if", 1)])
        if self.shown.options == offered:
            return
        held, self._held = self._held, True
        before = self.shown.value
        self.shown.options = offered
        self.shown.value = before if before in dict(named).values() else 1
        self._held = held

    def _remove(self, gone: TermsRow) -> None:
        self._put_rows(tuple(row.state for row in self.rows if row is not gone))
        self._show()

    def _add(self, change: dict) -> None:
        if change["new"]:
            taken = {row.state.name for row in self.rows}
            names = [change["new"], *(f"{change['new']} ({n})" for n in range(2, 5))]
            name = next(one for one in names if one not in taken)
            self.preset.value = ""
            self.add(replace(self.rows[0].state, name=name, **PRESETS[change["new"]]))

    def _show(self, _change: object = None) -> None:
        """Answer the state as it stands: the totals, and the view that is open."""
        if self._held:
            return
        self._seen.clear()
        problems = [self._problem(row.state) for row in self.rows]
        names = [row.state.name.strip() or "unnamed" for row in self.rows]
        for place, name in enumerate(names):
            if name in names[:place] and not problems[place]:
                problems[place] = _TWICE
        self._name_choices(names)
        for row, problem in zip(self.rows, problems, strict=True):
            twice = problem == _TWICE
            row.mark(problem, ["name"] if twice else self._culprits(row.state) if problem else [])
        if any(problems):
            self._clear("An entry cannot be used: see the mark. Nothing below is an answer.")
            return
        self._note.value = ""
        self._show_view()

    def _problem(self, terms: TermsState) -> str:
        try:
            expected(self.summary, scenario_of(terms))
        except SubqError as refused:
            return str(refused)
        return ""

    def _culprits(self, terms: TermsState) -> list[str]:
        """The entries that, put back to their default, end the refusal."""
        return [
            one.name
            for one in fields(TermsState)
            if not self._problem(replace(terms, **{one.name: one.default}))
        ]

    def _show_view(self, _change: object = None) -> None:
        name = self._open_view
        if self._held or name in self._seen or self._note.value:
            return
        try:
            with busy(self):
                self._write(name, VIEWS[name])
        except SubqError as refused:
            self.parts[name].leave(note(str(refused)))
        except Exception as fault:
            said = f"A fault ({type(fault).__name__}); please report it."
            self.parts[name].leave(note(said))
            raise

    def _write(self, name: str, view: View) -> None:
        asked = Asked(self.summary, self.scenarios, self.state)
        self.parts[name].show(*view.answer(asked))
        self._seen[name] = True

    def _clear(self, why: str) -> None:
        self._note.value = note(why)
        for part in self.parts.values():
            part.leave("")

    def _laid_out(self) -> list[w.Widget]:
        buttons = w.HBox([self.preset, self.shown, self.reset_button])
        buttons.add_class("sq-fields")
        return [panel_style(), self._rows, buttons, self._note, self.tabs, self.save_row]

    def __repr__(self) -> str:
        drawn = [chart.spec["description"] for chart in self.parts["Totals"].charts if chart.spec]
        return "\n".join((f"ScenarioPanel: {self.summary!r}", *drawn))

    def _repr_mimebundle_(self, **kwargs: object) -> dict:
        drawn = [chart.spec for chart in self.parts["Totals"].charts if chart.spec]
        bundle = super()._repr_mimebundle_(**kwargs)
        return bundle | still(stacked(drawn, "Scenarios", columns=2), repr(self))
