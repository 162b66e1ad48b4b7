"""JSON of a FHIR export: one value of a line, or one document piece by piece.

Where an object has two entries of one name, some programs take the first and some the last. So
what holds such an object is not read: neither of the two is better than the other.
"""

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from subq_toolkit.errors import InputError
from subq_toolkit.readers.fhir_shape import type_of

#: Largest resource that is read, and how much of a file is read at a time. Python needs up to
#: forty times as much memory for what it makes of it. [bytes]
MOST_RESOURCE = 8 * 1024**2
#: Why a resource is not read that has two entries of one name.
TWICE = "entry twice"
#: Entries of a Bundle that are handed on together, at most, and how much text they are.
_TOGETHER, _MOST_TOGETHER = 1_000, 4 * 1024**2
_BLANKS = re.compile(r"[ \t\n\r]*")
#: Near the end of what was read a fault may be only that the rest is not there yet.
_NEAR = 16
_DIVIDE = "Export it as NDJSON (one resource on each line), or fewer entries in one Bundle."


class Unreadable(NamedTuple):
    """What stands for a value that is not read: why, if it is known, and its type, if sure."""

    why: str | None = None
    kind: str = ""


class Pieces(NamedTuple):
    """Some resources of a document; a large Bundle comes as several that hold its entries."""

    found: list[Any]


class _Parser:
    """Python's reader of JSON, which also notes names that stand twice and NaN."""

    def __init__(self) -> None:
        self._twice: set[str] = set()
        self._odd = False
        self._read = json.JSONDecoder(
            object_pairs_hook=self._object, parse_constant=self._constant, parse_int=float
        ).raw_decode

    def value(self, text: str, at: int = 0) -> tuple[Any, int]:
        """The value that begins at a place, and where it ends; ``Unreadable`` if it is odd.

        Raises
        ------
        ValueError
            If it is no JSON, or breaks off.
        RecursionError
            If it is nested too deeply.
        """
        self._twice, self._odd = set(), False
        found, end = self._read(text, at)
        if self._twice:
            sure = not self._twice & {"resourceType", "resource"}
            return Unreadable(TWICE, _kind(found) if sure else ""), end
        return (Unreadable(None, _kind(found)) if self._odd else found), end

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            counts = Counter(name for name, _ in pairs)
            self._twice |= {name for name, count in counts.items() if count > 1}
        return made

    def _constant(self, _name: str) -> None:
        self._odd = True


def _kind(found: Any) -> str:
    """The type of a resource, or of the one in an entry of a Bundle."""
    return type_of(found) or (type_of(found.get("resource")) if isinstance(found, dict) else "")


def parsed(text: str) -> Any:
    """Parse a text that is one value; ``Unreadable`` if it is none that can be read."""
    try:
        found, end = _Parser().value(text)
    except (ValueError, RecursionError):
        return Unreadable()
    return found if not text[end:].strip() else Unreadable()


