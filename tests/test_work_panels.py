"""The panels of durations, units and rules, driven by setting values as a browser does."""

from datetime import date, datetime, timedelta

import polars as pl
import pytest

import subq_toolkit as sq

panels = pytest.importorskip("subq_toolkit.panels", reason="the notebook extra is not installed")

from subq_toolkit.charts.captions import coded_of  # noqa: E402
from subq_toolkit.panels import tabbed_panel  # noqa: E402
from subq_toolkit.panels.duration_panel import DurationState  # noqa: E402
from subq_toolkit.panels.unit_panel import UnitState  # noqa: E402
from subq_toolkit.publish import publish  # noqa: E402

KINDS = {
    "durations": panels.DurationPanel,
    "units": panels.UnitPanel,
    "rules": panels.RulePanel,
}
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def coded() -> sq.Coded:
    return sq.code_administrations(sq.sample_administrations())


@pytest.fixture
def panel(coded):
    return panels.DurationPanel(coded, source="invented sample export")


def runs(n: int, **more) -> pl.DataFrame:
    """So many encounters of 60, 61, 62 ... minutes on days in a row."""
    begins = [datetime(2026, 3, 2, 9) + timedelta(days=at) for at in range(n)]
    given = {
        "encounter_id": [f"E{at}" for at in range(n)],
        "start_at": begins,
        "stop_at": [begin + timedelta(minutes=60 + at) for at, begin in enumerate(begins)],
    }
    types = {"encounter_id": pl.String, "start_at": pl.Datetime, "stop_at": pl.Datetime}
    return pl.DataFrame(given | more, schema_overrides=types)


def titles(panel) -> list[str]:
    told = [figure.spec["title"]["text"] for figure in panel.figures()]
    return [one if isinstance(one, str) else " ".join(one) for one in told]


@pytest.mark.parametrize("kind", KINDS)
def test_every_tab_of_every_panel_answers(kind: str, coded: sq.Coded) -> None:
    panel = KINDS[kind](coded, source="invented sample export")
    for name, view in panel._views.items():
        panel.show_tab(name)
        assert len(panel.figures()) == view.charts, name
        for chart, figure in zip(panel.parts[name].charts, panel.figures(), strict=True):
            assert chart.spec == figure.spec
            assert "invented sample export" in figure.spec["description"] or kind == "rules"
        assert "sq-note" not in panel.parts[name].page.value
        assert repr(panel).startswith(f"{type(panel).__name__}: {name}\n")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "frame",
    [
        runs(0),
        runs(1),
        runs(1, stop_at=[None]),
        runs(3, ward=[MARKUP, None, "左大腿の長い名前 " * 9]),
        runs(3, payer=[None, None, None]),
        runs(60, department=[f"ward {at}" for at in range(60)]),
    ],
    ids=["empty", "one row", "no stop", "awkward names", "all null", "sixty groups"],
)
def test_every_panel_takes_any_frame(kind: str, frame: pl.DataFrame) -> None:
    panel = KINDS[kind](frame)
    for name in panel._views:
        panel.show_tab(name)
        for chart in panel.parts[name].charts:
            assert chart.spec is None or chart.spec["description"]
        assert MARKUP not in panel.parts[name].page.value
    for by in getattr(panel.work, "groups", {}):
        if "by" in panel.entries:
            panel.entries["by"].value = by
    assert "please report it" not in "".join(
        page.value for page in (part.page for part in panel.parts.values())
    )


def test_a_lazy_frame_is_taken_and_a_stranger_refused(coded: sq.Coded) -> None:
    assert panels.UnitPanel(runs(3).lazy(), facility_zone="America/Chicago").figures()
    with pytest.raises(sq.InputError, match=r"takes a table of charted runs.*this is a dict"):
        panels.DurationPanel({})


def test_another_group_is_another_chart(panel) -> None:
    panel.show_tab("By group")
    assert "levetiracetam" in titles(panel)[0]
    panel.entries["by"].value = "department"
    assert "levetiracetam" not in titles(panel)[0]
    assert panel.entries["only"].options[1] == ("Emergency Department", "Emergency Department")


