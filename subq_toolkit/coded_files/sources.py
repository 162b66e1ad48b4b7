"""The Parquet files to be coded, as one table: its columns, its rows, and which files they are."""

from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import NamedTuple

import polars as pl

from subq_toolkit.coded_files.source_columns import common_columns
from subq_toolkit.coded_files.source_paths import SourceFile
from subq_toolkit.errors import InputError
from subq_toolkit.intake import take_in

#: A part holds at most this many rows, and fewer of wide ones: coding a part takes about ten
#: times its size in memory, and 2 GB at the width of a usual chart export.
MOST_ROWS, MOST_BYTES = 1_000_000, 250_000_000
#: Rows that are read at the start, in the middle and at the end of a file to learn their width.
_SAMPLE = 2_000
_READ = (pl.exceptions.PolarsError, OSError)


class _Held(NamedTuple):
    """A file with its columns as the table has them, its rows, and what it was when found."""

    path: Path
    frame: pl.LazyFrame
    rows: int
    state: dict


class Source:
    """The table to be coded without columns of lists and structs, which no result holds.

    Attributes
    ----------
    empty
        The table without its rows.
    rows
        Rows of all files. [1]
    files
        Each file's path, rows, size and time of change.
    """

    def __init__(self, held: list[_Held], schema: pl.Schema) -> None:
        self._held = held
        self.empty = pl.LazyFrame(schema=schema)
        self.columns = {name: str(kind) for name, kind in schema.items()}
        self.rows = sum(one.rows for one in held)
        self.files = [one.state for one in held]

    def rows_from(self, first: int, size: int) -> pl.DataFrame:
        """``size`` rows after the first ``first``, in the order of the files.

        Raises
        ------
        InputError
            Naming the file that is damaged, or that changed since it was found.
        """
        pieces, begin = [], 0
        for one in self._held:
            skipped = max(first - begin, 0)
            wanted = min(begin + one.rows, first + size) - begin - skipped
            if wanted > 0:
                pieces.append((one, one.frame.slice(skipped, wanted)))
            begin += one.rows
        if not pieces:
            return self.empty.collect()
        try:
            rows = pl.concat([piece for _, piece in pieces], how="vertical").collect()
        except _READ:
            for one, piece in pieces:
                _read(one.path, piece)
            raise
        for one, _ in pieces:
            if _state(one.path, one.rows) != one.state:
                raise InputError(
                    f"'{one.path}' changed while source was read. Start anew with another target."
                )
        return rows

    def division(self) -> tuple[int, int]:
        """Rows that are read at a time, and into how many parts all are best divided."""
        widths = [_bytes_per_row(one) for one in self._held if one.rows]
        total = sum(one.rows * width for one, width in zip(self._filled(), widths, strict=True))
        fitting = int(MOST_BYTES / max([*widths, 1.0]))
        parts = max(1, ceil(self.rows / MOST_ROWS), ceil(total / MOST_BYTES))
        return min(MOST_ROWS, max(fitting, 1)), parts

    def _filled(self) -> list[_Held]:
        return [one for one in self._held if one.rows]


def find_source(files: list[SourceFile], facility_zone: str | None) -> Source:
    """Look at every file, and bring their columns together.

    Raises
    ------
    InputError
        Naming the file that is not there, is no whole Parquet file, or has a column that
        cannot be brought to one type with the same column of the others.
    """
    of_folders = _of_folders(files)
    looked_at = [(file.path, *_looked_at(file.path)) for file in files]
    schemas = [
        (path, {**schema, **{name: told.dtype for name, told in of_folders.items()}})
        for n, (path, schema, _) in enumerate(looked_at)
    ]
    schema = common_columns(schemas)
    take_in(pl.LazyFrame(schema=schema), facility_zone=facility_zone)
    schema = pl.Schema({name: kind for name, kind in schema.items() if not kind.is_nested()})
    held = []
    for n, (path, own, rows) in enumerate(looked_at):
        said = {name: pl.lit(told[n], told.dtype) for name, told in of_folders.items()}
        columns = [
            said.get(name, pl.col(name) if name in own else pl.lit(None)).cast(kind).alias(name)
            for name, kind in schema.items()
        ]
        frame = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        if said or list(own.items()) != list(schema.items()):
            frame = frame.select(columns)
        held.append(_Held(path, frame, rows, _state(path, rows)))
    return Source(held, schema)


def _of_folders(files: list[SourceFile]) -> dict[str, pl.Series]:
    """What the names of folders say of each file, with the type that all values have."""
    names = dict.fromkeys(name for file in files for name in file.of_folders)
    told = {name: pl.Series([file.of_folders.get(name) for file in files]) for name in names}
    return {name: _typed(values.cast(pl.String)) for name, values in told.items()}


def _typed(values: pl.Series) -> pl.Series:
    for kind in (pl.Int64, pl.Float64, pl.Boolean, pl.Date):
        with suppress(pl.exceptions.PolarsError):
            return values.cast(kind)
    return values


def _looked_at(path: Path) -> tuple[dict[str, pl.DataType], int]:
    """Columns and rows of a file, from its footer."""
    if path.is_dir():
        raise InputError(f"'{path}' is a folder among files. Name its files with a pattern.")
    try:
        if path.stat().st_size == 0:
            raise InputError(
                f"'{path}' has no bytes: it was not written or not copied to the end. Bring it "
                f"here again, or take it out of source."
            )
        with path.open("rb") as file:
            begin = file.read(4)
    except OSError as fault:
        raise InputError(_missing(path, fault)) from None
    if begin != b"PAR1":
        raise InputError(
            f"'{path}' could not be read as Parquet: it is a file of another kind. Take it out of "
            f"source, or name Parquet files only, such as 'years/*.parquet'."
        )
    table = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    rows = _read(path, table.select(pl.len())).item()
    return dict(table.collect_schema()), rows


def _missing(path: Path, fault: OSError) -> str:
    if isinstance(fault, FileNotFoundError | NotADirectoryError):
        return f"source: there is no such file or folder as '{path}'."
    return f"'{path}' may not be read ({fault.strerror})."


def _read(path: Path, frame: pl.LazyFrame) -> pl.DataFrame:
    try:
        return frame.collect()
    except FileNotFoundError as fault:
        raise InputError(_missing(path, fault)) from None
    except _READ:
        raise InputError(
            f"'{path}' could not be read as Parquet: it is damaged, was not written to the end, or "
            f"changed while it was read. Bring it here again, or take it out of source."
        ) from None


def _bytes_per_row(held: _Held) -> float:
    """The widest of three samples of a file. [bytes in memory]"""
    last = max(held.rows - _SAMPLE, 0)
    samples = (_read(held.path, held.frame.slice(at, _SAMPLE)) for at in {0, last // 2, last})
    return max(rows.estimated_size() / rows.height for rows in samples)


def _state(path: Path, rows: int) -> dict:
    try:
        there = path.resolve(strict=True)
        state = there.stat()
    except OSError as fault:
        raise InputError(_missing(path, fault)) from None
    return {
        "path": str(there),
        "rows": rows,
        "bytes": state.st_size,
        "modified_ns": state.st_mtime_ns,
    }
