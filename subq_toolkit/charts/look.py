"""How charts look, and how a frame is made fit for one; the charts are in ``charts``."""

from copy import deepcopy

import altair as alt
import polars as pl

from subq_toolkit.errors import InputError

#: Told apart by colour-blind readers; never the only mark of a difference.
BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
INK, QUIET, RULE = "#1b1f24", "#57606a", "#d0d7de"

#: One look for every chart; handed to a chart, never set globally.
LOOK = {
    "font": "'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif",
    "background": "#ffffff",
    "view": {"stroke": None},
    "title": {
        "anchor": "start",
        "frame": "bounds",
        "color": INK,
        "fontSize": 16,
        "fontWeight": 600,
        "subtitleColor": QUIET,
        "subtitleFontSize": 13,
        "subtitlePadding": 5,
        "offset": 12,
    },
    "axis": {
        "labelColor": INK,
        "labelFontSize": 13,
        "titleColor": QUIET,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "gridColor": "#eaeef2",
        "domainColor": RULE,
        "tickColor": RULE,
    },
    "text": {"fontSize": 13, "color": INK},
}
_MOST_ROWS = 5_000


def chart_table(frame: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Make a frame that every chart can show: collected, and only types a browser knows.

    Durations become minutes, decimals floats, NaN and infinities null, clock times text,
    lists and structs text; zoned times keep their local clock.

    Raises
    ------
    InputError
        If there are more than 5,000 rows: aggregate first.
    """
    table = frame.lazy().collect()
    if table.height > _MOST_ROWS:
        raise InputError(
            f"A chart shows at most {_MOST_ROWS:,} rows, this frame has {table.height:,}. "
            f"Aggregate it first: a chart of counts says more."
        )
    return table.select(_showable(name, dtype) for name, dtype in table.schema.items())


def _showable(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(dtype, pl.List | pl.Array):
        return column.cast(pl.List(pl.String)).list.join(", ")
    if isinstance(dtype, pl.Struct):
        return column.struct.json_encode()
    if isinstance(dtype, pl.Duration):
        return column.dt.total_seconds() / 60
    if isinstance(dtype, pl.Datetime):
        return column.dt.replace_time_zone(None)
    if dtype == pl.Time:
        return column.dt.to_string("%H:%M:%S")
    if isinstance(dtype, pl.Decimal):
        return column.cast(pl.Float64)
    if dtype.is_float():
        return pl.when(column.is_finite()).then(column)
    return column


def filled(template: dict, rows: list[dict], changes: dict[str, object]) -> dict:
    """A chart's specification with other data; ``changes`` go to paths such as ``title/text``.

    The template was validated once; only values are replaced, so it need not be again.
    """
    spec = deepcopy(template) | {"data": {"values": rows}}
    for path, value in changes.items():
        *parents, last = path.split("/")
        place = spec
        for parent in parents:
            place = place[parent]
        place[last] = value
    return spec


def template(chart: alt.LayerChart, *, width_px: int, height_px: int) -> dict:
    """Make the Vega-Lite spec of a chart in our look, its title and alt text to be filled."""
    framed = chart.properties(
        width=width_px,
        height=height_px,
        title=alt.Title("", subtitle=""),
        description="",
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
    )
    return framed.to_dict() | {"config": LOOK}
