"""A workbook with the pictures, their numbers with units, and their sources; never a formula."""

import re
import struct
from collections.abc import Sequence
from datetime import date, datetime
from io import BytesIO
from math import ceil
from typing import TYPE_CHECKING

from subq_toolkit.charts.look import BLUE, INK, QUIET, RULE
from subq_toolkit.plain_text import printable
from subq_toolkit.publish.columns import head_of, is_share
from subq_toolkit.publish.deck import FONT
from subq_toolkit.publish.files import MADE_ON, needed, undated
from subq_toolkit.publish.pages import Page
from subq_toolkit.publish.pictures import drawn_png
from subq_toolkit.publish.text_lines import broken

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

_NO_SHEET = re.compile(r"[\[\]:*?/\\]")
_MOST_SHEET, _MOST_TEXT, _EXACT = 31, 32_767, 2**53
_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
    "default_format_properties": {"font_name": FONT, "font_size": 10},
}
#: A picture has two dots for each pixel; Excel takes a dot for a point, and 4/3 pixels.
_PICTURE_SCALE, _SHRUNK, _PX_PER_POINT, _ROW_PX, _LEADING = 2, 0.5, 96 / 72, 20, 1.3
_FIRST_PX, _MOST_LINES, _NARROWEST, _WIDEST = 640, 24, 8, 60
_REMARK = "Remark"


def workbook(pages: Sequence[Page], title: str) -> bytes:
    """Make a workbook: ``Summary``, a sheet of numbers for each figure, ``Sources``."""
    xlsxwriter = needed("xlsxwriter")
    made = BytesIO()
    book = xlsxwriter.Workbook(made, _OPTIONS)
    book.set_properties({"title": title, "author": "subq_toolkit", "created": datetime(*MADE_ON)})
    summary = book.add_worksheet("Summary")
    names = _sheet_names(pages)
    sheets = [book.add_worksheet(name) for name in names]
    _summarise(book, summary, pages, title, names)
    for sheet, page in zip(sheets, pages, strict=True):
        _fill(book, sheet, page)
    _cite(book, book.add_worksheet("Sources"), pages)
    book.close()
    return undated(made.getvalue())


def _sheet_names(pages: Sequence[Page]) -> list[str]:
    """Names that Excel takes, none of them twice, whatever case."""
    if len(pages) == 1:
        return ["Data"]
    taken, names = {"summary", "sources", "history"}, []
    for at, page in enumerate(pages, start=1):
        cleaned = _NO_SHEET.sub(" ", f"{at} {page.name.replace('_', ' ')}")
        name = cleaned[:_MOST_SHEET].strip(" '")
        while name.lower() in taken:
            name = f"{at} data"
        taken.add(name.lower())
        names.append(name)
    return names


def _summarise(
    book: "Workbook", sheet: "Worksheet", pages: Sequence[Page], title: str, names: Sequence[str]
) -> None:
    """Title, words and picture of each figure beneath each other."""
    large = book.add_format({"bold": True, "font_size": 16, "font_color": INK, "text_wrap": True})
    head = book.add_format({"bold": True, "font_size": 13, "font_color": INK, "text_wrap": True})
    quiet = book.add_format({"font_color": QUIET, "text_wrap": True, "valign": "top"})
    sheet.set_column_pixels(0, 0, _FIRST_PX + 20)
    sheet.fit_to_pages(1, 0)
    sheet.hide_gridlines(2)
    row = 0
    if len(pages) > 1:
        _write(sheet, row, title, large, font_px=22)
        row += 2
    for page, name in zip(pages, names, strict=True):
        _write(sheet, row, page.title, head, font_px=18)
        told = [*page.under, f"In words: {page.alt}", f"Numbers: sheet “{name}”"]
        for line in told:
            row += 1
            _write(sheet, row, line, quiet)
        row += 2
        if page.spec is not None:
            row += _picture(sheet, row, page) + 2


