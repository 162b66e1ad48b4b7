"""Pump set-ups and sites of an encounter: what a further set-up (96371) rests on.

A set-up is the first run of a named pump, unless the chart says that none was made, and
every later run for which the chart says that one was made. Where no run names its pump,
all runs are of one pump; a run without a pump beside runs with one is no set-up.

A set-up is a further one when an earlier set-up is charted, it brings a site at which
nothing ran before, and an earlier site is charted for the new one to differ from. Of
set-ups charted for the same minute, any may have been the first: one counts as further
only if it does whichever came first.
"""

import polars as pl

_START = pl.col("_from_us")
_SITE = pl.col("_site")


def setups_and_sites(runs: pl.LazyFrame) -> pl.LazyFrame:
    """What the set-ups and sites of each encounter amount to.

    Parameters
    ----------
    runs
        Counted runs: ``encounter_id``, ``_pump`` and ``_site`` (as compared, null if not
        charted), ``setup_charted``, ``_from_us``, ``_to_us`` [µs].

    Returns
    -------
    pl.LazyFrame
        ``encounter_id``, ``_pumps``, ``_new_setup_us`` (start of the first further set-up,
        else null) [µs], ``_site_changed`` (a run at a new site without a charted set-up),
        ``_reset_charted`` (a pump that had run is set up again at a new site),
        ``_pump_overlap`` (runs of one pump overlap), ``_dwell_us`` (longest stay at a site).
    """
    marked = _marked(runs)
    setup, new_site = pl.col("_setup"), pl.col("_new_site")
    after_another = setup & new_site & (_START > pl.col("_first_setup_us"))
    after_another &= _START > pl.col("_first_site_us")
    beside_another = pl.col("_sites_at_once") > pl.col("_sites_of_one")
    further = after_another | beside_another
    return marked.group_by("encounter_id").agg(
        _pumps=pl.max_horizontal(pl.col("_pump").drop_nulls().n_unique(), 1),
        _new_setup_us=_START.filter(further).min(),
        _site_changed=(~setup & new_site & (_START > pl.col("_first_site_us"))).any(),
        _reset_charted=(after_another & (_START > pl.col("_pump_from_us"))).any(),
        _pump_overlap=(pl.col("_pump_busy_until_us") > _START).any(),
        _dwell_us=(pl.col("_site_to_us") - pl.col("_site_from_us")).max(),
    )


def _marked(runs: pl.LazyFrame) -> pl.LazyFrame:
    """Mark each run: is it of a set-up, is its site new, what else began in that moment."""
    first = pl.col("encounter_id") != pl.col("encounter_id").shift(1)
    of_pump = first | pl.col("_pump").ne_missing(pl.col("_pump").shift(1))
    # Numbers in place of names: windows over them are several times as quick.
    numbered = (
        runs.unique()
        .sort("encounter_id", "_pump", "_from_us", "_to_us")
        .with_columns(
            _encounter=first.fill_null(True).cum_sum(),
            _of_pump=of_pump.fill_null(True).cum_sum(),
            _of_site=pl.when(_SITE.is_not_null()).then(_SITE.hash()),
        )
    )
    by_site, moment = ["_encounter", "_of_site"], ["_encounter", "_from_us"]
    new_of_setup = pl.col("_of_site").filter(pl.col("_setup") & pl.col("_new_site")).n_unique()
    return (
        numbered.with_columns(
            _pump_from_us=_START.min().over("_of_pump"),
            _pump_busy_until_us=pl.col("_to_us").cum_max().shift(1).over("_of_pump"),
            _site_from_us=_START.min().over(by_site),
            _site_to_us=pl.col("_to_us").max().over(by_site),
            _first_site_us=_START.filter(_SITE.is_not_null()).min().over("_encounter"),
            _pumps_named=pl.col("_pump").is_not_null().any().over("_encounter"),
        )
        .with_columns(_setup=_is_setup().any().over("_of_pump", "_from_us"))
        .with_columns(
            _first_setup_us=_START.filter("_setup").min().over("_encounter"),
            _site_shared=(~pl.col("_setup")).any().over(*by_site, "_from_us"),
        )
        .with_columns(
            _new_site=_SITE.is_not_null()
            & (_START == pl.col("_site_from_us"))
            & ~(pl.col("_setup") & pl.col("_site_shared"))
        )
        .with_columns(
            _sites_at_once=new_of_setup.over(moment),
            _sites_of_pump=new_of_setup.over("_of_pump", "_from_us"),
        )
        .with_columns(_sites_of_one=pl.col("_sites_of_pump").max().over(moment))
    )


def _is_setup() -> pl.Expr:
    known = pl.col("_pump").is_not_null() | ~pl.col("_pumps_named")
    return pl.col("setup_charted").fill_null(known & (pl.col("_pump_from_us") == _START))
