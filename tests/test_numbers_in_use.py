"""Every number with its source: nothing left out, nothing twice, nothing reworded."""

import csv
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from itertools import product
from pathlib import Path

import polars as pl
import pytest

import subq_toolkit as sq
from subq_toolkit.numbers_in_use import (
    contradictions,
    number_summary,
    numbers_in_use,
    provenance,
    published_numbers,
    rule_numbers,
)
from subq_toolkit.policy import Policy
from subq_toolkit.products import LIMITS

CLONE = Path(__file__).resolve().parents[1]
PARAMETERS, DATASETS = CLONE / "subq_toolkit" / "parameters", CLONE / "datasets"
#: Hold only words by which files are read, and invented rows: no number in use.
NO_NUMBERS = ("vocabulary", "charge_words", "deidentification")
INVENTED = ("administrations", "charges", "chart_exports", "claims", "clinical_exports")
#: Columns of the published tables that hold no figure.
NO_FIGURES = """
start since until source standing review_by note unit unit_standing product limit market use kind
drug preset usable pump setting name names about infusion_from infusion_to weight_from_kg
weight_below_kg age_from_y age_below_y locality state area apm column_1 column_2 add_on primary code
interval_weeks
"""
#: Columns that name a row in one file and are figures in another.
KEYS = {"steps": ["step"], "dose_ramps": ["infusion"]}
KEYED_BY_CODE = ["relative_values", "opps_rates", "drug_limits", "unlikely_edits"]
DAY = date(2027, 2, 1)


@cache
def every():
    return numbers_in_use()


def parsed(path):
    return tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)


def parameter_files():
    files = sorted(PARAMETERS.glob("*.toml"))
    return [one for one in files if not one.stem.endswith("sources") and one.stem not in NO_NUMBERS]


def published_files():
    return sorted(one for one in DATASETS.glob("*/*.csv") if one.parent.name not in INVENTED)


def entries(table):
    """Every place of a parameter file that names a source."""
    if "values" in table and isinstance(table["values"], list):
        return list(table["values"])
    if "source" in table:
        return [table]
    return [one for part in table.values() if isinstance(part, dict) for one in entries(part)]


def figures(path):
    """Every figure of a published table as text."""
    named = [
        *NO_FIGURES.split(),
        *KEYS.get(path.stem, []),
        *["hcpcs"] * (path.stem in KEYED_BY_CODE),
    ]
    with path.open(encoding="utf-8", newline="") as lines:
        return [
            text
            for row in csv.DictReader(lines)
            for column, text in row.items()
            if text and column not in named
        ]


def of_file(path):
    return every().filter(pl.col("file") == path.relative_to(CLONE).as_posix())


def named(name, subject):
    return every().filter(name=name, subject=subject)


# What is there --------------------------------------------------------------------------------


def test_columns_and_types():
    assert dict(every().schema) == {
        "subject": pl.String,
        "name": pl.String,
        "label": pl.String,
        "value": pl.String,
        "unit": pl.String,
        "start": pl.Date,
        "until": pl.Date,
        "standing": pl.String,
        "tier": pl.String,
        "source": pl.String,
        "href": pl.String,
        "read_on": pl.Date,
        "review_by": pl.Date,
        "note": pl.String,
        "graded": pl.String,
        "file": pl.String,
        "in_effect": pl.Boolean,
        "due": pl.Boolean,
    }
    never_null = ["subject", "name", "label", "value", "standing", "graded", "file"]
    assert every().select(never_null).null_count().row(0) == (0,) * len(never_null)
    assert set(every()["standing"]) == {"sourced", "inferred", "unverified", "house"}


@pytest.mark.parametrize("path", parameter_files(), ids=lambda path: path.stem)
def test_every_entry_of_a_parameter_file_is_there_once(path):
    table, told = parsed(path), of_file(path)
    if path.stem == "policies":
        answers = [one for name in table["choices"] for one in table["choices"][name]["answers"]]
        presets = [
            str(one) for each in table["presets"].values() for one in each["values"].values()
        ]
        assert sorted(told["value"]) == sorted([*answers, "0", "1 to 60", *presets])
        return
    found = entries(table)
    assert found
    assert told.height == len(found)
    assert Counter(told["graded"]) == Counter(one["standing"] for one in found)
    dated = [one for one in found if "value" in one]
    assert Counter(str(one["value"]) for one in dated) <= Counter(told["value"])
    assert Counter(told["start"].drop_nulls()) == Counter(one["start"] for one in dated)
    assert told["until"].count() == sum("until" in one for one in dated)


