"""Pump set-ups and sites of an encounter: what a further set-up (96371) rests on.

A set-up is the first run of a pump, unless the chart says that none was made, and
every later run for which the chart says that one was made. It counts as a further
set-up when it is not the first of the encounter and brings a site at which nothing
ran before. Sites that are not charted are not new sites. Of set-ups charted for the
same minute, the one that leaves least to claim is taken to be the first.
"""

import polars as pl

_PUMP = ["encounter_id", "pump_id"]
_SITE = ["encounter_id", "site"]


def setups_and_sites(runs: pl.LazyFrame) -> pl.LazyFrame:
    """What the set-ups and sites of each encounter amount to.

    Parameters
    ----------
    runs
        Counted runs: ``encounter_id``, ``pump_id``, ``site``, ``setup_charted``, ``_from_us``,
        ``_to_us`` [µs].

    Returns
    -------
    pl.LazyFrame
        ``encounter_id``, ``_pumps``, ``_new_setup`` (a further set-up with a new site),
        ``_site_changed`` (a pump moved to a new site without a charted set-up),
        ``_reset_charted`` (a later run of a pump has a charted set-up with a new site),
        ``_pump_overlap``
        (runs of one pump overlap), ``_dwell_us`` (longest stay at one site).
    """
    start = pl.col("_from_us")
    marked = (
        runs.unique()
        .sort("encounter_id", "pump_id", "_from_us", "_to_us")
        .with_columns(
            _pump_from_us=start.min().over(_PUMP),
            _pump_busy_until_us=pl.col("_to_us").cum_max().shift(1).over(_PUMP),
            _site_from_us=start.min().over(_SITE),
            _site_to_us=pl.col("_to_us").max().over(_SITE),
        )
        .with_columns(_setup=_is_setup(), _later_run=start > pl.col("_pump_from_us"))
        .with_columns(_first_setup_us=start.filter("_setup").min().over("encounter_id"))
        .with_columns(
            _new_site=pl.col("site").is_not_null() & (start == pl.col("_site_from_us")),
            _at_first=pl.col("_setup") & (start == pl.col("_first_setup_us")),
        )
        .with_columns(_sites_of_first=_distinct("site", "_at_first").over(_PUMP))
    )
    setup, new_site, later = pl.col("_setup"), pl.col("_new_site"), pl.col("_later_run")
    after_first = setup & new_site & (start > pl.col("_first_setup_us"))
    beside_first = _distinct("site", "_at_first") > pl.col("_sites_of_first").max()
    return marked.group_by("encounter_id").agg(
        _pumps=pl.max_horizontal(pl.col("pump_id").drop_nulls().n_unique(), 1),
        _new_setup=after_first.any() | beside_first,
        _site_changed=(~setup & new_site & later).any(),
        _reset_charted=(setup & later & new_site).any(),
        _pump_overlap=(start < pl.col("_pump_busy_until_us")).any(),
        _dwell_us=(pl.col("_site_to_us") - pl.col("_site_from_us")).max(),
    )


def _is_setup() -> pl.Expr:
    return pl.col("setup_charted").fill_null(pl.col("_from_us") == pl.col("_pump_from_us"))


def _distinct(name: str, where: str) -> pl.Expr:
    return pl.col(name).filter(where).drop_nulls().n_unique()
