"""Files that are whole or not there at all."""

import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

from subq_toolkit.errors import InputError

#: What XML 1.0 cannot hold, not even escaped.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: What a cell of a workbook holds at most, and the rows of a sheet below its head.
MOST_TEXT, MOST_ROWS = 32_767, 1_048_575


def printable(text: object) -> str:
    """A text without the characters that no document can hold."""
    return _NO_XML.sub("", str(text))[:MOST_TEXT]


def excel_writer() -> ModuleType:
    """The package that writes workbooks.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        return import_module("xlsxwriter")
    except ModuleNotFoundError:
        raise InputError(
            "Writing Excel needs xlsxwriter, which is not installed. Install it with: "
            'pip install "subq_toolkit[excel]"'
        ) from None


def check_rows(rows: int, remedy: str) -> None:
    """Refuse more rows than a sheet holds.

    Raises
    ------
    InputError
        If there are more.
    """
    if rows > MOST_ROWS:
        raise InputError(f"A sheet of Excel holds {MOST_ROWS:,} rows; these are {rows:,}. {remedy}")


def place_for(path: str | Path, endings: Sequence[str]) -> Path:
    """A path at which a file can be written.

    Raises
    ------
    InputError
        If it has none of the endings, or its folder is not there.
    """
    if not isinstance(path, str | Path):
        raise InputError(f"path is the name of a file; this is a {type(path).__name__}.")
    path = Path(path)
    if path.suffix.lower() not in endings:
        raise InputError(f"'{path.name}' must end in {' or '.join(endings)}.")
    try:
        folder, taken = path.parent.is_dir(), path.is_dir()
    except (OSError, ValueError):
        folder, taken = False, False
    if not folder:
        raise InputError(f"There is no folder '{path.parent}'. Create it, or choose another.")
    if taken:
        raise InputError(f"'{path}' is a folder. Give the file a name of its own.")
    return path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A file beside the place to write to, which is moved there when it is complete.

    Raises
    ------
    InputError
        If it cannot be written there.
    """
    beside = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        yield beside
        beside.replace(path)
    except (OSError, ValueError) as refused:
        if isinstance(refused, InputError):
            raise
        why = getattr(refused, "strerror", None) or type(refused).__name__
        raise InputError(
            f"'{path}' cannot be written ({why}). Close it where it is open, see that you may "
            f"write into the folder, or choose another name."
        ) from None
    finally:
        beside.unlink(missing_ok=True)
