"""NCCI edits between the lines of an encounter and day: pairs, add-on codes, unlikely units.

A finding says which line an edit would stop and what to do; no line is changed. The edits are of
one release (1 July 2024; add-on codes 3 June 2024) and their first days are not in the copies, so
that a line of any day is held against them and the finding says so. Modifiers that a line bears
are not looked at, and edits of a day are looked for within each encounter.
"""

import difflib

import polars as pl

from subq_toolkit.conditions import says
from subq_toolkit.effective import sources
from subq_toolkit.errors import InputError
from subq_toolkit.fees.tables import FeeTables, bundled_tables

SETTINGS = ("practitioner", "outpatient_hospital")
_CLAIM = ("encounter_id", "service_date")
_NEEDED = (*_CLAIM, "code", "units")
_ANSWER = ("edit", "code", "other_code", "detail", "what_to_do")
_ANSWER += ("modifier_allowed", "release", "cite")
_DAY, _CODE, _UNITS = pl.col("service_date"), pl.col("code"), pl.col("units")
#: First hour under the skin, and first hours into a vein.
_UNDER_THE_SKIN, _INTO_A_VEIN = "96369", ("96360", "96365", "96413")
_MAI = {"2": "absolute", "3": "by clinical judgement"}
_DO = {
    "never": "Take the denied line off: no modifier lets both stand.",
    "modifier": "Take the denied line off, unless the record shows a separate service: another "
    "drug, site or time (59 or an X modifier), or a visit of its own (25).",
    "primary": "Report it beside one of its primaries on the same day, or take it off.",
    "absolute": "Report no more than that: no modifier lifts an absolute edit.",
    "clinical": "Correct the units. If the record shows them, expect a denial and appeal with it.",
    "once": "Report one first hour, and what is beyond it as further hours.",
    "access": "Report one first hour, unless the record shows a separate access or encounter (59).",
    "fill": "Fill in encounter and day of these lines, and run the edits again.",
}


def edit_claims(
    lines: pl.DataFrame | pl.LazyFrame,
    *,
    setting: str = "practitioner",
    tables: FeeTables | None = None,
) -> pl.LazyFrame:
    """Find the lines that an NCCI edit would stop; nothing is computed until it is collected.

    Parameters
    ----------
    lines
        ``encounter_id, service_date, code, units``, as ``Coded.lines`` has them; lines of zero
        units are left out.
    setting
        Whose edits: ``practitioner`` or ``outpatient_hospital``.
    tables
        The edits to look up; the bundled ones by default.

    Returns
    -------
    pl.LazyFrame
        ``encounter_id, service_date, edit`` (``pair, add_on, unlikely, first_hour_twice``, or
        ``not_edited`` for lines without encounter or day), ``code`` (of the line that would be
        stopped), ``other_code`` (what it stands beside, or the primaries it lacks), ``detail``,
        ``what_to_do``, ``modifier_allowed`` (whether one may lift it), ``release`` (day of the
        file, null for a rule of no file), ``cite``; sorted.

    Raises
    ------
    InputError
        For an unknown setting, and for a column that is missing or of a wrong type.
    """
    if setting not in SETTINGS:
        near = difflib.get_close_matches(str(setting), SETTINGS, n=1)
        meant = f" Did you mean '{near[0]}'?" if near else ""
        raise InputError(f"'setting' is one of {', '.join(map(repr, SETTINGS))}.{meant}")
    tables, rows = tables or bundled_tables(), _prepared(lines)
    of_setting = pl.col("setting") == setting
    known = pl.all_horizontal(pl.col(name).is_not_null() for name in _CLAIM)
    totals = rows.filter(known).group_by(*_CLAIM, "code").agg(_UNITS.sum(), lines=pl.len())
    found = [
        _pairs(totals, tables["procedure_pairs"].filter(of_setting)),
        _add_ons(totals, tables["add_on_primaries"]),
        _unlikely(totals, tables["unlikely_edits"].filter(of_setting)),
        _first_hour_twice(totals),
        _not_edited(rows.filter(~known)),
    ]
    return pl.concat(found).sort(*_CLAIM, "edit", "code", "other_code")


def _prepared(lines: pl.DataFrame | pl.LazyFrame) -> pl.LazyFrame:
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
            f"The lines have no column {', '.join(map(repr, missing))}. Edit coded.lines, or a "
            f"table with {', '.join(_NEEDED)}."
        )
    day, units = schema["service_date"], schema["units"]
    if day not in (pl.Date, pl.Null):
        raise InputError(f"'service_date' is a date, not {day}. Convert the column first.")
    if not units.is_integer() and units != pl.Null:
        raise InputError(f"'units' is a whole number, not {units}. Convert the column first.")
    code = _CODE.cast(pl.String).str.strip_chars().str.to_uppercase()
    typed = rows.select("encounter_id", _DAY.cast(pl.Date), code, _UNITS.cast(pl.Int64))
    return typed.filter(_UNITS.is_null() | (_UNITS != 0))


def _in_force(rows: pl.LazyFrame, table: pl.DataFrame) -> pl.LazyFrame:
    """Rows whose edit holds on their day; a day outside of every release takes the nearest."""
    last = None if table["until"].null_count() else table["until"].max()
    day = _DAY.clip(table["start"].min(), last)
    ended = (pl.col("until") < day).fill_null(False)
    return rows.filter((pl.col("start") <= day) & ~ended).rename({"start": "release"})


