"""Why these units, and why not one more: each step with its rule, value and source."""

import polars as pl

from subq_toolkit.coding import Coded
from subq_toolkit.effective import Parameter, read_parameters
from subq_toolkit.errors import InputError
from subq_toolkit.infusion_time import MINUTE_US
from subq_toolkit.policy import Policy, cite

_TIME = read_parameters("infusion_time")
_CODES = read_parameters("codes")
SCHEMA = {
    "step": pl.String,
    "value": pl.Int64,
    "unit": pl.String,
    "rule": pl.String,
    "rule_value": pl.String,
    "why": pl.String,
    "cite": pl.String,
}


def explain(coded: Coded, encounter_id: str) -> pl.DataFrame:
    """Explain one encounter, from charted minutes to the unit that was not earned.

    Parameters
    ----------
    coded
        What ``code_administrations`` returned.
    encounter_id
        The encounter to explain.

    Returns
    -------
    pl.DataFrame
        ``step, value, unit, rule, rule_value, why, cite``, in the order of the reasoning.
        Units are those that the charted facts support; the step ``outcome`` says whether
        they are reported.

    Raises
    ------
    InputError
        If there is no such encounter among those with a readable row.
    """
    found = coded.facts.filter(pl.col("encounter_id") == encounter_id).collect()
    if found.is_empty():
        raise InputError(
            "explain: there is no encounter of that name with a readable row. Look for it in "
            ".refused, or compare the spelling with .encounters."
        )
    facts = found.row(0, named=True)
    steps = _outcome(facts) + _minutes(facts, coded.policy)
    if facts["outcome"] != "query" and facts["_runs"]:
        steps += _units(facts, coded.policy)
    return pl.DataFrame(steps, schema=SCHEMA, orient="row")


def _outcome(facts: dict) -> list[tuple]:
    means = {
        "coded": "Every fact needed is charted.",
        "query": "A fact is missing from the chart; nothing is reported before it is known.",
        "refer": "Sources disagree or are silent; a coder decides.",
    }
    return [("outcome", None, facts["outcome"], None, None, means[facts["outcome"]], None)]


def _minutes(facts: dict, policy: Policy) -> list[tuple]:
    if not facts["_runs"]:
        return [("counted", 0, "min", None, None, "No run with a start and a stop counts.", None)]
    charted, counted = facts["_charted_us"], facts["_counted_us"]
    overlap = charted + facts["_bridged_us"] - counted
    bridge = policy.bridge_pauses_min
    seconds = _seconds_note(counted, policy)
    steps = [
        (
            "charted",
            charted // MINUTE_US,
            "min",
            None,
            None,
            f"Sum of {facts['_runs']} run(s) on {facts['_pumps']} pump(s).",
            None,
        ),
        (
            "overlap",
            overlap // MINUTE_US,
            "min",
            "union of runs",
            None,
            "Time in which more than one run was going is counted once.",
            None,
        ),
        (
            "pauses deducted",
            facts["_paused_us"] // MINUTE_US,
            "min",
            "bridge_pauses_min",
            f"{bridge} min",
            f"Time without a running pump; pauses over {bridge} min do not count.",
            cite("bridge_pauses_min", bridge),
        ),
        ("counted", facts["_minutes"], "min", "seconds", policy.seconds, seconds, None),
    ]
    return [step for step in steps if step[1] or step[0] in ("charted", "counted")]


def _seconds_note(counted_us: int, policy: Policy) -> str:
    over = counted_us % MINUTE_US // 1_000_000
    if not over:
        return "Clock time with at least one pump running, in whole minutes."
    verb = "count toward a threshold" if policy.seconds == "count" else "are dropped"
    return f"Clock time with at least one pump running; {over} s beyond the minute {verb}."


