"""The tabs of the unit panel: from what is asked to figures and a page."""

import polars as pl

from subq_toolkit import charts
from subq_toolkit.charts.figure import Figure
from subq_toolkit.panels.asked_work import AskedWork
from subq_toolkit.panels.html_parts import section, signed, table, text
from subq_toolkit.panels.loaded_work import ORDERED
from subq_toolkit.panels.view_tab import View
from subq_toolkit.policy import policy_choices
from subq_toolkit.utilization import (
    documentation_funnel,
    further_hour_ladder,
    moved_steps,
    steps_in_effect,
    unit_changes,
    units_per_encounter,
)


def _groups(asked: AskedWork) -> tuple[list[Figure], str]:
    by, summary = asked.state.by, asked.summary(asked.state.by)
    caption = asked.caption(summary)
    units = units_per_encounter(summary, by)
    drawn = charts.units_by_group_table(
        units, by=asked.by_name, ordered=by in ORDERED, caption=caption
    )
    ladder = charts.further_hour_steps_table(
        further_hour_ladder(summary), group=asked.state.only, caption=caption
    )
    figures = [
        asked.figure("units_by_group", drawn, summary),
        asked.figure("further_hour_steps", ladder, summary),
    ]
    return figures, _units_page(units_per_encounter(summary))


def _units_page(units: pl.DataFrame) -> str:
    heads = ["code", "units", "per coded encounter", "encounters with it [%]"]
    rows = [
        [
            text(row["code"]),
            f"{row['units']:,}",
            "" if row["mean_units"] is None else f"{row['mean_units']:.3f}",
            "" if row["share_with"] is None else f"{100 * row['share_with']:.1f}",
        ]
        for row in units.rows(named=True)
    ]
    shown = table(heads, rows, name="Units by code", numeric=1, figures=range(1, 4))
    return section("Units by code", shown, "of all encounters shown")


def _policies(asked: AskedWork) -> tuple[list[Figure], str]:
    effects = asked.work.policy_effects(asked.progress)
    summary = asked.work.summary("month")
    caption = asked.caption(summary, whole=True)
    drawn = charts.policy_differences_table(effects, caption=caption)
    return [asked.figure("policy_differences", drawn, summary)], policy_page(effects)


def policy_page(effects: pl.DataFrame) -> str:
    """Each other answer with its effect and its source."""
    choices = {row["choice"]: row["question"] for row in policy_choices().rows(named=True)}
    cites = {
        (row["choice"], row["answer"]): row["cite"] for row in policy_choices().rows(named=True)
    }
    total = effects.group_by("choice", "answer", maintain_order=True).agg(
        pl.col("difference").sum(), *(pl.first(f"{one}_difference") for one in _OUTCOMES)
    )
    rows = [
        [
            text(choices.get(row["choice"], row["choice"])),
            text(row["answer"]),
            signed(row["difference"]),
            *(signed(row[f"{one}_difference"]) for one in _OUTCOMES),
            text(cites.get((row["choice"], row["answer"]), "")),
        ]
        for row in total.rows(named=True)
    ]
    heads = ["question", "answer", "units", *_OUTCOMES, "who says so"]
    shown = table(heads, rows, name="Other answers", numeric=2, figures=range(2, 6))
    return section("Other answers", shown, "each with all others as in force; of all groups")


_OUTCOMES = ("coded", "query", "refer")


def _documentation(asked: AskedWork) -> tuple[list[Figure], str]:
    summary = asked.work.summary("month")
    funnel = asked.work.told(documentation_funnel)
    caption = asked.caption(summary, whole=True)
    drawn = charts.documentation_funnel_table(funnel, caption=caption)
    return [asked.figure("documentation_funnel", drawn, summary)], _funnel_page(funnel)


def _funnel_page(funnel: pl.DataFrame) -> str:
    rows = [
        [
            text(row["stage"]),
            text((row["reason"] or "").replace("_", " ")),
            f"{row['rows']:,}",
            "" if row["encounters"] is None else f"{row['encounters']:,}",
        ]
        for row in funnel.rows(named=True)
    ]
    heads = ["stage", "reason", "charted rows", "encounters"]
    shown = table(heads, rows, name="Where charted rows end", numeric=2, figures=(2, 3))
    return section("Where charted rows end", shown, "a row may have several reasons")


def _steps(asked: AskedWork) -> tuple[list[Figure], str]:
    state, summary = asked.state, asked.summary()
    moved = moved_steps(
        summary,
        at_least_min=state.at_least_min,
        more_than_min=state.more_than_min,
        unit_cap=state.unit_cap or None,
    )
    drawn = charts.steps_moved_table(
        moved,
        at_least_min=state.at_least_min,
        more_than_min=state.more_than_min,
        unit_cap=state.unit_cap or None,
        in_effect=steps_in_effect(summary),
        caption=asked.caption(summary),
    )
    said = (
        "A what-if: nobody is known to use other steps. It shows how much hangs on them, and how "
        "far a misread rule would be off."
    )
    page = f'<p class="sq-quiet">{said}</p>'
    return [asked.figure("steps_moved", drawn, summary)], page


def _months(asked: AskedWork) -> tuple[list[Figure], str]:
    state, summary = asked.state, asked.summary()
    changes = unit_changes(summary, code=state.code or None)
    drawn = charts.unit_change_bridge_table(
        changes, code=state.code, caption=asked.caption(summary)
    )
    return [asked.figure("unit_change_bridge", drawn, summary)], _changes_page(changes)


def _changes_page(changes: pl.DataFrame) -> str:
    names = ("change", "volume", "documentation", "duration")
    rows = [
        [
            f"{row['month']:%Y-%m}",
            *(f"{row[name]:,}" for name in ("encounters", "coded", "units")),
            *("" if row[name] is None else signed(row[name], 1) for name in names),
        ]
        for row in changes.rows(named=True)
    ]  # fmt: skip
    heads = ["month", "encounters", "coded", "units", *names]
    shown = table(heads, rows, name="Change of units", numeric=4, figures=range(1, 8))
    remark = "volume: more encounters; documentation: share coded; duration: units per coded one"
    return section("Change of units from month to month", shown, remark)


VIEWS: dict[str, View] = {
    "Units by group": View(2, (), _groups),
    "Other policies": View(1, (), _policies),
    "Documentation": View(1, (), _documentation),
    "Other steps": View(1, ("at_least_min", "more_than_min", "unit_cap"), _steps),
    "Month to month": View(1, ("code",), _months),
}
