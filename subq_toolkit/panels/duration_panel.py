"""The panel of infusion durations: what they look like, whose they are, how they were charted."""

from collections.abc import Callable
from dataclasses import dataclass

import ipywidgets as w
import polars as pl

from subq_toolkit.charts import LiveChart, infusion_durations
from subq_toolkit.charts import infusion_durations_table as no_durations
from subq_toolkit.charts.infusion_durations import BRUSH
from subq_toolkit.durations import (
    STATISTICS,
    bin_widths,
    encounters_lasting,
    group_names,
)
from subq_toolkit.panels.duration_views import VIEWS
from subq_toolkit.panels.section import choice_entry, range_entry, slider_entry
from subq_toolkit.panels.work_panel import WorkPanel

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


class DurationPanel(WorkPanel):
    """See how long infusions last, by group and over time, and what charting does to units.

    Opened as every ``WorkPanel``; ``state`` is a ``DurationState``.
    """

    VIEWS, NAME = VIEWS, "infusion_durations"

    def opening(self, state: DurationState | None) -> DurationState:
        """The state that was handed in, or the usual one."""
        return state or DurationState()

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

    def own_entries(self) -> dict[str, w.ValueWidget]:
        """The controls of the tabs."""
        widths = [(f"{one} min", one) for one in bin_widths(self.work.summary("month"))]
        followed = [(words, name) for name, words in STATISTICS.items()]
        return {
            "width_min": choice_entry("Bins of", 130, widths),
            "range_min": range_entry("Minutes", 0, self.work.last_minute),
            "within_min": slider_entry("Within [min]", 1, 30),
            "statistic": choice_entry("Follow", 340, followed),
            "every": choice_entry("By", 120, [("month", "month"), ("week", "week")]),
        }

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
