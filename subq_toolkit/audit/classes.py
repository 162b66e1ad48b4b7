"""The class of each billed code: what is wrong with it, in words, and what to do.

Urgency, remedy and source of a class stand in ``parameters/audit_classes.toml``, whose order
decides where several apply.
"""

from typing import NamedTuple

import polars as pl

from subq_toolkit.audit.audited_tables import CLASSES, JUDGED
from subq_toolkit.audit.billed import OTHER_FAMILY, OTHER_SERVICE
from subq_toolkit.audit.reason_notes import with_notes
from subq_toolkit.conditions import says
from subq_toolkit.effective import read_parameters, sources

__all__ = ["CLASSES", "cite", "classified"]

_EDITS = read_parameters("unlikely_edits")
_DAY, _ROLE = pl.col("service_date"), pl.col("role")
_BILLED, _SUPPORTED, _MINUTES = pl.col("billed_units"), pl.col("supported"), pl.col("infusion_min")


class _Class(NamedTuple):
    """When a class applies, and its sentence."""

    when: pl.Expr
    reason: pl.Expr


def _against() -> str:
    return "{} billed, {} supported by {} min"


def _sentence(rest: str, *values: pl.Expr) -> pl.Expr:
    return says(_against() + rest, _BILLED, _SUPPORTED, _MINUTES, *values)


def _edit() -> pl.Expr:
    edit = pl.lit(None, pl.Int64)
    for role, parameter in _EDITS.items():
        edit = pl.when(_ROLE == role).then(parameter.expr(_DAY)).otherwise(edit)
    return edit


def _classes() -> dict[str, _Class]:
    outcome, points = pl.col("outcome"), pl.col("open_points")
    coded, query = outcome == "coded", outcome == "query"
    charted = pl.col("_n").is_not_null()
    in_place = pl.col("injections_in_place")
    unread, home = pl.col("rows_refused").fill_null(False), pl.col("setting") == "home"
    above = (pl.col("most_a_day") > _edit()).fill_null(False)
    service = (pl.col("billed_service") > 0) & (_BILLED < _SUPPORTED)
    service |= _ROLE == OTHER_SERVICE
    lost = pl.col("charges_refused") & coded & (_BILLED < _SUPPORTED)
    lost |= coded & pl.col("claim_refused")
    lost |= pl.col("code_refused") & ~query & (_BILLED <= _SUPPORTED)
    live, denied = pl.col("live_units"), pl.col("denied_units")
    # Where a cap took units away, no date can be told for those billed above it.
    capped = pl.col("documented_further") > _charted("further_hour")
    capped &= live > _charted("further_hour")
    misplaced = pl.col("misplaced") & ~((_ROLE == "further_hour") & capped.fill_null(False))
    pair = (_BILLED < _SUPPORTED) & (pl.col("billed_first") <= 0)
    pair &= (pl.col("billed_other") > 0) | in_place
    alone = _ROLE.is_in(["further_hour", "further_setup"]) & (_BILLED > 0)
    alone &= (pl.col("billed_first") <= 0) & (_BILLED <= _SUPPORTED)
    once = _ROLE.is_in(["first_hour", "further_setup"])
    in_vein = (_ROLE == OTHER_FAMILY) & (_BILLED > 0)
    first, last = pl.col("billed_revenue"), pl.col("revenue_last")
    belongs = pl.col("revenue_code")
    wrong = pl.when(_other_place(first, belongs)).then(first).otherwise(last)
    off = pl.col("setting").is_not_null() & first.is_not_null()
    off &= _other_place(first, belongs) | _other_place(last, belongs)
    return {
        "chart_unreadable": _Class(
            charted & ((outcome == "refused") | (unread & (_BILLED > pl.col("charted")))),
            says("{} billed; rows of the chart could not be read.", _BILLED),
        ),
        "charge_unreadable": _Class(
            lost | (alone & pl.col("charges_refused")),
            _sentence("; a charge of the encounter could not be read."),
        ),
        "coder_decides": _Class(
            (outcome == "refer") | (coded & ((home & (_BILLED <= _SUPPORTED)) | service)),
            pl.when(outcome == "refer")
            .then(says("{} billed; a coder decides: {}.", _BILLED, points))
            .when(home)
            .then(_sentence(", at home: other codes may be due there."))
            .otherwise(_sentence("; a code that may stand in its place is billed.")),
        ),
        "chart_incomplete": _Class(
            query & (_BILLED <= _SUPPORTED) & (_ROLE != "short_infusion"),
            says(
                "{} billed, {} supported so far; open in the chart: {}.",
                _BILLED,
                _SUPPORTED,
                points,
            ),
        ),
        "documentation_missing": _Class(
            query & (_BILLED > _SUPPORTED) & ~in_vein & ~(once & (live > 1)),
            says(
                "{} billed, {} supported so far; open in the chart: {}.",
                _BILLED,
                _SUPPORTED,
                points,
            ),
        ),
        "charge_without_chart": _Class(
            ~charted & (_BILLED > 0),
            pl.when("elsewhere")
            .then(says("{} billed; the encounter is charted on another date.", _BILLED))
            .otherwise(says("{} billed; the chart has no such encounter.", _BILLED)),
        ),
        "chart_without_charge": _Class(
            coded & ~pl.col("any_charge") & (_BILLED < _SUPPORTED),
            pl.concat_str(
                says("{} supported by {} min; no charge stands", _SUPPORTED, _MINUTES),
                pl.when("charged_elsewhere").then(
                    pl.lit(", but its number is charged on another date: look there first")
                ),
                pl.lit("."),
                ignore_nulls=True,
            ),
        ),
        "wrong_family": _Class(
            (query & in_vein)
            | (coded & (in_vein | ((_ROLE == "short_infusion") & in_place) | pair)),
            pl.when(pair)
            .then(_sentence("; a code of another family stands in its place."))
            .when(query)
            .then(
                says(
                    "{} billed; the chart holds a subcutaneous infusion and no "
                    "intravenous row. Open in the chart: {}.",
                    _BILLED,
                    points,
                )
            )
            .when(_ROLE == OTHER_FAMILY)
            .then(
                says(
                    "{} billed; the chart holds a subcutaneous infusion of {} min and no "
                    "intravenous row.",
                    _BILLED,
                    _MINUTES,
                )
            )
            .otherwise(_sentence(" and charted injections; the first hour is not billed.")),
        ),
        "duplicate": _Class(
            (_BILLED > _SUPPORTED) & (pl.col("copies") > 0) & (pl.col("units_once") == _SUPPORTED),
            _sentence("; identical lines beyond the first: {}.", pl.col("copies")),
        ),
        "add_on_without_primary": _Class(
            coded & alone & (_charted("first_hour") > 0),
            _sentence("; no first hour is billed beside it."),
        ),
        "setup_more_than_once": _Class(
            (_ROLE == "further_setup") & (_BILLED > 1),
            says("{} billed, {} supported; once an encounter.", _BILLED, _SUPPORTED),
        ),
        "above_unlikely_edit": _Class(
            (_BILLED > _SUPPORTED) & above, _sentence("; the edit of a day stops at {}.", _edit())
        ),
        "over": _Class(_BILLED > _SUPPORTED, _sentence(".")),
        "under": _Class(
            _BILLED < _SUPPORTED,
            pl.when(_SUPPORTED > _edit())
            .then(_sentence("; the edit of a day stops at {}.", _edit()))
            .otherwise(_sentence(".")),
        ),
        "wrong_date": _Class(
            ((pl.col("days_off") > 0) | misplaced) & (_BILLED > 0),
            pl.when(pl.col("days_off") > 0)
            .then(says("Charged {} day off the charted day.", pl.col("days_off")))
            .otherwise(_sentence("; more on one date than the chart gives it.")),
        ),
        "wrong_revenue_code": _Class(
            off & charted & (_BILLED > 0),
            says(
                "Revenue code {} billed; {} has {}.",
                wrong,
                pl.col("setting"),
                pl.coalesce("revenue_code", pl.lit("none")),
            ),
        ),
        "denied_supported": _Class(
            (denied > 0) & (_BILLED > live),
            _sentence("; denied by the payer: {}.", denied),
        ),
        "denied_unsupported": _Class(
            (denied > 0) & (live <= 0) & (_SUPPORTED <= 0),
            pl.when(charted)
            .then(says("{} denied, none supported.", denied))
            .when("elsewhere")
            .then(says("{} denied; the encounter is charted on another date.", denied))
            .otherwise(says("{} denied; the chart has no such encounter.", denied)),
        ),
        "denial_expected": _Class(
            above & (_BILLED > _edit()),
            _sentence("; the edit of a day stops at {}: expect a denial.", _edit()),
        ),
        "agrees": _Class(pl.lit(True), _sentence(".")),
    }


