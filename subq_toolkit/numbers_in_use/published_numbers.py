"""The published numbers: every figure of ``datasets/products``, ``fees``, ``hospital_prices``."""

import csv
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from subq_toolkit.catalog import dataset
from subq_toolkit.errors import InputError
from subq_toolkit.fees.market import COLLECTED
from subq_toolkit.numbers_in_use.figures import Figure, Published, Row
from subq_toolkit.numbers_in_use.payment_figures import PAYMENT_FIGURES
from subq_toolkit.numbers_in_use.product_figures import PRODUCT_FIGURES
from subq_toolkit.numbers_in_use.provenance import Number

#: Each published table, by its folder and name.
PUBLISHED: dict[str, Published] = PRODUCT_FIGURES | PAYMENT_FIGURES
FOLDERS = ("products", "fees", "hospital_prices")
#: What a row may say beside its keys and figures.
_BESIDE = ("start", "since", "until", "source", "standing", "review_by", "note", "unit")
#: Ends of a band: from, to; whether the upper one is included; what is counted.
_BANDS = (
    ("infusion_from", "infusion_to", "to", "infusion {}"),
    ("weight_from_kg", "weight_below_kg", "to below", "{} kg"),
    ("age_from_y", "age_below_y", "to below", "{} years"),
)
#: Since when figures hold whose table has no days.
_HELD_SINCE = {"hospital_prices": COLLECTED}
#: Goes without saying of a published value; the other kind is told.
_UNSAID = "limit"


def published_numbers() -> Iterator[Number]:
    """Every figure of every table, in the order of its file.

    Raises
    ------
    InputError
        If a file or a column is not described in ``product_figures`` or ``payment_figures``.
    """
    for folder in FOLDERS:
        found = {f"{folder}/{path.stem}": path for path in dataset(folder).glob("*.csv")}
        described = [name for name in PUBLISHED if name.startswith(f"{folder}/")]
        if lost := sorted(set(found) ^ set(described)):
            raise InputError(
                f"datasets/{lost[0]}.csv is not described in numbers_in_use/*_figures.py, "
                f"or is missing. Say there which of its columns are figures, and in which unit."
            )
        for name in described:
            yield from _figures(name, found[name])


def _figures(name: str, path: Path) -> Iterator[Number]:
    table = PUBLISHED[name]
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        _check_columns(name, table, rows.fieldnames or [])
        for row in rows:
            given = {column: text for column, text in row.items() if text}
            for figure in table.figures:
                if figure.column in given:
                    yield _number(name, table, figure, given)


def _check_columns(name: str, table: Published, columns: list[str]) -> None:
    bands = [end for first, last, *_ in _BANDS for end in (first, last)]
    figures = [figure.column for figure in table.figures]
    known = {*table.keys, *table.told, *table.silent, *figures, *_BESIDE, *bands}
    if lost := [column for column in columns if column not in known]:
        raise InputError(
            f"datasets/{name}.csv has the column '{lost[0]}', which is not described in "
            f"numbers_in_use/*_figures.py. Say there whether it is a figure."
        )


def _number(name: str, table: Published, figure: Figure, row: Row) -> Number:
    key, graded = figure.support(row) if figure.support else (row["source"], row["standing"])
    named = [row[one] for one in table.keys] + [figure.column] * (figure.column != "value")
    since = row.get("start") or row.get("since")
    unit = figure.unit(row) if callable(figure.unit) else figure.unit
    notes = [row.get("note", ""), table.note, "No source is named." * (key is None)]
    return {
        "subject": table.subject,
        "name": ".".join(named),
        "label": _label(table, figure, row),
        "value": row[figure.column],
        "unit": unit,
        "start": _day(since) or _HELD_SINCE.get(name.partition("/")[0]),
        "until": _day(row.get("until")),
        "graded": graded,
        "key": key,
        "review_by": _day(row.get("review_by")),
        "note": " ".join(filter(None, notes)) or None,
        "file": f"datasets/{name}.csv",
    }


def _label(table: Published, figure: Figure, row: Row) -> str:
    words = figure.words(row) if callable(figure.words) else figure.words
    shown = {one: row[one] for one in table.told if row.get(one, _UNSAID) != _UNSAID}
    told = [table.told[one].format(text.replace("_", " ")) for one, text in shown.items()]
    told += bands_in_words(row)
    return f"{words}: {', '.join(told)}" if told else words


def bands_in_words(row: Mapping[str, object]) -> list[str]:
    """The bands of infusion, weight and age in which a published value holds, in words."""
    told = []
    for first, last, to, words in _BANDS:
        ends = (row.get(end) for end in (first, last))
        low, high = (None if end is None else f"{float(str(end)):g}" for end in ends)
        if low is None and high is None:
            continue
        if low == high:
            told.append(words.format(low))
        elif high is None:
            told.append(f"from {words.format(low)}")
        elif low is None:
            told.append(f"{'up to' if to == 'to' else 'below'} {words.format(high)}")
        else:
            told.append(words.format(f"{low} {to} {high}"))
    return told


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
