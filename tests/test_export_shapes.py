"""Exports of every shape, read as charted runs. Every row in these files is invented."""

import random
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path

import polars as pl
import pytest

from subq_toolkit.catalog import dataset
from subq_toolkit.coding import code_administrations
from subq_toolkit.errors import InputError
from subq_toolkit.policy import Policy
from subq_toolkit.readers import ColumnMap, Reading, check_counts, read_administrations
from subq_toolkit.readers.export_shapes import SHAPES

ZONE = "America/New_York"
FOLDER = dataset("chart_exports")
NAMES = ("event_log", "date_and_clock", "start_duration", "start_volume_rate")


@pytest.fixture
def read(tmp_path: Path):
    """Write text or bytes as a file and read it with a map."""

    def _read(content: str | bytes, **stated: object) -> Reading:
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / "export.csv").write_bytes(data)
        limits = {n: stated.pop(n) for n in ("max_bytes", "max_rows") if n in stated}
        return read_administrations(tmp_path / "export.csv", columns=ColumnMap(**stated), **limits)

    return _read


def spans(reading: Reading) -> list[tuple]:
    frame = reading.administrations.collect()
    shown = [pl.col(name).dt.strftime("%d %H:%M") for name in ("start_at", "stop_at")]
    return frame.select(*shown, "unreadable").rows()


def note(reading: Reading, column: str) -> str:
    return reading.report.filter(column=column)["note"].item()


# --- the samples --------------------------------------------------------------------------


def planted() -> list[tuple[str, ...]]:
    section = (FOLDER / "README.md").read_text("utf-8").split("## What is in it\n")[1]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:1] == "|"]
    return [tuple(row) for row in rows[2:]]


def reading_of(name: str) -> Reading:
    column_map = ColumnMap.load(FOLDER / f"{name}.json")
    return read_administrations(FOLDER / f"{name}.csv", columns=column_map)


@pytest.mark.parametrize("name", NAMES)
def test_the_samples_become_what_their_readme_says(name: str) -> None:
    policy = Policy(missing_stop="computed") if name == "start_volume_rate" else None
    coded = code_administrations(
        reading_of(name).administrations, policy=policy, facility_zone=ZONE
    )
    encounters = {r["encounter_id"]: r for r in coded.encounters.collect().rows(named=True)}
    findings = coded.findings.collect()
    refused = {r["encounter_id"]: r for r in coded.refused.collect().rows(named=True)}
    expected = [row for row in planted() if row[0] == name]
    assert {row[1] for row in expected} == {*encounters, *refused}
    for _, encounter, _, becomes, why in expected:
        if becomes == "refused":
            assert why in (refused[encounter]["unreadable"], *refused[encounter]["failed"])
            continue
        assert encounters[encounter]["outcome"] == becomes, encounter
        if becomes == "coded":
            assert encounters[encounter]["infusion_min"] == int(why)
        else:
            assert why in findings.filter(encounter_id=encounter)["finding"].to_list()


# --- date and clock in two columns --------------------------------------------------------

CLOCKS = "enc,day,on,off\n"
CLOCK_MAP = {
    "columns": {
        "enc": "encounter_id",
        "day": "start_date",
        "on": "start_clock",
        "off": "stop_clock",
    }
}


@pytest.mark.parametrize(
    ("day", "on", "off", "expected"),
    [
        ("2026-03-02", "09:00", "10:15", ("02 09:00", "02 10:15", None)),
        ("3/13/2026", "9:00 AM", "1:15 PM", ("13 09:00", "13 13:15", None)),
        ("2026-03-02", "0900", "1015", ("02 09:00", "02 10:15", None)),
        ("2026-03-02", "900", "10:15:30", ("02 09:00", "02 10:15", None)),
        ("2026-03-02 00:00:00", "1899-12-31 09:00:00", "10:15", ("02 09:00", "02 10:15", None)),
        ("2026-03-02", "23:00", "24:00", ("02 23:00", "03 00:00", None)),
        ("2026-03-02", "09:00", "09:00", ("02 09:00", "02 09:00", None)),
        ("2026-03-02", "", "10:00", (None, "02 10:00", None)),
        ("", "09:00", "10:00", (None, None, None)),
        ("2026-03-02", "nine", "10:00", (None, "02 10:00", "start_at")),
        ("2026-03-02 08:00", "09:00", "10:00", (None, None, "start_at, stop_at")),
        ("2026-13-02", "09:00", "", (None, None, "start_at")),
    ],
)
def test_date_and_clock_are_one_time(read, day: str, on: str, off: str, expected: tuple) -> None:
    sound = "E0,2026-03-01,08:00,09:00\n"
    assert spans(read(f"{CLOCKS}{sound}E1,{day},{on},{off}\n", **CLOCK_MAP))[1] == expected


