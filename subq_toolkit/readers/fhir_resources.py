"""Resources of a FHIR export as one table, with what stands beside them and is referred to."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.readers.fhir_files import Lines
from subq_toolkit.readers.fhir_flat import flat
from subq_toolkit.readers.fhir_json import Pieces, Unreadable, parsed
from subq_toolkit.readers.fhir_shape import (
    BROKEN,
    CONTAINED,
    ODD,
    WANTED,
    as_frame,
    as_row,
    by_polars,
    concept_name,
    is_text,
    shaped,
    type_of,
)

#: Lines that are read together; one that Polars cannot read sends these to the slower way.
_TOGETHER = 1_000
#: Rows that are made flat together, so that nested resources are not all held at once.
_FLAT_TOGETHER = 20_000
_NAMED = r'"resourceType"\s*:\s*"'
#: From how many broken ones on it is asked whether they are the most.
_MANY = 100_000
#: How an entry of a Bundle without a resource is counted, such as one of a history.
_EMPTY = "(empty)"


@dataclass
class Collected:
    """What was found in the files: administrations in order, and what stands beside them.

    ``medications`` and ``encounters`` hold what is known of referenced resources by id,
    ``aliases`` the addresses that entries of a Bundle have, ``others`` counts other types.
    """

    max_rows: int
    facility_zone: str
    waiting: list[pl.DataFrame] = field(default_factory=list)
    frames: list[pl.DataFrame] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    medications: dict[str, str] = field(default_factory=dict)
    encounters: dict[str, dict[str, str | None]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    broken: int = 0

    def table(self) -> pl.DataFrame:
        """Every administration and broken line, in the order of the files."""
        self._flatten()
        return pl.concat(self.frames)

    def add(self, content: Lines | Pieces, file: str) -> None:
        """Take in some lines of resources, or some resources of a document."""
        if isinstance(content, Pieces):
            self._keep((row for found in content.found for row in self._rows_of(found)), file)
            return
        for at in range(0, len(content.lines), _TOGETHER):
            self._add_lines(content.lines[at : at + _TOGETHER], file)

    def _add_lines(self, lines: list[str], file: str) -> None:
        kinds = pl.DataFrame({"line": lines}).select(
            "line",
            wanted=pl.col("line").str.contains(rf'{_NAMED}{WANTED}"'),
            kind=pl.col("line").str.extract(rf'^\{{\s*{_NAMED}([A-Za-z]{{1,64}})"'),
        )
        mine = pl.col("wanted") | pl.col("kind").is_null() | (pl.col("kind") == "Bundle")
        ours, beside = kinds.filter(mine), kinds.filter(~mine)
        self.others.update(dict(beside["kind"].value_counts().rows()))
        known = beside.filter(pl.col("kind").is_in(["Medication", "Encounter"]))
        for line, kind in known.select("line", "kind").rows():
            found = parsed(line)
            if type_of(found) == kind:
                self._look_at(found, kind)
        if not ours.height:
            return
        frame = by_polars(ours["line"]) if ours["wanted"].all() else None
        if frame is None:
            found = (parsed(line) for line in ours["line"])
            self._keep((row for one in found for row in self._rows_of(one)), file)
        else:
            self._keep_frame(frame, file)

    def _keep(self, rows: Iterator[dict[str, Any]], file: str) -> None:
        while some := list(islice(rows, _TOGETHER)):
            self._keep_frame(as_frame(some), file)

    def _keep_frame(self, frame: pl.DataFrame, file: str) -> None:
        self.rows, self.broken = self.rows + frame.height, self.broken + frame[BROKEN].sum()
        if self.rows > self.max_rows:
            raise InputError(
                f"'{file}': with it the export holds more than {self.max_rows:,} administrations "
                f"(max_rows). Export fewer days at a time, or state a higher max_rows."
            )
        if self.broken > _MANY and self.broken * 2 > self.rows:
            raise InputError(
                f"'{file}': with it more than half of what the export holds, {self.broken:,} lines "
                f"or entries, are no resource that can be read. It is no FHIR export, or damaged: "
                f"export it again."
            )
        self.waiting.append(frame)
        if sum(one.height for one in self.waiting) >= _FLAT_TOGETHER:
            self._flatten()

    def _flatten(self) -> None:
        waiting = pl.concat([as_frame([]), *self.waiting])
        self.frames.append(flat(waiting, self.facility_zone))
        self.waiting.clear()

    def _rows_of(self, document: Any) -> Iterator[dict[str, Any]]:
        """Yield the administrations of a resource, shaped; take in what stands beside them.

        What is no resource, or none that can be read, is a row that is marked.
        """
        waiting = [document]
        while waiting:
            found = waiting.pop()
            unread = isinstance(found, Unreadable)
            kind = found.kind if unread else type_of(found)
            if kind == "Bundle" and not unread:
                entries = found.get("entry")
                waiting += reversed([*self._resources([] if entries is None else entries)])
            elif kind and kind != WANTED and kind != "Bundle":
                self.others[kind] += 1
                if not unread:
                    self._look_at(found, kind)
            elif kind and not unread:
                yield as_row(found)
            else:
                yield {BROKEN: True, ODD: found.why if unread else None}

    def _resources(self, entries: Any) -> Iterator[Any]:
        """The resources of the entries of a Bundle, and what stands in their place."""
        for entry in entries if isinstance(entries, list) else [entries]:
            if isinstance(entry, dict) and "resource" in entry:
                found, address = entry["resource"], entry.get("fullUrl")
                if is_text(address) and address.startswith("urn:") and type_of(found):
                    own = found.get("id")
                    self.aliases[address] = f"{type_of(found)}/{own if is_text(own) else address}"
                yield found
            elif isinstance(entry, dict) and not type_of(entry):
                self.others[_EMPTY] += 1
            else:
                yield entry if isinstance(entry, Unreadable) else None

    def _look_at(self, found: Any, kind: str) -> None:
        if kind == "Medication":
            known = shaped(found, CONTAINED, "", [])
            name = concept_name(known["code"] or {})
            if known["id"] and name:
                self.medications[known["id"]] = name
        elif kind == "Encounter" and is_text(found.get("id")):
            period, kinds = found.get("period", found.get("actualPeriod")), found.get("class")
            end = period.get("end") if isinstance(period, dict) else None
            self.encounters[found["id"]] = {
                "ended": end if is_text(end) else None,
                "kind": ",".join(sorted(_class_codes(kinds))),
            }


def _class_codes(found: Any) -> set[str]:
    """Codes of an Encounter's class: a coding in R4, a list of concepts in R5."""
    concepts = found if isinstance(found, list) else [{"coding": [found]}]
    codings = [one.get("coding") for one in concepts if isinstance(one, dict)]
    flat = [coding for some in codings if isinstance(some, list) for coding in some]
    return {one["code"] for one in flat if isinstance(one, dict) and is_text(one.get("code"))}
