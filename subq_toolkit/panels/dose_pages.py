"""The dose planner's answers as HTML: headline, limits, steps, ratios, boluses. Text out."""

import polars as pl

from subq_toolkit.conversion import Conversion
from subq_toolkit.dosing.patient_controlled import COUNTING
from subq_toolkit.panels.html_parts import note as look
from subq_toolkit.panels.html_parts import section, source, table, text, verdict_box
from subq_toolkit.planning import NOTICE, Plan

#: Sign, word, meaning and look of a plan by whether it is feasible.
_VERDICTS = {
    True: ("✓", "within limits", "every limit that is known", "coded"),
    False: ("▲", "over a limit", "see the limits below", "partial"),
    None: ("?", "not known", "no limit of the rate is published", "query"),
}


def plan_headline(made: Plan | None, note: str) -> str:
    """Minutes, sites and units of a plan in a box; or why there is none."""
    if made is None:
        return verdict_box(("…", "no plan", "see the note", "refused"), "No plan yet", note)
    sites = f"{made.sites} site{'s' * (made.sites != 1)}"
    said = f"{made.duration_min:,.4g} min · {sites} × {made.site_volume_ml:.4g} mL"
    units = ", ".join(f"{code} ×{count}" for code, count in made.units.items())
    measure = (
        f"Up to {made.rate_ml_per_h / made.sites:.4g} mL/h at each site, set by {made.set_by}. "
        f"If charted so: {units or made.coded.outcome}."
    )
    return verdict_box(_VERDICTS[made.feasible], said, measure)


def limits_page(made: Plan | None) -> str:
    """What the plan uses of each limit, with its source and what other sources say."""
    if made is None or made.checks.is_empty():
        return section("Limits", '<p class="sq-quiet">No limit to hold the plan against.</p>')
    rows = [
        (
            f"<b>{text(row['label'])}</b><small>{text(row['standing'])}{_tier(row['tier'])}</small>",
            f"{_use(row['use'], within=row['within'])}",
            f"{row['planned']:.4g}",
            f"{'at least ' * row['limit'].startswith('min_')}{row['value']:.4g} "
            f"{text(row['unit'].replace('1', ''))}<small>{text(row['note'])}</small>"
            f"{source(row['cite'])}{_others(made.limits, row)}",
        )
        for row in made.checks.iter_rows(named=True)
    ]
    heads = ("Limit", "Use", "Planned", "Published, with source")
    set_by = f"the rate is set by: {made.set_by}"
    return section("Limits", table(heads, rows, name="Limits", numeric=1), set_by)


def _tier(tier: str) -> str:
    return f", source tier {text(tier)}" if tier else ""


def _use(use: float, *, within: bool) -> str:
    return f"{use:.0%}" if within else f'<span class="sq-high">▲ {use:.0%}</span>'


def _others(limits: pl.DataFrame, used: dict) -> str:
    """Values of other sources for the same limit, with their sources."""
    same = (pl.col("value") == used["value"]) & (pl.col("cite") == used["cite"])
    others = limits.filter(pl.col("limit") == used["limit"], ~same)
    items = "".join(
        f"<li>{row['value']:.4g} {text(row['unit'].replace('1', ''))}: {text(row['note'])} "
        f"{text(row['cite'])}</li>"
        for row in others.iter_rows(named=True)
    )
    if not items:
        return ""
    return (
        f'<details class="sq-source"><summary>{others.height} other published value'
        f"{'s' * (others.height > 1)}</summary><ul>{items}</ul></details>"
    )


def cautions_page(made: Plan | None) -> str:
    """What whoever uses the plan has to know."""
    said = () if made is None else made.warnings
    items = "".join(f"<li>{text(one)}</li>" for one in said)
    body = f'<ul class="sq-cautions">{items}</ul>' if items else '<p class="sq-quiet">Nothing.</p>'
    return section("To know before using it", body, str(len(said)) if said else "")


def kinetics_page(published: str, drug: str, cite: str, typed: str) -> str:
    """Where the absorption rate of the depot chart comes from."""
    if not typed.strip():
        said = "No absorption rate is stated, so only the capped model is drawn."
    elif typed.strip() == published:
        said = f"Absorption rate drawn: {published} /h, of {drug}; for a drawing only."
    else:
        said, cite = f"Absorption rate drawn: {typed} /h, stated by the user.", ""
    return f'<p class="sq-quiet">{text(said)}</p>{source(cite)}'


