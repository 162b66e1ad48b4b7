"""Event logs folded into runs. Every event here is invented."""

import random
import re
import time
from datetime import datetime, timedelta
from datetime import time as time_of_day

import polars as pl
import pytest

from subq_toolkit.coding import code_administrations
from subq_toolkit.effective import read_table
from subq_toolkit.errors import InputError
from subq_toolkit.event_log import EVENTS, NO_EVENT, event_counts, fold_events, judged_events
from subq_toolkit.synthetic import administrations
from subq_toolkit.synthetic.event_logs import COLUMNS as LOG_COLUMNS
from subq_toolkit.synthetic.event_logs import event_log

DAY = datetime(2026, 3, 2)


def at(clock: str | None) -> datetime | None:
    if clock is None or set(clock) == {"-"}:
        return None
    return DAY + timedelta(hours=int(clock[:2]), minutes=int(clock[3:5]))


def clock(moment: datetime | None) -> str:
    return "--:--" if moment is None else f"{moment:%H:%M}"


def charted(text: str, **also: object) -> pl.DataFrame:
    """Events as a nurse lists them: ``09:00 New Bag 50; 10:00 Stopped``; the number is a rate."""
    rows = []
    for entry in filter(None, (part.strip() for part in text.split(";"))):
        when, rest = entry.split(" ", 1)
        rate = re.search(r" (\d+)$", rest)
        word = rest[: rate.start()] if rate else rest
        rows.append((at(when), word, float(rate[1]) if rate else None))
    schema = {"event_at": pl.Datetime("us"), "event": pl.String, "rate_ml_per_h": pl.Float64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.with_columns(encounter_id=pl.lit("E1"), **{n: pl.lit(v) for n, v in also.items()})


def runs(events: pl.DataFrame, **stated: object) -> list[dict]:
    return fold_events(events, **stated).collect().rows(named=True)


def said(events: pl.DataFrame, **stated: object) -> str:
    """The runs in short: start-stop, and @rate where one is charted."""
    return ", ".join(
        f"{clock(run['start_at'])}-{clock(run['stop_at'])}"
        + (f"@{run['rate_ml_per_h']:g}" if run["rate_ml_per_h"] is not None else "")
        for run in runs(events, **stated)
    )


#: What is charted, and the runs it makes; --:-- is a time that is not charted (a query).
CASES = {
    "a plain infusion": ("09:00 New Bag; 10:30 Stopped", "09:00-10:30"),
    "other words for it": ("09:00 Begin Bag; 10:30 Infusion complete", "09:00-10:30"),
    "a pause and a restart": (
        "09:00 Start; 10:00 Paused; 10:20 Restarted; 11:00 Stopped",
        "09:00-10:00, 10:20-11:00",
    ),
    "stop and start again": (
        "09:00 Start; 10:00 Stop; 10:20 Start; 11:00 Stop",
        "09:00-10:00, 10:20-11:00",
    ),
    "a new bag keeps the clock running": (
        "09:00 New Bag; 10:00 New Bag; 11:00 Stopped",
        "09:00-11:00",
    ),
    "a bag changed with the pump stopped at the same minute": (
        "09:00 New Bag; 10:00 Stopped; 10:00 New Bag; 11:00 Stopped",
        "09:00-10:00, 10:00-11:00",
    ),
    "verifying the rate changes nothing": (
        "09:00 Start 50; 09:30 Rate Verify 50; 10:00 Rate Verify; 11:00 Stop",
        "09:00-11:00@50",
    ),
    "another rate splits the run at that minute": (
        "09:00 Start 50; 10:00 Rate Change 75; 11:00 Stop",
        "09:00-10:00@50, 10:00-11:00@75",
    ),
    "a rate change without a rate splits nothing": (
        "09:00 Start; 10:00 Rate Change; 11:00 Stop",
        "09:00-11:00",
    ),
    "a rate change at the minute of the start": (
        "09:00 Start; 09:00 Rate Change 50; 11:00 Stop",
        "09:00-11:00@50",
    ),
    "a verified rate that is another": (
        "09:00 Start 50; 10:00 Rate Verify 60; 11:00 Stop",
        "09:00-10:00@50, 10:00-11:00@60",
    ),
    "a new bag at another rate": (
        "09:00 Start 50; 10:00 New Bag 60; 11:00 Stop",
        "09:00-10:00@50, 10:00-11:00@60",
    ),
    "rate 0 is a pause, a rate above 0 the restart": (
        "09:00 Start 50; 10:00 Rate Change 0; 10:30 Rate Change 40; 11:00 Stop",
        "09:00-10:00@50, 10:30-11:00@40",
    ),
    "rate 0, then stopped": ("09:00 Start 50; 10:00 Rate Change 0; 10:30 Stop", "09:00-10:00@50"),
    "stopped, then rate 0": ("09:00 Start 50; 10:00 Stop; 10:05 Rate Change 0", "09:00-10:00@50"),
    "a stop after a pause": ("09:00 Start; 10:00 Paused; 10:30 Stopped", "09:00-10:00"),
    "verified while paused": (
        "09:00 Start; 10:00 Paused; 10:10 Rate Verify; 10:20 Restarted; 11:00 Stopped",
        "09:00-10:00, 10:20-11:00",
    ),
    "never stopped": ("09:00 Start", "09:00---:--"),
    "never stopped after a restart": (
        "09:00 Start; 10:00 Pause; 10:20 Restart",
        "09:00-10:00, 10:20---:--",
    ),
    "never stopped after another rate": (
        "09:00 Start 50; 10:00 Rate Change 75",
        "09:00-10:00@50, 10:00---:--@75",
    ),
    "stopped, never started": ("10:00 Stop", "--:---10:00"),
    "paused, never started": ("10:00 Paused", "--:---10:00"),
    "two starts without a stop between": (
        "09:00 Start; 10:00 Start; 11:00 Stop",
        "09:00---:--, 10:00-11:00",
    ),
    "restarted without a pause": (
        "09:00 Start; 10:00 Restarted; 11:00 Stop",
        "09:00---:--, 10:00-11:00",
    ),
    "paused after the stop": (
        "09:00 Start; 10:00 Stop; 10:30 Paused",
        "09:00-10:00, --:---10:30",
    ),
    "stopped twice": ("09:00 Start; 10:00 Stop; 11:00 Stop", "09:00-10:00, --:---11:00"),
    "paused twice": ("09:00 Start; 10:00 Pause; 11:00 Pause", "09:00-10:00, --:---11:00"),
    "the same stop charted twice": ("09:00 Start; 10:00 Stop; 10:00 Stop", "09:00-10:00"),
    "the same start charted twice": ("09:00 Start; 09:00 Start; 10:00 Stop", "09:00-10:00"),
    "paused and stopped at the same minute": (
        "09:00 Start; 10:00 Stopped; 10:00 Paused",
        "09:00-10:00",
    ),
    "paused and restarted at the same minute": (
        "09:00 Start; 10:00 Restarted; 10:00 Paused; 11:00 Stopped",
        "09:00-10:00, 10:00-11:00",
    ),
    "start and stop at the same minute": ("09:00 Start; 09:00 Stop", "09:00---:--, --:---09:00"),
    "verified before anything else": ("09:00 Rate Verify 50; 11:00 Stop", "--:---11:00@50"),
    "a rate change before anything else": ("09:00 Rate Change 50; 11:00 Stop", "--:---11:00@50"),
    "verified, and nothing else": ("09:00 Rate Verify", "--:-----:--"),
    "running again after a stop without a restart": (
        "09:00 Start 50; 10:00 Stop; 10:30 Rate Change 75; 11:00 Stop",
        "09:00-10:00@50, --:---11:00@75",
    ),
    "running again after a pause without a restart": (
        "09:00 Start 50; 10:00 Pause; 10:30 Rate Change 75; 11:00 Stop",
        "09:00-10:00@50, --:---11:00@75",
    ),
    "restarted before anything else": ("09:00 Restarted; 10:00 Stop", "--:-----:--, 09:00-10:00"),
    "a bolus while running": (
        "09:00 Start; 09:30 Bolus; 10:00 Stop",
        "09:00-10:00, 09:30-09:30",
    ),
    "a bolus alone": ("09:30 Bolus", "09:30-09:30"),
    "a dose given": ("09:30 Given", "09:30---:--"),
    "held and missed doses": ("09:00 Held; 10:00 Missed; 11:00 Refused", ""),
    "out of order in the file": ("10:00 Stop; 09:00 Start", "09:00-10:00"),
    "blanks, capitals and punctuation": ("09:00  NEW-BAG ; 10:00 stopped.", "09:00-10:00"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_log_becomes(case: str) -> None:
    events, expected = CASES[case]
    assert said(charted(events)) == expected


def test_a_new_bag_that_begins_a_dose_of_its_own() -> None:
    events = charted("09:00 New Bag; 13:00 New Bag; 14:00 Stopped")
    assert said(events, new_bag="begins") == "09:00---:--, 13:00-14:00"
    with pytest.raises(InputError, match='new_bag must be "continues" or "begins"'):
        fold_events(events, new_bag="ends")


@pytest.mark.parametrize(
    ("text", "outcome", "minutes"),
    [
        ("09:00 Start; 10:00 Paused; 10:20 Restarted; 11:00 Stopped", "coded", 100),
        ("09:00 Start 50; 10:00 Rate Change 75; 11:31 Stop", "coded", 151),
        ("09:00 Start", "query", None),
        ("10:00 Stop", "query", None),
        ("09:00 Rate Verify", "query", None),
        ("09:00 Start; 10:00 Start; 11:00 Stop", "query", None),
        ("09:00 Restarted; 10:00 Stop", "query", None),
        ("09:30 Bolus", "refer", None),
        ("09:30 Given", "query", None),
    ],
)
def test_how_a_log_is_coded(text: str, outcome: str, minutes: int | None) -> None:
    events = charted(text, pump_id="P1", route="subcutaneous")
    coded = code_administrations(fold_events(events)).encounters.collect().row(0, named=True)
    assert coded["outcome"] == outcome
    assert minutes is None or coded["infusion_min"] == minutes


# --- which events belong together ---------------------------------------------------------


def test_pumps_run_side_by_side() -> None:
    one = charted("09:00 Start; 11:00 Stop", pump_id="A")
    two = charted("09:10 Start; 10:00 Stop", pump_id="B")
    got = runs(pl.concat([one, two]))
    assert [(r["pump_id"], clock(r["start_at"]), clock(r["stop_at"])) for r in got] == [
        ("A", "09:00", "11:00"),
        ("B", "09:10", "10:00"),
    ]


def test_orders_are_apart_on_one_pump() -> None:
    one = charted("09:00 Start; 10:00 Stop", pump_id="A", order_id="O1")
    two = charted("09:30 Start; 11:00 Stop", pump_id="A", order_id="O2")
    assert said(pl.concat([one, two])) == "09:00-10:00, 09:30-11:00"


def test_drugs_are_apart_if_neither_pump_nor_order_is_a_column() -> None:
    one, two = (charted(f"09:{m} Start; 11:00 Stop", drug=d) for m, d in [("00", "X"), ("30", "Y")])
    assert said(pl.concat([one, two])) == "09:00-11:00, 09:30-11:00"


def test_an_empty_pump_is_the_only_one_of_its_encounter() -> None:
    start = charted("09:00 Start", pump_id="A")
    stop = charted("10:00 Stop").with_columns(pump_id=pl.lit(None, pl.String))
    got = runs(pl.concat([start, stop]))
    assert [(r["pump_id"], clock(r["stop_at"])) for r in got] == [("A", "10:00")]
    other = charted("09:30 Start; 12:00 Stop", pump_id="B")
    assert said(pl.concat([start, stop, other])) == "09:00---:--, --:---10:00, 09:30-12:00"


def test_encounters_are_apart() -> None:
    other = charted("10:00 Stop").with_columns(encounter_id=pl.lit("E2"))
    assert said(pl.concat([charted("09:00 Start"), other])) == "09:00---:--, --:---10:00"


# --- what else is charted -----------------------------------------------------------------


def test_what_tells_of_the_infusion_holds_for_its_later_runs() -> None:
    begin = charted("09:00 Start", route="SC", drug="D", payer="P", setup_charted=True, note="n")
    rest = charted("10:00 Pause; 10:10 Restart; 11:00 Stop").with_columns(
        **{n: pl.lit(None, pl.String) for n in ("route", "drug", "payer", "note")},
        setup_charted=pl.lit(None, pl.Boolean),
    )
    got = runs(pl.concat([begin, rest.select(begin.columns)]))
    assert [(r["route"], r["drug"], r["payer"]) for r in got] == [("SC", "D", "P")] * 2
    assert [(r["setup_charted"], r["note"]) for r in got] == [(True, "n"), (None, None)]


def test_a_change_of_site_splits_the_run() -> None:
    events = charted("09:00 Start; 10:00 Site Change; 11:00 Pause; 11:10 Restart; 12:00 Stop")
    events = events.with_columns(site=pl.Series(["left", "right", None, None, None]))
    got = [(clock(r["start_at"]), clock(r["stop_at"]), r["site"]) for r in runs(events)]
    assert got == [
        ("09:00", "10:00", "left"),
        ("10:00", "11:00", "right"),
        ("11:10", "12:00", "right"),
    ]


def test_a_site_charted_later_does_not_split() -> None:
    events = charted("09:00 Start; 10:00 Rate Verify; 11:00 Stop")
    events = events.with_columns(site=pl.Series([None, "left", "left"]))
    assert [(clock(r["stop_at"]), r["site"]) for r in runs(events)] == [("11:00", "left")]


@pytest.mark.parametrize(
    ("volumes", "total"),
    [
        ((100.0, 50.0, None), 150.0),
        ((100.0, 50.0, 120.0), 120.0),
        ((None, None, None), None),
        ((None, None, 80.0), 80.0),
    ],
)
def test_volume_is_that_of_the_stop_or_of_the_bags(volumes: tuple, total: float | None) -> None:
    events = charted("09:00 New Bag; 10:00 New Bag; 11:00 Stop")
    assert (
        runs(events.with_columns(volume_ml=pl.Series(volumes, dtype=pl.Float64)))[0]["volume_ml"]
        == total
    )


def test_a_bag_charted_twice_is_one_bag() -> None:
    events = charted("09:00 New Bag; 09:00 New Bag; 11:00 Stop")
    events = events.with_columns(volume_ml=pl.Series([100.0, 100.0, None]))
    assert runs(events)[0]["volume_ml"] == 100.0


def test_each_run_says_what_began_and_ended_it() -> None:
    got = runs(charted("09:00 New Bag 50; 10:00 Rate Change 60; 11:00 Paused; 12:00 Stop"))
    assert [(r["began_by"], r["ended_by"], r["events"]) for r in got] == [
        ("new_bag", "rate_change", 1),
        ("rate_change", "pause", 3),
    ]


# --- what cannot be read ------------------------------------------------------------------


def test_a_word_nobody_knows_comes_through_and_is_refused() -> None:
    events = charted("09:00 Start; 09:30 Assess; 10:00 Stop", pump_id="A", route="subcutaneous")
    coded = code_administrations(fold_events(events))
    refused = coded.refused.collect().rows(named=True)
    assert [(r["failed"], r["unreadable"]) for r in refused] == [
        (["every entry could be read"], "event")
    ]
    assert coded.encounters.collect()["infusion_min"].to_list() == [60]


def test_words_of_the_user() -> None:
    events = charted("09:00 Hang; 09:30 Assess; 10:00 Handoff; 11:00 Stop")
    words = {"hang": "start", "Assess": "rate_verify", "Handoff": None}
    assert said(events, words=words) == "09:00-11:00"
    assert said(charted("09:00 Start; 10:00 Held"), words={"Held": "pause"}) == "09:00-10:00"
    assert judged_events(events, words=words) == {
        "events_in": 4,
        "folded": 3,
        "ignored": 1,
        "unreadable": 0,
    }


def test_a_time_or_an_encounter_that_is_missing() -> None:
    events = charted("09:00 Start; 10:00 Stop; 11:00 Stop").with_columns(
        event_at=pl.Series([at("09:00"), None, at("11:00")]),
        encounter_id=pl.Series(["E1", "E1", " "]),
    )
    got = [(clock(r["start_at"]), clock(r["stop_at"]), r["unreadable"]) for r in runs(events)]
    assert got == [
        ("09:00", "--:--", None),
        ("--:--", "--:--", "event_at"),
        ("11:00", "--:--", None),
    ]
    refused = code_administrations(fold_events(events)).refused.collect()
    assert refused["row"].to_list() == [2, 3]


def test_what_a_reader_could_not_read_stays_named() -> None:
    events = charted("09:00 Start; 10:00 Stop").with_columns(
        unreadable=pl.Series([None, "volume_ml"])
    )
    assert [r["unreadable"] for r in runs(events)] == ["volume_ml"]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda e: e.drop("event"), "The event log has no column 'event'"),
        (lambda e: e.drop("event_at", "event"), "no column 'event_at' and no column 'event'"),
        (lambda e: e.with_columns(start_at=None), "Runs get columns of these names.*'start_at'"),
        (lambda e: e.with_columns(_x=1), "begin with an underscore: '_x'"),
        (lambda e: e.with_columns(rate_ml_per_h=pl.lit("5")), "'rate_ml_per_h' holds String"),
        (lambda e: e.with_columns(event_at=5), "'event_at' is Int32, not a date"),
        (lambda e: e.to_dicts(), "Hand in a Polars DataFrame or LazyFrame of events"),
    ],
)
def test_tables_that_are_no_event_log(spoil, says: str) -> None:
    with pytest.raises(InputError, match=says):
        fold_events(spoil(charted("09:00 Start")))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"Assess": "verify"}, "maps 'Assess' to 'verify', which is no event.*'rate_verify'"),
        ({"Assess": "zzz"}, "Events: pause, stop"),
        ({" - ": "stop"}, "a word without letters"),
    ],
)
def test_words_that_mean_nothing(words: dict, says: str) -> None:
    with pytest.raises(InputError, match=says):
        fold_events(charted("09:00 Start"), words=words)


