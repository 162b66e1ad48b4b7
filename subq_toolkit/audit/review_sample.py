"""A sample of encounters for review that a second person can draw again.

Every encounter gets a number from a keyed hash (BLAKE2b) of its own number and date, the key
being the seed; in each stratum those with the lowest numbers are drawn. So the sample depends on
nothing but the encounters and the seed: not on the order of rows, the machine or a version of a
library. A larger sample from the same seed contains the smaller one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import sqrt

import polars as pl

from subq_toolkit.audit.allocation import allocated
from subq_toolkit.audit.audited_tables import Audited, require, stated, table_of
from subq_toolkit.audit.intervals import is_whole
from subq_toolkit.audit.sample_sizes import sample_size, sample_size_money
from subq_toolkit.effective import read_parameters
from subq_toolkit.errors import InputError

__all__ = ["ALLOCATIONS", "ReviewSample", "draw_sample", "sample_size", "sample_size_money"]

_LEAST = int(read_parameters("review_sampling")["least_sampled"].values[-1].value)
ALLOCATIONS = ("proportional", "equal", "neyman")
KEY = ("encounter_id", "service_date")
_EVERYTHING = "all encounters"


@dataclass(frozen=True, eq=False, repr=False)
class ReviewSample:
    """Encounters drawn for review, and all that is needed to draw them again.

    Attributes
    ----------
    encounters
        Every encounter of the audit, with ``stratum``, ``stratum_size`` [1], ``sampled``, and
        ``weight`` [1] (how many encounters a drawn one stands for; null: not drawn).
    design
        One row per stratum: ``stratum, stratum_size, sampled`` [1], ``weight`` [1],
        ``taken_whole``, ``spread_usd`` (of the amounts that the audit found; null unless the
        allocation is ``neyman``) [USD].
    seed, strata, allocation
        As stated.
    mark
        Changes with any encounter that is added, missing or dated otherwise.
    """

    encounters: pl.DataFrame
    design: pl.DataFrame
    seed: int
    strata: tuple[str, ...]
    allocation: str
    mark: str

    @property
    def sampled(self) -> pl.DataFrame:
        """The encounters that were drawn."""
        return self.encounters.filter("sampled")

    def __repr__(self) -> str:
        drawn, of = self.design["sampled"].sum(), self.design["stratum_size"].sum()
        return (
            f"<ReviewSample: {drawn:,} of {of:,} encounters, seed {self.seed}, strata "
            f"{list(self.strata)}, {self.allocation}, population {self.mark}; .sampled, "
            f".encounters, .design>"
        )


def draw_sample(
    audited: Audited | pl.DataFrame | pl.LazyFrame,
    *,
    size: int | Mapping[str, int],
    seed: int,
    strata: str | Sequence[str] = (),
    allocation: str = "proportional",
    take_all: Collection[str] = (),
) -> ReviewSample:
    """Draw encounters for review, stratum by stratum; within one, each is equally likely.

    Parameters
    ----------
    audited
        What ``audit`` returned, or its table of encounters, or some of its rows.
    size
        How many in all, those taken whole included; or how many from each stratum, by its name.
    seed
        A whole number; the same seed draws the same encounters.
    strata
        Columns whose values make the strata, e.g. ``["payer", "class"]``. None: one stratum.
    allocation
        How a size in all is shared out, beyond two to each stratum: ``proportional`` to its
        encounters, ``equal``, or ``neyman``: to encounters times the spread of the amounts that
        the audit found (of all encounters where fewer than two are known). Neyman trusts the
        audit: a stratum where it found no difference gets two.
    take_all
        Names of strata of which every encounter is drawn. So is one that has no more than its
        share.

    Raises
    ------
    InputError
        If a size cannot be drawn, a stratum or column is unknown, or an encounter appears twice.
    """
    if not is_whole(seed) or seed < 0:
        raise InputError("seed is a whole number, zero or more, so that it can be repeated.")
    if allocation not in ALLOCATIONS:
        raise InputError(f"allocation is one of {', '.join(ALLOCATIONS)}, not {allocation!r}.")
    names = (strata,) if isinstance(strata, str) else tuple(strata)
    rows = _population(audited, names, allocation)
    ranks = _ranks(rows, seed)
    rows = rows.with_columns(_rank=pl.Series(ranks, dtype=pl.String))
    sizes = dict(rows.group_by("stratum").len().sort("stratum").rows())
    spreads = _spreads(rows) if allocation == "neyman" else {}
    weights = _weights(sizes, allocation, spreads)
    drawn = allocated(sizes, weights, size=size, least=_LEAST, take_all=take_all)
    design = _design(sizes, drawn, spreads)
    place = pl.col("_rank").rank("ordinal").over("stratum")
    marked = (
        rows.join(design.select("stratum", "stratum_size", "weight", _n="sampled"), on="stratum")
        .with_columns(sampled=place <= pl.col("_n"))
        .with_columns(weight=pl.when("sampled").then("weight"))
        .drop("_rank", "_n")
        .sort(KEY)
    )
    last = ("stratum", "stratum_size", "sampled", "weight")
    return ReviewSample(
        marked.select(pl.exclude(last), *last), design, seed, names, allocation, _mark(rows)
    )


def _population(audited: object, names: Sequence[str], allocation: str) -> pl.DataFrame:
    rows = table_of(audited, "encounters")
    held = rows.collect_schema().names()
    require([*KEY, *names, *(["difference_usd"] if allocation == "neyman" else [])], held)
    label = pl.concat_str(map(stated, names), separator=" | ") if names else pl.lit(_EVERYTHING)
    rows = rows.with_columns(stratum=label).collect()
    if rows.is_empty():
        raise InputError("There is no encounter to draw from.")
    unknown = rows["encounter_id"].null_count()
    if unknown:
        raise InputError(f"{unknown} rows have no encounter_id, so that none can be drawn by it.")
    twice = rows.height - rows.select(KEY).unique().height
    if twice:
        raise InputError(
            f"{twice} rows repeat an encounter and date; it would be drawn more than once. Hand "
            f"in one row per encounter, e.g. the table encounters of the audit."
        )
    return rows


def _ranks(rows: pl.DataFrame, seed: int) -> list[str]:
    """A number for each encounter, as text that sorts alike."""
    key = blake2b(str(seed).encode(), digest_size=32).digest()
    pairs = rows.select(KEY).iter_rows()
    return [blake2b(f"{one}\0{day}".encode(), key=key).hexdigest() for one, day in pairs]


def _mark(rows: pl.DataFrame) -> str:
    whole = blake2b(digest_size=6)
    for one, day in rows.select(KEY).sort(KEY).iter_rows():
        whole.update(f"{one}\0{day}\n".encode())
    return whole.hexdigest()


def _spreads(rows: pl.DataFrame) -> dict[str, float]:
    """Standard deviation of the known amounts of each stratum [USD], from exact sums of cents."""
    cents = pl.col("difference_usd").cast(pl.Decimal(38, 2)) * 100
    exact = cents.cast(pl.Int128)
    sums = {"n": exact.count(), "total": exact.sum(), "squares": (exact * exact).sum()}
    whole = _spread(*rows.select(**sums).row(0)) or 0.0
    found = rows.group_by("stratum").agg(**sums).sort("stratum").rows()
    spreads = {stratum: _spread(*one) for stratum, *one in found}
    return {stratum: whole if one is None else one for stratum, one in spreads.items()}


def _spread(n: int, total: int, squares: int) -> float | None:
    """Standard deviation [USD] from sums of cents; none of fewer than two amounts."""
    return sqrt((n * squares - total * total) / (n * (n - 1))) / 100 if n > 1 else None


def _weights(
    sizes: Mapping[str, int], allocation: str, spreads: Mapping[str, float]
) -> dict[str, float]:
    if allocation == "equal":
        return dict.fromkeys(sizes, 1)
    if allocation == "proportional":
        return dict(sizes)
    weights = {stratum: of * spreads[stratum] for stratum, of in sizes.items()}
    if not any(weights.values()):
        raise InputError(
            "The amounts that the audit found do not differ within any stratum, so that Neyman's "
            "shares are not defined. Use allocation='proportional'."
        )
    return weights


def _design(
    sizes: Mapping[str, int], drawn: Mapping[str, int], spreads: Mapping[str, float]
) -> pl.DataFrame:
    rows = [
        (one, of, drawn[one], of / drawn[one], drawn[one] == of, round(spreads[one], 2))
        if spreads
        else (one, of, drawn[one], of / drawn[one], drawn[one] == of, None)
        for one, of in sizes.items()
    ]
    schema = {
        "stratum": pl.String,
        "stratum_size": pl.Int64,
        "sampled": pl.Int64,
        "weight": pl.Float64,
        "taken_whole": pl.Boolean,
        "spread_usd": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")
