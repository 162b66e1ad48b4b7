"""The worklist as a workbook that a reviewer fills in; never a formula, never a link."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from subq_toolkit.audit.audited_tables import Audited
from subq_toolkit.audit.review_sample import ReviewSample
from subq_toolkit.audit.reviewed_amounts import VERDICTS
from subq_toolkit.audit.sheet_cells import TEXT_IS_TEXT, check_rows, excel_writer, put
from subq_toolkit.audit.worklist import worklist
from subq_toolkit.errors import InputError
from subq_toolkit.written_files import place_for, write

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

SHEET, ABOUT = "Worklist", "About"
_OPTIONS = TEXT_IS_TEXT | {"default_format_properties": {"font_name": "Arial", "font_size": 10}}
_HEAD, _ASKED, _LINE_COLOUR = "#0072b2", "#fff4d6", "#b8b8b8"
_MONEY, _WHOLE, _DAY = "$#,##0.00;-$#,##0.00", "#,##0", "yyyy-mm-dd"
_FROZEN, _A4, _MEANING_WIDE = 4, 9, 110
#: Points of a line, lines that a row shows at most, and how much room words leave at its end.
_LINE_POINTS, _MOST_LINES, _ROOM = 13.5, 12, 1.1
_ALIGNED = {"service_date": "left", "file_by": "left", "risk": "center"}
_LONG = ("finding", "reason", "what_to_do", "payer", "department", "claim_ids")


class Column(NamedTuple):
    """How a column of the list is headed, how wide it is, and what it means."""

    head: str
    wide: int
    means: str


_ASKS = {
    "verdict": Column(
        "Verdict", 11, "To be filled in: agree, disagree or unclear. Empty: not yet reviewed."
    ),
    "reviewer": Column("Reviewer", 14, "To be filled in: who decided."),
    "note": Column("Note", 40, "To be filled in: what the record shows."),
}
#: Every column of the sheet, in its order, by its name in the worklist.
SHEET_COLUMNS = {
    "rank": Column("Rank", 7, "Place in the order that the list was asked for."),
    "encounter_id": Column("Encounter", 18, "Number of the encounter."),
    "service_date": Column("Date of service", 12, "Day of the encounter."),
    "code": Column("Code", 9, "The code that was billed or is supported."),
    **_ASKS,
    "finding": Column("Finding", 24, "What is wrong."),
    "billed_units": Column("Billed units", 9, "Units billed, over all claims of the encounter."),
    "supported_units": Column("Supported units", 10, "Units that the chart supports."),
    "difference_units": Column("Difference of units", 11, "Billed less supported."),
    "billed_usd": Column("Billed [USD]", 12, "What the billed units are worth at the schedule."),
    "supported_usd": Column("Supported [USD]", 12, "What the supported units are worth there."),
    "difference_usd": Column(
        "Difference [USD]", 12, "Billed less supported. Empty: no price is known."
    ),
    "risk": Column("Risk", 9, "Urgency of the finding: high, medium, low or none."),
    "reason": Column("Reason", 44, "The numbers behind the finding."),
    "what_to_do": Column("What to do", 60, "The remedy."),
    "days_left": Column(
        "Days left", 9, "Until the payer's limit; negative: past. Empty: no limit is stated."
    ),
    "file_by": Column("File by", 12, "The last day of that limit."),
    "payer": Column("Payer", 16, "Of the claim, else of the chart."),
    "department": Column("Department", 16, "Of the chart, else of the claim."),
    "coder": Column("Coder", 14, "Of the claim."),
    "claim_ids": Column("Claims", 18, "Numbers of the claims that were compared."),
    "key": Column("Key", 28, "Do not change: by it the row is found again when the list is read."),
}


def write_worklist(
    audited: Audited | pl.DataFrame | pl.LazyFrame,
    path: str | Path,
    *,
    order: str = "money",
    which: str = "errors",
    only: ReviewSample | pl.DataFrame | None = None,
    on: date | None = None,
) -> Path:
    """Write the worklist as a workbook with columns for verdict, reviewer and note.

    Parameters
    ----------
    audited, order, which, only
        As for ``worklist``.
    path
        Where to, ending in ``.xlsx``.
    on
        The day that the list is dated; today by default.

    Returns
    -------
    Path
        What was written. Sheet ``Worklist`` has the rows, ``About`` what the columns mean, the
        sources and by which versions it was made.

    Raises
    ------
    InputError
        If the list cannot be made (see ``worklist``), has more rows than a sheet, cannot be
        written there, or xlsxwriter is not installed.

    Notes
    -----
    Text stays text, whatever it begins with. Characters that no workbook can hold are left out.
    The list names encounters: it is as confidential as the chart.
    """
    place, writer, day = place_for(path, (".xlsx",)), excel_writer(), _dated(on)
    rows = worklist(audited, order=order, which=which, only=only)
    check_rows(rows.height, "List some of the encounters with only=.")
    facts = [
        ("Rows", f"{rows.height:,} ({which}), ordered by {order}"),
        ("Dated", day.isoformat()),
        *([("Audit", audited.terms)] if hasattr(audited, "terms") else []),
        *(
            [("Sample", repr(only).strip("<>").split(";")[0])]
            if isinstance(only, ReviewSample)
            else []
        ),
        ("Made with", ", ".join(f"{name} {_version(name)}" for name in ("subq_toolkit", "polars"))),
        ("Confidential", "The list names encounters. Handle it like the chart."),
    ]
    made = BytesIO()
    book = writer.Workbook(made, _OPTIONS)
    dated = {"created": datetime.combine(day, time())}
    book.set_properties({"title": "Worklist", "author": "subq_toolkit", **dated})
    _list(book, book.add_worksheet(SHEET), rows)
    _explain(book, book.add_worksheet(ABOUT), facts, rows["cite"].drop_nulls())
    book.close()
    return write(place, made.getvalue())


def _dated(on: object) -> date:
    if on is None:
        return date.today()
    if not isinstance(on, date) or isinstance(on, datetime):
        raise InputError(f"on is a day, e.g. date(2026, 3, 2); this is a {type(on).__name__}.")
    return on


def _list(book: "Workbook", sheet: "Worksheet", rows: pl.DataFrame) -> None:
    wrap = {"text_wrap": True, "valign": "top", "border": 1, "border_color": _LINE_COLOUR}
    head = book.add_format(wrap | {"bold": True, "font_color": "#ffffff", "bg_color": _HEAD})
    last = max(rows.height, 1)
    for at, (name, column) in enumerate(SHEET_COLUMNS.items()):
        asked = {"bg_color": _ASKED} if name in _ASKS else {}
        aside = {"align": _ALIGNED[name]} if name in _ALIGNED else {}
        look = book.add_format(wrap | asked | aside | {"num_format": _number_format(name)})
        sheet.set_column(at, at, column.wide)
        put(sheet, 0, at, column.head, head)
        values = rows[name] if name in rows.columns else [None] * rows.height
        for row, value in enumerate(values, start=1):
            put(sheet, row, at, value, look)
        if name == "verdict":
            sheet.data_validation(1, at, last, at, _choice())
    sheet.set_row(0, 2 * _LINE_POINTS)
    wide = {name: SHEET_COLUMNS[name].wide for name in _LONG}
    for row, texts in enumerate(rows.select(_LONG).iter_rows(), start=1):
        sheet.set_row(row, _height(zip(texts, wide.values(), strict=True)))
    sheet.freeze_panes(1, _FROZEN)
    sheet.autofilter(0, 0, last, len(SHEET_COLUMNS) - 1)
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _height(cells: Iterable[tuple[str | None, int]]) -> float:
    """How high a row is whose texts are wrapped, each in a column so many characters wide."""
    lines = [ceil(len(text or "") * _ROOM / wide) for text, wide in cells]
    return min(max(1, *lines), _MOST_LINES) * _LINE_POINTS


def _choice() -> dict:
    return {
        "validate": "list",
        "source": list(VERDICTS),
        "ignore_blank": True,
        "error_title": "Verdict",
        "error_message": f"One of {', '.join(VERDICTS)}, or nothing.",
    }


def _explain(
    book: "Workbook", sheet: "Worksheet", facts: Sequence[tuple[str, str]], cites: pl.Series
) -> None:
    bold = book.add_format({"bold": True, "valign": "top"})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    columns = [(column.head, column.means) for column in SHEET_COLUMNS.values()]
    sources = [("Source", cite) for cite in cites.unique().sort()]
    parts = [("About this list", facts), ("Columns", columns), ("Sources", sources)]
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 1, _MEANING_WIDE)
    row = 0
    for title, lines in parts:
        put(sheet, row, 0, title, bold)
        for first, second in lines:
            row += 1
            put(sheet, row, 0, first, wrap)
            put(sheet, row, 1, second, wrap)
            sheet.set_row(row, _height([(second, _MEANING_WIDE), (None, 1)]))
        row += 2
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)


def _number_format(name: str) -> str:
    if name.endswith("_usd"):
        return _MONEY
    if name in ("service_date", "file_by"):
        return _DAY
    return _WHOLE if name.endswith("_units") or name in ("rank", "days_left") else "@"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "of unknown version"
