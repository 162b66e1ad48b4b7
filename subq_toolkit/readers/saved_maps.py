"""How one kind of export is read, stated once and kept in a small file.

A column map holds names of columns and words of the chart, and nothing from its rows.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from subq_toolkit.administrations import CHOICES
from subq_toolkit.errors import InputError
from subq_toolkit.event_log import NewBag
from subq_toolkit.event_log.event_words import agreed_words
from subq_toolkit.plain_text import is_unicode, shown
from subq_toolkit.readers.export_shapes import DURATION_UNITS, SHAPES, in_two_columns
from subq_toolkit.readers.limits import file_at
from subq_toolkit.readers.text_encodings import require_encoding
from subq_toolkit.written_files import place_for, write

KIND = "subq_toolkit column map"
VERSION = 1
_MAPPINGS = ("columns", "events", "answers")
_LARGEST, _LONGEST, _MOST_SHOWN = 1_000_000, 1_000, 10
#: Lists from which a value is chosen; None if it may be left open.
_LISTS = {
    "shape": (*SHAPES,),
    "duration_unit": (None, *DURATION_UNITS),
    "stop_after_midnight": (None, "next_day"),
    "new_bag": ("continues", "begins"),
}


@dataclass(frozen=True)
class ColumnMap:
    """How an export is read: its shape, its columns and its words.

    Attributes
    ----------
    columns
        Name in the file to name here: a column of ``administrations.COLUMNS`` or of
        ``readers.SHAPE_COLUMNS``. Others only get another name.
    shape
        What a row is; see ``readers.SHAPES``.
    events
        Words of an event log and what they mean, ``{"Assess": "rate_verify", "Handoff": None}``.
    answers
        For a column with a fixed list of answers, further words of the chart:
        ``{"route": {"SQ inf": "subcutaneous"}}``; of ``setup_charted``: ``"true"``, ``"false"``.
    time_format, facility_zone, encoding, separator, sheet, header_row
        As in ``read_administrations``; None leaves it to the file.
    duration_unit
        Unit of bare numbers in ``duration``: ``"min"``, ``"h"`` or ``"h:mm"``.
    stop_after_midnight
        ``"next_day"``: a stop clock without a date that is before the start clock is of the
        next day. Without it such a stop is not read.
    new_bag
        What a new bag means while the infusion runs; see ``fold_events``.

    Raises
    ------
    InputError
        If a value is not one of its list, or a word is mapped to something unknown.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    shape: str = "start_stop"
    events: Mapping[str, str | None] = field(default_factory=dict)
    answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    time_format: str | None = None
    facility_zone: str | None = None
    encoding: str | None = None
    separator: str | None = None
    sheet: str | int | None = None
    header_row: int = 1
    duration_unit: str | None = None
    stop_after_midnight: str | None = None
    new_bag: NewBag = "continues"

    def __post_init__(self) -> None:
        for name in _MAPPINGS:
            if not isinstance(getattr(self, name), Mapping):
                raise InputError(f"ColumnMap: {name} must be a mapping, {{...}}.")
            object.__setattr__(self, name, dict(getattr(self, name)))
        for name, allowed in _LISTS.items():
            if getattr(self, name) not in allowed:
                raise InputError(
                    f"ColumnMap: {name}={shown(repr(getattr(self, name)))} is not known. Known: "
                    f"{', '.join(repr(one) for one in allowed)}."
                )
        _require_kinds(self)
        _require_texts(self)
        if self.encoding is not None:
            require_encoding(self.encoding)
        agreed_words(self.events)
        _require_answers(self.answers)

    def save(self, path: str | Path) -> Path:
        """Write the map as a small JSON file: names, words and settings, nothing of a row.

        Raises
        ------
        InputError
            If the path does not end in ``.json`` or nothing can be written there.
        """
        place = place_for(path, (".json",))
        usual = asdict(ColumnMap())
        stated = {
            name: value
            for name, value in asdict(self).items()
            if name in ("columns", "shape") or value != usual[name]
        }
        text = json.dumps(
            {"kind": KIND, "version": VERSION, **stated}, indent=2, ensure_ascii=False
        )
        return write(place, f"{text}\n".encode())

    @classmethod
    def load(cls, path: str | Path) -> "ColumnMap":
        """Read a saved map.

        Raises
        ------
        InputError
            If the file is missing, is no column map, is of a later version, or has keys or
            values that are not known.
        """
        held, name = _held(path)
        if not isinstance(held, dict) or held.pop("kind", None) != KIND:
            raise InputError(f"'{name}' is no column map: it does not begin with its kind.")
        version = held.pop("version", None)
        if version != VERSION:
            raise InputError(
                f"'{name}' is a column map of version {shown(version)}; this release reads version "
                f"{VERSION}. Suggest the columns anew, or update subq_toolkit."
            )
        known = [one.name for one in fields(cls)]
        unknown = [f"'{shown(key)}'" for key in held if key not in known]
        if unknown:
            alike = get_close_matches(unknown[0].strip("'"), known, n=1)
            raise InputError(
                f"'{name}' has a key that is not known: {', '.join(unknown[:_MOST_SHOWN])}. "
                + (f"Did you mean '{alike[0]}'?" if alike else f"Known: {', '.join(known)}.")
            )
        try:
            return cls(**held)
        except InputError as error:
            raise InputError(f"'{name}': {error}") from None

    def __repr__(self) -> str:
        lines = [f"ColumnMap of shape {self.shape}"]
        lines += [f"  {to} <- {name}" for name, to in self.columns.items()]
        usual = asdict(ColumnMap())
        lines += [
            f"  {name} = {value!r}"
            for name, value in asdict(self).items()
            if name not in ("columns", "shape") and value != usual[name]
        ]
        return "\n".join(lines)

    def two_columns(self) -> dict[str, tuple[str, str]]:
        """Times that stand in two columns of the file, and which."""
        return in_two_columns([*self.columns.values()], self.shape)


