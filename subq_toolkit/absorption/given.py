"""What may be handed in: finite numbers of the right sign, whole counts, lists of hours.

A message names the argument, the rule and what to change; never the number that was given.
"""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from subq_toolkit.errors import InputError

#: Numbers of one column, e.g. hours or millilitres.
Numbers: TypeAlias = NDArray[np.float64]

#: One number, or any list of them.
Hours: TypeAlias = float | Sequence[float] | Numbers | pl.Series

#: Anything from here on counts as not finite, and anything below its inverse as 0: products and
#: quotients of three accepted numbers then stay numbers.
_ENDLESS = 1e100

#: Most pulses or sites; more is a slip of the hand.
_MOST = 1_000_000


def not_negative(name: str, given: object) -> float:
    """Take a number that is 0 or more."""
    number = _finite(name, given, "0 or more")
    if number < 0:
        raise InputError(f"{name} must be 0 or more; it is negative. Correct its sign.")
    return number


def positive(name: str, given: object) -> float:
    """Take a number that is more than 0."""
    number = _finite(name, given, "more than 0")
    if number < 1 / _ENDLESS:
        raise InputError(f"{name} must be more than 0; it is 0 or negative. Correct it.")
    return number


def whole(name: str, given: object) -> int:
    """Take a whole number from 1 to a million."""
    if isinstance(given, bool) or not isinstance(given, Integral) or not 1 <= given <= _MOST:
        raise InputError(
            f"{name} must be a whole number from 1 to {_MOST:,}. Write e.g. {name}=2, without "
            f"unit, quotes or decimal point."
        )
    return int(given)


def _finite(name: str, given: object, rule: str) -> float:
    if isinstance(given, bool) or not isinstance(given, Real):
        raise InputError(
            f"{name} must be a number, {rule}; it is of type {type(given).__name__}. "
            f"Write e.g. {name}=3, without unit or quotes."
        )
    if not abs(given) < _ENDLESS:
        raise InputError(
            f"{name} must be a finite number, {rule}; it is endless or missing. Replace it."
        )
    return float(given)


def hours_list(name: str, given: object) -> Numbers:
    """Take one number or a list of finite numbers, of any sign and in any order. [h]"""
    rule = f"{name} must be a number or a list of finite numbers, in hours"
    return _numbers(given, (0, 1), rule).ravel()


def rows(name: str, given: object, columns: Sequence[str]) -> Numbers:
    """Take a list of rows of finite numbers, each 0 or more, one number for each column."""
    rule = f"{name} must be a list of rows ({', '.join(columns)})"
    table = _numbers(given, (2,), rule)
    if table.size and table.shape[1] != len(columns):
        raise InputError(f"{rule}; the rows have {table.shape[1]} numbers. Give {len(columns)}.")
    if (table < 0).any():
        raise InputError(
            f"{rule}, each number 0 or more; {(table < 0).any(axis=1).sum():,} row(s) hold a "
            f"negative one. Correct the sign; a plan that begins before hour 0 must be moved."
        )
    return table.reshape(-1, len(columns))


def _numbers(given: object, dimensions: Sequence[int], rule: str) -> Numbers:
    """Numbers in one of these shapes, or none at all."""
    try:
        found = np.array(given)
    except (TypeError, ValueError):
        found = np.array(None)
    if found.dtype.kind not in "iuf" or (found.size and found.ndim not in dimensions):
        raise InputError(f"{rule}. Write plain numbers, without units or quotes.")
    if not (np.abs(found) < _ENDLESS).all():
        raise InputError(f"{rule}; some are endless or missing. Replace or remove them.")
    return found.astype(float)
