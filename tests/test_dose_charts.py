"""Charts of planned doses: drawn from good and awkward data, and saying what hand counts say."""

from dataclasses import replace
from itertools import pairwise
from math import exp, log

import polars as pl
import pytest

from subq_toolkit.conversion import convert_iv_to_sc
from subq_toolkit.dosing import patient_controlled, rotation_calendar
from subq_toolkit.errors import InputError
from subq_toolkit.planning import plan_infusion
from subq_toolkit.policy import policy_preset

charts = pytest.importorskip("subq_toolkit.charts", reason="the notebook extra is not installed")
vlc = pytest.importorskip("vl_convert")

from subq_toolkit.charts import dose_charts  # noqa: E402

PNG = b"\x89PNG\r\n\x1a\n"
MARKUP = "<script>alert('x')</script> & \"quotes\" \\ {{datum}}"
LONG_NAME = "左大腿 " * 40


def made(**more):
    return plan_infusion(start_at="2026-03-02 09:00", **more)


def setting(**more):
    return patient_controlled(
        **{"basal_mg_per_h": 10, "bolus_mg": 5, "lockout_min": 20, "concentration_mg_per_ml": 20}
        | more
    )


def said(spec):
    """Title and subtitle, each in one line."""
    told = (spec["title"]["text"], spec["title"]["subtitle"])
    return tuple(one if isinstance(one, str) else " ".join(one) for one in told)


def drawn(spec, kind):
    """Rows of one kind, as the chart holds them."""
    return [row for row in spec["data"]["values"] if row["kind"] == kind]


PLANS = {
    "four sites": made(product="hizentra", volume_ml=80, sites=4, infusion_number=6),
    "one site": made(volume_ml=3, sites=1),
    "ramp": made(product="hyqvia", volume_ml=600, sites=2, infusion_number=1),
    "above the limit": made(volume_ml=18, rate_ml_per_h=9, sites=1),
    "a little above": made(volume_ml=6.6, rate_ml_per_h=3.3, sites=1),
    "infeasible": made(product="hizentra", volume_ml=400, sites=2, infusion_number=1),
    "no limit": made(product="foslevodopa", volume_ml=10, duration_h=24),
    "72 hours": made(volume_ml=216, duration_h=72, sites=1),
    "17 sites": made(volume_ml=50, rate_ml_per_h=50),
    "endless": made(volume_ml=2000, sites=1),
    "a drop": made(volume_ml=0.001, sites=1),
    "two pumps, coarse": made(
        product="xembify", volume_ml=60, sites=4, pumps=2, pump_step_ml_per_h=7
    ),
    "none": None,
}
MORPHINE = convert_iv_to_sc(drug="morphine", iv_dose=10, unit="mg", ratio=1.0)
TIER_C = MORPHINE.presets.filter(pl.col("tier") == "C")
HOSTILE = MORPHINE.presets.with_columns(preset=pl.lit(MARKUP), unit=pl.lit(MARKUP))
CONVERSIONS = {
    "morphine": MORPHINE,
    "far away": convert_iv_to_sc(drug="fentanyl", iv_dose=25, unit="µg/h", ratio=9.0),
    "many presets": convert_iv_to_sc(
        drug="immunoglobulin", iv_dose=30, unit="g", preset="hizentra_us"
    ),
    "one preset": convert_iv_to_sc(drug="ketamine", iv_dose=5, unit="mg/h", preset="practice"),
    "tier C only": replace(MORPHINE, presets=TIER_C, lowest=None, highest=None),
    "zero": convert_iv_to_sc(drug="insulin", iv_dose=0, unit="units", ratio=0.8),
    "no preset": replace(MORPHINE, presets=MORPHINE.presets.clear(), lowest=None, highest=None),
    "hostile": replace(MORPHINE, drug=MARKUP, unit=MARKUP, chosen=MARKUP, presets=HOSTILE),
    "long names": replace(
        MORPHINE,
        drug=LONG_NAME,
        chosen=LONG_NAME,
        presets=MORPHINE.presets.with_columns(preset=pl.lit(LONG_NAME)),
    ),
    "none": None,
}

