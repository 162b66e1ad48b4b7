"""One tab of a panel: its entries, its charts, and a page of tables beneath."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as w

from subq_toolkit.charts import LiveChart
from subq_toolkit.charts.figure import Figure


@dataclass(frozen=True)
class View:
    """How many charts a tab has, which entries belong to it, and its answer.

    ``answer`` gets what the panel asks, and returns the figures and a page.
    """

    charts: int
    entries: tuple[str, ...]
    answer: Callable[[Any], tuple[list[Figure], str]]


class ViewTab(w.VBox):
    """Shows the answer of a view; ``figures`` is what it shows, empty while there is none.

    The charts are made when they are first needed: a browser has two seconds for all charts
    that are made at once, which a slow one does not keep for those of every tab.

    Parameters
    ----------
    view
        What is shown.
    entries
        Its controls.
    make_chart
        From the place of a chart in the tab to a live chart; an empty one by default.
    """

    def __init__(
        self,
        view: View,
        entries: Sequence[w.Widget],
        make_chart: Callable[[int], LiveChart] | None = None,
    ) -> None:
        self._view, self._make = view, make_chart or (lambda _place: LiveChart(None))
        self.charts: tuple[LiveChart, ...] = ()
        self.figures: tuple[Figure, ...] = ()
        self.page = w.HTML()
        own, self._drawn = w.HBox(entries), w.Box()
        own.add_class("sq-fields")
        self._drawn.add_class("sq-columns" if view.charts > 1 else "sq-alone")
        super().__init__([own, self._drawn, self.page])

    def show(self, figures: Sequence[Figure], page: str) -> None:
        """Show an answer."""
        if not self.charts:
            self.charts = tuple(self._make(place) for place in range(self._view.charts))
            for chart in self.charts:
                chart.add_class("sq-chart")
            self._drawn.children = self.charts
        for chart, figure in zip(self.charts, figures, strict=True):
            chart.spec = figure.spec
        self.figures, self.page.value = tuple(figures), page

    def leave(self, page: str) -> None:
        """Leave nothing of an older answer, and say why."""
        for chart in self.charts:
            chart.spec = None
        self.figures, self.page.value = (), page
