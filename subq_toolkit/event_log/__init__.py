"""Logs of charted events, as a MAR keeps them, folded into charted runs.

A MAR has one row per event: new bag, rate change, pause, stop. Coding needs runs. What is
not charted is never filled in: a stop without a start makes a run without a start, which
leads to a query. ``tests/test_event_log.py`` has the cases as a nurse would chart them.
"""

from collections.abc import Mapping
from typing import Literal, get_args

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.event_log.event_words import EVENTS, NO_EVENT, agreed_words, event_counts
from subq_toolkit.event_log.folding import folded_runs
from subq_toolkit.event_log.placing import Placed, place_events

__all__ = ["EVENTS", "NO_EVENT", "NewBag", "event_counts", "fold_events", "judged_events"]

#: What a new bag means while the infusion runs.
NewBag = Literal["continues", "begins"]


def fold_events(
    events: pl.DataFrame | pl.LazyFrame,
    *,
    words: Mapping[str, str | None] | None = None,
    new_bag: NewBag = "continues",
    facility_zone: str | None = None,
) -> pl.LazyFrame:
    """Fold an event log into charted runs, one row each, for ``code_administrations``.

    Events belong together if they are of one encounter and one order and pump; of one drug
    if neither column is there. Where an entry of pump or order is empty and the encounter
    has only one, it is that one. At one moment, what ends comes before what begins.

    ==================================  =====================================================
    charted                             becomes
    ==================================  =====================================================
    start ... stop                      a run
    pause ... restart                   the run ends, and the next begins
    new bag, rate change while running  the clock runs on
    another rate or site while running  the run is split at that moment: minutes stay the
                                        same, and each row has one rate and one site
    rate change to 0                    a pause; a later rate above 0 is the restart
    rate verify                         nothing
    stop after a pause                  nothing: the pause ended the run
    stop or pause without a start       a run without a start (query)
    start that is never stopped         a run without a stop (query)
    start or restart while running      the run before has no stop (query); the next begins
    rate change or verify first of all  a run without a start (query)
    rate above 0 after pause or stop    a run without a start (query): the restart is missing
    restart first of all                a run from there, and a row without times (query)
    the same event at the same moment   counts once
    bolus                               a row of its own, mode bolus, start = stop
    given                               a row of its own, without a stop
    event or time that cannot be read   a row of its own that ``accept`` refuses
    ==================================  =====================================================

    Parameters
    ----------
    events
        ``encounter_id``, ``event_at`` and ``event`` at least; ``order_id``, ``pump_id``,
        ``drug``, ``site``, ``route``, ``rate_ml_per_h``, ``volume_ml`` if charted. Of the other
        columns a run has its first entry; where it has none, what tells of the whole infusion
        (drug, route, site, payer ...) is taken from the run before it.
    words
        What words of the chart mean, beyond those in ``parameters/vocabulary.toml``:
        ``{"Assess": "rate_verify", "Handoff": None}``; None is no event of an infusion.
    new_bag
        ``"continues"`` or ``"begins"``. With the latter each bag is a run of its own, and a bag
        whose end is not charted has no stop; state it where bags are single doses.
    facility_zone
        Zone of the facility; times with a zone are converted to it.

    Returns
    -------
    pl.LazyFrame
        ``encounter_id``, ``start_at``, ``stop_at``, the other columns, ``began_by`` and
        ``ended_by`` (the events; null where not charted), ``events`` (how many events went into
        the row), ``unreadable``. In the order of their first events. ``events`` add up to the
        events that came in less those that are none of the infusion. ``volume_ml`` is what is
        charted with the stop or pause, else the bags of the run added up.

    Raises
    ------
    InputError
        If a needed column is missing or of another type, ``words`` names no event, or
        the zone is unknown.
    """
    if new_bag not in get_args(NewBag):
        raise InputError('new_bag must be "continues" or "begins".')
    placed = place_events(events, agreed_words(words), facility_zone)
    return folded_runs(placed, splits_bags=new_bag == "begins")


def judged_events(
    events: pl.DataFrame | pl.LazyFrame,
    *,
    words: Mapping[str, str | None] | None = None,
    facility_zone: str | None = None,
) -> dict[str, int]:
    """Count the events of a log by what becomes of them; the four counts add up.

    Returns
    -------
    dict of str to int
        ``events_in``, and of these ``folded`` into runs, ``ignored`` (no event of an
        infusion) and ``unreadable`` (a word, a time or an encounter that cannot be read).
    """
    placed: Placed = place_events(events, agreed_words(words), facility_zone)
    counts = placed.rows.select(
        events_in=pl.len(),
        folded=pl.col("_sound").sum(),
        ignored=pl.col("_ignored").sum(),
        unreadable=(~pl.col("_sound") & ~pl.col("_ignored")).sum(),
    )
    return counts.collect().row(0, named=True)
