"""The sources of what a panel shows, as lines for a published file."""

import polars as pl

_BETWEEN = "]; "


def cites(*frames: pl.DataFrame | None) -> tuple[str, ...]:
    """Every source named in the column ``cite`` of some tables, once each, in their order."""
    held = [one["cite"].drop_nulls() for one in frames if one is not None]
    parts = (part for column in held for cite in column for part in cite.split(_BETWEEN))
    return tuple(dict.fromkeys(part if part.endswith("]") else f"{part}]" for part in parts))
