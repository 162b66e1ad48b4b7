"""How sure a scenario's total is: a histogram of its draws; its table, and the specification."""

from functools import cache
from math import ceil

import altair as alt
import numpy as np
import polars as pl

from subq_toolkit.charts.layers import MOST_TICKS, TIP, haloed, of, scale_x, scale_y, whole_ticks
from subq_toolkit.charts.look import BLUE, INK, VERMILLION, filled, template
from subq_toolkit.charts.money_words import (
    caption_of,
    cents,
    headed,
    money,
    money_axis,
    no_price,
    nothing_yet,
    percent,
    sentences,
    unpriced,
)
from subq_toolkit.charts.wording import amount, count, text_px
from subq_toolkit.scenarios import Simulation

_WIDTH_PX, _HEIGHT_PX, _PLOT_PX = 460, 260, 395
_MOST_BINS, _LEAST_BINS, _SAME_USD = 60, 12, 0.005
#: Where the box of percentiles, their labels and the expectation's label stand, in bars' heights.
_BOX, _TOP, _EXACT = 1.22, 1.6, 1.09
_LABELLED = (5.0, 50.0, 95.0)
_ROWS = {
    "kind": pl.String,
    "from_usd": pl.Float64,
    "to_usd": pl.Float64,
    "draws": pl.Int64,
    "percentile": pl.Float64,
    "encounters": pl.Int64,
    "seed": pl.String,
    "units_without_price": pl.Float64,
    "says": pl.String,
}


def payment_distribution_table(
    simulation: Simulation | None, *, units_without_price: float = 0.0, caption: str = ""
) -> pl.DataFrame:
    """What the chart of a simulation draws: at most 60 bins, never single draws.

    Parameters
    ----------
    simulation
        What ``simulate`` returns.
    units_without_price
        How many units are not in the total, for want of a price. [1]
    caption
        Where the numbers are from, e.g. what ``terms_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``bin``; ``percentile``; ``exact``: the expectation without simulation;
        ``mean``: of the draws; ``about``: the caption), ``from_usd, to_usd`` (of a bin; both
        the amount otherwise) [USD], ``draws`` (in the bin, or all) [1], ``percentile`` [%],
        ``encounters`` (that were resampled) [1], ``seed``, ``units_without_price`` [1],
        ``says``.
    """
    if simulation is None:
        return pl.DataFrame(schema=_ROWS)
    totals = simulation.totals_usd
    rows: list[dict] = [{"kind": "bin"} | one for one in _bins(totals)]
    rows += [
        {"kind": "percentile", "percentile": share, "from_usd": usd, "to_usd": usd}
        for share, usd in simulation.percentiles().rows()
    ]
    for kind, usd in (("exact", simulation.exact_usd), ("mean", simulation.mean_usd)):
        rows.append({"kind": kind, "from_usd": usd, "to_usd": usd})
    about = {"kind": "about", "draws": len(totals), "encounters": simulation.encounters}
    about |= {"seed": str(simulation.seed), "units_without_price": units_without_price}
    return pl.DataFrame([*rows, about | {"says": caption}], schema=_ROWS, orient="row")


def _bins(totals: np.ndarray) -> list[dict]:
    """The draws counted in equal bins; a single one where all are the same."""
    least, most = float(totals.min()), float(totals.max())
    if most - least <= 1e-9 * max(abs(most), 1.0):
        return [{"from_usd": least, "to_usd": most, "draws": len(totals)}]
    number = min(max(2 * ceil(len(totals) ** (1 / 3)), _LEAST_BINS), _MOST_BINS)
    counts, edges = np.histogram(totals, bins=number)
    return [
        {"from_usd": float(a), "to_usd": float(b), "draws": int(n)}
        for a, b, n in zip(edges, edges[1:], counts, strict=False)
    ]


