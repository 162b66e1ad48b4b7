"""One encounter of an audit as HTML: billed beside supported, the judgement, the reasoning."""

import polars as pl

from subq_toolkit.audit import CLASSES
from subq_toolkit.panels.audit_case import Case
from subq_toolkit.panels.audit_pages import dollars, units
from subq_toolkit.panels.html_parts import section, source, table, text

_SIGNS = {"over": "▲ over", "under": "▼ under", "even": "● even", "not judged": "○ not judged"}


def case_page(case: Case) -> str:
    """Billed beside supported, then the judgement of each code with its rule and source."""
    return (
        f'{_head(case.lines)}<div class="sq-columns"><div>{_billed(case.billed)}</div>'
        f"<div>{_supported(case)}</div></div>{_judgement(case.lines)}"
    )


def _head(lines: pl.DataFrame) -> str:
    """Whose encounter it is: payer, place, coder, and until when the claim may be corrected."""
    if lines.is_empty():
        return ""
    row = lines.row(0, named=True)
    setting = (row["setting"] or "").replace("_", " ")
    parts = [row["payer"], row["department"], setting, row["coder"]]
    told = [text(part) for part in parts if part]
    if row["file_by"] is not None:
        days = row["days_left"]
        left = f"{days:,} days left" if days >= 0 else f"▲ past by {-days:,} days"
        told.append(f"to be filed by {row['file_by']} ({left})")
    return f'<p class="sq-quiet">{" · ".join(told)}</p>' if told else ""


def _billed(billed: pl.DataFrame) -> str:
    rows = [
        [
            f"<b>{text(row['code'])}</b><small>{text(row['modifiers'])}</small>",
            str(row["units"]),
            text(row["revenue_code"]),
            f'<span class="sq-severity">{text(row["service_date"])}</span>',
            f"{text(row['claim_id'])}<small>{text(row['because'] or 'counts')}</small>",
        ]
        for row in billed.rows(named=True)
    ]
    if not rows:
        return section("Billed", '<p class="sq-quiet">Nothing was billed.</p>')
    heads = ["code", "units", "revenue code", "date", "claim"]
    return section("Billed", table(heads, rows, name="Billed", numeric=1))


def _supported(case: Case) -> str:
    if case.charted is None:
        said = "The chart has no such encounter."
        return section("Supported by the chart", f'<p class="sq-quiet">{said}</p>')
    rows = [
        [
            f"<b>{text(row['code'])}</b>",
            str(row["units"]),
            text(row["revenue_code"]),
            f'<span class="sq-severity">{text(row["service_date"])}</span>',
            f"{text(row['why'])}{source(row['cite'])}",
        ]
        for row in case.charted.lines.rows(named=True)
    ]
    outcome = f"outcome {case.charted.outcome}"
    if not rows:
        said = '<p class="sq-quiet">No line is supported yet.</p>' + _open(case)
        return section("Supported by the chart", said, outcome)
    heads = ["code", "units", "revenue code", "date", "why"]
    return section("Supported by the chart", table(heads, rows, name="Supported", numeric=1),
                   outcome)  # fmt: skip


def _open(case: Case) -> str:
    grave = case.charted.findings.filter(pl.col("severity") == "high")
    told = "".join(
        f"<li>{text(row['detail'])} {text(row['what_to_do'])}</li>"
        for row in grave.rows(named=True)
    )
    return f"<ul>{told}</ul>" if told else ""


def _judgement(lines: pl.DataFrame) -> str:
    rows = [
        [
            f"<b>{text(row['code'])}</b>",
            units(row),
            f"<b>{text(CLASSES[row['class']]['label'])}</b>"
            f"<small>{text(_SIGNS[row['direction']])}</small>",
            f"{text(row['reason'])}{source(row['cite'])}",
            dollars(row["difference_usd"], sign=True),
            text(row["what_to_do"]),
        ]
        for row in lines.rows(named=True)
    ]
    heads = ["code", "units", "class", "why", "difference", "what to do"]
    shown = table(heads, rows, name="Judgement", numeric=4)
    return section("Judgement", shown if rows else '<p class="sq-quiet">Nothing to compare.</p>')


def steps_page(steps: pl.DataFrame | None) -> str:
    """The reasoning from charted minutes to units, step by step."""
    if steps is None or steps.is_empty():
        return ""
    rows = [
        [
            text(row["step"].replace("_", " ")),
            f"{text(row['value'])} {text(row['unit'])}",
            f"{text(row['why'])}{source(row['cite'])}",
        ]
        for row in steps.rows(named=True)
    ]
    return section("From minutes to units", table(["step", "value", "why"], rows, name="Steps",
                                                  numeric=1))  # fmt: skip
