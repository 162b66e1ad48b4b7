"""A list of encounters that a panel writes as a workbook: a file name, a button, what was said."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import ipywidgets as w

from subq_toolkit.errors import InputError, SubqError
from subq_toolkit.panels.html_parts import note, text
from subq_toolkit.panels.section import text_entry

_PLAIN = re.compile(r"[^/\\:*?\"<>|]+\.xlsx", re.IGNORECASE)


class WrittenList(w.VBox):
    """A row by which a list is written where the user works.

    Parameters
    ----------
    name
        How the file is called unless the user types another name.
    button, tip
        What the button says, and says more about.
    write
        From a path to what was written there.
    beside
        Further controls of the row.
    """

    def __init__(
        self,
        name: str,
        *,
        button: str,
        tip: str,
        write: Callable[[Path], Path],
        beside: Sequence[w.Widget] = (),
    ) -> None:
        self._write = write
        self.name = text_entry("Save the list as", 220, name, "A file name that ends in .xlsx")
        self.name.value = name
        self.button = w.Button(description=button, tooltip=tip)
        self.button.on_click(lambda _button: self.save())
        self.said = w.HTML()
        row = w.HBox([self.name, self.button, *beside])
        row.add_class("sq-fields")
        super().__init__([row, self.said])
        self.add_class("sq-list")

    def save(self) -> None:
        """Write the list; says where, or why not."""
        try:
            name = self.name.value.strip()
            if not _PLAIN.fullmatch(name):
                raise InputError("Type a plain file name that ends in .xlsx, without a folder.")
            written = self._write(Path(name))
        except SubqError as refused:
            self.said.value = note(str(refused))
            return
        where = text(written.resolve())
        said = f"Saved: {where}. It names encounters: keep it where such lists belong."
        self.said.value = f'<p class="sq-quiet" role="status">{said}</p>'
