"""The finding of an audit in words, and where every encounter and charge row ended, as HTML."""

from collections.abc import Mapping

import polars as pl

from subq_toolkit.audit.audited_tables import AGREEING, CLASSES, JUDGED
from subq_toolkit.panels.audit_pages import dollars, share
from subq_toolkit.panels.html_parts import section, table, text

_ENDS = {
    "compared": "held against the chart",
    "set_aside": "of other codes, set aside",
    "superseded": "undone later",
    "refused": "not readable",
}


def numbers_page(rates: dict) -> str:
    """How many are judged, how many have an error, and what that is worth.

    Parameters
    ----------
    rates
        The row of all that ``error_rates`` tells of encounters.
    """
    judged, errors, unjudged = rates["judged"], rates["errors"], rates["not_judged"]
    every = judged + unjudged
    parts = [
        (
            f"{judged:,} of {every:,} encounters judged",
            "of the others no one can say yet; they are in no rate and no amount"
            if unjudged
            else "",
        ),
    ]
    if judged:
        even = errors - rates["over"] - rates["under"]
        parts += [
            (
                f"{errors:,} have an error: {share(rates['rate'])}",
                f"95 % interval {share(rates['rate_low'])} to {share(rates['rate_high'])}; "
                f"{rates['over']:,} over, {rates['under']:,} under, {even:,} without a "
                f"difference in dollars",
            ),
            (_net(rates), _sides(rates)),
        ]
    items = "".join(f"<li><b>{said}</b><small>{more}</small></li>" for said, more in parts)
    return f'<ul class="sq-told">{items}</ul>'


def _net(rates: dict) -> str:
    net = rates["net_usd"]
    if not net:
        return "$0.00 net"
    return f"{dollars(abs(net))} net {'over' if net > 0 else 'under'}"


def _sides(rates: dict) -> str:
    told = f"{dollars(rates['over_usd'])} over less {dollars(rates['under_usd'])} under"
    n = rates["no_price"]
    return f"{told}; {n:,} error{'s' * (n != 1)} without a known price, in no amount" if n else told


def encounters_page(classes: Mapping[str, int]) -> str:
    """Every encounter by what became of it; they add up.

    Parameters
    ----------
    classes
        Encounters by their gravest class.
    """
    errors = sum(n for name, n in classes.items() if CLASSES[name]["error"])
    agrees = classes.get("agrees", 0)
    others = [name for name in CLASSES if name != "agrees" and classes.get(name)]
    rows = [["billed as charted", f"{agrees:,}"]]
    for name in others:
        if name in AGREEING:
            rows.append([text(CLASSES[name]["label"].lower()), f"{classes[name]:,}"])
    rows.append(["with an error", f"{errors:,}"])
    for name in others:
        if name not in JUDGED:
            label = text(CLASSES[name]["label"].lower())
            rows.append([f"not judged: {label}", f"{classes[name]:,}"])
    shown = table(["encounters", "count"], rows, name="Encounters", numeric=1)
    return section("Every encounter", shown, f"{sum(classes.values()):,} in all")


def counts_page(ends: Mapping[str, int], reasons: Mapping[str, pl.DataFrame]) -> str:
    """Where each charge row ended, and why it is not compared; they add up.

    Parameters
    ----------
    ends
        What ``Audit.reconcile`` returned.
    reasons
        By end the reasons and their rows.
    """
    rows = []
    for end, said in _ENDS.items():
        why = "".join(
            f"<small>{n:,}: {text(reason)}</small>"
            for reason, n in reasons.get(end, pl.DataFrame()).iter_rows()
        )
        rows.append([f"{said}{why}", f"{ends[end]:,}"])
    shown = table(["charge rows", "count"], rows, name="Charge rows", numeric=1)
    return section("Every charge row", shown, f"{ends['rows_in']:,} in all")
