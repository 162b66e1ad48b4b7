"""What stands on a chart in place of a count that was withheld."""

import altair as alt

from subq_toolkit.charts.layers import TIP, of
from subq_toolkit.charts.look import INK
from subq_toolkit.small_cells import LEAST

#: Stands where a mark would be, never at the height of a zero that was counted.
STAR = "∗"


def withheld_note(noun: str = "encounters") -> str:
    """What the star means, for a subtitle."""
    return f"{STAR} fewer than {LEAST} {noun}, or withheld with them"


def stars() -> alt.Chart:
    """The stars: rows of kind ``withheld`` with ``x``, ``y`` and ``tip``."""
    mark = of("withheld").mark_text(text=STAR, fontSize=15, color=INK, baseline="middle")
    return mark.encode(tooltip=TIP)