@pytest.mark.parametrize("path", published_files(), ids=lambda path: path.stem)
def test_every_figure_of_a_published_table_is_there_once(path):
    assert figures(path)
    assert Counter(of_file(path)["value"]) == Counter(figures(path))


def test_no_file_is_left_out():
    files = [one.relative_to(CLONE).as_posix() for one in (*parameter_files(), *published_files())]
    assert sorted(every()["file"].unique()) == sorted(files)
    assert {one.name for one in DATASETS.iterdir() if one.is_dir()} == {
        *INVENTED,
        *published_numbers.FOLDERS,
    }


@pytest.mark.parametrize(
    ("file", "rows"),
    [
        # eight codes of 2008 and since; nine numbers of time; three edits in three spans
        ("subq_toolkit/parameters/codes.toml", 8),
        ("subq_toolkit/parameters/infusion_time.toml", 9),
        ("subq_toolkit/parameters/unlikely_edits.toml", 9),
        # 17 answers, two of the bridged pause, seven settings of presets
        ("subq_toolkit/parameters/policies.toml", 26),
        ("datasets/products/limits.csv", 148),
        ("datasets/products/dose_ramps.csv", 7 * 2),
        ("datasets/fees/gpcis.csv", 889 * 3),
        ("datasets/fees/relative_values.csv", 242 * 7),
        ("datasets/fees/payment_rules.csv", 22),
        # 318 rows: 318 indicators, 224 rates, and 144 each of class, weight and copayment
        ("datasets/fees/opps_rates.csv", 318 + 224 + 3 * 144),
        ("datasets/hospital_prices/hospital_prices.csv", 788 * 7),
    ],
)
def test_counts_by_hand(file, rows):
    assert every().filter(file=file).height == rows


@pytest.mark.parametrize(
    ("subject", "name", "start", "value", "unit"),
    [
        ("infusion time", "additional_hour_more_than", date(2008, 1, 1), "30", "min"),
        ("codes", "first_hour", date(2009, 1, 1), "96369", "code"),
        ("unlikely edits", "further_hour", date(2024, 7, 1), "3", "1"),
        ("findings", "missing_start", None, "high, query", None),
        ("checklist", "indication", None, "first_hour, further_hour", None),
        ("policies", "missing_stop.short", None, "short", None),
        ("policies", "presets.bag_changes_count.bridge_pauses_min", None, "5", "min"),
        ("payment rules", "medicare_coinsurance", date(2017, 1, 24), "0.20", "1"),
        ("payment rules", "rate", date(2020, 5, 1), "0.00", "1"),
        ("physician schedule", "all.conversion_factor", date(2009, 1, 1), "36.0666", "USD/RVU"),
        ("physician schedule", "96360.work_rvu", date(2020, 1, 1), "0.17", "RVU"),
        ("outpatient schedule", "96360.si", date(2019, 1, 1), "S", None),
        ("drug payment limits", "J0895.unit_amount", date(2019, 1, 1), "500", "mg"),
        ("hospital prices", "96360.US.cash.median", date(2026, 1, 28), "344.00", "USD"),
        ("product limits", "hyqvia.max_ml_per_site", None, "600", "mL/site"),
        ("pump settings", "cadd_pca.demand_dose.max", None, "9.9", "mL"),
        ("absorption", "apomorphine.ka_per_h", None, "17.6", "1/h"),
        ("product codes", "hizentra.hcpcs", None, "J1559", "code"),
    ],
)
def test_values_are_told_as_written(subject, name, start, value, unit):
    rows = named(name, subject).filter(pl.col("start").eq_missing(pl.lit(start, pl.Date)))
    assert rows.select("value", "unit").rows() == [(value, unit)]