def _stopped(rows: pl.LazyFrame, edit: str, detail: pl.Expr, **answer: pl.Expr) -> pl.LazyFrame:
    """Findings of an edit, with the release used and how far from it the line is."""
    release = pl.col("release")
    past = _DAY >= release.dt.offset_by("3mo")
    apart = (
        pl.when(_DAY < release).then(pl.lit(", after the day of the line"))
        .when(past).then(pl.lit(", three months or more before the line"))
    )  # fmt: skip
    used = says(" Release of {}{}; first days of edits are not in the source.", release, apart)
    told = pl.concat_str(detail, used, ignore_nulls=True)
    told = pl.when(release.is_not_null()).then(told).otherwise(detail)
    return rows.with_columns(edit=pl.lit(edit), detail=told, **answer).select(*_CLAIM, *_ANSWER)


def _pairs(totals: pl.LazyFrame, pairs: pl.DataFrame) -> pl.LazyFrame:
    """Two codes of a day of which column 2 is denied; indicator 9 marks a pair that is no edit."""
    active = pairs.filter(pl.col("modifier_indicator").is_in(["0", "1"]))
    first, second = (
        totals.filter(_CODE.is_in(active[column].unique().implode())).select(
            *_CLAIM, _CODE.alias(column)
        )
        for column in ("column_1", "column_2")
    )
    both = first.join(second, on=_CLAIM).join(active.lazy(), on=["column_1", "column_2"])
    paid, denied, indicator = pl.col("column_1"), pl.col("column_2"), pl.col("modifier_indicator")
    text = "{} beside {} on one day: {} is paid, {} denied (modifier indicator {})."
    return _stopped(
        _in_force(both, active),
        "pair",
        says(text, denied, paid, paid, denied, indicator),
        code=denied,
        other_code=paid,
        what_to_do=pl.when(indicator == "1").then(_do("modifier")).otherwise(_do("never")),
        modifier_allowed=indicator == "1",
    )


def _add_ons(totals: pl.LazyFrame, primaries: pl.DataFrame) -> pl.LazyFrame:
    """Add-on codes of type 1 without any of their primaries on the same day."""
    listed = primaries.filter(pl.col("type") == "1").rename({"add_on": "code"})
    asked = _in_force(totals.join(listed.lazy(), on="code"), listed)
    there = totals.select(*_CLAIM, primary="code", there=pl.lit(True))
    lonely = (
        asked.join(there, on=[*_CLAIM, "primary"], how="left")
        .group_by(*_CLAIM, "code")
        .agg(
            pl.col("there").any(),
            pl.col("release").max(),
            pl.col("cite").max(),
            other_code=pl.col("primary").unique().sort().str.join(", "),
        )
        .filter(~pl.col("there"))
    )
    return _stopped(
        lonely,
        "add_on",
        says("{} is an add-on code without a primary on that day.", _CODE),
        what_to_do=_do("primary"),
        modifier_allowed=pl.lit(False),
    )


def _unlikely(totals: pl.LazyFrame, edits: pl.DataFrame) -> pl.LazyFrame:
    """Units of a code and day above the medically unlikely edit."""
    limits = edits.rename({"hcpcs": "code", "units": "limit"})
    limit, mai = pl.col("limit"), pl.col("mai")
    kind = mai.replace_strict(_MAI, default="")
    above = _in_force(totals.join(limits.lazy(), on="code"), limits).filter(_UNITS > limit)
    return _stopped(
        above,
        "unlikely",
        says("{} units on one day, {} at most (indicator {}: {}).", _UNITS, limit, mai, kind),
        other_code=pl.lit(None, pl.String),
        what_to_do=pl.when(mai == "2").then(_do("absolute")).otherwise(_do("clinical")),
        modifier_allowed=pl.lit(False),
    )


def _first_hour_twice(totals: pl.LazyFrame) -> pl.LazyFrame:
    """First hours reported more than once, on one line or several."""
    twice = (_UNITS > 1) | (pl.col("lines") > 1)
    skin = _CODE == _UNDER_THE_SKIN
    once = f"{sources()['cpt-memory'].cite('unverified')}; {sources()['pay-mue'].cite('inferred')}"
    access = sources()["hcpro-two-initials"].cite("inferred")
    return _stopped(
        totals.filter(twice & _CODE.is_in([_UNDER_THE_SKIN, *_INTO_A_VEIN])).with_columns(
            release=pl.lit(None, pl.Date)
        ),
        "first_hour_twice",
        says("A first hour counts once; here are {} units (lines: {}).", _UNITS, pl.col("lines")),
        other_code=pl.lit(None, pl.String),
        what_to_do=pl.when(skin).then(_do("once")).otherwise(_do("access")),
        modifier_allowed=~skin,
        cite=pl.when(skin).then(pl.lit(once)).otherwise(pl.lit(access)),
    )


def _not_edited(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Lines without encounter or day: no edit can be looked for."""
    text = pl.lit(None, pl.String)
    return _stopped(
        rows.group_by(_CLAIM).agg(lines=pl.len()).with_columns(release=pl.lit(None, pl.Date)),
        "not_edited",
        says("Lines without encounter or day: {}.", pl.col("lines")),
        code=text,
        other_code=text,
        what_to_do=_do("fill"),
        modifier_allowed=pl.lit(None, pl.Boolean),
        cite=pl.lit(sources()["house"].cite("house")),
    )


def _do(key: str) -> pl.Expr:
    return pl.lit(_DO[key])
