"""Read an export of charting, with names, times and shape as they are there.

Every row comes through, in the order of the file. What cannot be read is null and named in
``unreadable``; ``accept`` refuses such rows, so nothing is guessed and nothing lost.
``suggest_columns`` proposes how to read a file; a ``ColumnMap`` keeps what was agreed.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.facility_time import agreed_zone
from subq_toolkit.readers.check_counts import counted_checks
from subq_toolkit.readers.column_maps import charted
from subq_toolkit.readers.export_files import Layout, open_export, open_frame
from subq_toolkit.readers.export_shapes import SHAPE_COLUMNS, SHAPES
from subq_toolkit.readers.faults import tells_faults
from subq_toolkit.readers.fhir import MOST_FHIR_ROWS, is_fhir, read_fhir
from subq_toolkit.readers.limits import MOST_BYTES, MOST_ROWS, file_at
from subq_toolkit.readers.reading import Reading
from subq_toolkit.readers.reading_rows import read_rows_of
from subq_toolkit.readers.saved_maps import ColumnMap
from subq_toolkit.readers.suggested_columns import Suggestion, suggest_columns

__all__ = [
    "MOST_BYTES",
    "MOST_ROWS",
    "SHAPES",
    "SHAPE_COLUMNS",
    "ColumnMap",
    "Reading",
    "Suggestion",
    "check_counts",
    "read_administrations",
    "suggest_columns",
]


@tells_faults
def read_administrations(
    path: str | Path,
    *,
    columns: Mapping[str, str] | ColumnMap | None = None,
    time_format: str | None = None,
    facility_zone: str | None = None,
    encoding: str | None = None,
    separator: str | None = None,
    sheet: str | int | None = None,
    header_row: int | None = None,
    max_bytes: int = MOST_BYTES,
    max_rows: int = MOST_ROWS,
) -> Reading:
    """Read charted runs from a CSV, Parquet or Excel file, or from a FHIR export.

    Parameters
    ----------
    path
        The file; its suffix says what it is. ``.json``, ``.ndjson`` and ``.jsonl``, packed
        with gzip or not, are FHIR: see ``fhir.read_fhir``, which needs ``facility_zone`` only.
    columns
        Name in the file to name here, e.g. ``{"Start Time": "start_at"}``. Names that are
        right already need no entry. Nothing is mapped that is not stated. Or a ``ColumnMap``,
        which also says the shape of the export, its words and the settings below; what is
        stated below goes before it.
    time_format
        Needed only if the values leave it open: ``"month_first"``, ``"day_first"``, or one
        strptime format for all time columns, e.g. ``"%d/%m/%Y %H:%M"``.
    facility_zone
        Zone of the facility, e.g. ``"America/New_York"``. Times with an offset are converted
        to it. Times without one stay as charted; state the zone again when coding them.
    encoding, separator
        Of a delimited file; utf-8 unless stated. A byte order mark goes before ``encoding``;
        the separator (comma, semicolon, tab or bar) is found in the header.
    sheet
        Name or place (1 is the first) of the sheet of a workbook with several.
    header_row
        Line or row that holds the column names, counted from 1; the first unless stated.
    max_bytes, max_rows
        Larger files are refused before they are read, longer ones before they are judged.

    Notes
    -----
    A Parquet file stays lazy; it is scanned once to count. Delimited files and workbooks are
    held in memory. 24:00 is read as the first moment of the next day.

    The rows of an event log are folded into runs as ``event_log.fold_events`` says; ``events``
    says how many events went into each.

    Raises
    ------
    InputError
        If the file as a whole cannot be read: see the message for what to state or change.
    """
    stated = {
        "time_format": time_format,
        "facility_zone": facility_zone,
        "encoding": encoding,
        "separator": separator,
        "sheet": sheet,
        "header_row": header_row,
    }
    stated = {name: value for name, value in stated.items() if value is not None}
    path = file_at(path)
    if is_fhir(path):
        beside = [name for name in stated if name != "facility_zone"]
        if columns is not None or beside:
            raise InputError(
                f"'{path.name}': a FHIR export names its own entries. Leave out "
                f"{', '.join(beside if columns is None else ['columns', *beside])}."
            )
        fhir_rows = min(max_rows, MOST_FHIR_ROWS)
        return read_fhir(path, facility_zone=facility_zone, max_bytes=max_bytes, max_rows=fhir_rows)
    given = columns if isinstance(columns, ColumnMap) else ColumnMap(columns or {})
    column_map = replace(given, **stated)
    agreed_zone(pl.Schema(), (), column_map.facility_zone)
    table = open_export(
        path,
        column_map.columns,
        wanted=charted(column_map.shape),
        layout=Layout(
            column_map.encoding, column_map.separator, column_map.sheet, column_map.header_row
        ),
        max_bytes=max_bytes,
        max_rows=max_rows,
    )
    return read_rows_of(table, path.name, column_map)


@tells_faults
def check_counts(
    path_or_frame: str | Path | pl.DataFrame | pl.LazyFrame, column_map: ColumnMap
) -> pl.DataFrame:
    """Read an export with a map and count what its rows pass and fail.

    Parameters
    ----------
    path_or_frame
        The file, or a frame whose columns have the names of the export.
    column_map
        How it is read.

    Returns
    -------
    pl.DataFrame
        ``kind``, ``check``, ``count``, in this order of kinds: ``events`` (of an event log: in,
        folded, ignored, unreadable), ``rows`` (of runs: in all, readable, refused), ``refused``
        (rows by each check of ``accept`` they fail; a row may fail several), ``unreadable``
        (rows by the entry that could not be read), ``missing`` (readable rows without start,
        stop, route, pump or site, and without any of them charted in the file at all) and
        ``encounters``. No values of any row.

    Raises
    ------
    InputError
        As ``read_administrations``.
    """
    if isinstance(path_or_frame, pl.DataFrame | pl.LazyFrame):
        wanted = charted(column_map.shape)
        table = open_frame(path_or_frame, column_map.columns, wanted=wanted)
        reading = read_rows_of(table, "frame", column_map)
    else:
        reading = read_administrations(path_or_frame, columns=column_map)
    return counted_checks(reading, column_map)
