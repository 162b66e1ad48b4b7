"""What each kind of file of CMS becomes: the rows of one of the fee tables, kind by kind."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

import polars as pl

from subq_toolkit.errors import InputError
from subq_toolkit.fees.tables import KEYS
from subq_toolkit.published_files.cms_rows import WHY, Reason, also, without_repeats
from subq_toolkit.published_files.headers import Header, plain_words

SETTINGS = ("practitioner", "outpatient_hospital")
#: Largest difference of a total of relative values that rounding explains. [RVU]
_ROUNDING = 0.015


class Terms(NamedTuple):
    """What must be known of a file beside its rows: first day, setting of edits, wanted codes."""

    start: date
    setting: str | None = None
    codes: frozenset[str] | None = None


def table_rows(rows: pl.DataFrame, header: Header, terms: Terms) -> pl.DataFrame:
    """Rows of the layout as rows of its table, with ``start``, ``until`` and ``WHY``."""
    layout = header.layout
    end = date(terms.start.year, 12, 31) if layout.yearly else None
    dated = rows.with_columns(start=terms.start, until=pl.lit(end, dtype=pl.Date))
    made = _KINDS[layout.kind](also(dated, _other_codes(layout.table, terms)), terms)
    return without_repeats(made, list(KEYS[layout.table]))


def ended_pairs(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """Edits that ended before the file: their key and last day, none that came back."""
    key = list(KEYS[table])
    if table not in ("procedure_pairs", "add_on_primaries"):
        return pl.DataFrame(schema={**dict.fromkeys(key, pl.String), "until": pl.Date})
    kept = rows.filter(pl.col(WHY).is_null())
    ended = rows.filter(pl.col(WHY) == DELETED).group_by(key).agg(pl.col("until").max())
    return ended.join(kept, on=key, how="anti").sort(key)


def setting_of(text: str, stated: str | None) -> str:
    """Tell the setting of edits from the names of the file and its header.

    Raises
    ------
    InputError
        If it is neither told nor stated, or is one without a table here.
    """
    if stated is not None and stated not in SETTINGS:
        raise InputError(f"setting is one of {', '.join(SETTINGS)}, not {stated!r}.")
    words = f" {plain_words(text)} "
    told = [setting for setting, signs in _SIGNS.items() if any(sign in words for sign in signs)]
    if stated is None and told == ["supplier"]:
        raise InputError(
            "These are the edits for suppliers of equipment; there is no table for them here. Take "
            "the file for practitioners or for outpatient hospitals."
        )
    if stated is None and len(told) != 1:
        raise InputError(
            "Neither the name nor the header of the file says for whom its edits are. State it: "
            f"setting={SETTINGS[0]!r} or setting={SETTINGS[1]!r}."
        )
    return stated or told[0]


DELETED = "ended before the first day of the file"
_SIGNS = {
    "practitioner": ("practitioner", "ccipra"),
    "outpatient_hospital": ("hospital", "ccioph"),
    "supplier": (" dme", "supplier"),
}


def _relative_values(rows: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    total = pl.sum_horizontal("work_rvu", "nonfac_pe_rvu", "mp_rvu")
    off = (total - pl.col("nonfac_total")).abs().cast(pl.Float64) > _ROUNDING
    reasons = [
        Reason(pl.col("modifier").is_not_null(), "a row for a modifier, such as 26 or TC"),
        Reason(off, "work, practice expense and malpractice do not add up to the total"),
    ]
    return also(rows, reasons).drop("modifier", "nonfac_total", "conversion_factor")


def _gpcis(rows: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """MAC and locality as one key, with the leading zeros that a spreadsheet drops."""
    digits = {"mac": 5, "locality": 2}
    reasons = [
        Reason(~pl.col(name).str.contains(rf"^\d{{1,{most}}}$"), f"'{name}' is not a number")
        for name, most in digits.items()
    ]
    mac, locality = (pl.col(name).str.zfill(most) for name, most in digits.items())
    return (
        also(rows, reasons)
        .with_columns(
            locality=pl.concat_str(mac, locality, separator="-"),
            name=pl.col("name").str.replace_all(r"\*+", "").str.strip_chars(),
        )
        .drop("mac")
    )


def _opps_rates(rows: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    return rows


def _unlikely_edits(rows: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """The adjudication indicator is the digit before its words."""
    digit = pl.col("mai").str.extract(r"^\s*([123])\b")
    unknown = Reason(digit.is_null(), "'mai' is not 1, 2 or 3")
    return also(rows, [unknown]).with_columns(mai=digit, setting=pl.lit(terms.setting))


def _procedure_pairs(rows: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    indicator = pl.col("modifier_indicator")
    unknown = [
        Reason(indicator == "9", "modifier indicator 9: taken back from its first day"),
        Reason(~indicator.is_in(["0", "1"]), "'modifier_indicator' is not 0, 1 or 9"),
    ]
    return _edits(also(rows, unknown), terms).with_columns(setting=pl.lit(terms.setting))


def _add_on_primaries(rows: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """An edit ends with either of its codes; CCCCC leaves the primaries to the contractor."""
    unlisted = Reason(pl.col("primary") == "CCCCC", "primaries are left to the contractor (CCCCC)")
    ends = pl.min_horizontal("deletion", "add_on_ends", "primary_ends")
    listed = also(rows, [unlisted]).with_columns(deletion=ends)
    return _edits(listed.drop("add_on_ends", "primary_ends"), terms)


def _edits(rows: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Edits carry days of their own: they begin with the file or later, and may have an end."""
    last = pl.col("deletion")
    ended = [
        Reason(last < pl.col("effective"), "ended before it began"),
        Reason(last < terms.start, DELETED),
    ]
    dated = rows.with_columns(start=pl.max_horizontal("effective", pl.lit(terms.start)), until=last)
    return also(dated, ended).drop("effective", "deletion")


def _other_codes(table: str, terms: Terms) -> list[Reason]:
    if terms.codes is None:
        return []
    wanted = [pl.col(name).is_in(list(terms.codes)) for name in code_columns(table)]
    return [Reason(~pl.any_horizontal(wanted), "none of the codes asked for")]


def code_columns(table: str) -> list[str]:
    """Columns of the key of a table that hold codes of services.

    Raises
    ------
    InputError
        If it has none.
    """
    columns = [name for name in KEYS[table] if name not in ("setting", "locality")]
    if not columns:
        raise InputError(f"codes= cannot be used here: the rows of '{table}' are not codes.")
    return columns


_KINDS: dict[str, Callable[[pl.DataFrame, Terms], pl.DataFrame]] = {
    "RVU": _relative_values,
    "GPCI": _gpcis,
    "Addendum B": _opps_rates,
    "MUE": _unlikely_edits,
    "PTP": _procedure_pairs,
    "add-on": _add_on_primaries,
}


def day_before(day: pl.Expr) -> pl.Expr:
    """The last day of a span that another one follows on ``day``."""
    return day - timedelta(days=1)
