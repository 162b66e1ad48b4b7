"""Fee tables in which a published file holds from its first day on, and what that changed."""

import polars as pl

from subq_toolkit.fees.tables import KEYS, FeeTables
from subq_toolkit.published_files.cms_files import CmsFile
from subq_toolkit.published_files.table_rows import code_columns, day_before

_NO_FIGURES = ("start", "until", "source", "standing", "tier", "cite")


def with_cms_file(tables: FeeTables, file: CmsFile) -> tuple[FeeTables, pl.DataFrame]:
    """Tables in which the rows of a file hold from its start, and a report of the changes.

    Of each key in the file, a span that began before is ended the day before, one that begins
    on that day gives way, as does an inferred one that begins while the new one holds; another
    that begins later is kept and ends the new one. Edits that the file says have ended are
    ended. A key that is not in the file stays as it was.

    Parameters
    ----------
    tables
        The tables to start from, e.g. ``bundled_tables()``; they are not altered.
    file
        A file that was read.

    Returns
    -------
    tuple
        The new tables; and one row for each ``table``, ``key`` (its parts joined by blanks) and
        ``change``: ``added``, ``changed`` (with ``column``, ``before``, ``after``; one row for
        each column), ``unchanged``, ``ended`` (``after`` is its last day), ``missing`` (in
        force on the first day, not in the file, left as it was); and ``cut short`` where a later
        row of the tables ends one of the file. Before is what held on the first day of the row.
    """
    reports = []
    for name, rows in ((file.table, file.rows), ("conversion_factors", file.conversion_factors)):
        if rows.is_empty():
            continue
        old, key = tables[name], list(KEYS[name])
        kept = _without_inferred(old, rows, key)
        fitted = _up_to_later_rows(rows, kept, key)
        reports += [_changes(old, rows, name, file), _cut_short(rows, fitted, name)]
        if name == file.table:
            kept = _ended(kept, file.ended, name)
        tables = tables.replaced(name, _merged(kept, fitted, key))
    return tables, pl.concat(reports)


def _merged(old: pl.DataFrame, new: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    begins = pl.col("__start")
    cut = pl.when(pl.col("start") < begins).then(pl.min_horizontal("until", day_before(begins)))
    spans = old.join(new.select(*key, __start="start"), on=key, how="left")
    kept = spans.filter((pl.col("start") != begins).fill_null(True)).with_columns(
        until=pl.coalesce(cut, "until")
    )
    return pl.concat([kept.select(old.columns), new.select(old.columns)]).sort(*key, "start")


def _without_inferred(old: pl.DataFrame, new: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Without the inferred rows that begin while a row of the file holds: they give way to it."""
    spans = new.select(*key, __from="start", __to="until")
    inferred = old.filter(pl.col("standing") == "inferred").join(spans, on=key)
    within = pl.col("start").is_between(pl.col("__from"), pl.col("__to"), closed="right")
    until_later = pl.col("__to").is_null() & (pl.col("start") > pl.col("__from"))
    return old.join(inferred.filter(within | until_later), on=[*key, "start"], how="anti")


def _up_to_later_rows(new: pl.DataFrame, old: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """The rows of the file, each ended the day before a later one of its key begins."""
    begins = new.select(*key, __start="start")
    later = old.join(begins, on=key).filter(pl.col("start") > pl.col("__start"))
    following = later.group_by(key).agg(__next=pl.col("start").min())
    return new.join(following, on=key, how="left").with_columns(
        until=pl.min_horizontal("until", day_before(pl.col("__next")))
    )


def _ended(old: pl.DataFrame, ended: pl.DataFrame, name: str) -> pl.DataFrame:
    """End the spans of edits that the file says have ended."""
    if ended.is_empty():
        return old
    last = ended.rename({"until": "__last"})
    spans = old.join(last, on=list(KEYS[name]), how="left")
    ends = pl.when(pl.col("start") <= pl.col("__last")).then(pl.min_horizontal("until", "__last"))
    return spans.with_columns(until=pl.coalesce(ends, "until")).select(old.columns)


def _changes(old: pl.DataFrame, new: pl.DataFrame, name: str, file: CmsFile) -> pl.DataFrame:
    key = list(KEYS[name])
    figures = [column for column in old.columns if column not in (*key, *_NO_FIGURES)]
    held = new.join(
        _on(old.join(new.select(*key, __day="start"), on=key), pl.col("__day")),
        on=key,
        how="left",
        suffix=" before",
    )
    differs = {c: pl.col(c).ne_missing(pl.col(f"{c} before")) for c in figures}
    added = pl.col("start before").is_null()
    same = ~added & ~pl.any_horizontal(differs.values())
    parts = [
        _report(held.filter(added), name, "added"),
        _report(held.filter(same), name, "unchanged"),
    ]
    parts += [
        _report(held.filter(~added & differs[c]), name, "changed", c, (f"{c} before", c))
        for c in figures
    ]
    if name == file.table:
        gone = _on(old.join(new, on=key, how="anti"), pl.lit(file.start))
        ended = gone.join(file.ended, on=key, suffix=" after")
        ended = ended.filter(pl.col("start") <= pl.col("until after"))
        parts.append(_report(ended, name, "ended", "until", ("until", "until after")))
        stays = gone.join(ended, on=key, how="anti")
        parts.append(_report(stays.filter(_asked_for(new, file)), name, "missing"))
    return pl.concat(parts)


def _cut_short(rows: pl.DataFrame, fitted: pl.DataFrame, name: str) -> pl.DataFrame:
    both = rows.join(fitted.select(*KEYS[name], "until"), on=KEYS[name], suffix=" after")
    cut = both.filter(pl.col("until").ne_missing(pl.col("until after")))
    return _report(cut, name, "cut short", "until", ("until", "until after"))


def _on(rows: pl.DataFrame, day: pl.Expr) -> pl.DataFrame:
    over = (pl.col("until") < day).fill_null(False)
    return rows.filter(pl.col("start") <= day, ~over)


def _asked_for(new: pl.DataFrame, file: CmsFile) -> pl.Expr:
    """Whether a row of the table is one that the file could have held."""
    could = pl.lit(True)
    if "setting" in new.columns:
        could &= pl.col("setting").is_in(new["setting"].unique().to_list())
    if file.codes is not None:
        could &= pl.any_horizontal(
            pl.col(name).is_in(list(file.codes)) for name in code_columns(file.table)
        )
    return could


def _report(
    rows: pl.DataFrame,
    table: str,
    change: str,
    column: str | None = None,
    values: tuple[str, str] | None = None,
) -> pl.DataFrame:
    before, after = [_shown(rows, name) for name in values] if values else [pl.lit(None)] * 2
    told = {
        "table": pl.lit(table),
        "key": pl.concat_str(KEYS[table], separator=" "),
        "column": pl.lit(column),
        "before": before,
        "after": after,
        "change": pl.lit(change),
    }
    return rows.sort(KEYS[table]).select(
        expr.cast(pl.String).alias(name) for name, expr in told.items()
    )


def _shown(rows: pl.DataFrame, name: str) -> pl.Expr:
    """A value as text; a figure without the zeros at its end."""
    text = pl.col(name).cast(pl.String)
    if rows.schema[name].is_decimal():
        return text.str.strip_chars_end("0").str.strip_chars_end(".")
    return text
