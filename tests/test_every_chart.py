"""Every chart of the package as its panel draws it from the sample: drawn, told and readable."""

from functools import cache

import pytest

import subq_toolkit as sq

charts = pytest.importorskip("subq_toolkit.charts", reason="the notebook extra is not installed")
panels = pytest.importorskip("subq_toolkit.panels")

from subq_toolkit.charts.figure import Figure  # noqa: E402
from subq_toolkit.panels import scenario_views  # noqa: E402
from subq_toolkit.small_cells import withhold_small_cells  # noqa: E402

PNG = b"\x89PNG\r\n\x1a\n"
NAMES = sorted(
    name.removesuffix("_table")
    for name in charts.__all__
    if name.endswith("_table") and name != "chart_table"
)
#: WCAG 2.2, level AA.
CONTRAST = 4.5
#: Charts of one person: published only on request.
OF_ONE = {"timeline", "staircase"}


@cache
def figures() -> dict[str, Figure]:
    """The figures of every tab of every panel, by the name of the chart."""
    coded = sq.code_administrations(sq.sample_administrations())
    found = [*panels.CodingCalculator().figures(), *panels.DosePlanner().figures()]
    for kind in (panels.DurationPanel, panels.UnitPanel, panels.RulePanel):
        panel = kind(coded)
        for place in range(len(panel.tabs.children)):
            panel.tabs.selected_index = place
            found += panel.figures()
    audit = panels.AuditPanel()
    for name in audit.parts:
        audit.show_tab(name)
        found += audit.figures()
    scenario = panels.ScenarioPanel(coded)
    scenario.asked["charges"].value = "96369=500; 96370=150"
    for place in range(len(scenario_views.VIEWS)):
        scenario.tabs.selected_index = place
        found += scenario.figures()
    return {figure.name: figure for figure in found}


def test_every_chart_has_its_panel() -> None:
    assert sorted(figures()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_it_is_drawn_from_the_sample_and_told_in_words(name: str) -> None:
    figure = figures()[name]
    spec = figure.spec
    assert charts.picture(spec).startswith(PNG)
    assert 1 <= len(spec["data"]["values"]) <= 5_000
    assert len(spec["description"]) > 60
    assert any(digit in spec["description"] for digit in "0123456789")
    assert getattr(charts, name)(figure.table).to_dict()["description"] == spec["description"]
    assert figure.sources


@pytest.mark.parametrize("name", NAMES)
def test_it_is_drawn_without_the_small_counts(name: str) -> None:
    figure = figures()[name]
    kept = withhold_small_cells(figure.table, figure.cells)
    assert charts.picture(figure.of(kept).spec).startswith(PNG)
    assert kept.height == figure.table.height


@pytest.mark.parametrize("name", NAMES)
def test_its_axes_say_their_unit(name: str) -> None:
    titles = [title for title in _axis_titles(figures()[name].spec) if title]
    assert titles
    told = ("[", "encounter", "of day", "Month")
    assert all(any(word in title for word in told) for title in titles), titles


def _axis_titles(spec: dict) -> list[str]:
    parts = [spec, *spec.get("layer", ())]
    found = []
    for part in parts:
        for way in ("x", "y"):
            channel = part.get("encoding", {}).get(way, {})
            axis = channel.get("axis") or {}
            found.append(axis.get("title") or channel.get("title") or "")
    return list(dict.fromkeys(found))


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", NAMES)
def test_its_texts_are_readable(name: str) -> None:
    for layer in figures()[name].spec["layer"]:
        mark = layer["mark"]
        if not isinstance(mark, dict) or mark["type"] != "text" or "stroke" in mark:
            continue
        colour = mark.get("color") or mark.get("fill")
        if isinstance(colour, str) and colour.startswith("#"):
            page = max(_contrast(colour, "#ffffff"), _contrast(colour, charts.look.BLUE))
            assert page >= CONTRAST, (name, colour)
