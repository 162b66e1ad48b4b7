"""The published tables of ``datasets/products``, each row with tier and citation of its source."""

import difflib
from functools import cache

import polars as pl

from subq_toolkit.cited_tables import cited_table
from subq_toolkit.errors import InputError

#: The record that is taken where no product is named; never a truth for other products.
GENERAL = "general"


def products() -> pl.DataFrame:
    """List the products: ``product, name, kind, names, hcpcs, default_use, about``."""
    return table("products")


def product_named(text: str | None) -> dict:
    """Find the record of a product by its key or by a name under which it is charted.

    Raises
    ------
    InputError
        If there is none; the message lists the nearest names.
    """
    if text is None:
        text = GENERAL
    if not isinstance(text, str):
        raise InputError("'product' is a name as text; products() lists them.")
    wanted = str(text).strip().lower()
    known = _by_name()
    if wanted not in known:
        near = dict.fromkeys(
            known[name]["product"] for name in difflib.get_close_matches(wanted, known, n=3)
        )
        meant = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
        keys = ", ".join(table("products")["product"])
        raise InputError(
            f"There is no product of that name. {meant}Known: {keys}. Leave it out for the "
            f"general limit, or state limit_ml_per_h_per_site yourself."
        )
    return known[wanted]


@cache
def _by_name() -> dict[str, dict]:
    rows = table("products").rows(named=True)
    named = {name: row for row in rows for name in charted_names(row)}
    return named | {row["product"]: row for row in rows}


def charted_names(record: dict) -> list[str]:
    """Names and code numbers under which a chart means this product, in lower case."""
    listed = f"{record['names'] or ''};{record['hcpcs'] or ''}".lower()
    return [name for name in listed.split(";") if name]


def dose_ramp(product: str) -> pl.DataFrame:
    """How the first doses grow: ``interval_weeks, infusion, week, percent, standing, cite``."""
    rows = table("dose_ramps").filter(pl.col("product") == product_named(product)["product"])
    return rows.select("interval_weeks", "infusion", "week", "percent", "standing", "note", "cite")


def published_kinetics() -> pl.DataFrame:
    """Absorption rates that were found: ``preset, drug, ka_per_h`` [1/h] and what goes with them.

    ``usable`` is false where the value is contaminated, derived too softly, or missing; ``note``
    says which.
    """
    return table("kinetics").drop("source", "review_by")


def insulin_basal_presets() -> pl.DataFrame:
    """Published shares behind ``insulin_basal_u_per_h``; sources disagree, none is a default.

    Columns ``preset, basal_fraction, reduction_low, reduction_high`` [1], ``standing, tier,
    note, cite``.
    """
    return table("insulin_basal").drop("source", "review_by")


def pump_settings() -> pl.DataFrame:
    """What pumps can be set to: ``pump, setting, min, max, step, unit, standing, note, cite``."""
    return table("pumps").select(
        "pump", "setting", "min", "max", "step", "unit", "standing", "note", "cite"
    )


def table(name: str) -> pl.DataFrame:
    """A table of ``datasets/products``, with the tier and the citation of each row's source."""
    return cited_table("products", name).clone()
