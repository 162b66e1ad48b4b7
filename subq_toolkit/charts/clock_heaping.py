"""Charted starts and stops by the minute of the hour; table and specification."""

from functools import cache

import altair as alt
import polars as pl

from subq_toolkit.charts.figure import CountedCells
from subq_toolkit.charts.layers import MOST_TICKS, TIP, haloed, of, scale_x, scale_y
from subq_toolkit.charts.look import BLUE, INK, VERMILLION, chart_table, filled, template
from subq_toolkit.charts.money_words import caption_of, headed, nothing_yet, sentences
from subq_toolkit.charts.withheld import stars, withheld_note
from subq_toolkit.charts.wording import count
from subq_toolkit.effective import read_parameters

_WIDTH_PX, _HEIGHT_PX = 460, 300
_TIME = read_parameters("infusion_time")
_HOUR_MIN, _QUARTER_MIN = 60, 15
#: Starts stand above the line, stops below it.
_SIDES = {"start": 1, "stop": -1}
_FAINT = {"start": "#a9cbe2", "stop": "#f2c19d"}
_TOP, _NAMED = 1.36, 1.28
#: A minute off the quarters gets a label where it is higher than these, and apart from them.
_LEAST_APART_MIN = 6
CELLS = CountedCells("times", within=("event",), also=("share",), kinds=("minute",))
_ROWS = {
    "kind": pl.String,
    "event": pl.String,
    "minute": pl.Int64,
    "times": pl.Int64,
    "share": pl.Float64,
    "expected": pl.Float64,
    "says": pl.String,
}


def clock_heaping_table(minutes: pl.DataFrame | None, *, caption: str = "") -> pl.DataFrame:
    """What the chart of minutes of the hour draws.

    Parameters
    ----------
    minutes
        What ``clock_minutes`` returns.
    caption
        Where the numbers are from, e.g. what ``work_caption`` says.

    Returns
    -------
    pl.DataFrame
        ``kind`` (``minute``; ``about``: the caption), ``event`` (``start``, ``stop``), ``minute``
        of the hour [min], ``times`` charted at it [1], ``share`` of the times of the event [1],
        ``expected`` (if they were spread evenly) [1], ``says``.
    """
    if minutes is None or not minutes["times"].sum():
        return pl.DataFrame(schema=_ROWS)
    given = chart_table(minutes).sort("event", "minute")
    rows = [{"kind": "minute"} | row for row in given.rows(named=True)]
    rows.append({"kind": "about", "says": caption})
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def clock_heaping_spec(table: pl.DataFrame) -> dict:
    """The chart of a ``clock_heaping_table`` as a specification; cheap to make again."""
    rows = table.filter(pl.col("kind") == "minute").rows(named=True)
    if not rows:
        empty = nothing_yet("No time is charted yet", "Code administrations with starts and stops")
        return filled(_template(), [], empty)
    events = {name: [row for row in rows if row["event"] == name] for name in _SIDES}
    events = {name: own for name, own in events.items() if any(r["times"] != 0 for r in own)}
    even = next((row["expected"] for row in rows if row["expected"] is not None), 1 / _HOUR_MIN)
    top = max(even, *(row["share"] or 0.0 for row in rows))
    spoken = "; ".join(_told(name, own) for name, own in events.items())
    reach = _TOP * top
    ends = [reach if "start" in events else 0, -reach if "stop" in events else 0]
    changes = headed(_title(events, even), _qualifier(events, even), caption_of(table), spoken)
    changes |= {"encoding/y/scale/domain": ends[::-1], "encoding/y/axis/values": _ticks(top, ends)}
    drawn = [part for name, own in events.items() for part in _side(name, own, even, top)]
    return filled(_template(), drawn, changes)


def _on_quarter(row: dict) -> bool:
    return row["minute"] % _QUARTER_MIN == 0


def _heaped(rows: list[dict]) -> float | None:
    """The share of times on quarter hours; None where one of them is withheld."""
    shares = [row["share"] for row in rows if _on_quarter(row)]
    return None if None in shares else sum(shares)


def _title(events: dict[str, list[dict]], even: float) -> str:
    shares = {name: _heaped(rows) for name, rows in events.items()}
    known = [f"{_whole(share)} of {name}s" for name, share in shares.items() if share is not None]
    if not known:
        return "How many times lie on a quarter hour is withheld"
    chance = even * _HOUR_MIN / _QUARTER_MIN
    told = " and ".join(known)
    return f"{told} lie on a quarter hour; evenly spread, {_whole(chance)} would"


def _whole(share: float) -> str:
    return f"{100 * share:.0f} %"


def _qualifier(events: dict[str, list[dict]], even: float) -> str:
    limit, least = (_TIME[name].values[-1].value for name in ("heaped_share", "heaped_at_least"))
    known = [row["times"] for rows in events.values() for row in rows]
    few = None not in known and sum(known) < least
    return sentences(
        f"Dashed: {100 * even:.1f} % at each minute if evenly spread",
        f"only {count(sum(known), 'time')}, fewer than the {least} it takes to judge"
        if few
        else f"above {limit} % on quarter hours a file looks rounded",
        withheld_note("times") * (None in known),
    )


