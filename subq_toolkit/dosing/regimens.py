"""Doses of a regimen: immunoglobulin from an intravenous one, insulin basal, foslevodopa."""

from subq_toolkit.formulas import Amount, Count, Positive, Share, Value, formula


@formula
def immunoglobulin_dose_g(
    *,
    iv_dose_g: Amount,
    iv_interval_weeks: Positive,
    factor: Positive,
    sc_interval_weeks: Positive = 1,
    split: Count = 1,
) -> Value:
    """One subcutaneous dose that follows an intravenous regimen. [g]

    Parameters
    ----------
    iv_dose_g, iv_interval_weeks
        Intravenous dose [g] and the weeks between two of them.
    factor
        Subcutaneous over intravenous amount; sources disagree, see ``iv_to_sc_presets``. [1]
    sc_interval_weeks
        Weeks that the subcutaneous amount is meant for.
    split
        Doses into which that amount is divided.

    Notes
    -----
    iv_dose / iv_interval × factor × sc_interval / split. Source: ``dose-cuvti``.
    """
    return iv_dose_g / iv_interval_weeks * factor * sc_interval_weeks / split


@formula
def insulin_basal_u_per_h(
    *, total_daily_dose_u: Amount, basal_fraction: Share, reduction: Share
) -> Value:
    """Basal rate of an insulin pump from a total daily dose. [u/h]

    total × (1 - reduction) × basal fraction / 24. Sources disagree on both shares
    (``dose-inswb``: reduction 0.25 to 0.30, fraction 0.5), so neither has a default.
    """
    return total_daily_dose_u * (1 - reduction) * basal_fraction / 24


@formula
def foslevodopa_ml_per_h(
    *,
    levodopa_mg_per_day: Amount,
    awake_h: Positive,
    factor: Positive,
    concentration_mg_per_ml: Positive,
) -> Value:
    """Base rate of foscarbidopa/foslevodopa from a daily levodopa dose. [mL/h]

    levodopa × factor / concentration / hours awake. Source: ``dose-vyadc``.
    """
    return levodopa_mg_per_day * factor / concentration_mg_per_ml / awake_h
