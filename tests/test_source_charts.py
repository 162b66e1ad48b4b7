"""Charts of rules and sources: drawn from good and awkward data, saying what hand counts say."""

from datetime import date
from itertools import pairwise

import polars as pl
import pytest

from subq_toolkit.numbers_in_use import number_summary, numbers_in_use

charts = pytest.importorskip("subq_toolkit.charts", reason="the notebook extra is not installed")
pytest.importorskip("vl_convert")

from subq_toolkit.charts import source_charts  # noqa: E402
from subq_toolkit.charts.figure import figure  # noqa: E402
from subq_toolkit.charts.review_calendar import (  # noqa: E402
    review_calendar_spec,
    review_calendar_table,
)
from subq_toolkit.charts.standings_of_numbers import (  # noqa: E402
    standings_of_numbers_spec,
    standings_of_numbers_table,
)
from subq_toolkit.charts.wording import text_px  # noqa: E402

PNG = b"\x89PNG\r\n\x1a\n"
MARKUP = "<script>alert('x')</script> & \"quotes\" \\ {{datum}} \x00\x1b\u202e"
LONG_NAME = "左大腿の長い名前 " * 6
DAY = date(2026, 11, 25)
JANUARY, JUNE = date(2027, 1, 31), date(2027, 6, 30)


def counted(*rows):
    schema = {"subject": pl.String, "standing": pl.String, "numbers": pl.Int64, "due": pl.Int64}
    return pl.DataFrame([(*row, None) for row in rows], schema=schema, orient="row")


def reviewed(*rows):
    schema = {"subject": pl.String, "review_by": pl.Date}
    given = [(subject, day) for subject, day, times in rows for _ in range(times)]
    return pl.DataFrame(given, schema=schema, orient="row")


HAND = counted(
    ("codes", "sourced", 3),
    ("codes", "unverified", 1),
    ("rules", "inferred", 2),
    ("rules", "house", 2),
    ("edits", "sourced", 5),
    ("limits", "sourced", 50),
    ("limits", "unverified", 50),
)
CALENDAR = reviewed(("codes", JANUARY, 4), ("edits", JANUARY, 1), ("limits", JUNE, 20))
CALENDAR_AND_MORE = pl.concat([CALENDAR, reviewed(("fees", None, 30), (None, None, 1))])

