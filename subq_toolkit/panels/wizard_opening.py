"""The step of the wizard in which a file is uploaded, named by its path, or the sample chosen."""

from collections.abc import Callable

import ipywidgets as w

from subq_toolkit.panels import wizard_pages as pages
from subq_toolkit.panels.html_parts import text
from subq_toolkit.panels.section import text_entry
from subq_toolkit.panels.wizard_file import LIMITS, SUFFIXES


class OpeningStep(w.VBox):
    """Where the file comes from, and what is said of it."""

    def __init__(self) -> None:
        self.upload = w.FileUpload(accept=",".join(SUFFIXES), multiple=False)
        self.upload.description, self.upload.tooltip = "Upload an export", "From your computer"
        self.path = text_entry("or its path", 300, "export.csv", "A file on this machine")
        self.open_button = _button("Open", "Open the file at that path")
        self.sample_button = _button("Try the sample", "A small invented export with faults")
        self.reset_button = _button("Reset", "Begin again")
        self.said = w.HTML()
        row = w.HBox(
            [self.upload, self.path, self.open_button, self.sample_button, self.reset_button]
        )
        row.add_class("sq-fields")
        head = w.HTML(pages.step(1, "File") + f'<p class="sq-quiet">{text(LIMITS)}</p>')
        super().__init__([head, row, self.said])


def on_upload(upload: w.FileUpload, act: Callable[[str, bytes], None]) -> None:
    """Act on each upload and let go of it, so that the same file can come again."""

    def taken(change: dict) -> None:
        if change["new"]:
            one = change["new"][0]
            name, content = one["name"], bytes(one["content"])
            upload.value = ()
            act(name, content)

    upload.observe(taken, names="value")


def _button(label: str, tip: str) -> w.Button:
    return w.Button(description=label, tooltip=tip)
