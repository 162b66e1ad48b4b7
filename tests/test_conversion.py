"""From a vein to under the skin: a stated ratio beside the range of the published ones."""

from datetime import date

import polars as pl
import pytest

import subq_toolkit as sq
from subq_toolkit.conversion import iv_to_sc_drugs
from subq_toolkit.dosing import immunoglobulin_dose_g


def test_ten_milligrams_of_morphine() -> None:
    converted = sq.convert_iv_to_sc(drug="morphine", iv_dose=10, unit="mg", preset="fast_fact")
    assert (converted.ratio, converted.sc_dose, converted.chosen) == (1, 10, "fast_fact")
    # bolus bioavailability 113.6 % gives 0.88; one table implies up to 1.6; the tier C sheet
    # with 1.5 is shown and does not widen the range
    assert (converted.lowest, converted.highest) == pytest.approx((8.8, 16))
    assert str(converted) == (
        "morphine: 10 mg intravenous × 1 (fast_fact) = 10 mg subcutaneous; published ratios give "
        "8.8 to 16 mg"
    )
    assert "Fast Fact" in converted.cite
    sheet = converted.presets.filter(pl.col("preset") == "combined_sheet")
    assert sheet.select("tier", "in_range", "sc_dose").row(0) == ("C", False, 15)


def test_a_ratio_of_ones_own_is_marked_as_such() -> None:
    converted = sq.convert_iv_to_sc(drug="morphine", iv_dose=10, unit="mg/h", ratio=1.1)
    assert converted.sc_dose == pytest.approx(11)
    assert (converted.chosen, converted.cite) == ("stated", "ratio stated by the user")


@pytest.mark.parametrize(
    ("day", "preset", "ratio"),
    [
        (date(2014, 12, 31), "hizentra_us_before_2015", 1.53),
        (date(2015, 1, 1), "hizentra_us", 1.37),
        (date(2026, 3, 2), "hizentra_eu", 1.0),
        (None, "hizentra_us", 1.37),
    ],
)
def test_ratios_are_dated(day: date | None, preset: str, ratio: float) -> None:
    given = {"drug": "immunoglobulin", "iv_dose": 30, "unit": "g"}
    assert sq.convert_iv_to_sc(**given, preset=preset, on=day).ratio == ratio


def test_a_ratio_that_no_longer_holds_is_refused() -> None:
    given = {"drug": "immunoglobulin", "iv_dose": 30, "unit": "g"}
    with pytest.raises(sq.InputError, match="no preset of that name for immunoglobulin on that"):
        sq.convert_iv_to_sc(**given, preset="hizentra_us_before_2015", on=date(2015, 1, 1))
    now = sq.iv_to_sc_presets("immunoglobulin")
    assert "hizentra_us_before_2015" not in now["preset"]


@pytest.mark.parametrize("drug", iv_to_sc_drugs())
def test_every_ratio_is_cited_and_within_its_own_spread(drug: str) -> None:
    presets = sq.iv_to_sc_presets(drug)
    assert presets["cite"].null_count() == 0
    assert presets["preset"].is_unique().all()
    assert presets.select((pl.col("ratio") >= pl.col("ratio_low")).all()).item()
    assert presets.select((pl.col("ratio") <= pl.col("ratio_high")).all()).item()
    assert presets["ratio"].is_sorted()


def test_the_drugs_are_these() -> None:
    assert iv_to_sc_drugs() == [
        "morphine", "hydromorphone", "fentanyl", "ketamine", "insulin", "furosemide",
        "treprostinil", "immunoglobulin",
    ]  # fmt: skip


def test_what_is_only_remembered_or_of_tier_c_makes_no_range() -> None:
    ketamine = sq.iv_to_sc_presets("ketamine")
    assert ketamine["standing"].to_list() == ["unverified"]
    one = sq.convert_iv_to_sc(drug="ketamine", iv_dose=10, unit="mg", preset="practice")
    assert (one.sc_dose, one.lowest, one.highest) == (10, None, None)
    assert "no ratio with a source of authority is published" in str(one)
    insulin = sq.convert_iv_to_sc(drug="insulin", iv_dose=40, unit="u", preset="journal_table")
    assert (insulin.lowest, insulin.highest) == (32, 32)
    assert insulin.presets["in_range"].to_list() == [False, True, False]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "State either 'ratio' or 'preset'; sources disagree and none is taken silently"),
        ({"ratio": 1.0, "preset": "fast_fact"}, "State either 'ratio' or 'preset'"),
        (
            {"preset": "fast_facts"},
            r"no preset of that name for morphine .*Did you mean 'fast_fact",
        ),
        ({"ratio": 0}, r"'ratio' is a number above zero \[1\]; it is zero"),
        ({"ratio": 1, "iv_dose": -1}, "'iv_dose' is a number, zero or more"),
        ({"ratio": 1, "drug": "morfine"}, r"No ratio is published .*Did you mean 'morphine'"),
        ({"ratio": 1, "drug": "methadone"}, "For another drug state the ratio and compute"),
    ],
)
def test_a_silent_ratio_is_refused(given: dict, message: str) -> None:
    usual = {"drug": "morphine", "iv_dose": 10, "unit": "mg"}
    with pytest.raises(sq.InputError, match=message):
        sq.convert_iv_to_sc(**usual | given)


def test_a_regimen_of_thirty_grams_every_four_weeks() -> None:
    # 30 / 4 × 1.37 = 10.275 g a week, 5.1375 g twice a week, 20.55 g every two weeks
    given = {"iv_dose_g": 30, "iv_interval_weeks": 4, "factor": 1.37}
    assert immunoglobulin_dose_g(**given) == pytest.approx(10.275)
    assert immunoglobulin_dose_g(**given, split=2) == pytest.approx(5.1375)
    assert immunoglobulin_dose_g(**given, sc_interval_weeks=2) == pytest.approx(20.55)
