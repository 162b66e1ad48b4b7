"""What the same work would hold in units if the steps of units were elsewhere."""

import polars as pl

from subq_toolkit.durations.timed_encounters import check_whole
from subq_toolkit.errors import InputError
from subq_toolkit.scenarios import MinuteSummary
from subq_toolkit.scenarios.minute_summary import infused
from subq_toolkit.scenarios.scenario import check_kinds
from subq_toolkit.units import EDITS, TIME, unit_columns
from subq_toolkit.utilization.coded_units import CODES

#: The row of ``moved_steps`` that holds all codes together.
TOTAL = "total"
_MOST_FIRST_MIN, _MOST_PAST_MIN, _MOST_UNITS = 120, 59, 1_000
_CAPS = ("none", "unlikely_edit")


def moved_steps(
    summary: MinuteSummary,
    *,
    at_least_min: int | None = None,
    more_than_min: int | None = None,
    unit_cap: str | int | None = None,
) -> pl.DataFrame:
    """Units by the rules, and as they would be if the steps were elsewhere: a what-if.

    No payer is known to use other steps than those in ``parameters/infusion_time.toml``; this
    shows how much of the units hangs on them. A cap on further hours is a choice of policy.

    Parameters
    ----------
    summary
        What ``minute_summary`` made.
    at_least_min
        Shortest infusion with a first hour, 1 to 120; None as in effect. [min]
    more_than_min
        Minutes past a whole hour to be exceeded for a further hour, 0 to 59; None as in
        effect. [min]
    unit_cap
        ``none``, ``unlikely_edit`` or the most further hours of an encounter [1]; None as the
        policy of the summary says.

    Returns
    -------
    pl.DataFrame
        ``code`` (the four, then ``total``), ``units_by_rule, units_moved, difference`` [1],
        ``encounters`` (coded, with an infusion that ran) [1], ``changed`` (of these, whose units
        of that code change; in ``total``, whose units of any code do) [1].

    Raises
    ------
    InputError
        If this is no summary, or a step or the cap is out of bounds.
    """
    check_kinds(summary)
    if at_least_min is not None:
        check_whole("at_least_min", at_least_min, 1, _MOST_FIRST_MIN)
    if more_than_min is not None:
        check_whole("more_than_min", more_than_min, 0, _MOST_PAST_MIN)
    if isinstance(unit_cap, str):
        if unit_cap not in _CAPS:
            raise InputError(
                f"'unit_cap' is {' or '.join(map(repr, _CAPS))}, or the most further hours of an "
                f"encounter as a whole number; not {unit_cap!r}."
            )
    elif unit_cap is not None:
        check_whole("unit_cap", unit_cap, 0, _MOST_UNITS)
    rows, count = summary.only().counts.filter(infused()), pl.col("encounters")
    ruled = unit_columns(summary.policy)
    moved = unit_columns(
        summary.policy, at_least=at_least_min, more_than=more_than_min, unit_cap=unit_cap
    )
    changes = {code: ruled[role] != moved[role] for code, role in CODES.items()}
    told = [
        rows.select(
            code=pl.lit(code),
            units_by_rule=(ruled[role] * count).sum(),
            units_moved=(moved[role] * count).sum(),
            changed=count.filter(changes[code]).sum(),
        )
        for code, role in CODES.items()
    ]
    codes = pl.concat(told)
    any_code = rows.filter(pl.any_horizontal(changes.values()))["encounters"].sum()
    total = codes.select(
        pl.lit(TOTAL).alias("code"),
        pl.col("units_by_rule", "units_moved").sum(),
        changed=pl.lit(any_code, pl.Int64),
    )
    return pl.concat([codes, total]).select(
        "code",
        "units_by_rule",
        "units_moved",
        difference=pl.col("units_moved") - pl.col("units_by_rule"),
        encounters=pl.lit(rows["encounters"].sum(), pl.Int64),
        changed="changed",
    )


def steps_in_effect(summary: MinuteSummary) -> dict[str, int | str]:
    """The steps and the cap by which the last period of a summary is counted.

    Returns
    -------
    dict
        ``at_least_min``, ``more_than_min`` [min], ``unit_cap`` (the policy's answer),
        ``unlikely_edit`` [1]: the values in effect on the last day on which an infusion ran;
        the newest ones where there is none.
    """
    check_kinds(summary)
    last = summary.last_infused
    found = {
        "at_least_min": TIME["initial_hour_at_least"],
        "more_than_min": TIME["additional_hour_more_than"],
        "unlikely_edit": EDITS["further_hour"],
    }
    held = {
        name: next((one for one in parameter.values if last and one.covers(last)), None)
        or parameter.values[-1]
        for name, parameter in found.items()
    }
    return {name: one.value for name, one in held.items()} | {"unit_cap": summary.policy.unit_cap}
