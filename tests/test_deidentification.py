"""Charted runs without saying whose they are: what goes, what stays, and what cannot be told."""

import hashlib
from datetime import date, datetime, timedelta

import polars as pl
import pytest

import subq_toolkit as sq
from subq_toolkit.deidentification import deidentify
from subq_toolkit.effective import read_table
from subq_toolkit.errors import InputError
from subq_toolkit.intake import COLUMNS
from subq_toolkit.synthetic import administrations

KEY, OTHER = "a secret of this test only", "another secret of this test"
ZONE = "America/New_York"
NINE = datetime(2026, 3, 2, 9)
RUN = {
    "encounter_id": "ENC-1001", "patient_id": "MRN-77", "start_at": NINE,
    "stop_at": NINE + timedelta(minutes=151), "route": "subcutaneous", "pump_id": "Serial 4711",
    "site": "Abdomen, left", "drug": "Hizentra", "department": "Doe Infusion", "payer": "Plan 9",
    "locality": "15202-00", "volume_ml": 40.0,
}  # fmt: skip


def runs(*changes: dict) -> pl.DataFrame:
    return pl.DataFrame([RUN | change for change in changes])


def test_what_becomes_of_each_column():
    told = deidentify(runs({"note": "spoke to Jane"}), key=KEY, facility_zone=ZONE)
    table = told.administrations
    assert set(table.columns) == set(RUN) - {"locality"} | {"unreadable", "alike"}
    row = table.row(0, named=True)
    assert (row["drug"], row["volume_ml"], row["route"]) == ("hizentra", 40.0, "subcutaneous")
    for name in ("encounter_id", "patient_id", "pump_id", "site", "department", "payer"):
        prefix, _, mark = row[name].rpartition("-")
        assert prefix == name.removesuffix("_id")
        assert len(mark) == 20
    rules = dict(told.report.select("column", "rule").rows())
    assert rules["note"] == "drop"
    assert (rules["start_at"], rules["locality"], rules["drug"]) == ("shift", "drop", "product")
    assert told.report.filter(pl.col("column") == "note")["why"].item() == (
        "Nobody knows what it holds."
    )


def test_every_known_column_has_a_rule():
    assert set(read_table("deidentification")) == set(COLUMNS) | {"alike", "not_given"}


@pytest.fixture(scope="module")
def year() -> pl.DataFrame:
    return administrations(1_500, seed=23)


@pytest.fixture(scope="module")
def told(year) -> pl.DataFrame:
    return deidentify(year, key=KEY).administrations


def test_no_entry_that_identifies_is_left(year, told):
    """No number of an encounter, a patient, a department or a pump stands anywhere."""
    written = told.write_csv()
    for name in ("encounter_id", "patient_id", "department", "locality", "payer"):
        for entry in year[name].drop_nulls().unique():
            assert entry not in written
    days = set(year["start_at"].dt.date())
    assert all(len(entry) == 20 + len("encounter-") for entry in told["encounter_id"])
    assert len(days) > 300


def test_minutes_units_and_outcomes_stay(year, told):
    columns = ["infusion_min", "pumps", "outcome", "units_96369", "units_96370", "units_96371"]
    counted = [
        sq.code_administrations(rows).encounters.select(columns).collect().sort(columns)
        for rows in (year, told)
    ]
    assert counted[0].equals(counted[1])


def lengths(rows: pl.DataFrame) -> pl.Series:
    return (rows["stop_at"].dt.epoch("us") - rows["start_at"].dt.epoch("us")).sort()


def test_every_duration_stays_to_the_microsecond(year, told):
    assert lengths(year).equals(lengths(told), check_names=False)


def test_a_patient_s_visits_stay_as_far_apart_and_at_the_same_time_of_day():
    visits = runs({}, {"encounter_id": "ENC-2", "start_at": NINE + timedelta(days=13),
                       "stop_at": NINE + timedelta(days=13, hours=1)})  # fmt: skip
    table = deidentify(visits, key=KEY, facility_zone=ZONE).administrations.sort("start_at")
    first, second = table["start_at"].dt.replace_time_zone(None)
    assert second - first == timedelta(days=13)
    assert (first.hour, first.minute) == (9, 0)
    shift = date(2026, 3, 2) - first.date()
    assert timedelta(days=1) <= shift <= timedelta(days=364)


