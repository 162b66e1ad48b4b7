"""The line under a chart of charted work: how many, from when, from where, by which rules."""

from subq_toolkit.charts.money_words import plain
from subq_toolkit.scenarios import MinuteSummary
from subq_toolkit.small_cells import LEAST

_UNSAID = "charted times as handed in"


def work_caption(summary: MinuteSummary, source: str = "") -> str:
    """Say where the numbers of a chart are from: n, period, source and years of the rules.

    Parameters
    ----------
    summary
        What ``minute_summary`` made; the period is told where it keeps ``month`` or ``week`` apart.
    source
        What the work is, e.g. ``"invented sample export"``.
    """
    parts = [coded_of(summary.coded, summary.encounters)]
    made = next((name for name in ("month", "week") if name in summary.by), None)
    first, last = summary.span(made or "period")
    if made and first:
        same = (first.year, first.month) == (last.year, last.month)
        parts.append(f"{first:%b %Y}" if same else f"{first:%b %Y} to {last:%b %Y}")
    parts.append(plain(source) or _UNSAID)
    if first:
        parts.append(f"rules of {first.year}" + f" to {last.year}" * (last.year > first.year))
    return " · ".join(parts)


def coded_of(coded: int, encounters: int) -> str:
    """How many encounters are coded, of how many; without the latter where it gives away a few."""
    few = 0 < encounters - coded < LEAST
    told = f"{coded:,}" if few else f"{coded:,} of {encounters:,}"
    return f"{told} encounter{'s' * ((coded if few else encounters) != 1)} coded"
