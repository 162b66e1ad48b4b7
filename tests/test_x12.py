"""Claims and remittances in X12: read, checked and written. Every row is invented."""

import builtins
import os
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from subq_toolkit.catalog import dataset
from subq_toolkit.charges import ChargeReading, accept_charges, read_charges
from subq_toolkit.errors import InputError
from subq_toolkit.synthetic.claims import claim_file, remittance_file, write_claims
from subq_toolkit.x12 import charge_segments, check_guide, read_claims, read_remittances

pytest.importorskip("pyx12")

CLAIMS = dataset("claims")
SENT = ("encounter_id", "service_date", "code", "units", "modifiers", "charge_usd", "payer")
SENT += ("claim_id", "replaces_claim_id", "frequency", "revenue_code")
INSTITUTIONAL = (CLAIMS / "institutional.837").read_text()
PROFESSIONAL = (CLAIMS / "professional.837").read_text()
REMITTANCE = (CLAIMS / "remittance.835").read_text()


def given() -> pl.DataFrame:
    return accept_charges(read_charges(CLAIMS / "charge_lines.csv").charges).accepted.collect()


def counted(text: str) -> str:
    """Correct the count of segments after a change."""
    out, since = [], 0
    for segment in text.split("~\n"):
        since = 1 if segment.startswith("ST*") else since + 1
        parts = segment.split("*")
        out.append(f"SE*{since}*{parts[2]}" if parts[0] == "SE" else segment)
    return "~\n".join(out)


@pytest.fixture
def read(tmp_path: Path):
    def _read(text: str | bytes, reader=read_claims, **stated: object):
        data = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "file.x12").write_bytes(data)
        return reader(tmp_path / "file.x12", **stated)

    return _read


def rows(reading: ChargeReading, *columns: str) -> list[tuple]:
    return reading.charges.collect().select(columns).rows()


# --- round trips --------------------------------------------------------------------------


@pytest.mark.parametrize(("claim", "billed"), [("institutional", True), ("professional", False)])
def test_lines_to_claims_and_back(read, claim: str, billed: bool) -> None:
    lines = given().filter(pl.col("units") > 0, pl.col("revenue_code").is_not_null() == billed)
    text = claim_file(lines, claim=claim)
    assert read(text, check_guide).is_empty()
    got = read(text).charges.collect()
    assert got.select(SENT).rows() == lines.select(SENT).rows()
    assert got["unreadable"].null_count() == lines.height == accept_charges(got)[0].collect().height


def test_lines_to_a_remittance_and_back(read) -> None:
    lines = given()
    text = remittance_file(lines)
    assert read(text, check_guide).is_empty()
    got = read(text, read_remittances).charges.collect()
    paid = (*SENT, "paid_usd", "status", "adjustments")
    assert got.select(paid).rows() == lines.select(paid).rows()
    assert got["units_paid"].to_list() == lines["units"].to_list()


def test_the_bundled_files_are_those_made(tmp_path: Path) -> None:
    for made in write_claims(tmp_path):
        assert made.read_bytes() == (CLAIMS / made.name).read_bytes()
        assert check_guide(made).is_empty()


def test_nothing_of_a_person_is_kept(read) -> None:
    named = INSTITUTIONAL.replace("SYN SUBSCRIBER", "ZZNAME").replace("SYN000~", "ZZMEMBER~")
    reading = read(named)
    told = str(reading.charges.collect().rows()) + repr(reading) + str(reading.report.rows())
    assert "ZZ" not in told
    assert "R69" not in told


