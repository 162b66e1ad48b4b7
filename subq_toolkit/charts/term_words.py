"""Terms of a scenario in words, and the caption that says where a chart's money is from."""

import re
from dataclasses import fields

from subq_toolkit.charts.captions import coded_of
from subq_toolkit.charts.money_words import plain
from subq_toolkit.charts.wording import amount
from subq_toolkit.fees import Contract, Outpatient, Physician
from subq_toolkit.scenarios import MinuteSummary, Scenario

_TERMS = {
    "hospital": "terms of the hospital",
    "office": "terms of the office",
    "home": "terms at home",
    "setting": "place of service",
    "on": "prices of another day",
    "payer_rates": "rates of payers",
    "payer_mix": "mix of payers",
    "denial_rate": "denials",
    "recovered_share": "stops found",
    "further_setup_share": "further set-ups",
    "stretch": "minutes stretched",
    "shift_min": "minutes shifted",
    "unit_cap": "cap on further hours",
    "work": "policy of coding",
}
_UNSET = {"on": "day of service", "unit_cap": "as coded"}
_SHARES = ("denial_rate", "recovered_share", "further_setup_share")
_PLACES = ("hospital", "office", "home")
_KIND = re.compile(r"(Outpatient|Physician|Contract)\(")
_FIELD = re.compile(r"(\w+)=('[^']*'|Decimal\('[^']*'\)|[^,()]+)")
_SCHEDULES = {"Outpatient": ("OPPS", Outpatient), "Physician": ("MPFS", Physician)}


def term_name(field: str) -> str:
    """A field of ``Scenario`` in words; any other name as it is."""
    return _TERMS.get(field, plain(field))


def value_name(field: str, text: str) -> str:
    """The value of a field, given as text, in words: 0.02 as 2 %, -3.0 as −3 min."""
    told = plain(text)
    if found := _KIND.match(told):
        return _terms_in_words(found[1], told)
    try:
        number = float(told)
    except ValueError:
        unset = _UNSET.get(field, "no terms")
        return unset if told == "None" else told.replace("_", " ")
    sign = "−" if number < 0 else ""
    if field in _SHARES:
        return f"{sign}{amount(100 * abs(number))} %"
    if field == "stretch":
        return f"×{amount(number)}"
    return f"{sign}{amount(abs(number))}{' min' * (field == 'shift_min')}"


def _terms_in_words(kind: str, text: str) -> str:
    """A schedule, from its text: what differs from its defaults."""
    given = {name: value.removeprefix("Decimal(").strip("')") for name, value in
             _FIELD.findall(text)}  # fmt: skip
    if kind == "Contract":
        return f"contract {given.get('name', '')}".strip()
    short, made = _SCHEDULES[kind]
    usual = {field.name: str(field.default) for field in fields(made)}
    usual["place"] = "office"
    other = [
        f"{name.replace('_', ' ')} {value.replace('_', ' ')}"
        for name, value in given.items()
        if value not in (usual.get(name), "as_charted")
    ]
    return ", ".join(other) or f"{short} national"


def terms_caption(summary: MinuteSummary, *scenarios: Scenario) -> str:
    """Say where the money of a chart is from: how many encounters, prices, schedules and rules.

    Parameters
    ----------
    summary
        What ``minute_summary`` made.
    scenarios
        Those that the chart shows.
    """
    parts = [coded_of(summary.coded, summary.encounters), _prices(scenarios)]
    there = {place if place in _PLACES else "office" for place in summary.places}
    places = [place for place in _PLACES if place in there]
    parts.append(", ".join(dict.fromkeys(_schedules(places, scenarios))))
    first, last = summary.span("period")
    if first:
        parts.append(f"rules of {first.year}" + f" to {last.year}" * (last.year > first.year))
    return " · ".join(filter(None, parts))


def _prices(scenarios: tuple[Scenario, ...]) -> str:
    days = sorted({str(one.on or "the day of service") for one in scenarios})
    return f"prices of {' and '.join(days)}" if days else ""


def _schedules(places: list[str], scenarios: tuple[Scenario, ...]) -> list[str]:
    """Schedules under which the work of each scenario is priced, in its order."""
    told = []
    for one in scenarios:
        for place in places if one.setting == "as_charted" else [one.setting]:
            terms = getattr(one, place)
            told.append(_schedule(terms) if terms else f"no terms for {place}")
    return told


def _schedule(terms: Physician | Outpatient | Contract) -> str:
    if isinstance(terms, Contract):
        return f"contract {plain(terms.name)}"
    return terms.name.replace("mpfs", "MPFS", 1).replace("opps", "OPPS", 1)
