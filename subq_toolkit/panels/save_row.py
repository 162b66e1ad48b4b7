"""The row by which a panel's charts are saved: a file name, a kind of file, a button."""

from pathlib import Path
from typing import Protocol

import ipywidgets as w

from subq_toolkit.charts.figure import Figure
from subq_toolkit.errors import InputError, SubqError
from subq_toolkit.panels.html_parts import note, text
from subq_toolkit.panels.section import choice_entry, text_entry
from subq_toolkit.publish import publish
from subq_toolkit.small_cells import withheld_counts, withhold_small_cells

_KINDS = [
    ("slides (PowerPoint)", ".pptx"),
    ("workbook (Excel)", ".xlsx"),
    ("picture (PNG)", ".png"),
    ("drawing (SVG)", ".svg"),
    ("pages (PDF)", ".pdf"),
    ("web page (HTML)", ".html"),
]


def _withheld(figure: Figure) -> int:
    """How many counts of a figure are not published. [1]"""
    kept = withhold_small_cells(figure.table, figure.cells)
    return int(withheld_counts(figure.table, kept, figure.cells).sum())


class _Drawn(Protocol):
    def figures(self) -> list[Figure]: ...


class SaveRow(w.VBox):
    """Save what a panel shows, with small counts withheld unless the user says otherwise."""

    def __init__(self, panel: _Drawn, *, name: str) -> None:
        self._panel = panel
        self.name = text_entry("Save as", 220, name, "A file name; it is saved where you work")
        self.name.value = name
        self.kind = choice_entry("", 190, _KINDS, "What kind of file")
        self.small = w.Checkbox(
            description="show counts below 11",
            tooltip="For your own eyes only: such counts may identify a patient",
            indent=False,
        )
        self.small.layout.width = "190px"
        self.button = w.Button(description="Save", tooltip="Write the charts that are shown")
        self.said = w.HTML()
        self.button.on_click(lambda _button: self.save())
        row = w.HBox([self.name, self.kind, self.button, self.small])
        row.add_class("sq-fields")
        super().__init__([row, self.said])
        self.add_class("sq-save")

    def save(self) -> None:
        """Write the figures that are shown; says where, or why not."""
        try:
            shown = "show" if self.small.value else "withhold"
            written = publish(self._panel, self._path(), small_cells=shown)
        except SubqError as refused:
            self.said.value = note(str(refused))
            return
        files = [written] if isinstance(written, Path) else written
        names = ", ".join(text(one.name) for one in files)
        folder = text(files[0].resolve().parent)
        hidden = 0 if shown == "show" else sum(map(_withheld, self._panel.figures()))
        told = f"; {hidden:,} counts are withheld" if hidden else ""
        said = f"Saved: {names} in {folder}{told}."
        self.said.value = f'<p class="sq-quiet" role="status">{said}</p>'

    def _path(self) -> Path:
        name = self.name.value.strip()
        if not name or name in (".", "..") or set(name) & set('/\\:*?"<>|'):
            raise InputError("Type a plain file name, without a folder, e.g. infusions.")
        return Path(name + ("" if name.endswith(self.kind.value) else self.kind.value))
