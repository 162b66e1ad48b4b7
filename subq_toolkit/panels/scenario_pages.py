"""Tables of the scenario panel as HTML. Values in, text out."""

import polars as pl

from subq_toolkit.charts.term_words import term_name
from subq_toolkit.panels.html_parts import note, section, source, table, text
from subq_toolkit.scenarios import MinuteSummary

_TOTAL = "total"
_ALLOWED = (
    "Expected is what the stated terms allow, before deductible, coinsurance and sequestration; "
    "every payer pays it in full unless ‘Payers pay’ says less. Per encounter: of those priced."
)
#: By how much the share of units without a price may differ before it is said aloud. [1]
_ALIKE = 0.01
_NOT_ALIKE = (
    "The scenarios differ in the units without a price, so their difference is not like for like: "
    "a price that is not known is no loss. ‘Sources’ shows which amounts are missing."
)
#: An encounter with units has one unit of one of these, so that they count encounters.
_ONE_EACH = ("first_hour", "short_infusion")


def usd(amount: object, *, signed: bool = False) -> str:
    """An amount for a reader: ``$1,234.56``; a missing one is never a zero."""
    if amount is None:
        return '<span class="sq-missing">no price known</span>'
    number = float(amount)
    sign = "−" if number < 0 else "+" * (signed and number > 0)
    return f"{sign}${abs(number):,.2f}"


def totals_page(compared: pl.DataFrame, summary: MinuteSummary) -> str:
    """Units, payment and difference per scenario and code, and payment of an encounter."""
    paid = pl.col("role").is_in(_ONE_EACH)
    with_price = (pl.col("units") - pl.col("units_without_price")).sum()
    encounters = dict(compared.filter(paid).group_by("scenario").agg(with_price).rows())
    first = compared["scenario"].is_first_distinct()
    rows = [
        (
            f"<b>{text(row['scenario'])}</b>" if begins else "",
            f"<b>{text(row['code'])}</b>" if row["code"] == _TOTAL else text(row["code"]),
            f"{row['units']:,.1f}".removesuffix(".0"),
            usd(row["expected_usd"]),
            usd(row["difference_usd"], signed=True),
            _each(row["expected_usd"], encounters.get(row["scenario"], 0)),
            f"{row['units_without_price']:,.0f}" if row["units_without_price"] else "",
        )
        for row, begins in zip(compared.iter_rows(named=True), first, strict=True)
    ]
    heads = ("Scenario", "Code", "Units", "Expected", "To the baseline", "Per encounter",
             "Units without a price")  # fmt: skip
    share = pl.col("units_without_price") / pl.col("units")
    shares = compared.filter(pl.col("code") == _TOTAL).select(share.fill_nan(0))
    apart = note(_NOT_ALIKE) if (shares.max() - shares.min()).item() > _ALIKE else ""
    page = table(heads, rows, name="Totals", numeric=3, figures=(2, 4, 5, 6))
    remark = f"{summary.coded:,} coded encounters"
    return section("Totals", page, remark) + apart + f'<p class="sq-quiet">{_ALLOWED}</p>'


def _each(amount: object, encounters: float) -> str:
    return usd(float(amount) / encounters) if amount is not None and encounters else ""


def bridge_page(steps: pl.DataFrame) -> str:
    """Each step of a bridge, and the total after it."""
    rows = [
        (
            text(term_name(row["step"])),
            "" if row["change_usd"] is None else usd(row["change_usd"], signed=True),
            usd(row["total_usd"]),
            f"{row['units_without_price']:,.0f}",
        )
        for row in steps.iter_rows(named=True)
    ]
    heads = ("Step", "Change", "Total after it", "Units without a price after it")
    page = table(heads, rows, name="Bridge", numeric=1, figures=(2, 3))
    said = "One term at a time, in this order; the changes add up to the cent."
    return section("Bridge", page) + f'<p class="sq-quiet">{said}</p>'


def missing_stops_page(values: pl.DataFrame) -> str:
    """What each missing start or stop is worth, by place."""
    rows = [
        (
            text(row["place"].replace("_", " ")),
            f"{row['waiting']:,}",
            usd(row["each_usd"]),
            usd(row["all_usd"]),
        )
        for row in values.iter_rows(named=True)
    ]
    heads = ("Place", "Encounters waiting", "Each", "All")
    page = table(heads, rows, name="Missing times", numeric=3, figures=(1, 2))
    said = "Taken at the mean of the coded encounters of the same place."
    return section("Missing start or stop", page) + f'<p class="sq-quiet">{said}</p>'


def rates_page(card: pl.DataFrame, scenario: str, nowhere: int) -> str:
    """The amounts behind a scenario, with arithmetic and source; each from its first day on."""
    one = card.filter(pl.col("units") == 1, pl.col("place") != "not_stated")
    one = one.sort("place", "code", "day", descending=[False, False, True])
    one = one.filter(pl.struct("place", "code", "cents", "basis", "cite").is_last_distinct())
    rows = [
        (
            text(row["place"]),
            f"<b>{text(row['code'])}</b>",
            usd(None if row["cents"] is None else row["cents"] / 100),
            f"{_why(row)}<small>{text(row['schedule'] or 'no schedule')}, prices from "
            f"{row['day']}</small>{source(row['cite'])}",
        )
        for row in one.iter_rows(named=True)
    ]
    heads = ("Place", "Code", "One unit", "Why, with source")
    page = table(heads, rows, name="Rates", numeric=2)
    said = f"{nowhere:,} encounters without a charted place are priced as office work."
    apart = f'<p class="sq-quiet">{said}</p>' if nowhere else ""
    return section("Where these amounts come from", page, scenario) + apart


def _why(row: dict) -> str:
    said = row["basis"] or ""
    return text(said if said.startswith(row["status"]) else f"{row['status']}: {said}")


def break_even_page(found: pl.DataFrame) -> str:
    """The arithmetic of the break-even."""
    row = found.row(0, named=True)
    rows = [
        ("Payment of an encounter", usd(row["payment_usd"])),
        (
            f"Cost of an encounter ({row['hours_per_encounter']:.2f} h, "
            f"{row['setups_per_encounter']:.2f} set-ups)",
            usd(row["cost_usd"]),
        ),
        ("Margin of an encounter", usd(row["margin_usd"], signed=True)),
        (
            "Encounters without a price for each code, left out",
            f"{row['encounters_without_price']:,}",
        ),
        (
            "Encounters that carry the fixed cost",
            "no volume is enough"
            if row["break_even_encounters"] is None
            else f"{row['break_even_encounters']:,}",
        ),
    ]
    return section("Break-even", table(("What", "How much"), rows, name="Break-even", numeric=1))


def market_page(found: pl.DataFrame) -> str:
    """Where each charge stands among the published hospital prices."""
    rows = [
        (
            f"<b>{text(row['code'])}</b>",
            usd(row["amount_usd"]),
            usd(row["median"]),
            f"{text(row['position'] or '')}<small>{text(row['basis'])}</small>"
            f"{source(row['cite'])}",
        )
        for row in found.iter_rows(named=True)
    ]
    heads = ("Code", "Our charge", "Median", "Where it stands")
    page = table(heads, rows, name="Market", numeric=1, figures=(2,))
    return section("Charges against the market", page)
