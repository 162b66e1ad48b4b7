"""Which charges stand: those that a later claim replaced, voided or reversed do not.

A replacement (frequency 7) or void (8) names the claim it undoes; that link decides in whatever
order the extract stands. Where the number is not in the extract, the one original claim of the
same encounter and day before it is meant, and the answer says so. A claim that names its own
number, and two that name the same one, are told apart by their order: the later row stands.
A denied replacement undoes nothing; a denied line beside one that stands was sent again.
"""

import polars as pl

_VOID, _REPLACEMENT = "8", "7"
_BY_STATUS = {"voided": "marked as voided", "replaced": "marked as replaced"}
_WORDS = {_VOID: "voided by a later claim", _REPLACEMENT: "replaced by a later claim"}
_CLAIM = ["_key", "_claim", "frequency"]
_UNNUMBERED, _WHOLE = "", pl.lit(None, pl.get_index_type())
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
        applies = pl.col("_before").is_null() | (pl.col("_row") < pl.col("_before"))
        marked = marked.with_columns(superseded_by=pl.when(applies).then("superseded_by"))
        marked = marked.drop("_before")
    marked = marked.with_columns(
        superseded_by=pl.when(status.is_in(list(_BY_STATUS)))
        .then(status.replace_strict(_BY_STATUS, default=None))
        .otherwise("superseded_by")
    )
    marked = _sent_again(marked).drop("_claim")
    stands = pl.col("superseded_by").is_null()
    return marked.filter(stands).drop("superseded_by"), marked.filter(~stands)


def _sent_again(marked: pl.LazyFrame) -> pl.LazyFrame:
    """Set aside denied lines of a code that stands on another line of the encounter."""
    denied = pl.col("superseded_by").is_null() & (pl.col("status") == "denied")
    if not marked.select(denied.any()).collect().item():
        return marked
    line = ["_key", "code"]
    live = marked.filter(pl.col("superseded_by").is_null() & (pl.col("status") != "denied"))
    live = live.filter(pl.col("units") > 0).select(*line, _live=True).unique()
    again = pl.lit("denied; the code stands on another line")
    return (
        marked.join(live, on=line, how="left")
        .with_columns(
            superseded_by=pl.when(denied & pl.col("_live")).then(again).otherwise("superseded_by")
        )
        .drop("_live")
    )


def _undone(charges: pl.LazyFrame) -> pl.LazyFrame:
    """Claims that do not stand: ``_key, _claim, frequency, superseded_by, _before``.

    Of a claim with ``_before`` only the rows before that one do not stand.
    """
    undoing = charges.filter(_UNDOES & (pl.col("status") != "denied"))
    claims = (
        charges.join(undoing, on="_key", how="semi")
        .group_by(*_CLAIM)
        .agg(
            pl.col("replaces_claim_id").first(),
            _at=pl.col("_row").max(),
            _first=pl.col("_row").min(),
            _day=pl.col("service_date").min(),
            _denied=(pl.col("status") == "denied").all(),
        )
    )
    acts = _acts(claims)
    last = acts.sort("_at").group_by("_key", "_target").agg(
        pl.col("_why").last(), pl.col("_named").last(),
        pl.col("_by").last().alias("_last_by"), pl.col("_first").last().alias("_from"),
        _last=pl.col("_at").max(),
    )  # fmt: skip
    hit = claims.join(last, left_on=["_key", "_claim"], right_on=["_key", "_target"])
    # An act that shares the number it names is a later version of the same claim.
    own = pl.col("_claim") == pl.col("_last_by")
    newer = _UNDOES & own & (pl.col("_at") >= pl.col("_last"))
    hit = hit.filter(~newer & (~_UNDOES | pl.col("_named")))
    by_row = pl.when(~_UNDOES & (own | ~pl.col("_named"))).then("_from")
    outrun = acts.drop("_why", "_named").join(last, on=["_key", "_target"])
    outrun = outrun.filter(pl.col("_at") < pl.col("_last"))
    voids = claims.filter((pl.col("frequency") == _VOID) & ~pl.col("_denied"))
    return pl.concat(
        [
            hit.select(*_CLAIM, superseded_by="_why", _before=by_row),
            outrun.select(*_CLAIM, superseded_by="_why").with_columns(_before=_WHOLE),
            voids.select(*_CLAIM, superseded_by=pl.lit("voids another claim"), _before=_WHOLE),
        ]
    ).unique(_CLAIM, keep="first", maintain_order=True)


def _acts(claims: pl.LazyFrame) -> pl.LazyFrame:
    """Replacements and voids with the claim that each undoes, where that can be told."""
    numbered = claims.select("_key", _known="_claim").unique()
    originals = claims.filter(~_UNDOES).group_by("_key", "_day")
    only = originals.agg(
        _only=pl.col("_claim").first(), _only_at=pl.col("_first").first(), _count=pl.len()
    ).filter(_count=1)
    acts = claims.filter(_UNDOES & ~pl.col("_denied")).join(
        numbered.with_columns(_named=True),
        left_on=["_key", "replaces_claim_id"],
        right_on=["_key", "_known"],
        how="left",
    )
    acts = acts.join(only, on=["_key", "_day"], how="left")
    before = pl.when(pl.col("_only_at") < pl.col("_at")).then("_only")
    guess = pl.lit(" that names none of the extract; it is the only other claim of that day")
    return acts.with_columns(
        pl.col("_named").fill_null(False),
        _target=pl.when("_named").then("replaces_claim_id").otherwise(before),
        _by="_claim",
        _why=pl.concat_str(
            pl.col("frequency").replace_strict(_WORDS, default=None),
            pl.when(pl.col("_named").is_null()).then(guess),
            ignore_nulls=True,
        ),
    ).filter(pl.col("_target").is_not_null())
