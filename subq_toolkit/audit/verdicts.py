"""What reviewers decided on a worklist, read back and held against the audit."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from subq_toolkit.audit.audited_tables import CLASSES, Audited
from subq_toolkit.audit.intervals import RATE_CONFIDENCE, normal_quantile, with_interval
from subq_toolkit.audit.review_sample import KEY, ReviewSample
from subq_toolkit.audit.reviewed_amounts import VERDICTS
from subq_toolkit.audit.reviewed_sheet import line_of, reviewed_sheet, with_state
from subq_toolkit.audit.worklist import worklist

#: What may become of a row of the file, and what to do about it.
STATES = {
    "matched": "Counted.",
    "changed": "The audit says otherwise by now: review the row again on a new list.",
    "mixed_up": "Encounter or code stand beside the key of another row: the sheet was sorted in "
    "parts. Sort it back, or review on a new list.",
    "double": "The key stands there more than once: keep one row.",
    "not_in_audit": "No such row in this audit: check that list and audit belong together.",
    "no_key": "The row has a verdict and no key: enter it on the row of the list.",
}
_UNKNOWN_WORD = "unknown_verdict"
_NOT_REVIEWED, _MISSING = "not_reviewed", "missing"
_REMEDIES = {
    _UNKNOWN_WORD: f"Write {', '.join(VERDICTS)}; counted as not reviewed.",
    _NOT_REVIEWED: "No verdict yet.",
    _MISSING: "Rows of the audit's list that are not in the file.",
}


@dataclass(frozen=True, eq=False, repr=False)
class Verdicts:
    """Verdicts on the rows of a worklist.

    Attributes
    ----------
    rows
        The worklist of the audit with ``state`` (``matched, changed, mixed_up, double,
        missing``), ``verdict`` (null: none that counts), ``reviewer, note``.
    report
        ``what, rows`` [1], ``remedy``: what became of the rows of the file.
    agreement
        ``class`` (null in the last row: all), ``finding, agree, disagree, unclear`` [1],
        ``rate, rate_low, rate_high`` (agree of those decided, Wilson score interval) [1].
    amounts
        ``encounter_id, service_date, difference_usd`` [USD] as reviewed, for ``extrapolate``:
        the audit's amount where a reviewer agreed, nothing where not; null if a line of the
        encounter is unclear, not reviewed or without a price.
    """

    rows: pl.DataFrame
    report: pl.DataFrame
    agreement: pl.DataFrame
    amounts: pl.DataFrame

    @property
    def disagreements(self) -> pl.DataFrame:
        """The rows with which a reviewer did not agree."""
        return self.rows.filter(verdict="disagree")

    def __repr__(self) -> str:
        *_, total = self.agreement.rows(named=True)
        return (
            f"<Verdicts: {total['agree']:,} agree, {total['disagree']:,} disagree, "
            f"{total['unclear']:,} unclear of {self.rows.height:,} rows; .rows, .report, "
            f".agreement, .disagreements, .amounts>"
        )


def read_verdicts(
    path: str | Path,
    audited: Audited | pl.DataFrame | pl.LazyFrame,
    *,
    which: str = "errors",
    only: ReviewSample | pl.DataFrame | None = None,
    confidence: float = RATE_CONFIDENCE,
) -> Verdicts:
    """Read a reviewed worklist and hold it against the audit.

    Parameters
    ----------
    path
        The workbook that ``write_worklist`` wrote, filled in.
    audited, which, only
        As they were when the list was written.
    confidence
        Of the intervals of agreement. [1]

    Raises
    ------
    InputError
        If the file cannot be read, is no worklist, or ``audited``, ``which``, ``only`` or
        ``confidence`` make no sense. Single rows never raise: they are in ``report``.

    Notes
    -----
    A row counts only if its key, its encounter and its code belong together, stand there once,
    and the audit still says what the reviewer saw. Where a key stands there more than once none
    of the rows counts, even if they say the same.
    """
    z = normal_quantile(confidence)
    expected = worklist(audited, which=which, only=only)
    sheet = reviewed_sheet(path)
    sheet = with_state(sheet, expected)
    counted = sheet.filter(state="matched").select("_line", "verdict", "reviewer", "note")
    states = sheet.filter(pl.col("_line").is_not_null()).select("_line", "state")
    states = states.unique("_line", keep="any")  # rows that share a line are all double
    rows = expected.with_columns(_line=line_of(pl.col("key")))
    rows = rows.join(states, on="_line", how="left").join(counted, on="_line", how="left")
    known = pl.col("verdict").is_in(VERDICTS)
    rows = (
        rows.with_columns(
            pl.col("state").fill_null(_MISSING), verdict=pl.when(known).then("verdict")
        )
        .drop("_line")
        .sort("rank")
    )
    return Verdicts(rows, _report(sheet, rows), _agreement(rows, z), _amounts(rows))


def _report(sheet: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    states = Counter(sheet["state"].to_list())
    matched = sheet.filter(state="matched")["verdict"]
    counts = {
        **{state: states.get(state, 0) for state in STATES},
        _UNKNOWN_WORD: sum(one is not None and one not in VERDICTS for one in matched),
        _NOT_REVIEWED: matched.null_count(),
        _MISSING: rows.filter(state=_MISSING).height,
    }
    told = [(what, count, (STATES | _REMEDIES)[what]) for what, count in counts.items()]
    schema = {"what": pl.String, "rows": pl.Int64, "remedy": pl.String}
    return pl.DataFrame(told, schema=schema, orient="row")


def _agreement(rows: pl.DataFrame, z: float) -> pl.DataFrame:
    counts = {
        word: (pl.col("verdict") == word).fill_null(False).cast(pl.Int64).sum()
        for word in VERDICTS
    }  # fmt: skip
    order = {name: place for place, name in enumerate(CLASSES)}
    classes = rows.group_by("class", "finding").agg(**counts).sort(
        pl.col("class").replace_strict(order, default=len(order), return_dtype=pl.Int64)
    )  # fmt: skip
    empty = {"class": pl.String, "finding": pl.String}
    total = rows.select(**counts).select(
        *(pl.lit(None, kind).alias(name) for name, kind in empty.items()), *VERDICTS
    )
    found = pl.concat([classes.select(*empty, *VERDICTS), total])
    found = found.with_columns(_decided=pl.col("agree") + pl.col("disagree"))
    rate = (pl.col("agree") / pl.col("_decided")).fill_nan(None)
    return found.with_columns(rate=rate, **with_interval("agree", "_decided", z)).drop("_decided")


def _amounts(rows: pl.DataFrame) -> pl.DataFrame:
    amount = (
        pl.when(pl.col("verdict") == "agree")
        .then(pl.col("difference_usd").cast(pl.Decimal(14, 2)))
        .when(pl.col("verdict") == "disagree")
        .then(pl.lit(0, pl.Decimal(14, 2)))
    )
    known = rows.with_columns(_usd=amount)
    told = pl.when(pl.col("_usd").is_not_null().all()).then(pl.col("_usd").sum())
    return known.group_by(KEY).agg(difference_usd=told).sort(KEY)
