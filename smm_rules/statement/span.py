"""Days of a time zone as spans of time, whatever its clocks do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` on, `until` not included; both UTC. `name` is how it is called: a date, or empty."""

    since: datetime
    until: datetime
    name: str = ""


def instant(day: date, at: time, zone: tzinfo) -> datetime:
    """When a clock of the zone shows `at` on that day; the first time if it does so twice.

    A time that the clock leaves out stands for the one that is as long after midnight.
    """
    return datetime.combine(day, at.replace(fold=0), zone).astimezone(UTC)


def day_span(day: date, zone: tzinfo) -> Span:
    """The day from midnight to midnight: 23 or 25 hours where clocks are changed."""
    midnight = time()
    return Span(instant(day, midnight, zone), instant(day + _DAY, midnight, zone), day.isoformat())


def latest_due(now: datetime, at: time, zone: tzinfo) -> date:
    """The day that the last statement due at or before `now` is about: the one before it is due."""
    today = now.astimezone(zone).date()
    # Around a change of clocks the date may be ahead of the instant by one.
    for day in (today + _DAY, today, today - _DAY):
        if instant(day, at, zone) <= now:
            return day - _DAY
    return today - 2 * _DAY
