"""Claims and remittances in X12 version 5010: read as charge lines, and written for a check.

Reading needs pyx12: ``pip install 'subq_toolkit[x12]'``.
"""

from subq_toolkit.x12.charge_segments import charge_segments
from subq_toolkit.x12.claims import read_claims
from subq_toolkit.x12.guide_check import check_guide
from subq_toolkit.x12.remittances import read_remittances

__all__ = ["charge_segments", "check_guide", "read_claims", "read_remittances"]
