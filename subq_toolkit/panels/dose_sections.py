"""The four parts of the dose planner, each with its entries, its answer and its charts."""

import ipywidgets as w
import polars as pl

from subq_toolkit import charts
from subq_toolkit.charts import LiveChart
from subq_toolkit.charts.figure import Figure, figure
from subq_toolkit.conversion import iv_to_sc_drugs, iv_to_sc_presets
from subq_toolkit.dosing.patient_controlled import COUNTING
from subq_toolkit.panels import dose_pages as pages
from subq_toolkit.panels.figure_sources import cites
from subq_toolkit.panels.one_chart import OneChartSection
from subq_toolkit.panels.section import Section, choice_entry, text_entry
from subq_toolkit.panels.typed_doses import (
    Answered,
    BolusState,
    ConversionState,
    PlanState,
    RotationState,
    answer_boluses,
    answer_conversion,
    answer_plan,
    answer_rotation,
    read_numbers,
)
from subq_toolkit.product_tables import product_named, products, published_kinetics
from subq_toolkit.products import uses_of

_AMOUNTS = [
    ("Volume [mL]", "volume_ml"),
    ("Dose [mg]", "dose_mg"),
    ("Rate [mL/h]", "rate_ml_per_h"),
    ("Dose rate [mg/h]", "dose_rate_mg_per_h"),
    ("Dose rate [ng/kg/min]", "dose_ng_per_kg_per_min"),
]
_NOT_STATED = ("not stated", "")
_STATED = "Entries of the user; the arithmetic is that of subq_toolkit."
#: Where the slider stops. [mL/h/site]
_LIMITS = (
    *(0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 3.75, 4.0, 5.0, 6.0, 7.5, 10.0, 12.5, 15.0, 20.0, 25.0),
    *(30.0, 35.0, 40.0, 50.0, 52.0, 60.0, 75.0, 80.0, 100.0, 120.0, 150.0, 160.0, 200.0, 240.0),
    300.0,
)


def _words(keys: list[str]) -> list[tuple[str, str]]:
    return [(key.replace("_", " "), key) for key in keys]


def _beside(*shown: w.Widget) -> w.Box:
    """Charts and pages beside each other where there is room."""
    box = w.Box(list(shown))
    box.add_class("sq-columns")
    for one in shown:
        if isinstance(one, LiveChart):
            one.add_class("sq-chart")
    return box


