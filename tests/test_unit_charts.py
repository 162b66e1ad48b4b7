"""Charts of units: titles by hand, awkward data, and counts that were withheld."""

import json
from datetime import date
from functools import cache

import polars as pl
import pytest

import subq_toolkit as sq
from subq_toolkit import utilization
from subq_toolkit.administrations import COPY_CHECK
from subq_toolkit.scenarios import minute_summary

charts = pytest.importorskip("subq_toolkit.charts", reason="the notebook extra is not installed")

from subq_toolkit.charts import unit_charts  # noqa: E402
from subq_toolkit.charts.figure import figure  # noqa: E402
from subq_toolkit.charts.withheld import STAR  # noqa: E402
from subq_toolkit.small_cells import withhold_small_cells  # noqa: E402

PNG = b"\x89PNG\r\n\x1a\n"
MARKUP = "<script>alert('x')</script> & \"quotes\" \\ {{datum}} \x00\x1b\u202e"
LONG_NAME = "左大腿の長い名前 " * 6
CODES = ("96369", "96370", "96371", "96372")


def per_encounter(*rows: tuple) -> pl.DataFrame:
    """Rows of (group, encounters, units by code, encounters with a unit by code)."""
    made = [
        (group, code, n, u, u / n if n else None, w, w / n if n else None)
        for group, n, units, with_units in rows
        for code, u, w in zip(CODES, units, with_units, strict=True)
    ]
    schema = {"group": pl.String, "code": pl.String, "encounters": pl.Int64, "units": pl.Int64}
    schema |= {"mean_units": pl.Float64, "with_units": pl.Int64, "share_with": pl.Float64}
    return pl.DataFrame(made, schema=schema, orient="row")


