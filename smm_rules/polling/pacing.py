"""When an order is looked at next where its pace follows from how urgent it is (`engine.urgency`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from smm_rules.engine.attention import Attention
from smm_rules.engine.memory import Memory
from smm_rules.engine.urgency import Bounds, Interest, pace
from smm_rules.facts import Facts, Value
from smm_rules.ledger.codec import to_micros
from smm_rules.ledger.records import DueOrder

#: So many looks in a row an order may rest before its pace is found anew.
LOOKS_AT_ONE_PACE = 6
#: Lateness counts from this part of the fastest pace on.
_STEPS = 8
_MICROSECOND = timedelta(microseconds=1)


@dataclass(slots=True)
class Backlog:
    """How late a panel's looks come because more are due than can be taken: an average over the slowest pace.

    Who gives way comes again only when its longer pace is over. An average over as long keeps all from giving
    way at once and coming again at once, and what an outage leaves behind weighs no more than the time it
    takes to work it off. `late` is the average rounded down, so that it seldom changes: orders at rest are at
    the pace that was found by one.
    """

    late: timedelta = timedelta()
    _average: timedelta = timedelta()
    _noted_at: datetime | None = None

    def note(self, due: Sequence[DueOrder], most: int, now: datetime, bounds: Bounds) -> None:
        """Take note of what a sweep of at most `most` orders takes, the most overdue first.

        One that takes all that is due leaves nobody behind, and counts as in time.
        """
        at = to_micros(now)
        leaves_some = len(due) >= most > 0 and due[-1].due_at <= at
        overdue = (at - due[0].due_at) * _MICROSECOND if leaves_some else timedelta()
        passed = timedelta() if self._noted_at is None else max(now - self._noted_at, timedelta())
        weight = min(passed, bounds.fastest) / bounds.slowest
        self._average += (min(overdue, bounds.slowest) - self._average) * weight
        self._noted_at = now
        self.late = _rounded_down(self._average, bounds.fastest / _STEPS)

    def interrupt(self) -> None:
        """Nobody looks: what passes until somebody does is no time of a backlog."""
        self._noted_at = None


def _rounded_down(late: timedelta, unit: timedelta) -> timedelta:
    """To the first three binary digits of its units; zero for less than one."""
    units = late // unit
    spare = max(units.bit_length() - 3, 0)
    return unit * (units >> spare << spare)


@dataclass(frozen=True, slots=True)
class Pacing:
    """What the pace of orders follows from beside their facts.

    `usual` is that of nothing in particular, `late` how late looks come at present.
    """

    usual: timedelta
    bounds: Bounds
    interest: Interest
    attention: Attention
    late: timedelta = timedelta()

    def pace(self, facts: Facts, memories: Iterable[Memory], now: datetime) -> timedelta:
        """The time until the next look at an order, of which rules have these `memories`."""
        waiting = any(map(_waits, memories))
        return pace(facts, self.interest, self.usual, self.bounds, now, waiting=waiting, late=self.late)

    def turns_at(self, facts: Mapping[str, Value], now: datetime) -> datetime | None:
        """When time alone may turn a rule's condition on these complete facts; then it is looked at."""
        left = self.attention.stays_for(facts, now)
        return now + left if left and left <= self.bounds.slowest else None


def _waits(memory: Memory) -> bool:
    """Whether a rule waits for its condition to go on: a look too late would start the wait anew."""
    return memory.true_since is not None and memory.fired_at is None and not memory.ignored
