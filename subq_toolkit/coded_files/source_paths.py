"""Which files a source is, and whether results written beside them could be taken for some."""

import glob
import os
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from subq_toolkit.errors import InputError

Paths = str | Path | Sequence[str | Path]
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


class SourceFile(NamedTuple):
    """A file, and what the names of the folders below the given one say, such as ``year=2024``."""

    path: Path
    of_folders: dict[str, str | None]


def place_of(path: str | Path, told_as: str = "source") -> Path:
    """A path of this machine with its ``~`` and ``file://`` resolved.

    Raises
    ------
    InputError
        If it is an address of something else.
    """
    text = str(path)
    if text.startswith("file://"):
        text = unquote(text.removeprefix("file://").removeprefix("localhost"))
    elif "://" in text:
        raise InputError(
            f"{told_as} must be on this machine, so that a later call can see that the files are "
            f"still the same. Copy source here first, and write target here."
        )
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise InputError(f"'{path}': there is no such user. Write the path out.") from None


def source_files(source: Paths) -> list[SourceFile]:
    """Every file of a source in order; of folders and patterns sorted by path.

    Raises
    ------
    InputError
        If there is none, or one is there twice.
    """
    files = [file for given in _given(source) for file in _files_of(given)]
    seen: set[Path] = set()
    for path, _ in files:
        there = path.resolve()
        if there in seen:
            raise InputError(
                f"source names '{path}' twice, and its rows would be coded twice. Name it once."
            )
        seen.add(there)
    return files


def require_apart(source: Paths, files: list[SourceFile], target: Path) -> None:
    """Refuse a target whose files a later scan of the source would take for charted runs.

    Raises
    ------
    InputError
        If there are such.
    """
    place = target.resolve()
    written = (place / "findings" / "part-00000.parquet", place / "manifest.json")
    for given in _given(source):
        reached = given.is_dir() and place.is_relative_to(given.resolve())
        if not given.exists():
            reached = any(_matches(one.parts, _whole(given)) for one in written)
        if reached:
            break
    else:
        reached = any(file.path.resolve().is_relative_to(place) for file in files)
    if reached:
        raise InputError(
            f"target '{target}' lies within source, which would take in the results the next time. "
            f"Choose a folder beside it."
        )


def _given(source: Paths) -> list[Path]:
    paths = [source] if isinstance(source, str | Path) else source
    listed = isinstance(paths, Sequence) and len(paths) > 0
    if not listed or not all(isinstance(one, str | Path) and str(one) for one in paths):
        raise InputError(
            "source is the path of a Parquet file, a folder, a pattern such as 'years/*.parquet', "
            "or a list of paths. A table in memory goes to code_administrations()."
        )
    return [place_of(one) for one in paths]


def _files_of(given: Path) -> list[SourceFile]:
    if given.is_dir():
        below = [
            Path(folder) / name
            for folder, _, names in os.walk(given, followlinks=True)
            for name in names
        ]
        told = {path: path.relative_to(given) for path in below}
        found = [
            SourceFile(path, _said_by(told[path])) for path in below if not _hidden(told[path])
        ]
        missed = "holds no file"
    elif given.exists() or given.is_symlink() or not glob.has_magic(str(given)):
        return [SourceFile(given, {})]
    else:
        matched = [Path(path) for path in glob.glob(str(given), recursive=True)]
        found = [
            SourceFile(path, {})
            for path in matched
            if not path.is_dir() and not _hidden(Path(path.name))
        ]
        missed = "matches no file"
    if not found:
        raise InputError(
            f"source '{given}' {missed}. Name a folder, a file, or a pattern such as "
            f"'years/*.parquet'."
        )
    return sorted(found, key=lambda file: str(file.path))


def _hidden(path: Path) -> bool:
    """As Spark sees it: ``.DS_Store``, ``_SUCCESS``, ``_temporary/…``, not ``_year=2024/…``."""
    return any(
        name.startswith(".") or (name.startswith("_") and "=" not in name) for name in path.parts
    )


def _said_by(path: Path) -> dict[str, str | None]:
    told = [name.split("=", 1) for name in path.parent.parts if "=" in name]
    return {unquote(name): None if value == _NO_VALUE else unquote(value) for name, value in told}


def _whole(pattern: Path) -> tuple[str, ...]:
    """The parts of a pattern from the root, links resolved up to its first sign."""
    parts = pattern.absolute().parts
    fixed = next((n for n, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return (*Path(*parts[:fixed]).resolve().parts, *parts[fixed:])


def _matches(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[n:], pattern[1:]) for n in range(len(parts) + 1))
    fits = bool(parts) and fnmatchcase(parts[0], pattern[0])
    return fits and _matches(parts[1:], pattern[1:])