def ward(name: str | None, n: int, further: int) -> tuple:
    """A group of encounters of an hour or more, with so many further hours in all."""
    return name, n, (n, further, 0, 0), (n, min(n // 2, further), 0, 0)


def ladder(*rows: tuple, edit: int | None = 3) -> pl.DataFrame:
    """Rows of (units, encounters)."""
    total = sum(n for _, n in rows) or 1
    made = [
        ("all", u, n, n / total, edit, "inferred" if edit else None, n if u > (edit or 1e9) else 0)
        for u, n in rows
    ]
    schema = {"group": pl.String, "units": pl.Int64, "encounters": pl.Int64, "share": pl.Float64}
    schema |= {"unlikely_edit": pl.Int64, "edit_standing": pl.String, "above_edit": pl.Int64}
    return pl.DataFrame(made, schema=schema, orient="row")


def effects(*rows: tuple) -> pl.DataFrame:
    """Rows of (choice, answer, in force, units, changed, coded, query, refer), of 1,000 units."""
    made = [
        {
            "choice": choice, "answer": answer, "in_force": in_force, "code": code,
            "units": 500 + units * (code == "96370"), "units_in_force": 500,
            "difference": units * (code == "96370"), "changed": changed,
            "coded_difference": coded, "query_difference": query, "refer_difference": refer,
        }
        for choice, answer, in_force, units, changed, coded, query, refer in rows
        for code in ("96369", "96370")
    ]  # fmt: skip
    return pl.DataFrame(made)


def funnel(*rows: tuple) -> pl.DataFrame:
    names = ["stage", "reason", "rows", "encounters"]
    return pl.DataFrame(rows, schema=names, orient="row")


def moved(*rows: tuple, n: int = 100) -> pl.DataFrame:
    """Rows of (code, units by rule, units moved, changed)."""
    made = [(code, rule, other, other - rule, n, changed) for code, rule, other, changed in rows]
    names = ["code", "units_by_rule", "units_moved", "difference", "encounters", "changed"]
    return pl.DataFrame(made, schema=names, orient="row")


def monthly(*rows: tuple) -> pl.DataFrame:
    """Rows of (months since January 2025, coded, units, volume, documentation, duration)."""
    made = [
        (date(2025 + at // 12, at % 12 + 1, 1), coded, coded, units,
         None if parts[0] is None else round(sum(parts)), *parts)
        for at, coded, units, *parts in rows
    ]  # fmt: skip
    schema = {"month": pl.Date, "encounters": pl.Int64, "coded": pl.Int64, "units": pl.Int64}
    schema |= {"change": pl.Int64} | dict.fromkeys(utilization.FACTORS, pl.Float64)
    return pl.DataFrame(made, schema=schema, orient="row")


NONE = (None, None, None)
FORTY = [ward(f"ward {at:02}", 500 - at, 40 * at) for at in range(40)]
STEPS = (("96369", 62, 56, 16), ("96370", 144, 152, 18), ("96371", 26, 26, 0),
         ("96372", 11, 17, 16), ("total", 243, 251, 34))  # fmt: skip
ENDS = (
    ("charted", None, 200, 120), ("refused", None, 20, 18), ("refused", COPY_CHECK, 12, 11),
    ("refused", "stop is not before start", 11, 11), ("query", None, 30, 25),
    ("query", "missing_stop", 28, 24), ("query", "missing_start", 12, 11),
    ("refer", None, 50, 40), ("refer", "no_pump", 50, 40), ("coded", None, 100, 60),
)  # fmt: skip
SEVERAL = (
    ("missing_stop", "computed", "query", 90, 40, 40, -40, 0),
    ("unit_cap", "unlikely_edit", "none", -250, 60, 0, 0, 0),
    ("midnight", "split", "start_date", 0, 0, 0, 0, 0),
    ("bridge_pauses_min", "5", "0", 3, 2, 0, 0, 0),
)


def by_group(*rows: tuple, **more) -> pl.DataFrame:
    return charts.units_by_group_table(per_encounter(*rows), by="ward", **more)


def steps(*rows: tuple, **more) -> pl.DataFrame:
    return charts.further_hour_steps_table(ladder(*rows), **more)


def policies(*rows: tuple, **more) -> pl.DataFrame:
    return charts.policy_differences_table(effects(*rows), **more)


def ends(*rows: tuple, **more) -> pl.DataFrame:
    return charts.documentation_funnel_table(funnel(*rows), **more)


def elsewhere(*rows: tuple, **more) -> pl.DataFrame:
    return charts.steps_moved_table(moved(*rows), **more)


def changes(*rows: tuple, **more) -> pl.DataFrame:
    return charts.unit_change_bridge_table(monthly(*rows), **more)


def nothing_but(**numbers: int) -> tuple:
    """Ends of rows without reasons, all others zero."""
    return tuple((stage, None, numbers.get(stage, 0), numbers.get(stage, 0))
                 for stage in utilization.STAGES)  # fmt: skip


RULE = {"at_least_min": 16, "more_than_min": 30, "unlikely_edit": 3, "unit_cap": "none"}
CASES = {
    "units_by_group": {
        "usual": by_group(("a", 40, (25, 49, 15, 15), (25, 14, 15, 15)), ward("b", 50, 0)),
        "one group": charts.units_by_group_table(per_encounter(ward("all", 100, 170))),
        "forty": by_group(*FORTY),
        "forty in order": by_group(*FORTY, ordered=True),
        "names": by_group(*(ward(name, 50, 20) for name in (MARKUP, LONG_NAME, None))),
        "one lasts": by_group(ward("a", 50, 5000), ward("b", 50, 0)),
        "nothing coded": by_group(ward("a", 0, 0), ward("b", 20, 0)),
        "none coded": by_group(ward("a", 0, 0)),
        "small": by_group(ward("a", 5, 9), ward("b", 500, 900), ward("c", 400, 300)),
        "caption": by_group(ward("a", 50, 20), caption=MARKUP + LONG_NAME),
        "empty": charts.units_by_group_table(None),
    },
    "further_hour_steps": {
        "usual": steps((0, 60), (1, 20), (3, 12), (4, 30), (7, 28)),
        "far": steps((0, 50), (1, 20), (10, 12), (11, 13), (79, 15)),
        "one": steps((2, 1), group=MARKUP),
        "none above": steps((0, 20), (3, 30), caption=LONG_NAME),
        "no edit": charts.further_hour_steps_table(ladder((0, 15), (5, 45), edit=None)),
        "small": steps((0, 60), (1, 5), (4, 3)),
        "huge": steps((0, 10**12), (5, 10**11)),
        "empty": charts.further_hour_steps_table(None),
    },
    "policy_differences": {
        "usual": policies(*SEVERAL),
        "one": policies(SEVERAL[0]),
        "no effect": policies(SEVERAL[2]),
        "only outcomes": policies(("home", "refer", "report", 0, 15, -15, 0, 15)),
        "other policy": policies(("unit_cap", "none", "unlikely_edit", 250, 60, 0, 0, 0),
                                 ("bridge_pauses_min", "0", "10", -30, 30, 0, 0, 0)),
        "small": policies(("seconds", "count", "drop", 2, 2, 0, 0, 0)),
        "part is small": policies(("missing_stop", "short", "query", 70, 60, 55, -60, 5)),
        "huge": policies(("unit_cap", "unlikely_edit", "none", -(10**12), 10**11, 0, 0, 0)),
        "caption": policies(SEVERAL[0], caption=MARKUP + LONG_NAME),
        "empty": charts.policy_differences_table(None),
    },
    "documentation_funnel": {
        "usual": ends(*ENDS),
        "all coded": ends(*nothing_but(charted=1, coded=1)),
        "all refused": ends(*nothing_but(charted=50, refused=50)),
        "most waits": ends(*nothing_but(charted=100, query=85, coded=15)),
        "no row": ends(*nothing_but()),
        "small": ends(*nothing_but(charted=100, refused=3, query=20, refer=30, coded=47)),
        "names": ends(*ENDS, ("coded", MARKUP, 40, 40), ("coded", LONG_NAME, 30, 30)),
        "huge": ends(*nothing_but(charted=3 * 10**12, refer=10**12, coded=2 * 10**12)),
        "empty": charts.documentation_funnel_table(None),
    },
    "steps_moved": {
        "usual": elsewhere(*STEPS, at_least_min=21, more_than_min=15, in_effect=RULE),
        "rules untold": elsewhere(*STEPS, at_least_min=21, unit_cap="unlikely_edit"),
        "as by rule": elsewhere(*((*row[:2], row[1], 0) for row in STEPS), in_effect=RULE,
                                at_least_min=16, more_than_min=30, unit_cap="none"),
        "cap": elsewhere(*STEPS, unit_cap=2, in_effect=RULE),
        "edit": elsewhere(*STEPS, unit_cap="unlikely_edit", in_effect=RULE),
        "small": elsewhere(*STEPS[:2], ("96371", 26, 25, 1), *STEPS[3:], at_least_min=21),
        "between codes": elsewhere(("96369", 62, 56, 16), ("96370", 0, 0, 0), ("96371", 0, 0, 0),
                                   ("96372", 11, 17, 16), ("total", 73, 73, 16), at_least_min=21),
        "nothing coded": charts.steps_moved_table(
            moved(*((code, 0, 0, 0) for code in (*CODES, "total")), n=0)
        ),
        "caption": elsewhere(*STEPS, at_least_min=21, caption=MARKUP + LONG_NAME),
        "empty": charts.steps_moved_table(None),
    },
    "unit_change_bridge": {
        "usual": changes((0, 50, 100, *NONE), (1, 60, 90, 30.0, -15.5, -24.5),
                         (2, 60, 94, 0.0, 1.0, 3.0)),
        "one month": changes((0, 50, 100, *NONE)),
        "two months": changes((11, 50, 100, *NONE), (12, 55, 110, 10.0, 0.0, 0.0)),
        "no change": changes((0, 50, 100, *NONE), (1, 50, 100, 0.0, 0.0, 0.0)),
        "forty": changes((0, 90, 100, *NONE),
                         *((at, 90, 100 + at, 3.0, -1.0, -1.0) for at in range(1, 40)),
                         code="96370"),
        "small": changes((0, 50, 100, *NONE), (1, 4, 8, -90.0, -1.0, -1.0),
                         (2, 50, 80, 70.0, 1.0, 1.0), (3, 50, 90, 6.0, 2.0, 2.0),
                         (4, 50, 99, 3.0, 3.0, 3.0)),
        "an empty month": changes((0, 50, 100, *NONE), (1, 0, 0, -100.0, 0.0, 0.0),
                                  (2, 4, 8, 8.0, 0.0, 0.0)),
        "caption": changes((0, 50, 100, *NONE), (1, 60, 90, 30.0, -15.0, -25.0),
                           caption=MARKUP + LONG_NAME),
        "empty": charts.unit_change_bridge_table(None),
    },
}  # fmt: skip
ALL = [(chart, case) for chart, cases in CASES.items() for case in cases]
#: Cases in which a count is too small to be published.
SMALL = {
    ("units_by_group", "small"), ("further_hour_steps", "small"), ("further_hour_steps", "one"),
    ("policy_differences", "small"), ("policy_differences", "part is small"),
    ("policy_differences", "usual"), ("documentation_funnel", "small"),
    ("documentation_funnel", "all coded"), ("steps_moved", "small"),
    ("unit_change_bridge", "small"), ("unit_change_bridge", "an empty month"),
}  # fmt: skip


def spec_of(chart: str, table: pl.DataFrame) -> dict:
    return figure(chart, table).spec


def kept(chart: str, case: str) -> pl.DataFrame:
    """A case as it may be published."""
    shown = figure(chart, CASES[chart][case])
    return withhold_small_cells(shown.table, shown.cells)


def title(spec: dict) -> str:
    return " ".join(spec["title"]["text"])


def under(spec: dict) -> str:
    return " ".join(spec["title"]["subtitle"])


def marks(spec: dict, *kinds: str) -> list[dict]:
    return [row for row in spec["data"]["values"] if row["kind"] in kinds]


@pytest.mark.parametrize(("chart", "case"), ALL)
def test_every_chart_draws_awkward_data(chart: str, case: str) -> None:
    table = CASES[chart][case]
    spec = spec_of(chart, table)
    assert charts.picture(spec, scale=0.5).startswith(PNG)
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    assert len(spec["data"]["values"]) <= 1_000
    assert 1 <= len(spec["title"]["text"]) <= 3
    assert "…" in title(spec) or spec["description"].startswith(f"{title(spec)}.")
    assert not {"\x00", "\x1b", "\u202e"} & set(json.dumps(spec, ensure_ascii=False))
    assert "None" not in spec["description"] + json.dumps(marks(spec, "name", "told", "end"))


@pytest.mark.parametrize(("chart", "case"), ALL)
def test_what_is_withheld_is_marked_and_said(chart: str, case: str) -> None:
    table = kept(chart, case)
    spec = spec_of(chart, table)
    hidden = not table.equals(CASES[chart][case])
    assert hidden == ((chart, case) in SMALL)
    assert not hidden or charts.picture(spec, scale=0.5).startswith(PNG)
    starred = marks(spec, "withheld") or STAR in json.dumps(marks(spec, "note"), ensure_ascii=False)
    assert bool(starred) == hidden
    assert (f"{STAR} fewer than 11 encounters" in under(spec)) == hidden


@pytest.mark.parametrize(("chart", "case"), [one for one in ALL if one[1] != "empty"])
def test_every_chart_draws_when_all_counts_are_withheld(chart: str, case: str) -> None:
    shown = figure(chart, CASES[chart][case])
    cells = shown.cells if isinstance(shown.cells, tuple) else (shown.cells,)
    gone = {name for one in cells for name in (one.column, *one.also)}
    types = shown.table.schema
    table = shown.table.with_columns(pl.lit(None, types[name]).alias(name) for name in gone)
    spec = spec_of(chart, table)
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    assert "None" not in spec["description"]
    assert case != "usual" or charts.picture(spec, scale=0.5).startswith(PNG)


@pytest.mark.parametrize("chart", CASES)
def test_the_public_chart_is_the_specification(chart: str) -> None:
    spec = spec_of(chart, CASES[chart]["usual"])
    public = getattr(charts, chart)(CASES[chart]["usual"]).to_dict()
    assert list(public["datasets"].values()) == [spec["data"]["values"]]
    assert (public["title"], public["description"]) == (spec["title"], spec["description"])


@pytest.mark.parametrize("chart", CASES)
def test_markup_and_turned_text_stay_text(chart: str) -> None:
    case = next(one for one in ("names", "caption", "one") if one in CASES[chart])
    spec = spec_of(chart, CASES[chart][case])
    assert "<script>" in json.dumps(spec, ensure_ascii=False)  # as it stands, never run


def test_nothing_to_draw_says_so() -> None:
    assert {chart: title(spec_of(chart, CASES[chart]["empty"])) for chart in CASES} == {
        "units_by_group": "No encounter is coded yet",
        "further_hour_steps": "No encounter is coded yet",
        "policy_differences": "No other answer to compare yet",
        "documentation_funnel": "No row is charted yet",
        "steps_moved": "No encounter is coded yet",
        "unit_change_bridge": "No month to compare yet",
    }
    assert CASES["documentation_funnel"]["no row"].height == 6


@pytest.mark.parametrize(
    ("chart", "case", "says"),
    [
        # (25 + 49 + 15 + 15) / 40 = 2.6
        ("units_by_group", "usual", "From 1.00 units per encounter (“b”) to 2.60 (“a”)"),
        ("units_by_group", "one group",
         "2.70 units per coded encounter, 1.70 of them further hours"),
        # The twelve largest are wards 00 to 11: 1 + 440 / 489.
        ("units_by_group", "forty",
         "From 1.00 units per encounter (“ward 00”) to 1.90 (“ward 11”)"),
        ("units_by_group", "names", "1.40 units per coded encounter in every group"),
        ("units_by_group", "none coded", "No encounter is coded yet"),
        # 30 + 28 of 150
        ("further_hour_steps", "usual",
         "58 of 150 coded encounters (38.7 %) are above the unlikely edit of 3 further hours"),
        ("further_hour_steps", "far",
         "40 of 110 coded encounters (36.4 %) are above the unlikely edit of 3 further hours"),
        ("further_hour_steps", "one",
         "No coded encounter is above the unlikely edit of 3 further hours"),
        ("further_hour_steps", "no edit", "25 % of coded encounters have no unit of 96370"),
        ("policy_differences", "usual",
         "Another answer would change units by −250 (unit cap: unlikely edit) to +90 "
         "(missing stop: computed)"),
        ("policy_differences", "one",
         "“missing stop: computed” would change units by +90 (9 %)"),
        ("policy_differences", "no effect", "No other answer would change the units"),
        ("policy_differences", "only outcomes", "No other answer would change the units"),
        ("documentation_funnel", "usual",
         "50 % of 200 charted rows are coded; what stops most of the others: no pump (50 rows)"),
        ("documentation_funnel", "all coded", "100 % of 1 charted row is coded"),
        ("steps_moved", "usual",
         "First hour from 21 min (16 by rule), further hours past 15 min (30 by rule): "
         "+8 units (+3.29 %)"),
        ("steps_moved", "as by rule", "No step is moved: 243 units by the rules"),
        ("steps_moved", "cap", "At most 2 further hours: +8 units (+3.29 %)"),
        ("steps_moved", "edit",
         "At most 3 further hours (the unlikely edit): +8 units (+3.29 %)"),
        ("steps_moved", "between codes",
         "First hour from 21 min: units move between codes, their sum stays"),
        ("unit_change_bridge", "usual",
         "Largest change: Feb 2025, −10 units, mainly by fewer units per coded encounter (−24)"),
        ("unit_change_bridge", "two months",
         "Change: Jan 2026, +10 units, by more encounters (+10)"),
        ("unit_change_bridge", "no change", "The number of units did not change in any month"),
        ("unit_change_bridge", "one month", "One month alone has no change"),
    ],
)  # fmt: skip
def test_the_title_is_the_finding(chart: str, case: str, says: str) -> None:
    assert title(spec_of(chart, CASES[chart][case])) == says


@pytest.mark.parametrize(
    ("chart", "case", "says"),
    [
        # 905 encounters with as many first hours and 1,209 further ones; a and c are withheld.
        ("units_by_group", "small",
         "2.34 units per coded encounter; some groups are withheld"),
        ("further_hour_steps", "small",
         "Coded encounters by their units of 96370; some counts are withheld"),
        ("policy_differences", "small",
         "No other answer is known to change the units; some numbers are withheld"),
        ("documentation_funnel", "small", "47 % of 100 charted rows are coded"),
        ("steps_moved", "small", "First hour from 21 min: what changes in all is withheld"),
        ("unit_change_bridge", "an empty month",
         "What moved units, month by month; every number is withheld"),
    ],
)  # fmt: skip
def test_titles_state_no_withheld_number(chart: str, case: str, says: str) -> None:
    assert title(spec_of(chart, kept(chart, case))) == says


def test_numbers_of_a_withheld_group_are_nowhere() -> None:
    table = kept("units_by_group", "small")
    groups = table.filter(kind="group")
    # a has 5 encounters; one more is withheld, the smaller of the others, in every code.
    told = groups.filter(pl.col("encounters").is_not_null())["group"].unique().to_list()
    assert told == ["b"]
    lost = groups.filter(pl.col("encounters").is_null())
    names = ["units", "mean_units", "with_units", "share_with", "fewest"]
    assert lost.select(pl.col(names).is_null().all()).row(0) == (True,) * 5


def test_a_rare_code_is_withheld_where_its_encounters_are_few() -> None:
    # 30 encounters: 27 first hours and 3 short infusions, which each tell the other.
    rare = ("a", 30, (27, 12, 0, 3), (27, 12, 0, 3))
    shown = figure("units_by_group", by_group(rare, ward("b", 60, 30), ward("c", 90, 30)))
    table = withhold_small_cells(shown.table, shown.cells)
    own = table.filter(kind="group", group="a")
    assert own["encounters"].to_list() == [30] * 4
    means = dict(own["code", "mean_units"].rows())
    assert means["96369"] is means["96372"] is None
    assert means["96370"] == 0.4
    assert marks(spec_of("units_by_group", table), "withheld")


def test_bars_of_a_group_are_its_means_end_to_end() -> None:
    spec = spec_of("units_by_group", CASES["units_by_group"]["usual"])
    bars = [row for row in marks(spec, "bar") if row["y"] == marks(spec, "bar")[0]["y"]]
    assert [row["x2"] - row["x"] for row in bars] == pytest.approx([0.625, 1.225, 0.375, 0.375])
    assert [row["x"] for row in bars[1:]] == [row["x2"] for row in bars[:-1]]
    # 40 and 50 encounters with 104 and 50 units
    assert marks(spec, "mean")[0]["label"] == "all 1.71"
    assert [row["label"] for row in marks(spec, "total")] == ["2.60", "1.00"]
    assert [row["size"] for row in marks(spec, "name")] == ["40 encounters", "50 encounters"]


def test_forty_groups_are_twelve_and_the_others_together() -> None:
    table = CASES["units_by_group"]["forty"]
    assert table.filter(kind="group")["group"].n_unique() == 12
    others = table.filter(kind="others", code="96370").row(0, named=True)
    assert others["groups"] == 28
    assert others["encounters"] == sum(500 - at for at in range(12, 40))
    assert others["units"] == sum(40 * at for at in range(12, 40))
    spec = spec_of("units_by_group", table)
    assert [row["label"] for row in marks(spec, "name")][-1] == "28 other groups"
    ordered = CASES["units_by_group"]["forty in order"].filter(kind="group")["group"]
    assert ordered.unique(maintain_order=True).to_list() == [
        f"ward {at:02}" for at in range(16, 40)
    ]


def test_a_group_of_which_nothing_is_coded_is_named() -> None:
    spec = spec_of("units_by_group", CASES["units_by_group"]["nothing coded"])
    assert "none coded" in [row["label"] for row in marks(spec, "total")]
    assert not marks(spec, "withheld")


def test_columns_above_the_edit_are_outlined_and_none_is_left_out() -> None:
    table = CASES["further_hour_steps"]["usual"]
    assert table.filter(kind="step")["units"].to_list() == list(range(8))
    assert table.filter(kind="step", units=5)["encounters"].to_list() == [0]
    spec = spec_of("further_hour_steps", table)
    assert [row["y2"] for row in marks(spec, "within")] == [60, 20, 12]
    assert [row["y2"] for row in marks(spec, "above")] == [30, 28]
    (edit,) = marks(spec, "edit")
    assert (edit["x"], edit["label"]) == (3.5, "unlikely edit: 3")
    told = {row["x"]: (row["label"], row["share"]) for row in marks(spec, "told")}
    assert told[0] == ("60", "40 %")
    assert told[5] == ("0", "")


def test_many_further_hours_are_counted_together() -> None:
    more = CASES["further_hour_steps"]["far"].filter(kind="more").row(0, named=True)
    assert (more["units"], more["encounters"], more["above_edit"]) == (11, 28, 28)
    spec = spec_of("further_hour_steps", CASES["further_hour_steps"]["far"])
    assert marks(spec, "name")[-1]["label"] == "11+"


def test_differences_are_sorted_and_say_what_is_in_force() -> None:
    spec = spec_of("policy_differences", CASES["policy_differences"]["usual"])
    assert [row["label"] for row in marks(spec, "end")] == ["+90", "+3", "−250"]
    assert [row["label"] for row in marks(spec, "name")] == [
        "missing stop: computed, instead of query",
        "pauses up to 5 min counted, instead of no pause counted",
        "unit cap: unlikely edit, instead of none",
    ]
    assert [row["x2"] - row["x"] for row in marks(spec, "gain", "loss")] == [90, 3, 250]
    assert "(the default answers); units and outcomes stay: midnight: split" in under(spec)
    other = spec_of("policy_differences", CASES["policy_differences"]["other policy"])
    assert "(unit cap: unlikely edit, pauses up to 10 min counted)" in under(other)


def test_an_answer_is_withheld_where_any_of_its_numbers_is_small() -> None:
    table = kept("policy_differences", "part is small").row(0, named=True)
    # 60 encounters change, 55 become coded and 5 are referred.
    assert table["difference"] is table["changed"] is table["refer_difference"] is None


def test_the_waterfall_adds_up() -> None:
    spec = spec_of("documentation_funnel", CASES["documentation_funnel"]["usual"])
    spans = [(row["x"], row["x2"]) for row in marks(spec, "charted", "loss", "coded")]
    assert spans == [(0, 200), (180, 200), (150, 180), (100, 150), (0, 100)]
    assert [row["label"] for row in marks(spec, "told", "inside")] == [
        "200 rows",
        "−20 (10 %): unreadable, or a copy",
        "−30 (15 %): a fact is missing",
        "−50 (25 %): a coder decides",
        "100 (50 %)",
    ]
    notes = " ".join(row["label"] for row in marks(spec, "note"))
    assert "12 copy of an earlier row" in notes
    assert "11 failing “stop is not before start”" in notes
    assert "28 missing stop" in notes


def test_no_place_in_the_waterfall_tells_of_what_is_withheld() -> None:
    table = kept("documentation_funnel", "small")
    gone = table.filter(pl.col("rows").is_null(), kind="stage")["stage"].to_list()
    assert gone == ["refused", "query"]
    spec = spec_of("documentation_funnel", table)
    spans = [(row["x"], row["x2"]) for row in marks(spec, "charted", "loss", "coded")]
    assert spans == [(0, 100), (47, 77), (0, 47)]
    assert not marks(spec, "joint")


def test_short_infusions_are_told_by_first_hours_alone() -> None:
    table = CASES["steps_moved"]["usual"]
    mirror = table.filter(kind="mirror").row(0, named=True)
    assert mirror["units_by_rule"] == 11
    assert mirror["units_moved"] is mirror["changed"] is mirror["difference"] is None
    spec = spec_of("steps_moved", table)
    assert [row["label"] for row in marks(spec, "apart")] == ["56 (−6)", "152 (+8)", "17 (+6)"]
    assert [row["label"] for row in marks(spec, "told")] == ["62", "144", "26", "26 (±0)", "11"]
    assert "34 of 100 coded encounters would change" in under(spec)
    assert "no payer is known" in under(spec)
    assert "no payer is known" not in under(spec_of("steps_moved", CASES["steps_moved"]["cap"]))


def test_a_small_change_of_a_code_hides_the_total_as_well() -> None:
    table = kept("steps_moved", "small")
    told = dict(table.filter(pl.col("code").is_not_null())["code", "units_moved"].rows())
    assert told["96371"] is told["total"] is None
    assert told["96370"] == 152


def test_parts_are_stacked_from_zero_and_the_dot_is_the_change() -> None:
    spec = spec_of("unit_change_bridge", CASES["unit_change_bridge"]["usual"])
    first = {row["kind"]: (row["y"], row["y2"])
             for row in marks(spec, *utilization.FACTORS) if row["x"] < 0.5}  # fmt: skip
    assert first == {"volume": (0, 30), "documentation": (0, -15.5), "duration": (-15.5, -40)}
    assert [row["y"] for row in marks(spec, "dot")] == [-10, 4]
    assert [row["label"] for row in marks(spec, "key")] == [
        "encounters", "share coded", "units per encounter", "change"
    ]  # fmt: skip


def test_a_change_tells_of_both_months() -> None:
    table = kept("unit_change_bridge", "small").filter(kind="month")
    # February has 4 coded encounters: neither its change nor that of March may be told.
    assert table["change"].to_list()[:2] == [None, None]
    assert table["coded"].to_list()[:2] == [None, 50]
    assert table["units"].to_list()[:2] == [None, 80]


def test_the_last_two_years_are_drawn() -> None:
    table = CASES["unit_change_bridge"]["forty"]
    drawn = table.filter(kind="month")
    assert (drawn.height, drawn["month"][-1]) == (24, date(2028, 4, 1))
    spec = spec_of("unit_change_bridge", table)
    assert "15 earlier months not shown" in under(spec)
    years = [row["year"] for row in marks(spec, "name") if row["year"]]
    assert years == ["2026", "2027", "2028"]
    assert spec["encoding"]["y"]["title"] == "Change of units of 96370 [1]"


@cache
def sample() -> sq.Coded:
    return sq.code_administrations(sq.sample_administrations())


def test_the_sample_from_tables_to_charts() -> None:
    summary = minute_summary(sample(), by=["month", "department"])
    tables = {
        "units_by_group": charts.units_by_group_table(
            utilization.units_per_encounter(summary, "department"), by="department"
        ),
        "further_hour_steps": charts.further_hour_steps_table(
            utilization.further_hour_ladder(summary, "department")
        ),
        "policy_differences": charts.policy_differences_table(
            utilization.policy_effects(sample(), choices=["unit_cap", "seconds"])
        ),
        "documentation_funnel": charts.documentation_funnel_table(
            utilization.documentation_funnel(sample())
        ),
        "steps_moved": charts.steps_moved_table(
            utilization.moved_steps(summary, at_least_min=31),
            at_least_min=31,
            in_effect=utilization.steps_in_effect(summary),
        ),
        "unit_change_bridge": charts.unit_change_bridge_table(utilization.unit_changes(summary)),
    }
    titles = {chart: title(spec_of(chart, table)) for chart, table in tables.items()}
    ladder = utilization.further_hour_ladder(summary)
    above, n = ladder["above_edit"].sum(), ladder["encounters"].sum()
    assert titles["further_hour_steps"].startswith(f"{above} of {n:,} coded encounters")
    ended = sample().reconcile()
    assert f"of {ended['rows_in']:,} charted rows" in titles["documentation_funnel"]
    for chart, table in tables.items():
        assert charts.picture(spec_of(chart, table), scale=0.5).startswith(PNG)


def test_every_chart_has_its_public_function() -> None:
    assert set(unit_charts.__all__) == {*CASES, *(f"{chart}_table" for chart in CASES)}


@pytest.mark.parametrize("case", ["usual", "most waits", "all refused"])
def test_words_of_a_loss_stand_where_there_is_room(case: str) -> None:
    spec = spec_of("documentation_funnel", CASES["documentation_funnel"][case])
    low, high = spec["encoding"]["x"]["scale"]["domain"]
    for row in marks(spec, "told", "note"):
        room = row["x"] if row["side"] == "right" else high - row["x"]
        assert room >= high / 3 - 1e-9
    assert low < 0


def published(chart: str, table: pl.DataFrame) -> pl.DataFrame:
    shown = figure(chart, table)
    return withhold_small_cells(shown.table, shown.cells)


def uncoded(*rows: tuple[int, int]) -> pl.DataFrame:
    """Months of so many encounters, of which so many are coded, with 10 units more each month."""
    frame = monthly(*((at, n, 100 + 10 * at, *((NONE, (4.0, 1.0, 5.0))[at > 0]))
                      for at, (n, _) in enumerate(rows)))  # fmt: skip
    coded = pl.Series([coded for _, coded in rows], dtype=pl.Int64)
    return frame.with_columns(coded=coded)


def test_parts_of_a_change_do_not_tell_of_few_that_are_not_coded() -> None:
    # 40 of 200 wait each month, but in the third 5, and in the sixth 30, which go with them.
    months = uncoded(*[(200, 160)] * 2, (200, 195), *[(200, 160)] * 2, (200, 170), (200, 160))
    table = published("unit_change_bridge", charts.unit_change_bridge_table(months))
    drawn = table.filter(pl.col("kind").is_in(["before", "month"]))
    assert drawn["uncoded"].to_list() == [40, 40, None, 40, 40, None, 40]
    for part in utilization.FACTORS:
        # Parts tell of the month before as well.
        assert drawn[part].is_null().to_list() == [True, False, True, True, False, True, True]
    assert drawn["units"].to_list() == [100, 110, 120, 130, 140, 150, 160]
    spec = spec_of("unit_change_bridge", table)
    assert len(marks(spec, "withheld")) == 4
    assert len(marks(spec, "dot")) == 6
    assert "Mar 2025: +10 to 120 units (parts withheld)" in spec["description"]


def test_the_largest_change_may_have_no_parts() -> None:
    months = uncoded((200, 160), (200, 195), (200, 170))
    table = published("unit_change_bridge", charts.unit_change_bridge_table(months))
    says = "Largest change: Feb 2025, +10 units; of what parts is withheld"
    assert title(spec_of("unit_change_bridge", table)) == says


def filled_in(gone: list[int], n: int, units: int) -> list[tuple[int, ...]]:
    if not gone:
        return [()] if n == units == 0 else []
    if len(gone) == 1:
        return [(n,)] if n * gone[0] == units else []
    return [(one, *rest) for one in range(n + 1) if one * gone[0] <= units
            for rest in filled_in(gone[1:], n - one, units - one * gone[0])]  # fmt: skip


@pytest.mark.parametrize(
    "counts",
    [
        {0: 60, 1: 40, 2: 5, 3: 3, 4: 20},
        {0: 60, 1: 40, 2: 9, 3: 12, 4: 20},
        {0: 60, 1: 40, 2: 50, 3: 3},
        {0: 12, 1: 40, 2: 50, 3: 3},
        {0: 60, 2: 30, 5: 1, 9: 12},
        {0: 99, 1: 1, 2: 10, 3: 30, 7: 14},
        {0: 99, 1: 15, 2: 15, 3: 15, 6: 2},
    ],
)
def test_steps_and_all_units_tell_of_no_small_count(counts: dict[int, int]) -> None:
    table = published("further_hour_steps", steps(*counts.items()))
    rows = table.filter(pl.col("kind").is_in(["step", "more"]))
    gone = rows.filter(pl.col("encounters").is_null(), pl.col("units") > 0)["units"].to_list()
    n = sum(counts.get(at, 0) for at in gone)
    found = filled_in(gone, n, sum(at * counts.get(at, 0) for at in gone))
    assert len(found) >= 2
    for at, count in counts.items():
        if 0 < count < 11:
            assert at in gone
            assert max(one[gone.index(at)] for one in found) >= 11, (at, found)


def test_steps_that_cannot_hide_each_other_are_all_withheld() -> None:
    table = published(
        "further_hour_steps",
        two := charts.further_hour_steps_table(ladder((0, 60), (1, 5), edit=None)),
    )
    assert two.filter(kind="step")["encounters"].to_list() == [60, 5]
    assert table.filter(kind="step")["encounters"].to_list() == [None, None]


def test_no_bar_stands_for_a_group_of_which_a_code_is_withheld() -> None:
    # In a, 3 of 100 have a second set-up, with 9.8 units in all; in b and c 30 each.
    rows = [("a", 100, (100, 877, 3, 0), (100, 60, 3, 0)),
            ("b", 100, (100, 150, 30, 0), (100, 60, 30, 0)),
            ("c", 100, (100, 50, 31, 0), (100, 60, 31, 0))]  # fmt: skip
    table = published("units_by_group", by_group(*rows))
    spec = spec_of("units_by_group", table)
    # b covers for a; c is as it is, and all 300 have 1,441 units.
    assert [row["label"] for row in marks(spec, "total")] == ["1.81"]
    assert len(marks(spec, "withheld")) == 2
    assert len({row["y"] for row in marks(spec, "bar")}) == 1
    assert title(spec) == "4.80 units per coded encounter; some groups are withheld"
    assert marks(spec, "name")[0]["label"] == "c"


def test_two_codes_that_share_every_encounter_are_one_part_of_the_bar() -> None:
    # 27 first hours and 3 short infusions of 30, which each tell the other, are 30 together.
    rare = ("a", 30, (27, 12, 0, 3), (27, 12, 0, 3))
    plenty = ("b", 60, (40, 30, 0, 20), (40, 30, 0, 20))
    table = published("units_by_group", by_group(rare, plenty, ("c", *plenty[1:])))
    spec = spec_of("units_by_group", table)
    assert [row["label"] for row in marks(spec, "total")] == ["1.50", "1.50", "1.40"]
    # (12 / 30 + 1 = 1.4); one of the others covers for a.
    assert len(marks(spec, "withheld")) == 2
    assert "96369 or 96372" in [row["label"] for row in marks(spec, "key")]
    assert title(spec) == "From 1.40 units per encounter (“a”) to 1.50 (“b”)"


def test_a_second_unit_beside_them_is_no_such_part() -> None:
    twice = ("a", 30, (27, 12, 0, 6), (27, 12, 0, 3))
    plenty = [(name, 60, (40, 30, 0, 20), (40, 30, 0, 20)) for name in "bc"]
    spec = spec_of("units_by_group", published("units_by_group", by_group(twice, *plenty)))
    assert len(marks(spec, "total")) < 3
    assert [row["label"] for row in marks(spec, "name")][-1] == "a"


@pytest.mark.parametrize(
    ("further", "says"),
    [(0, "1.00 units per coded encounter, none of them further hours"),
     (2, "1.00 units per coded encounter, less than 0.01 of them further hours"),
     (10, "1.01 units per coded encounter, 0.01 of them further hours")],
)  # fmt: skip
def test_few_further_hours_are_said_in_words(further: int, says: str) -> None:
    table = charts.units_by_group_table(per_encounter(ward("all", 1000, further)))
    assert title(spec_of("units_by_group", table)) == says


@pytest.mark.parametrize(
    ("nothing", "refused", "hidden"),
    [
        (5, 40, ["query", "refer", "coded"]),
        (40, 7, ["charted"]),
        (5, 7, ["charted", "query", "refer", "coded"]),
        (11, 11, []),
        (0, 0, []),
        (10, 11, ["query", "refer", "coded"]),
    ],
)
def test_the_caption_and_the_stages_tell_of_no_few(nothing: int, refused: int, hidden: list):
    kept_ones = 300 + 400 + 4000
    rows = (
        ("charted", None, 9000, kept_ones + refused), ("refused", None, 60, 60),
        ("query", None, 600, 300), ("query", "missing_stop", 600, 300),
        ("refer", None, 500, 400), ("coded", None, 7840, 4000),
        ("coded", "beside_infusion", 800, 700), ("coded", utilization.NOTHING_INFUSED, 50, nothing),
    )  # fmt: skip
    table = published("documentation_funnel", ends(*rows))
    stages = table.filter(kind="stage")
    assert stages.filter(pl.col("encounters").is_null())["stage"].to_list() == hidden
    assert stages["rows"].to_list() == [9000, 60, 600, 500, 7840]
    reason = table.filter(kind="reason", stage="query").row(0, named=True)
    # The only reason of a stage has its encounters.
    assert (reason["encounters"] is None) == ("query" in hidden)
    spec = spec_of("documentation_funnel", table)
    for number in (kept_ones + refused, 4000) if len(hidden) == 4 else ():
        assert f"{number:,}" not in json.dumps(spec)


def test_no_axis_of_units_has_ticks_left_of_zero() -> None:
    for chart in ("steps_moved", "documentation_funnel"):
        ticks = spec_of(chart, CASES[chart]["usual"])["encoding"]["x"]["axis"]["values"]
        assert ticks[0] == 0
        assert len(ticks) > 2


def test_one_unit_is_no_units() -> None:
    one = elsewhere(("96369", 1, 1, 0), ("total", 1, 1, 0), in_effect=RULE, at_least_min=16)
    spec = spec_of("steps_moved", one)
    assert title(spec) == "No step is moved: 1 unit by the rules"
    assert "1 units" not in spec["description"]
