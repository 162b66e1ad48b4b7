"""Every chart is drawn, from good data and from awkward data, and says what it shows."""

from datetime import datetime, time, timedelta
from decimal import Decimal

import polars as pl
import pytest

import subq_toolkit as sq

charts = pytest.importorskip("subq_toolkit.charts", reason="the notebook extra is not installed")

DAY = "2026-03-02"
PNG = b"\x89PNG\r\n\x1a\n"


def run(start, stop, **more):
    stop = stop and f"{DAY} {stop}"
    return sq.Administration(f"{DAY} {start}", stop, **more)


LONG_NAME = "左大腿 " * 40
ENCOUNTERS = {
    "two pumps": [run("09:00", "11:31", pump_id="A"), run("09:10", "11:00", pump_id="B")],
    "one run": [run("09:00", "09:09")],
    "no stop": [run("09:00", None, pump_id="A"), run("09:10", "11:00", pump_id="B")],
    "only missing": [run("09:00", None)],
    "zero minutes": [run("09:00", "09:00")],
    "pause": [run("09:00", "10:00"), run("10:25", "12:00")],
    "beside the family": [
        run("09:00", "10:00", route="intravenous", pump_id="IV"),
        run("09:30", None, route="injection"),
        run("09:00", "09:40", mode="bolus"),
    ],
    "forty pumps": [run("09:00", f"{10 + i // 10}:{10 + i}", pump_id=f"P{i}") for i in range(40)],
    "long names": [run("09:00", "09:20", pump_id=LONG_NAME, site=LONG_NAME), run("09:50", "11:00")],
    "markup": [run("09:00", "11:00", pump_id="<b>&\"'", site="<script>alert(1)</script>")],
    "three days": [sq.Administration(f"{DAY} 09:00", "2026-03-05 08:59", pump_id="A")],
    "refused": [run("11:00", "09:00")],
}


@pytest.mark.parametrize("name", ENCOUNTERS)
def test_both_charts_are_drawn(name):
    result = sq.code_encounter(ENCOUNTERS[name])
    for table, chart in (
        (charts.timeline_table(result), charts.timeline),
        (charts.staircase_table(result), charts.staircase),
    ):
        spec = chart(table).to_dict()
        assert charts.picture(spec).startswith(PNG)
        assert spec["title"]["text"] in spec["description"]
        assert "<script" not in spec["title"]["text"]


def test_nothing_to_draw_says_so():
    timeline = charts.timeline(charts.timeline_table(None)).to_dict()
    assert timeline["title"]["text"] == "No run to draw yet"
    assert charts.picture(timeline).startswith(PNG)
    staircase = charts.staircase(charts.staircase_table(None)).to_dict()
    assert staircase["title"]["text"] == "Where units rise; no counted minutes yet"


def test_timeline_shows_runs_pauses_and_what_counts():
    table = charts.timeline_table(sq.code_encounter(ENCOUNTERS["pause"]))
    assert table.select("lane", "kind", "says").rows() == [
        ("pump not charted", "run", "09:00–10:00 · 60 min"),
        ("pump not charted", "run", "10:25–12:00 · 95 min"),
        ("counted", "counted", "09:00–10:00 · 60 min"),
        ("counted", "pause", "pause 25 min"),
        ("counted", "counted", "10:25–12:00 · 95 min"),
    ]
    spoken = charts.timeline(table).to_dict()["description"]
    assert spoken.startswith("155 min with at least one pump running. 155 min charted on 1 pump")
    assert "counted: pause 25 min" in spoken


def test_bridged_pause_counts():
    policy = sq.policy_preset("bag_changes_count")
    runs = [run("09:00", "10:00"), run("10:04", "11:00")]
    table = charts.timeline_table(sq.code_encounter(runs, policy=policy))
    assert table.filter(pl.col("lane") == "counted")["says"].to_list() == ["09:00–11:00 · 120 min"]


def test_a_missing_stop_is_never_drawn_as_known_time():
    table = charts.timeline_table(sq.code_encounter(ENCOUNTERS["no stop"]))
    assert table["kind"].to_list() == ["open", "run", "known so far"]
    title = charts.timeline(table).to_dict()["title"]["text"]
    assert title == "Minutes are not known: 1 run without start or stop"


def test_local_clock_of_a_zone_is_drawn_whatever_the_browser():
    result = sq.code_encounter([run("09:00", "10:00")], facility_zone="America/New_York")
    table = charts.timeline_table(result)
    assert table["says"].first() == "09:00–10:00 · 60 min"
    bare = charts.timeline_table(sq.code_encounter([run("09:00", "10:00")]))
    assert table.equals(bare)


@pytest.mark.parametrize(
    ("stop", "says"),
    [
        ("09:15", "15 min reach 96372 ×1; 1 min to the next"),
        ("09:16", "16 min reach 1 timed unit; 75 min to the next"),
        ("10:31", "91 min reach 2 timed units; 60 min to the next"),
        ("11:30", "150 min reach 2 timed units; 1 min to the next"),
    ],
)
def test_staircase_says_where_the_minutes_stand(stop, says):
    table = charts.staircase_table(sq.code_encounter([run("09:00", stop)]))
    assert table.filter(pl.col("kind") == "step")["minutes"].to_list()[:4] == [16, 91, 151, 211]
    assert charts.staircase(table).to_dict()["title"]["text"] == says


def test_staircase_stops_rising_at_a_cap():
    policy = sq.policy_preset("capped")
    runs = [run("09:00", "15:00")]
    table = charts.staircase_table(sq.code_encounter(runs, policy=policy))
    assert table["units"].max() == 4
    assert "next" not in table["kind"]


def test_staircase_uses_the_codes_of_the_date():
    old = [sq.Administration("2008-03-03 09:00", "2008-03-03 11:00")]
    table = charts.staircase_table(sq.code_encounter(old))
    assert table["code"].drop_nulls().unique().sort().to_list() == ["90769", "90770", "90772"]


def test_chart_table_knows_only_what_a_browser_knows():
    start = datetime(2026, 3, 2, 9)
    frame = pl.LazyFrame(
        {
            "wait": [timedelta(minutes=90)],
            "usd": [Decimal("1.25")],
            "nan": [float("nan")],
            "inf": [float("inf")],
            "clock": [time(9, 15)],
            "tags": [["a", "b"]],
            "pair": [{"a": 1}],
            "zoned": pl.Series([start]).dt.replace_time_zone("America/New_York"),
        }
    )
    row = charts.chart_table(frame).row(0, named=True)
    assert row == {
        "wait": 90.0,
        "usd": 1.25,
        "nan": None,
        "inf": None,
        "clock": "09:15:00",
        "tags": "a, b",
        "pair": '{"a":1}',
        "zoned": start,
    }


def test_chart_table_refuses_what_nobody_could_see():
    with pytest.raises(sq.InputError, match=r"at most 5,000 rows, this frame has 5,001"):
        charts.chart_table(pl.DataFrame({"x": range(5001)}))


def test_show_carries_a_picture_and_its_words():
    table = charts.timeline_table(sq.code_encounter(ENCOUNTERS["two pumps"]))
    live = charts.show(charts.timeline(table))
    bundle, _ = live._repr_mimebundle_()
    assert set(bundle) == {
        "application/vnd.jupyter.widget-view+json",
        "image/png",
        "text/plain",
    }
    assert bundle["text/plain"] == live.spec["description"]
    assert len(bundle["image/png"]) < 70_000
    assert "esm.sh" not in live._esm[:10_000]
