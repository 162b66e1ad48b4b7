"""What was billed: charges added up by encounter and code, and those that are not compared."""

import polars as pl

from subq_toolkit.audit.charted import ROLES
from subq_toolkit.effective import read_parameters, read_table

_CODES = read_parameters("codes")
_OTHER = read_table("audited_codes")["other_families"]["codes"]
OTHER_FAMILY = "other_family"
#: Numbers instead of text where rows are grouped and joined.
ROLE = pl.Enum([*ROLES, OTHER_FAMILY])
CODE = pl.Enum([*(one.value for role in ROLES for one in _CODES[role].values), *_OTHER])


def role_of(code: pl.Expr, day: pl.Expr) -> pl.Expr:
    """The role of a code on a day, ``other_family`` for one that stands in its place, or null."""
    role = pl.when(code.is_in(_OTHER)).then(pl.lit(OTHER_FAMILY))
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
    because = (
        pl.when(role.is_null())
        .then(pl.lit("no code of a subcutaneous infusion, nor one that stands in its place"))
        .when((role == OTHER_FAMILY) & charted & (pl.col("intravenous") > 0))
        .then(pl.lit("the chart holds intravenous rows, which this audit does not judge"))
        .when(role.is_in([OTHER_FAMILY, "short_infusion"]) & ~charted)
        .then(pl.lit("nothing in the chart says that it was a subcutaneous infusion"))
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
        ``billed_units`` [1], ``units_once`` (copies counted once), ``most_a_day`` [1],
        ``lines`` and ``copies`` [1], ``charge_usd, paid_usd`` [USD], first and last
        ``billed_revenue``, ``days_off``, ``claim_ids``, ``charged_payer, charged_department,
        coder``.
    """
    keys = [*by, "role", "code"]
    money = ("charge_usd", "paid_usd")
    claim, last = pl.col("claim_id").min(), pl.col("claim_id").max()
    total = charges.group_by(keys).agg(
        lines=pl.len(),
        billed_units=pl.col("units").sum(),
        **{name: pl.col(name).sum().round(2) for name in money},
        **{f"_{name}": pl.col(name).count() for name in money},
        days_off=pl.col("days_off").max(),
        elsewhere=pl.col("elsewhere").any(),
        billed_revenue=pl.col("revenue_code").min(),
        revenue_last=pl.col("revenue_code").max(),
        claim_ids=claim,
        _claim_last=last,
        charged_payer=pl.col("payer").min(),
        charged_department=pl.col("department").min(),
        coder=pl.col("coder").min(),
    )
    several = pl.col("claim_ids") != pl.col("_claim_last")
    both = pl.concat_str("claim_ids", pl.lit(", "), "_claim_last")
    return (
        total.join(_line_by_line(charges, total, keys), on=keys, how="left", nulls_equal=True)
        .with_columns(
            *(pl.when(pl.col(f"_{name}") > 0).then(pl.col(name)).alias(name) for name in money),
            units_once=pl.coalesce("units_once", "billed_units"),
            most_a_day=pl.coalesce("most_a_day", "billed_units"),
            copies=pl.col("copies").fill_null(0),
            claim_ids=pl.when(several).then(both).otherwise("claim_ids"),
        )
        .drop("_claim_last", *(f"_{name}" for name in money))
    )


def _line_by_line(charges: pl.LazyFrame, total: pl.LazyFrame, keys: list[str]) -> pl.LazyFrame:
    """Copies and days of the codes that stand on several lines; of one line they are plain."""
    several = total.filter(pl.col("lines") > 1).select(keys)
    day = [*dict.fromkeys([*keys, "service_date"])]
    return (
        charges.join(several, on=keys, how="semi", nulls_equal=True)
        .group_by(*day, "units", "modifiers")
        .agg(_alike=pl.len())
        .group_by(day)
        .agg(
            _day=(pl.col("units") * pl.col("_alike")).sum(),
            units_once=pl.col("units").sum(),
            copies=(pl.col("_alike") - 1).sum(),
        )
        .group_by(keys)
        .agg(pl.col("units_once", "copies").sum(), most_a_day=pl.col("_day").max())
    )
