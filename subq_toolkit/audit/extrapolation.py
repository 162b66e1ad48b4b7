"""What a reviewed sample says of all encounters: totals over and under, and how sure they are."""

from collections.abc import Mapping, Sequence
from math import fsum, sqrt

import polars as pl

from subq_toolkit.audit.intervals import TOTAL_CONFIDENCE, normal_quantile, student_quantile
from subq_toolkit.audit.review_sample import ReviewSample
from subq_toolkit.audit.reviewed_amounts import reviewed_amounts
from subq_toolkit.audit.stratified_totals import (
    Estimate,
    Stratum,
    mean_total,
    ratio_totals,
    satterthwaite,
)
from subq_toolkit.errors import InputError

UNREVIEWED = ("refuse", "leave_out")
METHODS = ("mean", "ratio")
_ALL, _FEW = "all", 3
#: What is totalled: an encounter's part that is over, that is under, and the balance.
_SIDES = {
    "over": lambda difference: max(difference, 0.0),
    "under": lambda difference: max(-difference, 0.0),
    "net": lambda difference: difference,
}
_SCHEMA = {
    "side": pl.String,
    "stratum": pl.String,
    "scope": pl.String,
    "stratum_size": pl.Int64,
    "sampled": pl.Int64,
    "reviewed": pl.Int64,
    "found_usd": pl.Float64,
    "total_usd": pl.Float64,
    "standard_error_usd": pl.Float64,
    "degrees_of_freedom": pl.Float64,
    "low_usd": pl.Float64,
    "high_usd": pl.Float64,
    "note": pl.String,
}


def extrapolate(
    sample: ReviewSample,
    reviewed: object,
    *,
    confidence: float = TOTAL_CONFIDENCE,
    method: str = "mean",
    unreviewed: str = "refuse",
) -> pl.DataFrame:
    """Carry the amounts found in a reviewed sample over to all encounters.

    Parameters
    ----------
    sample
        What ``draw_sample`` returned.
    reviewed
        What the review found, one row per encounter: ``encounter_id``, ``service_date`` (where
        a number has several) and ``difference_usd`` (billed less supported) or ``verdict``; or
        what ``read_verdicts`` returned; or the name of a column of ``sample.encounters``, e.g.
        ``"difference_usd"`` to carry over the amounts of the audit itself. An amount counts
        before a verdict. ``agree``: the amount of the audit stands; ``disagree`` without an
        amount: what was billed stands, so nothing; ``unclear``: not reviewed.
    confidence
        Of the two-sided interval. [1]
    method
        ``mean`` (mean per encounter) or ``ratio`` (to ``billed_usd``, which must be known of
        every encounter; only the total of all strata is told).
    unreviewed
        ``refuse`` where a drawn encounter has no amount, or ``leave_out``: those reviewed stand
        for their stratum, which holds only if what is missing is missing by chance.

    Returns
    -------
    pl.DataFrame
        ``side`` (``over, under, net``), ``stratum``, ``scope`` (``stratum, all``),
        ``stratum_size, sampled, reviewed`` [1], ``found_usd`` (in those reviewed), ``total_usd``,
        ``standard_error_usd``, ``low_usd, high_usd`` [USD], ``degrees_of_freedom`` [1], ``note``
        (why a number is missing or how little it says).

    Raises
    ------
    InputError
        If drawn encounters are not reviewed, the review does not fit the sample, ``billed_usd``
        is not known for a ratio, or scipy is not installed.

    Notes
    -----
    In stratum h, with N encounters, n of them reviewed, mean ȳ and spread s::

        total = N ȳ        variance = N² (1 - n/N) s² / n        interval = total ± t √variance

    Totals and variances of strata add up. t is Student's, with n - 1 degrees of freedom in a
    stratum and Satterthwaite's in all, (Σv)² / Σ(v²/(n - 1)); see ``degrees_of_freedom`` in
    ``parameters/review_sampling.toml``. A stratum reviewed whole has no variance; of one with a
    single encounter reviewed the variance is not known, and neither is any interval that holds
    it. Combined ratio: R = Σ N ȳ / Σ N x̄, total R X, and s of y - R x.

    ``low_usd`` of the side ``over`` in all, at 90 %, is what integrity agreements of the OIG ask
    to be repaid (``total_confidence``). No lower limit of ``over`` or ``under`` lies below what
    was found there. Where few encounters hold most of the money, or a side was hardly found, such
    intervals miss the true total more often than their level says: make strata of what the audit
    found, and draw more from those.
    """
    normal_quantile(confidence)
    if not isinstance(sample, ReviewSample):
        raise InputError(f"sample is what draw_sample(...) returned, no {type(sample).__name__}.")
    if method not in METHODS:
        raise InputError(f"method is one of {', '.join(METHODS)}, not {method!r}.")
    if unreviewed not in UNREVIEWED:
        raise InputError(f"unreviewed is one of {', '.join(UNREVIEWED)}, not {unreviewed!r}.")
    rows = reviewed_amounts(sample, reviewed)
    missing = rows["_amount"].null_count()
    if missing and unreviewed == "refuse":
        raise InputError(
            f"{missing} of {rows.height} drawn encounters have no amount: not reviewed, unclear, "
            f"or without a known price. Review them, or say unreviewed='leave_out' if they are "
            f"missing by chance."
        )
    strata = _strata(sample, rows, with_billed=method == "ratio")
    found = []
    for side, part in _SIDES.items():
        if method == "mean":
            estimates = [mean_total(stratum, part) for stratum in strata]
            for stratum, one in zip(strata, estimates, strict=True):
                found.append(_row(side, stratum.name, "stratum", [one], [stratum], confidence))
        else:
            estimates = ratio_totals(strata, part)
        found.append(_row(side, _ALL, "all", estimates, strata, confidence))
    return pl.DataFrame(found, schema=_SCHEMA, orient="row")


