"""What was prescribed, as one frozen value, and the amounts that follow from it."""

from dataclasses import dataclass, field
from datetime import datetime

from subq_toolkit.charted_run import charted_time
from subq_toolkit.dosing import rate_ml_per_h, volume_ml, weight_based_rate_ml_per_h
from subq_toolkit.errors import InputError
from subq_toolkit.formulas import Bound, number
from subq_toolkit.policy import Policy
from subq_toolkit.products import Circumstances

_ABOVE_ZERO = Bound("a number above zero, up to a million", 1e-9, most=1e6)
_COUNT = Bound("a whole number from 1 to 100", 1, most=100, whole=True)
#: Longest plan that is believed. [h]
LONGEST_H = 24 * 31
_POSITIVE = (
    "volume_ml",
    "dose_mg",
    "rate_ml_per_h",
    "dose_rate_mg_per_h",
    "dose_ng_per_kg_per_min",
    "duration_h",
    "concentration_mg_per_ml",
    "limit_ml_per_h_per_site",
    "limit_ml_per_site",
    "pump_step_ml_per_h",
)
_RATES = ("rate_ml_per_h", "dose_rate_mg_per_h", "dose_ng_per_kg_per_min")


@dataclass(frozen=True)
class Prescription:
    """An infusion as it was ordered; ``plan_infusion`` says what each field means.

    Raises
    ------
    InputError
        If a number is out of range, or the amount is stated not at all or twice.
    """

    product: str | None = None
    volume_ml: float | None = None
    dose_mg: float | None = None
    rate_ml_per_h: float | None = None
    dose_rate_mg_per_h: float | None = None
    dose_ng_per_kg_per_min: float | None = None
    duration_h: float | None = None
    concentration_mg_per_ml: float | None = None
    sites: int | None = None
    pumps: int = 1
    limit_ml_per_h_per_site: float | None = None
    limit_ml_per_site: float | None = None
    pump_step_ml_per_h: float | None = None
    given: Circumstances = field(default_factory=Circumstances)
    start_at: datetime | None = None
    setting: str | None = None
    policy: Policy = field(default_factory=Policy)
    facility_zone: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "start_at", charted_time("start_at", self.start_at))
        for name in (*_POSITIVE, "sites", "pumps"):
            if getattr(self, name) is not None or name == "pumps":
                bound = _ABOVE_ZERO if name in _POSITIVE else _COUNT
                object.__setattr__(self, name, number(name, getattr(self, name), bound))
        if self.sites is not None and self.sites < self.pumps:
            raise InputError(
                "Every pump needs a site of its own: 'sites' [1] is below 'pumps' [1]. "
                "Raise 'sites', lower 'pumps', or leave 'sites' out."
            )
        self._check_amount()

    @property
    def own_limits(self) -> dict[str, float]:
        """Limits that stand in place of published ones, under the names of those."""
        own = {
            "max_ml_per_h_per_site": self.limit_ml_per_h_per_site,
            "max_ml_per_site": self.limit_ml_per_site,
        }
        return {name: value for name, value in own.items() if value is not None}

    def _check_amount(self) -> None:
        amounts = [name for name in ("volume_ml", "dose_mg") if getattr(self, name) is not None]
        rates = [name for name in _RATES if getattr(self, name) is not None]
        timed = [*rates, *(["duration_h"] if self.duration_h is not None else [])]
        if len(amounts) > 1 or len(rates) > 1 or (amounts and len(timed) > 1):
            raise InputError(
                f"The amount is stated twice: {', '.join([*amounts, *timed])}. State a volume "
                f"[mL] or a dose [mg], alone or with a rate or a duration [h]; or a rate and a "
                f"duration."
            )
        if not amounts and len(timed) < 2:
            raise InputError(
                "State what is infused: 'volume_ml' [mL], or 'dose_mg' [mg] with a concentration, "
                "or a rate ('rate_ml_per_h', 'dose_rate_mg_per_h', 'dose_ng_per_kg_per_min') "
                "with 'duration_h' [h]."
            )


@dataclass(frozen=True)
class Amounts:
    """What a prescription comes to: volume [mL], concentration [mg/mL], rate asked [mL/h]."""

    volume_ml: float
    concentration_mg_per_ml: float | None
    asked_ml_per_h: float | None

    @property
    def dose_mg(self) -> float | None:
        """Volume times concentration. [mg]"""
        strength = self.concentration_mg_per_ml
        return None if strength is None else self.volume_ml * strength


def amounts_of(ordered: Prescription, known_mg_per_ml: float | None) -> Amounts:
    """Work out volume, concentration and rate.

    Parameters
    ----------
    ordered
        The prescription.
    known_mg_per_ml
        Concentration of the product, if it has just one. [mg/mL]

    Raises
    ------
    InputError
        If a dose is stated and its concentration is not known, or one by weight without weight.
    """
    strength = ordered.concentration_mg_per_ml or known_mg_per_ml
    asked = _asked(ordered, strength)
    if ordered.volume_ml is not None:
        volume = ordered.volume_ml
    elif ordered.dose_mg is not None:
        needed = _needed("dose_mg", strength)
        volume = volume_ml(dose_mg=ordered.dose_mg, concentration_mg_per_ml=needed)
    else:
        return Amounts(asked * ordered.duration_h, strength, asked)
    if ordered.duration_h is not None:
        asked = volume / ordered.duration_h
    return Amounts(volume, strength, asked)


def _asked(ordered: Prescription, strength: float | None) -> float | None:
    if ordered.dose_rate_mg_per_h is not None:
        needed = _needed("dose_rate_mg_per_h", strength)
        return rate_ml_per_h(
            dose_rate_mg_per_h=ordered.dose_rate_mg_per_h, concentration_mg_per_ml=needed
        )
    if ordered.dose_ng_per_kg_per_min is not None:
        needed = _needed("dose_ng_per_kg_per_min", strength)
        if ordered.given.weight_kg is None:
            raise InputError("'dose_ng_per_kg_per_min' also needs 'weight_kg' [kg].")
        return weight_based_rate_ml_per_h(
            dose_ng_per_kg_per_min=ordered.dose_ng_per_kg_per_min,
            weight_kg=ordered.given.weight_kg,
            concentration_mg_per_ml=needed,
        )
    return ordered.rate_ml_per_h


def _needed(name: str, strength: float | None) -> float:
    if strength is None:
        raise InputError(
            f"'{name}' also needs 'concentration_mg_per_ml' [mg/mL]: the product has none on "
            f"record, or several. Type the one on the bag or syringe."
        )
    return strength
