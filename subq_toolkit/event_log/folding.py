"""Events of each infusion, in order, folded into runs: one pass, no loop over rows.

Within an infusion the state before an event is what the last event that changes it left:
running, paused or stopped. Where a row of the result begins follows from event and state
alone, so shifts and fills on the sorted log do the work.
"""

import polars as pl

from subq_toolkit.event_log.placing import Placed

_NONE, _RUNNING, _PAUSED, _STOPPED = range(4)
_ALONE = ("bolus", "given")
_ENDS = ("pause", "stop")
_BEGINS = ("start", "new_bag", "restart")
_OPTIONAL = {"rate_ml_per_h": pl.Float64, "volume_ml": pl.Float64, "site": pl.String}
#: What is charted once and holds for the later runs of the same infusion too.
_HOLDS_ON = (
    *("patient_id", "route", "mode", "device", "delivery", "indication", "setting", "drug"),
    *("order_id", "pump_id", "concentration_mg_per_ml", "em_code", "payer", "locality"),
    *("department", "discharge_at"),
)


def folded_runs(placed: Placed, *, splits_bags: bool) -> pl.LazyFrame:
    """Fold placed events into runs, rows of one event beside; see ``fold_events``."""
    sound = pl.col("_sound")
    alone = pl.col("_event").is_in(_ALONE)
    folded = _runs(placed, placed.rows.filter(sound & ~alone), splits_bags=splits_bags)
    single = _single_rows(placed.rows.filter(~pl.col("_ignored") & (~sound | alone)))
    columns = folded.collect_schema()
    lone = single.collect_schema()
    single = single.select(
        (pl.col(name) if name in lone else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in columns.items()
    )
    once = pl.col("unreadable").str.split(", ").list.unique(maintain_order=True).list.join(", ")
    both = pl.concat([folded, single]).sort("_row", "_extra").with_columns(once)
    return both.select(_result(placed, columns))


def _result(placed: Placed, columns: pl.Schema) -> list[str]:
    made = ["encounter_id", "start_at", "stop_at"]
    others = [n for n in placed.given if n in columns and n not in (*made, "unreadable")]
    others += [name for name in ("mode",) if name not in others]
    return [*made, *others, "began_by", "ended_by", "events", "unreadable"]


def _runs(placed: Placed, events: pl.LazyFrame, *, splits_bags: bool) -> pl.LazyFrame:
    lanes = ["encounter_id", *[f"_lane {name}" for name in placed.lanes]]
    marked = _marked(_in_order(events, lanes), splits_bags=splits_bags)
    grouped = _grouped(placed, marked)
    with_stops = _with_stops(grouped, placed.lanes)
    nothing = {
        name: pl.lit(None, with_stops.collect_schema()[name])
        for name in ("start_at", "stop_at", "began_by", "ended_by", "volume_ml")
    }
    restarted = with_stops.filter("_no_pause").with_columns(
        **nothing, events=pl.lit(0, pl.Int64), _extra=pl.lit(False)
    )
    return pl.concat([with_stops, restarted])


def _in_order(events: pl.LazyFrame, lanes: list[str]) -> pl.LazyFrame:
    """Sort the log; mark where an infusion begins, and what is charted at that moment."""
    schema = events.collect_schema()
    absent = [pl.lit(None, dtype).alias(n) for n, dtype in _OPTIONAL.items() if n not in schema]
    ordered = (
        events.with_columns(absent)
        .with_columns(_rank=pl.col("_event").to_physical())
        .sort(*lanes, "event_at", "_rank", "_row")
    )
    new_lane = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in lanes)
    first = new_lane | (pl.int_range(pl.len()) == 0)
    moved = first | (pl.col("event_at") != pl.col("event_at").shift(1))
    return ordered.with_columns(_first=first, _moved=moved).with_columns(
        _lane=pl.col("_first").cum_sum(),
        _slot=pl.col("_moved").cum_sum(),
    )


