"""Charts of an audit: titles by hand, awkward data, and counts that were withheld."""

import json
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from types import SimpleNamespace

import polars as pl
import pytest

import subq_toolkit as sq
from subq_toolkit.errors import InputError

charts = pytest.importorskip("subq_toolkit.charts", reason="the notebook extra is not installed")

from subq_toolkit.charts import audit_charts  # noqa: E402
from subq_toolkit.charts.audit_words import net_told, without_price  # noqa: E402
from subq_toolkit.charts.figure import figure  # noqa: E402
from subq_toolkit.charts.withheld import STAR  # noqa: E402
from subq_toolkit.small_cells import withhold_small_cells  # noqa: E402

PNG = b"\x89PNG\r\n\x1a\n"
MARKUP = "<script>alert('x')</script> & \"quotes\" \\ {{datum}} \x00\x1b\u202e"
LONG_NAME = "左大腿の長い名前 " * 6
SIDES = {"over": "over", "under": "under", "duplicate": "over", "chart_without_charge": "under",
         "agrees": "even", "wrong_date": "even", "coder_decides": "not judged",
         "chart_incomplete": "not judged"}  # fmt: skip
SCHEMA = {
    "encounter_id": pl.String,
    "service_date": pl.Date,
    "class": pl.String,
    "direction": pl.String,
    "difference_usd": pl.Decimal(14, 2),
    "coder": pl.String,
}


