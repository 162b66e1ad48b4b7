"""Billed against supported, encounter by encounter and code by code, without a judgement."""

import polars as pl

from subq_toolkit.audit.billed import (
    CODE,
    INTRAVENOUS,
    OTHER_FAMILY,
    OTHER_SERVICE,
    ROLE,
    billed_by_code,
)
from subq_toolkit.audit.charted import ROLES
from subq_toolkit.effective import read_parameters

_CODES = read_parameters("codes")
#: Codes that say that an infusion was charged; an injection may have been one.
_INFUSED = pl.col("role").is_in(["first_hour", "further_hour", "further_setup"])
_ASKED = pl.col("live_units") + pl.col("denied_units")


def compared(
    charges: pl.LazyFrame, chart: pl.LazyFrame, lost: pl.DataFrame, aside: pl.LazyFrame
) -> pl.LazyFrame:
    """One row per encounter and code that was billed or is supported.

    Parameters
    ----------
    charges
        Charges to be compared, with ``_n`` and ``role``; see ``set_aside``.
    chart
        One row per encounter with ``_n``; see ``charted``.
    lost
        ``_n, role, code`` of charges that could not be read, though their code could.
    aside
        Charges that are not compared; see ``set_aside``.

    Returns
    -------
    pl.LazyFrame
        The columns of ``billed_by_code`` (zero units where nothing was billed) and of the chart
        (null where there is none), ``supported`` units [1] as charted, ``any_charge`` (of an
        infusion, not of charted injections), ``charged_elsewhere`` (its number is charged, on
        another date), ``billed_first, billed_short, billed_other, billed_service`` [1] of the
        whole encounter, denied or not; ``billed_units`` [1], of denied ones those that the chart
        supports, for no others can have been paid.
    """
    charges = charges.with_columns(pl.col("code").cast(CODE))
    stated = charges.select(pl.col("modifiers").is_not_null().any()).collect().item()
    veins = aside.filter(pl.col("set_aside_because") == INTRAVENOUS).select("_n").collect()["_n"]
    chart = chart.with_columns(veins_aside=pl.col("_n").is_in(veins.unique().implode()))
    billed = billed_by_code(charges.filter(pl.col("_n").is_not_null()), ["_n"]).with_columns(
        asked_units=_ASKED
    )
    shots = pl.col("_live_short") > pl.col("injections")
    beside = (
        billed.group_by("_n")
        .agg(
            billed_first=_of_role("first_hour"),
            billed_short=_of_role("short_infusion"),
            billed_other=_of_role(OTHER_FAMILY),
            billed_service=_of_role(OTHER_SERVICE),
            _live_short=pl.col("live_units").filter(pl.col("role") == "short_infusion").sum(),
            _any=(pl.col("asked_units").filter(_INFUSED) > 0).any(),
        )
        .join(chart.select("_n", "injections"), on="_n", how="left")
        .with_columns(_any=pl.col("_any") | shots.fill_null(False))
        .with_columns(any_charge=pl.col("_any") | (pl.col("billed_other") > 0))
        .drop("injections", "_live_short")
    )
    charged = beside.filter("_any").select("_n")
    beside = beside.drop("_any")
    elsewhere = charges.filter("elsewhere").select(_n="_near", charged_elsewhere=True).unique()
    rows = billed.join(
        _supported(chart, charged, lost), on=["_n", "role", "code"], how="full", coalesce=True
    )
    if not lost.is_empty():
        unread = lost.lazy().with_columns(code_refused=True)
        rows = rows.join(unread, on=["_n", "role", "code"], how="left")
    else:
        rows = rows.with_columns(code_refused=pl.lit(False))
    rows = rows.join(beside, on="_n", how="left").join(elsewhere, on="_n", how="left")
    alone = billed_by_code(
        charges.filter(pl.col("_n").is_null()), ["encounter_id", "service_date"]
    ).with_columns(any_charge=pl.lit(True), asked_units=_ASKED)
    counts = (
        "live_units", "denied_units", "asked_units", "other_payer_units", "other_payer_denied",
        "credit_units", "units_once", "most_a_day", "lines", "copies", "days_off",
    )  # fmt: skip
    marks = (
        "any_charge", "charged_elsewhere", "misplaced", "later_day", "separate", "veins_aside",
        "guessed", "denied_yet_paid",
    )  # fmt: skip
    unread = ("charges_refused", "claim_refused", "code_refused")
    beside_counts = ("billed_first", "billed_short", "billed_other", "billed_service")
    together = pl.concat(
        [
            _beside_chart(rows, chart),
            alone.sort("encounter_id", "service_date", "code"),
        ],
        how="diagonal",
    )
    return (
        together.with_columns(
            pl.lit(bool(stated)).alias("modifiers_known"),
            pl.col(*counts, *beside_counts).fill_null(0).cast(pl.Int64),
            pl.col(*marks, *unread).fill_null(False),
            payer=pl.coalesce("charged_payer", "payer"),
            department=pl.coalesce("department", "charged_department"),
            code=pl.col("code").cast(pl.String),
        )
        .with_columns(**_as_charted())
        .with_columns(billed_units=_billed())
    )