def test_labels_say_what_a_figure_is_of():
    ramp = every().filter(subject="rate steps and ramps", name="hyqvia.4.3.percent")
    assert ramp["label"].item() == "Share of the full dose: hyqvia, infusion 3, dose every 4 weeks"
    labels = set(named("hizentra.max_ml_per_h_per_site", "product limits")["label"])
    assert "Rate at each site: hizentra, US, primary immunodeficiency, from infusion 2" in labels
    assert "Rate at each site: hizentra, reported, infusion 1" in labels
    assert "Volume at each site: hizentra, EU, from infusion 2, from 18 years" in set(
        every()["label"]
    )


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({}, []),
        ({"infusion_from": "1", "infusion_to": "1"}, ["infusion 1"]),
        ({"infusion_from": 2, "infusion_to": 4}, ["infusion 2 to 4"]),
        ({"infusion_from": 3}, ["from infusion 3"]),
        ({"infusion_to": 2}, ["up to infusion 2"]),
        ({"weight_below_kg": 40.0, "age_from_y": 18.0}, ["below 40 kg", "from 18 years"]),
        ({"age_from_y": 2.0, "age_below_y": 7.5}, ["2 to below 7.5 years"]),
    ],
)
def test_bands_in_words(row, told):
    assert published_numbers.bands_in_words(row) == told


def test_rows_come_in_the_order_of_the_files_every_time():
    provenance_again = provenance.with_sources(
        [*rule_numbers.rule_numbers(), *published_numbers.published_numbers()]
    )
    assert provenance_again.equals(every().drop("in_effect", "due"))
    codes = every().filter(subject="codes")
    assert codes["value"].to_list()[:4] == ["90769", "96369", "90770", "96370"]


def test_versions_come_oldest_first_however_the_file_has_them():
    rest = {"source": "house", "standing": "house"}
    versions = [{"start": date(year, 1, 1), "value": year} | rest for year in (2026, 2008, 2017)]
    told = rule_numbers._entries("x", {"a": {"label": "A", "unit": "1", "values": versions}})
    assert [row["value"] for row in told] == ["2008", "2017", "2026"]


# What supports it -----------------------------------------------------------------------------


def test_verified_and_single_source_are_both_sourced_and_stay_apart():
    pairs = set(every().select("graded", "standing").rows())
    assert pairs == {
        ("sourced", "sourced"),
        ("verified", "sourced"),
        ("single source", "sourced"),
        ("inferred", "inferred"),
        ("unverified", "unverified"),
        ("house", "house"),
    }


def test_what_nobody_can_have_read_has_no_day_of_reading():
    unread = every().filter(pl.col("read_on").is_null())
    assert set(unread["source"]) == {
        None,
        "subq_toolkit convention; no payer's rule",
        "CPT parenthetical notes under the subcutaneous infusion codes, from memory; "
        "not found in any copy read",
        "Remembered; no source could be read",
        "General knowledge; no source was read",
        "Cochran, Sampling Techniques (3rd ed. 1977), sections 5.4 and 6.11, from memory; "
        "no copy could be read",
    }
    assert set(unread["standing"]) == {"house", "unverified"}
    memory = every().filter(pl.col("source").str.contains("(?i)memory|remembered|no source"))
    assert memory["read_on"].null_count() == memory.height > 0
    pricer = named("opps_labor_share", "payment rules").filter(standing="sourced")
    assert pricer.select("href", "read_on").rows() == [(None, date(2026, 11, 25))]


def test_sources_are_told_with_title_address_tier_and_day():
    row = named("initial_hour_at_least", "infusion time").row(0, named=True)
    assert row["source"] == "Revenue Cycle Advisor, infusions with no documented stop time"
    assert row["href"].startswith("https://revenuecycleadvisor.com/")
    assert (row["tier"], row["read_on"]) == (None, date(2026, 11, 23))
    assert row["standing"] == "inferred"
    assert row["note"].startswith("Sourced for intravenous infusions")
    tiers = named("hypodermoclysis.max_ml_per_h_per_site", "product limits")
    assert tiers.select("value", "tier").rows() == [("75", "B"), ("60", "C")]


