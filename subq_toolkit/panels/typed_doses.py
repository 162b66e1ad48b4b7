"""The dose planner without its controls: what was typed goes in, answers come out.

Each part of the planner has a frozen state, all of it as typed, and a function from that
state to an ``Answered``: the value, or what to type instead, entry by entry.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from subq_toolkit.conversion import Conversion, convert_iv_to_sc
from subq_toolkit.dosing import immunoglobulin_dose_g, patient_controlled, rotation_calendar
from subq_toolkit.errors import InputError
from subq_toolkit.formulas import Bound, number
from subq_toolkit.planning import Plan, plan_infusion


@dataclass(frozen=True)
class PlanState:
    """What is to be infused; empty where nothing is stated.

    Attributes
    ----------
    product, use, market
        As for ``plan_infusion``.
    amount, value
        Which amount is typed (``volume_ml``, ``dose_mg``, ``rate_ml_per_h``,
        ``dose_rate_mg_per_h``, ``dose_ng_per_kg_per_min``) and its number.
    duration_h, concentration_mg_per_ml, infusion_number, weight_kg, age_y, sites, pumps
        As typed.
    own_limit, limit_ml_per_h_per_site
        Whether a limit of one's own stands in place of the published one, and which.
    pump_step_ml_per_h, ka_per_h
        Increment of the pump [mL/h]; rate of absorption for the depot chart [1/h].
    start_at
        Date and clock time of the planned start.
    """

    product: str = "general"
    use: str = ""
    market: str = "US"
    amount: str = "volume_ml"
    value: str = "9"
    duration_h: str = ""
    concentration_mg_per_ml: str = "20"
    infusion_number: str = ""
    weight_kg: str = ""
    age_y: str = ""
    sites: str = ""
    pumps: str = "1"
    own_limit: bool = False
    limit_ml_per_h_per_site: float = 3.0
    pump_step_ml_per_h: str = ""
    ka_per_h: str = "8.66"
    start_at: str = "2026-03-02 09:00"


@dataclass(frozen=True)
class ConversionState:
    """An intravenous dose to convert: by a preset, or by a ratio of one's own."""

    drug: str = "morphine"
    iv_dose: str = "10"
    unit: str = "mg"
    preset: str = "fast_fact"
    ratio: str = ""
    iv_interval_weeks: str = ""
    sc_interval_weeks: str = "1"
    split: str = "1"


@dataclass(frozen=True)
class BolusState:
    """A patient-controlled setting; names as for ``patient_controlled``."""

    basal_mg_per_h: str = "6"
    bolus_mg: str = "2"
    lockout_min: str = "20"
    concentration_mg_per_ml: str = "10"
    boluses: str = "worst_window"
    limit_1h_mg: str = ""
    limit_4h_mg: str = ""
    limit_ml_per_h_per_site: str = "3"
    sites: str = "1"


@dataclass(frozen=True)
class RotationState:
    """How long sets stay and used positions are barred; names as for ``rotation_calendar``."""

    days: str = "30"
    dwell_days: str = "3"
    exclusion_days: str = "12"
    positions: str = ""


@dataclass(frozen=True)
class DoseState:
    """All that stands in the dose planner."""

    plan: PlanState = field(default_factory=PlanState)
    conversion: ConversionState = field(default_factory=ConversionState)
    boluses: BolusState = field(default_factory=BolusState)
    rotation: RotationState = field(default_factory=RotationState)


@dataclass(frozen=True)
class Answered:
    """An answer, or the entries that stand in its way and what to type there.

    ``note`` is what the reader has to know where no single entry is at fault.
    """

    value: object | None
    problems: dict[str, str] = field(default_factory=dict)
    note: str = ""


class Converted(NamedTuple):
    """A converted dose, and one dose of the regimen that was typed beside it, if any. [g]"""

    conversion: Conversion
    each_g: float | None


_ABOVE_ZERO = Bound("a number above zero", 0, more_than=True)
_WHOLE = ("infusion_number", "sites", "pumps", "split", "days", "positions")


