"""The words a chart uses for what happens to an infusion, read as the few that matter here."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache

import polars as pl

from subq_toolkit.effective import read_table
from subq_toolkit.errors import InputError
from subq_toolkit.plain_text import shown

#: What may happen to an infusion. In this order if charted at the same moment.
EVENTS = (
    "pause",
    "stop",
    "start",
    "new_bag",
    "restart",
    "site_change",
    "rate_change",
    "rate_verify",
    "bolus",
    "given",
)
#: How a word is listed in the vocabulary that is no event of an infusion: held, missed, due.
NO_EVENT = "no_event"
_SHOWN = 12
_A_WORD = r"^\p{L}[\p{L} /\-]{0,29}$"
_MOST_PARTS = 3
#: Share of rows with a known word from which a column is taken for one of events.
_FAMILIAR = 0.1
_FILLERS = r"[^\p{L}0-9]+"


@cache
def _listed() -> dict[str, str]:
    table = read_table("vocabulary")["events"]
    return {_plain(word): event for event, words in table.items() for word in [event, *words]}


def _plain(word: str) -> str:
    return re.sub(r"[\W_]+", "", word.lower())


def plain_words(text: pl.Expr) -> pl.Expr:
    """Words in lower case without blanks and punctuation, as they are compared."""
    return text.cast(pl.String).str.to_lowercase().str.replace_all(_FILLERS, "")


def agreed_words(events: Mapping[str, str | None] | None) -> dict[str, str]:
    """Every word that is understood, plain, with its event; those of the user go before.

    Raises
    ------
    InputError
        If ``events`` maps a word to something that is no event.
    """
    if not isinstance(events, Mapping | None):
        raise InputError(
            f"The words of events are a mapping, e.g. {{'Assess': 'rate_verify'}}; this is a "
            f"{type(events).__name__}."
        )
    stated = dict(events or {})
    for word, event in stated.items():
        if not isinstance(word, str):
            raise InputError(f"events= has a word that is no text but {type(word).__name__}.")
        if event is not None and event not in EVENTS:
            alike = get_close_matches(shown(event), EVENTS, n=1)
            raise InputError(
                f"events= maps '{shown(word)}' to {shown(repr(event))}, which is no event of an "
                "infusion"
                + (f"; did you mean '{alike[0]}'? " if alike else ". ")
                + f"Events: {', '.join(EVENTS)}; None for what is no event of the infusion."
            )
        if not _plain(word):
            raise InputError("events= has a word without letters. Name the word as it is charted.")
    return _listed() | {_plain(word): event or NO_EVENT for word, event in stated.items()}


def read_events(text: pl.Expr, words: Mapping[str, str]) -> pl.Expr:
    """Read charted words as one of ``EVENTS`` or ``NO_EVENT``; null if the word is not known."""
    return plain_words(text).replace_strict(dict(words), default=None, return_dtype=pl.String)


def event_counts(
    charted: pl.DataFrame | pl.LazyFrame,
    *,
    column: str = "event",
    events: Mapping[str, str | None] | None = None,
) -> pl.DataFrame:
    """Count the words of a column of events, and say what each is read as.

    Words that are not known are shown only if they look like words: letters, at most three
    parts; at most twelve of them, the commonest first; and none if hardly a row has a known
    word, for then the column may hold something else. The others are counted together, so that
    no value of a patient is shown.

    Parameters
    ----------
    charted
        The event log.
    column
        Name of the column of events.
    events
        What the user states of words, e.g. ``{"Assess": "rate_verify", "Handoff": None}``.

    Returns
    -------
    pl.DataFrame
        ``word`` (as charted; null where not shown), ``read_as`` (an event, ``no_event``, or null
        if not known), ``rows``. The commonest first.

    Raises
    ------
    InputError
        If there is no such column of words, or ``events`` maps a word to what is no event.
    """
    words = agreed_words(events)
    held = charted.lazy().collect_schema().get(column)
    if held is None or held.is_nested() or held in (pl.Binary, pl.Object, pl.Duration):
        raise InputError(f"The event log has no column '{shown(column)}' of words.")
    text = pl.col(column).cast(pl.String).str.strip_chars()
    counted = (
        charted.lazy()
        .select(word=text)
        .filter(pl.col("word") != "")
        .group_by("word")
        .agg(rows=pl.len().cast(pl.Int64))
        .with_columns(read_as=read_events(pl.col("word"), words))
        .sort(["rows", "word"], descending=[True, False])
        .collect()
    )
    parts = pl.col("word").str.count_matches(r"[ /\-]+") < _MOST_PARTS
    wordy = pl.col("word").str.contains(_A_WORD) & parts
    unknown = pl.col("read_as").is_null()
    familiar = pl.col("rows").filter(~unknown).sum() >= _FAMILIAR * pl.col("rows").sum()
    told = ~unknown | (familiar & wordy & ((unknown & wordy).cast(pl.Int64).cum_sum() <= _SHOWN))
    return (
        counted.with_columns(word=pl.when(told).then("word"))
        .group_by("word", "read_as")
        .agg(pl.col("rows").sum())
        .select("word", "read_as", "rows")
        .sort(["rows", "word"], descending=[True, False], nulls_last=True)
    )
