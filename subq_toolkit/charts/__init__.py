"""Charts of coded infusions: a table goes in, an Altair chart comes out; and how it is shown.

The title of a chart is its finding, the subtitle what qualifies it, the description the same
in words for a screen reader; all three are computed from the table. Nothing is fetched:
charts draw without a network, and carry a picture for readers without a kernel.
"""

from subq_toolkit.charts import (
    audit_charts,
    clock_charts,
    dose_charts,
    duration_charts,
    live,
    money_charts,
    source_charts,
    unit_charts,
)
from subq_toolkit.charts.audit_charts import *
from subq_toolkit.charts.clock_charts import *
from subq_toolkit.charts.dose_charts import *
from subq_toolkit.charts.duration_charts import *
from subq_toolkit.charts.live import *
from subq_toolkit.charts.look import chart_table
from subq_toolkit.charts.money_charts import *
from subq_toolkit.charts.source_charts import *
from subq_toolkit.charts.unit_charts import *

__all__ = [
    "chart_table",
    *audit_charts.__all__,
    *clock_charts.__all__,
    *dose_charts.__all__,
    *duration_charts.__all__,
    *live.__all__,
    *money_charts.__all__,
    *source_charts.__all__,
    *unit_charts.__all__,
]
