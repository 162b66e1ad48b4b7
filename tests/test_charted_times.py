"""Times as people type and export them."""

import csv
from datetime import date, datetime, time
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from subq_toolkit.charted_times import charted_date, clock_time, find_reading
from subq_toolkit.errors import InputError
from subq_toolkit.time_formats import FORMATS

with (Path(__file__).parent / "cases" / "charted_clock_times.csv").open(encoding="utf-8") as cases:
    CLOCK_TIMES = list(csv.DictReader(cases))


def read(*values: str, **stated: object) -> list[datetime | None]:
    text = pl.Series("Start", values, dtype=pl.String)
    reading = find_reading({"Start": text}, **stated)
    return (
        pl.LazyFrame({"t": text}).select(reading.expr(pl.col("t"))).collect().to_series().to_list()
    )


def names(*values: str) -> list[str]:
    return [form.name for form in find_reading({"Start": pl.Series(values)}).formats]


@pytest.mark.parametrize("case", CLOCK_TIMES, ids=lambda c: f"{c['typed']} {c['why']}".strip())
def test_clock_times_as_typed(case: dict) -> None:
    if case["means"]:
        assert clock_time(case["typed"]) == time.fromisoformat(case["means"]), case["why"]
    else:
        with pytest.raises(InputError):
            clock_time(case["typed"])


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("2400", "type 0000 with the date of the day that begins"),
        ("9", "Type it like 0915, 915, 9:15, 21:15:30, 9:15 pm"),
        ("13:15 pm", "With am or pm the hour is 1 to 12"),
        ("2460", "ends at 23:59:59"),
    ],
)
def test_a_refused_clock_time_says_what_to_type(typed: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        clock_time(typed)


@given(st.times().map(lambda t: t.replace(microsecond=0)))
def test_every_time_of_day_is_read_in_every_form(moment: time) -> None:
    assert clock_time(f"{moment:%H:%M:%S}") == moment
    assert clock_time(f"{moment:%I:%M:%S %p}") == moment
    assert clock_time(f"{moment:%H%M}") == moment.replace(second=0)


@pytest.mark.parametrize("typed", ["2026-03-02", "3/2/2026", "03/02/2026", "3/2/26", " 3/2/26 "])
def test_dates_as_typed(typed: str) -> None:
    assert charted_date(typed) == date(2026, 3, 2)


@pytest.mark.parametrize("typed", ["", "2.3.2026", "13/2/2026", "2/30/2026", "0226-03-02x"])
def test_what_is_no_date_says_what_to_type(typed: str) -> None:
    with pytest.raises(InputError, match="Type it like 2026-03-02, 3/2/2026 or 3/2/26"):
        charted_date(typed)


QUARTER_PAST = datetime(2026, 3, 22, 9, 15)


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-22 09:15",
        "2026-03-22T09:15",
        "2026-03-22 09:15:00",
        "2026-03-22T09:15:00.000000",
        " 2026-03-22  9:15 ",
        "2026/3/22 9:15",
        "3/22/2026 9:15",
        "03/22/2026 09:15:00",
        "3/22/2026 9:15 AM",
        "3/22/2026, 9:15:00\u202fAM",
        "3/22/26 9:15am",
        "22/3/2026 9:15",
        "22/03/26 09:15",
        "22.3.2026 9:15",
        "3-22-2026 9:15",
        "22-MAR-2026 09:15",
        "22-Mar-26 9:15 AM",
        "22 Mar 2026 09:15",
        "20260322 0915",
        "20260322T091500",
        "202603220915",
        "20260322091500",
    ],
)
def test_formats_that_leave_no_doubt(written: str) -> None:
    assert read(written) == [QUARTER_PAST]


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: f"{form.name} {form.order or ''}")
def test_every_format_of_the_table_reads_what_it_writes(form) -> None:
    written = QUARTER_PAST.strftime(form.pattern.replace("%.f", ""))
    assert read(written) == [QUARTER_PAST]


def test_fractions_of_a_second_are_kept() -> None:
    assert read("2026-03-22 09:15:00.25") == [QUARTER_PAST.replace(microsecond=250_000)]


def test_all_columns_together_decide_on_day_and_month() -> None:
    start, stop = pl.Series(["3/2/2026 9:15"]), pl.Series(["25/2/2026 9:15"])
    reading = find_reading({"Start": start, "Stop": stop})
    assert [form.name for form in reading.formats] == ["day/month/year hour:minute"]


def test_both_orders_fit_and_differ() -> None:
    with pytest.raises(InputError, match=r"'Start'.*2 would fall on other days.*time_format="):
        read("3/2/2026 9:15", "4/2/2026 9:15", "3/3/2026 9:15")


def test_both_orders_fit_and_do_not_differ() -> None:
    assert read("3/3/2026 9:15") == [datetime(2026, 3, 3, 9, 15)]


def test_both_orders_occur() -> None:
    with pytest.raises(InputError, match="1 values read only as month/day and 1 only as day/mon"):
        read("3/25/2026 9:15", "25/3/2026 9:15")


