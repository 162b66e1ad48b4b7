"""Column maps: what they refuse, and that what is saved is what is loaded."""

import json
import os
from pathlib import Path

import polars as pl
import pytest

from subq_toolkit.errors import InputError
from subq_toolkit.readers import ColumnMap, read_administrations

FULL = ColumnMap(
    columns={"CSN": "encounter_id", "Zeit – “1”": "event_at", "Action": "event"},
    shape="event_log",
    events={"Assess": "rate_verify", "Handoff": None},
    answers={"route": {"SQ inf": "subcutaneous"}},
    time_format="%d/%m/%Y %H:%M",
    facility_zone="America/New_York",
    encoding="cp1252",
    separator=";",
    sheet=2,
    header_row=3,
    duration_unit="h",
    stop_after_midnight="next_day",
    new_bag="begins",
)


@pytest.mark.parametrize("column_map", [ColumnMap(), FULL])
def test_what_is_saved_is_what_is_loaded(tmp_path: Path, column_map: ColumnMap) -> None:
    path = column_map.save(tmp_path / "map.json")
    assert ColumnMap.load(path) == column_map


def test_the_file_can_be_read_by_a_person(tmp_path: Path) -> None:
    one = ColumnMap({"Enc": "encounter_id"}, header_row=2)
    assert json.loads(one.save(tmp_path / "m.json").read_text("utf-8")) == {
        "kind": "subq_toolkit column map",
        "version": 1,
        "columns": {"Enc": "encounter_id"},
        "shape": "start_stop",
        "header_row": 2,
    }


def test_a_saved_map_reads_the_file(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("title\nA;B;C\nE1;02/03/2026 09:00;02/03/2026 10:00\n")
    columns = {"A": "encounter_id", "B": "start_at", "C": "stop_at"}
    column_map = ColumnMap(columns, separator=";", header_row=2, time_format="day_first")
    path = column_map.save(tmp_path / "m.json")
    by_map = read_administrations(tmp_path / "e.csv", columns=ColumnMap.load(path))
    stated = {"separator": ";", "header_row": 2, "time_format": "day_first"}
    by_hand = read_administrations(tmp_path / "e.csv", columns=columns, **stated)
    assert by_map.administrations.collect().equals(by_hand.administrations.collect())
    assert by_map.report.equals(by_hand.report)


def test_what_is_stated_beside_a_map_goes_before_it(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text(
        "encounter_id,start_at,stop_at\nE1,02/03/2026 09:00,02/03/2026 10:00\n"
    )
    column_map = ColumnMap(time_format="day_first")
    stated = {"columns": column_map, "time_format": "month_first"}
    got = read_administrations(tmp_path / "e.csv", **stated).administrations.collect()
    assert got.select(pl.col("start_at").dt.month()).item() == 2


@pytest.mark.parametrize(
    ("stated", "says"),
    [
        ({"shape": "rows"}, "shape='rows' is not known. Known: 'start_stop'"),
        ({"duration_unit": "s"}, "duration_unit='s' is not known. Known: None, 'min', 'h', 'h:mm'"),
        ({"stop_after_midnight": "yes"}, "stop_after_midnight='yes' is not known"),
        ({"new_bag": "ends"}, "new_bag='ends' is not known"),
        ({"columns": ["a"]}, "columns must be a mapping"),
        ({"columns": {"a": 1}}, "columns must map names to names"),
        ({"events": {"x": "y"}}, "maps 'x' to 'y', which is no event"),
        ({"answers": {"site": {"x": "y"}}}, "answers names 'site', which has no list of answers"),
        ({"answers": {"route": {"x": "y"}}}, "answers of 'route' map 'x' to 'y'. Answers: subcut"),
        ({"answers": {"route": "x"}}, "answers of 'route' must map words to answers"),
        ({"header_row": "1"}, "header_row must be a whole number"),
        ({"encoding": 8, "sheet": 1.5}, "encoding, sheet must be text"),
        ({"sheet": True}, "sheet must be the name of a sheet, or its number"),
        ({"encoding": "utf-9"}, "encoding='utf-9' is not known"),
        ({"encoding": "undefined"}, "encoding='undefined' is not known"),
        ({"encoding": "a\0b"}, "characters that cannot be written"),
        ({"answers": {"route": {5: "subcutaneous"}}}, "answers of 'route' map '5'"),
        ({"events": {5: "stop"}}, "a word that is no text but int"),
        ({"columns": {"a\0b": "site"}}, "columns has a text with .* cannot be written .*: 'ab'"),
        ({"columns": {"a": "\ud800b"}}, "columns has a text with .* cannot be written .*: 'b'"),
        ({"answers": {"route": {"\ud800": "subcutaneous"}}}, "answers has a text with characters"),
        ({"events": {"a\udfff": None}}, "events has a text with characters"),
        ({"time_format": "\ud800"}, "time_format has a text with characters"),
        ({"sheet": "\ud800"}, "sheet has a text with characters"),
        ({"columns": {"a" * 1_001: "site"}}, "has a text of 1,001 characters, 'a{79}…'. Names"),
        ({"shape": "\x1b[2J" + "s" * 5_000}, "shape='.{1,9}s{60,70}… is not known"),
    ],
)
def test_maps_that_mean_nothing(stated: dict, says: str) -> None:
    with pytest.raises(InputError, match=says):
        ColumnMap(**stated)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "'m.json' is no column map: it is not JSON as ColumnMap.save writes it"),
        ("[1]", "'m.json' is no column map: it does not begin with its kind"),
        ("{}", "does not begin with its kind"),
        ("[" * 100_000, "it is not JSON"),
        ({"version": 2}, "of version 2; this release reads version 1"),
        ({"version": None}, "of version None"),
        ({"version": 1, "colums": {}}, "a key that is not known: 'colums'. Did you mean 'columns'"),
        ({"version": 1, "qqq": {}}, "a key that is not known: 'qqq'. Known: columns, shape"),
        ({"version": 1, "shape": "rows"}, "'m.json': ColumnMap: shape='rows' is not known"),
        ({"version": 1, "shape": ["rows"]}, "shape=.'rows'. is not known"),
        ({"version": 1, "events": {"a": 5}}, "maps 'a' to 5"),
        ('{"kind": "subq_toolkit column map", "version": 1, "version": 1}', "it is not JSON"),
        ({"version": "\x1b\n" + "1" * 900_000}, "of version 1{79}…; this release"),
        ({"version": 1, "\x1b\u202e" + "k" * 900_000: 1}, "not known: 'k{79}…'. Known"),
        ({"version": 1, **{f"k{at}": at for at in range(50_000)}}, "not known: 'k0', .*'k9'. "),
        ({"version": 1, "new_bag": "x" * 900_000}, "new_bag='x{78}… is not known"),
        ({"version": 1, "answers": {"x" * 900_000: {}}}, "answers has a text of 900,000 char"),
    ],
)
def test_files_that_are_no_map(tmp_path: Path, content: object, says: str) -> None:
    if isinstance(content, dict):
        content = json.dumps({"kind": "subq_toolkit column map", **content})
    (tmp_path / "m.json").write_text(content)
    with pytest.raises(InputError, match=says):
        ColumnMap.load(tmp_path / "m.json")


