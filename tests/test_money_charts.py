"""Charts of money: drawn from good and awkward data, and saying what hand counts say."""

import re
from dataclasses import replace
from datetime import date
from functools import cache
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

import subq_toolkit as sq
from subq_toolkit import scenarios
from subq_toolkit.fees import Outpatient, Physician, bundled_tables, ranked_localities
from subq_toolkit.scenarios import MinuteSummary, Scenario, Simulation

charts = pytest.importorskip("subq_toolkit.charts", reason="the notebook extra is not installed")
vlc = pytest.importorskip("vl_convert")

from subq_toolkit.charts import money_charts, money_words, term_words  # noqa: E402

PNG = b"\x89PNG\r\n\x1a\n"
MARKUP = "<script>alert('x')</script> & \"quotes\" \\ {{datum}} \x00\x1b\u202e"
LONG_NAME = "左大腿の長い名前 " * 6
HUGE, DAY = 1e12, date(2026, 3, 2)
BASE = Scenario("as charted", on=DAY)
HALF = replace(BASE, name="half denied", denial_rate=0.5)
HOME = replace(BASE, name="at home", setting="home")
COSTS = {"chair_usd_per_h": 10, "nurse_usd_per_h": 20, "setup_usd": 12}


def ten_of(minutes, *, encounters=10):
    """Encounters in an office without a further set-up, all of the same length."""
    counts = {"period": [date(2026, 1, 1)], "minutes": [minutes], "setup": [False]}
    counts |= {"outcome": ["coded"], "place": ["office"], "encounters": [encounters]}
    return MinuteSummary(pl.DataFrame(counts))


@cache
def sample():
    return scenarios.minute_summary(sq.code_administrations(sq.sample_administrations()))


#: 95 min: 96369 at 144.96 and one 96370 at 17.03 USD: 161.99 each.
TEN, ONE = ten_of(95), ten_of(95, encounters=1)


def compared(*given, summary=TEN):
    return scenarios.compare(summary, given)


def bridged(start, end, summary=TEN):
    return scenarios.bridge(summary, start, end)