def encounters(*groups: tuple) -> pl.DataFrame:
    """Groups of (how many, class, dollars of each or None, coder, day)."""
    rows: list[tuple] = []
    for n, name, usd, *more in groups:
        coder, day = (*more, *("a", date(2025, 1, 1))[len(more) :])
        amount = None if usd is None else Decimal(str(usd))
        start = len(rows)
        rows += [(f"E{start + at}", day, name, SIDES[name], amount, coder) for at in range(n)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row", infer_schema_length=None)


#: 100 judged: 40 errors, of which 15 without a price; over 12 x 10 + 0, under 13 x 30.
USUAL = encounters(
    (12, "over", "10.00", "a"), (15, "duplicate", None, "b"),
    (13, "chart_without_charge", "-30.00", None), (60, "agrees", "0.00", "a"),
    (20, "coder_decides", None, "b"),
)  # fmt: skip
#: 200 judged, 45 with an error: 5 over, 40 never charged; 12 not judged.
SMALL = encounters(
    (5, "over", "10.00", "a"), (40, "chart_without_charge", "-30.00", "b"),
    (90, "agrees", "0.00", "a"), (65, "agrees", "0.00", "b"), (12, "coder_decides", None, "b"),
)  # fmt: skip
NO_PRICE = encounters((20, "over", None, "a"), (30, "agrees", None, "a"))
NO_ERROR = encounters((43, "agrees", "0.00", "a"))
UNJUDGED = encounters((30, "coder_decides", None, "a"))
#: 36 of 80 errors and 12 of 120, of all 48 of 200.
APART = encounters(
    (36, "over", "5.00", "x"), (44, "agrees", "0.00", "x"), (12, "under", "-1.00", "y"),
    (108, "agrees", "0.00", "y"),
)  # fmt: skip
#: Coder 00 has 20 + 40 judged, each next one fewer; half of 40 have an error.
FORTY = encounters(
    *((20, "over", "1.00", f"coder {at:02}") for at in range(40)),
    *((60 - at, "agrees", "0.00", f"coder {at:02}") for at in range(40)),
)
NAMES = encounters(
    *((20, "over", "1.00", name) for name in (MARKUP, LONG_NAME, None)),
    *((30, "agrees", "0.00", name) for name in (MARKUP, LONG_NAME, None)),
)


def others(frame: pl.DataFrame) -> pl.DataFrame:
    """The same of other encounters."""
    return frame.with_columns(encounter_id=pl.lit("A") + pl.col("encounter_id"))


def monthly(*months: tuple, first_day: int = 1) -> pl.DataFrame:
    """Months of (errors, agreeing, dollars of each error) from January 2025 on, days spread."""
    parts = []
    for at, (errors, agree, usd) in enumerate(months):
        name = "under" if usd is not None and usd < 0 else "over"
        day = date(2025 + at // 12, at % 12 + 1, 1)
        rows = encounters((errors, name, usd, "a", day), (agree, "agrees", "0.00", "a", day))
        parts.append(rows)
    frame = pl.concat(parts)
    spread = frame.with_row_index("_n").with_columns(
        pl.col("service_date") + pl.duration(days=pl.col("_n") % (29 - first_day) + first_day - 1)
    )
    return spread.drop("_n")


#: 100 a month; all 36 %. March alone lies apart, 50 to 69 %; the others reach from 20 to 38 %.
MONTHS = monthly((28, 72, 5), (28, 72, -5), (60, 40, 5), (28, 72, 5))


def estimate(*rows: tuple) -> pl.DataFrame:
    """Rows of (side, stratum, scope, size, reviewed, found, total, low, high, note)."""
    names = ("side", "stratum", "scope", "stratum_size", "reviewed", "found_usd", "total_usd",
             "low_usd", "high_usd", "note")  # fmt: skip
    types = dict.fromkeys(names, pl.Float64) | dict.fromkeys(names[:3], pl.String)
    types |= {"stratum_size": pl.Int64, "reviewed": pl.Int64, "note": pl.String}
    return pl.DataFrame(rows, schema=types, orient="row", infer_schema_length=None)


def estimated(*strata: tuple) -> pl.DataFrame:
    """Strata of (name, size, reviewed, over, reach); nothing is under."""
    size, n, over = (sum(one[at] for one in strata) for at in (1, 2, 3))
    reach = sum(one[4] ** 2 for one in strata) ** 0.5
    rows = []
    for side in ("over", "under", "net"):
        sign = side != "under"
        rows += [
            (side, name, "stratum", big, few, total * sign / 10, total * sign,
             (total - far) * sign, (total + far) * sign, None)
            for name, big, few, total, far in strata
        ]  # fmt: skip
        rows.append((side, "all", "all", size, n, over * sign / 10, over * sign,
                     (over - reach) * sign, (over + reach) * sign, None))  # fmt: skip
    return estimate(*rows)


def none_reviewed() -> pl.DataFrame:
    note = "No encounter reviewed in: b. No total."
    return estimate(
        *((side, name, scope, 100, n, 0.0, *(None,) * 3, note)
          for side in ("over", "under", "net")
          for name, scope, n in (("a", "stratum", 20), ("b", "stratum", 0), ("all", "all", 20)))
    )  # fmt: skip


by_class, by_time = charts.audit_by_class_table, charts.audit_over_time_table


def by_coder(frame: pl.DataFrame | None, **more) -> pl.DataFrame:
    return charts.audit_by_group_table(frame, "coder", **more)


def total_of(frame: pl.DataFrame | None, **more) -> pl.DataFrame:
    return charts.audit_estimate_table(frame, **more)


CASES = {
    "audit_by_class": {
        "usual": by_class(USUAL),
        "one": by_class(encounters((1, "over", "7.25", "a"))),
        "small": by_class(SMALL),
        "no price": by_class(NO_PRICE),
        "no error": by_class(NO_ERROR),
        "unjudged": by_class(UNJUDGED),
        "huge": by_class(encounters((30, "over", "400000000.00"), (30, "under", "-1.00"))),
        "caption": by_class(USUAL, caption=MARKUP + LONG_NAME),
        "nothing": by_class(USUAL.clear()),
        "empty": by_class(None),
    },
    "audit_by_group": {
        "usual": by_coder(APART),
        "one": by_coder(encounters((1, "over", "7.25", "a"))),
        "one group": by_coder(encounters((20, "over", "1.00"), (60, "agrees", "0.00"))),
        "forty": by_coder(FORTY),
        "names": by_coder(NAMES),
        "small": by_coder(SMALL),
        "no price": by_coder(NO_PRICE),
        "no error": by_coder(NO_ERROR),
        "unjudged": by_coder(UNJUDGED),
        "caption": by_coder(USUAL, caption=MARKUP + LONG_NAME, name=MARKUP),
        "nothing": by_coder(USUAL.clear()),
        "empty": by_coder(None),
    },
    "audit_over_time": {
        "usual": by_time(MONTHS),
        "one": by_time(encounters((1, "over", "7.25", "a"))),
        "one month": by_time(monthly((20, 60, 1))),
        "forty": by_time(monthly(*((20, 60, 1),) * 40)),
        "gap": by_time(MONTHS.filter(pl.col("service_date").dt.month() != 2)),
        "small": by_time(monthly((20, 80, 5), (4, 90, 5), (30, 70, 5))),
        "no price": by_time(monthly((20, 80, None), (30, 70, 5))),
        "no error": by_time(NO_ERROR),
        "unjudged": by_time(UNJUDGED),
        "caption": by_time(MONTHS, caption=MARKUP + LONG_NAME),
        "nothing": by_time(USUAL.clear()),
        "empty": by_time(None),
    },
    "audit_estimate": {
        "usual": total_of(estimated(("a", 400, 40, 3000.0, 300.0), ("b", 100, 20, 500.0, 400.0))),
        "one": total_of(estimated(("all encounters", 1, 1, 7.25, 0.0))),
        "by net": total_of(
            estimated(("a", 400, 40, 3000.0, 300.0), ("b", 100, 20, 500.0, 400.0)), side="net"
        ),
        "forty": total_of(estimated(*((f"s{at}", 900 - at, 30, 100.0, 9.0) for at in range(40)))),
        "names": total_of(estimated(*((one, 99, 20, 5.0, 1.0) for one in (MARKUP, LONG_NAME)))),
        "small": total_of(estimated(("a", 400, 40, 300.0, 30.0), ("b", 90, 4, 50.0, 40.0),
                                    ("c", 90, 15, 50.0, 9.0))),
        "none reviewed": total_of(none_reviewed()),
        "caption": total_of(none_reviewed(), caption=MARKUP + LONG_NAME),
        "empty": total_of(None),
    },
}  # fmt: skip
ALL = [(chart, case) for chart, cases in CASES.items() for case in cases]
#: Cases in which a count is too small to be published.
SMALL_CASES = {
    (chart, case) for chart, cases in CASES.items() for case in ("one", "small") if case in cases
}


def spec_of(chart: str, table: pl.DataFrame) -> dict:
    return figure(chart, table).spec


def kept(chart: str, case: str) -> pl.DataFrame:
    """A case as it may be published."""
    shown = figure(chart, CASES[chart][case])
    return withhold_small_cells(shown.table, shown.cells)


def title(spec: dict) -> str:
    told = spec["title"]["text"]
    return told if isinstance(told, str) else " ".join(told)


def under(spec: dict) -> str:
    return " ".join(spec["title"]["subtitle"])


def marks(spec: dict, *kinds: str) -> list[dict]:
    return [row for row in spec["data"]["values"] if row["kind"] in kinds]


@pytest.mark.parametrize(("chart", "case"), ALL)
def test_every_chart_draws_awkward_data(chart: str, case: str) -> None:
    spec = spec_of(chart, CASES[chart][case])
    assert charts.picture(spec, scale=0.5).startswith(PNG)
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    assert len(spec["data"]["values"]) <= 1_000
    assert "…" in title(spec) or spec["description"].startswith(f"{title(spec)}.")
    assert not {"\x00", "\x1b", "\u202e"} & set(json.dumps(spec, ensure_ascii=False))
    assert "None" not in spec["description"] + json.dumps(marks(spec, "name", "told", "net"))


@pytest.mark.parametrize(("chart", "case"), ALL)
def test_what_is_withheld_is_marked_and_said(chart: str, case: str) -> None:
    spec = spec_of(chart, kept(chart, case))
    hidden = (chart, case) in SMALL_CASES
    assert kept(chart, case).equals(CASES[chart][case]) != hidden
    assert charts.picture(spec, scale=0.5).startswith(PNG)
    assert bool(marks(spec, "withheld")) == hidden
    assert (f"{STAR} fewer than 11 encounters" in under(spec)) == hidden


@pytest.mark.parametrize(("chart", "case"), [one for one in ALL if one[1] != "empty"])
def test_every_chart_draws_when_all_counts_are_withheld(chart: str, case: str) -> None:
    shown = figure(chart, CASES[chart][case])
    gone = {name for one in shown.cells for name in (one.column, *one.also)}
    types = shown.table.schema
    table = shown.table.with_columns(pl.lit(None, types[name]).alias(name) for name in gone)
    spec = spec_of(chart, table)
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    assert "None" not in spec["description"]
    assert case != "usual" or charts.picture(spec, scale=0.5).startswith(PNG)


@pytest.mark.parametrize("chart", CASES)
def test_the_public_chart_is_the_specification(chart: str) -> None:
    table = CASES[chart]["usual"]
    spec, public = spec_of(chart, table), getattr(charts, chart)(table).to_dict()
    assert list(public["datasets"].values()) == [spec["data"]["values"]]
    assert (public["title"], public["description"]) == (spec["title"], spec["description"])


def test_every_chart_has_its_public_function() -> None:
    named = {*CASES, *(f"{chart}_table" for chart in CASES), "audit_caption", "audit_sources"}
    assert set(audit_charts.__all__) == named


def test_nothing_to_draw_says_so() -> None:
    assert {chart: title(spec_of(chart, CASES[chart]["empty"])) for chart in CASES} == {
        "audit_by_class": "No charge is held against a chart yet",
        "audit_by_group": "No charge is held against a chart yet",
        "audit_over_time": "No month of service is audited yet",
        "audit_estimate": "Nothing is carried over yet",
    }


# Wilson at z = 1.959964 by hand: 40 of 100: (0.4 + 0.019207) / 1.038415 ± 0.094259, so 30.9 to
# 49.8 %; 0 of 43: up to 3.841459 / 46.841459 = 8.2 %; 20 of 50: 27.6 to 53.8 %.
@pytest.mark.parametrize(
    ("chart", "case", "says"),
    [
        # 120 over, 390 under
        ("audit_by_class", "usual",
         "40 % of judged encounters have an error (95 % interval 30.9 to 49.8 %), $270 net under; "
         "largest: “Charted, never charged” (−$390)"),
        ("audit_by_class", "no price",
         "40 % of judged encounters have an error (95 % interval 27.6 to 53.8 %); no price is known"
         ),
        ("audit_by_class", "no error",
         "No error in 43 judged encounters (95 % interval 0 to 8.2 %)"),
        ("audit_by_class", "unjudged", "No encounter could be judged"),
        ("audit_by_group", "usual",
         "Error rates from 10 % (“y”) to 45 % (“x”); 2 of 2 lie apart from all"),
        # 20 of 80: (0.25 + 0.024009) / 1.048018 ± 0.093327
        ("audit_by_group", "one group",
         "“a”: 25 % with an error (95 % interval 16.8 to 35.5 %)"),
        ("audit_by_group", "names", "40 % of judged encounters have an error in every group"),
        ("audit_by_group", "unjudged", "No encounter could be judged"),
        # 144 of 400
        ("audit_over_time", "usual", "Error rate 36 %; 1 of 4 months lies apart: Mar 2025 60 %"),
        ("audit_over_time", "one month",
         "25 % of judged encounters have an error in Jan 2025 (95 % interval 16.8 to 35.5 %)"),
        ("audit_over_time", "forty", "Error rate 25 %; none of 36 months lies apart from it"),
        ("audit_over_time", "unjudged", "No encounter could be judged"),
        # The reach of both is the root of 300² + 400².
        ("audit_estimate", "usual",
         "About $3,500 over in all (lower limit $3,000); $0 under, $3,500 net over"),
        ("audit_estimate", "none reviewed",
         "No total yet: 20 encounters reviewed, not in every stratum"),
    ],
)  # fmt: skip
def test_the_title_is_the_finding(chart: str, case: str, says: str) -> None:
    assert title(spec_of(chart, CASES[chart][case])) == says


@pytest.mark.parametrize(
    ("chart", "case", "says"),
    [
        ("audit_by_class", "one", "How many judged encounters have an error is withheld"),
        ("audit_by_class", "small",
         "22.5 % of judged encounters have an error (95 % interval 17.3 to 28.8 %), $1,150 net "
         "under"),
        ("audit_by_group", "one", "Error rates of judged encounters; some groups are withheld"),
        ("audit_by_group", "small",
         "22.5 % error rate of judged encounters; some groups are withheld"),
        ("audit_over_time", "one", "Error rates of judged encounters are withheld"),
        ("audit_estimate", "one", "Totals carried over are withheld: too few encounters reviewed"),
    ],
)  # fmt: skip
def test_titles_state_no_withheld_number(chart: str, case: str, says: str) -> None:
    assert title(spec_of(chart, kept(chart, case))) == says


def test_bars_are_dollars_over_and_under() -> None:
    spec = spec_of("audit_by_class", CASES["audit_by_class"]["usual"])
    assert [(row["x"], row["x2"]) for row in marks(spec, "over")] == [(0, 120)]
    assert [(row["x"], row["x2"]) for row in marks(spec, "under")] == [(-390, 0)]
    assert [row["label"] for row in marks(spec, "name")] == [
        "Charted, never charged", "More than charted", "Charged twice"
    ]  # fmt: skip
    assert [row["label"] for row in marks(spec, "size")] == [
        "13 encounters", "12 encounters", "15 encounters"
    ]  # fmt: skip
    assert [row["label"] for row in marks(spec, "none")] == ["no known price"]
    assert "15 errors have no known price, in no amount; 20 not judged, in no rate" in under(spec)
    assert "100 of 120 encounters judged · Jan 2025" in under(spec)


def test_lines_keep_over_and_under_of_an_encounter_apart() -> None:
    # 20 encounters with a line over and one under, and 30 whose two lines agree.
    wrong = encounters((20, "over", "8.00"))
    both = pl.concat(
        [
            wrong,
            wrong.with_columns(
                difference_usd=pl.lit("-3.00").cast(pl.Decimal(14, 2)), direction=pl.lit("under")
            ),
        ]
    )
    agree = others(encounters((30, "agrees", "0.00")))
    table = by_class(pl.concat([both, agree, agree]), of="lines")
    (row,) = table.filter(kind="class").rows(named=True)
    assert (row["found"], row["encounters"]) == (40, 20)
    assert (row["over_usd"], row["under_usd"], row["net_usd"]) == (160, 60, 100)
    spec = spec_of("audit_by_class", table)
    assert title(spec).startswith("40 % of judged lines have an error")
    assert "not of encounters" in under(spec)  # fmt: skip


def test_few_encounters_are_withheld_though_they_have_many_lines() -> None:
    few = encounters((6, "over", "8.00"))
    agree = others(encounters((60, "agrees", "0.00")))
    table = by_class(pl.concat([few, few, few, agree]), of="lines")
    assert table.filter(kind="class")["found"].to_list() == [18]
    shown = figure("audit_by_class", table)
    gone = withhold_small_cells(shown.table, shown.cells).filter(kind="class")
    assert gone["found"].to_list() == gone["over_usd"].to_list() == [None]


def test_dollars_and_rates_of_withheld_classes_are_nowhere() -> None:
    table = kept("audit_by_class", "small")
    # 5 are over; 45 errors of 200 judged are known, so the 40 never charged go with them.
    lanes = table.filter(kind="class")
    assert lanes["encounters"].to_list() == [None, None]
    for name in ("found", "over_usd", "under_usd", "net_usd", "rate", "priced", "no_price"):
        assert lanes[name].is_null().all(), name
    total = table.filter(kind="all").row(0, named=True)
    assert (total["found"], total["over_usd"], total["under_usd"]) == (45, None, None)


def test_errors_that_would_be_told_by_those_that_agree_are_withheld() -> None:
    # 9 errors of 100 judged, 30 not judged: 91 that agree would tell of the 9.
    table = by_class(encounters((5, "over", "1.00"), (4, "under", "-1.00"),
                                (91, "agrees", "0.00"), (30, "coder_decides", None)))  # fmt: skip
    shown = figure("audit_by_class", table)
    gone = withhold_small_cells(shown.table, shown.cells)
    assert gone.filter(kind="class")["encounters"].null_count() == 2
    assert gone.filter(kind="agrees")["encounters"].to_list() == [None]
    assert gone.filter(kind="all").select("found", "rate", "net_usd").row(0) == (None,) * 3
    spec = shown.of(gone).spec
    assert title(spec) == "How many judged encounters have an error is withheld"
    assert "91" not in spec["description"].replace("91369", "")


def test_groups_that_lie_apart_have_another_shape_and_a_word() -> None:
    spec = spec_of("audit_by_group", CASES["audit_by_group"]["usual"])
    assert [row["x"] for row in marks(spec, "above")] == [pytest.approx(36 / 80)]
    assert [row["x"] for row in marks(spec, "below")] == [pytest.approx(12 / 120)]
    assert [(row["label"], row["sub"]) for row in marks(spec, "net")] == [
        ("+$180", "above"), ("−$12", "below")
    ]  # fmt: skip
    assert [row["sub"] for row in marks(spec, "name")] == ["36 of 80 (45 %)", "12 of 120 (10 %)"]
    assert [row["label"] for row in marks(spec, "mean")] == ["all 24 %"]
    # 36 of 80: (0.45 + 0.024009) / 1.048018 ± 0.106514
    low = marks(spec, "span")[0]
    assert (round(low["x"], 4), round(low["x2"], 4)) == (0.3458, 0.5588)


def test_a_group_at_the_rate_of_all_does_not_lie_apart() -> None:
    even = encounters(*((10, "over", "1.00", one) for one in "ab"),
                      *((30, "agrees", "0.00", one) for one in "ab"))  # fmt: skip
    table = by_coder(even)
    assert table.filter(kind="group")["apart"].to_list() == [None, None]
    assert not marks(spec_of("audit_by_group", table), "above", "below")


def test_forty_groups_are_twenty_and_the_others_together() -> None:
    table = CASES["audit_by_group"]["forty"]
    names = [f"coder {at:02}" for at in range(20)]
    assert table.filter(kind="group")["group"].to_list() == names
    others = table.filter(kind="others").row(0, named=True)
    assert (others["groups"], others["errors"]) == (20, 400)
    assert others["judged"] == 400 + sum(60 - at for at in range(20, 40))
    assert others["net_usd"] == 400
    spec = spec_of("audit_by_group", table)
    assert marks(spec, "name")[-1]["label"] == "20 other groups"
    assert "20 groups with fewer judged drawn together" in under(spec)


def test_a_group_without_a_name_is_not_stated_and_last() -> None:
    spec = spec_of("audit_by_group", CASES["audit_by_group"]["names"])
    assert marks(spec, "name")[-1]["label"] == "not stated"


def test_groups_of_lines_are_withheld_by_their_encounters() -> None:
    few = encounters((6, "over", "8.00", "x"), (50, "agrees", "0.00", "x"))
    more = encounters((30, "over", "8.00", "y"), (50, "agrees", "0.00", "y"))
    more = others(more)
    table = by_coder(pl.concat([few, few, few, more]), of="lines")
    own = table.filter(group="x").row(0, named=True)
    assert (own["judged"], own["errors"], own["encounters"], own["fewest"]) == (168, 18, 56, 6)
    shown = figure("audit_by_group", table)
    gone = withhold_small_cells(shown.table, shown.cells).filter(kind="group")
    assert gone["errors"].to_list() == gone["net_usd"].to_list() == [None, None]


def test_by_is_one_column() -> None:
    with pytest.raises(InputError, match="by= is one column"):
        charts.audit_by_group_table(USUAL, ["coder"])
    with pytest.raises(InputError, match="no column 'ward'"):
        charts.audit_by_group_table(USUAL, "ward")


@pytest.mark.parametrize("table", [by_class, by_coder, by_time])
def test_what_is_counted_is_encounters_or_lines(table: object) -> None:
    with pytest.raises(InputError, match="of= is one of encounters, lines, not 'claims'"):
        table(USUAL, of="claims")


def test_months_have_their_rate_band_and_dollars() -> None:
    spec = spec_of("audit_over_time", CASES["audit_over_time"]["usual"])
    points = marks(spec, "plain", "above")
    assert [row["kind"] for row in points] == ["plain", "plain", "above", "plain"]
    assert points[0]["y"] == points[1]["y"] > points[2]["y"]
    assert len(marks(spec, "band")) == 4
    assert [row["label"] for row in marks(spec, "name")] == ["Mar 2025"]
    over, less = marks(spec, "over"), marks(spec, "under")
    assert len(over) == 3
    assert len(less) == 1
    # 60 x 5 beside 28 x 5
    assert over[1]["y"] - over[1]["y2"] == pytest.approx(60 / 28 * (over[0]["y"] - over[0]["y2"]))
    assert less[0]["y2"] > less[0]["y"]
    assert "Jan 2025: 100 judged encounters, 28 with an error, 28 %" in spec["description"]


def test_a_month_without_service_breaks_the_line() -> None:
    table = CASES["audit_over_time"]["gap"]
    months = table.filter(kind="month")
    assert months["judged"].to_list() == [100, 0, 100, 100]
    lines = marks(spec_of("audit_over_time", table), "line")
    assert lines[0]["run"] != lines[1]["run"] == lines[2]["run"]
    assert "Feb 2025: none judged" in spec_of("audit_over_time", table)["description"]


def test_the_last_three_years_are_drawn() -> None:
    table = CASES["audit_over_time"]["forty"]
    drawn = table.filter(kind="month")
    assert (drawn.height, drawn["month"][0]) == (36, date(2025, 5, 1))
    assert "4 earlier months not shown" in under(spec_of("audit_over_time", table))


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        # A day of service every third day: 2 days without at an edge are usual, 4 are not.
        (date(2025, 1, 3), date(2025, 2, 26), ""),
        (date(2025, 1, 4), date(2025, 2, 27), "Jan 2025 from day 4 on"),
        (date(2025, 1, 3), date(2025, 2, 23), "Feb 2025 to day 23"),
        (date(2025, 1, 13), date(2025, 1, 22), "Jan 2025 from day 13 to day 22"),
    ],
)
def test_incomplete_months_are_said(first: date, last: date, says: str) -> None:
    days = [first + timedelta(at) for at in range(0, (last - first).days + 1, 3)]
    assert days[-1] == last
    rows = pl.concat([encounters((20, "agrees", "0.00", "a", day)) for day in days])
    table = by_time(rows)
    assert table.filter(kind="edge")["says"].to_list() == [says]
    assert table["incomplete"].sum() == len(says.split(" and ")) * bool(says)
    spec = spec_of("audit_over_time", table)
    assert (f"incomplete: {says}" in under(spec)) == bool(says)
    assert bool(marks(spec, "incomplete")) == bool(says)


