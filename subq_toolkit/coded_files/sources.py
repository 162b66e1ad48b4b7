"""The Parquet files to be coded, as one table: its rows, its width, and which files they are."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import NamedTuple

import polars as pl
import polars.selectors as cs

from subq_toolkit.errors import InputError
from subq_toolkit.intake import take_in

Paths = str | Path | Sequence[str | Path]
#: A part holds at most this many rows, and fewer of wide ones: coding a part takes about ten
#: times its size in memory, and 2 GB at the width of a usual chart export.
MOST_ROWS, MOST_BYTES = 1_000_000, 250_000_000
_SAMPLE, _FILE = 20_000, "_file"


class Source(NamedTuple):
    """The table to be coded without columns of lists and structs, which no result holds."""

    table: pl.LazyFrame
    rows: int
    rows_of_part: int
    files: list[dict]

    @property
    def parts(self) -> int:
        """Into how many parts the rows are best divided."""
        return max(1, ceil(self.rows / self.rows_of_part))


def find_source(source: Paths, facility_zone: str | None) -> Source:
    """Scan the files; see ``polars.scan_parquet`` for what ``source`` may be.

    Raises
    ------
    InputError
        If there are no such Parquet files on this machine, or their table cannot be used.
    """
    _require_paths(source)
    with reading():
        table = pl.scan_parquet(source)
        table.collect_schema()
    take_in(table, facility_zone=facility_zone)
    table = table.select(cs.exclude(cs.nested()))
    with reading():
        named = pl.scan_parquet(source, include_file_paths=_FILE)
        listed = named.group_by(_FILE, maintain_order=True).len().collect()
        sample = table.head(_SAMPLE).collect()
    fitting = MOST_BYTES * sample.height // max(sample.estimated_size(), 1)
    return Source(
        table,
        rows=int(listed["len"].sum()),
        rows_of_part=min(MOST_ROWS, max(int(fitting), 1)),
        files=[_described(path, rows) for path, rows in listed.rows()],
    )


def _require_paths(source: Paths) -> None:
    paths = [source] if isinstance(source, str | Path) else source
    listed = isinstance(paths, Sequence) and len(paths) > 0
    if not listed or not all(isinstance(one, str | Path) for one in paths):
        raise InputError(
            "source is the path of a Parquet file, a folder, a pattern such as 'years/*.parquet', "
            "or a list of paths. A table in memory goes to code_administrations()."
        )


def _described(path: str, rows: int) -> dict:
    try:
        there = Path(path).resolve(strict=True)
        state = there.stat()
    except (OSError, ValueError):
        raise InputError(
            "source must be files on this machine, so that a later call can see that they are "
            "still the same. Copy them here first."
        ) from None
    return {
        "path": str(there),
        "rows": rows,
        "bytes": state.st_size,
        "modified_ns": state.st_mtime_ns,
    }


@contextmanager
def reading() -> Iterator[None]:
    """Have what is wrong with the files told as such."""
    try:
        yield
    except FileNotFoundError:
        raise InputError("source: there is no such file or folder.") from None
    except pl.exceptions.SchemaError as fault:
        raise InputError(
            f"The files of source do not have the same columns: {str(fault).splitlines()[0]}. "
            f"Give each column one name and one type in all of them."
        ) from None
    except (pl.exceptions.PolarsError, OSError) as fault:
        raise InputError(
            f"source could not be read as Parquet ({type(fault).__name__}): no file matches, one "
            f"is of another kind or damaged, or may not be read. Name Parquet files only, such as "
            f"'years/*.parquet'."
        ) from None
