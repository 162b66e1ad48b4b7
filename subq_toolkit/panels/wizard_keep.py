"""A column map that is kept and used again: saved, downloaded, loaded, uploaded."""

import base64
import tempfile
from pathlib import Path

import ipywidgets as w

from subq_toolkit.errors import InputError
from subq_toolkit.panels.html_parts import text
from subq_toolkit.panels.section import text_entry
from subq_toolkit.panels.wizard_file import usable_path
from subq_toolkit.readers import ColumnMap

_USUAL, _LONGEST = "our_ehr.json", 100
_LARGEST = 1_000_000


class KeepRow(w.VBox):
    """Save the map under a plain name where the notebook works, or download it."""

    def __init__(self) -> None:
        self.name = text_entry("Save the map as", 220, _USUAL, "A file name, without a folder")
        self.name.value = _USUAL
        self.button = w.Button(description="Save the map", tooltip="Names, words and settings only")
        self.link = w.HTML()
        row = w.HBox([self.name, self.button, self.link])
        row.add_class("sq-fields")
        self.said = w.HTML()
        super().__init__([row, self.said])

    def offer(self, column_map: ColumnMap) -> None:
        """Offer a map for download; it goes to the browser and is not written here."""
        try:
            name = self.plain_name()
        except InputError:
            name = _USUAL
        held = base64.b64encode(map_bytes(column_map)).decode()
        self.link.value = (
            f'<a class="sq-download" download="{text(name)}" '
            f'href="data:application/json;base64,{held}">Download the map</a>'
        )

    def plain_name(self) -> str:
        """The name under which the map is saved.

        Raises
        ------
        InputError
            If it is none, or more than a name.
        """
        name = self.name.value.strip()
        plain = name.isprintable() and not set(name) & set('/\\:*?"<>|')
        if not plain or name in ("", ".", "..") or len(name) > _LONGEST:
            raise InputError("Type a plain file name, without a folder, e.g. our_ehr.json.")
        return name if name.endswith(".json") else f"{name}.json"

    def save(self, column_map: ColumnMap) -> str:
        """Write the map and say where; a file that is no column map is never replaced.

        Raises
        ------
        InputError
            If the name is not usable, or there is another file of that name.
        """
        path = Path(self.plain_name())
        there = path.exists()
        if there:
            try:
                ColumnMap.load(path)
            except InputError:
                raise InputError(
                    f"'{path.name}' is there already and is no column map. Type another name."
                ) from None
        try:
            column_map.save(path)
        except InputError as refused:
            raise InputError(f"{refused} Or download the map instead.") from None
        word = "Saved over the map that was there" if there else "Saved"
        return f"{word}: {path.resolve()}. It holds names and words, nothing of a row."


class LoadRow(w.VBox):
    """Choose a saved map, by upload or by its path."""

    def __init__(self) -> None:
        self.upload = w.FileUpload(accept=".json", multiple=False)
        self.upload.description, self.upload.tooltip = "Upload a map", "A map saved before"
        self.path = text_entry("or the path of a map", 220, _USUAL, "A map on this machine")
        self.button = w.Button(description="Use the saved map", tooltip="Read the file with it")
        self.said = w.HTML()
        asked = w.HTML('<p class="sq-quiet">Was such an export read before? Use its map:</p>')
        row = w.HBox([asked, self.upload, self.path, self.button])
        row.add_class("sq-fields")
        super().__init__([row, self.said])

    def named(self) -> ColumnMap:
        """The map at the path that was typed."""
        return ColumnMap.load(usable_path(self.path.value or _USUAL))


def map_bytes(column_map: ColumnMap) -> bytes:
    """A map as ``ColumnMap.save`` writes it."""
    with tempfile.TemporaryDirectory(prefix="subq_toolkit_") as folder:
        return column_map.save(Path(folder) / _USUAL).read_bytes()


def uploaded_map(content: bytes) -> ColumnMap:
    """A map that was uploaded; the name of the file is not used.

    Raises
    ------
    InputError
        If it is no column map.
    """
    if len(content) > _LARGEST:
        raise InputError("The file is too large to be a column map.")
    with tempfile.TemporaryDirectory(prefix="subq_toolkit_") as folder:
        path = Path(folder) / "uploaded map"
        path.write_bytes(content)
        return ColumnMap.load(path)
