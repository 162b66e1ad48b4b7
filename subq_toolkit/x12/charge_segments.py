"""Charge lines as segments of a claim, to be checked by a person or wrapped into a claim.

Each encounter becomes the 2400 loops of one claim: LX, then SV2 (institutional) or SV1
(professional), then the date of service. Nothing about a patient is in it.
"""

import polars as pl

from subq_toolkit.charges.acceptance import accept_charges
from subq_toolkit.errors import InputError

KINDS = ("institutional", "professional")
_MOST_MODIFIERS = 4


def charge_segments(
    lines: pl.DataFrame | pl.LazyFrame,
    *,
    claim: str = "institutional",
    diagnosis_pointer: str | None = None,
) -> pl.DataFrame:
    """Write charge lines as the service line segments of an 837, one row per segment.

    Parameters
    ----------
    lines
        Charge lines; see ``charges.COLUMNS``. Lines of a coded table will do.
    claim
        ``"institutional"`` (SV2 with the revenue code) or ``"professional"`` (SV1).
    diagnosis_pointer
        SV107, which a professional claim needs, e.g. ``"1"``. It is left open if not stated:
        the toolkit knows no diagnoses.

    Returns
    -------
    pl.DataFrame
        ``encounter_id``, ``line`` (LX01, counted in each encounter from 1), ``segment`` (its
        name), ``text`` (with ``*``, ``:`` and ``~``), ``note`` (what is left to fill in).
        Sorted by encounter, date of service and order of the lines.

    Notes
    -----
    Layout of loop 2400 of the guides 005010X223A2 and 005010X222A1.

    Raises
    ------
    InputError
        If a line cannot be read, has no positive units or more than four modifiers.
    """
    if claim not in KINDS:
        raise InputError(f"claim is one of {', '.join(KINDS)}, not {claim!r}.")
    accepted, refused = accept_charges(lines)
    bad = refused.select(pl.len()).collect().item()
    if bad:
        raise InputError(
            f"{bad:,} of the lines cannot be read: accept_charges(lines).refused names them and "
            f"why. Correct them or leave them out."
        )
    table = accepted.sort("encounter_id", "service_date", "_row").collect()
    _require(table)
    numbered = table.with_columns(
        line=pl.int_range(1, pl.len() + 1).over("encounter_id"), _at=pl.int_range(pl.len())
    )
    pointer = diagnosis_pointer or ""
    service = _institutional() if claim == "institutional" else _professional(pointer)
    name = "SV2" if claim == "institutional" else "SV1"
    parts = [
        ("LX", pl.format("LX*{}~", "line"), pl.lit(None, dtype=pl.String)),
        (name, service, _left_open(claim, pointer)),
        ("DTP", pl.format("DTP*472*D8*{}~", pl.col("service_date").dt.strftime("%Y%m%d")), None),
    ]
    return (
        pl.concat(
            numbered.select(
                "encounter_id",
                "line",
                pl.lit(segment).alias("segment"),
                text.alias("text"),
                pl.lit(note, dtype=pl.String).alias("note") if note is None else note.alias("note"),
                "_at",
                pl.lit(place).alias("_place"),
            )
            for place, (segment, text, note) in enumerate(parts)
        )
        .sort("_at", "_place")
        .drop("_at", "_place")
    )


def _require(table: pl.DataFrame) -> None:
    credits = table.filter(pl.col("units") <= 0).height
    if credits:
        raise InputError(
            f"{credits:,} lines have no positive units: a claim has no credits. Net them with the "
            f"lines they correct, or send a replacement claim."
        )
    many = table.filter(pl.col("modifiers").str.count_matches(r"\S+") > _MOST_MODIFIERS).height
    if many:
        raise InputError(
            f"{many:,} lines have more than {_MOST_MODIFIERS} modifiers; a service line of a claim "
            f"has room for {_MOST_MODIFIERS}. Leave out what is not needed."
        )


def _procedure() -> pl.Expr:
    modifiers = pl.col("modifiers").str.replace_all(" ", ":", literal=True)
    return pl.concat_str(pl.lit("HC"), "code", modifiers, separator=":", ignore_nulls=True)


def _charge() -> pl.Expr:
    """Dollars without needless zeros; 0 if no charge is stated."""
    cents = pl.col("charge_usd").fill_null(0).round(2, mode="half_away_from_zero")
    return cents.cast(pl.Decimal(18, 2)).cast(pl.String).str.replace(r"\.?0+$", "").replace("", "0")


def _institutional() -> pl.Expr:
    revenue = pl.col("revenue_code").str.zfill(4).fill_null("")
    return pl.format("SV2*{}*{}*{}*UN*{}~", revenue, _procedure(), _charge(), "units")


def _professional(pointer: str) -> pl.Expr:
    after = pl.lit(f"***{pointer}~" if pointer else "~")
    return pl.format("SV1*{}*{}*UN*{}{}", _procedure(), _charge(), "units", after)


def _left_open(claim: str, pointer: str) -> pl.Expr:
    open_to = {
        "no charge is stated": pl.col("charge_usd").is_null(),
        "no revenue code is stated": pl.col("revenue_code").is_null()
        if claim == "institutional"
        else pl.lit(False),
        "no diagnosis pointer is stated": pl.lit(claim == "professional" and not pointer),
    }
    said = pl.concat_str(
        [pl.when(holds).then(pl.lit(note)) for note, holds in open_to.items()],
        separator="; ",
        ignore_nulls=True,
    )
    return pl.when(said != "").then(said)
