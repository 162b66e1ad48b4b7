"""Charts of coded infusions: a table goes in, an Altair chart comes out; and how it is shown.

The title of a chart is its finding, the subtitle what qualifies it, the description the same
in words for a screen reader; all three are computed from the table. Nothing is fetched:
charts draw without a network, and carry a picture for readers without a kernel.
"""

import base64
import zlib
from collections.abc import Sequence

import altair as alt
import polars as pl
import vl_convert as vlc

from subq_toolkit.charts.boluses_against_limit import (
    boluses_against_limit_spec,
    boluses_against_limit_table,
)
from subq_toolkit.charts.conversion_spread import conversion_spread_spec, conversion_spread_table
from subq_toolkit.charts.depot_course import depot_course_spec, depot_course_table
from subq_toolkit.charts.duration_by_sites import duration_by_sites_spec, duration_by_sites_table
from subq_toolkit.charts.look import chart_table
from subq_toolkit.charts.money_charts import (
    break_even_volume,
    break_even_volume_table,
    charting_error_curve,
    charting_error_curve_table,
    localities_ranked,
    localities_ranked_table,
    market_strip,
    market_strip_table,
    payment_bridge,
    payment_bridge_table,
    payment_distribution,
    payment_distribution_table,
    rates_over_years,
    rates_over_years_table,
    scenario_totals,
    scenario_totals_table,
    steps_nearly_reached,
    steps_nearly_reached_table,
    terms_caption,
    tornado,
    tornado_table,
)
from subq_toolkit.charts.rate_profile import rate_profile_spec, rate_profile_table
from subq_toolkit.charts.rotation import rotation_spec, rotation_table
from subq_toolkit.charts.staircase import staircase_spec, staircase_table
from subq_toolkit.charts.timeline import timeline_spec, timeline_table

__all__ = [
    "LiveChart",
    "boluses_against_limit",
    "boluses_against_limit_table",
    "break_even_volume",
    "break_even_volume_table",
    "chart_table",
    "charting_error_curve",
    "charting_error_curve_table",
    "conversion_spread",
    "conversion_spread_table",
    "depot_course",
    "depot_course_table",
    "duration_by_sites",
    "duration_by_sites_table",
    "localities_ranked",
    "localities_ranked_table",
    "market_strip",
    "market_strip_table",
    "payment_bridge",
    "payment_bridge_table",
    "payment_distribution",
    "payment_distribution_table",
    "picture",
    "rate_profile",
    "rate_profile_table",
    "rates_over_years",
    "rates_over_years_table",
    "rotation",
    "rotation_table",
    "scenario_totals",
    "scenario_totals_table",
    "show",
    "stacked",
    "staircase",
    "staircase_table",
    "steps_nearly_reached",
    "steps_nearly_reached_table",
    "still",
    "terms_caption",
    "timeline",
    "timeline_table",
    "tornado",
    "tornado_table",
]


def timeline(table: pl.DataFrame) -> alt.LayerChart:
    """When each pump of one encounter ran, and beneath it the time that counts.

    ``table`` is what ``timeline_table(result)`` returns.
    """
    return alt.LayerChart.from_dict(timeline_spec(table))


def staircase(table: pl.DataFrame) -> alt.LayerChart:
    """Timed units over counted minutes, where one encounter stands, and its next step.

    ``table`` is what ``staircase_table(result)`` returns.
    """
    return alt.LayerChart.from_dict(staircase_spec(table))


def rate_profile(table: pl.DataFrame) -> alt.LayerChart:
    """The planned rate at each site over time, against its limit.

    ``table`` is what ``rate_profile_table(plan)`` returns.
    """
    return alt.LayerChart.from_dict(rate_profile_spec(table))


def duration_by_sites(table: pl.DataFrame) -> alt.LayerChart:
    """How long a plan takes over each number of sites, and where units would rise.

    ``table`` is what ``duration_by_sites_table(plan)`` returns.
    """
    return alt.LayerChart.from_dict(duration_by_sites_spec(table))


def depot_course(table: pl.DataFrame) -> alt.LayerChart:
    """What waits under the skin during and after a plan, by three models.

    ``table`` is what ``depot_course_table(plan, ka_per_h=...)`` returns.
    """
    return alt.LayerChart.from_dict(depot_course_spec(table))


def conversion_spread(table: pl.DataFrame) -> alt.LayerChart:
    """One intravenous dose by every published ratio, and by the one chosen.

    ``table`` is what ``conversion_spread_table(conversion)`` returns.
    """
    return alt.LayerChart.from_dict(conversion_spread_spec(table))


def boluses_against_limit(table: pl.DataFrame) -> alt.LayerChart:
    """What basal rate and boluses can give in an hour and in four, against the sites' limit.

    ``table`` is what ``boluses_against_limit_table(patient_controlled(...))`` returns.
    """
    return alt.LayerChart.from_dict(boluses_against_limit_spec(table))


def rotation(table: pl.DataFrame) -> alt.LayerChart:
    """Where each set goes, and how long a used position is barred.

    ``table`` is what ``rotation_table(rotation_calendar(...), exclusion_days=...)`` returns.
    """
    return alt.LayerChart.from_dict(rotation_spec(table))


class LiveChart(alt.JupyterChart):
    """A live chart that draws without a network, and a picture where no kernel runs."""

    def __init__(self, chart: alt.TopLevelMixin | None, **options: object) -> None:
        alt.JupyterChart.enable_offline()
        drawn = {"actions": False, "renderer": "svg"}
        super().__init__(chart, embed_options=drawn, **options)

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict, dict]:
        live, metadata = super()._repr_mimebundle_(**kwargs)
        return live | still(self.spec, self.spec.get("description", "A chart.")), metadata


def show(chart: alt.TopLevelMixin) -> LiveChart:
    """Show a chart in a notebook: live with a kernel, a picture without, never from a CDN."""
    return LiveChart(chart)


def still(spec: dict, text: str) -> dict[str, str]:
    """What a reader without a kernel sees, by mime type: a picture, and the same in words."""
    png = base64.b64encode(picture(spec)).decode("ascii")
    return {"image/png": png, "text/plain": text}


def stacked(specs: Sequence[dict], title: str, *, columns: int = 1) -> dict:
    """Charts in rows of ``columns`` under a common title, as one specification."""
    whole = ("$schema", "config", "autosize")
    parts = [{key: spec[key] for key in spec if key not in whole} for spec in specs]
    named = {"text": title, "fontSize": 18, "offset": 18}
    placed = {"title": named, "concat": parts, "columns": columns}
    return {key: specs[0][key] for key in whole[:2]} | placed


def picture(spec: dict, *, scale: float = 1.0) -> bytes:
    """Draw a chart's specification as PNG, ``scale`` dots for each of its pixels."""
    return _packed(vlc.vegalite_to_png(spec, scale=scale))


def _packed(png: bytes) -> bytes:
    """The same picture, pixel for pixel, packed as tightly as PNG allows: a third of the size."""
    head, body, tail = bytearray(png[:8]), b"", b""
    place = 8
    while place < len(png):
        length = int.from_bytes(png[place : place + 4])
        chunk = png[place : place + 12 + length]
        if chunk[4:8] == b"IDAT":
            body += chunk[8:-4]
        elif body:
            tail += chunk
        else:
            head += chunk
        place += len(chunk)
    data = b"IDAT" + zlib.compress(zlib.decompress(body), 9)
    sealed = (len(data) - 4).to_bytes(4) + data + zlib.crc32(data).to_bytes(4)
    return bytes(head) + sealed + tail
