"""The answers of all ways in one form, so that they can be compared before they are timed."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from polars.testing import assert_frame_equal

from .given import DENIED, Given

_PLAIN_CODES = ["96369", "96370", "96372"]
#: What is compared in each work: keys and figures, under their names here.
_COMPARED = {
    "coding": ["encounter_id", "minutes", "units_96369", "units_96370", "units_96372"],
    "audit": ["encounter_id", "code", "billed", "supported"],
    "summary": ["minutes", "month", "payer", "encounters"],
    "scenario": ["scenario", "code", "units", "usd"],
    "limits": ["encounter_id", "site_rate_use"],
}
_TYPES = {
    "month": pl.Date,
    "usd": pl.Int64,
    "site_rate_use": pl.Float64,
    **dict.fromkeys(("minutes", "units", "billed", "supported", "encounters"), pl.Int64),
    **dict.fromkeys(("units_96369", "units_96370", "units_96372"), pl.Int64),
}
#: The toolkit's names.
_RENAMED = {
    "infusion_min": "minutes",
    "billed_units": "billed",
    "supported_units": "supported",
    "expected_usd": "usd",
}


def as_table(work: str, result: object) -> pl.DataFrame:
    """A way's result with the compared columns, sorted."""
    table = _as_polars(result).rename(_RENAMED, strict=False)
    if work == "summary":
        by = ["minutes", "month", "payer"]
        table = table.group_by(by).agg(pl.col("encounters").sum())
    elif work == "scenario":
        name = pl.col("scenario").map_elements(_without_number, return_dtype=pl.String)
        table = table.filter(pl.col("code").is_in(_PLAIN_CODES)).with_columns(name)
    elif work == "limits":
        table = table.with_columns(pl.col("site_rate_use").fill_nan(None)).drop_nulls()
    names = _COMPARED[work]
    return table.select(pl.col(name).cast(_TYPES.get(name, pl.String)) for name in names).sort(
        names
    )


def assert_same(work: str, result: object, expected: object, given: Given) -> None:
    """Every encounter's answer is the toolkit's; of draws, the mean and the spread agree."""
    if work == "draws":
        _assert_alike(np.array(getattr(result, "totals_usd", result)), given)
    else:
        table = as_table(work, result)
        assert not table.is_empty()
        assert_frame_equal(table, as_table(work, expected))


def _assert_alike(totals: np.ndarray, given: Given) -> None:
    """Within five standard errors of what theory says of the sum of encounters drawn anew."""
    n = len(given.usd)
    mean = given.usd.sum() * (1 - DENIED)
    spread = given.usd.std() * np.sqrt(n) * (1 - DENIED)
    assert abs(totals.mean() - mean) < 5 * spread / np.sqrt(len(totals))
    # The standard error of a standard deviation is about spread / sqrt(2 n).
    off = abs(totals.std(ddof=1) - spread)
    assert off < max(5 / np.sqrt(2 * len(totals)), 0.02) * spread


def _as_polars(result: object) -> pl.DataFrame:
    if isinstance(result, pd.DataFrame):
        return pl.from_pandas(result)
    if isinstance(result, pa.Table):
        return pl.from_arrow(result)
    return result if isinstance(result, pl.DataFrame) else pl.DataFrame(result)


def _without_number(name: str) -> str:
    return re.sub(r" \(\d+\)$", "", name)
