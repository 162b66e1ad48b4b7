"""Use of each limit for charted runs: a share, or null; never fine."""

from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import subq_toolkit as sq
from subq_toolkit.limit_use import USES
from subq_toolkit.products import Circumstances, published_limits

NINE = datetime(2026, 3, 2, 9)


def used(**run: object) -> dict:
    """The use of one charted run of an hour."""
    usual = {"encounter_id": "1", "start_at": NINE, "stop_at": NINE + timedelta(hours=1)}
    return sq.limit_use(pl.DataFrame([usual | run])).collect().row(0, named=True)


@pytest.mark.parametrize(
    ("run", "use", "share"),
    [
        # general: 3 mL/h at a site
        ({"drug": "morphine 20 mg/mL", "rate_ml_per_h": 3, "needles": 1}, "site_rate_use", 1.0),
        ({"drug": "Morphine", "rate_ml_per_h": 4.5, "needles": 1}, "site_rate_use", 1.5),
        ({"drug": "morphine", "rate_ml_per_h": 4.5, "needles": 2}, "site_rate_use", 0.75),
        ({"drug": "morphine", "volume_ml": 1.5, "needles": 1}, "site_rate_use", 0.5),
        ({"drug": "morphine", "volume_ml": 1.5}, "site_rate_use", None),
        ({"drug": "morphine", "needles": 1}, "site_rate_use", None),
        ({"drug": "morphine", "volume_ml": 1.5, "needles": 1}, "site_volume_use", None),
        # hizentra, nothing more charted: the strictest of all bands, 15 mL and 15 mL/h
        ({"drug": "J1559", "volume_ml": 45, "needles": 4}, "site_volume_use", 0.75),
        ({"drug": "hizentra", "volume_ml": 45, "needles": 4}, "site_rate_use", 0.75),
        ({"drug": "hizentra", "needles": 5}, "sites_use", 1.25),
        ({"product": "hizentra", "drug": "x", "needles": 4}, "sites_use", 1.0),
        # the sixth infusion: 25 mL and 25 mL/h
        ({"drug": "hizentra", "volume_ml": 50, "needles": 4, "infusion_number": 6},
         "site_volume_use", 0.5),
        ({"drug": "cuvitru", "rate_ml_per_h": 120}, "total_rate_use", 0.5),
        ({"drug": "gammagard liquid", "rate_ml_per_h": 120, "weight_kg": 39.0},
         "total_rate_use", 0.75),
        ({"drug": "gammagard liquid", "rate_ml_per_h": 120, "weight_kg": 40.0},
         "total_rate_use", 0.5),
        ({"drug": "hyqvia", "volume_ml": 900, "weight_kg": 70.0}, "day_volume_use", 0.75),
        # nothing is known
        ({"drug": "immune globulin 20 %", "volume_ml": 80, "needles": 4}, "site_rate_use", None),
        ({"drug": "morphinelike", "rate_ml_per_h": 9, "needles": 1}, "site_rate_use", None),
        ({"drug": "General saline flush", "rate_ml_per_h": 9, "needles": 1}, "site_rate_use", None),
        ({"drug": "hizentra-free placebo", "rate_ml_per_h": 9, "needles": 1},
         "site_rate_use", None),
        ({"product": "general", "rate_ml_per_h": 9, "needles": 1}, "site_rate_use", 3.0),
        # what cannot be is not charted: the strictest band, 20 mL for the first two below 40 kg
        ({"drug": "cuvitru", "volume_ml": 60, "needles": 1, "infusion_number": 1,
          "weight_kg": float("inf")}, "site_volume_use", 3.0),
        ({"drug": "hizentra", "rate_ml_per_h": 15, "needles": 1, "infusion_number": -3},
         "site_rate_use", 1.0),
        ({"drug": "cuvitru", "volume_ml": 60, "needles": 1, "infusion_number": 1,
          "weight_kg": "70 kg"}, "site_volume_use", 3.0),
        ({"rate_ml_per_h": 9, "needles": 1}, "site_rate_use", None),
        ({"product": "nothing", "rate_ml_per_h": 9, "needles": 1}, "site_rate_use", None),
        ({"drug": "morphine", "route": "intravenous", "rate_ml_per_h": 9, "needles": 1},
         "site_rate_use", None),
        ({"drug": "morphine", "mode": "bolus", "volume_ml": 1, "needles": 1},
         "site_rate_use", None),
        ({"drug": "morphine", "rate_ml_per_h": -3.0, "needles": 1}, "site_rate_use", None),
        ({"drug": "morphine", "rate_ml_per_h": 3.0, "needles": 0}, "site_rate_use", None),
        ({"drug": "cutaquig", "rate_ml_per_h": 9, "needles": 1, "age_y": 1.0},
         "site_rate_use", None),
    ],
)  # fmt: skip
def test_the_share_of_a_limit(run: dict, use: str, share: float | None) -> None:
    got = used(**run)[use]
    assert got == (None if share is None else pytest.approx(share))


