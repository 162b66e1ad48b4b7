"""One encounter, typed in by hand: the same rules as for a table, computed at once."""

import html
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

import polars as pl

from subq_toolkit.administrations import CHOICES, COLUMNS, TIMES, take_in
from subq_toolkit.coding import Coded, assemble, facts_of
from subq_toolkit.documentation import checklist
from subq_toolkit.effective import read_parameters
from subq_toolkit.errors import InputError
from subq_toolkit.explain import explain, paragraph
from subq_toolkit.policy import Policy


@dataclass(frozen=True)
class Administration:
    """One charted run of one drug, as written on paper.

    Attributes
    ----------
    start_at, stop_at
        Time as ISO text (``"2026-03-02 09:15"``, an offset such as ``-05:00`` allowed), a
        ``datetime``, or None where the chart is silent.
    route, pump_id, site, drug, ...
        As in ``administrations.COLUMNS``; volumes in mL, rates in mL/h, doses in mg.

    Raises
    ------
    InputError
        If a time cannot be read or an answer is not one of the list.
    """

    start_at: str | datetime | None
    stop_at: str | datetime | None = None
    encounter_id: str = "1"
    route: str | None = "subcutaneous"
    pump_id: str | None = None
    site: str | None = None
    drug: str | None = None
    mode: str | None = None
    device: str | None = None
    delivery: str | None = None
    needles: int | None = None
    indication: str | None = None
    setting: str | None = None
    volume_ml: float | None = None
    rate_ml_per_h: float | None = None
    concentration_mg_per_ml: float | None = None
    dose_mg: float | None = None
    setup_charted: bool | None = None
    discharge_at: str | datetime | None = None
    em_code: str | None = None
    patient_id: str | None = None
    payer: str | None = None
    locality: str | None = None
    department: str | None = None

    def __post_init__(self) -> None:
        for name in TIMES:
            object.__setattr__(self, name, _time(name, getattr(self, name)))
        for name, answers in CHOICES.items():
            given = getattr(self, name)
            if given is not None and given not in answers:
                raise InputError(
                    f"Administration: {name} is one of {', '.join(map(repr, answers))}; "
                    f"something else was given."
                )


def _time(name: str, given: str | datetime | None) -> datetime | None:
    if given is None or isinstance(given, datetime):
        return given
    try:
        time = datetime.fromisoformat(given.strip())
    except (AttributeError, TypeError, ValueError):
        time = None
    if time is None or not {"T", " ", ":"} & set(given.strip()):
        raise InputError(
            f"Administration: {name} is not a date with a clock time. "
            f"Write it as '2026-03-02 09:15', hand in a datetime, or None if it is not charted."
        )
    return time


@dataclass(frozen=True)
class EncounterResult:
    """What one encounter may be reported as, and why.

    Attributes
    ----------
    encounter
        The row of the encounters table, as a frame.
    lines, findings, refused
        Frames; the columns are those of ``coding.Coded``.
    policy
        The choices in force.
    """

    encounter: pl.DataFrame
    lines: pl.DataFrame
    findings: pl.DataFrame
    refused: pl.DataFrame
    policy: Policy
    coded: Coded

    @property
    def units(self) -> dict[str, int]:
        """Code to units, for codes with at least one unit."""
        totals = self.lines.group_by("code", maintain_order=True).agg(pl.col("units").sum())
        return dict(totals.sort("code").rows())

    @property
    def infusion_min(self) -> int | None:
        """Counted minutes, or None while a start or stop is missing. [min]"""
        return self._value("infusion_min")

    @property
    def outcome(self) -> str:
        """``coded``, ``query``, ``refer``, or ``refused`` if no row could be read."""
        return self._value("outcome") or "refused"

    @property
    def min_to_next_unit(self) -> int | None:
        """Minutes missing to the next unit. [min]"""
        return self._value("min_to_next_unit")

    def _value(self, name: str) -> object:
        return None if self.encounter.is_empty() else self.encounter.item(0, name)

    @property
    def encounter_id(self) -> str | None:
        """The encounter's name, or None if no row could be read."""
        return self._value("encounter_id")

    def explain(self) -> pl.DataFrame:
        """Every step from charted times to units; columns as ``explain.explain`` gives them."""
        return explain(self.coded, self.encounter_id)

    @property
    def explanation(self) -> str:
        """The same in one paragraph, fit for a note."""
        if self.encounter.is_empty():
            reasons = sorted({reason for row in self.refused["failed"] for reason in row})
            return f"Not coded: no row could be read. Failed: {'; '.join(reasons)}."
        return paragraph(self.explain(), self.lines, self.findings, self.outcome)

    def checklist(self) -> pl.DataFrame:
        """What the chart must hold, what is there, and what each gap costs."""
        return checklist(self.coded, self.encounter_id)

    def __repr__(self) -> str:
        units = ", ".join(f"{code} x{count}" for code, count in self.units.items()) or "no units"
        minutes = "minutes unknown" if self.infusion_min is None else f"{self.infusion_min} min"
        return f"<EncounterResult: {self.outcome}, {minutes}, {units}, findings: {self._found()}>"

    def _found(self) -> str:
        return ", ".join(self.findings["finding"]) or "none"

    def _repr_html_(self) -> str:
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(str(cell or ''))}</td>" for cell in row) + "</tr>"
            for row in self.lines.select("code", "units", "revenue_code", "why").rows()
        )
        return (
            f"<p>{html.escape(self.explanation)}</p>"
            f"<table><thead><tr><th>code</th><th>units</th><th>revenue code</th><th>why</th></tr>"
            f"</thead><tbody>{rows}</tbody></table>"
        )


