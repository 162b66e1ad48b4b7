"""The same work under other terms: comparisons, bridges, how sure we are, what charting is worth.

Encounters are counted by minutes once (``minute_summary``), part by part where they are many
(``combined``), and the summary is kept in a file (``write_minute_summary``); a ``Scenario`` is a
frozen set of terms; everything else is a function of the two, and as quick for fifty million
encounters as for a hundred.
"""

from subq_toolkit.scenarios.break_even import break_even
from subq_toolkit.scenarios.comparison import bridge, compare, total_usd
from subq_toolkit.scenarios.counted_lines import expected_lines
from subq_toolkit.scenarios.documentation_value import (
    charting_error,
    missing_stop_value,
    near_steps,
)
from subq_toolkit.scenarios.expected import expected
from subq_toolkit.scenarios.minute_counts import minute_summary
from subq_toolkit.scenarios.minute_summary import MinuteSummary, combined
from subq_toolkit.scenarios.rate_cards import rate_card
from subq_toolkit.scenarios.scenario import Scenario
from subq_toolkit.scenarios.simulation import Simulation, simulate, tornado
from subq_toolkit.scenarios.summary_files import read_minute_summary, write_minute_summary

__all__ = [
    "MinuteSummary",
    "Scenario",
    "Simulation",
    "break_even",
    "bridge",
    "charting_error",
    "combined",
    "compare",
    "expected",
    "expected_lines",
    "minute_summary",
    "missing_stop_value",
    "near_steps",
    "rate_card",
    "read_minute_summary",
    "simulate",
    "tornado",
    "total_usd",
    "write_minute_summary",
]
