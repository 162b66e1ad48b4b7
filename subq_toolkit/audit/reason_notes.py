"""What a reader should know beside the reason of a class: one sentence each, where it applies."""

import polars as pl

from subq_toolkit.audit.audited_tables import CLASSES
from subq_toolkit.conditions import says

_ONCE = ["duplicate", "setup_more_than_once", "above_unlikely_edit", "over"]
_SAID_DENIED = [name for name in CLASSES if name.startswith("denied")]


def _notes() -> list[tuple[pl.Expr, pl.Expr]]:
    """When each note applies, and its sentence."""
    role, coded = pl.col("role"), pl.col("outcome") == "coded"
    live, denied, billed = pl.col("live_units"), pl.col("denied_units"), pl.col("billed_units")
    documented = pl.col("documented_further").fill_null(0)
    first, shots = pl.col("billed_first") > 0, pl.col("billed_short")
    uncoded = pl.col("injections") - (shots - pl.col("charted_short_infusion")).clip(0)
    opening = role.is_in(["first_hour", "short_infusion"])
    return [
        (
            (denied > 0) & ~pl.col("class").is_in(_SAID_DENIED),
            says(" Denied by the payer: {}, of which {} count.", denied, billed - live),
        ),
        (
            pl.col("other_payer_units") > 0,
            says(" Asked of another payer, not added up: {}.", pl.col("other_payer_units")),
        ),
        (
            pl.col("other_payer_denied") > 0,
            says(" Denied by another payer: {}.", pl.col("other_payer_denied")),
        ),
        (
            pl.col("credit_units") > 0,
            says(" Credits that find no charge of their payer: {}.", pl.col("credit_units")),
        ),
        (pl.col("denied_yet_paid"), pl.lit(" Marked as denied, yet paid: counted as standing.")),
        (
            pl.col("guessed"),
            pl.lit(
                " A claim is taken to be undone by one that names none of the extract: see what "
                "was superseded."
            ),
        ),
        (
            (pl.col("outcome") == "query") & pl.col("class").is_in(_ONCE),
            says(" Open in the chart: {}.", pl.col("open_points")),
        ),
        (
            (role == "further_hour") & coded & (documented > pl.col("charted_further_hour")),
            says(
                " {} are documented; the policy stops at {}.",
                documented,
                pl.col("charted_further_hour"),
            ),
        ),
        (
            pl.col("later_day") & (pl.col("class") != "wrong_date"),
            pl.lit(" Dated on a later charted day; the policy dates them on the first."),
        ),
        (
            coded & pl.col("veins_aside") & (billed < pl.col("supported")),
            pl.lit(" Codes into a vein are billed for the intravenous rows and set aside."),
        ),
        (
            (role == "short_infusion") & first & (billed > 0) & ~pl.col("separate")
            & pl.col("modifiers_known"),
            pl.lit(" Beside a first hour it needs a modifier such as 59; none is stated."),
        ),
        (
            opening & coded & (uncoded > 0) & (pl.col("charted_first_hour") + billed > 0),
            says(" Charted injections without a code: {} (not judged).", uncoded),
        ),
    ]  # fmt: skip


def _perhaps() -> pl.Expr:
    """Rows that may have a note."""
    return (
        (pl.col("denied_units") > 0)
        | (pl.col("other_payer_units") > 0)
        | (pl.col("other_payer_denied") > 0)
        | (pl.col("credit_units") > 0)
        | pl.col("denied_yet_paid")
        | pl.col("guessed")
        | (pl.col("live_units") > 1)
        | (pl.col("documented_further") > pl.col("charted_further_hour"))
        | pl.col("later_day")
        | pl.col("veins_aside")
        | (pl.col("injections") > 0)
        | ((pl.col("billed_short") > 0) & (pl.col("billed_first") > 0))
    )


def with_notes(rows: pl.DataFrame) -> pl.DataFrame:
    """Add to ``reason`` what should be known beside it; most rows have nothing."""
    notes = [(when.fill_null(False), told) for when, told in _notes()]
    # By whole numbers first: most rows are ruled out before any text is compared.
    perhaps = rows.select(_perhaps().fill_null(False)).to_series()
    noted = perhaps
    if perhaps.any():
        held = rows.filter(perhaps).select(pl.any_horizontal(when for when, _ in notes))
        noted = perhaps.scatter(perhaps.arg_true(), held.to_series())
    if not noted.any():
        return rows
    sentences = [pl.when(when).then(told) for when, told in notes]
    told = rows.filter(noted).select(
        pl.concat_str(pl.col("reason"), *sentences, ignore_nulls=True)
    ).to_series()  # fmt: skip
    return rows.with_columns(reason=rows["reason"].scatter(noted.arg_true(), told))
