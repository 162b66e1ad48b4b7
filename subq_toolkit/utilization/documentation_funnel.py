"""Where charted rows end: refused, asked back, referred to a coder, or coded; and why."""

import polars as pl

from subq_toolkit.coding import Coded
from subq_toolkit.conditions import conditions
from subq_toolkit.findings import outcomes_of_findings
from subq_toolkit.utilization.coded_units import check_coded

#: The ways of a charted row, in the order in which rows are lost.
STAGES = ("charted", "refused", "query", "refer", "coded")
#: What coded rows hold beside subcutaneous runs: encounters without any, and rows beside one.
NOTHING_INFUSED, BESIDE = "no_subcutaneous", "beside_infusion"
_ROWS = {"stage": pl.String, "reason": pl.String, "rows": pl.Int64, "encounters": pl.Int64}


def documentation_funnel(coded: Coded) -> pl.DataFrame:
    """Count where charted rows end, and the reasons of those that are not coded.

    Parameters
    ----------
    coded
        What ``code_administrations`` returned.

    Returns
    -------
    pl.DataFrame
        ``stage`` (``charted, refused, query, refer, coded``), ``reason`` (null: the stage as a
        whole), ``rows``, ``encounters`` that have such a row [1]. A stage comes first, then its
        reasons, the commonest first.

    Raises
    ------
    InputError
        If ``coded`` is something else.
    ReconciliationError
        If the rows of the four ends do not add up to the charted ones.

    Notes
    -----
    ``rows`` of the stages are those of ``coded.reconcile()``: rows of charted runs, not
    encounters. They add up: charted = refused + query + refer + coded.
    ``encounters`` need not: one with a refused row is counted there and again where its other
    rows ended.

    Reasons overlap. A refused row counts under every check that it failed (one that repeats an
    earlier row is a copy: nothing is lost with it). An encounter that waits (``query``) or is
    referred (``refer``) does so with all of its rows, and counts under every finding that led
    there; one that waits and would be referred as well counts as waiting only.

    Not every coded row is an infusion: ``no_subcutaneous`` are encounters without any
    subcutaneous run (nothing to report), ``beside_infusion`` rows of another route and boluses
    in encounters with an infusion (they add neither time nor code).
    """
    check_coded(coded)
    ended = coded.reconcile()
    totals = {"charted": ended.pop("rows_in"), **ended}
    named, refused, facts = pl.collect_all(
        [
            coded.intake.rows.select(_encounters()),
            coded.refused.select("encounter_id", "failed"),
            coded.facts.select(_of_findings(coded)),
        ]
    )
    checks = refused.explode("failed").group_by(reason="failed").agg(pl.len(), _encounters())
    found = facts.row(0, named=True)
    reasons = {"refused": checks.select("reason", "len", "encounters").rows()}
    counted = {"charted": named.item(), "refused": refused.select(_encounters()).item()}
    for stage in ("query", "refer", "coded"):
        counted[stage] = found[f"{stage}|encounters"]
        names = [key.split("|")[1] for key in found if key.startswith(f"{stage}|")]
        reasons[stage] = [
            (name, found[f"{stage}|{name}|rows"], found[f"{stage}|{name}|encounters"])
            for name in dict.fromkeys(names)
            if name != "encounters" and found[f"{stage}|{name}|rows"]
        ]
    rows = []
    for stage in STAGES:
        rows.append((stage, None, totals[stage], counted[stage]))
        ordered = sorted(reasons.get(stage, []), key=lambda one: (-one[1], one[0]))
        rows += [(stage, *reason) for reason in ordered]
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def _encounters() -> pl.Expr:
    """How many encounters are named."""
    return pl.col("encounter_id").drop_nulls().n_unique().cast(pl.Int64).alias("encounters")


def _of_findings(coded: Coded) -> list[pl.Expr]:
    """Rows and encounters of each outcome, and of each finding that led there."""
    leads_to, fired = outcomes_of_findings(coded.policy), conditions(coded.policy)
    cases = {
        (leads_to[name], name): one.when for name, one in fired.items()
        if leads_to.get(name) in ("query", "refer")
    }  # fmt: skip
    cases["coded", NOTHING_INFUSED] = fired[NOTHING_INFUSED].when
    beside = pl.col("_rows") - pl.col("_counted_rows")
    some = (pl.col("_counted_rows") > 0) & (beside > 0)
    told = []
    for stage in ("query", "refer", "coded"):
        here = pl.col("outcome") == stage
        told.append(here.sum().cast(pl.Int64).alias(f"{stage}|encounters"))
        told += [
            expr.cast(pl.Int64).alias(f"{stage}|{name}|{what}")
            for (end, name), when in cases.items()
            if end == stage
            for what, expr in _counts(here & when.fill_null(False), pl.col("_rows")).items()
        ]
    told += [
        expr.cast(pl.Int64).alias(f"coded|{BESIDE}|{what}")
        for what, expr in _counts((pl.col("outcome") == "coded") & some, beside).items()
    ]
    return told


def _counts(holds: pl.Expr, rows: pl.Expr) -> dict[str, pl.Expr]:
    return {"rows": rows.filter(holds).sum(), "encounters": holds.sum()}
