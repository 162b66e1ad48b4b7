"""What became of a file that was read: its rows, and a report of every column."""

from dataclasses import dataclass
from typing import ClassVar

import polars as pl

#: Columns of the report, as every reader of the toolkit writes them.
REPORT = {
    **dict.fromkeys(("column", "read_from", "type", "format"), pl.String()),
    **dict.fromkeys(("rows", "filled", "unreadable"), pl.Int64()),
    "note": pl.String(),
}


class Reported:
    """Something that was read from a file with a report of it; shows itself by its report."""

    report: pl.DataFrame
    _begins: ClassVar[str] = "Reading"
    _holds: ClassVar[str] = "rows"

    def __repr__(self) -> str:
        whole, *columns = self.report.rows(named=True)
        known = [column for column in columns if column["filled"] is not None]
        lines = [
            f"{self._begins} of '{whole['read_from']}': {whole['rows']:,} {self._holds}, "
            f"{whole['unreadable']:,} with something unreadable; {len(known)} known columns, "
            f"{len(columns) - len(known)} ride along"
        ]
        lines += [
            f"  {column['column']} <- {column['read_from']}: {column['format'] or column['type']}"
            + (f", {column['unreadable']:,} unreadable" if column["unreadable"] else "")
            for column in known
        ]
        return "\n".join(lines)


@dataclass(frozen=True, repr=False)
class Reading(Reported):
    """A file that was read: its rows, and column by column how they were read.

    Attributes
    ----------
    administrations
        Rows for ``accept`` or ``code_administrations``. Known columns have their types, others
        are as in the file; ``unreadable`` names what could not be read in a row, else null.
    report
        One row for the file (``column`` is ``(rows)``), then one per column: ``column``,
        ``read_from``, ``type``, ``format``, ``rows``, ``filled``, ``unreadable``, ``note``.
        ``filled`` and ``unreadable`` are counted for known columns.
    """

    administrations: pl.LazyFrame
    report: pl.DataFrame