def _write(sheet: "Worksheet", row: int, text: str, look: object, font_px: float = 13.3) -> None:
    """Write a text into a row that is as high as its lines."""
    lines, _ = broken(text, font_px=font_px, width_px=_FIRST_PX, most=_MOST_LINES)
    sheet.set_row_pixels(row, max(_ROW_PX, round(len(lines) * font_px * _LEADING) + 2))
    _put(sheet, row, 0, text, look)


def _picture(sheet: "Worksheet", row: int, page: Page) -> int:
    """Put the picture into a sheet; how many rows it covers."""
    picture = drawn_png(page.bare, _PICTURE_SCALE)
    _, high = struct.unpack(">II", picture[16:24])
    shown = {"x_scale": _SHRUNK, "y_scale": _SHRUNK, "object_position": 2}
    described = {"image_data": BytesIO(picture), "description": printable(page.alt)}
    sheet.insert_image(row, 0, "chart.png", shown | described)
    return ceil(high * _SHRUNK * _PX_PER_POINT / _ROW_PX)


def _fill(book: "Workbook", sheet: "Worksheet", page: Page) -> None:
    """The numbers of a figure: a head that stays, a filter, and types that can be reckoned with."""
    head = book.add_format(
        {"bold": True, "font_color": "#ffffff", "bg_color": BLUE, "text_wrap": True,
         "valign": "top", "border": 1, "border_color": RULE}
    )  # fmt: skip
    table = page.table
    columns = [(name, head_of(name), table[name].to_list()) for name in table.columns]
    if any(page.withheld):
        remarks = ["count withheld" if gone else None for gone in page.withheld]
        columns.append(("", _REMARK, remarks))
    for at, (name, heading, values) in enumerate(columns):
        _put(sheet, 0, at, heading, head)
        look = book.add_format({"num_format": _number_format(name, values)})
        for row, value in enumerate(values, start=1):
            _put(sheet, row, at, value, look)
        longest = max(len(str(one)) for one in (heading, *values[:200]))
        sheet.set_column(at, at, min(max(longest + 2, _NARROWEST), _WIDEST))
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    if columns:
        sheet.autofilter(0, 0, max(table.height, 1), len(columns) - 1)


def _number_format(name: str, values: list) -> str:
    known = [value for value in values if value is not None]
    first = known[0] if known else None
    if isinstance(first, datetime):
        return "yyyy-mm-dd hh:mm"
    if isinstance(first, date):
        return "yyyy-mm-dd"
    if isinstance(first, bool) or not isinstance(first, int | float):
        return "General"
    if is_share(name):
        return "0.0%"
    if name.endswith("_usd"):
        return "$#,##0.00;-$#,##0.00"
    return "#,##0" if all(float(one).is_integer() for one in known) else "#,##0.00##"


def _put(sheet: "Worksheet", row: int, column: int, value: object, look: object) -> None:
    """Write a value as what it is; text as text, whatever it begins with."""
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value, look)
    elif isinstance(value, int | float) and abs(value) < _EXACT:
        sheet.write_number(row, column, value, look)
    elif isinstance(value, datetime | date):
        sheet.write_datetime(row, column, value, look)
    else:
        sheet.write_string(row, column, printable(value)[:_MOST_TEXT], look)


def _cite(book: "Workbook", sheet: "Worksheet", pages: Sequence[Page]) -> None:
    head = book.add_format({"bold": True, "font_color": "#ffffff", "bg_color": BLUE})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    rows = [(page.title, line) for page in pages for line in page.sources or page.under[-1:]]
    for at, (heading, wide) in enumerate((("Figure", 50), ("Source", 100))):
        _put(sheet, 0, at, heading, head)
        sheet.set_column(at, at, wide)
    for row, cells in enumerate(rows, start=1):
        for at, cell in enumerate(cells):
            _put(sheet, row, at, cell, wrap)
    sheet.freeze_panes(1, 0)