def test_a_stop_clock_before_the_start_is_not_guessed(read) -> None:
    text = f"{CLOCKS}E1,2026-03-02,22:30,00:45\nE2,2026-03-02,09:00,10:00\n"
    reading = read(text, **CLOCK_MAP)
    assert spans(reading) == [("02 22:30", None, "stop_at"), ("02 09:00", "02 10:00", None)]
    assert note(reading, "stop_at").startswith("1 stop clocks are before the start clock and not")
    stated = read(text, **CLOCK_MAP, stop_after_midnight="next_day")
    assert spans(stated)[0] == ("02 22:30", "03 00:45", None)
    assert note(stated, "stop_at") == (
        "1 stop clocks before the start clock, read as of the next day"
    )


def test_a_stop_with_its_own_date(read) -> None:
    columns = CLOCK_MAP["columns"] | {"day2": "stop_date"}
    text = "enc,day,on,day2,off\nE1,2026-03-02,22:30,2026-03-03,00:45\n"
    reading = read(text, columns=columns)
    assert spans(reading) == [("02 22:30", "03 00:45", None)]
    assert reading.report["read_from"].to_list()[1:] == ["enc", "day + on", "day2 + off"]


def test_typed_dates_and_clocks_of_parquet(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"enc": ["1"], "day": [date(2026, 3, 2)], "on": [time(9)], "off": [time(10, 15)]}
    )
    frame.write_parquet(tmp_path / "export.parquet")
    reading = read_administrations(tmp_path / "export.parquet", columns=ColumnMap(**CLOCK_MAP))
    assert spans(reading) == [("02 09:00", "02 10:15", None)]


def test_times_in_one_column_go_before_those_in_two(read) -> None:
    text = "encounter_id,start_at,stop_at,start_date,start_clock\n"
    reading = read(f"{text}E1,2026-03-02 09:00,2026-03-02 10:00,x,y\n")
    assert spans(reading) == [("02 09:00", "02 10:00", None)]
    assert reading.administrations.collect()["start_date"].to_list() == ["x"]


# --- lengths ------------------------------------------------------------------------------

LENGTHS = {"shape": "start_duration", "columns": {"len": "duration"}}


@pytest.mark.parametrize(
    ("unit", "written", "stop"),
    [
        ("min", "90", "02 10:30"),
        ("min", "90.0", "02 10:30"),
        ("min", "1.5 h", "02 10:30"),
        ("min", "2 hrs.", "02 11:00"),
        ("min", "1:31", "02 10:31"),
        ("min", "0", "02 09:00"),
        ("h", "1.5", "02 10:30"),
        ("h", "90 min", "02 10:30"),
        ("h", ".5", "02 09:30"),
        ("h:mm", "26:00", "03 11:00"),
        ("h:mm", "0:01:30", "02 09:01"),
        (None, "1:31", "02 10:31"),
        (None, "91 minutes", "02 10:31"),
    ],
)
def test_lengths_as_they_are_written(read, unit: str | None, written: str, stop: str) -> None:
    text = f"encounter_id,start_at,len\nE1,2026-03-02 09:00,{written}\n"
    assert spans(read(text, **LENGTHS, duration_unit=unit)) == [("02 09:00", stop, None)]


