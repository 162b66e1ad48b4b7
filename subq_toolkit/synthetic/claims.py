"""Invented claims and remittances in X12, made from charge lines, to try the readers on.

Submitter, facility, payer's address and subscriber are invented and name no person; the
diagnosis is the one for an unspecified illness. Control numbers count up from 1.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import polars as pl

from subq_toolkit.catalog import dataset
from subq_toolkit.charges import accept_charges, read_charges
from subq_toolkit.errors import InputError
from subq_toolkit.x12 import charge_segments

_SENT = date(2026, 7, 1)
_PROVIDER = "1234567893"
_CLAIM = ("encounter_id", "claim_id", "replaces_claim_id", "frequency", "payer")
_GUIDES = {
    "institutional": ("005010X223A2", "HC", "837"),
    "professional": ("005010X222A1", "HC", "837"),
    "remittance": ("005010X221A1", "HP", "835"),
}
_STATUS = {"final": "1", "denied": "4", "pending": "25"}
_REVERSAL = "22"


def claim_file(lines: pl.DataFrame | pl.LazyFrame, *, claim: str = "institutional") -> str:
    """Wrap charge lines into an 837 file: one claim per encounter, claim id and frequency.

    Parameters
    ----------
    lines
        Charge lines; see ``charges.COLUMNS``. A claim without frequency is an original.
    claim
        ``"institutional"`` or ``"professional"``.

    Raises
    ------
    InputError
        As ``charge_segments`` does.
    """
    numbered = _numbered(_accepted(lines), _CLAIM)
    as_claims = numbered.with_columns(encounter_id=pl.col("_claim").cast(pl.String).str.zfill(9))
    segments = charge_segments(
        as_claims.drop("_claim", "_row"), claim=claim, diagnosis_pointer="1"
    ).partition_by("encounter_id", maintain_order=True)
    heads = numbered.partition_by("_claim", maintain_order=True)
    body = [
        f"BHT*0019*00*1*{_SENT:%Y%m%d}*0800*CH",
        "NM1*41*2*SYN FACILITY*****46*SYN001",
        "PER*IC*SYN OFFICE*TE*5555550100",
        "NM1*40*2*SYN CLEARINGHOUSE*****46*SYN002",
        "HL*1**20*1",
        f"NM1*85*2*SYN FACILITY*****XX*{_PROVIDER}",
        "N3*1 SYN WAY",
        "N4*SYN CITY*NY*100010001",
        "REF*EI*999999999",
    ]
    for place, (head, loops) in enumerate(zip(heads, segments, strict=True), 2):
        body += _claim(head, place, claim)
        body += [text.removesuffix("~") for text in loops["text"]]
    return _interchange(_GUIDES[claim], [body])


def remittance_file(lines: pl.DataFrame | pl.LazyFrame) -> str:
    """Wrap charge lines with ``paid_usd`` into an 835 file: one transaction per payer.

    Lines with negative units make a reversal. What was not paid is one adjustment, CO-45,
    unless ``adjustments`` says otherwise, as ``read_remittances`` writes it.

    Raises
    ------
    InputError
        If a line cannot be read, or has no charge.
    """
    table = _accepted(lines)
    if table["charge_usd"].null_count():
        raise InputError("A remittance needs charge_usd in every line.")
    kept = [pl.col("paid_usd").fill_null(0), pl.col("payer").fill_null("SYN PAYER")]
    marked = table.with_columns(*kept, _credit=pl.col("units") < 0)
    numbered = _numbered(marked, (*_CLAIM, "status", "_credit"))
    return _interchange(
        _GUIDES["remittance"],
        [_remittance(one) for one in numbered.partition_by("payer", maintain_order=True)],
    )


def write_claims(folder: Path | str | None = None) -> list[Path]:
    """Write the bundled files of X12 from ``charge_lines.csv``; into ``folder`` if stated."""
    lines = read_charges(dataset("claims") / "charge_lines.csv").charges.collect()
    sent = lines.filter(pl.col("units") > 0)
    made = {
        "institutional.837": claim_file(sent.filter(pl.col("revenue_code").is_not_null())),
        "professional.837": claim_file(
            sent.filter(pl.col("revenue_code").is_null()), claim="professional"
        ),
        "remittance.835": remittance_file(lines),
    }
    into = Path(folder or dataset("claims"))
    for name, text in made.items():
        (into / name).write_text(text, "ascii", newline="\n")
    return [into / name for name in made]


def _accepted(lines: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    accepted, refused = accept_charges(lines)
    bad = refused.collect().height
    if bad:
        raise InputError(f"{bad:,} of the lines cannot be read; see accept_charges(lines).refused.")
    return accepted.collect()


def _numbered(table: pl.DataFrame, keys: Iterable[str]) -> pl.DataFrame:
    """Lines in the order of their claims, which are numbered as they first occur."""
    number = pl.struct(keys).rank("dense")
    first = pl.col("_row").min().over(keys)
    return table.with_columns(_claim=number, _first=first).sort("_first", "_row").drop("_first")


def _claim(head: pl.DataFrame, place: int, claim: str) -> Iterator[str]:
    first = head.row(0, named=True)
    total = _dollars(head["charge_usd"].sum())
    frequency = first["frequency"] or "1"
    yield f"HL*{place}*1*22*0"
    yield "SBR*P*18*******ZZ"
    yield "NM1*IL*2*SYN SUBSCRIBER*****MI*SYN000"
    yield f"NM1*PR*2*{first['payer'] or 'SYN PAYER'}*****PI*SYN003"
    place_of = f"22:B:{frequency}*Y*A*Y*Y"
    if claim == "institutional":
        place_of = f"13:A:{frequency}**A*Y*Y"
    yield f"CLM*{first['encounter_id']}*{total}***{place_of}"
    if claim == "institutional":
        days = [f"{day:%Y%m%d}" for day in (head["service_date"].min(), head["service_date"].max())]
        yield f"DTP*434*RD8*{'-'.join(days)}"
        yield "CL1*3*1*01"
    for qualifier, name in (("F8", "replaces_claim_id"), ("D9", "claim_id")):
        if first[name]:
            yield f"REF*{qualifier}*{first[name]}"
    yield "HI*ABK:R69"


def _remittance(table: pl.DataFrame) -> list[str]:
    payer, paid = table["payer"][0], _dollars(table["paid_usd"].sum())
    body = [
        f"BPR*I*{paid}*C*NON************{_SENT:%Y%m%d}",
        "TRN*1*SYN001*1999999999",
        f"DTM*405*{_SENT:%Y%m%d}",
        f"N1*PR*{payer}",
        "N3*1 SYN WAY",
        "N4*SYN CITY*NY*100010001",
        "PER*BL*SYN OFFICE*TE*5555550100",
        f"N1*PE*SYN FACILITY*XX*{_PROVIDER}",
        "LX*1",
    ]
    for claim in table.partition_by("_claim", maintain_order=True):
        first = claim.row(0, named=True)
        status = _REVERSAL if first["_credit"] else _STATUS[first["status"]]
        charge, paid = (_dollars(claim[name].sum()) for name in ("charge_usd", "paid_usd"))
        body.append(
            f"CLP*{first['encounter_id']}*{status}*{charge}*{paid}**ZZ*"
            f"{first['claim_id'] or 'SYN'}*13*{first['frequency'] or '1'}"
        )
        body.append("NM1*QC*1*SYN")
        if first["replaces_claim_id"]:
            body.append(f"REF*F8*{first['replaces_claim_id']}")
        for line in claim.rows(named=True):
            body += _paid_line(line)
    return body


def _paid_line(line: dict) -> Iterator[str]:
    procedure = ":".join(["HC", line["code"], *(line["modifiers"] or "").split()])
    charge, paid = line["charge_usd"], line["paid_usd"]
    units = abs(line["units"])
    revenue = (line["revenue_code"] or "").zfill(4) if line["revenue_code"] else ""
    yield f"SVC*{procedure}*{_dollars(charge)}*{_dollars(paid)}*{revenue}*{units}"
    yield f"DTM*472*{line['service_date']:%Y%m%d}"
    left = round(charge - paid, 2)
    stated = line.get("adjustments") or (f"CO-45 {_dollars(left)}" if left else "")
    for one in stated.split("; ") if stated else ():
        reason, amount = one.rsplit(" ", 1)
        yield f"CAS*{reason.replace('-', '*', 1)}*{amount}"


def _interchange(guide: tuple[str, str, str], bodies: list[list[str]]) -> str:
    version, group, kind = guide
    parties = "*".join(f"ZZ*{name:<15}" for name in ("SYN001", "SYN002"))
    isa = f"ISA*00*{' ' * 10}*00*{' ' * 10}*{parties}*{_SENT:%y%m%d}*0800*^*00501"
    segments = [
        f"{isa}*000000001*0*T*:",
        f"GS*{group}*SYN001*SYN002*{_SENT:%Y%m%d}*0800*1*X*{version}",
    ]
    for place, body in enumerate(bodies, 1):
        third = f"*{version}" if kind == "837" else ""
        segments += [f"ST*{kind}*{place:04}{third}", *body, f"SE*{len(body) + 2}*{place:04}"]
    segments += [f"GE*{len(bodies)}*1", "IEA*1*000000001"]
    return "~\n".join(segments) + "~\n"


def _dollars(amount: float) -> str:
    """Dollars without needless zeros."""
    cents = f"{abs(amount):.2f}".rstrip("0").rstrip(".")
    return f"-{cents}" if amount < 0 and cents != "0" else cents
