"""Which columns of ``datasets/products`` are figures, and in which unit."""

from subq_toolkit.formulas import unit_of
from subq_toolkit.numbers_in_use.figures import Figure, Published, Row, as_is, by, own_unit
from subq_toolkit.products import LIMITS

_HOUSE = by("house", "house")
_STEPS = "rate steps and ramps"


def _limit_unit(row: Row) -> str:
    return unit_of(row["limit"])


#: Each table, by its folder and name.
PRODUCT_FIGURES: dict[str, Published] = {
    "products/products": Published(
        "product codes",
        ("product",),
        (
            Figure("hcpcs", "HCPCS code", "code", by(None, "unverified")),
            Figure("default_use", "Use that is taken by default", None, _HOUSE),
            Figure("kinetics", "Absorption that is drawn", None, _HOUSE),
        ),
        as_is("name"),
        ("kind", "names", "about"),
    ),
    "products/limits": Published(
        "product limits",
        ("product", "limit"),
        (Figure("value", lambda row: LIMITS[row["limit"]], _limit_unit),),
        as_is("product", "market", "use", "kind"),
    ),
    "products/steps": Published(
        _STEPS,
        ("product", "step"),
        (
            Figure("minutes", "Length of a rate step", "min"),
            Figure("value", "Rate of a step", own_unit),
        ),
        as_is("product", "market") | {"step": "step {}"},
    ),
    "products/dose_ramps": Published(
        _STEPS,
        ("product", "interval_weeks", "infusion"),
        (
            Figure("week", "Week of an infusion", "weeks"),
            Figure("percent", "Share of the full dose", "%"),
        ),
        {"product": "{}", "infusion": "infusion {}", "interval_weeks": "dose every {} weeks"},
    ),
    "products/iv_to_sc": Published(
        "IV to SC ratios",
        ("drug", "preset"),
        (
            Figure("ratio", "Subcutaneous over intravenous dose", "1"),
            Figure("ratio_low", "The same, low end", "1"),
            Figure("ratio_high", "The same, high end", "1"),
        ),
        as_is("drug", "preset", "kind", "market"),
    ),
    "products/kinetics": Published(
        "absorption",
        ("preset",),
        (
            Figure("ka_per_h", "Absorption rate", "1/h"),
            Figure("ka_low_per_h", "Absorption rate, low end", "1/h"),
            Figure("ka_high_per_h", "Absorption rate, high end", "1/h"),
            Figure("compartments", "Absorption compartments", "1"),
            Figure("ke_per_h", "Elimination rate", "1/h"),
            Figure("bioavailability", "Share that reaches the blood", "1"),
        ),
        as_is("preset", "drug"),
        ("usable",),
    ),
    "products/insulin_basal": Published(
        "insulin shares",
        ("preset",),
        (
            Figure("basal_fraction", "Basal share of the reduced total", "1"),
            Figure("reduction_low", "Reduction of the total, least", "1"),
            Figure("reduction_high", "Reduction of the total, most", "1"),
        ),
        as_is("preset"),
    ),
    "products/pumps": Published(
        "pump settings",
        ("pump", "setting"),
        (
            Figure("min", "Least setting", own_unit),
            Figure("max", "Highest setting", own_unit),
            Figure("step", "Smallest increment", own_unit),
        ),
        as_is("pump", "setting"),
    ),
}