PLAIN = charted("09:00 Start 20; 10:00 Stopped", order_id="O1", pump_id="P1", drug="d", site="s")
#: Two entries of every type that a column may have.
TYPES = {
    "list": pl.Series([["a"], ["b"]]),
    "struct": pl.Series([{"a": 1}, {"a": 2}]),
    "array": pl.Series([[1], [2]], dtype=pl.Array(pl.Int8, 1)),
    "bytes": pl.Series([b"\xff", b"a"]),
    "object": pl.Series([object(), object()], dtype=pl.Object),
    "duration": pl.Series([timedelta(1), timedelta(2)]),
    "clock": pl.Series([time_of_day(1), time_of_day(2)]),
    "day": pl.Series([DAY.date(), DAY.date()]),
    "truth": pl.Series([True, False]),
    "number": pl.Series([1.0, 2.0]),
    "large number": pl.Series([2**100, 1], dtype=pl.Int128),
    "word": pl.Series(["start", "stop"]),
    "category": pl.Series(["start", "stop"], dtype=pl.Categorical),
    "nothing": pl.Series([None, None]),
}
_TEXTS = {"word", "category", "nothing"}
_NUMBERS = {"number", "large number", "nothing"}
#: Types that a column takes; every other is refused with its name.
TAKES = {
    "encounter_id": _TEXTS | _NUMBERS,
    "event": _TEXTS,
    "event_at": {"word", "nothing"},
    "order_id": _TEXTS | _NUMBERS,
    "pump_id": _TEXTS | _NUMBERS,
    "drug": _TEXTS | _NUMBERS,
    "site": _TEXTS | _NUMBERS,
    "mode": _TEXTS,
    "unreadable": _TEXTS,
    "rate_ml_per_h": _NUMBERS,
    "volume_ml": _NUMBERS,
    "route": _TEXTS | _NUMBERS | {"day", "truth"},
    "anything": {*TYPES},
}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("column", TAKES)
def test_every_type_is_taken_or_named(column: str, kind: str) -> None:
    events = PLAIN.with_columns(TYPES[kind].alias(column))
    if kind in TAKES[column]:
        folded = fold_events(events).collect()
        assert folded["events"].sum() == 2
        assert judged_events(events)["events_in"] == 2
    else:
        with pytest.raises(InputError, match=rf"Column '{column}' (holds|is) "):
            fold_events(events)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: fold_events(None), "this is a NoneType"),
        (lambda: fold_events({"event": []}), "this is a dict"),
        (lambda: fold_events(PLAIN, words="stop"), "are a mapping, .* this is a str"),
        (lambda: fold_events(PLAIN, words={5: "stop"}), "a word that is no text but int"),
        (lambda: fold_events(PLAIN, words={"a": ["b"] * 90}), r"maps 'a' to .{80}, which is no"),
        (lambda: fold_events(PLAIN, words={"\x1b" + "a" * 500: "x"}), "maps 'a{79}…' to 'x'"),
        (lambda: fold_events(PLAIN, new_bag=[]), "new_bag must be"),
        (lambda: fold_events(PLAIN, facility_zone=[]), "facility_zone is the name of a zone"),
        (lambda: fold_events(PLAIN.with_columns(pl.lit(1).alias("*"))), r"Column '\*' has a name"),
        (
            lambda: fold_events(PLAIN.with_columns(pl.lit(1).alias("^pump.*$"))),
            r"Column '\^pump\.\*\$' has a name that stands for several",
        ),
        (
            lambda: fold_events(PLAIN.with_columns(pl.lit(1).alias("_" + "x" * 900))),
            "names that begin with an underscore: '_x{78}…'. Rename",
        ),
        (lambda: event_counts(PLAIN, column="action"), "no column 'action' of words"),
        (
            lambda: event_counts(PLAIN.with_columns(event=pl.lit(b"\xff"))),
            "no column 'event' of words",
        ),
    ],
)
def test_arguments_of_another_kind(call, says: str) -> None:
    with pytest.raises(InputError, match=says):
        call()


