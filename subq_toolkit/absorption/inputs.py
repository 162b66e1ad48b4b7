"""What goes in under the skin over time, at all sites together.

An ``Inflow`` is made by ``constant``, ``steps``, ``pulses``, ``bolus`` or
``patient_controlled``; ``+`` gives two at the same time, ``*`` scales one. Amounts are in mL
of drug solution; any other unit of amount (mg, units) works where it is used throughout.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from subq_toolkit.absorption.given import (
    Hours,
    Numbers,
    hours_list,
    not_negative,
    positive,
    rows,
    whole,
)
from subq_toolkit.absorption.stretches import Moments, Stretches, stretches_of
from subq_toolkit.errors import InputError


@dataclass(frozen=True)
class Inflow:
    """What goes in at all sites together.

    Attributes
    ----------
    segments
        Rows of ``from_h``, ``to_h`` [h] and ``ml_per_h`` [mL/h]. Where they overlap, rates
        add up.
    boluses
        Rows of ``at_h`` [h] and ``ml`` [mL], each given at once.
    """

    segments: tuple[tuple[float, float, float], ...] = ()
    boluses: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        segments = rows("segments", self.segments, ("from_h", "to_h", "ml_per_h"))
        boluses = rows("boluses", self.boluses, ("at_h", "ml"))
        if (segments[:, 1] <= segments[:, 0]).any():
            raise InputError(
                "segments: to_h must be after from_h. Swap the two, or leave the row out."
            )
        object.__setattr__(self, "segments", tuple(map(tuple, segments.tolist())))
        object.__setattr__(self, "boluses", tuple(map(tuple, boluses.tolist())))

    def __add__(self, other: "Inflow") -> "Inflow":
        """Both at the same time."""
        if not isinstance(other, Inflow):
            return NotImplemented
        return Inflow(self.segments + other.segments, self.boluses + other.boluses)

    def __mul__(self, factor: float) -> "Inflow":
        """The same times with ``factor`` times the rates and volumes."""
        times = not_negative("the factor of an inflow", factor)
        return Inflow(
            tuple((start, stop, rate * times) for start, stop, rate in self.segments),
            tuple((at, ml * times) for at, ml in self.boluses),
        )

    __rmul__ = __mul__

    @cached_property
    def stretches(self) -> Stretches:
        """All input added up, as stretches of constant rate."""
        segments, boluses = np.array(self.segments), np.array(self.boluses)
        return stretches_of(segments.reshape(-1, 3), boluses.reshape(-1, 2))


def constant(*, ml_per_h: float, hours: float, start_h: float = 0.0) -> Inflow:
    """One rate for some hours.

    Parameters
    ----------
    ml_per_h
        Rate at all sites together. [mL/h] 0 or more.
    hours
        How long it runs. [h] More than 0.
    start_h
        When it starts. [h] 0 or more.
    """
    rate, length = not_negative("ml_per_h", ml_per_h), positive("hours", hours)
    start = not_negative("start_h", start_h)
    return Inflow(segments=((start, start + length, rate),))


def steps(plan: Sequence[tuple[float, float]], *, start_h: float = 0.0) -> Inflow:
    """One rate after another.

    Parameters
    ----------
    plan
        Rows of hours [h], more than 0, and rate [mL/h], in order; rate 0 is a pause.
    start_h
        When the first starts. [h] 0 or more.
    """
    hours, rates = rows("steps", plan, ("hours", "ml_per_h")).T
    if not hours.all():
        raise InputError("steps: hours must be more than 0 in every row. Leave out empty steps.")
    ends = not_negative("start_h", start_h) + np.cumsum([0.0, *hours])
    return Inflow(segments=tuple(zip(ends[:-1], ends[1:], rates, strict=True)))


def pulses(*, ml: float, every_h: float, count: int, start_h: float = 0.0) -> Inflow:
    """Equal boluses at equal distances, as many pumps deliver a low rate.

    Parameters
    ----------
    ml
        Volume of each. [mL] 0 or more.
    every_h
        From one to the next. [h] More than 0.
    count
        How many. [1] 1 or more.
    start_h
        When the first is given. [h] 0 or more.
    """
    volume, apart = not_negative("ml", ml), positive("every_h", every_h)
    times = not_negative("start_h", start_h) + apart * np.arange(whole("count", count))
    return Inflow(boluses=tuple((at, volume) for at in times.tolist()))


def bolus(*, ml: float, at_h: float = 0.0) -> Inflow:
    """One volume [mL] given at once at ``at_h`` [h]."""
    return Inflow(boluses=((not_negative("at_h", at_h), not_negative("ml", ml)),))


def patient_controlled(
    *, basal_ml_per_h: float, bolus_ml: float, hours: float, at_h: Hours
) -> Inflow:
    """A background rate from 0 on, and boluses that the patient asks for meanwhile.

    Parameters
    ----------
    basal_ml_per_h
        Background rate. [mL/h] 0 or more.
    bolus_ml
        Volume of each bolus. [mL] 0 or more.
    hours
        How long the pump runs. [h] More than 0.
    at_h
        When boluses are given. [h] From 0 to ``hours``; the pump's lockout is not applied.
    """
    rate, length = not_negative("basal_ml_per_h", basal_ml_per_h), positive("hours", hours)
    volume, times = not_negative("bolus_ml", bolus_ml), hours_list("at_h", at_h)
    if ((times < 0) | (times > length)).any():
        raise InputError(
            "at_h must lie from 0 to hours, while the pump runs. Correct the times, or lengthen "
            "hours."
        )
    boluses = tuple((at, volume) for at in times.tolist())
    return Inflow(segments=((0.0, length, rate),), boluses=boluses)


def moments(inflow: Inflow, time_h: Hours) -> Moments:
    """Place each time asked for in the course of the input.

    Raises
    ------
    InputError
        If ``inflow`` is no ``Inflow``, or ``time_h`` is not made of finite numbers.
    """
    if not isinstance(inflow, Inflow):
        raise InputError(
            "inflow must be an Inflow. Make one with constant, steps, pulses, bolus or "
            "patient_controlled."
        )
    return inflow.stretches.at(hours_list("time_h", time_h))


def delivered_ml(inflow: Inflow, time_h: Hours) -> Numbers:
    """Volume delivered up to each time; a bolus counts from its very moment. [mL]"""
    return moments(inflow, time_h).delivered_ml
