"""How much a column of a file looks like a known one: by its name, by its values, by both."""

from difflib import SequenceMatcher
from functools import cache
from typing import NamedTuple

from subq_toolkit.administrations import AMOUNTS, CHOICES, COLUMNS
from subq_toolkit.effective import read_table
from subq_toolkit.readers.charted_fields import plain
from subq_toolkit.readers.export_shapes import SHAPE_COLUMNS
from subq_toolkit.readers.value_kinds import Values

#: Columns that a column of a file may be; of two as likely the earlier is taken.
TARGETS = (
    *("encounter_id", "order_id", "event", "event_at", "event_date", "event_clock"),
    *("start_at", "stop_at", "start_date", "start_clock", "stop_date", "stop_clock", "duration"),
    *(
        name
        for name in COLUMNS
        if name not in ("encounter_id", "start_at", "stop_at", "unreadable")
    ),
)
#: Numbers that such a column plausibly has in its middle.
_USUAL = {
    "volume_ml": (0.1, 5_000),
    "rate_ml_per_h": (0.05, 1_500),
    "concentration_mg_per_ml": (0.001, 500),
    "dose_mg": (0.01, 200_000),
    "needles": (1, 12),
}
#: What a time in two columns may be called as well.
_ALSO = {
    **{f"start_{part}": "start_at" for part in ("date", "clock")},
    **{f"stop_{part}": "stop_at" for part in ("date", "clock")},
    **{f"event_{part}": "event_at" for part in ("date", "clock")},
}
_LIKE, _CONTAINED, _NAME_ALONE, _VALUES_ALONE = 0.82, 0.7, 0.8, 0.6
_MOSTLY = 0.6


class Score(NamedTuple):
    """How likely a column is a known one, and what says so."""

    confidence: float
    why: str


@cache
def _names(target: str) -> tuple[str, ...]:
    vocabulary = read_table("vocabulary")
    listed = [*vocabulary["columns"].get(target, ()), *vocabulary["shape_columns"].get(target, ())]
    also = _ALSO.get(target)
    return (target, *listed, *(_names(also) if also else ()))


@cache
def name_score(name: str, target: str) -> float:
    """How much a name looks like a listed one of ``target``, 0 to 1."""
    bare, words = plain(name), {part for part in _parts(name) if part}
    best = 0.0
    for listed in _names(target):
        if plain(listed) == bare:
            return 1.0
        parts = {part for part in _parts(listed) if part}
        if parts <= words and (len(parts) > 1 or len(plain(listed)) > 3):
            best = max(best, _CONTAINED + 0.1 * (len(parts) > 1))
        if min(len(bare), len(plain(listed))) > 3:
            alike = SequenceMatcher(None, bare, plain(listed)).ratio()
            best = max(best, 0.95 * alike if alike >= _LIKE else 0.0)
    return best


def _parts(name: str) -> list[str]:
    kept = "".join(c if c.isalnum() else " " for c in name.lower())
    return kept.split()


def value_score(values: Values, target: str) -> float | None:
    """How much values look like those of ``target``, 0 to 1; None if they say nothing."""
    if not values.filled:
        return None

    def share(kind: str) -> float:
        return values.share(kind) or 0.0

    if target.endswith("_at"):
        return share("moment") * (0.6 if share("midnight") > 0.95 and values.filled > 1 else 1)
    if target.endswith("_date"):
        return max(share("day"), share("midnight"))
    if target.endswith("_clock"):
        return share("clock")
    if target == "event":
        both = values.counts["event_begins"] and values.counts["event_ends"]
        return share("event") * (1.0 if both else 0.4)
    if target in (*CHOICES, "setup_charted"):
        return share(target)
    if target == "duration":
        usual = 1 if _in(values.middle, 0.1, 6_000) or not share("number") else 0.4
        return share("length") + share("number") * usual
    if target in (*AMOUNTS, "needles"):
        return share("number") * (1 if _in(values.middle, *_USUAL[target]) else 0.5)
    if target == "em_code":
        return share("visit_code")
    if target == "locality":
        return share("locality") or None
    return 0.0 if max(share("moment"), share("day")) > _MOSTLY else None


def _in(middle: float | None, low: float, high: float) -> bool:
    return middle is not None and low <= middle <= high


def score(name: str, values: Values, target: str) -> Score:
    """Name and values together."""
    by_name, by_values = name_score(name, target), value_score(values, target)
    if by_name == 0:
        telling = target in ("event", "route", "setting", "delivery", "device", "mode")
        strong = telling and by_values is not None and by_values >= _MOSTLY
        several = values.distinct > 1 or target == "route"
        return Score(_VALUES_ALONE * by_values, "values") if strong and several else Score(0, "")
    if by_values is None:
        return Score(_NAME_ALONE * by_name, "name")
    if by_values < 0.5:
        return Score(0.6 * by_name * by_values, "name, against its values")
    return Score(by_name * (0.5 + 0.5 * by_values), "name and values")


def targets_of(shape: str) -> tuple[str, ...]:
    """The columns that a file of this shape may have."""
    event = ("event", "event_at", "event_date", "event_clock", "order_id")
    if shape == "event_log":
        others = (name for name in SHAPE_COLUMNS if name not in event)
        left_out: tuple[str, ...] = (*others, "start_at", "stop_at")
    else:
        stops = ("stop_at", "stop_date", "stop_clock") if shape != "start_stop" else ()
        left_out = (*event, *stops)
        left_out += () if shape == "start_duration" else ("duration",)
    return tuple(name for name in TARGETS if name not in left_out)
