"""What is published of each product: limits, ramps and concentrations, with their sources.

The values stand in ``datasets/products/``, one row each. Which of them hold depends on
market, use, number of the infusion, weight, age and date. Where several sources give a
limit, the strictest binds and the others are listed beside it; a source of tier C is shown
and never binds. What is not stated fits every row: then the strictest of all bands binds,
and the answer says so.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cache

import polars as pl

from subq_toolkit.effective import STANDINGS
from subq_toolkit.errors import InputError
from subq_toolkit.formulas import Bound, Value, check_day, number, unit_of
from subq_toolkit.product_tables import product_named, table

#: What each limit speaks of, in a reader's words.
LIMITS = {
    "max_ml_per_h_per_site": "Rate at each site",
    "max_ml_per_site": "Volume at each site",
    "max_ml_per_run": "Volume of an infusion",
    "max_sites": "Sites at once",
    "max_ml_per_h": "Rate over all sites",
    "max_ml_per_day": "Volume a day",
    "min_ml_per_h_per_site": "Slowest rate at each site",
    "max_mg_per_h": "Dose rate",
    "max_mg_per_day": "Dose a day",
    "max_mg_per_kg_per_day": "Dose a day by weight",
    "max_ng_per_kg_per_min": "Dose rate by weight",
    "max_h_per_day": "Hours a day",
    "max_run_h": "Longest run of the device",
    "concentration_mg_per_ml": "Concentration",
    "min_dwell_h": "Shortest stay of a set",
    "max_dwell_h": "Longest stay of a set",
    "min_spacing_cm": "Distance between sites",
    "min_exclusion_days": "Days a used site is barred",
}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What decides which published values hold; None is what was not stated.

    Attributes
    ----------
    market
        ``US``, ``EU``, ``GB`` or ``JP``.
    use
        What it is given for, where a product has limits by use.
    infusion_number
        1 for the first infusion of this product.
    weight_kg, age_y
        Of the patient. [kg], [years]
    on
        The day of the infusion.
    """

    market: str = "US"
    use: str | None = None
    infusion_number: int | None = None
    weight_kg: float | None = None
    age_y: float | None = None
    on: date | None = None

    def __post_init__(self) -> None:
        markets = sorted(table("limits")["market"].drop_nulls().unique())
        if self.use is not None and not isinstance(self.use, str):
            raise InputError("'use' is text, or left out.")
        check_day(self.on, optional=True)
        if not isinstance(self.market, str) or self.market not in markets:
            raise InputError(f"'market' is one of {', '.join(markets)}; something else was given.")
        for name, bound in _BOUNDS.items():
            if getattr(self, name) is not None:
                object.__setattr__(self, name, number(name, getattr(self, name), bound))


_BOUNDS = {
    "infusion_number": Bound("a whole number from 1 on", 1, whole=True),
    "weight_kg": Bound("a number above zero", 0, more_than=True, most=500),
    "age_y": Bound("a number, zero or more", 0, most=130),
}


@cache
def uses_of(product: str) -> tuple[str, ...]:
    """The uses for which a product has limits of their own; the one taken by default first."""
    rows = table("limits").filter(pl.col("product") == product, pl.col("use").is_not_null())
    first = product_named(product)["default_use"]
    return tuple(sorted(rows["use"].unique(), key=lambda use: (use != first, use)))


def published_limits(
    product: str | None = None, given: Circumstances | None = None
) -> pl.DataFrame:
    """Every published value that holds, and which of them binds.

    Parameters
    ----------
    product
        Key or name; None for the general limit.
    given
        The circumstances; by default the United States and nothing else stated.

    Returns
    -------
    pl.DataFrame
        ``limit, label, value, unit, binds, kind, standing, tier, note, cite`` and the conditions
        of the row. Per limit the strictest value binds, unless its source is of tier C or the
        value is merely ``reported`` (tried or measured, and no limit of anybody).

    Raises
    ------
    InputError
        For an unknown product or use, and for a number, weight or age outside every band.
    """
    return _limits(product_named(product)["product"], given or Circumstances()).clone()


@cache
def _limits(product: str, given: Circumstances) -> pl.DataFrame:
    record = product_named(product)
    rows = table("limits").filter(pl.col("product") == product)
    held = _holding(rows, record, given)
    _refuse_outside(record, given, rows, held)
    return _marked(held)


def _stated(record: dict, given: Circumstances) -> dict[str, pl.Expr]:
    """The circumstances that were stated, as literals."""
    uses = uses_of(record["product"])
    if given.use is not None and given.use not in uses:
        known = f"one of {', '.join(map(repr, uses))}" if uses else "left out for this product"
        raise InputError(f"'use' is {known}; something else was given.")
    stated = {field.name: getattr(given, field.name) for field in fields(given)}
    stated["use"] = given.use or record["default_use"]
    return {name: pl.lit(value) for name, value in stated.items() if value is not None}


