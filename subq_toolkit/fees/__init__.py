"""What a line is allowed and who pays it: Medicare schedules by date and place, contracts.

Every amount is exact to the cent, rounded once, halves up, and carries its schedule, its
arithmetic and its sources. A figure that is not known is ``missing`` and never zero; a line
that pays nothing beside another is zero and says ``packaged``.
"""

from subq_toolkit.fees.claim_edits import edit_claims
from subq_toolkit.fees.contracts import Contract, contract, read_contract
from subq_toolkit.fees.drug_lines import drug_line_of_plan, drug_lines, hcpcs_units
from subq_toolkit.fees.home_visits import home_visits
from subq_toolkit.fees.localities import localities, ranked_localities
from subq_toolkit.fees.market import market_position, market_quantiles
from subq_toolkit.fees.physician import limiting_charge_usd
from subq_toolkit.fees.pricing import price
from subq_toolkit.fees.schedules import Outpatient, Physician, check_locality
from subq_toolkit.fees.tables import KEYS, FeeTables, bundled_tables
from subq_toolkit.fees.who_pays import who_pays

__all__ = [
    "KEYS",
    "Contract",
    "FeeTables",
    "Outpatient",
    "Physician",
    "bundled_tables",
    "check_locality",
    "contract",
    "drug_line_of_plan",
    "drug_lines",
    "edit_claims",
    "hcpcs_units",
    "home_visits",
    "limiting_charge_usd",
    "localities",
    "market_position",
    "market_quantiles",
    "price",
    "ranked_localities",
    "read_contract",
    "who_pays",
]
