"""Charge lines judged row by row: what must be true, and what happens to the others.

``accept_charges`` brings a table into one shape and splits it into lines that can be
compared with the chart and lines that cannot be read. An exact copy is not refused: a line
charged twice is what an audit looks for.
"""

from typing import NamedTuple

import polars as pl
from polars.selectors import by_name

from subq_toolkit.charges.charge_fields import (
    HCPCS,
    code_alone,
    entry,
    field,
    is_text,
    modifiers_of,
    two_characters_each,
)
from subq_toolkit.charges.columns import AMOUNTS, COLUMNS, REQUIRED
from subq_toolkit.errors import InputError
from subq_toolkit.readers.charted_fields import charted_text


class ChargeAcceptance(NamedTuple):
    """Charge lines that can be compared with the chart, and the others with what they failed.

    ``accepted`` holds every column of ``COLUMNS``, typed, then the unknown ones and ``_row``
    (1 is the first row of the table). ``refused`` holds ``row``, ``encounter_id``, ``failed``
    (list of checks), ``unreadable`` (names of the entries that could not be read), and ``code``
    and ``frequency`` where they could.
    """

    accepted: pl.LazyFrame
    refused: pl.LazyFrame


def _read(name: str) -> pl.Expr:
    return ~pl.col(f"_missed_{name}")


#: What must be true of a charge line, in the words that the reader of ``refused`` is shown.
CHECKS: dict[str, pl.Expr] = {
    "encounter is named": pl.col("encounter_id").str.len_bytes() > 0,
    "every entry could be read": pl.col("_told").is_null() & _read("line_number"),
    "date of service is known": pl.col("service_date").is_not_null(),
    "code is stated": pl.col("code").is_not_null(),
    "code looks like a HCPCS code": pl.col("code").is_null() | pl.col("code").str.contains(HCPCS),
    "units are a whole number": pl.col("units").is_not_null(),
    "modifiers have two characters each": two_characters_each(pl.col("modifiers")),
    "revenue code is a number of up to four digits": pl.col("revenue_code").is_null()
    | pl.col("revenue_code").str.contains(r"^\d{1,4}$"),
    **{f"{name} is an amount": _read(name) for name in AMOUNTS},
    "status is known": _read("status"),
    "claim frequency is one character": pl.col("frequency").is_null()
    | pl.col("frequency").str.contains(r"^[0-9A-Z]$"),
}
#: Fields whose entries may be there and yet give no value.
_MAY_MISS = [name for name, wanted in COLUMNS.items() if wanted != pl.String]
_HOLDS = {
    pl.String: "text or whole numbers",
    pl.Date: "dates",
    pl.Int64: "whole numbers",
    pl.Float64: "numbers, in USD",
    pl.Enum: "one of its known words as text",
}


def accept_charges(charges: pl.DataFrame | pl.LazyFrame) -> ChargeAcceptance:
    """Split charge lines into those that can be compared and those that cannot be read.

    Codes are upper case afterwards and modifiers glued to them stand in ``modifiers``;
    revenue codes lose leading zeros; a status that is not stated is ``final``. Whole numbers
    stored as decimals or as text are read. Exact copies are kept.

    Parameters
    ----------
    charges
        ``encounter_id``, ``service_date``, ``code`` and ``units`` [1] at least; see ``COLUMNS``
        for the others, ``charge_usd`` and ``paid_usd`` [USD] among them. Absent columns are
        null, unknown ones ride along. A ``_row`` that is there is kept.

    Raises
    ------
    InputError
        If this is no table, a required column is missing, or a column has a name or a type
        that cannot be used.
    """
    if not isinstance(charges, pl.DataFrame | pl.LazyFrame):
        raise InputError(
            "Hand in a Polars DataFrame or LazyFrame of charge lines; "
            f"this is a {type(charges).__name__}. For pandas: polars.from_pandas(frame)."
        )
    table = charges.lazy()
    schema = table.collect_schema()
    _require(schema)
    if "_row" not in schema:
        table = table.with_row_index("_row", offset=1)
    rows = _in_one_shape(table, schema).with_columns(
        _ok=pl.all_horizontal(check.fill_null(False) for check in CHECKS.values())
    )
    others = [name for name in schema if name not in COLUMNS and name != "_row"]
    accepted = rows.filter("_ok").select(*COLUMNS, by_name(*others), "_row")
    return ChargeAcceptance(accepted, _refused(rows.filter(~pl.col("_ok"))))


