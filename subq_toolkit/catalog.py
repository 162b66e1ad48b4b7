"""Find the data that comes with the toolkit by name: ``datasets/`` of the package or the clone.

An installed package carries its own copy, which is looked at first; a clone keeps
it at the top of the repository. The folder one happens to work in is never searched.
"""

from difflib import get_close_matches
from pathlib import Path

import polars as pl

from subq_toolkit.errors import InputError

_PACKAGE = Path(__file__).resolve().parent


def dataset(name: str) -> Path:
    """Folder of a dataset; its README.md says what each file and column means.

    Raises
    ------
    InputError
        If no dataset has that name; the message lists the nearest ones.
    """
    known = _folders()
    if name not in known:
        near = get_close_matches(name, known, cutoff=0.4)
        meant = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
        raise InputError(
            f"There is no dataset '{name}'. {meant}Known: {', '.join(known) or 'none'}; "
            f"datasets() says what each holds."
        )
    return known[name]


def datasets() -> pl.DataFrame:
    """What there is: ``name``, ``files`` beside the README, ``about`` (its first paragraph)."""
    return pl.DataFrame(
        [
            (name, sorted(file.name for file in folder.iterdir() if _is_data(file)), _about(folder))
            for name, folder in _folders().items()
        ],
        schema={"name": pl.String, "files": pl.List(pl.String), "about": pl.String},
        orient="row",
    )


def sample_administrations() -> pl.LazyFrame:
    """The bundled chart export, scanned lazily: invented rows, see its README.md."""
    return pl.scan_parquet(dataset("administrations") / "administrations.parquet")


def sample_charges() -> pl.LazyFrame:
    """The bundled charge extract for that chart, scanned lazily: invented, errors planted."""
    return pl.scan_parquet(dataset("charges") / "charges.parquet")


def _folders() -> dict[str, Path]:
    home = _home(_PACKAGE)
    return {readme.parent.name: readme.parent for readme in sorted(home.glob("*/README.md"))}


def _home(package: Path) -> Path:
    """The ``datasets`` folder that belongs to ``package``.

    Beside an installed package another project's folder may be called ``datasets``,
    so the one beside it counts only in a clone, which has a pyproject.toml there.
    """
    if (package / "datasets").is_dir():
        return package / "datasets"
    clone = package.parent
    if (clone / "pyproject.toml").is_file() and (clone / "datasets").is_dir():
        return clone / "datasets"
    raise InputError(
        "The data folder 'datasets' of subq_toolkit is missing from this installation. "
        "Install the package again from its wheel, or work in a complete clone."
    )


def _is_data(file: Path) -> bool:
    return file.is_file() and file.name != "README.md" and not file.name.startswith(".")


def _about(folder: Path) -> str:
    paragraphs = (folder / "README.md").read_text("utf-8").split("\n\n")
    plain = (text for text in paragraphs if not text.lstrip().startswith("#"))
    return " ".join(next(plain, "").split())
