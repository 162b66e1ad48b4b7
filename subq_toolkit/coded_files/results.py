"""The coded tables of a folder, scanned lazily."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from subq_toolkit.coded_files.manifest import NAME, read_manifest
from subq_toolkit.coded_files.source_paths import place_of
from subq_toolkit.coding import OUTCOMES
from subq_toolkit.errors import InputError, ReconciliationError
from subq_toolkit.policy import Policy, differences

WHOLE_FILE = "whole-file.parquet"


@dataclass(frozen=True, repr=False)
class CodedFiles:
    """What years of charted runs may be reported as, in a folder of Parquet files.

    The tables hold the rows that ``code_administrations`` of the whole source would give. They
    are sorted within a part, not beyond it.

    Attributes
    ----------
    target
        The folder: ``encounters/part-00000.parquet`` and so on, and ``manifest.json``.
    policy
        The choices that were in force.
    facility_zone
        Zone of times that carry none.
    tables
        Names of the tables that were written.
    parts
        Into how many parts the source was divided. [1]
    counts
        What ``reconcile`` gives.
    """

    target: Path
    policy: Policy
    facility_zone: str | None
    tables: tuple[str, ...]
    parts: int
    counts: dict[str, int]

    @property
    def encounters(self) -> pl.LazyFrame:
        """One row per encounter; see ``Coded``."""
        return self._scan("encounters")

    @property
    def lines(self) -> pl.LazyFrame:
        """Lines of claims; see ``Coded``."""
        return self._scan("lines")

    @property
    def findings(self) -> pl.LazyFrame:
        """Findings, those about the whole source (``encounter_id`` null) first; see ``Coded``."""
        return self._scan("findings")

    @property
    def refused(self) -> pl.LazyFrame:
        """Rows that could not be read, by their number in the whole source; see ``Coded``."""
        return self._scan("refused")

    def _scan(self, table: str) -> pl.LazyFrame:
        if table not in self.tables:
            raise InputError(
                f"'{self.target}' holds no {table}: code_files was called with "
                f"tables={self.tables!r}. Call it again with another target."
            )
        return pl.scan_parquet(files_of(self.target, table, self.parts), glob=False)

    def reconcile(self) -> dict[str, int]:
        """Rows in, and where each ended: coded, query, refer or refused; added up while coding.

        Raises
        ------
        ReconciliationError
            If they do not add up.
        """
        ended = sum(self.counts[outcome] for outcome in OUTCOMES)
        if ended != self.counts["rows_in"]:
            raise ReconciliationError(self.counts["rows_in"], ended)
        return dict(self.counts)

    def __repr__(self) -> str:
        chosen = ", ".join(f"{name}={given!r}" for name, given in differences(self.policy).items())
        ended = ", ".join(f"{self.counts[outcome]:,} {outcome}" for outcome in OUTCOMES)
        return (
            f"<CodedFiles in '{self.target}': {self.counts['rows_in']:,} rows in {self.parts:,} "
            f"parts ({ended}) under {f'Policy({chosen})' if chosen else 'the default policy'}; "
            f"lazy tables {', '.join(f'.{name}' for name in self.tables)}>"
        )


def files_of(target: Path, table: str, parts: int) -> list[Path]:
    """The files of a table, in order."""
    whole_file = [target / table / WHOLE_FILE] if table == "findings" else []
    return whole_file + [part_file(target, table, part) for part in range(parts)]


def part_file(target: Path, table: str, part: int) -> Path:
    """The file of one part of a table."""
    return target / table / f"part-{part:05}.parquet"


def read_coded_files(target: str | Path) -> CodedFiles:
    """Open a folder that ``code_files`` has finished; the source is not needed.

    Parameters
    ----------
    target
        The folder.

    Raises
    ------
    InputError
        If there is none, the work in it is not finished, or a file in it is not as it was
        written.
    """
    target = place_of(target, "target").absolute()
    manifest = read_manifest(target)
    if manifest is None:
        raise InputError(f"'{target}' holds no coded files: there is no {NAME} in it.")
    if not manifest["finished"]:
        raise InputError(
            f"'{target}' is not finished: {len(manifest['done']):,} of {manifest['parts']:,} parts "
            f"are coded. Call code_files as before; it goes on where it stopped."
        )
    return _opened(target, manifest)


def _opened(target: Path, manifest: dict) -> CodedFiles:
    done = manifest["done"].values()
    counts = {name: sum(part[name] for part in done) for name in ("rows_in", *OUTCOMES)}
    tables = tuple(manifest["tables"])
    written = {
        part_file(target, table, int(part)): size
        for part, told in manifest["done"].items()
        for table, size in told["bytes"].items()
    }
    if "findings" in tables:
        written[target / "findings" / WHOLE_FILE] = manifest["bytes_of_whole_file"]
    _require_whole(target, written)
    return CodedFiles(
        target=target,
        policy=Policy(**manifest["policy"]),
        facility_zone=manifest["facility_zone"],
        tables=tables,
        parts=manifest["parts"],
        counts=counts,
    )


def _require_whole(target: Path, written: dict[Path, int]) -> None:
    """Refuse a folder of which files are missing or have another size than was written."""
    faults = {
        "missing": [file for file in written if not file.is_file()],
        "cut or damaged": [
            file for file, size in written.items() if file.is_file() and file.stat().st_size != size
        ],
    }
    for fault, files in faults.items():
        if files:
            first = sorted(files)[0].relative_to(target)
            told = "1 file is" if len(files) == 1 else f"{len(files):,} files are"
            raise InputError(
                f"'{target}' is no longer whole: {told} {fault}, the first is '{first}'. Code the "
                f"source again into another folder."
            )