def test_a_run_through_a_change_of_the_clocks_keeps_its_length():
    night = {"start_at": datetime(2026, 3, 7, 23, 30), "stop_at": datetime(2026, 3, 8, 3, 30)}
    for number in range(40):
        row = runs(night | {"patient_id": f"P{number}"})
        table = deidentify(row, key=KEY, facility_zone=ZONE).administrations
        # 23:30 to 03:30 while the clocks go forward: three hours
        assert (table["stop_at"] - table["start_at"]).item() == timedelta(hours=3)


def test_names_of_pumps_and_sites_differ_where_they_did_and_only_there():
    second = {"start_at": NINE + timedelta(hours=3), "stop_at": NINE + timedelta(hours=4)}
    table = runs({}, second | {"site": " abdomen, LEFT ", "pump_id": "serial 4711"},
                 second | {"site": "thigh", "pump_id": "B"})  # fmt: skip
    got = deidentify(table, key=KEY, facility_zone=ZONE).administrations
    assert got["site"].n_unique() == 2
    assert got["pump_id"].n_unique() == 2


@pytest.mark.parametrize(
    ("drug", "kept"),
    [("Hizentra", "hizentra"), (" j1559 ", "J1559"), ("for Mr Doe", None), (None, None)],
)
def test_a_drug_stays_only_if_it_is_a_known_product_or_a_code(drug, kept):
    got = deidentify(runs({"drug": drug}, {}), key=KEY, facility_zone=ZONE).administrations
    names = set(got["drug"]) - {"hizentra"}
    if drug == "for Mr Doe":
        assert names.pop().startswith("drug-")
    else:
        assert names == {kept} - {"hizentra"}


# ---------------------------------------------------------------- the key


def test_the_same_key_gives_the_same_table_and_another_key_no_pseudonym_of_it(year, told):
    assert deidentify(
        year.sample(fraction=1, shuffle=True, seed=1), key=KEY
    ).administrations.equals(told)
    other = deidentify(year, key=OTHER).administrations
    for name in ("encounter_id", "patient_id", "department"):
        assert not set(other[name].drop_nulls()) & set(told[name].drop_nulls())


def test_pseudonyms_are_no_plain_hash(year, told):
    """Who knows every number but not the key finds none by hashing them."""
    written = told.write_csv()
    for entry in year["patient_id"].unique()[:200]:
        for make in (hashlib.md5, hashlib.sha1, hashlib.sha256, hashlib.blake2b):
            assert make(entry.encode()).hexdigest()[:20] not in written


def test_one_text_has_other_names_in_other_columns():
    got = deidentify(
        runs({"encounter_id": "X", "patient_id": "X", "pump_id": "x", "site": "x"}),
        key=KEY,
        facility_zone=ZONE,
    ).administrations.row(0, named=True)
    marks = {got[name].rpartition("-")[2] for name in ("encounter_id", "patient_id", "site")}
    assert len(marks) == 3


def test_shifts_of_patients_are_spread_over_the_year():
    visits = runs(*({"patient_id": f"P{n}", "encounter_id": f"E{n}"} for n in range(2_000)))
    got = deidentify(visits, key=KEY, facility_zone=ZONE).administrations
    days = got.select((pl.lit(date(2026, 3, 2)) - pl.col("start_at").dt.date()).dt.total_days())
    counts = days.to_series().value_counts()["count"]
    assert (days.min().item(), days.max().item()) == (1, 364)
    # 2,000 over 364 days: 5.5 on average; twenty on one day would be no chance
    assert counts.max() < 20


@pytest.mark.parametrize(
    "key", ["", "short", " " * 20, "1234567" * 4, None, 7, b"bytes of sixteen or more"]
)
def test_a_key_is_a_long_text(key):
    with pytest.raises(InputError, match="secret text of 16 characters or more"):
        deidentify(runs({}), key=key)


def test_a_key_longer_than_the_hash_takes_counts_whole():
    long = "01234567" * 8
    tables = [
        deidentify(runs({}), key=long + end).administrations["encounter_id"].item() for end in "ab"
    ]
    assert tables[0] != tables[1]


# ---------------------------------------------------------------- columns of the user's own


def test_columns_of_one_s_own_stay_only_if_named():
    table = runs({"study arm": "B", "age": 93}, {"study arm": "A", "age": 89})
    got = deidentify(table, key=KEY, facility_zone=ZONE, keep=["study arm"], ages=["age"])
    assert set(got.administrations["study arm"]) == {"A", "B"}
    assert sorted(got.administrations["age"]) == [89, 90]
    assert "age" not in deidentify(table, key=KEY, facility_zone=ZONE).administrations.columns


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"keep": ["nowhere"]}, "names 'nowhere', which the table does not hold"),
        ({"keep": ["patient_id"]}, "a known column: what becomes of it is settled"),
        ({"ages": ["arm"]}, "'arm' holds String, no ages in years"),
    ],
)
def test_columns_that_cannot_be_kept(named, message):
    with pytest.raises(InputError, match=message):
        deidentify(runs({"arm": "B"}), key=KEY, **named)


