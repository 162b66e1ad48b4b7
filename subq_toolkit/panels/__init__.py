"""Notebook panels: controls, a frozen state, and the answer to it.

``CodingCalculator`` answers what one encounter may be reported as, ``DosePlanner`` how an
infusion runs and what it would earn, ``ScenarioPanel`` what work pays under which terms,
``DurationPanel`` how long infusions last, ``UnitPanel`` where units come from and are lost,
``AuditPanel`` whether it is billed right, ``RulePanel`` where each number comes from.
``ColumnMapWizard`` reads an export of any shape.
A panel holds no rule and no arithmetic: it hands what was typed to the toolkit and shows what
comes back. Only panel modules import ipywidgets.
"""

from subq_toolkit.panels.audit_panel import AuditPanel
from subq_toolkit.panels.audit_state import AuditState
from subq_toolkit.panels.coding_calculator import CodingCalculator
from subq_toolkit.panels.column_map_wizard import ColumnMapWizard, WizardState
from subq_toolkit.panels.dose_planner import DosePlanner
from subq_toolkit.panels.duration_panel import DurationPanel, DurationState
from subq_toolkit.panels.rule_panel import RulePanel, RuleState
from subq_toolkit.panels.scenario_panel import ScenarioPanel
from subq_toolkit.panels.unit_panel import UnitPanel, UnitState

__all__ = [
    "AuditPanel",
    "AuditState",
    "CodingCalculator",
    "ColumnMapWizard",
    "DosePlanner",
    "DurationPanel",
    "DurationState",
    "RulePanel",
    "RuleState",
    "ScenarioPanel",
    "UnitPanel",
    "UnitState",
    "WizardState",
]
