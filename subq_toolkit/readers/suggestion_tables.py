"""What was found of each column of an export, as one table without any of its values."""

from collections.abc import Mapping

import polars as pl

from subq_toolkit.administrations import AMOUNTS, CHOICES
from subq_toolkit.readers.column_scores import Score
from subq_toolkit.readers.value_kinds import Values

#: A column is proposed from this confidence on; below it is only listed.
PROPOSED_FROM = 0.5
#: Below this confidence a column is not even listed as a possibility.
LISTED_FROM = 0.25
_KINDS = {"event": "event", "duration": "length", "em_code": "visit_code", "locality": "locality"}


def suggestion_table(
    names: list[str],
    values: Mapping[str, Values],
    scores: Mapping[str, Mapping[str, Score]],
    chosen: Mapping[str, tuple[str, Score]],
    rows: int,
) -> pl.DataFrame:
    """One row per column of the file; see ``Suggestion.columns``."""
    of_name = {name: (to, one) for to, (name, one) in chosen.items()}
    lines = []
    for name in names:
        to, one = of_name.get(name, (None, Score(0.0, "")))
        others = {t: s for t, s in scores[name].items() if t != to and s.confidence >= LISTED_FROM}
        second = max(others, key=lambda t: others[t].confidence, default=None)
        held, readable = values[name], _readable(values[name], to)
        lines.append(
            {
                "read_from": name,
                "column": to,
                "confidence": round(one.confidence, 2),
                "why": one.why,
                "proposed": to is not None and one.confidence >= PROPOSED_FROM,
                "filled": round(held.filled / rows, 3) if rows else 0.0,
                "distinct": held.distinct,
                "readable": readable,
                "unreadable": None if readable is None else held.filled - readable,
                "runner_up": second,
                "runner_up_confidence": round(others[second].confidence, 2) if second else None,
            }
        )
    whole = dict.fromkeys(("distinct", "readable", "unreadable"), pl.Int64())
    return pl.DataFrame(
        lines,
        schema={
            "read_from": pl.String(),
            "column": pl.String(),
            "confidence": pl.Float64(),
            "why": pl.String(),
            "proposed": pl.Boolean(),
            "filled": pl.Float64(),
            **whole,
            "runner_up": pl.String(),
            "runner_up_confidence": pl.Float64(),
        },
    )


def _readable(values: Values, to: str | None) -> int | None:
    """How many values can be read as ``to``; None if it has no type of its own."""
    if to is None:
        return None
    if to.endswith("_at"):
        return values.counts.get("moment", 0)
    if to.endswith("_date"):
        return max(values.counts.get("day", 0), values.counts.get("midnight", 0))
    if to.endswith("_clock"):
        return values.counts.get("clock", 0)
    if to == "duration":
        return values.counts.get("length", 0) + values.counts.get("number", 0)
    if to in (*AMOUNTS, "needles"):
        return values.counts.get("number", 0)
    if to in (*CHOICES, "setup_charted", *_KINDS):
        return values.counts.get(_KINDS.get(to, to), 0)
    return values.filled
