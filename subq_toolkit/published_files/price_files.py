"""Read a hospital's file of standard charges for some codes, whatever its size."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.published_files.layouts import RECOGNISED
from subq_toolkit.published_files.price_columns import PriceColumns, day_of, price_columns
from subq_toolkit.published_files.price_json import JsonItems, json_about
from subq_toolkit.published_files.price_lines import code_pattern, records
from subq_toolkit.published_files.price_rows import RawPrice, Sorted, sorted_prices
from subq_toolkit.readers.export_files import kind_of


@dataclass(frozen=True, eq=False, repr=False)
class PriceFile:
    """What a hospital charges for the codes asked for.

    Attributes
    ----------
    file, layout
        Its name; ``CSV tall``, ``CSV wide`` or ``JSON``.
    hospital, updated_on
        As the file says; None if it does not.
    prices
        ``code, code_type, kind`` (``gross``, ``cash``, ``negotiated``), ``payer, plan, setting,
        method, amount_usd`` [USD], ``percent`` [%], ``algorithm, modifiers, billing_class,
        source_row`` (line of a CSV, place of the item in JSON, counted from 1).
    set_aside
        The same columns, ``reason`` (what is no price by the rules of ``read_price_file``) and
        ``entry`` (the figure as it stands in the file).
    recognised
        ``what`` (``file``, ``column``, ``kept``, ``set aside``, ``left out``), ``in_file``,
        ``became``, ``rows``, ``note``.
    """

    file: str
    layout: str
    hospital: str | None
    updated_on: date | None
    prices: pl.DataFrame
    set_aside: pl.DataFrame
    recognised: pl.DataFrame

    def __repr__(self) -> str:
        by_kind = self.prices["kind"].value_counts().sort("kind").rows()
        lines = [
            f"{self.layout} of {self.hospital or 'a hospital without a name'}, updated on "
            f"{self.updated_on or 'an unknown day'}: "
            + (", ".join(f"{count:,} {kind}" for kind, count in by_kind) or "no prices")
        ]
        rest = self.recognised.filter(pl.col("what").is_in(["set aside", "left out"]))
        for what, why, count in rest.select("what", "in_file", "rows").rows():
            lines.append(f"  {what}: {why}" + (f", {count:,}" if count is not None else ""))
        return "\n".join(lines)


@dataclass
class _Counted:
    """Lines that named a code, and those of them that could not be split."""

    rows: int = 0
    odd: int = 0


def read_price_file(
    path: str | Path,
    *,
    codes: Collection[str],
    smallest_usd: float = 1,
    largest_usd: float = 50_000,
) -> PriceFile:
    """Read the prices of some codes from a hospital's file of standard charges.

    The file is gone through once and never held: memory grows with the prices found, not with
    the file.

    Parameters
    ----------
    path
        The CMS template, versions 2 and 3: CSV tall, CSV wide, or JSON (needs ijson).
    codes
        CPT or HCPCS codes.
    smallest_usd, largest_usd
        Amounts below or above are set aside as no prices [USD]; so are rows of nines,
        percentages below 1 or above 1,000, entries that are no number, codes of another type
        than CPT and HCPCS, and rates that are an algorithm alone.

    Raises
    ------
    InputError
        If the file is not recognised, cannot be read, or no codes are asked for.
    """
    path = Path(path)
    wanted = frozenset(code.strip().upper() for code in codes) - {""}
    if isinstance(codes, str) or not wanted:
        raise InputError("codes is a list of codes to look for, e.g. codes=['96369', '96370'].")
    limits = {"smallest_usd": smallest_usd, "largest_usd": largest_usd}
    if path.suffix.lower() == ".json" and path.is_file():
        return _read_json(path, wanted, limits)
    if path.suffix.lower() in (".zip", ".gz"):
        raise InputError(f"'{path.name}' is packed. Unpack it and read the CSV or JSON inside.")
    if kind_of(path) != "delimited":
        raise InputError(f"'{path.name}': standard charges are published as CSV or JSON.")
    return _read_csv(path, wanted, limits)


def _read_csv(path: Path, codes: frozenset[str], limits: dict[str, float]) -> PriceFile:
    columns = price_columns(path)
    counted = _Counted()
    found = sorted_prices(_csv_prices(path, columns, codes, counted), **limits)
    lines = _column_lines(columns)
    if counted.odd:
        why = f"a line that names a code but does not split into {columns.width:,} fields"
        lines.append(("left out", why, None, counted.odd, "quotes astray, or cut off"))
    return _price_file(path, columns.layout, columns.about, counted.rows, found, lines)


def _csv_prices(
    path: Path, columns: PriceColumns, codes: frozenset[str], counted: _Counted
) -> Iterator[RawPrice]:
    rows = records(
        path,
        after=columns.line,
        width=columns.width,
        separator=columns.separator,
        pattern=code_pattern(codes),
    )
    for record in rows:
        counted.rows += 1
        if record.fields is None:
            counted.odd += 1
        else:
            yield from columns.prices(record, codes)


def _read_json(path: Path, codes: frozenset[str], limits: dict[str, float]) -> PriceFile:
    items = JsonItems(path)
    found = sorted_prices(items.prices(codes), **limits)
    if not items.count:
        raise InputError(
            f"'{path.name}' was not recognised as a file of standard charges: it has no items in "
            f"'standard_charge_information', or is no JSON. The CMS template, version 2 or 3, is "
            f"read."
        )
    lines = []
    if items.odd:
        lines.append(
            ("left out", "an item that is not built like the template", None, items.odd, "")
        )
    if items.broken:
        why = f"everything after item {items.count:,}: the JSON breaks off there"
        lines.append(("left out", why, None, None, "download it again"))
    return _price_file(path, "JSON", json_about(path), items.count, found, lines)


def _price_file(
    path: Path, layout: str, about: dict[str, str], rows: int, found: Sorted, lines: list[tuple]
) -> PriceFile:
    reasons = (
        found.set_aside.group_by("reason").len().sort("len", "reason", descending=[True, False])
    )
    noun = "items" if layout == "JSON" else "lines that name a code"
    told = [
        ("file", path.name, layout, rows, f"{noun}; template {about.get('version', 'not stated')}"),
        *lines,
        ("kept", None, "prices", found.prices.height, f"{found.repeats:,} repeats kept once"),
        *(("set aside", why, None, count, "") for why, count in reasons.rows()),
    ]
    return PriceFile(
        path.name,
        layout,
        about.get("hospital_name"),
        day_of(about.get("last_updated_on")),
        found.prices,
        found.set_aside,
        pl.DataFrame(told, schema=RECOGNISED, orient="row"),
    )


def _column_lines(columns: PriceColumns) -> list[tuple]:
    names = {"gross": "standard_charge|gross", "cash": "standard_charge|discounted_cash"}
    names |= {name: name for name in columns.alone if name not in names}
    became = {"payer_name": "payer", "plan_name": "plan"}
    lines = [("column", "code|1 ...", "code", None, f"{len(columns.codes)} columns of codes")]
    lines += [
        (
            "column",
            name,
            became.get(ours, ours),
            None,
            "" if ours in columns.alone else "not in the file",
        )
        for ours, name in names.items()
    ]
    rates = sorted({rate for one in columns.payers for rate in one.places})
    whose = f"{len(columns.payers):,} payers and plans" if columns.layout == "CSV wide" else ""
    return lines + [
        ("column", f"standard_charge|...|{r}", "negotiated", None, whose) for r in rates
    ]