def test_a_billed_unit_and_a_lowered_copayment_have_sources_of_their_own():
    units = every().filter(name="J1559.unit_amount")
    assert set(units["source"].str.slice(0, 31)) == {"CMS HCPCS level II list of July"}
    assert set(units["graded"]) == {"single source"}
    remembered = every().filter(name="J1557.unit_amount")
    assert set(remembered["standing"]) == {"unverified"}
    assert remembered["read_on"].null_count() == remembered.height == 24
    copay = every().filter(pl.col("name").str.ends_with(".copay_usd"))
    assert set(copay["source"].str.slice(0, 19)) == {"CMS ASC Addendum BB"}
    assert copay.height == 287 - 272


def test_figures_whose_rows_name_no_source():
    codes = every().filter(pl.col("source").is_null())
    assert set(codes["file"]) == {"datasets/products/products.csv"}
    assert set(codes["standing"]) == {"unverified"}
    assert codes["note"].str.contains("No source is named").all()
    prices = every().filter(subject="hospital prices")
    assert set(prices["standing"]) == {"inferred"}
    assert set(prices["source"]) == {
        "Price files of US hospitals, collected in data/, 28 January 2026"
    }


def test_the_default_of_a_policy_is_noted():
    noted = every().filter(pl.col("note") == "Taken where nothing else is chosen.")
    assert sorted(noted["name"]) == sorted(
        [
            "missing_stop.query",
            "midnight.start_date",
            "seconds.drop",
            "unit_cap.none",
            "second_encounter.refer",
            "intravenous.report",
            "running_at_discharge.refer",
            "home.report",
            "bridge_pauses_min.none",
        ]
    )


# The day --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "in_effect"),
    [
        (date(2007, 12, 31), [False, False]),
        (date(2008, 1, 1), [True, False]),
        (date(2008, 12, 31), [True, False]),
        (date(2009, 1, 1), [False, True]),
        (date(2199, 1, 1), [False, True]),
    ],
)
def test_first_and_last_day_are_in_effect_and_the_day_after_is_not(day, in_effect):
    codes = numbers_in_use(on=day).filter(subject="codes", name="first_hour")
    assert codes["value"].to_list() == ["90769", "96369"]
    assert codes["in_effect"].to_list() == in_effect


def test_only_an_end_or_no_day_at_all():
    ratios = ("immunoglobulin.hizentra_us_before_2015.ratio", "insulin.journal_table.ratio")
    since = "immunoglobulin.hizentra_us.ratio"
    for day, held in ((date(2014, 12, 31), True), (date(2015, 1, 1), False)):
        numbers = numbers_in_use(on=day)
        told = [numbers.filter(name=name)["in_effect"].item() for name in (*ratios, since)]
        assert told == [held, True, not held]


@pytest.mark.parametrize(
    ("day", "due"),
    [(date(2027, 1, 30), False), (date(2027, 1, 31), False), (date(2027, 2, 1), True)],
)
def test_a_review_is_due_from_the_day_after(day, due):
    codes = numbers_in_use(on=day).filter(subject="revenue codes")
    assert codes["review_by"].unique().to_list() == [date(2027, 1, 31)]
    assert codes["due"].to_list() == [due] * 3


def test_without_a_day_nothing_is_in_effect_or_due():
    for column in ("in_effect", "due"):
        assert every()[column].null_count() == every().height
    asked = numbers_in_use(on=DAY)
    assert asked["in_effect"].null_count() == 0
    assert asked.filter(pl.col("due").is_null())["review_by"].count() == 0
    assert asked.filter(pl.col("review_by").is_null())["due"].count() == 0


@pytest.mark.parametrize("day", ["2026-03-02", 2026, datetime(2026, 3, 2)])
def test_a_day_is_a_date(day):
    with pytest.raises(sq.InputError, match="'on' is a date"):
        numbers_in_use(on=day)


# What is refused, and what moves ---------------------------------------------------------------

SHOW = (
    "import polars as pl; from subq_toolkit.numbers_in_use import numbers_in_use; "
    "numbers_in_use().write_csv('told.csv')"
)


