"""The flat columns of an administration from the entries of one FHIR resource.

Each is one expression on a table of ``fhir_shape``. What is charted but cannot be read is null
and marked, so that the row is refused; what is not charted is just null.
"""

from datetime import datetime

import polars as pl

from subq_toolkit.readers.codings import (
    coded_answers,
    codes_of,
    coding_key,
    factors,
    in_unit,
    rate_factors,
    route_of,
    worded,
)
from subq_toolkit.readers.fhir_shape import BROKEN, ODD
from subq_toolkit.time_formats import FIRST_MOMENT, FORMATS, TimeReading

_FORMS = ("year-month-day hour:minute:second", "year-month-day hour:minute")
_EXACT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"
_OFFSET = r"(?:[Zz]|[+-]\d\d:?\d\d)$"
#: A later one cannot be told as a date in every zone.
_LAST_MOMENT = datetime(9999, 12, 31)
_PERIOD = pl.coalesce("effectivePeriod", "occurencePeriod")
_MOMENT = pl.coalesce("effectiveDateTime", "occurenceDateTime")
_DOSAGE = pl.col("dosage").struct


def flat(resources: pl.DataFrame, facility_zone: str) -> pl.DataFrame:
    """The columns of each resource, references unresolved as ``_<what>_ref``."""
    status = pl.col("status").str.strip_chars().str.to_lowercase()
    standing = status.replace_strict(codes_of("statuses"), default=None, return_dtype=pl.String)
    rows = resources.with_row_index("_n").with_columns(
        status=status, _standing=standing, **_said_of_route()
    )
    columns = {
        "administration_id": pl.col("id"),
        "status": pl.col("status"),
        "_standing": pl.col("_standing"),
        **_times(facility_zone),
        **_references(),
        **_route(),
        **_answers(),
        **_amounts(),
        "_modified": _modified(),
        "_r4": pl.any_horizontal(pl.col("^effective.*$").is_not_null()),
        "_r5": pl.any_horizontal(pl.col("^occurence.*$").is_not_null()),
        BROKEN: pl.col(BROKEN),
        ODD: pl.col(ODD),
    }
    named = rows.select("_n", **columns)
    for part in _contained(rows):
        named = named.join(part, on="_n", how="left", maintain_order="left")
    return named.drop("_n")


def moment(text: pl.Expr, facility_zone: str) -> pl.Expr:
    """Read a FHIR dateTime as local time; null for a date alone, or text that is no time.

    FHIR asks for an offset. A time without one is read as local, as in any other export.
    """
    exact = text.str.to_datetime("%+", strict=False, time_unit="us", time_zone="UTC")
    exact = pl.when(text.str.contains(_EXACT)).then(exact)
    exact = pl.when(exact.dt.replace_time_zone(None) >= FIRST_MOMENT).then(exact)
    forms = tuple(form for form in FORMATS if form.name in _FORMS)
    other = TimeReading(forms, facility_zone, untidy=True, midnights=False)
    rest = other.expr(pl.when(exact.is_null()).then(text))
    read = pl.coalesce(exact.dt.convert_time_zone(facility_zone), rest)
    return pl.when(read.dt.replace_time_zone(None) < _LAST_MOMENT).then(read)


def _times(zone: str) -> dict[str, pl.Expr]:
    start, end = pl.coalesce(_PERIOD.struct.field("start"), _MOMENT), _PERIOD.struct.field("end")
    running = (pl.col("_standing") == "running").fill_null(False)
    stop = pl.when(~running).then(end)
    start_at, stop_at = moment(start, zone), moment(stop, zone)
    bare = [one.str.contains("T") & ~one.str.contains(_OFFSET) for one in (start, stop)]
    return {
        "start_at": start_at,
        "stop_at": stop_at,
        "_start_missed": (start.is_not_null() & start_at.is_null())
        | (start.is_null() & pl.col("occurenceTiming").is_not_null()),
        "_stop_missed": stop.is_not_null() & stop_at.is_null(),
        "_end_unused": running & end.is_not_null(),
        "_moment_only": _PERIOD.struct.field("start").is_null() & _MOMENT.is_not_null(),
        "_without_offset": pl.any_horizontal(bare).fill_null(False),
        "_updated": moment(pl.col("meta").struct.field("lastUpdated"), zone),
    }


