"""Files coded in parts give what one whole run gives, also after being stopped."""

import io
import json
import os
import random
import signal
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import subq_toolkit as sq
from subq_toolkit.coded_files import Progress, code_files, read_coded_files
from subq_toolkit.coded_files.progress import teller
from subq_toolkit.errors import ReconciliationError
from subq_toolkit.synthetic import administrations

TABLES = ("encounters", "lines", "findings", "refused")
ORDER = {
    "encounters": ["encounter_id"],
    "lines": ["encounter_id", "code", "service_date"],
    "findings": ["encounter_id", "finding"],
    "refused": ["row"],
}
NINE = datetime(2026, 3, 2, 9)


def run(
    encounter: object, start: datetime | None = NINE, minutes: int = 60, **more: object
) -> dict:
    stop = start and start + timedelta(minutes=minutes)
    return {"encounter_id": encounter, "start_at": start, "stop_at": stop, **more}


def assert_as_one_run(coded: sq.Coded, parts: object) -> None:
    """Same columns, types, rows and counts; only the order of rows is free."""
    for table in TABLES:
        whole, pieces = (getattr(one, table).collect() for one in (coded, parts))
        order = ORDER[table]
        assert_frame_equal(
            pieces.sort(order, maintain_order=True), whole.sort(order, maintain_order=True)
        )
    assert parts.reconcile() == coded.reconcile()


@pytest.fixture(scope="module")
def export() -> pl.DataFrame:
    """An invented export in the order in which nobody would hand it in."""
    return administrations(600, seed=5).sample(fraction=1, shuffle=True, seed=5)


