"""The same work done by other means: each module one way, each function one piece of work.

A way takes a ``Given`` and returns its result in memory, in whatever form it is at home in;
``answers.as_table`` brings the results into one form, and they must be equal before anything is
timed. What a way leaves out, beside what the toolkit does, stands at its head.
"""

from collections.abc import Callable
from typing import NamedTuple

from . import (
    duckdb_by_hand,
    floors,
    numpy_draws,
    pandas_by_hand,
    plain_python,
    polars_windows,
    toolkit,
)
from .given import DRAWS, Given


class Way(NamedTuple):
    """How a piece of work is done.

    ``on_sample``: on the sample alone, its seconds then counted up to all encounters;
    ``draws``: so many draws of a simulation are made, counted up likewise;
    ``answers``: whether the result is the toolkit's; a floor leaves out what matters.
    """

    run: Callable[[Given], object]
    on_sample: bool = False
    draws: int = DRAWS
    answers: bool = True


TOOLKIT = "subq_toolkit"
#: Work to ways, by the name of each; the first is the one that all others are held against.
WORK: dict[str, dict[str, Way]] = {
    "coding": {
        TOOLKIT: Way(toolkit.coding),
        "rules alone": Way(toolkit.minutes_and_units),
        "floor": Way(floors.coding, answers=False),
        "Polars windows": Way(polars_windows.coding),
        "DuckDB": Way(duckdb_by_hand.coding),
        "pandas": Way(pandas_by_hand.coding),
        "plain Python": Way(plain_python.coding, on_sample=True),
    },
    "audit": {
        TOOLKIT: Way(toolkit.audit),
        "floor": Way(floors.audit, answers=False),
        "DuckDB": Way(duckdb_by_hand.audit),
        "pandas": Way(pandas_by_hand.audit),
        "plain Python": Way(plain_python.audit, on_sample=True),
    },
    "summary": {
        TOOLKIT: Way(toolkit.summary),
        "floor": Way(floors.summary, answers=False),
        "Polars windows": Way(polars_windows.summary),
        "DuckDB": Way(duckdb_by_hand.summary),
        "pandas": Way(pandas_by_hand.summary),
        "plain Python": Way(plain_python.summary, on_sample=True),
    },
    "scenario": {
        TOOLKIT: Way(toolkit.scenario),
        "floor": Way(floors.scenario),
        "Polars windows": Way(polars_windows.scenario),
        "DuckDB": Way(duckdb_by_hand.scenario),
        "pandas": Way(pandas_by_hand.scenario),
        "plain Python": Way(plain_python.scenario, on_sample=True),
    },
    "limits": {
        TOOLKIT: Way(toolkit.limits),
        "floor": Way(floors.limits, answers=False),
        "DuckDB": Way(duckdb_by_hand.limits),
        "pandas": Way(pandas_by_hand.limits),
        "plain Python": Way(plain_python.limits, on_sample=True),
    },
    "draws": {
        TOOLKIT: Way(toolkit.draws),
        "floor": Way(floors.draws),
        "numpy loop": Way(numpy_draws.draws, draws=numpy_draws.DRAWS),
        "plain Python": Way(plain_python.draws, on_sample=True, draws=plain_python.DRAWS),
    },
}
