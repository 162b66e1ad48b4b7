"""What is to be worked, gravest first: each code that was billed otherwise than charted."""

from hashlib import blake2b

import polars as pl

from subq_toolkit.audit.audited_tables import CLASSES, ERRORS, Audited, require, table_of
from subq_toolkit.audit.column_kinds import DAY, NAME, NUMBER, TEXT, WHOLE, require_kinds
from subq_toolkit.audit.review_sample import ReviewSample
from subq_toolkit.errors import InputError

ORDERS = ("money", "risk", "deadline")
WHICH = ("errors", "open", "all")
_RISKS = ("high", "medium", "low", "none")
_LINE = ("encounter_id", "service_date", "code")
#: What a reviewer judges; a list made before any of it changed is stale.
_JUDGED = ("class", "billed_units", "supported_units", "difference_usd")
_COLUMNS = (
    "rank", *_LINE, "payer", "department", "coder", "class", "finding", "direction",
    "billed_units", "supported_units", "difference_units", "billed_usd", "supported_usd",
    "difference_usd", "risk", "reason", "what_to_do", "file_by", "days_left", "claim_ids",
    "cite", "key",
)  # fmt: skip
_MADE = ("rank", "finding", "key")
_DAYS, _NUMBERS = ("service_date", "file_by"), ("billed_usd", "supported_usd", "difference_usd")
_WHOLE = ("billed_units", "supported_units", "difference_units", "days_left")
_KINDS = dict.fromkeys(_COLUMNS, TEXT) | dict.fromkeys(("encounter_id", "code"), NAME)
_KINDS |= dict.fromkeys(_DAYS, DAY) | dict.fromkeys(_NUMBERS, NUMBER) | dict.fromkeys(_WHOLE, WHOLE)


def worklist(
    audited: Audited | pl.DataFrame | pl.LazyFrame,
    *,
    order: str = "money",
    which: str = "errors",
    only: ReviewSample | pl.DataFrame | None = None,
) -> pl.DataFrame:
    """List what is to be worked, one row per encounter and code.

    Parameters
    ----------
    audited
        What ``audit`` returned, or its table of lines.
    order
        ``money``: by the size of the difference, whether over or under, those without a known
        price last; then by risk. ``risk``: high first, then by money. ``deadline``: what can
        still be filed by days left, then what has no stated limit, then what is past.
    which
        ``errors``; ``open``, with what could not be judged, was denied, or is above the edit;
        ``all``, with what agrees, as for a sample under review.
    only
        Encounters to list: a sample, of which those drawn, or a table with ``encounter_id`` and,
        where a number has several, ``service_date``.

    Returns
    -------
    pl.DataFrame
        ``rank`` (1 first), ``encounter_id, service_date, code, payer, department, coder, class,
        finding`` (the class in words), ``direction, billed_units, supported_units,
        difference_units`` [1], ``billed_usd, supported_usd, difference_usd`` [USD], ``risk,
        reason, what_to_do, file_by, days_left`` [d], ``claim_ids, cite``, and ``key``, by which
        ``read_verdicts`` finds the row again and notices that it changed.

    Raises
    ------
    InputError
        If an answer is unknown, a column is missing, or one holds something else than it should.

    Notes
    -----
    A limit of the payer does not end the duty to return what was overpaid; see ``what_to_do``.
    """
    for name, answer, known in (("order", order, ORDERS), ("which", which, WHICH)):
        if answer not in known:
            raise InputError(f"{name} is one of {', '.join(known)}, not {answer!r}.")
    rows = table_of(audited, "lines")
    taken = [name for name in _COLUMNS if name not in _MADE]
    schema = rows.collect_schema()
    require(taken, schema.names())
    require_kinds(schema, {name: _KINDS[name] for name in taken})
    labels = {name: one["label"] for name, one in CLASSES.items()}
    rows = rows.select(taken).filter(_listed(which)).collect()
    rows = _chosen(rows, only).with_columns(
        finding=pl.col("class").replace_strict(labels, default=None, return_dtype=pl.String)
    )
    rows = rows.sort(*_order(order), *_LINE, "class", nulls_last=True)
    rows = rows.with_columns(key=pl.Series(_keys(rows), dtype=pl.String))
    return rows.with_row_index("rank", offset=1).select(
        pl.col("rank").cast(pl.Int64), *_COLUMNS[1:]
    )


def _listed(which: str) -> pl.Expr:
    name = pl.col("class")
    if which == "errors":
        return name.is_in(ERRORS)
    return pl.lit(True) if which == "all" else name != "agrees"


def _chosen(rows: pl.DataFrame, only: object) -> pl.DataFrame:
    if only is None:
        return rows
    wanted = only.sampled if isinstance(only, ReviewSample) else only
    if not isinstance(wanted, pl.DataFrame):
        raise InputError(
            f"only= is a sample or a table of encounters; this is a {type(only).__name__}."
        )
    require(_LINE[:1], wanted.columns)
    key = [name for name in _LINE[:2] if name in wanted.columns]
    return rows.join(wanted.select(key).unique(), on=key, how="semi", nulls_equal=True)


def _order(order: str) -> list[pl.Expr]:
    """What to sort by, ascending, nulls last."""
    ranks = {name: place for place, name in enumerate(_RISKS)}
    risk = pl.col("risk").replace_strict(ranks, default=len(ranks), return_dtype=pl.Int64)
    money, left = -pl.col("difference_usd").cast(pl.Decimal(38, 2)).abs(), pl.col("days_left")
    if order == "risk":
        return [risk, money]
    if order == "money":
        return [money, risk]
    stage = pl.when(left >= 0).then(0).when(left.is_null()).then(1).otherwise(2)
    # Of what is past, that which ran out last comes first.
    return [stage, left.abs(), money, risk]


def _keys(rows: pl.DataFrame) -> list[str]:
    """A key for each row: a mark of what it is, and one of what was found.

    Marks and not the entries themselves, so that no spreadsheet reads a date or a number in them
    and none is cut or changed on the way.
    """
    return [
        f"k{_short(line, 8)}-{_short(found, 4)}"
        for line, found in zip(
            rows.select(_LINE).iter_rows(), rows.select(_JUDGED).iter_rows(), strict=True
        )
    ]


def _short(values: tuple, size: int) -> str:
    told = "\0".join("" if one is None else str(one) for one in values)
    return blake2b(told.encode(), digest_size=size).hexdigest()
