"""How large a file is read, so that a slip does not take the machine down with it."""

from pathlib import Path

from subq_toolkit.errors import InputError

#: Largest file that is read unless another limit is stated. A year of a large hospital's
#: charting of infusions is some hundred megabytes. [bytes]
MOST_BYTES = 2 * 1024**3
#: Most rows that are read unless another limit is stated.
MOST_ROWS = 20_000_000


def require_size(path: Path, max_bytes: int) -> None:
    """Refuse a file of more than ``max_bytes``, before any of it is read."""
    size = path.stat().st_size
    if size > max_bytes:
        raise InputError(
            f"'{path.name}' has {_megabytes(size)}, more than the limit of "
            f"{_megabytes(max_bytes)}. Export fewer columns or a shorter period, save it as "
            f"Parquet, or state a larger limit: max_bytes={size}."
        )


def require_rows(path: Path, rows: int, max_rows: int) -> None:
    """Refuse a table of more than ``max_rows`` rows."""
    if rows > max_rows:
        raise InputError(
            f"'{path.name}' has {rows:,} rows, more than the limit of {max_rows:,}. Read a shorter "
            f"period, or state a larger limit: max_rows={rows}."
        )


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:,.1f} MB" if size >= 1024**2 / 10 else f"{size:,} bytes"