@pytest.mark.parametrize("written", ["-30", "about 90", "1e400", "99999999999", "1:60", "5 days"])
def test_lengths_that_cannot_be_read(read, written: str) -> None:
    text = f"encounter_id,start_at,len\nE1,2026-03-02 09:00,{written}\n"
    reading = read(text, **LENGTHS, duration_unit="min")
    assert spans(reading) == [("02 09:00", None, "duration")]
    assert reading.report.filter(column="duration").row(0)[4:7] == (1, 1, 1)


def test_a_bare_number_in_a_file_of_hours_and_minutes(read) -> None:
    text = "encounter_id,start_at,len\nE1,2026-03-02 09:00,90\n"
    assert spans(read(text, **LENGTHS, duration_unit="h:mm")) == [("02 09:00", None, "duration")]
    with pytest.raises(InputError, match=r"'len' holds bare numbers. State their unit"):
        read(text, **LENGTHS)


def test_a_missing_length_or_start(read) -> None:
    text = "encounter_id,start_at,len\nE1,2026-03-02 09:00,\nE2,,90\n"
    assert spans(read(text, **LENGTHS, duration_unit="min")) == [
        ("02 09:00", None, None),
        (None, None, None),
    ]


def test_a_length_over_a_clock_change_is_elapsed_time(read) -> None:
    text = "encounter_id,start_at,len\nE1,2026-03-08 01:30,60\nE2,2026-11-01 00:30,180\n"
    reading = read(text, **LENGTHS, duration_unit="min", facility_zone=ZONE)
    assert [stop for _, stop, _ in spans(reading)] == ["08 03:30", "01 02:30"]
    coded = code_administrations(reading.administrations, facility_zone=ZONE).encounters
    assert coded.sort("encounter_id").collect()["infusion_min"].to_list() == [60, 180]


def test_a_stop_beside_a_length(read) -> None:
    text = "encounter_id,start_at,stop_at,len\nE1,2026-03-02 09:00,2026-03-02 10:00,60\n"
    with pytest.raises(InputError, match="Column 'stop_at' is read as stop_at, and the shape is"):
        read(text, **LENGTHS, duration_unit="min")


def test_typed_lengths_of_parquet(tmp_path: Path) -> None:
    spans_held = [timedelta(minutes=91), timedelta(minutes=-1), None]
    frame = pl.DataFrame(
        {"encounter_id": ["1"] * 3, "start_at": [datetime(2026, 3, 2, 9)] * 3, "len": spans_held}
    )
    frame.write_parquet(tmp_path / "export.parquet")
    reading = read_administrations(tmp_path / "export.parquet", columns=ColumnMap(**LENGTHS))
    assert [(stop, why) for _, stop, why in spans(reading)] == [
        ("02 10:31", None),
        (None, "duration"),
        (None, None),
    ]


def test_volume_and_rate_leave_the_stop_missing(read) -> None:
    text = "encounter_id,start_at,volume_ml,rate_ml_per_h\nE1,2026-03-02 09:00,75,50\n"
    reading = read(text, shape="start_volume_rate")
    assert spans(reading) == [("02 09:00", None, None)]
    assert "Policy(missing_stop='computed') takes start + volume / rate" in note(reading, "stop_at")
    outcomes = {
        policy: code_administrations(reading.administrations, policy=Policy(missing_stop=policy))
        .encounters.collect()
        .row(0, named=True)
        for policy in ("query", "computed")
    }
    assert outcomes["query"]["outcome"] == "query"
    assert outcomes["computed"]["infusion_min"] == 90


# --- event logs ---------------------------------------------------------------------------

LOG = "encounter_id,event_at,event,pump_id,volume_ml\n"


def test_an_event_log_is_folded_and_accounted_for(read) -> None:
    text = LOG + (
        "E1,2026-03-02 09:00,New Bag,A,\nE1,2026-03-02 09:30,Assess,A,\nE1,soon,Paused,A,\n"
        "E1,2026-03-02 10:00,Stopped,A,x\nE1,2026-03-02 11:00,Held,A,\nE2,too,few\n"
    )
    reading = read(text, shape="event_log")
    assert spans(reading) == [
        ("02 09:00", "02 10:00", "volume_ml"),
        ("02 09:30", None, "event"),
        (None, None, "event_at"),
        (None, None, "event_at, event, line"),
    ]
    assert note(reading, "(rows)") == (
        "1 lines do not have the 5 fields of the header; 6 events: 2 folded, 1 of no infusion "
        "ignored, 3 unreadable; 4 rows of runs"
    )
    assert note(reading, "event") == (
        "not known: 'Assess' 1; say what they mean in events= of the ColumnMap"
    )
    assert reading.administrations.collect()["events"].sum() == 6 - 1


