"""How many encounters carry the fixed cost: table and specification of the chart."""

import polars as pl

from subq_toolkit.charts.break_even_marks import BEYOND, break_even_template, marks
from subq_toolkit.charts.layers import whole_ticks
from subq_toolkit.charts.look import chart_table, filled
from subq_toolkit.charts.money_words import (
    caption_of,
    cents,
    headed,
    money,
    money_axis,
    no_price,
    nothing_yet,
    sentences,
    tally,
    tally_axis,
    unpriced,
)
from subq_toolkit.charts.wording import amount

_LEAST_SHOWN = 10
_ROWS = {
    "kind": pl.String,
    "encounters": pl.Int64,
    "margin_usd": pl.Float64,
    "payment_usd": pl.Float64,
    "cost_usd": pl.Float64,
    "fixed_usd": pl.Float64,
    "units_without_price": pl.Float64,
    "says": pl.String,
}


def break_even_volume_table(
    found: pl.DataFrame | None,
    *,
    chair_usd_per_h: float,
    nurse_usd_per_h: float,
    setup_usd: float,
    fixed_usd: float,
    units_without_price: float = 0.0,
    caption: str = "",
) -> pl.DataFrame:
    """What the chart of break-even draws.

    Parameters
    ----------
    found
        The row that ``break_even`` returns.
    chair_usd_per_h, nurse_usd_per_h, setup_usd, fixed_usd
        The costs that were given to it. [USD/h], [USD]
    units_without_price
        How many units are not in the payment, for want of a price. [1]
    caption
        Where the numbers are from, e.g. what ``terms_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``start`` and ``end`` of the line; ``break even``, absent if no volume is
        enough; ``own``: the encounters at hand; ``each``: one encounter, ``says`` its cost in
        words; ``about``: the caption), ``encounters`` [1], ``margin_usd`` (of so many
        encounters), ``payment_usd, cost_usd`` (of ``each``), ``fixed_usd`` [USD],
        ``units_without_price`` [1], ``says``.
    """
    if found is None or found.is_empty():
        return pl.DataFrame(schema=_ROWS)
    row, fixed = chart_table(found).row(0, named=True), float(fixed_usd)
    volume, own, margin = row["break_even_encounters"], row["encounters"], row["margin_usd"]
    if volume and margin <= 0:  # less than half a cent is left of each
        margin = fixed / volume
    last = 2 * volume if volume else max(own, _LEAST_SHOWN)
    counts = {"start": 0, "end": last, "own": own} | (
        {} if volume is None else {"break even": volume}
    )
    rows: list[dict] = [
        {"kind": kind, "encounters": n, "margin_usd": margin * n, "fixed_usd": fixed}
        for kind, n in counts.items()
    ]
    each = {"kind": "each", "encounters": 1, "margin_usd": margin, "fixed_usd": fixed}
    paid = {"payment_usd": row["payment_usd"], "cost_usd": row["cost_usd"]}
    setups = row["setups_per_encounter"]
    hourly = float(chair_usd_per_h) + float(nurse_usd_per_h)
    says = (
        f"{amount(row['hours_per_encounter'], digits=3)} h at {money(hourly)}/h, "
        f"{amount(setups, digits=3)} set-up{'s' * (setups != 1)} at {money(setup_usd)}"
    )
    about = {"kind": "about", "units_without_price": units_without_price, "says": caption}
    return pl.DataFrame([*rows, each | paid | {"says": says}, about], schema=_ROWS, orient="row")


def break_even_volume_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``break_even_volume_table`` as a specification; cheap to make again."""
    one = {row["kind"]: row for row in table.rows(named=True)}
    if "each" not in one:
        empty = nothing_yet("No volume to draw yet", "State the costs of an encounter")
        return filled(break_even_template(), [], empty)
    each, last, caption = one["each"], one["end"]["encounters"], caption_of(table)
    without = one["about"]["units_without_price"] or 0.0
    if without and not each["payment_usd"]:
        return filled(break_even_template(), [], no_price(without, caption))
    ends = [0.0, each["fixed_usd"], one["end"]["margin_usd"]]
    low, high = _padded(min(ends), max(ends))
    changes = headed(_title(one), _qualifier(one), caption, _spoken(one)) | {
        "encoding/x/scale/domain": [0, last * BEYOND],
        "encoding/x/axis/labelExpr": tally_axis(last),
        "encoding/x/axis/values": whole_ticks(last, about=5),
        "encoding/y/scale/domain": [low, high],
        "encoding/y/axis/labelExpr": money_axis(low, high),
    }
    return filled(break_even_template(), marks(one), changes)


def _padded(low: float, high: float) -> tuple[float, float]:
    pad = 0.12 * (high - low) or 1.0
    return low - pad * (low < 0), high + pad


def _title(one: dict[str, dict]) -> str:
    each = one["each"]
    margin, fixed = each["margin_usd"], each["fixed_usd"]
    if "break even" not in one:
        lost = f"each encounter loses {money(-margin)}" if margin < 0 else "an encounter leaves $0"
        return f"No volume is enough: {lost}"
    volume = one["break even"]["encounters"]
    if not volume:
        return f"There is no fixed cost to carry; each encounter leaves {money(margin)}"
    carry = f"{tally(volume)} encounter{'s carry' if volume != 1 else ' carries'}"
    own = one["own"]["encounters"]
    return f"{carry} the fixed cost of {money(fixed)}; we have {tally(own)}"


def _qualifier(one: dict[str, dict]) -> str:
    each = one["each"]
    made = f"{money(each['payment_usd'])} paid less {money(each['cost_usd'])} cost an encounter"
    return sentences(f"{made} ({each['says']})", unpriced(one["about"]["units_without_price"] or 0))


def _spoken(one: dict[str, dict]) -> str:
    each, own = one["each"], one["own"]
    told = [
        f"margin of an encounter {cents(each['margin_usd'])}",
        f"fixed cost {cents(each['fixed_usd'])}",
        f"margin of our {own['encounters']:,} encounters {cents(own['margin_usd'])}",
    ]
    if at := one.get("break even"):
        told.append(f"break-even at {at['encounters']:,} encounters")
    return "; ".join(told)
