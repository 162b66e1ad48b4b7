"""Names of files, packages that write them, and files without the time of their making."""

import re
import zipfile
from importlib import import_module
from io import BytesIO
from types import ModuleType

from subq_toolkit.errors import InputError
from subq_toolkit.plain_text import one_line

_MOST_NAME = 60
#: The day that stands in every file as that of its making, so that equal work makes equal files.
MADE_ON = (2000, 1, 1, 0, 0, 0)


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


def undated(packed: bytes) -> bytes:
    """A zip file with the same content, without the time of its making."""
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(packed)) as old, zipfile.ZipFile(made, "w") as new:
        for entry in old.infolist():
            kept = zipfile.ZipInfo(entry.filename, MADE_ON)
            kept.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(kept, old.read(entry))
    return made.getvalue()
