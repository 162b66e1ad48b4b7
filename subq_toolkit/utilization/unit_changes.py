"""What moved the units of a month: more encounters, better charting, or more units in each."""

from datetime import date
from fractions import Fraction

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.scenarios import MinuteSummary
from subq_toolkit.scenarios.scenario import check_kinds
from subq_toolkit.units import unit_columns
from subq_toolkit.utilization.coded_units import CODES, check_code, infused

#: The three parts of a change, in the order in which they multiply.
FACTORS = ("volume", "documentation", "duration")
_DIGITS = 6
_ROWS = {
    "month": pl.Date,
    "encounters": pl.Int64,
    "coded": pl.Int64,
    "units": pl.Int64,
    "change": pl.Int64,
    **dict.fromkeys(FACTORS, pl.Float64),
}


def unit_changes(summary: MinuteSummary, *, code: str | None = None) -> pl.DataFrame:
    """Split the change of units from month to month into volume, documentation and duration.

    Parameters
    ----------
    summary
        What ``minute_summary`` made, with ``month`` kept apart.
    code
        One of the four codes; None for the units of all of them.

    Returns
    -------
    pl.DataFrame
        ``month`` (its first day; every month from the first to the last), ``encounters`` [1],
        ``coded`` (with an infusion that ran) [1], ``units`` [1], ``change`` to the month before
        [1], and its parts ``volume`` (number of encounters), ``documentation`` (share of them
        that is coded), ``duration`` (units of a coded one) [1]. Null in the first month.

    Raises
    ------
    InputError
        If this is no summary, it does not keep ``month`` apart, or the code is unknown.

    Notes
    -----
    Units are encounters × share coded × units per coded encounter, and each part is what the
    units change by when that factor alone goes from the month before to this one, averaged over
    the six orders in which the three can change. This is the Shapley value of the factors: the
    parts add up to the change, with no remainder, and do not depend on an order (Shapley 1953;
    Shorrocks 2013, Journal of Economic Inequality, as the R package ``shapley`` cites them; de
    Boer and Rodrigues 2019, https://doi.org/10.1080/09535314.2019.1652571, review this family
    of methods beside the logarithmic-mean one, of which only the abstract was read). That units
    are looked at by these three factors is a convention of ours.

    ``duration`` is named after what moves it most; further set-ups and short infusions are in
    it, too. What a factor cannot be in a month, it is as in the other month of the pair: the
    share coded where there is no encounter, the units of a coded encounter where none is coded.
    So a month without encounters is a matter of volume alone, and one of which nothing is coded
    of volume and documentation.

    Encounters are coded, waiting or referred ones. Left out are those coded without any
    subcutaneous run, those without a date, and those of which every row was refused.
    """
    check_kinds(summary)
    if "month" not in summary.by or summary.counts.schema["month"] != pl.Date:
        raise InputError(
            "The summary keeps no 'month' of service (a date) apart. Make it with "
            "minute_summary(coded, by=['month']); rename a column of yours that has this name."
        )
    if code is not None:
        check_code(code)
    months = _by_month(summary, [code] if code else list(CODES))
    rows: list[tuple] = []
    for at, (month, *now) in enumerate(months):
        if at == 0:
            rows.append((month, *now, *(None,) * 4))
            continue
        before = months[at - 1][1:]
        rows.append((month, *now, now[2] - before[2], *_parts(before, now)))
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def _by_month(summary: MinuteSummary, codes: list[str]) -> list[tuple[date, int, int, int]]:
    """Encounters, coded ones and units of each month, also of those in between without any."""
    units = unit_columns(summary.policy)
    count, all_units = pl.col("encounters"), pl.sum_horizontal(units[CODES[one]] for one in codes)
    nothing = (pl.col("outcome") == "coded") & pl.col("minutes").is_null()
    found = (
        summary.only("month")
        .counts.filter(pl.col("month").is_not_null(), ~nothing)
        .group_by("month")
        .agg(
            count.sum(),
            coded=count.filter(infused()).sum(),
            units=(all_units * count).filter(infused()).sum(),
        )
        .sort("month")
    )
    if found.is_empty():
        return []
    every = found.select(pl.date_range(pl.col("month").min(), pl.col("month").max(), "1mo"))
    table = every.join(found, on="month", how="left", maintain_order="left")
    return table.with_columns(pl.exclude("month").fill_null(0)).rows()


def _parts(before: tuple[int, ...], now: tuple[int, ...]) -> tuple[float, float, float]:
    """The three parts of a change of encounters × share coded × units each, exact to 1e-6."""
    (n0, c0, u0), (n1, c1, u1) = before, now
    share0, share1 = _pair((c0, n0), (c1, n1))
    each0, each1 = _pair((u0, c0), (u1, c1))
    volume = (n1 - n0) * _weight(share0, share1, each0, each1)
    documentation = (share1 - share0) * _weight(Fraction(n0), Fraction(n1), each0, each1)
    first, second = (round(float(part), _DIGITS) for part in (volume, documentation))
    return first, second, round(u1 - u0 - first - second, _DIGITS)


def _pair(before: tuple[int, int], now: tuple[int, int]) -> tuple[Fraction, Fraction]:
    """A ratio in two months; where it has no meaning in one, as in the other."""
    first, second = (Fraction(*pair) if pair[1] else None for pair in (before, now))
    known = first if first is not None else second
    usual = known if known is not None else Fraction(0)
    return usual if first is None else first, usual if second is None else second


def _weight(a0: Fraction, a1: Fraction, b0: Fraction, b1: Fraction) -> Fraction:
    """The mean, over the six orders, of what the two other factors are when this one changes."""
    return (a0 * b0 + a1 * b1) / 3 + (a0 * b1 + a1 * b0) / 6
