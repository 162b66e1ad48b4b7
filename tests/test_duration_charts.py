"""Charts of durations and the clock: drawn from good and awkward data, saying what was counted."""

import json
import random
import re
from bisect import bisect_right
from datetime import date
from functools import cache
from importlib import import_module
from itertools import pairwise

import polars as pl
import pytest

import subq_toolkit as sq
from subq_toolkit import durations, scenarios
from subq_toolkit.errors import InputError
from subq_toolkit.small_cells import withhold_small_cells

charts = pytest.importorskip("subq_toolkit.charts", reason="the notebook extra is not installed")
vlc = pytest.importorskip("vl_convert")

from subq_toolkit.charts import clock_charts, thinned_curves  # noqa: E402
from subq_toolkit.charts.captions import work_caption  # noqa: E402
from subq_toolkit.charts.look import INK, QUIET  # noqa: E402

PNG = b"\x89PNG\r\n\x1a\n"
MARKUP = "<script>alert('x')</script> & \"quotes\" \\ {{datum}} \x00\x1b\u202e"
LONG_NAME = "左大腿の長い名前 " * 6
STEPS = [(16, 1), (91, 2), (151, 3), (211, 4), (271, 5)]
NOTE = "∗ fewer than 11 encounters, or withheld with them"
CHARTS = ("duration_curves", "clock_heaping", "rounded_units", "distance_to_steps", "control_chart")


def module(chart):
    return import_module(f"subq_toolkit.charts.{chart}")


@cache
def coded():
    return sq.code_administrations(sq.sample_administrations())


@cache
def summary():
    by = ["department", "month", "week", "rounding"]
    return scenarios.minute_summary(coded(), by=by)


def caption():
    return work_caption(summary(), "invented sample export")


