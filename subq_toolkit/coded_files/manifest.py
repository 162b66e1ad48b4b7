"""What a folder of coded files holds, and by what it was made: ``manifest.json``."""

import json
from dataclasses import asdict
from pathlib import Path

import polars as pl

from subq_toolkit.coded_files.places import settled
from subq_toolkit.coded_files.sources import Source
from subq_toolkit.errors import InputError
from subq_toolkit.made_by import parameters_mark, version_of
from subq_toolkit.policy import Policy

NAME = "manifest.json"
#: What two calls must agree in for the second to go on where the first stopped.
_AGREED = {
    "subq_toolkit": "the version of subq_toolkit",
    "polars": "the version of Polars",
    "rules": "the values of the rules under parameters/",
    "policy": "the policy",
    "facility_zone": "facility_zone",
    "tables": "tables",
    "parts": "the number of parts",
    "source": "the files of the source",
    "columns": "the columns of the source and their types",
}
_KEPT = ("rows", "rows_at_once", "done", "finished")
#: What the system puts into a folder when somebody looks into it.
_LEFT_BY_SYSTEMS = {".DS_Store", "Thumbs.db", "desktop.ini", f"{NAME}.unfinished"}


def planned(
    source: Source,
    division: tuple[int, int],
    policy: Policy,
    facility_zone: str | None,
    tables: tuple[str, ...],
) -> dict:
    """A manifest of work that has not begun; ``division`` as ``Source.division`` gives it."""
    rows_at_once, parts = division
    return {
        "subq_toolkit": version_of("subq_toolkit"),
        "polars": pl.__version__,
        "rules": parameters_mark(),
        "policy": asdict(policy),
        "facility_zone": facility_zone,
        "tables": list(tables),
        "source": source.files,
        "columns": source.columns,
        "rows": source.rows,
        "parts": parts,
        "rows_at_once": rows_at_once,
        "done": {},
        "finished": False,
    }


def write_manifest(target: Path, manifest: dict) -> None:
    """Put a manifest in place of the one that is there."""
    with settled(target / NAME) as beside:
        beside.write_text(json.dumps(manifest, indent=1), "utf-8")


def read_manifest(target: Path) -> dict | None:
    """The manifest of a folder; None if there is nothing in the folder, or no folder.

    Raises
    ------
    InputError
        If something else is there.
    """
    path = target / NAME
    if path.is_file():
        try:
            manifest = json.loads(path.read_text("utf-8"))
        except ValueError:
            manifest = None
        if isinstance(manifest, dict) and {*_AGREED, *_KEPT} <= set(manifest):
            return manifest
        raise InputError(
            f"'{path}' is no manifest of code_files, or it is damaged. Choose an empty folder, or "
            f"one that is not there yet."
        )
    if target.exists() and (not target.is_dir() or any(_others(target))):
        raise InputError(
            f"'{target}' holds other files, and nothing is written among them. Choose an empty "
            f"folder, or one that is not there yet."
        )
    return None


def _others(target: Path) -> list[Path]:
    return [one for one in target.iterdir() if one.name not in _LEFT_BY_SYSTEMS]


def require_same(target: Path, begun: dict, wanted: dict) -> None:
    """Refuse to mix results of two kinds in one folder.

    Raises
    ------
    InputError
        Naming everything in which the two differ.
    """
    differ = [words for key, words in _AGREED.items() if begun[key] != wanted[key]]
    if differ:
        told = "; ".join(_file_that_differs(begun["source"], wanted["source"]))
        raise InputError(
            f"'{target}' was begun with something else: {', '.join(differ)} "
            f"{'differs' if differ in _SINGULAR else 'differ'}{told and f' ({told})'}. Choose "
            f"another target, or hand in what it was begun with."
        )


_SINGULAR = [
    [_AGREED[key]] for key in ("subq_toolkit", "polars", "policy", "facility_zone", "parts")
]


def _file_that_differs(begun: list[dict], wanted: list[dict]) -> list[str]:
    """The first file that is not as it was, and how many others."""
    before, now = ({one["path"]: one for one in files} for files in (begun, wanted))
    told = [f"'{path}' is no longer there" for path in before if path not in now]
    told += [f"'{path}' is new" for path in now if path not in before]
    told += [f"'{path}' was changed" for path in now if before.get(path, now[path]) != now[path]]
    if not told and list(before) != list(now):
        told = ["their order is another"]
    return [*told[:1], *([f"and {len(told) - 1:,} more"] if len(told) > 1 else [])]
