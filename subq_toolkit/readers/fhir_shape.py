"""What is taken of a FHIR ``MedicationAdministration``, R4 and R5 alike, from sound and odd JSON.

Sound lines go through Polars' own JSON reader; where it stumbles over one line, each is shaped
by itself, and what is of another type than it should be is named instead of guessed.
"""

import json
import re
from math import isfinite
from typing import Any

import polars as pl

from subq_toolkit.plain_text import is_unicode

WANTED = "MedicationAdministration"


def _struct(*texts: str, **others: pl.DataType) -> pl.Struct:
    return pl.Struct({**dict.fromkeys(texts, pl.String()), **others})


_CODING = _struct("system", "code", "display")
_CONCEPT = _struct("text", coding=pl.List(_CODING))
_IDENTIFIER = _struct("system", "value")
_REFERENCE = _struct("reference", "type", "display", identifier=_IDENTIFIER)
_EITHER = pl.Struct({"concept": _CONCEPT, "reference": _REFERENCE})
_QUANTITY = _struct("unit", "system", "code", value=pl.Float64())
_RATIO = pl.Struct({"numerator": _QUANTITY, "denominator": _QUANTITY})
_PERIOD = _struct("start", "end")
_MODIFIERS = pl.List(_struct("url"))
_DOSAGE = pl.Struct(
    {
        "text": pl.String(),
        **dict.fromkeys(("route", "site", "method"), _CONCEPT),
        "dose": _QUANTITY,
        "rateQuantity": _QUANTITY,
        "rateRatio": _RATIO,
        "modifierExtension": _MODIFIERS,
    }
)
CONTAINED = _struct("resourceType", "id", code=_CONCEPT, identifier=pl.List(_IDENTIFIER))
#: What is taken of a resource; R4 and R5 have other names for some, and a resource has one of them.
SCHEMA: dict[str, pl.DataType] = {
    **dict.fromkeys(("resourceType", "id", "status"), pl.String()),
    "meta": _struct("lastUpdated"),
    "modifierExtension": _MODIFIERS,
    **dict.fromkeys(("context", "encounter", "subject"), _REFERENCE),
    **dict.fromkeys(("effectiveDateTime", "occurenceDateTime"), pl.String()),
    **dict.fromkeys(("effectivePeriod", "occurencePeriod"), _PERIOD),
    "occurenceTiming": _struct("id"),
    "medicationCodeableConcept": _CONCEPT,
    "medicationReference": _REFERENCE,
    "medication": _EITHER,
    "reasonCode": pl.List(_CONCEPT),
    "reason": pl.List(_EITHER),
    "device": pl.List(_EITHER),
    "contained": pl.List(CONTAINED),
    "dosage": _DOSAGE,
}
#: Entries that decide nothing, or whose absence is marked anyway: another type is not named.
_HARMLESS = ("meta", "contained", "status")
_A_NUMBER = re.compile(r"\s*[-+]?\d+(\.\d*)?([eE][-+]?\d+)?\s*", re.ASCII)
#: A line that is no resource; the entries of a resource that have a type of their own.
BROKEN, ODD = "__broken", "__odd"


def concept_name(concept: dict[str, Any]) -> str | None:
    """How a concept is called: its text, else what its first coding with a name says."""
    codings = concept.get("coding") or []
    names = [concept.get("text"), *(one.get("display") for one in codings if one)]
    names += [one.get("code") for one in codings if one]
    return next((name for name in names if name), None)


def type_of(found: Any) -> str:
    """The type of a resource; empty if this is none."""
    kind = found.get("resourceType") if isinstance(found, dict) else None
    return kind if is_text(kind) else ""


