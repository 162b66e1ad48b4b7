"""What became of a file that was read: its rows, and a report of every column."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, repr=False)
class Reading:
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

    def __repr__(self) -> str:
        whole, *columns = self.report.rows(named=True)
        known = [column for column in columns if column["filled"] is not None]
        lines = [
            f"Reading of '{whole['read_from']}': {whole['rows']:,} rows, {whole['unreadable']:,} "
            f"with something unreadable; {len(known)} known columns, "
            f"{len(columns) - len(known)} ride along"
        ]
        lines += [
            f"  {column['column']} <- {column['read_from']}: {column['format'] or column['type']}"
            + (f", {column['unreadable']:,} unreadable" if column["unreadable"] else "")
            for column in known
        ]
        return "\n".join(lines)
