"""By which versions, and by which values of the rules, something was made."""

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files

_TOLD = ("subq_toolkit", "polars", "altair")


@cache
def versions_line() -> str:
    """Versions of the toolkit and of what it draws with, and a mark of its parameter files."""
    told = [f"{name} {_version(name)}" for name in _TOLD]
    return f"Made with {', '.join(told)}; parameters {parameters_mark()}."


@cache
def parameters_mark() -> str:
    """A short mark that changes when any value under ``parameters/`` does."""
    folder = files("subq_toolkit") / "parameters"
    held = sorted((one for one in folder.iterdir() if one.name.endswith(".toml")), key=_name)
    whole = hashlib.sha256()
    for one in held:
        whole.update(one.name.encode("utf-8") + b"\0" + one.read_bytes())
    return whole.hexdigest()[:12]


def _name(file: object) -> str:
    return file.name


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "of unknown version"
