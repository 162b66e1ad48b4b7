"""How a file is read beside its columns: shape, sheet, header, dates, zone, lengths, bags."""

import re
from collections.abc import Sequence
from pathlib import Path

import ipywidgets as w

from subq_toolkit.panels.section import choice_entry
from subq_toolkit.panels.wizard_pages import shape_words, sureness
from subq_toolkit.readers import SHAPES, ColumnMap, Suggestion
from subq_toolkit.readers.export_files import kind_of
from subq_toolkit.readers.workbooks import sheet_names

_ORDERS = [("as the values show", ""), ("month first", "month_first"), ("day first", "day_first")]
_ZONES = [
    "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix",
    "America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu",
]  # fmt: skip
_LENGTHS = [("not stated", ""), ("minutes", "min"), ("hours", "h"), ("h:mm", "h:mm")]
_STOPS = [("cannot be read", ""), ("is of the next day", "next_day")]
_BAGS = [("goes on", "continues"), ("begins anew", "begins")]
_LAST_HEADER = 1_000
#: Settings with which the columns are proposed anew.
PROPOSED_ANEW = ("shape", "sheet", "header_row")
#: What messages of the readers say in code, and what to do here instead.
_IN_CONTROLS = {
    r'[Ss]tate which it is: time_format="month_first" or time_format="day_first"': (
        "Choose it under ‘Dates’"
    ),
    r"State the zone, e\.g\. facility_zone='America/New_York'": "Choose the ‘Zone of the facility’",
    r"facility_zone '([^']{0,60})[^']*' is not": r"The zone ‘\1’ is not",
    r"(?:If so, read it|Name the column) with columns=\{.*\}\. Columns in the file": (
        "Choose it in the lists. Columns in the file"
    ),
    r"Map one of them to another name in columns=": "Choose something else for one of them",
    r"or give that column another name in columns=": "or leave that column as it is",
    r"State duration_unit": "Choose it under ‘Bare lengths are’",
    r"state stop_after_midnight='next_day' in the map; unless it is stated they are not read": (
        "choose so under ‘A stop clock before the start’; otherwise they are not read"
    ),
    r"State events= in the map": "Choose it below the columns",
    r"state header_row=(\d+)": r"choose \1 under ‘Header is in row’",
    r"State where the header is, e\.g\. header_row=\d+": "Choose it under ‘Header is in row’",
    r"State one with sheet=": "Choose one under ‘Sheet’",
}


def settings_entries() -> dict[str, w.ValueWidget]:
    """The controls, by field of a ``ColumnMap``."""
    zone = w.Combobox(options=_ZONES, description="Zone of the facility", continuous_update=False)
    zone.placeholder, zone.tooltip = "not stated", "Local dates of service need it"
    row = w.BoundedIntText(value=1, min=1, max=_LAST_HEADER, description="Header is in row")
    row.tooltip, row.continuous_update = "The row that holds the column names", False
    for entry, width in ((zone, "210px"), (row, "120px")):
        entry.layout.width, entry.style.description_width = width, "auto"
        entry.add_class("sq-field")
    shapes = [(shape_words(name), name) for name in SHAPES]
    return {
        "shape": choice_entry("A row is", 380, shapes),
        "sheet": choice_entry("Sheet", 200, [("the only one", "")]),
        "header_row": row,
        "time_format": choice_entry("Dates", 180, _ORDERS),
        "facility_zone": zone,
        "duration_unit": choice_entry("Bare lengths are", 150, _LENGTHS),
        "stop_after_midnight": choice_entry("A stop clock before the start", 220, _STOPS),
        "new_bag": choice_entry("With a new bag the run", 190, _BAGS),
    }


def put_settings(
    entries: dict[str, w.ValueWidget],
    column_map: ColumnMap,
    suggestion: Suggestion,
    sheets: Sequence[str],
) -> None:
    """Move the controls to a map; the shapes say how sure each is."""
    entries["shape"].options = [
        (f"{shape_words(name)}: {sureness(sure)}", name)
        for name, sure in suggestion.shapes.select("shape", "confidence").rows()
    ]
    stated = "" if column_map.sheet is None else column_map.sheet
    offered = [(name, name) for name in sheets]
    if stated not in sheets:
        offered.insert(0, (f"number {stated}" if stated else "the only one", stated))
    entries["sheet"].options = offered
    own = column_map.time_format
    known = own is None or own in [value for _, value in _ORDERS]
    entries["time_format"].options = _ORDERS if known else [*_ORDERS, (own, own)]
    for name, entry in entries.items():
        value = getattr(column_map, name)
        entry.value = "" if value is None else value


def settings_in(entries: dict[str, w.ValueWidget]) -> dict[str, object]:
    """What the controls say, by field of a ``ColumnMap``; an empty one says nothing."""
    said = {name: entry.value for name, entry in entries.items()}
    said["facility_zone"] = said["facility_zone"].strip()
    return {name: None if value == "" else value for name, value in said.items()}


def settings_for(column_map: ColumnMap, sheets: Sequence[str]) -> list[str]:
    """The settings that matter for a map."""
    only = {
        "duration_unit": column_map.shape == "start_duration",
        "stop_after_midnight": bool(column_map.two_columns()),
        "new_bag": column_map.shape == "event_log",
    }
    asked = [name for name, there in only.items() if there]
    sheet = ["sheet"] * (len(sheets) > 1)
    return ["shape", "time_format", "facility_zone", *asked, *sheet, "header_row"]


def sheets_of(path: Path) -> list[str]:
    """Names of the sheets of a workbook; none of another file."""
    return sheet_names(path) if kind_of(path) == "excel" else []


def in_controls(message: str) -> str:
    """A message of a reader with the labels of the controls instead of arguments in code."""
    for argument, control in _IN_CONTROLS.items():
        message = re.sub(argument, control, message, flags=re.DOTALL)
    return message