@pytest.mark.parametrize(
    ("run", "says"),
    [
        ({}, "product, rate, volume, needles"),
        ({"drug": "morphine", "rate_ml_per_h": 3.0, "volume_ml": 3.0, "needles": 1}, None),
        ({"drug": "morphine", "rate_ml_per_h": 3.0, "volume_ml": 3.0}, "needles"),
        ({"drug": "morphine", "mode": "bolus", "volume_ml": 1, "needles": 1}, "rate of a bolus"),
        ({"drug": "hizentra", "volume_ml": 45, "needles": 4}, "number of the infusion"),
        ({"drug": "hizentra", "volume_ml": 45, "needles": 4, "infusion_number": 2}, None),
        ({"drug": "xembify", "volume_ml": 45, "needles": 4}, "age"),
        ({"drug": "cuvitru", "volume_ml": 45, "needles": 4}, "number of the infusion, weight"),
        (
            {
                "drug": "cuvitru",
                "volume_ml": 45,
                "needles": 4,
                "infusion_number": 1,
                "weight_kg": float("nan"),
            },
            "weight",
        ),
        (
            {"drug": "hizentra", "volume_ml": 45, "needles": 4, "infusion_number": 0},
            "number of the infusion",
        ),
        (
            {"drug": "xembify", "volume_ml": 45, "needles": 4, "age_y": 1.0},
            "a published limit of the rate at this band",
        ),
    ],
)
def test_what_is_not_charted_is_named(run: dict, says: str | None) -> None:
    assert used(**run)["not_charted"] == says


def test_the_largest_share_is_named() -> None:
    row = used(drug="hizentra", volume_ml=60, needles=4, infusion_number=6, rate_ml_per_h=40)
    # 10 of 25 mL/h, 15 of 25 mL, 4 of 4 sites
    assert (row["most_use"], row["binding_limit"]) == (1.0, "max_sites")
    assert row["rate_from"] == "charted"
    assert used(drug="morphine", volume_ml=3, needles=1)["rate_from"] == "mean"


def test_a_day_is_that_of_all_runs_of_a_product_in_a_patient() -> None:
    hour = timedelta(hours=1)
    rows = [
        {"patient_id": "P1", "encounter_id": "1", "start_at": NINE, "volume_ml": 900.0},
        {"patient_id": "P1", "encounter_id": "2", "start_at": NINE + 8 * hour, "volume_ml": 600.0},
        {"patient_id": "P1", "encounter_id": "3", "start_at": NINE + 24 * hour, "volume_ml": 600.0},
        {"patient_id": "P2", "encounter_id": "4", "start_at": NINE, "volume_ml": 600.0},
        {"patient_id": "P3", "encounter_id": "5", "start_at": NINE, "volume_ml": 600.0},
        {"patient_id": "P3", "encounter_id": "5", "start_at": NINE + hour, "volume_ml": None},
        {"patient_id": "P4", "encounter_id": "6", "start_at": NINE, "volume_ml": 1000.0},
        {"patient_id": "P4", "encounter_id": "6", "start_at": NINE, "volume_ml": -900.0},
    ]
    frame = pl.DataFrame(rows).with_columns(
        stop_at=pl.col("start_at") + hour, drug=pl.lit("hyqvia"), weight_kg=pl.lit(70.0)
    )
    got = sq.limit_use(frame).collect()
    assert got["day_volume_use"].to_list() == [1.25, 1.25, 0.5, 0.5, *[None] * 4]


