"""How numbers and texts of any length are worded so that they fit on a chart."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

_TITLE_PX, _SUBTITLE_PX, _LABEL_PX = 16, 13, 13
_WIDTH_PX, _MOST_LINES = 460, 3
#: What stays on one line: a word, with the number before it.
_WORDS = re.compile(r"(?:[×(]?\d[\d.,]* )?\S+")
_NARROW, _BROAD = set("fijlrtI.,:;'|!()[]/ "), set("mwMW%@…—")

#: Changes that leave numbers and lines out of the axes of a chart that has no data.
NO_SCALES = {
    f"encoding/{way}/axis/{part}": False for way in "xy" for part in ("labels", "grid", "ticks")
}


def headline(title: str, subtitle: str, spoken: str = "") -> dict[str, object]:
    """Title, subtitle and description of a chart 460 px wide, as changes for ``filled``.

    A title or subtitle too long for one line becomes a list of lines; the description holds
    both whole, and after them the numbers of the chart.
    """
    return {
        "title/text": lines(title, font_px=_TITLE_PX),
        "title/subtitle": lines(subtitle, font_px=_SUBTITLE_PX),
        "description": " ".join(f"{part}." for part in (title, subtitle, spoken) if part),
    }


def text_px(text: str, *, font_px: float = _LABEL_PX) -> float:
    """About how wide a text is drawn. [px]"""
    bold = 1.06 if font_px == _TITLE_PX else 1.0
    return bold * font_px * sum(map(_em, text))


def _em(char: str) -> float:
    if unicodedata.east_asian_width(char) in "WF":
        return 1.0
    if char in _NARROW:
        return 0.3
    return 0.86 if char in _BROAD else 0.68 if char.isupper() else 0.55


@lru_cache(maxsize=512)
def lines(text: str, *, font_px: float, width_px: float = _WIDTH_PX) -> str | list[str]:
    """A text as it fits a width: itself, or at most three even lines, the last one cut."""
    told = _WORDS.findall(" ".join(text.split()))
    words = [piece for word in told for piece in _pieces(word, font_px, width_px)]
    widths = [text_px(word, font_px=font_px) for word in words]
    space = text_px(" ", font_px=font_px)
    done = _filled_lines(widths, space, width_px)
    if len(done) == 1:
        return " ".join(words)
    even = (width_px * share / 20 for share in range(10, 21))
    narrower = (_filled_lines(widths, space, width) for width in even)
    done = next(breaks for breaks in narrower if len(breaks) <= len(done))
    told = [" ".join(words[first:last]) for first, last in done]
    if len(told) > _MOST_LINES:
        rest = " ".join(told[_MOST_LINES - 1 :])
        told[_MOST_LINES - 1 :] = [shortened(rest, width_px=width_px, font_px=font_px)]
    return told


def _filled_lines(widths: list[float], space: float, width_px: float) -> list[tuple[int, int]]:
    """First word of each line and the one after its last, each line as full as can be."""
    breaks, first, used = [], 0, 0.0
    for at, width in enumerate(widths):
        if at > first and used + space + width > width_px:
            breaks.append((first, at))
            first, used = at, width
        else:
            used += width + space * (at > first)
    return [*breaks, (first, len(widths))]


def _pieces(word: str, font_px: float, width_px: float) -> Iterator[str]:
    """A word, in pieces where it is wider than a line."""
    while text_px(word, font_px=font_px) > width_px:
        piece = shortened(word, width_px=width_px, font_px=font_px, mark="")
        yield piece
        word = word[len(piece) :]
    yield word


def shortened(text: str, *, width_px: float, font_px: float = _LABEL_PX, mark: str = "…") -> str:
    """As much of a text as a width holds, and a mark where something is left out."""
    if text_px(text, font_px=font_px) <= width_px:
        return text
    room, kept = width_px - text_px(mark, font_px=font_px), 0
    while kept < len(text) and text_px(text[: kept + 1], font_px=font_px) <= room:
        kept += 1
    return text[: max(kept, 1)].rstrip() + mark


def amount(value: float, *, digits: int = 4) -> str:
    """A number to some digits, never with an exponent: 48, 27.43, 17,280."""
    rounded = float(f"{value:.{digits}g}")
    return f"{rounded:,.0f}" if rounded.is_integer() else f"{rounded:,.6g}"


def count(number: int, noun: str) -> str:
    """A number of things: 1 site, 4 sites."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def range_words(ends: dict) -> str:
    """A range of minutes, by its ``from_min`` and ``to_min``: 76 to 90 min, 691 min or more."""
    if ends["to_min"] is None:
        return f"{ends['from_min']:,} min or more"
    return f"{ends['from_min']:,} to {ends['to_min']:,} min"


def lasting(minutes: float) -> str:
    """A length of time: minutes up to ten hours, then hours as well."""
    told = f"{amount(minutes)} min"
    return told if minutes < 600 else f"{told} ({amount(minutes / 60)} h)"


def listed(numbers: Iterable[int]) -> str:
    """Whole numbers in few words: 4, 1 and 2, 2 and 4 to 8."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    told = [
        part
        for run in runs
        for part in ([f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run))
    ]
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)