class PlanSection(Section):
    """From a prescription to sites, steps, minutes and units."""

    def __init__(self, opening: PlanState) -> None:
        self.headline, self.limits, self.cautions = w.HTML(), w.HTML(), w.HTML()
        self.steps, self.kinetics = w.HTML(), w.HTML()
        self.charts = {name: LiveChart(None) for name in ("rate", "sites", "depot")}
        self.own_limit = w.ToggleButton(
            description="Own limit", tooltip="In place of the published"
        )
        self.slider = w.SelectionSlider(
            options=[(f"{limit:g}", limit) for limit in _LIMITS],
            value=3.0,
            description="Limit [mL/h/site]",
        )
        notes = w.VBox([self.cautions, self.kinetics])
        pages_below = (notes, self.limits, self.steps)
        shown = [self.headline, _beside(*self.charts.values(), *pages_below)]
        super().__init__("Plan", opening, self._entries(), answer_plan, shown)

    def _entries(self) -> dict[str, w.ValueWidget]:
        names = products().select("name", "product").rows()
        self.slider.layout.width, self.slider.style.description_width = "420px", "auto"
        self.own_limit.layout.width = "92px"
        return {
            "product": choice_entry("Product", 300, names),
            "use": choice_entry("Use", 170, [_NOT_STATED]),
            "market": choice_entry("Label of", 84, _words(["US", "EU", "GB", "JP"])),
            "amount": choice_entry("Amount as", 170, _AMOUNTS),
            "value": text_entry("Amount", 84, "e.g. 80"),
            "duration_h": text_entry("Over [h]", 84, "fastest"),
            "concentration_mg_per_ml": text_entry("Concentration [mg/mL]", 150, "of product"),
            "weight_kg": text_entry("Weight [kg]", 90, "not stated"),
            "age_y": text_entry("Age [years]", 90, "not stated"),
            "infusion_number": text_entry("Infusion no.", 90, "not stated"),
            "sites": text_entry("Sites", 80, "fewest"),
            "pumps": text_entry("Pumps", 70),
            "pump_step_ml_per_h": text_entry("Pump step [mL/h]", 120, "none"),
            "ka_per_h": text_entry("Absorption ka [1/h]", 130, "for the depot"),
            "start_at": text_entry("Planned start", 150, "2026-03-02 09:00"),
            "own_limit": self.own_limit,
            "limit_ml_per_h_per_site": self.slider,
        }

    def offer(self, state: PlanState) -> None:
        """Offer the uses for which the product has limits of their own, and the state's limit."""
        stops = sorted({*_LIMITS, state.limit_ml_per_h_per_site})
        self.slider.options = [(f"{limit:g}", limit) for limit in stops]
        self.entries["use"].options = [_NOT_STATED, *_words(uses_of(state.product))]

    def adapt(self, change: dict) -> None:
        """Another product has other uses and strengths; a moved slider is a limit of one's own."""
        self._held = True
        try:
            if change["owner"] is self.entries["product"]:
                self.offer(self.state)
                self.entries["concentration_mg_per_ml"].value = ""
                self.entries["ka_per_h"].value = self._published_ka()[0]
                self.own_limit.value = False
            elif change["owner"] is self.slider:
                self.own_limit.value = True
        finally:
            self._held = False

    def write(self, answered: Answered) -> None:
        """Show the plan, or why there is none."""
        made = answered.value
        self.headline.value = pages.plan_headline(made, answered.note)
        self.limits.value = pages.limits_page(made)
        self.cautions.value = pages.cautions_page(made)
        self.steps.value = pages.steps_page(made)
        self.kinetics.value = pages.kinetics_page(*self._published_ka(), self.state.ka_per_h)
        for chart, one in zip(self.charts.values(), self._drawn(), strict=True):
            chart.spec = one.spec

    def figures(self) -> list[Figure]:
        """The charts of the plan; none while there is none."""
        return [] if self.answered.value is None else self._drawn()

    def _drawn(self) -> list[Figure]:
        made, (published, _, cite) = self.answered.value, self._published_ka()
        numbers, _ = read_numbers(self.state, "ka_per_h")
        depot = charts.depot_course_table(made, ka_per_h=numbers.get("ka_per_h"))
        sources = () if made is None else cites(made.checks, made.ramp)
        rate = (cite,) if cite and self.state.ka_per_h == published else ()
        return [
            figure("rate_profile", charts.rate_profile_table(made), sources=sources),
            figure("duration_by_sites", charts.duration_by_sites_table(made), sources=sources),
            figure("depot_course", depot, sources=(*sources, *rate)),
        ]

    def _published_ka(self) -> tuple[str, str, str]:
        """The absorption rate drawn for the product [1/h], what it is of, and its source."""
        preset = product_named(self.entries["product"].value)["kinetics"]
        named = pl.col("preset") == pl.lit(preset, pl.String)
        found = published_kinetics().filter(named, pl.col("usable"))
        if found.is_empty():
            return "", "", ""
        row = found.row(0, named=True)
        return f"{row['ka_per_h']:g}", row["drug"], row["cite"]


