"""What the lines of a claim are allowed, under whose terms, and why.

Pricing works on a small table of its own (line number, encounter, day, code, units, place,
charge) and adds its answer to the lines by their number, so that no column of the user's is
touched, whatever its name.
"""

import difflib

import polars as pl

from subq_toolkit.coding import Coded
from subq_toolkit.encounter import EncounterResult
from subq_toolkit.errors import InputError
from subq_toolkit.fees.contract_lines import contract_lines
from subq_toolkit.fees.contracts import Contract
from subq_toolkit.fees.money import USD, exact, to_cents
from subq_toolkit.fees.outpatient import outpatient_lines
from subq_toolkit.fees.physician import physician_rates
from subq_toolkit.fees.schedules import AS_CHARTED, Outpatient, Physician, check_locality
from subq_toolkit.fees.tables import FeeTables, bundled_tables
from subq_toolkit.planning import Plan

Schedule = Physician | Outpatient | Contract
_ADDED = ("rate_usd", "allowed_usd", "status", "schedule", "basis", "cite")
#: Columns that are needed, and what they hold.
_NEEDED = {
    "encounter_id": "text or whole numbers",
    "service_date": "dates",
    "code": "text",
    "units": "whole numbers",
}
_KNOWN = (
    pl.all_horizontal(pl.col(name).is_not_null() for name in ("service_date", "code", "units"))
    & (pl.col("units") >= 0)
    & (pl.col("_charge").is_null() | (pl.col("_charge") >= 0))
)


def price(
    lines: pl.DataFrame | pl.LazyFrame | Plan | EncounterResult | Coded,
    *,
    schedule: str | Schedule = "mpfs",
    locality: str | None = None,
    wage_index: float | str | None = None,
    apm: bool = False,
    tables: FeeTables | None = None,
) -> pl.LazyFrame:
    """Add to each line what it is allowed; nothing is computed until it is collected.

    Parameters
    ----------
    lines
        ``encounter_id, service_date, code, units``, as ``Coded.lines`` has them; or a plan, a
        coded encounter or a coded table, whose lines are taken. A line with a
        ``revenue_code`` is a facility's. ``charge_usd`` is what was charged for the line [USD].
    schedule
        ``mpfs`` (physician fee schedule), ``opps`` (hospital outpatient), or a ``Physician``,
        ``Outpatient`` or ``Contract`` with terms of its own.
    locality, apm
        For ``mpfs``: MAC and locality, e.g. ``15202-00``, None for the national amount; and
        whether the practitioner is in an alternative payment model.
    wage_index
        For ``opps``: of the hospital's area, a number [1] or a name; 1 by default.
    tables
        The dated figures to look up; the bundled ones by default.

    Returns
    -------
    pl.LazyFrame
        ``lines`` in their order with ``rate_usd`` (one unit) and ``allowed_usd`` [USD], null
        where no figure is known; ``status`` (``paid``, ``packaged``: zero beside another line,
        ``not_paid``: zero under this schedule, ``missing``); ``schedule``; ``basis`` (the
        arithmetic); ``cite``, where ``cite_code`` is the source of the code that ``lines``
        brought. Priced again, the columns are replaced.

    Raises
    ------
    InputError
        If a column is missing or of a wrong type, or for an unknown schedule, locality or area
        (with the nearest names).
    """
    terms = _terms(schedule, locality=locality, wage_index=wage_index, apm=apm)
    given = _table_of(lines)
    schema = given.collect_schema()
    _check_columns(schema)
    if getattr(terms, "locality", None) == AS_CHARTED and "locality" not in schema:
        raise InputError(
            "The lines have no column 'locality'. Join it from the encounters, or state "
            "one locality."
        )
    number = _free_name("line", schema)
    given = _without_older_prices(given, schema).with_row_index(number).cache()
    priced = _priced(_own_table(given, schema, number), terms, tables or bundled_tables())
    answer = priced.select(
        "_line",
        pl.col("rate_usd", "allowed_usd").cast(USD),
        "status",
        pl.lit(terms.name).alias("schedule"),
        "basis",
        "cite",
    )
    return (
        given.join(answer, left_on=number, right_on="_line", how="left").sort(number).drop(number)
    )


def _terms(
    schedule: str | Schedule, *, locality: str | None, wage_index: float | str | None, apm: bool
) -> Schedule:
    if isinstance(schedule, Physician | Outpatient | Contract):
        if locality is not None or wage_index is not None or apm:
            raise InputError(
                "'locality', 'wage_index' and 'apm' belong to 'mpfs' and 'opps'; state them in the "
                "Physician(...) or Outpatient(...) that is handed in as 'schedule'."
            )
        return schedule
    if schedule == "mpfs" and wage_index is None:
        return Physician(locality=locality, apm=apm)
    if schedule == "opps" and locality is None and not apm:
        return Outpatient(wage_index=1 if wage_index is None else wage_index)
    if schedule in ("mpfs", "opps"):
        raise InputError(
            "'locality' and 'apm' belong to schedule='mpfs', 'wage_index' to schedule='opps'."
        )
    near = difflib.get_close_matches(str(schedule), ("mpfs", "opps"), n=1)
    meant = f" Did you mean '{near[0]}'?" if near else ""
    raise InputError(
        f"'schedule' is 'mpfs', 'opps', or a Physician, Outpatient or Contract.{meant}"
    )


