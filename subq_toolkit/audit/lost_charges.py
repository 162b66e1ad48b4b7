"""What charge rows that could not be read may hide: a code, a claim, or what seems missing."""

import polars as pl

from subq_toolkit.audit.billed import CODE, OTHER_FAMILY, OTHER_SERVICE, ROLE
from subq_toolkit.audit.charted import ROLES
from subq_toolkit.audit.matching import with_key
from subq_toolkit.audit.standing_charges import UNDOING
from subq_toolkit.effective import read_parameters, read_table

_CODES, _LISTS = read_parameters("codes"), read_table("audited_codes")
_ROLES = {one.value: role for role in ROLES for one in _CODES[role].values} | {
    code: role
    for role, name in ((OTHER_FAMILY, "other_families"), (OTHER_SERVICE, "other_services"))
    for code in _LISTS[name]["codes"]
}


def with_lost_charges(
    chart: pl.LazyFrame, refused: pl.LazyFrame
) -> tuple[pl.LazyFrame, pl.DataFrame]:
    """Mark encounters with charge rows that could not be read, and name their codes.

    Parameters
    ----------
    chart
        With ``_key`` and ``_n``.
    refused
        As ``accept_charges`` returns them.

    Returns
    -------
    tuple
        ``chart`` with ``charges_refused`` (a row whose code is compared, or cannot be read) and
        ``claim_refused`` (a row of a claim that replaces or voids another, so that any charge
        may not stand); then ``_n, role, code`` of rows whose code could be read.
    """
    role = pl.col("code").replace_strict(_ROLES, default=None, return_dtype=pl.String)
    rows = refused.filter(pl.col("encounter_id").is_not_null()).with_columns(
        role=role.cast(ROLE),
        _undoes=pl.col("frequency").is_in(UNDOING).fill_null(False),
    )
    hidden = pl.col("code").is_null() | pl.col("role").is_not_null() | pl.col("_undoes")
    rows = with_key(rows.filter(hidden), chart).join(chart.select("_key", "_n"), on="_key")
    rows = rows.select("_n", "role", "code", "_undoes").collect()
    marks = rows.group_by("_n").agg(
        claim_refused=pl.col("_undoes").any(), charges_refused=pl.lit(True)
    )
    marked = chart.join(marks.lazy(), on="_n", how="left", maintain_order="left")
    named = rows.filter(pl.col("role").is_not_null()).select("_n", "role", "code").unique()
    return marked, named.with_columns(pl.col("code").cast(CODE))
