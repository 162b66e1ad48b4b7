"""What each code earns by units, day and place under a scenario's terms, in whole cents.

A rate card is made by the same ``price`` that prices claims, on one small claim for every
number of further hours: so packaging and rounding by line are those of a real claim.
"""

from datetime import date
from functools import lru_cache

import polars as pl

from subq_toolkit.effective import read_parameters
from subq_toolkit.errors import InputError
from subq_toolkit.fees import Contract, FeeTables, Outpatient, Physician, bundled_tables, price
from subq_toolkit.scenarios.scenario import Scenario

_CODES = read_parameters("codes")
ROLES = ("first_hour", "further_hour", "further_setup", "short_infusion")
PLACES = ("hospital", "office", "home", "not_stated")
Terms = Physician | Outpatient | Contract | None


def rate_card(
    scenario: Scenario,
    days: tuple[date, ...],
    most_units: int,
    tables: FeeTables | None = None,
) -> pl.DataFrame:
    """Amounts by day, place, role and units.

    Parameters
    ----------
    scenario
        Whose terms; only ``hospital, office, home`` matter here.
    days
        The days to price.
    most_units
        The largest number of further hours. [1]
    tables
        The dated figures; the bundled ones by default.

    Returns
    -------
    pl.DataFrame
        ``day, place, role, units, code, cents`` (of the line beside the rest of its claim;
        null where no price is known), ``status, schedule, basis, cite``.
    """
    terms = {"hospital": scenario.hospital, "home": scenario.home}
    of_place = tuple(terms.get(place, scenario.office) for place in PLACES)
    return _card(of_place, days, most_units, tables or bundled_tables())


@lru_cache(maxsize=64)
def _card(
    of_place: tuple[Terms, ...], days: tuple[date, ...], most_units: int, tables: FeeTables
) -> pl.DataFrame:
    return pl.concat(
        _priced(one, days, most_units, tables).with_columns(place=pl.lit(place))
        for place, one in zip(PLACES, of_place, strict=True)
    )


@lru_cache(maxsize=256)
def _priced(
    terms: Terms, days: tuple[date, ...], most_units: int, tables: FeeTables
) -> pl.DataFrame:
    shown = ("day", "role", "units", "code", "cents", "status", "schedule", "basis", "cite")
    claims = _claims(days, most_units)
    if terms is None:
        unknown = {"status": "missing", "basis": "no terms are stated for this place"}
        unknown |= {"schedule": None, "cite": None}
        claims = claims.with_columns(
            pl.lit(text, pl.String).alias(n) for n, text in unknown.items()
        )
        priced = claims.with_columns(cents=pl.lit(None, pl.Int64))
    else:
        _check_case_rates(terms, claims)
        priced = price(claims, schedule=terms, tables=tables).collect(engine="in-memory")
        priced = priced.with_columns(cents=(pl.col("allowed_usd") * 100).cast(pl.Int64))
    return priced.select(shown).unique(["day", "role", "units"], keep="first", maintain_order=True)


def _check_case_rates(terms: Terms, claims: pl.DataFrame) -> None:
    """Refuse a case rate on a code that not every encounter has: it could not be told by code."""
    if not isinstance(terms, Contract):
        return
    further = claims.filter(pl.col("role").is_in(["further_hour", "further_setup"]))["code"]
    cased = terms.terms.filter(pl.col("method") == "case_rate")["code"]
    if wrong := sorted(set(cased) & set(further)):
        raise InputError(
            f"Contract {terms.name!r}: scenarios cannot count a case rate on {wrong[0]}, which not "
            f"every encounter has. State it for the first hour and for the short infusion."
        )


@lru_cache(maxsize=64)
def _claims(days: tuple[date, ...], most_units: int) -> pl.DataFrame:
    """Invented claims: a first hour beside a set-up, beside 1, 2 … further hours; a short one."""
    rows = []
    for day in days:
        code = {role: _CODES[role].on(day).value for role in ROLES}
        for further in range(most_units + 1):
            units = {"first_hour": 1, "further_hour": further} if further else {"first_hour": 1}
            units |= {} if further else {"further_setup": 1}
            rows += [(f"{day} {further}", day, role, n, code[role]) for role, n in units.items()]
        rows.append((f"{day} short", day, "short_infusion", 1, code["short_infusion"]))
    schema = {
        "encounter_id": pl.String,
        "service_date": pl.Date,
        "role": pl.String,
        "units": pl.Int64,
        "code": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(day="service_date")
