"""A minute summary that is kept: added up from parts, written whole, refused if edited."""

import json
import pickle
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

import subq_toolkit as sq
from subq_toolkit.coded_files import code_files
from subq_toolkit.durations import duration_bins
from subq_toolkit.scenarios import (
    MinuteSummary,
    Scenario,
    combined,
    compare,
    expected,
    minute_summary,
    read_minute_summary,
    summary_marks,
    total_usd,
    write_minute_summary,
)

SPRING, AUTUMN = date(2026, 3, 2), date(2026, 10, 1)
PRICED = {"first_days": (SPRING,), "until": date(2026, 3, 31), "zones": ("America/New_York",)}


def counts(*rows: tuple, **more: list) -> pl.DataFrame:
    """Rows of (minutes, encounters) in an office."""
    usual = {"period": SPRING, "setup": False, "outcome": "coded", "place": "office"}
    told = [usual | {"minutes": minutes, "encounters": n} for minutes, n in rows]
    frame = pl.DataFrame(told, schema_overrides={"minutes": pl.Int64})
    return frame.with_columns(pl.Series(name, values) for name, values in more.items())


def work(*rows: tuple, **more: list) -> MinuteSummary:
    return MinuteSummary(counts(*rows, **more), tuple(more), **PRICED)


@pytest.fixture(scope="module")
def coded() -> sq.Coded:
    return sq.code_administrations(sq.sample_administrations())


@pytest.fixture(scope="module")
def sample(coded: sq.Coded) -> MinuteSummary:
    return minute_summary(coded, by=["payer", "month", "rounding"])


def rewritten(path: Path, frame: pl.DataFrame | None = None, **metadata: str) -> Path:
    """The same file by another hand: other rows or another metadata."""
    held = {k: v for k, v in pl.read_parquet_metadata(path).items() if k != "ARROW:schema"}
    frame = pl.read_parquet(path) if frame is None else frame
    frame.write_parquet(path, metadata=held | metadata)
    return path


def test_what_is_read_is_what_was_written(sample: MinuteSummary, tmp_path: Path) -> None:
    path = write_minute_summary(sample, tmp_path / "years.parquet")
    again = read_minute_summary(path)
    assert again == sample
    assert hash(again) == hash(sample)
    assert again.counts.equals(sample.counts)
    assert again.counts.schema == sample.counts.schema
    assert (again.by, again.policy, again.zones, again.first_days, again.until) == (
        sample.by, sample.policy, sample.zones, sample.first_days, sample.until,
    )  # fmt: skip
    assert (again.zones, again.until) == (("America/New_York",), date(2026, 10, 31))
    terms = [Scenario("base", on=SPRING), Scenario("found", recovered_share=0.5)]
    assert compare(again, terms, by=["payer"]).equals(compare(sample, terms, by=["payer"]))
    assert duration_bins(again).equals(duration_bins(sample))
    assert [file.name for file in tmp_path.iterdir()] == ["years.parquet"]


@pytest.mark.parametrize(
    "frame",
    [
        counts((60, 3)),
        counts((None, 2), (0, 1), (2**40, 2**40)),
        counts((60, 3)).clear(),
        counts((60, 30), (61, 40), ward=["", None]),
        counts((60, 30), (61, 40), ward=['a "b", c\n', "病棟"]),
        counts((60, 30), (61, 40), ward=pl.Series(["a", "b"], dtype=pl.Enum(["b", "a"]))),
        counts((60, 30), (61, 40), ward=pl.Series(["a", "b"], dtype=pl.Categorical)),
        counts((60, 30), (61, 40), ward=[1.5, float("inf")]),
    ],
    ids=["one", "nulls", "empty", "no_words", "words", "enum", "categories", "numbers"],
)
def test_awkward_rows_come_back_as_they_were(frame: pl.DataFrame, tmp_path: Path) -> None:
    by = tuple(name for name in frame.columns if name == "ward")
    given = MinuteSummary(frame, by, **PRICED)
    held = read_minute_summary(write_minute_summary(given, tmp_path / "s.parquet"))
    assert held == given
    assert held.counts.select(frame.columns).equals(frame)
    assert held.counts.select(frame.columns).schema == frame.schema


