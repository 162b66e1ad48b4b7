"""How a formula of the dose is written once and serves plain numbers and columns alike.

A formula names its arguments with their unit and says in their types what may stand
there. Plain numbers outside of that are refused with a message; in a column such an entry
gives null, never a number that looks like an answer.
"""

import difflib
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import wraps
from numbers import Integral, Real
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints

import polars as pl

from subq_toolkit.errors import InputError

#: What every quantity may be: a number, an expression over columns, or a column.
Value = float | pl.Expr


@dataclass(frozen=True)
class Bound:
    """What may stand in an argument, in words and as a test of a number or a column."""

    words: str
    least: float
    more_than: bool = False
    most: float = math.inf
    whole: bool = False

    def holds(self, value: Value) -> Any:
        """Whether a number lies within, or for each entry of a column."""
        above = value > self.least if self.more_than else value >= self.least
        inside = above & (value <= self.most)
        return inside & (value % 1 == 0) if self.whole else inside


Amount = Annotated[Value, Bound("a number, zero or more", 0)]
Positive = Annotated[Value, Bound("a number above zero", 0, more_than=True)]
Share = Annotated[Value, Bound("a share from 0 to 1", 0, most=1)]
Count = Annotated[Value, Bound("a whole number from 1 on", 1, whole=True)]

_LARGEST, _MOST_COUNTED = 1e300, 1e12
#: Suffix of a name to the unit it stands for, longest first.
_UNITS = {
    "_ng_per_kg_per_min": "ng/kg/min",
    "_mg_per_kg_per_day": "mg/kg/day",
    "_ml_per_h_per_site": "mL/h/site",
    "_ml_per_site": "mL/site",
    "_ml_per_run": "mL",
    "_mg_per_ml": "mg/mL",
    "_ml_per_h": "mL/h",
    "_mg_per_h": "mg/h",
    "_u_per_h": "u/h",
    "_ml_per_day": "mL/day",
    "_mg_per_day": "mg/day",
    "_h_per_day": "h/day",
    "_per_h": "1/h",
    "_weeks": "weeks",
    "_days": "days",
    "_dose_u": "u",
    "_min": "min",
    "_mg": "mg",
    "_ml": "mL",
    "_kg": "kg",
    "_cm": "cm",
    "_g": "g",
    "_h": "h",
    "_y": "years",
}


def unit_of(name: str) -> str:
    """The unit that a name ends in; ``1`` for counts and shares."""
    return next((unit for suffix, unit in _UNITS.items() if name.endswith(suffix)), "1")


def formula(function: Callable) -> Callable:
    """Make a formula of named arguments check them, and take numbers or columns.

    Arguments may be numbers, expressions or Series; the answer to an expression is one that
    bears the formula's name, and with a Series among them a Series. The types ``Amount``,
    ``Positive``, ``Share`` and ``Count`` say what may stand in an argument.
    """
    bounds = {
        name: _hint(hint)
        for name, hint in get_type_hints(function, include_extras=True).items()
        if name != "return"
    }
    signature = inspect.signature(function)

    @wraps(function)
    def checked(*unnamed: object, **given: Any) -> Any:
        _check_names(function.__name__, signature, unnamed, given)
        series = {name: one for name, one in given.items() if isinstance(one, pl.Series)}
        if series:
            frame = pl.DataFrame([one.alias(name) for name, one in series.items()])
            columns = {name: pl.col(name) for name in series}
            return frame.select(checked(**given | columns)).to_series()
        found = function(**{name: _checked(name, one, bounds[name]) for name, one in given.items()})
        if isinstance(found, pl.Expr):
            return found.alias(function.__name__)
        return _finite(function.__name__, found)

    return checked


def _finite(called: str, found: Any) -> Any:
    if isinstance(found, float) and not math.isfinite(found):
        raise InputError(
            f"{called}: the answer is too large or too small for a number. Look for an argument "
            f"in another unit."
        )
    return found


