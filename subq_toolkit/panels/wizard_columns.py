"""The columns of a file and the words of an event log, each with a list to choose from."""

from collections.abc import Callable
from pathlib import Path

import ipywidgets as w
import polars as pl

from subq_toolkit.event_log import EVENTS, event_counts
from subq_toolkit.panels.section import choice_entry
from subq_toolkit.panels.wizard_pages import MOST_SHOWN, cut, proposal_page
from subq_toolkit.readers import ColumnMap
from subq_toolkit.readers.column_scores import targets_of
from subq_toolkit.readers.sampled_exports import sampled

_LEAVE = [("leave as it is", "")]
_NO_EVENT, _UNKNOWN = "no event of the infusion", "not known"
_LABEL = 60


class ColumnRows(w.VBox):
    """One row per column of the file: what it is here, and why that is proposed."""

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__()
        self.add_class("sq-mapped")
        self.entries: dict[str, w.Dropdown] = {}
        self.names: list[str] = []
        self._beyond: dict[str, str] = {}
        self._changed = changed

    @property
    def chosen(self) -> dict[str, str]:
        """Name in the file to name here, of the columns that are not left as they are."""
        shown = {name: entry.value for name, entry in self.entries.items() if entry.value}
        return shown | self._beyond

    def offer(self, columns: pl.DataFrame, column_map: ColumnMap) -> None:
        """Show the columns of a file, with a map as it stands."""
        self.names = columns["read_from"].to_list()
        targets = sorted({*targets_of(column_map.shape), *column_map.columns.values()})
        options = _LEAVE + [(name, name) for name in targets]
        rows = columns.rows(named=True)
        shown = rows[:MOST_SHOWN]
        self._beyond = {
            row["read_from"]: column_map.columns[row["read_from"]]
            for row in rows[MOST_SHOWN:]
            if row["read_from"] in column_map.columns
        }
        self.entries, lines = {}, []
        for row in shown:
            name = row["read_from"]
            label = cut(name, _LABEL)
            entry = choice_entry(label, 500, options, f"What the column ‘{label}’ is")
            entry.value = column_map.columns.get(name, "")
            entry.observe(lambda _change: self._changed(), names="value")
            self.entries[name] = entry
            line = w.HBox([entry, w.HTML(proposal_page(row))])
            line.add_class("sq-fields")
            lines.append(line)
        if len(rows) > MOST_SHOWN:
            rest = f"{len(rows) - MOST_SHOWN} more columns are read as proposed."
            lines.append(w.HTML(f'<p class="sq-quiet">{rest}</p>'))
        self.children = lines


class EventWords(w.VBox):
    """Words of an event log that are not known: what each means, chosen by the user."""

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__()
        self.entries: dict[str, w.Dropdown] = {}
        self._stated: dict[str, str | None] = {}
        self._column: list[str] = []
        self._changed = changed

    @property
    def chosen(self) -> dict[str, str | None]:
        """Words and what they mean; None for one that is no event of the infusion."""
        said = {word: entry.value for word, entry in self.entries.items()}
        told = {word: None if value == _NO_EVENT else value for word, value in said.items()}
        return self._stated | {
            word: told[word] for word, value in said.items() if value != _UNKNOWN
        }

    def follow(self, path: Path, column_map: ColumnMap) -> None:
        """Ask for the words of another column, if that is the one with events now."""
        if _event_column(column_map) != self._column:
            self.offer(path, column_map)

    def offer(self, path: Path, column_map: ColumnMap) -> None:
        """Show the words of a file that neither the toolkit nor the map knows."""
        self._stated, self.entries, self.children = dict(column_map.events), {}, ()
        self._column = named = _event_column(column_map)
        if not named:
            return
        rows = sampled(path, sheet=column_map.sheet, header_row=column_map.header_row).rows
        counts = event_counts(rows, column=named[0], events=column_map.events)
        unknown = counts.filter(pl.col("read_as").is_null() & pl.col("word").is_not_null())
        options = [(_UNKNOWN, _UNKNOWN), (_NO_EVENT, _NO_EVENT), *((one, one) for one in EVENTS)]
        for word, count in unknown.select("word", "rows").rows():
            label = f"{cut(word, _LABEL)} ({count:,})"
            entry = choice_entry(label, 260, options, "What this word means")
            entry.observe(lambda _change: self._changed(), names="value")
            self.entries[word] = entry
        if self.entries:
            row = w.HBox([*self.entries.values()])
            row.add_class("sq-fields")
            self.children = [w.HTML("<h3>Words of events that are not known</h3>"), row]


def _event_column(column_map: ColumnMap) -> list[str]:
    if column_map.shape != "event_log":
        return []
    return [name for name, to in column_map.columns.items() if to == "event"]
