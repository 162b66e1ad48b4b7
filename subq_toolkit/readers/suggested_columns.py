"""A proposal of how to read an export, from its names and its first rows; never applied unasked."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from subq_toolkit.readers.column_scores import Score, score, targets_of
from subq_toolkit.readers.export_shapes import SHAPES, in_two_columns, lacking
from subq_toolkit.readers.faults import tells_faults
from subq_toolkit.readers.sampled_exports import sampled
from subq_toolkit.readers.saved_maps import ColumnMap
from subq_toolkit.readers.suggested_questions import duration_unit_of, questions_of
from subq_toolkit.readers.suggestion_tables import LISTED_FROM, PROPOSED_FROM, suggestion_table
from subq_toolkit.readers.value_kinds import Values, text_of, values_of

#: Most columns of a file that are looked at; each is held against every known one.
MOST_COLUMNS = 400
_BY_TIMES = 0.5
_PREVIEWED = 5
#: Of two shapes as likely, the one that leaves least to be made up.
_BEFORE = {"start_stop": 3, "event_log": 2, "start_duration": 1, "start_volume_rate": 0}


@dataclass(frozen=True, repr=False)
class Suggestion:
    """How a file may be read: to be looked at, corrected, and confirmed.

    Attributes
    ----------
    shape, confidence
        What a row of the file seems to be (see ``readers.SHAPES``), and how sure, 0 to 1: as
        sure as the least sure of the columns it needs; 0 if one is missing.
    shapes
        ``shape``, ``confidence``, ``missing`` for every shape, the likeliest first.
    columns
        One row per column of the file: ``read_from``; ``column`` (null: rides along);
        ``confidence`` 0 to 1; ``why``; ``proposed``; ``filled`` (share of rows, 0 to 1);
        ``distinct``; ``readable`` and ``unreadable`` (values that can be read as ``column``);
        ``runner_up`` and its ``runner_up_confidence``. No values.
    column_map
        The proposal. ``read_administrations(path, columns=...)`` reads the file with it.
    questions
        What the file leaves open, in sentences.
    preview
        The first rows as they stand in the file, all text: for the eyes of whoever may see
        the chart; nothing of it is kept elsewhere.
    rows
        How many rows were looked at.
    """

    shape: str
    confidence: float
    shapes: pl.DataFrame
    columns: pl.DataFrame
    column_map: ColumnMap
    questions: list[str]
    preview: pl.DataFrame
    rows: int

    def __repr__(self) -> str:
        lines = [f"Suggestion: shape {self.shape} ({self.confidence:.0%}), from {self.rows:,} rows"]
        lines += [
            f"  {row['column']} <- {row['read_from']}: {row['confidence']:.0%} by {row['why']}"
            for row in self.columns.filter("proposed").rows(named=True)
        ]
        return "\n".join([*lines, *(f"  ? {question}" for question in self.questions)])


@tells_faults
def suggest_columns(
    path_or_frame: str | Path | pl.DataFrame | pl.LazyFrame,
    *,
    shape: str | None = None,
    sheet: str | int | None = None,
    header_row: int | None = None,
    known: Mapping[str, str] | None = None,
) -> Suggestion:
    """Propose the shape of an export and what each of its columns is.

    Names are compared with the synonyms in ``parameters/vocabulary.toml``; values of the first
    2,000 rows are looked at for times, numbers, and words of routes and events. Nothing is
    read with the proposal until it is handed to ``read_administrations``.

    Parameters
    ----------
    path_or_frame
        The file, or a frame whose columns have the names of an export.
    shape
        State it if the proposed one is not right.
    sheet, header_row
        As in ``read_administrations``; found if not stated.
    known
        Columns that are certain, name in the file to name here; they are kept as they are.

    Raises
    ------
    InputError
        If the file cannot be opened, or ``shape`` is not known.
    """
    ColumnMap(known or {}, shape=shape or "start_stop")
    sample = sampled(path_or_frame, sheet=sheet, header_row=header_row)
    every = [name for name in sample.rows.columns if not name.startswith("__")]
    names = every[:MOST_COLUMNS]
    values = {name: values_of(sample.rows, name) for name in names}
    scores = {one: _scores(names, values, one) for one in SHAPES}
    chosen = {one: _chosen(sample.rows, values, scores[one], one, known or {}) for one in SHAPES}
    sure = {one: _confidence(chosen[one], one) for one in SHAPES}
    best = shape or max(SHAPES, key=lambda one: (_rank(sure[one]), _BEFORE[one]))
    listed = suggestion_table(names, values, scores[best], chosen[best], sample.rows.height)
    proposed = {
        row["read_from"]: row["column"] for row in listed.filter("proposed").rows(named=True)
    }
    unit = duration_unit_of(proposed, values)
    column_map = ColumnMap(proposed, shape=best, duration_unit=unit, **sample.settings)
    shapes = pl.DataFrame(
        [(one, round(sure[one], 2), ", ".join(lacking(one, set(chosen[one])))) for one in SHAPES],
        schema={"shape": pl.String, "confidence": pl.Float64, "missing": pl.String},
        orient="row",
    ).sort("confidence", descending=True, maintain_order=True)
    questions = questions_of(sample, column_map, listed, values)
    if len(every) > MOST_COLUMNS:
        questions.append(
            f"The file has {len(every):,} columns; the first {MOST_COLUMNS} were looked at. Export "
            f"fewer, or name the others in columns=."
        )
    preview = sample.rows.head(_PREVIEWED).select(_as_plain_text(sample.rows, names))
    return Suggestion(
        best,
        round(sure[best], 2),
        shapes,
        listed,
        column_map,
        questions,
        preview,
        sample.rows.height,
    )


def _as_plain_text(rows: pl.DataFrame, names: list[str]) -> list[pl.Expr]:
    held = {name: text_of(name, rows.schema[name]) for name in names}
    texts = {name: text for name, text in held.items() if text is not None}
    return [text.str.slice(0, 40).alias(name) for name, text in texts.items()]


def _rank(confidence: float) -> float:
    """Confidences that differ by little are alike."""
    return round(confidence * 4) / 4


def _scores(
    names: list[str], values: Mapping[str, Values], shape: str
) -> dict[str, dict[str, Score]]:
    return {
        name: {target: score(name, values[name], target) for target in targets_of(shape)}
        for name in names
    }


def _chosen(
    rows: pl.DataFrame,
    values: Mapping[str, Values],
    scores: Mapping[str, Mapping[str, Score]],
    shape: str,
    known: Mapping[str, str],
) -> dict[str, tuple[str, Score]]:
    """For each known column at most one of the file, the likeliest pairs first."""
    taken = {to: (name, Score(1.0, "stated")) for name, to in known.items() if name in scores}
    pairs = sorted(
        (
            (one.confidence, -place, name, target, one)
            for name, by_target in scores.items()
            for place, (target, one) in enumerate(by_target.items())
            if one.confidence >= LISTED_FROM
        ),
        key=lambda pair: pair[:2],
        reverse=True,
    )
    used = {name for name, _ in taken.values()}
    for _, _, name, target, one in pairs:
        if name not in used and target not in taken and not _made_already(target, taken):
            taken[target] = (name, one)
            used.add(name)
    return taken | _by_times(rows, values, taken, used, shape)


def _made_already(target: str, taken: Mapping[str, object]) -> bool:
    """Whether a time is there already, whole or in two columns."""
    time, _, part = target.partition("_")
    if time not in ("start", "stop", "event"):
        return False
    if part == "at":
        return f"{time}_clock" in taken
    return part in ("date", "clock") and f"{time}_at" in taken


def _by_times(
    rows: pl.DataFrame,
    values: Mapping[str, Values],
    taken: Mapping[str, tuple[str, Score]],
    used: set[str],
    shape: str,
) -> dict[str, tuple[str, Score]]:
    """Times that no name tells: the only column of times left, or two, the earlier first."""
    free = [name for name, one in values.items() if name not in used]
    times = [name for name in free if (values[name].share("moment") or 0) > 0.8]
    sure = Score(_BY_TIMES, "values")
    held = in_two_columns(taken, shape)
    wanted = ("event_at",) if shape == "event_log" else ("start_at", "stop_at")
    wanted = wanted[:1] if shape.startswith("start_") and shape != "start_stop" else wanted
    open_ones = [name for name in wanted if name not in taken and name not in held]
    if len(open_ones) == len(times) == 1:
        return {open_ones[0]: (times[0], sure)}
    if len(open_ones) == len(times) == 2:
        first, second = _in_time(rows, *times)
        return {"start_at": (first, sure), "stop_at": (second, sure)} if first else {}
    return {}


def _in_time(rows: pl.DataFrame, one: str, other: str) -> tuple[str, str]:
    texts = [text_of(name, rows.schema[name]) for name in (one, other)]
    both = rows.select(text.alias(name) for text, name in zip(texts, (one, other), strict=True))
    both = both.drop_nulls()
    filled = max(both.height, 1)
    if (both[one] <= both[other]).sum() / filled > 0.95:
        return one, other
    return (other, one) if (both[other] <= both[one]).sum() / filled > 0.95 else ("", "")


def _confidence(chosen: Mapping[str, tuple[str, Score]], shape: str) -> float:
    """As sure as the least sure of the needed columns."""
    targets = {to: one for to, (_, one) in chosen.items() if one.confidence >= PROPOSED_FROM}
    if lacking(shape, targets):
        return 0.0
    parts = in_two_columns(targets, shape)
    needed = [part for name in SHAPES[shape] for part in parts.get(name, (name,))]
    return min(targets[name].confidence for name in needed)