def test_a_moved_value_shows_up_and_nothing_else_does(tmp_path):
    shutil.copytree(CLONE / "subq_toolkit", tmp_path / "subq_toolkit")
    shutil.copytree(DATASETS, tmp_path / "datasets")
    (tmp_path / "pyproject.toml").touch()
    changed = {
        "subq_toolkit/parameters/infusion_time.toml": ("value = 30\n", "value = 29\n"),
        "datasets/fees/sequestration.csv": ("0.01,", "0.015,"),
    }
    for file, (old, new) in changed.items():
        text = (tmp_path / file).read_text("utf-8")
        assert text.count(old) == 1
        (tmp_path / file).write_text(text.replace(old, new), "utf-8")
    subprocess.run([sys.executable, "-c", SHOW], cwd=tmp_path, check=True, timeout=60)
    moved = pl.read_csv(tmp_path / "told.csv", infer_schema=False)
    told = every().select(pl.all().cast(pl.String))
    assert moved.height == told.height
    differs = moved["value"] != told["value"]
    assert moved.filter(differs).select("name", "value").rows() == [
        ("additional_hour_more_than", "29"),
        ("rate", "0.015"),
    ]
    assert moved.drop("value").equals(told.drop("value"))


def test_an_entry_without_a_source_is_refused():
    with pytest.raises(sq.InputError, match=r"x\.toml: 'group\.limit' has no source"):
        list(rule_numbers._entries("x", {"group": {"limit": 3}}))


def test_entries_may_stand_deeper_and_hold_any_value():
    entry = {"flag": True, "days": [1, 2], "source": "house", "standing": "house"}
    rows = list(rule_numbers._entries("x_y", {"a": {"b": entry}}))
    assert [(row["subject"], row["name"], row["value"]) for row in rows] == [
        ("x y", "a.b", "true, 1, 2")
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"key": "nowhere"}, "'a' names the source 'nowhere', which must stand in one of"),
        ({"graded": "hearsay"}, "'a' has a standing that is none of sourced, inferred"),
        ({"graded": None}, "'a' has a standing that is none of"),
    ],
)
def test_an_unknown_source_or_standing_is_refused(change, says):
    number = {"name": "a", "file": "f", "key": "house", "graded": "house"} | change
    with pytest.raises(sq.InputError, match=says):
        provenance.with_sources([number])


def test_a_column_that_nobody_described_is_refused(tmp_path, monkeypatch):
    folders = {name: tmp_path / name for name in published_numbers.FOLDERS}
    for name, folder in folders.items():
        shutil.copytree(DATASETS / name, folder)
    monkeypatch.setattr(published_numbers, "dataset", folders.get)
    list(published_numbers.published_numbers())
    wages = folders["fees"] / "wage_indexes.csv"
    text = wages.read_text("utf-8").splitlines()
    wages.write_text("\n".join([f"{text[0]},floor", *(f"{one},1" for one in text[1:])]), "utf-8")
    with pytest.raises(sq.InputError, match=r"wage_indexes\.csv has the column 'floor', which is"):
        list(published_numbers.published_numbers())


@pytest.mark.parametrize("gone", [True, False])
def test_a_table_that_nobody_described_or_that_is_missing_is_refused(gone, tmp_path, monkeypatch):
    shutil.copytree(DATASETS / "products", tmp_path / "products")
    monkeypatch.setattr(published_numbers, "dataset", lambda name: tmp_path / name)
    if gone:
        (tmp_path / "products" / "steps.csv").unlink()
    else:
        (tmp_path / "products" / "sets.csv").write_text("a,b\n", "utf-8")
    name = "steps" if gone else "sets"
    with pytest.raises(sq.InputError, match=rf"datasets/products/{name}\.csv is not described"):
        list(published_numbers.published_numbers())


# What it comes to -----------------------------------------------------------------------------


