"""Remittances received, X12 835, as charge lines with what was paid and why not.

A line tells what was billed (code, units, charge) and what became of it. Names and member
numbers are not read.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from subq_toolkit.charges.columns import words_for
from subq_toolkit.charges.reading import ChargeReading
from subq_toolkit.plain_text import shown
from subq_toolkit.readers.faults import tells_faults
from subq_toolkit.readers.limits import file_at
from subq_toolkit.x12.line_table import (
    Line,
    day,
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
    "encounter_id": "CLP01",
    "service_date": "DTM*472 or 150, else a claim of one day (DTM*232)",
    "service_until": "DTM*472 or 151",
    "code": "SVC06-2, else SVC01-2",
    "units": "SVC07, else SVC05, else 1",
    "modifiers": "SVC06-3 to 6, else SVC01-3 to 6",
    "revenue_code": "SVC04",
    "charge_usd": "SVC02",
    "paid_usd": "SVC03",
    "payer": "N102 of N1*PR",
    "claim_id": "CLP07",
    "replaces_claim_id": "REF*F8",
    "line_number": "lines of the claim counted from 1",
    "status": "CLP02",
    "frequency": "CLP09",
    "facility_code": "CLP08",
    "claim_in_file": "claims counted from 1",
    "code_paid": "SVC01-2",
    "units_paid": "SVC05, else 1",
    "adjustments": "CAS of the line",
    "claim_adjustments": "CAS of the claim",
    "remarks": "LQ*HE of the line",
}
_REVERSAL = "22"
_REASONS = range(2, 19, 3)
_LINE_DAYS = {"472": ("service_date", "service_until"), "150": ("service_date",)}
_LINE_DAYS |= {"151": ("service_until",)}


@tells_faults
def read_remittances(
    path: str | Path, *, strict: bool = True, max_bytes: int | None = None
) -> ChargeReading:
    """Read the service lines of remittances: X12 835 of version 5010.

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
        One row per service line, in the order of the file. ``code`` and ``units`` are those
        billed; beside the columns of charges there are ``code_paid``, ``units_paid`` [1],
        ``service_until``, ``facility_code``, ``claim_in_file``, ``remarks`` (remark codes),
        ``adjustments`` and ``claim_adjustments`` (group, reason and amount in USD, such as
        ``CO-45 123.40; PR-1 20``). A claim without lines has one row without a code. Lines of
        a reversal are credits: units and charge are negative, and it is ``final``.

    Raises
    ------
    InputError
        If pyx12 is not installed, this is no such file, or it is not whole.
    """
    path = file_at(path)
    opened = open_x12(path, max_bytes)
    segments = guided(opened, shown(path.name), ("remittance",))
    cut = require_sound(opened, shown(path.name), strict=strict)
    claims = list(_claims([segment for _, segment in segments], opened.within))
    empty = sum(not claim.lines for claim in claims)
    beside = sum(segment.name == "PLB" for _, segment in segments)
    notes = [
        cut,
        f"{empty:,} claims without service lines" if empty else "",
        f"{beside:,} adjustments of the provider's balance (PLB) are not lines" if beside else "",
    ]
    lines = [line for claim in claims for line in claim.lines_or_one()]
    return reading_of(lines, _SOURCES, shown(path.name), "835 remittance", notes)


@dataclass
class _Claim:
    """A claim being read, with its days and adjustments, and its lines."""

    head: Line
    reversal: bool
    days: dict = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)

    def lines_or_one(self) -> list[Line]:
        """Its lines with what holds for the whole claim; one empty line if there are none."""
        first, last = self.days.get("232"), self.days.get("233")
        for place, line in enumerate(self.lines, 1):
            line["line_number"] = place
            if last in (first, None):
                line.setdefault("service_date", first)
            if self.reversal:
                _as_credit(line)
            line.update(self.head)
            line.missed += self.head.missed
        return self.lines or [self.head]


def _as_credit(line: Line) -> None:
    """Negative units and charge; what was paid follows the sign that the charge had."""
    charge, paid = line.get("charge_usd"), line.get("paid_usd")
    if charge is not None and charge > 0:
        line["charge_usd"] = -charge
        line["paid_usd"] = None if paid is None else -paid
    for name in ("units", "units_paid"):
        if line.get(name) is not None:
            line[name] = -abs(line[name])


def _claims(segments: list[Segment], within: str) -> Iterator[_Claim]:
    payer: str | None = None
    claim: _Claim | None = None
    count = 0
    for segment in segments:
        if segment.name in ("ST", "SE", "LX", "CLP", "PLB"):
            if claim is not None:
                yield claim
            claim = None
        if segment.name == "ST":
            payer = None
        elif segment.name == "CLP":
            count += 1
            claim = _Claim(_head(segment, payer, count), segment[2] == _REVERSAL)
        elif segment.name == "N1" and segment[1] == "PR":
            payer = segment[2] or None
        elif claim is not None and claim.lines:
            _of_line(claim, segment, within)
        elif claim is not None:
            _of_claim(claim, segment, within)
    if claim is not None:
        yield claim


def _head(segment: Segment, payer: str | None, count: int) -> Line:
    head = Line(
        encounter_id=segment[1] or None,
        payer=payer,
        claim_id=segment[7] or None,
        facility_code=segment[8] or None,
        frequency=segment[9] or None,
        claim_in_file=count,
    )
    head.put("status", segment[2], words_for("claim_status").get(segment[2]))
    return head


def _of_claim(claim: _Claim, segment: Segment, within: str) -> None:
    if segment.name == "SVC":
        claim.lines.append(_service(segment, within))
    elif segment.name == "CAS":
        _add(claim.head, "claim_adjustments", _adjustments(segment))
    elif segment.name == "REF" and segment[1] == "F8":
        claim.head["replaces_claim_id"] = segment[2] or None
    elif segment.name == "DTM" and segment[1] in ("232", "233"):
        claim.days[segment[1]] = day(segment[2])


def _of_line(claim: _Claim, segment: Segment, within: str) -> None:
    line = claim.lines[-1]
    if segment.name == "SVC":
        claim.lines.append(_service(segment, within))
    elif segment.name == "CAS":
        _add(line, "adjustments", _adjustments(segment))
    elif segment.name == "LQ" and segment[1] == "HE":
        _add(line, "remarks", segment[2])
    elif segment.name == "DTM":
        for name in _LINE_DAYS.get(segment[1], ()):
            line.put(name, segment[2], day(segment[2]))


def _service(segment: Segment, within: str) -> Line:
    paid_for, paid_modifiers = procedure(segment[1], within)
    billed, billed_modifiers = procedure(segment[6], within)
    line = Line(code_paid=paid_for, revenue_code=without_zeros(segment[4]))
    line.put("code", segment[6] or segment[1], billed or (None if segment[6] else paid_for))
    line["modifiers"] = billed_modifiers if segment[6] else paid_modifiers
    line.put("charge_usd", segment[2], number(segment[2]))
    line.put("paid_usd", segment[3], number(segment[3]))
    line["units_paid"] = whole(segment[5] or "1")
    line.put("units", segment[7] or segment[5], whole(segment[7] or segment[5] or "1"))
    return line


def _adjustments(segment: Segment) -> str:
    """Each reason of the segment with its group and amount."""
    return "; ".join(
        f"{segment[1]}-{segment[at]} {segment[at + 1]}" for at in _REASONS if segment[at]
    )


def _add(line: Line, name: str, text: str) -> None:
    line[name] = "; ".join(one for one in (line.get(name), text) if one) or None
