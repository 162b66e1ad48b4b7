"""What is taken of a FHIR ``MedicationAdministration``, R4 and R5 alike, from sound and odd JSON.

Sound lines go through Polars' own JSON reader; where it stumbles over one line, each is shaped
by itself, and what is of another type than it should be is named instead of guessed.
"""

from typing import Any

import polars as pl

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
    return kind if isinstance(kind, str) else ""


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
    if isinstance(kind, pl.String) and isinstance(found, str):
        return found if found.isascii() else found.encode("utf-8", "replace").decode("utf-8")
    if isinstance(kind, pl.Float64) and isinstance(found, int | float | str):
        number = _number(found)
        if number is not None:
            return number
    if found is not None:
        odd.append(path)
    return {one.name: None for one in kind.fields} if path == "" else None


def _number(found: float | str) -> float | None:
    try:
        number = None if isinstance(found, bool) else float(found)
    except (ValueError, OverflowError):
        return None
    return number if number is not None and abs(number) < float("inf") else None


def by_polars(lines: pl.Series) -> pl.DataFrame | None:
    """Read lines together, all R4 or all R5; None if one of them is no sound resource of the kind.

    Polars parses the lines as one array, so each gets its number, which must come out again.
    """
    r5 = lines.str.contains('"occurence', literal=True)
    shape = lines.str.starts_with("{") & lines.str.ends_with("}")
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
    if frame["__n"].to_list() != list(range(len(lines))):
        return None
    if not (frame["resourceType"] == WANTED).fill_null(False).all():
        return None
    if not r5.all():
        both = pl.struct(concept=pl.lit(None, _CONCEPT), reference=pl.element())
        frame = frame.with_columns(pl.col("device").list.eval(both))
    marks = {BROKEN: pl.lit(False), ODD: pl.lit(None, pl.String)}
    kinds = SCHEMA | {BROKEN: pl.Boolean(), ODD: pl.String()}
    return frame.drop("__n").with_columns(**marks).select([*kinds]).cast(kinds)
