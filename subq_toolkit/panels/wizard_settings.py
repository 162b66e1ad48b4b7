"""How a file is read beside its columns: shape, dates, zone, lengths, bags."""

import ipywidgets as w

from subq_toolkit.panels.section import choice_entry
from subq_toolkit.panels.wizard_pages import shape_words, sureness
from subq_toolkit.readers import SHAPES, ColumnMap, Suggestion

_ORDERS = [("as the values show", None), ("month first", "month_first"), ("day first", "day_first")]
_ZONES = [
    "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix",
    "America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu",
]  # fmt: skip
_LENGTHS = [("not stated", None), ("minutes", "min"), ("hours", "h"), ("h:mm", "h:mm")]
_STOPS = [("cannot be read", None), ("is of the next day", "next_day")]
_BAGS = [("goes on", "continues"), ("begins anew", "begins")]


#: Arguments that messages of the readers name, and where they are chosen here.
_IN_CONTROLS = {
    'time_format="month_first" or time_format="day_first"': "choose it under ‘Dates’",
    "State the zone, e.g. facility_zone='America/New_York'": "Choose the ‘Zone of the facility’",
}


#: Arguments that messages of the readers name, and where they are chosen here.
_IN_CONTROLS = {
    'time_format="month_first" or time_format="day_first"': "choose it under ‘Dates’",
    "State the zone, e.g. facility_zone='America/New_York'": "Choose the ‘Zone of the facility’",
}


def settings_entries() -> dict[str, w.ValueWidget]:
    """The controls, by field of a ``ColumnMap``."""
    zone = w.Combobox(options=_ZONES, description="Zone of the facility", continuous_update=False)
    zone.placeholder, zone.tooltip = "not stated", "Local dates of service need it"
    zone.layout.width, zone.style.description_width = "230px", "auto"
    zone.add_class("sq-field")
    shapes = [(shape_words(name), name) for name in SHAPES]
    return {
        "shape": choice_entry("A row is", 380, shapes),
        "time_format": choice_entry("Dates", 180, _ORDERS),
        "facility_zone": zone,
        "duration_unit": choice_entry("Bare lengths are", 150, _LENGTHS),
        "stop_after_midnight": choice_entry("A stop clock before the start", 220, _STOPS),
        "new_bag": choice_entry("With a new bag the run", 190, _BAGS),
    }


def put_settings(
    entries: dict[str, w.ValueWidget], column_map: ColumnMap, suggestion: Suggestion
) -> None:
    """Move the controls to a map; the shapes say how sure each is."""
    entries["shape"].options = [
        (f"{shape_words(name)}: {sureness(sure)}", name)
        for name, sure in suggestion.shapes.select("shape", "confidence").rows()
    ]
    for name, entry in entries.items():
        value = getattr(column_map, name)
        entry.value = "" if name == "facility_zone" and value is None else value


def settings_for(column_map: ColumnMap) -> list[str]:
    """The settings that matter for a map."""
    only = {
        "duration_unit": column_map.shape == "start_duration",
        "stop_after_midnight": bool(column_map.two_columns()),
        "new_bag": column_map.shape == "event_log",
    }
    asked = [name for name, there in only.items() if there]
    return ["shape", "time_format", "facility_zone", *asked]


def in_controls(message: str) -> str:
    """A message of a reader with the labels of the controls instead of arguments in code."""
    for argument, control in _IN_CONTROLS.items():
        message = message.replace(argument, control)
    return message