def test_an_unknown_zone() -> None:
    with pytest.raises(InputError, match="facility_zone 'Mars' is not a known time zone"):
        fold_events(charted("09:00 Start"), facility_zone="Mars")


def test_times_with_a_zone_become_local_and_count_over_a_clock_change() -> None:
    utc = pl.Series([datetime(2026, 3, 8, 6, 30), datetime(2026, 3, 8, 7, 30)])
    events = charted("09:00 Start; 10:00 Stop", route="subcutaneous").with_columns(
        event_at=utc.dt.replace_time_zone("UTC")
    )
    folded = fold_events(events, facility_zone="America/New_York")
    assert folded.collect()["start_at"].item().isoformat() == "2026-03-08T01:30:00-05:00"
    assert code_administrations(folded).encounters.collect()["infusion_min"].item() == 60


# --- words --------------------------------------------------------------------------------


def test_every_word_of_the_vocabulary_is_an_event() -> None:
    listed = read_table("vocabulary")["events"]
    assert set(listed) == {*EVENTS, NO_EVENT}
    plain = [re.sub(r"[\W_]+", "", w.lower()) for e, ws in listed.items() for w in [e, *ws]]
    assert len(plain) == len(set(plain))


def test_counts_of_words_show_no_value_of_a_patient() -> None:
    words = ["Stopped"] * 3 + ["Assess"] * 2 + ["Smith, J 4711", "a b c d e f", "x" * 80, None, " "]
    got = event_counts(pl.DataFrame({"event": words}))
    assert got.rows() == [("Stopped", "stop", 3), (None, None, 3), ("Assess", None, 2)]


