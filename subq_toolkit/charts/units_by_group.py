"""Units for each coded encounter, by code and group: table and specification of the chart."""

import polars as pl

from subq_toolkit.charts.figure import CountedCells
from subq_toolkit.charts.look import chart_table, filled
from subq_toolkit.charts.money_words import caption_of, headed, nothing_yet, plain, sentences
from subq_toolkit.charts.scenario_bars import KEY_PX, key_rows
from subq_toolkit.charts.unit_bars import (
    LANE_PX,
    NAME_PX,
    PAIR,
    PAIR_INKS,
    PLOT_PX,
    bars_template,
    group_name,
    hidden,
    lane_marks,
    lane_told,
    one_each,
    pair_hidden,
    total_units,
)
from subq_toolkit.charts.withheld import withheld_note
from subq_toolkit.charts.wording import count
from subq_toolkit.utilization import ALL, CODES

_MOST_GROUPS, _MOST_ORDERED = 12, 24
_LEAST_PX, _END_PX, _RULE_PX = 60, 52, 20
_TOLD = ("units", "mean_units", "with_units", "share_with")
_CELLS = ("group", "others", "all")
#: Of a group's encounters those with a unit of a code, or without; then all of them. In this
#: order the counts that hide a small group still cover for each of its codes.
CELLS = (
    CountedCells("fewest", within=("code",), also=_TOLD, kinds=_CELLS),
    CountedCells("encounters", within=("code",), also=(*_TOLD, "fewest", "one_each"), kinds=_CELLS),
)
_ROWS = {
    "kind": pl.String,
    "group": pl.String,
    "code": pl.String,
    "groups": pl.Int64,
    "encounters": pl.Int64,
    "units": pl.Int64,
    "mean_units": pl.Float64,
    "with_units": pl.Int64,
    "share_with": pl.Float64,
    "fewest": pl.Int64,
    "one_each": pl.Boolean,
    "says": pl.String,
}
_FURTHER = next(code for code, role in CODES.items() if role == "further_hour")
_COUNTS = ("encounters", "units", "with_units")


def units_by_group_table(
    units: pl.DataFrame | None, *, by: str = "", ordered: bool = False, caption: str = ""
) -> pl.DataFrame:
    """What the chart of units by group draws: the twelve largest groups, the others together.

    Parameters
    ----------
    units
        What ``units_per_encounter`` returns.
    by
        What the groups are, in words: ``department``; empty: one group of all encounters.
    ordered
        Whether groups have an order of their own, as months have: then the last 24, by name.
    caption
        Where the numbers are from, e.g. what ``work_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``group``; ``others``: those not drawn, together; ``all``: every group; ``by``,
        or ``order`` if groups have one; ``about``: the caption), ``group, code``, ``groups``
        (how many are together) [1], ``encounters`` (coded) [1], ``units`` [1], ``mean_units``
        [1 per encounter], ``with_units`` (encounters with a unit) [1], ``share_with`` [1],
        ``fewest`` (the smaller of the encounters with and without a unit) [1], ``one_each``
        (whether every encounter has one unit either of the first hour or of a short infusion),
        ``says``.
    """
    if units is None or units.is_empty():
        return pl.DataFrame(schema=_ROWS)
    given = chart_table(units).select("group", "code", *_COUNTS).rows(named=True)
    by_group: dict[str | None, list[dict]] = {}
    for row in given:
        by_group.setdefault(row["group"], []).append(row)
    names = sorted(by_group, key=lambda one: (-by_group[one][0]["encounters"], one is None, one))
    kept = names[:_MOST_GROUPS]
    if ordered:
        kept = sorted(names, key=lambda one: (one is None, one))[-_MOST_ORDERED:]
    rest = [name for name in names if name not in kept]
    rows = [{"kind": "group", "groups": 1} | row for name in kept for row in by_group[name]]
    pools = [("others", rest)] * bool(rest) + [("all", names)] * (len(names) > 1)
    for kind, pool in pools:
        rows += _pooled(kind, [row for name in pool for row in by_group[name]], len(pool))
    rows = [row | _means(row) for row in rows]
    for at in range(0, len(rows), len(CODES)):
        lane = rows[at : at + len(CODES)]
        told = {"one_each": one_each(lane)}
        rows[at : at + len(CODES)] = [row | told for row in lane]
    rows += [{"kind": "order" if ordered else "by", "says": by}, {"kind": "about", "says": caption}]
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def _pooled(kind: str, rows: list[dict], groups: int) -> list[dict]:
    """Groups together, a row for each code."""
    return [
        {"kind": kind, "code": code, "groups": groups}
        | {name: sum(row[name] for row in rows if row["code"] == code) for name in _COUNTS}
        for code in CODES
    ]


def _means(row: dict) -> dict:
    n, with_units = row["encounters"], row["with_units"]
    told = {"fewest": min(with_units, n - with_units)}
    if not n:
        return told
    return told | {
        "mean_units": round(row["units"] / n, 9),
        "share_with": round(with_units / n, 9),
    }