# --- claims, segment by segment -----------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "changed", "columns", "first", "unreadable"),
    [
        (INSTITUTIONAL, ("", ""), ("line_number", "facility_code"), (1, "13"), None),
        (PROFESSIONAL, ("", ""), ("claim_in_file", "facility_code"), (1, "22"), None),
        (INSTITUTIONAL, ("UN*1~", "UN*1.0~"), ("units",), (1,), None),
        (INSTITUTIONAL, ("UN*1~", "UN*1.5~"), ("units",), (None,), "units"),
        (INSTITUTIONAL, ("UN*1~", "DA*1~"), ("units",), (None,), "units"),
        (INSTITUTIONAL, ("*412.5*", "*4e2*"), ("charge_usd",), (None,), "charge_usd"),
        (INSTITUTIONAL, ("*412.5*", f"*{'9' * 400}*"), ("charge_usd",), (None,), "charge_usd"),
        (INSTITUTIONAL, ("UN*1~", f"UN*{'9' * 400}~"), ("units",), (None,), "units"),
        (INSTITUTIONAL, ("HC:96369", "HC:96369:59:JZ:::words"), ("modifiers",), ("59 JZ",), None),
        (INSTITUTIONAL, ("HC:96369", "ER:96369"), ("code",), (None,), "code"),
        (INSTITUTIONAL, ("HC:96369", ""), ("code",), (None,), None),
        (INSTITUTIONAL, ("CLM*SYN-C01*", "CLM**"), ("encounter_id",), (None,), None),
        (INSTITUTIONAL, ("13:A:1", "13:A"), ("frequency",), (None,), None),
        (
            INSTITUTIONAL,
            ("472*D8*20260302", "472*RD8*20260302-20260304"),
            ("service_date", "service_until"),
            (date(2026, 3, 2), date(2026, 3, 4)),
            None,
        ),
        (
            INSTITUTIONAL,
            ("472*D8*20260302", "472*D8*20260230"),
            ("service_date",),
            (None,),
            "service_date",
        ),
        (
            INSTITUTIONAL,
            ("DTP*472*D8*20260302~\n", ""),
            ("service_date",),
            (date(2026, 3, 2),),
            None,
        ),
        (
            INSTITUTIONAL.replace("20260302-20260302", "20260302-20260303"),
            ("DTP*472*D8*20260302~\n", ""),
            ("service_date",),
            (None,),
            None,
        ),
    ],
)
def test_elements_of_a_claim(read, text, changed, columns, first, unreadable) -> None:
    reading = read(counted(text.replace(*changed)))
    assert rows(reading, *columns, "unreadable")[0] == (*first, unreadable)


def test_one_bad_claim_costs_no_other(read) -> None:
    whole = read(INSTITUTIONAL).charges.collect()
    bad = INSTITUTIONAL.replace("SYN-C02*667.5", "*x").replace("HC:96371:59*180", "HC*abc")
    got = read(counted(bad)).charges.collect()
    others = pl.col("claim_in_file") != 2
    assert got.filter(others).equals(whole.filter(others))
    assert accept_charges(got).refused.collect()["row"].to_list() == [3, 4, 5]


def test_other_payers_and_their_references_are_left_aside(read) -> None:
    beside = "SBR*S*18*******ZZ~\nNM1*PR*2*SYN OTHER*****PI*X~\nREF*F8*OTHER~\nLX*1~"
    first = INSTITUTIONAL.replace("LX*1~", beside, 1)
    assert rows(read(counted(first)), "payer", "replaces_claim_id")[0] == ("SYN MEDICARE", None)


def test_a_claim_without_lines_is_told(read) -> None:
    lines = given().filter(pl.col("encounter_id") == "SYN-C01").head(1)
    text = claim_file(lines)
    cut = text[: text.index("LX*1~")] + text[text.index("\nSE*") + 1 :]
    reading = read(counted(cut))
    assert rows(reading, "encounter_id", "code") == [("SYN-C01", None)]
    assert reading.report["note"][0] == "1 claims without service lines"
    failed = accept_charges(reading.charges).refused.collect()["failed"].to_list()
    assert failed == [["date of service is known", "code is stated", "units are a whole number"]]


