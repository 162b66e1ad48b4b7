"""Invented administrations from a seed: a chart export that looks charted, faults included.

No row describes a person. Shapes of therapies, habits of departments and shares of what
is planted stand in ``datasets/administrations/shapes.toml``, all invented. The same
arguments give the same rows on any machine.
"""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl

from subq_toolkit.administrations import CHOICES, COLUMNS
from subq_toolkit.errors import InputError
from subq_toolkit.synthetic.runs import BOLUS, INTRAVENOUS, RUN, beside, runs_of
from subq_toolkit.synthetic.visits import ZONE, Draws, code_of, column, shapes, visits

_HOUR = 3600  # s
_FIRST = (pl.col("kind") == RUN) & (pl.col("pump") == 0) & (pl.col("run") == 0)


def administrations(
    encounters: int = 5_000,
    *,
    seed: int = 2026,
    start: date = date(2024, 11, 1),
    days: int = 730,
) -> pl.DataFrame:
    """Invent the chart export of one facility.

    Parameters
    ----------
    encounters
        How many visits; each has one row or more.
    seed
        Another seed, another export.
    start, days
        First date of service and length of the period. [d]

    Returns
    -------
    pl.DataFrame
        The known columns without ``unreadable``, times in America/New_York, and
        ``therapy``, which the toolkit does not know. Sorted by encounter and true start.
        ``datasets/administrations/README.md`` says what each means.

    Raises
    ------
    InputError
        If ``encounters`` is negative or ``days`` is not positive.
    """
    if encounters < 0 or days < 1:
        raise InputError("administrations() needs encounters=0 or more and days=1 or more.")
    draws = Draws(seed)
    visit = visits(encounters, draws, start, days)
    runs = runs_of(visit, draws)
    rows = pl.concat([runs, *beside(visit, runs, draws)], how="diagonal")
    rows = rows.with_columns(pl.col("other_drug").fill_null(False))
    rows = rows.hstack(visit.drop("encounter", "minute", "total")[rows["encounter"]])
    return _export(_slips(rows, draws), start)


def write_sample(folder: Path | str) -> Path:
    """Write the bundled export, ``administrations.parquet``, into ``folder``."""
    path = Path(folder) / "administrations.parquet"
    administrations().write_parquet(path, compression="zstd", compression_level=19)
    return path