def test_a_small_month_is_withheld_with_another() -> None:
    table = kept("audit_over_time", "small").filter(kind="month")
    assert table["errors"].to_list() == [None, None, 30]
    assert table["over_usd"].to_list() == [None, None, 150]


def test_an_estimate_has_its_interval_and_lower_limit() -> None:
    spec = spec_of("audit_estimate", CASES["audit_estimate"]["usual"])
    told = [(row["label"], row["sub"]) for row in marks(spec, "told")]
    assert told == [("$3,500", "from $3,000"), ("$0", "from $0"), ("$3,500", "from $3,000"),
                    ("$3,000", "from $2,700"), ("$500", "from $100")]  # fmt: skip
    assert [row["sub"] for row in marks(spec, "name")][-1] == "20 of 100 reviewed"
    assert (marks(spec, "span")[0]["x"], marks(spec, "span")[0]["x2"]) == (3000, 4000)
    assert "60 of 500 encounters reviewed; bars: two-sided 90 % intervals" in under(spec)
    heads = [row["label"] for row in marks(spec, "head")]
    assert heads == ["All encounters", "Over, by stratum"]
    net = spec_of("audit_estimate", CASES["audit_estimate"]["by net"])
    assert marks(net, "head")[-1]["label"] == "Net, by stratum"


