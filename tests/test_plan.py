"""The plan of coding: lazy to the end, without windows over text, the same in every engine."""

import re

import polars as pl
import pytest

import subq_toolkit as sq
from subq_toolkit.synthetic import administrations

TABLES = ("encounters", "lines", "findings", "refused")
#: Keys of windows in the plan: whole numbers, and the date of a patient who is seen twice.
NARROW = {"_encounter", "_of_pump", "_at_site", "_begun", "_patient", "service_date"}


def window_keys(plan: str) -> set[str]:
    """Names of the columns over which a plan has windows."""
    windows = re.findall(r"\.over\(\[(.*?)\]\)", plan)
    return {name for window in windows for name in re.findall(r'col\("([^"]+)"\)', window)}


def test_a_window_over_text_would_be_seen():
    rows = pl.LazyFrame({"encounter_id": ["a"], "start_at": [1]})
    plan = rows.with_columns(pl.col("start_at").max().over("encounter_id")).explain()
    assert window_keys(plan) == {"encounter_id"}


@pytest.mark.parametrize("table", TABLES)
def test_no_window_is_over_text(table):
    coded = sq.code_administrations(sq.sample_administrations())
    plan = getattr(coded, table).explain()
    assert window_keys(plan) <= NARROW
    schema = coded.facts.collect_schema()
    assert schema["_patient"] == pl.UInt64
    assert schema["service_date"] == pl.Date


def test_nothing_is_computed_before_a_result_is_asked_for(monkeypatch):
    rows = sq.sample_administrations()
    sq.code_administrations(rows)  # reads its parameters once

    def forbidden(*_, **__):
        raise AssertionError("collected on the user's behalf")

    for name in ("collect", "sink_parquet", "fetch", "collect_batches"):
        if hasattr(pl.LazyFrame, name):
            monkeypatch.setattr(pl.LazyFrame, name, forbidden)
    monkeypatch.setattr(pl, "collect_all", forbidden)
    coded = sq.code_administrations(rows)
    assert all(isinstance(getattr(coded, table), pl.LazyFrame) for table in TABLES)


@pytest.mark.parametrize("seed", [3, 11])
@pytest.mark.parametrize("table", TABLES)
def test_engines_agree(table, seed):
    rows = administrations(1_500, seed=seed)
    found = getattr(sq.code_administrations(rows), table)
    by_engine = [found.collect(engine=engine) for engine in ("in-memory", "streaming")]
    assert by_engine[0].height > 0 or table == "refused"
    assert by_engine[0].equals(by_engine[1])


def test_a_result_goes_to_a_file_without_being_held(tmp_path):
    coded = sq.code_administrations(sq.sample_administrations())
    coded.encounters.sink_parquet(tmp_path / "encounters.parquet")
    assert pl.read_parquet(tmp_path / "encounters.parquet").equals(coded.encounters.collect())
