"""Lines of the drugs beside an infusion: billed units, discarded amounts, payment limits.

    units = dose / what one unit of the code is, rounded up to a whole unit
    line  = limit of the quarter × units, not adjusted by wages

What is discarded of a single-dose vial has a line of its own with JW, in whole units rounded down;
where nothing is left beyond the last unit, the line of the dose has JZ. A drug that is packaged
or not covered has neither.
"""

import polars as pl

from subq_toolkit.conditions import says
from subq_toolkit.effective import sources
from subq_toolkit.errors import InputError
from subq_toolkit.fees.money import exact, to_cents
from subq_toolkit.fees.rules import FACTOR, constant, rule
from subq_toolkit.fees.tables import FeeTables, bundled_tables, on_the_day
from subq_toolkit.formulas import Amount, Positive, Value, down, formula, up
from subq_toolkit.planning import Plan

_PAID = {"opps": ("K", "K1", "G"), "office": ("K", "G")}
_PACKAGED, _NOT_PAID = "N", ("E1", "E2")
_MG_IN = {"mg": 1.0, "g": 1000.0, "mcg": 0.001}
_UNIT = ("unit_amount", "unit", "unit_standing")
_COLUMNS = ("encounter_id", "service_date", "code", "modifier", "units", "rate_usd")
_COLUMNS += ("copay_per_unit_usd", "allowed_usd", "status", "basis", "cite")
_AMOUNTS = ("dose_mg", "dose_amount", "discarded_amount")
_TYPES = {"service_date": pl.Date, "single_dose": pl.Boolean, "hcpcs": pl.String}
_ROUNDED_UP = pl.lit(sources()["pay-units-mmp"].cite("single source"))
_ROUNDED_DOWN = pl.lit(sources()["pay-waste-ngs"].cite("single source"))
_MODIFIERS = pl.lit(
    sources()["pay-jz-cgs"].cite("single source")
    + "; "
    + sources()["pay-jz-noridian"].cite("inferred")
)
_SI, _UNITS, _LIMIT = pl.col("si"), pl.col("units"), pl.col("limit_usd")
_DOSE, _DISCARDED, _JW_UNITS = pl.col("_dose"), pl.col("_discarded"), pl.col("_jw_units")


@formula
def hcpcs_units(*, amount: Amount, unit_size: Positive) -> Value:
    """Units billed for an amount: amount / what one unit is, up to the next whole unit. [1]

    Both are in the same unit. At 100 mg a unit, 1600 mg are 16 units and 1601 mg are 17.
    """
    return up(amount / unit_size)


def drug_lines(
    doses: pl.DataFrame | pl.LazyFrame, *, setting: str = "opps", tables: FeeTables | None = None
) -> pl.LazyFrame:
    """Bill and price doses of drugs; nothing is computed until it is collected.

    Parameters
    ----------
    doses
        ``encounter_id, service_date, hcpcs``; the dose as ``dose_mg`` [mg], or as ``dose_amount``
        in ``dose_unit`` (``mg, g, mcg``, or the unit of the code, e.g. ``units``);
        ``discarded_amount`` in the same unit (null or absent: not stated); ``single_dose``,
        whether the vial is one (null or absent: not known).
    setting
        ``opps`` (hospital outpatient), or ``office``: there the limits of status K are taken
        too, as ``inferred``, and any other drug is ``missing``, since no office file is known.
    tables
        The dated figures to look up; the bundled ones by default.

    Returns
    -------
    pl.LazyFrame
        In the order of the doses ``encounter_id, service_date, code, modifier`` (``JW, JZ`` or
        null), ``units`` [1]; ``rate_usd`` and ``copay_per_unit_usd`` (null unless lowered below
        the usual share) [USD per unit, digits as published]; ``allowed_usd`` [USD]; ``status``
        (``paid, packaged, not_paid, missing``), ``basis`` and ``cite``.

    Raises
    ------
    InputError
        For an unknown setting, and for a column that is missing, stated twice or of a wrong type.
    """
    if setting not in _PAID:
        raise InputError(f"'setting' is one of {', '.join(map(repr, _PAID))}; another was given.")
    rows = _with_limits(_prepared(doses), tables or bundled_tables())
    rows = _with_units(rows, tables or bundled_tables(), office=setting == "office")
    apart = rows.filter(_JW_UNITS > 0).with_columns(units=_JW_UNITS, modifier=pl.lit("JW"))
    lines = pl.concat([rows.with_columns(_jw=False), apart.with_columns(_jw=True)])
    return _priced(lines, setting).sort("_line", "_jw").select(_COLUMNS)


