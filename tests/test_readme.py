"""The README keeps its word: its examples run, its commands and files exist."""

import json
import re
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

import subq_toolkit as sq

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_first_example_says_what_it_promises() -> None:
    names: dict = {}
    exec(EXAMPLES[0], names)
    for promised in re.findall(r"^((?:one|plan)\.\w+) +# (.+)$", EXAMPLES[0], re.MULTILINE):
        expression, shown = promised
        if shown[0] in "{0123456789":
            assert eval(expression, names) == eval(shown), expression
    counts = names["coded"].reconcile()
    assert counts["rows_in"] == sum(counts[name] for name in counts if name != "rows_in")


def test_the_export_example_runs_on_such_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = (
        "Visit,Patient,Start Time,Stop Time,Route,Pump #,Site\n"
        "7,P,03/22/2026 9:00 AM,03/22/2026 11:31 AM,SubQ,A,abdomen\n"
    )
    (tmp_path / "export.csv").write_text(rows)
    monkeypatch.chdir(tmp_path)
    names: dict = {"sq": sq}
    exec(EXAMPLES[1], names)
    assert names["coded"].encounters.collect()["infusion_min"].to_list() == [151]


def test_the_audit_example_runs_on_such_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "CSN,DOS,code,units,payer,coder\nE1,03/22/2026,96369,2,Commercial A,C1\n"
    (tmp_path / "charges.csv").write_text(rows)
    monkeypatch.chdir(tmp_path)
    times = {
        f"{name}_at": [datetime(2026, 3, 22, hour)] for name, hour in (("start", 9), ("stop", 10))
    }
    chart = pl.DataFrame({"encounter_id": ["E1"], **times})
    names: dict = {"sq": sq, "coded": sq.code_administrations(chart)}
    exec(next(one for one in EXAMPLES if "sq.audit(" in one), names)
    line = names["audit"].lines.collect().row(0, named=True)
    assert (line["class"], line["file_by"]) == ("above_unlikely_edit", date(2026, 9, 18))
    assert (tmp_path / "worklist.xlsx").is_file()
    assert "96369" in (tmp_path / "charge_lines.csv").read_text("utf-8")


def test_the_slide_example_makes_slides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pptx", reason="the report extra is not installed")
    pytest.importorskip("altair", reason="the notebook extra is not installed")
    monkeypatch.chdir(tmp_path)
    example = next(one for one in EXAMPLES if "publish(" in one)
    exec(example, {"coded": sq.code_administrations(sq.sample_administrations())})
    assert (tmp_path / "durations.pptx").stat().st_size > 10_000


def test_every_named_file_exists() -> None:
    for name in re.findall(r"notebooks/\w+\.ipynb|tests/benchmarks/\w+\.py", README):
        assert (ROOT / name).is_file(), name
    for name in re.findall(r"^\| `(\d\d_\w+)` \|", README, re.MULTILINE):
        assert (ROOT / "notebooks" / f"{name}.ipynb").is_file(), name


def test_every_notebook_is_listed() -> None:
    listed = set(re.findall(r"^\| `(\d\d_\w+)` \|", README, re.MULTILINE))
    assert listed == {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
def test_no_notebook_saves_a_warning(path: Path) -> None:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    saved = [output for cell in cells for output in cell.get("outputs", [])]
    assert not [output for output in saved if output.get("name") == "stderr"]
