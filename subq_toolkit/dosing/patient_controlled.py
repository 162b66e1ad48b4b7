"""Patient-controlled infusion: basal rate and boluses within a lockout, and what limits them."""

from typing import Literal

import polars as pl

from subq_toolkit.dosing.rates_and_sites import volume_ml
from subq_toolkit.errors import InputError
from subq_toolkit.formulas import Amount, Count, Positive, Value, down, formula, up

#: How many boluses a lockout that does not divide the window is said to allow.
COUNTING = {
    "floor": "whole lockouts that fit the window, as order sets count",
    "average": "window / lockout, what can be taken in the long run",
    "worst_window": "the most that fall into any window of that length",
}
Counting = Literal["floor", "average", "worst_window"]


@formula
def boluses_per_window(*, lockout_min: Positive, window_h: Positive, boluses: Counting) -> Value:
    """Boluses that a lockout allows in a window, by the stated way of counting. [1]

    A lockout of 25 min allows 2 (``floor``), 2.4 (``average``) or 3 (``worst_window``) an hour.
    """
    if boluses not in COUNTING:
        raise InputError(
            f"'boluses' says how a lockout that does not divide the window is counted: "
            f"{', '.join(map(repr, COUNTING))}; something else was given."
        )
    lockouts = 60 * window_h / lockout_min
    return {"floor": down, "average": lambda each: each, "worst_window": up}[boluses](lockouts)


@formula
def patient_controlled_mg(
    *,
    basal_mg_per_h: Amount,
    bolus_mg: Amount,
    lockout_min: Positive,
    window_h: Positive,
    boluses: Counting,
) -> Value:
    """Most that basal and boluses can give in a window: hours × basal + boluses. [mg]"""
    number = boluses_per_window(lockout_min=lockout_min, window_h=window_h, boluses=boluses)
    return window_h * basal_mg_per_h + bolus_mg * number


@formula
def patient_controlled_ml(
    *,
    basal_mg_per_h: Amount,
    bolus_mg: Amount,
    lockout_min: Positive,
    window_h: Positive,
    boluses: Counting,
    concentration_mg_per_ml: Positive,
) -> Value:
    """The same as a volume, to be held against what the tissue takes. [mL]"""
    mg = patient_controlled_mg(
        basal_mg_per_h=basal_mg_per_h,
        bolus_mg=bolus_mg,
        lockout_min=lockout_min,
        window_h=window_h,
        boluses=boluses,
    )
    return mg / concentration_mg_per_ml


def patient_controlled(
    *,
    basal_mg_per_h: float,
    bolus_mg: float,
    lockout_min: float,
    concentration_mg_per_ml: float,
    boluses: Counting = "worst_window",
    limit_1h_mg: float | None = None,
    limit_4h_mg: float | None = None,
    limit_ml_per_h_per_site: float | None = None,
    sites: int = 1,
) -> pl.DataFrame:
    """What a patient-controlled setting can give in one and in four hours, and what binds.

    Parameters
    ----------
    basal_mg_per_h, bolus_mg, lockout_min, concentration_mg_per_ml
        The setting. [mg/h], [mg], [min], [mg/mL]
    boluses
        How a lockout that does not divide the window is counted; see ``COUNTING``.
    limit_1h_mg, limit_4h_mg
        Limits programmed into the pump; an hour's limit holds four times in four hours. [mg]
    limit_ml_per_h_per_site, sites
        What a site takes, and how many there are. [mL/h/site], [1]

    Returns
    -------
    pl.DataFrame
        A row for each window: ``window_h``, ``basal_mg``, ``boluses`` [1], ``bolus_mg`` (all of
        them), ``computed_mg``, ``programmed_mg`` (null: none), ``effective_mg``, ``computed_ml``,
        ``effective_ml``, ``site_use`` (of what the sites take; null where no limit is given),
        ``binding`` (``lockout``, ``limit_1h_mg`` or ``limit_4h_mg``), ``counted`` (the way).

    Raises
    ------
    InputError
        For what is no number or outside of its range, and for an unknown way of counting.
    """
    setting = {"basal_mg_per_h": basal_mg_per_h, "bolus_mg": bolus_mg, "lockout_min": lockout_min}
    limits = _limits(limit_1h_mg=limit_1h_mg, limit_4h_mg=limit_4h_mg)
    takes = _takes(limit_ml_per_h_per_site=limit_ml_per_h_per_site, sites=sites)
    rows = []
    for window_h in (1, 4):
        timed = {"window_h": window_h, "boluses": boluses}
        mg = patient_controlled_mg(**setting, **timed)
        caps = {"lockout": mg} | {
            name: limit * max(window_h / hours, 1) for name, (hours, limit) in limits.items()
        }
        binding = min(caps, key=caps.get)
        ml = {"computed_ml": mg, "effective_ml": caps[binding]}
        ml = {
            name: volume_ml(dose_mg=one, concentration_mg_per_ml=concentration_mg_per_ml)
            for name, one in ml.items()
        }
        number = boluses_per_window(lockout_min=lockout_min, **timed)
        rows.append(
            {
                "window_h": window_h,
                "basal_mg": float(window_h * basal_mg_per_h),
                "boluses": float(number),
                "bolus_mg": float(number * bolus_mg),
                "computed_mg": float(mg),
                "programmed_mg": min((caps[name] for name in limits), default=None),
                "effective_mg": float(caps[binding]),
                **ml,
                "site_use": takes and ml["effective_ml"] / (window_h * takes),
                "binding": binding,
                "counted": boluses,
            }
        )
    return pl.DataFrame(
        rows, schema_overrides={"programmed_mg": pl.Float64, "site_use": pl.Float64}
    )


@formula
def _limits(*, limit_1h_mg: Amount | None, limit_4h_mg: Amount | None) -> dict:
    given = {"limit_1h_mg": (1, limit_1h_mg), "limit_4h_mg": (4, limit_4h_mg)}
    return {name: one for name, one in given.items() if one[1] is not None}


@formula
def _takes(*, limit_ml_per_h_per_site: Positive | None, sites: Count) -> Value | None:
    return limit_ml_per_h_per_site and limit_ml_per_h_per_site * sites
