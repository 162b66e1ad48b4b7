"""The design of our slides: size, colours, fonts, and where title and slide number stand."""

import re
from copy import deepcopy
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from subq_toolkit.charts.look import BLUE, GREEN, INK, PURPLE, QUIET, RULE, VERMILLION
from subq_toolkit.publish.files import MADE_ON, needed

if TYPE_CHECKING:
    from pptx.presentation import Presentation
    from pptx.slide import Slide, SlideLayout

#: There on every system, or replaced by a font of the same widths.
FONT = "Arial"
_EMU_PER_INCH = 914_400
_BAR = (
    '<p:sp xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><p:nvSpPr>'
    '<p:cNvPr id="{id}" name="Bar"/><p:cNvSpPr/><p:nvPr userDrawn="1"/></p:nvSpPr><p:spPr>'
    '<a:xfrm><a:off x="0" y="0"/><a:ext cx="{wide}" cy="{high}"/></a:xfrm>'
    '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'
    '<a:solidFill><a:schemeClr val="accent1"/></a:solidFill><a:ln><a:noFill/></a:ln></p:spPr>'
    "<p:txBody><a:bodyPr/><a:lstStyle/><a:p/></p:txBody></p:sp>"
)


class Box(NamedTuple):
    """A place on a slide. [in]"""

    left: float
    top: float
    width: float
    height: float

    @property
    def emu(self) -> tuple[int, int, int, int]:
        """The same in the unit of PowerPoint."""
        return tuple(round(side * _EMU_PER_INCH) for side in self)

    def holding(self, wide: float, high: float) -> "Box":
        """The largest box of these proportions within this one, at its top left."""
        scale = min(self.width / wide, self.height / high)
        return Box(self.left, self.top, wide * scale, high * scale)


SLIDE = Box(0, 0, 13.333, 7.5)
TITLE = Box(0.6, 0.35, 12.133, 1.05)
#: The picture and its caption: above each other, or beside each other.
ABOVE, BELOW = Box(0.6, 1.5, 12.133, 4.3), Box(0.6, 5.85, 12.133, 1.1)
LEFT, RIGHT = Box(0.6, 1.5, 8.35, 5.45), Box(9.2, 1.5, 3.533, 5.45)
_NUMBER = Box(11.733, 7.02, 1.0, 0.3)
OPENING, _OPENING_MORE = Box(1.2, 2.2, 10.9, 1.8), Box(1.2, 4.1, 10.9, 1.2)
_TITLE_SLIDE, _TITLE_ONLY = 0, 5


def new_deck(title: str) -> "Presentation":
    """An empty deck in our look, with two layouts: a title slide, and one with a title only."""
    deck = needed("pptx").Presentation()
    deck.slide_width, deck.slide_height = SLIDE.emu[2:]
    master, layouts = deck.slide_master, deck.slide_layouts
    kept = [layouts[_TITLE_SLIDE], layouts[_TITLE_ONLY]]
    for layout in list(layouts):
        if layout not in kept:
            layouts.remove(layout)
    _dress_theme(master)
    for shape in list(master.placeholders):
        kind = shape.element.ph.get("type")
        box = {"title": TITLE, "body": LEFT, "sldNum": _NUMBER}.get(kind)
        if box is None:
            shape.element.getparent().remove(shape.element)
        else:
            _place(shape, box)
    for layout in kept:
        for shape in list(layout.placeholders):
            if shape.element.ph.get("type") in ("dt", "ftr"):
                shape.element.getparent().remove(shape.element)
    _dress_master(master)
    _place(kept[0].placeholders[0], OPENING)
    _place(kept[0].placeholders[1], _OPENING_MORE)
    _left(kept[0].placeholders[1])
    about = deck.core_properties
    about.title, about.author, about.last_modified_by = title[:255], "subq_toolkit", "subq_toolkit"
    about.created = about.modified = datetime(*MADE_ON)
    return deck


def opening_layout(deck: "Presentation") -> "SlideLayout":
    """The layout of a title slide."""
    return deck.slide_layouts[0]


def page_layout(deck: "Presentation") -> "SlideLayout":
    """The layout with a title and nothing else."""
    return deck.slide_layouts[1]


def number(slide: "Slide") -> None:
    """Put the slide number on a slide, where its layout has it."""
    for shape in slide.slide_layout.placeholders:
        if shape.element.ph.get("type") == "sldNum":
            slide.shapes._spTree.append(deepcopy(shape.element))


def _place(shape: object, box: Box) -> None:
    shape.left, shape.top, shape.width, shape.height = box.emu


def _dress_theme(master: object) -> None:
    """Our colours and font in the place of those of the template."""
    part = next(
        rel.target_part for rel in master.part.rels.values() if rel.reltype.endswith("/theme")
    )
    theme = part.blob.decode("utf-8")
    inks = {"dk1": INK, "lt1": "#ffffff", "dk2": QUIET, "lt2": RULE, "hlink": BLUE}
    inks |= {f"accent{at}": ink for at, ink in enumerate((BLUE, VERMILLION, GREEN, PURPLE), 1)}
    inks |= {"accent5": QUIET, "accent6": RULE, "folHlink": PURPLE}
    for name, ink in inks.items():
        made = f'<a:{name}><a:srgbClr val="{ink[1:].upper()}"/></a:{name}>'
        theme = re.sub(f"<a:{name}>.*?</a:{name}>", made, theme, count=1)
    theme = re.sub(r'<a:latin typeface="[^"]*"/>', f'<a:latin typeface="{FONT}"/>', theme)
    theme = theme.replace('name="Office Theme"', 'name="subq_toolkit"')
    part._blob = theme.encode("utf-8")


def _dress_master(master: object) -> None:
    """Titles to the left and bold, slide numbers small, a bar at the edge."""
    from pptx.oxml import parse_xml
    from pptx.oxml.ns import qn

    style = master.element.find(qn("p:txStyles")).find(qn("p:titleStyle"))
    level = style.find(qn("a:lvl1pPr"))
    level.set("algn", "l")
    level.find(qn("a:defRPr")).attrib.update({"sz": "2800", "b": "1"})
    tree = master.shapes._spTree
    _, _, wide, high = Box(0, 0, 0.14, SLIDE.height).emu
    bar = parse_xml(_BAR.format(id=99, wide=wide, high=high))
    tree.insert(2, bar)
    for shape in master.placeholders:
        if shape.element.ph.get("type") == "title":
            shape.text_frame.margin_left = shape.text_frame.margin_right = 0
            shape.text_frame.vertical_anchor = needed("pptx.enum.text").MSO_ANCHOR.MIDDLE


def _left(shape: object) -> None:
    """Set a placeholder's text to the left, as large as a second line under a title."""
    from pptx.oxml.ns import qn

    for level in shape.element.iter(qn("a:lvl1pPr")):
        level.set("algn", "l")
        level.find(qn("a:defRPr")).set("sz", "1800")
    shape.text_frame.margin_left = 0