def payment_distribution_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``payment_distribution_table`` as a specification; cheap to make again."""
    rows = table.rows(named=True)
    bins = [row for row in rows if row["kind"] == "bin"]
    if not bins:
        empty = nothing_yet("No distribution to draw yet", "Simulate a scenario, with a seed")
        return filled(_template(), [], empty)
    at = {row["percentile"]: row["from_usd"] for row in rows if row["kind"] == "percentile"}
    one = {row["kind"]: row for row in rows if row["kind"] in ("exact", "mean", "about")}
    exact, about, caption = one["exact"]["from_usd"], one["about"], caption_of(table)
    if about["units_without_price"] and not exact and not any(at.values()):
        return filled(_template(), [], no_price(about["units_without_price"], caption))
    several, shown = len(bins) > 1, _shown(bins, exact)
    low, high = _view(shown, exact)
    top = max(row["draws"] for row in bins)
    spoken = _spoken(at, exact, one["mean"]["from_usd"], bins)
    qualifier = _qualifier(about, "band: 5 to 95 %" * several)
    changes = headed(_title(at, exact), qualifier, caption, spoken) | {
        "encoding/x/scale/domain": [low, high],
        "encoding/x/axis/labelExpr": money_axis(low, high),
        "encoding/y/scale/domain": [0, _TOP * top],
        "encoding/y/axis/values": whole_ticks(top, about=3),
    }
    px_per_usd = _PLOT_PX / (high - low)
    box = _box(at, top, px_per_usd) if several else []
    told = money(exact, apart=at[95.0] - at[5.0])
    marks = [*box, _exact(exact, told, top, (high - exact) * px_per_usd)]
    return filled(_template(), [*map(_bar, shown), *marks], changes)


def _shown(bins: list[dict], exact: float) -> list[dict]:
    """The bins; a single one, where all draws are the same, with some width to be seen."""
    if len(bins) > 1:
        return bins
    at = bins[0]["from_usd"]
    half = max(abs(exact - at), abs(exact) * 0.02, 1.0) / 4
    return [bins[0] | {"from_usd": at - half, "to_usd": at + half}]


def _view(bins: list[dict], exact: float) -> tuple[float, float]:
    low, high = min(exact, bins[0]["from_usd"]), max(exact, bins[-1]["to_usd"])
    pad = 0.04 * (high - low)
    return low - pad, high + pad


def _title(at: dict[float, float], exact: float) -> str:
    low, high = at[5.0], at[95.0]
    if round(high - low, 2) == 0:
        same = abs(at[50.0] - exact) < _SAME_USD
        told = "the same in every draw" if same else f"every draw comes to {money(at[50.0])}"
        return f"Expected {money(exact)}, {told}"
    ends = " to ".join(money(one, apart=high - low) for one in (low, high))
    return f"Expected {money(exact, apart=high - low)}; 9 of 10 draws within {ends}"


def _qualifier(about: dict, band: str) -> str:
    n = about["encounters"]
    made = f"{count(about['draws'], 'draw')} of {count(n, 'encounter')}, seed {about['seed']}"
    few = "one encounter says nothing of the spread" if n == 1 else band
    return sentences(made, few, unpriced(about["units_without_price"] or 0))


def _spoken(at: dict[float, float], exact: float, mean: float, bins: list[dict]) -> str:
    told = ", ".join(f"{amount(share)} %: {cents(usd)}" for share, usd in at.items())
    off = f", {percent(mean / exact - 1)} from it" if exact else ""
    fullest = max(bins, key=lambda row: row["draws"])
    return (
        f"exact expectation {cents(exact)}; mean of the draws {cents(mean)}{off}; "
        f"percentiles {told}; most draws in a bin: {_bar(fullest)['tip']}"
    )


def _bar(row: dict) -> dict:
    tip = f"{row['draws']:,} draws from {cents(row['from_usd'])} to {cents(row['to_usd'])}"
    place = {"x": row["from_usd"], "x2": row["to_usd"], "y": 0, "y2": row["draws"]}
    return {"kind": "bin", "tip": tip} | place


def _box(at: dict[float, float], top: int, px_per_usd: float) -> list[dict]:
    """The band over all heights, and above the bars the percentiles as a box with labels."""
    y, drawn = _BOX * top, []
    drawn.append({"kind": "band", "x": at[5.0], "x2": at[95.0], "y": 0, "y2": y})
    told = "; ".join(f"{amount(share)} %: {cents(usd)}" for share, usd in at.items())
    for kind, low, high in (("thin", 2.5, 97.5), ("thick", 5.0, 95.0), ("box", 25.0, 75.0)):
        drawn.append({"kind": kind, "x": at[low], "x2": at[high], "y": y, "tip": told})
    drawn.append({"kind": "median", "x": at[50.0], "y": y})
    spread = at[95.0] - at[5.0]
    labels = {share: money(at[share], apart=spread) for share in _LABELLED}
    wide = max(map(text_px, labels.values())) + 10
    near = min(at[50.0] - at[5.0], at[95.0] - at[50.0]) * px_per_usd
    for share, label in labels.items():
        if share != 50.0 and near < wide / 2:
            continue
        side = "center" if near >= wide else {5.0: "right", 95.0: "left"}.get(share, "center")
        words = {"label": f"{amount(share)} %", "usd": label, "side": side}
        drawn.append({"kind": "percentile", "x": at[share], "y": y} | words)
    return drawn


def _exact(exact: float, told: str, top: int, room_px: float) -> dict:
    """The exact expectation as a line, its label just above the bars."""
    label = f"exact {told}"
    side = "left" if room_px > text_px(label) + 12 else "right"
    place = {"x": exact, "y": 0, "y2": (_BOX - 0.06) * top, "at": _EXACT * top}
    return {"kind": "exact", "label": label, "side": side} | place


@cache
def _template() -> dict:
    bars = of("bin").mark_rect(fill=BLUE, opacity=0.85, stroke="#ffffff", strokeWidth=0.5)
    band = of("band").mark_rect(fill=BLUE, opacity=0.12).encode(x2="x2", y2="y2")
    lines = [
        of(kind).mark_rule(stroke=INK, strokeWidth=wide).encode(x2="x2", tooltip=TIP)
        for kind, wide in (("thin", 1.2), ("thick", 3), ("box", 9))
    ]
    median = of("median").mark_tick(
        orient="vertical", thickness=3, size=16, color="#ffffff", opacity=1
    )
    exact = of("exact").mark_rule(stroke=VERMILLION, strokeWidth=2.5, strokeDash=[6, 4])
    side = {
        "align": alt.ExprRef("datum.side"),
        "baseline": "middle",
        "dx": alt.ExprRef("({left: 6, right: -6, center: 0})[datum.side]"),
    }
    percentiles = of("percentile")
    level = {"align": alt.ExprRef("datum.side"), "baseline": "bottom"}
    told = haloed(of("exact"), **side, fontWeight=600)
    chart = alt.layer(
        band,
        bars.encode(x2="x2", y2="y2", tooltip=TIP),
        exact.encode(y2="y2"),
        *lines,
        median,
        *(text.encode(y="at:Q") for text in told),
        *haloed(percentiles, dy=-24, fontWeight=600, **level),
        *haloed(percentiles, label="usd", dy=-9, **level),
    ).encode(
        x=scale_x("Total payment [USD]", grid=False),
        y=scale_y("Draws [1]", format=",d", tickCount=MOST_TICKS),
    )
    return template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
