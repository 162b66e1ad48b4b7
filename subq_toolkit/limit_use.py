"""How much of each limit the charted runs used: 1.0 is at the limit, null is not known.

Nothing is ever called fine: a run whose drug is no known product, or that lacks the rate,
the volume or the needles, has no number. Runs are judged one by one, but the volume of a
day is that of all runs of one product in one patient.
"""

import re
from collections.abc import Mapping

import polars as pl

from subq_toolkit.administrations import as_charted
from subq_toolkit.errors import InputError
from subq_toolkit.infusion_time import HOUR_US
from subq_toolkit.intake import Intake, take_in
from subq_toolkit.product_tables import GENERAL, charted_names, product_named, table
from subq_toolkit.products import Circumstances, fits, may_bind

#: The share of each limit, and the limit it is a share of.
USES = {
    "site_rate_use": "max_ml_per_h_per_site",
    "site_volume_use": "max_ml_per_site",
    "sites_use": "max_sites",
    "total_rate_use": "max_ml_per_h",
    "day_volume_use": "max_ml_per_day",
}
#: Circumstances that a table may chart, in words, and the conditions that speak of them.
_CHARTED = {
    "infusion_number": ("number of the infusion", ("infusion_from", "infusion_to")),
    "weight_kg": ("weight", ("weight_from_kg", "weight_below_kg")),
    "age_y": ("age", ("age_from_y", "age_below_y")),
}
_ADDED = ["run_ml_per_h", "rate_from", *USES, "most_use", "binding_limit", "not_charted"]
_PRODUCT, _VOLUME, _NEEDLES = pl.col("product"), pl.col("volume_ml"), pl.col("needles")
_BOLUS = (pl.col("mode") == "bolus").fill_null(False)


def limit_use(
    administrations: pl.DataFrame | pl.LazyFrame,
    *,
    products: Mapping[str, str] | None = None,
    market: str = "US",
    facility_zone: str | None = None,
) -> pl.LazyFrame:
    """Add each charted run's use of its product's limits.

    Parameters
    ----------
    administrations
        The input table. ``product`` names the record of a run; without it ``drug`` is looked
        up. ``infusion_number``, ``weight_kg`` [kg] and ``age_y`` [years] are used where given.
    products
        Drug as charted to product, e.g. ``{"immune globulin 20 %": "hizentra"}``.
    market
        Whose limits: ``US``, ``EU``, ``GB`` or ``JP``.
    facility_zone
        As for ``code_administrations``; it decides what a day is.

    Returns
    -------
    pl.LazyFrame
        All columns and rows as given, with ``product``; ``run_ml_per_h`` (charted, else the
        mean of the run) [mL/h] and ``rate_from`` (``charted`` or ``mean``); the shares
        ``site_rate_use, site_volume_use, sites_use, total_rate_use, day_volume_use`` [1];
        ``most_use`` and ``binding_limit``, the largest of them and its limit; and
        ``not_charted``: what the limits ask for and the row does not say. Where a limit
        depends on such a thing, the strictest published value is used.

    Raises
    ------
    InputError
        If the table cannot be used (see ``code_administrations``), or for a product or market
        that does not exist.
    """
    Circumstances(market=market)
    if products is not None and not isinstance(products, Mapping):
        raise InputError("'products' pairs drugs as charted with products: {'drug': 'hizentra'}.")
    if isinstance(administrations, pl.DataFrame | pl.LazyFrame):
        administrations = administrations.drop(_ADDED, strict=False)
    intake = take_in(administrations, facility_zone=facility_zone)
    rows = _with_products(intake, products or {}).with_columns(run_ml_per_h=_rate())
    rows = rows.with_columns(rate_from=_rate_from())
    present = [name for name in _CHARTED if name in intake.given]
    rows = rows.with_columns(**{f"_{name}": _possible(name) for name in present})
    given = {name: pl.col(f"_{name}") for name in present} | {"on": pl.col("_service_day")}
    limits = {f"_{limit}": _limit(limit, market, given) for limit in USES.values()}
    rows = _with_day_volume(rows.with_columns(**limits))
    amounts = {
        "site_rate_use": pl.col("run_ml_per_h") / _NEEDLES,
        "site_volume_use": _VOLUME / _NEEDLES,
        "sites_use": _NEEDLES,
        "total_rate_use": pl.col("run_ml_per_h"),
        "day_volume_use": pl.col("_day_ml"),
    }
    rows = rows.with_columns(
        **{use: _share(amount, f"_{USES[use]}") for use, amount in amounts.items()},
        not_charted=_not_charted(market, present),
    ).with_columns(most_use=pl.max_horizontal(list(USES)))
    binding = pl.coalesce(
        pl.when(pl.col(use) == pl.col("most_use")).then(pl.lit(limit))
        for use, limit in USES.items()
    )
    rows = rows.with_columns(binding_limit=binding)
    charted = [one for one in as_charted(intake) if one.meta.output_name() != "product"]
    return rows.sort("_row").select(*charted, "product", *_ADDED)


def _with_products(intake: Intake, named: Mapping[str, str]) -> pl.LazyFrame:
    """The rows with the key of their product, null where none is known."""
    by_key = "product" in intake.given
    charted = pl.col("product" if by_key else "drug").cast(pl.String)
    under_skin = pl.when(pl.col("route") == "subcutaneous").then(charted)
    rows = intake.rows.with_columns(_charted=under_skin).drop("product", strict=False)
    known = rows.select("_charted").unique().with_columns(product=_product(named, by_key=by_key))
    return rows.join(known, on="_charted", how="left")