def _units(facts: dict, policy: Policy) -> list[tuple]:
    day = facts["service_date"]
    minutes, compared = facts["_minutes"], facts["_compared"]
    at_least = _TIME["initial_hour_at_least"]
    more_than = _TIME["additional_hour_more_than"]
    code = {role: parameter.on(day).value for role, parameter in _CODES.items()}
    first, further = facts["_units_first"], facts["_further_documented"]
    steps = []
    if facts["_units_short"]:
        why = f"{minutes} min are fewer than the {at_least.on(day).value} of a first hour."
        steps.append(_step(code["short_infusion"], 1, _CODES["short_infusion"], day, why))
    if first:
        why = f"{minutes} min reach the {at_least.on(day).value} of a first hour."
        steps.append(_step(code["first_hour"], first, at_least, day, why))
    if first and further:
        why = f"{minutes} min reach {facts['_last_step']}, the step to {further} further hour(s)."
        if facts["_units_further"] < further:
            why += f" Capped at {facts['_units_further']} by policy."
        steps.append(_step(code["further_hour"], facts["_units_further"], more_than, day, why))
    next_code = code["first_hour"] if not first else code["further_hour"]
    rule = at_least if not first else more_than
    why = (
        f"Not earned: the next unit ({next_code}) needs {facts['_next_step']} min, "
        f"{facts['_next_step'] - compared} more."
    )
    steps.append(
        ("next unit", facts["_to_next"], "min", *_rule(rule, day)[:2], why, _rule(rule, day)[2])
    )
    if first:
        steps.append(_setup_step(facts, code["further_setup"]))
    return steps


def _setup_step(facts: dict, code: str) -> tuple:
    if facts["_units_setup"]:
        why = f"{facts['_pumps']} pump(s); a further set-up with a new site is charted."
    elif facts["_pumps"] > 1:
        why = f"Not earned: {facts['_pumps']} pumps, but no new site of a further one is charted."
    elif facts["_site_changed"]:
        why = "Not earned: the pump moved to a new site; no set-up is charted there."
    else:
        why = "Not earned: one pump set-up, which the first hour includes."
    return _step(code, facts["_units_setup"], _CODES["further_setup"], facts["service_date"], why)


def _rule(rule: Parameter, day: object) -> tuple[str, str, str]:
    dated = rule.on(day)
    value = rule.label if rule.unit == "code" else f"{dated.value} {rule.unit}"
    return rule.name, value, dated.cite


def _step(name: str, value: int, rule: Parameter, day: object, why: str) -> tuple:
    rule_name, rule_value, source = _rule(rule, day)
    return (name, value, "unit", rule_name, rule_value, why, source)


def paragraph(
    steps: pl.DataFrame, lines: pl.DataFrame, findings: pl.DataFrame, outcome: str
) -> str:
    """The steps of ``explain`` as one paragraph that can be copied into a note."""
    units = ", ".join(
        f"{code} x{n}"
        for code, n in lines.group_by("code", maintain_order=True).agg(pl.col("units").sum()).rows()
    )
    reported = {
        "coded": f"Reported: {units}." if units else "Nothing to report in this family.",
        "query": "Not reported yet: a fact is missing from the chart.",
        "refer": "Not reported yet: a coder decides.",
    }[outcome]
    told = [
        f"{name}: {value} {unit}. {why}" if unit == "min" else f"{name} x{value}: {why}"
        for name, value, unit, why in steps.select("step", "value", "unit", "why").rows()
        if name != "outcome"
    ]
    revenue = lines["revenue_code"].drop_nulls().unique().sort().to_list()
    told += [f"Revenue code {', '.join(revenue)}."] if revenue else []
    told += [
        f"To do ({finding}): {detail} {what}"
        for finding, severity, detail, what in findings.select(
            "finding", "severity", "detail", "what_to_do"
        ).rows()
        if severity != "low"
    ]
    sources = [f"Sources: {'; '.join(steps['cite'].drop_nulls().unique(maintain_order=True))}."]
    return " ".join([reported, *told, *(sources if steps["cite"].count() else [])])
