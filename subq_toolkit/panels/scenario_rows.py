"""One row of terms in the scenario panel: a name, choices, sliders, and marks beneath."""

from collections.abc import Callable, Collection
from dataclasses import fields

import ipywidgets as w

from subq_toolkit.panels.html_parts import entry_marks
from subq_toolkit.panels.scenario_states import TermsState
from subq_toolkit.panels.section import choice_entry, text_entry

_SETTINGS = [
    ("as charted", "as_charted"),
    ("all hospital", "hospital"),
    ("all office", "office"),
    ("all home", "home"),
]
_CAPS = [("as coded", ""), ("all", "none"), ("up to the unlikely edit", "unlikely_edit")]
_DEPARTMENTS = [
    ("on campus", "on_campus"),
    ("off campus (603)", "off_campus"),
    ("off campus, excepted", "excepted_off_campus"),
]


class TermsRow(w.VBox):
    """The entries of one scenario; ``state`` is what they say."""

    def __init__(
        self, state: TermsState, *, changed: Callable, remove: Callable | None = None
    ) -> None:
        self.entries = _entries()
        self._marks = w.HTML()
        self.remove_button = w.Button(description="Remove", tooltip="Remove this what-if")
        shown = [*self.entries.values()]
        if remove is not None:
            shown.append(self.remove_button)
            self.remove_button.on_click(lambda _button: remove(self))
        entries = w.HBox(shown)
        entries.add_class("sq-fields")
        super().__init__([entries, self._marks])
        self.add_class("sq-terms")
        for one in fields(TermsState):
            self.entries[one.name].value = getattr(state, one.name)
        for entry in self.entries.values():
            entry.observe(changed, names="value")

    @property
    def state(self) -> TermsState:
        """What the entries say."""
        return TermsState(**{name: entry.value for name, entry in self.entries.items()})

    def mark(self, problem: str, culprits: Collection[str] = ()) -> None:
        """Mark the entries that cause a refusal, and say what to type; empty for none."""
        for name, entry in self.entries.items():
            (entry.add_class if name in culprits else entry.remove_class)("sq-invalid")
        self._marks.value = entry_marks({"": problem} if problem else {}, {"": "Look"})


def _entries() -> dict[str, w.ValueWidget]:
    return {
        "name": text_entry("Scenario", 150),
        "prices": text_entry("Prices of", 110, "day of service", "A day, or empty"),
        "setting": choice_entry("Place", 115, _SETTINGS),
        "locality": text_entry("Locality", 85, "national", "MAC and locality: 15202-00"),
        "apm": _check("APM", 70, "Qualifying participant of an alternative payment model"),
        "wage_index": text_entry("Wage index", 80, "1", "A number, or the name of an area"),
        "department": choice_entry("Department", 140, _DEPARTMENTS),
        "rural_sole_community": _check("Rural SCH", 98, "Rural sole community hospital"),
        "unit_cap": choice_entry("Further hours", 130, _CAPS),
        "payers": text_entry("Payers pay [%]", 170, "Medicaid=60; Self-pay=10"),
        "denial_percent": _slider("Denied [%]", 0, 50, 0.5),
        "recovered_percent": _slider("Missing stops found [%]", 0, 100, 1),
        "further_setup_percent": _slider("More further set-ups [%]", 0, 100, 1),
        "stretch_percent": _slider("Minutes stretched to [%]", 50, 150, 1),
        "shift_min": _slider("Minutes shifted [min]", -30, 30, 1, whole=True),
    }


def _check(label: str, width_px: int, tip: str) -> w.Checkbox:
    box = w.Checkbox(description=label, tooltip=tip, indent=False)
    box.layout.width = f"{width_px}px"
    return box


def _slider(
    label: str, low: float, high: float, step: float, *, whole: bool = False
) -> w.ValueWidget:
    kind = w.IntSlider if whole else w.FloatSlider
    shown = {} if whole else {"readout_format": ".3g"}
    slider = kind(min=low, max=high, step=step, description=label, **shown)
    slider.layout.width, slider.style.description_width = "370px", "165px"
    return slider


def asked_entries() -> dict[str, w.ValueWidget]:
    """The entries of the panel that belong to no scenario, by name."""
    codes = [(code, code) for code in ("96369", "96370", "96371", "96372")]
    return {
        "code": choice_entry("Code", 100, codes),
        "ours": text_entry("Our locality", 120, "15202-00"),
        "charges": text_entry("Our charges [USD]", 330, "96369=500; 96370=150"),
        "state": text_entry("Hospital prices of", 130, "US or a state, e.g. OH"),
        "chair_usd_per_h": text_entry("Chair [USD/h]", 110),
        "nurse_usd_per_h": text_entry("Nurse [USD/h]", 110),
        "setup_usd": text_entry("A set-up [USD]", 110),
        "fixed_usd": text_entry("Fixed cost [USD]", 120),
    }
