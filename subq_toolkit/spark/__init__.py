"""The same rules on a Spark cluster: charted runs in, coded tables out, all of them Spark's.

Spark moves the rows, the rules stay where they are. Rows that are judged together come into
one partition; there, by ``mapInArrow``, the steps of ``code_administrations`` code them. What
is said of a whole file is worked out from the summed tallies of the partitions.

Encounters are compared with each other only where one patient has several on one date. So a
first pass reads, by the same rules, the encounter of each row, its patient and its date; Spark
takes the least patient and date of each encounter, as the rules do, and brings the encounters
of one patient and date together, the others each by itself.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from subq_toolkit.coding import OUTCOMES, checked
from subq_toolkit.errors import InputError, ReconciliationError
from subq_toolkit.policy import Policy
from subq_toolkit.spark.shapes import planned, spark_schema
from subq_toolkit.spark.workers import TABLES, Work

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["CodedOnSpark", "code_administrations_spark"]


@dataclass(frozen=True, repr=False)
class CodedOnSpark:
    """What a Spark table of charted runs may be reported as; nothing runs before an action.

    Every action works its table out anew: ``persist`` first if more than one is wanted.

    Attributes
    ----------
    encounters, lines, findings, refused
        The tables of ``Coded``: same columns, same rows, in no order. Answers from a list are
        text, counts are 64-bit whole numbers. ``row`` of ``refused`` is null unless
        ``row_numbers`` named a column: Spark's rows have no order to be counted in.
    policy
        The choices in force.
    tables
        All four in one DataFrame, a column of structs each, and a ``tally`` of each partition.
    administrations
        What was handed in.
    """

    encounters: "DataFrame"
    lines: "DataFrame"
    findings: "DataFrame"
    refused: "DataFrame"
    policy: Policy
    tables: "DataFrame"
    administrations: "DataFrame"

    def __repr__(self) -> str:
        return (
            "<CodedOnSpark: Spark DataFrames .encounters, .lines, .findings, .refused; "
            ".persist() keeps them for several actions; .reconcile() counts rows>"
        )

    def persist(self) -> Self:
        """Have Spark keep what the first action works out, in memory and on disk."""
        self.tables.persist()
        return self

    def unpersist(self) -> None:
        """Give up what is kept."""
        self.tables.unpersist()

    def reconcile(self) -> dict[str, int]:
        """Count rows in, and where each ended: coded, query, refer or refused. Runs two jobs.

        Raises
        ------
        ReconciliationError
            If they do not add up to the rows that were handed in.
        """
        from pyspark.sql import functions as sf

        sums = [sf.coalesce(sf.sum(f"tally.{name}"), sf.lit(0)).alias(name) for name in OUTCOMES]
        counts = self.tables.agg(*sums).first().asDict()
        rows_in = self.administrations.count()
        if sum(counts.values()) != rows_in:
            raise ReconciliationError(rows_in, sum(counts.values()))
        return {"rows_in": rows_in, **counts}


def code_administrations_spark(
    df: "DataFrame",
    *,
    policy: Policy | None = None,
    facility_zone: str | None = None,
    partitions: int | None = None,
    row_numbers: str | None = None,
) -> CodedOnSpark:
    """Code a Spark DataFrame of charted runs by the rules of ``code_administrations``.

    Parameters
    ----------
    df
        One row per charted run; see ``administrations.COLUMNS``. Other columns ride along, but
        for arrays, maps, structs and what Arrow cannot hold.
    policy
        The choices on which sources disagree; the default is made for an audit.
    facility_zone
        Zone of the facility, e.g. ``"America/New_York"``. A column of type ``timestamp`` needs
        it: it holds instants and no zone, and ``spark.sql.session.timeZone`` is a setting of
        the session, not of the chart. It is not read.
    partitions
        Into how many parts the rows are divided; unless stated, as many as Spark sees fit.
    row_numbers
        A column of whole numbers that counts the rows; it becomes ``row`` of ``refused`` and
        does not ride along. Of copies the one with the least number is kept.

    Raises
    ------
    InputError
        If PySpark is missing or the table cannot be used at all; see ``code_administrations``.
        Single rows never raise: they are in ``refused``.
    """
    _require_spark(df)
    if partitions is not None and (type(partitions) is not int or partitions < 1):
        raise InputError(f"partitions is a whole number of 1 or more, not {partitions!r}.")
    rows, work = planned(df, checked(policy), facility_zone, row_numbers)
    schema = spark_schema(work.tables)
    tables = _together(rows, work, partitions).mapInArrow(work.code, schema)
    results = {name: tables.where(f"{name} is not null").select(f"{name}.*") for name in TABLES}
    tallies = tables.where("tally is not null").select("tally.*").repartition(1)
    of_file = tallies.mapInArrow(work.code_file, schema["findings"].dataType)
    results["findings"] = results["findings"].unionAll(of_file)
    return CodedOnSpark(**results, policy=work.policy, tables=tables, administrations=df)


def _require_spark(df: object) -> None:
    try:
        import pandas  # noqa: F401
        import pyarrow  # noqa: F401
        from pyspark.sql import DataFrame
    except ImportError as missing:
        raise InputError(
            f"Spark cannot be used here: {missing.name} is not installed. Install the extra, "
            f"pip install 'subq_toolkit[spark]', and Java 17 or later."
        ) from None
    if not isinstance(df, DataFrame):
        raise InputError(
            f"Hand in a Spark DataFrame of charted runs; this is a {type(df).__name__}. "
            f"Polars tables go to code_administrations."
        )
    if df.isStreaming:
        raise InputError(
            "This is a streaming DataFrame, and an encounter could go on in a later batch. "
            "Code a table that is complete."
        )


def _together(rows: "DataFrame", work: Work, partitions: int | None) -> "DataFrame":
    """The same rows, those in one partition that are judged together."""
    from pyspark.sql import Window
    from pyspark.sql import functions as sf
    from pyspark.sql.types import StructType

    keyed = rows.mapInArrow(work.key, StructType([*rows.schema, *spark_schema(work.keys)]))
    by = [sf.col("_encounter")]
    if "_patient" in keyed.columns:
        of_encounter = Window.partitionBy("_encounter")
        least = {name: sf.min(name).over(of_encounter) for name in work.keys.names[1:]}
        keyed = keyed.withColumns(least)
        alone = sf.when(sf.col("_patient").isNull(), sf.col("_encounter"))
        by = [sf.col("_patient"), sf.coalesce("_counted_day", "_any_day"), alone]
    divided = keyed.repartition(partitions, *by) if partitions else keyed.repartition(*by)
    return divided.select(*rows.columns)