def hand(*rows):
    schema = {"subject": pl.String, "standing": pl.String, "due": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_a_summary_by_hand():
    numbers = hand(
        ("b", "house", True),
        ("b", "sourced", None),
        ("a", "unverified", False),
        ("b", "house", False),
        ("b", "house", True),
        ("a", "unverified", None),
    )
    assert number_summary(numbers).rows() == [
        ("b", "sourced", 1, None),
        ("b", "house", 3, 2),
        ("a", "unverified", 2, 0),
    ]
    assert number_summary(numbers.clear()).rows() == []


def test_the_summary_adds_up_and_counts_what_is_due():
    numbers = numbers_in_use(on=DAY)
    summary = number_summary(numbers)
    assert summary["numbers"].sum() == numbers.height
    assert summary["due"].sum() == numbers["due"].sum()
    late = summary.filter(pl.col("due") > 0)
    assert set(late["subject"]) >= {"codes", "infusion time", "revenue codes", "unlikely edits"}
    assert late.filter(subject="codes").select("standing", "numbers", "due").rows() == [
        ("sourced", 3, 3),
        ("inferred", 3, 3),
        ("unverified", 2, 2),
    ]
    fees = summary.filter(subject="claim edits")
    assert fees.rows() == [("claim edits", "sourced", 38 * 2 + 236 + 33, None)]


# Where sources disagree -----------------------------------------------------------------------


def asked(question):
    rows = contradictions().filter(question=question)
    return rows.select("answer", "is_used").rows()


def test_policies_are_the_answers_of_the_file_with_one_in_use():
    table = parsed(PARAMETERS / "policies.toml")
    rows = contradictions().filter(pl.col("choice").is_not_null())
    expected = [
        (name, answer, entry["means"], entry["standing"], answer == choice["default"])
        for name, choice in table["choices"].items()
        for answer, entry in choice["answers"].items()
    ]
    bridged = [("0", True), ("5", False)]
    told = rows.select("choice", "answer", "says", "standing", "is_used").rows()
    assert told[: len(expected)] == expected
    assert [(row[1], row[4]) for row in told[len(expected) :]] == bridged
    used = rows.group_by("choice").agg(pl.col("is_used").sum())
    assert set(used["is_used"]) == {1}
    for choice, answer in rows.filter("is_used").select("choice", "answer").rows():
        assert str(getattr(Policy(), choice)) == answer
    assert "Libman Education" in rows["cite"][0]


def test_choice_and_answer_are_a_key():
    rows = contradictions()
    keys = rows.filter(pl.col("choice").is_not_null()).select("choice", "answer")
    assert keys.is_unique().all()
    published = rows.filter(pl.col("choice").is_null())
    assert set(published["subject"]) == {"product limits", "IV to SC ratios", "insulin shares"}
    needed = rows.drop("choice").null_count().row(0)
    assert needed == (0,) * 7


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        (
            "Hizentra, primary immunodeficiency: sites at once?",
            [("4", False), ("4", True), ("8", False)],
        ),
        (
            "Hizentra, primary immunodeficiency, infusion 5, below 18 years: volume at each site?",
            [
                ("20 mL/site", True),
                ("25 mL/site", False),
                ("25 mL/site", False),
                ("50 mL/site", False),
            ],
        ),
        (
            "Cutaquig, from infusion 7, from 17 years: rate at each site?",
            [("25 mL/h/site", False), ("52 mL/h/site", True)],
        ),
        (
            "Foscarbidopa/foslevodopa: dose a day?",
            [("3525 mg/day", True), ("6000 mg/day", False)],
        ),
        # no concentration binds while two are published
        ("Deferoxamine: concentration?", [("95 mg/mL", False), ("210 mg/mL", False)]),
        # the lower one is of tier C
        (
            "Hypodermoclysis: rate at each site?",
            [("60 mL/h/site", False), ("75 mL/h/site", True)],
        ),
        # one is British, the other of tier C
        ("Hypodermoclysis: rate over all sites?", [("100 mL/h", False), ("120 mL/h", False)]),
        (
            "Hypodermoclysis: volume a day?",
            [("2000 mL/day", False), ("3000 mL/day", True), ("3000 mL/day", False)],
        ),
        ("HyQvia: sites at once?", [("2", True), ("3", False)]),
        (
            "Furosemide: subcutaneous over intravenous dose?",
            [("0.89", False), ("1", False)],
        ),
        (
            "Insulin pump: basal share of the reduced total?",
            [("0.3", False), ("0.4", False), ("0.48", False), ("0.5", False)],
        ),
    ],
)
def test_known_contradictions(question, answers):
    assert asked(question) == answers