def test_drugs_may_be_named_and_every_row_comes_back_as_it_was() -> None:
    runs = sq.sample_administrations().collect()
    named = {"immune globulin 20 %": "hizentra", "furosemide 8 mg/mL": "Furoscix"}
    got = sq.limit_use(runs, products=named).collect()
    assert got.select(runs.columns).equals(runs)
    known = got.filter(pl.col("drug") == "immune globulin 20 %", route="subcutaneous")
    assert set(known["product"]) == {"hizentra"}
    assert set(got.filter(pl.col("route") != "subcutaneous")["product"]) == {None}


def test_bare_times_and_lazy_tables_stay_so() -> None:
    frame = pl.LazyFrame(
        {"encounter_id": ["1"], "start_at": [NINE], "stop_at": [None], "drug": ["morphine"]},
        schema_overrides={"stop_at": pl.Datetime},
    )
    got = sq.limit_use(frame, facility_zone="America/New_York")
    assert isinstance(got, pl.LazyFrame)
    assert got.collect()["start_at"].item() == NINE


@given(st.lists(
    st.fixed_dictionaries({
        "product": st.sampled_from(["general", "hizentra", "cuvitru", "xembify", "hyqvia",
                                    "gammagard_liquid", "cutaquig", "pegcetacoplan"]),
        "infusion_number": st.sampled_from([None, 1, 2, 3, 6, 9]),
        "weight_kg": st.sampled_from([None, 24.9, 39.9, 40.0, 80.0]),
        "age_y": st.sampled_from([None, 2.0, 9.9, 10.0, 17.0, 60.0]),
        "rate_ml_per_h": st.sampled_from([None, 1.0, 20.0, 200.0]),
        "needles": st.sampled_from([None, 1, 2, 4]),
    }),
    min_size=1, max_size=12,
))  # fmt: skip
def test_a_column_agrees_with_asking_row_by_row(rows: list[dict]) -> None:
    frame = pl.DataFrame(
        [{"encounter_id": str(n), "start_at": NINE, "stop_at": NINE, **row}
         for n, row in enumerate(rows)],
        schema_overrides={"weight_kg": pl.Float64, "age_y": pl.Float64, "needles": pl.Int64,
                          "infusion_number": pl.Int64, "rate_ml_per_h": pl.Float64},
    )  # fmt: skip
    got = sq.limit_use(frame).collect()
    for row, use in zip(rows, got["site_rate_use"], strict=True):
        circumstances = Circumstances(
            **{name: row[name] for name in ("infusion_number", "weight_kg", "age_y")},
            on=NINE.date(),
        )
        limits = published_limits(row["product"], circumstances).filter("binds")
        limit = dict(limits.select("limit", "value").rows()).get("max_ml_per_h_per_site")
        known = None not in (limit, row["rate_ml_per_h"], row["needles"])
        expected = row["rate_ml_per_h"] / row["needles"] / limit if known else None
        assert use == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"products": {"x": "hizentr"}}, "Did you mean 'hizentra'"),
        ({"market": "FR"}, "'market' is one of"),
        ({"products": ["hizentra"]}, "'products' pairs drugs as charted with products"),
    ],
)
def test_an_unknown_product_or_market_is_refused(options: dict, message: str) -> None:
    with pytest.raises(sq.InputError, match=message):
        sq.limit_use(sq.sample_administrations(), **options)


def test_its_own_answer_can_be_asked_again() -> None:
    once = sq.limit_use(sq.sample_administrations()).collect()
    assert sq.limit_use(once.drop("product")).collect().equals(once.select(
        *[name for name in once.columns if name in sq.sample_administrations().collect_schema()],
        "product", *once.columns[once.columns.index("run_ml_per_h"):],
    ))  # fmt: skip


def test_every_share_has_its_limit() -> None:
    assert set(USES.values()) == {
        "max_ml_per_h_per_site", "max_ml_per_site", "max_sites", "max_ml_per_h", "max_ml_per_day",
    }  # fmt: skip
