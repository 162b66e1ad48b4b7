"""From an intravenous to a subcutaneous dose: no consensus, so a range with its sources.

A ratio is subcutaneous over intravenous dose. It is always stated, as a number or as the
name of a published preset; there is no default, and never a silent 1.0.
"""

import difflib
from dataclasses import dataclass
from datetime import date

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.formulas import Bound, check_day, number
from subq_toolkit.product_tables import table

_SHOWN = (
    "preset",
    "ratio",
    "ratio_low",
    "ratio_high",
    "in_range",
    "kind",
    "market",
    "standing",
    "tier",
    "note",
    "cite",
)
_DOSE = Bound("a number, zero or more", 0)
_RATIO = Bound("a number above zero", 0, more_than=True)


@dataclass(frozen=True)
class Conversion:
    """One dose converted, beside what every published ratio makes of it.

    Attributes
    ----------
    drug, iv_dose, unit
        What was converted, in its own unit.
    ratio, sc_dose
        The ratio chosen [1] and what comes of it.
    chosen
        Name of the preset, or ``stated``.
    lowest, highest
        Range over the presets in force that count, with their spreads; None where none does:
        what a source of tier C says, or what is only remembered, is shown and does not count.
    presets
        A row for each preset: ``preset, ratio, ratio_low, ratio_high, sc_dose, sc_dose_low,
        sc_dose_high, unit, in_range, kind, standing, tier, note, cite``.
    """

    drug: str
    iv_dose: float
    unit: str
    ratio: float
    sc_dose: float
    chosen: str
    lowest: float | None
    highest: float | None
    presets: pl.DataFrame

    @property
    def cite(self) -> str:
        """The source of the ratio that was chosen."""
        named = self.presets.filter(pl.col("preset") == self.chosen)["cite"]
        return named.first() or "ratio stated by the user"

    def __str__(self) -> str:
        between = "no ratio with a source of authority is published"
        if self.lowest is not None:
            between = f"published ratios give {self.lowest:.4g} to {self.highest:.4g} {self.unit}"
        return (
            f"{self.drug}: {self.iv_dose:g} {self.unit} intravenous × {self.ratio:g} "
            f"({self.chosen}) = {self.sc_dose:.4g} {self.unit} subcutaneous; {between}"
        )


def iv_to_sc_drugs() -> list[str]:
    """Drugs for which a ratio is published."""
    return _ratios()["drug"].unique(maintain_order=True).to_list()


def _ratios() -> pl.DataFrame:
    """Ratios of routes; the table also holds one of mass, which is no such ratio."""
    return table("iv_to_sc").filter(pl.col("kind") != "mass_and_bioavailability")


def iv_to_sc_presets(drug: str, *, on: date | None = None) -> pl.DataFrame:
    """The published ratios of a drug that hold on a day, lowest first.

    Parameters
    ----------
    drug
        One of ``iv_to_sc_drugs()``.
    on
        The day; None for those that have no end.

    Returns
    -------
    pl.DataFrame
        ``preset, ratio, ratio_low, ratio_high`` [1], ``in_range`` (counts for the range: a
        source that is not of tier C says so), ``kind, market, standing, tier, note, cite``.

    Raises
    ------
    InputError
        If no ratio of that drug is published; the message lists the nearest names.
    """
    known = iv_to_sc_drugs()
    if drug not in known:
        near = difflib.get_close_matches(str(drug).lower(), known, n=2)
        meant = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
        raise InputError(
            f"No ratio is published for that drug. {meant}Known: {', '.join(known)}. "
            f"For another drug state the ratio and compute dose × ratio yourself."
        )
    rows = _ratios().filter(pl.col("drug") == drug)
    check_day(on, optional=True)
    ends = pl.col("until").is_null() if on is None else _holds(on)
    return (
        rows.filter(ends)
        .with_columns(
            pl.col("ratio_low", "ratio_high").fill_null(pl.col("ratio")),
            in_range=(pl.col("tier") != "C") & (pl.col("standing") != "unverified"),
        )
        .sort("ratio", "preset")
        .select(*_SHOWN)
    )


def _holds(on: date) -> pl.Expr:
    began = (pl.col("since") <= on).fill_null(True)
    return began & (pl.col("until") >= on).fill_null(True)


def convert_iv_to_sc(
    *,
    drug: str,
    iv_dose: float,
    unit: str,
    ratio: float | None = None,
    preset: str | None = None,
    on: date | None = None,
) -> Conversion:
    """Convert an intravenous dose by a stated ratio, beside the range of all published ones.

    Parameters
    ----------
    drug
        One of ``iv_to_sc_drugs()``.
    iv_dose, unit
        The dose and its unit, e.g. ``mg``, ``g`` or ``mg/h``; the answer is in the same unit.
    ratio, preset
        Exactly one of them: a number [1], or a name that ``iv_to_sc_presets(drug)`` lists.
    on
        The day, for ratios that changed.

    Raises
    ------
    InputError
        If neither ratio nor preset is given, or both; for an unknown drug or preset.
    """
    presets = iv_to_sc_presets(drug, on=on)
    iv_dose = number("iv_dose", iv_dose, _DOSE)
    if not isinstance(unit, str) or not unit.strip():
        raise InputError("'unit' is the unit of the dose as text, e.g. 'mg', 'g' or 'mg/h'.")
    if (ratio is None) == (preset is None):
        raise InputError(
            f"State either 'ratio' or 'preset'; sources disagree and none is taken silently. "
            f"Presets for {drug}: {', '.join(presets['preset'])}."
        )
    chosen = number("ratio", ratio, _RATIO) if preset is None else _ratio_of(presets, preset, drug)
    dose = {f"sc_dose{end}": iv_dose * pl.col(f"ratio{end}") for end in ("", "_low", "_high")}
    counted = presets.with_columns(**dose, unit=pl.lit(unit))
    within = counted.filter("in_range")
    return Conversion(
        drug=drug,
        iv_dose=iv_dose,
        unit=unit,
        ratio=chosen,
        sc_dose=iv_dose * chosen,
        chosen=preset or "stated",
        lowest=within["sc_dose_low"].min(),
        highest=within["sc_dose_high"].max(),
        presets=counted,
    )


def _ratio_of(presets: pl.DataFrame, preset: str, drug: str) -> float:
    known = dict(presets.select("preset", "ratio").rows())
    if preset not in known:
        near = difflib.get_close_matches(str(preset), known, n=1)
        meant = f"Did you mean '{near[0]}'? " if near else ""
        raise InputError(
            f"There is no preset of that name for {drug} on that day. {meant}"
            f"Known: {', '.join(known)}."
        )
    return known[preset]
