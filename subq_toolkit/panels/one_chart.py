"""A part of a panel with a single chart, which can be published."""

from subq_toolkit.charts.figure import Figure
from subq_toolkit.panels.section import Section


class OneChartSection(Section):
    """A part with a single chart, drawn from ``figure``."""

    figure: Figure

    def draw(self, figure: Figure) -> None:
        """Show a figure."""
        self.figure, self.chart.spec = figure, figure.spec

    def figures(self) -> list[Figure]:
        """The chart; none while there is no answer."""
        return [] if self.answered.value is None else [self.figure]