def drug_line_of_plan(
    plan: Plan, hcpcs: str | None = None, *, setting: str = "opps", tables: FeeTables | None = None
) -> pl.LazyFrame:
    """The drug line of a planned infusion, as ``drug_lines`` returns it; vials are not known.

    ``hcpcs`` is by default the code of the product, if it has exactly one.

    Raises
    ------
    InputError
        If the product has no code of its own or several, or the dose in mg is not known.
    """
    name, own = plan.product["name"], (plan.product["hcpcs"] or "").split(";")
    if hcpcs is None and (len(own) > 1 or not own[0]):
        raise InputError(f"{name} has not exactly one HCPCS code of its own. State 'hcpcs'.")
    if plan.amounts.dose_mg is None:
        raise InputError("The plan has no dose. Plan with 'concentration_mg_per_ml' [mg/mL].")
    dose = {"encounter_id": "plan", "service_date": plan.prescription.start_at.date()}
    dose |= {"hcpcs": hcpcs or own[0], "dose_mg": float(plan.amounts.dose_mg)}
    return drug_lines(pl.DataFrame([dose]), setting=setting, tables=tables)


def _prepared(doses: pl.DataFrame | pl.LazyFrame) -> pl.LazyFrame:
    if not isinstance(doses, pl.DataFrame | pl.LazyFrame):
        raise InputError(f"Hand in the doses as a Polars table; this is a {type(doses).__name__}.")
    rows, schema = doses.lazy(), doses.lazy().collect_schema()
    _check_columns(schema)
    if "dose_mg" in schema:
        rows = rows.with_columns(dose_amount="dose_mg", dose_unit=pl.lit("mg"))
    absent = {"discarded_amount", "single_dose"} - schema.keys()
    rows = rows.with_columns(pl.lit(None).alias(name) for name in absent).with_row_index("_line")
    return rows.select(
        *("_line", "encounter_id", pl.col("service_date").cast(pl.Date)),
        code=pl.col("hcpcs").cast(pl.String).str.strip_chars().str.to_uppercase(),
        _dose=pl.col("dose_amount").cast(pl.Float64),
        _in=pl.col("dose_unit").cast(pl.String).str.strip_chars().str.to_lowercase(),
        _discarded=pl.col("discarded_amount").cast(pl.Float64),
        _single=pl.col("single_dose").cast(pl.Boolean),
    )


def _check_columns(schema: pl.Schema) -> None:
    dose = ["dose_mg"] if "dose_mg" in schema else ["dose_amount", "dose_unit"]
    missing = [one for one in ("encounter_id", "service_date", "hcpcs", *dose) if one not in schema]
    if missing or {"dose_mg", "dose_amount"} <= schema.keys():
        fault = f"have no column {', '.join(missing)}" if missing else "state the dose twice"
        raise InputError(
            f"The doses {fault}. They need encounter_id, service_date, hcpcs, and the dose either "
            f"as 'dose_mg' [mg] or as 'dose_amount' with 'dose_unit'."
        )
    for name, found in schema.items():
        right = found.is_numeric() if name in _AMOUNTS else found == _TYPES.get(name, found)
        if not right and found != pl.Null:
            wanted = _TYPES.get(name, "a number")
            raise InputError(f"'{name}' is {wanted}, not {found}. Convert the column first.")


def _with_limits(rows: pl.LazyFrame, tables: FeeTables) -> pl.LazyFrame:
    """Status and limit on the day; the unit also on a day for which no limit is on record."""
    table = tables["drug_limits"].rename({"hcpcs": "code"})
    keep = ["si", "limit_usd", "copay_usd", "cite", *_UNIT]
    found = on_the_day(rows, table, by=["code"], keep=keep)
    latest = table.sort("start").unique("code", keep="last").select("code", *_UNIT).lazy()
    return found.join(latest, on="code", how="left", suffix="_latest").with_columns(
        pl.coalesce(name, f"{name}_latest") for name in _UNIT
    )


def _with_units(rows: pl.LazyFrame, tables: FeeTables, *, office: bool) -> pl.LazyFrame:
    """Units of the dose, and of what was discarded where JW or JZ has to be decided."""
    given, unit, size = pl.col("_in"), pl.col("unit"), pl.col("unit_amount").cast(pl.Float64)
    mg = given.replace_strict(_MG_IN, default=None, return_dtype=pl.Float64)
    factor = pl.when(given == unit).then(1.0).when(unit == "mg").then(mg)
    apart = pl.lit(office) | ~_SI.is_in([_PACKAGED, *_NOT_PAID]).fill_null(False)
    rows = rows.with_columns(_DOSE * factor, _DISCARDED * factor, _factor=factor, _apart=apart)
    rows = rows.with_columns(units=hcpcs_units(amount=_DOSE, unit_size=size))
    decided = pl.col("_apart") & pl.col("_single") & (_DISCARDED >= 0) & (_UNITS > 0)
    rows = rows.with_columns(
        _jw_units=pl.when(decided).then(down(_DISCARDED / size)),
        _within=up((_DOSE + _DISCARDED) / size) == _UNITS,
    )
    none_left = (_JW_UNITS == 0) & pl.col("_within") & rule(tables, "jz_required").is_not_null()
    return rows.with_columns(modifier=pl.when(none_left).then(pl.lit("JZ")))


