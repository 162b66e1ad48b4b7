"""What the references of an administration lead to: visit, patient, pump, drug; and its judgement.

The other half of ``fhir_flat``: what can be told only when all files of an export were read.
"""

import polars as pl

from subq_toolkit.readers.codings import codes_of
from subq_toolkit.readers.fhir_flat import moment
from subq_toolkit.readers.fhir_resources import Collected
from subq_toolkit.readers.fhir_shape import BROKEN, ODD

OLDER = "older version"
#: Column to the mark of its entries that could not be read.
MISSED = {
    "encounter_id": "_encounter_missed",
    "start_at": "_start_missed",
    "stop_at": "_stop_missed",
    "route": "_route_missed",
    "status": "_status_missed",
}


def resolved(found: Collected, facility_zone: str) -> pl.DataFrame:
    """All rows with their references followed, why they count or not, and ``unreadable``."""
    aliases = found.aliases
    encounter = pl.coalesce(_referred("encounter", "Encounter", aliases), "_encounter_contained")
    held = pl.coalesce("_encounter_ref", "_encounter_identifier")
    of_medication = _referred("drug", "Medication", aliases).replace_strict(
        found.medications, default=None, return_dtype=pl.String
    )
    rows = found.table().with_columns(
        encounter_id=encounter,
        patient_id=_referred("patient", "Patient", aliases),
        pump_id=pl.coalesce(
            _referred("device", "Device", aliases), "_device_name", "_device_display"
        ),
        drug=pl.coalesce("_drug_name", of_medication, "_drug_contained", "_drug_display"),
        _encounter_missed=held.is_not_null() & encounter.is_null(),
        _status_missed=~pl.col(BROKEN)
        & (pl.col("_standing").is_null() | (pl.col("_standing") == "unsure")),
        not_given=_not_given(),
    )
    rows = rows.with_columns(**_of_encounters(found, facility_zone))
    return rows.with_columns(unreadable=_unreadable())


def _referred(what: str, kind: str, aliases: dict[str, str]) -> pl.Expr:
    """The id that a reference to a ``kind`` gives: of an address, an alias, or an identifier.

    A reference to something else gives null. A bare id is taken as it is.
    """
    text = pl.col(f"_{what}_ref")
    if aliases:
        text = text.replace(list(aliases), list(aliases.values()))
    named = pl.coalesce(
        text.str.extract(rf"(?:^|/){kind}/([^/|?#\s]+)(?:/_history/[^/\s]+)?$", 1),
        text.str.extract(r"^urn:(?:uuid|oid):(\S+)$", 1),
        pl.when(~text.str.contains(r"[/#:\s]") & (text != "")).then(text),
    )
    return pl.coalesce(named, pl.when(text.is_null()).then(f"_{what}_identifier"))


def _of_encounters(found: Collected, facility_zone: str) -> dict[str, pl.Expr]:
    settings = codes_of("settings")
    ended = {key: one["ended"] for key, one in found.encounters.items()}
    kinds = {key: settings.get(one["kind"] or "") for key, one in found.encounters.items()}
    of = pl.col("encounter_id")
    discharge = of.replace_strict(ended, default=None, return_dtype=pl.String)
    return {
        "discharge_at": moment(discharge, facility_zone),
        "setting": of.replace_strict(kinds, default=None, return_dtype=pl.String),
    }


def _not_given() -> pl.Expr:
    """Why a row is no run that was given; null if it is one, or nobody can say."""
    standing = pl.col("_standing")
    counts = standing.is_null() | standing.is_in(["given", "running", "unsure"])
    newest = pl.col("_updated").max().over("administration_id")
    older = pl.col("administration_id").is_not_null() & (pl.col("_updated") < newest)
    return pl.when(older).then(pl.lit(OLDER)).when(~counts).then(standing)


def _unreadable() -> pl.Expr:
    """Names of what could not be read, and why nothing counts; see ``Reading``."""
    named = [pl.when(mark).then(pl.lit(name)) for name, mark in MISSED.items()]
    listed = pl.concat_str(
        pl.when(BROKEN).then(pl.lit("line")),
        pl.format("status ({})", "not_given"),
        pl.col(ODD),
        pl.when("_modified").then(pl.lit("modifierExtension")),
        *named,
        separator=", ",
        ignore_nulls=True,
    )
    return pl.when(listed != "").then(listed)