@pytest.fixture(scope="module")
def years(export: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export as three files of unequal size."""
    folder = tmp_path_factory.mktemp("years")
    for name, (first, size) in {"a": (0, 100), "b": (100, 700), "c": (800, 10_000)}.items():
        export.slice(first, size).write_parquet(folder / f"{name}.parquet")
    return folder


@pytest.mark.parametrize("parts", [1, 2, 19])
def test_parts_give_what_one_run_gives(years: Path, tmp_path: Path, parts: int) -> None:
    coded = code_files(years, tmp_path / "out", parts=parts, progress=False)
    assert_as_one_run(sq.code_administrations(pl.scan_parquet(years)), coded)
    assert coded.parts == parts
    assert not (tmp_path / "out" / "in_work").exists()


@pytest.mark.parametrize(
    "policy",
    [
        sq.Policy(midnight="split", missing_stop="computed", bridge_pauses_min=10),
        sq.Policy(second_encounter="report", running_at_discharge="stop_at_discharge"),
    ],
)
def test_other_policies(years: Path, tmp_path: Path, policy: sq.Policy) -> None:
    coded = code_files(years, tmp_path / "out", parts=3, policy=policy, progress=False)
    assert_as_one_run(sq.code_administrations(pl.scan_parquet(years), policy=policy), coded)
    assert coded.policy == policy


def test_what_source_may_be(years: Path, tmp_path: Path) -> None:
    files = sorted(years.iterdir())
    sources = [years, f"{years}/*.parquet", files, [str(file) for file in files]]
    results = [
        code_files(source, tmp_path / str(n), parts=2, progress=False).refused.collect()
        for n, source in enumerate(sources)
    ]
    assert all(result.equals(results[0]) for result in results)
    one = code_files(str(files[0]), tmp_path / "one", progress=False)
    assert one.reconcile()["rows_in"] == 100


def hostile() -> pl.DataFrame:
    """Everything that looks beyond an encounter, or that a part could see otherwise."""
    draw = random.Random(3)
    rows = []
    for n in range(150):
        start = NINE + timedelta(days=draw.randrange(3), minutes=draw.randrange(600))
        patient = draw.choice(["P1", "P2", " P2 ", "P3", "", None, f"P{n}"])
        rows.append(run(f"E{n}", start, draw.randrange(5, 300), patient_id=patient))
    # One encounter of two patients, of which the least counts; of none and one; of none.
    rows += [run("two", patient_id="P1"), run("two", NINE + timedelta(hours=2), patient_id="P2")]
    rows += [run("one", patient_id=None), run("one", NINE + timedelta(hours=1), patient_id="P3")]
    # Two at the same moment; one with no time at all; one that only a refused row would join.
    rows += [run(name, patient_id="P9") for name in ("twin a", "twin b")]
    rows += [run(name, None, patient_id="P8") for name in ("timeless a", "timeless b")]
    rows += [run("seen", patient_id="P7"), run("unseen", minutes=-5, patient_id="P7")]
    rows += [run("both", patient_id="P6"), run("both", minutes=-5, patient_id="P0")]
    rows += [run("other", NINE + timedelta(hours=3), patient_id="P6")]
    # An infusion beside an injection of the same patient and day.
    rows += [run("shot", patient_id="P5", route="injection"), run("infused", patient_id="P5")]
    rows += [run(None), run(""), run("  "), run(" E1 "), run("E1"), run("E1")]
    rows += [run(f"late {n}", datetime(2035, 1, 1 + n, 9), patient_id="L") for n in range(5)]
    draw.shuffle(rows)
    defaults = {"patient_id": None, "route": "subcutaneous"}
    frame = pl.DataFrame([defaults | row for row in rows], infer_schema_length=None)
    n = pl.int_range(pl.len())
    return frame.with_columns(
        payer=pl.when(n % 7 > 0).then(pl.format("Payer {}", n % 5)).cast(pl.Categorical),
        outcome=pl.lit("theirs"),
        part=n % 3,
        row=n,
        nothing=None,
        notes=pl.concat_list(n),
        parts=pl.struct(n),
    )


@pytest.mark.parametrize(("parts", "zone"), [(1, None), (4, "America/New_York"), (23, None)])
def test_a_hostile_table(tmp_path: Path, parts: int, zone: str | None) -> None:
    hostile().write_parquet(tmp_path / "rows.parquet")
    options = {"facility_zone": zone}
    whole = sq.code_administrations(pl.scan_parquet(tmp_path / "rows.parquet"), **options)
    found = whole.findings.collect()
    later = found.filter(finding="second_encounter_same_day")
    assert later.height > 50
    assert found.filter(pl.col("encounter_id").is_null()).height > 0
    out = tmp_path / "out"
    coded = code_files(tmp_path / "rows.parquet", out, parts=parts, progress=False, **options)
    assert_as_one_run(whole, coded)


def test_patients_are_compared_a_share_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subq_toolkit.coded_files.same_day._AT_ONCE", 20)
    hostile().write_parquet(tmp_path / "rows.parquet")
    coded = code_files(tmp_path / "rows.parquet", tmp_path / "out", parts=5, progress=False)
    assert_as_one_run(sq.code_administrations(hostile()), coded)


@pytest.mark.parametrize(
    "ids",
    [
        pl.Series([7, 8, None] * 4),
        pl.Series([7.0, -0.0, float("nan"), 0.0] * 3),
        pl.Series([" 7", "7", "7 ", ""] * 3),
        pl.Series([" 7", "7", "7 ", ""] * 3, dtype=pl.Categorical),
        pl.Series([" 7", "7", "8", ""] * 3, dtype=pl.Enum([" 7", "7", "8", ""])),
        pl.Series([None] * 12),
    ],
    ids=["int", "float", "text", "categorical", "enum", "null"],
)
def test_an_encounter_is_whole_however_it_is_written(tmp_path: Path, ids: pl.Series) -> None:
    rows = pl.DataFrame([run("x", NINE + timedelta(hours=n)) for n in range(12)])
    rows.with_columns(ids.alias("encounter_id")).write_parquet(tmp_path / "rows.parquet")
    coded = code_files(tmp_path / "rows.parquet", tmp_path / "out", parts=9, progress=False)
    assert_as_one_run(sq.code_administrations(pl.scan_parquet(tmp_path / "rows.parquet")), coded)


def test_no_rows_at_all(tmp_path: Path) -> None:
    pl.DataFrame([run("x")]).clear().write_parquet(tmp_path / "rows.parquet")
    coded = code_files(tmp_path / "rows.parquet", tmp_path / "out", progress=False)
    assert_as_one_run(sq.code_administrations(pl.scan_parquet(tmp_path / "rows.parquet")), coded)
    assert coded.reconcile() == dict.fromkeys(("rows_in", "coded", "query", "refer", "refused"), 0)


def test_whole_file_findings_come_once_with_counts_of_all(tmp_path: Path) -> None:
    """40 runs on the hour, of which the last three are in 2035: 80 times, all on a quarter."""
    days = [datetime(2026, 1, 1, 9) + timedelta(days=n) for n in range(37)]
    days += [datetime(2035, 1, n, 9) for n in (1, 2, 3)]
    rows = pl.DataFrame([run(f"E{n}", day) for n, day in enumerate(days)])
    rows.write_parquet(tmp_path / "rows.parquet")
    coded = code_files(tmp_path / "rows.parquet", tmp_path / "out", parts=6, progress=False)
    found = coded.findings.filter(pl.col("encounter_id").is_null()).collect()
    assert dict(found.select("finding", "detail").rows()) == {
        "heaped_times": "100 % of 80 charted times fall on :00, :15, :30 or :45; by chance it "
        "would be 7 %.",
        "route_assumed": "There is no column 'route'.",
        "rules_due_for_review": "Encounters after the day on which the time rules were due to be "
        "read again: 3, the last on 2035-01-03.",
    }


def test_the_size_of_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By rows, and by bytes: twelve rows with a kilobyte of text each."""
    rows = pl.DataFrame([run(f"E{n}", note="x" * 1_000 + str(n)) for n in range(12)])
    rows.write_parquet(tmp_path / "rows.parquet")
    monkeypatch.setattr("subq_toolkit.coded_files.sources.MOST_ROWS", 5)
    coded = code_files(tmp_path / "rows.parquet", tmp_path / "five", progress=False)
    assert coded.parts == 3
    monkeypatch.setattr("subq_toolkit.coded_files.sources.MOST_BYTES", 2_500)
    coded = code_files(tmp_path / "rows.parquet", tmp_path / "two", progress=False)
    assert coded.parts == 5
    assert_as_one_run(sq.code_administrations(rows), coded)


def test_some_tables_only(years: Path, tmp_path: Path) -> None:
    coded = code_files(years, tmp_path / "out", parts=2, tables=["lines"], progress=False)
    assert coded.tables == ("lines",)
    assert coded.reconcile() == sq.code_administrations(pl.scan_parquet(years)).reconcile()
    assert {one.name for one in (tmp_path / "out").iterdir()} == {"lines", "manifest.json"}
    with pytest.raises(sq.InputError, match=r"holds no findings: .* tables=\('lines',\)"):
        _ = coded.findings


KILLED = """
import os, signal, sys
from pathlib import Path
from subq_toolkit.coded_files import code_files, sources
sources.MOST_ROWS = 400
source, target, kind, number = sys.argv[1:]
moves = {"before": 0, "after": 0}
def stopped(kind_now):
    moves[kind_now] += 1
    if kind_now == kind and moves[kind] == int(number):
        os.kill(os.getpid(), signal.SIGKILL)
def watched(move):
    def moved(self, other):
        stopped("before")
        move(self, other)
        stopped("after")
    return moved
Path.replace, Path.rename = watched(Path.replace), watched(Path.rename)
code_files(source, target, parts=3, progress=False)
"""


@pytest.fixture(scope="module")
def whole(years: Path) -> sq.Coded:
    return sq.code_administrations(pl.scan_parquet(years).collect())


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        *[("before", number) for number in (1, 3, 7, 24)],
        *[("after", number) for number in (1, 4, 9, 17)],
    ],
)
def test_killed_at_any_moment_it_goes_on(
    years: Path, tmp_path: Path, whole: sq.Coded, kind: str, number: int
) -> None:
    """Killed beside the n-th renaming, of which there are 24: nothing half-written is taken."""
    target = tmp_path / "out"
    command = [sys.executable, "-c", KILLED, str(years), str(target), kind, str(number)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    left = {path: path.stat().st_mtime_ns for path in target.rglob("part-*.parquet")}
    done = json.loads((target / "manifest.json").read_text())["done"] if number > 1 else {}
    coded = code_files(years, target, parts=3, progress=False)
    assert_as_one_run(whole, coded)
    kept = {path for path, when in left.items() if path.stat().st_mtime_ns == when}
    assert len(kept) >= 4 * len(done)
    assert not list(target.rglob("*unfinished"))


def test_killed_while_a_file_is_written(years: Path, tmp_path: Path, whole: sq.Coded) -> None:
    target = tmp_path / "out"
    code = KILLED.replace("Path.replace, Path.rename", "_ = ").replace(
        "code_files(source",
        "import threading; threading.Timer(float(number), os.kill, "
        "(os.getpid(), signal.SIGKILL)).start(); code_files(source",
    )
    for seconds in ("0.05", "0.2", "0.4"):
        subprocess.run(
            [sys.executable, "-c", code, str(years), str(target), "", seconds], check=False
        )
    assert_as_one_run(whole, code_files(years, target, parts=3, progress=False))


def test_a_second_call_does_nothing_again(years: Path, tmp_path: Path) -> None:
    first = code_files(years, tmp_path / "out", parts=2, progress=False)
    seen: list[Progress] = []
    again = code_files(years, tmp_path / "out", progress=seen.append)
    assert seen == []
    assert again == first == read_coded_files(tmp_path / "out")


@pytest.fixture
def stopped(years: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A copy of the source and a target of which one part of three is coded."""
    source = tmp_path / "years"
    source.mkdir()
    for file in years.iterdir():
        (source / file.name).write_bytes(file.read_bytes())

    def stop(told: Progress) -> None:
        if told.parts_done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        code_files(source, tmp_path / "out", parts=3, progress=stop)
    return source, tmp_path / "out"


def test_unfinished_work_is_not_opened(stopped: tuple[Path, Path]) -> None:
    with pytest.raises(sq.InputError, match="is not finished: 1 of 3 parts are coded"):
        read_coded_files(stopped[1])


def test_two_kinds_of_results_are_not_mixed(stopped: tuple[Path, Path]) -> None:
    source, target = stopped
    for options, named in {
        "the policy": {"policy": sq.Policy(seconds="count")},
        "facility_zone": {"facility_zone": "America/Chicago"},
        "tables": {"tables": ["lines"]},
        "the number of parts": {"parts": 4},
    }.items():
        with pytest.raises(sq.InputError, match=rf"something else: {options} differs?\."):
            code_files(source, target, progress=False, **named)
    os.utime(source / "b.parquet", ns=(1, 1))
    with pytest.raises(
        sq.InputError, match=r"source differ \('.*b\.parquet' was changed\)\. Choose"
    ):
        code_files(source, target, progress=False)


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("subq_toolkit", "the version of subq_toolkit"),
        ("polars", "the version of Polars"),
        ("rules", "the values of the rules"),
    ],
)
def test_versions_are_not_mixed(stopped: tuple[Path, Path], key: str, named: str) -> None:
    source, target = stopped
    manifest = json.loads((target / "manifest.json").read_text())
    (target / "manifest.json").write_text(json.dumps(manifest | {key: "another"}))
    with pytest.raises(sq.InputError, match=f"begun with something else: {named}"):
        code_files(source, target, progress=False)


def test_a_manifest_holds_no_values_of_patients(stopped: tuple[Path, Path]) -> None:
    assert "SYN-" not in (stopped[1] / "manifest.json").read_text()


def test_other_files_are_never_written_among(years: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "out" / "letter.txt"
    theirs.parent.mkdir()
    theirs.write_text("theirs")
    with pytest.raises(sq.InputError, match="holds other files, and nothing is written among"):
        code_files(years, theirs.parent, progress=False)
    with pytest.raises(sq.InputError, match="holds other files"):
        code_files(years, theirs, progress=False)
    (tmp_path / "out" / "manifest.json").write_text('{"name": "an app"}')
    with pytest.raises(sq.InputError, match="is no manifest of code_files, or it is damaged"):
        code_files(years, theirs.parent, progress=False)
    assert sorted(one.name for one in theirs.parent.iterdir()) == ["letter.txt", "manifest.json"]


def test_two_calls_at_once(stopped: tuple[Path, Path]) -> None:
    source, target = stopped

    def second(told: Progress) -> None:
        with pytest.raises(sq.InputError, match="is being written by another call of code_files"):
            code_files(source, target, progress=False)

    code_files(source, target, progress=second)


def test_what_is_no_source(tmp_path: Path, years: Path) -> None:
    out = tmp_path / "out"
    wrong = {
        "there is no such file or folder": tmp_path / "none.parquet",
        r"source '.*parquet' matches no file": f"{tmp_path}/*.parquet",
        "source is the path of a Parquet file, a folder": pl.DataFrame(),
        "A table in memory goes to code_administrations": [],
    }
    for message, source in wrong.items():
        with pytest.raises(sq.InputError, match=message):
            code_files(source, out, progress=False)
    (tmp_path / "text.parquet").write_text("JANE ROE,2026-03-02")
    with pytest.raises(sq.InputError, match="could not be read as Parquet") as error:
        code_files(tmp_path / "text.parquet", out, progress=False)
    assert "JANE" not in str(error.value)
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(sq.InputError, match="The table has no column 'encounter_id'"):
        code_files(tmp_path / "other.parquet", out, progress=False)
    with pytest.raises(sq.InputError, match=r"other.parquet' has no column 'encounter_id' and"):
        code_files([*years.iterdir(), tmp_path / "other.parquet"], out, progress=False)
    assert not out.exists()


def test_a_file_damaged_in_the_middle(years: Path, tmp_path: Path, export: pl.DataFrame) -> None:
    export.write_parquet(tmp_path / "rows.parquet", compression="zstd")
    held = bytearray((tmp_path / "rows.parquet").read_bytes())
    held[len(held) // 3 : len(held) // 3 + 4_000] = bytes(4_000)
    (tmp_path / "rows.parquet").write_bytes(held)
    with pytest.raises(sq.InputError, match="could not be read as Parquet"):
        code_files(tmp_path / "rows.parquet", tmp_path / "out", progress=False)


def test_wrong_options(years: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for parts in (0, -1, 1.5, True, 10_001):
        with pytest.raises(sq.InputError, match="parts is a whole number from 1 to 10000"):
            code_files(years, out, parts=parts)
    for tables in ([], ["line"], "everything"):
        with pytest.raises(sq.InputError, match="tables is one or more of 'encounters', 'lines'"):
            code_files(years, out, tables=tables)
    with pytest.raises(sq.InputError, match="policy is a Policy, not a str"):
        code_files(years, out, policy="audit_ready")
    with pytest.raises(sq.InputError, match="is not a known time zone"):
        code_files(years, out, facility_zone="Mars")
    assert not out.exists()


def test_a_target_within_the_source(years: Path) -> None:
    with pytest.raises(sq.InputError, match="lies within source"):
        code_files(years, years / "out", progress=False)
    assert not (years / "out").exists()


FULL = """
import resource, signal, sys
from subq_toolkit import InputError
from subq_toolkit.coded_files import code_files
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
try:
    code_files(sys.argv[1], sys.argv[2], parts=3, progress=False)
except InputError as error:
    print(error)
"""


@pytest.mark.parametrize("most_bytes", [100, 8_000, 20_000])
def test_a_place_that_takes_no_more(
    years: Path, tmp_path: Path, whole: sq.Coded, most_bytes: int
) -> None:
    """As on a full disk, writing fails half-way; with room, the same call finishes."""
    command = [sys.executable, "-c", FULL, str(years), str(tmp_path / "out"), str(most_bytes)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "out' cannot be written (" in told
    assert "GB are free there. Make room" in told
    assert_as_one_run(whole, code_files(years, tmp_path / "out", parts=3, progress=False))


def test_a_folder_that_may_not_be_written(
    years: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    # The superuser may write anywhere, so that the system would not refuse it.
    monkeypatch.setattr(Path, "mkdir", forbidden)
    with pytest.raises(sq.InputError, match="cannot be written"):
        code_files(years, tmp_path / "out", progress=False)


def test_a_target_below_a_file(years: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("theirs")
    with pytest.raises(sq.InputError, match="cannot be written"):
        code_files(years, tmp_path / "file" / "out", progress=False)


def test_progress_counts_rows_and_parts(years: Path, tmp_path: Path, export: pl.DataFrame) -> None:
    seen: list[Progress] = []
    code_files(years, tmp_path / "out", parts=3, progress=seen.append)
    stages = list(dict.fromkeys(one.stage for one in seen))
    assert stages == ["dividing", "comparing", "coding"]
    for stage in stages:
        done = [one.rows_done for one in seen if one.stage == stage]
        assert done == sorted(done)
        assert done[-1] == export.height
    assert [one.parts_done for one in seen if one.stage == "coding"] == [1, 2, 3]
    assert seen[-1].seconds_left == pytest.approx(0)
    assert all(one.seconds_left >= 0 for one in seen)


def test_the_line_says_what_is_done_and_left() -> None:
    told = Progress("coding", 3_000_000, 100_000_000, 3, 100, 600.0)
    words = "coding: 3,000,000 of 100,000,000 rows, 3 of 100 parts coded"
    assert str(told) == f"{words}, about 10 min left"
    assert str(Progress("coding", 3_000_000, 100_000_000, 3, 100, None)) == words
    for seconds, left in {20: "20 s", 89: "89 s", 90: "2 min", 5_400: "1.5 h"}.items():
        assert str(Progress("coding", 1, 2, 1, 2, seconds)).endswith(f"about {left} left")


def test_silence_and_the_line(
    years: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code_files(years, tmp_path / "a", parts=2, progress=False)
    assert capfd.readouterr() == ("", "")
    code_files(years, tmp_path / "b", parts=2)
    out, told = capfd.readouterr()
    assert out == ""
    assert told.splitlines()[-1].startswith("coding: ")
    assert "2 of 2 parts coded" in told.splitlines()[-1]


def test_the_line_is_written_over_itself_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    now = iter([0.0, 0.4, 0.6, 0.7])
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr("time.monotonic", lambda: next(now))
    tell = teller(True)
    seen = [
        Progress("dividing", 10, 20, 0, 2, 100.0),
        Progress("dividing", 15, 20, 0, 2, 90.0),
        Progress("coding", 10, 20, 1, 2, 5.0),
        Progress("coding", 20, 20, 2, 2, 0.0),
    ]
    for told in seen:
        tell(told)
    lines = sys.stderr.getvalue().split("\r")
    assert [line.rstrip() for line in lines] == ["", str(seen[0]), str(seen[2]), str(seen[3])]
    assert len(lines[2]) >= len(lines[1])
    assert lines[-1].endswith("\n")


def test_a_folder_of_years_gives_a_column_of_years(export: pl.DataFrame, tmp_path: Path) -> None:
    for year, first in {2024: 0, 2025: 500}.items():
        (tmp_path / "in" / f"year={year}").mkdir(parents=True)
        export.slice(first, 500).write_parquet(tmp_path / "in" / f"year={year}" / "rows.parquet")
    coded = code_files(tmp_path / "in", tmp_path / "out", parts=3, progress=False)
    assert_as_one_run(sq.code_administrations(pl.scan_parquet(tmp_path / "in")), coded)
    assert {2024, 2025} <= set(coded.encounters.collect()["year"])


def test_what_it_says_of_itself(years: Path, tmp_path: Path) -> None:
    coded = code_files(
        years, tmp_path / "out", parts=2, policy=sq.Policy(seconds="count"), progress=False
    )
    counts = coded.reconcile()
    assert repr(coded) == (
        f"<CodedFiles in '{tmp_path / 'out'}': {counts['rows_in']:,} rows in 2 parts "
        f"({counts['coded']:,} coded, {counts['query']:,} query, {counts['refer']:,} refer, "
        f"{counts['refused']:,} refused) under Policy(seconds='count'); "
        f"lazy tables .encounters, .lines, .findings, .refused>"
    )


def test_counts_that_do_not_add_up(years: Path, tmp_path: Path) -> None:
    code_files(years, tmp_path / "out", parts=2, progress=False)
    path = tmp_path / "out" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["done"]["1"]["coded"] += 1
    path.write_text(json.dumps(manifest))
    with pytest.raises(ReconciliationError):
        read_coded_files(tmp_path / "out").reconcile()


def test_a_folder_from_which_files_were_taken(years: Path, tmp_path: Path) -> None:
    with pytest.raises(sq.InputError, match="holds no coded files: there is no manifest"):
        read_coded_files(tmp_path / "out")
    code_files(years, tmp_path / "out", parts=2, progress=False)
    (tmp_path / "out" / "lines" / "part-00001.parquet").unlink()
    with pytest.raises(sq.InputError, match="no longer whole: 1 file is missing, the first is"):
        read_coded_files(tmp_path / "out")


def test_dates_of_parts_add_up(tmp_path: Path) -> None:
    """The last overdue date of all parts, not of the last one."""
    days = [datetime(2035, 1, n, 9) for n in range(1, 20)]
    pl.DataFrame([run(f"E{n}", day) for n, day in enumerate(days)]).write_parquet(
        tmp_path / "rows.parquet"
    )
    coded = code_files(tmp_path / "rows.parquet", tmp_path / "out", parts=8, progress=False)
    assert coded.findings.collect()["detail"].str.contains(str(date(2035, 1, 19))).any()


@pytest.fixture
def two_years(export: pl.DataFrame, tmp_path: Path) -> Path:
    folder = tmp_path / "two"
    folder.mkdir()
    export.slice(0, 400).write_parquet(folder / "y2015.parquet")
    export.slice(400, 400).write_parquet(folder / "y2016.parquet")
    return folder


@pytest.mark.parametrize("as_written", ["{}", "{}/*.parquet"])
@pytest.mark.parametrize(
    ("held", "told"),
    [
        (b"", r"y2016.parquet' has no bytes"),
        (b"PAR1" + bytes(500), r"y2016.parquet' could not be read as Parquet: it is damaged"),
        (b"JANE ROE", r"y2016.parquet' could not be read as Parquet: it is a file of another"),
    ],
    ids=["empty", "half", "text"],
)
def test_one_bad_file_is_named(two_years: Path, as_written: str, held: bytes, told: str) -> None:
    """A year that is not whole is never a year that is missing."""
    (two_years / "y2016.parquet").write_bytes(held)
    with pytest.raises(sq.InputError, match=told) as error:
        code_files(as_written.format(two_years), two_years.parent / "out", progress=False)
    assert "JANE" not in str(error.value)


def test_marks_and_hidden_files_are_left_out(two_years: Path, tmp_path: Path) -> None:
    (two_years / "_SUCCESS").write_text("")
    (two_years / ".y2015.parquet.crc").write_text("x")
    assert code_files(two_years, tmp_path / "out", progress=False).counts["rows_in"] == 800
    (two_years / "README.txt").write_text("years")
    with pytest.raises(sq.InputError, match=r"README.txt' could not be read as Parquet"):
        code_files(two_years, tmp_path / "other", progress=False)


def test_a_file_without_rows_is_listed(two_years: Path, tmp_path: Path) -> None:
    pl.read_parquet(two_years / "y2015.parquet").clear().write_parquet(two_years / "y2017.parquet")
    code_files(two_years, tmp_path / "out", progress=False)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert [(Path(one["path"]).name, one["rows"]) for one in manifest["source"]] == [
        ("y2015.parquet", 400),
        ("y2016.parquet", 400),
        ("y2017.parquet", 0),
    ]


def changed(name: str, to: object) -> list[pl.Expr]:
    return [pl.all().exclude(name), pl.col(name).cast(to)]


DRIFTS = {
    "a column less": [pl.all().exclude("pump_id")],
    "a column more": [pl.all(), pl.lit(1).alias("mine")],
    "other order": [pl.col("stop_at"), pl.all().exclude("stop_at")],
    "categorical": changed("site", pl.Categorical),
    "nanoseconds": [pl.all().exclude("start_at"), pl.col("start_at").dt.cast_time_unit("ns")],
    "single": changed("volume_ml", pl.Float32),
    "short": changed("needles", pl.Int32),
    "null": [pl.all().exclude("pump_id"), pl.lit(None).alias("pump_id")],
}


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("drift", DRIFTS.values(), ids=DRIFTS)
def test_columns_that_drift(
    two_years: Path, tmp_path: Path, drift: list[pl.Expr], which: int
) -> None:
    file = sorted(two_years.iterdir())[which]
    pl.read_parquet(file).select(drift).write_parquet(file)
    frames = [pl.read_parquet(one) for one in sorted(two_years.iterdir())]
    whole = sq.code_administrations(pl.concat(frames, how="diagonal_relaxed"))
    assert_as_one_run(whole, code_files(two_years, tmp_path / "out", parts=3, progress=False))


@pytest.mark.parametrize(
    ("name", "drift", "told"),
    [
        ("start_at", pl.col("start_at").dt.to_string("iso"), "String in .*y2016.* and Datetime"),
        ("start_at", pl.col("start_at").dt.date(), "Date in .*y2016.* and Datetime"),
        ("volume_ml", pl.col("volume_ml").cast(pl.String), "String in .*y2016.* and Float64"),
    ],
)
def test_columns_that_mean_something_else(
    two_years: Path, tmp_path: Path, name: str, drift: pl.Expr, told: str
) -> None:
    file = two_years / "y2016.parquet"
    pl.read_parquet(file).with_columns(drift).write_parquet(file)
    with pytest.raises(sq.InputError, match=rf"'{name}' is {told}.*y2015.*Give it one type"):
        code_files(two_years, tmp_path / "out", progress=False)


def test_home_is_meant_in_both_paths(
    two_years: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert code_files("~/two", "~/out", progress=False).target == tmp_path / "out"
    with pytest.raises(sq.InputError, match="lies within source"):
        code_files(two_years, "~/two/out", progress=False)


@pytest.mark.parametrize("pattern", ["two/**/*.parquet", "two/*/*/*.parquet", "**/*"])
def test_a_target_that_a_pattern_reaches(two_years: Path, tmp_path: Path, pattern: str) -> None:
    below = two_years / "a" / "b"
    below.mkdir(parents=True)
    (below / "y.parquet").write_bytes((two_years / "y2015.parquet").read_bytes())
    with pytest.raises(sq.InputError, match="lies within source"):
        code_files(f"{tmp_path}/{pattern}", two_years / "out", progress=False)
    assert code_files(f"{two_years}/*.parquet", two_years / "out", progress=False).parts == 1


def test_a_fault_of_the_callers_own_function(two_years: Path, tmp_path: Path) -> None:
    def tell(_: Progress) -> None:
        raise OSError(5, "their socket is closed")

    with pytest.raises(OSError, match="their socket is closed"):
        code_files(two_years, tmp_path / "out", progress=tell)


def test_wide_rows_of_a_later_year_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1,000 rows of some 40 bytes, then 1,000 of some 1,040: at 100 kB that is 11 parts."""
    for year, note in {2015: "", 2016: "x" * 1_000}.items():
        rows = [run(f"E{year}-{n}", note=note and note + str(n)) for n in range(1_000)]
        pl.DataFrame(rows).write_parquet(tmp_path / f"{year}.parquet")
    monkeypatch.setattr("subq_toolkit.coded_files.sources.MOST_BYTES", 100_000)
    coded = code_files(f"{tmp_path}/*.parquet", tmp_path / "out", progress=False)
    assert 10 <= coded.parts <= 12
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert 90 <= manifest["rows_at_once"] <= 100


def test_the_columns_are_part_of_what_was_begun(export: pl.DataFrame, tmp_path: Path) -> None:
    folder = tmp_path / "in" / "year=2024"
    folder.mkdir(parents=True)
    export.write_parquet(folder / "rows.parquet")
    code_files(tmp_path / "in", tmp_path / "out", progress=False)
    with pytest.raises(sq.InputError, match="the columns of the source and their types differ"):
        code_files(f"{tmp_path}/in/*/*.parquet", tmp_path / "out", progress=False)


def test_the_rows_laid_down_are_for_nobody_else(stopped: tuple[Path, Path]) -> None:
    source, target = stopped
    assert (target / "in_work").stat().st_mode & 0o777 == 0o700
    for file in (target / "in_work").glob("rows-*/*.arrow"):
        file.write_bytes(b"cut")
    with pytest.raises(sq.InputError, match=r"in_work' are damaged\. Remove that folder"):
        code_files(source, target, progress=False)


def test_names_with_brackets_and_addresses(two_years: Path, tmp_path: Path) -> None:
    address = f"file://{two_years}"
    assert code_files(address, tmp_path / "b", progress=False).counts["rows_in"] == 800
    odd = (two_years / "y2015.parquet").rename(tmp_path / "year [1].parquet")
    assert code_files(odd, tmp_path / "a", progress=False).counts["rows_in"] == 400
    with pytest.raises(sq.InputError, match="source must be on this machine"):
        code_files("s3://years/*.parquet", tmp_path / "c")


def test_other_wrong_options(two_years: Path, tmp_path: Path) -> None:
    file, out = two_years / "y2015.parquet", tmp_path / "out"
    with pytest.raises(sq.InputError, match=r"names .*y2015.parquet' twice"):
        code_files([file, file], out)
    with pytest.raises(sq.InputError, match="tables is one or more of"):
        code_files(file, out, tables=None)
    with pytest.raises(sq.InputError, match="target is the path of a folder"):
        code_files(file, None)
    with pytest.raises(sq.InputError, match="progress is True, False, or a function"):
        code_files(file, out, progress="yes")
    out.mkdir()
    (out / ".DS_Store").write_text("x")
    assert code_files(file, out, progress=False).counts["rows_in"] == 400


def test_a_cut_file_of_results(
    two_years: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    coded = code_files("two", "out", parts=2, progress=False)
    assert coded.target == tmp_path / "out"
    (tmp_path / "out" / "encounters" / "part-00001.parquet").write_bytes(b"PAR1")
    with pytest.raises(sq.InputError, match="1 file is cut or damaged, the first is 'encounters"):
        read_coded_files("out")


def test_a_file_that_changes_during_the_run(
    two_years: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subq_toolkit.coded_files.sources.MOST_ROWS", 400)
    later = two_years / "y2016.parquet"

    def change(_: Progress) -> None:
        os.utime(later, ns=(1, 1))

    with pytest.raises(sq.InputError, match=r"y2016.parquet' changed while source was read"):
        code_files(two_years, tmp_path / "out", progress=change)


def test_the_last_line_tells_how_long_it_took() -> None:
    assert str(Progress("coding", 9, 9, 3, 3, 0.0, 12.0)).endswith("3 of 3 parts coded, in 12 s")


def test_one_thing_that_differs_is_told_as_one(stopped: tuple[Path, Path]) -> None:
    source, target = stopped
    with pytest.raises(sq.InputError, match=r"something else: the policy differs\. Choose"):
        code_files(source, target, policy=sq.Policy(seconds="count"), progress=False)