def _references() -> dict[str, pl.Expr]:
    medication = pl.col("medication").struct
    device = pl.col("device").list.get(0, null_on_oob=True).struct
    drug = pl.coalesce("medicationReference", medication.field("reference"))
    concept = pl.coalesce("medicationCodeableConcept", medication.field("concept"))
    return {
        **_reference("encounter", pl.coalesce("context", "encounter")),
        **_reference("patient", pl.col("subject")),
        **_reference("device", device.field("reference")),
        **_reference("drug", drug),
        "_drug_name": _name(concept),
        "_device_name": _name(device.field("concept")),
        "_several_devices": (pl.col("device").list.len() > 1).fill_null(False),
    }


def _reference(what: str, held: pl.Expr) -> dict[str, pl.Expr]:
    reference, identifier = held.struct.field("reference"), held.struct.field("identifier")
    return {
        f"_{what}_ref": reference.str.strip_chars(),
        f"_{what}_identifier": identifier.struct.field("value").str.strip_chars(),
        f"_{what}_display": held.struct.field("display").str.strip_chars(),
    }


def _name(concept: pl.Expr) -> pl.Expr:
    """How a concept is called: its text, else the first name, else the first code of a coding."""
    codings = concept.struct.field("coding")
    of_coding = (
        codings.list.eval(pl.element().struct.field(part).drop_nulls()).list.first()
        for part in ("display", "code")
    )
    text = pl.coalesce(concept.struct.field("text").str.strip_chars(), *of_coding)
    return pl.when(text != "").then(text)


def _said_of_route() -> dict[str, pl.Expr]:
    """What each part of the route and the method says, as columns of their own."""
    route, method = _DOSAGE.field("route").struct, _DOSAGE.field("method").struct
    shown = route.field("coding").list.eval(pl.element().struct.field("display"))
    return {
        "_by_code": coded_answers(route.field("coding"), "routes"),
        "_by_display": shown.list.eval(worded("route", pl.element())),
        "_by_text": worded("route", route.field("text")),
        "_by_method": coded_answers(method.field("coding"), "methods"),
        "_method_text": worded("route", method.field("text")),
    }


def _route() -> dict[str, pl.Expr]:
    """``route``: all that is understood of it must agree.

    A method that is an injection makes a subcutaneous route an injection.
    """
    route = _DOSAGE.field("route").struct
    codings, text = route.field("coding"), route.field("text").str.strip_chars()
    agreed = route_of([pl.col("_by_code"), pl.col("_by_display")], pl.col("_by_text"))
    injected = pl.any_horizontal(
        pl.col("_by_method").list.contains("injection").fill_null(False),
        (pl.col("_method_text") == "injection").fill_null(False),
    )
    charted = (codings.list.len() > 0).fill_null(False) | (text != "").fill_null(False)
    missed = charted & agreed.is_null()
    under_skin = (agreed == "subcutaneous") & injected
    return {
        "route": pl.when(under_skin).then(pl.lit("injection")).otherwise(agreed),
        "_route_missed": missed,
        "_route_keys": pl.when(missed).then(codings).list.eval(coding_key(pl.element())),
    }


