"""What goes wrong below a reader, told as what is wrong with the file, without its values."""

import csv
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.plain_text import shown

_BROKEN = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OverflowError)
_TEXT = (UnicodeError, csv.Error)


def tells_faults(reader: Callable) -> Callable:
    """Have a reader of a file or a frame raise ``InputError`` for what it did not foresee."""

    @wraps(reader)
    def told(*given: Any, **stated: Any) -> Any:
        name = _name(given[0] if given else None)
        try:
            return reader(*given, **stated)
        except InputError:
            raise
        except _TEXT:
            raise InputError(
                f"{name} holds text that cannot be read: a line is too long, or the encoding that "
                f"is stated is not that of the file. Export it again, as UTF-8."
            ) from None
        except _BROKEN as fault:
            raise InputError(
                f"{name} could not be read ({type(fault).__name__}): a part is damaged, a column "
                f"holds values of a kind that is not read here, or a date or number is beyond "
                f"what can be kept. Export it again, or as text."
            ) from None
        except OSError:
            raise InputError(
                f"{name} cannot be opened as a file. Hand in the path of a file as text."
            ) from None

    return told


def _name(given: Any) -> str:
    if isinstance(given, str | Path):
        return f"'{shown(Path(given).name)}'"
    return "The table" if isinstance(given, pl.DataFrame | pl.LazyFrame) else "What was handed in"