LIMIT = {"limit_ml_per_h_per_site": 3.0}
SETTINGS = {
    "plain": (setting(), LIMIT),
    "no limit": (setting(), {}),
    "above": (setting(basal_mg_per_h=40, bolus_mg=20, lockout_min=25), LIMIT),
    "programmed": (setting(limit_1h_mg=20, limit_4h_mg=60), LIMIT | {"sites": 2}),
    "programmed below basal": (setting(limit_1h_mg=8), LIMIT),
    "programmed far off": (setting(limit_4h_mg=4000), {}),
    "no boluses": (setting(bolus_mg=0), LIMIT),
    "zero basal": (setting(basal_mg_per_h=0, boluses="average", lockout_min=25), LIMIT),
    "nothing": (setting(basal_mg_per_h=0, bolus_mg=0), LIMIT),
    "hostile": (setting().with_columns(binding=pl.lit(MARKUP), counted=pl.lit(LONG_NAME)), {}),
    "empty": (setting().clear(), LIMIT),
    "none": (None, LIMIT),
}

ROTATIONS = {
    "five positions": (rotation_calendar(days=30, dwell_days=3, exclusion_days=12), 12),
    "too soon": (rotation_calendar(days=30, dwell_days=3, exclusion_days=12, positions=3), 12),
    "one set": (rotation_calendar(days=2, dwell_days=3, exclusion_days=12), 12),
    "one position": (rotation_calendar(days=90, dwell_days=1, exclusion_days=3, positions=1), 3),
    "a year": (rotation_calendar(days=365, dwell_days=2, exclusion_days=60), 60),
    "nothing barred": (rotation_calendar(days=12, dwell_days=1.5, exclusion_days=0), 0),
    "empty": (rotation_calendar(days=30, dwell_days=3, exclusion_days=12).clear(), 12),
    "none": (None, 12),
}


def boluses_table(frame, more):
    return charts.boluses_against_limit_table(frame, **more)


def rotation_table(frame, days):
    return charts.rotation_table(frame, exclusion_days=days)


def depot_table(plan):
    return charts.depot_course_table(plan, ka_per_h=0.5)


#: Each chart with its cases, and how the table is made of one.
CHARTS = {
    "rate_profile": (PLANS, charts.rate_profile_table),
    "duration_by_sites": (PLANS, charts.duration_by_sites_table),
    "depot_course": (PLANS, depot_table),
    "conversion_spread": (CONVERSIONS, charts.conversion_spread_table),
    "boluses_against_limit": (SETTINGS, lambda case: boluses_table(*case)),
    "rotation": (ROTATIONS, lambda case: rotation_table(*case)),
}
CASES = [(chart, name) for chart, (cases, _) in CHARTS.items() for name in cases]


def table_of(chart, name):
    cases, make = CHARTS[chart]
    return make(cases[name])


def spec_of(chart, name):
    return getattr(dose_charts, f"{chart}_spec")(table_of(chart, name))


@pytest.mark.parametrize(("chart", "name"), CASES)
def test_every_chart_is_drawn_and_says_what_it_shows(chart, name):
    spec = spec_of(chart, name)
    title, subtitle = said(spec)
    assert title
    assert subtitle
    if "…" not in title + subtitle:
        assert spec["description"].startswith(f"{title}. {subtitle}.")
    assert charts.picture(spec).startswith(PNG)


@pytest.mark.parametrize(
    ("chart", "name"),
    [
        ("rate_profile", "ramp"),
        ("duration_by_sites", "four sites"),
        ("depot_course", "no limit"),
        ("conversion_spread", "morphine"),
        ("boluses_against_limit", "programmed"),
        ("rotation", "too soon"),
    ],
)
def test_the_public_chart_is_the_specification(chart, name):
    spec, public = spec_of(chart, name), getattr(charts, chart)(table_of(chart, name)).to_dict()
    assert list(public["datasets"].values()) == [spec["data"]["values"]]
    assert public["title"] == spec["title"]
    assert public["description"] == spec["description"]


def test_markup_stays_text():
    said_in_markup = table_of("rate_profile", "four sites").with_columns(says=pl.lit(MARKUP))
    specs = [
        spec_of("conversion_spread", "hostile"),
        spec_of("boluses_against_limit", "hostile"),
        dose_charts.rate_profile_spec(said_in_markup),
    ]
    for spec in specs:
        svg = vlc.vegalite_to_svg(spec)
        assert "<script" not in svg
        assert "&lt;script&gt;" in svg


