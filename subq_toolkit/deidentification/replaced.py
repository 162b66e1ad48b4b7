"""What becomes of single entries: pseudonyms, codes that are known, counts and ages."""

import re
from collections.abc import Callable
from functools import cache
from hashlib import blake2b, sha256

import polars as pl

from subq_toolkit.cited_tables import cited_table
from subq_toolkit.errors import InputError
from subq_toolkit.product_tables import product_named, products

_MOST_DAYS = 364
#: Ages above it are one: 45 CFR 164.514(b)(2)(i)(C).
_OLDEST = 90
_MOST_NEEDLES = 99
_VISIT_CODE = re.compile(r"99\d{3}|G\d{4}", re.ASCII)


def plain(column: pl.Series) -> pl.Series:
    """A list of answers is written with the column, also those that no row holds."""
    return column.cast(pl.String) if column.dtype in (pl.Enum, pl.Categorical) else column


def aged(column: pl.Series) -> pl.Series:
    """Ages, those of the oldest as one."""
    return column.clip(upper_bound=_OLDEST)


def _digest(text: str, key: str, what: str) -> bytes:
    # The kind of entry goes in too: one text as a pump and as a site gets two names.
    secret = sha256(key.encode()).digest()
    return blake2b(f"{what}\0{text}".encode(), key=secret, digest_size=16).digest()


def days_of(text: str, key: str) -> int:
    """By how many days a patient is moved."""
    return 1 + int.from_bytes(_digest(text, key, "days")) % _MOST_DAYS


def mapped(
    column: pl.Series, key: str, make: Callable[[str, str], object], held: pl.DataType
) -> pl.Series:
    """Each entry replaced by what its text makes; every distinct one is made once."""
    texts = column.unique().drop_nulls()
    made = pl.Series([make(text, key) for text in texts], dtype=held)
    return column.replace_strict(texts, made, default=None, return_dtype=held)


def _pseudonyms(column: pl.Series, key: str, known: Callable[[str], str | None]) -> pl.Series:
    name = column.name
    if name in ("pump_id", "site"):
        column = column.str.strip_chars().str.to_lowercase()

    def made(text: str, key: str) -> str:
        coined = f"{name.removesuffix('_id')}-{_digest(text, key, name).hex()[:20]}"
        return known(text) or coined

    return mapped(column, key, made, pl.String()).alias(name)


def _visit_code(text: str, key: str) -> str | None:
    code = text.strip().upper()
    return code if _VISIT_CODE.fullmatch(code) else None


@cache
def _drug_codes() -> frozenset[str]:
    """The HCPCS codes of drugs in the toolkit's own tables."""
    listed = products()["hcpcs"].drop_nulls().str.split(";").explode()
    return frozenset(listed) | frozenset(cited_table("fees", "drug_limits")["hcpcs"])


def _product(text: str) -> str | None:
    """The name under which a product is known, or a known HCPCS code of a drug."""
    if text.strip().upper() in _drug_codes():
        return text.strip().upper()
    try:
        return str(product_named(text)["product"])
    except InputError:
        return None


#: What is made of a column by the rule for it; the others are not in the result.
MADE: dict[str, Callable[[pl.Series, str], pl.Series]] = {
    "pseudonym": lambda column, key: _pseudonyms(column, key, lambda text: None),
    "product": lambda column, key: _pseudonyms(column, key, _product),
    "code": lambda column, key: mapped(column, key, _visit_code, pl.String()),
    "count": lambda column, key: column.set(~column.is_between(0, _MOST_NEEDLES), None),
    "shift": lambda column, key: column,
    "keep": lambda column, key: column,
}
