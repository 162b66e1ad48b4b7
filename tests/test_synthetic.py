"""The invented export: the same for ever, in the agreed types, with what its README promises."""

import hashlib
import itertools
import subprocess
import sys
import tomllib
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from subq_toolkit.administrations import COLUMNS, accept
from subq_toolkit.catalog import dataset, sample_administrations, sample_charges
from subq_toolkit.coding import code_administrations
from subq_toolkit.errors import InputError
from subq_toolkit.readers import read_administrations
from subq_toolkit.synthetic import administrations
from subq_toolkit.synthetic.visits import ZONE

FOLDER = dataset("administrations")
README = (FOLDER / "README.md").read_text("utf-8")
SHAPES = tomllib.loads((FOLDER / "shapes.toml").read_text("utf-8"))
ALL_DAYS = (date(2024, 11, 1), date(2026, 10, 31))

BY_VISIT = "encounter_id"
RUN_MIN = (pl.col("stop_at") - pl.col("start_at")).dt.total_seconds() / 60
SUBCUTANEOUS = pl.col("route") == "subcutaneous"
COUNTED = SUBCUTANEOUS & (pl.col("mode") != "bolus")
NO_TIME = pl.col("stop_at").is_null()
PAUSE_MIN = ((pl.col("start_at") - pl.col("stop_at").shift(1)).dt.total_seconds() / 60).over(
    BY_VISIT, "pump_id", order_by="start_at"
)
IN_LINE = COUNTED & pl.col("pump_id").is_not_null() & pl.col("start_at").is_not_null()
LOCAL_DAY = pl.col("start_at").dt.date()


def rows(condition: pl.Expr, frame: pl.DataFrame) -> int:
    return frame.select(condition.fill_null(False).sum()).item()


def visits(condition: pl.Expr, frame: pl.DataFrame) -> int:
    """Encounters with a row of which ``condition`` holds."""
    return frame.filter(condition.fill_null(False))[BY_VISIT].n_unique()


def by_visit(condition: pl.Expr, frame: pl.DataFrame) -> int:
    """Encounters of which ``condition``, an aggregate over their rows, holds."""
    return frame.group_by(BY_VISIT).agg(holds=condition.fill_null(False))["holds"].sum()


def paused(least: float, most: float, frame: pl.DataFrame) -> int:
    return rows(PAUSE_MIN.is_between(least, most), frame.filter(IN_LINE))


def same_day_pairs(frame: pl.DataFrame) -> int:
    """Encounters that are not the first of their patient on that date."""
    days = frame.group_by("patient_id", BY_VISIT).agg(day=LOCAL_DAY.min()).drop_nulls()
    return len(days) - days.select("patient_id", "day").n_unique()


def charted_length(frame: pl.DataFrame) -> pl.DataFrame:
    """Plain first and last minute of encounters with one run only."""
    one = frame.filter(COUNTED).filter(pl.len().over(BY_VISIT) == 1)
    return one.with_columns(minutes=RUN_MIN)