def test_nothing_to_draw_says_so():
    told = {chart: said(spec_of(chart, "none"))[0] for chart in CHARTS}
    assert told == {
        "rate_profile": "No rate to draw yet",
        "duration_by_sites": "No duration to draw yet",
        "depot_course": "No depot to draw yet",
        "conversion_spread": "No conversion to draw yet",
        "boluses_against_limit": "No setting to draw yet",
        "rotation": "No set to draw yet",
    }


@pytest.mark.parametrize(
    ("name", "says"),
    [
        # 80 mL / 4 sites = 20 mL, at 25 mL/h: 0.8 h.
        ("four sites", "Runs 48 min at 25 mL/h at each of 4 sites: at the limit"),
        # 18 mL / 9 mL/h = 2 h, three times the general 3 mL/h.
        ("above the limit", "Runs 120 min at 9 mL/h at 1 site: above the limit"),
        # 216 mL / 72 h = 3 mL/h.
        ("72 hours", "Runs 4,320 min (72 h) at 3 mL/h at 1 site: at the limit"),
        # 50 mL/h / 3 = 16.7, so 17 sites; 50 / 17 = 2.941.
        ("17 sites", "Runs 60 min at 2.941 mL/h at each of 17 sites: within the limit"),
        # 10 mL / 24 h = 0.41667.
        (
            "no limit",
            "Runs 1,440 min (24 h) at 0.4167 mL/h at 1 site: "
            "no limit of the rate at a site is known",
        ),
    ],
)
def test_rate_profile_says_how_it_runs(name, says):
    spec = spec_of("rate_profile", name)
    assert said(spec)[0] == says


def test_rate_profile_labels_the_steps_and_the_limit():
    table = charts.rate_profile_table(PLANS["four sites"])
    assert table.filter(pl.col("kind") == "step").select(pl.nth(range(1, 5))).rows() == [
        (0, 48, 25, 20)
    ]
    spec = dose_charts.rate_profile_spec(table)
    assert [row["label"] for row in drawn(spec, "limit")] == ["limit 25 mL/h/site (sourced)"]
    assert [row["label"] for row in drawn(spec, "label")] == ["25 mL/h"]
    assert "0 to 48 min: 25 mL/h/site, 20 mL; limit 25 mL/h/site" in spec["description"]


def test_rate_profile_names_another_limit_that_is_broken():
    spec = spec_of("rate_profile", "infeasible")
    assert "exceeded: volume at each site" in said(spec)[1]


def test_only_what_is_above_the_limit_is_marked_as_above():
    over = spec_of("rate_profile", "above the limit")
    assert [(row["rate"], row["top"]) for row in drawn(over, "over")] == [(3, 9)]
    at = spec_of("rate_profile", "four sites")
    assert drawn(at, "over") == []


def test_duration_by_sites_is_what_division_gives():
    table = charts.duration_by_sites_table(PLANS["four sites"])
    planned = table.filter(pl.col("kind") != "threshold")
    assert planned["sites"].to_list() == list(range(1, 9))
    # 80 mL over n sites at 25 mL/h each: 192 / n min.
    assert planned["duration_min"].to_list() == pytest.approx([192 / n for n in range(1, 9)])
    assert planned.filter(pl.col("kind") == "own")["sites"].to_list() == [4]
    # at most 25 mL a site, and 4 sites: 80 / 3 is more, and 5 are too many.
    assert planned["feasible"].to_list() == [False] * 3 + [True] + [False] * 4


def test_thresholds_are_those_in_range_and_say_what_is_earned():
    table = charts.duration_by_sites_table(PLANS["four sites"])
    steps = table.filter(pl.col("kind") == "threshold").select("duration_min", "says").rows()
    assert steps == [
        (16, "from 16 min: 96369 ×1"),
        (91, "from 91 min: 96369 + 96370 ×1"),
        (151, "from 151 min: 96369 + 96370 ×2"),
        (211, "from 211 min: 96369 + 96370 ×3"),
    ]


