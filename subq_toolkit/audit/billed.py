"""What was billed: charges added up by encounter and code, and those that are not compared."""

from collections.abc import Callable

import polars as pl

from subq_toolkit.audit.charted import ROLES
from subq_toolkit.audit.credits import with_payer
from subq_toolkit.effective import read_parameters, read_table

_CODES = read_parameters("codes")
_LISTS = read_table("audited_codes")
_OTHER, _SERVICES = (_LISTS[name]["codes"] for name in ("other_families", "other_services"))
_SEPARATE = rf"\b({'|'.join(_LISTS['separate_modifiers']['codes'])})\b"
OTHER_FAMILY, OTHER_SERVICE = "other_family", "other_service"
#: Why codes into a vein are set aside beside charted intravenous rows.
INTRAVENOUS = "the chart holds intravenous rows, which this audit does not judge"
#: Numbers instead of text where rows are grouped and joined.
ROLE = pl.Enum([*ROLES, OTHER_FAMILY, OTHER_SERVICE])
CODE = pl.Enum([*(one.value for role in ROLES for one in _CODES[role].values), *_OTHER, *_SERVICES])


def role_of(code: pl.Expr, day: pl.Expr) -> pl.Expr:
    """The role of a code on a day, or null.

    ``other_family`` stands in the place of a subcutaneous infusion, ``other_service`` may.
    """
    role = pl.when(code.is_in(_OTHER)).then(pl.lit(OTHER_FAMILY))
    role = role.when(code.is_in(_SERVICES)).then(pl.lit(OTHER_SERVICE))
    for name in ROLES:
        role = role.when(code == _CODES[name].expr(day)).then(pl.lit(name))
    return role.otherwise(pl.lit(None, pl.String)).cast(ROLE)


