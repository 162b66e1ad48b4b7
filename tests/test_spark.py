"""The same rules on Spark: every table row for row like the local engine's, on real Spark."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pytest
from polars.testing import assert_frame_equal

import subq_toolkit as sq
from subq_toolkit.findings import file_findings
from subq_toolkit.intake import take_in
from subq_toolkit.spark import code_administrations_spark
from subq_toolkit.spark.shapes import planned
from subq_toolkit.synthetic import administrations

NEW_YORK = "America/New_York"
TABLES = ("encounters", "lines", "findings", "refused")
POLICIES = {
    "default": sq.Policy(),
    "refer_little": sq.Policy(
        second_encounter="report", intravenous="report", home="report", unit_cap="unlikely_edit"
    ),
    "calculate": sq.Policy(
        missing_stop="computed",
        midnight="split",
        bridge_pauses_min=10,
        seconds="count",
        running_at_discharge="stop_at_discharge",
    ),
}


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    """A small Spark of this machine; it needs Java."""
    session = pytest.importorskip("pyspark.sql", reason="Spark: PySpark is not installed")
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        pytest.skip("Spark: there is no Java; PySpark 4 needs Java 17")
    folder = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYSPARK_PYTHON", sys.executable)
        environment.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        environment.chdir(folder)
        built = (
            session.SparkSession.builder.master("local[2]")
            .config("spark.driver.memory", "1g")
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.sql.shuffle.partitions", "3")
            .config("spark.sql.session.timeZone", "Asia/Tokyo")
            .getOrCreate()
        )
        built.sparkContext.setLogLevel("OFF")
        yield built
        built.stop()


def plain(table: pl.DataFrame) -> pl.DataFrame:
    """In types that Spark has."""
    answers = (cs.enum() | cs.categorical()).cast(pl.String)
    return table.with_columns(answers, cs.unsigned_integer().cast(pl.Int64))


def on_spark(spark, table: pl.DataFrame):
    """A Polars table as Spark's: zoned times as timestamp, bare ones as timestamp_ntz."""
    from pyspark.sql.pandas.types import from_arrow_schema

    arrow = plain(table).to_arrow()
    return spark.createDataFrame(arrow, schema=from_arrow_schema(arrow.schema))


def fetched(df) -> pl.DataFrame:
    return pl.from_arrow(df.toArrow())


def in_order(table: pl.DataFrame) -> pl.DataFrame:
    return table.sort([name for name, held in table.schema.items() if not held.is_nested()])


def assert_same(on_cluster, local: sq.Coded) -> None:
    for name in TABLES:
        ours, theirs = plain(getattr(local, name).collect()), fetched(getattr(on_cluster, name))
        assert theirs.schema == ours.schema, name
        assert_frame_equal(in_order(theirs), in_order(ours))


