"""Quiet hours and maintenance windows: whether there is one now, and when it ends.

Times of day are those of a named zone, also where its clocks are changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from smm_rules.config.alerts import Maintenance, QuietHours

_LEVELS = ("debug", "info", "warning", "error")
_DAY = timedelta(days=1)


def rank(level: str) -> int:
    """How grave a level is; an unknown one is like `info`."""
    return _LEVELS.index(level) if level in _LEVELS else 1


def quiet_until(hours: Iterable[QuietHours], channel: str, level: str, now: datetime) -> datetime | None:
    """The end of the quiet hours that a message of this level to this channel falls into, None outside."""
    ends = [
        end
        for one in hours
        if not one.channels or channel in one.channels
        if one.except_level is None or rank(level) < rank(one.except_level)
        if (end := quiet_end(one, now)) is not None
    ]
    return max(ends, default=None)


def quiet_end(hours: QuietHours, now: datetime) -> datetime | None:
    """The end of the stretch of quiet hours that `now` falls into.

    Hours that begin at a time the clocks skip begin when they have been changed; hours that end at a time
    there is twice end the second time.
    """
    today = now.astimezone(hours.time_zone).date()
    for day in (today, today - _DAY):
        if day.weekday() not in hours.days:
            continue
        last = day + _DAY if hours.passes_midnight else day
        begins = _instant(day, hours.begins, hours.time_zone, fold=0)
        ends = _instant(last, hours.ends, hours.time_zone, fold=1)
        if begins <= now < ends:
            return ends
    return None


def _instant(day: date, at: time, zone: ZoneInfo, fold: int) -> datetime:
    """When the clocks of the zone show this; when they skip it, the moment they are changed."""
    wall = datetime.combine(day, at, zone)
    first, second = (wall.replace(fold=each).astimezone(UTC) for each in (0, 1))
    if first > second:
        # Skipped: read by the offsets before and after it, it lies on both sides of the change.
        return _change(zone, second, first)
    return (first, second)[fold]


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The moment between the two at which the zone's offset changes, to the second."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def maintenance_until(windows: Iterable[Maintenance], panel: str, now: datetime) -> datetime | None:
    """The end of the maintenance that this panel is in, None when there is none."""
    ends = [
        end
        for window in windows
        if window.panel is None or window.panel == panel
        if (end := maintenance_end(window, now)) is not None
    ]
    return max(ends, default=None)


def maintenance_end(window: Maintenance, now: datetime) -> datetime | None:
    """The end of the opening of the window that `now` falls into. It lasts as long as it says, whatever the
    clocks show meanwhile."""
    # The search goes back from a minute later, for it leaves out the minute it starts at.
    local = (now + timedelta(minutes=1)).astimezone(window.time_zone)
    opened: datetime | None = next(CronSim(window.schedule, local, reverse=True), None)
    if opened is None:
        return None
    end = opened.astimezone(UTC) + window.lasting
    return end if opened <= now < end else None
