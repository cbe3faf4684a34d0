"""What is to happen on the panel by itself, in the order of its time."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class Timeline:
    """Events wait here until the panel is next looked at, and then happen as of their own time."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Callable[[float], None]]] = []
        self._made = 0

    def at(self, when: float, event: Callable[[float], None]) -> None:
        """Let `event(when)` happen at `when` seconds; equal times keep the order of the calls."""
        self._made += 1
        heapq.heappush(self._waiting, (when, self._made, event))

    def run(self, now: float) -> None:
        """Let everything due by `now` happen, also what it leads to itself."""
        waiting = self._waiting
        while waiting and waiting[0][0] <= now:
            when, _, event = heapq.heappop(waiting)
            event(when)

    def __len__(self) -> int:
        return len(self._waiting)
