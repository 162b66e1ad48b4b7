"""From Parquet files to coded Parquet files, part by part; stopped at any moment, it goes on."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from subq_toolkit.coded_files import manifest as manifests
from subq_toolkit.coded_files import work_parts
from subq_toolkit.coded_files.part_coding import code_part, part_intake
from subq_toolkit.coded_files.places import (
    only_one_at_work,
    settled,
    tells_what_cannot_be_written,
)
from subq_toolkit.coded_files.progress import Progress, ProgressError, Told, teller
from subq_toolkit.coded_files.results import WHOLE_FILE, CodedFiles, part_file, read_coded_files
from subq_toolkit.coded_files.same_day import later_encounters, told_of
from subq_toolkit.coded_files.source_paths import Paths, place_of, require_apart, source_files
from subq_toolkit.coded_files.sources import Source, find_source
from subq_toolkit.coding import checked
from subq_toolkit.errors import InputError, ReconciliationError
from subq_toolkit.findings import file_findings, with_remedies
from subq_toolkit.intake import take_in
from subq_toolkit.policy import Policy

TABLES = ("encounters", "lines", "findings", "refused")
_TALLIED = ("times", "heaped", "encounters", "overdue", "last_overdue")
_WORK = "in_work"
_MOST_PARTS = 10_000


def code_files(
    source: Paths,
    target: str | Path,
    *,
    policy: Policy | None = None,
    facility_zone: str | None = None,
    parts: int | None = None,
    progress: bool | Callable[[Progress], None] = True,
    tables: Sequence[str] = TABLES,
) -> CodedFiles:
    """Code Parquet files of any size into Parquet files, in little memory.

    The rows are those that ``code_administrations`` of the whole source would give. A call that
    was stopped, even killed, leaves whole files only; the same call again goes on.

    Parameters
    ----------
    source
        A Parquet file, a folder, a pattern such as ``"years/*.parquet"``, or a list of paths.
        Together one table of charted runs as ``administrations.COLUMNS`` describes it. A column
        that a file lacks is null there; widths of numbers, units of times and kinds of text
        may differ. In folders and patterns, names that begin with a dot or an underscore are
        left out, and ``year=2024`` as the name of a folder gives a column of years.
    target
        Folder for the results; it is empty, not there yet, or holds this same work unfinished.
        Until the end its ``in_work`` holds the rows divided into parts, identifiable as in the
        source and about four times its size, for your eyes only. It stays when a run is
        abandoned: call again, or remove it.
    policy
        The choices on which sources disagree; the default is made for an audit.
    facility_zone
        Zone of times that carry none, e.g. ``"America/New_York"``.
    parts
        Into how many parts to divide the rows, every encounter whole in one; unless stated, as
        many as keep a part at a million rows, fewer of wide ones. More parts need less memory.
    progress
        True writes one line with rows done, parts done and time left; a function is called with
        a ``Progress`` instead, and what it raises ends the run; False is silent.
    tables
        Which of ``encounters``, ``lines``, ``findings`` and ``refused`` to write.

    Returns
    -------
    CodedFiles
        Lazy tables of what was written; ``read_coded_files(target)`` opens them again.

    Raises
    ------
    InputError
        If source or target cannot be used, the disk is full, or the target was begun with
        another source, policy or version; see also ``code_administrations``.
    """
    policy, tables, target = checked(policy), _known(tables), _folder(target)
    if parts is not None and (type(parts) is not int or not 1 <= parts <= _MOST_PARTS):
        raise InputError(f"parts is a whole number from 1 to {_MOST_PARTS}, not {parts!r}.")
    tell, files = teller(progress), source_files(source)
    require_apart(source, files, target)
    found = find_source(files, facility_zone)
    begun = manifests.read_manifest(target)
    at_once, best = (begun["rows_at_once"], begun["parts"]) if begun else found.division()
    parts = parts or min(best, _MOST_PARTS)
    wanted = manifests.planned(found, (at_once, parts), policy, facility_zone, tables)
    if begun:
        manifests.require_same(target, begun, wanted)
    work = target / _WORK
    try:
        with tells_what_cannot_be_written(target):
            if not begun:
                manifests.write_manifest(target, wanted)
            if not begun or not begun["finished"]:
                with only_one_at_work(work / "lock"):
                    told = Told(tell, found.rows, parts)
                    _Run(found, target, policy, facility_zone, told).run()
            shutil.rmtree(work, ignore_errors=True)
    except ProgressError as fault:
        raise fault.__cause__ from None
    return read_coded_files(target)


def _folder(target: str | Path) -> Path:
    if not isinstance(target, str | Path) or not str(target):
        raise InputError(f"target is the path of a folder for the results, not {target!r}.")
    return place_of(target, "target").absolute()


def _known(tables: Sequence[str]) -> tuple[str, ...]:
    listed = isinstance(tables, Sequence) and not isinstance(tables, str)
    given = list(tables) if listed else [tables]
    unknown = [name for name in given if name not in TABLES]
    if unknown or not given:
        raise InputError(
            f"tables is one or more of {', '.join(map(repr, TABLES))}, not {tables!r}."
        )
    return tuple(name for name in TABLES if name in given)


class _Run:
    """The work of one call, step by step; what an earlier call has done is left as it is."""

    def __init__(
        self,
        source: Source,
        target: Path,
        policy: Policy,
        facility_zone: str | None,
        told: Told,
    ) -> None:
        self.source, self.target, self.told = source, target, told
        self.policy, self.facility_zone = policy, facility_zone
        self.manifest = manifests.read_manifest(target)
        self.work, self.parts = target / _WORK, self.manifest["parts"]

    def run(self) -> None:
        """Divide, compare across parts, code part by part, and put together what is of all."""
        if self.manifest["finished"]:
            return
        if len(self.manifest["done"]) < self.parts:
            self._divide()
            self._code(self._later())
        self._check()
        if "findings" in self.manifest["tables"]:
            self._write_whole_file()
        self.manifest["finished"] = True
        manifests.write_manifest(self.target, self.manifest)

    def _divide(self) -> None:
        self.told.stage("dividing")
        at_once = self.manifest["rows_at_once"]
        work_parts.divide(self.source, self.work, self.parts, at_once, self.told.done)

    def _rows(self, part: int) -> pl.DataFrame:
        return work_parts.rows_of(self.source, self.work, part)

    def _later(self) -> pl.Series | None:
        """The encounters that follow another of their patient on the same date."""
        shape = take_in(self.source.empty, facility_zone=self.facility_zone)
        if self.parts == 1 or "patient_id" not in shape.given:
            return None
        self.told.stage("comparing")
        files = [self.work / f"told-{part:05}.arrow" for part in range(self.parts)]
        for part, file in enumerate(files):
            if not file.exists():
                rows = self._rows(part)
                with settled(file) as beside:
                    told_of(part_intake(rows, self.facility_zone), self.policy).sink_ipc(beside)
                self.told.done(rows.height)
        return later_encounters(files)

    def _code(self, later: pl.Series | None) -> None:
        self.told.stage("coding")
        for part in range(self.parts):
            counts, before = self.manifest["done"].get(str(part)), True
            if counts is None:
                counts, before = self._code_part(part, later), False
            self.told.done(counts["rows_in"], before=before)

    def _code_part(self, part: int, later: pl.Series | None) -> dict:
        places = {table: part_file(self.target, table, part) for table in self.manifest["tables"]}
        counts = code_part(
            self._rows(part), later, places, policy=self.policy, facility_zone=self.facility_zone
        )
        counts["bytes"] = {table: place.stat().st_size for table, place in places.items()}
        self.manifest["done"][str(part)] = counts
        manifests.write_manifest(self.target, self.manifest)
        work_parts.remove(self.work, part)
        return counts

    def _check(self) -> None:
        rows_in = sum(part["rows_in"] for part in self.manifest["done"].values())
        if rows_in != self.source.rows:
            raise ReconciliationError(self.source.rows, rows_in)

    def _write_whole_file(self) -> None:
        """What is said of a whole file, once, from what all parts counted."""
        told = [{name: part[name] for name in _TALLIED} for part in self.manifest["done"].values()]
        tallies = pl.LazyFrame(told, schema_overrides={"last_overdue": pl.String})
        tallies = tallies.with_columns(pl.col("last_overdue").str.to_date())
        shape = take_in(self.source.empty, facility_zone=self.facility_zone)
        findings = with_remedies(file_findings(tallies, shape)).sort("finding")
        place = self.target / "findings" / WHOLE_FILE
        with settled(place) as beside:
            findings.sink_parquet(beside)
        self.manifest["bytes_of_whole_file"] = place.stat().st_size