def test_the_metadata_say_what_the_file_is(tmp_path: Path) -> None:
    policy = sq.Policy(unit_cap="unlikely_edit", bridge_pauses_min=5)
    path = write_minute_summary(replace(work((60, 3)), policy=policy), tmp_path / "s.parquet")
    told = json.loads(pl.read_parquet_metadata(path)["subq_toolkit"])
    assert (told["kind"], told["format"], told["by"]) == ("minute summary", 1, [])
    assert (told["policy"]["unit_cap"], told["policy"]["bridge_pauses_min"]) == ("unlikely_edit", 5)
    assert (told["zones"], told["first_days"], told["until"]) == (
        ["America/New_York"], ["2026-03-02"], "2026-03-31",
    )  # fmt: skip
    assert len(told["rules"]) == 64
    assert "package" in told


def test_equal_summaries_and_unequal_ones() -> None:
    one = work((60, 3), (91, 2))
    assert one == work((60, 3), (91, 2))
    assert hash(one) == hash(work((60, 3), (91, 2)))
    assert pickle.loads(pickle.dumps(one)) == one
    for other in (
        work((60, 3), (91, 3)),
        work((60, 3), (92, 2)),
        replace(one, policy=sq.Policy(unit_cap="unlikely_edit")),
        replace(one, zones=()),
        replace(one, counts=one.counts.cast({"minutes": pl.Int32})),
    ):
        assert one != other
    assert one != one.counts.height


