"""How often billed and charted disagree, by payer, department, coder, month or class."""

from collections.abc import Sequence

import polars as pl

from subq_toolkit.audit.audited_tables import (
    CLASSES,
    ERRORS,
    JUDGED,
    NOT_STATED,
    USD,
    Audited,
    require,
    stated,
    table_of,
)
from subq_toolkit.audit.intervals import (
    RATE_CONFIDENCE,
    normal_quantile,
    wilson_interval,
    with_interval,
)
from subq_toolkit.errors import InputError

__all__ = ["error_rates", "errors_by_class", "wilson_interval"]

_TABLES = ("encounters", "lines")
_MONTH = "month"
_NEEDED = ("class", "direction", "difference_usd")
_USD = pl.col("difference_usd")
_IS_ERROR, _IS_JUDGED = pl.col("class").is_in(ERRORS), pl.col("class").is_in(JUDGED)


def error_rates(
    audited: Audited | pl.DataFrame | pl.LazyFrame,
    by: str | Sequence[str] | None = None,
    *,
    of: str = "encounters",
    confidence: float = RATE_CONFIDENCE,
) -> pl.DataFrame:
    """Tell how many were billed otherwise than charted, and what that is worth.

    Parameters
    ----------
    audited
        What ``audit`` returned, or one of its tables.
    by
        Columns to keep apart, e.g. ``"payer"`` or ``["department", "coder"]``; ``month`` is made
        of the date of service. None: all together.
    of
        ``encounters`` (each judged on its gravest line) or ``lines``.
    confidence
        Of the interval of the rate, between 0 and 1.

    Returns
    -------
    pl.DataFrame
        The columns of ``by`` as text (``not stated`` where there is none; null in the last row),
        ``scope`` (``group``, in the last row ``all``), ``judged, errors`` [1], ``rate, rate_low,
        rate_high`` [1] (null where nothing was judged), ``over, under`` (errors of either
        direction [1]), ``over_usd`` (billed above what is supported), ``under_usd`` (supported
        above what was billed), ``net_usd`` (the one less the other) [USD], ``no_price`` (errors
        without a known price, in none of the amounts [1]) and ``not_judged`` [1]. Sorted by
        group, ``not stated`` last.

    Raises
    ------
    InputError
        If there is no such column or table, or the level is no share.

    Notes
    -----
    The Wilson score interval, see ``rate_interval`` in ``parameters/review_sampling.toml``::

        (p + z²/2n ± z √(p (1 - p)/n + z²/4n²)) / (1 + z²/n)

    It says how far chance alone would move the rate in another period of as many. It takes them
    as independent of each other: lines of one encounter are not, so rates of lines are less sure
    than their interval. An encounter's amount is the sum of its lines, so what is over on one
    and under on another evens out there, and does not in amounts of lines.
    """
    z = normal_quantile(confidence)
    rows, names = _grouped(audited, by, of)
    groups = _counted(rows, names).with_columns(scope=pl.lit("group"))
    total = rows.select(**_counts()).with_columns(
        *(pl.lit(None, pl.String).alias(name) for name in names), scope=pl.lit("all")
    )
    found = pl.concat([groups, total], how="diagonal") if names else total
    shares = {"rate": pl.col("errors") / pl.col("judged"), **with_interval("errors", "judged", z)}
    return _in_order(found.with_columns(**shares), names).select(
        *names, "scope", "judged", "errors", "rate", "rate_low", "rate_high",
        "over", "under", "over_usd", "under_usd", "net_usd", "no_price", "not_judged",
    )  # fmt: skip


