"""A deck with one slide for each figure: title, picture, caption, and notes with the numbers."""

import re
import struct
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from subq_toolkit.charts.look import INK, QUIET
from subq_toolkit.charts.wording import count
from subq_toolkit.plain_text import printable
from subq_toolkit.publish import deck as design
from subq_toolkit.publish.deck import Box
from subq_toolkit.publish.files import needed, undated
from subq_toolkit.publish.pages import Page
from subq_toolkit.publish.pictures import drawn_png
from subq_toolkit.publish.text_lines import broken

if TYPE_CHECKING:
    from pptx.slide import Slide

_PICTURE_SCALE, _PX_PER_INCH, _PX_PER_PT = 4, 96, 96 / 72
_TITLE_SIZES, _BOLD, _LEADING = (28, 24, 20), 1.1, 1.2
_MOST_NUMBERS, _MOST_SOURCES, _GAP_PT = 40, 3, 5
#: How much smaller a picture may be beside its caption than above it.
_NEARLY = 0.9
_UNIT = re.compile(r"(?<=\d) (?=(?:min|mL|mg|g|h|M|B)\b|%)")
_SHORTENED = "Shortened on the slide; the whole title: "


class Line(NamedTuple):
    """A paragraph of a caption: its text, size [pt], colour, and how many lines it may take."""

    text: str
    size: float
    ink: str
    most: int


def slides(pages: Sequence[Page], title: str | None) -> bytes:
    """Make a deck; it opens with a title slide only if it is given a title."""
    deck = design.new_deck(title or pages[0].title)
    if title:
        opening = deck.slides.add_slide(design.opening_layout(deck))
        _title(opening, title, design.OPENING.width, sizes=(36, 30, 24))
        told = f"{count(len(pages), 'chart')}; sources in the captions and speaker notes"
        opening.placeholders[1].text_frame.text = told
    for page in pages:
        _add_page(deck.slides.add_slide(design.page_layout(deck)), page)
    made = BytesIO()
    deck.save(made)
    return undated(made.getvalue())


def _add_page(slide: "Slide", page: Page) -> None:
    cut = _title(slide, page.title, design.TITLE.width)
    picture = drawn_png(page.bare, _PICTURE_SCALE)
    wide, high = struct.unpack(">II", picture[16:24])
    place, apart = design.ABOVE.holding(wide, high), design.LEFT.holding(wide, high)
    beside = apart.width > _NEARLY * place.width
    place = apart if beside else place
    shape = slide.shapes.add_picture(BytesIO(picture), *place.emu)
    shape._element.nvPicPr.cNvPr.attrib.update({"name": "Chart", "descr": printable(page.alt)})
    below = design.BELOW._replace(top=place.top + place.height + 0.15)
    _caption(slide, design.RIGHT if beside else below, _caption_lines(page, apart=beside))
    design.number(slide)
    said = [_SHORTENED + page.title] if cut else [page.title]
    numbers = ["Numbers:", *page.number_lines(_MOST_NUMBERS)] if page.table.height else []
    sources = ["Sources:", *page.sources] if page.sources else []
    slide.notes_slide.notes_text_frame.text = "\n".join([*said, *page.under, *numbers, *sources])


def _title(slide: "Slide", text: str, width: float, *, sizes: Sequence[int] = _TITLE_SIZES) -> bool:
    """Write a title as large as two lines allow, or in three small ones; whether it was cut."""
    frame = slide.shapes.title.text_frame
    for most, size in zip((2, 2, 3), sizes, strict=True):
        told, cut = _broken(text, size * _BOLD, width - 0.2, most)
        if not cut:
            break
    frame.text = _together(" ".join(told) if cut else text)
    frame.word_wrap = True
    frame.paragraphs[0].runs[0].font.size = needed("pptx.util").Pt(size)
    return cut


def _together(text: str) -> str:
    """A text in which no line ends between a number and its unit."""
    return _UNIT.sub("\u00a0", text)


def _broken(text: str, size: float, width: float, most: int) -> tuple[list[str], bool]:
    """A text as lines of a width [in] and at most so many, and whether it was cut for that."""
    px, room = size * _PX_PER_PT, width * _PX_PER_INCH
    return broken(text, font_px=px, width_px=room, most=most)


def _caption_lines(page: Page, *, apart: bool) -> Iterator[Line]:
    """Qualifier, where the numbers are from, what was withheld, and the first sources."""
    size, most = (16, 9) if apart else (14, 2)
    small = size - 2
    if page.qualifier:
        yield Line(page.qualifier, size, INK, most)
    for part in page.notes:
        yield Line(part, small, INK, most)
    for part in page.caption.split(" · ") if apart else [page.caption]:
        if part:
            yield Line(part, small, QUIET, most)
    for part in page.sources[:_MOST_SOURCES]:
        yield Line(f"Source: {part}", 10, QUIET, most)
    if (left := len(page.sources) - _MOST_SOURCES) > 0:
        yield Line(f"{count(left, 'more source')} in the notes.", 10, QUIET, 1)


def _caption(slide: "Slide", box: Box, told: Iterator[Line]) -> None:
    """Write a caption, no more of it than its box holds."""
    from pptx.dml.color import RGBColor
    from pptx.util import Pt

    shape = slide.shapes.add_textbox(*box.emu)
    shape.name = "Caption"
    frame = shape.text_frame
    frame.word_wrap = True
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    left = box.height * 72
    for at, line in enumerate(told):
        text, height = _fitting(line, box.width, left)
        if not text:
            break
        left -= height
        paragraph = frame.paragraphs[0] if not at else frame.add_paragraph()
        run = paragraph.add_run()
        run.text, run.font.size = text, Pt(line.size)
        run.font.color.rgb = RGBColor.from_string(line.ink[1:].upper())
        paragraph.space_after = Pt(_GAP_PT)


def _fitting(line: Line, width: float, left: float) -> tuple[str, float]:
    """As much of a line as fits into what is left of a box, and the height it takes. [pt]"""
    step = line.size * _LEADING
    most = min(int(left // step), line.most)
    if most < 1:
        return "", 0.0
    told, cut = _broken(line.text, line.size, width - 0.1, most)
    return _together(" ".join(told) if cut else line.text), len(told) * step + _GAP_PT