def _told(name: str, rows: list[dict]) -> str:
    told = ", ".join(_tip(row) for row in rows if _on_quarter(row))
    off = [row for row in rows if not _on_quarter(row) and row["times"] is not None]
    most = max(off, key=lambda row: row["times"], default=None)
    rest = f"; most off these {_tip(most)}" if most and most["times"] else ""
    return f"{_named(name, rows)}: {told}{rest}"


def _named(name: str, rows: list[dict]) -> str:
    known = [row["times"] for row in rows]
    n = "" if None in known else f", n = {sum(known):,}"
    return f"{name.capitalize()}s{n}"


def _tip(row: dict) -> str:
    if row["times"] is None:
        return f":{row['minute']:02} withheld"
    return f":{row['minute']:02} {count(row['times'], 'time')} ({100 * (row['share'] or 0):.1f} %)"


def _ticks(top: float, ends: list[float]) -> list[float]:
    """Round shares to both sides of zero, three or four to a side."""
    step = next((s for s in (0.01, 0.02, 0.05, 0.1, 0.2) if top / s <= 4), 0.25)
    found = [at * step for at in range(-5, 6) if abs(at * step) <= max(top, step) + 1e-9]
    return [at for at in found if min(ends) <= at <= max(ends)]


def _side(name: str, rows: list[dict], even: float, top: float) -> list[dict]:
    """Columns of one event, its dashed line, its name and labels."""
    sign = _SIDES[name]
    drawn = [{"kind": "even", "x": -0.8, "x2": 59.8, "y": sign * even}]
    drawn.append({"kind": "name", "x": -0.8, "y": sign * _NAMED * top,
                  "label": _named(name, rows)})  # fmt: skip
    for row in rows:
        at, share = row["minute"], row["share"] or 0.0
        tip = f"{name}s at {_tip(row)}"
        if row["times"] is None:
            drawn.append({"kind": "withheld", "x": at, "y": sign * 0.05 * top, "tip": tip})
        elif row["times"]:
            kind = f"{name} {'quarter' if _on_quarter(row) else 'other'}"
            place = {"x": at - 0.42, "x2": at + 0.42, "y": 0, "y2": sign * share}
            drawn.append({"kind": kind, "tip": tip} | place)
    for row in _labelled(rows):
        label = f"{100 * row['share']:.1f} %"
        label = label if _on_quarter(row) else f":{row['minute']:02} {label}"
        side = "left" if row["minute"] < _LEAST_APART_MIN else "center"
        side = "right" if row["minute"] > _HOUR_MIN - _LEAST_APART_MIN else side
        place = {"x": row["minute"] + {"left": -0.5, "right": 0.5}.get(side, 0), "side": side}
        place |= {"y": sign * row["share"], "dy": -sign * 10, "label": label}
        drawn.append({"kind": "label"} | place)
    return drawn


def _labelled(rows: list[dict]) -> list[dict]:
    """The quarter hours, and the highest other minute where it stands above all of these."""
    known = [row for row in rows if row["times"]]
    quarters = [row for row in known if _on_quarter(row)]
    most = max(known, key=lambda row: row["times"], default=None)
    if most is None or _on_quarter(most):
        return quarters
    near = [row for row in quarters if abs(row["minute"] - most["minute"]) < 3 * _LEAST_APART_MIN]
    return [most, *(row for row in quarters if row not in near)]


@cache
def _template() -> dict:
    fills = {"quarter": {"start": BLUE, "stop": VERMILLION}, "other": _FAINT}
    columns = [
        of(f"{name} {kind}").mark_rect(fill=fill).encode(x2="x2", y2="y2", tooltip=TIP)
        for kind, inks in fills.items()
        for name, fill in inks.items()
    ]
    even = of("even").mark_rule(stroke=INK, strokeDash=[5, 4], strokeWidth=1.2).encode(x2="x2")
    places = {"align": alt.ExprRef("datum.side"), "dy": alt.ExprRef("datum.dy")}
    names = of("name").mark_text(align="left", baseline="middle", fontWeight=600)
    zero = {"domain": False, "tickCount": MOST_TICKS}
    chart = alt.layer(
        *columns,
        even,
        *haloed(of("label"), baseline="middle", **places),
        names.encode(text="label:N"),
        stars(),
    ).encode(
        x=scale_x(
            "Minute of the hour, as charted [min]",
            values=list(range(0, _HOUR_MIN, _QUARTER_MIN)),
            labelExpr="':' + format(datum.value, '02d')",
            grid=False,
        ),
        y=scale_y(
            "Share of times [%]", labelExpr="format(abs(datum.value) * 100, '~g')", **zero
        ),
    )  # fmt: skip
    spec = template(chart, width_px=_WIDTH_PX, height_px=_HEIGHT_PX)
    spec["encoding"]["x"]["scale"]["domain"] = [-0.8, 59.8]
    return spec