def _other_place(billed: pl.Expr, belongs: pl.Expr) -> pl.Expr:
    """Whether a revenue code is of another place; its last figure only names a part of one."""
    return billed.str.slice(0, 2).ne_missing(belongs.str.slice(0, 2))


def classified(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Add to compared rows their class and what belongs to it.

    Parameters
    ----------
    rows
        As ``compared`` returns them.

    Returns
    -------
    pl.LazyFrame
        ``rows`` with ``class, reason, what_to_do, cite, risk``, ``judged`` (whether billed could
        be held against supported), and ``supported`` null where it could not.
    """
    injected = (
        (pl.col("billed_short") > _charted("short_infusion") + pl.col("injections").fill_null(0))
        & (pl.col("billed_first") <= 0)
        & (_charted("first_hour") > 0)
        & ~pl.col("charges_refused").fill_null(False)
    )
    rows = rows.with_columns(injections_in_place=injected.fill_null(False))
    classes = _classes()
    name = pl.lit("agrees")
    for key in reversed(list(CLASSES)):
        name = pl.when(classes[key].when.fill_null(False)).then(pl.lit(key)).otherwise(name)
    rows = rows.with_columns(name.alias("class")).collect()
    # Each sentence is built only for the rows of its class.
    numbered = rows.with_row_index("_row_no").lazy()
    sentences = [
        numbered.filter(pl.col("class") == key).select("_row_no", reason=one.reason)
        for key, one in classes.items()
    ]
    reasons = pl.concat(sentences).sort("_row_no").collect()
    return (
        with_notes(rows.with_columns(reasons["reason"]))
        .lazy()
        .with_columns(
            what_to_do=_said({key: one["what_to_do"] for key, one in CLASSES.items()}),
            cite=_said({key: cite(key) for key in CLASSES}),
            risk=_said({key: one["risk"] for key, one in CLASSES.items()}),
            judged=pl.col("class").is_in(JUDGED),
        )
        .with_columns(supported=pl.when("judged").then("supported"))
    )


def cite(name: str) -> str:
    """The source behind a class, with its standing."""
    return sources()[CLASSES[name]["source"]].cite(CLASSES[name]["standing"])


def _said(by_class: dict[str, str]) -> pl.Expr:
    return pl.col("class").replace_strict(by_class, return_dtype=pl.String)


def _charted(role: str) -> pl.Expr:
    return pl.col(f"charted_{role}").fill_null(0)