def test_thresholds_use_the_codes_and_the_policy_of_the_plan():
    old = plan_infusion(volume_ml=6, sites=1, start_at="2008-03-03 09:00")
    says = charts.duration_by_sites_table(old)["says"].drop_nulls()
    assert says[1] == "from 91 min: 90769 + 90770 ×1"
    capped = made(volume_ml=15, sites=1, policy=policy_preset("capped"))
    assert charts.duration_by_sites_table(capped)["says"].drop_nulls()[-1].endswith("×3")
    exact = replace(policy_preset("capped"), seconds="count")
    begun = charts.duration_by_sites_table(made(volume_ml=6, sites=1, policy=exact))
    assert begun["says"].drop_nulls()[1] == "above 90 min: 96369 + 96370 ×1"


def test_within_is_filled_and_above_a_limit_is_crossed():
    table = charts.duration_by_sites_table(PLANS["four sites"])
    spec = dose_charts.duration_by_sites_spec(table)
    points = [*drawn(spec, "other"), *drawn(spec, "own")]
    assert {row["sites"] for row in points if row["crossed"]} == {1, 2, 3, 5, 6, 7, 8}
    assert {row["sites"] for row in points if row["kept"]} == {4}
    assert [row["label"] for row in drawn(spec, "own")] == ["48 min"]
    title, subtitle = said(spec)
    assert title == "48 min at 4 sites; only 4 sites keep every known limit"
    assert "no reason to re-time" in subtitle
    assert "Crossed: exceeds a limit" in subtitle
    assert "from 91 min: 96369 + 96370 ×1" in spec["description"]


def test_no_known_limit_is_neither_filled_nor_crossed():
    table = charts.duration_by_sites_table(PLANS["no limit"])
    spec = dose_charts.duration_by_sites_spec(table)
    points = [*drawn(spec, "other"), *drawn(spec, "own")]
    assert not any(row["kept"] or row["crossed"] for row in points)
    assert said(spec)[0].endswith("no limit of the rate is known")


def test_a_fixed_rate_is_said_to_be_fixed():
    spec = spec_of("duration_by_sites", "72 hours")
    assert said(spec)[0].startswith(
        "4,320 min (72 h) at any number of sites, the rate is fixed by the order"
    )


@pytest.mark.parametrize("name", ["72 hours", "endless", "ramp"])
def test_labels_of_thresholds_never_meet(name):
    spec = spec_of("duration_by_sites", name)
    top = spec["encoding"]["y"]["scale"]["domain"][1]
    at = [row["min"] / top * spec["height"] for row in drawn(spec, "rule")]
    assert len(at) > 3
    assert all(later - earlier > 15 for earlier, later in pairwise(at))
    assert len(drawn(spec, "quiet")) < 60


@pytest.mark.parametrize(
    ("name", "sites"),
    [
        ("17 sites", list(range(6, 18))),
        ("two pumps, coarse", list(range(2, 9))),
    ],
)
def test_only_sites_that_can_be_planned_are_shown(name, sites):
    table = charts.duration_by_sites_table(PLANS[name])
    assert table["sites"].drop_nulls().to_list() == sites


def test_a_plan_above_its_limit_says_which_sites_keep_it():
    title, _ = said(spec_of("duration_by_sites", "above the limit"))
    assert title.endswith("; only 3 to 8 sites keep every known limit")


def test_depot_is_what_the_models_give_by_hand():
    # 9 mL/h for 2 h at one site that takes 3 mL/h, ka 0.5 /h.
    table = charts.depot_course_table(PLANS["above the limit"], ka_per_h=0.5)
    peaks = dict(table.filter(pl.col("kind") == "peak").select("model", "depot_ml").rows())
    bend_h = -log(1 - 3 / 9) / 0.5
    assert peaks == pytest.approx(
        {"first_order": 9 / 0.5 * (1 - exp(-1)), "capped": 12, "hybrid": 6 + 6 * (2 - bend_h)}
    )
    done = dict(table.filter(pl.col("kind") == "absorbed").select("model", "time_h").rows())
    assert done["capped"] == 6
    assert done["first_order"] == pytest.approx(2 + log(peaks["first_order"] / 0.18) / 0.5)
    course = table.filter(pl.col("kind") == "course")
    assert course["time_h"].max() == 10  # at most five times the infusion
    assert course.group_by("model").len()["len"].is_between(145, 155).all()
    spec = dose_charts.depot_course_spec(table)
    assert said(spec)[0] == (
        "Under the cap all is absorbed 4 h after the pump stops; 12 mL wait under the skin at most"
    )
    assert said(spec)[1] == (
        "Assumed: ka 0.5 /h; a site absorbs at most its rate limit, 3 mL/h. "
        "Capped and hybrid: modelling devices without a published fit"
    )
    assert "pump stops at 2 h; first order: 11.4 mL at most" in spec["description"]


