"""When the sources of the numbers are due to be read again: its table, and the specification."""

from datetime import date

import polars as pl

from subq_toolkit.charts.layers import whole_ticks
from subq_toolkit.charts.look import filled
from subq_toolkit.charts.money_words import (
    caption_of,
    headed,
    nothing_yet,
    plain,
    sentences,
    tally,
    tally_axis,
)
from subq_toolkit.charts.review_marks import (
    TOP,
    by_month,
    calendar_template,
    marks,
    span,
    ticks,
    tip,
)

_MOST_NAMED = 6
_ROWS = {
    "kind": pl.String,
    "month": pl.Date,
    "review_by": pl.Date,
    "numbers": pl.Int64,
    "subjects": pl.String,
    "says": pl.String,
}


def review_calendar_table(
    numbers: pl.DataFrame | None, *, on: date | None = None, caption: str = ""
) -> pl.DataFrame:
    """What the calendar of reviews draws.

    Parameters
    ----------
    numbers
        What ``numbers_in_use`` returns, or some of its rows.
    on
        The day to draw in; what was due before it is overdue. None: no day, nothing is overdue.
    caption
        Where the numbers are from, e.g. what ``numbers_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``overdue``: due before the day; ``due``; ``undated``: the file gives no day;
        ``day``; ``about``: the caption), ``month`` (its first day), ``review_by`` (the first day
        of review in it; of ``day`` the day itself), ``numbers`` [1], ``subjects`` (of the month,
        the largest first), ``says``.
    """
    if numbers is None or numbers.is_empty():
        return pl.DataFrame(schema=_ROWS)
    late = (pl.col("review_by") < pl.lit(on, pl.Date)).fill_null(False)
    kind = pl.when(late).then(pl.lit("overdue")).otherwise(pl.lit("due"))
    dated = pl.col("review_by").is_not_null()
    counted = (
        numbers.with_columns(
            month=pl.col("review_by").dt.truncate("1mo"),
            kind=pl.when(dated).then(kind).otherwise(pl.lit("undated")),
            subject=pl.col("subject").fill_null("not stated"),
        )
        .group_by("month", "kind", "subject")
        .agg(pl.len(), pl.col("review_by").min())
        .sort("month", "review_by", pl.col("kind") == "due", nulls_last=True)
    )
    rows = [
        (kind, month, _earliest(part), part["len"].sum(), _named(part), None)
        for (month, kind), part in counted.group_by("month", "kind", maintain_order=True)
    ]
    if on is not None:
        rows.append(("day", on.replace(day=1), on, None, None, None))
    rows.append(("about", None, None, None, None, caption))
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def _earliest(part: pl.DataFrame) -> date | None:
    return part["review_by"].min()


def _named(part: pl.DataFrame) -> str:
    """The subjects of a month, the largest first, the least of many only counted."""
    ranked = part.sort("len", "subject", descending=[True, False])["subject"].to_list()
    more = len(ranked) - _MOST_NAMED
    return ", ".join(ranked[:_MOST_NAMED]) + f" and {more} more" * (more > 0)


def review_calendar_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``review_calendar_table`` as a specification; cheap to make again."""
    rows = table.rows(named=True)
    bars = [row for row in rows if row["kind"] in ("overdue", "due")]
    one = {row["kind"]: row for row in rows if row["kind"] in ("day", "undated")}
    undated, caption = one.get("undated"), caption_of(table)
    if not bars:
        told = _spoken(bars, undated) if undated else "Read the numbers in use first"
        empty = nothing_yet("No number has a day of review", sentences(told))
        return filled(calendar_template(), [], empty)
    day = one["day"]["review_by"] if "day" in one else None
    months, top = span(bars, day), max(by_month(bars).values())
    said = _title(bars, undated, day), _qualifier(bars, undated), caption
    changes = headed(*said, _spoken(bars, undated)) | {
        "encoding/x/scale/domain": list(months),
        "encoding/x/axis/values": ticks(*months),
        "encoding/y/scale/domain": [0, TOP * top],
        "encoding/y/axis/values": whole_ticks(1.05 * top, about=4),
        "encoding/y/axis/labelExpr": tally_axis(top),
    }
    return filled(calendar_template(), list(marks(bars, day, months)), changes)


def _title(bars: list[dict], undated: dict | None, day: date | None) -> str:
    late, dated = _count(bars, "overdue"), _count(bars, "overdue", "due")
    told = []
    if late:
        are = "number is" if late == 1 else "numbers are"
        told.append(f"{tally(late)} {are} overdue for review on {day}")
    elif day:
        told.append(f"No review is overdue on {day}")
    if undated:
        number = undated["numbers"]
        has = "has" if number == 1 else "have"
        told.append(f"{tally(number)} of {tally(number + dated)} numbers {has} no day of review")
    else:
        told.append(_next(bars))
    return sentences(*told)


def _count(bars: list[dict], *kinds: str) -> int:
    return sum(row["numbers"] for row in bars if row["kind"] in kinds)


def _next(bars: list[dict]) -> str:
    """What falls due first of all that is not overdue."""
    ahead = next((row for row in bars if row["kind"] == "due"), None)
    if ahead is None:
        return ""
    number = ahead["numbers"]
    fall = "number falls" if number == 1 else f"{tally(number)} numbers fall"
    return f"the next {fall} due in {ahead['month']:%B %Y}"


def _qualifier(bars: list[dict], undated: dict | None) -> str:
    late = [row for row in bars if row["kind"] == "overdue"]
    ahead = next((row for row in bars if row["kind"] == "due"), None)
    told = [f"overdue longest: {plain(late[0]['subjects'])}"] if late else []
    if ahead:
        told.append(f"{_next(bars) if undated else 'next'}: {plain(ahead['subjects'])}")
    return sentences(*told)


def _spoken(bars: list[dict], undated: dict | None) -> str:
    told = [tip(row) for row in bars]
    if undated:
        told.append(
            f"without a day of review: {undated['numbers']:,} ({plain(undated['subjects'])})"
        )
    return "; ".join(told)
