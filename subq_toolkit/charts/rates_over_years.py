"""Medicare's rates of the three codes by year, office beside outpatient: table, specification."""

from datetime import date, timedelta
from itertools import groupby

import polars as pl

from subq_toolkit.charts.look import chart_table, filled
from subq_toolkit.charts.money_words import (
    caption_of,
    fee,
    headed,
    moved,
    nothing_yet,
    plain,
    sentences,
)
from subq_toolkit.charts.rate_panels import (
    BAND_PX,
    GAP_PX,
    NAME_PX,
    PLOT_PX,
    paid,
    panel_parts,
    panels_template,
)
from subq_toolkit.charts.wording import text_px
from subq_toolkit.effective import read_parameters
from subq_toolkit.fees import FeeTables, bundled_tables, price

_LEAST_ROOM_PX = 60
_ROLES = {"first_hour": "first hour", "further_hour": "further hour", "further_setup": "set-up"}
_SETTINGS = {"office": "mpfs", "outpatient": "opps"}
_CHANGES = ("relative_values", "conversion_factors", "opps_rates")
_CODES = read_parameters("codes")
_ROWS = {
    "kind": pl.String,
    "code": pl.String,
    "name": pl.String,
    "start": pl.Date,
    "until": pl.Date,
    "rate_usd": pl.Float64,
    "status": pl.String,
    "says": pl.String,
}


def rates_over_years_table(
    tables: FeeTables | None = None, *, years: tuple[int, int] = (2020, 2026)
) -> pl.DataFrame:
    """What the chart of rates draws, computed with ``price`` on the first day of each rate.

    Each day's claim has one line of each code, so 96371 is priced beside a first hour.

    Parameters
    ----------
    tables
        The dated figures; the bundled ones by default.
    years
        The first and the last year.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``office``: physician schedule, national; ``outpatient``: OPPS, wage index 1;
        ``about``: the caption), ``code``, ``name`` (the code in words), ``start, until`` (both
        included; a row ends with its year), ``rate_usd`` (of one unit; null: no figure) [USD],
        ``status`` (as ``price`` says it), ``says``.
    """
    tables = tables or bundled_tables()
    first, last = date(years[0], 1, 1), date(years[1], 12, 31)
    starts = {day for name in _CHANGES for day in tables[name]["start"]}
    days = sorted({first, *(day for day in starts if first <= day <= last)})
    claims = _claims(days)
    rows = []
    for setting, schedule in _SETTINGS.items():
        found = chart_table(price(claims, schedule=schedule, tables=tables))
        for _, of_code in groupby(found.sort("role", "service_date").rows(named=True),
                                  key=lambda row: row["role"]):  # fmt: skip
            rows += _spans(list(of_code), setting, last)
    order = list(_ROLES.values())
    rows.sort(key=lambda row: (order.index(row[2]), row[0], row[3]))
    says = f"MPFS national, not APM · OPPS national, wage index 1 · {first} to {last}"
    return pl.DataFrame([*rows, ("about", *(None,) * 6, says)], schema=_ROWS, orient="row")


def _claims(days: list[date]) -> pl.DataFrame:
    rows = [(str(day), day, role, _CODES[role].on(day).value, 1) for day in days for role in _ROLES]
    schema = ["encounter_id", "service_date", "role", "code", "units"]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _spans(found: list[dict], setting: str, last: date) -> list[tuple]:
    """Days of one code with the same amount, joined within a year."""
    spans: list[list] = []
    for row in found:
        day, amount = row["service_date"], (row["rate_usd"], row["status"])
        if spans and spans[-1][3].year == day.year and tuple(spans[-1][5:7]) == amount:
            continue
        if spans:
            spans[-1][4] = day - timedelta(days=1)
        spans.append([setting, row["code"], _ROLES[row["role"]], day, last, *amount, None])
    return [tuple(span) for span in spans]


def rates_over_years_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``rates_over_years_table`` as a specification; cheap to make again."""
    rows = table.filter(pl.col("kind") != "about").rows(named=True)
    if not rows:
        empty = nothing_yet("No rate to draw yet", "Price the codes over some years")
        return filled(panels_template(), [], empty)
    panels = [list(group) for _, group in groupby(rows, key=lambda row: row["name"])]
    first, last = rows[0]["start"].year, max(row["until"] for row in rows).year + 1
    labels = [_end_labels(panel) for panel in panels]
    room = max(text_px(one["label"]) for ends in labels for one in ends) + 10
    px_per_year = (PLOT_PX - max(room, _LEAST_ROOM_PX)) / (last - first)
    each = NAME_PX + BAND_PX + GAP_PX
    drawn = [
        part
        for at, (panel, ends) in enumerate(zip(panels, labels, strict=True))
        for part in panel_parts(panel, ends, at * each, (first, last), px_per_year)
    ]
    changes = headed(_title(rows), _qualifier(rows), caption_of(table), _spoken(rows)) | {
        "height": each * len(panels),
        "encoding/x/scale/domain": [first, first + PLOT_PX / px_per_year],
        "encoding/x/axis/values": list(range(first, last)),
        "encoding/y/scale/domain": [each * len(panels), 0],
    }
    return filled(panels_template(), drawn, changes)


def _spoken(rows: list[dict]) -> str:
    told = []
    for (name, kind), group in groupby(rows, key=lambda row: (row["name"], row["kind"])):
        spans = list(group)
        amounts = ", ".join(f"from {row['start']} {paid(row)}" for row in spans)
        told.append(f"{name} {plain(spans[-1]['code'])}, {kind}: {amounts}")
    return "; ".join(told)


def _end_labels(panel: list[dict]) -> list[dict]:
    """What stands at the right end of each line of a panel."""
    ends = {row["kind"]: row for row in panel}
    return [{"row": row, "label": f"{kind} {paid(row)}"} for kind, row in ends.items()]


def _title(rows: list[dict]) -> str:
    name, code = rows[0]["name"], plain(rows[0]["code"])
    known = [row for row in rows if row["name"] == name and row["rate_usd"]]
    lines = {row["kind"]: [one for one in known if one["kind"] == row["kind"]] for row in known}
    years = [{row["start"].year for row in line} for line in lines.values()]
    if not years:
        return f"No rate of the {name} is known"
    both = sorted(set.intersection(*years))
    if len(both) < 2:
        told = ", ".join(f"{kind} {fee(line[-1]['rate_usd'])}" for kind, line in lines.items())
        return f"{code} {name}: {told}"
    told = ", ".join(f"{kind} {_since(line, both)}" for kind, line in lines.items())
    return f"{code} {name} from {both[0]} to {both[-1]}: {told}"


def _since(line: list[dict], years: list[int]) -> str:
    """By how much the rate moved from the first to the last of the years."""
    shown = [row["rate_usd"] for row in line if years[0] <= row["start"].year <= years[-1]]
    return moved(shown[-1] / shown[0] - 1)


def _qualifier(rows: list[dict]) -> str:
    packaged = dict.fromkeys(plain(row["code"]) for row in rows if row["status"] == "packaged")
    beside = f"{', '.join(packaged)} packaged in outpatient: $0 beside a first hour"
    years = [row["start"].year for row in rows if row["kind"] == "office"]
    parts = sorted({year for year in years if years.count(year) > len({r["name"] for r in rows})})
    split = f"{', '.join(map(str, parts))} in two parts" * bool(parts)
    missing = "a gap: no figure" * any(row["rate_usd"] is None for row in rows)
    return sentences(beside * bool(packaged), "each panel from zero", split, missing)
