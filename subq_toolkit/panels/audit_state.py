"""What is chosen in the audit panel, as a frozen value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AuditState:
    """All that is chosen in the audit panel.

    Attributes
    ----------
    schedule
        What billed and supported are valued at; empty: as the panel was opened.
    by
        The column whose values are the groups; empty: the first that is charted.
    order, found, risk, search
        Of the worklist: what comes first, the class (empty: all errors), the risk (empty: all),
        and words of an encounter or claim number.
    encounter
        The case that is shown; empty: the first of the worklist.
    precision
        To within how many percent a rate of errors is to be told. [%]
    strata, seed
        Of the sample: columns that make the strata, comma separated, and the seed.
    """

    schedule: str = ""
    by: str = ""
    order: str = "money"
    found: str = ""
    risk: str = ""
    search: str = ""
    encounter: str = ""
    precision: int = 5
    strata: str = "class"
    seed: int = 2026
