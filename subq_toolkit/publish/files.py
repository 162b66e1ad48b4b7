"""Files that are whole or not there at all, and texts that no format takes for markup."""

import re
import secrets
import unicodedata
import zipfile
from collections.abc import Sequence
from importlib import import_module
from io import BytesIO
from pathlib import Path
from types import ModuleType

from subq_toolkit.errors import InputError

_MOST_NAME = 60
#: What XML 1.0 cannot hold, not even escaped.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: The day that stands in every file as that of its making, so that equal work makes equal files.
MADE_ON = (2000, 1, 1, 0, 0, 0)


def printable(text: object) -> str:
    """A text without the characters that no document can hold."""
    return _NO_XML.sub("", str(text))


def one_line(text: object) -> str:
    """A text on one line, without control characters."""
    kept = " ".join(printable(text).split())
    return "".join(char for char in kept if unicodedata.category(char) != "Cc")


def file_stem(name: str) -> str:
    """A name as part of a file name that every system takes."""
    kept = re.sub(r"[^\w-]+", "_", one_line(name)).strip("_")
    return kept[:_MOST_NAME].rstrip("_") or "chart"


def needed(module: str) -> ModuleType:
    """Import a package that only reports need.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as missing:
        if missing.name != module.split(".")[0]:
            raise
        raise InputError(
            f"This kind of file needs the package '{missing.name}', which is not installed. "
            f'Install it with: pip install "subq_toolkit[report]"'
        ) from None


def check_place(path: Path) -> None:
    """Refuse a path at which no file can be written.

    Raises
    ------
    InputError
        If the folder does not exist, or the path is a folder itself.
    """
    if not _is_folder(path.parent):
        raise InputError(f"There is no folder '{path.parent}'. Create it, or choose another.")
    if _is_folder(path):
        raise InputError(f"'{path}' is a folder. Give the file a name of its own.")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def place_for(path: str | Path, endings: Sequence[str]) -> tuple[Path, str]:
    """A path at which a file can be written, and its ending.

    Raises
    ------
    InputError
        If it has none of the endings, or its folder is not there.
    """
    if not isinstance(path, str | Path):
        raise InputError(f"path is the name of a file; this is a {type(path).__name__}.")
    path = Path(path)
    if path.suffix.lower() not in endings:
        raise InputError(
            f"'{path.name}' has no ending that says what to write. It can end in "
            f"{', '.join(endings)}."
        )
    check_place(path)
    return path, path.suffix.lower()


def write(path: Path, data: bytes) -> Path:
    """Write a file beside its place and then move it there, so that it is never half there.

    Raises
    ------
    InputError
        If it cannot be written there.
    """
    check_place(path)
    beside = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    except (OSError, ValueError) as refused:
        why = getattr(refused, "strerror", None) or str(refused)
        raise InputError(
            f"'{path}' cannot be written ({why}). Close it where it is open, see that you may "
            f"write into the folder, or choose another name."
        ) from None
    finally:
        beside.unlink(missing_ok=True)
    return path


def undated(packed: bytes) -> bytes:
    """A zip file with the same content, without the time of its making."""
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(packed)) as old, zipfile.ZipFile(made, "w") as new:
        for entry in old.infolist():
            kept = zipfile.ZipInfo(entry.filename, MADE_ON)
            kept.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(kept, old.read(entry))
    return made.getvalue()
