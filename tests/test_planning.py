"""From a prescription to sites, minutes and units: a table that a pharmacist can sign."""

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import subq_toolkit as sq
from subq_toolkit.planning import NOTICE

CASES = pl.read_csv(Path(__file__).parent / "cases" / "plans.csv", infer_schema=False).rows(
    named=True
)
START = "2026-03-02 09:00"
HIZENTRA = {"product": "hizentra", "volume_ml": 80, "sites": 4, "infusion_number": 6}
TEXTS = ("use", "market")


def prescribed(case: dict) -> dict:
    pairs = (pair.split("=") for pair in case["prescription"].split("; "))
    given = {name: text if name in TEXTS else float(text) for name, text in pairs}
    counts = ("sites", "pumps", "infusion_number")
    whole = {name: int(given[name]) for name in counts if name in given}
    return given | whole | {"product": case["product"]}


def plan(**given: object) -> sq.Plan:
    return sq.plan_infusion(start_at=START, **given)


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case['product'] or 'general'}: {case['prescription']}"
)
def test_a_prescription_yields_sites_minutes_and_units(case: dict) -> None:
    made = plan(**prescribed(case))
    assert made.sites == int(case["sites"]), case["why"]
    assert made.duration_min == pytest.approx(float(case["minutes"])), case["why"]
    assert made.rate_ml_per_h == pytest.approx(float(case["rate_ml_per_h"])), case["why"]
    assert made.feasible is {"true": True, "false": False, None: None}[case["feasible"]]
    assert made.binding_limit == case["binding_limit"]
    units = " ".join(f"{code}x{count}" for code, count in made.units.items())
    assert units == case["units"], case["why"]


def test_the_example_of_the_front_page() -> None:
    made = plan(**HIZENTRA)
    assert made.site_volume_ml == 20
    assert dict(made.checks.select("limit", "use").rows()) == {
        "max_ml_per_h_per_site": 1.0,
        "max_ml_per_site": 0.8,
        "max_sites": 1.0,
    }
    assert str(made) == (
        "Hizentra (immune globulin 20 %): within every known limit. 80 mL over 4 sites in 48 min, "
        "set by rate at each site; 96369 ×1 if charted so"
    )
    assert repr(made) == f"<Plan: {made}>"


def test_planned_runs_are_those_the_coding_rules_see() -> None:
    made = plan(**HIZENTRA, pumps=2, setting="clinic")
    first, second = made.administrations
    assert (first.pump_id, second.pump_id) == ("A", "B")
    assert (first.site, second.site) == (
        "planned site 1, planned site 2",
        "planned site 3, planned site 4",
    )
    assert first.stop_at == dt.datetime(2026, 3, 2, 9, 48)
    assert first.volume_ml + second.volume_ml == 80
    assert (first.volume_ml, first.rate_ml_per_h, first.dose_mg) == (40, 50, 8000)
    assert made.units == sq.code_encounter(made.administrations).units == {"96369": 1, "96371": 1}
    assert made.coded.lines["revenue_code"].unique().to_list() == ["510"]


def test_sites_that_do_not_divide_are_shared_as_evenly_as_can_be() -> None:
    made = plan(volume_ml=25, sites=5, pumps=2)
    assert [run.needles for run in made.administrations] == [3, 2]
    assert [run.volume_ml for run in made.administrations] == [15, 10]
    assert {run.stop_at for run in made.administrations} == {dt.datetime(2026, 3, 2, 10, 40)}


def test_the_pump_is_rounded_last_and_the_unrounded_rate_is_kept() -> None:
    made = plan(dose_rate_mg_per_h=22.5, concentration_mg_per_ml=20, duration_h=8,
                pump_step_ml_per_h=0.1)  # fmt: skip
    # 22.5 / 20 = 1.125 mL/h, 9 mL in 8 h; set to 1.1 the pump takes 9 / 1.1 h = 490.909 min
    row = made.steps.row(0, named=True)
    assert (row["ml_per_h"], row["programmed_ml_per_h"]) == (1.125, pytest.approx(1.1))
    assert made.duration_min == 480
    assert made.programmed_min == {"A": pytest.approx(490.9090909)}
    assert made.infusion_min == 490


