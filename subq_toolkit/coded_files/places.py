"""Files and folders that are whole or not there: written under another name, then renamed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl

from subq_toolkit.errors import InputError

_UNFINISHED = ".unfinished"


@contextmanager
def settled(path: Path) -> Iterator[Path]:
    """Give a name to write to; what was written there gets its own name at the end."""
    beside = path.with_name(path.name + _UNFINISHED)
    beside.parent.mkdir(parents=True, exist_ok=True)
    yield beside
    with beside.open("r+b") as written:
        os.fsync(written.fileno())
    beside.replace(path)


@contextmanager
def settled_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder to write to, which gets its own name at the end."""
    beside = path.with_name(path.name + _UNFINISHED)
    if beside.exists():
        shutil.rmtree(beside)
    beside.mkdir(parents=True)
    yield beside
    beside.rename(path)


@contextmanager
def tells_what_cannot_be_written(target: Path) -> Iterator[None]:
    """Have a full disk or a missing permission told as such.

    Raises
    ------
    InputError
        With the system's own word for it, and the remedy.
    """
    try:
        yield
    except (OSError, pl.exceptions.ComputeError) as fault:
        system = fault if isinstance(fault, OSError) else None
        if system is None and "os error" not in str(fault):
            raise
        free = f"{_free_bytes(target) / 1e9:,.1f} GB are free there"
        why = (system and system.strerror) or str(fault).splitlines()[0]
        raise InputError(
            f"'{target}' cannot be written ({why}); {free}. Make room (about four times the size "
            f"of the source) or see that you may write there, then call again: the work goes on "
            f"where it stopped."
        ) from None


def _free_bytes(path: Path) -> int:
    with suppress(OSError, StopIteration):
        return shutil.disk_usage(next(one for one in (path, *path.parents) if one.exists())).free
    return 0


@contextmanager
def only_one_at_work(path: Path) -> Iterator[None]:
    """Hold a file that a second call with the same target cannot hold at the same time.

    Its folder is made so that nobody else may look into it.

    Raises
    ------
    InputError
        If another call holds it. The system lets go of it when a process ends, killed or not.
    """
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.parent.chmod(0o700)
    with path.open("a") as file:
        try:
            _hold(file.fileno())
        except OSError:
            raise InputError(
                f"'{path.parent.parent}' is being written by another call of code_files. Wait for "
                f"it, or stop it first."
            ) from None
        yield


def _hold(number: int) -> None:
    try:
        import fcntl
    except ImportError:
        import msvcrt

        msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