# --- remittances --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "columns", "first"),
    [
        (("", ""), ("status", "adjustments"), ("final", "CO-45 202.25; PR-2 42.05")),
        (("SYN-C01*1*", "SYN-C01*4*"), ("status",), ("denied",)),
        (("SYN-C01*1*", "SYN-C01*23*"), ("status",), ("pending",)),
        (("SYN-C01*1*", "SYN-C01*99*"), ("status", "unreadable"), (None, "status")),
        (("0510*1~", "0510*0**2~"), ("units", "units_paid"), (2, 0)),
        (("0510*1~", "0510~"), ("units", "units_paid"), (1, 1)),
        (
            ("0510*1~", "0510*1*HC:96365:59~"),
            ("code", "modifiers", "code_paid"),
            ("96365", "59", "96369"),
        ),
        (
            ("CAS*CO*45*202.25~", "CAS*CO*45*200*1*97*2.25~"),
            ("adjustments",),
            ("CO-45 200; CO-97 2.25; PR-2 42.05",),
        ),
        (("NM1*QC*1*SYN~", "CAS*OA*23*5~"), ("claim_adjustments",), ("OA-23 5",)),
        (("DTM*472*20260302~", "LQ*HE*N362~"), ("remarks", "service_date"), ("N362", None)),
        (
            ("DTM*472*20260302~", "DTM*150*20260302~\nDTM*151*20260303~"),
            ("service_date", "service_until"),
            (date(2026, 3, 2), date(2026, 3, 3)),
        ),
    ],
)
def test_elements_of_a_remittance(read, changed, columns, first) -> None:
    assert rows(read(counted(REMITTANCE.replace(*changed)), read_remittances), *columns)[0] == first


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ("DTM*232*20260302~", date(2026, 3, 2)),
        ("DTM*232*20260302~\nDTM*233*20260302~", date(2026, 3, 2)),
        ("DTM*232*20260302~\nDTM*233*20260303~", None),
    ],
)
def test_days_of_the_claim_hold_for_a_line_only_if_they_are_one(read, spans, expected) -> None:
    text = REMITTANCE.replace("DTM*472*20260302~\n", "").replace(
        "NM1*QC*1*SYN~", f"NM1*QC*1*SYN~\n{spans}", 1
    )
    assert rows(read(counted(text), read_remittances), "service_date")[0] == (expected,)


def test_a_reversal_is_a_credit_whatever_its_signs(read) -> None:
    signed = read(REMITTANCE, read_remittances).charges.collect()
    bare = REMITTANCE.replace("*-412.5*-250*0450*1~", "*412.5*250*0450*1~")
    assert bare != REMITTANCE
    unsigned = read(bare, read_remittances).charges.collect()
    expected = (-1, -412.5, -250.0, "final")
    for table in (signed, unsigned):
        credit = table.filter(pl.col("units") == -1)
        assert credit.select("units", "charge_usd", "paid_usd", "status").row(0) == expected
    assert signed.filter(encounter_id="SYN-C03", code="96370")["units"].sum() == 2


def test_balances_of_the_provider_are_counted(read) -> None:
    text = REMITTANCE.replace("\nSE*", "\nPLB*1234567893*20261231*WO:SYN*5~\nSE*", 1)
    note = read(counted(text), read_remittances).report["note"][0]
    assert note == "1 adjustments of the provider's balance (PLB) are not lines"


# --- files that are not whole -------------------------------------------------------------