class ConversionSection(OneChartSection):
    """An intravenous dose by a chosen ratio, beside every published one."""

    def __init__(self, opening: ConversionState) -> None:
        self.page, self.chart = w.HTML(), LiveChart(None)
        entries = {
            "drug": choice_entry("Drug", 150, _words(iv_to_sc_drugs())),
            "iv_dose": text_entry("Intravenous dose", 130),
            "unit": text_entry("Unit", 80),
            "preset": choice_entry("Ratio of", 230, [("own ratio", "")]),
            "ratio": text_entry("Own ratio", 100, "choose one"),
            "iv_interval_weeks": text_entry("Every [weeks]", 100, "regimen"),
            "sc_interval_weeks": text_entry("Amount for [weeks]", 130),
            "split": text_entry("Doses in that time", 130),
        }
        super().__init__(
            "From a vein to under the skin: no consensus", opening, entries, answer_conversion,
            [_beside(self.chart, self.page)],
        )  # fmt: skip

    def offer(self, state: ConversionState) -> None:
        """Offer the presets of the drug."""
        presets = iv_to_sc_presets(state.drug)["preset"].to_list()
        self.entries["preset"].options = [("own ratio", ""), *_words(presets)]

    def adapt(self, change: dict) -> None:
        """Another drug has other presets; none of them is taken before it is chosen."""
        self._held = True
        try:
            if change["owner"] is self.entries["drug"]:
                self.offer(self.state)
                self.entries["preset"].value = ""
        finally:
            self._held = False

    def write(self, answered: Answered) -> None:
        """Show the chosen dose and the spread."""
        converted, each_g = answered.value or (None, None)
        self.page.value = pages.conversion_page(converted, answered.note, each_g)
        table = charts.conversion_spread_table(converted)
        sources = () if converted is None else cites(converted.presets)
        self.draw(figure("conversion_spread", table, sources=sources))


class BolusSection(OneChartSection):
    """A patient-controlled setting held against what the sites take."""

    def __init__(self, opening: BolusState) -> None:
        self.page, self.chart = w.HTML(), LiveChart(None)
        entries = {
            "basal_mg_per_h": text_entry("Basal [mg/h]", 100),
            "bolus_mg": text_entry("Bolus [mg]", 100),
            "lockout_min": text_entry("Lockout [min]", 110),
            "concentration_mg_per_ml": text_entry("Concentration [mg/mL]", 150),
            "boluses": choice_entry("Boluses counted by", 150, _words(list(COUNTING))),
            "limit_1h_mg": text_entry("1-hour limit [mg]", 120, "none"),
            "limit_4h_mg": text_entry("4-hour limit [mg]", 120, "none"),
            "limit_ml_per_h_per_site": text_entry("Site takes [mL/h]", 120, "not known"),
            "sites": text_entry("Sites", 70),
        }
        super().__init__(
            "Patient-controlled", opening, entries, answer_boluses, [_beside(self.chart, self.page)]
        )

    def write(self, answered: Answered) -> None:
        """Show what can be given in one and four hours."""
        windows = answered.value
        self.page.value = pages.boluses_page(windows, answered.note)
        names = ("limit_ml_per_h_per_site", "sites")
        numbers, _ = read_numbers(self.state, *names)
        table = charts.boluses_against_limit_table(
            windows,
            limit_ml_per_h_per_site=numbers.get(names[0]),
            sites=int(numbers.get("sites") or 1),
        )
        self.draw(figure("boluses_against_limit", table, sources=(_STATED,)))


class RotationSection(OneChartSection):
    """Where each set goes over a period."""

    def __init__(self, opening: RotationState) -> None:
        self.page, self.chart = w.HTML(), LiveChart(None)
        entries = {
            "days": text_entry("Days", 80),
            "dwell_days": text_entry("A set stays [days]", 130),
            "exclusion_days": text_entry("A site is barred [days]", 150),
            "positions": text_entry("Positions", 100, "as asked"),
        }
        super().__init__(
            "Sets and sites", opening, entries, answer_rotation, [_beside(self.chart, self.page)]
        )

    def write(self, answered: Answered) -> None:
        """Show the calendar."""
        self.page.value = pages.rotation_page(answered.value, answered.note)
        barred = read_numbers(self.state, "exclusion_days")[0].get("exclusion_days") or 0
        table = charts.rotation_table(answered.value, exclusion_days=barred)
        self.draw(figure("rotation", table, sources=(_STATED,)))