STANDINGS = {
    "all": lambda: number_summary(numbers_in_use(on=DAY)),
    "hand": lambda: HAND,
    "one row": lambda: counted(("codes", "house", 1)),
    "one group": lambda: HAND.filter(subject="limits"),
    "40 groups": lambda: counted(
        *((f"subject {at}", "unverified" if at < 10 else "sourced", at + 1) for at in range(40))
    ),
    "names": lambda: counted(
        (MARKUP, "sourced", 3), (LONG_NAME, "inferred", 10**9), (None, "house", 2), ("", None, 1)
    ),
    "unknown standing": lambda: counted(("codes", "hearsay", 3), ("codes", None, 4)),
    "all null": lambda: counted((None, None, None)),
    "empty": lambda: HAND.clear(),
    "none": lambda: None,
}
CALENDARS = {
    "all": lambda on: review_calendar_table(numbers_in_use(on=on), on=on, caption="all"),
    "hand": lambda on: review_calendar_table(CALENDAR_AND_MORE, on=on),
    "one row": lambda on: review_calendar_table(reviewed(("codes", JUNE, 1)), on=on),
    "names": lambda on: review_calendar_table(
        reviewed((MARKUP, JUNE, 1), (LONG_NAME, JUNE, 10**4), (None, JUNE, 2)), on=on
    ),
    "40 months": lambda on: review_calendar_table(
        reviewed(*((f"s{at}", date(2025 + at // 12, at % 12 + 1, 9), at + 1) for at in range(40))),
        on=on,
    ),
    "far apart": lambda on: review_calendar_table(
        reviewed(("codes", date(1999, 1, 1), 1), ("edits", date(2199, 12, 31), 2)), on=on
    ),
    "all null": lambda on: review_calendar_table(reviewed((None, None, 3)), on=on),
    "empty": lambda on: review_calendar_table(CALENDAR.clear(), on=on),
    "none": lambda on: review_calendar_table(None, on=on),
}


def drawn(spec, kind):
    return [row for row in spec["data"]["values"] if row["kind"] == kind]


def said(spec):
    title = spec["title"]
    lines = (title["text"], title["subtitle"])
    return [one if isinstance(one, str) else " ".join(one) for one in lines]


def standings(name, **more):
    return standings_of_numbers_table(STANDINGS[name](), **more)


@pytest.mark.parametrize("name", STANDINGS)
def test_standings_draw(name):
    table = standings(name, caption="from somewhere")
    spec = standings_of_numbers_spec(table)
    assert charts.picture(spec).startswith(PNG)
    assert len(spec["data"]["values"]) <= 5_000
    assert said(spec)[0]
    assert "\x00" not in spec["description"]
    assert source_charts.standings_of_numbers(table).to_dict()["width"] == 460


@pytest.mark.parametrize("on", [None, DAY, date(2027, 1, 31), date(2027, 2, 1)])
@pytest.mark.parametrize("name", CALENDARS)
def test_calendars_draw(name, on):
    table = CALENDARS[name](on)
    spec = review_calendar_spec(table)
    assert charts.picture(spec).startswith(PNG)
    assert len(spec["data"]["values"]) <= 5_000
    assert said(spec)[0]
    assert source_charts.review_calendar(table).to_dict()["width"] == 460


def test_both_can_be_published():
    table = standings("hand")
    made = figure("standings_of_numbers", table)
    assert (made.cells, made.encounters) == (None, None)
    assert made.spec["description"] == standings_of_numbers_spec(table)["description"]
    assert figure("review_calendar", CALENDARS["hand"](DAY)).spec["title"]


# Standings -------------------------------------------------------------------------------------


def test_standings_by_hand():
    table = standings("hand", caption="by hand")
    assert table.select("kind", "subject", "standing", "numbers", "share").rows() == [
        ("part", "limits", "sourced", 50, 0.5),
        ("part", "limits", "unverified", 50, 0.5),
        ("part", "codes", "sourced", 3, 0.75),
        ("part", "codes", "unverified", 1, 0.25),
        ("part", "rules", "inferred", 2, 0.5),
        ("part", "rules", "house", 2, 0.5),
        ("part", "edits", "sourced", 5, 1.0),
        ("about", None, None, None, None),
    ]
    assert table["says"][-1] == "by hand"


def test_standings_say_the_finding():
    title, subtitle = said(standings_of_numbers_spec(standings("hand", caption="by hand")))
    assert title == "58 of 113 numbers could be read in a source; 51 are unverified"
    assert subtitle.endswith("by hand")
    for word in ("Inferred:", "house:", "unverified:"):
        assert word in subtitle
    without = standings_of_numbers_table(HAND.filter(pl.col("standing") != "unverified"))
    assert said(standings_of_numbers_spec(without))[0].endswith("; none is unverified")
    one = standings_of_numbers_table(HAND.filter(subject="codes"))
    assert said(standings_of_numbers_spec(one))[0].endswith("; 1 is unverified")


def test_standings_speak_every_number():
    text = standings_of_numbers_spec(standings("hand"))["description"]
    assert "limits, 100: 50 sourced, 50 unverified; codes, 4: 3 sourced, 1 unverified" in text


def test_bars_fill_their_lane_and_stay_in_it():
    spec = standings_of_numbers_spec(standings("hand"))
    bars = [row for row in drawn(spec, "bar") if row["tip"]]
    lanes = {}
    for row in bars:
        lanes.setdefault(row["y"], []).append((row["x"], row["x2"]))
    assert len(lanes) == 4
    for spans in lanes.values():
        assert (spans[0][0], spans[-1][1]) == (146, pytest.approx(330))
        assert all(before[1] == after[0] for before, after in pairwise(spans))
    widths = [past - low for low, past in lanes[min(lanes)]]
    assert widths == pytest.approx([92, 92])


def test_hatching_stays_within_its_bar_and_tells_standings_apart():
    spec = standings_of_numbers_spec(standings("hand"))
    bars = [row for row in drawn(spec, "bar") if row["ink"] != "#0072B2"]
    assert bars
    leans = {}
    for line in drawn(spec, "hatch"):
        inside = [
            bar
            for bar in bars
            if bar["x"] <= line["x"] <= line["x2"] <= bar["x2"]
            and bar["y"] - 1e-9 <= min(line["y"], line["y2"])
            and max(line["y"], line["y2"]) <= bar["y2"] + 1e-9
        ]
        assert len(inside) == 1
        rise = line["y2"] - line["y"]
        lean = "upright" if line["x"] == line["x2"] else "up" if rise < 0 else "down"
        leans.setdefault(inside[0]["ink"], set()).add(lean)
    assert leans == {"#009E73": {"up"}, "#CC79A7": {"upright"}, "#D55E00": {"down"}}


def test_counts_stand_beside_the_bars_even_where_a_part_is_too_thin_for_its_own():
    rows = counted(("fees", "sourced", 997), ("fees", "unverified", 3))
    spec = standings_of_numbers_spec(standings_of_numbers_table(rows))
    assert [row["label"] for row in drawn(spec, "count")] == ["997"]
    assert drawn(spec, "rimmed") == []
    assert [row["label"] for row in drawn(spec, "all")] == ["1,000"]
    assert [row["label"] for row in drawn(spec, "unread")] == ["3"]


def test_many_subjects_are_added_up_and_nothing_is_lost():
    table = standings("40 groups")
    parts = table.filter(kind="part")
    assert parts["subject"].n_unique() == 24
    assert parts["numbers"].sum() == 40 * 41 // 2
    assert parts["subject"][-1] == "17 other subjects"
    assert parts["subject"][0] == "subject 0"
    assert parts.filter(standing="unverified")["numbers"].sum() == 55


def test_what_is_not_stated_is_said_to_be():
    table = standings("unknown standing")
    assert table.select("standing", "numbers").rows()[0] == ("not stated", 7)
    title = said(standings_of_numbers_spec(table))[0]
    assert title == "0 of 7 numbers could be read in a source; 7 are not stated"
    names = standings("names").filter(kind="part")
    assert names["numbers"].sum() == 3 + 10**9 + 2 + 1
    blank = names.filter(subject="not stated").select("standing", "numbers").rows()
    assert blank == [("house", 2), ("not stated", 1)]


def test_names_have_room():
    spec = standings_of_numbers_spec(standings("names"))
    for row in drawn(spec, "name"):
        assert text_px(row["label"]) <= 138
    spec = standings_of_numbers_spec(standings("all"))
    assert not any(row["label"].endswith("…") for row in drawn(spec, "name"))
    keys = drawn(spec, "key")
    assert keys[-1]["x"] + text_px(keys[-1]["label"], font_px=12) <= 450


def test_nothing_to_tell_is_said():
    for name in ("empty", "none", "all null"):
        assert said(standings_of_numbers_spec(standings(name)))[0] == "No number to tell of"


# Reviews ---------------------------------------------------------------------------------------


def test_a_calendar_by_hand():
    table = review_calendar_table(CALENDAR_AND_MORE, on=DAY, caption="by hand")
    assert table.rows() == [
        ("due", date(2027, 1, 1), JANUARY, 5, "codes, edits", None),
        ("due", date(2027, 6, 1), JUNE, 20, "limits", None),
        ("undated", None, None, 31, "fees, not stated", None),
        ("day", date(2026, 11, 1), DAY, None, None, None),
        ("about", None, None, None, None, "by hand"),
    ]


@pytest.mark.parametrize(
    ("on", "kinds"),
    [
        (None, ["due", "due"]),
        (date(2027, 1, 31), ["due", "due"]),
        (date(2027, 2, 1), ["overdue", "due"]),
        (date(2027, 6, 30), ["overdue", "due"]),
        (date(2027, 7, 1), ["overdue", "overdue"]),
    ],
)
def test_what_is_due_before_the_day_is_overdue(on, kinds):
    table = review_calendar_table(CALENDAR, on=on)
    assert table.filter(pl.col("numbers").is_not_null())["kind"].to_list() == kinds


def test_a_month_may_be_in_part_overdue():
    numbers = reviewed(("a", date(2027, 1, 10), 2), ("b", date(2027, 1, 20), 3))
    spec = review_calendar_spec(review_calendar_table(numbers, on=date(2027, 1, 15)))
    late, ahead = drawn(spec, "overdue"), drawn(spec, "due")
    assert [(row["y"], row["y2"]) for row in late] == [(0, 2)]
    assert [(row["y"], row["y2"]) for row in ahead] == [(2, 5)]
    assert [row["label"] for row in drawn(spec, "count")] == ["5"]
    assert [row["label"] for row in drawn(spec, "key")] == ["overdue", "due"]


@pytest.mark.parametrize(
    ("numbers", "on", "title", "subtitle"),
    [
        (
            CALENDAR,
            DAY,
            "No review is overdue on 2026-11-25; the next 5 numbers fall due in January 2027",
            "Next: codes, edits",
        ),
        (
            CALENDAR_AND_MORE,
            DAY,
            "No review is overdue on 2026-11-25; 31 of 56 numbers have no day of review",
            "The next 5 numbers fall due in January 2027: codes, edits",
        ),
        (
            CALENDAR_AND_MORE,
            date(2027, 2, 1),
            "5 numbers are overdue for review on 2027-02-01; "
            "31 of 56 numbers have no day of review",
            "Overdue longest: codes, edits; the next 20 numbers fall due in June 2027: limits",
        ),
        (
            CALENDAR,
            date(2027, 7, 1),
            "25 numbers are overdue for review on 2027-07-01",
            "Overdue longest: codes, edits",
        ),
        (
            reviewed(("codes", JUNE, 1), ("fees", None, 1)),
            date(2027, 7, 1),
            "1 number is overdue for review on 2027-07-01; 1 of 2 numbers has no day of review",
            "Overdue longest: codes",
        ),
        (
            reviewed(("codes", JUNE, 1)),
            None,
            "The next number falls due in June 2027",
            "Next: codes",
        ),
    ],
)
def test_calendars_say_the_finding(numbers, on, title, subtitle):
    assert said(review_calendar_spec(review_calendar_table(numbers, on=on))) == [title, subtitle]


def test_calendars_speak_every_month():
    spec = review_calendar_spec(review_calendar_table(CALENDAR_AND_MORE, on=date(2027, 2, 1)))
    assert (
        "January 2027: 5 overdue (codes, edits); June 2027: 20 due (limits); "
        "without a day of review: 31 (fees, not stated)"
    ) in spec["description"]


def test_bars_and_the_day_stand_where_the_calendar_has_them():
    spec = review_calendar_spec(review_calendar_table(CALENDAR, on=date(2026, 11, 16)))
    november, january = 12 * 2026 + 10, 12 * 2027
    assert [(row["x"], row["label"]) for row in drawn(spec, "day")] == [
        (november + 15 / 30, "2026-11-16")
    ]
    assert [row["x"] for row in drawn(spec, "count")] == [january + 5.5, january + 0.5]
    low, high = spec["encoding"]["x"]["scale"]["domain"]
    assert (low, high) == (november - 1, january + 7)
    assert drawn(review_calendar_spec(review_calendar_table(CALENDAR)), "day") == []


@pytest.mark.parametrize("name", ["40 months", "far apart", "all"])
def test_labels_of_months_never_meet(name):
    spec = review_calendar_spec(CALENDARS[name](DAY))
    low, high = spec["encoding"]["x"]["scale"]["domain"]
    px = 400 / (high - low)
    at = sorted(row["x"] for row in drawn(spec, "count"))
    wide = max(text_px(row["label"]) for row in drawn(spec, "count"))
    assert all((b - a) * px >= wide for a, b in pairwise(at))
    ticks = spec["encoding"]["x"]["axis"]["values"]
    assert all((b - a) * px >= 60 for a, b in pairwise(ticks))
    assert all((row["x2"] - row["x"]) * px >= 4 for row in drawn(spec, "due"))


def test_the_most_named_subjects_of_a_month():
    numbers = reviewed(*((f"s{at}", JUNE, 9 - at) for at in range(9)))
    table = review_calendar_table(numbers)
    assert table["subjects"][0] == "s0, s1, s2, s3, s4, s5 and 3 more"


def test_no_day_of_review_is_said():
    title, subtitle = said(review_calendar_spec(CALENDARS["all null"](DAY)))
    assert title == "No number has a day of review"
    assert "3 (not stated)" in subtitle
    for name in ("empty", "none"):
        title, subtitle = said(review_calendar_spec(CALENDARS[name](DAY)))
        assert (title, subtitle) == (
            "No number has a day of review",
            "Read the numbers in use first",
        )


def test_the_caption_says_files_and_when_they_were_read():
    numbers = numbers_in_use(on=DAY)
    codes = numbers.filter(subject="codes")
    assert source_charts.numbers_caption(codes, on=DAY) == (
        "Numbers of 1 file · sources read 2026-11-23 · as of 2026-11-25"
    )
    assert source_charts.numbers_caption(numbers.clear()) == "Numbers of 0 files"
    told = source_charts.numbers_caption(numbers)
    assert told.endswith("files · sources read 2026-11-23 to 2026-11-25")