def _answers() -> dict[str, pl.Expr]:
    """``mode``, ``delivery``, ``indication`` where their words say so; ``site`` and ``reason``."""
    method = _name(_DOSAGE.field("method"))
    of_r5 = pl.col("reason").list.get(0, null_on_oob=True).struct.field("concept")
    of_r4 = pl.col("reasonCode").list.get(0, null_on_oob=True)
    reason = pl.coalesce(_name(of_r4), _name(of_r5))
    return {
        "mode": worded("mode", method),
        "delivery": worded("delivery", method),
        "indication": worded("indication", reason),
        "site": _name(_DOSAGE.field("site")),
        "reason": reason,
    }


def _amounts() -> dict[str, pl.Expr]:
    """``volume_ml``, ``dose_mg``, ``rate_ml_per_h``, and the rate of a mass that stays apart."""
    dose, rate = _DOSAGE.field("dose"), _DOSAGE.field("rateQuantity")
    ratio = _DOSAGE.field("rateRatio").struct
    over, under = ratio.field("numerator"), ratio.field("denominator")
    hours = under.struct.field("value").fill_null(1.0) * _factor(under, factors("hours"))
    rates = {
        name: pl.coalesce(
            _amount(rate, rate_factors(kind)),
            pl.when(hours > 0).then((_amount(over, factors(kind)) / hours).round_sig_figs(12)),
        )
        for name, kind in (("rate_ml_per_h", "volume_ml"), ("rate_mg_per_h", "dose_mg"))
    }
    volume, mass = (_amount(dose, factors(kind)) for kind in ("volume_ml", "dose_mg"))
    no_dose = volume.is_null() & mass.is_null()
    no_rate = pl.all_horizontal(one.is_null() for one in rates.values())
    return {
        "volume_ml": volume,
        "dose_mg": mass,
        **rates,
        "_dose_key": pl.when(no_dose).then(_unit_key(dose)),
        "_rate_key": pl.when(no_rate).then(pl.coalesce(_unit_key(rate), _unit_key(over))),
    }


def _factor(quantity: pl.Expr, known: dict[str, float]) -> pl.Expr:
    return pl.coalesce(in_unit(quantity.struct.field(name), known) for name in ("code", "unit"))


def _amount(quantity: pl.Expr, known: dict[str, float]) -> pl.Expr:
    amount = quantity.struct.field("value") * _factor(quantity, known)
    return pl.when(amount.is_finite()).then(amount.round_sig_figs(12))


def _unit_key(quantity: pl.Expr) -> pl.Expr:
    """What the unit of an amount was, for the report; null if there is no amount."""
    unit = pl.coalesce(coding_key(quantity), quantity.struct.field("unit"), pl.lit("(none)"))
    return pl.when(quantity.struct.field("value").is_not_null()).then(unit)


def _modified() -> pl.Expr:
    """Whether an extension may turn the meaning round, as FHIR calls a modifier."""
    own, of_dosage = pl.col("modifierExtension"), _DOSAGE.field("modifierExtension")
    return ((own.list.len() > 0) | (of_dosage.list.len() > 0).fill_null(False)).fill_null(False)


def _contained(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """The name of a contained medication, the identifier of a contained encounter.

    What is contained has an id of that resource only, so the id of a visit says nothing.
    """
    medication = pl.col("medication").struct.field("reference").struct.field("reference")
    drug = pl.coalesce(pl.col("medicationReference").struct.field("reference"), medication)
    visit = pl.coalesce("context", "encounter").struct.field("reference")
    held = rows.filter(pl.col("contained").list.len() > 0)
    parts = held.select("_n", "contained", drug=drug, visit=visit).explode("contained")
    one = pl.col("contained").struct
    own = pl.concat_str(pl.lit("#"), one.field("id"))
    first = one.field("identifier").list.get(0, null_on_oob=True)
    values = {
        "_drug_contained": ("drug", _name(one.field("code"))),
        "_encounter_contained": ("visit", first.struct.field("value").str.strip_chars()),
    }
    return [
        parts.filter(own == pl.col(of))
        .select("_n", value.alias(name))
        .unique("_n", keep="first", maintain_order=True)
        for name, (of, value) in values.items()
    ]
