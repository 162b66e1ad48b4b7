"""The tabs of the panel of rules and sources: from what is asked to figures and a page."""

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

import polars as pl

from subq_toolkit import charts
from subq_toolkit.charts.figure import Figure, figure
from subq_toolkit.errors import InputError
from subq_toolkit.numbers_in_use import contradictions, number_summary, numbers_in_use
from subq_toolkit.panels.html_parts import section, signed, source, table, text
from subq_toolkit.panels.loaded_work import LoadedWork
from subq_toolkit.panels.view_tab import View

_MOST_ROWS = 30
_MARKS = {"sourced": "●", "inferred": "◐", "unverified": "○", "house": "■"}


class AskedRules(NamedTuple):
    """What a tab answers: the work, the entries, and who is told of progress."""

    work: LoadedWork
    state: Any
    progress: Callable[[int, int], None]

    @property
    def on(self) -> date:
        """The day on which values are looked at.

        Raises
        ------
        InputError
            If what was typed is no day.
        """
        try:
            return date.fromisoformat(self.state.on.strip())
        except ValueError:
            raise InputError("Type the day as 2026-03-02.") from None

    def numbers(self) -> pl.DataFrame:
        """The numbers that the entries ask for."""
        found = numbers_in_use(on=self.on)
        if self.state.subject:
            found = found.filter(pl.col("subject") == self.state.subject)
        if self.state.standing:
            found = found.filter(pl.col("standing") == self.state.standing)
        if self.state.only == "in effect":
            found = found.filter("in_effect")
        elif self.state.only == "due for review":
            found = found.filter("due")
        if words := self.state.search.lower().split():
            told = pl.concat_str(_SEARCHED, separator=" ", ignore_nulls=True).str.to_lowercase()
            found = found.filter(*(told.str.contains(word, literal=True) for word in words))
        return found


_SEARCHED = ["subject", "name", "label", "value", "unit", "source", "note"]


def _numbers(asked: AskedRules) -> tuple[list[Figure], str]:
    found = asked.numbers()
    caption = charts.numbers_caption(found, on=asked.on)
    drawn = charts.standings_of_numbers_table(number_summary(found), caption=caption)
    shown = figure("standings_of_numbers", drawn, sources=_titles(found))
    return [shown], _numbers_page(found)


def _titles(found: pl.DataFrame) -> tuple[str, ...]:
    return tuple(found["source"].drop_nulls().unique().sort().head(_MOST_ROWS))


def _numbers_page(found: pl.DataFrame) -> str:
    heads = ["number", "value", "holds", "standing", "source", "read", "read again by"]
    rows = [
        [
            f"<b>{text(row['label'])}</b><br><span class='sq-remark'>{text(row['subject'])}</span>",
            f"{text(_words(row['value']))} {text(_unit(row['unit']))}",
            _days(row),
            f"{_MARKS.get(row['standing'], '')} {text(row['standing'])}",
            f"{text(row['source'])}{source(_where(row))}",
            _day(row["read_on"]),
            f"{_day(row['review_by'])}{' ▲ due' if row['due'] else ''}",
        ]
        for row in found.head(_MOST_ROWS).rows(named=True)
    ]
    n = found.height
    more = f"the first {_MOST_ROWS} of {n:,}; narrow them above, or panel.numbers() in code"
    shown = table(heads, rows, name="Numbers in use", numeric=1)
    return section(f"{n:,} number{'s' * (n != 1)}", shown, more if n > _MOST_ROWS else "")


def _words(value: str | None) -> str:
    return "" if value is None else value.replace("_", " ")


def _day(day: date | None) -> str:
    return f'<span class="sq-severity">{text(day)}</span>' if day else ""


def _unit(unit: str | None) -> str:
    return "" if unit in (None, "1") else unit


def _days(row: dict) -> str:
    begin = f"from {row['start']}" if row["start"] else "day not known"
    return f"{begin}<br>{'to ' + str(row['until']) if row['until'] else ''}"


def _where(row: dict) -> str:
    return " · ".join(filter(None, (row["href"], row["note"])))


def _review(asked: AskedRules) -> tuple[list[Figure], str]:
    found = asked.numbers()
    caption = charts.numbers_caption(found, on=asked.on)
    drawn = charts.review_calendar_table(found, on=asked.on, caption=caption)
    due = found.filter("due")
    without = found["review_by"].null_count()
    said = f"{due.height:,} due on {asked.on}, {without:,} without a day of review."
    page = f'<p class="sq-quiet">{said}</p>' + (_numbers_page(due) if due.height else "")
    return [figure("review_calendar", drawn, sources=_titles(found))], page


def _contradictions(asked: AskedRules) -> tuple[list[Figure], str]:
    effects = asked.work.policy_effects(asked.progress)
    summary = asked.work.summary("month")
    caption = charts.work_caption(summary, asked.work.source)
    drawn = charts.policy_differences_table(effects, caption=caption)
    every = contradictions()
    cites = tuple(every.filter(subject="policies")["cite"].drop_nulls().unique().sort())
    shown = figure("policy_differences", drawn, encounters=summary.encounters, sources=cites)
    subject = asked.state.subject
    kept = every.filter(pl.col("subject") == subject) if subject else every
    return [shown], _questions_page(kept if kept.height else every, effects)


def _questions_page(rows: pl.DataFrame, effects: pl.DataFrame) -> str:
    """Each question with its answers, the used one first, and what each does to the work."""
    moved = {
        (choice, answer): units
        for choice, answer, units in effects.group_by("choice", "answer")
        .agg(pl.col("difference").sum())
        .rows()
    }
    in_force = dict(effects.select("choice", "in_force").rows())
    parts = []
    for question in rows["question"].unique(maintain_order=True):
        answers = rows.filter(pl.col("question") == question).sort(
            "is_used", descending=True, nulls_last=True, maintain_order=True
        )
        parts.append(f"<h4>{text(question)}</h4>{_answers(answers, moved, in_force)}")
    return section("Where sources disagree", "".join(parts), "● used, ○ not used")


def _answers(answers: pl.DataFrame, moved: dict, in_force: dict) -> str:
    lines = []
    for row in answers.rows(named=True):
        used = row["is_used"]
        if row["choice"] in in_force:
            used = in_force[row["choice"]] == row["answer"]
        units = moved.get((row["choice"], row["answer"]))
        effect = "in force" if used else "" if units is None else f"{signed(units)} units"
        lines.append(
            [
                "●" if used else "○",
                text(row["answer"]),
                text(row["says"]),
                text(effect),
                text(row["standing"]) + source(row["cite"]),
            ]
        )
    heads = ["used", "answer", "what it says", "on the loaded work", "standing"]
    return table(heads, lines, name="Answers", numeric=99)


VIEWS: dict[str, View] = {
    "Numbers": View(1, (), _numbers),
    "To be read again": View(1, (), _review),
    "Where sources disagree": View(1, (), _contradictions),
}
