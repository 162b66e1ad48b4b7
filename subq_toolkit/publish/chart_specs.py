"""Vega-Lite specifications as they come: what they say, what they hold, what they may not do."""

from collections.abc import Iterator, Sequence
from math import isfinite

import polars as pl

from subq_toolkit.charts.wording import lines
from subq_toolkit.errors import InputError
from subq_toolkit.plain_text import one_line, printable

_VIEWS = ("mark", "layer", "concat", "hconcat", "vconcat", "facet", "repeat", "spec")
_SUBTITLE_PX, _WIDTH_PX = 13, 460


def check_spec(spec: dict) -> None:
    """Refuse what is no chart, and what would fetch something when it is drawn or opened.

    Raises
    ------
    InputError
        If it is no Vega-Lite specification, or names an address.
    """
    schema = str(spec.get("$schema", "vega-lite"))
    if "vega-lite" not in schema or not any(view in spec for view in _VIEWS):
        raise InputError(
            "This is no Vega-Lite specification: it needs a mark, a layer or several views. Hand "
            "in a Figure or what chart.to_dict() returns."
        )
    named = (value for key, value in _entries(spec) if key in ("url", "href"))
    if any(isinstance(one, str) and not one.startswith("data:") for one in named):
        raise InputError(
            "The chart names an address to load or to link to. Published files fetch nothing: "
            "put the data into the chart itself, and leave links out."
        )


def _entries(part: object) -> Iterator[tuple[str, object]]:
    """Every key of a specification with its value, at any depth."""
    if isinstance(part, dict):
        yield from part.items()
    inner = part.values() if isinstance(part, dict) else part
    if isinstance(part, dict | list | tuple):
        for one in inner:
            yield from _entries(one)


def with_notes(spec: dict, notes: Sequence[str]) -> dict:
    """The chart with notes beneath its subtitle, and nothing in it that no format can hold."""
    drawn = _printable(spec)
    heading = drawn.get("title")
    heading = dict(heading) if isinstance(heading, dict) else {"text": heading or ""}
    wide = drawn.get("width")
    wide = max(wide if isinstance(wide, int | float) else _WIDTH_PX, _WIDTH_PX)
    broken = [lines(one, font_px=_SUBTITLE_PX, width_px=wide) for one in notes]
    under = [*_texts(heading.get("subtitle")), *(part for one in broken for part in _texts(one))]
    return drawn | {"title": heading | {"subtitle": under}} if under else drawn


def _printable(part: object) -> object:
    """A copy without control characters and numbers without end."""
    if isinstance(part, str):
        return printable(part)
    if isinstance(part, dict):
        return {printable(key): _printable(value) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_printable(one) for one in part]
    return None if isinstance(part, float) and not isfinite(part) else part


def said_by(spec: dict, caption: str, name: str) -> tuple[str, str, str]:
    """Title, qualifier and caption of a chart; the latter two stand together in its subtitle."""
    heading = spec.get("title")
    heading = heading if isinstance(heading, dict) else {"text": heading}
    title = one_line(" ".join(_texts(heading.get("text")))) or one_line(name.replace("_", " "))
    under, spoken = _texts(heading.get("subtitle")), str(spec.get("description") or "")
    if caption and f" {caption}." in spoken:
        before = spoken[: spoken.index(f" {caption}.")].removesuffix(".")
        if before.startswith(title):
            return title, before[len(title) :].removeprefix(".").strip(), caption
    first = next((at for at in range(len(under)) if _begins(under[at:], caption)), len(under))
    return title, one_line(" ".join(under[:first])), caption


def _begins(under: list[str], caption: str) -> bool:
    """Whether lines are the caption, of which line ends may lack a separator."""
    short = [one_line(part.replace(" ·", "")) for part in (" ".join(under), caption)]
    return bool(short[1]) and short[1].startswith(short[0].removesuffix("…").rstrip())


def _texts(text: object) -> list[str]:
    parts = text if isinstance(text, list) else [text]
    return [part for part in parts if isinstance(part, str) and part.strip()]


def data_of(spec: dict) -> pl.DataFrame:
    """The first rows of data that a specification holds; none if it has none of its own."""
    held = spec.get("data")
    held = held if isinstance(held, dict) else {}
    sets = spec.get("datasets") or {}
    rows = held.get("values") or sets.get(held.get("name")) or next(iter(sets.values()), None)
    if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
        names = list(dict.fromkeys(str(key) for row in rows for key in row))
        cells = {name: [_plain(row.get(name)) for row in rows] for name in names}
        return pl.DataFrame(
            {name: pl.Series(name, own, strict=False) for name, own in cells.items()}
        )
    for part in _views(spec):
        if not (found := data_of(part)).is_empty():
            return found
    return pl.DataFrame()


def _views(spec: dict) -> list[dict]:
    parts = [part for view in _VIEWS for part in _as_list(spec.get(view))]
    return [part for part in parts if isinstance(part, dict)]


def _as_list(part: object) -> list:
    return part if isinstance(part, list) else [part]


def _plain(value: object) -> object:
    """A value of a specification as one that a table holds."""
    whole = isinstance(value, str | int | float | bool) or value is None
    return _printable(value if whole else str(value))