def test_words_of_the_map(read) -> None:
    text = f"{LOG}E1,2026-03-02 09:00,New Bag,A,\nE1,2026-03-02 10:00,Off,A,\n"
    reading = read(text, shape="event_log", events={"Off": "stop"})
    assert spans(reading) == [("02 09:00", "02 10:00", None)]
    assert note(reading, "event") == ""


def test_a_log_with_date_and_clock_apart(read) -> None:
    text = "encounter_id,event_date,event_clock,event\nE1,2026-03-02,0900,Start\n"
    reading = read(f"{text}E1,2026-03-02,1000,Stop\n", shape="event_log")
    assert spans(reading) == [("02 09:00", "02 10:00", None)]


def test_answers_of_the_map(read) -> None:
    text = "encounter_id,start_at,stop_at,route,setup_charted\n"
    text += "E1,2026-03-02 09:00,2026-03-02 10:00,S-C inf.,done\n"
    assert read(text).administrations.collect()["unreadable"][0] == "route, setup_charted"
    answers = {"route": {"SC Inf.": "subcutaneous"}, "setup_charted": {"Done": "true"}}
    got = read(text, answers=answers).administrations.collect().row(0, named=True)
    assert (got["route"], got["setup_charted"], got["unreadable"]) == ("subcutaneous", True, None)


@pytest.mark.parametrize("shape", SHAPES)
def test_what_a_shape_needs_is_named(read, shape: str) -> None:
    with pytest.raises(InputError) as failed:
        read("zzz,route\n1,SC\n", shape=shape)
    for name in SHAPES[shape]:
        assert f"no column '{name}'" in str(failed.value)


def test_a_missing_column_of_a_log_is_proposed(read) -> None:
    text = "CSN,Action Time,MAR Action\nE1,2026-03-02 09:00,Start\n"
    with pytest.raises(InputError, match=r"event_at may be 'Action Time'; event may be 'MAR Act"):
        read(text, shape="event_log")


# --- limits -------------------------------------------------------------------------------


def test_a_file_larger_than_the_limit(read) -> None:
    text = "encounter_id,start_at,stop_at\nE1,2026-03-02 09:00,2026-03-02 10:00\n"
    size = len(text)
    assert read(text, max_bytes=size)
    with pytest.raises(
        InputError, match=f"'export.csv' has {size} bytes, more than the limit of {size - 1} bytes"
    ) as failed:
        read(text, max_bytes=size - 1)
    assert f"max_bytes={size}" in str(failed.value)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_longer_than_the_limit(tmp_path: Path, kind: str) -> None:
    frame = pl.DataFrame({"encounter_id": ["1"] * 5, "start_at": None, "stop_at": None})
    path = tmp_path / f"export.{kind}"
    frame.cast(pl.String).write_csv(path) if kind == "csv" else frame.write_parquet(path)
    assert read_administrations(path, max_rows=5)
    with pytest.raises(InputError, match=r"has 5 rows, more than the limit of 4.*max_rows=5"):
        read_administrations(path, max_rows=4)


def test_a_workbook_that_unpacks_to_too_much_is_never_opened(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "export.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", bytes(3_000_000))
    monkeypatch.setattr("subq_toolkit.readers.workbook_extent.MOST_BYTES", 2_000_000)
    assert path.stat().st_size < 10_000
    with pytest.raises(InputError, match=r"unpacks to .* more than the"):
        read_administrations(path)


# --- counts -------------------------------------------------------------------------------


