"""Published limits: cited, dated, the strictest binding, and nothing from tier C."""

import datetime as dt

import polars as pl
import pytest

import subq_toolkit as sq
from subq_toolkit.catalog import dataset
from subq_toolkit.effective import STANDINGS, sources
from subq_toolkit.formulas import unit_of
from subq_toolkit.product_tables import (
    dose_ramp,
    insulin_basal_presets,
    product_named,
    published_kinetics,
    pump_settings,
    table,
)
from subq_toolkit.products import LIMITS, Circumstances, published_limits, rate_steps, uses_of

LISTED = [
    "general",
    "hypodermoclysis",
    "hyaluronidase_fluid",
    "hizentra",
    "cuvitru",
    "xembify",
    "gammagard_liquid",
    "gamunex_c",
    "cutaquig",
    "hyqvia",
    "furoscix",
    "treprostinil",
    "apomorphine",
    "foslevodopa",
    "deferoxamine",
    "pegcetacoplan",
    "insulin_pump",
]
FILES = sorted(path.stem for path in dataset("products").glob("*.csv"))


def binding(product: str | None, **given: object) -> dict[str, float]:
    limits = published_limits(product, Circumstances(**given))
    return dict(limits.filter("binds").select("limit", "value").rows())


def test_the_products_are_these() -> None:
    assert sq.products()["product"].to_list() == LISTED
    assert sq.products()["about"].null_count() == 0


@pytest.mark.parametrize("name", FILES)
def test_every_published_row_is_cited_and_to_be_read_again(name: str) -> None:
    rows = pl.read_csv(dataset("products") / f"{name}.csv", infer_schema=False)
    if name == "products":
        return
    assert set(rows["standing"]) <= set(STANDINGS)
    assert set(rows["source"]) <= set(sources())
    assert rows["review_by"].str.to_date().min() > dt.date(2026, 11, 23)
    remembered = rows.filter(pl.col("source") == "dose-memory")
    assert set(remembered["standing"]) <= {"unverified"}
    assert table(name)["cite"].str.contains(r"\[(sourced|inferred|unverified)").all()


def test_every_limit_has_a_label_a_unit_and_a_product() -> None:
    limits = table("limits")
    assert set(limits["limit"]) <= set(LIMITS)
    assert set(limits["product"]) == set(LISTED)
    assert all(unit_of(name) != "1" for name in LIMITS if name != "max_sites")


@pytest.mark.parametrize(
    ("product", "given", "limit", "value"),
    [
        (None, {}, "max_ml_per_h_per_site", 3),
        ("hizentra", {"infusion_number": 1}, "max_ml_per_h_per_site", 15),
        ("hizentra", {"infusion_number": 2}, "max_ml_per_h_per_site", 25),
        ("hizentra", {"infusion_number": 4}, "max_ml_per_site", 15),
        ("hizentra", {"infusion_number": 5}, "max_ml_per_site", 20),
        ("hizentra", {"infusion_number": 6}, "max_ml_per_site", 25),
        ("hizentra", {}, "max_ml_per_site", 15),
        ("hizentra", {"use": "cidp", "infusion_number": 2}, "max_ml_per_h_per_site", 50),
        ("hizentra", {"market": "JP"}, "max_ml_per_h", 50),
        ("hizentra", {}, "max_sites", 4),
        ("cuvitru", {"weight_kg": 39.9, "infusion_number": 2}, "max_ml_per_site", 20),
        ("cuvitru", {"weight_kg": 40, "infusion_number": 2}, "max_ml_per_site", 60),
        ("cuvitru", {"weight_kg": 39.9, "infusion_number": 3}, "max_ml_per_site", 60),
        ("cuvitru", {}, "max_ml_per_h", 240),
        ("xembify", {"age_y": 9.9}, "max_ml_per_h_per_site", 25),
        ("xembify", {"age_y": 10}, "max_ml_per_h_per_site", 35),
        ("gammagard_liquid", {"weight_kg": 40}, "max_ml_per_h", 240),
        ("gammagard_liquid", {"weight_kg": 39.9}, "max_ml_per_h", 160),
        ("gamunex_c", {"age_y": 30}, "max_ml_per_h_per_site", 20),
        ("cutaquig", {"age_y": 40, "infusion_number": 3}, "max_ml_per_h_per_site", 52),
        ("cutaquig", {"market": "EU", "infusion_number": 7}, "max_ml_per_h_per_site", 25),
        ("hyqvia", {"weight_kg": 70}, "max_ml_per_day", 1200),
        ("hyqvia", {"weight_kg": 30}, "max_ml_per_day", 600),
        ("furoscix", {}, "concentration_mg_per_ml", 8),
        ("treprostinil", {}, "max_ng_per_kg_per_min", 40),
        ("apomorphine", {}, "max_mg_per_h", 6),
        ("foslevodopa", {}, "max_mg_per_day", 3525),
        ("foslevodopa", {"market": "GB"}, "max_mg_per_day", 6000),
        ("foslevodopa", {}, "min_exclusion_days", 12),
        ("deferoxamine", {"use": "child"}, "max_mg_per_kg_per_day", 40),
        ("pegcetacoplan", {}, "max_ml_per_h_per_site", 20),
        ("insulin_pump", {"use": "steel_needle"}, "max_dwell_h", 48),
        ("hypodermoclysis", {}, "max_ml_per_h_per_site", 75),
        ("hypodermoclysis", {"market": "GB"}, "max_ml_per_day", 2000),
    ],
)
def test_the_published_value_that_binds(
    product: str | None, given: dict, limit: str, value: float
) -> None:
    assert binding(product, **given)[limit] == value


