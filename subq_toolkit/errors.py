"""What can go wrong, worded for the person who has to fix it.

A message names the column, the rule, how many rows and the remedy; it never
shows a patient's values. Every error raised on purpose is a ``SubqError``.
"""

from collections.abc import Sequence
from datetime import date


class SubqError(Exception):
    """Base of every error this package raises on purpose."""


class InputError(SubqError, ValueError):
    """What was handed in cannot be used as it stands; the message says what to change."""


class NotInEffectError(SubqError, LookupError):
    """A dated value of the rules does not cover a date of service."""

    def __init__(self, name: str, day: date, known: Sequence[str]) -> None:
        self.name, self.day = name, day
        super().__init__(
            f"'{name}' has no value in effect on {day}. Known: {'; '.join(known) or 'none'}. "
            f"If another value has been published for that day, add it to the file under "
            f"subq_toolkit/parameters/ that defines '{name}'; if the date is a slip, correct it."
        )


class ReconciliationError(SubqError):
    """Rows in and rows out do not add up: a fault of this package, please report it."""

    def __init__(self, rows_in: int, accounted: int) -> None:
        super().__init__(
            f"{rows_in:,} rows came in but {accounted:,} ended in an outcome. No result of this "
            f"run should be used; please report it with the column names and types (no values)."
        )


class StaleValueWarning(UserWarning):
    """A value is used for a date after the day its source should have been read again."""
