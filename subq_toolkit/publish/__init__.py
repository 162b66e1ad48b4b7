"""Charts and tables as files for a slide, a mail or a report, each with its caption and source.

Whatever is published has its small counts withheld unless the opposite is asked for; it says
where its numbers are from; and no text in it is ever taken for markup or for a formula.
"""

from collections.abc import Callable
from pathlib import Path

from subq_toolkit.charts.wording import count
from subq_toolkit.errors import InputError
from subq_toolkit.plain_text import one_line
from subq_toolkit.publish.drawings import svg
from subq_toolkit.publish.pages import Page, pages_of, wants_withholding
from subq_toolkit.publish.pictures import check_scale, pdf, png
from subq_toolkit.publish.slides import slides
from subq_toolkit.publish.tables import publish_table, table_html
from subq_toolkit.publish.versions import versions_line
from subq_toolkit.publish.web_pages import web_page
from subq_toolkit.publish.workbook_files import workbook
from subq_toolkit.written_files import place_for, write

__all__ = ["publish", "publish_table", "table_html"]


def _of_all(pages: list[Page]) -> str:
    """What a document is called that was given no title."""
    return pages[0].title if len(pages) == 1 else count(len(pages), "chart")


_SINGLE = {".png": png, ".svg": lambda page, _scale: svg(page).encode("utf-8")}
_TOGETHER: dict[str, Callable[[list[Page], str | None], bytes]] = {
    ".pdf": lambda pages, title: pdf(pages, title or _of_all(pages)),
    ".html": lambda pages, title: web_page(pages, title or _of_all(pages)).encode("utf-8"),
    ".pptx": slides,
    ".xlsx": lambda pages, title: workbook(pages, title or _of_all(pages)),
}


def publish(
    what: object,
    path: str | Path,
    *,
    title: str | None = None,
    small_cells: str = "withhold",
    scale: str | None = None,
    versions: bool = False,
) -> Path | list[Path]:
    """Write charts to a file; its ending says which kind.

    Parameters
    ----------
    what
        A ``Figure``, an Altair chart, a Vega-Lite specification, a panel (anything with a method
        ``figures()``), or a list of them. For a table see ``publish_table``.
    path
        Where to; a file that is there is replaced. ``.png``, ``.svg`` (several figures become
        ``name-1-figure.png`` and so on), ``.pdf`` (a page each), ``.html`` (one page, live and
        without a network), ``.pptx`` (a slide each), ``.xlsx`` (a sheet of numbers each).
    title
        Of the whole document; a deck gets a title slide by it.
    small_cells
        ``"withhold"``: counts of 1 to 10 encounters, and those that would give them away, are
        left out, and what tells of fewer encounters is refused; ``"show"``: all counts.
    scale
        Of a ``.png``: ``"screen"`` (two dots a pixel) or ``"print"`` (four, at 300 dots an inch).
    versions
        Whether to say by which versions, and by which values of the rules, it was made.

    Returns
    -------
    Path or list of Path
        What was written; a list where one figure goes into one file.

    Raises
    ------
    InputError
        If it is nothing that can be published, tells of too few encounters, has another ending,
        or cannot be written there.

    Notes
    -----
    Small cells: CMS cell size suppression policy, as described by ResDAC.
    """
    path = place_for(path, [*_SINGLE, *_TOGETHER])
    ending = path.suffix.lower()
    withhold = wants_withholding(small_cells)
    check_scale(scale, ending)
    remarks = [versions_line()] if versions else []
    pages = pages_of(what, withhold=withhold, remarks=remarks)
    if not pages:
        raise InputError("There is no chart to publish: the list or the open view has none.")
    if ending in _TOGETHER:
        return write(path, _TOGETHER[ending](pages, one_line(title) if title else None))
    drawn = [_SINGLE[ending](page, scale or "screen") for page in pages]
    if len(pages) == 1:
        return write(path, drawn[0])
    names = [f"{path.stem}-{at}-{page.name}{path.suffix}" for at, page in enumerate(pages, start=1)]
    return [write(path.with_name(name), data) for name, data in zip(names, drawn, strict=True)]