# ---------------------------------------------------------------- rows that are not right


def test_entries_that_could_not_be_read_are_gone_and_said_to_be():
    table = runs({"needles": "three of Jane's"}, {"needles": "2", "encounter_id": "ENC-5"})
    got = deidentify(table, key=KEY, facility_zone=ZONE).administrations
    assert got["unreadable"].drop_nulls().to_list() == ["entry"]
    assert "Jane" not in got.write_csv()
    assert sq.code_administrations(got).reconcile() == {
        "rows_in": 2, "coded": 1, "query": 0, "refer": 0, "refused": 1
    }  # fmt: skip


def test_missing_times_stay_missing():
    got = deidentify(runs({"stop_at": None}, {"start_at": None}), key=KEY, facility_zone=ZONE)
    assert got.administrations["stop_at"].null_count() == 1
    assert got.administrations["start_at"].null_count() == 1


def test_nobody_s_encounter_is_shifted_by_itself():
    table = runs({"patient_id": None}, {"patient_id": None, "encounter_id": "ENC-2"})
    got = deidentify(table, key=KEY, facility_zone=ZONE).administrations
    assert got["patient_id"].null_count() == 2
    assert got["start_at"].n_unique() == 2


def test_an_empty_table():
    got = deidentify(runs({}).clear(), key=KEY, facility_zone=ZONE)
    assert got.administrations.height == 0
    assert got.report.height == len(RUN) + len(("unreadable", "alike"))


# ---------------------------------------------------------------- what gave something away


def told_of(*changes: dict, zone: str | None = ZONE, **named) -> pl.DataFrame:
    return deidentify(runs(*changes), key=KEY, facility_zone=zone, **named).administrations


def test_a_start_keeps_its_clock_time_over_a_change_of_the_clocks():
    """Clocks changed on 8 March 2026: only a start by elapsed time would show it."""
    days = [{"start_at": datetime(2026, 3, day, 8), "stop_at": datetime(2026, 3, day, 9)}
            for day in range(4, 14)]  # fmt: skip
    for number in range(20):
        got = told_of(*(day | {"patient_id": f"P{number}"} for day in days))
        assert set(got["start_at"].dt.hour()) == {8}
        assert set(got["stop_at"].dt.hour()) == {9}


@pytest.mark.parametrize(
    "change",
    [
        {"route": "by mouth"},
        {"mode": "drip"},
        {"setting": "Ward 5"},
        {"start_at": datetime(2026, 3, 8, 2, 30)},
        {"start_at": datetime(2025, 11, 2, 1, 30), "stop_at": datetime(2025, 11, 2, 3)},
        {"start_at": datetime(2025, 11, 2, 0, 30), "stop_at": datetime(2025, 11, 2, 1, 30)},
    ],
)
def test_refused_and_unsure_rows_are_refused_again(change):
    got = told_of({"mode": None, "setting": None} | change)
    assert got["unreadable"].to_list() == ["entry"]
    assert sq.code_administrations(got).reconcile()["refused"] == 1


def test_a_patient_named_in_one_row_is_shifted_as_one():
    later = {"start_at": NINE + timedelta(hours=3), "stop_at": NINE + timedelta(hours=4)}
    got = told_of({}, later | {"patient_id": None}, {"encounter_id": "ENC-2"})
    assert got["start_at"].dt.date().n_unique() == 1
    alone = told_of({"encounter_id": "of another year"})
    assert alone["start_at"].item() == got["start_at"].min()


def test_rows_without_encounter_share_no_shift():
    nobody = {"encounter_id": None, "patient_id": None}
    got = told_of({"encounter_id": None}, {"encounter_id": None, "patient_id": "B"}, nobody)
    assert got["start_at"].null_count() == 1
    assert got["start_at"].dt.date().drop_nulls().n_unique() == 2
    assert got["unreadable"].to_list() == ["entry"] * 3


