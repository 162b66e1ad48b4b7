"""The look of charts: colours for colour-blind readers, contrast of texts, one theme on request."""

import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest

alt = pytest.importorskip("altair", reason="the notebook extra is not installed")
colorspacious = pytest.importorskip("colorspacious")

from subq_toolkit.charts import look  # noqa: E402
from subq_toolkit.charts.look import BLUE, GREEN, INK, LOOK, PURPLE, QUIET, VERMILLION  # noqa: E402

PALETTE = {"blue": BLUE, "vermillion": VERMILLION, "green": GREEN, "purple": PURPLE}
SEEN_BY = ["normal", "protanomaly", "deuteranomaly", "tritanomaly"]
#: Smallest distance at which two colours are told apart at a glance, in CIELAB.
APART = 15
#: WCAG 2.2, contrast of texts at level AA.
CONTRAST = 4.5


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255


def seen(colour: str, by: str) -> np.ndarray:
    """A colour in CIELAB as a reader sees who lacks one kind of cone altogether."""
    if by == "normal":
        return colorspacious.cspace_convert(rgb(colour), "sRGB1", "CIELab")
    lacking = {"name": "sRGB1+CVD", "cvd_type": by, "severity": 100}
    simulated = colorspacious.cspace_convert(rgb(colour), lacking, "sRGB1")
    return colorspacious.cspace_convert(np.clip(simulated, 0, 1), "sRGB1", "CIELab")


@pytest.mark.parametrize("by", SEEN_BY)
@pytest.mark.parametrize("pair", list(combinations(PALETTE, 2)), ids="-".join)
def test_two_colours_are_told_apart_by_everyone(pair: tuple, by: str) -> None:
    one, other = (seen(PALETTE[name], by) for name in pair)
    assert np.linalg.norm(one - other) >= APART


@pytest.mark.parametrize("by", SEEN_BY)
@pytest.mark.parametrize("name", PALETTE)
def test_every_colour_stands_out_from_the_page(name: str, by: str) -> None:
    assert np.linalg.norm(seen(PALETTE[name], by) - seen("#ffffff", by)) >= 2 * APART


def test_red_and_green_of_a_usual_palette_would_fail() -> None:
    """The test can fail: so it does for a red and a green that many charts are drawn in."""
    one, other = (seen(colour, "deuteranomaly") for colour in ("#54a24b", "#b5893d"))
    assert np.linalg.norm(one - other) < APART


def luminance(colour: str) -> float:
    parts = rgb(colour)
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str = "#ffffff") -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_reckoned_as_in_the_standard() -> None:
    assert contrast("#000000") == pytest.approx(21)
    assert contrast("#767676") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("ink", [INK, QUIET])
def test_texts_are_readable_on_the_page(ink: str) -> None:
    assert contrast(ink) >= CONTRAST


def test_texts_of_the_theme_have_a_readable_colour() -> None:
    def colours(part: dict) -> list[str]:
        own = [
            value
            for key, value in part.items()
            if isinstance(value, str) and key in ("color", "labelColor", "titleColor",
                                                  "subtitleColor")
        ]  # fmt: skip
        return own + [
            c for value in part.values() if isinstance(value, dict) for c in colours(value)
        ]

    found = colours(LOOK)
    assert len(found) >= 5
    assert min(map(contrast, found)) >= CONTRAST


def test_fonts_are_those_that_come_with_every_desktop() -> None:
    named = [font.strip().strip("'") for font in LOOK["font"].split(",")]
    assert {"Segoe UI", "Helvetica Neue", "Arial", "Liberation Sans"} <= set(named)
    assert named[-1] == "sans-serif"


def test_the_theme_is_registered_on_request_only() -> None:
    code = (
        "import altair as alt, subq_toolkit.charts as charts; before = alt.theme.active; "
        "charts.register_look(); "
        "spec = alt.Chart(alt.Data(values=[])).mark_bar().to_dict(); "
        "print(before, alt.theme.active, spec['config']['title']['color'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["default", "subq_toolkit", look.INK]
