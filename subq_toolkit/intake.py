"""A table of charted runs brought into one shape: columns, their types, and nothing judged.

Whatever was handed in, afterwards every known column is there with its type, times are
instants, and what could not be read is marked. ``administrations`` judges the rows.
"""

from typing import NamedTuple

import polars as pl

from subq_toolkit.effective import read_table
from subq_toolkit.errors import InputError
from subq_toolkit.facility_time import agreed_zone, clocks_may_change, time_columns, zone_of

#: Columns with a fixed list of answers.
CHOICES: dict[str, list[str]] = {
    "route": ["subcutaneous", "intravenous", "injection", "other"],
    "mode": ["continuous", "intermittent", "bolus", "patient_controlled"],
    "device": ["needle", "soft_catheter"],
    "delivery": ["pump", "gravity", "manual_push"],
    "indication": ["frequency", "dose_adjustment", "fragile_veins", "other"],
    "setting": ["emergency", "clinic", "treatment_room", "physician_office", "home"],
}
REQUIRED = ("encounter_id", "start_at", "stop_at")
TIMES = ("start_at", "stop_at", "discharge_at")
AMOUNTS = ("volume_ml", "rate_ml_per_h", "concentration_mg_per_ml", "dose_mg")

#: Every column the toolkit knows, with its type; any other rides along untouched.
COLUMNS: dict[str, pl.DataType] = {
    "encounter_id": pl.String(),
    "patient_id": pl.String(),
    **{name: pl.Datetime("us") for name in TIMES},
    **{name: pl.Enum(answers) for name, answers in CHOICES.items()},
    "pump_id": pl.String(),
    "site": pl.String(),
    "drug": pl.String(),
    **{name: pl.Float64() for name in AMOUNTS},
    "needles": pl.Int64(),
    "setup_charted": pl.Boolean(),
    "em_code": pl.String(),
    "payer": pl.String(),
    "locality": pl.String(),
    "department": pl.String(),
    "unreadable": pl.String(),
}
_PLAIN = [name for name in COLUMNS if name not in TIMES]
_TEXTUAL = (pl.String, pl.Categorical, pl.Enum)


class Intake(NamedTuple):
    """A table in one shape: every known column there, times as instants, rows unjudged.

    ``given`` names the columns that were handed in, ``bare`` those times among them that
    carry no zone, ``zone`` the zone of local dates.
    """

    rows: pl.LazyFrame
    given: list[str]
    bare: list[str]
    zone: str | None


def take_in(
    administrations: pl.DataFrame | pl.LazyFrame, *, facility_zone: str | None = None
) -> Intake:
    """Bring a table into one shape without judging its rows; see ``Intake``.

    Adds ``_row``, ``_service_day``, the marks ``_unread`` and ``_<choice>_unknown``, and for
    each time what ``facility_time.time_columns`` says; the underscore keeps them apart from
    columns of the user's.

    Raises
    ------
    InputError
        If this is no table, a required column is missing, a column has a name or a type
        that cannot be used, or the zones of times disagree.
    """
    if not isinstance(administrations, pl.DataFrame | pl.LazyFrame):
        raise InputError(
            "Hand in a Polars DataFrame or LazyFrame of charted runs; "
            f"this is a {type(administrations).__name__}. For pandas: polars.from_pandas(frame)."
        )
    table = administrations.lazy()
    schema = table.collect_schema()
    _require(schema)
    zone = agreed_zone(schema, TIMES, facility_zone)
    times = {
        key: expr
        for name in TIMES
        for key, expr in time_columns(name, schema.get(name), facility_zone).items()
    }
    typed = {name: _typed(name, schema.get(name)) for name in _PLAIN}
    missed = {
        name: _entry(name, schema[name]).is_not_null() & typed[name].is_null()
        for name in _PLAIN
        # What has its type already misses nothing.
        if name in schema and COLUMNS[name] not in (pl.String, schema[name])
    }
    unread = [times.pop(f"_{name.removesuffix('_at')}_unread") for name in TIMES]
    unread += [mark for name, mark in missed.items() if name not in CHOICES]
    unknown = {f"_{name}_unknown": missed.get(name, pl.lit(False)) for name in CHOICES}
    if zone is None:
        times["_stop_twice"] = clocks_may_change(times["start_at"], times["stop_at"])
    rows = table.with_row_index("_row", offset=1).with_columns(
        **typed, **times, **unknown, _unread=pl.any_horizontal(unread)
    )
    day = pl.coalesce("_start_wall", "_stop_wall").dt.date()
    bare = [name for name in TIMES if name in schema and zone_of(schema[name]) is None]
    return Intake(rows.with_columns(_service_day=day), schema.names(), bare, zone)