def _held(path: str | Path) -> tuple[Any, str]:
    """What the file holds, and its name for a message."""
    try:
        path = file_at(path)
        name = shown(path.name)
        if path.stat().st_size > _LARGEST:
            raise InputError(f"'{name}' is too large to be a column map.")
        return json.loads(path.read_text("utf-8-sig"), object_pairs_hook=_once), name
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"'{name}' is no column map: it is not JSON as ColumnMap.save writes it."
        ) from None
    except OSError:
        raise InputError(
            f"'{shown(Path(path).name)}' cannot be opened as a file. Check its path."
        ) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    held = dict(pairs)
    if len(held) != len(pairs):
        raise ValueError("an entry stands twice")
    return held


def _require_kinds(one: ColumnMap) -> None:
    texts = ("time_format", "facility_zone", "encoding", "separator")
    wrong = [name for name in texts if not isinstance(getattr(one, name), str | None)]
    wrong += [] if isinstance(one.sheet, str | int | None) else ["sheet"]
    if wrong:
        raise InputError(f"ColumnMap: {', '.join(wrong)} must be text.")
    if isinstance(one.sheet, bool):
        raise InputError("ColumnMap: sheet must be the name of a sheet, or its number from 1.")
    if not isinstance(one.header_row, int) or isinstance(one.header_row, bool):
        raise InputError("ColumnMap: header_row must be a whole number.")
    if not all(isinstance(part, str) for pair in one.columns.items() for part in pair):
        raise InputError("ColumnMap: columns must map names to names.")


def _require_texts(one: ColumnMap) -> None:
    """Refuse text that no file can hold, or that is too long to be a name or a word."""
    said = {name: getattr(one, name) for name in _MAPPINGS}
    said |= {name: getattr(one, name) for name in ("time_format", "facility_zone", "encoding")}
    said |= {"separator": one.separator, "sheet": one.sheet}
    for name, held in said.items():
        for text in _texts(held):
            if len(text) > _LONGEST:
                raise InputError(
                    f"ColumnMap: {name} has a text of {len(text):,} characters, '{shown(text)}'. "
                    f"Names and words have {_LONGEST:,} at most."
                )
            if "\0" in text or not is_unicode(text):
                raise InputError(
                    f"ColumnMap: {name} has a text with characters that cannot be written to a "
                    f"file: '{shown(text)}'. Leave them out, in the file that is read as well."
                )


def _texts(held: object) -> Iterator[str]:
    if isinstance(held, Mapping):
        for pair in held.items():
            yield from (text for part in pair for text in _texts(part))
    elif isinstance(held, str):
        yield held


def _require_answers(answers: Mapping[str, Mapping[str, str]]) -> None:
    known = {**CHOICES, "setup_charted": ["true", "false"]}
    for column, words in answers.items():
        if column not in known:
            raise InputError(
                f"ColumnMap: answers names '{shown(column)}', which has no list of answers. "
                f"Columns with one: {', '.join(known)}."
            )
        if not isinstance(words, Mapping):
            raise InputError(f"ColumnMap: answers of '{column}' must map words to answers.")
        for word, answer in words.items():
            if not isinstance(word, str) or answer not in known[column]:
                raise InputError(
                    f"ColumnMap: answers of '{column}' map '{shown(word)}' to "
                    f"{shown(repr(answer))}. Answers: "
                    f"{', '.join(known[column])}."
                )
