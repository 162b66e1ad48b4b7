"""The wizard: from a file to a coded result without code, and a map that is kept for next time."""

from collections.abc import Callable
from dataclasses import replace

import ipywidgets as w
import polars as pl

from subq_toolkit.coding import Coded, code_administrations
from subq_toolkit.errors import InputError, SubqError
from subq_toolkit.panels import wizard_pages as pages
from subq_toolkit.panels.html_parts import note, text
from subq_toolkit.panels.panel_look import busy, panel_style
from subq_toolkit.panels.wizard_file import OpenedFile, opened, sample_file, uploaded
from subq_toolkit.panels.wizard_keep import KeepRow, uploaded_map
from subq_toolkit.panels.wizard_mapping import MappingStep, WizardState
from subq_toolkit.panels.wizard_opening import OpeningStep, on_upload
from subq_toolkit.panels.wizard_settings import in_controls
from subq_toolkit.readers import (
    ColumnMap,
    Reading,
    Suggestion,
    read_administrations,
    suggest_columns,
)
from subq_toolkit.readers.check_counts import counted_checks

_NO_ZONE = "In which zone is the facility? Without it a night of a clock change cannot be told."
_CHANGED = "A choice was changed: press ‘Use these columns’ to read the file so."


class ColumnMapWizard(w.VBox):
    """Read an export of any shape without code: file, columns, checks, a map to keep.

    Nothing is mapped until *Use these columns* is pressed, and nothing is written but a map
    that is saved. An uploaded file is kept in a folder of its own until another is opened.

    Attributes
    ----------
    file, suggestion
        The file that is open and what is proposed for it; None before one is.
    reading, checks, coded
        What was read with the columns in use, counted, and what came of it; None before that
        and after a choice was changed.
    """

    def __init__(self) -> None:
        self.file: OpenedFile | None = None
        self.suggestion: Suggestion | None = None
        self.reading: Reading | None = None
        self.checks: pl.DataFrame | None = None
        self.coded: Coded | None = None
        self.opening = OpeningStep()
        self.mapping = MappingStep(
            lambda: self._doing(self._changed, self.mapping.said),
            lambda asked: self._doing(lambda: self._anew(asked), self.mapping.said),
        )
        self.keeping = KeepRow()
        self.file_page, self.result_page, self.code_page = (w.HTML() for _ in range(3))
        self._kept = w.VBox()
        steps = [self.opening, self.file_page, self.mapping, self.result_page, self._kept]
        super().__init__([panel_style(), *steps])
        self.add_class("sq-panel")
        self._wire()

    @property
    def column_map(self) -> ColumnMap:
        """The map that the controls say."""
        return self.mapping.column_map

    @property
    def said(self) -> str:
        """What the panel says of the last thing that was done, as HTML."""
        return "".join(place.value for place in self._places)

    @property
    def _places(self) -> list[w.HTML]:
        steps = (self.opening, self.mapping, self.mapping.loading, self.keeping)
        return [one.said for one in steps]

    @property
    def state(self) -> WizardState:
        """What was typed and chosen."""
        return WizardState(self.opening.path.value, self.column_map if self.file else None)

    def data(self) -> dict[str, pl.DataFrame]:
        """The tables behind what is shown: proposed columns, report, checks, encounters."""
        held = {"columns": self.suggestion.columns} if self.suggestion else {}
        if self.reading is not None and self.coded is not None:
            held |= {"report": self.reading.report, "checks": self.checks}
            held |= {"encounters": self.coded.encounters.collect()}
        return held

    def use_sample(self) -> None:
        """Open the bundled export, as *Try the sample* does."""
        self.open_file(sample_file())

    def open_file(self, file: OpenedFile) -> None:
        """Open a file and propose its columns."""
        self.reset(keep_path=True)
        try:
            self.suggestion = suggest_columns(file.path)
        except SubqError as refused:
            file.close()
            raise InputError(file.named(str(refused))) from None
        self.file = file
        self._propose()

    def use(self) -> None:
        """Read the file with the columns that are chosen, and code it."""
        if self.file is None:
            raise InputError("Open a file first.")
        self._forget_result()
        column_map = self.column_map
        reading = read_administrations(self.file.path, columns=column_map)
        if self.file.kept:
            reading = replace(reading, administrations=reading.administrations.collect().lazy())
        at = {"facility_zone": column_map.facility_zone}
        coded = code_administrations(reading.administrations, **at)
        self.checks = counted_checks(reading, column_map)
        outcomes, found = coded.reconcile(), pages.commonest(coded)
        self.result_page.value = pages.result_page(self.checks, outcomes, found, reading.report)
        self.reading, self.coded = reading, coded
        self._offer_to_keep()

    def save_map(self) -> None:
        """Write the map that the controls say."""
        if self.file is None:
            raise InputError("Open a file first; a map belongs to an export.")
        self._tell(self.keeping.save(self.column_map), self.keeping.said)

    def load_map(self, column_map: ColumnMap) -> None:
        """Fill the controls from a saved map, and read the file with it."""
        if self.file is None:
            raise InputError("Open a file first; a map belongs to an export.")
        at = {"sheet": column_map.sheet, "header_row": column_map.header_row}
        suggestion = suggest_columns(self.file.path, shape=column_map.shape, **at)
        names = suggestion.columns["read_from"].to_list()
        missing = [name for name in column_map.columns if name not in names]
        if missing:
            raise InputError(
                f"The map names {len(missing)} columns that this file does not have, e.g. "
                f"'{pages.cut(missing[0], 60)}'. It is the map of another export."
            )
        self.suggestion = suggestion
        self.mapping.offer(self.file.path, suggestion, column_map)
        self._show_file()
        self.use()

    def reset(self, *, keep_path: bool = False) -> None:
        """Go back to the beginning; an uploaded file is deleted."""
        if self.file is not None:
            self.file.close()
        self.file = self.suggestion = None
        self._forget_result()
        self.mapping.clear()
        self.file_page.value = ""
        for place in self._places:
            place.value = ""
        if not keep_path:
            self.opening.path.value = ""

    def _propose(self, **kept: object) -> None:
        column_map = replace(self.suggestion.column_map, **kept)
        self.mapping.offer(self.file.path, self.suggestion, column_map)
        self._show_file()

    def _show_file(self) -> None:
        about = "; ".join(one for one in (self.file.about, self.file.kind) if one)
        asked = [in_controls(self.file.named(one)) for one in self.suggestion.questions]
        asked += [] if self.column_map.facility_zone else [_NO_ZONE]
        self.file_page.value = pages.file_page(self.file.label, about, self.suggestion, asked)

    def _offer_to_keep(self) -> None:
        if self.coded is None:
            return
        self.keeping.offer(self.column_map)
        try:
            saved = self.keeping.plain_name()
        except InputError:
            saved = "our_ehr.json"
        self.code_page.value = pages.code_page(self.file.in_code, self.column_map, saved)
        self._kept.children = [w.HTML(pages.step(5, "Keep")), self.keeping, self.code_page]

    def _changed(self) -> None:
        """Take an older answer away: it belongs to other choices."""
        if self.coded is not None:
            self._tell(_CHANGED, self.mapping.said)
        self._forget_result()
        self._show_file()
        self.mapping.words.follow(self.file.path, self.column_map)

    def _anew(self, asked: dict) -> None:
        """Propose the columns of another shape, sheet or header; dates and zone are kept."""
        stated = self.column_map
        self._forget_result()
        self.suggestion = suggest_columns(self.file.path, **asked)
        self._propose(time_format=stated.time_format, facility_zone=stated.facility_zone)

    def _forget_result(self) -> None:
        self.reading = self.checks = self.coded = None
        self.result_page.value = self.code_page.value = ""
        self._kept.children = ()

    def _tell(self, said: str, place: w.HTML) -> None:
        place.value = f'<p class="sq-quiet" role="status">{text(said)}</p>'

    def _wire(self) -> None:
        opening, loading = self.opening, self.mapping.loading
        acts = [
            (opening.open_button, lambda: self.open_file(opened(opening.path.value)), opening),
            (opening.sample_button, self.use_sample, opening),
            (opening.reset_button, self.reset, opening),
            (self.mapping.use_button, self.use, self.mapping),
            (self.keeping.button, self.save_map, self.keeping),
            (loading.button, lambda: self.load_map(loading.named()), loading),
        ]
        for button, act, place in acts:
            button.on_click(lambda _button, act=act, place=place: self._doing(act, place.said))
        self.keeping.name.observe(lambda _change: self._offer_to_keep(), names="value")
        on_upload(
            opening.upload,
            lambda *one: self._doing(lambda: self.open_file(uploaded(*one)), opening.said),
        )
        on_upload(
            loading.upload,
            lambda _, held: self._doing(lambda: self.load_map(uploaded_map(held)), loading.said),
        )

    def _doing(self, act: Callable[[], None], place: w.HTML) -> None:
        for one in self._places:
            one.value = ""
        with busy(self):
            try:
                act()
            except SubqError as refused:
                said = str(refused) if self.file is None else self.file.named(str(refused))
                place.value = note(in_controls(said))
            except Exception as fault:
                place.value = note(f"A fault ({type(fault).__name__}); please report it.")
                raise

    def __repr__(self) -> str:
        if self.suggestion is None:
            return "ColumnMapWizard: no file yet"
        done = "" if self.coded is None else f"; {pages.sum_words(self.coded.reconcile())}"
        return f"ColumnMapWizard: {self.file.label}, {self.suggestion.shape}{done}"
