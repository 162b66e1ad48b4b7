"""Counts whose weighted sum is known as well: which more to hide so that no small one is told."""

from collections.abc import Sequence
from itertools import permutations
from math import gcd


def hide_for_weights(
    counts: Sequence[int], weights: Sequence[int], hidden: list[bool], least: int
) -> None:
    """Hide further counts, the smallest first, until each small one could be ``least`` or more.

    A reader knows what is shown, the sum of all counts, and the sum of each times its weight:
    encounters by their units, and all units. Counts without weight are known to that reader as
    those that have none. ``hidden`` is changed in place.
    """
    small = [at for at, n in enumerate(counts) if 0 < n < least and weights[at]]
    while any(not _may_be(at, counts, weights, hidden, least) for at in small):
        shown = [at for at, gone in enumerate(hidden) if not gone]
        if not shown:
            return
        above = [at for at in shown if counts[at]]
        for at in [min(above, key=counts.__getitem__)] if above else shown:
            hidden[at] = True


def _may_be(
    cell: int, counts: Sequence[int], weights: Sequence[int], hidden: list[bool], least: int
) -> bool:
    """Whether three hidden counts, this one among them, can trade until it is ``least``.

    What is sought are whole numbers of which none falls to zero: zeros are shown.
    """
    others = [at for at, gone in enumerate(hidden) if gone and weights[at] and at != cell]
    for one, other in permutations(others, 2):
        more = weights[other] - weights[one]
        if more <= 0:
            continue
        moves = [more, weights[cell] - weights[other], weights[one] - weights[cell]]
        step = gcd(*moves)
        own, first, second = (move // step for move in moves)
        times = -((counts[cell] - least) // own)
        ends = (counts[one] + times * first, counts[other] + times * second)
        kept = (counts[one], counts[other])
        if all(end >= 1 or end == was for end, was in zip(ends, kept, strict=True)):
            return True
    return False