def _slips(rows: pl.DataFrame, draws: Draws) -> pl.DataFrame:
    """What a chart gets wrong: times left out, and what is planted."""
    ward, size = rows["ward"].to_numpy(), len(rows)
    early, late = (column("departments", f"missing_stop{when}")[ward] for when in ("", "_later"))
    no_stop = draws.hits(np.where(rows["later"].to_numpy(), late, early), size)
    no_start = draws.hits(column("departments", "missing_start")[ward], size) & ~no_stop
    plain = (pl.col("kind") == RUN) & (pl.col("planted") == 0)
    start, stop = pl.col("start"), pl.col("stop")
    end = stop.max().over("encounter")
    left = pl.when(_planted("discharged_running")).then((start.min().over("encounter") + end) // 2)
    delay = pl.when("discharge_charted").then("discharge_delay")
    kind = pl.when(_planted("no_subcutaneous")).then(INTRAVENOUS)
    written = rows.with_columns(
        kind=kind.when(_planted("boluses_only")).then(BOLUS).otherwise("kind"),
        discharge=left.otherwise(end + delay) // 60 * 60,
        start=pl.when(~(plain & pl.Series(no_start))).then(start),
        stop=pl.when(_FIRST & _planted("stop_before_start"))
        .then(stop - 12 * _HOUR)
        .when(_FIRST & _planted("zero_minutes"))
        .then(start)
        .when(_FIRST & _planted("over_72_hours"))
        .then(stop + 30 * 24 * _HOUR)
        .when(~(plain & pl.Series(no_stop)))
        .then(stop),
    )
    copies = written.filter(_FIRST & _planted("exact_copy"))
    order = ("encounter", "true_start", "kind", "pump", "run")
    return pl.concat([written, copies]).sort(order, maintain_order=True)


def _planted(name: str) -> pl.Expr:
    return pl.col("planted") == code_of(name)


def _export(rows: pl.DataFrame, start: date) -> pl.DataFrame:
    """The columns of a chart export, in the order of ``COLUMNS``, then ``therapy``."""
    on_visit = {
        "encounter_id": _numbered("SYN-", pl.col("encounter") + 1, 6),
        "patient_id": _numbered("SYN-P", pl.col("patient") + 1, 5),
        **_times(start),
        "em_code": _evaluation(),
        "payer": _label(shapes()["labels"]["payers"], pl.col("payer")),
        "locality": _label(column("departments", "locality"), pl.col("ward")),
        "department": _label(list(shapes()["departments"]), pl.col("ward")),
        "therapy": _label(list(shapes()["therapies"]), pl.col("therapy")),
        "setting": _setting(),
    }
    columns = on_visit | _of_run()
    known = [columns[name].cast(_type(name)).alias(name) for name in COLUMNS if name in columns]
    return rows.select(*known, therapy=columns["therapy"])


def _type(name: str) -> pl.DataType:
    return pl.Datetime("us", ZONE) if name.endswith("_at") else COLUMNS[name]


def _times(start: date) -> dict[str, pl.Expr]:
    """Clock times from seconds after local midnight; an hour is an hour over a clock change."""
    midnight = pl.lit(datetime(start.year, start.month, start.day)) + pl.duration(days="day")
    local = midnight.dt.cast_time_unit("us").dt.replace_time_zone(ZONE)
    return {
        f"{name}_at": local + pl.duration(seconds=name) for name in ("start", "stop", "discharge")
    }


def _of_run() -> dict[str, pl.Expr]:
    """What is charted of a run and of a bolus; of other routes only the drug."""
    labels, kind = shapes()["labels"], pl.col("kind")
    under_skin, running = kind <= BOLUS, kind == RUN
    pumped = under_skin & (pl.col("delivery") == 0)
    drug = _label(column("therapies", "drug"), pl.col("therapy"))
    beside = _label([labels["intravenous"], labels["injection"]], kind - INTRAVENOUS)
    strength = _label(column("therapies", "mg_per_ml"), pl.col("therapy"))
    strength = pl.when(under_skin & ~pl.col("other_drug") & (strength > 0)).then(strength)
    tenths = pl.when(running).then((pl.col("rate") * pl.col("minutes") + 30) // 60).otherwise(5)
    tenths = pl.when(under_skin & pl.col("volume_charted")).then(tenths)
    asset = (pl.col("ward") * 40 + (pl.col("first_pump") + pl.col("pump")) % 40) + 1
    mode = pl.when(running).then(_label(column("therapies", "mode"), pl.col("therapy")))
    route = _label(["subcutaneous", "subcutaneous", "intravenous", "injection"], kind)
    return {
        "route": pl.when(~(_FIRST & _planted("missing_route"))).then(route),
        "mode": mode.when(kind == BOLUS).then(pl.lit("bolus")),
        "device": pl.when(under_skin & pl.col("site_charted")).then(
            _label(column("therapies", "device"), pl.col("therapy"))
        ),
        "delivery": pl.when(under_skin).then(
            _label(["pump", "gravity", "manual_push"], pl.col("delivery"))
        ),
        "indication": pl.when(under_skin & pl.col("indication_charted")).then(
            _label(CHOICES["indication"], pl.col("indication"))
        ),
        "pump_id": pl.when(pumped & pl.col("pump_charted")).then(_numbered("PUMP-", asset, 3)),
        "site": pl.when(under_skin & pl.col("site_charted")).then(
            _label(labels["sites"], pl.col("site"))
        ),
        "drug": pl.when("other_drug")
        .then(pl.lit(labels["other_drug"]))
        .when(under_skin)
        .then(drug)
        .otherwise(beside),
        "volume_ml": tenths / 10,
        "rate_ml_per_h": pl.when(
            running & pl.col("volume_charted") & (pl.col("delivery") == 0)
        ).then(pl.col("rate") / 10),
        "concentration_mg_per_ml": strength,
        "dose_mg": tenths * strength / 10,
        "needles": pl.when(under_skin & pl.col("site_charted")).then("needles"),
        "setup_charted": pl.when(running & (pl.col("delivery") == 0)).then(
            _label([True, None, False], pl.col("setup"))
        ),
    }


def _setting() -> pl.Expr:
    setting = _label(column("departments", "setting"), pl.col("ward"))
    other = pl.when(setting == "treatment_room").then(pl.lit("clinic"))
    moved = _planted("conflicting_setting") & (pl.col("pump") == 1)
    return pl.when(moved).then(other.otherwise(pl.lit("treatment_room"))).otherwise(setting)


def _evaluation() -> pl.Expr:
    """The visit code of that day, from the three that a department uses."""
    codes = [
        [*ward["evaluation_codes"], "", "", ""][:3] for ward in shapes()["departments"].values()
    ]
    number = pl.col("ward") * 3 + pl.col("evaluation_code")
    return pl.when("evaluation").then(_label([code for three in codes for code in three], number))


def _label(labels: Sequence[object], number: pl.Expr) -> pl.Expr:
    """The label with that number, counted from 0; null for an empty one and outside the list."""
    known = pl.Series([None if one == "" else one for one in labels])
    inside = pl.when(number.is_between(0, len(known) - 1)).then(number)
    return pl.lit(known).gather(inside)


def _numbered(prefix: str, number: pl.Expr, width: int) -> pl.Expr:
    return pl.format(prefix + "{}", number.cast(pl.String).str.zfill(width))
