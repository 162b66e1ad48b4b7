"""The calculator's answer as HTML: headline, lines, findings, checklist. Text in, text out.

Whatever a person typed or a file held is escaped by ``html_parts.text``.
"""

from collections.abc import Iterable, Sequence

import polars as pl

from subq_toolkit.effective import read_parameters
from subq_toolkit.encounter import EncounterResult
from subq_toolkit.panels.html_parts import note, section, source, table, text, verdict_box

#: Each outcome with its sign and what it means; the word is always written out.
OUTCOMES = {
    "coded": ("✓", "the times needed are charted"),
    "query": ("?", "a fact is missing from the chart"),
    "refer": ("→", "a coder decides"),
    "refused": ("✕", "no run could be read"),
    "empty": ("…", "nothing typed yet"),
}
_LABELS = {
    version.value: parameter.label
    for parameter in read_parameters("codes").values()
    for version in parameter.values
}
_SEVERITIES = {"high": "▲ high", "medium": "■ medium", "low": "● low"}


def headline(result: EncounterResult | None) -> str:
    """The answer in one line of plain text: units, or what stands in their way."""
    if result is None:
        return "Type a start and a stop to begin"
    if result.outcome == "coded":
        units = " · ".join(f"{code} ×{count}" for code, count in result.units.items())
        return units or "Nothing to report in this family"
    return {
        "query": "Not reported yet: ask for what is missing",
        "refer": "Not reported yet: a coder decides",
        "refused": "Not coded: no run could be read",
    }[result.outcome]


def measure(result: EncounterResult | None) -> str:
    """The minutes behind the headline, as plain text."""
    if result is None:
        return "Times as they stand in the chart: 0915, 9:15 pm or 21:15"
    if result.outcome in ("query", "refer"):
        high = result.findings.filter(pl.col("severity") == "high")["detail"].to_list()
        known = "" if result.infusion_min is None else f"{result.infusion_min} min counted. "
        return known + " ".join(high)
    if result.infusion_min is None:
        return "Every run was refused; the marked entries say why"
    to_next = result.min_to_next_unit
    rest = f", {to_next} min to the next unit" if to_next is not None else ""
    return f"{result.infusion_min} min counted{rest}"


def headline_page(
    result: EncounterResult | None, notes: Sequence[str] = (), *, whole: bool = True
) -> str:
    """The headline with its outcome; ``notes`` say what is not in it, if it is not ``whole``."""
    outcome = "empty" if result is None else result.outcome
    sign, means = OUTCOMES[outcome]
    if not whole:
        sign, means = "▲", "without the entries marked below"
    word = "no runs" if outcome == "empty" else outcome
    look = outcome if whole else "partial"
    box = verdict_box((sign, word, means, look), headline(result), measure(result))
    return box + "".join(map(note, notes))


def lines_page(result: EncounterResult | None) -> str:
    """Lines of the claim with units, revenue code and reason."""
    if result is None or result.lines.is_empty():
        return section("Lines", '<p class="sq-quiet">No line is made.</p>')
    several_days = result.lines["service_date"].n_unique() > 1
    rows = [
        (
            f'<b class="sq-code">{text(row["code"])}</b>',
            str(row["units"]),
            text(row["revenue_code"]) or '<span class="sq-quiet">none</span>',
            f"{text(_LABELS.get(row['code']))}{_on(row) if several_days else ''}<br>"
            f"{text(row['why'])}{source(row['cite'])}",
        )
        for row in result.lines.iter_rows(named=True)
    ]
    heads = ("Code", "Units", "Revenue code", "Why")
    date = f"date of service {result.lines['service_date'].min()}"
    return section("Lines", table(heads, rows, name="Lines", numeric=1), date)


def _on(row: dict) -> str:
    return f" <b>on {row['service_date']}</b>"


def findings_page(result: EncounterResult | None) -> str:
    """What a person must look at, most urgent first, and what to do."""
    if result is None or result.findings.is_empty():
        return section("Findings", '<p class="sq-quiet">Nothing to look at.</p>')
    order = list(_SEVERITIES)
    found = sorted(
        result.findings.iter_rows(named=True), key=lambda row: order.index(row["severity"])
    )
    rows = [
        (
            f'<span class="sq-severity sq-{row["severity"]}">{_SEVERITIES[row["severity"]]}</span>',
            f"<b>{text(row['finding'].replace('_', ' ').capitalize())}</b><br>"
            f"{text(row['detail'])}",
            f"{text(row['what_to_do'])}{source(row['cite'])}",
        )
        for row in found
    ]
    heads = ("Severity", "Finding", "What to do")
    return section("Findings", table(heads, rows, name="Findings", numeric=-1), str(len(rows)))


def checklist_page(checklist: pl.DataFrame | None) -> str:
    """What is missing from the chart and what to do about it, then what is there."""
    if checklist is None or checklist.is_empty():
        return section("Documentation", '<p class="sq-quiet">No run to check.</p>')
    there = checklist.filter("charted")["item"].to_list()
    missing = checklist.filter(~pl.col("charted"))
    rows = [
        (
            '<span class="sq-missing"><span aria-hidden="true">○</span> missing</span>',
            f"{text(row['item'])}<small>for {text(', '.join(row['needed_for']))}</small>",
            f"{_at_stake(row['units_at_stake'])}{text(row['what_to_do'])}{source(row['cite'])}",
        )
        for row in missing.iter_rows(named=True)
    ]
    heads = ("In the chart", "Item", "What to do")
    gaps = table(heads, rows, name="Documentation", numeric=-1) if rows else ""
    charted = f'<p><span class="sq-charted">✓ charted:</span> {text(", ".join(there))}</p>'
    remark = f"{len(rows)} of {checklist.height} missing" if rows else "complete"
    return section("Documentation", gaps + (charted if there else ""), remark)


def _at_stake(units: int | None) -> str:
    return f"<b>{units} unit{'s' * (units != 1)} at stake.</b> " if units else ""


def choice_page(question: str, answers: Iterable[tuple[str, str, str, bool]]) -> str:
    """A question on which sources disagree, with what each answer means and who gives it."""
    items = "".join(
        f"<li{' class=sq-chosen' if chosen else ''}><b>{text(answer)}</b> {text(means)}"
        f"<small>{text(cite)}</small></li>"
        for answer, means, cite, chosen in answers
    )
    return f'<p class="sq-question">{text(question)}</p><ul class="sq-answers">{items}</ul>'