def steps(*rows):
    """A bridge by hand: names, changes and totals."""
    schema = {"step": pl.String, "change_usd": pl.Float64, "total_usd": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def moved(*rows):
    """A tornado by hand."""
    schema = ["term", "low", "high", "low_usd", "high_usd", "base_usd"]
    return pl.DataFrame(rows, schema=schema, orient="row")


def places(*rates, name="Ohio"):
    """Localities by hand, the first being ours."""
    n = len(rates)
    given = {"rank": range(1, n + 1), "locality": [f"15202-{at:02}" for at in range(n)]}
    given |= {"state": ["OH"] * n, "name": [name] * n, "rate_usd": rates}
    return pl.DataFrame(given | {"standing": ["verified"] * n})


def market(*rows):
    schema = ["code", "p10", "p25", "median", "p75", "p90", "hospitals", "amount_usd"]
    types = dict.fromkeys(schema, pl.Float64) | {"code": pl.String, "hospitals": pl.Int64}
    return pl.DataFrame(rows, schema=types, orient="row")


def near(*rows):
    return pl.DataFrame(rows, schema=["step_min", "below", "above"], orient="row")


def broken_even(summary=TEN, **more):
    costs = COSTS | {"fixed_usd": 1000} | more
    found = scenarios.break_even(summary, BASE, **costs)
    return charts.break_even_volume_table(found, caption="ten encounters", **costs)


def ranked(frame, code="96369", **more):
    return charts.localities_ranked_table(frame, code=code, on=DAY, ours="15202-00", **more)


def listed(frame, kind="gross", state="US"):
    return charts.market_strip_table(frame, kind=kind, state=state, on=date(2026, 1, 28))


NAMED = replace(HALF, name=MARKUP), replace(HALF, name=LONG_NAME)
STRIP = (183.22, 329.02, 540.86, 848.0, 1360.0, 1541)
#: Tables of each chart, by the name of the case.
CASES = {
    "scenario_totals": {
        "sample": lambda: charts.scenario_totals_table(
            compared(BASE, replace(BASE, name="office", setting="office"), summary=sample()),
            caption=charts.terms_caption(sample(), BASE),
        ),
        "two": lambda: charts.scenario_totals_table(compared(BASE, HALF)),
        "one": lambda: charts.scenario_totals_table(compared(BASE)),
        "same": lambda: charts.scenario_totals_table(compared(BASE, replace(BASE, name="same"))),
        "four": lambda: charts.scenario_totals_table(compared(BASE, HOME, *NAMED)),
        "no price": lambda: charts.scenario_totals_table(compared(HOME)),
        "no price first": lambda: charts.scenario_totals_table(compared(HOME, BASE)),
        "one encounter": lambda: charts.scenario_totals_table(compared(BASE, HALF, summary=ONE)),
        "negative": lambda: charts.scenario_totals_table(
            compared(BASE, HALF).with_columns(-pl.col("expected_usd", "difference_usd"))
        ),
        "mixed": lambda: charts.scenario_totals_table(
            compared(BASE, HALF).with_columns(
                expected_usd=pl.when(code="96370").then(-500.0).otherwise("expected_usd")
            )
        ),
        "huge": lambda: charts.scenario_totals_table(
            compared(BASE, HALF).with_columns(pl.col("expected_usd").cast(pl.Float64) * HUGE)
        ),
        "empty": lambda: charts.scenario_totals_table(compared(BASE).clear()),
        "none": lambda: charts.scenario_totals_table(None),
    },
    "payment_bridge": {
        "sample": lambda: charts.payment_bridge_table(
            bridged(BASE, replace(HALF, recovered_share=0.5, shift_min=2.0), sample()),
            units_without_price=2162,
            caption=charts.terms_caption(sample(), BASE),
        ),
        "one step": lambda: charts.payment_bridge_table(bridged(BASE, HALF)),
        "same": lambda: charts.payment_bridge_table(bridged(BASE, replace(BASE, name="same"))),
        "no price": lambda: charts.payment_bridge_table(
            steps(("at home", None, 0.0), ("denial_rate", 0.0, 0.0), ("b", None, 0.0)),
            units_without_price=20,
        ),
        "small steps": lambda: charts.payment_bridge_table(
            steps(("a", None, 1000.0), ("denial_rate", -20.0, 980.0), ("b", None, 980.0))
        ),
        "cancel out": lambda: charts.payment_bridge_table(
            steps(("a", None, 9.0), ("on", 1.0, 10.0), ("setting", -1.0, 9.0), ("b", None, 9.0))
        ),
        "negative": lambda: charts.payment_bridge_table(
            steps(("a", None, -1000.0), ("denial_rate", 20.0, -980.0), ("b", None, -980.0))
        ),
        "through zero": lambda: charts.payment_bridge_table(
            steps(("a", None, -9.0), ("on", 19.0, 10.0), ("home", -30.0, -20.0), ("b", None, -20.0))
        ),
        "hostile": lambda: charts.payment_bridge_table(bridged(replace(BASE, name=MARKUP), HALF)),
        "long": lambda: charts.payment_bridge_table(bridged(BASE, replace(HALF, name=LONG_NAME))),
        "huge": lambda: charts.payment_bridge_table(
            steps(("a", None, HUGE), ("on", HUGE, 2 * HUGE), ("b", None, 2 * HUGE))
        ),
        "empty": lambda: charts.payment_bridge_table(steps()),
        "none": lambda: charts.payment_bridge_table(None),
    },
    "tornado": {
        "sample": lambda: charts.tornado_table(
            scenarios.tornado(
                sample(),
                replace(BASE, denial_rate=0.06),
                {
                    "denial_rate": (0.02, 0.1),
                    "hospital": (Outpatient(wage_index=0.85), Outpatient(wage_index=1.2)),
                    "office": (Physician(locality="15202-00", place="office"), Physician()),
                    "setting": ("hospital", "office"),
                    "on": (date(2025, 3, 2), None),
                    "shift_min": (-3.0, 3.0),
                },
            ),
            units_without_price=2162,
            caption=charts.terms_caption(sample(), BASE),
        ),
        "one term": lambda: charts.tornado_table(
            scenarios.tornado(TEN, BASE, {"denial_rate": (0.0, 1.0)})
        ),
        "equal ends": lambda: charts.tornado_table(
            scenarios.tornado(TEN, BASE, {"denial_rate": (0.1, 0.1), "stretch": (1.0, 1.0)})
        ),
        "one equal": lambda: charts.tornado_table(
            moved(("on", "a", "b", 1.0, 3.0, 2.0), ("home", "x", "y", 5.0, 5.0, 2.0))
        ),
        "one side": lambda: charts.tornado_table(moved(("on", "a", "b", 110.0, 120.0, 100.0))),
        "negative": lambda: charts.tornado_table(moved(("on", "a", "b", -20.0, -10.0, -15.0))),
        "no price": lambda: charts.tornado_table(
            moved(("denial_rate", "0.0", "1.0", 0.0, 0.0, 0.0)), units_without_price=20
        ),
        "hostile": lambda: charts.tornado_table(moved((MARKUP, MARKUP, LONG_NAME, 1.0, 3.0, 2.0))),
        "huge": lambda: charts.tornado_table(moved(("on", "a", "b", HUGE, 3 * HUGE, 2 * HUGE))),
        "empty": lambda: charts.tornado_table(scenarios.tornado(TEN, BASE, {})),
        "none": lambda: charts.tornado_table(None),
    },
    "payment_distribution": {
        "sample": lambda: charts.payment_distribution_table(
            scenarios.simulate(sample(), BASE, seed=7, draws=500, denials_seen=(6, 100)),
            units_without_price=2162,
            caption=charts.terms_caption(sample(), BASE),
        ),
        "all the same": lambda: charts.payment_distribution_table(
            scenarios.simulate(TEN, BASE, seed=1, draws=50)
        ),
        "one encounter": lambda: charts.payment_distribution_table(
            scenarios.simulate(ONE, BASE, seed=1, draws=50)
        ),
        "one draw": lambda: charts.payment_distribution_table(
            Simulation(np.array([105.0]), 100.0, 20, 1)
        ),
        "no price": lambda: charts.payment_distribution_table(
            Simulation(np.zeros(50), 0.0, 10, 1), units_without_price=20
        ),
        "negative": lambda: charts.payment_distribution_table(
            Simulation(np.linspace(-300.0, -100.0, 201), -200.0, 20, 1)
        ),
        "huge": lambda: charts.payment_distribution_table(
            Simulation(np.random.default_rng(1).exponential(HUGE, 300), HUGE, 20, 2**70)
        ),
        "hostile": lambda: charts.payment_distribution_table(
            scenarios.simulate(TEN, HALF, seed=1, draws=50), caption=MARKUP
        ),
        "none": lambda: charts.payment_distribution_table(None),
    },
    "localities_ranked": {
        "a year with all": lambda: ranked(ranked_localities("96369", date(2025, 3, 2))),
        "a year with few": lambda: ranked(ranked_localities("96369", DAY)),
        "five": lambda: ranked(places(110.0, 150.0, 100.0, 120.0, 130.0)),
        "one": lambda: ranked(places(110.0)),
        "zero and negative": lambda: ranked(places(0.0, -5.0, 0.0)),
        "without amounts": lambda: ranked(places(None, None).cast({"rate_usd": pl.Float64})),
        "hostile": lambda: ranked(places(1.0, 2.0, 3.0, name=MARKUP), MARKUP, schedule=MARKUP),
        "long": lambda: ranked(places(3.0, 2.0, 1.0, name=LONG_NAME), LONG_NAME),
        "huge": lambda: ranked(places(HUGE, 2 * HUGE, 3 * HUGE)),
        "empty": lambda: ranked(places()),
        "none": lambda: ranked(None),
    },
    "rates_over_years": {
        "all years": charts.rates_over_years_table,
        "before the figures": lambda: charts.rates_over_years_table(years=(2018, 2020)),
        "one year": lambda: charts.rates_over_years_table(years=(2026, 2026)),
        "no price": lambda: charts.rates_over_years_table(
            bundled_tables()
            .replaced("relative_values", bundled_tables()["relative_values"].clear())
            .replaced("opps_rates", bundled_tables()["opps_rates"].clear())
        ),
        "hostile": lambda: charts.rates_over_years_table().with_columns(code=pl.lit(MARKUP)),
        "huge": lambda: charts.rates_over_years_table().with_columns(pl.col("rate_usd") * HUGE),
        "none": lambda: charts.rates_over_years_table().clear(),
    },
    "market_strip": {
        "ours": lambda: listed(market(("96369", *STRIP, 612.0), ("96370", *STRIP, 1500.0))),
        "one": lambda: listed(market(("96369", *STRIP, 612.0))),
        "far apart": lambda: listed(market(("96369", *STRIP, 20.0))),
        "nothing of ours": lambda: listed(market(("96369", *STRIP, None))),
        "no price": lambda: listed(market(("96369", *(None,) * 7))),
        "zero and negative": lambda: listed(market(("a", -5, -1, 0, 0, 0, 11, -9.0))),
        "all equal": lambda: listed(market(("a", *(3.0,) * 5, 1, 3.0))),
        "hostile": lambda: listed(market((MARKUP, *STRIP, 612.0)), MARKUP, MARKUP),
        "long": lambda: listed(market((LONG_NAME, *STRIP, 612.0)), LONG_NAME, LONG_NAME),
        "huge": lambda: listed(market(("96369", *STRIP, HUGE), ("96370", *STRIP, -3.0))),
        "empty": lambda: listed(market()),
        "none": lambda: listed(None),
    },
    "break_even_volume": {
        "sample": lambda: broken_even(sample()),
        "ten": broken_even,
        "one encounter": lambda: broken_even(ONE),
        "far above": lambda: broken_even(fixed_usd=10),
        "no volume": lambda: broken_even(nurse_usd_per_h=200),
        "no fixed cost": lambda: broken_even(fixed_usd=0),
        "nothing at all": lambda: charts.break_even_volume_table(
            scenarios.break_even(TEN, BASE, **COSTS, fixed_usd=0).with_columns(margin_usd=0.0),
            **COSTS,
            fixed_usd=0,
        ),
        "no price": lambda: charts.break_even_volume_table(
            scenarios.break_even(TEN, BASE, **COSTS, fixed_usd=9).with_columns(
                payment_usd=pl.lit(0.0),
                margin_usd=-pl.col("cost_usd"),
                break_even_encounters=pl.lit(None, pl.Int64),
            ),
            **COSTS,
            fixed_usd=9,
            units_without_price=20,
        ),
        "no margin": lambda: charts.break_even_volume_table(
            scenarios.break_even(TEN, BASE, **COSTS, fixed_usd=9).with_columns(
                margin_usd=0.0, break_even_encounters=9000
            ),
            **COSTS,
            fixed_usd=9,
        ),
        "huge": lambda: broken_even(fixed_usd=HUGE),
        "hostile": lambda: broken_even().with_columns(
            says=pl.when(kind="about").then(pl.lit(MARKUP)).otherwise("says")
        ),
        "empty": lambda: broken_even().clear(),
        "none": lambda: charts.break_even_volume_table(None, **COSTS, fixed_usd=1),
    },
    "charting_error_curve": {
        "sample": lambda: charts.charting_error_curve_table(
            scenarios.charting_error(sample(), BASE), units_without_price=2162
        ),
        "ten": lambda: charts.charting_error_curve_table(scenarios.charting_error(TEN, BASE)),
        "three minutes": lambda: charts.charting_error_curve_table(
            scenarios.charting_error(TEN, BASE, within_min=3)
        ),
        "an hour": lambda: charts.charting_error_curve_table(
            scenarios.charting_error(TEN, BASE, within_min=60)
        ),
        "no price": lambda: charts.charting_error_curve_table(
            scenarios.charting_error(TEN, HOME), units_without_price=20
        ),
        "only gains": lambda: charts.charting_error_curve_table(
            scenarios.charting_error(TEN, BASE).with_columns(
                difference_usd=pl.col("error_min").abs() * 5.0
            )
        ),
        "only none": lambda: charts.charting_error_curve_table(
            scenarios.charting_error(TEN, BASE).filter(error_min=0)
        ),
        "huge": lambda: charts.charting_error_curve_table(
            scenarios.charting_error(TEN, BASE).with_columns(
                difference_usd=pl.col("error_min") * HUGE, expected_usd=pl.lit(HUGE)
            )
        ),
        "hostile": lambda: charts.charting_error_curve_table(
            scenarios.charting_error(TEN, BASE), caption=MARKUP + LONG_NAME
        ),
        "empty": lambda: charts.charting_error_curve_table(
            scenarios.charting_error(TEN, BASE).clear()
        ),
        "none": lambda: charts.charting_error_curve_table(None),
    },
    "steps_nearly_reached": {
        "sample": lambda: charts.steps_nearly_reached_table(scenarios.near_steps(sample())),
        "one encounter": lambda: charts.steps_nearly_reached_table(scenarios.near_steps(ONE)),
        "one below": lambda: charts.steps_nearly_reached_table(near((16, 0, 1), (91, 1, 0))),
        "huge": lambda: charts.steps_nearly_reached_table(near((16, 10**12, 5), (91, 3, 10**11))),
        "hostile": lambda: charts.steps_nearly_reached_table(near((16, 3, 5)), caption=MARKUP),
        "empty": lambda: charts.steps_nearly_reached_table(scenarios.near_steps(ten_of(60))),
        "none": lambda: charts.steps_nearly_reached_table(None),
    },
}
PAIRS = [
    (chart, name)
    for chart, cases in CASES.items()
    for name in cases
    if name not in ("empty", "hostile")
]


@cache
def spec_of(chart, name):
    return getattr(money_charts, f"{chart}_spec")(CASES[chart][name]())


def said(spec):
    """Title and subtitle, each in one line."""
    return tuple(" ".join(spec["title"][part]) for part in ("text", "subtitle"))


def drawn(spec, kind):
    """Rows of one kind, as the chart holds them."""
    return [row for row in spec["data"]["values"] if row["kind"] == kind]


@pytest.mark.parametrize(("chart", "name"), PAIRS)
def test_every_chart_is_drawn_and_says_what_it_shows(chart, name):
    spec = spec_of(chart, name)
    title, subtitle = said(spec)
    assert title
    assert subtitle
    assert 1 <= len(spec["title"]["text"]) <= 3
    assert "…" in title or spec["description"].startswith(f"{title}. ")
    assert not re.search(r"\de[+-]?\d", spec["description"])
    assert charts.picture(spec, scale=0.5).startswith(PNG)


@pytest.mark.parametrize("chart", CASES)
def test_the_public_chart_is_the_specification(chart):
    name = next(iter(CASES[chart]))
    spec = spec_of(chart, name)
    public = getattr(charts, chart)(CASES[chart][name]()).to_dict()
    assert list(public["datasets"].values()) == [spec["data"]["values"]]
    assert public["title"] == spec["title"]
    assert public["description"] == spec["description"]


@pytest.mark.parametrize(
    ("chart", "name"),
    [(chart, "hostile") for chart in CASES if "hostile" in CASES[chart]]
    + [("scenario_totals", "four")],
)
def test_markup_stays_text(chart, name):
    spec = spec_of(chart, name)
    svg = vlc.vegalite_to_svg(spec)
    assert "<script" not in svg
    assert "&lt;script&gt;" in svg
    assert vlc.svg_to_png(svg).startswith(PNG)
    assert "\x1b" not in spec["description"]


@pytest.mark.parametrize("chart", [chart for chart in CASES if "empty" in CASES[chart]])
def test_an_empty_table_is_drawn_as_none(chart):
    assert spec_of(chart, "empty") == spec_of(chart, "none")


def test_nothing_to_draw_says_so():
    told = {chart: said(spec_of(chart, "none"))[0]
            for chart in CASES}  # fmt: skip
    assert told == {
        "scenario_totals": "No scenario to draw yet",
        "payment_bridge": "No bridge to draw yet",
        "tornado": "No term to move yet",
        "payment_distribution": "No distribution to draw yet",
        "localities_ranked": "No locality has an amount to draw",
        "rates_over_years": "No rate to draw yet",
        "market_strip": "No market price to draw yet",
        "break_even_volume": "No volume to draw yet",
        "charting_error_curve": "No charting error to draw yet",
        "steps_nearly_reached": "No encounter is near a step",
    }


@pytest.mark.parametrize(
    ("chart", "name", "says"),
    [
        # Ten times 161.99 USD, and half of it.
        ("scenario_totals", "one", "“as charted”: $1,620 expected"),
        ("scenario_totals", "two", "Against “as charted”: “half denied” −$810 (50 %)"),
        # 72.48 and 8.52 (8.515, half up) of 144.96 and 17.03 USD: 80.99 less.
        ("scenario_totals", "one encounter", "Against “as charted”: “half denied” −$80.99 (50 %)"),
        ("scenario_totals", "same", "“same” pays the same as “as charted”: $1,620"),
        ("scenario_totals", "no price", "No price is known for “at home”"),
        ("payment_bridge", "one step", "“as charted” to “half denied”: −$810 (50 %)"),
        ("payment_bridge", "same", "“as charted” to “same”: no term differs, $1,620"),
        (
            "payment_bridge",
            "cancel out",
            "“a” to “b”: no difference, $9; steps cancel out, most: prices of another day +$1",
        ),
        (
            "payment_bridge",
            "through zero",
            "“a” to “b”: −$11 (122 %); the largest of 2 steps: terms at home −$30",
        ),
        ("tornado", "one term", "The total moves with denials: $0 (100 %) to $1,620 (0 %)"),
        ("tornado", "equal ends", "No term in its range moves the total of $1,620"),
        (
            "tornado",
            "one equal",
            "The total moves most with prices of another day: $1 (a) to $3 (b)",
        ),
        ("payment_distribution", "all the same", "Expected $1,620, the same in every draw"),
        ("payment_distribution", "one draw", "Expected $100, every draw comes to $105"),
        # 201 draws a dollar apart: 5 % of them are below -290.
        (
            "payment_distribution",
            "negative",
            "Expected −$200; 9 of 10 draws within −$290 to −$110",
        ),
        # 110 of 100, 110, 120, 130, 150: 1 - 110 / 120.
        (
            "localities_ranked",
            "five",
            "Ohio, OH pays $110.00 for 96369, rank 4 of 5: 8.33 % below the median",
        ),
        (
            "localities_ranked",
            "a year with few",
            "15202-00 has no figure on that day; 96369 pays $125.16 to $168.18",
        ),
        # 144.96 / 162.04 and 217.31 / 183.74.
        (
            "rates_over_years",
            "all years",
            "96369 first hour from 2020 to 2026: office −10.5 %, outpatient +18.3 %",
        ),
        ("rates_over_years", "one year", "96369 first hour: office $144.96, outpatient $217.31"),
        ("rates_over_years", "no price", "No rate of the first hour is known"),
        (
            "market_strip",
            "one",
            "Our $612.00 for 96369 stands between median and p75 of 1,541 hospitals",
        ),
        (
            "market_strip",
            "ours",
            "Ours is above the median for 2 of 2 codes; "
            "farthest: $1,500.00 for 96370 stands above p90",
        ),
        ("market_strip", "far apart", "Our $20.00 for 96369 stands below p10 of 1,541 hospitals"),
        (
            "market_strip",
            "nothing of ours",
            "No price of ours to compare; median of 96369 $540.86",
        ),
        # 161.99 - 95 / 60 x 30 - 12 = 102.49; 1,000 / 102.49 = 9.8.
        (
            "break_even_volume",
            "ten",
            "10 encounters carry the fixed cost of $1,000; we have 10",
        ),
        # 161.99 - 95 / 60 x 210 - 12 = -182.51.
        ("break_even_volume", "no volume", "No volume is enough: each encounter loses $183"),
        (
            "break_even_volume",
            "no fixed cost",
            "There is no fixed cost to carry; each encounter leaves $102",
        ),
        # 90 min lose the further hour: 170.30 of 1,619.90; 100 min are worth the same.
        (
            "charting_error_curve",
            "ten",
            "Charted 5 min too short loses $170 (10.5 %), 5 min too long changes nothing",
        ),
        (
            "charting_error_curve",
            "three minutes",
            "Charted 3 min too short changes nothing, 3 min too long changes nothing",
        ),
        (
            "steps_nearly_reached",
            "one encounter",
            "No encounter ends within 5 min below a step",
        ),
        (
            "steps_nearly_reached",
            "one below",
            "1 encounter ends within 5 min below the step at 91 min, 0 above it",
        ),
    ],
)
def test_the_title_is_the_finding(chart, name, says):
    assert said(spec_of(chart, name))[0] == says


def test_units_without_a_price_are_said_and_never_zero():
    spec = spec_of("scenario_totals", "four")
    assert "Units with no known price, not in the totals: 0 of “as charted”" in said(spec)[1]
    ends = {row["label"]: row["apart"] for row in drawn(spec, "end")}
    assert ends == {
        "$1,620": "baseline",
        "no price is known": "",
        "$810": "−$810 (50 %)",
    }
    one = said(spec_of("scenario_totals", "no price"))[1]
    assert "20 units have no known price and are not in the totals" in one
    for chart in CASES:
        if "no price" in CASES[chart] and chart not in (*NOT_FROM_UNITS, "scenario_totals"):
            spec = spec_of(chart, "no price")
            assert said(spec)[0] == "No price is known for this work"
            assert "20 units have no known price and are not in the amounts" in said(spec)[1]
            assert spec["data"]["values"] == []


NOT_FROM_UNITS = ("rates_over_years", "market_strip")


def test_bars_stack_to_the_total_and_carry_their_code():
    table = charts.scenario_totals_table(compared(BASE))
    spans = table.filter(pl.col("kind") == "code").select("code", "from_usd", "to_usd").rows()
    assert spans == [("96369", 0, pytest.approx(1449.6)), ("96370", 1449.6, pytest.approx(1619.9))]
    spec = spec_of("scenario_totals", "one")
    assert [row["label"] for row in drawn(spec, "key")] == [
        "96369 first hour",
        "96370 further hours",
    ]
    assert drawn(spec, "bar")[0]["label"] == "96369"
    assert "96370 $170.30 for 10 units" in spec["description"]


def test_groups_are_added_up():
    whole = compared(BASE, HALF, summary=sample())
    parts = scenarios.compare(sample(), [BASE, HALF], by=["place"])
    columns = ["scenario", "code", "kind", "to_usd"]
    made = [charts.scenario_totals_table(one).select(columns) for one in (whole, parts)]
    totals = [one.filter(pl.col("kind") == "total")["to_usd"].to_list() for one in made]
    assert totals[0] == pytest.approx(totals[1])


def test_the_axis_of_a_bridge_says_where_it_starts():
    small, large = spec_of("payment_bridge", "small steps"), spec_of("payment_bridge", "one step")
    assert "the axis starts at $974, not at zero" in said(small)[1]
    assert len(drawn(small, "broken")) == 2
    assert small["encoding"]["x"]["scale"]["domain"][0] == pytest.approx(974)
    assert large["encoding"]["x"]["scale"]["domain"][0] == 0
    assert drawn(large, "broken") == []
    assert [row["label"] for row in drawn(large, "label")] == ["$1,620", "−$810", "$810"]


def test_a_bridge_shows_signs_and_colours():
    spec = spec_of("payment_bridge", "through zero")
    labels = [row["label"] for row in drawn(spec, "label")]
    assert labels == ["−$9", "+$19", "−$30", "−$20"]
    inks = [row["ink"] for row in drawn(spec, "bar")]
    assert inks[1:3] == ["#0072B2", "#D55E00"]
    assert [(row["x"], row["x2"]) for row in drawn(spec, "bar")][1:3] == [(-9, 10), (-20, 10)]


def test_terms_are_worded():
    table = CASES["tornado"]["sample"]()
    told = {row["term"]: (row["low"], row["high"]) for row in table.rows(named=True)}
    told.pop(None)
    assert told == {
        "denial_rate": ("2 %", "10 %"),
        "hospital": ("wage index 0.85", "wage index 1.2"),
        "office": ("locality 15202-00", "MPFS national"),
        "setting": ("hospital", "office"),
        "on": ("2025-03-02", "day of service"),
        "shift_min": ("−3 min", "3 min"),
    }
    assert term_words.value_name("stretch", "1.1") == "×1.1"
    assert (
        term_words.value_name("home", "Contract(name='Payer A', terms=shape)") == "contract Payer A"
    )
    assert term_words.value_name("home", "None") == "no terms"
    assert term_words.term_name("payer_mix") == "mix of payers"
    assert term_words.term_name("anything") == "anything"


def test_equal_ends_are_a_tick_that_says_no_change():
    spec = spec_of("tornado", "equal ends")
    assert drawn(spec, "bar") == []
    assert len(drawn(spec, "none")) == 2
    ends = {(row["label"], row["usd"]) for row in drawn(spec, "end")}
    assert ends == {("10 % to 10 %", "$1,458"), ("×1 to ×1", "no change")}


def test_a_histogram_has_few_bins_that_hold_all_draws():
    for name in ("sample", "huge", "negative"):
        table = CASES["payment_distribution"][name]()
        bins = table.filter(pl.col("kind") == "bin")
        about = table.row(-1, named=True)
        assert bins.height <= 60
        assert bins["draws"].sum() == about["draws"]
    subtitle = said(spec_of("payment_distribution", "sample"))[1]
    assert "500 draws of 4,297 encounters, seed 7; band: 5 to 95 %" in subtitle
    assert "exact $1.084 M" in [row["label"] for row in drawn(spec_of(*SAMPLED), "exact")]
    assert [row["label"] for row in drawn(spec_of(*SAMPLED), "percentile")] == [
        "5 %",
        "50 %",
        "95 %",
    ]


SAMPLED = ("payment_distribution", "sample")


def test_only_four_localities_have_a_label():
    spec = spec_of("localities_ranked", "a year with all")
    labels = [row["label"] for row in (*drawn(spec, "label"), *drawn(spec, "median"))]
    assert [label.split(":")[0] for label in labels] == ["highest", "ours", "lowest", "median"]
    assert len(drawn(spec, "other")) == 108
    assert "109 localities · prices of 2026-03-02 · MPFS, not APM" in said(spec)[1]


def test_labels_of_localities_never_meet():
    frame = ranked_localities("96370", date(2025, 3, 2))
    table = charts.localities_ranked_table(frame, code="96370", on=DAY, ours=frame["locality"][106])
    spec = money_charts.localities_ranked_spec(table)
    low, high = spec["encoding"]["y"]["scale"]["domain"]
    at = sorted(row["at"] * 260 / (low - high) for row in spec["data"]["values"] if "at" in row)
    assert all(b - a > 16 for a, b in pairwise(at))


def test_rates_are_those_of_price_and_packaged_is_said():
    table = charts.rates_over_years_table()
    of = {kind: table.filter(pl.col("kind") == kind, pl.col("code") == "96371")
          for kind in ("office", "outpatient")}  # fmt: skip
    assert of["office"]["start"].to_list()[4:6] == [date(2024, 1, 1), date(2024, 3, 9)]
    assert of["office"]["until"][4] == date(2024, 3, 8)
    assert of["outpatient"]["rate_usd"].to_list() == [0] * 7
    assert set(of["outpatient"]["status"]) == {"packaged"}
    subtitle = said(spec_of("rates_over_years", "all years"))[1]
    assert "96371 packaged in outpatient: $0 beside a first hour" in subtitle
    assert "2024 in two parts" in subtitle
    ends = [row["label"] for row in drawn(spec_of("rates_over_years", "all years"), "end")]
    assert "outpatient $0.00, packaged" in ends


def test_the_axis_of_the_market_is_logarithmic_where_prices_are_far_apart():
    even, log = spec_of("market_strip", "one"), spec_of("market_strip", "far apart")
    assert even["encoding"]["x"]["scale"]["type"] == "linear"
    assert even["encoding"]["x"]["scale"]["domain"][0] == 0
    assert log["encoding"]["x"]["scale"]["type"] == "log"
    assert "logarithmic" in log["encoding"]["x"]["axis"]["title"]
    assert "Up to 1,541 hospitals · gross prices · all US states · 2026-01-28" in said(even)[1]


def test_break_even_is_marked_where_the_line_meets_the_cost():
    spec = spec_of("break_even_volume", "ten")
    at = [(row["x"], row["y"]) for row in drawn(spec, "break even")]
    assert at == [(pytest.approx(1000 / 102.49), 1000)]
    assert [row["label"] for row in drawn(spec, "break even")] == ["break-even: 10"]
    assert [(row["x"], row["y"]) for row in drawn(spec, "line")] == [
        (0, 0),
        (20, pytest.approx(2049.8)),
    ]
    never = spec_of("break_even_volume", "no volume")
    assert drawn(never, "break even") == []
    assert drawn(never, "line")[-1]["y"] < 0
    assert "1.58 h at $30/h, 1 set-up at $12" in said(spec)[1]


def test_charting_error_is_labelled_and_is_no_reason_to_retime():
    spec = spec_of("charting_error_curve", "ten")
    assert "no reason to re-time an infusion" in said(spec)[1]
    labels = [(row["minutes"], row["label"]) for row in drawn(spec, "label")]
    assert labels == [
        ("−10 min", "−$170"),
        ("−5 min", "−$170"),
        ("+5 min", "±$0"),
        ("+10 min", "±$0"),
    ]
    tips = [row["tip"] for row in drawn(spec, "bar")]
    assert "−5 min: −10 units, −$170.30" in tips


def test_later_steps_are_counted_together():
    table = CASES["steps_nearly_reached"]["sample"]()
    assert table["kind"].to_list() == ["step"] * 6 + ["later", "about"]
    spec = spec_of("steps_nearly_reached", "sample")
    assert "never to extend an infusion" in said(spec)[1]
    assert "37 below and 16 above at steps from 391 min not shown" in said(spec)[1]
    keys = [row["label"] for row in drawn(spec, "key")]
    assert keys == ["at most 5 min below", "less than 5 min above"]


@pytest.mark.parametrize(
    ("usd", "says"),
    [
        (0, "$0"),
        (0.5, "$0.50"),
        (-12, "−$12"),
        (1234.4, "$1,234"),
        (999_999.7, "$1.00 M"),
        (1_084_304.41, "$1.08 M"),
        (25_300_000, "$25.3 M"),
        (-HUGE, "−$1.00 T"),
    ],
)
def test_money_is_worded_without_an_exponent(usd, says):
    assert money_words.money(usd) == says


def test_money_has_as_many_digits_as_a_difference_needs():
    ends = [money_words.money(usd, apart=12_045) for usd in (1_084_304, 1_096_349)]
    assert ends == ["$1.084 M", "$1.096 M"]
    assert money_words.money(1_084_304, apart=12) == "$1,084,304"
    assert money_words.cents(-1_084_304.41) == "−$1,084,304.41"
    assert money_words.signed(5) + money_words.signed(0) == "+$5±$0"


def test_a_number_stays_with_its_unit():
    title = money_words.headed("word " * 11 + "$1.08 M and more of it", "", "")["title/text"]
    assert all(not line.endswith("$1.08") for line in title)


def test_the_caption_says_where_the_money_is_from():
    told = charts.terms_caption(sample(), BASE, replace(BASE, name="b", on=None))
    assert told == (
        "4,297 of 4,993 encounters coded · prices of 2026-03-02 and the day of service · "
        "OPPS (wage index 1), MPFS national, no terms for home · rules of 2024 to 2026"
    )
    assert charts.terms_caption(TEN, BASE) == (
        "10 of 10 encounters coded · prices of 2026-03-02 · MPFS national · rules of 2026"
    )
