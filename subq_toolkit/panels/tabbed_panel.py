"""A panel of tabs: entries above, one view open at a time, answered when it is looked at."""

from dataclasses import fields, replace
from functools import partial
from typing import Any

import ipywidgets as w
import polars as pl

from subq_toolkit.charts import LiveChart, stacked, still
from subq_toolkit.charts.figure import Figure
from subq_toolkit.errors import InputError, SubqError
from subq_toolkit.panels.html_parts import note
from subq_toolkit.panels.panel_look import busy, panel_style
from subq_toolkit.panels.save_row import SaveRow
from subq_toolkit.panels.section import put_entry
from subq_toolkit.panels.view_tab import View, ViewTab

_COLUMNS = 2


class TabbedPanel(w.VBox):
    """Entries, tabs and their charts; what is asked and answered is said by each panel.

    Parameters
    ----------
    opening
        The state to begin with; its fields are the names of ``entries``.
    entries
        The controls by field.
    views
        The tabs by title.
    top
        The entries that hold for every tab.
    name
        How a saved file is called unless the user types another name.

    Attributes
    ----------
    state
        All that was typed and chosen, as a frozen value.
    """

    def __init__(
        self,
        opening: Any,
        entries: dict[str, w.ValueWidget],
        views: dict[str, View],
        *,
        top: tuple[str, ...],
        name: str,
    ) -> None:
        self._opening, self.entries, self._views = opening, entries, views
        self._held, self._answered = True, set()
        self.parts = {
            name: ViewTab(
                view, [entries[one] for one in view.entries], partial(self.make_chart, name)
            )
            for name, view in views.items()
        }
        self.progress = w.HTML()
        self.progress.add_class("sq-progress")
        self.reset_button = w.Button(description="Reset", tooltip="Back to how it was opened")
        self.reset_button.on_click(lambda _button: self.reset())
        self.tabs = w.Tab(list(self.parts.values()), titles=list(views))
        above = w.HBox([*(entries[name] for name in top), self.reset_button])
        above.add_class("sq-fields")
        self.save_row = SaveRow(self, name=name)
        super().__init__([panel_style(), above, self.progress, self.tabs, self.save_row])
        self.add_class("sq-panel")
        for name, entry in entries.items():
            entry.observe(lambda change, name=name: self._changed(name, change), names="value")
        self.tabs.observe(lambda _change: self._show(), names="selected_index")
        self.reset()

    @property
    def state(self) -> Any:
        """All that was typed and chosen; hand it to another panel to go on there."""
        return replace(self._opening, **{name: entry.value for name, entry in self.entries.items()})

    def reset(self) -> None:
        """Go back to what the panel was opened with."""
        self.set(self._opening)

    def set(self, state: Any) -> None:
        """Move every entry to ``state`` and answer once.

        Raises
        ------
        InputError
            If an entry does not offer what the state holds.
        """
        self._held = True
        try:
            for one in fields(state):
                if one.name in self.entries:
                    put_entry(self.entries[one.name], one.name, getattr(state, one.name))
                    self.adapt(one.name)
        finally:
            self._held = False
        self.refresh()

    def show_tab(self, name: str) -> None:
        """Open a tab by its title.

        Raises
        ------
        InputError
            If there is none of that name.
        """
        if name not in self._views:
            raise InputError(f"There is no tab {name!r}; there are {', '.join(self._views)}.")
        self.tabs.selected_index = list(self._views).index(name)

    @property
    def opened(self) -> str:
        """The title of the tab that is open."""
        return list(self._views)[self.tabs.selected_index or 0]

    def figures(self) -> list[Figure]:
        """The charts of the open tab, to publish."""
        return list(self.parts[self.opened].figures)

    def data(self) -> dict[str, pl.DataFrame]:
        """The numbers under the charts of the open tab, by the name of the chart."""
        return {figure.name: figure.table for figure in self.figures()}

    def asked(self) -> Any:
        """What the views answer; each panel says what that is."""
        raise NotImplementedError

    def adapt(self, name: str) -> None:
        """Move other entries along with ``name``; nothing to do by default."""

    def tell_progress(self, done: int, of: int) -> None:
        """Say how far a long answer is."""
        self.progress.value = f'<p role="status">{done} of {of} done</p>' if done < of else ""

    def refresh(self) -> None:
        """Answer anew what is open; the other tabs when they are opened."""
        self._answered.clear()
        self._show()

    def _changed(self, name: str, _change: dict) -> None:
        if self._held:
            return
        self._held = True
        try:
            self.adapt(name)
        finally:
            self._held = False
        affected = [title for title, view in self._views.items() if name in view.entries]
        for title in affected or list(self._views):
            self._answered.discard(title)
        self._show()

    def _show(self) -> None:
        name = self.opened
        if self._held or name in self._answered:
            return
        with busy(self):
            try:
                figures, page = self._views[name].answer(self.asked())
                self.parts[name].show(figures, page)
                self._answered.add(name)
            except SubqError as refused:
                self.parts[name].leave(note(str(refused)))
            except Exception as fault:
                said = f"A fault ({type(fault).__name__}); please report it."
                self.parts[name].leave(note(said))
                raise
            finally:
                self.progress.value = ""

    def make_chart(self, view: str, place: int) -> LiveChart:
        """An empty chart for a place of a tab; a panel may make a special one."""
        return LiveChart(None)

    def __repr__(self) -> str:
        drawn = [figure.spec["description"] for figure in self.figures()]
        return "\n".join((f"{type(self).__name__}: {self.opened}", *drawn))

    def _repr_mimebundle_(self, **kwargs: object) -> dict:
        bundle = super()._repr_mimebundle_(**kwargs)
        drawn = [figure.spec for figure in self.figures()]
        if not drawn:
            return bundle
        return bundle | still(stacked(drawn, self.opened, columns=_COLUMNS), repr(self))