def test_a_column_of_something_else_is_not_shown() -> None:
    got = event_counts(pl.DataFrame({"event": ["Smith", "Jones", "Stop"] + ["Brown"] * 28}))
    assert got.rows() == [(None, None, 30), ("Stop", "stop", 1)]


def test_at_most_twelve_unknown_words_are_shown() -> None:
    words = [f"Word{'abcdefghijklmnopqrst'[i]}" for i in range(20)] + ["Stop"] * 9
    got = event_counts(pl.DataFrame({"event": words}))
    got = got.filter(pl.col("read_as").is_null())
    assert got.filter(pl.col("word").is_not_null()).height == 12
    assert got.filter(pl.col("word").is_null())["rows"].to_list() == [8]


# --- against a slow reading of the same rules ---------------------------------------------

RANK = {event: place for place, event in enumerate(EVENTS)}


def slow_fold(events: list[tuple[int, str, float | None, str | None]]) -> list[tuple]:
    """One infusion, event by event: (start, stop, rate, site) of each run, as a person would."""
    events = sorted(events, key=lambda e: (e[0], RANK[e[1]]))
    state, set_at, by_rate, site = "none", None, False, None
    out: list[list] = []
    for place, (now, event, rate, _) in enumerate(events):
        slot = [e for e in events if e[0] == now]
        rates = [e[2] for e in slot if e[2] is not None and e[1] not in ("pause", "stop")]
        sites = [e[3] for e in slot if e[3] is not None]
        rate_now, site_now = (rates or [None])[-1], (sites or [None])[-1]
        old_site, site = site, site_now or site
        halts = event == "pause" or (event == "rate_change" and rate is not None and rate <= 0)
        flows = event == "rate_change" and rate is not None and rate > 0
        again = place > 0 and set_at == now
        if halts or event == "stop":
            if state == "running":
                out[-1][1] = now
            elif state == "none" or not (
                (event == "stop" and state == "paused") or again or event == "rate_change"
            ):
                out.append([None, now, rate_now, site])
            state = "paused" if halts else "stopped"
            set_at, by_rate = now, event == "rate_change"
            continue
        begins = event in ("start", "new_bag", "restart")
        fresh = None
        if begins and (state != "running" or (event != "new_bag" and not again)):
            if event == "restart" and state == "none":
                out.append([None, None, None, None])
            fresh = [now, None, rate_now, site]
        elif flows and state == "paused" and by_rate:
            fresh = [now, None, rate_now, site]
        elif (flows and state != "running") or (place == 0 and not begins):
            fresh = [None, None, rate_now, site]
        if fresh:
            out.append(fresh)
            known_rate = rate_now if rate_now is not None else -1
        elif state == "running":
            other = rate_now is not None and rate_now != known_rate
            moved = site_now is not None and old_site is not None and site_now != old_site
            if other or moved:
                out[-1][1] = now
                out.append([now, None, rate_now, site])
            known_rate = rate_now if rate_now is not None else known_rate
            out[-1][3] = out[-1][3] or site
        elif rate_now is not None:
            known_rate = rate_now
        if out and state != "running" and not fresh and out[-1][3] is None:
            out[-1][3] = site
        if begins or flows or place == 0:
            state, set_at, by_rate = "running", now, False
    return [tuple(run) for run in out]


