"""The cells of the parts of a workbook, met one by one without making a table of them.

A sheet is XML, in a binary workbook a run of records. Only where cells stand is told and how
long the items of shared text are, not what they say.
"""

import re
from array import array
from collections.abc import Callable, Iterator
from itertools import pairwise
from xml.parsers import expat

Unpacked = Callable[[], Iterator[bytes]]
#: Cells as nearly every program writes them, and what would be a cell written otherwise.
_USUAL_COLUMN = re.compile(rb'<c r="([A-Z]{1,3})\d{1,7}"')
_USUAL_ROW = re.compile(rb'<c r="[A-Z]{1,3}(\d{1,7})"')
#: A cell that says twice where it is: no XML, and readers differ in which they believe.
_SAID_TWICE = re.compile(rb'<c r="[^">]*"[^>]*\sr\s*=')
_ENDS = (b" ", b">", b"/", b"\n", b"\r", b"\t")
_PREFIXED = tuple(b":" + name + end for name in (b"c", b"si") for end in _ENDS)
_TEXT = re.compile(rb"<si[\s/>]")
#: What a part must hold to be read as a sheet, and the name of the part of shared text.
_SHEET, _TEXTS = b"sheetData", "sharedstrings.xml"
_PLACE = re.compile(r"([A-Za-z]{1,4})(\d{1,8})", re.ASCII)
_HOLDS = ("v", "is", "f")
#: Records of a binary workbook: a row, its cells, one of them of shared text, an item of that.
_ROW, _CELLS, _SHARED, _ITEM = 0, range(1, 12), 7, 19
_BEGIN_CELLS = 145


class Cells:
    """The cells and the shared texts of one part, as they are met.

    Attributes
    ----------
    rows, columns
        How far the cells reach that hold something; ``guessed`` if empty ones count as well.
    shared
        Which item of shared text each cell holds that holds one, unless ``guessed``.
    begins
        Where in the part each item of shared text begins, and where the last one ends.
    """

    def __init__(self, *, guessed: bool = False) -> None:
        self.row = self.column = self.rows = self.columns = 0
        self.shared, self.begins = array("L"), array("L")
        self.guessed = guessed

    def hold(self) -> None:
        """Note that there is something in the cell that is being met."""
        self.rows, self.columns = max(self.rows, self.row), max(self.columns, self.column)

    def lengths(self) -> list[int]:
        """How long each item of shared text is at most. [bytes]"""
        return [end - begin for begin, end in pairwise(self.begins)]


def cells_in_xml(name: str, read: Unpacked, *, exact: bool = False) -> Cells:
    """Meet the cells of a part in XML; a part that is no sheet may be anything.

    Raises
    ------
    ValueError
        If a sheet or the shared text is not well-formed.
    """
    usual = None if exact else _as_usual(read)
    return _as_parsed(name, read) if usual is None else usual


def _as_usual(read: Unpacked) -> Cells | None:
    """Cells by their usual spelling, quickly; None if one might be spelt another way."""
    cells, at, rest = Cells(guessed=True), 0, b""
    for chunk in read():
        whole = rest + chunk
        end = max(whole.rfind(b"<"), 0)
        held, rest = whole[:end], whole[end:]
        columns = _USUAL_COLUMN.findall(held)
        if len(rest) > len(chunk) or not _is_usual(held, len(columns)):
            return None
        for letters in {*columns}:
            cells.column = max(cells.column, _number_of(letters.decode()))
        cells.row = max(map(int, {*_USUAL_ROW.findall(held)}), default=cells.row)
        cells.hold()
        cells.begins.extend(at + found.start() for found in _TEXT.finditer(held))
        at += end
    if cells.begins:
        cells.begins.append(at + len(rest))
    return None if rest.startswith((b"<c", b"<!")) else cells


def _is_usual(held: bytes, cells: int) -> bool:
    """Whether these are all cells there are, and none can hide in a comment or behind a prefix."""
    every = held.count(b"<c") == cells or sum(held.count(b"<c" + end) for end in _ENDS) == cells
    prefixed = b":" in held and any(one in held for one in _PREFIXED)
    return every and b"<!" not in held and not prefixed and _SAID_TWICE.search(held) is None


def _as_parsed(name: str, read: Unpacked) -> Cells:
    cells = Cells()
    parser = _parser(cells)
    held, fault, size, rest = name.lower().endswith(_TEXTS), None, 0, b""
    for chunk in read():
        size += len(chunk)
        held = held or _SHEET in rest + chunk
        rest = chunk[-len(_SHEET) :]
        fault = fault or _fault(parser, chunk)
    fault = fault or _fault(parser, b"", last=True)
    if held and fault:
        raise fault
    if cells.begins:
        cells.begins.append(size)
    return cells


def _fault(parser: expat.XMLParserType, chunk: bytes, *, last: bool = False) -> ValueError | None:
    try:
        parser.Parse(chunk, last)
    except expat.ExpatError:
        return ValueError("not well-formed")
    return None


def _parser(cells: Cells) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def start(name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "c":
            place = attributes.get("r")
            if place is None:
                cells.column += 1
            else:
                cells.row, cells.column = _place(place)
            parser.CharacterDataHandler = text if attributes.get("t") == "s" else None
        elif name in _HOLDS:
            cells.hold()
        elif name == "row":
            row = attributes.get("r")
            cells.row, cells.column = cells.row + 1 if row is None else int(row), 0
        elif name == "si":
            cells.begins.append(parser.CurrentByteIndex)

    def text(read: str) -> None:
        if read.strip():
            cells.shared.append(int(read))

    parser.StartElementHandler = start
    return parser


def _place(reference: str) -> tuple[int, int]:
    """Row and column of a cell: AA10 is row 10, column 27."""
    found = _PLACE.fullmatch(reference)
    if found is None:
        raise ValueError("no place of a cell")
    return int(found[2]), _number_of(found[1])


def _number_of(letters: str) -> int:
    column = 0
    for letter in letters.upper():
        column = column * 26 + ord(letter) - 64
    return column


def cells_in_records(name: str, read: Unpacked, *, exact: bool = True) -> Cells:
    """Meet the cells of a part of a binary workbook; always exact."""
    cells, begun, at = Cells(), False, 0
    held = b"".join(read())
    if name.lower().endswith((".xml", ".rels")):
        return cells
    while at + 2 <= len(held):
        kind, at = _varying(held, at, 2)
        length, at = _varying(held, at, 4)
        begun = begun or kind == _BEGIN_CELLS
        if kind == _ITEM:
            cells.begins.append(at)
        elif begun and kind == _ROW:
            cells.row = int.from_bytes(held[at : at + 4], "little") + 1
        elif begun and kind in _CELLS:
            cells.column = int.from_bytes(held[at : at + 4], "little") + 1
            cells.hold()
            if kind == _SHARED:
                cells.shared.append(int.from_bytes(held[at + 8 : at + 12], "little"))
        at += length
    if cells.begins:
        cells.begins.append(at)
    return cells


def _varying(held: bytes, at: int, most: int) -> tuple[int, int]:
    """A number written in up to ``most`` bytes of seven bits, and where it ends."""
    number = 0
    for place in range(most):
        number |= (held[at + place] & 127) << 7 * place
        if held[at + place] < 128:
            return number, at + place + 1
    return number, at + most
