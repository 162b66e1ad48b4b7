"""Values of the rules in effect on a date of service, each with its source.

The values stand in ``parameters/*.toml``, one file per subject. A value is
refused for a day it does not cover; the nearest one is never borrowed.

Standings
---------
sourced     the named source says so and could be read
inferred    follows from sourced facts; nobody was found who says it in these words
unverified  remembered or carried over; no source could be read
house       a convention of this toolkit, not a rule of any payer
"""

import tomllib
import warnings
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files

import polars as pl

from subq_toolkit.errors import InputError, NotInEffectError, StaleValueWarning

STANDINGS = ("sourced", "inferred", "unverified", "house")


@dataclass(frozen=True, slots=True)
class Source:
    """Where something can be read, and when it was last read for this toolkit.

    ``tier`` grades sources of dosing: A label text, journal, agency or guideline; B a maker's
    page, hospital policy, textbook or copy of a label; C an aggregator, forum or machine-written
    page, good for arithmetic only.
    """

    key: str
    title: str
    href: str
    read: date
    tier: str = ""

    def cite(self, standing: str) -> str:
        """One line for a reader: title, address and how well it supports the value."""
        where = f", {self.href}" if self.href else ""
        tier = f", tier {self.tier}" if self.tier else ""
        return f"{self.title}{where} [{standing}{tier}]"


@dataclass(frozen=True, slots=True)
class Dated:
    """One value, the days it holds (both ends included), its source and standing."""

    value: int | Decimal | str
    start: date
    until: date | None
    source: Source
    standing: str
    review_by: date
    note: str = ""

    @property
    def cite(self) -> str:
        """The source in one line, with its standing."""
        return self.source.cite(self.standing)

    def covers(self, day: date) -> bool:
        """Whether the value holds on ``day``."""
        return self.start <= day <= (self.until or date.max)

    def __str__(self) -> str:
        return f"{self.value} from {self.start} to {self.until or 'further notice'}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named value of the rules in all its versions, oldest first."""

    name: str
    label: str
    unit: str
    values: tuple[Dated, ...]

    def on(self, day: date) -> Dated:
        """Return the version in effect on ``day``; warn if its review is overdue.

        ``review_by`` is held against the date of service and not against today,
        so the same run says the same thing next year.

        Raises
        ------
        NotInEffectError
            If no version covers ``day``.
        """
        for dated in self.values:
            if dated.covers(day):
                if day > dated.review_by:
                    warnings.warn(
                        f"'{self.name}' = {dated.value} is used for a date after "
                        f"{dated.review_by}, the day by which its source was due to be read "
                        f"again: {dated.cite}",
                        StaleValueWarning,
                        stacklevel=2,
                    )
                return dated
        raise NotInEffectError(self.name, day, [str(dated) for dated in self.values])

    def expr(self, day: pl.Expr) -> pl.Expr:
        """The value in effect on each row's ``day``; null where there is none."""
        return self._chosen(day, {dated: dated.value for dated in self.values})

    def cite_expr(self, day: pl.Expr) -> pl.Expr:
        """The source of the value in effect on each row's ``day``."""
        return self._chosen(day, {dated: dated.cite for dated in self.values})

    def stale_expr(self, day: pl.Expr) -> pl.Expr:
        """Whether the value in effect on ``day`` was due for review before that day."""
        return day > self._chosen(day, {dated: dated.review_by for dated in self.values})

    def _chosen(self, day: pl.Expr, by_version: dict[Dated, object]) -> pl.Expr:
        chosen: pl.Expr = pl.lit(None)
        for dated, value in by_version.items():
            holds = day.is_between(dated.start, dated.until or date.max)
            chosen = pl.when(holds).then(pl.lit(value)).otherwise(chosen)
        return chosen


@cache
def read_table(subject: str) -> dict:
    """The tables of ``parameters/<subject>.toml`` as they stand, numbers exact."""
    path = files("subq_toolkit") / "parameters" / f"{subject}.toml"
    return tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)


@cache
def sources() -> dict[str, Source]:
    """Every source that a value or a finding may name, by its key."""
    names = ("sources", "dosing_sources", "payment_sources")
    entries = {key: one for name in names for key, one in read_table(name).items()}
    return {
        key: Source(
            key, entry["title"], entry.get("href", ""), entry["read"], entry.get("tier", "")
        )
        for key, entry in entries.items()
    }


@cache
def read_parameters(subject: str) -> dict[str, Parameter]:
    """The dated values of one subject, by name.

    Raises
    ------
    InputError
        If versions overlap or one names an unknown source or standing.
    """
    return {
        name: Parameter(
            name, entry["label"], entry["unit"], _versions(f"{subject}.{name}", entry["values"])
        )
        for name, entry in read_table(subject).items()
    }


def _versions(name: str, entries: list[dict]) -> tuple[Dated, ...]:
    versions = []
    for entry in sorted(entries, key=lambda one: one["start"]):
        known = sources().get(entry["source"])
        if known is None or entry["standing"] not in STANDINGS:
            raise InputError(
                f"'{name}' from {entry['start']}: source '{entry['source']}' must stand in "
                f"parameters/sources.toml and standing '{entry['standing']}' be one of {STANDINGS}."
            )
        if versions and (versions[-1].until is None or versions[-1].until >= entry["start"]):
            raise InputError(
                f"'{name}': the value from {entry['start']} begins before the one from "
                f"{versions[-1].start} ends. Give the older one an 'until' date."
            )
        versions.append(
            Dated(
                value=entry["value"],
                start=entry["start"],
                until=entry.get("until"),
                source=known,
                standing=entry["standing"],
                review_by=entry["review_by"],
                note=entry.get("note", ""),
            )
        )
    return tuple(versions)
