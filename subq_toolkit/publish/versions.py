"""By which versions, and by which values of the rules, something was published."""

from functools import cache

from subq_toolkit.made_by import parameters_mark, version_of

_TOLD = ("subq_toolkit", "polars", "altair")


@cache
def versions_line() -> str:
    """Versions of the toolkit and of what it draws with, and a mark of its parameter files."""
    told = [f"{name} {version_of(name)}" for name in _TOLD]
    return f"Made with {', '.join(told)}; parameters {parameters_mark()}."
