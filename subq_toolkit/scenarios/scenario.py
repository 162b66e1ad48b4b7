"""A scenario: one set of terms under which the same work is looked at, as a frozen value."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date

from subq_toolkit.errors import InputError
from subq_toolkit.fees import Contract, Outpatient, Physician
from subq_toolkit.fees.schedules import AS_CHARTED
from subq_toolkit.formulas import check_day
from subq_toolkit.scenarios.minute_summary import MinuteSummary

_SHARES = ("denial_rate", "recovered_share", "further_setup_share")
_SETTINGS = ("as_charted", "hospital", "office", "home")
_CAPS = ("none", "unlikely_edit")
Shares = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Scenario:
    """One set of terms. Change it with ``dataclasses.replace``; never in place.

    Attributes
    ----------
    name
        How the scenario is called in tables and charts.
    hospital, office, home
        Terms of each place; ``office`` also prices encounters whose place is not stated. Without
        terms for ``home`` its amounts are missing, and never zero.
    setting
        ``as_charted``, or the place to which all work is moved.
    on
        The day whose prices are used for all work; None for those of the day of service.
    payer_rates
        Share of the amount that each payer pays, as a mapping or pairs; 1 for a payer that is
        not named. [1]
    payer_mix
        Share of the encounters of each payer, as a mapping or pairs, adding up to 1; empty for
        the mix as it is. [1]
    denial_rate
        Share of the amounts that is never paid. [1]
    recovered_share
        Share of the encounters without a stop (or start) for which it is found; they are taken
        to earn what the coded encounters of their place earn on average. [1]
    further_setup_share
        Share of first hours without a further set-up that would have one. [1]
    stretch, shift_min
        What is done to every infusion's minutes: times ``stretch``, then ``shift_min`` more, to
        ask what charting or another practice would mean. [1], [min]
    unit_cap
        Another answer to the policy's question of the same name: ``none`` (all further hours)
        or ``unlikely_edit`` (up to the edit); None for the answer under which they were coded.
    work
        The same encounters as coded under another policy, as ``minute_summary`` counts them;
        None for those that are handed in.
    """

    name: str
    hospital: Outpatient | Contract = Outpatient()  # noqa: RUF009 - a frozen value
    office: Physician | Contract = Physician(place="office")  # noqa: RUF009 - a frozen value
    home: Contract | None = None
    setting: str = "as_charted"
    on: date | None = None
    payer_rates: Shares = ()
    payer_mix: Shares = ()
    denial_rate: float = 0.0
    recovered_share: float = 0.0
    further_setup_share: float = 0.0
    stretch: float = 1.0
    shift_min: float = 0.0
    unit_cap: str | None = None
    work: MinuteSummary | None = None

    def __post_init__(self) -> None:
        if self.setting not in _SETTINGS:
            near = difflib.get_close_matches(str(self.setting), _SETTINGS, n=1)
            meant = f" Did you mean '{near[0]}'?" if near else ""
            self._refuse(f"'setting' is one of {', '.join(map(repr, _SETTINGS))}.{meant}")
        check_day(self.on, optional=True)
        for name in ("payer_rates", "payer_mix"):
            object.__setattr__(self, name, self._shares(name))
        self._check_terms()
        if self.unit_cap is not None and self.unit_cap not in _CAPS:
            self._refuse(f"'unit_cap' is one of {', '.join(map(repr, _CAPS))}, or left out.")
        for name in ("stretch", "shift_min"):
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, int | float):
                self._refuse(f"'{name}' is a plain number.")
        for name in _SHARES:
            self._check_share(name, getattr(self, name))
        for payer, share in (*self.payer_rates, *self.payer_mix):
            self._check_share(f"payer {payer!r}", share)
        if self.payer_mix and abs(sum(share for _, share in self.payer_mix) - 1) > 1e-9:
            self._refuse("'payer_mix' must add up to 1; scale its shares.")
        if not 0 < self.stretch <= 10:
            self._refuse(f"'stretch' is a factor above 0 and up to 10, got {self.stretch:g}.")
        if not -1440 <= self.shift_min <= 1440:
            self._refuse("'shift_min' is at most a day either way, in minutes [min].")

    def _shares(self, name: str) -> Shares:
        """Shares by payer, of a mapping or of pairs, as pairs."""
        try:
            given = getattr(self, name)
            pairs = [*given.items()] if isinstance(given, Mapping) else [tuple(p) for p in given]
            shares = dict(pairs)
        except (TypeError, ValueError):
            self._refuse(f"'{name}' is a mapping, e.g. {{'Medicaid': 0.6}}.")
        if len(shares) < len(pairs):
            self._refuse(f"'{name}' names a payer twice. Keep one share for each.")
        return tuple(shares.items())

    def _check_terms(self) -> None:
        kinds = {"hospital": (Outpatient, Contract), "office": (Physician, Contract)}
        kinds |= {"home": (Contract, type(None)), "work": (MinuteSummary, type(None))}
        for name, known in kinds.items():
            if not isinstance(getattr(self, name), known):
                listed = " or ".join(one.__name__ for one in known)
                self._refuse(f"'{name}' is {listed.replace('NoneType', 'left out')}.")
        terms = self.hospital
        if isinstance(terms, Contract) and isinstance(terms.medicare, Physician):
            shares = (terms.terms["method"] == "share_of_medicare").any()
            if shares and terms.medicare.place == AS_CHARTED:
                self._refuse(
                    "the hospital's contract is a share of the physician schedule, which pays a "
                    "hospital nothing. Make it with contract(..., medicare=Outpatient())."
                )

    def _check_share(self, name: str, share: float) -> None:
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            hint = ""
            if isinstance(share, int | float) and 1 < share <= 100:
                hint = f" For {share:g} percent write {share / 100:g}."
            self._refuse(f"{name} is a share from 0 to 1.{hint}")

    def _refuse(self, why: str) -> None:
        raise InputError(f"Scenario {self.name!r}: {why}")

    def differences(self, other: "Scenario") -> dict[str, object]:
        """The fields but the name in which ``other`` differs, with its values."""
        names = [field.name for field in fields(self) if field.name != "name"]
        return {
            name: getattr(other, name)
            for name in names
            if getattr(other, name) != getattr(self, name)
        }


def check_kinds(summary: object, *scenarios: object) -> None:
    """Refuse what is no summary or no scenario.

    Raises
    ------
    InputError
        The message says what to hand in.
    """
    if not isinstance(summary, MinuteSummary):
        raise InputError(
            f"Hand in what minute_summary(coded) returned; this is a {type(summary).__name__}."
        )
    for one in scenarios:
        if not isinstance(one, Scenario):
            raise InputError(f"Terms are a Scenario(name, ...); this is a {type(one).__name__}.")
