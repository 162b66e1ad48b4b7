"""What the lines of a claim are allowed, under whose terms, and why."""

import difflib

import polars as pl

from subq_toolkit.coding import Coded
from subq_toolkit.encounter import EncounterResult
from subq_toolkit.errors import InputError
from subq_toolkit.fees.contracts import Contract, contract_lines
from subq_toolkit.fees.money import USD, exact, to_cents
from subq_toolkit.fees.outpatient import outpatient_lines
from subq_toolkit.fees.physician import physician_rates
from subq_toolkit.fees.schedules import AS_CHARTED, Outpatient, Physician, check_locality
from subq_toolkit.fees.tables import FeeTables, bundled_tables
from subq_toolkit.planning import Plan

Schedule = Physician | Outpatient | Contract
_NEEDED = ("encounter_id", "service_date", "code", "units")
_ADDED = ("rate_usd", "allowed_usd", "status", "schedule", "basis", "cite")


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
        ``lines`` sorted by encounter, day and code, with ``rate_usd`` (one unit) and
        ``allowed_usd`` [USD], null where no figure is known; ``status`` (``paid``,
        ``packaged``: zero beside another line, ``not_paid``: zero under this schedule,
        ``missing``); ``schedule``; ``basis`` (the arithmetic); ``cite``, where ``cite_code`` is
        the source of the code that ``lines`` brought.

    Raises
    ------
    InputError
        If a column is missing, or for an unknown schedule, locality or area (with the nearest
        names).
    """
    terms = _terms(schedule, locality=locality, wage_index=wage_index, apm=apm)
    tables = tables or bundled_tables()
    rows = _prepared(lines)
    priced = _priced(rows, terms, tables)
    kept = [name for name in rows.collect_schema() if not name.startswith("_")]
    return (
        priced.with_columns(
            pl.col("rate_usd", "allowed_usd").cast(USD), schedule=pl.lit(terms.name)
        )
        .sort("_line")
        .select(*kept, *_ADDED)
    )


def _terms(
    schedule: str | Schedule, *, locality: str | None, wage_index: float | str | None, apm: bool
) -> Schedule:
    if not isinstance(schedule, str):
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
    near = difflib.get_close_matches(schedule, ("mpfs", "opps"), n=1)
    meant = f" Did you mean '{near[0]}'?" if near else ""
    raise InputError(
        f"'schedule' is 'mpfs', 'opps', or a Physician, Outpatient or Contract.{meant}"
    )


def _prepared(lines: pl.DataFrame | pl.LazyFrame) -> pl.LazyFrame:
    lines = _lines_of(lines)
    if not isinstance(lines, pl.DataFrame | pl.LazyFrame):
        raise InputError(
            f"Hand in the lines as a Polars DataFrame or LazyFrame, e.g. coded.lines; this is a "
            f"{type(lines).__name__}."
        )
    rows = lines.lazy()
    schema = rows.collect_schema()
    missing = [name for name in _NEEDED if name not in schema]
    if missing:
        raise InputError(
            f"The lines have no column {', '.join(map(repr, missing))}. Price coded.lines, or a "
            f"table with {', '.join(_NEEDED)}."
        )
    if "cite" in schema:
        rows = rows.rename({"cite": "cite_code"})
    rows = rows.drop(_ADDED, strict=False).with_row_index("_line")
    revenue = pl.col("revenue_code").is_not_null() if "revenue_code" in schema else pl.lit(False)
    charge = pl.col("charge_usd").cast(pl.Decimal(18, 4)) if "charge_usd" in schema else None
    return rows.with_columns(
        _facility=revenue, _charge=pl.lit(None, pl.Decimal(18, 4)) if charge is None else charge
    )


def _lines_of(given: object) -> object:
    """The lines of a plan, a coded encounter or a coded table; a frame as it is."""
    coded = getattr(given, "coded", given)
    return getattr(coded, "lines", given) if not hasattr(given, "lazy") else given


def _priced(rows: pl.LazyFrame, terms: Schedule, tables: FeeTables) -> pl.LazyFrame:
    if isinstance(terms, Physician):
        return _by_physician(rows, terms, tables)
    if isinstance(terms, Outpatient):
        return outpatient_lines(rows, terms, tables)
    base = _priced(rows, terms.medicare, tables)
    medicare = base.select("_line", _medicare_usd="allowed_usd")
    return contract_lines(rows.join(medicare, on="_line", how="left"), terms)


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
    allowed = exact(pl.col("rate_usd")) * exact(pl.col("units"))
    priced = rows.join(rates.with_columns(rate_usd=free), on=by, how="left", nulls_equal=True)
    return priced.with_columns(allowed_usd=_lesser(allowed))


def _locality(rows: pl.LazyFrame, terms: Physician) -> pl.Expr:
    if terms.locality != AS_CHARTED:
        return pl.lit(terms.locality, pl.String)
    if "locality" not in rows.collect_schema():
        raise InputError(
            "The lines have no column 'locality'. Join it from the encounters, or state "
            "one locality."
        )
    return pl.col("locality").cast(pl.String)


def _lesser(allowed: pl.Expr) -> pl.Expr:
    """The lesser of fee and charge, where the charge is known."""
    charged = pl.min_horizontal(allowed, exact(pl.col("_charge")))
    return to_cents(pl.when(allowed.is_not_null()).then(charged))
