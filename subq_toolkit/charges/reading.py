"""What became of a file of charges that was read: its lines, and a report of every column."""

from dataclasses import dataclass

import polars as pl

#: Columns of the report, as every reader of the toolkit writes them.
REPORT = {
    **dict.fromkeys(("column", "read_from", "type", "format"), pl.String()),
    **dict.fromkeys(("rows", "filled", "unreadable"), pl.Int64()),
    "note": pl.String(),
}


@dataclass(frozen=True, repr=False)
class ChargeReading:
    """A file of charges that was read: its lines, and column by column how they were read.

    Attributes
    ----------
    charges
        Lines for ``accept_charges``, in the order of the file. Known columns have their types,
        others are as in the file; ``unreadable`` names what could not be read in a line.
    report
        One row for the file (``column`` is ``(rows)``), then one per column: ``column``,
        ``read_from``, ``type``, ``format``, ``rows``, ``filled``, ``unreadable``, ``note``.
        ``filled`` and ``unreadable`` are counted for known columns.
    """

    charges: pl.LazyFrame
    report: pl.DataFrame

    def __repr__(self) -> str:
        whole, *columns = self.report.rows(named=True)
        known = [column for column in columns if column["filled"] is not None]
        lines = [
            f"Charges of '{whole['read_from']}': {whole['rows']:,} lines, {whole['unreadable']:,} "
            f"with something unreadable; {len(known)} known columns, "
            f"{len(columns) - len(known)} ride along"
        ]
        lines += [
            f"  {column['column']} <- {column['read_from']}: {column['format'] or column['type']}"
            + (f", {column['unreadable']:,} unreadable" if column["unreadable"] else "")
            for column in known
        ]
        return "\n".join(lines)
