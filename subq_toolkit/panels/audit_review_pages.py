"""The review of an audit as HTML: the sample that is drawn, and the verdicts that come back."""

import polars as pl

from subq_toolkit.audit.audited_tables import ERRORS
from subq_toolkit.audit.intervals import RATE_CONFIDENCE, TOTAL_CONFIDENCE
from subq_toolkit.audit.review_sample import ReviewSample
from subq_toolkit.audit.verdicts import Verdicts
from subq_toolkit.panels.audit_pages import day, dollars, number, share, units
from subq_toolkit.panels.html_parts import section, table, text

_MOST_ROWS = 200


def design_page(drawn: ReviewSample, totals: pl.DataFrame, precision: int) -> str:
    """How a sample is shared out among its strata, and what the audit found in all of them."""
    rows = [
        [
            f"<b>{text(row['stratum'])}</b>",
            f"{row['stratum_size']:,}",
            f"{row['sampled']:,}",
            f"{row['weight']:,.1f}" if row["weight"] is not None else "",
        ]
        for row in drawn.design.rows(named=True)
    ]
    heads = ["stratum", "encounters", "drawn", "each stands for"]
    shown = table(heads, rows, name="Design of the sample", numeric=2, figures=(1, 3))
    said = (
        f"{drawn.sampled.height:,} encounters drawn at random tell a rate of errors to within "
        f"{precision} percentage points, at {100 * RATE_CONFIDENCE:.4g} % confidence"
    )
    return _rehearsal(drawn, totals) + section("Design", shown, said)


def _rehearsal(drawn: ReviewSample, totals: pl.DataFrame) -> str:
    """Whether the intervals of the sample hold what the audit found in all."""
    usd = pl.col("difference_usd")
    over, under = drawn.encounters.select(
        usd.filter(usd > 0).sum(), under=-usd.filter(usd < 0).sum()
    ).row(0)
    whole = totals.filter(scope="all").select("side", "low_usd", "high_usd")
    limits = {side: ends for side, *ends in whole.rows()}
    told = [
        f"{dollars(known)} {side} ({_within(float(known), *limits[side])})"
        for side, known in (("over", over), ("under", under))
    ]
    n, level = drawn.encounters.height, 100 * TOTAL_CONFIDENCE
    return (
        f'<p class="sq-quiet">A rehearsal: the amounts of the audit stand for the review. In all '
        f"{n:,} encounters that were judged and have a price it found {' and '.join(told)}. An "
        f"interval of {level:.4g} % misses now and then, and more often where a stratum with much "
        f"money has few drawn: draw more of those.</p>"
    )


def _within(known: float, low: float | None, high: float | None) -> str:
    if low is None:
        return "no interval is known"
    return "within its interval" if low <= known <= high else "▲ outside its interval"


def verdicts_page(verdicts: Verdicts) -> str:
    """How far reviewers agree with the audit, and what became of the rows of their list."""
    decided = pl.sum_horizontal("agree", "disagree", "unclear") > 0
    rows = [
        [
            f"<b>{text(row['finding'] or 'all')}</b>",
            f"{row['agree']:,}",
            f"{row['disagree']:,}",
            f"{row['unclear']:,}",
            "" if row["rate"] is None else
            f"{share(row['rate'])} <small>{share(row['rate_low'])} to "
            f"{share(row['rate_high'])}</small>",
        ]
        for row in verdicts.agreement.filter(decided | pl.col("class").is_null()).rows(named=True)
    ]  # fmt: skip
    heads = ["class", "agree", "disagree", "unclear", "agreement (95 % interval)"]
    agreement = table(heads, rows, name="Agreement", numeric=4, figures=(1, 2, 3))
    report = _report(verdicts)
    return section("Reviewers and the audit", agreement) + _disagreements(verdicts) + report


def _report(verdicts: Verdicts) -> str:
    """What became of the rows of the file; of what is not in it only errors are told."""
    missing = pl.col("class").is_in(ERRORS) & (pl.col("state") == "missing")
    counts = dict(verdicts.report.select("what", "rows").rows())
    counts["missing"] = verdicts.rows.filter(missing).height
    rows = [
        [text(_STATES.get(what, what.replace("_", " "))), f"{counts[what]:,}", text(remedy)]
        for what, remedy in verdicts.report.select("what", "remedy").rows()
        if counts[what]
    ]
    heads = ["rows of the list", "rows", "what to do"]
    return section("The list", table(heads, rows, name="Reviewed list", numeric=1))


_STATES = {"missing": "errors that are not on it"}


def _disagreements(verdicts: Verdicts) -> str:
    found = verdicts.disagreements
    if found.is_empty():
        return ""
    rows = [
        [
            f"{number(row['encounter_id'])}{day(row['service_date'])}",
            f"<b>{text(row['code'])}</b><small>{units(row)}</small>",
            f"<b>{text(row['finding'])}</b><small>{text(row['reason'])}</small>",
            dollars(row["difference_usd"], sign=True),
            text(row["reviewer"]),
            text(row["note"]),
        ]
        for row in found.head(_MOST_ROWS).rows(named=True)
    ]
    heads = ["encounter", "code", "the audit says", "difference", "reviewer", "note"]
    shown = table(heads, rows, name="Disagreements", numeric=3)
    n = found.height
    return section(f"{n:,} disagreement{'s' * (n != 1)}", shown,
                   f"the first {_MOST_ROWS}" if n > _MOST_ROWS else "")  # fmt: skip