def steps_page(made: Plan | None) -> str:
    """The run step by step, with what each pump is set to."""
    if made is None:
        return ""
    ramp = dict(made.ramp.select("step", "cite").rows())
    rows = [
        (
            f"{text(row['pump'])} <small>{row['sites']} site{'s' * (row['sites'] != 1)}</small>",
            f"{row['from_min']:.4g}–{row['to_min']:.4g}",
            f"{row['ml_per_h']:.5g}",
            f"<b>{row['programmed_ml_per_h']:.5g}</b>",
            f"{row['ml']:.4g}{source(ramp.get(row['step']))}",
        )
        for row in made.steps.iter_rows(named=True)
    ]
    heads = ("Pump", "Minutes", "Rate, unrounded [mL/h]", "Pump set to [mL/h]", "Volume [mL]")
    longest = max(made.programmed_min.values())
    return section(
        "Steps", table(heads, rows, name="Steps", numeric=-1), f"{longest:,.4g} min as programmed"
    )


def conversion_page(converted: Conversion | None, note: str, regimen_dose: float | None) -> str:
    """The dose by the chosen ratio and by every published one."""
    if converted is None:
        return look(note)
    rows = [
        (
            f"<b>{text(row['preset'].replace('_', ' '))}</b>"
            f"<small>{text(row['kind'].replace('_', ' '))}, {text(row['standing'])}"
            f"{_tier(row['tier'])}{'' if row['in_range'] else ', not in the range'}</small>",
            f"{row['ratio']:g}",
            _span(row["sc_dose_low"], row["sc_dose_high"]),
            f"{text(row['note'])}{source(row['cite'])}",
        )
        for row in converted.presets.iter_rows(named=True)
    ]
    each = ""
    if regimen_dose is not None:
        each = (
            f"<p>By the regimen typed, one subcutaneous dose is <b>{regimen_dose:.5g} "
            f"{text(converted.unit)}</b>.</p>"
        )
    heads = ("Preset", "Ratio", f"Dose [{text(converted.unit)}]", "Why, with source")
    page = table(heads, rows, name="Published ratios", numeric=1)
    return f"<p>{text(converted)}.</p>{each}" + section("Published ratios", page)


def _span(low: float, high: float) -> str:
    return f"{low:.4g}" if low == high else f"{low:.4g}–{high:.4g}"


def boluses_page(windows: pl.DataFrame | None, note: str) -> str:
    """What a patient-controlled setting can give, and which limit binds."""
    if windows is None:
        return look(note)
    rows = [
        (
            f"{row['window_h']} h",
            f"{row['basal_mg']:.4g} + {row['boluses']:.4g} boluses = {row['computed_mg']:.4g}",
            f"<b>{row['effective_mg']:.4g}</b>",
            f"{row['effective_ml']:.4g}",
            "not known" if row["site_use"] is None else _use(row["site_use"], within=_fits(row)),
            text(row["binding"].replace("_", " ")),
        )
        for row in windows.iter_rows(named=True)
    ]
    heads = ("Window", "Computed [mg]", "At most [mg]", "At most [mL]", "Use of the sites", "Binds")
    counted = windows["counted"][0]
    how = f"Boluses are counted by {counted.replace('_', ' ')}: {COUNTING[counted]}."
    page = table(heads, rows, name="Patient-controlled", numeric=-1)
    return section("Basal and boluses", page) + f'<p class="sq-quiet">{text(how)}</p>'


def _fits(row: dict) -> bool:
    return row["site_use"] <= 1 + 1e-9


def rotation_page(calendar: pl.DataFrame | None, note: str) -> str:
    """How many sets and positions a period asks for."""
    if calendar is None:
        return look(note)
    soon = calendar["too_soon"].sum()
    said = f"{calendar.height} sets over {calendar['position'].n_unique()} positions."
    said += f" {soon} go back to a position too soon." if soon else " None goes back too soon."
    return f"<p>{text(said)}</p>"


def notice_page() -> str:
    """What this is not."""
    return f'<p class="sq-note">{text(NOTICE)}</p>'