START = INSTITUTIONAL[:600]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"'file.x12' is not X12: it does not begin with ISA"),
        ("encounter_id,code\n", r"is not X12: .* for a table of charges use read_charges"),
        (INSTITUTIONAL[:90], r"ISA segment does not have its 106 characters"),
        (
            INSTITUTIONAL.replace("*0*T*:~", "*0*TDT*:~", 1),
            r"does not have its 106 characters or fields of their width",
        ),
        (
            INSTITUTIONAL.replace("*00000000", "*0002600000", 1),
            r"does not have its 106 characters or fields of their width",
        ),
        (" ".join(INSTITUTIONAL.split()), r"ISA segment does not have its 106 characters"),
        (INSTITUTIONAL.replace("*00501*", "*00401*"), r"another version than 00501 \(5010\)"),
        (
            INSTITUTIONAL.replace("005010X223A2", "005010X299A9"),
            r"holds nothing of 005010X223A2, 005010X222A1. It holds 005010X299A9",
        ),
        (
            INSTITUTIONAL.replace("005010X223A2", "NAME OF ONE"),
            r"It holds an odd version",
        ),
        (INSTITUTIONAL[:106], r"holds nothing of .* It holds no group \(GS\)"),
        (REMITTANCE, r"It holds 005010X221A1. Files of the other kind are read by read_remitt"),
        (START, r"not whole: .*\(IEA\) is missing; .*\(GE is missing\); .*\(SE is missing\)"),
        (START, r"the file breaks off within a segment. Lines may be missing"),
        (INSTITUTIONAL.replace("\nSE*", "\nSE*1"), r"the count of segments in SE is wrong"),
        (INSTITUTIONAL.replace("GE*1", "GE*2"), r"the count of transactions in GE is wrong"),
        (INSTITUTIONAL.replace("IEA*1", "IEA*2"), r"the count of groups in IEA is wrong"),
        (INSTITUTIONAL.replace("IEA*1*0", "IEA*1*9"), r"ends with another control number"),
        (INSTITUTIONAL.replace("ST*837", "SX*837"), r"or never began"),
        (INSTITUTIONAL + INSTITUTIONAL, r"two interchanges have one control number"),
        (
            INSTITUTIONAL + INSTITUTIONAL.replace("*", "|"),
            r"this is no segment: are the separators other ones here",
        ),
        (INSTITUTIONAL + INSTITUTIONAL[:3] + "*00~", r"separators of its own or a faulty ISA"),
    ],
)
def test_files_that_are_refused(read, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as failed:
        read(text)
    assert "SYN-C0" not in str(failed.value)
    assert "NAME OF ONE" not in str(failed.value)


def test_a_cut_file_is_read_if_asked(read) -> None:
    reading = read(START, strict=False)
    assert rows(reading, "encounter_id")[0] == ("SYN-C01",)
    assert reading.report["note"][0].startswith("not whole: ")


def test_sizes_and_absent_files(read, tmp_path: Path) -> None:
    size = len(INSTITUTIONAL)
    assert rows(read(INSTITUTIONAL, max_bytes=size), "code")
    with pytest.raises(InputError, match=rf"has {size:,} bytes, more than max_bytes={size - 1:,}"):
        read(INSTITUTIONAL, max_bytes=size - 1)
    with pytest.raises(InputError, match=r"There is no file 'no.837'"):
        read_claims(tmp_path / "no.837")


@pytest.mark.parametrize(
    "text",
    [
        INSTITUTIONAL.replace("~\n", "~\r\n"),
        INSTITUTIONAL.replace("~\n", "~"),
        INSTITUTIONAL.replace("~\n", "\n"),
        INSTITUTIONAL.replace("LX*1~\n", "~~\n~LX*1~\n"),
        "\ufeff" + INSTITUTIONAL,
        INSTITUTIONAL.replace("*", "|").replace(":", ">"),
    ],
)
def test_separators_and_line_ends_make_no_difference(read, text: str) -> None:
    expected = read_claims(CLAIMS / "institutional.837").charges.collect()
    assert read(text).charges.collect().equals(expected)


def test_interchanges_one_after_the_other(read) -> None:
    second = INSTITUTIONAL.replace("000000001", "000000002")
    assert len(rows(read(INSTITUTIONAL + second), "code")) == 18
    assert read(INSTITUTIONAL + second, check_guide).is_empty()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (("N3*1 SYN WAY~\n", ""), (10, "N3", None, "this segment is required here and missing")),
        (("472*D8*20260302", "472*D8*20261302"), (24, "DTP", "DTP03", "element is not a date")),
        (("CLM*SYN-C01*", "CLM**"), (17, "CLM", "CLM01", "required element is missing")),
        (
            ("LX*1~", "ZZ*1~\nLX*1~"),
            (22, "ZZ", None, "segment is not known or not expected here"),
        ),
    ],
)
def test_findings_of_the_guide_show_no_value(read, changed, expected) -> None:
    found = read(counted(INSTITUTIONAL.replace(*changed, 1)), check_guide)
    assert found.select("line", "segment", "element", "says").row(0) == expected
    assert "20261302" not in str(found.rows())


@pytest.mark.parametrize("span", ["20260302-20260302-20260302", "20260302-", "2026", "-"])
def test_a_span_of_dates_that_is_none_stops_no_check(read, span: str) -> None:
    """pyx12 itself stumbles over more than two dates."""
    text = INSTITUTIONAL.replace("472*D8*20260302", f"472*RD8*{span}", 1)
    found = read(text, check_guide)
    assert found.filter(pl.col("line") >= 24, pl.col("line") <= 25).height >= 1
    assert "20260302-" not in str(found.rows())
    rows = read(text).charges.collect()
    assert rows.height == read(INSTITUTIONAL).charges.collect().height


