"""What the column-map wizard says as HTML: the file, its first rows, checks, outcomes, code."""

from collections.abc import Mapping

import polars as pl

from subq_toolkit.coding import Coded
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
    "missing": "Not charted in readable rows",
    "encounters": "Encounters",
}
_REPORTED = ("column", "read_from", "format", "filled", "unreadable")
MOST_SHOWN, _MOST_CELL, _MOST_PREVIEWED, _COMMONEST = 60, 28, 14, 8


def shape_words(name: str) -> str:
    """What a row of a shape is, in words."""
    return _SHAPES[name]


def sureness(confidence: float | None) -> str:
    """How sure a proposal is, as word and number."""
    if confidence is None:
        return ""
    word = "sure" if confidence >= 0.9 else "likely" if confidence >= 0.6 else "a guess"
    return f"{word} ({_percent(confidence)})" if confidence else "not possible: a column is missing"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def step(number: int, title: str) -> str:
    """The heading of a step."""
    return f"<h2>{number} · {title}</h2>"


def file_page(label: str, about: str, suggestion: Suggestion, questions: list[str]) -> str:
    """The file, its first rows, and what it leaves open."""
    seen = f"{text(about)}; {suggestion.rows:,} rows looked at, {suggestion.columns.height} columns"
    asked = "".join(f"<li><b>?</b> {text(one)}</li>" for one in questions)
    open_points = f'<ul class="sq-marks" aria-label="Open questions">{asked}</ul>' if asked else ""
    named = f"<p><b>{text(cut(label, 80))}</b> <span class='sq-remark'>{seen}</span></p>"
    return named + step(2, "First rows") + preview_page(suggestion.preview) + open_points


def preview_page(preview: pl.DataFrame) -> str:
    """The first rows as text; long cells and many columns are cut."""
    shown = preview[:, :_MOST_PREVIEWED]
    rows = [[text(cut(cell)) for cell in row] for row in shown.rows()]
    heads = [text(cut(name)) for name in shown.columns]
    left = preview.width - shown.width
    remark = f'<p class="sq-quiet">{left} more columns are not shown.</p>' if left else ""
    grid = table(heads, rows, name="First rows", numeric=-1)
    return f'<div class="sq-scrolled tex2jax_ignore mathjax_ignore" tabindex="0">{grid}</div>' + (
        remark
    )


def cut(cell: object, most: int = _MOST_CELL) -> str:
    """A value as one short line."""
    told = "" if cell is None else str(cell)
    return told if len(told) <= most else f"{told[: most - 1]}…"


def shape_page(suggestion: Suggestion, shape: str) -> str:
    """What the rows seem to be, and that nothing is read yet."""
    said = f"A row seems to be {_SHAPES[suggestion.shape]}: {sureness(suggestion.confidence)}. "
    if shape != suggestion.shape:
        said = f"A row is read as {_SHAPES[shape]}. "
    return f'<p class="sq-quiet">{said}Nothing is read before you press the button below.</p>'


def proposal_page(row: dict) -> str:
    """Why a column was proposed, and how much of it can be read so."""
    if row["column"] is None:
        return f'<span class="sq-quiet">rides along; filled {_percent(row["filled"])}</span>'
    second = (
        f"; or {row['runner_up']}, {sureness(row['runner_up_confidence'])}"
        if row["runner_up"]
        else ""
    )
    unread = f"; {row['unreadable']:,} not readable" if row["unreadable"] else ""
    why = f"{sureness(row['confidence'])} by {row['why']}{second}; filled {_percent(row['filled'])}"
    return f'<span class="sq-quiet">{text(why + unread)}</span>'


def commonest(coded: Coded) -> pl.DataFrame:
    """The findings that most encounters have."""
    return (
        coded.findings.filter(pl.col("encounter_id").is_not_null())
        .group_by("finding", "what_to_do")
        .agg(encounters=pl.col("encounter_id").n_unique())
        .sort("encounters", "finding", descending=[True, False])
        .head(_COMMONEST)
        .collect()
    )


def result_page(
    checks: pl.DataFrame,
    outcomes: Mapping[str, int],
    findings: pl.DataFrame,
    report: pl.DataFrame,
) -> str:
    """The four outcomes, which add up, then the checks, the commonest findings, the columns."""
    return (
        step(4, "Checks")
        + '<p class="sq-quiet">Coded under the default policy; code can state another.</p>'
        + f'<div class="sq-side">{_outcomes(outcomes)}{_checks(checks)}</div>'
        + _findings(findings)
        + _report(report)
    )


def sum_words(outcomes: Mapping[str, int]) -> str:
    """Where the rows ended, as a sum."""
    added = " + ".join(f"{outcomes[name]:,} {name}" for name in _OUTCOMES)
    return f"{outcomes['rows_in']:,} rows in = {added}"


def _outcomes(outcomes: Mapping[str, int]) -> str:
    rows = [[text(words), f"{outcomes[name]:,}"] for name, words in _OUTCOMES.items()]
    added = " + ".join(f"{outcomes[name]:,}" for name in _OUTCOMES)
    remark = f"{outcomes['rows_in']:,} rows in = {added}"
    shown = table(["outcome", "rows"], rows, name="Outcomes", numeric=1)
    return f"<div>{section('Where every row ended', shown, remark)}</div>"


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
    parts = []
    for kind in checks["kind"].unique(maintain_order=True):
        rows = [
            [text(row["check"]), f"{row['count']:,}"]
            for row in checks.filter(pl.col("kind") == kind).rows(named=True)
        ]
        title = _KINDS.get(kind, kind)
        shown = table(["check", "count"], rows, name=title, numeric=-1, figures=[1])
        parts.append(f"<div>{section(title, shown)}</div>")
    return "".join(parts)


def _report(report: pl.DataFrame) -> str:
    known = report.filter(pl.col("column") != "(rows)").drop_nulls("filled")
    rows = [[text(cut(cell, 60)) for cell in row] for row in known.select(_REPORTED).rows()]
    heads = ["column", "read from", "format", "filled", "not readable"]
    shown = table(heads, rows, name="Columns as read", numeric=-1, figures=[3, 4])
    summary = f"How each of the {len(rows)} columns was read"
    return f'<details class="sq-report"><summary>{summary}</summary>{shown}</details>'


def code_page(in_code: str, column_map: ColumnMap, saved: str) -> str:
    """The same in code, with the map that was saved or is to be saved."""
    zone = column_map.facility_zone
    stated = f", facility_zone={zone!r}" if zone else ""
    lines = [
        "import subq_toolkit as sq",
        f"column_map = sq.ColumnMap.load({saved!r})",
        f"export = sq.read_administrations({in_code}, columns=column_map)",
        f"coded = sq.code_administrations(export.administrations{stated})",
        "coded.reconcile()",
    ]
    remark = "once the map is saved where the notebook works"
    return section("Carry on in code", f"<pre>{text(chr(10).join(lines))}</pre>", remark)
