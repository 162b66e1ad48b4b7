"""What a tab about charted work is asked: the work, the entries, and how they meet."""

from collections.abc import Callable
from typing import Any, NamedTuple

import polars as pl

from subq_toolkit.charts.captions import work_caption
from subq_toolkit.charts.figure import Figure, figure
from subq_toolkit.panels.loaded_work import LoadedWork
from subq_toolkit.scenarios import MinuteSummary


class AskedWork(NamedTuple):
    """The work and the entries ``by`` and ``only``, among others, of a panel.

    ``progress`` is told how many of how many steps of a long answer are done.
    """

    work: LoadedWork
    state: Any
    progress: Callable[[int, int], None]

    def summary(self, *by: str) -> MinuteSummary:
        """The work, or the one group of it that is chosen, with these columns kept apart."""
        if not self.state.only:
            return self.work.summary("month", *by)
        return self.work.summary_of(self.state.by, self.state.only, "month", *by)

    def figure(self, chart: str, table: pl.DataFrame, summary: MinuteSummary) -> Figure:
        """A chart of this work, ready to publish."""
        sources = (f"Charted work: {self.work.source}", "Rules: notebook 07_rules_and_sources")
        told = summary.coded or summary.encounters
        return figure(chart, table, encounters=told, sources=sources)

    def caption(self, summary: MinuteSummary, *, whole: bool = False) -> str:
        """The line under a chart of it; ``whole``: of all groups, whichever is chosen."""
        source = self.work.source
        if self.state.only:
            group = f"{self.by_name}: {self.state.only}"
            source += "; all groups" if whole else f"; only {group}"
        return work_caption(summary, source)

    @property
    def by_name(self) -> str:
        """What the groups are, in words."""
        return self.work.groups[self.state.by]
