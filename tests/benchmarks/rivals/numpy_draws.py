"""Simulation as one writes it with numpy: every encounter drawn anew, draw after draw."""

import numpy as np

from .given import DENIED, Given

#: Draws that are made; the seconds are counted up to those of the others.
DRAWS = 40


def draws(given: Given) -> np.ndarray:
    """Encounters drawn with replacement and added up, one draw after the other."""
    random, usd = np.random.default_rng(1), given.usd
    totals = [usd[random.integers(0, len(usd), len(usd))].sum() for _ in range(DRAWS)]
    return np.array(totals) * (1 - DENIED)
