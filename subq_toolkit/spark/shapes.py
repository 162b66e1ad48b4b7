"""Columns and their types on the way from Spark to the rules and back, by way of Arrow.

No type is written down here: the rules code a table without rows, and what comes out is
translated by PySpark.
"""

from typing import TYPE_CHECKING

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.intake import COLUMNS, TIMES
from subq_toolkit.policy import Policy
from subq_toolkit.spark.workers import Work, coded_tables, row_keys, versions

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType, StructField, StructType


def planned(
    df: "DataFrame", policy: Policy, facility_zone: str | None, row_numbers: str | None
) -> tuple["DataFrame", Work]:
    """The rows that workers are sent, their columns by number, and what is done with them.

    Raises
    ------
    InputError
        If the table cannot be used at all.
    """
    import pyarrow as pa
    from pyspark.sql.types import StructType

    _require_usable(df, facility_zone, row_numbers)
    places = [place for place, field in enumerate(df.schema) if _is_sent(field)]
    # Names may hold dots, or differ in case only; numbers do not.
    rows = df.toDF(*(f"c{place}" for place in range(len(df.columns))))
    work = Work(
        shape=_arrow_schema(StructType([df.schema[place] for place in places])),
        keys=pa.schema([]),
        tables=pa.schema([]),
        policy=policy,
        facility_zone=facility_zone,
        row_numbers=row_numbers,
        rows_in_a_batch=_rows_in_a_batch(df),
        versions=versions(),
    )
    empty = pl.from_arrow(work.shape.empty_table())
    results = coded_tables(empty, work)
    _require_names_apart(results["encounters"].columns, df)
    tables = [(name, pa.struct(list(_in_spark(table)))) for name, table in results.items()]
    work = work._replace(keys=_in_spark(row_keys(empty, work)), tables=pa.schema(tables))
    return rows.select(*(f"c{place}" for place in places)), work


def spark_schema(schema: "pa.Schema") -> "StructType":
    """An Arrow schema as Spark's."""
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(schema)


def _arrow_schema(schema: "StructType") -> "pa.Schema":
    """A Spark schema as Arrow's; instants in UTC, whatever the zone of the session."""
    from pyspark.sql.pandas.types import to_arrow_schema

    return to_arrow_schema(schema, timezone="UTC")


def _in_spark(table: pl.DataFrame) -> "pa.Schema":
    """The Arrow schema in which Spark takes such a table."""
    return _arrow_schema(spark_schema(table.to_arrow().schema))


def _is_sent(field: "StructField") -> bool:
    """Whether a column goes to the workers: the known ones, and others that can ride along."""
    held = _held(field.dataType)
    if held is None and field.name in COLUMNS:
        raise InputError(
            f"Column '{field.name}' holds {field.dataType.simpleString()} values, which cannot "
            f"be read. Convert it, or leave it out."
        )
    return field.name in COLUMNS or (held is not None and not held.is_nested())


def _held(spark_type: "DataType") -> pl.DataType | None:
    """What Polars would hold for a type of Spark's; None if Arrow does not carry it."""
    import pyarrow as pa
    from pyspark.errors import PySparkTypeError
    from pyspark.sql.pandas.types import to_arrow_type

    try:
        return pl.from_arrow(pa.array([], to_arrow_type(spark_type, timezone="UTC"))).dtype
    except PySparkTypeError:
        return None


def _rows_in_a_batch(df: "DataFrame") -> int:
    """As many as Spark sends to a worker; zero and less would mean no limit there."""
    stated = int(df.sparkSession.conf.get("spark.sql.execution.arrow.maxRecordsPerBatch"))
    return stated if stated > 0 else 10_000


def _require_usable(df: "DataFrame", facility_zone: str | None, row_numbers: str | None) -> None:
    from pyspark.sql.types import IntegralType, TimestampType

    types = {field.name: field.dataType for field in df.schema}
    if len(types) < len(df.columns):
        raise InputError("Two columns of the table have the same name. Rename one of them.")
    if row_numbers is not None and not isinstance(types.get(row_numbers), IntegralType):
        raise InputError(
            f"row_numbers={row_numbers!r}: the table has no column of whole numbers of that name."
        )
    instants = [name for name in TIMES if isinstance(types.get(name), TimestampType)]
    if instants and facility_zone is None:
        raise InputError(
            f"Column {', '.join(map(repr, instants))} holds Spark timestamps: instants without a "
            f"zone. State the facility's, e.g. facility_zone='America/New_York'."
        )


def _require_names_apart(names: list[str], df: "DataFrame") -> None:
    """Spark takes names that differ in case only for one, unless told otherwise."""
    if df.sparkSession.conf.get("spark.sql.caseSensitive") == "true":
        return
    small = [name.lower() for name in names]
    alike = [name for name in names if small.count(name.lower()) > 1]
    if alike:
        raise InputError(
            f"The encounters would have columns {', '.join(map(repr, alike))}, which Spark takes "
            f"for one. Rename the table's, or set spark.sql.caseSensitive to true."
        )