def test_counts_of_checks() -> None:
    def counts(name: str) -> dict:
        column_map = ColumnMap.load(FOLDER / f"{name}.json")
        frame = check_counts(FOLDER / f"{name}.csv", column_map)
        return {(kind, check): count for kind, check, count in frame.rows()}

    log = counts("event_log")
    assert log["events", "events in the file"] == 24
    assert log["events", "of no infusion, ignored"] == 1
    assert (log["rows", "rows of runs"], log["rows", "refused"]) == (12, 0)
    assert (log["missing", "start_at"], log["missing", "stop_at"]) == (1, 2)
    lengths = counts("start_duration")
    assert (lengths["rows", "readable"], lengths["rows", "refused"]) == (5, 3)
    assert lengths["refused", "every entry could be read"] == 2
    assert lengths["refused", "run is at most 72 hours"] == 1
    assert lengths["unreadable", "duration"] == 2
    assert (
        lengths["missing", "site"] == lengths["encounters", "encounters with a readable row"] == 5
    )


def test_counts_of_a_frame_are_those_of_the_file() -> None:
    column_map = ColumnMap.load(FOLDER / "event_log.json")
    frame = pl.read_csv(FOLDER / "event_log.csv", infer_schema=False)
    by_path = check_counts(FOLDER / "event_log.csv", column_map)
    assert check_counts(frame, column_map).equals(by_path)


# --- all kinds of dirt --------------------------------------------------------------------

CLEAN = 300
COLUMNS = (
    "encounter_id",
    "start_at",
    "stop_at",
    "route",
    "pump_id",
    "volume_ml",
    "needles",
    "note",
)


def dirt(draw: random.Random) -> str:
    """One dirty cell, as typing, spreadsheets, databases and scripts leave them."""
    n, m = draw.randrange(1, 10**6), draw.randrange(60)
    return draw.choice(
        [
            f"2026-{n % 40:02}-{m:02} 09:{m:02}",
            f"{n % 40}/{m}/2026 {n % 30}:{m:02} {'ap'[n % 2]}m",
            f"2026-03-{1 + n % 28:02} 24:{m:02}",
            f"{46000 + n % 99}.{n}",
            f"{n}",
            f"-{n}",
            f"{n}e{300 + m}",
            "9" * (1 + n % 400) + f".{m}",
            "-" * (1 + n % 7) + str(n),
            draw.choice(["NULL", "(null)", "N/A", "none", "nan", "Inf", "-inf", "TBD", "?"])
            + " " * (n % 5),
            f"={n}+{m}",
            f'=HYPERLINK("{n}")',
            f"@SUM(A{n})",
            f"<b>{n}</b>",
            f"<script>alert({n})</script>",
            f"{n}\x07\x1b[31m",
            f"a\x00{n}",
            f"\u202e{n}\ufeff",
            f'"{n}',
            f'{n}" needle',
            f'"{n}"x',
            f"{n}, {m}",
            f"{n}\r{m}",
            "é" * (1 + n % 9) + str(n),
            "\u7533\u8acb" + str(n),
            "x" * (n % 3000) + str(n),
            f"'; DROP TABLE runs; -- {n}",
            f"{n} mL",
            f"{n}:{m:02}",
            f"-{n % 200}:{m:02}",
            f"2026-03-08 02:{m:02}:{n % 60:02}",
            f"0{n % 1999:03}-01-01 00:{m:02}",
        ]
    )


def dirty_file(seed: int) -> tuple[bytes, list[str], set[str], int]:
    """A file of clean rows among dirty ones; the clean lines, the dirty cells, the lines."""
    draw, cells = random.Random(seed), set()
    clean = [
        f"OK{i:04},2026-03-02 09:{i % 60:02},2026-03-02 {11 + i % 3}:{i % 60:02},SC,P{i},20,1,fine"
        for i in range(CLEAN)
    ]
    lines = list(clean)
    while len(cells) < 10_000:
        spoiled = [
            f"D{len(lines)}",
            "2026-03-02 09:00",
            "2026-03-02 10:00",
            "SC",
            "P",
            "20",
            "1",
            "",
        ]
        for place in draw.sample(range(len(COLUMNS)), draw.randrange(1, 6)):
            spoiled[place] = dirt(draw)
            cells.add(spoiled[place])
        if draw.random() < 0.05:
            spoiled = spoiled[: draw.randrange(2, 8)] if draw.random() < 0.5 else [*spoiled, "more"]
        lines.append(",".join(spoiled))
    draw.shuffle(lines)
    text = "\n".join([",".join(COLUMNS), *lines, ""])
    return b"\xef\xbb\xbf" + text.encode("utf-8"), clean, cells, len(lines)


