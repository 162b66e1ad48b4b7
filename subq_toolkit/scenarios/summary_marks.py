"""What the file of a minute summary says of itself, and the digest that it keeps to it."""

import hashlib
import json
from dataclasses import asdict, fields
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.policy import Policy
from subq_toolkit.scenarios.minute_summary import MinuteSummary

#: What a file says that it is, and of which format; the next format is 2.
KIND, FORMAT = "minute summary", 1


def about_of(summary: MinuteSummary) -> dict:
    """What a file says of its summary."""
    return {
        "kind": KIND,
        "format": FORMAT,
        "by": list(summary.by),
        "policy": asdict(summary.policy),
        "zones": list(summary.zones),
        "first_days": [str(day) for day in summary.first_days],
        "until": summary.until and str(summary.until),
        "package": _version(),
        "rules": rules_mark(),
    }


def _version() -> str | None:
    try:
        return version("subq_toolkit")
    except PackageNotFoundError:
        return None


@cache
def rules_mark() -> str:
    """A digest of the values of the rules."""
    folder, whole = files("subq_toolkit") / "parameters", hashlib.sha256()
    for one in sorted((one for one in folder.iterdir() if one.name.endswith(".toml")), key=str):
        whole.update(one.name.encode() + b"\0" + one.read_bytes().replace(b"\r\n", b"\n"))
    return whole.hexdigest()


def digest_of(counts: pl.DataFrame, about: str) -> str:
    """A digest of the rows, the kinds of the columns and what is said of them."""
    whole = hashlib.sha256(about.encode())
    whole.update(repr(counts.schema).encode())
    whole.update(counts.write_csv(quote_style="non_numeric").encode())
    return whole.hexdigest()


def checked_about(path: Path, text: str) -> dict:
    """What a file says of itself.

    Raises
    ------
    InputError
        If it is of a kind, format or policy that is not read here.
    """
    try:
        about = json.loads(text)
        kind, found = about["kind"], about["format"]
    except (ValueError, KeyError, TypeError):
        kind = found = None
    if kind != KIND:
        said = f"it says that it is {kind!r}" if isinstance(kind, str) else "it does not say so"
        raise InputError(f"'{path}' is no minute summary: {said}. Look at the name of the file.")
    if found != FORMAT:
        made = about.get("package")
        raise InputError(
            f"'{path}' has format {found!r} of a minute summary, made by subq_toolkit {made}; this "
            f"version reads format {FORMAT}. Read it with that version, or summarise again."
        )
    known = {one.name for one in fields(Policy)}
    if isinstance(about.get("policy"), dict) and (new := sorted({*about["policy"]} - known)):
        raise InputError(
            f"'{path}' was coded under a choice that this version does not know: {new[0]!r}. Read "
            f"it with subq_toolkit {about.get('package')}."
        )
    return about
