"""Where units come from, and where charted work is lost on the way to them.

Units are counted from a minute summary by the rules that coded it, so that every table here
adds up to the units of ``coded.encounters``.
"""

from subq_toolkit.durations.timed_encounters import ALL
from subq_toolkit.utilization.coded_units import CODES
from subq_toolkit.utilization.documentation_funnel import (
    BESIDE,
    NOTHING_INFUSED,
    STAGES,
    documentation_funnel,
)
from subq_toolkit.utilization.encounter_units import further_hour_ladder, units_per_encounter
from subq_toolkit.utilization.moved_steps import TOTAL, moved_steps, steps_in_effect
from subq_toolkit.utilization.policy_effects import answers_to_try, policy_effects
from subq_toolkit.utilization.unit_changes import FACTORS, unit_changes

__all__ = [
    "ALL",
    "BESIDE",
    "CODES",
    "FACTORS",
    "NOTHING_INFUSED",
    "STAGES",
    "TOTAL",
    "answers_to_try",
    "documentation_funnel",
    "further_hour_ladder",
    "moved_steps",
    "policy_effects",
    "steps_in_effect",
    "unit_changes",
    "units_per_encounter",
]
