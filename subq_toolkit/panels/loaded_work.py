"""The work a panel is opened on: coded once, then quick to count in any way."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache

import polars as pl

from subq_toolkit.catalog import sample_administrations
from subq_toolkit.coding import Coded, code_administrations
from subq_toolkit.durations import duration_bins, duration_quantiles, group_names
from subq_toolkit.errors import InputError
from subq_toolkit.scenarios import MinuteSummary, minute_summary
from subq_toolkit.utilization import policy_effects

_SAMPLE, _OWN = "invented sample export", "charted times as handed in"
#: Columns of the facts that counting looks at.
_COUNTED = ["encounter_id", "service_date", "outcome", "setting", "_runs", "_minutes", "_begun"]
_COUNTED += ["_new_setup", "_first_us", "_last_us"]
#: Columns of the encounters that are numbers or keys, and no groups.
_NO_GROUPS = {"encounter_id", "service_date", "infusion_min", "outcome", "min_to_next_unit"}
#: What groups are called, most asked for first; any other column by its own name.
_NAMES = {
    "therapy": "therapy",
    "department": "department",
    "payer": "payer",
    "setting": "setting",
    "month": "month",
    "pumps": "number of pumps",
    "locality": "locality",
}
#: Groups with an order of their own.
ORDERED = ("month", "pumps")
_LAST_MIN = 240
_ALWAYS = ("month", "pumps")


class LoadedWork:
    """Coded encounters, also held in memory by the columns that panels count; or their summary.

    Parameters
    ----------
    given
        What ``code_administrations`` returned; or a table of charted runs, which is coded under
        the default policy; or a ``MinuteSummary`` that keeps ``month`` apart, which answers all
        that needs no single encounter; the bundled invented export by default.
    source
        What it is, for the line under each chart.
    facility_zone
        Zone of times that carry none, for a table of charted runs.

    Raises
    ------
    InputError
        If it is something else, or a table that cannot be used.
    """

    def __init__(
        self,
        given: Coded | MinuteSummary | pl.DataFrame | pl.LazyFrame | None = None,
        *,
        source: str = "",
        facility_zone: str | None = None,
    ) -> None:
        self.source = source or (_SAMPLE if given is None else _OWN)
        self._effects: pl.DataFrame | None = None
        self._summary = lru_cache(maxsize=32)(self._counted)
        self.summary_of = lru_cache(maxsize=32)(self._counted_of)
        self.told = lru_cache(maxsize=8)(self._told)
        self._whole = self._coded = self._held = None
        if isinstance(given, MinuteSummary):
            self._whole = given
            self.summary("month")
            return
        if given is None:
            given = sample_administrations()
        if isinstance(given, pl.DataFrame | pl.LazyFrame):
            given = code_administrations(given, facility_zone=facility_zone)
        if not isinstance(given, Coded):
            raise InputError(
                f"A panel takes a table of charted runs or what code_administrations returned; "
                f"this is a {type(given).__name__}."
            )
        self._coded, self._held = given, _held(given)

    @property
    def coded(self) -> Coded:
        """The coded encounters.

        Raises
        ------
        InputError
            If there is only their summary.
        """
        return _there(self._coded)

    @property
    def held(self) -> Coded:
        """The same, its encounters in memory."""
        return _there(self._held)

    @cached_property
    def groups(self) -> dict[str, str]:
        """The columns that say something by which encounters can be divided, with their names."""
        if self._whole is not None:
            return _named(self._whole.by)
        schema = self.held.encounters.collect_schema()
        texts = (pl.String, pl.Enum, pl.Categorical, pl.Boolean)
        carried = [
            name for name, dtype in schema.items() if not _is_no_group(name) and dtype in texts
        ]
        said = self.held.encounters.select(
            (pl.col(name).cast(pl.String).str.strip_chars() != "").any().alias(name)
            for name in carried
        ).collect()
        return _named([*_ALWAYS, *(name for name in carried if said[name].item())])

    def summary(self, *by: str) -> MinuteSummary:
        """The work counted by minutes, with these columns kept apart; made once."""
        return self._summary(by)

    @cached_property
    def last_minute(self) -> int:
        """The last minute of a range that can be chosen; it stands for all longer ones. [min]"""
        last = duration_bins(self.summary("month")).tail(1).rows(named=True)
        if not last:
            return _LAST_MIN
        return last[0]["from_min"] if last[0]["to_min"] is None else last[0]["to_min"] - 1

    def minutes_of(self, chosen: tuple[int, int]) -> tuple[int, int | None]:
        """A chosen range, without an upper end where it is the last minute of all. [min]"""
        low, high = chosen
        return low, None if high >= self.last_minute else high

    def offered(self, by: str) -> list[tuple[str, str]]:
        """The groups of a column with coded encounters, as a list to choose from: all first."""
        groups = duration_quantiles(self.summary("month", by), by)["group"]
        return [("all", ""), *((name, name) for name in sorted(groups.drop_nulls()))]

    def policy_effects(self, progress: Callable[[int, int], None] | None = None) -> pl.DataFrame:
        """What ``policy_effects`` says of the work; found out once."""
        if self._effects is None:
            self._effects = policy_effects(self.coded, progress=progress)
        return self._effects

    def _counted(self, by: tuple[str, ...]) -> MinuteSummary:
        if self._whole is not None:
            return self._whole.only(*dict.fromkeys(by))
        return minute_summary(self.held, by=list(dict.fromkeys(by)))

    def _told(self, answer: Callable[[Coded], pl.DataFrame]) -> pl.DataFrame:
        """What ``answer`` finds in the coded encounters; found out once."""
        return answer(self.coded)

    def _counted_of(self, column: str, group: str, *by: str) -> MinuteSummary:
        """The work of one group of a column, counted by minutes, with these columns kept apart."""
        whole = self.summary(*by, column)
        named = group_names(column, whole.counts.schema[column]) == group
        return replace(whole, counts=whole.counts.filter(named))


def _there(coded: Coded | None) -> Coded:
    """The coded encounters, if there is more than their summary."""
    if coded is None:
        raise InputError(
            "This looks at single encounters, and the panel was opened on their summary. Open it "
            "on what code_administrations returned."
        )
    return coded


def _named(found: Sequence[str]) -> dict[str, str]:
    """Groups with their names, those most asked for first."""
    known = [name for name in _NAMES if name in found]
    others = [name for name in found if name not in _NAMES and not _is_no_group(name)]
    return {name: _NAMES.get(name, name) for name in (*known, *others)}


def _is_no_group(name: str) -> bool:
    return name in (*_NO_GROUPS, "week", "rounding") or name.startswith("units_")


def _held(coded: Coded) -> Coded:
    """The same with encounters and the counted facts computed once."""
    facts, encounters = pl.collect_all([coded.facts.select(_COUNTED), coded.encounters])
    return replace(coded, facts=facts.lazy(), encounters=encounters.lazy())
