"""What each file of CMS is known by: the headers of its columns, whatever the year.

Headers are compared in plain words: ``NON-FAC`` over ``PE RVU`` is ``non fac pe rvu``. Where
several patterns are given the first that some column answers to is taken.
"""

from typing import NamedTuple

import polars as pl

#: Columns of what a reader says it recognised.
RECOGNISED = {
    "what": pl.String,
    "in_file": pl.String,
    "became": pl.String,
    "rows": pl.Int64,
    "note": pl.String,
}


class Field(NamedTuple):
    """One column to find: our name, what it holds, the headers it goes by, one as an example.

    ``holds`` is ``code``, ``text``, ``number``, ``whole`` or ``day`` (20260401, or 2026091 for
    the 91st day). A column that is not ``needed`` may be absent; a row where a ``filled`` column
    is empty is dropped.
    """

    name: str
    holds: str
    headers: tuple[str, ...]
    example: str
    needed: bool = True
    filled: bool = True


class Layout(NamedTuple):
    """A kind of file, the table of ``fees.tables.KEYS`` it belongs to, and its columns."""

    kind: str
    table: str
    title: str
    fields: tuple[Field, ...]
    #: Whether the figures are those of a calendar year, so that they end with it.
    yearly: bool = False


_HCPCS = Field("hcpcs", "code", (r"hcpcs( code)?", r"(hcpcs )?cpt( hcpcs)?( code)?"), "HCPCS")

_RVU = (
    _HCPCS,
    Field("modifier", "text", (r"mod(ifier)?",), "MOD", filled=False),
    Field("status", "text", (r"status( code)?",), "STATUS CODE"),
    Field("work_rvu", "number", (r"work rvus?",), "WORK RVU"),
    Field(
        "nonfac_pe_rvu",
        "number",
        (r"(transitioned )?non fac(ility)? pe rvus?",),
        "NON-FAC PE RVU",
    ),
    Field("mp_rvu", "number", (r"(mp|malpractice) rvus?",), "MP RVU"),
    Field("pctc", "text", (r"pc ?tc( ind(icator)?)?",), "PCTC IND", filled=False),
    Field("global_days", "text", (r"glob(al)? days",), "GLOB DAYS", filled=False),
    Field("mult_proc", "text", (r"mult(iple)? proc(edure)?",), "MULT PROC", filled=False),
    Field(
        "nonfac_total",
        "number",
        (r"(transitioned )?non fac(ility)? total",),
        "NON-FACILITY TOTAL",
        needed=False,
        filled=False,
    ),
    Field(
        "conversion_factor",
        "number",
        (r"conv(ersion)? fact(or)?",),
        "CONV FACTOR",
        needed=False,
        filled=False,
    ),
)
_GPCI = (
    Field(
        "mac",
        "text",
        (r"medicare adminis?trative contractor( mac)?", r"mac|contractor|carrier"),
        "Medicare Administrative Contractor (MAC)",
    ),
    Field("state", "text", (r"state",), "State", needed=False, filled=False),
    Field("locality", "text", (r"locality( number| no)?",), "Locality Number"),
    Field("name", "text", (r"(locality )?name",), "Locality Name"),
    Field(
        "gpci_work",
        "number",
        (
            r"(20\d\d )?(pw|work) gpci with 1 0 floor",
            r"(20\d\d )?(pw|work) gpci",
            r"(20\d\d )?(pw|work) gpci without 1 0 floor",
        ),
        "2026 PW GPCI (with 1.0 Floor)",
    ),
    Field("gpci_pe", "number", (r"(20\d\d )?pe gpci",), "2026 PE GPCI"),
    Field("gpci_mp", "number", (r"(20\d\d )?(mp|malp\w*) gpci",), "2026 MP GPCI"),
)
_OPPS = (
    _HCPCS,
    Field("si", "text", (r"si", r"status indicator"), "SI"),
    Field("apc", "text", (r"apc",), "APC", needed=False, filled=False),
    Field("relative_weight", "number", (r"relative weight",), "Relative Weight", False, False),
    Field("rate_usd", "number", (r"payment rate",), "Payment Rate", filled=False),
    Field(
        "min_copay_usd",
        "number",
        (r"minimum unadjusted copayment",),
        "Minimum Unadjusted Copayment",
        needed=False,
        filled=False,
    ),
)
_MUE = (
    _HCPCS,
    Field("units", "whole", (r"(\w+ )*mue values?",), "Practitioner Services MUE Values"),
    Field("mai", "text", (r"(mue )?adjudication indicator|mai",), "MUE Adjudication Indicator"),
)
_PTP = (
    Field("column_1", "code", (r"column 1( code)?",), "Column 1"),
    Field("column_2", "code", (r"column 2( code)?",), "Column 2"),
    Field("effective", "day", (r"effective( date)?",), "Effective Date"),
    Field("deletion", "day", (r"deletion( date)?( no data)?",), "Deletion Date", filled=False),
    Field("modifier_indicator", "text", (r"modifier( .*)?",), "Modifier"),
)
_ADD_ON = (
    Field("add_on", "code", (r"add ?on code",), "Add-On_Code"),
    Field("primary", "code", (r"primary code",), "Primary_Code"),
    Field("type", "text", (r"aoc edit type|edit type",), "AOC_Edit_Type"),
    Field("effective", "day", (r"aoc edit eff ?dt.*",), "AOC_Edit_EffDT", filled=False),
    Field("deletion", "day", (r"aoc edit del ?dt.*",), "AOC_Edit_DelDT", filled=False),
    Field("add_on_ends", "day", (r"aoc del ?dt.*",), "AOC_DelDT", False, False),
    Field("primary_ends", "day", (r"primary code del ?dt.*",), "Primary_Code_DelDT", False, False),
)

LAYOUTS = (
    Layout("RVU", "relative_values", "relative value file (PPRRVU)", _RVU, yearly=True),
    Layout("GPCI", "gpcis", "file of geographic indices (GPCI)", _GPCI, yearly=True),
    Layout("Addendum B", "opps_rates", "OPPS Addendum B", _OPPS, yearly=True),
    Layout("MUE", "unlikely_edits", "table of medically unlikely edits (MUE)", _MUE),
    Layout("PTP", "procedure_pairs", "file of procedure-to-procedure edits (PTP)", _PTP),
    Layout("add-on", "add_on_primaries", "file of add-on code edits", _ADD_ON),
)
