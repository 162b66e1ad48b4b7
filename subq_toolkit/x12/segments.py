"""Segments of an X12 file, read and counted by pyx12; what is wrong with its envelopes.

A file is held in memory. Texts of pyx12 quote the file, so they never reach a message: what
is wrong is said in our own words, by the code of the finding.
"""

import io
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from subq_toolkit.effective import read_table
from subq_toolkit.errors import InputError
from subq_toolkit.plain_text import shown

_ISA_LENGTH = 106
_VERSION = "00501"
NAME = re.compile(r"[A-Z][A-Z0-9]{1,2}", re.ASCII)
#: Segments whose elements are kept; of the others, names of people among them, nothing is.
_READ = ("GS", "ST", "HL", "CLM", "DTP", "DTM", "REF", "LX", "SV1", "SV2", "CLP", "SVC", "CAS")
_READ += ("LQ", "N1")
_NO_ISA = (
    "'{}': the ISA segment does not have its "
    f"{_ISA_LENGTH} characters or fields of their width, so the separators cannot be told. The "
    "file was cut or its blanks were removed; get it anew."
)
_MOST_BYTES = read_table("charge_words")["x12_limits"]["most_bytes"]


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: its place in the file from 1, its name, and its elements as text."""

    line: int
    name: str
    elements: list[str]

    def __getitem__(self, place: int) -> str:
        """Element ``place`` counted from 1, without blanks; nothing if it is not there."""
        return self.elements[place - 1].strip() if 0 < place <= len(self.elements) else ""


class X12File(NamedTuple):
    """The segments of a file, the separator within elements, and findings on its envelopes."""

    segments: list[Segment]
    within: str
    findings: list[tuple[int, str]]


def pyx12_parts() -> tuple[ModuleType, ModuleType]:
    """Import the reader of pyx12 and its errors, or say how to install them."""
    try:
        import pyx12.errors
        import pyx12.x12file
    except ImportError:
        raise InputError("Reading X12 needs pyx12: pip install 'subq_toolkit[x12]'.") from None
    return pyx12.x12file, pyx12.errors


def x12_text(path: Path, max_bytes: int | None = None) -> str:
    """Read a file of X12 as text that begins with a sound ISA.

    Raises
    ------
    InputError
        If there is no such file, it is too large, or it is no X12 of version 5010.
    """
    name, most = shown(path.name), _MOST_BYTES if max_bytes is None else max_bytes
    if not isinstance(most, int):
        raise InputError("max_bytes is a whole number of bytes.")
    size = path.stat().st_size
    if size > most:
        raise InputError(
            f"'{name}' has {size:,} bytes, more than max_bytes={most:,}. Split it by "
            f"interchange, or state a larger max_bytes."
        )
    text = path.read_bytes().decode("utf-8-sig", "replace").lstrip()
    if not text.startswith("ISA"):
        raise InputError(
            f"'{name}' is not X12: it does not begin with ISA. Unpack it if it is packed; for "
            f"a table of charges use read_charges."
        )
    isa = text[:_ISA_LENGTH]
    if len(isa) < _ISA_LENGTH or isa.count(isa[3]) != 16 or isa[-1].isalnum():
        raise InputError(_NO_ISA.format(name))
    if isa[84:89] != _VERSION:
        raise InputError(
            f"'{name}' is X12 of another version than {_VERSION} (5010), which alone is read. "
            f"Ask for a 5010 file."
        )
    end = re.escape(isa[-1])
    return re.sub(rf"{end}(?:\s*{end})+", lambda _: isa[-1], text)


def open_x12(path: Path, max_bytes: int | None = None) -> X12File:
    """Read the segments of a file and check its envelopes and counts.

    Raises
    ------
    InputError
        As ``x12_text`` does, and if an interchange within has separators of its own.
    """
    x12file, x12errors = pyx12_parts()
    text = x12_text(path, max_bytes)
    end = text[_ISA_LENGTH - 1]
    try:
        reader = _counting(x12file)(io.StringIO(text))
    except x12errors.X12Error:
        raise InputError(_NO_ISA.format(shown(path.name))) from None
    findings: list[tuple[int, str]] = []
    segments, odd = [], False
    try:
        for segment in reader:
            name, line = segment.get_seg_id() or "", reader.get_cur_line()
            read = name in _READ or (name == "NM1" and segment.get_value("NM101") == "PR")
            elements = segment.elements if read else ()
            segments.append(Segment(line, name, [element.format() for element in elements]))
            findings += _envelope(reader)
            if not NAME.fullmatch(name) and not odd:
                odd = True
                findings.append((line, "this is no segment: are the separators other ones here?"))
    except x12errors.X12Error:
        raise InputError(
            f"'{shown(path.name)}': an interchange within it, after segment {len(segments):,}, has "
            f"separators of its own or a faulty ISA. Split the file by interchange."
        ) from None
    reader.cleanup()
    findings += _envelope(reader)
    cut = text[text.rfind(end) + 1 :].strip()
    if cut:
        findings.append((len(segments) + 1, "the file breaks off within a segment"))
    return X12File(segments, str(reader.subele_term), findings)


def _counting(x12file: ModuleType) -> type:
    """The reader of pyx12, which fails on a trailer without its header, made to note it."""

    class Counting(x12file.X12Reader):
        def _parse_segment(self, segment: Any) -> None:
            try:
                super()._parse_segment(segment)
            except IndexError:
                self._st_error("3", "")

    return Counting


def _envelope(reader: Any) -> list[tuple[int, str]]:
    """Findings on envelopes so far, in our words; those on other segments are left out."""
    words = read_table("charge_words")["x12_envelope"]
    return [
        (reader.get_cur_line(), words.get(code if level == "isa" else f"{level}{code}", ""))
        for level, code, *_ in reader.pop_errors()
        if level != "seg"
    ]