#: A condition of a published value, the circumstance it speaks of, and how they compare.
_CONDITIONS: tuple[tuple[str, str, Callable], ...] = (
    ("market", "market", operator.eq),
    ("use", "use", operator.eq),
    ("infusion_from", "infusion_number", operator.le),
    ("infusion_to", "infusion_number", operator.ge),
    ("weight_from_kg", "weight_kg", operator.le),
    ("weight_below_kg", "weight_kg", operator.gt),
    ("age_from_y", "age_y", operator.le),
    ("age_below_y", "age_y", operator.gt),
    ("since", "on", operator.le),
    ("until", "on", operator.ge),
)


def fits(row: Mapping[str, Value], given: Mapping[str, Value]) -> pl.Expr:
    """Whether a published value holds; what either side does not state is no hindrance.

    ``row`` holds the conditions of the value and ``given`` the circumstances; either may be
    columns and the other literals, and a name that is missing is not stated.
    """
    held = [
        compares(row[condition], given[name]).fill_null(True)
        for condition, name, compares in _CONDITIONS
        if condition in row and name in given
    ]
    return pl.all_horizontal(held) if held else pl.lit(True)


def _holding(rows: pl.DataFrame, record: dict, given: Circumstances) -> pl.DataFrame:
    columns = {name: pl.col(name) for name in rows.columns}
    return rows.filter(fits(columns, _stated(record, given)))


def _refuse_outside(
    record: dict, given: Circumstances, rows: pl.DataFrame, held: pl.DataFrame
) -> None:
    """Refuse a weight, age or number of infusion that lies outside of every band."""
    for name, lost in _outside(record, given, rows, held).items():
        banded = [condition for condition, about, _ in _CONDITIONS if about == name]
        asks = held.filter(pl.any_horizontal(pl.col(one).is_not_null() for one in banded))
        if asks.is_empty():
            raise InputError(
                f"No published {lost[0]} of {record['product']} holds for this '{name}' "
                f"[{unit_of(name)}], nor any other limit that depends on it. Correct it, or state "
                f"the limits yourself; table('limits') of subq_toolkit.products lists the bands."
            )


def _outside(
    record: dict, given: Circumstances, rows: pl.DataFrame, held: pl.DataFrame
) -> dict[str, list[str]]:
    """Limits that would hold but for a number, weight or age outside of their bands."""
    lost = {}
    for name in _BOUNDS:
        if getattr(given, name) is not None:
            else_held = _holding(rows, record, replace(given, **{name: None}))["limit"]
            names = sorted({*else_held} - {*held["limit"]})
            lost |= {name: names} if names else {}
    return lost


def unpublished(product: str | None, given: Circumstances) -> dict[str, list[str]]:
    """Limits that are published, but not for this number, weight or age, by what bars them."""
    record = product_named(product)
    rows = table("limits").filter(pl.col("product") == record["product"])
    return _outside(record, given, rows, _holding(rows, record, given))


def may_bind() -> pl.Expr:
    """Whether a published value may bind: a limit, and not of a source of tier C."""
    return (pl.col("tier") != "C") & (pl.col("kind") == "limit")


def _marked(held: pl.DataFrame) -> pl.DataFrame:
    """The rows in the order of ``LIMITS``, the strictest first, the one that binds marked."""
    lowest_binds = ~pl.col("limit").str.starts_with("min_")
    strictness = pl.when(lowest_binds).then("value").otherwise(-pl.col("value"))
    authority = may_bind()
    one_value = pl.col("value").filter(authority).n_unique().over("limit") == 1
    ordered = held.with_columns(
        label=pl.col("limit").replace_strict(LIMITS),
        unit=pl.col("limit").map_elements(unit_of, return_dtype=pl.String),
    ).sort(
        pl.col("limit").cast(pl.Enum(list(LIMITS))),
        ~authority,
        strictness,
        pl.col("standing").cast(pl.Enum(STANDINGS)),
        maintain_order=True,
    )
    first = authority & pl.col("limit").is_first_distinct()
    binds = first & ((pl.col("limit") != "concentration_mg_per_ml") | one_value)
    shown = ["limit", "label", "value", "unit"]
    kept = ["kind", "standing", "tier", "note", "cite"]
    conditions = [condition for condition, _, _ in _CONDITIONS]
    return ordered.select(*shown, binds.alias("binds"), *kept, *conditions, "review_by")


def rate_steps(product: str | None = None, given: Circumstances | None = None) -> pl.DataFrame:
    """The published ramp of rates per site, slowest where several hold; empty where none is.

    Returns
    -------
    pl.DataFrame
        ``step, minutes`` [min] (null: to the end), ``value`` [mL/h/site], ``standing, tier,
        note, cite``.
    """
    return _steps(product_named(product)["product"], given or Circumstances()).clone()


@cache
def _steps(product: str, given: Circumstances) -> pl.DataFrame:
    record = product_named(product)
    rows = table("steps").filter(pl.col("product") == product)
    slowest = (
        _holding(rows, record, given)
        .sort("step", "value", maintain_order=True)
        .unique("step", keep="first", maintain_order=True)
    )
    return slowest.select("step", "minutes", "value", "standing", "tier", "note", "cite")