def _table_of(given: object) -> pl.LazyFrame:
    """The lines of a plan, a coded encounter or a coded table; a frame as it is."""
    if isinstance(given, Plan):
        given = given.coded
    if isinstance(given, EncounterResult | Coded):
        given = given.lines
    if not isinstance(given, pl.DataFrame | pl.LazyFrame):
        raise InputError(
            f"Hand in the lines as a Polars DataFrame or LazyFrame, e.g. coded.lines; this is a "
            f"{type(given).__name__}."
        )
    return given.lazy()


def _check_columns(schema: pl.Schema) -> None:
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


def _free_name(name: str, schema: pl.Schema) -> str:
    while name in schema:
        name = f"{name}_"
    return name


def _without_older_prices(given: pl.LazyFrame, schema: pl.Schema) -> pl.LazyFrame:
    """The lines as they were before they were priced, the source of their code kept apart."""
    priced = "schedule" in schema and "basis" in schema
    older = [name for name in _ADDED if name in schema and (priced or name != "cite")]
    given = given.drop(older)
    return given.rename({"cite": "cite_code"}) if "cite" in schema and not priced else given


def _own_table(given: pl.LazyFrame, schema: pl.Schema, number: str) -> pl.LazyFrame:
    facility = pl.lit(False)
    if "revenue_code" in schema:
        facility = (pl.col("revenue_code").cast(pl.String).str.strip_chars() != "").fill_null(False)
    charge = pl.col("charge_usd") if "charge_usd" in schema else pl.lit(None)
    place = pl.col("locality").cast(pl.String) if "locality" in schema else pl.lit(None, pl.String)
    return given.select(
        pl.col(number).alias("_line"),
        pl.col("encounter_id").cast(pl.String),
        pl.col("service_date").cast(pl.Date),
        pl.col("code").cast(pl.String),
        pl.col("units").cast(pl.Int64),
        facility.alias("_facility"),
        charge.cast(pl.Decimal(18, 4), strict=False).alias("_charge"),
        place.alias("_charted_locality"),
    )


def _priced(rows: pl.LazyFrame, terms: Schedule, tables: FeeTables) -> pl.LazyFrame:
    """``_line`` with the answer; a line of which something is not known is missing."""
    known = rows.filter(_KNOWN)
    if isinstance(terms, Physician):
        priced = _by_physician(known, terms, tables)
    elif isinstance(terms, Outpatient):
        priced = outpatient_lines(known, terms, tables)
    else:
        base = _priced(known, terms.medicare, tables)
        names = {"allowed_usd": "_medicare_usd", "status": "_medicare_status"}
        medicare = base.select("_line", *names, pl.col("basis").alias("_medicare_basis"))
        priced = contract_lines(known.join(medicare.rename(names), on="_line", how="left"), terms)
    answers = ["_line", "rate_usd", "allowed_usd", "status", "basis", "cite"]
    unknown = rows.filter(~_KNOWN.fill_null(False)).select(
        "_line",
        rate_usd=pl.lit(None, USD),
        allowed_usd=pl.lit(None, USD),
        status=pl.lit("missing"),
        basis=pl.lit(
            "the date of service, the code or the units are not known, or units or charge are "
            "below zero"
        ),
        cite=pl.lit(None, pl.String),
    )
    usd = pl.col("rate_usd", "allowed_usd").cast(USD)
    return pl.concat([priced.select(answers).with_columns(usd), unknown])


def _by_physician(rows: pl.LazyFrame, terms: Physician, tables: FeeTables) -> pl.LazyFrame:
    places = {"office": pl.lit(False), "facility": pl.lit(True)}
    by = ["code", "service_date", "_facility", "_locality"]
    rows = rows.with_columns(
        _facility=places.get(terms.place, pl.col("_facility")), _locality=_locality(rows, terms)
    )
    check_locality(terms.locality if terms.locality != AS_CHARTED else None, tables)
    codes = rows.select(by).unique().rename({"_facility": "facility", "_locality": "locality"})
    rates = physician_rates(codes, terms, tables).rename(
        {"facility": "_facility", "locality": "_locality"}
    )
    free = pl.when(pl.col("status") == "not_paid").then(pl.lit(0, USD)).otherwise("rate_usd")
    priced = rows.join(rates.with_columns(rate_usd=free), on=by, how="left", nulls_equal=True)
    full = exact(pl.col("rate_usd")) * exact(pl.col("units"))
    lesser = exact(pl.col("_charge")) < full
    allowed = pl.when(lesser).then(exact(pl.col("_charge"))).otherwise(full)
    basis = pl.concat_str("basis", pl.lit("; the charge of the line is less"))
    return priced.with_columns(
        allowed_usd=to_cents(allowed), basis=pl.when(lesser).then(basis).otherwise("basis")
    )


def _locality(rows: pl.LazyFrame, terms: Physician) -> pl.Expr:
    if terms.locality != AS_CHARTED:
        return pl.lit(terms.locality, pl.String)
    return pl.col("_charted_locality").fill_null("not charted")
