"""Charts of durations as a histogram, by group and of a range: titles by hand, awkward data."""

import io
import json
from itertools import pairwise

import polars as pl
import pytest
from PIL import Image

charts = pytest.importorskip("subq_toolkit.charts", reason="the notebook extra is not installed")

from subq_toolkit.charts.figure import figure  # noqa: E402
from subq_toolkit.small_cells import withhold_small_cells  # noqa: E402

PNG = b"\x89PNG\r\n\x1a\n"
MARKUP = "<script>alert('x')</script> & \"quotes\" \\ {{datum}} \x00\x1b\u202e"
LONG_NAME = "左大腿の長い名前 " * 6
STEPS = [(16, 1), (91, 2), (151, 3)]


def bins(*counts: int, width: int = 15, open_end: bool = False) -> pl.DataFrame:
    """Bins from 0, 16, 31 and so on with these counts."""
    total = sum(counts) or 1
    rows = [
        ("all", 1 + width * at if at else 0, 1 + width * (at + 1), n, n / total)
        for at, n in enumerate(counts)
    ]
    if open_end:
        rows[-1] = (*rows[-1][:2], None, *rows[-1][3:])
    names = ["group", "from_min", "to_min", "encounters", "share"]
    return pl.DataFrame(rows, schema=names, orient="row")