def bare(runs: list[tuple]) -> list[tuple]:
    """Runs in one order; of a run without any time nothing else is compared."""
    timed = [run[:3] if run[:2] != (None, None) else run[:2] for run in runs]
    return sorted(timed, key=repr)


@pytest.mark.parametrize("seed", range(6))
def test_the_fold_is_what_a_slow_reading_gives(seed: int) -> None:
    draw = random.Random(seed)
    words = [e for e in EVENTS if e not in ("bolus", "given")]
    logs, rows = {}, []
    for number in range(400):
        events = [
            (
                draw.randrange(12),
                draw.choice(words),
                draw.choice([None, None, 0.0, 40.0, 50.0]),
                draw.choice([None, None, None, "left", "right"]),
            )
            for _ in range(draw.randrange(1, 9))
        ]
        logs[f"E{number:03}"] = events
        rows += [(f"E{number:03}", *event) for event in events]
    draw.shuffle(rows)
    frame = pl.DataFrame(
        rows,
        schema=["encounter_id", "minute", "event", "rate_ml_per_h", "site"],
        orient="row",
        schema_overrides={"rate_ml_per_h": pl.Float64, "site": pl.String},
    )
    # the order in the file decides between rates of one event at one minute: keep it
    for name in logs:
        logs[name] = [row[1:] for row in rows if row[0] == name]
    frame = frame.with_columns(event_at=pl.lit(DAY) + pl.duration(minutes="minute")).drop("minute")
    folded = fold_events(frame).collect()
    minute = [
        ((pl.col(n) - pl.lit(DAY)).dt.total_minutes()).alias(n) for n in ("start_at", "stop_at")
    ]
    got: dict[str, list] = {name: [] for name in logs}
    for row in folded.with_columns(minute).rows(named=True):
        run = (row["start_at"], row["stop_at"], row["rate_ml_per_h"], row["site"])
        got[row["encounter_id"]].append(run)
    for name, events in logs.items():
        assert bare(got[name]) == bare(slow_fold(events)), (
            name,
            sorted(events, key=lambda e: (e[0], RANK[e[1]])),
        )
    assert folded["events"].sum() == len(rows)