def _refused(rows: pl.LazyFrame) -> pl.LazyFrame:
    failed = [pl.when(~check.fill_null(False)).then(pl.lit(name)) for name, check in CHECKS.items()]
    return rows.select(
        pl.col("_row").alias("row"),
        "encounter_id",
        failed=pl.concat_list(failed).list.drop_nulls(),
        unreadable=pl.col("unreadable"),
        code=pl.when(pl.col("code").str.contains(HCPCS)).then("code"),
        frequency="frequency",
    ).sort("row")


def _in_one_shape(table: pl.LazyFrame, schema: pl.Schema) -> pl.LazyFrame:
    """Every known column with its type, and a mark for each entry that gave no value."""
    typed = {
        name: field(name, schema[name]) if name in schema else pl.lit(None, dtype=wanted)
        for name, wanted in COLUMNS.items()
    }
    missed = {
        f"_missed_{name}": entry(name, schema[name]).is_not_null() & typed[name].is_null()
        if name in schema
        else pl.lit(False)
        for name in _MAY_MISS
    }
    told = charted_text("unreadable", schema["unreadable"]) if "unreadable" in schema else None
    named = [pl.when(mark).then(pl.lit(mark.removeprefix("_missed_"))) for mark in missed]
    listed = pl.concat_str(pl.col("_told"), *named, separator=", ", ignore_nulls=True)
    code = pl.col("code")
    return (
        table.with_columns(
            **typed, **missed, _told=pl.lit(None, dtype=pl.String) if told is None else told
        )
        .with_columns(unreadable=pl.when(listed != "").then(listed))
        .with_columns(
            # A literal that is no Enum yet breaks streaming joins further on (Polars 2.1).
            status=pl.col("status").fill_null(pl.lit("final", dtype=COLUMNS["status"])),
            modifiers=modifiers_of(pl.col("modifiers"), code),
            code=code_alone(code),
        )
    )


def _require(schema: pl.Schema) -> None:
    missing = [name for name in REQUIRED if name not in schema]
    if missing:
        known = any(name in COLUMNS for name in schema)
        held = f"it has {', '.join(map(repr, schema))}" if known else f"it has {len(schema)} others"
        raise InputError(
            f"The charges have no column {' and no column '.join(map(repr, missing))}; {held}. "
            f"Rename the columns that hold them, or read the file with "
            f"read_charges(path, columns={{...}})."
        )
    ours = [name for name in schema if name.startswith("_") and name != "_row"]
    if ours or not schema.get("_row", pl.UInt32()).is_integer():
        raise InputError(
            f"Names that begin with an underscore are kept for the toolkit; the charges have "
            f"{', '.join(map(repr, ours or ['_row']))}. Rename them."
        )
    require_types(schema)


def require_types(schema: pl.Schema) -> None:
    """Refuse columns of a type in which no charge line can be written.

    Dates of service in universal time are none either: their local date cannot be told.

    Raises
    ------
    InputError
        If a known column holds such values.
    """
    for name, held in schema.items():
        if name in COLUMNS and not _usable(COLUMNS[name], held):
            raise InputError(
                f"Column '{name}' holds {held} values; it must hold "
                f"{_HOLDS[COLUMNS[name].base_type()]}. Convert it, or leave it out."
            )
    held = schema.get("service_date")
    if isinstance(held, pl.Datetime) and held.time_zone in ("UTC", "Etc/UTC", "GMT", "Zulu"):
        raise InputError(
            "Column 'service_date' holds universal time (UTC), so the local date of service cannot "
            "be told. Convert it to the zone of the facility, or to dates, first."
        )


def _usable(wanted: pl.DataType, held: pl.DataType) -> bool:
    if is_text(held) or held == pl.Null:
        return True
    if wanted == pl.Date:
        return held == pl.Date or isinstance(held, pl.Datetime) or held.is_integer()
    return held.is_numeric() and not isinstance(wanted, pl.Enum)
