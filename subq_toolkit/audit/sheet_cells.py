"""Cells of a sheet of Excel: text stays text, never a formula or a link, and there is an end."""

from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from math import isfinite
from types import ModuleType
from typing import TYPE_CHECKING

from subq_toolkit.errors import InputError
from subq_toolkit.plain_text import printable

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

#: For a workbook of xlsxwriter.
TEXT_IS_TEXT = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
#: What a cell holds at most, the rows of a sheet below its head, the days Excel knows.
MOST_TEXT, MOST_ROWS = 32_767, 1_048_575
_FIRST_DAY = date(1900, 1, 1)
#: From here on a number of Excel is not exact, so it is written as text.
_EXACT = 2**53


def excel_writer() -> ModuleType:
    """The package that writes workbooks.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        return import_module("xlsxwriter")
    except ModuleNotFoundError:
        raise InputError(
            "Writing Excel needs xlsxwriter, which is not installed. Install it with: "
            'pip install "subq_toolkit[excel]"'
        ) from None


def check_rows(rows: int, remedy: str) -> None:
    """Refuse more rows than a sheet holds.

    Raises
    ------
    InputError
        If there are more.
    """
    if rows > MOST_ROWS:
        raise InputError(f"A sheet of Excel holds {MOST_ROWS:,} rows; these are {rows:,}. {remedy}")


def cell_text(text: object) -> str:
    """A text as a cell holds it: what no workbook can hold left out, and cut where a cell ends."""
    return printable(text)[:MOST_TEXT]


def put(sheet: "Worksheet", row: int, column: int, value: object, look: object = None) -> None:
    """Write a value as what it is; text as text, whatever it begins with."""
    number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    if value is None or (number and not isfinite(value)):
        sheet.write_blank(row, column, None, look)
    elif number and abs(value) < _EXACT:
        sheet.write_number(row, column, value, look)
    elif isinstance(value, datetime | date) and _day(value) >= _FIRST_DAY:
        sheet.write_datetime(row, column, value, look)
    else:
        sheet.write_string(row, column, cell_text(value), look)


def _day(value: datetime | date) -> date:
    return value.date() if isinstance(value, datetime) else value