def plain_parquet(path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(path)


def of_another_kind(path: Path) -> None:
    rewritten(path, subq_toolkit=json.dumps({"kind": "price list", "format": 1}))


def without_kind(path: Path) -> None:
    rewritten(path, subq_toolkit="[]")


def of_a_later_format(path: Path) -> None:
    told = json.loads(pl.read_parquet_metadata(path)["subq_toolkit"])
    rewritten(path, subq_toolkit=json.dumps(told | {"format": 2, "package": "9.1"}))


def of_a_later_policy(path: Path) -> None:
    told = json.loads(pl.read_parquet_metadata(path)["subq_toolkit"])
    told["policy"]["moonlight"] = "count"
    rewritten(path, subq_toolkit=json.dumps(told))


def with_another_count(path: Path) -> None:
    rewritten(path, pl.read_parquet(path).with_columns(pl.col("encounters") + 1))


def with_one_row_less(path: Path) -> None:
    rewritten(path, pl.read_parquet(path).head(1))


def without_a_column(path: Path) -> None:
    rewritten(path, pl.read_parquet(path).drop("setup"))


def under_another_policy(path: Path) -> None:
    told = json.loads(pl.read_parquet_metadata(path)["subq_toolkit"])
    told["policy"]["unit_cap"] = "unlikely_edit"
    rewritten(path, subq_toolkit=json.dumps(told, sort_keys=True))


def under_no_policy(path: Path) -> None:
    told = json.loads(pl.read_parquet_metadata(path)["subq_toolkit"])
    rewritten(path, subq_toolkit=json.dumps(told | {"policy": {"unit_cap": "perhaps"}}))


def without_digest(path: Path) -> None:
    told = pl.read_parquet_metadata(path)["subq_toolkit"]
    pl.read_parquet(path).write_parquet(path, metadata={"subq_toolkit": told})


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def with_a_hole(path: Path) -> None:
    held = path.read_bytes()
    path.write_bytes(held[:8] + b"\xff" * 40 + held[48:])


def text(path: Path) -> None:
    path.write_text("minutes;encounters", "utf-8")


def nothing(path: Path) -> None:
    path.write_bytes(b"")


def gone(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (plain_parquet, "is a Parquet file, but no minute summary. Charted runs are summarised by"),
        (of_another_kind, "is no minute summary: it says that it is 'price list'"),
        (without_kind, "is no minute summary: it does not say so"),
        (of_a_later_format, r"has format 2 of a minute summary, made by subq_toolkit 9\.1"),
        (of_a_later_policy, "a choice that this version does not know: 'moonlight'"),
        (with_another_count, "was edited or damaged after it was written"),
        (with_one_row_less, "was edited or damaged after it was written"),
        (without_a_column, "was edited or damaged after it was written"),
        (under_another_policy, "was edited or damaged after it was written"),
        (under_no_policy, "was edited or damaged after it was written"),
        (without_digest, "was edited or damaged after it was written"),
        (cut_short, "is no Parquet file, or only a part of one"),
        (with_a_hole, "is damaged: its rows cannot be read|was edited or damaged"),
        (text, "is no Parquet file, or only a part of one"),
        (nothing, "is no Parquet file, or only a part of one"),
        (gone, "cannot be read"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_file_that_is_not_itself_is_refused(spoil, says: str, tmp_path: Path) -> None:
    path = write_minute_summary(work((60, 3), (91, 2)), tmp_path / "s.parquet")
    spoil(path)
    with pytest.raises(sq.InputError, match=says):
        read_minute_summary(path)


def test_every_damaged_byte_of_a_small_file_is_noticed(tmp_path: Path) -> None:
    whole = work((60, 3), (91, 2))
    path = write_minute_summary(whole, tmp_path / "s.parquet")
    held = path.read_bytes()
    for place in range(4, len(held) - 8, 37):
        path.write_bytes(held[:place] + bytes([held[place] ^ 0x55]) + held[place + 1 :])
        try:
            assert read_minute_summary(path) == whole
        except sq.InputError:
            continue


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda s, d: write_minute_summary(s.counts, d / "s.parquet"), "this is a DataFrame"),
        (
            lambda s, d: write_minute_summary(s, d / "s.csv"),
            r"'s\.csv' has no ending .* It can end in \.parquet",
        ),
        (lambda s, _d: write_minute_summary(s, 3), "path is the name of a file; this is a int"),
        (lambda s, d: write_minute_summary(s, d / "no" / "s.parquet"), "There is no folder"),
        (lambda s, d: write_minute_summary(s, folder(d)), "is a folder. Give the file a name"),
        (lambda _s, _d: read_minute_summary(None), "path is the name of a file"),
        (lambda _s, d: read_minute_summary(folder(d)), "cannot be read"),
        (lambda _s, d: read_minute_summary(f"{d}/a\0b.parquet"), "cannot be read"),
    ],
)
def test_what_cannot_be_written_or_read_is_told(call, says: str, tmp_path: Path) -> None:
    with pytest.raises(sq.InputError, match=says):
        call(work((60, 3)), tmp_path)
    assert [one for one in tmp_path.iterdir() if one.is_file()] == []


def folder(place: Path) -> Path:
    made = place / "f.parquet"
    made.mkdir()
    return made


