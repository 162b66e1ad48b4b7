"""What became of a file of charges that was read: its lines, and a report of every column."""

from dataclasses import dataclass
from typing import ClassVar

import polars as pl

from subq_toolkit.readers.reading import REPORT, Reported

__all__ = ["REPORT", "ChargeReading"]


@dataclass(frozen=True, repr=False)
class ChargeReading(Reported):
    """A file of charges that was read: its lines, and column by column how they were read.

    Attributes
    ----------
    charges
        Lines for ``accept_charges``, in the order of the file. Known columns have their types,
        others are as in the file; ``unreadable`` names what could not be read in a line.
    report
        As that of ``readers.Reading``.
    """

    _begins: ClassVar[str] = "Charges"
    _holds: ClassVar[str] = "lines"

    charges: pl.LazyFrame
    report: pl.DataFrame
