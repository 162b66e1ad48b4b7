"""One part of a panel: entries, the answer to them, marks where an entry cannot be used."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace

import ipywidgets as w
from traitlets import TraitError

from subq_toolkit.charts import LiveChart
from subq_toolkit.errors import InputError
from subq_toolkit.panels.html_parts import entry_marks
from subq_toolkit.panels.panel_look import busy
from subq_toolkit.panels.typed_doses import Answered


def text_entry(label: str, width_px: int, hint: str = "", tip: str = "") -> w.Text:
    """An entry for anything typed; it answers when it is left or Enter is pressed."""
    entry = w.Text(placeholder=hint, continuous_update=False, description=label, tooltip=tip)
    return _laid_out(entry, width_px)


def choice_entry(label: str, width_px: int, options: list, tip: str = "") -> w.Dropdown:
    """An entry with a fixed list of answers, as pairs of words and value."""
    return _laid_out(w.Dropdown(options=options, description=label, tooltip=tip), width_px)


def slider_entry(label: str, low: int, high: int, width_px: int = 320) -> w.IntSlider:
    """A slider of whole numbers; it answers when it is let go or moved by a key."""
    return _sized(w.IntSlider(min=low, max=high, continuous_update=False), label, width_px)


def range_entry(label: str, low: int, high: int, width_px: int = 420) -> w.IntRangeSlider:
    """A slider of two whole numbers, from and to."""
    return _sized(w.IntRangeSlider(min=low, max=high, continuous_update=False), label, width_px)


def _sized(slider: w.ValueWidget, label: str, width_px: int) -> w.ValueWidget:
    slider.description, slider.layout.width = label, f"{width_px}px"
    slider.style.description_width = "auto"
    slider.add_class("sq-slider")
    return slider


def _laid_out(entry: w.ValueWidget, width_px: int) -> w.ValueWidget:
    entry.layout.width = f"{width_px}px"
    entry.style.description_width = "auto"
    entry.add_class("sq-field")
    return entry


def put_entry(entry: w.ValueWidget, name: str, value: object) -> None:
    """Move an entry to what a state holds under ``name``.

    Raises
    ------
    InputError
        If the entry does not offer it.
    """
    try:
        entry.value = value
    except TraitError:
        raise InputError(
            f"The state holds something under '{name}' that ‘{entry.description}’ does not offer. "
            f"Start from another panel's state, or leave '{name}' as it is by default."
        ) from None


def _in_labels(answered: Answered, labels: dict[str, str]) -> Answered:
    """Say an answer with the labels that stand beside the entries, not with their names in code."""

    def worded(text: str) -> str:
        for name, label in labels.items():
            text = text.replace(f"'{name}'", f"‘{label}’")
        return text

    problems = {name: worded(text) for name, text in answered.problems.items()}
    return replace(answered, problems=problems, note=worded(answered.note))


def _within(widgets: Iterable[w.Widget]) -> Iterator[w.Widget]:
    for one in widgets:
        yield one
        yield from _within(getattr(one, "children", ()))


class Section(w.VBox):
    """Entries and what is made of them; ``state`` is what they say, ``answered`` what came of it.

    Parameters
    ----------
    title
        Heading of the part.
    opening
        The state to begin with; its fields are the names of ``entries``.
    entries
        The controls by field.
    answer
        From a state to an ``Answered``.
    shown
        The widgets beneath the entries.
    """

    def __init__(
        self,
        title: str,
        opening: object,
        entries: dict[str, w.ValueWidget],
        answer: Callable[[object], Answered],
        shown: list[w.Widget],
    ) -> None:
        self._opening, self.entries, self._answer = opening, entries, answer
        self._held, self.answered = True, Answered(None)
        self._marks = w.HTML()
        fields_box = w.HBox(list(entries.values()))
        fields_box.add_class("sq-fields")
        super().__init__([w.HTML(f"<h2>{title}</h2>"), fields_box, self._marks, *shown])
        self.add_class("sq-section")
        for entry in entries.values():
            entry.observe(self._changed, names="value")
        self.reset()

    @property
    def state(self) -> object:
        """What the entries say."""
        said = {name: entry.value for name, entry in self.entries.items()}
        return replace(self._opening, **said)

    def reset(self) -> None:
        """Go back to the state of the opening."""
        self.set(self._opening)

    def set(self, state: object) -> None:
        """Move every entry to ``state`` and answer once."""
        self._held = True
        try:
            self.offer(state)
            for one in fields(state):
                if one.name in self.entries:
                    put_entry(self.entries[one.name], one.name, getattr(state, one.name))
        finally:
            self._held = False
        self.show()

    def offer(self, state: object) -> None:
        """Fill lists whose answers depend on another entry; nothing to do by default."""

    def show(self) -> None:
        """Answer the entries as they stand; a fault is shown where the user looks, then raised."""
        try:
            with busy(self):
                self._show()
        except Exception as fault:
            kind = type(fault).__name__
            self.answered = Answered(None, {}, "There is no answer to these entries.")
            self.clear()
            self._marks.value = entry_marks({"": f"A fault ({kind}); please report it."}, {"": ""})
            raise

    def _show(self) -> None:
        labels = {name: entry.description for name, entry in self.entries.items()}
        self.answered = _in_labels(self._answer(self.state), labels)
        for name, entry in self.entries.items():
            (entry.add_class if name in self.answered.problems else entry.remove_class)(
                "sq-invalid"
            )
        self._marks.value = entry_marks(self.answered.problems, labels)
        self.write(self.answered)

    def clear(self) -> None:
        """Leave nothing of an older answer on the page."""
        for shown in _within(self.children[3:]):
            if isinstance(shown, w.HTML):
                shown.value = ""
            elif isinstance(shown, LiveChart):
                shown.spec = None

    def write(self, answered: Answered) -> None:
        """Show the answer; each part says how."""
        raise NotImplementedError

    def _changed(self, change: dict) -> None:
        if not self._held:
            self.adapt(change)
            self.show()

    def adapt(self, change: dict) -> None:
        """Move other entries along with one that was changed; nothing to do by default."""