def lasting(groups):
    """A cumulative curve by hand: encounters by minutes, of each group."""
    rows = []
    for group, counts in groups.items():
        so_far, n = 0, sum(counts.values())
        for minutes, encounters in sorted(counts.items()):
            so_far += encounters
            rows.append((group, minutes, so_far, so_far / n))
    schema = {"group": pl.String, "minutes": pl.Int64, "at_most": pl.Int64, "share": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("group", "minutes")


def curves(groups, steps=STEPS, **more):
    return clock_charts.duration_curves_table(lasting(groups), steps, **more)


def clock(**events):
    """Times by the minute of the hour, by hand."""
    rows = []
    for event in ("start", "stop"):
        counts = events.get(event, {})
        n = sum(counts.values())
        for minute in range(60):
            times = counts.get(minute, 0)
            rows.append((event, minute, times, times / n if n else None, 1 / 60))
    columns = ["event", "minute", "times", "share", "expected"]
    types = [pl.String, pl.Int64, pl.Int64, pl.Float64, pl.Float64]
    return pl.DataFrame(rows, schema=dict(zip(columns, types, strict=True)), orient="row")


def heaping(**events):
    return clock_charts.clock_heaping_table(clock(**events), caption="by hand")


def effect(*rows):
    """Units of each step of the clock, by hand: encounters, charted, expected."""
    columns = {"rounding": pl.String, "encounters": pl.Int64, "units_charted": pl.Int64}
    columns |= {"units_expected": pl.Float64, "difference": pl.Float64}
    rows = [(*row, None if row[3] is None else row[2] - row[3]) for row in rows]
    return clock_charts.rounded_units_table(pl.DataFrame(rows, schema=columns, orient="row"))


def near(counts, *, within=15, near_min=None, text=""):
    """Encounters by step and distance, by hand; every distance of a step is there."""
    rows = [
        (step, distance, own.get(distance, 0))
        for step, own in counts.items()
        for distance in range(-within, within)
    ]
    schema = {"step_min": pl.Int64, "distance_min": pl.Int64, "encounters": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return clock_charts.distance_to_steps_table(frame, near_min=near_min, caption=text)


def followed(values, *, centre=100.0, low=60.0, high=140.0, signals=None, n=20, **more):
    """A figure by month from January 2025 on, by hand."""
    rows = [
        (date(2025 + at // 12, at % 12 + 1, 1), n if value is not None else 4, value,
         centre, low, high, (signals or {}).get(at))
        for at, value in enumerate(values)
    ]  # fmt: skip
    columns = {"period": pl.Date, "encounters": pl.Int64}
    columns |= dict.fromkeys(("value", "centre", "low", "high"), pl.Float64)
    frame = pl.DataFrame(rows, schema=columns | {"signal": pl.String}, orient="row")
    return clock_charts.control_chart_table(frame, **more)


TEN = {"all": {10: 1, 60: 3, 90: 1, 91: 2, 120: 2, 200: 1}}
SIX = {"a": {60: 50}, "b": {70: 40}, "c": {80: 30}, "d": {90: 20}, "e": {100: 12}, "f": {110: 11}}
FORTY = {f"department {at:02}": {30 + at: 40 - at, 200: 3} for at in range(40)}
HAND = {16: {-1: 3, 0: 2, 4: 1, 5: 7}, 91: {-5: 4, -6: 9, 3: 5}}
QUARTER = ("15 min", 100, 230, 221.0)
CALM = [100, 110, 90, 100]
RUN = [*CALM, *[105] * 8]
#: Tables of each chart, by the name of the case.
CASES = {
    "duration_curves": {
        "sample": lambda: clock_charts.duration_curves_table(
            durations.duration_curve(summary()),
            durations.unit_steps(5000, summary()),
            caption=caption(),
        ),
        "departments": lambda: clock_charts.duration_curves_table(
            durations.duration_curve(summary(), "department"),
            durations.unit_steps(5000, summary()),
            caption=caption(),
        ),
        "ten": lambda: curves(TEN, at_least=1),
        "ten together": lambda: curves(TEN),
        "one encounter": lambda: curves({"all": {95: 1}}, at_least=1),
        "no minute": lambda: curves({"all": {0: 3}}, at_least=1),
        "all the same": lambda: curves({"all": {60: 50}}),
        "long tail": lambda: curves({"all": {60: 97, 70: 1, 500: 2}}, at_least=1),
        "six groups": lambda: curves(SIX),
        "five groups": lambda: curves({name: SIX[name] for name in "abcde"}),
        "a small fifth": lambda: curves({name: SIX[name] for name in "abcd"} | {"e": {100: 5}}),
        "one of two": lambda: curves({"a": {60: 50}, None: {70: 20}}),
        "same medians": lambda: curves({"a": {60: 50}, "b": {60: 30}}),
        "forty groups": lambda: curves(FORTY),
        "all small": lambda: curves({f"{at:02}": {60 + at: 2} for at in range(50)}),
        "hostile": lambda: curves({MARKUP: {60: 50}, LONG_NAME: {70: 20}}, caption=MARKUP),
        "huge": lambda: curves({"all": {60: 10**12, 95: 10**12}}),
        "empty": lambda: curves({}),
        "none": lambda: clock_charts.duration_curves_table(None, STEPS),
    },
    "clock_heaping": {
        "sample": lambda: clock_charts.clock_heaping_table(
            durations.clock_minutes(coded()), caption=caption()
        ),
        "hand": lambda: heaping(start={0: 30, 7: 10}, stop={15: 20, 30: 20, 59: 40}),
        "even": lambda: heaping(**dict.fromkeys(("start", "stop"), dict.fromkeys(range(60), 2))),
        "one time": lambda: heaping(start={7: 1}),
        "stops alone": lambda: heaping(stop={30: 60}),
        "last minute": lambda: heaping(start={59: 60, 0: 5}, stop={59: 60, 1: 5}),
        "huge": lambda: heaping(start={0: 10**12}, stop={3: 10**12}),
        "hostile": lambda: clock_charts.clock_heaping_table(clock(start={0: 9}), caption=MARKUP),
        "empty": lambda: heaping(),
        "none": lambda: clock_charts.clock_heaping_table(None),
    },
    "rounded_units": {
        "sample": lambda: clock_charts.rounded_units_table(
            durations.heaping_effect(summary()), caption=caption()
        ),
        "both ways": lambda: effect(
            QUARTER, ("5 min", 50, 100, 101.0), ("1 min", 40, 80, 80.0)
        ),
        "one way": lambda: effect(
            ("15 min", 100, 200, 208.0), ("5 min", 50, 100, 104.0), ("1 min", 40, 88, 88.0)
        ),
        "one class": lambda: effect(QUARTER, ("5 min", 0, 0, 0.0), ("1 min", 0, 0, 0.0)),
        "to the minute": lambda: effect(("15 min", 0, 0, 0.0), ("1 min", 40, 80, 80.0)),
        "hardly": lambda: effect(("15 min", 20, 40, 39.7), ("5 min", 20, 40, 40.0)),
        "cancel out": lambda: effect(("15 min", 20, 42, 40.0), ("5 min", 20, 38, 40.0)),
        "one encounter": lambda: effect(("15 min", 1, 1, 0.5)),
        "no units": lambda: effect(("15 min", 20, 0, 0.0), ("5 min", 0, 0, 0.0)),
        "huge": lambda: effect(("15 min", 10**12, 2 * 10**12, 1.5e12)),
        "hostile": lambda: effect((MARKUP, 20, 40, 44.0), (None, 20, 40, 30.0)),
        "long": lambda: effect((LONG_NAME, 20, 40, 44.0)),
        "empty": lambda: effect(("15 min", 0, 0, 0.0)),
        "none": lambda: clock_charts.rounded_units_table(None),
    },
    "distance_to_steps": {
        "sample": lambda: clock_charts.distance_to_steps_table(
            durations.step_distances(summary()), caption=caption()
        ),
        "hand": lambda: near(HAND),
        "two minutes": lambda: near(HAND, near_min=2),
        "one encounter": lambda: near({16: {0: 1}}),
        "below alone": lambda: near({91: {-3: 12}}),
        "not near": lambda: near({91: {-9: 12, 11: 12}}),
        "one minute": lambda: near({91: {-1: 12, 0: 13}}, within=1),
        "half an hour": lambda: near({91: {-30: 12, 29: 13}}, within=30),
        "huge": lambda: near({91: {-1: 10**12, 0: 5}}),
        "hostile": lambda: near(HAND, text=MARKUP),
        "empty": lambda: near({91: {}}),
        "none": lambda: clock_charts.distance_to_steps_table(None),
    },
    "control_chart": {
        "sample": lambda: clock_charts.control_chart_table(
            durations.control_limits(summary()), caption=caption()
        ),
        "weeks": lambda: clock_charts.control_chart_table(
            durations.control_limits(summary(), "coded_share", every="week"),
            statistic="coded_share",
            every="week",
            caption=caption(),
        ),
        "calm": lambda: followed(CALM),
        "beyond": lambda: followed([100, 150, 90, 40], signals={1: "beyond", 3: "beyond"}),
        "one beyond": lambda: followed([100, 150, 90], signals={1: "beyond"}),
        "run": lambda: followed(RUN, signals=dict.fromkeys(range(4, 12), "run")),
        "two runs": lambda: followed(
            [*[90] * 8, *[110] * 8], signals=dict.fromkeys(range(16), "run")
        ),
        "many": lambda: followed(
            [150, 40] * 12, signals=dict.fromkeys(range(24), "beyond")
        ),
        "gap": lambda: followed([100, None, 90, 100]),
        "one month": lambda: followed([103.4], centre=103.4, low=None, high=None),
        "no figure": lambda: followed([None, None], centre=None, low=None, high=None),
        "flat": lambda: followed([90] * 5, centre=90.0, low=90.0, high=90.0),
        "zeros": lambda: followed([0, 0], centre=0.0, low=0.0, high=0.0),
        "units": lambda: followed(
            [2, 3], centre=2.5, low=0.0, high=5.16, statistic="mean_units"
        ),
        "shares": lambda: followed(
            [0.8, 1.0], centre=0.9, low=0.368, high=1.0, statistic="coded_share"
        ),
        "huge": lambda: followed([1e12, 2e12], centre=1.5e12, low=0.0, high=4e12),
        "hostile": lambda: followed(CALM, caption=MARKUP),
        "empty": lambda: followed([]),
        "none": lambda: clock_charts.control_chart_table(None),
    },
}  # fmt: skip
PAIRS = [(chart, name) for chart, cases in CASES.items() for name in cases if name != "empty"]


@cache
def table_of(chart, name):
    return CASES[chart][name]()


@cache
def spec_of(chart, name):
    return getattr(module(chart), f"{chart}_spec")(table_of(chart, name))


def spec(chart, table):
    return getattr(module(chart), f"{chart}_spec")(table)


def said(drawn_spec):
    """Title and subtitle, each in one line."""
    return tuple(" ".join(drawn_spec["title"][part]) for part in ("text", "subtitle"))


def drawn(drawn_spec, kind):
    """Rows of one kind, as the chart holds them."""
    return [row for row in drawn_spec["data"]["values"] if row["kind"] == kind]


def as_tuple(cells):
    return cells if isinstance(cells, tuple) else (cells,)


def without(table, column, *places):
    """A table from which counts were taken away, and what stands only with them."""
    cells = next(module(c).CELLS for c in CHARTS if set(module(c)._ROWS) == set(table.columns))
    gone = pl.Series([at in places for at in range(table.height)])
    cells = as_tuple(cells)[0]
    assert column == cells.column
    return table.with_columns(
        pl.when(~gone).then(pl.col(name)).alias(name) for name in (column, *cells.also)
    )


@pytest.mark.parametrize(("chart", "name"), PAIRS)
def test_every_chart_is_drawn_and_says_what_it_shows(chart, name):
    one = spec_of(chart, name)
    title, subtitle = said(one)
    assert title
    assert subtitle
    assert "…" in title or one["description"].startswith(f"{title}. ")
    assert not re.search(r"\de[+-]?\d", one["description"])
    assert not re.search(r"\bnan\b|\bNone\b|-0\b|−0\b", one["description"])
    assert "NaN" not in json.dumps(one)
    assert len(one["data"]["values"]) <= 5_000
    assert charts.picture(one, scale=0.5).startswith(PNG)


@pytest.mark.parametrize("chart", CASES)
def test_the_public_chart_is_the_specification(chart):
    public = getattr(clock_charts, chart)(table_of(chart, "sample")).to_dict()
    one = spec_of(chart, "sample")
    assert list(public["datasets"].values()) == [one["data"]["values"]]
    assert public["title"] == one["title"]
    assert public["description"] == one["description"]


@pytest.mark.parametrize("chart", CASES)
def test_the_table_ends_with_the_caption(chart):
    last = table_of(chart, "sample").row(-1, named=True)
    assert (last["kind"], last["says"]) == ("about", caption())
    assert said(spec_of(chart, "sample"))[1].endswith("rules of 2024 to 2026")


@pytest.mark.parametrize("chart", CASES)
def test_an_empty_table_is_drawn_as_none(chart):
    assert spec_of(chart, "empty") == spec_of(chart, "none")


@pytest.mark.parametrize("chart", CASES)
def test_markup_stays_text(chart):
    one = spec_of(chart, "hostile")
    svg = vlc.vegalite_to_svg(one)
    assert "<script" not in svg
    assert "&lt;script&gt;" in svg
    assert "\x1b" not in one["description"]


def test_nothing_to_draw_says_so():
    assert {chart: said(spec_of(chart, "none"))[0] for chart in CASES} == {
        "duration_curves": "No coded encounter has minutes yet",
        "clock_heaping": "No time is charted yet",
        "rounded_units": "No coded encounter has minutes yet",
        "distance_to_steps": "No encounter ends near a step of units",
        "control_chart": "Nothing to follow over time yet",
    }


@pytest.mark.parametrize(
    ("chart", "name", "says"),
    [
        # 1, 4, 5, 7, 9 and 10 of 10 last at most 10, 60, 90, 91, 120 and 200 min.
        (
            "duration_curves",
            "ten",
            "Half of the infusions last 90 min or less; 50 % reach a second timed unit (91 min)",
        ),
        # Ten are fewer than eleven: one step from 10 to 200 min, in which the 91st lies.
        ("duration_curves", "ten together", "Half of the infusions last 90 min or less"),
        ("duration_curves", "one encounter", "The one infusion lasts 95 min"),
        ("duration_curves", "all the same", "Half of the infusions last 60 min or less"),
        (
            "duration_curves",
            "six groups",
            "Median infusion time of the 4 largest groups runs from 60 min (“a”) to 90 min (“d”)",
        ),
        (
            "duration_curves",
            "five groups",
            "Median infusion time runs from 60 min (“a”) to 100 min (“e”)",
        ),
        (
            "duration_curves",
            "one of two",
            "Median infusion time runs from 60 min (“a”) to 70 min (“not stated”)",
        ),
        ("duration_curves", "same medians", "Median infusion time is 60 min in each of 2 groups"),
        # Two of 60, 61, ... 109 min each: the 50th of 100 lasts 84 min, 38 last 91 or more.
        (
            "duration_curves",
            "all small",
            "Half of the infusions last 84 min or less; 38 % reach a second timed unit (91 min)",
        ),
        # 30 of 40, and 40 of 80.
        (
            "clock_heaping",
            "hand",
            "75 % of starts and 50 % of stops lie on a quarter hour; evenly spread, 7 % would",
        ),
        (
            "clock_heaping",
            "even",
            "7 % of starts and 7 % of stops lie on a quarter hour; evenly spread, 7 % would",
        ),
        (
            "clock_heaping",
            "one time",
            "0 % of starts lie on a quarter hour; evenly spread, 7 % would",
        ),
        (
            "clock_heaping",
            "stops alone",
            "100 % of stops lie on a quarter hour; evenly spread, 7 % would",
        ),
        # 9 - 1 of 402.
        (
            "rounded_units",
            "both ways",
            "Rounding adds about 8 timed units (2 %) in all: +9 on the quarter hour",
        ),
        # 8 + 4 of 400.
        (
            "rounded_units",
            "one way",
            "Rounding loses about 12 timed units (3 %) in all, 8 of them on the quarter hour",
        ),
        # 9 of 221.
        ("rounded_units", "one class", "Rounding adds about 9 timed units (4.1 %) in all"),
        (
            "rounded_units",
            "to the minute",
            "No encounter is charted on full steps of the clock; no unit is won or lost",
        ),
        ("rounded_units", "hardly", "Rounding changes timed units by less than one in all"),
        (
            "rounded_units",
            "cancel out",
            "Rounding changes timed units by less than one in all: +2 on the quarter hour",
        ),
        # Past: 2, 1 and 5; before: 3 and 4. Neither 5 min past nor 6 min before is within 5.
        (
            "distance_to_steps",
            "hand",
            "8 encounters end within 5 min past a step of units, 7 within 5 min before it",
        ),
        (
            "distance_to_steps",
            "two minutes",
            "2 encounters end within 2 min past a step of units, 3 within 2 min before it",
        ),
        (
            "distance_to_steps",
            "one encounter",
            "1 encounter ends within 5 min past a step of units, 0 within 5 min before it",
        ),
        (
            "distance_to_steps",
            "one minute",
            "13 encounters end within 1 min past a step of units, 12 within 1 min before it",
        ),
        (
            "distance_to_steps",
            "not near",
            "0 encounters end within 5 min past a step of units, 0 within 5 min before it",
        ),
        ("control_chart", "calm", "Median infusion time is steady around 100 min"),
        (
            "control_chart",
            "beyond",
            "Median infusion time: 2 of 4 months are out of control: Feb 2025, Apr 2025",
        ),
        (
            "control_chart",
            "one beyond",
            "Median infusion time: 1 of 3 months is out of control: Feb 2025",
        ),
        (
            "control_chart",
            "run",
            "Median infusion time: 8 of 12 months are out of control: May 2025 to Dec 2025",
        ),
        (
            "control_chart",
            "two runs",
            "Median infusion time: 16 of 16 months are out of control: "
            "Jan 2025 to Aug 2025, Sep 2025 to Apr 2026",
        ),
        (
            "control_chart",
            "many",
            "Median infusion time: 24 of 24 months are out of control: "
            "Jan 2025, Feb 2025, Mar 2025 and 21 more",
        ),
        (
            "control_chart",
            "gap",
            "Median infusion time is steady around 100 min in the 3 known months",
        ),
        ("control_chart", "one month", "Median infusion time is 103 min in Jan 2025"),
        ("control_chart", "no figure", "Median infusion time is not known in any month"),
        ("control_chart", "units", "Timed units per coded encounter are steady around 2.50"),
        ("control_chart", "shares", "Share of encounters coded is steady around 90.0 %"),
    ],
)
def test_the_title_is_the_finding(chart, name, says):
    assert said(spec_of(chart, name))[0] == says


@pytest.mark.parametrize(
    ("chart", "name", "says"),
    [
        (
            "duration_curves",
            "ten",
            "all: 10 encounters, median 90 min; reach 90 % 16 min, 50 % 91 min, 10 % 151 min.",
        ),
        ("duration_curves", "six groups", "2 other groups: 23 encounters, median 100 min"),
        ("clock_heaping", "hand", "Starts, n = 40: :00 30 times (75.0 %)"),
        ("clock_heaping", "hand", "most off these :59 40 times (50.0 %)"),
        (
            "rounded_units",
            "both ways",
            "on the quarter hour: 100 encounters, 230 timed units charted, 221 expected, "
            "+9 units (4.1 %)",
        ),
        ("rounded_units", "both ways", "on other minutes: 40 encounters, 80 timed units charted"),
        ("distance_to_steps", "hand", "5 min past a step: 7 encounters"),
        ("distance_to_steps", "hand", "6 min before a step: 9 encounters; 5 min before a step: 4"),
        ("distance_to_steps", "hand", "at a step: 2 encounters"),
        ("control_chart", "beyond", "Feb 2025: 150 min, 20 encounters, beyond a limit"),
        ("control_chart", "gap", "Feb 2025: no figure, 4 encounters"),
        ("control_chart", "shares", "Jan 2025: 80.0 %, 20 encounters"),
    ],
)
def test_the_description_carries_the_numbers(chart, name, says):
    assert says in spec_of(chart, name)["description"]


@pytest.mark.parametrize(
    ("chart", "name", "says"),
    [
        ("duration_curves", "ten", "Dashed: 1, 2, 3 … timed units are earned; circle: median"),
        # 97 % end by 60 and 98 % by 70 min.
        ("duration_curves", "long tail", "circle: median; 2.0 % last longer than 70 min"),
        ("duration_curves", "six groups", "the 4 largest groups, the others together"),
        ("duration_curves", "a small fifth", "the 3 largest groups, the others together"),
        ("duration_curves", "all small", "groups too small to be drawn apart"),
        ("duration_curves", "six groups", "curves in steps of 11 encounters or more"),
        ("clock_heaping", "hand", "Dashed: 1.7 % at each minute if evenly spread"),
        ("clock_heaping", "hand", "above 25 % on quarter hours a file looks rounded"),
        ("clock_heaping", "one time", "only 1 time, fewer than the 50 it takes to judge"),
        ("rounded_units", "both ways", "anywhere within half a step of the clock"),
        ("distance_to_steps", "hand", "invites an audit"),
        ("distance_to_steps", "hand", "never to extend an infusion"),
        # 15, 90 and 30, 105 min.
        ("distance_to_steps", "hand", "whole quarter hours end 1 min before and 14 min past a"),
        ("control_chart", "calm", "Dashed: mean and limits of an XmR chart"),
        ("control_chart", "beyond", "diamond: beyond a limit; a signal says that something"),
        ("control_chart", "run", "triangle: in a run on one side of the mean"),
        ("control_chart", "gap", "1 month without a figure: too few encounters"),
        ("control_chart", "one month", "One month has no limits"),
    ],
)
def test_the_subtitle_qualifies_it(chart, name, says):
    assert says in said(spec_of(chart, name))[1]


def test_the_five_groups_that_are_drawn_are_the_largest():
    def names(name):
        return [row["label"] for row in drawn(spec_of("duration_curves", name), "end")]

    assert names("five groups") == ["a", "b", "c", "d", "e"]
    assert names("six groups") == ["a", "b", "c", "d", "2 other groups"]
    # Five encounters alone could be told from the total: the fourth group keeps them company.
    assert names("a small fifth") == ["a", "b", "c", "2 other groups"]
    assert names("forty groups")[-1] == "36 other groups"
    assert names("all small") == ["all 50 groups"]
    assert names("ten") == []


def test_a_label_at_the_end_of_a_line_says_median_and_n():
    ends = {row["label"]: row["told"] for row in drawn(spec_of("duration_curves", "six groups"),
                                                       "end")}  # fmt: skip
    assert ends["a"] == "60 min, n = 50"
    assert ends["2 other groups"] == "100 min, n = 23"


def test_a_curve_is_drawn_as_it_was_counted():
    points = [(row["x"], row["y"]) for row in drawn(spec_of("duration_curves", "ten"), "curve")]
    expected = [(0, 0), (10, 0.1), (60, 0.4), (90, 0.5), (91, 0.7), (120, 0.9), (200, 1), (200, 1)]
    assert points == [(x, pytest.approx(y)) for x, y in expected]
    assert [row["x"] for row in drawn(spec_of("duration_curves", "ten"), "step")] == [16, 91, 151]


def test_labels_at_the_ends_never_meet():
    for name in ("departments", "six groups", "forty groups", "same medians"):
        one = spec_of("duration_curves", name)
        at = [row["y"] for row in drawn(one, "end")]
        assert all(a - b > 34 * 1.12 / 300 for a, b in pairwise(at))
        assert 0 < at[-1]
        assert at[0] <= 1.12


def test_names_of_lines_are_led_to_by_thin_lines_of_one_grey():
    one = spec_of("duration_curves", "six groups")
    ((mark, encoding, _),) = [each for each in layers_of(one) if "'leader'" in each[2]]
    assert mark["strokeWidth"] <= 1
    assert mark["stroke"] == QUIET
    assert not {"stroke", "strokeDash", "color"} & set(json.loads(encoding))


@pytest.mark.parametrize("name", ["ten", "six groups", "hostile"])
def test_the_title_of_the_axis_stands_below_the_middle_of_the_curves(name):
    one = spec_of("duration_curves", name)
    x = one["encoding"]["x"]
    end = max(row["x"] for row in drawn(one, "curve"))
    width = 395 * end / x["scale"]["domain"][1]
    assert x["axis"]["titleX"] == pytest.approx(width / 2)


def test_the_title_is_of_the_groups_that_are_drawn_apart():
    alike = curves({name: {60: n} for name, n in zip("abcdef", range(50, 20, -5), strict=True)})
    title = said(spec("duration_curves", alike))[0]
    assert title == "Median infusion time is 60 min in each of the 4 largest groups"
    hidden = curves(SIX).with_columns(median_min=pl.when(pl.col("group") != "d").then("median_min"))
    title = said(spec("duration_curves", hidden))[0]
    assert title.startswith("Median infusion time of 3 of the 4 largest groups runs from 60 min")


def level_of(points, minutes):
    """What a drawn curve says at so many minutes: the last point up to there."""
    return points[bisect_right([x for x, _ in points], minutes) - 1][1]


@pytest.mark.parametrize("seed", range(4))
def test_a_thinned_curve_looks_like_the_whole_one(seed):
    rng = random.Random(seed)
    counts = {m: rng.choice([1, 1, 2, 3, 900 * (m % 15 == 0) + 1]) for m in
              rng.sample(range(1, 5000), 3000)}  # fmt: skip
    n, table = sum(counts.values()), curves({"all": counts}, at_least=1)
    points = [(row["x"], row["y"]) for row in
              drawn(spec("duration_curves", table), "curve")]  # fmt: skip
    assert len(points) <= 520
    so_far = 0
    for minutes in sorted(counts):
        so_far += counts[minutes]
        if minutes <= points[-1][0]:
            assert level_of(points, minutes) == pytest.approx(so_far / n, abs=1 / 500)


@pytest.mark.parametrize("seed", range(8))
def test_each_step_of_a_curve_stands_for_enough_encounters(seed):
    rng = random.Random(seed)
    counts = {rng.randrange(700): rng.choice([1, 2, 5, 30]) for _ in range(rng.randrange(2, 400))}
    least, ends = rng.choice([2, 11, 50]), sorted(rng.sample(range(700), 8))
    rows = pl.DataFrame({"minutes": sorted(counts)})
    rows = rows.with_columns(encounters=pl.Series([counts[m] for m in rows["minutes"]]))
    steps = thinned_curves.thinned(rows, ends, at_least=least)
    assert sum(step["encounters"] for step in steps) == sum(counts.values())
    for step in steps:
        own = {m: n for m, n in counts.items() if step["from_min"] <= m <= step["to_min"]}
        assert step["encounters"] == sum(own.values())
        assert {step["from_min"], step["minutes"], step["to_min"]} <= set(own)
        below = sum(n for m, n in own.items() if m < step["minutes"])
        assert 2 * below <= step["encounters"]
    assert all(a["to_min"] < b["from_min"] for a, b in pairwise(steps))
    if sum(counts.values()) >= least:
        assert min(step["encounters"] for step in steps) >= least


def test_a_step_ends_where_it_is_asked_to_if_both_sides_have_enough():
    rows = pl.DataFrame({"minutes": [60, 90, 91, 95], "encounters": [11, 3, 3, 11]})

    def ends(*at, least):
        steps = thinned_curves.thinned(rows, at, at_least=least)
        return [(step["from_min"], step["to_min"], step["encounters"]) for step in steps]

    assert ends(90, least=11) == [(60, 90, 14), (91, 95, 14)]
    assert ends(60, 91, least=11) == [(60, 60, 11), (90, 95, 17)]
    assert ends(90, least=15) == [(60, 95, 28)]
    assert ends(least=1) == [(60, 60, 11), (90, 90, 3), (91, 91, 3), (95, 95, 11)]


def test_curves_of_many_minutes_and_groups_stay_small():
    groups = pl.DataFrame({"group": [f"g{at:02}" for at in range(40)]})
    minutes = pl.DataFrame({"minutes": range(20_000)})
    every = groups.join(minutes, how="cross").with_columns(
        at_most=pl.col("minutes") + 1, share=(pl.col("minutes") + 1) / 20_000
    )
    table = clock_charts.duration_curves_table(every, durations.unit_steps(20_000))
    one = spec("duration_curves", table)
    assert table.height <= 5_000
    assert len(one["data"]["values"]) <= 5_000
    assert charts.picture(one, scale=0.5).startswith(PNG)


@pytest.mark.parametrize("name", ["sample", "departments", "six groups", "forty groups"])
def test_curves_can_be_published_as_they_are(name):
    table = table_of("duration_curves", name)
    assert withhold_small_cells(table, module("duration_curves").CELLS).equals(table)


@pytest.mark.parametrize(("chart", "name"), [pair for pair in PAIRS if pair[1] != "none"])
def test_small_counts_can_be_withheld_from_every_table(chart, name):
    cells = module(chart).CELLS
    table = table_of(chart, name)
    hidden = withhold_small_cells(table, cells)
    one = spec(chart, hidden)
    columns = [each.column for each in as_tuple(cells)]
    lost = sum(hidden[name].null_count() - table[name].null_count() for name in columns)
    assert ("withheld" in one["description"]) == (lost > 0)
    assert bool(drawn(one, "withheld")) == (lost > 0)
    assert ("or withheld with them" in said(one)[1]) == (lost > 0)
    assert not lost or charts.picture(one, scale=0.5).startswith(PNG)


@pytest.mark.parametrize("chart", CHARTS)
def test_a_table_without_any_count_is_drawn(chart):
    cells, table = module(chart).CELLS, table_of(chart, "sample")
    gone = {name for each in as_tuple(cells) for name in (each.column, *each.also)}
    nothing = table.with_columns(pl.lit(None, table.schema[name]).alias(name) for name in gone)
    one = spec(chart, nothing)
    assert "withheld" in said(one)[0]
    assert not re.search(r"\d", said(one)[0].replace("5 min", ""))
    assert charts.picture(one, scale=0.5).startswith(PNG)


def test_a_curve_without_some_counts_is_drawn_from_both_ends():
    table = without(table_of("duration_curves", "ten"), "encounters", 2, 3)
    one = spec("duration_curves", table)
    pieces = {}
    for row in drawn(one, "curve"):
        pieces.setdefault(row["piece"], []).append((row["x"], pytest.approx(row["y"])))
    # 10 and 60 min are known from below, 120 and 200 min from above; 90 and 91 min are gone.
    assert list(pieces.values()) == [
        [(0, 0), (10, 0.1), (60, 0.4), (90, 0.4)],
        [(91, 0.7), (120, 0.9), (200, 1.0), (200, 1.0)],
    ]
    assert said(one)[0] == "Half of the infusions last 90 min or less"
    assert "reach 90 % 16 min, 10 % 151 min" in one["description"]
    assert "all: withheld" in one["description"]


def test_quarters_without_a_count_are_not_in_the_title():
    table = table_of("clock_heaping", "hand")
    first = without(table, "times", 0)
    assert said(spec("clock_heaping", first))[0] == (
        "50 % of stops lie on a quarter hour; evenly spread, 7 % would"
    )
    both = without(table, "times", 0, 75)
    assert said(spec("clock_heaping", both))[0] == (
        "How many times lie on a quarter hour is withheld"
    )
    off = without(table, "times", 7)
    assert said(spec("clock_heaping", off))[0].startswith("75 % of starts and 50 % of stops")
    assert "Starts:" in spec("clock_heaping", off)["description"]


def test_units_without_a_count_are_not_in_the_title():
    table = table_of("rounded_units", "both ways")
    assert said(spec("rounded_units", without(table, "encounters", 1)))[0] == (
        "Rounding on the quarter hour adds about 9 timed units (4.1 %)"
    )
    both = without(table, "encounters", 0, 1)
    assert said(spec("rounded_units", both))[0] == "What rounding does to units is withheld"
    assert said(spec("rounded_units", both))[1].endswith(NOTE)


def test_sides_of_a_step_without_a_count_are_not_in_the_title():
    table = table_of("distance_to_steps", "hand")
    past, before, far = 15 + 3, 15 - 1, 15 + 5
    assert said(spec("distance_to_steps", without(table, "encounters", past)))[0] == (
        "7 encounters end within 5 min before a step of units"
    )
    assert said(spec("distance_to_steps", without(table, "encounters", before)))[0] == (
        "8 encounters end within 5 min past a step of units"
    )
    assert said(spec("distance_to_steps", without(table, "encounters", past, before)))[0] == (
        "How many encounters end within 5 min of a step of units is withheld"
    )
    assert said(spec("distance_to_steps", without(table, "encounters", far)))[0].startswith(
        "8 encounters end"
    )


def test_a_month_without_a_count_is_a_gap_with_a_star():
    one = spec("control_chart", without(table_of("control_chart", "beyond"), "encounters", 1))
    assert said(one)[0] == "Median infusion time: 1 of 3 months is out of control: Apr 2025"
    line = [row["y"] for row in drawn(one, "value")]
    assert line == [100, None, 90, 40]
    assert [row["tip"] for row in drawn(one, "withheld")] == ["Feb 2025: withheld"]
    none = spec(
        "control_chart", without(table_of("control_chart", "calm"), "encounters", *range(4))
    )
    assert said(none)[0] == "Median infusion time is withheld in every month"


def test_columns_of_the_clock_stand_on_their_side():
    one = spec_of("clock_heaping", "hand")
    starts = [*drawn(one, "start quarter"), *drawn(one, "start other")]
    stops = [*drawn(one, "stop quarter"), *drawn(one, "stop other")]
    assert {row["tip"]: row["y2"] for row in starts} == {
        "starts at :00 30 times (75.0 %)": 0.75,
        "starts at :07 10 times (25.0 %)": 0.25,
    }
    assert [row["y2"] for row in stops] == [-0.25, -0.25, -0.5]
    assert [row["label"] for row in drawn(one, "label")] == ["75.0 %", ":59 50.0 %", "25.0 %",
                                                             "25.0 %"]  # fmt: skip
    assert [row["y"] for row in drawn(one, "even")] == [1 / 60, -1 / 60]
    assert [row["label"] for row in drawn(one, "name")] == ["Starts, n = 40", "Stops, n = 80"]


def test_paired_marks_show_the_difference():
    one = spec_of("rounded_units", "both ways")
    assert [row["x"] for row in drawn(one, "charted")] == [
        pytest.approx(9 / 221),
        pytest.approx(-1 / 101),
        0,
    ]
    assert [row["x"] for row in drawn(one, "expected")] == [0, 0, 0]
    labels = [row["label"] for row in drawn(one, "label")]
    assert labels == ["+9 units (4.1 %)", "−1 units (0.99 %)", "±0 units"]
    assert [row["label"] for row in drawn(one, "name")] == [
        "On the quarter hour · 100 encounters",
        "On full five minutes · 50 encounters",
        "On other minutes · 40 encounters",
    ]


def test_steps_are_pooled_and_the_sides_labelled():
    table = table_of("distance_to_steps", "hand")
    counts = dict(table.filter(kind="distance").select("distance_min", "encounters").rows())
    assert {at: n for at, n in counts.items() if n} == {-6: 9, -5: 4, -1: 3, 0: 2, 3: 5, 4: 1, 5: 7}
    assert len(counts) == 30
    one = spec_of("distance_to_steps", "hand")
    assert [row["label"] for row in drawn(one, "words")] == ["7 within 5 min before",
                                                             "8 within 5 min past"]  # fmt: skip
    assert {row["x2"] for row in drawn(one, "below")} == {-5.12, -4.12, -0.12}
    assert all(row["x"] >= 0 for row in drawn(one, "past"))


def test_signals_have_a_shape_and_a_label():
    beyond, run = spec_of("control_chart", "beyond"), spec_of("control_chart", "run")
    assert [row["y"] for row in drawn(beyond, "beyond")] == [150, 40]
    assert [row["label"] for row in drawn(beyond, "label")] == ["Apr 2025", "Feb 2025"]
    assert len(drawn(run, "run")) == 8
    assert [row["label"] for row in drawn(run, "label")] == ["May 2025 to Dec 2025"]
    ends = [(row["label"], row["level"]) for row in drawn(beyond, "end")]
    assert ends == [("upper limit", "140 min"), ("mean", "100 min"), ("lower limit", "60 min")]
    assert [row["label"] for row in drawn(spec_of("control_chart", "flat"), "end")] == ["mean"]


def test_the_axis_of_a_control_chart_has_the_unit_of_its_figure():
    titles = [
        spec_of("control_chart", name)["encoding"]["y"]["axis"]["title"]
        for name in ("calm", "units", "shares")
    ]
    assert titles == [
        "Median infusion time [min]",
        "Timed units [1 per encounter]",
        "Share of encounters coded [%]",
    ]


def layers_of(one):
    return [
        (layer["mark"], json.dumps(layer.get("encoding", {})), json.dumps(layer["transform"]))
        for layer in one["layer"]
    ]


@pytest.mark.parametrize("chart", CHARTS)
def test_texts_are_dark_enough_to_read(chart):
    marks = [mark for mark, *_ in layers_of(spec_of(chart, "sample")) if mark["type"] == "text"]
    assert marks
    assert {mark.get("color", INK) for mark in marks} <= {INK, QUIET}


def test_no_difference_is_in_the_colour_alone():
    def looks(chart, *kinds):
        found = [mark for mark, _, test in layers_of(spec_of(chart, "sample"))
                 if any(f"'{kind}'" in test for kind in kinds)]  # fmt: skip
        return [mark for mark in found if mark["type"] in ("point", "rect", "rule")]

    curve = next(layer for layer in spec_of("duration_curves", "departments")["layer"]
                 if "'curve'" in json.dumps(layer["transform"]))  # fmt: skip
    dashes = [tuple(dash) for dash in curve["encoding"]["strokeDash"]["scale"]["range"]]
    assert len(set(dashes)) == 5
    assert len({mark["shape"] for mark in looks("rounded_units", "expected", "charted")}) == 2
    points = looks("control_chart", "plain", "beyond", "run")
    assert len({mark["shape"] for mark in points}) == 3
    rules = looks("control_chart", "mean", "limit")
    assert len({tuple(mark["strokeDash"]) for mark in rules}) == 2
    below, past = looks("distance_to_steps", "below", "past")
    assert (below["fill"], past["fill"]) == ("#ffffff", past["stroke"])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"statistic": "mode"},
            "'statistic' is one of median_min, mean_units, coded_share, not 'mode'.",
        ),
        ({"every": "day"}, "'every' is one of month, week, not 'day'."),
    ],
)
def test_a_control_chart_of_nothing_known_is_refused(given, says):
    with pytest.raises(InputError, match=re.escape(says)):
        followed(CALM, **given)


