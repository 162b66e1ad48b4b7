"""Columns of the CMS template of standard charges as CSV, tall or wide, versions 2 and 3.

The tall layout has a row for each payer; the wide one has columns for each, named
``standard_charge|payer|plan|negotiated_dollar``. Blanks around bars and capitals do not count.
"""

import csv
from collections.abc import Iterator
from datetime import date, datetime
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

from subq_toolkit.errors import InputError
from subq_toolkit.published_files.price_lines import Record, decoded, lines_of
from subq_toolkit.published_files.price_rows import RawPrice
from subq_toolkit.readers.delimited_files import look_at

#: How many rows may stand above the header; the template has two.
_MOST_ABOVE = 10
#: Over how many lines these may run.
_MOST_LINES = 200
_RATES = ("negotiated_dollar", "negotiated_percentage", "negotiated_algorithm", "methodology")
_ALONE = ("setting", "modifiers", "billing_class", "payer_name", "plan_name")
_CHARGES = {"gross": "gross", "cash": "discounted_cash"}


class Payer(NamedTuple):
    """Where the rates of one payer and plan stand; in a tall file of whichever the row names."""

    payer: str | None
    plan: str | None
    places: dict[str, int]


class PriceColumns(NamedTuple):
    """A header: the line it ends in, its width, and where everything stands."""

    layout: str
    separator: str
    line: int
    width: int
    codes: list[tuple[int, int | None]]
    alone: dict[str, int]
    payers: list[Payer]
    about: dict[str, str]

    def prices(self, record: Record, codes: frozenset[str]) -> Iterator[RawPrice]:
        """Each price of a row for each wanted code that it names."""
        fields = [_bare(field) for field in record.fields or []]
        for place, kind in self.codes:
            if fields[place].upper() in codes:
                code_type = fields[kind] if kind is not None else ""
                yield from self._of_code(fields, fields[place].upper(), code_type, record.line)

    def _of_code(
        self, fields: list[str], code: str, code_type: str, line: int
    ) -> Iterator[RawPrice]:
        setting, modifiers, billing = (self._alone(fields, name) for name in _ALONE[:3])
        row = RawPrice(
            code, code_type, "", setting=setting, modifiers=modifiers, billing_class=billing,
            source_row=line,
        )  # fmt: skip
        for kind in _CHARGES:
            yield row._replace(kind=kind, amount=self._alone(fields, kind))
        for one in self.payers:
            dollar, percent, algorithm, method = (
                fields[one.places[rate]] if rate in one.places else "" for rate in _RATES
            )
            yield row._replace(
                kind="negotiated",
                payer=one.payer or self._alone(fields, "payer_name"),
                plan=one.plan or self._alone(fields, "plan_name"),
                amount=dollar, percent=percent, algorithm=algorithm, method=method,
            )  # fmt: skip

    def _alone(self, fields: list[str], name: str) -> str:
        return fields[self.alone[name]] if name in self.alone else ""


def price_columns(path: Path) -> PriceColumns:
    """Read the header of a CSV of standard charges, and no more than its start.

    Raises
    ------
    InputError
        If the file is no text, or its header is not that of the template.
    """
    for separator in (",", "|", "\t", ";"):
        above: list[list[str]] = []
        for line, cells in _records(path, separator):
            found = _columns(cells, separator, line, above)
            if found:
                return found
            above.append(cells)
    seen = look_at(path, encoding="latin-1", separator=",", header_row=1)
    if seen.encoding == "utf-16":
        raise InputError(f"'{path.name}' is UTF-16 text. Save it as CSV in UTF-8.")
    raise InputError(
        f"'{path.name}' was not recognised as a file of standard charges: none of its first "
        f"{_MOST_ABOVE} rows has columns such as 'code|1' and 'standard_charge|gross'. The CMS "
        f"template, version 2 or 3, is read: CSV tall, CSV wide or JSON."
    )


def _records(path: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The first rows, each with the line it ends in."""
    lines = islice(lines_of(path), _MOST_LINES)
    texts = (decoded(line).lstrip("\ufeff") for _, line in lines)
    reader = csv.reader(texts, delimiter=separator)
    for _ in range(_MOST_ABOVE):
        try:
            cells = next(reader)
        except (StopIteration, csv.Error):
            return
        yield reader.line_num, cells


def _columns(
    cells: list[str], separator: str, line: int, above: list[list[str]]
) -> PriceColumns | None:
    names = [[part.strip() for part in cell.split("|")] for cell in cells]
    lower = [tuple(part.lower() for part in parts) for parts in names]
    places = {name: place for place, name in reversed(list(enumerate(lower)))}
    codes = [
        (place, places.get((*name, "type")))
        for place, name in enumerate(lower)
        if len(name) == 2 and name[0] == "code"
    ]
    alone = {name: places[(name,)] for name in _ALONE if (name,) in places}
    for kind, name in _CHARGES.items():
        if ("standard_charge", name) in places:
            alone[kind] = places["standard_charge", name]
    tall = {
        rate: places["standard_charge", rate]
        for rate in _RATES
        if ("standard_charge", rate) in places
    }
    payers = [Payer(None, None, tall)] if tall else _wide_payers(names, lower)
    if not codes or not (payers or alone.keys() & _CHARGES.keys()):
        return None
    layout = "CSV tall" if tall else "CSV wide"
    about = _about(above)
    return PriceColumns(layout, separator, line, len(cells), codes, alone, payers, about)


def _wide_payers(names: list[list[str]], lower: list[tuple[str, ...]]) -> list[Payer]:
    payers: dict[tuple[str, str], Payer] = {}
    for place, (name, low) in enumerate(zip(names, lower, strict=True)):
        if len(low) > 2 and low[0] == "standard_charge" and low[-1] in _RATES:
            key = name[1], "|".join(name[2:-1])
            payers.setdefault(key, Payer(*key, {})).places.setdefault(low[-1], place)
    return list(payers.values())


def _about(above: list[list[str]]) -> dict[str, str]:
    """What the rows above the header say of the file, by the names that stand over it."""
    for names, values in pairwise(above):
        if any(name.strip().lower() == "hospital_name" for name in names):
            pairs = zip(names, values, strict=False)
            return {name.strip().lower(): value.strip() for name, value in pairs if value.strip()}
    return {}


def _bare(field: str) -> str:
    """A field without the blanks, and without the formula a spreadsheet hides a code in."""
    text = field.strip()
    return text[2:-1] if text.startswith('="') and text.endswith('"') else text


def day_of(text: str | None) -> date | None:
    """Read a day as the template asks for it, or month first as spreadsheets make it."""
    for form in ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y"):
        try:
            return datetime.strptime((text or "").strip(), form).date()
        except ValueError:
            continue
    return None
