"""What a person must look at: findings about encounters and about a whole file.

The conditions stand in ``conditions``; urgency, remedy and source of each finding in
``parameters/findings.toml``.
"""

from functools import cache

import polars as pl

from subq_toolkit.conditions import conditions, says
from subq_toolkit.effective import read_parameters, read_table, sources
from subq_toolkit.intake import Intake
from subq_toolkit.policy import Policy

_TIME = read_parameters("infusion_time")
_TABLE = read_table("findings")
_DAY = pl.col("service_date")
COLUMNS = ("encounter_id", "finding", "severity", "detail", "what_to_do", "cite")


@cache
def outcome(policy: Policy) -> pl.Expr:
    """``query`` if a fact is missing, ``refer`` if a coder decides, else ``coded``."""
    fired, leads_to = conditions(policy), outcomes_of_findings(policy)

    def any_of(kind: str) -> pl.Expr:
        return pl.any_horizontal(
            finding.when.fill_null(False)
            for name, finding in fired.items()
            if leads_to.get(name) == kind
        )

    decided = pl.when(any_of("query")).then(pl.lit("query"))
    return decided.when(any_of("refer")).then(pl.lit("refer")).otherwise(pl.lit("coded"))


def outcomes_of_findings(policy: Policy) -> dict[str, str]:
    """The findings that keep an encounter from being coded: by name the outcome they lead to."""
    leads_to = {name: entry["outcome"] for name, entry in _TABLE.items() if "outcome" in entry}
    by_choice = {
        "intravenous_same_encounter": policy.intravenous,
        "home_setting": policy.home,
        "second_encounter_same_day": policy.second_encounter,
        "running_at_discharge": policy.running_at_discharge,
    }
    return leads_to | by_choice


def findings_table(
    facts: pl.LazyFrame,
    rows: pl.LazyFrame,
    refused: pl.LazyFrame,
    intake: Intake,
    policy: Policy,
) -> pl.LazyFrame:
    """All findings in long form, those about the whole file first (``encounter_id`` null).

    Parameters
    ----------
    facts
        One row per encounter, with units.
    rows
        Readable rows, with ``_start_wall`` and ``_stop_wall``.
    refused
        ``encounter_id`` of every refused row that is no copy.
    intake
        The table as it was taken in.
    policy
        The choices in force.
    """
    per_encounter = (
        facts.select(
            "encounter_id",
            *(
                pl.when(condition.when).then(condition.detail).alias(name)
                for name, condition in conditions(policy).items()
            ),
        )
        .unpivot(index="encounter_id", variable_name="finding", value_name="detail")
        .filter(pl.col("detail").is_not_null())
    )
    of_refused = (
        refused.group_by("encounter_id")
        .len()
        .filter(pl.col("encounter_id").is_not_null())
        .select(
            "encounter_id",
            finding=pl.lit("refused_rows"),
            detail=says("Rows of this encounter that were refused: {}.", pl.col("len")),
        )
    )
    whole_file = file_findings(file_tally(facts, rows), intake)
    table = with_remedies(pl.concat([whole_file, of_refused, per_encounter]))
    return table.sort("encounter_id", "finding", nulls_last=False)


@cache
def _remedies() -> pl.LazyFrame:
    return pl.LazyFrame(
        [
            {
                "finding": name,
                "severity": entry["severity"],
                "what_to_do": entry["what_to_do"],
                "cite": sources()[entry["source"]].cite(entry["standing"]),
            }
            for name, entry in _TABLE.items()
        ]
    )


def file_tally(facts: pl.LazyFrame, rows: pl.LazyFrame) -> pl.LazyFrame:
    """What findings about a whole file count; tallies of its parts add up.

    Returns
    -------
    pl.LazyFrame
        One row: ``times`` (charted) and ``heaped`` ones among them, ``encounters``, ``overdue``
        ones (after the day on which the rules were to be read again), ``last_overdue``.
    """
    walls = ("_start_wall", "_stop_wall")
    stale = pl.any_horizontal(
        _TIME[name].stale_expr(_DAY).fill_null(False)
        for name in ("initial_hour_at_least", "additional_hour_more_than")
    )
    times = rows.filter("_counts").select(
        times=pl.sum_horizontal(pl.col(name).count() for name in walls),
        heaped=pl.sum_horizontal((pl.col(name).dt.minute() % 15 == 0).sum() for name in walls),
    )
    encounters = facts.select(
        encounters=pl.len(), overdue=stale.sum(), last_overdue=_DAY.filter(stale).max()
    )
    return pl.concat([times, encounters], how="horizontal")


def file_findings(tallies: pl.LazyFrame, intake: Intake) -> pl.LazyFrame:
    """Findings about a whole file, from the tallies of its parts (one row each) and its shape."""
    limit, least = (_TIME[name].values[-1].value for name in ("heaped_share", "heaped_at_least"))
    times, overdue, last = pl.col("times"), pl.col("overdue"), pl.col("last_overdue")
    share = pl.col("heaped") * 100 / times
    some = pl.col("encounters") > 0
    said = {
        "heaped_times": (
            (times >= least) & (share > limit),
            says(
                "{} % of {} charted times fall on :00, :15, :30 or :45; by chance it would be 7 %.",
                share.round(0, mode="half_away_from_zero").cast(pl.Int64, strict=False),
                times,
            ),
        ),
        "dates_in_utc": (
            some & (intake.zone == "UTC"),
            says("Times carry the zone UTC; no other is stated."),
        ),
        "route_assumed": (
            some & ("route" not in intake.given),
            says("There is no column 'route'."),
        ),
        "rules_due_for_review": (
            overdue > 0,
            says(
                "Encounters after the day on which the time rules were due to be read again: {}, "
                "the last on {}.",
                overdue,
                last,
            ),
        ),
    }
    return (
        tallies.select(pl.exclude("last_overdue").cast(pl.Int64).sum(), last.max())
        .select(pl.when(fires).then(detail).alias(name) for name, (fires, detail) in said.items())
        .unpivot(variable_name="finding", value_name="detail")
        .filter(pl.col("detail").is_not_null())
        .select(pl.lit(None, pl.String).alias("encounter_id"), "finding", "detail")
    )


def with_remedies(table: pl.LazyFrame) -> pl.LazyFrame:
    """Findings in long form with urgency, remedy and source."""
    return table.join(_remedies(), on="finding", how="left").select(COLUMNS)
