"""What should be billed, as a flat file that a charge router takes."""

from io import BytesIO
from pathlib import Path

import polars as pl

from subq_toolkit.audit.audited_tables import require
from subq_toolkit.audit.column_kinds import DAY, NAME, TEXT, WHOLE, require_kinds
from subq_toolkit.audit.sheet_cells import TEXT_IS_TEXT, check_rows, excel_writer, put
from subq_toolkit.coding import Coded
from subq_toolkit.effective import read_parameters
from subq_toolkit.errors import InputError
from subq_toolkit.written_files import place_for, write

_GUARD = read_parameters("review_sampling")["csv_guard"].values[-1].value
#: What a spreadsheet takes for the beginning of a formula; the wide signs are read alike in Japan.
_FORMULA = r"^[=+\-@\t\r\n\x00＝＋－＠]"
#: The same behind what divides fields or rows where a comma does not.
_INNER = r"([;|\t\r\n])([=+\-@＝＋－＠])"
_NEEDED = {
    "encounter_id": NAME,
    "service_date": DAY,
    "code": NAME,
    "units": WHOLE,
    "revenue_code": NAME,
    "why": TEXT,
}


def charge_lines(coded: Coded | pl.DataFrame | pl.LazyFrame) -> pl.LazyFrame:
    """Lay out what the chart supports as charge lines; nothing is computed until collected.

    Parameters
    ----------
    coded
        What ``code_administrations`` returned, or its table of lines, or some of its rows.

    Returns
    -------
    pl.LazyFrame
        ``encounter_id, service_date, revenue_code`` (without leading zeros; null where the
        setting has none or is not charted), ``hcpcs, modifiers`` (null: none is supported by a
        source), ``units`` [1], ``reason``; sorted by encounter, date and code. Only encounters
        that could be coded are there.

    Raises
    ------
    InputError
        If it is neither, lacks a column, or a column holds something else than it should.

    Notes
    -----
    Modifiers are not guessed. 25 belongs to the line of a visit on the same day, which is not
    among these. 59, XE, XS, XP or XU say that a service was separate from another one; whether
    it was, the record shows and a person decides (see the finding on injections beside an
    infusion). JW and JZ belong to the line of the drug (``drug_lines``).
    """
    lines = coded.lines if isinstance(coded, Coded) else coded
    if not isinstance(lines, pl.DataFrame | pl.LazyFrame):
        raise InputError(
            f"Hand in what code_administrations(...) returned, or its table of lines; this is a "
            f"{type(coded).__name__}."
        )
    lines = lines.lazy()
    schema = lines.collect_schema()
    require([*_NEEDED], schema.names())
    require_kinds(schema, _NEEDED)
    return lines.select(
        pl.col("encounter_id").cast(pl.String),
        pl.col("service_date").cast(pl.Date),
        pl.col("revenue_code").cast(pl.String),
        pl.col("code").cast(pl.String).alias("hcpcs"),
        pl.lit(None, pl.String).alias("modifiers"),
        pl.col("units").cast(pl.Int64),
        pl.col("why").cast(pl.String).alias("reason"),
    ).sort("encounter_id", "service_date", "hcpcs")


def write_charge_lines(coded: Coded | pl.DataFrame | pl.LazyFrame, path: str | Path) -> Path:
    """Write charge lines as CSV, Parquet or Excel, by the ending of the path.

    Parameters
    ----------
    coded
        As for ``charge_lines``.
    path
        Where to: ``.csv`` (UTF-8, comma, every field in quotes, a header, dates as 2026-03-02),
        ``.parquet`` or ``.xlsx``.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    InputError
        If it cannot be written there, a sheet of Excel does not hold so many rows, or xlsxwriter
        is not installed.

    Notes
    -----
    In CSV a text that begins with ``= + - @``, a tab or a line break gets an apostrophe before
    it, since a spreadsheet would run it as a formula (``csv_guard`` in
    ``parameters/review_sampling.toml``): an encounter ``-17`` is written ``'-17``. A router that
    must have such a number as it is takes Parquet or Excel, where text is text. Spreadsheets of
    other countries divide fields at ``;`` or tabs and mind only quotes at the start of a line: so
    every field stands in quotes, and such a sign behind ``;``, ``|``, a tab or a line break within
    a text gets the apostrophe too.
    """
    place, rows = place_for(path, _ENDINGS), charge_lines(coded)
    return write(place, _CONTENTS[place.suffix.lower()](rows))


def _csv(rows: pl.LazyFrame) -> bytes:
    made, texts = BytesIO(), ("encounter_id", "revenue_code", "hcpcs", "reason")
    rows.with_columns(map(_guarded, texts)).collect().write_csv(made, quote_style="always")
    return made.getvalue()


def _parquet(rows: pl.LazyFrame) -> bytes:
    made = BytesIO()
    rows.collect().write_parquet(made)
    return made.getvalue()


def _guarded(name: str) -> pl.Expr:
    text = pl.col(name).str.replace_all(_INNER, f"${{1}}{_GUARD}${{2}}")
    formula = text.str.contains(_FORMULA).fill_null(False)
    return pl.when(formula).then(pl.lit(_GUARD) + text).otherwise(text).alias(name)


def _sheet(lines: pl.LazyFrame) -> bytes:
    rows = lines.collect()
    check_rows(rows.height, "Write .csv or .parquet, or some of the encounters.")
    writer, made = excel_writer(), BytesIO()
    book = writer.Workbook(made, TEXT_IS_TEXT)
    sheet = book.add_worksheet("Charge lines")
    head = book.add_format({"bold": True})
    text, day = (book.add_format({"num_format": one}) for one in ("@", "yyyy-mm-dd"))
    looks = {"service_date": day, "units": None}
    for at, name in enumerate(rows.columns):
        put(sheet, 0, at, name, head)
        sheet.set_column(at, at, 60 if name == "reason" else 15)
        for row, value in enumerate(rows[name], start=1):
            put(sheet, row, at, value, looks.get(name, text))
    sheet.freeze_panes(1, 0)
    book.close()
    return made.getvalue()


_CONTENTS = {".csv": _csv, ".parquet": _parquet, ".xlsx": _sheet}
_ENDINGS = (*_CONTENTS,)
