"""Files of a FHIR export as lines or as one document, within stated limits.

A bulk export has one resource on each line (NDJSON); a Bundle is one document. Which of them
a file is, its content says. Both may be packed with gzip; both must be UTF-8.
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from subq_toolkit.errors import InputError

#: How much of a file of lines is read at a time. [bytes]
BLOCK = 32 * 1024**2
#: A file that is one document is held in memory as a whole, so it has a limit of its own. [bytes]
MOST_DOCUMENT = 256 * 1024**2
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
    path = Path(path)
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.is_file() and _is_export(file))
        if not files:
            raise InputError(
                f"The folder '{path.name}' holds no file ending in {', '.join(_SUFFIXES)} "
                f"(or one of these with .gz). Name the folder of the export."
            )
        return files
    if not path.exists():
        raise InputError(f"There is no file '{path.name}' in that folder. Check the path.")
    return [path]


def _is_export(file: Path) -> bool:
    return file.name.lower().removesuffix(".gz").endswith(_SUFFIXES)


class Unpacked:
    """The bytes of several files, counted together against one limit."""

    def __init__(self, max_bytes: int) -> None:
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
                        f"'{file.name}': with it the export unpacks to more than "
                        f"{self.limit:,} bytes (max_bytes). {_REMEDY}"
                    )
                if first and block.startswith((b"\xff\xfe", b"\xfe\xff")):
                    raise InputError(
                        f"'{file.name}' is UTF-16; JSON must be UTF-8. Save it again as UTF-8."
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
            f"'{file.name}' is packed with gzip and damaged or cut short. Export it again."
        ) from None


class Lines(NamedTuple):
    """Some lines of a file, each of which should be a resource."""

    lines: list[str]


def content_of(file: Path, unpacked: Unpacked) -> Iterator[Lines | Any]:
    """Yield ``Lines``, or one parsed document.

    Lines that are not UTF-8 come as text that is no JSON, blank lines not at all.

    Raises
    ------
    InputError
        If the file is empty, holds no JSON, or is one document that is too large.
    """
    blocks = unpacked.blocks(file)
    head = next(blocks, b"")
    while head and not head.strip():
        head = next(blocks, b"")
    if not head:
        raise InputError(f"'{file.name}' is empty: it holds no resource.")
    if _is_lines(head, whole=len(head) < BLOCK):
        yield from _in_lines(head, blocks, file)
        return
    data = bytearray(head)
    for block in blocks:
        data += block
        if len(data) > MOST_DOCUMENT:
            break
    if len(data) > MOST_DOCUMENT:
        raise InputError(
            f"'{file.name}' is one JSON document of more than {MOST_DOCUMENT // 1024**2} MB, which "
            f"is held in memory as a whole. Export it as NDJSON (one resource on each line)."
        )
    yield parsed_document(bytes(data), file)


def _is_lines(head: bytes, *, whole: bool) -> bool:
    """Whether most lines near the start are resources of their own, and there are several."""
    lines = [line.strip() for line in head.split(b"\n", 1000)[:1000] if line.strip()]
    if lines[0] == b"{" or lines[0].startswith(b"[") or (len(lines) == 1 and whole):
        return False
    near = lines[:50]
    sound = [line.startswith(b"{") and line.endswith(b"}") and _is_resource(line) for line in near]
    return sound[0] or sum(sound) * 2 >= len(near)


def _is_resource(line: bytes) -> bool:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "resourceType" in found


def _in_lines(head: bytes, blocks: Iterator[bytes], file: Path) -> Iterator[Lines]:
    rest = head
    for block in blocks:
        body, cut, tail = (rest + block).rpartition(b"\n")
        if cut:
            yield Lines(_lines(body))
        rest = tail
        if len(rest) > MOST_DOCUMENT:
            raise InputError(
                f"'{file.name}' has a line of more than {MOST_DOCUMENT // 1024**2} MB: this is no "
                f"export with one resource on each line. Export it as NDJSON."
            )
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


def parsed(text: str | bytes) -> Any:
    """Parse JSON; NaN and Infinity are none.

    Raises
    ------
    ValueError
        If the text is no JSON, or nested too deeply.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def parsed_document(data: bytes, file: Path) -> Any:
    """Parse a file that is one document.

    Raises
    ------
    InputError
        If it is no JSON; the message names the line, never its content.
    """
    try:
        return parsed(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise InputError(f"'{file.name}' is not UTF-8, as JSON must be. Export it again.") from None
    except json.JSONDecodeError as error:
        raise InputError(
            f"'{file.name}' is not JSON: it breaks off or goes wrong at line {error.lineno:,}. It "
            f"must be a Bundle, a resource, or one resource on each line (NDJSON)."
        ) from None
    except ValueError:
        raise InputError(
            f"'{file.name}' is no JSON that can be read: it is nested too deeply or holds numbers "
            f"that JSON does not have. Export it again."
        ) from None