def _product(named: Mapping[str, str], *, by_key: bool) -> pl.Expr:
    """The product that a drug as charted stands for: as named, else by its first words."""
    drug = pl.col("_charted")
    keys = {one: product_named(product)["product"] for one, product in named.items()}
    found = [drug.replace_strict(keys, default=None, return_dtype=pl.String)] if keys else []
    text = drug.str.strip_chars().str.to_lowercase()
    for row in table("products").iter_rows(named=True):
        key = [row["product"]] if by_key or row["product"] != GENERAL else []
        names = "|".join(re.escape(name) for name in (*key, *charted_names(row)))
        if not names:
            continue
        pattern = rf"^(?:{names})(?:[\s,;(]|$)"
        found.append(pl.when(text.str.contains(pattern)).then(pl.lit(row["product"])))
    return pl.coalesce(found)


def _possible(name: str) -> pl.Expr:
    """A circumstance as a number that can be; null for one that cannot, so the strictest binds."""
    value = pl.col(name).cast(pl.Float64, strict=False)
    whole = value == value.floor() if name == "infusion_number" else pl.lit(True)
    least = value >= (1 if name == "infusion_number" else 0)
    above = value > 0 if name == "weight_kg" else least
    return pl.when(value.is_finite() & above & whole).then(value)


def _rate() -> pl.Expr:
    hours = (pl.col("_stop_us") - pl.col("_start_us")) / HOUR_US
    mean = pl.when(hours > 0, ~_BOLUS).then(_not_negative(_VOLUME) / hours)
    return pl.coalesce(_not_negative(pl.col("rate_ml_per_h")), mean)


def _rate_from() -> pl.Expr:
    charted = _not_negative(pl.col("rate_ml_per_h")).is_not_null()
    mean = pl.when(pl.col("run_ml_per_h").is_not_null()).then(pl.lit("mean"))
    return pl.when(charted).then(pl.lit("charted")).otherwise(mean)


def _not_negative(amount: pl.Expr) -> pl.Expr:
    return pl.when(amount.is_finite() & (amount >= 0)).then(amount)


def _share(amount: pl.Expr, limit: str) -> pl.Expr:
    share = amount / pl.col(limit)
    return pl.when(share.is_finite() & (share >= 0)).then(share)


def _limit(limit: str, market: str, given: Mapping[str, pl.Expr]) -> pl.Expr:
    """The strictest published value of each row's product in each row's circumstances."""
    speak = {name for name in _ALL_CONDITIONS if _about(name) in given}
    by_condition: dict[tuple, dict[str, float]] = {}
    for row in _published(market).filter(pl.col("limit") == limit).iter_rows(named=True):
        held = tuple((name, row[name]) for name in speak if row[name] is not None)
        values = by_condition.setdefault(held, {})
        values[row["product"]] = min(row["value"], values.get(row["product"], row["value"]))
    if not by_condition:
        return pl.lit(None, dtype=pl.Float64)
    return pl.min_horizontal(
        pl.when(fits({name: pl.lit(value) for name, value in held}, given)).then(
            _PRODUCT.replace_strict(values, default=None, return_dtype=pl.Float64)
        )
        for held, values in by_condition.items()
    )


_ALL_CONDITIONS = (*(one for _, both in _CHARTED.values() for one in both), "since", "until")


def _about(condition: str) -> str:
    return next((name for name, (_, both) in _CHARTED.items() if condition in both), "on")


def _published(market: str) -> pl.DataFrame:
    """The values that can bind in a market, for the use that is taken by default."""
    uses = table("products").select("product", "default_use")
    here = (pl.col("market") == market).fill_null(True)
    usual = (pl.col("use") == pl.col("default_use")).fill_null(True)
    rows = table("limits").join(uses, on="product", how="left")
    return rows.filter(here & usual & may_bind())


def _with_day_volume(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The volume of all runs of a product in one patient and day; null if one is unknown."""
    patient = pl.coalesce("patient_id", "encounter_id")
    by = ["_patient", "product", "_service_day"]
    rows = rows.with_columns(_patient=patient)
    known = _not_negative(_VOLUME).is_not_null().all()
    days = (
        rows.filter(pl.col("_max_ml_per_day").is_not_null())
        .group_by(by)
        .agg(_day_ml=pl.when(known).then(pl.col("volume_ml").sum()))
    )
    return rows.join(days, on=by, how="left")


def _not_charted(market: str, present: list[str]) -> pl.Expr:
    """What a row does not say although its product's limits ask for it."""
    limits = _published(market).filter(pl.col("limit").is_in(list(USES.values())))
    gaps = [
        pl.when(_PRODUCT.is_null()).then(pl.lit("product")),
        pl.when(pl.col("run_ml_per_h").is_null() & ~_BOLUS).then(pl.lit("rate")),
        pl.when(_BOLUS).then(pl.lit("rate of a bolus")),
        pl.when(_VOLUME.is_null()).then(pl.lit("volume")),
        pl.when(_NEEDLES.is_null()).then(pl.lit("needles")),
    ]
    for name, (words, conditions) in _CHARTED.items():
        asks = pl.any_horizontal(pl.col(one).is_not_null() for one in conditions)
        asking = limits.filter(asks)["product"].unique().to_list()
        silent = pl.col(f"_{name}").is_null() if name in present else pl.lit(True)
        gaps.append(pl.when(_PRODUCT.is_in(asking) & silent).then(pl.lit(words)))
    for limit, words in (("max_ml_per_h_per_site", "rate"), ("max_ml_per_site", "volume")):
        limited = limits.filter(pl.col("limit") == limit)["product"].unique().to_list()
        outside = _PRODUCT.is_in(limited) & pl.col(f"_{limit}").is_null()
        gaps.append(pl.when(outside).then(pl.lit(f"a published limit of the {words} at this band")))
    said = pl.concat_str(gaps, separator=", ", ignore_nulls=True)
    return pl.when(said != "").then(said)