@pytest.mark.parametrize(
    ("name", "more", "says"),
    [
        # 6.6 mL at 3.3 mL/h: 2 h; at 3 mL/h it takes 2.2 h, and 0.3 x 2 mL wait.
        (
            "a little above",
            {},
            "Under the cap all is absorbed 12 min after the pump stops; "
            "0.6 mL wait under the skin at most",
        ),
        # 216 mL at 3 mL/h, ka 1 /h: 3 mL in the long run.
        ("72 hours", {}, "Under the cap nothing waits; by first order 3 mL at most under the skin"),
        # 3 mL/h at a site that takes 2: 72 mL wait, which take 36 h.
        (
            "72 hours",
            {"limit_ml_per_h_per_site": 2},
            "Under the cap all is absorbed 36 h after the pump stops; "
            "72 mL wait under the skin at most",
        ),
        # 10 mL in 24 h: 0.41667 mL; 1 % of 10 mL is left after ln(4.1667) = 1.427 h.
        (
            "no limit",
            {},
            "0.417 mL wait under the skin at most; 99 % absorbed 86 min after the pump stops",
        ),
    ],
)
def test_depot_course_says_what_waits(name, more, says):
    table = charts.depot_course_table(PLANS[name], ka_per_h=1, **more)
    assert said(dose_charts.depot_course_spec(table))[0] == says


def test_depot_without_a_limit_has_one_model():
    table = charts.depot_course_table(PLANS["no limit"], ka_per_h=1)
    assert table["model"].drop_nulls().unique().to_list() == ["first_order"]
    assert "no capped model" in said(dose_charts.depot_course_spec(table))[1]
    with pytest.raises(InputError, match="ka_per_h"):
        charts.depot_course_table(PLANS["no limit"], ka_per_h=0)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        # 10 x 0.88 and 10 x 1.6.
        ("morphine", "Published ratios make 10 mg into 8.8 to 16 mg; chosen 10 mg (×1)"),
        # 30 x 1.0, 30 x 1.69, 30 x 1.37.
        ("many presets", "Published ratios make 30 g into 30 to 50.7 g; chosen 41.1 g (×1.37)"),
        ("one preset", "No ratio with a source of authority; chosen 5 mg/h (×1)"),
        ("no preset", "No ratio with a source of authority; chosen 10 mg (×1)"),
    ],
)
def test_conversion_says_how_far_ratios_spread(name, says):
    table = charts.conversion_spread_table(CONVERSIONS[name])
    assert said(dose_charts.conversion_spread_spec(table))[0] == says


def test_tier_c_is_hollow_and_the_rest_is_filled():
    table = charts.conversion_spread_table(CONVERSIONS["many presets"])
    spec = dose_charts.conversion_spread_spec(table)
    presets = drawn(spec, "preset")
    assert spec["height"] > 22 * len(presets)
    assert [row["dose"] for row in presets] == sorted(row["dose"] for row in presets)
    assert drawn(spec, "chosen")[0]["label"] == "chosen: ratio 1.37 (hizentra_us)"
    band = drawn(spec, "band")[0]
    assert (band["x"], band["x2"]) == pytest.approx((30, 50.7))
    hollow = [row["name"] for row in drawn_morphine() if not row["counts"]]
    assert hollow == ["combined_sheet"]
    only = spec_of("conversion_spread", "tier C only")
    assert "tier C, or remembered" in said(only)[1]