def read_numbers(state: object, *names: str) -> tuple[dict[str, float | None], dict[str, str]]:
    """The numbers typed under ``names``, None for an empty entry; and what cannot be read."""
    numbers, problems = {}, {}
    for name in names:
        text = getattr(state, name).strip()
        try:
            found = float(text) if text else None
            if found is not None and name in _WHOLE and found == int(found):
                found = int(found)
            numbers[name] = found
        except (ValueError, OverflowError):
            problems[name] = "This is not a number. Type it like 80 or 12.5, without the unit."
    return numbers, problems


def _answered(
    state: object,
    names: tuple[str, ...],
    compute: Callable[[dict], object],
    needed: tuple[str, ...] = (),
) -> Answered:
    """Compute from what was typed; a refusal is shown at the entries that it names."""
    numbers, problems = read_numbers(state, *names)
    empty = [name for name in needed if name not in problems and numbers[name] is None]
    problems |= dict.fromkeys(empty, "Type a number; 0 if that is meant.")
    if problems:
        return Answered(None, problems, "An entry cannot be used: see the mark.")
    try:
        return Answered(compute(numbers))
    except InputError as refused:
        named = [name for name in re.findall(r"'(\w+)'", str(refused)) if hasattr(state, name)]
        return Answered(None, {name: str(refused) for name in named[:1]}, str(refused))


def answer_plan(state: PlanState) -> Answered:
    """The ``Plan`` of what was typed."""
    names = (
        "value",
        "duration_h",
        "concentration_mg_per_ml",
        "infusion_number",
        "weight_kg",
        "age_y",
        "sites",
        "pumps",
        "pump_step_ml_per_h",
        "ka_per_h",
    )

    def made(numbers: dict) -> Plan:
        amount, ka_per_h = numbers.pop("value"), numbers.pop("ka_per_h")
        if ka_per_h is not None:
            number("ka_per_h", ka_per_h, _ABOVE_ZERO)
        own = state.limit_ml_per_h_per_site if state.own_limit else None
        return plan_infusion(
            None if state.product == "general" else state.product,
            use=state.use or None,
            market=state.market,
            limit_ml_per_h_per_site=own,
            start_at=state.start_at,
            **{state.amount: amount},
            **numbers,
        )

    return _answered(state, names, made, needed=("value", "pumps"))


def answer_conversion(state: ConversionState) -> Answered:
    """The ``Converted`` of what was typed; the regimen counts for immunoglobulin alone."""
    regimen = ("iv_interval_weeks", "sc_interval_weeks", "split")

    def made(numbers: dict) -> Converted:
        found = converted(numbers)
        if state.drug != "immunoglobulin" or numbers["iv_interval_weeks"] is None:
            return Converted(found, None)
        weeks = {name: numbers[name] for name in regimen if numbers[name] is not None}
        return Converted(
            found, immunoglobulin_dose_g(iv_dose_g=found.iv_dose, factor=found.ratio, **weeks)
        )

    def converted(numbers: dict) -> Conversion:
        return convert_iv_to_sc(
            drug=state.drug,
            iv_dose=numbers["iv_dose"],
            unit=state.unit,
            ratio=None if state.preset else numbers["ratio"],
            preset=state.preset or None,
        )

    return _answered(state, ("iv_dose", "ratio", *regimen), made, needed=("iv_dose",))


def answer_boluses(state: BolusState) -> Answered:
    """The table of ``patient_controlled`` for what was typed."""
    names = (
        "basal_mg_per_h",
        "bolus_mg",
        "lockout_min",
        "concentration_mg_per_ml",
        "limit_1h_mg",
        "limit_4h_mg",
        "limit_ml_per_h_per_site",
        "sites",
    )

    def made(numbers: dict) -> pl.DataFrame:
        return patient_controlled(boluses=state.boluses, **numbers)

    return _answered(state, names, made, needed=(*names[:4], "sites"))


def answer_rotation(state: RotationState) -> Answered:
    """The calendar of ``rotation_calendar`` for what was typed."""
    names = ("days", "dwell_days", "exclusion_days", "positions")

    def made(numbers: dict) -> pl.DataFrame:
        return rotation_calendar(**numbers)

    return _answered(state, names, made, needed=names[:3])
