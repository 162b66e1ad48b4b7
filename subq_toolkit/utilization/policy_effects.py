"""What each other answer to a disputed question would change in units and outcomes."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import polars as pl

from subq_toolkit.administrations import judged
from subq_toolkit.coding import Coded, facts_of
from subq_toolkit.errors import InputError
from subq_toolkit.intake import Intake
from subq_toolkit.policy import CHOICES, Policy, policy_preset
from subq_toolkit.units import UNITS
from subq_toolkit.utilization.coded_units import check_coded

_BRIDGE = "bridge_pauses_min"
_NAMES = (*CHOICES, _BRIDGE)
_OUTCOMES = ("coded", "query", "refer")
#: A number of minutes that stands for all others; the preset says for what.
_SOME_MIN = policy_preset("bag_changes_count").bridge_pauses_min
Choices = Sequence[str] | Mapping[str, Iterable[str | int]]
_ROWS = {
    "choice": pl.String,
    "answer": pl.String,
    "in_force": pl.String,
    "example": pl.Boolean,
    "code": pl.String,
    "units": pl.Int64,
    "units_in_force": pl.Int64,
    "difference": pl.Int64,
    **dict.fromkeys(_OUTCOMES, pl.Int64),
    **{f"{outcome}_difference": pl.Int64 for outcome in _OUTCOMES},
    "changed": pl.Int64,
}


def policy_effects(
    coded: Coded,
    *,
    choices: Choices | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> pl.DataFrame:
    """Code the same charts under every other answer to each question of policy, one at a time.

    Parameters
    ----------
    coded
        What ``code_administrations`` returned.
    choices
        Names of choices as ``policy_choices()`` lists them, or a mapping of a name to the
        answers to try, e.g. ``{"bridge_pauses_min": [5, 15]}``; None for all.
    progress
        Called after each answer with how many are done, and of how many.

    Returns
    -------
    pl.DataFrame
        ``choice``, ``answer``, ``in_force`` (the answer of ``coded.policy``), ``example`` (true
        where the answer is one number that stands for many: pauses bridged), ``code``,
        ``units`` (of coded encounters under the answer), ``units_in_force``, ``difference``
        [1], and, the same for each code: ``coded, query, refer`` (encounters),
        ``coded_difference, query_difference, refer_difference`` (to those under
        ``coded.policy``) and ``changed`` (encounters whose outcome or reported units differ)
        [1]. In the order of ``policy_choices()``.

    Raises
    ------
    InputError
        If ``coded`` is something else, or a choice or an answer is unknown.

    Notes
    -----
    The rows are taken into memory once and coded again for each answer; nothing is read again.
    Each answer is tried with all others as in force, so differences do not add up. The choice
    ``midnight`` moves units between dates and never changes their number.
    """
    check_coded(coded)
    variants = _variants(coded.policy, choices)
    intake = judged(coded.intake)
    base = _reported(intake, coded.policy)
    rows: list[dict] = []
    for done, (choice, answer) in enumerate(variants, start=1):
        other = _reported(intake, replace(coded.policy, **{choice: answer}))
        rows += _compared(base, other, _told(coded.policy, choice, answer))
        if progress is not None:
            progress(done, len(variants))
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def answers_to_try(policy: Policy) -> dict[str, list[str | int]]:
    """The answers other than those in force, by choice; of numbers one that stands for them."""
    others: dict[str, list[str | int]] = {
        name: [answer for answer in choice["answers"] if answer != getattr(policy, name)]
        for name, choice in CHOICES.items()
    }
    return others | {_BRIDGE: [0 if policy.bridge_pauses_min else _SOME_MIN]}


def _variants(policy: Policy, choices: Choices | None) -> list[tuple[str, str | int]]:
    """Choice and answer of each variant, without the answers in force."""
    usual = answers_to_try(policy)
    if choices is None:
        wanted: Mapping[str, Iterable[str | int]] = usual
    elif isinstance(choices, Mapping):
        wanted = choices
    else:
        names = [choices] if isinstance(choices, str) else choices
        wanted = {name: usual.get(name, ()) for name in names}
    for name in wanted:
        if name not in _NAMES:
            near = difflib.get_close_matches(str(name), _NAMES, n=1)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            raise InputError(f"There is no choice {name!r}; there are {', '.join(_NAMES)}.{meant}")
    pairs = [
        (name, answer)
        for name in _NAMES
        if name in wanted
        for answer in _listed(wanted[name])
        if answer != getattr(policy, name)
    ]
    for name, answer in pairs:
        replace(policy, **{name: answer})
    return list(dict.fromkeys(pairs))


def _listed(answers: str | int | Iterable[str | int]) -> list[str | int]:
    return [answers] if isinstance(answers, str | int) else list(answers)


def _reported(intake: Intake, policy: Policy) -> pl.DataFrame:
    """Outcome of each encounter, and its units where it is coded."""
    coded = pl.col("outcome") == "coded"
    units = {name: pl.when(coded).then(pl.col(fact)) for name, fact in UNITS.items()}
    return facts_of(intake, policy).select("encounter_id", "outcome", **units).collect()


def _told(policy: Policy, choice: str, answer: str | int) -> dict[str, object]:
    """The variant in words."""
    in_force, example = getattr(policy, choice), choice == _BRIDGE and answer != 0
    told = {"choice": choice, "answer": str(answer), "in_force": str(in_force)}
    return told | {"example": example}


def _compared(base: pl.DataFrame, other: pl.DataFrame, told: dict[str, object]) -> list[dict]:
    """The rows of one answer, a code each."""
    names = ["outcome", *UNITS]
    both = base.join(other, on="encounter_id", suffix="_other")
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_other")) for name in names)
    counts = {"changed": both.select(differs.sum()).item()}
    for outcome in _OUTCOMES:
        was, now = ((frame["outcome"] == outcome).sum() for frame in (base, other))
        counts |= {outcome: now, f"{outcome}_difference": now - was}
    rows = []
    for name in UNITS:
        was, now = (int(frame[name].sum()) for frame in (base, other))
        units = {"units": now, "units_in_force": was, "difference": now - was}
        rows.append(told | {"code": name.removeprefix("units_")} | units | counts)
    return rows
