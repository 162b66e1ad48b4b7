"""A file of X12 held against its guide by pyx12: what is missing, too much or out of place.

Findings name the segment and element in our own words; what stands in the file is not shown.
"""

import io
from pathlib import Path
from typing import Any

import polars as pl

from subq_toolkit.effective import read_table
from subq_toolkit.errors import InputError
from subq_toolkit.plain_text import shown
from subq_toolkit.readers.faults import tells_faults
from subq_toolkit.readers.limits import file_at
from subq_toolkit.x12.segments import NAME, open_x12, pyx12_parts, x12_text

_SCHEMA = {
    "line": pl.Int64(),
    "segment": pl.String(),
    "element": pl.String(),
    "code": pl.String(),
    "says": pl.String(),
}
#: pyx12 goes on counting over the end of an interchange; envelopes are counted elsewhere.
_ENVELOPE = ("ISA", "GS", "ST", "SE", "GE", "IEA")
_TOO_OFTEN = ("4", "5")
#: What pyx12 raises itself where a value or an order is odd enough.
_STUMBLES = (IndexError, AttributeError, ValueError, KeyError, TypeError, AssertionError)
_STOPPED = "this segment, or what follows it, could not be checked"


@tells_faults
def check_guide(path: str | Path, *, max_bytes: int | None = None) -> pl.DataFrame:
    """Hold a claim or remittance file against its implementation guide.

    Parameters
    ----------
    path
        The file, with its envelopes (ISA to IEA).
    max_bytes
        A larger file is refused before it is read [bytes].

    Returns
    -------
    pl.DataFrame
        One row per finding, none for a sound file: ``line`` (segments of the file counted
        from 1), ``segment``, ``element`` (such as ``CLM05-1``; null for a whole segment),
        ``code`` (of pyx12), ``says``. Values of the file are not shown.

    Notes
    -----
    The maps are those of pyx12 (https://github.com/azoner/pyx12); they know fewer situations
    than a payer does. Reading a file does not need this check.

    Raises
    ------
    InputError
        If pyx12 is not installed, this is no X12 of version 5010, or there is no map for it.
    """
    path = file_at(path)
    opened = open_x12(path, max_bytes)
    found = [(line, None, None, None, words) for line, words in opened.findings]
    _, x12errors = pyx12_parts()
    from pyx12 import params, x12context

    notes = _notes()
    context = x12context.X12ContextReader(
        params.params(), notes, io.StringIO(x12_text(path, max_bytes))
    )
    try:
        for _ in context.iter_segments():
            pass
    except (x12errors.EngineError, x12errors.X12Error, *_STUMBLES):
        if not notes.line:
            raise InputError(
                f"'{shown(path.name)}' cannot be held against a guide: its groups are of a version "
                f"without a map, or its segments are out of order from the start."
            ) from None
        notes.found.append((notes.line, notes.segment, None, None, _STOPPED))
    frame = pl.DataFrame([*found, *notes.found], schema=_SCHEMA, orient="row")
    return frame.sort("line", maintain_order=True)


def _notes() -> Any:
    """A handler of findings of pyx12 that keeps their codes and forgets their texts."""
    from pyx12.error_handler import errh_null

    words = read_table("charge_words")

    class Notes(errh_null):
        def __init__(self) -> None:
            super().__init__()
            self.found: list[tuple] = []
            self.line, self.segment = 0, None

        def add_seg(self, node: Any, seg: Any, count: int, line: int, loop: Any) -> None:
            name = seg.get_seg_id() or ""
            self.line, self.segment = line, name if NAME.fullmatch(name) else None

        def handle_errors(self, errors: Any) -> None:
            for level, code, *_ in errors:
                if level == "seg":
                    self.seg_error(code, "")

        def seg_error(self, code: str, *_: Any, **__: Any) -> None:
            if self.segment in _ENVELOPE and code in _TOO_OFTEN:
                return
            says = words["x12_segment"].get(code, "segment does not follow the guide")
            self.found.append((self.line, self.segment, None, code, says))

        def ele_error(self, code: str, text: str, value: Any, place: Any = None) -> None:
            says = words["x12_element"].get(code, "element does not follow the guide")
            self.found.append((self.line, self.segment, place, code, says))

    return Notes()
