"""When an order is looked at next where its pace follows from how urgent it is (`engine.urgency`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from smm_rules.engine.attention import Attention
from smm_rules.engine.memory import Memory
from smm_rules.engine.urgency import Bounds, Interest, pace
from smm_rules.facts import Facts, Value

#: So many looks in a row an order may rest before its pace is found anew.
LOOKS_AT_ONE_PACE = 6


@dataclass(frozen=True, slots=True)
class Pacing:
    """What the pace of orders follows from beside their facts. `usual` is that of nothing in particular."""

    usual: timedelta
    bounds: Bounds
    interest: Interest
    attention: Attention

    def pace(self, facts: Facts, memories: Iterable[Memory], now: datetime) -> timedelta:
        """The time until the next look at an order, of which rules have these `memories`."""
        return pace(facts, self.interest, self.usual, self.bounds, now, waiting=any(map(_waits, memories)))

    def turns_at(self, facts: Mapping[str, Value], now: datetime) -> datetime | None:
        """When time alone may turn a rule's condition on these complete facts; then it is looked at."""
        left = self.attention.stays_for(facts, now)
        return now + left if left and left <= self.bounds.slowest else None


def _waits(memory: Memory) -> bool:
    """Whether a rule waits for its condition to go on: a look too late would start the wait anew."""
    return memory.true_since is not None and memory.fired_at is None and not memory.ignored
