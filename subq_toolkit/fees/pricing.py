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
from subq_toolkit.fees.claim_lines import (
    check_columns,
    free_name,
    own_table,
    table_of,
    without_older_prices,
)
from subq_toolkit.fees.contract_lines import contract_lines
from subq_toolkit.fees.contracts import Contract
from subq_toolkit.fees.money import USD, exact, to_cents
from subq_toolkit.fees.outpatient import outpatient_lines
from subq_toolkit.fees.physician import physician_rates
from subq_toolkit.fees.schedules import AS_CHARTED, Outpatient, Physician, check_locality
from subq_toolkit.fees.tables import FeeTables, bundled_tables
from subq_toolkit.planning import Plan

Schedule = Physician | Outpatient | Contract
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
        ``revenue_code`` is a facility's; one with ``setting`` ``home`` is not an office's
        (a coded table brings the settings of its encounters). ``charge_usd`` is what was
        charged for the line [USD].
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
    given = table_of(lines)
    schema = given.collect_schema()
    check_columns(schema)
    if getattr(terms, "locality", None) == AS_CHARTED and "locality" not in schema:
        raise InputError(
            "The lines have no column 'locality'. Join it from the encounters, or state "
            "one locality."
        )
    number = free_name("line", schema)
    given = without_older_prices(given, schema).with_row_index(number).cache()
    priced = _priced(own_table(given, schema, number), terms, tables or bundled_tables())
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
    if not isinstance(apm, bool):
        raise InputError("'apm' is True or False.")
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


def _priced(rows: pl.LazyFrame, terms: Schedule, tables: FeeTables) -> pl.LazyFrame:
    """``_line`` with the answer; a line of which something is not known is missing."""
    rows = rows.with_columns(_why=_why_missing(terms))
    known = rows.filter(pl.col("_why").is_null()).drop("_why")
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
    unknown = rows.filter(pl.col("_why").is_not_null()).select(
        "_line",
        rate_usd=pl.lit(None, USD),
        allowed_usd=pl.lit(None, USD),
        status=pl.lit("missing"),
        basis="_why",
        cite=pl.lit(None, pl.String),
    )
    usd = pl.col("rate_usd", "allowed_usd").cast(USD)
    return pl.concat([priced.select(answers).with_columns(usd), unknown])


def _why_missing(terms: Schedule) -> pl.Expr:
    """Why a line cannot be priced; null if it can."""
    why = pl.when(~_KNOWN.fill_null(False)).then(
        pl.lit(
            "the date of service, the code or the units are not known, or units or charge are "
            "below zero"
        )
    )
    if isinstance(terms, Outpatient | Contract):
        why = why.when(pl.col("encounter_id").is_null()).then(
            pl.lit("the encounter is not known, and what stands beside the line decides")
        )
    if isinstance(terms, Physician) and terms.place == AS_CHARTED:
        why = why.when("_home").then(
            pl.lit("given at home, which is no office: state the terms of home infusion")
        )
    return why.otherwise(pl.lit(None, pl.String))


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
