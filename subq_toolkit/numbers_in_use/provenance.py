"""What is told of each number: its columns, and how well its source supports it."""

from collections.abc import Iterable

import polars as pl

from subq_toolkit.effective import STANDINGS, sources
from subq_toolkit.errors import InputError

#: What a number is made from; ``key`` names its source, ``graded`` is the file's own word.
Number = dict[str, object]
#: Words by which the tables of fees grade a figure that could be read in a source.
_READ = {"verified": "sourced", "single source": "sourced"}
_STANDING = dict.fromkeys(STANDINGS) | _READ
#: Sources behind which there is no text: nobody can have read them.
_HOUSE, _MEMORY = "house", "-memory"
_GIVEN = {
    "subject": pl.String,
    "name": pl.String,
    "label": pl.String,
    "value": pl.String,
    "unit": pl.String,
    "start": pl.Date,
    "until": pl.Date,
    "graded": pl.String,
    "key": pl.String,
    "review_by": pl.Date,
    "note": pl.String,
    "file": pl.String,
}
_TOLD = ("subject", "name", "label", "value", "unit", "start", "until", "standing", "tier")
_TOLD += ("source", "href", "read_on", "review_by", "note", "graded", "file")


def with_sources(numbers: Iterable[Number]) -> pl.DataFrame:
    """Add to each number its standing, and of its source the title, address, tier and day."""
    rows = [_checked(number) for number in numbers]
    given = pl.DataFrame(rows, schema=_GIVEN, orient="row").with_columns(
        standing=pl.col("graded").replace(_READ)
    )
    return given.join(_read(), on="key", how="left", maintain_order="left").select(_TOLD)


def _checked(number: Number) -> Number:
    where = f"{number['file']}: '{number['name']}'"
    if number["graded"] not in _STANDING:
        raise InputError(f"{where} has a standing that is none of {', '.join(_STANDING)}.")
    if number["key"] is not None and number["key"] not in sources():
        raise InputError(
            f"{where} names the source '{number['key']}', which must stand in one of "
            f"parameters/*sources.toml."
        )
    return number


def _read() -> pl.DataFrame:
    """Every source by its key; ``read_on`` is null where there is nothing to read."""
    rows = [
        {
            "key": one.key,
            "source": one.title,
            "href": one.href or None,
            "tier": one.tier or None,
            "read_on": None if one.key == _HOUSE or one.key.endswith(_MEMORY) else one.read,
        }
        for one in sources().values()
    ]
    schema = dict.fromkeys(("key", "source", "href", "tier"), pl.String) | {"read_on": pl.Date}
    return pl.DataFrame(rows, schema=schema, orient="row")
