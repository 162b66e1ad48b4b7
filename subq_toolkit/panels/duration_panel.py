"""The panel of infusion durations: what they look like, whose they are, how they were charted."""

from collections.abc import Callable
from dataclasses import dataclass

import ipywidgets as w
import polars as pl

from subq_toolkit.charts import LiveChart, infusion_durations
from subq_toolkit.charts import infusion_durations_table as no_durations
from subq_toolkit.charts.infusion_durations import BRUSH
from subq_toolkit.coding import Coded
from subq_toolkit.durations import (
    STATISTICS,
    bin_widths,
    encounters_lasting,
    group_names,
)
from subq_toolkit.panels.asked_work import AskedWork
from subq_toolkit.panels.duration_views import VIEWS
from subq_toolkit.panels.loaded_work import LoadedWork
from subq_toolkit.panels.section import choice_entry, range_entry, slider_entry
from subq_toolkit.panels.tabbed_panel import TabbedPanel

_BRUSHED_MS = 200


@dataclass(frozen=True)
class DurationState:
    """All that is chosen in the duration panel.

    Attributes
    ----------
    by
        The column whose values are the groups.
    only
        The name of the one group that is shown; empty: all.
    width_min
        Width of the histogram's bins. [min]
    range_min
        The range of minutes that is pointed out, both ends included; the last minute that the
        panel offers stands for all longer ones. [min]
    within_min
        How near to a step is near. [min]
    statistic, every
        What is followed over time, and by month or week.
    """

    by: str = ""
    only: str = ""
    width_min: int = 15
    range_min: tuple[int, int] = (76, 90)
    within_min: int = 15
    statistic: str = "median_min"
    every: str = "month"


class DurationPanel(TabbedPanel):
    """See how long infusions last, by group and over time, and what charting does to units.

    Parameters
    ----------
    given
        What ``code_administrations`` returned, or a table of charted runs; the bundled invented
        export by default.
    source
        What the work is, for the line under each chart.
    facility_zone
        Zone of times that carry none, for a table of charted runs.
    state
        What another panel's ``state`` held.

    Raises
    ------
    InputError
        If the work cannot be used, or the state holds what its entries do not offer.
    """

    def __init__(
        self,
        given: Coded | pl.DataFrame | pl.LazyFrame | None = None,
        *,
        source: str = "",
        facility_zone: str | None = None,
        state: DurationState | None = None,
    ) -> None:
        self.work = LoadedWork(given, source=source, facility_zone=facility_zone)
        opening = state or DurationState(by=next(iter(self.work.groups)))
        super().__init__(
            opening, self._entries(), VIEWS, top=("by", "only"), name="infusion_durations"
        )

    def selected(self) -> pl.LazyFrame:
        """The coded encounters of the chosen range (and group), with all their columns; lazy."""
        low, high = self.work.minutes_of(self.state.range_min)
        found = encounters_lasting(self.work.held, low, high)
        if not self.state.only:
            return found
        by = self.state.by
        if by == "month":
            return found.filter(pl.col("service_date").dt.to_string("%Y-%m") == self.state.only)
        return found.filter(group_names(by, found.collect_schema()[by]) == self.state.only)

    def asked(self) -> AskedWork:
        """The work and the entries."""
        return AskedWork(self.work, self.state, self.tell_progress)

    def adapt(self, name: str) -> None:
        """Offer the groups of another column."""
        if name == "by":
            self.entries["only"].options = self.work.offered(self.entries["by"].value)

    def _entries(self) -> dict[str, w.ValueWidget]:
        work, entries = self.work, {}
        groups = [(words, name) for name, words in work.groups.items()]
        entries["by"] = choice_entry("Groups", 220, groups)
        entries["only"] = choice_entry("Show only", 260, [("all", "")])
        summary = work.summary("month")
        widths = [(f"{one} min", one) for one in bin_widths(summary)]
        entries["width_min"] = choice_entry("Bins of", 130, widths)
        entries["range_min"] = range_entry("Minutes", 0, work.last_minute)
        entries["within_min"] = slider_entry("Within [min]", 1, 30)
        followed = [(words, name) for name, words in STATISTICS.items()]
        entries["statistic"] = choice_entry("Follow", 340, followed)
        entries["every"] = choice_entry("By", 120, [("month", "month"), ("week", "week")])
        return entries

    def make_chart(self, view: str, place: int) -> LiveChart:
        """The histogram can be brushed."""
        if (view, place) != ("Distribution", 0):
            return super().make_chart(view, place)
        chart = LiveChart(
            infusion_durations(no_durations(None, [])), debounce_wait=_BRUSHED_MS, max_wait=False
        )
        chart.selections.observe(_told(self._brushed), names=BRUSH)
        return chart

    def _brushed(self, ends: list[float]) -> None:
        """Take the range that was dragged over the histogram, which is drawn anew with it."""
        slider = self.entries["range_min"]
        low, high = (min(max(round(end), slider.min), slider.max) for end in sorted(ends))
        slider.value = (low, high)


def _told(brushed: Callable[[list[float]], None]) -> Callable[[dict], None]:
    """What to do with a brush that moved: nothing while it is empty."""

    def moved(change: dict) -> None:
        ends = next(iter((change["new"].value or {}).values()), None)
        if ends:
            brushed(ends)

    return moved