@pytest.mark.parametrize("reader", [read_claims, read_remittances, check_guide])
def test_what_is_no_file_is_named(tmp_path: Path, monkeypatch, reader) -> None:
    os.mkfifo(tmp_path / "pipe.837")
    for path, message in (
        (None, "is a NoneType"),
        (b"x", "is a bytes"),
        (tmp_path, "is a folder"),
        (tmp_path / "none.837", "There is no file"),
        (tmp_path / ("x" * 300 + ".837"), "cannot be opened"),
        (tmp_path / "\0.837", "NUL|no file"),
        (tmp_path / "pipe.837", "pipe or a device"),
        ("/dev/zero", "pipe or a device"),
    ):
        with pytest.raises(InputError, match=message):
            reader(path)
    with pytest.raises(InputError, match="max_bytes is a whole number"):
        reader(CLAIMS / "institutional.837", max_bytes="x")

    def refused(self: Path, *_: object, **__: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(InputError, match="may not be read: permission is denied"):
        reader(CLAIMS / "institutional.837")


def test_only_some_other_versions_are_named(read) -> None:
    groups = "".join(f"GS*HC*A*B*20260302*0900*1*X*00{n}X222{'A1' * n}~" for n in range(5010, 5020))
    with pytest.raises(InputError, match=r"It holds an odd version\. Files") as error:
        read(INSTITUTIONAL[:106] + groups + "IEA*1*000000001~", strict=False)
    assert len(str(error.value)) < 300
    groups = "".join(f"GS*HC*A*B*20260302*0900*1*X*00{n}X222A1~" for n in range(4010, 4050))
    with pytest.raises(InputError, match=r"It holds 004010X222A1, .*, 004014X222A1\. Files"):
        read(INSTITUTIONAL[:106] + groups + "IEA*1*000000001~", strict=False)


def test_a_guide_that_pyx12_does_not_have(read) -> None:
    with pytest.raises(InputError, match=r"of a version without a map"):
        read(INSTITUTIONAL.replace("005010X223A2", "005010X299A9"), check_guide)


def test_without_pyx12(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: object, **more: object) -> object:
        if name.startswith("pyx12"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(InputError, match=r"needs pyx12: pip install 'subq_toolkit\[x12\]'"):
        read_claims(CLAIMS / "institutional.837")


# --- segments out -------------------------------------------------------------------------


def charge(**changed: object) -> pl.DataFrame:
    base = {"encounter_id": "E1", "service_date": date(2026, 3, 2), "code": "96369", "units": 1}
    return pl.DataFrame(base | changed)


@pytest.mark.parametrize(
    ("lines", "stated", "text", "note"),
    [
        (
            charge(modifiers="59 JZ", revenue_code="510", charge_usd=1234.5),
            {},
            "SV2*0510*HC:96369:59:JZ*1234.5*UN*1~",
            None,
        ),
        (charge(charge_usd=100.0), {}, "SV2**HC:96369*100*UN*1~", "no revenue code is stated"),
        (
            charge(units=12),
            {"claim": "professional"},
            "SV1*HC:96369*0*UN*12~",
            "no charge is stated; no diagnosis pointer is stated",
        ),
        (
            charge(charge_usd=0.05),
            {"claim": "professional", "diagnosis_pointer": "1"},
            "SV1*HC:96369*0.05*UN*1***1~",
            None,
        ),
    ],
)
def test_a_line_as_segments(lines, stated, text, note) -> None:
    made = charge_segments(lines, **stated)
    assert made["text"].to_list() == ["LX*1~", text, "DTP*472*D8*20260302~"]
    assert made["note"].to_list() == [None, note, None]
    assert made["segment"].to_list() == ["LX", text[:3], "DTP"]


def test_lines_are_counted_in_each_encounter() -> None:
    made = charge_segments(given().filter(pl.col("units") > 0).reverse())
    lines = made.filter(segment="LX").select("encounter_id", "line").rows()
    assert lines[:3] == [("SYN-C01", 1), ("SYN-C01", 2), ("SYN-C02", 1)]
    assert lines[-1] == ("SYN-C05", 1)


@pytest.mark.parametrize(
    ("lines", "stated", "message"),
    [
        (charge(), {"claim": "dental"}, r"claim is one of institutional, professional, not 'dent"),
        (charge(code="x"), {}, r"1 of the lines cannot be read: accept_charges\(lines\).refused"),
        (charge(units=0), {}, r"1 lines have no positive units: a claim has no credits"),
        (charge(modifiers="A1 A2 A3 A4 A5"), {}, r"more than 4 modifiers"),
    ],
)
def test_lines_that_make_no_segments(lines, stated, message) -> None:
    with pytest.raises(InputError, match=message):
        charge_segments(lines, **stated)


def test_no_lines_make_no_segments() -> None:
    assert charge_segments(charge().clear()).is_empty()


def test_a_remittance_needs_charges() -> None:
    with pytest.raises(InputError, match="A remittance needs charge_usd in every line"):
        remittance_file(charge())
