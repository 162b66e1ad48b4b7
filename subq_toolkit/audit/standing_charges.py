"""Which charges stand: those that a later claim replaced, voided or reversed do not.

A replacement (frequency 7) or void (8) names the claim it undoes; that link decides in whatever
order the extract stands. Where the number is not in the extract, the one original claim of the
same encounter and day before it is meant, and the answer says so. A claim that names its own
number, and two that name the same one, are told apart by their order: the later row stands, or the
earlier one where the links show that the extract begins with the newest. A denied replacement
undoes nothing; a denied line beside one like it on another claim was sent again.
"""

import polars as pl

from subq_toolkit.audit.billed import CODE
from subq_toolkit.audit.credits import with_payer
from subq_toolkit.audit.filing import same_payer
from subq_toolkit.audit.matching import comparable

_VOID, _REPLACEMENT = "8", "7"
#: Frequencies of claims that undo another.
UNDOING = (_VOID, _REPLACEMENT)
_BY_STATUS = {"voided": "marked as voided", "replaced": "marked as replaced"}
_WORDS = {_VOID: "voided by a later claim", _REPLACEMENT: "replaced by a later claim"}
_CLAIM = ["_key", "_claim", "frequency"]
_UNNUMBERED, _WHOLE = "", pl.lit(None, pl.Int64)
_UNDOES = pl.col("frequency").is_in(UNDOING).fill_null(False)
#: So many links, and nearly all of them, must run backward before an extract is read so.
_ENOUGH_LINKS, _NEARLY_ALL = 5, 0.9
GUESSED = " that names none of the extract; it is the only other claim of that day"
_STRAYED = " that stands under another encounter"


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
    status, row = pl.col("status").cast(pl.String), pl.col("_row").cast(pl.Int64)
    # Lines without a claim number are one claim of their encounter.
    number = comparable(pl.col("claim_id")).fill_null(_UNNUMBERED)
    charges = charges.with_columns(_claim=number)
    undone, newest_first = _undone(charges)
    marked = charges.with_columns(superseded_by=pl.lit(None, pl.String))
    if undone.height:
        marked = charges.join(undone.lazy(), on=_CLAIM, how="left", nulls_equal=True)
        sent = -row if newest_first else row
        applies = pl.col("_before").is_null() | (sent < pl.col("_before"))
        marked = marked.with_columns(superseded_by=pl.when(applies).then("superseded_by"))
        marked = marked.drop("_before")
    marked = marked.with_columns(
        superseded_by=pl.when(status.is_in(list(_BY_STATUS)))
        .then(status.replace_strict(_BY_STATUS, default=None))
        .otherwise("superseded_by")
    )
    marked = _later_versions(marked).drop("_claim")
    stands = pl.col("superseded_by").is_null()
    return marked.filter(stands).drop("superseded_by"), marked.filter(~stands)


