"""What stands beneath the charts of an audit as HTML: counts, classes, groups, list, case."""

import polars as pl

from subq_toolkit.audit import CLASSES
from subq_toolkit.audit.verdicts import Verdicts
from subq_toolkit.panels.html_parts import section, source, table, text

_RISKS = {"high": "▲ high", "medium": "■ medium", "low": "● low", "none": "none"}
_ENDS = {
    "compared": "held against the chart",
    "set_aside": "of other codes, set aside",
    "superseded": "replaced, voided or reversed later",
    "refused": "not readable",
}


def dollars(amount: object, *, sign: bool = False) -> str:
    """An amount to the cent; a dash where no price is known."""
    if amount is None:
        return '<span class="sq-quiet" title="no price is known">—</span>'
    value = float(amount)
    mark = "−" if value < 0 else "+" if sign and value > 0 else ""
    return f'<span class="sq-severity">{mark}${abs(value):,.2f}</span>'


def counts_page(ends: dict[str, int]) -> str:
    """Where each charge row ended; they add up."""
    rows = [[text(said), f"{ends[end]:,}"] for end, said in _ENDS.items()]
    shown = table(["charge rows", "rows"], rows, name="Charge rows", numeric=1)
    return section("Every charge row", shown, f"{ends['rows_in']:,} in all")


def classes_page(lines: pl.DataFrame) -> str:
    """Every class that was found: how often, its dollars, what to do and who says so."""
    found = lines.group_by("class").agg(
        pl.len(),
        pl.col("encounter_id").n_unique().alias("encounters"),
        over=pl.col("difference_usd").filter(pl.col("difference_usd") > 0).sum(),
        under=pl.col("difference_usd").filter(pl.col("difference_usd") < 0).sum(),
        unknown=pl.col("difference_usd").null_count(),
    )
    by_name = {row["class"]: row for row in found.rows(named=True)}
    rows = []
    for name in sorted(by_name, key=lambda name: _place(name, by_name[name])):
        row, entry = by_name[name], CLASSES[name]
        judged = entry["error"] or name == "agrees"
        rows.append(
            [
                f"<b>{text(entry['label'])}</b>{_risk(entry['risk'])}",
                f"{row['len']:,}",
                f"{row['encounters']:,}",
                dollars(row["over"]) if judged else "",
                dollars(row["under"]) if judged else "not judged",
                f"{text(entry['what_to_do'])}{source(_cite(lines, name))}",
            ]
        )
    heads = ["class", "codes", "encounters", "over", "under", "what to do"]
    shown = table(heads, rows, name="Classes", numeric=1, figures=(2, 3, 4))
    return section("By class", shown, "a code of an encounter has one class, the gravest")


def _place(name: str, row: dict) -> tuple[bool, bool, object, str]:
    """Errors first, most dollars first; then what agrees, then what is not judged."""
    error = CLASSES[name]["error"]
    size = max(row["over"] or 0, -(row["under"] or 0))
    return not error, not error and name != "agrees", -size, name


def _risk(risk: str) -> str:
    return "" if risk == "none" else f"<small>{_RISKS[risk]} risk</small>"


def _cite(lines: pl.DataFrame, name: str) -> str:
    return lines.filter(pl.col("class") == name)["cite"].first()


def groups_page(rates: pl.DataFrame, name: str) -> str:
    """Error rates by group, with their intervals."""
    rows = [
        [
            f"<b>{text('all' if row['scope'] == 'all' else row[rates.columns[0]])}</b>",
            f"{row['judged']:,}",
            f"{row['errors']:,}",
            _share(row["rate"]),
            f"{_share(row['rate_low'])} to {_share(row['rate_high'])}" if row["judged"] else "",
            dollars(row["over_usd"]),
            dollars(row["under_usd"]),
            f"{row['not_judged']:,}",
        ]
        for row in rates.rows(named=True)
    ]
    heads = [text(name), "judged", "errors", "rate", "interval (95 %)", "over", "under",
             "not judged"]  # fmt: skip
    return table(heads, rows, name="Error rates", numeric=3, figures=(1, 2, 5, 6, 7))


