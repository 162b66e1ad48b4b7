"""How a figure followed over time is told: its values, signals, title and qualifier."""

from dataclasses import dataclass
from datetime import date
from itertools import groupby

from subq_toolkit.charts.money_words import sentences
from subq_toolkit.charts.withheld import withheld_note
from subq_toolkit.charts.wording import amount, count

_MOST_NAMED = 3


@dataclass(frozen=True)
class Statistic:
    """A figure in words, and how its values are written: times ``factor``, with ``digits``."""

    name: str
    verb: str
    axis: str
    suffix: str
    factor: int
    digits: int | None


STATISTICS = {
    "median_min": Statistic(
        "Median infusion time", "is", "Median infusion time [min]", " min", 1, None
    ),
    "mean_units": Statistic(
        "Timed units per coded encounter", "are", "Timed units [1 per encounter]", "", 1, 2
    ),
    "coded_share": Statistic(
        "Share of encounters coded", "is", "Share of encounters coded [%]", " %", 100, 1
    ),
}


def statistic_of(rows: list[dict]) -> Statistic:
    """What the rows of a table are about."""
    return STATISTICS[rows[0]["statistic"]]


def hidden(row: dict) -> bool:
    """Whether the figure of a period was withheld, with the count of its encounters."""
    return row["encounters"] is None


def told(value: float, statistic: Statistic) -> str:
    """A value in words: 103 min, 2.68, 86.2 %."""
    shown = value * statistic.factor
    if statistic.digits is None:
        return f"{amount(shown, digits=3 if shown < 1000 else 6)}{statistic.suffix}"
    return f"{shown:,.{statistic.digits}f}{statistic.suffix}"


def period_name(day: date, every: str) -> str:
    """A month as Mar 2026, a week by its first day as 2 Mar 2026."""
    return f"{day:%b %Y}" if every == "month" else f"{day.day} {day:%b %Y}"


def spans(rows: list[dict]) -> list[tuple[list[dict], str]]:
    """Periods with a signal and their names: those of a run on one side together."""

    def kind(row: dict) -> tuple:
        return row["signal"], row["signal"] and row["value"] >= row["centre"]

    found: list[list[dict]] = []
    known = [row for row in rows if row["value"] is not None]
    for (signal, _), group in groupby(known, key=kind):
        own = list(group)
        found += [own] if signal == "run" else [[row] for row in own] if signal else []
    ends = [dict.fromkeys((own[0]["period"], own[-1]["period"])) for own in found]
    every = rows[0]["every"]
    names = [" to ".join(period_name(day, every) for day in days) for days in ends]
    return list(zip(found, names, strict=True))


def title(rows: list[dict]) -> str:
    """The finding: steady, or which periods are out of control."""
    statistic, every = statistic_of(rows), rows[0]["every"]
    name = f"{statistic.name} {statistic.verb}"
    known = [row for row in rows if row["value"] is not None]
    if not known:
        missing = "withheld in every" if any(map(hidden, rows)) else "not known in any"
        return f"{name} {missing} {every}"
    first = known[0]
    if first["low"] is None:
        value = told(first["value"], statistic)
        return f"{name} {value} in {period_name(first['period'], every)}"
    flagged = sum(row["signal"] is not None for row in known)
    if not flagged:
        where = "" if len(known) == len(rows) else f" in the {len(known)} known {every}s"
        return f"{name} steady around {told(first['centre'], statistic)}{where}"
    names = [name for _, name in spans(rows)]
    more = len(names) - _MOST_NAMED
    listed = ", ".join(names[:_MOST_NAMED]) + f" and {more} more" * (more > 0)
    out = f"{flagged} of {count(len(known), every)} {'is' if flagged == 1 else 'are'}"
    return f"{statistic.name}: {out} out of control: {listed}"


def qualifier(rows: list[dict]) -> str:
    """How to read lines and marks, and which periods have no figure."""
    known = [row for row in rows if row["value"] is not None]
    every, kinds = rows[0]["every"], {row["signal"] for row in known} - {None}
    few = sum(row["value"] is None and not hidden(row) for row in rows)
    limits = ""
    if known:
        alone = known[0]["low"] is None
        limits = f"One {every} has no limits" if alone else _METHOD
    gone = any(map(hidden, rows))
    missing = f"{count(few, every)} without a figure: too few encounters" if few else ""
    changed = "a signal says that something changed, not that it is wrong" * bool(kinds)
    return sentences(
        limits,
        "diamond: beyond a limit" * ("beyond" in kinds),
        "triangle: in a run on one side of the mean" * ("run" in kinds),
        withheld_note() if gone else missing,
        changed,
    )


_METHOD = "Dashed: mean and limits of an XmR chart"


def tip(row: dict) -> str:
    """A period in words: its figure, of how many encounters, and its signal."""
    day = period_name(row["period"], row["every"])
    if hidden(row):
        return f"{day}: withheld"
    n = count(row["encounters"], "encounter")
    if row["value"] is None:
        return f"{day}: no figure, {n}"
    signals = {"beyond": ", beyond a limit", "run": ", in a run"}
    return f"{day}: {told(row['value'], statistic_of([row]))}, {n}{signals.get(row['signal'], '')}"
