"""Scenarios side by side, and the bridge from one to another that adds up to the cent."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.fees import FeeTables
from subq_toolkit.fees.money import USD
from subq_toolkit.scenarios.expected import all_usd, expected
from subq_toolkit.scenarios.minute_summary import MinuteSummary
from subq_toolkit.scenarios.rate_cards import ROLES
from subq_toolkit.scenarios.scenario import Scenario, check_kinds

TOTAL = "total"


def compare(
    summary: MinuteSummary,
    scenarios: Sequence[Scenario],
    *,
    by: Sequence[str] = (),
    tables: FeeTables | None = None,
) -> pl.DataFrame:
    """Expected units and payment per code and in total, with differences to the first scenario.

    Parameters
    ----------
    summary
        What ``minute_summary`` made.
    scenarios
        The terms to compare, the baseline first; their names differ.
    by
        Columns of the summary to keep apart.
    tables
        The dated figures; the bundled ones by default.

    Returns
    -------
    pl.DataFrame
        ``scenario``, ``by``, ``code`` (``total`` for their sum), ``role``, ``units`` [1],
        ``expected_usd`` [USD] (null where no unit has a known price), ``difference_usd`` [USD]
        (null where either amount is), ``units_without_price`` [1]: where these differ from the
        first scenario's, the difference is not like for like. Each scenario has the same rows.

    Raises
    ------
    InputError
        If there is no scenario, or two have the same name.
    """
    scenarios = [scenarios] if isinstance(scenarios, Scenario) else list(scenarios)
    check_kinds(summary, *scenarios)
    names = [one.name for one in scenarios]
    if not names or len(set(names)) < len(names):
        raise InputError("compare needs at least one scenario, each with a name of its own.")
    parts = [_with_total(expected(summary, one, by=by, tables=tables), by) for one in scenarios]
    together, keys = pl.concat(parts), [*by, "code"]
    order = pl.col("role").cast(pl.Enum(ROLES))
    rows = together.select(*keys, "role").unique().sort(*by, order, "code", nulls_last=True)
    grid = pl.DataFrame({"scenario": names}).join(rows, how="cross")
    table = grid.join(
        together.drop("role"), on=["scenario", *keys], how="left", nulls_equal=True,
        maintain_order="left",
    )  # fmt: skip
    absent = pl.col("units").is_null()
    table = table.with_columns(
        expected_usd=pl.when(absent).then(pl.lit(0, USD)).otherwise("expected_usd"),
        units=pl.col("units").fill_null(0.0),
        units_without_price=pl.col("units_without_price").fill_null(0.0),
    )
    base = table.filter(pl.col("scenario") == names[0]).select(*keys, _base="expected_usd")
    table = table.join(base, on=keys, how="left", nulls_equal=True, maintain_order="left")
    difference = (pl.col("expected_usd") - pl.col("_base")).cast(USD)
    return table.with_columns(difference_usd=difference).select(
        "scenario", *keys, "role", "units", "expected_usd", "difference_usd",
        "units_without_price",
    )  # fmt: skip


def _with_total(cells: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    sums = cells.group_by("scenario", *by, maintain_order=True).agg(
        pl.col("units", "units_without_price").sum(), all_usd("expected_usd")
    )
    total = sums.with_columns(code=pl.lit(TOTAL), role=pl.lit(None, pl.String))
    return pl.concat([cells, total.select(cells.columns).cast(cells.schema)])


def total_usd(
    summary: MinuteSummary, scenario: Scenario, *, tables: FeeTables | None = None
) -> object:
    """What a scenario comes to, over all codes. [USD]

    Raises
    ------
    InputError
        If there are units, and no price is known for any of them.
    """
    total = expected(summary, scenario, tables=tables).select(all_usd("expected_usd")).item()
    if total is None:
        raise InputError(
            f"Scenario {scenario.name!r}: no price is known for any of its units. State the terms "
            f"of the place, or another day with 'on'; rate_card says what is missing."
        )
    return total


def bridge(
    summary: MinuteSummary,
    start: Scenario,
    end: Scenario,
    *,
    tables: FeeTables | None = None,
) -> pl.DataFrame:
    """Lead from one scenario to another, one changed term at a time, in the order of the fields.

    What a step is worth depends on the steps before it; the steps add up to the whole.

    Parameters
    ----------
    summary
        What ``minute_summary`` made.
    start, end
        The two scenarios.
    tables
        The dated figures; the bundled ones by default.

    Returns
    -------
    pl.DataFrame
        ``step`` (the name of ``start``, each field that differs, the name of ``end``),
        ``change_usd`` (null at both ends), ``total_usd`` (after the step) [USD] and
        ``units_without_price`` (after it) [1]: a step that changes these loses or finds prices,
        and its amount is no gain or loss of the work.

    Raises
    ------
    InputError
        If at some step no price is known for any unit.
    """
    check_kinds(summary, start, end)
    rows = [(start.name, None, *_total(summary, start, tables))]
    now = replace(start, name=end.name)
    for field, value in start.differences(end).items():
        now = replace(now, **{field: value})
        total, without = _total(summary, now, tables)
        rows.append((field, total - rows[-1][2], total, without))
    rows.append((end.name, None, *rows[-1][2:]))
    schema = {"step": pl.String, "change_usd": USD, "total_usd": USD}
    schema |= {"units_without_price": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _total(summary: MinuteSummary, scenario: Scenario, tables: FeeTables | None) -> tuple:
    cells = expected(summary, scenario, tables=tables)
    total = total_usd(summary, scenario, tables=tables)
    return total, round(cells["units_without_price"].sum(), 9)
