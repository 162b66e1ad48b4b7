"""How money is worded on charts, and what stands above a chart of money."""

import re
import unicodedata
from math import ceil, floor, log10

import polars as pl

from subq_toolkit.charts.wording import NO_SCALES, amount, lines, shortened

_UNITS = ((1e12, " T"), (1e9, " B"), (1e6, " M"))
_TITLE_PX, _SUBTITLE_PX, _NAME_PX = 16, 13, 190
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: A space between a number and its unit, two numbers of a range, a month and its year, or a star
#: and what it means; and what stands for it while lines are broken.
_UNIT = re.compile(
    r"(?<=\d) (?=[MBT%h]\b|%|min\b|to \d)|(?<=\d to) (?=\d)"
    r"|(?<=\b[A-Z][a-z]{2}) (?=\d{4}\b)|(?<=∗) "
)
_KEPT = "\ue000"
_SMALL_USD, _FEW_DIGITS_USD, _NOTHING_USD = 100, 10_000, 0.005
_LEAST_PERCENT = 0.001


def money(value: float, *, apart: float = 0.0) -> str:
    """An amount in few digits: $0.52, $1,234, $1.06 M; never with an exponent.

    Amounts that differ by ``apart`` [USD] are given as many digits as it takes to show it.
    """
    size, sign = abs(value), "−" if value < 0 else ""
    if size < _NOTHING_USD:
        return "$0"
    unit, letter = _unit(size)
    digits = 2 - min(max(floor(log10(size / unit)), 0), 2)
    needed = ceil(log10(unit / apart)) + 1 if apart > 0 else 0
    if unit == 1 or (needed > 3 and unit == 1e6):
        fine = 0 < apart < 1 or (size < _SMALL_USD and not float(size).is_integer())
        return f"{sign}${size:,.2f}" if fine else f"{sign}${size:,.0f}"
    return f"{sign}${size / unit:,.{max(digits, min(needed, 3))}f}{letter}"


def _unit(size: float) -> tuple[float, str]:
    """The unit in which an amount is told, and its letter."""
    told = float(f"{size:.6g}")
    return next(((unit, letter) for unit, letter in _UNITS if told >= unit), (1.0, ""))


def cents(value: float) -> str:
    """An amount to the cent: $1,084,304.41."""
    return f"{'−' if value <= -_NOTHING_USD else ''}${abs(value):,.2f}"


def fee(value: float) -> str:
    """A fee to the cent, from $10,000 on in few digits."""
    return cents(value) if abs(value) < _FEW_DIGITS_USD else money(value)


def signed(value: float) -> str:
    """A difference with its sign: +$1,234, −$1,234, ±$0."""
    if abs(value) < _NOTHING_USD:
        return "±$0"
    return f"{'+' if value > 0 else ''}{money(value)}"


def percent(share: float) -> str:
    """A share as a percentage, without its sign: 29.4 %; nothing below a thousandth of one."""
    told = abs(100 * share)
    return f"{amount(told if told >= _LEAST_PERCENT else 0.0, digits=3)} %"


def moved(share: float) -> str:
    """A relative change with its sign: +18.3 %, −11.9 %, ±0 %."""
    told = percent(share)
    return f"{'±' if told == '0 %' else '+' if share > 0 else '−'}{told}"


def change(value: float, base: float) -> str:
    """A difference, and how much of the base it is: −$318,287 (29.4 %)."""
    if abs(value) < _NOTHING_USD or abs(base) < _NOTHING_USD:
        return signed(value)
    return f"{signed(value)} ({percent(value / base)})"


def money_axis(low: float, high: float) -> str:
    """The expression by which an axis from ``low`` to ``high`` [USD] writes its labels."""
    top = max(abs(low), abs(high))
    unit, letter = _unit(top)
    digits = ".2f" if top < 10 else ",.6~f"
    letter = f" + (datum.value == 0 ? '' : '{letter}')" if letter else ""
    number = f"format(abs(datum.value) / {unit:.0f}, '{digits}')"
    return f"(datum.value < 0 ? '−$' : '$') + {number}{letter}"


def tally(number: int) -> str:
    """A number of things, in few digits from a million on: 4,297, 14.9 B."""
    return money(number).replace("$", "")


def tally_axis(high: float) -> str:
    """The expression by which an axis of numbers up to ``high`` writes its labels."""
    return money_axis(0, max(high, 10)).replace("$", "")


def plain(text: object) -> str:
    """A text from data on one line, without what steers a printer or turns its direction."""
    kept = " ".join(str(text).split())
    return "".join(c for c in kept if unicodedata.category(c) != "Cc" and c not in _TURNS)


def named(name: object, *, width_px: float = _NAME_PX) -> str:
    """A name from data in a sentence, shortened: “as charted”."""
    return f"“{shortened(plain(name), width_px=width_px)}”"


def unpriced(units: float, *, out_of: str = "amounts") -> str:
    """What is said of units without a price; nothing if there are none."""
    if units <= 0:
        return ""
    if units == 1:
        return f"1 unit has no known price and is not in the {out_of}"
    return f"{unit_count(units)} units have no known price and are not in the {out_of}"


def unit_count(units: float) -> str:
    """Expected units: whole ones from ten on, where a fraction says nothing."""
    return f"{units:,.0f}" if units >= 10 else amount(units, digits=3)


def sentences(*parts: str) -> str:
    """Parts that say something, as one line of text."""
    told = "; ".join(part for part in parts if part)
    return told[:1].upper() + told[1:]


def headed(title: str, qualifier: str, caption: str, spoken: str = "") -> dict[str, object]:
    """Title, subtitle and description of a chart, as changes for ``filled``.

    The subtitle is the qualifier and, from a new line on, the caption: where numbers are from.
    """
    told = [plain(part) for part in (title, qualifier, caption)]
    under: list[str] = []
    for part in filter(None, told[1:]):
        under += _whole_lines(part, _SUBTITLE_PX)
    return {
        "title/text": _whole_lines(told[0], _TITLE_PX),
        "title/subtitle": under,
        "description": " ".join(f"{part}." for part in (*told, plain(spoken)) if part),
    }


def _whole_lines(text: str, font_px: float) -> list[str]:
    """A text as lines that fit, none of which ends within what belongs together."""
    found = lines(_UNIT.sub(_KEPT, text), font_px=font_px)
    broken = [found] if isinstance(found, str) else found
    return [line.replace(_KEPT, " ").removesuffix(" ·").removeprefix("· ") for line in broken]


def nothing_yet(title: str, remedy: str) -> dict[str, object]:
    """Head of a chart without data, and no numbers on its axes."""
    return headed(title, remedy, "") | NO_SCALES


def no_price(units: float, caption: str) -> dict[str, object]:
    """Head of a chart whose amounts are all unknown: never drawn as zero."""
    return headed("No price is known for this work", unpriced(units), caption) | NO_SCALES


def caption_of(table: pl.DataFrame) -> str:
    """The caption that a table carries in its row of kind ``about``."""
    told = table.filter(pl.col("kind") == "about")["says"]
    return told[0] or "" if len(told) else ""
