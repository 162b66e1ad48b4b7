"""How far a long run is: told on one line of a terminal or notebook, or to a function."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

#: What a row costs in each stage beside the others; measured, for the time left.
_STAGES = {"dividing": 1.0, "comparing": 1.0, "coding": 8.0}
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
    """

    stage: str
    rows_done: int
    rows: int
    parts_done: int
    parts: int
    seconds_left: float | None

    def __str__(self) -> str:
        told = (
            f"{self.stage}: {self.rows_done:,} of {self.rows:,} rows, "
            f"{self.parts_done:,} of {self.parts:,} parts coded"
        )
        return told if self.seconds_left is None else f"{told}, {_in_words(self.seconds_left)} left"


def _in_words(seconds: float) -> str:
    if seconds < 90:
        return f"about {seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"about {minutes} min" if minutes < 90 else f"about {minutes / 60:.1f} h"


class Told:
    """Counts what is done and tells it."""

    def __init__(self, tell: Callable[[Progress], None], rows: int, parts: int) -> None:
        self._tell, self._rows, self._parts = tell, rows, parts
        self._began, self._paid = time.monotonic(), 0.0
        self._stage, self._done, self._coded = "", 0, 0

    def stage(self, name: str) -> None:
        """Begin a stage."""
        self._stage, self._done = name, 0

    def done(self, rows: int, *, before: bool = False) -> None:
        """Add rows to the stage; ``before``: an earlier call had done them."""
        self._done += rows
        self._coded += self._stage == "coding"
        self._paid += 0.0 if before else rows * _STAGES[self._stage]
        left = self._seconds_left()
        self._tell(Progress(self._stage, self._done, self._rows, self._coded, self._parts, left))

    def _seconds_left(self) -> float | None:
        names = list(_STAGES)
        later = sum(_STAGES[name] for name in names[names.index(self._stage) + 1 :])
        owed = (self._rows - self._done) * _STAGES[self._stage] + self._rows * later
        spent = time.monotonic() - self._began
        return spent * owed / self._paid if self._paid else None


def teller(progress: bool | Callable[[Progress], None]) -> Callable[[Progress], None]:
    """The function that is told: the caller's own, one that writes a line, or none."""
    if callable(progress):
        return progress
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
        ended = told.stage == "coding" and told.parts_done == told.parts
        if now - self._last < (_EVERY_S if self._over else _LINE_EVERY_S) and not ended:
            return
        start, end = ("\r", "\n" if ended else "") if self._over else ("", "\n")
        self._out.write(start + line.ljust(self._long) + end)
        self._out.flush()
        self._last, self._long = now, len(line) if self._over else 0