def test_a_map_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"There is no file 'm.json' in that folder"):
        ColumnMap.load(tmp_path / "m.json")
    with pytest.raises(InputError, match=r"is a folder\. Name one file"):
        ColumnMap.load(tmp_path)
    (tmp_path / "large.json").write_text(" " * 1_000_001)
    with pytest.raises(InputError, match=r"'large.json' is too large to be a column map"):
        ColumnMap.load(tmp_path / "large.json")


def test_a_map_says_what_it_holds() -> None:
    lines = repr(FULL).splitlines()
    assert lines[:2] == ["ColumnMap of shape event_log", "  encounter_id <- CSN"]
    assert "  events = {'Assess': 'rate_verify', 'Handoff': None}" in lines
    assert repr(ColumnMap()) == "ColumnMap of shape start_stop"


def test_a_map_does_not_change_with_what_it_was_made_of() -> None:
    columns = {"a": "site"}
    one = ColumnMap(columns)
    columns["b"] = "drug"
    assert one.columns == {"a": "site"}


def test_a_message_never_tells_all_of_a_hostile_map(tmp_path: Path) -> None:
    long, seen = "x" * 990, set()
    for held in (
        {"events": {long: long}},
        {"answers": {long: {}}},
        {"answers": {"route": {long: long}}},
        {"shape": [long] * 500},
        {"duration_unit": {long: [long] * 300}},
        {"answers": {"route": {"a": [long] * 500}}},
    ):
        made = {"kind": "subq_toolkit column map", "version": 1, **held}
        (tmp_path / "m.json").write_text(json.dumps(made))
        with pytest.raises(InputError) as error:
            ColumnMap.load(tmp_path / "m.json")
        assert len(str(error.value)) < 500
        seen.add(str(error.value))
    assert len(seen) == 6


def test_a_map_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = FULL.save(tmp_path / "m.json")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert ColumnMap.load(path) == FULL


def test_a_map_is_saved_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder.json").mkdir()
    for path, says in (
        (tmp_path / "none" / "m.json", "There is no folder '.*none'. Create it"),
        (tmp_path, "has no ending that says what to write. It can end in .json"),
        (tmp_path / "chart.csv", "'chart.csv' has no ending"),
        (tmp_path / "folder.json", "is a folder"),
        (tmp_path / ("x" * 300 + ".json"), "cannot be written"),
        (tmp_path / "a\0.json", "cannot be written"),
        (None, "this is a NoneType"),
    ):
        with pytest.raises(InputError, match=says):
            FULL.save(path)
    assert [one.name for one in tmp_path.iterdir()] == ["folder.json"]
    path = FULL.save(tmp_path / "m.json")

    def full(self: Path, data: bytes) -> None:
        with self.open("wb") as file:
            file.write(data[:20])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"cannot be written \(No space left on device\)"):
        ColumnMap().save(path)
    assert ColumnMap.load(path) == FULL
    assert len(list(tmp_path.iterdir())) == 2


def test_maps_that_are_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    for path, says in (
        (None, "this is a NoneType"),
        (5, "this is a int"),
        (tmp_path / "pipe.json", "a pipe or a device"),
        ("/dev/zero", "a pipe or a device"),
        (tmp_path / ("x" * 300), "'x{79}…' cannot be opened as a file"),
    ):
        with pytest.raises(InputError, match=says):
            ColumnMap.load(path)
