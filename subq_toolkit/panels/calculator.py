"""The coding calculator without its controls: what was typed goes in, the answer comes out.

``CalculatorState`` is all that stands on the screen; ``answer`` is a function of it, so
that what was found by typing can be carried on in code.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from subq_toolkit.charted_run import Administration
from subq_toolkit.encounter import EncounterResult, code_encounter
from subq_toolkit.errors import InputError, SubqError
from subq_toolkit.panels.typed_runs import (
    TypedRun,
    local_time,
    read_discharge,
    read_run,
    typed_from,
)
from subq_toolkit.policy import Policy

#: Two pumps, one inside the time of the other. Invented.
EXAMPLE = (
    TypedRun("2026-03-02", "09:00", "11:31", pump_id="A", site="abdomen"),
    TypedRun("2026-03-02", "09:10", "11:00", pump_id="B", site="left thigh"),
)
_SHARED = ("setting", "indication", "discharge_at")


@dataclass(frozen=True)
class CalculatorState:
    """All that was typed and chosen.

    Attributes
    ----------
    runs
        The rows, as typed.
    setting, indication
        As in ``administrations.CHOICES``; empty if not stated.
    discharge
        Date and clock time as typed, e.g. ``2026-03-02 12:00``; empty if not charted.
    facility_zone
        Zone of the clock on the wall, e.g. ``America/New_York``; empty if not stated.
    policy
        The choices on which sources disagree.
    """

    runs: tuple[TypedRun, ...] = EXAMPLE
    setting: str = ""
    indication: str = ""
    discharge: str = ""
    facility_zone: str = ""
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True)
class Answer:
    """What a state may be reported as, and what in it could not be used.

    Attributes
    ----------
    result
        None while no row can be read.
    marks
        For each row: entry name to what to type instead.
    discharge_mark
        The same for the discharge; empty if it can be read.
    notes
        What the reader of the headline has to know: which rows were left out, and why.
    whole
        Whether everything typed is in the result.
    """

    result: EncounterResult | None
    marks: tuple[dict[str, str], ...]
    discharge_mark: str
    notes: tuple[str, ...]
    whole: bool


def answer(state: CalculatorState) -> Answer:
    """Code what was typed; entries that cannot be read are marked, the rest is computed."""
    notes: list[str] = []
    discharge_at, discharge_mark = None, ""
    try:
        discharge_at = read_discharge(state.discharge)
    except InputError as error:
        discharge_mark = str(error)
        notes.append("The discharge cannot be read and is not in this answer.")
    shared = (state.setting or None, state.indication or None, discharge_at)
    typed = [run for run in state.runs if not run.is_empty]
    read = {id(run): read_run(run, **dict(zip(_SHARED, shared, strict=True))) for run in typed}
    runs = [one.run for one in read.values() if one.run is not None]
    if left_out := len(typed) - len(runs):
        are = "is" if left_out == 1 else "are"
        notes.insert(0, f"{left_out} of {len(typed)} rows {are} not in this answer: see the marks.")
    result = None
    if runs:
        try:
            zone = state.facility_zone or None
            result = code_encounter(runs, policy=state.policy, facility_zone=zone)
        except SubqError as error:
            notes.append(str(error))
    refused = 0 if result is None else result.refused.height
    if refused:
        notes.append(f"{refused} of {len(typed)} rows refused: {_reasons(result)}.")
    marks = tuple(read[id(run)].problems if id(run) in read else {} for run in state.runs)
    whole = not (left_out or refused or discharge_mark)
    return Answer(result, marks, discharge_mark, tuple(notes), whole)


def _reasons(result: EncounterResult) -> str:
    failed = {check for checks in result.refused["failed"] for check in checks}
    return "failed ‘" + "’, ‘".join(sorted(failed)) + "’"


def state_of(
    runs: Sequence[Administration], *, policy: Policy, facility_zone: str | None
) -> CalculatorState:
    """The state that says what ``runs`` say.

    Raises
    ------
    InputError
        If the runs disagree on what an encounter has once, or carry an offset from UTC
        without a stated zone.
    """
    shared = {}
    for name in _SHARED:
        given = {getattr(run, name) for run in runs}
        if len(given) > 1:
            raise InputError(
                f"The runs of one encounter disagree on {name}. The calculator asks for it once: "
                f"give every run the same, or use code_encounter."
            )
        shared[name] = given.pop() if given else None
    discharge = local_time(shared["discharge_at"], facility_zone)
    return CalculatorState(
        runs=tuple(typed_from(run, facility_zone) for run in runs),
        setting=shared["setting"] or "",
        indication=shared["indication"] or "",
        discharge=f"{discharge:%Y-%m-%d %H:%M}" if discharge else "",
        facility_zone=facility_zone or "",
        policy=policy,
    )
