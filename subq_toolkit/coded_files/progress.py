"""How far a long run is: told on one line of a terminal or notebook, or to a function."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from subq_toolkit.errors import InputError

#: What a row costs in each stage beside the others, and a part before its first row, counted
#: in rows of the first stage; measured, for the time left.
_STAGES = {"dividing": 1.0, "comparing": 1.0, "coding": 8.0}
_PER_PART = {"dividing": 100_000.0, "comparing": 20_000.0, "coding": 200_000.0}
_EVERY_S, _LINE_EVERY_S = 0.5, 60.0


@dataclass(frozen=True)
class Progress:
    """How far a run of ``code_files`` is.

    Attributes
    ----------
    stage
        ``dividing`` the rows into parts, ``comparing`` encounters across parts, or ``coding``.
    rows_done, rows
        Rows behind this stage, and all. [1]
    parts_done, parts
        Parts coded, and all. [1]
    seconds_left
        Estimated from this call's own speed; None at its start. [s]
    seconds
        Since this call began. [s]
    """

    stage: str
    rows_done: int
    rows: int
    parts_done: int
    parts: int
    seconds_left: float | None
    seconds: float = 0.0

    @property
    def ended(self) -> bool:
        """Whether every part is coded."""
        return self.stage == "coding" and self.parts_done == self.parts

    def __str__(self) -> str:
        told = (
            f"{self.stage}: {self.rows_done:,} of {self.rows:,} rows, "
            f"{self.parts_done:,} of {self.parts:,} parts coded"
        )
        if self.ended:
            return f"{told}, in {_in_words(self.seconds)}"
        if self.seconds_left is None:
            return told
        return f"{told}, about {_in_words(self.seconds_left)} left"


def _in_words(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"


class ProgressError(Exception):
    """What the caller's own function raised, as its cause; no fault of files."""


class Told:
    """Counts what is done and tells it."""

    def __init__(self, tell: Callable[[Progress], None], rows: int, parts: int) -> None:
        self._tell, self._rows, self._parts = tell, rows, parts
        self._began, self._paid = time.monotonic(), 0.0
        self._stage, self._done, self._times, self._coded = "", 0, 0, 0

    def stage(self, name: str) -> None:
        """Begin a stage."""
        self._stage, self._done, self._times = name, 0, 0

    def done(self, rows: int, *, before: bool = False) -> None:
        """Add rows to the stage; ``before``: an earlier call had done them."""
        self._done += rows
        self._times += 1
        self._coded += self._stage == "coding"
        if not before:
            self._paid += rows * _STAGES[self._stage] + _PER_PART[self._stage]
        spent = time.monotonic() - self._began
        left = spent * self._owed() / self._paid if self._paid else None
        told = Progress(self._stage, self._done, self._rows, self._coded, self._parts, left, spent)
        try:
            self._tell(told)
        except Exception as fault:
            raise ProgressError from fault

    def _owed(self) -> float:
        """What is still to be done, counted in rows of the first stage."""
        names = list(_STAGES)
        still = names[names.index(self._stage) :]
        left = dict.fromkeys(still, (self._rows, self._parts))
        left[self._stage] = (self._rows - self._done, max(self._parts - self._times, 0))
        return sum(
            rows * _STAGES[name] + parts * _PER_PART[name] for name, (rows, parts) in left.items()
        )


def teller(progress: bool | Callable[[Progress], None]) -> Callable[[Progress], None]:
    """The function that is told: the caller's own, one that writes a line, or none.

    Raises
    ------
    InputError
        If ``progress`` is none of them.
    """
    if callable(progress):
        return progress
    if not isinstance(progress, bool):
        raise InputError(
            f"progress is True, False, or a function that takes a Progress; not {progress!r}."
        )
    return _Line() if progress else lambda _: None


class _Line:
    """One line, written over itself where that can be seen, else a new line now and then."""

    def __init__(self) -> None:
        notebook = type(sys.stdout).__module__.startswith("ipykernel")
        self._out = sys.stdout if notebook else sys.stderr
        self._over = notebook or self._out.isatty()
        self._last, self._long = float("-inf"), 0

    def __call__(self, told: Progress) -> None:
        now, line = time.monotonic(), str(told)
        if now - self._last < (_EVERY_S if self._over else _LINE_EVERY_S) and not told.ended:
            return
        start, end = ("\r", "\n" if told.ended else "") if self._over else ("", "\n")
        self._out.write(start + line.ljust(self._long) + end)
        self._out.flush()
        self._last, self._long = now, len(line) if self._over else 0
