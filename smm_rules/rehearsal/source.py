"""Where the facts of a rehearsal come from, and how often they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from smm_rules.engine.observation import Observation
from smm_rules.facts import Entity, Facts
from smm_rules.ledger.records import TrackedOrder


class Source(Protocol):
    """Where the facts of a rehearsal come from."""

    def observe(
        self, entity: Entity, before: Facts, order: TrackedOrder | None, now: datetime
    ) -> Observation:
        """What a look at `entity` at `now` finds; `order` is the ledger's own word on an order or refill."""
        ...

    def last_look(self, entity: Entity) -> datetime | None:
        """When `entity` is looked at for the last time; None when there is no end to it."""
        ...


@dataclass(frozen=True, slots=True)
class StagePace:
    """How often each thing is looked at, how long settled ones still are, and the tolerated gap."""

    interval: Callable[[Entity], timedelta]
    settle_after: timedelta = timedelta(days=1)
    gap: timedelta = timedelta(minutes=30)