def set_aside(charges: pl.LazyFrame) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Split linked charges into those that are compared and those that are not.

    Returns
    -------
    tuple of pl.LazyFrame
        The first with ``role``; the second with ``set_aside_because``, the reason in words.
    """
    role, charted = pl.col("role"), pl.col("_n").is_not_null()
    beside = role.is_in([OTHER_FAMILY, OTHER_SERVICE, "short_infusion"])
    because = (
        pl.when(role.is_null())
        .then(pl.lit("no code of a subcutaneous infusion, nor one that stands in its place"))
        .when(pl.col("units") == 0)
        .then(pl.lit("no units"))
        .when((role == OTHER_FAMILY) & charted & (pl.col("intravenous") > 0))
        .then(pl.lit(INTRAVENOUS))
        .when(beside & (~charted | ((role != "short_infusion") & ~pl.col("subcutaneous"))))
        .then(pl.lit("nothing in the chart says that it was a subcutaneous infusion"))
        .when(~charted & (pl.col("net_units") <= 0))
        .then(pl.lit("taken back, or a credit, and nothing is charted on that day"))
    )
    marked = charges.with_columns(role=role_of(pl.col("code"), pl.col("service_date")))
    marked = marked.with_columns(set_aside_because=because)
    aside = pl.col("set_aside_because").is_not_null()
    return (
        marked.filter(~aside).drop("set_aside_because"),
        marked.filter(aside).drop("role"),
    )


def billed_by_code(charges: pl.LazyFrame, by: list[str]) -> pl.LazyFrame:
    """Units billed by ``by`` (``_n`` or the charge's own encounter and day), role and code.

    Returns
    -------
    pl.LazyFrame
        ``live_units`` and ``denied_units`` [1], ``units_once`` (copies counted once),
        ``most_a_day``, ``other_payer_units`` and ``other_payer_denied`` (asked of other payers,
        not added up), ``credit_units`` (that found nothing to take back), ``lines`` and
        ``copies`` [1], ``charge_usd`` (of the payer that counts) and ``paid_usd`` (of all) [USD];
        of the lines that count first and last ``billed_revenue``, ``days_off``, ``misplaced`` and
        ``later_day`` (see ``service_days``); ``separate`` (a modifier says so), ``claim_ids``
        and ``coder`` (all of them), ``charged_payer, charged_department``.
    """
    keys = [*by, "role", "code"]
    left, denied = pl.col("net_units"), pl.col("denied")
    live = (left > 0) & ~denied
    money = ("charge_usd", "paid_usd")

    def of_counted(pick: Callable[[pl.Expr], pl.Expr], name: str) -> pl.Expr:
        """Of the lines that stand; denied ones say where and when only if none does."""
        standing, any_left = (pick(pl.col(name).filter(rows)) for rows in (live, left > 0))
        return pl.when(live.any()).then(standing).otherwise(any_left)

    first, last, any_of = pl.Expr.min, pl.Expr.max, pl.Expr.any
    total = charges.group_by(keys).agg(
        lines=(left > 0).sum(),
        live_units=left.filter(live).sum(),
        denied_units=left.filter(denied & (left > 0)).sum(),
        credit_units=-left.filter(left < 0).sum(),
        **{name: pl.col(name).sum().round(2) for name in money},
        **{f"_{name}": pl.col(name).count() for name in money},
        days_off=of_counted(last, "days_off"),
        misplaced=of_counted(any_of, "misplaced"),
        later_day=of_counted(any_of, "later_day"),
        billed_revenue=of_counted(first, "revenue_code"),
        revenue_last=of_counted(last, "revenue_code"),
        separate=pl.col("modifiers").str.contains(_SEPARATE).any(),
        elsewhere=pl.col("elsewhere").any(),
        denied_yet_paid=pl.col("denied_yet_paid").any(),
        claim_ids=pl.col("claim_id").min(),
        charged_payer=pl.col("payer").min(),
        charged_department=pl.col("department").min(),
        coder=pl.col("coder").min(),
    )
    plain = {
        "live_units": "live_units",
        "denied_units": "denied_units",
        "units_once": "live_units",
        "most_a_day": "live_units",
    }
    beside = ("copies", "other_payer_units", "other_payer_denied")
    return (
        total.join(_line_by_line(charges, total, keys), on=keys, how="left", nulls_equal=True)
        .with_columns(charge_usd=pl.coalesce("_asked_usd", "charge_usd"))
        .with_columns(
            *(pl.when(pl.col(f"_{name}") > 0).then(pl.col(name)).alias(name) for name in money),
            *(pl.coalesce(f"_{name}", one).alias(name) for name, one in plain.items()),
            pl.col(beside).fill_null(0),
            charged_payer=pl.coalesce("_spelled", "charged_payer"),
            claim_ids=pl.coalesce("_claims", "claim_ids"),
            coder=pl.coalesce("_coders", "coder"),
        )
        .drop("_spelled", "_claims", "_coders", "_asked_usd")
        .drop(f"_{name}" for name in (*money, *plain))
    )


def _line_by_line(charges: pl.LazyFrame, total: pl.LazyFrame, keys: list[str]) -> pl.LazyFrame:
    """Copies, days and payers of the codes that stand on several lines; of one they are plain.

    What one payer after another was asked for was given once: the payer asked for most counts,
    the first of those asked for as much.
    """
    several = total.filter(pl.col("lines") + (pl.col("credit_units") > 0) > 1).select(keys)
    day = [*dict.fromkeys([*keys, "_payer", "service_date"])]
    units, denied = pl.col("net_units"), pl.col("denied")
    rows = charges.join(several, on=keys, how="semi", nulls_equal=True)
    rows = with_payer(rows, keys)
    all_of_it = units * pl.col("_alike")
    by_payer = (
        rows.group_by(*day, "net_units", "modifiers", "denied")
        .agg(
            pl.col("_row").min(),
            _alike=pl.len(),
            _asked_usd=pl.col("charge_usd").sum(),
            _spelled=pl.col("payer").drop_nulls().min(),
        )
        .with_columns(net_units=pl.col("net_units").clip(0))
        .group_by(day)
        .agg(
            pl.col("_row", "_spelled").min(),
            pl.col("_asked_usd").sum(),
            _most_a_day=all_of_it.filter(~denied).sum(),
            _denied_units=all_of_it.filter(denied).sum(),
            _units_once=units.filter(~denied).sum(),
            copies=(pl.col("_alike") - 1).filter(~denied & (units > 0)).sum(),
        )
        .group_by([*keys, "_payer"])
        .agg(
            pl.col("_row", "_spelled").min(),
            pl.col("_units_once", "copies", "_asked_usd", "_denied_units").sum(),
            pl.col("_most_a_day").max(),
            _live_units=pl.col("_most_a_day").sum(),
        )
    )
    most = ["_live_units", "_denied_units"]
    asked = by_payer.sort(*most, "_row", descending=[True, True, False])
    counted = asked.group_by(keys, maintain_order=True).agg(
        pl.col("_units_once", "copies", "_most_a_day", *most, "_spelled").first(),
        pl.col("_asked_usd").first().round(2),
        other_payer_units=pl.col("_live_units").slice(1).sum(),
        other_payer_denied=pl.col("_denied_units").slice(1).sum(),
    )
    named = rows.group_by(keys).agg(_claims=_listed("claim_id"), _coders=_listed("coder"))
    return counted.join(named, on=keys, nulls_equal=True)


def _listed(name: str) -> pl.Expr:
    """Every name once, in order; null where there is none."""
    told = pl.col(name).drop_nulls().unique().sort()
    return pl.when(told.len() > 0).then(told.str.join(", "))