def test_what_is_no_contradiction():
    questions = " ".join(contradictions()["question"])
    for name in ("Treprostinil", "Xembify", "Ketamine", "General", "Levodopa"):
        assert name not in questions
    immunoglobulin = contradictions().filter(pl.col("question").str.starts_with("Immunoglobulin"))
    assert not immunoglobulin["says"].str.contains("before 2015").any()


def test_the_binding_limit_is_the_one_that_published_limits_marks():
    given = sq.Circumstances(use="primary_immunodeficiency", infusion_number=3, age_y=40)
    limits = sq.published_limits("hizentra", given).filter("binds")
    binding = dict(limits.select("limit", "value").rows())
    question = "Hizentra, primary immunodeficiency, infusion 2 to 4, from 18 years"
    used = contradictions().filter(pl.col("question").str.starts_with(question), "is_used")
    assert used["answer"].to_list() == [f"{binding['max_ml_per_site']:g} mL/site"]
    assert used["answer"].to_list() == ["15 mL/site"]


def limits_read():
    with (DATASETS / "products" / "limits.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def holds(row, use, infusion, weight, age):
    """Whether a row of the file holds at one point, whatever the market."""
    return (
        row["use"] in ("", use)
        and float(row["infusion_from"] or 0) <= infusion <= float(row["infusion_to"] or "inf")
        and float(row["weight_from_kg"] or 0) <= weight < float(row["weight_below_kg"] or "inf")
        and float(row["age_from_y"] or 0) <= age < float(row["age_below_y"] or "inf")
    )


def test_disagreements_are_those_that_a_walk_over_all_points_finds():
    """Each set of values that hold side by side and differ is asked about, and no other."""
    rows, found = limits_read(), set()
    points = list(product(range(1, 10), (5, 39.9, 40, 90), (1, 2, 6.9, 7, 9, 10, 16, 17, 18, 60)))
    for name, limit in dict.fromkeys((row["product"], row["limit"]) for row in rows):
        of_limit = [row for row in rows if (row["product"], row["limit"]) == (name, limit)]
        uses = {row["use"] for row in rows if row["product"] == name and row["use"]}
        if not any(row["use"] for row in of_limit):
            uses = {None}
        for use, point in product(uses, points):
            held = [row for row in of_limit if holds(row, use, *point)]
            pairs = {(row["value"], row["source"]) for row in held}
            if any(a[0] != b[0] and a[1] != b[1] for a, b in product(pairs, pairs)):
                values = Counter((float(row["value"]), row["market"], row["note"]) for row in held)
                found.add((name, LIMITS[limit].lower(), use, frozenset(values.items())))
    told, names = set(), {row["name"].partition(" (")[0]: row for row in sq.products().to_dicts()}
    limits = contradictions().filter(subject="product limits")
    for (question,), part in limits.group_by("question"):
        about, _, limit = question.removesuffix("?").partition(": ")
        about = about.split(", ")
        record = names[about[0]]["product"]
        use = next((one.replace(" ", "_") for one in about[1:2] if not one[-1].isdigit()), None)
        use = use if use in {row["use"] for row in rows} else None
        values = Counter(
            (float(answer.split()[0]), market(says), note_of(says))
            for answer, says in part.select("answer", "says").rows()
        )
        told.add((record, limit, use, frozenset(values.items())))
    assert told == found
    # Twice the same values stand in rows of their own: Cutaquig from infusion 3 to 6 in two bands
    # of age, Hizentra by the second ramp at infusions 2 to 4 and again from 6 on.
    assert limits["question"].n_unique() == len(told) + 2 == 29


def market(says):
    first = says.partition("; ")[0]
    return "" if first == "no market named" else first


def note_of(says):
    own = ("tried or measured, no limit", "a source of tier C never binds")
    return "; ".join(one for one in says.split("; ")[1:] if one not in own)
