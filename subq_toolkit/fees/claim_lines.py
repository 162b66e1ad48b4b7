"""The lines of a claim as pricing needs them: taken from whom, and what they must hold."""

import polars as pl

from subq_toolkit.coding import Coded
from subq_toolkit.encounter import EncounterResult
from subq_toolkit.errors import InputError
from subq_toolkit.planning import Plan

_ADDED = ("rate_usd", "allowed_usd", "status", "schedule", "basis", "cite")
#: Columns that are needed, and what they hold.
_NEEDED = {
    "encounter_id": "text or whole numbers",
    "service_date": "dates",
    "code": "text",
    "units": "whole numbers",
}


def table_of(given: object) -> pl.LazyFrame:
    """The lines of a plan, a coded encounter or a coded table; a frame as it is."""
    if isinstance(given, Plan):
        given = given.coded
    if isinstance(given, Coded) and "setting" in given.encounters.collect_schema():
        settings = given.encounters.select("encounter_id", "setting")
        return given.lines.join(settings, on="encounter_id", how="left", maintain_order="left")
    if isinstance(given, EncounterResult | Coded):
        given = given.lines
    if not isinstance(given, pl.DataFrame | pl.LazyFrame):
        raise InputError(
            f"Hand in the lines as a Polars DataFrame or LazyFrame, e.g. coded.lines; this is a "
            f"{type(given).__name__}."
        )
    return given.lazy()


def check_columns(schema: pl.Schema) -> None:
    """Refuse lines that lack a column, or hold another type in it."""
    missing = [name for name in _NEEDED if name not in schema]
    if missing:
        raise InputError(
            f"The lines have no column {', '.join(map(repr, missing))}. Price coded.lines, or a "
            f"table with {', '.join(_NEEDED)}."
        )
    fitting = {
        "encounter_id": schema["encounter_id"] == pl.String or schema["encounter_id"].is_integer(),
        "service_date": schema["service_date"] == pl.Date,
        "code": isinstance(schema["code"], pl.String | pl.Categorical | pl.Enum),
        "units": schema["units"].is_integer(),
        "charge_usd": schema.get("charge_usd", pl.Float64()).is_numeric(),
    }
    for name, fits in fitting.items():
        if not fits and schema[name] != pl.Null:
            held = _NEEDED.get(name, "numbers, in USD")
            raise InputError(
                f"Column '{name}' holds {schema[name]} values; it must hold {held}. Convert it "
                f"before pricing."
            )


def free_name(name: str, schema: pl.Schema) -> str:
    """A name that no column of the user has."""
    while name in schema:
        name = f"{name}_"
    return name


def without_older_prices(given: pl.LazyFrame, schema: pl.Schema) -> pl.LazyFrame:
    """The lines as they were before they were priced, the source of their code kept apart."""
    priced = "schedule" in schema and "basis" in schema
    older = [name for name in _ADDED if name in schema and (priced or name != "cite")]
    given = given.drop(older)
    return given.rename({"cite": "cite_code"}) if "cite" in schema and not priced else given


def own_table(given: pl.LazyFrame, schema: pl.Schema, number: str) -> pl.LazyFrame:
    """What pricing works on: the line's number and what its amount depends on."""
    facility = pl.lit(False)
    if "revenue_code" in schema:
        facility = (pl.col("revenue_code").cast(pl.String).str.strip_chars() != "").fill_null(False)
    charge = pl.col("charge_usd") if "charge_usd" in schema else pl.lit(None)
    home = (pl.col("setting").cast(pl.String) == "home") if "setting" in schema else pl.lit(False)
    place = pl.col("locality").cast(pl.String) if "locality" in schema else pl.lit(None, pl.String)
    return given.select(
        pl.col(number).alias("_line"),
        pl.col("encounter_id").cast(pl.String),
        pl.col("service_date").cast(pl.Date),
        pl.col("code").cast(pl.String).str.strip_chars(),
        pl.col("units").cast(pl.Int64),
        facility.alias("_facility"),
        home.fill_null(False).alias("_home"),
        charge.cast(pl.Decimal(18, 4), strict=False).alias("_charge"),
        place.alias("_charted_locality"),
    )
