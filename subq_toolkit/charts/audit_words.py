"""What charts of an audit say alike: the line beneath them, rates, intervals and dollars."""

from collections.abc import Iterable

import polars as pl

from subq_toolkit.audit.audited_tables import CLASSES, JUDGED, table_of
from subq_toolkit.audit.classes import cite
from subq_toolkit.audit.intervals import RATE_CONFIDENCE
from subq_toolkit.charts.money_words import plain, signed
from subq_toolkit.charts.wording import amount
from subq_toolkit.effective import sources
from subq_toolkit.errors import InputError
from subq_toolkit.small_cells import LEAST

_UNSAID = "chart and charges as handed in"
_NOUNS = {"encounters": "encounter", "lines": "line"}
_INTERVAL = "cicalc-wilson"


def audit_caption(audited: object, source: str = "") -> str:
    """Say where the numbers of an audit are from: n, period, source and schedule.

    Parameters
    ----------
    audited
        What ``audit`` returned, or its table of encounters.
    source
        What was audited, e.g. ``"invented sample export"``.
    """
    days = pl.col("service_date")
    held = table_of(audited, "encounters")
    n, judged, first, last = held.select(
        pl.len(), pl.col("class").is_in(JUDGED).sum(), days.min(), days.max().alias("last")
    ).collect().row(0)  # fmt: skip
    parts = [_judged_of(judged, n)]
    if first is not None:
        same = (first.year, first.month) == (last.year, last.month)
        parts.append(f"{first:%b %Y}" if same else f"{first:%b %Y} to {last:%b %Y}")
    return " · ".join(filter(None, [*parts, plain(source) or _UNSAID, _terms(audited)]))


def _judged_of(judged: int, encounters: int) -> str:
    """How many encounters were judged, of how many; neither where it gives away a few."""
    if 0 < judged < LEAST:
        return f"fewer than {LEAST} encounters judged"
    few = 0 < encounters - judged < LEAST
    told = f"{judged:,}" if few else f"{judged:,} of {encounters:,}"
    return f"{told} encounter{'s' * ((judged if few else encounters) != 1)} judged"


def _terms(audited: object) -> str:
    """The schedule of an audit; from which day days are counted matters to no chart."""
    told = plain(getattr(audited, "terms", "")).split(", days counted from")[0]
    return told.replace("at mpfs", "at MPFS", 1).replace("at opps", "at OPPS", 1)


def caption_for(audited: object, of: str, caption: str | None) -> str:
    """The caption that was given, or that of the audit; none for a bare table of lines."""
    if caption is not None:
        return caption
    bare = isinstance(audited, pl.DataFrame | pl.LazyFrame)
    return "" if bare and of != "encounters" else audit_caption(audited)


def audit_sources(classes: Iterable[str] = CLASSES) -> tuple[str, ...]:
    """The sources behind classes of an audit and behind intervals of rates, a line each."""
    cited = {name: cite(name) for name in CLASSES}
    found = dict.fromkeys(cited[name] for name in classes if name in cited)
    return (*found, sources()[_INTERVAL].cite("sourced"))


def noun_of(of: str) -> str:
    """The noun of what is counted: encounter, line.

    Raises
    ------
    InputError
        If it is neither encounters nor lines.
    """
    if of not in _NOUNS:
        raise InputError(f"of= is one of {', '.join(_NOUNS)}, not {of!r}.")
    return _NOUNS[of]


def rate_told(rate: float) -> str:
    """A rate in percent: 22.5 %."""
    return f"{_percent(rate)} %"


def _percent(rate: float) -> str:
    return amount(round(100 * rate, 1))


def interval_told(row: dict, confidence: float | None = RATE_CONFIDENCE) -> str:
    """The interval of a rate, with its level: 95 % interval 21.3 to 23.8 %."""
    level = amount(100 * (confidence or RATE_CONFIDENCE))
    return f"{level} % interval {_percent(row['rate_low'])} to {_percent(row['rate_high'])} %"


def by_chance(confidence: float | None) -> str:
    """How many of several rates chance alone puts apart from that of all."""
    one_in = 1 / (1 - (confidence or RATE_CONFIDENCE))
    return f"by chance about 1 in {one_in:,.0f} lies apart"


def net_told(net_usd: float | None) -> str:
    """A balance in words: $1,234 net over, $330 net under."""
    if net_usd is None:
        return "no price known"
    told = signed(net_usd)
    if told == "±$0":
        return "$0 net"
    return f"{told.lstrip('+−')} net {'over' if net_usd > 0 else 'under'}"


def without_price(number: int | None) -> str:
    """What is said of errors without a price; nothing if there are none."""
    if number is None:
        return "some errors may have no known price"
    if not number:
        return ""
    verb = "has" if number == 1 else "have"
    return f"{number:,} error{'s' * (number != 1)} {verb} no known price, in no amount"