def sent_again(charges: pl.LazyFrame) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Take out denied lines that stand on another claim: of that day, payer and as many units.

    Parameters
    ----------
    charges
        As ``netted`` returns them.

    Returns
    -------
    tuple of pl.LazyFrame
        The charges without them, and those lines with ``superseded_by``.
    """
    none = charges.filter(pl.lit(False)).with_columns(superseded_by=pl.lit(None, pl.String))
    denied = pl.col("denied") & (pl.col("net_units") > 0)
    if not charges.select(denied.any()).collect().item():
        return charges, none
    line = ["_key", "code", "service_date", "net_units", "_payer"]
    concerned = charges.filter(denied).select("_key", "code").unique()
    rows = charges.join(concerned, on=["_key", "code"], how="semi").with_columns(
        _claim=comparable(pl.col("claim_id")).fill_null(_UNNUMBERED),
    )
    rows = with_payer(rows, ["_key", "code"])
    live = rows.filter(~pl.col("denied") & (pl.col("net_units") > 0)).group_by(line)
    live = live.agg(_first_claim=pl.col("_claim").min(), _last_claim=pl.col("_claim").max())
    own = pl.col("_claim")
    another = (own == _UNNUMBERED) | (own != pl.col("_first_claim"))
    another |= own != pl.col("_last_claim")
    again = rows.filter(denied).join(live, on=line, nulls_equal=True).filter(another)
    again = again.select("_row").collect()["_row"]
    said = pl.lit("denied; a line like it stands on another claim")
    gone = pl.col("_row").is_in(again.implode())
    return charges.filter(~gone), charges.filter(gone).with_columns(superseded_by=said)


def _later_versions(marked: pl.LazyFrame) -> pl.LazyFrame:
    """Of one line of a replacement that was sent twice under one number the later row stands."""
    numbered = pl.col("line_number").is_not_null() & pl.col("claim_id").is_not_null()
    twice = numbered & (pl.col("frequency") == _REPLACEMENT) & pl.col("superseded_by").is_null()
    last = marked.filter(twice).group_by(*_CLAIM, "line_number").agg(_last=pl.col("_row").max())
    last = last.collect()
    if last.is_empty():
        return marked
    kept = pl.col("_row").is_in(last["_last"].implode())
    said = pl.lit("a later version of this line stands under the same number")
    return marked.with_columns(
        superseded_by=pl.when(twice & ~kept).then(said).otherwise("superseded_by")
    )


def _undone(charges: pl.LazyFrame) -> tuple[pl.DataFrame, bool]:
    """Claims that do not stand, and whether the extract begins with the newest.

    The claims are ``_key, _claim, frequency, superseded_by, _before``: of one with ``_before``
    only the rows sent before that one do not stand.
    """
    claims, newest_first = _claims(charges)
    if claims.is_empty():
        return pl.DataFrame(), newest_first
    claims = claims.lazy()
    acts = _acts(claims)
    target = ["_target_key", "_target"]
    last = acts.sort("_at").group_by(target).agg(
        pl.col("_why").last(), pl.col("_named").last(),
        pl.col("_by").last().alias("_last_by"), pl.col("_first").last().alias("_from"),
        _last=pl.col("_at").max(),
    )  # fmt: skip
    hit = claims.join(last, left_on=["_key", "_claim"], right_on=target)
    # An act that shares the number it names is a later version of the same claim.
    own = pl.col("_claim") == pl.col("_last_by")
    newer = _UNDOES & own & (pl.col("_at") >= pl.col("_last"))
    hit = hit.filter(~newer & (~_UNDOES | pl.col("_named")))
    by_row = pl.when(~_UNDOES & (own | ~pl.col("_named"))).then("_from")
    outrun = acts.drop("_why", "_named").join(last, on=target)
    outrun = outrun.filter(pl.col("_at") < pl.col("_last"))
    voids = claims.filter((pl.col("frequency") == _VOID) & ~pl.col("_denied"))
    undone = pl.concat(
        [
            hit.select(*_CLAIM, superseded_by="_why", _before=by_row),
            outrun.select(*_CLAIM, superseded_by="_why").with_columns(_before=_WHOLE),
            voids.select(*_CLAIM, superseded_by=pl.lit("voids another claim"), _before=_WHOLE),
        ]
    )
    return undone.unique(_CLAIM, keep="first", maintain_order=True).collect(), newest_first


def _claims(charges: pl.LazyFrame) -> tuple[pl.DataFrame, bool]:
    """The claims that undo another, and all that one of them may mean, with their order.

    Returns
    -------
    tuple
        ``_key, _claim, frequency, _names`` (the claim it undoes), ``_first`` and ``_at`` (when
        its first and last row were sent, as places in the extract), ``_day, _denied``; and
        whether the extract begins with the newest.
    """
    charges = charges.with_columns(_names=comparable(pl.col("replaces_claim_id")))
    undoing = charges.filter(_UNDOES & (pl.col("status") != "denied"))
    held = undoing.select("_key", "_names").collect()
    meant = pl.col("_key").is_in(held["_key"].unique().implode())
    meant |= pl.col("_claim").is_in(held["_names"].drop_nulls().unique().implode())
    claims = (
        charges.filter(meant)
        .group_by(*_CLAIM)
        .agg(
            pl.col("_names").first(),
            _at=pl.col("_row").max().cast(pl.Int64),
            _first=pl.col("_row").min().cast(pl.Int64),
            _day=pl.col("service_date").min(),
            _denied=(pl.col("status") == "denied").all(),
            _payer=same_payer(pl.col("payer")).drop_nulls().first(),
            _codes=pl.col("code").unique(),
            _infused=pl.col("code").is_in(CODE.categories.to_list()).any(),
        )
        .collect()
    )
    acts, originals = claims.filter(_UNDOES), claims.filter(~_UNDOES)
    links = acts.join(originals, left_on=["_key", "_names"], right_on=["_key", "_claim"])
    backward = links.select((pl.col("_first_right") > pl.col("_first")).sum()).item()
    newest_first = backward >= _ENOUGH_LINKS and backward > _NEARLY_ALL * links.height
    if newest_first:
        claims = claims.with_columns(_at=-pl.col("_first"), _first=-pl.col("_at"))
    return claims, newest_first


def _acts(claims: pl.LazyFrame) -> pl.LazyFrame:
    """Replacements and voids with the claim that each undoes, where that can be told."""
    numbered = claims.filter(pl.col("_claim") != _UNNUMBERED).select("_key", "_claim").unique()
    own = numbered.with_columns(_named=True)
    # Under another encounter a number is followed only where it is the only one of its kind.
    strayed = numbered.group_by("_claim").agg(_other=pl.first("_key"), _keys=pl.len())
    strayed = strayed.filter(_keys=1).drop("_keys")
    originals = claims.filter(~_UNDOES).group_by("_key", "_day")
    only = originals.agg(
        pl.col("_payer", "_codes", "_infused").first().name.prefix("_only"),
        _only=pl.col("_claim").first(), _only_at=pl.col("_first").first(), _count=pl.len(),
    ).filter(_count=1)  # fmt: skip
    acts = claims.filter(_UNDOES & ~pl.col("_denied"))
    acts = acts.join(own, left_on=["_key", "_names"], right_on=["_key", "_claim"], how="left")
    acts = acts.join(strayed, left_on="_names", right_on="_claim", how="left")
    acts = acts.join(only, on=["_key", "_day"], how="left")
    # A claim of another payer, or of nothing that is on this one, is not meant.
    like = (pl.col("_only_payer") == pl.col("_payer")).fill_null(True)
    alike = pl.col("_codes").list.set_intersection("_only_codes").list.len() > 0
    like &= alike | (pl.col("_infused") & pl.col("_only_infused"))
    before = pl.when((pl.col("_only_at") < pl.col("_at")) & like).then("_only")
    here, there = pl.col("_named").fill_null(False), pl.col("_other").is_not_null()
    return acts.with_columns(
        _named=here | there,
        _target=pl.when(here | there).then("_names").otherwise(before),
        _target_key=pl.when(here | ~there).then("_key").otherwise("_other"),
        _by="_claim",
        _why=pl.concat_str(
            pl.col("frequency").replace_strict(_WORDS, default=None),
            pl.when(~here & there).then(pl.lit(_STRAYED)).when(~here).then(pl.lit(GUESSED)),
            ignore_nulls=True,
        ),
    ).filter(pl.col("_target").is_not_null())


def with_guesses(chart: pl.LazyFrame, superseded: pl.LazyFrame) -> pl.LazyFrame:
    """Mark encounters of which a claim is only taken to be undone: ``guessed``."""
    guesses = superseded.filter(pl.col("superseded_by").str.ends_with(GUESSED))
    keys = guesses.select("_key").unique().collect()["_key"]
    return chart.with_columns(guessed=pl.col("_key").is_in(keys.implode()))
