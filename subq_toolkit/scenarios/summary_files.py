"""A minute summary kept in one Parquet file, with all that says what it is.

The file holds counts of encounters and no encounter. What it was made by stands in its
key-value metadata under ``subq_toolkit``, and a digest of all that under ``digest``: a file
that was damaged or edited is refused. The digest is no signature, for anybody can make one.
"""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from io import BytesIO
from pathlib import Path

import polars as pl

from subq_toolkit.effective import read_parameters
from subq_toolkit.errors import InputError, StaleValueWarning
from subq_toolkit.fees import bundled_tables
from subq_toolkit.policy import Policy
from subq_toolkit.scenarios.minute_counts import price_days
from subq_toolkit.scenarios.minute_summary import MinuteSummary
from subq_toolkit.scenarios.summary_marks import about_of, checked_about, digest_of, rules_mark
from subq_toolkit.written_files import place_for, write

_ABOUT, _DIGEST, _ENDING = "subq_toolkit", "digest", ".parquet"
#: Columns that are groups of encounters, however few are in one.
_GROUPS = ("payer", "setting", "department", "locality", "therapy", "pumps", "month", "week")
_GROUPS += ("rounding", "infusion_min", "min_to_next_unit")
_UNITS = "units_"
#: What Polars raises on a damaged file; a panic where a length in it makes no sense.
_DAMAGED = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OverflowError, ValueError)


def write_minute_summary(summary: MinuteSummary, path: str | Path) -> Path:
    """Write a summary to one Parquet file; ``read_minute_summary`` reads it back.

    The file is there as a whole or not at all, and takes the place of one of that name. Any
    reader of Parquet shows the counts; they are counts of encounters, some of them small, so
    what holds for small counts holds for the file.

    Parameters
    ----------
    summary
        What ``minute_summary`` or ``combined`` returned.
    path
        Name of the file; it ends in ``.parquet``.

    Raises
    ------
    InputError
        If it is something else, the file cannot be written, or a column that was kept apart may
        name a patient: a column of your own, of whose values half stand for fewer encounters
        than ``smallest_count`` in ``parameters/publication.toml``.
    """
    if not isinstance(summary, MinuteSummary):
        raise InputError(
            f"Hand in what minute_summary(coded) returned; this is a {type(summary).__name__}."
        )
    path = place_for(path, [_ENDING])
    _check_names_nobody(summary)
    about = json.dumps(about_of(summary), sort_keys=True)
    held = BytesIO()
    with _told_if_unfit():
        digest = digest_of(summary.counts, about)
        summary.counts.write_parquet(
            held, metadata={_ABOUT: about, _DIGEST: digest}, statistics=False
        )
    return write(path, held.getvalue())


def read_minute_summary(path: str | Path) -> MinuteSummary:
    """Read a summary from a file that ``write_minute_summary`` wrote.

    Parameters
    ----------
    path
        Name of the file.

    Raises
    ------
    InputError
        If the file is not there, something else, of another format, damaged or edited.

    Warns
    -----
    StaleValueWarning
        If the rules or the days on which prices change were others when it was made: its minutes
        and outcomes are by those of then, units and amounts by those of now.
    """
    if not isinstance(path, str | Path):
        raise InputError(f"path is the name of a file; this is a {type(path).__name__}.")
    path = Path(path)
    metadata, counts = _read(path)
    about = checked_about(path, metadata[_ABOUT])
    try:
        summary = MinuteSummary(
            counts,
            tuple(about["by"]),
            Policy(**about["policy"]),
            zones=tuple(about["zones"]),
            first_days=tuple(map(date.fromisoformat, about["first_days"])),
            until=about["until"] and date.fromisoformat(about["until"]),
        )
        whole = metadata[_DIGEST] == digest_of(counts, metadata[_ABOUT])
    except (KeyError, TypeError, ValueError, pl.exceptions.PolarsError):
        whole = False
    if not whole:
        raise InputError(
            f"'{path}' was edited or damaged after it was written: what it holds is not what its "
            f"digest says. Write it again from the coded work, or take it from a backup."
        )
    _warn_of_other_rules(path, about, summary)
    return summary


def _check_names_nobody(summary: MinuteSummary) -> None:
    least = int(read_parameters("publication")["smallest_count"].values[-1].value)
    for name in summary.by:
        if name in _GROUPS or name.startswith(_UNITS):
            continue
        stand_for = summary.counts.group_by(name).agg(pl.col("encounters").sum())["encounters"]
        if stand_for.len() > 1 and stand_for.median() < least:
            raise InputError(
                f"Column {name!r} has {stand_for.len():,} values for {summary.encounters:,} "
                f"encounters, so that it may name a patient, and no file is made of that. Leave "
                f"it out with summary.only(...), or summarise by a coarser column."
            )


@contextmanager
def _told_if_unfit() -> Iterator[None]:
    """Have a column that fits no file told as such."""
    try:
        yield
    except pl.exceptions.PolarsError as refused:
        why = str(refused).splitlines()[0]
        raise InputError(
            f"A column of the summary cannot be kept in a file ({why}). Leave it out with "
            f"summary.only(...), or make it text before the work is coded."
        ) from None


def _read(path: Path) -> tuple[dict[str, str], pl.DataFrame]:
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as refused:
        why = getattr(refused, "strerror", None) or type(refused).__name__
        raise InputError(f"'{path}' cannot be read ({why}). Look at its name.") from None
    try:
        metadata = pl.read_parquet_metadata(BytesIO(data))
    except _DAMAGED:
        raise InputError(
            f"'{path}' is no Parquet file, or only a part of one. Hand in a file that "
            f"write_minute_summary wrote, copied as a whole."
        ) from None
    if _ABOUT not in metadata:
        raise InputError(
            f"'{path}' is a Parquet file, but no minute summary. Charted runs are summarised by "
            f"minute_summary(code_administrations(runs))."
        )
    try:
        return metadata, pl.read_parquet(BytesIO(data))
    except _DAMAGED:
        raise InputError(
            f"'{path}' is damaged: its rows cannot be read. Write it again from the coded work, or "
            f"take it from a backup."
        ) from None


def _warn_of_other_rules(path: Path, about: dict, summary: MinuteSummary) -> None:
    if split := summary.without_split(price_days(bundled_tables())):
        warnings.warn(
            f"'{path}': prices change on {split[0]}, and its encounters before and after that day "
            f"are counted together. Summarise again for amounts by the day of service.",
            StaleValueWarning,
            stacklevel=3,
        )
    if about.get("rules") != rules_mark():
        warnings.warn(
            f"'{path}' was made when a rule under parameters/ had another value (subq_toolkit "
            f"{about.get('package')}). Summarise again, unless you know that it does not matter.",
            StaleValueWarning,
            stacklevel=3,
        )
