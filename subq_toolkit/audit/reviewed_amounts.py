"""What a review found for each drawn encounter: an amount, or none."""

import polars as pl

from subq_toolkit.audit.audited_tables import require
from subq_toolkit.audit.review_sample import KEY, ReviewSample
from subq_toolkit.errors import InputError

VERDICTS = ("agree", "disagree", "unclear")
_AMOUNT, _VERDICT = "difference_usd", "verdict"


def reviewed_amounts(sample: ReviewSample, reviewed: object) -> pl.DataFrame:
    """The drawn encounters with ``_amount`` [USD]: billed less supported, null if not known.

    Parameters
    ----------
    sample
        What ``draw_sample`` returned.
    reviewed
        As for ``extrapolate``.

    Raises
    ------
    InputError
        If the review does not fit the sample.
    """
    drawn = sample.sampled
    if isinstance(reviewed, str):
        require([reviewed], drawn.columns)
        if not drawn.schema[reviewed].is_numeric():
            raise InputError(f"Column '{reviewed}' holds {drawn.schema[reviewed]}, no amounts.")
        return drawn.with_columns(_amount=pl.col(reviewed).cast(pl.Float64))
    table = getattr(reviewed, "amounts", reviewed)
    if not isinstance(table, pl.DataFrame | pl.LazyFrame):
        raise InputError(
            f"reviewed is a table of encounters, what read_verdicts(...) returned, or the name of "
            f"a column of the sample; this is a {type(reviewed).__name__}."
        )
    table = table.lazy().collect()
    found = table.select(*_key(table, drawn), *_found(table))
    key = [name for name in KEY if name in found.columns]
    twice = found.height - found.select(key).unique().height
    if twice:
        raise InputError(
            f"{twice} rows of the review repeat an encounter. Add up the lines of each, and give "
            f"service_date where a number has several."
        )
    _require_drawn(found, sample, key)
    rows = drawn.join(found, on=key, how="left", nulls_equal=True)
    return rows.with_columns(_amount=_amount(drawn)).drop("_found", "_word")


def _key(table: pl.DataFrame, drawn: pl.DataFrame) -> list[str]:
    require(KEY[:1], table.columns)
    if "service_date" in table.columns:
        return list(KEY)
    if drawn["encounter_id"].is_duplicated().any():
        raise InputError(
            "Encounters of the sample share a number on several dates; the review must say "
            "service_date."
        )
    return ["encounter_id"]


def _found(table: pl.DataFrame) -> list[pl.Expr]:
    if _AMOUNT not in table.columns and _VERDICT not in table.columns:
        require([_AMOUNT], table.columns)
    amount, word = pl.lit(None, pl.Float64), pl.lit(None, pl.String)
    if _AMOUNT in table.columns:
        if not (table.schema[_AMOUNT].is_numeric() or table.schema[_AMOUNT] == pl.Null):
            raise InputError(f"Column '{_AMOUNT}' holds {table.schema[_AMOUNT]}, no amounts.")
        amount = pl.col(_AMOUNT).cast(pl.Float64)
        if table.select((~amount.is_finite()).any()).item():
            raise InputError(f"Column '{_AMOUNT}' holds entries that are no finite amount.")
    if _VERDICT in table.columns:
        word = pl.col(_VERDICT).cast(pl.String).str.strip_chars().str.to_lowercase()
        unknown = table.select((word.is_not_null() & ~word.is_in(["", *VERDICTS])).sum()).item()
        if unknown:
            raise InputError(
                f"{unknown} verdicts are none of {', '.join(VERDICTS)}. Correct them, or leave "
                f"the cell empty."
            )
    return [amount.alias("_found"), word.alias("_word")]


def _amount(drawn: pl.DataFrame) -> pl.Expr:
    audited = pl.lit(None, pl.Float64)
    if _AMOUNT in drawn.columns:
        audited = pl.col(_AMOUNT).cast(pl.Float64)
    by_word = pl.when(pl.col("_word") == "agree").then(audited)
    by_word = by_word.when(pl.col("_word") == "disagree").then(pl.lit(0.0))
    unclear = (pl.col("_word") == "unclear").fill_null(False)
    return pl.when(~unclear).then(pl.coalesce("_found", by_word))


def _require_drawn(found: pl.DataFrame, sample: ReviewSample, key: list[str]) -> None:
    told = found.filter(pl.col("_found").is_not_null() | pl.col("_word").is_not_null())
    others = told.join(sample.sampled.select(key), on=key, how="anti", nulls_equal=True).height
    if others:
        raise InputError(
            f"{others} reviewed encounters were not drawn. Encounters chosen otherwise say nothing "
            f"of those not seen: take them out, or check the seed and the list (population "
            f"{sample.mark})."
        )
