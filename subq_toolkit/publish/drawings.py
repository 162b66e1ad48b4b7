"""A page as SVG: named and described, its sources at the foot, nothing live in it."""

from collections.abc import Callable, Iterator
from xml.etree import ElementTree

import vl_convert as vlc

from subq_toolkit.charts.look import LOOK, QUIET
from subq_toolkit.charts.wording import count
from subq_toolkit.errors import InputError
from subq_toolkit.plain_text import one_line
from subq_toolkit.publish.pages import Page
from subq_toolkit.publish.text_lines import broken

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_FOOT_PX, _STEP_PX, _GAP_PX, _LEFT_PX = 9.5, 13, 10, 5
_MOST_SOURCES, _MOST_LINES = 3, 3


def svg(page: Page, *, cited: bool = True) -> str:
    """Draw a page as SVG with title and description, without links or scripts.

    ``cited``: whether its sources stand beneath the picture, for one that goes on its own.
    """
    for prefix, space in (("", _SVG), ("xlink", _XLINK)):
        ElementTree.register_namespace(prefix, space)
    root = ElementTree.fromstring(drawn(vlc.vegalite_to_svg, page.spec))
    for parent in list(root.iter()):
        for child in [one for one in parent if one.tag == f"{{{_SVG}}}script"]:
            parent.remove(child)
        for name in [name for name in parent.attrib if name.endswith("href")]:
            if not parent.attrib[name].startswith(("#", "data:image/")):
                del parent.attrib[name]
    if cited and page.sources:
        _add_foot(root, page)
    said = {"title": page.title, "desc": " ".join((page.alt, *page.sources))}
    for place, (tag, text) in enumerate(said.items()):
        made = ElementTree.Element(f"{{{_SVG}}}{tag}", {"id": f"{page.name}-{tag}"})
        made.text = one_line(text)
        root.insert(place, made)
    named = " ".join(f"{page.name}-{tag}" for tag in said)
    root.attrib |= {"role": "img", "aria-labelledby": named}
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False)


def drawn(draw: Callable[..., object], spec: dict, **options: object) -> object:
    """What vl-convert makes of a specification, without fetching anything.

    Raises
    ------
    InputError
        If it cannot be drawn.
    """
    try:
        return draw(spec, allowed_base_urls=[], **options)
    except ValueError as refused:
        why = one_line(str(refused).partition("\n    at ")[0])[:300]
        raise InputError(f"The chart cannot be drawn. Vega-Lite says: {why}") from None


def _add_foot(root: ElementTree.Element, page: Page) -> None:
    """Write the sources beneath the picture, which becomes higher by that."""
    wide, high = (float(root.get(side)) for side in ("width", "height"))
    told = list(_foot_lines(page, wide - 2 * _LEFT_PX))
    whole = high + _GAP_PX + len(told) * _STEP_PX
    root.set("height", f"{whole:g}")
    root.set("viewBox", f"0 0 {wide:g} {whole:g}")
    if root[0].tag == f"{{{_SVG}}}rect":
        root[0].set("height", f"{whole:g}")
    look = {"x": f"{_LEFT_PX}", "font-family": LOOK["font"], "font-size": f"{_FOOT_PX}px"}
    for at, line in enumerate(told, start=1):
        place = {"y": f"{high + at * _STEP_PX:g}", "fill": QUIET}
        ElementTree.SubElement(root, f"{{{_SVG}}}text", look | place).text = line


def _foot_lines(page: Page, wide_px: float) -> Iterator[str]:
    for source in page.sources[:_MOST_SOURCES]:
        yield from broken(
            f"Source: {source}", font_px=_FOOT_PX, width_px=wide_px, most=_MOST_LINES
        )[0]
    if (left := len(page.sources) - _MOST_SOURCES) > 0:
        yield f"{count(left, 'more source')} in the properties of this file."