def test_quarter_hours_are_told_where_they_lie_alike_at_every_step():
    assert "quarter hours" in said(spec("distance_to_steps", near({16: {-1: 3}, 91: {0: 2}})))[1]
    assert (
        "quarter hours" not in said(spec("distance_to_steps", near({16: {-1: 3}, 95: {0: 2}})))[1]
    )


def coded_shares(*months):
    """Published months of (encounters, coded) each."""
    values = [coded / n for n, coded in months]
    mean = sum(values) / len(values)
    frame = pl.DataFrame(
        {
            "period": [date(2025, at + 1, 1) for at in range(len(months))],
            "encounters": [n for n, _ in months], "value": values, "centre": mean, "low": 0.1,
            "high": 1.0, "signal": None,
        },
        schema_overrides={"signal": pl.String},
    )  # fmt: skip
    table = clock_charts.control_chart_table(frame, statistic="coded_share")
    return withhold_small_cells(table, module("control_chart").CELLS)


@pytest.mark.parametrize(
    ("coded", "hidden"),
    [(195, True), (190, True), (189, False), (200, False), (10, True), (11, False), (0, False)],
)
def test_a_share_of_all_but_a_few_is_withheld(coded, hidden):
    # Beside 5 of 200 that are not coded goes the month with the next fewest: 30.
    own = coded_shares((200, 150), (200, coded), (200, 170), (200, 140)).filter(kind="period")
    lost = [False, hidden, hidden, False]
    for name in ("encounters", "value", "fewest"):
        assert own[name].is_null().to_list() == lost
    assert len(drawn(spec("control_chart", own), "withheld")) == 2 * hidden


def test_limits_of_a_share_do_not_tell_the_withheld_ones():
    own = coded_shares((200, 195), (199, 150), (197, 160))
    # (0.975 + 0.753769 + 0.812183) / 3 = 0.846984
    assert own["centre"].drop_nulls().unique().to_list() == [0.847]


def test_each_side_of_a_step_hides_its_own_small_counts():
    # 5 to 1 min before: 3 and 40, 41, 42, 43; farther away on that side 20 each.
    before = {-5: 40, -4: 3, -3: 41, -2: 42, -1: 43} | dict.fromkeys(range(-15, -5), 20)
    past = dict.fromkeys(range(15), 12)
    table = near({91: before | past})
    kept = withhold_small_cells(table, module("distance_to_steps").CELLS)
    gone = kept.filter(pl.col("encounters").is_null(), kind="distance")["distance_min"].to_list()
    assert gone == [-5, -4]
    sides = dict(table.filter(kind="distance")["distance_min", "side"].rows())
    assert [sides[at] for at in (-15, -6, -5, -1, 0, 4, 5, 14)] == [
        "far before", "far before", "near before", "near before",
        "near past", "near past", "far past", "far past",
    ]  # fmt: skip