def number(name: str, value: object, bound: Bound) -> float:
    """Check one plain number, of Python or NumPy; a whole one comes back as ``int``.

    Raises
    ------
    InputError
        If it is no number or lies outside; the message shows no value.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InputError(
            f"'{name}' is {bound.words} [{unit_of(name)}], not a {type(value).__name__}. "
            f"Give the bare number in that unit, or a Polars expression for a column."
        )
    if abs(value) > _LARGEST or not math.isfinite(value) or not bound.holds(value):
        raise InputError(
            f"'{name}' is {bound.words} [{unit_of(name)}]; {_fault(value, bound)}. "
            f"Correct it, or convert it to {unit_of(name)}."
        )
    return int(value) if bound.whole or isinstance(value, Integral) else float(value)


def check_day(on: object, *, optional: bool = False) -> None:
    """Check that a day is a date.

    Raises
    ------
    InputError
        If it is none.
    """
    day = isinstance(on, date) and not isinstance(on, datetime)
    if not (day or (optional and on is None)):
        left_out = ", or left out" if optional else ""
        raise InputError(f"'on' is a date, e.g. datetime.date(2026, 3, 2){left_out}.")


def _fault(value: float, bound: Bound) -> str:
    if abs(value) > _LARGEST or not math.isfinite(value):
        return "it is not a finite number"
    if value == 0:
        return "it is zero"
    if value < bound.least:
        return "it is negative" if value < 0 else f"it is below {bound.least:g}"
    return f"it is above {bound.most:g}" if value > bound.most else "it has a fraction"


def _checked(name: str, value: Any, hint: "_Hint") -> Any:
    if hint.bound is None or (value is None and hint.optional):
        return value
    if isinstance(value, pl.Expr):
        wide = value.cast(pl.Float64, strict=False)
        return pl.when(wide.is_finite() & hint.bound.holds(wide)).then(wide)
    return number(name, value, hint.bound)


class _Hint(NamedTuple):
    """What a type such as ``Positive | None`` says of an argument."""

    bound: Bound | None
    optional: bool


def _hint(hint: object) -> _Hint:
    parts = get_args(hint)
    inner = [hint] if isinstance(hint, Bound) else [_hint(part).bound for part in parts]
    return _Hint(next((bound for bound in inner if bound), None), type(None) in parts)


def _check_names(
    called: str, signature: inspect.Signature, unnamed: tuple, given: dict[str, object]
) -> None:
    takes = ", ".join(f"{name} [{unit_of(name)}]" for name in signature.parameters)
    if unnamed:
        raise InputError(f"{called}: name every argument; it takes {takes}.")
    for name in given:
        if name not in signature.parameters:
            near = difflib.get_close_matches(name, signature.parameters, n=1, cutoff=0.4)
            meant = f" Did you mean '{near[0]}' [{unit_of(near[0])}]?" if near else ""
            raise InputError(
                f"{called} has no argument '{name}'.{meant} It takes {takes}. "
                f"Convert a value in another unit first."
            )
    missing = [
        name
        for name, one in signature.parameters.items()
        if one.default is one.empty and name not in given
    ]
    if missing:
        needs = ", ".join(f"'{name}' [{unit_of(name)}]" for name in missing)
        raise InputError(f"{called} also needs {needs}.")


def up(value: Value) -> Value:
    """The next whole number; noise of the last digits does not lift it."""
    return _whole(value, -1)


def down(value: Value) -> Value:
    """The whole number below; noise of the last digits does not lower it."""
    return _whole(value, 1)


def _whole(value: Value, lean: int) -> Value:
    leaning = value * (1 + lean * 1e-12)
    if isinstance(leaning, pl.Expr):
        return (leaning.floor() if lean > 0 else leaning.ceil()).cast(pl.Int64, strict=False)
    if abs(leaning) > _MOST_COUNTED:
        raise InputError(
            "This counts to more than can be meant. Look for an argument in another unit, or one "
            "that is nearly zero."
        )
    return math.floor(leaning) if lean > 0 else math.ceil(leaning)


def smaller(*values: Value) -> Value:
    """The smallest of numbers or, row by row, of columns; null if one is missing."""
    return _extreme(min, pl.min_horizontal, values)


def larger(*values: Value) -> Value:
    """The largest of numbers or, row by row, of columns; null if one is missing."""
    return _extreme(max, pl.max_horizontal, values)


def _extreme(of_numbers: Callable, of_columns: Callable, values: tuple[Value, ...]) -> Value:
    columns = [one for one in values if isinstance(one, pl.Expr)]
    if not columns:
        return of_numbers(values)
    known = pl.all_horizontal(one.is_not_null() for one in columns)
    return pl.when(known).then(of_columns(*values))
