"""Dated values: in effect, refused outside, warned about when overdue."""

import re
import warnings
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import polars as pl
import pytest

from subq_toolkit import effective
from subq_toolkit.catalog import dataset
from subq_toolkit.effective import STANDINGS, Parameter, read_parameters, read_table, sources
from subq_toolkit.errors import InputError, NotInEffectError, StaleValueWarning

SUBJECTS = (
    "codes",
    "control_chart",
    "infusion_time",
    "publication",
    "revenue_codes",
    "review_sampling",
    "timely_filing",
    "unlikely_edits",
)
PARAMETERS = [
    (f"{subject}.{name}", parameter)
    for subject in SUBJECTS
    for name, parameter in read_parameters(subject).items()
]
UNITS = {"min", "h", "%", "1", "code", "months"}

#: Read against facts by hand; a value that moves by one must be moved here too, with a reason.
IN_FORCE_2026 = {
    "codes.first_hour": "96369",
    "codes.further_hour": "96370",
    "codes.further_setup": "96371",
    "codes.short_infusion": "96372",
    "control_chart.least_encounters": 10,
    "control_chart.run_length": 8,
    "control_chart.sigma_multiplier": 3,
    "publication.fewest_withheld": 2,
    "publication.smallest_count": 11,
    "infusion_time.initial_hour_at_least": 16,
    "infusion_time.additional_hour_more_than": 30,
    "infusion_time.longest_run": 72,
    "infusion_time.long_run": 24,
    "infusion_time.site_dwell": 72,
    "infusion_time.visit_pause": 12,
    "infusion_time.near_threshold": 5,
    "infusion_time.heaped_share": 25,
    "infusion_time.heaped_at_least": 50,
    "revenue_codes.emergency": "450",
    "revenue_codes.clinic": "510",
    "revenue_codes.treatment_room": "760",
    "review_sampling.rate_confidence": Decimal("0.95"),
    "review_sampling.rate_interval": "wilson",
    "review_sampling.total_confidence": Decimal("0.90"),
    "review_sampling.degrees_of_freedom": "satterthwaite",
    "review_sampling.neyman_shares": "size x spread",
    "review_sampling.finite_population": "n N / (n + N - 1)",
    "review_sampling.least_sampled": 2,
    "review_sampling.csv_guard": "'",
    "timely_filing.medicare": 12,
    "timely_filing.medicaid": 12,
    "unlikely_edits.first_hour": 1,
    "unlikely_edits.further_hour": 3,
    "unlikely_edits.further_setup": 1,
}
SOURCE = effective.Source("s", "A manual", "https://example.org/manual", date(2025, 1, 1))


def version(value: int, start: date, until: date | None = None) -> effective.Dated:
    return effective.Dated(value, start, until, SOURCE, "sourced", date(2025, 12, 31))


GAPPED = Parameter(
    "at_least",
    "Shortest",
    "min",
    (
        version(10, date(2020, 1, 1), date(2020, 12, 31)),
        version(20, date(2022, 1, 1)),
    ),
)


def test_the_values_in_force_have_not_moved() -> None:
    day = date(2026, 6, 1)
    assert {name: parameter.on(day).value for name, parameter in PARAMETERS} == IN_FORCE_2026


@pytest.mark.parametrize(
    ("day", "value"),
    [
        (date(2020, 1, 1), 10),
        (date(2020, 12, 31), 10),
        (date(2022, 1, 1), 20),
        (date(2025, 12, 31), 20),
    ],
)
def test_value_on_the_first_and_last_day(day: date, value: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert GAPPED.on(day).value == value


@pytest.mark.parametrize("day", [date(2019, 12, 31), date(2021, 6, 1)], ids=["before", "gap"])
def test_a_day_without_a_value_is_refused(day: date) -> None:
    with pytest.raises(NotInEffectError, match=rf"'at_least' has no value in effect on {day}"):
        GAPPED.on(day)
    with pytest.raises(NotInEffectError, match="10 from 2020-01-01 to 2020-12-31; 20 from"):
        GAPPED.on(day)


def test_after_the_review_day_the_value_comes_with_a_warning() -> None:
    with pytest.warns(
        StaleValueWarning,
        match="after 2025-12-31, the day by which its source was due to be read again: A manual",
    ):
        assert GAPPED.on(date(2026, 1, 1)).value == 20


def test_each_row_gets_the_value_of_its_own_day() -> None:
    days = pl.DataFrame(
        {"day": [date(2019, 1, 1), date(2020, 5, 1), date(2021, 1, 1), date(2030, 1, 1), None]}
    )
    got = days.select(
        value=GAPPED.expr(pl.col("day")),
        cite=GAPPED.cite_expr(pl.col("day")),
        stale=GAPPED.stale_expr(pl.col("day")),
    )
    assert got["value"].to_list() == [None, 10, None, 20, None]
    assert got["cite"][1] == "A manual, https://example.org/manual [sourced]"
    assert got["cite"][0] is None
    assert got["stale"].to_list() == [None, False, None, True, None]


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS, ids=[name for name, _ in PARAMETERS])
def test_every_value_is_dated_sourced_and_without_a_gap(name: str, parameter: Parameter) -> None:
    assert parameter.unit in UNITS
    assert parameter.label
    for dated in parameter.values:
        assert dated.standing in STANDINGS
        assert dated.review_by > dated.start
        assert dated.source.href or dated.standing in ("unverified", "house"), name
    for older, newer in pairwise(parameter.values):
        assert older.until is not None
        assert older.until + timedelta(days=1) == newer.start
    assert parameter.values[-1].until is None


def test_every_source_is_used_and_dated() -> None:
    used = {dated.source.key for _, parameter in PARAMETERS for dated in parameter.values}
    used |= {entry["source"] for entry in read_table("findings").values()}
    used |= {entry["source"] for entry in read_table("checklist").values()}
    used |= {entry["source"] for entry in read_table("audit_classes").values()}
    used |= {entry["source"] for entry in read_table("audited_codes").values()}
    used |= {entry["source"] for entry in read_table("deidentification").values()}
    used |= {one["source"] for kind in read_table("codings").values() for one in kind.values()}
    for choice in read_table("policies")["choices"].values():
        used |= {answer["source"] for answer in choice["answers"].values()}
    used |= {read_table("policies")["bridge"][key] for key in ("none_source", "some_source")}
    # In the datasets a source is named in its column, or where a second reading is told of.
    for name in ("products", "fees", "hospital_prices"):
        for path in dataset(name).iterdir():
            used |= set(re.findall(r"\b(?:dose|pay)-[\w-]*\w\b", path.read_text("utf-8")))
    used -= {"pay-seq"}  # a family of names in the README
    assert used == set(sources())
    assert all(isinstance(source.read, date) for source in sources().values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": "nobody"}, "source 'nobody' must stand in parameters/sources.toml"),
        ({"standing": "surely"}, "standing 'surely' be one of"),
        ({"start": date(2019, 6, 1)}, "begins before the one from 2019-01-01 ends"),
    ],
    ids=["source", "standing", "overlap"],
)
def test_a_faulty_entry_is_named(changes: dict, message: str) -> None:
    usual = {
        "start": date(2020, 1, 1),
        "value": 1,
        "source": "house",
        "standing": "house",
        "review_by": date(2027, 1, 1),
    }
    older = usual | {"start": date(2019, 1, 1), "until": date(2019, 12, 31)}
    with pytest.raises(InputError, match=message):
        effective._versions("subject.name", [older, usual | changes])
