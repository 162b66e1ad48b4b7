"""What each scenario pays, by code, against the first: its table, and the specification."""

from itertools import groupby

import polars as pl

from subq_toolkit.charts.look import chart_table, filled
from subq_toolkit.charts.money_words import (
    caption_of,
    cents,
    change,
    headed,
    money,
    money_axis,
    named,
    nothing_yet,
    plain,
    sentences,
    unit_count,
    unpriced,
)
from subq_toolkit.charts.scenario_bars import (
    BAR_PX,
    KEY_PX,
    PLOT_PX,
    bars_template,
    inks,
    key_rows,
)
from subq_toolkit.charts.wording import amount, shortened, text_px

_LANE_PX, _LEAST_PX = 64, 110
_TOTAL = "total"
_ROWS = {
    "kind": pl.String,
    "scenario": pl.String,
    "code": pl.String,
    "role": pl.String,
    "units": pl.Float64,
    "from_usd": pl.Float64,
    "to_usd": pl.Float64,
    "difference_usd": pl.Float64,
    "units_without_price": pl.Float64,
    "says": pl.String,
}


def scenario_totals_table(compared: pl.DataFrame | None, *, caption: str = "") -> pl.DataFrame:
    """What the chart of scenarios draws.

    Parameters
    ----------
    compared
        What ``compare`` returns, without groups or with them; groups are added up.
    caption
        Where the numbers are from, e.g. what ``terms_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``code``, ``total``, ``about``: the caption), ``scenario``, ``code``, ``role``,
        ``units`` [1], ``from_usd, to_usd`` (ends of the bar of a code, upon those before it;
        of the total ``to_usd`` alone, null where no unit has a known price),
        ``difference_usd`` (to the first scenario) [USD], ``units_without_price`` [1], ``says``.
    """
    if compared is None or compared.is_empty():
        return pl.DataFrame(schema=_ROWS)
    known = pl.col("units") > pl.col("units_without_price")
    cells = chart_table(compared).group_by("scenario", "code", maintain_order=True).agg(
        pl.col("role").first(),
        pl.col("units", "expected_usd", "units_without_price").sum(),
    ).with_columns(usd=pl.when(known | (pl.col("units") == 0)).then("expected_usd"))  # fmt: skip
    base = dict(cells.filter(scenario=cells["scenario"][0]).select("code", "usd").rows())
    rows = []
    for _, lane in groupby(cells.rows(named=True), key=lambda row: row["scenario"]):
        rows += _stacked(list(lane), base)
    about = {"kind": "about", "says": caption}
    return pl.DataFrame([*rows, about], schema=_ROWS, orient="row")


def _stacked(lane: list[dict], base: dict[str, float | None]) -> list[dict]:
    """Rows of one scenario: amounts above zero to the right, below it to the left."""
    ends, rows = {True: 0.0, False: 0.0}, []
    for row in sorted(lane, key=lambda row: row["code"] == _TOTAL):
        usd, before = row["usd"], base.get(row["code"], 0.0)
        apart = None if usd is None or before is None else round(usd - before, 2)
        kept = {name: row[name] for name in ("scenario", "code", "role", "units")}
        kept |= {"units_without_price": row["units_without_price"], "difference_usd": apart}
        if row["code"] == _TOTAL:
            rows.append(kept | {"kind": "total", "to_usd": usd})
            continue
        begin = ends[(usd or 0) >= 0]
        ends[(usd or 0) >= 0] += usd or 0.0
        span = {"from_usd": begin, "to_usd": None if usd is None else begin + usd}
        rows.append(kept | {"kind": "code"} | span)
    return rows