def test_rounding_goes_step_by_step_through_a_ramp() -> None:
    made = plan(product="furoscix", volume_ml=10, pump_step_ml_per_h=0.5)
    # 3.5 mL in the first hour, then 6.5 mL at 1.5 mL/h: 260 min
    assert made.steps["programmed_ml_per_h"].to_list() == [3.5, 1.5]
    assert made.programmed_min == {"A": pytest.approx(320)}


def test_what_another_site_count_limit_or_pump_count_does() -> None:
    table = sq.plan_variations(
        plan(volume_ml=18), sites=[1, 2, 3], limit_ml_per_h_per_site=[3, 6], pumps=[1, 2]
    )
    columns = ("sites", "pumps", "limit_ml_per_h_per_site", "duration_min", "units_96370",
               "units_96371")  # fmt: skip
    # 18 mL / (sites x limit); units of 96370 by (minutes - 31) / 60
    assert table.select(columns).rows() == [
        (1, 1, 3, 360, 5, 0),
        (1, 1, 6, 180, 2, 0),
        (2, 1, 3, 180, 2, 0),
        (2, 2, 3, 180, 2, 1),
        (2, 1, 6, 90, 0, 0),
        (2, 2, 6, 90, 0, 1),
        (3, 1, 3, 120, 1, 0),
        (3, 2, 3, 120, 1, 1),
        (3, 1, 6, 60, 0, 0),
        (3, 2, 6, 60, 0, 1),
    ]
    assert table["feasible"].all()
    assert table["infusion_min"].to_list() == table["duration_min"].to_list()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"volume_ml": 9}, "No product was named; these are the limits of 'general': a conventi"),
        (HIZENTRA, "The use was not stated; 'primary_immunodeficiency' of primary_immunodef"),
        (HIZENTRA, "Sites at once: published values differ; 4 binds, others give 8."),
        (HIZENTRA | {"infusion_number": None}, "'infusion_number' was not stated; limits depend"),
        ({"product": "cuvitru", "volume_ml": 20, "infusion_number": 1}, "'weight_kg' was not st"),
        ({"product": "xembify", "volume_ml": 20}, "'age_y' was not stated; limits depend on it"),
        (
            {"product": "hyqvia", "volume_ml": 20, "weight_kg": 70, "infusion_number": 3},
            "Unverified (remembered, or its headings were lost): Rate at each site, Publ",
        ),
        (
            {"product": "hyqvia", "volume_ml": 20, "weight_kg": 30, "infusion_number": 3},
            "Nothing is published for this 'weight_kg' on: volume at each site. Not checked.",
        ),
        (
            {"volume_ml": 9, "rate_ml_per_h": 4, "sites": 1},
            "Rate at each site: 4 planned, at most 3 mL/h/site [sourced].",
        ),
        (
            {"product": "hypodermoclysis", "volume_ml": 300, "rate_ml_per_h": 15},
            "Slowest rate at each site: 15 planned, at least 20 mL/h/site [sourced].",
        ),
        (
            {"product": "deferoxamine", "volume_ml": 20, "duration_h": 8},
            "Dose a day by weight: at most 40 mg/kg/day, not checked; it needs the concentration",
        ),
        (
            {"product": "deferoxamine", "volume_ml": 20, "duration_h": 8},
            "No limit of the rate is known here: that is not the same as fine.",
        ),
    ],
)
def test_what_has_to_be_known_is_said(given: dict, says: str) -> None:
    assert any(one.startswith(says) for one in plan(**given).warnings), plan(**given).warnings


@pytest.mark.parametrize(
    ("minutes", "hangs_on"),
    [(15, None), (16, 1), (20, 5), (21, None), (90, None), (91, 1), (95, 5), (96, None),
     (150, None), (151, 1), (152, 2)],
)  # fmt: skip
def test_a_plan_just_above_a_step_is_marked(minutes: int, hangs_on: int | None) -> None:
    made = plan(volume_ml=3 * minutes / 60, limit_ml_per_h_per_site=3)
    assert made.infusion_min == minutes
    marked = [one for one in made.warnings if "a unit begins at" in one]
    assert marked == ([] if hangs_on is None else [
        f"{minutes} min are planned and a unit begins at {minutes - hangs_on + 1}: it hangs on "
        f"{hangs_on} min. Chart exact times; never re-time an infusion for it."
    ])  # fmt: skip


