"""The file that a wizard works on: uploaded, named by its path, or the bundled sample."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

from subq_toolkit.catalog import dataset
from subq_toolkit.errors import InputError
from subq_toolkit.readers import MOST_BYTES
from subq_toolkit.readers.export_files import kind_of
from subq_toolkit.readers.fhir import is_fhir

#: Most that a browser hands to a notebook at once. [bytes]
MOST_UPLOADED = 8 * 1024**2
#: Files that can be uploaded or opened here; the suffix decides how they are read.
SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".psv", ".parquet", ".pq", ".xlsx", ".xlsm")
#: What can be opened, and how large, for whoever looks for a file.
LIMITS = (
    f"CSV or other delimited text, Excel or Parquet. By upload up to {MOST_UPLOADED // 1024**2} "
    f"MB; what is much larger never arrives: put it beside the notebook and type its path, up to "
    f"{MOST_BYTES // 1024**3} GB. An upload stays on the machine that runs this notebook and is "
    f"deleted when another file is opened."
)
_KINDS = {"delimited": "delimited text", "parquet": "Parquet", "excel": "Excel workbook"}


@dataclass(frozen=True)
class OpenedFile:
    """A file to read, what is shown of it, how code names it, and the folder kept for it."""

    path: Path
    label: str
    in_code: str
    about: str = ""
    kept: tempfile.TemporaryDirectory | None = field(default=None, repr=False)

    @property
    def kind(self) -> str:
        """What kind of file it is and how large, in words."""
        return f"{_KINDS[kind_of(self.path)]}, {size_words(self.path.stat().st_size)}"

    def named(self, message: str) -> str:
        """A message with the name that the user knows."""
        return message.replace(f"'{self.path.name}'", f"'{self.label}'")

    def close(self) -> None:
        """Delete what was uploaded."""
        if self.kept is not None:
            self.kept.cleanup()


def size_words(size: int) -> str:
    """A size in words. [bytes]"""
    return f"{size / 1024**2:,.1f} MB" if size >= 1024**2 else f"{size / 1024:,.1f} kB"


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
            f"The file has {size_words(len(content))}; a browser hands over "
            f"{MOST_UPLOADED // 1024**2} MB at most. Put it beside the notebook and type its path."
        )
    kept = tempfile.TemporaryDirectory(prefix="subq_toolkit_")
    path = Path(kept.name) / f"export{suffix}"
    path.write_bytes(content)
    return OpenedFile(path, label, repr(label), kept=kept)


def opened(typed: str) -> OpenedFile:
    """A file on this machine, by the path that was typed.

    Raises
    ------
    InputError
        If nothing was typed, or what was typed is no path of a file that can be read here.
    """
    if not typed.strip():
        raise InputError("Type the path of a file, or upload one.")
    path = usable_path(typed)
    if is_fhir(path):
        raise InputError("FHIR exports name their own entries: they are read in code, see below.")
    kind_of(path)
    if not path.is_file():
        raise InputError("This is no ordinary file. Save the export as a file first.")
    return OpenedFile(path, path.name, repr(typed.strip()))


def usable_path(typed: str) -> Path:
    """A path as it was typed; ``~`` is the home folder.

    Raises
    ------
    InputError
        If the system does not take it as a path.
    """
    try:
        path = Path(typed.strip()).expanduser()
        path.exists()
    except (OSError, RuntimeError, ValueError):
        raise InputError("This is no usable path. Check it, or upload the file.") from None
    return path


def sample_file() -> OpenedFile:
    """The bundled export that is small and dirty."""
    path = dataset("administrations") / "dirty_export.csv"
    in_code = f'sq.dataset("administrations") / "{path.name}"'
    return OpenedFile(path, path.name, in_code, "an invented export, with faults planted")