def scenario_totals_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``scenario_totals_table`` as a specification; cheap to make again."""
    rows = table.rows(named=True)
    totals = [row for row in rows if row["kind"] == "total"]
    codes = [row for row in rows if row["kind"] == "code"]
    if not totals:
        empty = nothing_yet("No scenario to draw yet", "Compare one to four sets of terms")
        return filled(bars_template(), [], empty)
    key = key_rows(codes)
    top = KEY_PX * (1 + max((part["row"] for part in key), default=-1)) + 6
    height = max(top + _LANE_PX * len(totals), _LEAST_PX)
    low, high = _view(codes, totals)
    caption = caption_of(table)
    changes = headed(_title(totals), _qualifier(totals), caption, _spoken(totals, codes)) | {
        "height": height,
        "encoding/x/scale/domain": [low, high],
        "encoding/x/axis/labelExpr": money_axis(low, high),
        "encoding/y/scale/domain": [height, 0],
    }
    if all(row["to_usd"] is None for row in totals):
        changes |= {f"encoding/x/axis/{part}": False for part in ("labels", "ticks", "grid")}
    px_per_usd = PLOT_PX / (high - low)
    drawn = [
        part
        for lane, total in enumerate(totals)
        for part in _drawn(total, codes, totals[0], top + lane * _LANE_PX, px_per_usd)
    ]
    return filled(bars_template(), [*key, *drawn], changes)


def _view(codes: list[dict], totals: list[dict]) -> tuple[float, float]:
    """Ends of the axis: zero and every bar, with room for the labels after them."""
    ends = [row["to_usd"] for row in codes if row["to_usd"] is not None] or [0.0]
    low, top = min(0.0, *ends), max(0.0, *ends)
    room = max(text_px(text) for row in totals for text in _label(row, totals[0])) + 16
    high = low + (top - low) * PLOT_PX / max(PLOT_PX - room, PLOT_PX / 3)
    return (low, high) if high > low else (0.0, 1.0)


def _label(row: dict, first: dict) -> tuple[str, str]:
    """Total of a scenario, and its difference to the first."""
    if row["to_usd"] is None:
        return "no price is known", ""
    if row is first:
        return money(row["to_usd"]), "baseline"
    if row["difference_usd"] is None:
        return money(row["to_usd"]), "baseline not known"
    return money(row["to_usd"]), change(row["difference_usd"], first["to_usd"])


def _title(totals: list[dict]) -> str:
    first, others = totals[0], totals[1:]
    base = named(first["scenario"])
    if first["to_usd"] is None:
        return f"No price is known for {base}"
    apart = [row for row in others if row["difference_usd"] is not None]
    apart.sort(key=lambda row: -row["difference_usd"])
    told = [f"{named(row['scenario'])} {_label(row, first)[1]}" for row in apart]
    if not told:
        unknown = "; no other price is known" * bool(others)
        return f"{base}: {money(first['to_usd'])} expected{unknown}"
    if len(told) == 1 and not apart[0]["difference_usd"]:
        return f"{named(apart[0]['scenario'])} pays the same as {base}: {money(first['to_usd'])}"
    return f"Against {base}: {', '.join(told if len(told) < 3 else [told[0], told[-1]])}"


def _qualifier(totals: list[dict]) -> str:
    without = [row["units_without_price"] for row in totals]
    if len(set(without)) == 1:
        told = unpriced(without[0], out_of="totals")
        return sentences("Expected payment by code, difference to the baseline", told)
    told = ", ".join(
        f"{unit_count(row['units_without_price'])} of {named(row['scenario'])}" for row in totals
    )
    return f"Not like for like. Units with no known price, not in the totals: {told}"


def _spoken(totals: list[dict], codes: list[dict]) -> str:
    told = []
    for total in totals:
        own = [_tip(row) for row in codes if row["scenario"] == total["scenario"]]
        told.append(f"{plain(total['scenario'])}: {', '.join([_tip(total), *own])}")
    return "; ".join(told)


def _tip(row: dict) -> str:
    """A code or the total in words, to the cent."""
    end, begin, apart = row["to_usd"], row["from_usd"] or 0.0, row["difference_usd"]
    paid = "no known price" if end is None else cents(end - begin)
    told = f"{plain(row['code'])} {paid} for {amount(row['units'], digits=6)} units"
    return f"{told} ({'+' if apart > 0 else ''}{cents(apart)})" if apart else told


def _drawn(
    total: dict, codes: list[dict], first: dict, y_px: float, px_per_usd: float
) -> list[dict]:
    """One scenario: its name, beneath it the bar, and after that the total."""
    name = shortened(plain(total["scenario"]), width_px=PLOT_PX)
    middle = y_px + _LANE_PX - BAR_PX / 2 - 8
    drawn = [{"kind": "name", "y": middle - BAR_PX / 2 - 5, "label": name}]
    ends = [0.0]
    for row in codes:
        if row["scenario"] != total["scenario"] or row["to_usd"] is None:
            continue
        ends.append(row["to_usd"])
        wide = abs(row["to_usd"] - row["from_usd"]) * px_per_usd - 8
        label = plain(row["code"])
        bar = {
            "x": row["from_usd"],
            "x2": row["to_usd"],
        }
        bar |= inks(row["role"]) | {
            "label": label if text_px(label) < wide else "",
            "tip": _tip(row),
        }
        drawn.append({"kind": "bar", "y": middle, "role": row["role"]} | bar)
    label, apart = _label(total, first)
    at_end = {"y": middle, "x": max(ends), "label": label, "apart": apart, "tip": _tip(total)}
    return [*drawn, {"kind": "end", "alone": not apart} | at_end]
