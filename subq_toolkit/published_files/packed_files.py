"""The tables inside a zip archive, unpacked within limits."""

import zipfile
import zlib
from pathlib import Path

from subq_toolkit.errors import InputError

#: An archive that unpacks to more than this is refused. [bytes]
MOST_BYTES = 2 * 1024**3
#: So is a file in it that grows more than so many times; tables of CMS grow 5 to 20 times.
MOST_TIMES = 200
#: Kinds of table, the ones that are read best first.
_SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xls")
_CHUNK = 1024**2
#: What reading an archive that is cut off or altered ends in.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError)


def unpacked_tables(path: Path, folder: Path) -> list[Path]:
    """Unpack the tables of an archive into ``folder``, of several formats of one the best.

    Raises
    ------
    InputError
        If the archive is damaged, protected by a password, holds no table, or is larger inside
        than any file CMS publishes.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            members = _best_formats(packed.infolist())
            return _unpack(packed, members, folder, path.name)
    except InputError:
        raise
    except _DAMAGE:
        raise InputError(_damaged(path.name)) from None
    except RuntimeError:
        raise InputError(
            f"'{path.name}' is protected by a password. Unpack it and read the table inside."
        ) from None


def require_modest(path: Path) -> None:
    """Refuse a workbook that is larger inside than a table of CMS; others are left alone.

    Raises
    ------
    InputError
        If it is damaged, or says of itself that it unpacks beyond the limits.
    """
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as packed:
            members = packed.infolist()
    except _DAMAGE:
        raise InputError(_damaged(path.name)) from None
    swollen = any(one.file_size > MOST_TIMES * max(one.compress_size, _CHUNK) for one in members)
    if swollen or sum(one.file_size for one in members) > MOST_BYTES:
        raise InputError(_too_large(path.name))


def _damaged(file: str) -> str:
    return f"'{file}' is damaged, cut off, or not what its suffix says. Download it again."


def _too_large(file: str) -> str:
    return (
        f"'{file}' unpacks to more than {MOST_BYTES / 1024**3:.0f} GB, or a part of it to more "
        f"than {MOST_TIMES} times its packed size. No file of CMS does; if you trust it, save the "
        f"table in it as csv and read that."
    )


def _best_formats(members: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    tables = [one for one in members if Path(one.filename).suffix.lower() in _SUFFIXES]
    tables.sort(key=lambda one: _SUFFIXES.index(Path(one.filename).suffix.lower()))
    best: dict[str, zipfile.ZipInfo] = {}
    for one in tables:
        best.setdefault(Path(one.filename).stem.lower(), one)
    return list(best.values())


def _unpack(
    packed: zipfile.ZipFile, members: list[zipfile.ZipInfo], folder: Path, archive: str
) -> list[Path]:
    if not members:
        raise InputError(
            f"'{archive}' holds no table ({', '.join(_SUFFIXES)}). Check that it is the right one."
        )
    left = MOST_BYTES
    paths = []
    for one in members:
        paths.append(folder / Path(one.filename).name)
        left -= _unpack_one(packed, one, paths[-1], left, archive)
    return paths


def _unpack_one(
    packed: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, left: int, archive: str
) -> int:
    """Write one file; what is really unpacked counts, not what the archive says of itself."""
    most = min(left, MOST_TIMES * max(member.compress_size, _CHUNK))
    size = 0
    with packed.open(member) as source, path.open("wb") as target:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > most:
                raise InputError(_too_large(archive))
            target.write(chunk)
    return size
