"""When an entity is to be asked about next."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from smm_rules.facts import TERMINAL_ORDER_STATUSES, TERMINAL_REFILL_STATUSES, EntityKind, Facts

_TERMINAL: dict[EntityKind, frozenset[str]] = {
    EntityKind.ORDER: frozenset(TERMINAL_ORDER_STATUSES),
    EntityKind.REFILL: frozenset(TERMINAL_REFILL_STATUSES),
}


def next_look(
    kind: EntityKind,
    facts: Facts,
    now: datetime,
    interval: timedelta,
    settle_after: timedelta,
    wakes: Iterable[datetime | None] = (),
) -> datetime | None:
    """When to ask about an entity next: after `interval`, or at the earliest of the rules' `wakes` before.

    None when it has settled: an order or refill that has been in a terminal status, unchanged, for
    `settle_after`, and that no rule waits for. A status nobody knows never settles.
    """
    return next_look_before(settles_at(kind, facts, settle_after), now, interval, wakes)


def next_look_before(
    settles: datetime | None, now: datetime, interval: timedelta, wakes: Iterable[datetime | None] = ()
) -> datetime | None:
    """`next_look` for an entity that `settles` then (`settles_at`)."""
    pending = [wake for wake in wakes if wake is not None]
    if not pending:
        return None if settles is not None and now >= settles else now + interval
    return min([now + interval, *pending])


def settles_at(kind: EntityKind, facts: Facts, settle_after: timedelta) -> datetime | None:
    """When an entity whose facts stay as they are settles; None for one that never does."""
    changed_at = facts.get("changed_at")
    if facts.get("status") not in _TERMINAL.get(kind, frozenset()) or not isinstance(changed_at, datetime):
        return None
    return changed_at + settle_after
