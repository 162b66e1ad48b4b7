"""Which columns of ``datasets/fees`` and ``hospital_prices`` are figures, and in which unit."""

from subq_toolkit.numbers_in_use.figures import Figure, Published, Row, as_is, by, own_unit

#: Computed by us from one collection, which the rows themselves do not name.
_COMPUTED = by("pay-hospital-prices", "inferred")
_LISTED = "Over hospitals, computed from the prices that they list; a listed price is no payment."
_PHYSICIAN, _OUTPATIENT = "physician schedule", "outpatient schedule"
_EDITS, _RULES = "claim edits", "payment rules"


def _billed_unit(row: Row) -> tuple[str, str]:
    """One billed unit: by the list of codes, or remembered where neither list has it."""
    unread = row["unit_standing"] == "unverified"
    return "pay-memory" if unread else "pay-hcpcs-2024", row["unit_standing"]


#: Each table, by its folder and name.
PAYMENT_FIGURES: dict[str, Published] = {
    "fees/relative_values": Published(
        _PHYSICIAN,
        ("hcpcs",),
        (
            Figure("status", "Status", None),
            Figure("work_rvu", "Relative value of work", "RVU"),
            Figure("nonfac_pe_rvu", "Relative value of practice expense", "RVU"),
            Figure("mp_rvu", "Relative value of malpractice", "RVU"),
            Figure("pctc", "PC/TC indicator", None),
            Figure("global_days", "Global days", None),
            Figure("mult_proc", "Multiple-procedure indicator", None),
        ),
        as_is("hcpcs"),
    ),
    "fees/conversion_factors": Published(
        _PHYSICIAN,
        ("apm",),
        (Figure("conversion_factor", "Conversion factor", "USD/RVU"),),
        {"apm": "alternative payment model {}"},
    ),
    "fees/gpcis": Published(
        _PHYSICIAN,
        ("locality",),
        (
            Figure("gpci_work", "Index of work", "1"),
            Figure("gpci_pe", "Index of practice expense", "1"),
            Figure("gpci_mp", "Index of malpractice", "1"),
        ),
        as_is("locality", "name", "state"),
    ),
    "fees/opps_rates": Published(
        _OUTPATIENT,
        ("hcpcs",),
        (
            Figure("si", "Status indicator", None),
            Figure("apc", "Payment class (APC)", "code"),
            Figure("relative_weight", "Relative weight", "1"),
            Figure("rate_usd", "National rate", "USD"),
            Figure("min_copay_usd", "Least copayment", "USD"),
        ),
        as_is("hcpcs"),
    ),
    "fees/opps_conversion_factors": Published(
        _OUTPATIENT,
        (),
        (Figure("conversion_factor", "Outpatient conversion factor", "USD per unit of weight"),),
    ),
    "fees/wage_indexes": Published(
        _OUTPATIENT, ("area",), (Figure("wage_index", "Wage index", "1"),), as_is("name")
    ),
    "fees/drug_limits": Published(
        "drug payment limits",
        ("hcpcs",),
        (
            Figure("unit_amount", "One billed unit", lambda row: row["unit"], _billed_unit),
            Figure("si", "Status indicator", None),
            Figure("limit_usd", "Payment limit", "USD per billed unit"),
            Figure(
                "copay_usd",
                "Lowered copayment",
                "USD per billed unit",
                by("pay-asc-bb", "single source"),
            ),
        ),
        as_is("hcpcs", "name"),
        ("unit_standing",),
    ),
    "fees/unlikely_edits": Published(
        _EDITS,
        ("setting", "hcpcs"),
        (
            Figure("units", "Most units on one day", "1"),
            Figure("mai", "Adjudication indicator", None),
        ),
        as_is("hcpcs", "setting"),
    ),
    "fees/procedure_pairs": Published(
        _EDITS,
        ("setting", "column_1", "column_2"),
        (Figure("modifier_indicator", "Modifier indicator of a pair", None),),
        {"column_1": "{}", "column_2": "with {}", "setting": "{}"},
    ),
    "fees/add_on_primaries": Published(
        _EDITS,
        ("add_on", "primary"),
        (Figure("type", "Type of an add-on edit", None),),
        {"add_on": "{}", "primary": "beside {}"},
    ),
    "fees/payment_rules": Published(
        _RULES,
        ("name",),
        (Figure("value", lambda row: row["name"].replace("_", " ").capitalize(), own_unit),),
    ),
    "fees/sequestration": Published(
        _RULES, (), (Figure("rate", "Share taken off Medicare's part (sequestration)", "1"),)
    ),
    "hospital_prices/hospital_prices": Published(
        "hospital prices",
        ("code", "state", "kind"),
        (
            Figure("hospitals", "Hospitals with a price", "1", _COMPUTED),
            Figure("rows", "Prices behind them", "1", _COMPUTED),
            *(
                Figure(column, f"Listed price, {words}", "USD", _COMPUTED)
                for column, words in (
                    ("p10", "10th percentile"),
                    ("p25", "25th percentile"),
                    ("median", "median"),
                    ("p75", "75th percentile"),
                    ("p90", "90th percentile"),
                )
            ),
        ),
        as_is("code", "state", "kind"),
        note=_LISTED,
    ),
}
