"""Text from outside, made fit to stand in a file or in a message."""

import re
import unicodedata

_MOST_SHOWN = 80
#: What XML 1.0 cannot hold, not even escaped.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def is_unicode(text: str) -> bool:
    """Whether a text has no halves of characters, which JSON can spell and no file can hold."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def printable(text: object) -> str:
    """A text without the characters that no document can hold."""
    return _NO_XML.sub("", str(text))


def one_line(text: object) -> str:
    """A text on one line, without control characters."""
    kept = " ".join(printable(text).split())
    return "".join(char for char in kept if unicodedata.category(char) != "Cc")


def shown(text: object) -> str:
    """A text as a message quotes it: short, on one line, nothing in it that is not seen."""
    start = one_line(str(text)[: 10 * _MOST_SHOWN])
    kept = "".join(char for char in start if unicodedata.category(char)[0] != "C")
    return kept if len(kept) <= _MOST_SHOWN else kept[: _MOST_SHOWN - 1] + "…"