#: What the README says was planted, counted without the code that planted it.
COUNTS = {
    "rows": len,
    "encounters": lambda f: f[BY_VISIT].n_unique(),
    "patients": lambda f: f["patient_id"].n_unique(),
    "two pumps or more": lambda f: by_visit(pl.col("pump_id").n_unique() > 1, f.filter(IN_LINE)),
    "two pumps, one site": lambda f: by_visit(
        (pl.col("pump_id").n_unique() > 1)
        & (pl.col("site").n_unique() == 1)
        & (pl.col("site").null_count() == 0),
        f.filter(IN_LINE),
    ),
    "pauses of 1 to 5 minutes": lambda f: paused(0.01, 5.99, f),
    "pauses of 10 minutes to 3 hours": lambda f: paused(10, 180, f),
    "pauses of more than 12 hours": lambda f: paused(720.01, 10_000, f),
    "site changed during a pump's work": lambda f: (
        f.filter(IN_LINE)
        .group_by(BY_VISIT, "pump_id")
        .agg(pl.col("site").n_unique() > 1)["site"]
        .sum()
    ),
    "later run, new set-up charted": lambda f: rows(
        pl.col("setup_charted") & PAUSE_MIN.is_not_null(), f.filter(IN_LINE)
    ),
    "stop missing": lambda f: rows(NO_TIME, f.filter(COUNTED)),
    "start missing": lambda f: rows(pl.col("start_at").is_null(), f),
    "route missing": lambda f: f["route"].null_count(),
    "stop before start": lambda f: rows(RUN_MIN < 0, f),
    "start = stop": lambda f: rows(RUN_MIN == 0, f),
    "run of 24 to 72 hours": lambda f: rows(RUN_MIN.is_between(1441, 4320), f),
    "run of more than 72 hours": lambda f: rows(RUN_MIN > 4320, f),
    "exact copies of an earlier row": lambda f: len(f) - len(f.unique()),
    "overlapping runs of one pump": lambda f: rows(
        PAUSE_MIN < 0, f.unique(maintain_order=True).filter(IN_LINE, RUN_MIN >= 0)
    ),
    "two settings in one encounter": lambda f: by_visit(pl.col("setting").n_unique() > 1, f),
    "one site for more than 72 hours": lambda f: by_visit(
        (pl.col("stop_at").max() - pl.col("start_at").min() > timedelta(hours=72))
        & (pl.col("site").n_unique() == 1),
        f.filter(IN_LINE, RUN_MIN <= 4320),
    ),
    "second encounter of a patient that day": same_day_pairs,
    "crossing midnight": lambda f: visits(
        pl.col("stop_at").dt.date() > LOCAL_DAY, f.filter(COUNTED, RUN_MIN <= 4320)
    ),
    "over a clock change": lambda f: rows(
        pl.col("start_at").dt.dst_offset() != pl.col("stop_at").dt.dst_offset(),
        f.filter(RUN_MIN <= 4320),
    ),
    "discharged while running": lambda f: visits(
        pl.col("stop_at") > pl.col("discharge_at"), f.filter(RUN_MIN <= 4320)
    ),
    "intravenous beside": lambda f: by_visit(
        (pl.col("route") == "intravenous").any() & SUBCUTANEOUS.any(), f
    ),
    "nothing subcutaneous": lambda f: by_visit(pl.col("route").eq_missing("intravenous").all(), f),
    "injection beside": lambda f: visits(pl.col("route") == "injection", f),
    "boluses beside a run": lambda f: rows(
        pl.col("mode") == "bolus", f.filter(COUNTED.any().over(BY_VISIT))
    ),
    "boluses only": lambda f: by_visit(pl.col("mode").eq_missing("bolus").all(), f),
    "patient-controlled runs": lambda f: rows(pl.col("mode") == "patient_controlled", f),
    "one run of 1 to 15 minutes": lambda f: rows(
        pl.col("minutes").is_between(1, 15.99), charted_length(f)
    ),
    "gravity": lambda f: rows(pl.col("delivery") == "gravity", f),
    "manual push": lambda f: rows(pl.col("delivery") == "manual_push", f),
    "no pump charted": lambda f: rows(
        pl.col("pump_id").is_null() & (pl.col("delivery") == "pump"), f
    ),
    "no site charted": lambda f: rows(pl.col("site").is_null(), f.filter(SUBCUTANEOUS)),
    "no indication charted": lambda f: rows(pl.col("indication").is_null(), f.filter(SUBCUTANEOUS)),
    "another drug on a second pump": lambda f: rows(pl.col("drug") == "midazolam", f),
    "visit code charted": lambda f: visits(pl.col("em_code").is_not_null(), f),
    "seconds charted": lambda f: rows(
        (pl.col("start_at").dt.second() > 0) | (pl.col("stop_at").dt.second() > 0), f
    ),
    "start at :00, :15, :30 or :45": lambda f: rows(
        pl.col("start_at").dt.minute() % 15 == 0, f.filter(COUNTED)
    ),
}

#: Rows of `administrations(400, seed=7)` and the SHA-256 of them as CSV, times as seconds.
HASHED = (723, "caaf2b0670a88a96cda65b42cff8fb50b6c6b15f00248b371fdf52b379f92dfd")

