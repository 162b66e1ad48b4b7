"""How far the sheets of a workbook reach, told before any table is made of them.

A workbook of some kilobytes can ask for more memory than a machine has: by parts that unpack
to more than they say, by one cell far out, or by one long text that many cells share. The
reader that follows makes its tables in full, empty cells too.
"""

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from copy import copy
from functools import partial
from pathlib import Path

from subq_toolkit.errors import InputError
from subq_toolkit.readers.workbook_cells import Cells, cells_in_records, cells_in_xml

#: Workbooks that unpack to more than this are refused; a full sheet of charting stays below.
MOST_BYTES = 1024**3
#: Cells of one sheet that are read, as many as 12 columns down to the last row of Excel have;
#: such a sheet takes about 1 GB. [cells]
MOST_CELLS = 12 * 1_048_576
#: Text that the cells of one sheet hold, counted for each cell. [bytes]
MOST_TEXT = 512 * 1024**2
_ROWS, _COLUMNS = 1_048_576, 16_384
_CHUNK = 1 << 20
_DAMAGED = (
    *(zipfile.BadZipFile, NotImplementedError, ValueError, RuntimeError, EOFError, OSError),
    *(zlib.error, lzma.LZMAError, struct.error, LookupError, OverflowError),
)


def require_extent(path: Path) -> None:
    """Refuse a workbook of parts in a zip archive that is damaged or reaches too far.

    Raises
    ------
    InputError
        If it is protected, cannot be unpacked, unpacks to more than 1 GB or to more than it
        says, or a sheet needs more cells or text than is read.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            _require_size(packed, path.name)
            _require_parts(packed, path)
    except InputError:
        raise
    except _DAMAGED:
        raise InputError(
            f"'{path.name}' is a damaged workbook: its parts cannot be unpacked, as happens when a "
            f"copy is cut short. Copy it again, or open it in Excel and save it again, or as CSV."
        ) from None


def protected(file: str) -> InputError:
    """What is said of a workbook that is encrypted."""
    return InputError(
        f"'{file}' is protected by a password. Open it in Excel, remove the password (File, Info, "
        f"Protect Workbook) and save it, or save the sheet as CSV."
    )


def _require_size(packed: zipfile.ZipFile, file: str) -> None:
    parts = packed.infolist()
    if any(one.flag_bits & 1 for one in parts):
        raise protected(file)
    size = sum(one.file_size for one in parts)
    if size > MOST_BYTES:
        raise InputError(
            f"'{file}' unpacks to {size / 1024**3:.1f} GB, more than the "
            f"{MOST_BYTES / 1024**3:.0f} GB read from a workbook. Save the sheet as CSV."
        )


def _require_parts(packed: zipfile.ZipFile, path: Path) -> None:
    meet = cells_in_records if path.suffix.lower() == ".xlsb" else cells_in_xml
    parts = [(one.filename, partial(_unpacked, packed, one)) for one in packed.infolist()]
    met = [meet(*part) for part in parts]
    for place, cells in enumerate(met):
        if cells.guessed and _too_far(cells):
            met[place] = meet(*parts[place], exact=True)
        _require_cells(met[place], path.name)
    longest = max((max(one.lengths(), default=0) for one in met), default=0)
    for part, cells in zip(parts, met, strict=True):
        if cells.rows * cells.columns * longest > MOST_TEXT:
            held = meet(*part, exact=True).shared
            for texts in met:
                _require_text(held, texts.lengths(), path.name)


def _unpacked(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """The content of a part in chunks; an entry that says less than there is, is a lie."""
    said, part, size = part.file_size, copy(part), 0
    part.file_size = said + 1
    with packed.open(part) as stream:
        while read := stream.read(_CHUNK):
            size += len(read)
            if size > said:
                raise zipfile.BadZipFile
            yield read


def _too_far(cells: Cells) -> bool:
    beyond = cells.rows > _ROWS or cells.columns > _COLUMNS
    return beyond or cells.rows * cells.columns > MOST_CELLS


def _require_cells(cells: Cells, file: str) -> None:
    if _too_far(cells):
        raise InputError(
            f"'{file}': a sheet reaches to row {cells.rows:,} and column {cells.columns:,}, more "
            f"than the {MOST_CELLS:,} cells read from one. A stray cell far out does that: delete "
            f"the empty rows and columns, or save the sheet as CSV."
        )
    if len(cells.begins) > MOST_CELLS + 1:
        raise _too_much_text(file)


def _require_text(held: list[int], lengths: list[int], file: str) -> None:
    if sum(lengths[place] for place in held if place < len(lengths)) > MOST_TEXT:
        raise _too_much_text(file)


def _too_much_text(file: str) -> InputError:
    return InputError(
        f"'{file}': a sheet holds more than the {MOST_TEXT // 1024**2} MB of text read from one. "
        f"Leave out columns of long text, or save the sheet as CSV."
    )
