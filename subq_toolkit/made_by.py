"""By which version of the toolkit, and by which values of the rules, something was made."""

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files


def version_of(name: str) -> str:
    """The installed version of a library."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "of unknown version"


@cache
def parameters_mark() -> str:
    """A short mark that changes when any value under ``parameters/`` does."""
    folder = files("subq_toolkit") / "parameters"
    held = {one.name: one.read_bytes() for one in folder.iterdir() if one.name.endswith(".toml")}
    whole = hashlib.sha256()
    for name in sorted(held):
        whole.update(name.encode("utf-8") + b"\0" + held[name])
    return whole.hexdigest()[:12]
