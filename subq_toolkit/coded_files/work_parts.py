"""The rows of a source divided into parts on disk, every encounter whole in one of them.

The source is read once, in stretches of about the size of a part, and each stretch is laid
down as one file for every part. So a part can be read without the others, in the order of
the source, and reading and dividing need no more memory than one stretch.
"""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from subq_toolkit.coded_files.places import settled_folder
from subq_toolkit.coded_files.sources import Source
from subq_toolkit.errors import InputError

#: Number of a row in the whole source; 1 is the first.
NUMBER = "_number"
_PART = "_part"


def divide(
    source: Source, folder: Path, parts: int, at_once: int, done: Callable[..., None]
) -> None:
    """Lay the rows down in ``folder``, ``at_once`` at a time; what is there is not read again."""
    for first in range(0, source.rows, at_once):
        stretch, size = folder / f"rows-{first:012}", min(at_once, source.rows - first)
        before = stretch.exists()
        if not before:
            _lay_down(_stretch(source, first, size, parts), stretch)
        done(size, before=before)


def rows_of(source: Source, folder: Path, part: int) -> pl.DataFrame:
    """The rows of one part in the order of the source, with ``NUMBER``."""
    files = [file for file in _files(folder, part) if "unfinished" not in file.parent.name]
    if not files:
        return source.empty.with_row_index(NUMBER, offset=1).collect()
    try:
        return pl.scan_ipc(files, glob=False).collect().rechunk()
    except (pl.exceptions.PolarsError, OSError):
        raise InputError(
            f"The rows laid down in '{folder}' are damaged. Remove that folder and call again: "
            f"parts that are coded stay coded."
        ) from None


def remove(folder: Path, part: int) -> None:
    """Remove the rows of a part that is done."""
    for file in _files(folder, part):
        file.unlink()


def _files(folder: Path, part: int) -> list[Path]:
    return sorted(folder.glob(f"rows-*/{part:05}.arrow"))


def _stretch(source: Source, first: int, size: int, parts: int) -> pl.DataFrame:
    rows = source.rows_from(first, size).with_row_index(NUMBER, offset=first + 1)
    return rows.with_columns(_part_of(rows.schema["encounter_id"], parts))


def _part_of(held: pl.DataType, parts: int) -> pl.Expr:
    """The part of each row: one for all ways in which the name of an encounter is written.

    Rows that name no encounter are refused one by one and may be many: they go anywhere.
    """
    named = pl.col("encounter_id")
    if held in (pl.String, pl.Categorical, pl.Enum):
        text = named.cast(pl.String).str.strip_chars()
        named = pl.when(text != "").then(text)
    elif held.is_float():
        named = named.fill_nan(None)
    anywhere = pl.col(NUMBER).hash()
    by_name = anywhere if held == pl.Null else pl.coalesce(_hash_if_any(named), anywhere)
    return (by_name % parts).alias(_PART)


def _hash_if_any(named: pl.Expr) -> pl.Expr:
    return pl.when(named.is_not_null()).then(named.hash())


def _lay_down(stretch: pl.DataFrame, place: Path) -> None:
    with settled_folder(place) as beside:
        by_part = stretch.partition_by(_PART, as_dict=True, include_key=False)
        for (part,), rows in by_part.items():
            rows.write_ipc(beside / f"{part:05}.arrow", compression="lz4")
