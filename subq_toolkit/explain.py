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
    found = coded.facts.filter(pl.col("encounter_id") == str(encounter_id)).collect()
    if found.is_empty():
        raise InputError(
            "explain: there is no encounter of that name with a readable row. Look for it in "
            ".refused, or compare the spelling with .encounters."
        )
    facts = found.row(0, named=True)
    steps = _outcome(facts) + _minutes(facts, coded.policy)
    if facts["outcome"] != "query" and facts["_runs"]:
        steps += _units(facts)
    return pl.DataFrame(steps, schema=SCHEMA, orient="row")


def refused_steps(refused: pl.DataFrame) -> pl.DataFrame:
    """Say in the form of ``explain`` that no row of an encounter could be read."""
    reasons = sorted({reason for failed in refused["failed"] for reason in failed})
    why = f"Not coded: no row could be read. Failed: {'; '.join(reasons)}."
    step = ("outcome", None, "refused", None, None, why, None)
    return pl.DataFrame([step], schema=SCHEMA, orient="row")


def _outcome(facts: dict) -> list[tuple]:
    means = {
        "coded": "The times needed to count units are charted; see the findings for the rest.",
        "query": "A fact is missing from the chart; nothing is reported before it is known.",
        "refer": "Sources disagree or are silent; a coder decides.",
    }
    return [("outcome", None, facts["outcome"], None, None, means[facts["outcome"]], None)]


def _minutes(facts: dict, policy: Policy) -> list[tuple]:
    if not facts["_runs"]:
        return [("counted", 0, "min", None, None, "No run with a start and a stop counts.", None)]
    charted = facts["_charted_us"] // MINUTE_US
    overlap = (facts["_charted_us"] + facts["_bridged_us"] - facts["_counted_us"]) // MINUTE_US
    paused, bridge = facts["_paused_us"] // MINUTE_US, policy.bridge_pauses_min
    runs, pumps = _count(facts["_runs"], "run"), _count(facts["_pumps"], "pump")
    together = f"{overlap} min with more than one run going are counted once."
    stood = f"{paused} min without a running pump are deducted"
    stood += f" (pauses of up to {bridge} min would count)." if bridge else "."
    source = cite("bridge_pauses_min", bridge)
    steps = [
        (
            "charted",
            charted,
            "min",
            None,
            None,
            f"{charted} min are charted: {runs}, {pumps}.",
            None,
        ),
        ("overlap", overlap, "min", "union of runs", None, together, None),
        ("pauses", paused, "min", "bridge_pauses_min", f"{bridge} min", stood, source),
        (
            "counted",
            facts["_minutes"],
            "min",
            "seconds",
            policy.seconds,
            _counted(facts, policy),
            None,
        ),
    ]
    return [step for step in steps if step[1] or step[0] in ("charted", "counted")]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _counted(facts: dict, policy: Policy) -> str:
    text = f"{facts['_minutes']} min count: clock time with at least one pump running"
    over = facts["_counted_us"] % MINUTE_US // 1_000_000
    if not over:
        return f"{text}."
    verb = "count toward a threshold" if policy.seconds == "count" else "are dropped"
    return f"{text}; {over} s beyond the last whole minute {verb}."


def _units(facts: dict) -> list[tuple]:
    day, minutes = facts["service_date"], facts["_minutes"]
    at_least, more_than = _TIME["initial_hour_at_least"], _TIME["additional_hour_more_than"]
    code = {role: parameter.on(day).value for role, parameter in _CODES.items()}
    first, further = facts["_units_first"], facts["_further_documented"]
    least = at_least.on(day).value
    steps = []
    if not first:
        short = code["short_infusion"]
        why = f"{short}: {minutes} min are fewer than the {least} of a first hour."
        steps.append(_step(code["short_infusion"], 1, _CODES["short_infusion"], day, why))
    else:
        why = f"{code['first_hour']}: {minutes} min, and a first hour needs {least}."
        steps.append(_step(code["first_hour"], 1, at_least, day, why))
    if further:
        reported = facts["_units_further"]
        further_code, step = code["further_hour"], facts["_last_step"]
        hours = _count(further, "further hour")
        why = f"{further_code}: {minutes} min; {hours} from {step} min on"
        why += f"; {reported} reported, the limit of the policy." if reported < further else "."
        steps.append(_step(code["further_hour"], reported, more_than, day, why))
    missed, rule = (code["further_hour"], more_than) if first else (code["first_hour"], at_least)
    needs = f"Not earned: one more {missed} needs {facts['_next_step']} min"
    why = f"{needs}, {facts['_to_next']} more."
    if facts["_to_next"] is None:
        why = f"No more {missed} is reported, however long the infusion: policy limit."
    name, value, source = _rule(rule, day)
    steps.append(("next unit", facts["_to_next"], "min", name, value, why, source))
    return [*steps, _setup_step(facts, code["further_setup"])] if first else steps


def _setup_step(facts: dict, code: str) -> tuple:
    pumps = _count(facts["_pumps"], "pump")
    if facts["_units_setup"]:
        why = f"{code}: a further pump set-up at a new site ({pumps}); the record must show both."
    elif facts["_pumps"] > 1:
        why = f"No {code}: {pumps}, but no new site of a further one is charted."
    elif facts["_site_changed"]:
        why = f"No {code}: the pump moved to a new site, but no set-up is charted there."
    else:
        why = f"No {code}: one pump set-up, which the first hour includes."
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
    """Tell the steps of ``explain`` in one paragraph that can be copied into a note."""
    if outcome == "refused":
        return steps["why"][0]
    by_day = lines.group_by("service_date", maintain_order=True).agg("code", "units")
    units = "; ".join(
        ", ".join(f"{code} x{number}" for code, number in zip(codes, numbers, strict=True))
        + f" for {day}"
        for day, codes, numbers in by_day.sort("service_date").rows()
    )
    nothing = {
        "coded": "Nothing to report in this family.",
        "query": "Not reported yet: a fact is missing from the chart.",
        "refer": "Not reported yet: a coder decides. If it is reported:",
    }[outcome]
    told = [f"{units}." if units else nothing]
    told += steps.filter(pl.col("step") != "outcome")["why"].to_list()
    revenue = lines["revenue_code"].drop_nulls().unique().sort()
    told += [f"Revenue code {', '.join(revenue)}."] if len(revenue) else []
    urgent = findings.filter(pl.col("severity") != "low")
    told += [
        f"To do: {detail} {what}" for detail, what in urgent.select("detail", "what_to_do").rows()
    ]
    cited = "; ".join(steps["cite"].drop_nulls().unique(maintain_order=True))
    return " ".join(told) + (f"\nSources: {cited}." if cited else "")