def _beside_chart(rows: pl.LazyFrame, chart: pl.LazyFrame) -> pl.LazyFrame:
    """Rows in the order of the chart, with its columns.

    Rows are put in order by one whole number and the chart's columns picked by place: a sort or
    an ordered join of so wide a table takes four times as long.
    """
    held, table = rows.collect(), chart.drop("_n", "_key").collect()
    place = pl.col("_n").cast(pl.Int64) * len(CODE.categories)
    order = held.select(place + pl.col("code").to_physical().cast(pl.Int64)).to_series().arg_sort()
    held = held[order]
    return held.hstack(table[held["_n"]]).lazy()


def _of_role(role: str) -> pl.Expr:
    return pl.col("asked_units").filter(pl.col("role") == role).sum()


def _billed() -> pl.Expr:
    """Units billed: those that stand, and of denied ones what the chart supports."""
    live, denied = pl.col("live_units"), pl.col("denied_units")
    appealed = pl.min_horizontal(live + denied, pl.col("supported"))
    return pl.when(denied > 0).then(pl.max_horizontal(live, appealed)).otherwise(live)


def _supported(chart: pl.LazyFrame, charged: pl.LazyFrame, lost: pl.DataFrame) -> pl.LazyFrame:
    """``_n, role, code`` of what the chart supports, and of what awaits an answer."""
    day, coded = pl.col("service_date"), pl.col("outcome") == "coded"
    settled = coded | (pl.col("outcome") == "query")
    units = [
        chart.filter(
            (coded if role == "short_infusion" else settled) & (pl.col(f"charted_{role}") > 0)
        ).select("_n", role=pl.lit(role, ROLE), code=_CODES[role].expr(day).cast(CODE))
        for role in ROLES
    ]
    waiting = chart.filter(~coded & pl.col("infused"))
    complete = (pl.col("outcome") == "query") & (pl.col("charted_first_hour") > 0)
    waiting = waiting.filter(~complete.fill_null(False))
    waiting = waiting.join(charged, on="_n", how="anti")
    first = _CODES["first_hour"]
    code = pl.coalesce(first.expr(day), pl.lit(first.values[-1].value)).cast(CODE)
    due = pl.concat([*units, waiting.select("_n", role=pl.lit("first_hour", ROLE), code=code)])
    return due if lost.is_empty() else pl.concat([due, lost.lazy()]).unique()


def _as_charted() -> dict[str, pl.Expr]:
    """Units ``charted``, and ``supported``: where a chart is open also those that may be.

    An injection code is supported by charted injections too. Where a coder decides, or rows of
    the chart could not be read, more units may be: but never a second first hour or set-up. In a
    query only what the complete runs support counts. Where policy caps further hours, what is
    documented above the cap is supported too if it was billed.
    """
    billed = pl.col("asked_units")
    units = pl.lit(0, pl.Int64)
    for role in ROLES:
        units = pl.when(pl.col("role") == role).then(pl.col(f"charted_{role}")).otherwise(units)
    units = units.fill_null(0)
    # What was denied above the cap and sent again within it is settled.
    stands = pl.col("live_units")
    sent = pl.when(stands >= units).then(stands).otherwise(billed)
    documented = sent.clip(units, pl.max_horizontal(units, "documented_further"))
    units = pl.when(pl.col("role") == "further_hour").then(documented).otherwise(units)
    units = units.fill_null(0)
    with_injections = billed.clip(units, units + pl.col("injections").fill_null(0))
    units = pl.when(pl.col("role") == "short_infusion").then(with_injections).otherwise(units)
    once = pl.col("role").is_in(["first_hour", "further_setup"])
    doubtful = pl.when(once).then(pl.min_horizontal(billed, pl.lit(1))).otherwise(billed)
    unread = pl.col("rows_refused").fill_null(False) & (pl.col("outcome") != "query")
    supported = (
        pl.when(pl.col("outcome").is_in(["refer", "refused"]))
        .then(doubtful)
        .when(unread)
        .then(pl.max_horizontal(units, doubtful))
        .when(pl.col("role") == OTHER_SERVICE)
        .then(billed)
        .otherwise(units)
    )
    return {"charted": units, "supported": supported}
