"""Visits of the Medicare home infusion benefit for drugs under the skin: G0069 and G0089.

    day = 96369 + further hours × 96370 of the national physician schedule

once a patient and day, on a day on which a professional is in the home while at least 15
minutes run through a pump. Any adjustment for the area, and what a first visit pays more, are
not on record: the first is left out, the second is a missing price.
"""

import polars as pl

from subq_toolkit.conditions import says
from subq_toolkit.errors import InputError
from subq_toolkit.fees.money import USD, exact, to_cents
from subq_toolkit.fees.physician import physician_rates
from subq_toolkit.fees.rules import rule, rule_cite
from subq_toolkit.fees.schedules import Physician
from subq_toolkit.fees.tables import FeeTables, bundled_tables

_FIRST, _LATER = "G0089", "G0069"
_HOURS = ("96369", "96370")
_RULES = ("home_visit_at_least_min", "home_visit_further_hours", "home_visit_new_after_days")
_LEAST, _FURTHER, _AFTER = (pl.col(f"_{name}") for name in _RULES)
_NEEDED = {
    "patient_id": lambda kind: kind == pl.String or kind.is_integer(),
    "service_date": lambda kind: kind == pl.Date,
    "infusion_min": lambda kind: kind.is_numeric(),
    "professional_present": lambda kind: kind == pl.Boolean,
}


def home_visits(
    visits: pl.DataFrame | pl.LazyFrame, *, tables: FeeTables | None = None
) -> pl.LazyFrame:
    """Say of each visit under which code it is reported, and what the day pays.

    Parameters
    ----------
    visits
        ``patient_id``; ``service_date``; ``infusion_min``, through a pump, under the skin
        [min]; ``professional_present``, in the home meanwhile; and, if known, ``discharged``:
        whether the patient was discharged from the service before this visit.
    tables
        The dated figures; the bundled ones by default.

    Returns
    -------
    pl.LazyFrame
        ``visits`` in their order with ``code`` (null where no visit is reported),
        ``allowed_usd`` [USD], ``status`` (``paid``, ``packaged``: another visit of the day is
        paid, ``not_paid``, ``missing``), ``basis`` and ``cite``. A first visit is one that no
        other in the table precedes, or that follows a discharge and more than 60 days without.

    Raises
    ------
    InputError
        If a column is missing or of a wrong type.
    """
    tables = tables or bundled_tables()
    rows = _checked(visits).with_row_index("_line")
    days = rows.select("service_date").unique().with_columns(
        **{f"_{name}": rule(tables, name) for name in _RULES}, **_hours(rows, tables)
    )  # fmt: skip
    rows = rows.join(days, on="service_date", how="left").sort("_line")
    fits = pl.col("professional_present") & (pl.col("infusion_min") >= _LEAST)
    rows = rows.with_columns(_fits=fits)
    counted = pl.when("_fits").then(pl.struct("patient_id", "service_date"))
    rows = rows.with_columns(_day=counted.is_first_distinct() & fits)
    rows = _with_gap(rows)
    again = pl.col("discharged").fill_null(False) & (pl.col("_gap") > _AFTER)
    first = pl.col("_gap").is_null() | again
    amount = to_cents(exact(pl.col("_96369")) + exact(_FURTHER) * exact(pl.col("_96370")))
    why = _why(first, amount)
    status = why.struct.field("status")
    code = pl.when(first).then(pl.lit(_FIRST)).otherwise(pl.lit(_LATER))
    free = pl.when(status.is_in(["packaged", "not_paid"])).then(pl.lit(0, USD))
    cite = "; ".join(rule_cite(tables, name) for name in _RULES)
    return rows.with_columns(
        code=pl.when("_day").then(code),
        allowed_usd=pl.when(status == "paid").then(amount.cast(USD)).otherwise(free),
        status=status,
        basis=why.struct.field("basis"),
        cite=pl.lit(cite),
    ).select(pl.exclude("^_.*$"))


def _checked(visits: object) -> pl.LazyFrame:
    if not isinstance(visits, pl.DataFrame | pl.LazyFrame):
        raise InputError(f"Hand in the visits as a Polars table, not a {type(visits).__name__}.")
    schema = visits.lazy().collect_schema()
    for name, fits in _NEEDED.items():
        if name not in schema or not fits(schema[name]):
            held = f"holds {schema[name]} values" if name in schema else "is missing"
            raise InputError(
                f"Visits: column '{name}' {held}. It takes patient_id (text), service_date "
                f"(dates), infusion_min (numbers) and professional_present (true or false)."
            )
    rows = visits.lazy()
    return (
        rows if "discharged" in schema else rows.with_columns(discharged=pl.lit(None, pl.Boolean))
    )


def _hours(rows: pl.LazyFrame, tables: FeeTables) -> dict[str, pl.Expr]:
    """National amounts of the hours that a day is built on, by day of service. [USD]"""
    days = rows.select("service_date").unique().collect()["service_date"].drop_nulls()
    codes = pl.LazyFrame({"service_date": days}).join(
        pl.LazyFrame({"code": list(_HOURS)}), how="cross"
    )
    asked = codes.with_columns(facility=pl.lit(False), locality=pl.lit(None, pl.String))
    rates = physician_rates(asked, Physician(), tables).collect()
    day = pl.col("service_date")
    return {
        f"_{code}": day.replace_strict(
            dict(rates.filter(code=code).select("service_date", "rate_usd").rows()),
            default=None,
            return_dtype=USD,
        )
        for code in _HOURS
    }


def _with_gap(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Days since the patient's last paid day; null where none in the table precedes. [d]"""
    days = rows.filter("_day").select("patient_id", "service_date").sort("service_date")
    before = pl.col("service_date").shift().over("patient_id")
    gaps = days.with_columns(_gap=(pl.col("service_date") - before).dt.total_days())
    return rows.join(gaps, on=["patient_id", "service_date"], how="left", maintain_order="left")


def _why(first: pl.Expr, amount: pl.Expr) -> pl.Expr:
    """Status and reason of a visit; the first case that holds."""
    sums = says("96369 {} + {} × 96370 {}, national", pl.col("_96369"), _FURTHER, pl.col("_96370"))
    cases = [
        (_LEAST.is_null(), "missing", pl.lit("no rule of this benefit is on record for the day")),
        (pl.col("_fits").is_null(), "missing", pl.lit("minutes or presence are not known")),
        (~pl.col("professional_present"), "not_paid", pl.lit("no professional in the home")),
        (~pl.col("_fits"), "not_paid", says("less than {} min", _LEAST)),
        (~pl.col("_day"), "packaged", pl.lit("one payment a patient and day")),
        (amount.is_null(), "missing", pl.lit("no amount of its hours is on record for the day")),
        (first, "missing", says("what a first visit pays is not on record; later ones {}", sums)),
    ]
    basis, status = sums, pl.lit("paid")
    for holds, one, why in reversed(cases):
        status = pl.when(holds).then(pl.lit(one)).otherwise(status)
        basis = pl.when(holds).then(why).otherwise(basis)
    return pl.struct(status=status, basis=basis)