def test_one_group_alone_and_its_encounters_in_code(panel) -> None:
    panel.entries["by"].value = "department"
    panel.entries["only"].value = "Treatment Room"
    panel.entries["range_min"].value = (86, 90)
    found = panel.selected().collect()
    assert set(found["department"]) == {"Treatment Room"}
    assert found["infusion_min"].is_between(86, 90).all()
    assert titles(panel)[1].startswith(f"{found.height} encounters last 86 to 90 min")


@pytest.mark.parametrize("by", ["month", "pumps", "setting"])
def test_groups_that_are_no_texts_are_found_again_in_code(panel, by: str) -> None:
    panel.entries["by"].value = by
    panel.entries["only"].value = panel.entries["only"].options[1][1]
    panel.entries["range_min"].value = (0, panel.entries["range_min"].max)
    in_range = panel.figures()[1].table.filter(pl.col("kind") == "group")
    assert panel.selected().collect().height == in_range["encounters"].sum() > 0


def test_a_range_dragged_over_the_histogram_is_the_range(panel) -> None:
    chart = panel.parts["Distribution"].charts[0]
    chart._vl_selections = {"minutes": {"value": {"x": [90.6, 30.2]}, "store": []}}
    assert panel.state.range_min == (30, 91)
    assert "last 30 to 91 min" in titles(panel)[1]
    assert "30 to 91 min chosen" in chart.spec["description"]
    chart._vl_selections = {"minutes": {"value": {}, "store": []}}
    assert panel.state.range_min == (30, 91)


def test_the_last_minute_stands_for_all_longer_ones(panel) -> None:
    slider = panel.entries["range_min"]
    assert slider.max == 691
    slider.value = (691, 691)
    # The open bin of the histogram and the bar of the range are the same encounters.
    open_bin = panel.figures()[0].table.filter(kind="bin")["encounters"][-1]
    assert panel.selected().collect().height == open_bin == 84
    assert titles(panel)[1].startswith("84 encounters last 691 min or more")
    slider.value = (0, 691)
    assert panel.selected().collect().height == 4297


def test_a_chart_of_one_group_says_so_and_one_of_all_too(coded: sq.Coded) -> None:
    for kind in (panels.DurationPanel, panels.UnitPanel):
        panel = kind(coded, source="our export")
        panel.entries["by"].value = "payer"
        panel.entries["only"].value = "Self-pay"
        for name in panel._views:
            panel.show_tab(name)
            for figure in panel.figures():
                told = figure.spec["description"]
                whole = name in ("Charted times", "Other policies", "Documentation")
                says = "our export; all groups" if whole else "our export; only payer: Self-pay"
                assert says in told, figure.name


def test_columns_without_a_value_are_no_groups() -> None:
    panel = panels.DurationPanel(runs(3, ward=[" ", "", None], unit=["a", " ", None]))
    assert list(panel.work.groups) == ["month", "pumps", "unit"]
    panel.entries["by"].value = "unit"
    assert panel.entries["only"].options == (("all", ""), ("a", "a"))


def test_a_group_with_few_coded_encounters_is_not_published(tmp_path) -> None:
    few = runs(20, ward=["a"] * 20).with_columns(
        stop_at=pl.when(pl.int_range(pl.len()) < 4).then("stop_at")
    )
    panel = panels.DurationPanel(few)
    with pytest.raises(sq.InputError, match=r"4 encounters|fewer than 11"):
        publish(panel, tmp_path / "few.pptx")


def test_a_view_is_answered_only_when_it_is_opened(panel) -> None:
    assert panel.parts["Over time"].charts == ()
    panel.show_tab("Over time")
    drawn = panel.parts["Over time"].charts[0].spec
    panel.entries["within_min"].value = 5
    assert panel.parts["Over time"].charts[0].spec is drawn
    with pytest.raises(sq.InputError, match="There is no tab 'Money'; there are Distribution"):
        panel.show_tab("Money")


def test_reset_and_state(panel, coded: sq.Coded) -> None:
    panel.entries["by"].value = "payer"
    panel.entries["only"].value = "Medicare"
    state = panel.state
    assert (state.by, state.only) == ("payer", "Medicare")
    other = panels.DurationPanel(coded, state=state)
    assert other.state == state
    panel.reset_button.click()
    assert panel.state == DurationState(by="therapy")
    with pytest.raises(sq.InputError, match="under 'by' that ‘Groups’ does not offer"):
        panel.set(DurationState(by="ward"))


