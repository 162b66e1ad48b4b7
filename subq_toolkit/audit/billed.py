"""What was billed: charges added up by encounter and code, and those that are not compared."""

import polars as pl

from subq_toolkit.audit.charted import ROLES
from subq_toolkit.audit.filing import same_payer
from subq_toolkit.effective import read_parameters, read_table

_CODES = read_parameters("codes")
_LISTS = read_table("audited_codes")
_OTHER, _SERVICES = (_LISTS[name]["codes"] for name in ("other_families", "other_services"))
OTHER_FAMILY, OTHER_SERVICE = "other_family", "other_service"
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
        .then(pl.lit("the chart holds intravenous rows, which this audit does not judge"))
        .when(beside & (~charted | ((role != "short_infusion") & ~pl.col("subcutaneous"))))
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
        ``billed_revenue``, ``days_off``, ``claim_ids`` and ``coder`` (all of them),
        ``charged_payer, charged_department``.
    """
    keys = [*by, "role", "code"]
    charges = _netted(charges, keys)
    money = ("charge_usd", "paid_usd")
    total = charges.group_by(keys).agg(
        lines=pl.len(),
        billed_units=pl.col("units").sum(),
        **{name: pl.col(name).sum().round(2) for name in money},
        **{f"_{name}": pl.col(name).count() for name in money},
        days_off=pl.col("days_off").max(),
        elsewhere=pl.col("elsewhere").any(),
        denied=(pl.col("status") == "denied").all(),
        billed_revenue=pl.col("revenue_code").min(),
        revenue_last=pl.col("revenue_code").max(),
        claim_ids=pl.col("claim_id").min(),
        charged_payer=pl.col("payer").min(),
        charged_department=pl.col("department").min(),
        coder=pl.col("coder").min(),
    )
    counted = ("billed_units", "units_once", "most_a_day")
    return (
        total.join(_line_by_line(charges, total, keys), on=keys, how="left", nulls_equal=True)
        .with_columns(
            *(pl.when(pl.col(f"_{name}") > 0).then(pl.col(name)).alias(name) for name in money),
            *(pl.coalesce(f"_{name}", "billed_units").alias(name) for name in counted),
            copies=pl.col("copies").fill_null(0),
            charged_payer=pl.coalesce("_payer", "charged_payer"),
            claim_ids=pl.coalesce("_claims", "claim_ids"),
            coder=pl.coalesce("_coders", "coder"),
        )
        .drop("_payer", "_claims", "_coders", *(f"_{name}" for name in (*money, *counted)))
    )


def _netted(charges: pl.LazyFrame, keys: list[str]) -> pl.LazyFrame:
    """Charges after credits: what a credit takes back on its day is not there any more.

    A credit takes from lines of its own day and revenue code; what is left of it counts below
    zero. Most extracts have few credits, so only codes with one are looked at.
    """
    credited = charges.filter(pl.col("units") < 0).select(keys).unique().collect()
    if credited.is_empty():
        return charges
    same = {"on": keys, "nulls_equal": True}
    line = [*dict.fromkeys([*keys, "service_date", "revenue_code"])]
    others = [
        name for name in charges.collect_schema().names() if name not in (*line, "units", "_row")
    ]
    money = [name for name in others if name.endswith("_usd")]
    summed = {name: pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()) for name in money}
    first = [summed[name].alias(name) if name in money else pl.first(name) for name in others]
    net = (
        charges.join(credited.lazy(), how="semi", **same)
        .sort("_row")
        .group_by(line, maintain_order=True)
        .agg(pl.col("units").sum(), pl.col("_row").min(), *first)
        .filter(pl.col("units") != 0)
    )
    rest = charges.join(credited.lazy(), how="anti", **same)
    return pl.concat([rest, net.select(charges.collect_schema().names())])


def _line_by_line(charges: pl.LazyFrame, total: pl.LazyFrame, keys: list[str]) -> pl.LazyFrame:
    """Copies, days and payers of the codes that stand on several lines; of one they are plain.

    What one payer after another was asked for was given once: the payer asked for most counts.
    """
    several = total.filter(pl.col("lines") > 1).select(keys)
    day = [*dict.fromkeys([*keys, "payer", "service_date"])]
    units, most = pl.col("units"), pl.col("_billed_units")
    rows = charges.join(several, on=keys, how="semi", nulls_equal=True)
    # A line that names no payer is one more line of whoever is named beside it.
    named_payer = same_payer(pl.col("payer"))
    beside = named_payer.drop_nulls().min().over(keys)
    rows = rows.with_columns(payer=pl.coalesce(named_payer, beside), _spelled="payer")
    by_payer = (
        rows.group_by(*day, "units", "modifiers")
        .agg(_alike=pl.len())
        .group_by(day)
        .agg(
            _day=(units * pl.col("_alike")).sum(),
            _units_once=units.sum(),
            copies=(pl.col("_alike") - 1).sum(),
        )
        .group_by([*keys, "payer"])
        .agg(
            pl.col("_units_once", "copies").sum(),
            _most_a_day=pl.col("_day").max(),
            _billed_units=pl.col("_day").sum(),
        )
    )
    asked = by_payer.sort(most, "payer", descending=[True, False], nulls_last=True)
    most_asked = asked.group_by(keys).agg(
        pl.col("_units_once", "copies", "_most_a_day", "_billed_units").first(),
        _payer=pl.col("payer").first(),
    )
    spelled = rows.group_by([*keys, "payer"]).agg(pl.col("_spelled").drop_nulls().min())
    most_asked = (
        most_asked.join(
            spelled, left_on=[*keys, "_payer"], right_on=[*keys, "payer"], how="left",
            nulls_equal=True,
        )
        .with_columns(_payer="_spelled")
        .drop("_spelled")
    )  # fmt: skip
    named = rows.group_by(keys).agg(_claims=_listed("claim_id"), _coders=_listed("coder"))
    return most_asked.join(named, on=keys, nulls_equal=True)


def _listed(name: str) -> pl.Expr:
    """Every name once, in order; null where there is none."""
    told = pl.col(name).drop_nulls().unique().sort()
    return pl.when(told.len() > 0).then(told.str.join(", "))
