"""One encounter by hand: what is accepted as a time, and what is not."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

import subq_toolkit as sq


@pytest.mark.parametrize(
    ("start", "stop", "minutes", "day"),
    [
        ("2026-03-02 09:00", "2026-03-02T10:00:59", 60, "2026-03-02"),
        (datetime(2026, 3, 2, 9), datetime(2026, 3, 2, 10), 60, "2026-03-02"),
        ("2026-03-02T20:00-05:00", "2026-03-02T21:00-05:00", 60, "2026-03-02"),
        ("2026-11-01T01:30-04:00", "2026-11-01T01:30-05:00", 60, "2026-11-01"),
        (
            datetime(2026, 3, 8, 1, 30, tzinfo=ZoneInfo("America/New_York")),
            datetime(2026, 3, 8, 3, 30, tzinfo=ZoneInfo("America/New_York")),
            60,
            "2026-03-08",
        ),
    ],
    ids=["text", "datetime", "offset", "autumn offsets", "spring zone"],
)
def test_forms_of_a_time(start: object, stop: object, minutes: int, day: str) -> None:
    one = sq.code_encounter([sq.Administration(start, stop)])
    assert one.infusion_min == minutes
    assert str(one.encounter["service_date"].item()) == day


@pytest.mark.parametrize("text", ["", "tomorrow", "9:15", "2026-13-02 09:15", "2026-03-02", 915])
def test_text_that_is_no_time(text: object) -> None:
    with pytest.raises(sq.InputError, match=r"start_at is not a date with a clock time\. Write it"):
        sq.Administration(text)


def test_an_unknown_answer_lists_the_known_ones() -> None:
    with pytest.raises(sq.InputError, match="route is one of 'subcutaneous', 'intravenous'"):
        sq.Administration("2026-03-02 09:00", route="sc drip")


def test_no_run_and_several_encounters() -> None:
    with pytest.raises(sq.InputError, match="at least one Administration"):
        sq.code_encounter([])
    runs = [sq.Administration("2026-03-02 09:00", encounter_id=name) for name in "ab"]
    with pytest.raises(sq.InputError, match="Use code_administrations"):
        sq.code_encounter(runs)


def test_mixed_zones_and_odd_offsets() -> None:
    with pytest.raises(sq.InputError, match="Some times carry a time zone and others do not"):
        sq.code_encounter([sq.Administration("2026-03-02T09:00Z", "2026-03-02 10:00")])
    odd = datetime(2026, 3, 2, 9, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    with pytest.raises(sq.InputError, match="name facility_zone"):
        sq.code_encounter([sq.Administration(odd, odd + timedelta(hours=1))])
    named = sq.code_encounter(
        [sq.Administration(odd, odd + timedelta(hours=1))], facility_zone="America/New_York"
    )
    assert str(named.encounter["service_date"].item()) == "2026-03-01"


def test_an_unknown_zone_names_examples() -> None:
    with pytest.raises(sq.InputError, match=r"is not a known time zone\. Use a name"):
        sq.code_encounter([sq.Administration("2026-03-02 09:00")], facility_zone="Mars/Olympus")


def test_a_date_after_the_review_day_warns() -> None:
    with pytest.warns(
        sq.StaleValueWarning,
        match="'initial_hour_at_least' = 16 is used for a date after 2027-01-31",
    ):
        sq.code_encounter([sq.Administration("2027-02-01 09:00", "2027-02-01 10:00")])


def test_a_refused_run_leaves_the_good_ones() -> None:
    one = sq.code_encounter(
        [
            sq.Administration("2026-03-02 09:00", "2026-03-02 10:00"),
            sq.Administration("2026-03-02 12:00", "2026-03-02 11:00"),
        ]
    )
    assert one.units == {"96369": 1}
    assert one.refused.rows() == [(2, "1", ["stop is not before start"], None)]
    assert "refused_rows" in one.findings["finding"].to_list()


def test_the_notebook_view_escapes_what_was_typed() -> None:
    one = sq.code_encounter(
        [sq.Administration("2026-03-02 09:00", "2026-03-02 10:00", em_code="<script>x</script>")]
    )
    shown = one._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"missing_stop": "shor"},
            "missing_stop is one of 'query', 'short', 'computed', not 'shor'. Did you mean 'short'",
        ),
        ({"bridge_pauses_min": -1}, "whole number of minutes from 0 to 60, not -1"),
        ({"bridge_pauses_min": 61}, "whole number of minutes from 0 to 60, not 61"),
        ({"bridge_pauses_min": 2.5}, "whole number of minutes from 0 to 60, not 2.5"),
    ],
)
def test_a_policy_of_unknown_answers(changes: dict, message: str) -> None:
    with pytest.raises(sq.InputError, match=message.replace("(", r"\(")):
        sq.Policy(**changes)


def test_presets_and_choices_are_listed_with_sources() -> None:
    presets = sq.policy_presets()
    assert sq.policy_preset("audit_ready") == sq.Policy()
    for name, differs in presets.select("preset", "differs_in").rows():
        assert (differs == "") == (sq.policy_preset(name) == sq.Policy())
    assert presets["cite"].str.len_chars().min() > 0
    choices = sq.policy_choices()
    assert choices["cite"].str.contains(r"\[(sourced|inferred|unverified|house)\]$").all()
    assert choices.group_by("choice").agg(defaults=choices["is_default"].sum() > 0).height == 9
    with pytest.raises(sq.InputError, match="no policy preset 'lenient'; there are audit_ready"):
        sq.policy_preset("lenient")