def _share(rate: float | None) -> str:
    return "" if rate is None else f"{rate:.1%}".replace("%", " %")


def worklist_page(rows: pl.DataFrame, most: int) -> str:
    """The rows to be worked, as many as a page takes."""
    shown = [
        [
            f"{row['rank']:,}",
            f"<b>{text(row['encounter_id'])}</b>{_day(row['service_date'])}",
            f"<b>{text(row['code'])}</b><small>{units(row)}</small>",
            f"<b>{text(row['finding'])}</b><small>{text(row['reason'])}</small>",
            dollars(row["difference_usd"], sign=True),
            text(_RISKS[row["risk"]]),
            _left(row),
            f"{text(row['what_to_do'])}<small>{text(row['payer'])}</small>",
        ]
        for row in rows.head(most).rows(named=True)
    ]
    heads = ["rank", "encounter", "code", "finding", "difference", "risk", "days left",
             "what to do"]  # fmt: skip
    cells = table(heads, shown, name="Worklist", numeric=4)
    n = rows.height
    more = f"the first {most:,}; the workbook holds all" if n > most else ""
    return section(f"{n:,} row{'s' * (n != 1)} to work", cells, more)


def units(row: dict) -> str:
    """Units billed and supported, as text."""
    supported = "?" if row["supported_units"] is None else row["supported_units"]
    return f"{row['billed_units']} billed, {supported} supported"


def _left(row: dict) -> str:
    if row["days_left"] is None:
        return '<span class="sq-quiet">no limit stated</span>'
    days = row["days_left"]
    said = f"{days:,}" if days >= 0 else f"▲ past by {-days:,}"
    return f"{said}{_day(row['file_by'], 'by ')}"


def _day(day: object, before: str = "") -> str:
    return f'<small class="sq-severity">{before}{text(day)}</small>'


def design_page(design: pl.DataFrame, needed: int, precision: float) -> str:
    """How a sample is shared out among its strata."""
    rows = [
        [
            f"<b>{text(row['stratum'])}</b>",
            f"{row['stratum_size']:,}",
            f"{row['sampled']:,}",
            f"{row['weight']:,.1f}" if row["weight"] is not None else "",
        ]
        for row in design.rows(named=True)
    ]
    heads = ["stratum", "encounters", "drawn", "each stands for"]
    shown = table(heads, rows, name="Design of the sample", numeric=2, figures=(1, 3))
    said = (
        f"{needed:,} encounters drawn at random tell a rate of errors to within "
        f"{round(100 * precision)} percentage points, at 95 % confidence"
    )
    return section("Design", shown, said)


def verdicts_page(verdicts: Verdicts) -> str:
    """How far reviewers agree with the audit, and what became of the rows of their list."""
    rows = [
        [
            f"<b>{text(row['finding'] or 'all')}</b>",
            f"{row['agree']:,}",
            f"{row['disagree']:,}",
            f"{row['unclear']:,}",
            "" if row["rate"] is None else
            f"{_share(row['rate'])} <small>{_share(row['rate_low'])} to "
            f"{_share(row['rate_high'])}</small>",
        ]
        for row in verdicts.agreement.rows(named=True)
    ]  # fmt: skip
    heads = ["class", "agree", "disagree", "unclear", "agreement (95 % interval)"]
    agreement = table(heads, rows, name="Agreement", numeric=4, figures=(1, 2, 3))
    told = [
        [text(row["what"].replace("_", " ")), f"{row['rows']:,}", text(row["remedy"])]
        for row in verdicts.report.rows(named=True)
    ]
    report = table(["rows of the list", "rows", "what to do"], told, name="Reviewed list",
                   numeric=1)  # fmt: skip
    return section("Reviewers and the audit", agreement) + section("The list", report)
