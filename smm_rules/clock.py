"""Where the time comes from. The core never asks: it is handed `now`."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The narrow view of time the daemon needs."""

    def now(self) -> datetime:
        """The current instant, aware, UTC."""
        ...

    def real_seconds(self, duration: timedelta) -> float:
        """How many seconds of the machine's own time `duration` takes."""
        ...


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def real_seconds(self, duration: timedelta) -> float:
        return duration.total_seconds()


class AcceleratedClock:
    """A clock that runs `factor` times as fast as the machine's, from the moment it is made.

    The demo uses it so that a rule's `for: 10m` need not be rewritten to be seen at work.
    """

    def __init__(self, factor: float) -> None:
        if factor <= 0:
            raise ValueError(f"a clock's factor must be above 0, not {factor}")
        self.factor = factor
        self._started_at = datetime.now(UTC)
        self._started_monotonic = time.monotonic()

    def now(self) -> datetime:
        elapsed = time.monotonic() - self._started_monotonic
        return self._started_at + timedelta(seconds=elapsed * self.factor)

    def real_seconds(self, duration: timedelta) -> float:
        return duration.total_seconds() / self.factor
