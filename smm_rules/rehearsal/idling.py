"""Which looks can be left out because they can't come to anything new.

Between two events the daemon asks about an entity every interval and mostly hears what it knows. A rehearsal
keeps to the same grid of instants and skips the looks at which neither facts, nor a rule's wake-up, nor a
running duration can change what any rule comes to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta


def on_grid(last: datetime, interval: timedelta, at: datetime) -> datetime:
    """The first look at or after `at`, one interval after `last` at the earliest."""
    steps = -((last - at) // interval)
    return last + interval * max(steps, 1)


def previous_on_grid(last: datetime, interval: timedelta, at: datetime) -> datetime:
    """The look before the one at `at`, those that were left out counted."""
    steps = -((last - at) // interval) - 1
    return last + interval * max(steps, 0)


def next_worthwhile(
    last: datetime, interval: timedelta, wakes: Sequence[datetime], turns: Iterable[datetime]
) -> datetime | None:
    """The next look after `last` that may come to something; None when only news can."""
    later = [on_grid(last, interval, at) for at in turns if at > last]
    return min([*later, *wakes], default=None)
