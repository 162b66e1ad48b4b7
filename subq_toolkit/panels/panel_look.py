"""What every panel looks like, and the sign that it is at work."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

import ipywidgets as w


def panel_style() -> w.HTML:
    """The look of every panel, as a part that takes no room."""
    css = files("subq_toolkit.panels").joinpath("panels.css").read_text("utf-8")
    look = w.HTML(f"<style>{css}</style>")
    look.layout.display = "none"
    return look


@contextmanager
def busy(part: w.Box) -> Iterator[None]:
    """Show a sign on a panel or a part of it while it works; it appears after half a second."""
    part.add_class("sq-busy")
    try:
        yield
    finally:
        part.remove_class("sq-busy")
