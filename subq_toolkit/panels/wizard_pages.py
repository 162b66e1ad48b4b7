"""What the column-map wizard says as HTML: the file, its first rows, checks, outcomes, code."""

from collections.abc import Mapping

import polars as pl

from subq_toolkit.panels.html_parts import section, table, text
from subq_toolkit.readers import ColumnMap, Suggestion

_SHAPES = {
    "start_stop": "a run with start and stop",
    "start_duration": "a run with a start and a length",
    "start_volume_rate": "a run with a start, a volume and a rate",
    "event_log": "one event of a log",
}
_OUTCOMES = {
    "coded": "✓ coded",
    "query": "? query: a fact is missing from the chart",
    "refer": "→ refer: a coder decides",
    "refused": "✕ refused: not readable",
}
_KINDS = {
    "events": "Events",
    "rows": "Rows",
    "refused": "Refused, by check",
    "unreadable": "Not readable, by entry",
    "missing": "Not charted",
    "encounters": "Encounters",
}
MOST_SHOWN, _MOST_CELL, _MOST_PREVIEWED = 60, 28, 14


def shape_words(name: str) -> str:
    """What a row of a shape is, in words."""
    return _SHAPES[name]


def sureness(confidence: float | None) -> str:
    """How sure a proposal is, as word and number."""
    if confidence is None:
        return ""
    word = "sure" if confidence >= 0.9 else "likely" if confidence >= 0.6 else "a guess"
    return f"{word} ({_percent(confidence)})"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def file_page(label: str, about: str, suggestion: Suggestion) -> str:
    """The file, what its rows seem to be, what it leaves open, and its first rows."""
    seen = f"{suggestion.rows:,} rows looked at, {suggestion.columns.height} columns"
    seen = f"{text(about)}; {seen}" if about else seen
    said = f"A row seems to be {_SHAPES[suggestion.shape]}: {sureness(suggestion.confidence)}."
    asked = "".join(f"<li>{text(one)}</li>" for one in suggestion.questions)
    open_points = f'<ul class="sq-marks">{asked}</ul>' if asked else ""
    named = f"<p><b>{text(label)}</b> <span class='sq-remark'>{seen}</span><br>{said}</p>"
    return named + open_points + preview_page(suggestion.preview)


def preview_page(preview: pl.DataFrame) -> str:
    """The first rows as text; long cells and many columns are cut."""
    shown = preview[:, :_MOST_PREVIEWED]
    rows = [[text(_cut(cell)) for cell in row] for row in shown.rows()]
    heads = [text(_cut(name)) for name in shown.columns]
    left = preview.width - shown.width
    remark = f"{left} more columns are not shown" if left else ""
    grid = table(heads, rows, name="First rows", numeric=-1)
    return section("First rows", f'<div class="sq-scrolled">{grid}</div>', remark)


def _cut(cell: object) -> str:
    told = "" if cell is None else str(cell)
    return told if len(told) <= _MOST_CELL else f"{told[: _MOST_CELL - 1]}…"


def proposal_page(row: dict) -> str:
    """Why a column was proposed, and how much of it can be read so."""
    if row["column"] is None:
        return '<span class="sq-quiet">rides along</span>'
    second = (
        f"; or {row['runner_up']}, {sureness(row['runner_up_confidence'])}"
        if row["runner_up"]
        else ""
    )
    unread = f"; {row['unreadable']:,} not readable" if row["unreadable"] else ""
    why = f"{sureness(row['confidence'])} by {row['why']}{second}; filled {_percent(row['filled'])}"
    return f'<span class="sq-quiet">{text(why + unread)}</span>'


def result_page(checks: pl.DataFrame, outcomes: Mapping[str, int], findings: pl.DataFrame) -> str:
    """The four outcomes, which add up, then the checks and the commonest findings."""
    return _outcomes(outcomes) + _findings(findings) + _checks(checks)


def _outcomes(outcomes: Mapping[str, int]) -> str:
    rows = [[text(words), f"{outcomes[name]:,}"] for name, words in _OUTCOMES.items()]
    added = " + ".join(f"{outcomes[name]:,}" for name in _OUTCOMES)
    remark = f"{outcomes['rows_in']:,} rows in = {added}"
    shown = table(["outcome", "rows"], rows, name="Outcomes", numeric=1)
    return section("Where every row ended", shown, remark)


def _findings(findings: pl.DataFrame) -> str:
    rows = [
        [
            f"<b>{text(row['finding'].replace('_', ' '))}</b>",
            f"{row['encounters']:,}",
            text(row["what_to_do"]),
        ]
        for row in findings.rows(named=True)
    ]
    if not rows:
        return section("Findings", '<p class="sq-quiet">Nothing to look at.</p>')
    heads = ["finding", "encounters", "what to do"]
    return section("Findings", table(heads, rows, name="Findings", numeric=1), "the commonest")


def _checks(checks: pl.DataFrame) -> str:
    rows = [
        [text(_KINDS.get(row["kind"], row["kind"])), text(row["check"]), f"{row['count']:,}"]
        for row in checks.rows(named=True)
    ]
    heads = ["what", "check", "count"]
    return section("Checks", table(heads, rows, name="Checks", numeric=2))


def code_page(label: str, column_map: ColumnMap, saved: str) -> str:
    """The same in code, with the map that was saved or is to be saved."""
    zone = column_map.facility_zone
    lines = [
        "import subq_toolkit as sq",
        f"column_map = sq.ColumnMap.load({saved!r})",
        f"export = sq.read_administrations({label!r}, columns=column_map)",
        f"coded = sq.code_administrations(export.administrations, facility_zone={zone!r})",
        "coded.reconcile()",
    ]
    return section("Carry on in code", f"<pre>{text(chr(10).join(lines))}</pre>")
