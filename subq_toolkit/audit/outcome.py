"""The tables of an audit: lines as a reader gets them, and encounters by their gravest line."""

import polars as pl

from subq_toolkit.audit.audited_tables import AGREEING, CLASSES, JUDGED

LINES = (
    "encounter_id",
    "service_date",
    "code",
    "billed_units",
    "supported_units",
    "difference_units",
    "class",
    "direction",
    "billed_usd",
    "supported_usd",
    "difference_usd",
    "charge_usd",
    "paid_usd",
    "reason",
    "what_to_do",
    "cite",
    "risk",
    "file_by",
    "days_left",
    "payer",
    "department",
    "setting",
    "coder",
    "claim_ids",
    "outcome",
    "infusion_min",
)
_ENCOUNTER = ("encounter_id", "service_date")
#: What every line of an encounter says alike.
_SHARED = ("payer", "department", "setting", "outcome", "infusion_min")
#: Classes of an encounter, gravest first: errors, then what is not judged, then agreement.
GRAVEST = sorted(CLASSES, key=lambda name: (not CLASSES[name]["error"], name in AGREEING))
_MONEY = ("billed_usd", "supported_usd", "difference_usd")
_UNJUDGED = "not judged"


def audited_lines(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The columns of ``Audit.lines``; rows keep their order."""
    difference = pl.col("billed_units") - pl.col("supported")
    return rows.with_columns(
        supported_units=pl.col("supported"),
        difference_units=difference,
        direction=_direction(difference),
    ).select(LINES)


def audited_encounters(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The table ``Audit.encounters``: encounters of the chart, then charges without one."""
    charted = pl.col("_n").is_not_null()
    ranks = {name: rank for rank, name in enumerate(GRAVEST)}
    shared = [pl.col(name).first() for name in (*_ENCOUNTER, *_SHARED)]
    cents = {name: (pl.col(name) * 100).cast(pl.Int64) for name in _MONEY}
    rows = rows.with_columns(
        **cents,
        _class=(2 ** pl.col("class").replace_strict(ranks, return_dtype=pl.Int64)).cast(pl.Int64),
        _units=pl.col("billed_units") - pl.col("supported"),
    )
    added = [
        *(pl.col(name).sum().alias(name) for name in _MONEY),
        *(pl.col(name).is_null().any().alias(f"_no_{name}") for name in _MONEY),
        pl.col("_units").sum(),
        pl.col("days_left", "coder").min(),
        pl.col("_class").bitwise_or().alias("_classes"),
    ]
    grave = pl.concat(
        [
            rows.filter(charted).group_by("_n").agg(*added, *shared).sort("_n").drop("_n"),
            rows.filter(~charted)
            .group_by(_ENCOUNTER)
            .agg(*added, *shared[len(_ENCOUNTER) :])
            .sort(_ENCOUNTER),
        ],
        how="diagonal",
    )
    usd = {
        name: pl.when(~pl.col(f"_no_{name}")).then(pl.col(name).cast(pl.Decimal(18, 2)) / 100)
        for name in _MONEY
    }
    known = pl.when(~pl.col("_no_difference_usd")).then("difference_usd")
    balance = pl.coalesce(pl.when(known != 0).then(known), pl.col("_units"))
    columns = (*_ENCOUNTER, "class", "classes", "direction", *_MONEY, "risk", "days_left")
    return (
        grave.join(_by_classes(grave), on="_classes", maintain_order="left")
        .with_columns(direction=_direction(pl.when("_judged").then(balance)))
        .with_columns(**{name: amount.cast(pl.Decimal(14, 2)) for name, amount in usd.items()})
        .select(*columns, "payer", "department", "setting", "coder", "outcome", "infusion_min")
    )


def _by_classes(encounters: pl.LazyFrame) -> pl.LazyFrame:
    """For each set of classes that occurs, as bits: its gravest, its names, risk and verdict."""
    occurring = encounters.select(pl.col("_classes").unique()).collect().to_series()
    sets = {
        bits: [name for rank, name in enumerate(GRAVEST) if bits >> rank & 1] for bits in occurring
    }
    gravest = {bits: CLASSES[names[0]] for bits, names in sets.items()}
    return pl.LazyFrame(
        {
            "_classes": list(sets),
            "class": [names[0] for names in sets.values()],
            "classes": [", ".join(names) for names in sets.values()],
            "risk": [one["risk"] for one in gravest.values()],
            "_judged": [names[0] in JUDGED for names in sets.values()],
        },
        schema_overrides={
            "_classes": pl.Int64,
            "class": pl.String,
            "classes": pl.String,
            "risk": pl.String,
            "_judged": pl.Boolean,
        },
    )


def _direction(balance: pl.Expr) -> pl.Expr:
    return (
        pl.when(balance > 0)
        .then(pl.lit("over"))
        .when(balance < 0)
        .then(pl.lit("under"))
        .when(balance == 0)
        .then(pl.lit("even"))
        .otherwise(pl.lit(_UNJUDGED))
    )