def test_a_source_of_tier_c_is_shown_and_never_binds() -> None:
    limits = published_limits("hypodermoclysis")
    low = limits.filter(pl.col("tier") == "C")
    assert low["value"].to_list() == [60, 120, 3000]
    assert not low["binds"].any()
    assert "max_ml_per_h" not in binding("hypodermoclysis")


def test_what_was_tried_or_measured_is_shown_and_never_binds() -> None:
    limits = published_limits("hizentra", Circumstances(market="EU", infusion_number=3))
    tried = limits.filter(kind="reported")
    assert tried["value"].to_list() == [100, 50]
    assert not tried["binds"].any()
    assert "max_ml_per_h_per_site" not in binding("hyaluronidase_fluid")


def test_several_strengths_do_not_bind() -> None:
    assert "concentration_mg_per_ml" not in binding("deferoxamine")
    assert "concentration_mg_per_ml" not in binding("treprostinil")


def test_the_general_limit_is_no_truth_for_other_products() -> None:
    for product in LISTED[1:]:
        assert binding(product).get("max_ml_per_h_per_site") != 3


def test_standings_are_carried_into_the_answer() -> None:
    sites = published_limits("hizentra").filter(pl.col("limit") == "max_sites")
    assert sites.select("value", "standing", "tier", "binds").rows() == [
        (4, "sourced", "B", True),
        (8, "unverified", "", False),
    ]
    ramp = rate_steps("hyqvia", Circumstances(weight_kg=70, infusion_number=3))
    assert set(ramp["standing"]) == {"unverified"}


def test_a_ramp_is_the_one_of_weight_and_number_and_the_slowest_if_neither_is_known() -> None:
    def ramp(**given: object) -> list[float]:
        return rate_steps("hyqvia", Circumstances(**given))["value"].to_list()

    assert ramp(weight_kg=70, infusion_number=2) == [10, 30, 60, 120, 240]
    assert ramp(weight_kg=70, infusion_number=3) == [10, 30, 120, 240, 300]
    assert ramp(weight_kg=39, infusion_number=1) == [5, 10, 20, 40, 80]
    assert ramp(weight_kg=39, infusion_number=5) == [10, 20, 40, 80, 160]
    assert ramp() == [5, 10, 20, 40, 80]
    assert rate_steps("hizentra").is_empty()


def test_the_dose_ramp_reaches_the_whole_dose() -> None:
    ramp = dose_ramp("hyqvia")
    by_interval = {
        weeks: rows.select("week", "percent").rows()
        for (weeks,), rows in ramp.group_by("interval_weeks", maintain_order=True)
    }
    assert by_interval == {
        3: [(1, 33), (2, 67), (4, 100)],
        4: [(1, 25), (2, 50), (4, 75), (7, 100)],
    }


@pytest.mark.parametrize(
    ("name", "product"),
    [("Hizentra", "hizentra"), (" J1559 ", "hizentra"), ("morphine", "general"),
     (None, "general"), ("Remodulin", "treprostinil"), ("gammaked", "gamunex_c")],
)  # fmt: skip
def test_a_product_is_found_by_its_names(name: str | None, product: str) -> None:
    assert product_named(name)["product"] == product


def test_an_unknown_product_gets_the_nearest_names() -> None:
    with pytest.raises(sq.InputError, match=r"Did you mean 'cuvitru'\? Known: general, hypoder"):
        product_named("cuvitro")
    with pytest.raises(sq.InputError, match="state limit_ml_per_h_per_site yourself"):
        published_limits("something else")


def test_uses_are_listed_with_the_usual_one_first() -> None:
    assert uses_of("hizentra") == ("primary_immunodeficiency", "cidp")
    assert uses_of("cuvitru") == ()


def test_further_tables_are_there() -> None:
    usable = published_kinetics().filter("usable")
    assert set(usable["preset"]) >= {"morphine_bolus", "monoclonal_antibody", "apomorphine"}
    assert usable["ka_per_h"].null_count() == 0
    contaminated = published_kinetics().filter(pl.col("preset") == "morphine_infusion")
    assert not contaminated["usable"].item()
    shares = insulin_basal_presets().filter(pl.col("preset") == "pump_workbook")
    assert shares.select("basal_fraction", "reduction_low", "reduction_high").row(0) == (
        0.5, 0.25, 0.3,
    )  # fmt: skip
    cadd = pump_settings().filter(pl.col("pump") == "cadd_pca")
    assert cadd.select("setting", "max", "step").row(0) == ("continuous_rate", 30, 0.1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"market": "us"}, "'market' is one of EU, GB, JP, US; something else was given"),
        ({"infusion_number": 0}, "'infusion_number' is a whole number from 1 on"),
        ({"weight_kg": -1}, r"'weight_kg' is a number above zero \[kg\]; it is negative"),
        ({"age_y": 131}, r"'age_y' .* \[years\]; it is above 130"),
    ],
)
def test_circumstances_that_cannot_be_are_refused(given: dict, message: str) -> None:
    with pytest.raises(sq.InputError, match=message):
        Circumstances(**given)