def units_by_group_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``units_by_group_table`` as a specification; cheap to make again."""
    rows = [row | {"group": _name(row)} for row in table.rows(named=True)]
    lanes = _lanes(rows, "group")
    if not any(row["kind"] == "order" for row in rows):
        lanes.sort(key=_place)
    lanes += _lanes(rows, "others")
    if not lanes:
        remedy = "Look at coded.reconcile() to see what became of the rows"
        return filled(bars_template(), [], nothing_yet("No encounter is coded yet", remedy))
    top = max([*(total_units(lane) or 0.0 for lane in lanes), 0.5])
    end = top * (PLOT_PX - NAME_PX) / (PLOT_PX - NAME_PX - _END_PX)
    codes = [{"code": code, "role": role} for code, role in CODES.items()]
    key = key_rows([*codes, *[{"code": PAIR, "role": None}] * any(map(pair_hidden, lanes))])
    key = [part | PAIR_INKS if part["label"] == PAIR else part for part in key]
    mean = next((total_units(lane) for lane in _lanes(rows, "all")), None)
    head = KEY_PX * (1 + max(part["row"] for part in key)) + (_RULE_PX if mean else 8)
    height = max(head + LANE_PX * len(lanes) + 4, _LEAST_PX)
    spoken = "; ".join(map(lane_told, lanes))
    left = -(NAME_PX / (PLOT_PX - NAME_PX)) * end
    changes = headed(_title(rows, lanes), _qualifier(rows, lanes), caption_of(table), spoken) | {
        "height": height,
        "encoding/x/scale/domain": [left, end],
        "encoding/x/axis/values": _ticks(top),
        "encoding/y/scale/domain": [height, 0],
    }
    drawn = [
        mark for at, lane in enumerate(lanes) for mark in lane_marks(lane, head, at, left, end)
    ]
    if mean:
        rule = {"kind": "mean", "x": mean, "y": head - 2, "y2": height}
        drawn.append(rule | {"label": f"all {mean:.2f}"})
    return filled(bars_template(), [*key, *drawn], changes)


def _name(row: dict) -> str | None:
    """What a group is called; all encounters where they are not divided."""
    if row["kind"] == "others":
        return count(row["groups"], "other group")
    return "all encounters" if row["group"] == ALL else row["group"]


def _lanes(rows: list[dict], kind: str) -> list[list[dict]]:
    """The rows of each group of a kind, a code each."""
    names = list(dict.fromkeys(row["group"] for row in rows if row["kind"] == kind))
    return [[row for row in rows if row["kind"] == kind and row["group"] == name] for name in names]


def _place(lane: list[dict]) -> float:
    """Where a group stands: those with most units first, withheld ones last."""
    known = total_units(lane)
    return 1.0 if known is None else -known


def _ticks(top: float) -> list[float]:
    step = next(one for one in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 1e9) if top / one <= 6)
    return [round(step * at, 6) for at in range(int(top / step + 1e-9) + 1)]


def _title(rows: list[dict], lanes: list[list[dict]]) -> str:
    groups = [lane for lane in lanes if lane[0]["kind"] == "group"]
    known = [(total_units(lane), group_name(lane)) for lane in groups]
    known = [one for one in known if one[0] is not None]
    if any(lane[0]["encounters"] is None or _barless(lane) for lane in groups):
        return _title_without(rows, groups)
    if not known:
        return "No encounter is coded yet"
    (least, least_of), (most, most_of) = (pick(known, key=_first) for pick in (min, max))
    if len(groups) == 1:
        return f"{most:.2f} units per coded encounter{_further_told(groups[0])}"
    if len(known) == 1:
        return f"{most:.2f} units per coded encounter of {most_of}"
    if f"{least:.2f}" == f"{most:.2f}":
        return f"{least:.2f} units per coded encounter in every group"
    return f"From {least:.2f} units per encounter ({least_of}) to {most:.2f} ({most_of})"


def _barless(lane: list[dict]) -> bool:
    """Whether what a group comes to is withheld."""
    return hidden(lane) and total_units(lane) is None


def _title_without(rows: list[dict], groups: list[list[dict]]) -> str:
    """A title that states no extremes: the smallest and the largest may be withheld."""
    if len(groups) == 1 or all(map(_barless, groups)):
        return "Units per coded encounter are withheld"
    by = _by(rows)
    mean = next((total_units(lane) for lane in _lanes(rows, "all")), None)
    told = "Units per coded encounter" if mean is None else f"{mean:.2f} units per coded encounter"
    return f"{told}{f' by {by}' if mean is None and by else ''}; some groups are withheld"


def _further_told(lane: list[dict]) -> str:
    """How many of the units are further hours."""
    further = next(row["mean_units"] for row in lane if row["code"] == _FURTHER)
    if further is None:
        return ""
    told = "none" if not further else f"{further:.2f}" if further >= 0.005 else "less than 0.01"
    return f", {told} of them further hours"


def _first(pair: tuple[float, str]) -> float:
    return pair[0]


def _by(rows: list[dict]) -> str:
    return next((plain(row["says"]) for row in rows if row["kind"] in ("by", "order")), "")


def _qualifier(rows: list[dict], lanes: list[list[dict]]) -> str:
    once = " and ".join(
        code for code, role in CODES.items() if role in ("further_setup", "short_infusion")
    )
    return sentences(
        f"By {_by(rows) or 'group'}" if len(lanes) > 1 else "",
        f"{once}: share of encounters with one",
        withheld_note() if any(map(hidden, lanes)) else "",
    )
