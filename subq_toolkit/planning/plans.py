"""A planned infusion as one value: sites, steps, duration, what binds it, what it earns."""

import html
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from subq_toolkit.charted_run import Administration
from subq_toolkit.dosing import Stretch, pump_setting, walk
from subq_toolkit.encounter import EncounterResult, code_encounter
from subq_toolkit.errors import InputError
from subq_toolkit.planning.cautions import cautions
from subq_toolkit.planning.checks import checks_of
from subq_toolkit.planning.planned_runs import planned_runs, share_sites
from subq_toolkit.planning.prescription import Amounts, Prescription
from subq_toolkit.product_tables import product_named
from subq_toolkit.products import LIMITS

NOTICE = (
    "Not dosing advice: a pharmacist decides. The clinical plan comes first; an infusion is "
    "never slowed, stretched or split for units."
)
_RATE_LIMITS = ("max_ml_per_h_per_site", "max_ml_per_h", "max_mg_per_h", "max_ng_per_kg_per_min")


@dataclass(frozen=True, repr=False)
class Plan:
    """How a prescription runs, what binds it, and what it may be reported as.

    Attributes
    ----------
    prescription, amounts
        What was ordered, and what it comes to.
    sites
        Needles or catheters, over all pumps. [1]
    stretches
        The steps at each site: from and to [min], rate [mL/h], volume [mL]; unrounded.
    duration_min
        Until the last drop, unrounded. [min]
    binding_limit
        What sets the rate: the name of a limit, ``published ramp`` or ``rate asked for``.
    limits, ramp
        Every published value that holds, as ``published_limits`` and ``rate_steps`` give them.
    """

    prescription: Prescription
    amounts: Amounts
    sites: int
    stretches: tuple[Stretch, ...]
    duration_min: float
    binding_limit: str
    limits: pl.DataFrame
    ramp: pl.DataFrame

    @property
    def set_by(self) -> str:
        """What sets the rate, in a reader's words."""
        return LIMITS.get(self.binding_limit, self.binding_limit).lower()

    @property
    def pumps(self) -> int:
        """Pumps that share the sites. [1]"""
        return self.prescription.pumps

    @property
    def product(self) -> dict:
        """The record of the product."""
        return product_named(self.prescription.product)

    @property
    def volume_ml(self) -> float:
        """Volume over all sites. [mL]"""
        return self.amounts.volume_ml

    @property
    def site_volume_ml(self) -> float:
        """Volume at each site. [mL/site]"""
        return self.volume_ml / self.sites

    @property
    def rate_ml_per_h(self) -> float:
        """Highest rate over all sites. [mL/h]"""
        return self.sites * max(stretch.ml_per_h for stretch in self.stretches)

    @cached_property
    def checks(self) -> pl.DataFrame:
        """How much of each limit is used, 1.0 at the limit; columns as ``checks_of`` says."""
        limits = self.limits
        if self.prescription.product is None:  # the general record is a default, not a product
            own = list(self.prescription.own_limits)
            limits = limits.filter(~pl.col("limit").is_in(own))
        return checks_of(
            limits,
            own=self.prescription.own_limits,
            amounts=self.amounts,
            sites=self.sites,
            runs=[self._run(sites) for sites in share_sites(self.sites, self.pumps).values()],
            weight_kg=self.prescription.given.weight_kg,
        )

    @property
    def feasible(self) -> bool | None:
        """Whether every known limit is kept; None where no limit of a rate is known."""
        if not self.checks["within"].all():
            return False
        return True if self.checks["limit"].is_in(_RATE_LIMITS).any() else None

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What whoever uses the plan has to know, most urgent first."""
        return cautions(
            self.prescription,
            checks=self.checks,
            limits=self.limits,
            ramp=self.ramp,
            coded=self.coded,
            asked_min=self._asked_min(),
            unrounded_min=self.duration_min,
            programmed_min=max(self.programmed_min.values()),
        )

    def _asked_min(self) -> float | None:
        """How long the run would take at the rate or over the time that was asked for. [min]"""
        asked = self.amounts.asked_ml_per_h
        return None if asked is None else 60 * self.volume_ml / asked

    @cached_property
    def steps(self) -> pl.DataFrame:
        """The run step by step, with what each pump is set to.

        Columns ``pump, sites, step, from_min, to_min`` [min], ``ml_per_h_per_site``,
        ``ml_per_h`` (of the pump, unrounded), ``programmed_ml_per_h`` (rounded down to the
        pump's increment; the same without one) [mL/h], ``ml`` (of the pump) [mL].
        """
        return pl.DataFrame(
            {
                "pump": pump,
                "sites": sites,
                "step": number,
                "from_min": stretch.from_min,
                "to_min": stretch.to_min,
                "ml_per_h_per_site": float(stretch.ml_per_h),
                "ml_per_h": float(stretch.ml_per_h * sites),
                "programmed_ml_per_h": float(self._programmed(stretch.ml_per_h * sites)),
                "ml": float(stretch.ml * sites),
            }
            for pump, sites in share_sites(self.sites, self.pumps).items()
            for number, stretch in enumerate(self.stretches, 1)
        )

    @cached_property
    def programmed_min(self) -> dict[str, float]:
        """How long each pump takes at the rates it can be set to, by pump. [min]"""
        pumps = share_sites(self.sites, self.pumps)
        return {pump: self._takes_min(sites) for pump, sites in pumps.items()}

    def _takes_min(self, sites: int) -> float:
        return self._run(sites)[-1].to_min

    def _run(self, sites: int) -> tuple[Stretch, ...]:
        """What each of a pump's sites gets at the rates the pump can be set to."""
        if self.prescription.pump_step_ml_per_h is None:
            return self.stretches
        kept = [one.to_min - one.from_min for one in self.stretches[:-1]]
        rates = [self._programmed(one.ml_per_h * sites) / sites for one in self.stretches]
        return tuple(walk(self.site_volume_ml, list(zip([*kept, None], rates, strict=True))))

    def _programmed(self, ml_per_h: float) -> float:
        step = self.prescription.pump_step_ml_per_h
        if step is None:
            return ml_per_h
        rounded = pump_setting(value=ml_per_h, step=step, direction="down")
        if rounded == 0:
            raise InputError(
                "'pump_step_ml_per_h' [mL/h] is larger than a rate of this plan, so the pump "
                "cannot be set to it. Check both; the rate is in mL/h."
            )
        return rounded

    @cached_property
    def administrations(self) -> list[Administration]:
        """The planned runs, one a pump, as they would be charted if all goes to plan."""
        drug = self.product["name"]
        return planned_runs(self.prescription, self.amounts, self.sites, self.programmed_min, drug)

    @cached_property
    def coded(self) -> EncounterResult:
        """The planned runs through the coding rules."""
        ordered = self.prescription
        return code_encounter(
            self.administrations, policy=ordered.policy, facility_zone=ordered.facility_zone
        )

    @property
    def units(self) -> dict[str, int]:
        """Units that the plan would earn if charted as planned, by code."""
        return self.coded.units

    @property
    def infusion_min(self) -> int | None:
        """Whole minutes that would count. [min]"""
        return self.coded.infusion_min

    @property
    def sources(self) -> pl.DataFrame:
        """What the plan rests on: ``limit, value, unit, standing, tier, note, cite``."""
        used = self.checks.select("limit", "value", "unit", "standing", "tier", "note", "cite")
        steps = self.ramp.select(
            pl.concat_str(pl.lit("ramp, step "), "step").alias("limit"),
            "value",
            pl.lit("mL/h/site").alias("unit"),
            "standing",
            "tier",
            "note",
            "cite",
        )
        return pl.concat([used, steps])

    def __str__(self) -> str:
        sites = f"{self.sites} site{'s' * (self.sites != 1)}"
        units = ", ".join(f"{code} ×{count}" for code, count in self.units.items()) or "no units"
        return (
            f"{self.product['name']}: {_VERDICT[self.feasible]}. {self.volume_ml:g} mL over "
            f"{sites} in {self.duration_min:.4g} min, set by {self.set_by}; {units} if charted so"
        )

    def __repr__(self) -> str:
        return f"<Plan: {self}>"

    def _repr_html_(self) -> str:
        said = "".join(f"<li>{html.escape(one)}</li>" for one in self.warnings)
        rows = "".join(
            f"<tr><td>{html.escape(row['label'])}</td><td>{row['planned']:.4g}</td>"
            f"<td>{row['value']:.4g} {row['unit']}</td><td>{row['use']:.0%}</td>"
            f"<td>{row['standing']}</td></tr>"
            for row in self.checks.iter_rows(named=True)
        )
        return (
            f"<p>{html.escape(str(self))}</p><table><thead><tr><th>limit</th><th>planned</th>"
            f"<th>at most</th><th>use</th><th>standing</th></tr></thead><tbody>{rows}</tbody>"
            f"</table><ul>{said}</ul><p>{html.escape(NOTICE)}</p>"
        )


_VERDICT = {
    True: "within every known limit",
    False: "exceeds a limit",
    None: "no limit of its rate is known",
}
