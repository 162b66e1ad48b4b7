"""Standard charges as JSON, read item by item with ijson; the document is never held."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from subq_toolkit.errors import InputError
from subq_toolkit.published_files.price_rows import RawPrice

_ITEMS = "standard_charge_information.item"
_HEAD = 64 * 1024
_MARK = b"\xef\xbb\xbf"
_KINDS = {"gross": "gross_charge", "cash": "discounted_cash"}
_RATES = {
    "amount": "standard_charge_dollar",
    "percent": "standard_charge_percentage",
    "algorithm": "standard_charge_algorithm",
    "method": "methodology",
    "payer": "payer_name",
    "plan": "plan_name",
}


class JsonItems:
    """The items of a document, and after reading them how many there were and where it broke."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.odd = 0
        self.broken = False

    def prices(self, codes: frozenset[str]) -> Iterator[RawPrice]:
        """Each price of each item for each wanted code that it names.

        A document that is cut off yields what came before; ``broken`` says so afterwards.
        """
        for item in self._items():
            self.count += 1
            try:
                yield from list(_of_item(item, codes, self.count))
            except (AttributeError, TypeError, KeyError):
                self.odd += 1

    def _items(self) -> Iterator[Any]:
        ijson = _reader()
        with self.path.open("rb") as file:
            file.seek(len(_MARK) if file.read(len(_MARK)) == _MARK else 0)
            try:
                yield from ijson.items(file, _ITEMS)
            except (ijson.JSONError, UnicodeDecodeError):
                self.broken = True


def json_about(path: Path) -> dict[str, str]:
    """What the document says of itself at its start: hospital, day, version."""
    with path.open("rb") as file:
        start = file.read(_HEAD).decode("utf-8", "replace")
    start = start.split('"standard_charge_information"')[0]
    return dict(re.findall(r'"(hospital_name|last_updated_on|version)"\s*:\s*"([^"]*)"', start))


def _reader() -> ModuleType:
    try:
        import ijson
    except ImportError:
        raise InputError(
            "Reading prices from JSON needs ijson: pip install 'subq_toolkit[prices]', or take the "
            "CSV of the hospital."
        ) from None
    return ijson


def _of_item(item: dict[str, Any], codes: frozenset[str], place: int) -> Iterator[RawPrice]:
    for one in item.get("code_information") or []:
        code = _text(one.get("code")).upper()
        if code in codes:
            for charge in item.get("standard_charges") or []:
                yield from _of_charge(charge, code, _text(one.get("type")), place)


def _of_charge(charge: dict[str, Any], code: str, code_type: str, place: int) -> Iterator[RawPrice]:
    row = RawPrice(
        code,
        code_type,
        "",
        setting=_text(charge.get("setting")),
        modifiers="|".join(_listed(charge.get("modifier_code") or charge.get("modifiers"))),
        billing_class=_text(charge.get("billing_class")),
        source_row=place,
    )
    for kind, name in _KINDS.items():
        yield row._replace(kind=kind, amount=_text(charge.get(name)))
    for payer in charge.get("payers_information") or []:
        rates = {ours: _text(payer.get(theirs)) for ours, theirs in _RATES.items()}
        yield row._replace(kind="negotiated", **rates)


def _listed(value: Any) -> list[str]:
    return [_text(one) for one in value] if isinstance(value, list) else [_text(value)]


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()
