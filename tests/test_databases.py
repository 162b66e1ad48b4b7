"""The result of a query goes straight in: embedded DuckDB, and a PostgreSQL server."""

import os

import duckdb
import polars as pl
import pytest
from adbc_driver_postgresql import dbapi
from polars.testing import assert_frame_equal

import subq_toolkit as sq

QUERY = "select * from mar"
ZONE = "America/New_York"


@pytest.fixture(scope="module")
def rows():
    """The bundled export as a database holds it: local times, plain text."""
    texts = (pl.Enum, pl.Categorical)
    sample = sq.sample_administrations().collect()
    plain = [name for name, held in sample.schema.items() if isinstance(held, texts)]
    times = [name for name in sample.columns if name.endswith("_at")]
    return sample.with_columns(
        pl.col(plain).cast(pl.String), pl.col(times).dt.replace_time_zone(None)
    )


@pytest.fixture(scope="module")
def in_duckdb(rows):
    connection = duckdb.connect()
    connection.register("rows", rows.to_arrow())
    connection.sql("create table mar as select * from rows")
    return connection


@pytest.fixture(scope="module")
def in_postgres(rows):
    address = os.environ.get("SUBQ_POSTGRES")
    if address is None:
        pytest.skip(
            "no PostgreSQL server is named in SUBQ_POSTGRES, e.g. postgresql://user@host/db"
        )
    with dbapi.connect(address) as connection:
        rows.write_database("mar", connection, if_table_exists="replace", engine="adbc")
        yield connection
        with connection.cursor() as cursor:
            cursor.execute("drop table mar")
        connection.commit()


@pytest.fixture(params=["duckdb", "postgres"])
def connection(request):
    return request.getfixturevalue(f"in_{request.param}")


def units(rows: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    coded = sq.code_administrations(rows, facility_zone=ZONE)
    return coded.encounters.collect()


def test_a_query_is_coded_like_the_file(connection, rows):
    read = pl.read_database(QUERY, connection)
    assert read.height == rows.height
    assert_frame_equal(units(read), units(rows), check_row_order=True)
    counts = sq.code_administrations(read, facility_zone=ZONE).reconcile()
    assert counts["rows_in"] == rows.height


@pytest.fixture
def in_small_batches(request, connection):
    """ADBC sizes its batches by bytes and not by rows, unless the cursor says otherwise."""
    if request.node.callspec.params["connection"] == "duckdb":
        return connection
    cursor = connection.cursor()
    cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": "200000"})
    return cursor


def test_a_result_larger_than_memory_goes_through_parquet(in_small_batches, rows, tmp_path):
    batches = pl.read_database(QUERY, in_small_batches, iter_batches=True, batch_size=1_000)
    for number, batch in enumerate(batches):
        batch.write_parquet(tmp_path / f"part-{number:05}.parquet")
    assert len(list(tmp_path.iterdir())) > 1
    scanned = pl.scan_parquet(tmp_path / "part-*.parquet")
    coded = sq.code_administrations(scanned, facility_zone=ZONE)
    coded.encounters.sink_parquet(tmp_path / "encounters.parquet")
    assert_frame_equal(pl.read_parquet(tmp_path / "encounters.parquet"), units(rows))


def test_arrow_from_duckdb_needs_no_copy_by_hand(in_duckdb, rows):
    read = pl.DataFrame(in_duckdb.sql(QUERY))
    assert_frame_equal(units(read), units(rows))


def test_instants_from_a_database_come_out_on_local_days(connection):
    """A zoned column arrives in UTC; 04:30 UTC on 3 March is 23:30 on 2 March in New York."""
    query = (
        "select 'E1' as encounter_id, "
        "timestamptz '2026-03-03 04:30:00+00' as start_at, "
        "timestamptz '2026-03-03 06:01:00+00' as stop_at"
    )
    read = pl.read_database(query, connection)
    one = units(read).row(0, named=True)
    assert (str(one["service_date"]), one["infusion_min"]) == ("2026-03-02", 91)


def test_charges_of_a_query_are_audited(connection):
    query = (
        "select 'E1' as encounter_id, date '2026-03-02' as service_date, "
        "'96369' as code, 2 as units"
    )
    chart = pl.DataFrame(
        {"encounter_id": ["E1"], "start_at": ["2026-03-02 09:00"], "stop_at": ["2026-03-02 10:00"]}
    ).with_columns(pl.col("start_at", "stop_at").str.to_datetime())
    found = sq.audit(sq.code_administrations(chart), pl.read_database(query, connection))
    assert found.lines.collect()["class"].to_list() == ["above_unlikely_edit"]
