"""Tables of the scenario panel as HTML. Values in, text out."""

import polars as pl

from subq_toolkit.charts.term_words import term_name
from subq_toolkit.panels.html_parts import section, source, table, text
from subq_toolkit.scenarios import MinuteSummary

_TOTAL = "total"
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
    timed = pl.col("minutes").is_not_null()
    coded = summary.counts.filter(pl.col("outcome") == "coded", timed)["encounters"].sum()
    paid = pl.col("role").is_in(_ONE_EACH)
    encounters = dict(compared.filter(paid).group_by("scenario").agg(pl.col("units").sum()).rows())
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
    page = table(heads, rows, name="Totals", numeric=3, figures=(2, 4, 5, 6))
    return section("Totals", page, f"{coded:,} coded encounters")


def _each(amount: object, encounters: float) -> str:
    return usd(float(amount) / encounters) if amount is not None and encounters else ""


def bridge_page(steps: pl.DataFrame) -> str:
    """Each step of a bridge, and the total after it."""
    rows = [
        (
            text(term_name(row["step"])),
            "" if row["change_usd"] is None else usd(row["change_usd"], signed=True),
            usd(row["total_usd"]),
        )
        for row in steps.iter_rows(named=True)
    ]
    page = table(("Step", "Change", "Total after it"), rows, name="Bridge", numeric=1, figures=(2,))
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


def rates_page(card: pl.DataFrame, scenario: str) -> str:
    """The amounts behind a scenario, with arithmetic and source."""
    one = card.filter(pl.col("units") == 1, pl.col("place") != "not_stated")
    one = one.sort("place", "code", maintain_order=True)
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
    return section("Where these amounts come from", page, scenario)


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