@pytest.mark.parametrize(
    ("column", "entry", "left"),
    [
        ("em_code", " 99213 ", "99213"),
        ("em_code", "g0463", "G0463"),
        ("em_code", "99213 Smith", None),
        ("em_code", "9921", None),
        ("needles", 99, 99),
        ("needles", 100, None),
        ("drug", "J0895", "J0895"),
    ],
)
def test_only_codes_and_counts_pass(column, entry, left):
    assert told_of({column: entry})[column].item() == left


def test_a_letter_and_four_digits_are_no_drug():
    assert told_of({"drug": "R1234"})["drug"].item().startswith("drug-")


def test_a_zone_that_names_a_county_is_refused():
    with pytest.raises(InputError, match="a place smaller than a state"):
        told_of({}, zone="America/Indiana/Vevay")


def test_rows_alike_are_no_copies_and_copies_stay_copies():
    table = runs({"pump_id": "A", "nurse": "x"}, {"pump_id": "a", "nurse": "x"},
                 {"pump_id": "a", "nurse": "y"}, {"pump_id": "A", "nurse": "x"})  # fmt: skip
    got = deidentify(table, key=KEY, facility_zone=ZONE).administrations
    assert sorted(got["alike"]) in ([1, 1, 2, 3], [1, 2, 2, 3], [1, 2, 3, 3])
    assert sq.code_administrations(got).reconcile()["refused"] == 1


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"keep": "age"}, "lists of names"),
        ({"keep": ["age", "age"]}, "names? 'age' twice"),
        ({"keep": ["age"], "ages": ["age"]}, "'age' twice"),
        ({"keep": ["thing"]}, "only columns of plain values"),
        ({"keep": ["many"]}, "only columns of plain values"),
    ],
)
def test_columns_that_would_give_more_than_they_say(named, message):
    table = runs({"age": 90, "many": [1]}).with_columns(
        pl.Series("thing", [object()], dtype=pl.Object)
    )
    with pytest.raises(InputError, match=message):
        deidentify(table, key=KEY, facility_zone=ZONE, **named)


def test_a_list_of_answers_is_not_written_along():
    arm = pl.Series("arm", ["a"], dtype=pl.Enum(["a", "SECRET"]))
    got = deidentify(runs({}).with_columns(arm), key=KEY, facility_zone=ZONE, keep=["arm"])
    assert got.administrations.schema["arm"] == pl.String


def test_the_report_tells_of_the_marks():
    rules = dict(deidentify(runs({}), key=KEY).report.select("column", "rule").rows())
    assert (rules["unreadable"], rules["alike"]) == ("mark", "mark")


@pytest.mark.parametrize("preset", sq.policy_presets()["preset"].to_list())
def test_units_stay_under_every_preset(year, told, preset):
    columns = ["infusion_min", "outcome", "units_96369", "units_96370", "units_96371"]
    policy = sq.policy_preset(preset)
    counted = [
        sq.code_administrations(rows, policy=policy).encounters.select(columns).collect()
        for rows in (year, told)
    ]
    assert counted[0].sort(columns).equals(counted[1].sort(columns))


def test_a_discharge_stays_behind_the_stop_in_a_night_of_clock_change():
    """22:40 to 09:55 the day after and discharge 51 minutes later, in every night of a year."""
    start = datetime(2026, 1, 10, 22, 40)
    night = {"start_at": start, "stop_at": start + timedelta(hours=11, minutes=15),
             "discharge_at": start + timedelta(hours=12, minutes=6)}  # fmt: skip
    got = told_of(*(night | {"encounter_id": f"E{n}", "patient_id": f"P{n}"} for n in range(1500)))
    assert set(got["stop_at"] - got["start_at"]) == {timedelta(hours=11, minutes=15)}
    assert set(got["discharge_at"] - got["stop_at"]) == {timedelta(minutes=51)}
    # In the two nights of a year on which clocks change the stop is an hour off.
    assert set(got["stop_at"].dt.hour()) == {8, 9, 10}
    assert set(got["start_at"].dt.hour()) == {22}


def test_of_a_reason_why_nothing_was_given_only_that_there_was_one_stays():
    table = runs({"not_given": "Jane refused", "volume_ml": -1.0}, {"not_given": None})
    got = deidentify(table, key=KEY, facility_zone=ZONE).administrations
    assert set(got["not_given"]) == {"not given", None}
    assert "Jane" not in got.write_csv()


def test_a_naive_run_over_a_change_of_the_clocks_is_refused_again():
    night = {"start_at": datetime(2025, 11, 1, 23), "stop_at": datetime(2025, 11, 2, 4)}
    assert told_of(night, zone=None)["unreadable"].to_list() == ["entry"]