@pytest.mark.parametrize("seed", [1, 2])
def test_ten_thousand_dirty_cells_cost_no_clean_row(tmp_path: Path, seed: int) -> None:
    data, clean, cells, lines = dirty_file(seed)
    assert len(cells) >= 10_000
    (tmp_path / "dirty.csv").write_bytes(data)
    (tmp_path / "clean.csv").write_text("\n".join([",".join(COLUMNS), *clean]), "utf-8")
    stated = {"time_format": "month_first", "facility_zone": ZONE}
    dirty = read_administrations(tmp_path / "dirty.csv", **stated)
    rows = dirty.administrations.collect()
    assert rows.height == lines
    coded = code_administrations(rows, facility_zone=ZONE)
    counted = coded.reconcile()
    assert counted["rows_in"] == lines == sum(n for k, n in counted.items() if k != "rows_in")
    assert counted["refused"] > 0.5 * (lines - CLEAN)
    alone = read_administrations(tmp_path / "clean.csv", **stated).administrations
    expected = code_administrations(alone, facility_zone=ZONE).encounters.collect()
    planted_rows = coded.encounters.filter(pl.col("encounter_id").str.starts_with("OK")).collect()
    assert expected.height == CLEAN == expected.filter(outcome="coded").height
    key = "encounter_id"
    assert planted_rows.select(expected.columns).sort(key).equals(expected.sort(key))


@pytest.mark.parametrize("seed", [3])
def test_dirty_cells_in_an_event_log_cost_no_clean_infusion(tmp_path: Path, seed: int) -> None:
    draw, lines, cells = random.Random(seed), [], set()
    for i in range(CLEAN):
        lines += [f"OK{i},2026-03-02 09:{i % 60:02},New Bag,P,"]
        lines += [f"OK{i},2026-03-02 11:{i % 60:02},Stopped,P,20"]
    while len(cells) < 10_000:
        spoiled = [f"D{len(lines)}", "2026-03-02 09:00", "Rate Verify", "P", "1"]
        for place in draw.sample(range(5), draw.randrange(1, 5)):
            spoiled[place] = dirt(draw)
            cells.add(spoiled[place])
        lines.append(",".join(spoiled))
    draw.shuffle(lines)
    path = tmp_path / "log.csv"
    path.write_bytes("\n".join([LOG.strip(), *lines, ""]).encode())
    column_map = ColumnMap(shape="event_log", time_format="month_first", facility_zone=ZONE)
    reading = read_administrations(path, columns=column_map)
    rows = reading.administrations.collect()
    assert rows["events"].sum() == len(lines)
    coded = code_administrations(rows, facility_zone=ZONE)
    assert coded.reconcile()["rows_in"] == rows.height
    kept = coded.encounters.filter(pl.col("encounter_id").str.starts_with("OK")).collect()
    assert kept["outcome"].to_list() == ["coded"] * CLEAN
    assert set(kept["infusion_min"]) == {120}


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_bytes_of_two_encodings_in_one_file(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "mixed.csv"
    header = ",".join(COLUMNS).encode()
    run = b"E1,2026-03-02 09:00,2026-03-02 10:00,SC,P,20,1,"
    path.write_bytes(header + b"\n" + run + "é".encode() + b"\n" + run + b"\xe9\n")
    if encoding == "utf-8":
        with pytest.raises(InputError, match=r'line 3 holds other bytes.*encoding="cp1252"'):
            read_administrations(path)
    else:
        got = read_administrations(path, encoding=encoding).administrations.collect()
        assert got["start_at"].null_count() == 0
