"""Charted runs with names, dates and free text replaced: what that does, and what it cannot do.

Names are replaced by keyed pseudonyms, so that the same entry always gets the same one and nobody
without the key can try names until one fits. Dates move by a number of days of the patient's own;
clock times and the length of every run stay, so that minutes and units do too.
"""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl
from polars.selectors import by_name

from subq_toolkit.administrations import as_charted, passes
from subq_toolkit.deidentification.replaced import MADE, aged, days_of, mapped, plain
from subq_toolkit.deidentification.shifted import shifted, whose
from subq_toolkit.effective import read_table, sources
from subq_toolkit.errors import InputError
from subq_toolkit.intake import Intake, take_in

_RULES = read_table("deidentification")
_LEAST_KEY, _LEAST_DIFFERENT = 16, 8
#: Zones whose name says no place smaller than a state.
_CITIES = "New_York Chicago Denver Phoenix Los_Angeles Anchorage Puerto_Rico"
_ZONES = (*(f"America/{city}" for city in _CITIES.split()), "Pacific/Honolulu", "UTC")


class Deidentified(NamedTuple):
    """Charted runs with their identifiers replaced, and what was done to each column.

    ``report`` holds ``column, rule`` (``pseudonym, shift, product, code, count, mark, age, keep,
    drop``), ``why`` and ``cite`` (null for columns of the user's own).
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
    """Replace in charted runs what says whose they are; no safe harbor and no legal advice.

    Parameters
    ----------
    administrations
        One row per charted run; see ``administrations.COLUMNS``.
    key
        A secret of at least 16 characters, 8 of them different, e.g. ``secrets.token_hex(16)``.
        The same key gives the same pseudonyms and shifts. Who has it can test names.
    facility_zone
        Zone of times that carry none. The zone of the result is UTC or one that stands for a
        whole state or more, such as ``America/New_York``.
    keep
        Columns of your own that stay as they are. All others go, for nobody knows what they hold.
    ages
        Columns of your own that hold ages in years: 90 and above become 90.

    Returns
    -------
    Deidentified
        Rows sorted by what they hold now. ``unreadable`` marks rows that were refused and rows
        whose clock time was two moments or ran over a change of the clocks without a zone: they
        are refused again. ``alike`` numbers rows that differ only in what is gone; copies share
        a number. ``not_given`` says only that something was not given.

    Raises
    ------
    InputError
        If the key is too simple, the zone names a smaller place, a column to keep is absent,
        named twice, known, or no column of plain values, an age is no number, or the table
        cannot be used at all; see ``accept``.

    Notes
    -----
    **What it does.** Names become pseudonyms. A patient's dates all move back by the same 1 to 364
    days: each start by its wall clock, each stop with the row's own elapsed length, a stop without
    start by its wall clock, a discharge too, but with the stops where those lie an hour
    off. Visit codes that do not look like one, needles above 99 and columns it does not know are
    emptied or dropped; a drug that the toolkit does not know gets a pseudonym.

    **What may differ.** Pauses, overlaps and midnights in a night of clock change, old or new, may
    differ by that hour; a start that the new date skips is an hour later, so that two encounters
    of that night may change places. Without a zone, a run that now lies over a night on which US
    clocks change leads to a query. Encounters with a row whose time was not sure led to a query;
    now that row is refused. Prices and rules of another year may apply, and before the first ones
    rows are refused. Findings on visit codes, localities and spellings of drugs may be gone.
    An encounter of which no row names a patient is shifted by itself: if another file names the
    patient, the shifts of the two do not agree. A row without encounter moves with its patient,
    and without either loses its times.

    **What it does not do.** Shifted dates are dates, and the list of 45 CFR 164.514(b)(2) allows
    only the year (inferred). Pseudonyms are derived from the identifiers; paragraph (c)(1) on such
    codes was not read (unverified), so take them for identifiers, or ask. First and last dates of
    an extract, weekdays, gaps between visits and closed days narrow the shift down, often to a few
    days for frequent visits; clock times, lengths and amounts single rows out for who knows them.
    Nothing is trimmed. How often a payer, department or drug occurs can give its name away. Ages
    at several dates tell a birthday, absurd amounts stay, and kept columns are not looked into.
    Whether anybody has actual knowledge that a row can be traced is not for this toolkit to say.
    Sharing the result needs an expert's determination or a data use agreement (inferred).
    """
    _check_key(key)
    intake = take_in(administrations, facility_zone=facility_zone)
    if intake.zone is not None and intake.zone not in _ZONES:
        raise InputError(
            f"The name of a zone may say a place smaller than a state. Convert the times, or "
            f"state as facility_zone one of {', '.join(_ZONES)} with the same clock."
        )
    own = _own_columns(intake, keep, ages)
    rows = intake.rows.collect()
    refused = ~passes() | pl.any_horizontal("_start_twice", "_stop_twice", "_discharge_twice")
    marks = rows.select(pl.when(refused).then(pl.lit("entry")).alias("unreadable")).to_series()
    rows = shifted(rows, intake.zone, mapped(whose(rows), key, days_of, pl.Int64()))
    columns = [
        MADE[rule](rows[name], key)
        for name in intake.given
        if (rule := _RULES.get(name, {"rule": "drop"})["rule"]) in MADE
    ]
    columns += [aged(rows[name]) if name in ages else plain(rows[name]) for name in own]
    if "not_given" in intake.given:
        said = pl.when(pl.col("not_given").is_not_null()).then(pl.lit("not given"))
        columns.append(rows.select(said.alias("not_given")).to_series())
    table = pl.DataFrame([*columns, marks])
    # Copies say the same as they stood; rows that only say the same now are no copies.
    charted = rows.lazy().select(as_charted(intake)).collect()
    told = [name for name, held in charted.schema.items() if not _is_odd(held)]
    before = charted.select(by_name(told)).hash_rows()
    now = table.hash_rows()
    number = pl.col("before").rank("dense").over("now").cast(pl.Int64).alias("alike")
    table = table.with_columns(pl.DataFrame({"before": before, "now": now}).select(number))
    return Deidentified(
        table.sort(by_name(table.columns), nulls_last=True), _report(intake.given, keep, ages)
    )


def _check_key(key: object) -> None:
    if not isinstance(key, str) or len(key) < _LEAST_KEY or len(set(key)) < _LEAST_DIFFERENT:
        raise InputError(
            f"key is a secret text of {_LEAST_KEY} characters or more, {_LEAST_DIFFERENT} of them "
            f"different, e.g. secrets.token_hex(16). Keep it where no reader of the result can "
            f"see it."
        )


def _own_columns(intake: Intake, keep: Sequence[str], ages: Sequence[str]) -> list[str]:
    if isinstance(keep, str) or isinstance(ages, str):
        raise InputError("keep= and ages= are lists of names, e.g. keep=['study arm'].")
    own = [*keep, *ages]
    twice = [name for name in own if own.count(name) > 1]
    if twice:
        raise InputError(f"keep= and ages= name {twice[0]!r} twice; name each column once.")
    known = [name for name in own if name in _RULES]
    if known:
        raise InputError(
            f"keep= or ages= names {known[0]!r}, a known column: what becomes of it is settled "
            f"({_RULES[known[0]]['rule']}). Copy it under another name to keep it all the same."
        )
    absent = [name for name in own if name not in intake.given]
    if absent:
        raise InputError(f"keep= or ages= names {absent[0]!r}, which the table does not hold.")
    schema = intake.rows.collect_schema()
    odd = [name for name in ages if not schema[name].is_numeric()]
    if odd:
        raise InputError(f"Column {odd[0]!r} holds {schema[odd[0]]}, no ages in years.")
    odd = [name for name in keep if _is_odd(schema[name])]
    if odd:
        raise InputError(
            f"Column {odd[0]!r} holds {schema[odd[0]]}; only columns of plain values can be kept. "
            f"Write what you need of it into columns of text or numbers."
        )
    return own


def _is_odd(held: pl.DataType) -> bool:
    return held.is_nested() or held == pl.Object


def _report(given: Sequence[str], keep: Sequence[str], ages: Sequence[str]) -> pl.DataFrame:
    rows = []
    for name in dict.fromkeys((*given, "unreadable", "alike")):
        entry = _RULES.get(name, {})
        rule = "keep" if name in keep else "age" if name in ages else entry.get("rule", "drop")
        why = entry.get("why", "" if rule in ("keep", "age") else "Nobody knows what it holds.")
        cite = sources()[entry["source"]].cite(entry["standing"]) if entry else None
        rows.append({"column": name, "rule": rule, "why": why, "cite": cite})
    return pl.DataFrame(rows, schema=dict.fromkeys(("column", "rule", "why", "cite"), pl.String))