def drawn_morphine():
    spec = dose_charts.conversion_spread_spec(charts.conversion_spread_table(MORPHINE))
    return drawn(spec, "preset")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        # (10 + 3 x 5) / 20 = 1.25 mL/h of 3.
        ("plain", "Up to 1.25 mL/h, 41.7 % of the sites' limit; the lockout binds"),
        ("no limit", "Up to 1.25 mL/h; no limit of the sites is stated; the lockout binds"),
        # 25 min: at most 3 in an hour; (40 + 3 x 20) / 20 = 5 mL/h of 3.
        ("above", "Up to 5 mL/h, above the sites' limit (167 %); the lockout binds"),
        # 20 mg / 20 = 1 mL/h of 2 x 3.
        (
            "programmed",
            "Up to 1 mL/h, 16.7 % of the sites' limit; the programmed limits bind",
        ),
        # 2.4 boluses on average: 2.4 x 5 / 20.
        ("zero basal", "Up to 0.6 mL/h, 20 % of the sites' limit; the lockout binds"),
        ("nothing", "Up to 0 mL/h, 0 % of the sites' limit; the lockout binds"),
    ],
)
def test_boluses_say_their_share_and_what_binds(name, says):
    assert said(spec_of("boluses_against_limit", name))[0] == says


def test_bars_stack_to_what_can_be_given():
    table = charts.boluses_against_limit_table(SETTINGS["above"][0], **LIMIT)
    spans = table.select("kind", "window_h", "from_ml_per_h", "to_ml_per_h").rows()
    # In 4 h at most 10 boluses: (160 + 200) / 20 / 4 = 4.5 mL/h.
    assert spans == [
        ("basal", 1, 0, 2),
        ("boluses", 1, 2, 5),
        ("held back", 1, 5, 5),
        ("basal", 4, 0, 2),
        ("boluses", 4, 2, 4.5),
        ("held back", 4, 4.5, 4.5),
        ("limit", None, 0, 3),
    ]


def test_a_programmed_limit_holds_boluses_back():
    frame, more = SETTINGS["programmed"]
    spec = dose_charts.boluses_against_limit_spec(charts.boluses_against_limit_table(frame, **more))
    assert [(row["x"], row["x2"]) for row in drawn(spec, "held back")] == [(1, 1.25), (0.75, 1.25)]
    assert [row["x"] for row in drawn(spec, "programmed")] == [1, 0.75]
    assert drawn(spec, "limit")[0]["label"] == "limit 6 mL/h: 3 at each of 2 sites"
    assert said(spec)[1].startswith("Boluses counted as worst window: the most that")
    assert "3 boluses: 0.5 mL/h of 0.75" in spec["description"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        # 30 / 3 sets; 12 / 3 + 1 positions; four turns of 3 days between.
        ("five positions", "10 sets in 30 days over 5 positions; each rests 12 days"),
        # two turns of 3 days between; sets 4 to 10.
        (
            "too soon",
            "10 sets in 30 days over 3 positions: 7 sets too soon, "
            "after 6 days of rest instead of 12",
        ),
        ("one set", "1 set in 2 days over 1 position; none is used twice"),
        ("nothing barred", "8 sets in 12 days over 1 position; each rests 0 days"),
    ],
)
def test_rotation_says_how_long_positions_rest(name, says):
    assert said(spec_of("rotation", name))[0] == says


def test_rotation_marks_what_is_used_too_soon_in_words():
    table = table_of("rotation", "too soon")
    assert table["barred_to_day"].to_list()[:2] == [15, 18]
    spec = dose_charts.rotation_spec(table)
    marks = {row["label"]: row["mark"] for row in drawn(spec, "set")}
    assert marks["3"] == ""
    assert marks["4"] == "too soon"
    assert drawn(spec, "barred")[0] == {"kind": "barred", "lane": 1, "day": 3, "to": 15}


def test_a_long_title_takes_lines_and_the_last_one_is_cut():
    hostile = charts.conversion_spread_table(CONVERSIONS["long names"])
    spec = dose_charts.conversion_spread_spec(hostile)
    assert len(spec["title"]["subtitle"]) == 3
    assert spec["title"]["subtitle"][-1].endswith("…")
    assert LONG_NAME.strip() in " ".join(spec["description"].split())