def _marked(ordered: pl.LazyFrame, *, splits_bags: bool) -> pl.LazyFrame:
    """Add where rows of the result begin, and what each event does to the row it stands in."""
    event, first, at = pl.col("_event"), pl.col("_first"), pl.col("event_at")
    rate = pl.when(~event.is_in(_ENDS)).then("rate_ml_per_h")
    site = pl.col("site").cast(pl.String).str.strip_chars()
    changes = event == "rate_change"
    charted = ordered.with_columns(
        _rate=rate.last(ignore_nulls=True).over("_slot"),
        _site=pl.when(site != "").then(site).last(ignore_nulls=True).over("_slot"),
        _halts=(event == "pause") | (changes & (rate <= 0)).fill_null(False),
        _goes_on=(changes & (rate > 0)).fill_null(False),
        _begins=event.is_in(_BEGINS),
    ).with_columns(
        _site_now=pl.col("_site").forward_fill().over("_lane"),
        _ends=pl.col("_halts") | (event == "stop"),
    )
    begins, ends, goes_on = pl.col("_begins"), pl.col("_ends"), pl.col("_goes_on")
    after = (
        pl.when("_halts")
        .then(pl.lit(_PAUSED, pl.Int8))
        .when(event == "stop")
        .then(pl.lit(_STOPPED, pl.Int8))
        .when(begins | goes_on | first)
        .then(pl.lit(_RUNNING, pl.Int8))
    )
    left = charted.with_columns(_after=after).with_columns(
        _set_at=pl.when(pl.col("_after").is_not_null()).then(at),
        _set_by_rate=pl.when(pl.col("_after").is_not_null()).then(pl.col("_halts") & changes),
    )
    found = left.with_columns(
        pl.col("_after", "_set_at", "_set_by_rate").forward_fill().shift(1)
    ).with_columns(
        _before=pl.when(first).then(pl.lit(_NONE, pl.Int8)).otherwise("_after"),
        _again=~first & (pl.col("_set_at") == at).fill_null(False),
    )
    before, again = pl.col("_before"), pl.col("_again")
    running = before == _RUNNING
    by_new_bag = pl.lit(False) if splits_bags else event == "new_bag"
    after_stop = (event == "stop") & (before == _PAUSED)
    of_no_effect = after_stop | ((again | changes) & (before > _NONE))
    judged = found.with_columns(
        _closes=ends & running,
        _orphan=ends & ~running & ~of_no_effect,
        _opens=begins & (~running | (~by_new_bag & ~again)),
        _restarts=goes_on & (before == _PAUSED) & pl.col("_set_by_rate").fill_null(False),
        _no_pause=(event == "restart") & (before == _NONE),
    ).with_columns(_unknown=(goes_on & ~running & ~pl.col("_restarts")) | (first & ~begins & ~ends))
    fresh = pl.any_horizontal("_opens", "_orphan", "_restarts", "_unknown")
    known_rate = pl.when("_fresh").then(pl.col("_rate").fill_null(-1.0)).otherwise("_rate")
    other_rate = pl.col("_rate") != pl.col("_known_rate").shift(1)
    other_site = pl.col("_site") != pl.col("_site_now").shift(1)
    return (
        judged.with_columns(_fresh=fresh)
        .with_columns(_known_rate=known_rate.forward_fill())
        .with_columns(
            _splits=running
            & ~ends
            & ~pl.col("_fresh")
            & (other_rate.fill_null(False) | other_site.fill_null(False)),
            _no_start=pl.col("_orphan") | pl.col("_unknown"),
        )
        .with_columns(_run=(pl.col("_fresh") | pl.col("_splits")).cum_sum())
    )


