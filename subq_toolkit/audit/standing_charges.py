"""Which charges stand: those that a later claim replaced, voided or reversed do not.

A replacement (frequency 7) or void (8) names the claim it undoes. Where that number is not in
the extract, the one original claim of the same encounter is meant, and the answer says so.
"""

import polars as pl

_VOID, _REPLACEMENT = "8", "7"
_BY_STATUS = {"voided": "marked as voided", "replaced": "marked as replaced"}
_WORDS = {_VOID: "voided by a later claim", _REPLACEMENT: "replaced by a later claim"}
_CLAIM = ["_key", "_claim", "frequency"]
_UNNUMBERED = ""
_UNDOES = pl.col("frequency").is_in([_VOID, _REPLACEMENT]).fill_null(False)


def standing_charges(charges: pl.LazyFrame) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Split accepted charges into those that stand and those that do not.

    Parameters
    ----------
    charges
        As ``accept_charges`` returns them, with ``_key`` (of the encounter) and ``_row``.

    Returns
    -------
    tuple of pl.LazyFrame
        The same rows; the second with ``superseded_by``, the reason in words.
    """
    status = pl.col("status").cast(pl.String)
    # Lines without a claim number are one claim of their encounter.
    charges = charges.with_columns(_claim=pl.col("claim_id").fill_null(_UNNUMBERED))
    undone = _undone(charges).collect()
    marked = charges.with_columns(superseded_by=pl.lit(None, pl.String))
    if undone.height:
        marked = charges.join(undone.lazy(), on=_CLAIM, how="left", nulls_equal=True)
    marked = marked.drop("_claim").with_columns(
        superseded_by=pl.when(status.is_in(list(_BY_STATUS)))
        .then(status.replace_strict(_BY_STATUS, default=None))
        .otherwise("superseded_by")
    )
    stands = pl.col("superseded_by").is_null()
    return marked.filter(stands).drop("superseded_by"), marked.filter(~stands)


def _undone(charges: pl.LazyFrame) -> pl.LazyFrame:
    """Claims that do not stand: ``_key, _claim, frequency, superseded_by``."""
    claims = (
        charges.join(charges.filter(_UNDOES), on="_key", how="semi")
        .group_by(*_CLAIM)
        .agg(pl.col("replaces_claim_id").first(), _at=pl.col("_row").max())
    )
    numbered = claims.select("_key", _known="_claim").unique()
    originals = claims.filter(~_UNDOES).group_by("_key")
    only = originals.agg(_only=pl.col("_claim").first(), _count=pl.len()).filter(_count=1)
    named = claims.filter(_UNDOES).join(
        numbered.with_columns(_named=True),
        left_on=["_key", "replaces_claim_id"],
        right_on=["_key", "_known"],
        how="left",
    )
    acts = named.join(only, on="_key", how="left").with_columns(
        _target=pl.when("_named").then("replaces_claim_id").otherwise("_only"),
        _why=pl.concat_str(
            pl.col("frequency").replace_strict(_WORDS, default=None),
            pl.when(pl.col("_named").is_null()).then(
                pl.lit(" that names none of the extract; it is the encounter's only other claim")
            ),
            ignore_nulls=True,
        ),
    )
    last = (
        acts.filter(pl.col("_target").is_not_null())
        .sort("_at")
        .group_by("_key", "_target")
        .agg(pl.col("_why").last(), _last=pl.col("_at").max())
    )
    hit = claims.join(last, left_on=["_key", "_claim"], right_on=["_key", "_target"])
    hit = hit.filter(~_UNDOES | (pl.col("_at") < pl.col("_last")))
    outrun = acts.drop("_why").join(last, on=["_key", "_target"])
    outrun = outrun.filter(pl.col("_at") < pl.col("_last"))
    voids = claims.filter(pl.col("frequency") == _VOID)
    return pl.concat(
        [
            hit.select(*_CLAIM, superseded_by="_why"),
            outrun.select(*_CLAIM, superseded_by="_why"),
            voids.select(*_CLAIM, superseded_by=pl.lit("voids another claim")),
        ]
    ).unique(_CLAIM, keep="first", maintain_order=True)