class Document:
    """A file that is one document; only what is being read of it is held."""

    def __init__(self, blocks: Iterator[bytes], file: str) -> None:
        self._blocks, self._file, self._parser = blocks, file, _Parser()
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._text, self._at = "", 0
        self._passed, self._lines = 0, 1

    def pieces(self) -> Iterator[Pieces]:
        """Yield the resources of the document: of a Bundle, of a list, or the one it is.

        Raises
        ------
        InputError
            If it is no JSON, no FHIR, or holds one value that is too large.
        """
        begins = self._next()
        if begins == "{":
            yield from self._of_object()
        elif begins == "[":
            for some in self._elements():
                yield Pieces(some)
        else:
            self._value()
            raise self._no_fhir()
        if self._next():
            raise self._wrong(self._at)

    def _of_object(self) -> Iterator[Pieces]:
        held: dict[str, Any] = {}
        faults: list[Unreadable] = []
        begun = self._passed + self._at
        self._take("{")
        more = self._next() != "}"
        while more:
            name = self._value()
            if not isinstance(name, str):
                raise self._wrong(self._at)
            self._take(":")
            if name == "entry" and self._next() == "[" and _may_be_bundle(held):
                for some in self._elements():
                    yield Pieces([{"resourceType": "Bundle", "entry": some}])
                begun = self._passed + self._at
            else:
                value = self._value()
                faults += [value] if isinstance(value, Unreadable) else []
                faults += [Unreadable(TWICE)] if name in held else []
                held[name] = value
                self._require_small(self._passed + self._at - begun)
            more = self._next() == ","
            if more:
                self._take(",")
        self._take("}")
        kind = type_of(held)
        if not kind:
            raise self._no_fhir()
        if kind != "Bundle":
            yield Pieces([faults[0]._replace(kind=kind) if faults else held])
        elif held.get("entry") is not None:
            yield Pieces([held])

    def _elements(self) -> Iterator[list[Any]]:
        """The elements of a list, some at a time."""
        some: list[Any] = []
        begun = self._passed + self._at
        self._take("[")
        more = self._next() != "]"
        while more:
            some.append(self._value())
            if len(some) == _TOGETHER or self._passed + self._at - begun > _MOST_TOGETHER:
                yield some
                some, begun = [], self._passed + self._at
            more = self._next() == ","
            if more:
                self._take(",")
        self._take("]")
        yield some

    def _value(self) -> Any:
        """The next value, whole."""
        self._next()
        while True:
            try:
                found, end = self._parser.value(self._text, self._at)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated") or error.pos + _NEAR > len(self._text)
                self._require_small(len(self._text) - self._at)
                if not (cut and self._more()):
                    raise self._wrong(error.pos) from None
            except RecursionError:
                raise InputError(
                    f"'{self._file}' is no JSON that can be read: at line {self._line(self._at):,} "
                    f"it is nested too deeply. Export it again."
                ) from None
            else:
                followed = _BLANKS.match(self._text, end).end() < len(self._text)
                if followed or not self._more():
                    self._at = end
                    return found

    def _take(self, mark: str) -> None:
        if self._next() != mark:
            raise self._wrong(self._at)
        self._at += 1

    def _next(self) -> str:
        """The next character that is no blank; empty at the end of the document."""
        while True:
            self._at = _BLANKS.match(self._text, self._at).end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Read on, and let go of what was read; whether there is more."""
        block = next(self._blocks, b"")
        try:
            text = self._decode(block, not block)
        except UnicodeDecodeError:
            raise InputError(
                f"'{self._file}' is not UTF-8, as JSON must be. Export it again."
            ) from None
        if not block:
            return False
        self._passed, self._lines = self._passed + self._at, self._line(self._at)
        self._text, self._at = self._text[self._at :] + text, 0
        return True

    def _line(self, at: int) -> int:
        return self._lines + self._text.count("\n", 0, at)

    def _require_small(self, size: int) -> None:
        if size > MOST_RESOURCE:
            raise InputError(
                f"'{self._file}' is one JSON document with an entry of more than "
                f"{MOST_RESOURCE // 1024**2} MB at line {self._line(self._at):,}, or it goes wrong "
                f"there. {_DIVIDE}"
            )

    def _wrong(self, at: int) -> InputError:
        return InputError(
            f"'{self._file}' is not JSON: it breaks off or goes wrong at line "
            f"{self._line(at):,}. It must be a Bundle, a resource, or one resource on each line "
            f"(NDJSON)."
        )

    def _no_fhir(self) -> InputError:
        return InputError(
            f"'{self._file}' is JSON, but no FHIR: it has no resourceType. It must be a Bundle, a "
            f"resource, or one resource on each line (NDJSON)."
        )


def _may_be_bundle(held: dict[str, Any]) -> bool:
    return held.get("resourceType", "Bundle") == "Bundle"