def _grouped(placed: Placed, marked: pl.LazyFrame) -> pl.LazyFrame:
    """One row per run: what began and ended it, and the first entry of every other column."""
    schema = marked.collect_schema()
    others = [n for n in placed.given if n not in ("event_at", "event", "unreadable", "volume_ml")]
    others = [n for n in others if not schema[n].is_nested()]
    event, at = pl.col("_event").cast(pl.String), pl.col("event_at")
    ends = pl.col("_closes") | pl.col("_orphan")
    same = pl.struct("_slot", "_event", "volume_ml")
    volume = pl.when(same.ne_missing(same.shift(1))).then("volume_ml")
    marked = marked.with_columns(
        _hung=pl.when(event.is_in(_BEGINS)).then(volume),
        _ran=pl.when(ends).then(pl.col("volume_ml")),
        _end_at=pl.when(ends).then(at),
        _end_by=pl.when(ends).then(event),
    )
    first = [pl.col(n).first(ignore_nulls=True) for n in others if n not in _OPTIONAL]
    kept = [pl.col(f"_lane {name}").first() for name in placed.lanes]
    total = pl.when(pl.col("_hung").count() > 0).then(pl.col("_hung").sum().round(6))
    return marked.group_by("_run", maintain_order=True).agg(
        *first,
        *kept,
        pl.col("_row").min(),
        pl.col("_lane").first(),
        pl.col("_splits").first(),
        pl.col("_no_start").first(),
        pl.col("_no_pause").first(),
        pl.col("_rate").first().alias("rate_ml_per_h"),
        pl.col("_site_now").first(ignore_nulls=True).alias("site"),
        pl.len().cast(pl.Int64).alias("events"),
        pl.coalesce(pl.col("_ran").first(ignore_nulls=True), total).alias("volume_ml"),
        pl.col("unreadable").drop_nulls().unique(maintain_order=True).str.join(", "),
        _began_at=at.first(),
        _began_by=event.first(),
        _ended_at=pl.col("_end_at").first(ignore_nulls=True),
        _ended_by=pl.col("_end_by").first(ignore_nulls=True),
    )


def _with_stops(grouped: pl.LazyFrame, lanes: list[str]) -> pl.LazyFrame:
    """Start and stop of each run; a run that is split stops where the next begins."""
    schema = grouped.collect_schema()
    cut = pl.col("_splits").shift(-1).fill_null(False) & (
        pl.col("_lane") == pl.col("_lane").shift(-1)
    )
    carried = [pl.col(name).forward_fill().over("_lane") for name in schema if name in _HOLDS_ON]
    filled = [pl.coalesce(name, f"_lane {name}").alias(name) for name in lanes]
    return (
        grouped.with_columns(carried)
        .with_columns(pl.col(name).cast(pl.String) for name in lanes)
        .with_columns(
            *filled,
            start_at=pl.when(~pl.col("_no_start")).then("_began_at"),
            stop_at=pl.coalesce("_ended_at", pl.when(cut).then(pl.col("_began_at").shift(-1))),
            began_by=pl.when(~pl.col("_no_start")).then("_began_by"),
            ended_by=pl.coalesce("_ended_by", pl.when(cut).then(pl.col("_began_by").shift(-1))),
            unreadable=pl.when(pl.col("unreadable") != "").then("unreadable"),
            mode=pl.col("mode").cast(pl.String) if "mode" in schema else pl.lit(None, pl.String),
            _extra=pl.lit(True),
        )
        .drop([n for n in schema if n.startswith("_") and n not in ("_row", "_no_pause")])
    )


def _single_rows(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Boluses and doses given, and events that cannot be read: one event, one row."""
    event = pl.col("_event").cast(pl.String)
    sound = pl.col("_sound")
    bolus = sound & (event == "bolus")
    lacking = pl.concat_str(
        pl.when(pl.col("event_at").is_null()).then(pl.lit("event_at")),
        pl.when(event.is_null()).then(pl.lit("event")),
        separator=", ",
        ignore_nulls=True,
    )
    named = pl.concat_str(
        pl.when(lacking != "").then(lacking), "unreadable", separator=", ", ignore_nulls=True
    )
    schema = rows.collect_schema()
    mode = pl.col("mode").cast(pl.String) if "mode" in schema else pl.lit(None, pl.String)
    return rows.with_columns(
        start_at=pl.col("event_at"),
        stop_at=pl.when(bolus).then("event_at"),
        mode=pl.when(bolus).then(pl.lit("bolus")).otherwise(mode),
        began_by=pl.when(sound).then(event),
        ended_by=pl.when(bolus).then(event),
        events=pl.lit(1, pl.Int64),
        unreadable=pl.when(~sound & (named != "")).then(named).otherwise("unreadable"),
        _extra=pl.lit(True),
        _no_pause=pl.lit(False),
    )
