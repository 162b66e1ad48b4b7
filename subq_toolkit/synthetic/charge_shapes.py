"""The invented figures behind the invented charges."""

import tomllib
from functools import cache

from subq_toolkit.catalog import dataset


@cache
def charge_shapes() -> dict:
    """The figures of ``datasets/charges/shapes.toml``, as they stand there."""
    return tomllib.loads((dataset("charges") / "shapes.toml").read_text("utf-8"))