def quantiles(*rows: tuple) -> pl.DataFrame:
    """Rows of (group, encounters, median): the quarter above and below, half of it for tails."""
    return pl.DataFrame(
        [
            (group, n, m // 2, m * 3 // 4, m, m * 5 // 4, m * 2, float(m))
            for group, n, m in rows
        ],
        schema=["group", "encounters", "p5_min", "p25_min", "median_min", "p75_min", "p95_min",
                "mean_min"],
        orient="row",
    )  # fmt: skip


def ranges(*rows: tuple) -> pl.DataFrame:
    """Rows of (group, encounters, of)."""
    return pl.DataFrame(
        [(group, n, of, n / of) for group, n, of in rows],
        schema=["group", "encounters", "of", "share"],
        orient="row",
    )


def histogram(frame, **more):
    return charts.infusion_durations_table(frame, STEPS, **more)


def by_group(frame, **more):
    return charts.durations_by_group_table(frame, STEPS, by="ward", **more)


def in_range(frame, **more):
    return charts.encounters_in_range_table(frame, from_min=86, to_min=90, by="ward", **more)


FORTY = [(f"ward {at:02}", 100 - at, 60 + at) for at in range(40)]
NAMES = [(MARKUP, 12, 100), (LONG_NAME, 11, 110), (None, 20, 90)]
CASES = {
    "infusion_durations": {
        "usual": histogram(bins(5, 20, 40, 30, 20, 15, 12, 11, 30), chosen=(76, 90)),
        "open": histogram(bins(5, 20, 40, open_end=True), group=MARKUP, caption=LONG_NAME),
        "one bin": histogram(bins(1)),
        "one minute wide": histogram(bins(*range(200), width=1)),
        "all zero": histogram(bins(0, 0)),
        "all withheld": histogram(bins(1, 2).with_columns(encounters=None, share=None)),
        "empty": histogram(None),
    },
    "durations_by_group": {
        "usual": by_group(quantiles(("a", 50, 60), ("b", 40, 120))),
        "one group": by_group(quantiles(("a", 50, 60))),
        "one minute": by_group(quantiles(("a", 1, 0))),
        "forty": by_group(quantiles(*FORTY)),
        "forty in order": by_group(quantiles(*FORTY), ordered=True),
        "names": by_group(quantiles(*NAMES)),
        "one lasts for days": by_group(quantiles(("a", 50, 60), ("b", 40, 9000))),
        "empty": by_group(quantiles().clear()),
    },
    "encounters_in_range": {
        "usual": in_range(ranges(("a", 30, 100), ("b", 10, 200))),
        "one group": in_range(ranges(("a", 1, 1))),
        "none in it": in_range(ranges(("a", 0, 10), ("b", 0, 5))),
        "forty": in_range(ranges(*((name, n, 1000) for name, n, _ in FORTY))),
        "names": in_range(ranges(*((name, n, of) for name, n, of in NAMES))),
        "empty": in_range(None),
    },
}


def drawn():
    return [(chart, case) for chart, cases in CASES.items() for case in cases]


@pytest.mark.parametrize(("chart", "case"), drawn())
def test_every_chart_draws_awkward_data(chart: str, case: str) -> None:
    table = CASES[chart][case]
    made = getattr(charts, chart)(table)
    spec = figure(chart, table).spec
    assert charts.picture(made.to_dict()).startswith(PNG)
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    assert len(spec["data"]["values"]) <= 5_000
    assert "\x00" not in spec["description"]


@pytest.mark.parametrize(("chart", "case"), drawn())
def test_every_chart_draws_with_small_counts_withheld(chart: str, case: str) -> None:
    shown = figure(chart, CASES[chart][case])
    kept = withhold_small_cells(shown.table, shown.cells)
    spec = shown.of(kept).spec
    assert charts.picture(spec).startswith(PNG)
    told = json.dumps(spec["data"]["values"], ensure_ascii=False)
    if kept.equals(shown.table) and case != "all withheld":
        assert "withheld" not in told
    else:
        assert "withheld" in told


def title(chart: str, case: str) -> str:
    told = figure(chart, CASES[chart][case]).spec["title"]["text"]
    return told if isinstance(told, str) else " ".join(told)


@pytest.mark.parametrize(
    ("chart", "case", "says"),
    [
        # 12 + 11 + 30 of 183 encounters are in bins from 91 min on.
        ("infusion_durations", "usual", "29 % of infusions reach a further hour (91 min); "
         "the most usual length is 31–45 min"),
        ("infusion_durations", "open", "The most usual length is 31 min or more"),
        ("infusion_durations", "one bin", "The most usual length is 0–15 min"),
        ("infusion_durations", "all withheld", "How long infusions last; every count is withheld"),
        ("infusion_durations", "empty", "No coded encounter has minutes yet"),
        ("durations_by_group", "usual", "Median from 60 min (“a”) to 120 min (“b”)"),
        ("durations_by_group", "one group", "Half of the infusions of “a” last 60 min or less"),
        ("durations_by_group", "empty", "No coded encounter has minutes yet"),
        ("encounters_in_range", "usual", "40 encounters last 86 to 90 min; the most, 75 %, are "
         "of “a”"),
        ("encounters_in_range", "one group", "1 encounter lasts 86 to 90 min, all of “a”"),
        ("encounters_in_range", "none in it", "No coded encounter lasts that long"),
        ("encounters_in_range", "empty", "No range is chosen yet"),
    ],
)  # fmt: skip
def test_titles_say_the_finding(chart: str, case: str, says: str) -> None:
    assert title(chart, case) == says


def test_the_description_carries_the_numbers() -> None:
    told = figure("infusion_durations", CASES["infusion_durations"]["usual"]).spec["description"]
    assert "31–45 min: 40 encounters, 21.9 %" in told
    told = figure("durations_by_group", CASES["durations_by_group"]["usual"]).spec["description"]
    assert "“b”: median 120 min, half within 90 to 150, 9 of 10 within 60 to 240" in told


def test_groups_that_are_not_drawn_are_counted() -> None:
    spec = figure("durations_by_group", CASES["durations_by_group"]["forty"]).spec
    assert "28 other groups not shown" in spec["description"]
    spec = figure("encounters_in_range", CASES["encounters_in_range"]["forty"]).spec
    # Wards 12 to 39 have 88 to 61 encounters: 28 of 74.5 on average.
    assert "“28 others”: 2,086 of 28,000 encounters" in spec["description"]
    table = CASES["durations_by_group"]["forty in order"].filter(pl.col("kind") == "group")
    assert table["group"].to_list() == [f"ward {at:02}" for at in range(16, 40)]


def test_bars_outside_the_chosen_range_step_back() -> None:
    rows = figure("infusion_durations", CASES["infusion_durations"]["usual"]).spec["data"]["values"]
    inside = [row["x"] for row in rows if row["kind"] == "bin"]
    assert inside == [76]


def test_steps_are_labelled_only_where_there_is_room() -> None:
    many = [(16, 1), *((31 + 60 * at, at + 1) for at in range(1, 200))]
    table = charts.infusion_durations_table(bins(*[3] * 800), many)
    ticks = figure("infusion_durations", table).spec["encoding"]["x"]["axis"]["values"]
    assert 2 <= len(ticks) <= 15
    apart = [b - a for a, b in pairwise(ticks)]
    assert min(apart) * 395 / 12_001 >= 30


def test_bars_of_one_minute_are_seen() -> None:
    """A rim as wide as the bars would wipe them out."""
    spec = figure("infusion_durations", histogram(bins(*[20] * 690, width=1))).spec
    picture = Image.open(io.BytesIO(charts.picture(spec))).convert("RGB")
    shades = picture.getcolors(1_000_000)
    blue = sum(n for n, (red, _, shade) in shades if shade > red + 80)
    assert blue > 0.2 * picture.width * picture.height
    rims = {row["rim"] for row in spec["data"]["values"] if "rim" in row}
    assert rims == {0}
    wide = figure("infusion_durations", CASES["infusion_durations"]["usual"]).spec
    assert {row["rim"] for row in wide["data"]["values"] if "rim" in row} == {1}


def test_a_range_without_an_end_is_said_and_drawn() -> None:
    table = histogram(bins(5, 20, 40, open_end=True), chosen=(31, None))
    spec = figure("infusion_durations", table).spec
    assert "31 min or more chosen" in spec["description"]
    assert [row["kind"] for row in spec["data"]["values"] if "x2" in row] == [
        "outside", "outside", "open",
    ]  # fmt: skip
    late = figure(
        "infusion_durations", histogram(bins(5, 20, 40, open_end=True), chosen=(900, None))
    )
    assert [row["kind"] for row in late.spec["data"]["values"] if "x2" in row][-1] == "open"
    fine = figure("infusion_durations", histogram(bins(*[20] * 690, width=1, open_end=True))).spec
    (wide,) = [row["x2"] - row["x"] for row in fine["data"]["values"] if row["kind"] == "open"]
    assert wide * 395 / fine["encoding"]["x"]["scale"]["domain"][1] >= 5.9
    rows = ranges(("a", 30, 100), ("b", 10, 200))
    table = charts.encounters_in_range_table(rows, from_min=691, to_min=None, by="ward")
    told = figure("encounters_in_range", table).spec["description"]
    assert told.startswith("40 encounters last 691 min or more")


def test_neither_a_few_inside_a_range_nor_a_few_outside_are_published() -> None:
    # Ward b has 3 in the range, ward c has 2 outside of it; others would be told by subtraction.
    rows = ranges(("c", 98, 100), ("a", 30, 100), ("d", 25, 90), ("b", 3, 50), ("e", 40, 80))
    shown = figure("encounters_in_range", in_range(rows))
    kept = withhold_small_cells(shown.table, shown.cells).filter(kind="group")
    hidden = kept.filter(pl.col("encounters").is_null())["group"].to_list()
    assert {"b", "c"} <= set(hidden)
    for column in ("encounters", "outside"):
        assert not kept[column].is_between(1, 10).any()
    assert kept.filter(pl.col("encounters").is_null())["of"].null_count() == len(hidden)
    many = figure("encounters_in_range", CASES["encounters_in_range"]["forty"])
    few = many.table.with_columns(encounters=pl.when(kind="others").then(3).otherwise("encounters"))
    assert withhold_small_cells(few, many.cells).filter(kind="others")["encounters"].item() is None


def test_the_others_do_not_set_the_scale() -> None:
    spec = figure("encounters_in_range", CASES["encounters_in_range"]["forty"]).spec
    bars = [row["x2"] - row["x"] for row in spec["data"]["values"] if row["kind"] == "bar"]
    # Ward 00 has 100 encounters, ward 11 has 89.
    assert len(bars) == 12
    assert bars[-1] / bars[0] == pytest.approx(0.89)
    assert bars[0] == max(bars) > 150
    told = [row["label"] for row in spec["data"]["values"] if row["kind"] == "told"]
    assert told[-1] == "2,086 (7.45 %)"
    assert "the others only as a number" in spec["description"]
    few = figure("encounters_in_range", CASES["encounters_in_range"]["usual"]).spec
    assert "the others" not in few["description"]


def months(n: int) -> pl.DataFrame:
    """Months with 13 encounters of the range each; none in the second, 40 in the last but one."""
    names = [f"{2024 + at // 12}-{at % 12 + 1:02}" for at in range(n)]
    rows = [(name, {1: 0, n - 2: 40}.get(at, 13), 50) for at, name in enumerate(names)]
    return ranges(*sorted(rows, key=lambda row: -row[1]))


@pytest.mark.parametrize(("n", "first", "others"), [(24, "2024-01", 0), (25, "2024-02", 1)])
def test_groups_in_an_order_of_their_own_keep_it(n: int, first: str, others: int) -> None:
    table = in_range(months(n), ordered=True)
    names = table.filter(kind="group")["group"].to_list()
    assert names == sorted(names)
    assert (names[0], len(names)) == (first, 24)
    assert table.filter(kind="others").height == others
    assert table.filter(kind="group", group="2024-02")["encounters"].item() == 0
    # All but two have 13: 22 or 23 of them, and 40.
    total = 13 * (n - 2) + 40
    told = figure("encounters_in_range", table).spec["description"]
    assert told.startswith(f"{total} encounters last 86 to 90 min; the most, ")
    assert f"are of “{names[-2]}”" in told


def test_months_without_any_such_encounter_are_none() -> None:
    table = in_range(ranges(("2025-01", 0, 9), ("2025-02", 0, 8)), ordered=True)
    told = figure("encounters_in_range", table).spec["title"]["text"]
    assert told == ["No coded encounter lasts that long"]


@pytest.mark.parametrize(
    ("gone", "says"),
    [
        # 16 to 90 min and less: 5 + 20 + 40 + 30 + 20 + 15 = 130 of 183; from 91 min on 53.
        ([], "29 % of infusions reach a further hour (91 min)"),
        ([6, 7], "29 % of infusions reach a further hour (91 min)"),
        ([0, 5], "29 % of infusions reach a further hour (91 min)"),
        ([0, 6], ""),
    ],
)
def test_a_share_is_told_where_one_side_of_the_step_is_known(gone: list[int], says: str) -> None:
    shown = bins(5, 20, 40, 30, 20, 15, 12, 11, 30).with_row_index("at")
    lost = shown.with_columns(
        pl.when(~pl.col("at").is_in(gone)).then(pl.col(name)).alias(name)
        for name in ("encounters", "share")
    )
    told = figure("infusion_durations", histogram(lost)).spec["description"]
    usual = "the most usual length is 31–45 min"
    assert told.startswith(f"{says}; {usual}" if says else usual.capitalize())


def test_no_share_is_told_where_a_bin_lies_across_the_step() -> None:
    # Bins from 0, 61 and 121 min: the second one holds 91 min.
    table = histogram(bins(30, 20, 10, width=60))
    told = figure("infusion_durations", table).spec["description"]
    assert told.startswith("The most usual length is 0–60 min.")


def test_medians_and_ends_of_lines_stand_above_the_lines() -> None:
    frame = quantiles(("a", 50, 60), ("b", 40, 120)).with_columns(p95_min=pl.Series([80, 1110]))
    spec = figure("durations_by_group", by_group(frame)).spec
    rows = spec["data"]["values"]
    lines = {row["y"] for row in rows if row["kind"] == "line"}
    texts = [row for row in rows if row["kind"] in ("told", "beyond")]
    assert sorted(row["label"] for row in texts) == ["60", "to 1,110"]
    for row in texts:
        assert min(abs(row["y"] - y) for y in lines) >= 2
    for layer in spec["layer"]:
        if any(kind in json.dumps(layer["transform"]) for kind in ("told", "beyond")):
            assert layer["mark"]["baseline"] == "bottom"


def lines_of(caption: str) -> list[str]:
    told = figure("infusion_durations", histogram(bins(5, 20), caption=caption)).spec
    return told["title"]["subtitle"][1:]


@pytest.mark.parametrize("lead", range(20, 60))
def test_what_belongs_together_stays_on_a_line(lead: int) -> None:
    words = f"{'x' * lead} · Nov 2024 to Oct 2026 · rules of 2024 to 2026"
    told = lines_of(f"{words} · as handed in")
    for part in ("Nov 2024", "Oct 2026", "2024 to 2026"):
        assert any(part in line for line in told), told
    assert not any(line.startswith("·") or line.endswith("·") for line in told)


def test_a_star_stands_beside_what_it_means() -> None:
    table = histogram(bins(5, 20, 40, 30, 20, 15, 12, 11, 30), chosen=(76, 90))
    shown = figure("infusion_durations", table)
    spec = shown.of(withhold_small_cells(table, shown.cells)).spec
    assert any("∗ fewer than" in line for line in spec["title"]["subtitle"])