def _priced(lines: pl.LazyFrame, setting: str) -> pl.LazyFrame:
    verdicts, status = _verdicts(setting), pl.col("status")
    became = pl.coalesce(pl.when(when).then(pl.lit(one)) for when, one, _ in verdicts)
    why = pl.coalesce(pl.when(when).then(text) for when, _, text in verdicts)
    nothing = pl.when(status.is_in(["packaged", "not_paid"])).then(constant(0))
    rate = pl.when(status == "paid").then(_LIMIT.cast(FACTOR)).otherwise(nothing)
    return lines.with_columns(status=became).with_columns(
        rate_usd=rate,
        copay_per_unit_usd=pl.when(status == "paid").then("copay_usd"),
        allowed_usd=to_cents(exact(rate) * exact(_UNITS)),
        basis=pl.concat_str(_counted(), why, _marked(), separator="; ", ignore_nulls=True),
        cite=_cite(setting),
    )


def _verdicts(setting: str) -> list[tuple[pl.Expr, str, pl.Expr]]:
    """When what becomes of a line, and why; the first that holds."""
    hospital, taken = pl.lit(setting == "opps"), " [inferred]" if setting == "office" else ""
    paid = says(f"× {{}} USD, status {{}}{taken}", _LIMIT.cast(pl.Decimal(18, 3)), _SI)
    return [
        (pl.col("unit").is_null(), "missing", says("no unit of this code is on record")),
        (pl.col("_factor").is_null(), "missing", says("the dose is not in the unit of this code")),
        (_UNITS.is_null(), "missing", says("the dose is not stated, or is no amount")),
        (_UNITS == 0, "not_paid", says("nothing was given")),
        (_SI.is_in(_PAID[setting]) & _LIMIT.is_not_null(), "paid", paid),
        (hospital & (_SI == _PACKAGED), "packaged", says("packaged (status {})", _SI)),
        (hospital & _SI.is_in(_NOT_PAID), "not_paid", says("not paid (status {})", _SI)),
        (hospital, "missing", says("no payment limit is on record for this code and day")),
        (pl.lit(True), "missing", says("no payment limit of an office is on record")),
    ]


def _counted() -> pl.Expr:
    unit, size, standing = map(pl.col, ("unit", "unit_amount", "unit_standing"))
    amount = pl.when("_jw").then("_discarded").otherwise("_dose").cast(pl.String)
    how = pl.when("_jw").then(pl.lit("discarded, rounded down")).otherwise(pl.lit("rounded up"))
    facts = (amount.str.strip_suffix(".0"), unit, size, unit, standing, how)
    return pl.when(_UNITS > 0).then(says("{} {} in units of {} {} ({}), {}", *facts))


def _marked() -> pl.Expr:
    cases = {
        "JZ: nothing was discarded beyond the last unit": pl.col("modifier") == "JZ",
        "what was discarded is on the line with JW": _JW_UNITS > 0,
        "JZ was not required yet": (_JW_UNITS == 0) & pl.col("_within"),
        "JW or JZ is open: part of a unit was discarded beyond the last one": _JW_UNITS == 0,
        "neither JW nor JZ: not paid apart": ~pl.col("_apart"),
        "neither JW nor JZ: no single-dose vial": ~pl.col("_single"),
        "JW or JZ is open: 'single_dose' or 'discarded_amount' is not stated": pl.lit(True),
    }
    return pl.coalesce(pl.when(_UNITS > 0, when).then(pl.lit(text)) for text, when in cases.items())


def _cite(setting: str) -> pl.Expr:
    units = {one: sources()["pay-hcpcs-2024"].cite(one) for one in ("verified", "single source")}
    units |= {"unverified": sources()["pay-memory"].cite("unverified")}
    office = pl.concat_str("cite", pl.lit(" (for an office: inferred)"))
    return pl.concat_str(
        pl.col("cite") if setting == "opps" else pl.when(pl.col("status") == "paid").then(office),
        pl.col("unit_standing").replace_strict(units, default=None),
        pl.when(_UNITS > 0).then(pl.when("_jw").then(_ROUNDED_DOWN).otherwise(_ROUNDED_UP)),
        pl.when(pl.col("modifier").is_not_null()).then(_MODIFIERS),
        separator="; ",
        ignore_nulls=True,
    )
