"""The file that a wizard works on: uploaded, named by its path, or the bundled sample."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

from subq_toolkit.catalog import dataset
from subq_toolkit.errors import InputError

#: Most that a browser hands to a notebook at once. [bytes]
MOST_UPLOADED = 10 * 1024**2
#: Files that can be uploaded or opened here; the suffix decides how they are read.
SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".psv", ".parquet", ".pq", ".xlsx", ".xlsm")


@dataclass(frozen=True)
class OpenedFile:
    """A file to read, what is shown of it, and the folder that is kept for it."""

    path: Path
    label: str
    about: str = ""
    kept: tempfile.TemporaryDirectory | None = field(default=None, repr=False)


def uploaded(name: str, content: bytes) -> OpenedFile:
    """A file that was uploaded; its name is shown, and never used as a path.

    Raises
    ------
    InputError
        If it is empty, too large, or of a kind that is not read here.
    """
    label = PurePosixPath(PureWindowsPath(name).as_posix()).name or "upload"
    suffix = Path(label).suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            f"The suffix '{suffix}' is not read here. Upload a file that ends in "
            f"{', '.join(SUFFIXES)}; FHIR exports are read in code, see the notebook."
        )
    if not content:
        raise InputError("The file is empty. Export it again.")
    if len(content) > MOST_UPLOADED:
        raise InputError(
            f"The file has {len(content) / 1024**2:,.1f} MB; a browser hands over "
            f"{MOST_UPLOADED // 1024**2} MB at most. Put it beside the notebook and type its path."
        )
    kept = tempfile.TemporaryDirectory(prefix="subq_toolkit_")
    path = Path(kept.name) / f"export{suffix}"
    path.write_bytes(content)
    return OpenedFile(path, label, kept=kept)


def opened(typed: str) -> OpenedFile:
    """A file on this machine, by the path that was typed.

    Raises
    ------
    InputError
        If nothing was typed.
    """
    if not typed.strip():
        raise InputError("Type the path of a file, or upload one.")
    path = Path(typed.strip()).expanduser()
    return OpenedFile(path, path.name)


def sample_file() -> OpenedFile:
    """The bundled export that is small and dirty."""
    path = dataset("administrations") / "dirty_export.csv"
    return OpenedFile(path, path.name, "an invented export, with faults planted")
