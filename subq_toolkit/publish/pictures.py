"""Pictures of pages: PNG that knows what it shows, and PDF with a page for each."""

import struct
import zlib
from collections.abc import Sequence
from io import BytesIO

import vl_convert as vlc

from subq_toolkit.errors import InputError
from subq_toolkit.plain_text import one_line
from subq_toolkit.publish.drawings import drawn, svg
from subq_toolkit.publish.files import needed
from subq_toolkit.publish.pages import Page

#: Dots for each pixel of a chart, and how many of them make an inch.
SCALES = {"screen": (2, 192), "print": (4, 300)}
_PER_METRE = 100 / 2.54
_MADE_BY = "subq_toolkit"
_MADE_ON = "D:20000101000000Z"


def check_scale(scale: str | None, ending: str) -> None:
    """Refuse a scale that there is not, or that a kind of file has none of.

    Raises
    ------
    InputError
        If it is one.
    """
    if scale is not None and (scale not in SCALES or ending != ".png"):
        raise InputError(
            f"scale is {scale!r}; for a .png it can be 'screen' or 'print', for other kinds of "
            f"files leave it out."
        )


def png(page: Page, scale: str = "screen") -> bytes:
    """Draw a page as PNG that knows its size, its title and its alt text."""
    return labelled_png(vlc.svg_to_png(svg(page), scale=SCALES[scale][0]), page, scale)


def drawn_png(spec: dict, scale: float) -> bytes:
    """Draw a specification as PNG without fetching anything; refuses what cannot be drawn."""
    return drawn(vlc.vegalite_to_png, spec, scale=scale)


def pdf(pages: Sequence[Page], title: str) -> bytes:
    """Draw pages as one PDF that says its title, its subject and its sources."""
    pypdf = needed("pypdf")
    merged = pypdf.PdfWriter()
    for page in pages:
        single = pypdf.PdfReader(BytesIO(vlc.svg_to_pdf(svg(page))))
        for held in single.pages[0]["/Resources"].values():
            _sort(held.get_object())
        merged.append(single, outline_item=page.title)
    sources = dict.fromkeys(line for page in pages for line in page.sources)
    merged.metadata = {
        "/Title": title,
        "/Subject": " ".join(page.alt for page in pages),
        "/Keywords": "; ".join(sources),
        "/Creator": _MADE_BY,
        "/Producer": _MADE_BY,
        "/CreationDate": _MADE_ON,
    }
    made = BytesIO()
    merged.write(made)
    return made.getvalue()


def _sort(held: object) -> None:
    """Put fonts and the like in the order of their names, which differs from run to run."""
    if isinstance(held, dict):
        kept = dict(sorted(held.items()))
        held.clear()
        held.update(kept)


def _texts(page: Page) -> dict[str, str]:
    """What a picture says of itself, by the keywords of the PNG standard."""
    said = {"Title": page.title, "Description": page.alt, "Source": " ".join(page.sources)}
    return {key: one_line(text) for key, text in (said | {"Software": _MADE_BY}).items() if text}


def labelled_png(picture: bytes, page: Page, scale: str) -> bytes:
    """The same picture, packed tightly, with its size in print and texts about it."""
    per_metre = round(SCALES[scale][1] * _PER_METRE)
    own = [_chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1))]
    own += [
        _chunk(b"iTXt", key.encode("ascii") + b"\0" * 5 + text.encode("utf-8"))
        for key, text in _texts(page).items()
    ]
    head, data, place = b"", b"", 8
    while place < len(picture):
        length = int.from_bytes(picture[place : place + 4])
        kind, body = picture[place + 4 : place + 8], picture[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            head = _chunk(kind, body)
        elif kind == b"IDAT":
            data += body
        place += 12 + length
    packed = _chunk(b"IDAT", zlib.compress(zlib.decompress(data), 9))
    return picture[:8] + head + b"".join(own) + packed + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    sealed = kind + body
    return len(body).to_bytes(4) + sealed + zlib.crc32(sealed).to_bytes(4)