def code_encounter(
    administrations: Sequence[Administration],
    *,
    policy: Policy | None = None,
    facility_zone: str | None = None,
) -> EncounterResult:
    """Code the charted runs of one encounter.

    Parameters
    ----------
    administrations
        The runs; all of one encounter.
    policy, facility_zone
        As for ``code_administrations``.

    Raises
    ------
    InputError
        If there is no run, there are several encounters, or some times carry a zone and
        others do not.
    """
    policy = policy or Policy()
    if not administrations:
        raise InputError("code_encounter needs at least one Administration; none was given.")
    if len({one.encounter_id for one in administrations}) > 1:
        raise InputError(
            "code_encounter takes the runs of one encounter; several encounter_id were given. "
            "Use code_administrations(frame) for many."
        )
    frame, zone = as_frame(administrations, facility_zone)
    intake = take_in(frame, facility_zone=zone)
    intake = intake._replace(rows=intake.rows.collect().lazy())
    facts = facts_of(intake, policy).collect()
    _warn_if_due(facts)
    coded = assemble(intake, facts.lazy(), policy)
    tables = (coded.encounters, coded.lines, coded.findings, coded.refused)
    encounter, lines, findings, refused = pl.collect_all(tables)
    return EncounterResult(encounter, lines, findings, refused, policy, coded)


def as_frame(
    administrations: Sequence[Administration], facility_zone: str | None = None
) -> tuple[pl.DataFrame, str | None]:
    """The runs as a table, and the zone in which their dates are read.

    Columns that no run fills are left out. A fixed offset serves as the zone where times
    carry one and no ``facility_zone`` is named.
    """
    times = [getattr(one, name) for one in administrations for name in TIMES]
    zoned = [time for time in times if time is not None and time.tzinfo is not None]
    if zoned and len(zoned) < sum(time is not None for time in times):
        raise InputError(
            "Some times carry a time zone and others do not. Give every time the same form."
        )
    zone = facility_zone or (_zone_of(zoned[0]) if zoned else None)
    rows = [
        {field.name: getattr(one, field.name) for field in fields(one)} for one in administrations
    ]
    if zoned:
        for row in rows:
            row |= {name: row[name] and row[name].astimezone(UTC) for name in TIMES}
    stamp = pl.Datetime("us", "UTC") if zoned else pl.Datetime("us")
    schema = {field.name: COLUMNS[field.name] for field in fields(Administration)}
    frame = pl.DataFrame(rows, schema=schema | dict.fromkeys(TIMES, stamp), strict=False)
    always = ("encounter_id", "start_at", "stop_at", "route")
    filled = [name for name in frame.columns if name in always or frame[name].count()]
    return frame.select(filled), zone


def _zone_of(time: datetime) -> str:
    named = getattr(time.tzinfo, "key", None)
    offset = time.utcoffset() or timedelta(0)
    hours, rest = divmod(offset, timedelta(hours=1))
    if named is None and rest:
        raise InputError("A time carries an offset that is no whole hour; name facility_zone.")
    return named or f"Etc/GMT{-hours:+d}"


def _warn_if_due(facts: pl.DataFrame) -> None:
    time_rules = read_parameters("infusion_time")
    for day in facts["service_date"].drop_nulls().unique():
        for name in ("initial_hour_at_least", "additional_hour_more_than"):
            time_rules[name].on(day)
