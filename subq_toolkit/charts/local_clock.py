"""Moments as the clock on a facility's wall shows them, for people and for charts."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class LocalClock:
    """The wall clock of a zone; moments on another day than ``day`` are written with date."""

    zone: str | None
    day: date | None

    def wall(self, moment_us: int) -> datetime:
        """What the clock on the wall shows at ``moment_us`` [µs since 1970]."""
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment_us)
        return moment.astimezone(ZoneInfo(self.zone)) if self.zone else moment

    def ms(self, moment_us: int) -> int:
        """Wall-clock time as if it were UTC, so that no browser's zone shifts it."""
        wall = self.wall(moment_us).replace(tzinfo=UTC)
        return (wall - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)

    def span(self, first_us: int | None, last_us: int | None) -> str:
        """Both clock times; each with its date where that is not the one before."""
        said, day = [], self.day
        for moment_us in (first_us, last_us):
            wall = None if moment_us is None else self.wall(moment_us)
            if wall is None:
                said.append("?")
                continue
            said.append(f"{wall:%H:%M}" if wall.date() == day else f"{wall:%b %d %H:%M}")
            day = wall.date()
        return "–".join(said)