@pytest.mark.parametrize(("stated", "day"), [("month_first", (3, 2)), ("day_first", (2, 3))])
def test_the_order_can_be_stated(stated: str, day: tuple[int, int]) -> None:
    assert read("3/2/2026 9:15", time_format=stated) == [datetime(2026, *day, 9, 15)]


def test_a_stated_format_reads_only_itself() -> None:
    got = read("3/2/2026 9:15", "3/2/26 9:15", "2026-03-02 09:15", time_format="%m/%d/%Y %H:%M")
    assert got == [datetime(2026, 3, 2, 9, 15), None, None]


@pytest.mark.parametrize(
    "stated", ["%d.%m.%Y, %H:%M:%S", "%d.%m.%YT%H:%M:%S.%f", "%d.%m.%Y %H:%M:%S"]
)
def test_stated_formats_as_python_writes_them(stated: str) -> None:
    text = "22.03.2026 09:15:00" + (".5" if "%f" in stated else "")
    expected = QUARTER_PAST.replace(microsecond=500_000 if "%f" in stated else 0)
    assert read(text, time_format=stated) == [expected]


@pytest.mark.parametrize("stated", ["%m/%d/%Y", "%H:%M", "%m/%d/%Y %I:%M", "month", "%Q"])
def test_a_stated_format_must_keep_date_and_clock(stated: str) -> None:
    with pytest.raises(InputError, match="time_format must hold year, month, day, hour and min"):
        read("3/2/2026 9:15", time_format=stated)


def test_what_does_not_fit_is_null() -> None:
    odd = ["2026-02-30 09:15", "2026-03-22 25:00", "2026-03-22 09:15:60", "2026-03-22", "soon"]
    odd += ["46083.385", "0206-03-22 09:15", "2026-03-22 09:15 EST", "", "2026-03-22 9"]
    assert read("2026-03-22 09:15", *odd) == [QUARTER_PAST] + [None] * len(odd)


@pytest.mark.parametrize("end", ["24:00", "24:00:00", "2400"])
def test_24_00_is_the_first_moment_of_the_next_day(end: str) -> None:
    day = "2026-02-28" if ":" in end else "20260228"
    assert read(f"{day} {end}") == [datetime(2026, 3, 1)]
    assert read(f"{day} 24:01") == [None]


def test_dates_alone_are_refused() -> None:
    with pytest.raises(InputError, match=r"'Start' holds dates without a clock time \(2 values\)"):
        read("2026-03-22", "2026-03-23")
    assert read("2026-03-22 09:15", "2026-03-23") == [QUARTER_PAST, None]


def test_clock_times_alone_are_refused() -> None:
    with pytest.raises(InputError, match=r"'Start' holds clock times without a date \(1 values\)"):
        read("9:15 pm")


def test_an_offset_needs_the_zone_of_the_facility() -> None:
    with pytest.raises(InputError, match=r"1 times carry an offset from UTC.*facility_zone="):
        read("2026-03-22T09:15Z", "2026-03-22T09:15")


@pytest.mark.parametrize("offset", ["Z", "+00:00", "+0000", "+00", " +00:00"])
@pytest.mark.parametrize("second", ["", ":00", ":00.0"])
def test_offsets_become_facility_time(offset: str, second: str) -> None:
    got = read(f"2026-03-22T14:15{second}{offset}", facility_zone="America/Chicago")
    assert got[0].isoformat() == "2026-03-22T09:15:00-05:00"


@pytest.mark.parametrize(("offset", "hour"), [("-05:00", 9), ("-0330", 7), ("+05:30", 22)])
def test_signed_offsets(offset: str, hour: int) -> None:
    got = read(f"2026-03-22 09:15{offset}", facility_zone="America/Chicago")[0]
    assert got.hour == hour
    assert got == datetime.fromisoformat(f"2026-03-22T09:15:00{offset[:3]}:{offset[-2:]}")


def test_beside_offsets_bare_times_are_facility_time() -> None:
    got = read(
        "2026-11-01T06:30Z",  # 01:30 the first time
        "2026-11-01T07:30Z",  # 01:30 the second time
        "2026-11-01 09:15",
        "2026-11-01 01:30",  # which of the two is not said
        "2026-03-08 02:30",  # skipped in spring
        facility_zone="America/Chicago",
    )
    shown = [moment and moment.isoformat() for moment in got]
    assert shown == [
        "2026-11-01T01:30:00-05:00",
        "2026-11-01T01:30:00-06:00",
        "2026-11-01T09:15:00-06:00",
        None,
        None,
    ]


def test_without_offsets_times_stay_as_charted() -> None:
    assert read("2026-03-22 09:15", facility_zone="America/Chicago") == [QUARTER_PAST]


def test_mixed_shapes_are_all_named() -> None:
    assert names("2026-03-22 09:15", "22-MAR-2026 09:15") == [
        "year-month-day hour:minute",
        "day-MON-year hour:minute",
    ]


def test_nothing_to_read_is_no_error() -> None:
    assert read() == []


def test_no_message_shows_a_value() -> None:
    with pytest.raises(InputError) as failed:
        read("3/2/2026 9:15", "4/2/2026 9:15")
    assert "2026 9:15" not in str(failed.value)
