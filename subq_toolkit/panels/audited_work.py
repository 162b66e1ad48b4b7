"""The work of an audit panel: chart and charges, held against each other once per schedule."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache

import polars as pl

from subq_toolkit.audit import CLASSES, Audit, audit
from subq_toolkit.audit.amounts import BY_SETTING, Schedule
from subq_toolkit.audit.audited_tables import ERRORS, JUDGED
from subq_toolkit.audit.worklist import worklist
from subq_toolkit.catalog import sample_administrations, sample_charges
from subq_toolkit.charges import ChargeReading
from subq_toolkit.coding import Coded, code_administrations
from subq_toolkit.errors import InputError

_SAMPLE, _OWN = "invented sample export and charges", "chart and charges as handed in"
_SCHEDULES = {
    BY_SETTING: "each setting at its own",
    "opps": "hospital outpatient (OPPS)",
    "mpfs": "physician fee schedule (MPFS)",
}
_TERMS = {
    BY_SETTING: "hospital lines at OPPS, all others at MPFS ({where})",
    "opps": "OPPS, wherever it was done",
    "mpfs": "MPFS ({where}), wherever it was done",
}
_STATED = "terms as handed in"
#: Columns by which errors are grouped, most asked for first, with their names.
_GROUPS = {
    "coder": "coder",
    "department": "department",
    "payer": "payer",
    "setting": "setting",
}
#: Errors and what could not be judged, as a choice of what is listed.
OPEN = "open"


class AuditedWork:
    """A chart and the charges for it, audited at each schedule that is looked at, once.

    Parameters
    ----------
    given
        What ``code_administrations`` returned, or a table of charted runs; the bundled invented
        export, with its charges, by default.
    charges
        Charge or claim lines, or what ``read_charges`` returned.
    schedule, locality, filing, on
        As for ``audit``.
    source
        What the work is, for the line under each chart.
    facility_zone
        Zone of times that carry none, for a table of charted runs.

    Raises
    ------
    InputError
        If one of chart and charges is missing, or cannot be used.
    """

    def __init__(
        self,
        given: Coded | pl.DataFrame | pl.LazyFrame | None = None,
        charges: pl.DataFrame | pl.LazyFrame | ChargeReading | None = None,
        *,
        schedule: Schedule = BY_SETTING,
        locality: str | None = None,
        filing: Mapping[str, int] | None = None,
        on: date | None = None,
        source: str = "",
        facility_zone: str | None = None,
    ) -> None:
        if (given is None) != (charges is None):
            missing = "chart is" if given is None else "charges are"
            raise InputError(
                f"An audit holds charges against a chart; the {missing} missing. Hand in both, "
                f"e.g. AuditPanel(code_administrations(rows), charges), or neither for the samples."
            )
        self.source = source or (_SAMPLE if given is None else _OWN)
        if given is None:
            given, charges = sample_administrations(), sample_charges()
        if isinstance(given, pl.DataFrame | pl.LazyFrame):
            given = code_administrations(given, facility_zone=facility_zone)
        if not isinstance(given, Coded):
            raise InputError(
                f"Hand in a table of charted runs or what code_administrations returned, then the "
                f"charges; this is a {type(given).__name__}."
            )
        self.coded = replace(given, facts=given.facts.collect().lazy())
        self.on, self._locality, self._filing = on or date.today(), locality, filing
        self._charges = _held(charges)
        self._own = None if isinstance(schedule, str) else schedule
        self.opening = _STATED if self._own else schedule
        self.audit = cache(self._audited)
        self.lines = cache(lambda name: self.audit(name).lines.collect())
        self.encounters = cache(lambda name: self.audit(name).encounters.collect())
        self.listed = cache(self._listed)
        self.ends = cache(lambda name: self.audit(name).reconcile())
        self.reasons = cache(self._reasons)
        self.audit(self.opening)

    @property
    def schedules(self) -> list[tuple[str, str]]:
        """The terms that can be chosen, as pairs of words and name."""
        own = [(f"{_STATED}: {self._own.name}", _STATED)] if self._own else []
        return [*own, *((words, name) for name, words in _SCHEDULES.items())]

    @property
    def groups(self) -> dict[str, str]:
        """The columns by which errors can be grouped, with their names."""
        held = self.encounters(self.opening)
        said = [name for name in _GROUPS if held[name].str.strip_chars().ne("").any()]
        return {name: _GROUPS[name] for name in said or ("coder",)}

    @property
    def classes(self) -> list[tuple[str, str]]:
        """What can be listed, as pairs of words and name: every class that was found."""
        counts = dict(self.lines(self.opening)["class"].value_counts().rows())
        found = [
            (f"{CLASSES[name]['label']} ({counts[name]:,})", name)
            for name in CLASSES
            if name != "agrees" and counts.get(name)
        ]
        return [("all errors", ""), ("errors, and what is not judged", OPEN), *found]

    def terms(self, schedule: str) -> str:
        """At what both sides are valued and from which day days are counted, in words."""
        where = self._locality or "national"
        words = {name: said.format(where=where) for name, said in _TERMS.items()}
        said = words.get(schedule) or self._own.name
        return f"Both sides are valued at {said}; days left are counted from {self.on}."

    def to_sample(self, schedule: str) -> pl.DataFrame:
        """Encounters that a review is drawn from: judged, and with a known amount."""
        known = pl.col("class").is_in(JUDGED) & pl.col("difference_usd").is_not_null()
        labels = {name: one["label"] for name, one in CLASSES.items()}
        return (
            self.encounters(schedule)
            .filter(known)
            .with_columns(pl.col("class").replace_strict(labels, return_dtype=pl.String))
        )

    def _audited(self, schedule: str) -> Audit:
        terms = self._own if schedule == _STATED else schedule
        return audit(
            self.coded,
            self._charges,
            schedule=terms,
            locality=self._locality if schedule != "opps" else None,
            filing=self._filing,
            on=self.on,
        )

    def _reasons(self, schedule: str) -> dict[str, pl.DataFrame]:
        """Why charge rows are not compared: by end, reasons and rows, most first."""
        found = self.audit(schedule)
        whys = {"set_aside": "set_aside_because", "superseded": "superseded_by"}
        return {
            end: getattr(found, end).group_by(why).len().sort("len", why, descending=[True, False])
            .collect()
            for end, why in whys.items()
        }  # fmt: skip

    def _listed(self, schedule: str, order: str) -> pl.DataFrame:
        return worklist(self.lines(schedule), order=order, which=OPEN)

    def chosen(self, schedule: str, order: str, found: str, risk: str, search: str) -> pl.DataFrame:
        """The rows of the worklist that the entries ask for, in their order."""
        rows = self.listed(schedule, order)
        if found != OPEN:
            rows = rows.filter(pl.col("class").is_in([found] if found else list(ERRORS)))
        if risk:
            rows = rows.filter(pl.col("risk") == risk)
        if words := search.lower().split():
            told = pl.concat_str("encounter_id", "claim_ids", separator=" ", ignore_nulls=True)
            told = told.str.to_lowercase()
            rows = rows.filter(*(told.str.contains(word, literal=True) for word in words))
        return rows


def _held(charges: pl.DataFrame | pl.LazyFrame | ChargeReading) -> pl.LazyFrame:
    given = charges.charges if isinstance(charges, ChargeReading) else charges
    if not isinstance(given, pl.DataFrame | pl.LazyFrame):
        raise InputError(
            f"Charges are a table of charge lines, or what read_charges returned; this is a "
            f"{type(given).__name__}."
        )
    return given.lazy().collect().lazy()
