"""One table of every number in use, and what it comes to by subject."""

from datetime import date
from functools import cache
from itertools import chain

import polars as pl

from subq_toolkit.effective import STANDINGS
from subq_toolkit.formulas import check_day
from subq_toolkit.numbers_in_use.provenance import with_sources
from subq_toolkit.numbers_in_use.published_numbers import published_numbers
from subq_toolkit.numbers_in_use.rule_numbers import rule_numbers


def numbers_in_use(*, on: date | None = None) -> pl.DataFrame:
    """List every number that the toolkit uses, with its source and how well that supports it.

    One row is one value: a version of a parameter, an answer of a policy, a finding, an item of
    the checklist, or one figure of a row in a published table. Left out are the synonyms in
    ``parameters/vocabulary.toml`` and the invented administrations, which have no source.

    Parameters
    ----------
    on
        The day for which ``in_effect`` and ``due`` are asked; None leaves both null. Today is
        never taken: the same call gives the same answer next year.

    Returns
    -------
    pl.DataFrame
        In the order of the files, parameters first:

        ``subject, name, label``; ``value`` (as text, just as it is written) and ``unit`` (null
        for words and indicators); ``start, until`` (days on which it holds, both included; null:
        open, or no day is given); ``standing`` (``sourced, inferred, unverified, house``, see
        ``subq_toolkit.effective``); ``tier`` (of a source of dosing); ``source`` (title) and
        ``href``; ``read_on`` (when the source was last read; null where nothing could be read:
        memory, or our own convention); ``review_by`` (null: the file gives no day); ``note``;
        ``graded`` (the file's own word for the standing: tables of fees tell ``verified``, where
        a second source agrees, from ``single source``; both are sourced); ``file``;
        ``in_effect`` (on the day); ``due`` (``review_by`` lies before the day; null without one).

    Raises
    ------
    InputError
        If ``on`` is no date; if a file names an unknown source or standing, or has an entry or a
        column that nobody has described.
    """
    check_day(on, optional=True)
    day = pl.lit(on, pl.Date)
    began = (pl.col("start") <= day) | pl.col("start").is_null()
    ended = (pl.col("until") < day).fill_null(False)
    return _every_number().with_columns(
        in_effect=pl.when(day.is_not_null()).then(began & ~ended),
        due=pl.col("review_by") < day,
    )


@cache
def _every_number() -> pl.DataFrame:
    return with_sources(chain(rule_numbers(), published_numbers()))


def number_summary(numbers: pl.DataFrame) -> pl.DataFrame:
    """Count numbers by subject and standing.

    Parameters
    ----------
    numbers
        What ``numbers_in_use`` returns, or some of its rows.

    Returns
    -------
    pl.DataFrame
        ``subject, standing, numbers`` [1] and ``due`` (how many are due for review [1]; null
        where no row tells: no day was asked, or none has a day of review), by subject in the
        order of ``numbers`` and by standing.
    """
    counted = numbers.group_by("subject", "standing", maintain_order=True).agg(
        numbers=pl.len().cast(pl.Int64),
        due=pl.when(pl.col("due").count() > 0).then(pl.col("due").sum().cast(pl.Int64)),
    )
    order = pl.DataFrame({"subject": numbers["subject"].unique(maintain_order=True)})
    return (
        counted.join(order.with_row_index("_subject"), on="subject", how="left")
        .sort("_subject", pl.col("standing").cast(pl.Enum(STANDINGS)))
        .drop("_subject")
    )
