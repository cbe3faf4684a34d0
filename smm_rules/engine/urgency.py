"""How soon an order is worth another look: by what rules can still do with it and by what it does.

A number of looks is best spent by the square root of how likely each is to find something; and the longer
it is expected to take until something happens, the less likely it is in the next while: an order near its
end is nearly there, one that has waited for an hour will most likely wait for another.

What holds for a number of looks holds for a smaller one: where more looks are due than can be taken, all are
best slowed down by the same factor.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

from smm_rules.facts import TERMINAL_ORDER_STATUSES, Facts, OrderStatus
from smm_rules.rules.index import terms
from smm_rules.rules.model import Rule

#: What is expected within so many usual paces is looked at at the usual pace.
_USUAL_WAIT = 6
#: How often what ended is looked at while it settles: this many times in each doubling of the time since.
_LOOKS_A_DOUBLING = 4
#: A status seen no later than this after the order was tracked may have lasted for long by then.
_FIRST_SIGHT = timedelta(minutes=1)
#: Beyond this many times the time so far nobody can tell.
_FURTHEST = 1000.0
_ORDERS = frozenset(OrderStatus)
_ENDED = frozenset(TERMINAL_ORDER_STATUSES)
_BEGUN = _ORDERS - {OrderStatus.PENDING}
#: Which statuses an order may still come to, by the one it is in. What ended may be refunded, nothing more.
_AHEAD: dict[object, frozenset[OrderStatus]] = {
    OrderStatus.PENDING: _ORDERS,
    OrderStatus.PROCESSING: _BEGUN,
    OrderStatus.IN_PROGRESS: _BEGUN - {OrderStatus.PROCESSING},
    OrderStatus.ACTIVE: _BEGUN - {OrderStatus.PROCESSING},
    **dict.fromkeys(_ENDED, _ENDED),
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """The time between two looks: never less than `fastest`, never more than `slowest`."""

    fastest: timedelta
    slowest: timedelta

    def kept(self, pace: timedelta) -> timedelta:
        """The pace within the bounds."""
        return min(max(pace, self.fastest), self.slowest)

    def stretched(self, pace: timedelta, late: timedelta) -> timedelta:
        """The pace within the bounds where every look comes `late`: the less urgent, the longer.

        Together with the lateness the time between two looks is as many times as long for all, up to
        `slowest`; what has the fastest pace keeps it, and what is slower makes room for it.
        """
        kept = self.kept(pace)
        # As a share of the slowest pace: very late by a very fast pace is more than a timedelta holds.
        share = (late / self.slowest) * (kept / self.fastest - 1)
        return min(kept + self.slowest * min(share, 1.0), self.slowest)


@dataclass(frozen=True, slots=True)
class Interest:
    """Which statuses the rules for orders ask for; None for a rule that may hold in any."""

    asked: tuple[frozenset[object] | None, ...]

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> Interest:
        """The interest of all of `rules` together."""
        found = [terms(rule).get("status") for rule in rules]
        return cls(tuple({None if each is None else frozenset(each): None for each in found}))

    def lasts_in(self, status: object) -> bool:
        """Whether any rule may hold for an order that is in `status`, now or later."""
        ahead = _AHEAD.get(status)
        if ahead is None:
            return bool(self.asked)
        return any(asked is None or not asked.isdisjoint(ahead) for asked in self.asked)


def pace(
    facts: Facts,
    interest: Interest,
    usual: timedelta,
    bounds: Bounds,
    now: datetime,
    *,
    waiting: bool,
    late: timedelta = timedelta(),
) -> timedelta:
    """The time until the next look at an order with these stored `facts`, looked at just now.

    `waiting` says that a rule waits for the order to stay as it is: then no look is due later than `usual`.
    `late` is how late looks come at present, because more are due than can be taken.
    """
    status = facts.get("status")
    if facts.get("error") or status is None or facts.get("status_known") is False:
        found = usual
    elif not interest.lasts_in(status):
        found = bounds.slowest
    elif status in _ENDED:
        found = max(usual, _since(facts, "changed_at", now) / _LOOKS_A_DOUBLING)
    else:
        found = usual * sqrt(expected_wait(facts, usual, now) / (usual * _USUAL_WAIT))
    stretched = bounds.stretched(found, late)
    return min(stretched, usual) if waiting else stretched


def expected_wait(facts: Facts, usual: timedelta, now: datetime) -> timedelta:
    """How long it will most likely take until something happens to an order that is under way.

    Until it is delivered at the rate it has been delivered so far; at least as long as nothing has moved.
    Without a rate, as long as nothing has moved.
    """
    still = _since(facts, "changed_at", now)
    left = _time_left(facts, now)
    if left is None:
        return max(still, usual)
    return left if still <= left else still


def _time_left(facts: Facts, now: datetime) -> timedelta | None:
    """The time to deliver what remains, None where nothing tells of a rate."""
    remains, delivered = facts.get("remains"), facts.get("delivered")
    if not isinstance(remains, int) or not isinstance(delivered, int) or delivered <= 0:
        return None
    began = _began_at(facts)
    if began is None or now <= began:
        return None
    return (now - began) * min(max(remains, 0) / delivered, _FURTHEST)


def _began_at(facts: Facts) -> datetime | None:
    """When the delivery began, as far as is known: what had begun before it was tracked has no beginning."""
    since, tracked_at, placed_at = (facts.get(name) for name in ("status_since", "tracked_at", "placed_at"))
    if (
        isinstance(since, datetime)
        and isinstance(tracked_at, datetime)
        and since - tracked_at > timedelta(minutes=1)
    ):
        return since
    return placed_at if isinstance(placed_at, datetime) else None


def _since(facts: Facts, name: str, now: datetime) -> timedelta:
    at = facts.get(name)
    return max(now - at, timedelta()) if isinstance(at, datetime) else timedelta()
