"""How charts are shown: live with a kernel, as a picture without, never from a CDN."""

import base64
import zlib
from collections.abc import Sequence

import altair as alt
import vl_convert as vlc

from subq_toolkit.charts.look import LOOK

__all__ = ["LiveChart", "picture", "register_look", "show", "stacked", "still"]


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


def register_look() -> None:
    """Make our look the theme of every Altair chart of this session; ours have it anyway.

    It is registered as ``subq_toolkit`` and enabled; ``altair.theme.enable("default")`` ends it.
    """

    @alt.theme.register("subq_toolkit", enable=True)
    def _look() -> alt.theme.ThemeConfig:
        return {"config": LOOK}
