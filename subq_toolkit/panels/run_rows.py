"""One row of the calculator: the entries of a run, with marks where they stand."""

from collections.abc import Callable

import ipywidgets as w

from subq_toolkit.administrations import CHOICES
from subq_toolkit.panels.html_parts import entry_marks
from subq_toolkit.panels.typed_runs import TypedRun

LABELS = {
    "day": "Date",
    "start": "Start",
    "stop": "Stop",
    "stop_day": "Stop is on",
    "pump_id": "Pump",
    "site": "Site",
    "route": "Route",
    "drug": "Drug",
    "volume_ml": "Volume [mL]",
    "rate_ml_per_h": "Rate [mL/h]",
    "mode": "Mode",
    "delivery": "Delivery",
    "device": "Device",
    "setup_charted": "Set-up charted",
}
_HINTS = {
    "day": "2026-03-02",
    "start": "0915",
    "stop": "11:31",
    "pump_id": "A",
    "site": "e.g. thigh",
    "drug": "as ordered",
}
_WIDTHS = {
    "day": "98px",
    "start": "80px",
    "stop": "80px",
    "stop_day": "102px",
    "pump_id": "56px",
    "site": "104px",
    "route": "126px",
    "drug": "104px",
    "volume_ml": "84px",
    "rate_ml_per_h": "84px",
    "mode": "110px",
    "delivery": "110px",
    "device": "110px",
    "setup_charted": "128px",
}
_ALWAYS = ("day", "start", "stop", "stop_day", "pump_id", "site", "route")
_DAYS = {0: "same day", 1: "next day", 2: "2 days later", 3: "3 days later"}


def choice_options(answers: list[str], blank: str = "not charted") -> list[tuple[str, str]]:
    """Answers of a list with their words, and the empty one first."""
    return [(blank, ""), *((answer.replace("_", " "), answer) for answer in answers)]


class RunRow(w.VBox):
    """The entries of one run; ``typed`` is what they say."""

    def __init__(
        self, typed: TypedRun, *, changed: Callable, remove: Callable[["RunRow"], None]
    ) -> None:
        self._carried = typed.carried
        self.entries: dict[str, w.ValueWidget] = {
            name: _entry(name, getattr(typed, name)) for name in LABELS
        }
        self._more = w.ToggleButton(
            value=any(getattr(typed, name) for name in LABELS if name not in _ALWAYS),
            description="More",
            tooltip="Drug, dose, mode, device and set-up of this run",
        )
        self.remove = w.Button(description="Remove", tooltip="Remove this run")
        self._detail = w.HBox([self.entries[name] for name in LABELS if name not in _ALWAYS])
        self._marks = w.HTML()
        always = w.HBox([*(self.entries[name] for name in _ALWAYS), self._more, self.remove])
        for box in (always, self._detail):
            box.add_class("sq-fields")
        super().__init__([always, self._detail, self._marks])
        self.add_class("sq-run")
        self._unfold()
        self._more.observe(self._unfold, names="value")
        self.remove.on_click(lambda _button: remove(self))
        for entry in self.entries.values():
            entry.observe(changed, names="value")

    @property
    def typed(self) -> TypedRun:
        """The entries as they stand."""
        values = {name: entry.value for name, entry in self.entries.items()}
        return TypedRun(**values, carried=self._carried)

    @property
    def marks(self) -> str:
        """What is written beneath the row, as HTML."""
        return self._marks.value

    def mark(self, problems: dict[str, str]) -> None:
        """Mark the entries that cannot be used, and say what to type."""
        for name, entry in self.entries.items():
            if name in problems:
                entry.add_class("sq-invalid")
            else:
                entry.remove_class("sq-invalid")
        self._marks.value = entry_marks(problems, LABELS)
        self._marks.layout.display = "" if problems else "none"

    def _unfold(self, _change: object = None) -> None:
        self._detail.layout.display = "" if self._more.value else "none"


def _entry(name: str, value: str | int) -> w.ValueWidget:
    plain = {
        "description": LABELS[name],
        "layout": w.Layout(width=_WIDTHS[name]),
        "style": {"description_width": "auto"},
    }
    if name == "stop_day":
        days = _DAYS if value in _DAYS else {**_DAYS, value: f"{value:+d} days"}
        entry = w.Dropdown(options=[(says, n) for n, says in days.items()], value=value, **plain)
    elif name == "setup_charted":
        options = [("by its pump", ""), ("yes", "yes"), ("no", "no")]
        entry = w.Dropdown(options=options, value=value, **plain)
    elif name in CHOICES:
        entry = w.Dropdown(options=choice_options(CHOICES[name]), value=value, **plain)
    else:
        hint = _HINTS.get(name, "")
        entry = w.Text(value, placeholder=hint, continuous_update=False, **plain)
    entry.add_class("sq-field")
    return entry
