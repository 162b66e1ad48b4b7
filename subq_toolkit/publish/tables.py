"""A table for a reader: as a page for a browser, a picture, or a workbook."""

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from subq_toolkit.charts.look import INK
from subq_toolkit.errors import InputError
from subq_toolkit.plain_text import printable
from subq_toolkit.publish.columns import head_of, is_number
from subq_toolkit.publish.files import needed
from subq_toolkit.publish.pages import Page, table_page, wants_withholding
from subq_toolkit.publish.pictures import SCALES, check_scale, labelled_png
from subq_toolkit.publish.versions import versions_line
from subq_toolkit.publish.web_pages import plain_page, under
from subq_toolkit.publish.workbook_files import workbook
from subq_toolkit.small_cells import CountedCells
from subq_toolkit.written_files import place_for, write

_ID = "table"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
_QUIET_START = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
)
_ENDINGS = (".html", ".png", ".xlsx")
Cells = CountedCells | Sequence[CountedCells] | None


def table_html(
    frame: pl.DataFrame,
    *,
    title: str,
    subtitle: str = "",
    caption: str = "",
    sources: Sequence[str] = (),
    cells: Cells = None,
    small_cells: str = "withhold",
) -> str:
    """A table as a page of HTML that needs nothing else; its text is never markup.

    Parameters
    ----------
    frame
        One row a line; units are read from the names of the columns, shares from ``share``.
    title, subtitle, caption, sources
        What it says, what qualifies that, and where the numbers are from.
    cells, small_cells
        As for ``publish_table``.

    Raises
    ------
    InputError
        As ``publish_table`` does.
    """
    said = (title, subtitle, caption)
    return _html(table_page(frame, said, sources, cells, wants_withholding(small_cells), []))


def publish_table(
    frame: pl.DataFrame,
    path: str | Path,
    *,
    title: str,
    subtitle: str = "",
    caption: str = "",
    sources: Sequence[str] = (),
    cells: Cells = None,
    small_cells: str = "withhold",
    scale: str | None = None,
    versions: bool = False,
) -> Path:
    """Write a table to a file; its ending says which kind.

    Parameters
    ----------
    frame, title, subtitle, caption, sources
        As for ``table_html``.
    path
        Where to: ``.html``, ``.xlsx``, or ``.png``, which is drawn by a Chromium on this machine.
    cells
        Which columns count encounters, and what else tells of them; small counts in them are
        withheld. Needed where a column named after encounters or patients holds 1 to 10.
    small_cells, scale, versions
        As for ``publish``.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    InputError
        If it has another ending, cannot be written there, or counts fewer than 11 encounters in a
        column that ``cells`` does not name.
    """
    path = place_for(path, _ENDINGS)
    ending = path.suffix.lower()
    check_scale(scale, ending)
    remarks = [versions_line()] if versions else []
    said = (title, subtitle, caption)
    page = table_page(frame, said, sources, cells, wants_withholding(small_cells), remarks)
    if ending == ".html":
        return write(path, _html(page).encode("utf-8"))
    if ending == ".xlsx":
        return write(path, workbook([page], page.title))
    drawn = _photographed(_html(page), scale or "screen")
    return write(path, labelled_png(drawn, page, scale or "screen"))


def _html(page: Page) -> str:
    tables = needed("great_tables")
    names = {f"c{at}": name for at, name in enumerate(page.table.columns)}
    rows = [[cell for _, cell in page.cells(row)] for row in range(page.table.height)]
    if any(page.withheld):
        names[f"c{len(names)}"] = ""
        rows = [[*row, *[""] * (len(names) - len(row))] for row in rows]
    texts = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    schema = page.table.schema
    right = [held for held, name in names.items() if name in schema and is_number(schema[name])]
    heads = {held: head_of(name) if name else "Remark" for held, name in names.items()}
    made = (
        tables.GT(texts, id=_ID)
        .tab_header(title=printable(page.title), subtitle=page.qualifier or None)
        .cols_label(**heads)
        .cols_align("left")
        .cols_align("right", columns=right)
        .tab_options(table_width="auto", table_margin_left="0px", heading_align="left")
        .tab_options(table_font_color=INK, table_background_color="#ffffff")
    )
    below = under(page.under[bool(page.qualifier) :], page.sources)
    body = f'<div class="table">{made.as_raw_html()}</div><div class="under">{below}</div>'
    return plain_page(body, page.title)


def _photographed(page: str, scale: str) -> bytes:
    """A page as a browser on this machine draws it, without a network."""
    with ThreadPoolExecutor(1) as apart:  # a notebook has a loop of events running in its thread
        return apart.submit(_photograph, page, SCALES[scale][0]).result()


def _photograph(page: str, dots: int) -> bytes:
    try:
        from playwright.sync_api import Error, sync_playwright
    except ModuleNotFoundError:
        raise InputError(_no_browser("the package 'playwright' is not installed")) from None
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    try:
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=found, args=list(_QUIET_START))
            try:
                shown = browser.new_page(device_scale_factor=dots, offline=True)
                shown.set_content(page)
                return shown.locator("main").screenshot(type="png")
            finally:
                browser.close()
    except Error:
        raise InputError(_no_browser("no Chromium could be started")) from None


def _no_browser(why: str) -> str:
    return (
        f"A picture of a table is drawn by a browser, and {why}. Write it as .html or .xlsx; or "
        f"install Chromium, and playwright with: pip install playwright"
    )
