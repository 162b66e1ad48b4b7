"""Column maps: what they refuse, and that what is saved is what is loaded."""

import json
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
    ],
)
def test_files_that_are_no_map(tmp_path: Path, content: object, says: str) -> None:
    if isinstance(content, dict):
        content = json.dumps({"kind": "subq_toolkit column map", **content})
    (tmp_path / "m.json").write_text(content)
    with pytest.raises(InputError, match=says):
        ColumnMap.load(tmp_path / "m.json")


def test_a_map_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"There is no column map 'm.json' in that folder"):
        ColumnMap.load(tmp_path / "m.json")
    with pytest.raises(InputError, match="cannot be opened as a file"):
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
