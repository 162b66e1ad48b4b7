"""The wizard: from a file to a coded result without code, and a map that is kept for next time."""

from dataclasses import dataclass, replace

import ipywidgets as w
import polars as pl

from subq_toolkit.coding import Coded, code_administrations
from subq_toolkit.errors import InputError, SubqError
from subq_toolkit.panels import wizard_pages as pages
from subq_toolkit.panels.html_parts import note, text
from subq_toolkit.panels.panel_look import busy, panel_style
from subq_toolkit.panels.section import text_entry
from subq_toolkit.panels.wizard_columns import ColumnRows, EventWords
from subq_toolkit.panels.wizard_file import SUFFIXES, OpenedFile, opened, sample_file, uploaded
from subq_toolkit.panels.wizard_settings import (
    in_controls,
    put_settings,
    settings_entries,
    settings_for,
)
from subq_toolkit.readers import (
    ColumnMap,
    Reading,
    Suggestion,
    check_counts,
    read_administrations,
    suggest_columns,
)

_COMMONEST = 8


@dataclass(frozen=True)
class WizardState:
    """All that is chosen in the wizard: the path that was typed, and the map."""

    path: str
    column_map: ColumnMap | None


class ColumnMapWizard(w.VBox):
    """Read an export of any shape without code: file, columns, checks, a map to keep.

    Nothing is mapped until *Use these columns* is pressed, and nothing is written but a map
    that is saved. Uploaded files are kept in a folder of their own until the panel goes.

    Attributes
    ----------
    file, suggestion
        The file that is open and what is proposed for it; None before one is.
    reading, coded
        What was read with the columns in use, and what came of it; None before that.
    """

    def __init__(self) -> None:
        self.file: OpenedFile | None = None
        self.suggestion: Suggestion | None = None
        self.reading: Reading | None = None
        self.coded: Coded | None = None
        self._settings = ColumnMap()
        self.upload = w.FileUpload(accept=",".join(SUFFIXES), multiple=False)
        self.upload.description, self.upload.tooltip = "Upload an export", "Up to 10 MB"
        self.path = text_entry("or its path", 300, "export.csv", "A file on this machine")
        self.open_button = _button("Open", "Open the file at that path")
        self.sample_button = _button("Try the sample", "A small invented export with faults")
        self.reset_button = _button("Reset", "Begin again")
        self.entries, self._held = settings_entries(), False
        self.columns, self.words = ColumnRows(), EventWords()
        self.use_button = _button("Use these columns", "Read the file so and code it")
        self.use_button.button_style = "primary"
        self.map_name = text_entry("Save the map as", 220, "our_ehr.json", "A file name")
        self.map_name.value = "our_ehr.json"
        self.save_button = _button("Save the map", "Names and words only, nothing of a row")
        self.load_name = text_entry("A saved map", 220, "our_ehr.json", "A path")
        self.load_button = _button("Use a saved map", "Fill the columns from it")
        self.said, self.file_page, self.result_page, self.code_page = (w.HTML() for _ in range(4))
        self._mapping, self._kept = w.VBox(), w.VBox()
        super().__init__(
            [
                panel_style(),
                _row(
                    self.upload, self.path, self.open_button, self.sample_button, self.reset_button
                ),
                self.said,
                self.file_page,
                self._mapping,
                self.result_page,
                self._kept,
                self.code_page,
            ]
        )
        self.add_class("sq-panel")
        self._wire()

    @property
    def column_map(self) -> ColumnMap:
        """The map that the controls say."""
        chosen = {name: entry.value for name, entry in self.entries.items()}
        chosen["facility_zone"] = chosen["facility_zone"].strip() or None
        return replace(
            self._settings, columns=self.columns.chosen, events=self.words.chosen, **chosen
        )

    @property
    def state(self) -> WizardState:
        """What was typed and chosen."""
        return WizardState(self.path.value, self.column_map if self.file else None)

    def data(self) -> dict[str, pl.DataFrame]:
        """The tables behind what is shown: proposed columns, report, checks, encounters."""
        held = {"columns": self.suggestion.columns} if self.suggestion else {}
        if self.reading is not None and self.coded is not None:
            held["report"] = self.reading.report
            held["encounters"] = self.coded.encounters.collect()
        return held

    def open_file(self, file: OpenedFile, *, shape: str | None = None) -> None:
        """Open a file and propose its columns."""
        self._forget()
        self.suggestion = suggest_columns(file.path, shape=shape)
        self.file = file
        self._settings = self.suggestion.column_map
        self._offer(self.suggestion.column_map)
        self.file_page.value = pages.file_page(file.label, file.about, self.suggestion)

    def use(self) -> None:
        """Read the file with the columns that are chosen, and code it."""
        if self.file is None:
            raise InputError("Open a file first.")
        self.reading = self.coded = None
        self.result_page.value = self.code_page.value = ""
        column_map = self.column_map
        self.reading = read_administrations(self.file.path, columns=column_map)
        self.coded = code_administrations(
            self.reading.administrations, facility_zone=column_map.facility_zone
        )
        found = (
            self.coded.findings.filter(pl.col("encounter_id").is_not_null())
            .group_by("finding", "what_to_do")
            .agg(encounters=pl.col("encounter_id").n_unique())
            .sort("encounters", "finding", descending=[True, False])
            .head(_COMMONEST)
            .collect()
        )
        checks = check_counts(self.file.path, column_map)
        self.result_page.value = pages.result_page(checks, self.coded.reconcile(), found)
        self._say_code(column_map)
        self._kept.children = [_row(self.map_name, self.save_button)]

    def save_map(self) -> None:
        """Write the map that the controls say."""
        name = self.map_name.value.strip()
        if not name or name in (".", "..") or set(name) & set('/\\:*?"<>|'):
            raise InputError("Type a plain file name, without a folder, e.g. our_ehr.json.")
        path = self.column_map.save(name if name.endswith(".json") else f"{name}.json")
        self._say_code(self.column_map)
        self._tell(f"Saved: {path.resolve()}. It holds names and words, nothing of a row.")

    def load_map(self) -> None:
        """Fill the controls from a saved map."""
        if self.file is None:
            raise InputError("Open a file first; a map belongs to an export.")
        column_map = ColumnMap.load(self.load_name.value.strip() or "our_ehr.json")
        missing = [name for name in column_map.columns if name not in self.columns.names]
        if missing:
            raise InputError(
                f"The map names {len(missing)} columns that this file does not have, e.g. "
                f"'{missing[0]}'. It is the map of another export."
            )
        self._settings = column_map
        self._offer(column_map)
        self.use()

    def reset(self) -> None:
        """Go back to the beginning."""
        self._forget()
        self.path.value = ""

    def _offer(self, column_map: ColumnMap) -> None:
        self._held = True
        try:
            put_settings(self.entries, column_map, self.suggestion)
        finally:
            self._held = False
        self.columns.offer(self.suggestion.columns, column_map)
        self.words.offer(self.file.path, column_map)
        shown = [self.entries[name] for name in settings_for(column_map)]
        self._mapping.children = [
            w.HTML("<h3>Columns</h3>"),
            _row(*shown, self.load_name, self.load_button),
            self.columns,
            self.words,
            _row(self.use_button),
        ]

    def _reshaped(self, change: dict) -> None:
        if not self._held:
            self._doing(lambda: self.open_file(self.file, shape=change["new"]))

    def _forget(self) -> None:
        self.file = self.suggestion = self.reading = self.coded = None
        self._settings = ColumnMap()
        self._mapping.children = self._kept.children = ()
        for page in (self.said, self.file_page, self.result_page, self.code_page):
            page.value = ""

    def _say_code(self, column_map: ColumnMap) -> None:
        saved = self.map_name.value.strip() or "our_ehr.json"
        self.code_page.value = pages.code_page(self.file.label, column_map, saved)

    def _tell(self, said: str) -> None:
        self.said.value = f'<p class="sq-quiet" role="status">{text(said)}</p>'

    def _wire(self) -> None:
        acts = {
            self.open_button: lambda: self.open_file(opened(self.path.value)),
            self.sample_button: lambda: self.open_file(sample_file()),
            self.reset_button: self.reset,
            self.use_button: self.use,
            self.save_button: self.save_map,
            self.load_button: self.load_map,
        }
        for button, act in acts.items():
            button.on_click(lambda _button, act=act: self._doing(act))
        self.entries["shape"].observe(self._reshaped, names="value")
        self.upload.observe(lambda _change: self._doing(self._take_upload), names="value")

    def _take_upload(self) -> None:
        if self.upload.value:
            one = self.upload.value[0]
            self.open_file(uploaded(one["name"], bytes(one["content"])))

    def _doing(self, act: object) -> None:
        self.said.value = ""
        with busy(self):
            try:
                act()
            except SubqError as refused:
                self.said.value = note(in_controls(str(refused)))
            except Exception as fault:
                self.said.value = note(f"A fault ({type(fault).__name__}); please report it.")
                raise

    def __repr__(self) -> str:
        if self.suggestion is None:
            return "ColumnMapWizard: no file yet"
        done = "" if self.coded is None else f"; {self.coded.reconcile()}"
        return f"ColumnMapWizard: {self.file.label}, {self.suggestion.shape}{done}"


def _button(label: str, tip: str) -> w.Button:
    return w.Button(description=label, tooltip=tip)


def _row(*widgets: w.Widget) -> w.HBox:
    row = w.HBox(widgets)
    row.add_class("sq-fields")
    return row
