"""When each entity is to be looked at next, in time order."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime

from smm_rules.facts import Entity, EntityKind


class Agenda:
    """At most one instant an entity. Entries that were moved are left in the heap and passed over."""

    def __init__(self) -> None:
        self._due: dict[Entity, datetime] = {}
        self._heap: list[tuple[datetime, int, Entity]] = []
        self._number = 0

    def put(self, entity: Entity, at: datetime | None) -> None:
        """Look at `entity` at `at` instead of at any other time; never when None."""
        if at is None:
            self._due.pop(entity, None)
        elif self._due.get(entity) != at:
            self._due[entity] = at
            self._number += 1
            heapq.heappush(self._heap, (at, self._number, entity))

    def bring_forward(self, entity: Entity, at: datetime) -> None:
        """Look at `entity` at `at` unless that is to happen sooner anyway."""
        due_at = self._due.get(entity)
        if due_at is None or at < due_at:
            self.put(entity, at)

    def next_at(self) -> datetime | None:
        """The earliest instant."""
        while self._heap and not self._is_current(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take(self, kind: EntityKind, now: datetime) -> list[Entity]:
        """Those of `kind` due by `now`, off the agenda, in the order they were put."""
        return list(self._taken(kind, now))

    def _taken(self, kind: EntityKind, now: datetime) -> Iterator[Entity]:
        others = []
        while self._heap and self._heap[0][0] <= now:
            entry = heapq.heappop(self._heap)
            if not self._is_current(entry):
                continue
            if entry[2].kind is kind:
                del self._due[entry[2]]
                yield entry[2]
            else:
                others.append(entry)
        for entry in others:
            heapq.heappush(self._heap, entry)

    def _is_current(self, entry: tuple[datetime, int, Entity]) -> bool:
        return self._due.get(entry[2]) == entry[0]
