"""Files that are whole or not there at all."""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from subq_toolkit.errors import InputError
from subq_toolkit.plain_text import one_line, shown


def check_place(path: Path) -> None:
    """Refuse a path at which no file can be written.

    Raises
    ------
    InputError
        If the folder does not exist, or the path is a folder itself.
    """
    if not _is_folder(path.parent):
        raise InputError(
            f"There is no folder '{one_line(path.parent)}'. Create it, or choose another."
        )
    if _is_folder(path):
        raise InputError(f"'{one_line(path)}' is a folder. Give the file a name of its own.")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def place_for(path: str | Path, endings: Sequence[str]) -> Path:
    """A path at which a file of one of these kinds can be written.

    Raises
    ------
    InputError
        If it is no path, has none of the endings, or its folder is not there.
    """
    if not isinstance(path, str | Path):
        raise InputError(f"path is the name of a file; this is a {type(path).__name__}.")
    path = Path(path)
    if path.suffix.lower() not in endings:
        raise InputError(
            f"'{shown(path.name)}' has no ending that says what to write. It can end in "
            f"{', '.join(endings)}."
        )
    check_place(path)
    return path


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
        why = getattr(refused, "strerror", None) or type(refused).__name__
        raise InputError(
            f"'{one_line(path)}' cannot be written ({why}). Close it where it is open, see that "
            f"you may write into the folder, or choose another name."
        ) from None
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
    return path
