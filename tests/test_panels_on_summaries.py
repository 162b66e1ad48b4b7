"""Panels opened on a minute summary: the same charts as on the encounters, and no encounter."""

from datetime import date

import polars as pl
import pytest

import subq_toolkit as sq
from subq_toolkit.panels import DurationPanel, RulePanel, ScenarioPanel, UnitPanel
from subq_toolkit.scenarios import (
    MinuteSummary,
    Scenario,
    expected,
    minute_summary,
    read_minute_summary,
    write_minute_summary,
)

BY = ["month", "week", "rounding", "payer", "department", "pumps"]
ALONE = "This looks at single encounters, and the panel was opened on their summary"


@pytest.fixture(scope="module")
def coded() -> sq.Coded:
    return sq.code_administrations(sq.sample_administrations())


@pytest.fixture(scope="module")
def summary(coded: sq.Coded) -> MinuteSummary:
    return minute_summary(coded, by=BY)


def drawn(panel, tab: str) -> list[dict]:
    panel.show_tab(tab)
    return [chart.spec for chart in panel.parts[tab].charts]


@pytest.mark.parametrize("kind", [DurationPanel, UnitPanel])
def test_the_charts_are_those_of_the_encounters(
    kind: type, coded: sq.Coded, summary: MinuteSummary
) -> None:
    told, held = kind(summary), kind(coded)
    assert list(told.work.groups) == ["department", "payer", "month", "pumps"]
    same = []
    for panel in (told, held):
        panel.entries["by"].value = "payer"
    for only in ("", "Medicaid"):
        for panel in (told, held):
            panel.entries["only"].value = only
        for tab in told.parts:
            ours = drawn(told, tab)
            if ALONE in told.parts[tab].page.value:
                assert told.parts[tab].figures == ()
                continue
            assert ours == drawn(held, tab), tab
            same.append(tab)
    expected_tabs = {
        DurationPanel: ["Distribution", "By group", "Near a step", "Over time"],
        UnitPanel: ["Units by group", "Other steps", "Month to month"],
    }
    assert same == expected_tabs[kind] * 2


def test_single_encounters_are_asked_for_with_what_to_do(summary: MinuteSummary) -> None:
    panel = DurationPanel(summary)
    panel.show_tab("Charted times")
    assert ALONE in panel.parts["Charted times"].page.value
    with pytest.raises(sq.InputError, match="Open it on what code_administrations returned"):
        panel.selected()
    rules = RulePanel(summary)
    assert len(rules.figures()) == 1
    rules.show_tab("Where sources disagree")
    assert ALONE in rules.parts["Where sources disagree"].page.value


def test_a_summary_without_months_is_refused(summary: MinuteSummary) -> None:
    with pytest.raises(sq.InputError, match=r"minute_summary\(coded, by=\['month'\]\)"):
        DurationPanel(summary.only("payer"))


def test_a_panel_opens_on_a_file(summary: MinuteSummary, tmp_path) -> None:
    path = write_minute_summary(summary, tmp_path / "years.parquet")
    panel = DurationPanel(read_minute_summary(path), source="our years")
    assert "our years" in str(drawn(panel, "Distribution")[0]["title"])


@pytest.mark.parametrize(
    ("kind", "tab", "entry", "values"),
    [
        (DurationPanel, "Distribution", "range_min", [(30, 60), (31, 61)]),
        (DurationPanel, "Near a step", "within_min", [3, 7]),
        (UnitPanel, "Other steps", "at_least_min", [10, 31]),
        (UnitPanel, "Other steps", "more_than_min", [10, 20]),
    ],
)
def test_a_moved_slider_looks_at_no_encounter(
    kind: type, tab: str, entry: str, values: list, coded: sq.Coded
) -> None:
    panel = kind(coded)
    drawn(panel, tab)
    panel.work._coded = panel.work._held = None
    seen = []
    for value in values:
        panel.entries[entry].value = value
        assert panel.parts[tab].figures
        seen.append(drawn(panel, tab))
    assert seen[0] != seen[1]


def test_what_looks_at_encounters_is_found_out_once(coded: sq.Coded) -> None:
    panel = UnitPanel(coded)
    before = drawn(panel, "Documentation")
    panel.work._coded = None
    panel.entries["by"].value = "payer"
    assert drawn(panel, "Documentation") == before
    assert panel.parts["Documentation"].figures


def test_the_scenario_panel_keeps_no_more_than_payers(summary: MinuteSummary) -> None:
    panel = ScenarioPanel(summary)
    assert panel.summary.by == ("payer",)
    assert panel.summary.encounters == 4_993
    of_payers = ScenarioPanel(summary.only("payer"))
    assert panel.data().equals(of_payers.data())


# --- sums that are kept --------------------------------------------------------------------------


def counted(*rows: tuple, **more: object) -> MinuteSummary:
    """Rows of (first day of the period, minutes, encounters)."""
    usual = {"setup": False, "outcome": "coded", "place": "office"} | more
    frame = pl.DataFrame(
        [{"period": day, "minutes": m, "encounters": n} | usual for day, m, n in rows]
    )
    return MinuteSummary(frame)


def test_periods_of_one_day_of_prices_count_together_by_the_rules_of_each() -> None:
    spring = date(2026, 3, 2)
    days = [date(2025, 1, 1), date(2025, 10, 1), date(2026, 1, 1)]
    work = counted(*[(day, 91, 2) for day in days])
    told = dict(expected(work, Scenario("base", on=spring)).select("code", "units").rows())
    assert told == {"96369": 6.0, "96370": 6.0}
    capped = Scenario("capped", on=spring, unit_cap="unlikely_edit", shift_min=300)
    # 391 min: six further hours, five and a half past the first; the edit stops at 3.
    told = dict(expected(work, capped).select("code", "units").rows())
    assert told == {"96369": 6.0, "96370": 18.0}


def test_shares_scale_what_was_kept() -> None:
    spring = date(2026, 3, 2)
    work = counted((spring, 60, 10))
    for share, units, usd in ((0.2, 2.0, "112.90"), (0.4, 4.0, "225.80"), (0.0, 0.0, "0")):
        one = Scenario("more", on=spring, further_setup_share=share)
        found = {row["code"]: row for row in expected(work, one).rows(named=True)}
        # 56.45 each; ten first hours at 144.96 stay as they are
        assert str(found["96369"]["expected_usd"]) == "1449.60"
        if share:
            assert found["96371"]["units"] == units
            assert str(found["96371"]["expected_usd"]) == usd
        else:
            assert "96371" not in found
    for denied, usd in ((0.1, "1304.64"), (0.25, "1087.20")):
        cells = expected(work, Scenario("denied", on=spring, denial_rate=denied))
        assert str(cells["expected_usd"][0]) == usd
