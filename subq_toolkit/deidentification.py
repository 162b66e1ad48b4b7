"""Charted runs without saying whose they are: pseudonyms, shifted dates, and nothing unknown.

Names are replaced by keyed pseudonyms, so that the same entry always gets the same one and nobody
without the key can try names until one fits. Dates move by a number of days of the patient's own;
durations, pauses and the order of a patient's encounters stay, so that minutes and units do too.
"""

import re
from collections.abc import Callable, Sequence
from hashlib import blake2b, sha256
from typing import NamedTuple

import polars as pl

from subq_toolkit.effective import read_table, sources
from subq_toolkit.errors import InputError
from subq_toolkit.intake import TIMES, Intake, take_in
from subq_toolkit.product_tables import product_named

_RULES = read_table("deidentification")
_LEAST_KEY, _MOST_DAYS = 16, 364
#: Ages above it are one: 45 CFR 164.514(b)(2)(i)(C).
_OLDEST = 90
_HCPCS = re.compile(r"[A-Z]\d{4}")


class Deidentified(NamedTuple):
    """Charted runs without identifiers, and what was done to each column.

    ``report`` holds ``column, rule`` (``pseudonym, shift, product, age, keep, drop``), ``why``
    and ``cite`` (null for columns of the user's own).
    """

    administrations: pl.DataFrame
    report: pl.DataFrame


def deidentify(
    administrations: pl.DataFrame | pl.LazyFrame,
    *,
    key: str,
    facility_zone: str | None = None,
    keep: Sequence[str] = (),
    ages: Sequence[str] = (),
) -> Deidentified:
    """Take out of charted runs what says whose they are.

    Parameters
    ----------
    administrations
        One row per charted run; see ``administrations.COLUMNS``.
    key
        A secret of at least 16 characters, e.g. from ``secrets.token_hex(16)``. The same key
        gives the same pseudonyms and shifts; it is not in the result. Who has it can test names.
    facility_zone
        Zone of times that carry none.
    keep
        Columns of your own that stay as they are. All others go, for nobody knows what they hold.
    ages
        Columns of your own that hold ages in years: 90 and above become 90.

    Returns
    -------
    Deidentified
        Rows sorted by what they hold now. Entries that could not be read are gone; such a
        row says so in ``unreadable`` and is refused again.

    Raises
    ------
    InputError
        If the key is too short, a column to keep is not there or is a known one, an age is no
        number, or the table cannot be used at all; see ``accept``.

    Notes
    -----
    Clock times stay and so do durations; a date moves back by 1 to 364 days, so that prices and
    rules of another year may apply. This takes out the identifiers that 45 CFR 164.514(b)(2) names
    for the known columns, except that shifted dates are still dates: by the letter of the safe
    harbor only the year may stay, so that sharing them needs an expert's determination or a data
    use agreement. It is no legal advice.
    """
    if not isinstance(key, str) or len(key) < _LEAST_KEY:
        raise InputError(
            f"key is a secret text of {_LEAST_KEY} characters or more, e.g. secrets.token_hex(16). "
            f"Keep it where no reader of the result can see it."
        )
    intake = take_in(administrations, facility_zone=facility_zone)
    own = _own_columns(intake, keep, ages)
    given = [name for name in intake.given if name in _RULES]
    rows = intake.rows.collect()
    rows = rows.with_columns(_whose=pl.coalesce("patient_id", "encounter_id"))
    whose = pl.col("_whose").min().over("encounter_id")
    rows = rows.with_columns(_days=_mapped(rows.select(whose).to_series(), key, _days, pl.Int64()))
    rows = _shifted(rows, intake)
    columns = [_column(rows, name, key) for name in given if _RULES[name]["rule"] != "drop"]
    columns += [rows[name] for name in own if name in keep]
    columns += [_as_age(rows[name]) for name in own if name in ages]
    unread = pl.col("_unread") | pl.col("unreadable").is_not_null()
    marks = rows.select(pl.when(unread).then(pl.lit("entry")).alias("unreadable"))
    table = pl.DataFrame(columns).with_columns(marks.to_series())
    flat = [name for name, held in table.schema.items() if not held.is_nested()]
    return Deidentified(table.sort(*flat, nulls_last=True), _report(intake.given, keep, ages))