def _strata(sample: ReviewSample, rows: pl.DataFrame, *, with_billed: bool) -> list[Stratum]:
    billed = _billed(sample) if with_billed else {}
    known = rows.filter(pl.col("_amount").is_not_null()).sort("encounter_id", "service_date")
    parts = {name[0]: part for name, part in known.group_by("stratum", maintain_order=True)}
    strata = []
    for name, size, drawn in sample.design.select("stratum", "stratum_size", "sampled").rows():
        part = parts.get(name, known.clear())
        beside = part["billed_usd"].cast(pl.Float64).to_list() if with_billed else []
        amounts = part["_amount"].to_list()
        strata.append(Stratum(name, size, drawn, amounts, beside, billed.get(name, 0.0)))
    return strata


def _billed(sample: ReviewSample) -> Mapping[str, float]:
    """What was billed in each stratum. [USD]"""
    held = sample.encounters
    if "billed_usd" not in held.columns or held["billed_usd"].null_count():
        raise InputError(
            "method='ratio' needs billed_usd of every encounter, drawn or not. Use method='mean'."
        )
    exact = pl.col("billed_usd").cast(pl.Decimal(38, 2)).sum().cast(pl.Float64)
    return dict(held.group_by("stratum").agg(exact).rows())


def _row(
    side: str,
    name: str,
    scope: str,
    estimates: Sequence[Estimate],
    strata: Sequence[Stratum],
    confidence: float,
) -> tuple:
    found = fsum(one.found for one in estimates)
    total = error = free = low = high = None
    if all(one.total is not None for one in estimates):
        total = fsum(one.total for one in estimates)
        if all(one.variance is not None for one in estimates):
            error = sqrt(fsum(one.variance for one in estimates))
            free = satterthwaite(estimates)
            reach = error * student_quantile(confidence, free) if free else 0.0
            low, high = total - reach, total + reach
            if side != "net":
                low = max(low, min(found, total))
    sizes = [sum(getattr(one, field) for one in strata) for field in ("size", "sampled")]
    money = [None if one is None else round(one, 2) for one in (found, total, error)]
    limits = [None if one is None else round(one, 2) for one in (low, high)]
    reviewed = sum(one.reviewed for one in estimates)
    return (
        side, name, scope, *sizes, reviewed, *money, free, *limits, _note(estimates, strata)
    )  # fmt: skip


def _note(estimates: Sequence[Estimate], strata: Sequence[Stratum]) -> str | None:
    pairs = list(zip(estimates, strata, strict=True))
    none = [stratum.name for one, stratum in pairs if not one.reviewed]
    single = [stratum.name for one, stratum in pairs if one.reviewed and one.variance is None]
    same = [s.name for one, s in pairs if one.variance == 0 and one.reviewed < one.size]
    if none:
        return f"No encounter reviewed in: {_named(none)}. No total."
    if single:
        return f"One encounter reviewed in: {_named(single)}. No variance, so no interval."
    if all(one.reviewed == one.size for one in estimates):
        return "Every encounter reviewed: the total is exact."
    if same:
        return f"All reviewed alike in: {_named(same)}. The interval takes the rest to be so."
    return None


def _named(strata: Sequence[str]) -> str:
    few = ", ".join(strata[:_FEW])
    return few if len(strata) <= _FEW else f"{few} and {len(strata) - _FEW} more"
