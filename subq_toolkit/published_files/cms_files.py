"""Read a file that CMS publishes into the rows of the fee table it belongs to."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.fees.tables import bundled_tables
from subq_toolkit.published_files.cms_rows import WHY, counted_reasons, typed_rows
from subq_toolkit.published_files.first_days import FirstDay, first_day
from subq_toolkit.published_files.headers import require_columns
from subq_toolkit.published_files.layouts import RECOGNISED
from subq_toolkit.published_files.opened_files import Opened, open_table
from subq_toolkit.published_files.table_rows import Terms, ended_pairs, setting_of, table_rows

_APMS = ("all", "no", "yes")
#: From this year on the physician fee schedule has two conversion factors.
_TWO_FACTORS = 2026


@dataclass(frozen=True, eq=False, repr=False)
class CmsFile:
    """A file of CMS that was read.

    Attributes
    ----------
    kind
        ``RVU``, ``GPCI``, ``Addendum B``, ``MUE``, ``PTP`` or ``add-on``.
    table
        The table of ``fees.tables.KEYS`` that its rows belong to.
    start
        First day that the file holds.
    rows
        In the columns of that table. ``source`` is ``user-file``, ``cite`` names the file.
        Figures of a calendar year end with it; edits end when the file says so.
    conversion_factors
        Of an RVU file: rows of the table ``conversion_factors``; else none.
    ended
        Edits that the file says have ended before ``start``: their key and last day ``until``.
    codes
        The codes asked for; None for all.
    recognised
        What was read as what: ``what`` (``file``, ``start``, ``column``, ``kept``, ``left out``),
        ``in_file``, ``became``, ``rows``, ``note``.
    """

    kind: str
    table: str
    start: date
    rows: pl.DataFrame
    conversion_factors: pl.DataFrame
    ended: pl.DataFrame
    codes: frozenset[str] | None
    recognised: pl.DataFrame

    def __repr__(self) -> str:
        left = self.recognised.filter(what="left out")
        lines = [
            f"{self.kind} file for '{self.table}' from {self.start}: {self.rows.height:,} rows kept"
        ]
        lines += [f"  left out: {why}, {n:,}" for why, n in left.select("in_file", "rows").rows()]
        return "\n".join(lines)


def read_cms_file(
    path: str | Path,
    *,
    start: date | None = None,
    part: str | None = None,
    setting: str | None = None,
    apm: str | None = None,
    codes: Collection[str] | None = None,
    read_on: date | None = None,
) -> CmsFile:
    """Read a file that CMS publishes: RVU, GPCI, Addendum B, MUE, PTP or add-on edits.

    Parameters
    ----------
    path
        csv, tab-separated txt or xlsx as CMS publishes it, or the zip it comes in.
    start
        First day it holds, if neither its name nor its title says so.
    part
        The file of an archive, or the sheet of a workbook, if several are recognised.
    setting
        Of edits, if neither name nor header says so: ``practitioner``, ``outpatient_hospital``.
    apm
        Of an RVU file from 2026 on whose name does not say so: ``no`` (nonQPP), ``yes`` (QPP).
    codes
        Keep only rows that name one of these; all by default.
    read_on
        The day named in ``cite``; today by default.

    Raises
    ------
    InputError
        If the file is not recognised, lacks a column, holds no row that can be used, or does
        not say what only it can know; the message says what to state.
    """
    if apm not in (None, *_APMS):
        raise InputError(f"apm is one of {', '.join(_APMS)}, not {apm!r}.")
    opened = open_table(Path(path), part=part)
    layout = opened.header.layout
    require_columns(opened.header, opened.file)
    day = first_day(opened.names, opened.above, stated=start)
    edits = layout.table in ("unlikely_edits", "procedure_pairs")
    text = " ".join([*opened.names, *opened.header.names])
    terms = Terms(
        day.start,
        setting_of(text, setting) if edits else None,
        None if codes is None else frozenset(code.strip().upper() for code in codes),
    )
    typed = typed_rows(opened.rows, opened.header)
    rows = table_rows(typed, opened.header, terms)
    cite = f"{opened.file}, read {read_on or date.today()} [single source]"
    kept = _in_schema(rows.filter(pl.col(WHY).is_null()), layout.table, cite)
    if kept.is_empty():
        raise InputError(_nothing_kept(opened.file, layout.title, counted_reasons(rows)))
    factors, note = _conversion_factors(typed, opened, day.start, apm)
    return CmsFile(
        layout.kind,
        layout.table,
        day.start,
        kept,
        _in_schema(factors, "conversion_factors", cite),
        ended_pairs(rows, layout.table),
        terms.codes,
        _recognised(opened, day, rows, kept.height, note),
    )


def _in_schema(rows: pl.DataFrame, table: str, cite: str) -> pl.DataFrame:
    """The columns of a fee table, in its order and types."""
    schema = bundled_tables()[table].schema
    told = {"source": "user-file", "standing": "single source", "tier": "", "cite": cite}
    filled = rows.with_columns(**{name: pl.lit(text) for name, text in told.items()})
    absent = [pl.lit(None).alias(name) for name in schema if name not in filled.columns]
    return filled.with_columns(absent).select(pl.col(n).cast(t) for n, t in schema.items())


def _nothing_kept(file: str, title: str, left: list[tuple[str, int]]) -> str:
    said = "; ".join(f"{count:,} row(s): {why}" for why, count in left) or "it has no rows"
    return (
        f"'{file}' was recognised as a {title}, but no row of it can be used: {said}. Check that "
        f"it is complete, and as CMS publishes it."
    )


def _conversion_factors(
    typed: pl.DataFrame, opened: Opened, start: date, apm: str | None
) -> tuple[pl.DataFrame, str]:
    """The conversion factor of an RVU file for whom it says, or why there is none."""
    schema = {"start": pl.Date, "until": pl.Date, "apm": pl.String}
    empty = pl.DataFrame(schema={**schema, "conversion_factor": pl.Decimal(18, 4)})
    if "conversion_factor" not in typed.columns:
        return empty, ""
    column = typed.filter(pl.col(WHY).is_null())["conversion_factor"].drop_nulls()
    values = column.filter(column > 0).unique().sort()
    whom = apm or _apm_of(" ".join(opened.names), start)
    if len(values) != 1:
        return empty, f"not read: the file holds {len(values)} conversion factors"
    if whom is None:
        return empty, "not read: the name says neither QPP nor nonQPP; state apm='no' or apm='yes'"
    row = {"start": start, "until": date(start.year, 12, 31), "apm": whom}
    return pl.DataFrame([row], schema=schema).with_columns(conversion_factor=values), f"apm {whom}"


def _apm_of(names: str, start: date) -> str | None:
    if start.year < _TWO_FACTORS:
        return "all"
    if "qpp" not in names.lower():
        return None
    return "no" if "nonqpp" in names.lower() else "yes"


def _recognised(
    opened: Opened, day: FirstDay, rows: pl.DataFrame, kept: int, factor: str
) -> pl.DataFrame:
    header, layout = opened.header, opened.header.layout
    lines = [
        ("file", opened.file, layout.table, opened.rows.height, f"{layout.title}; {opened.layout}"),
        ("start", day.said, str(day.start), None, ""),
    ]
    ours = {place: name for name, place in header.places.items()}
    for place, name in enumerate(header.names):
        became = ours.get(place)
        note = factor if became == "conversion_factor" else ""
        if name:
            lines.append(("column", name, became, None, note if became else "not read"))
    absent = [one.name for one in layout.fields if one.name not in header.places]
    lines += [("column", None, name, None, "not in the file: empty") for name in absent]
    held = f"held to the end of {day.start.year}, or to a later file" if layout.yearly else ""
    lines.append(("kept", None, layout.table, kept, held))
    lines += [("left out", why, None, count, "") for why, count in counted_reasons(rows)]
    return pl.DataFrame(lines, schema=RECOGNISED, orient="row")