def _own_columns(intake: Intake, keep: Sequence[str], ages: Sequence[str]) -> list[str]:
    own = [*keep, *ages]
    absent = [name for name in own if name not in intake.given]
    if absent:
        raise InputError(f"keep= or ages= names {absent[0]!r}, which the table does not hold.")
    known = [name for name in own if name in _RULES]
    if known:
        raise InputError(
            f"keep= or ages= names {known[0]!r}, a known column: what becomes of it is settled "
            f"({_RULES[known[0]]['rule']}). Copy it under another name to keep it all the same."
        )
    schema = intake.rows.collect_schema()
    odd = [name for name in ages if not schema[name].is_numeric()]
    if odd:
        raise InputError(f"Column {odd[0]!r} holds {schema[odd[0]]}, no ages in years.")
    return own


def _digest(text: str, key: str, what: str) -> bytes:
    # The kind of entry goes in too: one text as a pump and as a site gets two names.
    secret = sha256(key.encode()).digest()
    return blake2b(f"{what}\0{text}".encode(), key=secret, digest_size=16).digest()


def _days(text: str, key: str) -> int:
    return 1 + int.from_bytes(_digest(text, key, "days")) % _MOST_DAYS


def _mapped(
    column: pl.Series, key: str, make: Callable[[str, str], object], held: pl.DataType
) -> pl.Series:
    """Each entry replaced by what its text makes; every distinct one is made once."""
    texts = column.unique().drop_nulls()
    made = pl.Series([make(text, key) for text in texts], dtype=held)
    return column.replace_strict(texts, made, default=None, return_dtype=held)


def _column(rows: pl.DataFrame, name: str, key: str) -> pl.Series:
    rule, column = _RULES[name]["rule"], rows[name]
    if rule == "pseudonym" or rule == "product":
        if name in ("pump_id", "site"):
            column = column.str.strip_chars().str.to_lowercase()

        def pseudonym(text: str, key: str) -> str:
            known = _product(text) if rule == "product" else None
            return known or f"{name.removesuffix('_id')}-{_digest(text, key, name).hex()[:20]}"

        return _mapped(column, key, pseudonym, pl.String()).alias(name)
    return column


def _product(text: str) -> str | None:
    """The name under which a product is known, or a HCPCS code."""
    if _HCPCS.fullmatch(text.strip().upper()):
        return text.strip().upper()
    try:
        return str(product_named(text)["product"])
    except InputError:
        return None


def _shifted(rows: pl.DataFrame, intake: Intake) -> pl.DataFrame:
    """Times moved back by ``_days``: the first of an encounter by the clock, others with it."""
    instants = {name: f"_{name.removesuffix('_at')}_us" for name in TIMES}
    first = pl.min_horizontal("_start_us", "_stop_us").min().over("encounter_id")
    rows = rows.with_columns(_anchor=first)
    anchor = pl.from_epoch("_anchor", time_unit="us")
    if intake.zone is not None:
        anchor = anchor.dt.replace_time_zone("UTC").dt.convert_time_zone(intake.zone)
    moved = anchor.dt.replace_time_zone(None) - pl.duration(days="_days")
    if intake.zone is not None:
        # An hour that the clocks skip on the new date is the one after it.
        moved = pl.coalesce(
            at.dt.replace_time_zone(intake.zone, ambiguous="earliest", non_existent="null")
            for at in (moved, moved + pl.duration(hours=1))
        )
    rows = rows.with_columns(_moved=moved.dt.epoch("us"))
    new = {}
    for name, instant in instants.items():
        at = pl.from_epoch(pl.col(instant) - pl.col("_anchor") + pl.col("_moved"), time_unit="us")
        if intake.zone is not None:
            at = at.dt.replace_time_zone("UTC").dt.convert_time_zone(intake.zone)
        new[name] = at
    return rows.with_columns(**new)


def _as_age(column: pl.Series) -> pl.Series:
    return column.clip(upper_bound=_OLDEST)


def _report(given: Sequence[str], keep: Sequence[str], ages: Sequence[str]) -> pl.DataFrame:
    rows = []
    for name in given:
        entry = _RULES.get(name, {})
        rule = "keep" if name in keep else "age" if name in ages else entry.get("rule", "drop")
        why = entry.get("why", "" if rule in ("keep", "age") else "Nobody knows what it holds.")
        cite = sources()[entry["source"]].cite(entry["standing"]) if entry else None
        rows.append({"column": name, "rule": rule, "why": why, "cite": cite})
    return pl.DataFrame(rows, schema=dict.fromkeys(("column", "rule", "why", "cite"), pl.String))
