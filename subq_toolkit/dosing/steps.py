"""Infusions whose rate rises in steps, and may end inside of one."""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from subq_toolkit.errors import InputError
from subq_toolkit.formulas import Amount, Bound, Value, formula, larger, number, smaller

_POSITIVE = Bound("a number above zero", 0, more_than=True)


class Step(NamedTuple):
    """A rate [mL/h] and how long it is kept [min]; None for the last one, to the end."""

    minutes: float | None
    ml_per_h: float


class Stretch(NamedTuple):
    """A step as it was run: from and to [min], its rate [mL/h] and what it gave [mL]."""

    from_min: float
    to_min: float
    ml_per_h: float
    ml: float


@formula
def stepped_duration_min(*, volume_ml: Amount, steps: Sequence[tuple]) -> Value:
    """Time that a volume takes through steps of rate. [min]

    Parameters
    ----------
    volume_ml
        Volume to give; at one site, if the rates are per site. [mL]
    steps
        Pairs of minutes and rate [min, mL/h]; the last has None for its minutes.

    Notes
    -----
    Each step takes what is left of the volume, at most what it can give in its minutes; the
    time is the sum over all steps, so an infusion may end inside any of them.
    """
    took = 0
    for step, given in zip(*_checked(steps), strict=True):
        left = larger(volume_ml - given, 0)
        minutes = 60 * left / step.ml_per_h
        took = took + (minutes if step.minutes is None else smaller(minutes, step.minutes))
    return took


def walk(volume_ml: float, steps: Sequence[tuple]) -> list[Stretch]:
    """The steps as a volume runs through them, the last one cut where it is all given."""
    stretches, at_min = [], 0.0
    number("volume_ml", volume_ml, Bound("a number, zero or more", 0))
    for step, given in zip(*_checked(steps), strict=True):
        left = volume_ml - given
        if left <= 0:
            break
        minutes = 60 * left / step.ml_per_h
        minutes = minutes if step.minutes is None else min(minutes, step.minutes)
        ml = min(left, step.ml_per_h * minutes / 60)
        stretches.append(Stretch(at_min, at_min + minutes, step.ml_per_h, ml))
        at_min += minutes
    return stretches


def _checked(steps: Sequence[tuple]) -> tuple[list[Step], list[float]]:
    """The steps, and what was given before each. [mL]"""
    try:
        steps = [Step(*step) for step in steps]
    except TypeError:
        steps = []
    if not steps or steps[-1].minutes is not None or any(s.minutes is None for s in steps[:-1]):
        raise InputError(
            "'steps' are pairs of minutes [min] and rate [mL/h]; every step but the last has "
            "minutes, and the last has None: it runs to the end."
        )
    for step in steps:
        number("steps: ml_per_h", step.ml_per_h, _POSITIVE)
    for step in steps[:-1]:
        number("steps: minutes_min", step.minutes, _POSITIVE)
    each = (step.ml_per_h * step.minutes / 60 for step in steps[:-1])
    return steps, list(accumulate(each, initial=0.0))
