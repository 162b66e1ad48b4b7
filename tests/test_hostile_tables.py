"""Tables that try to be misread: names, types, ids and times that nobody should send."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

import subq_toolkit as sq

ROW = {
    "encounter_id": "E1",
    "start_at": datetime(2026, 3, 2, 9),
    "stop_at": datetime(2026, 3, 2, 10),
    "route": "subcutaneous",
}


def table(*rows: dict, **changes: object) -> pl.DataFrame:
    return pl.DataFrame([row | changes for row in rows or (ROW,)])


def outcome_counts(frame: pl.DataFrame, **options: object) -> dict[str, int]:
    counts = sq.code_administrations(frame, **options).reconcile()
    return {name: count for name, count in counts.items() if count}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"site": ["JANE ROE"]}, r"Column 'site' holds List\(String\) values; it must hold text"),
        ({"volume_ml": date(2026, 1, 1)}, "Column 'volume_ml' holds Date values; it must hold num"),
        ({"volume_ml": True}, "Column 'volume_ml' holds Boolean values"),
        ({"setup_charted": 2}, "Column 'setup_charted' holds Int64 values; it must hold true or"),
        ({"route": 3}, "Column 'route' holds Int64 values; it must hold one of its known answers"),
        ({"_pumps": "JANE ROE"}, "Names that begin with an underscore are kept for the toolkit"),
        ({"start_at": date(2026, 3, 2)}, "Column 'start_at' is Date, not a date with a clock time"),
    ],
)
def test_a_column_that_cannot_be_used(changes: dict, message: str) -> None:
    with pytest.raises(sq.InputError, match=message) as error:
        sq.code_administrations(table(**changes))
    assert "JANE" not in str(error.value)


def test_a_table_without_a_header_is_not_printed() -> None:
    frame = pl.DataFrame({"Jane Roe 4711": ["x"], "2026-03-02 09:00": ["y"]})
    with pytest.raises(sq.InputError, match="no column 'stop_at'; it has 2 others") as error:
        sq.accept(frame)
    assert "Roe" not in str(error.value)
    with pytest.raises(sq.InputError, match="it has 'encounter_id', 'when'"):
        sq.accept(pl.DataFrame({"encounter_id": ["a"], "when": [1]}))


@pytest.mark.parametrize("given", [None, {"a": 1}, [ROW]], ids=["none", "dict", "list"])
def test_what_is_no_table(given: object) -> None:
    with pytest.raises(sq.InputError, match="Hand in a Polars DataFrame or LazyFrame"):
        sq.code_administrations(given)


def test_a_policy_by_name_and_a_zone_of_the_machine() -> None:
    with pytest.raises(sq.InputError, match=r"policy is a Policy, not a str: write Policy"):
        sq.code_administrations(table(), policy="audit_ready")
    for zone in ("localtime", "Factory"):
        with pytest.raises(sq.InputError, match="is not a known time zone"):
            sq.code_administrations(table(), facility_zone=zone)


def test_one_zoned_and_one_bare_column() -> None:
    frame = table().with_columns(pl.col("start_at").dt.replace_time_zone("America/New_York"))
    with pytest.raises(sq.InputError, match="'start_at' carries a time zone and 'stop_at' does"):
        sq.code_administrations(frame)
    assert outcome_counts(frame, facility_zone="America/New_York") == {"rows_in": 1, "coded": 1}


def test_columns_with_the_names_of_results_ride_along() -> None:
    names = ("row", "ok", "copy", "len", "finding", "detail", "day", "so_far", "code", "units")
    names += ("outcome", "infusion_min", "pumps", "service_date", "literal", "failed", "site_")
    frame = table(**dict.fromkeys(names, "theirs"))
    for policy in (sq.Policy(), sq.Policy(midnight="split")):
        coded = sq.code_administrations(frame, policy=policy)
        row = coded.encounters.collect().row(0, named=True)
        assert (row["outcome"], row["infusion_min"], row["pumps"]) == ("coded", 60, 1)
        assert row["outcome_given"] == row["service_date_given"] == row["day"] == "theirs"
        assert coded.lines.collect()["units"].to_list() == [1]
        assert coded.findings.collect().is_empty()
        assert set(names) <= set(coded.accepted.collect().columns)


@pytest.mark.parametrize("held", [[[1]], [{"a": 1}]], ids=["list", "struct"])
def test_nested_columns_stay_in_accepted(held: list) -> None:
    coded = sq.code_administrations(table().with_columns(pl.Series("theirs", held)))
    assert "theirs" in coded.accepted.collect().columns
    assert "theirs" not in coded.encounters.collect().columns
    assert coded.reconcile()["coded"] == 1


def test_ids_of_any_type_and_blanks_around_them() -> None:
    ids = [pl.Series("encounter_id", [7, 7]), pl.Series("encounter_id", [7.0, 7.0])]
    ids.append(pl.Series("encounter_id", [" 7", "7 "]))
    later = ROW | {"start_at": ROW["stop_at"], "stop_at": ROW["stop_at"] + timedelta(hours=1)}
    for one in ids:
        coded = sq.code_administrations(table(ROW, later).with_columns(one))
        assert coded.encounters.collect()["encounter_id", "infusion_min"].rows() == [("7", 120)]
        assert sq.explain(coded, 7).height > 0
        assert sq.checklist(coded, 7).height > 0


def test_an_id_that_is_none() -> None:
    frame = table(ROW, ROW, ROW).with_columns(pl.Series("encounter_id", [float("nan"), None, 1.0]))
    coded = sq.code_administrations(frame)
    assert coded.refused.collect()["failed"].to_list() == [["encounter is named"]] * 2
    assert coded.encounters.collect()["encounter_id"].to_list() == ["1"]


@pytest.mark.parametrize(
    "ticks", [2**63 - 1, -(2**63) + 1, 0, -(10**15) * 3], ids=["last", "first", "1970", "1874"]
)
@pytest.mark.parametrize("unit", ["us", "ms", "ns"])
@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_times_at_the_ends_of_the_calendar(ticks: int, unit: str, zone: str | None) -> None:
    odd = pl.Series("stop_at", [ticks, None], dtype=pl.Int64).cast(pl.Datetime(unit))
    counts = outcome_counts(table(ROW, ROW).with_columns(odd), facility_zone=zone)
    assert counts == {"rows_in": 2, "refused": 1, "query": 1}


@pytest.mark.parametrize(
    ("year", "ends_as"), [(1899, "refused"), (2008, "coded"), (2201, "coded"), (2400, "refused")]
)
def test_years_of_charting(year: int, ends_as: str) -> None:
    """Dates of de-identified data are shifted by up to two centuries; they are coded."""
    rows = table(start_at=datetime(year, 3, 2, 9), stop_at=datetime(year, 3, 2, 10))
    assert outcome_counts(rows) == {"rows_in": 1, ends_as: 1}


def test_the_last_and_first_year_that_are_believed() -> None:
    days = [
        datetime(1899, 12, 31, 23),
        datetime(1900, 1, 1),
        datetime(2399, 12, 31),
        datetime(2400, 1, 1),
    ]
    rows = [ROW | {"encounter_id": str(day.year), "start_at": day, "stop_at": day} for day in days]
    failed = sq.accept(table(*rows)).refused.collect()["failed"].to_list()
    unread, too_early = ["every entry could be read"], ["date of service has rules in effect"]
    assert failed == [unread, too_early, unread]


def test_times_in_utc_say_so() -> None:
    frame = table().with_columns(
        start_at=pl.lit(datetime(2026, 3, 3, 1, tzinfo=UTC)),
        stop_at=pl.lit(datetime(2026, 3, 3, 3, tzinfo=UTC)),
    )
    told = sq.code_administrations(frame)
    assert told.findings.collect()["finding"].to_list() == ["dates_in_utc"]
    local = sq.code_administrations(frame, facility_zone="America/New_York")
    assert local.findings.collect().is_empty()
    assert local.encounters.collect()["service_date"].to_list() == [date(2026, 3, 2)]


def test_a_table_without_routes_says_what_is_taken_for_granted() -> None:
    told = sq.code_administrations(table().drop("route")).findings.collect()
    assert told["finding"].to_list() == ["route_assumed"]
    assert sq.code_administrations(table()).findings.collect().is_empty()


def test_a_time_that_happened_twice_is_no_copy_and_is_not_lost() -> None:
    stop = datetime(2026, 11, 1, 3)
    rows = [
        ROW | {"start_at": datetime(2026, 11, 1, 1, minute), "stop_at": stop} for minute in (5, 35)
    ]
    coded = sq.code_administrations(table(*rows), facility_zone="America/New_York")
    assert coded.reconcile() == {"rows_in": 2, "coded": 0, "query": 2, "refer": 0, "refused": 0}
    again = sq.code_administrations(coded.accepted, facility_zone="America/New_York")
    assert again.findings.collect().equals(coded.findings.collect())


def test_a_discharge_that_happened_twice_is_asked_about() -> None:
    frame = table(
        start_at=datetime(2026, 11, 1, 0, 10),
        stop_at=datetime(2026, 11, 1, 6),
        discharge_at=datetime(2026, 11, 1, 1, 30),
    )
    coded = sq.code_administrations(frame, facility_zone="America/New_York")
    assert coded.findings.collect()["finding"].to_list() == ["ambiguous_clock"]


def test_copies_do_not_count_in_the_reasons() -> None:
    run = sq.Administration("2026-03-02 09:00", "2026-03-02 10:00")
    assert "60 min are charted: 1 run, 1 pump." in sq.code_encounter([run] * 3).explanation


def test_runs_from_a_generator_and_what_is_no_run() -> None:
    run = sq.Administration("2026-03-02 09:00", "2026-03-02 10:00")
    assert sq.code_encounter(one for one in [run]).units == {"96369": 1}
    for given in (7, [{"start_at": "2026-03-02 09:00"}], "run"):
        with pytest.raises(sq.InputError, match="takes a list of Administration"):
            sq.code_encounter(given)


@pytest.mark.parametrize(
    "changes",
    [
        {"site": ["JANE"]},
        {"volume_ml": "80 mL"},
        {"volume_ml": float("inf")},
        {"volume_ml": 10**400},
        {"needles": 2.7},
        {"needles": 2**70},
        {"setup_charted": "no"},
        {"pump_id": 7},
    ],
    ids=str,
)
def test_an_administration_of_wrong_types(changes: dict) -> None:
    (name, value) = next(iter(changes.items()))
    with pytest.raises(sq.InputError, match=f"Administration: {name} must be") as error:
        sq.Administration("2026-03-02 09:00", **changes)
    assert repr(value) not in str(error.value)


def test_offsets_beyond_the_calendar() -> None:
    with pytest.raises(sq.InputError, match="outside the calendar"):
        sq.code_encounter([sq.Administration("0001-01-01 00:00+05:00")])


def test_a_refused_encounter_explains_and_lists_itself() -> None:
    one = sq.code_encounter([sq.Administration("2026-03-02 09:00", "2026-03-02 08:00")])
    assert one.explain()["step"].to_list() == ["outcome"]
    assert one.checklist()["charted"].to_list() == [False] * 9


def test_text_for_true_and_false_and_odd_numbers() -> None:
    frame = table(ROW, ROW, ROW).with_columns(
        pl.Series("encounter_id", ["a", "b", "c"]),
        pl.Series("setup_charted", ["Yes", "no", "perhaps"]),
        pl.Series("needles", [2.0, 3.0, 2.0]),
    )
    coded = sq.code_administrations(frame)
    assert coded.accepted.collect()["setup_charted"].to_list() == [True, False]
    assert coded.refused.collect()["failed"].to_list() == [["every entry could be read"]]
    half = table(ROW).with_columns(pl.Series("needles", [2.5]))
    assert outcome_counts(half) == {"rows_in": 1, "refused": 1}