def test_nothing_ever_suggests_to_slow_an_infusion_for_units() -> None:
    for minutes in range(1, 240, 7):
        said = " ".join(plan(volume_ml=3 * minutes / 60).warnings).lower()
        assert not any(word in said for word in ("slow", "longer", "extend", "stretch"))
    assert "never slowed, stretched or split for units" in NOTICE


def test_the_notebook_page_names_limits_and_carries_the_notice() -> None:
    page = plan(**HIZENTRA)._repr_html_()
    assert NOTICE in page
    assert "<td>Rate at each site</td><td>25</td><td>25 mL/h/site</td><td>100%</td>" in page


def test_every_number_of_a_plan_has_its_source() -> None:
    sources = plan(product="hyqvia", volume_ml=200, weight_kg=70, infusion_number=4).sources
    assert sources["cite"].str.len_chars().min() > 20
    assert sources["limit"].to_list()[-5:] == [f"ramp, step {step}" for step in range(1, 6)]
    assert set(sources["standing"]) == {"sourced", "unverified"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, r"State what is infused: 'volume_ml' \[mL\], or 'dose_mg'"),
        ({"rate_ml_per_h": 3}, "State what is infused"),
        ({"duration_h": 3}, "State what is infused"),
        ({"volume_ml": 9, "dose_mg": 9}, "The amount is stated twice: volume_ml, dose_mg"),
        ({"volume_ml": 9, "rate_ml_per_h": 3, "duration_h": 3}, "The amount is stated twice"),
        ({"rate_ml_per_h": 3, "dose_rate_mg_per_h": 3, "duration_h": 3}, "is stated twice"),
        ({"dose_mg": 60}, r"'dose_mg' also needs 'concentration_mg_per_ml' \[mg/mL\]: the product"),
        ({"product": "treprostinil", "dose_mg": 60, "duration_h": 24}, "on record, or several"),
        ({"product": "treprostinil", "dose_ng_per_kg_per_min": 10, "duration_h": 24,
          "concentration_mg_per_ml": 5}, r"also needs 'weight_kg' \[kg\]"),
        ({"product": "deferoxamine", "volume_ml": 9}, "No rate limit is published for "
         "deferoxamine, and the general one is not its truth. State a rate"),
        ({"product": "hizentr", "volume_ml": 9}, r"no product of that name\. Did you mean "
         "'hizentra'"),
        ({"volume_ml": 0}, r"'volume_ml' is a number above zero, .* \[mL\]; it is zero"),
        ({"volume_ml": -1}, "it is negative"),
        ({"volume_ml": "80 mL"}, r"'volume_ml' is a number above zero, .* \[mL\], not a str"),
        ({"volume_ml": 9, "sites": 0}, "'sites' is a whole number from 1 to 100"),
        ({"volume_ml": 9, "sites": 1, "pumps": 2}, "Every pump needs a site of its own"),
        ({"volume_ml": 9, "weight_kg": 501}, r"'weight_kg' .* \[kg\]; it is above 500"),
        ({"volume_ml": 9, "use": "cidp"}, "'use' is left out for this product"),
        ({"product": "hizentra", "volume_ml": 9, "use": "flu"}, "'use' is one of 'primary_immuno"),
        ({"volume_ml": 9, "market": "FR"}, "'market' is one of EU, GB, JP, US"),
        ({"product": "cutaquig", "volume_ml": 9, "age_y": 1.9}, r"No published "
         r"max_ml_per_h_per_site of cutaquig holds for this 'age_y' \[years\], nor any other"),
    ],
)  # fmt: skip
def test_what_cannot_be_planned_is_refused_with_the_remedy(given: dict, message: str) -> None:
    with pytest.raises(sq.InputError, match=message):
        plan(**given)


