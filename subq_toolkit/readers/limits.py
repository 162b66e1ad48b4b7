"""Which file is read and how large, so that a slip does not take the machine down with it."""

from difflib import get_close_matches
from pathlib import Path

from subq_toolkit.errors import InputError
from subq_toolkit.plain_text import shown

#: Largest file that is read unless another limit is stated. A year of a large hospital's
#: charting of infusions is some hundred megabytes. [bytes]
MOST_BYTES = 2 * 1024**3
#: Most rows that are read unless another limit is stated.
MOST_ROWS = 20_000_000


def file_at(path: str | Path) -> Path:
    """The path of a file that is there and can be opened; pipes and devices never end.

    Raises
    ------
    InputError
        If this is no path, or at it is no file that may be read.
    """
    if not isinstance(path, str | Path):
        raise InputError(
            f"Hand in the path of a file as text or Path; this is a {type(path).__name__}."
        )
    path = Path(path)
    try:
        if path.is_file():
            path.open("rb").close()
            return path
        folder, there = path.is_dir(), path.exists()
        near = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    except PermissionError:
        raise InputError(
            f"'{shown(path.name)}' may not be read: permission is denied. Ask for the right to "
            f"read it, or copy it to a folder of your own."
        ) from None
    except ValueError:
        raise InputError("The path of the file holds a NUL character.") from None
    if folder:
        raise InputError(f"'{shown(path.name)}' is a folder. Name one file in it.")
    if there:
        raise InputError(
            f"'{shown(path.name)}' is no regular file but a pipe or a device. Save what it gives "
            f"as a file, and name that."
        )
    alike = get_close_matches(path.name, near, n=3, cutoff=0.5)
    raise InputError(
        f"There is no file '{shown(path.name)}' in that folder. "
        + (f"Look-alikes there: {', '.join(map(repr, alike))}." if alike else "Check the path.")
    )


def require_row(header_row: int) -> None:
    """Refuse what is no place of a header."""
    if not isinstance(header_row, int) or isinstance(header_row, bool) or header_row < 1:
        raise InputError("header_row counts from 1: 1 is the first row of the file.")


def require_size(path: Path, max_bytes: int) -> None:
    """Refuse a file of more than ``max_bytes``, before any of it is read."""
    size = path.stat().st_size
    if size > max_bytes:
        raise InputError(
            f"'{shown(path.name)}' has {_megabytes(size)}, more than the limit of "
            f"{_megabytes(max_bytes)}. Export fewer columns or a shorter period, save it as "
            f"Parquet, or state a larger limit: max_bytes={size}."
        )


def require_rows(path: Path, rows: int, max_rows: int) -> None:
    """Refuse a table of more than ``max_rows`` rows."""
    if rows > max_rows:
        raise InputError(
            f"'{shown(path.name)}' has {rows:,} rows, more than the limit of {max_rows:,}. Read "
            f"a shorter period, or state a larger limit: max_rows={rows}."
        )


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:,.1f} MB" if size >= 1024**2 / 10 else f"{size:,} bytes"
