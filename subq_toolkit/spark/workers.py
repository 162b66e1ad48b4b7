"""What a Spark worker does: read the keys of rows, code a partition, add up tallies."""

from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import polars.selectors as cs

from subq_toolkit.administrations import judged, passes, readable_rows
from subq_toolkit.coding import OUTCOMES, assemble, facts_of
from subq_toolkit.encounter_facts import counted_runs, whose_and_when
from subq_toolkit.errors import InputError
from subq_toolkit.findings import file_findings, file_tally, with_remedies
from subq_toolkit.intake import take_in
from subq_toolkit.policy import Policy

if TYPE_CHECKING:
    import pyarrow as pa

    Batches = Iterator[pa.RecordBatch]

TABLES = ("encounters", "lines", "findings", "refused")
#: Batches whose keys are read together; to read them costs the same for few rows and for many.
_BATCHES_AT_ONCE = 20


class Work(NamedTuple):
    """All that a worker needs to know.

    ``shape`` and ``tables`` are the columns of the table handed in and of the results,
    ``keys`` those by which rows are brought together.
    """

    shape: "pa.Schema"
    keys: "pa.Schema"
    tables: "pa.Schema"
    policy: Policy
    facility_zone: str | None
    row_numbers: str | None
    rows_in_a_batch: int
    versions: str

    def key(self, batches: "Batches") -> "Batches":
        """Put beside each row what it is brought together by."""
        import pyarrow as pa

        self._require_same_versions()
        while some := list(islice(batches, _BATCHES_AT_ONCE)):
            table = pa.Table.from_batches(some)
            keys = row_keys(self._read(some), self).to_arrow().cast(self.keys)
            for name, key in zip(keys.column_names, keys.columns, strict=True):
                table = table.append_column(name, key)
            yield from table.to_batches()

    def code(self, batches: "Batches") -> "Batches":
        """Code a partition; each batch that comes out holds rows of one table."""
        import pyarrow as pa

        self._require_same_versions()
        held = [batch for batch in batches if batch.num_rows]
        if not held:
            return
        for name, table in coded_tables(self._read(held), self).items():
            for structs in self._slices(table, name):
                columns = [
                    structs if field.name == name else pa.nulls(len(structs), field.type)
                    for field in self.tables
                ]
                yield pa.RecordBatch.from_arrays(columns, schema=self.tables)

    def code_file(self, batches: "Batches") -> "Batches":
        """Turn the tallies of all partitions into the findings about the whole file."""
        import pyarrow as pa

        if held := [batch for batch in batches if batch.num_rows]:
            tallies = pl.from_arrow(pa.Table.from_batches(held)).lazy().drop(OUTCOMES)
            intake = take_in(self.to_code(self._read([])), facility_zone=self.facility_zone)
            findings = with_remedies(file_findings(tallies, intake)).collect()
            for structs in self._slices(findings, "findings"):
                yield pa.RecordBatch.from_struct_array(structs)

    def to_code(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A table without the column that only counts its rows."""
        return frame.drop(self.row_numbers) if self.row_numbers else frame

    def _read(self, batches: list["pa.RecordBatch"]) -> pl.DataFrame:
        import pyarrow as pa

        if not batches:
            return pl.from_arrow(self.shape.empty_table())
        table = pa.Table.from_batches(batches).select(range(len(self.shape)))
        return pl.from_arrow(table.rename_columns(self.shape.names).cast(self.shape))

    def _slices(self, table: pl.DataFrame, name: str) -> "Iterable[pa.StructArray]":
        import pyarrow as pa

        schema = pa.schema(list(self.tables.field(name).type))
        for rows in table.iter_slices(self.rows_in_a_batch):
            yield rows.to_arrow().cast(schema).combine_chunks().to_batches()[0].to_struct_array()

    def _require_same_versions(self) -> None:
        if self.versions != (mine := versions()):
            raise InputError(
                f"A Spark worker has {mine}, the driver {self.versions}. "
                f"Install the same on every machine."
            )


def row_keys(frame: pl.DataFrame, work: Work) -> pl.DataFrame:
    """The encounter of each row and, where patients are known, patient and date if readable."""
    intake = take_in(work.to_code(frame), facility_zone=work.facility_zone)
    # Rows that name no encounter need no company, and may be many.
    apart = pl.struct("_start_us", "_stop_us").hash().cast(pl.String)
    keys = {"_encounter": pl.coalesce("encounter_id", apart)}
    if "patient_id" in intake.given:
        keys |= {name: pl.when(passes()).then(expr) for name, expr in whose_and_when().items()}
        # Spark has no unsigned numbers: the least patient must be the least there too.
        signed = (keys["_patient"] ^ pl.lit(1 << 63, pl.UInt64)).reinterpret(signed=True)
        keys["_patient"] = signed
    return intake.rows.select(**keys).collect(engine="in-memory")


def coded_tables(frame: pl.DataFrame, work: Work) -> dict[str, pl.DataFrame]:
    """Code a table by the steps of ``code_administrations``: its results in types that Spark has.

    ``tally`` has one row: what findings about the whole file count, and rows by outcome.
    """
    row = pl.lit(None)
    if work.row_numbers:
        frame = frame.sort(work.row_numbers, nulls_last=True)
        row = pl.lit(frame[work.row_numbers]).gather(pl.col("row") - 1)
    intake = judged(take_in(work.to_code(frame), facility_zone=work.facility_zone))
    facts = facts_of(intake, work.policy).collect(engine="in-memory").lazy()
    coded = assemble(intake, facts, work.policy)
    runs = counted_runs(readable_rows(intake), work.policy)
    outcomes = pl.LazyFrame([coded.reconcile()]).select(OUTCOMES)
    tables = {
        "encounters": coded.encounters,
        "lines": coded.lines,
        "findings": coded.findings.filter(pl.col("encounter_id").is_not_null()),
        "refused": coded.refused.with_columns(row=row.cast(pl.Int64)),
        "tally": pl.concat([file_tally(facts, runs), outcomes], how="horizontal"),
    }
    answers = (cs.enum() | cs.categorical()).cast(pl.String)
    counts = cs.unsigned_integer().cast(pl.Int64)
    held = pl.collect_all([table.with_columns(answers, counts) for table in tables.values()])
    return dict(zip(tables, held, strict=True))


def versions() -> str:
    """What must be the same on all machines, lest rules or hashes differ."""
    try:
        toolkit = version("subq_toolkit")
    except PackageNotFoundError:
        toolkit = "from an archive"
    return f"subq_toolkit {toolkit}, polars {pl.__version__}"