def test_a_limit_of_ones_own_does_not_silence_the_published_one() -> None:
    bold = plan(**HIZENTRA, limit_ml_per_h_per_site=300)
    assert bold.feasible is False
    assert "Rate at each site: 300 planned, at most 25 mL/h/site [sourced]." in bold.warnings
    assert plan(**HIZENTRA, limit_ml_per_h_per_site=20).feasible
    assert plan(volume_ml=9, limit_ml_per_h_per_site=6).feasible  # no product is named


@pytest.mark.parametrize(
    ("given", "feasible"),
    [
        # three days at 0.6 mL/h of 240 mg/mL: 3,456 mg a day, of 3,525
        ({"product": "foslevodopa", "rate_ml_per_h": 0.6, "duration_h": 72}, None),
        ({"product": "foslevodopa", "rate_ml_per_h": 0.62, "duration_h": 72}, False),
        # 1,200 of 3,000 mL a day, 16.7 mL/h at a site is slower than 20
        ({"product": "hypodermoclysis", "volume_ml": 3600, "duration_h": 72, "sites": 3}, False),
        ({"product": "hypodermoclysis", "volume_ml": 3000, "duration_h": 72, "sites": 2}, True),
        ({"product": "furoscix", "volume_ml": 20}, False),  # 684 min, and the device runs 5 h
        ({"product": "pegcetacoplan", "volume_ml": 40, "sites": 2}, False),
        ({"product": "hizentra", "volume_ml": 20, "market": "GB", "duration_h": 1}, None),
        ({"product": "hyaluronidase_fluid", "volume_ml": 500, "rate_ml_per_h": 100}, None),
        ({"product": "deferoxamine", "dose_mg": 1100, "concentration_mg_per_ml": 95,
          "duration_h": 10, "weight_kg": 20}, False),  # 55 mg/kg, and a child has 40
        ({"product": "apomorphine", "rate_ml_per_h": 0.8, "duration_h": 16,
          "pump_step_ml_per_h": 0.5}, False),  # at 0.5 mL/h it takes 25.6 h, of 16 a day
        ({"product": "hypodermoclysis", "volume_ml": 400, "rate_ml_per_h": 20,
          "pump_step_ml_per_h": 15}, False),  # rounded to 15, below 20
    ],
)  # fmt: skip
def test_limits_are_held_against_what_will_run(given: dict, feasible: bool | None) -> None:
    made = plan(**given)
    assert made.feasible is feasible, made.checks


def test_what_was_tried_or_measured_is_no_limit() -> None:
    with pytest.raises(sq.InputError, match="No rate limit is published for hizentra"):
        plan(product="hizentra", volume_ml=80, market="GB", infusion_number=6)
    with pytest.raises(sq.InputError, match="No rate limit is published for hyaluronidase_fluid"):
        plan(product="hyaluronidase_fluid", volume_ml=500)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"product": "hyqvia", "volume_ml": 300, "duration_h": 1.5, "weight_kg": 70,
          "infusion_number": 5}, "90 min follow from what was asked for; by the published ramp "),
        ({"volume_ml": 9, "rate_ml_per_h": 1.25, "pump_step_ml_per_h": 0.5},
         "Rounded to what the pump can be set to it takes 540 min, not 432."),
        ({"product": "foslevodopa", "rate_ml_per_h": 0.1, "duration_h": 100},
         "A set stays at most 72 h [sourced]: 2 sets are needed on the way."),
        ({"product": "hyqvia", "dose_mg": 30000, "weight_kg": 70, "infusion_number": 1},
         "First doses are published as a share of the whole: infusion 1 is 33 % (every 3 weeks) o"),
        ({"product": "hypodermoclysis", "volume_ml": 1000},
         "Rate at each site: the source says less than 75 mL/h/site."),
    ],
)  # fmt: skip
def test_what_follows_from_the_plan_is_said(given: dict, says: str) -> None:
    assert any(one.startswith(says) for one in plan(**given).warnings), plan(**given).warnings


