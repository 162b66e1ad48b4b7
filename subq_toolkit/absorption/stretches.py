"""The course of an input as stretches of constant rate, and where a time lies in it.

A stretch begins at every change of the input: a rate that starts or ends, or a bolus. The
first begins at 0 and is before any input; the last has rate 0 and does not end.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from subq_toolkit.absorption.given import Numbers

_Stretch = TypeVar("_Stretch")


@dataclass(frozen=True, slots=True)
class Moments:
    """Times asked for, each with its place in the course of the input.

    Attributes
    ----------
    time_h
        As asked. [h]
    stretch
        Number of the stretch that the time lies in; a change counts from its very moment.
    since_h
        Time since that stretch began; 0 for a time before 0. [h]
    ml_per_h
        Rate of the input. [mL/h]
    delivered_ml
        Delivered up to this moment. [mL]
    """

    time_h: Numbers
    stretch: NDArray[np.intp]
    since_h: Numbers
    ml_per_h: Numbers
    delivered_ml: Numbers


@dataclass(frozen=True, slots=True)
class Stretches:
    """Stretches of constant rate, in order.

    Attributes
    ----------
    from_h
        When each begins. [h]
    ml_per_h
        Rate while it lasts. [mL/h]
    bolus_ml
        Given at once as it begins. [mL]
    delivered_ml
        Delivered as it begins, its bolus included. [mL]
    """

    from_h: Numbers
    ml_per_h: Numbers
    bolus_ml: Numbers
    delivered_ml: Numbers

    @property
    def hours(self) -> Numbers:
        """Length of each stretch but the last, which does not end. [h]"""
        return np.diff(self.from_h)

    @property
    def end_h(self) -> float:
        """When the last input ends. [h]"""
        return float(self.from_h[-1])

    def at(self, time_h: Numbers) -> Moments:
        """Place each time, sorted or not, in its stretch."""
        stretch = np.searchsorted(self.from_h[1:], time_h, side="right")
        since, rate = np.maximum(time_h - self.from_h[stretch], 0.0), self.ml_per_h[stretch]
        return Moments(time_h, stretch, since, rate, self.delivered_ml[stretch] + rate * since)


def stretches_of(segments: Numbers, boluses: Numbers) -> Stretches:
    """Add up all input.

    Parameters
    ----------
    segments
        Rows of ``from_h``, ``to_h`` [h] and ``ml_per_h`` [mL/h]; they may overlap.
    boluses
        Rows of ``at_h`` [h] and ``ml`` [mL].
    """
    segments, boluses = segments[segments[:, 2] > 0], boluses[boluses[:, 1] > 0]
    changes = np.unique(np.concatenate([segments[:, :2].ravel(), boluses[:, 0]]))
    ml_per_h, bolus_ml = np.zeros(len(changes) + 1), np.zeros(len(changes) + 1)
    first, last = np.searchsorted(changes, segments[:, :2]).T + 1
    # Added one by one: a running sum of rises and falls would leave a trace of a high rate.
    for begin, end, rate in zip(first.tolist(), last.tolist(), segments[:, 2], strict=True):
        ml_per_h[begin:end] += rate
    np.add.at(bolus_ml, np.searchsorted(changes, boluses[:, 0]) + 1, boluses[:, 1])
    from_h = np.concatenate([[0.0], changes])
    flowed = np.concatenate([[0.0], ml_per_h[:-1] * np.diff(from_h)])
    return Stretches(from_h, ml_per_h, bolus_ml, np.cumsum(flowed + bolus_ml))


def levels(step: Callable[[float, _Stretch], float], each: Iterable[_Stretch]) -> Numbers:
    """Level as each stretch begins: empty at first, then ``step`` from one to the next."""
    return np.fromiter(accumulate(each, step, initial=0.0), dtype=float)
