"""What stands beneath the charts of an audit as HTML: counts, classes, groups, list, case."""

import polars as pl

from subq_toolkit.audit import CLASSES
from subq_toolkit.panels.html_parts import section, source, table, text

_RISKS = {"high": "▲ high", "medium": "■ medium", "low": "● low", "none": "none"}
_LONGEST_ON_ONE_LINE = 16


def dollars(amount: object, *, sign: bool = False) -> str:
    """An amount to the cent; a dash where no price is known."""
    if amount is None:
        return '<span class="sq-quiet" title="no price is known">—</span>'
    value = float(amount)
    mark = "−" if value < 0 else "+" if sign and value > 0 else ""
    return f'<span class="sq-severity">{mark}${abs(value):,.2f}</span>'


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
        judged = entry["judged"]
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
    return section("By class", shown, _BY_CODE)


_BY_CODE = (
    "each code of an encounter by itself; the chart counts an encounter once, by its gravest class"
)


def _place(name: str, row: dict) -> tuple[bool, bool, object, str]:
    """Errors first, most dollars first; then what agrees, then what is not judged."""
    error = CLASSES[name]["error"]
    size = max(row["over"] or 0, -(row["under"] or 0))
    return not error, not CLASSES[name]["judged"], -size, name


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
            share(row["rate"]),
            f"{share(row['rate_low'])} to {share(row['rate_high'])}" if row["judged"] else "",
            dollars(row["over_usd"]),
            dollars(row["under_usd"]),
            f"{row['not_judged']:,}",
        ]
        for row in rates.rows(named=True)
    ]
    heads = [text(name), "judged", "errors", "rate", "interval (95 %)", "over", "under",
             "not judged"]  # fmt: skip
    return table(heads, rows, name="Error rates", numeric=3, figures=(1, 2, 5, 6, 7))


def share(rate: float | None) -> str:
    """A rate in percent; empty where there is none."""
    return "" if rate is None else f"{rate:.1%}".replace("%", " %")


def worklist_page(rows: pl.DataFrame, most: int) -> str:
    """The rows to be worked, as many as a page takes."""
    shown = [
        [
            f"{row['rank']:,}",
            f"{number(row['encounter_id'])}{day(row['service_date'])}",
            f"<b>{text(row['code'])}</b><small>{units(row)}</small>",
            f"<b>{text(row['finding'])}</b><small>{text(row['reason'])}</small>",
            dollars(row["difference_usd"], sign=True),
            f'<span class="sq-severity">{text(_RISKS[row["risk"]])}</span>',
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


def number(encounter_id: str | None) -> str:
    """The number of an encounter, on one line unless it is long."""
    short = len(encounter_id or "") <= _LONGEST_ON_ONE_LINE
    return f"<b{' class=sq-severity' if short else ''}>{text(encounter_id)}</b>"


def units(row: dict) -> str:
    """Units billed and supported, as text."""
    supported = "?" if row["supported_units"] is None else row["supported_units"]
    return f"{row['billed_units']} billed, {supported} supported"


def _left(row: dict) -> str:
    if row["days_left"] is None:
        return '<span class="sq-quiet">no limit stated</span>'
    days = row["days_left"]
    said = f"{days:,}" if days >= 0 else f"▲ past by {-days:,}"
    return f"{said}{day(row['file_by'], 'by ')}"


def day(on: object, before: str = "") -> str:
    """A day in small type, on one line."""
    return f'<small class="sq-severity">{before}{text(on)}</small>'
