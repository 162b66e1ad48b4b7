"""Resources of a FHIR export as one table, with what stands beside them and is referred to."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.readers.fhir_files import Lines, parsed
from subq_toolkit.readers.fhir_flat import flat
from subq_toolkit.readers.fhir_shape import (
    BROKEN,
    CONTAINED,
    WANTED,
    as_frame,
    as_row,
    by_polars,
    concept_name,
    shaped,
    type_of,
)

#: Lines that are read together; one that Polars cannot read sends these to the slower way.
_TOGETHER = 1_000
#: Rows that are made flat together, so that nested resources are not all held at once.
_FLAT_TOGETHER = 20_000
_NAMED = r'"resourceType"\s*:\s*"'


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

    def table(self) -> pl.DataFrame:
        """Every administration and broken line, in the order of the files."""
        self._flatten()
        return pl.concat(self.frames)

    def add(self, content: Lines | Any, file: str) -> None:
        """Take in lines of resources, or one document: a Bundle, a resource, or a list of them.

        Raises
        ------
        InputError
            If it is none of these.
        """
        if isinstance(content, Lines):
            for at in range(0, len(content.lines), _TOGETHER):
                self._add_lines(content.lines[at : at + _TOGETHER], file)
            return
        if not isinstance(content, list) and not type_of(content):
            raise InputError(
                f"'{file}' is JSON, but no FHIR: it has no resourceType. It must be a Bundle, a "
                f"resource, or one resource on each line (NDJSON)."
            )
        self._keep(as_frame([*self._rows_of(content)]), file)

    def _add_lines(self, lines: list[str], file: str) -> None:
        wanted = rf'{_NAMED}{WANTED}"'
        kinds = pl.DataFrame({"line": lines}).select(
            "line",
            wanted=pl.col("line").str.contains(wanted),
            kind=pl.col("line").str.extract(rf'{_NAMED}([A-Za-z]{{1,64}})"'),
        )
        ours = kinds.filter(pl.col("wanted") | pl.col("kind").is_null())
        beside = kinds.filter(~pl.col("wanted") & pl.col("kind").is_not_null())
        self.others.update(dict(beside["kind"].value_counts().rows()))
        known = beside.filter(pl.col("kind").is_in(["Medication", "Encounter", "Bundle"]))
        for line, kind in known.select("line", "kind").rows():
            self._look_beside(line, kind, file)
        if ours.height:
            frame = by_polars(ours["line"]) if ours["wanted"].all() else None
            if frame is None:
                rows = [row for line in ours["line"] for row in self._rows_of_line(line)]
                frame = as_frame(rows)
            self._keep(frame, file)

    def _keep(self, frame: pl.DataFrame, file: str) -> None:
        self.rows += frame.height
        if self.rows > self.max_rows:
            raise InputError(
                f"'{file}': with it the export holds more than {self.max_rows:,} administrations "
                f"(max_rows). Export fewer days at a time, or state a higher max_rows."
            )
        self.waiting.append(frame)
        if sum(one.height for one in self.waiting) >= _FLAT_TOGETHER:
            self._flatten()

    def _flatten(self) -> None:
        waiting = pl.concat([as_frame([]), *self.waiting])
        self.frames.append(flat(waiting, self.facility_zone))
        self.waiting.clear()

    def _rows_of_line(self, line: str) -> list[dict[str, Any]]:
        try:
            document = parsed(line)
        except ValueError:
            return [{BROKEN: True}]
        return [*self._rows_of(document)] if type_of(document) else [{BROKEN: True}]

    def _look_beside(self, line: str, kind: str, file: str) -> None:
        try:
            document = parsed(line)
        except ValueError:
            return
        self.others[kind] -= 1
        self._keep(as_frame([*self._rows_of(document)]), file)

    def _rows_of(self, document: Any) -> Iterator[dict[str, Any]]:
        """Yield the administrations of a document, shaped; take in what stands beside them."""
        waiting = [document]
        while waiting:
            found = waiting.pop()
            if isinstance(found, list):
                waiting += reversed(found)
                continue
            kind = type_of(found)
            if kind == WANTED:
                yield as_row(found)
            elif kind == "Bundle":
                entries = found.get("entry")
                entries = entries if isinstance(entries, list) else []
                resources = [self._resource(entry) for entry in entries]
                waiting += [one for one in reversed(resources) if one is not None]
            else:
                self.others[kind or "(no resource)"] += 1
                self._look_at(found, kind)

    def _resource(self, entry: Any) -> Any:
        if not isinstance(entry, dict):
            return {}
        found, address = entry.get("resource"), entry.get("fullUrl")
        if isinstance(found, dict) and isinstance(address, str) and address.startswith("urn:"):
            self.aliases[address] = f"{type_of(found)}/{found.get('id', address)}"
        return found

    def _look_at(self, found: Any, kind: str) -> None:
        if kind == "Medication":
            known = shaped(found, CONTAINED, "", [])
            name = concept_name(known["code"] or {})
            if known["id"] and name:
                self.medications[known["id"]] = name
        elif kind == "Encounter" and isinstance(found.get("id"), str):
            period, kinds = found.get("period", found.get("actualPeriod")), found.get("class")
            end = period.get("end") if isinstance(period, dict) else None
            self.encounters[found["id"]] = {
                "ended": end if isinstance(end, str) else None,
                "kind": ",".join(sorted(_class_codes(kinds))),
            }


def _class_codes(found: Any) -> set[str]:
    """Codes of an Encounter's class: a coding in R4, a list of concepts in R5."""
    concepts = found if isinstance(found, list) else [{"coding": [found]}]
    codings = [one.get("coding") for one in concepts if isinstance(one, dict)]
    flat = [coding for some in codings if isinstance(some, list) for coding in some]
    return {str(one["code"]) for one in flat if isinstance(one, dict) and "code" in one}
