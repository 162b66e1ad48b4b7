"""Tables of published values in ``datasets/``, each row with its source, tier and citation."""

from functools import cache

import polars as pl

from subq_toolkit.catalog import dataset
from subq_toolkit.effective import Source, sources
from subq_toolkit.errors import InputError

_TEXTS = ("market", "use", "note", "names", "hcpcs", "default_use", "status", "si", "apc", "apm")
_TEXTS += ("locality", "state", "area", "code", "kind", "pctc", "global_days", "mult_proc")
_TEXTS += ("column_1", "column_2", "modifier_indicator", "add_on", "primary", "mai", "type")
#: Amounts and factors, kept digit by digit as they were published.
_EXACT = ("work_rvu", "nonfac_pe_rvu", "mp_rvu", "conversion_factor", "gpci_work", "gpci_pe")
_EXACT += ("gpci_mp", "rate_usd", "min_copay_usd", "wage_index", "rate", "limit_usd", "copay_usd")
_EXACT += ("relative_weight", "p10", "p25", "median", "p75", "p90", "factor")
_DAYS = ("since", "until", "start", "review_by")
_WHOLE = ("infusion_from", "infusion_to")
_NUMBERS = ("value", "minutes", "weight_from_kg", "weight_below_kg", "age_from_y", "age_below_y")
_TYPES = (
    dict.fromkeys(_TEXTS, pl.String)
    | dict.fromkeys(_DAYS, pl.Date)
    | dict.fromkeys(_WHOLE, pl.Int64)
    | dict.fromkeys(_NUMBERS, pl.Float64)
    | dict.fromkeys(_EXACT, pl.Decimal(18, 4))
)


@cache
def cited_table(folder: str, name: str) -> pl.DataFrame:
    """A table of a dataset; rows that name a source get its ``tier`` and their ``cite``.

    Raises
    ------
    InputError
        If a row names a source that is not registered.
    """
    path = dataset(folder) / f"{name}.csv"
    rows = pl.read_csv(path, infer_schema_length=None, schema_overrides=_TYPES)
    if "source" not in rows.columns:
        return rows
    cited = [_source(path.name, key) for key in rows["source"]]
    cites = [one.cite(how) for one, how in zip(cited, rows["standing"], strict=True)]
    return rows.with_columns(
        tier=pl.Series([one.tier for one in cited]), cite=pl.Series(cites, dtype=pl.String)
    )


def _source(file: str, key: str) -> Source:
    if key not in sources():
        raise InputError(
            f"{file} names the source '{key}', which must stand in one of parameters/*sources.toml."
        )
    return sources()[key]
