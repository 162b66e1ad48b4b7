"""The step of the wizard in which columns, words and settings are looked at and chosen."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import ipywidgets as w

from subq_toolkit.panels import wizard_pages as pages
from subq_toolkit.panels.wizard_columns import ColumnRows, EventWords
from subq_toolkit.panels.wizard_keep import LoadRow
from subq_toolkit.panels.wizard_settings import (
    PROPOSED_ANEW,
    put_settings,
    settings_entries,
    settings_for,
    settings_in,
    sheets_of,
)
from subq_toolkit.readers import ColumnMap, Suggestion


@dataclass(frozen=True)
class WizardState:
    """All that is chosen in the wizard: the path that was typed, and the map."""

    path: str
    column_map: ColumnMap | None


class MappingStep(w.VBox):
    """How a file is read: proposed, and changed by whoever knows the export.

    Parameters
    ----------
    changed
        Called when a choice was changed.
    anew
        Called with arguments for ``suggest_columns`` when the columns have to be proposed anew.
    """

    def __init__(self, changed: Callable[[], None], anew: Callable[[dict], None]) -> None:
        super().__init__()
        self.entries = settings_entries()
        self.columns, self.words = ColumnRows(self._changed), EventWords(self._changed)
        self.loading, self.said = LoadRow(), w.HTML()
        self.use_button = w.Button(
            description="Use these columns", tooltip="Read the file so and code it"
        )
        self.use_button.button_style = "primary"
        self.use_button.add_class("sq-use")
        self._settings, self._held = ColumnMap(), False
        self._tell_changed, self._ask_anew = changed, anew
        for name, entry in self.entries.items():
            entry.observe(lambda _change, name=name: self._set(name), names="value")

    @property
    def column_map(self) -> ColumnMap:
        """The map that the controls say."""
        chosen = {"columns": self.columns.chosen, "events": self.words.chosen}
        return replace(self._settings, **chosen, **settings_in(self.entries))

    def offer(self, path: Path, suggestion: Suggestion, column_map: ColumnMap) -> None:
        """Show a file's columns with a map as it stands."""
        sheets = sheets_of(path)
        self._held = True
        try:
            self._settings = column_map
            put_settings(self.entries, column_map, suggestion, sheets)
            self.columns.offer(suggestion.columns, column_map)
            self.words.offer(path, column_map)
        finally:
            self._held = False
        shown = w.HBox([self.entries[name] for name in settings_for(column_map, sheets)])
        shown.add_class("sq-fields")
        self.children = [
            w.HTML(pages.step(3, "Columns") + pages.shape_page(suggestion, column_map.shape)),
            shown,
            self.loading,
            self.columns,
            self.words,
            self.use_button,
            self.said,
        ]

    def clear(self) -> None:
        """Show nothing: no file is open."""
        self.children, self._settings = (), ColumnMap()

    def _changed(self) -> None:
        if not self._held:
            self._tell_changed()

    def _set(self, name: str) -> None:
        """Follow a setting; some of them ask for other columns."""
        if self._held or not self.children:
            return
        if name not in PROPOSED_ANEW:
            self._tell_changed()
            return
        said = settings_in(self.entries)
        chosen = {one: said[one] for one in PROPOSED_ANEW}
        if name != "shape":
            del chosen["shape"]
        if name == "sheet":
            del chosen["header_row"]
        self._ask_anew(chosen)