def _require(schema: pl.Schema) -> None:
    missing = [name for name in REQUIRED if name not in schema]
    if missing:
        known = any(name in COLUMNS for name in schema)
        held = f"it has {', '.join(map(repr, schema))}" if known else f"it has {len(schema)} others"
        raise InputError(
            f"The table has no column {' and no column '.join(map(repr, missing))}; {held}. "
            f"Rename the columns that hold them, or read the file with "
            f"read_administrations(path, columns={{...}})."
        )
    ours = [name for name in schema if name.startswith("_")]
    if ours:
        raise InputError(
            f"Names that begin with an underscore are kept for the toolkit; the table has "
            f"{', '.join(map(repr, ours))}. Rename them."
        )
    for name in _PLAIN:
        if name in schema and not _usable(COLUMNS[name], schema[name]):
            raise InputError(
                f"Column '{name}' holds {schema[name]} values; it must hold "
                f"{_HOLDS[COLUMNS[name].base_type()]}. Convert it, or leave it out."
            )


_HOLDS = {
    pl.String: "text or whole numbers",
    pl.Enum: "one of its known answers as text",
    pl.Float64: "numbers",
    pl.Int64: "whole numbers",
    pl.Boolean: "true or false",
}


def _usable(wanted: pl.DataType, held: pl.DataType) -> bool:
    if held in _TEXTUAL or held == pl.Null or held == wanted:
        return True
    if wanted == pl.String:
        return held.is_numeric()
    return held.is_numeric() and wanted in (pl.Float64, pl.Int64)


def _entry(name: str, held: pl.DataType) -> pl.Expr:
    """The entry as it stands: text without blanks at its ends, blank text and NaN as none."""
    if held in _TEXTUAL:
        text = pl.col(name).cast(pl.String).str.strip_chars()
        return pl.when(text != "").then(text)
    if held.is_float() and name not in AMOUNTS:
        return pl.col(name).fill_nan(None)
    return pl.col(name)


def _typed(name: str, held: pl.DataType | None) -> pl.Expr:
    wanted = COLUMNS[name]
    if held is None:
        return pl.lit("subcutaneous" if name == "route" else None, dtype=wanted)
    if held == pl.Null:
        return pl.lit(None, dtype=wanted).alias(name)
    entry = _entry(name, held)
    if held == wanted and held != pl.String:
        return pl.col(name)
    if name in CHOICES:
        entry = entry.str.to_lowercase()
    elif wanted == pl.Boolean and held in _TEXTUAL:
        entry = entry.str.to_lowercase().replace_strict(_truths(), default=None)
    elif wanted == pl.Int64:
        entry = entry.cast(pl.Float64, strict=False)
        entry = pl.when(entry == entry.floor()).then(entry)
    elif wanted == pl.String and held.is_float():
        entry = entry.cast(pl.String).str.replace(r"\.0$", "")
    elif held in _TEXTUAL:
        entry = entry.cast(pl.String)
    return entry.cast(wanted, strict=False).alias(name)


def _truths() -> dict[str, bool]:
    answers = read_table("vocabulary")["answers"]["truth"]
    return {
        word.lower(): answer == "true"
        for answer, words in answers.items()
        for word in (answer, *words)
    }
