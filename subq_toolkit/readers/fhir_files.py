"""Files of a FHIR export as lines or as one document, within stated limits.

A bulk export has one resource on each line (NDJSON); a Bundle is one document. Which of them
a file is, its content says. Both may be packed with gzip; both must be UTF-8. Neither is held as
a whole.
"""

import gzip
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO, NamedTuple

from subq_toolkit.errors import InputError
from subq_toolkit.plain_text import shown
from subq_toolkit.readers.fhir_json import MOST_RESOURCE, Document, Pieces, Unreadable, parsed
from subq_toolkit.readers.limits import file_at

#: How much of a file is read at a time, and what is kept of a line that is no resource. [bytes]
BLOCK, _START = 4 * 1024**2, 1024
#: Put behind the start of a line that is too long, so that it is never taken for a resource.
_NO_JSON = b"\0"
_SUFFIXES = (".ndjson", ".jsonl", ".json")
_REMEDY = "Export fewer days at a time, or state a higher max_bytes."


def files_of(path: str | Path | list[str | Path]) -> list[Path]:
    """List the files to read: one, several, or those of a folder in order of their names.

    Raises
    ------
    InputError
        If a file is not there, or a folder holds no file of a FHIR export.
    """
    if isinstance(path, list | tuple):
        if not path:
            raise InputError("The list of files is empty. Name at least one.")
        return [file for one in path for file in files_of(one)]
    if not (isinstance(path, str | Path) and _is_folder(Path(path))):
        return [file_at(path)]
    path = Path(path)
    try:
        files = sorted(file for file in path.iterdir() if file.is_file() and _is_export(file))
    except OSError:
        raise InputError(
            f"The folder '{shown(path.name)}' cannot be listed. Ask for the right to read it."
        ) from None
    if not files:
        raise InputError(
            f"The folder '{shown(path.name)}' holds no file ending in {', '.join(_SUFFIXES)} "
            f"(or one of these with .gz). Name the folder of the export."
        )
    return [file_at(file) for file in files]


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _is_export(file: Path) -> bool:
    return file.name.lower().removesuffix(".gz").endswith(_SUFFIXES)


class Unpacked:
    """The bytes of several files, counted together against one limit."""

    def __init__(self, max_bytes: int) -> None:
        if not isinstance(max_bytes, int) or isinstance(max_bytes, bool):
            raise InputError("max_bytes is a whole number of bytes.")
        self.left = self.limit = max_bytes

    def blocks(self, file: Path) -> Iterator[bytes]:
        """Yield the content of a file, unpacked, without a byte order mark.

        Raises
        ------
        InputError
            If the files unpack to more than the limit, or a packed one is damaged.
        """
        first = True
        with _opened(file) as stream:
            while block := _read(stream, file):
                self.left -= len(block)
                if self.left < 0:
                    raise InputError(
                        f"'{shown(file.name)}': with it the export unpacks to more than "
                        f"{self.limit:,} bytes (max_bytes). {_REMEDY}"
                    )
                if first and block.startswith((b"\xff\xfe", b"\xfe\xff")):
                    raise InputError(
                        f"'{shown(file.name)}' is UTF-16; JSON must be UTF-8. Save it again as "
                        f"UTF-8."
                    )
                yield block.removeprefix(b"\xef\xbb\xbf") if first else block
                first = False


def _opened(file: Path) -> BinaryIO:
    with file.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    return gzip.open(file, "rb") if packed else file.open("rb")  # type: ignore[return-value]


def _read(stream: BinaryIO, file: Path) -> bytes:
    try:
        return stream.read(BLOCK)
    except (OSError, EOFError, zlib.error):
        raise InputError(
            f"'{shown(file.name)}' is packed with gzip and damaged or cut short. Export it again."
        ) from None


class Lines(NamedTuple):
    """Some lines of a file, each of which should be a resource."""

    lines: list[str]


def content_of(file: Path, unpacked: Unpacked) -> Iterator[Lines | Pieces]:
    """Yield the lines of a file, or the resources of its one document, some at a time.

    Lines that are not UTF-8 or too long come as text that is no JSON, blank lines not at all.

    Raises
    ------
    InputError
        If the file is empty, or is one document and cannot be read.
    """
    blocks = unpacked.blocks(file)
    head, more = b"", next(blocks, b"")
    while more and (not head or (b"\n" not in head and len(head) < MOST_RESOURCE)):
        head = (head + more) if (head + more).strip() else b""
        more = next(blocks, b"")
    if not head:
        raise InputError(f"'{shown(file.name)}' is empty: it holds no resource.")
    read = chain([head, more], blocks)
    if _is_lines(head, whole=not more):
        yield from _in_lines(read)
    else:
        yield from Document(read, shown(file.name)).pieces()


def _is_lines(head: bytes, *, whole: bool) -> bool:
    """Whether most lines near the start are resources of their own, and there are several."""
    lines = [line.strip() for line in head.split(b"\n", 1000)[:1000] if line.strip()]
    if lines[0] == b"{" or lines[0].startswith(b"[") or (len(lines) == 1 and whole):
        return False
    near = lines[:50]
    sound = [line.startswith(b"{") and line.endswith(b"}") and _is_resource(line) for line in near]
    return sound[0] or sum(sound) * 2 >= len(near)


def _is_resource(line: bytes) -> bool:
    found = parsed(_text(line))
    if isinstance(found, Unreadable):
        return bool(found.why or found.kind)
    return isinstance(found, dict) and "resourceType" in found


def _in_lines(blocks: Iterator[bytes]) -> Iterator[Lines]:
    rest = b""
    for block in blocks:
        body, cut, rest = (rest + block).rpartition(b"\n")
        if cut:
            yield Lines(_lines(body))
        if len(rest) > MOST_RESOURCE:
            rest = rest[:_START].decode("utf-8", "ignore").encode() + _NO_JSON
    yield Lines(_lines(rest))


def _lines(body: bytes) -> list[str]:
    try:
        lines = body.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        lines = [_text(line) for line in body.split(b"\n")]
    return [line for line in (line.strip() for line in lines) if line]


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return "(not UTF-8)"
