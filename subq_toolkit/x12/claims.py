"""Claims sent, X12 837 institutional and professional, as charge lines.

Names, member numbers and diagnoses are not read: the subscriber and patient loops are
passed over but for the name of the payer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from subq_toolkit.charges.reading import ChargeReading
from subq_toolkit.effective import read_table
from subq_toolkit.plain_text import shown
from subq_toolkit.readers.faults import tells_faults
from subq_toolkit.readers.limits import file_at
from subq_toolkit.x12.line_table import (
    Line,
    days,
    guided,
    number,
    procedure,
    reading_of,
    require_sound,
    whole,
    without_zeros,
)
from subq_toolkit.x12.segments import Segment, open_x12

_SOURCES = {
    "encounter_id": "CLM01",
    "service_date": "DTP*472, else a statement of one day (DTP*434)",
    "service_until": "DTP*472, last day of a span",
    "code": "SV202-2 or SV101-2",
    "units": "SV205 or SV104",
    "modifiers": "SV202-3 to 6 or SV101-3 to 6",
    "revenue_code": "SV201",
    "charge_usd": "SV203 or SV102",
    "payer": "NM103 of NM1*PR",
    "claim_id": "REF*D9",
    "replaces_claim_id": "REF*F8",
    "line_number": "LX01",
    "frequency": "CLM05-3",
    "facility_code": "CLM05-1",
    "claim_in_file": "claims counted from 1",
}
#: Level of a patient who is not the subscriber: the payer is that of the level above.
_PATIENT = "23"


@tells_faults
def read_claims(
    path: str | Path, *, strict: bool = True, max_bytes: int | None = None
) -> ChargeReading:
    """Read the service lines of claims: X12 837 of version 5010, institutional or professional.

    Parameters
    ----------
    path
        The file, with its envelopes (ISA to IEA).
    strict
        False to read a file that was cut or whose counts are wrong; the report says so then.
    max_bytes
        A larger file is refused before it is read [bytes].

    Returns
    -------
    ChargeReading
        One row per service line, in the order of the file: the columns of charges and
        ``service_until`` (last day of a span), ``facility_code`` (place of service, or first
        two digits of the type of bill) and ``claim_in_file``. A claim without lines has one row
        without a code. A line without HCPCS code has none either, which ``accept_charges`` says.

    Notes
    -----
    The element of each column stands in the report; the layout is that of the guides
    005010X223A2 and 005010X222A1.

    Raises
    ------
    InputError
        If pyx12 is not installed, this is no such file, or it is not whole.
    """
    path = file_at(path)
    opened = open_x12(path, max_bytes)
    segments = guided(opened, shown(path.name), ("institutional", "professional"))
    cut = require_sound(opened, shown(path.name), strict=strict)
    lines = [line for claim in _claims(segments, opened.within) for line in claim.lines_or_one()]
    kinds = " and ".join(dict.fromkeys(kind for kind, _ in segments))
    empty = sum("line_number" not in line for line in lines)
    notes = [cut, f"{empty:,} claims without service lines" if empty else ""]
    return reading_of(lines, _SOURCES, shown(path.name), f"837 {kinds}", notes)


@dataclass
class _Claim:
    """A claim being read; what follows belongs to itself until another party is named."""

    head: Line
    itself: bool = True
    statement: tuple = (None, None)
    lines: list[Line] = field(default_factory=list)

    def lines_or_one(self) -> list[Line]:
        """Its lines with what holds for the whole claim; one empty line if there are none."""
        first, last = self.statement
        for line in self.lines:
            if first == last and "service_date" not in line:
                line["service_date"] = first
            line.update(self.head)
            line.missed += self.head.missed
        return self.lines or [self.head]


def _claims(segments: list[tuple[str, Segment]], within: str) -> Iterator[_Claim]:
    payer: str | None = None
    claim: _Claim | None = None
    count = 0
    for _, segment in segments:
        if segment.name in ("HL", "CLM", "SE", "ST"):
            if claim is not None:
                yield claim
            claim = None
        if segment.name in ("HL", "ST"):
            patient = segment.name == "HL" and segment[3] == _PATIENT
            payer = payer if patient else None
        elif segment.name == "CLM":
            count += 1
            claim = _Claim(_head(segment, within, payer, count))
        elif claim is not None:
            _take(claim, segment, within)
        elif segment.name == "NM1" and segment[1] == "PR":
            payer = segment[3] or None
    if claim is not None:
        yield claim


def _head(segment: Segment, within: str, payer: str | None, count: int) -> Line:
    place, _, frequency = [*segment[5].split(within), "", "", ""][:3]
    return Line(
        encounter_id=segment[1] or None,
        payer=payer,
        frequency=frequency or None,
        facility_code=place or None,
        claim_in_file=count,
    )


def _take(claim: _Claim, segment: Segment, within: str) -> None:
    if segment.name == "LX":
        claim.itself = False
        claim.lines.append(Line())
        claim.lines[-1].put("line_number", segment[1], whole(segment[1]))
    elif segment.name in ("SBR", "NM1"):
        claim.itself = False
    elif claim.itself:
        _of_claim(claim, segment)
    elif claim.lines:
        _of_line(claim.lines[-1], segment, within)


def _of_claim(claim: _Claim, segment: Segment) -> None:
    known = {"F8": "replaces_claim_id", "D9": "claim_id"}
    if segment.name == "REF" and segment[1] in known:
        claim.head[known[segment[1]]] = segment[2] or None
    elif segment.name == "DTP" and segment[1] == "434":
        claim.statement = days(segment[2], segment[3])


def _of_line(line: Line, segment: Segment, within: str) -> None:
    if segment.name == "SV1":
        _service(line, segment, within, code=1, charge=2, unit=3, units=4)
    elif segment.name == "SV2":
        line["revenue_code"] = without_zeros(segment[1])
        _service(line, segment, within, code=2, charge=3, unit=4, units=5)
    elif segment.name == "DTP" and segment[1] == "472":
        first, last = days(segment[2], segment[3])
        line.put("service_date", segment[3], first)
        line["service_until"] = last


def _service(line: Line, segment: Segment, within: str, **at: int) -> None:
    code, modifiers = procedure(segment[at["code"]], within)
    line.put("code", segment[at["code"]], code)
    line["modifiers"] = modifiers
    line.put("charge_usd", segment[at["charge"]], number(segment[at["charge"]]))
    counted = segment[at["unit"]] in read_table("charge_words")["qualifiers"]["units"]
    units = whole(segment[at["units"]]) if counted else None
    line.put("units", segment[at["units"]], units)
