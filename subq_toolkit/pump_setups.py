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
    marked = _marked(runs).cache()
    setup, new_site = pl.col("_setup"), pl.col("_new_site")
    after_another = setup & new_site & (_START > pl.col("_first_setup_us"))
    after_another &= _START > pl.col("_first_site_us")
    found = marked.group_by("encounter_id").agg(
        _pumps=pl.max_horizontal(pl.col("_pump").drop_nulls().n_unique(), 1),
        _after_another_us=_START.filter(after_another).min(),
        _site_changed=(~setup & new_site & (_START > pl.col("_first_site_us"))).any(),
        _reset_charted=(after_another & (_START > pl.col("_pump_from_us"))).any(),
        _pump_overlap=pl.col("_overlaps").any(),
        _dwell_us=(pl.col("_site_to_us") - pl.col("_site_from_us")).max(),
    )
    further = pl.min_horizontal("_after_another_us", "_beside_another_us")
    return (
        found.join(_beside_another(marked), on="encounter_id", how="left")
        .with_columns(_new_setup_us=further)
        .drop("_after_another_us", "_beside_another_us")
    )


def _beside_another(marked: pl.LazyFrame) -> pl.LazyFrame:
    """The first moment of an encounter in which set-ups of several pumps bring new sites."""
    moment, new = ["encounter_id", "_from_us"], pl.col("_setup") & pl.col("_new_site")
    by_pump = marked.filter(new).group_by(*moment, "_of_pump").agg(pl.col("_of_site").unique())
    at_once = by_pump.group_by(moment).agg(
        _pumps=pl.len(),
        _sites_of_one=pl.col("_of_site").list.len().max(),
        _sites=pl.col("_of_site").explode().n_unique(),
    )
    several = at_once.filter(pl.col("_sites") > pl.col("_sites_of_one"))
    return several.group_by("encounter_id").agg(_beside_another_us=_START.min())


def _marked(runs: pl.LazyFrame) -> pl.LazyFrame:
    """Mark each run: is it of a set-up, is its site new, does it overlap one of its pump."""
    first = pl.col("encounter_id") != pl.col("encounter_id").shift(1)
    of_pump = first | pl.col("_pump").ne_missing(pl.col("_pump").shift(1))
    begins = of_pump | (_START != _START.shift(1))
    # Numbers in place of names: windows over one whole number are many times as quick.
    numbered = (
        runs.unique()
        .sort("encounter_id", "_pump", "_from_us", "_to_us")
        .with_columns(
            _encounter=first.fill_null(True).cum_sum(),
            _of_pump=of_pump.fill_null(True).cum_sum(),
            _begun=begins.fill_null(True).cum_sum(),
            _of_site=pl.when(_SITE.is_not_null()).then(_SITE.hash()),
            # Sorted by start: where any two runs of a pump overlap, two in a row do.
            _overlaps=(~of_pump & (pl.col("_to_us").shift(1) > _START)).fill_null(False),
        )
        .with_columns(_at_site=pl.struct("_encounter", "_of_site").hash())
    )
    return (
        numbered.with_columns(
            _pump_from_us=_START.min().over("_of_pump"),
            _site_from_us=_START.min().over("_at_site"),
            _site_to_us=pl.col("_to_us").max().over("_at_site"),
            _first_site_us=_START.filter(_SITE.is_not_null()).min().over("_encounter"),
            _pumps_named=pl.col("_pump").is_not_null().any().over("_encounter"),
        )
        .with_columns(_setup=_is_setup().any().over("_begun"))
        .with_columns(_first_setup_us=_START.filter("_setup").min().over("_encounter"))
        .with_columns(_opens_site=_SITE.is_not_null() & (_START == pl.col("_site_from_us")))
        # Beside a run without a set-up, at a site that opens with both, none is further.
        .with_columns(_shared=(~pl.col("_setup") & pl.col("_opens_site")).any().over("_at_site"))
        .with_columns(_new_site=pl.col("_opens_site") & ~(pl.col("_setup") & pl.col("_shared")))
    )


def _is_setup() -> pl.Expr:
    known = pl.col("_pump").is_not_null() | ~pl.col("_pumps_named")
    return pl.col("setup_charted").fill_null(known & (pl.col("_pump_from_us") == _START))
