"""The scenario panel without its controls: what was chosen goes in, scenarios come out.

``ScenarioState`` is all that stands on the screen. It is saved to a small JSON file that
holds terms and no encounter, and read back from it.
"""

import json
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path

from subq_toolkit.errors import InputError
from subq_toolkit.fees import Outpatient, Physician
from subq_toolkit.scenarios import Scenario

_MOST_BYTES = 1_000_000
_MOST_USD = 1_000_000


@dataclass(frozen=True)
class TermsState:
    """The terms of one scenario, as chosen and typed.

    Attributes
    ----------
    name
        How it is called in charts.
    prices
        Day whose prices are used, e.g. ``2026-03-02``; empty for the days of service.
    setting, department
        As for ``Scenario`` and ``Outpatient``.
    locality, apm
        As for ``Physician``; empty for the national amount.
    wage_index
        A number or the name of an area.
    rural_sole_community
        As for ``Outpatient``.
    payers
        What payers pay, in percent: ``Medicaid=60; Self-pay=10``. [%]
    denial_percent, recovered_percent, further_setup_percent, stretch_percent
        Shares in percent. [%]
    shift_min
        Minutes more or less. [min]
    unit_cap
        As for ``Scenario``; empty for the answer under which the work was coded.
    """

    name: str = "as charted"
    prices: str = "2026-03-02"
    setting: str = "as_charted"
    locality: str = ""
    apm: bool = False
    wage_index: str = "1"
    department: str = "on_campus"
    rural_sole_community: bool = False
    payers: str = ""
    denial_percent: float = 0.0
    recovered_percent: float = 0.0
    further_setup_percent: float = 0.0
    stretch_percent: float = 100.0
    shift_min: int = 0
    unit_cap: str = ""


#: What-ifs that are asked most often; each changes one thing of the baseline.
PRESETS = {
    "half of the missing stops found": {"recovered_percent": 50.0},
    "one claim in ten denied": {"denial_percent": 10.0},
    "all work in an office": {"setting": "office"},
    "all work in a hospital": {"setting": "hospital"},
    "an off-campus department": {"department": "off_campus"},
    "charted five minutes short": {"shift_min": -5},
    "prices of 2024": {"prices": "2024-06-03"},
    "further hours up to the unlikely edit": {"unit_cap": "unlikely_edit"},
}


@dataclass(frozen=True)
class ScenarioState:
    """All that stands in the scenario panel.

    Attributes
    ----------
    terms
        The baseline and one to three what-ifs.
    shown
        Which what-if the bridge leads to: 1 for the first.
    code, ours
        Code and locality of the ranking.
    charges
        Our charges: ``96369=500; 96370=150``. [USD]
    state
        State whose hospital prices they are held against, or ``US``.
    chair_usd_per_h, nurse_usd_per_h, setup_usd, fixed_usd
        Costs of the break-even, as typed. [USD/h], [USD]
    """

    terms: tuple[TermsState, ...] = (
        TermsState(),
        TermsState(name="half of the missing stops", recovered_percent=50.0),
    )
    shown: int = 1
    code: str = "96369"
    ours: str = "15202-00"
    charges: str = "96369=500; 96370=150; 96371=200"
    state: str = "US"
    chair_usd_per_h: str = "30"
    nurse_usd_per_h: str = "50"
    setup_usd: str = "20"
    fixed_usd: str = "50000"


def scenario_of(terms: TermsState) -> Scenario:
    """The scenario that the terms say.

    Raises
    ------
    InputError
        If an entry cannot be read; the message says what to type.
    """
    return Scenario(
        name=terms.name.strip() or "unnamed",
        hospital=Outpatient(
            wage_index=_wage_index(terms.wage_index),
            department=terms.department,
            rural_sole_community=terms.rural_sole_community,
        ),
        office=Physician(locality=terms.locality.strip() or None, apm=terms.apm, place="office"),
        setting=terms.setting,
        on=_day(terms.prices),
        payer_rates={
            payer: percent / 100
            for payer, percent in pairs(terms.payers, "‘Payers pay’", percent=True).items()
        },
        denial_rate=terms.denial_percent / 100,
        recovered_share=terms.recovered_percent / 100,
        further_setup_share=terms.further_setup_percent / 100,
        stretch=terms.stretch_percent / 100,
        shift_min=terms.shift_min,
        unit_cap=terms.unit_cap or None,
    )


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InputError(
            "‘Prices of’ is a day such as 2026-03-02, or empty for the days of service."
        ) from None


def _wage_index(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text.strip()


def pairs(text: str, name: str, *, percent: bool = False) -> dict[str, float]:
    """Read ``Medicaid=60; Self-pay=10`` as a mapping.

    Raises
    ------
    InputError
        If a part is no name with a number, names something twice, or is out of range.
    """
    example = "Medicaid=60; Self-pay=10" if percent else "96369=500; 96370=150"
    found = {}
    for part in filter(str.strip, text.split(";")):
        key, _, value = (one.strip() for one in part.rpartition("="))
        try:
            number = float(value)
        except ValueError:
            key = ""
        if not key:
            raise InputError(f"{name} is typed as name=number; name=number, e.g. {example}.")
        if key in found:
            raise InputError(f"{name} names one thing twice. Keep one number for each.")
        if not 0 <= number <= (100 if percent else _MOST_USD):
            raise InputError(f"{name}: a number is from 0 to {'100 %' if percent else '1 M USD'}.")
        if percent and 0 < number < 1:
            raise InputError(f"{name} is in percent: type 60 for 60 %, not 0.6.")
        found[key] = number
    return found


def opened(state: ScenarioState | str | Path | None) -> ScenarioState:
    """The state to open a panel with: one that was held, that of a file, or the default.

    Raises
    ------
    InputError
        If it is none of these.
    """
    if isinstance(state, str | Path):
        state = load_state(state)
    if state is None:
        return ScenarioState()
    if not isinstance(state, ScenarioState) or not state.terms:
        raise InputError(
            "'state' is what another panel's state held, or the name of a file that save wrote."
        )
    return state


def save_state(state: ScenarioState, path: str | Path) -> Path:
    """Write a state to a JSON file; it holds terms and no encounter."""
    path = Path(path)
    path.write_text(json.dumps(asdict(state), indent=2), "utf-8")
    return path


def load_state(path: str | Path) -> ScenarioState:
    """Read a state from a file that ``save_state`` wrote.

    Raises
    ------
    InputError
        If the file cannot be read, or holds something else.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError
        held = json.loads(path.read_text("utf-8"))
        terms = tuple(TermsState(**_known(TermsState, one)) for one in held.pop("terms"))
        return ScenarioState(terms=terms, **_known(ScenarioState, held))
    except (OSError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise InputError(
            f"{path.name} is no saved state of the scenario panel. Save one with "
            f"panel.save('{path.name}'), or start from the default."
        ) from None


def _known(kind: type, held: dict) -> dict:
    """The entries of a state, each of the type that its default has."""
    default = kind()
    for one in fields(kind):
        if one.name in held:
            wanted = type(getattr(default, one.name))
            given = held[one.name]
            if wanted is float and type(given) is int:
                held[one.name] = float(given)
            elif type(given) is not wanted:
                raise TypeError
    return held