def as_frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Put shaped rows into a table; ``{BROKEN: True}`` is a row of a broken line."""
    schema = SCHEMA | {BROKEN: pl.Boolean(), ODD: pl.String()}
    frame = pl.DataFrame(rows, schema=schema, orient="row", strict=True)
    return frame.with_columns(pl.col(BROKEN).fill_null(False))


def as_row(found: dict[str, Any]) -> dict[str, Any]:
    """Shape one resource that was parsed; ``ODD`` names what had another type."""
    odd: list[str] = []
    devices = found.get("device")
    if isinstance(devices, list):
        found = found | {"device": [_as_r5(device) for device in devices]}
    row = {name: shaped(found.get(name), kind, name, odd) for name, kind in SCHEMA.items()}
    odd = [path for path in dict.fromkeys(odd) if path.split(".")[0] not in _HARMLESS]
    return row | {BROKEN: False, ODD: ", ".join(odd) or None}


def _as_r5(device: Any) -> Any:
    plain = isinstance(device, dict) and not isinstance(device.get("reference"), dict)
    return {"reference": device} if plain and "concept" not in device else device


def shaped(found: Any, kind: pl.DataType, path: str, odd: list[str]) -> Any:
    """Keep what ``kind`` asks for; what has another type becomes null, its path goes to ``odd``."""
    if isinstance(kind, pl.Struct) and isinstance(found, dict):
        return {
            one.name: shaped(found.get(one.name), one.dtype, f"{path}.{one.name}", odd)
            for one in kind.fields
        }
    if isinstance(kind, pl.List) and isinstance(found, list):
        return [shaped(one, kind.inner, path, odd) for one in found]
    if isinstance(kind, pl.String) and is_text(found):
        return found
    if isinstance(kind, pl.Float64) and isinstance(found, int | float | str):
        number = _number(found)
        if number is not None:
            return number
    if found is not None:
        odd.append(path)
    return {one.name: None for one in kind.fields} if path == "" else None


def is_text(found: Any) -> bool:
    """Whether this is text that a table can hold."""
    return isinstance(found, str) and is_unicode(found)


def _number(found: float | str) -> float | None:
    if isinstance(found, bool) or (isinstance(found, str) and not _A_NUMBER.fullmatch(found)):
        return None
    try:
        number = float(found)
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) else None


def by_polars(lines: pl.Series) -> pl.DataFrame | None:
    """Read lines together, all R4 or all R5; None if one of them is no sound resource of the kind.

    Polars parses the lines as one array, so each gets its number, which must come out again. Of two
    entries of one name it takes the first, and numbers for text; ``_read_alike`` finds these.
    """
    r5 = lines.str.contains('"occurence', literal=True)
    halves = lines.str.contains(r"\\u[dD][89a-fA-F]")
    shape = lines.str.starts_with("{") & lines.str.ends_with("}") & ~halves
    if not shape.all() or r5.any() != r5.all():
        return None
    schema = SCHEMA if r5.all() else SCHEMA | {"device": pl.List(_REFERENCE)}
    table = pl.DataFrame({"line": lines}).with_row_index("n")
    numbered = table.select(
        pl.concat_str(pl.lit('{"__n":'), "n", pl.lit(","), pl.col("line").str.slice(1))
    ).to_series()
    try:
        read = numbered.str.json_decode(pl.Struct({"__n": pl.Int64(), **schema}))
    except pl.exceptions.PolarsError:
        return None
    frame = read.struct.unnest()
    if frame["__n"].to_list() != list(range(len(lines))) or not _read_alike(lines.to_list()):
        return None
    if not (frame["resourceType"] == WANTED).fill_null(False).all():
        return None
    if not r5.all():
        both = pl.struct(concept=pl.lit(None, _CONCEPT), reference=pl.element())
        frame = frame.with_columns(pl.col("device").list.eval(both))
    marks = {BROKEN: pl.lit(False), ODD: pl.lit(None, pl.String)}
    kinds = SCHEMA | {BROKEN: pl.Boolean(), ODD: pl.String()}
    return frame.drop("__n").with_columns(**marks).select([*kinds]).cast(kinds)


def _read_alike(lines: list[str]) -> bool:
    """Whether Python reads lines as Polars does: no name twice, text where text belongs."""
    read = json.JSONDecoder(object_pairs_hook=_require_plain).decode
    try:
        for line in lines:
            read(line)
    except (ValueError, RecursionError):
        return False
    return True


def _require_plain(pairs: list[tuple[str, Any]]) -> None:
    held = dict(pairs)
    if len(held) != len(pairs):
        raise ValueError("a name stands twice")
    for name, value in pairs:
        if isinstance(value, int | float) and name in _TEXTS:
            amount = name == "value" and not isinstance(value, bool) and _UNITS & held.keys()
            if not amount:
                raise ValueError("a number stands for text")


def _texts(kind: pl.DataType, name: str) -> set[str]:
    """Names of the entries of a type that hold text."""
    if isinstance(kind, pl.Struct):
        return {text for one in kind.fields for text in _texts(one.dtype, one.name)}
    if isinstance(kind, pl.List):
        return _texts(kind.inner, name)
    return {name} if kind == pl.String else set()


#: Entries that hold text; ``value`` does in an identifier, and a number where there is a unit.
_TEXTS, _UNITS = frozenset(_texts(pl.Struct(SCHEMA), "")), {"unit", "code"}