def test_of_many_strata_the_largest_are_drawn() -> None:
    table = CASES["audit_estimate"]["forty"]
    assert table.filter(kind="stratum")["stratum"].to_list() == [f"s{at}" for at in range(20)]
    assert "20 smaller strata not shown" in under(spec_of("audit_estimate", table))


def test_totals_of_few_reviewed_are_withheld() -> None:
    table = kept("audit_estimate", "small").filter(kind="stratum")
    # 4 reviewed in b; the 15 of c would give them away.
    assert dict(table["stratum", "total_usd"].rows()) == {"a": 300, "b": None, "c": None}


def test_a_side_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="side= is one of over, under, net, not 'left'"):
        total_of(none_reviewed(), side="left")


@pytest.mark.parametrize(
    ("groups", "says"),
    [
        (((100, "agrees", 0), (20, "coder_decides", None)), "100 of 120 encounters judged"),
        (((100, "agrees", 0), (3, "coder_decides", None)), "100 encounters judged"),
        (((3, "agrees", 0), (30, "coder_decides", None)), "fewer than 11 encounters judged"),
        (((11, "agrees", 0),), "11 of 11 encounters judged"),
        (((30, "coder_decides", None),), "0 of 30 encounters judged"),
    ],
)
def test_captions_give_no_few_away(groups: tuple, says: str) -> None:
    told = charts.audit_caption(encounters(*groups), "invented sample")
    assert told == f"{says} · Jan 2025 · invented sample"