def invented_chart(rows: int, seed: int) -> pl.DataFrame:
    """Few patients with many encounters on few days, and every fault a row may have."""
    draw = random.Random(seed)
    ids = [f"E{k}" for k in range(rows // 4)]
    mornings = [datetime(2026, 3, 2), datetime(2026, 3, 7), datetime(2026, 10, 31)]
    patient_of = {one: draw.choice(["P", "Q", "R", "S", "T", None, " "]) for one in ids}
    day_of = {one: draw.choice(mornings) for one in ids}
    chart = []
    for _ in range(rows):
        one = draw.choice(ids)
        start = day_of[one] + timedelta(minutes=15 * draw.randrange(130))
        named = draw.choice([one] * 20 + [f" {one} ", None, "  "])
        patient = draw.choice([patient_of[one]] * 15 + ["P", "Z", None])
        chart.append(
            {
                "encounter_id": named,
                "patient_id": patient,
                "start_at": draw.choice([start] * 20 + [None]),
                "stop_at": draw.choice(
                    [start + timedelta(minutes=draw.randrange(300), seconds=draw.randrange(60))]
                    * 15
                    + [None, start - timedelta(minutes=5), start + timedelta(days=9)]
                ),
                "discharge_at": draw.choice([None, None, None, start + timedelta(minutes=45)]),
                "route": draw.choice(["subcutaneous"] * 15 + ["intravenous", "injection", "subq"]),
                "mode": draw.choice([None] * 9 + ["bolus"]),
                "pump_id": draw.choice([None, "A", "b", "B "]),
                "site": draw.choice([None, "abdomen", "left thigh"]),
                "volume_ml": draw.choice(
                    ["20", "45.5", None, None, "twenty"][: draw.choice([4, 5])]
                ),
                "rate_ml_per_h": draw.choice([None, "30"]),
                "setting": draw.choice([None, "clinic", "home"]),
                "payer": draw.choice([None, "Payer A"]),
                "outcome": draw.choice(["theirs", "theirs", "other"]),
            }
        )
    copies = draw.sample(chart, rows // 20)
    table = pl.DataFrame(
        chart + copies, schema_overrides=dict.fromkeys(("start_at", "stop_at"), pl.Datetime("us"))
    )
    return table.with_row_index("line", offset=1)


CHART = invented_chart(1_500, seed=7)


def test_the_invented_chart_has_what_is_hard() -> None:
    coded = sq.code_administrations(CHART.drop("line"), facility_zone=NEW_YORK)
    found = dict(coded.findings.collect()["finding"].value_counts().rows())
    for name in ("second_encounter_same_day", "several_patients", "refused_rows", "heaped_times"):
        assert found[name] >= (1 if name == "heaped_times" else 20), name
    failed = coded.refused.collect()["failed"].explode().value_counts()
    assert failed.height >= 7
    assert "row is not a copy of an earlier row" in set(failed["failed"])


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_every_row_is_coded_as_it_is_locally(spark, policy: sq.Policy) -> None:
    local = sq.code_administrations(CHART.drop("line"), policy=policy, facility_zone=NEW_YORK)
    shuffled = on_spark(spark, CHART.sample(fraction=1, shuffle=True, seed=1)).repartition(4)
    coded = code_administrations_spark(
        shuffled, policy=policy, facility_zone=NEW_YORK, partitions=5, row_numbers="line"
    )
    assert coded.persist() is coded
    assert coded.reconcile() == local.reconcile()
    assert_same(coded, local)
    coded.unpersist()


def test_the_synthetic_export_is_coded_as_it_is_locally(spark) -> None:
    export = administrations(700, seed=11).with_row_index("line", offset=1)
    local = sq.code_administrations(export.drop("line"), facility_zone=NEW_YORK)
    coded = code_administrations_spark(
        on_spark(spark, export), facility_zone=NEW_YORK, row_numbers="line"
    ).persist()
    assert coded.reconcile() == local.reconcile()
    assert_same(coded, local)
    of_file = fetched(coded.findings).filter(pl.col("encounter_id").is_null())
    assert of_file["finding"].to_list() == ["heaped_times"]
    coded.unpersist()


def test_without_row_numbers_refused_rows_have_none(spark) -> None:
    """Copies of a row are one like the other, so which of them is refused does not show."""
    some = CHART.head(60).drop("line")
    local = sq.code_administrations(pl.concat([some, some]), facility_zone=NEW_YORK)
    twice = on_spark(spark, pl.concat([some, some]))
    refused = fetched(code_administrations_spark(twice, facility_zone=NEW_YORK).refused)
    assert refused["row"].dtype == pl.Int64
    assert refused["row"].null_count() == refused.height
    kept = ["encounter_id", "failed", "unreadable"]
    expected = local.refused.collect().select(kept)
    by = pl.col("failed").list.join(";")
    assert_frame_equal(
        refused.select(kept).sort("encounter_id", by), expected.sort("encounter_id", by)
    )


ONE = {
    "encounter_id": "E1",
    "start_at": datetime(2026, 3, 2, 9),
    "stop_at": datetime(2026, 3, 2, 10),
    "route": "subcutaneous",
}


def chart(*changes: dict) -> pl.DataFrame:
    return pl.DataFrame([ONE | change for change in changes or ({},)])


def minutes_and_dates(coded) -> list[tuple]:
    names = ["encounter_id", "service_date", "infusion_min", "outcome"]
    return sorted(fetched(coded.encounters.select(names)).rows())


def test_a_timestamp_is_an_instant_and_the_session_zone_is_not_read(spark) -> None:
    """04:30 UTC on 3 March is 23:30 on 2 March in New York; 06:30 UTC on 8 March is 01:30 there,
    half an hour before clocks jump from 02:00 to 03:00; 05:30 UTC on 1 November is the first
    01:30 of that night.
    """
    times = {
        "evening": (datetime(2026, 3, 3, 4, 30, tzinfo=UTC), 91),
        "spring": (datetime(2026, 3, 8, 6, 30, tzinfo=UTC), 60),
        "autumn": (datetime(2026, 11, 1, 5, 30, tzinfo=UTC), 120),
    }
    rows = chart(
        *(
            {"encounter_id": one, "start_at": start, "stop_at": start + timedelta(minutes=length)}
            for one, (start, length) in times.items()
        )
    )
    df = on_spark(spark, rows)
    assert dict(df.dtypes)["start_at"] == "timestamp"
    with pytest.raises(sq.InputError, match="'start_at', 'stop_at' holds Spark timestamps: insta"):
        code_administrations_spark(df)
    expected = [
        ("autumn", date(2026, 11, 1), 120, "coded"),
        ("evening", date(2026, 3, 2), 91, "coded"),
        ("spring", date(2026, 3, 8), 60, "coded"),
    ]
    usual = spark.conf.get("spark.sql.session.timeZone")
    for zone in ("America/Los_Angeles", "GMT+8", "UTC"):
        spark.conf.set("spark.sql.session.timeZone", zone)
        try:
            coded = code_administrations_spark(df, facility_zone=NEW_YORK, partitions=1)
            assert minutes_and_dates(coded) == expected
        finally:
            spark.conf.set("spark.sql.session.timeZone", usual)


def test_a_timestamp_without_a_zone_is_facility_time(spark) -> None:
    """From 01:30 to 03:30 by the clock is one hour in the night of 8 March 2026 in New York."""
    spring = {"start_at": datetime(2026, 3, 8, 1, 30), "stop_at": datetime(2026, 3, 8, 3, 30)}
    df = on_spark(spark, chart({}, {"encounter_id": "E2", **spring}))
    assert dict(df.dtypes)["start_at"] == "timestamp_ntz"
    plain_day = ("E1", date(2026, 3, 2), 60, "coded")
    zoned = code_administrations_spark(df, facility_zone=NEW_YORK, partitions=1)
    assert minutes_and_dates(zoned) == [plain_day, ("E2", date(2026, 3, 8), 60, "coded")]
    bare = code_administrations_spark(df, partitions=1)
    assert minutes_and_dates(bare) == [plain_day, ("E2", date(2026, 3, 8), None, "query")]


def test_columns_ride_along_with_their_types(spark) -> None:
    ridden = {
        "visit.id": pl.Series([7], dtype=pl.Int32),
        "admitted_at": pl.Series([datetime(2026, 3, 2, 8, tzinfo=UTC)]),
        "seen_at": pl.Series([datetime(2026, 3, 2, 8)]),
        "born": pl.Series([date(1970, 1, 1)]),
        "cost": pl.Series([Decimal("12.50")], dtype=pl.Decimal(10, 2)),
        "kept": pl.Series([True]),
        "code": pl.Series([b"\x00"]),
        "units": pl.Series([0.5], dtype=pl.Float32),
        "pumps": pl.Series([9], dtype=pl.Int8),
        "none": pl.Series([None]),
        "notes": pl.Series([["a"]]),
    }
    table = chart().with_columns(**ridden)
    coded = code_administrations_spark(on_spark(spark, table), partitions=1)
    types = dict(coded.encounters.dtypes)
    assert types["visit.id"] == "int"
    assert types["admitted_at"] == "timestamp"
    assert types["seen_at"] == "timestamp_ntz"
    assert types["cost"] == "decimal(10,2)"
    assert types["pumps_given"] == "tinyint"
    assert types["units_96369"] == "bigint"
    assert "notes" not in types
    assert_same(coded, sq.code_administrations(table))


def test_an_encounter_of_200_000_rows_and_rows_of_no_encounter(spark) -> None:
    """Runs of 60 s, one begun each second: 199,999 s from first to last start, 3,334 min in all.

    The other encounter of the patient begins a second later, so a coder decides on it.
    """
    second = pl.duration(seconds=pl.int_range(200_000, dtype=pl.Int64))
    long = chart().select(pl.col("encounter_id").repeat_by(200_000).explode())
    long = long.with_columns(start_at=pl.lit(ONE["start_at"]) + second, patient_id=pl.lit("P"))
    long = long.with_columns(stop_at=pl.col("start_at") + pl.duration(seconds=60))
    nobody = long.head(5_000).with_columns(encounter_id=pl.lit(None, pl.String))
    other = long.slice(1, 1).with_columns(encounter_id=pl.lit("E0"))
    table = pl.concat([long, nobody, other])
    coded = code_administrations_spark(on_spark(spark, table), partitions=3).persist()
    assert coded.reconcile() == {
        "rows_in": 205_001,
        "coded": 200_000,
        "query": 0,
        "refer": 1,
        "refused": 5_000,
    }
    rows = fetched(coded.encounters.select("encounter_id", "infusion_min", "pumps")).rows()
    assert sorted(rows) == [("E0", 1, 1), ("E1", 3334, 1)]
    coded.unpersist()


def test_a_table_without_rows(spark) -> None:
    df = on_spark(spark, CHART.head(0))
    coded = code_administrations_spark(df, facility_zone=NEW_YORK, row_numbers="line")
    local = sq.code_administrations(CHART.head(0).drop("line"), facility_zone=NEW_YORK)
    assert coded.reconcile() == local.reconcile()
    assert_same(coded, local)


def test_more_partitions_than_rows(spark) -> None:
    table = chart({}, {"encounter_id": "E2"}).drop("route")
    df = on_spark(spark, table).repartition(6)
    coded = code_administrations_spark(df, partitions=9).persist()
    assert_same(coded, sq.code_administrations(table))
    finding = fetched(coded.findings).filter(pl.col("finding") == "route_assumed")
    assert finding.height == 1
    coded.unpersist()


def test_rows_that_got_lost_are_noticed(spark) -> None:
    coded = code_administrations_spark(on_spark(spark, chart()), partitions=1)
    more = replace(coded, administrations=on_spark(spark, chart({}, {})))
    with pytest.raises(sq.SubqError, match="2 rows came in but 1 ended in an outcome"):
        more.reconcile()


def test_workers_must_hold_the_same_rules(spark) -> None:
    _, work = planned(on_spark(spark, chart()), sq.Policy(), None, None)
    other = work._replace(versions="subq_toolkit 0.0.9, polars 1.0.0")
    with pytest.raises(
        sq.InputError, match=r"A Spark worker has subq_toolkit .* the driver subq_to"
    ):
        next(other.code(iter([])))


@pytest.mark.parametrize(
    ("statement", "options", "message"),
    [
        ("select 'E1' as visit", {}, "no column 'encounter_id'"),
        (
            "select 'E1' as encounter_id, 1 as start_at, 2 as stop_at",
            {},
            "'start_at' is Int32, not",
        ),
        ("{} , 1 as _c0", {}, "Names that begin with an underscore are kept"),
        ("{} , 1 as a, 2 as a", {}, "Two columns of the table have the same name"),
        ("{} , 'x' as Payer", {}, "have columns 'payer', 'Payer', which Spark takes for one"),
        ("{} , array('x') as site", {}, r"'site' holds List\(String\) values; it must hold text"),
        ("{} , interval '2' month as site", {}, "'site' holds interval month values, which canno"),
        ("{}", {"row_numbers": "line"}, "row_numbers='line': the table has no column of whole num"),
        ("{}", {"row_numbers": "encounter_id"}, "has no column of whole numbers of that name"),
        ("{}", {"partitions": 0}, "partitions is a whole number of 1 or more, not 0"),
        ("{}", {"policy": "audit_ready"}, "policy is a Policy, not a str"),
        ("{}", {"facility_zone": "Mars"}, "'Mars' is not a known time zone"),
    ],
)
def test_what_cannot_be_used_is_said_before_anything_runs(spark, statement, options, message):
    text = "timestamp_ntz'2026-03-02 09:00:00'"
    usual = f"select 'E1' as encounter_id, {text} as start_at, {text} as stop_at"
    df = spark.sql(statement.format(usual))
    with pytest.raises(sq.InputError, match=message):
        code_administrations_spark(df, **options)


def test_what_is_no_finished_table_of_spark(spark) -> None:
    with pytest.raises(sq.InputError, match=r"this is a DataFrame\. Polars tables go to"):
        code_administrations_spark(chart())
    endless = spark.readStream.format("rate").load()
    with pytest.raises(sq.InputError, match="This is a streaming DataFrame"):
        code_administrations_spark(endless)


def test_without_pyspark_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(sq.InputError, match=r"pip install 'subq_toolkit\[spark\]', and Java 17"):
        code_administrations_spark(chart())


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_it_does_not_import_pyspark() -> None:
    names = "('pyspark', 'pyarrow', 'pandas')"
    found = f"import sys, subq_toolkit.spark; print([n for n in {names} if n in sys.modules])"
    assert python(found) == "[]"


def test_hashes_are_the_same_in_every_process() -> None:
    """Patients named in one encounter are held against each other by the hash of their names."""
    names = ["P", "SYN-P00012", "ÅÄÖ", ""]
    code = f"import polars as pl; print(pl.Series({names!r}).hash().to_list())"
    assert python(code) == str(pl.Series(names).hash().to_list())


def test_tallies_of_parts_add_up_to_findings_of_the_file() -> None:
    """450 of 900 times are 50 %; no part alone has as many times as the finding asks for.

    A tally may hold as many times as 32 bits count, and is multiplied by a hundred.
    """
    part = {"times": 300, "heaped": 150, "encounters": 150, "overdue": 0, "last_overdue": None}
    late = part | {"overdue": 2, "last_overdue": date(2031, 5, 6)}
    many = part | {"times": 100_000_000, "heaped": 50_000_000}
    types = dict.fromkeys(("times", "heaped", "encounters", "overdue"), pl.UInt32)
    intake = take_in(chart())

    def said(*tallies: dict) -> dict[str, str]:
        table = pl.LazyFrame(list(tallies), schema=types | {"last_overdue": pl.Date})
        return dict(file_findings(table, intake).select("finding", "detail").collect().rows())

    assert said(part, late, late) == {
        "heaped_times": "50 % of 900 charted times fall on :00, :15, :30 or :45; by chance it "
        "would be 7 %.",
        "rules_due_for_review": "Encounters after the day on which the time rules were due to be "
        "read again: 4, the last on 2031-05-06.",
    }
    assert said(many)["heaped_times"].startswith("50 % of 100000000 charted times")
    assert said() == {}


def test_a_lazy_table_is_not_read_before_it_is_collected() -> None:
    reads = []

    def read() -> pl.DataFrame:
        reads.append(1)
        return CHART.drop("line")

    lazy = pl.defer(read, schema=CHART.drop("line").schema)
    coded = sq.code_administrations(lazy, facility_zone=NEW_YORK)
    assert not reads
    eager = sq.code_administrations(CHART.drop("line"), facility_zone=NEW_YORK)
    for name in TABLES:
        expected = getattr(eager, name).collect()
        for engine in ("in-memory", "streaming"):
            assert_frame_equal(getattr(coded, name).collect(engine=engine), expected)
    assert len(reads) >= 8


def sections_on_spark() -> list[str]:
    """The Python that notebooks show for Spark; as text, for not every desktop has Java."""
    cells = [
        "".join(cell["source"])
        for path in sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
        for cell in json.loads(path.read_text("utf-8"))["cells"]
        if cell["cell_type"] == "markdown"
    ]
    blocks = [block for cell in cells for block in re.findall(r"```python\n(.*?)```", cell, re.S)]
    return [block for block in blocks if "code_administrations_spark" in block]


def test_what_the_notebook_shows_runs(spark) -> None:
    blocks = sections_on_spark()
    if not blocks:
        pytest.skip("Spark: no notebook shows it yet")
    sample = sq.sample_administrations().collect().head(500)
    plain(sample).write_parquet("administrations.parquet")
    exec("\n".join(blocks), {})
    local = sq.code_administrations(sample, facility_zone=NEW_YORK)
    for name in ("encounters", "lines", "findings"):
        written = pl.read_parquet(f"{name}/*.parquet")
        assert_frame_equal(in_order(written), in_order(plain(getattr(local, name).collect())))
    assert pl.read_parquet("refused/*.parquet").height == local.refused.collect().height