def errors_by_class(
    audited: Audited | pl.DataFrame | pl.LazyFrame,
    by: str | Sequence[str] | None = None,
    *,
    of: str = "encounters",
    confidence: float = RATE_CONFIDENCE,
) -> pl.DataFrame:
    """Tell how often each kind of error was found among what was judged.

    Parameters
    ----------
    audited, by, of, confidence
        As for ``error_rates``.

    Returns
    -------
    pl.DataFrame
        The columns of ``by``, ``class`` and its ``label``, ``judged`` (in the group [1]),
        ``errors`` (of the class [1]), ``rate, rate_low, rate_high`` [1], ``over_usd, under_usd,
        net_usd`` [USD], ``no_price`` [1]; by group, gravest class first. Classes that were not
        found are left out.

    Raises
    ------
    InputError
        As ``error_rates`` does.
    """
    z = normal_quantile(confidence)
    rows, names = _grouped(audited, by, of)
    everything = [*names, "class"]
    found = _counted(rows.filter(_IS_ERROR), everything).drop("judged")
    if names:
        judged = rows.filter(_IS_JUDGED).group_by(names).agg(judged=pl.len().cast(pl.Int64))
        found = found.join(judged, on=names, how="left")
    else:
        found = found.with_columns(judged=pl.lit(rows.filter(_IS_JUDGED).height, pl.Int64))
    grave = {name: place for place, name in enumerate(CLASSES)}
    labels = {name: one["label"] for name, one in CLASSES.items()}
    found = found.with_columns(
        rate=pl.col("errors") / pl.col("judged"),
        **with_interval("errors", "judged", z),
        label=pl.col("class").replace_strict(labels, return_dtype=pl.String),
        _grave=pl.col("class").replace_strict(grave, return_dtype=pl.Int64),
        scope=pl.lit("group"),
    )
    return _in_order(found, names, "_grave").select(
        *names, "class", "label", "judged", "errors", "rate", "rate_low", "rate_high",
        "over_usd", "under_usd", "net_usd", "no_price",
    )  # fmt: skip


def _grouped(audited: object, by: object, of: str) -> tuple[pl.DataFrame, list[str]]:
    """The columns that are needed, groups as text, and the names of the groups."""
    if of not in _TABLES:
        raise InputError(f"of= is one of {', '.join(_TABLES)}, not {of!r}.")
    rows, names = table_of(audited, of), [by] if isinstance(by, str) else list(by or [])
    held = rows.collect_schema().names()
    made = [_MONTH] if _MONTH in names and _MONTH not in held else []
    if "class" in names:
        raise InputError("Rates by class are what errors_by_class(...) tells; leave it out of by=.")
    require([*_NEEDED, *(["service_date"] if made else [])], held)
    require([name for name in names if name not in made], held)
    if made:
        rows = rows.with_columns(pl.col("service_date").dt.strftime("%Y-%m").alias(_MONTH))
    return rows.select(*map(stated, names), *_NEEDED).collect(), names


def _counted(rows: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    return rows.group_by(names).agg(**_counts()) if names else rows.select(**_counts())


def _counts() -> dict[str, pl.Expr]:
    money = _USD.cast(pl.Decimal(38, 2)).filter(_IS_ERROR)
    over, under = money.filter(money > 0).sum(), -money.filter(money < 0).sum()
    return {
        "judged": _count(_IS_JUDGED),
        "errors": _count(_IS_ERROR),
        "over": _count(_IS_ERROR & (pl.col("direction") == "over")),
        "under": _count(_IS_ERROR & (pl.col("direction") == "under")),
        "over_usd": over.cast(USD),
        "under_usd": under.cast(USD),
        "net_usd": money.sum().cast(USD),
        "no_price": _count(_IS_ERROR & _USD.is_null()),
        "not_judged": _count(~_IS_JUDGED),
    }


def _count(which: pl.Expr) -> pl.Expr:
    return which.fill_null(False).cast(pl.Int64).sum()


def _in_order(found: pl.DataFrame, names: list[str], *then: str) -> pl.DataFrame:
    """By group, ``not stated`` after the others, all together last."""
    order = [pl.col("scope") == "all"]
    for name in names:
        order += [pl.col(name) == NOT_STATED, pl.col(name)]
    rate = pl.col("rate").fill_nan(None)
    return found.with_columns(rate=rate).sort(*order, *then)