#: Shares of another, larger export, with the least and the most that are believed.
SHARES = {
    "stop missing": ("counted", 0.025, 0.045),
    "start missing": ("counted", 0.002, 0.008),
    "two pumps or more": ("encounters", 0.10, 0.25),
    "pauses of 1 to 5 minutes": ("counted", 0.05, 0.20),
    "intravenous beside": ("encounters", 0.03, 0.07),
    "injection beside": ("encounters", 0.05, 0.10),
    "seconds charted": ("counted", 0.02, 0.06),
    "one run of 1 to 15 minutes": ("encounters", 0.01, 0.04),
    "crossing midnight": ("encounters", 0.03, 0.08),
    "gravity": ("counted", 0.02, 0.10),
    "start at :00, :15, :30 or :45": ("counted", 0.20, 0.40),
    "second encounter of a patient that day": ("encounters", 0.0039, 0.0041),
    "stop before start": ("encounters", 0.0009, 0.0011),
    # two pumps, neither charted, may be rounded to the same times: copies to the eye
    "exact copies of an earlier row": ("encounters", 0.0012, 0.0016),
}


def table(heading: str) -> list[list[str]]:
    """Cells of the table below a heading of the README, without its header."""
    section = README.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line.strip("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.split(" |")] for line in lines[2:]]


@pytest.fixture(scope="module")
def sample() -> pl.DataFrame:
    return sample_administrations().collect()


@pytest.fixture(scope="module")
def large() -> pl.DataFrame:
    return administrations(20_000, seed=77)


def test_the_bundled_export_is_what_the_command_writes(sample, tmp_path):
    said = subprocess.run(
        [sys.executable, "-m", "subq_toolkit.synthetic", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    written = [Path(line) for line in said.stdout.split()]
    assert written == [tmp_path / "administrations.parquet", tmp_path / "charges.parquet"]
    assert_frame_equal(pl.read_parquet(written[0]), sample)
    assert_frame_equal(pl.read_parquet(written[1]), sample_charges().collect())
    planted = dataset("charges") / "planted_errors.csv"
    assert (tmp_path / planted.name).read_bytes() == planted.read_bytes()
    assert_frame_equal(administrations(), sample)


def test_rows_have_not_moved():
    """Figures of one export, so that a change of any draw is noticed."""
    frame = administrations(400, seed=7).with_columns(pl.selectors.datetime().dt.epoch("s"))
    digest = hashlib.sha256(frame.write_csv().encode()).hexdigest()
    assert (len(frame), digest) == HASHED


def test_another_seed_is_another_export():
    assert not administrations(50, seed=1).equals(administrations(50, seed=2))


def test_types_are_the_agreed_ones(sample):
    zoned = pl.Datetime("us", ZONE)
    wanted = {name: zoned if name.endswith("_at") else kind for name, kind in COLUMNS.items()}
    del wanted["unreadable"]
    assert dict(sample.schema) == wanted | {"therapy": pl.String()}


def test_the_file_is_small():
    assert (FOLDER / "administrations.parquet").stat().st_size < 700 * 1024


@pytest.mark.parametrize("count", [0, 1, 2, 37])
def test_as_many_encounters_as_asked_for(count):
    frame = administrations(count, days=3)
    assert frame[BY_VISIT].n_unique() == count
    assert frame.schema == administrations(1).schema
    assert frame[BY_VISIT].unique().sort().to_list() == [f"SYN-{n + 1:06}" for n in range(count)]


@pytest.mark.parametrize("wrong", [{"encounters": -1}, {"days": 0}])
def test_nothing_can_be_invented_from_less_than_nothing(wrong):
    with pytest.raises(InputError, match="needs encounters=0 or more and days=1 or more"):
        administrations(**wrong)


def test_numbers_are_in_order_of_time(sample):
    by_day = [name for name, one in SHAPES["departments"].items() if not one["weekends"]]
    first = sample.filter(pl.col("department").is_in(by_day)).group_by(BY_VISIT).first()
    days = first.sort(BY_VISIT).select(LOCAL_DAY).to_series().drop_nulls()
    assert len(days) > 3_000
    assert days.is_sorted()


def test_dates_lie_in_the_period_asked_for(large):
    first, last = large.select(first=LOCAL_DAY.min(), last=LOCAL_DAY.max()).row(0)
    assert ALL_DAYS[0] <= first <= ALL_DAYS[0] + timedelta(days=3)
    assert ALL_DAYS[1] - timedelta(days=3) <= last <= ALL_DAYS[1]


def test_departments_without_weekends_keep_them_free(large):
    begins = large.group_by(BY_VISIT, "department").agg(LOCAL_DAY.min())
    weekend = begins.filter(pl.col("start_at").dt.weekday() > 5)
    open_then = {name for name, one in SHAPES["departments"].items() if one["weekends"]}
    assert set(weekend["department"]) == open_then


def test_a_patient_keeps_department_therapy_and_payer(large):
    kept = large.group_by("patient_id").agg(pl.n_unique("department", "therapy", "payer"))
    assert kept.select(pl.all().exclude("patient_id").max()).row(0) == (1, 1, 1)
    assert large["patient_id"].n_unique() < 0.3 * large[BY_VISIT].n_unique()


def test_volume_belongs_to_rate_and_minutes(large):
    ordinary = large.filter(COUNTED, RUN_MIN.is_between(1, 4320))
    by_rate = pl.col("volume_ml") / pl.col("rate_ml_per_h") * 60
    apart = ordinary.select((by_rate - RUN_MIN).abs()).to_series().drop_nulls()
    assert len(apart) > 0.8 * len(ordinary)
    assert apart.max() <= 20


def test_dose_is_volume_times_concentration(large):
    charted = large.drop_nulls(["volume_ml", "concentration_mg_per_ml"])
    dose = (charted["volume_ml"] * charted["concentration_mg_per_ml"]).round(1)
    assert len(charted) > 10_000
    assert (dose - charted["dose_mg"]).abs().max() < 0.051


def test_departments_chart_differently(large):
    """What a chart of documentation habits should find."""
    runs = large.filter(COUNTED).with_columns(
        heaped=pl.col("start_at").dt.minute() % 15 == 0,
        stopless=NO_TIME,
        late=ALL_DAYS[0] + timedelta(days=365) < LOCAL_DAY,
    )
    by = {
        row["department"]: row
        for row in runs.group_by("department")
        .agg(
            pl.col("heaped", "stopless").mean(),
            seconds=(pl.col("start_at").dt.second() > 0).mean(),
            siteless=pl.col("site").is_null().mean(),
        )
        .to_dicts()
    }
    south = (
        runs.filter(department="Infusion Center South")
        .group_by("late")
        .agg(pl.col("stopless").mean())
    )
    early, late = south.sort("late", nulls_last=True)["stopless"].to_list()[:2]
    assert early > 2 * late
    assert by["Infusion Center South"]["heaped"] > 2 * by["Infusion Center North"]["heaped"]
    assert max(by, key=lambda name: by[name]["stopless"]) == "Emergency Department"
    assert max(by, key=lambda name: by[name]["siteless"]) == "Immunology Office"
    assert by["Home Infusion"]["seconds"] > 0.4
    assert all(one["seconds"] == 0 for name, one in by.items() if name != "Home Infusion")


def test_one_department_charts_just_past_the_next_unit(large):
    """Lengths from 1 to 4 minutes past a further hour, against those 1 to 4 minutes short."""
    over = (pl.col("minutes").cast(pl.Int64) - 31) % 60
    long = charted_length(large).filter(pl.col("minutes") > 80, pl.col("minutes") < 1440)
    ratio = long.group_by("department").agg((over < 4).sum() / (over >= 56).sum())
    ratios = dict(ratio.sort("minutes").iter_rows())
    assert list(ratios)[-1] == "Treatment Room"
    assert ratios["Treatment Room"] > 2 * list(ratios.values())[-2]


@pytest.mark.parametrize(("name", "of", "least", "most"), [(k, *v) for k, v in SHARES.items()])
def test_share_of_what_is_planted(large, name, of, least, most):
    whole = large[BY_VISIT].n_unique() if of == "encounters" else rows(COUNTED, large)
    assert least <= COUNTS[name](large) / whole <= most


def test_shapes_add_up():
    for one in itertools.chain(SHAPES["therapies"].values(), [SHAPES["shares"]]):
        for name in {"pumps", "runs", "delivery", "indications", *SHAPES["shares"]} & set(one):
            assert name == "other_drug" or sum(one[name]) == 1000, name
        for name in {"minutes", "starts"} & set(one):
            assert len(one[name]) == len(SHAPES["levels"])
            assert one[name] == sorted(one[name])
    for ward in SHAPES["departments"].values():
        assert sum(ward["therapies"].values()) == 1000
        assert set(ward["therapies"]) <= set(SHAPES["therapies"])
    assert sum(ward["share"] for ward in SHAPES["departments"].values()) == 1000


def test_readme_describes_every_column(sample):
    kinds = {
        pl.String: "text", pl.Enum: "choice", pl.Float64: "decimal", pl.Int64: "integer",
        pl.Boolean: "true/false", pl.Datetime: "date-time",
    }  # fmt: skip
    described = [(name, kind) for name, kind, *_ in table("Columns of `administrations.parquet`")]
    assert described == [(name, kinds[kind.base_type()]) for name, kind in sample.schema.items()]


def test_readme_says_where_null_occurs(sample):
    never = {row[0] for row in table("Columns of `administrations.parquet`") if row[4] == "never"}
    assert never == {name for name in sample.columns if sample[name].null_count() == 0}


def test_readme_counts_are_those_of_the_file(sample):
    said = {name: int(count.replace(",", "")) for name, _, count, *_ in table("What is in it")}
    assert said == {name: count(sample) for name, count in COUNTS.items()}


def test_rows_that_cannot_be_read_are_the_planted_ones(sample):
    failed = accept(sample).refused.collect()["failed"].explode().value_counts().rows()
    assert dict(failed) == {
        "stop is not before start": COUNTS["stop before start"](sample),
        "run is at most 72 hours": COUNTS["run of more than 72 hours"](sample),
        "row is not a copy of an earlier row": COUNTS["exact copies of an earlier row"](sample),
    }


def test_findings_named_in_the_readme_are_found(sample):
    found = set(code_administrations(sample).findings.collect()["finding"])
    named = {row[3] for row in table("What is in it")} - {"", "refused"}
    assert named
    assert named <= found


# ------------------------------------------------------------------ dirty_export.csv


@pytest.fixture(scope="module")
def dirty() -> pl.DataFrame:
    names = {theirs: ours for theirs, ours, *_ in table("Columns of `dirty_export.csv`") if ours}
    reading = read_administrations(FOLDER / "dirty_export.csv", columns=names, facility_zone=ZONE)
    return reading.administrations.collect()


def test_every_row_of_the_dirty_export_becomes_what_the_readme_says(dirty):
    refused = {
        row["row"]: row["failed"]
        for row in accept(dirty, facility_zone=ZONE).refused.collect().to_dicts()
    }
    coded = code_administrations(dirty, facility_zone=ZONE)
    outcomes = {row.pop(BY_VISIT): row for row in coded.encounters.collect().to_dicts()}
    found = coded.findings.collect().group_by(BY_VISIT).agg("finding")
    findings = dict(found.iter_rows())
    said = table("What is wrong with `dirty_export.csv`")
    assert [int(row[0]) for row in said] == list(range(1, len(dirty) + 1))
    for number, visit, _, outcome, why in said:
        charted = dirty[BY_VISIT][int(number) - 1]
        if outcome == "refused":
            assert why in refused.pop(int(number)), number
            assert charted is None or charted == visit, number
            continue
        assert charted == visit, number
        assert outcomes[visit]["outcome"] == outcome, number
        if outcome == "coded":
            assert f"{outcomes[visit]['infusion_min']} min" == why.split(", ")[0], number
            assert set(why.split(", ")[1:]) <= set(findings.get(visit, [])), number
        else:
            assert why in findings[visit], number
    assert refused == {}


def test_dirty_export_is_local_text_in_us_order():
    header, first, *_ = (FOLDER / "dirty_export.csv").read_text("utf-8").splitlines()
    assert header.startswith("Visit,Patient,Start Time,Stop Time,Route,Pump #,")
    assert datetime.strptime(first.split(",")[2], "%m/%d/%Y %I:%M %p") == datetime(2026, 3, 2, 9)
    assert len(table("What is wrong with `dirty_export.csv`")) == 39


def test_every_readme_says_that_its_rows_are_invented():
    for readme in (FOLDER / "README.md", FOLDER.parent / "README.md"):
        assert "invented" in readme.read_text("utf-8").lower()