def test_work_shows_a_sign_while_it_lasts(panel, monkeypatch) -> None:
    seen = []
    view = panel._views["Over time"]

    def answer(asked):
        seen.append("sq-busy" in panel._dom_classes)
        return view.answer(asked)

    busy_view = tabbed_panel.View(view.charts, view.entries, answer)
    monkeypatch.setitem(panel._views, "Over time", busy_view)
    panel.show_tab("Over time")
    assert seen == [True]
    assert "sq-busy" not in panel._dom_classes


def test_a_fault_leaves_nothing_old_on_the_page(panel, monkeypatch) -> None:
    view = panel._views["Near a step"]

    def answer(_asked):
        raise ZeroDivisionError

    broken = tabbed_panel.View(view.charts, view.entries, answer)
    monkeypatch.setitem(panel._views, "Near a step", broken)
    with pytest.raises(ZeroDivisionError):
        panel.show_tab("Near a step")
    assert "A fault (ZeroDivisionError); please report it." in panel.parts["Near a step"].page.value
    assert panel.figures() == []


def test_other_steps_are_a_what_if(coded: sq.Coded) -> None:
    panel = panels.UnitPanel(coded)
    assert (panel.state.at_least_min, panel.state.more_than_min) == (16, 30)
    panel.show_tab("Other steps")
    same = titles(panel)[0]
    panel.entries["at_least_min"].value = 31
    assert titles(panel)[0] != same
    panel.reset()
    assert titles(panel)[0] == same
    moved = panels.UnitPanel(coded, state=UnitState(at_least_min=20)).state
    assert (moved.by, moved.at_least_min, moved.more_than_min) == ("therapy", 20, 30)


def test_policies_are_tried_once_and_progress_is_told(coded: sq.Coded) -> None:
    panel, told = panels.UnitPanel(coded), []
    panel.progress.observe(lambda change: told.append(change["new"]), names="value")
    panel.show_tab("Other policies")
    assert any("1 of " in one for one in told)
    assert panel.progress.value == ""
    first = panel.work.policy_effects()
    panel.entries["by"].value = "payer"
    assert panel.work.policy_effects() is first


def test_numbers_are_searched_by_words(coded: sq.Coded) -> None:
    panel = panels.RulePanel(coded)
    assert panel.state.on == str(date.today())
    every = panel.numbers().height
    panel.entries["search"].value = "96370 further"
    some = panel.numbers()
    assert 0 < some.height < every
    panel.entries["standing"].value = "unverified"
    assert set(panel.numbers()["standing"]) <= {"unverified"}
    panel.entries["search"].value = MARKUP
    assert panel.numbers().is_empty()
    panel.entries["on"].value = "someday"
    assert "Type the day as 2026-03-02." in panel.parts["Numbers"].page.value
    panel.entries["on"].value = "2030-01-01"
    panel.entries["search"].value, panel.entries["standing"].value = "", ""
    panel.entries["only"].value = "due for review"
    assert panel.numbers()["due"].all()


def test_a_panel_saves_what_it_shows(panel, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    row = panel.save_row
    row.button.click()
    assert "Saved: infusion_durations.pptx" in row.said.value
    assert (tmp_path / "infusion_durations.pptx").stat().st_size > 10_000
    for name in ("", "../up", "a/b", "c:d"):
        row.name.value = name
        row.button.click()
        assert "Type a plain file name" in row.said.value
    row.name.value, row.kind.value = MARKUP.replace("<", "").replace(">", ""), ".svg"
    row.button.click()
    assert "<img" not in row.said.value
    assert sorted(path.suffix for path in tmp_path.iterdir())[0] == ".pptx"


@pytest.mark.parametrize(
    ("coded", "all_", "says"),
    [
        (0, 0, "0 of 0 encounters coded"),
        (1, 1, "1 of 1 encounter coded"),
        (40, 40, "40 of 40 encounters coded"),
        # Ten that are not coded would be given away by their difference; eleven may be told.
        (30, 31, "30 encounters coded"),
        (30, 40, "30 encounters coded"),
        (30, 41, "30 of 41 encounters coded"),
    ],
)
def test_a_caption_gives_no_few_away(coded: int, all_: int, says: str) -> None:
    assert coded_of(coded, all_) == says
