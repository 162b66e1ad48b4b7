"""The rows of a reviewed worklist as its sheet has them, matched with those of the audit."""

from pathlib import Path

import polars as pl

from subq_toolkit.audit.sheet_cells import cell_text
from subq_toolkit.audit.worklist_file import SHEET, SHEET_COLUMNS
from subq_toolkit.errors import InputError
from subq_toolkit.plain_text import shown
from subq_toolkit.readers.export_files import kind_of
from subq_toolkit.readers.faults import tells_faults
from subq_toolkit.readers.limits import file_at
from subq_toolkit.readers.workbooks import read_sheet

_READ = ("key", "verdict", "reviewer", "note", "encounter_id", "code")
_CELLS = ("encounter_id", "code")


@tells_faults
def reviewed_sheet(path: str | Path) -> pl.DataFrame:
    """Key, verdict, reviewer, note, encounter and code of a worklist as text, no empty rows.

    Raises
    ------
    InputError
        If the file cannot be read, or is no worklist.
    """
    path = file_at(path)
    name = shown(path.name)
    if kind_of(path) != "excel":
        raise InputError(f"'{name}' is no workbook. Save the reviewed list as .xlsx.")
    found = read_sheet(path, sheet=SHEET, header_row=1)
    heads = [None if one is None else one.strip().lower() for one in found.header]
    wanted = {name: SHEET_COLUMNS[name].head.lower() for name in _READ}
    missing = [SHEET_COLUMNS[name].head for name, head in wanted.items() if head not in heads]
    if missing:
        raise InputError(
            f"'{name}': sheet '{SHEET}' has no column {', '.join(map(repr, missing))} in its "
            f"first row. Read the list as write_worklist wrote it."
        )
    held = found.rows.columns
    table = found.rows.select(
        pl.col(held[heads.index(head)]).cast(pl.String).alias(name) for name, head in wanted.items()
    )
    texts = {name: pl.col(name).str.strip_chars() for name in ("key", "verdict")}
    table = table.with_columns(
        pl.when(text != "").then(text).alias(name) for name, text in texts.items()
    )
    table = table.with_columns(pl.col("verdict").str.to_lowercase())
    return table.filter(pl.any_horizontal(pl.col("key", "verdict").is_not_null()))


def line_of(key: pl.Expr) -> pl.Expr:
    """The part of a key that says which row it is, without that of what was found."""
    return key.str.to_lowercase().str.split("-").list.first()


def with_state(sheet: pl.DataFrame, expected: pl.DataFrame) -> pl.DataFrame:
    """Rows of the sheet with ``_line`` and ``state``."""
    known = expected.select(
        line_of(pl.col("key")).alias("_line"), _key="key", _encounter="encounter_id", _code="code"
    )
    plain = {name: [_plain(one) for one in known[name]] for name in ("_encounter", "_code")}
    known = known.with_columns(pl.Series(name, one, dtype=pl.String) for name, one in plain.items())
    rows = sheet.with_columns(_line=line_of(pl.col("key"))).with_columns(
        _same=pl.len().over("_line"),
        **{name: pl.col(name).map_elements(_plain, return_dtype=pl.String) for name in _CELLS},
    )
    rows = rows.join(known, on="_line", how="left", maintain_order="left")
    apart = pl.col("encounter_id").ne_missing(pl.col("_encounter"))
    apart |= pl.col("code").ne_missing(pl.col("_code"))
    state = (
        pl.when(pl.col("key").is_null())
        .then(pl.lit("no_key"))
        .when(pl.col("_key").is_null())
        .then(pl.lit("not_in_audit"))
        .when(pl.col("_same") > 1)
        .then(pl.lit("double"))
        .when(apart)
        .then(pl.lit("mixed_up"))
        .when(pl.col("key").str.to_lowercase() != pl.col("_key"))
        .then(pl.lit("changed"))
        .otherwise(pl.lit("matched"))
    )
    return rows.with_columns(state=state)


def _plain(cell: str | None) -> str | None:
    """A cell as Excel may give it back: without blanks at its ends, or ``.0`` behind a number."""
    if cell is None:
        return None
    text = " ".join(cell_text(cell).split())
    return text.removesuffix(".0") or None
