"""Lines of a claim: code, units, date of service and revenue code, each with its reason."""

import polars as pl

from subq_toolkit.conditions import says
from subq_toolkit.effective import Parameter, read_parameters
from subq_toolkit.infusion_time import counted_time, minutes_begun, whole_minutes
from subq_toolkit.policy import Policy
from subq_toolkit.units import additional_hour_units

_TIME = read_parameters("infusion_time")
_CODES = read_parameters("codes")
_REVENUE = read_parameters("revenue_codes")
_DAY = pl.col("service_date")


def claim_lines(
    facts: pl.LazyFrame, runs: pl.LazyFrame, zone: str | None, policy: Policy
) -> pl.LazyFrame:
    """The lines of coded encounters.

    Returns
    -------
    pl.LazyFrame
        ``encounter_id, service_date, code, units, revenue_code, rule, why, cite``, sorted.
    """
    coded = facts.filter(pl.col("outcome") == "coded")
    at_least, more_than = _TIME["initial_hour_at_least"], _TIME["additional_hour_more_than"]
    minutes = pl.col("_minutes")
    further = setups = coded
    if policy.midnight == "split":
        further = _split_at_midnight(coded, runs, zone, policy)
        setups = coded.with_columns(service_date=pl.coalesce("_setup_day", "service_date"))
    lines = pl.concat(
        [
            _line(
                coded,
                "first_hour",
                pl.col("_units_first"),
                at_least,
                says("{} min counted; a first hour needs {}.", minutes, at_least.expr(_DAY)),
            ),
            _line(
                further,
                "further_hour",
                pl.col("_units_further"),
                more_than,
                says(
                    "{} min counted; each further hour needs more than {} min past a whole hour.",
                    minutes,
                    more_than.expr(_DAY),
                ),
            ),
            _line(
                setups,
                "further_setup",
                pl.col("_units_setup"),
                _CODES["further_setup"],
                says(
                    "A further pump set-up at a new site (pumps: {}); the record must show both.",
                    pl.col("_pumps"),
                ),
            ),
            _line(
                coded,
                "short_infusion",
                pl.col("_units_short"),
                at_least,
                says(
                    "{} min counted, fewer than the {} of a first hour.",
                    minutes,
                    at_least.expr(_DAY),
                ),
            ),
        ]
    )
    return lines.sort("encounter_id", "code", "service_date")


def _line(
    facts: pl.LazyFrame, role: str, units: pl.Expr, rule: Parameter, why: pl.Expr
) -> pl.LazyFrame:
    cite = _CODES[role] if role == "short_infusion" else rule
    return facts.filter(units > 0).select(
        "encounter_id",
        "service_date",
        code=_CODES[role].expr(_DAY),
        units=units,
        revenue_code=revenue_code(pl.col("setting"), _DAY),
        rule=pl.lit(rule.name),
        why=why,
        cite=cite.cite_expr(_DAY),
    )


def revenue_code(setting: pl.Expr, day: pl.Expr) -> pl.Expr:
    """The revenue code of a setting on a day; null for one that has none."""
    revenue = pl.lit(None, pl.String)
    for name, parameter in _REVENUE.items():
        revenue = pl.when(setting == name).then(parameter.expr(day)).otherwise(revenue)
    return revenue


def _split_at_midnight(
    coded: pl.LazyFrame, runs: pl.LazyFrame, zone: str | None, policy: Policy
) -> pl.LazyFrame:
    """Facts with one row per date, ``_units_further`` being those earned on that date.

    The further hours of a date are the rise, from midnight to midnight, of the same
    function of counted minutes that gives the total.
    """
    crossing = coded.filter(pl.col("_last_day") > _DAY)
    days = crossing.select(
        "encounter_id",
        _until=pl.date_ranges(_DAY + pl.duration(days=1), pl.col("_last_day")),
    ).explode("_until")
    midnight = pl.col("_until").cast(pl.Datetime("us"))
    if zone is not None:
        # Where clocks skip midnight itself, the day begins at one o'clock.
        midnight = pl.coalesce(
            time.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
            for time in (midnight, midnight + pl.duration(hours=1))
        )
    days = days.with_columns(_midnight_us=midnight.dt.epoch("us"))
    clipped = (
        runs.filter(pl.col("_from_us").is_not_null())
        .select("encounter_id", "_from_us", "_to_us")
        .join(days, on="encounter_id")
        .filter(pl.col("_from_us") < pl.col("_midnight_us"))
        .with_columns(_to_us=pl.min_horizontal("_to_us", "_midnight_us"))
    )
    by_midnight = counted_time(
        clipped, ["encounter_id", "_until"], bridge_min=policy.bridge_pauses_min
    )
    length = minutes_begun if policy.seconds == "count" else whole_minutes
    earned = additional_hour_units(
        length(pl.col("_counted_us")),
        more_than=_TIME["additional_hour_more_than"].expr(_DAY),
    )
    by_day = pl.concat(
        [
            by_midnight.select(
                "encounter_id",
                _day=pl.col("_until") - pl.duration(days=1),
                _so_far_us=pl.col("_counted_us"),
            ),
            crossing.select("encounter_id", _day="_last_day", _so_far_us="_counted_us"),
        ]
    )
    dated = (
        by_day.join(crossing, on="encounter_id")
        .with_columns(_counted_us=pl.col("_so_far_us"))
        .with_columns(_so_far=pl.min_horizontal(earned, pl.col("_units_further")))
        .sort("encounter_id", "_day")
        .with_columns(
            _units_further=pl.col("_so_far")
            - pl.col("_so_far").shift(1).over("encounter_id").fill_null(0),
            service_date=pl.col("_day"),
        )
    )
    return pl.concat(
        [coded.filter(pl.col("_last_day") <= _DAY), dated.select(coded.collect_schema().names())]
    )
