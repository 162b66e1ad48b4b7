"""How the columns of a published table are headed, and how their values are told."""

from datetime import date, datetime

import polars as pl

from subq_toolkit.charts.money_words import cents
from subq_toolkit.charts.wording import amount
from subq_toolkit.plain_text import one_line

#: What a column's name ends in, and the unit it stands for; the longest ending counts.
_UNITS = {
    "_ml_per_h_per_site": "mL/h per site",
    "_ml_per_h": "mL/h",
    "_ml_per_site": "mL per site",
    "_mg_per_ml": "mg/mL",
    "_mg_per_h": "mg/h",
    "_usd_per_h": "USD/h",
    "_per_h": "1/h",
    "_usd": "USD",
    "_min": "min",
    "_ml": "mL",
    "_mg": "mg",
    "_kg": "kg",
    "_g": "g",
    "_h": "h",
    "_days": "days",
    "_weeks": "weeks",
}
_SHARES = ("share", "_use", "denial_rate")
_PER_MINUTE_US = 60_000_000
NOTHING = "—"


def is_share(name: str) -> bool:
    """Whether a column holds shares of one."""
    return name.endswith(_SHARES)


def unit_of(name: str) -> str:
    """The unit that a column's name ends in; empty for counts and texts."""
    if is_share(name):
        return "%"
    return next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")


def head_of(name: str) -> str:
    """A column's heading with its unit: ``expected_usd`` as Expected [USD]."""
    ending = next((one for one in _UNITS if name.endswith(one)), "")
    words = one_line(name.removesuffix(ending).replace("_", " "))
    told = (words[:1].upper() + words[1:]) or "Value"
    unit = unit_of(name)
    return f"{told} [{unit}]" if unit else told


def presentable(table: pl.DataFrame) -> pl.DataFrame:
    """A chart's table as a reader wants it: no empty columns, clock times and minutes as such."""
    kept = table.select(one.name for one in table if one.null_count() < table.height)
    changes = {}
    for name, dtype in kept.schema.items():
        column = pl.col(name)
        if name.endswith("_ms") and dtype.is_integer():
            changes[name] = pl.from_epoch(column, "ms").alias(name.removesuffix("_ms"))
        elif name.endswith("_us") and dtype.is_integer():
            changes[name] = (column / _PER_MINUTE_US).alias(name.removesuffix("_us") + "_min")
        elif dtype.is_nested() or dtype in (pl.Duration, pl.Time):
            changes[name] = column.map_elements(str, return_dtype=pl.String)
        elif isinstance(dtype, pl.Datetime):
            changes[name] = column.dt.replace_time_zone(None)
        elif dtype.is_decimal():
            changes[name] = column.cast(pl.Float64)
        elif dtype.is_float():
            changes[name] = pl.when(column.is_finite()).then(column)
        elif isinstance(dtype, pl.Categorical | pl.Enum):
            changes[name] = column.cast(pl.String)
    return kept.select(changes.get(name, pl.col(name)) for name in kept.columns)


def told(value: object, name: str) -> str:
    """A value in words, by the column it stands in; a dash for none."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, int | float):
        return one_line(value)
    sign, size = "−" if value < 0 else "", abs(value)
    if is_share(name):
        return f"{sign}{amount(100 * size, digits=3)} %"
    if name.endswith("_usd"):
        return cents(value)
    return f"{sign}{amount(size, digits=15 if isinstance(value, int) else 6)}"


def is_number(dtype: pl.DataType) -> bool:
    """Whether values of a type are numbers, which stand to the right."""
    return dtype.is_numeric()
