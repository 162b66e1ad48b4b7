"""Charge and claim lines: the table, what makes a line usable, and files read into it."""

from subq_toolkit.charges.acceptance import CHECKS, ChargeAcceptance, accept_charges
from subq_toolkit.charges.charge_files import read_charges
from subq_toolkit.charges.columns import COLUMNS, REQUIRED, STATUSES
from subq_toolkit.charges.reading import ChargeReading

__all__ = [
    "CHECKS",
    "COLUMNS",
    "REQUIRED",
    "STATUSES",
    "ChargeAcceptance",
    "ChargeReading",
    "accept_charges",
    "read_charges",
]