def test_a_write_that_fails_leaves_the_file_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_minute_summary(work((60, 3)), tmp_path / "s.parquet")
    before = path.read_bytes()

    def full(_self: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(sq.InputError, match="No space left on device"):
        write_minute_summary(work((91, 2)), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_later_write_takes_the_place_of_the_first(tmp_path: Path) -> None:
    path = write_minute_summary(work((60, 3)), tmp_path / "s.parquet")
    write_minute_summary(work((91, 2)), path)
    assert read_minute_summary(path) == work((91, 2))


def test_no_patient_or_encounter_is_named_in_the_file(coded: sq.Coded, tmp_path: Path) -> None:
    runs = sq.sample_administrations().collect()
    kept = ["payer", "department", "setting", "locality", "therapy", "pumps"]
    path = write_minute_summary(
        minute_summary(coded, by=[*kept, "month", "rounding"]), tmp_path / "s.parquet"
    )
    plain = tmp_path / "plain.parquet"
    pl.read_parquet(path).write_parquet(plain, compression="uncompressed")
    held = plain.read_bytes() + json.dumps(pl.read_parquet_metadata(path)).encode()
    names = {one for name in ("patient_id", "encounter_id") for one in runs[name].drop_nulls()}
    assert len(names) > 4_000
    assert not [name for name in names if name.encode() in held]
    assert b"treatment_room" in held
    assert not {"encounter_id", "patient_id"} & {*pl.read_parquet(path).columns}


def test_a_column_that_may_name_a_patient_is_not_written(tmp_path: Path) -> None:
    least = 11
    rows = [(60 + place, least - 1) for place in range(4)]
    few = work(*rows, record=["a", "b", "c", "d"])
    with pytest.raises(sq.InputError, match="'record' has 4 values for 40 encounters, so that it"):
        write_minute_summary(few, tmp_path / "s.parquet")
    assert list(tmp_path.iterdir()) == []
    enough = work(*[(minutes, least) for minutes, _ in rows], record=["a", "b", "c", "d"])
    assert read_minute_summary(write_minute_summary(enough, tmp_path / "s.parquet")) == enough
    assert write_minute_summary(few.only(), tmp_path / "s.parquet").exists()
    for name in ("payer", "pumps", "units_96370"):
        assert write_minute_summary(
            work((60, 1), (61, 1), **{name: [1, 2]}), tmp_path / "s.parquet"
        )


def test_record_numbers_of_the_export_are_not_written(tmp_path: Path) -> None:
    runs = sq.sample_administrations().with_columns(record=pl.col("patient_id"))
    held = minute_summary(sq.code_administrations(runs), by=["record"])
    with pytest.raises(sq.InputError, match=r"'record' has .* so that it may name a patient"):
        write_minute_summary(held, tmp_path / "s.parquet")


def test_other_rules_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary_marks, "rules_mark", lambda: "another")
    path = write_minute_summary(work((60, 3)), tmp_path / "s.parquet")
    monkeypatch.undo()
    with pytest.warns(sq.StaleValueWarning, match="made when a rule under parameters/ had another"):
        assert read_minute_summary(path).encounters == 3


def test_prices_that_changed_within_a_period_are_told(tmp_path: Path) -> None:
    # Bundled prices change on 2026-04-01, 07-01 and 10-01; these encounters are not divided there.
    longer = replace(work((60, 3)), until=date(2026, 4, 1))
    path = write_minute_summary(longer, tmp_path / "s.parquet")
    with pytest.warns(sq.StaleValueWarning, match="prices change on 2026-04-01"):
        assert read_minute_summary(path) == longer


# --- adding up ---------------------------------------------------------------------------------


def test_parts_add_up_by_hand() -> None:
    spring, summer = work((60, 3), (91, 2)), work((60, 4), (120, 1))
    both = spring + summer
    assert both.counts.select("minutes", "encounters").rows() == [(60, 7), (91, 2), (120, 1)]
    assert both == combined([summer, spring]) == work((60, 7), (91, 2), (120, 1))
    assert combined([spring]) == spring
    # 10 first hours at 144.96 and 3 further hours at 17.03
    assert total_usd(both, Scenario("base", on=SPRING)) == Decimal("1500.69")


def test_zones_days_and_ends_of_parts() -> None:
    west = replace(work((60, 1)), zones=("America/Denver",), until=None)
    both = work((60, 3)) + west
    assert both.zones == ("America/Denver", "America/New_York")
    assert (both.until, both.first_days) == (date(2026, 3, 31), (SPRING,))


def test_the_sum_of_hospitals_is_the_whole(coded: sq.Coded, sample: MinuteSummary) -> None:
    runs = sq.sample_administrations()
    part = pl.col("encounter_id").hash() % 3
    parts = [
        minute_summary(sq.code_administrations(runs.filter(part == n)), by=sample.by)
        for n in range(3)
    ]
    assert min(one.encounters for one in parts) > 1_000
    whole = combined(parts)
    assert whole.encounters == sample.encounters
    assert whole.counts.group_by("payer", "minutes").agg(pl.col("encounters").sum()).sort(
        "payer", "minutes"
    ).equals(
        sample.counts.group_by("payer", "minutes").agg(pl.col("encounters").sum()).sort(
            "payer", "minutes"
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (work((60, 1), payer=["A"]), r"by \[\] and by \['payer'\] cannot be added up"),
        (replace(work((60, 1)), policy=sq.Policy(unit_cap="unlikely_edit")), "under one policy"),
        (
            replace(work((60, 1)), counts=counts((60, 1)).cast({"minutes": pl.Int32})),
            "Column 'minutes' is Int64 in one summary and Int32 in another",
        ),
        (
            replace(work((60, 1)), first_days=(SPRING, date(2026, 3, 20))),
            "of other prices cannot be added up: in one of them 2026-03-20 begins a period",
        ),
        (counts((60, 1)), "Hand in summaries .* one is a DataFrame"),
    ],
)
def test_summaries_that_do_not_add_up(other: object, says: str) -> None:
    with pytest.raises(sq.InputError, match=says):
        combined([work((60, 3)), other])


def test_a_day_of_prices_outside_a_part_does_no_harm() -> None:
    assert (work((60, 3)) + replace(work((60, 1)), first_days=(SPRING, AUTUMN))).encounters == 4
    with pytest.raises(sq.InputError, match="there is none"):
        combined([])
    with pytest.raises(TypeError):
        work((60, 3)) + 3


# --- coded files -------------------------------------------------------------------------------


def in_files(runs: pl.LazyFrame, folder: Path, **options: object) -> object:
    runs.sink_parquet(folder / "runs.parquet")
    return code_files(folder / "runs.parquet", folder / "coded", parts=4, **options)


def test_coded_files_are_summarised_as_coded_work(coded: sq.Coded, tmp_path: Path) -> None:
    by = ["payer", "month", "pumps"]
    of_files = minute_summary(in_files(sq.sample_administrations(), tmp_path), by=by)
    held = minute_summary(coded, by=by)
    assert of_files.encounters == held.encounters == 4_993
    without = [name for name in held.counts.columns if name not in ("setup", "encounters")]
    for one in (of_files, held):
        assert one.counts.schema == held.counts.schema
    told = [
        one.counts.group_by(without).agg(pl.col("encounters").sum()).sort(without)
        for one in (of_files, held)
    ]
    assert told[0].equals(told[1])
    # From a first hour on, 16 minutes, a further set-up is told by its unit.
    long = (pl.col("outcome") == "coded") & (pl.col("minutes") >= 16)
    assert of_files.counts.filter(long).equals(held.counts.filter(long))
    terms = Scenario("as charted")
    assert expected(of_files, terms).equals(expected(held, terms))
    assert of_files.until == held.until


def test_a_summary_of_files_is_kept_and_added_to(tmp_path: Path) -> None:
    held = minute_summary(in_files(sq.sample_administrations(), tmp_path), by="month")
    path = write_minute_summary(held + held, tmp_path / "twice.parquet")
    assert read_minute_summary(path).encounters == 2 * 4_993


def test_what_coded_files_do_not_tell_is_refused(tmp_path: Path) -> None:
    runs = sq.sample_administrations().head(200)
    done = in_files(runs, tmp_path, policy=sq.Policy(seconds="count"))
    with pytest.raises(sq.InputError, match="their policy counts seconds"):
        minute_summary(done)
    with pytest.raises(sq.InputError, match="have no column 'rounding'"):
        minute_summary(done, by="rounding")
    (tmp_path / "lines").mkdir()
    lines = in_files(runs, tmp_path / "lines", tables=["lines"])
    with pytest.raises(sq.InputError, match="holds no encounters"):
        minute_summary(lines)