def test_order_of_the_rows_does_not_matter() -> None:
    log = event_log(administrations(200, seed=5)).rename(LOG_COLUMNS)
    log = log.with_columns(
        pl.col("event_at").str.to_datetime("%m/%d/%Y %H:%M:%S", time_unit="us")
    ).drop("discharge_at")
    keys = ["encounter_id", "order_id", "start_at", "stop_at", "mode"]
    one = fold_events(log).collect().select(keys).sort(keys)
    other = fold_events(log.sample(fraction=1, shuffle=True, seed=1)).collect()
    assert one.equals(other.select(keys).sort(keys))


def test_an_invented_log_codes_as_the_runs_it_was_made_of() -> None:
    charting = administrations(1500, seed=11)
    log = event_log(charting).rename(LOG_COLUMNS)
    times = pl.col("event_at", "discharge_at").str.to_datetime("%m/%d/%Y %H:%M:%S", time_unit="us")
    log = log.with_columns(times)
    units = [f"units_{code}" for code in (96369, 96370, 96371, 96372)]
    kept = ["encounter_id", "outcome", "infusion_min", *units]
    zone = "America/New_York"
    before = code_administrations(charting).encounters.select(kept).collect()
    coded = code_administrations(fold_events(log), facility_zone=zone)
    both = before.join(coded.encounters.select(kept).collect(), on="encounter_id", suffix="_log")
    assert both.filter(
        (pl.col("outcome") != "coded") & (pl.col("outcome_log") == "coded")
    ).is_empty()
    same = both.filter((pl.col("outcome") == "coded") & (pl.col("outcome_log") == "coded"))
    assert same.height > 0.99 * both.filter(outcome="coded").height
    for name in ("infusion_min", *units):
        assert same[name].to_list() == same[f"{name}_log"].to_list(), name
    assert (
        sum(v for n, v in coded.reconcile().items() if n != "rows_in")
        == (coded.reconcile()["rows_in"])
    )


def test_a_million_events_take_seconds() -> None:
    base = pl.DataFrame({"i": pl.int_range(40_000, eager=True)})
    words = (
        (0, "New Bag"),
        (30, "Rate Change"),
        (60, "Paused"),
        (70, "Restarted"),
        (120, "Stopped"),
    )
    log = pl.concat(
        base.select(
            encounter_id=pl.format("E{}", "i"),
            event_at=pl.lit(DAY) + pl.duration(minutes=pl.col("i") % 5000 + after),
            event=pl.lit(word),
        )
        for after, word in words
    ).sample(fraction=1, shuffle=True, seed=1)
    began = time.perf_counter()
    folded = fold_events(log).collect()
    assert folded.height == 80_000
    assert time.perf_counter() - began < 3
