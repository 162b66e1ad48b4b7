"""Under whose terms a line is priced: physician fee schedule, outpatient, a contract."""

import difflib
from dataclasses import dataclass
from decimal import Decimal

from subq_toolkit.errors import InputError
from subq_toolkit.fees.tables import FeeTables
from subq_toolkit.formulas import Bound, number

_DEPARTMENTS = ("on_campus", "off_campus", "excepted_off_campus")
AS_CHARTED = "as_charted"
_PLACES = (AS_CHARTED, "office", "facility")


@dataclass(frozen=True)
class Physician:
    """Terms of the Medicare physician fee schedule.

    Attributes
    ----------
    locality
        MAC and locality, e.g. ``15202-00``; None for the national amount (all GPCIs 1);
        ``as_charted`` for the column ``locality`` of the lines.
    apm
        Whether the practitioner is a qualifying participant of an alternative payment model;
        from 2026 that has a conversion factor of its own.
    participating
        Whether the practitioner participates; if not, the fee is 95 % of the amount.
    place
        ``as_charted`` (a line with a revenue code is a facility's), ``office``, ``facility``.
    """

    locality: str | None = None
    apm: bool = False
    participating: bool = True
    place: str = "as_charted"

    def __post_init__(self) -> None:
        _one_of("place", self.place, _PLACES)

    @property
    def name(self) -> str:
        """How the schedule is named in results."""
        where = self.locality or "national"
        return f"mpfs {where}{' (APM)' if self.apm else ''}"


@dataclass(frozen=True)
class Outpatient:
    """Terms of the Medicare hospital outpatient prospective payment system.

    Attributes
    ----------
    wage_index
        Of the hospital's area after reclassification [1], or the name of an area in
        ``wage_indexes``; 1 for the national rate.
    department
        ``on_campus``, ``off_campus`` (not excepted: section 603) or ``excepted_off_campus``.
    rural_sole_community
        Whether the hospital is a rural sole community hospital.
    """

    wage_index: float | str | Decimal = 1
    department: str = "on_campus"
    rural_sole_community: bool = False

    def __post_init__(self) -> None:
        _one_of("department", self.department, _DEPARTMENTS)
        if isinstance(self.wage_index, Decimal) and not self.wage_index.is_finite():
            raise InputError("'wage_index' is a number from 0.2 to 3 [1]; it is not a number.")
        if not isinstance(self.wage_index, str):
            given = self.wage_index
            given = float(given) if isinstance(given, Decimal) else given
            number("wage_index", given, Bound("a number from 0.2 to 3", 0.2, most=3))

    @property
    def name(self) -> str:
        """How the schedule is named in results."""
        parts = [f"wage index {self.wage_index}"]
        parts += [self.department.replace("_", " ")] if self.department != "on_campus" else []
        parts += ["rural sole community"] if self.rural_sole_community else []
        return f"opps ({', '.join(parts)})"


def _nearest(wanted: str, known: dict[str, str]) -> list[str]:
    """Localities that hold the text in name or number, else those whose name or number is near."""
    within = [key for key, name in known.items() if wanted in name.upper() or wanted in key]
    by_number = difflib.get_close_matches(wanted, known, n=3, cutoff=0.6)
    words = {word: key for key, name in known.items() for word in [name.upper(), *name.split()]}
    by_name = [words[word] for word in difflib.get_close_matches(wanted, words, n=3)]
    return list(dict.fromkeys([*within[:3], *by_number, *by_name]))[:3]


def _one_of(name: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        near = difflib.get_close_matches(str(given), known, n=1)
        meant = f" Did you mean '{near[0]}'?" if near else ""
        raise InputError(f"'{name}' is one of {', '.join(map(repr, known))}.{meant}")


def check_locality(locality: str | None, tables: FeeTables) -> None:
    """Refuse a locality that no table knows, with the nearest ones by number or name.

    Raises
    ------
    InputError
        If it is unknown on every day.
    """
    known = dict(tables["gpcis"].sort("start").select("locality", "name").rows())
    if locality is None or locality in known:
        return
    near = _nearest(str(locality).upper(), known)
    meant = "; ".join(f"'{key}' ({known[key].title()})" for key in near)
    raise InputError(
        f"There is no locality of that name. {f'Nearest: {meant}. ' if meant else ''}Write MAC and "
        f"locality number as '15202-00', or leave it out for the national amount; "
        f"localities() lists them."
    )
