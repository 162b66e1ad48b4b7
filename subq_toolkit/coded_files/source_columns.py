"""One set of columns for files whose columns drifted over the years.

A column that a file lacks is null there; widths of numbers, units of times and kinds of text
are brought to the one that holds all, as ``polars.concat(how="diagonal_relaxed")`` does. What
would change a value's meaning (text and times, times with and without a zone) is refused.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.intake import REQUIRED

_TEXTUAL = (pl.String, pl.Categorical, pl.Enum)
#: Columns that tell apart what belongs together: whole numbers of theirs are not made inexact.
_NAMES = ("encounter_id", "patient_id")


def common_columns(schemas: Iterable[tuple[Path, Mapping[str, pl.DataType]]]) -> pl.Schema:
    """The columns of all files, each with a type that holds its values in all.

    Raises
    ------
    InputError
        Naming the file and the column for which there is none.
    """
    merged: dict[str, pl.DataType] = {}
    decided: dict[str, Path] = {}
    schemas = list(schemas)
    for path, schema in schemas:
        for name, held in schema.items():
            if name not in merged:
                merged[name], decided[name] = held, path
            elif held != merged[name]:
                wider = _holding_both(name, merged[name], held)
                if wider is None:
                    raise InputError(
                        f"Column '{name}' is {held} in '{path}' and {merged[name]} in "
                        f"'{decided[name]}'. Give it one type in all files of source, or leave it "
                        f"out."
                    )
                if wider != merged[name]:
                    merged[name], decided[name] = wider, path
    _require_in_all(schemas, merged)
    return pl.Schema(merged)


def _require_in_all(
    schemas: list[tuple[Path, Mapping[str, pl.DataType]]], merged: Mapping[str, pl.DataType]
) -> None:
    for path, schema in schemas:
        absent = [name for name in REQUIRED if name in merged and name not in schema]
        if absent:
            raise InputError(
                f"'{path}' has no column {' and no column '.join(map(repr, absent))}, and other "
                f"files of source have. Rename the columns that hold them, or leave the file out."
            )


def _holding_both(name: str, one: pl.DataType, other: pl.DataType) -> pl.DataType | None:
    """A type for the values of both; None if there is none that leaves them what they are."""
    both = (one, other)
    if pl.Null in both:
        return other if one == pl.Null else one
    if all(kind in _TEXTUAL for kind in both):
        return pl.Categorical() if all(kind == pl.Categorical for kind in both) else pl.String()
    if pl.String in both and any(kind.is_integer() for kind in both):
        return pl.String()
    if all(kind.is_nested() for kind in both):
        return one
    if all(isinstance(kind, pl.Datetime) for kind in both):
        return _supertype(*both) if one.time_zone == other.time_zone else None
    if not all(kind.is_numeric() for kind in both):
        return None
    if name in _NAMES and len({kind.is_integer() for kind in both}) > 1:
        return None
    return _supertype(*both)


def _supertype(one: pl.DataType, other: pl.DataType) -> pl.DataType | None:
    empty = [pl.LazyFrame(schema={"_": kind}) for kind in (one, other)]
    try:
        return pl.concat(empty, how="vertical_relaxed").collect_schema()["_"]
    except pl.exceptions.PolarsError:
        return None