def test_a_clock_change_does_not_change_what_is_infused() -> None:
    made = sq.plan_infusion(
        volume_ml=18, start_at="2026-03-08 01:00", facility_zone="America/New_York"
    )
    assert made.duration_min == made.infusion_min == 360
    assert made.administrations[0].stop_at == dt.datetime(2026, 3, 8, 8)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"volume_ml": 1e9}, "it is above 1e"),
        ({"volume_ml": 10**400}, "it is not a finite number"),
        ({"volume_ml": 5e-324}, "it is below 1e-09"),
        ({"volume_ml": 1e6}, "run for more than 31 days"),
        ({"volume_ml": 9, "duration_h": 1e-8}, "need more than 100 sites"),
        ({"volume_ml": 80, "pumps": 10**6}, "'pumps' is a whole number from 1 to 100"),
        ({"volume_ml": 9, "pumps": None}, "'pumps' is a whole number from 1 to 100"),
        ({"volume_ml": 9, "use": ["cidp"]}, "'use' is text"),
        ({"volume_ml": 9, "product": ["hizentra"]}, "'product' is a name as text"),
        ({"volume_ml": 9, "pump_step_ml_per_h": 5}, "'pump_step_ml_per_h' .* is larger than"),
    ],
)
def test_extremes_are_refused_at_once(given: dict, message: str) -> None:
    with pytest.raises(sq.InputError, match=message):
        plan(**given)


def test_whole_floats_and_numpy_numbers_are_numbers() -> None:
    assert str(plan(volume_ml=np.float32(9), sites=4.0, pumps=np.int64(2))).startswith("General")
    varied = sq.plan_variations(plan(volume_ml=18), sites=np.arange(1, 4), pumps=1)
    assert varied["sites"].to_list() == [1, 2, 3]
    with pytest.raises(sq.InputError, match="Nothing is left to vary"):
        sq.plan_variations(plan(volume_ml=18), sites=[1], pumps=[2])
    with pytest.raises(sq.InputError, match="'sites' is a whole number"):
        sq.plan_variations(plan(volume_ml=18), sites=[0])


def test_a_users_edit_of_an_answer_changes_no_other_answer() -> None:
    mine = sq.published_limits("cuvitru")
    mine[0, "value"] = 999.0
    assert sq.published_limits("cuvitru")[0, "value"] != 999.0
    listed = sq.products()
    listed[0, "name"] = "edited"
    assert sq.products()[0, "name"] != "edited"


def test_the_age_bands_begin_where_they_are_published() -> None:
    given = {"product": "cutaquig", "volume_ml": 9, "infusion_number": 3}
    assert plan(**given, age_y=2).checks["value"].to_list()[:2] == [25, 15.5]
    assert plan(**given, age_y=16.9).checks["value"].to_list()[:2] == [25, 29]
    assert plan(**given, age_y=17).checks["value"].to_list()[:2] == [52, 40]


def test_without_a_start_the_plan_is_for_today() -> None:
    made = sq.plan_infusion(volume_ml=9)
    assert made.administrations[0].start_at.hour == 9
    assert made.units == {"96369": 1, "96370": 2}


@given(st.floats(0.1, 500), st.integers(1, 7))
def test_one_more_site_never_lengthens_and_never_exceeds_more(volume: float, sites: int) -> None:
    fewer, more = (
        plan(product="hyqvia", volume_ml=volume, sites=n, weight_kg=70, infusion_number=3)
        for n in (sites, sites + 1)
    )
    assert more.duration_min <= fewer.duration_min * (1 + 1e-9)
    assert sum(s.ml for s in more.stretches) * more.sites == pytest.approx(volume)


@given(st.floats(0.1, 500), st.floats(0.5, 100))
def test_a_known_limit_is_never_exceeded_by_a_free_rate(volume: float, limit: float) -> None:
    made = plan(product="cuvitru", volume_ml=volume, weight_kg=70, infusion_number=3,
                limit_ml_per_h_per_site=limit)  # fmt: skip
    over = made.checks.filter(~pl.col("within"))["limit"].to_list()
    rate = made.rate_ml_per_h / made.sites  # the published 60 still counts
    assert ("max_ml_per_h_per_site" in over) == (rate > 60 * (1 + 1e-9))
    assert set(over) <= {"max_sites", "max_ml_per_h_per_site", "max_ml_per_h"}
    assert made.feasible == (not over)