def test_captions_say_the_schedule() -> None:
    made = SimpleNamespace(encounters=USUAL.lazy(), lines=USUAL.lazy(),
                           terms="at mpfs, days counted from 2026-11-25")  # fmt: skip
    assert charts.audit_caption(made).endswith("chart and charges as handed in · at MPFS")
    assert by_class(made).filter(kind="about")["says"].to_list() == [charts.audit_caption(made)]


def test_sources_are_those_of_the_classes() -> None:
    found = charts.audit_sources(["setup_more_than_once", "above_unlikely_edit", None])
    assert len(found) == 3
    assert "Wilson" in found[-1]
    assert all("[" in line for line in found)


@pytest.mark.parametrize(
    ("usd", "says"),
    [(1234.0, "$1,234 net over"), (-330.04, "$330 net under"), (0.0, "$0 net"),
     (None, "no price known")],
)  # fmt: skip
def test_a_balance_has_its_side(usd: float | None, says: str) -> None:
    assert net_told(usd) == says


def test_errors_without_a_price_are_said() -> None:
    assert without_price(0) == ""
    assert without_price(1) == "1 error has no known price, in no amount"
    assert without_price(None) == "some errors may have no known price"


@cache
def sample() -> sq.Audit:
    coded = sq.code_administrations(sq.sample_administrations())
    return sq.audit(coded, sq.sample_charges(), on=date(2026, 11, 25))


def test_the_sample_from_tables_to_charts() -> None:
    found = sample().encounters.collect()
    unjudged = found["class"].is_in(["chart_unreadable", "coder_decides", "chart_incomplete"]).sum()
    judged = found.height - unjudged
    agree = ["agrees", "denial_expected", "denied_supported", "denied_unsupported"]
    errors = judged - found["class"].is_in(agree).sum()
    spec = spec_of("audit_by_class", charts.audit_by_class_table(sample()))
    assert title(spec).startswith(f"{100 * errors / judged:.1f} % of judged encounters")
    assert f"{judged:,} of {found.height:,} encounters judged" in under(spec)
    for chart, table in (
        ("audit_by_class", charts.audit_by_class_table(sample(), of="lines")),
        ("audit_by_group", charts.audit_by_group_table(sample(), "department")),
        ("audit_by_group", charts.audit_by_group_table(sample(), "month", of="lines")),
        ("audit_over_time", charts.audit_over_time_table(sample(), of="lines")),
    ):
        shown = figure(chart, table)
        public = shown.of(withhold_small_cells(table, shown.cells))
        assert charts.picture(public.spec, scale=0.5).startswith(PNG)
