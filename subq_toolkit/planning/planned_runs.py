"""Planned runs, one a pump, as they would be charted if all goes to plan."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from subq_toolkit.charted_run import Administration
from subq_toolkit.planning.prescription import Amounts, Prescription


def planned_runs(
    ordered: Prescription, amounts: Amounts, sites: int, minutes: dict[str, float], drug: str
) -> list[Administration]:
    """One run a pump, all begun together; ``minutes`` says how long each pump takes. [min]"""
    runs, placed = [], 0
    for pump, of_pump in share_sites(sites, ordered.pumps).items():
        share, first, placed = of_pump / sites, placed, placed + of_pump
        runs.append(
            Administration(
                ordered.start_at,
                _later(ordered.start_at, minutes[pump], ordered.facility_zone),
                pump_id=pump,
                site=", ".join(f"planned site {one + 1}" for one in range(first, placed)),
                drug=drug,
                mode="continuous",
                delivery="pump",
                needles=of_pump,
                setting=ordered.setting,
                volume_ml=amounts.volume_ml * share,
                rate_ml_per_h=amounts.volume_ml * share / (minutes[pump] / 60),
                concentration_mg_per_ml=amounts.concentration_mg_per_ml,
                dose_mg=None if amounts.dose_mg is None else amounts.dose_mg * share,
            )
        )
    return runs


def _later(start: datetime, minutes: float, zone: str | None) -> datetime:
    """The clock some elapsed minutes later, also where it is changed meanwhile."""
    local = start if zone is None or start.tzinfo else start.replace(tzinfo=ZoneInfo(zone))
    if local.tzinfo is None:
        return start + timedelta(minutes=minutes)
    later = (local.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(local.tzinfo)
    return later if start.tzinfo else later.replace(tzinfo=None)


def share_sites(sites: int, pumps: int) -> dict[str, int]:
    """Sites of each pump, as even as can be; pumps are named A, B and so on."""
    each, more = divmod(sites, pumps)
    return {_letters(pump): each + (pump < more) for pump in range(pumps)}


def _letters(number: int) -> str:
    before = _letters(number // 26 - 1) if number >= 26 else ""
    return before + chr(ord("A") + number % 26)
